/* test_pool.c - worker processes: what happens to a unit when they end in every way they can. */
#include "rig.h"

#include <signal.h>

/* ---- the tests --------------------------------------------------------------------------------
 */

static void test_a_unit_gives_its_results_in_the_order_asked(void)
{
    const char *const asked[] = { "gamma", "alpha" };
    three_scripts("run value");
    open_pool(2, 200000);
    load();
    CU_ASSERT_PTR_NOT_NULL_FATAL(scripts);
    CU_ASSERT_EQUAL(scripts->n, 3);
    CU_ASSERT_EQUAL(scripts->generation, 1);
    run_unit(asked, 2);
    CU_ASSERT_EQUAL(answered, 2);
    CU_ASSERT_STRING_EQUAL(order[0], "gamma");
    CU_ASSERT_STRING_EQUAL(order[1], "alpha");
    expect_ok(0);
    expect_ok(1);
    const struct pt_script *gamma = pt_scripts_find(scripts, "gamma");
    CU_ASSERT_EQUAL(atomic_load(&gamma->stats->calls), 1);
    CU_ASSERT_EQUAL(atomic_load(&gamma->stats->errors), 0);
    CU_ASSERT(pt_script_quantile_us(gamma->stats, 0.5) >= 4 &&
              pt_script_quantile_us(gamma->stats, 0.5) <= 6);
    forget();
    close_pool();
}

/* The others deliver; the culprit's result says how its worker ended. */
static void one_goes_wrong(const char *beta, const char *words, uint64_t deaths)
{
    struct pt_pool_stats stats;
    three_scripts(beta);
    open_pool(2, 50000);
    load();
    run_unit(abc, 3);
    CU_ASSERT_EQUAL(unit_err.code, PT_OK);
    CU_ASSERT_EQUAL_FATAL(answered, 3);
    expect_ok(0);
    expect_error(1, words);
    expect_ok(2);
    pt_pool_stats(pool, &stats);
    CU_ASSERT_EQUAL(stats.deaths, deaths);
    CU_ASSERT_EQUAL(stats.units, 1);
    CU_ASSERT_EQUAL(stats.busy, 0);
    CU_ASSERT_EQUAL(stats.queued, 0);
    const struct pt_script *beta_script = pt_scripts_find(scripts, "beta");
    CU_ASSERT_EQUAL(atomic_load(&beta_script->stats->errors), 1);
    run_unit(abc, 1); /* and the pool lives on */
    expect_ok(0);
    forget();
    close_pool();
}

static void test_a_script_that_crashes_does_not_stop_the_others(void)
{
    one_goes_wrong("run crash", "SIGSEGV", 1);
}

static void test_a_script_over_its_budget_is_named(void)
{
    one_goes_wrong("run alarm", "time budget of 50 ms", 1);
    one_goes_wrong("run budget", "time budget of 50 ms", 1);
}

static void test_a_script_that_never_ends_is_killed_from_here(void)
{
    one_goes_wrong("run hang", "time budget of 50 ms", 1);
}

static void test_a_forbidden_system_call_is_told(void)
{
    one_goes_wrong("run sys", "not allowed", 1);
}

static void test_an_exit_code_is_told(void)
{
    one_goes_wrong("run exit", "exit code 7", 1);
}

static void test_rubbish_kills_the_worker_that_sent_it(void)
{
    one_goes_wrong("run rubbish", "no document", 1);
}

static void test_a_worker_that_closes_its_socket_is_ended(void)
{
    one_goes_wrong("run close", "socket", 1);
}

/* Nothing says who did it, so the unit is taken apart: first all, then one by one. */
static void test_a_death_without_a_name_is_found_by_trying_one_by_one(void)
{
    one_goes_wrong("run lost", "SIGSEGV", 2);
}

/* The k-th result is of another script: the answer as a whole is no answer. */
static void test_an_answer_that_does_not_fit_is_no_answer(void)
{
    one_goes_wrong("run wrong", "whose result", 2);
}

