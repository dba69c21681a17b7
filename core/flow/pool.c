/* pool.c - worker processes: fed with units, and replaced when they end.       [layer: flow] */
#include "flow/pool_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "store/store.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STOP_US 200000       /* idle workers have to end by themselves */
#define START_FAILURES_MAX 3 /* then nobody is kept waiting any more */
#define AGAIN_MIN_US 50000
#define AGAIN_MAX_US 5000000

/* ---- queues -------------------------------------------------------------------------------- */

static void push_back(struct pt_queue *queue, struct pt_job *job)
{
    job->next = NULL;
    if (queue->last)
        queue->last->next = job;
    else
        queue->first = job;
    queue->last = job;
}

static void push_front(struct pt_queue *queue, struct pt_job *job)
{
    job->next = queue->first;
    queue->first = job;
    if (!queue->last) queue->last = job;
}

static struct pt_job *pop(struct pt_queue *queue)
{
    struct pt_job *job = queue->first;
    if (!job) return NULL;
    queue->first = job->next;
    if (!queue->first) queue->last = NULL;
    job->next = NULL;
    return job;
}

static struct pt_queue *queue_of(struct pt_pool *pool, const struct pt_job *job)
{
    return job->urgent ? &pool->urgent : &pool->normal;
}

static struct pt_job *take_from(struct pt_pool *pool, struct pt_queue *queue)
{
    struct pt_job *job = pop(queue);
    if (job) atomic_fetch_sub_explicit(&pool->queued, 1, memory_order_relaxed);
    return job;
}

void pt_pool_wait(struct pt_pool *pool, struct pt_job *job, bool first)
{
    if (first)
        push_front(queue_of(pool, job), job);
    else
        push_back(queue_of(pool, job), job);
    atomic_fetch_add_explicit(&pool->queued, 1, memory_order_relaxed);
}

void pt_pool_finish(struct pt_pool *pool, struct pt_job *job, const struct pt_err *err)
{
    atomic_fetch_add_explicit(&pool->units, 1, memory_order_relaxed);
    pt_job_finish(job, err);
    if (err)
        pt_job_free(job);
    else
        pt_warm_keep(pool, job);
}

static void fail_waiting(struct pt_pool *pool, struct pt_queue *queue, const struct pt_err *err)
{
    for (struct pt_job *job = take_from(pool, queue); job; job = take_from(pool, queue))
        pt_pool_finish(pool, job, err);
}

/* ---- dispatch ------------------------------------------------------------------------------ */

static bool is_ready(const struct pt_hand *hand)
{
    return hand->ready && hand->set == hand->pool->active && pt_worker_alive(hand->worker);
}

/* Is there anyone who takes such units? */
static bool any_ready(const struct pt_pool *pool, bool urgent)
{
    for (const struct pt_hand *hand = pool->hands; hand; hand = hand->next)
        if ((urgent || !hand->express) && is_ready(hand)) return true;
    return false;
}

static bool express_ready(const struct pt_pool *pool)
{
    for (const struct pt_hand *hand = pool->hands; hand; hand = hand->next)
        if (hand->express && is_ready(hand)) return true;
    return false;
}

static bool only_urgent(const struct pt_hand *hand)
{
    for (unsigned i = 0; i < hand->depth; i++)
        if (!hand->jobs[i]->urgent) return false;
    return true;
}

static bool better(const struct pt_hand *a, const struct pt_hand *b)
{
    return !b || a->depth < b->depth || (a->depth == b->depth && a->express);
}

/* The worker with the least to do, or NULL when all that take such units have enough. */
static struct pt_hand *least_busy(const struct pt_pool *pool, bool urgent)
{
    struct pt_hand *best = NULL;
    bool express = express_ready(pool);
    for (struct pt_hand *hand = pool->hands; hand; hand = hand->next) {
        bool takes = urgent ? hand->express || !express || only_urgent(hand) : !hand->express;
        if (takes && is_ready(hand) && hand->depth < PT_HAND_DEPTH && better(hand, best))
            best = hand;
    }
    return best;
}

