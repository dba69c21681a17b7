/* lua_forest.c - which rows of a table of features stand apart.                [layer: bindings] */
#include "bindings/lua_forest.h"

#include "bindings/lua_vec.h"
#include "num/forest.h"

#define SEED_MAX ((size_t)1 << 53)

/* The vectors of the list at arg, all of one length; returns how many. They stay on the stack. */
static size_t columns_arg(lua_State *L, int arg, const double **x, size_t *rows)
{
    luaL_checktype(L, arg, LUA_TTABLE);
    size_t n = lua_objlen(L, arg);
    if (n < 1 || n > PT_FOREST_FEATURES_MAX) {
        lua_pushfstring(L, "a list of 1 .. %d vectors expected, got %d", PT_FOREST_FEATURES_MAX,
                        (int)n);
        luaL_argerror(L, arg, lua_tostring(L, -1));
    }
    luaL_checkstack(L, (int)n, "too many columns");
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, arg, (int)(i + 1));
        const struct pt_lua_vec *v = pt_lua_vec_test(L, -1);
        if (!v)
            luaL_argerror(L, arg,
                          lua_pushfstring(L, "element %d of the list is no vector", (int)(i + 1)));
        if (i > 0 && (size_t)v->n != *rows)
            luaL_argerror(L, arg,
                          lua_pushfstring(L, "vector %d has %d elements, the first one has %d",
                                          (int)(i + 1), (int)v->n, (int)*rows));
        *rows = (size_t)v->n;
        x[i] = v->p;
    }
    return n;
}

static int isolation_forest(lua_State *L)
{
    const double *x[PT_FOREST_FEATURES_MAX];
    size_t rows = 0;
    lua_settop(L, 5);
    struct pt_forest_plan plan = { .features = columns_arg(L, 1, x, &rows) };
    size_t fitted = pt_lua_whole(L, 2, 0, rows, PT_LUA_REQUIRED);
    plan.trees = pt_lua_whole(L, 3, 1, PT_FOREST_TREES_MAX, 100);
    plan.samples = pt_lua_whole(L, 4, 2, PT_FOREST_SAMPLES_MAX, 256);
    plan.seed = pt_lua_whole(L, 5, 0, SEED_MAX, 42);
    struct pt_forest forest;
    double *out = pt_lua_vec_push(L, rows), *room = pt_lua_work(L, pt_forest_room(&plan, fitted));
    pt_forest_fit(&forest, &plan, x, fitted, room);
    pt_forest_score(&forest, x, rows, out);
    pt_lua_work_done(L, room);
    lua_pushnumber(L, (lua_Number)forest.used);
    return 2;
}

const struct pt_lua_doc pt_lua_forest_docs[] = {
    { "isolation_forest", isolation_forest,
      "vec.isolation_forest(features: vector[], fitted [, trees=100, samples=256, seed=42]) -> "
      "vector, used",
      "how far each row of the features (1 to 32 vectors of one length) stands apart from the "
      "first "
      "`fitted` rows: usual below 0.5, alone near 1, missing where a feature is. Each tree cuts at "
      "random places until rows of a random sample are alone; few cuts are a high score (Liu, Ting "
      "& Zhou 2008). used: rows it was fitted on, those without a missing feature",
      "vec.isolation_forest({ vec.of{3, 5, 4, 6, 90, 5} }, 6):argmax() == 5" },
    { NULL, NULL, NULL, NULL, NULL },
};
