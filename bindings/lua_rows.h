/* lua_rows.h - rows that are no bars, as a script sees them: funding payments, mark prices.
 * [layer: bindings] */
#ifndef PT_LUA_ROWS_H
#define PT_LUA_ROWS_H

#include "bindings/columns.h"
#include "bindings/sandbox.h"

/* Pushes a table with `n` and a vector for each column of the kind, of the symbol's rows with time
 * in [from_us, to_us), oldest first; the first column is called time, in seconds. Raises when they
 * cannot be read. */
void pt_lua_rows_push(lua_State *L, struct pt_columns *columns, enum pt_kind_id kind,
                      int64_t from_us, int64_t to_us);

#endif
