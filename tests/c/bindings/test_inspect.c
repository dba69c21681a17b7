/* test_inspect.c - calls looked at closely: values at an error, time by line. */
#include "rig.h"

static char folder[64];

static const char script[] = "local half = require 'half'\n"
                             "local function walk(v, stop)\n"
                             "  local total, text = 0, ('x'):rep(100)\n"
                             "  for i = 1, #v do\n"
                             "    total = total + v:get(i)\n"
                             "    if i == stop then error('stopped at ' .. i) end\n"
                             "  end\n"
                             "  return total\n"
                             "end\n"
                             "return calculator { api = 1, name = 'walk', about = 'a walk',\n"
                             "  needs = { candles = { span = '30d' } },\n"
                             "  params = { stop = int { default = 0 } },\n"
                             "  outputs = { { 'total', 'none' }, { 'mean', 'none' } },\n"
                             "  compute = function(w, p)\n"
                             "    local none, word = nil, null('flat')\n"
                             "    local short = w.close:last(3)\n"
                             "    local total = walk(w.close, p.stop)\n"
                             "    return { total = half(total), mean = w.close:mean() }\n"
                             "  end }\n";
static const char half_lib[] = "return function(x)\n  return x / 2\nend\n";

/* The result of one call; the answer is to be destroyed. */
static bson_t *ask(int64_t stop, enum pt_inspect inspect, const char *name, const char *text,
                   bson_t *doc)
{
    const struct rig_script one = { "calculators/x.lua", text }, lib = { "lib/half.lua", half_lib };
    const char *const names[] = { name, NULL };
    bson_t params = BSON_INITIALIZER, *reply;
    struct rig rig;
    memset(&rig, 0, sizeof rig);
    memcpy(rig.folder, folder, sizeof folder);
    rig_start(&rig);
    bson_t *loaded = rig_load(&rig, &rig_usual, &one, 1, &lib, 1);
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.0.declaration.name"), name);
    if (stop > 0) bson_append_int64(&params, "stop", -1, stop);
    if (inspect == PT_INSPECT_NONE)
        reply = rig_run(&rig, "AAAUSDT", PT_US_HOUR, RIG_NEWEST, names, &params);
    else
        reply = rig_ask(&rig, "AAAUSDT", PT_US_HOUR, RIG_NEWEST, names, &params, inspect);
    rig_result(reply, 0, doc);
    bson_destroy(&params);
    if (loaded) bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
    return reply;
}

static void test_the_locals_of_the_function_that_failed(void)
{
    static const char *const wanted[][2] = {
        { "locals.i", "500" },
        { "locals.stop", "500" },
        { "locals.text", "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\"" },
        { "locals.none", "(nothing)" },
        { "metadata.error.message", "stopped at 500" },
    };
    bson_t doc;
    bson_t *reply = ask(500, PT_INSPECT_ERROR, "walk", script, &doc);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "status"), "error");
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        CU_ASSERT_STRING_EQUAL(rig_text(&doc, wanted[i][0]), wanted[i][1]);
    CU_ASSERT_EQUAL(strncmp(rig_text(&doc, "locals.v"), "vector of 720: ", 15), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(rig_text(&doc, "locals.v"), ", .., "));
    CU_ASSERT_EQUAL(rig_number(&doc, "metadata.error.line"), 6);
    if (reply) bson_destroy(reply);
}

static void test_every_kind_of_value_has_words(void)
{
    static const char text[] =
        "return calculator { api = 1, name = 'kinds', about = 'a b',\n"
        "  needs = { candles = { span = '5h' } }, outputs = { { 'x', 'none' } },\n"
        "  compute = function(w, p)\n"
        "    local none, word, yes, list, fn = nil, null('flat'), true, { 1, 2 }, math.abs\n"
        "    local short, missing_one = w.close:last(1), 0 / 0\n"
        "    return { x = none + 1 }\n"
        "  end }\n";
    static const char *const wanted[][2] = {
        { "locals.none", "nil" },     { "locals.word", "null(\"flat\")" },
        { "locals.yes", "true" },     { "locals.list", "table, # 2" },
        { "locals.fn", "function" },  { "locals.w", "window of 5 bars" },
        { "locals.p", "table, # 0" },
    };
    bson_t doc;
    bson_t *reply = ask(0, PT_INSPECT_ERROR, "kinds", text, &doc);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        CU_ASSERT_STRING_EQUAL(rig_text(&doc, wanted[i][0]), wanted[i][1]);
    CU_ASSERT_EQUAL(strncmp(rig_text(&doc, "locals.short"), "vector of 1: ", 13), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(rig_text(&doc, "locals.missing_one"), "nan"));
    if (reply) bson_destroy(reply);
}

