/* hits.c - the result of a detector on its way into the log of anomalies.      [layer: flow] */
#include "flow/hits.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/timefmt.h"

#include <string.h>

bool pt_script_is_detector(const struct pt_script *script)
{
    return strcmp(script->kind, "anomaly") == 0;
}

bool pt_hits_init(struct pt_hits *hits, const struct pt_script *script, const bson_t *doc)
{
    const char *symbol, *period, *of;
    bson_iter_t top, computed;
    struct pt_anomaly_source *source = &hits->source;
    *source = (struct pt_anomaly_source){ .dataset = { .kind = PT_CANDLES },
                                          .method = script->name,
                                          .kind = PT_ANOMALY_MARKET,
                                          .parameters = &hits->parameters,
                                          .script_hash = script->source->hash,
                                          .now_us = pt_now_us() };
    if (!pt_doc_text(doc, "symbol", &symbol) || !pt_doc_text(doc, "timeframe", &period) ||
        pt_symbol_parse(symbol, strlen(symbol), source->dataset.symbol) != PT_OK ||
        pt_period_parse(period, strlen(period), &source->dataset.period_us) != PT_OK ||
        !pt_doc_child(doc, "metadata.parameters", &hits->parameters))
        return false;
    /* the version that found them: a reload may have put another in force since */
    pt_doc_text(doc, "metadata.script_hash", &source->script_hash);
    if (pt_doc_text(script->declaration, "of", &of)) {
        int kind = pt_anomaly_word(pt_anomaly_kinds, of);
        if (kind >= 0) source->kind = (enum pt_anomaly_kind)kind;
    }
    if (bson_iter_init(&top, doc) &&
        bson_iter_find_descendant(&top, "metadata.computed_at", &computed) &&
        BSON_ITER_HOLDS_DATE_TIME(&computed))
        source->now_us = bson_iter_date_time(&computed) * 1000;
    return true;
}

bool pt_hits_iter(const bson_t *doc, bson_iter_t *iter)
{
    bson_t list;
    return pt_doc_child(doc, "data.anomalies", &list) && bson_iter_init(iter, &list);
}

enum pt_code pt_hits_log(struct pt_write *write, const struct pt_script *script, const bson_t *doc,
                         bson_iter_t *iter, size_t most, uint64_t *added, struct pt_err *err)
{
    struct pt_hits hits;
    bson_t hit;
    if (!pt_hits_init(&hits, script, doc)) {
        while (pt_doc_next(iter, &hit)) continue; /* nothing of it can be logged */
        return PT_OK;
    }
    while (most-- > 0 && pt_doc_next(iter, &hit)) {
        bool new;
        enum pt_code rc = pt_anomaly_add(write, &hits.source, &hit, &new, err);
        if (rc == PT_EINVAL) {
            pt_log(PT_ERROR, "anomalies", "no_hit", "script=%s symbol=%s error=\"%s\"",
                   script->name, hits.source.dataset.symbol, err->text);
            continue;
        }
        if (rc != PT_OK) return rc;
        *added += new;
    }
    return PT_OK;
}
