/* refeed.c - one feed is drained, closed and opened anew, while the others go on. [layer: flow]
 *
 *     loop:    drain (a thread) ─> flush ──────────────────────────> close (a thread) ─> open the
 * next writer:                        └─> its ring is empty, all acknowledged: lets it go ─┘
 *
 * The feed's own functions may block, so each runs on a thread of its own. The writer alone decides
 * when nothing of the feed is left to be committed, and never looks at the slot again from then on;
 * so no message is lost and nothing is freed under it. */
#include "flow/refeed.h"

#include "base/log.h"
#include "base/ring.h"
#include "flow/ingest_internal.h"

#include <inttypes.h>
#include <string.h>

static struct pt_slot *find(struct pt_ingest *ingest, const char *name)
{
    for (size_t i = 0; i < atomic_load(&ingest->nslots); i++) {
        struct pt_slot *slot = &ingest->slots[i];
        if (slot->feed && !atomic_load(&slot->left) && strcmp(slot->name, name) == 0) return slot;
    }
    return NULL;
}

/* Tells once. */
static void tell(struct pt_slot *slot, const struct pt_err *err)
{
    pt_refeed_fn fn = slot->exchange.fn;
    slot->exchange.fn = NULL;
    if (fn) fn(slot->exchange.arg, slot->name, err);
}

static void open_next(struct pt_ingest *ingest, struct pt_slot *slot)
{
    struct pt_feed *feed = slot->exchange.next;
    struct pt_err err;
    slot->exchange.next = NULL;
    slot->exchange.stage = PT_EXCHANGE_NONE;
    pt_timer_stop(&slot->exchange.timer);
    pthread_mutex_lock(&ingest->lock);
    slot->exchange.posts = false;
    pthread_mutex_unlock(&ingest->lock);
    enum pt_code rc = feed ? pt_ingest_feed(ingest, feed, &err) : PT_OK;
    if (rc != PT_OK) pt_log(PT_ERROR, "ingest", "feed_not_opened", "error=\"%s\"", err.text);
    tell(slot, rc == PT_OK ? NULL : &err);
}

/* It does not come back from its own function: it keeps its slot, the next gets another. */
static void leave_behind(struct pt_slot *slot)
{
    struct pt_ingest *ingest = slot->ingest;
    pthread_mutex_lock(&ingest->lock);
    bool ended = slot->ended; /* its task is on its way */
    if (!ended) slot->exchange.posts = false;
    pthread_mutex_unlock(&ingest->lock);
    if (ended) return;
    atomic_store(&slot->left, true);
    pthread_detach(slot->ender);
    pt_log(PT_ERROR, "ingest", "feed_hangs", "feed=%s in=%s waited_ms=%" PRId64, slot->name,
           slot->exchange.stage == PT_EXCHANGE_CLOSE ? "close" : "drain",
           ingest->opts.end_us / 1000);
    open_next(ingest, slot);
}

static void on_late(void *arg)
{
    struct pt_slot *slot = arg;
    struct pt_err err;
    if (slot->exchange.stage != PT_EXCHANGE_FLUSH) {
        leave_behind(slot);
        return;
    }
    pt_fail(&err, PT_ETIME,
            "feed %s: what it delivered cannot be committed yet; it is opened anew when it is",
            slot->name);
    tell(slot, &err);
}

static void next_stage(struct pt_slot *slot);

static void on_stage(struct pt_task *task)
{
    struct pt_slot *slot =
        (struct pt_slot *)((char *)task - offsetof(struct pt_slot, exchange.task));
    next_stage(slot);
}

/* Calls one of the feed's functions on a thread; on_stage is posted when it has returned. */
static void call_feed(struct pt_slot *slot, enum pt_exchange_stage stage, void (*end)(void *self))
{
    slot->exchange.stage = stage;
    slot->exchange.posts = true;
    slot->end = end;
    slot->ended = false;
    pt_timer_start(&slot->exchange.timer, slot->ingest->opts.end_us);
    slot->ending = pthread_create(&slot->ender, NULL, pt_slot_end, slot) == 0;
    if (!slot->ending) pt_slot_end(slot);
}

static void join(struct pt_slot *slot)
{
    if (slot->ending) pthread_join(slot->ender, NULL);
    slot->ending = false;
}

static void flush(struct pt_slot *slot)
{
    slot->exchange.stage = PT_EXCHANGE_FLUSH;
    pt_timer_start(&slot->exchange.timer, slot->ingest->opts.end_us);
    atomic_store(&slot->flush, true);
    pt_ingest_wake(slot->ingest);
}

