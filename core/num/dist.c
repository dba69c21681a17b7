#include "num/dist.h"

#include <float.h>
#include <math.h>

#define TINY 1e-300 /* keeps Lentz's continued fractions off zero */
#define TERMS 100000

double pt_dist_normal_cdf(double z)
{
    return 0.5 * erfc(-z * M_SQRT1_2);
}

double pt_dist_normal_sf(double z)
{
    return 0.5 * erfc(z * M_SQRT1_2);
}

double pt_dist_normal_quantile(double p)
{
    if (!(p >= 0 && p <= 1)) return NAN;
    double tail = p < 0.5 ? p : 1 - p;
    if (tail == 0) return p == 0 ? -INFINITY : INFINITY;
    /* Abramowitz & Stegun 26.2.23 is right to 4.5e-4; Halley's method triples the digits each time
     */
    double t = sqrt(-2 * log(tail));
    double z = t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                       (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    for (int i = 0; i < 3; i++) {
        double density = exp(-0.5 * z * z) / sqrt(2 * M_PI);
        double u = (pt_dist_normal_sf(z) - tail) / density;
        z += u / (1 - 0.5 * u * z);
    }
    return p < 0.5 ? -z : z;
}

static double ln_gamma(double x)
{
    int sign; /* lgamma() would write a global */
    return lgamma_r(x, &sign);
}

double pt_dist_gamma_q(double a, double x)
{
    if (!(a > 0) || !(x >= 0)) return NAN;
    if (x == 0) return 1;
    if (isinf(x)) return 0;
    double front = exp(a * log(x) - x - ln_gamma(a));
    if (x < a + 1) { /* DLMF 8.7.1: the lower one as a series of positive terms */
        double term = 1 / a, sum = term;
        for (int k = 1; k < TERMS && term > sum * DBL_EPSILON / 4; k++) {
            term *= x / (a + k);
            sum += term;
        }
        double p = front * sum;
        return p < 1 ? 1 - p : 0;
    }
    /* DLMF 8.9.2, contracted to its even part, by Lentz's method */
    double b = x + 1 - a, c = 1 / TINY, d = 1 / b, h = d;
    for (int k = 1; k < TERMS; k++) {
        double num = -k * (k - a);
        b += 2;
        d = num * d + b;
        if (fabs(d) < TINY) d = TINY;
        c = b + num / c;
        if (fabs(c) < TINY) c = TINY;
        d = 1 / d;
        h *= d * c;
        if (fabs(d * c - 1) < DBL_EPSILON) break;
    }
    return front * h;
}

double pt_dist_chi2_sf(double x, double df)
{
    if (isnan(x) || !(df > 0)) return NAN;
    return x <= 0 ? 1 : pt_dist_gamma_q(0.5 * df, 0.5 * x);
}

/* The continued fraction DLMF 8.17.22, for x below (a + 1) / (a + b + 2), by Lentz's method. */
static double beta_fraction(double x, double a, double b)
{
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    if (fabs(d) < TINY) d = TINY;
    d = 1 / d;
    double h = d;
    for (int m = 1; m < TERMS; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        for (int half = 0; half < 2; half++) {
            double num = half == 0 ? even : odd;
            d = 1 + num * d;
            if (fabs(d) < TINY) d = TINY;
            c = 1 + num / c;
            if (fabs(c) < TINY) c = TINY;
            d = 1 / d;
            h *= d * c;
        }
        if (fabs(d * c - 1) < DBL_EPSILON) break;
    }
    return h;
}

/* I_x(a, b) with y = 1 - x given apart, so that neither end loses digits. */
static double beta_of(double x, double y, double a, double b)
{
    if (x == 0) return 0;
    if (y == 0) return 1;
    double front = exp(a * log(x) + b * log(y) + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b));
    if (x < (a + 1) / (a + b + 2)) return front / a * beta_fraction(x, a, b);
    return 1 - front / b * beta_fraction(y, b, a);
}

double pt_dist_beta_i(double x, double a, double b)
{
    if (!(x >= 0 && x <= 1) || !(a > 0) || !(b > 0)) return NAN;
    return beta_of(x, 1 - x, a, b);
}

double pt_dist_t_sf(double t, double df)
{
    if (isnan(t) || !(df > 0)) return NAN;
    if (isinf(t)) return t > 0 ? 0 : 1;
    double all = df + t * t;
    double half = 0.5 * beta_of(df / all, t * t / all, 0.5 * df, 0.5);
    return t >= 0 ? half : 1 - half;
}
