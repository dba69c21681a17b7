/* lua_result.c - Lua values against declared outputs; the result document.     [layer: bindings] */
#include "bindings/lua_result.h"

#include "base/decimal.h"
#include "base/timefmt.h"
#include "bindings/lua_matrix.h"
#include "bindings/lua_vec.h"
#include "data/matrix.h"
#include "num/panel.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NO_ROOM "no memory for the result"

/* Where we are: "variance_ratio.10.z". */
struct path {
    char text[160];
    size_t len;
};

static size_t enter(struct path *path, const char *name)
{
    size_t was = path->len, room = sizeof path->text - 1 - was, len = strlen(name);
    if (was > 0 && room > 0) {
        path->text[path->len++] = '.';
        room--;
    }
    if (len > room) len = room;
    memcpy(path->text + path->len, name, len);
    path->len += len;
    path->text[path->len] = '\0';
    return was;
}

static void leave(struct path *path, size_t was)
{
    path->len = was;
    path->text[was] = '\0';
}

struct answer {
    lua_State *L;
    bson_t *data, *reasons;
    struct path path;
    const char *run;                /* name of the function */
    int line;                       /* where it begins */
    const struct pt_market *market; /* NULL: of one symbol */
    size_t most;                    /* bytes of a result */
    bool plain;                     /* inside of records: nil and NaN are null without a reason */
};

/* At the function's line: the return has gone by when its values are looked at. */
static void refuse(struct answer *a, const char *fmt, const char *x, const char *y)
{
    lua_State *L = a->L;
    struct pt_vm *vm = pt_vm_of(L);
    lua_pushfstring(L, "%s:%d: ", vm->file, a->line);
    lua_pushfstring(L, fmt, x, y);
    lua_concat(L, 2);
    lua_error(L);
}

static const char *type_words(lua_State *L, int at)
{
    struct pt_vm *vm = pt_vm_of(L);
    const char *name = luaL_typename(L, at);
    if (lua_type(L, at) == LUA_TNUMBER || !lua_getmetatable(L, at)) return name;
    const void *meta = lua_topointer(L, -1);
    lua_pop(L, 1);
    return meta == vm->vec_meta_at      ? "vector"
           : meta == vm->window_meta_at ? "window"
           : meta == vm->books_meta_at  ? "books"
           : meta == vm->market_meta_at ? "market"
           : meta == vm->matrix_meta_at ? "matrix"
                                        : name;
}

static void check_room(struct answer *a, const bson_t *out, size_t more)
{
    if (out->len + more > a->most)
        refuse(a, "output %s: the result is larger than %s", a->path.text,
               a->most > PT_RESULT_MAX ? "15 MiB" : "1 MiB");
}

static void append_null(struct answer *a, bson_t *out, const char *key, const char *reason)
{
    check_room(a, a->reasons, 0);
    if (!bson_append_null(out, key, -1) ||
        (!a->plain && !bson_append_utf8(a->reasons, a->path.text, -1, reason, -1)))
        refuse(a, "output %s: %s", a->path.text, NO_ROOM);
}

/* Appends null for nil and null("reason"); false when the value is neither. */
static bool append_missing(struct answer *a, bson_t *out, const char *key)
{
    lua_State *L = a->L;
    struct pt_vm *vm = pt_vm_of(L);
    if (lua_isnil(L, -1)) {
        append_null(a, out, key, "not_given");
        return true;
    }
    const char *reason = lua_touserdata(L, -1);
    if (!reason || !lua_getmetatable(L, -1)) return false;
    bool null = lua_topointer(L, -1) == vm->null_meta_at;
    lua_pop(L, 1);
    if (null) append_null(a, out, key, reason);
    return null;
}

static void append_number(struct answer *a, bson_t *out, const char *key, bool whole)
{
    lua_State *L = a->L;
    if (lua_type(L, -1) != LUA_TNUMBER)
        refuse(a, "output %s: number expected, got %s", a->path.text, type_words(L, -1));
    double x = lua_tonumber(L, -1);
    bool good;
    if (!isfinite(x)) {
        append_null(a, out, key, "not_finite");
        return;
    }
    if (whole) {
        char text[PT_DOUBLE_TEXT_MAX];
        if (x != floor(x) || fabs(x) > 9007199254740992) {
            pt_double_print(x, text);
            refuse(a, "output %s: whole number expected, got %s", a->path.text, text);
        }
        good = bson_append_int64(out, key, -1, (int64_t)x);
    } else {
        good = bson_append_double(out, key, -1, x);
    }
    if (!good) refuse(a, "output %s: %s", a->path.text, NO_ROOM);
}

