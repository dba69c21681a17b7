/* analysis.h - result documents as the body of GET /analysis/NAME: also what `petrosa eval --json` prints.  [layer: serve] */
#ifndef PT_ANALYSIS_H
#define PT_ANALYSIS_H

#include "flow/scripts.h"

struct pt_analysis {
    const struct pt_script *script; /* shape, method, outputs come from its declaration */
    const char *pair;
    int64_t period_us;
    const bson_t *const *docs; /* result documents (data/unit.h), oldest first, [n]; n == 0: no data */
    size_t n;
    bool on_request;           /* computed just now: metadata.computed says so */
    bool live;                 /* no as_of was asked: status may become "stale" (older than 3 periods + 60 s) */
    int64_t now_us;            /* for `stale`; 0 with live == false */
};

/* Writes one JSON object; both shapes of spec: values[] or data{}, list keys as configured ("seed"). */
void pt_analysis_body(const struct pt_analysis *analysis, struct pt_json *json);

#endif
