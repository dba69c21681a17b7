/* frame.h - rows of one kind, column by column, exact: what decode makes and the store keeps. [layer: data]
 *
 * Column c has n * width values in val[c] (row-major); a missing one is PT_MISSING. A decimal column also
 * has a digits byte per value in dig[c] (decimal.h); the others have dig[c] == NULL.
 * A zeroed struct is not valid: init first. Not thread-safe. */
#ifndef PT_FRAME_H
#define PT_FRAME_H

#include "data/schema.h"

struct pt_frame {
    const struct pt_kind *kind;
    size_t n, cap;               /* rows */
    int64_t *val[PT_COLS_MAX];   /* owned */
    uint8_t *dig[PT_COLS_MAX];   /* owned, NULL unless PT_TYPE_DEC */
};

void pt_frame_init(struct pt_frame *frame, const struct pt_kind *kind); /* allocates nothing */
void pt_frame_fini(struct pt_frame *frame);                             /* accepts an inited one */
void pt_frame_clear(struct pt_frame *frame);                            /* n = 0, memory kept */

/* Room for `rows` rows in all. PT_ENOMEM leaves the frame as it was. */
enum pt_code pt_frame_reserve(struct pt_frame *frame, size_t rows);

/* Appends one row: cells in schema order, widths flattened, [pt_kind_cells()]. dig is read for decimal
 * columns only. PT_ENOMEM leaves the frame unchanged. */
enum pt_code pt_frame_push(struct pt_frame *frame, const int64_t *val, const uint8_t *dig);

/* Appends rows [from, from + rows) of another frame of the same kind. */
enum pt_code pt_frame_append(struct pt_frame *frame, const struct pt_frame *other, size_t from, size_t rows);

/* Sorts by key; of rows with the same key the last pushed one stays. Nothing is allocated when the
 * rows are already in order. */
enum pt_code pt_frame_sort(struct pt_frame *frame);

/* -1, 0, 1: compares row a of x with row b of y by key. */
int pt_frame_cmp(const struct pt_frame *x, size_t a, const struct pt_frame *y, size_t b);
/* First row whose time is >= t_us, in a sorted frame. */
size_t pt_frame_lower(const struct pt_frame *frame, int64_t t_us);
/* True when all cells of the two rows are the same, digits included. */
bool pt_frame_same(const struct pt_frame *x, size_t a, const struct pt_frame *y, size_t b);

/* Values of a column (width 1) as doubles, rows [from, from + n); missing -> NaN. out: [n]. */
void pt_frame_doubles(const struct pt_frame *frame, unsigned col, size_t from, size_t n, double *out);
/* The same for raw storage: val/dig arrays [n]; dig NULL for non-decimal columns. Fast where the digits
 * are all equal. Shared with the store's scan. */
void pt_column_doubles(const int64_t *val, const uint8_t *dig, size_t n, double *out);

/* Checks row i against the rules of the kind: required cells, finite positive prices, quantities >= 0,
 * h >= max(o,c) >= min(o,c) >= l, open time on the grid of period_us (candles).
 * NULL when good, else a static reason word ("ohlc_order", "off_grid", "price_not_positive", ...). */
const char *pt_frame_check(const struct pt_frame *frame, size_t row, int64_t period_us);

#endif
