#include "bindings/turns.h"

#include "base/clock.h"

#include "suite.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LONG_US 10000000 /* by when even a machine with much else to do has come to it */

static volatile sig_atomic_t offers;

/* In place of libc's: counts. That a closed door (guard.h) lets it through is seen in a real worker
 * (tests/http/reload.py). */
int sched_yield(void);
int sched_yield(void)
{
    offers++;
    return (int)syscall(SYS_sched_yield);
}

static void work(int64_t us)
{
    int64_t until_us = pt_thread_cpu_us() + us;
    while (pt_thread_cpu_us() < until_us) continue;
}

/* Works until it has offered so often; false: it does not come to it. Skips where others leave it
 * too little of the machine. */
static bool offers_in_time(int n)
{
    int64_t begin_us = pt_mono_us(), used_us = pt_thread_cpu_us(), passed_us = 0;
    while (offers < n && passed_us < LONG_US) passed_us = pt_mono_us() - begin_us;
    if (offers >= n) return true;
    bool busy = (pt_thread_cpu_us() - used_us) * (PT_TURN_SHARE - 1) < passed_us;
    if (busy) pt_skip("the machine has too much else to do");
    return busy;
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
    pt_turns_start();
    for (int times = 0; times < 2; times++) {
        offers = 0;
        pt_turns_begin();
        CU_ASSERT(offers_in_time(5));
        pt_turns_end();
        int before = offers;
        work(8 * PT_TURN_US);
        CU_ASSERT_EQUAL(offers, before);
    }
}

/* To have nothing to do is not to be kept waiting. On a busy machine one try may not be enough. */
static void test_who_had_nothing_to_do_offers_its_core(void)
{
    offers = 0;
    for (int times = 0; times < 50 && offers == 0; times++) {
        usleep(100000);
        pt_turns_begin();
        work(4 * PT_TURN_US);
        pt_turns_end();
    }
    CU_ASSERT(offers > 0);
}

/* Whoever slept had little of its core, as whoever waits for it: it offers nothing until it has had
 * more, also where a unit ends and another begins. */
static void test_who_had_little_of_its_core_keeps_it(void)
{
    pt_turns_begin();
    int64_t until_us = pt_mono_us() + 200000;
    while (pt_mono_us() < until_us) usleep(1000); /* each signal wakes it */
    offers = 0;
    work(4 * PT_TURN_US);
    CU_ASSERT_EQUAL(offers, 0);
    pt_turns_end();
    pt_turns_begin();
    work(4 * PT_TURN_US);
    CU_ASSERT_EQUAL(offers, 0);
    CU_ASSERT(offers_in_time(1));
    pt_turns_end();
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "nothing happens before it is started", test_nothing_happens_before_it_is_started },
        { "who works for long offers its core", test_who_works_for_long_offers_its_core },
        { "who had nothing to do offers its core", test_who_had_nothing_to_do_offers_its_core },
        { "who had little of its core keeps it", test_who_had_little_of_its_core_keeps_it },
        CU_TEST_INFO_NULL
    };
    return pt_suite_main("bindings.turns", tests);
}
