/* test_resample_plain.c - big bars against the plain definition, for numbers of all sorts and rows
 * in pieces of any size. */
#include "data/resample.h"
#include "kit.h"

/* ---- the definition: part by part, decimal by decimal ---------------------------------------- */

static enum pt_code plain_sum(const struct pt_frame *in, unsigned col, size_t from, size_t n,
                              int64_t *val, uint8_t *dig)
{
    for (size_t i = from + 1; i < from + n; i++) {
        enum pt_code rc = pt_dec_add(*val, *dig, in->val[col][i], in->dig[col][i], val, dig);
        if (rc != PT_OK) return rc;
    }
    return PT_OK;
}

static enum pt_code plain_count(const struct pt_frame *in, size_t from, size_t n, int64_t *val)
{
    for (size_t i = from + 1; i < from + n; i++) {
        int64_t part = in->val[PT_C_TRADES][i];
        if (*val == PT_MISSING || part == PT_MISSING)
            *val = PT_MISSING;
        else if (__builtin_add_overflow(*val, part, val) || *val == PT_MISSING)
            return PT_ERANGE;
    }
    return PT_OK;
}

static void plain_extreme(const struct pt_frame *in, unsigned col, size_t from, size_t n, int sign,
                          int64_t *val, uint8_t *dig)
{
    for (size_t i = from + 1; i < from + n; i++) {
        if (pt_dec_cmp(in->val[col][i], in->dig[col][i], *val, *dig) * sign <= 0) continue;
        *val = in->val[col][i];
        *dig = in->dig[col][i];
    }
}

/* One whole bar out of rows [from, from + n). */
static enum pt_code plain_bar(const struct pt_frame *in, size_t from, size_t n, uint32_t cols,
                              struct pt_frame *out)
{
    int64_t val[PT_CELLS_MAX];
    uint8_t dig[PT_CELLS_MAX] = { 0 };
    enum pt_code rc = PT_OK;
    for (unsigned c = 0; c < in->kind->ncols && rc == PT_OK; c++) {
        val[c] = in->val[c][from];
        if (in->dig[c]) dig[c] = in->dig[c][from];
        if (c > 0 && cols != 0 && (cols >> c & 1) == 0) {
            val[c] = PT_MISSING;
        } else if (c == PT_C_HIGH || c == PT_C_LOW) {
            plain_extreme(in, c, from, n, c == PT_C_HIGH ? 1 : -1, &val[c], &dig[c]);
        } else if (c == PT_C_CLOSE) {
            val[c] = in->val[c][from + n - 1];
            dig[c] = in->dig[c][from + n - 1];
        } else if (c == PT_C_TRADES) {
            rc = plain_count(in, from, n, &val[c]);
        } else if (c >= PT_C_VOLUME && c < PT_C_CLOSED) {
            rc = plain_sum(in, c, from, n, &val[c], &dig[c]);
        }
    }
    return rc == PT_OK ? pt_frame_push(out, val, dig) : rc;
}

static enum pt_code plain(const struct pt_frame *in, int64_t from_us, int64_t to_us, uint32_t cols,
                          struct pt_frame *out)
{
    enum pt_code rc = PT_OK;
    pt_frame_clear(out);
    for (size_t i = 0; i < in->n && rc == PT_OK;) {
        int64_t start = pt_period_floor(to_us, in->val[0][i]), whole = to_us / from_us, k = 0;
        bool good = true;
        size_t first = i;
        for (; i < in->n && in->val[0][i] < start + to_us; i++, k++)
            good &= in->val[0][i] == start + k * from_us && in->val[PT_C_CLOSED][i] == 1;
        if (good && k == whole) rc = plain_bar(in, first, (size_t)k, cols, out);
    }
    return rc;
}

/* ---- rows of all sorts ------------------------------------------------------------------------
 */

enum digits { EVEN, VARYING, CHANGING, PADDED, ALL_PADDED, DIGITS };

/* What the rows of a round are like; one in `x` rows is so, 0 = none. */
struct sort {
    enum digits digits;
    int64_t greatest, multiple; /* of an amount */
    uint64_t hole, open, off_grid, missing, negative;
};

static uint64_t seed;

static uint64_t below(uint64_t n)
{
    return kit_random(&seed) % n;
}

static bool one_in(uint64_t n)
{
    return n > 0 && below(n) == 0;
}

static uint8_t digits_of(enum digits digits, unsigned col, size_t row, size_t n)
{
    unsigned even = 2 + col % 4;
    if (digits == VARYING) return pt_digits((unsigned)below(even + 1), 0);
    if (digits == CHANGING && row > n / 3) return pt_digits(even - 1, 0);
    if (digits == PADDED && one_in(5)) return pt_digits(even, (unsigned)below(4));
    return pt_digits(even, digits == ALL_PADDED ? 3 : 0);
}

