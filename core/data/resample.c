/* resample.c - small closed bars into big ones, exactly.                       [layer: data]
 *
 * A big bar is put together from runs of parts: as many as the piece at hand has of it. Of a run,
 * each column gives one number (the greatest, the least, the sum), which is then joined with what
 * the runs before gave. Amounts are not negative and their sums mostly fit, so a run is summed in
 * plain integers; that is the same as adding one decimal after the other, digits included, as long
 * as nothing overflows: the scale of a sum is the greatest of its parts' either way. Whatever is
 * missing, negative, padded or too big is added one by one. */
#include "data/resample.h"

#include "base/decimal.h"
#include "base/timefmt.h"

#include <inttypes.h>
#include <string.h>

#define SCALE_MAX 18 /* a digits byte above it is padded, or damaged */

static const int64_t pow10i[SCALE_MAX + 1] = {
    INT64_C(1),
    INT64_C(10),
    INT64_C(100),
    INT64_C(1000),
    INT64_C(10000),
    INT64_C(100000),
    INT64_C(1000000),
    INT64_C(10000000),
    INT64_C(100000000),
    INT64_C(1000000000),
    INT64_C(10000000000),
    INT64_C(100000000000),
    INT64_C(1000000000000),
    INT64_C(10000000000000),
    INT64_C(100000000000000),
    INT64_C(1000000000000000),
    INT64_C(10000000000000000),
    INT64_C(100000000000000000),
    INT64_C(1000000000000000000),
};

/* A run of parts: rows [from, from + n) of a piece. */
struct run {
    const struct pt_frame *in;
    size_t from, n;
    uint32_t even; /* bit c = column c has the same digits in the whole piece */
};

/* ---- sums --------------------------------------------------------------------------------- */

/* False when a value is missing or negative, or when the sum fits no int64. */
static bool sum_ints(const int64_t *val, size_t n, int64_t *sum)
{
    uint64_t total = 0, all = 0;
    int64_t bound;
    for (size_t i = 0; i < n; i++) {
        total += (uint64_t)val[i];
        all |= (uint64_t)val[i]; /* no value is greater than it */
    }
    *sum = (int64_t)total;
    if (all >> 63 != 0) return false;
    if (!__builtin_mul_overflow((int64_t)all, (int64_t)n, &bound)) return true;
    bool over = false;
    *sum = 0;
    for (size_t i = 0; i < n; i++) over |= __builtin_add_overflow(*sum, val[i], sum);
    return !over;
}

static uint8_t greatest_digits(const uint8_t *dig, size_t n)
{
    uint8_t top = 0;
    for (size_t i = 0; i < n; i++) top = dig[i] > top ? dig[i] : top;
    return top;
}

/* The same where the scale varies: the sum has the greatest one. False also when one is padded. */
static bool sum_scaled(const int64_t *val, const uint8_t *dig, size_t n, int64_t *sum,
                       uint8_t *digits)
{
    uint8_t top = greatest_digits(dig, n);
    int64_t all = 0;
    bool over = false;
    if (top > SCALE_MAX) return false;
    *sum = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t v;
        over |= __builtin_mul_overflow(val[i], pow10i[top - dig[i]], &v);
        over |= __builtin_add_overflow(*sum, v, sum);
        all |= val[i];
    }
    *digits = top;
    return !over && all >= 0;
}

/* *sum, which is there, += part (>= 0); false, and nothing is changed, when that is not plain. */
static bool join(int64_t *sum, uint8_t *digits, int64_t part, uint8_t part_digits)
{
    uint8_t scale = *digits > part_digits ? *digits : part_digits;
    int64_t a, b, total;
    if (scale > SCALE_MAX) return false;
    if (__builtin_mul_overflow(*sum, pow10i[scale - *digits], &a) ||
        __builtin_mul_overflow(part, pow10i[scale - part_digits], &b) ||
        __builtin_add_overflow(a, b, &total))
        return false;
    *sum = total;
    *digits = scale;
    return true;
}

static enum pt_code add_amounts(struct pt_resampler *self, unsigned col, const struct run *run)
{
    const int64_t *val = run->in->val[col] + run->from;
    const uint8_t *dig = run->in->dig[col] + run->from;
    int64_t *sum = &self->val[col], part = 0;
    uint8_t *digits = &self->dig[col], part_digits = dig[0];
    size_t i = 0;
    if (self->have > 0 && *sum == PT_MISSING) return PT_OK;
    bool plain = (run->even >> col & 1) != 0
                     ? part_digits <= SCALE_MAX && sum_ints(val, run->n, &part)
                     : sum_scaled(val, dig, run->n, &part, &part_digits);
    if (plain && self->have == 0) {
        *sum = part;
        *digits = part_digits;
        return PT_OK;
    }
    if (plain && join(sum, digits, part, part_digits)) return PT_OK;
    if (self->have == 0) {
        *sum = val[0];
        *digits = dig[0];
        i = 1;
    }
    enum pt_code rc = PT_OK;
    for (; i < run->n && rc == PT_OK && *sum != PT_MISSING; i++)
        rc = pt_dec_add(*sum, *digits, val[i], dig[i], sum, digits);
    return rc;
}

