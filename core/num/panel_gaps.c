/* What gaps take from the sums of the other series.
 *
 * For each series j with gaps, the rows of a block where it is missing (or, when those are more,
 * the rows where it is there: then what is picked is taken from the whole). Series are laid side by
 * side in slabs of 32, row by row, so that one row of a slab is a few vectors and a slab stays in
 * the second-level cache while all j go over it. */
#include <string.h>

#include "num/panel_impl.h"

enum pt_code pt_gaps_init(struct pt_gaps *gaps, const struct pt_panel *panel,
                          const struct pt_panel_own *own, size_t block, struct pt_err *err)
{
    *gaps = (struct pt_gaps){ .series = panel->series };
    if (block > panel->rows) block = panel->rows;
    gaps->at = pt_panel_room(panel->series, sizeof(*gaps->at));
    if (gaps->at == NULL) goto full;
    for (size_t i = 0; i < panel->series; i++)
        gaps->at[i] = own[i].count < panel->rows ? gaps->gappy++ : SIZE_MAX;
    size_t cells = gaps->gappy * panel->series;
    gaps->sum = calloc(cells, sizeof(*gaps->sum));
    gaps->squares = calloc(cells, sizeof(*gaps->squares));
    gaps->pairs = calloc(cells, sizeof(*gaps->pairs));
    gaps->picks = pt_panel_room(gaps->gappy * (block / 2) + block, sizeof(*gaps->picks));
    gaps->from = pt_panel_room(gaps->gappy + 1, sizeof(*gaps->from));
    gaps->flipped = pt_panel_room(gaps->gappy, sizeof(*gaps->flipped));
    gaps->slab = pt_panel_room(block * PT_SLAB, sizeof(*gaps->slab));
    gaps->there = pt_panel_room(block * PT_SLAB, sizeof(*gaps->there));
    if (gaps->sum != NULL && gaps->squares != NULL && gaps->pairs != NULL && gaps->picks != NULL &&
        gaps->from != NULL && gaps->flipped != NULL && gaps->slab != NULL && gaps->there != NULL)
        return PT_OK;
full:
    return pt_fail(err, PT_ENOMEM, "no room for the gaps of %zu series", panel->series);
}

void pt_gaps_fini(struct pt_gaps *gaps)
{
    free(gaps->at);
    free(gaps->sum);
    free(gaps->squares);
    free(gaps->pairs);
    free(gaps->picks);
    free(gaps->from);
    free(gaps->flipped);
    free(gaps->slab);
    free(gaps->there);
}

void pt_gaps_pick(struct pt_gaps *gaps, size_t j, const double *x, size_t rows)
{
    size_t g = gaps->at[j], count = 0;
    if (g == SIZE_MAX) return;
    if (g == 0) gaps->from[0] = 0;
    uint32_t *to = gaps->picks + gaps->from[g];
    for (size_t t = 0; t < rows; t++) {
        to[count] = (uint32_t)t; /* overwritten by the next one when it is there */
        count += !pt_there(x[t]);
    }
    gaps->flipped[g] = count > rows / 2;
    if (gaps->flipped[g]) {
        count = 0;
        for (size_t t = 0; t < rows; t++) {
            to[count] = (uint32_t)t;
            count += pt_there(x[t]);
        }
    }
    gaps->from[g + 1] = gaps->from[g] + count;
}

/* Rows of the series i, i + 1 .. side by side; behind the last series nothing is there. */
static void fill_slab(struct pt_gaps *gaps, const double *z, size_t stride, size_t i, size_t wide,
                      size_t rows)
{
    enum { STEP = 64 };
    if (wide < PT_SLAB) memset(gaps->slab, 0, rows * PT_SLAB * sizeof(*gaps->slab));
    for (size_t t0 = 0; t0 < rows; t0 += STEP) {
        size_t end = rows - t0 < STEP ? rows : t0 + STEP;
        for (size_t c = 0; c < wide; c++) {
            const double *values = z + (i + c) * stride;
            for (size_t t = t0; t < end; t++) gaps->slab[t * PT_SLAB + c] = values[t];
        }
    }
    memset(gaps->there, 1, rows * PT_SLAB);
    for (size_t c = 0; c < wide; c++) {
        size_t g = gaps->at[i + c];
        if (g == SIZE_MAX) continue;
        for (size_t t = 0; gaps->flipped[g] && t < rows; t++) gaps->there[t * PT_SLAB + c] = 0;
        for (size_t k = gaps->from[g]; k < gaps->from[g + 1]; k++)
            gaps->there[(size_t)gaps->picks[k] * PT_SLAB + c] = gaps->flipped[g];
    }
}

static void sum_all(const struct pt_gaps *gaps, size_t rows, struct pt_picked *all)
{
    *all = (struct pt_picked){ { 0 }, { 0 }, { 0 } };
    for (size_t t = 0; t < rows; t++) {
        for (size_t c = 0; c < PT_SLAB; c++) {
            double v = gaps->slab[t * PT_SLAB + c];
            all->sum[c] += v;
            all->squares[c] += v * v;
            all->pairs[c] += gaps->there[t * PT_SLAB + c];
        }
    }
}

void pt_gaps_add(struct pt_gaps *gaps, const double *z, size_t stride, size_t rows)
{
    bool any_flipped = false;
    struct pt_picked all, some;
    for (size_t g = 0; g < gaps->gappy; g++) any_flipped = any_flipped || gaps->flipped[g];
    for (size_t i = 0; i < gaps->series; i += PT_SLAB) {
        size_t wide = gaps->series - i < PT_SLAB ? gaps->series - i : PT_SLAB;
        fill_slab(gaps, z, stride, i, wide, rows);
        if (any_flipped) sum_all(gaps, rows, &all);
        for (size_t g = 0; g < gaps->gappy; g++) {
            size_t count = gaps->from[g + 1] - gaps->from[g], at = g * gaps->series + i;
            if (count == 0 && !gaps->flipped[g]) continue;
            pt_wide()->picked(gaps->slab, gaps->there, gaps->picks + gaps->from[g], count, &some);
            for (size_t c = 0; gaps->flipped[g] && c < PT_SLAB; c++) {
                some.sum[c] = all.sum[c] - some.sum[c];
                some.squares[c] = all.squares[c] - some.squares[c];
                some.pairs[c] = all.pairs[c] - some.pairs[c];
            }
            for (size_t c = 0; c < wide; c++) {
                gaps->sum[at + c] += some.sum[c];
                gaps->squares[at + c] += some.squares[c];
                gaps->pairs[at + c] += some.pairs[c];
            }
        }
    }
}
