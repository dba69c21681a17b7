/* put_chunk.c - chunks written, and merged with late rows.                     [layer: store] */
#include "store/put.h"

#include "base/log.h"

#include <inttypes.h>

/* Writes one chunk of up to `rows` rows, fewer when they do not fit. *done: how many. */
enum pt_code pt_put_chunk(struct pt_put *put, const struct pt_frame *frame, size_t from,
                          size_t rows, size_t *done)
{
    struct pt_touched *series = put->series;
    struct pt_series_record *rec = &series->record;
    struct pt_chunk_plan plan;
    if (rows > series->fit) rows = series->fit;
    for (pt_chunk_plan(frame, from, rows, &plan); plan.bytes > PT_CHUNK_BYTES_MAX;
         pt_chunk_plan(frame, from, rows, &plan)) {
        if (rows == 1)
            return pt_fail(put->err, PT_ERANGE, "series %s: a row fits no chunk", series->name);
        size_t fit = rows * PT_CHUNK_BYTES_MAX / plan.bytes;
        rows = fit >= rows ? rows - 1 : fit < 1 ? 1 : fit;
        series->fit = rows;
    }
    struct pt_row_key at =
        pt_row_key(rec->id, put->kind->keys, frame->val[0][from], pt_row_second(frame, from));
    MDB_val key = pt_row_key_val(&at), value = { plan.bytes, NULL };
    int mc = mdb_put(put->write->txn, put->write->store->dbi[PT_CURSOR_CHUNKS], &key, &value,
                     MDB_RESERVE);
    if (mc != 0) return pt_put_lmdb_failed(put, mc);
    pt_chunk_write(frame, from, &plan, value.mv_data);
    size_t last = from + rows - 1;
    int64_t t = frame->val[0][last], second = pt_row_second(frame, last);
    if (rec->chunks == 0 ||
        pt_pair_cmp(t, second, rec->chunk_last_us, rec->chunk_last_second) > 0) {
        rec->chunk_last_us = t;
        rec->chunk_last_second = second;
    }
    rec->chunks++;
    rec->chunk_bytes += plan.bytes + at.len;
    put->write->dirty = series->dirty = true;
    *done = rows;
    return PT_OK;
}

/* All rows, in pieces of about the same size. */
enum pt_code pt_put_even(struct pt_put *put, const struct pt_frame *frame, size_t from, size_t n)
{
    while (n > 0) {
        size_t fit = put->series->fit, pieces = (n + fit - 1) / fit, done;
        enum pt_code rc = pt_put_chunk(put, frame, from, (n + pieces - 1) / pieces, &done);
        if (rc != PT_OK) return rc;
        from += done;
        n -= done;
    }
    return PT_OK;
}

enum pt_code pt_put_del_chunk(struct pt_put *put, struct pt_row_key *at, size_t bytes)
{
    MDB_val key = pt_row_key_val(at);
    int mc = mdb_del(put->write->txn, put->write->store->dbi[PT_CURSOR_CHUNKS], &key, NULL);
    if (mc != 0) return pt_put_lmdb_failed(put, mc);
    put->series->record.chunks--;
    put->series->record.chunk_bytes -= bytes + at->len;
    return PT_OK;
}

/* Appends all rows of a stored chunk. */
enum pt_code pt_put_load_chunk(struct pt_put *put, const MDB_val *key, const MDB_val *value,
                               struct pt_frame *frame)
{
    struct pt_chunk chunk;
    const char *fault = pt_chunk_open(value->mv_data, value->mv_size, put->kind, &chunk);
    if (fault) return pt_put_damaged(put, pt_key_time(key), "chunk", fault);
    if (pt_frame_reserve(frame, frame->n + chunk.rows) != PT_OK) return pt_put_no_memory(put);
    for (unsigned c = 0; c < put->kind->ncols && !fault; c++) {
        size_t at = frame->n * put->kind->cols[c].width;
        fault = pt_chunk_values(&chunk, c, 0, chunk.rows, frame->val[c] + at,
                                frame->dig[c] ? frame->dig[c] + at : NULL);
    }
    if (fault) return pt_put_damaged(put, pt_key_time(key), "chunk", fault);
    frame->n += chunk.rows;
    return PT_OK;
}

/* The chunk that covers a row: the last one that begins at or before it, else the series' first.
 * Also the key the next chunk begins with (*bounded), which the covered rows lie before. */
