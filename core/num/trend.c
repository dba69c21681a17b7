#include "num/trend.h"

#include <float.h>

#include "num/present.h"
#include "num/roll.h"
#include "num/roll_long.h"
#include "num/smooth.h"
#include "num/wide.h"

/* Of a chunk, the row before its first one lies in the chunk before: that row is done apart, with
 * the same loop. */
static void price_changes(const double *close, size_t rows, double *last, bool first, double *up,
                          double *down)
{
    if (first)
        up[0] = down[0] = NAN;
    else
        pt_wide()->changes(close, last, 1, up, down);
    pt_wide()->changes(close + 1, close, rows - 1, up + 1, down + 1);
    *last = close[rows - 1];
}

void pt_trend_rsi(const double *close, size_t n, size_t period, double *out)
{
    struct pt_present p;
    struct pt_smooth gain, loss, *means[] = { &gain, &loss };
    double up[PT_CHUNK], down[PT_CHUNK], room[PT_CHUNK], last = NAN;
    bool first = true;
    if (period == 0) {
        pt_fill_missing(out, n);
        return;
    }
    pt_smooth_init(&gain, period, 1 / (double)period, false);
    pt_smooth_init(&loss, period, 1 / (double)period, false);
    pt_present_init(&p, 1, &close, n);
    for (size_t rows; (rows = pt_present_next(&p)) > 0; first = false) {
        double *values = pt_present_room(&p, out, room);
        price_changes(p.col[0], rows, &last, first, up, down);
        const double *x[] = { up + first, down + first };
        double *y[] = { up + first, down + first };
        pt_smooth_run(2, means, x, rows - first, y);
        pt_wide()->strength(up, down, rows, values);
        pt_present_put(&p, values, out);
    }
    pt_present_end(&p, out);
}

void pt_trend_rsi_cutler(const double *close, size_t n, size_t period, double *out)
{
    if (period == 0 || period >= n)
        pt_fill_missing(out, n);
    else if (period > PT_ROLL_NARROW)
        pt_roll_long_cutler(close, n, period, out);
    else
        pt_wide()->cutler(close, n, period, out);
}

void pt_trend_macd(const double *close, size_t n, size_t fast, size_t slow, size_t signal_width,
                   double *macd, double *signal, double *histogram)
{
    struct pt_present p;
    struct pt_smooth quick, calm, third, *lines[] = { &quick, &calm }, *thirds = &third;
    double a[PT_CHUNK], b[PT_CHUNK], room[3][PT_CHUNK];
    size_t begin = fast > slow ? fast - 1 : slow - 1,
           seen = 0; /* macd is there from row `begin` on */
    if (fast == 0 || slow == 0 || signal_width == 0) {
        pt_fill_missing(macd, n);
        pt_fill_missing(signal, n);
        pt_fill_missing(histogram, n);
        return;
    }
    pt_smooth_init(&quick, fast, 2 / ((double)fast + 1), true);
    pt_smooth_init(&calm, slow, 2 / ((double)slow + 1), true);
    pt_smooth_init(&third, signal_width, 2 / ((double)signal_width + 1), true);
    pt_present_init(&p, 1, &close, n);
    for (size_t rows; (rows = pt_present_next(&p)) > 0; seen += rows) {
        double *line = pt_present_room(&p, macd, room[0]),
               *third_line = pt_present_room(&p, signal, room[1]);
        double *gap = pt_present_room(&p, histogram, room[2]);
        const double *x[] = { p.col[0], p.col[0] };
        double *y[] = { a, b };
        pt_smooth_run(2, lines, x, rows, y);
        pt_wide()->columns(PT_SUB, a, b, rows, line);
        size_t skip = seen >= begin ? 0 : (begin - seen < rows ? begin - seen : rows);
        pt_fill_missing(third_line, skip);
        const double *from = line + skip;
        double *to = third_line + skip;
        pt_smooth_run(1, &thirds, &from, rows - skip, &to);
        pt_wide()->columns(PT_SUB, line, third_line, rows, gap);
        pt_present_put(&p, line, macd);
        pt_present_put(&p, third_line, signal);
        pt_present_put(&p, gap, histogram);
    }
    pt_present_end(&p, macd);
    pt_present_end(&p, signal);
    pt_present_end(&p, histogram);
}

