/* test_versions.c - which version of a script is live after a load: the new one, the last good one,
 * none. */
#include "market.h"
#include "rig.h"

/* ---- what is live ------------------------------------------------------------------------------
 */

static const struct pt_script *named(const char *name)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(scripts);
    for (size_t i = 0; i < scripts->n; i++)
        if (strcmp(scripts->v[i].name, name) == 0) return &scripts->v[i];
    return NULL;
}

static void expect(const char *name, enum pt_script_status status, const char *words)
{
    const struct pt_script *script = named(name);
    CU_ASSERT_PTR_NOT_NULL_FATAL(script);
    if (script->status != status)
        printf("\n  %s is %s (%s)\n", name, pt_script_status_text(script->status), script->message);
    CU_ASSERT_EQUAL(script->status, status);
    CU_ASSERT_EQUAL(script->declaration == NULL, status == PT_SCRIPT_FAILED);
    if (!strstr(script->message, words))
        printf("\n  '%s' does not say '%s'\n", script->message, words);
    CU_ASSERT_PTR_NOT_NULL(strstr(script->message, words));
    CU_ASSERT_EQUAL(script->message[0] == '\0', status == PT_SCRIPT_LIVE);
}

static void expect_value(const char *name)
{
    run_unit(&name, 1);
    CU_ASSERT_EQUAL_FATAL(answered, 1);
    expect_ok(0);
}

static void begin(const char *beta)
{
    three_scripts(beta);
    open_pool(1, 50000);
    load();
}

static void end(void)
{
    forget();
    close_pool();
    pt_store_close(rig_store);
    rig_store = NULL;
}

/* With series for changed scripts to be tried on. */
static void begin_with_store(const char *beta)
{
    three_scripts(beta);
    rig_store = market_store("store", 0);
    market_write(rig_store, "AAAUSDT", PT_US_HOUR, T0, 10, 0);
    market_write(rig_store, "BTCUSDT", PT_US_HOUR, T0, 10, 0);
    open_pool(1, 50000);
    load();
}

static void lib(const char *text)
{
    char path[PATH_MAX];
    kit_path(path, "scripts/lib/common.lua");
    kit_write(path, text);
}

/* ---- the tests --------------------------------------------------------------------------------
 */

static void test_the_last_good_version_stays(void)
{
    begin("run value");
    char hash[PT_HASH_TEXT_MAX];
    memcpy(hash, named("beta")->source->hash, sizeof hash);
    static const char *const ways[] = { "load fail", "load crash", "load hang", "load alarm",
                                        NULL };
    static const char *const words[] = { "told to fail", "SIGSEGV", "time budget", "time budget" };
    for (size_t i = 0; ways[i]; i++) {
        kit_script("b", "name beta\n%s\n", ways[i]);
        kit_script("a", "name alpha\nrun value\n# %zu\n", i);
        load();
        CU_ASSERT_EQUAL(scripts->generation, i + 2);
        expect("beta", PT_SCRIPT_PREVIOUS, words[i]);
        CU_ASSERT_PTR_NOT_NULL(strstr(named("beta")->error_file, "/b.lua"));
        CU_ASSERT_STRING_EQUAL(named("beta")->source->hash, hash);
        CU_ASSERT_PTR_NULL(strstr(named("beta")->source->text, "load"));
        expect("alpha", PT_SCRIPT_LIVE, ""); /* the others move on */
        CU_ASSERT_PTR_NOT_NULL(strstr(named("alpha")->source->text, "#"));
        expect_value("beta");
    }
    kit_script("b", "name beta\nrun value\n# mended\n");
    load();
    expect("beta", PT_SCRIPT_LIVE, "");
    CU_ASSERT_STRING_NOT_EQUAL(named("beta")->source->hash, hash);
    end();
}

static void test_where_it_failed_is_said_of_the_file_as_it_is(void)
{
    begin("run value");
    kit_script("b", "name beta\nload fail\n");
    load();
    CU_ASSERT_EQUAL(named("beta")->error_line, 3);
    end();
}