static int64_t amount_of(const struct sort *sort)
{
    if (one_in(sort->missing)) return PT_MISSING;
    int64_t v = (int64_t)below((uint64_t)sort->greatest) / sort->multiple * sort->multiple;
    return one_in(sort->negative) ? -v : v;
}

/* Few prices, so that equal ones meet, and in each other's digits; or great ones. */
static int64_t price_of(const struct sort *sort, uint8_t digits, bool equal)
{
    int64_t price = 1000 + (int64_t)below(6);
    if (sort->greatest > INT64_MAX / 5000 && !equal) return (int64_t)below(INT64_MAX);
    for (unsigned i = 0; i < pt_digits_scale(digits) && equal; i++) price *= 10;
    return price;
}

static void make_rows(const struct sort *sort, int64_t start_us, int64_t period_us, size_t n,
                      struct pt_frame *frame)
{
    bool no_taker = one_in(3), equal = one_in(2);
    pt_frame_clear(frame);
    for (size_t i = 0; i < n; i++) {
        int64_t val[PT_CELLS_MAX];
        uint8_t dig[PT_CELLS_MAX] = { 0 };
        if (one_in(sort->hole)) continue;
        for (unsigned c = 0; c < frame->kind->ncols; c++) {
            if (frame->kind->cols[c].type == PT_TYPE_DEC) dig[c] = digits_of(sort->digits, c, i, n);
            val[c] = c <= PT_C_CLOSE ? price_of(sort, dig[c], equal) : amount_of(sort);
        }
        val[PT_C_TIME] = start_us + (int64_t)i * period_us + one_in(sort->off_grid);
        if (no_taker) val[PT_C_TAKER_VOLUME] = val[PT_C_TAKER_QUOTE_VOLUME] = PT_MISSING;
        val[PT_C_CLOSED] = !one_in(sort->open);
        OK(pt_frame_push(frame, val, dig));
    }
}

static enum pt_code in_pieces(const struct pt_frame *in, int64_t from_us, int64_t to_us,
                              uint32_t cols, struct pt_frame *out)
{
    struct pt_resampler self;
    struct pt_frame piece;
    size_t most = 1 + (size_t)below(in->n + 2);
    pt_frame_init(&piece, in->kind);
    pt_frame_clear(out);
    enum pt_code rc = pt_resample_begin(&self, from_us, to_us, cols, out, &kit_err);
    for (size_t i = 0; i < in->n && rc == PT_OK;) {
        size_t n = (size_t)below(most + 1);
        if (n > in->n - i) n = in->n - i;
        pt_frame_clear(&piece);
        OK(pt_frame_append(&piece, in, i, n));
        rc = pt_resample_push(&self, &piece, &kit_err);
        i += n;
    }
    if (rc == PT_OK) rc = pt_resample_end(&self, &kit_err);
    pt_frame_fini(&piece);
    return rc;
}

static bool same(const struct pt_frame *a, const struct pt_frame *b)
{
    if (a->n != b->n) return false;
    for (size_t i = 0; i < a->n; i++) {
        if (!pt_frame_same(a, i, b, i)) return false;
    }
    return true;
}

static const int64_t steps[][2] = {
    { PT_US_MIN, PT_US_MIN },
    { PT_US_MIN, 5 * PT_US_MIN },
    { PT_US_MIN, H1 },
    { 15 * PT_US_MIN, H1 },
    { H1, PT_US_DAY },
    { PT_US_DAY, PT_US_WEEK },
    { PT_US_DAY, 3 * PT_US_DAY },
};

/* Rounds of rows of a sort; counts what came out, so that a test can see that it tested. */
static void check(struct sort sort, size_t *bars, size_t *faults)
{
    struct pt_frame in, want, got;
    pt_frame_init(&in, pt_kind(PT_CANDLES));
    pt_frame_init(&want, pt_kind(PT_CANDLES));
    pt_frame_init(&got, pt_kind(PT_CANDLES));
    *bars = *faults = 0;
    for (int round = 0; round < 140; round++) {
        const int64_t *step = steps[(size_t)round % (sizeof steps / sizeof *steps)];
        uint32_t cols = one_in(2) ? 0 : (uint32_t)below(1u << 11);
        int64_t start_us = step[1] * 9 + step[0] * (int64_t)below(70);
        sort.digits = (enum digits)below(DIGITS);
        make_rows(&sort, start_us, step[0], (size_t)below(400), &in);
        enum pt_code rc = plain(&in, step[0], step[1], 0, &want);
        CU_ASSERT_EQUAL(pt_resample(&in, step[0], step[1], &got, &kit_err), rc);
        CU_ASSERT(same(&want, &got));
        rc = plain(&in, step[0], step[1], cols, &want);
        CU_ASSERT_EQUAL(in_pieces(&in, step[0], step[1], cols, &got), rc);
        CU_ASSERT(same(&want, &got));
        *bars += want.n;
        *faults += rc == PT_ERANGE;
    }
    pt_frame_fini(&in);
    pt_frame_fini(&want);
    pt_frame_fini(&got);
}

