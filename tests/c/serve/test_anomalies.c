/* test_anomalies.c - the log of anomalies over HTTP: lists, summary, detections, changes of status.
 */
#include "suite.h"

#include "served.h"

#include "base/log.h"
#include "serve/anomalies.h"

#include <sys/stat.h>

#define T0 INT64_C(1731628800000000) /* 2024-11-15 */
#define H PT_US_HOUR

/* One entry of the log; its id. */
static const char *log_one(const char *symbol, const char *method, enum pt_anomaly_kind kind,
                           int64_t time_us, const char *severity)
{
    static char id[PT_ANOMALY_ID_MAX];
    struct pt_write *write = NULL;
    struct pt_err err;
    bool added = false;
    bson_t parameters = BSON_INITIALIZER, *hit = fake_hit(time_us, severity);
    BSON_APPEND_DOUBLE(&parameters, "threshold", 3.5);
    struct pt_anomaly_source source = { .dataset = { .kind = PT_CANDLES, .period_us = H },
                                        .method = method,
                                        .kind = kind,
                                        .parameters = &parameters,
                                        .script_hash = "cafe",
                                        .now_us = T0 + 500 * H };
    snprintf(source.dataset.symbol, sizeof source.dataset.symbol, "%s", symbol);
    if (pt_write_begin(fake.store, &write, &err) != PT_OK ||
        pt_anomaly_add(write, &source, hit, &added, &err) != PT_OK ||
        pt_write_commit(write, &err) != PT_OK || !added ||
        pt_anomaly_id(&source, hit, id, &err) != PT_OK)
        abort();
    bson_destroy(hit);
    bson_destroy(&parameters);
    return id;
}

/* Five entries of three pairs, two methods. */
static void fill(void)
{
    log_one("BTCUSDT", "mad", PT_ANOMALY_MARKET, T0, "low");
    log_one("BTCUSDT", "mad", PT_ANOMALY_MARKET, T0 + H, "critical");
    log_one("ETHUSDT", "ingest", PT_ANOMALY_DATA_QUALITY, T0 + 2 * H, "high");
    log_one("BTCUSDT", "zscore", PT_ANOMALY_MARKET, T0 + 3 * H, "low");
    log_one("SOLUSDT", "mad", PT_ANOMALY_MARKET, T0 + 4 * H, "critical");
}

/* The hours since T0 of a list's rows: "4 1 2 ". */
static void check_hours(const char *target, const char *want)
{
    struct client_reply reply = client_get(port, target, "");
    char got[200] = "";
    cJSON *json = cJSON_ParseWithLength(reply.body, reply.len);
    const cJSON *row, *list = cJSON_GetObjectItem(json, "anomalies");
    cJSON_ArrayForEach(row, list)
    {
        int64_t us = 0;
        const char *text = cJSON_GetObjectItem(row, "timestamp")->valuestring;
        CU_ASSERT_EQUAL(pt_time_parse(text, strlen(text), &us), PT_OK);
        snprintf(got + strlen(got), sizeof got - strlen(got), "%d ", (int)((us - T0) / H));
    }
    if (strcmp(got, want) != 0) printf("\n%s: %s\n", target, reply.body);
    CU_ASSERT_EQUAL(reply.status, 200);
    CU_ASSERT_STRING_EQUAL(got, want);
    cJSON_Delete(json);
    free(reply.body);
}

static void test_an_entry_has_all_its_members(void)
{
    char target[100];
    begin(one_thread);
    const char *id = log_one("BTCUSDT", "mad", PT_ANOMALY_MARKET, T0, "high");
    check("/anomalies?pair=btcusdt", "", 200, "pair", "\"BTCUSDT\"");
    check("/anomalies?pair=btcusdt", "", 200, "severity_filter", "null");
    check("/anomalies", "", 200, "pair", "null");
    check("/anomalies?severity=high", "", 200, "severity_filter", "\"high\"");
    static const char *const members[][2] = {
        { "timestamp", "\"2024-11-15T00:00:00Z\"" },
        { "pair", "\"BTCUSDT\"" },
        { "timeframe", "\"1h\"" },
        { "method", "\"mad\"" },
        { "kind", "\"market\"" },
        { "severity", "\"high\"" },
        { "price", "101.5" },
        { "score", "\"7.25\"" },
        { "threshold", "\"3.5\"" },
        { "expected", "null" },
        { "observed", "\"0.07\"" },
        { "direction", "\"up\"" },
        { "reason", "\"ml_outlier\"" },
        { "status", "\"new\"" },
        { "details", "{\"volume\":12.5,\"features\":{\"price_change\":0.5},\"excess\":\"2.5\","
                     "\"score\":\"9\"}" },
        { "dataset", "\"candles_BTCUSDT_1h\"" },
        { "parameters", "{\"threshold\":\"3.5\"}" },
        { "script_hash", "\"cafe\"" },
        { "acknowledged_at", "null" },
        { "resolved_at", "null" },
    };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        snprintf(target, sizeof target, "anomalies.0.%s", members[i][0]);
        check("/anomalies", "", 200, target, members[i][1]);
    }
    snprintf(target, sizeof target, "\"%s\"", id);
    check("/anomalies", "", 200, "anomalies.0.id", target);
    end();
}

