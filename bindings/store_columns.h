/* store_columns.h - columns of a unit read from the store.                     [layer: bindings] */
#ifndef PT_STORE_COLUMNS_H
#define PT_STORE_COLUMNS_H

#include "bindings/columns.h"
#include "store/bars.h"

/* The benchmark's own bars stay from unit to unit, a few windows of them, as long as their series
 * is the same version: all symbols of a period look at the same ones. */
struct pt_store_columns;
struct pt_benchmarks;

/* A zeroed struct is a valid empty one. Its memory is used again by the next unit. */
struct pt_store_columns {
    struct pt_columns columns; /* first */
    struct pt_read *read;      /* of the unit */
    struct pt_bars_source bars;
    size_t cap;
    int64_t *time_us;          /* owned */
    double *mem[PT_COLUMNS_N]; /* owned, [cap] */
    const char *benchmark;     /* symbol, borrowed; empty = none */
    uint32_t
        benchmark_mask; /* columns of it to load at once when it is asked for; set after open */
    struct pt_benchmarks *benchmarks; /* owned, made when first needed */
    struct pt_store_columns *other;   /* borrowed of them: the benchmark's own bars, or self */
    struct pt_columns aligned;        /* the benchmark on our bars */
    double *aligned_mem[PT_COLUMNS_N];
    size_t aligned_cap;
    struct pt_returns returns;
};

/* The bars of [from_us, as_of_us); mask: columns to load at once, others come when asked for. read
 * is borrowed until the next open or fini. */
enum pt_code pt_store_columns_open(struct pt_store_columns *self, struct pt_read *read,
                                   const char *symbol, int64_t period_us, int64_t from_us,
                                   int64_t as_of_us, const char *benchmark, uint32_t mask,
                                   struct pt_err *err);
/* After a unit: gives back what an unusually long window took. */
void pt_store_columns_done(struct pt_store_columns *self);
void pt_store_columns_fini(struct pt_store_columns *self);

#endif