static void test_plain_amounts(void)
{
    size_t bars, faults;
    seed = 1;
    check((struct sort){ .greatest = 1000000000000, .multiple = 1 }, &bars, &faults);
    CU_ASSERT(bars > 3000);
    CU_ASSERT_EQUAL(faults, 0);
}

static void test_holes_open_parts_and_times_off_the_grid(void)
{
    size_t bars, faults;
    seed = 2;
    check((struct sort){ .greatest = 1000000, .multiple = 1, .hole = 30, .open = 40 }, &bars,
          &faults);
    CU_ASSERT(bars > 2000);
    check((struct sort){ .greatest = 1000000, .multiple = 1, .off_grid = 20 }, &bars, &faults);
    CU_ASSERT(bars > 2000);
}

static void test_missing_amounts(void)
{
    size_t bars, faults;
    seed = 3;
    check((struct sort){ .greatest = 1000000, .multiple = 1, .missing = 50 }, &bars, &faults);
    CU_ASSERT(bars > 3000);
    CU_ASSERT_EQUAL(faults, 0);
}

static void test_negative_amounts(void)
{
    size_t bars, faults;
    seed = 4;
    check((struct sort){ .greatest = 1000000, .multiple = 1, .negative = 9 }, &bars, &faults);
    CU_ASSERT(bars > 3000);
    CU_ASSERT_EQUAL(faults, 0);
}

/* At the edge of the int64: sums that fit, that fit once zeros are dropped, that do not fit. */
static void test_great_amounts(void)
{
    size_t bars, faults, great = 0;
    seed = 5;
    for (int64_t greatest = INT64_MAX / 4096; greatest < INT64_MAX / 16; greatest *= 2) {
        check((struct sort){ .greatest = greatest, .multiple = 1000000, .missing = 200 }, &bars,
              &faults);
        CU_ASSERT(bars > 500);
        check((struct sort){ .greatest = greatest, .multiple = 1, .hole = 99 }, &bars, &faults);
        great += faults;
        check((struct sort){ .greatest = greatest, .multiple = 100, .negative = 5 }, &bars,
              &faults);
    }
    CU_ASSERT(great > 50);
}

/* A sum that does not fit is no fault of a bar that there is not. */
static void test_a_sum_counts_only_in_a_whole_bar(void)
{
    struct sort sort = { .greatest = 10, .multiple = 1 };
    struct pt_frame in, out;
    pt_frame_init(&in, pt_kind(PT_CANDLES));
    pt_frame_init(&out, pt_kind(PT_CANDLES));
    seed = 6;
    make_rows(&sort, 0, PT_US_MIN, 180, &in);
    for (size_t i = 60; i < 120; i++) {
        in.val[PT_C_VOLUME][i] = INT64_MAX - 8;
        in.dig[PT_C_VOLUME][i] = 8;
    }
    CU_ASSERT_EQUAL(pt_resample(&in, PT_US_MIN, H1, &out, &kit_err), PT_ERANGE);
    CU_ASSERT_EQUAL(out.n, 1);
    OK(in_pieces(&in, PT_US_MIN, H1, 1u << PT_C_CLOSE | 1u << PT_C_QUOTE_VOLUME, &out));
    CU_ASSERT_EQUAL(out.n, 3);
    in.val[PT_C_CLOSED][119] = 0;
    OK(pt_resample(&in, PT_US_MIN, H1, &out, &kit_err));
    CU_ASSERT_EQUAL(out.n, 2);
    for (int i = 0; i < 20; i++) { /* its first parts may have been added up already */
        OK(in_pieces(&in, PT_US_MIN, H1, 0, &out));
        CU_ASSERT_EQUAL(out.n, 2);
    }
    pt_frame_fini(&in);
    pt_frame_fini(&out);
}

static CU_TestInfo tests[] = {
    { "plain amounts", test_plain_amounts },
    { "holes, open parts and times off the grid", test_holes_open_parts_and_times_off_the_grid },
    { "missing amounts", test_missing_amounts },
    { "negative amounts", test_negative_amounts },
    { "great amounts", test_great_amounts },
    { "a sum counts only in a whole bar", test_a_sum_counts_only_in_a_whole_bar },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("resample against the plain definition", tests);
}
