/* recount.c - the figures of a series after a damaged chunk was given up.      [layer: store] */
#include "store/chunk.h"
#include "store/internal.h"

enum pt_code pt_series_recount(struct pt_write *write, struct pt_touched *touched,
                               struct pt_err *err)
{
    struct pt_series_record *rec = &touched->record;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    unsigned keys = touched->kind->keys;
    uint64_t rows = 0, n = 0;
    touched->corrected = true;
    int mc = mdb_cursor_open(write->txn, write->store->dbi[PT_CURSOR_CHUNKS], &cursor);
    if (mc != 0) return pt_lmdb_fail(err, mc, "series %s: counting", touched->name);
    rec->chunk_last_us = rec->chunk_last_second = rec->first_us = PT_MISSING;
    struct pt_row_key at = pt_row_key(rec->id, keys, INT64_MIN, INT64_MIN);
    key = pt_row_key_val(&at);
    mc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (; mc == 0 && pt_key_of(&key, rec->id, keys);
         mc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        struct pt_chunk chunk;
        bool good = pt_chunk_open(value.mv_data, value.mv_size, touched->kind, &chunk) == NULL;
        if (n++ == 0) rec->first_us = pt_key_time(&key);
        rec->chunk_last_us = good ? chunk.last_us : pt_key_time(&key);
        rec->chunk_last_second = good ? chunk.last_second : pt_key_second(&key);
        rows += good ? chunk.rows : 0;
    }
    mdb_cursor_close(cursor);
    cursor = NULL;
    if (mc == 0 || mc == MDB_NOTFOUND) {
        rec->rows = rows + rec->tail_rows;
        if (rec->tail_rows == 0) {
            rec->last_us = rec->chunk_last_us;
            rec->last_second = rec->chunk_last_second;
        } else if (n == 0) {
            at = pt_row_key(rec->id, keys, INT64_MIN, INT64_MIN);
            key = pt_row_key_val(&at);
            mc = mdb_cursor_open(write->txn, write->store->dbi[PT_CURSOR_TAIL], &cursor);
            if (mc == 0) mc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
            if (mc == 0) rec->first_us = pt_key_time(&key);
            if (cursor) mdb_cursor_close(cursor);
        }
    }
    return mc == 0 || mc == MDB_NOTFOUND
               ? PT_OK
               : pt_lmdb_fail(err, mc, "series %s: counting", touched->name);
}