static void append_text(struct answer *a, bson_t *out, const char *key,
                        const struct pt_output *output)
{
    lua_State *L = a->L;
    size_t len, i = 0;
    if (lua_type(L, -1) != LUA_TSTRING)
        refuse(a, "output %s: text expected, got %s", a->path.text, type_words(L, -1));
    const char *text = lua_tolstring(L, -1, &len);
    check_room(a, out, len);
    if (!bson_utf8_validate(text, len, false))
        refuse(a, "output %s: the text is not %s", a->path.text, "UTF-8");
    while (i < output->nwords && strcmp(output->words[i], text) != 0) i++;
    if (output->nwords > 0 && i == output->nwords)
        refuse(a, "output %s: '%s' is none of its words", a->path.text,
               len > 60 ? "the text" : text);
    if (!bson_append_utf8(out, key, -1, text, (int)len))
        refuse(a, "output %s: %s", a->path.text, NO_ROOM);
}

static void append_bool(struct answer *a, bson_t *out, const char *key)
{
    if (lua_type(a->L, -1) != LUA_TBOOLEAN)
        refuse(a, "output %s: true or false expected, got %s", a->path.text, type_words(a->L, -1));
    if (!bson_append_bool(out, key, -1, lua_toboolean(a->L, -1)))
        refuse(a, "output %s: %s", a->path.text, NO_ROOM);
}

static size_t count_entries(lua_State *L)
{
    size_t n = 0;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) n++;
    return n;
}

/* Names an entry of the table on top that `known` does not hold. */
static void refuse_unknown(struct answer *a, const char *what,
                           bool (*known)(const void *arg, const char *key), const void *arg)
{
    lua_State *L = a->L;
    char number[32];
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        const char *key = luaL_typename(L, -2);
        if (lua_type(L, -2) == LUA_TSTRING) {
            key = lua_tostring(L, -2);
        } else if (lua_type(L, -2) == LUA_TNUMBER) {
            snprintf(number, sizeof number, "%.14g",
                     lua_tonumber(L, -2)); /* converting the key itself would end the walk */
            key = number;
        }
        if (!known(arg, key)) {
            enter(&a->path, strlen(key) > 60 ? "..." : key);
            refuse(a, "output %s: %s", a->path.text, what);
        }
    }
    refuse(a, "output %s: an entry stands there twice, as number and as %s", a->path.text, "text");
}

static void append_value(struct answer *a, bson_t *out, const char *key,
                         const struct pt_output *output);

static bool is_field(const void *arg, const char *key)
{
    const struct pt_output *output = arg;
    for (size_t i = 0; i < output->nfields; i++) {
        if (strcmp(output->fields[i].name, key) == 0) return true;
    }
    return false;
}

/* The table on top as the fields of one entry. */
static void append_fields(struct answer *a, bson_t *out, const char *key,
                          const struct pt_output *output)
{
    lua_State *L = a->L;
    bson_t child;
    size_t found = 0;
    if (append_missing(a, out, key)) return;
    if (lua_type(L, -1) != LUA_TTABLE)
        refuse(a, "output %s: a table of its fields expected, got %s", a->path.text,
               type_words(L, -1));
    if (!bson_append_document_begin(out, key, -1, &child))
        refuse(a, "output %s: %s", a->path.text, NO_ROOM);
    for (size_t i = 0; i < output->nfields; i++) {
        size_t was = enter(&a->path, output->fields[i].name);
        lua_pushstring(L, output->fields[i].name);
        lua_rawget(L, -2);
        found += !lua_isnil(L, -1);
        append_value(a, &child, output->fields[i].name, &output->fields[i]);
        lua_pop(L, 1);
        leave(&a->path, was);
    }
    if (found != count_entries(L))
        refuse_unknown(a, "was not declared as a field", is_field, output);
    bson_append_document_end(out, &child);
}

static bool is_key(const void *arg, const char *key)
{
    const struct pt_output *output = arg;
    for (size_t i = 0; i < output->nkeys; i++) {
        if (strcmp(output->keys[i], key) == 0) return true;
    }
    return false;
}

/* t[key], or t[number] where the key is written as one. */
static void push_entry(lua_State *L, const char *key)
{
    lua_pushstring(L, key);
    lua_rawget(L, -2);
    if (!lua_isnil(L, -1) || key[0] < '0' || key[0] > '9') return;
    lua_pop(L, 1);
    char text[32];
    lua_pushstring(L, key);
    double number = lua_tonumber(L, -1);
    lua_pop(L, 1);
    snprintf(text, sizeof text, "%.14g", number);
    if (strcmp(text, key) != 0) { /* "007" is a text */
        lua_pushnil(L);
        return;
    }
    lua_pushnumber(L, number);
    lua_rawget(L, -2);
}

