/* diff.h - what changed scripts would give, beside what the live ones do.      [layer: flow] */
#ifndef PT_DIFF_H
#define PT_DIFF_H

#include "flow/outcome.h"
#include "flow/pool.h"

struct pt_diff;

/* Runs the live version of every script that was tried on the window it was tried on, and adds the
 * differences to the outcome; trials are borrowed for the call. done: once, on the loop, never from
 * within; the diff may be freed there. PT_ENOMEM: nothing was begun. */
enum pt_code pt_diff_start(struct event_base *base, struct pt_pool *pool,
                           const struct pt_trial *trials, size_t n, struct pt_outcome *outcome,
                           void (*done)(void *arg), void *arg, struct pt_diff **diff,
                           struct pt_err *err);
/* Not before done, unless the pool was stopped first. Accepts NULL. */
void pt_diff_free(struct pt_diff *diff);

#endif
