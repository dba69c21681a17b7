/* wide_window.h - sums over all windows of a block. Included by wide_body.h only.
 *                                                                        [layer: num, internal]
 * F_k[i] is the sum of the k values from i on. Four of them make F_4k, and up to three values more
 * F_4k+r: a window of width w is built along its digits of base 4,
 *
 *     x -> F_5 (five loads) -> F_20 (four loads)      two loops, no dependence from row to row
 *
 * so a row costs a few additions spread over all lanes, its rounding is that of a tree, and nothing
 * drifts. All arrays have room for a few values behind their last row (struct block): loops run
 * over whole groups of eight and read what lies there, but no row that counts is made of it. In
 * place each loop reads ahead only. */
#ifndef PT_WIDE_WINDOW_H
#define PT_WIDE_WINDOW_H

#include "num/wide_lanes.h"

/* The way to a width: a first one of at most DIRECT values, then steps k -> 4 k + more. */
enum { DIRECT = 7, STEPS = 6 };
struct plan {
    size_t first;
    unsigned steps, more[STEPS];
};

static inline struct plan plan_of(size_t width)
{
    struct plan p = { .steps = 0 };
    unsigned digits[STEPS];
    for (; width > DIRECT; width /= 4) digits[p.steps++] = (unsigned)(width % 4);
    for (unsigned k = 0; k < p.steps; k++) p.more[k] = digits[p.steps - 1 - k];
    p.first = width;
    return p;
}

/* Windows of `width` in `rows` values, in whole groups. */
static inline size_t groups(size_t rows, size_t width)
{
    return up8(rows - (width - 1));
}

/* What is read behind the last row is at least a number. */
static inline void pad(double *d, size_t rows)
{
    memset(d + up8(rows), 0, 8 * sizeof(double));
}

/* s: sums of the first m values, q: of their squares (NULL: not wanted). m is a constant wherever
 * this is used. */
static inline void first_sums(const double *d, size_t end, size_t m, double *s, double *q)
{
    for (size_t i = 0; i < end; i += LANES) {
        vd x = GET(d + i), sum = x, squares = x * x;
        for (size_t k = 1; k < m; k++) {
            x = GET(d + i + k);
            sum += x;
            squares += x * x;
        }
        AT(s + i) = sum;
        if (q != NULL) AT(q + i) = squares;
    }
}

static inline void next_sums(const double *d, size_t end, size_t k, unsigned more, double *s,
                             double *q)
{
    for (size_t i = 0; i < end; i += LANES) {
        vd sum = (GET(s + i) + GET(s + i + k)) + (GET(s + i + 2 * k) + GET(s + i + 3 * k));
        vd squares = sum;
        if (q != NULL)
            squares = (GET(q + i) + GET(q + i + k)) + (GET(q + i + 2 * k) + GET(q + i + 3 * k));
        for (unsigned j = 0; j < more; j++) {
            vd x = GET(d + i + 4 * k + j);
            sum += x;
            squares += x * x;
        }
        AT(s + i) = sum;
        if (q != NULL) AT(q + i) = squares;
    }
}

/* All steps but the last one: *k is where it starts from, DIRECT_ONLY that there is only it.
 * Returns the step's `more`. The last one is done by whoever uses the sums, in the same loop. */
enum { DIRECT_ONLY = 4 };
static inline unsigned most_sums(const double *d, size_t rows, size_t width, double *s, double *q,
                                 size_t *at)
{
    struct plan p = plan_of(width);
    size_t k = p.first, end = groups(rows, k);
    *at = k;
    if (p.steps == 0) return DIRECT_ONLY;
    switch (k) {
    case 1: first_sums(d, end, 1, s, q); break;
    case 2: first_sums(d, end, 2, s, q); break;
    case 3: first_sums(d, end, 3, s, q); break;
    case 4: first_sums(d, end, 4, s, q); break;
    case 5: first_sums(d, end, 5, s, q); break;
    case 6: first_sums(d, end, 6, s, q); break;
    default: first_sums(d, end, 7, s, q); break;
    }
    pad(s, end);
    if (q != NULL) pad(q, end);
    for (unsigned step = 0; step + 1 < p.steps; step++) {
        end = groups(rows, 4 * k + p.more[step]);
        switch (p.more[step]) {
        case 0: next_sums(d, end, k, 0, s, q); break;
        case 1: next_sums(d, end, k, 1, s, q); break;
        case 2: next_sums(d, end, k, 2, s, q); break;
        default: next_sums(d, end, k, 3, s, q); break;
        }
        k = 4 * k + p.more[step];
    }
    *at = k;
    return p.more[p.steps - 1];
}

