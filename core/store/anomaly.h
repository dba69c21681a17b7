/* anomaly.h - the log of anomalies: one document a hit, of detectors and of what ingest sees.
 * [layer: store]
 *
 * Collection "anomalies": by id, which is the time of the bar (8 bytes) and a hash (16), in
 * hexadecimal. So ids sort by time. hash is the xxh3-128 of dataset, time, method, and all
 * parameters in force (threshold and field among them) by name; of data_quality of the reason too,
 * for a bar may be wrong in several ways, some of them known later. A hit that is found again is
 * the same hit, whoever finds it: its first score stays, and so do its status and the times of its
 * changes. The version of a script is not part of it.
 *
 * Collection "anomaly_index", written with it, has empty documents; its keys hold all that a list
 * is chosen by:
 *
 *     id (24 bytes) | severity (1) | kind (1) | status (1) | symbol, NUL | method
 *
 * Choosing and counting touch no document: a log of 300,000 is gone through in 20 ms, a third of
 * what the keys of its documents would take, which lie far apart.
 *
 * Document: { id, dataset, symbol, timeframe: "1h" | null, time: <date, open of the bar>, method,
 * kind, severity, status, price, score, threshold, expected, observed: <double> | null, direction,
 * reason, details?: {..}, parameters: {..}, script_hash: text | null, detected_at: <date>,
 * acknowledged_at, resolved_at: <date> | null } */
#ifndef PT_ANOMALY_H
#define PT_ANOMALY_H

#include "store/store.h"

#define PT_ANOMALIES "anomalies"
#define PT_ANOMALY_INDEX "anomaly_index"
#define PT_ANOMALY_METHOD_MAX 48 /* with its NUL */
#define PT_ANOMALY_ID_MAX 49     /* the same */

#define PT_ANOMALY_SEVERITIES(X)                                                                   \
    X(LOW, "low") X(MEDIUM, "medium") X(HIGH, "high") X(CRITICAL, "critical")
#define PT_ANOMALY_KINDS(X) X(MARKET, "market") X(DATA_QUALITY, "data_quality")
#define PT_ANOMALY_STATUSES(X) X(NEW, "new") X(ACKNOWLEDGED, "acknowledged") X(RESOLVED, "resolved")

#define X(name, text) PT_ANOMALY_##name,
enum pt_anomaly_severity { PT_ANOMALY_SEVERITIES(X) PT_ANOMALY_NSEVERITIES };
enum pt_anomaly_kind { PT_ANOMALY_KINDS(X) PT_ANOMALY_NKINDS };
enum pt_anomaly_status { PT_ANOMALY_STATUSES(X) PT_ANOMALY_NSTATUSES };
#undef X
/* Their words, in this order, each ended by NULL. */
extern const char *const pt_anomaly_severities[], *const pt_anomaly_kinds[],
                                                      *const pt_anomaly_statuses[];
/* The place of a word in such a list; -1: none. */
int pt_anomaly_word(const char *const *words, const char *word);

/* ---- writing ------------------------------------------------------------------------------ */
/* Where a hit comes from. */
struct pt_anomaly_source {
    struct pt_series_key dataset;
    const char *method; /* the script, or what else found it */
    enum pt_anomaly_kind kind;
    const bson_t *parameters; /* all that it was found with */
    const char *script_hash;  /* NULL: no script */
    int64_t now_us;
};
/* hit: one of data.anomalies of a detector's result (data/unit.h). PT_EINVAL says what it lacks. */
enum pt_code pt_anomaly_id(const struct pt_anomaly_source *source, const bson_t *hit,
                           char id[PT_ANOMALY_ID_MAX], struct pt_err *err);
/* Logs a hit that is not there yet. PT_EINVAL (the transaction goes on): it is no hit. */
enum pt_code pt_anomaly_add(struct pt_write *write, const struct pt_anomaly_source *source,
                            const bson_t *hit, bool *added, struct pt_err *err);
/* Acknowledged or resolved, at now_us; what is so already stays as it is. *doc: the document then,
 * bson_destroy. PT_ENOENT: no such id. PT_EINVAL: it is resolved, and cannot be acknowledged any
 * more. */
enum pt_code pt_anomaly_settle(struct pt_write *write, const char *id,
                               enum pt_anomaly_status status, int64_t now_us, bson_t **doc,
                               struct pt_err *err);
/* Removes hits of bars before before_us, the oldest thousand at most: one transaction. Adds their
 * number to *removed; *more: there may be others. */
enum pt_code pt_anomaly_expire(struct pt_store *store, int64_t before_us, uint64_t *removed,
                               bool *more, struct pt_err *err);

/* ---- reading ------------------------------------------------------------------------------ */
/* What a key of the index says. Borrowed: valid as long as the key. */
struct pt_anomaly {
    int64_t time_us;
    enum pt_anomaly_severity severity;
    enum pt_anomaly_kind kind;
    enum pt_anomaly_status status;
    const char *symbol, *method; /* the method ends with the key, at `method_len` */
    size_t method_len;
    const void *id; /* its bytes: the key of the document */
};
struct pt_anomaly_filter {
    const char *symbol, *method; /* NULL: all */
    int severity, kind, status;  /* -1: all */
    int64_t from_us, to_us;      /* time of the bar: from, inclusive; to, exclusive */
};
/* fn returns false to stop. Keys that are none are passed over. */
typedef bool (*pt_anomaly_fn)(void *arg, const struct pt_anomaly *anomaly);
enum pt_code pt_anomaly_each(struct pt_read *read, const struct pt_anomaly_filter *filter,
                             bool descending, pt_anomaly_fn fn, void *arg, struct pt_err *err);
/* Its document, a borrowed view. */
enum pt_code pt_anomaly_get(struct pt_read *read, const struct pt_anomaly *anomaly, bson_t *view,
                            struct pt_err *err);
/* Compares the index with the documents, and calls fn for each entry that has no other half, or
 * another than it says. Documents that are damaged themselves are not told. */
enum pt_code pt_anomaly_verify(struct pt_read *read, pt_fault_fn fn, void *arg, struct pt_err *err);

#endif
