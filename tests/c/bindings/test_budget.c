/* The budget of a call: timers that hold for many calls, and end the process all the same. */
#include "base/clock.h"
#include "bindings/guard.h"
#include "suite.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUDGET_US 100000

static int64_t us_of(struct timeval t)
{
    return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static void burn(int64_t us)
{
    int64_t until_us = pt_cpu_us() + us;
    while (pt_cpu_us() < until_us) continue;
}

/* Runs it in a process of its own; gives its status and the processor time that it took. */
static int run(void (*body)(void), int64_t *spent_us)
{
    struct rusage usage = { 0 };
    struct pt_err err;
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        if (pt_guard_start(&err) != PT_OK) _exit(2);
        body();
        _exit(0);
    }
    if (pid > 0 && wait4(pid, &status, 0, &usage) != pid) status = -1;
    *spent_us = us_of(usage.ru_utime) + us_of(usage.ru_stime);
    return status;
}

static void many_short_calls(void)
{
    for (int i = 0; i < 300; i++) {
        pt_guard_arm(BUDGET_US);
        burn(1000);
    }
    pt_guard_disarm();
    burn(2 * BUDGET_US);
}

static void test_each_call_has_the_whole_budget(void)
{
    int64_t spent_us;
    CU_ASSERT_EQUAL(run(many_short_calls, &spent_us), 0);
    CU_ASSERT_TRUE(spent_us >= 5 * BUDGET_US);
}

static void short_calls_and_a_long_one(void)
{
    /* few: where the clock of a process steps with the kernel's tick, each takes one */
    for (int i = 0; i < 5; i++) {
        pt_guard_arm(BUDGET_US);
        burn(100);
    }
    burn(20 * BUDGET_US);
}

static void test_a_call_ends_with_its_budget(void)
{
    int64_t spent_us;
    int status = run(short_calls_and_a_long_one, &spent_us);
    CU_ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF);
    CU_ASSERT_TRUE(spent_us >= BUDGET_US && spent_us < 3 * BUDGET_US);
}

static void another_budget(void)
{
    pt_guard_arm(100 * BUDGET_US);
    pt_guard_arm(BUDGET_US);
    burn(20 * BUDGET_US);
}

static void test_a_smaller_budget_counts_at_once(void)
{
    int64_t spent_us;
    int status = run(another_budget, &spent_us);
    CU_ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF);
    CU_ASSERT_TRUE(spent_us < 3 * BUDGET_US);
}

static void a_call_that_waits(void)
{
    pt_guard_arm(BUDGET_US / 10); /* by the clock ten times as long, and a bit */
    pause();
}

static void test_a_call_that_waits_ends_by_the_clock(void)
{
    int64_t spent_us;
    int status = run(a_call_that_waits, &spent_us);
    CU_ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
}

static void a_call_without_a_budget(void)
{
    pt_guard_arm(BUDGET_US);
    pt_guard_arm(0);
    burn(3 * BUDGET_US);
}

static void test_a_call_without_a_budget_has_none(void)
{
    int64_t spent_us;
    CU_ASSERT_EQUAL(run(a_call_without_a_budget, &spent_us), 0);
}

static CU_TestInfo tests[] = {
    { "each call has the whole budget", test_each_call_has_the_whole_budget },
    { "a call ends with its budget", test_a_call_ends_with_its_budget },
    { "a smaller budget counts at once", test_a_smaller_budget_counts_at_once },
    { "a call that waits ends by the clock", test_a_call_that_waits_ends_by_the_clock },
    { "a call without a budget has none", test_a_call_without_a_budget_has_none },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("bindings.budget", tests);
}
