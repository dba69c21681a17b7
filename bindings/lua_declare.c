/* lua_declare.c - a declaration out of the VM: its document and its figures.   [layer: bindings] */
#include "bindings/lua_declare.h"

#include "base/timefmt.h"
#include "bindings/lua_params.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 10000000
#define DEPTH_MAX 16

static void output_fini(struct pt_output *output)
{
    for (size_t i = 0; i < output->nfields; i++) output_fini(&output->fields[i]);
    free(output->fields);
    free(output->words);
    free(output->keys);
}

void pt_declaration_fini(struct pt_declaration *d)
{
    for (size_t i = 0; i < d->noutputs; i++) output_fini(&d->outputs[i]);
    for (size_t i = 0; i < d->nparams; i++) free(d->params[i].words);
    free(d->outputs);
    free(d->params);
    free(d->metrics);
    if (d->document) bson_destroy(d->document);
    memset(d, 0, sizeof *d);
}

/* ---- Lua -> document: the form that declare.lua makes
 * -------------------------------------------------- */

static void no_room(lua_State *L)
{
    luaL_error(L, "no memory for the declaration");
}

static void append_value(lua_State *L, bson_t *out, const char *key, int depth);

/* The list on top as members of out: keys and values alternate in an object, an array has values
 * only. */
static void append_members(lua_State *L, bson_t *out, bool object, int depth)
{
    int n = (int)lua_objlen(L, -1);
    char index[16];
    if (depth > DEPTH_MAX || !lua_checkstack(L, 8))
        luaL_error(L, "the declaration is nested too deeply");
    for (int i = 1; i <= n; i++) {
        const char *key = index;
        if (object)
            lua_rawgeti(L, -1, i++);
        else
            lua_pushnil(L); /* keeps the stack alike */
        if (object)
            key = lua_tostring(L, -1);
        else
            snprintf(index, sizeof index, "%d", i - 1);
        lua_rawgeti(L, -2, i);
        append_value(L, out, key, depth);
        lua_pop(L, 2);
    }
}

/* The value on top as member `key`. */
static void append_value(lua_State *L, bson_t *out, const char *key, int depth)
{
    bool good = false;
    size_t len;
    const char *text;
    switch (lua_type(L, -1)) {
    case LUA_TBOOLEAN: good = bson_append_bool(out, key, -1, lua_toboolean(L, -1)); break;
    case LUA_TNUMBER: good = bson_append_int64(out, key, -1, (int64_t)lua_tonumber(L, -1)); break;
    case LUA_TSTRING:
        text = lua_tolstring(L, -1, &len);
        if (!bson_utf8_validate(text, len, false)) luaL_error(L, "%s: the text is not UTF-8", key);
        good = bson_append_utf8(out, key, -1, text, (int)len);
        break;
    case LUA_TTABLE: {
        lua_getfield(L, -1, "kind");
        text = lua_tostring(L, -1);
        char kind = text ? *text : '?';
        lua_pop(L, 1);
        if (kind == 'd') {
            lua_rawgeti(L, -1, 1);
            good = bson_append_double(out, key, -1, lua_tonumber(L, -1));
            lua_pop(L, 1);
        } else {
            /* when something raises below, freeing the outermost document frees all */
            bson_t child;
            bool object = kind == 'o';
            good = object ? bson_append_document_begin(out, key, -1, &child)
                          : bson_append_array_begin(out, key, -1, &child);
            if (!good) break;
            append_members(L, &child, object, depth + 1);
            good =
                object ? bson_append_document_end(out, &child) : bson_append_array_end(out, &child);
        }
        break;
    }
    default: break;
    }
    if (!good) no_room(L);
}

/* ---- document -> figures
 * ----------------------------------------------------------------------------------- */

static void *zeroed(lua_State *L, size_t n, size_t size)
{
    void *mem = calloc(n ? n : 1, size);
    if (!mem) no_room(L);
    return mem;
}

static size_t members(const bson_t *array)
{
    return bson_count_keys(array);
}

