/* bench_forest - ms of an isolation forest of 100 trees on 256 rows each, 6 features, one thread.
 *
 *     a line a figure: bench forest NAME n=ROWSx6 petrosa=MS unit=ms
 *
 * The least of some samples, for whatever disturbs one only adds to it. forest.py runs this in turn
 * with scikit-learn on data of the same make. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "num/forest.h"
#include "num/rng.h"

enum { FEATURES = 6, MOST = 100000, SAMPLES = 15 };

struct bench {
    double *cells, *scores, *room;
    const double *columns[FEATURES], *scored[FEATURES];
    size_t rows;
    struct pt_forest forest;
};

static const struct pt_forest_plan plan = { FEATURES, 100, 256, 42 };

static bool make(struct bench *b)
{
    b->cells = calloc((size_t)FEATURES * MOST, sizeof(double));
    b->scores = calloc(MOST, sizeof(double));
    b->room = calloc(pt_forest_room(&plan, MOST), sizeof(double));
    return b->cells != NULL && b->scores != NULL && b->room != NULL;
}

static void fill(struct bench *b, size_t rows)
{
    struct pt_rng rng;
    pt_rng_seed(&rng, 42, rows);
    b->rows = rows;
    for (size_t f = 0; f < FEATURES; f++) {
        b->columns[f] = b->cells + f * MOST;
        b->scored[f] = b->columns[f] + (rows - 1);
        for (size_t i = 0; i < rows; i++) b->cells[f * MOST + i] = pt_rng_normal(&rng);
    }
}

static void fit(struct bench *b)
{
    pt_forest_fit(&b->forest, &plan, b->columns, b->rows, b->room);
}

static void score(struct bench *b)
{
    pt_forest_score(&b->forest, b->columns, b->rows, b->scores);
}

/* The newest row alone, as a scan after each closed bar needs it. */
static void one_row(struct bench *b)
{
    pt_forest_score(&b->forest, b->scored, 1, b->scores);
}

static void measure(const char *name, void (*run)(struct bench *), struct bench *b)
{
    double least = INFINITY;
    for (int s = 0; s < SAMPLES; s++) {
        int64_t start = pt_mono_ns();
        run(b);
        least = fmin(least, (double)(pt_mono_ns() - start) / 1e6);
    }
    printf("bench forest %s n=%zux%d petrosa=%.4f unit=ms\n", name, b->rows, FEATURES, least);
}

int main(void)
{
    static const size_t rows[] = { 168, 2160, MOST };
    struct bench b = { .cells = NULL };
    bool ok = make(&b);
    for (size_t i = 0; ok && i < sizeof rows / sizeof *rows; i++) {
        fill(&b, rows[i]);
        measure("fit", fit, &b);
        measure("score", score, &b);
    }
    if (ok) measure("score_one_row", one_row, &b);
    free(b.cells);
    free(b.scores);
    free(b.room);
    return ok ? 0 : 1;
}
