/* conn.h - the connections of one HTTP thread: counted, timed, cut when late.   [layer: serve]
 *
 * evhttp has a timeout for each read but none for a request, and no limit of connections. So every
 * connection gets a record when its bufferevent is made; a callback on its input sees the first
 * byte of each request; a sweep a few times a second cuts what takes too long.
 *
 *     accept -> idle -> first byte -> reading -> whole request -> busy -> reply -> sending -> idle
 *
 *     idle: idle_timeout; reading: request_timeout, then 408; busy: wait.h has the time;
 *     sending: request_timeout for a client that does not take its reply.
 *
 * A record outlives its connection by at most one sweep: only after a first request does evhttp
 * tell of a close. A descriptor may have been closed and used anew meanwhile, so a record is
 * believed only while SO_COOKIE, which the kernel never gives twice, is the one that was noted. */
#ifndef PT_CONN_H
#define PT_CONN_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bufferevent;
struct evbuffer_cb_entry;
struct evhttp_request;
struct event_base;
struct pt_thread;

enum pt_conn_state {
    PT_CONN_NEW,
    PT_CONN_IDLE,
    PT_CONN_READING,
    PT_CONN_BUSY,
    PT_CONN_SENDING,
    PT_CONN_CUT
};

struct pt_conn {
    struct pt_conn *prev, *next;
    struct pt_thread *thread;
    struct bufferevent *bev; /* borrowed; never touched once the cookie is gone */
    struct evbuffer_cb_entry *watch;
    int fd;
    uint64_t cookie;
    enum pt_conn_state state;
    int64_t since_us; /* monotonic: when the state began */
    bool told;        /* evhttp will tell of its end */
    bool over;        /* one too many: its first request is answered 503 */
    uint64_t wait;    /* number of the wait (wait.h) its request is in, 0 = none */
};

struct pt_conns {
    struct pt_conn *first;
    struct pt_conn **by_fd;
    size_t fds;
    unsigned n;
    int64_t swept_us;
};

void pt_conns_fini(struct pt_conns *conns);

/* For evhttp_set_bevcb: makes the bufferevent of a connection that is being accepted. */
struct bufferevent *pt_conn_accept(struct event_base *base, void *thread);
/* Event callback: the descriptors of accepted connections are known now. */
void pt_conn_adopt(int fd, short what, void *thread);
/* Timer callback: cuts what is late, forgets what is gone, counts down when the thread stops. */
void pt_conn_sweep(int fd, short what, void *thread);

/* The record of a request's connection, NULL when there is none; marks it busy. */
struct pt_conn *pt_conn_of(struct pt_thread *thread, struct evhttp_request *ev, int64_t now_us);
/* The reply was given to evhttp. */
void pt_conn_replied(struct pt_conn *conn, struct evhttp_request *ev, int64_t now_us);
/* A worker computes for it: nothing more is read until the reply. (evhttp ends the process when
 * bytes of a further request arrive while it waits for a reply.) */
void pt_conn_hold(struct pt_conn *conn, uint64_t wait);

#endif
