/* wide.h - the inner loops, built once for each instruction set.         [layer: num, internal]
 *
 * wide_base.c, wide_avx2.c and wide_avx512.c compile the same text for another target each, with
 * vectors of 2, 4 and 8 doubles, and export it as a table:
 *
 *     wide_body.h -> wide_lanes.h                  the vectors
 *                    wide_vec.h  wide_trend.h      element by element
 *                    wide_sum.h                    reductions
 *                    wide_window.h  wide_roll.h    sliding windows
 *                    wide_scan.h                   recursions
 *                    wide_panel.h                  many series, many lags
 *                    wide_order.h                  order statistics
 *
 * The bits are the same on every path because the text fixes every order of addition: where rows
 * meet they do so in groups of eight, and nothing is fused (-ffp-contract=off). Callers reach the
 * table in use through pt_wide(). */
#ifndef PT_WIDE_H
#define PT_WIDE_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* No step of the next loop needs what another one wrote. */
#ifdef __clang__
#define PT_EACH _Pragma("clang loop vectorize(assume_safety)")
#else
#define PT_EACH _Pragma("GCC ivdep")
#endif

enum pt_op {
    /* two columns, or column and scalar */
    PT_ADD,
    PT_SUB,
    PT_MUL,
    PT_DIV,
    PT_MIN,
    PT_MAX,
    /* column and scalar: s - a, s / a */
    PT_FROM,
    PT_INTO,
    /* one column */
    PT_NEG,
    PT_ABS,
    PT_SIGN,
    PT_SQRT,
    PT_SQUARE,
};

/* Sums about centres, over the rows where all is there. */
struct pt_powers {
    double s1, s2, s3, s4; /* of d, d^2, d^3, d^4, d = (x - centre) - shift */
    size_t count;
};
struct pt_cross {
    double x, y, xx, yy, xy, xxyy; /* sums of dx, dy, dx^2, dy^2, dx dy, (dx dy)^2 */
    size_t count;
};
struct pt_centre {
    double at, shift; /* d = (x - at) - shift: `at` a value of the column, so that a flat column
                         gives exact zeros */
};

#define PT_MEDIAN_NARROW 64 /* rows of a rolling median that is kept sorted without branches */

/* What a rolling kernel is asked for. */
enum pt_roll_kind {
    PT_ROLL_SUM,
    PT_ROLL_MEAN,
    PT_ROLL_VAR,
    PT_ROLL_STD,
    PT_ROLL_WMA,
    PT_ROLL_MIN,
    PT_ROLL_MAX
};
struct pt_roll {
    enum pt_roll_kind kind;
    size_t width;     /* 1 .. PT_ROLL_NARROW */
    size_t min_count; /* >= 1 */
    unsigned ddof;
};

/* y = decay y + gain (x - centre), and out = y + centre. */
struct pt_scan {
    const double *x;
    double *out; /* may be x */
    double gain, decay, centre;
    double y; /* before and after, centre included */
};

/* Series side by side in a slab: row t is slab[t * PT_SLAB ..]. */
#define PT_SLAB 32
struct pt_picked {
    double sum[PT_SLAB], squares[PT_SLAB];
    uint32_t pairs[PT_SLAB];
};

struct pt_wide {
    const char *name;
    /* wide_vec.h */
    void (*columns)(enum pt_op op, const double *a, const double *b, size_t n, double *out);
    void (*scalar)(enum pt_op op, const double *a, double s, size_t n, double *out);
    void (*unary)(enum pt_op op, const double *a, size_t n, double *out);
    void (*roc)(const double *now, const double *before, size_t n, double *out);
    /* wide_sum.h */
    size_t (*count)(const double *x, size_t n);
    double (*sum)(const double *x, size_t n, size_t *count);
    void (*powers)(const double *x, size_t n, struct pt_centre c, struct pt_powers *out);
    void (*cross)(const double *x, const double *y, size_t n, struct pt_centre cx,
                  struct pt_centre cy, struct pt_cross *out);
    void (*extremes)(const double *x, size_t n, double *low,
                     double *high); /* inf, -inf when nothing is there */
    /* Squared residuals about the straight line through y: [n], all there; y[.. readable) may be
     * read. */
    double (*box)(const double *y, size_t n, size_t readable);
    /* wide_roll.h: widths up to PT_ROLL_NARROW <= n */
    void (*roll)(const struct pt_roll *how, const double *x, size_t n, double *out);
    void (*cutler)(const double *x, size_t n, size_t period, double *out);
    void (*efficiency)(const double *x, size_t n, size_t width, double *out);
    /* wide_scan.h: 1 to 3 independent columns at once, [n] each */
    void (*scan)(unsigned columns, struct pt_scan *scans, size_t n);
    /* wide_trend.h */
    void (*changes)(const double *now, const double *before, size_t n, double *up, double *down);
    void (*strength)(const double *up, const double *down, size_t n, double *out);
    void (*true_range)(const double *high, const double *low, const double *before, size_t n,
                       double *out);
    void (*movement)(const double *high, const double *high_before, const double *low,
                     const double *low_before, size_t n, double *plus, double *minus);
    void (*directional)(const double *range, size_t n, double *plus, double *minus, double *dx);
    /* wide_panel.h */
    /* Sums of d and d^2, d = (x - at) - shift; returns how many are there. */
    size_t (*squares)(const double *x, size_t n, struct pt_centre c, double *s1, double *s2);
    /* (x - centre) * scale, 0 where x is missing. No overlap. */
    void (*standard)(const double *x, size_t n, struct pt_centre c, double scale, double *out);
    /* Sums over the rows named in rows: [count], for each series of a slab. there: 1 or 0 beside
     * each of its values. */
    void (*picked)(const double *slab, const uint8_t *there, const uint32_t *rows, size_t count,
                   struct pt_picked *out);
    /* out[k] = sum over t of a[t] b[t + k], k = 0 .. count-1. a: [n], b: [n + count - 1], all
     * there; count a multiple of 8. */
    void (*lags)(const double *a, const double *b, size_t n, size_t count, double *out);
    /* wide_order.h */
    /* How many of x: [n], all there, are below low and above high. */
    void (*outside)(const double *x, size_t n, double low, double high, size_t *below,
                    size_t *above);
    /* Leaves those from low to high in front, in their order; returns how many. */
    size_t (*between)(double *x, size_t n, double low, double high);
    size_t (*compact)(const double *x, size_t n, double *out); /* as pt_vec_compact() */
    /* Rolling, as pt_roll_median(): 1 <= width <= PT_MEDIAN_NARROW, least >= 1. */
    void (*median)(const double *x, size_t n, size_t width, size_t least, double *out);
};

extern const struct pt_wide pt_wide_base;
extern const struct pt_wide pt_wide_avx2;
extern const struct pt_wide pt_wide_avx512;

/* The table in use. */
const struct pt_wide *pt_wide(void);

/* NaN and infinite are missing. */
static inline bool pt_there(double x)
{
    return x - x == 0;
}

/* First value that is there, 0 when none is: a centre that later rows do not change. */
static inline double pt_first_there(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (pt_there(x[i])) return x[i];
    return 0;
}

static inline void pt_fill_missing(double *out, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = NAN;
}

#endif