/* The last row of the chunk before. */
struct bar {
    double high, low, close;
};

static void ranges(const double *const *col, size_t rows, const struct bar *last, bool first,
                   double *out)
{
    const double *high = col[0], *low = col[1], *close = col[2];
    if (first)
        out[0] = NAN;
    else
        pt_wide()->true_range(high, low, &last->close, 1, out);
    pt_wide()->true_range(high + 1, low + 1, close, rows - 1, out + 1);
}

static void movements(const double *const *col, size_t rows, const struct bar *last, bool first,
                      double *plus, double *minus)
{
    const double *high = col[0], *low = col[1];
    if (first)
        plus[0] = minus[0] = NAN;
    else
        pt_wide()->movement(high, &last->high, low, &last->low, 1, plus, minus);
    pt_wide()->movement(high + 1, high, low + 1, low, rows - 1, plus + 1, minus + 1);
}

static struct bar last_bar(const double *const *col, size_t rows)
{
    return (struct bar){ col[0][rows - 1], col[1][rows - 1], col[2][rows - 1] };
}

void pt_trend_true_range(const double *high, const double *low, const double *close, size_t n,
                         double *out)
{
    struct pt_present p;
    struct bar last = { NAN, NAN, NAN };
    double room[PT_CHUNK];
    bool first = true;
    const double *in[] = { high, low, close };
    pt_present_init(&p, 3, in, n);
    for (size_t rows; (rows = pt_present_next(&p)) > 0; first = false) {
        double *values = pt_present_room(&p, out, room);
        ranges(p.col, rows, &last, first, values);
        last = last_bar(p.col, rows);
        pt_present_put(&p, values, out);
    }
    pt_present_end(&p, out);
}

void pt_trend_atr(const double *high, const double *low, const double *close, size_t n,
                  size_t period, double *out)
{
    struct pt_present p;
    struct pt_smooth mean, *means = &mean;
    struct bar last = { NAN, NAN, NAN };
    double range[PT_CHUNK], room[PT_CHUNK];
    bool first = true;
    const double *in[] = { high, low, close };
    if (period == 0) {
        pt_fill_missing(out, n);
        return;
    }
    pt_smooth_init(&mean, period, 1 / (double)period, false);
    pt_present_init(&p, 3, in, n);
    for (size_t rows; (rows = pt_present_next(&p)) > 0; first = false) {
        double *values = pt_present_room(&p, out, room);
        ranges(p.col, rows, &last, first, range);
        last = last_bar(p.col, rows);
        values[0] = NAN; /* row 0 has no range: passed over by the mean */
        const double *from = range + first;
        double *to = values + first;
        pt_smooth_run(1, &means, &from, rows - first, &to);
        pt_present_put(&p, values, out);
    }
    pt_present_end(&p, out);
}

void pt_trend_adx(const double *high, const double *low, const double *close, size_t n,
                  size_t period, double *plus_di, double *minus_di, double *adx)
{
    struct pt_present p;
    struct pt_smooth range, up, down, index, *three[] = { &range, &up, &down }, *fourth = &index;
    struct bar last = { NAN, NAN, NAN };
    double tr[PT_CHUNK], dx[PT_CHUNK], room[3][PT_CHUNK];
    size_t seen = 0;
    const double *in[] = { high, low, close };
    if (period == 0) {
        pt_fill_missing(plus_di, n);
        pt_fill_missing(minus_di, n);
        pt_fill_missing(adx, n);
        return;
    }
    double gain = 1 / (double)period;
    pt_smooth_init(&range, period, gain, false);
    pt_smooth_init(&up, period, gain, false);
    pt_smooth_init(&down, period, gain, false);
    pt_smooth_init(&index, period, gain, false);
    pt_present_init(&p, 3, in, n);
    for (size_t rows; (rows = pt_present_next(&p)) > 0; seen += rows) {
        double *plus = pt_present_room(&p, plus_di, room[0]),
               *minus = pt_present_room(&p, minus_di, room[1]);
        double *values = pt_present_room(&p, adx, room[2]);
        bool first = seen == 0;
        ranges(p.col, rows, &last, first, tr);
        movements(p.col, rows, &last, first, plus, minus);
        last = last_bar(p.col, rows);
        const double *x[] = { tr + first, plus + first, minus + first };
        double *y[] = { tr + first, plus + first, minus + first };
        pt_smooth_run(3, three, x, rows - first, y);
        pt_wide()->directional(tr, rows, plus, minus, dx);
        /* means of movement and range begin at row `period`, and so does DX */
        size_t skip = seen >= period ? 0 : (period - seen < rows ? period - seen : rows);
        pt_fill_missing(values, skip);
        const double *from = dx + skip;
        double *to = values + skip;
        pt_smooth_run(1, &fourth, &from, rows - skip, &to);
        pt_present_put(&p, plus, plus_di);
        pt_present_put(&p, minus, minus_di);
        pt_present_put(&p, values, adx);
    }
    pt_present_end(&p, plus_di);
    pt_present_end(&p, minus_di);
    pt_present_end(&p, adx);
}

