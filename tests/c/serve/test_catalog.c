/* /catalog: what is listed is what the store holds. */
#include "served.h"

#include "serve/catalog.h"

#define T0 INT64_C(1731628800000000) /* 2024-11-15T00:00:00Z */

static void put_candles(const char *symbol, int64_t period_us, int n)
{
    struct pt_series_key key = { .kind = PT_CANDLES, .period_us = period_us };
    struct pt_frame frame;
    strcpy(key.symbol, symbol);
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    for (int i = 0; i < n; i++) fake_candle(&frame, T0 + i * period_us, 100, true);
    fake_store_rows(&key, &frame);
    pt_frame_fini(&frame);
}

static void put_lineage(const char *dataset, int64_t time_us, const char *id)
{
    struct pt_write *write = NULL;
    struct pt_err err;
    uint8_t key[100];
    size_t len = strlen(dataset) + 1;
    bson_t *doc = bson_new(), params;
    BSON_APPEND_UTF8(doc, "lineage_id", id);
    BSON_APPEND_UTF8(doc, "transformation", "import");
    BSON_APPEND_DOCUMENT_BEGIN(doc, "transformation_params", &params);
    BSON_APPEND_UTF8(&params, "file", "a,b.csv");
    bson_append_document_end(doc, &params);
    BSON_APPEND_INT64(doc, "input_records", 12);
    BSON_APPEND_INT64(doc, "output_records", 10);
    BSON_APPEND_DOUBLE(doc, "execution_time_seconds", 0.25);
    BSON_APPEND_UTF8(doc, "status", "failed");
    BSON_APPEND_UTF8(doc, "error_message", "it, \"broke\"");
    BSON_APPEND_DATE_TIME(doc, "timestamp", time_us / 1000);
    memcpy(key, dataset, len);
    for (int k = 0; k < 8; k++) key[len + (size_t)k] = (uint8_t)((uint64_t)time_us >> (56 - 8 * k));
    if (pt_write_begin(fake.store, &write, &err) != PT_OK ||
        pt_write_doc(write, "lineage", key, len + 8, doc, &err) != PT_OK ||
        pt_write_commit(write, &err) != PT_OK)
        abort();
    bson_destroy(doc);
}

static void begin_with_data(void)
{
    begin(one_thread);
    put_candles("BTCUSDT", PT_US_HOUR, 5);
    put_candles("BTCUSDT", PT_US_DAY, 2);
    put_candles("A_B1", PT_US_HOUR, 9);
    fake_store_result("volatility", "BTCUSDT", PT_US_HOUR, T0, "ok", 1, "h");
    fake_store_result("volatility", "BTCUSDT", PT_US_HOUR, T0 + PT_US_HOUR, "ok", 1, "h");
    fake_store_result("volatility", "BTCUSDT", PT_US_DAY, T0 - PT_US_DAY, "ok", 1, "h");
    fake_store_result("gone_away", "A_B1", PT_US_DAY, T0, "ok", 1, "h");
}

static void test_datasets_are_what_is_stored(void)
{
    begin_with_data();
    const char *target = "/catalog/datasets?sort_by=dataset_id";
    check(target, "", 200, "total_count", "5");
    check(target, "", 200, "datasets.0.dataset_id", "\"analytics_A_B1_gone_away\"");
    check(target, "", 200, "datasets.0.update_frequency", "null");
    check(target, "", 200, "datasets.0.tags", "[\"gone_away\",\"A_B1\"]");
    check(
        target, "", 200, "datasets.1",
        "{\"dataset_id\":\"analytics_BTCUSDT_volatility\",\"name\":\"Volatility BTCUSDT\","
        "\"description\":\"volatility of something\",\"category\":\"analytics\",\"owner\":"
        "\"petrosa\",\"update_frequency\":\"1h\",\"tags\":[\"volatility\",\"BTCUSDT\"],\"rows\":3,"
        "\"first\":\"2024-11-14T00:00:00Z\",\"last\":\"2024-11-15T01:00:00Z\"}");
    check(target, "", 200, "datasets.2.name", "\"Candles A_B1 1h\"");
    check(target, "", 200, "datasets.3.dataset_id", "\"candles_BTCUSDT_1d\"");
    check(
        target, "", 200, "datasets.4",
        "{\"dataset_id\":\"candles_BTCUSDT_1h\",\"name\":\"Candles BTCUSDT 1h\",\"description\":"
        "\"bars of one period, stamped with their open time\",\"category\":\"market_data\","
        "\"owner\":\"petrosa\",\"update_frequency\":\"1h\",\"tags\":[\"candles\",\"BTCUSDT\","
        "\"1h\"],\"rows\":5,\"first\":\"2024-11-15T00:00:00Z\",\"last\":\"2024-11-15T04:00:00Z\"}");
    check(target, "", 200, "datasets.5", "absent");
    end();
}

