#include "num/fft.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define RADIX_MAX 31 /* a prime beyond it is dearer by its own sum than by a convolution */

static struct pt_complex add(struct pt_complex a, struct pt_complex b)
{
    return (struct pt_complex){ a.re + b.re, a.im + b.im };
}

static struct pt_complex sub(struct pt_complex a, struct pt_complex b)
{
    return (struct pt_complex){ a.re - b.re, a.im - b.im };
}

static struct pt_complex mul(struct pt_complex a, struct pt_complex b)
{
    return (struct pt_complex){ a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re };
}

static struct pt_complex conjugate(struct pt_complex a)
{
    return (struct pt_complex){ a.re, -a.im };
}

/* exp(-2 pi i k / n), 0 <= k < n. The angle is folded into the first eighth of a turn by whole
 * numbers, so that it is as exact for the last k as for the first. */
static struct pt_complex turn(size_t k, size_t n)
{
    uint64_t eighth = n, j = 8 * (uint64_t)k; /* in parts of 8 n */
    bool below = j > 4 * eighth;
    if (below) j = 8 * eighth - j;
    bool left = j > 2 * eighth;
    if (left) j = 4 * eighth - j;
    bool steep = j > eighth;
    if (steep) j = 2 * eighth - j;
    double angle = M_PI_4 * ((double)j / (double)n), c = cos(angle), s = sin(angle);
    double re = steep ? s : c, im = steep ? c : s;
    return (struct pt_complex){ left ? -re : re, below ? im : -im };
}

/* ---- lengths of small primes ----------------------------------------------------------------- */

/* Fours first, then small to large; false when a prime beyond RADIX_MAX is left. */
static bool split(size_t n, struct pt_fft_smooth *plan)
{
    plan->n = n;
    plan->radices = 0;
    for (unsigned p = 4; p <= RADIX_MAX && n > 1; p = p == 4 ? 2 : p == 3 ? 5 : p + 1) {
        for (; n % p == 0; n /= p) plan->radix[plan->radices++] = (unsigned char)p;
    }
    return n == 1;
}

static void smooth_init(struct pt_fft_smooth *plan, struct pt_complex *turns)
{
    plan->turns = turns;
    for (size_t k = 0; k < plan->n; k++) turns[k] = turn(k, plan->n);
}

/* The butterflies: out holds `radix` transforms of m values each, and becomes one of radix m. step
 * is by how much the turns of this length go around the table. */
static void join_two(const struct pt_complex *turns, size_t step, size_t m, struct pt_complex *out)
{
    for (size_t k = 0; k < m; k++) {
        struct pt_complex a = out[k], b = mul(out[k + m], turns[k * step]);
        out[k] = add(a, b);
        out[k + m] = sub(a, b);
    }
}

static void join_three(const struct pt_complex *turns, size_t step, size_t m,
                       struct pt_complex *out)
{
    const double high = 0.86602540378443864676; /* sin(pi / 3) */
    for (size_t k = 0; k < m; k++) {
        struct pt_complex a = out[k], b = mul(out[k + m], turns[k * step]),
                          c = mul(out[k + 2 * m], turns[2 * k * step]);
        struct pt_complex sum = add(b, c), gap = sub(b, c);
        struct pt_complex middle = { a.re - 0.5 * sum.re, a.im - 0.5 * sum.im };
        out[k] = add(a, sum);
        out[k + m] = (struct pt_complex){ middle.re + high * gap.im, middle.im - high * gap.re };
        out[k + 2 * m] =
            (struct pt_complex){ middle.re - high * gap.im, middle.im + high * gap.re };
    }
}

static void join_four(const struct pt_complex *turns, size_t step, size_t m, struct pt_complex *out)
{
    for (size_t k = 0; k < m; k++) {
        struct pt_complex a = out[k], b = mul(out[k + m], turns[k * step]),
                          c = mul(out[k + 2 * m], turns[2 * k * step]),
                          d = mul(out[k + 3 * m], turns[3 * k * step]);
        struct pt_complex ac = add(a, c), bd = add(b, d), even = sub(a, c), odd = sub(b, d);
        out[k] = add(ac, bd);
        out[k + m] = (struct pt_complex){ even.re + odd.im, even.im - odd.re };
        out[k + 2 * m] = sub(ac, bd);
        out[k + 3 * m] = (struct pt_complex){ even.re - odd.im, even.im + odd.re };
    }
}

static void join_any(const struct pt_complex *turns, size_t step, size_t m, unsigned radix,
                     struct pt_complex *out)
{
    struct pt_complex part[RADIX_MAX];
    for (size_t k = 0; k < m; k++) {
        part[0] = out[k];
        for (unsigned q = 1; q < radix; q++) part[q] = mul(out[k + q * m], turns[q * k * step]);
        for (unsigned r = 0; r < radix; r++) {
            struct pt_complex sum = part[0];
            for (unsigned q = 1; q < radix; q++)
                sum = add(sum, mul(part[q], turns[(size_t)(q * r % radix) * m * step]));
            out[k + r * m] = sum;
        }
    }
}

/* Transform of the n values in[0], in[step], ..., where n step is the length of the plan. The depth
 * of the recursion is the number of radices. */