int pt_put_find_chunk(struct pt_put *put, MDB_cursor *cursor, int64_t time_us, int64_t second,
                      MDB_val *key, MDB_val *value, int64_t next[2], bool *bounded)
{
    uint32_t id = put->series->record.id;
    unsigned keys = put->kind->keys;
    struct pt_row_key at = pt_row_key(id, keys, time_us, second);
    MDB_val want = pt_row_key_val(&at);
    *key = want;
    int mc = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    if (mc != 0 && mc != MDB_NOTFOUND) return mc;
    bool here = mc == 0 && pt_key_of(key, id, keys);
    if (!here || memcmp(key->mv_data, want.mv_data, want.mv_size) != 0) {
        int back = mdb_cursor_get(cursor, key, value, mc == 0 ? MDB_PREV : MDB_LAST);
        if (back != 0 && back != MDB_NOTFOUND) return back;
        if (back != 0 || !pt_key_of(key, id, keys)) { /* the row comes before the first chunk */
            if (!here) return MDB_NOTFOUND;
            *key = want;
            mc = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
            if (mc != 0) return mc;
        }
    }
    MDB_val next_key, next_value;
    mc = mdb_cursor_get(cursor, &next_key, &next_value, MDB_NEXT);
    *bounded = mc == 0 && pt_key_of(&next_key, id, keys);
    if (*bounded) {
        next[0] = pt_key_time(&next_key);
        next[1] = pt_key_second(&next_key);
    }
    return mc == MDB_NOTFOUND ? 0 : mc;
}

/* A damaged chunk gives way to a correction that brings its whole range, or much at once (a batch
 * of an import): what it held is lost already. A single corrected row must not wipe out the rest of
 * it. */
static bool may_heal(const struct pt_put *put, const struct pt_frame *frame, size_t from, size_t to,
                     bool bounded, const struct pt_row_key *at)
{
    const struct pt_series_record *rec = &put->series->record;
    MDB_val key = { at->len, (void *)(size_t)at->bytes };
    if (put->mode != PT_PUT_CORRECT) return false;
    bool begins = pt_pair_cmp(frame->val[0][from], pt_row_second(frame, from), pt_key_time(&key),
                              pt_key_second(&key)) <= 0;
    bool ends = bounded ? to < frame->n
                        : pt_pair_cmp(frame->val[0][to - 1], pt_row_second(frame, to - 1),
                                      rec->chunk_last_us, rec->chunk_last_second) >= 0;
    if (!(begins && ends) && frame->n < PT_CHUNK_ROWS) return false;
    pt_log(PT_WARN, "store", "damaged_chunk_replaced", "series=%s time_us=%" PRId64 " rows=%zu",
           put->series->name, pt_key_time(&key), to - from);
    return true;
}

/* Rows [from, to) of the frame, none newer than the last chunk's end. */
enum pt_code pt_put_late(struct pt_put *put, const struct pt_frame *frame, size_t from, size_t to)
{
    struct pt_write *write = put->write;
    enum pt_code rc = PT_OK;
    bool healed = false;
    while (from < to && rc == PT_OK) {
        MDB_cursor *cursor = NULL;
        MDB_val key, value;
        int64_t next[2] = { 0, 0 };
        bool bounded = false, changed = false, differs = false;
        int mc = mdb_cursor_open(write->txn, write->store->dbi[PT_CURSOR_CHUNKS], &cursor);
        if (mc == 0)
            mc = pt_put_find_chunk(put, cursor, frame->val[0][from], pt_row_second(frame, from),
                                   &key, &value, next, &bounded);
        if (cursor) mdb_cursor_close(cursor);
        if (mc == MDB_NOTFOUND)
            return pt_put_damaged(put, frame->val[0][from], "chunk", "it is missing");
        if (mc != 0) return pt_put_lmdb_failed(put, mc);

        size_t stop = from;
        while (stop < to &&
               (!bounded ||
                pt_pair_cmp(frame->val[0][stop], pt_row_second(frame, stop), next[0], next[1]) < 0))
            stop++;
        struct pt_row_key at = { .len = key.mv_size };
        memcpy(at.bytes, key.mv_data, key.mv_size);
        struct pt_frame *old = pt_put_scratch(write->old, put->kind);
        struct pt_frame *out = pt_put_scratch(write->merged, put->kind);
        rc = pt_put_load_chunk(put, &key, &value, old);
        if (rc == PT_EDAMAGE && may_heal(put, frame, from, stop, bounded, &at)) {
            rc = PT_OK;
            changed = healed = true;
        }
        if (rc == PT_OK) rc = pt_put_merge(put, old, frame, from, stop, out, &differs);
        changed |= differs;
        if (rc == PT_OK && changed) {
            rc = pt_put_del_chunk(put, &at, value.mv_size);
            if (rc == PT_OK) rc = pt_put_even(put, out, 0, out->n);
        }
        from = stop;
    }
    return rc == PT_OK && healed ? pt_series_recount(write, put->series, put->err) : rc;
}
