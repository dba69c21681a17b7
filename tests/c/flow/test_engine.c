/* test_engine.c - the assembled house, with workers that behave as ordered and with the real ones.
 */
#include "house.h"

#include "flow/result.h"

#include <dirent.h>
#include <signal.h>

static void open_batch(void)
{
    OK(pt_engine_new(conf, PT_ENGINE_BATCH, NULL, &engine, &kit_err));
}

/* ---- what is stored ---------------------------------------------------------------------------
 */

static bool add_doc(void *arg, const void *key, size_t key_len, const bson_t *doc)
{
    struct pt_buf *out = arg;
    bson_t copy = BSON_INITIALIZER, metadata;
    bson_iter_t iter, inner;
    bson_iter_init(&iter, doc);
    while (bson_iter_next(&iter)) {
        if (strcmp(bson_iter_key(&iter), "metadata") != 0 || !bson_iter_recurse(&iter, &inner)) {
            bson_append_iter(&copy, NULL, 0, &iter);
            continue;
        }
        bson_append_document_begin(&copy, "metadata", -1, &metadata);
        while (bson_iter_next(&inner)) {
            const char *field =
                bson_iter_key(&inner); /* runs: of the fake worker, how often it was asked */
            if (strcmp(field, "computed_at") != 0 && strcmp(field, "runs") != 0)
                bson_append_iter(&metadata, NULL, 0, &inner);
        }
        bson_append_document_end(&copy, &metadata);
    }
    pt_buf_add(out, key, key_len);
    pt_buf_add(out, bson_get_data(&copy), copy.len);
    bson_destroy(&copy);
    return true;
}

struct gather {
    struct pt_read *read;
    struct pt_buf out;
    enum pt_code rc;
};

static bool add_collection(void *arg, const char *name)
{
    struct gather *gather = arg;
    if (strncmp(name, "analytics_", 10) != 0) return true;
    pt_buf_puts(&gather->out, name);
    gather->rc =
        pt_docs_scan(gather->read, name, NULL, 0, NULL, 0, false, add_doc, &gather->out, &kit_err);
    return gather->rc == PT_OK;
}

/* All results, bit for bit, but for when they were computed. */
static struct pt_buf results_of(struct pt_store *store)
{
    struct gather gather = { .rc = PT_OK };
    OK(pt_read_begin(store, &gather.read, &kit_err));
    OK(pt_docs_collections(gather.read, add_collection, &gather, &kit_err));
    OK(gather.rc);
    pt_read_end(gather.read);
    CU_ASSERT_FALSE(gather.out.failed);
    return gather.out;
}

static bool same(struct pt_buf *a, struct pt_buf *b)
{
    bool equal = a->len == b->len && a->len > 0 && memcmp(a->data, b->data, a->len) == 0;
    pt_buf_fini(b);
    return equal;
}

static bool count_mark(void *arg, const struct pt_due *due)
{
    (void)due;
    ++*(size_t *)arg;
    return true;
}

static size_t marks(struct pt_store *store)
{
    struct pt_read *read = NULL;
    size_t n = 0;
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_due_each(read, count_mark, &n, &kit_err));
    pt_read_end(read);
    return n;
}

/* The stored result's value; NaN when there is none. Any thread. */
static double stored_value(struct pt_store *store, const char *symbol, const char *name,
                           int64_t period_us, int64_t as_of_us)
{
    char collection[PT_COLLECTION_MAX];
    uint8_t key[16];
    struct pt_read *read = NULL;
    bson_t doc;
    double value = __builtin_nan("");
    pt_result_collection(symbol, name, collection);
    pt_result_key(period_us, as_of_us, key);
    if (pt_read_begin(store, &read, NULL) == PT_OK &&
        pt_docs_get(read, collection, key, sizeof key, &doc, NULL) == PT_OK)
        pt_doc_double(&doc, "data.value", &value);
    pt_read_end(read);
    return value;
}

/* ---- batch ------------------------------------------------------------------------------------
 */

struct table {
    char text[1000];
    uint64_t done, total;
    bool interrupt;
};

static void on_row(void *arg, const struct pt_cycle_row *row)
{
    struct table *table = arg;
    char period[PT_PERIOD_TEXT_MAX];
    pt_period_print(row->period_us, period);
    snprintf(table->text + strlen(table->text), 100, "%s %s %" PRIu64 "/%" PRIu64 ";", row->script,
             period, row->computed, row->failed);
}

