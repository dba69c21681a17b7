/* check_books.h - made-up order books, for scripts that look at them.          [layer: bindings] */
#ifndef PT_CHECK_BOOKS_H
#define PT_CHECK_BOOKS_H

#include "bindings/memory_books.h"

struct pt_check_books_style {
    uint64_t seed;
    bool breaks; /* once, for a while, no book is known */
    bool thin;   /* three levels a side */
    bool flat;   /* nothing moves */
    bool wide;   /* a spread of percents, small quantities */
    bool single; /* one book in the span */
};

/* Books of the span before newest_us, where the newest stands, and some on both sides. Whole
 * seconds. */
enum pt_code pt_check_books_make(struct pt_memory_books *books, const char *symbol, int64_t span_us,
                                 int64_t newest_us, const struct pt_check_books_style *style,
                                 struct pt_err *err);
/* A copy of the rows in [from_us, limit_us], moved by later_us, under a name. */
enum pt_code pt_check_books_show(const struct pt_memory_books *from, const char *symbol,
                                 int64_t from_us, int64_t limit_us, int64_t later_us,
                                 struct pt_memory_books *out, struct pt_err *err);

#endif