static enum pt_code add_counts(struct pt_resampler *self, unsigned col, const struct run *run)
{
    const int64_t *val = run->in->val[col] + run->from;
    int64_t *sum = &self->val[col], part, total;
    if (self->have == 0) *sum = 0;
    if (*sum == PT_MISSING) return PT_OK;
    if (sum_ints(val, run->n, &part) && !__builtin_add_overflow(*sum, part, &total)) {
        *sum = total;
        return PT_OK;
    }
    for (size_t i = 0; i < run->n; i++) {
        if (val[i] == PT_MISSING) {
            *sum = PT_MISSING;
            return PT_OK;
        }
        if (__builtin_add_overflow(*sum, val[i], sum) || *sum == PT_MISSING) return PT_ERANGE;
    }
    return PT_OK;
}

/* ---- prices ------------------------------------------------------------------------------- */

static void keep_extreme(struct pt_resampler *self, unsigned col, int64_t value, uint8_t digits,
                         int sign)
{
    int64_t best = self->val[col];
    int order = digits == self->dig[col] ? (value > best) - (value < best)
                                         : pt_dec_cmp(value, digits, best, self->dig[col]);
    if (order * sign <= 0) return;
    self->val[col] = value;
    self->dig[col] = digits;
}

/* Row of the greatest (sign 1) or least (-1) value where the scale varies, of equal ones the first;
 * false when that is not plain. No branch hangs on the digits: they are as good as random. */
static bool extreme_scaled(const int64_t *val, const uint8_t *dig, size_t n, int sign, size_t *row)
{
    uint8_t top = greatest_digits(dig, n);
    int64_t best = INT64_MIN, flip = sign > 0 ? 0 : -1; /* turns all bits, and so the order */
    size_t at = 0;
    bool over = false;
    if (top > SCALE_MAX) return false;
    for (size_t i = 0; i < n; i++) {
        int64_t v;
        over |= __builtin_mul_overflow(val[i], pow10i[top - dig[i]], &v);
        v ^= flip;
        at = v > best ? i : at;
        best = v > best ? v : best;
    }
    *row = at;
    return !over;
}

static int64_t extreme(const int64_t *val, size_t n, int sign)
{
    int64_t best = val[0];
    if (sign > 0)
        for (size_t i = 1; i < n; i++) best = val[i] > best ? val[i] : best;
    else
        for (size_t i = 1; i < n; i++) best = val[i] < best ? val[i] : best;
    return best;
}

/* Of equal ones the first stays, which matters for the digits. */
static void take_extreme(struct pt_resampler *self, unsigned col, const struct run *run, int sign)
{
    const int64_t *val = run->in->val[col] + run->from;
    const uint8_t *dig = run->in->dig[col] + run->from;
    size_t row;
    if (self->have == 0) {
        self->val[col] = val[0];
        self->dig[col] = dig[0];
    }
    if ((run->even >> col & 1) != 0)
        keep_extreme(self, col, extreme(val, run->n, sign), dig[0], sign);
    else if (extreme_scaled(val, dig, run->n, sign, &row))
        keep_extreme(self, col, val[row], dig[row], sign);
    else
        for (size_t i = 0; i < run->n; i++) keep_extreme(self, col, val[i], dig[i], sign);
}

static void take_price(struct pt_resampler *self, unsigned col, const struct run *run, size_t row)
{
    self->val[col] = run->in->val[col][run->from + row];
    self->dig[col] = run->in->dig[col][run->from + row];
}

static enum pt_code take_column(struct pt_resampler *self, unsigned col, const struct run *run)
{
    switch (col) {
    case PT_C_TIME: self->val[col] = self->start_us; return PT_OK;
    case PT_C_OPEN:
        if (self->have == 0) take_price(self, col, run, 0);
        return PT_OK;
    case PT_C_HIGH: take_extreme(self, col, run, 1); return PT_OK;
    case PT_C_LOW: take_extreme(self, col, run, -1); return PT_OK;
    case PT_C_CLOSE: take_price(self, col, run, run->n - 1); return PT_OK;
    case PT_C_TRADES: return add_counts(self, col, run);
    case PT_C_CLOSED: self->val[col] = 1; return PT_OK;
    default: return add_amounts(self, col, run);
    }
}

/* ---- bars --------------------------------------------------------------------------------- */

