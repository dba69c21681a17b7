/* rank.h - ranks, and their correlation.                                       [layer: num]
 * x, y: [n]; missing values (NaN, infinite) have no rank. n under 2^32. Ties share the mean of
 * their ranks. */
#ifndef PT_RANK_H
#define PT_RANK_H

#include <stddef.h>
#include <stdint.h>

/* Room to sort in. */
struct pt_rank_key {
    uint64_t key;
    uint32_t row;
};

/* The rows that are there by ascending value, equal ones in their order; returns how many. work:
 * [2 * n]. order: [n]. O(n), the same for any input. */
size_t pt_rank_order(const double *x, size_t n, struct pt_rank_key *work, uint32_t *order);

/* Ranks 1 .. count from such an order (of count rows); NaN where x is missing. out: [n], no
 * overlap.
 */
void pt_rank_average(const double *x, size_t n, const uint32_t *order, size_t count, double *out);

/* Spearman over the rows where both are there, ranked among those (as scipy and pandas), from the
 * orders of the whole columns. ranks: [n], work. Needs 2 pairs and a spread, else NaN. Exact sums
 * up to 200,000 pairs. used (may be NULL): pairs. */
struct pt_ranked {
    const double *x;
    const uint32_t *order;
    size_t count;
};
double pt_rank_spearman(const struct pt_ranked *x, const struct pt_ranked *y, double *ranks,
                        size_t *used);

#endif