static void test_a_new_script_that_fails_has_no_version_to_stay(void)
{
    begin("run value");
    kit_script("d", "name delta\nload fail\n");
    load();
    expect("d", PT_SCRIPT_FAILED, "told to fail");
    CU_ASSERT_PTR_NULL(pt_scripts_find(scripts, "d"));
    expect("beta", PT_SCRIPT_LIVE, "");
    end();
}

static void test_a_file_that_cannot_be_read_stands_in_nobody_s_way(void)
{
    char path[PATH_MAX];
    begin("run value");
    kit_path(path, "scripts/calculators/b.lua");
    unlink(path);
    OK(mkfifo(path, 0600) == 0 ? PT_OK : PT_EIO);
    kit_path(path, "scripts/calculators/d.lua");
    mkdir(path, 0700);
    kit_script("a", "name alpha\nrun value\n# new\n");
    kit_path(path, "scripts/calculators/c.lua");
    unlink(path);
    OK(symlink("/nowhere/at/all.lua", path) == 0 ? PT_OK : PT_EIO);
    load();
    expect("beta", PT_SCRIPT_PREVIOUS, "no regular file");
    expect("gamma", PT_SCRIPT_PREVIOUS, "is a link to nothing"); /* not removed */
    expect("d", PT_SCRIPT_FAILED, "no regular file");
    CU_ASSERT_PTR_NOT_NULL(strstr(named("alpha")->source->text, "new"));
    expect_value("beta");
    end();
}

static void test_a_removed_file_is_gone(void)
{
    char path[PATH_MAX];
    begin("run value");
    kit_script("c", "name gamma\nneeds beta\n");
    load();
    kit_path(path, "scripts/calculators/b.lua");
    unlink(path);
    load();
    CU_ASSERT_PTR_NULL(named("beta"));
    CU_ASSERT_EQUAL(submit(&abc[1], 1, NULL), PT_ENOENT);
    expect("gamma", PT_SCRIPT_FAILED, "'beta'"); /* and what needs it has nothing to stand on */
    end();
}

/* It would be good by itself, but what it needs is not there. */
static void test_rules_between_scripts_fall_back_too(void)
{
    begin("run value");
    kit_script("b", "name beta\nneeds nobody\n");
    load();
    expect("beta", PT_SCRIPT_PREVIOUS, "nobody");
    kit_script("a", "name alpha\nneeds gamma\n");
    kit_script("b", "name beta\nrun value\n");
    kit_script("c", "name gamma\nneeds alpha\n");
    kit_script("d", "name delta\nneeds alpha\n");
    load();
    expect("alpha", PT_SCRIPT_PREVIOUS, "in a circle, need this one: ");
    CU_ASSERT_PTR_NOT_NULL(strstr(named("alpha")->message, "gamma"));
    expect("gamma", PT_SCRIPT_PREVIOUS, "circle");
    expect("delta", PT_SCRIPT_LIVE, "");
    expect_value("delta");
    end();
}

/* Two files, one name: the one that has it keeps it, though the other comes first by its name. */
static void test_a_taken_name_names_both_files(void)
{
    begin("run value");
    kit_script("0first", "name beta\n");
    load();
    CU_ASSERT_EQUAL_FATAL(scripts->n, 4);
    const struct pt_script *live = pt_scripts_find(scripts, "beta");
    CU_ASSERT_PTR_NOT_NULL_FATAL(live);
    CU_ASSERT_PTR_NOT_NULL(strstr(live->source->file, "/b.lua"));
    for (size_t i = 0; i < scripts->n; i++) {
        const struct pt_script *script = &scripts->v[i];
        if (script->status != PT_SCRIPT_FAILED) continue;
        CU_ASSERT_PTR_NOT_NULL(strstr(script->error_file, "/0first.lua"));
        CU_ASSERT_PTR_NOT_NULL(strstr(script->message, "/b.lua"));
    }
    end();
}

