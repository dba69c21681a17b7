/* put.c - rows into a series.                                                  [layer: store]
 *
 *      chunks: [ first .. last ] [ first .. last ] ... [ first .. last ]   tail: row row row
 *                 late rows: the chunk that covers them is decoded,          newer rows: put one by
 *                 merged and written again, in as many pieces as             one; PT_TAIL_ROWS of
 * them it then needs                                              become a chunk
 *
 * A batch is cut at the last chunk's last key: what is not newer is merged into the chunks, the
 * rest goes to the tail, or straight into chunks when it is much. */
#include "store/chunk.h"
#include "store/internal.h"

#include "base/decimal.h"
#include "base/log.h"
#include "base/timefmt.h"

#include <inttypes.h>

#define PT_TAIL_ROWS                                                                               \
    128 /* of a series, at most; measured: fewer costs rewriting, more costs reading */
#define PT_TAIL_KEEP                                                                               \
    16 /* left behind by a small compaction: late rows are mostly a little late                    \
        */

#define PT_TIME_LIMIT (INT64_C(1) << 62) /* so that a period more or less never overflows */

struct put {
    struct pt_write *write;
    struct pt_touched *series;
    const struct pt_kind *kind;
    enum pt_put_mode mode;
    struct pt_put_stats stats;
    struct pt_err *err;
};

static enum pt_code lmdb_failed(struct put *put, int mc)
{
    return pt_lmdb_fail(put->err, mc, "writing series %s", put->series->name);
}

static enum pt_code no_memory(struct put *put)
{
    return pt_fail(put->err, PT_ENOMEM, "writing series %s", put->series->name);
}

static enum pt_code damaged(struct put *put, int64_t time_us, const char *where, const char *what)
{
    char text[PT_TIME_TEXT_MAX];
    pt_time_print(time_us, text);
    return pt_fail(put->err, PT_EDAMAGE, "series %s, %s at %s: damaged (%s)", put->series->name,
                   where, text, what);
}

/* ---- what a new row does to an old one ---------------------------------------------------- */

static void stretch(int64_t t, bool *any, int64_t *from, int64_t *to)
{
    if (!*any || t < *from) *from = t;
    if (!*any || t > *to) *to = t;
    *any = true;
}

/* Rows first .. last of the frame were put; a growing candle is no news for the cycle. */
static void note_change(struct put *put, const struct pt_frame *frame, size_t row, bool old_closed)
{
    struct pt_touched *series = put->series;
    int64_t t = frame->val[0][row];
    put->write->dirty = series->dirty = true;
    stretch(t, &series->changed, &series->from_us, &series->to_us);
    if (put->kind->id != PT_CANDLES || old_closed || frame->val[PT_C_CLOSED][row] == 1)
        stretch(t, &series->due, &series->due_from_us, &series->due_to_us);
}

static void note_inserted(struct put *put, const struct pt_frame *frame, size_t row)
{
    struct pt_series_record *rec = &put->series->record;
    int64_t t = frame->val[0][row], second = pt_row_second(frame, row);
    if (rec->rows == 0 || t < rec->first_us) rec->first_us = t;
    if (rec->rows == 0 || pt_pair_cmp(t, second, rec->last_us, rec->last_second) > 0) {
        rec->last_us = t;
        rec->last_second = second;
    }
    rec->rows++;
    put->stats.inserted++;
    note_change(put, frame, row, false);
}

/* Does the new row take the old one's place? Counts and notes what it does. */
static bool replaces(struct put *put, const struct pt_frame *frame, size_t row, bool same,
                     bool old_closed)
{
    if (same) {
        put->stats.unchanged++;
    } else if (put->mode == PT_PUT_LIVE && old_closed) {
        put->stats.frozen++;
    } else {
        put->stats.replaced++;
        note_change(put, frame, row, old_closed);
        return true;
    }
    return false;
}

