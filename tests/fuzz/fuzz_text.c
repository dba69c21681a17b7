/* fuzz_text - decimals, times, spans and sizes: what is read and printed must read back as itself.
 */
#include "base/decimal.h"
#include "base/timefmt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decimals(const char *text, size_t len)
{
    int64_t mantissa, again;
    uint8_t digits, digits_again;
    char out[PT_DEC_TEXT_MAX];
    if (pt_dec_parse(text, len, &mantissa, &digits) != PT_OK) return;
    size_t n = pt_dec_print(mantissa, digits, out);
    if (n == 0 || n >= sizeof out || out[n] != '\0') abort();
    if (pt_dec_parse(out, n, &again, &digits_again) != PT_OK || again != mantissa ||
        digits_again != digits)
        abort();
    if (pt_dec_cmp(mantissa, digits, again, digits_again) != 0) abort();

    char number[400]; /* the double is the one strtod reads */
    if (len >= sizeof number) return;
    memcpy(number, text, len);
    number[len] = '\0';
    double x = pt_dec_double(mantissa, digits), y = strtod(number, NULL);
    if (!isfinite(x) || x != y) abort();
    char shortest[PT_DOUBLE_TEXT_MAX];
    pt_double_print(x, shortest);
    if (strtod(shortest, NULL) != x) abort();
}

static void times(const char *text, size_t len)
{
    int64_t us, again;
    char out[PT_TIME_TEXT_MAX], period[PT_PERIOD_TEXT_MAX];
    if (pt_time_parse(text, len, &us) == PT_OK) {
        size_t n = pt_time_print(us, out);
        if (n >= sizeof out || pt_time_parse(out, n, &again) != PT_OK || again != us) abort();
        if (pt_hour_of_day(us) > 23 || pt_day_of_week(us) > 6) abort();
    }
    if (pt_span_parse(text, len, &us) == PT_OK) {
        size_t n = pt_span_print(us, period);
        if (pt_span_parse(period, n, &again) != PT_OK || again != us) abort();
    }
    if (pt_period_parse(text, len, &us) == PT_OK) {
        size_t n = pt_period_print(us, period);
        if (pt_period_parse(period, n, &again) != PT_OK || again != us) abort();
    }
    if (pt_size_parse(text, len, &us) == PT_OK && us < 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1); /* a block of its own: its end is guarded */
    if (!text) return 0;
    memcpy(text, data, size);
    decimals(text, size);
    times(text, size);
    free(text);
    return 0;
}