static void test_datasets_are_sorted_filtered_and_paged(void)
{
    begin_with_data();
    check("/catalog/datasets?sort_by=rows&sort_order=desc", "", 200, "datasets.0.rows", "9");
    check("/catalog/datasets?sort_by=rows", "", 200, "datasets.0.rows", "1");
    check("/catalog/datasets?sort_by=first", "", 200, "datasets.0.rows", "3");
    check("/catalog/datasets?sort_by=last&sort_order=desc", "", 200, "datasets.0.dataset_id",
          "\"candles_BTCUSDT_1d\"");
    check("/catalog/datasets?sort_order=desc", "", 200, "datasets.0.name",
          "\"Volatility BTCUSDT\"");
    check("/catalog/datasets?category=analytics", "", 200, "total_count", "2");
    check("/catalog/datasets?category=market_data", "", 200, "total_count", "3");
    check("/catalog/datasets?search=btc", "", 200, "total_count", "3");
    check("/catalog/datasets?search=STAMPED+with", "", 200, "total_count", "3");
    check("/catalog/datasets?search=%25", "", 200, "datasets", "[]");
    check("/catalog/datasets?search=%25", "", 200, "last_updated", "null");
    const char *page = "/catalog/datasets?sort_by=dataset_id&limit=2&offset=2";
    check(page, "", 200, "datasets.1.dataset_id", "\"candles_BTCUSDT_1d\"");
    check(page, "", 200, "pagination",
          "{\"total\":5,\"limit\":2,\"offset\":2,\"page\":2,\"pages\":3,\"has_next\":true,"
          "\"has_previous\":true}");
    check("/catalog/datasets?offset=99", "", 200, "datasets", "[]");
    check("/catalog/datasets?list_key=data&limit=1", "", 200, "datasets", "absent");
    static const char *const bad[] = { "category=x", "sort_by=size", "sort_order=up",
                                       "search=",    "limit=0",      "owner=me" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char target[100];
        snprintf(target, sizeof target, "/catalog/datasets?%s", bad[i]);
        check(target, "", 422, "status", "422");
    }
    struct client_reply csv =
        client_get(port, "/catalog/datasets?format=csv&limit=1&sort_by=rows&sort_order=desc", "");
    CU_ASSERT_STRING_EQUAL(csv.body,
                           "dataset_id,name,description,category,owner,update_frequency,tags,rows,"
                           "first,last\ncandles_A_B1_1h,Candles A_B1 1h,\"bars of one period, "
                           "stamped with their open time\",market_data,petrosa,1h,candles A_B1 1h,"
                           "9,2024-11-15T00:00:00Z,2024-11-15T08:00:00Z\n");
    CU_ASSERT_STRING_EQUAL(client_header(&csv, "X-Total-Count"), "5");
    free(csv.body);
    end();
}

static void test_a_tag_holds_until_something_is_stored(void)
{
    begin_with_data();
    struct client_reply first = client_get(port, "/catalog/datasets", "");
    char condition[200];
    snprintf(condition, sizeof condition, "If-None-Match: %s\r\n", client_header(&first, "ETag"));
    check("/catalog/datasets", condition, 304, NULL, NULL);
    put_candles("BTCUSDT", PT_US_HOUR, 6);
    int status = 304;
    for (int i = 0; i < 200 && status == 304; i++) {
        struct client_reply again = client_get(port, "/catalog/datasets", condition);
        status = again.status;
        free(again.body);
        if (status == 304) usleep(20000);
    }
    CU_ASSERT_EQUAL(status, 200);
    check("/catalog/datasets/candles_BTCUSDT_1h", "", 200, "rows", "6");
    free(first.body);
    end();
}