static void close_slot(struct pt_slot *slot)
{
    struct pt_ingest *ingest = slot->ingest;
    pthread_mutex_lock(&ingest->lock); /* figures are read by other threads */
    atomic_store(&slot->open, false);
    pt_slot_empty(slot);
    pthread_mutex_unlock(&ingest->lock);
    open_next(ingest, slot);
}

static void next_stage(struct pt_slot *slot)
{
    switch (slot->exchange.stage) {
    case PT_EXCHANGE_DRAIN:
        join(slot);
        flush(slot);
        break;
    case PT_EXCHANGE_FLUSH:
        if (atomic_load(&slot->open))
            call_feed(slot, PT_EXCHANGE_CLOSE, slot->feed->plugin->close);
        else
            close_slot(slot); /* it never opened */
        break;
    case PT_EXCHANGE_CLOSE:
        join(slot);
        close_slot(slot);
        break;
    case PT_EXCHANGE_NONE: break; /* the ingest was stopped meanwhile */
    }
}

void pt_exchange_let_go(struct pt_ingest *ingest)
{
    for (size_t i = 0; i < atomic_load(&ingest->nslots); i++) {
        struct pt_slot *slot = &ingest->slots[i];
        const void *bytes;
        uint64_t tag;
        size_t len;
        if (!atomic_load(&slot->flush) || atomic_load(&slot->gone) || slot->owes ||
            pt_ring_peek(slot->ring, &tag, &bytes, &len))
            continue;
        atomic_store(&slot->flush, false);
        atomic_store(&slot->gone, true);
        slot->exchange.task.run = on_stage;
        pt_loop_post(ingest->opts.loop, &slot->exchange.task);
    }
}

void pt_exchange_ended(struct pt_slot *slot)
{
    slot->exchange.task.run = on_stage;
    pt_loop_post(slot->ingest->opts.loop, &slot->exchange.task);
}

void pt_ingest_refeed(struct pt_ingest *ingest, const char *name, struct pt_feed *feed,
                      pt_refeed_fn fn, void *arg)
{
    struct pt_err err;
    enum pt_code rc = PT_OK;
    struct pt_slot *slot = find(ingest, name);
    if (slot && slot->exchange.stage != PT_EXCHANGE_NONE) { /* the newest wish counts */
        pt_fail(&err, PT_ECANCEL, "feed %s: changed again meanwhile", name);
        tell(slot, &err);
        pt_feed_free(slot->exchange.next);
    }
    if (slot && !slot->exchange.timer.event)
        rc = pt_timer_init(&slot->exchange.timer, pt_loop_base(ingest->opts.loop), on_late, slot,
                           &err);
    if (!slot || rc != PT_OK) {
        if (rc == PT_OK && feed)
            rc = pt_ingest_feed(ingest, feed, &err);
        else
            pt_feed_free(feed);
        fn(arg, name, rc == PT_OK ? NULL : &err);
        return;
    }
    slot->exchange.next = feed;
    slot->exchange.fn = fn;
    slot->exchange.arg = arg;
    if (slot->exchange.stage != PT_EXCHANGE_NONE) return;
    if (atomic_load(&slot->open))
        call_feed(slot, PT_EXCHANGE_DRAIN, slot->feed->plugin->drain);
    else
        flush(slot);
}

/* The ingest ends: what a feed is at comes to its end, and nothing is opened in its place. */
void pt_exchange_stop(struct pt_ingest *ingest)
{
    struct pt_err err;
    pt_fail(&err, PT_ECANCEL, "the engine is stopping");
    for (size_t i = 0; i < atomic_load(&ingest->nslots); i++) {
        struct pt_slot *slot = &ingest->slots[i];
        struct pt_exchange *exchange = &slot->exchange;
        if (exchange->stage == PT_EXCHANGE_NONE) continue;
        bool in_thread = slot->ending;
        pthread_mutex_lock(&ingest->lock);
        exchange->posts = false;
        pthread_mutex_unlock(&ingest->lock);
        if (in_thread && !pt_slot_wait(slot, pt_slot_until(ingest)))
            atomic_store(&slot->left, true);
        slot->ending = false;
        atomic_store(&slot->flush, false);
        slot->drained = exchange->stage != PT_EXCHANGE_NONE;
        if (exchange->stage == PT_EXCHANGE_CLOSE) atomic_store(&slot->open, false);
        exchange->stage = PT_EXCHANGE_NONE;
        pt_feed_free(exchange->next);
        exchange->next = NULL;
        tell(slot, &err);
    }
}
