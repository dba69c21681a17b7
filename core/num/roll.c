#include "num/roll.h"

#include "num/present.h"
#include "num/roll_long.h"
#include "num/smooth.h"
#include "num/wide.h"

static void roll(enum pt_roll_kind kind, const double *x, size_t n, size_t width, size_t min_count,
                 unsigned ddof, double *out)
{
    struct pt_roll how = { kind, width, min_count > 0 ? min_count : 1, ddof };
    if (width == 0 || width > n)
        pt_fill_missing(out, n);
    else if (width > PT_ROLL_NARROW)
        pt_roll_long(&how, x, n, out);
    else
        pt_wide()->roll(&how, x, n, out);
}

void pt_roll_sum(const double *x, size_t n, size_t width, size_t min_count, double *out)
{
    roll(PT_ROLL_SUM, x, n, width, min_count, 0, out);
}

void pt_roll_mean(const double *x, size_t n, size_t width, size_t min_count, double *out)
{
    roll(PT_ROLL_MEAN, x, n, width, min_count, 0, out);
}

void pt_roll_var(const double *x, size_t n, size_t width, size_t min_count, unsigned ddof,
                 double *out)
{
    roll(PT_ROLL_VAR, x, n, width, min_count, ddof, out);
}

void pt_roll_std(const double *x, size_t n, size_t width, size_t min_count, unsigned ddof,
                 double *out)
{
    roll(PT_ROLL_STD, x, n, width, min_count, ddof, out);
}

void pt_roll_min(const double *x, size_t n, size_t width, size_t min_count, double *out)
{
    roll(PT_ROLL_MIN, x, n, width, min_count, 0, out);
}

void pt_roll_max(const double *x, size_t n, size_t width, size_t min_count, double *out)
{
    roll(PT_ROLL_MAX, x, n, width, min_count, 0, out);
}

void pt_roll_wma(const double *x, size_t n, size_t width, size_t min_count, double *out)
{
    roll(PT_ROLL_WMA, x, n, width, min_count, 0, out);
}

/* First place in sorted[0 .. count - 1] whose value is not less. */
static size_t lower(const double *sorted, size_t count, double x)
{
    size_t at = 0;
    while (count > 0) {
        size_t half = count / 2;
        if (sorted[at + half] < x) {
            at += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return at;
}

void pt_roll_median(const double *x, size_t n, size_t width, size_t min_count, double *work,
                    double *out)
{
    size_t count = 0;
    if (width == 0 || width > n) {
        pt_fill_missing(out, n);
        return;
    }
    if (min_count == 0) min_count = 1;
    if (width <= PT_MEDIAN_NARROW) {
        pt_wide()->median(x, n, width, min_count, out);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (i >= width && pt_there(x[i - width])) {
            size_t at = lower(work, count, x[i - width]);
            memmove(work + at, work + at + 1, (count - at - 1) * sizeof(double));
            count--;
        }
        if (pt_there(x[i])) {
            size_t at = lower(work, count, x[i]);
            memmove(work + at + 1, work + at, (count - at) * sizeof(double));
            work[at] = x[i];
            count++;
        }
        bool ready = i + 1 >= width && count >= min_count;
        out[i] = ready ? 0.5 * work[(count - 1) / 2] + 0.5 * work[count / 2] : NAN;
    }
}

/* One chunk of the adjusted mean: sum and weights decay alike. Returns its last value. */
static double ewm_chunk(const double *x, size_t rows, double centre, double decay, double *sums,
                        double *out)
{
    const struct pt_wide *wide = pt_wide();
    double there[PT_CHUNK];
    for (size_t i = 0; i < rows; i++) {
        bool ok = pt_there(x[i]);
        out[i] = ok ? x[i] - centre : 0;
        there[i] = ok ? 1 : 0;
    }
    struct pt_scan scans[2] = { { out, out, 1, decay, 0, sums[0] },
                                { there, there, 1, decay, 0, sums[1] } };
    wide->scan(2, scans, rows);
    sums[0] = scans[0].y;
    sums[1] = scans[1].y;
    wide->columns(PT_DIV, out, there, rows, out); /* 0 / 0 before the first value */
    wide->scalar(PT_ADD, out, centre, rows, out);
    return out[rows - 1];
}

void pt_roll_ewm(const double *x, size_t n, double span, double *out)
{
    double sums[2] = { 0, 0 }, centre = pt_first_there(x, n), decay = 1 - 2 / (span + 1);
    for (size_t at = 0; at < n; at += PT_CHUNK)
        ewm_chunk(x + at, n - at < PT_CHUNK ? n - at : PT_CHUNK, centre, decay, sums, out + at);
}

double pt_roll_ewm_last(const double *x, size_t n, double span)
{
    double sums[2] = { 0, 0 }, centre = pt_first_there(x, n), decay = 1 - 2 / (span + 1);
    double room[PT_CHUNK], last = NAN;
    for (size_t at = 0; at < n; at += PT_CHUNK)
        last = ewm_chunk(x + at, n - at < PT_CHUNK ? n - at : PT_CHUNK, centre, decay, sums, room);
    return last;
}

static void recursive(const double *x, size_t n, size_t width, double gain, double *out)
{
    struct pt_present p;
    struct pt_smooth mean, *means = &mean;
    double room[PT_CHUNK];
    if (width == 0) {
        pt_fill_missing(out, n);
        return;
    }
    pt_smooth_init(&mean, width, gain, true);
    pt_present_init(&p, 1, &x, n);
    for (size_t rows; (rows = pt_present_next(&p)) > 0;) {
        double *values = pt_present_room(&p, out, room);
        pt_smooth_run(1, &means, p.col, rows, &values);
        pt_present_put(&p, values, out);
    }
    pt_present_end(&p, out);
}

void pt_roll_ema(const double *x, size_t n, size_t width, double *out)
{
    recursive(x, n, width, 2 / ((double)width + 1), out);
}

void pt_roll_wilder(const double *x, size_t n, size_t width, double *out)
{
    recursive(x, n, width, 1 / (double)width, out);
}
