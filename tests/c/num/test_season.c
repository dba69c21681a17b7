#include "near.h"

#include "num/dist.h"
#include "num/season.h"

enum { N = 2160 };
static double x[N], keys[N], out[N], work[N];

static void make_noise(size_t n, uint64_t seed, bool holes)
{
    struct pt_rng rng;
    pt_rng_seed(&rng, seed, 8);
    for (size_t i = 0; i < n; i++) {
        x[i] = pt_rng_normal(&rng);
        if (holes && pt_rng_below(&rng, 20) == 0) x[i] = NAN;
    }
}

static void test_groups_keep_the_order_of_time(void)
{
    size_t start[25];
    make_noise(N, 1, true);
    for (size_t i = 0; i < N; i++) keys[i] = (double)((i * 7 + i / 50) % 24);
    pt_season_group(x, keys, N, 24, out, start);
    CU_ASSERT(start[0] == 0 && start[24] == N);
    for (size_t g = 0; g < 24; g++) {
        size_t at = start[g];
        for (size_t i = 0; i < N; i++)
            if (keys[i] == (double)g) CU_ASSERT(same_bits("value", &out[at++], &x[i], 1));
        CU_ASSERT(at == start[g + 1]);
    }
}

static void test_a_key_of_no_group_is_left_out(void)
{
    const double odd[] = { 0, -1, 3, NAN, 1.5, INFINITY, 2, -0.0, -INFINITY, 1e300 };
    size_t start[4];
    for (size_t i = 0; i < 10; i++) x[i] = (double)i;
    pt_season_group(x, odd, 10, 3, out, start);
    CU_ASSERT(start[1] == 2 && start[2] == 2 && start[3] == 3);
    CU_ASSERT(out[0] == 0 && out[1] == 7 && out[2] == 6);
    pt_season_group(x, odd, 0, 3, out, start);
    CU_ASSERT(start[0] == 0 && start[3] == 0);
}

static void test_newey_west_is_its_definition(void)
{
    for (int holes = 0; holes < 2; holes++) {
        make_noise(500, 2, holes);
        long double v[500], mean = 0;
        size_t m = 0;
        for (size_t i = 0; i < 500; i++)
            if (isfinite(x[i])) mean += v[m++] = x[i] + 0.1L;
        for (size_t i = 0; i < 500; i++) x[i] += 0.1;
        mean /= (long double)m;
        for (size_t lag = 0; lag < 40; lag += 13) {
            long double s = 0;
            for (size_t l = 0; l <= lag; l++)
                for (size_t i = l; i < m; i++)
                    s += (l > 0 ? 2 * (1 - (long double)l / (long double)(lag + 1)) : 1) *
                         (v[i] - mean) * (v[i - l] - mean) / (long double)m;
            struct pt_season_mean got = pt_season_hac(x, 500, lag, work);
            double t = (double)(mean / sqrtl(s / (long double)m));
            CU_ASSERT(got.used == m);
            CHECK_NEAR(got.mean, (double)mean, 1e-13);
            CHECK_NEAR(got.t, t, 1e-11);
            CHECK_NEAR(got.p, 2 * pt_dist_normal_sf(fabs(t)), 1e-9);
        }
    }
}

static void test_newey_west_equals_statsmodels(void)
{
    double v[300], hours[300], used[24], lag[24], mean[24], t[24], p[24], q[24], got[24];
    size_t start[25];
    CU_ASSERT_FATAL(golden("input", "gappy", v, 300) == 300);
    CU_ASSERT_FATAL(golden("season", "hours", hours, 300) == 300);
    golden("season", "used", used, 24);
    golden("season", "lag", lag, 24);
    golden("season", "mean", mean, 24);
    golden("season", "t", t, 24);
    CU_ASSERT_FATAL(golden("season", "p", p, 24) == 24);
    CU_ASSERT_FATAL(golden("season", "q", q, 24) == 24);
    pt_season_group(v, hours, 300, 24, out, start);
    for (size_t g = 0; g < 24; g++) {
        CU_ASSERT(pt_season_hac_lag((size_t)used[g]) == (size_t)lag[g]);
        struct pt_season_mean m =
            pt_season_hac(out + start[g], start[g + 1] - start[g], (size_t)lag[g], work);
        CU_ASSERT((double)m.used == used[g]);
        CHECK_NEAR(m.mean, mean[g], 1e-12);
        CHECK_NEAR(m.t, t[g], 1e-11);
        CHECK_NEAR(m.p, p[g], 1e-10);
    }
    pt_season_fdr(p, 24, got, work);
    CU_ASSERT(near_all("q", got, q, 24, 1e-13, 1e-9));
    size_t n = golden("input", "other", v, 300);
    CU_ASSERT(golden("season", "lag12", t, 2) == 2);
    struct pt_season_mean m = pt_season_hac(v, n, 12, work);
    CHECK_NEAR(m.t, t[0], 1e-11);
    CHECK_NEAR(m.p, t[1], 1e-10);
}

