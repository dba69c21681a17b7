/* hand.c - a worker as the pool sees it: started, given units, and what becomes of them when it
 * ends. [layer: flow] */
#include "base/log.h"
#include "base/timefmt.h"
#include "flow/pool_internal.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LOAD_MARGIN_US 5000000
#define CHECK_US 2000000 /* the check of one script may take, at least */

/* ---- units --------------------------------------------------------------------------------- */

static void set_deadline(struct pt_hand *hand)
{
    int64_t allowed_us = 0;
    if (hand->depth > 0)
        allowed_us = pt_job_allowance_us(hand->jobs[0], hand->set->limits.call_budget_us);
    pt_worker_deadline(hand->worker, allowed_us);
}

enum pt_code pt_hand_send(struct pt_hand *hand, struct pt_job *job, struct pt_err *err)
{
    struct pt_pool *pool = hand->pool;
    bson_t request = BSON_INITIALIZER;
    job->id = pool->next_id++;
    enum pt_code rc = pt_job_request(job, &request, err);
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

struct pt_job *pt_hand_take(struct pt_hand *hand)
{
    struct pt_job *job = hand->jobs[0];
    hand->depth--;
    memmove(&hand->jobs[0], &hand->jobs[1], hand->depth * sizeof hand->jobs[0]);
    if (hand->depth == 0) atomic_fetch_sub_explicit(&hand->pool->busy, 1, memory_order_relaxed);
    set_deadline(hand);
    return job;
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
    if (pt_job_answer(hand->jobs[0], doc, &err) != PT_OK) {
        pt_worker_kill(hand->worker, err.text); /* its job is seen to when it is gone */
        return;
    }
    if (!hand->ready) {
        if (hand->express)
            pt_warm_answered(hand);
        else
            pt_shadow_answered(hand, doc);
        return;
    }
    struct pt_job *job = pt_hand_take(hand);
    if (pt_job_done(job))
        pt_pool_finish(pool, job, NULL);
    else
        pt_pool_wait(pool, job, true);
    pt_hand_leave_if_old(hand);
    pt_pool_dispatch(pool);
}

static void on_message(void *arg, struct pt_worker *worker, const bson_t *doc)
{
    struct pt_hand *hand = arg;
    if (hand->loaded) {
        on_answer(hand, doc);
        return;
    }
    pt_worker_deadline(worker, 0);
    pt_load_answered(hand, doc);
}

void pt_hand_ready(struct pt_hand *hand)
{
    hand->ready = true;
    /* while it loads it must not come before those who answer */
    if (hand->express) pt_worker_prompt(hand->worker);
    if (hand->set == hand->pool->active) hand->pool->start_failures = 0;
    pt_hand_leave_if_old(hand);
    pt_pool_maintain(hand->pool);
}

void pt_hand_leave_if_old(struct pt_hand *hand)
{
    if (hand->set != hand->pool->active && hand->set != hand->pool->loading && hand->depth == 0)
        pt_worker_leave(hand->worker);
}

/* ---- ends ---------------------------------------------------------------------------------- */

void pt_hand_unlink(struct pt_hand *hand)
{
    struct pt_hand **at = &hand->pool->hands;
    while (*at != hand) at = &(*at)->next;
    *at = hand->next;
    atomic_fetch_sub_explicit(&hand->pool->workers, 1, memory_order_relaxed);
    if (hand->depth > 0) atomic_fetch_sub_explicit(&hand->pool->busy, 1, memory_order_relaxed);
}

void pt_hand_free(struct pt_hand *hand)
{
    pt_worker_free(hand->worker);
    pt_set_unref(hand->set);
    free(hand->index);
    free(hand);
}

void pt_death_words(const struct pt_death *death, int64_t budget_us, char *out, size_t room)
{
    if (death->budget)
        snprintf(out, room, "ran over its time budget of %" PRId64 " ms", budget_us / 1000);
    else
        snprintf(out, room, "its worker %s", death->words);
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
           culprit ? culprit : "?", *job->symbol ? job->symbol : "market", period, as_of, words);
}

/* Only of the engine's own rounds: what is asked for in between, on windows and with parameters
 * that readers choose, must not switch a script off. */
static void count_strike(struct pt_hand *hand, const struct pt_job *job,
                         const struct pt_job_item *culprit, const char *words)
{
    struct pt_pool *pool = hand->pool;
    if (job->urgent || !culprit->script || !pt_job_in_force(job, culprit)) return;
    const char *hash = culprit->script->source->hash;
    if (pt_strikes_add(&pool->strikes, hash, words) && pool->active)
        pt_load_quarantine(pool, pool->active, hash);
}

/* The unit a dead worker was at: tried again without the culprit, once more as it is, or given up.
 */
