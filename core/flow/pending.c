/* pending.c - rows that were decoded and await their commit.                   [layer: flow] */
#include "flow/pending.h"

#include "base/decimal.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

void pt_pending_fini(struct pt_pending *pending)
{
    for (size_t i = 0; i < pending->n; i++) pt_frame_fini(&pending->v[i].frame);
    free(pending->v);
    free(pending->index);
    *pending = (struct pt_pending){ 0 };
}

static size_t hash(const struct pt_series_key *key)
{
    uint64_t seed = (uint64_t)key->period_us * 31 + (uint64_t)key->kind;
    return (size_t)XXH3_64bits_withSeed(key->symbol, strnlen(key->symbol, sizeof key->symbol),
                                        seed);
}

static bool same_key(const struct pt_series_key *a, const struct pt_series_key *b)
{
    return a->kind == b->kind && a->period_us == b->period_us && strcmp(a->symbol, b->symbol) == 0;
}

/* The place of a key in the table, or the empty one where it belongs. */
static size_t probe(const struct pt_pending *pending, const struct pt_series_key *key)
{
    size_t at = hash(key) & (pending->slots - 1);
    while (pending->index[at] != 0 && !same_key(&pending->v[pending->index[at] - 1].key, key))
        at = (at + 1) & (pending->slots - 1);
    return at;
}

static enum pt_code grow(struct pt_pending *pending, struct pt_err *err)
{
    size_t cap = pending->cap > 0 ? 2 * pending->cap : 32;
    struct pt_pending_series *v = realloc(pending->v, cap * sizeof *v);
    if (v) pending->v = v;
    uint32_t *index = calloc(2 * cap, sizeof *index);
    if (!v || !index) {
        free(index);
        return pt_fail(err, PT_ENOMEM, "%zu series", cap);
    }
    free(pending->index);
    pending->index = index;
    pending->cap = cap;
    pending->slots = 2 * cap;
    for (size_t i = 0; i < pending->n; i++)
        pending->index[probe(pending, &pending->v[i].key)] = (uint32_t)i + 1;
    return PT_OK;
}

/* PT_MISSING also when the store cannot say: it is for a counter only, and writing will tell the
 * fault. */
static int64_t newest_stored(struct pt_store *store, const struct pt_series_key *key)
{
    struct pt_read *read = NULL;
    struct pt_series series;
    enum pt_code rc = pt_read_begin(store, &read, NULL);
    if (rc == PT_OK) rc = pt_series_find(read, key, &series, NULL);
    pt_read_end(read);
    return rc == PT_OK && series.rows > 0 ? series.last_us : PT_MISSING;
}

static enum pt_code find(struct pt_pending *pending, struct pt_store *store,
                         const struct pt_series_key *key, struct pt_pending_series **out,
                         struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    if (pending->slots > 0) {
        size_t at = probe(pending, key);
        if (pending->index[at] != 0) {
            *out = &pending->v[pending->index[at] - 1];
            return PT_OK;
        }
    }
    if (pending->n == pending->cap) rc = grow(pending, err);
    if (rc != PT_OK) return rc;
    struct pt_pending_series *series = &pending->v[pending->n];
    *series = (struct pt_pending_series){ .key = *key,
                                          .newest_us = newest_stored(store, key),
                                          .closed_us = PT_MISSING };
    pt_frame_init(&series->frame, pt_kind(key->kind));
    size_t at = probe(pending, key);
    pending->index[at] = (uint32_t)++pending->n;
    *out = series;
    return PT_OK;
}

/* Is the candle of this time here, closed? What is closed stays, whatever comes later. */
static bool is_closed_here(const struct pt_pending_series *series, int64_t t_us)
{
    if (series->closed_us == PT_MISSING || t_us > series->closed_us) return false;
    for (size_t i = series->frame.n; i-- > 0;)
        if (series->frame.val[PT_C_TIME][i] == t_us && series->frame.val[PT_C_CLOSED][i] == 1)
            return true;
    return false;
}

