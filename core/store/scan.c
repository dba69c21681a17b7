/* scan.c - columns of a series as doubles, streamed.                           [layer: store] */
#include "store/walk.h"

#include <stdlib.h>

/* Frames of doubles for the wanted columns; a chunk of hostile bytes may hold PT_CHUNK_ROWS_MAX
 * rows of the widest column. Memory that is never touched costs nothing. */
static bool reserve(struct pt_scratch *scratch, unsigned ncols)
{
    for (unsigned i = 0; i < ncols; i++) {
        if (scratch->cols[i]) continue;
        scratch->cols[i] = malloc(sizeof(double) * PT_CHUNK_ROWS_MAX * PT_DEPTH_LEVELS);
        if (!scratch->cols[i]) return false;
    }
    return true;
}

static enum pt_code check(const struct pt_kind *kind, const unsigned *cols, unsigned ncols,
                          struct pt_err *err)
{
    if (ncols > PT_COLS_MAX) return pt_fail(err, PT_EINVAL, "scan: %u columns", ncols);
    for (unsigned i = 0; i < ncols; i++) {
        if (cols[i] >= kind->ncols)
            return pt_fail(err, PT_EINVAL, "scan: %s have no column %u", kind->name, cols[i]);
    }
    return PT_OK;
}

struct tail_rows {
    struct pt_walk *walk;
    struct pt_frame frame;
    enum pt_code rc;
};

static bool take_row(void *arg, const MDB_val *key, const MDB_val *value)
{
    struct tail_rows *rows = arg;
    const char *fault = pt_tail_check(rows->frame.kind, value);
    if (fault) {
        rows->rc = pt_walk_damaged(rows->walk, pt_key_time(key), "row", fault);
    } else if (rows->frame.n == rows->frame.cap) {
        rows->rc = pt_fail(rows->walk->err, PT_EDAMAGE, "series %s: more rows than counted",
                           rows->walk->name);
    } else {
        pt_tail_decode(key, value, 0, &rows->frame);
        return true;
    }
    return false;
}

/* The tail's rows as one piece. */
static enum pt_code scan_tail(struct pt_walk *w, const unsigned *cols, unsigned ncols,
                              pt_scan_fn fn, void *arg)
{
    struct pt_scratch *scratch = &w->read->scratch;
    struct tail_rows rows = { .walk = w };
    pt_frame_init(&rows.frame, w->kind);
    enum pt_code rc = PT_OK;
    if (w->record.tail_rows > PT_CHUNK_ROWS_MAX ||
        pt_frame_reserve(&rows.frame, w->record.tail_rows) != PT_OK)
        rc = pt_fail(w->err, PT_ENOMEM, "series %s: %llu tail rows", w->name,
                     (unsigned long long)w->record.tail_rows);
    if (rc == PT_OK) rc = pt_walk_tail(w, take_row, &rows);
    if (rc == PT_OK && rows.frame.n > 0) { /* those before a damaged one are given */
        struct pt_frame *f = &rows.frame;
        for (unsigned i = 0; i < ncols; i++)
            pt_column_doubles(f->val[cols[i]], f->dig[cols[i]], f->n * w->kind->cols[cols[i]].width,
                              scratch->cols[i]);
        fn(arg, f->n, f->val[0], (const double *const *)scratch->cols);
    }
    pt_frame_fini(&rows.frame);
    return rc == PT_OK ? rows.rc : rc;
}

enum pt_code pt_series_scan(struct pt_read *read, const struct pt_series_key *key, int64_t from_us,
                            int64_t to_us, const unsigned *cols, unsigned ncols, pt_scan_fn fn,
                            void *arg, struct pt_err *err)
{
    struct pt_walk w;
    struct pt_scratch *scratch = &read->scratch;
    enum pt_code rc = check(pt_kind(key->kind), cols, ncols, err);
    if (rc != PT_OK) return rc;
    rc = pt_walk_start(&w, read, key, from_us, to_us, err);
    if (rc != PT_OK) return rc == PT_ENOENT ? PT_OK : rc;
    if (!pt_read_scratch(read) || !reserve(scratch, ncols))
        return pt_fail(err, PT_ENOMEM, "scanning series %s", w.name);
    for (rc = pt_walk_next(&w, true); rc == PT_OK; rc = pt_walk_next(&w, false)) {
        size_t n = w.hi - w.lo;
        const char *fault = pt_chunk_values(&w.chunk, 0, w.lo, n, scratch->time, NULL);
        for (unsigned i = 0; i < ncols && !fault; i++)
            fault = pt_chunk_doubles(&w.chunk, cols[i], w.lo, n, scratch->cols[i], scratch->val,
                                     scratch->dig);
        if (fault) return pt_walk_damaged(&w, w.chunk.first_us, "chunk", fault);
        if (!fn(arg, n, scratch->time, (const double *const *)scratch->cols)) return PT_OK;
    }
    return rc == PT_ENOENT ? scan_tail(&w, cols, ncols, fn, arg) : rc;
}
