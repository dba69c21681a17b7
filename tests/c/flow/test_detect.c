/* test_detect.c - what detectors find, from a worker's answer into the log of anomalies. */
#include "house.h"

#include "flow/hits.h"
#include "flow/result.h"
#include "flow/scans.h"

#define NAMES_MAX 40

/* ---- the log ----------------------------------------------------------------------------------
 */

struct logged {
    size_t n;
    int64_t time_us[NAMES_MAX];
    char symbol[NAMES_MAX][PT_SYMBOL_MAX];
    enum pt_anomaly_status status[NAMES_MAX];
    enum pt_anomaly_kind kind[NAMES_MAX];
    double score[NAMES_MAX];
    char id[NAMES_MAX][PT_ANOMALY_ID_MAX];
    struct pt_read *read;
};

static bool take(void *arg, const struct pt_anomaly *anomaly)
{
    struct logged *logged = arg;
    bson_t doc;
    const char *id = "";
    if (logged->n == NAMES_MAX) return false;
    logged->time_us[logged->n] = anomaly->time_us;
    logged->status[logged->n] = anomaly->status;
    logged->kind[logged->n] = anomaly->kind;
    snprintf(logged->symbol[logged->n], PT_SYMBOL_MAX, "%s", anomaly->symbol);
    if (pt_anomaly_get(logged->read, anomaly, &doc, NULL) == PT_OK) {
        pt_doc_double(&doc, "score", &logged->score[logged->n]);
        pt_doc_text(&doc, "id", &id);
    }
    snprintf(logged->id[logged->n], PT_ANOMALY_ID_MAX, "%s", id);
    logged->n++;
    return true;
}

/* Any thread. */
static struct logged log_of(struct pt_store *store)
{
    struct logged logged = { .n = 0 };
    const struct pt_anomaly_filter all = {
        .severity = -1, .kind = -1, .status = -1, .from_us = INT64_MIN, .to_us = INT64_MAX
    };
    if (pt_read_begin(store, &logged.read, NULL) == PT_OK)
        pt_anomaly_each(logged.read, &all, false, take, &logged, NULL);
    pt_read_end(logged.read);
    return logged;
}

static bool count_one(void *arg, const struct pt_anomaly *anomaly)
{
    (void)anomaly;
    ++*(size_t *)arg;
    return true;
}

static size_t count_log(struct pt_store *store)
{
    struct pt_read *read = NULL;
    size_t n = 0;
    const struct pt_anomaly_filter all = {
        .severity = -1, .kind = -1, .status = -1, .from_us = INT64_MIN, .to_us = INT64_MAX
    };
    if (pt_read_begin(store, &read, NULL) == PT_OK)
        pt_anomaly_each(read, &all, false, count_one, &n, NULL);
    pt_read_end(read);
    return n;
}

static bool count_key(void *arg, const void *key, size_t len)
{
    (void)key;
    (void)len;
    ++*(size_t *)arg;
    return true;
}

static size_t count_results(struct pt_store *store, const char *symbol)
{
    char collection[PT_COLLECTION_MAX];
    struct pt_read *read = NULL;
    size_t n = 0;
    pt_result_collection(symbol, "finder", collection);
    if (pt_read_begin(store, &read, NULL) == PT_OK)
        pt_docs_keys(read, collection, count_key, &n, NULL);
    pt_read_end(read);
    return n;
}

static void begin_with(const char *detector)
{
    begin();
    kit_script("d",
               "name finder\nkind anomaly\nevery 1h\nof data_quality\n"
               "param threshold number 3 1 9\n%s\n",
               detector);
}

static void no_row(void *arg, const struct pt_cycle_row *row)
{
    (void)arg;
    (void)row;
}

static struct pt_cycle_sums compute_until(int64_t as_of_us)
{
    const struct pt_cycle_opts opts = { .as_of_us = as_of_us, .row = no_row };
    struct pt_cycle_sums sums = { 0 };
    OK(pt_engine_compute(engine, &opts, &sums, &kit_err));
    return sums;
}

/* ---- batch ------------------------------------------------------------------------------------
 */