static void append_matrix(struct answer *a, bson_t *out, const char *key,
                          const struct pt_output *output)
{
    const struct pt_lua_matrix *x = pt_lua_matrix_test(a->L, -1);
    if (!x) refuse(a, "output %s: matrix expected, got %s", a->path.text, type_words(a->L, -1));
    enum pt_matrix_type type = output->counts ? PT_MATRIX_COUNT : PT_MATRIX_DECIMAL;
    for (size_t k = 0; output->counts && k < x->n * x->n; k++)
        if (!(x->p[k] >= 0 && x->p[k] <= UINT32_MAX && x->p[k] == floor(x->p[k])))
            refuse(a, "output %s: a matrix in counts has whole numbers below 2^32%s", a->path.text,
                   "");
    check_room(a, a->data, x->n * (x->n + 1) / 2 * (output->counts ? 4 : 8));
    if (!pt_matrix_append(out, key, type, x->p, x->n))
        refuse(a, "output %s: %s", a->path.text, NO_ROOM);
}

static bool is_symbol(const void *arg, const char *key)
{
    return pt_market_find(arg, key) != SIZE_MAX;
}

static void append_map(struct answer *a, bson_t *out, const char *key,
                       const struct pt_output *output)
{
    static const struct pt_output number = { .type = PT_OUTPUT_NUMBER };
    lua_State *L = a->L;
    bson_t child;
    size_t found = 0;
    if (lua_type(L, -1) != LUA_TTABLE)
        refuse(a, "output %s: table expected, got %s", a->path.text, type_words(L, -1));
    if (!bson_append_document_begin(out, key, -1, &child))
        refuse(a, "output %s: %s", a->path.text, NO_ROOM);
    size_t nkeys = output->by_symbol ? a->market->n : output->nkeys;
    for (size_t i = 0; i < nkeys; i++) {
        const char *name = output->by_symbol ? a->market->symbols[i] : output->keys[i];
        size_t was = enter(&a->path, name);
        check_room(a, a->data, child.len);
        push_entry(L, name);
        bool given = !lua_isnil(L, -1);
        found += given;
        if (given || !a->plain) { /* a hit has the keys that tell something of it */
            if (output->nfields > 0)
                append_fields(a, &child, name, output);
            else
                append_value(a, &child, name, &number);
        }
        lua_pop(L, 1);
        leave(&a->path, was);
    }
    if (found != count_entries(L) && output->by_symbol)
        refuse_unknown(a, "is no symbol of the market", is_symbol, a->market);
    if (found != count_entries(L)) refuse_unknown(a, "was not declared as a key", is_key, output);
    bson_append_document_end(out, &child);
}

/* A list or a vector. */
static void append_list(struct answer *a, bson_t *out, const char *key)
{
    static const struct pt_output number = { .type = PT_OUTPUT_NUMBER };
    lua_State *L = a->L;
    bson_t child;
    const struct pt_lua_vec *v = pt_lua_vec_test(L, -1);
    if (!v && lua_type(L, -1) != LUA_TTABLE)
        refuse(a, "output %s: list or vector expected, got %s", a->path.text, type_words(L, -1));
    size_t n = v ? (size_t)v->n : lua_objlen(L, -1);
    if (!v && n != count_entries(L))
        refuse(a, "output %s: not a plain list: %s", a->path.text,
               "entries beside 1 .. n (null(\"reason\") fills a place)");
    if (!bson_append_array_begin(out, key, -1, &child))
        refuse(a, "output %s: %s", a->path.text, NO_ROOM);
    for (size_t i = 0; i < n; i++) {
        char index[24];
        snprintf(index, sizeof index, "%zu", i);
        size_t was = enter(&a->path, index);
        check_room(a, a->data, child.len);
        if (v)
            lua_pushnumber(L, v->p[i]);
        else
            lua_rawgeti(L, -1, (int)(i + 1));
        append_value(a, &child, index, &number);
        lua_pop(L, 1);
        leave(&a->path, was);
    }
    bson_append_array_end(out, &child);
}

