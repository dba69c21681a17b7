/* guard.h - the walls around a worker process.                                 [layer: bindings]
 *
 * Compiled Lua cannot be interrupted, so a call's budget is a timer whose default action ends the
 * process. What the process may ask of the kernel is an allow-list: memory, its two descriptors,
 * clocks, timers. */
#ifndef PT_GUARD_H
#define PT_GUARD_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* First thing in main: dies with its parent, no core file, SIGPROF and SIGALRM end it, whatever was
 * inherited. */
enum pt_code pt_guard_start(struct pt_err *err);

/* Closes the door: no new privileges, memory_bytes of heap at most, system calls by allow-list.
 * Everything that is to be opened is open. Does less under sanitizers, which need more of the
 * kernel: no limit and no list. */
enum pt_code pt_guard_close(size_t memory_bytes, struct pt_err *err);

/* True in builds where pt_guard_close does less. */
bool pt_guard_is_partial(void);

/* Budget of processor time of what follows; 0 = none. The process ends when it, or PT_CLOCK_BUDGETS
 * times as much by the clock, is used up before pt_guard_disarm; it may end later by an eighth of
 * the budget, at most PT_GUARD_MORE_US. Arming again begins anew, and costs nearly nothing while
 * less than that has passed. For a process with one thread. */
#define PT_GUARD_MORE_US 10000
void pt_guard_arm(int64_t budget_us);
void pt_guard_disarm(void);

#endif
