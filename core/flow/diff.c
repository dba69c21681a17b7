/* diff.c - what changed scripts would give, beside what the live ones do.      [layer: flow] */
#include "flow/diff.h"

#include "flow/loop.h"
#include "flow/result.h"

#include <stdlib.h>
#include <string.h>

struct pt_diff {
    struct pt_pool *pool;
    struct pt_outcome *outcome;
    size_t n, next;
    struct pt_trial *trials; /* owned copies */
    struct pt_timer step;    /* goes on from the loop, not from a callback */
    void (*done)(void *arg);
    void *arg;
};

void pt_diff_free(struct pt_diff *diff)
{
    if (!diff) return;
    for (size_t i = 0; i < diff->n; i++) bson_destroy(diff->trials[i].doc);
    pt_timer_fini(&diff->step);
    free(diff->trials);
    free(diff);
}

static void on_unit(void *arg, const struct pt_unit_result *results, size_t n,
                    const struct pt_err *err)
{
    struct pt_diff *diff = arg;
    if (!err && n == 1)
        pt_outcome_compare(diff->outcome, results[0].doc, diff->trials[diff->next - 1].doc);
    pt_timer_start(&diff->step, 0);
}

/* Those without a live version (they are new), or without a bar, have nothing to be compared with.
 */
static bool submit(struct pt_diff *diff, const struct pt_trial *trial)
{
    const char *name = trial->name;
    struct pt_unit unit = { .period_us = trial->period_us, .n = 1, .names = &name };
    memcpy(unit.symbol, trial->symbol, sizeof unit.symbol);
    return pt_result_as_of(trial->doc, &unit.as_of_us) &&
           pt_pool_submit(diff->pool, &unit, on_unit, diff, NULL) == PT_OK;
}

static void on_step(void *arg)
{
    struct pt_diff *diff = arg;
    while (diff->next < diff->n)
        if (submit(diff, &diff->trials[diff->next++])) return;
    diff->done(diff->arg);
}

enum pt_code pt_diff_start(struct event_base *base, struct pt_pool *pool,
                           const struct pt_trial *trials, size_t n, struct pt_outcome *outcome,
                           void (*done)(void *arg), void *arg, struct pt_diff **out,
                           struct pt_err *err)
{
    *out = NULL;
    struct pt_diff *diff = calloc(1, sizeof *diff);
    if (!diff) return pt_fail(err, PT_ENOMEM, "comparing scripts");
    *diff = (struct pt_diff){ .pool = pool, .outcome = outcome, .done = done, .arg = arg };
    diff->trials = calloc(n + 1, sizeof *diff->trials);
    enum pt_code rc = diff->trials ? PT_OK : pt_fail(err, PT_ENOMEM, "comparing scripts");
    for (; rc == PT_OK && diff->n < n; diff->n++) {
        diff->trials[diff->n] = trials[diff->n];
        diff->trials[diff->n].doc = bson_copy(trials[diff->n].doc);
    }
    if (rc == PT_OK) rc = pt_timer_init(&diff->step, base, on_step, diff, err);
    if (rc != PT_OK) {
        pt_diff_free(diff);
        return rc;
    }
    pt_timer_start(&diff->step, 0);
    *out = diff;
    return PT_OK;
}
