/* lua_document.h - documents as Lua values.                                    [layer: bindings] */
#ifndef PT_LUA_DOCUMENT_H
#define PT_LUA_DOCUMENT_H

#include "data/doc.h"

#include <lua.h>

/* Pushes a table: null is nil, a date is seconds since 1970, a matrix a list of rows with NaN where
 * a cell is missing. array: the members by position. */
void pt_lua_document_push(lua_State *L, const bson_t *doc, bool array);
void pt_lua_value_push(lua_State *L, const bson_iter_t *iter);

#endif