static void transform(const struct pt_fft_smooth *plan, unsigned level, size_t n, size_t step,
                      const struct pt_complex *in, struct pt_complex *out)
{
    if (level == plan->radices) {
        out[0] = in[0];
        return;
    }
    unsigned radix = plan->radix[level];
    size_t m = n / radix;
    for (unsigned q = 0; q < radix; q++) {
        if (m == 1)
            out[q] = in[q * step];
        else
            transform(plan, level + 1, m, step * radix, in + q * step, out + q * m);
    }
    switch (radix) {
    case 2: join_two(plan->turns, step, m, out); break;
    case 3: join_three(plan->turns, step, m, out); break;
    case 4: join_four(plan->turns, step, m, out); break;
    default: join_any(plan->turns, step, m, radix, out); break;
    }
}

/* ---- any length -------------------------------------------------------------------------------
 * Bluestein: k t = (k^2 + t^2 - (k - t)^2) / 2 makes the transform a convolution with a chirp,
 *     X[k] = c[k] sum over t of (x[t] c[t]) conj(c[k - t]),  c[k] = exp(-pi i k^2 / n),
 * and a convolution of any length fits into a transform of a power of two that is long enough. */

static size_t convolution_length(size_t n)
{
    size_t m = 1;
    while (m < 2 * n - 1) m *= 2;
    return m;
}

size_t pt_fft_room(size_t n)
{
    struct pt_fft_smooth plan;
    return split(n, &plan) ? n : n + 4 * convolution_length(n);
}

void pt_fft_init(struct pt_fft *fft, size_t n, struct pt_complex *room)
{
    memset(fft, 0, sizeof *fft);
    fft->n = n;
    fft->chirped = !split(n, &fft->core);
    if (!fft->chirped) {
        smooth_init(&fft->core, room);
        return;
    }
    size_t m = convolution_length(n);
    split(m, &fft->core);
    fft->chirp = room;
    fft->filter = room + n;
    fft->work = fft->filter + m;
    smooth_init(&fft->core, fft->work + 2 * m);

    struct pt_complex *filter = fft->work;
    memset(filter, 0, m * sizeof *filter);
    for (uint64_t k = 0; k < n; k++) fft->chirp[k] = turn((size_t)(k * k % (2 * n)), 2 * n);
    for (size_t k = 0; k < n; k++) {
        struct pt_complex c = { fft->chirp[k].re / (double)m, -fft->chirp[k].im / (double)m };
        filter[k] = c;
        filter[k == 0 ? 0 : m - k] = c;
    }
    transform(&fft->core, 0, m, 1, filter, fft->filter);
}

void pt_fft_run(const struct pt_fft *fft, const struct pt_complex *in, struct pt_complex *out)
{
    size_t n = fft->n, m = fft->core.n;
    if (!fft->chirped) {
        transform(&fft->core, 0, n, 1, in, out);
        return;
    }
    struct pt_complex *a = fft->work, *b = fft->work + m;
    memset(a, 0, m * sizeof *a);
    for (size_t k = 0; k < n; k++) a[k] = mul(in[k], fft->chirp[k]);
    transform(&fft->core, 0, m, 1, a, b);
    /* the way back is the way forth of the conjugate */
    for (size_t k = 0; k < m; k++) a[k] = conjugate(mul(b[k], fft->filter[k]));
    transform(&fft->core, 0, m, 1, a, b);
    for (size_t k = 0; k < n; k++) out[k] = mul(conjugate(b[k]), fft->chirp[k]);
}

/* ---- real input
 * ------------------------------------------------------------------------------------------- */

size_t pt_fft_real_room(size_t n)
{
    return n % 2 == 0 ? pt_fft_room(n / 2) + n / 2 + 1 + n : pt_fft_room(n) + 2 * n;
}

void pt_fft_real_init(struct pt_fft_real *fft, size_t n, struct pt_complex *room)
{
    bool even = n % 2 == 0;
    size_t inner = even ? n / 2 : n;
    fft->n = n;
    fft->work = room;
    fft->turns = room + 2 * inner;
    struct pt_complex *rest = fft->turns;
    if (even) {
        for (size_t k = 0; k <= inner; k++) fft->turns[k] = turn(k, n);
        rest += inner + 1;
    }
    pt_fft_init(&fft->fft, inner, rest);
}

void pt_fft_real_run(const struct pt_fft_real *fft, const double *x, struct pt_complex *out)
{
    size_t n = fft->n, half = n / 2;
    struct pt_complex *in = fft->work, *z = fft->work + fft->fft.n;
    if (n % 2 != 0) {
        for (size_t t = 0; t < n; t++) in[t] = (struct pt_complex){ x[t], 0 };
        pt_fft_run(&fft->fft, in, z);
        memcpy(out, z, (half + 1) * sizeof *out);
        return;
    }
    /* Even and odd values as one complex series: Z[k] = E[k] + i O[k], X[k] = E[k] + turn O[k]. */
    for (size_t t = 0; t < half; t++) in[t] = (struct pt_complex){ x[2 * t], x[2 * t + 1] };
    pt_fft_run(&fft->fft, in, z);
    for (size_t k = 0; k <= half; k++) {
        struct pt_complex a = z[k < half ? k : 0], b = conjugate(z[k > 0 ? half - k : 0]);
        struct pt_complex even = { 0.5 * (a.re + b.re), 0.5 * (a.im + b.im) };
        struct pt_complex odd = { 0.5 * (a.im - b.im), -0.5 * (a.re - b.re) };
        out[k] = add(even, mul(odd, fft->turns[k]));
    }
}
