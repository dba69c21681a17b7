/* wide_trend.h - element-wise steps of the indicators. Included by wide_body.h.    [layer: num,
 * internal] `before` points at the row before `now`; all rows are there. */
#ifndef PT_WIDE_TREND_H
#define PT_WIDE_TREND_H

#include "num/wide.h"

/* Change split into gain and loss, both >= 0 and exact. */
static void changes(const double *now, const double *before, size_t n, double *up, double *down)
{
    PT_EACH for (size_t i = 0; i < n; i++)
    {
        double change = now[i] - before[i];
        up[i] = 0.5 * (fabs(change) + change);
        down[i] = 0.5 * (fabs(change) - change);
    }
}

/* 100 up / (up + down) = 100 - 100 / (1 + up / down); 50 when both are 0. */
static void strength(const double *up, const double *down, size_t n, double *out)
{
    PT_EACH for (size_t i = 0; i < n; i++)
    {
        double all = up[i] + down[i];
        out[i] = all == 0 ? 50 : 100 * (up[i] / all);
    }
}

static void true_range(const double *high, const double *low, const double *before, size_t n,
                       double *out)
{
    PT_EACH for (size_t i = 0; i < n; i++)
    {
        double range = high[i] - low[i], up = fabs(high[i] - before[i]),
               down = fabs(low[i] - before[i]);
        double far = up > down ? up : down;
        out[i] = range > far ? range : far;
    }
}

/* Directional movement: of the two sides only the larger, and only outwards. */
static void movement(const double *high, const double *high_before, const double *low,
                     const double *low_before, size_t n, double *plus, double *minus)
{
    PT_EACH for (size_t i = 0; i < n; i++)
    {
        double up = high[i] - high_before[i], down = low_before[i] - low[i];
        double rise = up > 0 ? up : 0, fall = down > 0 ? down : 0;
        plus[i] = up > down ? rise : 0;
        minus[i] = down > up ? fall : 0;
    }
}

/* DI+ and DI- in place of the smoothed movements, and DX. */
static void directional(const double *range, size_t n, double *plus, double *minus, double *dx)
{
    PT_EACH for (size_t i = 0; i < n; i++)
    {
        double p = plus[i], m = minus[i], all = p + m, r = range[i];
        dx[i] = all == 0 ? 0 : 100 * (fabs(p - m) / all);
        plus[i] = r == 0 ? 0 : 100 * (p / r);
        minus[i] = r == 0 ? 0 : 100 * (m / r);
    }
}

#endif
