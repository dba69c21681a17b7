/* lua_vec.c - making vectors, looking at parts of them, operators.             [layer: bindings] */
#include "bindings/lua_vec.h"

#include "bindings/lua_ccf.h"
#include "bindings/lua_forest.h"
#include "num/panel.h"
#include "num/roll.h"
#include "num/vec.h"

#include <math.h>
#include <string.h>

void pt_lua_register(lua_State *L, const struct pt_lua_doc *docs)
{
    for (; docs->name; docs++) {
        if (!docs->fn) continue;
        lua_pushcfunction(L, docs->fn);
        lua_setfield(L, -2, docs->name);
    }
}

/* ---- the userdata
 * -------------------------------------------------------------------------------- */

void pt_lua_vec_view(lua_State *L, const double *p, size_t n, bool own)
{
    struct pt_vm *vm = pt_vm_of(L);
    if (n > INT32_MAX) luaL_error(L, "a vector of %f elements is too long", (lua_Number)n);
    struct pt_lua_vec *v = lua_newuserdata(L, sizeof *v);
    v->p = (double *)(uintptr_t)p; /* own says whether it may be written to */
    v->epoch = vm->state.epoch;
    v->n = (int32_t)n;
    v->own = own;
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->vec_meta);
    lua_setmetatable(L, -2);
}

double *pt_lua_work(lua_State *L, size_t n)
{
    struct pt_vm *vm = pt_vm_of(L);
    if (n > SIZE_MAX / sizeof(double)) n = SIZE_MAX / sizeof(double);
    double *p = pt_lua_memory_scratch(&vm->memory, n * sizeof *p);
    if (!p) luaL_error(L, "not enough memory for a vector of %f elements", (lua_Number)n);
    return p;
}

void pt_lua_work_done(lua_State *L, double *work)
{
    pt_lua_memory_give_back(&pt_vm_of(L)->memory, work);
}

double *pt_lua_vec_push(lua_State *L, size_t n)
{
    double *p = pt_lua_work(L, n);
    pt_lua_vec_view(L, p, n, true);
    return p;
}

struct pt_lua_vec *pt_lua_vec_test(lua_State *L, int arg)
{
    struct pt_vm *vm = pt_vm_of(L);
    struct pt_lua_vec *v = lua_touserdata(L, arg);
    if (!v || !lua_getmetatable(L, arg)) return NULL;
    bool good = lua_topointer(L, -1) == vm->vec_meta_at;
    lua_pop(L, 1);
    if (!good) return NULL;
    if (v->epoch != vm->state.epoch)
        luaL_error(L, "vector from an earlier call: nothing can be kept between two calls");
    return v;
}

struct pt_lua_vec *pt_lua_vec_arg(lua_State *L, int arg)
{
    struct pt_lua_vec *v = pt_lua_vec_test(L, arg);
    if (!v) luaL_typerror(L, arg, "vector");
    return v;
}

struct pt_lua_vec *pt_lua_vec_same(lua_State *L, int arg, const struct pt_lua_vec *first)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, arg);
    if (v->n != first->n)
        luaL_argerror(L, arg,
                      lua_pushfstring(L, "a vector of %d elements expected, got %d", (int)first->n,
                                      (int)v->n));
    return v;
}

bool pt_lua_half(const struct pt_lua_vec *v)
{
    size_t n = (size_t)v->n;
    return pt_vec_count(v->p, n) >= pt_roll_half(n);
}

/* ---- parts
 * ----------------------------------------------------------------------------------------- */

static int vec_last(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    size_t n = (size_t)v->n, k = pt_lua_whole(L, 2, 0, INT32_MAX, PT_LUA_REQUIRED);
    if (k > n) k = n;
    pt_lua_vec_view(L, v->p + (n - k), k, v->own);
    return 1;
}

static int vec_first(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    size_t n = (size_t)v->n, k = pt_lua_whole(L, 2, 0, INT32_MAX, PT_LUA_REQUIRED);
    pt_lua_vec_view(L, v->p, k < n ? k : n, v->own);
    return 1;
}

static int vec_sub(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    size_t n = (size_t)v->n;
    size_t from = pt_lua_whole(L, 2, 1, n + 1, PT_LUA_REQUIRED);
    size_t to = pt_lua_whole(L, 3, from - 1, n, n);
    pt_lua_vec_view(L, v->p + (from - 1), to + 1 - from, v->own);
    return 1;
}

