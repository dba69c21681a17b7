/* lua_book.c - fields and methods of order books.                              [layer: bindings] */
#include "bindings/lua_book.h"

#include "bindings/lua_vec.h"

#include <math.h>
#include <string.h>

enum { BIDS, ASKS };

void pt_lua_books_push(lua_State *L, const struct pt_lua_books *books)
{
    struct pt_vm *vm = pt_vm_of(L);
    struct pt_lua_books *b = lua_newuserdata(L, sizeof *b);
    *b = *books;
    b->epoch = vm->state.epoch;
    lua_newtable(L); /* its fields, once they were asked for */
    lua_setfenv(L, -2);
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->books_meta);
    lua_setmetatable(L, -2);
}

static struct pt_lua_books *books_arg(lua_State *L, int arg)
{
    struct pt_vm *vm = pt_vm_of(L);
    struct pt_lua_books *b = lua_touserdata(L, arg);
    bool good = false;
    if (b && lua_getmetatable(L, arg)) {
        good = lua_topointer(L, -1) == vm->books_meta_at;
        lua_pop(L, 1);
    }
    if (!good) luaL_typerror(L, arg, "books");
    if (b->epoch != vm->state.epoch)
        luaL_error(L, "books from an earlier call: nothing can be kept between two calls");
    return b;
}

/* ---- fields ---- */

static void push_time(lua_State *L, const struct pt_lua_books *b)
{
    size_t n = b->books->n - b->from;
    double *out = pt_lua_work(L, n);
    for (size_t i = 0; i < n; i++) out[i] = (double)b->books->time_us[b->from + i] / 1e6;
    pt_lua_vec_view(L, out, n, false);
}

static void push_row(lua_State *L, const struct pt_lua_books *b, const double *column)
{
    size_t n = b->books->n - b->from;
    pt_lua_vec_view(L, n > 0 ? column + b->from : column, n, false);
}

static void push_best_bid(lua_State *L, const struct pt_lua_books *b)
{
    push_row(L, b, b->books->bid);
}

static void push_best_ask(lua_State *L, const struct pt_lua_books *b)
{
    push_row(L, b, b->books->ask);
}

static void push_levels(lua_State *L, const struct pt_lua_books *b, int side, bool quantity)
{
    const struct pt_books *books = b->books;
    pt_lua_vec_view(L, quantity ? books->quantity[side] : books->price[side], books->levels[side],
                    false);
}

static void push_bid_price(lua_State *L, const struct pt_lua_books *b)
{
    push_levels(L, b, BIDS, false);
}

static void push_bid_quantity(lua_State *L, const struct pt_lua_books *b)
{
    push_levels(L, b, BIDS, true);
}

static void push_ask_price(lua_State *L, const struct pt_lua_books *b)
{
    push_levels(L, b, ASKS, false);
}

static void push_ask_quantity(lua_State *L, const struct pt_lua_books *b)
{
    push_levels(L, b, ASKS, true);
}

static void push_n(lua_State *L, const struct pt_lua_books *b)
{
    lua_pushnumber(L, (lua_Number)(b->books->n - b->from));
}

static void push_breaks(lua_State *L, const struct pt_lua_books *b)
{
    size_t breaks;
    pt_books_known(b->books, b->from, b->span_us, &breaks);
    lua_pushnumber(L, (lua_Number)breaks);
}

static void push_completeness(lua_State *L, const struct pt_lua_books *b)
{
    size_t breaks;
    lua_pushnumber(L, pt_books_known(b->books, b->from, b->span_us, &breaks));
}

static void push_seconds(lua_State *L, const struct pt_lua_books *b)
{
    lua_pushnumber(L, (lua_Number)b->span_us / 1e6);
}

static void push_as_of(lua_State *L, const struct pt_lua_books *b)
{
    lua_pushnumber(L, (lua_Number)b->books->as_of_us / 1e6);
}

static const struct {
    const char *name;
    void (*push)(lua_State *L, const struct pt_lua_books *b);
} fields[] = {
    { "bid_price", push_bid_price }, { "bid_quantity", push_bid_quantity },
    { "ask_price", push_ask_price }, { "ask_quantity", push_ask_quantity },
    { "time", push_time },           { "best_bid", push_best_bid },
    { "best_ask", push_best_ask },   { "n", push_n },
    { "breaks", push_breaks },       { "completeness", push_completeness },
    { "seconds", push_seconds },     { "as_of", push_as_of },
};

