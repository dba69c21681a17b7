/* http.c - starting and stopping the HTTP threads. [layer: serve] */
#include "serve/http.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/sched.h"
#include "base/timefmt.h"
#include "serve/thread.h"
#include "serve/token.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 512
#define STOP_US (5 * PT_US_SEC)
#define HURRY_US PT_US_SEC
#define SPARE_FILES 256 /* descriptors for everything that is no connection */

/* ---- settings -----------------------------------------------------------------------------------
 */

static enum pt_code read_settings(const struct pt_conf *conf, struct pt_http_settings *set,
                                  struct pt_err *err)
{
    const char *list_keys = pt_conf_text(conf, "http", "list_keys");
    const char *token_file = pt_conf_text(conf, "http", "token_file");
    *set = (struct pt_http_settings){ .bind = pt_conf_text(conf, "http", "bind"),
                                      .port = (unsigned)pt_conf_int(conf, "http", "port"),
                                      .nthreads = (unsigned)pt_conf_int(conf, "http", "threads"),
                                      .max_connections =
                                          (unsigned)pt_conf_int(conf, "http", "max_connections"),
                                      .request_us = pt_conf_int(conf, "http", "request_timeout"),
                                      .idle_us = pt_conf_int(conf, "http", "idle_timeout"),
                                      .max_body = pt_conf_int(conf, "http", "max_body"),
                                      .max_header = pt_conf_int(conf, "http", "max_header"),
                                      .cache_bytes = pt_conf_int(conf, "http", "cache"),
                                      .protect_reads = pt_conf_bool(conf, "http", "protect_reads"),
                                      .cors = pt_conf_text(conf, "http", "cors"),
                                      .lists = strcasecmp(list_keys, "data") != 0,
                                      .data = strcasecmp(list_keys, "seed") != 0 };
    set->cors_on = set->cors != NULL && *set->cors != '\0';
    if (set->cors_on && strpbrk(set->cors, "\r\n") != NULL) {
        return pt_fail(err, PT_EINVAL, "[http] cors: must be one origin");
    }
    if (token_file != NULL && *token_file != '\0')
        return pt_token_read(token_file, &set->token, err);
    if (set->protect_reads)
        return pt_fail(err, PT_EINVAL, "[http] protect_reads needs a token_file");
    return PT_OK;
}

/* As many descriptors as there may be connections, as far as the hard limit goes. */
static void raise_files(unsigned connections)
{
    struct rlimit limit;
    rlim_t need = (rlim_t)connections + SPARE_FILES;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need) return;
    rlim_t want = limit.rlim_max != RLIM_INFINITY && limit.rlim_max < need ? limit.rlim_max : need;
    limit.rlim_cur = want;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || want < need) {
        pt_log(PT_WARN, "http", "few_files", "need=%lu have=%lu", (unsigned long)need,
               (unsigned long)want);
    }
}

/* ---- sockets ------------------------------------------------------------------------------------
 */

static int open_socket(const struct addrinfo *address, bool shared)
{
    static const int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    bool good = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                (!shared || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
                bind(fd, address->ai_addr, address->ai_addrlen) == 0;
    if (good) return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static unsigned *port_of(struct sockaddr *address, unsigned *port, bool set)
{
    in_port_t *at = address->sa_family == AF_INET6
                        ? &((struct sockaddr_in6 *)(void *)address)->sin6_port
                        : &((struct sockaddr_in *)(void *)address)->sin_port;
    if (set)
        *at = htons((uint16_t)*port);
    else
        *port = ntohs(*at);
    return port;
}

/* One listening socket a thread on one port; the kernel spreads connections. Sockets that share a
 * port would let a second daemon share it too, so a first one is tried that does not share: it
 * fails when anybody listens there. */
static enum pt_code open_listeners(const struct pt_http_settings *set, int *fds, unsigned n,
                                   unsigned *port, struct pt_err *err)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC,
                              .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_PASSIVE };
    struct addrinfo *address = NULL;
    char service[16];
    snprintf(service, sizeof service, "%u", set->port);
    int gai = getaddrinfo(set->bind, service, &hints, &address);
    if (gai != 0)
        return pt_fail(err, PT_EINVAL, "[http] bind %s: %s", set->bind, gai_strerror(gai));

    struct sockaddr_storage bound;
    socklen_t bound_len = sizeof bound;
    int probe = open_socket(address, false);
    bool good = probe >= 0 && listen(probe, 1) == 0 &&
                getsockname(probe, (struct sockaddr *)&bound, &bound_len) == 0;
    int why = errno;
    if (probe >= 0) close(probe);
    if (good) port_of(address->ai_addr, port_of((struct sockaddr *)&bound, port, false), true);
    for (unsigned i = 0; i < n && good; i++) {
        fds[i] = open_socket(address, true);
        good = fds[i] >= 0 && listen(fds[i], BACKLOG) == 0;
        why = errno;
    }
    freeaddrinfo(address);
    if (good) return PT_OK;
    return pt_fail(err, why == EADDRINUSE ? PT_EBUSY : PT_EIO, "cannot listen on %s port %u: %s",
                   set->bind, set->port, strerror(why));
}

