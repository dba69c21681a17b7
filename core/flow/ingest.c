/* ingest.c - the writer thread.                                                [layer: flow]
 *
 *     feed thread ──> ring ──> decode ──> rows by series ─┐
 *     feed thread ──> ring ──>                            ├──> one transaction ──> acknowledged to
 * the feeds, loop ──> write jobs (results) ──────────────────────┘                        jobs done
 * on the loop
 *
 * When to commit: a closed candle or a write job does not wait (somebody waits for it) but for what
 * is already in the rings; other rows wait commit_interval, or until there are commit_rows of them.
 * So a bar is durable at once, and a flood is committed in large groups.
 *
 * Rows that a damaged chunk refuses must not hold up the rest of the market: their series is left
 * out of the transaction, its good rows follow in transactions of their own, and the refused ones
 * are counted and logged like messages that are no rows. Importing the damaged range brings them
 * back. */
#include "base/clock.h"
#include "base/log.h"
#include "base/ring.h"
#include "base/timefmt.h"
#include "flow/ingest_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define DRAIN_MAX 1024               /* messages taken from one ring before the next has its turn */
#define RETENTION_FIRST_US PT_US_MIN /* after the start, when that is sooner */
#define SAY_AGAIN_US (10 * PT_US_MIN)

/* ---- taking messages ----------------------------------------------------------------------- */

void pt_ingest_wake(struct pt_ingest *ingest)
{
    uint64_t one = 1;
    ssize_t n = write(ingest->wake_fd, &one, sizeof one); /* fails only when it rings already */
    (void)n;
}

static bool on_record(void *arg, const struct pt_record *record)
{
    struct pt_ingest *ingest = arg;
    struct pt_pending_series *series;
    if (pt_pending_add(&ingest->pending, ingest->opts.store, record, &series, &ingest->row_err) !=
        PT_OK)
        return false;
    pt_findings_row(&ingest->findings, &series->seen, record,
                    (unsigned)(ingest->decoding - ingest->slots), ingest->decoding_us);
    atomic_fetch_add_explicit(&ingest->decoding->rows, 1, memory_order_relaxed);
    return true;
}

/* One message. False: it could not be taken now and stays in the ring. */
static bool take_message(struct pt_ingest *ingest, struct pt_slot *slot, const void *bytes,
                         size_t len)
{
    int64_t recv_us;
    const char *type = "unknown", *reason = "unknown";
    memcpy(&recv_us, bytes, sizeof recv_us);
    ingest->decoding = slot;
    ingest->decoding_us = recv_us;
    ingest->row_err.code = PT_OK;
    enum pt_verdict verdict =
        pt_decode(slot->decoder, (const char *)bytes + sizeof recv_us, len - sizeof recv_us,
                  recv_us, on_record, ingest, &type, &reason);
    if (ingest->row_err.code != PT_OK) return false;
    atomic_fetch_add_explicit(&slot->messages, 1, memory_order_relaxed);
    atomic_store_explicit(&slot->last_message_us, recv_us, memory_order_relaxed);
    atomic_store_explicit(&slot->bookless, pt_decoder_counts(slot->decoder).bookless,
                          memory_order_relaxed);
    if (verdict == PT_MSG_IGNORED)
        atomic_fetch_add_explicit(&slot->ignored, 1, memory_order_relaxed);
    if (verdict == PT_MSG_REJECTED) {
        atomic_fetch_add_explicit(&slot->rejected, 1, memory_order_relaxed);
        pt_ingest_reject(ingest, type, reason, 1);
        const struct pt_record *refused = pt_decoder_refused(slot->decoder);
        if (refused) pt_findings_refused(&ingest->findings, refused, reason, recv_us);
    }
    return true;
}

static bool has_work(const struct pt_ingest *ingest)
{
    return ingest->pending.rows > 0 || ingest->findings.n > 0;
}

