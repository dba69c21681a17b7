/* lua_ccf.h - methods of vectors that tell which of two moves first.           [layer: bindings] */
#ifndef PT_LUA_CCF_H
#define PT_LUA_CCF_H

#include "bindings/sandbox.h"

extern const struct pt_lua_doc pt_lua_ccf_docs[];

#endif
