/* module.c - petrosa.so: scripts and bindings for specs under busted.          [layer: bindings]
 *
 * Runs scripts with the worker's own code in a sandboxed VM inside the spec's process, on bars that
 * the spec makes up:
 *
 *     local petrosa = require "petrosa"
 *     local script = assert(petrosa.load("scripts/calculators/deviation.lua"))     -- or its text;
 * nil, "file:line: why" local r = script:run { period = "1h", start = "2025-01-01", close = { 1, 2,
 * 3 }, params = { window = 20 } } r.status, r.data.z_score, r.metadata.reasons.z_score -- null is
 * nil petrosa.eval("return (...):mean()", { 1, 2, 3 })                            -- lists are
 * vectors, both ways petrosa.reference()                                                         --
 * what the bindings offer */
#include "base/buf.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/timefmt.h"
#include "bindings/check.h"
#include "bindings/lua_document.h"
#include "bindings/lua_fault.h"
#include "bindings/lua_vec.h"
#include "bindings/lua_window.h"
#include "bindings/memory_books.h"
#include "bindings/memory_columns.h"
#include "bindings/reference.h"
#include "bindings/script.h"
#include "num/panel.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define META "petrosa.script"
#define MEMORY_BYTES ((size_t)64 << 20)

static struct pt_arena arena; /* of all scripts; freed with the process */

struct holder {
    struct pt_lua_script script;
    struct pt_script_home home;
    char *file, *text;
    size_t nlibs;
    struct pt_lua_lib *libs; /* owned, with their texts */
};

/* ---- documents as Lua tables and back
 * ------------------------------------------------------------------------ */

/* The plain value on top as member `key`: numbers, texts, booleans, lists of numbers, tables with
 * text keys. */
static void append_plain(lua_State *L, bson_t *out, const char *key)
{
    bson_t child;
    luaL_checkstack(L, 8, "document");
    switch (lua_type(L, -1)) {
    case LUA_TNUMBER: bson_append_double(out, key, -1, lua_tonumber(L, -1)); break;
    case LUA_TBOOLEAN: bson_append_bool(out, key, -1, lua_toboolean(L, -1)); break;
    case LUA_TSTRING: bson_append_utf8(out, key, -1, lua_tostring(L, -1), -1); break;
    case LUA_TTABLE: {
        size_t n = lua_objlen(L, -1);
        char index[24];
        if (n > 0) {
            bson_append_array_begin(out, key, -1, &child);
            for (size_t i = 0; i < n; i++) {
                snprintf(index, sizeof index, "%zu", i);
                lua_rawgeti(L, -1, (int)(i + 1));
                append_plain(L, &child, index);
                lua_pop(L, 1);
            }
            bson_append_array_end(out, &child);
            break;
        }
        bson_append_document_begin(out, key, -1, &child);
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
            if (lua_type(L, -2) == LUA_TSTRING) append_plain(L, &child, lua_tostring(L, -2));
        }
        bson_append_document_end(out, &child);
        break;
    }
    default: bson_append_null(out, key, -1); break;
    }
}

/* ---- loading
 * ---------------------------------------------------------------------------------------------------
 */

static char *read_file(const char *path, size_t *len)
{
    struct pt_buf buf = { 0 };
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof part, file)) > 0;) pt_buf_add(&buf, part, n);
    bool failed = ferror(file) != 0;
    fclose(file);
    if (failed) {
        pt_buf_fini(&buf);
        return NULL;
    }
    return pt_buf_take(&buf, len);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool add_lib(struct holder *holder, const char *folder, const char *entry)
{
    struct pt_lua_lib *libs = realloc(holder->libs, (holder->nlibs + 1) * sizeof *libs);
    if (!libs) return false;
    holder->libs = libs;
    size_t room = strlen(folder) + strlen(entry) + 2, len = 0;
    char *file = malloc(room), *name = strndup(entry, strlen(entry) - 4), *text = NULL;
    if (file && name) {
        snprintf(file, room, "%s/%s", folder, entry);
        text = read_file(file, &len);
    }
    if (!text) {
        free(file);
        free(name);
        return false;
    }
    libs[holder->nlibs++] = (struct pt_lua_lib){ name, file, text, len };
    return true;
}

