#include "base/decimal.h"
#include "base/json.h"
#include "suite.h"

#include <math.h>
#include <string.h>

static void test_writes_a_document(void)
{
    struct pt_buf out = { 0 };
    struct pt_json j;
    pt_json_init(&j, &out);
    pt_json_object(&j);
    pt_json_kv_text(&j, "pair", "BTCUSDT");
    pt_json_kv_int(&j, "rows", INT64_MIN);
    pt_json_kv_bool(&j, "closed", true);
    pt_json_kv_bool(&j, "open", false);
    pt_json_kv_null(&j, "none");
    pt_json_kv_double(&j, "ratio", 0.1);
    pt_json_kv_time(&j, "at", 0);
    pt_json_key(&j, "values");
    pt_json_array(&j);
    pt_json_object(&j);
    pt_json_object_end(&j);
    pt_json_array(&j);
    pt_json_array_end(&j);
    pt_json_dec(&j, 5000000, pt_digits(2, 0));
    pt_json_dec(&j, PT_MISSING, pt_digits(2, 0));
    pt_json_number_text(&j, 1.5);
    pt_json_raw(&j, "[1]", 3);
    pt_json_text(&j, NULL);
    pt_json_array_end(&j);
    pt_json_object_end(&j);
    CU_ASSERT_STRING_EQUAL(out.data,
                           "{\"pair\":\"BTCUSDT\",\"rows\":-9223372036854775808,\"closed\":true,"
                           "\"open\":false,\"none\":null,\"ratio\":0.1,"
                           "\"at\":\"1970-01-01T00:00:00Z\",\"values\":[{},[],\"50000.00\",null,"
                           "\"1.5\",[1],null]}");
    CU_ASSERT(j.depth == 0 && !out.failed);
    pt_buf_fini(&out);
}

static void test_never_writes_what_json_lacks(void)
{
    struct pt_buf out = { 0 };
    struct pt_json j;
    pt_json_init(&j, &out);
    pt_json_array(&j);
    pt_json_double(&j, NAN);
    pt_json_double(&j, INFINITY);
    pt_json_number_text(&j, -INFINITY);
    pt_json_number_text(&j, NAN);
    pt_json_double(&j, -0.0);
    pt_json_double(&j, 1e21);
    pt_json_number_text(&j, 1e-7);
    pt_json_array_end(&j);
    CU_ASSERT_STRING_EQUAL(out.data,
                           "[null,null,null,null,0,1000000000000000000000,\"0.0000001\"]");
    pt_buf_fini(&out);
}

/* What one text becomes. */
static void check_text(const char *text, size_t len, const char *expected)
{
    struct pt_buf out = { 0 };
    struct pt_json j;
    pt_json_init(&j, &out);
    pt_json_text_n(&j, text, len);
    CU_ASSERT_STRING_EQUAL(out.data, expected);
    pt_buf_fini(&out);
}

#define CHECK_TEXT(text, expected) check_text(text, sizeof text - 1, expected)
#define BAD "\xef\xbf\xbd"

static void test_escapes_text(void)
{
    CHECK_TEXT("", "\"\"");
    CHECK_TEXT("a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
    CHECK_TEXT("\n\r\t\b\x01\x1f\x7f", "\"\\n\\r\\t\\u0008\\u0001\\u001f\x7f\"");
    CHECK_TEXT("a\0b", "\"a\\u0000b\"");
}

static void test_keeps_utf8_and_replaces_the_rest(void)
{
    CHECK_TEXT("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
    CHECK_TEXT("\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\"");
    CHECK_TEXT("a\xff"
               "b",
               "\"a" BAD "b\"");
    CHECK_TEXT("\xc3", "\"" BAD "\""); /* cut off */
    CHECK_TEXT("\xe2\x82", "\"" BAD BAD "\"");
    CHECK_TEXT("\xc0\xaf", "\"" BAD BAD "\""); /* longer than needed */
    CHECK_TEXT("\xe0\x9f\xbf", "\"" BAD BAD BAD "\"");
    CHECK_TEXT("\xed\xa0\x80", "\"" BAD BAD BAD "\"");         /* a surrogate */
    CHECK_TEXT("\xf4\x90\x80\x80", "\"" BAD BAD BAD BAD "\""); /* past U+10FFFF */
    CHECK_TEXT("\xf5\x80\x80\x80", "\"" BAD BAD BAD BAD "\"");
    CHECK_TEXT("\x80\xc3\"", "\"" BAD BAD "\\\"\"");
}

static void test_escapes_keys(void)
{
    struct pt_buf out = { 0 };
    struct pt_json j;
    pt_json_init(&j, &out);
    pt_json_object(&j);
    pt_json_kv_int(&j, "a\"b", 1);
    pt_json_kv_int(&j, "", 2);
    pt_json_object_end(&j);
    CU_ASSERT_STRING_EQUAL(out.data, "{\"a\\\"b\":1,\"\":2}");
    pt_buf_fini(&out);
}

static void test_nests_to_its_limit(void)
{
    struct pt_buf out = { 0 };
    struct pt_json j;
    pt_json_init(&j, &out);
    for (int i = 0; i < PT_JSON_DEPTH_MAX; i++) pt_json_array(&j);
    pt_json_int(&j, 1);
    pt_json_int(&j, 2);
    for (int i = 0; i < PT_JSON_DEPTH_MAX; i++) pt_json_array_end(&j);
    CU_ASSERT_EQUAL(out.len, 2 * PT_JSON_DEPTH_MAX + 3);
    CU_ASSERT_EQUAL(memcmp(out.data + PT_JSON_DEPTH_MAX, "1,2]", 4), 0);
    pt_buf_fini(&out);
}

static CU_TestInfo tests[] = {
    { "writes a document", test_writes_a_document },
    { "never writes what JSON lacks", test_never_writes_what_json_lacks },
    { "escapes text", test_escapes_text },
    { "keeps UTF-8 and replaces the rest", test_keeps_utf8_and_replaces_the_rest },
    { "escapes keys", test_escapes_keys },
    { "nests to its limit", test_nests_to_its_limit },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("json", tests);
}
