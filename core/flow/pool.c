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

#define LOAD_MARGIN_US 5000000
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

static struct pt_job *take_waiting(struct pt_pool *pool)
{
    struct pt_job *job = pop(&pool->urgent);
    if (!job) job = pop(&pool->normal);
    if (job) atomic_fetch_sub_explicit(&pool->queued, 1, memory_order_relaxed);
    return job;
}

static void put_waiting(struct pt_pool *pool, struct pt_job *job, bool first)
{
    if (first)
        push_front(queue_of(pool, job), job);
    else
        push_back(queue_of(pool, job), job);
    atomic_fetch_add_explicit(&pool->queued, 1, memory_order_relaxed);
}

static void finish(struct pt_pool *pool, struct pt_job *job, const struct pt_err *err)
{
    atomic_fetch_add_explicit(&pool->units, 1, memory_order_relaxed);
    pt_job_finish(job, err);
    pt_job_free(job);
}

static void fail_waiting(struct pt_pool *pool, const struct pt_err *err)
{
    for (struct pt_job *job = take_waiting(pool); job; job = take_waiting(pool))
        finish(pool, job, err);
}

/* ---- dispatch ------------------------------------------------------------------------------ */

/* The worker with the least to do, or NULL when all have enough. */
static struct pt_hand *least_busy(const struct pt_pool *pool)
{
    struct pt_hand *best = NULL;
    for (struct pt_hand *hand = pool->hands; hand; hand = hand->next)
        if (hand->ready && hand->set == pool->active && hand->depth < PT_HAND_DEPTH &&
            pt_worker_alive(hand->worker) && (!best || hand->depth < best->depth))
            best = hand;
    return best;
}

static void set_deadline(struct pt_hand *hand)
{
    int64_t allowed_us = 0;
    if (hand->depth > 0)
        allowed_us = pt_job_allowance_us(hand->jobs[0], hand->pool->opts.call_budget_us);
    pt_worker_deadline(hand->worker, allowed_us);
}

static enum pt_code send_job(struct pt_hand *hand, struct pt_job *job, struct pt_err *err)
{
    struct pt_pool *pool = hand->pool;
    enum pt_code rc = PT_OK;
    bson_t request = BSON_INITIALIZER;
    if (job->scripts != pool->active->scripts) rc = pt_job_plan(job, pool->active->scripts, err);
    job->id = pool->next_id++;
    if (rc == PT_OK) rc = pt_job_request(job, &request, err);
    if (rc == PT_OK && job->sent_len > 0) {
        rc = pt_worker_send(hand->worker, &request, err);
        if (rc == PT_OK) {
            hand->jobs[hand->depth++] = job;
            if (hand->depth == 1) {
                atomic_fetch_add_explicit(&pool->busy, 1, memory_order_relaxed);
                set_deadline(hand);
            }
        }
    }
    bson_destroy(&request);
    return rc;
}

static void dispatch(struct pt_pool *pool)
{
    struct pt_hand *hand;
    struct pt_job *job;
    while ((pool->urgent.first || pool->normal.first) && (hand = least_busy(pool)) &&
           (job = take_waiting(pool))) {
        struct pt_err err;
        enum pt_code rc = send_job(hand, job, &err);
        if (rc != PT_OK)
            finish(pool, job, &err);
        else if (job->sent_len == 0)
            finish(pool, job, NULL); /* nothing of it is live any more */
    }
}

/* ---- workers ------------------------------------------------------------------------------- */

static void unlink_hand(struct pt_hand *hand)
{
    struct pt_hand **at = &hand->pool->hands;
    while (*at != hand) at = &(*at)->next;
    *at = hand->next;
    atomic_fetch_sub_explicit(&hand->pool->workers, 1, memory_order_relaxed);
    if (hand->depth > 0) atomic_fetch_sub_explicit(&hand->pool->busy, 1, memory_order_relaxed);
}

static void free_hand(struct pt_hand *hand)
{
    pt_worker_free(hand->worker);
    pt_set_unref(hand->set);
    free(hand->index);
    free(hand);
}

void pt_hand_leave_if_old(struct pt_hand *hand)
{
    if (hand->set != hand->pool->active && hand->set != hand->pool->loading && hand->depth == 0)
        pt_worker_leave(hand->worker);
}

