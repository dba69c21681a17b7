/* lua_window.c - fields and methods of windows.                                [layer: bindings] */
#include "bindings/lua_window.h"

#include "base/timefmt.h"
#include "bindings/lua_rows.h"
#include "bindings/lua_vec.h"
#include "data/resample.h"
#include "num/range.h"
#include "num/trend.h"
#include "num/vec.h"

#include <math.h>
#include <string.h>

/* ---- the userdata
 * ------------------------------------------------------------------------------------ */

void pt_lua_window_push(lua_State *L, const struct pt_lua_window *window)
{
    struct pt_vm *vm = pt_vm_of(L);
    struct pt_lua_window *w = lua_newuserdata(L, sizeof *w);
    *w = *window;
    w->epoch = vm->state.epoch;
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->window_meta);
    lua_setmetatable(L, -2);
    pt_lua_keep_fields(L);
}

static struct pt_lua_window *window_arg(lua_State *L, int arg)
{
    struct pt_vm *vm = pt_vm_of(L);
    struct pt_lua_window *w = lua_touserdata(L, arg);
    bool good = false;
    if (w && lua_getmetatable(L, arg)) {
        good = lua_topointer(L, -1) == vm->window_meta_at;
        lua_pop(L, 1);
    }
    if (!good) luaL_typerror(L, arg, "window");
    if (w->epoch != vm->state.epoch)
        luaL_error(L, "window from an earlier call: nothing can be kept between two calls");
    return w;
}

/* A column of the window's rows; raises when it cannot be read. */
static const double *column(lua_State *L, const struct pt_lua_window *w, unsigned col)
{
    struct pt_err err = { 0 };
    const double *p = pt_columns_get(w->columns, col, &err);
    if (!p) luaL_error(L, "%s", err.text);
    return p + w->from;
}

static const int64_t *times(const struct pt_lua_window *w)
{
    return w->n > 0 ? w->columns->time_us + w->from : NULL;
}

/* ---- fields
 * ------------------------------------------------------------------------------------------ */

enum field {
    TIME,
    N,
    EXPECTED,
    COMPLETENESS,
    GAPS,
    MISSING,
    SYMBOL,
    PERIOD,
    SECONDS,
    AS_OF,
    BENCHMARK,
    BOOKS,
    FUNDING,
    MARKS
};

static void push_time(lua_State *L, const struct pt_lua_window *w)
{
    double *out = pt_lua_work(L, w->n);
    const int64_t *time_us = times(w);
    for (size_t i = 0; i < w->n; i++) out[i] = (double)time_us[i] / 1e6;
    pt_lua_vec_view(L, out, w->n, false);
}

static void push_benchmark(lua_State *L, const struct pt_lua_window *w)
{
    struct pt_columns *aligned = NULL;
    struct pt_err err = { 0 };
    if (!w->benchmark)
        luaL_error(L, "benchmark is not declared: needs = { candles = { benchmark = true } }");
    if (w->columns->source->benchmark(w->columns, &aligned, &err) != PT_OK)
        luaL_error(L, "%s", err.text);
    if (!aligned) {
        lua_pushnil(L);
        return;
    }
    struct pt_lua_window other = *w;
    other.columns = aligned;
    other.benchmark = other.trades = false;
    other.books = NULL;
    other.funding_us = other.marks_us = 0;
    pt_lua_window_push(L, &other);
}

/* Rows that are no bars: of the declared span, up to as_of. */
static void push_others(lua_State *L, const struct pt_lua_window *w, enum pt_kind_id kind,
                        int64_t span_us)
{
    const char *name = pt_kind(kind)->name;
    if (span_us == 0)
        luaL_error(L, "%s is not declared: needs = { %s = { span = \"30d\" } }", name, name);
    int64_t as_of_us = w->columns->as_of_us;
    pt_lua_rows_push(L, w->columns, kind, as_of_us - span_us, as_of_us);
}

