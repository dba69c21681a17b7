#include "data/resample.h"
#include "kit.h"

/* Bars of `period` with prices around 100, digits that vary, all closed. */
static void fill(struct pt_frame *frame, int64_t start_us, int64_t period_us, size_t n)
{
    uint64_t seed = 11;
    pt_frame_init(frame, pt_kind(PT_CANDLES));
    for (size_t i = 0; i < n; i++) {
        int64_t open = 10000 + (int64_t)(kit_random(&seed) % 100),
                close = 10000 + (int64_t)(kit_random(&seed) % 100);
        int64_t val[] = { start_us + (int64_t)i * period_us,
                          open,
                          (open > close ? open : close) + 7,
                          (open < close ? open : close) - 5,
                          close,
                          (int64_t)(kit_random(&seed) % 1000),
                          12345,
                          3,
                          17,
                          19,
                          1 };
        uint8_t dig[] = { 0, 2, 2, 2, 2, (uint8_t)(i % 3), 8, 0, 5, 1, 0 };
        OK(pt_frame_push(frame, val, dig));
    }
}

static void test_a_big_bar_is_first_highest_lowest_last_and_sums(void)
{
    struct pt_frame in, out;
    fill(&in, 0, PT_US_MIN, 60 * 3);
    pt_frame_init(&out, pt_kind(PT_CANDLES));
    OK(pt_resample(&in, PT_US_MIN, H1, &out, &kit_err));
    CU_ASSERT_EQUAL_FATAL(out.n, 3);
    for (size_t b = 0; b < 3; b++) {
        size_t first = b * 60;
        int64_t high = 0, low = INT64_MAX, vm = 0;
        uint8_t vd = 0;
        for (size_t i = first; i < first + 60; i++) {
            if (in.val[PT_C_HIGH][i] > high) high = in.val[PT_C_HIGH][i];
            if (in.val[PT_C_LOW][i] < low) low = in.val[PT_C_LOW][i];
            OK(pt_dec_add(vm, vd, in.val[PT_C_VOLUME][i], in.dig[PT_C_VOLUME][i], &vm, &vd));
        }
        CU_ASSERT_EQUAL(out.val[PT_C_TIME][b], (int64_t)b * H1);
        CU_ASSERT_EQUAL(out.val[PT_C_OPEN][b], in.val[PT_C_OPEN][first]);
        CU_ASSERT_EQUAL(out.val[PT_C_CLOSE][b], in.val[PT_C_CLOSE][first + 59]);
        CU_ASSERT_EQUAL(out.val[PT_C_HIGH][b], high);
        CU_ASSERT_EQUAL(out.val[PT_C_LOW][b], low);
        CU_ASSERT_EQUAL(pt_dec_cmp(out.val[PT_C_VOLUME][b], out.dig[PT_C_VOLUME][b], vm, vd), 0);
        CU_ASSERT_STRING_EQUAL(kit_cell(&out, PT_C_QUOTE_VOLUME, b), "0.00740700");
        CU_ASSERT_STRING_EQUAL(kit_cell(&out, PT_C_TRADES, b), "180");
        CU_ASSERT_STRING_EQUAL(kit_cell(&out, PT_C_TAKER_VOLUME, b), "0.01020");
        CU_ASSERT_STRING_EQUAL(kit_cell(&out, PT_C_TAKER_QUOTE_VOLUME, b), "114.0");
        CU_ASSERT_EQUAL(out.val[PT_C_CLOSED][b], 1);
    }
    pt_frame_fini(&in);
    pt_frame_fini(&out);
}

static void drop(struct pt_frame *frame, size_t row)
{
    struct pt_frame rest;
    pt_frame_init(&rest, frame->kind);
    OK(pt_frame_append(&rest, frame, 0, row));
    OK(pt_frame_append(&rest, frame, row + 1, frame->n - row - 1));
    pt_frame_fini(frame);
    *frame = rest;
}

