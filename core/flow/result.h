/* result.h - result documents that the engine makes itself, and where results are kept. [layer:
 * flow] */
#ifndef PT_RESULT_H
#define PT_RESULT_H

#include "base/timefmt.h"
#include "data/schema.h"
#include "flow/scripts.h"

/* What is known of a script that gave no result. */
struct pt_result_error {
    const char *status;             /* "error" or "quarantined" */
    const struct pt_script *script; /* NULL: it is gone */
    const char *name, *symbol;
    int64_t period_us, as_of_us, now_us; /* as_of INT64_MAX: not known, and null in the document */
    const bson_t *params;                /* what differed from the file's defaults, or NULL */
    const char *message;
};
/* A document of unit.h with that status: every output null, every count that nobody took null. */
bson_t *pt_result_error(const struct pt_result_error *error);

/* Has the script failed, so that the result holds nothing but why? */
bool pt_result_failed(const bson_t *doc);

/* "analytics_BTCUSDT_volatility"; of the market, whose symbol is "", "analytics_correlation". */
#define PT_COLLECTION_MAX (sizeof "analytics__" + PT_SYMBOL_MAX + PT_SCRIPT_NAME_MAX)
void pt_result_collection(const char *symbol, const char *name, char out[PT_COLLECTION_MAX]);

/* The span that a script looks back, as text, where nothing is computed: declared, or what `params` (may be NULL) or its
 * default say; of books where it needs some. *window stays as it is when it looks at neither; it
 * may point into `room`. */
void pt_script_window(const struct pt_script *script, const bson_t *params,
                      char room[PT_PERIOD_TEXT_MAX], const char **window);

/* as_of of a result in us; false when it has none (status "empty"). */
bool pt_result_as_of(const bson_t *doc, int64_t *as_of_us);

#endif
