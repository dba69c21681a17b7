/* sandbox.c - a VM in which a script can do nothing but compute.               [layer: bindings] */
#include "bindings/sandbox.h"

#include "base/timefmt.h"
#include "bindings/guard.h"
#include "bindings/lua_book.h"
#include "bindings/lua_fault.h"
#include "bindings/lua_locals.h"
#include "bindings/lua_market.h"
#include "bindings/lua_matrix.h"
#include "bindings/lua_vec.h"
#include "bindings/lua_window.h"
#include "declare_lua.h"
#include "hits_lua.h"
#include "prelude_lua.h"
#include "rules_lua.h"

#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A heap above COLLECT is collected after a call; one that still holds more than KEEP is given up:
 * a pure script has no reason to keep megabytes between two calls. */
#define COLLECT ((size_t)4 << 20)
#define KEEP_SHARE 4

/* The preludes are compiled once a process, and kept without names and lines: their errors are
 * raised at the place of who called them. Only the thread that runs scripts comes here. */
struct chunk {
    const char *name;
    const unsigned char *text;
    size_t text_len;
    char *code;
    size_t len;
};
static struct chunk prelude = { "=petrosa", prelude_lua, sizeof prelude_lua, NULL, 0 };
static struct chunk declare = { "=declaration", declare_lua, sizeof declare_lua, NULL, 0 };
static struct chunk rules = { "=rules", rules_lua, sizeof rules_lua, NULL, 0 };
static struct chunk hits = { "=hits", hits_lua, sizeof hits_lua, NULL, 0 };

static void compile(lua_State *L, struct chunk *chunk)
{
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "dump");
    if (luaL_loadbufferx(L, (const char *)chunk->text, chunk->text_len, chunk->name, "t") != 0)
        lua_error(L);
    lua_pushboolean(L, true);
    lua_call(L, 2, 1);
    const char *code = lua_tolstring(L, -1, &chunk->len);
    chunk->code = malloc(chunk->len);
    if (!chunk->code) luaL_error(L, "not enough memory");
    memcpy(chunk->code, code, chunk->len);
    lua_pop(L, 2);
}

static void load_chunk(lua_State *L, struct chunk *chunk)
{
    if (!chunk->code) compile(L, chunk);
    if (luaL_loadbufferx(L, chunk->code, chunk->len, chunk->name, "b") != 0) lua_error(L);
}

size_t pt_lua_whole(lua_State *L, int arg, size_t min, size_t max, size_t fallback)
{
    if (fallback != PT_LUA_REQUIRED && lua_isnoneornil(L, arg)) return fallback;
    lua_Number x = luaL_checknumber(L, arg);
    if (x >= (lua_Number)min && x <= (lua_Number)max && x == (lua_Number)(size_t)x)
        return (size_t)x;
    if (max >= INT32_MAX)
        lua_pushfstring(L, "a whole number of at least %d expected, got %f", (int)min, x);
    else
        lua_pushfstring(L, "a whole number in %d .. %d expected, got %f", (int)min, (int)max, x);
    luaL_argerror(L, arg, lua_tostring(L, -1));
    return 0;
}

void pt_lua_keep_fields(lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, pt_vm_of(L)->windows);
    lua_pushvalue(L, -2);
    lua_newtable(L);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

/* ---- functions handed to the preludes
 * ------------------------------------------------------------ */

/* Few calls ask for random numbers: the first that does seeds them. */
static struct pt_rng *rng_of(struct pt_vm *vm)
{
    if (vm->seed) pt_rng_seed(&vm->rng, vm->seed(vm->seed_ud), 0);
    vm->seed = NULL;
    return &vm->rng;
}

/* math.random([m [, n]]) */
static int script_random(lua_State *L)
{
    struct pt_rng *rng = rng_of(pt_vm_of(L));
    double low = 1, high;
    switch (lua_gettop(L)) {
    case 0: lua_pushnumber(L, pt_rng_uniform(rng)); return 1;
    case 1: high = luaL_checknumber(L, 1); break;
    default:
        low = luaL_checknumber(L, 1);
        high = luaL_checknumber(L, 2);
        break;
    }
    const double most = 9007199254740992; /* 2^53 */
    if (!(low <= high && low >= -most && high <= most && high - low < most))
        return luaL_error(L, "random: the range is empty or too wide");
    double at = (double)pt_rng_below(rng, (uint64_t)(high - low) + 1);
    lua_pushnumber(L, low + at);
    return 1;
}

