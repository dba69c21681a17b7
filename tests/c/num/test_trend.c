#include "near.h"

#include "num/roll.h"
#include "num/trend.h"

enum { N = 3000 };
static double open[N], high[N], low[N], close[N], out[3][N], want[3][N];
static double *const bars[4] = { open, high, low, close };

/* Every kernel here as: rows of n bars -> up to three columns. */
struct kernel {
    const char *name;
    size_t columns;
    void (*run)(size_t n, double *const *to);
    bool windowed; /* a missing input is missing while its window lasts; else it is passed over */
};

static void rsi(size_t n, double *const *to)
{
    pt_trend_rsi(close, n, 14, to[0]);
}

static void cutler(size_t n, double *const *to)
{
    pt_trend_rsi_cutler(close, n, 14, to[0]);
}

static void macd(size_t n, double *const *to)
{
    pt_trend_macd(close, n, 12, 26, 9, to[0], to[1], to[2]);
}

static void true_range(size_t n, double *const *to)
{
    pt_trend_true_range(high, low, close, n, to[0]);
}

static void atr(size_t n, double *const *to)
{
    pt_trend_atr(high, low, close, n, 14, to[0]);
}

static void adx(size_t n, double *const *to)
{
    pt_trend_adx(high, low, close, n, 14, to[0], to[1], to[2]);
}

static void donchian(size_t n, double *const *to)
{
    pt_trend_donchian(high, low, n, 20, to[0], to[1]);
}

static void efficiency(size_t n, double *const *to)
{
    pt_trend_efficiency(close, n, 20, to[0]);
}

static const struct kernel kernels[] = {
    { "rsi", 1, rsi, false },          { "cutler", 1, cutler, true },
    { "macd", 3, macd, false },        { "true range", 1, true_range, false },
    { "atr", 1, atr, false },          { "adx", 3, adx, false },
    { "donchian", 2, donchian, true }, { "efficiency", 1, efficiency, true },
};
enum { KERNELS = sizeof(kernels) / sizeof(kernels[0]) };

static double *const outs[3] = { out[0], out[1], out[2] };
static double *const wants[3] = { want[0], want[1], want[2] };

/* A Wilder mean of values[1 ..], seeded with a simple one over the first `period`. */
static long double smooth(long double mean, long double value, size_t i, size_t period)
{
    long double p = (long double)period;
    return i <= period ? mean + value / p : mean + (value - mean) / p;
}

static long double range_at(size_t i)
{
    long double up = fabsl((long double)high[i] - close[i - 1]),
                down = fabsl((long double)low[i] - close[i - 1]);
    return fmaxl((long double)high[i] - low[i], fmaxl(up, down));
}

static void plain_rsi(size_t n, size_t period, bool simple, double *to)
{
    long double up = 0, down = 0;
    for (size_t i = 0; i < n; i++) {
        long double change = i > 0 ? (long double)close[i] - close[i - 1] : 0;
        to[i] = NAN;
        if (i == 0) continue;
        up = smooth(up, change > 0 ? change : 0, i, period);
        down = smooth(down, change < 0 ? -change : 0, i, period);
        if (i < period) continue;
        if (simple) {
            up = down = 0;
            for (size_t k = 0; k < period; k++) {
                change = (long double)close[i - k] - close[i - k - 1];
                up += change > 0 ? change : 0;
                down += change < 0 ? -change : 0;
            }
        }
        to[i] = up + down > 0 ? (double)(100 * up / (up + down)) : 50;
    }
}

static void rsis(void)
{
    const size_t periods[] = { 1, 2, 14, 100, 700 };
    make_bars(bars, N, 1);
    for (size_t k = 0; k < 5; k++) {
        pt_trend_rsi(close, N, periods[k], out[0]);
        plain_rsi(N, periods[k], false, want[0]);
        CU_ASSERT(near_all("rsi", out[0], want[0], N, 1e-12, 1));
        pt_trend_rsi_cutler(close, N, periods[k], out[0]);
        plain_rsi(N, periods[k], true, want[0]);
        CU_ASSERT(near_all("cutler", out[0], want[0], N, 1e-12, 1));
    }
}

