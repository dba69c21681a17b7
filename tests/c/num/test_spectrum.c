#include "near.h"

#include "num/dist.h"
#include "num/moment.h"
#include "num/series.h"
#include "num/spectrum.h"

enum { N = 2161, SEGMENT = 256, MOST = 8 };
static double x[N], power[N], want[N], work[1 << 16];

/* White noise that remembers phi of the step before. */
static void make_noise(size_t n, uint64_t seed, double phi)
{
    struct pt_rng rng;
    double before = 0;
    pt_rng_seed(&rng, seed, 6);
    for (size_t i = 0; i < n; i++) x[i] = before = phi * before + 0.01 * pt_rng_normal(&rng);
}

static void test_segments_lie_half_over_each_other(void)
{
    const size_t cases[][4] = { { 2160, 256, 256, 15 }, { 2161, 256, 256, 15 },
                                { 2175, 256, 256, 15 }, { 2176, 256, 256, 16 },
                                { 256, 256, 256, 1 },   { 383, 256, 256, 1 },
                                { 384, 256, 256, 2 },   { 99, 256, 99, 1 },
                                { 1, 256, 1, 1 },       { 0, 256, 0, 0 },
                                { 10, 5, 5, 2 },        { 11, 5, 5, 3 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pt_segments got = pt_spectrum_segments(cases[i][0], cases[i][1]);
        CU_ASSERT(got.length == cases[i][2] && got.count == cases[i][3]);
    }
}

/* Welch, from the definition: sums of cosines and sines, nothing shared. */
static void plain_welch(size_t n, size_t length)
{
    size_t step = length - length / 2, count = (n - length / 2) / step;
    for (size_t k = 0; k <= length / 2; k++) {
        long double sum = 0, squares = 0;
        for (size_t s = 0; s < count; s++) {
            long double mean = 0, re = 0, im = 0;
            squares = 0;
            for (size_t t = 0; t < length; t++) mean += x[s * step + t] / (long double)length;
            for (size_t t = 0; t < length; t++) {
                long double angle = 2 * 3.14159265358979323846264338L / (long double)length;
                long double w = 0.5L - 0.5L * cosl(angle * (long double)t);
                long double v = (x[s * step + t] - mean) * w;
                re += v * cosl(angle * (long double)(k * t % length));
                im += v * sinl(angle * (long double)(k * t % length));
                squares += w * w;
            }
            sum += re * re + im * im;
        }
        want[k] = (double)(sum / squares / (long double)count);
        if (k > 0 && 2 * k != length) want[k] *= 2;
    }
}

static void test_welch_is_its_definition(void)
{
    const size_t cases[][2] = { { 600, 64 },  { 601, 64 }, { 500, 61 },
                                { 120, 120 }, { 97, 97 },  { 9, 2 } };
    make_noise(N, 1, 0.4);
    for (size_t i = 0; i < N; i++) x[i] += 5; /* a level that must not show */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = cases[i][0], length = cases[i][1];
        plain_welch(n, length);
        pt_spectrum_welch(x, pt_spectrum_segments(n, length), power, work);
        CU_ASSERT(near_all("power", power, want, length / 2 + 1, 1e-10, 1e-6));
    }
}

static void test_welch_equals_scipy(void)
{
    const size_t lengths[] = { 2161, 300, 77 };
    char name[32];
    CU_ASSERT_FATAL(golden("fft", "scattered", x, N) == N);
    for (size_t i = 0; i < 3; i++) {
        struct pt_segments segments = pt_spectrum_segments(lengths[i], SEGMENT);
        snprintf(name, sizeof name, "welch%zu", lengths[i]);
        CU_ASSERT_FATAL(golden("spectrum", name, want, N) == segments.length / 2 + 1);
        CU_ASSERT(pt_spectrum_room(segments.length) < sizeof work / sizeof *work);
        pt_spectrum_welch(x, segments, power, work);
        CU_ASSERT(near_all(name, power, want, segments.length / 2 + 1, 1e-12, 1e-8));
    }
}

static void test_noise_is_described_as_scipy_filters_it(void)
{
    double frequency[8], density[8];
    CU_ASSERT_FATAL(golden("fft", "scattered", x, N) == N);
    struct pt_ar1 noise = pt_spectrum_ar1(x, N);
    CU_ASSERT_FATAL(golden("spectrum", "ar1", want, N) == 2);
    CHECK_NEAR(noise.variance, want[0], 1e-13);
    CHECK_NEAR(noise.phi, want[1], 1e-12);
    CU_ASSERT_FATAL(golden("spectrum", "frequency", frequency, 8) == 5);
    CU_ASSERT_FATAL(golden("spectrum", "ar1_density", density, 8) == 5);
    for (size_t i = 0; i < 5; i++)
        CHECK_NEAR(pt_spectrum_ar1_density(noise, frequency[i]), density[i], 1e-12);
}

static void test_density_holds_the_whole_variance(void)
{
    struct pt_ar1 noise = { 2.5, -0.3 };
    double sum = 0;
    for (int i = 0; i < 1000; i++) sum += pt_spectrum_ar1_density(noise, (i + 0.5) / 2000) / 2000;
    CHECK_NEAR(sum, 2.5, 1e-12);
}

