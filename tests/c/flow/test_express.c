/* test_express.c - the worker that takes only what somebody waits for, and what gives way to it. */
#include "rig.h"

#include "base/clock.h"

#include <signal.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* alpha and beta as ordered, gamma takes 20 ms. */
static void begin(const char *alpha, const char *beta)
{
    three_scripts(beta);
    kit_script("a", "name alpha\n%s\n", alpha);
    kit_script("c", "name gamma\nrun slow 20\n");
    rig_express = true;
    open_pool(1, 10000000);
    load();
}

static void end(void)
{
    forget();
    close_pool();
    rig_express = false;
    rig_worker = NULL;
}

/* ---- what is answered, in which order ----------------------------------------------------------
 */

static char seen[64]; /* a letter for each unit, as they are answered */
static struct pt_err failed;

static void on_letter(void *arg, const struct pt_unit_result *results, size_t n,
                      const struct pt_err *err)
{
    size_t len = strlen(seen);
    (void)results;
    (void)n;
    CU_ASSERT_FATAL(len + 1 < sizeof seen);
    seen[len] = *(const char *)arg;
    seen[len + 1] = '\0';
    if (err) failed = *err;
    pt_loop_stop(loop);
}

static enum pt_code try_to_ask(const char *name, bool urgent, const char *letter)
{
    struct pt_unit unit = { .symbol = "BTCUSDT",
                            .period_us = PT_US_HOUR,
                            .as_of_us = T0,
                            .n = 1,
                            .names = &name,
                            .urgent = urgent };
    return pt_pool_submit(pool, &unit, on_letter, (void *)(size_t)letter, &kit_err);
}

static void ask(const char *name, bool urgent, const char *letter)
{
    OK(try_to_ask(name, urgent, letter));
}

static void until(size_t n)
{
    while (strlen(seen) < n) OK(pt_loop_run(loop, &kit_err));
}

static unsigned busy(void)
{
    struct pt_pool_stats stats;
    pt_pool_stats(pool, &stats);
    return stats.busy;
}

/* Both have loaded: two urgent units are under way at once. */
static void wait_for_both(void)
{
    unsigned both;
    do {
        seen[0] = '\0';
        ask("gamma", true, "g");
        ask("gamma", true, "g");
        both = busy();
        until(2);
    } while (both < 2);
    seen[0] = '\0';
}

static void test_who_waits_goes_past_slow_units(void)
{
    begin("run value", "run slow 300");
    wait_for_both();
    for (int i = 0; i < 3; i++) ask("beta", false, "n");
    for (int i = 0; i < 4; i++) ask("alpha", true, "u");
    until(7);
    CU_ASSERT_STRING_EQUAL(seen, "uuuunnn");
    end();
}

static void test_what_nobody_waits_for_never_goes_express(void)
{
    begin("run value", "run slow 50");
    wait_for_both();
    for (int i = 0; i < 4; i++) ask("beta", false, "n");
    CU_ASSERT_EQUAL(busy(), 1);
    until(4);
    end();
}

static void test_who_waits_leaves_the_other_one_free(void)
{
    begin("run value", "run slow 300");
    wait_for_both();
    ask("beta", true, "u");
    ask("alpha", false, "n");
    until(2);
    CU_ASSERT_STRING_EQUAL(seen, "nu");
    end();
}

static void test_many_who_wait_take_both(void)
{
    begin("run value", "run value");
    wait_for_both();
    for (int i = 0; i < 5; i++) ask("gamma", true, "u");
    CU_ASSERT_EQUAL(busy(), 2);
    until(5);
    end();
}

/* ---- who gives way -----------------------------------------------------------------------------
 */

struct pids {
    int express, other; /* 0: none */
};

/* Those that have no more nice than this process, and those that have. */
static struct pids look(void)
{
    struct pids pids = { 0 };
    char path[64];
    int own = getpriority(PRIO_PROCESS, 0);
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *children = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(children);
    for (int pid; fscanf(children, "%d", &pid) == 1;)
        *(getpriority(PRIO_PROCESS, (id_t)pid) == own ? &pids.express : &pids.other) = pid;
    fclose(children);
    return pids;
}