static void push_field(lua_State *L, const struct pt_lua_window *w, enum field field)
{
    char text[PT_PERIOD_TEXT_MAX];
    size_t gaps, missing;
    switch (field) {
    case TIME: push_time(L, w); break;
    case N: lua_pushnumber(L, (lua_Number)w->n); break;
    case EXPECTED: lua_pushnumber(L, (lua_Number)w->expected); break;
    case COMPLETENESS:
        lua_pushnumber(L, w->expected > 0 ? 100 * (double)w->n / (double)w->expected : 0);
        break;
    case GAPS:
    case MISSING:
        pt_columns_gaps(w->columns, w->from, w->n, &gaps, &missing);
        lua_pushnumber(L, (lua_Number)(field == GAPS ? gaps : missing));
        break;
    case SYMBOL: lua_pushstring(L, w->columns->symbol); break;
    case PERIOD:
        pt_period_print(w->columns->period_us, text);
        lua_pushstring(L, text);
        break;
    case SECONDS: lua_pushnumber(L, (lua_Number)w->columns->period_us / 1e6); break;
    case AS_OF: lua_pushnumber(L, (lua_Number)w->columns->as_of_us / 1e6); break;
    case BENCHMARK: push_benchmark(L, w); break;
    case BOOKS:
        if (!w->books) luaL_error(L, "books are not declared: needs = { books = { span = ... } }");
        pt_lua_books_push(L, w->books);
        break;
    case FUNDING: push_others(L, w, PT_FUNDING, w->funding_us); break;
    case MARKS: push_others(L, w, PT_MARKS, w->marks_us); break;
    }
}

static const struct {
    const char *name;
    enum field field;
} fields[] = {
    { "time", TIME },           { "n", N },
    { "expected", EXPECTED },   { "completeness", COMPLETENESS },
    { "gaps", GAPS },           { "missing", MISSING },
    { "symbol", SYMBOL },       { "period", PERIOD },
    { "seconds", SECONDS },     { "as_of", AS_OF },
    { "benchmark", BENCHMARK }, { "books", BOOKS },
    { "funding", FUNDING },     { "marks", MARKS },
};

/* field(w, name, kept) -> value; kept remembers it */
static int window_field(lua_State *L)
{
    const struct pt_lua_window *w = window_arg(L, 1);
    const char *name = luaL_checkstring(L, 2);
    const struct pt_kind *candles = pt_kind(PT_CANDLES);
    bool found = false;
    for (unsigned c = 1; c < PT_COLUMNS_N && !found; c++) {
        if (strcmp(candles->cols[c].name, name) != 0) continue;
        pt_lua_vec_view(L, column(L, w, c), w->n, false);
        found = true;
    }
    for (size_t i = 0; i < sizeof fields / sizeof *fields && !found; i++) {
        if (strcmp(fields[i].name, name) != 0) continue;
        push_field(L, w, fields[i].field);
        found = true;
    }
    /* prelude.lua comes here by a tail call: errors are at the script's line */
    if (!found) return luaL_error(L, "window has no field or method '%s'", name);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -2);
    lua_rawset(L, 3);
    return 1;
}

/* ---- parts and returns
 * --------------------------------------------------------------------------------- */

static int window_last(lua_State *L)
{
    struct pt_lua_window part = *window_arg(L, 1);
    size_t k = pt_lua_whole(L, 2, 0, INT32_MAX, PT_LUA_REQUIRED);
    part.expected = k < part.expected ? k : part.expected;
    if (k < part.n) {
        part.from += part.n - k;
        part.n = k;
        part.start_us = k > 0 ? part.columns->time_us[part.from] : part.columns->as_of_us;
    }
    pt_lua_window_push(L, &part);
    return 1;
}

static int returns(lua_State *L, enum pt_return which)
{
    const struct pt_lua_window *w = window_arg(L, 1);
    const double *close = column(L, w, PT_C_CLOSE);
    double *out = pt_lua_vec_push(L, w->n);
    pt_columns_returns(w->columns, which, close, w->from, w->n, out);
    return 1;
}

static int window_simple_returns(lua_State *L)
{
    return returns(L, PT_RETURN_SIMPLE);
}

static int window_log_returns(lua_State *L)
{
    return returns(L, PT_RETURN_LOG);
}

static void push_grid(lua_State *L, const struct pt_lua_window *w, const double *x)
{
    size_t cells = pt_vec_grid_cells(times(w), w->n, w->columns->period_us);
    double *out = pt_lua_vec_push(L, cells);
    pt_vec_grid(x, times(w), w->n, w->columns->period_us, out);
}

static int window_grid(lua_State *L)
{
    const struct pt_lua_window *w = window_arg(L, 1);
    const struct pt_lua_vec *v = pt_lua_vec_arg(L, 2);
    if ((size_t)v->n != w->n)
        return luaL_argerror(L, 2,
                             lua_pushfstring(L, "a vector of the window's %d bars expected, got %d",
                                             (int)w->n, (int)v->n));
    push_grid(L, w, v->p);
    return 1;
}

