/* columns.h - the bars of a unit as columns of doubles, loaded when a script asks for them. [layer:
 * bindings]
 *
 * Rows are the closed bars with open time in [from, as_of), oldest first. Column numbers are those
 * of the candles in data/schema.h. Missing values are NaN. All pointers live until the unit ends.
 */
#ifndef PT_COLUMNS_H
#define PT_COLUMNS_H

#include "data/frame.h"

#define PT_COLUMNS_N PT_C_CLOSED /* the columns below it are numbers of a bar */
#define PT_COLUMNS_ALL ((1u << PT_COLUMNS_N) - 2u)

struct pt_columns;

struct pt_signed_trades {
    double buy, sell;   /* base units bought and sold by takers */
    const char *reason; /* NULL, or why there is no answer: "no_trades", "trades_incomplete" */
};

/* Returns of all rows, worked out once for the scripts of a unit. */
enum pt_return { PT_RETURN_LOG, PT_RETURN_SIMPLE };
#define PT_RETURNS_N 2

/* Their memory, used again by the next unit. A zeroed struct is a valid empty one. */
struct pt_returns {
    double *mem[PT_RETURNS_N]; /* owned, [cap]: of the rows before, of and after a window */
    size_t cap;
    bool made[PT_RETURNS_N]; /* of the closes that are in memory now */
};

/* Where they come from. */
struct pt_columns_source {
    /* Makes the columns of mask there (bit c = column c). */
    enum pt_code (*load)(struct pt_columns *columns, uint32_t mask, struct pt_err *err);
    /* Appends the exact rows with open time in [from_us, to_us). */
    enum pt_code (*rows)(struct pt_columns *columns, int64_t from_us, int64_t to_us,
                         struct pt_frame *frame, struct pt_err *err);
    /* The benchmark on the bars of these columns: same rows, NaN where it has none; *aligned NULL
     * when there is no benchmark. */
    enum pt_code (*benchmark)(struct pt_columns *columns, struct pt_columns **aligned,
                              struct pt_err *err);
    enum pt_code (*trades)(struct pt_columns *columns, int64_t from_us, int64_t to_us,
                           struct pt_signed_trades *sums, struct pt_err *err);
    /* Appends the symbol's rows of another kind with time in [from_us, to_us); none is no error. */
    enum pt_code (*others)(struct pt_columns *columns, enum pt_kind_id kind, int64_t from_us,
                           int64_t to_us, struct pt_frame *frame, struct pt_err *err);
};

struct pt_columns {
    const struct pt_columns_source *source;
    char symbol[PT_SYMBOL_MAX];
    int64_t period_us, from_us, as_of_us;
    size_t n;
    /* Rows of the series that stand in memory before and after those of time_us and data, for what
     * is worked out row by row and kept; a script never sees them. */
    size_t before, after;
    const int64_t *time_us;
    const double *data[PT_COLUMNS_N]; /* NULL until loaded */
    uint32_t asked;             /* columns asked for so far: the next unit loads them at once */
    struct pt_returns *returns; /* borrowed; NULL: each script works out its own */
};

/* The column, loaded. NULL with err on failure. */
const double *pt_columns_get(struct pt_columns *columns, unsigned col, struct pt_err *err);
/* Returns of the rows [from, from + n), [n]: the first one and those across a hole are NaN. close:
 * [n] of these rows. */
void pt_columns_returns(const struct pt_columns *columns, enum pt_return which, const double *close,
                        size_t from, size_t n, double *out);
void pt_returns_fini(struct pt_returns *returns); /* leaves an empty one */
/* First row that opens at or after t_us. */
size_t pt_columns_lower(const struct pt_columns *columns, int64_t t_us);
/* Holes in rows [from, from + n), and the bars missing in them. */
void pt_columns_gaps(const struct pt_columns *columns, size_t from, size_t n, size_t *gaps,
                     size_t *missing);

#endif
