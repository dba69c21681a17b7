/* wide_sum.h - reductions of whole columns. Included by wide_body.h only. [layer: num, internal]
 *
 * Row i goes to lane i % 8 of its block of 512 rows; the lanes of a block are added as a tree, the
 * blocks one after the other with their rounding errors carried (Neumaier 1974). Missing rows add 0
 * to their lane. */
#ifndef PT_WIDE_SUM_H
#define PT_WIDE_SUM_H

#include "num/wide_lanes.h"

enum { BLOCK = 512 };

/* Eight sums side by side. */
struct lanes {
    vd part[PARTS];
};

/* A compensated total. */
struct total {
    double sum, lost;
};

static inline void total_add(struct total *t, const struct lanes *lanes)
{
    double l[8];
    memcpy(l, lanes->part, sizeof(l));
    double part = ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]));
    double sum = t->sum + part;
    t->lost += fabs(t->sum) >= fabs(part) ? (t->sum - sum) + part : (part - sum) + t->sum;
    t->sum = sum;
}

static inline double total_get(const struct total *t)
{
    return pt_there(t->sum) ? t->sum + t->lost : t->sum; /* infinity carries no error term */
}

/* The next eight rows; `last` (room) when there are fewer: behind the end nothing is there. */
static inline const double *group(const double *x, size_t i, size_t n, double *last)
{
    if (n - i >= 8) return x + i;
    for (size_t k = 0; k < 8; k++) last[k] = k < n - i ? x[i + k] : NAN;
    return last;
}

static size_t count(const double *x, size_t n)
{
    vi there = { 0 };
    double last[8];
    for (size_t i = 0; i < n; i += 8) {
        const double *rows = group(x, i, n, last);
        for (int p = 0; p < PARTS; p++) {
            vd v = GET(rows + p * LANES);
            there -= THERE(v);
        }
    }
    return rows_in(&there);
}

static double sum(const double *x, size_t n, size_t *used)
{
    struct total t = { 0 };
    vi there = { 0 };
    double last[8];
    for (size_t from = 0; from < n; from += BLOCK) {
        size_t to = n - from < BLOCK ? n : from + BLOCK;
        struct lanes s = { 0 };
        for (size_t i = from; i < to; i += 8) {
            const double *rows = group(x, i, to, last);
            for (int p = 0; p < PARTS; p++) {
                vd v = GET(rows + p * LANES);
                vi ok = THERE(v);
                s.part[p] += KEEP(ok, v);
                there -= ok;
            }
        }
        total_add(&t, &s);
    }
    *used = rows_in(&there);
    return total_get(&t);
}

static void powers(const double *x, size_t n, struct pt_centre c, struct pt_powers *out)
{
    struct total t1 = { 0 }, t2 = { 0 }, t3 = { 0 }, t4 = { 0 };
    vi there = { 0 };
    double last[8];
    for (size_t from = 0; from < n; from += BLOCK) {
        size_t to = n - from < BLOCK ? n : from + BLOCK;
        struct lanes s1 = { 0 }, s2 = { 0 }, s3 = { 0 }, s4 = { 0 };
        for (size_t i = from; i < to; i += 8) {
            const double *rows = group(x, i, to, last);
            for (int p = 0; p < PARTS; p++) {
                vd v = GET(rows + p * LANES);
                vi ok = THERE(v);
                vd d = KEEP(ok, v - c.at - c.shift), dd = d * d;
                s1.part[p] += d;
                s2.part[p] += dd;
                s3.part[p] += dd * d;
                s4.part[p] += dd * dd;
                there -= ok;
            }
        }
        total_add(&t1, &s1);
        total_add(&t2, &s2);
        total_add(&t3, &s3);
        total_add(&t4, &s4);
    }
    *out = (struct pt_powers){ total_get(&t1), total_get(&t2), total_get(&t3), total_get(&t4),
                               rows_in(&there) };
}

