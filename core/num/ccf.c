/* All lags of a pair at once.
 *
 *     products[k] = sum over t of y[t] x[t + k]         pt_wide()->lags, x with zeros on both sides
 *
 * with both columns standardised and 0 where missing. The sums of each side over the pairs of a lag
 * come from running totals where a column is there from end to end, and else from the same products
 * with ones and zeros in place of the other column. */
#include "num/ccf.h"

#include <string.h>

#include "num/dist.h"
#include "num/moment.h"
#include "num/panel_impl.h"
#include "num/series.h"

double pt_ccf_prewhiten(const double *x, size_t n, double *out)
{
    double phi = pt_series_acf(x, n, 1), mean = pt_moment_mean(x, n);
    if (n > 0) out[0] = NAN;
    for (size_t t = 1; t < n; t++) {
        double e = (x[t] - mean) - phi * (x[t - 1] - mean);
        out[t] = pt_there(e) ? e : NAN;
    }
    return phi;
}

/* What is worked with; sum: of y x, 1, y, y^2, x, x^2 over pairs, place k is lag lags - k. */
struct columns {
    const double *y, *x;
    size_t n, lags, lanes, padded_len;
    double *zy, *y_ones, *y_squares;   /* [n + 1] */
    double *px, *px_ones, *px_squares; /* [padded_len], x from px[lags] on */
    double *sum[6];                    /* [lanes] */
};

/* Lags side by side, in whole groups of eight. */
static size_t lanes_of(size_t lags)
{
    return (2 * lags + 1 + 7) & ~(size_t)7;
}

size_t pt_ccf_work_len(size_t n, size_t lags)
{
    return 3 * (n + lanes_of(lags)) + 3 * (n + 1) + 6 * lanes_of(lags);
}

/* Where a column is there: the first row, behind the last, and whether all between is. */
struct reach {
    size_t from, to;
    bool whole;
};

static struct reach reach_of(const double *x, size_t n)
{
    struct reach r = { 0, n, false };
    while (r.from < n && !pt_there(x[r.from])) r.from++;
    while (r.to > r.from && !pt_there(x[r.to - 1])) r.to--;
    r.whole = pt_wide()->count(x, n) == r.to - r.from;
    return r;
}

/* to[t] = sum of the first t values, squares[t] of their squares; both [n + 1]. */
static void totals(const double *z, size_t n, double *to, double *squares)
{
    to[0] = squares[0] = 0;
    for (size_t t = 0; t < n; t++) {
        to[t + 1] = to[t] + z[t];
        squares[t + 1] = squares[t] + z[t] * z[t];
    }
}

/* Both columns are there from end to end: running totals of y[from .. to - 1] and of the x[t - lag]
 * beside them. */
static void sums_of_whole(const struct columns *c, struct reach y, struct reach x)
{
    totals(c->zy, c->n, c->y_ones, c->y_squares);
    totals(c->px + c->lags, c->n, c->px_ones, c->px_squares);
    for (size_t k = 0; k < 2 * c->lags + 1; k++) {
        ptrdiff_t lag = (ptrdiff_t)c->lags - (ptrdiff_t)k;
        ptrdiff_t from = (ptrdiff_t)x.from + lag, to = (ptrdiff_t)x.to + lag;
        if (from < (ptrdiff_t)y.from) from = (ptrdiff_t)y.from;
        if (to > (ptrdiff_t)y.to) to = (ptrdiff_t)y.to;
        for (int s = 1; s < 6; s++) c->sum[s][k] = 0;
        if (to <= from) continue;
        c->sum[1][k] = (double)(to - from);
        c->sum[2][k] = c->y_ones[to] - c->y_ones[from];
        c->sum[3][k] = c->y_squares[to] - c->y_squares[from];
        c->sum[4][k] = c->px_ones[to - lag] - c->px_ones[from - lag];
        c->sum[5][k] = c->px_squares[to - lag] - c->px_squares[from - lag];
    }
}

