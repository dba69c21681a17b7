/* present.h - the rows in which one to three columns are all there, in chunks. [layer: num,
 * internal]
 *
 * A recursion passes over missing rows. Chunks are counted in rows that are there, so that a
 * missing row later in the column cannot change how earlier ones were grouped, and with it their
 * bits.
 *
 *     struct pt_present p;
 *     pt_present_init(&p, 1, &x, n);
 *     for (size_t rows; (rows = pt_present_next(&p)) > 0;) {
 *         double *values = pt_present_room(&p, out, room);      // out itself where nothing is
 * missing
 *         ... p.col[0][0 .. rows-1] -> values[0 .. rows-1] ...
 *         pt_present_put(&p, values, out);
 *     }
 *     pt_present_end(&p, out);
 */
#ifndef PT_PRESENT_H
#define PT_PRESENT_H

#include <stdbool.h>
#include <stddef.h>

#define PT_CHUNK 512

struct pt_present {
    const double *col[3];     /* this chunk, rows that are there; borrowed until the next call */
    size_t rows, n, from, to; /* the chunk is of rows from .. to - 1 of n */
    unsigned columns;
    bool whole; /* nothing is missing in it: col points into the input */
    const double *in[3];
    size_t row[PT_CHUNK];
    double held[3][PT_CHUNK];
};

void pt_present_init(struct pt_present *p, unsigned columns, const double *const *in, size_t n);
/* Rows of the next chunk, at most PT_CHUNK; fewer only at the end; 0 when there are no more. */
size_t pt_present_next(struct pt_present *p);
/* Where to write the values of the chunk: into out, or into room ([PT_CHUNK]) to be put from there.
 */
double *pt_present_room(const struct pt_present *p, double *out, double *room);
void pt_present_put(const struct pt_present *p, const double *values, double *out);
/* After the last chunk: the rows behind it are missing. */
void pt_present_end(const struct pt_present *p, double *out);

#endif
