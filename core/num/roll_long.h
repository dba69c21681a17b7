/* roll_long.h - windows too wide for wide_roll.h.                              [layer: num,
 * internal] Running sums in double-double, started again every `width` rows about a new centre: 106
 * bits leave nothing to drift, and no memory beside the output is needed. */
#ifndef PT_ROLL_LONG_H
#define PT_ROLL_LONG_H

#include "num/wide.h"

/* As the public functions; 1 <= width <= n. */
void pt_roll_long(const struct pt_roll *how, const double *x, size_t n, double *out);
void pt_roll_long_cutler(const double *x, size_t n, size_t period, double *out);
void pt_roll_long_efficiency(const double *x, size_t n, size_t width, double *out);

#endif
