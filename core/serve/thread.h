/* thread.h - one HTTP thread and what all of them share. [layer: serve] */
#ifndef PT_THREAD_H
#define PT_THREAD_H

#include "flow/engine.h"
#include "serve/bars_index.h"
#include "serve/cache.h"
#include "serve/catalog.h"
#include "serve/conn.h"
#include "serve/figures.h"
#include "serve/http.h"
#include "serve/route.h"
#include "serve/wait.h"

#include <pthread.h>
#include <stdatomic.h>
#include <zlib.h>

struct event;
struct event_base;
struct evhttp;
struct evhttp_bound_socket;

/* Read once at the start, then constant. */
struct pt_http_settings {
    const char *bind, *cors; /* of the configuration of the start */
    bool cors_on, protect_reads;
    unsigned port, nthreads, max_connections;
    int64_t request_us, idle_us;
    int64_t max_body, max_header, cache_bytes;
    bool lists, data; /* which names a list gets */
    char *token;      /* NULL = none */
};

struct pt_http {
    struct pt_engine *engine;
    struct pt_store *store;
    struct pt_conf *conf; /* a ref: that of the start */
    struct pt_http_settings set;
    int64_t started_us;
    unsigned nthreads; /* that run */
    struct pt_thread *threads;
    atomic_uint connections;
    atomic_bool stopping;
    atomic_uint_fast64_t refused, timeouts; /* connections over the cap; slow requests cut */
};

struct pt_thread {
    struct pt_http *http;
    unsigned index;
    pthread_t id;
    bool started, stopping;
    bool deaf, told;    /* accepting failed: tried again at the next sweep; logged */
    int64_t stop_by_us; /* monotonic */
    struct event_base *base;
    struct evhttp *server;
    struct evhttp_bound_socket *bound;
    struct event *adopt, *sweep, *mail;
    struct pt_conns conns;
    struct pt_cache cache;
    struct pt_waits waits;
    struct pt_bars_cache bars;
    struct pt_catalog catalog;
    struct pt_gaps_cache gaps;
    struct pt_query query;
    const struct pt_query_item *extra[PT_QUERY_MAX];
    struct pt_scripts *scripts; /* a reference, of `generation` */
    uint64_t generation;
    struct pt_figures figures;
    char date[32];
    int64_t date_s;
    z_stream deflate;
    bool deflate_ready;
    char *path; /* scratch: decoded path */
    size_t path_cap;
};

/* The live scripts, refreshed when the set changed; borrowed until the next call. NULL: none yet.
 */
struct pt_scripts *pt_thread_scripts(struct pt_thread *thread);

/* After the mailbox was emptied: takes notice of a stop. */
void pt_http_woken(struct pt_thread *thread);

/* Takes a request from evhttp: guards, routes, answers. */
void pt_dispatch(struct evhttp_request *ev, void *thread);

#endif
