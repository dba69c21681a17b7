/* ingest.h - the writer thread: takes what feeds deliver and what cycles compute, and commits it.
 * [layer: flow]
 *
 * Rows are gathered and committed together; only then are the feeds told. When the store cannot
 * take more (disk full, damage), nothing more is taken from the feeds, nothing is acknowledged and
 * nothing is lost: it is tried again every second. */
#ifndef PT_INGEST_H
#define PT_INGEST_H

#include "flow/engine.h"
#include "flow/plugins.h"
#include "flow/writes.h"
#include "store/retention.h"

struct pt_ingest;

struct pt_ingest_opts { /* borrowed things outlive the ingest */
    struct pt_loop *loop;
    struct pt_store *store;
    int64_t commit_interval_us, retry_us;
    int64_t retention_every_us; /* how often the rules are applied */
    int64_t end_us; /* so long a feed may take to end its delivery, and again to close */
    size_t commit_rows, ring_bytes;
    struct pt_retention *rules; /* taken, also on failure */
    size_t nrules;
    void (*committed)(void *arg); /* on the loop, after commits that brought rows */
    void *arg;
};

/* Starts the thread. */
enum pt_code pt_ingest_new(const struct pt_ingest_opts *opts, struct pt_ingest **ingest,
                           struct pt_err *err);
/* Opens a feed (taken, on failure too); from then on it delivers. At most 8. refeed.h changes one
 * later. */
enum pt_code pt_ingest_feed(struct pt_ingest *ingest, struct pt_feed *feed, struct pt_err *err);
/* Ends the feeds' delivery, commits and acknowledges what they had delivered, does the write jobs
 * that wait and ends the thread. What cannot be committed then is not acknowledged. A feed that
 * does not end in time is left behind: nothing more is taken from it or told to it. Once. */
void pt_ingest_stop(struct pt_ingest *ingest);
/* Stops it, if it runs, and closes the feeds. Memory that a feed left behind may still use is not
 * freed. Accepts NULL. */
void pt_ingest_free(struct pt_ingest *ingest);

/* A pt_writer_fn: arg is the ingest. After the stop the job is done at once, PT_ECANCEL. (any
 * thread) */
void pt_ingest_write(void *arg, struct pt_write_job *job);

/* Takes the rules (free()d) in the place of those in force, for the next time they are applied. */
void pt_ingest_rules(struct pt_ingest *ingest, struct pt_retention *rules, size_t n);

/* Fills the members of the stats that it knows. (any thread) */
void pt_ingest_stats(struct pt_ingest *ingest, struct pt_engine_stats *stats);
void pt_ingest_rejects(struct pt_ingest *ingest, pt_reason_fn fn, void *arg); /* any thread */

#endif
