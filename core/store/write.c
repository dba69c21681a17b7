/* write.c - a write transaction: the series it touches, and what commit makes of them. [layer:
 * store] */
#include "store/internal.h"

#include "base/clock.h"
#include "base/timefmt.h"
#include "store/chunk.h"

#include "store/sum.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define SPARE_BYTES (1 << 20)

/* What is written into a file that no folder holds any more is gone when we end: nobody may be told
 * that it is durable. */
static bool is_deleted(const struct pt_store *store)
{
    mdb_filehandle_t fd;
    struct stat file;
    return mdb_env_get_fd(store->env, &fd) == 0 && fstat(fd, &file) == 0 && file.st_nlink == 0;
}

enum pt_code pt_write_begin(struct pt_store *store, struct pt_write **write, struct pt_err *err)
{
    *write = NULL;
    if (store->readonly) return pt_fail(err, PT_EINVAL, "%s was opened to read only", store->path);
    if (is_deleted(store))
        return pt_fail(
            err, PT_EIO,
            "%s: its data.mdb was deleted while it was in use; nothing can be kept until "
            "this program is started anew",
            store->path);
    struct pt_write *self = calloc(1, sizeof *self);
    if (!self) return pt_fail(err, PT_ENOMEM, "writing to %s", store->path);
    enum pt_code rc = pt_txn_enter(store, &self->txn, true, err);
    if (rc != PT_OK) {
        free(self);
        return rc;
    }
    self->store = store;
    self->mirrors = -1;
    self->now_us = pt_now_us();
    *write = self;
    return PT_OK;
}

/* Frees everything but the LMDB transaction, which has ended. */
static void finish(struct pt_write *write)
{
    struct pt_store *store = write->store;
    for (size_t i = 0; i < write->ntouched; i++) free(write->touched[i]);
    for (int k = 0; k < PT_KINDS; k++) {
        if (write->old[k].kind) pt_frame_fini(&write->old[k]);
        if (write->merged[k].kind) pt_frame_fini(&write->merged[k]);
    }
    free(write->touched);
    free(write->slots);
    free(write);
    pt_txn_leave(store);
}

void pt_write_abort(struct pt_write *write)
{
    if (!write) return;
    mdb_txn_abort(write->txn);
    finish(write);
}

static enum pt_code put_record(struct pt_write *write, struct pt_touched *touched,
                               struct pt_err *err)
{
    struct pt_series_record *record = &touched->record;
    record->version++;
    if (touched->corrected) record->corrected = record->version;
    record->updated_us = write->now_us;
    record->checksum = pt_record_sum(record);
    MDB_val key = { strlen(touched->name), touched->name }, value = { sizeof *record, record };
    int mc = mdb_put(write->txn, write->store->dbi[PT_CURSOR_SERIES], &key, &value, 0);
    if (mc != 0) return pt_lmdb_fail(err, mc, "series %s", touched->name);
    enum pt_code rc = PT_OK;
    if (touched->due) rc = pt_due_mark(write, touched, err);
    if (rc == PT_OK && touched->changed) rc = pt_outbox_rows(write, touched, err);
    return rc;
}

/* LMDB calls a write that was cut short an input/output error; mostly the disk, or what this
 * process may use of it, ran out in the middle. */
static int why_short(const struct pt_store *store, int mc)
{
    struct statvfs disk;
    struct stat file;
    struct rlimit limit;
    mdb_filehandle_t fd;
    if (mc != EIO || mdb_env_get_fd(store->env, &fd) != 0) return mc;
    if (fstatvfs(fd, &disk) == 0 && (uint64_t)disk.f_bavail * disk.f_frsize < SPARE_BYTES)
        return ENOSPC;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        fstat(fd, &file) == 0 && (uint64_t)file.st_size + SPARE_BYTES > limit.rlim_cur)
        return EFBIG;
    return mc;
}

enum pt_code pt_write_commit(struct pt_write *write, struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    struct pt_store *store = write->store;
    if (write->failed)
        rc = pt_fail(err, PT_EINVAL, "%s: a write failed before; nothing was kept", store->path);
    for (size_t i = 0; i < write->ntouched && rc == PT_OK; i++) {
        if (write->touched[i]->dirty) rc = put_record(write, write->touched[i], err);
    }
    if (rc != PT_OK || !write->dirty) { /* an empty commit is none: the commit id stays */
        pt_write_abort(write);
        return rc;
    }
    bool upgrades = store->old;
    int mc = upgrades ? why_short(store, pt_version_put(store, write->txn)) : 0;
    if (mc != 0) {
        pt_write_abort(write);
        return pt_lmdb_fail(err, mc, "upgrading %s", store->path);
    }
    mc = why_short(store, mdb_txn_commit(write->txn));
    if (mc == 0 && upgrades) pt_version_told(store);
    if (mc != 0) rc = pt_lmdb_fail(err, mc, "committing to %s", store->path);
    finish(write);
    return rc;
}

enum pt_code pt_write_spoil(struct pt_write *write, enum pt_code code)
{
    write->failed = true;
    return code;
}

