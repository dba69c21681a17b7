/* lua_vec.h - a vector: a column of doubles that a script works on.            [layer: bindings]
 *
 * A userdata with a pointer into the call's arena or into a window's column. It is good for one
 * call: afterwards its epoch is old and every use raises. Missing is NaN or infinity, as for the
 * kernels of core/num. */
#ifndef PT_LUA_VEC_H
#define PT_LUA_VEC_H

#include "bindings/sandbox.h"

/* Known to prelude.lua by layout. */
struct pt_lua_vec {
    double *p; /* borrowed from arena or column; a column is never written to: own is 0 */
    int32_t epoch, n;
    int32_t own; /* may be changed by the script */
};

/* Methods and operators, by file. */
extern const struct pt_lua_doc pt_lua_vec_docs[], pt_lua_map_docs[], pt_lua_stat_docs[],
    pt_lua_roll_docs[], pt_lua_season_docs[], pt_lua_vec_library_docs[];

/* Puts vec_methods and vec_library into the table on top, and the operators into the metatable. */
void pt_lua_vec_open(lua_State *L);

/* Pushes a new vector of n elements, not set; raises when there is no room. The pointer is its
 * elements. */
double *pt_lua_vec_push(lua_State *L, size_t n);
/* Pushes a view. own: its elements may be changed. */
void pt_lua_vec_view(lua_State *L, const double *p, size_t n, bool own);

/* The vector at arg; raises when it is none or from an earlier call. */
struct pt_lua_vec *pt_lua_vec_arg(lua_State *L, int arg);
/* NULL when the value is no vector; raises when it is from an earlier call. */
struct pt_lua_vec *pt_lua_vec_test(lua_State *L, int arg);
/* A second vector that must have the length of the first. */
struct pt_lua_vec *pt_lua_vec_same(lua_State *L, int arg, const struct pt_lua_vec *first);

/* Arena memory for a kernel's own work; raises when there is no room. */
double *pt_lua_work(lua_State *L, size_t n);
/* Gives back what pt_lua_work gave last, before the call of the script ends: for functions that are
 * called once a symbol. */
void pt_lua_work_done(lua_State *L, double *work);

/* Half of the elements (pt_roll_half) are there: else a statistic is missing. */
bool pt_lua_half(const struct pt_lua_vec *v);
/* v:mean() and v:sum(), NaN as they are. */
double pt_lua_mean(const struct pt_lua_vec *v);
double pt_lua_sum(const struct pt_lua_vec *v);

/* Puts the functions of a documentation table into the table on top. */
void pt_lua_register(lua_State *L, const struct pt_lua_doc *docs);

#endif
