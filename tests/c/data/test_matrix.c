/* test_matrix.c - symmetric matrices packed into documents. */
#include "suite.h"

#include "data/matrix.h"

#include <math.h>

static bson_t doc;
static bson_iter_t iter;

static bool view(struct pt_matrix *matrix)
{
    return bson_iter_init_find(&iter, &doc, "m") && pt_matrix_view(&iter, matrix);
}

static void test_what_is_packed_comes_back(void)
{
    const double cells[9] = { 1, -0.25, NAN, -0.25, 1, 1e-300, NAN, 1e-300, 1 };
    struct pt_matrix matrix;
    bson_init(&doc);
    CU_ASSERT_TRUE(pt_matrix_append(&doc, "m", PT_MATRIX_DECIMAL, cells, 3));
    CU_ASSERT_TRUE_FATAL(view(&matrix));
    CU_ASSERT_EQUAL(matrix.n, 3);
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3; j++) {
            double x = pt_matrix_get(&matrix, i, j);
            CU_ASSERT_TRUE(isnan(cells[i * 3 + j]) ? isnan(x) : x == cells[i * 3 + j]);
        }
    }
    bson_destroy(&doc);
}

static void test_counts_take_half_the_room(void)
{
    double cells[100];
    struct pt_matrix matrix;
    for (size_t k = 0; k < 100; k++) cells[k] = (double)(k / 10 + k % 10) * 400000000.0;
    bson_init(&doc);
    CU_ASSERT_TRUE(pt_matrix_append(&doc, "m", PT_MATRIX_COUNT, cells, 10));
    CU_ASSERT_TRUE(doc.len < 55 * 4 + 40);
    CU_ASSERT_TRUE_FATAL(view(&matrix));
    CU_ASSERT_EQUAL(pt_matrix_get(&matrix, 3, 7), 4e9);
    CU_ASSERT_EQUAL(pt_matrix_get(&matrix, 7, 3), 4e9);
    bson_destroy(&doc);
}

static void test_cells_are_json_as_values_are(void)
{
    const double cells[4] = { 1, 0.5, 0.5, NAN }, counts[1] = { 7 };
    struct pt_matrix matrix;
    struct pt_buf out = { 0 };
    struct pt_json json;
    pt_json_init(&json, &out);
    pt_json_array(&json);
    bson_init(&doc);
    CU_ASSERT_TRUE(pt_matrix_append(&doc, "m", PT_MATRIX_DECIMAL, cells, 2) && view(&matrix));
    pt_matrix_json_cell(&matrix, 0, 1, &json);
    pt_matrix_json_cell(&matrix, 1, 1, &json);
    bson_destroy(&doc);
    bson_init(&doc);
    CU_ASSERT_TRUE(pt_matrix_append(&doc, "m", PT_MATRIX_COUNT, counts, 1) && view(&matrix));
    pt_matrix_json_cell(&matrix, 0, 0, &json);
    pt_json_array_end(&json);
    CU_ASSERT_STRING_EQUAL(out.data, "[\"0.5\",null,7]");
    pt_buf_fini(&out);
    bson_destroy(&doc);
}

static void test_an_empty_one_has_no_cells(void)
{
    struct pt_matrix matrix;
    bson_init(&doc);
    CU_ASSERT_TRUE(pt_matrix_append(&doc, "m", PT_MATRIX_DECIMAL, NULL, 0));
    CU_ASSERT_TRUE(view(&matrix) && matrix.n == 0);
    bson_destroy(&doc);
}

static void test_what_is_no_matrix_is_refused(void)
{
    static const uint8_t bytes[1 + 5 * 8] = { PT_MATRIX_DECIMAL };
    static const struct {
        bson_subtype_t subtype;
        uint32_t len;
    } bad[] = {
        { BSON_SUBTYPE_BINARY, 9 }, /* another subtype */
        { BSON_SUBTYPE_USER, 0 },   { BSON_SUBTYPE_USER, 8 },
        { BSON_SUBTYPE_USER, 17 },  { BSON_SUBTYPE_USER, 41 }, /* no triangle has 2 or 5 cells */
    };
    struct pt_matrix matrix;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bson_init(&doc);
        bson_append_binary(&doc, "m", -1, bad[i].subtype, bytes, bad[i].len);
        CU_ASSERT_FALSE(view(&matrix));
        bson_destroy(&doc);
    }
    static const uint8_t other[9] = { 3 };
    bson_init(&doc);
    bson_append_binary(&doc, "m", -1, BSON_SUBTYPE_USER, other, sizeof other);
    CU_ASSERT_FALSE(view(&matrix));
    bson_destroy(&doc);
    bson_init(&doc);
    bson_append_utf8(&doc, "m", -1, "text", -1);
    CU_ASSERT_FALSE(view(&matrix));
    bson_destroy(&doc);
}

static CU_TestInfo tests[] = {
    { "what is packed comes back", test_what_is_packed_comes_back },
    { "counts take half the room", test_counts_take_half_the_room },
    { "cells are JSON as values are", test_cells_are_json_as_values_are },
    { "an empty one has no cells", test_an_empty_one_has_no_cells },
    { "what is no matrix is refused", test_what_is_no_matrix_is_refused },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("data.matrix", tests);
}
