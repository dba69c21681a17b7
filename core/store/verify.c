/* verify.c - looks at everything that is stored, in one snapshot.              [layer: store] */
#include "store/anomaly.h"
#include "store/chunk.h"
#include "store/internal.h"

#include "base/timefmt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct verify {
    struct pt_read *read;
    pt_fault_fn fn;
    void *arg;
    struct pt_verify *sums;
    uint64_t chunk_entries, tail_entries; /* that belong to a series */
    char first[320];                      /* the first fault, for the error */
    struct pt_frame frame[PT_KINDS];
    enum pt_code rc; /* why it could not go on, when that was not LMDB */
    struct pt_err *err;
};

static int open_cursor(struct verify *v, int which, MDB_cursor **cursor)
{
    v->rc = pt_read_cursor(v->read, which, cursor, v->err);
    return v->rc == PT_OK ? 0 : MDB_PANIC;
}

static void __attribute__((format(printf, 3, 4)))
fault(struct verify *v, const char *where, const char *fmt, ...)
{
    char what[160];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    if (v->sums->damaged++ == 0) snprintf(v->first, sizeof v->first, "%.140s: %s", where, what);
    if (v->fn) v->fn(v->arg, where, what);
}

/* What is seen of a series while its chunks and tail pass by. */
struct seen {
    struct pt_series_record rec;
    const struct pt_kind *kind;
    char name[PT_SERIES_TEXT_MAX];
    uint64_t rows, chunks, chunk_bytes, tail_rows;
    int64_t first_us, last_us, last_second;
    bool lost; /* a fault makes the counts meaningless */
};

static void place(const struct seen *s, const char *part, int64_t t, char out[160])
{
    char text[PT_TIME_TEXT_MAX];
    pt_time_print(t, text);
    snprintf(out, 160, "%s %s %s", s->name, part, text);
}

/* Takes the next row in line; false when it is not newer than the one before. */
static bool in_order(struct seen *s, int64_t t, int64_t second)
{
    bool good = s->rows == 0 || pt_pair_cmp(s->last_us, s->last_second, t, second) < 0;
    if (s->rows == 0) s->first_us = t;
    s->last_us = t;
    s->last_second = second;
    s->rows++;
    return good;
}

static const char *check_chunk(struct verify *v, struct seen *s, const MDB_val *key,
                               const MDB_val *value)
{
    struct pt_chunk chunk;
    struct pt_frame *frame = &v->frame[s->kind->id];
    const char *what = pt_chunk_open(value->mv_data, value->mv_size, s->kind, &chunk);
    if (what) return what;
    for (unsigned c = 0; c < s->kind->ncols && !what; c++)
        what = pt_chunk_values(&chunk, c, 0, chunk.rows, frame->val[c], frame->dig[c]);
    if (what) return what;
    size_t last = chunk.rows - 1;
    if (pt_key_time(key) != frame->val[0][0] || pt_key_second(key) != pt_row_second(frame, 0))
        return "its key is not that of its first row";
    if (chunk.first_us != frame->val[0][0] || chunk.last_us != frame->val[0][last] ||
        chunk.first_second != pt_row_second(frame, 0) ||
        chunk.last_second != pt_row_second(frame, last))
        return "its head does not name its first and last row";
    for (size_t i = 0; i < chunk.rows; i++) {
        if (!in_order(s, frame->val[0][i], pt_row_second(frame, i))) what = "rows out of order";
    }
    return what;
}

static int check_chunks(struct verify *v, struct seen *s)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    char where[160];
    struct pt_row_key at = pt_row_key(s->rec.id, s->kind->keys, INT64_MIN, INT64_MIN);
    if (open_cursor(v, PT_CURSOR_CHUNKS, &cursor) != 0) return MDB_PANIC;
    key = pt_row_key_val(&at);
    int mc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (; mc == 0 && pt_key_of(&key, s->rec.id, s->kind->keys);
         mc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        const char *what = check_chunk(v, s, &key, &value);
        s->chunks++;
        s->chunk_bytes += value.mv_size + key.mv_size;
        v->chunk_entries++;
        v->sums->chunks++;
        if (!what) continue;
        s->lost = true;
        place(s, "chunk", pt_key_time(&key), where);
        fault(v, where, "%s", what);
    }
    return mc == MDB_NOTFOUND ? 0 : mc;
}

static int check_tail(struct verify *v, struct seen *s)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    char where[160];
    struct pt_row_key at = pt_row_key(s->rec.id, s->kind->keys, INT64_MIN, INT64_MIN);
    if (open_cursor(v, PT_CURSOR_TAIL, &cursor) != 0) return MDB_PANIC;
    key = pt_row_key_val(&at);
    int mc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (; mc == 0 && pt_key_of(&key, s->rec.id, s->kind->keys);
         mc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        const char *what = pt_tail_check(s->kind, &value);
        bool order = in_order(s, pt_key_time(&key), pt_key_second(&key));
        if (!what && !order) what = "older than the last chunk";
        s->tail_rows++;
        v->tail_entries++;
        if (!what) continue;
        place(s, "row", pt_key_time(&key), where);
        fault(v, where, "%s", what);
    }
    return mc == MDB_NOTFOUND ? 0 : mc;
}

