/* symbols.c - which symbols there are, and how far they reach. */
#include "store/symbols.h"

#include "base/decimal.h"
#include "store/bars.h"

#include <stdlib.h>
#include <string.h>

struct collect {
    unsigned kinds;
    struct pt_symbols *symbols;
    bool full;
};

static bool add(void *arg, const struct pt_series *series)
{
    struct collect *collect = arg;
    struct pt_symbols *symbols = collect->symbols;
    if ((collect->kinds >> series->key.kind & 1) == 0) return true;
    /* the periods of a symbol follow one another, so the newest is nearly always the one */
    for (size_t i = symbols->n; i-- > 0;)
        if (strcmp(symbols->v[i], series->key.symbol) == 0) return true;
    if (symbols->n == symbols->cap) {
        size_t cap = symbols->cap > 0 ? 2 * symbols->cap : 64;
        void *grown = realloc(symbols->v, cap * sizeof *symbols->v);
        if (!grown) {
            collect->full = true;
            return false;
        }
        symbols->v = grown;
        symbols->cap = cap;
    }
    memcpy(symbols->v[symbols->n++], series->key.symbol, PT_SYMBOL_MAX);
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

enum pt_code pt_symbols_read(struct pt_read *read, unsigned kinds, struct pt_symbols *symbols,
                             struct pt_err *err)
{
    struct collect collect = { .kinds = kinds, .symbols = symbols };
    symbols->n = 0;
    enum pt_code rc = pt_series_each(read, add, &collect, err);
    if (symbols->n > 1) qsort(symbols->v, symbols->n, sizeof *symbols->v, by_name);
    return collect.full ? pt_fail(err, PT_ENOMEM, "list of %zu symbols", symbols->n) : rc;
}

size_t pt_symbols_find(const struct pt_symbols *symbols, const char *symbol)
{
    if (symbols->n == 0) return 0; /* bsearch wants an array */
    const char(*at)[PT_SYMBOL_MAX] =
        bsearch(symbol, symbols->v, symbols->n, sizeof *symbols->v, by_name);
    return at ? (size_t)(at - (const char(*)[PT_SYMBOL_MAX])symbols->v) : symbols->n;
}

void pt_symbols_fini(struct pt_symbols *symbols)
{
    free(symbols->v);
    *symbols = (struct pt_symbols){ 0 };
}

enum pt_code pt_symbols_close(struct pt_read *read, const struct pt_symbols *symbols,
                              int64_t period_us, int64_t limit_us, struct pt_market_close *out,
                              struct pt_err *err)
{
    struct pt_err own;
    size_t newest = 0, before = 0; /* symbols that end there, and one bar earlier */
    *out = (struct pt_market_close){ .close_us = PT_MISSING };
    for (size_t i = 0; i < symbols->n; i++) {
        int64_t close_us;
        enum pt_code rc =
            pt_bars_last_close(read, symbols->v[i], period_us, limit_us, &close_us, &own);
        if (rc == PT_EDAMAGE) {
            if (out->damage.code == PT_OK) out->damage = own;
            continue;
        }
        if (rc != PT_OK) return pt_fail(err, rc, "%s", own.text);
        if (close_us == PT_MISSING) continue;
        out->n++;
        if (out->close_us == PT_MISSING || close_us > out->close_us) {
            before =
                out->close_us != PT_MISSING && close_us - out->close_us == period_us ? newest : 0;
            newest = 0;
            out->close_us = close_us;
        }
        newest += close_us == out->close_us;
        before += close_us + period_us == out->close_us;
    }
    out->waiting = before > 0;
    return PT_OK;
}
