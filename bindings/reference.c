/* reference.c - all that scripts can call, group by group.                     [layer: bindings] */
#include "bindings/reference.h"

#include "bindings/lua_ccf.h"
#include "bindings/lua_forest.h"
#include "bindings/lua_market.h"
#include "bindings/lua_matrix.h"
#include "bindings/lua_vec.h"
#include "bindings/lua_window.h"

const struct pt_lua_group pt_lua_groups[] = {
    { "Names", "", pt_lua_name_docs },
    { "Window: fields", "window", pt_lua_window_field_docs },
    { "Window: methods", "window", pt_lua_window_docs },
    { "Books: fields", "books", pt_lua_book_field_docs },
    { "Books: methods", "books", pt_lua_book_docs },
    { "Market: fields", "market", pt_lua_market_field_docs },
    { "Market: methods", "market", pt_lua_market_docs },
    { "Matrix", "matrix", pt_lua_matrix_docs },
    { "Vector: elements and parts", "vector", pt_lua_vec_docs },
    { "Vector: element by element", "vector", pt_lua_map_docs },
    { "Vector: statistics", "vector", pt_lua_stat_docs },
    { "Vector: rolling and averages", "vector", pt_lua_roll_docs },
    { "Vector: seasons and cycles", "vector", pt_lua_season_docs },
    { "Vector: who leads, who follows", "vector", pt_lua_ccf_docs },
    { "Library vec", "vec", pt_lua_vec_library_docs },
    { "Library vec: what stands apart", "vec", pt_lua_forest_docs },
    { NULL, NULL, NULL },
};

static void set_text(lua_State *L, const char *field, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, field);
}

void pt_lua_reference_push(lua_State *L)
{
    lua_newtable(L);
    for (const struct pt_lua_group *group = pt_lua_groups; group->title; group++) {
        for (const struct pt_lua_doc *doc = group->docs; doc->name; doc++) {
            lua_createtable(L, 0, 6);
            set_text(L, "group", group->title);
            set_text(L, "owner", group->owner);
            set_text(L, "name", doc->name);
            set_text(L, "signature", doc->signature);
            set_text(L, "about", doc->about);
            set_text(L, "example", doc->example);
            lua_rawseti(L, -2, (int)lua_objlen(L, -2) + 1);
        }
    }
}