/* The next that anyone can take, and who; NULL. */
static struct pt_job *next_waiting(struct pt_pool *pool, struct pt_hand **hand)
{
    if (pool->urgent.first && (*hand = least_busy(pool, true)))
        return take_from(pool, &pool->urgent);
    if (pool->normal.first && (*hand = least_busy(pool, false)))
        return take_from(pool, &pool->normal);
    return NULL;
}

void pt_pool_dispatch(struct pt_pool *pool)
{
    struct pt_hand *hand;
    struct pt_job *job;
    while ((job = next_waiting(pool, &hand))) {
        struct pt_err err;
        enum pt_code rc = PT_OK;
        if (job->scripts != pool->active->scripts)
            rc = pt_job_plan(job, pool->active->scripts, &err);
        if (rc == PT_OK) rc = pt_hand_send(hand, job, &err);
        if (rc != PT_OK)
            pt_pool_finish(pool, job, &err);
        else if (job->sent_len == 0)
            pt_pool_finish(pool, job, NULL); /* nothing of it is live any more */
    }
}

/* ---- workers ------------------------------------------------------------------------------- */

void pt_pool_start_failed(struct pt_pool *pool, const struct pt_err *err)
{
    int64_t wait_us = AGAIN_MIN_US;
    pool->start_failures++;
    pool->start_err = *err;
    for (unsigned i = 1; i < pool->start_failures && wait_us < AGAIN_MAX_US; i++) wait_us *= 2;
    if (wait_us > AGAIN_MAX_US) wait_us = AGAIN_MAX_US;
    pt_log(PT_ERROR, "pool", "worker_not_started", "failures=%u retry_ms=%" PRId64 " error=\"%s\"",
           pool->start_failures, wait_us / 1000, err->text);
    pool->waiting = true;
    pt_timer_start(&pool->again, wait_us);
}

void pt_pool_maintain(struct pt_pool *pool)
{
    struct pt_err err;
    unsigned there = 0;
    bool express = !pool->opts.express;
    if (pool->closing || !pool->active) return;
    for (const struct pt_hand *hand = pool->hands; hand; hand = hand->next) {
        if (hand->set != pool->active || !pt_worker_alive(hand->worker)) continue;
        there += !hand->express;
        express = express || hand->express;
    }
    for (; there < pool->active->limits.count && !pool->waiting; there++)
        if (pt_hand_start(pool, pool->active, PT_ROLE_MANY, &err) != PT_OK)
            pt_pool_start_failed(pool, &err);
    if (!express && !pool->waiting &&
        pt_hand_start(pool, pool->active, PT_ROLE_EXPRESS, &err) != PT_OK)
        pt_pool_start_failed(pool, &err);
    bool failing = pool->start_failures >= START_FAILURES_MAX;
    if (failing && !any_ready(pool, true)) fail_waiting(pool, &pool->urgent, &pool->start_err);
    if (failing && !any_ready(pool, false)) fail_waiting(pool, &pool->normal, &pool->start_err);
    pt_pool_dispatch(pool);
}

static void on_again(void *arg)
{
    struct pt_pool *pool = arg;
    pool->waiting = false;
    pt_pool_maintain(pool);
}

void pt_pool_limits(struct pt_pool *pool, const struct pt_pool_limits *limits)
{
    pool->limits = *limits;
    if (pool->limits.count > 0) return;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    pool->limits.count = cores > 0 ? (unsigned)cores : 1;
}

/* ---- the pool ------------------------------------------------------------------------------ */

