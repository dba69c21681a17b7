/* csv_columns.h - the columns of a CSV reply, found by their path. [layer: serve]
 *
 * In the order in which they first came. A path is usually that of the column after the last one,
 * for lines are much alike; else it is looked up in a hash, so that a matrix of many symbols costs
 * one look a cell, however many columns there are already. */
#ifndef PT_CSV_COLUMNS_H
#define PT_CSV_COLUMNS_H

#include "base/buf.h"

#include <stdint.h>

struct pt_csv_cell { /* of the line under way: where its text is */
    size_t at, len;
};

/* A zeroed struct is a valid empty one. */
struct pt_csv_columns {
    char **name; /* owned */
    size_t n, cap;
    size_t last;              /* the column that was asked for before */
    bool failed, many;        /* many: more than PT_CSV_COLUMNS, failed too */
    bool shared;              /* names and slots are another's: there will be no more of them */
    struct pt_csv_cell *cell; /* [cap] */
    struct pt_buf line;       /* their texts */
    uint32_t *slot;           /* owned: [nslots] column + 1 by hash of its name, 0 is free */
    size_t nslots;            /* a power of two, over twice cap */
    uint64_t looks;           /* names compared so far */
};

void pt_csv_columns_fini(struct pt_csv_columns *columns);
/* A line of its own, of the columns of `whole`, which outlive it: all that are asked for must be
 * there. False: no memory; unshare it all the same. */
bool pt_csv_columns_share(struct pt_csv_columns *part, const struct pt_csv_columns *whole);
void pt_csv_columns_unshare(struct pt_csv_columns *part);
/* False, and many, when `cells` different paths are more than there may be: nothing has to be
 * written out to know. */
bool pt_csv_columns_fit(struct pt_csv_columns *columns, size_t cells);
/* The column of a path, made when it is new. 0 and failed: no memory, too many, or new, shared. */
size_t pt_csv_columns_of(struct pt_csv_columns *columns, const char *path);

#endif