static void test_rsi_matches_its_definition(void)
{
    on_every_path(rsis);
}

static void test_wide_cutler_and_efficiency_match_their_definitions(void)
{
    make_bars(bars, N, 2);
    const size_t width = PT_ROLL_NARROW + 200;
    pt_trend_rsi_cutler(close, N, width, out[0]);
    pt_trend_efficiency(close, N, width, out[1]);
    plain_rsi(N, width, true, want[0]);
    for (size_t i = 0; i < N; i++) {
        long double path = 0;
        for (size_t k = 0; k < width && i >= width; k++)
            path += fabsl((long double)close[i - k] - close[i - k - 1]);
        want[1][i] =
            i < width ? NAN : (double)(fabsl((long double)close[i] - close[i - width]) / path);
    }
    CU_ASSERT(near_all("cutler", out[0], want[0], N, 1e-12, 1));
    CU_ASSERT(near_all("efficiency", out[1], want[1], N, 1e-12, 0));
    close[1500] = NAN;
    pt_trend_rsi_cutler(close, N, width, out[0]);
    pt_trend_efficiency(close, N, width, out[1]);
    for (size_t i = width; i < N; i++) {
        bool missing = i >= 1500 && i <= 1500 + width;
        CU_ASSERT(isnan(out[0][i]) == missing && isnan(out[1][i]) == missing);
    }
}

static void plain_ema(const double *x, size_t from, size_t n, size_t width, double *to)
{
    long double y = 0, gain = 2 / ((long double)width + 1);
    for (size_t i = 0; i < from; i++) to[i] = NAN;
    for (size_t i = from; i < n; i++) {
        size_t k = i - from;
        y = k < width ? y + x[i] / (long double)width : y + gain * (x[i] - y);
        to[i] = k + 1 < width ? NAN : (double)y;
    }
}

static void macds(void)
{
    const size_t widths[][3] = {
        { 12, 26, 9 }, { 26, 12, 9 }, { 1, 2, 1 }, { 5, 5, 3 }, { 300, 700, 50 }
    };
    make_bars(bars, N, 3);
    for (size_t k = 0; k < 5; k++) {
        size_t fast = widths[k][0], slow = widths[k][1], begin = (fast > slow ? fast : slow) - 1;
        pt_trend_macd(close, N, fast, slow, widths[k][2], out[0], out[1], out[2]);
        plain_ema(close, 0, N, fast, want[0]);
        plain_ema(close, 0, N, slow, want[1]);
        for (size_t i = 0; i < N; i++) want[0][i] -= want[1][i];
        plain_ema(want[0], begin, N, widths[k][2], want[1]);
        for (size_t i = 0; i < N; i++) want[2][i] = want[0][i] - want[1][i];
        /* a difference of two means near the price: right to the price's digits */
        for (size_t c = 0; c < 3; c++) CU_ASSERT(near_all("macd", out[c], want[c], N, 1e-15, 1e5));
    }
}

static void test_macd_matches_its_definition(void)
{
    on_every_path(macds);
}

static void averages_of_range(void)
{
    const size_t periods[] = { 1, 14, 600 };
    make_bars(bars, N, 4);
    for (size_t k = 0; k < 3; k++) {
        size_t period = periods[k];
        long double mean = 0, plus = 0, minus = 0, index = 0;
        for (size_t i = 0; i < N; i++) {
            for (size_t c = 0; c < 3; c++) want[c][i] = NAN;
            if (i == 0) continue;
            long double up = (long double)high[i] - high[i - 1],
                        down = (long double)low[i - 1] - low[i];
            mean = smooth(mean, range_at(i), i, period);
            plus = smooth(plus, up > down && up > 0 ? up : 0, i, period);
            minus = smooth(minus, down > up && down > 0 ? down : 0, i, period);
            if (i < period) continue;
            long double dx = plus + minus > 0 ? 100 * fabsl(plus - minus) / (plus + minus) : 0;
            index = smooth(index, dx, i - period + 1, period);
            want[0][i] = (double)(100 * plus / mean);
            want[1][i] = (double)(100 * minus / mean);
            if (i >= 2 * period - 1) want[2][i] = (double)index;
        }
        pt_trend_adx(high, low, close, N, period, out[0], out[1], out[2]);
        for (size_t c = 0; c < 3; c++) CU_ASSERT(near_all("adx", out[c], want[c], N, 1e-12, 1));

        pt_trend_atr(high, low, close, N, period, out[0]);
        pt_trend_true_range(high, low, close, N, out[1]);
        mean = 0;
        for (size_t i = 1; i < N; i++) {
            mean = smooth(mean, range_at(i), i, period);
            want[0][i] = i < period ? NAN : (double)mean;
            want[1][i] = (double)range_at(i);
        }
        want[0][0] = want[1][0] = NAN;
        CU_ASSERT(near_all("atr", out[0], want[0], N, 1e-12, 0));
        CU_ASSERT(near_all("true range", out[1], want[1], N, 1e-15, 0));
    }
}