static void test_a_script_s_own_error_is_its_result(void)
{
    struct pt_pool_stats stats;
    three_scripts("run fail");
    open_pool(1, 50000);
    load();
    run_unit(abc, 3);
    expect_ok(0);
    CU_ASSERT_STRING_EQUAL(text_of(1, "status"), "error");
    expect_ok(2);
    pt_pool_stats(pool, &stats);
    CU_ASSERT_EQUAL(stats.deaths, 0);
    CU_ASSERT_EQUAL(atomic_load(&pt_scripts_find(scripts, "beta")->stats->errors), 1);
    forget();
    close_pool();
}

static void test_a_kill_from_outside_blames_nobody(void)
{
    char mark[PATH_MAX];
    three_scripts("");
    kit_path(mark, "mark");
    kit_script("b", "name beta\nonce %s\nrun outside\n", mark);
    open_pool(1, 50000);
    load();
    run_unit(abc, 3);
    for (size_t i = 0; i < 3; i++) expect_ok(i);
    forget();
    close_pool();
}

static void test_all_may_go_wrong_at_once(void)
{
    kit_begin();
    kit_script("a", "name alpha\nrun crash\n");
    kit_script("b", "name beta\nrun lost\n");
    kit_script("c", "name gamma\nrun rubbish\n");
    open_pool(2, 50000);
    load();
    run_unit(abc, 3);
    CU_ASSERT_EQUAL(unit_err.code, PT_OK);
    CU_ASSERT_EQUAL_FATAL(answered, 3);
    for (size_t i = 0; i < 3; i++) CU_ASSERT_STRING_EQUAL(text_of(i, "status"), "error");
    forget();
    close_pool();
}

static void test_a_script_that_kills_at_load_is_left_out(void)
{
    static const char *const ways[] = { "crash", "alarm", "hang", "exit", NULL };
    static const char *const words[] = { "SIGSEGV", "time budget", "time budget", "exit code 7" };
    for (size_t i = 0; ways[i]; i++) {
        three_scripts("");
        kit_script("b", "load %s\nname beta\n", ways[i]);
        open_pool(2, 20000);
        load();
        CU_ASSERT_PTR_NOT_NULL_FATAL(scripts);
        CU_ASSERT_EQUAL_FATAL(scripts->n, 3);
        CU_ASSERT_PTR_NULL(pt_scripts_find(scripts, "b"));
        CU_ASSERT_PTR_NOT_NULL(pt_scripts_find(scripts, "alpha"));
        const struct pt_script *failed = &scripts->v[1]; /* alpha b gamma */
        CU_ASSERT_STRING_EQUAL(failed->name, "b");
        CU_ASSERT_EQUAL(failed->status, PT_SCRIPT_FAILED);
        CU_ASSERT_PTR_NULL(failed->declaration);
        CU_ASSERT_PTR_NOT_NULL(strstr(failed->message, words[i]));
        CU_ASSERT_PTR_NOT_NULL(strstr(failed->error_file, "/b.lua"));
        run_unit(abc, 1);
        expect_ok(0);
        CU_ASSERT_EQUAL(submit(&abc[1], 1, NULL), PT_ENOENT);
        forget();
        close_pool();
    }
}

static void test_a_script_that_fails_to_load_says_where(void)
{
    three_scripts("load fail");
    open_pool(1, 50000);
    load();
    const struct pt_script *failed = &scripts->v[1];
    CU_ASSERT_STRING_EQUAL(failed->name, "b");
    CU_ASSERT_STRING_EQUAL(failed->kind, "calculator");
    CU_ASSERT_STRING_EQUAL(failed->message, "it was told to fail");
    CU_ASSERT_EQUAL(failed->error_line, 3);
    close_pool();
}

/* The first worker loads it, those that follow are killed: it is out, without it the others go on.
 */
