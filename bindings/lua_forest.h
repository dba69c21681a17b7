/* lua_forest.h - which rows of a table of features stand apart.                [layer: bindings] */
#ifndef PT_LUA_FOREST_H
#define PT_LUA_FOREST_H

#include "bindings/sandbox.h"

/* Of the library vec. */
extern const struct pt_lua_doc pt_lua_forest_docs[];

#endif
