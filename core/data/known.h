/* known.h - what is remembered of each symbol between messages.                 [layer: data]
 * A zeroed table is a valid empty one. At most PT_KNOWN_MAX symbols: a stream of made-up names must
 * not eat the memory; those beyond are not remembered (their funding payments are not seen). */
#ifndef PT_KNOWN_H
#define PT_KNOWN_H

#include "data/book.h"

#define PT_KNOWN_MAX 16384

struct pt_known {
    char symbol[PT_SYMBOL_MAX]; /* "" = free place */
    double price;               /* of the last trade or ticker, 0 = none yet */
    int64_t next_funding_us;    /* 0 = none yet; then the last rate and mark price before it: */
    int64_t rate, mark;
    uint8_t rate_digits, mark_digits;
    struct pt_book *book[2]; /* spot, USD-M; NULL = none yet. Freed by the decoder */
};

struct pt_known_table {
    struct pt_known *places; /* owned */
    size_t cap, n;           /* cap: a power of two, or 0 */
};

void pt_known_fini(struct pt_known_table *table);
/* NULL when it is not there. Valid until the next get. */
const struct pt_known *pt_known_find(const struct pt_known_table *table,
                                     const char symbol[PT_SYMBOL_MAX]);
/* Made when it is not there; NULL when the table is full or there is no memory. Valid until the
 * next get. */
struct pt_known *pt_known_get(struct pt_known_table *table, const char symbol[PT_SYMBOL_MAX]);
/* fn returns false to stop. */
void pt_known_each(const struct pt_known_table *table,
                   bool (*fn)(void *arg, const struct pt_known *known), void *arg);

#endif
