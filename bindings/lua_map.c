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
    { "log", vec_log, "v:log() -> vector", "natural logarithm; of 0 and less: missing",
      "vec.of{1, 0}:log() == vec.of{0, 0/0}" },
    { "exp", vec_exp, "v:exp() -> vector", "e to the power of each",
      "vec.of{0}:exp() == vec.of{1}" },
    { "sqrt", vec_sqrt, "v:sqrt() -> vector", "square root; of less than 0: missing",
      "vec.of{9, -1}:sqrt() == vec.of{3, 0/0}" },
    { "square", vec_square, "v:square() -> vector", "each times itself",
      "vec.of{3, -2}:square() == vec.of{9, 4}" },
    { "abs", vec_abs, "v:abs() -> vector", "without sign", "vec.of{3, -2}:abs() == vec.of{3, 2}" },
    { "sign", vec_sign, "v:sign() -> vector", "-1, 0 or 1",
      "vec.of{3, 0, -2}:sign() == vec.of{1, 0, -1}" },
    { "pow", vec_pow, "v:pow(e) -> vector", "each to the power of e",
      "vec.of{2, 3}:pow(3) == vec.of{8, 27}" },
    { "clip", vec_clip, "v:clip(low: number | nil, high: number | nil) -> vector",
      "into the bounds; nil is no bound", "vec.of{-1, 5, 9}:clip(0, 6) == vec.of{0, 5, 6}" },
    { "lesser", vec_lesser, "v:lesser(x: vector | number) -> vector", "the smaller of the two",
      "vec.of{1, 5}:lesser(3) == vec.of{1, 3}" },
    { "greater", vec_greater, "v:greater(x: vector | number) -> vector", "the larger of the two",
      "vec.of{1, 5}:greater(vec.of{2, 2}) == vec.of{2, 5}" },
    { "lt", vec_lt, "v:lt(x: vector | number) -> vector",
      "1 where v < x, else 0. The mean of such a mask is a share",
      "vec.of{1, 2, 3, 4}:lt(2):mean() == 0.25" },
    { "le", vec_le, "v:le(x: vector | number) -> vector", "1 where v <= x, else 0",
      "vec.of{1, 2, 3}:le(2) == vec.of{1, 1, 0}" },
    { "gt", vec_gt, "v:gt(x: vector | number) -> vector", "1 where v > x, else 0",
      "vec.of{1, 2, 3}:gt(2) == vec.of{0, 0, 1}" },
    { "ge", vec_ge, "v:ge(x: vector | number) -> vector", "1 where v >= x, else 0",
      "vec.of{1, 2, 3}:ge(2) == vec.of{0, 1, 1}" },
    { "eq", vec_eq, "v:eq(x: vector | number) -> vector", "1 where v = x, else 0",
      "vec.of{1, 2, 3}:eq(2) == vec.of{0, 1, 0}" },
    { "ne", vec_ne, "v:ne(x: vector | number) -> vector", "1 where v differs from x, else 0",
      "vec.of{1, 2, 3}:ne(2) == vec.of{1, 0, 1}" },
    { "where", vec_where, "mask:where(a: vector | number, b: vector | number) -> vector",
      "a where the mask is not 0, else b", "vec.of{1, 0}:where(vec.of{7, 8}, 0) == vec.of{7, 0}" },
    { "shift", vec_shift, "v:shift([k=1]) -> vector",
      "element i is v[i - k]; what comes from outside is missing",
      "vec.of{1, 2, 3}:shift() == vec.of{0/0, 1, 2}" },
    { "diff", vec_diff, "v:diff([k=1]) -> vector", "v[i] - v[i - k]; the first k are missing",
      "vec.of{1, 4, 9}:diff() == vec.of{0/0, 3, 5}" },
    { "roc", vec_roc, "v:roc([k=1]) -> vector",
      "percent change over k elements; the first k are missing",
      "vec.of{4, 5}:roc() == vec.of{0/0, 25}" },
    { "cumsum", vec_cumsum, "v:cumsum() -> vector",
      "running sum; a missing element adds nothing and stays missing",
      "vec.of{1, 0/0, 2}:cumsum() == vec.of{1, 0/0, 3}" },
    { "fill", vec_fill, "v:fill(x) -> vector", "x where an element is missing",
      "vec.of{1, 0/0}:fill(0) == vec.of{1, 0}" },
    { "fill_forward", vec_fill_forward, "v:fill_forward() -> vector",
      "the last element that was there where one is missing",
      "vec.of{1, 0/0, 3}:fill_forward() == vec.of{1, 1, 3}" },
    { NULL, NULL, NULL, NULL, NULL },
};
