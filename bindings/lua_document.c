/* lua_document.c - documents as Lua values.                                    [layer: bindings] */
#include "bindings/lua_document.h"

#include "data/matrix.h"

#include <lauxlib.h>

static void push_matrix(lua_State *L, const bson_iter_t *iter)
{
    struct pt_matrix matrix;
    if (!pt_matrix_view(iter, &matrix)) {
        lua_pushnil(L);
        return;
    }
    luaL_checkstack(L, 4, "matrix");
    lua_createtable(L, (int)matrix.n, 0);
    for (size_t i = 0; i < matrix.n; i++) {
        lua_createtable(L, (int)matrix.n, 0);
        for (size_t j = 0; j < matrix.n; j++) {
            lua_pushnumber(L, pt_matrix_get(&matrix, i, j));
            lua_rawseti(L, -2, (int)(j + 1));
        }
        lua_rawseti(L, -2, (int)(i + 1));
    }
}

void pt_lua_value_push(lua_State *L, const bson_iter_t *iter)
{
    bson_t child;
    uint32_t len = 0;
    const uint8_t *data = NULL;
    switch (bson_iter_type(iter)) {
    case BSON_TYPE_DOUBLE: lua_pushnumber(L, bson_iter_double(iter)); break;
    case BSON_TYPE_INT64: lua_pushnumber(L, (lua_Number)bson_iter_int64(iter)); break;
    case BSON_TYPE_BOOL: lua_pushboolean(L, bson_iter_bool(iter)); break;
    case BSON_TYPE_DATE_TIME: lua_pushnumber(L, (lua_Number)bson_iter_date_time(iter) / 1e3); break;
    case BSON_TYPE_UTF8: lua_pushstring(L, bson_iter_utf8(iter, &len)); break;
    case BSON_TYPE_BINARY: push_matrix(L, iter); break;
    case BSON_TYPE_DOCUMENT:
    case BSON_TYPE_ARRAY: {
        bool array = bson_iter_type(iter) == BSON_TYPE_ARRAY;
        if (array)
            bson_iter_array(iter, &len, &data);
        else
            bson_iter_document(iter, &len, &data);
        if (data && bson_init_static(&child, data, len))
            pt_lua_document_push(L, &child, array);
        else
            lua_pushnil(L);
        break;
    }
    default: lua_pushnil(L); break;
    }
}

void pt_lua_document_push(lua_State *L, const bson_t *doc, bool array)
{
    bson_iter_t iter;
    int i = 0;
    luaL_checkstack(L, 8, "document");
    lua_newtable(L);
    if (!bson_iter_init(&iter, doc)) return;
    while (bson_iter_next(&iter)) {
        pt_lua_value_push(L, &iter);
        if (array)
            lua_rawseti(L, -2, ++i);
        else
            lua_setfield(L, -2, bson_iter_key(&iter));
    }
}
