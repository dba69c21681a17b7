/* Numbers that others worked out: the closed-form series, and tables printed in books. */
#include "near.h"

#include "num/moment.h"
#include "num/range.h"
#include "num/robust.h"
#include "num/roll.h"
#include "num/series.h"
#include "num/trend.h"
#include "num/vec.h"

/* C = 100 + 0.05 i + 3 sin(i / 5) and the bars around it, i = 0 .. 119. */
enum { N = 120 };
static double O[N], H[N], L[N], C[N], V[N], B[N], s[N], r[N], out[N], room[N];

static void make_series(void)
{
    for (int i = 0; i < N; i++) {
        C[i] = 100 + 0.05 * i + 3 * sin(i / 5.0);
        O[i] = i == 0 ? C[0] - 0.1 : C[i - 1];
        H[i] = fmax(O[i], C[i]) + 0.2 + 0.1 * (7 * i % 5);
        L[i] = fmin(O[i], C[i]) - 0.2 - 0.1 * (3 * i % 4);
        V[i] = 100 + 10 * (13 * i % 7);
        B[i] = V[i] * (0.5 + 0.1 * sin(i / 3.0));
    }
    pt_vec_simple_return(C, NULL, N, 0, s);
    pt_vec_log_return(C, NULL, N, 0, r);
}

static double final(const double *column)
{
    return column[N - 1];
}

static void closed_form(void)
{
    const double digits = 2e-9;
    make_series();
    CHECK_NEAR(C[N - 1], 103.0346047, digits);
    pt_roll_std(s, N, 20, 10, 1, out);
    CHECK_NEAR(final(out), 0.002666702165, digits);
    CHECK_NEAR(final(out) * sqrt(252), 0.0423325845, digits);
    CHECK_NEAR(pt_moment_std(out + N - 20, 20, 1), 0.000652974209, digits);
    CHECK_NEAR(pt_range_parkinson(H, L, N, 20), 0.00614486869, digits);
    CHECK_NEAR(pt_range_garman_klass(O, H, L, C, N, 20), 0.00693341602, digits);

    const double *day = V + N - 24;
    CHECK_NEAR(pt_moment_sum(day, 24), 3060, 0);
    CHECK_NEAR(pt_moment_mean(V + N - 20, 20), 128.5, 0);
    CHECK_NEAR(pt_roll_ewm_last(day, 24, 20), 125.4476462, digits);
    CHECK_NEAR(final(V) / pt_robust_median(day, 24, room), 0.8, 1e-15);
    pt_vec_mul_by(B, 2, N, out);
    pt_vec_sub(out, V, N, out);
    CHECK_NEAR(pt_moment_sum(out + N - 24, 24), 104.7823915, digits);

    pt_roll_mean(C, N, 20, 10, out);
    CHECK_NEAR(final(out), 105.5993568, digits);
    pt_roll_mean(C, N, 50, 25, out);
    CHECK_NEAR(final(out), 104.6959407, digits);
    CHECK_NEAR(pt_roll_ewm_last(C, N, 20), 104.5100111, digits);
    pt_roll_wma(C, N, 20, 10, out);
    CHECK_NEAR(final(out), 104.5189545, digits);
    pt_vec_roc(C, 10, N, out);
    CHECK_NEAR(final(out), -2.815842756, digits);
    pt_vec_compare(C, PT_GT, O, N, out);
    CHECK_NEAR(100 * pt_moment_mean(out + N - 20, 20), 30, 0);
    pt_trend_rsi_cutler(C, N, 14, out);
    CHECK_NEAR(final(out), 2.897716422, digits);
    pt_trend_rsi(C, N, 14, out);
    CHECK_NEAR(final(out), 31.25223471, digits);

    const double *last = C + N - 20;
    double sd = pt_moment_std(last, 20, 1), mean = pt_moment_mean(last, 20);
    CHECK_NEAR(sd, 2.079952158, digits);
    CHECK_NEAR(pt_moment_var(last, 20, 1), 4.326200981, digits);
    CHECK_NEAR(mean + 2 * sd, 109.7592611, digits);
    CHECK_NEAR(mean - 2 * sd, 101.4394525, digits);
    CHECK_NEAR((final(C) - mean) / sd, -1.233082289, digits);
    double low = pt_moment_min(last, 20), high = pt_moment_max(last, 20);
    CHECK_NEAR((final(C) - low) / (high - low), 0.02788532644, digits);
    CHECK_NEAR(sd / mean, 0.01969663661, digits);
    CHECK_NEAR(pt_series_autocorrelation(C, N, 1, NULL), 0.9863956388, digits);
    CHECK_NEAR(pt_series_autocorrelation(r, N, 1, NULL), 0.9796588185, digits);
    CHECK_NEAR(pt_moment_skewness(last, 20), -0.09738885603, digits);
    CHECK_NEAR(pt_moment_kurtosis(last, 20), -1.7688269, digits);
    CHECK_NEAR(pt_moment_skewness(r + N - 20, 20), 0.5216587574, digits);
    CHECK_NEAR(pt_moment_kurtosis(r + N - 20, 20), -0.9513958574, digits);
    CHECK_NEAR((final(C) - pt_moment_mean(C, N)) / pt_moment_std(C, N, 1), -0.009171816232, 1e-8);
    double middle, mad = pt_robust_mad(C, N, room, &middle);
    CHECK_NEAR(0.6745 * fabs(final(C) - middle) / mad, 0.007675881152, 1e-8);
}

