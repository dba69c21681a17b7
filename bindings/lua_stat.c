/* lua_stat.c - methods of vectors that give numbers.                           [layer: bindings]
 * The kernels skip what is missing; that half of a vector must be there is decided here, for
 * statistics of the whole vector. Lagged ones take the pairs there are. */
#include "bindings/lua_vec.h"
#include "num/moment.h"
#include "num/range.h"
#include "num/robust.h"
#include "num/series.h"
#include "num/trend.h"
#include "num/vec.h"

#include <math.h>
#include <string.h>

static int statistic(lua_State *L, double (*kernel)(const double *x, size_t n))
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    lua_pushnumber(L, pt_lua_half(v) ? kernel(v->p, (size_t)v->n) : NAN);
    return 1;
}

static unsigned ddof_arg(lua_State *L, int arg)
{
    return (unsigned)pt_lua_whole(L, arg, 0, 1000000, 1);
}

/* ---- moments
 * --------------------------------------------------------------------------------------- */

double pt_lua_sum(const struct pt_lua_vec *v)
{
    size_t n = (size_t)v->n;
    return pt_vec_count(v->p, n) == n ? pt_moment_sum(v->p, n) : NAN;
}

double pt_lua_mean(const struct pt_lua_vec *v)
{
    return pt_lua_half(v) ? pt_moment_mean(v->p, (size_t)v->n) : NAN;
}

static int vec_sum(lua_State *L)
{
    lua_pushnumber(L, pt_lua_sum(pt_lua_vec_arg(L, 1)));
    return 1;
}

static int vec_mean(lua_State *L)
{
    lua_pushnumber(L, pt_lua_mean(pt_lua_vec_arg(L, 1)));
    return 1;
}

static int vec_var(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    unsigned ddof = ddof_arg(L, 2);
    lua_pushnumber(L, pt_lua_half(v) ? pt_moment_var(v->p, (size_t)v->n, ddof) : NAN);
    return 1;
}

static int vec_std(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    unsigned ddof = ddof_arg(L, 2);
    lua_pushnumber(L, pt_lua_half(v) ? pt_moment_std(v->p, (size_t)v->n, ddof) : NAN);
    return 1;
}

static int vec_min(lua_State *L)
{
    return statistic(L, pt_moment_min);
}

static int vec_max(lua_State *L)
{
    return statistic(L, pt_moment_max);
}

static int push_position(lua_State *L, size_t at, size_t n)
{
    if (at == n)
        lua_pushnil(L);
    else
        lua_pushnumber(L, (lua_Number)(at + 1));
    return 1;
}

static int vec_argmin(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    return push_position(L, pt_moment_argmin(v->p, (size_t)v->n), (size_t)v->n);
}

static int vec_argmax(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    return push_position(L, pt_moment_argmax(v->p, (size_t)v->n), (size_t)v->n);
}

static int vec_skewness(lua_State *L)
{
    return statistic(L, pt_moment_skewness);
}

static int vec_kurtosis(lua_State *L)
{
    return statistic(L, pt_moment_kurtosis);
}

static int vec_skewness_biased(lua_State *L)
{
    return statistic(L, pt_moment_skewness_biased);
}

static int vec_kurtosis_biased(lua_State *L)
{
    return statistic(L, pt_moment_kurtosis_biased);
}

static int vec_jarque_bera_p(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    double q = NAN, p = NAN;
    if (pt_lua_half(v)) p = pt_moment_jarque_bera_p(v->p, (size_t)v->n, &q);
    lua_pushnumber(L, p);
    lua_pushnumber(L, q);
    return 2;
}

/* ---- order
 * ------------------------------------------------------------------------------------------- */

static int vec_median(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    double *work = pt_lua_work(L, (size_t)v->n);
    lua_pushnumber(L, pt_lua_half(v) ? pt_robust_median(v->p, (size_t)v->n, work) : NAN);
    return 1;
}

static int vec_mad(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    double *work = pt_lua_work(L, (size_t)v->n), median = NAN, mad = NAN;
    if (pt_lua_half(v)) mad = pt_robust_mad(v->p, (size_t)v->n, work, &median);
    lua_pushnumber(L, mad);
    lua_pushnumber(L, median);
    return 2;
}

static int vec_leave_one_out(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    size_t n = (size_t)v->n;
    double *work = pt_lua_work(L, n);
    double centre = pt_lua_half(v) ? pt_robust_median(v->p, n, work) : NAN;
    double *mean = pt_lua_vec_push(L, n), *std = pt_lua_vec_push(L, n);
    pt_moment_leave_one_out(v->p, n, centre, mean, std);
    return 2;
}

