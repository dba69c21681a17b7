/* One line of the overview: what is there, how bad its worst result is, when it becomes stale. */
#include "suite.h"

#include "fake_engine.h"
#include "serve/overview.h"
#include "serve/results.h"

#define T0 INT64_C(1731628800000000) /* 2024-11-15T00:00:00Z */
#define PERIOD PT_US_HOUR

static void store(const char *name, int64_t as_of_us, const char *status, const char *data)
{
    struct pt_write *write = NULL;
    struct pt_err err;
    bson_error_t error;
    uint8_t key[16];
    char collection[100];
    bson_t *doc = bson_new(), *fields = bson_new_from_json((const uint8_t *)data, -1, &error);
    if (fields == NULL) abort();
    BSON_APPEND_DATE_TIME(doc, "as_of", as_of_us / 1000);
    BSON_APPEND_UTF8(doc, "status", status);
    BSON_APPEND_DOCUMENT(doc, "data", fields);
    snprintf(collection, sizeof collection, "analytics_BTCUSDT_%s", name);
    pt_result_key(PERIOD, as_of_us, key);
    if (pt_write_begin(fake.store, &write, &err) != PT_OK ||
        pt_write_doc(write, collection, key, sizeof key, doc, &err) != PT_OK ||
        pt_write_commit(write, &err) != PT_OK)
        abort();
    bson_destroy(doc);
    bson_destroy(fields);
}

static void store_all(int64_t as_of_us)
{
    store("volatility", as_of_us, "ok", "{\"annualized\": 0.5}");
    store("volume", as_of_us, "ok", "{\"volume_spike_ratio\": 1.25}");
    store("trend", as_of_us, "ok", "{\"crossover_signal\": \"bullish\", \"rate_of_change\": -2.5}");
    store("regime", as_of_us, "ok", "{\"regime\": \"transitional\", \"confidence\": 0.75}");
}

static struct pt_overview line_at(int64_t now_us)
{
    struct pt_overview line = { .pair = "BTCUSDT" };
    struct pt_read *read = NULL;
    struct pt_err err;
    CU_ASSERT_EQUAL_FATAL(pt_read_begin(fake.store, &read, &err), PT_OK);
    CU_ASSERT_EQUAL(pt_overview_read(read, PERIOD, now_us, &line, &err), PT_OK);
    pt_read_end(read);
    return line;
}

static void test_the_newest_of_each_metric(void)
{
    fake_start(NULL);
    store_all(T0 - PERIOD);
    store("volatility", T0, "ok", "{\"annualized\": 0.625}");
    struct pt_overview line = line_at(T0);
    CU_ASSERT_TRUE(line.available);
    CU_ASSERT_STRING_EQUAL(line.status, "ok");
    CU_ASSERT_EQUAL(line.annualized, 0.625);
    CU_ASSERT_EQUAL(line.spike_ratio, 1.25);
    CU_ASSERT_STRING_EQUAL(line.direction, "bullish");
    CU_ASSERT_EQUAL(line.roc, -2.5);
    CU_ASSERT_STRING_EQUAL(line.classification, "transitional");
    CU_ASSERT_EQUAL(line.confidence, 0.75);
    CU_ASSERT_EQUAL(line.as_of_us, T0);
    fake_stop();
}

static void test_stale_from_a_moment_on(void)
{
    fake_start(NULL);
    store_all(T0);
    store("trend", T0 - PERIOD, "ok", "{\"rate_of_change\": 1}"); /* older: not looked at */
    int64_t last_us = pt_results_stale_us(NULL, T0, PERIOD);
    CU_ASSERT_EQUAL(line_at(last_us).stale_us, last_us);
    CU_ASSERT_STRING_EQUAL(line_at(last_us).status, "ok");
    CU_ASSERT_STRING_EQUAL(line_at(last_us + 1).status, "stale");
    CU_ASSERT_EQUAL(line_at(last_us + 1).stale_us, INT64_MAX); /* nothing will change by itself */
    CU_ASSERT_TRUE(line_at(last_us + 1).available);
    store("regime", T0 + PERIOD, "ok", "{\"regime\": \"unknown\", \"confidence\": null}");
    CU_ASSERT_EQUAL(line_at(T0).stale_us, last_us); /* the first of them */
    fake_stop();
}