static void on_progress(void *arg, uint64_t done, uint64_t total)
{
    struct table *table = arg;
    table->done = done;
    table->total = total;
    if (table->interrupt) pt_engine_interrupt(engine);
}

static struct pt_cycle_sums compute(const char *const *pairs, const int64_t *periods,
                                    int64_t as_of_us)
{
    struct table table = { .done = 0 };
    const struct pt_cycle_opts opts = { .pairs = pairs,
                                        .periods_us = periods,
                                        .as_of_us = as_of_us,
                                        .row = on_row,
                                        .progress = on_progress,
                                        .arg = &table };
    struct pt_cycle_sums sums;
    OK(pt_engine_compute(engine, &opts, &sums, &kit_err));
    CU_ASSERT_EQUAL(table.done, sums.units);
    CU_ASSERT_EQUAL(table.total, sums.units);
    return sums;
}

static void test_compute_stores_every_script_of_every_series(void)
{
    struct table table = { .done = 0 };
    const struct pt_cycle_opts opts = { .as_of_us = INT64_MAX, .row = on_row, .arg = &table };
    struct pt_cycle_sums sums;
    begin();
    fill_store();
    open_batch();
    CU_ASSERT_EQUAL(marks(pt_engine_store(engine)), 3);
    OK(pt_engine_compute(engine, &opts, &sums, &kit_err));
    CU_ASSERT_EQUAL(sums.units, 6);
    CU_ASSERT_EQUAL(sums.results, 9);
    CU_ASSERT_EQUAL(sums.failed, 0);
    CU_ASSERT_STRING_EQUAL(table.text, "alpha 1h 3/0;alpha 1d 3/0;beta 1h 3/0;");
    CU_ASSERT_EQUAL(stored_value(pt_engine_store(engine), "ETHUSDT", "beta", H, T0 + 300 * H),
                    (double)((T0 + 300 * H) / 1000) + 'E');
    CU_ASSERT_EQUAL(stored_value(pt_engine_store(engine), "BNBUSDT", "alpha", PT_US_DAY,
                                 T0 + 24 * H),
                    (double)((T0 + 24 * H) / 1000) + 'B');
    CU_ASSERT_EQUAL(marks(pt_engine_store(engine)), 0);
    end();
}

static void test_computing_again_changes_nothing(void)
{
    begin();
    fill_store();
    open_batch();
    compute(NULL, NULL, INT64_MAX);
    struct pt_buf first = results_of(pt_engine_store(engine));
    compute(NULL, NULL, INT64_MAX);
    struct pt_buf again = results_of(pt_engine_store(engine));
    CU_ASSERT_TRUE(same(&first, &again));
    pt_engine_free(engine);
    open_batch();
    compute(NULL, NULL, INT64_MAX);
    again = results_of(pt_engine_store(engine));
    CU_ASSERT_TRUE(same(&first, &again));
    pt_buf_fini(&first);
    end();
}

static void test_a_part_of_the_market_leaves_the_rest_due(void)
{
    static const char *const pairs[] = { "ETHUSDT", NULL };
    static const int64_t periods[] = { PT_US_DAY, 0 };
    begin();
    fill_store();
    open_batch();
    struct pt_store *store = pt_engine_store(engine);
    CU_ASSERT_EQUAL(compute(pairs, NULL, INT64_MAX).units, 2);
    CU_ASSERT_EQUAL(compute(NULL, periods, INT64_MAX).units, 3);
    CU_ASSERT_EQUAL(compute(NULL, NULL, T0 + 200 * H + 5).units, 6);
    CU_ASSERT_EQUAL(stored_value(store, "BTCUSDT", "alpha", H, T0 + 200 * H),
                    (double)((T0 + 200 * H) / 1000) + 'B');
    CU_ASSERT_EQUAL(marks(store), 3);
    end();
}