static void cross(const double *x, const double *y, size_t n, struct pt_centre cx,
                  struct pt_centre cy, struct pt_cross *out)
{
    struct total tx = { 0 }, ty = { 0 }, txx = { 0 }, tyy = { 0 }, txy = { 0 }, tq = { 0 };
    vi there = { 0 };
    double last_x[8], last_y[8];
    for (size_t from = 0; from < n; from += BLOCK) {
        size_t to = n - from < BLOCK ? n : from + BLOCK;
        struct lanes sx = { 0 }, sy = { 0 }, sxx = { 0 }, syy = { 0 }, sxy = { 0 }, sq = { 0 };
        for (size_t i = from; i < to; i += 8) {
            const double *xs = group(x, i, to, last_x), *ys = group(y, i, to, last_y);
            for (int p = 0; p < PARTS; p++) {
                vd a = GET(xs + p * LANES), b = GET(ys + p * LANES);
                vi ok = THERE(a) & THERE(b);
                vd dx = KEEP(ok, a - cx.at - cx.shift), dy = KEEP(ok, b - cy.at - cy.shift);
                vd both = dx * dy;
                sx.part[p] += dx;
                sy.part[p] += dy;
                sxx.part[p] += dx * dx;
                syy.part[p] += dy * dy;
                sxy.part[p] += both;
                sq.part[p] += both * both;
                there -= ok;
            }
        }
        total_add(&tx, &sx);
        total_add(&ty, &sy);
        total_add(&txx, &sxx);
        total_add(&tyy, &syy);
        total_add(&txy, &sxy);
        total_add(&tq, &sq);
    }
    *out = (struct pt_cross){ total_get(&tx),  total_get(&ty), total_get(&txx), total_get(&tyy),
                              total_get(&txy), total_get(&tq), rows_in(&there) };
}

static void extremes(const double *x, size_t n, double *low, double *high)
{
    const vd zero = { 0 };
    struct lanes lo, hi;
    double last[8], least[8], most[8];
    for (int p = 0; p < PARTS; p++) lo.part[p] = INFINITY - zero, hi.part[p] = -INFINITY - zero;
    for (size_t i = 0; i < n; i += 8) {
        const double *rows = group(x, i, n, last);
        for (int p = 0; p < PARTS; p++) {
            vd v = GET(rows + p * LANES);
            vi ok = THERE(v);
            lo.part[p] = PICK(ok & (v < lo.part[p]), v, lo.part[p]);
            hi.part[p] = PICK(ok & (v > hi.part[p]), v, hi.part[p]);
        }
    }
    memcpy(least, lo.part, sizeof(least));
    memcpy(most, hi.part, sizeof(most));
    *low = least[0];
    *high = most[0];
    for (int k = 1; k < 8; k++) {
        if (least[k] < *low) *low = least[k];
        if (most[k] > *high) *high = most[k];
    }
}

/* Lane numbers; the first n of them as a mask are those below n. */
static const double lane_numbers[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };

/* Sums over y of d, d t and d^2, d = y - mean - slope t, t counted from the middle. */
static inline void box_sums(const double *y, size_t n, size_t readable, double mean, double slope,
                            double sums[3])
{
    struct lanes s = { 0 }, st = { 0 }, ss = { 0 };
    double last[8], middle = 0.5 * (double)(n - 1), end = (double)n - middle;
    for (size_t i = 0; i < n; i += 8) {
        const double *rows = group(y, i, readable, last);
        for (int p = 0; p < PARTS; p++) {
            vd t = GET(lane_numbers + p * LANES) + ((double)i - middle);
            vd d = KEEP(t < end, GET(rows + p * LANES) - mean - slope * t);
            s.part[p] += d;
            st.part[p] += d * t;
            ss.part[p] += d * d;
        }
    }
    const struct lanes *all[3] = { &s, &st, &ss };
    for (int k = 0; k < 3; k++) {
        struct total t = { 0 };
        total_add(&t, all[k]);
        sums[k] = t.sum;
    }
}

static double box(const double *y, size_t n, size_t readable)
{
    double sums[3], m = (double)n, times = m * (m * m - 1) / 12;
    box_sums(y, n, readable, y[0], 0, sums);
    double rest = sums[2] - sums[0] * sums[0] / m - sums[1] * sums[1] / times;
    if (rest * 4096 > sums[2]) return rest;
    /* the line explains nearly all: what is left is taken from the values themselves */
    box_sums(y, n, readable, y[0] + sums[0] / m, sums[1] / times, sums);
    return sums[2];
}

#endif