/* Until the next commit. */
static void store_is_bad(struct pt_ingest *ingest, const struct pt_err *err)
{
    pthread_mutex_lock(&ingest->lock);
    snprintf(ingest->store_error, sizeof ingest->store_error, "%.*s",
             (int)sizeof ingest->store_error - 1, err->text);
    pthread_mutex_unlock(&ingest->lock);
    atomic_store(&ingest->store_ok, false);
}

static void store_is_good(struct pt_ingest *ingest)
{
    if (atomic_load(&ingest->store_ok)) return;
    pthread_mutex_lock(&ingest->lock);
    ingest->store_error[0] = '\0';
    pthread_mutex_unlock(&ingest->lock);
    atomic_store(&ingest->store_ok, true);
}

static void pause_ingest(struct pt_ingest *ingest, const struct pt_err *err)
{
    ingest->paused_until_us = pt_mono_us() + ingest->opts.retry_us;
    store_is_bad(ingest, err);
    if (!ingest->paused)
        pt_log(PT_ERROR, "ingest", "paused", "waiting_rows=%zu error=\"%s\"", ingest->pending.rows,
               err->text);
    ingest->paused = true;
}

static void resume_ingest(struct pt_ingest *ingest)
{
    ingest->paused_until_us = 0;
    store_is_good(ingest);
    if (!ingest->paused) return;
    ingest->paused = false;
    pt_log(PT_INFO, "ingest", "resumed", "waiting_rows=%zu", ingest->pending.rows);
}

/* Takes what the rings hold, each in turn, until there is enough for a commit. */
static void drain_rings(struct pt_ingest *ingest)
{
    size_t n = atomic_load(&ingest->nslots);
    ingest->more = false;
    for (size_t i = 0; i < n; i++) {
        struct pt_slot *slot = &ingest->slots[i];
        const void *bytes;
        uint64_t tag;
        size_t len, taken = 0;
        if (atomic_load(&slot->gone)) continue;
        pt_ring_drained(slot->ring);
        while (pt_ring_peek(slot->ring, &tag, &bytes, &len)) {
            if (taken++ == DRAIN_MAX || ingest->pending.rows >= ingest->opts.commit_rows) {
                ingest->more = true;
                break;
            }
            if (!take_message(ingest, slot, bytes, len)) {
                ingest->more = true;
                pause_ingest(ingest, &ingest->row_err);
                return;
            }
            pt_ring_pop(slot->ring);
            slot->taken = tag;
            slot->owes = true;
        }
    }
    atomic_store_explicit(&ingest->late, ingest->pending.late, memory_order_relaxed);
}

/* ---- committing ---------------------------------------------------------------------------- */

static void acknowledge(struct pt_ingest *ingest)
{
    size_t n = atomic_load(&ingest->nslots);
    for (size_t i = 0; i < n; i++) {
        struct pt_slot *slot = &ingest->slots[i];
        if (atomic_load(&slot->gone) || !slot->owes) continue;
        slot->owes = false;
        slot->acked = slot->taken;
        /* one that hangs may hold what its callback waits for; it gets the same again next time */
        if (atomic_load(&slot->left)) continue;
        if (slot->feed->plugin->acked) slot->feed->plugin->acked(slot->feed->self, slot->acked);
    }
}

static void run_done(struct pt_task *task)
{
    struct pt_write_job *job = (struct pt_write_job *)task;
    job->done(job);
}

static void finish_job(struct pt_ingest *ingest, struct pt_write_job *job, enum pt_code rc,
                       const struct pt_err *err)
{
    job->rc = rc;
    if (rc != PT_OK) job->err = *err;
    job->task.run = run_done;
    pt_loop_post(ingest->opts.loop, &job->task);
}

static void finish_jobs(struct pt_ingest *ingest, struct pt_write_job **jobs, enum pt_code rc,
                        const struct pt_err *err)
{
    while (*jobs) {
        struct pt_write_job *job = *jobs;
        *jobs = job->next;
        finish_job(ingest, job, rc, err);
    }
}