static void test_one_dataset_and_those_that_are_not_there(void)
{
    begin_with_data();
    const char *target = "/catalog/datasets/candles_BTCUSDT_1h";
    check(target, "", 200, "rows", "5");
    check(target, "", 200, "schema_id", "\"candle_schema_v1\"");
    check(target, "", 200, "storage_type", "\"columns\"");
    check(target, "", 200, "quality_score", "null");
    struct client_reply reply = client_get(port, target, "");
    CU_ASSERT_TRUE(strlen(member(&reply, "created_at")) >= 22);
    CU_ASSERT_TRUE(atol(member(&reply, "bytes")) > 0);
    free(reply.body);
    const char *results = "/catalog/datasets/analytics_BTCUSDT_volatility";
    check(results, "", 200, "bytes", "null");
    check(results, "", 200, "created_at", "null");
    check(results, "", 200, "schema_id", "\"volatility_schema\"");
    static const char *const none[] = { "datasets/candles_BTCUSDT_4h",      "datasets/x",
                                        "schemas/candles_BTCUSDT_4h",       "schemas/broken_schema",
                                        "schemas/analytics_A_B1_gone_away", "lineage/x" };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        char path[200];
        snprintf(path, sizeof path, "/catalog/%s", none[i]);
        check(path, "", 404, "status", "404");
    }
    char path[600] = "/catalog/lineage/";
    memset(path + strlen(path), 'a', 500);
    check(path, "", 404, "status", "404");
    end();
}

static void test_schemas_are_the_columns_and_the_declarations(void)
{
    begin_with_data();
    const char *kind = "/catalog/schemas/candles_BTCUSDT_1h";
    check(kind, "", 200, "schema_id", "\"candle_schema_v1\"");
    check(kind, "", 200, "primary_keys", "[\"open_time\"]");
    check(kind, "", 200, "fields.0",
          "{\"name\":\"open_time\",\"type\":\"timestamp\",\"unit\":\"us\",\"description\":"
          "\"start of the bar\",\"required\":true,\"nullable\":false}");
    check(kind, "", 200, "fields.6.nullable", "true");
    check(kind, "", 200, "fields.11", "absent");
    check("/catalog/schemas/depth_schema_v1", "", 200, "fields.2.type", "\"decimal[20]\"");
    check("/catalog/schemas/trade_schema_v1", "", 200, "primary_keys", "[\"time\",\"trade_id\"]");
    const char *results = "/catalog/schemas/analytics_BTCUSDT_volatility";
    check(results, "", 200, "schema_id", "\"volatility_schema\"");
    check(results, "", 200, "version", "\"1\"");
    check(results, "", 200, "primary_keys", "[\"timeframe\",\"as_of\"]");
    check(
        results, "", 200, "fields.3",
        "{\"name\":\"level\",\"type\":\"decimal\",\"unit\":\"ratio\",\"description\":\"how high\","
        "\"required\":false,\"nullable\":true}");
    check("/catalog/schemas/volatility_schema", "", 200, "fields.4.type", "\"integer\"");
    end();
}

