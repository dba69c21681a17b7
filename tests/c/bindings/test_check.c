/* test_check.c - scripts of the load message that are to be checked. */
#include "rig.h"

static char folder[64];

static const char pure[] =
    "return calculator { api = 1, name = 'pure', about = 'mean of the closes',\n"
    " every = { '1h' }, needs = { candles = { span = '2d', min = 2 } },\n"
    " outputs = { { 'mean', 'quote' } },\n"
    " compute = function(w) return { mean = w.close:mean() } end }";
static const char counter[] =
    "local calls = 0\n"
    "return calculator { api = 1, name = 'counter', about = 'counts',\n"
    " needs = { candles = { span = '2d', min = 2 } }, outputs = { { 'x', 'none' } },\n"
    " compute = function(w)\n"
    "  calls = calls + 1\n"
    "  return { x = w.close:mean() }\n"
    " end }";
static const char endless[] =
    "return calculator { api = 1, name = 'endless', about = 'ends on no flat market',\n"
    " needs = { candles = { span = '2d', min = 2 } }, outputs = { { 'x', 'none' } },\n"
    " compute = function(w)\n"
    "  local range, x = w.high:max() - w.low:min(), 0\n"
    "  while x < 1 do x = x + range end\n"
    "  return { x = x }\n"
    " end }";
/* prices of made-up markets are below 5000 or so, those of the store at 50000 */
static const char unheard_of[] =
    "return calculator { api = 1, name = 'unheard_of', about = 'knows no large price',\n"
    " every = { '1h' }, needs = { candles = { span = '2d', min = 2 } },\n"
    " outputs = { { 'x', 'none' } },\n"
    " compute = function(w)\n"
    "  if w.close:max() > 20000 then error('a price like this cannot be') end\n"
    "  return { x = w.close:mean() }\n"
    " end }";
static const char needing[] =
    "return regime { api = 1, name = 'needing', about = 'above or below the mean of pure',\n"
    " needs = { metrics = { 'pure' } }, outputs = { { 'state', text { words = { 'high', 'low' } } "
    "} },\n"
    " classify = function(m)\n"
    "  if not m.pure then return { state = null('no_pure') } end\n"
    "  return { state = m.pure.mean > 250 and 'high' or 'low' }\n"
    " end }";
static const char kept_lib[] = "local t = { last = 0 }\n"
                               "function t.keep(x)\n"
                               "  t.last = x\n"
                               "  return x\n"
                               "end\n"
                               "return t";
static const char lib_user[] =
    "local kept = require 'kept'\n"
    "return calculator { api = 1, name = 'lib_user', about = 'keeps in a library',\n"
    " needs = { candles = { span = '2d', min = 2 } }, outputs = { { 'x', 'none' } },\n"
    " compute = function(w) return { x = kept.keep(w.close:mean()) } end }";

/* check: bit i for script i */
static void start(struct rig *rig, bool store, uint32_t check)
{
    rig_check = check;
    memset(rig->folder, 0, sizeof rig->folder);
    if (store) memcpy(rig->folder, folder, sizeof folder);
    rig_start(rig);
}

static void test_a_pure_script_is_taken_and_still_runs(void)
{
    struct rig rig;
    const struct rig_script scripts[] = { { "pure.lua", pure } };
    const char *names[] = { "pure", NULL };
    start(&rig, true, 1);
    bson_t *loaded = rig_load(&rig, &rig_usual, scripts, 1, NULL, 0), doc;
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.0.declaration.name"), "pure");
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.0.checked.kind"), "calculator");
    /* nine markets that are made up, and the one symbol of the store */
    CU_ASSERT_EQUAL(rig_number(loaded, "scripts.0.checked.markets"), 10);
    CU_ASSERT_EQUAL(rig_number(loaded, "scripts.0.checked.calls"), 30);
    CU_ASSERT(rig_number(loaded, "scripts.0.checked.elapsed_us") > 0);
    bson_t *reply = rig_run(&rig, "AAAUSDT", PT_US_HOUR, RIG_NEWEST, names, NULL);
    rig_result(reply, 0, &doc);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "status"), "ok");
    if (loaded) bson_destroy(loaded);
    if (reply) bson_destroy(reply);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

static void test_an_impure_script_is_an_error_with_its_place(void)
{
    struct rig rig;
    const struct rig_script scripts[] = { { "counter.lua", counter }, { "pure.lua", pure } };
    const char *names[] = { "pure", NULL };
    start(&rig, true, 1);
    bson_t *loaded = rig_load(&rig, &rig_usual, scripts, 2, NULL, 0), doc;
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.0.declaration.name"), "(nothing)");
    CU_ASSERT_PTR_NOT_NULL(strstr(rig_text(loaded, "scripts.0.error.message"),
                                  "calls holds 1 after a call, 0 before"));
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.0.error.file"), "counter.lua");
    CU_ASSERT_EQUAL(rig_number(loaded, "scripts.0.error.line"), 5);
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.0.findings.0.message"),
                           rig_text(loaded, "scripts.0.error.message"));
    CU_ASSERT_EQUAL(rig_number(loaded, "scripts.0.findings.0.line"), 5);
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.0.checked.name"), "counter");
    /* who was not to be checked was not */
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.1.declaration.name"), "pure");
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.1.checked.name"), "(nothing)");
    bson_t *reply = rig_run(&rig, "AAAUSDT", PT_US_HOUR, RIG_NEWEST, names, NULL);
    rig_result(reply, 0, &doc);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "status"), "ok");
    if (loaded) bson_destroy(loaded);
    if (reply) bson_destroy(reply);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