/* All rows and jobs in one transaction. *bad, *series, *findings: what could not be put into it. */
static enum pt_code try_commit(struct pt_ingest *ingest, struct pt_write_job *jobs,
                               struct pt_write_job **bad, struct pt_pending_series **series,
                               bool *findings, struct pt_err *err)
{
    struct pt_write *write = NULL;
    struct pt_put_stats stats = { 0 };
    *bad = NULL;
    *series = NULL;
    *findings = false;
    enum pt_code rc = pt_write_begin(ingest->opts.store, &write, err);
    if (rc != PT_OK) return rc;
    rc = pt_pending_write(&ingest->pending, write, &stats, series, err);
    if (rc == PT_OK) {
        rc = pt_findings_write(&ingest->findings, write, err);
        *findings = rc != PT_OK;
    }
    for (struct pt_write_job *job = jobs; rc == PT_OK && job; job = job->next) {
        rc = job->write(job, write, err);
        if (rc != PT_OK) *bad = job;
    }
    if (rc != PT_OK) {
        pt_write_abort(write);
        return rc;
    }
    rc = pt_write_commit(write, err);
    if (rc == PT_OK)
        atomic_fetch_add_explicit(&ingest->rows, stats.inserted + stats.replaced,
                                  memory_order_relaxed);
    return rc;
}

static void take_out(struct pt_write_job **jobs, struct pt_write_job *bad)
{
    while (*jobs != bad) jobs = &(*jobs)->next;
    *jobs = bad->next;
}

static void run_notice(struct pt_task *task)
{
    struct pt_ingest *ingest =
        (struct pt_ingest *)((char *)task - offsetof(struct pt_ingest, notice));
    atomic_store(&ingest->noticed, false);
    ingest->opts.committed(ingest->opts.arg);
}

static void say_refused(struct pt_ingest *ingest, struct pt_pending_series *series, uint64_t rows,
                        const struct pt_err *why)
{
    int64_t now_us = pt_mono_us();
    pt_ingest_reject(ingest, pt_kind(series->key.kind)->name,
                     why->code == PT_EDAMAGE ? "damaged_series" : "refused_by_store", rows);
    if (series->said_us > 0 && now_us - series->said_us < SAY_AGAIN_US) return;
    series->said_us = now_us;
    pt_log(PT_ERROR, "ingest", "rows_refused", "symbol=%s rows=%" PRIu64 " error=\"%s\"",
           series->key.symbol, rows, why->text);
}

/* The series that were left out. Not PT_OK: the store takes nothing any more, the rest waits. */
static enum pt_code save_refused(struct pt_ingest *ingest, struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    for (size_t i = 0; rc == PT_OK && i < ingest->pending.n; i++) {
        struct pt_pending_series *series = &ingest->pending.v[i];
        struct pt_put_stats stats = { 0 };
        struct pt_err why;
        uint64_t refused;
        if (!series->aside) continue;
        rc = pt_pending_save(&ingest->pending, series, ingest->opts.store, &stats, &refused, &why,
                             err);
        if (rc == PT_OK && refused > 0) say_refused(ingest, series, refused, &why);
        atomic_fetch_add_explicit(&ingest->rows, stats.inserted + stats.replaced,
                                  memory_order_relaxed);
    }
    return rc;
}

static void committed(struct pt_ingest *ingest)
{
    bool rows = ingest->pending.rows > 0;
    struct pt_err err;
    pt_pending_committed(&ingest->pending);
    pt_findings_committed(&ingest->findings);
    atomic_store_explicit(&ingest->findings_logged, ingest->findings.logged, memory_order_relaxed);
    ingest->first_us = 0;
    enum pt_code rc = save_refused(ingest, &err);
    atomic_fetch_add_explicit(&ingest->commits, 1, memory_order_relaxed);
    pthread_mutex_lock(&ingest->lock);
    ingest->last_commit_us = pt_now_us();
    pthread_mutex_unlock(&ingest->lock);
    if (rc == PT_OK) {
        resume_ingest(ingest);
        acknowledge(ingest);
    } else {
        pause_ingest(ingest, &err);
    }
    if (rows && !atomic_exchange(&ingest->noticed, true)) {
        ingest->notice.run = run_notice;
        pt_loop_post(ingest->opts.loop, &ingest->notice);
    }
}

