#include "base/decimal.h"

#include <string.h>

__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 i128;

#define SCALE_MAX 18u
#define PAD_MAX 7u
#define DIGITS_MAX 19u /* of an int64 */

static const uint64_t pow10u[] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
    UINT64_C(1000000000000000000),
    UINT64_C(10000000000000000000),
};

/* ---- Parsing ----
 *
 * Files are mostly numbers, so the common number (plain digits with at most one point, no more than
 * 16 characters behind the sign) is read without a loop. Its characters are laid right-aligned into
 * a window of 16 bytes, first character lowest, '0' already subtracted by xor:
 *
 *     text "29278.41"      lo 0 0 0 0 0 0 0 0   hi 2 9 2 7 8 . 4 1
 *     point squeezed out   lo 0 0 0 0 0 0 0 0   hi 0 2 9 2 7 8 4 1
 *
 * and each half becomes a number by three multiplications (the well-known SWAR reading of eight
 * digits). Anything that is not a digit shows as a flag bit in its byte: none is an integer, one
 * that is a point is a decimal, all the rest goes to the slow reader, which alone decides about
 * errors. */

#define ONES UINT64_C(0x0101010101010101)
#define HIGH (0x80 * ONES)
#define POINT ('.' ^ '0')

static inline uint64_t load8(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v ^ (0x30 * ONES);
}

static inline uint64_t load4(const char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v ^ UINT32_C(0x30303030);
}

/* Flag bit (the byte's highest) where x is not 0..9. A carry out of a byte >= 0x80 may flag its
 * neighbour too; then the slow reader looks. */
static inline uint64_t not_digits(uint64_t x)
{
    return ((x + 0x76 * ONES) | x) & HIGH;
}

static inline uint64_t eight_digits(uint64_t x)
{
    const uint64_t pair = UINT64_C(0x000000ff000000ff);
    x = x * 10 + (x >> 8);
    return ((x & pair) * UINT64_C(0x000f424000000064) +
            ((x >> 16) & pair) * UINT64_C(0x0000271000000001)) >>
           32;
}

/* Removes the flagged byte, moving those before it (the lower ones) up; `in` fills the lowest. */
static inline uint64_t squeeze(uint64_t x, uint64_t flag, uint64_t in)
{
    uint64_t before = (flag >> 7) - 1;
    return (x & -(flag << 1)) | (x & before) << 8 | in;
}

static inline bool lone_point(uint64_t x, uint64_t flag, unsigned *byte)
{
    unsigned bit = (unsigned)__builtin_ctzll(flag);
    *byte = bit >> 3;
    return (flag & (flag - 1)) == 0 && ((x >> (bit - 7)) & 0xff) == POINT;
}

/* 1..16 characters. Returns how many of them are digits; 0: let the slow reader decide.
 * scale: digits after the point. */
static inline size_t parse_window(const char *text, size_t len, uint64_t *value, unsigned *scale)
{
    uint64_t lo = 0, hi = 0;
    if (len > 8) {
        hi = load8(text + len - 8);
        lo = load8(text) << (8 * (16 - len));
    } else if (len >= 4) {
        hi = load4(text) << (8 * (8 - len)) | load4(text + len - 4) << 32;
    } else {
        for (size_t i = 0; i < len; i++) {
            hi |= (uint64_t)((unsigned char)text[i] ^ 0x30u) << (8 * (8 - len + i));
        }
    }
    uint64_t bad_hi = not_digits(hi), bad_lo = not_digits(lo);
    unsigned byte;
    size_t count = len;
    *scale = 0;
    if (bad_hi != 0) {
        if (bad_lo != 0 || !lone_point(hi, bad_hi, &byte) || len == 1) return 0;
        count--;
        hi = squeeze(hi, bad_hi, lo >> 56);
        lo <<= 8;
        *scale = 7 - byte;
    } else if (bad_lo != 0) {
        if (!lone_point(lo, bad_lo, &byte)) return 0;
        count--;
        lo = squeeze(lo, bad_lo, 0);
        *scale = 15 - byte;
    }
    *value = eight_digits(lo) * UINT64_C(100000000) + eight_digits(hi);
    return count;
}

/* Text taken apart: up to 26 significant digits, how many there were, how many stand behind the
 * point once the exponent is applied. */
struct parts {
    unsigned char digit[DIGITS_MAX + PAD_MAX];
    size_t count;
    int64_t after_point;
    bool negative;
};

#define EXPONENT_CAP INT64_C(1000000000000000) /* far outside any text, far inside int64 */

