/* put.c - rows into a series: what a new row does to an old one.               [layer: store] */
#include "store/put.h"

#include "base/timefmt.h"

#define TIME_LIMIT (INT64_C(1) << 62) /* so that a period more or less never overflows */

enum pt_code pt_put_lmdb_failed(struct pt_put *put, int mc)
{
    return pt_lmdb_fail(put->err, mc, "writing series %s", put->series->name);
}

enum pt_code pt_put_no_memory(struct pt_put *put)
{
    return pt_fail(put->err, PT_ENOMEM, "writing series %s", put->series->name);
}

enum pt_code pt_put_damaged(struct pt_put *put, int64_t time_us, const char *where,
                            const char *what)
{
    char text[PT_TIME_TEXT_MAX];
    pt_time_print(time_us, text);
    return pt_fail(put->err, PT_EDAMAGE, "series %s, %s at %s: damaged (%s)", put->series->name,
                   where, text, what);
}

struct pt_frame *pt_put_scratch(struct pt_frame *frames, const struct pt_kind *kind)
{
    struct pt_frame *frame = &frames[kind->id];
    if (!frame->kind) pt_frame_init(frame, kind);
    pt_frame_clear(frame);
    return frame;
}

static void stretch(int64_t t, bool *any, int64_t *from, int64_t *to)
{
    if (!*any || t < *from) *from = t;
    if (!*any || t > *to) *to = t;
    *any = true;
}

/* A row was put; a growing candle is no news for the cycle. newest: none was newer. */
static void note_change(struct pt_put *put, const struct pt_frame *frame, size_t row,
                        bool old_closed, bool newest)
{
    struct pt_touched *series = put->series;
    int64_t t = frame->val[0][row];
    bool candle = put->kind->id == PT_CANDLES;
    put->write->dirty = series->dirty = true;
    stretch(t, &series->changed, &series->from_us, &series->to_us);
    if (candle && !old_closed && frame->val[PT_C_CLOSED][row] != 1) return;
    stretch(t, &series->due, &series->due_from_us, &series->due_to_us);
    int64_t *closed_us = &series->record.closed_us;
    if (t > *closed_us)
        *closed_us = t;
    else if (candle || !newest || t < *closed_us)
        series->corrected = true;
}

void pt_put_inserted(struct pt_put *put, const struct pt_frame *frame, size_t row)
{
    struct pt_series_record *rec = &put->series->record;
    int64_t t = frame->val[0][row], second = pt_row_second(frame, row);
    if (rec->rows == 0 || t < rec->first_us) rec->first_us = t;
    bool newest = rec->rows == 0 || pt_pair_cmp(t, second, rec->last_us, rec->last_second) > 0;
    if (newest) {
        rec->last_us = t;
        rec->last_second = second;
    }
    rec->rows++;
    put->stats.inserted++;
    note_change(put, frame, row, false, newest);
}

/* Does the new row take the old one's place? Counts and notes what it does. */
bool pt_put_replaces(struct pt_put *put, const struct pt_frame *frame, size_t row, bool same,
                     bool old_closed)
{
    if (same) {
        put->stats.unchanged++;
    } else if (put->mode == PT_PUT_LIVE && old_closed) {
        put->stats.frozen++;
    } else {
        put->stats.replaced++;
        note_change(put, frame, row, old_closed, false);
        return true;
    }
    return false;
}

bool pt_put_closed(const struct pt_frame *frame, size_t row)
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
enum pt_code pt_put_merge(struct pt_put *put, const struct pt_frame *old,
                          const struct pt_frame *frame, size_t from, size_t to,
                          struct pt_frame *out, bool *changed)
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
            bool take = pt_put_replaces(put, frame, b, same, pt_put_closed(old, a));
            rc = pt_frame_append(out, take ? frame : old, take ? b : a, 1);
            *changed |= take;
            a++;
            b++;
            continue;
        }
        stop = a < old->n ? run_end(frame, b, to, old, a) : to;
        rc = pt_frame_append(out, frame, b, stop - b);
        for (; b < stop; b++) pt_put_inserted(put, frame, b);
        *changed = true;
    }
    return rc == PT_OK ? PT_OK : pt_put_no_memory(put);
}

static enum pt_code check_order(const struct pt_frame *frame, const char *name, struct pt_err *err)
{
    for (size_t i = 0; i < frame->n; i++) {
        if (frame->val[0][i] < -TIME_LIMIT || frame->val[0][i] > TIME_LIMIT)
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
    struct pt_put put = { .write = write, .kind = frame->kind, .mode = mode, .err = err };
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
    if (late > 0) rc = pt_put_late(&put, frame, 0, late);
    if (rc == PT_OK && rec->tail_rows + (frame->n - late) >= PT_TAIL_ROWS) {
        if (late < frame->n) rc = pt_put_bulk(&put, frame, late, frame->n);
    } else {
        for (size_t i = late; i < frame->n && rc == PT_OK; i++) rc = pt_put_row(&put, frame, i);
    }
    if (rc != PT_OK) return pt_write_spoil(write, rc);
    stats->inserted += put.stats.inserted;
    stats->replaced += put.stats.replaced;
    stats->unchanged += put.stats.unchanged;
    stats->frozen += put.stats.frozen;
    return PT_OK;
}
