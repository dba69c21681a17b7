/* cycle.h - when units are due, and that they are computed then.               [layer: flow]
 * Lives on the loop: looks at the due marks after each commit (also of other processes), and takes
 * everything anew at every interval. */
#ifndef PT_CYCLE_H
#define PT_CYCLE_H

#include "flow/round.h"

struct pt_cycle;

struct pt_cycle_host { /* borrowed things outlive the cycle */
    struct pt_loop *loop;
    struct pt_store *store;
    struct pt_pool *pool;
    pt_writer_fn write;
    void *write_arg;
    const char *benchmark;
    const char *const *pairs; /* ended by NULL; NULL: all */
    int64_t interval_us;
    /* after each round; scanning: of bars that were left to detectors, no cycle */
    void (*ended)(void *arg, const struct pt_round_sums *sums, bool scanning);
    void *arg;
};

enum pt_code pt_cycle_new(const struct pt_cycle_host *host, struct pt_cycle **cycle,
                          struct pt_err *err);
/* After the pool was freed and the writer has stopped. Accepts NULL. */
void pt_cycle_free(struct pt_cycle *cycle);

/* The live set from now on (a ref is taken). What is not as it was in the set before is due, and
 * whatever needs it; with the first set, everything. */
void pt_cycle_scripts(struct pt_cycle *cycle, struct pt_scripts *scripts);
/* From now on: another interval, other pairs, another benchmark, borrowed as those of the host. */
void pt_cycle_settings(struct pt_cycle *cycle, const char *benchmark, const char *const *pairs,
                       int64_t interval_us);
/* Something was committed. */
void pt_cycle_poke(struct pt_cycle *cycle);
/* Closed bars that detectors have yet to scan, at most. (any thread) */
uint64_t pt_cycle_to_scan(const struct pt_cycle *cycle);
/* Starts no more rounds, and submits nothing more of the one under way. */
void pt_cycle_stop(struct pt_cycle *cycle);

#endif
