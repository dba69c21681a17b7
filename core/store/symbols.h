/* symbols.h - the market of a store: every symbol there is.              [layer: store] */
#ifndef PT_SYMBOLS_H
#define PT_SYMBOLS_H

#include "store/store.h"

/* A zeroed struct is a valid empty one. */
struct pt_symbols {
    size_t n, cap;
    char (*v)[PT_SYMBOL_MAX]; /* owned; sorted, each once */
};

/* All symbols with a series of these kinds: bit i = enum pt_kind_id i. PT_ENOMEM, or what
 * pt_series_each says; what was found until then is there. */
enum pt_code pt_symbols_read(struct pt_read *read, unsigned kinds, struct pt_symbols *symbols,
                             struct pt_err *err);
/* Its place; n when it is not there. */
size_t pt_symbols_find(const struct pt_symbols *symbols, const char *symbol);
void pt_symbols_fini(struct pt_symbols *symbols);

/* When the market of a period was last open: what all symbols together say. */
struct pt_market_close {
    int64_t close_us; /* newest close of any symbol at or before the limit; PT_MISSING: none */
    size_t n;         /* symbols that have or can build the period */
    bool waiting;     /* a symbol that has the bar before it does not have that one yet */
    struct pt_err
        damage; /* code PT_OK, or why the first symbol that could not be read was left out */
};
/* Damage in one symbol leaves it out; any other failure is returned. */
enum pt_code pt_symbols_close(struct pt_read *read, const struct pt_symbols *symbols,
                              int64_t period_us, int64_t limit_us, struct pt_market_close *out,
                              struct pt_err *err);

#endif
