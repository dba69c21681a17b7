#include "near.h"

#include "num/robust.h"
#include "num/vec.h"

enum { N = 2000 };
static double x[N], sorted[N], work[N];

static int ascending(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* Shapes that break naive quicksorts: random, ties, sorted both ways, flat, organ pipe, saw. */
static void make_shape(int shape, size_t n, uint64_t seed)
{
    struct pt_rng rng;
    pt_rng_seed(&rng, seed, (uint64_t)shape);
    for (size_t i = 0; i < n; i++) {
        double up = (double)i;
        switch (shape) {
        case 0: x[i] = pt_rng_normal(&rng); break;
        case 1: x[i] = (double)pt_rng_below(&rng, 4); break;
        case 2: x[i] = up; break;
        case 3: x[i] = -up; break;
        case 4: x[i] = 1; break;
        case 5: x[i] = i < n / 2 ? up : (double)(n - i); break;
        default: x[i] = (double)(i % 7) - up / 1e3; break;
        }
    }
}
enum { SHAPES = 7 };

static void agree_with_qsort(void)
{
    const size_t lengths[] = { 1, 2, 3, 24, 25, 26, 50, 99, 257, 1000, N };
    for (int shape = 0; shape < SHAPES; shape++) {
        for (size_t k = 0; k < 11; k++) {
            size_t n = lengths[k];
            make_shape(shape, n, k);
            memcpy(sorted, x, n * sizeof(double));
            qsort(sorted, n, sizeof(double), ascending);
            CHECK_NEAR(pt_robust_median(x, n, work), (sorted[(n - 1) / 2] + sorted[n / 2]) / 2, 0);
            for (size_t q = 0; q <= 20; q++) {
                double rank = (double)q / 20 * (double)(n - 1), low = floor(rank);
                double a = sorted[(size_t)low], b = sorted[(size_t)ceil(rank)];
                CU_ASSERT(near_to(pt_robust_quantile(x, n, (double)q / 20, work),
                                  a + (rank - low) * (b - a), 1e-15, 1));
            }
            pt_robust_sort(x, n);
            CU_ASSERT(same_bits("sort", x, sorted, n));
        }
    }
}

static void test_sorting_and_selecting_agree_with_qsort(void)
{
    on_every_path(agree_with_qsort);
}

/* Every value that a sample at equal steps would look at is far from where it should be. */
static void test_a_sample_that_misleads_changes_nothing(void)
{
    for (size_t side = 0; side < 2; side++) {
        make_shape(0, N, 9);
        for (size_t i = 0; i < N; i += 1 + i % 3) x[i] += side == 0 ? 50 : -50;
        for (size_t step = 1; step <= 64; step++)
            for (size_t i = 0; i < step; i++) x[i * N / step] = side == 0 ? 1e6 : -1e6;
        memcpy(sorted, x, sizeof(sorted));
        qsort(sorted, N, sizeof(double), ascending);
        for (size_t q = 0; q <= 10; q++) {
            double rank = (double)q / 10 * (N - 1), low = floor(rank);
            double a = sorted[(size_t)low], b = sorted[(size_t)ceil(rank)];
            CU_ASSERT(near_to(pt_robust_quantile(x, N, (double)q / 10, work),
                              a + (rank - low) * (b - a), 1e-15, 1));
        }
        CHECK_NEAR(pt_robust_median(x, N, work), (sorted[N / 2 - 1] + sorted[N / 2]) / 2, 0);
    }
}

static void test_an_input_against_the_pivots_is_still_sorted(void)
{
    /* a median-of-three killer (Musser 1997): it makes partitions as uneven as they can be */
    for (size_t i = 0; i < N / 2; i++) {
        x[i] = (double)(i % 2 == 0 ? i + 1 : N / 2 + i - (N / 2) % 2 + 1);
        x[N / 2 + i] = (double)(2 * (i + 1));
    }
    memcpy(sorted, x, sizeof(sorted));
    qsort(sorted, N, sizeof(double), ascending);
    CHECK_NEAR(pt_robust_median(x, N, work), (sorted[N / 2 - 1] + sorted[N / 2]) / 2, 0);
    pt_robust_sort(x, N);
    CU_ASSERT(same_bits("sort", x, sorted, N));
}

static void test_missing_values_are_left_out(void)
{
    const double v[] = { NAN, 5, INFINITY, 1, -INFINITY, 2, 9, NAN };
    double room[8], middle;
    CHECK_NEAR(pt_robust_median(v, 8, room), 3.5, 0);
    CHECK_NEAR(pt_robust_mad(v, 8, room, &middle), 2, 0);
    CHECK_NEAR(middle, 3.5, 0);
    CHECK_NEAR(pt_robust_mean_deviation(v, 8, 3.5), 2.75, 0);
    CHECK_NEAR(pt_robust_quantile(v, 8, 0.5, room), 3.5, 0);
    CHECK_NEAR(pt_robust_rank(v, 8, 2), 0.5, 0);
    CHECK_NEAR(pt_robust_rank(v, 8, 0.5), 0, 0);
    CHECK_NEAR(pt_robust_rank(v, 8, 9), 1, 0);
    CU_ASSERT(isnan(pt_robust_rank(v, 8, NAN)) && isnan(pt_robust_rank(v, 1, 3)));
    CU_ASSERT(isnan(pt_robust_median(v, 1, room)) && isnan(pt_robust_mad(v, 1, room, NULL)));
    CU_ASSERT(isnan(pt_robust_quantile(v, 0, 0.5, room)) &&
              isnan(pt_robust_mean_deviation(v, 1, 0)));
    CU_ASSERT(isnan(pt_robust_quantile(v, 8, 1.01, room)) &&
              isnan(pt_robust_quantile(v, 8, NAN, room)));
}

/* Cumulative weights of the sorted values, as the definition says it. */
static void test_a_weighted_quantile_has_enough_weight_below_it(void)
{
    enum { ROWS = 400 };
    double v[ROWS], w[ROWS], room[ROWS];
    struct pt_rng rng;
    pt_rng_seed(&rng, 5, 0);
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < ROWS; i++) {
            v[i] = (double)pt_rng_below(&rng, 20); /* many are equal */
            w[i] = (double)pt_rng_below(&rng, 4) * 1000;
            if (i % 17 == 0) v[i] = NAN;
            if (i % 19 == 0) w[i] = NAN;
        }
        double q = round / 49.0, all = 0, below = 0, want = NAN;
        for (int i = 0; i < ROWS; i++) {
            if (!isnan(v[i]) && !isnan(w[i])) all += w[i];
        }
        for (int value = 0; value < 20 && isnan(want); value++) {
            bool any = false;
            for (int i = 0; i < ROWS; i++) {
                if (v[i] != (double)value || !(w[i] > 0)) continue;
                below += w[i];
                any = true;
            }
            if (any && below >= q * all) want = value;
        }
        CU_ASSERT_EQUAL(pt_robust_weighted_quantile(v, w, ROWS, q, room), want);
    }
    double even[20], ones[20];
    for (int i = 0; i < 20; i++) even[i] = i + 1, ones[i] = 100000;
    CU_ASSERT_EQUAL(pt_robust_weighted_quantile(even, ones, 20, 0.95, room),
                    19); /* exactly there */
    CU_ASSERT_EQUAL(pt_robust_weighted_quantile(even, ones, 20, 1, room), 20);
    CU_ASSERT_EQUAL(pt_robust_weighted_quantile(even, ones, 20, 0, room), 1);
    for (int i = 0; i < 20; i++) ones[i] = 0;
    CU_ASSERT(isnan(pt_robust_weighted_quantile(even, ones, 20, 0.5, room)));
    CU_ASSERT(isnan(pt_robust_weighted_quantile(even, even, 20, 1.5, room)));
    CU_ASSERT(isnan(pt_robust_weighted_quantile(even, even, 0, 0.5, room)));
}

