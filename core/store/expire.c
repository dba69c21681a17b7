/* expire.c - old rows leave a series.                                          [layer: store]
 * Mirrors are not told: they keep what they got. */
#include "store/chunk.h"
#include "store/internal.h"

#include "base/log.h"
#include "base/timefmt.h"

struct expire {
    struct pt_write *write;
    struct pt_touched *series;
    const struct pt_kind *kind;
    int64_t before_us;
    uint64_t removed;
    bool recount; /* a damaged chunk was dropped: nobody knows how many rows it had */
    struct pt_err *err;
};

static enum pt_code lmdb_failed(struct expire *e, int mc)
{
    return pt_lmdb_fail(e->err, mc, "expiring series %s", e->series->name);
}

static void changed(struct expire *e)
{
    e->write->dirty = e->series->dirty = e->series->corrected = true;
}

/* The edge chunk is damaged: it goes when all of it is old. */
static void keep_edge(const struct expire *e, const char *fault)
{
    char text[PT_TIME_TEXT_MAX];
    pt_time_print(e->series->record.first_us, text);
    pt_log(PT_WARN, "store", "damaged_chunk_kept", "series=%s chunk_at=%s error=\"%s\"",
           e->series->name, text, fault);
}

/* Writes the rows of the edge chunk that stay. The cursor is gone by then. */
static enum pt_code rewrite(struct expire *e, const struct pt_chunk *chunk, size_t had_bytes)
{
    struct pt_series_record *rec = &e->series->record;
    struct pt_frame frame;
    struct pt_chunk_plan plan;
    size_t from = 0;
    const char *fault = pt_chunk_lower(chunk, e->before_us, &from);
    if (!fault && from >= chunk->rows) fault = "its last row is not that of its head";
    if (fault) {
        keep_edge(e, fault);
        return PT_OK;
    }
    size_t n = chunk->rows - from;
    pt_frame_init(&frame, e->kind);
    enum pt_code rc = pt_frame_reserve(&frame, n);
    if (rc != PT_OK) rc = pt_fail(e->err, rc, "expiring series %s", e->series->name);
    for (unsigned c = 0; c < e->kind->ncols && rc == PT_OK && !fault; c++)
        fault = pt_chunk_values(chunk, c, from, n, frame.val[c], frame.dig[c]);
    if (fault) keep_edge(e, fault);
    if (rc == PT_OK && !fault) {
        frame.n = n;
        struct pt_row_key old =
            pt_row_key(rec->id, e->kind->keys, chunk->first_us, chunk->first_second);
        struct pt_row_key new =
            pt_row_key(rec->id, e->kind->keys, frame.val[0][0], pt_row_second(&frame, 0));
        MDB_val key = pt_row_key_val(&old), value;
        MDB_dbi chunks = e->write->store->dbi[PT_CURSOR_CHUNKS];
        pt_chunk_plan(&frame, 0, n, &plan); /* part of a chunk always fits a chunk */
        changed(e);
        int mc = mdb_del(e->write->txn, chunks, &key, NULL);
        key = pt_row_key_val(&new);
        value = (MDB_val){ plan.bytes, NULL };
        if (mc == 0) mc = mdb_put(e->write->txn, chunks, &key, &value, MDB_RESERVE);
        if (mc != 0) rc = lmdb_failed(e, mc);
        if (mc == 0) pt_chunk_write(&frame, 0, &plan, value.mv_data);
        rec->chunk_bytes += plan.bytes - had_bytes;
        rec->first_us = frame.val[0][0];
        rec->rows -= from;
        e->removed += from;
    }
    pt_frame_fini(&frame);
    return rc;
}

/* Drops whole chunks until one reaches before_us; that one is cut when it has rows on both sides.
 */