static void settle_death(struct pt_hand *hand, const struct pt_death *death)
{
    struct pt_pool *pool = hand->pool;
    struct pt_job *job = hand->jobs[0];
    struct pt_err err;
    char words[240];
    const struct pt_job_item *culprit = NULL;
    pt_death_words(death, pt_job_budget_us(job, hand->set->limits.call_budget_us), words,
                   sizeof words);
    if (death->budget && death->phase == PT_PHASE_IDLE) /* no script ran: rows were read */
        snprintf(words, sizeof words, "its rows could not be read in time");
    size_t at = death->phase == PT_PHASE_RUN ? death->script : SIZE_MAX;
    bool goes_on = pt_job_died(job, at, death->outside, words, &culprit);
    log_death(hand, job, culprit ? culprit->name : NULL, words);
    if (culprit) count_strike(hand, job, culprit, words);
    atomic_fetch_add_explicit(&pool->retries, 1, memory_order_relaxed);
    if (pt_job_done(job)) {
        pt_pool_finish(pool, job, NULL);
    } else if (goes_on) {
        pt_pool_wait(pool, job, true);
    } else {
        pt_fail(&err, PT_ESCRIPT, "%u workers ended over this unit, the last one %s", job->tries,
                death->words);
        pt_pool_finish(pool, job, &err);
    }
}

static void died_warming(struct pt_hand *hand, const struct pt_death *death)
{
    log_death(hand, hand->jobs[0], NULL, death->words);
    pt_warm_died(hand);
}

static void on_gone(void *arg, struct pt_worker *worker, const struct pt_death *death)
{
    (void)worker;
    struct pt_hand *hand = arg;
    struct pt_pool *pool = hand->pool;
    pt_hand_unlink(hand);
    if (pool->opts.handle) pt_store_reap_readers(pool->opts.handle);
    bool wanted = !death->asked && (hand->set == pool->active || hand->set == pool->loading);
    if ((hand->depth > 0 || wanted) && hand->ready)
        atomic_fetch_add_explicit(&pool->deaths, 1, memory_order_relaxed);
    /* what it had not begun goes back in front, in its order */
    while (hand->depth > 1) {
        struct pt_job *job = hand->jobs[--hand->depth];
        job->tries--;
        pt_pool_wait(pool, job, true);
    }
    if (hand->depth > 0 && hand->ready)
        settle_death(hand, death);
    else if (hand->depth > 0 && hand->express)
        died_warming(hand, death);
    else if (hand->depth > 0)
        pt_shadow_died(hand, hand->jobs[0], death);
    else if (!hand->loaded)
        pt_load_died(hand, death);
    else if (wanted)
        log_death(hand, NULL, NULL, death->words);
    pt_hand_free(hand);
    pt_pool_maintain(pool);
}

/* ---- begins -------------------------------------------------------------------------------- */

static const struct pt_worker_events events = { .message = on_message, .gone = on_gone };

enum pt_code pt_hand_start(struct pt_pool *pool, struct pt_set *set, enum pt_role role,
                           struct pt_err *err)
{
    bool gives_way = pool->opts.give_way && role != PT_ROLE_EXPRESS;
    const struct pt_load_params params = { .store = pool->store,
                                           .benchmark = set->limits.benchmark,
                                           .call_budget_us = set->limits.call_budget_us,
                                           .load_budget_us = set->limits.load_budget_us,
                                           .memory_bytes = set->limits.memory_bytes,
                                           .gives_way = gives_way,
                                           .check = role == PT_ROLE_FIRST && pool->opts.check };
    size_t checks = 0;
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
    hand->express = role == PT_ROLE_EXPRESS;
    set->refs++;
    enum pt_code rc = pt_registry_message(&set->registry, &params, &request, hand->index,
                                          &hand->index_len, &checks, err);
    if (rc == PT_OK)
        rc = pt_worker_start(pool->base, pool->worker, &events, hand, &hand->worker, err);
    if (rc == PT_OK && gives_way) pt_worker_give_way(hand->worker);
    if (rc == PT_OK) rc = pt_worker_send(hand->worker, &request, err);
    bson_destroy(&request);
    if (rc != PT_OK) {
        pt_hand_free(hand);
        return rc;
    }
    /* a check has a budget like that of loading; the worker keeps it itself, this is the second
     * line */
    int64_t check_us =
        set->limits.load_budget_us > CHECK_US ? set->limits.load_budget_us : CHECK_US;
    pt_worker_deadline(hand->worker, (int64_t)hand->index_len * set->limits.load_budget_us +
                                         (int64_t)checks * check_us + LOAD_MARGIN_US);
    hand->next = pool->hands;
    pool->hands = hand;
    atomic_fetch_add_explicit(&pool->workers, 1, memory_order_relaxed);
    return PT_OK;
}