enum pt_code pt_meta_count(struct pt_write *write, const char *name, uint64_t by, uint64_t *value,
                           struct pt_err *err)
{
    MDB_val key = { strlen(name), (void *)(size_t)name }, old;
    *value = 0;
    int mc = mdb_get(write->txn, write->store->meta, &key, &old);
    if (mc == 0 && old.mv_size != sizeof *value)
        return pt_write_spoil(write, pt_fail(err, PT_EDAMAGE, "%s: counter %s has a wrong length",
                                             write->store->path, name));
    if (mc == 0) memcpy(value, old.mv_data, sizeof *value);
    if (mc == 0 || mc == MDB_NOTFOUND) {
        *value += by;
        old = (MDB_val){ sizeof *value, value };
        write->dirty = true;
        mc = mdb_put(write->txn, write->store->meta, &key, &old, 0);
    }
    return mc == 0 ? PT_OK : pt_write_spoil(write, pt_lmdb_fail(err, mc, "counter %s", name));
}

/* ---- the series of a transaction ---------------------------------------------------------- */

static struct pt_touched **find_touched(struct pt_write *write, const char *name, uint32_t **slot)
{
    size_t mask = write->nslots - 1;
    for (size_t i = pt_sum(name, strlen(name)) & mask;; i = (i + 1) & mask) {
        *slot = &write->slots[i];
        if (**slot == 0) return NULL;
        if (strcmp(write->touched[**slot - 1]->name, name) == 0) return &write->touched[**slot - 1];
    }
}

/* Room for one more series; at most half of the slots are used. */
static bool grow(struct pt_write *write)
{
    if (write->ntouched < write->cap) return true;
    size_t cap = write->cap ? write->cap * 2 : 8;
    struct pt_touched **touched = realloc(write->touched, cap * sizeof(struct pt_touched *));
    if (!touched) return false;
    write->touched = touched;
    uint32_t *slots = calloc(2 * cap, sizeof *slots);
    if (!slots) return false;
    free(write->slots);
    write->slots = slots;
    write->nslots = 2 * cap;
    write->cap = cap;
    for (size_t i = 0; i < write->ntouched; i++) {
        uint32_t *slot;
        find_touched(write, touched[i]->name, &slot);
        *slot = (uint32_t)i + 1;
    }
    return true;
}

static enum pt_code check_key(const struct pt_series_key *key, struct pt_err *err)
{
    char symbol[PT_SYMBOL_MAX];
    size_t len = strnlen(key->symbol, PT_SYMBOL_MAX);
    if ((unsigned)key->kind >= PT_KINDS) return pt_fail(err, PT_EINVAL, "no such kind of data");
    if (pt_symbol_parse(key->symbol, len, symbol) != PT_OK || strcmp(symbol, key->symbol) != 0)
        return pt_fail(err, PT_EINVAL, "\"%.*s\" is no symbol", (int)len, key->symbol);
    if (!pt_kind(key->kind)->by_period) return PT_OK;
    for (const int64_t *p = pt_periods; *p; p++) {
        if (*p == key->period_us) return PT_OK;
    }
    return pt_fail(err, PT_EINVAL, "%s: %lld us is no period", key->symbol,
                   (long long)key->period_us);
}

static enum pt_code new_record(struct pt_write *write, const struct pt_series_key *key,
                               struct pt_series_record *record, struct pt_err *err)
{
    uint64_t id;
    enum pt_code rc = pt_meta_count(write, "series", 1, &id, err);
    if (rc != PT_OK) return rc;
    if (id > UINT32_MAX) return pt_fail(err, PT_EFULL, "%s: too many series", write->store->path);
    memset(record, 0, sizeof *record);
    record->id = (uint32_t)id;
    record->kind = key->kind;
    record->period_us = pt_kind(key->kind)->by_period ? key->period_us : 0;
    memcpy(record->symbol, key->symbol, strlen(key->symbol));
    record->first_us = record->last_us = record->last_second = PT_MISSING;
    record->chunk_last_us = record->chunk_last_second = PT_MISSING;
    record->created_us = write->now_us;
    record->closed_us = PT_MISSING;
    return PT_OK;
}

enum pt_code pt_write_touch(struct pt_write *write, const struct pt_series_key *key, bool make,
                            struct pt_touched **touched, struct pt_err *err)
{
    char name[PT_SERIES_TEXT_MAX];
    uint32_t *slot;
    enum pt_code rc = check_key(key, err);
    if (rc != PT_OK) return rc;
    pt_series_print(key, name);
    if (!grow(write)) return pt_fail(err, PT_ENOMEM, "series %s", name);
    struct pt_touched **found = find_touched(write, name, &slot);
    if (found) {
        *touched = *found;
        return PT_OK;
    }
    struct pt_touched *self = calloc(1, sizeof *self);
    if (!self) return pt_fail(err, PT_ENOMEM, "series %s", name);
    rc = pt_record_load(write->store, write->txn, name, &self->record, err);
    if (rc == PT_ENOENT && make) rc = new_record(write, key, &self->record, err);
    if (rc != PT_OK) {
        free(self);
        return rc;
    }
    memcpy(self->name, name, sizeof name);
    self->kind = pt_kind(key->kind);
    self->fit = PT_CHUNK_ROWS;
    write->touched[write->ntouched++] = self;
    *slot = (uint32_t)write->ntouched;
    *touched = self;
    return PT_OK;
}
