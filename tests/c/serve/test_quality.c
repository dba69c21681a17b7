/* /health and /health/summary, and the counting behind them against a count by hand. */
#include "served.h"

#include "serve/catalog.h"

#include <math.h>

#define T0 INT64_C(1731628800000000) /* 2024-11-15T00:00:00Z */
#define SLOTS 3000

static const struct pt_series_key hours = { .kind = PT_CANDLES,
                                            .symbol = "BTCUSDT",
                                            .period_us = PT_US_HOUR };

/* Puts the bars [from, to) whose `there` is set, counted from T0. */
static void put(const struct pt_series_key *key, int64_t start_us, const bool *there, int from,
                int to, bool last_open)
{
    struct pt_frame frame;
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    for (int i = from; i < to; i++) {
        if (there == NULL || there[i])
            fake_candle(&frame, start_us + i * key->period_us, 100, !(last_open && i == to - 1));
    }
    fake_store_rows(key, &frame);
    pt_frame_fini(&frame);
}

/* Holes between the first and the last bar that is there. */
static uint64_t holes_by_hand(const bool *there, int n)
{
    uint64_t holes = 0;
    int before = -1;
    for (int i = 0; i < n; i++) {
        if (!there[i]) continue;
        holes += before >= 0 && i - before > 1;
        before = i;
    }
    return holes;
}

static uint64_t count_gaps(struct pt_gaps_cache *cache)
{
    struct pt_read *read = NULL;
    struct pt_series series;
    struct pt_err err;
    uint64_t gaps = UINT64_MAX;
    CU_ASSERT_EQUAL_FATAL(pt_read_begin(fake.store, &read, &err), PT_OK);
    CU_ASSERT_EQUAL_FATAL(pt_series_find(read, &hours, &series, &err), PT_OK);
    CU_ASSERT_EQUAL(pt_gaps_count(cache, read, &series, &gaps, &err), PT_OK);
    pt_read_end(read);
    return gaps;
}

static void test_gaps_are_those_counted_by_hand(void)
{
    static struct pt_gaps_cache cache;
    static bool there[SLOTS];
    uint64_t state = 7;
    memset(&cache, 0, sizeof cache);
    fake_start(NULL);
    for (int i = 0; i < SLOTS; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        there[i] = (state >> 33) % 10 != 0;
    }
    there[0] = true;
    int at = 0;
    static const int steps[] = { 1, 2, 500, 1024, 2000, 2001, SLOTS };
    for (size_t k = 0; k < sizeof steps / sizeof steps[0]; at = steps[k++]) {
        put(&hours, T0, there, at, steps[k], false);
        CU_ASSERT_EQUAL(count_gaps(&cache), holes_by_hand(there, steps[k]));
    }
    fake_stop();
}

static void test_only_new_rows_are_looked_at(void)
{
    static struct pt_gaps_cache cache;
    memset(&cache, 0, sizeof cache);
    fake_start(NULL);
    put(&hours, T0, NULL, 0, 2000, false);
    CU_ASSERT_EQUAL(count_gaps(&cache), 0);
    CU_ASSERT_EQUAL(cache.scanned, 2000);
    CU_ASSERT_EQUAL(count_gaps(&cache), 0);
    CU_ASSERT_EQUAL(cache.scanned, 2000); /* the same version */
    put(&hours, T0, NULL, 2001, 2010, false);
    CU_ASSERT_EQUAL(count_gaps(&cache), 1);
    CU_ASSERT_EQUAL(cache.scanned, 2009);
    put(&hours, T0, NULL, 2000, 2001, false); /* the hole is filled: all is counted anew */
    CU_ASSERT_EQUAL(count_gaps(&cache), 0);
    CU_ASSERT_EQUAL(cache.scanned, 2009 + 2010);
    put(&hours, T0 - 10 * PT_US_HOUR, NULL, 0, 5, false); /* older ones came */
    CU_ASSERT_EQUAL(count_gaps(&cache), 1);
    fake_stop();
}

