/* bench_kernels - ns a row of the kernels, each beside its definition written out plainly, and
 * where the usual C libraries keep a running sum (no missing values, drifting), beside that.
 *
 *     bench_kernels [path]          path: base, avx2, avx512; default: the best there is
 *
 * n = 2160 runs over 460 windows in turn: on one repeated window the branch predictor learns the
 * data. A line a figure: bench kernels NAME n=ROWS petrosa=NS [definition=NS] [running_sums=NS]
 * unit=ns/row; "holes" has 1 % of the rows missing. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "num/moment.h"
#include "num/path.h"
#include "num/rng.h"
#include "num/robust.h"
#include "num/roll.h"
#include "num/series.h"
#include "num/trend.h"
#include "num/vec.h"

enum { WINDOW = 2160, WINDOWS = 460, ROWS = 1000000, SAMPLES = 11 };

/* Columns of one market, [ROWS]; a window starts anywhere in them. */
struct market {
    double *open, *high, *low, *close, *holes, *out[3], *work;
};

static void sma(const struct market *m, size_t at, size_t n)
{
    pt_roll_mean(m->close + at, n, 20, 10, m->out[0]);
}

static void sma_plain(const struct market *m, size_t at, size_t n)
{
    const double *x = m->close + at;
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t k = 0; k < 20 && i >= 19; k++) sum += x[i - k];
        m->out[0][i] = i >= 19 ? sum / 20 : NAN;
    }
}

static void sma_holes(const struct market *m, size_t at, size_t n)
{
    pt_roll_mean(m->holes + at, n, 20, 10, m->out[0]);
}

static void deviation(const struct market *m, size_t at, size_t n)
{
    pt_roll_std(m->close + at, n, 20, 10, 1, m->out[0]);
}

static void deviation_holes(const struct market *m, size_t at, size_t n)
{
    pt_roll_std(m->holes + at, n, 20, 10, 1, m->out[0]);
}

static void deviation_plain(const struct market *m, size_t at, size_t n)
{
    const double *x = m->close + at;
    for (size_t i = 0; i < n; i++) {
        double sum = 0, squares = 0;
        for (size_t k = 0; k < 20 && i >= 19; k++) sum += x[i - k];
        for (size_t k = 0; k < 20 && i >= 19; k++)
            squares += (x[i - k] - sum / 20) * (x[i - k] - sum / 20);
        m->out[0][i] = i >= 19 ? sqrt(squares / 19) : NAN;
    }
}

static void bands(const struct market *m, size_t at, size_t n)
{
    pt_roll_mean(m->close + at, n, 20, 10, m->out[0]);
    pt_roll_std(m->close + at, n, 20, 10, 1, m->out[1]);
    pt_vec_mul_by(m->out[1], 2, n, m->out[1]);
    pt_vec_add(m->out[0], m->out[1], n, m->out[2]);
    pt_vec_sub(m->out[0], m->out[1], n, m->out[1]);
}

static void wma(const struct market *m, size_t at, size_t n)
{
    pt_roll_wma(m->close + at, n, 20, 10, m->out[0]);
}

static void wma_plain(const struct market *m, size_t at, size_t n)
{
    const double *x = m->close + at;
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t k = 0; k < 20 && i >= 19; k++) sum += (double)(20 - k) * x[i - k];
        m->out[0][i] = i >= 19 ? sum / 210 : NAN;
    }
}

static void lowest(const struct market *m, size_t at, size_t n)
{
    pt_roll_min(m->low + at, n, 20, 10, m->out[0]);
}

static void lowest_plain(const struct market *m, size_t at, size_t n)
{
    const double *x = m->low + at;
    for (size_t i = 0; i < n; i++) {
        double least = i >= 19 ? x[i] : NAN;
        for (size_t k = 1; k < 20 && i >= 19; k++) least = x[i - k] < least ? x[i - k] : least;
        m->out[0][i] = least;
    }
}

static void ema(const struct market *m, size_t at, size_t n)
{
    pt_roll_ema(m->close + at, n, 20, m->out[0]);
}

static void ema_holes(const struct market *m, size_t at, size_t n)
{
    pt_roll_ema(m->holes + at, n, 20, m->out[0]);
}

static void recursion(const double *x, size_t n, size_t width, double gain, double *out)
{
    double y = 0;
    for (size_t i = 0; i < n; i++) {
        y = i < width ? y + x[i] / (double)width : y + gain * (x[i] - y);
        out[i] = i + 1 < width ? NAN : y;
    }
}