static int window_grid_log_returns(lua_State *L)
{
    const struct pt_lua_window *w = window_arg(L, 1);
    const double *close = column(L, w, PT_C_CLOSE);
    double *r = pt_lua_work(L, w->n);
    pt_columns_returns(w->columns, PT_RETURN_LOG, close, w->from, w->n, r);
    push_grid(L, w, r);
    return 1;
}

static int calendar(lua_State *L, int (*part)(int64_t us))
{
    const struct pt_lua_window *w = window_arg(L, 1);
    const int64_t *time_us = times(w);
    double *out = pt_lua_vec_push(L, w->n);
    for (size_t i = 0; i < w->n; i++) out[i] = part(time_us[i]);
    return 1;
}

static int window_hour_of_day(lua_State *L)
{
    return calendar(L, pt_hour_of_day);
}

static int window_day_of_week(lua_State *L)
{
    return calendar(L, pt_day_of_week);
}

/* ---- bigger bars
 * ---------------------------------------------------------------------------------------- */

static enum pt_code no_load(struct pt_columns *columns, uint32_t mask, struct pt_err *err)
{
    return pt_fail(err, PT_EINVAL, "%s: columns %x are not there", columns->symbol, (unsigned)mask);
}

static enum pt_code no_rows(struct pt_columns *columns, int64_t from_us, int64_t to_us,
                            struct pt_frame *frame, struct pt_err *err)
{
    (void)from_us, (void)to_us, (void)frame;
    return pt_fail(err, PT_EINVAL,
                   "%s: a resampled window is not resampled again: start from the first one",
                   columns->symbol);
}

static enum pt_code no_benchmark(struct pt_columns *columns, struct pt_columns **aligned,
                                 struct pt_err *err)
{
    (void)columns, (void)err;
    *aligned = NULL;
    return PT_OK;
}

static const struct pt_columns_source resampled = { no_load, no_rows, no_benchmark, NULL, NULL };

/* The rows of a frame as columns in the arena; NULL when it is full. */
static struct pt_columns *frame_columns(struct pt_vm *vm, const struct pt_frame *frame)
{
    struct pt_columns *columns = pt_lua_memory_scratch(&vm->memory, sizeof *columns);
    int64_t *time_us = pt_lua_memory_scratch(&vm->memory, frame->n * sizeof *time_us);
    if (!columns || !time_us) return NULL;
    if (frame->n > 0) memcpy(time_us, frame->val[PT_C_TIME], frame->n * sizeof *time_us);
    *columns = (struct pt_columns){ .source = &resampled, .n = frame->n, .time_us = time_us };
    for (unsigned c = 1; c < PT_COLUMNS_N; c++) {
        double *out = pt_lua_memory_scratch(&vm->memory, frame->n * sizeof *out);
        if (!out) return NULL;
        pt_frame_doubles(frame, c, 0, frame->n, out);
        columns->data[c] = out;
    }
    return columns;
}

static int window_resample(lua_State *L)
{
    const struct pt_lua_window *w = window_arg(L, 1);
    size_t len;
    int64_t period_us, base_us = w->columns->period_us;
    const char *text = luaL_checklstring(L, 2, &len);
    if (pt_period_parse(text, len, &period_us) != PT_OK)
        return luaL_argerror(L, 2, lua_pushfstring(L, "'%s' is no period", text));
    if (period_us < base_us || period_us % base_us != 0)
        return luaL_argerror(
            L, 2, "bars are put together, not split: a multiple of the window's period expected");
    if (period_us == base_us) {
        lua_settop(L, 1);
        return 1;
    }

    struct pt_err err = { 0 };
    struct pt_frame small, big;
    struct pt_columns *columns = NULL;
    pt_frame_init(&small, pt_kind(PT_CANDLES));
    pt_frame_init(&big, pt_kind(PT_CANDLES));
    enum pt_code rc =
        w->columns->source->rows(w->columns, w->start_us, w->columns->as_of_us, &small, &err);
    if (rc == PT_OK) rc = pt_resample(&small, base_us, period_us, &big, &err);
    if (rc == PT_OK && !(columns = frame_columns(pt_vm_of(L), &big)))
        rc = pt_fail(&err, PT_ENOMEM, "not enough memory");
    pt_frame_fini(&small);
    pt_frame_fini(&big);
    if (rc != PT_OK) return luaL_error(L, "%s", err.text);

    int64_t start_us = pt_period_floor(period_us, w->start_us);
    if (start_us < w->start_us) start_us += period_us;
    int64_t end_us = pt_period_floor(period_us, w->columns->as_of_us);
    memcpy(columns->symbol, w->columns->symbol, sizeof columns->symbol);
    columns->period_us = period_us;
    columns->from_us = start_us;
    columns->as_of_us = end_us;
    struct pt_lua_window out = { .columns = columns, .n = columns->n, .start_us = start_us };
    out.expected = end_us > start_us ? (size_t)((end_us - start_us) / period_us) : 0;
    pt_lua_window_push(L, &out);
    return 1;
}

