#include "near.h"

#include "num/panel.h"
#include "num/rank.h"

enum { N = 600, SERIES = 6 };
static double x[N], ranks[N], want[N], cells[SERIES][N];
static struct pt_rank_key work[2 * N];
static uint32_t order[N];

static void make_values(size_t n, uint64_t seed, uint64_t kinds, bool holes, double *to)
{
    struct pt_rng rng;
    pt_rng_seed(&rng, seed, 7);
    for (size_t i = 0; i < n; i++) {
        to[i] = kinds > 0 ? (double)pt_rng_below(&rng, kinds) - 2 : pt_rng_normal(&rng) * 1e5;
        if (holes && pt_rng_below(&rng, 10) == 0) to[i] = i % 2 == 0 ? NAN : -INFINITY;
    }
}

/* Rank: how many are less, and half of those that are equal. */
static void plain_ranks(const double *v, const double *other, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) {
        double less = 0, equal = 0;
        for (size_t k = 0; k < n; k++) {
            if (!isfinite(v[k]) || !isfinite(other[k])) continue;
            less += v[k] < v[i];
            equal += v[k] == v[i];
        }
        out[i] = isfinite(v[i]) && isfinite(other[i]) ? less + (equal + 1) / 2 : NAN;
    }
}

static void test_ranks_match_their_definition(void)
{
    const size_t lengths[] = { 0, 1, 2, 50, N };
    const uint64_t kinds[] = { 0, 1, 3, 100 };
    for (size_t l = 0; l < 5; l++) {
        for (size_t k = 0; k < 8; k++) {
            make_values(lengths[l], k, kinds[k / 2], k % 2 != 0, x);
            size_t count = pt_rank_order(x, lengths[l], work, order);
            for (size_t i = 1; i < count; i++)
                CU_ASSERT(x[order[i - 1]] < x[order[i]] ||
                          (x[order[i - 1]] == x[order[i]] && order[i - 1] < order[i]));
            pt_rank_average(x, lengths[l], order, count, ranks);
            plain_ranks(x, x, lengths[l], want);
            CU_ASSERT(same_bits("ranks", ranks, want, lengths[l]));
        }
    }
}

static void test_order_of_signs_zeros_and_extremes(void)
{
    const double v[] = { 0.0, -0.0, 1e308, -1e308, 5e-324, -5e-324, NAN, -1, 1, INFINITY };
    const double expected[] = { 4.5, 4.5, 8, 1, 6, 3, NAN, 2, 7, NAN };
    size_t count = pt_rank_order(v, 10, work, order);
    CU_ASSERT(count == 8);
    pt_rank_average(v, 10, order, count, ranks);
    CU_ASSERT(same_bits("ranks", ranks, expected, 10));
}

static double plain_spearman(const double *a, const double *b, size_t n, size_t *used)
{
    static double ra[N], rb[N];
    double aa = 0, bb = 0, ab = 0, m = 0;
    plain_ranks(a, b, n, ra);
    plain_ranks(b, a, n, rb);
    for (size_t i = 0; i < n; i++) m += !isnan(ra[i]);
    for (size_t i = 0; i < n; i++) {
        if (isnan(ra[i])) continue;
        aa += pow(ra[i] - (m + 1) / 2, 2);
        bb += pow(rb[i] - (m + 1) / 2, 2);
        ab += (ra[i] - (m + 1) / 2) * (rb[i] - (m + 1) / 2);
    }
    *used = (size_t)m;
    return ab / sqrt(aa * bb);
}

static void test_spearman_ranks_the_rows_of_each_pair(void)
{
    const double *columns[SERIES];
    double got[SERIES * SERIES];
    uint32_t overlap[SERIES * SERIES];
    for (size_t i = 0; i < SERIES; i++) {
        make_values(N, i, i == 1 || i == 4 ? 5 : 0, i >= 3, cells[i]);
        for (size_t t = 0; t < N && i > 0; t++) cells[i][t] += cells[i - 1][t] * (double)(i % 2);
        columns[i] = cells[i];
    }
    for (size_t t = 0; t < N; t++)
        if (!isfinite(cells[2][t])) cells[2][t] = 0;
    struct pt_panel p = { columns, SERIES, N };
    CU_ASSERT_FATAL(pt_panel_spearman(&p, 20, got, overlap, NULL) == PT_OK);
    for (size_t i = 0; i < SERIES; i++) {
        for (size_t j = 0; j < SERIES; j++) {
            size_t used;
            double r = plain_spearman(cells[i], cells[j], N, &used);
            CU_ASSERT(near_to(got[i * SERIES + j], r, 1e-13, 1));
            CU_ASSERT(overlap[i * SERIES + j] == used);
        }
    }
    CU_ASSERT(overlap[0] == N && overlap[4] < N && overlap[4 * SERIES + 4] < N);
    CU_ASSERT_FATAL(pt_panel_spearman(&p, N, got, NULL, NULL) == PT_OK);
    CU_ASSERT(!isnan(got[1]) && isnan(got[4]) && isnan(got[4 * SERIES + 4]));
}

static void test_a_bent_but_rising_relation_is_one(void)
{
    double v[50], w[50], got[4];
    for (int i = 0; i < 50; i++) {
        v[i] = exp(i);
        w[i] = i == 20 ? NAN : -(double)i;
    }
    const double *columns[] = { v, w };
    struct pt_panel p = { columns, 2, 50 };
    CU_ASSERT(pt_panel_spearman(&p, 2, got, NULL, NULL) == PT_OK);
    CU_ASSERT(got[0] == 1 && got[1] == -1 && got[3] == 1);
    for (int i = 0; i < 50; i++) v[i] = 4;
    CU_ASSERT(pt_panel_spearman(&p, 2, got, NULL, NULL) == PT_OK);
    CU_ASSERT(isnan(got[0]) && isnan(got[1]) && got[3] == 1);
}

static void test_matches_pandas(void)
{
    const char *names[] = { "log_return", "other", "gappy", "flow", "young" };
    const double *columns[5];
    double got[25];
    for (size_t i = 0; i < 5; i++) {
        CU_ASSERT_FATAL(golden(i < 3 ? "input" : "panel", names[i], cells[i], N) == 300);
        columns[i] = cells[i] + 1;
    }
    CU_ASSERT(pt_panel_spearman(&(struct pt_panel){ columns, 5, 299 }, 20, got, NULL, NULL) ==
              PT_OK);
    CU_ASSERT_FATAL(golden("panel", "spearman", want, N) == 25);
    CU_ASSERT(near_all("spearman", got, want, 25, 1e-12, 0));
}

int main(void)
{
    pt_panel_blas_one_thread();
    CU_TestInfo tests[] = {
        { "ranks match their definition", test_ranks_match_their_definition },
        { "order of signs, zeros and extremes", test_order_of_signs_zeros_and_extremes },
        { "Spearman ranks the rows of each pair", test_spearman_ranks_the_rows_of_each_pair },
        { "a bent but rising relation is one", test_a_bent_but_rising_relation_is_one },
        { "matches pandas", test_matches_pandas },
        CU_TEST_INFO_NULL,
    };
    return pt_suite_main("rank", tests);
}
