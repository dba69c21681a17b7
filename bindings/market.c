/* market.c - the grid of a market, wherever its bars come from.                [layer: bindings] */
#include "bindings/market.h"

#include "num/vec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void drop_columns(struct pt_market *market)
{
    for (unsigned c = 0; c < PT_COLUMNS_N; c++) {
        free(market->data[c]);
        market->data[c] = NULL;
    }
    free(market->log_returns);
    market->log_returns = NULL;
    market->bytes = 0;
}

void pt_market_fini(struct pt_market *market)
{
    drop_columns(market);
    free(market->symbols);
    free(market->damaged);
    free(market->open);
    *market = (struct pt_market){ 0 };
}

/* With so many symbols and bytes more than there are. */
static enum pt_code too_large(const struct pt_market *market, size_t symbols, size_t more,
                              struct pt_err *err)
{
    double bytes = (double)market->bytes + (double)more * (double)market->rows * sizeof(double);
    return pt_fail(err, PT_ERANGE,
                   "a market of %zu symbols x %zu bars takes %.0f MB, at most %zu MB; a shorter "
                   "window or a longer period fits",
                   symbols, market->rows, bytes / 1e6, PT_MARKET_BYTES / 1000000);
}

enum pt_code pt_market_begin(struct pt_market *market, const struct pt_market_source *source,
                             int64_t period_us, int64_t as_of_us, size_t rows, struct pt_err *err)
{
    pt_market_fini(market);
    market->source = source;
    market->period_us = period_us;
    market->as_of_us = as_of_us;
    market->rows = rows;
    market->from_us = as_of_us - (int64_t)rows * period_us;
    if (rows > PT_MARKET_BYTES / sizeof(double)) return too_large(market, 1, 1, err);
    market->open = calloc(rows ? rows : 1, 1);
    return market->open ? PT_OK : pt_fail(err, PT_ENOMEM, "market of %zu bars", rows);
}

/* Room for one more symbol, and its closes. */
static enum pt_code grow(struct pt_market *market, struct pt_err *err)
{
    double **close = &market->data[PT_C_CLOSE];
    if (market->n < market->cap) return PT_OK;
    size_t cap = market->cap > 0 ? 2 * market->cap : 16;
    if (market->rows > 0 && cap > PT_MARKET_BYTES / sizeof(double) / market->rows)
        cap = PT_MARKET_BYTES / sizeof(double) / market->rows;
    if (cap <= market->n) return too_large(market, market->n + 1, 1, err);
    void *symbols = realloc(market->symbols, cap * sizeof *market->symbols);
    if (symbols) market->symbols = symbols;
    double *grown = symbols ? realloc(*close, cap * (market->rows + 1) * sizeof **close) : NULL;
    if (!grown) return pt_fail(err, PT_ENOMEM, "market of %zu symbols", cap);
    *close = grown;
    market->cap = cap;
    return PT_OK;
}

/* Cell of an open time; SIZE_MAX: outside, or not on the grid. */
static size_t cell(const struct pt_market *market, int64_t time_us)
{
    int64_t from = time_us - market->from_us;
    if (from < 0 || time_us >= market->as_of_us || from % market->period_us != 0) return SIZE_MAX;
    return (size_t)(from / market->period_us);
}

void pt_market_fill(struct pt_market *market, unsigned col, size_t i, size_t n,
                    const int64_t *time_us, const double *values)
{
    double *to = market->data[col] + i * market->rows;
    for (size_t t = 0; t < market->rows; t++) to[t] = NAN;
    for (size_t k = 0; k < n; k++) {
        size_t at = cell(market, time_us[k]);
        if (at != SIZE_MAX) to[at] = values[k];
    }
}

enum pt_code pt_market_add(struct pt_market *market, const char *symbol, size_t n,
                           const int64_t *time_us, const double *close, struct pt_err *err)
{
    size_t bars = 0, first = SIZE_MAX, last = 0, holes = 0;
    for (size_t k = 0; k < n; k++) {
        size_t at = cell(market, time_us[k]);
        if (at == SIZE_MAX) continue;
        if (first == SIZE_MAX) first = at;
        holes += bars > 0 && at > last + 1;
        last = at;
        bars++;
        market->open_rows += !market->open[at];
        market->open[at] = 1;
    }
    if (bars == 0) return PT_OK;
    enum pt_code rc = grow(market, err);
    if (rc != PT_OK) return rc;
    market->bars += bars;
    market->gaps += holes + (last + 1 < market->rows); /* one that ended early has a hole too */
    market->missing += market->rows - first - bars;
    memcpy(market->symbols[market->n], symbol, strnlen(symbol, PT_SYMBOL_MAX - 1) + 1);
    market->symbols[market->n][PT_SYMBOL_MAX - 1] = '\0';
    pt_market_fill(market, PT_C_CLOSE, market->n++, n, time_us, close);
    market->bytes += market->rows * sizeof(double);
    return PT_OK;
}

enum pt_code pt_market_damaged(struct pt_market *market, const char *symbol, struct pt_err *err)
{
    void *grown = realloc(market->damaged, (market->ndamaged + 1) * sizeof *market->damaged);
    if (!grown) return pt_fail(err, PT_ENOMEM, "market of %zu symbols", market->n);
    market->damaged = grown;
    memset(market->damaged[market->ndamaged], 0, PT_SYMBOL_MAX);
    memcpy(market->damaged[market->ndamaged++], symbol, strnlen(symbol, PT_SYMBOL_MAX - 1));
    return PT_OK;
}

size_t pt_market_find(const struct pt_market *market, const char *symbol)
{
    for (size_t low = 0, high = market->n; low < high;) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(symbol, market->symbols[middle]);
        if (order == 0) return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return SIZE_MAX;
}

void pt_market_end(struct pt_market *market, const char *benchmark, const char *other)
{
    size_t at = benchmark ? pt_market_find(market, benchmark) : SIZE_MAX;
    if (at == SIZE_MAX && other) at = pt_market_find(market, other);
    market->benchmark = at == SIZE_MAX ? 0 : at;
}

static enum pt_code reserve(struct pt_market *market, double **column, struct pt_err *err)
{
    size_t bytes = market->n * market->rows * sizeof(double);
    if (bytes > PT_MARKET_BYTES - market->bytes)
        return too_large(market, market->n, market->n, err);
    *column = malloc(bytes ? bytes : 1);
    if (!*column) return pt_fail(err, PT_ENOMEM, "market of %zu symbols", market->n);
    market->bytes += bytes;
    return PT_OK;
}

const double *pt_market_get(struct pt_market *market, unsigned col, struct pt_err *err)
{
    double **column = &market->data[col];
    if (*column) return *column;
    if (reserve(market, column, err) != PT_OK) return NULL;
    if (market->source->load(market, col, err) == PT_OK) return *column;
    free(*column);
    *column = NULL;
    return NULL;
}

const double *pt_market_log_returns(struct pt_market *market, struct pt_err *err)
{
    if (market->log_returns) return market->log_returns;
    const double *close = pt_market_get(market, PT_C_CLOSE, err);
    if (!close || reserve(market, &market->log_returns, err) != PT_OK) return NULL;
    for (size_t i = 0; i < market->n; i++)
        pt_vec_log_return(close + i * market->rows, NULL, market->rows, market->period_us,
                          market->log_returns + i * market->rows);
    return market->log_returns;
}