static void test_a_cycle_logs_the_newest_bar_with_its_result(void)
{
    begin_with("hits 1");
    fill_store();
    OK(pt_engine_new(conf, PT_ENGINE_BATCH, NULL, &engine, &kit_err));
    struct pt_cycle_sums sums = compute_until(INT64_MAX);
    CU_ASSERT_EQUAL(sums.failed, 0);
    CU_ASSERT_EQUAL(sums.anomalies, 3); /* one a symbol */
    struct logged logged = log_of(pt_engine_store(engine));
    CU_ASSERT_EQUAL_FATAL(logged.n, 3);
    CU_ASSERT_STRING_EQUAL(logged.symbol[0], "BNBUSDT");
    CU_ASSERT_EQUAL(logged.time_us[0], T0 + 23 * H); /* the open time of its last bar */
    CU_ASSERT_EQUAL(logged.time_us[1], T0 + 299 * H);
    CU_ASSERT_EQUAL(logged.time_us[2], T0 + 399 * H);
    CU_ASSERT_EQUAL(logged.kind[0], PT_ANOMALY_DATA_QUALITY);
    CU_ASSERT_EQUAL(logged.score[0], 7.5);
    sums = compute_until(INT64_MAX); /* and what is there is not new */
    CU_ASSERT_EQUAL(sums.anomalies, 0);
    CU_ASSERT_EQUAL(log_of(pt_engine_store(engine)).n, 3);
    sums = compute_until(T0 + 100 * H); /* another moment, another bar: of two that are so old */
    CU_ASSERT_EQUAL(sums.anomalies, 2);
    CU_ASSERT_EQUAL(log_of(pt_engine_store(engine)).n, 5);
    end();
}

static void test_a_bar_that_is_no_hit_leaves_no_trace(void)
{
    begin_with("hits 7");
    fill_store();
    OK(pt_engine_new(conf, PT_ENGINE_BATCH, NULL, &engine, &kit_err));
    size_t want = 0;
    for (int i = 0; i < 7; i++) {
        int64_t last_us = T0 + (99 + i) * H;
        want += last_us / H % 7 == 0 ? 2 : 0;
        compute_until(last_us + H);
    }
    CU_ASSERT_EQUAL(want, 2); /* one of seven bars, of two symbols */
    CU_ASSERT_EQUAL(log_of(pt_engine_store(engine)).n, want);
    end();
}

static void test_the_first_score_is_kept_when_the_script_changes(void)
{
    begin_with("hits 1\noffset 9");
    fill_store();
    OK(pt_engine_new(conf, PT_ENGINE_BATCH, NULL, &engine, &kit_err));
    compute_until(INT64_MAX);
    pt_engine_free(engine);
    kit_script("d", "name finder\nkind anomaly\nevery 1h\nof data_quality\n"
                    "param threshold number 3 1 9\nhits 1\noffset 4\n");
    OK(pt_engine_new(conf, PT_ENGINE_BATCH, NULL, &engine, &kit_err));
    compute_until(INT64_MAX);
    struct logged logged = log_of(pt_engine_store(engine));
    CU_ASSERT_EQUAL_FATAL(logged.n, 3);
    for (size_t i = 0; i < logged.n; i++) CU_ASSERT_EQUAL(logged.score[i], 9);
    end();
}

/* Nothing of it: a detector that failed is not one that found nothing, and both log nothing. */
static void test_a_detector_that_fails_logs_nothing(void)
{
    begin_with("hits 1\nrun fail");
    fill_store();
    OK(pt_engine_new(conf, PT_ENGINE_BATCH, NULL, &engine, &kit_err));
    struct pt_cycle_sums sums = compute_until(INT64_MAX);
    CU_ASSERT_EQUAL(sums.failed, 3);
    CU_ASSERT_EQUAL(sums.anomalies, 0);
    CU_ASSERT_EQUAL(log_of(pt_engine_store(engine)).n, 0);
    end();
}

/* ---- serve: from any thread -------------------------------------------------------------------
 */

static pthread_mutex_t told_lock = PTHREAD_MUTEX_INITIALIZER;
static struct told {
    unsigned n;
    uint64_t logged;
    int64_t found;
    size_t in_log; /* when it was told */
    enum pt_code rc;
    char status[20], words[200];
} told;

static void note(uint64_t logged, const bson_t *doc, const struct pt_err *err)
{
    const char *status = "";
    size_t n = log_of(pt_engine_store(engine)).n;
    pthread_mutex_lock(&told_lock);
    told.n++;
    told.in_log = n;
    told.logged = logged;
    told.rc = err ? err->code : PT_OK;
    snprintf(told.words, sizeof told.words, "%.199s", err ? err->text : "");
    told.found = -1;
    if (doc) pt_doc_int(doc, "data.found", &told.found);
    if (doc) pt_doc_text(doc, "status", &status);
    snprintf(told.status, sizeof told.status, "%s", status);
    pthread_mutex_unlock(&told_lock);
}