static void test_expired_rows_take_their_gaps_along(void)
{
    static struct pt_gaps_cache cache;
    struct pt_write *write = NULL;
    struct pt_err err;
    uint64_t removed = 0;
    memset(&cache, 0, sizeof cache);
    fake_start(NULL);
    put(&hours, T0, NULL, 0, 10, false);
    put(&hours, T0, NULL, 20, 30, false);
    put(&hours, T0, NULL, 40, 50, false);
    CU_ASSERT_EQUAL(count_gaps(&cache), 2);
    CU_ASSERT_EQUAL_FATAL(pt_write_begin(fake.store, &write, &err), PT_OK);
    CU_ASSERT_EQUAL(pt_write_expire(write, &hours, T0 + 25 * PT_US_HOUR, &removed, &err), PT_OK);
    CU_ASSERT_EQUAL(pt_write_commit(write, &err), PT_OK);
    CU_ASSERT_EQUAL(removed, 15);
    CU_ASSERT_EQUAL(count_gaps(&cache), 1);
    fake_stop();
}

static void test_a_hundred_series_share_the_cache(void)
{
    static struct pt_gaps_cache cache;
    struct pt_read *read = NULL;
    struct pt_err err;
    memset(&cache, 0, sizeof cache);
    fake_start(NULL);
    struct pt_series_key key = hours;
    for (int i = 0; i < 100; i++) {
        snprintf(key.symbol, sizeof key.symbol, "PAIR%d", i);
        put(&key, T0, NULL, 0, 2, false);
        if (i % 2 != 0) put(&key, T0, NULL, 5, 7, false);
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 100; i++) {
            struct pt_series series;
            uint64_t gaps = 9;
            memset(key.symbol, 0, sizeof key.symbol);
            snprintf(key.symbol, sizeof key.symbol, "PAIR%d", i);
            CU_ASSERT_EQUAL_FATAL(pt_read_begin(fake.store, &read, &err), PT_OK);
            CU_ASSERT_EQUAL_FATAL(pt_series_find(read, &key, &series, &err), PT_OK);
            CU_ASSERT_EQUAL(pt_gaps_count(&cache, read, &series, &gaps, &err), PT_OK);
            CU_ASSERT_EQUAL(gaps, (uint64_t)(i % 2));
            pt_read_end(read);
        }
    }
    fake_stop();
}

static void test_freshness_falls_from_grace_to_three_periods(void)
{
    CU_ASSERT_EQUAL(pt_freshness(-5, PT_US_HOUR), 100);
    CU_ASSERT_EQUAL(pt_freshness(PT_US_HOUR / 10 + 5 * PT_US_SEC, PT_US_HOUR), 100);
    CU_ASSERT_EQUAL(pt_freshness(3 * PT_US_HOUR, PT_US_HOUR), 0);
    CU_ASSERT_EQUAL(pt_freshness(INT64_MAX / 2, PT_US_HOUR), 0);
    int64_t grace_us = PT_US_HOUR / 10 + 5 * PT_US_SEC;
    CU_ASSERT_DOUBLE_EQUAL(pt_freshness((grace_us + 3 * PT_US_HOUR) / 2, PT_US_HOUR), 50, 1e-6);
    CU_ASSERT_EQUAL(pt_score(100, 100), 100);
    CU_ASSERT_EQUAL(pt_score(100, 0), 80);
    CU_ASSERT_EQUAL(pt_score(0, 0), 0);
}

static void test_health_tells_what_is_stored(void)
{
    begin(one_thread);
    put(&hours, T0, NULL, 0, 40, false);
    put(&hours, T0, NULL, 50, 60, true); /* the last is under way */
    const char *target = "/health?pair=btcusdt&period=1h";
    check(target, "", 200, "pair", "\"BTCUSDT\"");
    check(target, "", 200, "health.completeness", "83.05"); /* 49 of 59 */
    check(target, "", 200, "health.gaps", "1");
    check(target, "", 200, "health.duplicates", "0");
    check(target, "", 200, "health.quality_score", "null");
    check(target, "", 200, "health.consistency_score", "null");
    check(target, "", 200, "metadata", "{\"last_audit\":null,\"data_source\":\"store\"}");
    check(target, "", 200, "parameters", "{\"pair\":\"BTCUSDT\",\"period\":\"1h\"}");
    struct client_reply reply = client_get(port, target, "");
    int64_t want = (pt_now_us() - T0 - 59 * PT_US_HOUR) / PT_US_SEC;
    CU_ASSERT_TRUE(llabs(atoll(member(&reply, "health.freshness_sec")) - want) < 600);
    free(reply.body);
    check("/health?pair=BTCUSDT&period=4h", "", 200, "metadata.derived_from", "\"1h\"");
    check("/health?pair=BTCUSDT&period=4h", "", 200, "health.gaps", "1");
    struct pt_series_key days = hours;
    days.period_us = PT_US_DAY;
    put(&days, T0, NULL, 0, 1, false);
    put(&days, T0, NULL, 3, 4, false);
    check("/health?pair=BTCUSDT", "", 200, "health.gaps", "2");
    check("/health?pair=BTCUSDT", "", 200, "health.completeness", "80.95"); /* 51 of 63 */
    check("/health?pair=BTCUSDT", "", 200, "period", "null");
    end();
}