static bool has_lib(const struct holder *holder, const char *entry)
{
    size_t len = strlen(entry) - 4;
    for (size_t i = 0; i < holder->nlibs; i++)
        if (strlen(holder->libs[i].name) == len && memcmp(holder->libs[i].name, entry, len) == 0)
            return true;
    return false;
}

static void read_folder(struct holder *holder, const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        const char *name = entry->d_name;
        if (ends_with(name, ".lua") && !ends_with(name, "_spec.lua") && !has_lib(holder, name))
            add_lib(holder, folder, name);
    }
    closedir(dir);
}

/* lib/ beside the folder of the script, then of the folders in PETROSA_SCRIPTS_PATH, which `petrosa
 * test` sets: the libraries that the daemon would have. */
static void read_libs(struct holder *holder)
{
    char folder[4096];
    const char *slash = strrchr(holder->file, '/'), *more = getenv("PETROSA_SCRIPTS_PATH");
    int head = slash ? (int)(slash - holder->file) : 1;
    snprintf(folder, sizeof folder, "%.*s/../lib", head, slash ? holder->file : ".");
    read_folder(holder, folder);
    while (more && *more) {
        int len = (int)strcspn(more, ",");
        snprintf(folder, sizeof folder, "%.*s/lib", len, more);
        read_folder(holder, folder);
        more += len + (more[len] == ',');
    }
}

static int holder_gc(lua_State *L)
{
    struct holder *holder = luaL_checkudata(L, 1, META);
    pt_lua_script_fini(&holder->script);
    for (size_t i = 0; i < holder->nlibs; i++) {
        free((char *)(size_t)holder->libs[i].name);
        free((char *)(size_t)holder->libs[i].file);
        free((char *)(size_t)holder->libs[i].text);
    }
    free(holder->libs);
    free(holder->file);
    free(holder->text);
    memset(holder, 0, sizeof *holder);
    return 0;
}

static int fail(lua_State *L, const struct pt_lua_fault *fault)
{
    lua_pushnil(L);
    if (fault->line > 0)
        lua_pushfstring(L, "%s:%d: %s", fault->file, fault->line, fault->message);
    else
        lua_pushstring(L, fault->message);
    return 2;
}

/* load(file or text [, name of the text [, interpret]]) -> script | nil, why */
static int load(lua_State *L)
{
    size_t len;
    const char *given = luaL_checklstring(L, 1, &len);
    bool is_file = ends_with(given, ".lua") && !strchr(given, '\n');
    const char *name = is_file ? given : luaL_optstring(L, 2, "spec.lua");
    lua_settop(L, 3);
    struct holder *holder = lua_newuserdata(L, sizeof *holder);
    memset(holder, 0, sizeof *holder);
    luaL_getmetatable(L, META);
    lua_setmetatable(L, -2);
    holder->file = strdup(name);
    holder->text = is_file ? read_file(given, &len) : malloc(len + 1);
    if (!holder->file || !holder->text) return luaL_error(L, "%s: cannot be read", name);
    if (is_file)
        read_libs(holder);
    else
        memcpy(holder->text, given, len + 1);
    holder->home = (struct pt_script_home){ .arena = &arena,
                                            .memory_bytes = MEMORY_BYTES,
                                            .libs = holder->libs,
                                            .nlibs = holder->nlibs,
                                            .interpret = lua_toboolean(L, 3) };
    if (pt_lua_script_load(&holder->script, &holder->home, holder->file, holder->text, len,
                           "0123456789abcdef") != PT_OK)
        return fail(L, &holder->script.fault);
    return 1;
}

static int script_declaration(lua_State *L)
{
    struct holder *holder = luaL_checkudata(L, 1, META);
    pt_lua_document_push(L, holder->script.declaration.document, false);
    return 1;
}

/* ---- bars
 * ---------------------------------------------------------------------------------------------------------
 */

static int64_t time_of(lua_State *L, int at)
{
    int64_t us = 0;
    size_t len;
    if (lua_type(L, at) == LUA_TNUMBER) return pt_time_from_epoch((int64_t)lua_tonumber(L, at));
    const char *text = lua_tolstring(L, at, &len);
    if (!text || pt_time_parse(text, len, &us) != PT_OK)
        luaL_error(L, "a time expected: seconds since 1970 or ISO text");
    return us;
}

