/* Every path must give the bits of path 0, whatever the length, the alignment and the holes. */
#include "near.h"

#include "num/moment.h"
#include "num/robust.h"
#include "num/roll.h"
#include "num/series.h"
#include "num/trend.h"
#include "num/vec.h"

enum { N = 2700, COLUMNS = 40, NUMBERS = 64 };
static double open[N + 8], high[N + 8], low[N + 8], close[N + 8], other[N + 8], work[N];
static double columns[2][COLUMNS][N], numbers[2][NUMBERS];

/* Everything, of rows [from, from + n), into one set. */
static size_t run_columns(size_t from, size_t n, double (*to)[N])
{
    const double *x = close + from, *y = other + from, *h = high + from, *l = low + from;
    const size_t widths[] = { 3, 20, 67, 500 };
    size_t c = 0;
    for (size_t w = 0; w < 4; w++) {
        size_t least = pt_roll_half(widths[w]);
        pt_roll_sum(x, n, widths[w], least, to[c++]);
        pt_roll_mean(x, n, widths[w], least, to[c++]);
        pt_roll_std(x, n, widths[w], least, 1, to[c++]);
        pt_roll_var(y, n, widths[w], least, 0, to[c++]);
        pt_roll_min(x, n, widths[w], least, to[c++]);
        pt_roll_max(x, n, widths[w], least, to[c++]);
        pt_roll_wma(x, n, widths[w], least, to[c++]);
    }
    pt_roll_ewm(x, n, 20, to[c++]);
    pt_roll_ema(x, n, 20, to[c++]);
    pt_trend_rsi(x, n, 14, to[c++]);
    pt_trend_rsi_cutler(x, n, 14, to[c++]);
    pt_trend_macd(x, n, 12, 26, 9, to[c], to[c + 1], to[c + 2]);
    c += 3;
    pt_trend_adx(h, l, x, n, 14, to[c], to[c + 1], to[c + 2]);
    c += 3;
    pt_trend_atr(h, l, x, n, 14, to[c++]);
    pt_trend_efficiency(x, n, 20, to[c++]);
    return c;
}

static size_t run_numbers(size_t from, size_t n, double *to)
{
    const double *x = close + from, *y = other + from;
    size_t k = 0;
    to[k++] = pt_moment_sum(x, n);
    to[k++] = pt_moment_var(x, n, 1);
    to[k++] = pt_moment_skewness(y, n);
    to[k++] = pt_moment_kurtosis(y, n);
    to[k++] = pt_moment_jarque_bera_p(y, n, NULL);
    to[k++] = pt_moment_min(x, n);
    to[k++] = pt_moment_max(x, n);
    to[k++] = pt_moment_pearson(x, y, n, NULL);
    to[k++] = pt_moment_beta(x, y, n, NULL);
    to[k++] = pt_vec_dot(x, y, n);
    to[k++] = (double)pt_vec_count(x, n);
    to[k++] = pt_series_autocorrelation(y, n, 3, NULL);
    to[k++] = pt_series_ljung_box_p(y, n, 10, NULL);
    for (size_t q = 2; q < 12; q += 3) {
        struct pt_variance_ratio ratio = pt_series_variance_ratio(y, n, q);
        to[k++] = ratio.ratio;
        to[k++] = ratio.z;
    }
    to[k++] = pt_series_hurst(y, n, work);
    to[k++] = pt_series_half_life(y, n);
    return k;
}

static void test_every_path_gives_the_same_bits(void)
{
    double *const bars[4] = { open, high, low, close };
    int before = pt_num_path();
    unsigned compared = 0;
    for (int holes = 0; holes < 2; holes++) {
        make_bars(bars, N + 8, 1);
        struct pt_rng rng;
        pt_rng_seed(&rng, 2, 0);
        for (size_t i = 0; i < N + 8; i++) {
            other[i] = 0.01 * pt_rng_normal(&rng);
            if (holes && pt_rng_below(&rng, 30) == 0) other[i] = NAN;
            if (holes && pt_rng_below(&rng, 30) == 0) close[i] = INFINITY;
        }
        for (size_t n = 0; n < N; n += n < 80 ? 1 : 523) {
            size_t from = n % 8;
            CU_ASSERT_FATAL(pt_num_use_path(0));
            size_t wide = run_columns(from, n, columns[0]),
                   count = run_numbers(from, n, numbers[0]);
            CU_ASSERT_FATAL(wide <= COLUMNS && count <= NUMBERS);
            for (int path = 1; path < pt_num_paths(); path++) {
                if (!pt_num_use_path(path)) continue;
                run_columns(from, n, columns[1]);
                run_numbers(from, n, numbers[1]);
                for (size_t c = 0; c < wide; c++)
                    CU_ASSERT(same_bits("column", columns[1][c], columns[0][c], n));
                CU_ASSERT(same_bits(pt_num_path_name(path), numbers[1], numbers[0], count));
                compared++;
            }
        }
    }
    pt_num_use_path(before);
    if (compared == 0) pt_skip("this processor has one path only");
}

static void test_paths_have_names_and_refuse_what_is_not_there(void)
{
    int before = pt_num_path();
    CU_ASSERT(pt_num_paths() >= 1 && strcmp(pt_num_path_name(0), "base") == 0);
    CU_ASSERT(pt_num_path_name(-1) == NULL && pt_num_path_name(pt_num_paths()) == NULL);
    CU_ASSERT(!pt_num_use_path(-1) && !pt_num_use_path(pt_num_paths()) && pt_num_path() == before);
    CU_ASSERT(pt_num_use_path(0) && pt_num_path() == 0);
    CU_ASSERT(pt_num_use_path(before) && pt_num_path() == before);
}

static void test_twice_the_same_bits(void)
{
    double *const bars[4] = { open, high, low, close };
    make_bars(bars, N + 8, 3);
    for (size_t i = 0; i < N + 8; i++) other[i] = i % 17 == 0 ? NAN : close[i] / open[i] - 1;
    for (int k = 0; k < 2; k++) {
        run_columns(0, N, columns[k]);
        run_numbers(0, N, numbers[k]);
    }
    for (size_t c = 0; c < COLUMNS; c++)
        CU_ASSERT(same_bits("column", columns[0][c], columns[1][c], N));
    CU_ASSERT(same_bits("numbers", numbers[0], numbers[1], NUMBERS));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "every path gives the same bits", test_every_path_gives_the_same_bits },
        { "paths have names and refuse what is not there",
          test_paths_have_names_and_refuse_what_is_not_there },
        { "twice the same bits", test_twice_the_same_bits },
        CU_TEST_INFO_NULL,
    };
    return pt_suite_main("path", tests);
}