static bool is_closed(const struct pt_frame *frame, size_t row)
{
    return frame->kind->id == PT_CANDLES && frame->val[PT_C_CLOSED][row] == 1;
}

/* First row of b in [from, to) whose key is not less than that of row `row` of a. */
static size_t run_end(const struct pt_frame *b, size_t from, size_t to, const struct pt_frame *a,
                      size_t row)
{
    while (from < to && pt_frame_cmp(b, from, a, row) < 0) from++;
    return from;
}

/* out = old rows with frame's [from, to) merged in. *changed: out differs from old. */
static enum pt_code merge(struct put *put, const struct pt_frame *old, const struct pt_frame *frame,
                          size_t from, size_t to, struct pt_frame *out, bool *changed)
{
    size_t a = 0, b = from;
    *changed = false;
    pt_frame_clear(out);
    enum pt_code rc = pt_frame_reserve(out, old->n + (to - from));
    while (rc == PT_OK && (a < old->n || b < to)) {
        size_t stop = b < to ? run_end(old, a, old->n, frame, b) : old->n;
        rc = pt_frame_append(out, old, a, stop - a);
        a = stop;
        if (rc != PT_OK || b == to) break;
        bool both = a < old->n && pt_frame_cmp(old, a, frame, b) == 0;
        if (both) {
            bool same = pt_frame_same(old, a, frame, b);
            bool take = replaces(put, frame, b, same, is_closed(old, a));
            rc = pt_frame_append(out, take ? frame : old, take ? b : a, 1);
            *changed |= take;
            a++;
            b++;
            continue;
        }
        stop = a < old->n ? run_end(frame, b, to, old, a) : to;
        rc = pt_frame_append(out, frame, b, stop - b);
        for (; b < stop; b++) note_inserted(put, frame, b);
        *changed = true;
    }
    return rc == PT_OK ? PT_OK : no_memory(put);
}

/* ---- chunks ------------------------------------------------------------------------------- */

static struct pt_frame *scratch(struct pt_frame *frames, const struct pt_kind *kind)
{
    struct pt_frame *frame = &frames[kind->id];
    if (!frame->kind) pt_frame_init(frame, kind);
    pt_frame_clear(frame);
    return frame;
}

