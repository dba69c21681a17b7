#include "near.h"

#include "num/ccf.h"
#include "num/moment.h"
#include "num/series.h"

enum { N = 1500, LAGS = 48, ALL = 2 * LAGS + 1, ROOM = 6 * N + 9 * (ALL + 7) + 3 };
static double x[N], y[N], ex[N], ey[N], r[ALL], again[ALL], work[ROOM];
static size_t pairs[ALL];

static void make_noise(double *v, size_t n, uint64_t seed, bool holes)
{
    struct pt_rng rng;
    pt_rng_seed(&rng, seed, 3);
    for (size_t t = 0; t < n; t++) {
        v[t] = 0.01 * pt_rng_normal(&rng) + 0.002;
        if (holes && pt_rng_below(&rng, 20) == 0) v[t] = t % 2 == 0 ? NAN : INFINITY;
    }
}

static void check_lags(size_t n, size_t lags, size_t least)
{
    CU_ASSERT_FATAL(pt_ccf_work_len(n, lags) <= ROOM);
    pt_ccf(y, x, n, lags, least, work, r, pairs);
    for (size_t k = 0; k < 2 * lags + 1; k++) {
        size_t later = k > lags ? k - lags : 0, sooner = k < lags ? lags - k : 0, used = 0;
        double want = NAN;
        if (later + sooner < n)
            want = pt_moment_pearson(y + later, x + sooner, n - later - sooner, &used);
        if (used < least) want = NAN;
        bool same = near_to(r[k], want, 1e-12, 1) && pairs[k] == used;
        if (!same) printf("\n  place %zu: %.17g, want %.17g\n", k, r[k], want);
        CU_ASSERT_FATAL(same);
    }
}

static void compare_with_pearson(void)
{
    for (uint64_t seed = 0; seed < 8; seed++) {
        make_noise(x, N, 2 * seed, seed % 4 >= 2);
        make_noise(y, N, 2 * seed + 1, seed % 4 == 1 || seed % 4 == 3);
        check_lags(seed < 4 ? N : 60, seed < 4 ? LAGS : 31, 2 + 3 * (size_t)seed);
    }
    make_noise(x, N, 50, false);
    make_noise(y, N, 51, false);
    for (size_t t = 0; t < 700; t++) x[t] = y[N - 1 - t] = NAN; /* whole, but of other rows */
    check_lags(N, LAGS, 20);
    check_lags(N, 3, 2);
    check_lags(40, LAGS, 2); /* more lags than rows */
    check_lags(0, 2, 2);
}

static void test_every_lag_is_the_correlation_of_its_pairs(void)
{
    on_every_path(compare_with_pearson);
}

static void test_paths_agree_to_the_bit(void)
{
    for (int holes = 0; holes < 2; holes++) {
        int before = pt_num_path();
        make_noise(x, N, 60, holes != 0);
        make_noise(y, N, 61, false);
        pt_num_use_path(0);
        pt_ccf(y, x, N, LAGS, 20, work, again, pairs);
        for (int path = 1; path < pt_num_paths(); path++) {
            if (!pt_num_use_path(path)) continue;
            pt_ccf(y, x, N, LAGS, 20, work, r, pairs);
            CU_ASSERT(same_bits(pt_num_path_name(path), r, again, ALL));
        }
        pt_num_use_path(before);
    }
}

static void test_a_calm_stretch_after_a_storm_keeps_its_digits(void)
{
    make_noise(x, 200, 70, false);
    make_noise(y, 200, 71, false);
    for (size_t t = 0; t < 200; t++) {
        if (t < 40) x[t] *= 1e8;
        if (t < 60) y[t] = NAN;
    }
    check_lags(200, 10, 20);
}

static void test_a_series_without_spread_follows_nothing(void)
{
    make_noise(x, N, 80, false);
    for (size_t t = 0; t < N; t++) y[t] = 0.1;
    pt_ccf(y, x, N, LAGS, 20, work, r, pairs);
    for (size_t k = 0; k < ALL; k++) CU_ASSERT(isnan(r[k]));
    CU_ASSERT(pairs[LAGS] == N && pairs[0] == N - LAGS);
    struct pt_ccf_peak peak = pt_ccf_peak(r, pairs, LAGS, 0.01);
    CU_ASSERT(peak.lag == 0 && isnan(peak.r) && isnan(peak.bound) && peak.pairs == 0);
    CU_ASSERT(isnan(pt_ccf_prewhiten(y, N, ey)) && isnan(ey[0]) && isnan(ey[N / 2]));
}

static void test_prewhitening_takes_memory_out(void)
{
    make_noise(ex, N, 90, false);
    x[0] = ex[0];
    for (size_t t = 1; t < N; t++) x[t] = 0.7 * x[t - 1] + ex[t];
    x[700] = NAN;
    double phi = pt_ccf_prewhiten(x, N, ey), mean = pt_moment_mean(x, N);
    CHECK_NEAR(phi, pt_series_acf(x, N, 1), 0);
    CU_ASSERT(fabs(phi - 0.7) < 0.05);
    CU_ASSERT(isnan(ey[0]) && isnan(ey[700]) && isnan(ey[701]) && !isnan(ey[702]));
    for (size_t t = 1; t < 700; t++)
        CU_ASSERT(near_to(ey[t], x[t] - mean - phi * (x[t - 1] - mean), 1e-15, 1));
    CU_ASSERT(fabs(pt_series_acf(ey, N, 1)) < 0.05);
    pt_ccf_prewhiten(x, 0, ey); /* writes nothing */
}

