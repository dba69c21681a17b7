/* anomalies.h - hits of detectors and entries of the log as replies. [layer: serve]
 * Figures are decimal strings; price, and of the details volume and features, are numbers. */
#ifndef PT_ANOMALIES_H
#define PT_ANOMALIES_H

#include "base/json.h"
#include "data/doc.h"
#include "serve/route.h"

/* An entry of the log (store/anomaly.h) as an object; as a line of CSV, details as JSON in one
 * cell. */
void pt_anomaly_json(const bson_t *doc, struct pt_json *json);
void pt_anomaly_csv_head(struct pt_buf *out);
void pt_anomaly_csv(const bson_t *doc, struct pt_buf *out);

/* A hit of a result (data/unit.h) as an object: its details stand beside its other members, those
 * whose names are taken in `details`. */
void pt_hit_json(const bson_t *hit, const char *method, const char *id, struct pt_json *json);

/* Counts by name, for a summary. Zeroed = empty. */
struct pt_tally {
    size_t n, cap;
    struct pt_tally_entry {
        char name[64];
        int64_t count;
    } * v;       /* owned; sorted by name */
    bool failed; /* no memory */
};
void pt_tally_add(struct pt_tally *tally, const char *name, size_t len); /* one more */
void pt_tally_json(const struct pt_tally *tally, const char *key, struct pt_json *json);
void pt_tally_fini(struct pt_tally *tally);

/* The JSON Schema of what a route of the log replies; false: it is none of them. */
bool pt_anomaly_schema(const struct pt_route *route, struct pt_json *json);

#endif
