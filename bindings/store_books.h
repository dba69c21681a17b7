/* store_books.h - order books read from the store.                             [layer: bindings] */
#ifndef PT_STORE_BOOKS_H
#define PT_STORE_BOOKS_H

#include "bindings/books.h"
#include "store/store.h"

/* Rows that one span may hold: 32 bytes each. A day at ten a second has 864,000. */
#define PT_BOOKS_ROWS_MAX ((size_t)4 << 20)

/* A zeroed struct is a valid empty one. Its memory is used again by the next unit. */
struct pt_store_books {
    struct pt_books books; /* first */
    size_t cap;
    int64_t *time_us;  /* owned */
    double *bid, *ask; /* owned */
};

/* The books of the span_us that end with the newest row at or before limit_us; books.as_of_us is
 * PT_MISSING when there is none. PT_ERANGE: more rows than PT_BOOKS_ROWS_MAX; or as the store says.
 */
enum pt_code pt_store_books_open(struct pt_store_books *self, struct pt_read *read,
                                 const char *symbol, int64_t limit_us, int64_t span_us,
                                 struct pt_err *err);
/* After a unit: gives back what an unusually long span took. */
void pt_store_books_done(struct pt_store_books *self);
void pt_store_books_fini(struct pt_store_books *self);

#endif