/* The texts of an array member, borrowed; *out is owned by what the caller frees. */
static size_t take_texts(lua_State *L, const bson_t *doc, const char *key, const char ***out)
{
    bson_t array;
    bson_iter_t iter;
    size_t n = 0;
    if (!pt_doc_child(doc, key, &array)) return 0;
    *out = zeroed(L, members(&array), sizeof **out);
    for (bson_iter_init(&iter, &array); bson_iter_next(&iter);) {
        if (!BSON_ITER_HOLDS_UTF8(&iter)) luaL_error(L, "%s: texts expected", key);
        (*out)[n++] = bson_iter_utf8(&iter, NULL);
    }
    return n;
}

/* The document at an iterator over an array of documents. */
static bool next_document(bson_iter_t *iter, bson_t *out)
{
    uint32_t len = 0;
    const uint8_t *data = NULL;
    if (!bson_iter_next(iter)) return false;
    bson_iter_document(iter, &len, &data);
    return data && bson_init_static(out, data, len);
}

static size_t word_index(const char *const *words, size_t n, const char *word)
{
    size_t i = 0;
    while (i < n && strcmp(words[i], word) != 0) i++;
    return i;
}

/* A number, or a span as us. */
static bool number_member(const bson_t *doc, const char *key, double *x)
{
    int64_t whole;
    const char *text;
    if (pt_doc_text(doc, key, &text) && pt_span_parse(text, strlen(text), &whole) == PT_OK) {
        *x = (double)whole;
        return true;
    }
    if (pt_doc_double(doc, key, x)) return true;
    if (!pt_doc_int(doc, key, &whole)) return false;
    *x = (double)whole;
    return true;
}

static void take_param(lua_State *L, const bson_t *doc, struct pt_param *param)
{
    const char *type = "", *word = "";
    bool yes = false;
    param->min = -INFINITY;
    param->max = INFINITY;
    pt_doc_text(doc, "name", &param->name);
    pt_doc_text(doc, "type", &type);
    number_member(doc, "min", &param->min);
    number_member(doc, "max", &param->max);
    param->nwords = take_texts(L, doc, "words", &param->words);
    if (strcmp(type, "enum") == 0) {
        param->type = PT_PARAM_ENUM;
        pt_doc_text(doc, "default", &word);
        param->fallback = (double)word_index(param->words, param->nwords, word);
    } else if (strcmp(type, "bool") == 0) {
        param->type = PT_PARAM_BOOL;
        pt_doc_bool(doc, "default", &yes);
        param->fallback = yes;
    } else {
        param->type = strcmp(type, "int") == 0    ? PT_PARAM_INT
                      : strcmp(type, "span") == 0 ? PT_PARAM_SPAN
                                                  : PT_PARAM_NUMBER;
        number_member(doc, "default", &param->fallback);
    }
}

static void take_output(lua_State *L, const bson_t *doc, struct pt_output *output)
{
    static const char *const types[] = { "number", "int",    "text",   "bool",    "map",
                                         "list",   "record", "matrix", "records", "time" };
    const char *type = "", *unit = "", *keys;
    bson_t fields;
    bson_iter_t iter;
    pt_doc_text(doc, "name", &output->name);
    pt_doc_text(doc, "type", &type);
    output->type = (enum pt_output_type)word_index(types, sizeof types / sizeof *types, type);
    output->nwords = take_texts(L, doc, "words", &output->words);
    output->nkeys = take_texts(L, doc, "keys", &output->keys);
    output->by_symbol = pt_doc_text(doc, "keys", &keys);
    pt_doc_text(doc, "unit", &unit);
    output->counts = output->type == PT_OUTPUT_MATRIX && strcmp(unit, "count") == 0;
    if (!pt_doc_child(doc, "fields", &fields)) return;
    output->fields = zeroed(L, members(&fields), sizeof *output->fields);
    bson_t field;
    bson_iter_init(&iter, &fields);
    while (next_document(&iter, &field)) take_output(L, &field, &output->fields[output->nfields++]);
}

