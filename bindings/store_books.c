/* store_books.c - the stored books of a span.                                  [layer: bindings] */
#include "bindings/store_books.h"

#include "base/decimal.h"
#include "store/books.h"

#include <stdlib.h>
#include <string.h>

#define KEEP_ROWS ((size_t)1 << 17)

static void free_rows(struct pt_store_books *self)
{
    free(self->time_us);
    free(self->bid);
    free(self->ask);
    self->time_us = NULL;
    self->bid = self->ask = NULL;
    self->cap = 0;
}

void pt_store_books_fini(struct pt_store_books *self)
{
    free_rows(self);
    memset(self, 0, sizeof *self);
}

void pt_store_books_done(struct pt_store_books *self)
{
    if (self->cap > KEEP_ROWS) free_rows(self);
    self->books = (struct pt_books){ .as_of_us = PT_MISSING };
}

static bool reserve(struct pt_store_books *self, size_t rows)
{
    if (rows <= self->cap) return true;
    free_rows(self);
    self->time_us = malloc(rows * sizeof *self->time_us);
    self->bid = malloc(rows * sizeof *self->bid);
    self->ask = malloc(rows * sizeof *self->ask);
    if (!self->time_us || !self->bid || !self->ask) return false;
    self->cap = rows;
    return true;
}

static bool take_rows(void *arg, size_t n, const int64_t *time_us, const double *const *cols)
{
    struct pt_store_books *self = arg;
    size_t at = self->books.n;
    if (n > self->cap - at) return false; /* seen by the count */
    for (size_t i = 0; i < n; i++) {
        self->time_us[at + i] = time_us[i];
        self->bid[at + i] = cols[0][i * PT_DEPTH_LEVELS];
        self->ask[at + i] = cols[1][i * PT_DEPTH_LEVELS];
    }
    self->books.n += n;
    return true;
}

static void take_levels(struct pt_books *books, const struct pt_frame *row)
{
    static const unsigned price[] = { PT_D_BID_PRICE, PT_D_ASK_PRICE };
    for (unsigned s = 0; s < 2; s++) {
        size_t n = 0;
        while (n < PT_DEPTH_LEVELS && row->val[price[s]][n] != PT_MISSING) n++;
        books->levels[s] = n;
        for (size_t i = 0; i < n; i++) {
            books->price[s][i] = pt_dec_double(row->val[price[s]][i], row->dig[price[s]][i]);
            books->quantity[s][i] =
                pt_dec_double(row->val[price[s] + 1][i], row->dig[price[s] + 1][i]);
        }
    }
}

enum pt_code pt_store_books_open(struct pt_store_books *self, struct pt_read *read,
                                 const char *symbol, int64_t limit_us, int64_t span_us,
                                 struct pt_err *err)
{
    static const unsigned cols[] = { PT_D_BID_PRICE, PT_D_ASK_PRICE };
    struct pt_books *books = &self->books;
    struct pt_series_key key = { .kind = PT_DEPTH };
    struct pt_frame newest;
    uint64_t rows = 0;
    *books = (struct pt_books){ .as_of_us = PT_MISSING };
    memcpy(books->symbol, symbol, strnlen(symbol, PT_SYMBOL_MAX - 1));
    memcpy(key.symbol, books->symbol, sizeof key.symbol);
    enum pt_code rc = pt_books_last(read, symbol, limit_us, &books->as_of_us, err);
    if (rc != PT_OK || books->as_of_us == PT_MISSING) return rc;
    books->from_us = books->as_of_us - span_us;
    int64_t end_us = books->as_of_us + 1;
    pt_frame_init(&newest, pt_kind(PT_DEPTH));
    rc = pt_series_count(read, &key, books->from_us, end_us, &rows, err);
    if (rc == PT_OK && rows > PT_BOOKS_ROWS_MAX)
        rc = pt_fail(err, PT_ERANGE,
                     "%s: the span holds %llu books, at most %zu are read: ask for less",
                     books->symbol, (unsigned long long)rows, PT_BOOKS_ROWS_MAX);
    if (rc == PT_OK && !reserve(self, (size_t)rows))
        rc = pt_fail(err, PT_ENOMEM, "%llu books of %s", (unsigned long long)rows, books->symbol);
    if (rc == PT_OK)
        rc = pt_series_scan(read, &key, books->from_us, end_us, cols, 2, take_rows, self, err);
    if (rc == PT_OK && books->n != rows)
        rc = pt_fail(err, PT_EDAMAGE, "%s: the series of books holds other rows than it counts",
                     books->symbol);
    if (rc == PT_OK)
        rc = pt_series_page(read, &key, books->from_us, end_us, 0, 1, true, &newest, err);
    if (rc == PT_OK && newest.n == 1) take_levels(books, &newest);
    books->time_us = self->time_us;
    books->bid = self->bid;
    books->ask = self->ask;
    if (rc != PT_OK) books->n = 0;
    pt_frame_fini(&newest);
    return rc;
}
