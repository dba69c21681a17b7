/* smooth.h - a recursive mean over rows that come in chunks.                   [layer: num,
 * internal] y = y + gain (x - y), seeded at the width-th row with the mean of the first `width`. */
#ifndef PT_SMOOTH_H
#define PT_SMOOTH_H

#include <stdbool.h>
#include <stddef.h>

struct pt_smooth {
    double gain, base, sum, y;
    size_t width, seen;
    /* Work on x - (first x of the chunk): a flat column then stays flat to the last bit. Not for
     * values that sink to 0 and must stay exact there (gains, losses, ranges). */
    bool centred;
};

void pt_smooth_init(struct pt_smooth *s, size_t width, double gain, bool centred);

/* 1 to 3 independent columns, [n] each, all there; out[i] is NaN until the seed. out[c] may be
 * x[c]. */
void pt_smooth_run(unsigned columns, struct pt_smooth *const *s, const double *const *x, size_t n,
                   double *const *out);

#endif
