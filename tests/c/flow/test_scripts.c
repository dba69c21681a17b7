/* test_scripts.c - script folders, parameters, counters. */
#include "kit.h"

#include "flow/params.h"
#include "flow/registry.h"

static void test_folders_are_read_sorted_and_hashed(void)
{
    struct pt_sources sources = { 0 };
    char path[PATH_MAX];
    kit_begin();
    struct pt_conf *conf = kit_conf();
    kit_script("zeta", "name zeta\n");
    kit_script("alpha", "abc");
    kit_script(".hidden", "name hidden\n");
    kit_script("alpha_spec", "name spec\n");
    kit_path(path, "scripts/lib/help.lua");
    kit_write(path, "");
    kit_path(path, "scripts/calculators/notes.txt");
    kit_write(path, "no script");
    OK(pt_sources_read(conf, &sources, &kit_err));
    CU_ASSERT_EQUAL_FATAL(sources.n, 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(sources.v[0].file, "calculators/alpha.lua"));
    CU_ASSERT_PTR_NOT_NULL(strstr(sources.v[1].file, "calculators/zeta.lua"));
    CU_ASSERT_PTR_NOT_NULL(strstr(sources.v[2].file, "lib/help.lua"));
    CU_ASSERT_TRUE(sources.v[2].lib);
    CU_ASSERT_EQUAL(sources.v[2].len, 0);
    CU_ASSERT_FALSE(sources.v[0].lib);
    CU_ASSERT_STRING_EQUAL(sources.v[0].text, "abc");
    CU_ASSERT_STRING_EQUAL(sources.v[0].hash,
                           "06b05ab6733a618578af5f94892f3950"); /* xxhsum -H128 */
    pt_sources_fini(&sources);
    pt_conf_free(conf);
    kit_end();
}

static void test_a_folder_that_is_not_there_is_named(void)
{
    struct pt_sources sources = { 0 };
    kit_begin();
    struct pt_conf *conf = kit_conf();
    kit_set(conf, "scripts.path=%s/nowhere", kit_dir);
    CU_ASSERT_EQUAL(pt_sources_read(conf, &sources, &kit_err), PT_ENOENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "/nowhere is no folder"));
    kit_set(conf, "scripts.path=%s/scripts/lib", kit_dir);
    CU_ASSERT_EQUAL(pt_sources_read(conf, &sources, &kit_err), PT_ENOENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "calculators/"));
    pt_conf_free(conf);
    kit_end();
}

static void test_a_plain_folder_of_scripts_is_read(void)
{
    struct pt_sources sources = { 0 };
    char path[PATH_MAX];
    kit_begin();
    struct pt_conf *conf = kit_conf();
    kit_script("kind", "name kind\n");
    kit_path(path, "scripts/plain.lua"); /* beside the folders of its kind */
    kit_write(path, "name plain\n");
    kit_path(path, "mine");
    CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
    kit_path(path, "mine/first.lua");
    kit_write(path, "name first\n");
    kit_path(path, "mine/first_spec.lua");
    kit_write(path, "no script");
    kit_set(conf, "scripts.path=%s/scripts, %s/mine", kit_dir, kit_dir);
    OK(pt_sources_read(conf, &sources, &kit_err));
    CU_ASSERT_EQUAL_FATAL(sources.n, 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(sources.v[0].file, "/mine/first.lua"));
    CU_ASSERT_PTR_NOT_NULL(strstr(sources.v[1].file, "/calculators/kind.lua"));
    CU_ASSERT_PTR_NOT_NULL(strstr(sources.v[2].file, "/scripts/plain.lua"));
    for (size_t i = 0; i < sources.n; i++) CU_ASSERT_FALSE(sources.v[i].lib);
    pt_sources_fini(&sources);
    pt_conf_free(conf);
    kit_end();
}

