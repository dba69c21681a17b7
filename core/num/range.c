#include "num/range.h"

#include "num/roll.h"
#include "num/wide.h"

/* What is averaged, row by row. */
enum term { PARKINSON, GARMAN_KLASS, ROGERS_SATCHELL, OVERNIGHT, INTRADAY };

struct bars {
    const double *open, *high, *low, *close; /* those that the term needs */
    const int64_t *time_us;
    int64_t period_us;
    size_t n, width; /* the last `width` of n rows */
};

static bool priced(const double *column, size_t i)
{
    return column == NULL || (pt_there(column[i]) && column[i] > 0);
}

static double term_at(const struct bars *b, enum term term, size_t i)
{
    if (!priced(b->open, i) || !priced(b->high, i) || !priced(b->low, i) || !priced(b->close, i))
        return NAN;
    switch (term) {
    case PARKINSON: {
        double range = log(b->high[i] / b->low[i]);
        return range * range;
    }
    case GARMAN_KLASS: {
        double range = log(b->high[i] / b->low[i]), body = log(b->close[i] / b->open[i]);
        return 0.5 * range * range - (2 * M_LN2 - 1) * body * body;
    }
    case ROGERS_SATCHELL:
        return log(b->high[i] / b->close[i]) * log(b->high[i] / b->open[i]) +
               log(b->low[i] / b->close[i]) * log(b->low[i] / b->open[i]);
    case OVERNIGHT:
        if (i == 0 || !priced(b->close, i - 1)) return NAN;
        if (b->time_us != NULL && b->time_us[i] - b->time_us[i - 1] != b->period_us) return NAN;
        return log(b->open[i] / b->close[i - 1]);
    case INTRADAY: return log(b->close[i] / b->open[i]);
    }
    return NAN;
}

/* Sum of (term - centre)^power; *count: rows in which it is there. */
static double term_sum(const struct bars *b, enum term term, double centre, int power,
                       size_t *count)
{
    double sum = 0, lost = 0;
    *count = 0;
    for (size_t i = b->n - b->width; i < b->n; i++) {
        double d = term_at(b, term, i) - centre;
        if (!pt_there(d)) continue;
        d = power == 2 ? d * d : d;
        double next = sum + d;
        lost += fabs(sum) >= fabs(d) ? (sum - next) + d : (d - next) + sum;
        sum = next;
        (*count)++;
    }
    return sum + lost;
}

static bool usable(size_t n, size_t width)
{
    return width >= 2 && width <= n;
}

static double term_mean(const struct bars *b, enum term term)
{
    if (!usable(b->n, b->width)) return NAN;
    size_t count;
    double sum = term_sum(b, term, 0, 1, &count);
    return count >= pt_roll_half(b->width) ? sum / (double)count : NAN;
}

static double term_var(const struct bars *b, enum term term)
{
    size_t count;
    double mean = term_mean(b, term); /* NaN: so is the variance */
    double squares = term_sum(b, term, mean, 2, &count);
    return count >= 2 ? squares / (double)(count - 1) : NAN;
}

double pt_range_parkinson(const double *high, const double *low, size_t n, size_t width)
{
    struct bars b = { .high = high, .low = low, .n = n, .width = width };
    return sqrt(term_mean(&b, PARKINSON) / (4 * M_LN2));
}

/* NaN, not the root, of what is negative. */
static double root(double mean)
{
    return mean >= 0 ? sqrt(mean) : NAN;
}

double pt_range_garman_klass(const double *open, const double *high, const double *low,
                             const double *close, size_t n, size_t width)
{
    struct bars b = {
        .open = open, .high = high, .low = low, .close = close, .n = n, .width = width
    };
    return root(term_mean(&b, GARMAN_KLASS));
}

double pt_range_rogers_satchell(const double *open, const double *high, const double *low,
                                const double *close, size_t n, size_t width)
{
    struct bars b = {
        .open = open, .high = high, .low = low, .close = close, .n = n, .width = width
    };
    return root(term_mean(&b, ROGERS_SATCHELL));
}

double pt_range_yang_zhang(const double *open, const double *high, const double *low,
                           const double *close, const int64_t *time_us, size_t n, int64_t period_us,
                           size_t width)
{
    struct bars b = { open, high, low, close, time_us, period_us, n, width };
    if (!usable(n, width)) return NAN;
    double w = (double)width, k = 0.34 / (1.34 + (w + 1) / (w - 1));
    double overnight = term_var(&b, OVERNIGHT), intraday = term_var(&b, INTRADAY);
    return root(overnight + k * intraday + (1 - k) * term_mean(&b, ROGERS_SATCHELL));
}

double pt_range_ewma(const double *r, size_t n, double lambda, size_t seed)
{
    double v = 0;
    size_t seen = 0;
    for (size_t i = 0; i < n; i++) {
        if (!pt_there(r[i])) continue;
        double square = r[i] * r[i];
        if (seen < seed) {
            v += square;
            if (++seen == seed) v /= (double)seed;
        } else {
            v = lambda * v + (1 - lambda) * square;
        }
    }
    return seed >= 1 && seen == seed ? sqrt(v) : NAN;
}

static double one_sided(const double *r, size_t n, double sign)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (!pt_there(r[i])) continue;
        double side = sign * r[i];
        sum += side > 0 ? side * side : 0;
        count++;
    }
    return count > 0 && count >= n - n / 2 ? sqrt(sum / (double)count) : NAN;
}

double pt_range_downside(const double *r, size_t n)
{
    return one_sided(r, n, -1);
}

double pt_range_upside(const double *r, size_t n)
{
    return one_sided(r, n, 1);
}