/* A list of tables, each with the fields of a record. */
static void append_records(struct answer *a, bson_t *out, const char *key,
                           const struct pt_output *output)
{
    lua_State *L = a->L;
    bson_t child;
    if (!bson_append_array_begin(out, key, -1, &child))
        refuse(a, "output %s: %s", a->path.text, NO_ROOM);
    a->plain = true;
    for (size_t i = 0, n = lua_objlen(L, -1); i < n; i++) {
        char index[24];
        snprintf(index, sizeof index, "%zu", i);
        size_t was = enter(&a->path, index);
        check_room(a, a->data, child.len);
        lua_rawgeti(L, -1, (int)(i + 1));
        append_fields(a, &child, index, output);
        lua_pop(L, 1);
        leave(&a->path, was);
    }
    a->plain = false;
    bson_append_array_end(out, &child);
}

/* Seconds, whole to the millisecond: open times of bars are. */
static void append_time(struct answer *a, bson_t *out, const char *key)
{
    if (!bson_append_date_time(out, key, -1, llround(lua_tonumber(a->L, -1) * 1e3)))
        refuse(a, "output %s: %s", a->path.text, NO_ROOM);
}

/* The value on top. */
static void append_value(struct answer *a, bson_t *out, const char *key,
                         const struct pt_output *output)
{
    luaL_checkstack(a->L, 8, "result");
    check_room(a, out, 64);
    if (append_missing(a, out, key)) return;
    switch (output->type) {
    case PT_OUTPUT_NUMBER: append_number(a, out, key, false); break;
    case PT_OUTPUT_INT: append_number(a, out, key, true); break;
    case PT_OUTPUT_TEXT: append_text(a, out, key, output); break;
    case PT_OUTPUT_BOOL: append_bool(a, out, key); break;
    case PT_OUTPUT_MAP: append_map(a, out, key, output); break;
    case PT_OUTPUT_LIST: append_list(a, out, key); break;
    case PT_OUTPUT_RECORD: append_fields(a, out, key, output); break;
    case PT_OUTPUT_MATRIX: append_matrix(a, out, key, output); break;
    case PT_OUTPUT_RECORDS: append_records(a, out, key, output); break;
    case PT_OUTPUT_TIME: append_time(a, out, key); break;
    }
}

static bool is_output(const void *arg, const char *key)
{
    const struct pt_declaration *declaration = arg;
    for (size_t i = 0; i < declaration->noutputs; i++) {
        if (strcmp(declaration->outputs[i].name, key) == 0) return true;
    }
    return false;
}

void pt_result_values(lua_State *L, const struct pt_declaration *declaration,
                      const struct pt_market *market, size_t most, bson_t *data, bson_t *reasons)
{
    struct answer a = { .L = L, .data = data, .reasons = reasons, .market = market, .most = most };
    size_t found = 0;
    lua_Debug ar;
    pt_declaration_function(L, declaration->run);
    if (lua_getinfo(L, ">S", &ar)) a.line = ar.linedefined;
    a.run = declaration->regime ? "classify" : "compute";
    if (lua_type(L, -1) != LUA_TTABLE)
        refuse(&a, "%s must return a table of outputs, it returned %s", a.run, type_words(L, -1));
    for (size_t i = 0; i < declaration->noutputs; i++) {
        const struct pt_output *output = &declaration->outputs[i];
        size_t was = enter(&a.path, output->name);
        lua_pushstring(L, output->name);
        lua_rawget(L, -2);
        found += !lua_isnil(L, -1);
        append_value(&a, data, output->name, output);
        lua_pop(L, 1);
        leave(&a.path, was);
    }
    if (found != count_entries(L)) refuse_unknown(&a, "was not declared", is_output, declaration);
}

bool pt_result_nulls(const struct pt_declaration *declaration, const char *reason, bson_t *data,
                     bson_t *reasons)
{
    bool good = true;
    for (size_t i = 0; i < declaration->noutputs && good; i++)
        good = bson_append_null(data, declaration->outputs[i].name, -1) &&
               bson_append_utf8(reasons, declaration->outputs[i].name, -1, reason, -1);
    return good;
}

/* ---- the document
 * ------------------------------------------------------------------------------------------ */

static bool append_period(bson_t *out, const char *key, int64_t period_us)
{
    char text[PT_PERIOD_TEXT_MAX];
    pt_period_print(period_us, text);
    return bson_append_utf8(out, key, -1, text, -1);
}

static const char *base_name(const char *file)
{
    const char *slash = strrchr(file, '/');
    return slash ? slash + 1 : file;
}

