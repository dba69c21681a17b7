/* lanes.c - integers and doubles out of packed deltas.                         [layer: store]
 *
 * Integer to double without a conversion instruction (there is none for int64 before AVX-512): the
 * bits 0x433 << 52 | delta are the double 2^52 + delta; less 2^52 - base that is base + delta, and
 * all three are integers below 2^53, so nothing is rounded.
 *
 * x / 10^k must round once. Division does, but is slow; wide paths multiply by the inverse y =
 * RN(10^-k) and correct the quotient twice with fused multiply-adds, q += (x - q * 10^k) * y. The
 * remainder is exact: it is a multiple of ulp(q) * ulp(10^k) that needs few bits, as 10^k = 2^k 5^k
 * has at most 42. The first correction brings q within one ulp, the second then rounds correctly
 * (P. Markstein, Computation of elementary functions on the IBM RISC System/6000 processor, IBM J.
 * Res. Dev. 34, 1990, theorem on division). */
#include "store/lanes.h"

#include "base/decimal.h"

#include <math.h>
#include <string.h>

#define BODY static inline __attribute__((always_inline))
#define TWO_52 4503599627370496.0

BODY double quotient(double x, double power, double inverse, bool fused)
{
    if (!fused) return x / power;
    double q = x * inverse;
    q = __builtin_fma(__builtin_fma(-q, power, x), inverse, q);
    return __builtin_fma(__builtin_fma(-q, power, x), inverse, q);
}

#define LOOPS(type)                                                                                \
    BODY void ints_##type(const uint8_t *in, size_t n, uint64_t base, int64_t *restrict out)       \
    {                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                           \
            type delta;                                                                            \
            memcpy(&delta, in + i * sizeof delta, sizeof delta);                                   \
            out[i] = (int64_t)(base + delta);                                                      \
        }                                                                                          \
    }                                                                                              \
    BODY void ints_missing_##type(const uint8_t *in, size_t n, uint64_t base,                      \
                                  int64_t *restrict out)                                           \
    {                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                           \
            type delta;                                                                            \
            memcpy(&delta, in + i * sizeof delta, sizeof delta);                                   \
            out[i] = delta == (type)-1 ? PT_MISSING : (int64_t)(base + delta);                     \
        }                                                                                          \
    }                                                                                              \
    BODY void doubles_##type(const uint8_t *in, size_t n, double shift, double power,              \
                             bool missing, bool fused, double *restrict out)                       \
    {                                                                                              \
        double inverse = 1 / power;                                                                \
        for (size_t i = 0; i < n; i++) {                                                           \
            type delta;                                                                            \
            double x;                                                                              \
            memcpy(&delta, in + i * sizeof delta, sizeof delta);                                   \
            uint64_t bits = UINT64_C(0x433) << 52 | delta;                                         \
            memcpy(&x, &bits, sizeof x);                                                           \
            x = quotient(x - shift, power, inverse, fused);                                        \
            out[i] = missing && delta == (type)-1 ? (double)NAN : x;                               \
        }                                                                                          \
    }
LOOPS(uint8_t)
LOOPS(uint16_t)
LOOPS(uint32_t)

BODY void ints_body(const uint8_t *in, size_t n, unsigned width, uint64_t base, bool missing,
                    int64_t *out)
{
    if (width == 1 && missing) ints_missing_uint8_t(in, n, base, out);
    if (width == 2 && missing) ints_missing_uint16_t(in, n, base, out);
    if (width == 4 && missing) ints_missing_uint32_t(in, n, base, out);
    if (width == 1 && !missing) ints_uint8_t(in, n, base, out);
    if (width == 2 && !missing) ints_uint16_t(in, n, base, out);
    if (width == 4 && !missing) ints_uint32_t(in, n, base, out);
}

BODY void doubles_body(const uint8_t *in, size_t n, unsigned width, int64_t base, bool missing,
                       double power, bool fused, double *out)
{
    double shift = TWO_52 - (double)base;
    if (width == 1 && missing) doubles_uint8_t(in, n, shift, power, true, fused, out);
    if (width == 2 && missing) doubles_uint16_t(in, n, shift, power, true, fused, out);
    if (width == 4 && missing) doubles_uint32_t(in, n, shift, power, true, fused, out);
    if (width == 1 && !missing) doubles_uint8_t(in, n, shift, power, false, fused, out);
    if (width == 2 && !missing) doubles_uint16_t(in, n, shift, power, false, fused, out);
    if (width == 4 && !missing) doubles_uint32_t(in, n, shift, power, false, fused, out);
}

/* 0x4338 << 48 are the bits of 2^52 + 2^51: adding a value of either sign below 2^51 stays within
 * it. */
BODY bool whole_body(const uint8_t *in, size_t n, double power, bool fused, double *restrict out)
{
    const uint64_t half = PT_LANES_BASE_MAX;
    double inverse = 1 / power;
    uint64_t high = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t v;
        double x;
        memcpy(&v, in + i * sizeof v, sizeof v);
        high |= v + half;
        uint64_t bits = v + (UINT64_C(0x4338) << 48);
        memcpy(&x, &bits, sizeof x);
        out[i] = quotient(x - 1.5 * TWO_52, power, inverse, fused);
    }
    return high < half << 1;
}

#define PATH(path, target, fused)                                                                  \
    target static void ints_##path(const uint8_t *in, size_t n, unsigned width, uint64_t base,     \
                                   bool missing, int64_t *out)                                     \
    {                                                                                              \
        ints_body(in, n, width, base, missing, out);                                               \
    }                                                                                              \
    target static void doubles_##path(const uint8_t *in, size_t n, unsigned width, int64_t base,   \
                                      bool missing, double power, double *out)                     \
    {                                                                                              \
        doubles_body(in, n, width, base, missing, power, fused, out);                              \
    }                                                                                              \
    target static bool whole_##path(const uint8_t *in, size_t n, double power, double *out)        \
    {                                                                                              \
        return whole_body(in, n, power, fused, out);                                               \
    }

PATH(base, , false)
#if defined(__x86_64__)
PATH(avx2, __attribute__((target("avx2,fma"))), true)
PATH(avx512, __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,fma"))), true)
#endif

static const struct pt_lanes paths[PT_LANES_PATHS] = {
    { "base", ints_base, doubles_base, whole_base },
#if defined(__x86_64__)
    { "avx2", ints_avx2, doubles_avx2, whole_avx2 },
    { "avx512", ints_avx512, doubles_avx512, whole_avx512 },
#endif
};

static bool machine_has(unsigned i)
{
#if defined(__x86_64__)
    if (i == 1) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (i == 2)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#endif
    return i == 0;
}

const struct pt_lanes *pt_lanes_path(unsigned i)
{
    return i < PT_LANES_PATHS && machine_has(i) ? &paths[i] : NULL;
}

const struct pt_lanes *pt_lanes(void)
{
    unsigned i = PT_LANES_PATHS - 1;
    while (!machine_has(i)) i--; /* a few tests of a word that libgcc filled at start */
    return &paths[i];
}
