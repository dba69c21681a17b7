#include "suite.h"

#include "data/matrix.h"
#include "fake_engine.h"
#include "serve/analysis.h"
#include "serve/csv_columns.h"
#include "serve/results.h"
#include "serve/rows.h"

#include <cjson/cJSON.h>

#define T0 INT64_C(1731628800000000) /* 2024-11-15T00:00:00Z */

static struct pt_scripts *scripts;

static struct pt_results results_of(const char *name, const bson_t *docs, size_t n)
{
    return (struct pt_results){ .script = pt_scripts_find(scripts, name),
                                .pair = "BTCUSDT",
                                .collection = "analytics_BTCUSDT_x",
                                .period_us = PT_US_HOUR,
                                .n = n,
                                .docs = docs,
                                .total = (int64_t)n,
                                .limit = 10,
                                .lists = true };
}

static char *json_of(const struct pt_results *results)
{
    struct pt_buf out = { 0 };
    struct pt_json json;
    pt_json_init(&json, &out);
    pt_results_json(results, &json);
    CU_ASSERT_FALSE_FATAL(out.failed);
    cJSON *parsed = cJSON_ParseWithLengthOpts(out.data, out.len + 1, NULL, 1);
    CU_ASSERT_PTR_NOT_NULL(parsed);
    cJSON_Delete(parsed);
    return pt_buf_take(&out, NULL);
}

/* docs[i]: views; free with free_docs. */
static bson_t *docs_of(size_t n, double first)
{
    bson_t *docs = pt_results_views(n);
    for (size_t i = 0; i < n; i++) {
        bson_t *doc = fake_result("deviation", "BTCUSDT", PT_US_HOUR, T0 + (int64_t)i * PT_US_HOUR,
                                  "ok", first + (double)i, "h");
        bson_init(&docs[i]);
        bson_concat(&docs[i], doc);
        bson_destroy(doc);
    }
    return docs;
}

static void free_docs(bson_t *docs, size_t n)
{
    for (size_t i = 0; i < n; i++) bson_destroy(&docs[i]);
    free(docs);
}

static void test_two_shapes(void)
{
    bson_t *docs = docs_of(2, 1);
    struct pt_results results = results_of("volatility", docs, 2);
    char *text = json_of(&results);
    CU_ASSERT_PTR_NOT_NULL(strstr(
        text,
        "\"values\":[{\"timestamp\":\"2024-11-15T00:00:00Z\",\"status\":\"ok\",\"level\":\"1\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"as_of\":\"2024-11-15T01:00:00Z\""));
    CU_ASSERT_PTR_NULL(strstr(text, "\"history\""));
    free(text);
    results = results_of("deviation", docs, 2);
    text = json_of(&results);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"data\":{\"level\":\"2\",\"count\":7,\"gone\":null"));
    CU_ASSERT_PTR_NULL(strstr(text, "\"values\""));
    CU_ASSERT_PTR_NULL(strstr(text, "\"pagination\""));
    free(text);
    results.history = true;
    results.descending = true;
    text = json_of(&results);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"history\":[{\"timestamp\":\"2024-11-15T01:00:00Z\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"pagination\""));
    free(text);
    free_docs(docs, 2);
}

static void test_list_names_are_chosen(void)
{
    bson_t *docs = docs_of(1, 1);
    struct pt_results results = results_of("volatility", docs, 1);
    results.lists = false;
    results.data = true;
    char *text = json_of(&results);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"data\":[{"));
    CU_ASSERT_PTR_NULL(strstr(text, "\"values\""));
    free(text);
    results.lists = true;
    text = json_of(&results);
    const char *values = strstr(text, "\"values\":[{"), *data = strstr(text, "\"data\":[{");
    CU_ASSERT_PTR_NOT_NULL_FATAL(values);
    CU_ASSERT_PTR_NOT_NULL_FATAL(data);
    CU_ASSERT_EQUAL(strncmp(values + 9, data + 7, 100), 0);
    free(text);
    free_docs(docs, 1);
}