static void test_a_big_bar_needs_all_its_parts_closed(void)
{
    for (size_t gap = 0; gap < 48; gap += 7) {
        for (int open = 0; open < 2; open++) { /* the part is missing, or not closed */
            struct pt_frame in, out;
            fill(&in, 0, PT_US_MIN * 15, 48);
            pt_frame_init(&out, pt_kind(PT_CANDLES));
            if (open)
                in.val[PT_C_CLOSED][gap] = 0;
            else
                drop(&in, gap);
            OK(pt_resample(&in, PT_US_MIN * 15, H1, &out, &kit_err));
            CU_ASSERT_EQUAL_FATAL(out.n, 11);
            for (size_t i = 0; i < 11; i++)
                CU_ASSERT_EQUAL(out.val[PT_C_TIME][i], (int64_t)(i + (i >= gap / 4)) * H1);
            pt_frame_fini(&in);
            pt_frame_fini(&out);
        }
    }
}

static void test_the_edges_of_a_window_give_no_part_bars(void)
{
    struct pt_frame in, out;
    fill(&in, 10 * PT_US_MIN, PT_US_MIN, 120); /* 00:10 .. 02:09 */
    pt_frame_init(&out, pt_kind(PT_CANDLES));
    OK(pt_resample(&in, PT_US_MIN, H1, &out, &kit_err));
    CU_ASSERT_EQUAL_FATAL(out.n, 1);
    CU_ASSERT_EQUAL(out.val[PT_C_TIME][0], H1);
    in.n = 0;
    OK(pt_resample(&in, PT_US_MIN, H1, &out, &kit_err));
    CU_ASSERT_EQUAL(out.n, 0);
    pt_frame_fini(&in);
    pt_frame_fini(&out);
}

static void test_a_week_begins_on_monday_and_three_days_with_the_epoch(void)
{
    struct pt_frame in, out;
    fill(&in, 0, PT_US_DAY, 30); /* from Thursday, 1970-01-01 */
    pt_frame_init(&out, pt_kind(PT_CANDLES));
    OK(pt_resample(&in, PT_US_DAY, PT_US_WEEK, &out, &kit_err));
    CU_ASSERT_EQUAL_FATAL(out.n, 3);
    CU_ASSERT_EQUAL(out.val[PT_C_TIME][0], 4 * PT_US_DAY);
    OK(pt_resample(&in, PT_US_DAY, 3 * PT_US_DAY, &out, &kit_err));
    CU_ASSERT_EQUAL_FATAL(out.n, 10);
    CU_ASSERT_EQUAL(out.val[PT_C_TIME][9], 27 * PT_US_DAY);
    pt_frame_fini(&in);
    pt_frame_fini(&out);
}

static void test_a_missing_amount_leaves_its_sum_missing(void)
{
    struct pt_frame in, out;
    fill(&in, 0, PT_US_MIN, 120);
    in.val[PT_C_TAKER_VOLUME][0] = in.val[PT_C_TRADES][59] = in.val[PT_C_QUOTE_VOLUME][30] =
        PT_MISSING;
    pt_frame_init(&out, pt_kind(PT_CANDLES));
    OK(pt_resample(&in, PT_US_MIN, H1, &out, &kit_err));
    CU_ASSERT_EQUAL_FATAL(out.n, 2);
    CU_ASSERT_EQUAL(out.val[PT_C_TAKER_VOLUME][0], PT_MISSING);
    CU_ASSERT_EQUAL(out.val[PT_C_TRADES][0], PT_MISSING);
    CU_ASSERT_EQUAL(out.val[PT_C_QUOTE_VOLUME][0], PT_MISSING);
    CU_ASSERT_EQUAL(out.val[PT_C_TRADES][1], 180);
    CU_ASSERT_PTR_NULL(pt_frame_check(&out, 0, H1));
    pt_frame_fini(&in);
    pt_frame_fini(&out);
}

static void test_sums_that_do_not_fit_and_periods_that_do_not_divide_are_errors(void)
{
    struct pt_frame in, out;
    fill(&in, 0, PT_US_MIN, 60);
    in.val[PT_C_VOLUME][0] = in.val[PT_C_VOLUME][1] = INT64_MAX - 8; /* no zeros to drop */
    in.dig[PT_C_VOLUME][0] = in.dig[PT_C_VOLUME][1] = 8;
    pt_frame_init(&out, pt_kind(PT_CANDLES));
    CU_ASSERT_EQUAL(pt_resample(&in, PT_US_MIN, H1, &out, &kit_err), PT_ERANGE);
    CU_ASSERT_EQUAL(pt_resample(&in, 3 * PT_US_MIN, 5 * PT_US_MIN, &out, &kit_err), PT_EINVAL);
    CU_ASSERT_EQUAL(pt_resample(&in, 0, H1, &out, &kit_err), PT_EINVAL);
    pt_frame_fini(&in);
    pt_frame_fini(&out);
}