static void test_interrupting_keeps_what_was_computed(void)
{
    struct table table = { .interrupt = true };
    const struct pt_cycle_opts opts = { .as_of_us = INT64_MAX,
                                        .progress = on_progress,
                                        .arg = &table };
    struct pt_cycle_sums sums;
    begin();
    kit_script("a", "name alpha\nevery 1h 1d\nrun slow 1\n");
    struct pt_store *store = market_store("store", 0);
    for (int i = 0; i < 200; i++) {
        char symbol[8];
        snprintf(symbol, sizeof symbol, "S%03d", i);
        market_write(store, symbol, H, T0, 3, 0);
    }
    pt_store_close(store);
    open_batch();
    CU_ASSERT_EQUAL(pt_engine_compute(engine, &opts, &sums, &kit_err), PT_ECANCEL);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "interrupted"));
    CU_ASSERT(sums.units > 0 && sums.units < 200);
    CU_ASSERT_EQUAL(marks(pt_engine_store(engine)), 200);
    size_t found = 0;
    for (int i = 0; i < 200; i++) {
        char symbol[8];
        snprintf(symbol, sizeof symbol, "S%03d", i);
        double value = stored_value(pt_engine_store(engine), symbol, "alpha", H, T0 + 3 * H);
        found += value == value;
    }
    CU_ASSERT_EQUAL(found, sums.units);
    end();
}

static void test_a_failing_script_is_counted_and_its_result_stored(void)
{
    bson_t doc;
    uint8_t key[16];
    struct pt_read *read = NULL;
    begin();
    kit_script("b", "name beta\nevery 1h\nrun crash\n");
    fill_store();
    open_batch();
    struct pt_cycle_sums sums = compute(NULL, NULL, INT64_MAX);
    CU_ASSERT_EQUAL(sums.results, 9);
    CU_ASSERT_EQUAL(sums.failed, 3);
    pt_result_key(H, T0 + 300 * H, key);
    OK(pt_read_begin(pt_engine_store(engine), &read, &kit_err));
    OK(pt_docs_get(read, "analytics_ETHUSDT_beta", key, sizeof key, &doc, &kit_err));
    CU_ASSERT_TRUE(pt_result_failed(&doc));
    pt_read_end(read);
    end();
}

static void on_result(void *arg, const struct pt_unit_result *results, size_t n,
                      const struct pt_err *err)
{
    double *value = arg;
    if (!err && n == 1) pt_doc_double(results[0].doc, "data.value", value);
}

static void test_one_unit_can_be_asked_for(void)
{
    const char *const beta = "beta", *const nobody = "nobody";
    struct pt_unit unit = {
        .symbol = "ETHUSDT", .period_us = H, .as_of_us = T0, .n = 1, .names = &beta
    };
    double value = 0;
    begin();
    fill_store();
    open_batch();
    OK(pt_engine_eval_wait(engine, &unit, on_result, &value, &kit_err));
    CU_ASSERT_EQUAL(value, (double)(T0 / 1000) + 'E');
    unit.names = &nobody;
    CU_ASSERT_EQUAL(pt_engine_eval_wait(engine, &unit, on_result, &value, &kit_err), PT_ENOENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "nobody"));
    end();
}

static void test_asking_a_store_that_is_not_there_makes_none(void)
{
    char path[PATH_MAX];
    begin();
    CU_ASSERT_EQUAL(pt_engine_new(conf, PT_ENGINE_BATCH, NULL, &engine, &kit_err), PT_ENOENT);
    CU_ASSERT_PTR_NULL(engine);
    kit_path(path, "store");
    CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
    end();
}

static void test_mistakes_are_all_named_before_anything_starts(void)
{
    char path[PATH_MAX];
    begin();
    kit_set(conf, "scripts.path=/nowhere");
    kit_set(conf, "workers.path=/no/worker");
    kit_set(conf, "feed.enabled=ghost");
    kit_set(conf, "store.keep=candles=soon");
    kit_set(conf, "cycle.pairs=BTC-USD");
    CU_ASSERT_NOT_EQUAL(pt_engine_new(conf, PT_ENGINE_SERVE, NULL, &engine, &kit_err), PT_OK);
    CU_ASSERT_PTR_NULL(engine);
    static const char *const words[] = {
        "/nowhere", "/no/worker", "ghost", "soon", "BTC-USD", NULL
    };
    for (const char *const *word = words; *word; word++) {
        if (!strstr(kit_err.text, *word))
            printf("\n  '%s' does not name %s\n", kit_err.text, *word);
        CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, *word));
    }
    kit_path(path, "store");
    CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
    end();
}