static void test_fields_out_of_order_and_under_stored_names_are_found(void)
{
    bson_t data;
    bson_t *docs = pt_results_views(1);
    bson_init(&docs[0]);
    BSON_APPEND_UTF8(&docs[0], "status", "ok");
    BSON_APPEND_DATE_TIME(&docs[0], "as_of", T0 / 1000);
    BSON_APPEND_DOCUMENT_BEGIN(&docs[0], "data", &data);
    BSON_APPEND_DOUBLE(&data, "missing", 4);
    BSON_APPEND_DOUBLE(&data, "stored_gone", 3);
    BSON_APPEND_INT64(&data, "count", 2);
    BSON_APPEND_DOUBLE(&data, "level", -0.0);
    BSON_APPEND_DOUBLE(&data, "undeclared", 9);
    bson_append_document_end(&docs[0], &data);
    struct pt_results results = results_of("deviation", docs, 1);
    char *text = json_of(&results);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\"data\":{\"level\":\"0\",\"count\":2,\"gone\":\"3\",\"by_lag\":null,"
                     "\"signal\":null,\"missing\":\"4\"}"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"data_completeness\":null"));
    free(text);
    free_docs(docs, 1);
}

static void test_numbers_that_are_none_are_null(void)
{
    bson_t data;
    bson_t *docs = pt_results_views(1);
    bson_init(&docs[0]);
    BSON_APPEND_UTF8(&docs[0], "status", "ok");
    BSON_APPEND_DATE_TIME(&docs[0], "as_of", T0 / 1000);
    BSON_APPEND_DOCUMENT_BEGIN(&docs[0], "data", &data);
    BSON_APPEND_DOUBLE(&data, "level", (double)NAN);
    BSON_APPEND_DOUBLE(&data, "missing", (double)INFINITY);
    bson_append_document_end(&docs[0], &data);
    struct pt_results results = results_of("deviation", docs, 1);
    char *text = json_of(&results);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"level\":null"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"missing\":null"));
    free(text);
    free_docs(docs, 1);
}

static void test_csv_has_dotted_columns(void)
{
    bson_t *docs = docs_of(2, 1);
    struct pt_results results = results_of("deviation", docs, 2);
    struct pt_buf out = { 0 };
    pt_results_csv(&results, &out);
    CU_ASSERT_FALSE_FATAL(out.failed);
    CU_ASSERT_STRING_EQUAL(out.data,
                           "timestamp,status,level,count,gone,by_lag.2,by_lag.5,signal,missing\n"
                           "2024-11-15T00:00:00Z,ok,1,7,,0.5,0.2,\"up, or \"\"down\"\"\",\n"
                           "2024-11-15T01:00:00Z,ok,2,7,,1,0.4,\"up, or \"\"down\"\"\",\n");
    pt_buf_clear(&out);
    results.n = 0;
    pt_results_csv(&results, &out);
    CU_ASSERT_STRING_EQUAL(out.data, "timestamp,status,level,count,gone,by_lag,signal,missing\n");
    pt_buf_fini(&out);
    free_docs(docs, 2);
}

/* So many lines that several threads write them: what one thread writes of each, in order. */
static void test_csv_of_many_lines_has_all_of_them(void)
{
    enum { MANY = 9001 };
    bson_t *docs = docs_of(MANY, 0.25);
    struct pt_results results = results_of("deviation", docs, MANY);
    for (int descending = 0; descending < 2; descending++) {
        struct pt_buf all = { 0 }, one = { 0 };
        results = results_of("deviation", docs, MANY);
        results.descending = descending;
        pt_results_csv(&results, &all);
        CU_ASSERT_FALSE_FATAL(all.failed);
        const char *line = strchr(all.data, '\n') + 1;
        size_t wrong = 0;
        for (size_t k = 0; k < MANY; k++) {
            pt_buf_clear(&one);
            results = results_of("deviation", &docs[descending ? MANY - 1 - k : k], 1);
            pt_results_csv(&results, &one);
            const char *want = strchr(one.data, '\n') + 1;
            size_t len = strlen(want);
            wrong += strncmp(line, want, len) != 0;
            line += len;
        }
        CU_ASSERT_EQUAL(wrong, 0);
        CU_ASSERT_EQUAL(*line, '\0');
        pt_buf_fini(&all);
        pt_buf_fini(&one);
    }
    free_docs(docs, MANY);
}

