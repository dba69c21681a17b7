/* lua_ccf.c - methods of vectors that tell which of two moves first.           [layer: bindings] */
#include "bindings/lua_ccf.h"

#include "bindings/lua_vec.h"
#include "num/ccf.h"

#include <math.h>

#define LAGS_MAX 10000

static int vec_prewhiten(lua_State *L)
{
    const struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    double *out = pt_lua_vec_push(L, (size_t)v->n);
    lua_pushnumber(L, pt_ccf_prewhiten(v->p, (size_t)v->n, out));
    return 2;
}

static int vec_cross_correlation(lua_State *L)
{
    const struct pt_lua_vec *v = pt_lua_vec_arg(L, 1), *u = pt_lua_vec_same(L, 2, v);
    size_t lags = pt_lua_whole(L, 3, 0, LAGS_MAX, PT_LUA_REQUIRED);
    size_t least = pt_lua_whole(L, 4, 2, INT32_MAX, 20), n = (size_t)v->n;
    double level = luaL_optnumber(L, 5, 0.01);
    luaL_argcheck(L, level > 0 && level < 1, 5, "must be between 0 and 1");
    size_t all = 2 * lags + 1;
    double *r = pt_lua_work(L, 2 * all + pt_ccf_work_len(n, lags)), *work = r + 2 * all;
    size_t *pairs = (size_t *)(void *)(r + all);
    pt_ccf(v->p, u->p, n, lags, least, work, r, pairs);
    struct pt_ccf_peak peak = pt_ccf_peak(r, pairs, lags, level);
    pt_lua_work_done(L, r);
    lua_pushnumber(L, peak.pairs > 0 ? (lua_Number)peak.lag : NAN);
    lua_pushnumber(L, peak.r);
    lua_pushnumber(L, peak.bound);
    lua_pushnumber(L, (lua_Number)peak.pairs);
    return 4;
}

const struct pt_lua_doc pt_lua_ccf_docs[] = {
    { "prewhiten", vec_prewhiten, "v:prewhiten() -> vector, phi",
      "what its own memory of one element does not explain: (v[t] - m) - phi (v[t-1] - m), phi the "
      "biased autocorrelation; without this two series that remember seem to follow one another",
      "local v, phi = vec.of{1, -1, 1, -1}:prewhiten(); return phi == -0.75 and v:get(2) == "
      "-0.25" },
    { "cross_correlation", vec_cross_correlation,
      "v:cross_correlation(u: vector, lags [, least=20, level=0.01]) -> lag, r, bound, pairs",
      "the lag in -lags .. lags at which |Pearson of (v[t], u[t - lag])| is largest, positive when "
      "v follows u, from at least `least` pairs; bound: what |r| must exceed to mean anything "
      "(Bonferroni over the lags); NaN when no lag has so many pairs",
      "local u = vec.new(40); for i = 1, 40 do u:set(i, i * i % 7) end; return "
      "u:shift(2):cross_correlation(u, 3) == 2" },
    { NULL, NULL, NULL, NULL, NULL },
};