static void test_cycles_are_peaks_against_their_bound(void)
{
    struct pt_cycle got[MOST];
    make_noise(N, 2, 0.5);
    for (size_t i = 0; i < N; i++) x[i] += 0.02 * sin(2 * M_PI * (double)i / 24);
    struct pt_segments segments = pt_spectrum_segments(N, SEGMENT);
    pt_spectrum_welch(x, segments, power, work);
    size_t found = pt_spectrum_cycles(x, N, SEGMENT, MOST, got, work);
    CU_ASSERT_FATAL(found == MOST);
    CU_ASSERT(fabs(got[0].period - 24) < 0.2 && got[0].p < 1e-10 && got[0].power > 5);

    struct pt_ar1 noise = pt_spectrum_ar1(x, N);
    double k = (double)segments.count, freedom = 36 * k * k / (19 * k - 1), last = INFINITY;
    for (size_t i = 0; i < found; i++) {
        /* the highest peak that is lower than the one before, by the definition */
        size_t best = 0;
        for (size_t b = 1; b < 128; b++) { /* 256 / 1 is below N / 4: all bins are searched */
            bool peak = power[b] > power[b - 1] && power[b] >= power[b + 1];
            if (peak && power[b] < last && (best == 0 || power[b] > power[best])) best = b;
        }
        last = power[best];
        CHECK_NEAR(got[i].density, last, 0);
        double l = log(power[best - 1]), m = log(last), r = log(power[best + 1]);
        CHECK_NEAR(got[i].period, 256 / ((double)best + (l - r) / (2 * (l - 2 * m + r))), 1e-12);
        double share = last / pt_spectrum_ar1_density(noise, (double)best / 256);
        CHECK_NEAR(got[i].power, share, 1e-12);
        CHECK_NEAR(got[i].p, fmin(1, 127 * pt_dist_chi2_sf(freedom * share, freedom)), 1e-9);
    }
    for (size_t most = 0; most < MOST; most++) { /* fewer are the first of them */
        struct pt_cycle few[MOST];
        CU_ASSERT(pt_spectrum_cycles(x, N, SEGMENT, most, few, work) == most);
        CU_ASSERT(memcmp(few, got, most * sizeof *few) == 0);
    }
}

static void test_only_periods_seen_four_times_are_searched(void)
{
    struct pt_cycle got[MOST];
    for (size_t n = 101; n <= 300; n++) {
        make_noise(n, n, 0.9);
        size_t found = pt_spectrum_cycles(x, n, SEGMENT, MOST, got, work);
        size_t length = n < SEGMENT ? n : SEGMENT;
        for (size_t i = 0; i < found; i++) {
            /* the bin's own period is in bounds; the parabola moves it by half a bin at most */
            double bin = (double)length / got[i].period;
            CU_ASSERT(got[i].period > 2 && bin >= 4 * (double)length / (double)n - 0.5);
            CU_ASSERT(got[i].p >= 0 && got[i].p <= 1);
        }
    }
}

static void test_a_sine_of_24_in_noise_is_found_at_24(void)
{
    for (uint64_t draw = 0; draw < 50; draw++) {
        struct pt_cycle got[1];
        make_noise(2160, 1000 + draw, 0);
        for (size_t i = 0; i < 2160; i++)
            x[i] += 0.006 * sin(2 * M_PI * (double)i / 24 + (double)draw);
        CU_ASSERT(pt_spectrum_cycles(x, 2160, SEGMENT, 1, got, work) == 1);
        CU_ASSERT(floor(got[0].period + 0.5) == 24 && got[0].p < 0.01);
    }
}

static void test_noise_shows_no_cycle_more_often_than_it_says(void)
{
    const double memory[] = { 0, 0.5, -0.5, 0.8 };
    for (size_t m = 0; m < 4; m++) {
        int alarms = 0;
        for (uint64_t draw = 0; draw < 200; draw++) {
            struct pt_cycle got[1];
            make_noise(2048, 2000 + draw, memory[m]);
            alarms += pt_spectrum_cycles(x, 2048, SEGMENT, 1, got, work) == 1 && got[0].p < 0.01;
        }
        if (alarms > 4) printf("\n  phi %g: %d of 200\n", memory[m], alarms);
        CU_ASSERT(alarms <= 4);
    }
}

static void test_too_little_gives_nothing(void)
{
    struct pt_cycle got[MOST];
    make_noise(N, 3, 0);
    for (size_t n = 0; n < 8; n++)
        CU_ASSERT(pt_spectrum_cycles(x, n, SEGMENT, MOST, got, work) == 0);
    for (size_t i = 0; i < N; i++) x[i] = 0.25;
    CU_ASSERT(pt_spectrum_cycles(x, N, SEGMENT, MOST, got, work) == 0);
    CU_ASSERT(isnan(pt_spectrum_ar1(x, N).phi) && pt_spectrum_room(0) == 0);
    make_noise(N, 3, 0);
    x[1000] = NAN;
    CU_ASSERT(pt_spectrum_cycles(x, N, SEGMENT, MOST, got, work) == 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "segments lie half over each other", test_segments_lie_half_over_each_other },
        { "Welch is its definition", test_welch_is_its_definition },
        { "Welch equals scipy", test_welch_equals_scipy },
        { "noise is described as scipy filters it", test_noise_is_described_as_scipy_filters_it },
        { "density holds the whole variance", test_density_holds_the_whole_variance },
        { "cycles are peaks against their bound", test_cycles_are_peaks_against_their_bound },
        { "only periods seen four times are searched",
          test_only_periods_seen_four_times_are_searched },
        { "a sine of 24 in noise is found at 24", test_a_sine_of_24_in_noise_is_found_at_24 },
        { "noise shows no cycle more often than it says",
          test_noise_shows_no_cycle_more_often_than_it_says },
        { "too little gives nothing", test_too_little_gives_nothing },
        CU_TEST_INFO_NULL,
    };
    return pt_suite_main("spectrum", tests);
}