static enum pt_code drop_chunks(struct expire *e)
{
    struct pt_series_record *rec = &e->series->record;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    enum pt_code rc = PT_OK;
    int mc = mdb_cursor_open(e->write->txn, e->write->store->dbi[PT_CURSOR_CHUNKS], &cursor);
    while (mc == 0 && rec->chunks > 0) {
        struct pt_row_key at = pt_row_key(rec->id, e->kind->keys, INT64_MIN, INT64_MIN);
        struct pt_chunk chunk;
        key = pt_row_key_val(&at);
        mc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
        if (mc != 0 || !pt_key_of(&key, rec->id, e->kind->keys)) break;
        rec->first_us = pt_key_time(&key);
        if (rec->first_us >= e->before_us) break;
        const char *fault = pt_chunk_open(value.mv_data, value.mv_size, e->kind, &chunk);
        bool whole = !fault && chunk.last_us < e->before_us;
        if (fault) { /* it goes when the next one shows that all of it is old */
            MDB_val next, ignored;
            int more = mdb_cursor_get(cursor, &next, &ignored, MDB_NEXT);
            if (more != 0 && more != MDB_NOTFOUND) mc = more;
            if (mc != 0) break;
            bool ours = more == 0 && pt_key_of(&next, rec->id, e->kind->keys);
            whole = ours ? pt_key_time(&next) <= e->before_us : rec->chunk_last_us < e->before_us;
            if (!whole) {
                keep_edge(e, fault);
                break;
            }
            mc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
            if (mc != 0) break;
        }
        if (!whole) {
            mdb_cursor_close(cursor);
            return rewrite(e, &chunk, value.mv_size);
        }
        changed(e);
        rec->chunk_bytes -= value.mv_size + key.mv_size;
        if (fault) {
            e->recount = true;
        } else {
            e->removed += chunk.rows;
            rec->rows -= chunk.rows;
        }
        rec->chunks--;
        mc = mdb_cursor_del(cursor, 0);
    }
    if (cursor) mdb_cursor_close(cursor);
    if (mc != 0 && mc != MDB_NOTFOUND) rc = lmdb_failed(e, mc);
    if (rec->chunks == 0) rec->chunk_last_us = rec->chunk_last_second = PT_MISSING;
    return rc;
}

static enum pt_code drop_tail(struct expire *e)
{
    struct pt_series_record *rec = &e->series->record;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    if (rec->chunks > 0 || rec->tail_rows == 0) return PT_OK; /* the tail is newer than any chunk */
    int mc = mdb_cursor_open(e->write->txn, e->write->store->dbi[PT_CURSOR_TAIL], &cursor);
    while (mc == 0 && rec->tail_rows > 0) {
        struct pt_row_key at = pt_row_key(rec->id, e->kind->keys, INT64_MIN, INT64_MIN);
        key = pt_row_key_val(&at);
        mc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
        if (mc != 0 || !pt_key_of(&key, rec->id, e->kind->keys)) break;
        rec->first_us = pt_key_time(&key);
        if (rec->first_us >= e->before_us) break;
        changed(e);
        mc = mdb_cursor_del(cursor, 0);
        rec->tail_rows--;
        rec->rows--;
        e->removed++;
    }
    if (cursor) mdb_cursor_close(cursor);
    return mc == 0 || mc == MDB_NOTFOUND ? PT_OK : lmdb_failed(e, mc);
}

enum pt_code pt_write_expire(struct pt_write *write, const struct pt_series_key *key,
                             int64_t before_us, uint64_t *removed, struct pt_err *err)
{
    struct expire e = { .write = write, .before_us = before_us, .err = err };
    *removed = 0;
    enum pt_code rc = pt_write_touch(write, key, false, &e.series, err);
    if (rc == PT_ENOENT) return PT_OK;
    if (rc != PT_OK) return rc;
    struct pt_series_record *rec = &e.series->record;
    e.kind = e.series->kind;
    if (rec->rows == 0 || rec->first_us >= before_us) return PT_OK;
    uint64_t had = rec->rows;
    rc = drop_chunks(&e);
    if (rc == PT_OK) rc = drop_tail(&e);
    if (rc == PT_OK && rec->rows == 0) rec->first_us = rec->last_us = rec->last_second = PT_MISSING;
    if (rc == PT_OK && e.recount) rc = pt_series_recount(write, e.series, err);
    if (rc == PT_OK && e.recount) e.removed = had > rec->rows ? had - rec->rows : 0;
    *removed = e.removed;
    return rc == PT_OK ? PT_OK : pt_write_spoil(write, rc);
}
