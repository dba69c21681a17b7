/* wide_scan.h - recursions in blocks of 8 rows. Included by wide_body.h only.      [layer: num,
 * internal]
 *
 * y[i] = b y[i-1] + t[i] waits for its own last row: one multiply and one add of latency a row.
 * Unrolled over 8 rows, t first becomes t[j] + b t[j-1] + .. + b^j t[0] by three shifted additions
 * (1, 2, 4 lanes: a prefix scan), and only b^(j+1) y is left that waits: one multiply, one add and
 * one broadcast for 8 rows. Lane j reads lanes up to j only, so a row does not depend on later
 * ones. */
#ifndef PT_WIDE_SCAN_H
#define PT_WIDE_SCAN_H

#include "num/wide_lanes.h"

/* Rows `by` earlier than those of `now`, a vector, `before` being the LANES rows before. */
#if LANES == 8
#define EARLIER1(before, now) __builtin_shufflevector(before, now, 7, 8, 9, 10, 11, 12, 13, 14)
#define EARLIER2(before, now) __builtin_shufflevector(before, now, 6, 7, 8, 9, 10, 11, 12, 13)
#define EARLIER4(p, t) __builtin_shufflevector(zero, t[p], 4, 5, 6, 7, 8, 9, 10, 11)
#define LAST(t) __builtin_shufflevector(t[0], t[0], 7, 7, 7, 7, 7, 7, 7, 7)
#elif LANES == 4
#define EARLIER1(before, now) __builtin_shufflevector(before, now, 3, 4, 5, 6)
#define EARLIER2(before, now) __builtin_shufflevector(before, now, 2, 3, 4, 5)
#define EARLIER4(p, t) ((p) == 0 ? zero : t[0])
#define LAST(t) __builtin_shufflevector(t[1], t[1], 3, 3, 3, 3)
#else
#define EARLIER1(before, now) __builtin_shufflevector(before, now, 1, 2)
#define EARLIER2(before, now) (before)
#define EARLIER4(p, t) ((p) < 2 ? zero : t[(p)-2])
#define LAST(t) __builtin_shufflevector(t[3], t[3], 1, 1)
#endif

struct decays {
    double b1, b2, b4;
    vd carry[PARTS]; /* b, b^2 .. b^8 */
};

static inline void decays_of(double b, struct decays *out)
{
    double b2 = b * b, b3 = b2 * b, b4 = b2 * b2;
    const double carry[8] = { b, b2, b3, b4, b4 * b, b4 * b2, b4 * b3, b4 * b4 };
    out->b1 = b;
    out->b2 = b2;
    out->b4 = b4;
    memcpy(out->carry, carry, sizeof(carry));
}

/* Eight rows. y: the state less the centre, in all lanes. The parts are done from the last one
 * back: each reads the parts before it as they were. */
static inline void scan8(const double *x, const struct pt_scan *how, const struct decays *by, vd *y,
                         double *out)
{
    const vd zero = { 0 };
    vd t[PARTS];
    for (int p = 0; p < PARTS; p++) t[p] = how->gain * (GET(x + p * LANES) - how->centre);
    for (int p = PARTS - 1; p >= 0; p--) t[p] += by->b1 * EARLIER1(p > 0 ? t[p - 1] : zero, t[p]);
    for (int p = PARTS - 1; p >= 0; p--) t[p] += by->b2 * EARLIER2(p > 0 ? t[p - 1] : zero, t[p]);
    for (int p = PARTS - 1; p >= 0; p--) t[p] += by->b4 * EARLIER4(p, t);
    for (int p = 0; p < PARTS; p++) {
        t[p] += by->carry[p] * *y;
        AT(out + p * LANES) = t[p] + how->centre;
    }
    *y = LAST(t);
}

static inline void scan_columns(unsigned columns, struct pt_scan *asked, size_t n)
{
    struct pt_scan scans[3]; /* a copy: no store to out can change it */
    struct decays by[3];
    vd y[3];
    size_t i = 0;
    memcpy(scans, asked, columns * sizeof(*asked));
    for (unsigned c = 0; c < columns; c++) {
        y[c] = (scans[c].y - scans[c].centre) - (vd){ 0 };
        decays_of(scans[c].decay, &by[c]);
    }
    for (; i + 8 <= n; i += 8)
        for (unsigned c = 0; c < columns; c++)
            scan8(scans[c].x + i, &scans[c], &by[c], &y[c], scans[c].out + i);
    for (unsigned c = 0; c < columns; c++) {
        asked[c].y = y[c][0] + scans[c].centre;
        if (i == n) continue;
        double rest[8] = { 0 };
        memcpy(rest, scans[c].x + i, (n - i) * sizeof(double));
        scan8(rest, &scans[c], &by[c], &y[c], rest);
        memcpy(scans[c].out + i, rest, (n - i) * sizeof(double));
        asked[c].y = rest[n - i - 1];
    }
}

static void scan(unsigned columns, struct pt_scan *scans, size_t n)
{
    switch (columns) { /* a constant count lets the chains overlap in registers */
    case 1: scan_columns(1, scans, n); break;
    case 2: scan_columns(2, scans, n); break;
    default: scan_columns(3, scans, n); break;
    }
}

#endif
