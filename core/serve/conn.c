#include "serve/conn.h"

#include "base/clock.h"
#include "base/log.h"
#include "serve/thread.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* libevent writes at most 16 KiB a loop pass by default, which makes large replies five times
 * slower */
#define WRITE_MAX ((size_t)1 << 20)
#define OVER_MAX 64               /* connections beyond the cap that still get their 503 */
#define OVER_US INT64_C(2000000)  /* and how long they may take to ask */
#define RESWEEP_US INT64_C(50000) /* a full house is looked through again after this */

static const char late_reply[] =
    "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

static uint64_t cookie_of(int fd)
{
    uint64_t cookie = 0;
    socklen_t len = sizeof cookie;
    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == 0 ? cookie : 0;
}

static bool alive(const struct pt_conn *conn)
{
    return conn->fd >= 0 && conn->cookie != 0 && cookie_of(conn->fd) == conn->cookie;
}

static void forget(struct pt_conn *conn)
{
    struct pt_conns *conns = &conn->thread->conns;
    if (conn->fd >= 0 && (size_t)conn->fd < conns->fds && conns->by_fd[conn->fd] == conn) {
        conns->by_fd[conn->fd] = NULL;
    }
    *(conn->prev != NULL ? &conn->prev->next : &conns->first) = conn->next;
    if (conn->next != NULL) conn->next->prev = conn->prev;
    conns->n--;
    atomic_fetch_sub_explicit(&conn->thread->http->connections, 1, memory_order_relaxed);
    free(conn);
}

void pt_conns_fini(struct pt_conns *conns)
{
    while (conns->first != NULL) forget(conns->first);
    free(conns->by_fd);
    *conns = (struct pt_conns){ 0 };
}

/* First byte of a request: its time begins. */
static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
    (void)input;
    struct pt_conn *conn = arg;
    if (info->n_added == 0 || (conn->state != PT_CONN_IDLE && conn->state != PT_CONN_NEW)) return;
    conn->state = PT_CONN_READING;
    conn->since_us = pt_mono_us();
}

struct bufferevent *pt_conn_accept(struct event_base *base, void *arg)
{
    struct pt_thread *thread = arg;
    struct bufferevent *bev = bufferevent_socket_new(base, -1, 0);
    struct pt_conn *conn = calloc(1, sizeof *conn);
    if (bev == NULL || conn == NULL) {
        pt_log(PT_WARN, "http", "no_memory", "for a connection");
        free(conn);
        return bev; /* NULL: evhttp makes its own, without our guards but with its timeouts */
    }
    thread->told = false;
    conn->thread = thread;
    conn->bev = bev;
    conn->fd = -1;
    conn->since_us = pt_mono_us();
    conn->watch = evbuffer_add_cb(bufferevent_get_input(bev), on_input, conn);
    conn->next = thread->conns.first;
    if (conn->next != NULL) conn->next->prev = conn;
    thread->conns.first = conn;
    thread->conns.n++;
    atomic_fetch_add_explicit(&thread->http->connections, 1, memory_order_relaxed);
    /* The descriptor is set after this returns; the event runs later in the same pass of the loop,
     * when it is known and nothing can have been read yet. */
    bufferevent_incref(bev);
    event_active(thread->adopt, EV_READ, 0);
    return bev;
}

static bool note_fd(struct pt_conns *conns, struct pt_conn *conn)
{
    size_t fd = (size_t)conn->fd;
    if (fd >= conns->fds) {
        size_t fds = conns->fds == 0 ? 256 : conns->fds;
        while (fds <= fd) fds *= 2;
        struct pt_conn **by_fd = realloc(conns->by_fd, fds * sizeof *by_fd);
        if (by_fd == NULL) return false;
        memset(by_fd + conns->fds, 0, (fds - conns->fds) * sizeof *by_fd);
        conns->by_fd = by_fd;
        conns->fds = fds;
    }
    conns->by_fd[fd] = conn;
    return true;
}

static void cut(struct pt_conn *conn)
{
    conn->state = PT_CONN_CUT;
    conn->since_us = pt_mono_us();
    shutdown(conn->fd, SHUT_RDWR); /* evhttp sees the end of the stream and frees it */
}

/* Forgets what closed without telling; true when the number of live connections is known to be too
 * high. */
static bool really_full(struct pt_thread *thread)
{
    struct pt_http *http = thread->http;
    unsigned cap = http->set.max_connections;
    if (atomic_load_explicit(&http->connections, memory_order_relaxed) <= cap) return false;
    int64_t now_us = pt_mono_us();
    if (now_us - thread->conns.swept_us >= RESWEEP_US) {
        thread->conns.swept_us = now_us;
        for (struct pt_conn *conn = thread->conns.first, *next; conn != NULL; conn = next) {
            next = conn->next;
            if (conn->fd >= 0 && !conn->told && !alive(conn)) forget(conn);
        }
    }
    return atomic_load_explicit(&http->connections, memory_order_relaxed) > cap;
}

