/* scans.h - bars that closed together: which of them detectors have yet to scan. [layer: flow]
 *
 * A round computes the newest bar of a series. What closed before it, since the last round (an
 * import, a feed that was away, a bar that came late), is scanned when nothing else is due: the
 * unit of each such bar, as it would have been when it closed, for the detectors alone. Only the
 * hits are kept: history makes no results of the past.
 *
 *     marks ──> pt_plan ──> ranges, with the results of the newest bars ──> "anomaly_scans"
 *     "anomaly_scans" ──> pt_scans_plan: some bars, the oldest of a range first ──> hits
 *
 * Collection "anomaly_scans": by period (8 bytes) and symbol; of each one range, which also holds
 * what lies between two that were apart. Scanning a bar twice logs nothing twice.
 * Document: { from, to: <date> } */
#ifndef PT_SCANS_H
#define PT_SCANS_H

#include "flow/plan.h"

#define PT_SCANS "anomaly_scans"
#define PT_SCANS_AT_ONCE 128 /* what becomes due meanwhile waits for these */
#define PT_SCAN_KEY_MAX (8 + PT_SYMBOL_MAX)

struct pt_scan_turn { /* zeroed: the first range is next */
    uint8_t key[PT_SCAN_KEY_MAX];
    size_t len; /* of the last range of which something was planned */
};

/* Both in the transaction of what they belong to. */
/* Joins a range to what is to be scanned. */
enum pt_code pt_scan_add(struct pt_write *write, const struct pt_scan *scan, struct pt_err *err);
/* What lies before scan->next_us is scanned, unless a range that begins earlier came meanwhile. */
enum pt_code pt_scan_done(struct pt_write *write, const struct pt_scan *scan, struct pt_err *err);

/* Units of the next bars to be scanned, at most `most` (PT_SCANS_AT_ONCE), for pt_round_start: of
 * the range behind the one whose turn it was, and so on. *left: how many bars there are at most,
 * with those of the plan. pairs: as in struct pt_plan_opts. Ranges of what no detector is scheduled
 * for stay, also while it is quarantined. */
enum pt_code pt_scans_plan(struct pt_store *store, struct pt_scripts *scripts,
                           const char *const *pairs, size_t most, struct pt_scan_turn *turn,
                           struct pt_plan *plan, uint64_t *left, struct pt_err *err);

#endif
