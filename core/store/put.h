/* put.h - how rows get into a series, shared by put*.c.                        [layer: store]
 *
 *      chunks: [ first .. last ] [ first .. last ] ... [ first .. last ]   tail: row row row
 *                 late rows: the chunk that covers them is decoded,          newer rows: put one by
 *                 merged and written again, in as many pieces as             one; PT_TAIL_ROWS of
 * them it then needs (put_chunk.c)                                become a chunk (put_tail.c)
 *
 * A batch is cut at the last chunk's last key: what is not newer is merged into the chunks, the
 * rest goes to the tail, or straight into chunks when it is much. */
#ifndef PT_STORE_PUT_H
#define PT_STORE_PUT_H

#include "store/chunk.h"
#include "store/internal.h"

/* Rows a series has in its tail, at most: fewer costs rewriting, more costs reading. */
#define PT_TAIL_ROWS 128
/* Left behind by a small compaction: late rows are mostly a little late. */
#define PT_TAIL_KEEP 16

struct pt_put {
    struct pt_write *write;
    struct pt_touched *series;
    const struct pt_kind *kind;
    enum pt_put_mode mode;
    struct pt_put_stats stats;
    struct pt_err *err;
};

enum pt_code pt_put_lmdb_failed(struct pt_put *put, int mc);
enum pt_code pt_put_no_memory(struct pt_put *put);
enum pt_code pt_put_damaged(struct pt_put *put, int64_t time_us, const char *where,
                            const char *what);

/* Counts and notes a row that was not there. */
void pt_put_inserted(struct pt_put *put, const struct pt_frame *frame, size_t row);
/* Does the new row take the old one's place? Counts and notes what it does. */
bool pt_put_replaces(struct pt_put *put, const struct pt_frame *frame, size_t row, bool same,
                     bool old_closed);
bool pt_put_closed(const struct pt_frame *frame, size_t row); /* a closed candle */
/* out = old rows with frame's [from, to) merged in. *changed: out differs from old. */
enum pt_code pt_put_merge(struct pt_put *put, const struct pt_frame *old,
                          const struct pt_frame *frame, size_t from, size_t to,
                          struct pt_frame *out, bool *changed);
/* The kind's cleared frame among a write's scratch frames. */
struct pt_frame *pt_put_scratch(struct pt_frame *frames, const struct pt_kind *kind);

/* Writes one chunk of up to `rows` rows, fewer when they do not fit. *done: how many. */
enum pt_code pt_put_chunk(struct pt_put *put, const struct pt_frame *frame, size_t from,
                          size_t rows, size_t *done);
/* All rows, in pieces of about the same size. */
enum pt_code pt_put_even(struct pt_put *put, const struct pt_frame *frame, size_t from, size_t n);
enum pt_code pt_put_del_chunk(struct pt_put *put, struct pt_row_key *at, size_t bytes);
/* Appends all rows of a stored chunk. */
enum pt_code pt_put_load_chunk(struct pt_put *put, const MDB_val *key, const MDB_val *value,
                               struct pt_frame *frame);
/* The chunk that covers a row: the last one that begins at or before it, else the series' first.
 * Also the key the next chunk begins with (*bounded), which the covered rows lie before. An LMDB
 * code. */
int pt_put_find_chunk(struct pt_put *put, MDB_cursor *cursor, int64_t time_us, int64_t second,
                      MDB_val *key, MDB_val *value, int64_t next[2], bool *bounded);
/* Rows [from, to) of the frame, none newer than the last chunk's end. */
enum pt_code pt_put_late(struct pt_put *put, const struct pt_frame *frame, size_t from, size_t to);

/* One row that is newer than the chunks. */
enum pt_code pt_put_row(struct pt_put *put, const struct pt_frame *frame, size_t row);
/* Rows [from, to), all newer than the chunks: much at once, or more than the tail may hold. */
enum pt_code pt_put_bulk(struct pt_put *put, const struct pt_frame *frame, size_t from, size_t to);

#endif
