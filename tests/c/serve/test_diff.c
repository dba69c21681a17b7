#include "suite.h"

#include "data/matrix.h"
#include "fake_engine.h"
#include "serve/results.h"

#include <math.h>

#define T0 INT64_C(1731628800000000) /* 2024-11-15T00:00:00Z */

static bson_t *result(const char *status, double value)
{
    return fake_result("deviation", "BTCUSDT", PT_US_HOUR, T0, status, value, "h");
}

/* What is said about the two, which are destroyed; the text is to be freed. */
static char *diff(bson_t *before, bson_t *now, bool pairs, size_t wanted)
{
    struct pt_buf out = { 0 };
    pt_buf_puts(&out, "");
    CU_ASSERT_EQUAL(pt_results_diff(before, now, T0, pairs, &out), wanted);
    CU_ASSERT_FALSE_FATAL(out.failed);
    bson_destroy(before);
    bson_destroy(now);
    pt_buf_putc(&out, '.');
    return pt_buf_take(&out, NULL);
}

static void test_equal_results_differ_nowhere(void)
{
    char *text = diff(result("ok", 1.5), result("ok", 1.5), false, 0);
    CU_ASSERT_STRING_EQUAL(text, ".");
    free(text);
}

static void test_each_value_that_differs_has_a_line(void)
{
    char *text = diff(result("ok", 1), result("gap", 2), false, 4);
    CU_ASSERT_STRING_EQUAL(text, "2024-11-15T00:00:00Z,status,ok,gap\n"
                                 "2024-11-15T00:00:00Z,level,1,2\n"
                                 "2024-11-15T00:00:00Z,by_lag.2,0.5,1\n"
                                 "2024-11-15T00:00:00Z,by_lag.5,0.2,0.4\n.");
    free(text);
    text = diff(result("ok", 1), result("gap", 1), true, 1);
    CU_ASSERT_STRING_EQUAL(text, "2024-11-15T00:00:00Z,BTCUSDT,status,ok,gap\n.");
    free(text);
}

static void test_one_bit_is_a_difference(void)
{
    char *text = diff(result("ok", 1), result("ok", 1.0000000000000002), false, 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ",level,1,1.0000000000000002\n"));
    free(text);
    text = diff(result("ok", 0.0), result("ok", -0.0), false, 0); /* replies show the same 0 */
    free(text);
}

/* { data: { only: 1, map: { a: 1 } } } and so on: outputs that one version does not have. */
static bson_t *outputs(const char *name, bool map, bool null)
{
    bson_t *doc = bson_new(), data, child;
    BSON_APPEND_UTF8(doc, "symbol", "BTCUSDT");
    BSON_APPEND_DATE_TIME(doc, "as_of", T0 / 1000);
    BSON_APPEND_UTF8(doc, "status", "ok");
    BSON_APPEND_DOCUMENT_BEGIN(doc, "data", &data);
    if (name) BSON_APPEND_INT64(&data, name, 7);
    if (map) {
        BSON_APPEND_DOCUMENT_BEGIN(&data, "map", &child);
        BSON_APPEND_DOUBLE(&child, "a", 0.5);
        BSON_APPEND_NULL(&child, "b");
        bson_append_document_end(&data, &child);
    }
    if (null) BSON_APPEND_NULL(&data, "map");
    bson_append_document_end(doc, &data);
    return doc;
}

static void test_outputs_that_one_does_not_have(void)
{
    char *text = diff(outputs("old", false, false), outputs("new", false, false), false, 2);
    CU_ASSERT_STRING_EQUAL(text, "2024-11-15T00:00:00Z,new,,7\n2024-11-15T00:00:00Z,old,7,\n.");
    free(text);
    /* a map that is null in one: each member of the other, and a null member is one too */
    text = diff(outputs(NULL, true, false), outputs(NULL, false, true), false, 2);
    CU_ASSERT_STRING_EQUAL(text,
                           "2024-11-15T00:00:00Z,map.a,0.5,\n2024-11-15T00:00:00Z,map.b,,\n.");
    free(text);
    text = diff(outputs(NULL, false, true), outputs(NULL, true, false), false, 2);
    CU_ASSERT_STRING_EQUAL(text,
                           "2024-11-15T00:00:00Z,map.a,,0.5\n2024-11-15T00:00:00Z,map.b,,\n.");
    free(text);
    /* null is a value: not to be there is another */
    text = diff(outputs(NULL, false, true), outputs(NULL, false, false), false, 1);
    CU_ASSERT_STRING_EQUAL(text, "2024-11-15T00:00:00Z,map,,\n.");
    free(text);
}

