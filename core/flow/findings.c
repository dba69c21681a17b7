/* findings.c - what only ingest can see of the quality of data.                [layer: flow] */
#include "flow/findings.h"

#include "base/decimal.h"
#include "base/log.h"
#include "base/timefmt.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

#define INGEST "ingest"
#define FEED "feed"
#define SKEW_US (5 * PT_US_SEC)
#define SKEWED_FOR_US PT_US_MIN /* late rows are skewed when they stay so late for so long */
#define STALE_PERIODS 3
#define SILENT_US PT_US_MIN     /* a feed that still brings closed bars is catching up */
#define AHEAD_MAX_US PT_US_HOUR /* the time of a row that is further ahead says nothing */

void pt_findings_fini(struct pt_findings *findings)
{
    for (size_t i = 0; i < findings->n; i++) bson_destroy(findings->v[i].hit);
    findings->n = 0;
}

/* ---- bounds -------------------------------------------------------------------------------- */

/* Its slot, which is new (of no bar) when none had it. */
static struct pt_findings_slot *slot_of(struct pt_findings *findings, uint64_t hash)
{
    struct pt_findings_slot *set =
        &findings->slots[hash % (PT_FINDINGS_SLOTS / PT_FINDINGS_WAYS) * PT_FINDINGS_WAYS];
    struct pt_findings_slot *oldest = set;
    for (size_t i = 0; i < PT_FINDINGS_WAYS; i++) {
        if (set[i].hash == hash) return &set[i];
        if (set[i].bar_us < oldest->bar_us) oldest = &set[i];
    }
    *oldest = (struct pt_findings_slot){ .hash = hash };
    return oldest;
}

/* One a bar of a dataset and reason, and none of bars before. */
static bool is_due(struct pt_findings *findings, const struct pt_series_key *dataset,
                   const char *reason, int64_t bar_us, struct pt_findings_slot **slot)
{
    uint64_t seed = (uint64_t)dataset->period_us * 31 + (uint64_t)dataset->kind;
    seed = XXH3_64bits_withSeed(reason, strlen(reason), seed);
    *slot = slot_of(findings, XXH3_64bits_withSeed(dataset->symbol, strlen(dataset->symbol), seed));
    if (bar_us > (*slot)->bar_us) return true;
    (*slot)->more++;
    return false;
}

/* A bucket of PT_FINDINGS_BURST that gains one each PT_FINDINGS_EVERY_US. */
static bool spend(struct pt_findings *findings, int64_t now_us)
{
    int64_t full_us = now_us - PT_FINDINGS_BURST * PT_FINDINGS_EVERY_US;
    /* also after a clock that was set back */
    if (findings->spent_us < full_us || findings->spent_us > now_us + PT_FINDINGS_EVERY_US)
        findings->spent_us = full_us;
    if (findings->n == PT_FINDINGS_BURST || findings->spent_us + PT_FINDINGS_EVERY_US > now_us) {
        findings->dropped++;
        return false;
    }
    findings->spent_us += PT_FINDINGS_EVERY_US;
    return true;
}

/* ---- a hit --------------------------------------------------------------------------------- */

/* As of the scores of detectors. */
static const char *severity_of(double score, double threshold)
{
    if (score > threshold * 5 / 3) return "critical";
    if (score > threshold * 4 / 3) return "high";
    return score > threshold * 1.1 ? "medium" : "low";
}

struct figures {
    double price, score, threshold, expected, observed; /* NaN: none */
    const char *severity;
    const struct pt_record *bar; /* whose prices are told; NULL: none */
};

static void append_number(bson_t *hit, const char *name, double x)
{
    if (isfinite(x))
        bson_append_double(hit, name, -1, x);
    else
        bson_append_null(hit, name, -1);
}

static double cell(const struct pt_record *record, unsigned at)
{
    return pt_dec_double(record->val[at], record->dig[at]);
}

static void append_details(bson_t *hit, const struct pt_record *bar, uint64_t more)
{
    static const char *const names[] = { "open", "high", "low", "close" };
    _Static_assert((int)PT_K_OPEN == (int)PT_C_OPEN && (int)PT_K_CLOSE == (int)PT_C_CLOSE,
                   "tickers have the prices of bars");
    bson_t details;
    if (!bar && more == 0) return;
    bson_append_document_begin(hit, "details", -1, &details);
    for (unsigned i = 0; bar && i < 4; i++)
        append_number(&details, names[i], cell(bar, PT_C_OPEN + i));
    if (more > 0) bson_append_int64(&details, "more", -1, (int64_t)more);
    bson_append_document_end(hit, &details);
}