static int vec_quantile(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    double q = luaL_checknumber(L, 2);
    luaL_argcheck(L, q >= 0 && q <= 1, 2, "must be in 0 .. 1");
    double *work = pt_lua_work(L, (size_t)v->n);
    lua_pushnumber(L, pt_lua_half(v) ? pt_robust_quantile(v->p, (size_t)v->n, q, work) : NAN);
    return 1;
}

static int vec_weighted_quantile(lua_State *L)
{
    const struct pt_lua_vec *v = pt_lua_vec_arg(L, 1), *w = pt_lua_vec_same(L, 2, v);
    double q = luaL_checknumber(L, 3);
    luaL_argcheck(L, q >= 0 && q <= 1, 3, "must be in 0 .. 1");
    double *work = pt_lua_work(L, (size_t)v->n);
    lua_pushnumber(L, pt_robust_weighted_quantile(v->p, w->p, (size_t)v->n, q, work));
    return 1;
}

static int vec_rank(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    double x = luaL_checknumber(L, 2);
    lua_pushnumber(L, pt_lua_half(v) ? pt_robust_rank(v->p, (size_t)v->n, x) : NAN);
    return 1;
}

static int vec_mean_deviation(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    double centre = luaL_checknumber(L, 2);
    lua_pushnumber(L, pt_lua_half(v) ? pt_robust_mean_deviation(v->p, (size_t)v->n, centre) : NAN);
    return 1;
}

/* ---- two columns
 * --------------------------------------------------------------------------------------- */

static int push_pairs(lua_State *L, double x, size_t used)
{
    lua_pushnumber(L, x);
    lua_pushnumber(L, (lua_Number)used);
    return 2;
}

static int vec_cov(lua_State *L)
{
    const struct pt_lua_vec *v = pt_lua_vec_arg(L, 1), *u = pt_lua_vec_same(L, 2, v);
    size_t used = 0;
    double x = pt_moment_cov(v->p, u->p, (size_t)v->n, ddof_arg(L, 3), &used);
    return push_pairs(L, x, used);
}

static int vec_pearson(lua_State *L)
{
    const struct pt_lua_vec *v = pt_lua_vec_arg(L, 1), *u = pt_lua_vec_same(L, 2, v);
    size_t used = 0;
    double x = pt_moment_pearson(v->p, u->p, (size_t)v->n, &used);
    return push_pairs(L, x, used);
}

static int vec_beta(lua_State *L)
{
    const struct pt_lua_vec *v = pt_lua_vec_arg(L, 1), *u = pt_lua_vec_same(L, 2, v);
    size_t used = 0;
    double x = pt_moment_beta(v->p, u->p, (size_t)v->n, &used);
    return push_pairs(L, x, used);
}

static int vec_dot(lua_State *L)
{
    const struct pt_lua_vec *v = pt_lua_vec_arg(L, 1), *u = pt_lua_vec_same(L, 2, v);
    lua_pushnumber(L, pt_vec_dot(v->p, u->p, (size_t)v->n));
    return 1;
}

/* ---- order in time
 * --------------------------------------------------------------------------------------- */

static int vec_autocorrelation(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    size_t lag = pt_lua_whole(L, 2, 1, INT32_MAX, 1), used = 0;
    double x = pt_series_autocorrelation(v->p, (size_t)v->n, lag, &used);
    return push_pairs(L, x, used);
}

static int vec_acf(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    lua_pushnumber(L, pt_series_acf(v->p, (size_t)v->n, pt_lua_whole(L, 2, 0, INT32_MAX, 1)));
    return 1;
}

static int vec_ljung_box_p(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    size_t lags = pt_lua_whole(L, 2, 1, INT32_MAX, 10);
    double q = NAN, p = pt_series_ljung_box_p(v->p, (size_t)v->n, lags, &q);
    lua_pushnumber(L, p);
    lua_pushnumber(L, q);
    return 2;
}

static int vec_variance_ratio(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    size_t q = pt_lua_whole(L, 2, 2, INT32_MAX, PT_LUA_REQUIRED);
    struct pt_variance_ratio ratio = pt_series_variance_ratio(v->p, (size_t)v->n, q);
    lua_pushnumber(L, ratio.ratio);
    lua_pushnumber(L, ratio.z);
    return 2;
}

static int vec_hurst(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    double *work = pt_lua_work(L, (size_t)v->n);
    lua_pushnumber(L, pt_series_hurst(v->p, (size_t)v->n, work));
    return 1;
}

static int vec_half_life(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    lua_pushnumber(L, pt_series_half_life(v->p, (size_t)v->n));
    return 1;
}

