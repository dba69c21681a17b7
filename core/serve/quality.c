/* quality.c - completeness, freshness and gaps of candle series. [layer: serve] */
#include "base/clock.h"
#include "base/decimal.h"
#include "base/timefmt.h"
#include "serve/catalog.h"

#include <math.h>
#include <string.h>

enum pt_code pt_span_read(struct pt_read *read, const struct pt_series *series,
                          struct pt_span *span, struct pt_err *err)
{
    int64_t period_us = series->key.period_us, last_us = series->last_us;
    struct pt_frame last;
    *span = (struct pt_span){ .close_us = PT_MISSING };
    if (series->rows == 0) return PT_OK;
    pt_frame_init(&last, pt_kind(PT_CANDLES));
    enum pt_code rc = pt_series_page(read, &series->key, 0, INT64_MAX, 0, 1, true, &last, err);
    bool open = rc == PT_OK && last.n > 0 && !(last.val[PT_C_CLOSED][0] > 0);
    pt_frame_fini(&last);
    if (rc != PT_OK) return rc;
    span->rows = series->rows - open;
    span->expected = (uint64_t)((last_us - series->first_us) / period_us + 1) - open;
    if (span->rows > 0) span->close_us = open ? last_us : last_us + period_us;
    return PT_OK;
}

double pt_span_percent(const struct pt_span *span)
{
    return span->expected > 0 ? 100.0 * (double)span->rows / (double)span->expected : NAN;
}

double pt_freshness(int64_t age_us, int64_t period_us)
{
    double grace_us = 0.1 * (double)period_us + 5e6, end_us = 3.0 * (double)period_us;
    double age = (double)age_us;
    if (age <= grace_us) return 100;
    if (age >= end_us) return 0;
    return 100 * (end_us - age) / (end_us - grace_us);
}

double pt_score(double completeness, double freshness)
{
    return 0.8 * completeness + 0.2 * freshness;
}

/* ---- gaps ---- */

struct holes {
    int64_t before_us, period_us; /* before: PT_MISSING at the first row */
    uint64_t gaps, rows;
};

static bool count_holes(void *arg, size_t n, const int64_t *time_us, const double *const *cols)
{
    struct holes *holes = arg;
    (void)cols;
    for (size_t i = 0; i < n; i++) {
        if (holes->before_us != PT_MISSING && time_us[i] - holes->before_us > holes->period_us)
            holes->gaps++;
        holes->before_us = time_us[i];
    }
    holes->rows += n;
    return true;
}

static struct pt_gaps_slot *slot_for(struct pt_gaps_cache *cache, uint32_t id)
{
    struct pt_gaps_slot *best = &cache->slot[0];
    for (size_t i = 0; i < PT_GAPS_SLOTS; i++) {
        struct pt_gaps_slot *slot = &cache->slot[i];
        if (slot->counted_us != 0 && slot->series.id == id) return slot;
        if (slot->used < best->used) best = slot;
    }
    return best;
}

/* Rows are only put or, from the start on, expired. So as long as the first row is the same one and
 * there are as many rows up to the last one seen, they are the same rows. */
static enum pt_code still_true(struct pt_read *read, const struct pt_gaps_slot *slot,
                               const struct pt_series *series, bool *same, struct pt_err *err)
{
    uint64_t rows;
    *same = slot->counted_us != 0 && slot->series.id == series->id &&
            slot->series.first_us == series->first_us && series->last_us >= slot->series.last_us &&
            pt_mono_us() - slot->counted_us < PT_GAPS_TRUST_US;
    if (!*same) return PT_OK;
    enum pt_code rc = pt_series_count(read, &series->key, slot->series.first_us,
                                      slot->series.last_us + 1, &rows, err);
    *same = rc == PT_OK && rows == slot->series.rows;
    return rc;
}

enum pt_code pt_gaps_count(struct pt_gaps_cache *cache, struct pt_read *read,
                           const struct pt_series *series, uint64_t *gaps, struct pt_err *err)
{
    *gaps = 0;
    if (series->rows == 0) return PT_OK;
    struct pt_gaps_slot *slot = slot_for(cache, series->id);
    bool same = slot->counted_us != 0 && slot->series.id == series->id &&
                slot->series.version == series->version;
    slot->used = ++cache->clock;
    *gaps = slot->gaps;
    if (same) return PT_OK;
    enum pt_code rc = still_true(read, slot, series, &same, err);
    if (rc != PT_OK) return rc;
    struct holes holes = { .before_us = same ? slot->series.last_us : PT_MISSING,
                           .period_us = series->key.period_us,
                           .gaps = same ? slot->gaps : 0 };
    int64_t from_us = same ? slot->series.last_us + 1 : 0;
    rc = pt_series_scan(read, &series->key, from_us, INT64_MAX, NULL, 0, count_holes, &holes, err);
    cache->scanned += holes.rows;
    if (rc != PT_OK) {
        slot->counted_us = 0;
        return rc;
    }
    if (!same) slot->counted_us = pt_mono_us();
    slot->series = *series;
    *gaps = slot->gaps = holes.gaps;
    return PT_OK;
}
