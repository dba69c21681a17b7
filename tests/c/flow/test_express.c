/* test_express.c - while people are answered: the worker that takes only what they ask for, and
 * what gives way to it. */
#include "rig.h"

#include <sys/resource.h>

static void begin(const char *beta)
{
    three_scripts(beta);
    rig_serving = true;
    open_pool(1, 10000000);
    load();
}

static void end(void)
{
    forget();
    close_pool();
    rig_serving = false;
}

/* ---- what is answered, in which order ----------------------------------------------------------
 */

static char seen[16]; /* a letter for each unit, as they are answered */

static void on_letter(void *arg, const struct pt_unit_result *results, size_t n,
                      const struct pt_err *err)
{
    size_t len = strlen(seen);
    CU_ASSERT_PTR_NULL(err);
    CU_ASSERT_EQUAL(n, 1);
    for (size_t i = 0; i < n; i++)
        CU_ASSERT_STRING_EQUAL(results[i].name, *(const char *)arg == 'u' ? "alpha" : "beta");
    seen[len] = *(const char *)arg;
    seen[len + 1] = '\0';
    pt_loop_stop(loop);
}

static void ask(const char *name, const char *letter)
{
    struct pt_unit unit = { .symbol = "BTCUSDT",
                            .period_us = PT_US_HOUR,
                            .as_of_us = T0,
                            .n = 1,
                            .names = &name,
                            .urgent = *letter == 'u' };
    OK(pt_pool_submit(pool, &unit, on_letter, (void *)(size_t)letter, &kit_err));
}

static void until(size_t n)
{
    while (strlen(seen) < n) OK(pt_loop_run(loop, &kit_err));
}

static void wait_for_workers(unsigned n)
{
    struct pt_pool_stats stats;
    const char *const alpha = "alpha";
    do { /* they answer to be loaded while the loop runs */
        run_unit(&alpha, 1);
        pt_pool_stats(pool, &stats);
    } while (stats.workers != n);
}

static void test_who_waits_goes_past_slow_units(void)
{
    seen[0] = '\0';
    begin("run slow 300");
    wait_for_workers(2);
    for (int i = 0; i < 3; i++) ask("beta", "n");
    ask("alpha", "u");
    ask("alpha", "u");
    until(5);
    CU_ASSERT_STRING_EQUAL(seen, "uunnn");
    end();
}

static void test_what_nobody_waits_for_never_goes_express(void)
{
    struct pt_pool_stats stats;
    seen[0] = '\0';
    begin("run slow 100");
    wait_for_workers(2);
    for (int i = 0; i < 4; i++) ask("beta", "n");
    pt_pool_stats(pool, &stats);
    CU_ASSERT_EQUAL(stats.busy, 1);
    until(4);
    end();
}

/* ---- over a reload -----------------------------------------------------------------------------
 */

static void reload(void)
{
    struct pt_sources sources = { 0 };
    OK(pt_sources_read(conf, &sources, &kit_err));
    OK(pt_pool_load(pool, conf, &sources, on_loaded, NULL, &kit_err));
}

static void test_the_old_set_answers_until_the_new_express_one_has_loaded(void)
{
    char mark[PATH_MAX];
    seen[0] = '\0';
    begin("run value");
    wait_for_workers(2);
    kit_path(mark, "mark");
    kit_script("b", "name beta\nsecond %s\nload slow 300\nrun value\n", mark);
    reload();
    for (size_t i = 1; loads < 2; i++) { /* asked all the time */
        seen[0] = '\0';
        ask("alpha", "u");
        while (!seen[0]) OK(pt_loop_run(loop, &kit_err));
        if (loads < 2) CU_ASSERT_EQUAL(scripts->generation, 1);
    }
    CU_ASSERT_EQUAL(access(mark, F_OK), 0);
    CU_ASSERT_EQUAL(scripts->generation, 2);
    ask("alpha", "u");
    until(2);
    end();
}

static void test_an_express_worker_that_dies_at_loading_is_not_the_end(void)
{
    char mark[PATH_MAX];
    struct pt_pool_stats stats;
    seen[0] = '\0';
    begin("run value");
    wait_for_workers(2);
    kit_path(mark, "mark");
    kit_script("b", "name beta\nsecond %s\nload crash\nrun value\n", mark);
    reload();
    while (loads < 2) OK(pt_loop_run(loop, &kit_err));
    CU_ASSERT_EQUAL(pt_scripts_find(scripts, "beta")->status, PT_SCRIPT_LIVE);
    CU_ASSERT_EQUAL(scripts->generation, 2);
    wait_for_workers(2); /* those who went first for nothing have left */
    pt_pool_stats(pool, &stats);
    CU_ASSERT_EQUAL(stats.deaths, 0);
    end();
}

static void test_a_killed_express_worker_is_replaced(void)
{
    char mark[PATH_MAX];
    seen[0] = '\0';
    three_scripts("run slow 200");
    rig_serving = true;
    kit_path(mark, "mark");
    kit_script("a", "name alpha\nrun crash\nonce %s\n", mark);
    open_pool(1, 10000000);
    load();
    const char *const gamma = "gamma";
    struct pt_pool_stats stats;
    do {
        run_unit(&gamma, 1);
        pt_pool_stats(pool, &stats);
    } while (stats.workers != 2);
    ask("beta", "n");
    ask("alpha", "u"); /* ends the express one, at first */
    until(2);
    pt_pool_stats(pool, &stats);
    CU_ASSERT_EQUAL(stats.deaths, 1);
    CU_ASSERT_EQUAL(stats.workers, 2);
    end();
}

/* ---- who gives way -----------------------------------------------------------------------------
 */

static void test_all_but_the_express_one_give_way(void)
{
    int own = getpriority(PRIO_PROCESS, 0), same = 0, behind = 0;
    begin("run value");
    wait_for_workers(2);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *children = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(children);
    for (int pid; fscanf(children, "%d", &pid) == 1;) {
        int nice = getpriority(PRIO_PROCESS, (id_t)pid);
        same += nice == own;
        behind += nice > own || nice == 19;
    }
    fclose(children);
    if (own < 19) CU_ASSERT_EQUAL(same, 1);
    if (own < 19) CU_ASSERT_EQUAL(behind, 1);
    end();
}

static CU_TestInfo tests[] = {
    { "who waits goes past slow units", test_who_waits_goes_past_slow_units },
    { "what nobody waits for never goes express", test_what_nobody_waits_for_never_goes_express },
    { "the old set answers until the new express one has loaded",
      test_the_old_set_answers_until_the_new_express_one_has_loaded },
    { "an express worker that dies at loading is not the end",
      test_an_express_worker_that_dies_at_loading_is_not_the_end },
    { "a killed express worker is replaced", test_a_killed_express_worker_is_replaced },
    { "all but the express one give way", test_all_but_the_express_one_give_way },
    CU_TEST_INFO_NULL
};

int main(void)
{
    pt_log_set_level(PT_QUIET);
    return pt_suite_main("flow.express", tests);
}
