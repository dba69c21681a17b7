/* Pages against their definition: all closed bars in a list, cut by hand. */
#include "suite.h"

#include "fake_engine.h"
#include "serve/bars_index.h"

#include <math.h>

#define T0 INT64_C(1731628800000000) /* 2024-11-15T00:00:00Z */
#define BARS 600

static struct pt_bars_cache cache;
static unsigned seed = 1;

static unsigned draw(unsigned n)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 16) % n;
}

/* One minute bars with holes; some are not closed, the last one among them. */
struct made {
    int64_t time_us[BARS];
    bool closed[BARS];
    size_t n;
};

static void make(struct made *made, const char *symbol, unsigned holes, unsigned opens)
{
    struct pt_series_key key = { .kind = PT_CANDLES, .period_us = PT_US_MIN };
    struct pt_frame frame;
    strcpy(key.symbol, symbol);
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    made->n = 0;
    for (int i = 0; i < BARS; i++) {
        if (holes > 0 && draw(holes) == 0) continue;
        made->time_us[made->n] = T0 + i * PT_US_MIN;
        made->closed[made->n] = !(opens > 0 && (i == BARS - 1 || draw(opens) == 0));
        fake_candle(&frame, made->time_us[made->n], 100 + i, made->closed[made->n]);
        made->n++;
    }
    fake_store_rows(&key, &frame);
    pt_frame_fini(&frame);
}

/* Open times of the bars of a period, by definition. */
static size_t define(const struct made *made, int64_t period_us, bool include_open, int64_t *out)
{
    size_t n = 0, whole = (size_t)(period_us / PT_US_MIN);
    for (size_t i = 0; i < made->n; i++) {
        if (whole == 1) {
            if (made->closed[i] || include_open) out[n++] = made->time_us[i];
            continue;
        }
        int64_t start_us = made->time_us[i] - made->time_us[i] % period_us;
        size_t parts = 0;
        for (size_t k = i; k < made->n && made->time_us[k] < start_us + period_us; k++)
            parts += made->closed[k];
        if (start_us == made->time_us[i] && parts == whole) out[n++] = start_us;
    }
    return n;
}

static void check_page(const struct made *made, const char *symbol, int64_t period_us,
                       const struct pt_page *page)
{
    int64_t all[BARS], want[BARS];
    struct pt_read *read = NULL;
    struct pt_err err;
    struct pt_frame frame;
    struct pt_page_sums sums;
    const struct pt_bars_index *index;
    size_t total = 0, n = 0, nall = define(made, period_us, page->include_open, all);
    for (size_t i = 0; i < nall; i++) {
        if (all[i] >= page->from_us && all[i] < page->to_us) all[total++] = all[i];
    }
    for (size_t i = 0; i < total; i++) {
        size_t place = page->from_newest ? total - 1 - i
                                         : i; /* the i-th, counted from where the page begins */
        if ((int64_t)i >= page->offset && (int64_t)i < page->offset + page->limit)
            want[n++] = all[place];
    }
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    CU_ASSERT_EQUAL_FATAL(pt_read_begin(fake.store, &read, &err), PT_OK);
    CU_ASSERT_EQUAL_FATAL(pt_bars_index(&cache, read, symbol, period_us, &index, &err), PT_OK);
    CU_ASSERT_EQUAL_FATAL(pt_bars_page(read, index, page, &frame, &sums, &err), PT_OK);
    pt_read_end(read);
    CU_ASSERT_EQUAL(sums.total, (int64_t)total);
    CU_ASSERT_EQUAL_FATAL(frame.n, n);
    for (size_t i = 0; i < n; i++) {
        CU_ASSERT_EQUAL(frame.val[PT_C_TIME][i], want[page->from_newest ? n - 1 - i : i]);
    }
    CU_ASSERT_TRUE(isnan(sums.completeness) ||
                   (sums.completeness >= 0 && sums.completeness <= 100));
    pt_frame_fini(&frame);
}

static void test_any_page_is_what_a_list_would_give(void)
{
    static const int64_t periods[] = { PT_US_MIN, 5 * PT_US_MIN, 15 * PT_US_MIN };
    static const unsigned kinds[][2] = { { 0, 0 }, { 20, 0 }, { 0, 30 }, { 10, 3 } };
    static struct made made;
    fake_start(NULL);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        char symbol[16];
        snprintf(symbol, sizeof symbol, "PAIR%zu", k);
        make(&made, symbol, kinds[k][0], kinds[k][1]);
        for (int i = 0; i < 400; i++) {
            int64_t period_us = periods[draw(3)];
            struct pt_page page = { .from_us = 0,
                                    .to_us = INT64_MAX,
                                    .limit = 1 + draw(40),
                                    .offset = draw(3) == 0 ? draw(200) : 0 };
            if (draw(2)) page.from_us = T0 + ((int64_t)draw(700) - 50) * PT_US_MIN + draw(2) * 7;
            if (draw(2)) page.to_us = T0 + ((int64_t)draw(700) - 50) * PT_US_MIN + draw(2) * 7;
            page.from_newest = draw(2);
            page.include_open = period_us == PT_US_MIN && draw(2);
            check_page(&made, symbol, period_us, &page);
        }
    }
    pt_bars_cache_fini(&cache);
    fake_stop();
}

