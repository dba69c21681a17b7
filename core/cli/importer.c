/* importer.c - two batches in flight: while one is stored, the next is read, decoded and sorted. */
#include "cli/importer.h"

#include "base/clock.h"
#include "base/decimal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct slot {
    struct pt_series_key key;
    struct pt_frame frame;
    bool full, inited;
};

struct pipe {
    struct pt_reader *reader;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct slot slot[2];
    bool ended, stop;
    enum pt_code rc; /* of the reading side */
    struct pt_err err;
    struct pt_read_stats stats;
    uint64_t repeated;
};

struct import {
    const struct pt_import_opts *opts;
    struct pt_import_file *file;
    struct pt_store *store;
    struct pt_write *write;
    uint64_t uncommitted;
    struct pt_put_stats kept; /* what the file's commits brought */
};

/* Runs on the reading thread; the reasons of a file belong to it until it has ended. */
static void on_reject(void *arg, uint64_t line, const char *reason, const char *text, size_t len)
{
    const struct import *self = arg;
    struct pt_import_file *file = self->file;
    size_t i = 0;
    while (i < file->nreasons && strcmp(file->reasons[i].reason, reason) != 0) i++;
    if (i < PT_IMPORT_REASONS_MAX) {
        if (i == file->nreasons) file->reasons[file->nreasons++].reason = reason;
        file->reasons[i].count++;
    }
    if (self->opts->rejects != NULL)
        fprintf(self->opts->rejects, "%s:%llu\t%s\t%.*s\n", file->path, (unsigned long long)line,
                reason, (int)len, text);
}

/* Swaps the batch's rows into a free slot, so that nothing is copied. */
static bool hand_over(struct pipe *pipe, struct pt_batch *batch, unsigned at)
{
    struct slot *slot = &pipe->slot[at];
    pthread_mutex_lock(&pipe->lock);
    while (slot->full && !pipe->stop) pthread_cond_wait(&pipe->changed, &pipe->lock);
    bool stop = pipe->stop;
    pthread_mutex_unlock(&pipe->lock);
    if (stop) return false;
    if (slot->inited && slot->frame.kind != batch->frame.kind) {
        pt_frame_fini(&slot->frame);
        slot->inited = false;
    }
    if (!slot->inited) pt_frame_init(&slot->frame, batch->frame.kind);
    slot->inited = true;
    struct pt_frame spare = slot->frame;
    slot->frame = batch->frame;
    batch->frame = spare;
    pt_frame_clear(&batch->frame);
    slot->key = batch->key;
    pthread_mutex_lock(&pipe->lock);
    slot->full = true;
    pthread_cond_signal(&pipe->changed);
    pthread_mutex_unlock(&pipe->lock);
    return true;
}

static void *read_thread(void *arg)
{
    struct pipe *pipe = arg;
    enum pt_code rc = PT_OK;
    struct pt_err err = { 0 };
    for (unsigned at = 0;; at ^= 1) {
        struct pt_batch *batch = NULL;
        rc = pt_reader_next(pipe->reader, &batch, &err);
        if (rc != PT_OK || batch == NULL) break;
        size_t before = batch->frame.n;
        rc = pt_frame_sort(&batch->frame);
        if (rc != PT_OK) {
            pt_fail(&err, rc, "out of memory while sorting rows");
            break;
        }
        pthread_mutex_lock(&pipe->lock);
        pipe->repeated += before - batch->frame.n;
        pt_reader_stats(pipe->reader, &pipe->stats);
        pthread_mutex_unlock(&pipe->lock);
        if (!hand_over(pipe, batch, at)) break;
    }
    pthread_mutex_lock(&pipe->lock);
    pt_reader_stats(pipe->reader, &pipe->stats);
    pipe->ended = true;
    pipe->rc = rc;
    pipe->err = err;
    pthread_cond_signal(&pipe->changed);
    pthread_mutex_unlock(&pipe->lock);
    return NULL;
}

static struct pt_import_series *series_of(struct pt_import_file *file,
                                          const struct pt_series_key *key)
{
    for (size_t i = file->nseries; i-- > 0;) {
        const struct pt_series_key *have = &file->series[i].key;
        if (have->kind == key->kind && have->period_us == key->period_us &&
            strcmp(have->symbol, key->symbol) == 0)
            return &file->series[i];
    }
    struct pt_import_series *grown = realloc(file->series, (file->nseries + 1) * sizeof *grown);
    if (grown == NULL) return NULL;
    file->series = grown;
    grown[file->nseries] =
        (struct pt_import_series){ .key = *key, .first_us = INT64_MAX, .last_us = INT64_MIN };
    return &grown[file->nseries++];
}