static void test_a_script_that_kills_later_loads_is_quarantined(void)
{
    char mark[PATH_MAX];
    three_scripts("");
    kit_path(mark, "mark");
    kit_write(mark, "");
    kit_script("a", "name alpha\nrun crash\n");
    kit_script("b", "name beta\nunless %s\nload crash\n", mark);
    open_pool(1, 50000);
    load();
    CU_ASSERT_PTR_NOT_NULL_FATAL(pt_scripts_find(scripts, "beta"));
    unlink(mark);
    OK(submit(abc, 3, NULL));
    while (answers == 0) OK(pt_loop_run(loop, &kit_err)); /* the new snapshot stops the loop too */
    CU_ASSERT_EQUAL(loads, 2);
    CU_ASSERT_EQUAL(scripts->generation, 2);
    CU_ASSERT_EQUAL(pt_scripts_find(scripts, "beta")->status, PT_SCRIPT_QUARANTINED);
    CU_ASSERT_EQUAL_FATAL(answered, 3);
    expect_error(0, "SIGSEGV");
    CU_ASSERT_STRING_EQUAL(text_of(1, "status"), "quarantined");
    CU_ASSERT_PTR_NOT_NULL(strstr(text_of(1, "metadata.error.message"), "while it was loaded"));
    expect_ok(2);
    forget();
    close_pool();
}

/* Once is bad luck: it has loaded before. */
static void test_a_single_death_at_a_later_load_is_forgiven(void)
{
    char mark[PATH_MAX];
    three_scripts("");
    kit_path(mark, "mark");
    kit_write(mark, "");
    kit_script("b", "name beta\nonce %s\nload crash\n", mark);
    open_pool(1, 50000);
    load();
    unlink(mark);
    load(); /* a whole set anew, of which nothing has changed */
    CU_ASSERT_EQUAL(scripts->generation, 2);
    CU_ASSERT_EQUAL(pt_scripts_find(scripts, "beta")->status, PT_SCRIPT_LIVE);
    run_unit(abc, 3);
    for (size_t i = 0; i < 3; i++) expect_ok(i);
    forget();
    close_pool();
}

static void test_workers_that_cannot_start_fail_the_load(void)
{
    kit_begin();
    kit_script("a", "name alpha\n");
    open_pool(2, 50000);
    setenv("FAKE_WORKER_EXIT", "1", 1);
    load();
    unsetenv("FAKE_WORKER_EXIT");
    CU_ASSERT_PTR_NULL(scripts);
    CU_ASSERT_EQUAL(load_err.code, PT_EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(load_err.text, "exit code 5"));
    CU_ASSERT_EQUAL(submit(abc, 1, NULL), PT_EBUSY);
    load(); /* and the next one may succeed */
    CU_ASSERT_PTR_NOT_NULL(scripts);
    close_pool();
}

/* Nobody is kept waiting for workers that do not come. */
static void test_waiting_units_fail_when_no_worker_starts(void)
{
    kit_begin();
    kit_script("a", "name alpha\nrun crash\n");
    kit_script("b", "name beta\n");
    open_pool(1, 50000);
    load();
    setenv("FAKE_WORKER_EXIT", "1", 1);
    OK(submit(abc, 2, NULL));
    OK(pt_loop_run(loop, &kit_err));
    CU_ASSERT_EQUAL(unit_err.code, PT_EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(unit_err.text, "exit code 5"));
    unsetenv("FAKE_WORKER_EXIT");
    forget();
    close_pool();
}

static void test_needed_scripts_run_before_those_that_need_them(void)
{
    const char *const asked[] = { "alpha" };
    kit_begin();
    kit_script("a", "name alpha\nneeds gamma.value\n");
    kit_script("b", "name beta\n");
    kit_script("c", "name gamma\nneeds beta\n");
    open_pool(1, 50000);
    load();
    run_unit(asked, 1);
    CU_ASSERT_EQUAL(answered, 1);
    CU_ASSERT_STRING_EQUAL(text_of(0, "metadata.seen"), "beta gamma ");
    run_unit(abc, 3);
    CU_ASSERT_STRING_EQUAL(text_of(2, "metadata.seen"), "beta ");
    forget();
    close_pool();
}