static void on_answer(struct pt_hand *hand, const bson_t *doc)
{
    struct pt_pool *pool = hand->pool;
    struct pt_err err;
    const char *op = "";
    if (hand->depth == 0 || !pt_doc_text(doc, "op", &op) || strcmp(op, "done") != 0) {
        pt_worker_kill(hand->worker, "spoke without being asked");
        return;
    }
    struct pt_job *job = hand->jobs[0];
    if (pt_job_answer(job, doc, &err) != PT_OK) {
        pt_worker_kill(hand->worker, err.text); /* its job is seen to when it is gone */
        return;
    }
    hand->depth--;
    memmove(&hand->jobs[0], &hand->jobs[1], hand->depth * sizeof hand->jobs[0]);
    if (hand->depth == 0) atomic_fetch_sub_explicit(&pool->busy, 1, memory_order_relaxed);
    set_deadline(hand);
    if (pt_job_done(job))
        finish(pool, job, NULL);
    else
        put_waiting(pool, job, true);
    pt_hand_leave_if_old(hand);
    dispatch(pool);
}

static void on_message(void *arg, struct pt_worker *worker, const bson_t *doc)
{
    struct pt_hand *hand = arg;
    if (hand->ready) {
        on_answer(hand, doc);
        return;
    }
    pt_worker_deadline(worker, 0);
    if (!pt_load_answered(hand, doc)) return;
    hand->ready = true;
    if (hand->set == hand->pool->active) hand->pool->start_failures = 0;
    pt_hand_leave_if_old(hand);
    pt_pool_maintain(hand->pool);
}

static void log_death(const struct pt_hand *hand, const struct pt_job *job, const char *culprit,
                      const char *words)
{
    char period[PT_PERIOD_TEXT_MAX], as_of[PT_TIME_TEXT_MAX] = "newest";
    if (!job) {
        pt_log(PT_WARN, "pool", "worker_died", "pid=%d words=\"%s\"",
               (int)pt_worker_pid(hand->worker), words);
        return;
    }
    pt_period_print(job->period_us, period);
    if (job->as_of_us != INT64_MAX) pt_time_print(job->as_of_us, as_of);
    pt_log(PT_WARN, "pool", "worker_died", "script=%s symbol=%s period=%s as_of=%s words=\"%s\"",
           culprit ? culprit : "?", job->symbol, period, as_of, words);
}

/* The unit a dead worker was at: tried again without the culprit, once more as it is, or given up.
 */
static void settle_death(struct pt_hand *hand, const struct pt_death *death)
{
    struct pt_pool *pool = hand->pool;
    struct pt_job *job = hand->jobs[0];
    struct pt_err err;
    char words[240];
    const char *culprit = NULL;
    if (death->budget)
        snprintf(words, sizeof words, "ran over its time budget of %" PRId64 " ms",
                 pool->opts.call_budget_us / 1000);
    else
        snprintf(words, sizeof words, "its worker %s", death->words);
    size_t at = death->phase == PT_PHASE_RUN ? death->script : SIZE_MAX;
    bool goes_on = pt_job_died(job, at, death->outside, words, &culprit);
    log_death(hand, job, culprit, words);
    atomic_fetch_add_explicit(&pool->retries, 1, memory_order_relaxed);
    if (pt_job_done(job)) {
        finish(pool, job, NULL);
    } else if (goes_on) {
        put_waiting(pool, job, true);
    } else {
        pt_fail(&err, PT_ESCRIPT, "%u workers ended over this unit, the last one %s", job->tries,
                death->words);
        finish(pool, job, &err);
    }
}

static void on_gone(void *arg, struct pt_worker *worker, const struct pt_death *death)
{
    (void)worker;
    struct pt_hand *hand = arg;
    struct pt_pool *pool = hand->pool;
    unlink_hand(hand);
    if (pool->opts.handle) pt_store_reap_readers(pool->opts.handle);
    bool wanted = !death->asked && (hand->set == pool->active || hand->set == pool->loading);
    if (hand->depth > 0 || (wanted && hand->ready))
        atomic_fetch_add_explicit(&pool->deaths, 1, memory_order_relaxed);
    /* what it had not begun goes back in front, in its order */
    while (hand->depth > 1) {
        struct pt_job *job = hand->jobs[--hand->depth];
        job->tries--;
        put_waiting(pool, job, true);
    }
    if (hand->depth > 0)
        settle_death(hand, death);
    else if (!hand->ready)
        pt_load_died(hand, death);
    else if (wanted)
        log_death(hand, NULL, NULL, death->words);
    free_hand(hand);
    pt_pool_maintain(pool);
}

static const struct pt_worker_events events = { .message = on_message, .gone = on_gone };

