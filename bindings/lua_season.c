/* lua_season.c - methods of vectors about seasons, cycles and order.           [layer: bindings] */
#include "bindings/lua_vec.h"
#include "num/fft.h"
#include "num/moment.h"
#include "num/season.h"
#include "num/spectrum.h"
#include "num/vec.h"

#include <math.h>

#define CYCLES_MAX 100

static int vec_group(lua_State *L)
{
    const struct pt_lua_vec *v = pt_lua_vec_arg(L, 1), *keys = pt_lua_vec_same(L, 2, v);
    size_t groups = pt_lua_whole(L, 3, 1, PT_GROUPS_MAX, PT_LUA_REQUIRED);
    size_t start[PT_GROUPS_MAX + 1];
    double *out = pt_lua_work(L, (size_t)v->n);
    pt_season_group(v->p, keys->p, (size_t)v->n, groups, out, start);
    lua_createtable(L, (int)groups, 0);
    for (size_t g = 0; g < groups; g++) {
        pt_lua_vec_view(L, out + start[g], start[g + 1] - start[g], true);
        lua_rawseti(L, -2, (int)(g + 1));
    }
    return 1;
}

/* One number a group, and how many elements each has: no vector is made of any. */
static int each_group(lua_State *L, double (*number)(const struct pt_lua_vec *group))
{
    const struct pt_lua_vec *v = pt_lua_vec_arg(L, 1), *keys = pt_lua_vec_same(L, 2, v);
    size_t groups = pt_lua_whole(L, 3, 1, PT_GROUPS_MAX, PT_LUA_REQUIRED);
    size_t start[PT_GROUPS_MAX + 1];
    double *sorted = pt_lua_work(L, (size_t)v->n);
    pt_season_group(v->p, keys->p, (size_t)v->n, groups, sorted, start);
    double *numbers = pt_lua_vec_push(L, groups), *sizes = pt_lua_vec_push(L, groups);
    for (size_t g = 0; g < groups; g++) {
        size_t n = start[g + 1] - start[g];
        const struct pt_lua_vec group = { .p = sorted + start[g], .n = (int32_t)n };
        numbers[g] = number(&group);
        sizes[g] = (double)n;
    }
    return 2;
}

static int vec_group_mean(lua_State *L)
{
    return each_group(L, pt_lua_mean);
}

static int vec_group_sum(lua_State *L)
{
    return each_group(L, pt_lua_sum);
}

static int vec_hac(lua_State *L)
{
    const struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    size_t n = (size_t)v->n, used = pt_vec_count(v->p, n);
    size_t lag = pt_lua_whole(L, 2, 0, INT32_MAX, pt_season_hac_lag(used));
    double *work = pt_lua_work(L, n);
    struct pt_season_mean out = { NAN, NAN, NAN, used };
    if (pt_lua_half(v)) out = pt_season_hac(v->p, n, lag, work);
    lua_pushnumber(L, out.t);
    lua_pushnumber(L, out.p);
    lua_pushnumber(L, out.mean);
    lua_pushnumber(L, (lua_Number)out.used);
    return 4;
}

static int vec_fdr(lua_State *L)
{
    const struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    double *work = pt_lua_work(L, (size_t)v->n), *out = pt_lua_vec_push(L, (size_t)v->n);
    pt_season_fdr(v->p, (size_t)v->n, out, work);
    return 1;
}

static int vec_welch(lua_State *L)
{
    const struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    size_t longest = pt_lua_whole(L, 2, 2, PT_FFT_MAX, 256);
    struct pt_segments segments = pt_spectrum_segments((size_t)v->n, longest);
    double *work = pt_lua_work(L, pt_spectrum_room(segments.length));
    double *out = pt_lua_vec_push(L, segments.count > 0 ? segments.length / 2 + 1 : 0);
    pt_spectrum_welch(v->p, segments, out, work);
    return 1;
}

static int vec_cycles(lua_State *L)
{
    const struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    size_t n = (size_t)v->n, most = pt_lua_whole(L, 2, 1, CYCLES_MAX, 3);
    size_t longest = pt_lua_whole(L, 3, 2, PT_FFT_MAX, 256);
    struct pt_cycle cycles[CYCLES_MAX];
    double *work = pt_lua_work(L, pt_spectrum_room(pt_spectrum_segments(n, longest).length));
    size_t found = pt_spectrum_cycles(v->p, n, longest, most, cycles, work);
    double *period = pt_lua_vec_push(L, found), *power = pt_lua_vec_push(L, found),
           *p = pt_lua_vec_push(L, found);
    for (size_t i = 0; i < found; i++) {
        period[i] = cycles[i].period;
        power[i] = cycles[i].power;
        p[i] = cycles[i].p;
    }
    return 3;
}

