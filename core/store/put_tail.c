/* put_tail.c - the newest rows: one by one, and compacted when they are many.  [layer: store] */
#include "store/put.h"

enum pt_code pt_put_row(struct pt_put *put, const struct pt_frame *frame, size_t row)
{
    uint8_t bytes[PT_TAIL_BYTES_MAX];
    struct pt_series_record *rec = &put->series->record;
    MDB_txn *txn = put->write->txn;
    MDB_dbi tail = put->write->store->dbi[PT_CURSOR_TAIL];
    int64_t t = frame->val[0][row], second = pt_row_second(frame, row);
    struct pt_row_key at = pt_row_key(rec->id, put->kind->keys, t, second);
    MDB_val key = pt_row_key_val(&at), value;
    int mc = MDB_NOTFOUND;
    pt_tail_encode(frame, row, bytes);
    if (rec->tail_rows > 0 && pt_pair_cmp(t, second, rec->last_us, rec->last_second) <= 0)
        mc = mdb_get(txn, tail, &key, &value);
    bool fresh = mc == MDB_NOTFOUND;
    if (mc == 0) {
        const char *fault = pt_tail_check(put->kind, &value);
        if (fault) return pt_put_damaged(put, t, "row", fault);
        bool same = memcmp(bytes, value.mv_data, value.mv_size) == 0;
        if (!pt_put_replaces(put, frame, row, same, pt_tail_closed(put->kind, &value)))
            return PT_OK;
    } else if (!fresh) {
        return pt_put_lmdb_failed(put, mc);
    }
    value = (MDB_val){ pt_tail_bytes(put->kind), bytes };
    mc = mdb_put(txn, tail, &key, &value, 0);
    if (mc != 0) return pt_put_lmdb_failed(put, mc);
    if (fresh) {
        pt_put_inserted(put, frame, row);
        rec->tail_rows++;
    }
    return PT_OK;
}

/* All tail rows into a frame. */
static enum pt_code load_tail(struct pt_put *put, struct pt_frame *frame)
{
    const struct pt_series_record *rec = &put->series->record;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    enum pt_code rc = PT_OK;
    if (rec->tail_rows == 0) return PT_OK;
    if (pt_frame_reserve(frame, rec->tail_rows) != PT_OK) return pt_put_no_memory(put);
    int mc = mdb_cursor_open(put->write->txn, put->write->store->dbi[PT_CURSOR_TAIL], &cursor);
    if (mc != 0) return pt_put_lmdb_failed(put, mc);
    struct pt_row_key at = pt_row_key(rec->id, put->kind->keys, INT64_MIN, INT64_MIN);
    key = pt_row_key_val(&at);
    mc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (; mc == 0 && rc == PT_OK && pt_key_of(&key, rec->id, put->kind->keys);
         mc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        const char *fault = pt_tail_check(put->kind, &value);
        if (!fault && frame->n == rec->tail_rows) fault = "more rows than counted";
        if (fault)
            rc = pt_put_damaged(put, pt_key_time(&key), "row", fault);
        else
            pt_tail_decode(&key, &value, 0, frame);
    }
    mdb_cursor_close(cursor);
    if (rc == PT_OK && mc != 0 && mc != MDB_NOTFOUND) rc = pt_put_lmdb_failed(put, mc);
    if (rc == PT_OK && frame->n != rec->tail_rows)
        rc = pt_put_damaged(put, rec->last_us, "tail", "rows are missing");
    return rc;
}

/* Deletes the first n tail rows, which are those of the frame. */
static enum pt_code del_tail(struct pt_put *put, const struct pt_frame *frame, size_t n)
{
    struct pt_series_record *rec = &put->series->record;
    for (size_t i = 0; i < n; i++) {
        struct pt_row_key at =
            pt_row_key(rec->id, put->kind->keys, frame->val[0][i], pt_row_second(frame, i));
        MDB_val key = pt_row_key_val(&at);
        int mc = mdb_del(put->write->txn, put->write->store->dbi[PT_CURSOR_TAIL], &key, NULL);
        if (mc != 0) return pt_put_lmdb_failed(put, mc);
        rec->tail_rows--;
    }
    return PT_OK;
}

/* Puts the last chunk's rows before those of `frame` when they fit one chunk together, and removes
 * it. A damaged one is left alone: new rows must get in. */