static void on_detect(void *arg, const bson_t *doc, uint64_t logged, const struct pt_err *err)
{
    (void)arg;
    note(logged, doc, err);
}

static void on_settle(void *arg, const bson_t *doc, const struct pt_err *err)
{
    (void)arg;
    note(0, doc, err);
}

static struct told wait_told(unsigned n)
{
    struct told copy = { 0 };
    for (int64_t until_us = pt_mono_us() + 30 * PT_US_SEC; pt_mono_us() < until_us;) {
        pthread_mutex_lock(&told_lock);
        copy = told;
        pthread_mutex_unlock(&told_lock);
        if (copy.n >= n) break;
        usleep(500);
    }
    return copy;
}

static struct told detect(const char *name, const bson_t *params)
{
    const bson_t *const list[] = { params };
    struct pt_unit unit = { .symbol = "BTCUSDT",
                            .period_us = H,
                            .as_of_us = INT64_MAX,
                            .n = 1,
                            .names = &name,
                            .params = params ? list : NULL,
                            .urgent = true };
    struct pt_err err;
    unsigned before = wait_told(0).n;
    if (pt_engine_detect(engine, &unit, on_detect, NULL, &err) != PT_OK)
        return (struct told){ .rc = err.code };
    return wait_told(before + 1);
}

static struct told settle(const char *id, enum pt_anomaly_status status)
{
    struct pt_err err;
    unsigned before = wait_told(0).n;
    if (pt_engine_settle(engine, id, status, on_settle, NULL, &err) != PT_OK)
        return (struct told){ .rc = err.code };
    return wait_told(before + 1);
}

static void begin_serving(const char *detector)
{
    begin_with(detector);
    kit_set(conf, "cycle.interval=1h");
    told = (struct told){ .n = 0 };
    pt_store_close(market_store("store", 0));
}

static void *detect_twice(void *arg)
{
    (void)arg;
    bson_t params = BSON_INITIALIZER;
    bson_append_double(&params, "threshold", -1, 5);
    struct told first = detect("finder", NULL), again = detect("finder", NULL),
                other = detect("finder", &params);
    bson_destroy(&params);
    bool good = first.rc == PT_OK && first.found == 5 && first.logged == 5 && first.in_log == 5 &&
                again.rc == PT_OK && again.found == 5 && again.logged == 0 && again.in_log == 5;
    /* with another threshold they are other hits */
    good = good && other.found == 5 && other.logged == 5 && other.in_log == 10;
    struct pt_engine_stats stats;
    pt_engine_stats(engine, &stats);
    return stop_with(good && stats.anomalies == 10);
}

static void test_a_detection_is_told_when_it_is_durable(void)
{
    begin_serving("hits 2");
    CU_ASSERT_TRUE(serve(detect_twice));
    end();
}

/* Commits of at most so many leave room for others in between. */
static void *detect_many(void *arg)
{
    const char *name = "finder";
    struct pt_unit unit = {
        .symbol = "BTCUSDT", .period_us = H, .as_of_us = INT64_MAX, .n = 1, .names = &name
    };
    struct pt_store *store = pt_engine_store(engine);
    struct pt_err err;
    uint64_t commit = pt_store_commit_id(store);
    unsigned before = wait_told(0).n;
    (void)arg;
    if (pt_engine_detect(engine, &unit, on_detect, NULL, &err) != PT_OK) return stop_with(false);
    struct told many = wait_told(before + 1);
    return stop_with(many.rc == PT_OK && many.found == 5000 && many.logged == 5000 &&
                     count_log(store) == 5000 && pt_store_commit_id(store) == commit + 20);
}

static void test_many_hits_are_written_some_at_a_time(void)
{
    begin_serving("hits 1\nwindow 5000");
    CU_ASSERT_TRUE(serve(detect_many));
    end();
}

static void *detect_nothing(void *arg)
{
    (void)arg;
    struct told none = detect("finder", NULL), unknown = detect("nobody", NULL),
                calculator = detect("alpha", NULL);
    return stop_with(none.rc == PT_OK && none.found == 0 && none.logged == 0 && none.in_log == 0 &&
                     unknown.rc == PT_ENOENT && calculator.rc == PT_ENOENT);
}

static void test_a_detection_without_hits_writes_nothing(void)
{
    begin_serving("hits 1000000");
    CU_ASSERT_TRUE(serve(detect_nothing));
    end();
}