/* Books come between whole seconds. */
static int64_t seconds_of(lua_State *L, int at)
{
    return (int64_t)llround(lua_tonumber(L, at) * 1e6);
}

static int64_t period_of(lua_State *L, int table)
{
    int64_t us = 0;
    size_t len;
    lua_getfield(L, table, "period");
    const char *text = lua_isnil(L, -1) ? "1h" : lua_tolstring(L, -1, &len);
    if (!text || pt_period_parse(text, strlen(text), &us) != PT_OK)
        luaL_error(L, "period: '1m' .. '1w' expected");
    lua_pop(L, 1);
    return us;
}

static size_t list_field(lua_State *L, int table, const char *name)
{
    lua_getfield(L, table, name);
    size_t n = lua_istable(L, -1) ? lua_objlen(L, -1) : 0;
    lua_pop(L, 1);
    return n;
}

/* { symbol, start | time, open, ..., taker_buy_quote_volume } as columns. */
static void take_bars(lua_State *L, int table, const char *fallback, int64_t period_us,
                      struct pt_memory_columns *out)
{
    const struct pt_kind *kind = pt_kind(PT_CANDLES);
    struct pt_err err = { 0 };
    size_t n = list_field(L, table, "time");
    for (unsigned c = 1; c < PT_COLUMNS_N && n == 0; c++)
        n = list_field(L, table, kind->cols[c].name);
    lua_getfield(L, table, "symbol");
    const char *symbol = luaL_optstring(L, -1, fallback);
    if (pt_memory_columns_init(out, symbol, period_us, n, &err) != PT_OK)
        luaL_error(L, "%s", err.text);
    lua_pop(L, 1);

    lua_getfield(L, table, "time");
    if (lua_istable(L, -1)) {
        for (size_t i = 0; i < n; i++) {
            lua_rawgeti(L, -1, (int)(i + 1));
            out->time_us[i] = time_of(L, lua_gettop(L));
            lua_pop(L, 1);
            if (i > 0 && out->time_us[i] <= out->time_us[i - 1])
                luaL_error(L, "time must rise (element %d)", (int)(i + 1));
        }
    } else {
        lua_getfield(L, table, "start");
        int64_t start_us = lua_isnil(L, -1) ? INT64_C(1735689600000000)
                                            : time_of(L, lua_gettop(L)); /* 2025-01-01 */
        lua_pop(L, 1);
        for (size_t i = 0; i < n; i++) out->time_us[i] = start_us + (int64_t)i * period_us;
    }
    lua_pop(L, 1);

    for (unsigned c = 1; c < PT_COLUMNS_N; c++) {
        lua_getfield(L, table, kind->cols[c].name);
        for (size_t i = 0; lua_istable(L, -1) && i < n; i++) {
            lua_rawgeti(L, -1, (int)(i + 1));
            if (lua_isnumber(L, -1)) out->mem[c][i] = lua_tonumber(L, -1);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
}

/* ---- running
 * --------------------------------------------------------------------------------------------------------
 */

/* A market that the spec makes up: the bars of each symbol. */
struct spec_market {
    struct pt_market market; /* first */
    size_t n;
    struct pt_memory_columns *v; /* owned, sorted by symbol */
};

static enum pt_code load_column(struct pt_market *market, unsigned col, struct pt_err *err)
{
    const struct spec_market *spec = (struct spec_market *)market;
    (void)err;
    for (size_t i = 0; i < spec->n; i++) {
        const struct pt_columns *columns = &spec->v[i].columns;
        size_t at = pt_market_find(market, columns->symbol);
        if (at != SIZE_MAX)
            pt_market_fill(market, col, at, columns->n, columns->time_us, columns->data[col]);
    }
    return PT_OK;
}

static const struct pt_market_source spec_source = { load_column };

static int by_symbol(const void *a, const void *b)
{
    const struct pt_memory_columns *x = a, *y = b;
    return strcmp(x->columns.symbol, y->columns.symbol);
}

/* market = { BTCUSDT = { close = { ... } }, ... }, cut at limit_us; *close_us: the newest close. */
static void take_symbols(lua_State *L, struct spec_market *spec, int64_t period_us,
                         int64_t limit_us, int64_t *close_us)
{
    size_t n = 0;
    *close_us = PT_MISSING;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) n++;
    spec->v = calloc(n ? n : 1, sizeof *spec->v);
    if (!spec->v) luaL_error(L, "no memory for %d symbols", (int)n);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING || !lua_istable(L, -1))
            luaL_error(L, "market: a table SYMBOL = { columns } expected");
        struct pt_memory_columns *bars = &spec->v[spec->n++];
        take_bars(L, lua_gettop(L), lua_tostring(L, -2), period_us, bars);
        struct pt_columns *columns = &bars->columns;
        while (columns->n > 0 && columns->time_us[columns->n - 1] + period_us > limit_us)
            columns->n--;
        if (columns->n == 0) continue;
        int64_t last_us = columns->time_us[columns->n - 1] + period_us;
        if (*close_us == PT_MISSING || last_us > *close_us) *close_us = last_us;
    }
    qsort(spec->v, spec->n, sizeof *spec->v, by_symbol);
}

