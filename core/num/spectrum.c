#include "num/spectrum.h"

#include "num/dist.h"
#include "num/fft.h"
#include "num/moment.h"
#include "num/series.h"

#include <math.h>
#include <string.h>

#define PER_COMPLEX (sizeof(struct pt_complex) / sizeof(double))

struct pt_segments pt_spectrum_segments(size_t n, size_t longest)
{
    struct pt_segments s = { n < longest ? n : longest, 0 };
    if (s.length > 0) s.count = (n - s.length / 2) / (s.length - s.length / 2);
    return s;
}

/* Window, segment, its bins and the plan; the power of pt_spectrum_cycles(). */
size_t pt_spectrum_room(size_t length)
{
    size_t bins = length / 2 + 1;
    if (length == 0) return 0;
    return 2 * length + PER_COMPLEX * (bins + pt_fft_real_room(length)) + bins;
}

void pt_spectrum_welch(const double *x, struct pt_segments segments, double *power, double *work)
{
    size_t length = segments.length, bins = length / 2 + 1, step = length - length / 2;
    if (segments.count == 0) return;
    struct pt_complex *bin = (struct pt_complex *)(void *)work, *room = bin + bins;
    double *window = (double *)(room + pt_fft_real_room(length)), *part = window + length;
    struct pt_fft_real fft;
    pt_fft_real_init(&fft, length, room);

    double squares = 0;
    for (size_t t = 0; t < length; t++) {
        double s = sin(M_PI * ((double)t / (double)length));
        window[t] = length == 1 ? 1 : s * s; /* scipy's window of one value */
        squares += window[t] * window[t];
    }
    memset(power, 0, bins * sizeof *power);
    for (size_t k = 0; k < segments.count; k++) {
        const double *from = x + k * step;
        double mean = pt_moment_mean(from, length);
        for (size_t t = 0; t < length; t++) part[t] = (from[t] - mean) * window[t];
        pt_fft_real_run(&fft, part, bin);
        for (size_t f = 0; f < bins; f++) power[f] += bin[f].re * bin[f].re + bin[f].im * bin[f].im;
    }
    for (size_t f = 0; f < bins; f++) {
        double sides = f == 0 || 2 * f == length ? 1 : 2;
        power[f] *= sides / (squares * (double)segments.count);
    }
}

struct pt_ar1 pt_spectrum_ar1(const double *x, size_t n)
{
    return (struct pt_ar1){ pt_moment_var(x, n, 1), pt_series_acf(x, n, 1) };
}

double pt_spectrum_ar1_density(struct pt_ar1 noise, double frequency)
{
    double phi = noise.phi;
    return 2 * noise.variance * (1 - phi * phi) /
           (1 - 2 * phi * cos(2 * M_PI * frequency) + phi * phi);
}

/* Where between two bins a peak is: the top of the parabola through three logarithms, in bins from
 * the middle one. */
static double top(const double *middle)
{
    if (!(middle[-1] > 0 && middle[1] > 0)) return 0;
    double a = log(middle[-1]), b = log(middle[0]), c = log(middle[1]);
    return 0.5 * (a - c) / (a - 2 * b + c);
}

/* Into the list, highest first; of equals the longer period stays before. */
static size_t keep(const struct pt_cycle *cycle, struct pt_cycle *out, size_t found, size_t most)
{
    size_t at = found;
    while (at > 0 && out[at - 1].density < cycle->density) at--;
    if (at >= most) return found;
    size_t kept = found < most ? found : most - 1;
    memmove(out + at + 1, out + at, (kept - at) * sizeof *out);
    out[at] = *cycle;
    return kept + 1;
}

size_t pt_spectrum_cycles(const double *x, size_t n, size_t longest, size_t most,
                          struct pt_cycle *out, double *work)
{
    struct pt_segments segments = pt_spectrum_segments(n, longest);
    size_t length = segments.length, found = 0;
    struct pt_ar1 noise = pt_spectrum_ar1(x, n);
    if (segments.count == 0 || !(noise.variance > 0)) return 0;
    double *power = work, k = (double)segments.count, freedom = 36 * k * k / (19 * k - 1);
    pt_spectrum_welch(x, segments, power, work + length / 2 + 1);

    size_t first = (4 * length + n - 1) / n, end = (length + 1) / 2;
    double searched = first < end ? (double)(end - first) : 0;
    for (size_t bin = first; bin < end && bin < length / 2; bin++) {
        if (!(power[bin] > power[bin - 1] && power[bin] >= power[bin + 1])) continue;
        struct pt_cycle cycle = { .density = power[bin], .p = 1 };
        cycle.period = (double)length / ((double)bin + top(power + bin));
        cycle.power = power[bin] / pt_spectrum_ar1_density(noise, (double)bin / (double)length);
        double p = searched * pt_dist_chi2_sf(freedom * cycle.power, freedom);
        if (p < 1) cycle.p = p;
        found = keep(&cycle, out, found, most);
    }
    return found;
}