static bool take_apart(const char *text, size_t len, struct parts *parts)
{
    const char *p = text, *end = text + len;
    bool any = false, point = false;
    *parts = (struct parts){ .negative = false };
    if (p < end && (*p == '-' || *p == '+')) parts->negative = *p++ == '-';
    for (; p < end; p++) {
        if (*p == '.' && !point) {
            point = true;
            continue;
        }
        if (*p < '0' || *p > '9') break;
        any = true;
        parts->after_point += point;
        if (parts->count == 0 && *p == '0') continue;
        if (parts->count < sizeof parts->digit)
            parts->digit[parts->count] = (unsigned char)(*p - '0');
        parts->count++;
    }
    if (!any) return false;
    if (p == end) return true;
    if (*p != 'e' && *p != 'E') return false;
    p++;
    bool down = false;
    if (p < end && (*p == '-' || *p == '+')) down = *p++ == '-';
    if (p == end) return false;
    int64_t exponent = 0;
    for (; p < end; p++) {
        if (*p < '0' || *p > '9') return false;
        if (exponent < EXPONENT_CAP) exponent = exponent * 10 + (*p - '0');
    }
    parts->after_point += down ? exponent : -exponent;
    return true;
}

static enum pt_code parse_slow(const char *text, size_t len, int64_t *mantissa, uint8_t *digits)
{
    struct parts parts;
    if (!take_apart(text, len, &parts)) return PT_EINVAL;
    int64_t after = parts.after_point;
    if (parts.count == 0) { /* zero keeps its digits behind the point */
        if (after < 0) after = 0;
        if (after > SCALE_MAX + PAD_MAX) return PT_ERANGE;
        unsigned scale = after > SCALE_MAX ? SCALE_MAX : (unsigned)after;
        *mantissa = 0;
        *digits = pt_digits(scale, (unsigned)after - scale);
        return PT_OK;
    }
    if (parts.count > sizeof parts.digit || after > SCALE_MAX + PAD_MAX) return PT_ERANGE;
    unsigned count = (unsigned)parts.count;
    if (after < 0) { /* 12e3: the zeros before the point are digits of the mantissa */
        if (count - after > DIGITS_MAX) return PT_ERANGE;
        unsigned zeros = (unsigned)-after;
        memset(parts.digit + count, 0, zeros);
        count += zeros;
        after = 0;
    }
    /* drop as few trailing zeros as make it fit */
    unsigned drop = after > SCALE_MAX ? (unsigned)after - SCALE_MAX : 0;
    if (count > DIGITS_MAX + drop) drop = count - DIGITS_MAX;
    unsigned zeros = 0;
    while (zeros < count && parts.digit[count - 1 - zeros] == 0) zeros++;
    for (; drop <= PAD_MAX && drop <= zeros && drop <= after; drop++) {
        uint64_t value = 0;
        for (unsigned i = 0; i + drop < count; i++) value = value * 10 + parts.digit[i];
        if (value > INT64_MAX) continue;
        *mantissa = parts.negative ? -(int64_t)value : (int64_t)value;
        *digits = pt_digits((unsigned)after - drop, drop);
        return PT_OK;
    }
    return PT_ERANGE;
}

enum pt_code pt_dec_parse(const char *text, size_t len, int64_t *mantissa, uint8_t *digits)
{
    if (len == 0) return PT_EINVAL;
    bool negative = text[0] == '-';
    const char *body = text + negative;
    size_t n = len - negative;
    uint64_t value, head = 0;
    unsigned scale;
    if (n - 1 < 16) {
        if (parse_window(body, n, &value, &scale) == 0)
            return parse_slow(text, len, mantissa, digits);
    } else if (n - 17 < 3) { /* 17..19 characters: up to three digits stand before the window */
        size_t extra = n - 16;
        for (size_t i = 0; i < extra; i++) {
            unsigned digit = (unsigned char)body[i] ^ 0x30u;
            if (digit > 9) return parse_slow(text, len, mantissa, digits);
            head = head * 10 + digit;
        }
        size_t count = parse_window(body + extra, 16, &value, &scale);
        if (count == 0 || extra + count > 18) return parse_slow(text, len, mantissa, digits);
        value += head * pow10u[count];
    } else {
        return parse_slow(text, len, mantissa, digits);
    }
    *mantissa = negative ? -(int64_t)value : (int64_t)value;
    *digits = pt_digits(scale, 0);
    return PT_OK;
}

/* ---- Printing ---- */

static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233"
                            "34353637383940414243444546474849505152535455565758596061626364656667"
                            "6869707172737475767778798081828384858687888990919293949596979899";

/* Writes v so that it ends before `end`; returns its start. */
static char *digits_before(uint64_t v, char *end)
{
    while (v >= 100) {
        end -= 2;
        memcpy(end, pairs + 2 * (v % 100), 2);
        v /= 100;
    }
    if (v >= 10) {
        end -= 2;
        memcpy(end, pairs + 2 * v, 2);
    } else {
        *--end = (char)('0' + v);
    }
    return end;
}

