/* routes_quality.c - how well the stored data is: /health and /health/summary. [layer: serve] */
#include "base/clock.h"
#include "base/decimal.h"
#include "base/timefmt.h"
#include "serve/list.h"
#include "serve/thread.h"
#include "store/bars.h"

#include <math.h>
#include <string.h>

#define SOURCE "store"
#define HEALTHY_FROM 90.0  /* score of a dataset */
#define DEGRADED_FROM 70.0 /* below: unhealthy */

enum { HEALTH_PAIR, HEALTH_PERIOD };
const struct pt_param pt_health_params[] = {
    [HEALTH_PAIR] = PT_PARAM_ROW_PAIR,
    [HEALTH_PERIOD] = { .name = "period",
                        .type = PT_PARAM_PERIOD,
                        .about = "length of a bar; without it all stored periods together" },
    { 0 },
};

static double two_digits(double v)
{
    return round(v * 100) / 100;
}

/* Of one series, or of all of a pair added up. */
struct quality {
    struct pt_thread *thread;
    struct pt_read *read;
    const char *pair;
    struct pt_span sum; /* close_us: the newest */
    uint64_t gaps;
    int64_t stored_us; /* period that was looked at; 0 = several or none */
    enum pt_code rc;
    struct pt_err err;
};

static void add_series(struct quality *quality, const struct pt_series *series)
{
    struct pt_span span;
    uint64_t gaps = 0;
    quality->rc = pt_span_read(quality->read, series, &span, &quality->err);
    if (quality->rc == PT_OK)
        quality->rc =
            pt_gaps_count(&quality->thread->gaps, quality->read, series, &gaps, &quality->err);
    if (quality->rc != PT_OK) return;
    quality->sum.rows += span.rows;
    quality->sum.expected += span.expected;
    quality->gaps += gaps;
    bool newer = quality->sum.close_us == PT_MISSING || span.close_us > quality->sum.close_us;
    if (span.close_us != PT_MISSING && newer) quality->sum.close_us = span.close_us;
}

/* Each period by its key: other pairs are not looked at. A period that is not stored is what its
 * source is. */
static enum pt_code look(struct quality *quality, int64_t period_us)
{
    struct pt_bars_source source = { .period_us = 0 };
    struct pt_series series;
    enum pt_code rc = PT_OK;
    if (period_us != 0) {
        rc = pt_bars_source(quality->read, quality->pair, period_us, &source, &quality->err);
        quality->stored_us = source.period_us;
        if (rc == PT_OK && source.period_us != 0) add_series(quality, &source.series);
        return rc == PT_OK ? quality->rc : rc;
    }
    for (const int64_t *one = pt_periods; *one != 0 && quality->rc == PT_OK; one++) {
        struct pt_series_key key = { .kind = PT_CANDLES, .period_us = *one };
        strcpy(key.symbol, quality->pair);
        rc = pt_series_find(quality->read, &key, &series, &quality->err);
        if (rc != PT_OK && rc != PT_ENOENT) return rc;
        if (rc == PT_OK) add_series(quality, &series);
    }
    return quality->rc;
}

static void write_figures(const struct quality *quality, int64_t now_us, struct pt_json *json)
{
    bool there = quality->sum.rows > 0;
    pt_json_key(json, "health");
    pt_json_object(json);
    pt_list_percent(json, "completeness", two_digits(pt_span_percent(&quality->sum)));
    if (quality->sum.close_us != PT_MISSING) {
        int64_t age_us = now_us - quality->sum.close_us;
        pt_json_kv_int(json, "freshness_sec", age_us > 0 ? age_us / PT_US_SEC : 0);
    } else {
        pt_json_kv_null(json, "freshness_sec");
    }
    if (there) {
        pt_json_kv_int(json, "gaps", (int64_t)quality->gaps);
        pt_json_kv_int(json, "duplicates", 0); /* a series has one row a time, by its keys */
    } else {
        pt_json_kv_null(json, "gaps");
        pt_json_kv_null(json, "duplicates");
    }
    pt_json_kv_null(json, "consistency_score"); /* these two are an audit's to say */
    pt_json_kv_null(json, "quality_score");
    pt_json_object_end(json);
}

