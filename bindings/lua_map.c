/* lua_map.c - methods of vectors that give a vector, element by element.       [layer: bindings] */
#include "bindings/lua_vec.h"
#include "num/vec.h"

#include <math.h>

static int map(lua_State *L, void (*kernel)(const double *a, size_t n, double *out))
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    double *out = pt_lua_vec_push(L, (size_t)v->n);
    kernel(v->p, (size_t)v->n, out);
    return 1;
}

static int vec_log(lua_State *L)
{
    return map(L, pt_vec_log);
}

static int vec_exp(lua_State *L)
{
    return map(L, pt_vec_exp);
}

static int vec_sqrt(lua_State *L)
{
    return map(L, pt_vec_sqrt);
}

static int vec_square(lua_State *L)
{
    return map(L, pt_vec_square);
}

static int vec_abs(lua_State *L)
{
    return map(L, pt_vec_abs);
}

static int vec_sign(lua_State *L)
{
    return map(L, pt_vec_sign);
}

static int vec_pow(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    double e = luaL_checknumber(L, 2), *out = pt_lua_vec_push(L, (size_t)v->n);
    pt_vec_pow(v->p, e, (size_t)v->n, out);
    return 1;
}

static int vec_clip(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    double low = luaL_optnumber(L, 2, -INFINITY), high = luaL_optnumber(L, 3, INFINITY);
    luaL_argcheck(L, low <= high, 3, "must not be below the lower bound");
    double *out = pt_lua_vec_push(L, (size_t)v->n);
    pt_vec_clip(v->p, low, high, (size_t)v->n, out);
    return 1;
}

/* A vector of the length of v, or a number repeated. */
static const double *operand(lua_State *L, int arg, const struct pt_lua_vec *v)
{
    if (lua_type(L, arg) != LUA_TNUMBER) return pt_lua_vec_same(L, arg, v)->p;
    double x = lua_tonumber(L, arg), *p = pt_lua_work(L, (size_t)v->n);
    for (int32_t i = 0; i < v->n; i++) p[i] = x;
    return p;
}

static int vec_lesser(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    const double *x = operand(L, 2, v);
    double *out = pt_lua_vec_push(L, (size_t)v->n);
    pt_vec_min(v->p, x, (size_t)v->n, out);
    return 1;
}

static int vec_greater(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    const double *x = operand(L, 2, v);
    double *out = pt_lua_vec_push(L, (size_t)v->n);
    pt_vec_max(v->p, x, (size_t)v->n, out);
    return 1;
}

static int compare(lua_State *L, enum pt_compare how)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    size_t n = (size_t)v->n;
    if (lua_type(L, 2) == LUA_TNUMBER) {
        double *out = pt_lua_vec_push(L, n);
        pt_vec_compare_by(v->p, how, lua_tonumber(L, 2), n, out);
    } else {
        const struct pt_lua_vec *u = pt_lua_vec_same(L, 2, v);
        double *out = pt_lua_vec_push(L, n);
        pt_vec_compare(v->p, how, u->p, n, out);
    }
    return 1;
}

static int vec_lt(lua_State *L)
{
    return compare(L, PT_LT);
}

static int vec_le(lua_State *L)
{
    return compare(L, PT_LE);
}

static int vec_gt(lua_State *L)
{
    return compare(L, PT_GT);
}

static int vec_ge(lua_State *L)
{
    return compare(L, PT_GE);
}

static int vec_eq(lua_State *L)
{
    return compare(L, PT_EQ);
}

static int vec_ne(lua_State *L)
{
    return compare(L, PT_NE);
}

static int vec_where(lua_State *L)
{
    struct pt_lua_vec *mask = pt_lua_vec_arg(L, 1);
    const double *a = operand(L, 2, mask), *b = operand(L, 3, mask);
    double *out = pt_lua_vec_push(L, (size_t)mask->n);
    pt_vec_where(mask->p, a, b, (size_t)mask->n, out);
    return 1;
}

