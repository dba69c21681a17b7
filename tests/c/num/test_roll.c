#include "near.h"

#include "num/roll.h"

enum { N = 5000 };
static double x[N], out[N], want[N], work[N];

enum what { SUM, MEAN, VAR, STD, MIN, MAX, WMA, MEDIAN, KINDS };
static const char *const names[KINDS] = {
    "sum", "mean", "var", "std", "min", "max", "wma", "median"
};

static void run(enum what what, const double *in, size_t n, size_t width, size_t least, double *to)
{
    switch (what) {
    case SUM: pt_roll_sum(in, n, width, least, to); break;
    case MEAN: pt_roll_mean(in, n, width, least, to); break;
    case VAR: pt_roll_var(in, n, width, least, 1, to); break;
    case STD: pt_roll_std(in, n, width, least, 1, to); break;
    case MIN: pt_roll_min(in, n, width, least, to); break;
    case MAX: pt_roll_max(in, n, width, least, to); break;
    case WMA: pt_roll_wma(in, n, width, least, to); break;
    default: pt_roll_median(in, n, width, least, work, to); break;
    }
}

static int ascending(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* The definition, in long double, of one window. */
static double plain(enum what what, const double *window, size_t width, size_t least)
{
    static double sorted[N];
    long double sum = 0, heavy = 0, weights = 0, squares = 0;
    size_t count = 0;
    for (size_t k = 0; k < width; k++) {
        if (!isfinite(window[k])) continue;
        sum += window[k];
        heavy += (long double)(k + 1) * window[k];
        weights += (long double)(k + 1);
        sorted[count++] = window[k];
    }
    if (count < least || count == 0) return NAN;
    long double mean = sum / (long double)count;
    for (size_t k = 0; k < count; k++) squares += (sorted[k] - mean) * (sorted[k] - mean);
    if (what >= MIN && what != WMA) qsort(sorted, count, sizeof(double), ascending);
    switch (what) {
    case SUM: return (double)sum;
    case MEAN: return (double)mean;
    case VAR: return count < 2 ? NAN : (double)(squares / (long double)(count - 1));
    case STD: return count < 2 ? NAN : (double)sqrtl(squares / (long double)(count - 1));
    case MIN: return sorted[0];
    case MAX: return sorted[count - 1];
    case WMA: return (double)(heavy / weights);
    default: return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
    }
}

static bool matches(enum what what, size_t n, size_t width, size_t least)
{
    char text[80];
    for (size_t i = 0; i < n; i++)
        want[i] = i + 1 < width ? NAN : plain(what, x + i + 1 - width, width, least);
    run(what, x, n, width, least, out);
    snprintf(text, sizeof(text), "%s width %zu least %zu", names[what], width, least);
    return near_all(text, out, want, n, what == VAR || what == STD ? 1e-12 : 1e-14, 0);
}

static void definitions(void)
{
    const size_t widths[] = { 1, 2, 3, 5, 7, 8, 14, 20, 21, 33, 64, 127, 200, 1000 };
    for (int holes = 0; holes < 2; holes++) {
        make_walk(x, N, 3, holes);
        for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++)
            for (int what = 0; what < KINDS; what++)
                CU_ASSERT(matches((enum what)what,
                                  widths[w] == 1000 ? 1300 : (widths[w] > 64 ? 2400 : 500),
                                  widths[w], pt_roll_half(widths[w])));
    }
}

static void test_matches_the_definition(void)
{
    on_every_path(definitions);
}

static void test_wide_windows_match_the_definition(void)
{
    for (int holes = 0; holes < 2; holes++) {
        make_walk(x, N, 4, holes);
        for (int what = 0; what < KINDS; what++) {
            CU_ASSERT(matches((enum what)what, 2200, PT_ROLL_NARROW + 1, 700));
            CU_ASSERT(matches((enum what)what, 3100, 1500, 1));
        }
    }
}

static void lengths(void)
{
    make_walk(x, N, 5, true);
    for (size_t n = 0; n < 70; n++)
        for (int what = 0; what < KINDS; what++) CU_ASSERT(matches((enum what)what, n, 9, 3));
}

static void test_right_at_every_length(void)
{
    on_every_path(lengths);
}