/* An edit does not take the name of another live script away, wherever its file stands. */
static void test_a_live_script_keeps_its_name(void)
{
    begin("run value");
    kit_script("a", "name beta\nrun value\n");
    kit_script("c", "name gamma\nneeds beta\n# changed\n");
    load();
    CU_ASSERT_EQUAL_FATAL(scripts->n, 3);
    expect("alpha", PT_SCRIPT_PREVIOUS, "the name 'beta' is taken by");
    CU_ASSERT_PTR_NOT_NULL(strstr(named("alpha")->message, "/b.lua"));
    expect("beta", PT_SCRIPT_LIVE, "");
    CU_ASSERT_PTR_NOT_NULL(strstr(named("beta")->source->file, "/b.lua"));
    expect("gamma", PT_SCRIPT_LIVE, "");
    CU_ASSERT_PTR_NOT_NULL(strstr(named("gamma")->source->text, "changed"));
    expect_value("beta");
    kit_script("b", "name beta\nload fail\n"); /* nor when the holder falls back */
    load();
    expect("alpha", PT_SCRIPT_PREVIOUS, "/b.lua");
    expect("beta", PT_SCRIPT_PREVIOUS, "told to fail");
    kit_script("b", "name alpha\nrun value\n"); /* each gives its name to the other */
    load();
    expect("alpha", PT_SCRIPT_LIVE, "");
    expect("beta", PT_SCRIPT_LIVE, "");
    end();
}

static void second_folder(const char *text)
{
    char path[PATH_MAX];
    kit_path(path, "mine");
    mkdir(path, 0700);
    kit_path(path, "mine/calculators");
    mkdir(path, 0700);
    kit_path(path, "mine/calculators/my_beta.lua");
    kit_write(path, text);
    kit_set(conf, "scripts.path=%s/scripts,%s/mine", kit_dir, kit_dir);
}

static void test_a_later_folder_wins_where_that_is_said(void)
{
    begin("run value");
    second_folder(
        "name beta\nrun value\n"); /* DIR/mine comes before DIR/scripts only by its name */
    load();
    CU_ASSERT_PTR_NOT_NULL(strstr(pt_scripts_find(scripts, "beta")->source->file, "/b.lua"));
    CU_ASSERT_EQUAL(scripts->n, 4);
    kit_set(conf, "scripts.override=other, beta");
    load();
    CU_ASSERT_PTR_NOT_NULL(strstr(pt_scripts_find(scripts, "beta")->source->file, "/my_beta.lua"));
    CU_ASSERT_EQUAL(scripts->n, 3); /* the other one is no failure */
    expect_value("beta");
    second_folder("name beta\nload fail\n");
    load(); /* its last version, not the one it replaced */
    expect("beta", PT_SCRIPT_PREVIOUS, "told to fail");
    CU_ASSERT_PTR_NOT_NULL(strstr(pt_scripts_find(scripts, "beta")->source->file, "/my_beta.lua"));
    end();
}

static void test_a_changed_script_is_tried_on_stored_windows(void)
{
    static const char *const ways[] = { "run crash", "run hang", "run lost", "run fail", NULL };
    static const char *const words[] = { "SIGSEGV", "time budget", "SIGSEGV", "told to fail" };
    begin_with_store("run value");
    uint64_t calls = atomic_load(&named("beta")->stats->calls);
    for (size_t i = 0; ways[i]; i++) {
        kit_script("b", "name beta\n%s\n", ways[i]);
        kit_script("d", "name delta%zu\n%s\n", i, ways[i]);
        load();
        expect("beta", PT_SCRIPT_PREVIOUS, words[i]);
        expect("alpha", PT_SCRIPT_LIVE, "");
        for (size_t k = 0; k < scripts->n; k++)
            if (strstr(scripts->v[k].source->file, "/d.lua"))
                CU_ASSERT_EQUAL(scripts->v[k].status, PT_SCRIPT_FAILED);
        expect_value("alpha");
    }
    /* and nothing of it is counted as a call */
    CU_ASSERT_EQUAL(atomic_load(&named("beta")->stats->calls), calls);
    CU_ASSERT_EQUAL(atomic_load(&named("beta")->stats->errors), 0);
    end();
}