static void *detect_failure(void *arg)
{
    (void)arg;
    struct told failed = detect("finder", NULL);
    return stop_with(failed.rc == PT_OK && strcmp(failed.status, "error") == 0 &&
                     failed.found == -1 && failed.in_log == 0);
}

static void test_a_detection_that_fails_says_so(void)
{
    begin_serving("hits 1\nrun fail");
    CU_ASSERT_TRUE(serve(detect_failure));
    end();
}

static void *settle_some(void *arg)
{
    (void)arg;
    detect("finder", NULL);
    struct logged before = log_of(pt_engine_store(engine));
    bool good;
    struct told first = settle(before.id[0], PT_ANOMALY_ACKNOWLEDGED),
                second = settle(before.id[1], PT_ANOMALY_RESOLVED),
                back = settle(before.id[1], PT_ANOMALY_ACKNOWLEDGED),
                none = settle("no such id", PT_ANOMALY_RESOLVED),
                longer = settle("a_name_that_is_longer_than_any_id_of_the_log_is_told_as_it_is",
                                PT_ANOMALY_RESOLVED);
    good = strstr(longer.words, "a_name_that_is_longer_than_any_id_of_the_log_is_told") != NULL;
    detect("finder", NULL); /* what is found again stays as it is */
    struct logged after = log_of(pt_engine_store(engine));
    good = good && before.n == 5 && after.n == 5 && first.rc == PT_OK &&
           strcmp(first.status, "acknowledged") == 0 && second.rc == PT_OK &&
           back.rc == PT_EINVAL && none.rc == PT_ENOENT && longer.rc == PT_ENOENT;
    return stop_with(good && after.status[0] == PT_ANOMALY_ACKNOWLEDGED &&
                     after.status[1] == PT_ANOMALY_RESOLVED && after.status[2] == PT_ANOMALY_NEW);
}

static void test_a_status_survives_another_detection(void)
{
    begin_serving("hits 2");
    CU_ASSERT_TRUE(serve(settle_some));
    end();
}

/* ---- serve: bars that closed together ---------------------------------------------------------
 */

/* One bar of seven of those of fill_store. */
static size_t hits_in_store(void)
{
    const int bars[] = { 400, 300, 24 };
    size_t n = 0;
    for (size_t i = 0; i < 3; i++)
        for (int k = 0; k < bars[i]; k++) n += (T0 + k * H) / H % 7 == 0;
    return n;
}

static size_t wait_logged(size_t n)
{
    size_t have = 0;
    for (int64_t until_us = pt_mono_us() + 30 * PT_US_SEC; pt_mono_us() < until_us;) {
        have = count_log(pt_engine_store(engine));
        if (have >= n) break;
        usleep(500);
    }
    return have;
}

static bool all_scanned(void)
{
    struct pt_engine_stats stats = { .to_scan = 1 };
    for (int64_t until_us = pt_mono_us() + 30 * PT_US_SEC;
         stats.to_scan > 0 && pt_mono_us() < until_us; usleep(500))
        pt_engine_stats(engine, &stats);
    return stats.to_scan == 0;
}

/* All of them, and history makes no results. */
static void *scan_all(void *arg)
{
    size_t n = hits_in_store();
    bool good = wait_logged(n) == n && all_scanned();
    (void)arg;
    return stop_with(good && count_log(pt_engine_store(engine)) == n &&
                     count_results(pt_engine_store(engine), "BTCUSDT") == 1);
}

static void test_bars_that_close_together_are_all_scanned(void)
{
    begin_with("hits 7");
    kit_set(conf, "cycle.interval=1h");
    fill_store();
    CU_ASSERT(hits_in_store() > 90);
    CU_ASSERT_TRUE(serve(scan_all));
    end();
}

static void test_what_is_left_to_scan_survives_a_restart(void)
{
    begin_with("hits 7");
    kit_set(conf, "cycle.interval=1h");
    fill_store();
    OK(pt_engine_new(conf, PT_ENGINE_BATCH, NULL, &engine, &kit_err));
    compute_until(INT64_MAX); /* takes the marks, and scans the newest bars alone */
    CU_ASSERT(count_log(pt_engine_store(engine)) <= 3);
    pt_engine_free(engine);
    CU_ASSERT_TRUE(serve(scan_all));
    end();
}

