/* lua_roll.c - methods of vectors that move along a column.                    [layer: bindings] */
#include "bindings/lua_vec.h"
#include "num/roll.h"
#include "num/trend.h"

static size_t width_arg(lua_State *L, int arg, size_t fallback)
{
    return pt_lua_whole(L, arg, 1, INT32_MAX, fallback);
}

typedef void (*roll_fn)(const double *x, size_t n, size_t width, size_t min_count, double *out);

static int roll(lua_State *L, roll_fn kernel)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    size_t width = width_arg(L, 2, PT_LUA_REQUIRED);
    size_t least = pt_lua_whole(L, 3, 1, width, pt_roll_half(width));
    double *out = pt_lua_vec_push(L, (size_t)v->n);
    kernel(v->p, (size_t)v->n, width, least, out);
    return 1;
}

static int vec_rolling_sum(lua_State *L)
{
    return roll(L, pt_roll_sum);
}

static int vec_rolling_mean(lua_State *L)
{
    return roll(L, pt_roll_mean);
}

static int vec_rolling_min(lua_State *L)
{
    return roll(L, pt_roll_min);
}

static int vec_rolling_max(lua_State *L)
{
    return roll(L, pt_roll_max);
}

static int vec_wma(lua_State *L)
{
    return roll(L, pt_roll_wma);
}

typedef void (*roll_ddof_fn)(const double *x, size_t n, size_t width, size_t min_count,
                             unsigned ddof, double *out);

static int roll_ddof(lua_State *L, roll_ddof_fn kernel)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    size_t width = width_arg(L, 2, PT_LUA_REQUIRED);
    unsigned ddof = (unsigned)pt_lua_whole(L, 3, 0, 1000000, 1);
    size_t least = pt_lua_whole(L, 4, 1, width, pt_roll_half(width));
    double *out = pt_lua_vec_push(L, (size_t)v->n);
    kernel(v->p, (size_t)v->n, width, least, ddof, out);
    return 1;
}

static int vec_rolling_std(lua_State *L)
{
    return roll_ddof(L, pt_roll_std);
}

static int vec_rolling_var(lua_State *L)
{
    return roll_ddof(L, pt_roll_var);
}

static int vec_rolling_median(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    size_t width = width_arg(L, 2, PT_LUA_REQUIRED);
    size_t least = pt_lua_whole(L, 3, 1, width, pt_roll_half(width));
    double *out = pt_lua_vec_push(L, (size_t)v->n);
    double *work = pt_lua_work(L, width <= (size_t)v->n ? width : 0);
    pt_roll_median(v->p, (size_t)v->n, width, least, work, out);
    return 1;
}

typedef void (*width_fn)(const double *x, size_t n, size_t width, double *out);

static int by_width(lua_State *L, width_fn kernel, size_t fallback)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    size_t width = width_arg(L, 2, fallback);
    double *out = pt_lua_vec_push(L, (size_t)v->n);
    kernel(v->p, (size_t)v->n, width, out);
    return 1;
}

static int vec_ema(lua_State *L)
{
    return by_width(L, pt_roll_ema, PT_LUA_REQUIRED);
}

static int vec_wilder(lua_State *L)
{
    return by_width(L, pt_roll_wilder, PT_LUA_REQUIRED);
}

static int vec_rsi(lua_State *L)
{
    return by_width(L, pt_trend_rsi, 14);
}

static int vec_rsi_cutler(lua_State *L)
{
    return by_width(L, pt_trend_rsi_cutler, 14);
}

static int vec_efficiency_ratio(lua_State *L)
{
    return by_width(L, pt_trend_efficiency, PT_LUA_REQUIRED);
}

static int vec_ema_adjusted(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    double span = luaL_checknumber(L, 2);
    luaL_argcheck(L, span >= 1 && span <= INT32_MAX, 2, "must be at least 1");
    double *out = pt_lua_vec_push(L, (size_t)v->n);
    pt_roll_ewm(v->p, (size_t)v->n, span, out);
    return 1;
}

static int vec_macd(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    size_t n = (size_t)v->n;
    size_t fast = width_arg(L, 2, 12), slow = width_arg(L, 3, 26), smooth = width_arg(L, 4, 9);
    double *macd = pt_lua_vec_push(L, n), *signal = pt_lua_vec_push(L, n),
           *histogram = pt_lua_vec_push(L, n);
    pt_trend_macd(v->p, n, fast, slow, smooth, macd, signal, histogram);
    return 3;
}