/* { symbols, data: { r: matrix } } of the market; cells: rows of it. */
static bson_t *market(const char *const *symbols, size_t n, const double *cells)
{
    bson_t *doc = bson_new(), child;
    char key[24];
    bool good;
    BSON_APPEND_UTF8(doc, "symbol", "");
    BSON_APPEND_DATE_TIME(doc, "as_of", T0 / 1000);
    BSON_APPEND_UTF8(doc, "status", "ok");
    BSON_APPEND_ARRAY_BEGIN(doc, "symbols", &child);
    for (size_t i = 0; i < n; i++) {
        snprintf(key, sizeof key, "%zu", i);
        BSON_APPEND_UTF8(&child, key, symbols[i]);
    }
    bson_append_array_end(doc, &child);
    BSON_APPEND_DOCUMENT_BEGIN(doc, "data", &child);
    if (cells)
        good = pt_matrix_append(&child, "r", PT_MATRIX_DECIMAL, cells, n);
    else
        good = BSON_APPEND_DOUBLE(&child, "r", 7);
    CU_ASSERT_FATAL(good);
    bson_append_document_end(doc, &child);
    return doc;
}

static void test_matrices_differ_cell_by_cell(void)
{
    static const char *const ab[] = { "A", "B" }, *const bc[] = { "B", "C" };
    static const double half[] = { 1, 0.5, 0.5, 1 }, third[] = { 1, 0.25, 0.25, 1 },
                        none[] = { 1, NAN, NAN, 1 };
    char *text = diff(market(ab, 2, half), market(ab, 2, half), false, 0);
    free(text);
    text = diff(market(ab, 2, none), market(ab, 2, none), false, 0);
    free(text);
    text = diff(market(ab, 2, half), market(ab, 2, third), false, 1);
    CU_ASSERT_STRING_EQUAL(text, "2024-11-15T00:00:00Z,r.A.B,0.5,0.25\n.");
    free(text);
    text = diff(market(ab, 2, half), market(ab, 2, none), false, 1);
    CU_ASSERT_STRING_EQUAL(text, "2024-11-15T00:00:00Z,r.A.B,0.5,\n.");
    free(text);
    /* of other symbols: what both have is the same here */
    text = diff(market(ab, 2, half), market(bc, 2, third), false, 4);
    CU_ASSERT_STRING_EQUAL(text, "2024-11-15T00:00:00Z,r.A.A,1,\n"
                                 "2024-11-15T00:00:00Z,r.A.B,0.5,\n"
                                 "2024-11-15T00:00:00Z,r.B.C,,0.25\n"
                                 "2024-11-15T00:00:00Z,r.C.C,,1\n.");
    free(text);
    text = diff(market(ab, 1, half), market(ab, 1, NULL), false, 2); /* it was a matrix */
    CU_ASSERT_STRING_EQUAL(text, "2024-11-15T00:00:00Z,r.A.A,1,\n2024-11-15T00:00:00Z,r,,7\n.");
    free(text);
}

static CU_TestInfo tests[] = {
    { "equal results differ nowhere", test_equal_results_differ_nowhere },
    { "each value that differs has a line", test_each_value_that_differs_has_a_line },
    { "one bit is a difference", test_one_bit_is_a_difference },
    { "outputs that one does not have", test_outputs_that_one_does_not_have },
    { "matrices differ cell by cell", test_matrices_differ_cell_by_cell },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("serve.diff", tests);
}
