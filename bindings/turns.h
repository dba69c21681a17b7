/* turns.h - a worker lets those in who wait for its core.                      [layer: bindings]
 *
 * A thread that wakes while it has had more than its share is not looked at again before the next
 * tick of the kernel, 4 ms later where there are 250 a second, whoever runs and however nice. So
 * whoever runs for long has to offer its core by itself. For a process with one thread. */
#ifndef PT_TURNS_H
#define PT_TURNS_H

/* Time by the clock between two offers. One costs some 17 us on a virtual machine, where a timer
 * and its signal are dear: 4 % of a loop that nobody waits for; 7 % with offers twice as often. */
#define PT_TURN_US 500

/* It offers nothing while it has had less than one part in so many of its core of late. Linux 6.18
 * takes a whole slice, some ms, from whoever offers: beside two busy processes a hundredth was
 * left, and a good call would not end within PT_CLOCK_BUDGETS (data/unit.h) times its budget. A
 * quarter is about what a worker that gives way (base/sched.h) gets beside one busy process anyway.
 */
#define PT_TURN_SHARE 4

/* Once, before the door is closed (guard.h): takes SIGUSR1. Where there is no timer to be had,
 * nothing is lost but others' time: the log says so, and nothing is offered. */
void pt_turns_start(void);

/* Between these two others are let in. */
void pt_turns_begin(void);
void pt_turns_end(void);

#endif
