/* lua_market.c - fields and methods of markets.                                [layer: bindings] */
#include "bindings/lua_market.h"

#include "base/timefmt.h"
#include "bindings/lua_matrix.h"
#include "bindings/lua_vec.h"
#include "num/panel.h"
#include "num/vec.h"

#include <math.h>
#include <string.h>

/* ---- the userdata
 * ------------------------------------------------------------------------------------ */

void pt_lua_market_push(lua_State *L, struct pt_market *market, size_t rows)
{
    struct pt_vm *vm = pt_vm_of(L);
    struct pt_lua_market *m = lua_newuserdata(L, sizeof *m);
    *m = (struct pt_lua_market){ market, vm->state.epoch, rows };
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->market_meta);
    lua_setmetatable(L, -2);
    pt_lua_keep_fields(L);
}

static struct pt_lua_market *market_arg(lua_State *L, int arg)
{
    struct pt_vm *vm = pt_vm_of(L);
    struct pt_lua_market *m = lua_touserdata(L, arg);
    bool good = false;
    if (m && lua_getmetatable(L, arg)) {
        good = lua_topointer(L, -1) == vm->market_meta_at;
        lua_pop(L, 1);
    }
    if (!good) luaL_typerror(L, arg, "market");
    if (m->epoch != vm->state.epoch)
        luaL_error(L, "market from an earlier call: nothing can be kept between two calls");
    return m;
}

/* Rows of the whole market before the first of these. */
static size_t before(const struct pt_lua_market *m)
{
    return m->market->rows - m->rows;
}

/* ---- fields
 * ------------------------------------------------------------------------------------------ */

enum field { SYMBOLS, N, ROWS, PERIOD, SECONDS, AS_OF, BENCHMARK };

static void push_symbols(lua_State *L, const struct pt_market *market)
{
    lua_createtable(L, (int)market->n, 0);
    for (size_t i = 0; i < market->n; i++) {
        lua_pushstring(L, market->symbols[i]);
        lua_rawseti(L, -2, (int)(i + 1));
    }
}

static void push_field(lua_State *L, const struct pt_lua_market *m, enum field field)
{
    const struct pt_market *market = m->market;
    char text[PT_PERIOD_TEXT_MAX];
    switch (field) {
    case SYMBOLS: push_symbols(L, market); break;
    case N: lua_pushnumber(L, (lua_Number)market->n); break;
    case ROWS: lua_pushnumber(L, (lua_Number)m->rows); break;
    case PERIOD:
        pt_period_print(market->period_us, text);
        lua_pushstring(L, text);
        break;
    case SECONDS: lua_pushnumber(L, (lua_Number)market->period_us / 1e6); break;
    case AS_OF: lua_pushnumber(L, (lua_Number)market->as_of_us / 1e6); break;
    case BENCHMARK: lua_pushstring(L, market->symbols[market->benchmark]); break;
    }
}

static const struct {
    const char *name;
    enum field field;
} fields[] = {
    { "symbols", SYMBOLS }, { "n", N },         { "rows", ROWS },           { "period", PERIOD },
    { "seconds", SECONDS }, { "as_of", AS_OF }, { "benchmark", BENCHMARK },
};

/* field(m, name, kept) -> value; kept remembers it */
static int market_field(lua_State *L)
{
    const struct pt_lua_market *m = market_arg(L, 1);
    const char *name = luaL_checkstring(L, 2);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (strcmp(fields[i].name, name) != 0) continue;
        push_field(L, m, fields[i].field);
        lua_pushvalue(L, 2);
        lua_pushvalue(L, -2);
        lua_rawset(L, 3);
        return 1;
    }
    /* prelude.lua comes here by a tail call: errors are at the script's line */
    return luaL_error(L, "market has no field or method '%s'", name);
}

/* ---- columns of one symbol
 * ----------------------------------------------------------------------------- */

static size_t symbol_arg(lua_State *L, const struct pt_market *market, int arg)
{
    const char *symbol = luaL_checkstring(L, arg);
    size_t i = pt_market_find(market, symbol);
    if (i == SIZE_MAX)
        luaL_argerror(L, arg, lua_pushfstring(L, "'%s' is none of m.symbols", symbol));
    return i;
}

/* A column of all symbols; raises when it cannot be read. */
static const double *all(lua_State *L, struct pt_market *market, unsigned col)
{
    struct pt_err err = { 0 };
    const double *p = pt_market_get(market, col, &err);
    if (!p) luaL_error(L, "%s", err.text);
    return p;
}

static int market_last(lua_State *L)
{
    const struct pt_lua_market *m = market_arg(L, 1);
    size_t k = pt_lua_whole(L, 2, 0, INT32_MAX, PT_LUA_REQUIRED);
    pt_lua_market_push(L, m->market, k < m->rows ? k : m->rows);
    return 1;
}