enum pt_code pt_hand_start(struct pt_pool *pool, struct pt_set *set, struct pt_err *err)
{
    const struct pt_load_params params = { .store = pool->store,
                                           .benchmark = pool->benchmark,
                                           .call_budget_us = pool->opts.call_budget_us,
                                           .load_budget_us = pool->opts.load_budget_us,
                                           .memory_bytes = pool->opts.memory_bytes };
    enum pt_code rc = PT_OK;
    bson_t request = BSON_INITIALIZER;
    struct pt_hand *hand = calloc(1, sizeof *hand);
    if (hand) hand->index = calloc(set->registry.n + 1, sizeof *hand->index);
    if (!hand || !hand->index) {
        free(hand);
        bson_destroy(&request);
        return pt_fail(err, PT_ENOMEM, "worker");
    }
    hand->pool = pool;
    hand->set = set;
    set->refs++;
    rc = pt_registry_message(&set->registry, &params, &request, hand->index, &hand->index_len, err);
    if (rc == PT_OK)
        rc = pt_worker_start(pool->base, pool->worker, &events, hand, &hand->worker, err);
    if (rc == PT_OK) rc = pt_worker_send(hand->worker, &request, err);
    bson_destroy(&request);
    if (rc != PT_OK) {
        free_hand(hand);
        return rc;
    }
    pt_worker_deadline(hand->worker,
                       (int64_t)hand->index_len * pool->opts.load_budget_us + LOAD_MARGIN_US);
    hand->next = pool->hands;
    pool->hands = hand;
    atomic_fetch_add_explicit(&pool->workers, 1, memory_order_relaxed);
    return PT_OK;
}

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

static bool any_ready(const struct pt_pool *pool)
{
    for (const struct pt_hand *hand = pool->hands; hand; hand = hand->next)
        if (hand->ready && hand->set == pool->active && pt_worker_alive(hand->worker)) return true;
    return false;
}

void pt_pool_maintain(struct pt_pool *pool)
{
    struct pt_err err;
    unsigned there = 0;
    if (pool->closing || !pool->active) return;
    for (const struct pt_hand *hand = pool->hands; hand; hand = hand->next)
        if (hand->set == pool->active && pt_worker_alive(hand->worker)) there++;
    for (; there < pool->opts.count && !pool->waiting; there++)
        if (pt_hand_start(pool, pool->active, &err) != PT_OK) pt_pool_start_failed(pool, &err);
    if (pool->start_failures >= START_FAILURES_MAX && !any_ready(pool))
        fail_waiting(pool, &pool->start_err);
    dispatch(pool);
}

static void on_again(void *arg)
{
    struct pt_pool *pool = arg;
    pool->waiting = false;
    pt_pool_maintain(pool);
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
    pool->benchmark = strdup(opts->benchmark);
    if (pool->opts.count == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        pool->opts.count = cores > 0 ? (unsigned)cores : 1;
    }
    enum pt_code rc = pool->worker && pool->store && pool->benchmark
                          ? PT_OK
                          : pt_fail(err, PT_ENOMEM, "worker pool");
    if (rc == PT_OK) rc = pt_timer_init(&pool->again, base, on_again, pool, err);
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
    for (struct pt_hand *hand = pool->hands; hand; hand = hand->next)
        if (hand->depth > 0)
            pt_worker_kill(hand->worker, "is not needed any more");
        else
            pt_worker_leave(hand->worker); /* it gives its place in the store back */
    int64_t until_us = pt_mono_us() + STOP_US;
    while (pool->hands) {
        struct pt_hand *hand = pool->hands;
        unlink_hand(hand);
        pt_worker_wait(hand->worker, until_us);
        for (unsigned i = 0; i < hand->depth; i++) finish(pool, hand->jobs[i], &err);
        free_hand(hand);
    }
    fail_waiting(pool, &err);
    if (pool->opts.handle) pt_store_reap_readers(pool->opts.handle);
}

void pt_pool_free(struct pt_pool *pool)
{
    if (!pool) return;
    pt_pool_stop(pool);
    pt_set_unref(pool->active);
    pt_set_unref(pool->loading);
    pt_timer_fini(&pool->again);
    free(pool->worker);
    free(pool->store);
    free(pool->benchmark);
    free(pool);
}

enum pt_code pt_pool_submit(struct pt_pool *pool, const struct pt_unit *unit, pt_unit_fn fn,
                            void *arg, struct pt_err *err)
{
    struct pt_job *job = NULL;
    if (pool->closing) return pt_fail(err, PT_ECANCEL, "the engine is stopping");
    if (!pool->active) return pt_fail(err, PT_EBUSY, "no scripts are loaded yet");
    if (pool->start_failures >= START_FAILURES_MAX && !any_ready(pool)) {
        if (err) *err = pool->start_err;
        return pool->start_err.code;
    }
    enum pt_code rc = pt_job_new(unit, pool->active->scripts, &job, err);
    if (rc != PT_OK) return rc;
    job->fn = fn;
    job->arg = arg;
    put_waiting(pool, job, false);
    dispatch(pool);
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
}
