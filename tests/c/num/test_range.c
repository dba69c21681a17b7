#include "near.h"

#include "num/range.h"

enum { N = 400 };
static double open[N], high[N], low[N], close[N], r[N];
static double *const bars[4] = { open, high, low, close };

/* The definitions over rows [from, N) that are priced. */
static bool priced(size_t i)
{
    for (size_t c = 0; c < 4; c++)
        if (!isfinite(bars[c][i]) || bars[c][i] <= 0) return false;
    return true;
}

static void test_estimators_match_their_definitions(void)
{
    const size_t widths[] = { 2, 20, 200, N - 1 };
    make_bars(bars, N, 1);
    close[350] = NAN;
    low[120] = 0;
    high[390] = INFINITY;
    open[391] = -1;
    for (size_t k = 1; k < 4; k++) {
        size_t width = widths[k], used = 0, over = 0, ends = 0;
        long double gk = 0, rs = 0, on = 0, on2 = 0, oc = 0, oc2 = 0, highs = 0;
        for (size_t i = N - width; i < N; i++) {
            if (isfinite(high[i]) && isfinite(low[i]) && low[i] > 0) {
                highs += powl(logl((long double)high[i] / low[i]), 2);
                ends++;
            }
            if (!priced(i)) continue;
            long double hl = logl((long double)high[i] / low[i]),
                        co = logl((long double)close[i] / open[i]);
            gk += hl * hl / 2 - (2 * logl(2) - 1) * co * co;
            rs += logl((long double)high[i] / close[i]) * logl((long double)high[i] / open[i]) +
                  logl((long double)low[i] / close[i]) * logl((long double)low[i] / open[i]);
            oc += co, oc2 += co * co;
            used++;
            if (!isfinite(close[i - 1])) continue;
            long double gap = logl((long double)open[i] / close[i - 1]);
            on += gap, on2 += gap * gap;
            over++;
        }
        long double m = (long double)used, o = (long double)over, w = (long double)width;
        long double weight = 0.34L / (1.34L + (w + 1) / (w - 1));
        long double zhang = (on2 - on * on / o) / (o - 1) + weight * (oc2 - oc * oc / m) / (m - 1) +
                            (1 - weight) * rs / m;
        CHECK_NEAR(pt_range_parkinson(high, low, N, width),
                   (double)sqrtl(highs / (long double)ends / (4 * logl(2))), 1e-13);
        CHECK_NEAR(pt_range_garman_klass(open, high, low, close, N, width), (double)sqrtl(gk / m),
                   1e-12);
        CHECK_NEAR(pt_range_rogers_satchell(open, high, low, close, N, width),
                   (double)sqrtl(rs / m), 1e-12);
        CHECK_NEAR(pt_range_yang_zhang(open, high, low, close, NULL, N, 0, width),
                   (double)sqrtl(zhang), 1e-11);
    }
}

static void test_over_a_hole_there_is_no_overnight_move(void)
{
    int64_t time_us[N];
    make_bars(bars, N, 2);
    for (size_t i = 0; i < N; i++) time_us[i] = (int64_t)i * 60;
    double whole = pt_range_yang_zhang(open, high, low, close, time_us, N, 60, 20);
    CHECK_NEAR(whole, pt_range_yang_zhang(open, high, low, close, NULL, N, 60, 20), 0);
    for (size_t i = 390; i < N; i++) time_us[i] += 600;
    double holed = pt_range_yang_zhang(open, high, low, close, time_us, N, 60, 20);
    CU_ASSERT(holed != whole);
    for (size_t i = 390; i < N; i++) /* behind the hole everything costs twice as much */
        for (size_t c = 0; c < 4; c++) bars[c][i] *= 2;
    CHECK_NEAR(pt_range_yang_zhang(open, high, low, close, time_us, N, 60, 20), holed, 1e-12);
    CU_ASSERT(pt_range_yang_zhang(open, high, low, close, NULL, N, 60, 20) > 10 * holed);
    for (size_t i = 0; i < N; i++) time_us[i] = (int64_t)i * 120; /* no two neighbours at all */
    CU_ASSERT(isnan(pt_range_yang_zhang(open, high, low, close, time_us, N, 60, 20)));
}

static void test_half_of_the_rows_must_be_there(void)
{
    make_bars(bars, N, 3);
    for (size_t i = N - 10; i < N; i++) high[i] = NAN;
    CU_ASSERT(!isnan(pt_range_parkinson(high, low, N, 20)) &&
              isnan(pt_range_parkinson(high, low, N, 19)));
    CU_ASSERT(isnan(pt_range_garman_klass(open, high, low, close, N, 19)));
    CU_ASSERT(isnan(pt_range_rogers_satchell(open, high, low, close, N, 19)));
    CU_ASSERT(isnan(pt_range_yang_zhang(open, high, low, close, NULL, N, 60, 19)));
    const size_t widths[] = { 0, 1, N + 1, SIZE_MAX };
    for (size_t k = 0; k < 4; k++) {
        CU_ASSERT(isnan(pt_range_parkinson(high, low, N, widths[k])));
        CU_ASSERT(isnan(pt_range_garman_klass(open, high, low, close, N, widths[k])));
        CU_ASSERT(isnan(pt_range_rogers_satchell(open, high, low, close, N, widths[k])));
        CU_ASSERT(isnan(pt_range_yang_zhang(open, high, low, close, NULL, N, 60, widths[k])));
    }
}