static void test_ranges_and_directions_match_their_definitions(void)
{
    on_every_path(averages_of_range);
}

static void channels(void)
{
    make_bars(bars, N, 5);
    donchian(N, outs);
    pt_trend_efficiency(close, N, 20, out[2]);
    for (size_t i = 0; i < N; i++) {
        long double path = 0;
        double top = -INFINITY, bottom = INFINITY;
        for (size_t k = 0; k < 20 && k <= i; k++) {
            top = fmax(top, high[i - k]);
            bottom = fmin(bottom, low[i - k]);
            if (i >= 20) path += fabsl((long double)close[i - k] - close[i - k - 1]);
        }
        want[0][i] = i < 19 ? NAN : top;
        want[1][i] = i < 19 ? NAN : bottom;
        want[2][i] = i < 20 ? NAN : (double)(fabsl((long double)close[i] - close[i - 20]) / path);
    }
    CU_ASSERT(same_bits("upper", out[0], want[0], N) && same_bits("lower", out[1], want[1], N));
    CU_ASSERT(near_all("efficiency", out[2], want[2], N, 1e-12, 0));
}

static void test_channels_and_efficiency_match_their_definitions(void)
{
    on_every_path(channels);
}

static void later_rows(void)
{
    make_bars(bars, N, 6);
    for (size_t i = 700; i < N; i += 97) bars[i % 3 + 1][i] = i % 2 == 0 ? NAN : INFINITY;
    for (size_t k = 0; k < KERNELS; k++) {
        kernels[k].run(N, wants);
        for (size_t n = 0; n < N; n += n < 60 ? 7 : 411) {
            kernels[k].run(n, outs);
            for (size_t c = 0; c < kernels[k].columns; c++)
                CU_ASSERT(same_bits(kernels[k].name, out[c], want[c], n));
        }
    }
}

static void test_a_row_does_not_change_when_later_rows_arrive(void)
{
    on_every_path(later_rows);
}

/* What is missing is passed over: the column without those rows gives the same numbers. */
static void passing_over(void)
{
    make_bars(bars, N, 7);
    static bool gone[N];
    for (size_t i = 0; i < N; i++)
        gone[i] = i < 3 || i == 14 || (i > 400 && i < 460) || i % 211 == 0 || i > N - 4;
    for (size_t k = 0; k < KERNELS; k++) {
        if (kernels[k].windowed) continue;
        size_t rows = 0;
        make_bars(bars, N, 7);
        for (size_t i = 0; i < N; i++) { /* without the rows */
            if (gone[i]) continue;
            for (size_t c = 0; c < 4; c++) bars[c][rows] = bars[c][i];
            rows++;
        }
        kernels[k].run(rows, wants);
        make_bars(bars, N, 7);
        for (size_t i = 0; i < N; i++) /* with them, but something in each is missing */
            if (gone[i]) close[i] = i % 2 == 0 ? NAN : -INFINITY;
        kernels[k].run(N, outs);
        for (size_t c = 0; c < kernels[k].columns; c++) {
            for (size_t i = 0, row = 0; i < N; i++) {
                bool right = gone[i] ? isnan(out[c][i])
                                     : same_bits(kernels[k].name, &out[c][i], &want[c][row++], 1);
                CU_ASSERT(right);
            }
        }
    }
}

static void test_recursions_pass_over_missing_rows(void)
{
    on_every_path(passing_over);
}

