/* fft.h - discrete Fourier transform of any length.                            [layer: num]
 *
 * X[k] = sum over t of x[t] exp(-2 pi i k t / n), not scaled. Lengths made of primes up to 31 go by
 * mixed radix (Cooley & Tukey 1965), all others through a convolution of a power of two (Bluestein
 * 1970): no length is slow. Error about 1e-16 log2(n) of the largest bin: take means and trends
 * away first when small bins beside a large one matter. A missing value makes every bin NaN.
 *
 * A plan lives in memory of the caller and may be used again and again, by one thread at a time. */
#ifndef PT_FFT_H
#define PT_FFT_H

#include <stdbool.h>
#include <stddef.h>

#define PT_FFT_MAX ((size_t)1 << 28) /* longest transform */

struct pt_complex {
    double re, im;
};

/* Lengths without a large prime. */
struct pt_fft_smooth {
    size_t n;
    unsigned radices;
    unsigned char radix[32];
    struct pt_complex *turns; /* [n] exp(-2 pi i k / n) */
};

struct pt_fft {
    size_t n;
    bool chirped;              /* by Bluestein's convolution */
    struct pt_fft_smooth core; /* of n, or of the convolution */
    struct pt_complex *chirp;  /* [n] exp(-pi i k^2 / n) */
    struct pt_complex *filter; /* [core.n] transform of the conjugate chirp / core.n */
    struct pt_complex *work;   /* [2 core.n] */
};

/* Complex values of memory that a plan of n needs; n <= PT_FFT_MAX. */
size_t pt_fft_room(size_t n);
/* 1 <= n <= PT_FFT_MAX; room: [pt_fft_room(n)], borrowed as long as the plan is used. */
void pt_fft_init(struct pt_fft *fft, size_t n, struct pt_complex *room);
/* in, out: [n], no overlap. */
void pt_fft_run(const struct pt_fft *fft, const struct pt_complex *in, struct pt_complex *out);

/* The same for real input, of which one half of the bins says all: X[n - k] is the conjugate of
 * X[k]. Even lengths cost half. */
struct pt_fft_real {
    size_t n;
    struct pt_fft fft;        /* of n / 2, or of n when that is odd */
    struct pt_complex *turns; /* [n / 2 + 1] of an even n */
    struct pt_complex *work;  /* [2 fft.n] */
};

size_t pt_fft_real_room(size_t n);
void pt_fft_real_init(struct pt_fft_real *fft, size_t n, struct pt_complex *room);
/* x: [n]; out: [n / 2 + 1]. */
void pt_fft_real_run(const struct pt_fft_real *fft, const double *x, struct pt_complex *out);

#endif
