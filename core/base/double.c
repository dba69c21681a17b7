#include "base/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
