/* wide_roll.h - rolling statistics of up to PT_ROLL_NARROW rows. Included by wide_body.h only.
 *                                                                        [layer: num, internal]
 * Rows go through in blocks that stay in the first-level cache. Variance is taken about a value
 * near by, the newest of the first window: x - centre is then of the size of the spread, and sum of
 * squares minus square of sum loses little. Where it does lose (11 bits or more), that row alone is
 * done again in two passes. A centre is never a later row's: rows do not change when more arrive.
 */
#ifndef PT_WIDE_ROLL_H
#define PT_WIDE_ROLL_H

#include "num/roll.h"
#include "num/wide_sum.h"
#include "num/wide_vec.h"
#include "num/wide_window.h"

enum { ROLL_BLOCK = 2048, ROLL_ROOM = ROLL_BLOCK + PT_ROLL_NARROW + 168 };

/* [ROLL_ROOM]: 16 for what is read behind the end, the rest keeps the arrays from lying at the same
 * place in a page, where a load would wait for stores that are not its own. */

struct block {
    _Alignas(64) double d[ROLL_ROOM]; /* values, missing ones 0 */
    double s[ROLL_ROOM];              /* window sums of d */
    double q[ROLL_ROOM];              /* window sums of squares, or weighted sums */
    double m[ROLL_ROOM];              /* 1 where a value is there */
    double c[ROLL_ROOM];              /* window sums of m */
    double g[ROLL_ROOM];              /* weighted sums of m */
};

/* A variance is done again when its sums lost this factor: 11 bits, which leave 1e-12. */
#define CANCELLED 2048

/* Rows in a block: long against the overlap; short enough for the first-level cache, and,
 * `centred`, for values to stay near their centre. */
static inline size_t block_rows(size_t width, bool centred)
{
    size_t rows = up8(8 * width), least = centred ? 64 : 512;
    return rows < least ? least : (rows > ROLL_BLOCK ? ROLL_BLOCK : rows);
}

/* The newest value of the first window, or where it is empty the first one after it. */
static double block_centre(const double *x, size_t width, size_t rows)
{
    for (size_t i = width; i-- > 0;)
        if (pt_there(x[i])) return x[i];
    return pt_first_there(x + width, rows - width);
}

/* d = x - centre, `empty` where x is missing; true when any is. */
static bool gather(const double *x, size_t rows, double centre, double empty, double *d)
{
    const vd zero = { 0 }, none = empty - zero;
    vi there = { 0 };
    double last[8];
    for (size_t i = 0; i < rows; i += 8) {
        const double *from = group(x, i, rows, last);
        for (size_t p = 0; p < 8; p += LANES) {
            vd v = GET(from + p);
            vi ok = THERE(v);
            AT(d + i + p) = PICK(ok, v - centre, none);
            there -= ok;
        }
    }
    pad(d, rows);
    return rows_in(&there) != rows;
}

/* m = 1 where x is there, else 0. */
static void gather_mask(const double *x, size_t rows, double *m)
{
    const vd zero = { 0 }, one = 1 - zero;
    double last[8];
    for (size_t i = 0; i < rows; i += 8) {
        const double *from = group(x, i, rows, last);
        for (size_t p = 0; p < 8; p += LANES) {
            vd v = GET(from + p);
            AT(m + i + p) = KEEP(THERE(v), one);
        }
    }
    pad(m, rows);
}

/* Two passes about the window's own mean: the definition. */
static double exact_var(const double *x, size_t width, unsigned ddof)
{
    struct pt_centre centre = { pt_first_there(x, width), 0 };
    struct pt_powers p;
    powers(x, width, centre, &p);
    double m = (double)p.count;
    centre.shift = p.s1 / m;
    powers(x, width, centre, &p);
    return (p.s2 - p.s1 * p.s1 / m) / (m - ddof);
}

/* Variances of windows; counts NULL: nothing is missing. True when some cancel: they are left NaN.
 */
