#include "num/season.h"

#include "num/dist.h"
#include "num/moment.h"
#include "num/vec.h"
#include "num/wide.h"

#include <math.h>
#include <string.h>

/* ---- groups ---------------------------------------------------------------------------------- */

enum { BLOCK = 4096 }; /* 90 days of hours are one */

/* The groups of a block of keys, `groups` for one that is of none. Without branches: all lanes. */
static void groups_of(const double *keys, size_t n, size_t groups, uint16_t *group)
{
    double most = (double)groups;
    for (size_t i = 0; i < n; i++) {
        double key = keys[i] >= 0 && keys[i] < most ? keys[i] : most;
        int32_t whole = (int32_t)key; /* no floor(): a call into libm on processors this old */
        group[i] = (uint16_t)((double)whole == key ? whole : (int32_t)groups);
    }
}

/* Where the value of row i goes, and one place further for the next: next[group[i]]++. Neighbours
 * are often of one group (a weekday), and then the place is carried in a register. */
struct places {
    size_t *next; /* [groups + 1] */
    size_t group, at;
};

static inline size_t place_of(struct places *places, size_t group)
{
    if (group != places->group) {
        places->next[places->group] = places->at;
        places->group = group;
        places->at = places->next[group];
    }
    return places->at++;
}

void pt_season_group(const double *x, const double *keys, size_t n, size_t groups, double *out,
                     size_t *start)
{
    size_t next[PT_GROUPS_MAX + 1], at = 0;
    uint16_t group[BLOCK];
    memset(next, 0, (groups + 1) * sizeof *next);
    struct places counts = { next, groups, 0 };
    for (size_t from = 0; from < n; from += BLOCK) {
        size_t rows = n - from < BLOCK ? n - from : BLOCK;
        groups_of(keys + from, rows, groups, group);
        for (size_t i = 0; i < rows; i++) place_of(&counts, group[i]);
    }
    next[counts.group] = counts.at;
    for (size_t g = 0; g < groups; g++) {
        size_t count = next[g];
        start[g] = next[g] = at;
        at += count;
    }
    start[groups] = at;
    struct places places = { next, groups, 0 };
    for (size_t from = 0; from < n; from += BLOCK) {
        size_t rows = n - from < BLOCK ? n - from : BLOCK;
        if (n > BLOCK) groups_of(keys + from, rows, groups, group);
        for (size_t i = 0; i < rows; i++) {
            size_t to = place_of(&places, group[i]);
            if (group[i] < groups) out[to] = x[from + i];
        }
    }
}

/* ---- tests ----------------------------------------------------------------------------------- */

size_t pt_season_hac_lag(size_t m)
{
    return (size_t)floor(4 * pow((double)m / 100, 2.0 / 9));
}

enum { LAGS = 4 };

/* Sums of x[i] x[i - l] over i = l .. m - 1 for LAGS lags from `from` on, each in the order of i: a
 * sum waits for the one before it, LAGS of them do not wait for each other. */
static void products_of(const double *x, size_t m, size_t from, double *out)
{
    size_t first = from + LAGS - 1 < m ? from + LAGS - 1 : m; /* from here on all lags have terms */
    for (size_t k = 0; k < LAGS; k++) {
        out[k] = 0;
        for (size_t i = from + k; i < first; i++) out[k] += x[i] * x[i - from - k];
    }
    double a = out[0], b = out[1], c = out[2], d = out[3];
    for (size_t i = first; i < m; i++) {
        const double *lagged = x + i - from;
        a += x[i] * lagged[0];
        b += x[i] * lagged[-1];
        c += x[i] * lagged[-2];
        d += x[i] * lagged[-3];
    }
    out[0] = a, out[1] = b, out[2] = c, out[3] = d;
}

struct pt_season_mean pt_season_hac(const double *x, size_t n, size_t lag, double *work)
{
    size_t m = pt_vec_compact(x, n, work);
    struct pt_season_mean out = { pt_moment_mean(work, m), NAN, NAN, m };
    if (!(pt_moment_var(work, m, 1) > 0)) return out;
    for (size_t i = 0; i < m; i++) work[i] -= out.mean;
    double sum = 0, count = (double)m;
    for (size_t from = 0; from <= lag && from < m; from += LAGS) {
        double products[LAGS];
        products_of(work, m, from, products);
        for (size_t l = from; l < from + LAGS && l <= lag && l < m; l++) {
            double weight = l == 0 ? 1 : 2 * (1 - (double)l / ((double)lag + 1));
            sum += weight * products[l - from];
        }
    }
    if (!(sum > 0)) return out; /* never in exact arithmetic */
    out.t = out.mean / (sqrt(sum) / count);
    out.p = 2 * pt_dist_normal_sf(fabs(out.t));
    return out;
}