static void take_figures(lua_State *L, struct pt_declaration *d)
{
    bson_t list, entry;
    bson_iter_t iter;
    const char *name = "";
    int64_t rows = 1;
    pt_doc_text(d->document, "name", &name);
    snprintf(d->name, sizeof d->name, "%s", name);
    pt_doc_text(d->document, "kind", &d->kind);
    pt_doc_text(d->document, "method", &d->method);
    pt_doc_text(d->document, "method_version", &d->method_version);
    if (pt_doc_child(d->document, "needs.candles", &entry) ||
        (d->market = pt_doc_child(d->document, "needs.market", &entry))) {
        pt_doc_text(&entry, "span", &d->span);
        if (pt_doc_int(&entry, "bars", &rows)) d->bars = (size_t)rows;
        if (pt_doc_int(&entry, "min", &rows)) d->min = (size_t)rows;
        if (pt_doc_int(&entry, "symbols", &rows)) d->symbols = (size_t)rows;
    }
    pt_doc_text(d->document, "needs.books.span", &d->books_span);
    d->regime = strcmp(d->kind, "regime") == 0 || strcmp(d->kind, "alert") == 0;
    d->detector = strcmp(d->kind, "anomaly") == 0;

    if (pt_doc_child(d->document, "params", &list)) {
        d->params = zeroed(L, members(&list), sizeof *d->params);
        bson_iter_init(&iter, &list);
        while (next_document(&iter, &entry)) take_param(L, &entry, &d->params[d->nparams++]);
    }
    d->span_param = d->days_param = SIZE_MAX;
    for (size_t i = 0; d->market && i < d->nparams; i++)
        if (strcmp(d->params[i].name, d->span) == 0) d->span_param = i;
    if (pt_doc_text(d->document, "needs.candles.days", &name))
        for (size_t i = 0; i < d->nparams; i++)
            if (strcmp(d->params[i].name, name) == 0) d->days_param = i;
    if (pt_doc_child(d->document, "outputs", &list)) {
        d->outputs = zeroed(L, members(&list), sizeof *d->outputs);
        bson_iter_init(&iter, &list);
        while (next_document(&iter, &entry)) take_output(L, &entry, &d->outputs[d->noutputs++]);
    }
    d->nmetrics = take_texts(L, d->document, "needs.metrics", &d->metrics);
}

static int take_function(lua_State *L, const char *field)
{
    lua_getfield(L, -1, field);
    if (lua_type(L, -1) == LUA_TFUNCTION) return luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pop(L, 1);
    return LUA_NOREF;
}

static int64_t microseconds(lua_State *L, const char *field)
{
    lua_getfield(L, -1, field);
    int64_t us = (int64_t)lua_tonumber(L, -1); /* 0 when it is nil */
    lua_pop(L, 1);
    return us;
}

static bool flag(lua_State *L, const char *field)
{
    lua_getfield(L, -1, field);
    bool set = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return set;
}

void pt_declaration_load(lua_State *L, const char *text, size_t len, const char *file,
                         struct pt_declaration *d)
{
    struct pt_vm *vm = pt_vm_of(L);
    memset(d, 0, sizeof *d);
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->declare_begin);
    lua_pushlstring(L, text, len);
    lua_pushstring(L, file);
    lua_call(L, 2, 0);

    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->declare_take);
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->run);
    lua_pushlstring(L, text, len);
    lua_pushstring(L, file);
    lua_call(L, 2, 1);
    lua_call(L, 1, 1); /* on top: what declare.lua made of it */

    d->document = bson_new();
    if (!d->document) no_room(L);
    lua_getfield(L, -1, "document");
    append_members(L, d->document, true, 0);
    lua_pop(L, 1);
    take_figures(L, d);

    d->span_us = microseconds(L, "span_us");
    d->bars_us = microseconds(L, "bars_us");
    d->books_us = microseconds(L, "books_us");
    d->funding_us = microseconds(L, "funding_us");
    d->marks_us = microseconds(L, "marks_us");
    d->bars_fn = take_function(L, "bars");
    d->min_fn = take_function(L, "min");
    d->run = take_function(L, "run");
    d->severity = take_function(L, "severity");
    d->book_breaks = flag(L, "book_breaks");
    d->benchmark = flag(L, "benchmark");
    d->trades = flag(L, "trades");
    lua_pop(L, 1);
    vm->state.computing = 1; /* require belongs at the top */
}