static void test_what_did_not_change_is_not_tried(void)
{
    char mark[PATH_MAX];
    begin_with_store("run value");
    kit_path(mark, "mark");
    kit_script("b", "name beta\nonce %s\nrun fail\n", mark);
    kit_write(mark, "");
    load(); /* tried: disarmed by its mark, so it is good */
    expect("beta", PT_SCRIPT_LIVE, "");
    unlink(mark);
    kit_script("a", "name alpha\nrun value\n# changed\n");
    load();
    expect("beta", PT_SCRIPT_LIVE, "");
    CU_ASSERT_NOT_EQUAL(access(mark, F_OK), 0); /* it was not run at all */
    end();
}

/* Nothing is wrong with the changed script itself. */
static void test_a_change_that_breaks_those_that_need_it_is_not_taken(void)
{
    static const char *const ways[] = { "fail", "crash", "hang", NULL };
    static const char *const words[] = { "told to fail", "SIGSEGV", "time budget" };
    begin_with_store("needs alpha");
    kit_script("c", "name gamma\nneeds beta\n");
    load();
    for (size_t i = 0; ways[i]; i++) {
        kit_script("a", "name alpha\nspoil %s\n", ways[i]);
        load();
        expect("alpha", PT_SCRIPT_PREVIOUS, words[i]);
        expect("alpha", PT_SCRIPT_PREVIOUS, "'beta', which needs it, fails with it on AAAUSDT 1h");
        expect("beta", PT_SCRIPT_LIVE, "");
        expect("gamma", PT_SCRIPT_LIVE, "");
        expect_value("beta");
    }
    /* one that changed itself answers for itself first */
    kit_script("a", "name alpha\nrun value\n# good\n");
    kit_script("b", "name beta\nneeds alpha\nrun fail\n");
    load();
    expect("alpha", PT_SCRIPT_LIVE, "");
    expect("beta", PT_SCRIPT_PREVIOUS, "told to fail");
    end();
}

static enum pt_code write_failure(struct pt_store *store)
{
    struct pt_write *write = NULL;
    uint8_t key[16];
    bson_t *doc = BCON_NEW("status", "error", "symbol", "AAAUSDT", "metric", "beta");
    enum pt_code rc = pt_write_begin(store, &write, &kit_err);
    pt_result_key(PT_US_HOUR, T0, key);
    if (rc == PT_OK)
        rc = pt_write_doc(write, "analytics_AAAUSDT_beta", key, sizeof key, doc, &kit_err);
    if (rc == PT_OK) rc = pt_write_commit(write, &kit_err);
    bson_destroy(doc);
    return rc;
}

/* What failed before proves nothing against what it needs. */
static void test_a_change_is_not_blamed_for_what_failed_before(void)
{
    begin_with_store("needs alpha");
    OK(write_failure(rig_store));
    kit_script("a", "name alpha\nspoil fail\nspoils AAAUSDT\n");
    load();
    expect("alpha", PT_SCRIPT_LIVE, "");
    kit_script("a", "name alpha\nspoil fail\n");
    load();
    expect("alpha", PT_SCRIPT_PREVIOUS, "BTCUSDT 1h");
    end();
}

static void test_parameters_of_the_configuration_are_tried(void)
{
    begin_with_store("param window int 20 2 500\nbad window 9");
    kit_set(conf, "calculator beta.window=9");
    load();
    CU_ASSERT_PTR_NULL(scripts); /* refused as a whole */
    CU_ASSERT_EQUAL(load_err.code, PT_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(load_err.text, "[calculator beta]"));
    CU_ASSERT_PTR_NOT_NULL(strstr(load_err.text, "AAAUSDT 1h"));
    kit_set(conf, "calculator beta.window=8");
    load();
    expect("beta", PT_SCRIPT_LIVE, "");
    end();
}