static int check_series(struct verify *v, struct seen *s)
{
    const struct pt_series_record *rec = &s->rec;
    uint64_t before = v->sums->damaged;
    struct pt_frame *frame = &v->frame[s->kind->id];
    if (!frame->kind) pt_frame_init(frame, s->kind);
    if (pt_frame_reserve(frame, PT_CHUNK_ROWS_MAX) != PT_OK) return ENOMEM;
    int mc = check_chunks(v, s);
    int64_t chunk_last = s->chunks > 0 ? s->last_us : PT_MISSING;
    if (mc == 0) mc = check_tail(v, s);
    v->sums->series++;
    v->sums->rows += s->rows;
    if (mc != 0 || s->lost || v->sums->damaged != before) return mc;
    if (s->rows != rec->rows)
        fault(v, s->name, "has %" PRIu64 " rows, its record says %" PRIu64, s->rows, rec->rows);
    else if (s->chunks != rec->chunks || s->chunk_bytes != rec->chunk_bytes)
        fault(v, s->name, "has %" PRIu64 " chunks, its record says %" PRIu64, s->chunks,
              rec->chunks);
    else if (s->tail_rows != rec->tail_rows)
        fault(v, s->name, "has %" PRIu64 " tail rows, its record says %" PRIu64, s->tail_rows,
              rec->tail_rows);
    else if (s->rows > 0 && (s->first_us != rec->first_us || s->last_us != rec->last_us ||
                             s->last_second != rec->last_second))
        fault(v, s->name, "its record does not name its first and last row");
    else if (chunk_last != rec->chunk_last_us)
        fault(v, s->name, "its record does not name its last chunk's end");
    return 0;
}

static int check_all_series(struct verify *v)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    if (open_cursor(v, PT_CURSOR_SERIES, &cursor) != 0) return MDB_PANIC;
    int mc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    for (; mc == 0; mc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        struct seen s = { .rows = 0 };
        struct pt_err err;
        size_t len = key.mv_size < sizeof s.name ? key.mv_size : sizeof s.name - 1;
        memcpy(s.name, key.mv_data, len);
        if (pt_record_parse(&value, s.name, &s.rec, &err) != PT_OK) {
            fault(v, s.name, "%s", "its record is damaged");
            continue;
        }
        s.kind = pt_kind((enum pt_kind_id)s.rec.kind);
        int failed = check_series(v, &s);
        if (failed != 0) return failed;
    }
    return mc == MDB_NOTFOUND ? 0 : mc;
}

/* Rows and chunks that no series knows. */
static int check_orphans(struct verify *v)
{
    static const char *const names[] = { "chunks", "tail" };
    const int dbi[] = { PT_CURSOR_CHUNKS, PT_CURSOR_TAIL };
    const uint64_t known[] = { v->chunk_entries, v->tail_entries };
    for (int i = 0; i < 2; i++) {
        MDB_stat stat;
        int mc = mdb_stat(v->read->txn, v->read->store->dbi[dbi[i]], &stat);
        if (mc != 0) return mc;
        if (stat.ms_entries > known[i])
            fault(v, names[i], "%" PRIu64 " entries belong to no good series",
                  (uint64_t)stat.ms_entries - known[i]);
    }
    return 0;
}

static int check_docs(struct verify *v)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    if (open_cursor(v, PT_CURSOR_DOCS, &cursor) != 0) return MDB_PANIC;
    int mc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    for (; mc == 0; mc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        char where[PT_NAME_BYTES_MAX + 80];
        bson_t view;
        const char *what = pt_doc_check(&value, &view);
        if (!what && !bson_validate(&view, BSON_VALIDATE_NONE, NULL)) what = "no valid document";
        v->sums->docs++;
        if (!what) continue;
        pt_doc_name(&key, where, sizeof where);
        fault(v, where, "%s", what);
    }
    return mc == MDB_NOTFOUND ? 0 : mc;
}

static void note_anomaly(void *arg, const char *where, const char *what)
{
    fault(arg, where, "%s", what);
}

static int check_anomalies(struct verify *v)
{
    v->rc = pt_anomaly_verify(v->read, note_anomaly, v, v->err);
    return v->rc == PT_OK ? 0 : MDB_PANIC;
}

static int check_entries(struct verify *v, int which, const char *name,
                         const char *(*check)(const MDB_val *key, const MDB_val *value))
{
    MDB_cursor *cursor;
    MDB_val key, value;
    if (open_cursor(v, which, &cursor) != 0) return MDB_PANIC;
    int mc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    for (; mc == 0; mc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        const char *what = check(&key, &value);
        if (what) fault(v, name, "%s", what);
    }
    return mc == MDB_NOTFOUND ? 0 : mc;
}

enum pt_code pt_store_verify(struct pt_store *store, pt_fault_fn fn, void *arg,
                             struct pt_verify *sums, struct pt_err *err)
{
    struct verify v = { .fn = fn, .arg = arg, .sums = sums, .err = err };
    memset(sums, 0, sizeof *sums);
    enum pt_code rc = pt_read_begin(store, &v.read, err);
    if (rc != PT_OK) return rc;
    int mc = check_all_series(&v);
    if (mc == 0) mc = check_orphans(&v);
    if (mc == 0) mc = check_docs(&v);
    if (mc == 0) mc = check_anomalies(&v);
    if (mc == 0) mc = check_entries(&v, PT_CURSOR_DUE, "due marks", pt_due_check);
    if (mc == 0) mc = check_entries(&v, PT_CURSOR_OUTBOX, "outbox", pt_outbox_check);
    pt_read_end(v.read);
    for (int k = 0; k < PT_KINDS; k++) {
        if (v.frame[k].kind) pt_frame_fini(&v.frame[k]);
    }
    if (v.rc != PT_OK) return v.rc;
    if (mc != 0) return pt_lmdb_fail(err, mc, "verifying %s", store->path);
    if (sums->damaged == 0) return PT_OK;
    return pt_fail(err, PT_EDAMAGE, "%s: %" PRIu64 " faults, the first: %s", store->path,
                   sums->damaged, v.first);
}
