/* sched.h - who goes first where threads want the same core.                   [layer: base]
 * Hints to the kernel: where it does not know one, nothing is lost but time. */
#ifndef PT_SCHED_H
#define PT_SCHED_H

#include <sys/types.h>

/* A thread of ours (0: the calling one), without those it starts, is waited for, and little at a
 * time is enough: it takes turns of 0.1 ms, so it comes before threads with longer turns as soon as
 * it wakes. Since Linux 6.12; older kernels let whoever slept long go first anyway. */
void pt_sched_prompt(pid_t thread);

/* A process of ours does much at a time and can wait: where others want the same core it gets a
 * third of what each of them gets. Less would eat up what the clock allows a call beyond its budget
 * (data/unit.h: PT_CLOCK_BUDGETS). Cannot be taken back. */
void pt_sched_give_way(pid_t pid);

#endif