/* The last step for LANES rows: sums of d, and of d^2 when q is not NULL. `more` is a constant. */
static inline void last_sums(const double *d, const double *s, const double *q, size_t i, size_t k,
                             unsigned more, vd *sum, vd *squares)
{
    if (more == DIRECT_ONLY) {
        vd x = GET(d + i);
        *sum = x;
        *squares = x * x;
        for (size_t j = 1; j < k; j++) {
            x = GET(d + i + j);
            *sum += x;
            *squares += x * x;
        }
        return;
    }
    *sum = (GET(s + i) + GET(s + i + k)) + (GET(s + i + 2 * k) + GET(s + i + 3 * k));
    if (q != NULL)
        *squares = (GET(q + i) + GET(q + i + k)) + (GET(q + i + 2 * k) + GET(q + i + 3 * k));
    for (unsigned j = 0; j < more; j++) {
        vd x = GET(d + i + 4 * k + j);
        *sum += x;
        *squares += x * x;
    }
}

static inline void finish_sums(const double *d, const double *s, size_t rows, size_t k,
                               unsigned more, double divisor, double *out)
{
    vd sum, unused = { 0 };
    size_t i = 0;
    for (; i + LANES <= rows; i += LANES) {
        last_sums(d, s, NULL, i, k, more, &sum, &unused);
        AT(out + i) = sum / divisor;
    }
    if (i == rows) return;
    last_sums(d, s, NULL, i, k, more, &sum, &unused);
    sum /= divisor;
    memcpy(out + i, &sum, (rows - i) * sizeof(double));
}

/* out[i] = sum of the `width` values of d from i on / divisor, for the `rows` - width + 1 windows
 * there are. s: room. out: exactly so many. */
static void window_sums(const double *d, size_t rows, size_t width, double *s, double divisor,
                        double *out)
{
    size_t k, windows = rows - (width - 1);
    switch (most_sums(d, rows, width, s, NULL, &k)) {
    case 0: finish_sums(d, s, windows, k, 0, divisor, out); break;
    case 1: finish_sums(d, s, windows, k, 1, divisor, out); break;
    case 2: finish_sums(d, s, windows, k, 2, divisor, out); break;
    case 3: finish_sums(d, s, windows, k, 3, divisor, out); break;
    default: finish_sums(d, s, windows, k, DIRECT_ONLY, divisor, out); break;
    }
}

/* Plain sums s and weighted sums t of the first m values; m is a constant wherever it matters. */
static inline void first_heavy(const double *d, size_t end, size_t m, double *s, double *t)
{
    for (size_t i = 0; i < end; i += LANES) {
        vd sum = GET(d + i), heavy = sum;
        for (size_t j = 1; j < m; j++) {
            vd x = GET(d + i + j);
            sum += x;
            heavy += (double)(j + 1) * x;
        }
        AT(s + i) = sum;
        AT(t + i) = heavy;
    }
}

/* Four windows of k and `more` values behind them, for LANES rows. `more` is a constant. */
static inline void four_heavy(const double *d, const double *s, const double *t, size_t i, size_t k,
                              unsigned more, vd *sum, vd *heavy)
{
    vd s1 = GET(s + i + k), s2 = GET(s + i + 2 * k), s3 = GET(s + i + 3 * k);
    *sum = (GET(s + i) + s1) + (s2 + s3);
    *heavy = (GET(t + i) + GET(t + i + k)) + (GET(t + i + 2 * k) + GET(t + i + 3 * k));
    *heavy += (double)k * ((s1 + 2 * s2) + 3 * s3); /* later windows weigh k, 2 k, 3 k more */
    for (unsigned j = 0; j < more; j++) {
        vd x = GET(d + i + 4 * k + j);
        *sum += x;
        *heavy += (double)(4 * k + j + 1) * x;
    }
}

