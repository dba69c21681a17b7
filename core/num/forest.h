/* forest.h - isolation forest: how few cuts set a row apart from the others.   [layer: num]
 *
 * Liu, Ting & Zhou 2008, "Isolation Forest". A tree cuts a small random sample of the rows in two,
 * at a random place of a random feature, and the halves again, until a row stands alone or the tree
 * is ceil(log2 samples) deep. A row that is like no other is alone after few cuts. A path is the
 * cuts from the root to where a row ends, plus c(k) where k rows of the sample end there together;
 * c(k) = 2 H(k-1) - 2 (k-1) / k is the mean path of k rows, H(i) = 1 + 1/2 + .. + 1/i. The score is
 * 2^-(mean path / c(samples)): 0.5 for what is as near to the others as they are to one another,
 * near 1 for what stands far out.
 *
 * A row counts where all of its features are there (finite). Only comparisons, additions, products
 * and quotients: the same bits on every machine. */
#ifndef PT_FOREST_H
#define PT_FOREST_H

#include <stddef.h>
#include <stdint.h>

#define PT_FOREST_FEATURES_MAX 32
#define PT_FOREST_TREES_MAX 1000
#define PT_FOREST_SAMPLES_MAX 4096

struct pt_forest_plan {
    size_t features; /* 1 .. PT_FOREST_FEATURES_MAX */
    size_t trees;    /* 1 .. PT_FOREST_TREES_MAX */
    size_t samples;  /* rows a tree sees, at most; 2 .. PT_FOREST_SAMPLES_MAX */
    uint64_t seed;   /* tree t draws from stream t of it (rng.h) */
};

/* Valid as long as the room that pt_forest_fit() was given. */
struct pt_forest {
    size_t features, trees;
    size_t used;    /* rows that were there to be fitted on */
    size_t samples; /* rows a tree saw: min(plan, used) */
    size_t levels;  /* cuts a path has at most */
    double scale;   /* c(samples) */
    /* [trees][2^levels]: node 1 is the root, node i has the children 2 i and 2 i + 1 */
    double *cut;
    uint8_t *feature;
    double *path; /* [trees][2^levels]: of the places below the last level */
};

/* Doubles of room that fitting on so many rows takes; rows under 2^32. */
size_t pt_forest_room(const struct pt_forest_plan *plan, size_t rows);

/* Grows the trees: the same rows in the same order, plan and seed give the same forest. x:
 * [features] columns of [rows]. With fewer than 2 rows that are there every score is missing; where
 * no feature varies every score is 0.5, but for the last bits. */
void pt_forest_fit(struct pt_forest *forest, const struct pt_forest_plan *plan,
                   const double *const *x, size_t rows, double *room);

/* The mean path of each row; NaN where a feature is missing. x: [features] columns of [rows]. out:
 * [rows], no overlap. */
void pt_forest_path(const struct pt_forest *forest, const double *const *x, size_t rows,
                    double *out);

/* The score of each row, likewise. */
void pt_forest_score(const struct pt_forest *forest, const double *const *x, size_t rows,
                     double *out);

#endif
