/* trail.h - how long the label of a regime has held, from stored results. [layer: serve]
 *
 * A stored result is of one window and knows of no other. What came before is added when it is
 * read: since, previous_LABEL and stable_LABEL, from the results of the last PT_TRAIL_BARS bars up
 * to the one that is shown. */
#ifndef PT_TRAIL_H
#define PT_TRAIL_H

#include "base/json.h"
#include "flow/scripts.h"
#include "store/store.h"

#define PT_TRAIL_BARS 24
#define PT_TRAIL_WORD_MAX 64 /* words of a declaration have at most 60 bytes */

/* Zeroed: nothing is added. */
struct pt_trail {
    char label[PT_SCRIPT_NAME_MAX];   /* the output that is the label; "" = the script has none */
    int64_t since_us;                 /* as_of of the first of an unbroken run of bars with this
                                         label; PT_MISSING = null */
    char previous[PT_TRAIL_WORD_MAX]; /* the newest other label; "" = null */
    char stable[PT_TRAIL_WORD_MAX];   /* the newest that held for two bars in a row, else this one;
                                         "" = null */
};

/* The label that a script declares; all else null. */
void pt_trail_init(struct pt_trail *trail, const struct pt_script *script);

/* Fills the trail of `newest`, a result that is stored in the collection or was computed just now
 * (stored false); of the latter all is null when nothing is stored before it. A bar without a
 * result, or whose result has no label, ends a run. PT_EDAMAGE as pt_docs_scan. */
enum pt_code pt_trail_read(struct pt_read *read, const char *collection, int64_t period_us,
                           const bson_t *newest, bool stored, struct pt_trail *trail,
                           struct pt_err *err);

/* The three members: "since", "previous_LABEL", "stable_LABEL". */
#define PT_TRAIL_KEY_MAX (PT_SCRIPT_NAME_MAX + 16)
const char *pt_trail_key(const struct pt_trail *trail, size_t i, char out[PT_TRAIL_KEY_MAX]);
/* Writes them into the object under way; nothing without a label. */
void pt_trail_json(const struct pt_trail *trail, struct pt_json *json);
/* For digests of replies; continues `before`. */
uint64_t pt_trail_digest(const struct pt_trail *trail, uint64_t before);

#endif
