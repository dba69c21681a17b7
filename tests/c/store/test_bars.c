/* test_bars.c - closed candles: stored ones and built ones. */
#include "kit.h"

#include "store/bars.h"

static char *path;
static struct pt_store *store;

/* Candles at [from, to) of a period, except where (time / period) % hole == 0; the last one is
 * still open. */
static void put_candles(int64_t period, int64_t from, int64_t to, int64_t hole)
{
    struct pt_series_key key = kit_key(PT_CANDLES, "BTCUSDT", period);
    struct pt_frame frame;
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    for (int64_t t = from; t < to; t += period) {
        int64_t i = t / period, p = 1000 + i % 37;
        int64_t val[] = { t, p, p + 9, p - 9, p + 3, i % 11 + 1, 50, 2, 3, 4, t + period < to };
        uint8_t dig[PT_CELLS_MAX] = { 0, 2, 2, 2, 2, 3, 4, 0, 3, 4 };
        if (hole > 0 && i % hole == 0) continue;
        OK(pt_frame_push(&frame, val, dig));
    }
    kit_write(store, &key, &frame, PT_PUT_CORRECT);
    pt_frame_fini(&frame);
}

static void setup(void)
{
    path = kit_folder();
    store = kit_open(path);
}

static void teardown(void)
{
    pt_store_close(store);
    kit_remove(path);
}

static int64_t source_of(int64_t period)
{
    struct pt_read *read;
    struct pt_bars_source source;
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_bars_source(read, "BTCUSDT", period, &source, &kit_err));
    pt_read_end(read);
    return source.period_us;
}

static int64_t last_close(int64_t period, int64_t limit)
{
    struct pt_read *read;
    int64_t close_us;
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_bars_last_close(read, "BTCUSDT", period, limit, &close_us, &kit_err));
    pt_read_end(read);
    return close_us;
}

static void bars(int64_t period, int64_t from, int64_t to, uint32_t cols, struct pt_frame *frame)
{
    struct pt_read *read;
    pt_frame_clear(frame);
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_bars_read(read, "BTCUSDT", period, from, to, cols, frame, NULL, &kit_err));
    pt_read_end(read);
}

static void test_the_largest_divisor_is_the_source(void)
{
    setup();
    CU_ASSERT_EQUAL(source_of(PT_US_HOUR), 0);
    CU_ASSERT_EQUAL(last_close(PT_US_HOUR, INT64_MAX), PT_MISSING);
    put_candles(PT_US_MIN, T0, T0 + PT_US_HOUR, 0);
    put_candles(15 * PT_US_MIN, T0, T0 + PT_US_DAY, 0);
    put_candles(PT_US_DAY, T0, T0 + 30 * PT_US_DAY, 0);
    CU_ASSERT_EQUAL(source_of(PT_US_MIN), PT_US_MIN);
    CU_ASSERT_EQUAL(source_of(5 * PT_US_MIN), PT_US_MIN);
    CU_ASSERT_EQUAL(source_of(PT_US_HOUR), 15 * PT_US_MIN);
    CU_ASSERT_EQUAL(source_of(PT_US_DAY), PT_US_DAY);
    CU_ASSERT_EQUAL(source_of(PT_US_WEEK), PT_US_DAY);
    teardown();
}

static void test_stored_bars_are_given_when_closed(void)
{
    struct pt_frame frame;
    setup();
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    put_candles(PT_US_HOUR, T0, T0 + 1000 * PT_US_HOUR, 0);
    bars(PT_US_HOUR, INT64_MIN, INT64_MAX, 0, &frame);
    CU_ASSERT_EQUAL(frame.n, 999); /* the last one is still open */
    bars(PT_US_HOUR, T0 + PT_US_HOUR, T0 + 3 * PT_US_HOUR, 1u << PT_C_CLOSE, &frame);
    CU_ASSERT_EQUAL_FATAL(frame.n, 2);
    CU_ASSERT_EQUAL(frame.val[PT_C_TIME][0], T0 + PT_US_HOUR);
    CU_ASSERT_NOT_EQUAL(frame.val[PT_C_CLOSE][0], PT_MISSING);
    CU_ASSERT_EQUAL(frame.val[PT_C_OPEN][0], PT_MISSING);
    CU_ASSERT_EQUAL(frame.val[PT_C_CLOSED][0], PT_MISSING);
    CU_ASSERT_EQUAL(last_close(PT_US_HOUR, INT64_MAX), T0 + 999 * PT_US_HOUR);
    CU_ASSERT_EQUAL(last_close(PT_US_HOUR, T0 + 5 * PT_US_HOUR), T0 + 5 * PT_US_HOUR);
    CU_ASSERT_EQUAL(last_close(PT_US_HOUR, T0 + 5 * PT_US_HOUR - 1), T0 + 4 * PT_US_HOUR);
    CU_ASSERT_EQUAL(last_close(PT_US_HOUR, T0 + PT_US_HOUR), T0 + PT_US_HOUR);
    CU_ASSERT_EQUAL(last_close(PT_US_HOUR, T0 + PT_US_HOUR - 1), PT_MISSING);
    CU_ASSERT_EQUAL(last_close(PT_US_HOUR, INT64_MIN), PT_MISSING);
    pt_frame_fini(&frame);
    teardown();
}

