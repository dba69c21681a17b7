/* check.h - the rules of a row that is not in a frame yet.                      [layer: data] */
#ifndef PT_CHECK_H
#define PT_CHECK_H

#include "data/schema.h"

/* As pt_frame_check, for one row of cells in schema order, widths flattened. */
const char *pt_cells_check(const struct pt_kind *kind, const int64_t *val, const uint8_t *dig,
                           int64_t period_us);

#endif