/* Writes one chunk of up to `rows` rows, fewer when they do not fit. *done: how many. */
static enum pt_code put_chunk(struct put *put, const struct pt_frame *frame, size_t from,
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
    if (mc != 0) return lmdb_failed(put, mc);
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
static enum pt_code put_even(struct put *put, const struct pt_frame *frame, size_t from, size_t n)
{
    while (n > 0) {
        size_t fit = put->series->fit, pieces = (n + fit - 1) / fit, done;
        enum pt_code rc = put_chunk(put, frame, from, (n + pieces - 1) / pieces, &done);
        if (rc != PT_OK) return rc;
        from += done;
        n -= done;
    }
    return PT_OK;
}

static enum pt_code del_chunk(struct put *put, struct pt_row_key *at, size_t bytes)
{
    MDB_val key = pt_row_key_val(at);
    int mc = mdb_del(put->write->txn, put->write->store->dbi[PT_CURSOR_CHUNKS], &key, NULL);
    if (mc != 0) return lmdb_failed(put, mc);
    put->series->record.chunks--;
    put->series->record.chunk_bytes -= bytes + at->len;
    return PT_OK;
}

/* Appends all rows of a stored chunk. */
static enum pt_code load_chunk(struct put *put, const MDB_val *key, const MDB_val *value,
                               struct pt_frame *frame)
{
    struct pt_chunk chunk;
    const char *fault = pt_chunk_open(value->mv_data, value->mv_size, put->kind, &chunk);
    if (fault) return damaged(put, pt_key_time(key), "chunk", fault);
    if (pt_frame_reserve(frame, frame->n + chunk.rows) != PT_OK) return no_memory(put);
    for (unsigned c = 0; c < put->kind->ncols && !fault; c++) {
        size_t at = frame->n * put->kind->cols[c].width;
        fault = pt_chunk_values(&chunk, c, 0, chunk.rows, frame->val[c] + at,
                                frame->dig[c] ? frame->dig[c] + at : NULL);
    }
    if (fault) return damaged(put, pt_key_time(key), "chunk", fault);
    frame->n += chunk.rows;
    return PT_OK;
}

/* The chunk that covers a row: the last one that begins at or before it, else the series' first.
 * Also the key the next chunk begins with (*bounded), which the covered rows lie before. */
static int find_chunk(struct put *put, MDB_cursor *cursor, int64_t time_us, int64_t second,
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
static bool may_heal(const struct put *put, const struct pt_frame *frame, size_t from, size_t to,
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
static enum pt_code put_late(struct put *put, const struct pt_frame *frame, size_t from, size_t to)
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
            mc = find_chunk(put, cursor, frame->val[0][from], pt_row_second(frame, from), &key,
                            &value, next, &bounded);
        if (cursor) mdb_cursor_close(cursor);
        if (mc == MDB_NOTFOUND) return damaged(put, frame->val[0][from], "chunk", "it is missing");
        if (mc != 0) return lmdb_failed(put, mc);

        size_t stop = from;
        while (stop < to &&
               (!bounded ||
                pt_pair_cmp(frame->val[0][stop], pt_row_second(frame, stop), next[0], next[1]) < 0))
            stop++;
        struct pt_row_key at = { .len = key.mv_size };
        memcpy(at.bytes, key.mv_data, key.mv_size);
        struct pt_frame *old = scratch(write->old, put->kind);
        struct pt_frame *out = scratch(write->merged, put->kind);
        rc = load_chunk(put, &key, &value, old);
        if (rc == PT_EDAMAGE && may_heal(put, frame, from, stop, bounded, &at)) {
            rc = PT_OK;
            changed = healed = true;
        }
        if (rc == PT_OK) rc = merge(put, old, frame, from, stop, out, &differs);
        changed |= differs;
        if (rc == PT_OK && changed) {
            rc = del_chunk(put, &at, value.mv_size);
            if (rc == PT_OK) rc = put_even(put, out, 0, out->n);
        }
        from = stop;
    }
    return rc == PT_OK && healed ? pt_series_recount(write, put->series, put->err) : rc;
}

/* ---- the tail ----------------------------------------------------------------------------- */

static enum pt_code put_tail_row(struct put *put, const struct pt_frame *frame, size_t row)
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
        if (fault) return damaged(put, t, "row", fault);
        bool same = memcmp(bytes, value.mv_data, value.mv_size) == 0;
        if (!replaces(put, frame, row, same, pt_tail_closed(put->kind, &value))) return PT_OK;
    } else if (!fresh) {
        return lmdb_failed(put, mc);
    }
    value = (MDB_val){ pt_tail_bytes(put->kind), bytes };
    mc = mdb_put(txn, tail, &key, &value, 0);
    if (mc != 0) return lmdb_failed(put, mc);
    if (fresh) {
        note_inserted(put, frame, row);
        rec->tail_rows++;
    }
    return PT_OK;
}

/* All tail rows into a frame. */
static enum pt_code load_tail(struct put *put, struct pt_frame *frame)
{
    const struct pt_series_record *rec = &put->series->record;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    enum pt_code rc = PT_OK;
    if (rec->tail_rows == 0) return PT_OK;
    if (pt_frame_reserve(frame, rec->tail_rows) != PT_OK) return no_memory(put);
    int mc = mdb_cursor_open(put->write->txn, put->write->store->dbi[PT_CURSOR_TAIL], &cursor);
    if (mc != 0) return lmdb_failed(put, mc);
    struct pt_row_key at = pt_row_key(rec->id, put->kind->keys, INT64_MIN, INT64_MIN);
    key = pt_row_key_val(&at);
    mc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (; mc == 0 && rc == PT_OK && pt_key_of(&key, rec->id, put->kind->keys);
         mc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        const char *fault = pt_tail_check(put->kind, &value);
        if (!fault && frame->n == rec->tail_rows) fault = "more rows than counted";
        if (fault)
            rc = damaged(put, pt_key_time(&key), "row", fault);
        else
            pt_tail_decode(&key, &value, 0, frame);
    }
    mdb_cursor_close(cursor);
    if (rc == PT_OK && mc != 0 && mc != MDB_NOTFOUND) rc = lmdb_failed(put, mc);
    if (rc == PT_OK && frame->n != rec->tail_rows)
        rc = damaged(put, rec->last_us, "tail", "rows are missing");
    return rc;
}