static void open_spec_market(lua_State *L, struct spec_market *spec, struct pt_script_call *call)
{
    struct pt_market *market = &spec->market;
    struct pt_err err = { 0 };
    enum pt_code rc = pt_panel_blas_check(&err);
    pt_panel_blas_one_thread();
    if (rc == PT_OK)
        rc = pt_market_begin(market, &spec_source, call->period_us, call->as_of_us, call->rows,
                             &err);
    for (size_t i = 0; i < spec->n && rc == PT_OK; i++) {
        const struct pt_columns *columns = &spec->v[i].columns;
        rc = pt_market_add(market, columns->symbol, columns->n, columns->time_us,
                           columns->data[PT_C_CLOSE], &err);
    }
    if (rc != PT_OK) luaL_error(L, "%s", err.text);
    lua_getfield(L, 2, "benchmark");
    pt_market_end(market, "BTCUSDT", lua_isstring(L, -1) ? lua_tostring(L, -1) : NULL);
    lua_pop(L, 1);
    call->market = market;
}

static void spec_market_fini(struct spec_market *spec)
{
    for (size_t i = 0; i < spec->n; i++) pt_memory_columns_fini(&spec->v[i]);
    free(spec->v);
    pt_market_fini(&spec->market);
}

/* A whole run in one place, so that everything is freed when something raises: lua_cpcall ends
 * here. */
struct spec_run {
    struct holder *holder;
    struct pt_memory_columns bars, benchmark;
    struct pt_memory_books books;
    struct spec_market market;
    bson_t params, metrics;
    bson_t *docs[16];
    struct pt_metric list[16];
    size_t nmetrics;
    bson_t *doc;
    int64_t elapsed_us;
};

static void take_benchmark(lua_State *L, struct spec_run *run)
{
    struct pt_err err = { 0 };
    lua_getfield(L, 2, "benchmark");
    if (lua_istable(L, -1)) {
        take_bars(L, lua_gettop(L), "BTCUSDT", run->bars.columns.period_us, &run->benchmark);
        if (pt_memory_columns_benchmark(&run->bars, &run->benchmark, &err) != PT_OK)
            luaL_error(L, "%s", err.text);
    }
    lua_pop(L, 1);
    lua_getfield(L, 2, "signed_trades");
    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "buy");
        lua_getfield(L, -2, "sell");
        run->bars.has_trades = true;
        run->bars.trades =
            (struct pt_signed_trades){ lua_tonumber(L, -2), lua_tonumber(L, -1), NULL };
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
}