static int vec_fit(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    struct pt_trend_line line = { NAN, NAN, NAN, pt_vec_count(v->p, (size_t)v->n) };
    if (pt_lua_half(v)) line = pt_trend_fit(v->p, (size_t)v->n);
    lua_pushnumber(L, line.slope);
    lua_pushnumber(L, line.slope_t);
    lua_pushnumber(L, line.intercept);
    lua_pushnumber(L, (lua_Number)line.used);
    return 4;
}

/* ---- returns
 * ------------------------------------------------------------------------------------------------
 */

static int vec_ewma(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    double lambda = luaL_optnumber(L, 2, 0.94);
    luaL_argcheck(L, lambda > 0 && lambda < 1, 2, "must be between 0 and 1");
    size_t seed = pt_lua_whole(L, 3, 1, INT32_MAX, 20);
    lua_pushnumber(L, pt_range_ewma(v->p, (size_t)v->n, lambda, seed));
    return 1;
}

static int vec_downside(lua_State *L)
{
    return statistic(L, pt_range_downside);
}

static int vec_upside(lua_State *L)
{
    return statistic(L, pt_range_upside);
}

static int vec_last_cross(lua_State *L)
{
    struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    struct pt_trend_cross cross = pt_trend_last_cross(v->p, (size_t)v->n);
    lua_pushnumber(L, cross.state);
    lua_pushnumber(L, cross.event);
    if (cross.bars < 0)
        lua_pushnil(L);
    else
        lua_pushnumber(L, (lua_Number)cross.bars);
    return 3;
}

