#include "near.h"

#include "num/forest.h"

enum { N = 900, FEATURES = 5, GOLDEN = 300 };
static double cells[FEATURES][N], paths[N], scores[N], want[N];
static const double *columns[FEATURES];

/* Normal rows, each feature on a scale of its own; with holes, 2 % of the cells are missing. */
static const double *const *make_rows(size_t n, uint64_t seed, bool holes)
{
    struct pt_rng rng;
    pt_rng_seed(&rng, seed, 3);
    for (size_t f = 0; f < FEATURES; f++) {
        columns[f] = cells[f];
        for (size_t i = 0; i < n; i++) {
            cells[f][i] = pt_rng_normal(&rng) * (double)(f + 1) + 10 * (double)f;
            if (holes && pt_rng_below(&rng, 50) == 0) cells[f][i] = i % 2 == 0 ? NAN : INFINITY;
        }
    }
    return columns;
}

/* A forest in exactly as much room as it says it takes; freed by the caller. */
static double *fit(struct pt_forest *forest, const struct pt_forest_plan *plan,
                   const double *const *x, size_t rows)
{
    double *room = malloc(pt_forest_room(plan, rows) * sizeof *room);
    CU_ASSERT_FATAL(room != NULL);
    pt_forest_fit(forest, plan, x, rows, room);
    return room;
}

static void fit_and_score(const struct pt_forest_plan *plan, const double *const *x, size_t fitted,
                          size_t rows, double *out)
{
    struct pt_forest forest;
    double *room = fit(&forest, plan, x, fitted);
    pt_forest_score(&forest, x, rows, out);
    free(room);
}

/* ---- a forest written a second time ------------------------------------------------------------
 */

static void check_golden(const char *name, struct pt_forest_plan plan, size_t fitted)
{
    char key[64];
    double figures[3];
    struct pt_forest forest;
    double *room = fit(&forest, &plan, columns, fitted);
    snprintf(key, sizeof key, "%s.used", name);
    CU_ASSERT_FATAL(golden("forest", key, figures, 3) == 3);
    CU_ASSERT(figures[0] == (double)forest.used && figures[1] == (double)forest.samples &&
              figures[2] == (double)forest.levels);
    pt_forest_path(&forest, columns, GOLDEN, paths);
    pt_forest_score(&forest, columns, GOLDEN, scores);
    snprintf(key, sizeof key, "%s.path", name);
    CU_ASSERT_FATAL(golden("forest", key, want, N) == GOLDEN);
    CU_ASSERT(near_all(key, paths, want, GOLDEN, 1e-14, 0));
    snprintf(key, sizeof key, "%s.score", name);
    CU_ASSERT_FATAL(golden("forest", key, want, N) == GOLDEN);
    CU_ASSERT(near_all(key, scores, want, GOLDEN, 1e-14, 0));
    free(room);
}

static void test_matches_one_written_a_second_time(void)
{
    const char *names[] = { "log_return", "other", "gappy", "close", "holes" };
    for (size_t f = 0; f < 5; f++) {
        CU_ASSERT_FATAL(golden("input", names[f], cells[f], N) == GOLDEN);
        columns[f] = cells[f];
    }
    check_golden("returns", (struct pt_forest_plan){ 3, 100, 256, 42 }, 200);
    columns[1] = cells[0];
    columns[0] = cells[3];
    check_golden("prices", (struct pt_forest_plan){ 2, 20, 64, 7 }, 300);
    for (size_t i = 0; i < GOLDEN; i++) {
        cells[0][i] = floor(cells[4][i] / 500);
        cells[1][i] = 3;
    }
    columns[0] = cells[0];
    columns[1] = cells[1];
    check_golden("steps", (struct pt_forest_plan){ 2, 50, 100, (UINT64_C(1) << 53) - 1 }, 150);
}

/* Where no feature varies a tree is a leaf of all samples, whose path is c(samples). */
static void test_mean_path_is_that_of_a_random_search_tree(void)
{
    static double c[300];
    CU_ASSERT_FATAL(golden("forest", "mean_path", c, 300) == 300);
    for (size_t i = 0; i < 300; i++) cells[0][i] = 7;
    columns[0] = cells[0];
    for (size_t k = 2; k < 300; k++) {
        struct pt_forest forest;
        double *room = fit(&forest, &(struct pt_forest_plan){ 1, 3, 4096, 1 }, columns, k);
        pt_forest_path(&forest, columns, 1, paths);
        pt_forest_score(&forest, columns, 1, scores);
        CHECK_NEAR(paths[0], c[k], 1e-14);
        CHECK_NEAR(scores[0], 0.5, 1e-15); /* a mean of equal paths may be rounded */
        free(room);
    }
}

static void test_score_is_a_power_of_two(void)
{
    const struct pt_forest_plan plan = { FEATURES, 60, 128, 5 };
    struct pt_forest forest;
    const double *const *x = make_rows(N, 1, false);
    double *room = fit(&forest, &plan, x, N);
    pt_forest_path(&forest, x, N, paths);
    pt_forest_score(&forest, x, N, scores);
    for (size_t i = 0; i < N; i++) want[i] = exp2(-paths[i] / forest.scale);
    CU_ASSERT(near_all("score", scores, want, N, 4e-16, 0));
    free(room);
}

