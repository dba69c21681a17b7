/* stubs.c - petrosa-stubs FILE: writes the types of all that a script can name. [layer: bindings]
 *
 * Run by the build. The file is for editors that speak to the Lua language server. */
#include "base/timefmt.h"
#include "bindings/reference.h"
#include "declare_lua.h"
#include "stubs_lua.h"

#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

/* A chunk on top of the stack. */
static void load(lua_State *L, const unsigned char *text, size_t len, const char *name)
{
    if (luaL_loadbuffer(L, (const char *)text, len, name) != 0) lua_error(L);
}

/* declare.lua, run for what it says of itself: nothing is declared with it. */
static void push_declaration(lua_State *L)
{
    load(L, declare_lua, sizeof declare_lua, "=declare");
    lua_newtable(L);
    lua_newtable(L);
    lua_call(L, 2, 1);
}

static void push_periods(lua_State *L)
{
    lua_newtable(L);
    for (size_t i = 0; pt_periods[i]; i++) {
        char text[PT_PERIOD_TEXT_MAX];
        pt_period_print(pt_periods[i], text);
        lua_pushstring(L, text);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static int write_stubs(lua_State *L)
{
    size_t len;
    const char *path = lua_touserdata(L, 1);
    luaL_openlibs(L);
    load(L, stubs_lua, sizeof stubs_lua, "=stubs");
    pt_lua_reference_push(L);
    push_declaration(L);
    push_periods(L);
    lua_call(L, 3, 1);
    const char *text = lua_tolstring(L, -1, &len);
    FILE *file = fopen(path, "wb");
    if (!file) return luaL_error(L, "%s cannot be written", path);
    bool good = fwrite(text, 1, len, file) == len;
    if (fclose(file) != 0) good = false;
    return good ? 0 : luaL_error(L, "%s: writing it failed", path);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: petrosa-stubs FILE\n");
        return 2;
    }
    lua_State *L = luaL_newstate();
    int status = L ? lua_cpcall(L, write_stubs, argv[1]) : LUA_ERRMEM;
    if (status != 0)
        fprintf(stderr, "petrosa-stubs: %s\n", L ? lua_tostring(L, -1) : "out of memory");
    if (L) lua_close(L);
    return status == 0 ? 0 : 1;
}
