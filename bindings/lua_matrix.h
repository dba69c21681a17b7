/* lua_matrix.h - a symmetric matrix over the symbols of a market.              [layer: bindings]
 * Good for one call, as a vector is. A cell that cannot be had is NaN. */
#ifndef PT_LUA_MATRIX_H
#define PT_LUA_MATRIX_H

#include "bindings/sandbox.h"

struct pt_lua_matrix {
    double *p; /* of the arena, [n * n] */
    int32_t epoch;
    size_t n;
};

/* Puts matrix_methods into the table on top. */
void pt_lua_matrix_open(lua_State *L);
/* Pushes a new one, not set; raises when there is no room. The pointer is its cells. */
double *pt_lua_matrix_push(lua_State *L, size_t n);
/* NULL when the value is no matrix; raises when it is from an earlier call. */
const struct pt_lua_matrix *pt_lua_matrix_test(lua_State *L, int arg);

extern const struct pt_lua_doc pt_lua_matrix_docs[];

#endif
