#include "num/moment.h"

#include "num/dist.h"
#include "num/wide.h"

double pt_moment_sum(const double *x, size_t n)
{
    size_t count;
    return pt_wide()->sum(x, n, &count);
}

double pt_moment_mean(const double *x, size_t n)
{
    size_t count;
    double sum = pt_wide()->sum(x, n, &count);
    return count > 0 ? sum / (double)count : NAN;
}

/* Sums of powers about the mean; the second one freed of what the rounding of the mean left in it.
 */
static void about_mean(const double *x, size_t n, struct pt_powers *out)
{
    struct pt_centre centre = { pt_first_there(x, n), 0 };
    pt_wide()->powers(x, n, centre, out);
    if (out->count == 0) return;
    centre.shift = out->s1 / (double)out->count;
    pt_wide()->powers(x, n, centre, out);
    double left = out->s1 * out->s1 / (double)out->count;
    out->s2 = out->s2 > left ? out->s2 - left : 0;
}

double pt_moment_var(const double *x, size_t n, unsigned ddof)
{
    struct pt_powers p;
    about_mean(x, n, &p);
    return p.count > ddof ? p.s2 / (double)(p.count - ddof) : NAN;
}

double pt_moment_std(const double *x, size_t n, unsigned ddof)
{
    return sqrt(pt_moment_var(x, n, ddof));
}

double pt_moment_min(const double *x, size_t n)
{
    double low, high;
    pt_wide()->extremes(x, n, &low, &high);
    return low > high ? NAN : low;
}

double pt_moment_max(const double *x, size_t n)
{
    double low, high;
    pt_wide()->extremes(x, n, &low, &high);
    return low > high ? NAN : high;
}

static size_t first_equal(const double *x, size_t n, double value)
{
    size_t i = 0;
    while (i < n && x[i] != value) i++; /* NaN equals nothing: n */
    return i;
}

size_t pt_moment_argmin(const double *x, size_t n)
{
    return first_equal(x, n, pt_moment_min(x, n));
}

size_t pt_moment_argmax(const double *x, size_t n)
{
    return first_equal(x, n, pt_moment_max(x, n));
}

/* Biased g1, g2 and the count they are of; false when there are none. */
static bool shape(const double *x, size_t n, double *g1, double *g2, double *count)
{
    struct pt_powers p;
    about_mean(x, n, &p);
    *count = (double)p.count;
    if (p.count < 2 || !(p.s2 > 0)) return false;
    double m2 = p.s2 / *count;
    *g1 = p.s3 / *count / (m2 * sqrt(m2));
    *g2 = p.s4 / *count / (m2 * m2) - 3;
    return true;
}

double pt_moment_skewness_biased(const double *x, size_t n)
{
    double g1, g2, m;
    return shape(x, n, &g1, &g2, &m) ? g1 : NAN;
}

double pt_moment_kurtosis_biased(const double *x, size_t n)
{
    double g1, g2, m;
    return shape(x, n, &g1, &g2, &m) ? g2 : NAN;
}

double pt_moment_skewness(const double *x, size_t n)
{
    double g1, g2, m;
    return shape(x, n, &g1, &g2, &m) && m >= 3 ? g1 * sqrt(m * (m - 1)) / (m - 2) : NAN;
}

double pt_moment_kurtosis(const double *x, size_t n)
{
    double g1, g2, m;
    if (!shape(x, n, &g1, &g2, &m) || m < 4) return NAN;
    return (m - 1) / ((m - 2) * (m - 3)) * ((m + 1) * g2 + 6);
}

double pt_moment_jarque_bera_p(const double *x, size_t n, double *statistic)
{
    double g1, g2, m, jb = NAN;
    if (shape(x, n, &g1, &g2, &m)) jb = m / 6 * (g1 * g1 + g2 * g2 / 4);
    if (statistic != NULL) *statistic = jb;
    return pt_dist_chi2_sf(jb, 2);
}

/* Sums about the means of the pairs; false when there is no pair. */
static bool pairs_about_means(const double *x, const double *y, size_t n, struct pt_cross *out)
{
    size_t i = 0;
    while (i < n && !(pt_there(x[i]) && pt_there(y[i]))) i++;
    *out = (struct pt_cross){ 0 };
    if (i == n) return false;
    struct pt_centre cx = { x[i], 0 }, cy = { y[i], 0 };
    pt_wide()->cross(x + i, y + i, n - i, cx, cy, out);
    double m = (double)out->count;
    cx.shift = out->x / m;
    cy.shift = out->y / m;
    pt_wide()->cross(x + i, y + i, n - i, cx, cy, out);
    out->xx -= out->x * out->x / m;
    out->yy -= out->y * out->y / m;
    out->xy -= out->x * out->y / m;
    return true;
}

void pt_moment_leave_one_out(const double *x, size_t n, double centre, double *mean, double *std)
{
    double sum = 0, squares = 0, others = -1; /* how many there are beside one */
    for (size_t i = 0; i < n; i++) {
        double d = x[i] - centre;
        mean[i] = sum;
        std[i] = squares;
        if (!pt_there(x[i])) continue;
        sum += d;
        squares += d * d;
        others++;
    }
    sum = squares = 0;
    for (size_t i = n; i-- > 0;) {
        double d = x[i] - centre, m = (mean[i] + sum) / others;
        double left = std[i] + squares - (mean[i] + sum) * m;
        bool there = pt_there(x[i]);
        mean[i] = there && others >= 1 ? centre + m : NAN;
        std[i] = there && others >= 2 ? sqrt(left / (others - 1)) : NAN;
        if (!there) continue;
        sum += d;
        squares += d * d;
    }
}

double pt_moment_cov(const double *x, const double *y, size_t n, unsigned ddof, size_t *used)
{
    struct pt_cross s;
    pairs_about_means(x, y, n, &s);
    if (used != NULL) *used = s.count;
    return s.count > ddof ? s.xy / (double)(s.count - ddof) : NAN;
}

double pt_moment_pearson(const double *x, const double *y, size_t n, size_t *used)
{
    struct pt_cross s;
    pairs_about_means(x, y, n, &s);
    if (used != NULL) *used = s.count;
    if (s.count < 2 || !(s.xx > 0) || !(s.yy > 0)) return NAN;
    double product =
        s.xx * s.yy; /* its root is exact for y = x; where it leaves the range, two roots */
    double scale = isnormal(product) ? sqrt(product) : sqrt(s.xx) * sqrt(s.yy);
    double r = s.xy / scale;
    return r > 1 ? 1 : (r < -1 ? -1 : r);
}

double pt_moment_beta(const double *x, const double *y, size_t n, size_t *used)
{
    struct pt_cross s;
    pairs_about_means(x, y, n, &s);
    if (used != NULL) *used = s.count;
    return s.count >= 2 && s.yy > 0 ? s.xy / s.yy : NAN;
}