/* A function of the parameters on top, and of the seconds of a bar. */
static size_t rows_by(lua_State *L, int fn, int64_t period_us, size_t fallback, const char *name)
{
    if (fn == LUA_NOREF) return fallback;
    lua_rawgeti(L, LUA_REGISTRYINDEX, fn);
    lua_pushvalue(L, -2);
    lua_pushnumber(L, (lua_Number)period_us / 1e6);
    lua_call(L, 2, 1);
    double x = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : NAN;
    if (!(x >= 1 && x <= ROWS_MAX && x == floor(x)))
        luaL_error(L, "needs.%s gives %s, wanted a whole number 1 .. %d", name,
                   lua_type(L, -1) == LUA_TNUMBER ? lua_tostring(L, -1) : luaL_typename(L, -1),
                   ROWS_MAX);
    lua_pop(L, 1);
    return (size_t)x;
}

/* Of the parameter that says how many days, when it is above 0. */
static int64_t days_us(const struct pt_declaration *d, const struct pt_params *params)
{
    double days = d->days_param < d->nparams ? params->v[d->days_param] : 0;
    return days > 0 ? (int64_t)(days * (double)PT_US_DAY) : 0;
}

int64_t pt_declaration_span_us(const struct pt_declaration *d, const struct pt_params *params)
{
    int64_t us = days_us(d, params);
    if (us > 0) return us;
    return d->span_param < d->nparams ? (int64_t)params->v[d->span_param] : d->span_us;
}

static int64_t span_rows(const struct pt_declaration *d, const struct pt_params *params,
                         int64_t period_us)
{
    int64_t us = pt_declaration_span_us(d, params);
    return us / period_us + (us % period_us != 0);
}

/* How many rows there must be room for, beside the span: a window of so many days is taken as it is
 * but for the fewest bars. */
static size_t room(const struct pt_declaration *d, const struct pt_params *params, size_t bars,
                   size_t min)
{
    return days_us(d, params) > 0 ? min : bars;
}

bool pt_declaration_plain_rows(const struct pt_declaration *d, const struct pt_params *params,
                               int64_t period_us, size_t *rows, size_t *min)
{
    int64_t span = span_rows(d, params, period_us);
    if (d->bars_fn != LUA_NOREF || d->min_fn != LUA_NOREF || span > ROWS_MAX) return false;
    *min = d->min;
    *rows = room(d, params, d->bars, d->min);
    if ((size_t)span > *rows) *rows = (size_t)span;
    return true;
}

void pt_declaration_rows(lua_State *L, const struct pt_declaration *d,
                         const struct pt_params *params, int64_t period_us, size_t *rows,
                         size_t *min)
{
    *rows = rows_by(L, d->bars_fn, period_us, d->bars, d->market ? "market.bars" : "candles.bars");
    *min = rows_by(L, d->min_fn, period_us, d->min, d->market ? "market.min" : "candles.min");
    *rows = room(d, params, *rows, *min);
    int64_t span = span_rows(d, params, period_us);
    if (span > ROWS_MAX)
        luaL_error(L, "a window of %f bars is too long, at most %d", (lua_Number)span, ROWS_MAX);
    if ((size_t)span > *rows) *rows = (size_t)span;
}

/* The function on top is of a script's or library's text. */
static bool is_own(lua_State *L)
{
    lua_Debug ar;
    if (!lua_isfunction(L, -1)) return false;
    lua_pushvalue(L, -1);
    return lua_getinfo(L, ">S", &ar) && ar.source[0] == '@';
}

void pt_declaration_function(lua_State *L, int ref)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
    int at = lua_gettop(L);
    if (is_own(L)) return;
    for (int i = 1; lua_isfunction(L, at) && lua_getupvalue(L, at, i); i++) {
        if (is_own(L)) {
            lua_remove(L, at);
            return;
        }
        lua_pop(L, 1);
    }
}