void pt_trend_donchian(const double *high, const double *low, size_t n, size_t width, double *upper,
                       double *lower)
{
    pt_roll_max(high, n, width, pt_roll_half(width), upper);
    pt_roll_min(low, n, width, pt_roll_half(width), lower);
}

void pt_trend_efficiency(const double *x, size_t n, size_t width, double *out)
{
    if (width == 0 || width >= n)
        pt_fill_missing(out, n);
    else if (width > PT_ROLL_NARROW)
        pt_roll_long_efficiency(x, n, width, out);
    else
        pt_wide()->efficiency(x, n, width, out);
}

struct pt_trend_line pt_trend_fit(const double *y, size_t n)
{
    struct pt_trend_line line = { NAN, NAN, NAN, 0 };
    double base = pt_first_there(y, n), sum_t = 0, sum_y = 0, largest = 0;
    for (size_t i = 0; i < n; i++) {
        if (!pt_there(y[i])) continue;
        sum_t += (double)i;
        sum_y += y[i] - base;
        largest = fabs(y[i]) > largest ? fabs(y[i]) : largest;
        line.used++;
    }
    if (line.used < 2) return line;
    double m = (double)line.used, mean_t = sum_t / m, mean_y = sum_y / m, stt = 0, sty = 0,
           rest = 0;
    for (size_t i = 0; i < n; i++) {
        if (!pt_there(y[i])) continue;
        double t = (double)i - mean_t;
        stt += t * t;
        sty += t * (y[i] - base - mean_y);
    }
    line.slope = sty / stt;
    line.intercept = base + (mean_y - line.slope * mean_t);
    for (size_t i = 0; i < n; i++) {
        if (!pt_there(y[i])) continue;
        double e = (y[i] - base - mean_y) - line.slope * ((double)i - mean_t);
        rest += e * e;
    }
    /* A straight line in doubles leaves residuals of the size of their rounding. */
    double noise = 4 * DBL_EPSILON * largest;
    if (line.used >= 3 && rest > m * noise * noise)
        line.slope_t = line.slope / sqrt(rest / (m - 2) / stt);
    return line;
}

void pt_trend_side(const double *fast, const double *slow, const double *scale, double relative,
                   size_t n, double *state)
{
    for (size_t i = 0; i < n; i++) {
        double gap = fast[i] - slow[i], level = relative * fabs(scale[i]);
        if (!pt_there(gap) || !pt_there(level))
            state[i] = NAN;
        else
            state[i] = fabs(gap) <= level ? 0 : (gap > 0 ? 1 : -1);
    }
}

struct pt_trend_cross pt_trend_last_cross(const double *state, size_t n)
{
    struct pt_trend_cross cross = { 0, 0, -1 };
    double before = 0; /* last side that was one */
    for (size_t i = 0; i < n; i++) {
        double now = state[i];
        bool sided = now > 0 || now < 0;
        if (cross.bars >= 0) cross.bars++;
        if (sided && before != 0 && now != before) cross.bars = 0;
        if (sided) before = now;
    }
    if (n > 0 && pt_there(state[n - 1])) cross.state = (state[n - 1] > 0) - (state[n - 1] < 0);
    cross.event = cross.bars == 0 ? cross.state : 0;
    return cross;
}
