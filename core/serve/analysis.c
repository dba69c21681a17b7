#include "serve/analysis.h"

#include "flow/result.h"
#include "serve/results.h"

#include <stdlib.h>

void pt_analysis_body(const struct pt_analysis *analysis, struct pt_json *json)
{
    char collection[PT_COLLECTION_MAX];
    int64_t as_of_us;
    size_t n = analysis->n;
    bson_t *docs = pt_results_views(n);
    if (docs == NULL) {
        json->out->failed = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (!bson_init_static(&docs[i], bson_get_data(analysis->docs[i]), analysis->docs[i]->len)) {
            json->out->failed = true;
        }
    }
    pt_result_collection(analysis->pair, analysis->script->name, collection);
    struct pt_results results = { .script = analysis->script,
                                  .pair = analysis->pair,
                                  .collection = collection,
                                  .period_us = analysis->period_us,
                                  .n = n,
                                  .docs = docs,
                                  .total = (int64_t)n,
                                  .limit = n > 1 ? (int64_t)n : 1,
                                  .history = n > 1,
                                  .on_request = analysis->on_request,
                                  .lists = true };
    if (analysis->live && n > 0 && pt_result_as_of(&docs[n - 1], &as_of_us)) {
        results.stale =
            analysis->now_us > pt_results_stale_us(analysis->script, as_of_us, analysis->period_us);
    }
    if (!json->out->failed) pt_results_json(&results, json);
    free(docs);
}
