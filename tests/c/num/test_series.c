#include "near.h"

#include "num/dist.h"
#include "num/moment.h"
#include "num/series.h"

enum { N = 2160 };
static double x[N], work[N];

/* Returns with some persistence; holes: 5 % missing. */
static void make_returns(size_t n, uint64_t seed, double phi, bool holes)
{
    struct pt_rng rng;
    double before = 0;
    pt_rng_seed(&rng, seed, 3);
    for (size_t i = 0; i < n; i++) {
        before = phi * before + 0.003 * pt_rng_normal(&rng);
        x[i] = holes && pt_rng_below(&rng, 20) == 0 ? NAN : before;
    }
}

static long double mean_of(size_t n, size_t *count)
{
    long double sum = 0;
    *count = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i])) sum += x[i], ++*count;
    return sum / (long double)*count;
}

static long double plain_acf(size_t n, size_t lag)
{
    size_t count;
    long double mean = mean_of(n, &count), top = 0, all = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) continue;
        all += (x[i] - mean) * (x[i] - mean);
        if (i >= lag && isfinite(x[i - lag])) top += (x[i] - mean) * (x[i - lag] - mean);
    }
    return top / all;
}

static void correlations(void)
{
    for (int holes = 0; holes < 2; holes++) {
        make_returns(900, 1, 0.3, holes);
        size_t used, m;
        mean_of(900, &m);
        long double q = 0;
        for (size_t lag = 1; lag <= 10; lag++) {
            double pearson = pt_moment_pearson(x + lag, x, 900 - lag, NULL);
            CHECK_NEAR(pt_series_autocorrelation(x, 900, lag, &used), pearson, 0);
            CU_ASSERT(holes ? used < 900 - lag && used > 700 : used == 900 - lag);
            CU_ASSERT(near_to(pt_series_acf(x, 900, lag), (double)plain_acf(900, lag), 1e-14, 1));
            q += plain_acf(900, lag) * plain_acf(900, lag) / (long double)(m - lag);
        }
        q *= (long double)m * (long double)(m + 2);
        double got, p = pt_series_ljung_box_p(x, 900, 10, &got);
        CHECK_NEAR(got, (double)q, 1e-12);
        CHECK_NEAR(p, pt_dist_chi2_sf((double)q, 10), 1e-9);
    }
    CU_ASSERT(near_to(pt_series_acf(x, 900, 0), 1, 1e-15, 1));
}

static void test_autocorrelations_match_their_definitions(void)
{
    on_every_path(correlations);
}

static void ratios(void)
{
    const size_t widths[] = { 2, 3, 5, 10, 64, 600 };
    for (int holes = 0; holes < 2; holes++) {
        make_returns(1800, 2, 0.1, holes);
        if (holes) /* a long stretch without a hole, for the widest sums */
            for (size_t i = 0; i < 900; i++) x[i] = isfinite(x[i]) ? x[i] : 0.001;
        size_t m;
        long double mean = mean_of(1800, &m), one = 0;
        for (size_t i = 0; i < 1800; i++)
            if (isfinite(x[i])) one += (x[i] - mean) * (x[i] - mean);
        for (size_t k = 0; k < 6; k++) {
            size_t q = widths[k], sums = 0;
            long double many = 0, theta = 0, w = (long double)q;
            for (size_t i = q - 1; i < 1800; i++) {
                long double sum = 0;
                for (size_t j = 0; j < q; j++) sum += x[i - j] - mean;
                if (isnan((double)sum)) continue;
                many += sum * sum;
                sums++;
            }
            for (size_t j = 1; j < q; j++) {
                long double delta = 0;
                for (size_t i = j; i < 1800; i++) {
                    if (!isfinite(x[i]) || !isfinite(x[i - j])) continue;
                    long double a = x[i] - mean, b = x[i - j] - mean;
                    delta += a * a * b * b;
                }
                theta += 4 * (w - (long double)j) * (w - (long double)j) / (w * w) *
                         (delta / (one * one));
            }
            long double ratio = many / (w * (long double)sums * (1 - w / (long double)m)) /
                                (one / (long double)(m - 1));
            struct pt_variance_ratio got = pt_series_variance_ratio(x, 1800, q);
            CHECK_NEAR(got.ratio, (double)ratio, 1e-11);
            CU_ASSERT(near_to(got.z, (double)((ratio - 1) / sqrtl(theta)), 1e-10, 1));
        }
    }
}

static void test_variance_ratios_match_lo_and_mackinlay(void)
{
    on_every_path(ratios);
}