/* A job that fails is taken out and told, a series that is refused is put aside, findings that
 * cannot be written are given up (a full store has no room for rows either); rows that fail
 * otherwise stay and pause the ingest. */
static void commit(struct pt_ingest *ingest, struct pt_write_job *jobs)
{
    struct pt_write_job *bad = NULL;
    struct pt_pending_series *series = NULL;
    struct pt_err err;
    bool findings;
    for (;;) {
        enum pt_code rc = try_commit(ingest, jobs, &bad, &series, &findings, &err);
        if (rc == PT_OK) break;
        if (series) {
            series->aside = true;
        } else if (findings && rc != PT_EFULL) {
            pt_log(PT_ERROR, "ingest", "findings_lost", "n=%zu error=\"%s\"", ingest->findings.n,
                   err.text);
            pt_findings_drop(&ingest->findings);
        } else if (bad) {
            take_out(&jobs, bad);
            finish_job(ingest, bad, rc, &err);
        } else if (jobs) {
            finish_jobs(ingest, &jobs, rc, &err); /* the rows may still fit without them */
        } else {
            pause_ingest(ingest, &err);
            return;
        }
        if (!jobs && !has_work(ingest)) {
            if (rc == PT_EFULL || rc == PT_EIO) store_is_bad(ingest, &err);
            return;
        }
    }
    committed(ingest);
    finish_jobs(ingest, &jobs, PT_OK, NULL);
}

/* ---- the thread ---------------------------------------------------------------------------- */

static struct pt_write_job *take_jobs(struct pt_ingest *ingest)
{
    pthread_mutex_lock(&ingest->lock);
    struct pt_write_job *jobs = ingest->first;
    ingest->first = NULL;
    ingest->last = &ingest->first;
    pthread_mutex_unlock(&ingest->lock);
    return jobs;
}

static bool jobs_wait(struct pt_ingest *ingest)
{
    pthread_mutex_lock(&ingest->lock);
    bool any = ingest->first != NULL;
    pthread_mutex_unlock(&ingest->lock);
    return any;
}

static int timeout_ms(const struct pt_ingest *ingest)
{
    int64_t until_us = INT64_MAX, now_us = pt_mono_us();
    if (ingest->paused_until_us > 0)
        until_us = ingest->paused_until_us;
    else if (ingest->more)
        return 0;
    else if (has_work(ingest))
        until_us = ingest->first_us + ingest->opts.commit_interval_us;
    /* a pause ends with a turn of its own, which looks at the rules too */
    if (ingest->paused_until_us == 0 && ingest->opts.nrules > 0 && ingest->retention_us < until_us)
        until_us = ingest->retention_us;
    if (ingest->paused_until_us == 0 && ingest->pending.n > 0 && ingest->look_us < until_us)
        until_us = ingest->look_us;
    if (until_us == INT64_MAX) return -1;
    int64_t wait_us = until_us - now_us;
    if (wait_us <= 0) return 0;
    return wait_us / 1000 + 1 > INT_MAX ? INT_MAX : (int)(wait_us / 1000 + 1);
}

static void wait_for_something(struct pt_ingest *ingest)
{
    struct pollfd fds[PT_FEEDS_MAX + 1] = { { .fd = ingest->wake_fd, .events = POLLIN } };
    nfds_t n = 1;
    /* while paused, what feeds bring is left where it is: their rings fill up and they slow down */
    if (ingest->paused_until_us == 0)
        for (size_t i = 0; i < atomic_load(&ingest->nslots); i++)
            if (!atomic_load(&ingest->slots[i].gone))
                fds[n++] =
                    (struct pollfd){ .fd = pt_ring_fd(ingest->slots[i].ring), .events = POLLIN };
    if (poll(fds, n, timeout_ms(ingest)) > 0 && fds[0].revents) {
        uint64_t count;
        ssize_t got = read(ingest->wake_fd, &count, sizeof count);
        (void)got;
    }
}