static void test_the_usual_lags(void)
{
    const size_t cases[][2] = { { 0, 0 },  { 1, 1 },   { 2, 1 },   { 10, 2 },  { 90, 3 },
                                { 99, 3 }, { 100, 4 }, { 312, 5 }, { 2160, 7 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CU_ASSERT(pt_season_hac_lag(cases[i][0]) == cases[i][1]);
}

static void test_false_discovery_rates_are_their_definition(void)
{
    struct pt_rng rng;
    pt_rng_seed(&rng, 3, 8);
    for (size_t n = 0; n < 60; n++) {
        double p[60], q[60];
        for (size_t i = 0; i < n; i++) {
            p[i] = (double)pt_rng_below(&rng, 30) / 30; /* ties */
            p[i] *= p[i];
            if (pt_rng_below(&rng, 9) == 0) p[i] = NAN;
        }
        pt_season_fdr(p, n, q, work);
        for (size_t i = 0; i < n; i++) {
            double m = 0, least = 1;
            for (size_t j = 0; j < n; j++) m += isfinite(p[j]);
            for (size_t j = 0; j < n; j++) {
                double rank = 0;
                for (size_t k = 0; k < n; k++) rank += p[k] <= p[j];
                if (p[j] >= p[i]) least = fmin(least, p[j] * m / rank);
            }
            CHECK_NEAR(q[i], isfinite(p[i]) ? least : NAN, 1e-14);
        }
    }
}

static void test_entropies_equal_numpy_and_scipy(void)
{
    double v[300], coarse[300], z[300], want[12], mean = 0, squares = 0, count = 0;
    const size_t bins[] = { 1, 7, 50, 100 };
    golden("input", "close", v, 300);
    CU_ASSERT_FATAL(golden("season", "entropy", want, 12) == 8);
    for (size_t i = 0; i < 300; i++) coarse[i] = rint(v[i] / 50) * 50;
    for (size_t k = 0; k < 8; k++) {
        const double *column = k < 4 ? v : coarse;
        double low = INFINITY, high = -INFINITY;
        for (size_t i = 0; i < 300; i++) low = fmin(low, column[i]), high = fmax(high, column[i]);
        CHECK_NEAR(pt_season_entropy(column, 300, bins[k % 4], low, high), want[k], 1e-13);
    }
    golden("input", "gappy", v, 300);
    for (size_t i = 0; i < 300; i++)
        if (isfinite(v[i])) mean += v[i], count++;
    mean /= count;
    for (size_t i = 0; i < 300; i++)
        if (isfinite(v[i])) squares += (v[i] - mean) * (v[i] - mean);
    for (size_t i = 0; i < 300; i++) z[i] = (v[i] - mean) / sqrt(squares / (count - 1));
    golden("season", "clamped", want, 12);
    CHECK_NEAR(pt_season_entropy(z, 300, 20, -2, 2), want[0], 1e-13);
    CU_ASSERT_FATAL(golden("season", "permutation", want, 12) == 12);
    for (size_t order = 2; order <= 7; order++) {
        CHECK_NEAR(pt_season_permutation_entropy(v, 300, order), want[order - 2], 1e-13);
        for (size_t i = 0; i < 300; i++) z[i] = copysign(1, v[i]) * rint(fabs(v[i]) / 0.003);
        CHECK_NEAR(pt_season_permutation_entropy(z, 300, order), want[order + 4], 1e-13);
    }
}

static void test_entropy_between_one_bin_and_all(void)
{
    for (size_t i = 0; i < 100; i++) x[i] = (double)(i % 50), work[i] = 7;
    CHECK_NEAR(pt_season_entropy(x, 100, 50, 0, 49), log(50), 1e-14);
    CHECK_NEAR(pt_season_entropy(x, 100, 50, 200, 300), 0, 0); /* all below: one bin */
    double flat = pt_season_entropy(work, 100, 50, 7, 7);
    CU_ASSERT(flat == 0 && !signbit(flat));
    const double ends[] = { -100, -1, 1, 100, NAN, INFINITY };
    CHECK_NEAR(pt_season_entropy(ends, 6, 4, -1, 1), log(2), 1e-15); /* outside is at the ends */
    CU_ASSERT(isnan(pt_season_entropy(ends + 4, 2, 4, -1, 1)) &&
              isnan(pt_season_entropy(x, 0, 4, 0, 1)));
    CU_ASSERT(isnan(pt_season_entropy(x, 9, 0, 0, 1)) &&
              isnan(pt_season_entropy(x, 9, 1025, 0, 1)));
    CU_ASSERT(isnan(pt_season_entropy(x, 9, 4, 1, 0)) && isnan(pt_season_entropy(x, 9, 4, NAN, 1)));
    CU_ASSERT(isnan(pt_season_entropy(x, 9, 4, -INFINITY, 1)));
    CU_ASSERT(isfinite(pt_season_entropy(x, 9, 1024, 0, 1)));
}

static void test_order_of_neighbours(void)
{
    for (size_t i = 0; i < 100; i++) x[i] = (double)i;
    CHECK_NEAR(pt_season_permutation_entropy(x, 100, 4), 0, 0);
    for (size_t i = 0; i < 100; i++) x[i] = 5; /* ties stand in the order of time: always up */
    CHECK_NEAR(pt_season_permutation_entropy(x, 100, 4), 0, 0);
    for (size_t i = 0; i < 100; i++) x[i] = (double)(i % 2);
    /* 98 windows of 3, half of them 0 1 0 and half 1 0 1 */
    CHECK_NEAR(pt_season_permutation_entropy(x, 100, 3), log(2) / log(6), 1e-15);
    x[50] = NAN; /* a hole takes every window that reaches it, and joins none */
    CHECK_NEAR(pt_season_permutation_entropy(x, 100, 3), log(2) / log(6), 1e-3);
    make_noise(N, 4, false);
    CU_ASSERT(pt_season_permutation_entropy(x, N, 4) > 0.99);
    for (size_t i = 3; i < N; i += 4) x[i] = NAN;
    CU_ASSERT(isnan(pt_season_permutation_entropy(x, N, 4)));
    CU_ASSERT(isfinite(pt_season_permutation_entropy(x, N, 3)));
    CU_ASSERT(isnan(pt_season_permutation_entropy(x, N, 1)) &&
              isnan(pt_season_permutation_entropy(x, N, 8)));
    CU_ASSERT(isnan(pt_season_permutation_entropy(x, 0, 2)));
}

static void test_a_mean_without_spread_has_no_t(void)
{
    for (size_t i = 0; i < 90; i++) x[i] = 0.1;
    struct pt_season_mean got = pt_season_hac(x, 90, 3, work);
    CHECK_NEAR(got.mean, 0.1, 1e-15);
    CU_ASSERT(isnan(got.t) && isnan(got.p) && got.used == 90);
    got = pt_season_hac(x, 1, 3, work);
    CU_ASSERT(got.mean == 0.1 && isnan(got.t) && got.used == 1);
    got = pt_season_hac(x, 0, 3, work);
    CU_ASSERT(isnan(got.mean) && isnan(got.p) && got.used == 0);
    x[1] = 0.3;
    CU_ASSERT(isfinite(pt_season_hac(x, 2, 500, work).t)); /* more lags than pairs */
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "groups keep the order of time", test_groups_keep_the_order_of_time },
        { "a key of no group is left out", test_a_key_of_no_group_is_left_out },
        { "Newey-West is its definition", test_newey_west_is_its_definition },
        { "Newey-West and false discoveries equal statsmodels",
          test_newey_west_equals_statsmodels },
        { "the usual lags", test_the_usual_lags },
        { "false discovery rates are their definition",
          test_false_discovery_rates_are_their_definition },
        { "a mean without spread has no t", test_a_mean_without_spread_has_no_t },
        { "entropies equal numpy and scipy", test_entropies_equal_numpy_and_scipy },
        { "entropy lies between one bin and all", test_entropy_between_one_bin_and_all },
        { "the order of neighbours", test_order_of_neighbours },
        CU_TEST_INFO_NULL,
    };
    return pt_suite_main("season", tests);
}