size_t pt_dec_print(int64_t mantissa, uint8_t digits, char *out)
{
    if (mantissa == PT_MISSING) {
        out[0] = '\0';
        return 0;
    }
    unsigned scale = pt_digits_scale(digits), pad = pt_digits_pad(digits);
    char room[PT_DEC_TEXT_MAX];
    char *end = room + sizeof room;
    char *start = digits_before(mantissa < 0 ? (uint64_t)-mantissa : (uint64_t)mantissa, end);
    while ((size_t)(end - start) <= scale) *--start = '0';

    char *p = out;
    if (mantissa < 0) *p++ = '-';
    size_t whole = (size_t)(end - start) - scale;
    memcpy(p, start, whole);
    p += whole;
    if (scale + pad > 0) {
        *p++ = '.';
        memcpy(p, start + whole, scale);
        p += scale;
        memset(p, '0', pad);
        p += pad;
    }
    *p = '\0';
    return (size_t)(p - out);
}

/* ---- Arithmetic ---- */

static double exact_power_of_two(int exponent)
{
    uint64_t bits = (uint64_t)(1023 + exponent) << 52;
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

/* value / 10^scale rounded once, for mantissas that a double does not hold. Both are shifted to the
 * top of their words and divided as integers: the quotient has 62 to 64 bits, its lost rest is kept
 * as one sticky bit, and the conversion to double rounds to nearest even. */
static double divide_wide(uint64_t value, unsigned scale)
{
    uint64_t divisor = pow10u[scale];
    int up_value = __builtin_clzll(value) - 1, up_divisor = __builtin_clzll(divisor);
    u128 top = (u128)(value << up_value) << 64;
    divisor <<= up_divisor;
    uint64_t quotient = (uint64_t)(top / divisor);
    uint64_t sticky = top % divisor != 0;
    int64_t half = (int64_t)(quotient >> 1 | (quotient & 1) | sticky);
    return (double)half * exact_power_of_two(1 + up_divisor - up_value - 64);
}

double pt_dec_double(int64_t mantissa, uint8_t digits)
{
    static const double pow10d[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                     1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18 };
    unsigned scale = pt_digits_scale(digits);
    /* a scale over 18 exists only in damaged bytes */
    if (mantissa == PT_MISSING || scale > SCALE_MAX) return __builtin_nan("");
    const int64_t exact = INT64_C(1) << 53;
    if (mantissa >= -exact && mantissa <= exact) return (double)mantissa / pow10d[scale];
    return mantissa < 0 ? -divide_wide((uint64_t)-mantissa, scale)
                        : divide_wide((uint64_t)mantissa, scale);
}

static i128 scaled_up(int64_t mantissa, unsigned places)
{
    return (i128)mantissa * (i128)pow10u[places];
}

static bool fits(i128 v)
{
    return v >= -(i128)INT64_MAX && v <= (i128)INT64_MAX;
}

enum pt_code pt_dec_add(int64_t am, uint8_t ad, int64_t bm, uint8_t bd, int64_t *m, uint8_t *d)
{
    if (am == PT_MISSING || bm == PT_MISSING) {
        *m = PT_MISSING;
        *d = 0;
        return PT_OK;
    }
    unsigned as = pt_digits_scale(ad), bs = pt_digits_scale(bd);
    if (as > SCALE_MAX || bs > SCALE_MAX) return PT_ERANGE;
    unsigned scale = as > bs ? as : bs;
    unsigned ap = as + pt_digits_pad(ad), bp = bs + pt_digits_pad(bd);
    unsigned pad = (ap > bp ? ap : bp) - scale; /* <= 7: the longer one has no more than its own */
    i128 sum = scaled_up(am, scale - as) + scaled_up(bm, scale - bs);
    while (!fits(sum)) {
        if (scale == 0 || pad == PAD_MAX || sum % 10 != 0) return PT_ERANGE;
        sum /= 10;
        scale--;
        pad++;
    }
    while (pad > 0 && scale < SCALE_MAX && fits(sum * 10)) { /* one form for one text, as parsed */
        sum *= 10;
        scale++;
        pad--;
    }
    *m = (int64_t)sum;
    *d = pt_digits(scale, pad);
    return PT_OK;
}

int pt_dec_cmp(int64_t am, uint8_t ad, int64_t bm, uint8_t bd)
{
    unsigned as = pt_digits_scale(ad), bs = pt_digits_scale(bd);
    i128 a = am, b = bm;
    if (as < bs) a = scaled_up(am, bs - as);
    if (bs < as) b = scaled_up(bm, as - bs);
    return (a > b) - (a < b);
}