static bool should_commit(const struct pt_ingest *ingest)
{
    const struct pt_pending *pending = &ingest->pending;
    if (!has_work(ingest)) return false;
    if (pending->rows >= ingest->opts.commit_rows) return true;
    if (pending->closed && !ingest->more) return true;
    return pt_mono_us() - ingest->first_us >= ingest->opts.commit_interval_us;
}

static void take_rules(struct pt_ingest *ingest)
{
    pthread_mutex_lock(&ingest->lock);
    if (ingest->rules_changed) {
        free(ingest->opts.rules);
        ingest->opts.rules = ingest->new_rules;
        ingest->opts.nrules = ingest->new_nrules;
        ingest->new_rules = NULL;
        ingest->rules_changed = false;
    }
    pthread_mutex_unlock(&ingest->lock);
}

static void run_retention(struct pt_ingest *ingest)
{
    struct pt_err err;
    struct pt_expired *expired = &ingest->expired;
    take_rules(ingest);
    if (ingest->opts.nrules == 0 || pt_mono_us() < ingest->retention_us) return;
    enum pt_code rc = pt_retention_run(ingest->opts.store, ingest->opts.rules, ingest->opts.nrules,
                                       pt_now_us(), expired, &err);
    if (rc != PT_OK) pt_log(PT_ERROR, "retention", "failed", "error=\"%s\"", err.text);
    if (expired->more && (rc == PT_OK || rc == PT_EDAMAGE))
        return; /* the next turn goes on, with what came meanwhile */
    ingest->retention_us = pt_mono_us() + ingest->opts.retention_every_us;
    if (expired->rows + expired->anomalies > 0)
        pt_log(PT_INFO, "retention", "removed", "rows=%" PRIu64 " anomalies=%" PRIu64,
               expired->rows, expired->anomalies);
    *expired = (struct pt_expired){ .rows = 0 };
}

/* One turn. False: there is nothing more to do, ever. */
static bool turn(struct pt_ingest *ingest)
{
    bool stopping = atomic_load(&ingest->stopping);
    if (ingest->paused_until_us > 0 && !stopping && pt_mono_us() < ingest->paused_until_us)
        return true;
    bool retry = ingest->paused_until_us > 0;
    ingest->paused_until_us = 0;
    if (!retry) {
        drain_rings(ingest);
        pt_feeds_look(ingest);
        atomic_store_explicit(&ingest->findings_dropped, ingest->findings.dropped,
                              memory_order_relaxed);
        if (has_work(ingest) && ingest->first_us == 0) ingest->first_us = pt_mono_us();
    }
    bool waiting = jobs_wait(ingest);
    if (waiting || retry || should_commit(ingest) || (stopping && has_work(ingest))) {
        if (waiting || has_work(ingest))
            commit(ingest, take_jobs(ingest));
        else
            resume_ingest(ingest);
    } else if (!has_work(ingest)) {
        acknowledge(ingest); /* messages that brought no rows */
    }
    if (ingest->paused_until_us > 0 && stopping) {
        pt_log(PT_ERROR, "ingest", "not_committed", "rows=%zu", ingest->pending.rows);
        return false;
    }
    pt_exchange_let_go(ingest);
    run_retention(ingest);
    return !stopping || ingest->more || has_work(ingest) || jobs_wait(ingest);
}

static void *write_for_ever(void *arg)
{
    struct pt_ingest *ingest = arg;
    while (turn(ingest))
        if (!atomic_load(&ingest->stopping)) wait_for_something(ingest);
    struct pt_err err;
    pthread_mutex_lock(&ingest->lock);
    ingest->over = true; /* whoever comes from now on is told at once */
    pthread_mutex_unlock(&ingest->lock);
    struct pt_write_job *jobs = take_jobs(ingest);
    pt_fail(&err, PT_ECANCEL, "the engine is stopping");
    finish_jobs(ingest, &jobs, PT_ECANCEL, &err);
    return NULL;
}

