/* refeed.h - one feed is drained, closed and opened anew, while the others go on. [layer: flow]
 * On the loop. */
#ifndef PT_REFEED_H
#define PT_REFEED_H

#include "flow/ingest.h"

/* What came of it, once, on the loop: err NULL, or why the feed is not open (yet). */
typedef void (*pt_refeed_fn)(void *arg, const char *name, const struct pt_err *err);

/* Ends the delivery of the feed of that name, commits and acknowledges all that it had delivered,
 * closes it and opens `feed` (taken; NULL: none) in its place. Where there is none of that name
 * `feed` is just opened. A feed that does not end in time is left behind: what it had delivered is
 * committed, nothing more is taken from it. While the store takes nothing, fn is told so after a
 * while, and the exchange goes on when it can. */
void pt_ingest_refeed(struct pt_ingest *ingest, const char *name, struct pt_feed *feed,
                      pt_refeed_fn fn, void *arg);

#endif
