/* outcome.h - what came of a reload, said once.                                [layer: flow]
 *
 * As a document: { generation, ok, diff, started_at: <date>, duration_us, error: null | text,
 *   scripts: [ { name, kind, verdict, file, hash, line, message } ],
 *   config: { changed: [ "log.level" ], restart: [ "http.port" ], unused: [ "calculator x" ] },
 *   feeds: [ { name, action: "opened" | "reopened" | "closed", error } ],
 *   differences: [ { script, symbol, period, as_of: <date>, output, old, new } ],
 * differences_total, windows_tried }
 *
 * error: the reload was refused as a whole and all stayed as it was; scripts is empty then.
 * verdict: live (as it was), changed, added, removed, previous (the change failed, the version
 * before it stays), failed, quarantined. file, line, message: of what went wrong, else file only.
 * restart: keys that differ from what the daemon was started with and that only a restart applies.
 * unused: sections of scripts that were removed: they do nothing, and the next start refuses them.
 * differences: with diff, where a changed script gives other values on stored windows (of a
 * matrix only that it differs), and where those that need it do; at most PT_DIFFERENCES_MAX of
 * differences_total. windows_tried: with diff, how many windows values were compared on, each
 * script counted by itself; 0 (a new script, an empty store) proves nothing. */
#ifndef PT_OUTCOME_H
#define PT_OUTCOME_H

#include "flow/scripts.h"

#define PT_DIFFERENCES_MAX 200

struct pt_outcome { /* zeroed: nothing yet */
    uint64_t generation;
    bool diff;
    int64_t started_us, duration_us;
    struct pt_err err;                 /* code PT_OK, or why it was refused */
    struct pt_scripts *before, *after; /* refs; after NULL: refused */
    bson_t *changed, *restart;         /* owned arrays of keys, NULL: none */
    bson_t *unused;                    /* the same, of sections */
    bson_t *feeds, *differences;       /* owned arrays, NULL: none */
    uint64_t total;                    /* differences there are */
    uint64_t windows;                  /* that were compared */
    bool feed_failed;
};

void pt_outcome_fini(struct pt_outcome *outcome);
/* Everything that was asked for is in force. */
bool pt_outcome_ok(const struct pt_outcome *outcome);
/* Notes the keys that differ between what was in force, what is now, and what the daemon was
 * started with. */
void pt_outcome_config(struct pt_outcome *outcome, const struct pt_conf *started,
                       const struct pt_conf *before, const struct pt_conf *after);
/* Notes the sections of scripts that are not in `after`. */
void pt_outcome_unused(struct pt_outcome *outcome, const struct pt_conf *after);
void pt_outcome_feed(struct pt_outcome *outcome, const char *name, const char *action,
                     const struct pt_err *err);
/* Compares two results of one script for one window, `old` with the live version. */
void pt_outcome_compare(struct pt_outcome *outcome, const bson_t *old, const bson_t *changed);
bson_t *pt_outcome_doc(const struct pt_outcome *outcome); /* owned by the caller */
void pt_outcome_log(const struct pt_outcome *outcome);    /* one line, and one for each mistake */

#endif