static void test_lineage_is_the_newest_first(void)
{
    begin_with_data();
    check("/catalog/lineage/candles_BTCUSDT_1h", "", 200, "lineage", "[]");
    put_lineage("candles_BTCUSDT_1h", T0, "one");
    put_lineage("candles_BTCUSDT_1h", T0 + 2000, "two");
    put_lineage("candles_BTCUSDT_1", T0, "other");
    put_lineage("candles_BTCUSDT_1hx", T0, "another");
    const char *target = "/catalog/lineage/candles_BTCUSDT_1h";
    check(target, "", 200, "dataset_id", "\"candles_BTCUSDT_1h\"");
    check(target, "", 200, "lineage.0",
          "{\"lineage_id\":\"two\",\"source_dataset_ids\":[],\"transformation\":\"import\","
          "\"transformation_params\":{\"file\":\"a,b.csv\"},\"script_hash\":null,"
          "\"input_records\":12,\"output_records\":10,\"execution_time_seconds\":0.25,\"status\":"
          "\"failed\",\"error_message\":\"it, \\\"broke\\\"\",\"timestamp\":"
          "\"2024-11-15T00:00:00.002Z\"}");
    check(target, "", 200, "lineage.1.lineage_id", "\"one\"");
    check(target, "", 200, "lineage.2", "absent");
    check(target, "", 200, "metadata.last_updated", "\"2024-11-15T00:00:00.002Z\"");
    check("/catalog/lineage/candles_BTCUSDT_1h?limit=1", "", 200, "lineage.1", "absent");
    check("/catalog/lineage/candles_BTCUSDT_1h?limit=1", "", 200, "pagination.has_next", "true");
    check("/catalog/lineage/candles_BTCUSDT_1hx", "", 200, "lineage.0.lineage_id", "\"another\"");
    struct client_reply csv =
        client_get(port, "/catalog/lineage/candles_BTCUSDT_1hx?format=csv", "");
    CU_ASSERT_STRING_EQUAL(csv.body,
                           "lineage_id,transformation,input_records,output_records,"
                           "execution_time_seconds,status,error_message,timestamp\nanother,import,"
                           "12,10,0.25,failed,\"it, \"\"broke\"\"\",2024-11-15T00:00:00Z\n");
    free(csv.body);
    end();
}

struct seen {
    size_t n, stop_at;
    uint8_t last[16];
};

static bool see(void *arg, const void *key, size_t len)
{
    struct seen *seen = arg;
    CU_ASSERT_EQUAL(len, 16);
    CU_ASSERT_TRUE(seen->n == 0 || memcmp(seen->last, key, 16) < 0);
    memcpy(seen->last, key, 16);
    return ++seen->n != seen->stop_at;
}

static void test_keys_of_a_collection_are_its_own(void)
{
    struct pt_read *read = NULL;
    struct pt_err err;
    struct seen seen = { 0 }, some = { .stop_at = 2 }, none = { 0 };
    begin_with_data();
    fake_store_result("volatility_b", "BTCUSDT", PT_US_HOUR, T0, "ok", 1, "h");
    CU_ASSERT_EQUAL_FATAL(pt_read_begin(fake.store, &read, &err), PT_OK);
    CU_ASSERT_EQUAL(pt_docs_keys(read, "analytics_BTCUSDT_volatility", see, &seen, &err), PT_OK);
    CU_ASSERT_EQUAL(seen.n, 3);
    CU_ASSERT_EQUAL(pt_docs_keys(read, "analytics_BTCUSDT_volatility", see, &some, &err), PT_OK);
    CU_ASSERT_EQUAL(some.n, 2);
    CU_ASSERT_EQUAL(pt_docs_keys(read, "analytics_BTCUSDT_vol", see, &none, &err), PT_OK);
    CU_ASSERT_EQUAL(none.n, 0);
    CU_ASSERT_EQUAL(pt_docs_keys(read, "", see, &none, &err), PT_EINVAL);
    pt_read_end(read);
    end();
}

static CU_TestInfo tests[] = {
    { "datasets are what is stored", test_datasets_are_what_is_stored },
    { "datasets are sorted, filtered and paged", test_datasets_are_sorted_filtered_and_paged },
    { "a tag holds until something is stored", test_a_tag_holds_until_something_is_stored },
    { "one dataset, and those that are not there", test_one_dataset_and_those_that_are_not_there },
    { "schemas are the columns and the declarations",
      test_schemas_are_the_columns_and_the_declarations },
    { "lineage is the newest first", test_lineage_is_the_newest_first },
    { "keys of a collection are its own", test_keys_of_a_collection_are_its_own },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("test_catalog", tests);
}