static void write_period(const char *key, int64_t period_us, struct pt_json *json)
{
    char text[PT_PERIOD_TEXT_MAX];
    if (period_us != 0) pt_period_print(period_us, text);
    pt_json_kv_text(json, key, period_us != 0 ? text : NULL);
}

void pt_handle_health(struct pt_request *request)
{
    const struct pt_value *value = request->value;
    int64_t period_us = value[HEALTH_PERIOD].given ? value[HEALTH_PERIOD].number : 0;
    struct quality quality = { .thread = request->thread,
                               .pair = value[HEALTH_PAIR].symbol,
                               .sum = { .close_us = PT_MISSING } };
    struct pt_buf out = { 0 };
    struct pt_json json;
    enum pt_code rc = pt_read_begin(request->thread->http->store, &quality.read, &quality.err);
    if (rc == PT_OK) rc = look(&quality, period_us);
    pt_read_end(quality.read);
    if (rc != PT_OK) {
        pt_reply_error(request, &quality.err);
        return;
    }
    pt_json_init(&json, &out);
    pt_json_object(&json);
    pt_json_kv_text(&json, "pair", quality.pair);
    write_period("period", period_us, &json);
    write_figures(&quality, pt_now_us(), &json);
    pt_json_key(&json, "metadata");
    pt_json_object(&json);
    pt_json_kv_null(&json, "last_audit");
    pt_json_kv_text(&json, "data_source", SOURCE);
    if (quality.stored_us != 0 && quality.stored_us != period_us)
        write_period("derived_from", quality.stored_us, &json);
    pt_json_object_end(&json);
    pt_json_key(&json, "parameters");
    pt_json_object(&json);
    pt_json_kv_text(&json, "pair", quality.pair);
    write_period("period", period_us, &json);
    pt_json_object_end(&json);
    pt_json_object_end(&json);
    pt_reply_text(request, 200, PT_TYPE_JSON, &out);
}

void pt_handle_summary(struct pt_request *request)
{
    struct pt_thread *thread = request->thread;
    const struct pt_catalog *catalog = &thread->catalog;
    int64_t total = 0, healthy = 0, degraded = 0;
    double sum = 0;
    struct pt_buf out = { 0 };
    struct pt_json json;
    struct pt_err err;
    if (pt_catalog_refresh(&thread->catalog, thread->http->store, pt_now_us(), &err) != PT_OK) {
        pt_reply_error(request, &err);
        return;
    }
    for (size_t i = 0; i < catalog->n; i++) {
        double score = catalog->v[i].score;
        if (isnan(score)) continue;
        total++;
        sum += score;
        healthy += score >= HEALTHY_FROM;
        degraded += score < HEALTHY_FROM && score >= DEGRADED_FROM;
    }
    pt_json_init(&json, &out);
    pt_json_object(&json);
    pt_json_key(&json, "data");
    pt_json_object(&json);
    pt_json_kv_int(&json, "total_datasets", total);
    pt_json_kv_int(&json, "healthy_datasets", healthy);
    pt_json_kv_int(&json, "degraded_datasets", degraded);
    pt_json_kv_int(&json, "unhealthy_datasets", total - healthy - degraded);
    pt_list_percent(&json, "overall_score", total > 0 ? two_digits(sum / (double)total) : NAN);
    pt_json_object_end(&json);
    pt_json_key(&json, "metadata");
    pt_json_object(&json);
    pt_json_kv_time(&json, "last_updated", catalog->made_us);
    pt_json_kv_text(&json, "source", SOURCE);
    pt_json_object_end(&json);
    pt_json_key(&json, "parameters");
    pt_json_object(&json);
    pt_json_object_end(&json);
    pt_json_object_end(&json);
    pt_reply_text(request, 200, PT_TYPE_JSON, &out);
}
