#include "near.h"

#include "num/fft.h"

enum { MOST = 8640 };
static struct pt_complex in[MOST], out[MOST], again[MOST];
static double x[MOST];

static void make_noise(size_t n, uint64_t seed)
{
    struct pt_rng rng;
    pt_rng_seed(&rng, seed, 5);
    for (size_t i = 0; i < n; i++) {
        in[i] = (struct pt_complex){ pt_rng_normal(&rng), pt_rng_normal(&rng) };
        x[i] = in[i].re;
    }
}

static void run(const struct pt_complex *from, size_t n, struct pt_complex *to)
{
    struct pt_fft fft;
    struct pt_complex *room = malloc(pt_fft_room(n) * sizeof *room);
    CU_ASSERT_FATAL(room != NULL);
    pt_fft_init(&fft, n, room);
    pt_fft_run(&fft, from, to);
    free(room);
}

static void run_real(const double *from, size_t n, struct pt_complex *to)
{
    struct pt_fft_real fft;
    struct pt_complex *room = malloc(pt_fft_real_room(n) * sizeof *room);
    CU_ASSERT_FATAL(room != NULL);
    pt_fft_real_init(&fft, n, room);
    pt_fft_real_run(&fft, from, to);
    free(room);
}

/* Largest distance of out[0 .. bins) from the definition / largest bin of it; only every stride-th
 * bin. */
static double off(const struct pt_complex *from, size_t n, const struct pt_complex *got,
                  size_t bins, size_t stride)
{
    static long double turns[MOST][2];
    long double worst = 0, largest = 0;
    for (size_t k = 0; k < n; k++) {
        turns[k][0] = cosl(-2 * 3.14159265358979323846264338L * (long double)k / (long double)n);
        turns[k][1] = sinl(-2 * 3.14159265358979323846264338L * (long double)k / (long double)n);
    }
    for (size_t k = 0; k < bins; k += stride) {
        long double re = 0, im = 0;
        for (size_t t = 0; t < n; t++) {
            const long double *turn = turns[k * t % n];
            re += from[t].re * turn[0] - from[t].im * turn[1];
            im += from[t].re * turn[1] + from[t].im * turn[0];
        }
        largest = fmaxl(largest, hypotl(re, im));
        worst = fmaxl(worst, hypotl(re - got[k].re, im - got[k].im));
    }
    return (double)(worst / largest);
}

static void check_length(size_t n, size_t stride, double tolerance)
{
    make_noise(n, n);
    run(in, n, out);
    double complex_off = off(in, n, out, n, stride);
    run_real(x, n, out);
    for (size_t i = 0; i < n; i++) in[i].im = 0;
    double real_off = off(in, n, out, n / 2 + 1, stride);
    bool good = complex_off <= tolerance && real_off <= tolerance;
    if (!good) printf("\n  length %zu: %g, real %g\n", n, complex_off, real_off);
    CU_ASSERT(good);
}

static void test_is_its_definition_at_every_short_length(void)
{
    for (size_t n = 1; n <= 256; n++) check_length(n, 1, 1e-15);
}

static void test_is_its_definition_at_long_lengths(void)
{
    /* 90 days of hours, its neighbours (2161 is a prime), 4096, primes at the border of the two
     * ways, a square and a product of large primes, a year's worth */
    const size_t lengths[] = { 2160, 2161, 2159, 4096, 961, 31 * 32, 37 * 32, 1369, 2173, 8640 };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        check_length(lengths[i], lengths[i] / 50, 1e-15);
}

static void test_equals_scipy(void)
{
    static double v[MOST], want[MOST];
    const size_t lengths[] = { 1, 2, 3, 5, 16, 97, 210, 248, 299, 300 };
    char name[32];
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t n = lengths[i];
        CU_ASSERT_FATAL(golden("input", "close", v, MOST) == 300);
        for (size_t t = 0; t < n; t++) v[t] -= 30000;
        snprintf(name, sizeof name, "close%zu", n);
        CU_ASSERT_FATAL(golden("fft", name, want, MOST) == 2 * (n / 2 + 1));
        run_real(v, n, out);
        CU_ASSERT(near_all(name, &out[0].re, want, 2 * (n / 2 + 1), 1e-13, 1e4));
    }
    CU_ASSERT_FATAL(golden("fft", "scattered", v, MOST) == 2161);
    for (size_t n = 2160; n <= 2161; n++) {
        snprintf(name, sizeof name, "scattered%zu", n);
        size_t bins = golden("fft", name, want, MOST) / 2;
        CU_ASSERT(bins == 55);
        run_real(v, n, out);
        for (size_t k = 0; k < bins; k++) out[k] = out[20 * k];
        CU_ASSERT(near_all(name, &out[0].re, want, 2 * bins, 1e-13, 0.1));
    }
}

