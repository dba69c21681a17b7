/* /data/depth and /data/funding: what is stored comes back, digit by digit. */
#include "served.h"

#define T0 INT64_C(1731628800000000) /* 2024-11-15T00:00:00Z */
#define HOURS_8 (8 * PT_US_HOUR)

/* `bids` and `asks` levels around 100.00; quantities 1.0, 2.0, ... */
static void store_book(const char *symbol, int64_t time_us, int64_t id, int bids, int asks)
{
    struct pt_series_key key = { .kind = PT_DEPTH };
    struct pt_frame frame;
    int64_t val[PT_CELLS_MAX];
    uint8_t dig[PT_CELLS_MAX];
    const int levels = PT_DEPTH_LEVELS;
    strcpy(key.symbol, symbol);
    for (int i = 0; i < PT_CELLS_MAX; i++) {
        val[i] = PT_MISSING;
        dig[i] = pt_digits(2, 0);
    }
    val[0] = time_us;
    val[1] = id;
    for (int i = 0; i < bids; i++) {
        val[2 + i] = 9999 - i;
        val[2 + levels + i] = 10 + 10 * i;
        dig[2 + levels + i] = pt_digits(1, 0);
    }
    for (int i = 0; i < asks; i++) {
        val[2 + 2 * levels + i] = 10001 + i;
        val[2 + 3 * levels + i] = 20 + 10 * i;
        dig[2 + 3 * levels + i] = pt_digits(1, 0);
    }
    pt_frame_init(&frame, pt_kind(PT_DEPTH));
    if (pt_frame_push(&frame, val, dig) != PT_OK) abort();
    fake_store_rows(&key, &frame);
    pt_frame_fini(&frame);
}

/* n payments every 8 hours from `first_us` on; the second has a negative rate and no mark price. */
static void store_funding(int64_t first_us, int n)
{
    struct pt_series_key key = { .kind = PT_FUNDING, .symbol = "BTCUSDT" };
    struct pt_frame frame;
    pt_frame_init(&frame, pt_kind(PT_FUNDING));
    for (int i = 0; i < n; i++) {
        int64_t val[] = { first_us + i * HOURS_8, i == 1 ? -5 : 10000 + i,
                          i == 1 ? PT_MISSING : 6000010 + i };
        uint8_t dig[] = { 0, pt_digits(8, 0), pt_digits(2, 0) };
        if (pt_frame_push(&frame, val, dig) != PT_OK) abort();
    }
    fake_store_rows(&key, &frame);
    pt_frame_fini(&frame);
}

static void test_a_book_is_given_best_first(void)
{
    begin(one_thread);
    store_book("BTCUSDT", T0, 41, 20, 20);
    store_book("BTCUSDT", T0 + 1, 42, 20, 3);
    const char *target = "/data/depth?pair=btcusdt&levels=2";
    check(target, "", 200, "pair", "\"BTCUSDT\"");
    check(
        target, "", 200, "data.bids",
        "[{\"price\":\"99.99\",\"quantity\":\"1.0\"},{\"price\":\"99.98\",\"quantity\":\"2.0\"}]");
    check(target, "", 200, "data.asks.0", "{\"price\":\"100.01\",\"quantity\":\"2.0\"}");
    check(target, "", 200, "data.last_update_id", "42");
    check(target, "", 200, "metadata.timestamp", "\"2024-11-15T00:00:00.000001Z\"");
    check(target, "", 200, "metadata.collection", "\"depth_BTCUSDT\"");
    check(target, "", 200, "metadata.stale", "true");
    check(target, "", 200, "parameters", "{\"pair\":\"BTCUSDT\",\"levels\":2}");
    check("/data/depth?pair=BTCUSDT", "", 200, "data.bids.19.price", "\"99.80\"");
    check("/data/depth?pair=BTCUSDT", "", 200, "data.asks.2.price", "\"100.03\"");
    check("/data/depth?pair=BTCUSDT", "", 200, "data.asks.3", "absent");
    check("/data/depth?pair=BTCUSDT&levels=1", "", 200, "data.bids.1", "absent");
    end();
}

static void test_a_book_says_how_old_it_is(void)
{
    begin(one_thread);
    store_book("BTCUSDT", pt_now_us() - 4 * PT_US_MIN, 1, 1, 1);
    store_book("ETHUSDT", pt_now_us() + PT_US_HOUR, PT_MISSING, 1, 1); /* a clock ahead of ours */
    check("/data/depth?pair=BTCUSDT", "", 200, "metadata.stale", "true");
    struct client_reply reply = client_get(port, "/data/depth?pair=BTCUSDT", "");
    long age_ms = atol(member(&reply, "metadata.age_ms"));
    CU_ASSERT_TRUE(age_ms >= 240000 && age_ms < 100 * 240000);
    CU_ASSERT_STRING_EQUAL(client_header(&reply, "ETag"), ""); /* no two are the same */
    free(reply.body);
    check("/data/depth?pair=ETHUSDT", "", 200, "metadata.stale", "false");
    check("/data/depth?pair=ETHUSDT", "", 200, "data.last_update_id", "null");
    store_book("BTCUSDT", pt_now_us() + PT_US_HOUR, 2, 1, 1);
    check("/data/depth?pair=BTCUSDT", "", 200, "data.last_update_id", "2");
    check("/data/depth?pair=BTCUSDT", "", 200, "metadata.stale", "false");
    end();
}

