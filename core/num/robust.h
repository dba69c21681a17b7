/* robust.h - order statistics.                                                 [layer: num]
 * x: [n], missing values skipped; NaN when nothing is there. work: [n], its content is lost; it may
 * be x itself when x is not needed any more. */
#ifndef PT_ROBUST_H
#define PT_ROBUST_H

#include <stddef.h>

/* The middle one, or the mean of the middle two. */
double pt_robust_median(const double *x, size_t n, double *work);

/* Median of |x - median(x)|, not scaled (times 1.4826 it estimates sigma). median (may be NULL)
 * gets the middle. work must not be x. */
double pt_robust_mad(const double *x, size_t n, double *work, double *median);

/* Mean of |x - centre|. */
double pt_robust_mean_deviation(const double *x, size_t n, double centre);

/* Quantile, linear between ranks (numpy's default, Hyndman & Fan type 7). 0 <= q <= 1, else NaN. */
double pt_robust_quantile(const double *x, size_t n, double q, double *work);

/* The smallest x up to which at least q of all the weight lies. weight: [n]; rows count where both
 * are there and the weight is above 0; NaN when there are none. Exact where the weights are whole
 * numbers that add up to less than 2^53. 0 <= q <= 1, else NaN. */
double pt_robust_weighted_quantile(const double *x, const double *weight, size_t n, double q,
                                   double *work);

/* Share of the values <= value, 0 .. 1; NaN when value is missing. */
double pt_robust_rank(const double *x, size_t n, double value);

/* Sorts n values that are all there, ascending, in place; no recursion, O(n log n) always. */
void pt_robust_sort(double *x, size_t n);

#endif