static int vec_copy(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    double *out = pt_lua_vec_push(L, (size_t)v->n);
    memcpy(out, v->p, (size_t)v->n * sizeof *out);
    return 1;
}

static int vec_count(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    lua_pushnumber(L, (lua_Number)pt_vec_count(v->p, (size_t)v->n));
    return 1;
}

static int vec_compact(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    double *out = pt_lua_work(L, (size_t)v->n);
    size_t n = pt_vec_compact(v->p, (size_t)v->n, out);
    pt_lua_vec_view(L, out, n, true);
    return 1;
}

/* ---- operators
 * --------------------------------------------------------------------------------------- */

struct operation {
    const char *name;
    void (*columns)(const double *a, const double *b, size_t n, double *out);
    void (*by)(const double *a, double s, size_t n, double *out);   /* v op number */
    void (*from)(const double *a, double s, size_t n, double *out); /* number op v */
};

static int operate(lua_State *L, const struct operation *op)
{
    struct pt_lua_vec *a = pt_lua_vec_test(L, 1), *b = pt_lua_vec_test(L, 2);
    if (a && b) {
        if (a->n != b->n)
            return luaL_error(L, "%s: vectors of %d and %d elements", op->name, (int)a->n,
                              (int)b->n);
        double *out = pt_lua_vec_push(L, (size_t)a->n);
        op->columns(a->p, b->p, (size_t)a->n, out);
        return 1;
    }
    const struct pt_lua_vec *v = a ? a : b;
    int other = a ? 2 : 1;
    if (lua_type(L, other) != LUA_TNUMBER)
        return luaL_error(L, "%s: a vector and a %s", op->name, luaL_typename(L, other));
    double s = lua_tonumber(L, other);
    double *out = pt_lua_vec_push(L, (size_t)v->n);
    (a ? op->by : op->from)(v->p, s, (size_t)v->n, out);
    return 1;
}

static int vec_add(lua_State *L)
{
    static const struct operation op = { "+", pt_vec_add, pt_vec_add_by, pt_vec_add_by };
    return operate(L, &op);
}

static int vec_subtract(lua_State *L)
{
    static const struct operation op = { "-", pt_vec_sub, pt_vec_sub_by, pt_vec_sub_from };
    return operate(L, &op);
}

static int vec_mul(lua_State *L)
{
    static const struct operation op = { "*", pt_vec_mul, pt_vec_mul_by, pt_vec_mul_by };
    return operate(L, &op);
}

static int vec_div(lua_State *L)
{
    static const struct operation op = { "/", pt_vec_div, pt_vec_div_by, pt_vec_div_into };
    return operate(L, &op);
}

static int vec_power(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_test(L, 1);
    if (!v || lua_type(L, 2) != LUA_TNUMBER)
        return luaL_error(L, "^: a vector is raised to a number");
    double e = lua_tonumber(L, 2), *out = pt_lua_vec_push(L, (size_t)v->n);
    if (e == 2)
        pt_vec_square(v->p, (size_t)v->n, out);
    else
        pt_vec_pow(v->p, e, (size_t)v->n, out);
    return 1;
}

static int vec_minus(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    double *out = pt_lua_vec_push(L, (size_t)v->n);
    pt_vec_neg(v->p, (size_t)v->n, out);
    return 1;
}

static int vec_equal(lua_State *L)
{
    const struct pt_lua_vec *a = pt_lua_vec_arg(L, 1), *b = pt_lua_vec_arg(L, 2);
    bool same = a->n == b->n;
    for (int32_t i = 0; same && i < a->n; i++) {
        bool missing_a = !isfinite(a->p[i]), missing_b = !isfinite(b->p[i]);
        same = missing_a ? missing_b : a->p[i] == b->p[i];
    }
    lua_pushboolean(L, same);
    return 1;
}

static int vec_words(lua_State *L)
{
    struct pt_lua_vec *v = lua_touserdata(L, 1);
    lua_pushfstring(L, "vector of %d", v ? (int)v->n : 0);
    return 1;
}

static int no_concat(lua_State *L)
{
    return luaL_error(L, "vectors cannot be joined to text");
}

/* ---- library vec
 * ----------------------------------------------------------------------------------- */

static int new_vec(lua_State *L)
{
    size_t n = pt_lua_whole(L, 1, 0, INT32_MAX, PT_LUA_REQUIRED);
    double x = luaL_optnumber(L, 2, 0);
    double *out = pt_lua_vec_push(L, n);
    for (size_t i = 0; i < n; i++) out[i] = x;
    return 1;
}

