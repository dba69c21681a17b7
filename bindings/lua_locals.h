/* lua_locals.h - what the locals of a failing function hold, in words.         [layer: bindings] */
#ifndef PT_LUA_LOCALS_H
#define PT_LUA_LOCALS_H

#include "bindings/sandbox.h"

/* From an error handler: appends { name: words } for each local of the function that failed, in the
 * order of their making. Runs nothing of the script's and allocates nothing of its VM's. Where
 * loops are compiled, a local that is not used any more may show an older value: turn the compiler
 * off. */
void pt_lua_locals_take(lua_State *L, const struct pt_lua_fault *fault, bson_t *locals);

#endif
