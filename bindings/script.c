/* script.c - loading a script and calling it.                                  [layer: bindings] */
#include "bindings/script.h"

#include "base/decimal.h"
#include "bindings/lua_document.h"
#include "bindings/lua_market.h"
#include "bindings/lua_result.h"
#include "bindings/lua_window.h"

#include <luajit.h>
#include <stdio.h>
#include <string.h>

/* FNV-1a over what the call depends on: math.random gives the same numbers for the same window. */
static uint64_t mix(uint64_t h, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < len; i++) h = (h ^ p[i]) * UINT64_C(1099511628211);
    return h;
}

/* ---- loading
 * ------------------------------------------------------------------------------------------- */

static int load_body(lua_State *L)
{
    struct pt_lua_script *script = lua_touserdata(L, 1);
    pt_declaration_load(L, script->text, script->len, script->file, &script->declaration);
    return 0;
}

static enum pt_code start(struct pt_lua_script *script)
{
    struct pt_err err = { 0 };
    const struct pt_script_home *home = script->home;
    script->fault = (struct pt_lua_fault){ 0 };
    if (pt_vm_new(home->arena, home->memory_bytes, script->file, home->libs, home->nlibs,
                  &script->vm, &err) != PT_OK) {
        snprintf(script->fault.message, sizeof script->fault.message, "%s", err.text);
        return PT_ESCRIPT;
    }
    if (home->interpret) luaJIT_setmode(script->vm->L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    if (pt_vm_protect(script->vm, load_body, script) == PT_OK) {
        pt_vm_end(script->vm); /* vectors that the file made are gone with the arena */
        return PT_OK;
    }
    script->fault = script->vm->fault;
    pt_arena_reset(home->arena);
    pt_vm_free(script->vm);
    script->vm = NULL;
    pt_declaration_fini(&script->declaration);
    return PT_ESCRIPT;
}

/* A VM that ran full or keeps too much is made anew from the same text. If that fails, the script
 * has no VM, and its declaration still says what its results look like. */
static void restart(struct pt_lua_script *script)
{
    struct pt_lua_fault fault = script->fault;
    struct pt_declaration was = script->declaration;
    pt_vm_free(script->vm);
    script->vm = NULL;
    script->restarts++;
    script->declaration = (struct pt_declaration){ 0 };
    if (start(script) == PT_OK) {
        script->fault = fault;
        pt_declaration_fini(&was);
    } else {
        script->declaration = was;
    }
}

enum pt_code pt_lua_script_load(struct pt_lua_script *script, const struct pt_script_home *home,
                                const char *file, const char *text, size_t len, const char *hash)
{
    *script = (struct pt_lua_script){
        .home = home, .file = file, .text = text, .len = len, .hash = hash
    };
    script->seed = mix(UINT64_C(14695981039346656037), hash, strlen(hash));
    return start(script);
}

void pt_lua_script_fini(struct pt_lua_script *script)
{
    pt_vm_free(script->vm);
    pt_declaration_fini(&script->declaration);
    memset(script, 0, sizeof *script);
}

/* ---- numbers of a call
 * ------------------------------------------------------------------------------------ */

struct seed {
    const struct pt_lua_script *script;
    const struct pt_script_call *call;
};

static uint64_t seed_of(const void *ud)
{
    const struct seed *seed = ud;
    const struct pt_lua_script *script = seed->script;
    const struct pt_script_call *call = seed->call;
    if (call->seed != 0) return call->seed;
    uint64_t h =
        mix(script->seed, call->params.v, script->declaration.nparams * sizeof *call->params.v);
    h = mix(h, call->symbol, strlen(call->symbol) + 1);
    h = mix(h, &call->period_us, sizeof call->period_us);
    return mix(h, &call->as_of_us, sizeof call->as_of_us);
}

/* ---- sizing
 * ---------------------------------------------------------------------------------------------- */

struct size_run {
    struct pt_lua_script *script;
    struct pt_script_call *call;
};

static int size_body(lua_State *L)
{
    const struct size_run *run = lua_touserdata(L, 1);
    const struct seed seed = { run->script, run->call };
    /* a call of its own: it has its own random numbers, and what it makes does not last */
    pt_vm_begin(L, seed_of, &seed);
    pt_params_push(L, &run->script->declaration, &run->call->params);
    pt_declaration_rows(L, &run->script->declaration, &run->call->params, run->call->bars_us,
                        &run->call->rows, &run->call->min);
    return 0;
}

bool pt_lua_script_sizes_itself(const struct pt_lua_script *script)
{
    const struct pt_declaration *d = &script->declaration;
    return script->vm && d->span && (d->bars_fn != LUA_NOREF || d->min_fn != LUA_NOREF);
}

enum pt_code pt_lua_script_size(struct pt_lua_script *script, struct pt_script_call *call)
{
    struct size_run run = { script, call };
    call->rows = call->min = 0;
    call->bars_us = script->declaration.bars_us > 0 ? script->declaration.bars_us : call->period_us;
    if (!script->vm) return PT_ESCRIPT;
    if (!script->declaration.span) return PT_OK;
    if (pt_declaration_plain_rows(&script->declaration, &call->params, call->bars_us, &call->rows,
                                  &call->min))
        return PT_OK;
    enum pt_code rc = pt_vm_protect(script->vm, size_body, &run);
    bool full = script->vm->memory.refused;
    script->fault = script->vm->fault;
    if (!pt_vm_end(script->vm) || full) restart(script);
    return rc;
}

/* ---- calling
 * ---------------------------------------------------------------------------------------------- */

static const bson_t *find_metric(const struct pt_script_call *call, const char *name)
{
    const char *status;
    for (size_t i = 0; i < call->nmetrics; i++) {
        if (strcmp(call->metrics[i].name, name) != 0) continue;
        bool good = pt_doc_text(call->metrics[i].doc, "status", &status) &&
                    strcmp(status, "error") != 0 && strcmp(status, "empty") != 0;
        return good ? call->metrics[i].doc : NULL;
    }
    return NULL;
}

static void push_metrics(lua_State *L, const struct pt_declaration *d,
                         const struct pt_script_call *call)
{
    lua_newtable(L);
    for (size_t i = 0; i < d->nmetrics; i++) {
        bson_t data;
        const bson_t *doc = find_metric(call, d->metrics[i]);
        if (!doc || !pt_doc_child(doc, "data", &data)) continue;
        pt_lua_document_push(L, &data, false);
        lua_setfield(L, -2, d->metrics[i]);
    }
}

struct run {
    struct pt_lua_script *script;
    const struct pt_script_call *call;
    struct pt_lua_window window;
    struct pt_columns no_bars; /* of a script without candles */
    struct pt_lua_books books;
    bson_t *data, *reasons;
};

/* Bytes that the result may have. */
static size_t room_of(const struct run *run)
{
    const struct pt_declaration *d = &run->script->declaration;
    bool large = d->market || (d->detector && run->call->whole);
    return large ? PT_MARKET_RESULT_MAX : PT_RESULT_MAX;
}

static int run_body(lua_State *L)
{
    struct run *run = lua_touserdata(L, 1);
    const struct pt_declaration *d = &run->script->declaration;
    const struct seed seed = { run->script, run->call };
    pt_vm_begin(L, seed_of, &seed);
    lua_rawgeti(L, LUA_REGISTRYINDEX, d->run);
    /* compute(w, p, m), classify(m, p, w); hits.lua takes one more */
    for (int i = 0; i < 3; i++) {
        bool window = i == (d->regime ? 2 : 0), metrics = i == (d->regime ? 0 : 2);
        if (window && d->market)
            pt_lua_market_push(L, run->call->market, run->call->rows);
        else if (window && (d->span || d->books_us > 0))
            pt_lua_window_push(L, &run->window);
        else if (metrics && d->nmetrics > 0)
            push_metrics(L, d, run->call);
        else if (i == 1)
            pt_params_push(L, d, &run->call->params);
        else
            lua_pushnil(L);
    }
    if (d->detector) lua_pushboolean(L, run->call->whole);
    lua_call(L, d->detector ? 4 : 3, 1);
    pt_result_values(L, d, run->call->market, room_of(run), run->data, run->reasons);
    return 0;
}

/* The bars beside books. Their window ends with the newest book, so bars may lack at its end too:
 * what was made of older ones must not look like news. */
static void describe_bars(const struct run *run, struct pt_result *result)
{
    const struct pt_lua_window *w = &run->window;
    const struct pt_columns *columns = w->columns;
    result->has_bars = true;
    result->bar_rows = w->n;
    result->bar_expected = w->expected;
    pt_columns_gaps(columns, w->from, w->n, &result->bar_gaps, &result->bar_missing);
    if (w->n == 0) return; /* the series has not begun: what needs it is null */
    int64_t end_us = columns->time_us[w->from + w->n - 1] + columns->period_us;
    if (end_us >= columns->as_of_us) return;
    result->bar_gaps++;
    result->bar_missing += (size_t)((columns->as_of_us - end_us) / columns->period_us);
}

/* Where there are books, they say how it is; of bars, holes and fewer than the script asks for. */
static void describe_books(const struct run *run, struct pt_result *result)
{
    const struct pt_declaration *d = &run->script->declaration;
    const struct pt_lua_books *b = &run->books;
    if (d->span) describe_bars(run, result);
    result->broken = b->books->levels[0] == 0;
    result->window = d->books_span;
    result->by_books = true;
    result->rows = b->books->n - b->from;
    result->completeness = pt_books_known(b->books, b->from, b->span_us, &result->gaps);
    result->status = d->span && run->window.n < run->call->min ? "warming"
                     : result->gaps + result->bar_gaps > 0     ? "gap"
                                                               : "ok";
}

/* What the document says about a market. */
static void describe_market(const struct pt_declaration *d, const struct pt_script_call *call,
                            struct pt_result *result)
{
    const struct pt_market *market = call->market;
    double all = (double)market->n * (double)call->rows;
    result->market = market;
    result->rows = market->open_rows;
    result->expected = call->rows;
    result->completeness = all > 0 ? 100 * (double)market->bars / all : 0;
    result->gaps = market->gaps;
    result->missing = market->missing;
    bool few = market->open_rows < call->min || market->n < d->symbols;
    result->status = few ? "warming" : market->gaps + market->ndamaged > 0 ? "gap" : "ok";
}

/* What the document says about the window. */
static void describe(struct run *run, struct pt_result *result)
{
    const struct pt_declaration *d = &run->script->declaration;
    const struct pt_script_call *call = run->call;
    if (d->market) {
        describe_market(d, call, result);
        return;
    }
    if (d->books_us > 0) {
        describe_books(run, result);
        return;
    }
    if (d->span) {
        const struct pt_lua_window *w = &run->window;
        result->rows = w->n;
        result->expected = w->expected;
        result->completeness = w->expected > 0 ? 100 * (double)w->n / (double)w->expected : 0;
        pt_columns_gaps(w->columns, w->from, w->n, &result->gaps, &result->missing);
        result->status = w->n < call->min ? "warming" : result->gaps > 0 ? "gap" : "ok";
        return;
    }
    /* without candles of its own: those of the first metric it needs */
    const bson_t *doc = find_metric(call, d->metrics[0]);
    result->status = "warming";
    if (!doc) return;
    int64_t n = 0;
    pt_doc_text(doc, "status", &result->status);
    pt_doc_text(doc, "metadata.window", &result->window);
    pt_doc_double(doc, "metadata.completeness", &result->completeness);
    if (pt_doc_int(doc, "metadata.rows", &n)) result->rows = (size_t)n;
    if (pt_doc_int(doc, "metadata.expected", &n)) result->expected = (size_t)n;
    if (pt_doc_int(doc, "metadata.gaps", &n)) result->gaps = (size_t)n;
    if (pt_doc_int(doc, "metadata.missing", &n)) result->missing = (size_t)n;
}

/* How far the script looks back, as text: its span, or the bars that it wants where those take
 * longer. A market's is its span: what the script calls its window is a part of what it reads. */
static const char *window_of(const struct pt_declaration *d, struct pt_script_call *call)
{
    if (d->books_span) return d->books_span;
    int64_t rows_us = (int64_t)call->rows * call->bars_us;
    int64_t us = pt_declaration_span_us(d, &call->params);
    if (!d->market && rows_us - us >= call->bars_us) us = rows_us;
    if (us == d->span_us && d->span_param >= d->nparams) return d->span; /* as it was written */
    pt_span_print_days(us, call->span);
    return call->span;
}

static struct pt_result frame_of(const struct pt_lua_script *script, struct pt_script_call *call)
{
    return (struct pt_result){ .symbol = call->symbol,
                               .status = "error",
                               .window = window_of(&script->declaration, call),
                               .by_books = script->declaration.books_us > 0,
                               .period_us = call->period_us,
                               .as_of_us = call->as_of_us,
                               .now_us = call->now_us,
                               .derived_us = call->derived_us,
                               .params = &call->params,
                               .file = script->file,
                               .hash = script->hash };
}

/* A document with nothing but nulls. */
static bson_t *nothing(struct pt_lua_script *script, struct pt_result *result, const char *reason)
{
    bson_t data = BSON_INITIALIZER, reasons = BSON_INITIALIZER;
    bson_t *doc = NULL;
    if (pt_result_nulls(&script->declaration, reason, &data, &reasons)) {
        result->data = &data;
        result->reasons = &reasons;
        doc = pt_result_document(&script->declaration, result);
    }
    bson_destroy(&data);
    bson_destroy(&reasons);
    return doc;
}

bson_t *pt_lua_script_failed(struct pt_lua_script *script, struct pt_script_call *call,
                             const struct pt_lua_fault *fault)
{
    struct pt_result result = frame_of(script, call);
    result.fault = fault;
    return nothing(script, &result, "error");
}

static void open_window(struct run *run)
{
    const struct pt_declaration *d = &run->script->declaration;
    const struct pt_script_call *call = run->call;
    struct pt_lua_window *w = &run->window;
    if (d->books_us > 0) {
        run->books = (struct pt_lua_books){ .books = call->books, .span_us = d->books_us };
        run->books.from = pt_books_lower(call->books, call->books->as_of_us - d->books_us);
        w->books = &run->books;
    }
    if (!d->span) {
        pt_columns_none(&run->no_bars, call->symbol, call->period_us, call->as_of_us);
        w->columns = &run->no_bars;
        w->start_us = call->as_of_us;
        return;
    }
    w->columns = call->columns;
    w->expected = call->rows;
    w->start_us = call->columns->as_of_us - (int64_t)call->rows * call->bars_us;
    w->from = pt_columns_lower(call->columns, w->start_us);
    w->n = call->columns->n - w->from;
    w->benchmark = d->benchmark;
    w->trades = d->trades;
    w->funding_us = d->funding_us;
    w->marks_us = d->marks_us;
}

bson_t *pt_lua_script_run(struct pt_lua_script *script, struct pt_script_call *call)
{
    struct pt_result result = frame_of(script, call);
    struct run run = { .script = script, .call = call };
    const struct pt_declaration *d = &script->declaration;
    if (call->as_of_us == PT_MISSING) {
        result.status = "empty";
        return nothing(script, &result, "no_data");
    }
    if (!script->vm) return pt_lua_script_failed(script, call, &script->fault);
    if (!d->market && (d->span || d->books_us > 0)) open_window(&run);
    describe(&run, &result);
    if (result.broken && !d->book_breaks) {
        result.status = "gap";
        return nothing(script, &result, "no_book");
    }
    if (d->span && strcmp(result.status, "warming") == 0)
        return nothing(script, &result, "warming");

    bson_t data = BSON_INITIALIZER, reasons = BSON_INITIALIZER;
    bson_t *doc = NULL;
    run.data = &data;
    run.reasons = &reasons;
    enum pt_code rc = pt_vm_protect(script->vm, run_body, &run);
    bool full = script->vm->memory.refused;
    script->fault = script->vm->fault;
    if (rc == PT_OK) {
        result.data = &data;
        result.reasons = &reasons;
        doc = pt_result_document(d, &result);
        size_t most = room_of(&run);
        if (doc && doc->len > most) {
            bson_destroy(doc);
            doc = NULL;
            snprintf(script->fault.message, sizeof script->fault.message,
                     "the result is larger than %zu bytes", most);
            snprintf(script->fault.file, sizeof script->fault.file, "%s", script->file);
            rc = PT_ESCRIPT;
        }
    }
    if (rc != PT_OK) {
        result.status = "error";
        result.fault = &script->fault;
        doc = nothing(script, &result, "error");
    }
    bson_destroy(&data);
    bson_destroy(&reasons);
    if (!pt_vm_end(script->vm) || full) restart(script);
    return doc;
}
