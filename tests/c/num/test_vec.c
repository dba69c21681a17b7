#include "near.h"

#include "num/vec.h"

enum { N = 1003 };
static double a[N], b[N], out[N], want[N];

static void fill(void)
{
    make_walk(a, N, 1, false);
    make_walk(b, N, 2, false);
    a[7] = NAN;
    b[11] = NAN;
    a[20] = INFINITY;
    b[30] = 0;
    a[40] = -0.0;
    a[50] = b[50];
}

/* One operation against the expression for it; then in place. */
#define CHECK_EACH(call, in_place, expression)                                                     \
    do {                                                                                           \
        fill();                                                                                    \
        for (size_t i = 0; i < N; i++) want[i] = (expression);                                     \
        call;                                                                                      \
        CU_ASSERT(same_bits(#call, out, want, N));                                                 \
        in_place;                                                                                  \
        CU_ASSERT(same_bits(#in_place, a, want, N));                                               \
    } while (0)

static void operations(void)
{
    CHECK_EACH(pt_vec_add(a, b, N, out), pt_vec_add(a, b, N, a), a[i] + b[i]);
    CHECK_EACH(pt_vec_sub(a, b, N, out), pt_vec_sub(a, b, N, a), a[i] - b[i]);
    CHECK_EACH(pt_vec_mul(a, b, N, out), pt_vec_mul(a, b, N, a), a[i] * b[i]);
    CHECK_EACH(pt_vec_div(a, b, N, out), pt_vec_div(a, b, N, a), a[i] / b[i]);
    CHECK_EACH(pt_vec_min(a, b, N, out), pt_vec_min(a, b, N, a),
               isnan(a[i]) || isnan(b[i]) ? NAN : (a[i] < b[i] ? a[i] : b[i]));
    CHECK_EACH(pt_vec_max(a, b, N, out), pt_vec_max(a, b, N, a),
               isnan(a[i]) || isnan(b[i]) ? NAN : (a[i] > b[i] ? a[i] : b[i]));
    CHECK_EACH(pt_vec_add_by(a, 3.7, N, out), pt_vec_add_by(a, 3.7, N, a), a[i] + 3.7);
    CHECK_EACH(pt_vec_sub_by(a, 3.7, N, out), pt_vec_sub_by(a, 3.7, N, a), a[i] - 3.7);
    CHECK_EACH(pt_vec_sub_from(a, 3.7, N, out), pt_vec_sub_from(a, 3.7, N, a), 3.7 - a[i]);
    CHECK_EACH(pt_vec_mul_by(a, 3.7, N, out), pt_vec_mul_by(a, 3.7, N, a), a[i] * 3.7);
    CHECK_EACH(pt_vec_div_by(a, 3.7, N, out), pt_vec_div_by(a, 3.7, N, a), a[i] / 3.7);
    CHECK_EACH(pt_vec_div_into(a, 3.7, N, out), pt_vec_div_into(a, 3.7, N, a), 3.7 / a[i]);
    CHECK_EACH(pt_vec_neg(a, N, out), pt_vec_neg(a, N, a), -a[i]);
    CHECK_EACH(pt_vec_abs(a, N, out), pt_vec_abs(a, N, a), fabs(a[i]));
    CHECK_EACH(pt_vec_log(a, N, out), pt_vec_log(a, N, a), log(a[i]));
    CHECK_EACH(pt_vec_exp(a, N, out), pt_vec_exp(a, N, a), exp(a[i]));
    CHECK_EACH(pt_vec_sqrt(a, N, out), pt_vec_sqrt(a, N, a), sqrt(a[i]));
    CHECK_EACH(pt_vec_square(a, N, out), pt_vec_square(a, N, a), a[i] * a[i]);
    CHECK_EACH(pt_vec_pow(a, 1.5, N, out), pt_vec_pow(a, 1.5, N, a), pow(a[i], 1.5));
    CHECK_EACH(pt_vec_clip(a, 49000, 51000, N, out), pt_vec_clip(a, 49000, 51000, N, a),
               a[i] < 49000 ? 49000 : (a[i] > 51000 ? 51000 : a[i]));
}

static void test_operations_equal_their_expressions(void)
{
    on_every_path(operations);
}

static void signs(void)
{
    const double x[] = { 3, -2, 0, NAN, INFINITY, -INFINITY, -0.0 },
                 sign[] = { 1, -1, 0, NAN, 1, -1, 0 };
    double got[7];
    pt_vec_sign(x, 7, got);
    for (size_t i = 0; i < 7; i++) CU_ASSERT(near_to(got[i], sign[i], 0, 0));
    pt_vec_pow(x, 0, 7, got);
    CU_ASSERT(got[0] == 1 && isnan(got[3]));
}

static void test_signs_and_powers_keep_what_is_missing(void)
{
    on_every_path(signs);
}

static void test_comparisons_give_one_zero_or_missing(void)
{
    const double x[] = { 1, 2, 3, NAN, 2 }, y[] = { 2, 2, 2, 2, NAN };
    const double less[] = { 1, 0, 0, NAN, NAN }, at_least[] = { 0, 1, 1, NAN, NAN };
    const double other[] = { 1, 0, 1, NAN, NAN };
    double got[5];
    pt_vec_compare(x, PT_LT, y, 5, got);
    CU_ASSERT(same_bits("<", got, less, 5));
    pt_vec_compare(x, PT_GE, y, 5, got);
    CU_ASSERT(same_bits(">=", got, at_least, 5));
    pt_vec_compare(x, PT_NE, y, 5, got);
    CU_ASSERT(same_bits("!=", got, other, 5));
    pt_vec_compare_by(x, PT_LE, 2, 5, got);
    CU_ASSERT(got[0] == 1 && got[1] == 1 && got[2] == 0 && isnan(got[3]) && got[4] == 1);
    pt_vec_compare_by(x, PT_GT, 2, 5, got);
    CU_ASSERT(got[0] == 0 && got[1] == 0 && got[2] == 1 && isnan(got[3]));
    pt_vec_compare_by(x, PT_EQ, 2, 5, got);
    CU_ASSERT(got[0] == 0 && got[1] == 1 && got[4] == 1);
    pt_vec_where(x, y, x, 5, got);
    CU_ASSERT(got[0] == 2 && isnan(got[3]) && isnan(got[4]));
}

static void test_shift_and_difference_leave_the_outside_missing(void)
{
    const double x[] = { 1, 4, 9, 16, 25 }, later[] = { NAN, NAN, 1, 4, 9 },
                 earlier[] = { 9, 16, 25, NAN, NAN };
    const double nothing[] = { NAN, NAN, NAN, NAN, NAN }, steps[] = { NAN, NAN, 8, 12, 16 };
    double got[5];
    pt_vec_shift(x, 2, 5, got);
    CU_ASSERT(same_bits("2", got, later, 5));
    pt_vec_shift(x, -2, 5, got);
    CU_ASSERT(same_bits("-2", got, earlier, 5));
    pt_vec_shift(x, 5, 5, got);
    CU_ASSERT(same_bits("5", got, nothing, 5));
    pt_vec_shift(x, PTRDIFF_MIN, 5, got);
    CU_ASSERT(same_bits("least", got, nothing, 5));
    pt_vec_diff(x, 2, 5, got);
    CU_ASSERT(same_bits("diff", got, steps, 5));
    pt_vec_diff(x, SIZE_MAX, 5, got);
    CU_ASSERT(same_bits("diff", got, nothing, 5));
    pt_vec_roc(x, 2, 5, got);
    CU_ASSERT(isnan(got[1]) && got[2] == 800 && got[3] == 300);
}

static void test_a_running_sum_passes_over_what_is_missing(void)
{
    double x[] = { 1e16, 1, NAN, 1, -1e16, INFINITY, 2 };
    pt_vec_cumsum(x, 7, x);
    CU_ASSERT(x[0] == 1e16 && isnan(x[2]) && x[4] == 2 && isnan(x[5]) && x[6] == 4);
}

static void test_filling_and_counting(void)
{
    const double x[] = { NAN, 1, INFINITY, 2, NAN }, zero[] = { 0, 1, 0, 2, 0 },
                 last[] = { NAN, 1, 1, 2, 2 };
    double got[5];
    pt_vec_fill(x, 0, 5, got);
    CU_ASSERT(same_bits("fill", got, zero, 5));
    pt_vec_fill_forward(x, 5, got);
    CU_ASSERT(same_bits("forward", got, last, 5));
    CU_ASSERT(pt_vec_count(x, 5) == 2 && pt_vec_count(x, 0) == 0);
    CU_ASSERT(pt_vec_compact(x, 5, got) == 2 && got[0] == 1 && got[1] == 2);
}

static void counts(void)
{
    static double x[130];
    for (size_t n = 0; n < 130; n++) {
        size_t count = 0;
        make_walk(x, n, n + 1, true);
        for (size_t i = 0; i < n; i++) count += isfinite(x[i]) ? 1 : 0;
        CU_ASSERT(pt_vec_count(x, n) == count);
    }
}

static void test_counts_are_right_at_every_length(void)
{
    on_every_path(counts);
}

static void dots(void)
{
    fill();
    long double sum = 0;
    for (size_t i = 0; i < N; i++)
        if (isfinite(a[i]) && isfinite(b[i])) sum += (long double)a[i] * b[i];
    CHECK_NEAR(pt_vec_dot(a, b, N), (double)sum, 1e-15);
    CU_ASSERT(pt_vec_dot(a, b, 0) == 0);
}

static void test_a_dot_product_uses_complete_rows(void)
{
    on_every_path(dots);
}

static void test_returns_over_a_gap_are_missing(void)
{
    const double close[] = { 100, 110, 121, 0, 50, 55, NAN, 60, 66 };
    const int64_t time_us[] = { 0, 60, 180, 240, 300, 360, 420, 480, 540 };
    double logs[9], simple[9];
    pt_vec_log_return(close, time_us, 9, 60, logs);
    pt_vec_simple_return(close, time_us, 9, 60, simple);
    for (size_t i = 0; i < 9; i++) {
        bool there = i == 1 || i == 5 || i == 8;
        CU_ASSERT(isnan(logs[i]) == !there && isnan(simple[i]) == !there);
        if (!there) continue;
        CHECK_NEAR(logs[i], log(1.1), 1e-14);
        CHECK_NEAR(simple[i], 0.1, 1e-14);
    }
    pt_vec_log_return(close, NULL, 9, 60, logs);
    CHECK_NEAR(logs[2], log(1.1), 1e-14);
}

static void test_the_grid_has_a_cell_for_every_period(void)
{
    const double x[] = { 1, 2, 3 }, want_grid[] = { 1, 2, NAN, NAN, 3 };
    const int64_t time_us[] = { 1000, 1060, 1240 };
    double grid[5];
    CU_ASSERT_EQUAL_FATAL(pt_vec_grid_cells(time_us, 3, 60), 5);
    CU_ASSERT(pt_vec_grid_cells(time_us, 0, 60) == 0);
    pt_vec_grid(x, time_us, 3, 60, grid);
    CU_ASSERT(same_bits("grid", grid, want_grid, 5));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "operations equal their expressions", test_operations_equal_their_expressions },
        { "signs and powers keep what is missing", test_signs_and_powers_keep_what_is_missing },
        { "comparisons give one, zero or missing", test_comparisons_give_one_zero_or_missing },
        { "shift and difference leave the outside missing",
          test_shift_and_difference_leave_the_outside_missing },
        { "a running sum passes over what is missing",
          test_a_running_sum_passes_over_what_is_missing },
        { "filling and counting", test_filling_and_counting },
        { "counts are right at every length", test_counts_are_right_at_every_length },
        { "a dot product uses complete rows", test_a_dot_product_uses_complete_rows },
        { "returns over a gap are missing", test_returns_over_a_gap_are_missing },
        { "the grid has a cell for every period", test_the_grid_has_a_cell_for_every_period },
        CU_TEST_INFO_NULL,
    };
    return pt_suite_main("vec", tests);
}