/* The library breaks what had not changed: it stays as it was, and so does all that uses it. */
static void test_libraries_stay_when_they_break_others(void)
{
    char hash[PT_HASH_TEXT_MAX];
    begin("run value");
    lib("good");
    kit_script("b", "name beta\n# require\n");
    load();
    memcpy(hash, named("beta")->source->hash, sizeof hash);
    lib("good, too");
    load();
    expect("beta", PT_SCRIPT_LIVE, "");
    CU_ASSERT_STRING_NOT_EQUAL(named("beta")->source->hash, hash); /* another version, now */
    CU_ASSERT_STRING_EQUAL(scripts->libs_message, "");
    memcpy(hash, named("beta")->source->hash, sizeof hash);
    lib("broken");
    kit_script("a", "name alpha\nrun value\n# changed\n");
    load();
    expect("beta", PT_SCRIPT_LIVE, "");
    CU_ASSERT_STRING_EQUAL(named("beta")->source->hash, hash);
    CU_ASSERT_PTR_NOT_NULL(strstr(named("alpha")->source->text, "changed"));
    CU_ASSERT_PTR_NOT_NULL(strstr(scripts->libs_message, "library"));
    CU_ASSERT_PTR_NOT_NULL(strstr(scripts->libs_file, "common.lua"));
    expect_value("beta");
    load(); /* as long as it is broken */
    CU_ASSERT_STRING_EQUAL(named("beta")->source->hash, hash);
    lib("mended");
    load();
    CU_ASSERT_STRING_EQUAL(scripts->libs_message, "");
    CU_ASSERT_STRING_NOT_EQUAL(named("beta")->source->hash, hash);
    end();
}

/* Each version once, by the worker that goes first. */
static void test_only_versions_that_have_not_passed_are_checked(void)
{
    char mark[PATH_MAX];
    rig_checks = true;
    begin("check fail");
    expect("b", PT_SCRIPT_FAILED, "its check fails");
    kit_path(mark, "mark");
    kit_write(mark, "");
    kit_script("b", "name beta\nunless %s\ncheck fail\n", mark);
    load();
    expect("beta", PT_SCRIPT_LIVE, "");
    unlink(mark); /* from now on it would fail */
    load();
    expect("beta", PT_SCRIPT_LIVE, "");
    kit_script("a", "name alpha\nrun crash\n");
    load();
    run_unit(abc, 1); /* and so it would in the worker that takes the dead one's place */
    expect_value("beta");
    kit_script("b", "name beta\nunless %s\ncheck fail\n# changed\n", mark);
    load();
    expect("beta", PT_SCRIPT_PREVIOUS, "its check fails");
    expect_value("beta");
    rig_checks = false;
    end();
}

/* Loading or a call of the check: the worker does not say which, so both budgets are named. */
static void test_an_end_in_the_check_says_where(void)
{
    rig_checks = true;
    begin("run value");
    kit_script("b", "name beta\ncheck budget\n");
    load();
    expect("beta", PT_SCRIPT_PREVIOUS, "loading may take 50 ms, a call 50 ms");
    CU_ASSERT_EQUAL(named("beta")->error_line, 7);
    CU_ASSERT_PTR_NOT_NULL(strstr(named("beta")->error_file, "/b.lua"));
    kit_script("b", "name beta\ncheck crash\n");
    load();
    expect("beta", PT_SCRIPT_PREVIOUS, "(SIGSEGV) while it was loaded or checked");
    CU_ASSERT_EQUAL(named("beta")->error_line, 7);
    rig_checks = false;
    end();
}