static void test_a_file_reached_twice_is_taken_once(void)
{
    struct pt_sources sources = { 0 };
    char path[PATH_MAX];
    kit_begin();
    struct pt_conf *conf = kit_conf();
    kit_script("a", "name alpha\n");
    kit_set(conf, "scripts.path=%s/scripts, %s/scripts, %s/scripts/calculators/a.lua", kit_dir,
            kit_dir, kit_dir);
    OK(pt_sources_read(conf, &sources, &kit_err));
    CU_ASSERT_EQUAL(sources.n, 1);
    CU_ASSERT_FALSE(sources.v[0].extra);
    kit_path(path, "scripts/../scripts/calculators/a.lua");
    OK(pt_sources_add(&sources, path, &kit_err));
    CU_ASSERT_EQUAL(sources.n, 1);
    CU_ASSERT_TRUE(sources.v[0].extra);
    CU_ASSERT_STRING_EQUAL(sources.v[0].file, path); /* it goes by the name it was given */
    kit_path(path, "missing.lua");
    CU_ASSERT_EQUAL(pt_sources_add(&sources, path, &kit_err), PT_ENOENT);
    kit_path(path, "scripts");
    CU_ASSERT_EQUAL(pt_sources_add(&sources, path, &kit_err), PT_EINVAL);
    pt_sources_fini(&sources);
    pt_conf_free(conf);
    kit_end();
}

/* ---- parameters -------------------------------------------------------------------------------
 */

static const char declaration_json[] =
    "{ \"name\": \"x\", \"kind\": \"calculator\", \"params\": ["
    "  { \"name\": \"window\", \"type\": \"int\", \"default\": 20, \"min\": 2, \"max\": 5000, "
    "\"unit\": \"bars\" },"
    "  { \"name\": \"factor\", \"type\": \"number\", \"default\": 1.5, \"min\": 0 },"
    "  { \"name\": \"how\", \"type\": \"enum\", \"default\": \"log\", \"words\": [ \"log\", "
    "\"simple\" ] },"
    "  { \"name\": \"fast\", \"type\": \"bool\", \"default\": false } ] }";

static struct pt_script script;
static bson_t params;

static void declare(void)
{
    script = (struct pt_script){ .name = "x", .status = PT_SCRIPT_LIVE };
    bson_error_t error;
    script.declaration = bson_new_from_json((const uint8_t *)declaration_json, -1, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(script.declaration);
    bson_init(&params);
}

static void undeclare(void)
{
    bson_destroy(script.declaration);
    bson_destroy(&params);
}

static void takes(const char *name, const char *value)
{
    OK(pt_script_param(&script, name, value, &params, &kit_err));
}

static void refuses(const char *name, const char *value, const char *words)
{
    CU_ASSERT_EQUAL(pt_script_param(&script, name, value, &params, &kit_err), PT_EINVAL);
    if (!strstr(kit_err.text, words)) printf("\n  '%s' does not say '%s'\n", kit_err.text, words);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, words));
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, name));
}

/* A text of 1 MiB is taken whole, one byte more is a fault of that file. */
static void test_a_text_that_is_too_long_is_a_fault(void)
{
    const size_t most = (size_t)1 << 20;
    char path[PATH_MAX], *text = malloc(most + 2);
    struct pt_conf *conf;
    struct pt_sources sources = { 0 };
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    kit_begin();
    conf = kit_conf();
    memset(text, '-', most + 1);
    text[most + 1] = '\0';
    kit_path(path, "scripts/calculators/b.lua");
    kit_write(path, text);
    text[most] = '\0';
    kit_path(path, "scripts/calculators/a.lua");
    kit_write(path, text);
    OK(pt_sources_read(conf, &sources, &kit_err));
    CU_ASSERT_EQUAL_FATAL(sources.n, 2);
    CU_ASSERT_PTR_NULL(sources.v[0].fault);
    CU_ASSERT_EQUAL(sources.v[0].len, most);
    CU_ASSERT_EQUAL(memcmp(sources.v[0].text, text, most + 1), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sources.v[1].fault);
    CU_ASSERT_PTR_NOT_NULL(strstr(sources.v[1].fault, "b.lua: more than 1048576 bytes"));
    CU_ASSERT_EQUAL(sources.v[1].len, 0);
    pt_sources_fini(&sources);
    pt_conf_free(conf);
    kit_end();
    free(text);
}

static void test_parameters_are_taken_by_their_types(void)
{
    int64_t window = 0;
    double factor = 0;
    const char *how = "";
    bool fast = false;
    declare();
    takes("window", "+30");
    takes("factor", "2.5e-1");
    takes("how", "simple");
    takes("fast", "yes");
    CU_ASSERT(pt_doc_int(&params, "window", &window) && window == 30);
    CU_ASSERT(pt_doc_double(&params, "factor", &factor) && factor == 0.25);
    CU_ASSERT(pt_doc_text(&params, "how", &how) && strcmp(how, "simple") == 0);
    CU_ASSERT(pt_doc_bool(&params, "fast", &fast) && fast);
    refuses("window", "40", "given twice");
    undeclare();
}