enum pt_code pt_pool_new(struct event_base *base, const struct pt_pool_opts *opts,
                         struct pt_pool **out, struct pt_err *err)
{
    *out = NULL;
    struct pt_pool *pool = calloc(1, sizeof *pool);
    if (!pool) return pt_fail(err, PT_ENOMEM, "worker pool");
    pool->base = base;
    pool->opts = *opts;
    pool->worker = strdup(opts->worker);
    pool->store = strdup(opts->store);
    pt_pool_limits(pool, &opts->limits);
    enum pt_code rc = pool->worker && pool->store ? PT_OK : pt_fail(err, PT_ENOMEM, "worker pool");
    if (rc == PT_OK) rc = pt_timer_init(&pool->again, base, on_again, pool, err);
    if (rc == PT_OK) rc = pt_timer_init(&pool->express, base, pt_load_express_late, pool, err);
    if (rc == PT_OK)
        *out = pool;
    else
        pt_pool_free(pool);
    return rc;
}

void pt_pool_stop(struct pt_pool *pool)
{
    struct pt_err err;
    if (pool->closing) return;
    pt_fail(&err, PT_ECANCEL, "the engine is stopping");
    pool->closing = true;
    pt_timer_stop(&pool->again);
    pt_timer_stop(&pool->express);
    for (struct pt_hand *hand = pool->hands; hand; hand = hand->next)
        if (hand->depth > 0)
            pt_worker_kill(hand->worker, "is not needed any more");
        else
            pt_worker_leave(hand->worker); /* it gives its place in the store back */
    int64_t until_us = pt_mono_us() + STOP_US;
    while (pool->hands) {
        struct pt_hand *hand = pool->hands;
        pt_hand_unlink(hand);
        pt_worker_wait(hand->worker, until_us);
        for (unsigned i = 0; i < hand->depth; i++) pt_pool_finish(pool, hand->jobs[i], &err);
        pt_hand_free(hand);
    }
    fail_waiting(pool, &pool->urgent, &err);
    fail_waiting(pool, &pool->normal, &err);
    if (pool->opts.handle) pt_store_reap_readers(pool->opts.handle);
}

void pt_pool_free(struct pt_pool *pool)
{
    if (!pool) return;
    pt_pool_stop(pool);
    pt_set_unref(pool->active);
    pt_set_unref(pool->loading);
    pt_warm_fini(pool->recent);
    pt_timer_fini(&pool->again);
    pt_timer_fini(&pool->express);
    free(pool->worker);
    free(pool->store);
    pt_strikes_fini(&pool->strikes);
    free(pool);
}

enum pt_code pt_pool_submit(struct pt_pool *pool, const struct pt_unit *unit, pt_unit_fn fn,
                            void *arg, struct pt_err *err)
{
    struct pt_job *job = NULL;
    if (pool->closing) return pt_fail(err, PT_ECANCEL, "the engine is stopping");
    if (!pool->active) return pt_fail(err, PT_EBUSY, "no scripts are loaded yet");
    if (pool->start_failures >= START_FAILURES_MAX && !any_ready(pool, unit->urgent)) {
        if (err) *err = pool->start_err;
        return pool->start_err.code;
    }
    enum pt_code rc = pt_job_new(unit, pool->active->scripts, &job, err);
    if (rc != PT_OK) return rc;
    job->fn = fn;
    job->arg = arg;
    pt_pool_wait(pool, job, false);
    pt_pool_dispatch(pool);
    return PT_OK;
}

void pt_pool_stats(const struct pt_pool *pool, struct pt_pool_stats *stats)
{
    stats->workers = atomic_load_explicit(&pool->workers, memory_order_relaxed);
    stats->busy = atomic_load_explicit(&pool->busy, memory_order_relaxed);
    stats->queued = atomic_load_explicit(&pool->queued, memory_order_relaxed);
    stats->units = atomic_load_explicit(&pool->units, memory_order_relaxed);
    stats->deaths = atomic_load_explicit(&pool->deaths, memory_order_relaxed);
    stats->retries = atomic_load_explicit(&pool->retries, memory_order_relaxed);
    stats->quarantines = atomic_load_explicit(&pool->quarantines, memory_order_relaxed);
}
