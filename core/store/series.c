/* series.c - reading a series: catalog, range, count, page.                   [layer: store] */
#include "store/walk.h"

/* ---- catalog ------------------------------------------------------------------------------ */

enum pt_code pt_series_find(struct pt_read *read, const struct pt_series_key *key,
                            struct pt_series *series, struct pt_err *err)
{
    char name[PT_SERIES_TEXT_MAX];
    struct pt_series_record record;
    pt_series_print(key, name);
    enum pt_code rc = pt_record_load(read->store, read->txn, name, &record, err);
    if (rc == PT_OK) pt_record_series(&record, series);
    return rc;
}

enum pt_code pt_series_each(struct pt_read *read, pt_series_fn fn, void *arg, struct pt_err *err)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    struct pt_series_record record;
    struct pt_series series;
    enum pt_code rc = pt_read_cursor(read, PT_CURSOR_SERIES, &cursor, err);
    if (rc != PT_OK) return rc;
    int mc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    for (; mc == 0; mc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        char name[PT_SERIES_TEXT_MAX];
        size_t len = key.mv_size < sizeof name ? key.mv_size : sizeof name - 1;
        memcpy(name, key.mv_data, len);
        name[len] = '\0';
        enum pt_code fault = pt_record_parse(&value, name, &record, rc == PT_OK ? err : NULL);
        if (fault != PT_OK) { /* the good ones behind it are still given */
            rc = fault;
            continue;
        }
        pt_record_series(&record, &series);
        if (!fn(arg, &series)) return rc;
    }
    return mc == MDB_NOTFOUND ? rc : pt_lmdb_fail(err, mc, "%s: catalog", read->store->path);
}

static bool count_row(void *arg, const MDB_val *key, const MDB_val *value)
{
    (void)key;
    (void)value;
    ++*(uint64_t *)arg;
    return true;
}

/* ---- rows into a frame -------------------------------------------------------------------- */

/* Appends rows [from, from + n) of the walk's chunk; all or nothing. */
static enum pt_code take_chunk(struct pt_walk *w, size_t from, size_t n, uint32_t cols,
                               struct pt_frame *frame)
{
    const struct pt_kind *kind = w->kind;
    size_t want = frame->n + n;
    if (want > frame->cap) {
        size_t more = frame->cap + frame->cap / 2;
        enum pt_code rc = pt_frame_reserve(frame, want > more ? want : more);
        if (rc != PT_OK) return pt_fail(w->err, rc, "series %s: %zu rows", w->name, want);
    }
    for (unsigned c = 0; c < kind->ncols; c++) {
        size_t width = kind->cols[c].width, at = frame->n * width;
        if (c == 0 || cols == 0 || (cols >> c & 1) != 0) {
            uint8_t *dig = frame->dig[c] ? frame->dig[c] + at : NULL;
            const char *fault = pt_chunk_values(&w->chunk, c, from, n, frame->val[c] + at, dig);
            if (fault) return pt_walk_damaged(w, w->chunk.first_us, "chunk", fault);
        } else {
            for (size_t i = at; i < at + n * width; i++) frame->val[c][i] = PT_MISSING;
            if (frame->dig[c]) memset(frame->dig[c] + at, 0, n * width);
        }
    }
    frame->n += n;
    return PT_OK;
}

struct take_tail {
    struct pt_walk *walk;
    struct pt_frame *frame;
    uint32_t cols;
    uint64_t skip, limit;
    enum pt_code rc;
};

static bool take_row(void *arg, const MDB_val *key, const MDB_val *value)
{
    struct take_tail *take = arg;
    struct pt_frame *frame = take->frame;
    if (take->skip > 0) {
        take->skip--;
        return true;
    }
    if (take->limit == 0) return false;
    const char *fault = pt_tail_check(frame->kind, value);
    if (fault) {
        take->rc = pt_walk_damaged(take->walk, pt_key_time(key), "row", fault);
        return false;
    }
    if (frame->n == frame->cap) {
        take->rc = pt_frame_reserve(frame, frame->cap + frame->cap / 2 + 64);
        if (take->rc != PT_OK)
            pt_fail(take->walk->err, take->rc, "series %s: %zu rows", take->walk->name, frame->n);
    }
    if (take->rc != PT_OK) return false;
    pt_tail_decode(key, value, take->cols, frame);
    take->limit--;
    return true;
}

