/* test_reload.c - the engine takes new scripts and a new configuration while it runs. */
#include "house.h"

#include <signal.h>

/* ---- asking ---------------------------------------------------------------------------------
 * Scenarios run beside the engine's thread, so they answer with a bool; GOOD says where it failed.
 */

#define GOOD(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("\n  %s:%d: %s\n", __FILE__, __LINE__, #condition);                             \
            return stop_with(false);                                                               \
        }                                                                                          \
    } while (0)

struct asked {
    atomic_bool done;
    bson_t *doc;
    struct pt_err err;
};

static void on_outcome(void *arg, const bson_t *outcome, const struct pt_err *err)
{
    struct asked *asked = arg;
    if (outcome) asked->doc = bson_copy(outcome);
    if (err) asked->err = *err;
    atomic_store(&asked->done, true);
}

static bool wait_for(struct asked *asked)
{
    for (int i = 0; i < 30000 && !atomic_load(&asked->done); i++) usleep(1000);
    return atomic_load(&asked->done);
}

/* The newest outcome; NULL when none came. */
static bson_t *last;

static bool reload(bool diff)
{
    struct asked asked = { .doc = NULL };
    bson_destroy(last);
    last = NULL;
    if (pt_engine_reload(engine, diff, on_outcome, &asked, NULL) != PT_OK || !wait_for(&asked))
        return false;
    last = asked.doc;
    return last != NULL;
}

static bool ok(void)
{
    bool good = false;
    return pt_doc_bool(last, "ok", &good) && good;
}

static const char *text_at(const char *path)
{
    const char *text = "";
    pt_doc_text(last, path, &text);
    return text;
}

/* A key of the entry of that name in a list of the outcome; "" when there is none. */
static const char *of(const char *list, const char *name, const char *key)
{
    bson_t entries, entry;
    bson_iter_t iter;
    const char *text = "", *other;
    if (!pt_doc_child(last, list, &entries) || !bson_iter_init(&iter, &entries)) return "";
    while (bson_iter_next(&iter)) {
        uint32_t len = 0;
        const uint8_t *data = NULL;
        bson_iter_document(&iter, &len, &data);
        if (bson_init_static(&entry, data, len) && pt_doc_text(&entry, "name", &other) &&
            strcmp(other, name) == 0)
            pt_doc_text(&entry, key, &text);
    }
    return text;
}

static bool is(const char *name, const char *verdict)
{
    bool same = strcmp(of("scripts", name, "verdict"), verdict) == 0;
    if (!same) printf("\n  %s is '%s', not %s\n", name, of("scripts", name, "verdict"), verdict);
    return same;
}

static bool lists(const char *path, const char *word)
{
    bson_t list;
    bson_iter_t iter;
    if (!pt_doc_child(last, path, &list) || !bson_iter_init(&iter, &list)) return false;
    while (bson_iter_next(&iter))
        if (strcmp(bson_iter_utf8(&iter, NULL), word) == 0) return true;
    return false;
}

static uint64_t reloads(void)
{
    struct pt_engine_stats stats;
    pt_engine_stats(engine, &stats);
    return stats.reloads;
}

/* ---- configuration: that of the test, and what is set over it ----------------------------------
 */

static char over[8][200];
static _Atomic(const char *) mistakes;