static inline bool finish_var(const struct pt_roll *how, size_t rows, size_t k, unsigned more,
                              double need, const double *counts, const struct block *b, double *out)
{
    const vd zero = { 0 }, none = NAN - zero;
    double ddof = how->ddof;
    vd c = (double)how->width - zero, share = 1 / (c * (c - ddof));
    vi cancelled = { 0 };
    for (size_t i = 0; i < rows; i += LANES) {
        vd sum, squares;
        last_sums(b->d, b->s, b->q, i, k, more, &sum, &squares);
        if (counts != NULL) {
            c = GET(counts + i);
            share = 1 / (c * (c - ddof));
        }
        vd all = c * squares, part = all - sum * sum;
        vi enough = c >= need, again = part * CANCELLED < all;
        vd result = part * share;
        if (how->kind == PT_ROLL_STD) roots(&result);
        result = PICK(enough & ~again, result, none);
        if (i + LANES <= rows)
            AT(out + i) = result;
        else
            memcpy(out + i, &result, (rows - i) * sizeof(double));
        cancelled |= again;
    }
    return rows_in(&cancelled) != 0;
}

/* x: the values of the block. */
static void roll_var(const struct pt_roll *how, const double *x, size_t rows, const double *counts,
                     struct block *b, double *out)
{
    size_t k, span = rows + how->width - 1;
    double need = (double)(how->min_count > how->ddof ? how->min_count : how->ddof + 1);
    bool again = false;
    switch (most_sums(b->d, span, how->width, b->s, b->q, &k)) {
    case 0: again = finish_var(how, rows, k, 0, need, counts, b, out); break;
    case 1: again = finish_var(how, rows, k, 1, need, counts, b, out); break;
    case 2: again = finish_var(how, rows, k, 2, need, counts, b, out); break;
    case 3: again = finish_var(how, rows, k, 3, need, counts, b, out); break;
    default: again = finish_var(how, rows, k, DIRECT_ONLY, need, counts, b, out); break;
    }
    for (size_t i = 0; again && i < rows; i++) {
        if (!isnan(out[i]) || (counts != NULL ? counts[i] : (double)how->width) < need) continue;
        double exact = exact_var(x + i, how->width, how->ddof);
        out[i] = how->kind == PT_ROLL_STD ? sqrt(exact) : exact;
    }
}

/* out / divisors (NULL: 1), NaN where fewer than min_count are there; counts NULL: all are. */
static void finish(const struct pt_roll *how, const double *divisors, const double *counts,
                   size_t rows, double *out)
{
    double need = (double)how->min_count;
    if (counts == NULL) {
        if ((double)how->width < need) pt_fill_missing(out, rows);
    } else if (divisors == NULL) {
        PT_EACH for (size_t i = 0; i < rows; i++) out[i] = counts[i] >= need ? out[i] : NAN;
    } else {
        PT_EACH for (size_t i = 0; i < rows; i++)
        {
            double ratio = out[i] / divisors[i];
            out[i] = counts[i] >= need ? ratio : NAN;
        }
    }
}

/* x: rows + width - 1 values, of which `readable` may be read. */
static void roll_block(const struct pt_roll *how, const double *x, size_t rows, size_t readable,
                       struct block *b, double *out)
{
    size_t span = rows + how->width - 1, width = how->width;
    bool spread = how->kind == PT_ROLL_VAR || how->kind == PT_ROLL_STD;
    double empty = how->kind == PT_ROLL_MIN ? INFINITY : (how->kind == PT_ROLL_MAX ? -INFINITY : 0);
    /* where nothing is missing the column itself will do */
    bool direct = !spread && readable >= up8(span) + 8 && count(x, span) == span;
    bool holes = !direct && gather(x, span, spread ? block_centre(x, width, span) : 0, empty, b->d);
    const double *d = direct ? x : b->d;
    if (holes) gather_mask(x, span, b->m);
    if (holes) window_sums(b->m, span, width, b->s, 1, b->c);
    if (holes && how->kind == PT_ROLL_WMA) weighted_sums(b->m, span, width, b->s, b->q, 1, b->g);
    const double *counts = holes ? b->c : NULL;