static bool add(struct pt_findings *findings, const struct pt_series_key *dataset,
                const char *method, const char *reason, int64_t bar_us, int64_t now_us,
                const struct figures *figures)
{
    struct pt_findings_slot *slot;
    if (!is_due(findings, dataset, reason, bar_us, &slot) || !spend(findings, now_us)) return false;
    bson_t *hit = bson_new();
    bson_append_date_time(hit, "time", -1, bar_us / 1000);
    append_number(hit, "price", figures->price);
    append_number(hit, "score", figures->score);
    append_number(hit, "threshold", figures->threshold);
    append_number(hit, "expected", figures->expected);
    append_number(hit, "observed", figures->observed);
    bson_append_utf8(hit, "direction", -1, "none", -1);
    bson_append_utf8(hit, "severity", -1, figures->severity, -1);
    bson_append_utf8(hit, "reason", -1, reason, -1);
    append_details(hit, figures->bar, slot->more);
    findings->v[findings->n++] = (struct pt_finding){
        .dataset = *dataset, .method = method, .reason = reason, .hit = hit, .now_us = now_us
    };
    slot->bar_us = bar_us;
    slot->more = 0;
    return true;
}

/* The bar or minute that holds a time. */
static int64_t bar_of(const struct pt_series_key *dataset, int64_t time_us)
{
    int64_t period_us = dataset->period_us > 0 ? dataset->period_us : PT_US_MIN;
    return pt_period_floor(period_us, time_us);
}

/* ---- rows ---------------------------------------------------------------------------------- */

/* cells of a book */
enum { BEST_BID = 2, BEST_ASK = BEST_BID + 2 * PT_DEPTH_LEVELS };

static double price_of(const struct pt_record *record)
{
    switch (record->key.kind) {
    case PT_CANDLES: return cell(record, PT_C_CLOSE);
    case PT_TRADES: return cell(record, PT_T_PRICE);
    case PT_DEPTH: return (cell(record, BEST_BID) + cell(record, BEST_ASK)) / 2;
    case PT_TICKERS: return cell(record, PT_K_CLOSE);
    case PT_MARKS: return cell(record, PT_M_MARK);
    case PT_FUNDING:
    case PT_KINDS: break;
    }
    return NAN;
}

void pt_findings_refused(struct pt_findings *findings, const struct pt_record *record,
                         const char *reason, int64_t recv_us)
{
    static const struct {
        const char *word, *reason;
        bool book;
    } known[] = { { "crossed_book", "crossed_book", true },
                  { "locked_book", "locked_book", true },
                  { "ohlc_order", "ohlc_violation", false } };
    size_t i = 0;
    while (i < sizeof known / sizeof known[0] && strcmp(known[i].word, reason) != 0) i++;
    if (i == sizeof known / sizeof known[0]) return;
    double price = price_of(record);
    struct figures figures = { .price = price,
                               .score = NAN,
                               .threshold = NAN,
                               .expected = NAN,
                               .observed = price,
                               .severity = "high",
                               .bar = known[i].book ? NULL : record };
    if (known[i].book) { /* by how much, in hundredths of a percent */
        figures.observed = cell(record, BEST_BID);
        figures.expected = cell(record, BEST_ASK);
        figures.score = (figures.observed / figures.expected - 1) * 10000;
        figures.threshold = 0;
    }
    int64_t time_us = record->val[0];
    if (time_us <= 0 || time_us > recv_us + AHEAD_MAX_US) time_us = recv_us;
    add(findings, &record->key, INGEST, known[i].reason, bar_of(&record->key, time_us), recv_us,
        &figures);
}

/* How long after its time it came; of what has no time of its own as little as it may be. */
static int64_t lag_of(const struct pt_record *record, int64_t recv_us)
{
    int64_t time_us = record->val[0];
    if (record->key.kind == PT_FUNDING) return 0; /* a payment is told when the next is awaited */
    if (record->key.kind != PT_CANDLES) return recv_us - time_us;
    if (record->val[PT_C_CLOSED] == 1) time_us += record->key.period_us;
    return recv_us < time_us ? recv_us - time_us : 0;
}