static void want(size_t i, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void want(size_t i, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(over[i], sizeof over[i], fmt, args);
    va_end(args);
}

static enum pt_code read_again(void *arg, struct pt_conf **out, struct pt_err *err)
{
    (void)arg;
    struct pt_conf *made = NULL;
    struct pt_buf text = { 0 };
    if (atomic_load(&mistakes)) return pt_fail(err, PT_EINVAL, "%s", atomic_load(&mistakes));
    pt_conf_print(conf, &text);
    enum pt_code rc = pt_conf_new(&made, err);
    if (rc == PT_OK) rc = pt_conf_load_text(made, "again", text.data, text.len, err);
    for (size_t i = 0; rc == PT_OK && i < sizeof over / sizeof *over; i++)
        if (over[i][0]) rc = pt_conf_set(made, over[i], err);
    pt_buf_fini(&text);
    if (rc != PT_OK) pt_conf_free(made);
    *out = rc == PT_OK ? made : NULL;
    return rc;
}

static void start(void)
{
    begin();
    reread = read_again;
    memset(over, 0, sizeof over);
    atomic_store(&mistakes, NULL);
}

static void finish(void)
{
    bson_destroy(last);
    last = NULL;
    reread = NULL;
    end();
}

/* ---- scripts --------------------------------------------------------------------------------
 */

static void *nothing_changed(void *arg)
{
    (void)arg;
    int64_t generation = 0;
    GOOD(pt_engine_outcome(engine) == NULL);
    GOOD(reload(false) && ok());
    GOOD(pt_doc_int(last, "generation", &generation) && generation == 2);
    GOOD(is("alpha", "live") && is("beta", "live"));
    GOOD(pt_engine_generation(engine) == 2 && reloads() == 1);
    bson_t *kept = pt_engine_outcome(engine);
    bool same = kept && bson_equal(kept, last);
    bson_destroy(kept);
    return stop_with(same);
}

static void test_the_generation_grows_even_when_nothing_changed(void)
{
    start();
    CU_ASSERT_TRUE(serve(nothing_changed));
    finish();
}

static void *all_verdicts(void *arg)
{
    char path[PATH_MAX];
    struct pt_engine_stats stats;
    (void)arg;
    kit_script("a", "name alpha\nevery 1h 1d\n# new\n");
    kit_script("b", "name beta\nevery 1h\nload fail\n");
    kit_script("d", "name delta\n");
    kit_script("e", "load fail\n");
    kit_path(path, "scripts/calculators/c.lua");
    unlink(path);
    GOOD(reload(false) && !ok());
    GOOD(is("alpha", "changed") && is("beta", "previous") && is("gamma", "removed"));
    GOOD(is("delta", "added") && is("e", "failed"));
    GOOD(strstr(of("scripts", "beta", "file"), "/b.lua"));
    GOOD(strcmp(of("scripts", "beta", "message"), "it was told to fail") == 0);
    pt_engine_stats(engine, &stats);
    GOOD(stats.reloads == 1 && stats.reload_failures == 1 && stats.last_reload_us > 0);
    kit_script("b", "name beta\nevery 1h\nneeds alpha\n# mended\n");
    kit_path(path, "scripts/calculators/e.lua");
    unlink(path);
    GOOD(reload(false) && ok() && is("beta", "changed") && is("alpha", "live"));
    return stop_with(is("e", "removed"));
}

static void test_each_script_has_its_verdict(void)
{
    start();
    kit_script("c", "name gamma\n");
    CU_ASSERT_TRUE(serve(all_verdicts));
    finish();
}

/* ---- configuration --------------------------------------------------------------------------
 */

static void *mistaken(void *arg)
{
    (void)arg;
    kit_script("a", "name alpha\nevery 1h\n# new\n");
    atomic_store(&mistakes, "a.conf:2: unknown key http.prt; a.conf:3: unknown section [stroe]");
    GOOD(reload(false) && !ok());
    GOOD(strstr(text_at("error"), "prt") && strstr(text_at("error"), "stroe"));
    GOOD(pt_engine_generation(engine) == 1 && strcmp(of("scripts", "alpha", "name"), "") == 0);
    atomic_store(&mistakes, NULL);
    want(0, "feed puppet.number=1000");
    want(1, "store.keep=nonsense");
    GOOD(reload(false) && !ok());
    GOOD(strstr(text_at("error"), "number = 1000") && strstr(text_at("error"), "nonsense"));
    want(0, "%s", "");
    want(1, "calculator alpha.widow=3");
    GOOD(reload(false) && !ok() && strstr(text_at("error"), "widow"));
    GOOD(!lists("config.changed", "calculator alpha.widow")); /* nothing was applied */
    GOOD(pt_engine_generation(engine) == 1);
    want(1, "scripts.path=/nowhere");
    GOOD(reload(false) && !ok() && strstr(text_at("error"), "/nowhere"));
    GOOD(!atomic_load(&puppet->drained));
    want(1, "%s", "");
    GOOD(reload(false) && ok() && is("alpha", "changed"));
    return stop_with(pt_engine_generation(engine) == 2);
}

static void test_a_mistake_in_the_configuration_keeps_all(void)
{
    start();
    serve_conf();
    CU_ASSERT_TRUE(serve(mistaken));
    finish();
}

static void *configured(void *arg)
{
    (void)arg;
    want(0, "http.port=8123");
    want(1, "cycle.interval=7m");
    want(2, "calculator alpha.window=9");
    kit_script("a", "name alpha\nevery 1h\nparam window int 20 2 500\n");
    GOOD(reload(false) && ok());
    GOOD(lists("config.changed", "cycle.interval") && lists("config.restart", "http.port"));
    GOOD(lists("config.changed", "calculator alpha.window"));
    GOOD(!lists("config.changed", "http.port") && !lists("config.restart", "cycle.interval"));
    struct pt_conf *now = pt_engine_conf(engine);
    bool live = pt_conf_int(now, "cycle", "interval") == 7 * PT_US_MIN;
    pt_conf_free(now);
    GOOD(live);
    struct pt_scripts *scripts = pt_engine_scripts(engine);
    int64_t window = 0;
    const struct pt_script *alpha = pt_scripts_find(scripts, "alpha");
    bool set = alpha && pt_doc_int(alpha->declaration, "params.0.default", &window) && window == 9;
    pt_scripts_unref(scripts);
    GOOD(set);
    GOOD(reload(false) && ok()); /* what needs a restart is said as long as it does */
    return stop_with(lists("config.restart", "http.port") &&
                     !lists("config.changed", "cycle.interval"));
}

static void test_what_is_applied_and_what_needs_a_restart_is_told(void)
{
    start();
    CU_ASSERT_TRUE(serve(configured));
    finish();
}

/* A section that was good until now is no reason to keep everybody's edits out. */
static void *edited_beside_a_section(void *arg)
{
    char path[PATH_MAX];
    (void)arg;
    kit_script("a", "name alpha\nevery 1h\n# without it\n");
    kit_script("b", "name beta\nevery 1h\n# new\n");
    GOOD(reload(false) && !ok());
    GOOD(is("alpha", "previous") && is("beta", "changed"));
    GOOD(strstr(of("scripts", "alpha", "message"), "no parameter 'window'"));
    kit_script("a", "name alpha\nevery 1h\nparam window int 20 10 500\n"); /* 9 is too few now */
    GOOD(reload(false) && is("alpha", "previous"));
    GOOD(!lists("config.unused", "calculator alpha"));
    want(0, "calculator alpha.window=8"); /* and this is the configuration's own mistake */
    GOOD(reload(false) && strstr(text_at("error"), "window"));
    want(0, "%s", "");
    kit_path(path, "scripts/calculators/a.lua");
    unlink(path);
    GOOD(reload(false) && ok() && is("alpha", "removed"));
    GOOD(lists("config.unused", "calculator alpha"));
    want(0, "calculator nobody.window=9");
    return stop_with(reload(false) && strstr(text_at("error"), "nobody"));
}

static void test_a_section_that_was_good_keeps_only_its_script(void)
{
    start();
    kit_script("a", "name alpha\nevery 1h\nparam window int 20 2 500\n");
    kit_script("b", "name beta\nevery 1h\n");
    kit_set(conf, "calculator alpha.window=9");
    CU_ASSERT_TRUE(serve(edited_beside_a_section));
    finish();
}

/* ---- feeds ----------------------------------------------------------------------------------
 */

static void deliver_bars(int from, int n)
{
    for (int i = from; i < from + n; i++)
        deliver(market_kline("BTCUSDT", T0 + i * PT_US_MIN, "120.00", true));
}

static bool until_acked(uint64_t tag)
{
    for (int i = 0; i < 20000 && atomic_load(&puppet->acked) < tag; i++) usleep(1000);
    return atomic_load(&puppet->acked) == tag;
}

static void *feeds_change(void *arg)
{
    (void)arg;
    deliver_bars(0, 300);
    GOOD(reload(false) && ok());
    GOOD(!atomic_load(&puppet->drained) && !atomic_load(&puppet->closed)); /* not touched */
    GOOD(strcmp(of("feeds", "puppet", "action"), "") == 0);
    want(0, "feed puppet.text=second");
    deliver_bars(300, 300);
    GOOD(reload(false) && ok());
    GOOD(strcmp(of("feeds", "puppet", "action"), "reopened") == 0);
    GOOD(strcmp(puppet->text, "second") == 0 && atomic_load(&puppet->closed));
    deliver_bars(600, 300);
    GOOD(until_acked(900)); /* and nothing is lost */
    GOOD(market_rows(pt_engine_store(engine), PT_CANDLES, "BTCUSDT", PT_US_MIN) == 900);
    want(1, "feed.enabled=");
    GOOD(reload(false) && ok() && strcmp(of("feeds", "puppet", "action"), "closed") == 0);
    want(1, "%s", "");
    atomic_store(&puppet->fail_open, true);
    GOOD(reload(false) && !ok() && strstr(of("feeds", "puppet", "error"), "does not want to"));
    atomic_store(&puppet->fail_open, false);
    GOOD(reload(false) && ok()); /* one that did not open is tried again */
    return stop_with(strcmp(of("feeds", "puppet", "action"), "reopened") == 0);
}

static void test_only_feeds_whose_section_changed_are_touched(void)
{
    start();
    serve_conf();
    CU_ASSERT_TRUE(serve(feeds_change));
    finish();
}

/* ---- many at once ---------------------------------------------------------------------------
 */

#define MANY 30

static void *storm(void *arg)
{
    static struct asked asked[MANY];
    (void)arg;
    memset(asked, 0, sizeof asked);
    kit_script("b", "name beta\nevery 1h\nrun slow 150\n# 1\n"); /* tried for a while */
    struct asked first = { .doc = NULL };
    GOOD(pt_engine_reload(engine, false, on_outcome, &first, NULL) == PT_OK);
    usleep(60000);
    GOOD(!atomic_load(&first.done));
    kit_script("b", "name beta\nevery 1h\n# newest\n");
    for (int i = 0; i < MANY; i++) {
        GOOD(pt_engine_reload(engine, false, on_outcome, &asked[i], NULL) == PT_OK);
        kill(getpid(), SIGHUP);
    }
    GOOD(wait_for(&first));
    bson_destroy(first.doc);
    bool all = true;
    for (int i = 0; i < MANY; i++) {
        int64_t generation = 0;
        all = all && wait_for(&asked[i]) && asked[i].doc &&
              pt_doc_int(asked[i].doc, "generation", &generation) && generation == 3;
        bson_destroy(asked[i].doc);
    }
    GOOD(all);
    usleep(100000);
    GOOD(reloads() == 2); /* exactly one more */
    struct pt_scripts *scripts = pt_engine_scripts(engine);
    const struct pt_script *beta = pt_scripts_find(scripts, "beta");
    bool newest = beta && strstr(beta->source->text, "newest");
    pt_scripts_unref(scripts);
    return stop_with(newest);
}

static void test_wishes_during_a_reload_are_one_more_with_the_newest(void)
{
    start();
    fill_store();
    CU_ASSERT_TRUE(serve(storm));
    finish();
}

static void *end_in_the_middle(void *arg)
{
    static struct asked asked[2];
    (void)arg;
    memset(asked, 0, sizeof asked);
    kit_script("b", "name beta\nevery 1h\nrun slow 150\n# 1\n");
    GOOD(pt_engine_reload(engine, false, on_outcome, &asked[0], NULL) == PT_OK);
    GOOD(pt_engine_reload(engine, true, on_outcome, &asked[1], NULL) == PT_OK);
    usleep(60000);
    stop_with(true);
    bool told = wait_for(&asked[0]) && wait_for(&asked[1]) && asked[0].err.code == PT_ECANCEL &&
                asked[1].err.code == PT_ECANCEL;
    return told ? engine : NULL;
}

static void test_an_end_in_the_middle_is_told_to_those_who_wait(void)
{
    start();
    fill_store();
    CU_ASSERT_TRUE(serve(end_in_the_middle));
    CU_ASSERT_EQUAL(pt_engine_reload(engine, false, on_outcome, NULL, &kit_err), PT_ECANCEL);
    finish();
}

static void *by_signal(void *arg)
{
    (void)arg;
    kit_script("a", "name alpha\nevery 1h\n# new\n");
    kill(getpid(), SIGHUP);
    for (int i = 0; i < 20000 && reloads() < 1; i++) usleep(1000);
    return stop_with(pt_engine_generation(engine) == 2);
}

static void test_a_hangup_reloads(void)
{
    start();
    CU_ASSERT_TRUE(serve(by_signal));
    finish();
}

static void *by_watching(void *arg)
{
    char path[PATH_MAX];
    (void)arg;
    kit_path(path, "scripts/calculators/notes.txt");
    kit_write(path, "no script");
    usleep(400000);
    GOOD(reloads() == 0);
    kit_script("a", "name alpha\nevery 1h\n# new\n");
    for (int i = 0; i < 20000 && reloads() < 1; i++) usleep(1000);
    GOOD(pt_engine_generation(engine) == 2);
    kit_path(path, "scripts/anomalies");
    mkdir(path, 0700);
    for (int i = 0; i < 20000 && reloads() < 2; i++) usleep(1000);
    kit_path(path, "scripts/anomalies/n.lua"); /* in a folder that was not there */
    kit_write(path, "name nu\nkind anomaly\n");
    for (int i = 0; i < 20000 && reloads() < 3; i++) usleep(1000);
    struct pt_scripts *scripts = pt_engine_scripts(engine);
    bool found = pt_scripts_find(scripts, "nu") != NULL;
    pt_scripts_unref(scripts);
    return stop_with(found);
}

static void test_watching_reloads_when_a_script_changes(void)
{
    start();
    kit_set(conf, "scripts.watch=yes");
    CU_ASSERT_TRUE(serve(by_watching));
    finish();
}

static bool until_reloads(uint64_t n)
{
    for (int i = 0; i < 20000 && reloads() < n; i++) usleep(1000);
    return reloads() >= n;
}

static bool says(const char *name, const char *words)
{
    struct pt_scripts *scripts = pt_engine_scripts(engine);
    const struct pt_script *script = pt_scripts_find(scripts, name);
    bool good = script && strstr(script->source->text, words);
    pt_scripts_unref(scripts);
    return good;
}

static void *by_links(void *arg)
{
    char to[PATH_MAX], path[PATH_MAX];
    (void)arg;
    kit_path(path, "far.lua"); /* what the script is a link to */
    kit_write(path, "name far\n# edited\n");
    GOOD(until_reloads(1) && says("far", "edited"));
    kit_path(path, "new"); /* the folder is a link, and now leads elsewhere */
    kit_path(to, "current");
    GOOD(symlink("second", path) == 0 && rename(path, to) == 0);
    GOOD(until_reloads(2) && says("mine", "second"));
    kit_path(path, "second/mine.lua");
    kit_write(path, "name mine\n# third\n");
    GOOD(until_reloads(3) && says("mine", "third"));
    kit_path(path, "notes.lua"); /* beside the link is nothing of ours */
    kit_write(path, "no script");
    usleep(500000);
    return stop_with(reloads() == 3);
}

static void test_links_are_watched_on_both_ends(void)
{
    char path[PATH_MAX], to[PATH_MAX];
    start();
    static const char *const folders[] = { "first", "second", NULL };
    for (size_t i = 0; folders[i]; i++) {
        kit_path(path, "%s", folders[i]);
        CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
        kit_path(path, "%s/mine.lua", folders[i]);
        kit_write(path, i == 0 ? "name mine\n" : "name mine\n# second\n");
    }
    kit_path(path, "current");
    CU_ASSERT_EQUAL_FATAL(symlink("first", path), 0);
    kit_path(to, "far.lua");
    kit_write(to, "name far\n");
    kit_path(path, "scripts/calculators/far.lua");
    CU_ASSERT_EQUAL_FATAL(symlink(to, path), 0);
    kit_set(conf, "scripts.watch=yes");
    kit_set(conf, "scripts.path=%s/scripts,%s/current", kit_dir, kit_dir);
    CU_ASSERT_TRUE(serve(by_links));
    finish();
}

static void *edited_at_the_start(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20000 && reloads() < 1; i++) usleep(1000);
    struct pt_scripts *scripts = pt_engine_scripts(engine);
    const struct pt_script *alpha = pt_scripts_find(scripts, "alpha");
    bool edited = alpha && strstr(alpha->source->text, "edited");
    pt_scripts_unref(scripts);
    return stop_with(edited);
}