static void test_the_list_is_chosen_sorted_and_paged(void)
{
    begin(one_thread);
    check_hours("/anomalies", "");
    fill();
    check_hours("/anomalies", "4 3 2 1 0 "); /* the newest first */
    check_hours("/anomalies/anomalies?sort_order=asc", "0 1 2 3 4 ");
    check_hours("/anomalies?sort_by=severity", "4 1 2 3 0 ");
    check_hours("/anomalies?sort_by=severity&sort_order=asc", "0 3 2 1 4 ");
    check_hours("/anomalies?sort_by=severity&limit=2&offset=1", "1 2 ");
    check_hours("/anomalies?sort_by=severity&severity=low", "3 0 ");
    check_hours("/anomalies?pair=BTCUSDT", "3 1 0 ");
    check_hours("/anomalies?pair=BTCUSDT&method=mad&severity=low", "0 ");
    check_hours("/anomalies?kind=data_quality", "2 ");
    check_hours("/anomalies?status=acknowledged", "");
    check_hours("/anomalies?from=2024-11-15T01:00:00Z&to=2024-11-15T03:00:00Z", "2 1 ");
    check_hours("/anomalies?from=2024-11-15T03:00:00Z&to=2024-11-15T01:00:00Z", "");
    check_hours("/anomalies?pair=NOBODY", "");
    check_hours("/anomalies?limit=2&offset=3", "1 0 ");
    check("/anomalies?limit=2&offset=1", "", 200, "total_count", "5");
    check("/anomalies?limit=2&offset=1", "", 200, "pagination",
          "{\"total\":5,\"limit\":2,\"offset\":1,\"page\":1,\"pages\":3,\"has_next\":true,\"has_"
          "previous\":true}");
    check("/anomalies?list_key=data&limit=1", "", 200, "anomalies", "absent");
    check("/anomalies?list_key=data&limit=1", "", 200, "data.0.pair", "\"SOLUSDT\"");
    check("/anomalies?severity=terrible", "", 422, NULL, NULL);
    check("/anomalies?status=old", "", 422, NULL, NULL);
    check("/anomalies?limit=1001", "", 422, NULL, NULL);
    check("/anomalies?window=3", "", 422, NULL, NULL);
    end();
}

/* Its entry of the index stays. */
static void lose_document(const char *id)
{
    uint8_t key[(PT_ANOMALY_ID_MAX - 1) / 2];
    struct pt_write *write = NULL;
    struct pt_err err;
    for (size_t i = 0; i < sizeof key; i++) sscanf(id + 2 * i, "%2hhx", &key[i]);
    if (pt_write_begin(fake.store, &write, &err) != PT_OK ||
        pt_write_doc_remove(write, PT_ANOMALIES, key, sizeof key, &err) != PT_OK ||
        pt_write_commit(write, &err) != PT_OK)
        abort();
}

static void test_a_page_shows_what_is_not_damaged(void)
{
    begin(one_thread);
    fill();
    check("/anomalies", "", 200, "damaged", "0");
    lose_document(log_one("BTCUSDT", "mad", PT_ANOMALY_MARKET, T0 + 5 * H, "high"));
    check_hours("/anomalies", "4 3 2 1 0 ");
    check("/anomalies", "", 200, "damaged", "1");
    check("/anomalies", "", 200, "total_count", "6");
    check_hours("/anomalies?sort_by=severity", "4 1 2 3 0 ");
    check_hours("/anomalies?limit=2", "4 "); /* its place on the pages stays its own */
    check_hours("/anomalies?limit=2&offset=2", "3 2 ");
    check("/anomalies?limit=2&offset=2", "", 200, "damaged", "0");
    struct client_reply csv = client_get(port, "/anomalies?format=csv", "");
    CU_ASSERT_EQUAL(csv.status, 200);
    free(csv.body);
    end();
}

