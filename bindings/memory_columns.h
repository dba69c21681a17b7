/* memory_columns.h - columns of a unit that a test made up.                    [layer: bindings] */
#ifndef PT_MEMORY_COLUMNS_H
#define PT_MEMORY_COLUMNS_H

#include "bindings/columns.h"

/* A zeroed struct is a valid empty one. */
struct pt_memory_columns {
    struct pt_columns columns;       /* first; data of all columns is there */
    int64_t *time_us;                /* owned */
    double *mem[PT_COLUMNS_N];       /* owned */
    struct pt_memory_columns *other; /* owned: the benchmark, moved to our rows; NULL = none */
    bool has_trades;
    struct pt_signed_trades trades;
    struct pt_frame *others[PT_KINDS]; /* owned: rows of other kinds, sorted; NULL = none */
};

/* Room for n rows, all values missing, times not set. */
enum pt_code pt_memory_columns_init(struct pt_memory_columns *self, const char *symbol,
                                    int64_t period_us, size_t n, struct pt_err *err);
/* Takes over a benchmark with rows of its own (emptied for the caller) and moves it to our rows. */
enum pt_code pt_memory_columns_benchmark(struct pt_memory_columns *self,
                                         struct pt_memory_columns *benchmark, struct pt_err *err);
/* One more row of another kind, later than those before it: its cells as doubles in the order of
 * the schema, [pt_kind_cells()], NaN is missing, times in us. PT_ERANGE: no exact decimal. */
enum pt_code pt_memory_columns_other(struct pt_memory_columns *self, enum pt_kind_id kind,
                                     const double *cells, struct pt_err *err);
/* Frees the rows of other kinds alone. */
void pt_memory_columns_others_fini(struct pt_memory_columns *self);
void pt_memory_columns_fini(struct pt_memory_columns *self);

#endif