static void test_csv_has_the_columns_of_all_lines(void)
{
    static const char *const second =
        "{\"status\":\"ok\",\"as_of\":{\"$date\":{\"$numberLong\":\"1731632400000\"}},"
        "\"data\":{\"by_lag\":{\"10\":[1.5,{\"z\":\"q\"}],\"2\":null}}}";
    bson_t *docs = docs_of(2, 1);
    bson_error_t error;
    bson_t *doc = bson_new_from_json((const uint8_t *)second, -1, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    bson_destroy(&docs[1]);
    bson_init(&docs[1]);
    bson_concat(&docs[1], doc);
    bson_destroy(doc);
    struct pt_results results = results_of("deviation", docs, 2);
    struct pt_buf out = { 0 };
    pt_results_csv(&results, &out);
    CU_ASSERT_STRING_EQUAL(out.data,
                           "timestamp,status,level,count,gone,by_lag.2,by_lag.5,by_lag.10.0,by_lag."
                           "10.1.z,signal,missing\n"
                           "2024-11-15T00:00:00Z,ok,1,7,,0.5,0.2,,,\"up, or \"\"down\"\"\",\n"
                           "2024-11-15T01:00:00Z,ok,,,,,,1.5,q,,\n");
    pt_buf_fini(&out);
    free_docs(docs, 2);
}

static void test_csv_prints_every_whole_number(void)
{
    const int64_t numbers[] = { 0, -7, INT64_MAX, INT64_MIN };
    const char *texts[] = { "0", "-7", "9223372036854775807", "-9223372036854775808" };
    for (size_t i = 0; i < 4; i++) {
        bson_t doc = BSON_INITIALIZER;
        bson_iter_t value;
        struct pt_buf out = { 0 };
        BSON_APPEND_INT64(&doc, "x", numbers[i]);
        CU_ASSERT_TRUE(bson_iter_init_find(&value, &doc, "x"));
        pt_results_csv_value(&value, &out);
        CU_ASSERT_STRING_EQUAL(out.data, texts[i]);
        pt_buf_fini(&out);
        bson_destroy(&doc);
    }
}

static void test_csv_columns_are_found_without_a_search(void)
{
    struct pt_csv_columns columns = { 0 };
    char path[32];
    size_t wrong = 0;
    for (unsigned round = 0; round < 3; round++) {
        for (size_t k = 0; k < PT_CSV_COLUMNS; k++) {
            size_t i = round < 2 ? k : PT_CSV_COLUMNS - 1 - k; /* not the one after the last, too */
            snprintf(path, sizeof path, "m.A%zu.B%zu", i / 256, i % 256);
            wrong += pt_csv_columns_of(&columns, path) != i;
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_FALSE(columns.failed);
    CU_ASSERT_TRUE(columns.looks < 4 * (uint64_t)PT_CSV_COLUMNS);
    pt_csv_columns_of(&columns, "one more");
    CU_ASSERT_TRUE(columns.many && columns.failed);
    pt_csv_columns_fini(&columns);
}

/* A matrix of 600 symbols is 360,000 columns: refused before one of them is made. */
static void test_csv_of_too_many_columns_is_refused_at_once(void)
{
    struct pt_csv_columns columns = { 0 };
    CU_ASSERT_TRUE(pt_csv_columns_fit(&columns, 256 * 256));
    CU_ASSERT_FALSE(pt_csv_columns_fit(&columns, 600 * 600));
    CU_ASSERT_TRUE(columns.many);
    pt_csv_columns_fini(&columns);
    bson_t data, list, *docs = pt_results_views(1);
    double *cells = calloc(600 * 600, sizeof *cells);
    char key[16], name[16];
    bson_init(&docs[0]);
    BSON_APPEND_UTF8(&docs[0], "status", "ok");
    BSON_APPEND_DATE_TIME(&docs[0], "as_of", T0 / 1000);
    BSON_APPEND_ARRAY_BEGIN(&docs[0], "symbols", &list);
    for (int i = 0; i < 600; i++) {
        snprintf(key, sizeof key, "%d", i);
        snprintf(name, sizeof name, "S%03dUSDT", i);
        BSON_APPEND_UTF8(&list, key, name);
    }
    bson_append_array_end(&docs[0], &list);
    BSON_APPEND_DOCUMENT_BEGIN(&docs[0], "data", &data);
    CU_ASSERT_TRUE(pt_matrix_append(&data, "by_lag", PT_MATRIX_DECIMAL, cells, 600));
    bson_append_document_end(&docs[0], &data);
    struct pt_results results = results_of("deviation", docs, 1);
    struct pt_buf out = { 0 };
    CU_ASSERT_FALSE(pt_results_csv(&results, &out));
    CU_ASSERT_TRUE(out.len < 1000); /* no column of it was written */
    pt_buf_fini(&out);
    free(cells);
    free_docs(docs, 1);
}

static void test_the_tag_forgets_the_time_of_computing_only(void)
{
    bson_t *a = docs_of(2, 1);
    usleep(3000); /* computed_at differs */
    bson_t *b = docs_of(2, 1), *c = docs_of(2, 2);
    struct pt_results one = results_of("deviation", a, 2), two = results_of("deviation", b, 2),
                      three = results_of("deviation", c, 2);
    CU_ASSERT_EQUAL(pt_results_tag(&one), pt_results_tag(&two));
    CU_ASSERT_NOT_EQUAL(pt_results_inputs(&one, 1), pt_results_inputs(&two, 1));
    CU_ASSERT_NOT_EQUAL(pt_results_tag(&one), pt_results_tag(&three));
    two.stale = true;
    CU_ASSERT_NOT_EQUAL(pt_results_tag(&one), pt_results_tag(&two));
    two = results_of("deviation", b, 1);
    CU_ASSERT_NOT_EQUAL(pt_results_tag(&one), pt_results_tag(&two));
    two = results_of("deviation", b, 2);
    two.total = 3;
    CU_ASSERT_NOT_EQUAL(pt_results_tag(&one), pt_results_tag(&two));
    free_docs(a, 2);
    free_docs(b, 2);
    free_docs(c, 2);
}

static void test_the_body_of_eval_is_the_body_of_the_route(void)
{
    bson_t *docs = docs_of(1, 1);
    const bson_t *const pointers[] = { &docs[0] };
    struct pt_analysis analysis = { .script = pt_scripts_find(scripts, "deviation"),
                                    .pair = "BTCUSDT",
                                    .period_us = PT_US_HOUR,
                                    .docs = pointers,
                                    .n = 1,
                                    .on_request = true };
    struct pt_results results = results_of("deviation", docs, 1);
    struct pt_buf out = { 0 };
    struct pt_json json;
    results.collection = "analytics_BTCUSDT_deviation";
    results.on_request = true;
    pt_json_init(&json, &out);
    pt_analysis_body(&analysis, &json);
    char *text = json_of(&results);
    CU_ASSERT_STRING_EQUAL(out.data, text);
    pt_buf_clear(&out);
    analysis.live = true;
    analysis.now_us = T0 + 3 * PT_US_HOUR + 61 * PT_US_SEC;
    pt_json_init(&json, &out);
    pt_analysis_body(&analysis, &json);
    CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "\"status\":\"stale\""));
    pt_buf_fini(&out);
    free(text);
    free_docs(docs, 1);
}

static void test_rows_keep_their_digits(void)
{
    struct pt_frame frame;
    struct pt_buf out = { 0 };
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    fake_candle(&frame, T0, 50000, true);
    fake_candle(&frame, T0 + 60 * PT_US_SEC + 500, 1, false);
    frame.val[PT_C_TRADES][1] = frame.val[PT_C_QUOTE_VOLUME][1] = PT_MISSING;
    frame.val[PT_C_OPEN][1] = INT64_MIN + 1;
    frame.dig[PT_C_OPEN][1] = pt_digits(18, 7);
    pt_rows_json(&frame, pt_candle_fields, false, &out);
    CU_ASSERT_STRING_EQUAL(out.data, "[{\"timestamp\":\"2024-11-15T00:00:00Z\",\"open\":\"50000."
                                     "00\",\"high\":\"50000.50\",\"low\":\"49999.50\","
                                     "\"close\":\"50000.00\",\"volume\":\"12.50\",\"quote_volume\":"
                                     "\"1250.00\",\"trades_count\":42,"
                                     "\"taker_buy_volume\":\"6.00\",\"closed\":true},{"
                                     "\"timestamp\":\"2024-11-15T00:01:00.0005Z\","
                                     "\"open\":\"-9.2233720368547758070000000\",\"high\":\"1.50\","
                                     "\"low\":\"0.50\",\"close\":\"1.00\","
                                     "\"volume\":\"12.50\",\"quote_volume\":null,\"trades_count\":"
                                     "null,\"taker_buy_volume\":\"6.00\","
                                     "\"closed\":false}]");
    pt_buf_clear(&out);
    pt_rows_csv(&frame, pt_candle_fields, true, &out);
    CU_ASSERT_STRING_EQUAL(
        out.data,
        "timestamp,open,high,low,close,volume,quote_volume,trades_count,taker_buy_volume,closed\n"
        "2024-11-15T00:01:00.0005Z,-9.2233720368547758070000000,1.50,0.50,1.00,12.50,,,6.00,false\n"
        "2024-11-15T00:00:00Z,50000.00,50000.50,49999.50,50000.00,12.50,1250.00,42,6.00,true\n");
    pt_buf_clear(&out);
    pt_frame_clear(&frame);
    pt_rows_json(&frame, pt_candle_fields, false, &out);
    CU_ASSERT_STRING_EQUAL(out.data, "[]");
    pt_buf_fini(&out);
    pt_frame_fini(&frame);
}

/* Every number and time of the fast way is what the plain functions print. */
static void test_numbers_and_times_are_the_plain_ones(void)
{
    uint64_t seed = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        struct pt_frame frame;
        struct pt_buf out = { 0 };
        char want[200], text[PT_DEC_TEXT_MAX], time[PT_TIME_TEXT_MAX];
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        int64_t mantissa = (int64_t)(seed >> seed % 64);
        if (i % 5 == 0) mantissa = -mantissa;
        if (mantissa == PT_MISSING) continue;
        uint8_t digits =
            pt_digits((unsigned)(seed >> 20) % 19, i % 7 == 0 ? (unsigned)(seed >> 30) % 8 : 0);
        int64_t time_us = T0 + (int64_t)(seed >> 11) % (800 * PT_US_DAY) /
                                   (i % 3 == 0 ? 1 : PT_US_SEC) * (i % 3 == 0 ? 1 : PT_US_SEC);
        pt_frame_init(&frame, pt_kind(PT_CANDLES));
        fake_candle(&frame, T0, 1, true);
        fake_candle(&frame, time_us, 1, true);
        frame.val[PT_C_OPEN][1] = mantissa;
        frame.dig[PT_C_OPEN][1] = digits;
        frame.val[PT_C_TRADES][1] = mantissa;
        pt_dec_print(mantissa, digits, text);
        pt_time_print(time_us, time);
        snprintf(want, sizeof want, ",{\"timestamp\":\"%s\",\"open\":\"%s\",\"high\":\"1.50\",",
                 time, text);
        pt_rows_json(&frame, pt_candle_fields, false, &out);
        CU_ASSERT_PTR_NOT_NULL(strstr(out.data, want));
        snprintf(want, sizeof want, "\"trades_count\":%" PRId64 ",", mantissa);
        CU_ASSERT_PTR_NOT_NULL(strstr(out.data, want));
        pt_buf_fini(&out);
        pt_frame_fini(&frame);
    }
}