static int vec_side(lua_State *L)
{
    const struct pt_lua_vec *fast = pt_lua_vec_arg(L, 1), *slow = pt_lua_vec_same(L, 2, fast),
                            *scale = pt_lua_vec_same(L, 3, fast);
    double tolerance = luaL_optnumber(L, 4, 1e-12);
    luaL_argcheck(L, tolerance >= 0, 4, "must not be negative");
    double *out = pt_lua_vec_push(L, (size_t)fast->n);
    pt_trend_side(fast->p, slow->p, scale->p, tolerance, (size_t)fast->n, out);
    return 1;
}

const struct pt_lua_doc pt_lua_roll_docs[] = {
    { "rolling_mean", vec_rolling_mean, "v:rolling_mean(n [, least]) -> vector",
      "mean of the last n elements; least: how many must be there (default half, and 2)",
      "vec.of{1, 2, 3}:rolling_mean(2) == vec.of{0/0, 1.5, 2.5}" },
    { "rolling_sum", vec_rolling_sum, "v:rolling_sum(n [, least]) -> vector", "their sum",
      "vec.of{1, 2, 3}:rolling_sum(2) == vec.of{0/0, 3, 5}" },
    { "rolling_std", vec_rolling_std, "v:rolling_std(n [, ddof=1, least]) -> vector",
      "their standard deviation", "vec.of{1, 3, 5}:rolling_std(2, 0) == vec.of{0/0, 1, 1}" },
    { "rolling_var", vec_rolling_var, "v:rolling_var(n [, ddof=1, least]) -> vector",
      "their variance", "vec.of{1, 3, 5}:rolling_var(2) == vec.of{0/0, 2, 2}" },
    { "rolling_min", vec_rolling_min, "v:rolling_min(n [, least]) -> vector", "the lowest of them",
      "vec.of{3, 1, 2}:rolling_min(2) == vec.of{0/0, 1, 1}" },
    { "rolling_max", vec_rolling_max, "v:rolling_max(n [, least]) -> vector", "the highest of them",
      "vec.of{3, 1, 2}:rolling_max(2) == vec.of{0/0, 3, 2}" },
    { "rolling_median", vec_rolling_median, "v:rolling_median(n [, least]) -> vector",
      "their median", "vec.of{3, 1, 2}:rolling_median(3) == vec.of{0/0, 0/0, 2}" },
    { "sma", vec_rolling_mean, "v:sma(n [, least]) -> vector",
      "simple moving average: rolling_mean", "vec.of{1, 2, 3}:sma(2) == vec.of{0/0, 1.5, 2.5}" },
    { "wma", vec_wma, "v:wma(n [, least]) -> vector", "weights 1 .. n, the newest n",
      "vec.of{1, 4, 7}:wma(2) == vec.of{0/0, 3, 6}" },
    { "ema", vec_ema, "v:ema(n) -> vector",
      "recursive, a = 2 / (n + 1), seeded with the mean of the first n; missing before",
      "vec.of{1, 2, 3, 5}:ema(3) == vec.of{0/0, 0/0, 2, 3.5}" },
    { "wilder", vec_wilder, "v:wilder(n) -> vector", "the same with a = 1 / n",
      "vec.of{1, 3, 6}:wilder(2) == vec.of{0/0, 2, 4}" },
    { "ema_adjusted", vec_ema_adjusted, "v:ema_adjusted(span) -> vector",
      "weights (1 - a)^j over all elements so far, as pandas ewm(span)",
      "vec.of{3, 6}:ema_adjusted(3) == vec.of{3, 5}" },
    { "rsi", vec_rsi, "v:rsi([n=14]) -> vector", "Wilder's relative strength index, 0 .. 100",
      "vec.of{1, 2, 3}:rsi(2):final() == 100" },
    { "rsi_cutler", vec_rsi_cutler, "v:rsi_cutler([n=14]) -> vector",
      "the same with simple means of the last n changes",
      "vec.of{1, 2, 1}:rsi_cutler(2):final() == 50" },
    { "macd", vec_macd,
      "v:macd([fast=12, slow=26, smooth=9]) -> macd: vector, signal: vector, histogram: vector",
      "each average seeded with the mean of its own first elements",
      "vec.new(40, 7):macd():final() == 0" },
    { "efficiency_ratio", vec_efficiency_ratio, "v:efficiency_ratio(n) -> vector",
      "Kaufman: way made / way gone over n steps; missing when nothing moved",
      "vec.of{1, 2, 3, 2}:efficiency_ratio(2) == vec.of{0/0, 0/0, 1, 0}" },
    { "side", vec_side, "fast:side(slow: vector, scale: vector [, tolerance=1e-12]) -> vector",
      "which is above: 1, -1, or 0 where |fast - slow| <= tolerance |scale|",
      "vec.of{1, 2, 3}:side(vec.new(3, 2), vec.new(3, 1)) == vec.of{-1, 0, 1}" },
    { NULL, NULL, NULL, NULL, NULL },
};