/* Against the definition, bar by bar: open of the first, close of the last part, extremes, sums. */
static void check_built(int64_t period, int64_t part, int64_t from, int64_t to)
{
    struct pt_frame parts, built;
    struct pt_series_key key = kit_key(PT_CANDLES, "BTCUSDT", part);
    size_t k = 0;
    pt_frame_init(&parts, pt_kind(PT_CANDLES));
    pt_frame_init(&built, pt_kind(PT_CANDLES));
    kit_read(store, &key, INT64_MIN, INT64_MAX, &parts);
    bars(period, from, to, 0, &built);
    int64_t begin = pt_period_floor(period, parts.val[0][0]);
    for (int64_t t = begin; t <= parts.val[0][parts.n - 1]; t += period) {
        int64_t high = INT64_MIN, low = INT64_MAX, volume = 0, trades = 0, seen = 0;
        size_t first = pt_frame_lower(&parts, t), i = first;
        for (; i < parts.n && parts.val[0][i] < t + period; i++) {
            high = parts.val[PT_C_HIGH][i] > high ? parts.val[PT_C_HIGH][i] : high;
            low = parts.val[PT_C_LOW][i] < low ? parts.val[PT_C_LOW][i] : low;
            volume += parts.val[PT_C_VOLUME][i];
            trades += parts.val[PT_C_TRADES][i];
            seen += parts.val[PT_C_CLOSED][i] == 1;
        }
        if (t < from || t >= to || seen < period / part) continue; /* not asked for, or not whole */
        CU_ASSERT_TRUE_FATAL(k < built.n);
        CU_ASSERT_EQUAL(built.val[PT_C_TIME][k], t);
        CU_ASSERT_EQUAL(built.val[PT_C_OPEN][k], parts.val[PT_C_OPEN][first]);
        CU_ASSERT_EQUAL(built.val[PT_C_CLOSE][k], parts.val[PT_C_CLOSE][i - 1]);
        CU_ASSERT_EQUAL(built.val[PT_C_HIGH][k], high);
        CU_ASSERT_EQUAL(built.val[PT_C_LOW][k], low);
        CU_ASSERT_EQUAL(built.val[PT_C_VOLUME][k], volume);
        CU_ASSERT_EQUAL(built.val[PT_C_TRADES][k], trades);
        k++;
    }
    CU_ASSERT_EQUAL(k, built.n);
    pt_frame_fini(&parts);
    pt_frame_fini(&built);
}

static void test_built_bars_need_all_their_parts(void)
{
    static const int64_t periods[] = { 5 * PT_US_MIN, PT_US_HOUR, 4 * PT_US_HOUR, PT_US_DAY };
    setup();
    /* begins and ends in the middle of an hour, and lacks a minute now and then */
    put_candles(PT_US_MIN, T0 + 17 * PT_US_MIN, T0 + 4 * PT_US_DAY + 29 * PT_US_MIN, 1009);
    for (size_t p = 0; p < sizeof periods / sizeof periods[0]; p++) {
        check_built(periods[p], PT_US_MIN, INT64_MIN, INT64_MAX);
        check_built(periods[p], PT_US_MIN, T0 + 100 * PT_US_MIN, T0 + 3 * PT_US_DAY + 7);
        check_built(periods[p], PT_US_MIN, T0 + PT_US_HOUR, T0 + PT_US_HOUR + 1);
    }
    teardown();
}

static void test_weeks_are_built_from_monday(void)
{
    struct pt_frame frame;
    setup();
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    put_candles(PT_US_DAY, T0, T0 + 40 * PT_US_DAY, 0); /* 2025-01-01 was a Wednesday */
    bars(PT_US_WEEK, INT64_MIN, INT64_MAX, 0, &frame);
    CU_ASSERT_EQUAL_FATAL(frame.n, 4);
    CU_ASSERT_EQUAL(frame.val[0][0], T0 + 5 * PT_US_DAY);
    CU_ASSERT_EQUAL(last_close(PT_US_WEEK, INT64_MAX), T0 + 33 * PT_US_DAY);
    pt_frame_fini(&frame);
    teardown();
}

static void test_the_last_built_bar_is_found_behind_a_long_gap(void)
{
    setup();
    put_candles(PT_US_MIN, T0, T0 + 2 * PT_US_HOUR + PT_US_MIN, 0);
    /* a year later only broken hours follow */
    put_candles(PT_US_MIN, T0 + 365 * PT_US_DAY, T0 + 366 * PT_US_DAY, 7);
    CU_ASSERT_EQUAL(last_close(PT_US_HOUR, INT64_MAX), T0 + 2 * PT_US_HOUR);
    CU_ASSERT_EQUAL(last_close(PT_US_HOUR, T0 + 2 * PT_US_HOUR - 1), T0 + PT_US_HOUR);
    CU_ASSERT_EQUAL(last_close(PT_US_HOUR, T0 + 59 * PT_US_MIN), PT_MISSING);
    CU_ASSERT_EQUAL(last_close(PT_US_DAY, INT64_MAX), PT_MISSING);
    teardown();
}

static CU_TestInfo tests[] = {
    { "the largest stored divisor is the source", test_the_largest_divisor_is_the_source },
    { "stored bars are given when closed", test_stored_bars_are_given_when_closed },
    { "built bars need all their parts", test_built_bars_need_all_their_parts },
    { "weeks are built from Monday", test_weeks_are_built_from_monday },
    { "the last built bar is found behind a long gap",
      test_the_last_built_bar_is_found_behind_a_long_gap },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("store/bars", tests);
}
