#include "bindings/turns.h"

#include "base/clock.h"

#include "suite.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LONG_US 10000000 /* by when even a machine with much else to do has come to it */

static volatile sig_atomic_t offers;

/* In place of libc's: counts. */
int sched_yield(void);
int sched_yield(void)
{
    offers++;
    return (int)syscall(SYS_sched_yield);
}

static int64_t used_us(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * INT64_C(1000000) + used.tv_nsec / 1000;
}

static void work(int64_t us)
{
    int64_t until_us = used_us() + us;
    while (used_us() < until_us) continue;
}

static void test_nothing_happens_before_it_is_started(void)
{
    offers = 0;
    pt_turns_begin();
    work(4 * PT_TURN_US);
    pt_turns_end();
    CU_ASSERT_EQUAL(offers, 0);
}

static void test_who_works_for_long_offers_its_core(void)
{
    struct pt_err err;
    CU_ASSERT_EQUAL_FATAL(pt_turns_start(&err), PT_OK);
    for (int times = 0; times < 2; times++) {
        int64_t begin_us = pt_mono_us();
        offers = 0;
        pt_turns_begin();
        while (offers < 5 && pt_mono_us() - begin_us < LONG_US) continue;
        pt_turns_end();
        CU_ASSERT(offers >= 5);
        int before = offers;
        work(8 * PT_TURN_US);
        CU_ASSERT_EQUAL(offers, before);
    }
}

/* Whoever slept had little of its core, as who waited for it: it offers nothing. A moment may end
 * meanwhile, then it is tried again. */
static void test_who_had_little_of_its_core_keeps_it(void)
{
    bool kept = false;
    for (int times = 0; times < 50 && !kept; times++) {
        pt_turns_begin();
        int64_t until_us = pt_mono_us() + 30000;
        while (pt_mono_us() < until_us) usleep(1000); /* each signal wakes it */
        offers = 0;
        work(4 * PT_TURN_US);
        kept = offers == 0;
        pt_turns_end();
    }
    CU_ASSERT(kept);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "nothing happens before it is started", test_nothing_happens_before_it_is_started },
        { "who works for long offers its core", test_who_works_for_long_offers_its_core },
        { "who had little of its core keeps it", test_who_had_little_of_its_core_keeps_it },
        CU_TEST_INFO_NULL
    };
    return pt_suite_main("bindings.turns", tests);
}
