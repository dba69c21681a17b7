/* lua_rows.c - funding payments and mark prices as vectors.                    [layer: bindings] */
#include "bindings/lua_rows.h"

#include "bindings/lua_vec.h"

/* A column that was asked for and is none; upvalue 1: what the rows are called. */
static int unknown_column(lua_State *L)
{
    lua_pushvalue(L, 2);
    return luaL_error(L, "%s has no column '%s'", lua_tostring(L, lua_upvalueindex(1)),
                      lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "?");
}

static int read_only(lua_State *L)
{
    return luaL_error(L, "%s is read-only", lua_tostring(L, lua_upvalueindex(1)));
}

static void guard(lua_State *L, const char *name)
{
    lua_createtable(L, 0, 3);
    lua_pushstring(L, name);
    lua_pushcclosure(L, unknown_column, 1);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, name);
    lua_pushcclosure(L, read_only, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
}

/* The columns of a frame as doubles in the arena; false when it is full. */
static bool take_columns(struct pt_vm *vm, const struct pt_frame *frame, double *out[PT_COLS_MAX])
{
    for (unsigned c = 0; c < frame->kind->ncols; c++) {
        out[c] = pt_lua_memory_scratch(&vm->memory, frame->n * sizeof **out);
        if (!out[c]) return false;
        pt_frame_doubles(frame, c, 0, frame->n, out[c]);
        if (frame->kind->cols[c].type != PT_TYPE_TIME) continue;
        for (size_t i = 0; i < frame->n; i++) out[c][i] /= 1e6;
    }
    return true;
}

void pt_lua_rows_push(lua_State *L, struct pt_columns *columns, enum pt_kind_id kind,
                      int64_t from_us, int64_t to_us)
{
    const struct pt_kind *rows = pt_kind(kind);
    double *column[PT_COLS_MAX];
    struct pt_frame frame;
    struct pt_err err = { 0 };
    pt_frame_init(&frame, rows);
    enum pt_code rc = columns->source->others(columns, kind, from_us, to_us, &frame, &err);
    if (rc == PT_OK && !take_columns(pt_vm_of(L), &frame, column))
        rc = pt_fail(&err, PT_ENOMEM, "not enough memory for %zu rows of %s", frame.n, rows->name);
    size_t n = frame.n;
    pt_frame_fini(&frame);
    if (rc != PT_OK) luaL_error(L, "%s", err.text);
    lua_createtable(L, 0, (int)rows->ncols + 1);
    for (unsigned c = 0; c < rows->ncols; c++) {
        pt_lua_vec_view(L, column[c], n, false);
        lua_setfield(L, -2, c == 0 ? "time" : rows->cols[c].name);
    }
    lua_pushnumber(L, (lua_Number)n);
    lua_setfield(L, -2, "n");
    guard(L, rows->name);
}