static void sums_with_gaps(const struct columns *c)
{
    const struct pt_wide *wide = pt_wide();
    memset(c->px_ones, 0, c->padded_len * sizeof(double));
    for (size_t t = 0; t < c->n; t++) {
        c->y_ones[t] = pt_there(c->y[t]) ? 1 : 0;
        c->y_squares[t] = c->zy[t] * c->zy[t];
        c->px_ones[c->lags + t] = pt_there(c->x[t]) ? 1 : 0;
    }
    for (size_t t = 0; t < c->padded_len; t++) c->px_squares[t] = c->px[t] * c->px[t];
    wide->lags(c->y_ones, c->px_ones, c->n, c->lanes, c->sum[1]);
    wide->lags(c->zy, c->px_ones, c->n, c->lanes, c->sum[2]);
    wide->lags(c->y_squares, c->px_ones, c->n, c->lanes, c->sum[3]);
    wide->lags(c->y_ones, c->px, c->n, c->lanes, c->sum[4]);
    wide->lags(c->y_ones, c->px_squares, c->n, c->lanes, c->sum[5]);
}

/* Lays out the work and fills in the standardised columns. */
static struct columns columns_of(const double *y, const double *x, size_t n, size_t lags,
                                 double *work)
{
    struct columns c = { .y = y, .x = x, .n = n, .lags = lags, .lanes = lanes_of(lags) };
    double **rooms[] = { &c.px, &c.px_ones, &c.px_squares, &c.zy, &c.y_ones, &c.y_squares };
    c.padded_len = n + c.lanes;
    for (size_t k = 0; k < 6; k++) {
        *rooms[k] = work;
        work += k < 3 ? c.padded_len : n + 1;
    }
    for (size_t k = 0; k < 6; k++) c.sum[k] = work + k * c.lanes;
    struct pt_panel_own own;
    pt_panel_own(y, n, &own);
    pt_wide()->standard(y, n, own.mean, own.scale, c.zy);
    pt_panel_own(x, n, &own);
    memset(c.px, 0, c.padded_len * sizeof(double));
    pt_wide()->standard(x, n, own.mean, own.scale, c.px + lags);
    return c;
}

void pt_ccf(const double *y, const double *x, size_t n, size_t lags, size_t min_pairs, double *work,
            double *r, size_t *pairs)
{
    struct columns c = columns_of(y, x, n, lags, work);
    struct reach ry = reach_of(y, n), rx = reach_of(x, n);
    pt_wide()->lags(c.zy, c.px, n, c.lanes, c.sum[0]);
    if (ry.whole && rx.whole)
        sums_of_whole(&c, ry, rx);
    else
        sums_with_gaps(&c);
    for (size_t k = 0; k < 2 * lags + 1; k++) {
        struct pt_pair p = { c.sum[1][k], c.sum[4][k], c.sum[2][k],
                             c.sum[5][k], c.sum[3][k], c.sum[0][k] };
        size_t at = 2 * lags - k;
        pairs[at] = (size_t)p.n;
        r[at] = NAN;
        if (pairs[at] < min_pairs || pairs[at] < 2 || pt_pair_correlation(&p, &r[at])) continue;
        size_t later = at > lags ? at - lags : 0, sooner = at < lags ? lags - at : 0;
        r[at] = pt_moment_pearson(y + later, x + sooner, n - later - sooner, NULL);
    }
}

struct pt_ccf_peak pt_ccf_peak(const double *r, const size_t *pairs, size_t lags, double level)
{
    struct pt_ccf_peak peak = { 0, NAN, NAN, 0 };
    for (size_t step = 0; step < 2 * lags + 1; step++) { /* 0, 1, -1, 2, -2 .. */
        ptrdiff_t lag = (ptrdiff_t)(step + 1) / 2;
        size_t at = step % 2 != 0 ? lags + (size_t)lag : lags - (size_t)lag;
        if (!pt_there(r[at]) || (pt_there(peak.r) && !(fabs(r[at]) > fabs(peak.r)))) continue;
        peak.lag = step % 2 != 0 ? lag : -lag;
        peak.r = r[at];
        peak.pairs = pairs[at];
    }
    if (peak.pairs == 0) return peak;
    double z = pt_dist_normal_quantile(1 - level / (2 * (double)(2 * lags + 1)));
    peak.bound = z / sqrt((double)peak.pairs);
    return peak;
}
