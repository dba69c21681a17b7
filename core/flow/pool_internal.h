/* pool_internal.h - what pool.c and load.c share.                              [layer: flow] */
#ifndef PT_POOL_INTERNAL_H
#define PT_POOL_INTERNAL_H

#include "flow/job.h"
#include "flow/loop.h"
#include "flow/registry.h"
#include "flow/worker.h"

/* Units a worker has: the one it runs and the next, so that it never waits for us between two. */
#define PT_HAND_DEPTH 2

/* One generation of scripts and the workers that loaded it. Lives until its last worker is gone. */
struct pt_set {
    unsigned refs; /* its hands, and the pool while it is active or loading */
    struct pt_registry registry;
    struct pt_scripts *scripts; /* a ref; NULL until the first worker answered */
    pt_loaded_fn fn;
    void *arg;
    const struct pt_conf *conf; /* borrowed */
    unsigned tries;             /* of starting its first worker, without result */
};

/* A worker as the pool sees it. */
struct pt_hand {
    struct pt_hand *next;
    struct pt_pool *pool;
    struct pt_set *set;
    struct pt_worker *worker;
    bool ready;    /* it has answered to load */
    size_t *index; /* candidates of its load request */
    size_t index_len;
    struct pt_job *jobs[PT_HAND_DEPTH]; /* in the order sent; [0] is under way */
    unsigned depth;
};

struct pt_queue {
    struct pt_job *first, *last;
};

struct pt_pool {
    struct event_base *base;
    char *worker, *store, *benchmark;
    struct pt_pool_opts opts;
    struct pt_hand *hands;
    struct pt_set *active, *loading;
    struct pt_queue urgent, normal;
    uint64_t generation, next_id;
    unsigned start_failures; /* in a row */
    struct pt_err start_err; /* of the last one */
    struct pt_timer again;   /* starts missing workers after a failure */
    bool waiting;            /* the timer runs */
    bool closing;
    atomic_uint workers, busy;
    atomic_size_t queued;
    atomic_uint_fast64_t units, deaths, retries;
};

/* pool.c */
enum pt_code pt_hand_start(struct pt_pool *pool, struct pt_set *set, struct pt_err *err);
void pt_pool_maintain(struct pt_pool *pool); /* starts what is missing, sends what waits */
void pt_pool_start_failed(struct pt_pool *pool, const struct pt_err *err);
void pt_hand_leave_if_old(struct pt_hand *hand);

/* load.c */
void pt_set_unref(struct pt_set *set);
/* A worker answered to its load request. False: the answer was none, the worker has been killed. */
bool pt_load_answered(struct pt_hand *hand, const bson_t *doc);
/* A worker ended before it had answered. */
void pt_load_died(struct pt_hand *hand, const struct pt_death *death);

#endif