/* Bars 203 to 209, with one hit among them, come when those behind them were scanned long ago. */
static void *scan_late(void *arg)
{
    size_t n = hits_in_store() - 1;
    (void)arg;
    bool good = wait_logged(n) == n && all_scanned();
    market_write(pt_engine_store(engine), "BTCUSDT", H, T0 + 203 * H, 7, 0);
    return stop_with(good && wait_logged(n + 1) == n + 1 && all_scanned());
}

static void test_bars_that_come_late_are_scanned(void)
{
    begin_with("hits 7");
    kit_set(conf, "cycle.interval=1h");
    struct pt_store *store = market_store("store", 0);
    market_write(store, "BTCUSDT", H, T0, 203, 0);
    market_write(store, "BTCUSDT", H, T0 + 210 * H, 190, 0);
    market_write(store, "ETHUSDT", H, T0, 300, 0);
    market_write(store, "BNBUSDT", H, T0, 24, 0);
    pt_store_close(store);
    CU_ASSERT_TRUE(serve(scan_late));
    end();
}

/* Leaves all but the newest bars to be scanned. The engine's store, in place of this one. */
static struct pt_store *compute_newest(struct pt_store *store)
{
    pt_store_close(store);
    OK(pt_engine_new(conf, PT_ENGINE_BATCH, NULL, &engine, &kit_err));
    compute_until(INT64_MAX);
    return pt_engine_store(engine);
}

static void count_scan_unit(const struct pt_plan *plan, size_t i, int64_t *next_us)
{
    CU_ASSERT_EQUAL(plan->v[i].as_of_us, *next_us);
    *next_us += H;
}

/* No plan has more than it may, the oldest come first, and each once. */
static void test_a_scan_is_bounded_and_goes_on(void)
{
    struct pt_plan plan;
    struct pt_scan_turn turn = { .len = 0 };
    uint64_t left;
    int64_t next_us = T0 + H;
    begin_with("hits 7");
    struct pt_store *store = market_store("store", 0);
    market_write(store, "BTCUSDT", H, T0, 300, 0);
    store = compute_newest(store);
    struct pt_scripts *scripts = pt_engine_scripts(engine);
    for (uint64_t rest = 299; rest > 0; rest = left) {
        OK(pt_scans_plan(store, scripts, NULL, PT_SCANS_AT_ONCE, &turn, &plan, &left, &kit_err));
        CU_ASSERT_EQUAL_FATAL(left, rest);
        CU_ASSERT_EQUAL(plan.n, rest < PT_SCANS_AT_ONCE ? rest : PT_SCANS_AT_ONCE);
        for (size_t i = 0; i < plan.n; i++) count_scan_unit(&plan, i, &next_us);
        left -= plan.n;
        struct pt_write *write = NULL;
        OK(pt_write_begin(store, &write, &kit_err));
        OK(pt_scan_done(write, &plan.scans[0], &kit_err));
        OK(pt_write_commit(write, &kit_err));
        pt_plan_fini(&plan);
    }
    CU_ASSERT_EQUAL(next_us, T0 + 300 * H); /* the newest was scanned by the cycle */
    OK(pt_scans_plan(store, scripts, NULL, PT_SCANS_AT_ONCE, &turn, &plan, &left, &kit_err));
    CU_ASSERT(plan.n == 0 && plan.nscans == 0 && left == 0);
    pt_plan_fini(&plan);
    pt_scripts_unref(scripts);
    end();
}

/* Asked while it ends: each is answered once, and nothing is lost of memory. */
static void *ask_and_stop(void *arg)
{
    (void)arg;
    const char *name = "finder";
    struct pt_unit unit = {
        .symbol = "BTCUSDT", .period_us = H, .as_of_us = INT64_MAX, .n = 1, .names = &name
    };
    unsigned asked = 0;
    for (int i = 0; i < 200; i++) {
        if (i == 100) pt_engine_stop(engine);
        asked += pt_engine_detect(engine, &unit, on_detect, NULL, NULL) == PT_OK;
        asked +=
            pt_engine_settle(engine, "00", PT_ANOMALY_RESOLVED, on_settle, NULL, NULL) == PT_OK;
    }
    return (void *)(size_t)(asked + 1);
}

static void test_all_are_answered_when_it_ends(void)
{
    pthread_t thread;
    void *asked = NULL;
    begin_serving("hits 2");
    OK(pt_engine_new(conf, PT_ENGINE_SERVE, NULL, &engine, &kit_err));
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, ask_and_stop, NULL), 0);
    OK(pt_engine_run(engine, &kit_err));
    pthread_join(thread, &asked);
    CU_ASSERT(told.n > 0);
    CU_ASSERT_EQUAL(told.n, (unsigned)(size_t)asked - 1);
    end();
}