/* ---- indicators of whole bars
 * --------------------------------------------------------------------------- */

static int window_true_range(lua_State *L)
{
    const struct pt_lua_window *w = window_arg(L, 1);
    const double *high = column(L, w, PT_C_HIGH), *low = column(L, w, PT_C_LOW),
                 *close = column(L, w, PT_C_CLOSE);
    double *out = pt_lua_vec_push(L, w->n);
    pt_trend_true_range(high, low, close, w->n, out);
    return 1;
}

static int window_atr(lua_State *L)
{
    const struct pt_lua_window *w = window_arg(L, 1);
    size_t width = pt_lua_whole(L, 2, 1, INT32_MAX, 14);
    const double *high = column(L, w, PT_C_HIGH), *low = column(L, w, PT_C_LOW),
                 *close = column(L, w, PT_C_CLOSE);
    double *out = pt_lua_vec_push(L, w->n);
    pt_trend_atr(high, low, close, w->n, width, out);
    return 1;
}

static int window_adx(lua_State *L)
{
    const struct pt_lua_window *w = window_arg(L, 1);
    size_t width = pt_lua_whole(L, 2, 1, INT32_MAX, 14);
    const double *high = column(L, w, PT_C_HIGH), *low = column(L, w, PT_C_LOW),
                 *close = column(L, w, PT_C_CLOSE);
    double *adx = pt_lua_vec_push(L, w->n), *plus = pt_lua_vec_push(L, w->n),
           *minus = pt_lua_vec_push(L, w->n);
    pt_trend_adx(high, low, close, w->n, width, plus, minus, adx);
    return 3;
}

static int window_donchian(lua_State *L)
{
    const struct pt_lua_window *w = window_arg(L, 1);
    size_t width = pt_lua_whole(L, 2, 1, INT32_MAX, PT_LUA_REQUIRED);
    const double *high = column(L, w, PT_C_HIGH), *low = column(L, w, PT_C_LOW);
    double *upper = pt_lua_vec_push(L, w->n), *lower = pt_lua_vec_push(L, w->n);
    pt_trend_donchian(high, low, w->n, width, upper, lower);
    return 2;
}

static int window_parkinson(lua_State *L)
{
    const struct pt_lua_window *w = window_arg(L, 1);
    size_t width = pt_lua_whole(L, 2, 1, INT32_MAX, w->n);
    lua_pushnumber(L, pt_range_parkinson(column(L, w, PT_C_HIGH), column(L, w, PT_C_LOW), w->n,
                                         width));
    return 1;
}

typedef double (*range_fn)(const double *open, const double *high, const double *low,
                           const double *close, size_t n, size_t width);

static int range(lua_State *L, range_fn kernel)
{
    const struct pt_lua_window *w = window_arg(L, 1);
    size_t width = pt_lua_whole(L, 2, 1, INT32_MAX, w->n);
    lua_pushnumber(L, kernel(column(L, w, PT_C_OPEN), column(L, w, PT_C_HIGH),
                             column(L, w, PT_C_LOW), column(L, w, PT_C_CLOSE), w->n, width));
    return 1;
}

static int window_garman_klass(lua_State *L)
{
    return range(L, pt_range_garman_klass);
}

static int window_rogers_satchell(lua_State *L)
{
    return range(L, pt_range_rogers_satchell);
}

static int window_yang_zhang(lua_State *L)
{
    const struct pt_lua_window *w = window_arg(L, 1);
    size_t width = pt_lua_whole(L, 2, 1, INT32_MAX, w->n);
    lua_pushnumber(L, pt_range_yang_zhang(column(L, w, PT_C_OPEN), column(L, w, PT_C_HIGH),
                                          column(L, w, PT_C_LOW), column(L, w, PT_C_CLOSE),
                                          times(w), w->n, w->columns->period_us, width));
    return 1;
}

