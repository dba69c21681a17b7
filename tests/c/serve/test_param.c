#include "suite.h"

#include "base/timefmt.h"
#include "serve/param.h"

#include <stdlib.h>
#include <string.h>

static struct pt_query query;

static enum pt_code parse(const char *text)
{
    return pt_query_parse(&query, text, strlen(text), NULL);
}

static void test_names_and_values_are_decoded_in_order(void)
{
    CU_ASSERT_EQUAL(parse("pair=BTCUSDT&a%20b=c%2bd+e&&flag&x=1=2&"), PT_OK);
    CU_ASSERT_EQUAL_FATAL(query.n, 4);
    static const char *const want[][2] = {
        { "pair", "BTCUSDT" }, { "a b", "c+d e" }, { "flag", "" }, { "x", "1=2" }
    };
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_STRING_EQUAL(query.item[i].name, want[i][0]);
        CU_ASSERT_STRING_EQUAL(query.item[i].value, want[i][1]);
    }
    CU_ASSERT_EQUAL(parse(""), PT_OK);
    CU_ASSERT_EQUAL(query.n, 0);
    CU_ASSERT_EQUAL(parse("=v&n="), PT_OK);
    CU_ASSERT_STRING_EQUAL(query.item[0].name, "");
    CU_ASSERT_STRING_EQUAL(query.item[1].value, "");
}

static void test_a_malformed_query_is_refused(void)
{
    static const char *const bad[] = { "a=%",    "a=%2",  "a=%zz",
                                       "a=%00b", "%00=1", "a=%0d%0aSet-Cookie:x",
                                       "a=%7f",  "a=%4" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_EQUAL(parse(bad[i]), PT_EINVAL);
    CU_ASSERT_EQUAL(pt_query_parse(&query, "a=\0b", 4, NULL), PT_EINVAL);
}

static void test_there_is_an_end_to_parameters(void)
{
    char text[PT_QUERY_MAX * 4 + 8] = "";
    for (int i = 0; i < PT_QUERY_MAX; i++) strcat(text, "a=1&");
    CU_ASSERT_EQUAL(parse(text), PT_OK);
    CU_ASSERT_EQUAL(query.n, PT_QUERY_MAX);
    strcat(text, "b");
    CU_ASSERT_EQUAL(parse(text), PT_EINVAL);
}

static void test_a_path_keeps_its_plus_and_refuses_nul(void)
{
    char out[64];
    CU_ASSERT_EQUAL(pt_path_decode("/a+b%2Fc%20d", 12, out, NULL), PT_OK);
    CU_ASSERT_STRING_EQUAL(out, "/a+b/c d");
    CU_ASSERT_EQUAL(pt_path_decode("/scripts/a%00b", 14, out, NULL), PT_EINVAL);
    CU_ASSERT_EQUAL(pt_path_decode("/%", 2, out, NULL), PT_EINVAL);
}

static const char *const words[] = { "asc", "desc", NULL };
enum { P_PAIR, P_PERIOD, P_TIME, P_LIMIT, P_FLAG, P_ORDER };
static const struct pt_param params[] = {
    [P_PAIR] = { .name = "pair", .type = PT_PARAM_PAIR, .required = true, .about = "" },
    [P_PERIOD] = { .name = "period", .type = PT_PARAM_PERIOD, .fallback = "1h", .about = "" },
    [P_TIME] = { .name = "start", .type = PT_PARAM_TIME, .about = "" },
    [P_LIMIT] = { .name = "limit",
                  .type = PT_PARAM_INT,
                  .fallback = "100",
                  .min = 1,
                  .max = 1000,
                  .about = "" },
    [P_FLAG] = { .name = "include_open", .type = PT_PARAM_BOOL, .fallback = "false", .about = "" },
    [P_ORDER] = { .name = "sort_order",
                  .type = PT_PARAM_WORD,
                  .fallback = "asc",
                  .words = words,
                  .about = "" },
    { 0 },
};

static struct pt_value values[PT_PARAMS_MAX];

static enum pt_code take(const char *text, struct pt_err *err)
{
    if (parse(text) != PT_OK) return PT_EDAMAGE;
    return pt_params_check(params, &query, values, NULL, NULL, err);
}

static void test_values_are_typed_and_defaults_fill_in(void)
{
    CU_ASSERT_EQUAL(take("pair=btcusdt", NULL), PT_OK);
    CU_ASSERT_STRING_EQUAL(values[P_PAIR].symbol, "BTCUSDT");
    CU_ASSERT_EQUAL(values[P_PERIOD].number, PT_US_HOUR);
    CU_ASSERT_FALSE(values[P_PERIOD].given);
    CU_ASSERT_FALSE(values[P_TIME].given);
    CU_ASSERT_EQUAL(values[P_LIMIT].number, 100);
    CU_ASSERT_EQUAL(values[P_FLAG].number, 0);
    CU_ASSERT_EQUAL(take("pair=A_&period=1d&limit=1000&include_open=true&sort_order=desc", NULL),
                    PT_OK);
    CU_ASSERT_EQUAL(values[P_PERIOD].number, PT_US_DAY);
    CU_ASSERT_TRUE(values[P_LIMIT].given);
    CU_ASSERT_EQUAL(values[P_LIMIT].number, 1000);
    CU_ASSERT_EQUAL(values[P_FLAG].number, 1);
    CU_ASSERT_EQUAL(values[P_ORDER].number, 1);
}

static void test_one_moment_in_many_forms(void)
{
    static const char *const forms[] = { "2024-11-15T00:00:00Z",
                                         "2024-11-15",
                                         "2024-11-15%2000:00",
                                         "2024-11-15T02:00:00%2B02:00",
                                         "2024-11-15T02:00:00+02:00", /* the plus was not encoded */
                                         "1731628800",
                                         "1731628800000",
                                         "1731628800000000" };
    char text[100];
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        snprintf(text, sizeof text, "pair=BTCUSDT&start=%s", forms[i]);
        CU_ASSERT_EQUAL(take(text, NULL), PT_OK);
        CU_ASSERT_EQUAL(values[P_TIME].number, INT64_C(1731628800000000));
    }
}

