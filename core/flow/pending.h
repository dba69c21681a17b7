/* pending.h - rows that were decoded and await their commit, series by series. [layer: flow]
 * Belongs to the writer thread. */
#ifndef PT_PENDING_H
#define PT_PENDING_H

#include "flow/findings.h"

struct pt_pending_series {
    struct pt_series_key key;
    struct pt_frame frame;
    int64_t newest_us; /* open time of the newest closed candle known, committed or not; PT_MISSING:
                          none */
    int64_t closed_us; /* the same of the frame alone */
    bool aside;        /* the store refuses its rows: left out of the transaction of all others */
    int64_t said_us;   /* monotonic: when a refusal was logged; 0: never */
    struct pt_seen seen;
};

struct pt_pending {
    size_t n, cap, slots;
    struct pt_pending_series *v; /* owned; stays when its rows are committed */
    uint32_t *index;             /* owned; hash table of places in v, +1 */
    size_t rows;
    bool closed;   /* a closed candle is among them */
    uint64_t late; /* closed candles that came after a newer one of their series; only grows */
};

void pt_pending_fini(struct pt_pending *pending);

/* Takes one row, already checked by the decoder. The first closed form of a candle stays, as in the
 * store. store: asked once a series for its newest row. *series: its series, borrowed until the
 * next. PT_ENOMEM. */
enum pt_code pt_pending_add(struct pt_pending *pending, struct pt_store *store,
                            const struct pt_record *record, struct pt_pending_series **series,
                            struct pt_err *err);

/* Puts all rows, but those of series that are aside, into a transaction; they stay here until
 * pt_pending_committed. *bad: the series whose rows are refused because of itself (its chunk is
 * damaged), or NULL. */
enum pt_code pt_pending_write(struct pt_pending *pending, struct pt_write *write,
                              struct pt_put_stats *stats, struct pt_pending_series **bad,
                              struct pt_err *err);
/* Drops what was written; what is aside stays. */
void pt_pending_committed(struct pt_pending *pending);

/* Puts the rows of one series into transactions of their own, halving what is refused, until only
 * the refused rows themselves are left out. *refused: how many; *why: the first refusal. On any
 * other failure all rows stay, and may be saved again. */
enum pt_code pt_pending_save(struct pt_pending *pending, struct pt_pending_series *series,
                             struct pt_store *store, struct pt_put_stats *stats, uint64_t *refused,
                             struct pt_err *why, struct pt_err *err);

#endif
