/* resample.c - small closed bars into big ones, exactly.                       [layer: data] */
#include "data/resample.h"

#include "base/decimal.h"
#include "base/timefmt.h"

#include <inttypes.h>
#include <string.h>

struct bar {
    int64_t val[PT_CELLS_MAX];
    uint8_t dig[PT_CELLS_MAX];
};

static enum pt_code add(struct bar *bar, unsigned col, const struct pt_frame *in, size_t row)
{
    int64_t part = in->val[col][row], *sum = &bar->val[col];
    uint8_t digits = in->dig[col][row];
    bool plain = bar->dig[col] == digits && pt_digits_pad(digits) == 0 && *sum != PT_MISSING &&
                 part != PT_MISSING;
    int64_t total;
    if (plain && !__builtin_add_overflow(*sum, part, &total) && total != PT_MISSING) {
        *sum = total;
        return PT_OK;
    }
    return pt_dec_add(*sum, bar->dig[col], part, digits, sum, &bar->dig[col]);
}

static enum pt_code add_count(struct bar *bar, int64_t part)
{
    int64_t *sum = &bar->val[PT_C_TRADES];
    if (*sum == PT_MISSING || part == PT_MISSING) {
        *sum = PT_MISSING;
        return PT_OK;
    }
    return __builtin_add_overflow(*sum, part, sum) || *sum == PT_MISSING ? PT_ERANGE : PT_OK;
}

static void keep_extreme(struct bar *bar, unsigned col, const struct pt_frame *in, size_t row,
                         int sign)
{
    int64_t value = in->val[col][row];
    uint8_t digits = in->dig[col][row];
    int order = digits == bar->dig[col] ? (value > bar->val[col]) - (value < bar->val[col])
                                        : pt_dec_cmp(value, digits, bar->val[col], bar->dig[col]);
    if (order * sign <= 0) return;
    bar->val[col] = value;
    bar->dig[col] = digits;
}

/* The parts are rows [from, from + n). */
static enum pt_code build(const struct pt_frame *in, size_t from, size_t n, struct bar *bar)
{
    static const unsigned sums[] = { PT_C_VOLUME, PT_C_QUOTE_VOLUME, PT_C_TAKER_VOLUME,
                                     PT_C_TAKER_QUOTE_VOLUME };
    for (unsigned c = 0; c < in->kind->ncols; c++) {
        bar->val[c] = in->val[c][from];
        bar->dig[c] = in->dig[c] ? in->dig[c][from] : 0;
    }
    for (size_t i = from + 1; i < from + n; i++) {
        keep_extreme(bar, PT_C_HIGH, in, i, 1);
        keep_extreme(bar, PT_C_LOW, in, i, -1);
        for (size_t s = 0; s < sizeof sums / sizeof *sums; s++) {
            enum pt_code rc = add(bar, sums[s], in, i);
            if (rc != PT_OK) return rc;
        }
        enum pt_code rc = add_count(bar, in->val[PT_C_TRADES][i]);
        if (rc != PT_OK) return rc;
    }
    bar->val[PT_C_CLOSE] = in->val[PT_C_CLOSE][from + n - 1];
    bar->dig[PT_C_CLOSE] = in->dig[PT_C_CLOSE][from + n - 1];
    return PT_OK;
}

enum pt_code pt_resample(const struct pt_frame *in, int64_t from_us, int64_t to_us,
                         struct pt_frame *out, struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    pt_frame_clear(out);
    if (in->kind->id != PT_CANDLES || out->kind->id != PT_CANDLES || from_us <= 0 || to_us <= 0 ||
        to_us % from_us != 0)
        return pt_fail(err, PT_EINVAL, "bars of %" PRId64 " us do not make bars of %" PRId64 " us",
                       from_us, to_us);
    size_t parts = (size_t)(to_us / from_us);
    const int64_t *time = in->val[PT_C_TIME], *closed = in->val[PT_C_CLOSED];
    if (parts <= in->n) rc = pt_frame_reserve(out, in->n / parts + 1);
    for (size_t i = 0; i < in->n && rc == PT_OK;) {
        int64_t start = pt_period_floor(to_us, time[i]);
        size_t n = 0;
        bool whole = true;
        for (; i + n < in->n && time[i + n] - start < to_us; n++)
            whole &= n < parts && time[i + n] == start + (int64_t)n * from_us && closed[i + n] == 1;
        if (whole && n == parts) {
            struct bar bar;
            rc = build(in, i, n, &bar);
            if (rc == PT_OK) rc = pt_frame_push(out, bar.val, bar.dig);
        }
        i += n;
    }
    if (rc == PT_ERANGE) return pt_fail(err, rc, "a sum has more digits than a decimal holds");
    if (rc != PT_OK) return pt_fail(err, rc, "resample to %" PRId64 " us", to_us);
    return PT_OK;
}
