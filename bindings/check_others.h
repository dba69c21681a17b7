/* check_others.h - made-up funding payments and mark prices, for scripts that look at them.
 * [layer: bindings] */
#ifndef PT_CHECK_OTHERS_H
#define PT_CHECK_OTHERS_H

#include "bindings/memory_columns.h"

struct pt_check_others_style {
    uint64_t seed;
    bool none;   /* a spot market */
    bool single; /* one row in the span */
    bool flat;   /* nothing moves */
    bool blank;  /* cells that need not be there are missing in some rows */
};

/* Gives the bars rows of the kind in the span before as_of_us, and some on both sides. */
enum pt_code pt_check_others_make(struct pt_memory_columns *bars, enum pt_kind_id kind,
                                  int64_t span_us, int64_t as_of_us,
                                  const struct pt_check_others_style *style, struct pt_err *err);
/* Copies what the bars have of a kind, of rows with time in [from_us, to_us), moved by later_us. */
enum pt_code pt_check_others_show(const struct pt_memory_columns *from, enum pt_kind_id kind,
                                  int64_t from_us, int64_t to_us, int64_t later_us,
                                  struct pt_memory_columns *to, struct pt_err *err);

#endif