static void test_no_book_is_an_empty_book(void)
{
    begin(one_thread);
    const char *target = "/data/depth?pair=NOBODY";
    check(target, "", 200, "data", "{\"bids\":[],\"asks\":[],\"last_update_id\":null}");
    check(target, "", 200, "metadata.timestamp", "null");
    check(target, "", 200, "metadata.age_ms", "null");
    check(target, "", 200, "metadata.stale", "null");
    check(target, "", 200, "metadata.records_returned", "0");
    end();
}

static void test_levels_are_one_to_twenty(void)
{
    begin(one_thread);
    static const char *const bad[] = { "levels=0",   "levels=21", "levels=-1",
                                       "levels=ten", "levels=",   "levels=1&levels=2" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char target[100];
        snprintf(target, sizeof target, "/data/depth?pair=BTCUSDT&%s", bad[i]);
        check(target, "", 422, "status", "422");
    }
    check("/data/depth", "", 422, "status", "422");
    check("/data/depth?pair=BTCUSDT&levels=20", "", 200, "parameters.levels", "20");
    end();
}

static void test_funding_is_paged_like_all_lists(void)
{
    begin(one_thread);
    store_funding(T0, 10);
    const char *target = "/data/funding?pair=BTCUSDT&start=2024-11-15&limit=2";
    check(target, "", 200, "values",
          "[{\"timestamp\":\"2024-11-15T00:00:00Z\",\"funding_rate\":\"0.00010000\",\"mark_price\":"
          "\"60000.10\"},{\"timestamp\":\"2024-11-15T08:00:00Z\",\"funding_rate\":\"-0.00000005\","
          "\"mark_price\":null}]");
    check(target, "", 200, "pagination.total", "10");
    check(target, "", 200, "pagination.has_next", "true");
    check(target, "", 200, "metadata.collection", "\"funding_rates_BTCUSDT\"");
    check(target, "", 200, "metadata.data_completeness", "null");
    check(target, "", 200, "metadata.last_updated", "\"2024-11-18T00:00:00Z\"");
    check("/data/funding?pair=BTCUSDT&start=2024-11-15&sort_order=desc&offset=1&limit=1", "", 200,
          "values.0.funding_rate", "\"0.00010008\"");
    check("/data/funding?pair=BTCUSDT&start=2024-11-15&end=2024-11-16", "", 200, "pagination.total",
          "3");
    check("/data/funding?pair=BTCUSDT&start=2024-11-15&list_key=data&limit=1", "", 200,
          "data.0.funding_rate", "\"0.00010000\"");
    check("/data/funding?pair=NOBODY", "", 200, "values", "[]");
    check("/data/funding", "", 422, "status", "422");
    end();
}

static void test_funding_without_a_start_is_a_week(void)
{
    begin(one_thread);
    int64_t now_us = pt_now_us();
    store_funding(now_us - 30 * HOURS_8 + PT_US_HOUR, 30); /* ten days, the last 7 hours ago */
    check("/data/funding?pair=BTCUSDT", "", 200, "pagination.total", "21");
    check("/data/funding?pair=BTCUSDT", "", 200, "values.20.funding_rate", "\"0.00010029\"");
    check("/data/funding?pair=BTCUSDT&limit=1", "", 200, "values.0.funding_rate", "\"0.00010029\"");
    store_funding(T0, 30);
    check("/data/funding?pair=BTCUSDT&end=2024-11-23", "", 200, "pagination.total", "21");
    end();
}

static void test_funding_leaves_the_week_by_itself(void)
{
    begin(one_thread);
    /* the first payment is a week old in less than a second, the others are much later */
    int64_t first_us = pt_now_us() - PT_US_WEEK + 900000;
    store_funding(first_us, 3);
    struct client_reply before = client_get(port, "/data/funding?pair=BTCUSDT", "");
    char tag[100], condition[200];
    snprintf(tag, sizeof tag, "%s", client_header(&before, "ETag"));
    if (pt_now_us() < first_us + PT_US_WEEK)
        CU_ASSERT_STRING_EQUAL(member(&before, "pagination.total"), "3");
    while (pt_now_us() <= first_us + PT_US_WEEK) usleep(10000);
    check("/data/funding?pair=BTCUSDT", "", 200, "pagination.total", "2");
    snprintf(condition, sizeof condition, "If-None-Match: %s\r\n", tag);
    check("/data/funding?pair=BTCUSDT", condition, 200, "pagination.total", "2");
    free(before.body);
    end();
}

static CU_TestInfo tests[] = {
    { "a book is given best first", test_a_book_is_given_best_first },
    { "a book says how old it is", test_a_book_says_how_old_it_is },
    { "no book is an empty book", test_no_book_is_an_empty_book },
    { "levels are one to twenty", test_levels_are_one_to_twenty },
    { "funding is paged like all lists", test_funding_is_paged_like_all_lists },
    { "funding without a start is a week", test_funding_without_a_start_is_a_week },
    { "funding leaves the week by itself", test_funding_leaves_the_week_by_itself },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("test_market", tests);
}