/* ---- trades
 * ------------------------------------------------------------------------------------------------
 */

static int window_signed_trades(lua_State *L)
{
    const struct pt_lua_window *w = window_arg(L, 1);
    struct pt_signed_trades sums = { .reason = "no_trades" };
    struct pt_err err = { 0 };
    if (!w->trades)
        return luaL_error(L, "trades are not declared: needs = { candles = { trades = true } }");
    if (w->n > 0 && w->columns->source->trades(w->columns, times(w)[0], w->columns->as_of_us, &sums,
                                               &err) != PT_OK)
        return luaL_error(L, "%s", err.text);
    if (sums.reason) {
        lua_pushnil(L);
        lua_pushstring(L, sums.reason);
    } else {
        lua_pushnumber(L, sums.buy);
        lua_pushnumber(L, sums.sell);
    }
    return 2;
}

const struct pt_lua_doc pt_lua_window_field_docs[] = {
    { "open", NULL, "w.open, w.high, w.low, w.close: vector",
      "prices, one element a bar, oldest first", "w.open == vec.of{10, 10, 11, 12, 14, 15}" },
    { "volume", NULL, "w.volume, w.quote_volume, w.trades: vector",
      "amount, value and number of trades", "w.volume:sum() == 21" },
    { "taker_buy_volume", NULL, "w.taker_buy_volume, w.taker_buy_quote_volume: vector",
      "what takers bought", "(w.taker_buy_volume / w.volume):max() == 0.5" },
    { "time", NULL, "w.time: vector", "open time of each bar, seconds since 1970 UTC",
      "w.time:get(2) - w.time:get(1) == 3600" },
    { "n", NULL, "w.n: number", "bars in the window", "w.n == 6" },
    { "expected", NULL, "w.expected: number", "bars it would have without holes",
      "w.expected == 7" },
    { "completeness", NULL, "w.completeness: number", "100 n / expected",
      "w.completeness == 100 * 6 / 7" },
    { "gaps", NULL, "w.gaps: number", "holes between the first and the last bar", "w.gaps == 1" },
    { "missing", NULL, "w.missing: number", "bars missing in them", "w.missing == 1" },
    { "symbol", NULL, "w.symbol: string", "whose bars they are: \"BTCUSDT\"",
      "w.symbol == \"TESTUSDT\"" },
    { "period", NULL, "w.period: string", "length of a bar as text: \"1h\"", "w.period == \"1h\"" },
    { "seconds", NULL, "w.seconds: number", "length of a bar in seconds", "w.seconds == 3600" },
    { "as_of", NULL, "w.as_of: number", "close time of the last bar, seconds since 1970 UTC",
      "w.as_of == w.time:final() + w.seconds" },
    { "benchmark", NULL, "w.benchmark: window | nil",
      "window of the benchmark on the bars of this one (NaN where it has none), nil without one; "
      "needs candles.benchmark",
      "w.benchmark.close:final() == 100" },
    { "books", NULL, "w.books: books",
      "the order books of a span; the newest one is valid, else the script is not called (or, "
      "with breaks = true, its levels are empty); needs books",
      "w.books.n == 3" },
    { "funding", NULL, "w.funding: funding",
      "funding payments of the span, oldest first: n and the vectors time, rate, mark_price; needs "
      "funding",
      "w.funding.rate == vec.of{0.0001, 0.0002}" },
    { "marks", NULL, "w.marks: marks",
      "mark prices of the span: n and the vectors time, mark_price, index_price, settle_price, "
      "funding_rate, next_funding_time; needs marks",
      "w.marks.mark_price:final() > w.marks.index_price:final()" },
    { NULL, NULL, NULL, NULL, NULL },
};