/* As sched_getattr(2) has it. */
static uint64_t turn_of(int pid)
{
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } read = { 0 };
    CU_ASSERT_EQUAL(syscall(SYS_sched_getattr, pid, &read, sizeof read, 0), 0);
    return read.runtime;
}

/* What the load message told it. */
static bool was_told_to_give_way(int pid)
{
    char path[64], name[32] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    FILE *comm = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(comm);
    CU_ASSERT_PTR_NOT_NULL(fgets(name, sizeof name, comm));
    fclose(comm);
    return strcmp(name, "gives way\n") == 0;
}

static void test_all_but_the_express_one_give_way(void)
{
    begin("run value", "run value");
    wait_for_both();
    struct pids pids = look();
    CU_ASSERT_NOT_EQUAL_FATAL(pids.express, 0);
    CU_ASSERT_NOT_EQUAL_FATAL(pids.other, 0);
    CU_ASSERT(!was_told_to_give_way(pids.express));
    CU_ASSERT(was_told_to_give_way(pids.other));
    uint64_t turn_ns = turn_of(pids.express), other_ns = turn_of(pids.other);
    /* before Linux 6.12 there is none to read; whoever has another policy keeps it */
    CU_ASSERT(turn_ns < other_ns || other_ns == 0 || sched_getscheduler(0) != SCHED_OTHER);
    end();
}

static void test_a_killed_express_worker_is_replaced(void)
{
    char mark[PATH_MAX];
    struct pt_pool_stats stats;
    begin("run value", "run slow 200");
    kit_path(mark, "mark");
    kit_script("a", "name alpha\nrun crash\nonce %s\n", mark);
    load();
    wait_for_both();
    struct pids before = look();
    ask("beta", false, "n");
    ask("alpha", true, "u");
    until(2);
    CU_ASSERT_STRING_EQUAL(seen, "un");
    pt_pool_stats(pool, &stats);
    CU_ASSERT_EQUAL(stats.deaths, 1);
    wait_for_both();
    struct pids after = look();
    CU_ASSERT_EQUAL(after.other, before.other);
    CU_ASSERT_NOT_EQUAL(after.express, before.express);
    end();
}

/* A host on which nothing can be started any more, and only the express one is left. */
static void test_what_nobody_waits_for_fails_when_only_the_express_one_is_left(void)
{
    char real[PATH_MAX], mark[PATH_MAX];
    static char link[PATH_MAX];
    snprintf(link, sizeof link, "%s/worker-%d", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp",
             (int)getpid());
    kit_beside(real, "fake_worker");
    unlink(link);
    CU_ASSERT_EQUAL_FATAL(symlink(real, link), 0);
    rig_worker = link;
    begin("run value", "run value");
    kit_path(mark, "mark");
    kit_script("b", "name beta\nrun crash\nonce %s\n", mark);
    load();
    wait_for_both();
    unlink(link);
    failed = (struct pt_err){ .code = PT_OK };
    ask("beta", false, "b"); /* its worker ends */
    ask("alpha", false, "n");
    until(2);
    CU_ASSERT_NOT_EQUAL(failed.code, PT_OK);
    CU_ASSERT_NOT_EQUAL(try_to_ask("alpha", false, "n"), PT_OK);
    ask("alpha", true, "u");
    until(3);
    CU_ASSERT_STRING_EQUAL(seen, "bnu");
    end();
}

/* ---- over a reload -----------------------------------------------------------------------------
 */

static bool beta_at[8]; /* was it there at this load? */

static void on_reloaded(void *arg, struct pt_scripts *loaded, const struct pt_err *err)
{
    on_loaded(arg, loaded, err);
    beta_at[loads % 8] = loaded && pt_scripts_find(loaded, "beta");
}

static void reload(void)
{
    struct pt_sources sources = { 0 };
    OK(pt_sources_read(conf, &sources, &kit_err));
    OK(pt_pool_load(pool, conf, &sources, on_reloaded, NULL, &kit_err));
}

static off_t size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_size : 0;
}