static int vec_entropy(lua_State *L)
{
    const struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    size_t n = (size_t)v->n, bins = pt_lua_whole(L, 2, 1, PT_BINS_MAX, PT_LUA_REQUIRED);
    double low = lua_isnoneornil(L, 3) ? pt_moment_min(v->p, n) : luaL_checknumber(L, 3);
    double high = lua_isnoneornil(L, 4) ? pt_moment_max(v->p, n) : luaL_checknumber(L, 4);
    luaL_argcheck(L, !(low > high), 4, "must not be below low");
    lua_pushnumber(L, pt_lua_half(v) ? pt_season_entropy(v->p, n, bins, low, high) : NAN);
    return 1;
}

static int vec_permutation_entropy(lua_State *L)
{
    const struct pt_lua_vec *v = pt_lua_vec_arg(L, 1);
    size_t order = pt_lua_whole(L, 2, 2, PT_ORDER_MAX, 4);
    lua_pushnumber(L, pt_season_permutation_entropy(v->p, (size_t)v->n, order));
    return 1;
}

const struct pt_lua_doc pt_lua_season_docs[] = {
    { "group", vec_group, "v:group(keys: vector, n) -> vector[]",
      "element i of the list of n vectors holds the elements whose key is i - 1, in their order; "
      "those with another key are left out",
      "vec.of{5, 6, 7}:group(vec.of{0, 1, 0}, 2)[1] == vec.of{5, 7}" },
    { "group_mean", vec_group_mean, "v:group_mean(keys: vector, n) -> means: vector, sizes: vector",
      "mean of each vector of v:group(keys, n), and how many elements it has",
      "vec.of{5, 6, 7}:group_mean(vec.of{0, 1, 0}, 2) == vec.of{6, 6}" },
    { "group_sum", vec_group_sum, "v:group_sum(keys: vector, n) -> sums: vector, sizes: vector",
      "likewise the sums", "vec.of{5, 6, 7}:group_sum(vec.of{0, 1, 0}, 2) == vec.of{12, 6}" },
    { "hac", vec_hac, "v:hac([lag]) -> t, p, mean, used",
      "is the mean not 0? Newey-West errors; lag: default floor(4 (used / 100)^(2/9))",
      "local _, _, mean = vec.of{1, 2, 3}:hac(); return mean == 2" },
    { "fdr", vec_fdr, "p:fdr() -> vector",
      "q values of p values (Benjamini-Hochberg); missing ones are not counted",
      "vec.of{0.01, 0.5}:fdr() == vec.of{0.02, 0.5}" },
    { "welch", vec_welch, "v:welch([segment=256]) -> vector",
      "power density at 0, 1 / segment, .. 1/2 cycles an element, as scipy (Hann, half over each "
      "other); all missing when an element is",
      "#vec.new(256, 1):welch(64) == 33" },
    { "cycles", vec_cycles,
      "v:cycles([most=3, segment=256]) -> periods: vector, powers: vector, p: vector",
      "highest peaks of it first: period in elements, 2 to n / 4, power / that of AR(1) noise, p "
      "(Bonferroni); empty when an element is missing",
      "local v = vec.new(256); for i = 1, 256 do v:set(i, math.sin(i * math.pi / 4)) end; return "
      "math.abs(v:cycles(1, 64):get(1) - 8) < 0.1" },
    { "entropy", vec_entropy, "v:entropy(bins [, low, high]) -> number",
      "Shannon, nats, of equal bins from low to high (default: lowest and highest element); "
      "outside counts at the ends",
      "vec.of{0, 0, 1, 1}:entropy(2) == math.log(2)" },
    { "permutation_entropy", vec_permutation_entropy, "v:permutation_entropy([order=4]) -> number",
      "of the order of neighbours that are all there, 0 .. 1 (Bandt & Pompe 2002)",
      "vec.of{1, 2, 3, 4}:permutation_entropy(2) == 0" },
    { NULL, NULL, NULL, NULL, NULL },
};