static void test_too_short_or_no_width_is_missing(void)
{
    make_walk(x, N, 6, false);
    for (int what = 0; what < KINDS; what++) {
        const size_t widths[] = { 0, 11, 2000, SIZE_MAX };
        for (size_t w = 0; w < 4; w++) {
            run((enum what)what, x, 10, widths[w], 0, out);
            for (size_t i = 0; i < 10; i++) CU_ASSERT(isnan(out[i]));
        }
        run((enum what)what, x, 10, 10, 0, out);
        CU_ASSERT(isnan(out[8]) && !isnan(out[9]));
        run((enum what)what, x, 10, 5, 6, out); /* more than can be there */
        for (size_t i = 0; i < 10; i++) CU_ASSERT(isnan(out[i]));
    }
}

static void one_bad_value(void)
{
    const double bad[] = { NAN, INFINITY, -INFINITY, 1e300 };
    for (size_t b = 0; b < 4; b++) {
        for (int what = 0; what < KINDS; what++) {
            if (bad[b] == 1e300 && (what == VAR || what == STD))
                continue; /* its square is infinite */
            make_walk(x, 600, 7, false);
            run((enum what)what, x, 600, 20, 20, want);
            x[300] = bad[b];
            run((enum what)what, x, 600, 20, 20, out);
            CU_ASSERT(same_bits(names[what], out, want, 300));
            CU_ASSERT(same_bits(names[what], out + 320, want + 320, 280));
            for (size_t i = 300; i < 320; i++) CU_ASSERT(isnan(out[i]) == !isfinite(bad[b]));
        }
    }
}

static void test_a_bad_value_leaves_with_its_window(void)
{
    on_every_path(one_bad_value);
}

static void test_a_bad_value_leaves_a_wide_window_too(void)
{
    for (int what = 0; what < KINDS; what++) {
        make_walk(x, N, 8, false);
        run((enum what)what, x, N, 1100, 1100, want);
        x[2000] = NAN;
        run((enum what)what, x, N, 1100, 1100, out);
        CU_ASSERT(same_bits(names[what], out, want, 2000));
        for (size_t i = 2000; i < 3100; i++) CU_ASSERT(isnan(out[i]));
        CU_ASSERT(near_all(names[what], out + 3100, want + 3100, N - 3100, 1e-13, 0));
    }
}

static void later_rows(void)
{
    for (int holes = 0; holes < 2; holes++) {
        make_walk(x, 3000, 9, holes);
        const size_t widths[] = { 2, 20, 150, 1200 };
        for (size_t w = 0; w < 4; w++) {
            for (int what = 0; what < KINDS; what++) {
                run((enum what)what, x, 3000, widths[w], 2, want);
                for (size_t n = 5; n < 3000; n += 331) {
                    run((enum what)what, x, n, widths[w], 2, out);
                    CU_ASSERT(same_bits(names[what], out, want, n));
                }
            }
        }
    }
}

/* Every length across the first block borders. */
static void next_rows(void)
{
    for (int holes = 0; holes < 2; holes++) {
        make_walk(x, 400, 14, holes);
        for (int what = 0; what < KINDS; what++) {
            run((enum what)what, x, 400, 20, 2, want);
            for (size_t n = 20; n < 400; n++) {
                run((enum what)what, x, n, 20, 2, out);
                CU_ASSERT(same_bits(names[what], out, want, n));
            }
        }
    }
}

static void test_a_row_does_not_change_when_later_rows_arrive(void)
{
    on_every_path(later_rows);
    on_every_path(next_rows);
}

static void flat(void)
{
    for (size_t i = 0; i < 500; i++) x[i] = i < 250 ? 0.1 : 12345.678;
    pt_roll_std(x, 500, 20, 10, 1, out);
    for (size_t i = 19; i < 500; i++) CU_ASSERT((out[i] == 0) == (i < 250 || i >= 269));
    pt_roll_var(x, 500, 2, 2, 0, out);
    CU_ASSERT(out[249] == 0 && out[250] > 0 && out[251] == 0);
}

static void test_a_flat_window_has_no_deviation_at_all(void)
{
    on_every_path(flat);
}