/* lib(name) -> text, file */
static int find_lib(lua_State *L)
{
    struct pt_vm *vm = pt_vm_of(L);
    const char *name = luaL_checkstring(L, 1);
    for (size_t i = 0; i < vm->nlibs; i++) {
        if (strcmp(vm->libs[i].name, name) != 0) continue;
        lua_pushlstring(L, vm->libs[i].text, vm->libs[i].len);
        lua_pushstring(L, vm->libs[i].file);
        return 2;
    }
    return 0;
}

/* where(level) -> "file:line: " of a caller */
static int where(lua_State *L)
{
    luaL_where(L, (int)luaL_checkinteger(L, 1));
    return 1;
}

static int parse_span(lua_State *L)
{
    size_t len;
    int64_t us;
    const char *text = luaL_checklstring(L, 1, &len);
    if (pt_span_parse(text, len, &us) != PT_OK) return 0;
    lua_pushnumber(L, (lua_Number)us);
    return 1;
}

static int parse_period(lua_State *L)
{
    size_t len;
    int64_t us;
    const char *text = luaL_checklstring(L, 1, &len);
    if (pt_period_parse(text, len, &us) != PT_OK) return 0;
    lua_pushnumber(L, (lua_Number)us);
    return 1;
}

/* null(reason): a userdata that holds the word and nothing else. */
static int make_null(lua_State *L)
{
    struct pt_vm *vm = pt_vm_of(L);
    size_t len = 0;
    const char *reason = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &len) : "";
    bool good = len > 0 && len <= PT_REASON_MAX && reason[0] >= 'a' && reason[0] <= 'z' &&
                strspn(reason, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
    if (!good)
        return luaL_error(L, "null: a reason is a word of a-z, 0-9 and _, at most %d long",
                          PT_REASON_MAX);
    memcpy(lua_newuserdata(L, len + 1), reason, len + 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->null_meta);
    lua_setmetatable(L, -2);
    return 1;
}

static int null_words(lua_State *L)
{
    const char *reason = lua_touserdata(L, 1);
    lua_pushfstring(L, "null(%s)", reason ? reason : "");
    return 1;
}

/* rules(tools, source) -> what rules.lua returns; most scripts have no table and never load it */
static int load_rules(lua_State *L)
{
    lua_settop(L, 2);
    load_chunk(L, &rules);
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    return 1;
}

/* hits(tools) -> what hits.lua returns; likewise, of a detector */
static int load_hits(lua_State *L)
{
    lua_settop(L, 1);
    load_chunk(L, &hits);
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

const struct pt_lua_doc pt_lua_name_docs[] = {
    { "null", make_null, "null(reason: string) -> null",
      "in place of an output that cannot be had; the reason is a word of a-z, 0-9, _",
      "tostring(null(\"flat\")) == \"null(flat)\"" },
    { "missing", NULL, "missing(x: any) -> boolean", "true for nil, NaN and infinity",
      "missing(nil) and missing(0/0) and not missing(0)" },
    { NULL, NULL, NULL, NULL, NULL },
};

static void push_periods(lua_State *L)
{
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    for (size_t i = 0; pt_periods[i]; i++) {
        char one[PT_PERIOD_TEXT_MAX];
        pt_period_print(pt_periods[i], one);
        if (i > 0) luaL_addstring(&text, ", ");
        luaL_addstring(&text, one);
    }
    luaL_pushresult(&text);
}

bool pt_vm_push_made(lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, pt_vm_of(L)->made);
    lua_pushvalue(L, -2);
    lua_rawget(L, -2);
    lua_remove(L, -2);
    if (!lua_isnil(L, -1)) return true;
    lua_pop(L, 1);
    return false;
}

/* ---- building
 * ------------------------------------------------------------------------------------ */

static const void *new_metatable(lua_State *L, const char *field, int *ref)
{
    lua_newtable(L);
    const void *at = lua_topointer(L, -1);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, field);
    *ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return at;
}

static void set_function(lua_State *L, const char *field, lua_CFunction fn)
{
    lua_pushcfunction(L, fn);
    lua_setfield(L, -2, field);
}

