#include "near.h"

#include "num/moment.h"

enum { N = 3001 };
static double x[N], y[N];

/* The definitions, in long double, over what is there. */
struct plain {
    long double sum, mean, m2, m3, m4;
    size_t count;
};

static struct plain plain_of(const double *v, size_t n)
{
    struct plain p = { 0 };
    for (size_t i = 0; i < n; i++)
        if (isfinite(v[i])) p.sum += v[i], p.count++;
    p.mean = p.sum / (long double)p.count;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(v[i])) continue;
        long double d = v[i] - p.mean;
        p.m2 += d * d;
        p.m3 += d * d * d;
        p.m4 += d * d * d * d;
    }
    return p;
}

static void definitions(void)
{
    const size_t lengths[] = { 5, 8, 9, 511, 512, 513, 1024, N };
    for (size_t k = 0; k < 8; k++) {
        size_t n = lengths[k];
        make_walk(x, n, k + 1, k % 2 == 1);
        x[0] = 50000; /* so that five rows hold three values */
        x[1] = 50001;
        x[2] = 49998;
        x[3] = 50010;
        struct plain p = plain_of(x, n);
        long double m = (long double)p.count, g1 = p.m3 / m / powl(p.m2 / m, 1.5L);
        long double g2 = p.m4 / m / (p.m2 / m * (p.m2 / m)) - 3;
        CHECK_NEAR(pt_moment_sum(x, n), (double)p.sum, 4e-16);
        CHECK_NEAR(pt_moment_mean(x, n), (double)p.mean, 4e-16);
        CHECK_NEAR(pt_moment_var(x, n, 1), (double)(p.m2 / (m - 1)), 1e-13);
        CHECK_NEAR(pt_moment_var(x, n, 0), (double)(p.m2 / m), 1e-13);
        CHECK_NEAR(pt_moment_std(x, n, 1), (double)sqrtl(p.m2 / (m - 1)), 1e-13);
        CU_ASSERT(near_to(pt_moment_skewness_biased(x, n), (double)g1, 1e-11, 1));
        CU_ASSERT(near_to(pt_moment_kurtosis_biased(x, n), (double)g2, 1e-11, 1));
        CU_ASSERT(near_to(pt_moment_skewness(x, n), (double)(g1 * sqrtl(m * (m - 1)) / (m - 2)),
                          1e-11, 1));
        CU_ASSERT(near_to(pt_moment_kurtosis(x, n),
                          (double)((m - 1) / ((m - 2) * (m - 3)) * ((m + 1) * g2 + 6)), 1e-11, 1));
    }
}

static void test_moments_match_their_definitions(void)
{
    on_every_path(definitions);
}

static void test_a_sum_does_not_lose_small_values_beside_large_ones(void)
{
    for (size_t i = 0; i < N; i++) x[i] = i % 2 == 0 ? 0.1 : 0.7;
    x[0] = 1e17;
    x[N - 1] = -1e17;
    /* 8 lanes of a block share one rounding with the large value; other blocks keep theirs */
    double rest = 0.7 * (N / 2) + 0.1 * (N / 2 - 1);
    CU_ASSERT(fabs(pt_moment_sum(x, N) - rest) < 0.4 * 1024);
    for (size_t i = 0; i < N; i++) x[i] = 0.1;
    CHECK_NEAR(pt_moment_sum(x, N), 300.1, 4e-15);
}

static void test_a_flat_column_has_no_variance_and_no_shape(void)
{
    for (size_t i = 0; i < N; i++) x[i] = i % 7 == 3 ? NAN : 0.1;
    CU_ASSERT(pt_moment_var(x, N, 1) == 0);
    CU_ASSERT(pt_moment_mean(x, N) > 0.0999 && isnan(pt_moment_skewness(x, N)) &&
              isnan(pt_moment_kurtosis(x, N)));
    CU_ASSERT(isnan(pt_moment_jarque_bera_p(x, N, NULL)));
    make_walk(y, N, 2, false);
    CU_ASSERT(isnan(pt_moment_pearson(x, y, N, NULL)) && isnan(pt_moment_pearson(y, x, N, NULL)));
    CU_ASSERT(isnan(pt_moment_beta(y, x, N, NULL)) && pt_moment_beta(x, y, N, NULL) == 0);
    x[3] = 77; /* not in a pair: x stays flat over the pairs */
    y[3] = NAN;
    CU_ASSERT(isnan(pt_moment_pearson(x, y, N, NULL)));
}