static void test_the_room_may_be_the_column_itself(void)
{
    make_shape(0, 101, 3);
    double want = pt_robust_median(x, 101, work);
    CHECK_NEAR(pt_robust_median(x, 101, x), want, 0);
}

static void test_matches_numpy_and_scipy(void)
{
    const char *columns[] = { "close", "holes", "other" };
    const double q[] = { 0, 0.01, 0.25, 0.5, 0.77, 0.95, 1 };
    double v[300], room[300], want[11], got[11], middle;
    for (size_t c = 0; c < 3; c++) {
        size_t n = golden("input", columns[c], v, 300);
        CU_ASSERT_EQUAL_FATAL(golden("robust", columns[c], want, 11), 11);
        got[1] = pt_robust_mad(v, n, room, &middle);
        got[0] = middle;
        got[2] = pt_robust_mean_deviation(v, n, middle);
        got[3] = pt_robust_rank(v, n, v[n - 1]);
        for (size_t k = 0; k < 7; k++) got[4 + k] = pt_robust_quantile(v, n, q[k], room);
        CU_ASSERT(near_all(columns[c], got, want, 11, 1e-14, 0));
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a weighted quantile has enough weight below it",
          test_a_weighted_quantile_has_enough_weight_below_it },
        { "sorting and selecting agree with qsort", test_sorting_and_selecting_agree_with_qsort },
        { "a sample that misleads changes nothing", test_a_sample_that_misleads_changes_nothing },
        { "an input against the pivots is still sorted",
          test_an_input_against_the_pivots_is_still_sorted },
        { "missing values are left out", test_missing_values_are_left_out },
        { "the room may be the column itself", test_the_room_may_be_the_column_itself },
        { "matches numpy and scipy", test_matches_numpy_and_scipy },
        CU_TEST_INFO_NULL,
    };
    return pt_suite_main("robust", tests);
}
