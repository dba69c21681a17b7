/* vec.h - arithmetic on whole columns.                                         [layer: num]
 *
 * Rule for all kernels of core/num: a value is missing when it is NaN or infinite. Here, element by
 * element, NaN in gives NaN out and the rest is IEEE (1/0 is infinite, log of a negative is NaN);
 * what comes out infinite is missing to every kernel that reads it. Lengths are in elements, n = 0
 * is fine. Element-wise functions allow out == an input, but no other overlap. Nothing allocates or
 * fails. log, exp and pow are libm's. */
#ifndef PT_VEC_H
#define PT_VEC_H

#include <stddef.h>
#include <stdint.h>

/* a, b, out: [n]. min and max of two: NaN when either is NaN. */
void pt_vec_add(const double *a, const double *b, size_t n, double *out);
void pt_vec_sub(const double *a, const double *b, size_t n, double *out);
void pt_vec_mul(const double *a, const double *b, size_t n, double *out);
void pt_vec_div(const double *a, const double *b, size_t n, double *out);
void pt_vec_min(const double *a, const double *b, size_t n, double *out);
void pt_vec_max(const double *a, const double *b, size_t n, double *out);

/* Column and scalar: a + s, a - s, s - a, a * s, a / s, s / a. */
void pt_vec_add_by(const double *a, double s, size_t n, double *out);
void pt_vec_sub_by(const double *a, double s, size_t n, double *out);
void pt_vec_sub_from(const double *a, double s, size_t n, double *out);
void pt_vec_mul_by(const double *a, double s, size_t n, double *out);
void pt_vec_div_by(const double *a, double s, size_t n, double *out);
void pt_vec_div_into(const double *a, double s, size_t n, double *out);

/* One column. sign: -1, 0, 1. log is the natural one. */
void pt_vec_neg(const double *a, size_t n, double *out);
void pt_vec_abs(const double *a, size_t n, double *out);
void pt_vec_sign(const double *a, size_t n, double *out);
void pt_vec_log(const double *a, size_t n, double *out);
void pt_vec_exp(const double *a, size_t n, double *out);
void pt_vec_sqrt(const double *a, size_t n, double *out);
void pt_vec_square(const double *a, size_t n, double *out);
void pt_vec_pow(const double *a, double exponent, size_t n, double *out);
/* Into [low, high]; NaN stays NaN. */
void pt_vec_clip(const double *a, double low, double high, size_t n, double *out);

/* Masks: 1 where it holds, 0 where not, NaN where an operand is NaN: their mean is a share of what
 * is there. */
enum pt_compare { PT_LT, PT_LE, PT_GT, PT_GE, PT_EQ, PT_NE };
void pt_vec_compare(const double *a, enum pt_compare how, const double *b, size_t n, double *out);
void pt_vec_compare_by(const double *a, enum pt_compare how, double s, size_t n, double *out);
/* mask != 0 ? a : b; NaN where the mask is NaN. */
void pt_vec_where(const double *mask, const double *a, const double *b, size_t n, double *out);

/* out[i] = a[i - lag], missing where that is outside; lag may be negative. No overlap. */
void pt_vec_shift(const double *a, ptrdiff_t lag, size_t n, double *out);
/* out[i] = a[i] - a[i - lag]; the first `lag` are missing. No overlap. */
void pt_vec_diff(const double *a, size_t lag, size_t n, double *out);
/* out[i] = 100 (a[i] / a[i - lag] - 1), percent; the first `lag` are missing. No overlap. */
void pt_vec_roc(const double *a, size_t lag, size_t n, double *out);
/* Running sum; a missing value adds nothing and is NaN in its own row (as pandas). out == a is
 * fine. */
void pt_vec_cumsum(const double *a, size_t n, double *out);

/* Missing values replaced: by a value; by the last one that was there (leading ones stay missing).
 */
void pt_vec_fill(const double *a, double value, size_t n, double *out);
void pt_vec_fill_forward(const double *a, size_t n, double *out);
/* How many are not missing. */
size_t pt_vec_count(const double *a, size_t n);
/* Copies those that are not missing, in order; returns how many. out: [n], out == a is fine. */
size_t pt_vec_compact(const double *a, size_t n, double *out);

/* Sum of a[i] b[i] over the rows where both are there (same order of additions as pt_moment_sum).
 */
double pt_vec_dot(const double *a, const double *b, size_t n);

/* Returns between neighbours exactly period_us apart; over a gap, and in row 0, missing (a gap
 * makes one missing return, never a big one). time_us: [n] open times, ascending; NULL: every
 * neighbour counts. log: ln(c[i] / c[i-1]); simple: c[i] / c[i-1] - 1. close <= 0 is missing. No
 * overlap. */
void pt_vec_log_return(const double *close, const int64_t *time_us, size_t n, int64_t period_us,
                       double *out);
void pt_vec_simple_return(const double *close, const int64_t *time_us, size_t n, int64_t period_us,
                          double *out);

/* Rows on the time grid, for lagged statistics: cells = (time_us[n-1] - time_us[0]) / period_us +
 * 1, cell j is the row with time_us[0] + j * period_us, missing where there is none. 0 when n = 0.
 * time_us ascending, whole periods apart (a row off the grid goes to the cell before it). period_us
 * > 0. */
size_t pt_vec_grid_cells(const int64_t *time_us, size_t n, int64_t period_us);
/* out: [pt_vec_grid_cells()]. No overlap. */
void pt_vec_grid(const double *a, const int64_t *time_us, size_t n, int64_t period_us, double *out);

#endif
