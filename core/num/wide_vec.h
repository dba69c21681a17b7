/* wide_vec.h - element-wise loops. Included by wide_body.h only.                   [layer: num,
 * internal] */
#ifndef PT_WIDE_VEC_H
#define PT_WIDE_VEC_H

#include "num/wide.h"

/* One loop over `expression` of x (and y); out may be a or b. */
#define EACH_PAIR(expression)                                                                      \
    PT_EACH for (size_t i = 0; i < n; i++)                                                         \
    {                                                                                              \
        double x = a[i], y = b[i];                                                                 \
        out[i] = (expression);                                                                     \
    }
#define EACH_ONE(expression)                                                                       \
    PT_EACH for (size_t i = 0; i < n; i++)                                                         \
    {                                                                                              \
        double x = a[i];                                                                           \
        out[i] = (expression);                                                                     \
    }

static void columns(enum pt_op op, const double *a, const double *b, size_t n, double *out)
{
    switch (op) {
    case PT_ADD: EACH_PAIR(x + y) break;
    case PT_SUB: EACH_PAIR(x - y) break;
    case PT_MUL: EACH_PAIR(x * y) break;
    case PT_DIV: EACH_PAIR(x / y) break;
    case PT_MIN: EACH_PAIR(x < y ? x : (x >= y ? y : NAN)) break;
    case PT_MAX: EACH_PAIR(x > y ? x : (x <= y ? y : NAN)) break;
    default: break; /* not of two columns */
    }
}

static void scalar(enum pt_op op, const double *a, double s, size_t n, double *out)
{
    switch (op) {
    case PT_ADD: EACH_ONE(x + s) break;
    case PT_SUB: EACH_ONE(x - s) break;
    case PT_FROM: EACH_ONE(s - x) break;
    case PT_MUL: EACH_ONE(x * s) break;
    case PT_DIV: EACH_ONE(x / s) break;
    case PT_INTO: EACH_ONE(s / x) break;
    default: break; /* not with a scalar */
    }
}

static void unary(enum pt_op op, const double *a, size_t n, double *out)
{
    switch (op) {
    case PT_NEG: EACH_ONE(-x) break;
    case PT_ABS: EACH_ONE(fabs(x)) break;
    case PT_SIGN: EACH_ONE(x > 0 ? 1 : (x < 0 ? -1 : x * 0)) break; /* NaN * 0 stays NaN */
    case PT_SQRT: EACH_ONE(sqrt(x)) break;
    case PT_SQUARE: EACH_ONE(x * x) break;
    default: break; /* not of one column */
    }
}

static void roc(const double *now, const double *before, size_t n, double *out)
{
    PT_EACH for (size_t i = 0; i < n; i++) out[i] = 100 * (now[i] / before[i] - 1);
}

#endif