/* One side of a book on top: { { price, quantity }, ... }, best first. */
static void take_side(lua_State *L, double levels[2][PT_DEPTH_LEVELS], size_t row)
{
    size_t n = lua_istable(L, -1) ? lua_objlen(L, -1) : 0;
    if (n > PT_DEPTH_LEVELS)
        luaL_error(L, "book %d: %d levels of a side are stored, got %d", (int)row + 1,
                   PT_DEPTH_LEVELS, (int)n);
    for (size_t i = 0; i < PT_DEPTH_LEVELS; i++) {
        levels[0][i] = levels[1][i] = NAN;
        if (i >= n) continue;
        lua_rawgeti(L, -1, (int)i + 1);
        for (int part = 0; part < 2; part++) {
            if (!lua_istable(L, -1))
                luaL_error(L, "book %d: { price, quantity } expected", (int)row + 1);
            lua_rawgeti(L, -1, part + 1);
            levels[part][i] = luaL_checknumber(L, -1);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
}

/* books = { { time = .., bids = { { price, quantity }, .. }, asks = .. }, .. }; without levels it
 * is a break. */
static void take_books(lua_State *L, struct spec_run *run, int64_t limit_us)
{
    static const char *const sides[] = { "bids", "asks" };
    struct pt_memory_books *books = &run->books;
    struct pt_err err = { 0 };
    size_t n = list_field(L, 2, "books");
    if (pt_memory_books_init(books, run->bars.columns.symbol, n, &err) != PT_OK)
        luaL_error(L, "%s", err.text);
    lua_getfield(L, 2, "books");
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        lua_getfield(L, -1, "time");
        books->time_us[i] = lua_type(L, -1) == LUA_TNUMBER ? seconds_of(L, lua_gettop(L))
                                                           : time_of(L, lua_gettop(L));
        lua_pop(L, 1);
        if (i > 0 && books->time_us[i] <= books->time_us[i - 1])
            luaL_error(L, "books: time must rise (book %d)", (int)i + 1);
        for (int s = 0; s < 2; s++) {
            lua_getfield(L, -1, sides[s]);
            take_side(L, books->levels[i][s], i);
            lua_pop(L, 1);
        }
        books->bid[i] = books->levels[i][0][0][0];
        books->ask[i] = books->levels[i][1][0][0];
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    pt_memory_books_close(books, limit_us);
}

/* funding = { time = { ... }, rate = { ... }, mark_price = { ... } }, marks likewise: columns by
 * name, what is left out is missing; times in seconds or as text. */
static void take_others(lua_State *L, struct spec_run *run, enum pt_kind_id id)
{
    const struct pt_kind *kind = pt_kind(id);
    double cells[PT_COLS_MAX];
    struct pt_err err = { 0 };
    lua_getfield(L, 2, kind->name);
    if (lua_istable(L, -1)) {
        size_t n = list_field(L, lua_gettop(L), "time");
        for (size_t i = 0; i < n; i++) {
            for (unsigned c = 0; c < kind->ncols; c++) {
                bool time = kind->cols[c].type == PT_TYPE_TIME;
                cells[c] = NAN;
                lua_getfield(L, -1, c == 0 ? "time" : kind->cols[c].name);
                if (lua_istable(L, -1)) lua_rawgeti(L, -1, (int)i + 1);
                if (time && !lua_isnil(L, -1))
                    cells[c] = (double)time_of(L, lua_gettop(L));
                else if (lua_isnumber(L, -1))
                    cells[c] = lua_tonumber(L, -1);
                lua_settop(L, 3);
            }
            if (pt_memory_columns_other(&run->bars, id, cells, &err) != PT_OK)
                luaL_error(L, "%s", err.text);
        }
    }
    lua_settop(L, 2);
}

/* metrics = { volatility = { percentile = 0.8 } }: results of other scripts, status "ok" unless
 * `status` says another. */
static void take_metrics(lua_State *L, struct spec_run *run)
{
    lua_getfield(L, 2, "metrics");
    for (lua_pushnil(L); lua_istable(L, -2) && lua_next(L, -2); lua_pop(L, 1)) {
        if (run->nmetrics == sizeof run->docs / sizeof *run->docs)
            luaL_error(L, "too many metrics");
        lua_getfield(L, -1, "status");
        const char *status = luaL_optstring(L, -1, "ok");
        bson_t *doc = run->docs[run->nmetrics] = bson_new();
        bson_append_utf8(doc, "status", -1, status, -1);
        lua_pop(L, 1);
        append_plain(L, doc, "data");
        run->list[run->nmetrics++] = (struct pt_metric){ lua_tostring(L, -2), doc };
    }
    lua_pop(L, 1);
}

static int run_spec(lua_State *L)
{
    struct spec_run *run = lua_touserdata(L, 1);
    struct pt_lua_script *script = &run->holder->script;
    struct pt_columns *columns = &run->bars.columns;
    struct pt_err err = { 0 };
    int64_t period_us = period_of(L, 2), own_us = script->declaration.bars_us;
    int64_t bars_us = own_us > 0 ? own_us : period_us, market_us = PT_MISSING;
    bool market = script->declaration.market;
    take_bars(L, 2, "TESTUSDT", bars_us, &run->bars);
    lua_getfield(L, 2, "as_of");
    bool by_books = script->declaration.books_us > 0;
    int64_t limit_us = lua_isnil(L, -1)                             ? INT64_MAX
                       : by_books && lua_type(L, -1) == LUA_TNUMBER ? seconds_of(L, lua_gettop(L))
                                                                    : time_of(L, lua_gettop(L));
    lua_pop(L, 1);
    lua_getfield(L, 2, "market");
    if (lua_istable(L, -1) != market)
        luaL_error(L, market ? "market = { SYMBOL = { columns } } expected"
                             : "a market for a script that needs none");
    if (market) take_symbols(L, &run->market, period_us, limit_us, &market_us);
    lua_pop(L, 1);
    while (columns->n > 0 && columns->time_us[columns->n - 1] + bars_us > limit_us) columns->n--;
    columns->as_of_us = columns->n > 0 ? columns->time_us[columns->n - 1] + bars_us : PT_MISSING;
    if (!market) {
        take_benchmark(L, run);
        take_others(L, run, PT_FUNDING);
        take_others(L, run, PT_MARKS);
    }
    take_metrics(L, run);
    take_books(L, run, limit_us);
    if (by_books && run->books.books.as_of_us != PT_MISSING) { /* bars that are closed by then */
        columns->as_of_us = pt_period_floor(bars_us, run->books.books.as_of_us);
        while (columns->n > 0 && columns->time_us[columns->n - 1] >= columns->as_of_us)
            columns->n--;
    }

    struct pt_script_call call = { .symbol = market ? "" : columns->symbol,
                                   .period_us = period_us,
                                   .as_of_us = market     ? market_us
                                               : by_books ? run->books.books.as_of_us
                                                          : columns->as_of_us,
                                   .books = &run->books.books,
                                   .now_us = pt_now_us(),
                                   .columns = columns,
                                   .metrics = run->list,
                                   .nmetrics = run->nmetrics };
    bson_t given;
    lua_getfield(L, 2, "whole");
    call.whole = lua_toboolean(L, -1);
    lua_pop(L, 1);
    lua_getfield(L, 2, "params");
    if (lua_istable(L, -1)) append_plain(L, &run->params, "params");
    lua_pop(L, 1);
    bool some = pt_doc_child(&run->params, "params", &given);
    if (pt_params_read(&script->declaration, some ? &given : NULL, &call.params, &err) != PT_OK)
        luaL_error(L, "%s", err.text);
    bool sized = pt_lua_script_size(script, &call) == PT_OK;
    if (sized && market && call.as_of_us != PT_MISSING) open_spec_market(L, &run->market, &call);
    int64_t start_us = pt_mono_us();
    if (sized)
        run->doc = pt_lua_script_run(script, &call);
    else
        run->doc = pt_lua_script_failed(script, &call, &script->fault);
    run->elapsed_us = pt_mono_us() - start_us;
    if (!run->doc) luaL_error(L, "no memory for the result");
    pt_lua_document_push(L, run->doc, false);
    lua_pushnumber(L, (lua_Number)run->elapsed_us);
    lua_setfield(L, -2, "elapsed_us");
    return 1;
}

static int script_run(lua_State *L)
{
    struct spec_run run = { .holder = luaL_checkudata(L, 1, META) };
    luaL_checktype(L, 2, LUA_TTABLE);
    bson_init(&run.params);
    lua_settop(L, 2);
    lua_pushcfunction(L, run_spec);
    lua_pushlightuserdata(L, &run);
    lua_pushvalue(L, 2);
    int status = lua_pcall(L, 2, 1, 0);
    pt_memory_columns_fini(&run.bars);
    pt_memory_columns_fini(&run.benchmark);
    pt_memory_books_fini(&run.books);
    spec_market_fini(&run.market);
    bson_destroy(&run.params);
    for (size_t i = 0; i < run.nmetrics; i++) bson_destroy(run.docs[i]);
    if (run.doc) bson_destroy(run.doc);
    if (status != 0) return lua_error(L);
    return 1;
}

/* ---- checking
 * ------------------------------------------------------------------------------------------ */

static void push_findings(lua_State *L, const struct pt_check *check)
{
    lua_createtable(L, (int)check->nfindings, 0);
    for (size_t i = 0; i < check->nfindings; i++) {
        const struct pt_finding *finding = &check->findings[i];
        lua_createtable(L, 0, 3);
        lua_pushstring(L, finding->file);
        lua_setfield(L, -2, "file");
        lua_pushinteger(L, finding->line);
        lua_setfield(L, -2, "line");
        lua_pushstring(L, finding->message);
        lua_setfield(L, -2, "message");
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static void push_figures(lua_State *L, const struct pt_check *check)
{
    lua_createtable(L, 0, 6);
    lua_pushinteger(L, (lua_Integer)check->markets);
    lua_setfield(L, -2, "markets");
    lua_pushinteger(L, (lua_Integer)check->calls);
    lua_setfield(L, -2, "calls");
    lua_pushinteger(L, (lua_Integer)check->computed);
    lua_setfield(L, -2, "computed");
    lua_pushnumber(L, (lua_Number)check->elapsed_us);
    lua_setfield(L, -2, "elapsed_us");
    lua_pushnumber(L, (lua_Number)check->slowest_us);
    lua_setfield(L, -2, "slowest_us");
    lua_createtable(L, (int)check->nnotes, 0);
    for (size_t i = 0; i < check->nnotes; i++) {
        lua_pushstring(L, check->notes[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "notes");
}

#define OTHERS_MAX 16

/* check(script [, other script, ...]) -> { { file, line, message }, ... }, figures. The others give
 * what needs.metrics names. Nothing ends a call that stays in C for ever. */
static int check(lua_State *L)
{
    struct holder *holder = luaL_checkudata(L, 1, META);
    struct pt_lua_script *others[OTHERS_MAX];
    struct pt_check_opts opts = { .others = others };
    struct pt_check result;
    struct pt_err err = { 0 };
    luaL_argcheck(L, lua_gettop(L) <= OTHERS_MAX, OTHERS_MAX + 1, "too many scripts");
    for (int i = 2; i <= lua_gettop(L); i++) {
        struct holder *other = luaL_checkudata(L, i, META);
        others[opts.nothers++] = &other->script;
    }
    if (pt_check_script(&holder->script, &opts, &result, &err) != PT_OK)
        return luaL_error(L, "%s", err.text);
    push_findings(L, &result);
    push_figures(L, &result);
    return 2;
}

/* ---- eval: a piece of script, with values in and out
 * ------------------------------------------------------------------ */

struct eval {
    const char *text;
    size_t len;
    const bson_t *args;
    bson_t *out;
};

static void push_inner(lua_State *L, const bson_iter_t *iter)
{
    bson_t array;
    bson_iter_t item;
    uint32_t len = 0;
    const uint8_t *data = NULL;
    if (!BSON_ITER_HOLDS_ARRAY(iter)) {
        pt_lua_value_push(L, iter);
        return;
    }
    bson_iter_array(iter, &len, &data);
    if (!data || !bson_init_static(&array, data, len))
        luaL_error(L, "eval: a list of numbers expected");
    double *out = pt_lua_vec_push(L, bson_count_keys(&array));
    for (bson_iter_init(&item, &array); bson_iter_next(&item);) *out++ = bson_iter_as_double(&item);
}

static void append_inner(lua_State *L, bson_t *out, const char *key)
{
    const struct pt_lua_vec *v = pt_lua_vec_test(L, -1);
    bson_t child;
    if (!v) {
        if (lua_type(L, -1) == LUA_TUSERDATA)
            bson_append_utf8(out, key, -1, "userdata", -1);
        else
            append_plain(L, out, key);
        return;
    }
    bson_append_array_begin(out, key, -1, &child);
    for (int32_t i = 0; i < v->n; i++) {
        char index[16];
        snprintf(index, sizeof index, "%d", (int)i);
        bson_append_double(&child, index, -1, v->p[i]);
    }
    bson_append_array_end(out, &child);
}

static int eval_body(lua_State *L)
{
    struct eval *eval = lua_touserdata(L, 1);
    struct pt_vm *vm = pt_vm_of(L);
    bson_iter_t iter;
    int nargs = 0;
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->run);
    lua_pushlstring(L, eval->text, eval->len);
    lua_pushstring(L, vm->file);
    lua_call(L, 2, 1);
    pt_vm_begin(L, NULL, NULL);
    for (bson_iter_init(&iter, eval->args); bson_iter_next(&iter); nargs++) push_inner(L, &iter);
    int base = lua_gettop(L) - nargs - 1;
    lua_call(L, nargs, LUA_MULTRET);
    for (int i = base + 1, n = 0; i <= lua_gettop(L); i++, n++) {
        char index[16];
        snprintf(index, sizeof index, "%d", n);
        lua_pushvalue(L, i);
        append_inner(L, eval->out, index);
        lua_pop(L, 1);
    }
    return 0;
}

/* eval(text, ...) -> ...: runs text as the body of a function; raises what it raises. */
static int eval(lua_State *L)
{
    struct pt_err err = { 0 };
    struct pt_vm *vm;
    int nargs = lua_gettop(L) - 1;
    lua_pushliteral(L, "return function(...) ");
    lua_pushstring(L, luaL_checkstring(L, 1));
    lua_pushliteral(L, "\nend");
    lua_concat(L, 3);
    bson_t args = BSON_INITIALIZER, out = BSON_INITIALIZER;
    struct eval run = { .args = &args, .out = &out };
    run.text = lua_tolstring(L, -1, &run.len);
    for (int i = 0; i < nargs; i++) {
        char index[16];
        snprintf(index, sizeof index, "%d", i);
        lua_pushvalue(L, i + 2);
        append_plain(L, &args, index);
        lua_pop(L, 1);
    }
    enum pt_code rc = pt_vm_new(&arena, MEMORY_BYTES, "eval.lua", NULL, 0, &vm, &err);
    struct pt_lua_fault fault = { 0 };
    if (rc == PT_OK) {
        rc = pt_vm_protect(vm, eval_body, &run);
        fault = vm->fault;
        pt_vm_end(vm);
        pt_vm_free(vm);
    } else {
        pt_lua_fault_set(&fault, err.text);
    }
    if (rc == PT_OK) pt_lua_document_push(L, &out, true);
    bson_destroy(&args);
    int n = (int)bson_count_keys(&out);
    bson_destroy(&out);
    if (rc != PT_OK) {
        if (fault.line > 0)
            lua_pushfstring(L, "%s:%d: %s", fault.file, fault.line, fault.message);
        else
            lua_pushstring(L, fault.message);
        return lua_error(L);
    }
    luaL_checkstack(L, n, "results");
    int table = lua_gettop(L);
    for (int i = 1; i <= n; i++) lua_rawgeti(L, table, i);
    return n;
}

/* ---- the reference
 * ------------------------------------------------------------------------------------------------------
 */

/* reference() -> { { group, owner, name, signature, about, example }, ... } */
static int reference(lua_State *L)
{
    pt_lua_reference_push(L);
    return 1;
}

__attribute__((visibility("default"))) int luaopen_petrosa(lua_State *L);

int luaopen_petrosa(lua_State *L)
{
    static const luaL_Reg functions[] = { { "load", load },
                                          { "check", check },
                                          { "eval", eval },
                                          { "reference", reference },
                                          { NULL, NULL } };
    static const luaL_Reg methods[] = { { "run", script_run },
                                        { "check", check },
                                        { "declaration", script_declaration },
                                        { NULL, NULL } };
    luaL_newmetatable(L, META);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, holder_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    lua_newtable(L);
    luaL_setfuncs(L, functions, 0);
    return 1;
}