/* The files were read, but nothing runs yet. */
static void test_an_edit_while_it_starts_is_seen(void)
{
    char mark[PATH_MAX], file[PATH_MAX];
    start();
    kit_path(mark, "mark");
    kit_path(file, "scripts/calculators/a.lua");
    kit_script("b", "name beta\nonce %s\nedits %s\n", mark, file);
    kit_set(conf, "scripts.watch=yes");
    CU_ASSERT_TRUE(serve(edited_at_the_start));
    finish();
}

/* ---- only to see ----------------------------------------------------------------------------
 */

static void *see_only(void *arg)
{
    int64_t total = 0;
    double old = 0, new = 0;
    (void)arg;
    kit_script("b", "name beta\nevery 1h\nneeds alpha\noffset 5\n");
    kit_script("c", "name gamma\nload fail\n");
    kit_script("d", "name delta\n");
    GOOD(reload(true) && !ok());
    GOOD(is("alpha", "live") && is("beta", "changed") && is("c", "failed") && is("delta", "added"));
    GOOD(pt_doc_int(last, "differences_total", &total) && total == 3); /* three symbols */
    GOOD(strcmp(text_at("differences.0.script"), "beta") == 0);
    GOOD(strcmp(text_at("differences.0.symbol"), "BNBUSDT") == 0);
    GOOD(strcmp(text_at("differences.0.period"), "1h") == 0);
    GOOD(strcmp(text_at("differences.0.output"), "value") == 0);
    GOOD(pt_doc_double(last, "differences.0.old", &old) &&
         pt_doc_double(last, "differences.0.new", &new) && new == old + 5);
    GOOD(pt_engine_generation(engine) == 1 && reloads() == 0);
    GOOD(pt_engine_outcome(engine) == NULL);
    return stop_with(reload(false) && is("beta", "changed") && pt_engine_generation(engine) == 2);
}