static int market_column(lua_State *L)
{
    const struct pt_lua_market *m = market_arg(L, 1);
    const struct pt_kind *candles = pt_kind(PT_CANDLES);
    size_t i = symbol_arg(L, m->market, 2);
    const char *name = luaL_optstring(L, 3, "close");
    for (unsigned c = 1; c < PT_COLUMNS_N; c++) {
        if (strcmp(candles->cols[c].name, name) != 0) continue;
        pt_lua_vec_view(L, all(L, m->market, c) + i * m->market->rows + before(m), m->rows, false);
        return 1;
    }
    return luaL_argerror(L, 3, lua_pushfstring(L, "a bar has no column '%s'", name));
}

static int market_simple_returns(lua_State *L)
{
    const struct pt_lua_market *m = market_arg(L, 1);
    size_t i = symbol_arg(L, m->market, 2);
    const double *close = all(L, m->market, PT_C_CLOSE) + i * m->market->rows + before(m);
    double *out = pt_lua_vec_push(L, m->rows);
    pt_vec_simple_return(close, NULL, m->rows, m->market->period_us, out);
    return 1;
}

static const double *all_returns(lua_State *L, const struct pt_lua_market *m)
{
    struct pt_err err = { 0 };
    const double *p = pt_market_log_returns(m->market, &err);
    if (!p) luaL_error(L, "%s", err.text);
    return p;
}

static int market_log_returns(lua_State *L)
{
    const struct pt_lua_market *m = market_arg(L, 1);
    size_t i = symbol_arg(L, m->market, 2);
    const double *r = all_returns(L, m) + i * m->market->rows + before(m);
    if (before(m) == 0) {
        pt_lua_vec_view(L, r, m->rows, false);
        return 1;
    }
    double *out = pt_lua_vec_push(L, m->rows);
    if (m->rows > 0) memcpy(out, r, m->rows * sizeof *out);
    if (m->rows > 0) out[0] = NAN; /* the part knows nothing outside itself */
    return 1;
}

/* ---- of the whole market
 * ------------------------------------------------------------------------------- */

/* The log returns of these rows: the first row has none, so it is left out. */
static struct pt_panel returns_panel(lua_State *L, const struct pt_lua_market *m)
{
    const struct pt_market *market = m->market;
    const double *r = all_returns(L, m);
    const double **x = (const double **)(void *)pt_lua_work(L, market->n + 1);
    size_t skip = m->rows > 0;
    for (size_t i = 0; i < market->n; i++) x[i] = r + i * market->rows + before(m) + skip;
    return (struct pt_panel){ x, market->n, m->rows - skip };
}

static void done(lua_State *L, enum pt_code rc, const struct pt_err *err)
{
    if (rc != PT_OK) luaL_error(L, "%s", err->text);
}

typedef enum pt_code (*correlate)(const struct pt_panel *panel, size_t min_overlap, double *matrix,
                                  uint32_t *overlap, struct pt_err *err);

/* -> matrix, matrix of overlaps */
static int correlations(lua_State *L, correlate kernel)
{
    const struct pt_lua_market *m = market_arg(L, 1);
    size_t least = pt_lua_whole(L, 2, 2, INT32_MAX, 2), n = m->market->n;
    struct pt_panel panel = returns_panel(L, m);
    struct pt_err err = { 0 };
    double *matrix = pt_lua_matrix_push(L, n), *counts = pt_lua_matrix_push(L, n);
    uint32_t *overlap = (uint32_t *)(void *)pt_lua_work(L, (n * n + 1) / 2);
    done(L, kernel(&panel, least, matrix, overlap, &err), &err);
    for (size_t k = 0; k < n * n; k++) counts[k] = overlap[k];
    pt_lua_work_done(L, (double *)(void *)overlap);
    return 2;
}

static int market_pearson(lua_State *L)
{
    return correlations(L, pt_panel_pearson);
}

static int market_spearman(lua_State *L)
{
    return correlations(L, pt_panel_spearman);
}

static int market_ledoit_wolf(lua_State *L)
{
    const struct pt_lua_market *m = market_arg(L, 1);
    struct pt_panel panel = returns_panel(L, m);
    struct pt_err err = { 0 };
    double intensity;
    size_t rows;
    double *matrix = pt_lua_matrix_push(L, m->market->n);
    int at = lua_gettop(L);
    done(L, pt_panel_ledoit_wolf(&panel, &intensity, &rows, matrix, &err), &err);
    lua_pushnumber(L, intensity);
    lua_pushnumber(L, (lua_Number)rows);
    lua_pushvalue(L, at);
    return 3;
}

static int market_breadth(lua_State *L)
{
    const struct pt_lua_market *m = market_arg(L, 1);
    const struct pt_market *market = m->market;
    size_t width = pt_lua_whole(L, 2, 1, INT32_MAX, PT_LUA_REQUIRED);
    const double *close = all(L, m->market, PT_C_CLOSE);
    const double **x = (const double **)(void *)pt_lua_work(L, market->n + 1);
    for (size_t i = 0; i < market->n; i++) x[i] = close + i * market->rows + before(m);
    const struct pt_panel panel = { x, market->n, m->rows };
    struct pt_breadth breadth = pt_panel_breadth(&panel, width);
    lua_pushnumber(L, breadth.above_pct);
    lua_pushnumber(L, breadth.advancing_pct);
    lua_pushnumber(L, breadth.advance_decline);
    lua_pushnumber(L, (lua_Number)breadth.count);
    return 4;
}