static void bad_value(void)
{
    for (size_t k = 0; k < KERNELS; k++) {
        if (!kernels[k].windowed) continue;
        make_bars(bars, N, 8);
        kernels[k].run(N, wants);
        high[900] = low[900] = close[900] = INFINITY;
        kernels[k].run(N, outs);
        for (size_t c = 0; c < kernels[k].columns; c++) {
            CU_ASSERT(same_bits(kernels[k].name, out[c], want[c], 900));
            CU_ASSERT(same_bits(kernels[k].name, out[c] + 921, want[c] + 921, N - 921));
            if (kernels[k].columns == 1) CU_ASSERT(isnan(out[c][900]) && isnan(out[c][914]));
        }
    }
}

static void test_a_bad_value_leaves_with_its_window(void)
{
    on_every_path(bad_value);
}

static void test_nothing_moves(void)
{
    for (size_t i = 0; i < N; i++) high[i] = low[i] = close[i] = 0.1;
    for (size_t k = 0; k < KERNELS; k++) kernels[k].run(N, outs);
    rsi(N, outs);
    cutler(N, wants);
    CU_ASSERT(isnan(out[0][13]) && out[0][14] == 50 && out[0][N - 1] == 50 && want[0][14] == 50);
    macd(N, outs);
    CU_ASSERT(out[0][N - 1] == 0 && out[1][N - 1] == 0 && out[2][N - 1] == 0);
    adx(N, outs);
    CU_ASSERT(out[0][20] == 0 && out[1][20] == 0 && out[2][27] == 0 && isnan(out[2][26]));
    efficiency(N, outs);
    CU_ASSERT(isnan(out[0][30]));
    for (size_t i = 0; i < N; i++) close[i] = 1 + (double)i;
    rsi(N, outs);
    cutler(N, wants);
    CU_ASSERT(out[0][14] == 100 && want[0][N - 1] == 100);
    efficiency(N, outs);
    CU_ASSERT(out[0][20] == 1);
    for (size_t i = 0; i < N; i++) close[i] = -(double)i;
    rsi(N, outs);
    CU_ASSERT(out[0][N - 1] == 0);
}

static void test_equal_moves_to_both_sides_count_for_neither(void)
{
    for (size_t i = 0; i < N;
         i++) { /* every bar reaches one further up and down than the one before */
        high[i] = 5000 + (double)i;
        low[i] = 5000 - (double)i;
        close[i] = 5000;
    }
    adx(N, outs);
    CU_ASSERT(out[0][14] == 0 && out[1][14] == 0 && out[2][N - 1] == 0);
    for (size_t i = 0; i < N; i++) low[i] = 5000 - 2 * (double)i;
    adx(N, outs);
    CU_ASSERT(out[0][14] == 0 && out[1][14] > 0 && fabs(out[2][N - 1] - 100) < 1e-12);
    for (size_t i = 0; i < N; i++)
        high[i] = 15000 - (double)i, low[i] = -5000 + (double)i; /* inside bars */
    adx(N, outs);
    CU_ASSERT(out[0][N - 1] == 0 && out[1][N - 1] == 0);
}

static void test_too_short_and_no_period_are_missing(void)
{
    make_bars(bars, N, 9);
    for (size_t k = 0; k < KERNELS; k++) {
        for (size_t n = 0; n < 14; n++) {
            kernels[k].run(n, outs);
            for (size_t i = 0; i < n && kernels[k].run != true_range; i++)
                CU_ASSERT(isnan(out[0][i]));
        }
    }
    pt_trend_rsi(close, 50, 0, out[0]);
    pt_trend_rsi_cutler(close, 50, 0, out[1]);
    CU_ASSERT(isnan(out[0][0]) && isnan(out[0][49]) && isnan(out[1][49]));
    pt_trend_atr(high, low, close, 50, 0, out[0]);
    pt_trend_efficiency(close, 50, 0, out[1]);
    CU_ASSERT(isnan(out[0][49]) && isnan(out[1][49]));
    pt_trend_adx(high, low, close, 50, 0, out[0], out[1], out[2]);
    CU_ASSERT(isnan(out[0][49]) && isnan(out[1][49]) && isnan(out[2][49]));
    pt_trend_macd(close, 50, 12, 0, 9, out[0], out[1], out[2]);
    CU_ASSERT(isnan(out[0][49]) && isnan(out[1][49]) && isnan(out[2][49]));
    pt_trend_donchian(high, low, 50, 0, out[0], out[1]);
    CU_ASSERT(isnan(out[0][49]) && isnan(out[1][49]));
    pt_trend_rsi(close, 50, SIZE_MAX, out[0]);
    pt_trend_efficiency(close, 50, SIZE_MAX, out[1]);
    CU_ASSERT(isnan(out[0][49]) && isnan(out[1][49]));
}