static void ema_plain(const struct market *m, size_t at, size_t n)
{
    recursion(m->close + at, n, 20, 2.0 / 21, m->out[0]);
}

static void ewm(const struct market *m, size_t at, size_t n)
{
    pt_roll_ewm(m->close + at, n, 20, m->out[0]);
}

static void ewm_plain(const struct market *m, size_t at, size_t n)
{
    const double *x = m->close + at;
    double top = 0, weights = 0;
    for (size_t i = 0; i < n; i++) {
        top = x[i] + top * (19.0 / 21);
        weights = 1 + weights * (19.0 / 21);
        m->out[0][i] = top / weights;
    }
}

static void rsi(const struct market *m, size_t at, size_t n)
{
    pt_trend_rsi(m->close + at, n, 14, m->out[0]);
}

static void rsi_plain(const struct market *m, size_t at, size_t n)
{
    const double *x = m->close + at;
    double up = 0, down = 0;
    for (size_t i = 0; i < n; i++) {
        double change = i > 0 ? x[i] - x[i - 1] : 0, gain = change > 0 ? change : 0,
               loss = change < 0 ? -change : 0;
        up = i <= 14 ? up + gain / 14 : (up * 13 + gain) / 14;
        down = i <= 14 ? down + loss / 14 : (down * 13 + loss) / 14;
        m->out[0][i] = i < 14 ? NAN : (up + down > 0 ? 100 * up / (up + down) : 50);
    }
}

static void roc(const struct market *m, size_t at, size_t n)
{
    pt_vec_roc(m->close + at, 10, n, m->out[0]);
}

static void roc_plain(const struct market *m, size_t at, size_t n)
{
    const double *x = m->close + at;
    for (size_t i = 0; i < n; i++) m->out[0][i] = i < 10 ? NAN : 100 * (x[i] / x[i - 10] - 1);
}

static void atr(const struct market *m, size_t at, size_t n)
{
    pt_trend_atr(m->high + at, m->low + at, m->close + at, n, 14, m->out[0]);
}

static double range_plain(const struct market *m, size_t i)
{
    return fmax(m->high[i] - m->low[i],
                fmax(fabs(m->high[i] - m->close[i - 1]), fabs(m->low[i] - m->close[i - 1])));
}

static void atr_plain(const struct market *m, size_t at, size_t n)
{
    double mean = 0;
    m->out[0][0] = NAN;
    for (size_t i = 1; i < n; i++) {
        double range = range_plain(m, at + i);
        mean = i <= 14 ? mean + range / 14 : (mean * 13 + range) / 14;
        m->out[0][i] = i < 14 ? NAN : mean;
    }
}

static void adx(const struct market *m, size_t at, size_t n)
{
    pt_trend_adx(m->high + at, m->low + at, m->close + at, n, 14, m->out[0], m->out[1], m->out[2]);
}

static void adx_plain(const struct market *m, size_t at, size_t n)
{
    double range = 0, plus = 0, minus = 0, mean = 0;
    for (size_t i = 0; i < n; i++) {
        m->out[0][i] = m->out[1][i] = m->out[2][i] = NAN;
        if (i == 0) continue;
        double up = m->high[at + i] - m->high[at + i - 1],
               down = m->low[at + i - 1] - m->low[at + i];
        double keep = i <= 14 ? 1 : 13.0 / 14;
        range = range * keep + range_plain(m, at + i);
        plus = plus * keep + (up > down && up > 0 ? up : 0);
        minus = minus * keep + (down > up && down > 0 ? down : 0);
        if (i < 14) continue;
        double dx = plus + minus > 0 ? 100 * fabs(plus - minus) / (plus + minus) : 0;
        mean = i < 28 ? mean + dx / 14 : (mean * 13 + dx) / 14;
        m->out[0][i] = 100 * plus / range;
        m->out[1][i] = 100 * minus / range;
        if (i >= 27) m->out[2][i] = mean;
    }
}

static void macd(const struct market *m, size_t at, size_t n)
{
    pt_trend_macd(m->close + at, n, 12, 26, 9, m->out[0], m->out[1], m->out[2]);
}

