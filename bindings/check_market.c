/* check_market.c - walks, holes, flat prices: markets that find out a script.  [layer: bindings] */
#include "bindings/check_market.h"

#include "base/decimal.h"
#include "base/timefmt.h"
#include "num/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRONT 40                                  /* bars before the window */
#define BACK 12                                   /* bars after it */
#define BASE_US (INT64_C(1078099200) * PT_US_SEC) /* Monday, 2004-03-01 */
#define FEW_SYMBOLS 4                             /* of a whole market */
#define MIN_MAX ((size_t)100000)                  /* a script that needs more bars is not run */

enum fault { NONE, HOLES, CELLS, FLAT, NO_VOLUME, SURGE };

/* `later`: bars that the window ends after BASE_US; so hours and weekdays differ as well. Two that
 * share a seed are one walk. */
static const struct shape {
    const char *name, *symbol, *benchmark;
    enum fault fault;
    uint64_t seed;
    unsigned later, symbols; /* symbols: of a whole market; 0: FEW_SYMBOLS */
    bool trades, slow, brief, bare;
} shapes[] = {
    { .name = "walk", .symbol = "ETHUSDT", .benchmark = "BTCUSDT", .seed = 1, .trades = true },
    { .name = "the walk three bars later",
      .symbol = "ETHUSDT",
      .benchmark = "BTCUSDT",
      .seed = 1,
      .later = 3,
      .symbols = 12,
      .trades = true },
    { .name = "holes",
      .symbol = "SOLUSDT",
      .benchmark = "BTCUSDT",
      .fault = HOLES,
      .seed = 2,
      .later = 7 },
    { .name = "missing values",
      .symbol = "ADAUSDT",
      .benchmark = "BTCUSDT",
      .fault = CELLS,
      .seed = 3,
      .later = 29 },
    { .name = "flat prices", .symbol = "ADAUSDT", .fault = FLAT, .seed = 4, .later = 12 },
    { .name = "no volume",
      .symbol = "SOLUSDT",
      .benchmark = "BTCUSDT",
      .fault = NO_VOLUME,
      .seed = 5,
      .later = 40 },
    { .name = "a surge of the benchmark itself",
      .symbol = "BTCUSDT",
      .benchmark = "BTCUSDT",
      .fault = SURGE,
      .seed = 6,
      .later = 55,
      .trades = true },
    { .name = "the fewest bars", .symbol = "ETHUSDT", .seed = 7, .later = 5, .brief = true },
    { .name = "slow bars",
      .symbol = "ETHUSDT",
      .benchmark = "BTCUSDT",
      .seed = 8,
      .later = 2,
      .slow = true },
    { .name = "no metrics", .symbol = "ETHUSDT", .benchmark = "BTCUSDT", .seed = 1, .bare = true },
};

size_t pt_check_markets(void)
{
    return sizeof shapes / sizeof *shapes;
}

bool pt_check_market_is_slow(size_t i)
{
    return shapes[i].slow;
}

/* ---- bars
 * ---------------------------------------------------------------------------------------------- */

struct walk {
    struct pt_rng rng;
    enum fault fault;
    double price, heat; /* heat: volatility comes in spells */
};

/* Numbers of few digits, as an exchange sends them. */
static double digits(double x, double scale)
{
    return round(x * scale) / scale;
}