static void test_circles_and_missing_needs_fail_at_load(void)
{
    kit_begin();
    kit_script("a", "name alpha\nneeds gamma\n");
    kit_script("b", "name beta\nneeds nobody\n");
    kit_script("c", "name gamma\nneeds alpha\n");
    kit_script("d", "name delta\nneeds beta\n");
    kit_script("e", "name epsilon\n");
    open_pool(1, 50000);
    load();
    CU_ASSERT_EQUAL_FATAL(scripts->n, 5);
    for (size_t i = 0; i < scripts->n; i++) {
        bool good = strcmp(scripts->v[i].name, "epsilon") == 0;
        CU_ASSERT_EQUAL(scripts->v[i].status, good ? PT_SCRIPT_LIVE : PT_SCRIPT_FAILED);
        if (strcmp(scripts->v[i].name, "beta") == 0)
            CU_ASSERT_PTR_NOT_NULL(strstr(scripts->v[i].message, "nobody"));
        if (strcmp(scripts->v[i].name, "alpha") == 0)
            CU_ASSERT_PTR_NOT_NULL(strstr(scripts->v[i].message, "circle"));
    }
    close_pool();
}

static void test_of_two_with_one_name_the_first_lives(void)
{
    kit_begin();
    kit_script("a", "name same\n");
    kit_script("b", "name same\n");
    open_pool(1, 50000);
    load();
    CU_ASSERT_EQUAL_FATAL(scripts->n, 2);
    CU_ASSERT_EQUAL(scripts->v[0].status, PT_SCRIPT_LIVE);
    CU_ASSERT_EQUAL(scripts->v[1].status, PT_SCRIPT_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(scripts->v[1].message, "a.lua"));
    CU_ASSERT_PTR_NOT_NULL(strstr(scripts->v[1].error_file, "b.lua"));
    CU_ASSERT_PTR_EQUAL(pt_scripts_find(scripts, "same"), &scripts->v[0]);
    close_pool();
}

static void test_a_script_named_by_a_person_wins(void)
{
    struct pt_sources sources = { 0 };
    char path[PATH_MAX];
    kit_begin();
    kit_script("a", "name same\n");
    kit_path(path, "mine.lua");
    kit_write(path, "name same\nparam window int 7\n");
    open_pool(1, 50000);
    OK(pt_sources_read(conf, &sources, &kit_err));
    OK(pt_sources_add(&sources, path, &kit_err));
    OK(pt_pool_load(pool, conf, &sources, on_loaded, NULL, &kit_err));
    OK(pt_loop_run(loop, &kit_err));
    const struct pt_script *live = pt_scripts_find(scripts, "same");
    CU_ASSERT_PTR_NOT_NULL_FATAL(live);
    CU_ASSERT_STRING_EQUAL(live->source->file, path);
    close_pool();
}

static void test_configured_parameters_are_the_defaults_in_force(void)
{
    const char *const alpha = "alpha";
    bson_t params = BSON_INITIALIZER;
    const bson_t *list = &params;
    int64_t window = 0;
    kit_begin();
    kit_script("a", "name alpha\nparam window int 20 2 500\nparam factor number 2\n");
    open_pool(1, 50000);
    kit_set(conf, "calculator alpha.window=30");
    load();
    CU_ASSERT_PTR_NOT_NULL_FATAL(scripts);
    const struct pt_script *script = pt_scripts_find(scripts, alpha);
    CU_ASSERT(pt_doc_int(script->declaration, "params.0.default", &window));
    CU_ASSERT_EQUAL(window, 30);
    run_unit(&alpha, 1);
    CU_ASSERT(pt_doc_int(docs[0], "metadata.parameters.window", &window));
    CU_ASSERT_EQUAL(window, 30);
    /* what is in force need not be said, the file's own default must be */
    OK(pt_script_param(script, "window", "30", &params, &kit_err));
    CU_ASSERT_EQUAL(bson_count_keys(&params), 0);
    OK(pt_script_param(script, "window", "20", &params, &kit_err));
    CU_ASSERT_EQUAL(bson_count_keys(&params), 1);
    OK(submit(&alpha, 1, &list));
    OK(pt_loop_run(loop, &kit_err));
    CU_ASSERT(pt_doc_int(docs[0], "metadata.parameters.window", &window));
    CU_ASSERT_EQUAL(window, 20);
    bson_destroy(&params);
    forget();
    close_pool();
}