/* ---- threads ------------------------------------------------------------------------------------
 */

/* A listener has one argument for both its callbacks, and evhttp has taken it. */
static _Thread_local struct pt_thread *current;

/* No descriptor left: accept would fail again at once and for ever, so it waits for the next sweep.
 */
static void on_accept_error(struct evconnlistener *listener, void *server)
{
    (void)server;
    if (!current->told) {
        pt_log(PT_WARN, "http", "accept_failed", "thread=%u error=\"%s\"", current->index,
               strerror(errno));
    }
    current->told = true; /* until one is accepted again */
    evconnlistener_disable(listener);
    current->deaf = true;
}

static void on_sweep(int fd, short what, void *arg)
{
    struct pt_thread *thread = arg;
    pt_conn_sweep(fd, what, thread);
    if (!thread->deaf || thread->bound == NULL) return;
    thread->deaf = false;
    evconnlistener_enable(evhttp_bound_socket_get_listener(thread->bound));
}

void pt_http_woken(struct pt_thread *thread)
{
    if (thread->stopping || !atomic_load(&thread->http->stopping)) return;
    thread->stopping = true;
    thread->stop_by_us = pt_mono_us() + STOP_US;
    evhttp_del_accept_socket(thread->server, thread->bound);
    thread->bound = NULL;
    pt_waits_hurry(&thread->waits,
                   pt_mono_us() + HURRY_US); /* the engine may have stopped before us */
    pt_conn_sweep(-1, 0, thread);
}

static enum pt_code make_events(struct pt_thread *thread, struct pt_err *err)
{
    const struct pt_http_settings *set = &thread->http->set;
    int64_t shortest_us = set->request_us < set->idle_us ? set->request_us : set->idle_us;
    int64_t sweep_us = shortest_us / 4 < PT_US_SEC / 2 ? shortest_us / 4 : PT_US_SEC / 2;
    struct timeval interval = { .tv_sec = 0, .tv_usec = (suseconds_t)sweep_us };
    thread->adopt = event_new(thread->base, -1, 0, pt_conn_adopt, thread);
    thread->sweep = event_new(thread->base, -1, EV_PERSIST, on_sweep, thread);
    thread->mail = event_new(thread->base, pt_waits_fd(&thread->waits), EV_READ | EV_PERSIST,
                             pt_wait_mail, thread);
    if (thread->adopt == NULL || thread->sweep == NULL || thread->mail == NULL ||
        event_add(thread->sweep, &interval) != 0 || event_add(thread->mail, NULL) != 0) {
        return pt_fail(err, PT_ENOMEM, "no memory for the events of an HTTP thread");
    }
    return PT_OK;
}

/* listen_fd is taken. */
static enum pt_code make_server(struct pt_thread *thread, int listen_fd, struct pt_err *err)
{
    const struct pt_http_settings *set = &thread->http->set;
    struct evconnlistener *listener = NULL;
    thread->server = evhttp_new(thread->base);
    if (thread->server != NULL) {
        listener = evconnlistener_new(thread->base, NULL, NULL,
                                      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, listen_fd);
    }
    if (listener == NULL) {
        close(listen_fd);
        return pt_fail(err, PT_ENOMEM, "no memory for an HTTP server");
    }
    thread->bound = evhttp_bind_listener(thread->server, listener);
    if (thread->bound == NULL) {
        evconnlistener_free(listener);
        return pt_fail(err, PT_ENOMEM, "no memory for an HTTP server");
    }
    evconnlistener_set_error_cb(listener, on_accept_error);
    /* the second line behind our own times: a stalled read or write */
    int64_t longest_us = set->request_us > set->idle_us ? set->request_us : set->idle_us;
    struct timeval stall = { .tv_sec = (time_t)(longest_us / PT_US_SEC) + 2, .tv_usec = 0 };
    evhttp_set_timeout_tv(thread->server, &stall);
    evhttp_set_max_headers_size(thread->server, (ev_ssize_t)set->max_header);
    evhttp_set_max_body_size(thread->server, (ev_ssize_t)set->max_body);
    evhttp_set_flags(thread->server,
                     EVHTTP_SERVER_LINGERING_CLOSE);    /* else the 413 is lost in a reset */
    evhttp_set_allowed_methods(thread->server, 0xffff); /* 405 and 501 are ours to say */
    evhttp_set_bevcb(thread->server, pt_conn_accept, thread);
    evhttp_set_gencb(thread->server, pt_dispatch, thread);
    return PT_OK;
}

