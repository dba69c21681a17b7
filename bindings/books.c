/* books.c - what does not depend on where books come from.                     [layer: bindings] */
#include "bindings/books.h"

#include <math.h>
#include <string.h>

size_t pt_books_lower(const struct pt_books *books, int64_t t_us)
{
    size_t low = 0, high = books->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (books->time_us[middle] < t_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int64_t stood(const struct pt_books *books, size_t i, int64_t most_us)
{
    if (isnan(books->bid[i])) return 0;
    int64_t end_us = i + 1 < books->n ? books->time_us[i + 1] : books->as_of_us;
    int64_t us = end_us - books->time_us[i];
    return us < most_us ? us : most_us;
}

void pt_books_stood(const struct pt_books *books, size_t from, int64_t most_us, double *out)
{
    for (size_t i = from; i < books->n; i++) out[i - from] = (double)stood(books, i, most_us);
}

double pt_books_known(const struct pt_books *books, size_t from, int64_t span_us, size_t *breaks)
{
    int64_t known_us = 0;
    *breaks = 0;
    for (size_t i = from; i < books->n; i++) {
        known_us += stood(books, i, PT_BOOK_STANDS_US);
        *breaks += isnan(books->bid[i]) != 0;
    }
    return 100 * (double)known_us / (double)span_us;
}

/* ---- no bars ---- */

static enum pt_code not_declared(const struct pt_columns *columns, struct pt_err *err)
{
    return pt_fail(err, PT_EINVAL,
                   "%s: candles are not declared: needs = { candles = { span = ... } }",
                   columns->symbol);
}

static enum pt_code no_load(struct pt_columns *columns, uint32_t mask, struct pt_err *err)
{
    (void)mask;
    return not_declared(columns, err);
}

static enum pt_code no_rows(struct pt_columns *columns, int64_t from_us, int64_t to_us,
                            struct pt_frame *frame, struct pt_err *err)
{
    (void)from_us, (void)to_us, (void)frame;
    return not_declared(columns, err);
}

void pt_columns_none(struct pt_columns *columns, const char *symbol, int64_t period_us,
                     int64_t as_of_us)
{
    /* the others are asked for only where they are declared, with candles */
    static const struct pt_columns_source none = { no_load, no_rows, NULL, NULL, NULL };
    *columns = (struct pt_columns){
        .source = &none, .period_us = period_us, .from_us = as_of_us, .as_of_us = as_of_us
    };
    memcpy(columns->symbol, symbol, strnlen(symbol, PT_SYMBOL_MAX - 1));
}