/* __index; upvalue 1: the methods */
static int books_index(lua_State *L)
{
    const struct pt_lua_books *b = books_arg(L, 1);
    if (lua_type(L, 2) != LUA_TSTRING)
        return luaL_error(L, "books have no elements: b.time:get(i)");
    const char *name = lua_tostring(L, 2);
    lua_getfenv(L, 1);
    lua_getfield(L, -1, name);
    if (!lua_isnil(L, -1)) return 1;
    lua_getfield(L, lua_upvalueindex(1), name);
    if (!lua_isnil(L, -1)) return 1;
    lua_pop(L, 2);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (strcmp(fields[i].name, name) != 0) continue;
        fields[i].push(L, b);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, name);
        return 1;
    }
    return luaL_error(L, "books have no field or method '%s'", name);
}

static int books_newindex(lua_State *L)
{
    return luaL_error(L, "books are read-only");
}

static int books_words(lua_State *L)
{
    const struct pt_lua_books *b = books_arg(L, 1);
    lua_pushfstring(L, "%d books of %s", (int)(b->books->n - b->from), b->books->symbol);
    return 1;
}

/* ---- methods ---- */

static int books_stood(lua_State *L)
{
    const struct pt_lua_books *b = books_arg(L, 1);
    double most = luaL_optnumber(L, 2, (lua_Number)PT_BOOK_STANDS_US / 1e6);
    luaL_argcheck(L, most > 0 && most <= 1e9, 2, "seconds, above 0 and at most 1e9");
    double *out = pt_lua_vec_push(L, b->books->n - b->from);
    pt_books_stood(b->books, b->from, (int64_t)llround(most * 1e6), out);
    return 1;
}

const struct pt_lua_doc pt_lua_book_field_docs[] = {
    { "bid_price", NULL, "b.bid_price, b.bid_quantity: vector",
      "levels of the newest book that were bid, best first, at most 20; none while it is a break",
      "w.books.bid_price == vec.of{12, 11}" },
    { "ask_price", NULL, "b.ask_price, b.ask_quantity: vector", "and asked",
      "w.books.ask_price:get(1) == 13 and w.books.ask_quantity:sum() == 11" },
    { "time", NULL, "b.time: vector",
      "time of each book of the span, seconds since 1970 UTC, oldest first",
      "w.books.time:get(2) - w.books.time:get(1) == 110" },
    { "best_bid", NULL, "b.best_bid, b.best_ask: vector",
      "best prices of each; missing in the row of a break, from which on no valid book is known",
      "w.books.best_bid == vec.of{11, 0/0, 12}" },
    { "n", NULL, "b.n: number", "how many there are, breaks with them", "w.books.n == 3" },
    { "breaks", NULL, "b.breaks: number", "how many of them are breaks", "w.books.breaks == 1" },
    { "completeness", NULL, "b.completeness: number",
      "share of the span, 0 .. 100, in which a valid book is known; each is believed for at most "
      "60 "
      "s",
      "w.books.completeness == 100 * 60 / 3600" },
    { "seconds", NULL, "b.seconds: number", "length of the span", "w.books.seconds == 3600" },
    { "as_of", NULL, "b.as_of: number",
      "end of the span: time of the newest book (whole ms), seconds since 1970 UTC",
      "w.books.as_of == w.books.time:final()" },
    { NULL, NULL, NULL, NULL, NULL },
};

const struct pt_lua_doc pt_lua_book_docs[] = {
    { "stood", books_stood, "b:stood([most=60]) -> vector",
      "how long each book stood, until the next one or as_of, at most so many seconds; whole "
      "microseconds, so that sums are exact; 0 for a break",
      "w.books:stood() == vec.of{60e6, 0, 0}" },
    { NULL, NULL, NULL, NULL, NULL },
};

void pt_lua_book_open(lua_State *L)
{
    struct pt_vm *vm = pt_vm_of(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, vm->books_meta);
    lua_newtable(L);
    pt_lua_register(L, pt_lua_book_docs);
    lua_pushcclosure(L, books_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, books_newindex);
    lua_setfield(L, -2, "__newindex");
    lua_pushcfunction(L, books_words);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "books");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
