/* store_market.h - the market read from the store.                             [layer: bindings] */
#ifndef PT_STORE_MARKET_H
#define PT_STORE_MARKET_H

#include "bindings/market.h"
#include "bindings/store_columns.h"
#include "store/symbols.h"

/* A zeroed struct is a valid empty one. */
struct pt_store_market {
    struct pt_market market; /* first */
    struct pt_read *read;    /* of the unit */
    struct pt_symbols symbols;
    bool lost; /* the record of a series could not be read, so it is not known whose */
    struct pt_store_columns columns; /* of one symbol at a time */
    int64_t derived_us; /* a smaller period that bars were built from; 0: all are stored */
};

/* Which symbols there are, and the newest close of any at or before limit_us (PT_MISSING: none).
 * read is borrowed until pt_store_market_done. */
enum pt_code pt_store_market_find(struct pt_store_market *self, struct pt_read *read,
                                  int64_t period_us, int64_t limit_us, int64_t *close_us,
                                  struct pt_err *err);
/* The window of `rows` bars that ends there, unless it is the one that is there already. benchmark
 * and other: as pt_market_end. A symbol that cannot be read is left out and named; any other
 * failure is returned. */
enum pt_code pt_store_market_open(struct pt_store_market *self, int64_t period_us, int64_t as_of_us,
                                  size_t rows, const char *benchmark, const char *other,
                                  struct pt_err *err);
void pt_store_market_done(struct pt_store_market *self); /* after a unit: gives the memory back */
void pt_store_market_fini(struct pt_store_market *self);

#endif