static void test_a_negative_mean_has_no_root(void)
{
    const double one[] = { 100, 100, 100 }, moved[] = { 110, 110, 110 };
    /* bars that open at 100, close at 110 and were never between: not bars, but they may be stored
     */
    CU_ASSERT(isnan(pt_range_garman_klass(one, one, one, moved, 3, 3)));
    CU_ASSERT(pt_range_garman_klass(one, one, one, one, 3, 3) == 0 &&
              pt_range_parkinson(one, one, 3, 3) == 0);
}

static void test_ewma_is_the_recursion(void)
{
    struct pt_rng rng;
    pt_rng_seed(&rng, 4, 0);
    for (size_t i = 0; i < N; i++) r[i] = i % 9 == 0 ? NAN : 0.01 * pt_rng_normal(&rng);
    long double v = 0;
    size_t seen = 0;
    for (size_t i = 0; i < N; i++) {
        if (isnan(r[i])) continue;
        long double square = (long double)r[i] * r[i];
        v = seen < 20 ? v + square / 20 : 0.94L * v + 0.06L * square;
        seen++;
    }
    CHECK_NEAR(pt_range_ewma(r, N, 0.94, 20), (double)sqrtl(v), 1e-14);
    CU_ASSERT(isnan(pt_range_ewma(r, 22, 0.94, 20)) && !isnan(pt_range_ewma(r, 23, 0.94, 20)));
    CU_ASSERT(isnan(pt_range_ewma(r, N, 0.94, 0)));
}

static void test_the_sides_add_up_to_the_whole(void)
{
    const double v[] = { 0.03, NAN, -0.04, 0, INFINITY, 0.01 };
    double down = pt_range_downside(v, 6), up = pt_range_upside(v, 6);
    CHECK_NEAR(down, 0.02, 1e-15);
    CHECK_NEAR(down * down + up * up, (0.0009 + 0.0016 + 0.0001) / 4, 1e-15);
    CU_ASSERT(pt_range_downside(v, 1) == 0 && pt_range_upside(v, 1) == 0.03);
    CU_ASSERT(isnan(pt_range_downside(v + 1, 1)) && isnan(pt_range_upside(v, 0)));
}

static void test_matches_numpy(void)
{
    double want[4], v[300];
    const size_t widths[] = { 20, 120 };
    size_t n = golden("input", "open", open, N);
    CU_ASSERT(golden("input", "high", high, N) == n && golden("input", "low", low, N) == n);
    CU_ASSERT(golden("input", "close", close, N) == n && golden("input", "gappy", v, 300) == n);
    for (size_t k = 0; k < 2; k++) {
        char name[32];
        snprintf(name, sizeof(name), "last%zu", widths[k]);
        CU_ASSERT_EQUAL_FATAL(golden("range", name, want, 4), 4);
        CHECK_NEAR(pt_range_parkinson(high, low, n, widths[k]), want[0], 1e-12);
        CHECK_NEAR(pt_range_garman_klass(open, high, low, close, n, widths[k]), want[1], 1e-12);
        CHECK_NEAR(pt_range_rogers_satchell(open, high, low, close, n, widths[k]), want[2], 1e-12);
        CHECK_NEAR(pt_range_yang_zhang(open, high, low, close, NULL, n, 60, widths[k]), want[3],
                   1e-12);
    }
    golden("range", "ewma", want, 4);
    CHECK_NEAR(pt_range_ewma(v, n, 0.94, 20), want[0], 1e-12);
    golden("range", "sides", want, 4);
    CHECK_NEAR(pt_range_downside(v, n), want[0], 1e-12);
    CHECK_NEAR(pt_range_upside(v, n), want[1], 1e-12);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "estimators match their definitions", test_estimators_match_their_definitions },
        { "over a hole there is no overnight move", test_over_a_hole_there_is_no_overnight_move },
        { "half of the rows must be there", test_half_of_the_rows_must_be_there },
        { "a negative mean has no root", test_a_negative_mean_has_no_root },
        { "ewma is the recursion", test_ewma_is_the_recursion },
        { "the sides add up to the whole", test_the_sides_add_up_to_the_whole },
        { "matches numpy", test_matches_numpy },
        CU_TEST_INFO_NULL,
    };
    return pt_suite_main("range", tests);
}
