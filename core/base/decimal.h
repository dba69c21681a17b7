/* decimal.h - what the exchange sent, kept exactly.                            [layer: base]
 *
 * A decimal is mantissa / 10^scale, and is printed with scale + pad digits after the point: `pad`
 * counts trailing zeros that were dropped to make the mantissa fit an int64 and are given back on
 * output ("11048002942.1400000000" needs it). scale 0..18, pad 0..7, packed in one `digits` byte
 * (scale | pad << 5). A missing value is mantissa PT_MISSING, whatever its digits. */
#ifndef PT_DECIMAL_H
#define PT_DECIMAL_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PT_MISSING INT64_MIN
#define PT_DEC_TEXT_MAX 48 /* longest printed decimal with its NUL */

static inline uint8_t pt_digits(unsigned scale, unsigned pad) { return (uint8_t)(scale | pad << 5); }
static inline unsigned pt_digits_scale(uint8_t digits) { return digits & 31u; }
static inline unsigned pt_digits_pad(uint8_t digits) { return digits >> 5; }

/* Parses [+-]digits[.digits][e[+-]digits] that fills text[0..len) completely. Leading zeros are
 * dropped; a bare "." or an empty text is PT_EINVAL; a value that fits no int64 mantissa even after
 * dropping trailing zeros, or needs more than 18 + 7 digits, is PT_ERANGE. Nothing is rounded. */
enum pt_code pt_dec_parse(const char *text, size_t len, int64_t *mantissa, uint8_t *digits);

/* Prints without exponent into out[PT_DEC_TEXT_MAX]; returns the length. PT_MISSING prints "". */
size_t pt_dec_print(int64_t mantissa, uint8_t digits, char *out);

/* Correctly rounded double; NaN for PT_MISSING. */
double pt_dec_double(int64_t mantissa, uint8_t digits);

/* Exact sum; PT_ERANGE when it fits no int64 mantissa. Missing + x = missing. */
enum pt_code pt_dec_add(int64_t am, uint8_t ad, int64_t bm, uint8_t bd, int64_t *m, uint8_t *d);

/* -1, 0, 1 by value; neither may be missing. */
int pt_dec_cmp(int64_t am, uint8_t ad, int64_t bm, uint8_t bd);

/* The shortest decimal text that reads back to the same double, never an exponent; -0 prints "0".
 * x must be finite. out has PT_DOUBLE_TEXT_MAX bytes; returns the length. */
#define PT_DOUBLE_TEXT_MAX 352
size_t pt_double_print(double x, char *out);

#endif
