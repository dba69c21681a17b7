/* check_symbols.h - the bars of several symbols, for scripts of the whole market. [layer: bindings]
 */
#ifndef PT_CHECK_SYMBOLS_H
#define PT_CHECK_SYMBOLS_H

#include "bindings/market.h"
#include "bindings/memory_columns.h"
#include "data/doc.h"

#define PT_CHECK_SYMBOLS_MAX 32

/* A zeroed struct is a valid empty one. */
struct pt_check_symbols {
    size_t n;
    struct pt_memory_columns v[PT_CHECK_SYMBOLS_MAX]; /* owned; sorted by symbol, one period */
};
void pt_check_symbols_fini(struct pt_check_symbols *symbols);

/* How a market is built of them: those of [from_us, as_of_us), moved by later_us, and renamed. */
struct pt_check_frame {
    int64_t from_us, as_of_us, later_us;
    size_t rows;
    bool renamed;
};

/* A market of them; columns are loaded from the symbols, which must outlive it. */
struct pt_check_whole {
    struct pt_market market; /* first */
    const struct pt_check_symbols *symbols;
    struct pt_check_frame frame;
};
enum pt_code pt_check_whole_open(struct pt_check_whole *whole,
                                 const struct pt_check_symbols *symbols,
                                 const struct pt_check_frame *frame, struct pt_err *err);
void pt_check_whole_fini(struct pt_check_whole *whole);

/* Name k < PT_CHECK_SYMBOLS_MAX of those that are made up, or the other name that it goes by; both
 * are sorted by k. */
void pt_check_symbol(size_t k, bool other, char symbol[PT_SYMBOL_MAX]);

/* Another name: of ours one that shares no part with it, in the same order; of others each letter
 * 13 further on. */
void pt_check_rename(char symbol[PT_SYMBOL_MAX]);
/* A copy of a result in which such names are what they were, as keys, texts and in `symbols`; NULL:
 * no memory. Results of a market have symbols in them. */
bson_t *pt_check_unname(const bson_t *doc);

#endif