static void skewed(struct pt_findings *findings, const struct pt_record *record, int64_t lag_us,
                   int64_t recv_us)
{
    double lag = (double)lag_us / (double)PT_US_SEC, threshold = SKEW_US / PT_US_SEC;
    const struct figures figures = { .price = price_of(record),
                                     .score = fabs(lag),
                                     .threshold = threshold,
                                     .expected = 0,
                                     .observed = lag,
                                     .severity = severity_of(fabs(lag), threshold) };
    add(findings, &record->key, INGEST, "timestamp_skew", bar_of(&record->key, recv_us), recv_us,
        &figures);
}

static void note_bar(struct pt_seen *seen, const struct pt_record *record, int64_t recv_us)
{
    int64_t bar_us = bar_of(&record->key, recv_us); /* no bar is later, whatever it says */
    if (record->val[0] < bar_us) bar_us = record->val[0];
    if (seen->recv_us == 0) seen->first_us = bar_us;
    if (record->val[PT_C_CLOSED] == 1) seen->closed_us = recv_us;
}

void pt_findings_row(struct pt_findings *findings, struct pt_seen *seen,
                     const struct pt_record *record, unsigned slot, int64_t recv_us)
{
    int64_t lag_us = lag_of(record, recv_us);
    seen->slot = slot;
    if (record->key.kind == PT_CANDLES) note_bar(seen, record, recv_us);
    seen->recv_us = recv_us;
    if (lag_us >= -SKEW_US && lag_us <= SKEW_US) {
        seen->late_us = 0;
        return;
    }
    if (lag_us < 0) {
        skewed(findings, record, lag_us, recv_us);
        return;
    }
    int64_t since_us = recv_us - seen->late_us;
    if (seen->late_us != 0 && since_us < SKEWED_FOR_US) return;
    /* who catches up gains on the clock */
    if (seen->late_us != 0 && lag_us > seen->lag_us - since_us / 2)
        skewed(findings, record, lag_us, recv_us);
    seen->late_us = recv_us;
    seen->lag_us = lag_us;
}

void pt_findings_look(struct pt_findings *findings, struct pt_seen *seen,
                      const struct pt_series_key *key, int64_t newest_us, int64_t now_us)
{
    if (key->kind != PT_CANDLES || seen->recv_us == 0) return;
    int64_t missing_us = seen->first_us;
    if (newest_us != PT_MISSING && newest_us + key->period_us > missing_us)
        missing_us = newest_us + key->period_us; /* opens when the newest closed */
    if (now_us - missing_us <= STALE_PERIODS * key->period_us ||
        now_us - seen->closed_us < SILENT_US || seen->missed_us == missing_us)
        return;
    double periods = (double)(now_us - missing_us) / (double)key->period_us;
    const struct figures figures = { .price = NAN,
                                     .score = periods,
                                     .threshold = STALE_PERIODS,
                                     .expected = NAN,
                                     .observed = periods,
                                     .severity = severity_of(periods, STALE_PERIODS) };
    if (add(findings, key, FEED, "stale_feed", missing_us, now_us, &figures))
        seen->missed_us = missing_us;
}

/* ---- into the log -------------------------------------------------------------------------- */

enum pt_code pt_findings_write(struct pt_findings *findings, struct pt_write *write,
                               struct pt_err *err)
{
    findings->added = 0;
    for (size_t i = 0; i < findings->n; i++) {
        const struct pt_finding *finding = &findings->v[i];
        bson_t parameters = BSON_INITIALIZER;
        bool added = false;
        const struct pt_anomaly_source source = { .dataset = finding->dataset,
                                                  .method = finding->method,
                                                  .kind = PT_ANOMALY_DATA_QUALITY,
                                                  .parameters = &parameters,
                                                  .now_us = finding->now_us };
        enum pt_code rc = pt_anomaly_add(write, &source, finding->hit, &added, err);
        bson_destroy(&parameters);
        if (rc == PT_EINVAL)
            pt_log(PT_ERROR, "ingest", "no_finding", "reason=%s error=\"%s\"", finding->reason,
                   err->text);
        else if (rc != PT_OK)
            return rc;
        findings->added += added;
    }
    return PT_OK;
}

void pt_findings_committed(struct pt_findings *findings)
{
    pt_findings_fini(findings);
    findings->logged += findings->added;
    findings->added = 0;
}

void pt_findings_drop(struct pt_findings *findings)
{
    findings->dropped += findings->n;
    findings->added = 0;
    pt_findings_fini(findings);
}
