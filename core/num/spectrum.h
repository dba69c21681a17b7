/* spectrum.h - which cycles a series holds, and whether noise would show them. [layer: num]
 *
 * x: [n], one value a step, none missing (a missing one makes every answer NaN). Frequencies are in
 * cycles a step, periods in steps. */
#ifndef PT_SPECTRUM_H
#define PT_SPECTRUM_H

#include <stddef.h>

/* Segments of a Welch periodogram of n values: each `length` long and half over the one before;
 * what is left at the end is not looked at. */
struct pt_segments {
    size_t length;
    size_t count;
};
struct pt_segments pt_spectrum_segments(size_t n, size_t longest); /* longest >= 1; n = 0: none */

/* Doubles of work memory that the functions below need for segments of this length. */
size_t pt_spectrum_room(size_t length);

/* Welch 1967: mean over the segments of the power density at frequency k / length, k = 0 ..
 * length / 2, one-sided (the two ends are not doubled), unit x^2 a cycle a step. Of each segment
 * its mean is taken away, then it is weighted with a periodic Hann window; as scipy.signal.welch.
 * length <= PT_FFT_MAX; power: [length / 2 + 1]; work: [pt_spectrum_room(length)]. */
void pt_spectrum_welch(const double *x, struct pt_segments segments, double *power, double *work);

/* Noise with a memory of one step: x[t] = phi x[t-1] + e[t], as variance (n - 1) and biased
 * autocorrelation of lag 1 say. Needs 2 values; phi is NaN without a spread. */
struct pt_ar1 {
    double variance;
    double phi;
};
struct pt_ar1 pt_spectrum_ar1(const double *x, size_t n);
/* Its power density, one-sided: 2 var (1 - phi^2) / (1 - 2 phi cos(2 pi f) + phi^2). */
double pt_spectrum_ar1_density(struct pt_ar1 noise, double frequency);

/* A peak of a periodogram. */
struct pt_cycle {
    double period;  /* steps; at the top of the parabola through ln density of the bin and its two
                       neighbours */
    double density; /* of the bin, as pt_spectrum_welch() */
    double power;   /* density / that of the noise */
    double
        p; /* of such a peak in one of the bins searched if x were the noise (Bonferroni), 0..1 */
};

/* The peaks among the bins with a period above 2 steps and up to n / 4: higher than the bin below
 * and not lower than the one above, the highest density first; at most `most`. Returns how many
 * are in out, 0 when x has no spread. The last bin of an odd length has none above and is no peak.
 * The bin holds chi-square(v) / v times the noise, v = 36 k^2 / (19 k - 1) for k segments half over
 * each other under a Hann window (Percival & Walden 1993, 6.17). The noise is that of all of x.
 * longest: of a segment, <= PT_FFT_MAX; work: [pt_spectrum_room(length of a segment)]. */
size_t pt_spectrum_cycles(const double *x, size_t n, size_t longest, size_t most,
                          struct pt_cycle *out, double *work);

#endif