static enum pt_code commit(struct import *self, struct pt_err *err)
{
    if (self->write == NULL) return PT_OK;
    struct pt_write *write = self->write;
    self->write = NULL;
    self->uncommitted = 0;
    enum pt_code rc = pt_write_commit(write, err);
    if (rc == PT_OK) self->kept = self->file->put;
    if (rc == PT_OK && self->opts->progress != NULL)
        self->opts->progress(self->opts->arg, self->file, true);
    return rc;
}

static enum pt_code store_batch(struct import *self, struct slot *slot, struct pt_err *err)
{
    struct pt_import_series *series = series_of(self->file, &slot->key);
    if (series == NULL) return pt_fail(err, PT_ENOMEM, "out of memory");
    if (self->write == NULL) {
        enum pt_code rc = pt_write_begin(self->store, &self->write, err);
        if (rc != PT_OK) return rc;
    }
    struct pt_put_stats put = { 0 };
    enum pt_code rc =
        pt_write_rows(self->write, &slot->key, &slot->frame, PT_PUT_CORRECT, &put, err);
    if (rc != PT_OK) return rc;
    size_t n = slot->frame.n;
    if (n > 0) {
        const int64_t *time = slot->frame.val[0];
        if (time[0] < series->first_us) series->first_us = time[0];
        if (time[n - 1] > series->last_us) series->last_us = time[n - 1];
    }
    series->rows += n;
    for (int i = 0; i < 2; i++) {
        struct pt_put_stats *sum = i == 0 ? &series->put : &self->file->put;
        sum->inserted += put.inserted;
        sum->replaced += put.replaced;
        sum->unchanged += put.unchanged;
    }
    self->uncommitted += n;
    if (self->uncommitted >= self->opts->commit_rows) return commit(self, err);
    if (self->opts->progress != NULL) self->opts->progress(self->opts->arg, self->file, false);
    return PT_OK;
}

/* Takes slots in turn until the reader has ended, the store failed or the user stopped. */
static enum pt_code drain(struct import *self, struct pipe *pipe, struct pt_err *err)
{
    for (unsigned at = 0;; at ^= 1) {
        struct slot *slot = &pipe->slot[at];
        pthread_mutex_lock(&pipe->lock);
        while (!slot->full && !pipe->ended) pthread_cond_wait(&pipe->changed, &pipe->lock);
        bool full = slot->full;
        self->file->read = pipe->stats;
        pthread_mutex_unlock(&pipe->lock);
        if (!full) return PT_OK;
        if (self->opts->stopped != NULL && self->opts->stopped())
            return pt_fail(err, PT_ECANCEL, "stopped; what was committed is kept");
        enum pt_code rc = store_batch(self, slot, err);
        if (rc != PT_OK) return rc;
        pthread_mutex_lock(&pipe->lock);
        slot->full = false;
        pthread_cond_signal(&pipe->changed);
        pthread_mutex_unlock(&pipe->lock);
    }
}

static void lineage_id(const char *dataset, int64_t now_us, char out[64])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (const char *c = dataset; *c; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    snprintf(out, 64, "%016llx%016llx", (unsigned long long)hash, (unsigned long long)now_us);
}

/* One lineage row a series: where its rows came from, in the transaction that follows them. */
static enum pt_code record(struct import *self, bool stopped, struct pt_err *err)
{
    const struct pt_import_file *file = self->file;
    const char *why = file->failed ? file->err.text : stopped ? "stopped by the user" : NULL;
    for (size_t i = 0; i < file->nseries; i++) {
        const struct pt_import_series *series = &file->series[i];
        char name[PT_SERIES_TEXT_MAX], id[64];
        size_t len = pt_series_print(&series->key, name);
        int64_t now_us = pt_now_us();
        lineage_id(name, now_us, id);
        bson_t *doc = bson_new(), params;
        bson_append_utf8(doc, "lineage_id", -1, id, -1);
        bson_append_utf8(doc, "dataset_id", -1, name, -1);
        bson_append_utf8(doc, "transformation", -1, "import", -1);
        bson_append_document_begin(doc, "transformation_params", -1, &params);
        const char *slash = strrchr(file->path, '/');
        bson_append_utf8(&params, "file", -1, slash != NULL ? slash + 1 : file->path, -1);
        bson_append_utf8(&params, "layout", -1, file->read.layout != NULL ? file->read.layout : "",
                         -1);
        bson_append_int64(&params, "inserted", -1, (int64_t)series->put.inserted);
        bson_append_int64(&params, "replaced", -1, (int64_t)series->put.replaced);
        bson_append_int64(&params, "unchanged", -1, (int64_t)series->put.unchanged);
        bson_append_int64(&params, "rejected", -1, (int64_t)file->read.rejected);
        bson_append_document_end(doc, &params);
        bson_append_int64(doc, "input_records", -1, (int64_t)series->rows);
        bson_append_int64(doc, "output_records", -1,
                          (int64_t)(series->put.inserted + series->put.replaced));
        bson_append_double(doc, "execution_time_seconds", -1, (double)file->elapsed_us / 1e6);
        bson_append_utf8(doc, "status", -1, why != NULL ? "failed" : "success", -1);
        if (why != NULL)
            bson_append_utf8(doc, "error_message", -1, why, -1);
        else
            bson_append_null(doc, "error_message", -1);
        bson_append_date_time(doc, "timestamp", -1, now_us / 1000);
        uint8_t key[PT_SERIES_TEXT_MAX + 9];
        memcpy(key, name, len + 1);
        for (int k = 0; k < 8; k++)
            key[len + 1 + (size_t)k] = (uint8_t)((uint64_t)now_us >> (56 - 8 * k));
        enum pt_code rc =
            self->write != NULL ? PT_OK : pt_write_begin(self->store, &self->write, err);
        if (rc == PT_OK) rc = pt_write_doc(self->write, "lineage", key, len + 9, doc, err);
        bson_destroy(doc);
        if (rc != PT_OK) return rc;
    }
    return PT_OK;
}