/* Changes beta: the second worker that loads it, the express one, does as told. */
static void change_for_the_second(const char *how, char mark[PATH_MAX])
{
    kit_path(mark, "mark");
    kit_script("b", "name beta\nsecond %s\nload %s\nrun value\n", mark, how);
    reload();
}

static void test_the_old_set_answers_until_the_new_express_one_has_loaded(void)
{
    char mark[PATH_MAX];
    size_t answered_before = 0;
    begin("run value", "run value");
    wait_for_both();
    change_for_the_second("slow 300", mark);
    while (loads < 2) {
        seen[0] = '\0';
        ask("alpha", true, "u");
        until(1);
        answered_before += size_of(mark) == 2 && loads < 2; /* while it loads */
    }
    CU_ASSERT(size_of(mark) >= 2);
    CU_ASSERT(answered_before > 0);
    CU_ASSERT_EQUAL(scripts->generation, 2);
    wait_for_both();
    end();
}

/* It is waited for, not judged: the set had passed. */
static void test_a_set_whose_express_worker_is_killed_goes_live(void)
{
    char mark[PATH_MAX];
    begin("run value", "run value");
    wait_for_both();
    change_for_the_second("outside", mark);
    while (loads < 2) OK(pt_loop_run(loop, &kit_err));
    CU_ASSERT_EQUAL(size_of(mark), 2);
    CU_ASSERT_EQUAL(scripts->generation, 2);
    CU_ASSERT_EQUAL(pt_scripts_find(scripts, "beta")->status, PT_SCRIPT_LIVE);
    wait_for_both();
    CU_ASSERT_EQUAL(loads, 2);
    end();
}

static void test_what_fails_only_in_the_express_worker_is_taken_out_of_the_live_set(void)
{
    char mark[PATH_MAX];
    begin("run value", "run value");
    wait_for_both();
    change_for_the_second("fail", mark);
    while (loads < 3) OK(pt_loop_run(loop, &kit_err));
    CU_ASSERT_EQUAL(scripts->generation, 3);
    CU_ASSERT_TRUE(beta_at[2]); /* as the set had passed */
    CU_ASSERT_FALSE(beta_at[3]);
    CU_ASSERT_PTR_NOT_NULL(pt_scripts_find(scripts, "alpha"));
    wait_for_both();
    end();
}

static void test_a_reload_does_not_wait_long_for_a_stopped_express_worker(void)
{
    char mark[PATH_MAX];
    begin("run value", "run value");
    wait_for_both();
    int64_t from_us = pt_mono_us();
    change_for_the_second("stop", mark);
    while (loads < 2) OK(pt_loop_run(loop, &kit_err));
    CU_ASSERT(pt_mono_us() - from_us < 10000000); /* it has 35 s to load */
    CU_ASSERT_EQUAL(scripts->generation, 2);
    for (int i = 0; i < 5; i++) { /* answered by the one that is there */
        seen[0] = '\0';
        ask("alpha", true, "u");
        until(1);
    }
    pid_t stopped = look().express;
    CU_ASSERT_NOT_EQUAL_FATAL(stopped, 0);
    CU_ASSERT_EQUAL(kill(stopped, SIGCONT), 0);
    wait_for_both();
    CU_ASSERT_EQUAL(look().express, stopped);
    CU_ASSERT_EQUAL(loads, 2);
    end();
}

static void test_an_end_while_the_express_one_loads(void)
{
    char mark[PATH_MAX];
    begin("run value", "run value");
    wait_for_both();
    change_for_the_second("hang", mark);
    while (size_of(mark) < 2) {
        seen[0] = '\0';
        ask("alpha", true, "u");
        until(1);
    }
    CU_ASSERT_TRUE(pt_pool_loading(pool));
    end();
}

/* ---- what it is asked before it is live --------------------------------------------------------
 */

static int64_t runs; /* of the worker that answered, this one among them; -1: not answered */