static void test_a_good_call_is_as_it_was(void)
{
    bson_t plain, inspected;
    bson_t *a = ask(0, PT_INSPECT_NONE, "walk", script, &plain);
    bson_t *b = ask(0, PT_INSPECT_ERROR, "walk", script, &inspected);
    CU_ASSERT(plain.len > 100 && bson_equal(&plain, &inspected));
    if (b) bson_destroy(b);
    b = ask(0, PT_INSPECT_PROFILE, "walk", script, &inspected);
    CU_ASSERT_STRING_EQUAL(rig_text(&inspected, "status"), "ok");
    CU_ASSERT_EQUAL(rig_number(&plain, "data.total"), rig_number(&inspected, "data.total"));
    if (a) bson_destroy(a);
    if (b) bson_destroy(b);
}

/* hits of a line of a file; 0 when no time was spent there. */
static double hits_of(const bson_t *doc, const char *file, int line)
{
    for (int i = 0; i < 100; i++) {
        char path[64];
        snprintf(path, sizeof path, "profile.lines.%d.file", i);
        if (strcmp(rig_text(doc, path), file) != 0) continue;
        snprintf(path, sizeof path, "profile.lines.%d.line", i);
        if (rig_number(doc, path) != line) continue;
        snprintf(path, sizeof path, "profile.lines.%d.hits", i);
        return rig_number(doc, path);
    }
    return 0;
}

static void test_each_line_has_its_time(void)
{
    bson_t doc;
    bson_t *reply = ask(0, PT_INSPECT_PROFILE, "walk", script, &doc);
    CU_ASSERT(rig_number(&doc, "profile.compiled.calls") >= 1);
    CU_ASSERT(rig_number(&doc, "profile.compiled.median_ns") > 0);
    CU_ASSERT_EQUAL(hits_of(&doc, "calculators/x.lua", 5), 720);
    CU_ASSERT_EQUAL(hits_of(&doc, "calculators/x.lua", 3), 1);
    CU_ASSERT_EQUAL(hits_of(&doc, "calculators/x.lua", 17), 1);
    CU_ASSERT_EQUAL(hits_of(&doc, "calculators/x.lua", 18), 1);
    CU_ASSERT_EQUAL(hits_of(&doc, "lib/half.lua", 2), 1);
    CU_ASSERT_EQUAL(hits_of(&doc, "calculators/x.lua", 11), 0);
    double sum = rig_number(&doc, "profile.outside_ns");
    for (int i = 0; i < 100; i++) {
        char path[64];
        snprintf(path, sizeof path, "profile.lines.%d.ns", i);
        double ns = rig_number(&doc, path);
        if (!isnan(ns)) sum += ns;
    }
    CU_ASSERT_DOUBLE_EQUAL(sum, rig_number(&doc, "profile.interpreted.ns"), 1 + sum / 1000);
    if (reply) bson_destroy(reply);
}

static void test_what_fails_now_and_then_has_no_profile(void)
{
    /* math.random is the same in each call, so this is one that keeps what it must not */
    static const char text[] =
        "local calls = { n = 0 }\n"
        "return calculator { api = 1, name = 'moody', about = 'a b',\n"
        "  needs = { candles = { span = '5h' } }, outputs = { { 'x', 'none' } },\n"
        "  compute = function()\n"
        "    calls.n = calls.n + 1\n"
        "    if calls.n > 3 then error('enough') end\n"
        "    return { x = 1 }\n"
        "  end }\n";
    bson_t doc;
    bson_t *reply = ask(0, PT_INSPECT_PROFILE, "moody", text, &doc);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "status"), "ok");
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "profile.error"), "enough");
    if (reply) bson_destroy(reply);
}

static void init_store(void)
{
    snprintf(folder, sizeof folder, "/tmp/pt-inspect-XXXXXX");
    if (!mkdtemp(folder)) rig_die("mkdtemp");
    rig_fill(folder, "AAAUSDT", PT_US_HOUR, RIG_BARS, 0, 0);
}

static CU_TestInfo tests[] = {
    { "the locals of the function that failed", test_the_locals_of_the_function_that_failed },
    { "every kind of value has words", test_every_kind_of_value_has_words },
    { "a good call is as it was", test_a_good_call_is_as_it_was },
    { "each line has its time", test_each_line_has_its_time },
    { "what fails now and then has no profile", test_what_fails_now_and_then_has_no_profile },
    CU_TEST_INFO_NULL
};

int main(void)
{
    init_store();
    int failed = pt_suite_main("bindings.inspect", tests);
    rig_remove(folder);
    return failed;
}
