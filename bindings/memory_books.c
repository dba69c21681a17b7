/* memory_books.c - books from plain arrays, for specs without a store.         [layer: bindings] */
#include "bindings/memory_books.h"

#include "base/decimal.h"
#include "store/books.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum pt_code pt_memory_books_init(struct pt_memory_books *self, const char *symbol, size_t n,
                                  struct pt_err *err)
{
    size_t room = n ? n : 1;
    memset(self, 0, sizeof *self);
    self->time_us = calloc(room, sizeof *self->time_us);
    self->bid = calloc(room, sizeof *self->bid);
    self->ask = calloc(room, sizeof *self->ask);
    self->levels = calloc(room, sizeof *self->levels);
    self->books.n = n;
    self->books.as_of_us = PT_MISSING;
    memcpy(self->books.symbol, symbol, strnlen(symbol, PT_SYMBOL_MAX - 1));
    if (self->time_us && self->bid && self->ask && self->levels) return PT_OK;
    pt_memory_books_fini(self);
    return pt_fail(err, PT_ENOMEM, "%zu books of %s", n, symbol);
}

void pt_memory_books_close(struct pt_memory_books *self, int64_t limit_us)
{
    struct pt_books *books = &self->books;
    limit_us = pt_book_limit(limit_us);
    while (books->n > 0 && self->time_us[books->n - 1] > limit_us) books->n--;
    books->time_us = self->time_us;
    books->bid = self->bid;
    books->ask = self->ask;
    if (books->n == 0) return;
    size_t last = books->n - 1;
    books->as_of_us = pt_book_as_of(self->time_us[last]);
    books->from_us = self->time_us[0];
    for (int s = 0; s < 2; s++) {
        size_t n = 0;
        while (n < PT_DEPTH_LEVELS && !isnan(self->levels[last][s][0][n])) n++;
        books->levels[s] = n;
        memcpy(books->price[s], self->levels[last][s][0], n * sizeof(double));
        memcpy(books->quantity[s], self->levels[last][s][1], n * sizeof(double));
    }
}

void pt_memory_books_fini(struct pt_memory_books *self)
{
    free(self->time_us);
    free(self->bid);
    free(self->ask);
    free(self->levels);
    memset(self, 0, sizeof *self);
}