static enum pt_code join_last_chunk(struct pt_put *put, struct pt_frame *frame, size_t n,
                                    struct pt_frame *joined, bool *did)
{
    struct pt_write *write = put->write;
    struct pt_series_record *rec = &put->series->record;
    struct pt_chunk chunk;
    struct pt_chunk_plan plan;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int64_t next[2];
    bool bounded;
    *did = false;
    if (rec->chunks == 0) return PT_OK;
    int mc = mdb_cursor_open(write->txn, write->store->dbi[PT_CURSOR_CHUNKS], &cursor);
    if (mc == 0)
        mc = pt_put_find_chunk(put, cursor, rec->chunk_last_us, rec->chunk_last_second, &key,
                               &value, next, &bounded);
    if (cursor) mdb_cursor_close(cursor);
    if (mc != 0) return mc == MDB_NOTFOUND ? PT_OK : pt_put_lmdb_failed(put, mc);
    if (pt_chunk_open(value.mv_data, value.mv_size, put->kind, &chunk) != NULL) return PT_OK;
    if (chunk.rows + n > PT_CHUNK_ROWS) return PT_OK;
    /* a hopeless try costs more than the size tells beforehand */
    if (value.mv_size + value.mv_size / chunk.rows * n > PT_CHUNK_BYTES_MAX) return PT_OK;

    struct pt_err ignored;
    struct pt_put quiet = *put;
    quiet.err = &ignored;
    pt_frame_clear(joined);
    enum pt_code rc = pt_put_load_chunk(&quiet, &key, &value, joined);
    if (rc == PT_EDAMAGE) return PT_OK;
    if (rc == PT_OK) rc = pt_frame_append(joined, frame, 0, n);
    if (rc != PT_OK) return pt_put_no_memory(put);
    pt_chunk_plan(joined, 0, joined->n, &plan);
    if (plan.bytes > PT_CHUNK_BYTES_MAX) return PT_OK;
    struct pt_row_key at = { .len = key.mv_size };
    memcpy(at.bytes, key.mv_data, key.mv_size);
    *did = true;
    return pt_put_del_chunk(put, &at, value.mv_size);
}

/* Rows [from, to), all newer than the chunks: much at once, or more than the tail may hold. */
enum pt_code pt_put_bulk(struct pt_put *put, const struct pt_frame *frame, size_t from, size_t to)
{
    struct pt_series_record *rec = &put->series->record;
    struct pt_frame *old = pt_put_scratch(put->write->old, put->kind);
    struct pt_frame *all = pt_put_scratch(put->write->merged, put->kind);
    bool small = to - from < PT_TAIL_ROWS, changed, joined = false;
    enum pt_code rc = load_tail(put, old);
    if (rc == PT_OK) rc = pt_put_merge(put, old, frame, from, to, all, &changed);
    if (rc != PT_OK || !changed) return rc;

    size_t keep = small ? PT_TAIL_KEEP : 0, n = all->n, done;
    if (keep == 0 && put->kind->id == PT_CANDLES && !pt_put_closed(all, n - 1)) keep = 1;
    size_t chunked = n > keep ? n - keep : 0;
    rc = del_tail(put, old, old->n);
    size_t at = 0;
    if (rc == PT_OK && chunked < PT_CHUNK_ROWS) {
        rc = join_last_chunk(put, all, chunked, old, &joined);
        if (rc == PT_OK && joined) {
            rc = pt_put_even(put, old, 0, old->n);
            at = chunked;
        }
    }
    while (rc == PT_OK && at < chunked && (small || chunked - at >= PT_TAIL_ROWS)) {
        rc = pt_put_chunk(put, all, at, chunked - at, &done);
        at += done;
    }
    for (; rc == PT_OK && at < n; at++) {
        uint8_t bytes[PT_TAIL_BYTES_MAX];
        struct pt_row_key k =
            pt_row_key(rec->id, put->kind->keys, all->val[0][at], pt_row_second(all, at));
        MDB_val key = pt_row_key_val(&k), value = { pt_tail_bytes(put->kind), bytes };
        pt_tail_encode(all, at, bytes);
        int mc = mdb_put(put->write->txn, put->write->store->dbi[PT_CURSOR_TAIL], &key, &value, 0);
        if (mc != 0) return pt_put_lmdb_failed(put, mc);
        rec->tail_rows++;
    }
    return rc;
}