static CU_TestInfo tests[] = {
    { "two shapes", test_two_shapes },
    { "list names are chosen", test_list_names_are_chosen },
    { "fields out of order and under stored names are found",
      test_fields_out_of_order_and_under_stored_names_are_found },
    { "numbers that are none are null", test_numbers_that_are_none_are_null },
    { "CSV has dotted columns", test_csv_has_dotted_columns },
    { "CSV of many lines has all of them", test_csv_of_many_lines_has_all_of_them },
    { "CSV has the columns of all lines", test_csv_has_the_columns_of_all_lines },
    { "CSV prints every whole number", test_csv_prints_every_whole_number },
    { "CSV columns are found without a search", test_csv_columns_are_found_without_a_search },
    { "CSV of too many columns is refused at once",
      test_csv_of_too_many_columns_is_refused_at_once },
    { "the tag forgets the time of computing only",
      test_the_tag_forgets_the_time_of_computing_only },
    { "the body of eval is the body of the route", test_the_body_of_eval_is_the_body_of_the_route },
    { "rows keep their digits", test_rows_keep_their_digits },
    { "numbers and times are the plain ones", test_numbers_and_times_are_the_plain_ones },
    CU_TEST_INFO_NULL
};

int main(void)
{
    scripts = fake_scripts(1);
    int rc = pt_suite_main("test_results", tests);
    pt_scripts_unref(scripts);
    return rc;
}