static void test_minutes_to_days_equals_minutes_to_hours_to_days(void)
{
    struct pt_frame in, hours, days, direct;
    fill(&in, 0, PT_US_MIN, 1440 * 2);
    drop(&in, 2000);
    pt_frame_init(&hours, pt_kind(PT_CANDLES));
    pt_frame_init(&days, pt_kind(PT_CANDLES));
    pt_frame_init(&direct, pt_kind(PT_CANDLES));
    OK(pt_resample(&in, PT_US_MIN, H1, &hours, &kit_err));
    OK(pt_resample(&hours, H1, PT_US_DAY, &days, &kit_err));
    OK(pt_resample(&in, PT_US_MIN, PT_US_DAY, &direct, &kit_err));
    CU_ASSERT_EQUAL_FATAL(direct.n, 1);
    CU_ASSERT_EQUAL_FATAL(days.n, 1);
    CU_ASSERT(pt_frame_same(&days, 0, &direct, 0));
    pt_frame_fini(&in);
    pt_frame_fini(&hours);
    pt_frame_fini(&days);
    pt_frame_fini(&direct);
}

/* Hours and four-hour bars of the same exchange, collected apart: they must agree. */
static void test_real_hours_make_the_real_four_hours(void)
{
    const char *names[] = { "ADAUSDT", "BNBUSDT", "BTCUSDT", "ETHUSDT", "SOLUSDT" };
    for (size_t s = 0; s < 5; s++) {
        static struct kit_file hours, fours;
        char name[64];
        struct pt_frame out;
        size_t compared = 0;
        snprintf(name, sizeof name, "klines/um_1h/%s_1h.csv", names[s]);
        const char *path = kit_data(name);
        if (!path) return;
        kit_read(&hours, path);
        snprintf(name, sizeof name, "klines/um_4h/%s_4h.csv.gz", names[s]);
        kit_read(&fours, kit_data(name));
        pt_frame_init(&out, pt_kind(PT_CANDLES));
        OK(pt_resample(&hours.series[0].frame, H1, 4 * H1, &out, &kit_err));
        struct pt_frame *real = &fours.series[0].frame;
        for (size_t i = 0; i + 1 < out.n; i++) { /* the last was still open when it was collected */
            size_t row = pt_frame_lower(real, out.val[PT_C_TIME][i]);
            if (row + 1 >= real->n || real->val[PT_C_TIME][row] != out.val[PT_C_TIME][i]) continue;
            const unsigned cols[] = { PT_C_OPEN, PT_C_HIGH, PT_C_LOW, PT_C_CLOSE, PT_C_VOLUME };
            for (size_t c = 0; c < 5; c++)
                CU_ASSERT_EQUAL(pt_dec_cmp(out.val[cols[c]][i], out.dig[cols[c]][i],
                                           real->val[cols[c]][row], real->dig[cols[c]][row]),
                                0);
            CU_ASSERT_EQUAL(out.val[PT_C_TRADES][i], real->val[PT_C_TRADES][row]);
            compared++;
        }
        CU_ASSERT(compared > 1100);
        pt_frame_fini(&out);
        kit_done(&hours);
        kit_done(&fours);
    }
}

static CU_TestInfo tests[] = {
    { "a big bar is first, highest, lowest, last and sums",
      test_a_big_bar_is_first_highest_lowest_last_and_sums },
    { "a big bar needs all its parts closed", test_a_big_bar_needs_all_its_parts_closed },
    { "the edges of a window give no part bars", test_the_edges_of_a_window_give_no_part_bars },
    { "a week begins on Monday and three days with the epoch",
      test_a_week_begins_on_monday_and_three_days_with_the_epoch },
    { "a missing amount leaves its sum missing", test_a_missing_amount_leaves_its_sum_missing },
    { "sums that do not fit and periods that do not divide are errors",
      test_sums_that_do_not_fit_and_periods_that_do_not_divide_are_errors },
    { "minutes to days equals minutes to hours to days",
      test_minutes_to_days_equals_minutes_to_hours_to_days },
    { "real hours make the real four hours", test_real_hours_make_the_real_four_hours },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("resample", tests);
}
