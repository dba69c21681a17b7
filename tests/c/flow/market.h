/* market.h - bars and messages for the suites of core/flow. */
#ifndef PT_FLOW_MARKET_H
#define PT_FLOW_MARKET_H

#include "kit.h"

#include "base/decimal.h"
#include "store/store.h"

/* A price that depends on the symbol and the time only, in cents. */
static inline int64_t market_price(const char *symbol, int64_t t_us)
{
    uint64_t z = (uint64_t)(t_us / PT_US_MIN) * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)symbol[0];
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return 1000000 + (int64_t)(z >> 44) % 5000;
}

/* Candles [from, from + n periods), closed but for the last when `open`. add: cents more, to make a
 * correction. */
static inline void market_fill(struct pt_frame *frame, const char *symbol, int64_t period_us,
                               int64_t from_us, size_t n, int64_t add, bool open)
{
    for (size_t i = 0; i < n; i++) {
        int64_t val[PT_CELLS_MAX] = { 0 }, t_us = from_us + (int64_t)i * period_us;
        uint8_t dig[PT_CELLS_MAX] = { 0 };
        int64_t price = market_price(symbol, t_us) + add;
        val[PT_C_TIME] = t_us;
        val[PT_C_OPEN] = price;
        val[PT_C_HIGH] = price + 300;
        val[PT_C_LOW] = price - 200;
        val[PT_C_CLOSE] = price + 100;
        val[PT_C_VOLUME] = 1000 + price % 977;
        val[PT_C_QUOTE_VOLUME] = 2 * price;
        val[PT_C_TRADES] = 10 + price % 7;
        val[PT_C_TAKER_VOLUME] = 500;
        val[PT_C_TAKER_QUOTE_VOLUME] = price;
        val[PT_C_CLOSED] = !open || i + 1 < n;
        for (size_t c = PT_C_OPEN; c <= PT_C_TAKER_QUOTE_VOLUME; c++) dig[c] = pt_digits(2, 0);
        OK(pt_frame_push(frame, val, dig));
    }
}

static inline void market_write(struct pt_store *store, const char *symbol, int64_t period_us,
                                int64_t from_us, size_t n, int64_t add)
{
    struct pt_series_key key = { .kind = PT_CANDLES, .period_us = period_us };
    struct pt_write *write = NULL;
    struct pt_put_stats stats = { 0 };
    struct pt_frame frame;
    snprintf(key.symbol, sizeof key.symbol, "%s", symbol);
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    market_fill(&frame, symbol, period_us, from_us, n, add, false);
    OK(pt_write_begin(store, &write, &kit_err));
    OK(pt_write_rows(write, &key, &frame, PT_PUT_CORRECT, &stats, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    pt_frame_fini(&frame);
}

static inline struct pt_store *market_store(const char *name, uint64_t max_bytes)
{
    char path[PATH_MAX];
    struct pt_store *store = NULL;
    kit_path(path, "%s", name);
    const struct pt_store_opts opts = { .path = path, .max_bytes = max_bytes };
    OK(pt_store_open(&opts, &store, &kit_err));
    return store;
}

static inline uint64_t market_rows(struct pt_store *store, enum pt_kind_id kind, const char *symbol,
                                   int64_t period_us)
{
    struct pt_series_key key = { .kind = kind, .period_us = period_us };
    struct pt_series series = { .rows = 0 };
    struct pt_read *read = NULL;
    snprintf(key.symbol, sizeof key.symbol, "%s", symbol);
    OK(pt_read_begin(store, &read, &kit_err));
    enum pt_code rc = pt_series_find(read, &key, &series, &kit_err);
    CU_ASSERT(rc == PT_OK || rc == PT_ENOENT);
    pt_read_end(read);
    return rc == PT_OK ? series.rows : 0;
}

static inline char *market_kline(const char *symbol, int64_t t_us, const char *close, bool closed)
{
    char *text = malloc(512);
    if (!text) abort();
    snprintf(text, 512,
             "{\"e\":\"kline\",\"E\":%" PRId64 ",\"s\":\"%s\",\"k\":{\"t\":%" PRId64
             ",\"T\":%" PRId64 ",\"s\":\"%s\",\"i\":\"1m\",\"f\":1,\"L\":9,\"o\":\"100.00\",\"c\":"
             "\"%s\",\"h\":\"200.00\",\"l\":\"50.00\","
             "\"v\":\"10.000\",\"n\":9,\"x\":%s,\"q\":\"1000.00\",\"V\":\"4.000\",\"Q\":\"400.00\","
             "\"B\":\"0\"}}",
             t_us / 1000 + 60000, symbol, t_us / 1000, t_us / 1000 + 59999, symbol, close,
             closed ? "true" : "false");
    return text;
}

/* Digits that do not compress. */
static inline char *market_trade(const char *symbol, int64_t t_us, int64_t id)
{
    char *text = malloc(256);
    uint64_t z = (uint64_t)id * UINT64_C(0x9e3779b97f4a7c15), price = z >> 20 & 0xffffffffff,
             quantity = z >> 8 & 0xffffffffff;
    if (!text) abort();
    snprintf(text, 256,
             "{\"e\":\"trade\",\"E\":%" PRId64 ",\"s\":\"%s\",\"t\":%" PRId64 ",\"p\":\"1%" PRIu64
             ".5\",\"q\":\"1.%" PRIu64 "\",\"T\":%" PRId64 ",\"m\":true,\"M\":true}",
             t_us / 1000, symbol, id, price, quantity, t_us / 1000);
    return text;
}

#endif
