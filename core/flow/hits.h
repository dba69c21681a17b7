/* hits.h - the result of a detector on its way into the log of anomalies.      [layer: flow] */
#ifndef PT_HITS_H
#define PT_HITS_H

#include "flow/scripts.h"
#include "store/anomaly.h"

bool pt_script_is_detector(const struct pt_script *script); /* it declares the kind "anomaly" */

/* Where the hits of a result come from; borrows from both. */
struct pt_hits {
    struct pt_anomaly_source source;
    bson_t parameters; /* view */
};
/* False: it is no result of a symbol and period. */
bool pt_hits_init(struct pt_hits *hits, const struct pt_script *script, const bson_t *doc);

/* The hits of a result, one after the other with pt_doc_next; false where it cannot tell of any. */
bool pt_hits_iter(const bson_t *doc, bson_iter_t *iter);

/* Puts the next hits of a result into the log, `most` of them at most; iter, of pt_hits_iter, goes
 * on behind them. Adds the number of those that were not there to *added. What is no hit is told in
 * the program's own log and left out. */
enum pt_code pt_hits_log(struct pt_write *write, const struct pt_script *script, const bson_t *doc,
                         bson_iter_t *iter, size_t most, uint64_t *added, struct pt_err *err);

#endif