static void test_the_list_as_csv(void)
{
    begin(one_thread);
    log_one("BTCUSDT", "mad", PT_ANOMALY_MARKET, T0, "high");
    struct client_reply reply = client_get(port, "/anomalies?format=csv", "");
    CU_ASSERT_EQUAL(reply.status, 200);
    CU_ASSERT_STRING_EQUAL(client_header(&reply, "X-Total-Count"), "1");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(reply.body, "id,timestamp,pair,timeframe,method,kind,severity,price,score,threshold,"
                           "expected,observed,direction,reason,status,details,"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(reply.body,
               ",2024-11-15T00:00:00Z,BTCUSDT,1h,mad,market,high,101.5,7.25,3.5,,0.07,up,"
               "ml_outlier,new,\"{\"\"volume\"\":12.5,"));
    free(reply.body);
    end();
}

static void test_an_unchanged_list_has_its_tag(void)
{
    char headers[200], tag[100];
    begin(one_thread);
    fill();
    struct client_reply reply = client_get(port, "/anomalies?pair=BTCUSDT", "");
    snprintf(tag, sizeof tag, "%s", client_header(&reply, "ETag"));
    free(reply.body);
    CU_ASSERT_NOT_EQUAL(tag[0], '\0');
    log_one("ETHUSDT", "mad", PT_ANOMALY_MARKET, T0 + 9 * H, "low"); /* of another pair */
    snprintf(headers, sizeof headers, "If-None-Match: %s\r\n", tag);
    check("/anomalies?pair=BTCUSDT", headers, 304, NULL, NULL);
    log_one("BTCUSDT", "mad", PT_ANOMALY_MARKET, T0 + 9 * H, "low");
    check("/anomalies?pair=BTCUSDT", headers, 200, "total_count", "4");
    end();
}

static void test_the_summary_counts_all(void)
{
    begin(one_thread);
    check("/anomalies/summary", "", 200, "total_anomalies", "0");
    check("/anomalies/summary", "", 200, "by_severity",
          "{\"low\":0,\"medium\":0,\"high\":0,\"critical\":0}");
    check("/anomalies/summary", "", 200, "by_symbol", "{}");
    fill();
    check("/anomalies/summary", "", 200, "total_anomalies", "5");
    check("/anomalies/anomalies/summary", "", 200, "by_severity",
          "{\"low\":2,\"medium\":0,\"high\":1,\"critical\":2}");
    check("/anomalies/summary", "", 200, "by_symbol",
          "{\"BTCUSDT\":3,\"ETHUSDT\":1,\"SOLUSDT\":1}");
    check("/anomalies/summary", "", 200, "by_method", "{\"ingest\":1,\"mad\":3,\"zscore\":1}");
    check("/anomalies/summary", "", 200, "by_kind", "{\"market\":4,\"data_quality\":1}");
    check("/anomalies/summary", "", 200, "by_status",
          "{\"new\":5,\"acknowledged\":0,\"resolved\":0}");
    check("/anomalies/summary?from=2024-11-15T02:00:00Z&to=2024-11-15T04:00:00Z", "", 200,
          "by_symbol", "{\"BTCUSDT\":1,\"ETHUSDT\":1}");
    check("/anomalies/summary?pair=BTCUSDT", "", 422, NULL, NULL);
    end();
}

/* ---- POST ----------------------------------------------------------------------------------- */

static struct client_reply post(const char *target)
{
    int fd = client_open(port);
    struct client_reply reply = client_ask(fd, "POST", target, "Content-Length: 0\r\n");
    close(fd);
    return reply;
}

static void check_post(const char *target, int status, const char *path, const char *want)
{
    struct client_reply reply = post(target);
    const char *got = path != NULL ? member(&reply, path) : "";
    if (reply.status != status || (path != NULL && strcmp(got, want) != 0))
        printf("\n%s: %d %s\n", target, reply.status, reply.body);
    CU_ASSERT_EQUAL(reply.status, status);
    if (path != NULL) CU_ASSERT_STRING_EQUAL(got, want);
    free(reply.body);
}

static void check_detail(const char *target, int status, const char *words)
{
    struct client_reply reply = post(target);
    CU_ASSERT_EQUAL(reply.status, status);
    if (strstr(reply.body, words) == NULL) printf("\n%s: %s\n", target, reply.body);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.body, words));
    free(reply.body);
}