const struct pt_lua_doc pt_lua_window_docs[] = {
    { "simple_returns", window_simple_returns, "w:simple_returns() -> vector",
      "C[i] / C[i-1] - 1, one a bar; missing in the first bar and across a hole",
      "w:simple_returns() == vec.of{0/0, 11/10 - 1, 12/11 - 1, 0, 0/0, 12/15 - 1}" },
    { "log_returns", window_log_returns, "w:log_returns() -> vector", "ln(C[i] / C[i-1]), likewise",
      "w:log_returns():get(4) == 0 and missing(w:log_returns():get(5))" },
    { "grid", window_grid, "w:grid(v: vector) -> vector",
      "v, one element a bar, on the time grid: missing in the holes. For lagged statistics",
      "w:grid(w.close) == vec.of{10, 11, 12, 12, 0/0, 15, 12}" },
    { "grid_log_returns", window_grid_log_returns, "w:grid_log_returns() -> vector",
      "log returns on the time grid",
      "w:grid_log_returns():fill(7):sub(4) == vec.of{0, 7, 7, math.log(12/15)}" },
    { "last", window_last, "w:last(n) -> window", "the last n bars, all when there are fewer",
      "w:last(2).close == vec.of{15, 12}" },
    { "resample", window_resample, "w:resample(period: string) -> window",
      "bigger bars, each only when all its parts are there",
      "w:resample(\"2h\").close == vec.of{11, 12}" },
    { "hour_of_day", window_hour_of_day, "w:hour_of_day() -> vector",
      "hour of the open time, UTC, 0 .. 23", "w:hour_of_day() == vec.of{0, 1, 2, 3, 5, 6}" },
    { "day_of_week", window_day_of_week, "w:day_of_week() -> vector",
      "weekday of the open time, UTC, Monday 0", "w:day_of_week() == vec.new(6, 2)" },
    { "true_range", window_true_range, "w:true_range() -> vector",
      "Wilder's true range, from the second bar on",
      "w:true_range():last(5) == vec.of{2, 3, 2, 4, 5}" },
    { "atr", window_atr, "w:atr([n=14]) -> vector", "Wilder's average true range",
      "w:atr(2):get(3) == (2 + 3) / 2" },
    { "adx", window_adx, "w:adx([n=14]) -> adx: vector, plus_di: vector, minus_di: vector",
      "Wilder's directional movement, 0 .. 100",
      "local _, plus, minus = w:adx(2); return plus:get(3) > 0 and minus:get(3) == 0" },
    { "donchian", window_donchian, "w:donchian(n) -> upper: vector, lower: vector",
      "highest high and lowest low of the last n bars, this one included",
      "local upper, lower = w:donchian(3); return upper:final() == 16 and lower:final() == 11" },
    { "parkinson", window_parkinson, "w:parkinson([n]) -> number",
      "volatility per bar of the last n bars (default all): Parkinson 1980",
      "local x, y = math.log(16/14), math.log(16/11); return math.abs(w:parkinson(2) - ((x * x + y "
      "* y) / (8 * math.log(2))) ^ 0.5) < 1e-12" },
    { "garman_klass", window_garman_klass, "w:garman_klass([n]) -> number", "Garman and Klass 1980",
      "w:garman_klass(3) == w:last(3):garman_klass()" },
    { "rogers_satchell", window_rogers_satchell, "w:rogers_satchell([n]) -> number",
      "Rogers and Satchell 1991", "w:rogers_satchell(3) == w:last(3):rogers_satchell()" },
    { "yang_zhang", window_yang_zhang, "w:yang_zhang([n]) -> number",
      "Yang and Zhang 2000; no overnight return across a hole", "w:yang_zhang() > 0" },
    { "signed_trades", window_signed_trades,
      "w:signed_trades() -> buy: number | nil, sell: number | string",
      "quantities bought and sold by takers, from single trades that cover the window without a "
      "hole, else nil and a reason; needs candles.trades",
      "w:signed_trades() == 3" },
    { NULL, NULL, NULL, NULL, NULL },
};

static int window_words(lua_State *L)
{
    const struct pt_lua_window *w = window_arg(L, 1);
    char period[PT_PERIOD_TEXT_MAX];
    pt_period_print(w->columns->period_us, period);
    lua_pushfstring(L, "window %s %s of %d bars", w->columns->symbol, period, (int)w->n);
    return 1;
}

void pt_lua_window_open(lua_State *L)
{
    struct pt_vm *vm = pt_vm_of(L);
    lua_newtable(L);
    pt_lua_register(L, pt_lua_window_docs);
    lua_setfield(L, -2, "window_methods");
    lua_pushcfunction(L, window_field);
    lua_setfield(L, -2, "window_field");
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->window_meta);
    lua_pushcfunction(L, window_words);
    lua_setfield(L, -2, "__tostring");
    lua_pop(L, 1);
}
