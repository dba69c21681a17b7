/* turns.c - a timer whose signal makes the worker offer its core.              [layer: bindings] */
#include "bindings/turns.h"

#include "base/clock.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#define MOMENT_US 50000 /* what a share is a share of */

static struct {
    timer_t timer;
    bool started;
    volatile sig_atomic_t on;
    int64_t clock_us, cpu_us; /* when the moment began */
} turns;

static int64_t cpu_us(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * INT64_C(1000000) + used.tv_nsec / 1000;
}

static void begin_moment(void)
{
    turns.clock_us = pt_mono_us();
    turns.cpu_us = cpu_us();
}

/* us: 0 stops it. Once, not again and again: what waits too long for its core to come to anything
 * would spend all it gets on signals. */
static void set_timer(long us)
{
    struct itimerspec once = { .it_value = { .tv_nsec = us * 1000 } };
    timer_settime(turns.timer, 0, &once, NULL);
}

static void on_turn(int signal)
{
    (void)signal;
    int before = errno;
    int64_t passed_us = pt_mono_us() - turns.clock_us, used_us = cpu_us() - turns.cpu_us;
    if (used_us * PT_TURN_SHARE >= passed_us) sched_yield();
    if (passed_us > MOMENT_US) begin_moment();
    if (turns.on) set_timer(PT_TURN_US);
    errno = before;
}

enum pt_code pt_turns_start(struct pt_err *err)
{
    struct sigaction action = { .sa_handler = on_turn, .sa_flags = SA_RESTART };
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGUSR1, &action, NULL) != 0 ||
        timer_create(CLOCK_MONOTONIC, &event, &turns.timer) != 0)
        return pt_fail(err, PT_EIO, "timer of turns: %s", strerror(errno));
    turns.started = true;
    return PT_OK;
}

void pt_turns_begin(void)
{
    if (!turns.started) return;
    begin_moment();
    turns.on = 1;
    set_timer(PT_TURN_US);
}

void pt_turns_end(void)
{
    if (!turns.on) return;
    turns.on = 0;
    set_timer(0);
}
