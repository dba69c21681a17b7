/* moment.h - sums, moments and correlation of columns.                         [layer: num]
 *
 * x, y: [n]. Missing values (NaN, infinite) are skipped; two columns are used where both are there.
 * NaN comes back when fewer rows are left than the formula needs (said at each), or when it divides
 * by a spread of 0. Whether half of the rows are there is the caller's question: pt_vec_count().
 * Sums: 8 interleaved accumulators over blocks of 512 rows, blocks added with their rounding errors
 * carried: same bits on all machines. Second and higher moments are two-pass about the mean; a flat
 * column has variance exactly 0. Order in time is in series.h, distributions in dist.h. */
#ifndef PT_MOMENT_H
#define PT_MOMENT_H

#include <stddef.h>

double pt_moment_sum(const double *x, size_t n);  /* 0 when nothing is there */
double pt_moment_mean(const double *x, size_t n); /* needs 1 */
/* Sum of squares about the mean / (count - ddof); needs ddof + 1. std is its root. */
double pt_moment_var(const double *x, size_t n, unsigned ddof);
double pt_moment_std(const double *x, size_t n, unsigned ddof);
double pt_moment_min(const double *x, size_t n); /* needs 1 */
double pt_moment_max(const double *x, size_t n);
size_t pt_moment_argmin(const double *x,
                        size_t n); /* index of the first; n when nothing is there */
size_t pt_moment_argmax(const double *x, size_t n);

/* Mean and standard deviation (ddof 1) of all rows but one, for each row; of a missing row missing,
 * and where fewer than 1 (2) others are there. What is left out is never taken away from a sum
 * again (a huge value would leave its rounding behind): sums run up to a row from both sides. They
 * are of distances from centre, any value amid the others (their median), and so lose no digits.
 * mean, std: [n], not x. */
void pt_moment_leave_one_out(const double *x, size_t n, double centre, double *mean, double *std);

/* Skewness G1 (needs 3) and excess kurtosis G2 (needs 4), bias corrected as pandas, SAS, Excel:
 * Joanes & Gill 1998, "Comparing measures of sample skewness and kurtosis". */
double pt_moment_skewness(const double *x, size_t n);
double pt_moment_kurtosis(const double *x, size_t n);
/* Biased: g1 = m3 / m2^1.5, g2 = m4 / m2^2 - 3, as scipy.stats.skew, kurtosis; need 2. */
double pt_moment_skewness_biased(const double *x, size_t n);
double pt_moment_kurtosis_biased(const double *x, size_t n);
/* Jarque-Bera: count / 6 (g1^2 + g2^2 / 4) with biased moments, p from chi-square(2) (Jarque & Bera
 * 1980). statistic may be NULL. Needs 2. */
double pt_moment_jarque_bera_p(const double *x, size_t n, double *statistic);

/* Over pairs; used (may be NULL) gets their number. cov: needs ddof + 1. Pearson: needs 2 and a
 * spread in both; always in -1 .. 1. beta: cov(x, y) / var(y), the slope of x on y; needs 2. */
double pt_moment_cov(const double *x, const double *y, size_t n, unsigned ddof, size_t *used);
double pt_moment_pearson(const double *x, const double *y, size_t n, size_t *used);
double pt_moment_beta(const double *x, const double *y, size_t n, size_t *used);

#endif