static void test_mistakes_in_the_configuration_fail_the_load(void)
{
    kit_begin();
    kit_script("a", "name alpha\nparam window int 20 2 500\n");
    open_pool(1, 50000);
    kit_set(conf, "calculator alpha.widow=30");
    kit_set(conf, "calculator alpha.window=1");
    kit_set(conf, "calculator nobody.x=1");
    load();
    CU_ASSERT_PTR_NULL(scripts);
    CU_ASSERT_EQUAL(load_err.code, PT_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(load_err.text, "widow"));
    CU_ASSERT_PTR_NOT_NULL(strstr(load_err.text, "from 2 to 500 bars"));
    CU_ASSERT_PTR_NOT_NULL(strstr(load_err.text, "nobody"));
    close_pool();
}

static void test_many_units_are_all_answered_once(void)
{
    three_scripts("run value");
    open_pool(2, 200000);
    load();
    struct pt_unit unit = {
        .symbol = "BTCUSDT", .period_us = PT_US_HOUR, .as_of_us = T0, .n = 3, .names = abc
    };
    for (int i = 0; i < 300; i++) {
        unit.urgent = i % 7 == 0;
        OK(pt_pool_submit(pool, &unit, on_unit, loop, &kit_err));
    }
    unit.urgent = false;
    OK(pt_pool_submit(pool, &unit, on_unit, loop, &kit_err));
    while (answers < 301) OK(pt_loop_run(loop, &kit_err));
    CU_ASSERT_EQUAL(answers, 301);
    forget();
    close_pool();
}

static void test_a_crash_in_the_middle_of_many_loses_no_unit(void)
{
    char mark[PATH_MAX];
    three_scripts("");
    kit_path(mark, "mark");
    kit_script("b", "name beta\nonce %s\nrun crash\n", mark);
    open_pool(2, 200000);
    load();
    struct pt_unit unit = {
        .symbol = "BTCUSDT", .period_us = PT_US_HOUR, .as_of_us = T0, .n = 3, .names = abc
    };
    for (int i = 0; i < 50; i++) OK(pt_pool_submit(pool, &unit, on_unit, loop, &kit_err));
    while (answers < 50) OK(pt_loop_run(loop, &kit_err));
    CU_ASSERT_EQUAL(answers, 50);
    CU_ASSERT_EQUAL(atomic_load(&pt_scripts_find(scripts, "beta")->stats->errors), 1);
    forget();
    close_pool();
}

static void test_units_under_way_are_cancelled_when_the_pool_goes(void)
{
    three_scripts("run slow 5000");
    open_pool(1, 10000000);
    load();
    OK(submit(abc, 3, NULL));
    OK(submit(abc, 3, NULL));
    OK(submit(abc, 3, NULL));
    pt_pool_free(pool);
    pool = NULL;
    CU_ASSERT_EQUAL(answers, 3);
    CU_ASSERT_EQUAL(unit_err.code, PT_ECANCEL);
    forget();
    close_pool();
}

