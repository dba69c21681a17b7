#include "near.h"

#include "num/dist.h"

enum { ROOM = 100 };

static void test_matches_scipy(void)
{
    double a[ROOM], b[ROOM], c[ROOM], want[ROOM], got[ROOM];
    size_t n = golden("dist", "z", a, ROOM);
    CU_ASSERT(golden("dist", "normal_cdf", want, ROOM) == n);
    for (size_t i = 0; i < n; i++) got[i] = pt_dist_normal_cdf(a[i]);
    CU_ASSERT(near_all("normal cdf", got, want, n, 1e-12, 0));
    CU_ASSERT(golden("dist", "normal_sf", want, ROOM) == n);
    for (size_t i = 0; i < n; i++) got[i] = pt_dist_normal_sf(a[i]);
    CU_ASSERT(near_all("normal sf", got, want, n, 1e-12, 0));

    n = golden("dist", "p", a, ROOM);
    CU_ASSERT(golden("dist", "normal_quantile", want, ROOM) == n);
    for (size_t i = 0; i < n; i++) got[i] = pt_dist_normal_quantile(a[i]);
    CU_ASSERT(near_all("normal quantile", got, want, n, 1e-12, 1e-3));

    n = golden("dist", "x", a, ROOM);
    CU_ASSERT(golden("dist", "df", b, ROOM) == n && golden("dist", "chi2_sf", want, ROOM) == n);
    for (size_t i = 0; i < n; i++) got[i] = pt_dist_chi2_sf(a[i], b[i]);
    CU_ASSERT(near_all("chi2", got, want, n, 1e-10, 1e-300));
    CU_ASSERT(golden("dist", "t_sf", want, ROOM) == n);
    for (size_t i = 0; i < n; i++) got[i] = pt_dist_t_sf(a[i], b[i]);
    CU_ASSERT(near_all("t", got, want, n, 1e-10, 1e-300));
    CU_ASSERT(golden("dist", "gamma_q", want, ROOM) == n);
    for (size_t i = 0; i < n; i++) got[i] = pt_dist_gamma_q(b[i] / 3, a[i]);
    CU_ASSERT(near_all("gamma", got, want, n, 1e-10, 1e-300));

    n = golden("dist", "bx", a, ROOM);
    CU_ASSERT(golden("dist", "ba", b, ROOM) == n && golden("dist", "bb", c, ROOM) == n);
    CU_ASSERT(golden("dist", "beta_i", want, ROOM) == n);
    for (size_t i = 0; i < n; i++) got[i] = pt_dist_beta_i(a[i], b[i], c[i]);
    CU_ASSERT(near_all("beta", got, want, n, 1e-11, 1e-300));
}

static void test_closed_forms_hold(void)
{
    for (double x = 0.01; x < 600; x *= 1.7) CHECK_NEAR(pt_dist_chi2_sf(x, 2), exp(-x / 2), 1e-12);
    for (double x = 0.01; x < 600; x *= 1.7)
        CHECK_NEAR(pt_dist_chi2_sf(x, 1), erfc(sqrt(x / 2)), 1e-12);
    for (double t = -30; t < 30; t += 0.7)
        CHECK_NEAR(pt_dist_t_sf(t, 1), 0.5 - atan(t) / M_PI, 1e-12);
    for (double x = 0.05; x < 1; x += 0.05)
        CHECK_NEAR(pt_dist_beta_i(x, 2, 3), x * x * (6 - 8 * x + 3 * x * x), 1e-13);
    for (double z = -8; z < 3; z += 0.25) /* above, 1 - p has too few digits to find z */
        CU_ASSERT(near_to(pt_dist_normal_quantile(pt_dist_normal_cdf(z)), z, 1e-12, 1));
}

static void test_the_ends_and_the_impossible(void)
{
    CU_ASSERT(pt_dist_chi2_sf(0, 3) == 1 && pt_dist_chi2_sf(-2, 3) == 1 &&
              pt_dist_chi2_sf(INFINITY, 3) == 0);
    CU_ASSERT(pt_dist_chi2_sf(1e6, 10) == 0 && isnan(pt_dist_chi2_sf(NAN, 3)) &&
              isnan(pt_dist_chi2_sf(1, 0)));
    CU_ASSERT(pt_dist_t_sf(0, 7) == 0.5 && pt_dist_t_sf(INFINITY, 7) == 0 &&
              pt_dist_t_sf(-INFINITY, 7) == 1);
    CU_ASSERT(isnan(pt_dist_t_sf(NAN, 3)) && isnan(pt_dist_t_sf(1, -1)));
    CU_ASSERT(pt_dist_beta_i(0, 2, 3) == 0 && pt_dist_beta_i(1, 2, 3) == 1 &&
              isnan(pt_dist_beta_i(1.1, 2, 3)));
    CU_ASSERT(pt_dist_gamma_q(3, 0) == 1 && isnan(pt_dist_gamma_q(3, -1)) &&
              isnan(pt_dist_gamma_q(0, 1)));
    CU_ASSERT(pt_dist_normal_quantile(0) == -INFINITY && pt_dist_normal_quantile(1) == INFINITY);
    CU_ASSERT(isnan(pt_dist_normal_quantile(-0.1)) && isnan(pt_dist_normal_quantile(NAN)));
    CU_ASSERT(fabs(pt_dist_normal_quantile(0.5)) < 1e-15);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "matches scipy", test_matches_scipy },
        { "closed forms hold", test_closed_forms_hold },
        { "the ends and the impossible", test_the_ends_and_the_impossible },
        CU_TEST_INFO_NULL,
    };
    return pt_suite_main("dist", tests);
}
