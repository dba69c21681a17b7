/* strikes.h - how often a version of a script has killed its worker.            [layer: flow]
 * Private to the pool. Kept in memory only: a new daemon begins anew. */
#ifndef PT_STRIKES_H
#define PT_STRIKES_H

#include "base/timefmt.h"
#include "flow/scripts.h"

#define PT_STRIKES_OUT 3 /* so many deaths, and it is not run any more */
/* Those that lie further back than this before the newest are forgotten: on a machine that is busy
 * now and then a good script must not run out of them over the months. */
#define PT_STRIKES_US (24 * PT_US_HOUR)

struct pt_strike {
    char hash[PT_HASH_TEXT_MAX];
    unsigned n;
    int64_t last_us; /* monotonic */
    char words[320]; /* of the last death, ready to be shown */
};
struct pt_strikes {
    size_t n;
    struct pt_strike *v; /* owned */
};

/* One more for the version with this hash; `words` say how its worker ended. True when it is out
 * now. Without memory nothing is counted. */
bool pt_strikes_add(struct pt_strikes *strikes, const char *hash, const char *words);
/* The version is out: what is said of it. NULL: it is not. */
const char *pt_strikes_out(const struct pt_strikes *strikes, const char *hash);
/* Forgets versions that are not in the set any more. */
void pt_strikes_keep(struct pt_strikes *strikes, const struct pt_scripts *scripts);
void pt_strikes_fini(struct pt_strikes *strikes);

#endif