static int vec_shift(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    double lag = luaL_optnumber(L, 2, 1);
    luaL_argcheck(L, lag == floor(lag) && fabs(lag) <= INT32_MAX, 2, "must be a whole number");
    double *out = pt_lua_vec_push(L, (size_t)v->n);
    pt_vec_shift(v->p, (ptrdiff_t)lag, (size_t)v->n, out);
    return 1;
}

static int vec_diff(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    size_t lag = pt_lua_whole(L, 2, 1, INT32_MAX, 1);
    double *out = pt_lua_vec_push(L, (size_t)v->n);
    pt_vec_diff(v->p, lag, (size_t)v->n, out);
    return 1;
}

static int vec_roc(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    size_t lag = pt_lua_whole(L, 2, 1, INT32_MAX, 1);
    double *out = pt_lua_vec_push(L, (size_t)v->n);
    pt_vec_roc(v->p, lag, (size_t)v->n, out);
    return 1;
}

static int vec_cumsum(lua_State *L)
{
    return map(L, pt_vec_cumsum);
}

static int vec_fill(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    double x = luaL_checknumber(L, 2), *out = pt_lua_vec_push(L, (size_t)v->n);
    pt_vec_fill(v->p, x, (size_t)v->n, out);
    return 1;
}

static int vec_fill_forward(lua_State *L)
{
    return map(L, pt_vec_fill_forward);
}

const struct pt_lua_doc pt_lua_map_docs[] = {
    { "log", vec_log, "v:log() -> vector", "natural logarithm; of 0 and less: missing" },
    { "exp", vec_exp, "v:exp() -> vector", "e to the power of each" },
    { "sqrt", vec_sqrt, "v:sqrt() -> vector", "square root; of less than 0: missing" },
    { "square", vec_square, "v:square() -> vector", "each times itself" },
    { "abs", vec_abs, "v:abs() -> vector", "without sign" },
    { "sign", vec_sign, "v:sign() -> vector", "-1, 0 or 1" },
    { "pow", vec_pow, "v:pow(e) -> vector", "each to the power of e" },
    { "clip", vec_clip, "v:clip(low, high) -> vector", "into the bounds; nil is no bound" },
    { "lesser", vec_lesser, "v:lesser(x) -> vector",
      "the smaller of the two; x: vector or number" },
    { "greater", vec_greater, "v:greater(x) -> vector",
      "the larger of the two; x: vector or number" },
    { "lt", vec_lt, "v:lt(x) -> vector",
      "1 where v < x, else 0; x: vector or number. The mean of such a mask is a share" },
    { "le", vec_le, "v:le(x) -> vector", "1 where v <= x, else 0" },
    { "gt", vec_gt, "v:gt(x) -> vector", "1 where v > x, else 0" },
    { "ge", vec_ge, "v:ge(x) -> vector", "1 where v >= x, else 0" },
    { "eq", vec_eq, "v:eq(x) -> vector", "1 where v = x, else 0" },
    { "ne", vec_ne, "v:ne(x) -> vector", "1 where v differs from x, else 0" },
    { "where", vec_where, "mask:where(a, b) -> vector",
      "a where the mask is not 0, else b; vectors or numbers" },
    { "shift", vec_shift, "v:shift([k=1]) -> vector",
      "element i is v[i - k]; what comes from outside is missing" },
    { "diff", vec_diff, "v:diff([k=1]) -> vector", "v[i] - v[i - k]; the first k are missing" },
    { "roc", vec_roc, "v:roc([k=1]) -> vector",
      "percent change over k elements; the first k are missing" },
    { "cumsum", vec_cumsum, "v:cumsum() -> vector",
      "running sum; a missing element adds nothing and stays missing" },
    { "fill", vec_fill, "v:fill(x) -> vector", "x where an element is missing" },
    { "fill_forward", vec_fill_forward, "v:fill_forward() -> vector",
      "the last element that was there where one is missing" },
    { NULL, NULL, NULL, NULL },
};
