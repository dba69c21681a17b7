#include "num/vec.h"

#include "num/wide.h"

void pt_vec_add(const double *a, const double *b, size_t n, double *out)
{
    pt_wide()->columns(PT_ADD, a, b, n, out);
}

void pt_vec_sub(const double *a, const double *b, size_t n, double *out)
{
    pt_wide()->columns(PT_SUB, a, b, n, out);
}

void pt_vec_mul(const double *a, const double *b, size_t n, double *out)
{
    pt_wide()->columns(PT_MUL, a, b, n, out);
}

void pt_vec_div(const double *a, const double *b, size_t n, double *out)
{
    pt_wide()->columns(PT_DIV, a, b, n, out);
}

void pt_vec_min(const double *a, const double *b, size_t n, double *out)
{
    pt_wide()->columns(PT_MIN, a, b, n, out);
}

void pt_vec_max(const double *a, const double *b, size_t n, double *out)
{
    pt_wide()->columns(PT_MAX, a, b, n, out);
}

void pt_vec_add_by(const double *a, double s, size_t n, double *out)
{
    pt_wide()->scalar(PT_ADD, a, s, n, out);
}

void pt_vec_sub_by(const double *a, double s, size_t n, double *out)
{
    pt_wide()->scalar(PT_SUB, a, s, n, out);
}

void pt_vec_sub_from(const double *a, double s, size_t n, double *out)
{
    pt_wide()->scalar(PT_FROM, a, s, n, out);
}

void pt_vec_mul_by(const double *a, double s, size_t n, double *out)
{
    pt_wide()->scalar(PT_MUL, a, s, n, out);
}

void pt_vec_div_by(const double *a, double s, size_t n, double *out)
{
    pt_wide()->scalar(PT_DIV, a, s, n, out);
}

void pt_vec_div_into(const double *a, double s, size_t n, double *out)
{
    pt_wide()->scalar(PT_INTO, a, s, n, out);
}

void pt_vec_neg(const double *a, size_t n, double *out)
{
    pt_wide()->unary(PT_NEG, a, n, out);
}

void pt_vec_abs(const double *a, size_t n, double *out)
{
    pt_wide()->unary(PT_ABS, a, n, out);
}

void pt_vec_sign(const double *a, size_t n, double *out)
{
    pt_wide()->unary(PT_SIGN, a, n, out);
}

void pt_vec_sqrt(const double *a, size_t n, double *out)
{
    pt_wide()->unary(PT_SQRT, a, n, out);
}

void pt_vec_square(const double *a, size_t n, double *out)
{
    pt_wide()->unary(PT_SQUARE, a, n, out);
}

void pt_vec_log(const double *a, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) out[i] = log(a[i]);
}

void pt_vec_exp(const double *a, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) out[i] = exp(a[i]);
}

void pt_vec_pow(const double *a, double exponent, size_t n, double *out)
{
    /* pow(NaN, 0) is 1: what is missing stays missing */
    for (size_t i = 0; i < n; i++) out[i] = isnan(a[i]) ? a[i] : pow(a[i], exponent);
}

void pt_vec_clip(const double *a, double low, double high, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) {
        double x = a[i];
        x = x < low ? low : x;
        out[i] = x > high ? high : x;
    }
}

static inline double holds(double a, enum pt_compare how, double b)
{
    if (isnan(a) || isnan(b)) return NAN;
    switch (how) {
    case PT_LT: return a < b;
    case PT_LE: return a <= b;
    case PT_GT: return a > b;
    case PT_GE: return a >= b;
    case PT_EQ: return a == b;
    case PT_NE: return a != b;
    }
    return NAN;
}

void pt_vec_compare(const double *a, enum pt_compare how, const double *b, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) out[i] = holds(a[i], how, b[i]);
}

void pt_vec_compare_by(const double *a, enum pt_compare how, double s, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) out[i] = holds(a[i], how, s);
}

void pt_vec_where(const double *mask, const double *a, const double *b, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) {
        double value = mask[i] != 0 ? a[i] : b[i];
        out[i] = isnan(mask[i]) ? NAN : value;
    }
}

