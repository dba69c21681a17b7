/* bench_panel - ms of correlation over a panel of 500 series x 2160 rows, on one thread.
 *
 * A line a figure: bench panel NAME n=SERIESxROWS petrosa=MS unit=ms; the least of some samples,
 * for whatever disturbs one only adds to it. panel.py runs this in turn with numpy. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "num/ccf.h"
#include "num/panel.h"
#include "num/rng.h"

enum { SERIES = 500, ROWS = 2160, LAGS = 48, ALL_LAGS = 2 * LAGS + 1 };

struct bench {
    struct pt_panel panel;
    double *cells, *matrix, *work;
    const double *columns[SERIES];
    uint32_t *overlap;
};

static bool make(struct bench *b)
{
    b->cells = calloc((size_t)SERIES * ROWS, sizeof(double));
    b->matrix = calloc((size_t)SERIES * SERIES, sizeof(double));
    b->overlap = calloc((size_t)SERIES * SERIES, sizeof(uint32_t));
    b->work = calloc(pt_ccf_work_len(ROWS, LAGS), sizeof(double));
    for (size_t i = 0; i < SERIES; i++) b->columns[i] = b->cells + i * ROWS;
    b->panel = (struct pt_panel){ b->columns, SERIES, ROWS };
    return b->cells != NULL && b->matrix != NULL && b->overlap != NULL && b->work != NULL;
}

/* Returns with a part in common; `missing` of 100 taken out. */
static void fill(struct bench *b, uint64_t missing)
{
    struct pt_rng rng;
    pt_rng_seed(&rng, 42, missing);
    for (size_t t = 0; t < ROWS; t++) {
        double market = pt_rng_normal(&rng);
        for (size_t i = 0; i < SERIES; i++) {
            b->cells[i * ROWS + t] = 0.01 * (0.6 * market + pt_rng_normal(&rng));
            if (pt_rng_below(&rng, 100) < missing) b->cells[i * ROWS + t] = NAN;
        }
    }
}

static bool pearson(struct bench *b)
{
    return pt_panel_pearson(&b->panel, 20, b->matrix, b->overlap, NULL) == PT_OK;
}

static bool spearman(struct bench *b)
{
    return pt_panel_spearman(&b->panel, 20, b->matrix, b->overlap, NULL) == PT_OK;
}

static bool repair(struct bench *b)
{
    struct pt_panel_spectrum spectrum;
    return pt_panel_repair(b->matrix, SERIES, &spectrum, NULL, NULL) == PT_OK;
}

static bool shrinkage(struct bench *b)
{
    double intensity;
    return pt_panel_ledoit_wolf(&b->panel, &intensity, NULL, NULL, NULL) == PT_OK;
}

/* Each series against the first one, over 97 lags. */
static bool leads(struct bench *b)
{
    static double r[ALL_LAGS];
    static size_t pairs[ALL_LAGS];
    for (size_t i = 0; i < SERIES; i++)
        pt_ccf(b->columns[i], b->columns[0], ROWS, LAGS, 20, b->work, r, pairs);
    return pairs[LAGS] > 0;
}

static bool measure(const char *name, bool (*run)(struct bench *), struct bench *b, int samples)
{
    double least = INFINITY;
    for (int s = 0; s < samples; s++) {
        int64_t start = pt_mono_ns();
        if (!run(b)) return false;
        least = fmin(least, (double)(pt_mono_ns() - start) / 1e6);
    }
    printf("bench panel %s n=%dx%d petrosa=%.3f unit=ms\n", name, SERIES, ROWS, least);
    return true;
}

int main(void)
{
    struct bench b = { .cells = NULL };
    pt_panel_blas_one_thread();
    printf("# OpenBLAS kernel %s\n", pt_panel_blas_core());
    bool ok = make(&b);
    if (ok) fill(&b, 0);
    ok = ok && measure("pearson", pearson, &b, 15) && measure("eigenvalues", repair, &b, 3) &&
         measure("ledoit_wolf", shrinkage, &b, 5) && measure("spearman", spearman, &b, 3) &&
         measure("lead_lag", leads, &b, 3);
    if (ok) fill(&b, 1);
    ok = ok && measure("pearson_1pct_missing", pearson, &b, 15) &&
         measure("lead_lag_1pct_missing", leads, &b, 3);
    if (ok) fill(&b, 50);
    ok = ok && measure("pearson_50pct_missing", pearson, &b, 3);
    free(b.cells);
    free(b.matrix);
    free(b.overlap);
    free(b.work);
    return ok ? 0 : 1;
}