enum start { FROM_RANGE, FROM_PIECE, FROM_TAIL };

/* Ascending from the range's start, the piece the walk stands on, or the tail: skips, then takes.
 */
static enum pt_code take_rows(struct pt_walk *w, enum start start, uint64_t skip, uint64_t limit,
                              uint32_t cols, struct pt_frame *frame)
{
    enum pt_code rc = start == FROM_PIECE ? PT_OK : PT_ENOENT;
    if (start == FROM_RANGE) rc = pt_walk_next(w, true);
    for (; rc == PT_OK; rc = pt_walk_next(w, false)) {
        uint64_t n = w->hi - w->lo;
        if (skip >= n) {
            skip -= n;
            continue;
        }
        n = n - skip < limit ? n - skip : limit;
        rc = take_chunk(w, w->lo + (size_t)skip, (size_t)n, cols, frame);
        skip = 0;
        limit -= n;
        if (rc != PT_OK || limit == 0) return rc;
    }
    if (rc != PT_ENOENT) return rc;
    struct take_tail take = { w, frame, cols, skip, limit, PT_OK };
    rc = pt_walk_tail(w, take_row, &take);
    return rc == PT_OK ? take.rc : rc;
}

enum pt_code pt_series_read(struct pt_read *read, const struct pt_series_key *key, int64_t from_us,
                            int64_t to_us, uint32_t cols, struct pt_frame *frame,
                            struct pt_err *err)
{
    struct pt_walk w;
    enum pt_code rc = pt_walk_start(&w, read, key, from_us, to_us, err);
    if (rc == PT_OK) rc = take_rows(&w, FROM_RANGE, 0, UINT64_MAX, cols, frame);
    return rc == PT_ENOENT ? PT_OK : rc;
}

enum pt_code pt_series_count(struct pt_read *read, const struct pt_series_key *key, int64_t from_us,
                             int64_t to_us, uint64_t *rows, struct pt_err *err)
{
    struct pt_walk w;
    *rows = 0;
    enum pt_code rc = pt_walk_start(&w, read, key, from_us, to_us, err);
    if (rc != PT_OK) return rc == PT_ENOENT ? PT_OK : rc;
    if (from_us <= w.record.first_us && to_us > w.record.last_us) {
        *rows = w.record.rows;
        return PT_OK;
    }
    for (rc = pt_walk_next(&w, true); rc == PT_OK; rc = pt_walk_next(&w, false))
        *rows += w.hi - w.lo;
    return rc == PT_ENOENT ? pt_walk_tail(&w, count_row, rows) : rc;
}

/* Goes back from the range's end until `need` rows were seen. *seen: how many rows lie between
 * where it stopped (*start) and the end. */
static enum pt_code look_back(struct pt_walk *w, uint64_t need, uint64_t *seen, enum start *start)
{
    *seen = 0;
    *start = FROM_TAIL;
    enum pt_code rc = pt_walk_tail(w, count_row, seen);
    if (rc != PT_OK || *seen >= need) return rc;
    *start = FROM_PIECE;
    for (rc = pt_walk_back(w, true); rc == PT_OK; rc = pt_walk_back(w, false)) {
        *seen += w->hi - w->lo;
        if (*seen >= need) return PT_OK;
    }
    *start = FROM_RANGE;
    return rc == PT_ENOENT ? PT_OK : rc;
}

enum pt_code pt_series_page(struct pt_read *read, const struct pt_series_key *key, int64_t from_us,
                            int64_t to_us, uint64_t offset, uint64_t limit, bool newest_first,
                            struct pt_frame *frame, struct pt_err *err)
{
    struct pt_walk w;
    uint64_t seen = 0, skip = offset;
    enum start start = FROM_RANGE;
    if (limit == 0) return PT_OK;
    enum pt_code rc = pt_walk_start(&w, read, key, from_us, to_us, err);
    if (rc == PT_OK && newest_first) {
        uint64_t need = limit > UINT64_MAX - offset ? UINT64_MAX : offset + limit;
        rc = look_back(&w, need, &seen, &start);
        if (rc != PT_OK) return rc;
        if (offset >= seen) return PT_OK;
        if (limit > seen - offset) limit = seen - offset;
        skip = seen - offset - limit;
    }
    if (rc == PT_OK) rc = take_rows(&w, start, skip, limit, 0, frame);
    return rc == PT_ENOENT ? PT_OK : rc;
}