static void test_the_peak_and_its_bound(void)
{
    double v[5] = { 0.5, -0.2, NAN, 0.5, -0.5 };
    size_t m[5] = { 98, 99, 100, 99, 98 };
    struct pt_ccf_peak peak = pt_ccf_peak(v, m, 2, 0.01);
    CU_ASSERT(peak.lag == 1 && peak.r == 0.5 && peak.pairs == 99);
    CHECK_NEAR(peak.bound, 3.090232306167813 / sqrt(99), 1e-12); /* 1 - 0.01 / 10 */
    v[3] = 0.4;
    CU_ASSERT(pt_ccf_peak(v, m, 2, 0.01).lag == 2); /* of 2 and -2 the positive one */
    v[0] = -0.6;
    CU_ASSERT(pt_ccf_peak(v, m, 2, 0.01).lag == -2);
    v[2] = 0.6;
    CU_ASSERT(pt_ccf_peak(v, m, 2, 0.01).lag == 0);
}

static void test_a_follower_by_five_bars_is_found_every_time(void)
{
    enum { DRAWS = 50, BARS = 720 };
    static double price[BARS + 6];
    size_t found = 0, backwards = 0;
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        struct pt_rng rng;
        pt_rng_seed(&rng, 5, draw);
        price[0] = 100;
        for (size_t t = 1; t < BARS + 6; t++)
            price[t] = price[t - 1] * exp(0.01 * pt_rng_normal(&rng));
        for (size_t t = 0; t < BARS; t++) {
            x[t] = log(price[t + 6] / price[t + 5]);
            y[t] = log(price[t + 1] / price[t]); /* what x was five bars ago */
        }
        pt_ccf_prewhiten(x, BARS, ex);
        pt_ccf_prewhiten(y, BARS, ey);
        pt_ccf(ey, ex, BARS, LAGS, 20, work, r, pairs);
        struct pt_ccf_peak peak = pt_ccf_peak(r, pairs, LAGS, 0.01);
        found += peak.lag == 5 && peak.r > 0.95 && fabs(peak.r) > peak.bound;
        pt_ccf(ex, ey, BARS, LAGS, 20, work, r, pairs);
        backwards += pt_ccf_peak(r, pairs, LAGS, 0.01).lag == -5;
    }
    CU_ASSERT(found == DRAWS && backwards == DRAWS);
}

static void test_independent_series_rarely_lead(void)
{
    enum { DRAWS = 400, BARS = 720 };
    size_t leads = 0;
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        make_noise(x, BARS, 1000 + 2 * draw, false);
        make_noise(y, BARS, 1001 + 2 * draw, false);
        pt_ccf_prewhiten(x, BARS, ex);
        pt_ccf_prewhiten(y, BARS, ey);
        pt_ccf(ey, ex, BARS, LAGS, 20, work, r, pairs);
        struct pt_ccf_peak peak = pt_ccf_peak(r, pairs, LAGS, 0.01);
        leads += fabs(peak.r) > peak.bound;
    }
    CU_ASSERT(leads <= DRAWS * 3 / 100); /* 1 % is what the bound says */
}

static void test_matches_numpy(void)
{
    static double want[ALL];
    double room[4];
    CU_ASSERT_FATAL(golden("input", "log_return", x, N) == 300);
    CU_ASSERT_FATAL(golden("panel", "flow", y, N) == 300);
    CU_ASSERT_FATAL(golden("panel", "prewhitened", room, 4) == 2);
    CHECK_NEAR(pt_ccf_prewhiten(x + 1, 299, ex), room[0], 1e-11);
    CHECK_NEAR(pt_ccf_prewhiten(y + 1, 299, ey), room[1], 1e-11);
    CU_ASSERT_FATAL(golden("panel", "ccf", want, ALL) == ALL);
    pt_ccf(ey, ex, 299, LAGS, 20, work, r, pairs);
    CU_ASSERT(near_all("ccf", r, want, ALL, 1e-11, 1));
    CU_ASSERT_FATAL(golden("panel", "ccf_peak", room, 4) == 4);
    struct pt_ccf_peak peak = pt_ccf_peak(r, pairs, LAGS, 0.01);
    CHECK_NEAR((double)peak.lag, room[0], 0);
    CHECK_NEAR(peak.r, room[1], 1e-11);
    CHECK_NEAR(peak.bound, room[2], 1e-11);
    CHECK_NEAR((double)peak.pairs, room[3], 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "every lag is the correlation of its pairs",
          test_every_lag_is_the_correlation_of_its_pairs },
        { "paths agree to the bit", test_paths_agree_to_the_bit },
        { "a calm stretch after a storm keeps its digits",
          test_a_calm_stretch_after_a_storm_keeps_its_digits },
        { "a series without spread follows nothing", test_a_series_without_spread_follows_nothing },
        { "prewhitening takes memory out", test_prewhitening_takes_memory_out },
        { "the peak and its bound", test_the_peak_and_its_bound },
        { "a follower by five bars is found every time",
          test_a_follower_by_five_bars_is_found_every_time },
        { "independent series rarely lead", test_independent_series_rarely_lead },
        { "matches numpy", test_matches_numpy },
        CU_TEST_INFO_NULL,
    };
    return pt_suite_main("ccf", tests);
}