/* x: column -> value of one bar. last: the newest bars of the window, where a surge is. */
static void step(struct walk *walk, bool last, double x[PT_COLUMNS_N])
{
    struct pt_rng *rng = &walk->rng;
    double surge = walk->fault == SURGE && last ? 1 : 0;
    walk->heat = 0.9 * walk->heat + 0.1 * (0.004 + 0.008 * pt_rng_uniform(rng));
    double r = (walk->heat + 0.02 * surge) * pt_rng_normal(rng) + 0.02 * surge -
               (walk->fault == NO_VOLUME ? 0.001 : 0);
    double open = walk->price, close = digits(open * exp(r), 100);
    if (!(close >= 1)) close = 1;
    if (!(close <= 1e7)) close = 1e7;
    double high = fmax(open, close) * (1 + 0.004 * pt_rng_uniform(rng));
    double low = fmin(open, close) * (1 - 0.004 * pt_rng_uniform(rng));
    double volume = digits(1 + (1 + 9 * surge) * 200 * pt_rng_uniform(rng), 1000);
    double taker = digits(volume * (0.2 + 0.6 * pt_rng_uniform(rng)), 1000);
    walk->price = close;
    if (walk->fault == FLAT) open = high = low = close = 100, volume = 10, taker = 5;
    if (walk->fault == NO_VOLUME) volume = taker = 0;
    x[PT_C_OPEN] = open;
    x[PT_C_HIGH] = fmax(digits(high, 100), fmax(open, close));
    x[PT_C_LOW] = fmin(digits(low, 100), fmin(open, close));
    x[PT_C_CLOSE] = close;
    x[PT_C_VOLUME] = volume;
    x[PT_C_QUOTE_VOLUME] = digits(volume * close, 100);
    x[PT_C_TRADES] = floor(volume * 3);
    x[PT_C_TAKER_VOLUME] = taker;
    x[PT_C_TAKER_QUOTE_VOLUME] = digits(taker * close, 100);
}

/* Bar i of the window is missing as a whole. */
static bool is_hole(size_t i, size_t n)
{
    return i + 1 < n && (i % 29 == 11 || (i + 15 >= n && i + 10 < n));
}

/* Cells that a feed has not sent; prices of the last bar are there. */
static void blank(size_t i, bool last, double x[PT_COLUMNS_N])
{
    static const struct {
        unsigned column, every, at;
    } cells[] = { { PT_C_CLOSE, 23, 5 },  { PT_C_OPEN, 37, 8 },        { PT_C_HIGH, 41, 8 },
                  { PT_C_LOW, 43, 30 },   { PT_C_VOLUME, 17, 2 },      { PT_C_QUOTE_VOLUME, 19, 4 },
                  { PT_C_TRADES, 31, 6 }, { PT_C_TAKER_VOLUME, 13, 3 } };
    for (size_t k = 0; k < sizeof cells / sizeof *cells; k++)
        if (!last && i % cells[k].every == cells[k].at) x[cells[k].column] = NAN;
    if (last) x[PT_C_VOLUME] = x[PT_C_QUOTE_VOLUME] = NAN;
}

/* Fills bars with `total` bars from start_us on, without the holes; the window begins at bar
 * `from` and is n long. */
static void fill(const struct shape *shape, struct pt_memory_columns *bars, int64_t start_us,
                 size_t total, size_t from, size_t n, bool holes)
{
    struct walk walk = { .fault = shape->fault, .price = 250, .heat = 0.008 };
    size_t rows = 0;
    pt_rng_seed(&walk.rng, shape->seed, shape->slow ? 1 : 0);
    for (size_t i = 0; i < total; i++) {
        double x[PT_COLUMNS_N] = { 0 };
        bool inside = i >= from && i < from + n;
        step(&walk, inside && i + 8 >= from + n, x);
        if (holes && inside && is_hole(i - from, n)) continue;
        if (shape->fault == CELLS) blank(i, i + 1 == from + n, x);
        bars->time_us[rows] = start_us + (int64_t)i * bars->columns.period_us;
        for (unsigned c = 1; c < PT_COLUMNS_N; c++) bars->mem[c][rows] = x[c];
        rows++;
    }
    bars->columns.n = rows;
}

