/* shadow.h - what a changed script gives on stored windows before it goes live. [layer: flow]
 * Private to the pool.
 *
 * The worker that goes first runs the scripts that are new or changed on the newest window of a few
 * real series. Nothing of it is stored or counted. A result with status "error", or the end of the
 * worker, fails the script. */
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

struct pt_shadow {
    struct pt_scripts *scripts; /* a ref: a snapshot with counters of its own */
    size_t n, next;
    struct pt_shadow_unit *v; /* owned */
    struct pt_job *job;       /* a unit that is to go on with another worker */
    bool failed;              /* a script did */
    bool no_memory;           /* for a trial */
    size_t ntrials;
    struct pt_trial *trials; /* owned; only where a set is tried */
};

#endif
