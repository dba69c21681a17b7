#include "num/series.h"

#include "num/dist.h"
#include "num/moment.h"
#include "num/roll.h"
#include "num/wide.h"

double pt_series_autocorrelation(const double *x, size_t n, size_t lag, size_t *used)
{
    if (lag >= n) {
        if (used != NULL) *used = 0;
        return NAN;
    }
    return pt_moment_pearson(x + lag, x, n - lag, used);
}

/* Sums about the mean of all, and that mean as a centre; false when there is no spread. */
static bool about_mean(const double *x, size_t n, struct pt_centre *centre, struct pt_powers *sums)
{
    *centre = (struct pt_centre){ pt_first_there(x, n), 0 };
    pt_wide()->powers(x, n, *centre, sums);
    if (sums->count == 0) return false;
    centre->shift = sums->s1 / (double)sums->count;
    pt_wide()->powers(x, n, *centre, sums);
    return sums->s2 > 0;
}

/* Sum over pairs of (x[t] - mean)(x[t-lag] - mean). */
static double lagged(const double *x, size_t n, size_t lag, struct pt_centre mean)
{
    struct pt_cross pairs;
    if (lag >= n) return 0;
    pt_wide()->cross(x + lag, x, n - lag, mean, mean, &pairs);
    return pairs.xy;
}

double pt_series_acf(const double *x, size_t n, size_t lag)
{
    struct pt_centre mean;
    struct pt_powers all;
    if (!about_mean(x, n, &mean, &all) || lag >= n) return NAN;
    return lagged(x, n, lag, mean) / all.s2;
}

double pt_series_ljung_box_p(const double *x, size_t n, size_t lags, double *statistic)
{
    struct pt_centre mean;
    struct pt_powers all;
    double q = NAN;
    if (about_mean(x, n, &mean, &all) && lags >= 1 && all.count > lags) {
        double m = (double)all.count, sum = 0;
        for (size_t k = 1; k <= lags; k++) {
            double rho = lagged(x, n, k, mean) / all.s2;
            sum += rho * rho / (m - (double)k);
        }
        q = m * (m + 2) * sum;
    }
    if (statistic != NULL) *statistic = q;
    return pt_dist_chi2_sf(q, (double)lags);
}

/* Sum of squares of the q-sums of x - mean that are all there, and how many they are. */
static double overlapping(const double *x, size_t n, size_t q, double mean, double *sums_used)
{
    enum { ROWS = 512, ROOM = ROWS + PT_ROLL_NARROW };
    double sums[ROOM], total = 0, count = 0;
    const struct pt_wide *wide = pt_wide();
    struct pt_roll how = { PT_ROLL_SUM, q, q, 0 };
    struct pt_centre centre = { (double)q * mean, 0 };
    struct pt_powers p;
    for (size_t at = q - 1; at < n; at += ROWS) {
        size_t rows = n - at < ROWS ? n - at : ROWS;
        if (q <= PT_ROLL_NARROW) {
            wide->roll(&how, x + at - (q - 1), rows + q - 1, sums);
            wide->powers(sums + q - 1, rows, centre, &p);
        } else {
            for (size_t i = 0; i < rows; i++) {
                size_t there;
                sums[i] = wide->sum(x + at + i - (q - 1), q, &there);
                if (there < q) sums[i] = NAN;
            }
            wide->powers(sums, rows, centre, &p);
        }
        total += p.s2;
        count += (double)p.count;
    }
    *sums_used = count;
    return total;
}

struct pt_variance_ratio pt_series_variance_ratio(const double *x, size_t n, size_t q)
{
    struct pt_variance_ratio result = { NAN, NAN };
    struct pt_centre mean;
    struct pt_powers all;
    if (q < 2 || q > n || !about_mean(x, n, &mean, &all) || all.count <= q) return result;
    double m = (double)all.count, width = (double)q, used;
    double wide_sum = overlapping(x, n, q, mean.at + mean.shift, &used);
    if (used < 2) return result;
    double one = all.s2 / (m - 1);
    double many = wide_sum / (width * used * (1 - width / m));
    double theta = 0;
    for (size_t j = 1; j < q; j++) {
        struct pt_cross pairs;
        pt_wide()->cross(x + j, x, n - j, mean, mean, &pairs);
        double weight = 2 * (width - (double)j) / width;
        theta += weight * weight * (pairs.xxyy / (all.s2 * all.s2));
    }
    result.ratio = many / one;
    result.z = (result.ratio - 1) / sqrt(theta);
    return result;
}

/* Root of the mean, over boxes of `size` from both ends, of the mean squared residual about a line.
 */
static double fluctuation(const double *profile, size_t m, size_t size)
{
    const struct pt_wide *wide = pt_wide();
    size_t boxes = m / size;
    double sum = 0;
    for (size_t k = 0; k < boxes; k++) {
        size_t front = k * size, back = m - front - size;
        sum += wide->box(profile + front, size, m - front);
        sum += wide->box(profile + back, size, m - back);
    }
    return sqrt(sum / (2 * (double)boxes * (double)size));
}

double pt_series_hurst(const double *x, size_t n, double *work)
{
    enum { SIZES = 16, LEAST = 10, ROWS_MIN = 100 };
    struct pt_centre mean;
    struct pt_powers all;
    if (!about_mean(x, n, &mean, &all) || all.count < ROWS_MIN) return NAN;
    size_t m = 0;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (!pt_there(x[i])) continue;
        sum += x[i] - mean.at - mean.shift;
        work[m++] = sum;
    }
    double low = log(LEAST), high = log((double)(m / 4));
    double px[SIZES], py[SIZES];
    size_t points = 0, last = 0;
    for (int k = 0; k < SIZES; k++) {
        size_t size = (size_t)rint(exp(low + (high - low) * k / (SIZES - 1)));
        if (size == last) continue;
        last = size;
        px[points] = log((double)size);
        py[points++] = log(fluctuation(work, m, size));
    }
    return pt_moment_beta(py, px, points, NULL);
}

double pt_series_half_life(const double *x, size_t n)
{
    size_t pairs;
    if (n < 4) return NAN;
    double phi = pt_moment_beta(x + 1, x, n - 1, &pairs);
    return pairs >= 3 && phi > 0 && phi < 1 ? -M_LN2 / log(phi) : NAN;
}
