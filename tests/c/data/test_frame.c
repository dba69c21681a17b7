#include "kit.h"

#include <math.h>

static void push_trade(struct pt_frame *frame, int64_t time_us, int64_t id, int64_t price)
{
    int64_t val[] = { time_us, id, price, 5, PT_SIDE_BUY };
    uint8_t dig[] = { 0, 0, 2, 1, 0 };
    OK(pt_frame_push(frame, val, dig));
}

static void test_sorting_keeps_the_last_row_of_each_key(void)
{
    /* against the definition: for each key in ascending order, the row that was pushed last */
    uint64_t seed = 7;
    for (size_t n = 0; n < 200; n += 1 + n / 10) {
        struct pt_frame frame;
        pt_frame_init(&frame, pt_kind(PT_TRADES));
        int64_t last[40][4];
        memset(last, 0xff, sizeof last);
        for (size_t i = 0; i < n; i++) {
            int64_t time = (int64_t)(kit_random(&seed) % 40), id = (int64_t)(kit_random(&seed) % 4);
            push_trade(&frame, time, id, (int64_t)i);
            last[time][id] = (int64_t)i;
        }
        OK(pt_frame_sort(&frame));
        size_t row = 0;
        for (int64_t time = 0; time < 40; time++) {
            for (int64_t id = 0; id < 4; id++) {
                if (last[time][id] < 0) continue;
                CU_ASSERT_FATAL(row < frame.n);
                CU_ASSERT_EQUAL(frame.val[PT_T_TIME][row], time);
                CU_ASSERT_EQUAL(frame.val[PT_T_ID][row], id);
                CU_ASSERT_EQUAL(frame.val[PT_T_PRICE][row], last[time][id]);
                row++;
            }
        }
        CU_ASSERT_EQUAL(row, frame.n);
        pt_frame_fini(&frame);
    }
}

static void test_sorting_moves_wide_columns_with_their_row(void)
{
    struct pt_frame frame;
    struct pt_record {
        int64_t val[PT_CELLS_MAX];
        uint8_t dig[PT_CELLS_MAX];
    } row;
    pt_frame_init(&frame, pt_kind(PT_DEPTH));
    for (int64_t i = 0; i < 10; i++) {
        for (int64_t c = 0; c < PT_CELLS_MAX; c++) {
            row.val[c] = (9 - i) * 1000 + c;
            row.dig[c] = (uint8_t)((9 - i) % 8);
        }
        OK(pt_frame_push(&frame, row.val, row.dig));
    }
    OK(pt_frame_sort(&frame));
    CU_ASSERT_EQUAL(frame.n, 10);
    for (int64_t i = 0; i < 10; i++) {
        for (int64_t w = 0; w < PT_DEPTH_LEVELS; w++) {
            CU_ASSERT_EQUAL(frame.val[PT_D_BID_PRICE][i * PT_DEPTH_LEVELS + w], i * 1000 + 2 + w);
            CU_ASSERT_EQUAL(frame.dig[PT_D_ASK_QUANTITY][i * PT_DEPTH_LEVELS + w], i % 8);
        }
    }
    pt_frame_fini(&frame);
}

static void test_appending_copies_a_range(void)
{
    struct pt_frame a, b;
    pt_frame_init(&a, pt_kind(PT_TRADES));
    pt_frame_init(&b, pt_kind(PT_TRADES));
    for (int64_t i = 0; i < 100; i++) push_trade(&a, i, i, i * 3);
    push_trade(&b, -1, 1, 1);
    OK(pt_frame_append(&b, &a, 10, 5));
    OK(pt_frame_append(&b, &a, 0, 0));
    CU_ASSERT_EQUAL(b.n, 6);
    for (size_t i = 0; i < 5; i++) CU_ASSERT(pt_frame_same(&b, i + 1, &a, i + 10));
    CU_ASSERT(!pt_frame_same(&b, 1, &a, 11));
    b.dig[PT_T_PRICE][1] = 3; /* the same number, printed otherwise */
    CU_ASSERT(!pt_frame_same(&b, 1, &a, 10));
    pt_frame_clear(&b);
    CU_ASSERT_EQUAL(b.n, 0);
    CU_ASSERT(b.cap > 0);
    pt_frame_fini(&a);
    pt_frame_fini(&b);
}

static void test_lower_finds_the_first_row_at_or_after_a_time(void)
{
    struct pt_frame frame;
    pt_frame_init(&frame, pt_kind(PT_TRADES));
    CU_ASSERT_EQUAL(pt_frame_lower(&frame, 5), 0);
    int64_t times[] = { 1, 3, 3, 3, 7 };
    for (int64_t i = 0; i < 5; i++) push_trade(&frame, times[i], i, 1);
    for (int64_t t = 0; t < 10; t++) {
        size_t want = 0;
        while (want < 5 && times[want] < t) want++;
        CU_ASSERT_EQUAL(pt_frame_lower(&frame, t), want);
    }
    CU_ASSERT_EQUAL(pt_frame_cmp(&frame, 1, &frame, 2), -1); /* same time, higher id */
    CU_ASSERT_EQUAL(pt_frame_cmp(&frame, 2, &frame, 2), 0);
    CU_ASSERT_EQUAL(pt_frame_cmp(&frame, 4, &frame, 0), 1);
    pt_frame_fini(&frame);
}