/* Deletes the first n tail rows, which are those of the frame. */
static enum pt_code del_tail(struct put *put, const struct pt_frame *frame, size_t n)
{
    struct pt_series_record *rec = &put->series->record;
    for (size_t i = 0; i < n; i++) {
        struct pt_row_key at =
            pt_row_key(rec->id, put->kind->keys, frame->val[0][i], pt_row_second(frame, i));
        MDB_val key = pt_row_key_val(&at);
        int mc = mdb_del(put->write->txn, put->write->store->dbi[PT_CURSOR_TAIL], &key, NULL);
        if (mc != 0) return lmdb_failed(put, mc);
        rec->tail_rows--;
    }
    return PT_OK;
}

/* Puts the last chunk's rows before those of `frame` when they fit one chunk together, and removes
 * it. A damaged one is left alone: new rows must get in. */
static enum pt_code join_last_chunk(struct put *put, struct pt_frame *frame, size_t n,
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
        mc = find_chunk(put, cursor, rec->chunk_last_us, rec->chunk_last_second, &key, &value, next,
                        &bounded);
    if (cursor) mdb_cursor_close(cursor);
    if (mc != 0) return mc == MDB_NOTFOUND ? PT_OK : lmdb_failed(put, mc);
    if (pt_chunk_open(value.mv_data, value.mv_size, put->kind, &chunk) != NULL) return PT_OK;
    if (chunk.rows + n > PT_CHUNK_ROWS) return PT_OK;
    /* a hopeless try costs more than the size tells beforehand */
    if (value.mv_size + value.mv_size / chunk.rows * n > PT_CHUNK_BYTES_MAX) return PT_OK;

    struct pt_err ignored;
    struct put quiet = *put;
    quiet.err = &ignored;
    pt_frame_clear(joined);
    enum pt_code rc = load_chunk(&quiet, &key, &value, joined);
    if (rc == PT_EDAMAGE) return PT_OK;
    if (rc == PT_OK) rc = pt_frame_append(joined, frame, 0, n);
    if (rc != PT_OK) return no_memory(put);
    pt_chunk_plan(joined, 0, joined->n, &plan);
    if (plan.bytes > PT_CHUNK_BYTES_MAX) return PT_OK;
    struct pt_row_key at = { .len = key.mv_size };
    memcpy(at.bytes, key.mv_data, key.mv_size);
    *did = true;
    return del_chunk(put, &at, value.mv_size);
}

/* Rows [from, to), all newer than the chunks: much at once, or more than the tail may hold. */
static enum pt_code put_bulk(struct put *put, const struct pt_frame *frame, size_t from, size_t to)
{
    struct pt_series_record *rec = &put->series->record;
    struct pt_frame *old = scratch(put->write->old, put->kind);
    struct pt_frame *all = scratch(put->write->merged, put->kind);
    bool small = to - from < PT_TAIL_ROWS, changed, joined = false;
    enum pt_code rc = load_tail(put, old);
    if (rc == PT_OK) rc = merge(put, old, frame, from, to, all, &changed);
    if (rc != PT_OK || !changed) return rc;

