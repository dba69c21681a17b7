/* check_watch.c - a hook before each line that looks at one value.             [layer: bindings] */
#include "bindings/check_watch.h"

#include <stdio.h>
#include <string.h>

static const char watch_key = 0;

/* Replaces the holder on top by the value that the step leads to. */
static void follow(lua_State *L, const struct pt_step *step)
{
    int at = lua_gettop(L);
    bool table = lua_istable(L, at), function = lua_isfunction(L, at);
    switch (step->kind) {
    case PT_STEP_UPVALUE:
        if (!function || !lua_getupvalue(L, at, step->index)) lua_pushnil(L);
        break;
    case PT_STEP_META:
        if (!table || !lua_getmetatable(L, at))
            lua_pushnil(L);
        else if (pt_vm_push_made(L))
            lua_remove(L, -2);
        break;
    case PT_STEP_TEXT:
    case PT_STEP_NUMBER:
    case PT_STEP_BOOL:
        if (step->kind == PT_STEP_TEXT)
            lua_pushstring(L, step->text);
        else if (step->kind == PT_STEP_NUMBER)
            lua_pushnumber(L, step->number);
        else
            lua_pushboolean(L, step->index);
        if (table) {
            lua_rawget(L, at);
        } else {
            lua_pop(L, 1);
            lua_pushnil(L);
        }
        break;
    default: lua_pushnil(L);
    }
    lua_remove(L, at);
}

/* The value in a holder, which is on top and is popped. A key that cannot be named stands for all
 * values of its table. */
static struct pt_held value_of(lua_State *L, const struct pt_step *step)
{
    struct pt_held held = { .type = LUA_TTABLE };
    if (pt_step_is_named(step) || !lua_istable(L, -1)) {
        follow(L, step);
        held = pt_held_at(L, -1);
    } else {
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
            struct pt_held one = pt_held_at(L, -1);
            held.bits += pt_held_hash(&one.bits, sizeof one.bits) + (uint64_t)one.type;
        }
    }
    lua_pop(L, 1);
    return held;
}

static void look(lua_State *L, struct pt_watch *watch)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, watch->holder);
    struct pt_held now = value_of(L, &watch->step);
    if (watch->hit || pt_held_same(&now, &watch->was)) return;
    watch->hit = true;
    watch->line = watch->last_line;
    memcpy(watch->file, watch->last_file, sizeof watch->file);
}

static void on_line(lua_State *L, lua_Debug *ar)
{
    if (!lua_checkstack(L, 8)) return;
    lua_pushlightuserdata(L, (void *)(uintptr_t)&watch_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    struct pt_watch *watch = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (!watch) return;
    look(L, watch);
    if (watch->hit) {
        lua_sethook(L, NULL, 0, 0);
    } else if (lua_getinfo(L, "Sl", ar) && ar->source[0] == '@') {
        watch->last_line = ar->currentline;
        snprintf(watch->last_file, sizeof watch->last_file, "%s", ar->source + 1);
    }
}

struct start {
    struct pt_watch *watch;
    const struct pt_change *change;
};

static int start_body(lua_State *L)
{
    const struct start *start = lua_touserdata(L, 1);
    struct pt_watch *watch = start->watch;
    const struct pt_change *change = start->change;
    pt_state_push_root(L, &watch->script->declaration, change->steps[0].index);
    for (size_t i = 1; i + 1 < change->nsteps; i++) follow(L, &change->steps[i]);
    watch->step = change->steps[change->nsteps - 1];
    lua_pushvalue(L, -1);
    watch->holder = luaL_ref(L, LUA_REGISTRYINDEX);
    watch->was = value_of(L, &watch->step);
    lua_pushlightuserdata(L, (void *)(uintptr_t)&watch_key);
    lua_pushlightuserdata(L, watch);
    lua_rawset(L, LUA_REGISTRYINDEX);
    lua_sethook(L, on_line, LUA_MASKLINE, 0);
    return 0;
}

static int stop_body(lua_State *L)
{
    struct pt_watch *watch = lua_touserdata(L, 1);
    lua_sethook(L, NULL, 0, 0);
    look(L, watch); /* the last line of all */
    lua_pushlightuserdata(L, (void *)(uintptr_t)&watch_key);
    lua_pushnil(L);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return 0;
}

enum pt_code pt_watch_start(struct pt_watch *watch, struct pt_lua_script *script,
                            const struct pt_change *change)
{
    struct start start = { watch, change };
    *watch =
        (struct pt_watch){ .script = script, .restarts = script->restarts, .holder = LUA_NOREF };
    if (!change->found_again || change->nsteps < 2) return PT_ENOENT;
    return pt_vm_protect(script->vm, start_body, &start);
}

void pt_watch_stop(struct pt_watch *watch)
{
    if (watch->script->vm && watch->script->restarts == watch->restarts &&
        watch->holder != LUA_NOREF)
        pt_vm_protect(watch->script->vm, stop_body, watch);
}