void pt_conn_adopt(int fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct pt_thread *thread = arg;
    struct pt_http *http = thread->http;
    static const int on = 1;
    for (struct pt_conn *conn = thread->conns.first, *next; conn != NULL && conn->fd < 0;
         conn = next) {
        next = conn->next; /* new ones stand first */
        conn->fd = bufferevent_getfd(conn->bev);
        conn->cookie = conn->fd >= 0 ? cookie_of(conn->fd) : 0;
        bool noted = conn->cookie != 0 && note_fd(&thread->conns, conn);
        if (noted) {
            if (conn->state == PT_CONN_NEW) conn->state = PT_CONN_IDLE;
            setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            bufferevent_set_max_single_write(conn->bev, WRITE_MAX);
        } else if (conn->watch != NULL) {
            evbuffer_remove_cb_entry(bufferevent_get_input(conn->bev), conn->watch);
        }
        bufferevent_decref(conn->bev);
        if (!noted) {
            forget(conn);
            continue;
        }
        bool full = really_full(thread);
        next = conn->next; /* the former may be among the forgotten */
        if (!full) continue;
        atomic_fetch_add_explicit(&http->refused, 1, memory_order_relaxed);
        conn->over = true;
        if (atomic_load_explicit(&http->connections, memory_order_relaxed) >
            http->set.max_connections + OVER_MAX) {
            cut(conn);
        }
    }
}

static void on_close(struct evhttp_connection *evcon, void *arg)
{
    (void)evcon;
    struct pt_conn *conn = arg;
    if (conn->wait != 0) pt_wait_gone(&conn->thread->waits, conn->wait);
    if (conn->watch != NULL)
        evbuffer_remove_cb_entry(bufferevent_get_input(conn->bev), conn->watch);
    forget(conn);
}

static void on_sent(struct evhttp_request *ev, void *arg)
{
    (void)ev;
    struct pt_conn *conn = arg;
    if (conn->state == PT_CONN_CUT) return;
    /* a pipelined request may have come already */
    bool more = evbuffer_get_length(bufferevent_get_input(conn->bev)) > 0;
    conn->state = more ? PT_CONN_READING : PT_CONN_IDLE;
    conn->since_us = pt_mono_us();
}

struct pt_conn *pt_conn_of(struct pt_thread *thread, struct evhttp_request *ev, int64_t now_us)
{
    struct evhttp_connection *evcon = evhttp_request_get_connection(ev);
    if (evcon == NULL) return NULL;
    struct bufferevent *bev = evhttp_connection_get_bufferevent(evcon);
    int fd = bufferevent_getfd(bev);
    if (fd < 0 || (size_t)fd >= thread->conns.fds) return NULL;
    struct pt_conn *conn = thread->conns.by_fd[fd];
    if (conn == NULL || conn->bev != bev) return NULL;
    if (!conn->told) {
        conn->told = true;
        evhttp_connection_set_closecb(evcon, on_close, conn);
    }
    if (conn->state != PT_CONN_CUT) conn->state = PT_CONN_BUSY;
    conn->since_us = now_us;
    return conn;
}

void pt_conn_hold(struct pt_conn *conn, uint64_t wait)
{
    conn->wait = wait;
    bufferevent_disable(conn->bev, EV_READ);
}

void pt_conn_replied(struct pt_conn *conn, struct evhttp_request *ev, int64_t now_us)
{
    conn->wait = 0;
    if (conn->state == PT_CONN_CUT) return;
    conn->state = PT_CONN_SENDING;
    conn->since_us = now_us;
    evhttp_request_set_on_complete_cb(ev, on_sent, conn);
}

static void cut_late_request(struct pt_conn *conn)
{
    struct pt_http *http = conn->thread->http;
    atomic_fetch_add_explicit(&http->timeouts, 1, memory_order_relaxed);
    ssize_t sent = send(conn->fd, late_reply, sizeof late_reply - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && pt_log_enabled(PT_DEBUG))
        pt_log(PT_DEBUG, "http", "late_unsent", "errno=%d", errno);
    cut(conn);
}

static void check_time(struct pt_conn *conn, int64_t now_us)
{
    const struct pt_http_settings *set = &conn->thread->http->set;
    int64_t spent_us = now_us - conn->since_us;
    switch (conn->state) {
    case PT_CONN_READING:
        if (spent_us > set->request_us) cut_late_request(conn);
        break;
    case PT_CONN_SENDING:
        if (spent_us > set->request_us) cut(conn);
        break;
    case PT_CONN_IDLE:
        if (conn->thread->stopping || spent_us > (conn->over ? OVER_US : set->idle_us)) cut(conn);
        break;
    case PT_CONN_NEW:
    case PT_CONN_BUSY:
    case PT_CONN_CUT: break;
    }
}

void pt_conn_sweep(int fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct pt_thread *thread = arg;
    int64_t now_us = pt_mono_us();
    unsigned open = 0;
    thread->conns.swept_us = now_us;
    for (struct pt_conn *conn = thread->conns.first, *next; conn != NULL; conn = next) {
        next = conn->next;
        if (conn->fd < 0) {
            open++;
        } else if (!alive(conn)) {
            if (!conn->told) forget(conn); /* else on_close forgets it */
        } else {
            check_time(conn, now_us);
            open += conn->state != PT_CONN_CUT;
        }
    }
    pt_waits_expire(&thread->waits, now_us);
    if (thread->stopping && (open == 0 || now_us >= thread->stop_by_us))
        event_base_loopbreak(thread->base);
}
