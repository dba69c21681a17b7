/* ingest_internal.h - what ingest.c and feeds.c share.                         [layer: flow] */
#ifndef PT_INGEST_INTERNAL_H
#define PT_INGEST_INTERNAL_H

#include "flow/ingest.h"
#include "flow/pending.h"
#include "flow/refeed.h"
#include "flow/settings.h"

#include <pthread.h>
#include <stdatomic.h>

#define PT_REASONS_MAX 256

struct pt_ring;

_Static_assert(sizeof((struct pt_engine_stats *)0)->feeds / sizeof(struct pt_engine_feed) ==
                   PT_FEEDS_MAX,
               "the figures have a place for each feed");

enum pt_exchange_stage {
    PT_EXCHANGE_NONE,
    PT_EXCHANGE_DRAIN,
    PT_EXCHANGE_FLUSH,
    PT_EXCHANGE_CLOSE
};

struct pt_exchange { /* of a feed for another, or for none: refeed.c; the loop's */
    enum pt_exchange_stage stage;
    bool posts;            /* the thread in the feed's function posts the task; under the lock */
    struct pt_task task;   /* the stage has ended */
    struct pt_timer timer; /* it should have */
    struct pt_feed *next;  /* owned; NULL: none */
    pt_refeed_fn fn;       /* NULL: told */
    void *arg;
};

struct pt_slot { /* one feed */
    struct pt_ingest *ingest;
    char name[64];        /* stays when the feed goes */
    struct pt_feed *feed; /* NULL: the slot is free */
    struct pt_exchange exchange;
    struct pt_feed_host host;
    struct pt_ring *ring;
    struct pt_decoder *decoder; /* the writer's */
    struct pt_buf scratch;      /* the feed's */
    uint64_t taken, acked;      /* the writer's: newest tag taken from the ring, told to the feed */
    bool owes;                  /* something was taken and not yet told */
    atomic_bool open, left;     /* left behind: it did not end in time */
    atomic_bool flush, gone;    /* to be let go; the writer has, and looks at it no more */
    bool drained;               /* the stop need not do it */
    void (*end)(void *self);    /* what is called on `ender` */
    pthread_t ender;
    bool ending, ended; /* its thread was started; it has returned: under the lock */
    atomic_uint_fast64_t messages, rows, ignored, bookless, rejected, full;
    atomic_int_fast64_t last_message_us;
};

struct pt_reason {
    const char *type, *word; /* static texts of the decoder and the frame */
    uint64_t count;
};

struct pt_ingest {
    struct pt_ingest *next_left; /* those that have to stay because of a feed left behind */
    struct pt_ingest_opts opts;
    pthread_t thread;
    bool running; /* the thread was started and not joined */
    int wake_fd;
    atomic_bool stopping;
    struct pt_slot slots[PT_FEEDS_MAX];
    atomic_size_t nslots;

    /* the writer's own */
    struct pt_pending pending;
    struct pt_findings findings;
    struct pt_expired expired;                                /* since that was last said */
    int64_t first_us, paused_until_us, retention_us, look_us; /* monotonic */
    bool more, paused;
    struct pt_slot *decoding; /* whose message is being decoded */
    int64_t decoding_us;      /* when it was received */
    struct pt_err row_err;    /* a row could not be taken: no memory */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t ended; /* a feed's `end` has returned; by the monotonic clock */
    struct pt_write_job *first, **last;
    bool over;                      /* nothing is written any more */
    struct pt_retention *new_rules; /* owned; taken over by the writer */
    size_t new_nrules;
    bool rules_changed;
    struct pt_reason reasons[PT_REASONS_MAX];
    size_t nreasons;
    char store_error[256];
    int64_t last_commit_us;

    atomic_uint_fast64_t commits, rows, late, rejects, findings_logged, findings_dropped;
    atomic_bool store_ok, noticed;
    struct pt_task notice;
};

/* ingest.c */
void pt_ingest_wake(struct pt_ingest *ingest); /* any thread */

/* feeds.c */
/* n messages or rows; type and word are static texts. (on the writer thread) */
void pt_ingest_reject(struct pt_ingest *ingest, const char *type, const char *word, uint64_t n);
void pt_slot_empty(struct pt_slot *slot);                       /* its feed's parts */
void *pt_slot_end(void *slot);                                  /* a thread: calls slot->end */
struct timespec pt_slot_until(const struct pt_ingest *ingest);  /* when a feed is late */
bool pt_slot_wait(struct pt_slot *slot, struct timespec until); /* false: its thread did not end */
/* Every PT_LOOK_EVERY_US: which of the series that feeds bring are stale? (on the writer thread) */
#define PT_LOOK_EVERY_US INT64_C(10000000)
void pt_feeds_look(struct pt_ingest *ingest);
/* Ends the delivery of all feeds at once, or closes them; those that take too long are left. */
void pt_feeds_drain(struct pt_ingest *ingest);
void pt_feeds_close(struct pt_ingest *ingest);

/* refeed.c */
void pt_exchange_let_go(struct pt_ingest *ingest); /* on the writer: what has nothing left there */
void pt_exchange_ended(struct pt_slot *slot); /* the feed's function has returned; any thread */
void pt_exchange_stop(struct pt_ingest *ingest);

#endif
