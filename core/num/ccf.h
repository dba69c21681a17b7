/* ccf.h - which of two series moves first.                                     [layer: num]
 * x, y: [n] on one time grid, missing (NaN, infinite) where there is nothing. */
#ifndef PT_CCF_H
#define PT_CCF_H

#include <stddef.h>
#include <stdint.h>

/* Takes a series' own memory out of it: out[t] = (x[t] - m) - phi (x[t-1] - m), m its mean, phi its
 * biased autocorrelation at lag 1 (pt_series_acf); without this, two series that each remember
 * themselves seem to follow one another (Box & Jenkins, chapter 12). Missing where either is, and
 * in row 0. Returns phi; NaN, and nothing is there, when x has no spread. out: [n], no overlap. */
double pt_ccf_prewhiten(const double *x, size_t n, double *out);

/* Pearson correlation of (y[t], x[t - lag]) over the pairs of each lag -lags .. lags, at
 * r[lags + lag]; positive lags: y follows x. NaN where fewer than min_pairs (2 at least) pairs are
 * there, or no spread. r, pairs: [2 * lags + 1]. work: [pt_ccf_work_len()]. Relative error as
 * pt_panel_pearson(). */
size_t pt_ccf_work_len(size_t n, size_t lags);
void pt_ccf(const double *y, const double *x, size_t n, size_t lags, size_t min_pairs, double *work,
            double *r, size_t *pairs);

/* The lag with the largest |r|, the one nearer to 0 among equals (then the positive one), and what
 * |r| must exceed there to mean anything: the two-sided normal quantile of `level` shared by all
 * lags (Bonferroni), / sqrt(pairs). All NaN and lag 0 when no r is there. */
struct pt_ccf_peak {
    ptrdiff_t lag;
    double r, bound;
    size_t pairs;
};
struct pt_ccf_peak pt_ccf_peak(const double *r, const size_t *pairs, size_t lags, double level);

#endif
