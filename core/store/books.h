/* books.h - the newest order book of a symbol.                                 [layer: store] */
#ifndef PT_BOOKS_H
#define PT_BOOKS_H

#include "store/store.h"

/* Results carry their time in whole milliseconds. The moment a result of books is as of is the time
 * of the newest book rounded up to one; what is asked for is first rounded down, so that nothing
 * from behind it is seen and asking again for the answer's as_of gives the same book. */
int64_t pt_book_limit(int64_t asked_us);
int64_t pt_book_as_of(int64_t book_us);

/* as_of of the newest row of depth (a book or a break) at or before limit_us; PT_MISSING when there
 * is none. */
enum pt_code pt_books_last(struct pt_read *read, const char *symbol, int64_t limit_us,
                           int64_t *as_of_us, struct pt_err *err);

#endif