    double w = (double)width;
    switch (how->kind) {
    case PT_ROLL_SUM:
        window_sums(d, span, width, b->s, 1, out);
        finish(how, NULL, counts, rows, out);
        break;
    case PT_ROLL_MEAN:
        window_sums(d, span, width, b->s, holes ? 1 : w, out);
        finish(how, counts, counts, rows, out);
        break;
    case PT_ROLL_WMA:
        weighted_sums(d, span, width, b->s, b->q, holes ? 1 : w * (w + 1) / 2, out);
        finish(how, b->g, counts, rows, out);
        break;
    case PT_ROLL_MIN:
    case PT_ROLL_MAX:
        window_extremes(d, span, width, how->kind == PT_ROLL_MAX, b->s, b->q, out);
        finish(how, NULL, counts, rows, out);
        break;
    case PT_ROLL_VAR:
    case PT_ROLL_STD: roll_var(how, x, rows, counts, b, out); break;
    }
}

static void roll(const struct pt_roll *how, const double *x, size_t n, double *out)
{
    struct block b;
    bool spread = how->kind == PT_ROLL_VAR || how->kind == PT_ROLL_STD;
    size_t before = how->width - 1, step = block_rows(how->width, spread);
    pt_fill_missing(out, before);
    for (size_t at = before; at < n; at += step)
        roll_block(how, x + at - before, n - at < step ? n - at : step, n - (at - before), &b,
                   out + at);
}

/* Changes from row to row of x, [rows + 1]; NaN where one of the two is missing, so that a window
 * sum is missing with it. */
static void gather_changes(const double *x, size_t rows, double *d)
{
    PT_EACH for (size_t i = 0; i < rows; i++)
    {
        double change = x[i + 1] - x[i];
        d[i] = change - change == 0 ? change : NAN;
    }
    memset(d + rows, 0, (up8(rows) + 8 - rows) * sizeof(double));
}

static void cutler(const double *x, size_t n, size_t period, double *out)
{
    struct block b;
    size_t step = block_rows(period, false);
    pt_fill_missing(out, period);
    for (size_t at = period; at < n; at += step) {
        size_t rows = n - at < step ? n - at : step, span = rows + period - 1;
        gather_changes(x + at - period, span, b.d);
        PT_EACH for (size_t i = 0; i < up8(span) + 8; i++)
        {
            b.m[i] = 0.5 * (fabs(b.d[i]) + b.d[i]); /* the gain, exactly */
            b.g[i] = 0.5 * (fabs(b.d[i]) - b.d[i]);
        }
        window_sums(b.m, span, period, b.c, 1, b.s);
        window_sums(b.g, span, period, b.c, 1, b.q);
        PT_EACH for (size_t i = 0; i < rows; i++)
        {
            double all = b.s[i] + b.q[i];
            out[at + i] = all == 0 ? 50 : 100 * (b.s[i] / all);
        }
    }
}

static void efficiency(const double *x, size_t n, size_t width, double *out)
{
    struct block b;
    size_t step = block_rows(width, false);
    pt_fill_missing(out, width);
    for (size_t at = width; at < n; at += step) {
        size_t rows = n - at < step ? n - at : step, span = rows + width - 1;
        const double *from = x + at - width;
        gather_changes(from, span, b.d);
        unary(PT_ABS, b.d, up8(span) + 8, b.d);
        window_sums(b.d, span, width, b.c, 1, b.s);
        PT_EACH for (size_t i = 0; i < rows; i++)
        {
            double ratio = fabs(from[i + width] - from[i]) / b.s[i]; /* 0 / 0: nothing moved */
            out[at + i] = ratio > 1 ? 1 : ratio;                     /* by rounding only */
        }
    }
}

#endif