/* What needs a changed script gives other values, too. */
static void *see_dependents(void *arg)
{
    int64_t total = 0, windows = -1;
    (void)arg;
    kit_script("a", "name alpha\nevery 1h\nlend 7\n");
    GOOD(reload(true) && ok());
    GOOD(is("alpha", "changed") && is("beta", "live"));
    GOOD(pt_doc_int(last, "differences_total", &total) && total == 3);
    GOOD(strcmp(text_at("differences.0.script"), "beta") == 0);
    GOOD(pt_doc_int(last, "windows_tried", &windows) && windows == 6);
    GOOD(reload(false) && ok() && reload(true) && ok());
    return stop_with(pt_doc_int(last, "windows_tried", &windows) && windows == 0);
}

static void test_a_diff_shows_values_of_those_that_need_it(void)
{
    start();
    fill_store();
    CU_ASSERT_TRUE(serve(see_dependents));
    finish();
}

static void test_a_diff_shows_and_changes_nothing(void)
{
    start();
    fill_store();
    CU_ASSERT_TRUE(serve(see_only));
    finish();
}

static CU_TestInfo tests[] = {
    { "the generation grows even when nothing changed",
      test_the_generation_grows_even_when_nothing_changed },
    { "each script has its verdict", test_each_script_has_its_verdict },
    { "a mistake in the configuration keeps all", test_a_mistake_in_the_configuration_keeps_all },
    { "what is applied and what needs a restart is told",
      test_what_is_applied_and_what_needs_a_restart_is_told },
    { "a section that was good keeps only its script",
      test_a_section_that_was_good_keeps_only_its_script },
    { "only feeds whose section changed are touched",
      test_only_feeds_whose_section_changed_are_touched },
    { "wishes during a reload are one more",
      test_wishes_during_a_reload_are_one_more_with_the_newest },
    { "an end in the middle is told", test_an_end_in_the_middle_is_told_to_those_who_wait },
    { "a hangup reloads", test_a_hangup_reloads },
    { "watching reloads when a script changes", test_watching_reloads_when_a_script_changes },
    { "links are watched on both ends", test_links_are_watched_on_both_ends },
    { "an edit while it starts is seen", test_an_edit_while_it_starts_is_seen },
    { "a diff shows values of those that need it, too",
      test_a_diff_shows_values_of_those_that_need_it },
    { "a diff shows and changes nothing", test_a_diff_shows_and_changes_nothing },
    CU_TEST_INFO_NULL
};

int main(void)
{
    pt_log_set_level(PT_QUIET);
    return pt_suite_main("flow.reload", tests);
}