static int vec_of(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    size_t n = lua_objlen(L, 1);
    double *out = pt_lua_vec_push(L, n);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 1, (int)(i + 1));
        if (lua_type(L, -1) != LUA_TNUMBER)
            return luaL_argerror(L, 1,
                                 lua_pushfstring(L, "element %d is a %s, not a number",
                                                 (int)(i + 1), luaL_typename(L, -1)));
        out[i] = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    return 1;
}

static int vec_fisher(lua_State *L)
{
    double r = luaL_checknumber(L, 1);
    struct pt_interval interval =
        pt_panel_fisher(r, pt_lua_whole(L, 2, 0, INT32_MAX, PT_LUA_REQUIRED));
    lua_pushnumber(L, interval.low);
    lua_pushnumber(L, interval.high);
    return 2;
}

const struct pt_lua_doc pt_lua_vec_library_docs[] = {
    { "new", new_vec, "vec.new(n [, x=0]) -> vector", "n elements of x, yours to change",
      "vec.new(2, 7) == vec.of{7, 7}" },
    { "of", vec_of, "vec.of(list: number[]) -> vector",
      "the numbers of a list, yours to change; 0/0 is missing", "#vec.of{1, 2, 3} == 3" },
    { "fisher", vec_fisher, "vec.fisher(r, pairs) -> low, high",
      "95 % interval of a correlation (Fisher 1921); NaN with 3 pairs or fewer",
      "local low, high = vec.fisher(0, 100); return low == -high and math.abs(high - 0.1965) < "
      "1e-4" },
    { NULL, NULL, NULL, NULL, NULL },
};

const struct pt_lua_doc pt_lua_vec_docs[] = {
    { "get", NULL, "v:get(i) -> number", "element i, 1 .. #v; outside: error. Compiled in loops",
      "vec.of{5, 6}:get(2) == 6" },
    { "set", NULL, "v:set(i, x)", "changes an element; a window's column is read-only: error",
      "local v = vec.of{1, 2}; v:set(1, 5); return v == vec.of{5, 2}" },
    { "final", NULL, "v:final() -> number", "last element; NaN when there is none",
      "vec.of{5, 6}:final() == 6" },
    { "last", vec_last, "v:last(n) -> vector",
      "view of the last n elements, of all when there are fewer",
      "vec.of{1, 2, 3}:last(2) == vec.of{2, 3}" },
    { "first", vec_first, "v:first(n) -> vector",
      "view of the first n elements, of all when there are fewer",
      "vec.of{1, 2, 3}:first(2) == vec.of{1, 2}" },
    { "sub", vec_sub, "v:sub(i [, j=#v]) -> vector",
      "view of elements i .. j; outside: error; j = i - 1 is empty",
      "vec.of{1, 2, 3}:sub(2) == vec.of{2, 3}" },
    { "copy", vec_copy, "v:copy() -> vector", "own copy", "w.close:copy() == w.close" },
    { "compact", vec_compact, "v:compact() -> vector", "the elements that are there, in order",
      "vec.of{1, 0/0, 3}:compact() == vec.of{1, 3}" },
    { "count", vec_count, "v:count() -> number", "how many elements are there",
      "vec.of{1, 0/0, 3}:count() == 2" },
    { NULL, NULL, NULL, NULL, NULL },
};

static const luaL_Reg operators[] = {
    { "__add", vec_add },  { "__sub", vec_subtract },   { "__mul", vec_mul },
    { "__div", vec_div },  { "__pow", vec_power },      { "__unm", vec_minus },
    { "__eq", vec_equal }, { "__tostring", vec_words }, { "__concat", no_concat },
    { NULL, NULL },
};

void pt_lua_vec_open(lua_State *L)
{
    struct pt_vm *vm = pt_vm_of(L);
    lua_newtable(L);
    pt_lua_register(L, pt_lua_vec_docs);
    pt_lua_register(L, pt_lua_map_docs);
    pt_lua_register(L, pt_lua_stat_docs);
    pt_lua_register(L, pt_lua_roll_docs);
    pt_lua_register(L, pt_lua_season_docs);
    pt_lua_register(L, pt_lua_ccf_docs);
    lua_setfield(L, -2, "vec_methods");
    lua_newtable(L);
    pt_lua_register(L, pt_lua_vec_library_docs);
    pt_lua_register(L, pt_lua_forest_docs);
    lua_setfield(L, -2, "vec_library");
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->vec_meta);
    luaL_setfuncs(L, operators, 0);
    lua_pop(L, 1);
}
