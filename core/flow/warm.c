/* warm.c - a new express worker is asked what people asked for lately.         [layer: flow]
 *
 *     urgent unit, answered well ──> kept ──> a reload: asked of the new express worker ──> live
 *
 * A worker reads its windows and compiles its scripts at the first call, which takes twice as long
 * as the next. The old express worker answers meanwhile, so nobody waits for it. What these units
 * give is dropped, and what becomes of them judges nobody: the set has passed. */
#include "flow/pool_internal.h"

#include "base/clock.h"
#include "base/timefmt.h"

#define LATELY_US PT_US_HOUR /* answers that are kept are asked of nobody meanwhile */
#define WARM_US 500000       /* no further unit is begun after this */

static void drop_answer(void *arg, const struct pt_unit_result *results, size_t n,
                        const struct pt_err *err)
{
    (void)arg;
    (void)results;
    (void)n;
    (void)err;
}

/* Takes the job, into its place by age: the newest first. */
static void keep(struct pt_pool *pool, struct pt_job *job)
{
    struct pt_job **kept = pool->recent;
    size_t at = 0;
    while (at < PT_RECENT - 1 && kept[at] && !pt_job_alike(kept[at], job)) at++;
    /* the same, none, or the oldest */
    if (kept[at] && kept[at]->now_us > job->now_us) {
        pt_job_free(job);
        return;
    }
    pt_job_free(kept[at]);
    for (; at > 0 && kept[at - 1]->now_us < job->now_us; at--) kept[at] = kept[at - 1];
    kept[at] = job;
}

void pt_warm_keep(struct pt_pool *pool, struct pt_job *job)
{
    bool good = pool->opts.express && job->urgent && job->inspect == PT_INSPECT_NONE &&
                job->tries == 1; /* else it has ended a worker */
    for (size_t i = 0; i < job->items_len; i++) good = good && !job->items[i].broken;
    if (!good) {
        pt_job_free(job);
        return;
    }
    pt_job_forget(job);
    job->tries = 0;
    job->fn = drop_answer;
    job->as_of_us = INT64_MAX; /* of all windows the newest is the one that will be asked for */
    keep(pool, job);
}

void pt_warm_fini(struct pt_job *jobs[PT_RECENT])
{
    for (size_t i = 0; i < PT_RECENT; i++) {
        pt_job_free(jobs[i]);
        jobs[i] = NULL;
    }
}

static void end(struct pt_pool *pool, struct pt_set *set)
{
    for (size_t i = 0; i < PT_RECENT; i++) {
        if (set->warm[i]) keep(pool, set->warm[i]); /* its time has not come */
        set->warm[i] = NULL;
    }
    pt_scripts_unref(set->warm_scripts);
    set->warm_scripts = NULL;
    if (pool->loading == set) pt_load_live(pool, set); /* else it was late */
}

/* The next unit that the worker can be asked, the newest first; false: there is none. */
static bool next(struct pt_hand *hand)
{
    struct pt_set *set = hand->set;
    struct pt_err err;
    while (set->warmed < PT_RECENT && set->warm[set->warmed] && pt_mono_us() < set->warm_until_us) {
        struct pt_job *job = set->warm[set->warmed];
        set->warm[set->warmed++] = NULL;
        if (pt_job_plan(job, set->warm_scripts, &err) == PT_OK &&
            pt_hand_send(hand, job, &err) == PT_OK && job->sent_len > 0)
            return true;
        pt_job_free(job); /* what it asked for is not in this set */
    }
    return false;
}

/* What was asked for lately is the set's now. */
static void take_recent(struct pt_pool *pool, struct pt_set *set)
{
    int64_t since_us = pt_now_us() - LATELY_US;
    for (size_t i = 0, n = 0; i < PT_RECENT && pool->recent[i]; i++) {
        if (pool->recent[i]->now_us >= since_us)
            set->warm[n++] = pool->recent[i];
        else
            pt_job_free(pool->recent[i]);
        pool->recent[i] = NULL;
    }
}

void pt_warm_begin(struct pt_hand *hand)
{
    struct pt_pool *pool = hand->pool;
    struct pt_set *set = hand->set;
    struct pt_err err;
    take_recent(pool, set);
    set->warm_until_us = pt_mono_us() + WARM_US;
    if (!set->warm[0] ||
        pt_registry_snapshot(&set->registry, NULL, pool->generation + 1, &set->warm_scripts,
                             &err) != PT_OK ||
        !next(hand))
        end(pool, set);
}

void pt_warm_answered(struct pt_hand *hand)
{
    struct pt_pool *pool = hand->pool;
    struct pt_set *set = hand->set;
    pt_warm_keep(pool, pt_hand_take(hand));
    bool late = pool->loading != set;
    if (!late && next(hand)) return;
    end(pool, set);
    if (late) pt_hand_ready(hand);
}

void pt_warm_died(struct pt_hand *hand)
{
    pt_job_free(hand->jobs[0]);
    end(hand->pool, hand->set);
}
