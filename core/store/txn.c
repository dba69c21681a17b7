/* txn.c - snapshots and write transactions: who is inside, and what a series record holds. [layer:
 * store]
 *
 * A read handle keeps its LMDB transaction when it ends (reset) and renews it when it begins again,
 * so a snapshot costs a lock and a few loads. Everybody inside is counted, because LMDB takes over
 * a map that another process has grown only while no transaction of this process is open. */
#include "store/internal.h"

#include "base/clock.h"

#include "store/sum.h"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "store/chunk.h"

#define RESIZE_WAIT_S 5

enum pt_code pt_lmdb_fail_at(struct pt_err *err, int mc, const char *file, int line,
                             const char *fmt, ...)
{
    static const struct {
        int mc;
        enum pt_code code;
        const char *advice;
    } known[] = {
        { MDB_MAP_FULL, PT_EFULL, "; raise store.max_size" },
        { ENOSPC, PT_EFULL, "; free some space on that disk" },
        { EDQUOT, PT_EFULL, "; the disk quota is used up" },
        { EFBIG, PT_EFULL, "; the file may not grow (ulimit -f)" },
        { MDB_TXN_FULL, PT_EFULL, "; write less in one transaction" },
        { ENOMEM, PT_ENOMEM, "" },
        { ENOENT, PT_ENOENT, "" },
        { MDB_READERS_FULL, PT_EBUSY, "; too many readers are open" },
        { EBUSY, PT_EBUSY, "" },
        { EAGAIN, PT_EBUSY, "" },
        { MDB_CORRUPTED, PT_EDAMAGE, "; run verify, restore a backup" },
        { MDB_PAGE_NOTFOUND, PT_EDAMAGE, "; run verify, restore a backup" },
        { MDB_INVALID, PT_EDAMAGE, "; this is no store" },
        { MDB_VERSION_MISMATCH, PT_EVERSION, "; made by another version of LMDB" },
        { MDB_PANIC, PT_EIO, "; the last write broke off, restart" },
    };
    char text[200];
    enum pt_code code = PT_EIO;
    const char *advice = "";
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].mc != mc) continue;
        code = known[i].code;
        advice = known[i].advice;
    }
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return pt_fail_at(err, code, file, line, "%s: %s%s", text, mdb_strerror(mc), advice);
}

/* ---- who is inside ------------------------------------------------------------------------ */

/* Waits until nobody in this process has a transaction, then takes over the new size. */
static enum pt_code take_new_size(struct pt_store *store, struct pt_err *err)
{
    struct timespec until;
    int wait = 0, mc = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += RESIZE_WAIT_S;
    pthread_mutex_lock(&store->lock);
    while (store->resizing && wait == 0) /* another thread is at it: then nothing is left to do */
        wait = pthread_cond_timedwait(&store->idle, &store->lock, &until);
    store->resizing = true;
    while (store->active > 0 && wait == 0)
        wait = pthread_cond_timedwait(&store->idle, &store->lock, &until);
    if (store->active == 0) mc = mdb_env_set_mapsize(store->env, 0);
    bool done = store->active == 0;
    store->resizing = false;
    pthread_cond_broadcast(&store->idle);
    pthread_mutex_unlock(&store->lock);
    if (!done)
        return pt_fail(err, PT_EBUSY,
                       "%s was grown by another process, and a snapshot of this one stays open",
                       store->path);
    return mc == 0 ? PT_OK : pt_lmdb_fail(err, mc, "%s: taking over the new size", store->path);
}

static void enter(struct pt_store *store)
{
    pthread_mutex_lock(&store->lock);
    while (store->resizing) pthread_cond_wait(&store->idle, &store->lock);
    store->active++;
    pthread_mutex_unlock(&store->lock);
}

void pt_txn_leave(struct pt_store *store)
{
    pthread_mutex_lock(&store->lock);
    if (--store->active == 0 && store->resizing) pthread_cond_broadcast(&store->idle);
    pthread_mutex_unlock(&store->lock);
}

enum pt_code pt_txn_enter(struct pt_store *store, MDB_txn **txn, bool write, struct pt_err *err)
{
    bool resized = false, reaped = false;
    for (;;) {
        enter(store);
        int mc = !write && *txn ? mdb_txn_renew(*txn)
                                : mdb_txn_begin(store->env, NULL, write ? 0 : MDB_RDONLY, txn);
        if (mc == 0) return PT_OK;
        pt_txn_leave(store);
        if (mc == MDB_MAP_RESIZED && !resized) {
            resized = true;
            enum pt_code rc = take_new_size(store, err);
            if (rc != PT_OK) return rc;
        } else if (mc == MDB_READERS_FULL && !reaped) {
            reaped = true;
            pt_store_reap_readers(store);
        } else {
            return pt_lmdb_fail(err, mc, "%s: beginning to %s", store->path,
                                write ? "write" : "read");
        }
    }
}

/* ---- reading ------------------------------------------------------------------------------ */

static void read_free(struct pt_read *read)
{
    for (int i = 0; i < PT_CURSORS; i++) {
        if (read->cursor[i]) mdb_cursor_close(read->cursor[i]);
    }
    if (read->txn) mdb_txn_abort(read->txn);
    for (int c = 0; c < PT_COLS_MAX; c++) free(read->scratch.cols[c]);
    free(read->scratch.time);
    pt_frame_fini(&read->scratch.parts);
    free(read);
}

