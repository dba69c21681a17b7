/* near.h - what the kernel suites share: made-up markets, golden columns, comparing doubles. */
#ifndef PT_TEST_NEAR_H
#define PT_TEST_NEAR_H

#include "suite.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "num/path.h"
#include "num/rng.h"

/* Both missing, or |x - y| <= tolerance * max(|y|, scale). */
static inline bool near_to(double x, double y, double tolerance, double scale)
{
    if (isnan(y)) return isnan(x);
    if (isinf(y)) return x == y;
    return fabs(x - y) <= tolerance * fmax(fabs(y), scale);
}

/* Compares whole columns; prints the first row that differs. */
static inline bool near_all(const char *what, const double *x, const double *y, size_t n,
                            double tolerance, double scale)
{
    for (size_t i = 0; i < n; i++) {
        if (near_to(x[i], y[i], tolerance, scale)) continue;
        printf("\n  %s row %zu of %zu: got %.17g, want %.17g\n", what, i, n, x[i], y[i]);
        return false;
    }
    return true;
}

/* The same bits; all NaN are one. */
static inline bool same_bits(const char *what, const double *x, const double *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (memcmp(&x[i], &y[i], sizeof(double)) == 0 || (isnan(x[i]) && isnan(y[i]))) continue;
        printf("\n  %s row %zu of %zu: %.17g and %.17g\n", what, i, n, x[i], y[i]);
        return false;
    }
    return true;
}

#define CHECK_NEAR(x, y, tolerance)                                                                \
    do {                                                                                           \
        double got_ = (x), want_ = (y);                                                            \
        bool near_ = near_to(got_, want_, (tolerance), 1e-300);                                    \
        if (!near_) printf("\n  %s: got %.17g, want %.17g\n", #x, got_, want_);                    \
        CU_ASSERT(near_);                                                                          \
    } while (0)

/* A price walk; with holes, 3 % of the rows are NaN, infinite or minus infinite. */
static inline void make_walk(double *x, size_t n, uint64_t seed, bool holes)
{
    struct pt_rng rng;
    double price = 50000;
    pt_rng_seed(&rng, seed, 0);
    for (size_t i = 0; i < n; i++) {
        price *= exp(0.002 * pt_rng_normal(&rng));
        uint64_t fault = pt_rng_below(&rng, 100);
        x[i] = price;
        if (holes && fault < 3) x[i] = fault == 0 ? NAN : (fault == 1 ? INFINITY : -INFINITY);
    }
}

/* Open, high, low, close of such a walk: bars[0 .. 3][n]. */
static inline void make_bars(double *const bars[4], size_t n, uint64_t seed)
{
    struct pt_rng rng;
    double price = 30000;
    pt_rng_seed(&rng, seed, 1);
    for (size_t i = 0; i < n; i++) {
        bars[0][i] = price * exp(0.0005 * pt_rng_normal(&rng));
        price *= exp(0.004 * pt_rng_normal(&rng));
        bars[3][i] = price;
        bars[1][i] = fmax(bars[0][i], price) * (1 + 0.002 * pt_rng_uniform(&rng));
        bars[2][i] = fmin(bars[0][i], price) * (1 - 0.002 * pt_rng_uniform(&rng));
    }
}

/* Runs `test` on every path that this processor has. */
static inline void on_every_path(void (*test)(void))
{
    int before = pt_num_path();
    for (int path = 0; path < pt_num_paths(); path++)
        if (pt_num_use_path(path)) test();
    pt_num_use_path(before);
}

/* A column of tests/golden/kernels/FILE.txt: how many values, 0 (and a failed test) when it is not
 * there. */
static inline size_t golden(const char *file, const char *name, double *out, size_t room)
{
    const char *root = getenv("PETROSA_SOURCE");
    char path[4096], *line = NULL;
    size_t size = 0, count = 0, length = strlen(name);
    if (root == NULL) root = "."; /* run by hand in the checkout */
    snprintf(path, sizeof(path), "%s/tests/golden/kernels/%s.txt", root, file);
    FILE *in = fopen(path, "r");
    while (in != NULL && count == 0 && getline(&line, &size, in) >= 0) {
        if (strncmp(line, name, length) != 0 || line[length] != ':') continue;
        char *at = line + length + 1, *end;
        for (double v = strtod(at, &end); end != at && count < room; v = strtod(at, &end)) {
            out[count++] = v;
            at = end;
        }
    }
    free(line);
    if (in != NULL) fclose(in);
    if (count == 0) printf("\n  no %s in %s\n", name, path);
    CU_ASSERT_FATAL(count > 0);
    return count;
}

#endif