static void test_a_new_load_takes_over_and_the_old_workers_leave(void)
{
    struct pt_pool_stats stats;
    three_scripts("run value");
    open_pool(2, 50000);
    load();
    OK(submit(abc, 3, NULL)); /* under way on the old set */
    kit_script("b", "name delta\n");
    struct pt_sources sources = { 0 };
    OK(pt_sources_read(conf, &sources, &kit_err));
    OK(pt_pool_load(pool, conf, &sources, on_loaded, NULL, &kit_err));
    CU_ASSERT_EQUAL(pt_pool_load(pool, conf, &sources, on_loaded, NULL, &kit_err), PT_EBUSY);
    while (loads < 2 || answers < 1) OK(pt_loop_run(loop, &kit_err));
    for (size_t i = 0; i < 3; i++) expect_ok(i);
    CU_ASSERT_EQUAL(scripts->generation, 2);
    CU_ASSERT_PTR_NOT_NULL(pt_scripts_find(scripts, "delta"));
    CU_ASSERT_EQUAL(submit(&abc[1], 1, NULL), PT_ENOENT);
    const char *const delta = "delta";
    do { /* until the old ones have gone */
        run_unit(&delta, 1);
        pt_pool_stats(pool, &stats);
    } while (stats.workers > 2);
    expect_ok(0);
    CU_ASSERT_EQUAL(stats.deaths, 0);
    CU_ASSERT_EQUAL(atomic_load(&pt_scripts_find(scripts, "alpha")->stats->calls),
                    1); /* counters go on */
    forget();
    close_pool();
}

static CU_TestInfo tests[] = {
    { "a unit gives its results in the order asked",
      test_a_unit_gives_its_results_in_the_order_asked },
    { "a script that crashes does not stop the others",
      test_a_script_that_crashes_does_not_stop_the_others },
    { "a script over its budget is named", test_a_script_over_its_budget_is_named },
    { "a script that never ends is killed from here",
      test_a_script_that_never_ends_is_killed_from_here },
    { "a forbidden system call is told", test_a_forbidden_system_call_is_told },
    { "an exit code is told", test_an_exit_code_is_told },
    { "rubbish kills the worker that sent it", test_rubbish_kills_the_worker_that_sent_it },
    { "a worker that closes its socket is ended", test_a_worker_that_closes_its_socket_is_ended },
    { "a death without a name is found one by one",
      test_a_death_without_a_name_is_found_by_trying_one_by_one },
    { "an answer that does not fit is no answer", test_an_answer_that_does_not_fit_is_no_answer },
    { "a script's own error is its result", test_a_script_s_own_error_is_its_result },
    { "a kill from outside blames nobody", test_a_kill_from_outside_blames_nobody },
    { "all may go wrong at once", test_all_may_go_wrong_at_once },
    { "a script that kills at load is left out", test_a_script_that_kills_at_load_is_left_out },
    { "a script that fails to load says where", test_a_script_that_fails_to_load_says_where },
    { "a script that kills later loads is quarantined",
      test_a_script_that_kills_later_loads_is_quarantined },
    { "a single death at a later load is forgiven",
      test_a_single_death_at_a_later_load_is_forgiven },
    { "workers that cannot start fail the load", test_workers_that_cannot_start_fail_the_load },
    { "waiting units fail when no worker starts", test_waiting_units_fail_when_no_worker_starts },
    { "needed scripts run before those that need them",
      test_needed_scripts_run_before_those_that_need_them },
    { "circles and missing needs fail at load", test_circles_and_missing_needs_fail_at_load },
    { "of two with one name the first lives", test_of_two_with_one_name_the_first_lives },
    { "a script named by a person wins", test_a_script_named_by_a_person_wins },
    { "configured parameters are the defaults in force",
      test_configured_parameters_are_the_defaults_in_force },
    { "mistakes in the configuration fail the load",
      test_mistakes_in_the_configuration_fail_the_load },
    { "many units are all answered once", test_many_units_are_all_answered_once },
    { "a crash in the middle of many loses no unit",
      test_a_crash_in_the_middle_of_many_loses_no_unit },
    { "units under way are cancelled with the pool",
      test_units_under_way_are_cancelled_when_the_pool_goes },
    { "a new load takes over, the old workers leave",
      test_a_new_load_takes_over_and_the_old_workers_leave },
    CU_TEST_INFO_NULL
};

int main(void)
{
    pt_log_set_level(PT_QUIET);
    return pt_suite_main("flow.pool", tests);
}
