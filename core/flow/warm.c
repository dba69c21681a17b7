/* warm.c - a new express worker is asked what people asked for lately.         [layer: flow]
 *
 *     urgent unit, answered ──> kept ──> a reload: asked of the new express worker ──> live
 *
 * A worker reads its windows and compiles its scripts at the first call, which takes several times
 * as long as the next. The old express worker answers meanwhile, so nobody waits for it. What these
 * units give is dropped, and what becomes of them judges nobody: the set has passed. */
#include "base/clock.h"
#include "base/log.h"
#include "flow/pool_internal.h"

#include <string.h>

#define WARM_US 500000 /* later no further unit is begun */

static void drop_answer(void *arg, const struct pt_unit_result *results, size_t n,
                        const struct pt_err *err)
{
    (void)arg;
    (void)results;
    (void)n;
    (void)err;
}

void pt_warm_keep(struct pt_pool *pool, struct pt_job *job)
{
    struct pt_job **kept = pool->recent;
    size_t i = 0;
    if (!pool->opts.express || !job->urgent || job->inspect != PT_INSPECT_NONE || job->tries != 1) {
        pt_job_free(job);
        return;
    }
    pt_job_forget(job);
    job->tries = 0;
    job->fn = drop_answer;
    while (i < PT_RECENT - 1 && kept[i] && !pt_job_alike(kept[i], job)) i++;
    pt_job_free(kept[i]); /* the same, or the oldest */
    memmove(&kept[1], &kept[0], i * sizeof *kept);
    kept[0] = job;
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
    pt_warm_fini(set->warm); /* there was no time for them */
    pt_scripts_unref(set->warm_scripts);
    set->warm_scripts = NULL;
    pt_load_live(pool, set);
}

/* The next unit that the worker can be asked; false: there is none. */
static bool next(struct pt_hand *hand)
{
    struct pt_set *set = hand->set;
    struct pt_err err;
    while (set->nwarm > 0 && pt_mono_us() < set->warm_until_us) {
        struct pt_job *job = set->warm[--set->nwarm];
        set->warm[set->nwarm] = NULL;
        if (pt_job_plan(job, set->warm_scripts, &err) == PT_OK &&
            pt_hand_send(hand, job, &err) == PT_OK && job->sent_len > 0)
            return true;
        pt_job_free(job); /* what it asked for is not in this set */
    }
    return false;
}

void pt_warm_begin(struct pt_hand *hand)
{
    struct pt_pool *pool = hand->pool;
    struct pt_set *set = hand->set;
    struct pt_err err;
    while (set->nwarm < PT_RECENT && pool->recent[set->nwarm]) {
        set->warm[set->nwarm] = pool->recent[set->nwarm];
        pool->recent[set->nwarm++] = NULL;
    }
    set->warm_until_us = pt_mono_us() + WARM_US;
    if (set->nwarm == 0 ||
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
    if (pool->loading == set && !next(hand)) end(pool, set);
}

void pt_warm_died(struct pt_hand *hand, const struct pt_death *death)
{
    struct pt_pool *pool = hand->pool;
    pt_log(PT_WARN, "pool", "worker_died", "at=warming words=\"%s\"", death->words);
    pt_job_free(hand->jobs[0]);
    if (pool->loading == hand->set) end(pool, hand->set);
}