static int take_function(lua_State *L, int table, const char *field)
{
    lua_getfield(L, table, field);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

/* The table `native` of the preludes. */
static void push_native(lua_State *L, struct pt_vm *vm)
{
    lua_newtable(L);
    lua_pushlightuserdata(L, &vm->state);
    lua_setfield(L, -2, "state");
    lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
    lua_getfield(L, -1, "ffi");
    lua_setfield(L, -3, "ffi");
    lua_pop(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX,
                 "_PRELOAD"); /* where the library of the compiler leaves it */
    lua_getfield(L, -1, "jit.util");
    lua_call(L, 0, 1);
    lua_setfield(L, -3, "jit_util");
    lua_pop(L, 1);
    vm->vec_meta_at = new_metatable(L, "vec_meta", &vm->vec_meta);
    vm->window_meta_at = new_metatable(L, "window_meta", &vm->window_meta);
    vm->null_meta_at = new_metatable(L, "null_meta", &vm->null_meta);
    vm->books_meta_at = new_metatable(L, "books_meta", &vm->books_meta);
    pt_lua_vec_open(L);
    vm->market_meta_at = new_metatable(L, "market_meta", &vm->market_meta);
    vm->matrix_meta_at = new_metatable(L, "matrix_meta", &vm->matrix_meta);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "made");
    vm->made = luaL_ref(L, LUA_REGISTRYINDEX);
    pt_lua_window_open(L);
    pt_lua_book_open(L);
    pt_lua_market_open(L);
    pt_lua_matrix_open(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->null_meta);
    set_function(L, "__tostring", null_words);
    lua_pop(L, 1);
    pt_lua_register(L, pt_lua_name_docs);
    set_function(L, "random", script_random);
    set_function(L, "lib", find_lib);
    set_function(L, "where", where);
    set_function(L, "span", parse_span);
    set_function(L, "period", parse_period);
    set_function(L, "rules", load_rules);
    set_function(L, "hits", load_hits);
    push_periods(L);
    lua_setfield(L, -2, "periods");
}