    size_t keep = small ? PT_TAIL_KEEP : 0, n = all->n, done;
    if (keep == 0 && put->kind->id == PT_CANDLES && !is_closed(all, n - 1)) keep = 1;
    size_t chunked = n > keep ? n - keep : 0;
    rc = del_tail(put, old, old->n);
    size_t at = 0;
    if (rc == PT_OK && chunked < PT_CHUNK_ROWS) {
        rc = join_last_chunk(put, all, chunked, old, &joined);
        if (rc == PT_OK && joined) {
            rc = put_even(put, old, 0, old->n);
            at = chunked;
        }
    }
    while (rc == PT_OK && at < chunked && (small || chunked - at >= PT_TAIL_ROWS)) {
        rc = put_chunk(put, all, at, chunked - at, &done);
        at += done;
    }
    for (; rc == PT_OK && at < n; at++) {
        uint8_t bytes[PT_TAIL_BYTES_MAX];
        struct pt_row_key k =
            pt_row_key(rec->id, put->kind->keys, all->val[0][at], pt_row_second(all, at));
        MDB_val key = pt_row_key_val(&k), value = { pt_tail_bytes(put->kind), bytes };
        pt_tail_encode(all, at, bytes);
        int mc = mdb_put(put->write->txn, put->write->store->dbi[PT_CURSOR_TAIL], &key, &value, 0);
        if (mc != 0) return lmdb_failed(put, mc);
        rec->tail_rows++;
    }
    return rc;
}

/* ---- all of it ---------------------------------------------------------------------------- */

static enum pt_code check_order(const struct pt_frame *frame, const char *name, struct pt_err *err)
{
    for (size_t i = 0; i < frame->n; i++) {
        if (frame->val[0][i] < -PT_TIME_LIMIT || frame->val[0][i] > PT_TIME_LIMIT)
            return pt_fail(err, PT_EINVAL, "series %s: row %zu has no sound time", name, i);
        if (i > 0 && pt_frame_cmp(frame, i - 1, frame, i) >= 0)
            return pt_fail(err, PT_EINVAL, "series %s: row %zu is not in order", name, i);
    }
    return PT_OK;
}

enum pt_code pt_write_rows(struct pt_write *write, const struct pt_series_key *key,
                           const struct pt_frame *frame, enum pt_put_mode mode,
                           struct pt_put_stats *stats, struct pt_err *err)
{
    struct put put = { .write = write, .kind = frame->kind, .mode = mode, .err = err };
    if (frame->kind->id != key->kind)
        return pt_fail(err, PT_EINVAL, "%s rows for a series of another kind", frame->kind->name);
    enum pt_code rc = check_order(frame, key->symbol, err);
    if (rc != PT_OK || frame->n == 0) return rc;
    rc = pt_write_touch(write, key, true, &put.series, err);
    if (rc != PT_OK) return rc;

    struct pt_series_record *rec = &put.series->record;
    size_t late = 0;
    if (rec->chunks > 0) {
        size_t high = frame->n;
        while (late < high) { /* first row that is newer than the chunks */
            size_t middle = late + (high - late) / 2;
            if (pt_pair_cmp(frame->val[0][middle], pt_row_second(frame, middle), rec->chunk_last_us,
                            rec->chunk_last_second) <= 0)
                late = middle + 1;
            else
                high = middle;
        }
    }
    if (late > 0) rc = put_late(&put, frame, 0, late);
    if (rc == PT_OK && rec->tail_rows + (frame->n - late) >= PT_TAIL_ROWS) {
        if (late < frame->n) rc = put_bulk(&put, frame, late, frame->n);
    } else {
        for (size_t i = late; i < frame->n && rc == PT_OK; i++) rc = put_tail_row(&put, frame, i);
    }
    if (rc != PT_OK) return pt_write_spoil(write, rc);
    stats->inserted += put.stats.inserted;
    stats->replaced += put.stats.replaced;
    stats->unchanged += put.stats.unchanged;
    stats->frozen += put.stats.frozen;
    return PT_OK;
}