static void test_a_line_is_fitted_with_its_t_statistic(void)
{
    struct pt_rng rng;
    double y[200];
    pt_rng_seed(&rng, 10, 0);
    long double mt = 0, my = 0, tt = 0, ty = 0, rest = 0;
    size_t m = 0;
    for (size_t i = 0; i < 200; i++) {
        y[i] = i % 13 == 4 ? NAN : 11 + 0.001 * (double)i + 0.05 * pt_rng_normal(&rng);
        if (isnan(y[i])) continue;
        mt += (long double)i, my += y[i], m++;
    }
    mt /= (long double)m, my /= (long double)m;
    for (size_t i = 0; i < 200; i++) {
        if (isnan(y[i])) continue;
        tt += ((long double)i - mt) * ((long double)i - mt);
        ty += ((long double)i - mt) * (y[i] - my);
    }
    for (size_t i = 0; i < 200; i++)
        if (!isnan(y[i])) rest += powl(y[i] - my - ty / tt * ((long double)i - mt), 2);
    struct pt_trend_line line = pt_trend_fit(y, 200);
    CU_ASSERT(line.used == m);
    CHECK_NEAR(line.slope, (double)(ty / tt), 1e-12);
    CHECK_NEAR(line.intercept, (double)(my - ty / tt * mt), 1e-13);
    CHECK_NEAR(line.slope_t, (double)(ty / tt / sqrtl(rest / (long double)(m - 2) / tt)), 1e-11);
}

static void test_a_straight_line_has_a_slope_and_no_t(void)
{
    double y[20];
    for (size_t i = 0; i < 20; i++) y[i] = 10.3 + 0.1 * (double)i; /* straight but for rounding */
    struct pt_trend_line line = pt_trend_fit(y, 20);
    CHECK_NEAR(line.slope, 0.1, 1e-12);
    CU_ASSERT(isnan(line.slope_t));
    for (size_t i = 0; i < 20; i++) y[i] = 0.1;
    line = pt_trend_fit(y, 20);
    CU_ASSERT(line.slope == 0 && line.intercept == 0.1 && isnan(line.slope_t));
    y[0] = NAN;
    CU_ASSERT(isnan(pt_trend_fit(y, 2).slope) && pt_trend_fit(y, 2).used == 1 &&
              isnan(pt_trend_fit(y, 0).slope));
    line = pt_trend_fit(y, 3);
    CU_ASSERT(line.slope == 0 && line.used == 2 && isnan(line.slope_t));
}

static void test_sides_and_crosses(void)
{
    const double fast[] = { 1, 3, 2, 2, 5, 1, NAN, 1, 3 }, slow[] = { 2, 2, 2, 2, 2, 2, 2, 2, 2 };
    const double scale[] = { 1, 1, 1, 1, 1, 1, 1, 1, 1 },
                 sides[] = { -1, 1, 0, 0, 1, -1, NAN, -1, 1 };
    double state[9];
    pt_trend_side(fast, slow, scale, 1e-12, 9, state);
    CU_ASSERT(same_bits("side", state, sides, 9));
    const double close_to[] = { 2 + 1e-13 }, exactly[] = { 2 };
    pt_trend_side(close_to, exactly, exactly, 1e-12, 1, state);
    CU_ASSERT(state[0] == 0);

    struct pt_trend_cross cross = pt_trend_last_cross(sides, 9);
    CU_ASSERT(cross.state == 1 && cross.event == 1 && cross.bars == 0);
    cross = pt_trend_last_cross(sides, 8);
    CU_ASSERT(cross.state == -1 && cross.event == 0 && cross.bars == 2);
    cross = pt_trend_last_cross(sides, 7);
    CU_ASSERT(cross.state == 0 && cross.event == 0 && cross.bars == 1);
    cross = pt_trend_last_cross(sides, 6);
    CU_ASSERT(cross.event == -1 && cross.bars == 0);
    cross = pt_trend_last_cross(sides, 5); /* 1, 0, 0, 1 is no cross */
    CU_ASSERT(cross.event == 0 && cross.bars == 3);
    cross = pt_trend_last_cross(sides, 1);
    CU_ASSERT(cross.state == -1 && cross.event == 0 && cross.bars == -1);
    cross = pt_trend_last_cross(sides, 0);
    CU_ASSERT(cross.state == 0 && cross.bars == -1);
}