enum pt_code pt_resample_begin(struct pt_resampler *self, int64_t from_us, int64_t to_us,
                               uint32_t cols, struct pt_frame *out, struct pt_err *err)
{
    if (out->kind->id != PT_CANDLES || from_us <= 0 || to_us <= 0 || to_us % from_us != 0)
        return pt_fail(err, PT_EINVAL, "bars of %" PRId64 " us do not make bars of %" PRId64 " us",
                       from_us, to_us);
    *self = (struct pt_resampler){ .from_us = from_us, .to_us = to_us, .out = out };
    self->parts = (size_t)(to_us / from_us);
    self->cols = cols == 0 ? UINT32_MAX : cols | 1u << PT_C_TIME;
    for (unsigned c = 0; c < PT_COLS_MAX; c++) self->val[c] = PT_MISSING; /* if it is not built */
    return PT_OK;
}

enum pt_code pt_resample_end(struct pt_resampler *self, struct pt_err *err)
{
    if (!self->any || self->broken || self->have != self->parts) return PT_OK;
    self->any = false;
    if (self->fault != PT_OK)
        return pt_fail(err, self->fault, "a sum has more digits than a decimal holds");
    enum pt_code rc = pt_frame_push(self->out, self->val, self->dig);
    return rc == PT_OK ? rc : pt_fail(err, rc, "resample to %" PRId64 " us", self->to_us);
}

/* How far t is from the start of the bar; wraps, so that damaged times do no harm. */
static int64_t since_start(const struct pt_resampler *self, int64_t t_us)
{
    return (int64_t)((uint64_t)t_us - (uint64_t)self->start_us);
}

/* Are the run's parts closed, and on their places? */
static bool all_there(const struct pt_resampler *self, const struct run *run)
{
    const int64_t *time = run->in->val[PT_C_TIME] + run->from;
    const int64_t *closed = run->in->val[PT_C_CLOSED] + run->from;
    uint64_t step = (uint64_t)self->from_us, bad = 0;
    uint64_t place = (uint64_t)self->start_us + self->have * step;
    for (size_t i = 0; i < run->n; i++) {
        bad |= ((uint64_t)time[i] ^ place) | ((uint64_t)closed[i] ^ 1);
        place += step;
    }
    return bad == 0;
}

static void take_run(struct pt_resampler *self, const struct run *run)
{
    for (unsigned c = 0; c < run->in->kind->ncols && self->fault == PT_OK; c++) {
        if ((self->cols >> c & 1) != 0) self->fault = take_column(self, c, run);
    }
    self->have += run->n;
}

static uint32_t even_columns(const struct pt_resampler *self, const struct pt_frame *in)
{
    uint32_t even = 0;
    for (unsigned c = 0; c < in->kind->ncols; c++) {
        if ((self->cols >> c & 1) == 0 || !in->dig[c]) continue;
        if (memcmp(in->dig[c], in->dig[c] + 1, in->n - 1) == 0) even |= 1u << c;
    }
    return even;
}

enum pt_code pt_resample_push(struct pt_resampler *self, const struct pt_frame *in,
                              struct pt_err *err)
{
    const int64_t *time = in->val[PT_C_TIME];
    if (in->n == 0) return PT_OK;
    struct run run = { .in = in, .even = even_columns(self, in) };
    while (run.from < in->n) {
        size_t left = in->n - run.from;
        if (!self->any || since_start(self, time[run.from]) >= self->to_us) {
            enum pt_code rc = pt_resample_end(self, err);
            if (rc != PT_OK) return rc;
            self->any = true;
            self->broken = false;
            self->fault = PT_OK;
            self->have = 0;
            self->start_us = pt_period_floor(self->to_us, time[run.from]);
        }
        run.n = self->parts - self->have < left ? self->parts - self->have : left;
        if (!self->broken && run.n > 0 && all_there(self, &run)) {
            take_run(self, &run);
        } else { /* no bar: past what there is of it */
            self->broken = true;
            for (run.n = 1; run.n < left; run.n++) {
                if (since_start(self, time[run.from + run.n]) >= self->to_us) break;
            }
        }
        run.from += run.n;
    }
    return PT_OK;
}

enum pt_code pt_resample(const struct pt_frame *in, int64_t from_us, int64_t to_us,
                         struct pt_frame *out, struct pt_err *err)
{
    struct pt_resampler self;
    pt_frame_clear(out);
    if (in->kind->id != PT_CANDLES)
        return pt_fail(err, PT_EINVAL, "%s do not make bars", in->kind->name);
    enum pt_code rc = pt_resample_begin(&self, from_us, to_us, 0, out, err);
    if (rc == PT_OK) rc = pt_resample_push(&self, in, err);
    return rc == PT_OK ? pt_resample_end(&self, err) : rc;
}
