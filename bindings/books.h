/* books.h - the order books of a span, and the newest one with its levels.     [layer: bindings]
 *
 * Rows are the stored depth rows with time in [from, as_of], oldest first: books, and breaks, from
 * which on no valid book is known (data/book.h). A book is known from its time to that of the next
 * row, for at most PT_BOOK_STANDS_US: a feed that has ended says nothing about later. The newest
 * one ends with as_of. All pointers live until the unit ends. */
#ifndef PT_BINDINGS_BOOKS_H
#define PT_BINDINGS_BOOKS_H

#include "bindings/columns.h"

#define PT_BOOK_STANDS_US INT64_C(60000000)

struct pt_books {
    char symbol[PT_SYMBOL_MAX];
    int64_t from_us,
        as_of_us; /* as_of_us: whole ms (store/books.h); PT_MISSING: there is no book */
    size_t n;
    const int64_t *time_us;  /* [n] */
    const double *bid, *ask; /* [n] best prices, quote units; NaN in the row of a break */
    /* the newest row: bids, asks, best level first; no levels: it is a break */
    size_t levels[2];
    double price[2][PT_DEPTH_LEVELS], quantity[2][PT_DEPTH_LEVELS];
};

/* First row at or after t_us. */
size_t pt_books_lower(const struct pt_books *books, int64_t t_us);
/* How long each of the rows [from, n) was known, at most most_us; 0 for a break. us, whole numbers,
 * so that sums of them are exact. out: [n - from]. */
void pt_books_stood(const struct pt_books *books, size_t from, int64_t most_us, double *out);
/* Share of the span_us before as_of during which a valid book was known, by the rows [from, n):
 * 0 .. 100. breaks: how many of them are one. */
double pt_books_known(const struct pt_books *books, size_t from, int64_t span_us, size_t *breaks);

/* Columns without a bar, for a script that needs no candles; asking for one says so. */
void pt_columns_none(struct pt_columns *columns, const char *symbol, int64_t period_us,
                     int64_t as_of_us);

#endif