static void macd_plain(const struct market *m, size_t at, size_t n)
{
    recursion(m->close + at, n, 12, 2.0 / 13, m->out[0]);
    recursion(m->close + at, n, 26, 2.0 / 27, m->out[1]);
    for (size_t i = 0; i < n; i++) m->out[0][i] -= m->out[1][i];
    recursion(m->out[0] + 25, n - 25, 9, 2.0 / 10, m->out[1] + 25);
    for (size_t i = 0; i < n; i++) m->out[2][i] = m->out[0][i] - m->out[1][i];
}

static void variance(const struct market *m, size_t at, size_t n)
{
    m->out[0][0] = pt_moment_var(m->close + at, n, 1);
}

static void variance_plain(const struct market *m, size_t at, size_t n)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++) mean += m->close[at + i] / (double)n;
    for (size_t i = 0; i < n; i++) squares += (m->close[at + i] - mean) * (m->close[at + i] - mean);
    m->out[0][0] = squares / (double)(n - 1);
}

static void lag_one(const struct market *m, size_t at, size_t n)
{
    m->out[0][0] = pt_series_autocorrelation(m->close + at, n, 1, NULL);
}

static void median(const struct market *m, size_t at, size_t n)
{
    m->out[0][0] = pt_robust_median(m->close + at, n, m->work);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void median_plain(const struct market *m, size_t at, size_t n)
{
    memcpy(m->work, m->close + at, n * sizeof(double));
    qsort(m->work, n, sizeof(double), ascending);
    m->out[0][0] = (m->work[(n - 1) / 2] + m->work[n / 2]) / 2;
}

static void log_returns(const struct market *m, size_t at, size_t n)
{
    pt_vec_log_return(m->close + at, NULL, n, 1, m->out[0]);
}

static void hurst(const struct market *m, size_t at, size_t n)
{
    pt_vec_diff(m->close + at, 1, n, m->out[0]);
    m->out[1][0] = pt_series_hurst(m->out[0], n, m->work);
}

static void ratios(const struct market *m, size_t at, size_t n)
{
    pt_vec_diff(m->close + at, 1, n, m->out[0]);
    for (size_t q = 2; q <= 10; q += 4) m->out[1][0] += pt_series_variance_ratio(m->out[0], n, q).z;
}

/* As the usual C libraries do it: one sum that takes the new value and gives back the old one. */
static void sma_running(const struct market *m, size_t at, size_t n)
{
    const double *x = m->close + at;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
        if (i >= 20) sum -= x[i - 20];
        m->out[0][i] = i >= 19 ? sum * (1.0 / 20) : NAN;
    }
}

static void deviation_running(const struct market *m, size_t at, size_t n)
{
    const double *x = m->close + at;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
        squares += x[i] * x[i];
        if (i >= 20) sum -= x[i - 20];
        if (i >= 20) squares -= x[i - 20] * x[i - 20];
        double var = squares * (1.0 / 20) - sum * (1.0 / 20) * (sum * (1.0 / 20));
        m->out[0][i] = i >= 19 && var > 0 ? sqrt(var) : NAN;
    }
}

static void wma_running(const struct market *m, size_t at, size_t n)
{
    const double *x = m->close + at;
    double sum = 0, heavy = 0;
    for (size_t i = 0; i < n; i++) {
        heavy += 20 * x[i] - (i >= 20 ? sum : 0);
        sum += x[i] - (i >= 20 ? x[i - 20] : 0);
        m->out[0][i] = i >= 19 ? heavy / 210 : NAN;
    }
}

typedef void kernel(const struct market *m, size_t at, size_t n);

static const struct {
    const char *name;
    kernel *ours, *plain, *running; /* the last two may be NULL */
} kernels[] = {
    { "sma20", sma, sma_plain, sma_running },
    { "sma20_holes", sma_holes, NULL, NULL },
    { "ema20", ema, ema_plain, NULL },
    { "ema20_holes", ema_holes, NULL, NULL },
    { "ewm20", ewm, ewm_plain, NULL },
    { "wma20", wma, wma_plain, wma_running },
    { "std20", deviation, deviation_plain, deviation_running },
    { "std20_holes", deviation_holes, NULL, NULL },
    { "bbands20", bands, NULL, NULL },
    { "min20", lowest, lowest_plain, NULL },
    { "roc10", roc, roc_plain, NULL },
    { "rsi14", rsi, rsi_plain, NULL },
    { "atr14", atr, atr_plain, NULL },
    { "adx14", adx, adx_plain, NULL },
    { "macd", macd, macd_plain, NULL },
    { "var", variance, variance_plain, NULL },
    { "autocorrelation", lag_one, NULL, NULL },
    { "median", median, median_plain, NULL },
    { "log_return", log_returns, NULL, NULL },
    { "hurst", hurst, NULL, NULL },
    { "variance_ratio", ratios, NULL, NULL },
};