/* ---- what it is for
 * ------------------------------------------------------------------------------ */

static void test_what_stands_apart_scores_high(void)
{
    const struct pt_forest_plan plan = { FEATURES, 100, 256, 42 };
    const double *const *x = make_rows(N, 2, false);
    for (size_t f = 0; f < FEATURES; f++) cells[f][500] += (f % 2 == 0 ? 9 : -9) * (double)(f + 1);
    cells[2][777] += 40; /* in one feature only */
    fit_and_score(&plan, x, N, N, scores);
    double others = 0, usual = 0;
    for (size_t i = 0; i < N; i++) {
        if (i != 500 && i != 777) others = fmax(others, scores[i]);
        usual += scores[i] / N;
    }
    CU_ASSERT(scores[500] > 0.7 && scores[500] > others && scores[777] > others);
    CU_ASSERT(usual > 0.4 && usual < 0.5);
    /* a row that was not fitted on is judged by those that were */
    fit_and_score(&plan, x, 400, N, scores);
    CU_ASSERT(scores[500] > 0.7);
}

static void test_seeds_are_different_forests_of_one_opinion(void)
{
    struct pt_forest_plan plan = { FEATURES, 100, 256, 1 };
    const double *const *x = make_rows(N, 3, false);
    fit_and_score(&plan, x, N, N, scores);
    plan.seed = 2;
    fit_and_score(&plan, x, N, N, want);
    size_t equal = 0;
    double apart = 0;
    for (size_t i = 0; i < N; i++) {
        equal += scores[i] == want[i];
        apart += fabs(scores[i] - want[i]) / N;
    }
    CU_ASSERT(equal < N / 20 && apart < 0.02);
}

/* ---- rows
 * ---------------------------------------------------------------------------------------- */

static void test_a_row_without_a_feature_takes_no_part(void)
{
    const struct pt_forest_plan plan = { FEATURES, 40, 200, 9 };
    static double whole[FEATURES][N];
    const double *there[FEATURES];
    size_t count = 0, missing = 0;
    const double *const *x = make_rows(N, 4, true);
    for (size_t i = 0; i < N; i++) {
        bool all = true;
        for (size_t f = 0; f < FEATURES; f++) {
            whole[f][count] = x[f][i];
            all = all && isfinite(x[f][i]);
        }
        count += all;
    }
    for (size_t f = 0; f < FEATURES; f++) there[f] = whole[f];
    fit_and_score(&plan, x, N, N, scores);
    fit_and_score(&plan, there, count, count, want);
    for (size_t i = 0, k = 0; i < N; i++) {
        bool all = true;
        for (size_t f = 0; f < FEATURES; f++) all = all && isfinite(x[f][i]);
        CU_ASSERT(all ? scores[i] == want[k] : isnan(scores[i]));
        k += all;
        missing += !all;
    }
    CU_ASSERT(missing > 50 && count > 600);
}

static void test_scores_do_not_depend_on_their_company(void)
{
    const struct pt_forest_plan plan = { FEATURES, 30, 256, 11 };
    struct pt_forest forest;
    const double *const *x = make_rows(N, 5, true), *from[FEATURES];
    const size_t lengths[] = { 0, 1, 7, 8, 9, 407, 408, 409, N };
    double *room = fit(&forest, &plan, x, 500);
    pt_forest_score(&forest, x, N, want);
    for (size_t k = 0; k < 9; k++) {
        for (size_t i = 0; i < N; i++) scores[i] = -1;
        pt_forest_score(&forest, x, lengths[k], scores);
        CU_ASSERT(same_bits("first rows", scores, want, lengths[k]));
        for (size_t i = lengths[k]; i < N; i++) CU_ASSERT(scores[i] == -1);
    }
    for (size_t i = 0; i < N; i += 13) {
        for (size_t f = 0; f < FEATURES; f++) from[f] = x[f] + i;
        pt_forest_score(&forest, from, 1, scores);
        CU_ASSERT(same_bits("one row", scores, want + i, 1));
    }
    free(room);
}

static void test_the_same_bits_in_dirty_room(void)
{
    const struct pt_forest_plan plan = { FEATURES, 50, 256, 3 };
    const double *const *x = make_rows(N, 6, true);
    size_t len = pt_forest_room(&plan, N);
    double *room = malloc(len * sizeof *room);
    CU_ASSERT_FATAL(room != NULL);
    struct pt_forest forest;
    for (int round = 0; round < 3; round++) {
        memset(room, round == 0 ? 0 : round == 1 ? 0xff : 0x5a, len * sizeof *room);
        pt_forest_fit(&forest, &plan, x, N, room);
        pt_forest_score(&forest, x, N, round == 0 ? want : scores);
        if (round > 0) CU_ASSERT(same_bits("scores", scores, want, N));
    }
    free(room);
}