/* A long history of one symbol does not keep the others waiting. */
static void test_scans_take_turns(void)
{
    struct pt_plan plan;
    struct pt_scan_turn turn = { .len = 0 };
    uint64_t left;
    static const char *const order[] = { "BTCUSDT", "ETHUSDT", "BTCUSDT" };
    begin_with("hits 7");
    struct pt_store *store = market_store("store", 0);
    market_write(store, "BTCUSDT", H, T0, 300, 0);
    market_write(store, "ETHUSDT", H, T0, 300, 0);
    store = compute_newest(store);
    struct pt_scripts *scripts = pt_engine_scripts(engine);
    for (size_t i = 0; i < 3; i++) {
        OK(pt_scans_plan(store, scripts, NULL, 10, &turn, &plan, &left, &kit_err));
        CU_ASSERT_EQUAL(left, 2 * 299);
        CU_ASSERT_EQUAL_FATAL(plan.n, 10);
        CU_ASSERT_STRING_EQUAL(plan.v[0].symbol, order[i]);
        CU_ASSERT_STRING_EQUAL(plan.v[9].symbol, order[i]);
        pt_plan_fini(&plan);
    }
    pt_scripts_unref(scripts);
    end();
}

/* How many bars are left; scan: and those of one plan are scanned. */
static uint64_t left_to_scan(struct pt_store *store, bool scan)
{
    struct pt_scripts *scripts = pt_engine_scripts(engine);
    struct pt_scan_turn turn = { .len = 0 };
    struct pt_write *write = NULL;
    struct pt_plan plan;
    uint64_t left;
    OK(pt_scans_plan(store, scripts, NULL, PT_SCANS_AT_ONCE, &turn, &plan, &left, &kit_err));
    OK(pt_write_begin(store, &write, &kit_err));
    for (size_t i = 0; scan && i < plan.nscans; i++)
        OK(pt_scan_done(write, &plan.scans[i], &kit_err));
    OK(pt_write_commit(write, &kit_err));
    pt_plan_fini(&plan);
    pt_scripts_unref(scripts);
    return left;
}

/* What a bar was may be known when the next one closes. */
static void test_the_bar_behind_a_late_one_is_scanned_again(void)
{
    begin_with("hits 7");
    struct pt_store *store = market_store("store", 0);
    market_write(store, "BTCUSDT", H, T0, 205, 0);
    market_write(store, "BTCUSDT", H, T0 + 206 * H, 20, 0);
    store = compute_newest(store);
    while (left_to_scan(store, true) > 0) continue;
    market_write(store, "BTCUSDT", H, T0 + 205 * H, 1, 0);
    compute_until(INT64_MAX);
    CU_ASSERT_EQUAL(left_to_scan(store, false), 2);
    end();
}

static CU_TestInfo tests[] = {
    { "a cycle logs the newest bar with its result",
      test_a_cycle_logs_the_newest_bar_with_its_result },
    { "a bar that is no hit leaves no trace", test_a_bar_that_is_no_hit_leaves_no_trace },
    { "the first score is kept when the script changes",
      test_the_first_score_is_kept_when_the_script_changes },
    { "a detector that fails logs nothing", test_a_detector_that_fails_logs_nothing },
    { "a detection is told when it is durable", test_a_detection_is_told_when_it_is_durable },
    { "many hits are written some at a time", test_many_hits_are_written_some_at_a_time },
    { "a detection without hits writes nothing", test_a_detection_without_hits_writes_nothing },
    { "a detection that fails says so", test_a_detection_that_fails_says_so },
    { "a status survives another detection", test_a_status_survives_another_detection },
    { "bars that close together are all scanned", test_bars_that_close_together_are_all_scanned },
    { "what is left to scan survives a restart", test_what_is_left_to_scan_survives_a_restart },
    { "bars that come late are scanned", test_bars_that_come_late_are_scanned },
    { "a scan is bounded and goes on", test_a_scan_is_bounded_and_goes_on },
    { "scans take turns", test_scans_take_turns },
    { "the bar behind a late one is scanned again",
      test_the_bar_behind_a_late_one_is_scanned_again },
    { "all are answered when it ends", test_all_are_answered_when_it_ends },
    CU_TEST_INFO_NULL
};

int main(void)
{
    pt_log_set_level(PT_QUIET);
    return pt_suite_main("flow.detect", tests);
}