static enum pt_code add_benchmark(const struct shape *shape, struct pt_memory_columns *bars,
                                  size_t total, int64_t start_us, struct pt_err *err)
{
    static const struct shape market = { .seed = 99 };
    struct pt_memory_columns other;
    bool itself = strcmp(shape->symbol, shape->benchmark) == 0;
    enum pt_code rc =
        pt_memory_columns_init(&other, shape->benchmark, bars->columns.period_us, total, err);
    if (rc != PT_OK) return rc;
    /* the market has holes where the symbol has none, and the other way round */
    fill(itself ? shape : &market, &other, start_us, total, total / 2, total - total / 2, !itself);
    return pt_memory_columns_benchmark(bars, &other, err);
}

/* Symbols of a whole market, each a walk of its own; with holes in other places each, and the
 * fourth has ended before the window does. */
static enum pt_code add_symbols(const struct shape *shape, const struct pt_check_need *need,
                                struct pt_check_market *market, int64_t start_us, size_t total,
                                size_t from, size_t n, struct pt_err *err)
{
    size_t most = shape->symbols > 0 ? shape->symbols : FEW_SYMBOLS;
    if (shape->brief) most = 1;
    if (need->symbols > most) most = need->symbols;
    for (size_t k = 0; k < most; k++) {
        struct pt_memory_columns *bars = &market->symbols.v[k];
        char name[PT_SYMBOL_MAX];
        pt_check_symbol(k, false, name);
        struct shape own = *shape;
        own.seed = shape->seed * 100 + k;
        enum pt_code rc = pt_memory_columns_init(bars, name, need->period_us, total, err);
        if (rc != PT_OK) return rc;
        market->symbols.n = k + 1;
        fill(&own, bars, start_us, total, from + k, n > k ? n - k : 0, shape->fault == HOLES);
        size_t early = shape->fault == HOLES && k == 3 ? n / 4 : 0;
        int64_t end_us = market->as_of_us - (int64_t)early * need->period_us;
        if (early > 0) bars->columns.n = pt_columns_lower(&bars->columns, end_us);
    }
    return PT_OK;
}

static enum pt_code add_books(const struct shape *shape, const struct pt_check_need *need,
                              struct pt_check_market *market, struct pt_err *err)
{
    const struct pt_check_books_style style = { .seed = shape->seed,
                                                .breaks = shape->fault == HOLES,
                                                .thin = shape->fault == CELLS,
                                                .flat = shape->fault == FLAT,
                                                .wide = shape->fault == SURGE,
                                                .single = shape->brief };
    market->books_us = need->books_us;
    /* books go on after the last bar: the newest stands within one that is not closed */
    market->newest_us = market->as_of_us + 17 * PT_US_SEC;
    return pt_check_books_make(&market->books, shape->symbol, need->books_us, market->newest_us,
                               &style, err);
}

static enum pt_code add_others(const struct shape *shape, const struct pt_check_need *need,
                               struct pt_check_market *market, struct pt_err *err)
{
    const struct pt_check_others_style style = { .seed = shape->seed,
                                                 .none = shape->fault == NO_VOLUME,
                                                 .single = shape->brief,
                                                 .flat = shape->fault == FLAT,
                                                 .blank = shape->fault == CELLS };
    enum pt_code rc = PT_OK;
    market->funding_us = need->funding_us;
    market->marks_us = need->marks_us;
    if (need->funding_us > 0)
        rc = pt_check_others_make(&market->bars, PT_FUNDING, need->funding_us, market->as_of_us,
                                  &style, err);
    if (rc == PT_OK && need->marks_us > 0)
        rc = pt_check_others_make(&market->bars, PT_MARKS, need->marks_us, market->as_of_us, &style,
                                  err);
    return rc;
}

