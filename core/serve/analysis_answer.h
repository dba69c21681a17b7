/* analysis_answer.h - one request of /analysis/{metric} and the ways to answer it. [layer: serve]
 */
#ifndef PT_ANALYSIS_ANSWER_H
#define PT_ANALYSIS_ANSWER_H

#include "flow/result.h"
#include "serve/thread.h"

/* One request on its way; on the heap while a worker computes. */
struct pt_asked {
    struct pt_scripts *scripts; /* a reference: the script stays as it was when the request came */
    const struct pt_script *script;
    bool market;              /* pair is "" then */
    char pair[PT_SYMBOL_MAX]; /* and these are shown, in this order; none: all */
    size_t npairs;
    char (*pairs)[PT_SYMBOL_MAX];  /* owned */
    char benchmark[PT_SYMBOL_MAX]; /* should the configured one not be there; "" */
    char collection[PT_COLLECTION_MAX];
    int64_t period_us, start_us, end_us, as_of_us; /* as_of INT64_MAX: newest */
    int64_t limit, offset;
    bool from_newest, descending, ranged, current; /* current: without an end, up to now */
    bson_t *params;                                /* those that differ from the ones in force */
    uint64_t inputs; /* of what a worker computes: pt_unit_inputs, 0 = cannot be told */
};

void pt_asked_free(void *arg);

/* The stored results of the range, the newest `limit`. True: answered. False: nothing is stored and
 * a worker may compute what was asked for. */
bool pt_answer_stored(struct pt_request *request, struct pt_asked *asked);
/* The stored result as of the last bar closed by as_of (or the newest book until then), if today's
 * script made it: it is the one a worker would give. True: answered. */
bool pt_answer_exact(struct pt_request *request, struct pt_asked *asked);
/* What was computed before, if it is still right, else computed by a worker. Takes `asked`. */
void pt_answer_computed(struct pt_request *request, struct pt_asked *asked);

#endif
