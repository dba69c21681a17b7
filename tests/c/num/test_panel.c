#include "near.h"

#include "num/moment.h"
#include "num/panel.h"

enum { SERIES = 50, ROWS = 2500, CELLS = SERIES * SERIES };
static double cells[SERIES][ROWS], got[CELLS], want[CELLS], values[SERIES], vectors[CELLS];
static const double *columns[SERIES];
static uint32_t overlap[CELLS];

/* Returns with one common part, heavy-tailed; then `missing` of 1000 cells are taken out. */
static struct pt_panel make_panel(size_t series, size_t rows, uint64_t seed, uint64_t missing)
{
    struct pt_rng rng;
    pt_rng_seed(&rng, seed, 0);
    for (size_t t = 0; t < rows; t++) {
        double market = pt_rng_normal(&rng);
        for (size_t i = 0; i < series; i++) {
            double own = pt_rng_normal(&rng) * (pt_rng_below(&rng, 50) == 0 ? 8 : 1);
            cells[i][t] = 0.003 * ((double)(i % 7) / 4 * market + own) + 0.01 * (double)i;
            if (pt_rng_below(&rng, 1000) < missing)
                cells[i][t] = pt_rng_below(&rng, 3) == 0 ? INFINITY : NAN;
        }
    }
    for (size_t i = 0; i < series; i++) columns[i] = cells[i];
    return (struct pt_panel){ columns, series, rows };
}