static void test_what_equals_the_default_is_left_out(void)
{
    declare();
    takes("window", "20");
    takes("factor", "1.50");
    takes("how", "log");
    takes("fast", "0");
    CU_ASSERT_EQUAL(bson_count_keys(&params), 0);
    undeclare();
}

static void test_bad_values_name_what_is_allowed(void)
{
    declare();
    refuses("window", "1", "from 2 to 5000 bars");
    refuses("window", "5001", "whole number");
    refuses("window", "20.5", "whole number");
    refuses("window", "", "whole number");
    refuses("window", " 20", "whole number");
    refuses("window", "99999999999999999999", "whole number");
    refuses("factor", "nan", "a number");
    refuses("factor", "inf", "a number");
    refuses("factor", "0x10", "a number");
    refuses("factor", "-1", "at least 0");
    refuses("factor", "1e999", "a number");
    refuses("how", "Log", "one of log, simple");
    refuses("fast", "maybe", "true or false");
    refuses("widow", "3", "window, factor, how, fast");
    CU_ASSERT_EQUAL(bson_count_keys(&params), 0);
    undeclare();
}

static void test_all_parameters_of_a_call_are_known(void)
{
    bson_t all = BSON_INITIALIZER;
    int64_t window = 0;
    double factor = 0;
    declare();
    takes("window", "30");
    pt_param_all(script.declaration, NULL, &params, &all);
    CU_ASSERT_EQUAL(bson_count_keys(&all), 4);
    CU_ASSERT(pt_doc_int(&all, "window", &window) && window == 30);
    CU_ASSERT(pt_doc_double(&all, "factor", &factor) && factor == 1.5);
    bson_t *changed = pt_param_defaults(script.declaration, &params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(changed);
    CU_ASSERT(pt_doc_int(changed, "params.0.default", &window) && window == 30);
    CU_ASSERT(pt_doc_int(changed, "params.0.max", &window) && window == 5000);
    CU_ASSERT(pt_doc_double(changed, "params.1.default", &factor) && factor == 1.5);
    bson_destroy(changed);
    bson_destroy(&all);
    undeclare();
}

/* ---- counters ---------------------------------------------------------------------------------
 */

static void test_quantiles_are_right_to_a_tenth(void)
{
    struct pt_script_stats *stats = pt_script_stats_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(stats);
    CU_ASSERT_EQUAL(pt_script_quantile_us(stats, 0.5), 0);
    for (int64_t us = 1; us <= 10000; us++) pt_script_stats_count(stats, us, T0 + us, us % 10 == 0);
    CU_ASSERT_EQUAL(atomic_load(&stats->calls), 10000);
    CU_ASSERT_EQUAL(atomic_load(&stats->errors), 1000);
    CU_ASSERT_EQUAL(atomic_load(&stats->last_run_us), T0 + 10000);
    const double quantiles[] = { 0.1, 0.5, 0.9, 0.99 };
    for (size_t i = 0; i < 4; i++) {
        double got = (double)pt_script_quantile_us(stats, quantiles[i]),
               right = quantiles[i] * 10000;
        CU_ASSERT(got > right * 0.9 && got < right * 1.1);
    }
    pt_script_stats_count(stats, INT64_C(1) << 40, T0, false); /* longer than the last bucket */
    CU_ASSERT(pt_script_quantile_us(stats, 1) > 10000000);
    pt_script_stats_unref(stats);
}

static CU_TestInfo tests[] = {
    { "folders are read, sorted and hashed", test_folders_are_read_sorted_and_hashed },
    { "a folder that is not there is named", test_a_folder_that_is_not_there_is_named },
    { "a plain folder of scripts is read", test_a_plain_folder_of_scripts_is_read },
    { "a file reached twice is taken once", test_a_file_reached_twice_is_taken_once },
    { "a text that is too long is a fault", test_a_text_that_is_too_long_is_a_fault },
    { "parameters are taken by their types", test_parameters_are_taken_by_their_types },
    { "what equals the default is left out", test_what_equals_the_default_is_left_out },
    { "bad values name what is allowed", test_bad_values_name_what_is_allowed },
    { "all parameters of a call are known", test_all_parameters_of_a_call_are_known },
    { "quantiles are right to a tenth", test_quantiles_are_right_to_a_tenth },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("flow.scripts", tests);
}