static void test_a_detection_tells_all_hits(void)
{
    begin(one_thread);
    static const char target[] = "/anomalies/detect?pair=btcusdt&timeframe=1h&method=mad";
    static const char *const members[][2] = {
        { "pair", "\"BTCUSDT\"" },
        { "timeframe", "\"1h\"" },
        { "method", "\"mad\"" },
        { "status", "\"ok\"" },
        { "anomalies_detected", "2" },
        { "metadata.logged", "2" },
        { "metadata.records_returned", "2" },
        { "metadata.data_completeness", "87.5" },
        { "metadata.stale", "false" },
        { "metadata.computed", "\"on_request\"" },
        { "anomalies.0.price", "101.5" },
        { "anomalies.0.severity", "\"low\"" },
        { "anomalies.1.severity", "\"high\"" },
        { "anomalies.0.reason", "\"ml_outlier\"" },
        { "anomalies.0.method", "\"mad\"" },
        { "anomalies.0.score", "\"7.25\"" },
        { "anomalies.0.expected", "null" },
        { "anomalies.0.direction", "\"up\"" },
        { "anomalies.0.volume", "12.5" },
        { "anomalies.0.features", "{\"price_change\":0.5}" },
        { "anomalies.0.excess", "\"2.5\"" },
        { "anomalies.0.details", "{\"score\":\"9\"}" }, /* whose name is taken */
    };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        check_post(target, 200, members[i][0], members[i][1]);
    check_post("/anomalies/anomalies/detect?pair=A_B&method=mad", 200, "pair", "\"A_B\"");
    check_post("/anomalies/detect?pair=BTCUSDT&method=mad&list_key=data", 200, "anomalies",
               "absent");
    CU_ASSERT_EQUAL(fake.last_as_of_us, INT64_MAX);
    check_post("/anomalies/detect?pair=BTCUSDT&method=mad&window=30&share=0.25", 200,
               "metadata.parameters", "{\"window\":30,\"share\":\"0.25\"}");
    check("/anomalies/detect?pair=BTCUSDT", "", 405, NULL, NULL);
    end();
}

static void test_a_detection_that_cannot_tell_is_not_none(void)
{
    begin(one_thread);
    atomic_store(&fake.answer, FAKE_EMPTY);
    static const char target[] = "/anomalies/detect?pair=NOBODY&method=mad";
    check_post(target, 200, "anomalies_detected", "null");
    check_post(target, 200, "anomalies", "[]");
    check_post(target, 200, "status", "\"empty\"");
    check_post(target, 200, "metadata.timestamp", "null");
    check_post(target, 200, "metadata.message", "\"No data available for NOBODY\"");
    atomic_store(&fake.answer, FAKE_FAILURE); /* found, and not kept: it is not told */
    check_detail(target, 503, "the disk said no");
    atomic_store(&fake.answer, FAKE_DAMAGE); /* nor will it be another time */
    check_detail(target, 500, "the disk said no");
    end();
}

static void test_mistakes_of_a_detection_are_named(void)
{
    begin(one_thread);
    check_detail("/anomalies/detect?method=mad", 422, "pair: missing");
    check_detail("/anomalies/detect?pair=A!&method=mad", 422, "pair");
    check_detail("/anomalies/detect?pair=BTCUSDT", 422, "zscore");
    check_detail("/anomalies/detect?pair=BTCUSDT&method=magic", 422,
                 "method: got \\\"magic\\\", must be one of the loaded detectors: mad");
    check_detail("/anomalies/detect?pair=BTCUSDT&method=volatility", 422, "detectors: mad");
    check_detail("/anomalies/detect?pair=BTCUSDT&method=mad&timeframe=7h", 422, "timeframe");
    check_detail("/anomalies/detect?pair=BTCUSDT&method=mad&window=1", 422, "window");
    check_detail("/anomalies/detect?pair=BTCUSDT&method=mad&wind=30", 422, "wind");
    check_detail("/anomalies/detect?pair=BTCUSDT&method=mad&limit=3", 422, "limit");
    CU_ASSERT_EQUAL(atomic_load(&fake.evals), 0);
    end();
}

