/* dist.h - tails of the distributions that tests are held against.             [layer: num]
 * Relative error about 1e-13 in the body, 1e-11 far in the tails; NaN for a NaN or an impossible
 * parameter. Sources: NIST Digital Library of Mathematical Functions 7.2, 8.7.1, 8.9.2, 8.17.22. */
#ifndef PT_DIST_H
#define PT_DIST_H

double pt_dist_normal_cdf(double z);         /* P(Z <= z) */
double pt_dist_normal_sf(double z);          /* P(Z > z), exact far out */
double pt_dist_normal_quantile(double p);    /* z with P(Z <= z) = p; -inf at 0, inf at 1 */
double pt_dist_chi2_sf(double x, double df); /* P(X > x), df > 0; 1 for x <= 0; underflows to 0 */
double pt_dist_gamma_q(double a, double x);  /* regularised upper incomplete gamma, a > 0, x >= 0 */
double pt_dist_t_sf(double t, double df);    /* P(T > t), Student, df > 0 */
double pt_dist_beta_i(double x, double a, double b); /* regularised incomplete beta, 0 <= x <= 1 */

#endif