/* ---- the edges
 * ----------------------------------------------------------------------------------- */

static void test_few_rows(void)
{
    const struct pt_forest_plan plan = { 1, 10, 256, 1 };
    struct pt_forest forest;
    const double few[] = { NAN, 1, 2, INFINITY };
    const double *x[] = { few };
    for (size_t rows = 0; rows < 3; rows++) { /* none, none that is there, one */
        double *room = fit(&forest, &plan, x, rows);
        pt_forest_score(&forest, x, 4, scores);
        for (size_t i = 0; i < 4; i++) CU_ASSERT(isnan(scores[i]));
        CU_ASSERT(forest.used == (rows == 2 ? 1 : 0));
        free(room);
    }
    double *room = fit(&forest, &plan, x, 4); /* two: each alone after one cut, c(2) = 1 */
    pt_forest_score(&forest, x, 4, scores);
    CU_ASSERT(forest.used == 2 && forest.levels == 1);
    CU_ASSERT(isnan(scores[0]) && scores[1] == 0.5 && scores[2] == 0.5 && isnan(scores[3]));
    free(room);
}

/* A power of two changes no bit but the exponent: nothing may depend on the scale of a feature. */
static void test_the_scale_of_a_feature_does_not_matter(void)
{
    const struct pt_forest_plan plan = { FEATURES, 30, 256, 8 };
    const double *const *x = make_rows(N, 7, false);
    fit_and_score(&plan, x, N, N, want);
    for (size_t f = 0; f < FEATURES; f++)
        for (size_t i = 0; i < N; i++) cells[f][i] = ldexp(cells[f][i], (int)f * 300 - 600);
    fit_and_score(&plan, x, N, N, scores);
    CU_ASSERT(same_bits("scaled", scores, want, N));
}

/* Cuts between neighbours, over the whole range of a double, among denormals. */
static void test_extreme_values_are_cut(void)
{
    const struct pt_forest_plan plan = { 1, 100, 256, 1 };
    double values[64], u = 1;
    const double *x[] = { values };
    for (size_t i = 0; i < 32; i++) {
        values[i] = u;
        u = nextafter(u, 2);
        values[32 + i] = i % 2 == 0 ? 1.5e308 : -1.5e308;
    }
    fit_and_score(&plan, x, 64, 64, scores);
    for (size_t i = 0; i < 64; i++) CU_ASSERT(scores[i] > 0 && scores[i] < 1);
    fit_and_score(&plan, x, 32, 64, scores); /* the neighbours alone: all of them are told apart */
    CU_ASSERT(scores[0] > scores[15] && scores[31] > scores[15]);
    for (size_t i = 0; i < 64; i++) values[i] = (double)i * 5e-324;
    fit_and_score(&plan, x, 64, 64, scores);
    CU_ASSERT(scores[0] > scores[32] && scores[63] > scores[32]);
}

static void test_the_largest_plan(void)
{
    enum { ROWS = 6000 };
    static double wide[PT_FOREST_FEATURES_MAX][ROWS], out[ROWS];
    const double *x[PT_FOREST_FEATURES_MAX];
    const struct pt_forest_plan plan = { PT_FOREST_FEATURES_MAX, 3, PT_FOREST_SAMPLES_MAX,
                                         UINT64_MAX };
    struct pt_rng rng;
    pt_rng_seed(&rng, 1, 1);
    for (size_t f = 0; f < PT_FOREST_FEATURES_MAX; f++) {
        x[f] = wide[f];
        for (size_t i = 0; i < ROWS; i++) wide[f][i] = pt_rng_uniform(&rng);
    }
    struct pt_forest forest;
    double *room = fit(&forest, &plan, x, ROWS);
    pt_forest_score(&forest, x, ROWS, out);
    CU_ASSERT(forest.samples == PT_FOREST_SAMPLES_MAX && forest.levels == 12);
    double sum = 0;
    for (size_t i = 0; i < ROWS; i++) sum += out[i];
    CU_ASSERT(sum / ROWS > 0.4 && sum / ROWS < 0.6);
    free(room);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "matches one written a second time", test_matches_one_written_a_second_time },
        { "mean path is that of a random search tree",
          test_mean_path_is_that_of_a_random_search_tree },
        { "score is a power of two", test_score_is_a_power_of_two },
        { "what stands apart scores high", test_what_stands_apart_scores_high },
        { "seeds are different forests of one opinion",
          test_seeds_are_different_forests_of_one_opinion },
        { "a row without a feature takes no part", test_a_row_without_a_feature_takes_no_part },
        { "scores do not depend on their company", test_scores_do_not_depend_on_their_company },
        { "the same bits in dirty room", test_the_same_bits_in_dirty_room },
        { "few rows", test_few_rows },
        { "the scale of a feature does not matter", test_the_scale_of_a_feature_does_not_matter },
        { "extreme values are cut", test_extreme_values_are_cut },
        { "the largest plan", test_the_largest_plan },
        CU_TEST_INFO_NULL,
    };
    return pt_suite_main("forest", tests);
}
