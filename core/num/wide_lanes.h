/* wide_lanes.h - the vectors of one path, LANES doubles each. Included by wide_body.h only.
 *                                                                        [layer: num, internal]
 * Eight rows make a group: PARTS vectors. Element-wise loops step by LANES, their result has no
 * order. Where rows meet (sums, scans) it is always in groups of eight, the same for all LANES. */
#ifndef PT_WIDE_LANES_H
#define PT_WIDE_LANES_H

#include "num/wide.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

typedef double vd __attribute__((vector_size(8 * LANES)));
typedef double vdu __attribute__((vector_size(8 * LANES), aligned(8), may_alias));
typedef long long vi __attribute__((vector_size(8 * LANES))); /* masks: 0 or -1 a lane */
enum { PARTS = 8 / LANES };

/* A vector in memory, of any alignment. */
#define AT(p) (*(vdu *)(void *)(p))
#define GET(p) (*(const vdu *)(const void *)(p))

#define THERE(x) ((x) - (x) == 0) /* NaN and infinite are not */
/* By mask: a where it is set, else b (PICK) or 0 (KEEP). */
#define PICK(mask, a, b) ((vd)(((vi)(a) & (mask)) | ((vi)(b) & ~(mask))))
#define KEEP(mask, a) ((vd)((vi)(a) & (mask)))

/* The root of every lane of *x, in place. */
static inline void roots(vd *x)
{
#if defined(__x86_64__) && LANES == 8
    *x = (vd)_mm512_sqrt_pd((__m512d)*x);
#elif defined(__x86_64__) && LANES == 4
    *x = (vd)_mm256_sqrt_pd((__m256d)*x);
#elif defined(__x86_64__)
    *x = (vd)_mm_sqrt_pd((__m128d)*x);
#else
    for (int k = 0; k < LANES; k++) (*x)[k] = sqrt((*x)[k]);
#endif
}

static inline size_t up8(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

/* Rows set in a count of masks that were subtracted: -(-1) a row. */
static inline size_t rows_in(const vi *counts)
{
    long long c = 0;
    for (int k = 0; k < LANES; k++) c += (*counts)[k];
    return (size_t)c;
}

#endif
