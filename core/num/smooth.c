#include "num/smooth.h"

#include "num/wide.h"

void pt_smooth_init(struct pt_smooth *s, size_t width, double gain, bool centred)
{
    *s = (struct pt_smooth){ .gain = gain, .width = width, .centred = centred };
}

/* Rows up to the seed; returns how many it took. */
static size_t seed(struct pt_smooth *s, const double *x, size_t n, double *out)
{
    size_t i = 0;
    for (; i < n && s->seen < s->width; i++) {
        if (s->seen == 0 && s->centred) s->base = x[0];
        s->sum += x[i] - s->base;
        out[i] = NAN;
        if (++s->seen == s->width) out[i] = s->y = s->base + s->sum / (double)s->width;
    }
    return i;
}

void pt_smooth_run(unsigned columns, struct pt_smooth *const *s, const double *const *x, size_t n,
                   double *const *out)
{
    struct pt_scan scans[3];
    size_t taken[3] = { 0 };
    bool together = true;
    for (unsigned c = 0; c < columns; c++) {
        taken[c] = seed(s[c], x[c], n, out[c]);
        together = together && taken[c] == taken[0];
        scans[c] = (struct pt_scan){ .x = x[c] + taken[c],
                                     .out = out[c] + taken[c],
                                     .gain = s[c]->gain,
                                     .decay = 1 - s[c]->gain,
                                     .y = s[c]->y };
        if (s[c]->centred && taken[c] < n) scans[c].centre = x[c][taken[c]];
    }
    if (together) pt_wide()->scan(columns, scans, n - taken[0]);
    for (unsigned c = 0; c < columns; c++) {
        if (!together) pt_wide()->scan(1, &scans[c], n - taken[c]); /* the chunk of the seeds */
        s[c]->y = scans[c].y;
    }
}
