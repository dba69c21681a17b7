#include "base/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

/* A value with at most 8 digits behind the point and 15 in all, as nearly every price and volume,
 * is found without printf: if the nearest multiple of 10^-scale divides back to x, its digits are
 * the shortest, because two different decimals of up to 15 digits never share a double. So is a
 * whole number below 2^53, because its neighbours of fewer digits are doubles of their own. */
static size_t print_short(double x, char *out)
{
    static const double ten_to[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8 };
    double size = fabs(x);
    if (size >= 0x1p53) return 0;
    int64_t mantissa = (int64_t)x;
    if ((double)mantissa == x) return pt_dec_print(mantissa, 0, out);
    unsigned scale = 8;
    for (double limit = 1e7; size >= limit && scale > 0; limit *= 10) scale--;
    double scaled = nearbyint(x * ten_to[scale]);
    if (scale == 0 || scaled / ten_to[scale] != x) return 0;
    mantissa = (int64_t)scaled;
    while (mantissa % 10 == 0) { /* ends: x is no whole number, so neither is its last digit 0 */
        mantissa /= 10;
        scale--;
    }
    return pt_dec_print(mantissa, pt_digits(scale, 0), out);
}

/* "d.ddde-xx" as %e writes it: the digits without point and trailing zeros, and the exponent. */
struct sci {
    char digit[20];
    int count, exponent;
    bool negative;
};

static bool read_back(const char *text, struct sci *sci)
{
    const char *p = text;
    sci->negative = *p == '-';
    if (sci->negative) p++;
    sci->count = 0;
    for (; *p != 'e'; p++) {
        /* a '.' or a locale's own sign: whatever is no digit */
        if (*p >= '0' && *p <= '9') sci->digit[sci->count++] = *p;
        if (*p == '\0') return false;
    }
    sci->exponent = (int)strtol(p + 1, NULL, 10);
    while (sci->count > 1 && sci->digit[sci->count - 1] == '0') sci->count--;
    return true;
}

/* Just above a power of two the doubles lie twice as far apart as below it. There the nearest
 * decimal of 16 digits may read back as the neighbour below while the next decimal up reads back as
 * x. */
static bool next_up(char *text)
{
    char *e = strchr(text, 'e');
    for (char *p = e - 1; p >= text; p--) {
        if (*p < '0' || *p > '9') continue;
        if (*p != '9') {
            ++*p;
            return true;
        }
        *p = '0';
    }
    return false; /* 9.99...: then fewer digits would have done */
}

static u128 ten_to(int q) /* 0 .. 22 */
{
    static const uint64_t low[] = {
        UINT64_C(1),         UINT64_C(10),         UINT64_C(100),         UINT64_C(1000),
        UINT64_C(10000),     UINT64_C(100000),     UINT64_C(1000000),     UINT64_C(10000000),
        UINT64_C(100000000), UINT64_C(1000000000), UINT64_C(10000000000), UINT64_C(100000000000),
    };
    return q <= 11 ? low[q] : (u128)low[11] * low[q - 11];
}

/* The decimal of `count` digits nearest to m / 2^s, as D / 10^q: ties go to the even D, as printf
 * has it. True when it reads back: it is nearer to x than half the way to the next double. */
static bool nearest(uint64_t m, int s, int q, uint64_t *decimal)
{
    u128 exact = m * ten_to(q), whole = exact >> s, rest = exact - (whole << s);
    u128 half = (u128)1 << (s - 1);
    if (rest > half || (rest == half && (whole & 1) == 1)) whole++;
    u128 nearer = whole << s;
    u128 off = 2 * (nearer > exact ? nearer - exact : exact - nearer);
    *decimal = (uint64_t)whole;
    return off < ten_to(q) || (off == ten_to(q) && (m & 1) == 0);
}

/* Most doubles that are results lie in [1e-5, 1e15). There x is m / 2^s with a product m 10^q that
 * fits 128 bits, so the shortest digits are found exactly, without printf and strtod. 0: x lies
 * outside, or is whole (print_short has it), or a power of two, below which doubles lie closer. */
static size_t print_exact(double x, char *out)
{
    static const double limits[] = { 1e-4, 1e-3, 1e-2, 1e-1, 1e0,  1e1,  1e2,  1e3,  1e4, 1e5,
                                     1e6,  1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14 };
    double size = fabs(x);
    uint64_t bits, decimal = 0;
    if (!(size >= 1e-5 && size < 1e15)) return 0;
    memcpy(&bits, &size, sizeof bits);
    uint64_t m = (bits & UINT64_C(0xfffffffffffff)) | UINT64_C(1) << 52;
    int s = 1075 - (int)(bits >> 52);
    if (m == UINT64_C(1) << 52) return 0;
    /* x in [10^exponent, 10^(exponent + 1)), by the power of two: log10(2) = 0.30103 */
    int exponent = (int)floor((52 - s) * 0.30103);
    if (exponent < -5) exponent = -5;
    if (exponent < 14 && size >= limits[exponent + 5]) exponent++;
    int q = 14 - exponent; /* for 15 digits */
    /* limits below 1 are rounded: where one is too low, x may be it, and one digit is missing */
    if (m * ten_to(q + 2) >> s < ten_to(16)) q++;
    for (int last = q + 2; !nearest(m, s, q, &decimal) && q < last; q++) continue;
    while (q > 0 && decimal % 10 == 0) {
        decimal /= 10;
        q--;
    }
    int64_t mantissa = (int64_t)decimal;
    return pt_dec_print(x < 0 ? -mantissa : mantissa, pt_digits((unsigned)q, 0), out);
}

static void shortest(double x, struct sci *sci)
{
    char text[40];
    int exponent;
    bool subnormal = fabs(x) < 0x1p-1022;
    for (int count = subnormal ? 1 : 15; count <= 17; count++) {
        snprintf(text, sizeof text, "%.*e", count - 1, x);
        if (strtod(text, NULL) == x) break;
        if (!subnormal && count == 16 && fabs(frexp(x, &exponent)) == 0.5 && next_up(text) &&
            strtod(text, NULL) == x)
            break;
    }
    read_back(text, sci);
}

size_t pt_double_print(double x, char *out)
{
    if (x == 0) {
        memcpy(out, "0", 2);
        return 1;
    }
    size_t len = print_short(x, out);
    if (len == 0) len = print_exact(x, out);
    if (len > 0) return len;
    struct sci sci = { .count = 0 };
    shortest(x, &sci);
    char *p = out;
    if (sci.negative) *p++ = '-';
    int whole = sci.exponent + 1; /* digits before the point */
    if (whole <= 0) {
        *p++ = '0';
        *p++ = '.';
        memset(p, '0', (size_t)-whole);
        p -= whole;
        memcpy(p, sci.digit, (size_t)sci.count);
        p += sci.count;
    } else if (whole >= sci.count) {
        memcpy(p, sci.digit, (size_t)sci.count);
        p += sci.count;
        memset(p, '0', (size_t)(whole - sci.count));
        p += whole - sci.count;
    } else {
        memcpy(p, sci.digit, (size_t)whole);
        p += whole;
        *p++ = '.';
        memcpy(p, sci.digit + whole, (size_t)(sci.count - whole));
        p += sci.count - whole;
    }
    *p = '\0';
    return (size_t)(p - out);
}