static double once(kernel *run, const struct market *m, size_t n)
{
    size_t runs = n == WINDOW ? WINDOWS : 1;
    int64_t start = pt_mono_ns();
    for (size_t k = 0; k < runs; k++) run(m, k * WINDOW, n);
    return (double)(pt_mono_ns() - start) / (double)(runs * n);
}

/* ns a row of all three, sample by sample in turn, so that they meet the same weather; the least of
 * each, for whatever disturbs a run only adds to it. */
static void measure(kernel *const runs[3], const struct market *m, size_t n, double least[3])
{
    for (int k = 0; k < 3; k++) least[k] = INFINITY;
    for (int s = 0; s < SAMPLES; s++)
        for (int k = 0; k < 3; k++)
            if (runs[k] != NULL) least[k] = fmin(least[k], once(runs[k], m, n));
}

static bool make(struct market *m)
{
    double **columns[] = { &m->open,   &m->high,   &m->low,    &m->close, &m->holes,
                           &m->out[0], &m->out[1], &m->out[2], &m->work };
    struct pt_rng rng;
    double price = 50000;
    pt_rng_seed(&rng, 42, 0);
    for (size_t c = 0; c < sizeof(columns) / sizeof(columns[0]); c++) {
        *columns[c] = calloc(ROWS, sizeof(double));
        if (*columns[c] == NULL) return false;
    }
    for (size_t i = 0; i < ROWS; i++) {
        m->open[i] = price;
        price *= exp(0.001 * pt_rng_normal(&rng));
        m->close[i] = price;
        m->high[i] = fmax(m->open[i], price) * (1 + 0.0005 * pt_rng_uniform(&rng));
        m->low[i] = fmin(m->open[i], price) * (1 - 0.0005 * pt_rng_uniform(&rng));
        m->holes[i] = pt_rng_uniform(&rng) < 0.01 ? NAN : price;
    }
    return true;
}

/* Rolling deviation of a price walk against two passes in long double. */
static double worst_error(const struct market *m)
{
    double worst = 0;
    pt_roll_std(m->close, ROWS, 20, 10, 1, m->out[0]);
    for (size_t i = 19; i < ROWS; i++) {
        long double mean = 0, squares = 0;
        for (size_t k = 0; k < 20; k++) mean += m->close[i - k] / 20.0L;
        for (size_t k = 0; k < 20; k++)
            squares += (m->close[i - k] - mean) * (m->close[i - k] - mean);
        long double exact = sqrtl(squares / 19);
        worst = fmax(worst, (double)fabsl((m->out[0][i] - exact) / exact));
    }
    return worst;
}

int main(int argc, char **argv)
{
    struct market m;
    for (int p = 0; argc > 1 && p < pt_num_paths(); p++)
        if (strcmp(argv[1], pt_num_path_name(p)) == 0 && !pt_num_use_path(p)) return 2;
    if (!make(&m)) return 1;
    printf("# path %s\n", pt_num_path_name(pt_num_path()));
    for (size_t k = 0; k < sizeof(kernels) / sizeof(kernels[0]); k++) {
        const size_t sizes[] = { WINDOW, ROWS };
        kernel *const runs[3] = { kernels[k].ours, kernels[k].plain, kernels[k].running };
        for (size_t s = 0; s < 2; s++) {
            double least[3];
            measure(runs, &m, sizes[s], least);
            printf("bench kernels %s n=%zu petrosa=%.3f", kernels[k].name, sizes[s], least[0]);
            if (runs[1] != NULL) printf(" definition=%.3f", least[1]);
            if (runs[2] != NULL) printf(" running_sums=%.3f", least[2]);
            printf(" unit=ns/row\n");
        }
    }
    printf("bench kernels std20_worst_error n=%d petrosa=%.2e unit=relative\n", ROWS,
           worst_error(&m));
    double *owned[] = { m.open,   m.high,   m.low,    m.close, m.holes,
                        m.out[0], m.out[1], m.out[2], m.work };
    for (size_t c = 0; c < sizeof(owned) / sizeof(owned[0]); c++) free(owned[c]);
    return 0;
}