static void hard_windows(void)
{
    /* a large level, tiny moves, a jump and a long quiet stretch after it */
    struct pt_rng rng;
    pt_rng_seed(&rng, 10, 0);
    for (size_t i = 0; i < 2000; i++) x[i] = 1e9 + (i > 900 ? 5e4 : 0) + 1e-3 * pt_rng_normal(&rng);
    x[1500] = 1e-3;
    CU_ASSERT(matches(STD, 2000, 20, 10));
    CU_ASSERT(matches(VAR, 2000, 7, 2));
    CU_ASSERT(matches(STD, 2000, 300, 10));
}

static void test_deviation_is_right_where_sums_cancel(void)
{
    on_every_path(hard_windows);
}

static void test_degrees_of_freedom_are_taken_from_the_count(void)
{
    const double y[] = { 1, NAN, 4, 6, NAN, NAN, 9 };
    double v[7];
    pt_roll_var(y, 7, 3, 2, 0, v);
    CHECK_NEAR(v[2], 2.25, 1e-15);
    CHECK_NEAR(v[3], 1, 1e-15);
    CU_ASSERT(isnan(v[5]));
    pt_roll_var(y, 7, 3, 1, 2, v);
    for (size_t i = 0; i < 7; i++) CU_ASSERT(isnan(v[i])); /* never three in three rows */
}

static void recursions(void)
{
    const size_t widths[] = { 1, 2, 9, 20, 600 };
    for (int holes = 0; holes < 2; holes++) {
        make_walk(x, 3000, 11, holes);
        for (size_t w = 0; w < 5; w++) {
            for (int wilder = 0; wilder < 2; wilder++) {
                long double y = 0, m = (long double)widths[w], gain = wilder ? 1 / m : 2 / (m + 1);
                size_t seen = 0;
                for (size_t i = 0; i < 3000; i++) {
                    want[i] = NAN;
                    if (!isfinite(x[i])) continue;
                    y = seen < widths[w] ? y + x[i] / m : y + gain * (x[i] - y);
                    if (++seen >= widths[w]) want[i] = (double)y;
                }
                (wilder ? pt_roll_wilder : pt_roll_ema)(x, 3000, widths[w], out);
                CU_ASSERT(near_all(wilder ? "wilder" : "ema", out, want, 3000, 1e-14, 0));
            }
        }
    }
}

static void test_recursive_means_match_the_definition(void)
{
    on_every_path(recursions);
}

static void adjusted(void)
{
    for (int holes = 0; holes < 2; holes++) {
        make_walk(x, 1500, 12, holes);
        x[0] = NAN;
        const double spans[] = { 1.5, 20, 400 };
        for (size_t s = 0; s < 3; s++) {
            long double top = 0, weights = 0, keep = 1 - 2 / ((long double)spans[s] + 1);
            for (size_t i = 0; i < 1500; i++) {
                bool there = isfinite(x[i]);
                top = top * keep + (there ? x[i] : 0);
                weights = weights * keep + (there ? 1 : 0);
                want[i] = weights > 0 ? (double)(top / weights) : NAN;
            }
            pt_roll_ewm(x, 1500, spans[s], out);
            CU_ASSERT(near_all("ewm", out, want, 1500, 1e-14, 0));
            for (size_t n = 1; n < 1500; n += 37) {
                double last = pt_roll_ewm_last(x, n, spans[s]);
                CU_ASSERT(same_bits("ewm last", &last, &out[n - 1], 1));
            }
        }
    }
    CU_ASSERT(isnan(pt_roll_ewm_last(x, 0, 20)) && isnan(pt_roll_ewm_last(x, 1, 20)));
}

static void test_the_adjusted_mean_matches_the_definition(void)
{
    on_every_path(adjusted);
}

