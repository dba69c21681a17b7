/* lua_market.h - a market: the bars of all symbols that a script sees at once. [layer: bindings] */
#ifndef PT_LUA_MARKET_H
#define PT_LUA_MARKET_H

#include "bindings/market.h"
#include "bindings/sandbox.h"

/* The last `rows` rows of it. */
struct pt_lua_market {
    struct pt_market *market; /* borrowed, of the unit */
    int32_t epoch;
    size_t rows;
};

/* Puts market_methods and market_field into the table on top. */
void pt_lua_market_open(lua_State *L);
/* Pushes a market of this call. */
void pt_lua_market_push(lua_State *L, struct pt_market *market, size_t rows);
extern const struct pt_lua_doc pt_lua_market_docs[], pt_lua_market_field_docs[];

#endif