/* ---- outside ------------------------------------------------------------------------------- */

void pt_ingest_write(void *arg, struct pt_write_job *job)
{
    struct pt_ingest *ingest = arg;
    struct pt_err err;
    job->next = NULL;
    pthread_mutex_lock(&ingest->lock);
    bool over = ingest->over;
    if (!over) {
        *ingest->last = job;
        ingest->last = &job->next;
    }
    pthread_mutex_unlock(&ingest->lock);
    if (!over) {
        pt_ingest_wake(ingest);
        return;
    }
    pt_fail(&err, PT_ECANCEL, "the engine is stopping");
    finish_job(ingest, job, PT_ECANCEL, &err);
}

void pt_ingest_rules(struct pt_ingest *ingest, struct pt_retention *rules, size_t n)
{
    pthread_mutex_lock(&ingest->lock);
    free(ingest->new_rules);
    ingest->new_rules = rules;
    ingest->new_nrules = n;
    ingest->rules_changed = true;
    pthread_mutex_unlock(&ingest->lock);
    pt_ingest_wake(ingest);
}

enum pt_code pt_ingest_new(const struct pt_ingest_opts *opts, struct pt_ingest **out,
                           struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    *out = NULL;
    struct pt_ingest *ingest = calloc(1, sizeof *ingest);
    if (!ingest) {
        free(opts->rules);
        return pt_fail(err, PT_ENOMEM, "ingest");
    }
    ingest->opts = *opts;
    ingest->last = &ingest->first;
    int64_t first_us = opts->retention_every_us < RETENTION_FIRST_US ? opts->retention_every_us
                                                                     : RETENTION_FIRST_US;
    ingest->retention_us = pt_mono_us() + first_us;
    ingest->look_us = pt_mono_us() + PT_LOOK_EVERY_US;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&ingest->ended, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&ingest->lock, NULL);
    atomic_init(&ingest->store_ok, true);
    ingest->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (ingest->wake_fd < 0) rc = pt_fail(err, PT_EIO, "eventfd: %s", strerror(errno));
    if (rc == PT_OK) {
        int failed = pthread_create(&ingest->thread, NULL, write_for_ever, ingest);
        ingest->running = failed == 0;
        if (failed)
            rc = pt_fail(err, PT_EIO, "cannot start the writer thread: %s", strerror(failed));
    }
    if (rc == PT_OK)
        *out = ingest;
    else
        pt_ingest_free(ingest);
    return rc;
}

void pt_ingest_stop(struct pt_ingest *ingest)
{
    if (!ingest->running) return;
    pt_feeds_drain(ingest);
    atomic_store(&ingest->stopping, true);
    pt_ingest_wake(ingest);
    pthread_join(ingest->thread, NULL);
    ingest->running = false;
    pt_loop_flush(ingest->opts.loop); /* what it posted last lives in memory that may go now */
}

/* A feed that hangs has our addresses, until the process ends. */
static struct pt_ingest *left_behind;

void pt_ingest_free(struct pt_ingest *ingest)
{
    if (!ingest) return;
    bool left = false;
    pt_ingest_stop(ingest);
    pt_feeds_close(ingest);
    for (size_t i = 0; i < atomic_load(&ingest->nslots); i++) {
        struct pt_slot *slot = &ingest->slots[i];
        pt_timer_fini(&slot->exchange.timer);
        if (atomic_load(&slot->left))
            left = true;
        else
            pt_slot_empty(slot);
    }
    free(ingest->opts.rules);
    free(ingest->new_rules);
    pt_pending_fini(&ingest->pending);
    pt_findings_fini(&ingest->findings);
    if (ingest->wake_fd >= 0) close(ingest->wake_fd);
    if (left) {
        ingest->next_left = left_behind;
        left_behind = ingest;
        return;
    }
    pthread_cond_destroy(&ingest->ended);
    pthread_mutex_destroy(&ingest->lock);
    free(ingest);
}
