/* schema.c - the table of the kinds of market data.                            [layer: data] */
#include "data/schema.h"

#include "base/timefmt.h"

#include <string.h>

static const char *const sides[] = { "buy", "sell", NULL };

#define COL(name, type, unit, width, required, about)                                              \
    {                                                                                              \
        name, PT_TYPE_##type, unit, width, required, about, NULL                                   \
    }
#define TIME(name, about) COL(name, TIME, "us", 1, true, about)
#define PRICE(name, required, about) COL(name, DEC, "quote", 1, required, about)
#define LEVELS PT_DEPTH_LEVELS

static const struct pt_kind kinds[PT_KINDS] = {
    [PT_CANDLES] = {
        .id = PT_CANDLES,
        .name = "candles",
        .collection = "candles",
        .about = "bars of one period, stamped with their open time",
        .by_period = true,
        .keys = 1,
        .ncols = 11,
        .cols = {
            TIME("open_time", "start of the bar"),
            PRICE("open", true, "first price"),
            PRICE("high", true, "highest price"),
            PRICE("low", true, "lowest price"),
            PRICE("close", true, "last price"),
            COL("volume", DEC, "base", 1, true, "traded amount"),
            COL("quote_volume", DEC, "quote", 1, false, "traded value"),
            COL("trades", INT, "count", 1, false, "number of trades"),
            COL("taker_buy_volume", DEC, "base", 1, false, "amount bought by takers"),
            COL("taker_buy_quote_volume", DEC, "quote", 1, false, "value bought by takers"),
            COL("closed", BOOL, "none", 1, true, "1 = final, 0 = the bar is still growing"),
        },
    },
    [PT_TRADES] = {
        .id = PT_TRADES,
        .name = "trades",
        .collection = "trades",
        .about = "single trades; several may share a millisecond",
        .keys = 2,
        .ncols = 5,
        .cols = {
            TIME("time", "time of the trade"),
            COL("trade_id", INT, "none", 1, true, "id of the exchange (aggregate trades: theirs)"),
            PRICE("price", true, "price"),
            COL("quantity", DEC, "base", 1, true, "amount"),
            { "side", PT_TYPE_ENUM, "none", 1, true, "side of the aggressor", sides },
        },
    },
    [PT_DEPTH] = {
        .id = PT_DEPTH,
        .name = "depth",
        .collection = "depth",
        .about = "order books, best level first; levels that the book lacks are missing",
        .keys = 1,
        .ncols = 6,
        .cols = {
            TIME("time", "time of the book"),
            COL("last_update_id", INT, "none", 1, false, "id of the last change in the book"),
            COL("bid_price", DEC, "quote", LEVELS, false, "bid prices, falling"),
            COL("bid_quantity", DEC, "base", LEVELS, false, "amounts bid"),
            COL("ask_price", DEC, "quote", LEVELS, false, "ask prices, rising"),
            COL("ask_quantity", DEC, "base", LEVELS, false, "amounts asked"),
        },
    },
    [PT_FUNDING] = {
        .id = PT_FUNDING,
        .name = "funding",
        .collection = "funding_rates",
        .about = "funding payments of perpetual futures",
        .keys = 1,
        .ncols = 3,
        .cols = {
            TIME("funding_time", "when it was paid"),
            COL("rate", DEC, "ratio", 1, true, "rate of the interval, 0.0001 = 0.01 %"),
            PRICE("mark_price", false, "mark price it was paid on"),
        },
    },
    [PT_TICKERS] = {
        .id = PT_TICKERS,
        .name = "tickers",
        .collection = "tickers",
        .about = "statistics of the last 24 hours",
        .keys = 1,
        .ncols = 10,
        .cols = {
            TIME("time", "time of the message"),
            PRICE("open_price", true, "price 24 hours ago"),
            PRICE("high_price", true, "highest price"),
            PRICE("low_price", true, "lowest price"),
            PRICE("close_price", true, "last price"),
            COL("volume", DEC, "base", 1, true, "traded amount"),
            COL("quote_volume", DEC, "quote", 1, true, "traded value"),
            COL("price_change", DEC, "quote", 1, false, "last price less that of 24 hours ago"),
            COL("price_change_percent", DEC, "percent", 1, false, "the same in percent"),
            COL("trades", INT, "count", 1, false, "number of trades"),
        },
    },
    [PT_MARKS] = {
        .id = PT_MARKS,
        .name = "marks",
        .collection = "mark_prices",
        .about = "mark and index prices of perpetual futures",
        .keys = 1,
        .ncols = 6,
        .cols = {
            TIME("time", "time of the message"),
            PRICE("mark_price", true, "mark price"),
            PRICE("index_price", false, "index price"),
            PRICE("settle_price", false, "estimated settlement price"),
            COL("funding_rate", DEC, "ratio", 1, false, "rate of the running interval so far"),
            COL("next_funding_time", TIME, "us", 1, false, "end of the running interval"),
        },
    },
};

const struct pt_kind *pt_kind(enum pt_kind_id id)
{
    return &kinds[id];
}

const struct pt_kind *pt_kind_named(const char *name)
{
    for (size_t i = 0; i < PT_KINDS; i++) {
        if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
    }
    return NULL;
}

unsigned pt_kind_cells(const struct pt_kind *kind)
{
    unsigned cells = 0;
    for (unsigned c = 0; c < kind->ncols; c++) cells += kind->cols[c].width;
    return cells;
}

enum pt_code pt_symbol_parse(const char *text, size_t len, char out[PT_SYMBOL_MAX])
{
    if (len < 2 || len > 30) return PT_EINVAL;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c >= 'a' && c <= 'z') c = (char)(c - 'a' + 'A');
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) return PT_EINVAL;
        out[i] = c;
    }
    memset(out + len, 0, PT_SYMBOL_MAX - len); /* keys are compared as bytes */
    return PT_OK;
}

size_t pt_series_print(const struct pt_series_key *key, char out[PT_SERIES_TEXT_MAX])
{
    const struct pt_kind *kind = pt_kind(key->kind);
    size_t len = strlen(kind->collection);
    memcpy(out, kind->collection, len);
    out[len++] = '_';
    size_t symbol_len = strnlen(key->symbol, PT_SYMBOL_MAX - 1);
    memcpy(out + len, key->symbol, symbol_len);
    len += symbol_len;
    if (kind->by_period) {
        out[len++] = '_';
        len += pt_period_print(key->period_us, out + len);
    }
    out[len] = '\0';
    return len;
}
