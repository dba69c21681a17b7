/* plan.h - which units are due: from what changed in the store, or all.        [layer: flow]
 *
 * A unit is (symbol, period, as_of). The newest one of a series is due when something before its
 * as_of changed; books, which change all the time, make it due only with a closed bar. A symbol
 * that has books and no bars has units for the scripts that look at books alone, as of the last
 * period that ended by its newest book. A stored result of the past is due when its window holds
 * something that changed. Importing history makes no results of the past; its bars are scanned by
 * detectors later (scans.h).
 *
 * The whole market is a unit too, its symbol "": due when candles of any symbol changed. While
 * symbols close one after the other, its newest is put off until all that had the bar before it are
 * there, or the store has settled: else each of them would have it computed again. */
#ifndef PT_PLAN_H
#define PT_PLAN_H

#include "flow/scripts.h"
#include "store/store.h"

struct pt_plan_opts {
    struct pt_scripts *scripts;
    const char *benchmark;
    const char *const *pairs;  /* symbols that have units of their own, ended by NULL; NULL: all */
    bool market;               /* units of the whole market too: always of all symbols */
    unsigned later;            /* of the market: what an earlier plan put off */
    const int64_t *periods_us; /* ended by 0; NULL: all that the scripts ask for */
    int64_t as_of_us;          /* windows end at or before; INT64_MAX: newest */
    bool all;                  /* every newest unit, changed or not */
    const struct pt_scripts *since; /* every newest unit of what differs from this set, and of what
                                       needs it; NULL: nothing is */
    bool marks;                     /* what changed; without it `all` is all there is */
    bool settled; /* also what is still far behind the clock, and probably still being filled */
    int64_t now_us;
};

struct pt_plan_unit {
    char symbol[PT_SYMBOL_MAX];
    int64_t period_us, as_of_us;
    bool newest;
};

/* Closed bars of a symbol that detectors have yet to scan, by their as_of (scans.h). */
struct pt_scan {
    char symbol[PT_SYMBOL_MAX];
    int64_t period_us, from_us, to_us; /* from, inclusive; to, exclusive */
    int64_t next_us;                   /* of a plan that scans: what lies before is in it */
};

struct pt_plan {
    struct pt_scripts *scripts; /* a ref */
    size_t n, cap;
    struct pt_plan_unit *v; /* owned; newest units first, then by period, symbol, as_of */
    uint8_t *wanted;        /* owned; [n * scripts->n]: 1 = this script runs in this unit */
    size_t nmarks;
    struct pt_due *marks; /* owned; to be cleared when all units are stored */
    bool scanning;        /* the units are of `scans`: hits are kept, and no results */
    size_t nscans;
    struct pt_scan *scans; /* owned; closed before the newest bars, and still to be scanned */
    bool waiting;          /* something was left until it has settled */
    /* newest units of the market that were put off: bit i = period i of pt_periods */
    unsigned later;
    struct pt_err
        fault; /* code PT_OK, or what was left out because it is damaged; its mark stays */
};

/* PT_ENOMEM, or what the store says. On failure the plan is empty. */
enum pt_code pt_plan_make(struct pt_store *store, const struct pt_plan_opts *opts,
                          struct pt_plan *plan, struct pt_err *err);
void pt_plan_fini(struct pt_plan *plan);

/* fresh: [scripts->n] 1 = gives something else than in the set `since`, or needs one that does. */
void pt_plan_fresh(const struct pt_scripts *scripts, const struct pt_scripts *since,
                   uint8_t *fresh);

/* Do two sets of parameters in force (NULL: the file's defaults) give the same? */
bool pt_plan_same_params(const bson_t *a, const bson_t *b);

/* Is it a detector that scans each closed bar of this period? */
bool pt_scan_wants(const struct pt_script *script, int64_t period_us);
/* Adds a copy; false: no memory. */
bool pt_plan_add_scan(struct pt_plan *plan, const struct pt_scan *scan);
/* pairs: as in struct pt_plan_opts. */
bool pt_plan_wants_symbol(const char *const *pairs, const char *symbol);

#endif
