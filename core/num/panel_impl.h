/* panel_impl.h - what the files of the panel share.                      [layer: num, internal] */
#ifndef PT_PANEL_IMPL_H
#define PT_PANEL_IMPL_H

#include <stdlib.h>

#include "num/panel.h"
#include "num/wide.h"

/* Of a series by itself, over the rows where it is there. */
struct pt_panel_own {
    struct pt_centre mean;
    double scale; /* (x - mean) * scale has sum of squares 1; 0 without a spread */
    size_t count;
};
void pt_panel_own(const double *x, size_t rows, struct pt_panel_own *own);

/* Adds products of standardised rows over the panel's rows to the upper triangle of matrix, which
 * is set to 0 first. gaps may be NULL. */
struct pt_gaps;
enum pt_code pt_panel_product(const struct pt_panel *panel, const struct pt_panel_own *own,
                              double *matrix, struct pt_gaps *gaps, struct pt_err *err);

/* What each series loses where another one has gaps: for a series j with gaps and any series i,
 * sum, sum of squares and count of i's standardised values in the rows where j is missing. */
struct pt_gaps {
    size_t gappy;          /* series with gaps */
    size_t series;         /* all */
    size_t *at;            /* [series]: its place among those with gaps, SIZE_MAX: it has none */
    double *sum, *squares; /* [gappy * series] */
    uint32_t *pairs;
    uint32_t *picks; /* a block's rows in which each is missing (or there, the fewer) */
    size_t *from;    /* [gappy + 1]: into picks */
    bool *flipped;   /* [gappy]: picks are those that are there */
    double *slab;
    uint8_t *there;
};
enum pt_code pt_gaps_init(struct pt_gaps *gaps, const struct pt_panel *panel,
                          const struct pt_panel_own *own, size_t block, struct pt_err *err);
void pt_gaps_fini(struct pt_gaps *gaps);
/* For a block of rows: what is missing in each series, x: its [rows], in the order of the series;
 * then their standardised values, series by series, `stride` apart. */
void pt_gaps_pick(struct pt_gaps *gaps, size_t series, const double *x, size_t rows);
void pt_gaps_add(struct pt_gaps *gaps, const double *z, size_t stride, size_t rows);

/* Sums over the pairs of two columns that were standardised by themselves. */
struct pt_pair {
    double n, x, y, xx, yy, xy;
};
/* False when the pairs have so little of a column's variation that the sums are mostly rounding: 11
 * bits lost leave 1e-12. n > 0. */
static inline bool pt_pair_correlation(const struct pt_pair *p, double *r)
{
    double vx = p->xx - p->x * p->x / p->n, vy = p->yy - p->y * p->y / p->n;
    if (!(vx * 2048 > 1 && vy * 2048 > 1)) return false;
    *r = (p->xy - p->x * p->y / p->n) / sqrt(vx * vy);
    *r = *r > 1 ? 1 : (*r < -1 ? -1 : *r);
    return true;
}

/* [count] of size bytes each, 64-byte aligned, NULL when there is no room; freed by free(). */
static inline void *pt_panel_room(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - 63) return NULL;
    return aligned_alloc(64, bytes == 0 ? 64 : (bytes + 63) & ~(size_t)63);
}

enum pt_code pt_panel_limits(const struct pt_panel *panel, struct pt_err *err);

#endif
