/* walk.c - the rows of a range, piece by piece.                                [layer: store] */
#include "store/walk.h"

#include "base/timefmt.h"

/* PT_ENOENT: nothing there. */
enum pt_code pt_walk_start(struct pt_walk *w, struct pt_read *read, const struct pt_series_key *key,
                           int64_t from_us, int64_t to_us, struct pt_err *err)
{
    w->read = read;
    w->kind = pt_kind(key->kind);
    w->from_us = from_us;
    w->to_us = to_us;
    w->err = err;
    pt_series_print(key, w->name);
    if (from_us >= to_us) return PT_ENOENT;
    enum pt_code rc = pt_record_load(read->store, read->txn, w->name, &w->record, err);
    if (rc != PT_OK) return rc;
    if (w->record.rows == 0 || w->record.last_us < from_us || w->record.first_us >= to_us)
        return PT_ENOENT;
    return pt_read_cursor(read, PT_CURSOR_CHUNKS, &w->cursor, err);
}

enum pt_code pt_walk_damaged(const struct pt_walk *w, int64_t time_us, const char *where,
                             const char *what)
{
    char text[PT_TIME_TEXT_MAX];
    pt_time_print(time_us, text);
    return pt_fail(w->err, PT_EDAMAGE, "series %s, %s at %s: damaged (%s); import that range again",
                   w->name, where, text, what);
}

static enum pt_code lmdb_failed(const struct pt_walk *w, int mc)
{
    return pt_lmdb_fail(w->err, mc, "series %s", w->name);
}

/* Opens the chunk under the cursor and cuts it to the range; lo == hi when it has no row of it. */
static enum pt_code open_piece(struct pt_walk *w, const MDB_val *key, const MDB_val *value)
{
    const char *fault = pt_chunk_open(value->mv_data, value->mv_size, w->kind, &w->chunk);
    w->lo = w->hi = 0;
    if (fault) return pt_walk_damaged(w, pt_key_time(key), "chunk", fault);
    if (w->chunk.last_us < w->from_us) return PT_OK; /* it ends before the range */
    w->hi = w->chunk.rows;
    if (w->chunk.first_us < w->from_us) fault = pt_chunk_lower(&w->chunk, w->from_us, &w->lo);
    if (!fault && w->chunk.last_us >= w->to_us) fault = pt_chunk_lower(&w->chunk, w->to_us, &w->hi);
    if (!fault && w->lo > w->hi) fault = "order of the times";
    return fault ? pt_walk_damaged(w, pt_key_time(key), "chunk", fault) : PT_OK;
}

/* Puts the cursor on the first chunk that may hold rows of the range. Sets *open when that is the
 * one before the range's start, which reaches into it and is opened already. */
static enum pt_code seek_start(struct pt_walk *w, MDB_val *key, MDB_val *value, int *mc, bool *open)
{
    const struct pt_series_record *rec = &w->record;
    unsigned keys = w->kind->keys;
    struct pt_row_key at = pt_row_key(rec->id, keys, w->from_us, INT64_MIN);
    *open = false;
    *key = pt_row_key_val(&at);
    *mc = mdb_cursor_get(w->cursor, key, value, MDB_SET_RANGE);
    if (*mc == 0 && keys == 1 && pt_key_of(key, rec->id, keys) && pt_key_time(key) == w->from_us)
        return PT_OK;
    if (*mc == 0 || *mc == MDB_NOTFOUND)
        *mc = mdb_cursor_get(w->cursor, key, value, *mc == 0 ? MDB_PREV : MDB_LAST);
    if (*mc == 0 && pt_key_of(key, rec->id, keys)) {
        enum pt_code rc = open_piece(w, key, value);
        *open = rc == PT_OK && w->lo < w->hi;
        if (rc != PT_OK || *open) return rc;
    }
    *key = pt_row_key_val(&at);
    *mc = mdb_cursor_get(w->cursor, key, value, MDB_SET_RANGE);
    return PT_OK;
}

/* The next piece, ascending; first: the one that holds the range's start. PT_ENOENT at the end. */
enum pt_code pt_walk_next(struct pt_walk *w, bool first)
{
    const struct pt_series_record *rec = &w->record;
    MDB_val key, value;
    int mc;
    if (rec->chunks == 0 || (first && rec->chunk_last_us < w->from_us)) return PT_ENOENT;
    if (first) {
        bool open;
        enum pt_code rc = seek_start(w, &key, &value, &mc, &open);
        if (rc != PT_OK || open) return rc;
    } else {
        mc = mdb_cursor_get(w->cursor, &key, &value, MDB_NEXT);
    }
    if (mc == MDB_NOTFOUND) return PT_ENOENT;
    if (mc != 0) return lmdb_failed(w, mc);
    if (!pt_key_of(&key, rec->id, w->kind->keys) || pt_key_time(&key) >= w->to_us) return PT_ENOENT;
    enum pt_code rc = open_piece(w, &key, &value);
    return rc == PT_OK && w->lo == w->hi ? PT_ENOENT : rc;
}

/* The last piece of the range, then the one before, ... PT_ENOENT when there is none left. */
enum pt_code pt_walk_back(struct pt_walk *w, bool first)
{
    const struct pt_series_record *rec = &w->record;
    unsigned keys = w->kind->keys;
    MDB_val key, value;
    int mc;
    if (rec->chunks == 0) return PT_ENOENT;
    if (first) {
        struct pt_row_key at = pt_row_key(rec->id, keys, w->to_us, INT64_MIN);
        key = pt_row_key_val(&at);
        mc = mdb_cursor_get(w->cursor, &key, &value, MDB_SET_RANGE);
        if (mc != 0 && mc != MDB_NOTFOUND) return lmdb_failed(w, mc);
        mc = mdb_cursor_get(w->cursor, &key, &value, mc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
    } else {
        mc = mdb_cursor_get(w->cursor, &key, &value, MDB_PREV);
    }
    if (mc == MDB_NOTFOUND) return PT_ENOENT;
    if (mc != 0) return lmdb_failed(w, mc);
    if (!pt_key_of(&key, rec->id, keys)) return PT_ENOENT;
    enum pt_code rc = open_piece(w, &key, &value);
    return rc == PT_OK && w->lo == w->hi ? PT_ENOENT : rc;
}

/* Steps over the tail rows of the range. fn gets each; false stops. */
enum pt_code pt_walk_tail(struct pt_walk *w, pt_tail_fn fn, void *arg)
{
    const struct pt_series_record *rec = &w->record;
    MDB_cursor *cursor;
    MDB_val key, value;
    if (rec->tail_rows == 0 || rec->last_us < w->from_us) return PT_OK;
    enum pt_code rc = pt_read_cursor(w->read, PT_CURSOR_TAIL, &cursor, w->err);
    if (rc != PT_OK) return rc;
    struct pt_row_key at = pt_row_key(rec->id, w->kind->keys, w->from_us, INT64_MIN);
    key = pt_row_key_val(&at);
    int mc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (; mc == 0; mc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        if (!pt_key_of(&key, rec->id, w->kind->keys) || pt_key_time(&key) >= w->to_us) return PT_OK;
        if (!fn(arg, &key, &value)) return PT_OK;
    }
    return mc == MDB_NOTFOUND ? PT_OK : lmdb_failed(w, mc);
}
