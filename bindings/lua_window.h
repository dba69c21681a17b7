/* lua_window.h - a window: the closed bars that a script sees.                 [layer: bindings] */
#ifndef PT_LUA_WINDOW_H
#define PT_LUA_WINDOW_H

#include "bindings/lua_book.h"
#include "bindings/sandbox.h"

struct pt_lua_window {
    struct pt_columns *columns; /* borrowed, of the unit or in the arena */
    int32_t epoch;
    size_t from, n;                   /* its rows */
    size_t expected;                  /* rows it would have without holes */
    int64_t start_us;                 /* it begins here, whether there is a bar or not */
    bool benchmark, trades;           /* declared: may be asked for */
    const struct pt_lua_books *books; /* borrowed of the call; NULL: not declared */
    int64_t funding_us, marks_us;     /* declared spans; 0: not */
};

/* Puts window_methods and window_field into the table on top, and what C gives into the metatable.
 */
void pt_lua_window_open(lua_State *L);

/* Pushes a window of this call; epoch is set here. */
void pt_lua_window_push(lua_State *L, const struct pt_lua_window *window);

extern const struct pt_lua_doc pt_lua_window_docs[], pt_lua_window_field_docs[];

#endif
