/* range.h - volatility of one bar from its open, high, low and close.          [layer: num]
 *
 * Columns: [n], oldest first; the last `width` rows are used. Results are per bar, not annualised.
 * A row with a missing or non-positive price is skipped; NaN when width < 2, width > n, fewer than
 * half of the rows (pt_roll_half) are left, or the mean under the root is negative. */
#ifndef PT_RANGE_H
#define PT_RANGE_H

#include <stddef.h>
#include <stdint.h>

/* sqrt(mean(ln(H/L)^2) / (4 ln 2)): Parkinson 1980. */
double pt_range_parkinson(const double *high, const double *low, size_t n, size_t width);

/* sqrt(mean(ln(H/L)^2 / 2 - (2 ln 2 - 1) ln(C/O)^2)): Garman & Klass 1980. */
double pt_range_garman_klass(const double *open, const double *high, const double *low,
                             const double *close, size_t n, size_t width);

/* sqrt(mean(ln(H/C) ln(H/O) + ln(L/C) ln(L/O))): Rogers & Satchell 1991. */
double pt_range_rogers_satchell(const double *open, const double *high, const double *low,
                                const double *close, size_t n, size_t width);

/* sqrt(var_o + k var_c + (1 - k) var_rs), var_o of ln(O[i]/C[i-1]) and var_c of ln(C/O) with ddof
 * 1, k = 0.34 / (1.34 + (width + 1) / (width - 1)): Yang & Zhang 2000. ln(O/C before) is missing
 * over a hole in time_us ([n] open times; NULL: none) and for row 0; half of them must be there
 * too. */
double pt_range_yang_zhang(const double *open, const double *high, const double *low,
                           const double *close, const int64_t *time_us, size_t n, int64_t period_us,
                           size_t width);

/* RiskMetrics 1996: v = lambda v + (1 - lambda) r^2, seeded with the mean of the first `seed` r^2
 * that are there, sqrt at the end. r: returns [n]; missing ones are skipped. NaN when fewer than
 * `seed` (>= 1) are there. */
double pt_range_ewma(const double *r, size_t n, double lambda, size_t seed);

/* sqrt(sum min(r, 0)^2 / m), max(r, 0) for upside, m all that are there: down^2 + up^2 = mean r^2.
 * r: returns, [n] all used; NaN when fewer than half of the n are there. */
double pt_range_downside(const double *r, size_t n);
double pt_range_upside(const double *r, size_t n);

#endif
