/* check_others.c - funding payments and mark prices around a walk.             [layer: bindings] */
#include "bindings/check_others.h"

#include "base/timefmt.h"
#include "num/rng.h"

#include <math.h>
#include <stdlib.h>

#define INSIDE_MAX 120 /* rows in the span */
#define OUTSIDE 5      /* rows before it, and after as_of */

static double digits(double x, double scale)
{
    return round(x * scale) / scale;
}

/* Cells of one row in the order of the schema, but for its time. */
static void fill(struct pt_rng *rng, enum pt_kind_id kind, double mid, bool blank, double *cells)
{
    double rate = digits(0.0001 + 0.0002 * pt_rng_normal(rng), 1e8);
    double basis = 1 + 0.0005 * pt_rng_normal(rng);
    if (kind == PT_FUNDING) {
        cells[PT_F_RATE] = rate;
        cells[PT_F_MARK] = blank ? NAN : digits(mid, 100);
        return;
    }
    cells[PT_M_MARK] = digits(mid * basis, 100);
    cells[PT_M_INDEX] = blank ? NAN : digits(mid, 100);
    cells[PT_M_SETTLE] = cells[PT_M_INDEX];
    cells[PT_M_RATE] = rate;
    cells[PT_M_NEXT_FUNDING] = NAN;
}

enum pt_code pt_check_others_make(struct pt_memory_columns *bars, enum pt_kind_id kind,
                                  int64_t span_us, int64_t as_of_us,
                                  const struct pt_check_others_style *style, struct pt_err *err)
{
    int64_t step_us = kind == PT_FUNDING ? 8 * PT_US_HOUR : PT_US_SEC;
    while (span_us / step_us > INSIDE_MAX) step_us *= 2;
    int64_t inside = style->single ? 1 : span_us / step_us, outside = style->single ? 0 : OUTSIDE;
    double cells[PT_COLS_MAX], mid = 250;
    struct pt_rng rng;
    enum pt_code rc = PT_OK;
    pt_rng_seed(&rng, style->seed, 11 + (uint64_t)kind);
    if (style->none) return PT_OK;
    for (int64_t back = inside + outside; back > -outside && rc == PT_OK; back--) {
        if (style->flat) pt_rng_seed(&rng, style->seed, 11); /* the same row again */
        if (!style->flat) mid *= 1 + 0.001 * pt_rng_normal(&rng);
        fill(&rng, kind, mid, style->blank && back % 3 == 0, cells);
        /* some ms late, as payments are; those behind as_of must not be seen */
        cells[0] = (double)(as_of_us - back * step_us + 7000);
        rc = pt_memory_columns_other(bars, kind, cells, err);
    }
    return rc;
}

enum pt_code pt_check_others_show(const struct pt_memory_columns *from, enum pt_kind_id kind,
                                  int64_t from_us, int64_t to_us, int64_t later_us,
                                  struct pt_memory_columns *to, struct pt_err *err)
{
    const struct pt_frame *rows = from->others[kind];
    if (!rows) return PT_OK;
    struct pt_frame *out = to->others[kind] = malloc(sizeof *out);
    if (!out) return pt_fail(err, PT_ENOMEM, "rows to check a script");
    pt_frame_init(out, pt_kind(kind));
    size_t first = pt_frame_lower(rows, from_us), end = pt_frame_lower(rows, to_us);
    if (pt_frame_append(out, rows, first, end - first) != PT_OK)
        return pt_fail(err, PT_ENOMEM, "rows to check a script");
    for (size_t i = 0; i < out->n; i++) out->val[0][i] += later_us;
    return PT_OK;
}