static void test_too_few_values_give_nothing(void)
{
    const double v[] = { NAN, 3, INFINITY, 5, -INFINITY, 10, 4 };
    double low;
    CU_ASSERT(pt_moment_sum(v, 1) == 0 && isnan(pt_moment_mean(v, 1)) &&
              isnan(pt_moment_min(v, 1)));
    CU_ASSERT(isnan(pt_moment_var(v, 3, 1)) && pt_moment_var(v, 3, 0) == 0 &&
              pt_moment_var(v, 4, 1) == 2);
    CU_ASSERT(isnan(pt_moment_skewness(v, 5)) && !isnan(pt_moment_skewness(v, 6)));
    CU_ASSERT(isnan(pt_moment_kurtosis(v, 6)) && !isnan(pt_moment_kurtosis(v, 7)));
    CU_ASSERT(isnan(pt_moment_skewness_biased(v, 3)) && pt_moment_skewness_biased(v, 4) == 0);
    CU_ASSERT(isnan(pt_moment_jarque_bera_p(v, 2, &low)) && isnan(low));
    CU_ASSERT(isnan(pt_moment_mean(NULL, 0)) && pt_moment_sum(NULL, 0) == 0 &&
              isnan(pt_moment_max(NULL, 0)));
    CU_ASSERT(isnan(pt_moment_pearson(v, v, 2, NULL)) && pt_moment_pearson(v, v, 4, NULL) == 1);
}

static void extremes(void)
{
    for (size_t n = 0; n < 60; n++) {
        double low = INFINITY, high = -INFINITY;
        size_t at_low = n, at_high = n;
        make_walk(x, n, n + 40, true);
        if (n > 20) x[15] = x[9] = 1, x[12] = x[18] = 1e9;
        for (size_t i = 0; i < n; i++) {
            if (!isfinite(x[i])) continue;
            if (x[i] < low) low = x[at_low = i];
            if (x[i] > high) high = x[at_high = i];
        }
        CU_ASSERT(pt_moment_argmin(x, n) == at_low && pt_moment_argmax(x, n) == at_high);
        CU_ASSERT(near_to(pt_moment_min(x, n), at_low == n ? NAN : low, 0, 0));
        CU_ASSERT(near_to(pt_moment_max(x, n), at_high == n ? NAN : high, 0, 0));
    }
}

static void test_extremes_and_the_first_place_they_are_at(void)
{
    on_every_path(extremes);
}

static void pairs(void)
{
    make_walk(x, N, 5, true);
    make_walk(y, N, 6, true);
    for (size_t i = 0; i < N; i++) y[i] = y[i] + 0.5 * x[(i + 1) % N];
    long double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
    size_t count = 0, used;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < N; i++) {
            if (!isfinite(x[i]) || !isfinite(y[i])) continue;
            long double dx = x[i] - mx, dy = y[i] - my;
            if (pass == 0) {
                mx += (x[i] - mx) / (long double)++count;
                my += (y[i] - my) / (long double)count;
            } else {
                xx += dx * dx, yy += dy * dy, xy += dx * dy;
            }
        }
    }
    CHECK_NEAR(pt_moment_cov(x, y, N, 1, &used), (double)(xy / (long double)(count - 1)), 1e-12);
    CU_ASSERT(used == count && count < N && count > N / 2);
    CHECK_NEAR(pt_moment_cov(x, y, N, 0, NULL), (double)(xy / (long double)count), 1e-12);
    CHECK_NEAR(pt_moment_pearson(x, y, N, &used), (double)(xy / sqrtl(xx * yy)), 1e-12);
    CHECK_NEAR(pt_moment_beta(x, y, N, &used), (double)(xy / yy), 1e-12);
    CU_ASSERT(used == count);
}

