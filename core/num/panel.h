/* panel.h - correlation of many series at once.                                [layer: num]
 *
 * A panel is `series` columns of `rows` values on one time grid: x[i][t] is series i at time t,
 * missing where it is NaN or infinite. Pearson needs a spread in both and `min_overlap` pairs (2 at
 * least); an entry that cannot be had is NaN. Matrices: [series * series], symmetric, row after
 * row.
 *
 * Products are by OpenBLAS: last bits differ between its kernels (pt_panel_blas_core()), not
 * between two runs with one kernel. It must run on one thread; callers say so once, before the
 * first call: pt_panel_blas_check(), pt_panel_blas_one_thread(). The library is opened by the first
 * call that needs it (2.5 ms).
 *
 * Errors, of all that return a code: PT_ENOMEM; PT_EIO when OpenBLAS is not there; PT_ERANGE for
 * more than PT_PANEL_SERIES series or PT_PANEL_ROWS rows. On an error nothing in the outputs can be
 * used. */
#ifndef PT_PANEL_H
#define PT_PANEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define PT_PANEL_SERIES 16384
#define PT_PANEL_ROWS 100000000

/* Borrowed. */
struct pt_panel {
    const double *const *x; /* [series], each [rows] */
    size_t series, rows;
};

/* Pairwise complete: each entry from the rows where both are there, which is what
 * pt_moment_pearson() gives (to 1e-12). The diagonal is 1. overlap (may be NULL): pairs of each
 * entry, [series * series]. One product of the standardised panel serves all pairs; where a series
 * has gaps, the sums of the rows that its gaps take from the others are put right, and an entry
 * whose overlap has under 1/2048 of a series' variation is computed again by itself. */
enum pt_code pt_panel_pearson(const struct pt_panel *panel, size_t min_overlap, double *matrix,
                              uint32_t *overlap, struct pt_err *err);

/* Spearman: Pearson of average ranks, ranked among the rows of each pair (as pandas and scipy). */
enum pt_code pt_panel_spearman(const struct pt_panel *panel, size_t min_overlap, double *matrix,
                               uint32_t *overlap, struct pt_err *err);

/* Mean of the entries above the diagonal that are there; NaN when none is. */
double pt_panel_mean(const double *matrix, size_t series);

/* Eigenvalues of a symmetric matrix that is all there, ascending. vectors (may be NULL): the k-th
 * row belongs to the k-th value, length 1. LAPACK's dsyevd (divide and conquer, Cuppen 1981). */
enum pt_code pt_panel_eigen(const double *matrix, size_t series, double *values, double *vectors,
                            struct pt_err *err);

/* What the eigenvalues say, and the matrix made positive semi-definite where gaps broke that: with
 * an eigenvalue below -1e-10 negative ones become 0 and the diagonal is brought back to 1 (Higham
 * 2002, section 1). Series with missing entries take no part and are not changed: the one with most
 * of them is left out first, until none is missing. kept (may be NULL): the series that take part,
 * [series]. */
struct pt_panel_spectrum {
    size_t kept;
    double lowest;      /* eigenvalue before repair; NaN when nothing is kept */
    double first_share; /* largest eigenvalue after repair / kept */
    bool repaired;
};
enum pt_code pt_panel_repair(double *matrix, size_t series, struct pt_panel_spectrum *out,
                             size_t *kept, struct pt_err *err);

/* Ledoit & Wolf 2004, "A well-conditioned estimator for large-dimensional covariance matrices":
 * shrinkage of the correlation matrix of the rows that are there in all series towards the
 * identity, 0 .. 1, of standardised columns (ddof 0). NaN with fewer than PT_PANEL_LEDOIT_ROWS such
 * rows or a series without spread in them. matrix (may be NULL): the shrunk one, NaN with it.
 * rows_used may be NULL. */
#define PT_PANEL_LEDOIT_ROWS 20
enum pt_code pt_panel_ledoit_wolf(const struct pt_panel *panel, double *intensity,
                                  size_t *rows_used, double *matrix, struct pt_err *err);

/* 95 % interval of a correlation r of n pairs: tanh(atanh r -+ 1.959964 / sqrt(n - 3)), Fisher
 * 1921. Both NaN when n <= 3 or r is missing. */
struct pt_interval {
    double low, high;
};
struct pt_interval pt_panel_fisher(double r, size_t n);

/* How many series rise together. close: a panel of prices, its last row the newest bar. A series
 * counts when it has a price in the last row and `width` prices in all; it is above when its last
 * price is over the mean of its newest `width` prices, and advances or declines against the row
 * before, when that is there. Shares in percent of those that count, NaN when none does. */
struct pt_breadth {
    size_t count, above, advancing, declining;
    double above_pct, advancing_pct;
    double advance_decline; /* advancing - declining; NaN when none counts */
};
struct pt_breadth pt_panel_breadth(const struct pt_panel *close, size_t width);

/* PT_EVERSION when the OpenBLAS that is loaded is built on OpenMP: after threads were used, a
 * forked child never comes back from it. Debian's alternatives can put it in place of the pthread
 * one. */
enum pt_code pt_panel_blas_check(struct pt_err *err);
void pt_panel_blas_one_thread(void);
/* Opens it and takes the memory it works in (128 MiB of address space, little of it touched): what
 * a process does that may open no files later. */
enum pt_code pt_panel_blas_warm(struct pt_err *err);
/* Which kernel it chose for this processor ("Haswell"), part of a result's provenance; static. */
const char *pt_panel_blas_core(void);

#endif