static int open_vm(lua_State *L)
{
    static const luaL_Reg libraries[] = {
        { "", luaopen_base },
        { LUA_TABLIBNAME, luaopen_table },
        { LUA_STRLIBNAME, luaopen_string },
        { LUA_MATHLIBNAME, luaopen_math },
        { LUA_BITLIBNAME, luaopen_bit },
        { LUA_JITLIBNAME, luaopen_jit },
        { LUA_FFILIBNAME, luaopen_ffi },
        { NULL, NULL },
    };
    struct pt_vm *vm = pt_vm_of(L);
    lua_gc(L, LUA_GCSTOP, 0); /* what is made here stays: there is nothing to collect */
    for (const luaL_Reg *library = libraries; library->func; library++) {
        lua_pushcfunction(L, library->func);
        lua_pushstring(L, library->name);
        lua_call(L, 1, 1);
        if (library->func == luaopen_ffi) { /* registers itself in package.preload only */
            luaL_findtable(L, LUA_REGISTRYINDEX, "_LOADED", 1);
            lua_pushvalue(L, -2);
            lua_setfield(L, -2, "ffi");
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    push_native(L, vm);
    int native = lua_gettop(L);

    load_chunk(L, &prelude);
    lua_pushvalue(L, native);
    lua_call(L, 1, 1);
    int made = lua_gettop(L);
    vm->run = take_function(L, made, "run");
    vm->begin = take_function(L, made, "begin");

    load_chunk(L, &declare);
    lua_pushvalue(L, native);
    lua_getfield(L, made, "names");
    lua_call(L, 2, 1);
    vm->declare_begin = take_function(L, lua_gettop(L), "begin");
    vm->declare_take = take_function(L, lua_gettop(L), "take");
    lua_gc(L, LUA_GCRESTART, -1); /* -1: as after a collection, not at once */
    return 0;
}

/* LuaJIT's own allocator is the faster one for a VM, and only a state that it makes by itself has
 * one. Sanitizers see every block of malloc. */
static bool open_memory(struct pt_vm *vm)
{
    vm->memory.under = pt_lua_memory_malloc;
    if (pt_guard_is_partial()) return true;
    vm->under = luaL_newstate();
    if (vm->under) vm->memory.under = lua_getallocf(vm->under, &vm->memory.under_ud);
    return vm->under != NULL;
}

enum pt_code pt_vm_new(struct pt_arena *arena, size_t memory_bytes, const char *file,
                       const struct pt_lua_lib *libs, size_t nlibs, struct pt_vm **vm,
                       struct pt_err *err)
{
    struct pt_vm *made = calloc(1, sizeof *made);
    *vm = NULL;
    if (!made) return pt_fail(err, PT_ENOMEM, "%s: no memory for its VM", file);
    made->memory = (struct pt_lua_memory){ .limit = memory_bytes, .arena = arena };
    made->file = file;
    made->libs = libs;
    made->nlibs = nlibs;
    made->windows = LUA_NOREF;
    made->state.epoch = 1;
    pt_rng_seed(&made->rng, 0, 0);
    if (open_memory(made)) made->L = lua_newstate(pt_lua_memory_alloc, &made->memory);
    if (!made->L || pt_vm_protect(made, open_vm, NULL) != PT_OK) {
        enum pt_code rc =
            pt_fail(err, PT_ENOMEM, "%s: no VM within %zu bytes: %s", file, memory_bytes,
                    made->L ? made->fault.message : "not enough memory");
        pt_vm_free(made);
        return rc;
    }
    *vm = made;
    return PT_OK;
}

void pt_vm_free(struct pt_vm *vm)
{
    if (!vm) return;
    if (vm->L) lua_close(vm->L);
    if (vm->under) lua_close(vm->under);
    free(vm);
}

/* ---- running
 * ------------------------------------------------------------------------------------- */

static int on_error(lua_State *L)
{
    struct pt_vm *vm = pt_vm_of(L);
    pt_lua_fault_take(L, vm->file, &vm->fault);
    if (vm->locals) pt_lua_locals_take(L, &vm->fault, vm->locals);
    return 1;
}

struct protected
{
    lua_CFunction fn;
    void *ud;
    int status;
};

/* Everything here may fail for want of memory, even pushing a function. */
static int run_protected(lua_State *L)
{
    struct protected *run = lua_touserdata(L, 1);
    lua_pushcfunction(L, on_error);
    lua_pushcfunction(L, run->fn);
    lua_pushlightuserdata(L, run->ud);
    run->status = lua_pcall(L, 1, 0, -3);
    return 0;
}

enum pt_code pt_vm_protect(struct pt_vm *vm, lua_CFunction fn, void *ud)
{
    struct protected run = { fn, ud, 0 };
    vm->memory.refused = false;
    vm->fault = (struct pt_lua_fault){ 0 };
    int top = lua_gettop(vm->L);
    int status = lua_cpcall(vm->L, run_protected, &run);
    if (status == 0) status = run.status;
    lua_settop(vm->L, top);
    if (vm->memory.refused || status == LUA_ERRMEM) {
        pt_lua_fault_memory(vm->memory.limit, &vm->fault);
        if (!*vm->fault.file) snprintf(vm->fault.file, sizeof vm->fault.file, "%s", vm->file);
        return PT_ESCRIPT;
    }
    if (status == 0) return PT_OK;
    if (!*vm->fault.message) { /* the handler itself found no room on the stack */
        pt_lua_fault_set(&vm->fault, "stack overflow");
        snprintf(vm->fault.file, sizeof vm->fault.file, "%s", vm->file);
    }
    return PT_ESCRIPT;
}

void pt_vm_begin(lua_State *L, uint64_t (*seed)(const void *ud), const void *ud)
{
    struct pt_vm *vm = pt_vm_of(L);
    vm->state.epoch++;
    vm->state.computing = 1;
    vm->seed = seed;
    vm->seed_ud = ud;
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->begin);
    lua_call(L, 0, 1);
    if (vm->windows == LUA_NOREF)
        vm->windows = luaL_ref(L, LUA_REGISTRYINDEX);
    else
        lua_rawseti(L, LUA_REGISTRYINDEX, vm->windows);
}

static int collect(lua_State *L)
{
    lua_gc(L, LUA_GCCOLLECT, 0);
    return 0;
}

bool pt_vm_end(struct pt_vm *vm)
{
    vm->state.epoch++;
    vm->seed = NULL;
    pt_arena_reset(vm->memory.arena);
    if (vm->memory.heap > COLLECT && lua_cpcall(vm->L, collect, NULL) != 0) return false;
    /* a number of a call is not given twice in the life of a VM */
    return vm->memory.heap <= vm->memory.limit / KEEP_SHARE && vm->state.epoch < INT32_MAX - 2;
}
