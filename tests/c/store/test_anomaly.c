/* test_anomaly.c - the log of anomalies: one document a hit, and lists of them by key alone. */
#include "kit.h"

#include "store/anomaly.h"
#include "store/internal.h"
#include "store/retention.h"

#define H PT_US_HOUR

static char *path;
static struct pt_store *store;

static void setup(void)
{
    path = kit_folder();
    store = kit_open(path);
}

static bool count_key(void *arg, const void *key, size_t len)
{
    (void)key;
    (void)len;
    ++*(size_t *)arg;
    return true;
}

/* Documents and index are written together: `more` keys of the index are none of the log's. */
static void check_whole(size_t more)
{
    struct pt_read *read;
    size_t docs = 0, index = 0;
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_docs_keys(read, PT_ANOMALIES, count_key, &docs, &kit_err));
    OK(pt_docs_keys(read, PT_ANOMALY_INDEX, count_key, &index, &kit_err));
    pt_read_end(read);
    CU_ASSERT_EQUAL(index, docs + more);
}

static void teardown(void)
{
    check_whole(0);
    pt_store_close(store);
    kit_remove(path);
}

static bson_t *hit_at(int64_t time_us, double score, const char *severity)
{
    bson_t *hit = bson_new(), details;
    BSON_APPEND_DATE_TIME(hit, "time", time_us / 1000);
    BSON_APPEND_DOUBLE(hit, "price", 101.5);
    BSON_APPEND_DOUBLE(hit, "score", score);
    BSON_APPEND_DOUBLE(hit, "threshold", 3.5);
    BSON_APPEND_NULL(hit, "expected");
    BSON_APPEND_DOUBLE(hit, "observed", 0.07);
    BSON_APPEND_UTF8(hit, "direction", "up");
    BSON_APPEND_UTF8(hit, "severity", severity);
    BSON_APPEND_UTF8(hit, "reason", "statistical_outlier");
    BSON_APPEND_DOCUMENT_BEGIN(hit, "details", &details);
    BSON_APPEND_DOUBLE(&details, "volume", 12.5);
    bson_append_document_end(hit, &details);
    return hit;
}

static struct pt_anomaly_source source_of(const char *symbol, const char *method,
                                          const bson_t *parameters)
{
    return (struct pt_anomaly_source){ .dataset = kit_key(PT_CANDLES, symbol, H),
                                       .method = method,
                                       .kind = PT_ANOMALY_MARKET,
                                       .parameters = parameters,
                                       .script_hash = "cafe",
                                       .now_us = T0 + 900 * H };
}

