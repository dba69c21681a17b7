/* market.h - the bars of all symbols on one time grid.                         [layer: bindings]
 *
 * `rows` bar times, the last one ending at as_of; what a symbol does not have is NaN. Only symbols
 * with a bar in the window take part, so bars before it change nothing. Columns are loaded when a
 * script asks for them, close with the market itself. The columns are the unit's, as those of a
 * window are, and not within the script's limit: they have one of their own, PT_MARKET_BYTES. All
 * pointers live until the next begin. */
#ifndef PT_BINDINGS_MARKET_H
#define PT_BINDINGS_MARKET_H

#include "bindings/columns.h"

#define PT_MARKET_BYTES ((size_t)512 << 20) /* of all columns together */

struct pt_market;

struct pt_market_source {
    /* Calls pt_market_fill for every symbol. */
    enum pt_code (*load)(struct pt_market *market, unsigned col, struct pt_err *err);
};

/* A zeroed struct is a valid empty one. */
struct pt_market {
    const struct pt_market_source *source;
    int64_t period_us, from_us, as_of_us;
    size_t n, cap, rows;
    char (*symbols)[PT_SYMBOL_MAX]; /* owned, sorted */
    size_t benchmark;               /* which of them */
    size_t bars, gaps,
        missing;      /* bars of all; holes from each one's first bar on, and bars in them */
    size_t open_rows; /* bar times at which any symbol has a bar */
    uint8_t *open;    /* owned, [rows]: those */
    size_t ndamaged;
    char (*damaged)[PT_SYMBOL_MAX]; /* owned: what could not be read and is left out */
    double *data[PT_COLUMNS_N];     /* owned, [n * rows], symbol after symbol; NULL until loaded */
    double *log_returns;            /* owned, likewise: made when first asked for */
    size_t bytes;                   /* of all columns */
};

/* Empties it for a new window. PT_ENOMEM; PT_ERANGE when the window alone is too large. */
enum pt_code pt_market_begin(struct pt_market *market, const struct pt_market_source *source,
                             int64_t period_us, int64_t as_of_us, size_t rows, struct pt_err *err);
/* Adds a symbol (in sorted order) with its closes, when it has a bar in the window. close: [n], at
 * the times time_us, of which those outside the window are left out. */
enum pt_code pt_market_add(struct pt_market *market, const char *symbol, size_t n,
                           const int64_t *time_us, const double *close, struct pt_err *err);
enum pt_code pt_market_damaged(struct pt_market *market, const char *symbol, struct pt_err *err);
/* All are added. The benchmark is the first of these that is in the market; else the
 * first symbol. Texts may be NULL. */
void pt_market_end(struct pt_market *market, const char *benchmark, const char *other);
void pt_market_fini(struct pt_market *market);

/* Values of one more column of symbol i. */
void pt_market_fill(struct pt_market *market, unsigned col, size_t i, size_t n,
                    const int64_t *time_us, const double *values);

/* A column of all symbols, [n * rows]; NULL with err. PT_ERANGE: more than PT_MARKET_BYTES. */
const double *pt_market_get(struct pt_market *market, unsigned col, struct pt_err *err);
/* Log returns of the closes, the first row missing; likewise. */
const double *pt_market_log_returns(struct pt_market *market, struct pt_err *err);
/* SIZE_MAX: it is not in the market. */
size_t pt_market_find(const struct pt_market *market, const char *symbol);

#endif
