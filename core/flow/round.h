/* round.h - the units of a plan: run, their results gathered and stored.       [layer: flow]
 * Lives on the loop of its pool. */
#ifndef PT_ROUND_H
#define PT_ROUND_H

#include "flow/engine.h"
#include "flow/plan.h"
#include "flow/writes.h"

struct pt_round;

struct pt_round_opts {
    struct pt_pool *pool;
    pt_writer_fn write; /* takes the write jobs; NULL: nothing is stored */
    void *write_arg;
    const bson_t *params;    /* of a plan that has one script: what differs from those in force */
    bool clear_marks;        /* the plan's due marks and scans go with the last results */
    pt_progress_fn progress; /* may be NULL */
    void (*failed)(void *arg, const struct pt_plan_unit *unit,
                   const bson_t *doc); /* a result without numbers: pt_result_failed; may be NULL */
    /* Each result, in the order in which they come; unit: its index in the plan. May be NULL. */
    void (*result)(void *arg, size_t unit, const struct pt_unit_result *result);
    void (*done)(void *arg,
                 struct pt_round *round); /* all is stored, or given up; must free the round */
    void *arg;
};

/* Takes the plan (emptied for the caller) also on failure. done is never called from within. */
enum pt_code pt_round_start(struct event_base *base, const struct pt_round_opts *opts,
                            struct pt_plan *plan, struct pt_round **round, struct pt_err *err);
/* Not before done, unless the pool is freed first. Accepts NULL. */
void pt_round_free(struct pt_round *round);

/* Submits no more units; those under way are finished and stored. Async-signal-safe. */
void pt_round_stop(struct pt_round *round);

/* What came of it. err: the first thing that kept units or results from being stored; PT_OK else.
 */
struct pt_round_sums {
    struct pt_cycle_sums cycle;
    uint64_t planned, lost; /* lost: units that gave no results at all */
    struct pt_err err;
    bool stopped;
};
const struct pt_round_sums *pt_round_sums(const struct pt_round *round);
/* Calls fn for each script and period that was computed, sorted by script, period. */
void pt_round_rows(const struct pt_round *round, pt_cycle_row_fn fn, void *arg);

#endif