enum pt_code pt_pending_add(struct pt_pending *pending, struct pt_store *store,
                            const struct pt_record *record, struct pt_pending_series **out,
                            struct pt_err *err)
{
    struct pt_pending_series *series = NULL;
    enum pt_code rc = find(pending, store, &record->key, &series, err);
    *out = series;
    if (rc != PT_OK) return rc;
    bool candle = record->key.kind == PT_CANDLES;
    int64_t t_us = record->val[0];
    if (candle && is_closed_here(series, t_us)) return PT_OK;
    rc = pt_frame_push(&series->frame, record->val, record->dig);
    if (rc != PT_OK) return pt_fail(err, rc, "%zu rows that await their commit", pending->rows);
    pending->rows++;
    if (candle && series->frame.val[PT_C_CLOSED][series->frame.n - 1] == 1) {
        pending->closed = true;
        if (series->newest_us != PT_MISSING && t_us < series->newest_us) pending->late++;
        if (series->newest_us == PT_MISSING || t_us > series->newest_us) series->newest_us = t_us;
        if (series->closed_us == PT_MISSING || t_us > series->closed_us) series->closed_us = t_us;
    }
    return PT_OK;
}

/* ---- into the store ------------------------------------------------------------------------ */

/* A fault of this series, not of the store. */
static bool is_refused(enum pt_code rc)
{
    return rc == PT_EDAMAGE || rc == PT_EINVAL;
}

enum pt_code pt_pending_write(struct pt_pending *pending, struct pt_write *write,
                              struct pt_put_stats *stats, struct pt_pending_series **bad,
                              struct pt_err *err)
{
    *bad = NULL;
    for (size_t i = 0; i < pending->n; i++) {
        struct pt_pending_series *series = &pending->v[i];
        if (series->frame.n == 0 || series->aside) continue;
        enum pt_code rc = pt_frame_sort(&series->frame);
        if (rc != PT_OK) return pt_fail(err, rc, "sorting %zu rows", series->frame.n);
        rc = pt_write_rows(write, &series->key, &series->frame, PT_PUT_LIVE, stats, err);
        if (is_refused(rc)) *bad = series;
        if (rc != PT_OK) return rc;
    }
    return PT_OK;
}

static void clear(struct pt_pending_series *series)
{
    pt_frame_clear(&series->frame);
    series->closed_us = PT_MISSING;
    series->aside = false;
}

void pt_pending_committed(struct pt_pending *pending)
{
    pending->rows = 0;
    pending->closed = false;
    for (size_t i = 0; i < pending->n; i++) {
        struct pt_pending_series *series = &pending->v[i];
        if (series->aside)
            pending->rows += series->frame.n;
        else
            clear(series);
    }
}

struct saving {
    struct pt_store *store;
    const struct pt_pending_series *series;
    struct pt_frame part;
    struct pt_put_stats *stats;
    uint64_t refused;
    struct pt_err *why, *err;
};

static enum pt_code save_part(struct saving *saving, size_t from, size_t n)
{
    struct pt_put_stats stats = { 0 };
    struct pt_write *write = NULL;
    pt_frame_clear(&saving->part);
    enum pt_code rc = pt_frame_append(&saving->part, &saving->series->frame, from, n);
    if (rc != PT_OK) return pt_fail(saving->err, rc, "%zu rows", n);
    rc = pt_write_begin(saving->store, &write, saving->err);
    if (rc != PT_OK) return rc;
    rc =
        pt_write_rows(write, &saving->series->key, &saving->part, PT_PUT_LIVE, &stats, saving->err);
    if (rc == PT_OK) {
        rc = pt_write_commit(write, saving->err);
        if (rc != PT_OK) return rc;
        saving->stats->inserted += stats.inserted;
        saving->stats->replaced += stats.replaced;
        return PT_OK;
    }
    pt_write_abort(write);
    if (!is_refused(rc)) return rc;
    if (n > 1) {
        rc = save_part(saving, from, n / 2);
        return rc == PT_OK ? save_part(saving, from + n / 2, n - n / 2) : rc;
    }
    if (saving->refused++ == 0) *saving->why = *saving->err;
    return PT_OK;
}

enum pt_code pt_pending_save(struct pt_pending *pending, struct pt_pending_series *series,
                             struct pt_store *store, struct pt_put_stats *stats, uint64_t *refused,
                             struct pt_err *why, struct pt_err *err)
{
    struct saving saving = {
        .store = store, .series = series, .stats = stats, .why = why, .err = err
    };
    pt_frame_init(&saving.part, pt_kind(series->key.kind));
    enum pt_code rc = save_part(&saving, 0, series->frame.n);
    pt_frame_fini(&saving.part);
    *refused = saving.refused;
    if (rc != PT_OK) return rc;
    pending->rows -= series->frame.n;
    clear(series);
    return PT_OK;
}