static void later_recursions(void)
{
    for (int holes = 0; holes < 2; holes++) {
        make_walk(x, 2600, 13, holes);
        void (*const kernels[])(const double *, size_t, size_t, double *) = { pt_roll_ema,
                                                                              pt_roll_wilder };
        for (size_t k = 0; k < 2; k++) {
            kernels[k](x, 2600, 26, want);
            for (size_t n = 0; n < 2600; n += 173) {
                kernels[k](x, n, 26, out);
                CU_ASSERT(same_bits("recursion", out, want, n));
            }
            double old = x[2000];
            x[2000] = NAN; /* a hole behind must not move what is before it either */
            kernels[k](x, 2600, 26, out);
            CU_ASSERT(same_bits("recursion", out, want, 2000) && isnan(out[2000]) &&
                      !isnan(out[2002]));
            x[2000] = old;
        }
        pt_roll_ewm(x, 2600, 20, want);
        pt_roll_ewm(x, 1777, 20, out);
        CU_ASSERT(same_bits("ewm", out, want, 1777));
    }
}

static void test_recursions_do_not_change_when_later_rows_arrive(void)
{
    on_every_path(later_recursions);
}

static void flat_recursion(void)
{
    for (size_t i = 0; i < 2000; i++) x[i] = 0.1;
    pt_roll_ema(x, 2000, 26, out);
    for (size_t i = 25; i < 2000; i++) CU_ASSERT(out[i] == 0.1);
    pt_roll_ewm(x, 2000, 26, out);
    for (size_t i = 0; i < 2000; i++) CU_ASSERT(out[i] == 0.1);
}

static void test_a_flat_column_stays_flat(void)
{
    on_every_path(flat_recursion);
}

static void test_matches_pandas(void)
{
    static double in[300], library[300];
    const char *columns[] = { "close", "holes" };
    const size_t widths[] = { 20, 7 };
    char name[64];
    for (size_t c = 0; c < 2; c++) {
        size_t n = golden("input", columns[c], in, 300);
        for (size_t w = 0; w < 2; w++) {
            for (int what = 0; what < KINDS; what++) {
                snprintf(name, sizeof(name), "%s.%s%zu", columns[c], names[what], widths[w]);
                CU_ASSERT(golden("roll", name, library, 300) == n);
                run((enum what)what, in, n, widths[w], pt_roll_half(widths[w]), out);
                CU_ASSERT(near_all(name, out, library, n, 1e-10, 0));
            }
        }
        snprintf(name, sizeof(name), "%s.ewm20", columns[c]);
        CU_ASSERT(golden("roll", name, library, 300) == n);
        pt_roll_ewm(in, n, 20, out);
        CU_ASSERT(near_all(name, out, library, n, 1e-12, 0));
        snprintf(name, sizeof(name), "%s.ema20", columns[c]);
        CU_ASSERT(golden("roll", name, library, 300) == n);
        pt_roll_ema(in, n, 20, out);
        CU_ASSERT(near_all(name, out, library, n, 1e-12, 0));
        snprintf(name, sizeof(name), "%s.wilder14", columns[c]);
        CU_ASSERT(golden("roll", name, library, 300) == n);
        pt_roll_wilder(in, n, 14, out);
        CU_ASSERT(near_all(name, out, library, n, 1e-12, 0));
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "matches the definition", test_matches_the_definition },
        { "wide windows match the definition", test_wide_windows_match_the_definition },
        { "right at every length", test_right_at_every_length },
        { "too short, or no width, is missing", test_too_short_or_no_width_is_missing },
        { "a bad value leaves with its window", test_a_bad_value_leaves_with_its_window },
        { "a bad value leaves a wide window too", test_a_bad_value_leaves_a_wide_window_too },
        { "a row does not change when later rows arrive",
          test_a_row_does_not_change_when_later_rows_arrive },
        { "a flat window has no deviation at all", test_a_flat_window_has_no_deviation_at_all },
        { "deviation is right where sums cancel", test_deviation_is_right_where_sums_cancel },
        { "degrees of freedom are taken from the count",
          test_degrees_of_freedom_are_taken_from_the_count },
        { "recursive means match the definition", test_recursive_means_match_the_definition },
        { "the adjusted mean matches the definition",
          test_the_adjusted_mean_matches_the_definition },
        { "recursions do not change when later rows arrive",
          test_recursions_do_not_change_when_later_rows_arrive },
        { "a flat column stays flat", test_a_flat_column_stays_flat },
        { "matches pandas", test_matches_pandas },
        CU_TEST_INFO_NULL,
    };
    return pt_suite_main("roll", tests);
}