static void test_matches_pandas_and_scipy(void)
{
    const struct {
        const char *name;
        const double *column;
    } figures[] = {
        { "rsi14", out[0] },        { "cutler14", out[1] },        { "macd", out[0] },
        { "macd_signal", out[1] },  { "macd_histogram", out[2] },  { "true_range", out[0] },
        { "atr14", out[1] },        { "plus_di14", out[0] },       { "minus_di14", out[1] },
        { "adx14", out[2] },        { "donchian_high20", out[0] }, { "donchian_low20", out[1] },
        { "efficiency20", out[2] },
    };
    size_t n = golden("input", "high", high, N);
    CU_ASSERT(golden("input", "low", low, N) == n && golden("input", "close", close, N) == n);
    for (size_t k = 0; k < sizeof(figures) / sizeof(figures[0]); k++) {
        switch (k) { /* the kernel that makes this and the next ones */
        case 0: rsi(n, &outs[0]), cutler(n, &outs[1]); break;
        case 2: macd(n, outs); break;
        case 5: true_range(n, &outs[0]), atr(n, &outs[1]); break;
        case 7: adx(n, outs); break;
        case 10: donchian(n, outs), efficiency(n, &outs[2]); break;
        default: break;
        }
        CU_ASSERT(golden("trend", figures[k].name, want[0], N) == n);
        CU_ASSERT(near_all(figures[k].name, figures[k].column, want[0], n, 1e-10,
                           k >= 2 && k <= 4 ? 30 : 1));
    }
    double fit[3], logs[20];
    CU_ASSERT(golden("trend", "fit20", fit, 3) == 3);
    for (size_t i = 0; i < 20; i++) logs[i] = log(close[n - 20 + i]);
    struct pt_trend_line line = pt_trend_fit(logs, 20);
    CHECK_NEAR(line.slope, fit[0], 1e-10);
    CHECK_NEAR(line.intercept, fit[1], 1e-12);
    CHECK_NEAR(line.slope_t, fit[2], 1e-10);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "RSI matches its definition", test_rsi_matches_its_definition },
        { "wide Cutler and efficiency match their definitions",
          test_wide_cutler_and_efficiency_match_their_definitions },
        { "MACD matches its definition", test_macd_matches_its_definition },
        { "ranges and directions match their definitions",
          test_ranges_and_directions_match_their_definitions },
        { "channels and efficiency match their definitions",
          test_channels_and_efficiency_match_their_definitions },
        { "a row does not change when later rows arrive",
          test_a_row_does_not_change_when_later_rows_arrive },
        { "recursions pass over missing rows", test_recursions_pass_over_missing_rows },
        { "a bad value leaves with its window", test_a_bad_value_leaves_with_its_window },
        { "nothing moves", test_nothing_moves },
        { "equal moves to both sides count for neither",
          test_equal_moves_to_both_sides_count_for_neither },
        { "too short and no period are missing", test_too_short_and_no_period_are_missing },
        { "a line is fitted with its t statistic", test_a_line_is_fitted_with_its_t_statistic },
        { "a straight line has a slope and no t", test_a_straight_line_has_a_slope_and_no_t },
        { "sides and crosses", test_sides_and_crosses },
        { "matches pandas and scipy", test_matches_pandas_and_scipy },
        CU_TEST_INFO_NULL,
    };
    return pt_suite_main("trend", tests);
}
