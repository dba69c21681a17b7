/* detect.c - the log of anomalies as people use it: a detector run now, a hit acknowledged.
 * [layer: flow]
 *
 *     HTTP thread ──> loop ──> worker ──> result ──> write job ──> committed ──> told
 *
 * Only what is durable is told. A window may have ten thousands of hits: they are written some at a
 * time, so that others who write wait for none but these. */
#include "base/clock.h"
#include "flow/engine_internal.h"
#include "flow/hits.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HITS_AT_ONCE 256 /* a write job has; each may change a page of its own */

/* ---- a detector, now ----------------------------------------------------------------------- */

struct detection {
    struct pt_write_job job; /* must be first */
    struct pt_engine *engine;
    struct pt_scripts *scripts; /* a ref */
    const struct pt_script *script;
    bson_t *doc;             /* owned: the result */
    bson_iter_t iter, after; /* its hits that are not written; of those, behind what the job has */
    uint64_t logged, adding; /* by jobs that are done; by the one under way */
    pt_detect_fn fn;
    void *arg;
};

static void detection_free(struct detection *self)
{
    bson_destroy(self->doc); /* accepts NULL */
    pt_scripts_unref(self->scripts);
    free(self);
}

static enum pt_code write_hits(struct pt_write_job *job, struct pt_write *write, struct pt_err *err)
{
    struct detection *self = (struct detection *)job;
    self->adding = 0;
    self->after = self->iter;
    return pt_hits_log(write, self->script, self->doc, &self->after, HITS_AT_ONCE, &self->adding,
                       err);
}

static bool more_hits(const struct detection *self)
{
    bson_iter_t iter = self->iter;
    bson_t hit;
    return pt_doc_next(&iter, &hit);
}

static void hits_written(struct pt_write_job *job)
{
    struct detection *self = (struct detection *)job;
    if (job->rc == PT_OK) {
        atomic_fetch_add(&self->engine->anomalies, self->adding);
        self->logged += self->adding;
        self->iter = self->after;
        if (more_hits(self)) {
            pt_ingest_write(self->engine->ingest, &self->job);
            return;
        }
        self->fn(self->arg, self->doc, self->logged, NULL);
    } else {
        if (self->logged > 0) /* they stay: another request goes on behind them */
            pt_err_prefix(&job->err, "only %" PRIu64 " were logged: ", self->logged);
        self->fn(self->arg, NULL, self->logged, &job->err);
    }
    detection_free(self);
}

static void on_detected(void *arg, const struct pt_unit_result *results, size_t n,
                        const struct pt_err *err)
{
    struct detection *self = arg;
    const bson_t *doc = err || n == 0 ? NULL : results[n - 1].doc;
    self->doc = doc ? bson_copy(doc) : NULL;
    if (!doc || !pt_hits_iter(self->doc, &self->iter) || !more_hits(self)) {
        self->fn(self->arg, doc, 0, err); /* there is nothing to keep */
        detection_free(self);
        return;
    }
    self->job.write = write_hits;
    self->job.done = hits_written;
    pt_ingest_write(self->engine->ingest, &self->job);
}

enum pt_code pt_engine_detect(struct pt_engine *engine, const struct pt_unit *unit, pt_detect_fn fn,
                              void *arg, struct pt_err *err)
{
    if (!engine->ingest) return pt_fail(err, PT_EINVAL, "this engine only reads");
    struct detection *self = calloc(1, sizeof *self);
    if (!self) return pt_fail(err, PT_ENOMEM, "detection");
    self->engine = engine;
    self->scripts = pt_engine_scripts(engine);
    self->script = pt_scripts_find(self->scripts, unit->names[unit->n - 1]);
    self->fn = fn;
    self->arg = arg;
    struct pt_unit whole = *unit;
    whole.whole = true;
    enum pt_code rc = self->script && pt_script_is_detector(self->script)
                          ? pt_engine_eval(engine, &whole, on_detected, self, err)
                          : pt_fail(err, PT_ENOENT, "no live detector is called '%.60s'",
                                    unit->names[unit->n - 1]);
    if (rc != PT_OK) detection_free(self);
    return rc;
}

/* ---- a hit, acknowledged or resolved ------------------------------------------------------- */

struct settling {
    struct pt_write_job job; /* must be first; its task also carries it to the loop */
    struct pt_engine *engine;
    char id[PT_ANOMALY_ID_MAX + 12]; /* one that is longer is none, also where it is cut */
    enum pt_anomaly_status status;
    bson_t *doc;           /* owned */
    struct pt_err refused; /* code PT_OK, or why it could not be */
    pt_settle_fn fn;
    void *arg;
};

/* An id that is none must not cost the rows of the same transaction a second try: it is no failure
 * of the write. */
static enum pt_code write_status(struct pt_write_job *job, struct pt_write *write,
                                 struct pt_err *err)
{
    struct settling *self = (struct settling *)job;
    bson_destroy(self->doc);
    self->refused.code = PT_OK;
    enum pt_code rc =
        pt_anomaly_settle(write, self->id, self->status, pt_now_us(), &self->doc, err);
    if (rc != PT_ENOENT && rc != PT_EINVAL) return rc;
    self->refused = *err;
    return PT_OK;
}

static void status_written(struct pt_write_job *job)
{
    struct settling *self = (struct settling *)job;
    if (job->rc != PT_OK)
        self->fn(self->arg, NULL, &job->err);
    else if (self->refused.code != PT_OK)
        self->fn(self->arg, NULL, &self->refused);
    else
        self->fn(self->arg, self->doc, NULL);
    bson_destroy(self->doc);
    free(self);
}

static void start_settling(struct pt_task *task)
{
    struct settling *self = (struct settling *)task;
    pt_ingest_write(self->engine->ingest, &self->job);
}

enum pt_code pt_engine_settle(struct pt_engine *engine, const char *id,
                              enum pt_anomaly_status status, pt_settle_fn fn, void *arg,
                              struct pt_err *err)
{
    if (!engine->ingest) return pt_fail(err, PT_EINVAL, "this engine only reads");
    struct settling *self = calloc(1, sizeof *self);
    if (!self) return pt_fail(err, PT_ENOMEM, "anomaly");
    snprintf(self->id, sizeof self->id, "%s", id);
    self->job = (struct pt_write_job){ .task = { .run = start_settling },
                                       .write = write_status,
                                       .done = status_written };
    self->engine = engine;
    self->status = status;
    self->fn = fn;
    self->arg = arg;
    if (pt_engine_post(engine, &self->job.task)) return PT_OK;
    free(self);
    return pt_fail(err, PT_ECANCEL, "the engine is stopping");
}