static void test_a_file_can_be_tried_beside_the_live_scripts(void)
{
    char path[PATH_MAX];
    begin();
    fill_store();
    kit_path(path, "mine.lua");
    kit_write(path, "name beta\nevery 1h\nparam window int 9\n");
    OK(pt_engine_new(conf, PT_ENGINE_BATCH, path, &engine, &kit_err));
    struct pt_scripts *scripts = pt_engine_scripts(engine);
    const struct pt_script *beta = pt_scripts_find(scripts, "beta");
    CU_ASSERT_PTR_NOT_NULL_FATAL(beta);
    CU_ASSERT_STRING_EQUAL(beta->source->file, path);
    pt_scripts_unref(scripts);
    end();
}

/* ---- serve ------------------------------------------------------------------------------------
 */

static bool until_value(const char *symbol, const char *name, int64_t period_us, int64_t as_of_us)
{
    int64_t give_up_us = pt_mono_us() + 30 * PT_US_SEC;
    while (pt_mono_us() < give_up_us) {
        double value = stored_value(pt_engine_store(engine), symbol, name, period_us, as_of_us);
        if (value == value) return true;
        usleep(1000);
    }
    return false;
}

/* A cycle is counted a moment after its results are stored. */
static bool until_cycles(uint64_t n)
{
    struct pt_engine_stats stats = { .cycles = 0 };
    for (int i = 0; i < 20000 && stats.cycles < n; i++) {
        pt_engine_stats(engine, &stats);
        usleep(1000);
    }
    return stats.cycles >= n;
}

static void *hour_of_minutes(void *arg)
{
    (void)arg;
    int64_t hour_us = pt_period_floor(H, pt_now_us()) - H;
    for (int i = 0; i < 60; i++)
        deliver(market_kline("BTCUSDT", hour_us + i * PT_US_MIN, "120.00", true));
    return stop_with(until_value("BTCUSDT", "alpha", H, hour_us + H) &&
                     until_value("BTCUSDT", "beta", H, hour_us + H) && until_cycles(1));
}

static void test_closed_bars_of_a_feed_are_computed_at_once(void)
{
    struct pt_engine_stats stats;
    begin();
    serve_conf();
    CU_ASSERT_TRUE(serve(hour_of_minutes));
    pt_engine_stats(engine, &stats);
    CU_ASSERT_EQUAL(stats.rows, 60);
    CU_ASSERT(stats.cycles >= 1 && stats.results >= 2);
    CU_ASSERT(stats.last_cycle_us > stats.started_us);
    CU_ASSERT_EQUAL(stats.nfeeds, 1);
    CU_ASSERT_TRUE(atomic_load(&puppet->drained));
    CU_ASSERT_EQUAL(atomic_load(&puppet->acked), 60);
    end();
}

/* As `petrosa import` does from another process: the daemon only sees that something was committed.
 */
static void *import_and_correct(void *arg)
{
    (void)arg;
    struct pt_store *store = pt_engine_store(engine);
    market_write(store, "ETHUSDT", H, T0, 100, 0);
    if (!until_value("ETHUSDT", "beta", H, T0 + 100 * H)) return stop_with(false);
    /* a result of the past, as somebody stored it: a late bar in its window computes it again */
    uint8_t key[16];
    struct pt_write *write = NULL;
    bson_t doc = BSON_INITIALIZER;
    pt_result_key(H, T0 + 50 * H, key);
    bson_append_date_time(&doc, "as_of", -1, (T0 + 50 * H) / 1000);
    bool good =
        pt_write_begin(store, &write, NULL) == PT_OK &&
        pt_write_doc(write, "analytics_ETHUSDT_alpha", key, sizeof key, &doc, NULL) == PT_OK &&
        pt_write_commit(write, NULL) == PT_OK;
    bson_destroy(&doc);
    market_write(store, "ETHUSDT", H, T0 + 45 * H, 1, 7);
    return stop_with(good && until_value("ETHUSDT", "alpha", H, T0 + 50 * H));
}

static void test_what_another_process_commits_is_computed_too(void)
{
    begin();
    CU_ASSERT_TRUE(serve(import_and_correct));
    end();
}

static atomic_uint answered;

static void count_answer(void *arg, const struct pt_unit_result *results, size_t n,
                         const struct pt_err *err)
{
    double value = 0;
    (void)arg;
    if (!err && n == 2 && pt_doc_double(results[1].doc, "data.value", &value) && value > 0)
        atomic_fetch_add(&answered, 1);
}

