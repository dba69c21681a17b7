/* shadow.h - what a changed script gives on stored windows before it goes live. [layer: flow]
 * Private to the pool.
 *
 * The worker that goes first runs the scripts that give something else than before (new, changed,
 * with other parameters, and whatever needs them) on the newest window of a few real series.
 * Nothing of it is stored or counted. A result with status "error", or the end of the worker, fails
 * the script that answers for it (blame.c). */
#ifndef PT_SHADOW_H
#define PT_SHADOW_H

#include "flow/pool.h"

#define PT_SHADOW_SYMBOLS 3 /* by name, and the benchmark */
#define PT_SHADOW_PERIODS 2 /* of each script, the shortest it is scheduled at */

struct pt_shadow_unit {
    char symbol[PT_SYMBOL_MAX];
    int64_t period_us;
    size_t n;
    size_t *scripts; /* owned: places in the snapshot */
};

struct pt_pool;

struct pt_shadow {
    struct pt_pool *pool;       /* borrowed */
    struct pt_scripts *scripts; /* a ref: a snapshot with counters of its own */
    uint8_t *fresh;             /* owned: [scripts->n] 1 = it is tried */
    size_t n, next;
    struct pt_shadow_unit *v; /* owned */
    struct pt_job *job;       /* a unit that is to go on with another worker */
    bool failed;              /* a script did */
    struct pt_err refused;    /* code PT_OK, or why the configuration cannot be in force */
    bool no_memory;           /* for a trial */
    size_t ntrials;
    struct pt_trial *trials; /* owned; only where a set is tried */
};

/* A script that failed on a stored window. */
struct pt_failure {
    const char *name, *symbol;
    int64_t period_us;
    const bson_t *doc; /* its result, or NULL: it ended its worker */
    const char *words; /* how that ended; NULL with a result */
};

#endif