void pt_vec_shift(const double *a, ptrdiff_t lag, size_t n, double *out)
{
    size_t by = lag < 0 ? (size_t)0 - (size_t)lag : (size_t)lag;
    if (by >= n) {
        pt_fill_missing(out, n);
    } else if (lag >= 0) {
        pt_fill_missing(out, by);
        memcpy(out + by, a, (n - by) * sizeof(double));
    } else {
        memcpy(out, a + by, (n - by) * sizeof(double));
        pt_fill_missing(out + (n - by), by);
    }
}

void pt_vec_diff(const double *a, size_t lag, size_t n, double *out)
{
    if (lag > n) lag = n;
    pt_fill_missing(out, lag);
    pt_wide()->columns(PT_SUB, a + lag, a, n - lag, out + lag);
}

void pt_vec_roc(const double *a, size_t lag, size_t n, double *out)
{
    if (lag > n) lag = n;
    pt_fill_missing(out, lag);
    pt_wide()->roc(a + lag, a, n - lag, out + lag);
}

void pt_vec_cumsum(const double *a, size_t n, double *out)
{
    double sum = 0, lost = 0; /* Neumaier: what the additions dropped */
    for (size_t i = 0; i < n; i++) {
        double x = a[i];
        if (!pt_there(x)) {
            out[i] = NAN;
            continue;
        }
        double next = sum + x;
        lost += fabs(sum) >= fabs(x) ? (sum - next) + x : (x - next) + sum;
        sum = next;
        out[i] = sum + lost;
    }
}

void pt_vec_fill(const double *a, double value, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) out[i] = pt_there(a[i]) ? a[i] : value;
}

void pt_vec_fill_forward(const double *a, size_t n, double *out)
{
    double last = NAN;
    for (size_t i = 0; i < n; i++) {
        if (pt_there(a[i])) last = a[i];
        out[i] = last;
    }
}

size_t pt_vec_count(const double *a, size_t n)
{
    return pt_wide()->count(a, n);
}

size_t pt_vec_compact(const double *a, size_t n, double *out)
{
    return pt_wide()->compact(a, n, out);
}

double pt_vec_dot(const double *a, const double *b, size_t n)
{
    struct pt_centre origin = { 0, 0 };
    struct pt_cross sums;
    pt_wide()->cross(a, b, n, origin, origin, &sums);
    return sums.xy;
}

/* Ratio of two closes that are neighbours in time, else NaN. */
static inline double step_ratio(const double *close, const int64_t *time_us, size_t i,
                                int64_t period_us)
{
    if (time_us != NULL && time_us[i] - time_us[i - 1] != period_us) return NAN;
    if (!pt_there(close[i]) || !pt_there(close[i - 1])) return NAN;
    return close[i] > 0 && close[i - 1] > 0 ? close[i] / close[i - 1] : NAN;
}

void pt_vec_log_return(const double *close, const int64_t *time_us, size_t n, int64_t period_us,
                       double *out)
{
    if (n > 0) out[0] = NAN;
    for (size_t i = 1; i < n; i++) out[i] = log(step_ratio(close, time_us, i, period_us));
}

void pt_vec_simple_return(const double *close, const int64_t *time_us, size_t n, int64_t period_us,
                          double *out)
{
    if (n > 0) out[0] = NAN;
    for (size_t i = 1; i < n; i++) out[i] = step_ratio(close, time_us, i, period_us) - 1;
}

size_t pt_vec_grid_cells(const int64_t *time_us, size_t n, int64_t period_us)
{
    return n == 0 ? 0 : (size_t)((time_us[n - 1] - time_us[0]) / period_us) + 1;
}

void pt_vec_grid(const double *a, const int64_t *time_us, size_t n, int64_t period_us, double *out)
{
    pt_fill_missing(out, pt_vec_grid_cells(time_us, n, period_us));
    for (size_t i = 0; i < n; i++) out[(time_us[i] - time_us[0]) / period_us] = a[i];
}
