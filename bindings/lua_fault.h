/* lua_fault.h - what went wrong in a script, and where.                        [layer: bindings] */
#ifndef PT_LUA_FAULT_H
#define PT_LUA_FAULT_H

#include "bindings/sandbox.h"

/* From an error handler: the value raised (index 1) as words, its place taken from the text
 * ("file:line: ") or from the innermost running function of a script. Runs nothing of the script's.
 * file: the script, its text cannot be cut. */
void pt_lua_fault_take(lua_State *L, const char *file, struct pt_lua_fault *fault);

/* The limit was reached. */
void pt_lua_fault_memory(size_t limit, struct pt_lua_fault *fault);

/* Words alone. */
void pt_lua_fault_set(struct pt_lua_fault *fault, const char *message);

#endif