static void test_variance_ratios_of_wide_sums(void)
{
    make_returns(N, 3, 0, false);
    struct pt_variance_ratio narrow = pt_series_variance_ratio(x, N, 1024);
    struct pt_variance_ratio wide =
        pt_series_variance_ratio(x, N, 1025); /* another way to the sums */
    CU_ASSERT(isfinite(wide.ratio) && fabs(wide.ratio / narrow.ratio - 1) < 0.05);
}

static void hursts(void)
{
    for (int holes = 0; holes < 2; holes++) {
        make_returns(N, 4, 0.2, holes);
        size_t m, points = 0, last = 0;
        long double mean = mean_of(N, &m), sum = 0, profile[N], px[16], py[16], mx = 0, my = 0,
                    xx = 0, xy = 0;
        for (size_t i = 0, k = 0; i < N; i++)
            if (isfinite(x[i])) profile[k++] = sum += x[i] - mean;
        for (int k = 0; k < 16; k++) {
            double low = log(10), high = log((double)(m / 4));
            size_t size = (size_t)rint(exp(low + (high - low) * k / 15));
            if (size == last) continue;
            last = size;
            long double squares = 0, half = (long double)(size - 1) / 2;
            for (size_t box = 0; box < 2 * (m / size); box++) {
                const long double *y =
                    box % 2 == 0 ? profile + box / 2 * size : profile + m - (box / 2 + 1) * size;
                long double level = 0, ty = 0, tt = 0;
                for (size_t t = 0; t < size; t++) level += y[t] / (long double)size;
                for (size_t t = 0; t < size; t++) {
                    ty += ((long double)t - half) * (y[t] - level);
                    tt += ((long double)t - half) * ((long double)t - half);
                }
                for (size_t t = 0; t < size; t++) {
                    long double e = y[t] - level - ty / tt * ((long double)t - half);
                    squares += e * e;
                }
            }
            px[points] = logl((long double)size);
            py[points++] = logl(squares / (long double)(2 * (m / size) * size)) / 2;
        }
        for (size_t k = 0; k < points; k++)
            mx += px[k] / (long double)points, my += py[k] / (long double)points;
        for (size_t k = 0; k < points; k++)
            xy += (px[k] - mx) * (py[k] - my), xx += (px[k] - mx) * (px[k] - mx);
        CHECK_NEAR(pt_series_hurst(x, N, work), (double)(xy / xx), 1e-11);
    }
}

static void test_hurst_matches_detrended_fluctuation_analysis(void)
{
    on_every_path(hursts);
}

static void test_hurst_finds_what_was_put_in(void)
{
    make_returns(N, 5, 0, false);
    CU_ASSERT(fabs(pt_series_hurst(x, N, work) - 0.5) < 0.08);
    for (size_t i = N - 1; i > 0; i--)
        x[i] -= x[i - 1]; /* white noise taken apart: anti-persistent */
    CU_ASSERT(pt_series_hurst(x, N, work) < 0.2);
    make_returns(N, 6, 0.97, false);
    CU_ASSERT(pt_series_hurst(x, N, work) > 0.9);
}

static void test_half_life_of_a_known_reversion(void)
{
    make_returns(N, 7, 0.9, false);
    double phi = pt_moment_beta(x + 1, x, N - 1, NULL);
    CHECK_NEAR(pt_series_half_life(x, N), -log(2) / log(phi), 1e-14);
    CU_ASSERT(fabs(pt_series_half_life(x, N) - 6.58) < 1.5); /* -ln 2 / ln 0.9 */
    for (size_t i = 0; i < N; i++) x[i] = (i % 2 == 0 ? 1 : -1) * pow(0.999, (double)i);
    CU_ASSERT(isnan(pt_series_half_life(x, N))); /* phi < 0 */
    for (size_t i = 0; i < 200; i++) x[i] = pow(1.01, (double)i);
    CU_ASSERT(isnan(pt_series_half_life(x, 200))); /* phi > 1 */
    CU_ASSERT(isnan(pt_series_half_life(x, 3)) && isnan(pt_series_half_life(x, 0)));
}

