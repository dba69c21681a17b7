/* overview.h - the newest stored results of many pairs, a line a pair. [layer: serve] */
#ifndef PT_OVERVIEW_H
#define PT_OVERVIEW_H

#include "data/schema.h"
#include "serve/trail.h"
#include "store/store.h"

enum { PT_OV_VOLATILITY, PT_OV_VOLUME, PT_OV_TREND, PT_OV_REGIME, PT_OV_METRICS };
extern const char
    *const pt_overview_names[PT_OV_METRICS]; /* of the scripts, and of the members of a line */

/* A metric is there when a result is stored that is no error and has at least one of the fields
 * below. Fields that are not there: NaN, "". */
struct pt_overview {
    char pair[PT_SYMBOL_MAX];
    bool there[PT_OV_METRICS];
    double annualized, spike_ratio, roc, confidence;
    char direction[PT_TRAIL_WORD_MAX], classification[PT_TRAIL_WORD_MAX];
    const char *status; /* the worst of its results, of one that is stale too the worse word;
                           "empty" when one is missing; static */
    int64_t as_of_us;   /* of the newest of its results; PT_MISSING */
    int64_t stale_us;   /* when the first of its fresh results becomes stale; INT64_MAX */
    bool available;     /* all four are there */
};

/* Fills all but `pair` of one line. A result that cannot be read is logged, and its status "error".
 */
enum pt_code pt_overview_read(struct pt_read *read, int64_t period_us, int64_t now_us,
                              struct pt_overview *line, struct pt_err *err);

/* Symbols that have candles of the period or of one it can be built from, sorted, each once; free()
 * *pairs. */
enum pt_code pt_overview_pairs(struct pt_read *read, int64_t period_us,
                               char (**pairs)[PT_SYMBOL_MAX], size_t *n, struct pt_err *err);

#endif