struct holes {
    int64_t last_us, period_us;
    uint64_t gaps, missing;
};

static bool count_holes(void *arg, size_t n, const int64_t *time_us, const double *const *cols)
{
    struct holes *holes = arg;
    (void)cols;
    for (size_t i = 0; i < n; i++) {
        if (holes->last_us != PT_MISSING && time_us[i] - holes->last_us > holes->period_us) {
            holes->gaps++;
            holes->missing += (uint64_t)((time_us[i] - holes->last_us) / holes->period_us - 1);
        }
        holes->last_us = time_us[i];
    }
    return true;
}

static enum pt_code find_gaps(struct pt_store *store, struct pt_import_file *file,
                              struct pt_err *err)
{
    struct pt_read *read = NULL;
    enum pt_code rc = pt_read_begin(store, &read, err);
    for (size_t i = 0; rc == PT_OK && i < file->nseries; i++) {
        const struct pt_import_series *series = &file->series[i];
        if (series->key.kind != PT_CANDLES || series->rows == 0) continue;
        struct holes holes = { PT_MISSING, series->key.period_us, 0, 0 };
        rc = pt_series_scan(read, &series->key, series->first_us, series->last_us + 1, NULL, 0,
                            count_holes, &holes, err);
        file->gaps += holes.gaps;
        file->missing += holes.missing;
    }
    pt_read_end(read);
    return rc;
}

void pt_import_file_fini(struct pt_import_file *file)
{
    free(file->series);
    file->series = NULL;
    file->nseries = 0;
}

enum pt_code pt_import_run(struct pt_store *store, const char *path,
                           const struct pt_import_opts *opts, struct pt_import_file *file,
                           struct pt_err *err)
{
    int64_t start_us = pt_mono_us();
    *file = (struct pt_import_file){ .path = path };
    struct import self = { .opts = opts, .file = file, .store = store };
    struct pipe pipe = { .reader = NULL };
    if (pt_reader_open(path, &opts->hint, on_reject, &self, &pipe.reader, &file->err) != PT_OK) {
        file->failed = true;
        return PT_OK;
    }
    pthread_mutex_init(&pipe.lock, NULL);
    pthread_cond_init(&pipe.changed, NULL);
    pthread_t thread;
    enum pt_code rc = PT_OK;
    if (pthread_create(&thread, NULL, read_thread, &pipe) != 0) {
        rc = pt_fail(err, PT_ENOMEM, "the reading thread could not be started");
    } else {
        rc = drain(&self, &pipe, err);
        pthread_mutex_lock(&pipe.lock);
        pipe.stop = true;
        pthread_cond_signal(&pipe.changed);
        pthread_mutex_unlock(&pipe.lock);
        pthread_join(thread, NULL);
        file->read = pipe.stats;
        file->repeated = pipe.repeated;
        if (pipe.rc != PT_OK) {
            file->failed = true;
            file->err = pipe.err;
        }
    }
    file->elapsed_us = pt_mono_us() - start_us;
    struct pt_err late = { 0 };
    if (rc == PT_OK || rc == PT_ECANCEL) {
        enum pt_code ended = record(&self, rc == PT_ECANCEL, &late);
        if (ended == PT_OK) ended = commit(&self, &late);
        if (ended == PT_OK) ended = find_gaps(store, file, &late);
        if (ended != PT_OK) {
            rc = ended;
            if (err != NULL) *err = late;
        }
    }
    pt_write_abort(self.write);
    file->put = self.kept;
    for (int i = 0; i < 2; i++)
        if (pipe.slot[i].inited) pt_frame_fini(&pipe.slot[i].frame);
    pthread_cond_destroy(&pipe.changed);
    pthread_mutex_destroy(&pipe.lock);
    pt_reader_close(pipe.reader);
    return rc;
}
