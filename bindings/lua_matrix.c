/* lua_matrix.c - what is read from a matrix.                                   [layer: bindings] */
#include "bindings/lua_matrix.h"

#include "bindings/lua_vec.h"
#include "num/panel.h"

#include <math.h>

double *pt_lua_matrix_push(lua_State *L, size_t n)
{
    struct pt_vm *vm = pt_vm_of(L);
    double *p = pt_lua_work(L, n * n);
    struct pt_lua_matrix *x = lua_newuserdata(L, sizeof *x);
    *x = (struct pt_lua_matrix){ p, vm->state.epoch, n };
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->matrix_meta);
    lua_setmetatable(L, -2);
    return p;
}

const struct pt_lua_matrix *pt_lua_matrix_test(lua_State *L, int arg)
{
    struct pt_vm *vm = pt_vm_of(L);
    const struct pt_lua_matrix *x = lua_touserdata(L, arg);
    if (!x || !lua_getmetatable(L, arg)) return NULL;
    bool good = lua_topointer(L, -1) == vm->matrix_meta_at;
    lua_pop(L, 1);
    if (!good) return NULL;
    if (x->epoch != vm->state.epoch)
        luaL_error(L, "matrix from an earlier call: nothing can be kept between two calls");
    return x;
}

static const struct pt_lua_matrix *matrix_arg(lua_State *L, int arg)
{
    const struct pt_lua_matrix *x = pt_lua_matrix_test(L, arg);
    if (!x) luaL_typerror(L, arg, "matrix");
    return x;
}

static int matrix_get(lua_State *L)
{
    const struct pt_lua_matrix *x = matrix_arg(L, 1);
    size_t i = pt_lua_whole(L, 2, 1, x->n, PT_LUA_REQUIRED);
    size_t j = pt_lua_whole(L, 3, 1, x->n, PT_LUA_REQUIRED);
    lua_pushnumber(L, x->p[(i - 1) * x->n + j - 1]);
    return 1;
}

static int matrix_row(lua_State *L)
{
    const struct pt_lua_matrix *x = matrix_arg(L, 1);
    size_t i = pt_lua_whole(L, 2, 1, x->n, PT_LUA_REQUIRED);
    pt_lua_vec_view(L, x->p + (i - 1) * x->n, x->n, false);
    return 1;
}

static int matrix_mean(lua_State *L)
{
    const struct pt_lua_matrix *x = matrix_arg(L, 1);
    lua_pushnumber(L, pt_panel_mean(x->p, x->n));
    return 1;
}

static int matrix_repair(lua_State *L)
{
    const struct pt_lua_matrix *x = matrix_arg(L, 1);
    struct pt_panel_spectrum spectrum;
    struct pt_err err = { 0 };
    double *repaired = pt_lua_matrix_push(L, x->n);
    int at = lua_gettop(L);
    for (size_t k = 0; k < x->n * x->n; k++) repaired[k] = x->p[k];
    if (pt_panel_repair(repaired, x->n, &spectrum, NULL, &err) != PT_OK)
        return luaL_error(L, "%s", err.text);
    lua_pushvalue(L, at);
    lua_pushboolean(L, spectrum.repaired);
    lua_pushnumber(L, spectrum.first_share);
    lua_pushnumber(L, (lua_Number)spectrum.kept);
    return 4;
}

const struct pt_lua_doc pt_lua_matrix_docs[] = {
    { "get", matrix_get, "x:get(i, j) -> number", "a cell, by places in m.symbols; 1 .. #x",
      "m:pearson():get(1, 1) == 1" },
    { "row", matrix_row, "x:row(i) -> vector", "a row; outside: error",
      "m:pearson():row(1):get(2) == m:pearson():get(1, 2)" },
    { "mean", matrix_mean, "x:mean() -> number",
      "of the cells above the diagonal that are there; NaN when none is",
      "math.abs(m:pearson():mean() + 1 / 3) < 1e-12" },
    { "repair", matrix_repair,
      "x:repair() -> matrix, repaired: boolean, first_share: number, kept: number",
      "a correlation matrix without negative eigenvalues (cut at 0 where one is below -1e-10, the "
      "diagonal brought back to 1), whether that was needed, and the largest eigenvalue / kept; "
      "symbols with a missing cell take no part, kept are left",
      "local _, repaired, share, kept = m:pearson():repair(); return not repaired and "
      "math.abs(share - 1) < 1e-9 and kept == 3" },
    { NULL, NULL, NULL, NULL, NULL },
};

static int matrix_length(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)matrix_arg(L, 1)->n);
    return 1;
}

static int matrix_words(lua_State *L)
{
    lua_pushfstring(L, "matrix of %d", (int)matrix_arg(L, 1)->n);
    return 1;
}

void pt_lua_matrix_open(lua_State *L)
{
    struct pt_vm *vm = pt_vm_of(L);
    lua_newtable(L);
    pt_lua_register(L, pt_lua_matrix_docs);
    lua_setfield(L, -2, "matrix_methods");
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->matrix_meta);
    lua_pushcfunction(L, matrix_length);
    lua_setfield(L, -2, "__len");
    lua_pushcfunction(L, matrix_words);
    lua_setfield(L, -2, "__tostring");
    lua_pop(L, 1);
}