static void on_runs(void *arg, const struct pt_unit_result *results, size_t n,
                    const struct pt_err *err)
{
    (void)arg;
    CU_ASSERT_PTR_NULL_FATAL(err);
    CU_ASSERT_EQUAL_FATAL(n, 1);
    CU_ASSERT_TRUE(pt_doc_int(results[0].doc, "metadata.runs", &runs));
    pt_loop_stop(loop);
}

/* of: its parameter, which alpha has in some tests; 0: without. */
static int64_t runs_of(const char *name, int32_t of)
{
    bson_t *params = bson_new();
    if (of != 0) bson_append_int32(params, "of", -1, of);
    const bson_t *const list[] = { params };
    struct pt_unit unit = { .symbol = "BTCUSDT",
                            .period_us = PT_US_HOUR,
                            .as_of_us = T0,
                            .n = 1,
                            .names = &name,
                            .params = of != 0 ? list : NULL,
                            .urgent = true };
    runs = -1;
    OK(pt_pool_submit(pool, &unit, on_runs, NULL, &kit_err));
    bson_destroy(params);
    while (runs < 0) OK(pt_loop_run(loop, &kit_err));
    return runs;
}

static int64_t runs_with(const char *name)
{
    return runs_of(name, 0);
}

static void change_beta(void)
{
    unsigned before = loads;
    kit_script("b", "name beta\nrun value\noffset %u\n", before);
    reload();
    while (loads == before) OK(pt_loop_run(loop, &kit_err));
}

static void test_what_was_asked_is_asked_of_the_new_one_first(void)
{
    begin("run value", "run value");
    wait_for_both();         /* with gamma */
    ask("beta", false, "n"); /* nobody waits for this one */
    until(1);
    for (int i = 0; i < 3; i++) runs_with("alpha");
    change_beta();
    CU_ASSERT_EQUAL(runs_with("alpha"), 3);
    change_beta();
    CU_ASSERT_EQUAL(runs_with("alpha"), 3);
    end();
}

static void test_at_most_eight_different_ones_are_asked(void)
{
    begin("param of int 100 1 1000\nrun value", "run value");
    wait_for_both();
    for (int of = 1; of <= 9; of++) runs_of("alpha", of);
    change_beta();
    CU_ASSERT_EQUAL(runs_with("gamma"), 8 + 1);
    end();
}

static void test_slow_ones_do_not_hold_up_a_reload(void)
{
    begin("param of int 100 1 1000\nrun slow 300", "run value");
    wait_for_both();
    for (int of = 1; of <= 4; of++) runs_of("alpha", of);
    change_beta();
    int64_t asked = runs_with("gamma") - 1;
    CU_ASSERT(asked == 1 || asked == 2); /* the others would have begun after half a second */
    change_beta();
    CU_ASSERT(runs_with("gamma") > 1);
    end();
}

static void test_a_unit_that_is_gone_is_not_asked(void)
{
    char path[PATH_MAX];
    begin("run value", "run value");
    wait_for_both();
    runs_with("alpha");
    kit_path(path, "scripts/calculators/a.lua");
    CU_ASSERT_EQUAL_FATAL(unlink(path), 0);
    change_beta();
    CU_ASSERT_EQUAL(runs_with("gamma"), 2);
    end();
}

static void test_what_ended_its_worker_is_not_asked_again(void)
{
    char mark[PATH_MAX];
    begin("run value", "run value");
    kit_path(mark, "mark");
    kit_script("a", "name alpha\nrun crash\nonce %s\n", mark);
    load();
    wait_for_both();
    ask("alpha", true, "u");
    until(1);
    CU_ASSERT_EQUAL(size_of(mark), 1);
    wait_for_both();
    change_beta();
    CU_ASSERT_EQUAL(runs_with("gamma"), 2);
    end();
}