const struct pt_lua_doc pt_lua_market_field_docs[] = {
    { "symbols", NULL, "m.symbols: string[]",
      "names of the symbols with a bar in the window, sorted", "m.symbols[1] == \"AUSDT\"" },
    { "n", NULL, "m.n: number", "how many", "m.n == #m.symbols" },
    { "rows", NULL, "m.rows: number", "bar times in the window", "m.rows == 5" },
    { "period", NULL, "m.period: string", "length of a bar as text: \"1h\"", "m.period == \"1h\"" },
    { "seconds", NULL, "m.seconds: number", "length of a bar in seconds", "m.seconds == 3600" },
    { "as_of", NULL, "m.as_of: number", "close time of the last row, seconds since 1970 UTC",
      "m.as_of % m.seconds == 0" },
    { "benchmark", NULL, "m.benchmark: string",
      "name of the benchmark: BTCUSDT (as configured), else the first symbol",
      "m.benchmark == m.symbols[1]" },
    { NULL, NULL, NULL, NULL, NULL },
};

const struct pt_lua_doc pt_lua_market_docs[] = {
    { "last", market_last, "m:last(n) -> market",
      "the last n bar times of the same symbols, all when there are fewer",
      "m:last(2):column(\"AUSDT\") == vec.of{2, 4}" },
    { "column", market_column, "m:column(symbol: string [, name=\"close\": string]) -> vector",
      "a column of one symbol, one element a bar time: missing where it has no bar",
      "m:column(\"CUSDT\") == vec.of{0/0, 2, 4, 2, 1}" },
    { "simple_returns", market_simple_returns, "m:simple_returns(symbol: string) -> vector",
      "C[t] / C[t-1] - 1 of one symbol; missing in the first row and where either bar is",
      "m:simple_returns(\"CUSDT\") == vec.of{0/0, 0/0, 1, -0.5, -0.5}" },
    { "log_returns", market_log_returns, "m:log_returns(symbol: string) -> vector",
      "ln(C[t] / C[t-1]), likewise",
      "missing(m:log_returns(\"AUSDT\"):get(1)) and m:log_returns(\"AUSDT\"):get(2) == "
      "math.log(2)" },
    { "pearson", market_pearson, "m:pearson([least=2]) -> matrix, overlap: matrix",
      "correlations of the log returns of all pairs, each over the rows where both are there; "
      "missing with fewer than least such rows or without spread; overlap: how many",
      "local r, overlap = m:pearson(); return math.abs(r:get(1, 3) + 1) < 1e-12 and "
      "overlap:get(1, 3) == 3" },
    { "spearman", market_spearman, "m:spearman([least=2]) -> matrix, overlap: matrix",
      "the same of ranks, as pandas", "math.abs(m:spearman():get(1, 2) - 1) < 1e-12" },
    { "ledoit_wolf", market_ledoit_wolf, "m:ledoit_wolf() -> intensity, rows, matrix",
      "shrinkage of the correlation matrix towards the identity, 0 .. 1, from the rows where all "
      "symbols are there (Ledoit & Wolf 2004); NaN with fewer than 20 or a flat symbol",
      "local intensity, rows = m:ledoit_wolf(); return missing(intensity) and rows == 3" },
    { "breadth", market_breadth, "m:breadth(n) -> above_pct, advancing_pct, difference, count",
      "of the symbols with a bar in the last row and n closes: percent over their mean of n "
      "closes, percent that rose in the last bar, risen less fallen; NaN when there are none",
      "local above, advancing, difference, count = m:breadth(2); return above == 200 / 3 and "
      "advancing == above and difference == 1 and count == 3" },
    { NULL, NULL, NULL, NULL, NULL },
};

static int market_words(lua_State *L)
{
    const struct pt_lua_market *m = market_arg(L, 1);
    char period[PT_PERIOD_TEXT_MAX];
    pt_period_print(m->market->period_us, period);
    lua_pushfstring(L, "market %s of %d symbols x %d bars", period, (int)m->market->n,
                    (int)m->rows);
    return 1;
}

void pt_lua_market_open(lua_State *L)
{
    struct pt_vm *vm = pt_vm_of(L);
    lua_newtable(L);
    pt_lua_register(L, pt_lua_market_docs);
    lua_setfield(L, -2, "market_methods");
    lua_pushcfunction(L, market_field);
    lua_setfield(L, -2, "market_field");
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->market_meta);
    lua_pushcfunction(L, market_words);
    lua_setfield(L, -2, "__tostring");
    lua_pop(L, 1);
}