static void *ask_from_outside(void *arg)
{
    static const char *const names[] = { "beta", "alpha" };
    (void)arg;
    bool good = true;
    atomic_store(&answered, 0);
    for (int i = 0; i < 100 && good; i++) {
        struct pt_unit unit = { .symbol = "ETHUSDT",
                                .period_us = H,
                                .as_of_us = T0,
                                .n = 2,
                                .names = names,
                                .urgent = true };
        good = pt_engine_eval(engine, &unit, count_answer, NULL, NULL) == PT_OK;
        struct pt_engine_stats stats;
        pt_engine_stats(engine, &stats);
        struct pt_scripts *scripts = pt_engine_scripts(engine);
        good = good && scripts->generation == pt_engine_generation(engine);
        pt_scripts_unref(scripts);
    }
    for (int i = 0; i < 20000 && atomic_load(&answered) < 100; i++) usleep(1000);
    return stop_with(good && atomic_load(&answered) == 100);
}

static void test_units_can_be_asked_from_any_thread(void)
{
    begin();
    CU_ASSERT_TRUE(serve(ask_from_outside));
    const char *const alpha = "alpha";
    const struct pt_unit unit = {
        .symbol = "ETHUSDT", .period_us = H, .as_of_us = T0, .n = 1, .names = &alpha
    };
    CU_ASSERT_EQUAL(pt_engine_eval(engine, &unit, count_answer, NULL, &kit_err), PT_ECANCEL);
    end();
}

static void *send_signals(void *arg)
{
    (void)arg;
    kill(getpid(), SIGHUP); /* is taken, and ends nothing */
    usleep(20000);
    kill(getpid(), SIGTERM);
    return engine;
}

static void test_a_termination_signal_ends_it_in_order(void)
{
    sigset_t before, after;
    begin();
    serve_conf();
    for (int i = 0; i < 100; i++)
        deliver(market_kline("BTCUSDT", T0 + i * PT_US_MIN, "120.00", true));
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    CU_ASSERT_TRUE(serve(send_signals));
    CU_ASSERT_EQUAL(market_rows(pt_engine_store(engine), PT_CANDLES, "BTCUSDT", PT_US_MIN),
                    atomic_load(&puppet->acked));
    pt_engine_free(engine);
    engine = NULL;
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    CU_ASSERT_EQUAL(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
    end();
}

static void test_a_termination_signal_ends_a_start_that_hangs(void)
{
    sigset_t mask, before;
    begin();
    kit_script("gamma", "name gamma\nevery 1h\nload hang\n");
    kit_set(conf, "scripts.load_budget=60s");
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &mask, &before);
    kill(getpid(), SIGTERM); /* waits until the engine takes it */
    CU_ASSERT_EQUAL(pt_engine_new(conf, PT_ENGINE_SERVE, NULL, &engine, &kit_err), PT_ECANCEL);
    CU_ASSERT_PTR_NULL(engine);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    end();
}

static void *just_stop(void *arg)
{
    (void)arg;
    return stop_with(true);
}

static void test_a_start_that_fails_leaves_the_store_free(void)
{
    begin();
    atomic_store(&puppet->fail_open, true);
    serve_conf();
    OK(pt_engine_new(conf, PT_ENGINE_SERVE, NULL, &engine, &kit_err));
    CU_ASSERT_EQUAL(pt_engine_run(engine, &kit_err),
                    PT_EIO); /* a feed that does not open is an error of the start */
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "feed puppet"));
    pt_engine_free(engine);
    engine = NULL;
    atomic_store(&puppet->fail_open, false);
    CU_ASSERT_TRUE(serve(just_stop)); /* and the store can be taken again */
    end();
}

/* ---- with real workers and the shipped scripts --------------------------------------------------
 */

/* A folder of the source; this file is tests/c/flow/test_engine.c of it. */
static void source_path(char out[PATH_MAX], const char *name)
{
    const char *source = getenv("PETROSA_SOURCE");
    if (source)
        snprintf(out, PATH_MAX, "%s/%s", source, name);
    else
        snprintf(out, PATH_MAX, "%.*s/%s",
                 (int)(strlen(__FILE__) - strlen("/tests/c/flow/test_engine.c")), __FILE__, name);
}