const struct pt_lua_doc pt_lua_stat_docs[] = {
    { "sum", vec_sum, "v:sum() -> number",
      "NaN when any element is missing: a sum with a hole is not a sum",
      "vec.of{1, 2, 3}:sum() == 6" },
    { "mean", vec_mean, "v:mean() -> number", "arithmetic mean",
      "vec.of{1, 2, 0/0}:mean() == 1.5" },
    { "std", vec_std, "v:std([ddof=1]) -> number", "standard deviation; exactly 0 when flat",
      "vec.of{1, 2, 3}:std() == 1" },
    { "var", vec_var, "v:var([ddof=1]) -> number", "variance", "vec.of{1, 3}:var(0) == 1" },
    { "min", vec_min, "v:min() -> number", "lowest element", "vec.of{3, 1, 2}:min() == 1" },
    { "max", vec_max, "v:max() -> number", "highest element", "vec.of{3, 1, 2}:max() == 3" },
    { "argmin", vec_argmin, "v:argmin() -> number | nil",
      "position of the first lowest; nil when all are missing", "vec.of{3, 1, 1}:argmin() == 2" },
    { "argmax", vec_argmax, "v:argmax() -> number | nil",
      "position of the first highest; nil when all are missing", "vec.of{3, 1, 3}:argmax() == 1" },
    { "median", vec_median, "v:median() -> number",
      "the middle one, of an even count the mean of the middle two",
      "vec.of{4, 1, 2, 3}:median() == 2.5" },
    { "mad", vec_mad, "v:mad() -> number, median",
      "median of |v - median|, not scaled (times 1.4826 it estimates sigma)",
      "vec.of{1, 2, 9}:mad() == 1" },
    { "leave_one_out", vec_leave_one_out, "v:leave_one_out() -> mean: vector, std: vector",
      "mean and standard deviation of all other elements, one for each; of a missing one missing",
      "vec.of{1, 3, 8}:leave_one_out() == vec.of{5.5, 4.5, 2}" },
    { "quantile", vec_quantile, "v:quantile(q) -> number",
      "linear between ranks, as numpy; q in 0 .. 1", "vec.of{1, 2, 3, 4, 5}:quantile(0.25) == 2" },
    { "weighted_quantile", vec_weighted_quantile,
      "v:weighted_quantile(weights: vector, q) -> number",
      "smallest element up to which at least q of the weight lies; missing where no weight is "
      "above "
      "0",
      "vec.of{3, 1, 2}:weighted_quantile(vec.of{5, 2, 3}, 0.5) == 2" },
    { "rank", vec_rank, "v:rank(x) -> number", "share of the elements <= x, 0 .. 1",
      "vec.of{1, 2, 3, 4}:rank(3) == 0.75" },
    { "mean_deviation", vec_mean_deviation, "v:mean_deviation(centre) -> number",
      "mean of |v - centre|", "vec.of{1, 3}:mean_deviation(2) == 1" },
    { "skewness", vec_skewness, "v:skewness() -> number", "G1, bias corrected as pandas; needs 3",
      "vec.of{1, 2, 3}:skewness() == 0" },
    { "kurtosis", vec_kurtosis, "v:kurtosis() -> number",
      "G2, excess, bias corrected as pandas; needs 4",
      "math.abs(vec.of{1, 2, 3, 4}:kurtosis() + 1.2) < 1e-12" },
    { "skewness_biased", vec_skewness_biased, "v:skewness_biased() -> number", "g1, as scipy",
      "vec.of{1, 2, 3}:skewness_biased() == 0" },
    { "kurtosis_biased", vec_kurtosis_biased, "v:kurtosis_biased() -> number",
      "g2, excess, as scipy", "vec.of{-1, 1, -1, 1}:kurtosis_biased() == -2" },
    { "jarque_bera_p", vec_jarque_bera_p, "v:jarque_bera_p() -> p, statistic",
      "Jarque-Bera test of normality, chi-square(2)",
      "local _, x = vec.of{-1, 1, -1, 1}:jarque_bera_p(); return math.abs(x - 2 / 3) < 1e-12" },
    { "cov", vec_cov, "v:cov(u: vector [, ddof=1]) -> number, pairs",
      "covariance where both are there", "vec.of{1, 2, 3}:cov(vec.of{2, 4, 6}) == 2" },
    { "pearson", vec_pearson, "v:pearson(u: vector) -> number, pairs",
      "correlation where both are there; NaN without spread",
      "vec.of{1, 2, 3}:pearson(vec.of{6, 4, 2}) == -1" },
    { "beta", vec_beta, "v:beta(u: vector) -> number, pairs",
      "cov(v, u) / var(u) where both are there", "vec.of{2, 4, 6}:beta(vec.of{1, 2, 3}) == 2" },
    { "dot", vec_dot, "v:dot(u: vector) -> number", "sum of the products where both are there",
      "vec.of{1, 2}:dot(vec.of{3, 4}) == 11" },
    { "autocorrelation", vec_autocorrelation, "v:autocorrelation([lag=1]) -> number, pairs",
      "Pearson of (v[t], v[t - lag])", "vec.of{1, 2, 3, 4}:autocorrelation() == 1" },
    { "acf", vec_acf, "v:acf([lag=1]) -> number", "biased autocorrelation (Box-Jenkins)",
      "vec.of{1, -1, 1, -1}:acf() == -0.75" },
    { "ljung_box_p", vec_ljung_box_p, "v:ljung_box_p([lags=10]) -> p, statistic",
      "Ljung-Box test of the lags 1 .. lags",
      "local _, q = vec.of{1, -1, 1, -1}:ljung_box_p(1); return math.abs(q - 4.5) < 1e-12" },
    { "variance_ratio", vec_variance_ratio, "v:variance_ratio(q) -> ratio, z",
      "Lo-MacKinlay 1988 of returns, z robust",
      "vec.of{1, -1, 1, -1, 1, -1, 1, -1}:variance_ratio(2) < 0.5" },
    { "hurst", vec_hurst, "v:hurst() -> number",
      "DFA-1 of returns; missing ones are dropped; needs 100", "missing(vec.of{1, 2, 3}:hurst())" },
    { "half_life", vec_half_life, "v:half_life() -> number",
      "elements until half of a deviation is gone (AR(1)): give it ln prices; NaN when not "
      "reverting",
      "math.abs(vec.of{8, 4, 2, 1, 0.5}:half_life() - 1) < 1e-12" },
    { "fit", vec_fit, "v:fit() -> slope, t, intercept, used",
      "straight line by least squares; slope per element, intercept at the first",
      "vec.of{1, 3, 5}:fit() == 2" },
    { "ewma", vec_ewma, "v:ewma([lambda=0.94, seed=20]) -> number",
      "RiskMetrics deviation of returns, seeded with the mean of the first `seed` squares",
      "math.abs(vec.of{2, -2, 2, 2}:ewma(0.94, 2) - 2) < 1e-12" },
    { "downside", vec_downside, "v:downside() -> number",
      "root of the mean of min(v, 0)^2 over all that are there",
      "vec.of{-1, 1, 2, 3}:downside() == 0.5" },
    { "upside", vec_upside, "v:upside() -> number",
      "root of the mean of max(v, 0)^2 over all that are there",
      "vec.of{1, -1, -2, -3}:upside() == 0.5" },
    { "last_cross", vec_last_cross, "side:last_cross() -> state, event, bars: number | nil",
      "side now; 1 or -1 when the last element crossed, else 0; elements since the last cross, nil "
      "when none",
      "local now, event, bars = vec.of{-1, 1, 1}:last_cross(); return now == 1 and event == 0 and "
      "bars == 1" },
    { NULL, NULL, NULL, NULL, NULL },
};