static enum pt_code thread_init(struct pt_thread *thread, struct pt_http *http, unsigned index,
                                int listen_fd, struct pt_err *err)
{
    thread->http = http;
    thread->index = index;
    enum pt_code rc = pt_cache_init(&thread->cache, (size_t)http->set.cache_bytes, err);
    if (rc == PT_OK) rc = pt_waits_init(&thread->waits, err);
    struct event_config *config = rc == PT_OK ? event_config_new() : NULL;
    if (config != NULL) {
        /* one thread only; and evhttp, which turns reading and writing on and off four times a
         * request, must not tell the kernel of each */
        event_config_set_flag(config,
                              EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
        thread->base = event_base_new_with_config(config);
        event_config_free(config);
    }
    if (rc == PT_OK && thread->base == NULL)
        rc = pt_fail(err, PT_ENOMEM, "no memory for an event loop");
    if (rc != PT_OK) {
        close(listen_fd);
        return rc;
    }
    thread->deflate_ready =
        deflateInit2(&thread->deflate, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    rc = make_events(thread, err);
    if (rc == PT_OK) return make_server(thread, listen_fd, err);
    close(listen_fd);
    return rc;
}

static void thread_fini(struct pt_thread *thread)
{
    if (thread->server != NULL) evhttp_free(thread->server);
    if (thread->adopt != NULL) event_free(thread->adopt);
    if (thread->sweep != NULL) event_free(thread->sweep);
    if (thread->mail != NULL) event_free(thread->mail);
    if (thread->base != NULL) event_base_free(thread->base);
    pt_waits_fini(&thread->waits);
    pt_conns_fini(&thread->conns);
    pt_cache_fini(&thread->cache);
    pt_bars_cache_fini(&thread->bars);
    pt_catalog_fini(&thread->catalog);
    pt_query_fini(&thread->query);
    pt_scripts_unref(thread->scripts);
    if (thread->deflate_ready) deflateEnd(&thread->deflate);
    free(thread->path);
}

static void *thread_main(void *arg)
{
    struct pt_thread *thread = arg;
    current = thread;
    pt_sched_prompt(0);
    event_base_dispatch(thread->base);
    return NULL;
}

static void http_free(struct pt_http *http)
{
    for (unsigned i = 0; i < http->nthreads; i++) thread_fini(&http->threads[i]);
    free(http->threads);
    free(http->set.token);
    pt_conf_free(http->conf);
    free(http);
}

/* Signals are the main loop's. */
static enum pt_code start_thread(struct pt_thread *thread, struct pt_err *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int why = pthread_create(&thread->id, NULL, thread_main, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    thread->started = why == 0;
    return why == 0 ? PT_OK
                    : pt_fail(err, PT_EIO, "cannot start an HTTP thread: %s", strerror(why));
}

/* What libevent has to say of broken requests is ours to know, not the operator's. */
static void on_event_log(int severity, const char *text)
{
    pt_log(severity == EVENT_LOG_ERR ? PT_ERROR : PT_DEBUG, "http", "libevent", "text=\"%s\"",
           text);
}

enum pt_code pt_http_start(struct pt_engine *engine, struct pt_http **out, struct pt_err *err)
{
    struct pt_http *http = calloc(1, sizeof *http);
    int *fds = NULL;
    unsigned n = 0, given = 0;
    *out = NULL;
    if (http == NULL) return pt_fail(err, PT_ENOMEM, "out of memory");
    http->engine = engine;
    http->store = pt_engine_store(engine);
    http->started_us = pt_now_us();
    http->conf = pt_engine_conf(engine);
    enum pt_code rc = read_settings(http->conf, &http->set, err);
    if (rc != PT_OK) goto out;
    n = http->set.nthreads;
    fds = malloc(n * sizeof *fds);
    http->threads = calloc(n, sizeof *http->threads);
    if (fds == NULL || http->threads == NULL) {
        rc = pt_fail(err, PT_ENOMEM, "out of memory");
        n = 0;
        goto out;
    }
    for (unsigned i = 0; i < n; i++) fds[i] = -1;
    event_set_log_callback(on_event_log);
    signal(SIGPIPE, SIG_IGN); /* a client that hangs up must not end the daemon */
    raise_files(http->set.max_connections);
    rc = open_listeners(&http->set, fds, n, &http->set.port, err);
    for (; rc == PT_OK && given < n; given++) {
        http->nthreads++;
        rc = thread_init(&http->threads[given], http, given, fds[given], err);
    }
    for (unsigned i = 0; i < n && rc == PT_OK; i++) rc = start_thread(&http->threads[i], err);
out:
    for (unsigned i = given; i < n; i++) {
        if (fds[i] >= 0) close(fds[i]);
    }
    free(fds);
    if (rc != PT_OK)
        pt_http_stop(http);
    else
        *out = http;
    return rc;
}

void pt_http_stop(struct pt_http *http)
{
    if (http == NULL) return;
    atomic_store(&http->stopping, true);
    for (unsigned i = 0; i < http->nthreads; i++) {
        if (http->threads[i].started) pt_waits_ring(&http->threads[i].waits);
    }
    for (unsigned i = 0; i < http->nthreads; i++) {
        if (http->threads[i].started) pthread_join(http->threads[i].id, NULL);
    }
    http_free(http);
}

unsigned pt_http_port(const struct pt_http *http)
{
    return http->set.port;
}
