/* bench_guard - what the budget of a call costs: arming and disarming its timers, in an open
 * process and behind the closed door of a worker, where each system call passes the filter. Beside
 * it the same number of calls of a function that does nothing. */
#include "base/clock.h"
#include "bindings/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS 200000
#define HEAP ((size_t)1 << 30)

static void nothing(int64_t us)
{
    __asm__ volatile("" : : "r"(us) : "memory");
}

static double ns_a_call(bool armed)
{
    int64_t from_ns = pt_mono_ns();
    for (int i = 0; i < CALLS; i++) {
        if (armed) {
            pt_guard_arm(200000);
            pt_guard_disarm();
        } else {
            nothing(i);
        }
    }
    return (double)(pt_mono_ns() - from_ns) / CALLS;
}

/* In a process of its own: the door closes for good. */
static int measure(bool closed)
{
    struct pt_err err;
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0) return 1;
    if (pid == 0) {
        if (pt_guard_start(&err) != PT_OK || (closed && pt_guard_close(HEAP, &err) != PT_OK)) {
            fprintf(stderr, "bench_guard: %s\n", err.text);
            _exit(1);
        }
        printf("guard  %s: %.0f ns to arm and disarm a call's budget, %.1f ns without\n",
               closed ? "behind the closed door" : "open", ns_a_call(true), ns_a_call(false));
        fflush(stdout);
        _exit(0);
    }
    int status = 0;
    return waitpid(pid, &status, 0) != pid || status != 0;
}

int main(void)
{
    return measure(false) || measure(true);
}
