/* store_columns.h - columns of a unit read from the store.                     [layer: bindings] */
#ifndef PT_STORE_COLUMNS_H
#define PT_STORE_COLUMNS_H

#include "bindings/columns.h"
#include "store/bars.h"

/* Rows stay in memory from unit to unit, and serve as long as no closed bar of their series changes
 * and none comes: windows that begin where the rows before them do are read with some rows more
 * behind their end, which the next windows will look at. A window shows its own rows only. So a
 * replay, whose windows move on by a bar, reads each row a few times and not once a window; returns
 * of the rows are worked out once, too. */
struct pt_store_columns;
struct pt_benchmarks;

/* Rows in memory: the closed bars with open time in [from_us, to_us) of `bars`. */
struct pt_held {
    int64_t period_us; /* 0: nothing */
    int64_t from_us, to_us;
    size_t n;
    uint32_t loaded; /* columns that are there */
};

/* A zeroed struct is a valid empty one. Its memory is used again by the next unit. */
struct pt_store_columns {
    struct pt_columns columns; /* first */
    struct pt_read *read;      /* of the unit */
    struct pt_bars_source bars;
    struct pt_held held;
    size_t at; /* the held row with which the window begins */
    size_t cap;
    int64_t *time_us;          /* owned */
    double *mem[PT_COLUMNS_N]; /* owned, [cap] */
    const char *benchmark;     /* symbol, borrowed; empty = none */
    uint32_t
        benchmark_mask; /* columns of it to load at once when it is asked for; set after open */
    struct pt_benchmarks *benchmarks; /* owned, made when first needed */
    struct pt_store_columns *other;   /* borrowed of them: the benchmark's own bars, or self */
    struct pt_columns aligned;        /* the benchmark on our bars */
    bool same_rows;                   /* it has the same bars: its columns are shown as they are */
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

/* Whether the held rows are of this series, and a window from from_us on begins in them. */
bool pt_store_columns_reach(const struct pt_store_columns *self, int64_t period_us, int64_t from_us,
                            const struct pt_bars_source *now);
/* Bytes of its rows. */
size_t pt_store_columns_bytes(const struct pt_store_columns *self);
/* Memory of one column of `cap` rows, made when first needed; NULL: there is none. */
double *pt_store_columns_mem(double **mem, size_t cap);

/* Parts of it: store_benchmark.c and store_trades.c, as in struct pt_columns_source. */
enum pt_code pt_store_benchmark(struct pt_columns *columns, struct pt_columns **aligned,
                                struct pt_err *err);
void pt_benchmarks_trim(struct pt_benchmarks *list); /* after a unit; accepts NULL */
void pt_benchmarks_free(struct pt_benchmarks *list); /* accepts NULL */
enum pt_code pt_store_trades(struct pt_columns *columns, int64_t from_us, int64_t to_us,
                             struct pt_signed_trades *sums, struct pt_err *err);
enum pt_code pt_store_others(struct pt_columns *columns, enum pt_kind_id kind, int64_t from_us,
                             int64_t to_us, struct pt_frame *frame, struct pt_err *err);

#endif