static bool real_begin(void)
{
    char worker[PATH_MAX], scripts[PATH_MAX];
    kit_beside(worker, "../petrosa-worker");
    source_path(scripts, "scripts");
    if (access(worker, X_OK) != 0) {
        pt_skip("no petrosa-worker is built");
        return false;
    }
    begin();
    kit_set(conf, "workers.path=%s", worker);
    kit_set(conf, "scripts.path=%s", scripts);
    struct pt_store *store = market_store("store", 0);
    market_write(store, "BTCUSDT", PT_US_MIN, T0, 60 * 24 * 40, 0);
    market_write(store, "ETHUSDT", H, T0, 24 * 120, 0);
    market_write(store, "ETHUSDT", H, T0 + 24 * 125 * H, 24 * 5, 0); /* behind a hole */
    market_write(store, "BNBUSDT", H, T0, 10, 0);
    pt_store_close(store);
    return true;
}

static void test_real_results_are_the_same_bits_however_they_are_computed(void)
{
    static const char *const eth[] = { "ETHUSDT", NULL }, *const others[] = { "BNBUSDT", "BTCUSDT",
                                                                              NULL };
    static const int64_t days[] = { PT_US_DAY, 0 }, hours[] = { H, 0 };
    if (!real_begin()) return;
    open_batch();
    struct pt_cycle_sums sums = compute(NULL, NULL, INT64_MAX);
    CU_ASSERT(sums.units >= 5);
    CU_ASSERT_EQUAL(sums.failed, 0);
    struct pt_buf first = results_of(pt_engine_store(engine));
    compute(NULL, NULL, INT64_MAX);
    struct pt_buf again = results_of(pt_engine_store(engine));
    CU_ASSERT_TRUE(same(&first, &again));
    /* in another order, and after a restart with one worker */
    pt_engine_free(engine);
    kit_set(conf, "workers.count=1");
    open_batch();
    compute(others, days, INT64_MAX);
    compute(eth, hours, INT64_MAX);
    compute(others, hours, INT64_MAX);
    compute(eth, days, INT64_MAX);
    again = results_of(pt_engine_store(engine));
    CU_ASSERT_TRUE(same(&first, &again));
    pt_buf_fini(&first);
    end();
}

static void keep_doc(void *arg, const struct pt_unit_result *results, size_t n,
                     const struct pt_err *err)
{
    if (!err && n == 1) *(bson_t **)arg = bson_copy(results[0].doc);
}

static void test_a_real_evaluation_is_the_stored_result(void)
{
    const char *const name = "volatility";
    struct pt_unit unit = {
        .symbol = "ETHUSDT", .period_us = H, .as_of_us = INT64_MAX, .n = 1, .names = &name
    };
    uint8_t key[16];
    struct pt_read *read = NULL;
    bson_t stored, *evaluated = NULL;
    struct pt_buf a = { 0 }, b = { 0 };
    if (!real_begin()) return;
    open_batch();
    compute(NULL, NULL, INT64_MAX);
    OK(pt_engine_eval_wait(engine, &unit, keep_doc, &evaluated, &kit_err));
    CU_ASSERT_PTR_NOT_NULL_FATAL(evaluated);
    pt_result_key(H, T0 + 24 * 130 * H, key);
    OK(pt_read_begin(pt_engine_store(engine), &read, &kit_err));
    OK(pt_docs_get(read, "analytics_ETHUSDT_volatility", key, sizeof key, &stored, &kit_err));
    add_doc(&a, key, sizeof key, &stored);
    add_doc(&b, key, sizeof key, evaluated);
    pt_read_end(read);
    CU_ASSERT_TRUE(same(&a, &b));
    pt_buf_fini(&a);
    bson_destroy(evaluated);
    end();
}

static void test_a_real_worker_is_killed_and_the_others_deliver(void)
{
    static const char loops[] =
        "return calculator { api = 1, name = 'loops', about = 'never ends',"
        " needs = { candles = { span = '30d' } }, every = { '1h' }, params = {},"
        " outputs = { x = 'quote' },"
        " compute = function(w, p) local n = 0 while true do n = n + 1 end end }";
    char path[PATH_MAX];
    struct pt_pool_stats before;
    if (!real_begin()) return;
    kit_path(path, "loops.lua");
    kit_write(path, loops);
    OK(pt_engine_new(conf, PT_ENGINE_BATCH, path, &engine, &kit_err));
    struct pt_scripts *scripts = pt_engine_scripts(engine);
    const struct pt_script *script = pt_scripts_find(scripts, "loops");
    if (!script)
        for (size_t i = 0; i < scripts->n; i++)
            printf("\n  %s: %s\n", scripts->v[i].name, scripts->v[i].message);
    CU_ASSERT_PTR_NOT_NULL_FATAL(script);
    pt_scripts_unref(scripts);
    struct pt_cycle_sums sums = compute(NULL, NULL, INT64_MAX);
    struct pt_engine_stats stats;
    pt_engine_stats(engine, &stats);
    before = stats.pool;
    CU_ASSERT_EQUAL(sums.failed, 3); /* loops, of three symbols at 1h */
    CU_ASSERT_EQUAL(before.deaths, 3);
    end();
}