static void test_each_is_left_out_once(void)
{
    /* missing ones at both ends and within; one so large that it would swallow the others */
    double rows[] = { NAN, 1, 2, NAN, 1e12, 4, INFINITY, 3, NAN }, mean[9], std[9];
    const size_t n = sizeof rows / sizeof rows[0];
    pt_moment_leave_one_out(rows, n, 3, mean, std);
    for (size_t i = 0; i < n; i++) {
        double one = rows[i];
        rows[i] = NAN;
        double m = pt_moment_mean(rows, n), s = pt_moment_std(rows, n, 1);
        rows[i] = one;
        if (!isfinite(one)) {
            CU_ASSERT(isnan(mean[i]) && isnan(std[i]));
            continue;
        }
        CU_ASSERT(fabs(mean[i] - m) <= 1e-15 * fabs(m) && fabs(std[i] - s) <= 1e-15 * s);
    }
    const double two[] = { 5, 7 }, flat[] = { 0.1, 0.1, 0.1, 9 };
    pt_moment_leave_one_out(two, 2, 6, mean, std);
    CU_ASSERT(mean[0] == 7 && mean[1] == 5 && isnan(std[0]) && isnan(std[1]));
    pt_moment_leave_one_out(two, 1, 5, mean, std);
    CU_ASSERT(isnan(mean[0]) && isnan(std[0]));
    pt_moment_leave_one_out(flat, 4, 0.1, mean, std);
    CU_ASSERT(mean[3] == 0.1 && std[3] == 0 && std[0] > 1);
    pt_moment_leave_one_out(rows, 0, 0, mean, std);
}

static void test_pairs_match_their_definitions(void)
{
    on_every_path(pairs);
}

static void test_a_straight_relation_is_exactly_one_or_minus_one(void)
{
    make_walk(x, N, 7, false);
    for (size_t i = 0; i < N; i++) y[i] = 1e6 - 3 * x[i];
    double r = pt_moment_pearson(x, y, N, NULL);
    CU_ASSERT(r >= -1 && r < -1 + 1e-14);
    CU_ASSERT(pt_moment_pearson(x, x, N, NULL) == 1);
    for (size_t i = 0; i < N; i++) x[i] *= 1e-120; /* the product of the variances is 0 */
    CHECK_NEAR(pt_moment_pearson(x, x, N, NULL), 1, 1e-15);
}

static void test_matches_pandas_and_scipy(void)
{
    const char *columns[] = { "close", "holes", "log_return", "other" };
    double v[300], w[300], want[15], statistic;
    for (size_t c = 0; c < 4; c++) {
        size_t n = golden("input", columns[c], v, 300);
        CU_ASSERT_EQUAL_FATAL(golden("moment", columns[c], want, 15), 15);
        double p = pt_moment_jarque_bera_p(v, n, &statistic);
        const double got[] = { pt_moment_sum(v, n),
                               pt_moment_mean(v, n),
                               pt_moment_var(v, n, 1),
                               pt_moment_std(v, n, 1),
                               pt_moment_var(v, n, 0),
                               pt_moment_min(v, n),
                               pt_moment_max(v, n),
                               (double)pt_moment_argmin(v, n),
                               (double)pt_moment_argmax(v, n),
                               pt_moment_skewness(v, n),
                               pt_moment_kurtosis(v, n),
                               pt_moment_skewness_biased(v, n),
                               pt_moment_kurtosis_biased(v, n),
                               statistic,
                               p };
        CU_ASSERT(near_all(columns[c], got, want, 15, 1e-10, 0));
    }
    size_t used, n = golden("input", "log_return", v, 300);
    CU_ASSERT(golden("input", "other", w, 300) == n && golden("moment", "pair", want, 4) == 4);
    CHECK_NEAR(pt_moment_cov(v, w, n, 1, NULL), want[0], 1e-11);
    CHECK_NEAR(pt_moment_pearson(v, w, n, &used), want[1], 1e-11);
    CHECK_NEAR(pt_moment_beta(v, w, n, NULL), want[2], 1e-11);
    CU_ASSERT(used == (size_t)want[3]);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "moments match their definitions", test_moments_match_their_definitions },
        { "a sum does not lose small values beside large ones",
          test_a_sum_does_not_lose_small_values_beside_large_ones },
        { "a flat column has no variance and no shape",
          test_a_flat_column_has_no_variance_and_no_shape },
        { "too few values give nothing", test_too_few_values_give_nothing },
        { "extremes, and the first place they are at",
          test_extremes_and_the_first_place_they_are_at },
        { "each is left out once", test_each_is_left_out_once },
        { "pairs match their definitions", test_pairs_match_their_definitions },
        { "a straight relation is exactly one or minus one",
          test_a_straight_relation_is_exactly_one_or_minus_one },
        { "matches pandas and scipy", test_matches_pandas_and_scipy },
        CU_TEST_INFO_NULL,
    };
    return pt_suite_main("moment", tests);
}