static void test_a_bad_value_is_named_with_what_is_allowed(void)
{
    static const char *const bad[][4] = {
        { "period=1h", "pair", "missing", "BTCUSDT" },
        { "pair=", "pair", "\"\"", "" },
        { "pair=B", "pair", "\"B\"", "^[A-Z0-9_]{2,30}$" },
        { "pair=BTC%2FUSDT", "pair", "BTC/USDT", "" },
        { "pair=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
          "pair", "...", "" },
        { "pair=BTCUSDT&period=7h", "period", "7h", "1m" },
        { "pair=BTCUSDT&period=1M", "period", "1M", "1w" },
        { "pair=BTCUSDT&start=yesterday", "start", "yesterday", "ISO 8601" },
        { "pair=BTCUSDT&limit=0", "limit", "\"0\"", "1..1000" },
        { "pair=BTCUSDT&limit=1001", "limit", "1001", "1..1000" },
        { "pair=BTCUSDT&limit=5x", "limit", "5x", "1..1000" },
        { "pair=BTCUSDT&limit=+5", "limit", " 5", "1..1000" },
        { "pair=BTCUSDT&limit=0x10", "limit", "0x10", "" },
        { "pair=BTCUSDT&limit=99999999999999999999", "limit", "999", "" },
        { "pair=BTCUSDT&limit=-", "limit", "-", "" },
        { "pair=BTCUSDT&include_open=maybe", "include_open", "maybe", "true or false" },
        { "pair=BTCUSDT&sort_order=down", "sort_order", "down", "asc, desc" },
        { "pair=BTCUSDT&sort_order=DESC", "sort_order", "DESC", "asc, desc" },
        { "pair=BTCUSDT&pear=1", "pear", "unknown", "period" },
        { "pair=BTCUSDT&pair=BTCUSDT", "pair", "more than once", "" },
        { "pair=BTCUSDT&=1", "", "unknown", "" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pt_err err = { 0 };
        CU_ASSERT_EQUAL(take(bad[i][0], &err), PT_EINVAL);
        for (int k = 1; k < 4; k++) {
            CU_ASSERT_PTR_NOT_NULL(strstr(err.text, bad[i][k]));
            if (strstr(err.text, bad[i][k]) == NULL) printf("\n%s: %s\n", bad[i][0], err.text);
        }
    }
}

static void test_open_tables_hand_unknown_names_on(void)
{
    const struct pt_query_item *extra[PT_QUERY_MAX];
    size_t n;
    struct pt_err err;
    CU_ASSERT_EQUAL(parse("window=30&pair=BTCUSDT&mode=x"), PT_OK);
    CU_ASSERT_EQUAL(pt_params_check(params, &query, values, extra, &n, &err), PT_OK);
    CU_ASSERT_EQUAL_FATAL(n, 2);
    CU_ASSERT_STRING_EQUAL(extra[0]->name, "window");
    CU_ASSERT_STRING_EQUAL(extra[1]->value, "x");
    CU_ASSERT_EQUAL(parse("window=30&pair=BTCUSDT&window=31"), PT_OK);
    CU_ASSERT_EQUAL(pt_params_check(params, &query, values, extra, &n, &err), PT_EINVAL);
    CU_ASSERT_EQUAL(parse("window=&pair=BTCUSDT"), PT_OK);
    CU_ASSERT_EQUAL(pt_params_check(params, &query, values, extra, &n, &err), PT_EINVAL);
}

static void test_what_is_allowed_always_fits(void)
{
    char out[256];
    for (size_t i = 0; params[i].name != NULL; i++) {
        for (size_t cap = 1; cap <= sizeof out; cap++) {
            memset(out, 'x', sizeof out);
            size_t len = pt_param_allowed(&params[i], out, cap);
            CU_ASSERT_TRUE(len < cap);
            CU_ASSERT_EQUAL(out[len], '\0');
        }
    }
}

static CU_TestInfo tests[] = {
    { "names and values are decoded in order", test_names_and_values_are_decoded_in_order },
    { "a malformed query is refused", test_a_malformed_query_is_refused },
    { "there is an end to parameters", test_there_is_an_end_to_parameters },
    { "a path keeps its plus and refuses NUL", test_a_path_keeps_its_plus_and_refuses_nul },
    { "values are typed and defaults fill in", test_values_are_typed_and_defaults_fill_in },
    { "one moment in many forms", test_one_moment_in_many_forms },
    { "a bad value is named with what is allowed", test_a_bad_value_is_named_with_what_is_allowed },
    { "open tables hand unknown names on", test_open_tables_hand_unknown_names_on },
    { "what is allowed always fits", test_what_is_allowed_always_fits },
    CU_TEST_INFO_NULL
};

int main(void)
{
    int rc = pt_suite_main("test_param", tests);
    pt_query_fini(&query);
    return rc;
}