static void test_what_a_reader_asks_for_quarantines_nothing(void)
{
    begin("run crash");
    const struct pt_unit unit = { .symbol = "BTCUSDT",
                                  .period_us = PT_US_HOUR,
                                  .as_of_us = T0,
                                  .n = 1,
                                  .names = &abc[1],
                                  .urgent = true };
    for (int i = 0; i < 5; i++) {
        OK(pt_pool_submit(pool, &unit, on_unit, loop, &kit_err));
        OK(pt_loop_run(loop, &kit_err));
        CU_ASSERT_STRING_EQUAL(text_of(0, "status"), "error");
    }
    expect("beta", PT_SCRIPT_LIVE, "");
    end();
}

static void test_three_deaths_quarantine_a_version(void)
{
    struct pt_pool_stats stats;
    begin("run crash");
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(named("beta")->status, PT_SCRIPT_LIVE);
        OK(submit(abc, 3, NULL));
        for (unsigned before = answers; answers == before;) OK(pt_loop_run(loop, &kit_err));
        expect_ok(0);
        expect_ok(2);
    }
    expect("beta", PT_SCRIPT_QUARANTINED, "3 times it ended its worker");
    CU_ASSERT_PTR_NOT_NULL(strstr(named("beta")->message, "SIGSEGV"));
    CU_ASSERT_EQUAL(scripts->generation, 2);
    pt_pool_stats(pool, &stats);
    CU_ASSERT_EQUAL(stats.deaths, 3);
    CU_ASSERT_EQUAL(stats.quarantines, 1);
    run_unit(abc, 3); /* it is not run any more, and says so */
    expect_ok(0);
    CU_ASSERT_STRING_EQUAL(text_of(1, "status"), "quarantined");
    CU_ASSERT_STRING_EQUAL(text_of(1, "metadata.reasons.value"), "script_quarantined");
    CU_ASSERT_PTR_NOT_NULL(strstr(text_of(1, "metadata.error.message"), "SIGSEGV"));
    expect_ok(2);
    run_unit(&abc[1], 1);
    CU_ASSERT_STRING_EQUAL(text_of(0, "status"), "quarantined");
    pt_pool_stats(pool, &stats);
    CU_ASSERT_EQUAL(stats.deaths, 3);
    load(); /* the same file: it stays out */
    expect("beta", PT_SCRIPT_QUARANTINED, "SIGSEGV");
    kit_script("b", "name beta\nrun value\n");
    load();
    expect("beta", PT_SCRIPT_LIVE, "");
    expect_value("beta");
    kit_script("b",
               "name beta\nload fail\n"); /* and a version that was out is none to go back to */
    load();
    expect("beta", PT_SCRIPT_PREVIOUS, "told to fail");
    end();
}

static void test_those_that_need_a_quarantined_script_are_given_nothing(void)
{
    begin("run crash");
    kit_script("c", "name gamma\nneeds beta\n");
    load();
    for (int i = 0; i < 3; i++) {
        OK(submit(&abc[1], 1, NULL));
        for (unsigned before = answers; answers == before;) OK(pt_loop_run(loop, &kit_err));
    }
    expect("beta", PT_SCRIPT_QUARANTINED, "");
    expect("gamma", PT_SCRIPT_LIVE, "");
    run_unit(&abc[2], 1);
    expect_ok(0);
    CU_ASSERT_STRING_EQUAL(text_of(0, "metadata.seen"), ""); /* beta was not run before it */
    end();
}

static void test_a_caller_s_own_parameters_quarantine_nothing(void)
{
    bson_t params = BSON_INITIALIZER;
    const bson_t *list = &params;
    begin("param window int 20 2 500\nrun crash");
    OK(pt_script_param(named("beta"), "window", "30", &params, &kit_err));
    for (int i = 0; i < 5; i++) {
        OK(submit(&abc[1], 1, &list));
        OK(pt_loop_run(loop, &kit_err));
        CU_ASSERT_STRING_EQUAL(text_of(0, "status"), "error");
    }
    expect("beta", PT_SCRIPT_LIVE, "");
    bson_destroy(&params);
    end();
}

/* ---- trying -------------------------------------------------------------------------------- */

static unsigned tries;
static size_t ntrials;

