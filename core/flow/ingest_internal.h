/* ingest_internal.h - what ingest.c and feeds.c share.                         [layer: flow] */
#ifndef PT_INGEST_INTERNAL_H
#define PT_INGEST_INTERNAL_H

#include "flow/ingest.h"
#include "flow/pending.h"
#include "flow/settings.h"

#include <pthread.h>
#include <stdatomic.h>

#define PT_REASONS_MAX 256

struct pt_ring;

_Static_assert(sizeof((struct pt_engine_stats *)0)->feeds / sizeof(struct pt_engine_feed) ==
                   PT_FEEDS_MAX,
               "the figures have a place for each feed");

struct pt_slot { /* one feed */
    struct pt_ingest *ingest;
    struct pt_feed *feed;
    struct pt_feed_host host;
    struct pt_ring *ring;
    struct pt_decoder *decoder; /* the writer's */
    struct pt_buf scratch;      /* the feed's */
    uint64_t taken, acked;      /* the writer's: newest tag taken from the ring, told to the feed */
    bool owes;                  /* something was taken and not yet told */
    atomic_bool open, left;     /* left behind: it did not end in time */
    void (*end)(void *self);    /* what is called on `ender` */
    pthread_t ender;
    bool ending, ended; /* its thread was started; it has returned: under the lock */
    atomic_uint_fast64_t messages, rows, ignored, rejected, full;
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
    int64_t first_us, paused_until_us, retention_us; /* monotonic */
    bool more, paused;
    struct pt_slot *decoding; /* whose message is being decoded */
    struct pt_err row_err;    /* a row could not be taken: no memory */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t ended; /* a feed's `end` has returned; by the monotonic clock */
    struct pt_write_job *first, **last;
    struct pt_reason reasons[PT_REASONS_MAX];
    size_t nreasons;
    char store_error[256];
    int64_t last_commit_us;

    atomic_uint_fast64_t commits, rows, late, rejects;
    atomic_bool store_ok, noticed;
    struct pt_task notice;
};

/* ingest.c */
void pt_ingest_wake(struct pt_ingest *ingest); /* any thread */

/* feeds.c */
/* n messages or rows; type and word are static texts. (on the writer thread) */
void pt_ingest_reject(struct pt_ingest *ingest, const char *type, const char *word, uint64_t n);
void pt_slot_free(struct pt_slot *slot);
/* Ends the delivery of all feeds at once, or closes them; those that take too long are left. */
void pt_feeds_drain(struct pt_ingest *ingest);
void pt_feeds_close(struct pt_ingest *ingest);

#endif
