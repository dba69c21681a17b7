/* feeds.c - what feeds call and are called with, and their figures.             [layer: flow] */
#include "base/clock.h"
#include "base/decimal.h"
#include "base/log.h"
#include "base/ring.h"
#include "base/timefmt.h"
#include "flow/ingest_internal.h"
#include "store/bars.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- for the feeds, on their threads ------------------------------------------------------- */

static bool host_push(void *ctx, uint64_t tag, int64_t recv_us, const void *bytes, size_t len)
{
    struct pt_slot *slot = ctx;
    if (atomic_load_explicit(&slot->left, memory_order_relaxed)) return false;
    pt_buf_clear(&slot->scratch);
    pt_buf_add(&slot->scratch, &recv_us, sizeof recv_us);
    pt_buf_add(&slot->scratch, bytes, len);
    if (!slot->scratch.failed &&
        pt_ring_push(slot->ring, tag, slot->scratch.data, slot->scratch.len))
        return true;
    atomic_fetch_add_explicit(&slot->full, 1, memory_order_relaxed);
    return false;
}

static bool host_wait_room(void *ctx, size_t len, int timeout_ms)
{
    struct pt_slot *slot = ctx;
    return pt_ring_wait_room(slot->ring, len + sizeof(int64_t), timeout_ms);
}

static int64_t host_last_candle(void *ctx, const char *symbol, int64_t period_us)
{
    struct pt_slot *slot = ctx;
    struct pt_read *read = NULL;
    struct pt_err err;
    char name[PT_SYMBOL_MAX];
    int64_t close_us = PT_MISSING;
    if (atomic_load(&slot->left)) return PT_MISSING; /* the store may be closed */
    if (pt_symbol_parse(symbol, strlen(symbol), name) != PT_OK) return PT_MISSING;
    enum pt_code rc = pt_read_begin(slot->ingest->opts.store, &read, &err);
    if (rc == PT_OK) rc = pt_bars_last_close(read, name, period_us, INT64_MAX, &close_us, &err);
    if (rc != PT_OK) pt_log(PT_ERROR, "ingest", "last_candle", "error=\"%s\"", err.text);
    pt_read_end(read);
    return rc == PT_OK && close_us != PT_MISSING ? close_us - period_us : PT_MISSING;
}

/* ---- open and close ------------------------------------------------------------------------ */

void pt_slot_empty(struct pt_slot *slot)
{
    pt_feed_free(slot->feed);
    pt_ring_free(slot->ring);
    pt_decoder_free(slot->decoder);
    pt_buf_fini(&slot->scratch);
    slot->feed = NULL;
    slot->ring = NULL;
    slot->decoder = NULL;
}

/* A free one, NULL: there is none. *n: how many there are with it. */
static struct pt_slot *free_slot(struct pt_ingest *ingest, const char *name, size_t *n)
{
    *n = atomic_load(&ingest->nslots);
    struct pt_slot *found = NULL;
    for (size_t i = 0; i < *n; i++) {
        struct pt_slot *slot = &ingest->slots[i];
        if (slot->feed) continue;
        if (!found || strcmp(slot->name, name) == 0) found = slot; /* its figures go on there */
    }
    if (found || *n == PT_FEEDS_MAX) return found;
    return &ingest->slots[(*n)++];
}

static void reset_figures(struct pt_slot *slot)
{
    atomic_store(&slot->messages, 0);
    atomic_store(&slot->rows, 0);
    atomic_store(&slot->ignored, 0);
    atomic_store(&slot->rejected, 0);
    atomic_store(&slot->full, 0);
    atomic_store(&slot->last_message_us, 0);
}