static void test_without_check_nothing_is_checked(void)
{
    struct rig rig;
    const struct rig_script scripts[] = { { "counter.lua", counter } };
    start(&rig, true, 0);
    bson_t *loaded = rig_load(&rig, &rig_usual, scripts, 1, NULL, 0);
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.0.declaration.name"), "counter");
    if (loaded) bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

static void test_a_script_that_does_not_end_is_blamed_at_its_line(void)
{
    struct rig rig;
    const struct rig_script scripts[] = { { "pure.lua", pure }, { "endless.lua", endless } };
    const struct rig_budget budget = { 300000, 60 * PT_US_SEC, 64 << 20 };
    start(&rig, true, 3);
    bson_t *loaded = rig_load(&rig, &budget, scripts, 2, NULL, 0);
    CU_ASSERT_PTR_NULL(loaded);
    CU_ASSERT_EQUAL(rig.status->phase, PT_PHASE_LOAD);
    CU_ASSERT_EQUAL(rig.status->script, 1);
    CU_ASSERT_EQUAL(rig.status->line, 5);
    if (loaded) bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), -SIGPROF);
}

static void test_recorded_bars_are_looked_at(void)
{
    struct rig rig;
    const struct rig_script scripts[] = { { "unheard_of.lua", unheard_of } };
    start(&rig, true, 1);
    bson_t *loaded = rig_load(&rig, &rig_usual, scripts, 1, NULL, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(rig_text(loaded, "scripts.0.error.message"),
                                  "a price like this cannot be (on \"AAAUSDT 1h as recorded\")"));
    CU_ASSERT_EQUAL(rig_number(loaded, "scripts.0.error.line"), 5);
    if (loaded) bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

static void test_no_store_is_needed(void)
{
    struct rig rig;
    const struct rig_script scripts[] = { { "unheard_of.lua", unheard_of },
                                          { "counter.lua", counter } };
    const char *names[] = { "unheard_of", NULL };
    start(&rig, false, 3);
    bson_t *loaded = rig_load(&rig, &rig_usual, scripts, 2, NULL, 0);
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.0.declaration.name"), "unheard_of");
    CU_ASSERT_EQUAL(rig_number(loaded, "scripts.0.checked.markets"), 9);
    CU_ASSERT_EQUAL(rig_number(loaded, "scripts.1.error.line"), 5);
    if (loaded) bson_destroy(loaded);
    /* but nothing can be run then: the worker says so and ends */
    bson_t *reply = rig_run(&rig, "AAAUSDT", PT_US_HOUR, RIG_NEWEST, names, NULL);
    CU_ASSERT_PTR_NULL(reply);
    if (reply) bson_destroy(reply);
    CU_ASSERT_EQUAL(rig_end(&rig), 1);
}

static void test_needs_are_met_by_scripts_that_come_later(void)
{
    struct rig rig;
    const struct rig_script scripts[] = { { "needing.lua", needing }, { "pure.lua", pure } };
    start(&rig, true, 1);
    bson_t *loaded = rig_load(&rig, &rig_usual, scripts, 2, NULL, 0);
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.0.declaration.name"), "needing");
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.0.checked.notes.0"), "(nothing)");
    /* one more market: that without metrics */
    CU_ASSERT_EQUAL(rig_number(loaded, "scripts.0.checked.markets"), 11);
    if (loaded) bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

static void test_a_library_is_blamed_at_its_own_line(void)
{
    struct rig rig;
    const struct rig_script scripts[] = { { "lib_user.lua", lib_user } };
    const struct rig_script lib = { "lib/kept.lua", kept_lib };
    start(&rig, false, 1);
    bson_t *loaded = rig_load(&rig, &rig_usual, scripts, 1, &lib, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(rig_text(loaded, "scripts.0.error.message"), "kept.last holds"));
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.0.error.file"), "lib/kept.lua");
    CU_ASSERT_EQUAL(rig_number(loaded, "scripts.0.error.line"), 3);
    if (loaded) bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a pure script is taken and still runs", test_a_pure_script_is_taken_and_still_runs },
        { "an impure script is an error with its place",
          test_an_impure_script_is_an_error_with_its_place },
        { "without check nothing is checked", test_without_check_nothing_is_checked },
        { "a script that does not end is blamed at its line",
          test_a_script_that_does_not_end_is_blamed_at_its_line },
        { "recorded bars are looked at", test_recorded_bars_are_looked_at },
        { "no store is needed", test_no_store_is_needed },
        { "needs are met by scripts that come later",
          test_needs_are_met_by_scripts_that_come_later },
        { "a library is blamed at its own line", test_a_library_is_blamed_at_its_own_line },
        CU_TEST_INFO_NULL
    };
    snprintf(folder, sizeof folder, "/tmp/petrosa-check-XXXXXX");
    if (!mkdtemp(folder)) rig_die("mkdtemp");
    rig_fill(folder, "AAAUSDT", PT_US_HOUR, 400, 0, 0);
    int rc = pt_suite_main("test_check", tests);
    rig_remove(folder);
    return rc;
}
