/* series.h - statistics of order in time.                                      [layer: num]
 *
 * x: [n] on the time grid, one cell a bar, missing (NaN) where there is none: see pt_vec_grid(). A
 * lagged pair counts only when both of its cells are there. NaN when too few are left (said at
 * each). */
#ifndef PT_SERIES_H
#define PT_SERIES_H

#include <stddef.h>

/* Pearson correlation of (x[t], x[t - lag]). Needs 2 pairs and a spread. used (may be NULL): pairs.
 */
double pt_series_autocorrelation(const double *x, size_t n, size_t lag, size_t *used);

/* Biased: sum over pairs (x[t] - m)(x[t-lag] - m) / sum (x - m)^2, m the mean of all (Box &
 * Jenkins). 1 at lag 0. */
double pt_series_acf(const double *x, size_t n, size_t lag);

/* p of no autocorrelation in the lags 1 .. lags: Q = m (m + 2) sum acf_k^2 / (m - k),
 * chi-square(lags), m the values that are there (Ljung & Box 1978). statistic may be NULL. Needs m
 * > lags >= 1. */
double pt_series_ljung_box_p(const double *x, size_t n, size_t lags, double *statistic);

/* Lo & MacKinlay 1988: variance of overlapping q-sums / q times the variance of the returns, both
 * unbiased, and its z under heteroskedasticity (their M_r and z2). x: returns. q-sums only where
 * all q are there. q >= 2. Both NaN when fewer than 2 q-sums, fewer than q + 1 returns, or no
 * spread. */
struct pt_variance_ratio {
    double ratio;
    double z;
};
struct pt_variance_ratio pt_series_variance_ratio(const double *x, size_t n, size_t q);

/* Hurst exponent by detrended fluctuation analysis of order 1 (Peng et al. 1994; Kantelhardt et al.
 * 2001 for the boxes from both ends): 16 box sizes from 10 to a quarter of the rows, spaced evenly
 * in the logarithm. x: returns, missing ones dropped. Needs 100 and a spread. work: [n]. */
double pt_series_hurst(const double *x, size_t n, double *work);

/* Bars until half of a deviation is gone: -ln 2 / ln phi of x[t] = c + phi x[t-1]; NaN unless 0 <
 * phi < 1. x: ln of price. Needs 3 pairs. */
double pt_series_half_life(const double *x, size_t n);

#endif
