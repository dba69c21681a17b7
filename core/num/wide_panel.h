/* wide_panel.h - sums for many series at once. Included by wide_body.h only.
 *                                                                        [layer: num, internal]
 * Here a lane is a series or a lag, never a row: each sum runs down its own rows in order, so lanes
 * do not matter to the bits. */
#ifndef PT_WIDE_PANEL_H
#define PT_WIDE_PANEL_H

#include "num/wide_lanes.h"
#include "num/wide_sum.h"

enum { ABREAST = 4 * LANES }; /* sums kept in registers at once: four vectors hide the latency */

typedef unsigned char bytes __attribute__((vector_size(PT_SLAB), aligned(1), may_alias));

/* As powers() of wide_sum.h, the first two of them. */
static size_t squares(const double *x, size_t n, struct pt_centre c, double *s1, double *s2)
{
    struct total t1 = { 0 }, t2 = { 0 };
    vi there = { 0 };
    double last[8];
    for (size_t from = 0; from < n; from += BLOCK) {
        size_t to = n - from < BLOCK ? n : from + BLOCK;
        struct lanes sum = { 0 }, square = { 0 };
        for (size_t i = from; i < to; i += 8) {
            const double *rows = group(x, i, to, last);
            for (int p = 0; p < PARTS; p++) {
                vd v = GET(rows + p * LANES), d = (v - c.at) - c.shift;
                vi ok = THERE(v);
                d = KEEP(ok, d);
                sum.part[p] += d;
                square.part[p] += d * d;
                there -= ok;
            }
        }
        total_add(&t1, &sum);
        total_add(&t2, &square);
    }
    *s1 = total_get(&t1);
    *s2 = total_get(&t2);
    return rows_in(&there);
}

/* (x - at - shift) * scale, 0 where x is missing. */
static void standard(const double *x, size_t n, struct pt_centre c, double scale, double *out)
{
    const vd zero = { 0 };
    double last[8];
    for (size_t i = 0; i < n; i += 8) {
        const double *from = group(x, i, n, last);
        for (size_t p = 0; p < 8; p += LANES) {
            vd v = GET(from + p), d = ((v - c.at) - c.shift) * scale;
            d = PICK(THERE(v), d, zero);
            if (from != last)
                AT(out + i + p) = d;
            else
                AT(last + p) = d; /* read before: one vector at a time */
        }
        if (from == last) memcpy(out + i, last, (n - i) * sizeof(double));
    }
}

static void picked(const double *slab, const uint8_t *there, const uint32_t *rows, size_t count,
                   struct pt_picked *out)
{
    for (size_t c = 0; c < PT_SLAB; c += ABREAST) {
        vd s[4] = { { 0 } }, q[4] = { { 0 } };
        for (size_t k = 0; k < count; k++) {
            const double *row = slab + (size_t)rows[k] * PT_SLAB + c;
            for (size_t g = 0; g < 4; g++) {
                vd v = GET(row + g * LANES);
                s[g] += v;
                q[g] += v * v;
            }
        }
        memcpy(out->sum + c, s, sizeof(s));
        memcpy(out->squares + c, q, sizeof(q));
    }
    memset(out->pairs, 0, sizeof(out->pairs));
    for (size_t from = 0; from < count; from += 255) { /* as many as a byte holds */
        size_t to = count - from < 255 ? count : from + 255;
        bytes sum = { 0 };
        for (size_t k = from; k < to; k++)
            sum += *(const bytes *)(const void *)(there + (size_t)rows[k] * PT_SLAB);
        for (size_t c = 0; c < PT_SLAB; c++) out->pairs[c] += sum[c];
    }
}

/* `vectors` is a constant wherever this is used. */
static inline void some_lags(const double *a, const double *b, size_t rows, size_t vectors,
                             double *out)
{
    const vd zero = { 0 };
    vd s[4] = { { 0 } };
    for (size_t t = 0; t < rows; t++) {
        vd v = a[t] - zero;
        for (size_t g = 0; g < vectors; g++) s[g] += v * GET(b + t + g * LANES);
    }
    for (size_t g = 0; g < vectors; g++) AT(out + g * LANES) += s[g];
}

static void lags(const double *a, const double *b, size_t n, size_t count, double *out)
{
    memset(out, 0, count * sizeof(double));
    for (size_t from = 0; from < n; from += BLOCK) { /* blocks, so that rounding does not add up */
        size_t rows = n - from < BLOCK ? n - from : BLOCK, k = 0;
        for (; k + ABREAST <= count; k += ABREAST)
            some_lags(a + from, b + from + k, rows, 4, out + k);
        for (; k < count; k += LANES) some_lags(a + from, b + from + k, rows, 1, out + k);
    }
}

#endif