void pt_readers_free(struct pt_store *store)
{
    while (store->pool) {
        struct pt_read *read = store->pool;
        store->pool = read->next;
        read_free(read);
    }
}

enum pt_code pt_read_begin(struct pt_store *store, struct pt_read **read, struct pt_err *err)
{
    pthread_mutex_lock(&store->lock);
    struct pt_read *self = store->pool;
    if (self) store->pool = self->next;
    pthread_mutex_unlock(&store->lock);
    *read = NULL;
    if (!self) self = calloc(1, sizeof *self);
    if (!self) return pt_fail(err, PT_ENOMEM, "a snapshot of %s", store->path);
    self->store = store;
    if (!self->scratch.parts.kind) pt_frame_init(&self->scratch.parts, pt_kind(PT_CANDLES));
    enum pt_code rc = pt_txn_enter(store, &self->txn, false, err);
    if (rc != PT_OK) {
        read_free(self);
        return rc;
    }
    memset(self->renewed, 0, sizeof self->renewed);
    *read = self;
    return PT_OK;
}

void pt_read_end(struct pt_read *read)
{
    if (!read) return;
    struct pt_store *store = read->store;
    mdb_txn_reset(read->txn);
    pthread_mutex_lock(&store->lock);
    read->next = store->pool;
    store->pool = read;
    if (--store->active == 0 && store->resizing) pthread_cond_broadcast(&store->idle);
    pthread_mutex_unlock(&store->lock);
}

enum pt_code pt_read_cursor(struct pt_read *read, int which, MDB_cursor **cursor,
                            struct pt_err *err)
{
    int mc = 0;
    if (!read->cursor[which])
        mc = mdb_cursor_open(read->txn, read->store->dbi[which], &read->cursor[which]);
    else if (!read->renewed[which])
        mc = mdb_cursor_renew(read->txn, read->cursor[which]);
    if (mc != 0) return pt_lmdb_fail(err, mc, "%s: a cursor", read->store->path);
    read->renewed[which] = true;
    *cursor = read->cursor[which];
    return PT_OK;
}

bool pt_read_scratch(struct pt_read *read)
{
    struct pt_scratch *scratch = &read->scratch;
    const size_t rows = PT_CHUNK_ROWS_MAX, wide = PT_DEPTH_LEVELS;
    if (scratch->time) return true;
    /* one block: time, values, digits; columns are added as they are asked for */
    uint8_t *block = malloc(rows * 8 + rows * wide * 8 + rows * wide);
    if (!block) return false;
    scratch->time = (int64_t *)(void *)block;
    scratch->val = scratch->time + rows;
    scratch->dig = block + rows * 8 + rows * wide * 8;
    return true;
}

/* ---- records ------------------------------------------------------------------------------ */

static uint64_t sum_of(const struct pt_series_record *record, size_t bytes)
{
    return pt_sum((const uint8_t *)record + sizeof record->checksum,
                  bytes - sizeof record->checksum);
}

uint64_t pt_record_sum(const struct pt_series_record *record)
{
    return sum_of(record, sizeof *record);
}

enum pt_code pt_record_parse(const MDB_val *value, const char *name,
                             struct pt_series_record *record, struct pt_err *err)
{
    const size_t first = offsetof(struct pt_series_record, corrected); /* of version 1 */
    if (value->mv_size != sizeof *record && value->mv_size != first)
        return pt_fail(err, PT_EDAMAGE, "series %s: its record has a wrong length", name);
    memcpy(record, value->mv_data, value->mv_size);
    if (value->mv_size == first) {
        record->corrected = record->version;
        record->closed_us = record->last_us;
    }
    if (record->checksum != sum_of(record, value->mv_size) || record->kind >= PT_KINDS ||
        record->symbol[PT_SYMBOL_MAX - 1] != '\0')
        return pt_fail(err, PT_EDAMAGE, "series %s: its record is damaged (checksum)", name);
    return PT_OK;
}

enum pt_code pt_record_load(const struct pt_store *store, MDB_txn *txn, const char *name,
                            struct pt_series_record *record, struct pt_err *err)
{
    MDB_val key = { strlen(name), (void *)(size_t)name }, value;
    int mc = mdb_get(txn, store->dbi[PT_CURSOR_SERIES], &key, &value);
    if (mc == MDB_NOTFOUND) return PT_ENOENT;
    if (mc != 0) return pt_lmdb_fail(err, mc, "series %s", name);
    return pt_record_parse(&value, name, record, err);
}

void pt_record_series(const struct pt_series_record *record, struct pt_series *series)
{
    const struct pt_kind *kind = pt_kind((enum pt_kind_id)record->kind);
    size_t row_bytes = (kind->keys == 2 ? 20u : 12u) + pt_tail_bytes(kind);
    memset(series, 0, sizeof *series);
    series->key.kind = kind->id;
    memcpy(series->key.symbol, record->symbol, sizeof series->key.symbol);
    series->key.period_us = record->period_us;
    series->id = record->id;
    series->rows = record->rows;
    series->version = record->version;
    series->corrected = record->corrected;
    series->closed_us = record->closed_us;
    series->bytes = record->chunk_bytes + record->tail_rows * row_bytes;
    series->first_us = record->first_us;
    series->last_us = record->last_us;
    series->created_us = record->created_us;
    series->updated_us = record->updated_us;
}