static inline void next_heavy(const double *d, size_t end, size_t k, unsigned more, double *s,
                              double *t)
{
    for (size_t i = 0; i < end; i += LANES) {
        vd sum, heavy;
        four_heavy(d, s, t, i, k, more, &sum, &heavy);
        AT(s + i) = sum;
        AT(t + i) = heavy;
    }
}

/* The last step. */
static inline void finish_heavy(const double *d, size_t windows, size_t k, unsigned more,
                                const double *s, const double *t, double divisor, double *out)
{
    vd sum, heavy;
    size_t i = 0;
    for (; i + LANES <= windows; i += LANES) {
        four_heavy(d, s, t, i, k, more, &sum, &heavy);
        AT(out + i) = heavy / divisor;
    }
    if (i == windows) return;
    four_heavy(d, s, t, i, k, more, &sum, &heavy);
    heavy /= divisor;
    memcpy(out + i, &heavy, (windows - i) * sizeof(double));
}

/* out[i] = (1 d[i] + 2 d[i+1] + .. + width d[i+width-1]) / divisor, for the rows - width + 1
 * windows there are. s, t: room. */
static void weighted_sums(const double *d, size_t rows, size_t width, double *s, double *t,
                          double divisor, double *out)
{
    struct plan p = plan_of(width);
    size_t k = p.first, end = groups(rows, k), windows = rows - (width - 1);
    switch (k) {
    case 4: first_heavy(d, end, 4, s, t); break;
    case 5: first_heavy(d, end, 5, s, t); break;
    default: first_heavy(d, end, k, s, t); break;
    }
    pad(s, end);
    pad(t, end);
    if (p.steps == 0) {
        for (size_t i = 0; i < windows; i++) out[i] = t[i] / divisor;
        return;
    }
    for (unsigned step = 0; step + 1 < p.steps; step++) {
        end = groups(rows, 4 * k + p.more[step]);
        switch (p.more[step]) {
        case 0: next_heavy(d, end, k, 0, s, t); break;
        case 1: next_heavy(d, end, k, 1, s, t); break;
        case 2: next_heavy(d, end, k, 2, s, t); break;
        default: next_heavy(d, end, k, 3, s, t); break;
        }
        k = 4 * k + p.more[step];
    }
    switch (p.more[p.steps - 1]) {
    case 0: finish_heavy(d, windows, k, 0, s, t, divisor, out); break;
    case 1: finish_heavy(d, windows, k, 1, s, t, divisor, out); break;
    case 2: finish_heavy(d, windows, k, 2, s, t, divisor, out); break;
    default: finish_heavy(d, windows, k, 3, s, t, divisor, out); break;
    }
}

/* to[i]: the largest (least) of from[i], [i + one], [i + two], [i + last]. */
static inline void of_four(const double *restrict from, size_t end, size_t one, size_t two,
                           size_t last, bool most, double *restrict to)
{
    for (size_t i = 0; i < end; i++) {
        double a = from[i], b = from[i + one], c = from[i + two], e = from[i + last];
        a = most ? (a > b ? a : b) : (a < b ? a : b);
        c = most ? (c > e ? c : e) : (c < e ? c : e);
        to[i] = most ? (a > c ? a : c) : (a < c ? a : c);
    }
}

/* out[i]: the largest (least) of the `width` values of d from i on, for the rows - width + 1
 * windows there are; here windows may overlap. room, other: worked in. */
static inline void window_extremes(const double *d, size_t rows, size_t width, bool most,
                                   double *room, double *other, double *out)
{
    double *to[2] = { room, other };
    size_t windows = rows - (width - 1), k = 1;
    for (unsigned turn = 0; 4 * k < width; turn ^= 1, k *= 4) {
        size_t end = groups(rows, 4 * k);
        of_four(d, end, k, 2 * k, 3 * k, most, to[turn]);
        pad(to[turn], end);
        d = to[turn];
    }
    size_t last = width - k; /* where the last of four begins; the others may lie on one another */
    of_four(d, windows, k < last ? k : last, 2 * k < last ? 2 * k : last, last, most, out);
}

#endif