static void test_an_entry_is_acknowledged_and_resolved(void)
{
    char target[200], id[PT_ANOMALY_ID_MAX];
    begin(one_thread);
    snprintf(id, sizeof id, "%s", log_one("BTCUSDT", "mad", PT_ANOMALY_MARKET, T0, "high"));
    snprintf(target, sizeof target, "/anomalies/%s/acknowledge", id);
    check_post(target, 200, "status", "\"acknowledged\"");
    struct client_reply first = post(target);
    char at[100];
    snprintf(at, sizeof at, "%.99s", member(&first, "acknowledged_at"));
    free(first.body);
    check_post(target, 200, "acknowledged_at", at); /* again: as it was */
    check_hours("/anomalies?status=acknowledged", "0 ");
    check("/anomalies/summary", "", 200, "by_status",
          "{\"new\":0,\"acknowledged\":1,\"resolved\":0}");
    snprintf(target, sizeof target, "/anomalies/%s/resolve", id);
    check_post(target, 200, "status", "\"resolved\"");
    check_post(target, 200, "acknowledged_at", at);
    snprintf(target, sizeof target, "/anomalies/%s/acknowledge", id);
    check_detail(target, 409, "is resolved");
    check_detail("/anomalies/17/acknowledge", 404, "no anomaly has the id");
    check_detail("/anomalies/detect/resolve", 404, "detect");
    check_detail("/anomalies/%2e%2e/resolve", 404, "no anomaly");
    check_detail("/anomalies/17/resolve?x=1", 422, "unknown parameter");
    check("/anomalies/17/resolve", "", 405, NULL, NULL);
    snprintf(target, sizeof target, "/anomalies/%0180d/resolve", 0); /* longer than any id */
    check_detail(target, 404, "no anomaly");
    end();
}

static void test_writes_need_the_token(void)
{
    static char file[200], setting[300];
    static const char *settings[] = { "http.threads=1", setting, NULL };
    snprintf(file, sizeof file, "/tmp/petrosa-token-%d", (int)getpid());
    FILE *out = fopen(file, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    fputs("secret-token-of-the-test\n", out);
    fclose(out);
    chmod(file, 0600);
    snprintf(setting, sizeof setting, "http.token_file=%s", file);
    begin(settings);
    check_post("/anomalies/detect?pair=BTCUSDT&method=mad", 401, NULL, NULL);
    check_post("/anomalies/17/acknowledge", 401, NULL, NULL);
    check("/anomalies", "", 200, NULL, NULL);
    end();
    unlink(file);
}

/* ---- parts ---------------------------------------------------------------------------------- */

static void test_names_are_counted_in_order(void)
{
    static const char *const names[] = { "b", "a", "bb", "b", "a", "c", "b" };
    struct pt_tally tally = { .n = 0 };
    struct pt_buf out = { 0 };
    struct pt_json json;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        pt_tally_add(&tally, names[i], strlen(names[i]));
    pt_tally_add(&tally, "bbb", 2); /* of which two bytes count */
    for (int i = 0; i < 1000; i++) {
        char name[20];
        snprintf(name, sizeof name, "x%03d", (i * 7) % 1000);
        pt_tally_add(&tally, name, strlen(name));
    }
    CU_ASSERT_EQUAL(tally.n, 1004);
    for (size_t i = 1; i < tally.n; i++)
        CU_ASSERT(strcmp(tally.v[i - 1].name, tally.v[i].name) < 0);
    tally.n = 4;
    pt_json_init(&json, &out);
    pt_json_object(&json);
    pt_tally_json(&tally, "by", &json);
    pt_json_object_end(&json);
    CU_ASSERT_STRING_EQUAL(out.data, "{\"by\":{\"a\":2,\"b\":3,\"bb\":2,\"c\":1}}");
    pt_buf_fini(&out);
    pt_tally_fini(&tally);
}

static CU_TestInfo tests[] = {
    { "an entry has all its members", test_an_entry_has_all_its_members },
    { "the list is chosen, sorted and paged", test_the_list_is_chosen_sorted_and_paged },
    { "a page shows what is not damaged", test_a_page_shows_what_is_not_damaged },
    { "the list as CSV", test_the_list_as_csv },
    { "an unchanged list has its tag", test_an_unchanged_list_has_its_tag },
    { "the summary counts all", test_the_summary_counts_all },
    { "a detection tells all hits", test_a_detection_tells_all_hits },
    { "a detection that cannot tell is not none", test_a_detection_that_cannot_tell_is_not_none },
    { "mistakes of a detection are named", test_mistakes_of_a_detection_are_named },
    { "an entry is acknowledged and resolved", test_an_entry_is_acknowledged_and_resolved },
    { "writes need the token", test_writes_need_the_token },
    { "names are counted in order", test_names_are_counted_in_order },
    CU_TEST_INFO_NULL
};

int main(void)
{
    pt_log_set_level(PT_QUIET);
    return pt_suite_main("serve.anomalies", tests);
}
