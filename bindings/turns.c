/* turns.c - a timer whose signal makes the worker offer its core.              [layer: bindings] */
#include "bindings/turns.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#define MOMENT_US 50000 /* of a longer time half is forgotten */

/* What the share is a share of: the time since `clock_us`, of which the thread had what it has used
 * since `cpu_us`. Both move on where nothing runs, and where half is forgotten. */
static struct {
    timer_t timer;
    bool started;
    volatile sig_atomic_t on, fault; /* fault: errno of what failed, 0: nothing */
    int64_t clock_us, cpu_us;
} turns;

/* us: 0 stops it. Once, not again and again: what waits too long for its core to come to anything
 * would spend all it gets on signals. */
static void set_timer(long us)
{
    struct itimerspec once = { .it_value = { .tv_nsec = us * 1000 } };
    if (timer_settime(turns.timer, 0, &once, NULL) != 0) turns.fault = errno;
}

static void give_up(int fault)
{
    turns.started = false;
    pt_log(PT_WARN, "worker", "no_turns", "words=\"%s\"", strerror(fault));
}

/* Calls what a handler may call: sched_yield is one system call, too. */
static void on_turn(int signal)
{
    (void)signal;
    int before = errno;
    if (!turns.on) return;
    int64_t passed_us = pt_mono_us() - turns.clock_us, used_us = pt_thread_cpu_us() - turns.cpu_us;
    if (passed_us > MOMENT_US) {
        turns.clock_us += passed_us / 2;
        turns.cpu_us += used_us / 2;
    }
    if (used_us * PT_TURN_SHARE >= passed_us && sched_yield() != 0) turns.fault = errno;
    set_timer(PT_TURN_US);
    errno = before;
}

void pt_turns_start(void)
{
    struct sigaction action = { .sa_handler = on_turn, .sa_flags = SA_RESTART };
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
    sigemptyset(&action.sa_mask);
    turns.started = true;
    if (timer_create(CLOCK_MONOTONIC, &event, &turns.timer) != 0 ||
        sigaction(SIGUSR1, &action, NULL) != 0)
        give_up(errno);
}

/* Until pt_turns_end the two are times; after it, what had passed and been used by then. */
void pt_turns_begin(void)
{
    if (!turns.started || turns.on) return;
    turns.clock_us = pt_mono_us() - turns.clock_us;
    turns.cpu_us = pt_thread_cpu_us() - turns.cpu_us;
    turns.on = 1;
    set_timer(PT_TURN_US);
}

void pt_turns_end(void)
{
    if (!turns.on) return;
    turns.on = 0;
    set_timer(0);
    turns.clock_us = pt_mono_us() - turns.clock_us;
    turns.cpu_us = pt_thread_cpu_us() - turns.cpu_us;
    if (turns.fault) give_up(turns.fault);
}