static void test_the_closed_form_series(void)
{
    on_every_path(closed_form);
}

/* Achelis, Technical Analysis from A to Z, p. 299 (RSI 5), p. 366 (Wilder's smoothing 5), p. 213
 * (WMA 5), p. 207 (SMA 5). */
static void test_tables_of_achelis(void)
{
    const double closes[] = { 37.875, 39.5,    38.75,  39.8125, 40,      39.875,  40.1875,
                              41.25,  41.125,  41.625, 41.25,   40.1875, 39.9375, 39.9375,
                              40.5,   41.9375, 42.25,  42.25,   41.875,  41.875 };
    const double rsi[] = { 76.6667, 78.8679, 84.9158, 81.4863, 84.5968, 73.0851, 49.3173, 45.0119,
                           45.0119, 57.9252, 75.9596, 78.4676, 78.4676, 65.6299, 65.6299 };
    const double mail[] = { 62.125, 61.125,  62.3438, 65.3125, 63.9688, 63.4375,
                            63,     63.7812, 63.4062, 63.4062, 62.4375, 61.8438 };
    const double wilder[] = {
        62.975, 63.0675, 63.054, 63.1995, 63.2408, 63.2739, 63.1066, 62.8540
    };
    const double peanut[] = { 25, 24.875, 24.7813, 24.5938, 24.5, 24.625, 25.2188, 27.25 };
    const double sma[] = { 24.75, 24.675, 24.744, 25.238 },
                 wma[] = { 24.6646, 24.6229, 24.8042, 25.6396 };
    double got[20];
    pt_trend_rsi(closes, 20, 5, got);
    for (size_t i = 0; i < 15; i++) CU_ASSERT(fabs(got[5 + i] - rsi[i]) < 6e-5);
    pt_roll_wilder(mail, 12, 5, got);
    for (size_t i = 0; i < 8; i++) CU_ASSERT(fabs(got[4 + i] - wilder[i]) < 6e-5);
    pt_roll_mean(peanut, 8, 5, 5, got);
    for (size_t i = 0; i < 4; i++) CU_ASSERT(fabs(got[4 + i] - sma[i]) < 6e-4);
    pt_roll_wma(peanut, 8, 5, 5, got);
    for (size_t i = 0; i < 4; i++) CU_ASSERT(fabs(got[4 + i] - wma[i]) < 6e-5);
}

static FILE *sheet(const char *name)
{
    const char *folder = getenv("PETROSA_DATA_DIR"), *root = getenv("PETROSA_SOURCE");
    char path[4096];
    if (folder != NULL)
        snprintf(path, sizeof(path), "%s/indicators/stockcharts_sheets/%s", folder, name);
    else
        snprintf(path, sizeof(path), "%s/../shared/data/indicators/stockcharts_sheets/%s",
                 root != NULL ? root : ".", name);
    return fopen(path, "r");
}

/* Cells of a line as numbers, NaN where there is none. */
static size_t cells(char *line, double *to, size_t most)
{
    size_t count = 0;
    for (char *at = line, *comma; at != NULL && count < most; at = comma) {
        char *end;
        comma = strchr(at, ',');
        if (comma != NULL) *comma++ = '\0';
        double value = strtod(at, &end);
        to[count++] = end == at ? NAN : value;
    }
    return count;
}

/* The sheet with Wilder's directional movement, row by row: 14 sums, as here. */
static void test_the_directional_movement_sheet(void)
{
    enum { ROWS = 505 };
    static double high[ROWS], low[ROWS], close[ROWS], want[4][ROWS], plus[ROWS], minus[ROWS],
        adx[ROWS], range[ROWS];
    char *line = NULL;
    size_t size = 0, n = 0;
    FILE *in = sheet("cs-adx.csv");
    if (in == NULL) {
        pt_skip("no market data: set PETROSA_DATA_DIR");
        return;
    }
    bool more = getline(&line, &size, in) >= 0; /* its first line names the columns */
    while (more && n < ROWS && getline(&line, &size, in) >= 0) {
        double cell[16];
        if (cells(line, cell, 16) < 16) continue;
        high[n] = cell[1], low[n] = cell[2], close[n] = cell[3];
        want[0][n] = cell[4], want[1][n] = cell[10], want[2][n] = cell[11], want[3][n] = cell[15];
        n++;
    }
    free(line);
    fclose(in);
    CU_ASSERT_FATAL(n > 400);
    pt_trend_true_range(high, low, close, n, range);
    pt_trend_adx(high, low, close, n, 14, plus, minus, adx);
    CU_ASSERT(near_all("true range", range + 1, want[0] + 1, n - 1, 1e-6, 1));
    CU_ASSERT(near_all("+DI", plus + 14, want[1] + 14, n - 14, 1e-6, 1));
    CU_ASSERT(near_all("-DI", minus + 14, want[2] + 14, n - 14, 1e-6, 1));
    CU_ASSERT(near_all("ADX", adx + 27, want[3] + 27, n - 27, 1e-6, 1));
    CU_ASSERT(isnan(plus[13]) && isnan(adx[26]));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "the closed-form series", test_the_closed_form_series },
        { "tables of Achelis", test_tables_of_achelis },
        { "the directional movement sheet", test_the_directional_movement_sheet },
        CU_TEST_INFO_NULL,
    };
    return pt_suite_main("published", tests);
}
