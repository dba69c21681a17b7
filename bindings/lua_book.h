/* lua_book.h - the order books that a script sees.                             [layer: bindings] */
#ifndef PT_LUA_BOOK_H
#define PT_LUA_BOOK_H

#include "bindings/books.h"
#include "bindings/sandbox.h"

struct pt_lua_books {
    const struct pt_books *books; /* borrowed, of the unit; the newest one is valid, but
                                   where breaks are declared */
    int32_t epoch;
    size_t from;     /* first row of the span */
    int64_t span_us; /* that was declared */
};

/* Gives the metatable what C gives. */
void pt_lua_book_open(lua_State *L);
/* Pushes the books of this call; epoch is set here. */
void pt_lua_books_push(lua_State *L, const struct pt_lua_books *books);

extern const struct pt_lua_doc pt_lua_book_field_docs[], pt_lua_book_docs[];

#endif
