/* memory_books.h - order books that a test made up.                            [layer: bindings] */
#ifndef PT_MEMORY_BOOKS_H
#define PT_MEMORY_BOOKS_H

#include "bindings/books.h"

/* A zeroed struct is a valid empty one. */
struct pt_memory_books {
    struct pt_books books;                   /* first */
    int64_t *time_us;                        /* owned, [room] */
    double *bid, *ask;                       /* owned, [room]; NaN: a break */
    double (*levels)[2][2][PT_DEPTH_LEVELS]; /* owned, [room]: side, price or quantity; NaN from the
                                                last level on */
};

/* Room for n rows, none of them set. */
enum pt_code pt_memory_books_init(struct pt_memory_books *self, const char *symbol, size_t n,
                                  struct pt_err *err);
/* All rows are set: keeps those at or before limit_us. */
void pt_memory_books_close(struct pt_memory_books *self, int64_t limit_us);
void pt_memory_books_fini(struct pt_memory_books *self);

#endif
