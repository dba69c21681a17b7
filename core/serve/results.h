/* results.h - result documents as replies of /analysis/{metric}. [layer: serve]
 *
 * Shape "values" (volatility, volume, trend): { pair, period, metric, method, window, status,
 * as_of, values: [ { timestamp, status, fields } ], pagination, metadata }. Shape "data" (all
 * others): { pair, period, metric, status, as_of, data: { fields } | null, metadata }, and with a
 * history also history: [ ... ] and pagination. Fields are the declared outputs in their order; one
 * that is not there is null. Of the whole market: { pairs, period, metric, method, window, status,
 * as_of, fields, metadata }, matrices and maps by symbol cut to the pairs that were asked for. */
#ifndef PT_RESULTS_H
#define PT_RESULTS_H

#include "base/json.h"
#include "data/schema.h"
#include "flow/scripts.h"
#include "serve/trail.h"

struct pt_results {
    const struct pt_script *script;
    const char *pair, *collection; /* pair: "" for the market */
    size_t npairs;
    const char (*pairs)[PT_SYMBOL_MAX]; /* of a market: shown in this order; npairs 0: all */
    int64_t period_us;
    size_t n;
    const bson_t *docs; /* [n], ascending by as_of */
    int64_t total, limit, offset;
    bool descending;  /* order of the list */
    bool history;     /* a list is wanted, also of shape "data" */
    bool on_request;  /* computed for this request, not stored */
    bool stale;       /* the newest is too old to be called current */
    bool lists, data; /* names of the list: values, data */
    struct pt_trail trail; /* of the newest; stands behind its fields, not in CSV */
    bool by_pair;     /* CSV: the documents are of several symbols, each line names its own */
    const int64_t *asked_us; /* CSV: [n], the moments that were asked for, when as_of may be another one or none: they
                                stand as timestamp, as_of behind them; NULL: as_of is the timestamp */
};

/* Room for n views of documents, which have an alignment that malloc does not give; free(). NULL:
 * no memory. */
bson_t *pt_results_views(size_t n);
bool pt_result_is_list(const struct pt_script *script); /* shape "values" */
/* Of one of them, as replies show it: the newest may be stale. */
const char *pt_results_status(const struct pt_results *results, size_t i);

void pt_results_json(const struct pt_results *results, struct pt_json *json);
/* The fields of a document as an object, as the items of a list have them. */
void pt_results_fields_json(const struct pt_results *results, const bson_t *doc,
                            struct pt_json *json);
/* The metadata of a document as members; completeness is a health figure and thus a number. */
void pt_results_provenance(const bson_t *doc, struct pt_json *json);
/* Header: timestamp, (as_of,) (pair,) status, fields; members of maps and lists as dotted columns.
 * False: there are more than PT_CSV_COLUMNS. */
#define PT_CSV_COLUMNS 65536
bool pt_results_csv(const struct pt_results *results, struct pt_buf *out);
/* A value as a CSV cell: doubles in the shortest form that reads back as the same bits, null is
 * empty. */
void pt_results_csv_value(const bson_iter_t *value, struct pt_buf *out);

/* Where two results of one script, symbol and as_of differ: status, and outputs bit by bit (but a 0
 * has no sign); of matrices each two symbols once. Appends a line `timestamp,(pair,)output,old,new`
 * for each to `out` and returns how many there are. at_us: the timestamp, the moment that both were
 * asked for. */
size_t pt_results_diff(const bson_t *before, const bson_t *now, int64_t at_us, bool pairs, struct pt_buf *out);

/* From here on a result that should be current is stale: three bars and a minute behind its bars, or
 * older than its books may be. script NULL: one that looks at bars. */
int64_t pt_results_stale_us(const struct pt_script *script, int64_t as_of_us, int64_t period_us);

/* What makes two replies equal to a client: everything but computed_at, which says when, not what.
 * It holds script hash, parameters, as_of and, in place of the rows' version, the numbers that were
 * computed from the rows: a row that came later and is not in the result does not change it. */
uint64_t pt_results_tag(const struct pt_results *results);
/* What makes the cached body still true: all bytes of all documents, and the scripts. */
uint64_t pt_results_inputs(const struct pt_results *results, uint64_t generation);

#endif