enum pt_code pt_ingest_feed(struct pt_ingest *ingest, struct pt_feed *feed, struct pt_err *err)
{
    size_t n = 0;
    struct pt_ring *ring = NULL;
    struct pt_decoder *decoder = NULL;
    struct pt_slot *slot = free_slot(ingest, feed->name, &n);
    enum pt_code rc = slot ? PT_OK : pt_fail(err, PT_ERANGE, "at most %d feeds", PT_FEEDS_MAX);
    if (rc == PT_OK) rc = pt_ring_new(ingest->opts.ring_bytes, &ring, err);
    if (rc == PT_OK) rc = pt_decoder_new(&decoder, err);
    if (rc != PT_OK) {
        pt_ring_free(ring);
        pt_feed_free(feed);
        return rc;
    }
    pthread_mutex_lock(&ingest->lock); /* figures are read by other threads, of a whole slot only */
    if (strcmp(slot->name, feed->name) != 0) reset_figures(slot);
    snprintf(slot->name, sizeof slot->name, "%s", feed->name);
    slot->ring = ring;
    slot->decoder = decoder;
    slot->feed = feed;
    pthread_mutex_unlock(&ingest->lock);
    slot->ingest = ingest;
    slot->taken = slot->acked = 0;
    slot->owes = slot->drained = false;
    slot->host = (struct pt_feed_host){ .ctx = slot,
                                        .push = host_push,
                                        .wait_room = host_wait_room,
                                        .last_candle = host_last_candle,
                                        .log = pt_log };
    /* the writer sees it before it delivers */
    atomic_store(&slot->gone, false);
    atomic_store(&ingest->nslots, n);
    atomic_store(&slot->open, true);
    pt_ingest_wake(ingest);
    rc = feed->plugin->open(feed->self, &slot->host, err);
    if (rc == PT_OK) return PT_OK;
    atomic_store(&slot->open, false);
    return pt_err_prefix(err, "feed %s: ", feed->name);
}

void *pt_slot_end(void *arg)
{
    struct pt_slot *slot = arg;
    slot->end(slot->feed->self);
    pthread_mutex_lock(&slot->ingest->lock);
    slot->ended = true;
    bool posts = slot->exchange.posts;
    pthread_cond_broadcast(&slot->ingest->ended);
    pthread_mutex_unlock(&slot->ingest->lock);
    if (posts) pt_exchange_ended(slot);
    return NULL;
}

struct timespec pt_slot_until(const struct pt_ingest *ingest)
{
    int64_t until_us = pt_mono_us() + ingest->opts.end_us;
    return (struct timespec){ .tv_sec = (time_t)(until_us / PT_US_SEC),
                              .tv_nsec = (long)(until_us % PT_US_SEC) * 1000 };
}

bool pt_slot_wait(struct pt_slot *slot, struct timespec until)
{
    struct pt_ingest *ingest = slot->ingest;
    int late = 0;
    pthread_mutex_lock(&ingest->lock);
    while (!slot->ended && late == 0)
        late = pthread_cond_timedwait(&ingest->ended, &ingest->lock, &until);
    bool ended = slot->ended;
    pthread_mutex_unlock(&ingest->lock);
    if (ended)
        pthread_join(slot->ender, NULL);
    else
        pthread_detach(slot->ender);
    return ended;
}

/* Each on a thread of its own, so that one that hangs keeps neither the others nor us from ending.
 */
static void end_feeds(struct pt_ingest *ingest, bool closing)
{
    size_t n = atomic_load(&ingest->nslots);
    struct timespec until = pt_slot_until(ingest);
    for (size_t i = 0; i < n; i++) {
        struct pt_slot *slot = &ingest->slots[i];
        if (!atomic_load(&slot->open) || atomic_load(&slot->left)) continue;
        if (!closing && slot->drained) continue;
        slot->end = closing ? slot->feed->plugin->close : slot->feed->plugin->drain;
        slot->ended = false;
        slot->ending = pthread_create(&slot->ender, NULL, pt_slot_end, slot) == 0;
        if (!slot->ending) slot->end(slot->feed->self);
    }
    for (size_t i = 0; i < n; i++) {
        struct pt_slot *slot = &ingest->slots[i];
        if (!slot->ending) continue;
        slot->ending = false;
        if (pt_slot_wait(slot, until)) continue;
        atomic_store(&slot->left, true);
        pt_log(PT_ERROR, "ingest", "feed_hangs", "feed=%s in=%s waited_ms=%" PRId64,
               slot->feed->name, closing ? "close" : "drain", ingest->opts.end_us / 1000);
    }
}

void pt_feeds_drain(struct pt_ingest *ingest)
{
    pt_exchange_stop(ingest);
    end_feeds(ingest, false);
}

void pt_feeds_close(struct pt_ingest *ingest)
{
    end_feeds(ingest, true);
}