/* The window of as_of_us - rows bars, among the bars that are there. */
static enum pt_code place(struct pt_check_market *market, int64_t as_of_us, size_t rows,
                          struct pt_err *err)
{
    struct pt_columns *columns = &market->bars.columns;
    market->as_of_us = as_of_us;
    market->rows = rows;
    market->from = pt_columns_lower(columns, as_of_us - (int64_t)rows * columns->period_us);
    market->n = pt_columns_lower(columns, as_of_us) - market->from;
    market->later_us = calloc(columns->n ? columns->n : 1, sizeof *market->later_us);
    if (!market->later_us) return pt_fail(err, PT_ENOMEM, "%zu bars to check a script", columns->n);
    for (size_t i = 0; i < columns->n; i++)
        market->later_us[i] = columns->time_us[i] + PT_CHECK_LATER_US;
    return PT_OK;
}

enum pt_code pt_check_market_make(size_t i, const struct pt_check_need *need,
                                  struct pt_check_market *market, struct pt_err *err)
{
    const struct shape *shape = &shapes[i];
    *market = (struct pt_check_market){ .bare = shape->bare };
    snprintf(market->name, sizeof market->name, "%s", shape->name);
    if (need->min > MIN_MAX)
        return pt_fail(err, PT_ERANGE, "at least %zu bars are needed, %zu can be made: not run",
                       need->min, MIN_MAX);
    if (need->symbols > PT_CHECK_SYMBOLS_MAX)
        return pt_fail(err, PT_ERANGE, "at least %zu symbols are needed, %d can be made: not run",
                       need->symbols, PT_CHECK_SYMBOLS_MAX);
    size_t most = need->min > PT_CHECK_BARS_MAX ? need->min : PT_CHECK_BARS_MAX;
    size_t n = need->deep < most ? need->deep : most, front = n < need->deep ? 0 : FRONT;
    if (shape->brief) n = need->min < n ? need->min : n, front = 0;
    if (n == 0) n = 1;

    size_t total = front + n + BACK;
    /* those that share a seed begin at the same bar */
    int64_t end_us = pt_period_floor(need->period_us, BASE_US);
    int64_t start_us = end_us - (int64_t)(front + n) * need->period_us;
    int64_t as_of_us = end_us + (int64_t)shape->later * need->period_us;
    if (shape->later > BACK - 1) {
        start_us += (int64_t)shape->later * need->period_us;
    } else {
        front += shape->later;
        total = front + n + BACK;
    }
    enum pt_code rc =
        pt_memory_columns_init(&market->bars, shape->symbol, need->period_us, total, err);
    if (rc != PT_OK) return rc;
    fill(shape, &market->bars, start_us, total, front, n, shape->fault == HOLES);
    if (need->benchmark && shape->benchmark)
        rc = add_benchmark(shape, &market->bars, total, start_us, err);
    if (need->trades && shape->trades) {
        market->bars.has_trades = true;
        market->bars.trades = (struct pt_signed_trades){ .buy = 1234.5, .sell = 1100.25 };
    }
    if (rc == PT_OK) rc = place(market, as_of_us, need->rows > 0 ? need->rows : need->deep, err);
    if (rc == PT_OK && need->market)
        rc = add_symbols(shape, need, market, start_us, total, front, n, err);
    if (rc == PT_OK && need->books_us > 0) rc = add_books(shape, need, market, err);
    if (rc == PT_OK) rc = add_others(shape, need, market, err);
    if (rc != PT_OK) pt_check_market_fini(market);
    return rc;
}

enum pt_code pt_check_market_take(const char *name, const struct pt_check_need *need,
                                  struct pt_memory_columns *bars, struct pt_check_market *market,
                                  struct pt_err *err)
{
    *market = (struct pt_check_market){ .bars = *bars, .recorded = true };
    *bars = (struct pt_memory_columns){ 0 };
    snprintf(market->name, sizeof market->name, "%s", name);
    enum pt_code rc =
        place(market, market->bars.columns.as_of_us, need->rows > 0 ? need->rows : need->deep, err);
    if (rc != PT_OK) pt_check_market_fini(market);
    return rc;
}

void pt_check_market_fini(struct pt_check_market *market)
{
    pt_memory_columns_fini(&market->bars);
    pt_check_symbols_fini(&market->symbols);
    pt_memory_books_fini(&market->books);
    free(market->later_us);
    memset(market, 0, sizeof *market);
}

