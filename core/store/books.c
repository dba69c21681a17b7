/* books.c - the newest order book of a symbol.                                 [layer: store] */
#include "store/books.h"

#include "base/decimal.h"

#include <string.h>

#define MS INT64_C(1000)

int64_t pt_book_limit(int64_t asked_us)
{
    int64_t behind = asked_us % MS;
    return asked_us - (behind < 0 ? behind + MS : behind);
}

int64_t pt_book_as_of(int64_t book_us)
{
    return pt_book_limit(book_us + MS - 1);
}

enum pt_code pt_books_last(struct pt_read *read, const char *symbol, int64_t limit_us,
                           int64_t *as_of_us, struct pt_err *err)
{
    struct pt_series_key key = { .kind = PT_DEPTH };
    struct pt_series series;
    struct pt_frame row;
    *as_of_us = PT_MISSING;
    limit_us = pt_book_limit(limit_us);
    memcpy(key.symbol, symbol, strnlen(symbol, sizeof key.symbol - 1));
    enum pt_code rc = pt_series_find(read, &key, &series, err);
    if (rc == PT_ENOENT) return PT_OK;
    if (rc != PT_OK || series.rows == 0 || series.first_us > limit_us) return rc;
    if (series.last_us <= limit_us) {
        *as_of_us = pt_book_as_of(series.last_us);
        return PT_OK;
    }
    pt_frame_init(&row, pt_kind(PT_DEPTH));
    rc = pt_series_page(read, &key, series.first_us, limit_us + 1, 0, 1, true, &row, err);
    if (rc == PT_OK && row.n > 0) *as_of_us = pt_book_as_of(row.val[PT_D_TIME][0]);
    pt_frame_fini(&row);
    return rc;
}