static double completeness(const char *symbol, int64_t period_us, int64_t from_us, int64_t to_us)
{
    struct pt_page page = { .from_us = from_us, .to_us = to_us, .limit = 1, .from_newest = true };
    struct pt_read *read = NULL;
    struct pt_err err;
    struct pt_frame frame;
    struct pt_page_sums sums;
    const struct pt_bars_index *index;
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    CU_ASSERT_EQUAL_FATAL(pt_read_begin(fake.store, &read, &err), PT_OK);
    CU_ASSERT_EQUAL_FATAL(pt_bars_index(&cache, read, symbol, period_us, &index, &err), PT_OK);
    CU_ASSERT_EQUAL_FATAL(pt_bars_page(read, index, &page, &frame, &sums, &err), PT_OK);
    pt_read_end(read);
    pt_frame_fini(&frame);
    return sums.completeness;
}

static void put(const char *symbol, int minute, bool closed)
{
    struct pt_series_key key = { .kind = PT_CANDLES, .period_us = PT_US_MIN };
    struct pt_frame frame;
    strcpy(key.symbol, symbol);
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    fake_candle(&frame, T0 + minute * PT_US_MIN, 100, closed);
    fake_store_rows(&key, &frame);
    pt_frame_fini(&frame);
}

static void test_completeness_is_of_the_range_cut_to_the_series(void)
{
    fake_start(NULL);
    for (int i = 10; i < 30; i++) {
        if (i != 15 && i != 16) put("HOLES", i, true);
    }
    put("HOLES", 30, false); /* under way: not expected */
    CU_ASSERT_DOUBLE_EQUAL(completeness("HOLES", PT_US_MIN, 0, INT64_MAX), 100.0 * 18 / 20, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(completeness("HOLES", PT_US_MIN, T0 + 14 * PT_US_MIN,
                                        T0 + 18 * PT_US_MIN),
                           50, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(completeness("HOLES", PT_US_MIN, T0 + 14 * PT_US_MIN + 1,
                                        T0 + 18 * PT_US_MIN + 1),
                           50, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(completeness("HOLES", PT_US_MIN, T0 + 20 * PT_US_MIN, INT64_MAX), 100,
                           1e-9);
    CU_ASSERT_TRUE(isnan(completeness("HOLES", PT_US_MIN, 0, T0 + 10 * PT_US_MIN)));
    CU_ASSERT_TRUE(isnan(completeness("HOLES", PT_US_MIN, T0 + 30 * PT_US_MIN, INT64_MAX)));
    CU_ASSERT_TRUE(isnan(completeness("NOBODY", PT_US_MIN, 0, INT64_MAX)));
    /* 5m: [10, 15) whole, [15, 20) not, [20, 25) and [25, 30) whole */
    CU_ASSERT_DOUBLE_EQUAL(completeness("HOLES", 5 * PT_US_MIN, 0, INT64_MAX), 75, 1e-9);
    pt_bars_cache_fini(&cache);
    fake_stop();
}

static void test_the_index_follows_the_series(void)
{
    struct pt_page page = { .from_us = 0, .to_us = INT64_MAX, .limit = 100, .from_newest = true };
    static struct made made;
    fake_start(NULL);
    made.n = 0;
    for (int i = 0; i < 12; i++) {
        put("GROWS", i, false);
        made.time_us[i] = T0 + i * PT_US_MIN;
        made.closed[i] = false;
        made.n++;
        check_page(&made, "GROWS", PT_US_MIN, &page);
        put("GROWS", i, true);
        made.closed[i] = true;
        check_page(&made, "GROWS", PT_US_MIN, &page);
        check_page(&made, "GROWS", 5 * PT_US_MIN, &page);
    }
    pt_bars_cache_fini(&cache);
    fake_stop();
}

static void test_many_pairs_share_the_room(void)
{
    struct pt_page page = { .from_us = 0, .to_us = INT64_MAX, .limit = 10, .from_newest = true };
    static struct made made = { .time_us = { T0 }, .closed = { true }, .n = 1 };
    fake_start(NULL);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3 * PT_BARS_CACHE_SLOTS; i++) {
            char symbol[16];
            snprintf(symbol, sizeof symbol, "PAIR%d", i);
            if (round == 0) put(symbol, 0, true);
            check_page(&made, symbol, PT_US_MIN, &page);
        }
    }
    pt_bars_cache_fini(&cache);
    fake_stop();
}

static CU_TestInfo tests[] = {
    { "any page is what a list would give", test_any_page_is_what_a_list_would_give },
    { "completeness is of the range cut to the series",
      test_completeness_is_of_the_range_cut_to_the_series },
    { "the index follows the series", test_the_index_follows_the_series },
    { "many pairs share the room", test_many_pairs_share_the_room },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("test_bars_index", tests);
}
