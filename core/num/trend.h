/* trend.h - indicators on prices.                                              [layer: num]
 *
 * All give a column: out: [n], no overlap with the inputs, NaN until there are enough rows. A row
 * never changes when later rows arrive. Periods and widths >= 1; 0 gives NaN everywhere.
 * Missing inputs (NaN, infinite): the recursive ones (RSI, MACD, true range, ATR, ADX) take the
 * rows in which all inputs are there, in order; the other rows are NaN. Cutler's RSI and the
 * efficiency are missing while such a row is in their window; Donchian follows roll.h, with half of
 * its rows. All recursions start at row 0. Moving averages are in roll.h, rate of change is
 * pt_vec_roc(). */
#ifndef PT_TREND_H
#define PT_TREND_H

#include <stddef.h>

/* Relative strength index, 0 .. 100, from row `period` on (Wilder 1978). No losses: 100; no change
 * at all: 50. Wilder: first averages simple, then recursive. Cutler: simple means of the last
 * `period` changes. */
void pt_trend_rsi(const double *close, size_t n, size_t period, double *out);
void pt_trend_rsi_cutler(const double *close, size_t n, size_t period, double *out);

/* EMA(fast) - EMA(slow); its EMA(signal); their difference. Each EMA is seeded with the mean of its
 * own first values: macd from row max(fast, slow) - 1, signal and histogram from signal - 1 rows
 * later (Appel). signal and histogram may not be NULL. */
void pt_trend_macd(const double *close, size_t n, size_t fast, size_t slow, size_t signal_width,
                   double *macd, double *signal, double *histogram);

/* max(high - low, |high - previous close|, |low - previous close|), from row 1 on (Wilder 1978). */
void pt_trend_true_range(const double *high, const double *low, const double *close, size_t n,
                         double *out);
/* Wilder's mean of it; the first, at row `period`, is the mean of rows 1 .. period. */
void pt_trend_atr(const double *high, const double *low, const double *close, size_t n,
                  size_t period, double *out);
/* Directional movement, 0 .. 100 (Wilder 1978): DI from row `period` (sums of rows 1 .. period),
 * ADX from row 2 period - 1 (mean of the first `period` DX). DX is 0 when both DI are 0. */
void pt_trend_adx(const double *high, const double *low, const double *close, size_t n,
                  size_t period, double *plus_di, double *minus_di, double *adx);

/* Highest high and lowest low of the last `width` rows that are there, this one included
 * (Donchian). */
void pt_trend_donchian(const double *high, const double *low, size_t n, size_t width, double *upper,
                       double *lower);

/* Kaufman 1995: |x[i] - x[i-width]| / sum of the |steps| between, 0 .. 1, from row `width`; NaN
 * when nothing moved. */
void pt_trend_efficiency(const double *x, size_t n, size_t width, double *out);

/* Straight line through (0, y[0]) .. (n-1, y[n-1]) by least squares; missing rows left out. */
struct pt_trend_line {
    double slope;     /* units of y a row; needs 2 rows */
    double intercept; /* at row 0 */
    double slope_t;   /* slope / its standard error; needs 3; NaN when the residuals are 0 within
                         rounding */
    size_t used;      /* rows that were there */
};
struct pt_trend_line pt_trend_fit(const double *y, size_t n);

/* Which of two lines is above: sign of fast - slow, 0 where |fast - slow| <= relative * |scale|
 * (1e-12 and the close in the house's use), NaN where an input is missing. scale: [n]. state: [n].
 */
void pt_trend_side(const double *fast, const double *slow, const double *scale, double relative,
                   size_t n, double *state);
struct pt_trend_cross {
    int state; /* side in the last row: -1, 0, 1 */
    int event; /* 1 or -1 when the last row crossed to that side, else 0 */
    ptrdiff_t
        bars; /* rows since the last cross, 0 when it is the last row; -1 when there was none */
};
/* A cross is a change against the last side that was not 0; missing rows are passed over, but
 * counted in bars. */
struct pt_trend_cross pt_trend_last_cross(const double *state, size_t n);

#endif
