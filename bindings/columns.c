/* columns.c - what does not depend on where columns come from.                 [layer: bindings] */
#include "bindings/columns.h"

const double *pt_columns_get(struct pt_columns *columns, unsigned col, struct pt_err *err)
{
    columns->asked |= 1u << col;
    if (!columns->data[col] && columns->source->load(columns, 1u << col, err) != PT_OK) return NULL;
    return columns->data[col];
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
