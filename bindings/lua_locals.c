/* lua_locals.c - what the locals of a failing function hold, in words.         [layer: bindings] */
#include "bindings/lua_locals.h"

#include "base/buf.h"
#include "bindings/lua_book.h"
#include "bindings/lua_fault.h"
#include "bindings/lua_market.h"
#include "bindings/lua_matrix.h"
#include "bindings/lua_vec.h"
#include "bindings/lua_window.h"

#include <string.h>

#define LEVELS_MAX 64
#define LOCALS_MAX 250 /* as many as a function of Lua may have, and some */

static void put_number(double x, struct pt_buf *out)
{
    pt_buf_printf(out, "%.10g", x);
}

static void put_vector(const struct pt_vm *vm, const struct pt_lua_vec *v, struct pt_buf *out)
{
    if (v->epoch != vm->state.epoch) { /* its memory is gone */
        pt_buf_puts(out, "vector of an earlier call");
        return;
    }
    pt_buf_printf(out, "vector of %d", (int)v->n);
    for (int32_t i = 0; i < v->n; i++) {
        if (v->n > 6 && i == 3) {
            i = v->n - 3;
            pt_buf_puts(out, ", ..");
        }
        pt_buf_puts(out, i == 0 ? ": " : ", ");
        put_number(v->p[i], out);
    }
}

static void put_market(const struct pt_vm *vm, const struct pt_lua_market *m, struct pt_buf *out)
{
    if (m->epoch != vm->state.epoch) /* it may be gone with its unit */
        pt_buf_puts(out, "market of an earlier call");
    else
        pt_buf_printf(out, "market of %zu symbols x %zu bars", m->market->n, m->rows);
}

static void put_books(const struct pt_vm *vm, const struct pt_lua_books *b, struct pt_buf *out)
{
    if (b->epoch != vm->state.epoch) { /* its memory is gone */
        pt_buf_puts(out, "books of an earlier call");
        return;
    }
    pt_buf_printf(out, "books: %zu, the newest with %zu bids, %zu asks", b->books->n - b->from,
                  b->books->levels[0], b->books->levels[1]);
}

static void put_userdata(lua_State *L, struct pt_buf *out)
{
    const struct pt_vm *vm = pt_vm_of(L);
    const void *data = lua_touserdata(L, -1), *meta = NULL;
    if (lua_getmetatable(L, -1)) {
        meta = lua_topointer(L, -1);
        lua_pop(L, 1);
    }
    if (meta == vm->vec_meta_at)
        put_vector(vm, data, out);
    else if (meta == vm->window_meta_at)
        pt_buf_printf(out, "window of %zu bars", ((const struct pt_lua_window *)data)->n);
    else if (meta == vm->market_meta_at)
        put_market(vm, data, out);
    else if (meta == vm->matrix_meta_at)
        pt_buf_printf(out, "matrix of %zu", ((const struct pt_lua_matrix *)data)->n);
    else if (meta == vm->books_meta_at)
        put_books(vm, data, out);
    else if (meta == vm->null_meta_at)
        pt_buf_printf(out, "null(\"%s\")", (const char *)data);
    else
        pt_buf_puts(out, "userdata");
}

/* The value on top in words; asks it nothing that would run the script's code. */
static void put_value(lua_State *L, struct pt_buf *out)
{
    switch (lua_type(L, -1)) {
    case LUA_TNIL: pt_buf_puts(out, "nil"); break;
    case LUA_TBOOLEAN: pt_buf_puts(out, lua_toboolean(L, -1) ? "true" : "false"); break;
    case LUA_TNUMBER: put_number(lua_tonumber(L, -1), out); break;
    case LUA_TSTRING: {
        struct pt_lua_fault words = { 0 };
        pt_lua_fault_set(&words, lua_tostring(L, -1));
        pt_buf_printf(out, strlen(words.message) > 60 ? "\"%.60s...\"" : "\"%s\"", words.message);
        break;
    }
    case LUA_TUSERDATA: put_userdata(L, out); break;
    case LUA_TTABLE: pt_buf_printf(out, "table, # %zu", lua_objlen(L, -1)); break;
    default: pt_buf_puts(out, luaL_typename(L, -1)); break;
    }
}

/* The function in whose line the error is said to be, else the innermost one of a script. */
static bool find_frame(lua_State *L, const struct pt_lua_fault *fault, lua_Debug *ar)
{
    int innermost = -1;
    for (int level = 0; level < LEVELS_MAX && lua_getstack(L, level, ar); level++) {
        if (!lua_getinfo(L, "Sl", ar) || ar->source[0] != '@') continue;
        if (innermost < 0) innermost = level;
        if (ar->currentline == fault->line && strcmp(ar->source + 1, fault->file) == 0) return true;
    }
    return innermost >= 0 && lua_getstack(L, innermost, ar);
}

void pt_lua_locals_take(lua_State *L, const struct pt_lua_fault *fault, bson_t *locals)
{
    struct pt_buf words = { 0 };
    const char *name;
    lua_Debug ar;
    if (!lua_checkstack(L, 4) || !find_frame(L, fault, &ar)) return;
    for (int i = 1; i <= LOCALS_MAX && (name = lua_getlocal(L, &ar, i)) != NULL; i++) {
        if (name[0] != '(') { /* (for index) and its like are the interpreter's own */
            pt_buf_clear(&words);
            put_value(L, &words);
            if (!words.failed) bson_append_utf8(locals, name, -1, words.data, -1);
        }
        lua_pop(L, 1);
    }
    pt_buf_fini(&words);
}
