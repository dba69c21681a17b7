/* test_lanes.c - every path of the inner loops that this machine has gives the bits of the
 * definition. */
#include "kit.h"

#include "store/lanes.h"

#include <math.h>

enum { N = 1027 };

static uint8_t packed[8 * N + 1];
static int64_t want_ints[N], got_ints[N];
static double want[N], got[N];

static bool same(const double *a, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (memcmp(&a[i], &b[i], sizeof *a) != 0 && !(isnan(a[i]) && isnan(b[i]))) return false;
    }
    return true;
}

/* Packs random deltas of a width at an odd address; some are the greatest one. */
static void make(unsigned width, uint64_t *seed)
{
    for (size_t i = 0; i < N; i++) {
        uint64_t delta = kit_random(seed);
        if (delta % 9 == 0) delta = UINT64_MAX;
        if (delta % 9 == 1) delta = delta >> 20 & 7;
        memcpy(packed + 1 + i * width, &delta, width);
    }
}

static uint64_t delta_at(unsigned width, size_t i)
{
    uint64_t delta = 0;
    memcpy(&delta, packed + 1 + i * width, width);
    return delta;
}

static void test_integers_are_base_and_delta(void)
{
    static const unsigned widths[] = { 1, 2, 4 };
    uint64_t seed = 3;
    for (unsigned p = 0; p < PT_LANES_PATHS; p++) {
        const struct pt_lanes *lanes = pt_lanes_path(p);
        for (int round = 0; lanes && round < 60; round++) {
            unsigned width = widths[round % 3];
            uint64_t base = kit_random(&seed), top = (UINT64_C(1) << 8 * width) - 1;
            bool missing = round % 2;
            make(width, &seed);
            for (size_t i = 0; i < N; i++) {
                uint64_t delta = delta_at(width, i);
                want_ints[i] = missing && delta == top ? PT_MISSING : (int64_t)(base + delta);
            }
            lanes->ints(packed + 1, N, width, base, missing, got_ints);
            CU_ASSERT_EQUAL(memcmp(want_ints, got_ints, sizeof got_ints), 0);
        }
    }
}

static void test_doubles_are_rounded_once(void)
{
    static const unsigned widths[] = { 1, 2, 4 };
    static const int64_t bases[] = {
        0, 1, -1, 12345678901, -98765432109, PT_LANES_BASE_MAX, -PT_LANES_BASE_MAX
    };
    uint64_t seed = 4;
    unsigned paths = 0;
    for (unsigned p = 0; p < PT_LANES_PATHS; p++) {
        const struct pt_lanes *lanes = pt_lanes_path(p);
        paths += lanes != NULL;
        for (unsigned scale = 0; lanes && scale <= 18; scale++) {
            for (int round = 0; round < 42; round++) {
                unsigned width = widths[round % 3];
                int64_t base = bases[round % 7];
                uint64_t top = (UINT64_C(1) << 8 * width) - 1;
                bool missing = round >= 21;
                make(width, &seed);
                for (size_t i = 0; i < N; i++) {
                    int64_t v = base + (int64_t)delta_at(width, i);
                    if (missing && delta_at(width, i) == top) v = PT_MISSING;
                    want[i] = pt_dec_double(v, pt_digits(scale, 0));
                }
                double power = pow(10, scale); /* exact up to 10^22 */
                lanes->doubles(packed + 1, N, width, base, missing, power, got);
                CU_ASSERT_TRUE(same(want, got, N));
            }
        }
    }
    CU_ASSERT_TRUE(paths >= 1);
    CU_ASSERT_PTR_NOT_NULL(pt_lanes());
}

static void test_whole_mantissas_are_rounded_once(void)
{
    uint64_t seed = 5;
    for (unsigned p = 0; p < PT_LANES_PATHS; p++) {
        const struct pt_lanes *lanes = pt_lanes_path(p);
        for (unsigned scale = 0; lanes && scale <= 18; scale++) {
            for (unsigned bits = 20; bits <= 52; bits += 8) {
                for (size_t i = 0; i < N; i++) {
                    int64_t v = (int64_t)(kit_random(&seed) >> (64 - bits + 1));
                    if (kit_random(&seed) & 1) v = -v;
                    memcpy(packed + 1 + 8 * i, &v, sizeof v);
                    want[i] = pt_dec_double(v, pt_digits(scale, 0));
                }
                CU_ASSERT_TRUE(lanes->whole(packed + 1, N, pow(10, scale), got));
                CU_ASSERT_TRUE(same(want, got, N));
            }
            int64_t big[] = { PT_LANES_BASE_MAX, -PT_LANES_BASE_MAX - 1, INT64_MAX, PT_MISSING };
            for (int k = 0; k < 4; k++) { /* one that is too big is noticed wherever it stands */
                size_t at = kit_random(&seed) % N;
                int64_t small = 1;
                memcpy(packed + 1 + 8 * at, &big[k], 8);
                CU_ASSERT_FALSE(lanes->whole(packed + 1, N, pow(10, scale), got));
                memcpy(packed + 1 + 8 * at, &small, 8);
            }
        }
    }
}

static CU_TestInfo tests[] = {
    { "integers are base and delta on every path", test_integers_are_base_and_delta },
    { "doubles are rounded once on every path", test_doubles_are_rounded_once },
    { "whole mantissas are rounded once on every path", test_whole_mantissas_are_rounded_once },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("store/lanes", tests);
}