static void test_a_pure_wave_is_one_bin(void)
{
    for (size_t n = 96; n <= 2161; n += 2065) { /* smooth and prime */
        for (size_t t = 0; t < n; t++)
            x[t] = 3 * cos(2 * M_PI * (double)(7 * t % n) / (double)n + 0.5);
        run_real(x, n, out);
        double half = 3 * (double)n / 2;
        CU_ASSERT(fabs(out[7].re - half * cos(0.5)) < 1e-12 * half);
        CU_ASSERT(fabs(out[7].im - half * sin(0.5)) < 1e-12 * half);
        for (size_t k = 0; k <= n / 2; k++)
            CU_ASSERT(k == 7 || hypot(out[k].re, out[k].im) < 1e-12 * half);
    }
}

static void test_energy_is_kept_and_the_way_back_is_the_way_forth(void)
{
    const size_t lengths[] = { 1, 2, 30, 37, 128, 1009, 2160, 2161 };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t n = lengths[i];
        double before = 0, after = 0;
        make_noise(n, 100 + n);
        run(in, n, out);
        for (size_t k = 0; k < n; k++) {
            before += in[k].re * in[k].re + in[k].im * in[k].im;
            after += (out[k].re * out[k].re + out[k].im * out[k].im) / (double)n;
        }
        CHECK_NEAR(after, before, 1e-14);
        run(out, n, again); /* twice: n times the series, backwards */
        for (size_t t = 0; t < n; t++) {
            struct pt_complex back = again[(n - t) % n];
            CU_ASSERT(fabs(back.re / (double)n - in[t].re) < 1e-14);
            CU_ASSERT(fabs(back.im / (double)n - in[t].im) < 1e-14);
        }
    }
}

static void test_a_plan_serves_again_with_the_same_bits(void)
{
    const size_t lengths[] = { 256, 299, 2161, 74 };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t n = lengths[i];
        struct pt_fft_real fft;
        struct pt_complex *room = malloc(pt_fft_real_room(n) * sizeof *room);
        CU_ASSERT_FATAL(room != NULL);
        pt_fft_real_init(&fft, n, room);
        make_noise(n, 7);
        pt_fft_real_run(&fft, x, out);
        make_noise(n, 8);
        pt_fft_real_run(&fft, x, again);
        CU_ASSERT(memcmp(out, again, (n / 2 + 1) * sizeof *out) != 0);
        make_noise(n, 7);
        pt_fft_real_run(&fft, x, again);
        CU_ASSERT(memcmp(out, again, (n / 2 + 1) * sizeof *out) == 0);
        free(room);
    }
}

static void test_a_missing_value_leaves_no_bin(void)
{
    for (size_t n = 60; n <= 61; n++) {
        make_noise(n, 9);
        x[17] = NAN;
        run_real(x, n, out);
        for (size_t k = 0; k <= n / 2; k++) CU_ASSERT(isnan(out[k].re + out[k].im));
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "is its definition at every length to 256",
          test_is_its_definition_at_every_short_length },
        { "is its definition at long lengths, primes too", test_is_its_definition_at_long_lengths },
        { "equals scipy", test_equals_scipy },
        { "a pure wave is one bin", test_a_pure_wave_is_one_bin },
        { "energy is kept and the way back is the way forth",
          test_energy_is_kept_and_the_way_back_is_the_way_forth },
        { "a plan serves again with the same bits", test_a_plan_serves_again_with_the_same_bits },
        { "a missing value leaves no bin", test_a_missing_value_leaves_no_bin },
        CU_TEST_INFO_NULL,
    };
    return pt_suite_main("fft", tests);
}