static void test_a_column_as_doubles_is_each_value_rounded_once(void)
{
    uint64_t seed = 3;
    enum { N = 1000 };
    static int64_t val[N];
    static uint8_t dig[N];
    static double out[N];
    for (unsigned scale = 0; scale <= 18; scale++) {
        for (int mixed = 0; mixed < 2; mixed++) {
            for (size_t i = 0; i < N; i++) {
                unsigned shift = (unsigned)(kit_random(&seed) % 64);
                val[i] = (int64_t)(kit_random(&seed) >> shift) * (kit_random(&seed) & 1 ? 1 : -1);
                if (kit_random(&seed) % 50 == 0) val[i] = PT_MISSING;
                dig[i] = pt_digits(mixed ? (unsigned)(kit_random(&seed) % 19) : scale, 0);
            }
            for (size_t n = 0; n <= N; n = n < 130 ? n + 1 : n * 2) {
                pt_column_doubles(val, dig, n, out);
                for (size_t i = 0; i < n; i++) {
                    double want = pt_dec_double(val[i], dig[i]);
                    CU_ASSERT(memcmp(&want, &out[i], sizeof want) == 0 ||
                              (isnan(want) && isnan(out[i])));
                }
            }
        }
    }
    pt_column_doubles(val, NULL, N, out);
    for (size_t i = 0; i < N; i++)
        CU_ASSERT(val[i] == PT_MISSING ? isnan(out[i]) : out[i] == (double)val[i]);
    /* the ends of the range in which the fast way may be used */
    int64_t edge[64];
    uint8_t same[64] = { 0 };
    for (int64_t k = -32; k < 32; k++)
        edge[k + 32] = k < 0 ? -(INT64_C(1) << 51) + k + 32 : (INT64_C(1) << 51) - 1 - k;
    pt_column_doubles(edge, same, 64, out);
    for (size_t i = 0; i < 64; i++) CU_ASSERT_EQUAL(out[i], (double)edge[i]);
}

