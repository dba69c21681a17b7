/* chunk.h - some hundred rows of one series as bytes, column by column.        [layer: store]
 *
 *   head      checksum of head and columns, magic, version, kind, rows, bytes, ncols, first and
 * last key column *  coding, digits, flags, bytes of its payload, base, step, checksum of its
 * payload payload * values, then (flag) one digits byte a value
 *
 * Codings: LINE  value i = base + i * step, no payload (regular times, running ids, constants, and
 * a column without any value: base PT_MISSING, step 0); 1, 2, 4 bytes: value = base + unsigned
 * delta; the greatest delta means missing (flag); 8 bytes: the value itself. Each column carries
 * its own checksum, so that reading one column pays for one column. All arithmetic on what was read
 * wraps: hostile bytes give wrong numbers or words, never a crash. */
#ifndef PT_CHUNK_H
#define PT_CHUNK_H

#include "data/frame.h"

#define PT_CHUNK_VERSION 1
#define PT_CHUNK_BYTES_MAX 32752 /* 8 LMDB pages with their header */
#define PT_CHUNK_ROWS_MAX 4096   /* more is refused on reading */
#define PT_CHUNK_ROWS 1024       /* what the writer aims at */

struct pt_chunk_column {
    uint8_t coding, digits, flags, zero;
    uint32_t bytes; /* of the payload */
    int64_t base, step;
    uint64_t checksum; /* of the payload */
};

struct pt_chunk_plan {
    size_t rows, bytes;
    struct pt_chunk_column col[PT_COLS_MAX];
};

/* How rows [from, from + rows) would be written; plan->bytes may exceed PT_CHUNK_BYTES_MAX. rows >
 * 0. */
void pt_chunk_plan(const struct pt_frame *frame, size_t from, size_t rows,
                   struct pt_chunk_plan *plan);
/* Writes plan->bytes bytes. */
void pt_chunk_write(const struct pt_frame *frame, size_t from, const struct pt_chunk_plan *plan,
                    uint8_t *out);

/* An opened chunk; borrows the bytes. */
struct pt_chunk {
    const struct pt_kind *kind;
    const uint8_t *payload[PT_COLS_MAX];
    size_t rows;
    int64_t first_us, first_second, last_us, last_second;
    struct pt_chunk_column col[PT_COLS_MAX];
};

/* These give NULL when all is well, else static words on what is damaged. Opening checks the head;
 * a column is checked when it is read. */
const char *pt_chunk_open(const void *bytes, size_t len, const struct pt_kind *kind,
                          struct pt_chunk *chunk);
/* Rows [from, from + rows) of a column: val [rows * width]; dig the same, NULL when not wanted. */
const char *pt_chunk_values(const struct pt_chunk *chunk, unsigned col, size_t from, size_t rows,
                            int64_t *val, uint8_t *dig);
/* The same as doubles, missing = NaN. val, dig: scratch for PT_CHUNK_ROWS_MAX * width values. */
const char *pt_chunk_doubles(const struct pt_chunk *chunk, unsigned col, size_t from, size_t rows,
                             double *out, int64_t *val, uint8_t *dig);
/* Index of the first row with time >= t_us. */
const char *pt_chunk_lower(const struct pt_chunk *chunk, int64_t t_us, size_t *row);

/* Recomputes all checksums in place (the fuzzer's way past them). False when the head makes no
 * sense. */
bool pt_chunk_seal(uint8_t *bytes, size_t len);

#endif
