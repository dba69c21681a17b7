#include "num/roll_long.h"

#include "num/moment.h"

/* high + low, about 106 bits. */
struct twice {
    double high, low;
};

static inline void add(struct twice *t, double x)
{
    double sum = t->high + x, part = sum - t->high;
    double lost = (t->high - (sum - part)) + (x - part) + t->low; /* Knuth's two-sum */
    t->high = sum + lost;
    t->low = lost - (t->high - sum);
}

static inline double value(const struct twice *t)
{
    return t->high + t->low;
}

/* What a window of values holds. */
struct held {
    double centre;
    struct twice sum, squares, weighted;
    size_t count;
    double weights; /* sum of the weights of what is there; exact */
};

static void enter(struct held *h, double x, double weight)
{
    if (!pt_there(x)) return;
    double d = x - h->centre;
    add(&h->sum, d);
    add(&h->squares, d * d);
    add(&h->weighted, weight * d);
    h->count++;
    h->weights += weight;
}

/* All weights sink by one: what leaves had weight 1 and is gone with it. */
static void leave(struct held *h, double x)
{
    add(&h->weighted, -h->sum.high);
    add(&h->weighted, -h->sum.low);
    h->weights -= (double)h->count;
    if (!pt_there(x)) return;
    double d = x - h->centre;
    add(&h->sum, -d);
    add(&h->squares, -(d * d));
    h->count--;
}

static void restart(struct held *h, const double *x, size_t width)
{
    *h = (struct held){ .centre = pt_first_there(x, width) };
    for (size_t k = 0; k < width; k++) enter(h, x[k], (double)(k + 1));
}

static double spread(const struct pt_roll *how, const struct held *h, const double *window)
{
    if (h->count <= how->ddof) return NAN;
    double c = (double)h->count, s = value(&h->sum), cq = c * value(&h->squares), part = cq - s * s;
    if (part * 2048 < cq)
        return pt_moment_var(window, how->width, how->ddof); /* it cancels: two passes */
    return part / (c * (c - how->ddof));
}

static double statistic(const struct pt_roll *how, const struct held *h, const double *window)
{
    double c = (double)h->count;
    switch (how->kind) {
    case PT_ROLL_SUM: return value(&h->sum) + c * h->centre;
    case PT_ROLL_MEAN: return h->centre + value(&h->sum) / c;
    case PT_ROLL_WMA: return h->centre + value(&h->weighted) / h->weights;
    case PT_ROLL_VAR: return spread(how, h, window);
    case PT_ROLL_STD: return sqrt(spread(how, h, window));
    default: return NAN; /* extremes are not sums */
    }
}

/* Each window is the end of one block of `width` rows and the start of the next (van Herk 1992);
 * the block ends are kept where the results will be. */
static void extremes(const struct pt_roll *how, const double *x, size_t n, double *out)
{
    size_t width = how->width, count = 0;
    bool most = how->kind == PT_ROLL_MAX;
    double empty = most ? -INFINITY : INFINITY;
    for (size_t start = 0; start < n; start += width) {
        size_t end = n - start < width ? n : start + width;
        double best = empty;
        for (size_t back = start; start > 0 && back-- > start - width + 1;) {
            if (pt_there(x[back]) && (most ? x[back] > best : x[back] < best)) best = x[back];
            if (back + width - 1 < n) out[back + width - 1] = best;
        }
        if (start + width - 1 < n) out[start + width - 1] = empty;
        best = empty;
        for (size_t i = start; i < end; i++) {
            bool there = pt_there(x[i]);
            if (there && (most ? x[i] > best : x[i] < best)) best = x[i];
            count += there;
            count -= i >= width && pt_there(x[i - width]);
            if (i + 1 < width || count < how->min_count)
                out[i] = NAN;
            else if (most ? best > out[i] : best < out[i])
                out[i] = best;
        }
    }
}

void pt_roll_long(const struct pt_roll *how, const double *x, size_t n, double *out)
{
    size_t width = how->width;
    struct held h = { 0 };
    if (how->kind == PT_ROLL_MIN || how->kind == PT_ROLL_MAX) {
        extremes(how, x, n, out);
        return;
    }
    pt_fill_missing(out, width - 1);
    for (size_t at = width - 1; at < n; at++) {
        const double *window = x + at - (width - 1);
        if ((at + 1) % width == 0) {
            restart(&h, window, width);
        } else {
            leave(&h, window[-1]);
            enter(&h, x[at], (double)width);
        }
        out[at] = h.count >= how->min_count ? statistic(how, &h, window) : NAN;
    }
}

/* Gains and losses of a window of changes. */
struct path {
    struct twice up, down;
    size_t missing;
};

static void step(struct path *p, double before, double now, double sign)
{
    double change = now - before;
    if (!pt_there(change)) {
        p->missing += sign > 0 ? 1 : (size_t)-1;
        return;
    }
    add(change > 0 ? &p->up : &p->down, sign * fabs(change));
}

/* The window of `width` changes that ends at row i, from the one that ended at i - 1. */
static void move(struct path *p, const double *x, size_t i, size_t width)
{
    if (i % width == 0) {
        *p = (struct path){ 0 };
        for (size_t k = i - width; k < i; k++) step(p, x[k], x[k + 1], 1);
    } else {
        step(p, x[i - width - 1], x[i - width], -1);
        step(p, x[i - 1], x[i], 1);
    }
}

void pt_roll_long_cutler(const double *x, size_t n, size_t period, double *out)
{
    struct path p = { 0 };
    pt_fill_missing(out, period < n ? period : n);
    for (size_t i = period; i < n; i++) {
        move(&p, x, i, period);
        double up = value(&p.up), all = up + value(&p.down);
        out[i] = p.missing > 0 ? NAN : (all == 0 ? 50 : 100 * (up / all));
    }
}

void pt_roll_long_efficiency(const double *x, size_t n, size_t width, double *out)
{
    struct path p = { 0 };
    pt_fill_missing(out, width < n ? width : n);
    for (size_t i = width; i < n; i++) {
        move(&p, x, i, width);
        double ratio = fabs(x[i] - x[i - width]) / (value(&p.up) + value(&p.down));
        out[i] = p.missing > 0 ? NAN : (ratio > 1 ? 1 : ratio);
    }
}
