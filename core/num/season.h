/* season.h - what hours and weekdays have of their own, and how much order is in a series.
 * [layer: num]
 *
 * A missing value is NaN or infinite; NaN comes back when too few values are left (said at each).
 */
#ifndef PT_SEASON_H
#define PT_SEASON_H

#include <stddef.h>

#define PT_GROUPS_MAX 1024

/* Puts x: [n] in order of its keys: [n]. Group g, 0 <= g < groups <= PT_GROUPS_MAX, is then
 * out[start[g] .. start[g+1]), its values in the order in which they were, missing ones too. A
 * value whose key is no such number is left out. out: [n], start: [groups + 1]. */
void pt_season_group(const double *x, const double *keys, size_t n, size_t groups, double *out,
                     size_t *start);

/* Is the mean of x really not 0?  t = mean / sqrt(S / m), S = g_0 + 2 sum over l = 1 .. lag of
 * (1 - l / (lag + 1)) g_l, g_l the sum of the products of deviations l apart / m, over the m values
 * that are there, taken as neighbours (Newey & West 1987, no small-sample factor); p two-sided from
 * the normal distribution. Needs 2 values and a spread. work: [n]. */
struct pt_season_mean {
    double mean; /* needs 1 */
    double t;
    double p;
    size_t used; /* m */
};
struct pt_season_mean pt_season_hac(const double *x, size_t n, size_t lag, double *work);
/* The usual lag: floor(4 (m / 100)^(2/9)) (Newey & West 1994). */
size_t pt_season_hac_lag(size_t m);

/* q values of p: [n]: the least share of false discoveries at which each would be one, q = min over
 * p' >= p of p' m / rank(p') (Benjamini & Hochberg 1995). Missing stays missing and is not counted
 * in m. q, work: [n], no overlap. */
void pt_season_fdr(const double *p, size_t n, double *q, double *work);

/* Shannon entropy, in nats, of a histogram with `bins` equal bins from low to high; values outside
 * count in the bins at the ends. Bin i holds low + i w <= x < low + (i + 1) w, the last one also
 * high, as numpy. 0 when all are in one bin, ln(bins) at most. Needs 1 value, low <= high, and 1 <=
 * bins <= PT_BINS_MAX. */
#define PT_BINS_MAX 1024
double pt_season_entropy(const double *x, size_t n, size_t bins, double low, double high);

/* Bandt & Pompe 2002: entropy of the order in which `order` neighbours stand, / ln(order!), 0..1.
 * x: on the time grid; only windows that are all there count; of equal values the earlier is the
 * lower. Needs 1 window and 2 <= order <= PT_ORDER_MAX. */
#define PT_ORDER_MAX 7
double pt_season_permutation_entropy(const double *x, size_t n, size_t order);

#endif