static void test_the_worst_status_and_what_is_missing(void)
{
    static const char *const ranks[] = { "ok", "gap", "warming", "error" };
    for (size_t metric = 0; metric < PT_OV_METRICS; metric++) {
        for (size_t rank = 1; rank < sizeof ranks / sizeof ranks[0]; rank++) {
            fake_start(NULL);
            store_all(T0);
            store(pt_overview_names[metric], T0, ranks[rank], "{\"annualized\": null}");
            struct pt_overview line = line_at(T0);
            CU_ASSERT_STRING_EQUAL(line.status, ranks[rank]);
            CU_ASSERT_FALSE(line.available);
            bool worse =
                strcmp(ranks[rank], "gap") != 0; /* than stale, which the others are then */
            CU_ASSERT_STRING_EQUAL(line_at(T0 + 100 * PERIOD).status,
                                   worse ? ranks[rank] : "stale");
            for (size_t k = 0; k < PT_OV_METRICS; k++) CU_ASSERT_EQUAL(line.there[k], k != metric);
            fake_stop();
        }
    }
    fake_start(NULL);
    struct pt_overview line = line_at(T0);
    CU_ASSERT_STRING_EQUAL(line.status, "empty");
    CU_ASSERT_EQUAL(line.as_of_us, PT_MISSING);
    CU_ASSERT_FALSE(line.available);
    store_all(T0);
    store("volume", T0, "quarantined", "{}"); /* no word of ours: as bad as can be */
    CU_ASSERT_STRING_EQUAL(line_at(T0).status, "error");
    fake_stop();
}

static void test_one_field_of_two_makes_a_metric(void)
{
    fake_start(NULL);
    store_all(T0);
    store("trend", T0, "ok", "{\"crossover_signal\": null, \"rate_of_change\": 1.5}");
    store("regime", T0, "ok", "{\"regime\": \"unknown\", \"confidence\": null}");
    struct pt_overview line = line_at(T0);
    CU_ASSERT_TRUE(line.available);
    CU_ASSERT_STRING_EQUAL(line.direction, "");
    CU_ASSERT_EQUAL(line.roc, 1.5);
    CU_ASSERT_STRING_EQUAL(line.classification, "unknown");
    CU_ASSERT_TRUE(line.confidence != line.confidence);
    fake_stop();
}

static void put_candles(const char *symbol, int64_t period_us)
{
    struct pt_series_key key = { .kind = PT_CANDLES, .period_us = period_us };
    struct pt_frame frame;
    strcpy(key.symbol, symbol);
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    fake_candle(&frame, T0, 100, true);
    fake_store_rows(&key, &frame);
    pt_frame_fini(&frame);
}

static void test_pairs_that_have_the_period_or_can_have_it(void)
{
    char(*pairs)[PT_SYMBOL_MAX] = NULL;
    struct pt_read *read = NULL;
    struct pt_err err;
    size_t n = 0;
    fake_start(NULL);
    put_candles("ETHUSDT", PT_US_HOUR);
    put_candles("ETHUSDT", PT_US_MIN);
    put_candles("ETH_A", PT_US_MIN);
    put_candles("DAILY", PT_US_DAY);
    CU_ASSERT_EQUAL_FATAL(pt_read_begin(fake.store, &read, &err), PT_OK);
    CU_ASSERT_EQUAL(pt_overview_pairs(read, PT_US_HOUR, &pairs, &n, &err), PT_OK);
    CU_ASSERT_EQUAL_FATAL(n, 2);
    CU_ASSERT_STRING_EQUAL(pairs[0], "ETHUSDT");
    CU_ASSERT_STRING_EQUAL(pairs[1], "ETH_A");
    free(pairs);
    pairs = NULL;
    CU_ASSERT_EQUAL(pt_overview_pairs(read, PT_US_DAY, &pairs, &n, &err), PT_OK);
    CU_ASSERT_EQUAL_FATAL(n, 3);
    CU_ASSERT_STRING_EQUAL(pairs[0], "DAILY");
    free(pairs);
    pt_read_end(read);
    fake_stop();
}

static CU_TestInfo tests[] = {
    { "the newest of each metric", test_the_newest_of_each_metric },
    { "stale from a moment on", test_stale_from_a_moment_on },
    { "the worst status and what is missing", test_the_worst_status_and_what_is_missing },
    { "one field of two makes a metric", test_one_field_of_two_makes_a_metric },
    { "pairs that have the period or can have it", test_pairs_that_have_the_period_or_can_have_it },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("test_overview", tests);
}
