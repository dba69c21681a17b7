/* wide_order.h - order statistics. Included by wide_body.h only.         [layer: num, internal]
 * Values are compared and moved, never added: nothing here depends on LANES but the time. */
#ifndef PT_WIDE_ORDER_H
#define PT_WIDE_ORDER_H

#include "num/wide_sum.h"

static void outside(const double *x, size_t n, double low, double high, size_t *below,
                    size_t *above)
{
    vi less = { 0 }, more = { 0 };
    double last[8];
    for (size_t i = 0; i < n; i += 8) {
        const double *rows = group(x, i, n, last);
        for (int p = 0; p < PARTS; p++) {
            vd v = GET(rows + p * LANES);
            less -= v < low;
            more -= v > high;
        }
    }
    *below = rows_in(&less);
    *above = rows_in(&more);
}

static size_t between(double *x, size_t n, double low, double high)
{
    size_t kept = 0, i = 0;
#if defined(__x86_64__) && LANES == 8
    /* packed in the register: what is written lies where it was read, or before */
    for (; n - i >= 8; i += 8) {
        __m512d v = _mm512_loadu_pd(x + i);
        __mmask8 in = _mm512_cmp_pd_mask(v, _mm512_set1_pd(low), _CMP_GE_OQ) &
                      _mm512_cmp_pd_mask(v, _mm512_set1_pd(high), _CMP_LE_OQ);
        _mm512_storeu_pd(x + kept, _mm512_maskz_compress_pd(in, v));
        kept += (size_t)__builtin_popcount(in);
    }
#endif
    for (; i < n; i++) { /* no branch: nobody can guess which way it goes */
        double v = x[i];
        x[kept] = v;
        kept += (size_t)(v >= low) & (size_t)(v <= high);
    }
    return kept;
}

/* As above, of those that are there. out may be x. */
static size_t compact(const double *x, size_t n, double *out)
{
    size_t kept = 0, i = 0;
#if defined(__x86_64__) && LANES == 8
    for (; n - i >= 8; i += 8) {
        vd v = GET(x + i);
        __mmask8 there = _mm512_movepi64_mask((__m512i)THERE(v));
        _mm512_storeu_pd(out + kept, _mm512_maskz_compress_pd(there, (__m512d)v));
        kept += (size_t)__builtin_popcount(there);
    }
#endif
    for (; i < n; i++) {
        double v = x[i]; /* out may be x: read before the write */
        out[kept] = v;
        kept += pt_there(v);
    }
    return kept;
}

/* ---- the median of a window that moves ------------------------------------------------------- */

/* The window is kept sorted, between -inf and infs, and missing values are infs too: so there are
 * always `width` of them. One leaves and one comes in a single pass without branches, from one of
 * two copies to the other. */
struct sorted {
    _Alignas(64) double room[8 + PT_MEDIAN_NARROW + 16]; /* [7] is -inf, values from [8] */
};

/* Without the first that is not less than `old`, and with `x` before the first not less than it. */
static inline void exchange(const double *from, double *to, size_t slots, double old, double x)
{
    for (size_t k = 0; k < slots; k += LANES) {
        vd here = GET(from + k), before = GET(from + k - 1), after = GET(from + k + 1);
        vd rest = PICK(here < old, here, after), rest_before = PICK(before < old, before, here);
        vd x_or_before = PICK(rest_before < x, x - (vd){ 0 }, rest_before);
        AT(to + k) = PICK(rest < x, rest, x_or_before);
    }
}

static void median(const double *x, size_t n, size_t width, size_t least, double *out)
{
    struct sorted a, b;
    double *now = a.room + 8, *next = b.room + 8;
    size_t slots = up8(width), held = 0;
    for (size_t k = 0; k < sizeof a.room / sizeof *a.room; k++)
        a.room[k] = b.room[k] = k < 8 ? -INFINITY : INFINITY;
    for (size_t i = 0; i < n; i++) {
        double old = i >= width ? x[i - width] : INFINITY, in = x[i];
        bool left = pt_there(old), came = pt_there(in);
        exchange(now, next, slots, left ? old : INFINITY, came ? in : INFINITY);
        double *other = now;
        now = next;
        next = other;
        held = held + came - left;
        bool ready = i + 1 >= width && held >= least;
        out[i] = ready ? 0.5 * now[(held - 1) / 2] + 0.5 * now[held / 2] : NAN;
    }
}

#endif