static bool append_fault(const struct pt_lua_fault *fault, bson_t *out)
{
    bson_t error;
    bool good = bson_append_document_begin(out, "error", -1, &error) &&
                bson_append_utf8(&error, "message", -1, fault->message, -1);
    if (good && *fault->file) good = bson_append_utf8(&error, "file", -1, fault->file, -1);
    if (good && fault->line > 0) good = bson_append_int64(&error, "line", -1, fault->line);
    return good && bson_append_document_end(out, &error);
}

static bool append_count(bson_t *out, const char *key, size_t n, bool known)
{
    return known ? bson_append_int64(out, key, -1, (int64_t)n) : bson_append_null(out, key, -1);
}

static bool append_names(bson_t *out, const char *key, char (*names)[PT_SYMBOL_MAX], size_t n)
{
    bson_t list;
    char index[24];
    bool good = bson_append_array_begin(out, key, -1, &list);
    for (size_t i = 0; i < n && good; i++) {
        snprintf(index, sizeof index, "%zu", i);
        good = bson_append_utf8(&list, index, -1, names[i], -1);
    }
    return good && bson_append_array_end(out, &list);
}

static bool append_market(const struct pt_market *market, bson_t *out)
{
    bool good = bson_append_utf8(out, "blas", -1, pt_panel_blas_core(), -1);
    if (good && market->n > 0)
        good = bson_append_utf8(out, "benchmark", -1, market->symbols[market->benchmark], -1);
    if (good && market->ndamaged > 0)
        good = append_names(out, "damaged", market->damaged, market->ndamaged);
    return good;
}

/* What is known of the books beside their number, and the bars beside them. */
static bool append_beside(const struct pt_result *r, bson_t *out)
{
    bson_t bars;
    if (r->broken && !bson_append_bool(out, "broken", -1, true)) return false;
    if (!r->has_bars) return true;
    return bson_append_document_begin(out, "candles", -1, &bars) &&
           append_count(&bars, "rows", r->bar_rows, true) &&
           append_count(&bars, "expected", r->bar_expected, true) &&
           append_count(&bars, "gaps", r->bar_gaps, true) &&
           append_count(&bars, "missing", r->bar_missing, true) &&
           bson_append_document_end(out, &bars);
}

static bool append_metadata(const struct pt_declaration *d, const struct pt_result *r, bson_t *out)
{
    bson_t params;
    bool good = bson_append_utf8(out, "method", -1, d->method, -1) &&
                bson_append_utf8(out, "method_version", -1, d->method_version, -1);
    if (good && r->window) good = bson_append_utf8(out, "window", -1, r->window, -1);
    good = good && bson_append_document_begin(out, "parameters", -1, &params) &&
           (!r->params || pt_params_append(d, r->params, &params)) &&
           bson_append_document_end(out, &params) &&
           bson_append_double(out, "completeness", -1, r->completeness) &&
           bson_append_int64(out, "rows", -1, (int64_t)r->rows) &&
           append_count(out, "expected", r->expected, !r->by_books) &&
           bson_append_int64(out, "gaps", -1, (int64_t)r->gaps) &&
           append_count(out, "missing", r->missing, !r->by_books) && append_beside(r, out) &&
           bson_append_document(out, "reasons", -1, r->reasons) &&
           bson_append_date_time(out, "computed_at", -1, r->now_us / 1000) &&
           bson_append_utf8(out, "script", -1, base_name(r->file), -1) &&
           bson_append_utf8(out, "script_hash", -1, r->hash, -1);
    if (good && r->market) good = append_market(r->market, out);
    if (good && r->derived_us > 0) good = append_period(out, "derived_from", r->derived_us);
    if (good && r->fault) good = append_fault(r->fault, out);
    return good;
}

bson_t *pt_result_document(const struct pt_declaration *d, const struct pt_result *r)
{
    bson_t *out = bson_new(), metadata;
    if (!out) return NULL;
    bool good = bson_append_utf8(out, "symbol", -1, r->symbol, -1) &&
                append_period(out, "timeframe", r->period_us) &&
                bson_append_utf8(out, "metric", -1, d->name, -1);
    if (good)
        good = r->as_of_us == PT_MISSING
                   ? bson_append_null(out, "as_of", -1)
                   : bson_append_date_time(out, "as_of", -1, r->as_of_us / 1000);
    if (good && r->market) good = append_names(out, "symbols", r->market->symbols, r->market->n);
    good = good && bson_append_utf8(out, "status", -1, r->status, -1) &&
           bson_append_document(out, "data", -1, r->data) &&
           bson_append_document_begin(out, "metadata", -1, &metadata) &&
           append_metadata(d, r, &metadata) && bson_append_document_end(out, &metadata);
    if (good) return out;
    bson_destroy(out);
    return NULL;
}
