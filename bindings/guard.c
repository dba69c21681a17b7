/* guard.c - limits, seccomp and the timer of a worker.                         [layer: bindings] */
#include "bindings/guard.h"

#include "base/clock.h"
#include "data/unit.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* What the kernel leaves free below the first stack, at least. */
#define STACK_BYTES ((rlim_t)120 << 20)

enum pt_code pt_guard_start(struct pt_err *err)
{
    struct rlimit none = { 0, 0 };
    sigset_t all;
    /* calls from C back into Lua nest until Lua's own stack is full: the C stack must hold that
     * many */
    struct rlimit stack = { 0, 0 };
    if (getrlimit(RLIMIT_STACK, &stack) != 0)
        return pt_fail(err, PT_EIO, "stack of the worker: %s", strerror(errno));
    if (stack.rlim_cur < STACK_BYTES)
        stack.rlim_cur = stack.rlim_max < STACK_BYTES ? stack.rlim_max : STACK_BYTES;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || setrlimit(RLIMIT_CORE, &none) != 0 ||
        setrlimit(RLIMIT_STACK, &stack) != 0)
        return pt_fail(err, PT_EIO, "limits of the worker: %s", strerror(errno));
    /* a blocked or ignored signal would be inherited over exec */
    sigemptyset(&all);
    struct sigaction usual = { .sa_handler = SIG_DFL };
    if (sigprocmask(SIG_SETMASK, &all, NULL) != 0 || sigaction(SIGALRM, &usual, NULL) != 0 ||
        sigaction(SIGPROF, &usual, NULL) != 0)
        return pt_fail(err, PT_EIO, "signals of the worker: %s", strerror(errno));
    return PT_OK;
}

/* What the code of a worker needs; everything else fails with EPERM. */
static const int allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(recvfrom),
    SCMP_SYS(sendto),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(close),
    SCMP_SYS(fcntl),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(lseek),
    SCMP_SYS(pread64),
    SCMP_SYS(futex),
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(mprotect),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(setitimer),
    SCMP_SYS(timer_settime),
    SCMP_SYS(sched_yield),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getrandom),
    SCMP_SYS(restart_syscall),
};

/* What only an attacker asks for: the process ends, and its parent sees why. */
static const int deadly[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(clone),
    SCMP_SYS(clone3),
    SCMP_SYS(socket),
    SCMP_SYS(connect),
    SCMP_SYS(ptrace),
    SCMP_SYS(kill),
    SCMP_SYS(process_vm_writev),
};

static enum pt_code close_calls(struct pt_err *err)
{
    int rc = 0;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter) return pt_fail(err, PT_ENOMEM, "seccomp filter");
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed && rc == 0; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly && rc == 0; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
    /* abort() raises through tgkill; it may only end this process */
    if (rc == 0)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                              SCMP_A2(SCMP_CMP_EQ, SIGABRT, 0));
    if (rc == 0) rc = seccomp_load(filter);
    seccomp_release(filter);
    return rc == 0 ? PT_OK : pt_fail(err, PT_EIO, "seccomp: %s", strerror(-rc));
}

enum pt_code pt_guard_close(size_t memory_bytes, struct pt_err *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return pt_fail(err, PT_EIO, "no new privileges: %s", strerror(errno));
    if (SANITIZED) return PT_OK;
    struct rlimit heap = { memory_bytes, memory_bytes };
    if (setrlimit(RLIMIT_DATA, &heap) != 0)
        return pt_fail(err, PT_EIO, "memory limit: %s", strerror(errno));
    return close_calls(err);
}

bool pt_guard_is_partial(void)
{
    return SANITIZED;
}

static void set_timer(__itimer_which_t which, int64_t us)
{
    struct itimerval timer = { .it_value = { .tv_sec = us / 1000000, .tv_usec = us % 1000000 } };
    setitimer(which, &timer, NULL);
}

/* Setting both timers costs a tenth of a short script. They are set for some time more than is
 * asked for, so that they hold for every call that begins before this time has passed by the clock:
 * one thread cannot have used more of the processor since. */
static struct {
    int64_t budget_us; /* 0: not armed */
    int64_t until_us;  /* by the clock: whoever begins later sets them anew */
} armed;

void pt_guard_arm(int64_t budget_us)
{
    if (budget_us <= 0) {
        pt_guard_disarm();
        return;
    }
    int64_t now_us = pt_mono_us();
    if (armed.budget_us == budget_us && now_us <= armed.until_us) return;
    int64_t more_us = budget_us / 8 < PT_GUARD_MORE_US ? budget_us / 8 : PT_GUARD_MORE_US;
    armed.budget_us = budget_us;
    armed.until_us = now_us + more_us;
    set_timer(ITIMER_PROF, budget_us + more_us);
    set_timer(ITIMER_REAL, PT_CLOCK_BUDGETS * budget_us + more_us);
}

void pt_guard_disarm(void)
{
    if (armed.budget_us == 0) return;
    armed.budget_us = 0;
    set_timer(ITIMER_PROF, 0);
    set_timer(ITIMER_REAL, 0);
}