/* ---- what has stopped coming --------------------------------------------------------------- */

void pt_feeds_look(struct pt_ingest *ingest)
{
    int64_t mono_us = pt_mono_us(), now_us = pt_now_us();
    if (mono_us < ingest->look_us) return;
    ingest->look_us = mono_us + PT_LOOK_EVERY_US;
    for (size_t i = 0; i < ingest->pending.n; i++) {
        struct pt_pending_series *series = &ingest->pending.v[i];
        if (atomic_load(&ingest->slots[series->seen.slot].gone)) continue; /* it was taken out */
        pt_findings_look(&ingest->findings, &series->seen, &series->key, series->newest_us, now_us);
    }
}

/* ---- figures ------------------------------------------------------------------------------- */

void pt_ingest_reject(struct pt_ingest *ingest, const char *type, const char *word, uint64_t n)
{
    atomic_fetch_add_explicit(&ingest->rejects, n, memory_order_relaxed);
    pthread_mutex_lock(&ingest->lock);
    size_t i = 0;
    while (i < ingest->nreasons && (strcmp(ingest->reasons[i].word, word) != 0 ||
                                    strcmp(ingest->reasons[i].type, type) != 0))
        i++;
    if (i == ingest->nreasons && i < PT_REASONS_MAX)
        ingest->reasons[ingest->nreasons++] = (struct pt_reason){ type, word, 0 };
    if (i < ingest->nreasons) ingest->reasons[i].count += n;
    pthread_mutex_unlock(&ingest->lock);
}

void pt_ingest_stats(struct pt_ingest *ingest, struct pt_engine_stats *stats)
{
    stats->commits = atomic_load_explicit(&ingest->commits, memory_order_relaxed);
    stats->rows = atomic_load_explicit(&ingest->rows, memory_order_relaxed);
    stats->late = atomic_load_explicit(&ingest->late, memory_order_relaxed);
    stats->rejects_total = atomic_load_explicit(&ingest->rejects, memory_order_relaxed);
    stats->findings = atomic_load_explicit(&ingest->findings_logged, memory_order_relaxed);
    stats->findings_dropped = atomic_load_explicit(&ingest->findings_dropped, memory_order_relaxed);
    stats->store_ok = atomic_load(&ingest->store_ok);
    pthread_mutex_lock(&ingest->lock);
    memcpy(stats->store_error, ingest->store_error, sizeof stats->store_error);
    stats->last_commit_us = ingest->last_commit_us;
    stats->nfeeds = 0;
    for (size_t i = 0; i < atomic_load(&ingest->nslots); i++) {
        struct pt_slot *slot = &ingest->slots[i];
        if (!slot->feed) continue; /* it was taken out */
        struct pt_engine_feed *feed = &stats->feeds[stats->nfeeds++];
        *feed = (struct pt_engine_feed){
            .messages = atomic_load_explicit(&slot->messages, memory_order_relaxed),
            .rows = atomic_load_explicit(&slot->rows, memory_order_relaxed),
            .ignored = atomic_load_explicit(&slot->ignored, memory_order_relaxed),
            .bookless = atomic_load_explicit(&slot->bookless, memory_order_relaxed),
            .rejected = atomic_load_explicit(&slot->rejected, memory_order_relaxed),
            .full = atomic_load_explicit(&slot->full, memory_order_relaxed),
            .last_message_us = atomic_load_explicit(&slot->last_message_us, memory_order_relaxed),
            .ring_used = pt_ring_used(slot->ring),
            .open = atomic_load(&slot->open),
        };
        memcpy(feed->name, slot->name, sizeof feed->name);
    }
    pthread_mutex_unlock(&ingest->lock);
}

void pt_ingest_rejects(struct pt_ingest *ingest, pt_reason_fn fn, void *arg)
{
    struct pt_reason copy[PT_REASONS_MAX];
    pthread_mutex_lock(&ingest->lock);
    size_t n = ingest->nreasons;
    memcpy(copy, ingest->reasons, n * sizeof *copy);
    pthread_mutex_unlock(&ingest->lock);
    for (size_t i = 0; i < n; i++) fn(arg, copy[i].type, copy[i].word, copy[i].count);
}