static void test_nothing_stored_is_unknown_not_well(void)
{
    begin(one_thread);
    const char *target = "/health?pair=NOBODY&period=1h";
    check(target, "", 200, "health",
          "{\"completeness\":null,\"freshness_sec\":null,\"gaps\":null,\"duplicates\":null,"
          "\"consistency_score\":null,\"quality_score\":null}");
    check("/health", "", 422, "status", "422");
    check("/health?pair=BTCUSDT&period=7h", "", 422, "status", "422");
    check("/health/summary", "", 200, "data",
          "{\"total_datasets\":0,\"healthy_datasets\":0,\"degraded_datasets\":0,"
          "\"unhealthy_datasets\":0,\"overall_score\":null}");
    end();
}

static void test_the_summary_counts_candles_and_results(void)
{
    begin(one_thread);
    int64_t hour_us = pt_now_us() / PT_US_HOUR * PT_US_HOUR;
    struct pt_series_key key = hours;
    put(&key, hour_us - 9 * PT_US_HOUR, NULL, 0, 10, true); /* whole, and the newest is under way */
    strcpy(key.symbol, "ETHUSDT");
    put(&key, T0, NULL, 0, 10, false); /* whole and old: 80 */
    strcpy(key.symbol, "XRPUSDT");
    put(&key, T0, NULL, 0, 1, false);
    put(&key, T0, NULL, 9, 10, false); /* 2 of 10 and old: 16 */
    struct pt_series_key trades = { .kind = PT_TRADES, .symbol = "BTCUSDT" };
    struct pt_frame frame; /* trades are no dataset of the summary */
    int64_t trade[] = { T0, 1, 100, 100, 0 };
    uint8_t digits[] = { 0, 0, 0, 0, 0 };
    pt_frame_init(&frame, pt_kind(PT_TRADES));
    CU_ASSERT_EQUAL_FATAL(pt_frame_push(&frame, trade, digits), PT_OK);
    fake_store_rows(&trades, &frame);
    pt_frame_fini(&frame);
    check("/health/summary", "", 200, "data.total_datasets", "3");
    usleep(50000); /* a list may be kept for a moment after a commit */
    /* 0.8 x 87.5 + 0.2 x 0; then one that failed */
    fake_store_result("volatility", "BTCUSDT", PT_US_HOUR, T0, "ok", 1, "h");
    fake_store_result("deviation", "BTCUSDT", PT_US_HOUR, hour_us, "ok", 1, "h");
    fake_store_result("deviation", "BTCUSDT", PT_US_DAY, T0, "error", 1, "h");
    for (int i = 0; i < 100; i++) {
        struct client_reply reply = client_get(port, "/health/summary", "");
        bool done = strcmp(member(&reply, "data.total_datasets"), "5") == 0;
        free(reply.body);
        if (done) break;
        usleep(50000);
    }
    check("/health/summary", "", 200, "data.total_datasets", "5");
    check("/health/summary", "", 200, "data.degraded_datasets", "2");
    check("/health/summary", "", 200, "data.unhealthy_datasets", "2");
    check("/health/summary", "", 200, "data.healthy_datasets", "1");
    end();
}

static CU_TestInfo tests[] = {
    { "gaps are those counted by hand", test_gaps_are_those_counted_by_hand },
    { "only new rows are looked at", test_only_new_rows_are_looked_at },
    { "expired rows take their gaps along", test_expired_rows_take_their_gaps_along },
    { "a hundred series share the cache", test_a_hundred_series_share_the_cache },
    { "freshness falls from grace to three periods",
      test_freshness_falls_from_grace_to_three_periods },
    { "health tells what is stored", test_health_tells_what_is_stored },
    { "nothing stored is unknown, not well", test_nothing_stored_is_unknown_not_well },
    { "the summary counts candles and results", test_the_summary_counts_candles_and_results },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("test_quality", tests);
}
