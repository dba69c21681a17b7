/* findings.h - what only ingest can see of the quality of data, for the log of anomalies.
 * [layer: flow]
 *
 *     crossed_book     best bid above the best ask; rejected        minute of the row
 *     locked_book      best bid at the best ask; rejected too       minute of the row
 *     ohlc_violation   high or low inside of open and close; too    its bar
 *     timestamp_skew   a row's time is over 5 s from its receipt    bar, minute of the receipt
 *     stale_feed       no closed bar for over 3 periods             the missing bar
 *
 * The method is `ingest`, of the last one `feed`.
 *
 * A row from the future is skewed at once. One from the past may be late, and many are while a feed
 * catches up: it is skewed when its series has been late for a minute, and by no less. Of
 * candles, which have the time of their bar and none of their own, only those from the future are.
 * A series is stale when a feed has brought it since the start; of one that has never brought a
 * closed bar the first bar is the missing one. A feed that brings nothing at all is readiness' to
 * tell.
 *
 * A feed that sends only rubbish must not fill the store, nor hold up what is good: of a dataset
 * and reason there is one finding a bar (a minute, of what has none), and none of bars before the
 * last; the next says in details.more how many were left out in between. Of all together there are
 * 1000, and from then on one in two seconds (PT_FINDINGS_*); those beyond are counted (and a stale
 * series is looked at again).
 *
 * Belongs to the writer thread. */
#ifndef PT_FINDINGS_H
#define PT_FINDINGS_H

#include "data/decode.h"
#include "store/anomaly.h"

#define PT_FINDINGS_BURST 1000
#define PT_FINDINGS_EVERY_US INT64_C(2000000) /* then one in so much time */
#define PT_FINDINGS_SLOTS 4096
#define PT_FINDINGS_WAYS 8 /* slots that a dataset and reason may have: one of so many */

/* Of a series: how its rows come in. Zeroed: none came in this run. */
struct pt_seen {
    unsigned slot;     /* of the feed that brought the last one */
    int64_t recv_us;   /* when; 0: none */
    int64_t closed_us; /* when the last closed bar came; 0: none */
    int64_t first_us;  /* open time of the first bar that came */
    int64_t late_us;   /* rows have been late since then; 0: they are not */
    int64_t lag_us;    /* by how much the first of them was */
    int64_t missed_us; /* the missing bar that was told last */
};

struct pt_finding {
    struct pt_series_key dataset;
    const char *method, *reason; /* static */
    bson_t *hit;                 /* owned */
    int64_t now_us;
};

struct pt_findings { /* zeroed = empty */
    size_t n;
    struct pt_finding v[PT_FINDINGS_BURST]; /* that await their commit */
    uint64_t added;                         /* by the last write */
    uint64_t logged, dropped; /* only grow; dropped: beyond the bounds of all together */
    int64_t spent_us;         /* the bucket is full PT_FINDINGS_BURST steps after this */
    struct pt_findings_slot { /* of a dataset and reason; the one of the oldest bar gives way */
        uint64_t hash;
        int64_t bar_us;
        uint64_t more;
    } slots[PT_FINDINGS_SLOTS];
};
void pt_findings_fini(struct pt_findings *findings);

/* A row that was rejected for `reason`, a word of check.h; most are no findings. */
void pt_findings_refused(struct pt_findings *findings, const struct pt_record *record,
                         const char *reason, int64_t recv_us);
/* A row that is taken. */
void pt_findings_row(struct pt_findings *findings, struct pt_seen *seen,
                     const struct pt_record *record, unsigned slot, int64_t recv_us);
/* Is the series stale? newest_us: open time of its newest closed bar, PT_MISSING: none. */
void pt_findings_look(struct pt_findings *findings, struct pt_seen *seen,
                      const struct pt_series_key *key, int64_t newest_us, int64_t now_us);

/* Puts all into a transaction; they stay here until pt_findings_committed. */
enum pt_code pt_findings_write(struct pt_findings *findings, struct pt_write *write,
                               struct pt_err *err);
void pt_findings_committed(struct pt_findings *findings);
/* Gives up all that await their commit, and counts them as dropped. */
void pt_findings_drop(struct pt_findings *findings);

#endif