/* Its second run is the one that nobody waits for. */
static void test_an_end_over_what_was_asked_judges_nobody(void)
{
    char mark[PATH_MAX];
    struct pt_pool_stats stats;
    begin("run value", "run value");
    kit_path(mark, "mark");
    kit_script("a", "name alpha\nrun crash\nsecond %s\n", mark);
    load();
    for (int i = 0; i < 3; i++) {
        unlink(mark);
        wait_for_both();
        runs_with("alpha");
        change_beta();
        CU_ASSERT_EQUAL(size_of(mark), 2);
    }
    pt_pool_stats(pool, &stats);
    CU_ASSERT_EQUAL(stats.quarantines, 0);
    CU_ASSERT_EQUAL(pt_scripts_find(scripts, "alpha")->status, PT_SCRIPT_LIVE);
    CU_ASSERT_EQUAL(pt_scripts_find(scripts, "beta")->status, PT_SCRIPT_LIVE);
    wait_for_both();
    runs_with("alpha");
    end();
}

static void test_an_end_while_the_new_one_is_asked(void)
{
    begin("run slow 300", "run value");
    wait_for_both();
    runs_with("alpha");
    kit_script("b", "name beta\nrun value\noffset 1\n");
    reload();
    do runs_with("gamma");
    while (busy() == 0 && loads == 1);
    end();
}

static void test_an_express_worker_that_is_late_in_what_was_asked_for_comes_later(void)
{
    begin("run value", "run value");
    wait_for_both();
    runs_with("beta");
    runs_with("alpha");
    kit_script("a", "name alpha\nrun slow 6000\n");
    int64_t from_us = pt_mono_us();
    reload();
    while (loads < 2) OK(pt_loop_run(loop, &kit_err));
    CU_ASSERT(pt_mono_us() - from_us < 5000000);
    CU_ASSERT_EQUAL(scripts->generation, 2);
    do { /* the other one answers */
        seen[0] = '\0';
        ask("gamma", true, "g");
        until(1);
    } while (busy() > 0);
    CU_ASSERT(pt_mono_us() - from_us >= 5000000);
    wait_for_both();
    kit_script("a", "name alpha\nrun value\n");
    reload();
    while (loads < 3) OK(pt_loop_run(loop, &kit_err));
    CU_ASSERT_EQUAL(runs_with("gamma"), 3 + 1); /* for beta there was no time before */
    end();
}

static CU_TestInfo tests[] = {
    { "who waits goes past slow units", test_who_waits_goes_past_slow_units },
    { "what nobody waits for never goes express", test_what_nobody_waits_for_never_goes_express },
    { "who waits leaves the other one free", test_who_waits_leaves_the_other_one_free },
    { "many who wait take both", test_many_who_wait_take_both },
    { "all but the express one give way", test_all_but_the_express_one_give_way },
    { "a killed express worker is replaced", test_a_killed_express_worker_is_replaced },
    { "what nobody waits for fails when only the express one is left",
      test_what_nobody_waits_for_fails_when_only_the_express_one_is_left },
    { "the old set answers until the new express one has loaded",
      test_the_old_set_answers_until_the_new_express_one_has_loaded },
    { "a set whose express worker is killed goes live",
      test_a_set_whose_express_worker_is_killed_goes_live },
    { "what fails only in the express worker is taken out of the live set",
      test_what_fails_only_in_the_express_worker_is_taken_out_of_the_live_set },
    { "a reload does not wait long for a stopped express worker",
      test_a_reload_does_not_wait_long_for_a_stopped_express_worker },
    { "an express worker that is late in what was asked for comes later",
      test_an_express_worker_that_is_late_in_what_was_asked_for_comes_later },
    { "an end while the express one loads", test_an_end_while_the_express_one_loads },
    { "what was asked is asked of the new one first",
      test_what_was_asked_is_asked_of_the_new_one_first },
    { "at most eight different ones are asked", test_at_most_eight_different_ones_are_asked },
    { "slow ones do not hold up a reload", test_slow_ones_do_not_hold_up_a_reload },
    { "a unit that is gone is not asked", test_a_unit_that_is_gone_is_not_asked },
    { "what ended its worker is not asked again", test_what_ended_its_worker_is_not_asked_again },
    { "an end over what was asked judges nobody", test_an_end_over_what_was_asked_judges_nobody },
    { "an end while the new one is asked", test_an_end_while_the_new_one_is_asked },
    CU_TEST_INFO_NULL
};

int main(void)
{
    pt_log_set_level(PT_QUIET);
    return pt_suite_main("flow.express", tests);
}
