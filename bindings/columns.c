/* columns.c - what does not depend on where columns come from.                 [layer: bindings] */
#include "bindings/columns.h"

#include "num/vec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const double *pt_columns_get(struct pt_columns *columns, unsigned col, struct pt_err *err)
{
    columns->asked |= 1u << col;
    if (!columns->data[col] && columns->source->load(columns, 1u << col, err) != PT_OK) return NULL;
    return columns->data[col];
}

/* The returns of all rows, those around them included; NULL when they cannot be shared. */
static const double *all_returns(const struct pt_columns *columns, enum pt_return which)
{
    struct pt_returns *shared = columns->returns;
    const double *close = columns->data[PT_C_CLOSE];
    if (!shared || !close) return NULL;
    size_t rows = columns->before + columns->n + columns->after;
    if (shared->cap < rows) {
        pt_returns_fini(shared);
        shared->cap = rows;
    }
    if (!shared->mem[which]) shared->mem[which] = malloc(shared->cap * sizeof(double));
    double *out = shared->mem[which];
    if (!out) return NULL;
    if (!shared->made[which])
        (which == PT_RETURN_LOG ? pt_vec_log_return
                                : pt_vec_simple_return)(close - columns->before,
                                                        columns->time_us - columns->before, rows,
                                                        columns->period_us, out);
    shared->made[which] = true;
    return out + columns->before;
}

void pt_columns_returns(const struct pt_columns *columns, enum pt_return which, const double *close,
                        size_t from, size_t n, double *out)
{
    if (n == 0) return;
    const double *all = all_returns(columns, which);
    if (all) {
        /* each return looks at its own two closes only; a window knows nothing outside itself */
        memcpy(out, all + from, n * sizeof *out);
        out[0] = NAN;
        return;
    }
    (which == PT_RETURN_LOG ? pt_vec_log_return : pt_vec_simple_return)(close,
                                                                        columns->time_us + from, n,
                                                                        columns->period_us, out);
}

void pt_returns_fini(struct pt_returns *returns)
{
    for (unsigned i = 0; i < PT_RETURNS_N; i++) free(returns->mem[i]);
    memset(returns, 0, sizeof *returns);
}

size_t pt_columns_lower(const struct pt_columns *columns, int64_t t_us)
{
    size_t low = 0, high = columns->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (columns->time_us[middle] < t_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void pt_columns_gaps(const struct pt_columns *columns, size_t from, size_t n, size_t *gaps,
                     size_t *missing)
{
    *gaps = *missing = 0;
    if (n < 2) return;
    const int64_t *time_us = columns->time_us + from;
    size_t cells = (size_t)((time_us[n - 1] - time_us[0]) / columns->period_us) + 1;
    if (cells == n) return; /* the rule: nothing is missing */
    *missing = cells - n;
    for (size_t i = 1; i < n; i++) *gaps += time_us[i] - time_us[i - 1] != columns->period_us;
}