/* A good bar, and what is wrong when one cell of it is changed. */
static void test_bars_are_checked(void)
{
    const int64_t good[] = { 7200 * PT_US_SEC, 100,        110,        90,         105, 5,
                             PT_MISSING,       PT_MISSING, PT_MISSING, PT_MISSING, 1 };
    const struct {
        unsigned col;
        int64_t value;
        const char *reason;
    } cases[] = {
        { PT_C_OPEN, PT_MISSING, "value_missing" },
        { PT_C_VOLUME, PT_MISSING, "value_missing" },
        { PT_C_LOW, 0, "price_not_positive" },
        { PT_C_CLOSE, -1, "price_not_positive" },
        { PT_C_VOLUME, -1, "negative_quantity" },
        { PT_C_TRADES, -1, "negative_quantity" },
        { PT_C_TAKER_VOLUME, -3, "negative_quantity" },
        { PT_C_HIGH, 104, "ohlc_order" },
        { PT_C_LOW, 101, "ohlc_order" },
        { PT_C_OPEN, 111, "ohlc_order" },
        { PT_C_TIME, 7201 * PT_US_SEC, "off_grid" },
        { PT_C_TIME, -H1, "time_out_of_range" },
        { PT_C_CLOSED, 2, "bad_flag" },
        { PT_C_TIME, INT64_MAX, "time_out_of_range" },
        { PT_C_HIGH, 105, NULL },
        { PT_C_LOW, 100, NULL },
        { PT_C_VOLUME, 0, NULL },
        { PT_C_CLOSED, 0, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pt_frame frame;
        int64_t val[11];
        uint8_t dig[11] = { 0, 2, 2, 2, 2, 1, 1, 0, 0, 0, 0 };
        memcpy(val, good, sizeof val);
        val[cases[i].col] = cases[i].value;
        pt_frame_init(&frame, pt_kind(PT_CANDLES));
        OK(pt_frame_push(&frame, good, dig));
        OK(pt_frame_push(&frame, val, dig));
        CU_ASSERT_PTR_NULL(pt_frame_check(&frame, 0, H1));
        const char *reason = pt_frame_check(&frame, 1, H1);
        CU_ASSERT(cases[i].reason ? reason && strcmp(reason, cases[i].reason) == 0 : !reason);
        pt_frame_fini(&frame);
    }
}

static void test_bars_of_mixed_digits_are_compared_by_value(void)
{
    struct pt_frame frame;
    int64_t val[] = { 0,          292784,     2927841,    29278,      2927841, 0,
                      PT_MISSING, PT_MISSING, PT_MISSING, PT_MISSING, 1 };
    uint8_t dig[] = { 0, 1, 2, 0, 2, 0, 0, 0, 0, 0, 0 };
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    OK(pt_frame_push(&frame, val, dig));
    CU_ASSERT_PTR_NULL(pt_frame_check(&frame, 0, H1));
    val[PT_C_HIGH] = 2927840; /* 29278.40 = open, below close 29278.41 */
    OK(pt_frame_push(&frame, val, dig));
    CU_ASSERT_STRING_EQUAL(pt_frame_check(&frame, 1, H1), "ohlc_order");
    pt_frame_fini(&frame);
}

static const char *check_book(const int64_t bids[][2], size_t nbids, const int64_t asks[][2],
                              size_t nasks)
{
    struct pt_frame frame;
    int64_t val[PT_CELLS_MAX];
    uint8_t dig[PT_CELLS_MAX] = { 0 };
    for (size_t i = 0; i < PT_CELLS_MAX; i++) val[i] = PT_MISSING;
    val[0] = 1;
    for (size_t i = 0; i < nbids; i++) val[2 + i] = bids[i][0], val[22 + i] = bids[i][1];
    for (size_t i = 0; i < nasks; i++) val[42 + i] = asks[i][0], val[62 + i] = asks[i][1];
    pt_frame_init(&frame, pt_kind(PT_DEPTH));
    OK(pt_frame_push(&frame, val, dig));
    const char *reason = pt_frame_check(&frame, 0, 0);
    pt_frame_fini(&frame);
    return reason ? reason : "";
}

static void test_books_are_checked(void)
{
    const int64_t bids[][2] = { { 100, 1 }, { 99, 0 }, { 97, 5 } },
                  asks[][2] = { { 101, 1 }, { 105, 2 } };
    const int64_t twice[][2] = { { 100, 1 }, { 100, 1 } }, rising[][2] = { { 99, 1 }, { 100, 1 } };
    const int64_t low[][2] = { { 100, 1 } }, lower[][2] = { { 98, 1 } }, none[][2] = { { 0, 1 } },
                  minus[][2] = { { 100, -1 } };
    CU_ASSERT_STRING_EQUAL(check_book(bids, 3, asks, 2), "");
    CU_ASSERT_STRING_EQUAL(check_book(bids, 0, asks, 2), "empty_book");
    CU_ASSERT_STRING_EQUAL(check_book(bids, 3, asks, 0), "empty_book");
    CU_ASSERT_STRING_EQUAL(check_book(twice, 2, asks, 2), "unsorted_book");
    CU_ASSERT_STRING_EQUAL(check_book(rising, 2, asks, 2), "unsorted_book");
    CU_ASSERT_STRING_EQUAL(check_book(bids, 3, bids, 3), "unsorted_book");
    CU_ASSERT_STRING_EQUAL(check_book(bids, 3, low, 1), "locked_book");
    CU_ASSERT_STRING_EQUAL(check_book(bids, 3, lower, 1), "crossed_book");
    CU_ASSERT_STRING_EQUAL(check_book(none, 1, asks, 2), "price_not_positive");
    CU_ASSERT_STRING_EQUAL(check_book(minus, 1, asks, 2), "negative_quantity");
}

static void test_a_reserved_frame_does_not_move(void)
{
    struct pt_frame frame;
    pt_frame_init(&frame, pt_kind(PT_TRADES));
    OK(pt_frame_reserve(&frame, 1000));
    int64_t *before = frame.val[PT_T_PRICE];
    for (int64_t i = 0; i < 1000; i++) push_trade(&frame, i, i, i);
    CU_ASSERT_PTR_EQUAL(frame.val[PT_T_PRICE], before);
    CU_ASSERT_EQUAL(pt_frame_reserve(&frame, SIZE_MAX / 8), PT_ENOMEM);
    CU_ASSERT_EQUAL(frame.n, 1000);
    CU_ASSERT_EQUAL(frame.val[PT_T_PRICE][999], 999);
    pt_frame_fini(&frame);
    pt_frame_fini(&frame);
}

static CU_TestInfo tests[] = {
    { "sorting keeps the last row of each key", test_sorting_keeps_the_last_row_of_each_key },
    { "sorting moves wide columns with their row", test_sorting_moves_wide_columns_with_their_row },
    { "appending copies a range", test_appending_copies_a_range },
    { "lower finds the first row at or after a time",
      test_lower_finds_the_first_row_at_or_after_a_time },
    { "a column as doubles is each value rounded once",
      test_a_column_as_doubles_is_each_value_rounded_once },
    { "bars are checked", test_bars_are_checked },
    { "bars of mixed digits are compared by value",
      test_bars_of_mixed_digits_are_compared_by_value },
    { "books are checked", test_books_are_checked },
    { "a reserved frame does not move", test_a_reserved_frame_does_not_move },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("frame", tests);
}