static void on_tried(void *arg, struct pt_scripts *tried, const struct pt_trial *trials, size_t n,
                     const struct pt_err *err)
{
    (void)arg;
    tries++;
    CU_ASSERT_PTR_NULL(err);
    pt_scripts_unref(scripts);
    scripts = pt_scripts_ref(tried);
    ntrials = n;
    for (size_t i = 0; i < n; i++) {
        double value = 0;
        CU_ASSERT_STRING_EQUAL(trials[i].name, "beta");
        CU_ASSERT_EQUAL(trials[i].period_us, PT_US_HOUR);
        CU_ASSERT_STRING_EQUAL(trials[i].symbol, i == 0 ? "AAAUSDT" : "BTCUSDT");
        CU_ASSERT(pt_doc_double(trials[i].doc, "data.value", &value));
    }
    pt_loop_stop(loop);
}

static void test_trying_a_set_changes_nothing(void)
{
    struct pt_sources sources = { 0 };
    begin_with_store("run value");
    kit_script("b", "name beta\nrun value\n# new\n");
    kit_script("c", "name gamma\nload fail\n");
    OK(pt_sources_read(conf, &sources, &kit_err));
    OK(pt_pool_try(pool, conf, &sources, on_tried, NULL, &kit_err));
    tries = 0;
    while (tries == 0) OK(pt_loop_run(loop, &kit_err));
    CU_ASSERT_EQUAL(ntrials, 2);
    expect("beta", PT_SCRIPT_LIVE, "");
    expect("gamma", PT_SCRIPT_PREVIOUS, "told to fail");
    CU_ASSERT_EQUAL(loads, 1);
    load(); /* of the live set nothing had changed, so this is the second generation */
    CU_ASSERT_EQUAL(scripts->generation, 2);
    end();
}

static CU_TestInfo tests[] = {
    { "the last good version stays", test_the_last_good_version_stays },
    { "where it failed is said of the file as it is",
      test_where_it_failed_is_said_of_the_file_as_it_is },
    { "a new script that fails has no version to stay",
      test_a_new_script_that_fails_has_no_version_to_stay },
    { "a file that cannot be read is in nobody's way",
      test_a_file_that_cannot_be_read_stands_in_nobody_s_way },
    { "a removed file is gone", test_a_removed_file_is_gone },
    { "rules between scripts fall back too", test_rules_between_scripts_fall_back_too },
    { "a taken name names both files", test_a_taken_name_names_both_files },
    { "a live script keeps its name", test_a_live_script_keeps_its_name },
    { "a later folder wins where that is said", test_a_later_folder_wins_where_that_is_said },
    { "a changed script is tried on stored windows",
      test_a_changed_script_is_tried_on_stored_windows },
    { "what did not change is not tried", test_what_did_not_change_is_not_tried },
    { "a change that breaks those that need it is not taken",
      test_a_change_that_breaks_those_that_need_it_is_not_taken },
    { "a change is not blamed for what failed before",
      test_a_change_is_not_blamed_for_what_failed_before },
    { "parameters of the configuration are tried", test_parameters_of_the_configuration_are_tried },
    { "libraries stay when they break others", test_libraries_stay_when_they_break_others },
    { "only versions that have not passed are checked",
      test_only_versions_that_have_not_passed_are_checked },
    { "an end in the check says where", test_an_end_in_the_check_says_where },
    { "what a reader asks for quarantines nothing",
      test_what_a_reader_asks_for_quarantines_nothing },
    { "three deaths quarantine a version", test_three_deaths_quarantine_a_version },
    { "those that need a quarantined script get nothing",
      test_those_that_need_a_quarantined_script_are_given_nothing },
    { "a caller's own parameters quarantine nothing",
      test_a_caller_s_own_parameters_quarantine_nothing },
    { "trying a set changes nothing", test_trying_a_set_changes_nothing },
    CU_TEST_INFO_NULL
};

int main(void)
{
    pt_log_set_level(PT_QUIET);
    return pt_suite_main("flow.versions", tests);
}