static void test_too_little_gives_nothing(void)
{
    double q;
    size_t used = 9;
    make_returns(N, 8, 0, false);
    CU_ASSERT(isnan(pt_series_autocorrelation(x, 5, 5, &used)) && used == 0);
    CU_ASSERT(isnan(pt_series_autocorrelation(x, 3, 2, NULL)) && isnan(pt_series_acf(x, 3, 3)));
    CU_ASSERT(isnan(pt_series_ljung_box_p(x, 10, 10, &q)) && isnan(q) &&
              !isnan(pt_series_ljung_box_p(x, 11, 10, NULL)));
    CU_ASSERT(isnan(pt_series_ljung_box_p(x, 50, 0, NULL)));
    CU_ASSERT(isnan(pt_series_variance_ratio(x, 5, 5).ratio) &&
              !isnan(pt_series_variance_ratio(x, 7, 5).ratio));
    CU_ASSERT(isnan(pt_series_variance_ratio(x, 50, 1).z) &&
              isnan(pt_series_variance_ratio(x, 50, SIZE_MAX).z));
    CU_ASSERT(isnan(pt_series_hurst(x, 99, work)) && !isnan(pt_series_hurst(x, 100, work)));
    for (size_t i = 0; i < N; i++) x[i] = 0.25;
    CU_ASSERT(isnan(pt_series_acf(x, N, 1)) && isnan(pt_series_ljung_box_p(x, N, 10, NULL)));
    CU_ASSERT(isnan(pt_series_variance_ratio(x, N, 2).ratio) && isnan(pt_series_hurst(x, N, work)));
    CU_ASSERT(isnan(pt_series_half_life(x, N)));
    for (size_t i = 0; i < N; i++) x[i] = NAN;
    CU_ASSERT(isnan(pt_series_acf(x, N, 1)) && isnan(pt_series_hurst(x, N, work)) &&
              isnan(pt_series_half_life(x, N)));
}

static void test_matches_statsmodels_and_numpy(void)
{
    const char *columns[] = { "gappy", "log_return" };
    double v[300], want[10], name_got[10], q, p;
    char name[64];
    for (size_t c = 0; c < 2; c++) {
        size_t n = golden("input", columns[c], v, 300) - 1; /* row 0 has no return */
        const double *r = v + 1;
        snprintf(name, sizeof(name), "%s.autocorrelation", columns[c]);
        CU_ASSERT(golden("series", name, want, 10) == 10);
        for (size_t k = 1; k <= 10; k++) name_got[k - 1] = pt_series_autocorrelation(r, n, k, NULL);
        CU_ASSERT(near_all(name, name_got, want, 10, 1e-12, 1));
        snprintf(name, sizeof(name), "%s.acf", columns[c]);
        CU_ASSERT(golden("series", name, want, 10) == 10);
        for (size_t k = 1; k <= 10; k++) name_got[k - 1] = pt_series_acf(r, n, k);
        CU_ASSERT(near_all(name, name_got, want, 10, 1e-12, 1));
        snprintf(name, sizeof(name), "%s.ljung_box", columns[c]);
        CU_ASSERT(golden("series", name, want, 10) == 2);
        p = pt_series_ljung_box_p(r, n, 10, &q);
        CHECK_NEAR(q, want[0], 1e-11);
        CHECK_NEAR(p, want[1], 1e-10);
        snprintf(name, sizeof(name), "%s.variance_ratio", columns[c]);
        CU_ASSERT(golden("series", name, want, 10) == 6);
        const size_t widths[] = { 2, 5, 10 };
        for (size_t k = 0; k < 3; k++) {
            struct pt_variance_ratio ratio = pt_series_variance_ratio(r, n, widths[k]);
            CHECK_NEAR(ratio.ratio, want[2 * k], 1e-11);
            CHECK_NEAR(ratio.z, want[2 * k + 1], 1e-10);
        }
        snprintf(name, sizeof(name), "%s.hurst", columns[c]);
        CU_ASSERT(golden("series", name, want, 10) == 1);
        CHECK_NEAR(pt_series_hurst(r, n, work), want[0], 1e-9);
    }
    CU_ASSERT(golden("series", "half_life", want, 10) == 3);
    size_t n = golden("input", "close", v, 300);
    for (size_t i = 0; i < n; i++) v[i] = log(v[i]);
    CHECK_NEAR(pt_series_half_life(v, n), want[0], 1e-8);
    golden("input", "gappy", v, 300);
    CHECK_NEAR(pt_series_half_life(v, n), want[1], 1e-10);
    golden("input", "other", v, 300);
    CHECK_NEAR(pt_series_half_life(v, n), want[2], 1e-10);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "autocorrelations match their definitions",
          test_autocorrelations_match_their_definitions },
        { "variance ratios match Lo and MacKinlay", test_variance_ratios_match_lo_and_mackinlay },
        { "variance ratios of wide sums", test_variance_ratios_of_wide_sums },
        { "Hurst matches detrended fluctuation analysis",
          test_hurst_matches_detrended_fluctuation_analysis },
        { "Hurst finds what was put in", test_hurst_finds_what_was_put_in },
        { "half-life of a known reversion", test_half_life_of_a_known_reversion },
        { "too little gives nothing", test_too_little_gives_nothing },
        { "matches statsmodels and numpy", test_matches_statsmodels_and_numpy },
        CU_TEST_INFO_NULL,
    };
    return pt_suite_main("series", tests);
}