/* ---- showing
 * --------------------------------------------------------------------------------------------- */

static void show(const struct pt_check_market *market, const struct pt_memory_columns *from,
                 unsigned how, size_t first, size_t n, struct pt_memory_columns *out)
{
    *out = (struct pt_memory_columns){ .columns = from->columns,
                                       .has_trades = from->has_trades,
                                       .trades = from->trades };
    struct pt_columns *columns = &out->columns;
    columns->time_us = (how & PT_SHOW_LATER ? market->later_us : market->bars.time_us) + first;
    for (unsigned c = 1; c < PT_COLUMNS_N; c++) columns->data[c] = from->mem[c] + first;
    columns->n = n;
    columns->asked = 0;
    columns->as_of_us = n > 0 ? columns->time_us[n - 1] + columns->period_us : PT_MISSING;
    if (how & PT_SHOW_RENAMED) pt_check_rename(columns->symbol);
}

/* What else the script looks at. */
static enum pt_code show_more(const struct pt_check_market *market, unsigned how,
                              struct pt_check_view *view, struct pt_err *err)
{
    bool outside = how & PT_SHOW_OUTSIDE;
    int64_t later_us = how & PT_SHOW_LATER ? PT_CHECK_LATER_US : 0;
    int64_t end_us = outside ? INT64_MAX : market->as_of_us;
    enum pt_code rc =
        pt_check_others_show(&market->bars, PT_FUNDING,
                             outside ? INT64_MIN : market->as_of_us - market->funding_us, end_us,
                             later_us, &view->bars, err);
    if (rc == PT_OK)
        rc = pt_check_others_show(&market->bars, PT_MARKS,
                                  outside ? INT64_MIN : market->as_of_us - market->marks_us, end_us,
                                  later_us, &view->bars, err);
    if (rc == PT_OK && market->symbols.n > 0) {
        int64_t long_us = (int64_t)market->rows * market->bars.columns.period_us;
        const struct pt_check_frame frame = {
            .from_us = outside ? INT64_MIN : market->as_of_us - long_us,
            .as_of_us = market->as_of_us,
            .later_us = later_us,
            .rows = market->rows,
            .renamed = how & PT_SHOW_RENAMED,
        };
        rc = pt_check_whole_open(&view->whole, &market->symbols, &frame, err);
    }
    if (rc == PT_OK && market->books_us > 0) {
        rc = pt_check_books_show(&market->books, view->bars.columns.symbol,
                                 outside ? INT64_MIN : market->newest_us - market->books_us,
                                 market->newest_us, later_us, &view->books, err);
        view->bars.columns.as_of_us = market->as_of_us + later_us; /* bars closed by then */
    }
    return rc;
}

enum pt_code pt_check_market_show(const struct pt_check_market *market, unsigned how,
                                  struct pt_check_view *view, struct pt_err *err)
{
    bool outside = how & PT_SHOW_OUTSIDE;
    /* results by symbol are held against each other by ours: others' names stay */
    if (market->recorded && market->symbols.n > 0) how &= ~(unsigned)PT_SHOW_RENAMED;
    size_t first = outside ? 0 : market->from;
    size_t n = market->from + market->n - first;
    *view = (struct pt_check_view){ 0 };
    show(market, &market->bars, how, first, n, &view->bars);
    if (market->bars.other) {
        show(market, market->bars.other, how, first, n, &view->other);
        view->bars.other = &view->other;
    }
    enum pt_code rc = show_more(market, how, view, err);
    if (rc != PT_OK) pt_check_view_fini(view);
    return rc;
}

void pt_check_view_fini(struct pt_check_view *view)
{
    pt_check_whole_fini(&view->whole);
    pt_memory_books_fini(&view->books);
    pt_memory_columns_others_fini(&view->bars);
}