/* ---- the hostile ones, all together with the shipped ones
 * ---------------------------------------- */

#define HOSTILE_MAX 128

struct hostile {
    char name[PT_SCRIPT_NAME_MAX], kind[16]; /* "-- expect: KIND ..." */
};
static struct hostile hostiles[HOSTILE_MAX];
static size_t nhostiles;

static void read_hostile(const char *folder, const char *file)
{
    char path[PATH_MAX], copy[PATH_MAX], text[65536], *expect;
    struct hostile *hostile = &hostiles[nhostiles];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    kit_path(copy, "scripts/calculators/%s", file);
    FILE *in = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(in);
    size_t len = fread(text, 1, sizeof text - 1, in);
    fclose(in);
    text[len] = '\0';
    kit_write(copy, text);
    expect = strstr(text, "-- expect: ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(expect);
    memset(hostile, 0, sizeof *hostile);
    snprintf(hostile->name, sizeof hostile->name, "%.*s", (int)strcspn(file, "."), file);
    sscanf(expect, "-- expect: %15s", hostile->kind);
    nhostiles++;
}

static void read_hostiles(void)
{
    char folder[PATH_MAX];
    source_path(folder, "tests/torture/hostile");
    DIR *dir = opendir(folder);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    nhostiles = 0;
    for (struct dirent *e = readdir(dir); e && nhostiles < HOSTILE_MAX; e = readdir(dir))
        if (e->d_name[0] != '.') read_hostile(folder, e->d_name);
    closedir(dir);
    CU_ASSERT(nhostiles >= 40);
}

static const struct hostile *hostile_of(const char *name)
{
    for (size_t i = 0; i < nhostiles; i++)
        if (strcmp(hostiles[i].name, name) == 0) return &hostiles[i];
    return NULL;
}

struct outcome {
    struct pt_buf shipped; /* results of the scripts that are not hostile */
    size_t seen;
};

static void judge(void *arg, const struct pt_unit_result *results, size_t n,
                  const struct pt_err *err)
{
    struct outcome *outcome = arg;
    if (err) printf("\n  %s\n", err->text);
    CU_ASSERT_PTR_NULL(err);
    for (size_t i = 0; i < n; i++) {
        const struct hostile *hostile = hostile_of(results[i].name);
        const char *status = "", *message = "";
        pt_doc_text(results[i].doc, "status", &status);
        pt_doc_text(results[i].doc, "metadata.error.message", &message);
        if (!hostile) {
            CU_ASSERT_STRING_NOT_EQUAL(status, "error");
            pt_buf_puts(&outcome->shipped, results[i].name);
            add_doc(&outcome->shipped, "", 0, results[i].doc);
            continue;
        }
        outcome->seen++;
        /* what each says is for the worker's own tests; on a busy machine any of them may run out
         * of its budget, and those that keep something for the next call come to grief only there
         */
        bool failed = strcmp(status, "error") == 0, over = strstr(message, "time budget") != NULL;
        bool right = failed || strncmp(hostile->name, "kept_", 5) == 0;
        if (strcmp(hostile->kind, "killed") == 0) right = failed && over;
        if (strcmp(hostile->kind, "ok") == 0) right = !failed || over;
        if (!right)
            printf("\n  %s: expected %s, is %s %s\n", hostile->name, hostile->kind, status,
                   message);
        CU_ASSERT_TRUE(right);
    }
}

/* Runs all live scripts in one unit; how many hostile ones were refused at load. */
static size_t run_all(struct outcome *outcome)
{
    static const char *names[HOSTILE_MAX + 32];
    struct pt_unit unit = {
        .symbol = "ETHUSDT", .period_us = H, .as_of_us = INT64_MAX, .names = names
    };
    struct pt_scripts *scripts = pt_engine_scripts(engine);
    size_t refused = 0;
    *outcome = (struct outcome){ .seen = 0 };
    for (size_t i = 0; i < scripts->n; i++) {
        const struct pt_script *script = &scripts->v[i];
        const struct hostile *hostile = hostile_of(script->name);
        if (pt_script_is_market(script)) continue; /* needs a unit of its own */
        if (script->status == PT_SCRIPT_LIVE) {
            names[unit.n++] = script->name;
            continue;
        }
        bool killed = hostile && strcmp(hostile->kind, "killed-load") == 0;
        if (!hostile || (!killed && strcmp(hostile->kind, "refused") != 0))
            printf("\n  %s failed: %s\n", script->name, script->message);
        CU_ASSERT(killed || (hostile && strcmp(hostile->kind, "refused") == 0));
        if (killed) CU_ASSERT_PTR_NOT_NULL(strstr(script->message, "while it was loaded"));
        refused++;
    }
    OK(pt_engine_eval_wait(engine, &unit, judge, outcome, &kit_err));
    pt_scripts_unref(scripts);
    return refused;
}

static void test_hostile_scripts_reach_nobody_else(void)
{
    char path[PATH_MAX];
    struct outcome alone, together;
    if (!real_begin()) return;
    nhostiles = 0;
    open_batch();
    CU_ASSERT_EQUAL(run_all(&alone), 0);
    CU_ASSERT(alone.shipped.len > 0);
    pt_engine_free(engine);
    kit_path(path, "scripts/calculators/a.lua");
    unlink(path);
    kit_path(path, "scripts/calculators/b.lua");
    unlink(path);
    read_hostiles();
    source_path(path, "scripts");
    kit_set(conf, "scripts.path=%s, %s/scripts", path, kit_dir);
    kit_set(conf, "scripts.load_budget=300ms");
    open_batch();
    size_t refused = run_all(&together);
    CU_ASSERT_EQUAL(refused + together.seen, nhostiles);
    CU_ASSERT_TRUE(same(&alone.shipped, &together.shipped));
    struct pt_engine_stats stats;
    pt_engine_stats(engine, &stats);
    CU_ASSERT(stats.pool.deaths >= 5);
    pt_buf_fini(&alone.shipped);
    end();
}

static CU_TestInfo tests[] = {
    { "compute stores every script of every series",
      test_compute_stores_every_script_of_every_series },
    { "computing again changes nothing", test_computing_again_changes_nothing },
    { "a part of the market leaves the rest due", test_a_part_of_the_market_leaves_the_rest_due },
    { "interrupting keeps what was computed", test_interrupting_keeps_what_was_computed },
    { "a failing script is counted, its result stored",
      test_a_failing_script_is_counted_and_its_result_stored },
    { "one unit can be asked for", test_one_unit_can_be_asked_for },
    { "asking a store that is not there makes none",
      test_asking_a_store_that_is_not_there_makes_none },
    { "mistakes are all named before anything starts",
      test_mistakes_are_all_named_before_anything_starts },
    { "a file can be tried beside the live scripts",
      test_a_file_can_be_tried_beside_the_live_scripts },
    { "closed bars of a feed are computed at once",
      test_closed_bars_of_a_feed_are_computed_at_once },
    { "what another process commits is computed too",
      test_what_another_process_commits_is_computed_too },
    { "units can be asked from any thread", test_units_can_be_asked_from_any_thread },
    { "a termination signal ends it in order", test_a_termination_signal_ends_it_in_order },
    { "a termination signal ends a start that hangs",
      test_a_termination_signal_ends_a_start_that_hangs },
    { "a start that fails leaves the store free", test_a_start_that_fails_leaves_the_store_free },
    { "real results are the same bits in any order",
      test_real_results_are_the_same_bits_however_they_are_computed },
    { "a real evaluation is the stored result", test_a_real_evaluation_is_the_stored_result },
    { "a real worker is killed, the others deliver",
      test_a_real_worker_is_killed_and_the_others_deliver },
    { "hostile scripts reach nobody else", test_hostile_scripts_reach_nobody_else },
    CU_TEST_INFO_NULL
};

int main(void)
{
    pt_log_set_level(PT_QUIET);
    return pt_suite_main("flow.engine", tests);
}
