/* store_market.c - the bars of all symbols, one after the other.               [layer: bindings] */
#include "bindings/store_market.h"

#include "base/decimal.h"

#include <string.h>

static enum pt_code open_symbol(struct pt_store_market *self, const char *symbol, unsigned col,
                                struct pt_err *err)
{
    const struct pt_market *market = &self->market;
    return pt_store_columns_open(&self->columns, self->read, symbol, market->period_us,
                                 market->from_us, market->as_of_us, NULL, 1u << col, err);
}

/* One more column of those that are in the market; they could be read before. */
static enum pt_code load(struct pt_market *market, unsigned col, struct pt_err *err)
{
    struct pt_store_market *self = (struct pt_store_market *)market;
    struct pt_columns *columns = &self->columns.columns;
    for (size_t i = 0; i < market->n; i++) {
        enum pt_code rc = open_symbol(self, market->symbols[i], col, err);
        const double *values = rc == PT_OK ? pt_columns_get(columns, col, err) : NULL;
        if (!values) return rc != PT_OK ? rc : err->code;
        pt_market_fill(market, col, i, columns->n, columns->time_us, values);
    }
    return PT_OK;
}

static const struct pt_market_source store_source = { load };

enum pt_code pt_store_market_find(struct pt_store_market *self, struct pt_read *read,
                                  int64_t period_us, int64_t limit_us, int64_t *close_us,
                                  struct pt_err *err)
{
    struct pt_market_close found = { .close_us = PT_MISSING };
    self->read = read;
    enum pt_code rc = pt_symbols_read(read, 1u << PT_CANDLES, &self->symbols, err);
    self->lost = rc == PT_EDAMAGE;
    if (rc == PT_OK || self->lost)
        rc = pt_symbols_close(read, &self->symbols, period_us, limit_us, &found, err);
    *close_us = found.close_us;
    return rc;
}

/* Reads one symbol; one that is damaged is named and left out. */
static enum pt_code add(struct pt_store_market *self, const char *symbol, struct pt_err *err)
{
    struct pt_columns *columns = &self->columns.columns;
    const double *close = NULL;
    enum pt_code rc = open_symbol(self, symbol, PT_C_CLOSE, err);
    if (rc == PT_OK && self->columns.bars.period_us == 0) return PT_OK;
    if (rc == PT_OK && !(close = pt_columns_get(columns, PT_C_CLOSE, err))) rc = err->code;
    if (rc == PT_EDAMAGE) return pt_market_damaged(&self->market, symbol, err);
    if (rc != PT_OK) return rc;
    if (columns->n > 0 && self->columns.bars.period_us != self->market.period_us)
        self->derived_us = self->columns.bars.period_us;
    return pt_market_add(&self->market, symbol, columns->n, columns->time_us, close, err);
}

enum pt_code pt_store_market_open(struct pt_store_market *self, int64_t period_us, int64_t as_of_us,
                                  size_t rows, const char *benchmark, const char *other,
                                  struct pt_err *err)
{
    struct pt_market *market = &self->market;
    if (market->source && market->rows == rows && market->as_of_us == as_of_us &&
        market->period_us == period_us)
        return PT_OK;
    self->derived_us = 0;
    enum pt_code rc = pt_market_begin(market, &store_source, period_us, as_of_us, rows, err);
    if (rc == PT_OK && self->lost) rc = pt_market_damaged(market, "?", err);
    for (size_t i = 0; i < self->symbols.n && rc == PT_OK; i++)
        rc = add(self, self->symbols.v[i], err);
    if (rc == PT_OK)
        pt_market_end(market, benchmark, other);
    else
        pt_market_fini(market);
    return rc;
}

void pt_store_market_done(struct pt_store_market *self)
{
    pt_market_fini(&self->market);
    pt_store_columns_done(&self->columns);
    self->read = NULL;
}

void pt_store_market_fini(struct pt_store_market *self)
{
    pt_market_fini(&self->market);
    pt_store_columns_fini(&self->columns);
    pt_symbols_fini(&self->symbols);
}
