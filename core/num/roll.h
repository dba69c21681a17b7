/* roll.h - statistics of a window that moves along a column.                   [layer: num]
 *
 * out[i] is computed from x[i-width+1 .. i] alone: NaN for i < width - 1 (a window must lie inside)
 * and where fewer than min_count of its values are there; missing ones (NaN, infinite) are skipped,
 * so that one bad value leaves with its window. A row never changes when later rows arrive, bit for
 * bit. x, out: [n], no overlap. width 0 or > n gives NaN everywhere; min_count 0 counts as 1.
 *
 * No running sums: windows are built from smaller ones (a sum of 20 from four of 5), so nothing
 * drifts. width > PT_ROLL_NARROW: running sums in double-double, started again every width rows.
 * Nothing is allocated; up to 160 KB of stack. */
#ifndef PT_ROLL_H
#define PT_ROLL_H

#include <stddef.h>

#define PT_ROLL_NARROW 1024

/* The house rule: at least half of the window, rounded up, and 2 (1 where width is 1). */
static inline size_t pt_roll_half(size_t width)
{
    size_t half = width - width / 2;
    return half < 2 && width >= 2 ? 2 : half;
}

void pt_roll_sum(const double *x, size_t n, size_t width, size_t min_count, double *out);
void pt_roll_mean(const double *x, size_t n, size_t width, size_t min_count, double *out);
/* Sum of squared deviations / (count - ddof); NaN while count <= ddof; exactly 0 for a flat window.
 * Relative error under 2e-12 for any finite input away from overflow: rows that cancel are done
 * again in two passes. */
void pt_roll_var(const double *x, size_t n, size_t width, size_t min_count, unsigned ddof,
                 double *out);
void pt_roll_std(const double *x, size_t n, size_t width, size_t min_count, unsigned ddof,
                 double *out);
void pt_roll_min(const double *x, size_t n, size_t width, size_t min_count, double *out);
void pt_roll_max(const double *x, size_t n, size_t width, size_t min_count, double *out);
/* Linear weights 1 .. width, newest width; the weight of a missing value leaves the divisor too. */
void pt_roll_wma(const double *x, size_t n, size_t width, size_t min_count, double *out);
/* Median (mean of the middle two). work: [width]. O(width) a row. */
void pt_roll_median(const double *x, size_t n, size_t width, size_t min_count, double *work,
                    double *out);

/* Adjusted exponential mean, pandas ewm(span).mean(): sum (1-a)^j x[i-j] / sum (1-a)^j, a = 2 /
 * (span + 1), over all rows up to i that are not missing (a missing row still ages the others). NaN
 * before the first value. span > 1. */
void pt_roll_ewm(const double *x, size_t n, double span, double *out);
/* Its last row; NaN when all are missing. */
double pt_roll_ewm_last(const double *x, size_t n, double span);

/* Recursive: y = y + a (x - y), seeded at the width-th value that is there with the mean of the
 * first `width`; missing rows are NaN and leave the state as it was (the rows present, in order).
 * ema: a = 2 / (width + 1). wilder: a = 1 / width (Wilder 1978, "smoothed" mean). */
void pt_roll_ema(const double *x, size_t n, size_t width, double *out);
void pt_roll_wilder(const double *x, size_t n, size_t width, double *out);

#endif