static double plain_pearson(const double *x, const double *y, size_t n, size_t *used)
{
    long double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
    size_t m = 0;
    for (size_t t = 0; t < n; t++) {
        if (!isfinite(x[t]) || !isfinite(y[t])) continue;
        mx += x[t];
        my += y[t];
        m++;
    }
    *used = m;
    for (size_t t = 0; t < n; t++) {
        if (!isfinite(x[t]) || !isfinite(y[t])) continue;
        long double a = x[t] - mx / (long double)m, b = y[t] - my / (long double)m;
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    return m < 2 ? NAN : (double)(xy / sqrtl(xx * yy));
}

static void check_pearson(const struct pt_panel *p, size_t least)
{
    size_t used, missing = 0;
    CU_ASSERT_FATAL(pt_panel_pearson(p, least, got, overlap, NULL) == PT_OK);
    for (size_t i = 0; i < p->series; i++) {
        for (size_t j = 0; j < p->series; j++) {
            double r = plain_pearson(p->x[i], p->x[j], p->rows, &used);
            if (used < least || isnan(r)) r = NAN;
            missing += isnan(r) != 0;
            bool same = near_to(got[i * p->series + j], r, 1e-12, 1);
            if (!same) printf("\n  %zu %zu: %.17g, want %.17g\n", i, j, got[i * p->series + j], r);
            CU_ASSERT_FATAL(same && overlap[i * p->series + j] == used);
            CU_ASSERT_FATAL(i != j || isnan(r) || got[i * p->series + j] == 1);
        }
    }
    CU_ASSERT(missing < p->series * p->series);
}

static void compare_with_the_definition(void)
{
    const size_t sizes[][2] = { { 1, 5 }, { 2, 2 }, { 33, 700 }, { SERIES, ROWS } };
    const uint64_t missing[] = { 0, 10, 200, 500, 900 };
    for (size_t s = 0; s < 4; s++) {
        for (size_t m = 0; m < 5; m++) {
            if (s < 2 && m > 0) continue;
            struct pt_panel p = make_panel(sizes[s][0], sizes[s][1], 10 * s + m, missing[m]);
            check_pearson(&p, s < 2 ? 2 : 12);
        }
    }
}

static void test_pearson_matches_its_definition_on_every_path(void)
{
    on_every_path(compare_with_the_definition);
}

static void test_full_series_keep_their_numbers_beside_one_with_gaps(void)
{
    struct pt_panel p = make_panel(SERIES, 700, 1, 0);
    CU_ASSERT_FATAL(pt_panel_pearson(&p, 20, want, NULL, NULL) == PT_OK);
    for (size_t t = 100; t < 650; t++) cells[9][t] = NAN;
    CU_ASSERT_FATAL(pt_panel_pearson(&p, 20, got, overlap, NULL) == PT_OK);
    for (size_t i = 0; i < SERIES; i++) {
        for (size_t j = 0; j < SERIES; j++) {
            bool gap = i == 9 || j == 9;
            CU_ASSERT(overlap[i * SERIES + j] == (gap ? 150 : 700));
            CU_ASSERT(gap || near_to(got[i * SERIES + j], want[i * SERIES + j], 1e-13, 1));
        }
    }
    check_pearson(&p, 20);
}

static void test_too_short_an_overlap_is_no_correlation(void)
{
    struct pt_panel p = make_panel(3, 100, 2, 0);
    for (size_t t = 0; t < 100; t++) cells[t < 60 ? 0 : 1][t] = NAN; /* 0 and 1 never meet */
    cells[0][59] = 1;
    CU_ASSERT_FATAL(pt_panel_pearson(&p, 0, got, overlap, NULL) == PT_OK);
    CU_ASSERT(overlap[1] == 1 && isnan(got[1]) && isnan(got[3]));
    CU_ASSERT(overlap[2] == 41 && !isnan(got[2]));
    CU_ASSERT_FATAL(pt_panel_pearson(&p, 42, got, NULL, NULL) == PT_OK);
    CU_ASSERT(isnan(got[0]) && isnan(got[2]) && got[4] == 1 && got[8] == 1 && !isnan(got[5]));
    CU_ASSERT_FATAL(pt_panel_pearson(&p, 101, got, NULL, NULL) == PT_OK);
    CU_ASSERT(isnan(got[8]));
}

static void test_a_flat_series_has_no_correlation(void)
{
    struct pt_panel p = make_panel(4, 300, 3, 0);
    for (size_t t = 0; t < 300; t++) {
        cells[1][t] = 0.1;
        if (t >= 40) cells[2][t] = 0.3; /* flat where 3 is there */
        if (t < 40) cells[3][t] = NAN;
    }
    CU_ASSERT_FATAL(pt_panel_pearson(&p, 2, got, overlap, NULL) == PT_OK);
    for (size_t i = 0; i < 4; i++) CU_ASSERT(isnan(got[4 + i]) && isnan(got[4 * i + 1]));
    CU_ASSERT(isnan(got[11]) && overlap[11] == 260 && !isnan(got[2]) && !isnan(got[3]));
    CU_ASSERT(isnan(pt_moment_pearson(cells[2], cells[3], 300, NULL)));
}

static void test_a_calm_overlap_of_a_wild_series_is_done_by_itself(void)
{
    struct pt_panel p = make_panel(2, 1000, 4, 0);
    for (size_t t = 0; t < 500; t++) {
        cells[0][t] *= 1e9;
        cells[1][t] = NAN;
    }
    size_t used;
    CU_ASSERT_FATAL(pt_panel_pearson(&p, 20, got, NULL, NULL) == PT_OK);
    CHECK_NEAR(got[1], plain_pearson(cells[0], cells[1], 1000, &used), 1e-12);
}

static void test_size_and_place_of_values_do_not_matter(void)
{
    const double scale[] = { 1e-140, 1e-6, 1e140, -1 };
    struct pt_panel p = make_panel(4, 400, 5, 20);
    CU_ASSERT_FATAL(pt_panel_pearson(&p, 20, want, NULL, NULL) == PT_OK);
    for (size_t i = 0; i < 4; i++)
        for (size_t t = 0; t < 400; t++) cells[i][t] *= scale[i];
    CU_ASSERT_FATAL(pt_panel_pearson(&p, 20, got, NULL, NULL) == PT_OK);
    for (size_t k = 0; k < 16; k++)
        CHECK_NEAR(got[k] * (k % 4 == 3 ? -1 : 1) * (k / 4 == 3 ? -1 : 1), want[k], 1e-12);
}

static void test_a_panel_twice_gives_the_same_bits(void)
{
    struct pt_panel p = make_panel(SERIES, ROWS, 6, 30);
    CU_ASSERT_FATAL(pt_panel_pearson(&p, 20, got, NULL, NULL) == PT_OK);
    CU_ASSERT_FATAL(pt_panel_pearson(&p, 20, want, NULL, NULL) == PT_OK);
    CU_ASSERT(same_bits("again", got, want, CELLS));
}

static void test_paths_agree_to_the_bit(void)
{
    int before = pt_num_path();
    struct pt_panel p = make_panel(SERIES, ROWS, 6, 300);
    pt_num_use_path(0);
    CU_ASSERT_FATAL(pt_panel_pearson(&p, 20, want, NULL, NULL) == PT_OK);
    for (int path = 1; path < pt_num_paths(); path++) {
        if (!pt_num_use_path(path)) continue;
        CU_ASSERT(pt_panel_pearson(&p, 20, got, NULL, NULL) == PT_OK);
        CU_ASSERT(same_bits(pt_num_path_name(path), got, want, CELLS));
    }
    pt_num_use_path(before);
}

static void test_an_empty_panel_and_one_too_large(void)
{
    struct pt_err err;
    struct pt_panel none = { columns, 0, 100 }, no_rows = make_panel(2, 0, 1, 0);
    CU_ASSERT(pt_panel_pearson(&none, 2, got, overlap, &err) == PT_OK);
    CU_ASSERT(pt_panel_pearson(&no_rows, 2, got, overlap, &err) == PT_OK && isnan(got[0]) &&
              isnan(got[1]) && overlap[1] == 0);
    struct pt_panel wide = { columns, PT_PANEL_SERIES + 1, 2 };
    struct pt_panel deep = { columns, 2, PT_PANEL_ROWS + (size_t)1 };
    CU_ASSERT(pt_panel_pearson(&wide, 2, got, NULL, &err) == PT_ERANGE);
    CU_ASSERT(pt_panel_spearman(&deep, 2, got, NULL, &err) == PT_ERANGE);
    CU_ASSERT(pt_panel_eigen(got, PT_PANEL_SERIES + 1, values, NULL, &err) == PT_ERANGE);
    double s;
    CU_ASSERT(pt_panel_ledoit_wolf(&wide, &s, NULL, NULL, &err) == PT_ERANGE && isnan(s));
    CU_ASSERT(pt_panel_ledoit_wolf(&none, &s, NULL, NULL, &err) == PT_OK && isnan(s));
    struct pt_panel_spectrum spectrum;
    CU_ASSERT(pt_panel_repair(got, 0, &spectrum, NULL, &err) == PT_OK && spectrum.kept == 0);
}

static void test_independent_walks_do_not_correlate(void)
{
    /* on returns; on prices more than a third would exceed 0.5 */
    enum { PAIRS = 1000, BARS = 720 };
    static double one[BARS], two[BARS], levels[2][BARS];
    size_t high = 0, high_levels = 0;
    for (uint64_t k = 0; k < PAIRS; k++) {
        double r[4];
        struct pt_rng rng;
        pt_rng_seed(&rng, 2024, k);
        for (size_t t = 0; t < BARS; t++) {
            one[t] = 0.01 * pt_rng_normal(&rng);
            two[t] = 0.01 * pt_rng_normal(&rng);
            levels[0][t] = one[t] + (t > 0 ? levels[0][t - 1] : 0);
            levels[1][t] = two[t] + (t > 0 ? levels[1][t - 1] : 0);
        }
        const double *pair[] = { one, two };
        CU_ASSERT_FATAL(pt_panel_pearson(&(struct pt_panel){ pair, 2, BARS }, 20, r, NULL, NULL) ==
                        PT_OK);
        high += fabs(r[1]) > 0.5;
        high_levels += fabs(pt_moment_pearson(levels[0], levels[1], BARS, NULL)) > 0.5;
    }
    CU_ASSERT(high < PAIRS / 100);
    CU_ASSERT(high_levels > PAIRS / 5);
}

static void test_eigenvectors_are_what_the_word_says(void)
{
    struct pt_panel p = make_panel(SERIES, 90, 7, 0);
    CU_ASSERT_FATAL(pt_panel_pearson(&p, 2, got, NULL, NULL) == PT_OK);
    CU_ASSERT_FATAL(pt_panel_eigen(got, SERIES, values, vectors, NULL) == PT_OK);
    double alone[SERIES], sum = 0;
    CU_ASSERT_FATAL(pt_panel_eigen(got, SERIES, alone, NULL, NULL) == PT_OK);
    CU_ASSERT(near_all("values", alone, values, SERIES, 1e-12, SERIES));
    for (size_t k = 0; k < SERIES; k++) {
        sum += values[k];
        CU_ASSERT(k == 0 || values[k] >= values[k - 1]);
        for (size_t i = 0; i < SERIES; i++) {
            double row = 0, dot = 0;
            for (size_t j = 0; j < SERIES; j++) {
                row += got[i * SERIES + j] * vectors[k * SERIES + j];
                dot += vectors[i * SERIES + j] * vectors[k * SERIES + j];
            }
            CU_ASSERT(near_to(row, values[k] * vectors[k * SERIES + i], 1e-12, SERIES));
            CU_ASSERT(near_to(dot, i == k, 1e-12, 1));
        }
    }
    CHECK_NEAR(sum, SERIES, 1e-12);
}

static void test_repair_makes_a_broken_matrix_whole(void)
{
    double m[9] = { 1, 0.9, -0.9, 0.9, 1, 0.9, -0.9, 0.9, 1 }, v[3];
    struct pt_panel_spectrum s;
    CU_ASSERT_FATAL(pt_panel_repair(m, 3, &s, NULL, NULL) == PT_OK);
    CHECK_NEAR(s.lowest, -0.8, 1e-14); /* 1.9, 1.9, -0.8 */
    CU_ASSERT(s.repaired && s.kept == 3);
    CHECK_NEAR(s.first_share, 0.5, 1e-14);
    CHECK_NEAR(m[1], 0.5, 1e-14); /* two equal eigenvalues 1.5: all |r| = 1/2 */
    CHECK_NEAR(m[2], -0.5, 1e-14);
    CU_ASSERT(m[0] == 1 && m[4] == 1 && m[8] == 1 && m[1] == m[3] && m[2] == m[6]);
    CU_ASSERT(pt_panel_eigen(m, 3, v, NULL, NULL) == PT_OK && v[0] > -1e-14);
}

static void test_a_sound_matrix_is_left_as_it_is(void)
{
    struct pt_panel p =
        make_panel(SERIES, SERIES - 10, 8, 0); /* more series than rows: eigenvalues of 0 */
    struct pt_panel_spectrum s;
    CU_ASSERT_FATAL(pt_panel_pearson(&p, 2, got, NULL, NULL) == PT_OK);
    memcpy(want, got, sizeof(got));
    CU_ASSERT_FATAL(pt_panel_repair(got, SERIES, &s, NULL, NULL) == PT_OK);
    CU_ASSERT(!s.repaired && fabs(s.lowest) < 1e-12 && same_bits("sound", got, want, CELLS));
    CU_ASSERT_FATAL(pt_panel_eigen(got, SERIES, values, NULL, NULL) == PT_OK);
    CHECK_NEAR(s.first_share, values[SERIES - 1] / SERIES, 0);
}

static void test_series_with_missing_entries_take_no_part(void)
{
    enum { M = 5 };
    size_t kept[M];
    struct pt_panel_spectrum s;
    double m[M * M];
    for (size_t i = 0; i < M; i++)
        for (size_t j = 0; j < M; j++) m[i * M + j] = i == j ? 1 : 0.25;
    for (size_t i = 0; i < M; i++) m[1 * M + i] = m[i * M + 1] = NAN; /* 1 is dead */
    m[3 * M + 4] = m[4 * M + 3] = NAN;                                /* 3 and 4 never meet */
    CU_ASSERT_FATAL(pt_panel_repair(m, M, &s, kept, NULL) == PT_OK);
    CU_ASSERT(s.kept == 3 && kept[0] == 0 && kept[1] == 2 && kept[2] == 4);
    CHECK_NEAR(s.first_share, 1.5 / 3, 1e-14);
    CHECK_NEAR(pt_panel_mean(m, M), 0.25, 0);
    for (size_t k = 0; k < M * M; k++) m[k] = NAN;
    CU_ASSERT_FATAL(pt_panel_repair(m, M, &s, NULL, NULL) == PT_OK);
    CU_ASSERT(s.kept == 0 && isnan(s.first_share) && isnan(s.lowest) && isnan(pt_panel_mean(m, M)));
}

/* Ledoit and Wolf's own sums, no shortcuts. */
static double plain_shrinkage(const struct pt_panel *p, size_t *used)
{
    static double z[SERIES][ROWS];
    size_t n = 0, series = p->series;
    double shift[SERIES] = { 0 }, size[SERIES] = { 0 };
    for (size_t t = 0; t < p->rows; t++) {
        bool all = true;
        for (size_t i = 0; i < series; i++) all = all && isfinite(p->x[i][t]);
        for (size_t i = 0; i < series && all; i++) shift[i] += z[i][n] = p->x[i][t];
        n += all;
    }
    *used = n;
    for (size_t i = 0; i < series; i++)
        for (size_t t = 0; t < n; t++) size[i] += pow(z[i][t] - shift[i] / (double)n, 2);
    for (size_t i = 0; i < series; i++)
        for (size_t t = 0; t < n; t++)
            z[i][t] = (z[i][t] - shift[i] / (double)n) / sqrt(size[i] / (double)n);
    double d2 = 0, b2 = 0;
    for (size_t i = 0; i < series; i++) {
        for (size_t j = 0; j < series; j++) {
            double s = 0;
            for (size_t t = 0; t < n; t++) s += z[i][t] * z[j][t] / (double)n;
            d2 += (s - (i == j)) * (s - (i == j));
            for (size_t t = 0; t < n; t++)
                b2 += pow(z[i][t] * z[j][t] - s, 2) / (double)n / (double)n;
        }
    }
    return (b2 < d2 ? b2 : d2) / d2;
}

static void test_shrinkage_matches_ledoit_and_wolf(void)
{
    size_t used, rows;
    double s, again;
    for (uint64_t missing = 0; missing <= 20; missing += 10) {
        struct pt_panel p = make_panel(30, 600, 9 + missing, missing);
        CU_ASSERT_FATAL(pt_panel_ledoit_wolf(&p, &s, &rows, got, NULL) == PT_OK);
        CHECK_NEAR(s, plain_shrinkage(&p, &used), 1e-11);
        CU_ASSERT(rows == used && s > 0 && s < 1);
        CU_ASSERT(pt_panel_ledoit_wolf(&p, &again, NULL, NULL, NULL) == PT_OK && again == s);
        if (missing == 0) {
            pt_panel_pearson(&p, 2, want, NULL, NULL);
            for (size_t k = 0; k < 900; k++)
                CHECK_NEAR(got[k], k % 31 == 0 ? 1 : (1 - s) * want[k], 1e-12);
        }
    }
}

static void test_shrinkage_needs_twenty_whole_rows_and_a_spread(void)
{
    size_t rows;
    double s;
    struct pt_panel p = make_panel(3, 40, 12, 0);
    for (size_t t = 19; t < 40; t++) cells[t % 3][t] = NAN;
    CU_ASSERT(pt_panel_ledoit_wolf(&p, &s, &rows, got, NULL) == PT_OK);
    CU_ASSERT(rows == 19 && isnan(s) && isnan(got[0]) && isnan(got[1]));
    cells[19 % 3][19] = 0.5;
    CU_ASSERT(pt_panel_ledoit_wolf(&p, &s, &rows, got, NULL) == PT_OK && rows == 20 && !isnan(s));
    for (size_t t = 0; t < 20; t++) cells[2][t] = 7;
    CU_ASSERT(pt_panel_ledoit_wolf(&p, &s, &rows, NULL, NULL) == PT_OK && isnan(s));
    p.series = 1; /* nothing to shrink */
    CU_ASSERT(pt_panel_ledoit_wolf(&p, &s, &rows, NULL, NULL) == PT_OK && s == 0);
}

static void test_fisher_intervals(void)
{
    struct pt_interval i = pt_panel_fisher(0.5, 103);
    CHECK_NEAR(atanh(i.high) - atanh(0.5), 0.1959964, 1e-12);
    CHECK_NEAR(atanh(0.5) - atanh(i.low), 0.1959964, 1e-12);
    i = pt_panel_fisher(1, 20);
    CU_ASSERT(i.low == 1 && i.high == 1);
    i = pt_panel_fisher(-1, 20);
    CU_ASSERT(i.low == -1 && i.high == -1);
    i = pt_panel_fisher(0.2, 3);
    CU_ASSERT(isnan(i.low) && isnan(i.high));
    CU_ASSERT(isnan(pt_panel_fisher(NAN, 50).low) && isnan(pt_panel_fisher(1.01, 50).high));
}

static void test_breadth_counts_series_with_a_last_bar(void)
{
    const double x[6][5] = { { 1, 2, 3, 4, 5 },   { 5, 4, 3, 2, 1 },     { 1, 9, 1, NAN, 8 },
                             { 1, 2, 3, 4, NAN }, { NAN, NAN, 7, 7, 7 }, { 3, 3, 3, 1, 2 } };
    const double *rows[] = { x[0], x[1], x[2], x[3], x[4], x[5] };
    struct pt_panel p = { rows, 6, 5 };
    struct pt_breadth b = pt_panel_breadth(&p, 4);
    CU_ASSERT(b.count == 4 && b.above == 2 && b.advancing == 2 && b.declining == 1);
    CHECK_NEAR(b.above_pct, 50, 0);
    CHECK_NEAR(b.advancing_pct, 50, 0);
    CHECK_NEAR(b.advance_decline, 1, 0);
    b = pt_panel_breadth(&p, 6);
    CU_ASSERT(b.count == 0 && isnan(b.above_pct) && isnan(b.advance_decline));
    p.rows = 0;
    CU_ASSERT(pt_panel_breadth(&p, 1).count == 0);
}

static void test_breadth_of_what_never_moved_is_not_above(void)
{
    double x[50];
    const double *rows[] = { x };
    for (size_t t = 0; t < 50; t++) x[t] = 0.1; /* their sum is 4.999.. */
    const struct pt_panel p = { rows, 1, 50 };
    struct pt_breadth b = pt_panel_breadth(&p, 50);
    CU_ASSERT(b.count == 1 && b.above == 0 && b.advancing == 0 && b.declining == 0);
}

static void test_this_blas_may_be_used(void)
{
    struct pt_err err;
    CU_ASSERT(pt_panel_blas_check(&err) == PT_OK);
    CU_ASSERT(pt_panel_blas_warm(&err) == PT_OK);
    CU_ASSERT(pt_panel_blas_core() != NULL && pt_panel_blas_core()[0] != '\0');
}

/* The columns of the golden input that are returns, one of them full, two with gaps. */
static struct pt_panel golden_panel(void)
{
    const char *names[] = { "log_return", "other", "gappy", "flow", "young" };
    for (size_t i = 0; i < 5; i++) {
        CU_ASSERT_FATAL(golden(i < 3 ? "input" : "panel", names[i], cells[i], ROWS) == 300);
        columns[i] = cells[i] + 1; /* row 0 has no return */
    }
    return (struct pt_panel){ columns, 5, 299 };
}

static void test_matches_pandas_and_scikit_learn(void)
{
    struct pt_panel p = golden_panel();
    double room[64], s;
    size_t rows;
    CU_ASSERT_FATAL(pt_panel_pearson(&p, 20, got, overlap, NULL) == PT_OK);
    CU_ASSERT_FATAL(golden("panel", "pearson", want, CELLS) == 25);
    CU_ASSERT(near_all("pearson", got, want, 25, 1e-11, 0));
    CU_ASSERT_FATAL(golden("panel", "overlap", want, CELLS) == 25);
    for (size_t k = 0; k < 25; k++) CU_ASSERT((double)overlap[k] == want[k]);
    CU_ASSERT_FATAL(golden("panel", "eigenvalues", want, CELLS) == 5);
    CU_ASSERT(pt_panel_eigen(got, 5, values, NULL, NULL) == PT_OK);
    CU_ASSERT(near_all("eigenvalues", values, want, 5, 1e-11, 1));
    CU_ASSERT_FATAL(golden("panel", "mean", room, 64) == 1);
    CHECK_NEAR(pt_panel_mean(got, 5), room[0], 1e-11);
    CU_ASSERT(pt_panel_ledoit_wolf(&p, &s, &rows, got, NULL) == PT_OK);
    CU_ASSERT_FATAL(golden("panel", "ledoit_wolf", room, 64) == 2);
    CHECK_NEAR(s, room[0], 1e-10);
    CHECK_NEAR((double)rows, room[1], 0);
    CU_ASSERT_FATAL(golden("panel", "shrunk", want, CELLS) == 25);
    CU_ASSERT(near_all("shrunk", got, want, 25, 1e-10, 0));
    CU_ASSERT_FATAL(golden("panel", "fisher", room, 64) == 2);
    struct pt_interval i = pt_panel_fisher(0.678824, 299);
    CHECK_NEAR(i.low, room[0], 1e-12);
    CHECK_NEAR(i.high, room[1], 1e-12);
    CU_ASSERT_FATAL(golden("panel", "broken", got, CELLS) == 36);
    struct pt_panel_spectrum spectrum;
    CU_ASSERT(pt_panel_repair(got, 6, &spectrum, NULL, NULL) == PT_OK && spectrum.repaired);
    CU_ASSERT_FATAL(golden("panel", "repaired", want, CELLS) == 36);
    CU_ASSERT(near_all("repaired", got, want, 36, 1e-11, 1));
    CU_ASSERT_FATAL(golden("panel", "repaired_spectrum", room, 64) == 2);
    CHECK_NEAR(spectrum.lowest, room[0], 1e-11);
    CHECK_NEAR(spectrum.first_share, room[1], 1e-11);
}

int main(void)
{
    pt_panel_blas_one_thread();
    CU_TestInfo tests[] = {
        { "Pearson matches its definition on every path",
          test_pearson_matches_its_definition_on_every_path },
        { "full series keep their numbers beside one with gaps",
          test_full_series_keep_their_numbers_beside_one_with_gaps },
        { "too short an overlap is no correlation", test_too_short_an_overlap_is_no_correlation },
        { "a flat series has no correlation", test_a_flat_series_has_no_correlation },
        { "a calm overlap of a wild series is done by itself",
          test_a_calm_overlap_of_a_wild_series_is_done_by_itself },
        { "size and place of values do not matter", test_size_and_place_of_values_do_not_matter },
        { "a panel twice gives the same bits", test_a_panel_twice_gives_the_same_bits },
        { "paths agree to the bit", test_paths_agree_to_the_bit },
        { "an empty panel and one too large", test_an_empty_panel_and_one_too_large },
        { "independent walks do not correlate", test_independent_walks_do_not_correlate },
        { "eigenvectors are what the word says", test_eigenvectors_are_what_the_word_says },
        { "repair makes a broken matrix whole", test_repair_makes_a_broken_matrix_whole },
        { "a sound matrix is left as it is", test_a_sound_matrix_is_left_as_it_is },
        { "series with missing entries take no part",
          test_series_with_missing_entries_take_no_part },
        { "shrinkage matches Ledoit and Wolf", test_shrinkage_matches_ledoit_and_wolf },
        { "shrinkage needs twenty whole rows and a spread",
          test_shrinkage_needs_twenty_whole_rows_and_a_spread },
        { "Fisher intervals", test_fisher_intervals },
        { "breadth counts series with a last bar", test_breadth_counts_series_with_a_last_bar },
        { "breadth of what never moved is not above",
          test_breadth_of_what_never_moved_is_not_above },
        { "this BLAS may be used", test_this_blas_may_be_used },
        { "matches pandas and scikit-learn", test_matches_pandas_and_scikit_learn },
        CU_TEST_INFO_NULL,
    };
    return pt_suite_main("panel", tests);
}