/* Logs one hit in a transaction of its own; true when it was not there. */
static bool log_hit(const struct pt_anomaly_source *source, int64_t time_us, double score,
                    const char *severity)
{
    struct pt_write *write;
    bool added = false;
    bson_t *hit = hit_at(time_us, score, severity);
    OK(pt_write_begin(store, &write, &kit_err));
    OK(pt_anomaly_add(write, source, hit, &added, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    bson_destroy(hit);
    return added;
}

static bool log_one(const char *symbol, const char *method, int64_t time_us, double score,
                    const char *severity)
{
    bson_t parameters = BSON_INITIALIZER;
    BSON_APPEND_DOUBLE(&parameters, "threshold", 3.5);
    struct pt_anomaly_source source = source_of(symbol, method, &parameters);
    bool added = log_hit(&source, time_us, score, severity);
    bson_destroy(&parameters);
    return added;
}

static void id_of(const struct pt_anomaly_source *source, int64_t time_us, char *id)
{
    bson_t *hit = hit_at(time_us, 9, "low");
    OK(pt_anomaly_id(source, hit, id, &kit_err));
    bson_destroy(hit);
}

/* The same as hit_at, for another reason. */
static bool log_reason(const struct pt_anomaly_source *source, const char *reason,
                       const char *severity)
{
    struct pt_write *write;
    bool added = false;
    bson_t hit = BSON_INITIALIZER;
    BSON_APPEND_DATE_TIME(&hit, "time", T0 / 1000);
    BSON_APPEND_UTF8(&hit, "severity", severity);
    BSON_APPEND_UTF8(&hit, "reason", reason);
    OK(pt_write_begin(store, &write, &kit_err));
    OK(pt_anomaly_add(write, source, &hit, &added, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    bson_destroy(&hit);
    return added;
}

/* ---- lists ---------------------------------------------------------------------------------- */

struct listed {
    size_t n;
    char text[4000]; /* "BTCUSDT/mad/0/low/new " ... */
};

static bool list_one(void *arg, const struct pt_anomaly *anomaly)
{
    struct listed *listed = arg;
    size_t len = strlen(listed->text);
    snprintf(listed->text + len, sizeof listed->text - len, "%s/%.*s/%" PRId64 "/%s/%s ",
             anomaly->symbol, (int)anomaly->method_len, anomaly->method,
             (anomaly->time_us - T0) / H, pt_anomaly_severities[anomaly->severity],
             pt_anomaly_statuses[anomaly->status]);
    listed->n++;
    return true;
}

static const struct pt_anomaly_filter all = {
    .severity = -1, .kind = -1, .status = -1, .from_us = INT64_MIN, .to_us = INT64_MAX
};

static void check_list(const struct pt_anomaly_filter *filter, bool descending, const char *want)
{
    struct pt_read *read;
    struct listed listed = { .n = 0 };
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_anomaly_each(read, filter, descending, list_one, &listed, &kit_err));
    pt_read_end(read);
    CU_ASSERT_STRING_EQUAL(listed.text, want);
}

static bool take_doc(void *arg, const struct pt_anomaly *anomaly)
{
    struct {
        struct pt_read *read;
        bson_t *doc;
    } *taking = arg;
    bson_t view;
    OK(pt_anomaly_get(taking->read, anomaly, &view, &kit_err));
    taking->doc = bson_copy(&view);
    return false;
}

/* The oldest document of the log; bson_destroy. */
static bson_t *first_doc(void)
{
    struct {
        struct pt_read *read;
        bson_t *doc;
    } taking = { NULL, NULL };
    OK(pt_read_begin(store, &taking.read, &kit_err));
    OK(pt_anomaly_each(taking.read, &all, false, take_doc, &taking, &kit_err));
    pt_read_end(taking.read);
    CU_ASSERT_PTR_NOT_NULL_FATAL(taking.doc);
    return taking.doc;
}

static const char *text_of(const bson_t *doc, const char *name)
{
    const char *text = "absent";
    pt_doc_text(doc, name, &text);
    return text;
}

static int64_t date_of(const bson_t *doc, const char *name)
{
    bson_iter_t iter;
    if (!bson_iter_init_find(&iter, doc, name)) return -1;
    return BSON_ITER_HOLDS_DATE_TIME(&iter) ? bson_iter_date_time(&iter) * 1000 : 0;
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void test_a_hit_is_kept_with_all_that_is_known(void)
{
    char id[PT_ANOMALY_ID_MAX];
    double value = 0;
    bson_t parameters = BSON_INITIALIZER;
    setup();
    BSON_APPEND_DOUBLE(&parameters, "threshold", 3.5);
    BSON_APPEND_UTF8(&parameters, "field", "log_return");
    struct pt_anomaly_source source = source_of("BTCUSDT", "mad", &parameters);
    CU_ASSERT_TRUE(log_hit(&source, T0, 7.25, "critical"));
    id_of(&source, T0, id);
    bson_t *doc = first_doc();
    CU_ASSERT_STRING_EQUAL(text_of(doc, "id"), id);
    CU_ASSERT_EQUAL(strlen(id), 48);
    CU_ASSERT_STRING_EQUAL(text_of(doc, "dataset"), "candles_BTCUSDT_1h");
    CU_ASSERT_STRING_EQUAL(text_of(doc, "symbol"), "BTCUSDT");
    CU_ASSERT_STRING_EQUAL(text_of(doc, "timeframe"), "1h");
    CU_ASSERT_STRING_EQUAL(text_of(doc, "method"), "mad");
    CU_ASSERT_STRING_EQUAL(text_of(doc, "kind"), "market");
    CU_ASSERT_STRING_EQUAL(text_of(doc, "severity"), "critical");
    CU_ASSERT_STRING_EQUAL(text_of(doc, "status"), "new");
    CU_ASSERT_STRING_EQUAL(text_of(doc, "direction"), "up");
    CU_ASSERT_STRING_EQUAL(text_of(doc, "reason"), "statistical_outlier");
    CU_ASSERT_STRING_EQUAL(text_of(doc, "parameters.field"), "log_return");
    CU_ASSERT_STRING_EQUAL(text_of(doc, "script_hash"), "cafe");
    CU_ASSERT(pt_doc_double(doc, "score", &value) && value == 7.25);
    CU_ASSERT(pt_doc_double(doc, "details.volume", &value) && value == 12.5);
    CU_ASSERT_FALSE(pt_doc_double(doc, "expected", &value));
    CU_ASSERT_EQUAL(date_of(doc, "time"), T0);
    CU_ASSERT_EQUAL(date_of(doc, "detected_at"), T0 + 900 * H);
    CU_ASSERT_EQUAL(date_of(doc, "acknowledged_at"), 0);
    bson_destroy(doc);
    bson_destroy(&parameters);
    teardown();
}

static void test_the_first_score_of_a_hit_stays(void)
{
    double score = 0;
    setup();
    CU_ASSERT_TRUE(log_one("BTCUSDT", "mad", T0, 7.25, "critical"));
    uint64_t commit = pt_store_commit_id(store);
    CU_ASSERT_FALSE(log_one("BTCUSDT", "mad", T0, 3.75, "low"));
    CU_ASSERT_EQUAL(pt_store_commit_id(store), commit); /* and nothing was written */
    check_list(&all, false, "BTCUSDT/mad/0/critical/new ");
    bson_t *doc = first_doc();
    CU_ASSERT(pt_doc_double(doc, "score", &score) && score == 7.25);
    bson_destroy(doc);
    teardown();
}

/* Two hits of one transaction too. */
static void test_a_hit_is_found_in_its_own_transaction(void)
{
    struct pt_write *write;
    bool first = false, second = true;
    bson_t parameters = BSON_INITIALIZER, *hit = hit_at(T0, 5, "high");
    setup();
    struct pt_anomaly_source source = source_of("BTCUSDT", "mad", &parameters);
    OK(pt_write_begin(store, &write, &kit_err));
    OK(pt_anomaly_add(write, &source, hit, &first, &kit_err));
    OK(pt_anomaly_add(write, &source, hit, &second, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    CU_ASSERT(first && !second);
    bson_destroy(hit);
    bson_destroy(&parameters);
    teardown();
}

static void test_what_makes_another_hit(void)
{
    char id[PT_ANOMALY_ID_MAX], same[PT_ANOMALY_ID_MAX], other[PT_ANOMALY_ID_MAX];
    bson_t ab = BSON_INITIALIZER, ba = BSON_INITIALIZER, field = BSON_INITIALIZER,
           threshold = BSON_INITIALIZER;
    BSON_APPEND_DOUBLE(&ab, "threshold", 3.5);
    BSON_APPEND_UTF8(&ab, "field", "close");
    BSON_APPEND_UTF8(&ba, "field", "close");
    BSON_APPEND_DOUBLE(&ba, "threshold", 3.5);
    BSON_APPEND_DOUBLE(&field, "threshold", 3.5);
    BSON_APPEND_UTF8(&field, "field", "range");
    BSON_APPEND_DOUBLE(&threshold, "threshold", 3);
    BSON_APPEND_UTF8(&threshold, "field", "close");
    struct pt_anomaly_source source = source_of("BTCUSDT", "mad", &ab);
    id_of(&source, T0, id);
    struct pt_anomaly_source reordered = source_of("BTCUSDT", "mad", &ba);
    reordered.script_hash = "beef"; /* another version of the script, or another moment */
    reordered.now_us = T0;
    id_of(&reordered, T0, same);
    CU_ASSERT_STRING_EQUAL(id, same);
    struct pt_anomaly_source others[] = { source_of("ETHUSDT", "mad", &ab),
                                          source_of("BTCUSDT", "zscore", &ab),
                                          source_of("BTCUSDT", "mad", &field),
                                          source_of("BTCUSDT", "mad", &threshold),
                                          source_of("BTCUSDT", "mad", &ab) };
    others[4].dataset.period_us = PT_US_DAY;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        id_of(&others[i], T0, other);
        CU_ASSERT_STRING_NOT_EQUAL(id, other);
        CU_ASSERT_NSTRING_EQUAL(id, other, 16); /* it begins with the time */
    }
    id_of(&source, T0 + H, other);
    CU_ASSERT(strcmp(id, other) < 0); /* and ids sort by it */
    bson_destroy(&ab);
    bson_destroy(&ba);
    bson_destroy(&field);
    bson_destroy(&threshold);
}

static enum pt_code settle(const char *id, enum pt_anomaly_status status, int64_t now_us,
                           bson_t **doc)
{
    struct pt_write *write;
    OK(pt_write_begin(store, &write, &kit_err));
    enum pt_code rc = pt_anomaly_settle(write, id, status, now_us, doc, &kit_err);
    if (rc != PT_OK) {
        pt_write_abort(write);
        return rc;
    }
    OK(pt_write_commit(write, &kit_err));
    return rc;
}

static void test_a_status_goes_one_way_and_survives_the_same_hit(void)
{
    char id[PT_ANOMALY_ID_MAX];
    bson_t *doc = NULL;
    setup();
    log_one("BTCUSDT", "mad", T0, 7, "high");
    doc = first_doc();
    snprintf(id, sizeof id, "%s", text_of(doc, "id"));
    bson_destroy(doc);
    OK(settle(id, PT_ANOMALY_ACKNOWLEDGED, T0 + H, &doc));
    CU_ASSERT_STRING_EQUAL(text_of(doc, "status"), "acknowledged");
    CU_ASSERT_EQUAL(date_of(doc, "acknowledged_at"), T0 + H);
    bson_destroy(doc);
    check_list(&all, false, "BTCUSDT/mad/0/high/acknowledged ");
    OK(settle(id, PT_ANOMALY_ACKNOWLEDGED, T0 + 2 * H, &doc)); /* again: the first time stays */
    CU_ASSERT_EQUAL(date_of(doc, "acknowledged_at"), T0 + H);
    bson_destroy(doc);
    CU_ASSERT_FALSE(log_one("BTCUSDT", "mad", T0, 8, "critical"));
    check_list(&all, false, "BTCUSDT/mad/0/high/acknowledged ");
    OK(settle(id, PT_ANOMALY_RESOLVED, T0 + 3 * H, &doc));
    CU_ASSERT_STRING_EQUAL(text_of(doc, "status"), "resolved");
    CU_ASSERT_EQUAL(date_of(doc, "acknowledged_at"), T0 + H);
    CU_ASSERT_EQUAL(date_of(doc, "resolved_at"), T0 + 3 * H);
    bson_destroy(doc);
    check_list(&all, false, "BTCUSDT/mad/0/high/resolved ");
    CU_ASSERT_EQUAL(settle(id, PT_ANOMALY_ACKNOWLEDGED, T0, &doc), PT_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "is resolved"));
    CU_ASSERT_PTR_NULL(doc);
    static const char *const none[] = {
        "", "x", "000000000000000000000000000000000000000000000000",
        "00000000000000000000000000000000000000000000000g",
        "0000000000000000000000000000000000000000000000000000000000000000"
    };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        CU_ASSERT_EQUAL(settle(none[i], PT_ANOMALY_RESOLVED, T0, &doc), PT_ENOENT);
    teardown();
}

static void test_a_new_one_may_be_resolved_at_once(void)
{
    bson_t *doc = NULL;
    setup();
    log_one("BTCUSDT", "mad", T0, 7, "high");
    bson_t *first = first_doc();
    OK(settle(text_of(first, "id"), PT_ANOMALY_RESOLVED, T0 + H, &doc));
    CU_ASSERT_EQUAL(date_of(doc, "acknowledged_at"), 0);
    CU_ASSERT_EQUAL(date_of(doc, "resolved_at"), T0 + H);
    bson_destroy(first);
    bson_destroy(doc);
    teardown();
}

static void test_lists_are_chosen_by_key(void)
{
    setup();
    log_one("ETHUSDT", "mad", T0 + 2 * H, 4, "low");
    log_one("BTCUSDT", "mad", T0 + H, 9, "critical");
    log_one("BTCUSDT", "zscore", T0, 5, "high");
    log_one("BTC", "mad", T0 - 3 * H, 5, "high"); /* also of before 1970, were there any */
    check_list(&all, false,
               "BTC/mad/-3/high/new BTCUSDT/zscore/0/high/new BTCUSDT/mad/1/critical/new "
               "ETHUSDT/mad/2/low/new ");
    check_list(&all, true,
               "ETHUSDT/mad/2/low/new BTCUSDT/mad/1/critical/new BTCUSDT/zscore/0/high/new "
               "BTC/mad/-3/high/new ");
    struct pt_anomaly_filter one = all;
    one.symbol = "BTCUSDT";
    check_list(&one, false, "BTCUSDT/zscore/0/high/new BTCUSDT/mad/1/critical/new ");
    one.method = "mad";
    check_list(&one, false, "BTCUSDT/mad/1/critical/new ");
    one.method = "ma";
    check_list(&one, false, "");
    one = all;
    one.severity = PT_ANOMALY_HIGH;
    check_list(&one, false, "BTC/mad/-3/high/new BTCUSDT/zscore/0/high/new ");
    one = all;
    one.status = PT_ANOMALY_ACKNOWLEDGED;
    check_list(&one, false, "");
    one = all;
    one.kind = PT_ANOMALY_DATA_QUALITY;
    check_list(&one, false, "");
    one = all;
    one.from_us = T0;
    one.to_us = T0 + 2 * H;
    check_list(&one, true, "BTCUSDT/mad/1/critical/new BTCUSDT/zscore/0/high/new ");
    one.to_us = one.from_us;
    check_list(&one, true, "");
    teardown();
}

/* That a tick was bad is known one bar after that it had no volume. */
static void test_what_is_wrong_with_a_bar_in_another_way_is_another_hit(void)
{
    bson_t parameters = BSON_INITIALIZER;
    setup();
    struct pt_anomaly_source source = source_of("BTCUSDT", "data_quality", &parameters);
    CU_ASSERT_TRUE(log_reason(&source, "early", "low")); /* of a market the reason is a detail */
    CU_ASSERT_FALSE(log_reason(&source, "late", "high"));
    source.kind = PT_ANOMALY_DATA_QUALITY;
    CU_ASSERT_TRUE(log_reason(&source, "zero_volume", "low"));
    CU_ASSERT_TRUE(log_reason(&source, "bad_tick", "high"));
    CU_ASSERT_FALSE(log_reason(&source, "zero_volume", "low"));
    CU_ASSERT_FALSE(log_reason(&source, "bad_tick", "high"));
    struct pt_anomaly_filter one = all;
    one.kind = PT_ANOMALY_DATA_QUALITY;
    one.severity = PT_ANOMALY_HIGH;
    check_list(&one, false, "BTCUSDT/data_quality/0/high/new ");
    one.severity = PT_ANOMALY_LOW;
    check_list(&one, false, "BTCUSDT/data_quality/0/low/new ");
    bson_destroy(&parameters);
    teardown();
}

static void test_what_is_no_hit_is_refused_and_the_rest_goes_on(void)
{
    struct pt_write *write;
    bool added = true;
    bson_t parameters = BSON_INITIALIZER, timeless = BSON_INITIALIZER,
           *strange = hit_at(T0, 5, "terrible"), *good = hit_at(T0, 5, "high");
    BSON_APPEND_UTF8(&timeless, "severity", "high");
    setup();
    struct pt_anomaly_source source = source_of("BTCUSDT", "mad", &parameters);
    struct pt_anomaly_source longest = source;
    longest.method = "a_method_with_a_name_that_is_longer_than_any_script";
    OK(pt_write_begin(store, &write, &kit_err));
    CU_ASSERT_EQUAL(pt_anomaly_add(write, &source, strange, &added, &kit_err), PT_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "terrible"));
    CU_ASSERT_EQUAL(pt_anomaly_add(write, &source, &timeless, &added, &kit_err), PT_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "without a time"));
    CU_ASSERT_EQUAL(pt_anomaly_add(write, &longest, good, &added, &kit_err), PT_EINVAL);
    CU_ASSERT_FALSE(added);
    OK(pt_anomaly_add(write, &source, good, &added, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    check_list(&all, false, "BTCUSDT/mad/0/high/new ");
    bson_destroy(strange);
    bson_destroy(good);
    bson_destroy(&timeless);
    bson_destroy(&parameters);
    teardown();
}

static void test_old_ones_leave_by_rule(void)
{
    struct pt_retention rule;
    struct pt_write *write;
    struct pt_expired expired = { .more = true };
    bson_t parameters = BSON_INITIALIZER;
    setup();
    struct pt_anomaly_source source = source_of("BTCUSDT", "mad", &parameters);
    OK(pt_write_begin(store, &write, &kit_err));
    for (int i = 0; i < 10000; i++) { /* more than are removed in one go */
        bool added;
        bson_t *hit = hit_at(T0 + i * PT_US_MIN, 5, "high");
        OK(pt_anomaly_add(write, &source, hit, &added, &kit_err));
        bson_destroy(hit);
    }
    OK(pt_write_commit(write, &kit_err));
    OK(pt_retention_parse("anomalies=1h", &rule, &kit_err));
    int64_t now_us = T0 + 10000 * PT_US_MIN;
    for (uint64_t had = 0; expired.more; had = expired.anomalies) { /* others may write between */
        OK(pt_retention_run(store, &rule, 1, now_us, &expired, &kit_err));
        CU_ASSERT(expired.anomalies - had <= 1024);
    }
    CU_ASSERT_EQUAL(expired.anomalies, 9940);
    CU_ASSERT_EQUAL(expired.rows, 0);
    struct pt_read *read;
    struct listed listed = { .n = 0 };
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_anomaly_each(read, &all, false, list_one, &listed, &kit_err));
    pt_read_end(read);
    CU_ASSERT_EQUAL(listed.n, 60);
    expired.anomalies = 0;
    OK(pt_retention_run(store, &rule, 1, now_us, &expired, &kit_err));
    CU_ASSERT(expired.anomalies == 0 && !expired.more);
    CU_ASSERT_EQUAL(pt_retention_parse("anomalies/1h=1d", &rule, &kit_err), PT_EINVAL);
    bson_destroy(&parameters);
    teardown();
}

static bool try_doc(void *arg, const struct pt_anomaly *anomaly)
{
    bson_t view;
    return pt_anomaly_get(arg, anomaly, &view, &kit_err) == PT_OK;
}

struct told {
    size_t n;
    char text[2000];
};

static void note_fault(void *arg, const char *where, const char *what)
{
    struct told *told = arg;
    told->n++;
    snprintf(told->text + strlen(told->text), sizeof told->text - strlen(told->text), "%s: %s\n",
             where, what);
}

/* What verify says; "" when all is well. */
static void check_verify(size_t n, const char *const *words)
{
    struct told told = { .n = 0 };
    struct pt_verify sums;
    enum pt_code rc = pt_store_verify(store, note_fault, &told, &sums, &kit_err);
    CU_ASSERT_EQUAL(rc, n == 0 ? PT_OK : PT_EDAMAGE);
    CU_ASSERT_EQUAL(told.n, n);
    for (size_t i = 0; i < n; i++) {
        if (!strstr(told.text, words[i])) printf("\n%s is not in\n%s", words[i], told.text);
        CU_ASSERT_PTR_NOT_NULL(strstr(told.text, words[i]));
    }
}

static void test_verify_compares_the_index_with_the_documents(void)
{
    struct pt_write *write;
    struct key_bytes {
        uint8_t v[200];
        size_t len;
    } keys[3] = { { .len = 0 } };
    bson_t empty = BSON_INITIALIZER;
    setup();
    for (int i = 0; i < 3; i++) log_one("BTCUSDT", "mad", T0 + i * H, 5, "high");
    check_verify(0, NULL);
    for (size_t i = 0; i < 3; i++) { /* id, high, market, new, symbol, method */
        bson_t parameters = BSON_INITIALIZER;
        char id[PT_ANOMALY_ID_MAX];
        BSON_APPEND_DOUBLE(&parameters, "threshold", 3.5);
        struct pt_anomaly_source source = source_of("BTCUSDT", "mad", &parameters);
        id_of(&source, T0 + (int64_t)i * H, id);
        bson_destroy(&parameters);
        for (size_t k = 0; k < 24; k++) sscanf(id + 2 * k, "%2hhx", &keys[i].v[k]);
        memcpy(keys[i].v + 24, "\2\0\0BTCUSDT\0mad", 14);
        keys[i].len = 24 + 14;
    }
    OK(pt_write_begin(store, &write, &kit_err));
    OK(pt_write_doc_remove(write, PT_ANOMALIES, keys[0].v, 24, &kit_err));
    OK(pt_write_doc_remove(write, PT_ANOMALY_INDEX, keys[1].v, keys[1].len, &kit_err));
    keys[2].v[24] = 0; /* low, beside what its document says */
    OK(pt_write_doc(write, PT_ANOMALY_INDEX, keys[2].v, keys[2].len, &empty, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    const char *const words[] = { ": its document is missing", ": is not in the index",
                                  ": does not say what its document says" };
    check_verify(3, words);
    OK(pt_write_begin(store, &write, &kit_err));
    OK(pt_write_doc_remove(write, PT_ANOMALY_INDEX, keys[0].v, keys[0].len, &kit_err));
    OK(pt_write_doc(write, PT_ANOMALY_INDEX, keys[1].v, keys[1].len, &empty, &kit_err));
    OK(pt_write_doc_remove(write, PT_ANOMALY_INDEX, keys[2].v, keys[2].len, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    check_verify(0, NULL);
    bson_destroy(&empty);
    teardown();
}

static void test_damage_is_told_and_the_log_goes_on(void)
{
    static const uint8_t junk[] = { 1, 2, 3 };
    struct pt_write *write;
    struct pt_read *read;
    bson_t doc = BSON_INITIALIZER;
    setup();
    log_one("BTCUSDT", "mad", T0, 5, "high");
    log_one("BTCUSDT", "mad", T0 + H, 5, "high");
    bson_t *first = first_doc();
    OK(pt_write_begin(store, &write, &kit_err)); /* a key that is none of the log's */
    OK(pt_write_doc(write, PT_ANOMALY_INDEX, junk, sizeof junk, &doc, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    check_list(&all, false, "BTCUSDT/mad/0/high/new BTCUSDT/mad/1/high/new ");
    check_whole(1);
    uint8_t id[24]; /* a document that has gone */
    for (size_t i = 0; i < sizeof id; i++) sscanf(text_of(first, "id") + 2 * i, "%2hhx", &id[i]);
    OK(pt_write_begin(store, &write, &kit_err));
    OK(pt_write_doc_remove(write, PT_ANOMALIES, id, sizeof id, &kit_err));
    OK(pt_write_doc_remove(write, PT_ANOMALY_INDEX, junk, sizeof junk, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    kit_err.code = PT_OK;
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_anomaly_each(read, &all, false, try_doc, read, &kit_err));
    pt_read_end(read);
    CU_ASSERT_EQUAL(kit_err.code, PT_EDAMAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, text_of(first, "id")));
    CU_ASSERT_TRUE(log_one("BTCUSDT", "mad", T0, 5, "high")); /* which may come again */
    bson_destroy(first);
    bson_destroy(&doc);
    teardown();
}

static CU_TestInfo tests[] = {
    { "a hit is kept with all that is known", test_a_hit_is_kept_with_all_that_is_known },
    { "the first score of a hit stays", test_the_first_score_of_a_hit_stays },
    { "a hit is found in its own transaction", test_a_hit_is_found_in_its_own_transaction },
    { "what makes another hit", test_what_makes_another_hit },
    { "a status goes one way and survives the same hit",
      test_a_status_goes_one_way_and_survives_the_same_hit },
    { "a new one may be resolved at once", test_a_new_one_may_be_resolved_at_once },
    { "lists are chosen by key", test_lists_are_chosen_by_key },
    { "what is wrong with a bar in another way is another hit",
      test_what_is_wrong_with_a_bar_in_another_way_is_another_hit },
    { "what is no hit is refused and the rest goes on",
      test_what_is_no_hit_is_refused_and_the_rest_goes_on },
    { "old ones leave by rule", test_old_ones_leave_by_rule },
    { "verify compares the index with the documents",
      test_verify_compares_the_index_with_the_documents },
    { "damage is told and the log goes on", test_damage_is_told_and_the_log_goes_on },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("store/anomaly", tests);
}