/* Heapsort: no memory, no bad case. */
static void sift(double *x, size_t root, size_t n)
{
    double value = x[root];
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && x[child + 1] > x[child]) child++;
        if (x[child] <= value) break;
        x[root] = x[child];
    }
    x[root] = value;
}

static void sort(double *x, size_t n)
{
    for (size_t i = n / 2; i-- > 0;) sift(x, i, n);
    for (size_t end = n; end > 1; end--) {
        double largest = x[0];
        x[0] = x[end - 1];
        sift(x, 0, end - 1);
        x[end - 1] = largest;
    }
}

/* How many of the sorted values are below v. */
static size_t below(const double *x, size_t n, double v)
{
    size_t low = 0;
    while (n > low) {
        size_t middle = low + (n - low) / 2;
        if (x[middle] < v)
            low = middle + 1;
        else
            n = middle;
    }
    return low;
}

void pt_season_fdr(const double *p, size_t n, double *q, double *work)
{
    size_t m = pt_vec_compact(p, n, work);
    sort(work, m);
    for (size_t i = 0; i < n; i++) q[i] = pt_there(p[i]) ? (double)below(work, m, p[i]) : NAN;
    double least = 1;
    for (size_t i = m; i-- > 0;) {
        least = fmin(least, work[i] * (double)m / (double)(i + 1));
        work[i] = least;
    }
    for (size_t i = 0; i < n; i++)
        if (pt_there(q[i])) q[i] = work[(size_t)q[i]];
}

/* ---- order ----------------------------------------------------------------------------------- */

static double entropy_of(const size_t *counts, size_t cells, size_t all)
{
    double sum = 0;
    for (size_t i = 0; i < cells; i++) {
        double share = (double)counts[i] / (double)all;
        if (counts[i] > 0) sum -= share * log(share);
    }
    return all > 0 ? fabs(sum) : NAN; /* one cell alone would say -0 */
}

double pt_season_entropy(const double *x, size_t n, size_t bins, double low, double high)
{
    size_t counts[PT_BINS_MAX] = { 0 }, all = 0;
    double width = (high - low) / (double)bins, bins_per_unit = 1 / width;
    if (bins < 1 || bins > PT_BINS_MAX || !(low <= high) || !isfinite(high - low)) return NAN;
    for (size_t i = 0; i < n; i++) {
        if (!pt_there(x[i])) continue;
        all++;
        size_t bin = bins - 1;
        if (x[i] <= low) {
            bin = 0;
        } else if (x[i] < high) {
            double at = (x[i] - low) * bins_per_unit;
            bin = at < (double)bins ? (size_t)(int32_t)at : bins - 1;
            /* Prices stand on edges often: the edge itself decides, not the rounded product. */
            if (bin > 0 && x[i] < (double)bin * width + low)
                bin--;
            else if (bin + 1 < bins && x[i] >= (double)(bin + 1) * width + low)
                bin++;
        }
        counts[bin]++;
    }
    return entropy_of(counts, bins, all);
}

double pt_season_permutation_entropy(const double *x, size_t n, size_t order)
{
    size_t counts[5040] = { 0 }, patterns = 1, all = 0, run = 0; /* 7! */
    if (order < 2 || order > PT_ORDER_MAX) return NAN;
    for (size_t k = 2; k <= order; k++) patterns *= k;
    for (size_t i = 0; i < n; i++) {
        run = pt_there(x[i]) ? run + 1 : 0;
        if (run < order) continue;
        /* Lehmer's code: how many of the later values are lower, for each of the window. */
        const double *window = x + i + 1 - order;
        size_t code = 0;
        for (size_t j = 0; j < order; j++) {
            size_t lower = 0;
            for (size_t k = j + 1; k < order; k++) lower += window[k] < window[j];
            code = code * (order - j) + lower;
        }
        counts[code]++;
        all++;
    }
    return entropy_of(counts, patterns, all) / log((double)patterns);
}
