/* test_ingest.c - the writer thread: what is acknowledged is durable, what is not durable is not
 * lost. */
#include "writer.h"

#include "flow/findings.h"

#include <lmdb.h>

/* ---- rows -------------------------------------------------------------------------------------
 */

static uint64_t wrong_acks;

/* Each message is one bar: whatever is acknowledged must be readable. On the writer thread. */
static void check_ack(uint64_t tag)
{
    struct pt_series_key key = { .kind = PT_CANDLES, .symbol = "BTCUSDT", .period_us = PT_US_MIN };
    struct pt_series series = { .rows = 0 };
    struct pt_read *read = NULL;
    struct pt_err err;
    if (pt_read_begin(store, &read, &err) != PT_OK ||
        pt_series_find(read, &key, &series, &err) != PT_OK || series.rows < tag)
        wrong_acks++;
    pt_read_end(read);
}

static void test_what_is_acknowledged_is_in_the_store(void)
{
    begin(0);
    wrong_acks = 0;
    puppet->on_acked = check_ack;
    start(50, 1 << 16, NULL, 0);
    OK(feed());
    for (int i = 0; i < 2000; i++)
        deliver(market_kline("BTCUSDT", T0 + i * PT_US_MIN, "120.00", true));
    UNTIL(atomic_load(&puppet->acked) == 2000);
    CU_ASSERT_EQUAL(wrong_acks, 0);
    CU_ASSERT_EQUAL(market_rows(store, PT_CANDLES, "BTCUSDT", PT_US_MIN), 2000);
    UNTIL(commits_told > 0);
    struct pt_engine_stats now = stats();
    CU_ASSERT_EQUAL(now.rows, 2000);
    CU_ASSERT_EQUAL(now.nfeeds, 1);
    CU_ASSERT_EQUAL(now.feeds[0].messages, 2000);
    CU_ASSERT_EQUAL(now.feeds[0].rows, 2000);
    CU_ASSERT_EQUAL(now.feeds[0].rejected, 0);
    CU_ASSERT_TRUE(now.feeds[0].open);
    CU_ASSERT_TRUE(now.store_ok);
    CU_ASSERT(now.commits >= 1 && now.commits <= 2000);
    CU_ASSERT_STRING_EQUAL(now.feeds[0].name, "puppet");
    end();
}

static void test_rows_that_nobody_waits_for_are_committed_together(void)
{
    begin(0);
    start(100000, 1 << 22, NULL, 0);
    for (int i = 0; i < 3000; i++) deliver(market_trade("BTCUSDT", T0 + i * 1000, i));
    OK(feed());
    UNTIL(atomic_load(&puppet->acked) == 3000);
    CU_ASSERT_EQUAL(market_rows(store, PT_TRADES, "BTCUSDT", 0), 3000);
    CU_ASSERT(stats().commits < 500);
    end();
}

struct reason_of {
    const char *type, *reason;
    uint64_t count;
};

static void look_reason(void *arg, const char *type, const char *reason, uint64_t count)
{
    struct reason_of *wanted = arg;
    if (strcmp(type, wanted->type) == 0 && (!wanted->reason || strcmp(reason, wanted->reason) == 0))
        wanted->count += count;
}

static uint64_t rejects(const char *type, const char *reason)
{
    struct reason_of wanted = { type, reason, 0 };
    pt_ingest_rejects(ingest, look_reason, &wanted);
    return wanted.count;
}

static void test_messages_without_rows_are_counted_and_acknowledged(void)
{
    begin(0);
    start(1000, 1 << 16, NULL, 0);
    OK(feed());
    deliver(strdup("{\"result\":null,\"id\":1}"));
    deliver(strdup("not json at all"));
    deliver(strdup("{\"e\":\"kline\"}"));
    deliver(market_kline("BTCUSDT", T0, "900.00", true)); /* close above high */
    deliver(strdup("{\"e\":\"depthUpdate\",\"E\":1704067200100,\"s\":\"BTCUSDT\",\"U\":11,\"u\":11,"
                   "\"b\":[],\"a\":[]}"));
    UNTIL(atomic_load(&puppet->acked) == 5);
    struct pt_engine_stats now = stats();
    CU_ASSERT_EQUAL(now.feeds[0].messages, 5);
    CU_ASSERT_EQUAL(now.feeds[0].ignored, 2);
    CU_ASSERT_EQUAL(now.feeds[0].bookless, 1);
    CU_ASSERT_EQUAL(now.feeds[0].rejected, 3);
    CU_ASSERT_EQUAL(now.feeds[0].rows, 0);
    CU_ASSERT_EQUAL(now.rejects_total, 3);
    CU_ASSERT_EQUAL(rejects("kline", "ohlc_order"), 1);
    CU_ASSERT_EQUAL(rejects("kline", NULL), 2);
    CU_ASSERT_EQUAL(rejects("unknown", NULL), 1);
    CU_ASSERT_EQUAL(now.commits, 1); /* of the bar, for the log of anomalies */
    CU_ASSERT_EQUAL(now.findings, 1);
    CU_ASSERT_EQUAL(now.findings_dropped, 0);
    end();
}

static bool count_anomaly(void *arg, const struct pt_anomaly *anomaly)
{
    (void)anomaly;
    ++*(size_t *)arg;
    return true;
}

static size_t anomalies(void)
{
    const struct pt_anomaly_filter all = {
        .severity = -1, .kind = -1, .status = -1, .from_us = INT64_MIN, .to_us = INT64_MAX
    };
    struct pt_read *read = NULL;
    size_t n = 0;
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_anomaly_each(read, &all, false, count_anomaly, &n, &kit_err));
    pt_read_end(read);
    return n;
}

static char *bad_kline(int symbol)
{
    char name[24];
    snprintf(name, sizeof name, "BAD%dUSDT", symbol);
    return market_kline(name, T0, "900.00", true);
}

/* 20,000 bad messages of 5000 made-up symbols among good ones. */
static void test_rubbish_fills_no_store_and_holds_up_nothing_good(void)
{
    begin(0);
    start(1000, 1 << 20, NULL, 0);
    OK(feed());
    for (int i = 0; i < 20000; i++) {
        deliver(bad_kline(i % 5000));
        if (i % 10 == 0) deliver(market_kline("BTCUSDT", T0 + i * PT_US_MIN, "120.00", true));
    }
    UNTIL(atomic_load(&puppet->acked) == 22000);
    struct pt_engine_stats now = stats();
    CU_ASSERT_EQUAL(market_rows(store, PT_CANDLES, "BTCUSDT", PT_US_MIN), 2000);
    CU_ASSERT_EQUAL(now.rejects_total, 20000);
    CU_ASSERT(now.findings >= PT_FINDINGS_BURST && now.findings < PT_FINDINGS_BURST + 40);
    CU_ASSERT_EQUAL(anomalies(), now.findings);
    /* of a symbol that had its own, the others are the same bar */
    CU_ASSERT(now.findings_dropped > 0 && now.findings_dropped <= 20000 - now.findings);
    end();
}

static void test_what_is_found_before_the_stop_is_kept(void)
{
    begin(0);
    interval_us = 60 * PT_US_SEC; /* nothing but the stop commits */
    start(1000, 1 << 16, NULL, 0);
    OK(feed());
    deliver(bad_kline(1));
    UNTIL(stats().feeds[0].messages == 1);
    CU_ASSERT_EQUAL(anomalies(), 0);
    pt_ingest_stop(ingest);
    CU_ASSERT_EQUAL(anomalies(), 1);
    end();
}

static int64_t close_of(const char *symbol, int64_t t_us, int64_t *closed)
{
    struct pt_series_key key = { .kind = PT_CANDLES, .period_us = PT_US_MIN };
    struct pt_read *read = NULL;
    struct pt_frame frame;
    int64_t value = PT_MISSING;
    *closed = -1;
    snprintf(key.symbol, sizeof key.symbol, "%s", symbol);
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_series_read(read, &key, t_us, t_us + 1, 0, &frame, &kit_err));
    pt_read_end(read);
    if (frame.n == 1) {
        value = frame.val[PT_C_CLOSE][0];
        *closed = frame.val[PT_C_CLOSED][0];
    }
    pt_frame_fini(&frame);
    return value;
}

/* All in one transaction, so that the rule of the store has to hold before it, too. */
static void test_the_first_closed_form_of_a_bar_stays(void)
{
    int64_t closed;
    begin(0);
    deliver(market_kline("BTCUSDT", T0, "110.00", false));
    deliver(market_kline("BTCUSDT", T0, "120.00", true));
    deliver(market_kline("BTCUSDT", T0, "130.00", false));
    deliver(market_kline("BTCUSDT", T0, "140.00", true));
    deliver(market_kline("BTCUSDT", T0 + PT_US_MIN, "150.00", false));
    deliver(market_kline("BTCUSDT", T0 + PT_US_MIN, "160.00", false));
    start(100000, 1 << 16, NULL, 0);
    OK(feed());
    UNTIL(atomic_load(&puppet->acked) == 6);
    CU_ASSERT_EQUAL(close_of("BTCUSDT", T0, &closed), 12000);
    CU_ASSERT_EQUAL(closed, 1);
    CU_ASSERT_EQUAL(close_of("BTCUSDT", T0 + PT_US_MIN, &closed), 16000);
    CU_ASSERT_EQUAL(closed, 0);
    end();
}

static void test_closed_bars_that_come_late_are_kept_and_counted(void)
{
    begin(0);
    start(1000, 1 << 16, NULL, 0);
    OK(feed());
    deliver(market_kline("BTCUSDT", T0 + 5 * PT_US_MIN, "120.00", true));
    deliver(market_kline("BTCUSDT", T0 + 3 * PT_US_MIN, "120.00", true));
    deliver(market_kline("ETHUSDT", T0 + 3 * PT_US_MIN, "120.00", true));
    UNTIL(atomic_load(&puppet->acked) == 3);
    deliver(market_kline("BTCUSDT", T0 + 4 * PT_US_MIN, "120.00", true));
    UNTIL(atomic_load(&puppet->acked) == 4);
    CU_ASSERT_EQUAL(stats().late, 2);
    CU_ASSERT_EQUAL(market_rows(store, PT_CANDLES, "BTCUSDT", PT_US_MIN), 3);
    end();
}

/* ---- pressure and failure ---------------------------------------------------------------------
 */

static void test_a_full_ring_slows_the_feed_and_loses_nothing(void)
{
    begin(0);
    for (int i = 0; i < 20000; i++) deliver(market_trade("BTCUSDT", T0 + i * 1000, i));
    start(500, 4096, NULL, 0);
    OK(feed());
    UNTIL(atomic_load(&puppet->acked) == 20000);
    CU_ASSERT_EQUAL(market_rows(store, PT_TRADES, "BTCUSDT", 0), 20000);
    CU_ASSERT(atomic_load(&puppet->refused) > 0);
    CU_ASSERT_EQUAL(stats().feeds[0].full, atomic_load(&puppet->refused));
    end();
}

#define FILL "fill"

/* In steps that leave room for the removal of it, which needs some pages too. */
static size_t fill_the_store(void)
{
    enum { BYTES = 60000 };
    static uint8_t junk[BYTES];
    size_t n = 0;
    for (;; n++) {
        struct pt_write *write = NULL;
        bson_t doc = BSON_INITIALIZER;
        uint64_t key = n;
        bson_append_binary(&doc, "junk", -1, BSON_SUBTYPE_BINARY, junk, BYTES);
        enum pt_code rc = pt_write_begin(store, &write, &kit_err);
        if (rc == PT_OK) rc = pt_write_doc(write, FILL, &key, sizeof key, &doc, &kit_err);
        if (rc == PT_OK)
            rc = pt_write_commit(write, &kit_err);
        else
            pt_write_abort(write);
        bson_destroy(&doc);
        if (rc == PT_EFULL) return n;
        OK(rc);
    }
}

/* One by one: pages that a commit frees are used again two commits later. */
static void empty_the_store(size_t n)
{
    for (uint64_t key = 0; key < n; key++) {
        struct pt_write *write = NULL;
        OK(pt_write_begin(store, &write, &kit_err));
        OK(pt_write_doc_remove(write, FILL, &key, sizeof key, &kit_err));
        OK(pt_write_commit(write, &kit_err));
    }
}

static unsigned jobs_done;
static enum pt_code job_rc;

static enum pt_code write_one(struct pt_write_job *job, struct pt_write *write, struct pt_err *err)
{
    bson_t doc = BSON_INITIALIZER;
    (void)job;
    bson_append_int32(&doc, "x", -1, 1);
    enum pt_code rc = pt_write_doc(write, "jobs", "one", 3, &doc, err);
    bson_destroy(&doc);
    return rc;
}

static enum pt_code write_wrong(struct pt_write_job *job, struct pt_write *write,
                                struct pt_err *err)
{
    (void)job;
    (void)write;
    return pt_fail(err, PT_EINVAL, "this job cannot be written");
}

static void job_done(struct pt_write_job *job)
{
    jobs_done++;
    job_rc = job->rc;
}

static void test_a_full_store_pauses_and_goes_on_when_there_is_room(void)
{
    struct pt_write_job job = { .write = write_one, .done = job_done };
    begin(UINT64_C(4) << 20);
    interval_us = 2 * PT_US_SEC; /* the first commit is a large one */
    jobs_done = 0;
    for (int i = 0; i < 30000; i++) deliver(market_trade("BTCUSDT", T0 + i * 1000, i));
    size_t filled = fill_the_store();
    start(20000, 1 << 16, NULL, 0);
    OK(feed());
    UNTIL(!stats().store_ok);
    struct pt_engine_stats now = stats();
    CU_ASSERT(strlen(now.store_error) > 0);
    CU_ASSERT_EQUAL(atomic_load(&puppet->acked), 0);
    UNTIL(atomic_load(&puppet->refused) > 3); /* the ring has filled up behind it */
    CU_ASSERT_EQUAL(atomic_load(&puppet->acked), 0);
    pt_ingest_write(ingest, &job); /* whoever waits for a write is told, not kept waiting */
    UNTIL(jobs_done == 1);
    CU_ASSERT_EQUAL(job_rc, PT_EFULL);
    empty_the_store(filled);
    UNTIL(atomic_load(&puppet->acked) == 30000);
    CU_ASSERT_TRUE(stats().store_ok);
    CU_ASSERT_STRING_EQUAL(stats().store_error, "");
    CU_ASSERT_EQUAL(market_rows(store, PT_TRADES, "BTCUSDT", 0), 30000);
    pt_ingest_write(ingest, &job);
    UNTIL(jobs_done == 2);
    CU_ASSERT_EQUAL(job_rc, PT_OK);
    end();
}

static void test_a_store_that_stays_full_ends_without_acknowledging(void)
{
    begin(UINT64_C(2) << 20);
    interval_us = 2 * PT_US_SEC;
    for (int i = 0; i < 5000; i++) deliver(market_trade("BTCUSDT", T0 + i * 1000, i));
    fill_the_store();
    start(5000, 1 << 16, NULL, 0);
    OK(feed());
    UNTIL(!stats().store_ok);
    pt_ingest_stop(ingest);
    CU_ASSERT_EQUAL(atomic_load(&puppet->acked), 0);
    CU_ASSERT_TRUE(atomic_load(&puppet->drained));
    end();
}

static void test_a_job_that_cannot_be_written_stops_nobody_else(void)
{
    struct pt_write_job good = { .write = write_one, .done = job_done },
                        bad = { .write = write_wrong, .done = job_done };
    struct pt_read *read = NULL;
    bson_t doc;
    begin(0);
    jobs_done = 0;
    start(1000, 1 << 16, NULL, 0);
    OK(feed());
    deliver(market_kline("BTCUSDT", T0, "120.00", true));
    pt_ingest_write(ingest, &bad);
    pt_ingest_write(ingest, &good);
    UNTIL(jobs_done == 2 && atomic_load(&puppet->acked) == 1);
    CU_ASSERT_EQUAL(bad.rc, PT_EINVAL);
    CU_ASSERT_STRING_EQUAL(bad.err.text, "this job cannot be written");
    CU_ASSERT_EQUAL(good.rc, PT_OK);
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_docs_get(read, "jobs", "one", 3, &doc, &kit_err));
    pt_read_end(read);
    CU_ASSERT_TRUE(stats().store_ok);
    end();
}

/* ---- damage -----------------------------------------------------------------------------------
 */

enum { STORED_BARS = 6000 };

/* Turns one bit of the third chunk, behind the store's back. The first time it holds. */
static int64_t damage_third_chunk(void)
{
    static uint8_t copy[32768];
    char path[PATH_MAX];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi chunks;
    MDB_cursor *cursor;
    MDB_val key, value;
    uint64_t first = 0;
    kit_path(path, "store");
    pt_store_close(store);
    CU_ASSERT_EQUAL_FATAL(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 8);
    CU_ASSERT_EQUAL_FATAL(mdb_env_open(env, path, 0, 0640), 0);
    CU_ASSERT_EQUAL_FATAL(mdb_txn_begin(env, NULL, 0, &txn), 0);
    CU_ASSERT_EQUAL_FATAL(mdb_dbi_open(txn, "chunks", 0, &chunks), 0);
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_open(txn, chunks, &cursor), 0);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL_FATAL(mdb_cursor_get(cursor, &key, &value, MDB_NEXT), 0);
    CU_ASSERT_FATAL(value.mv_size <= sizeof copy);
    for (int i = 0; i < 8; i++) first = first << 8 | ((const uint8_t *)key.mv_data)[4 + i];
    memcpy(copy, value.mv_data, value.mv_size);
    copy[value.mv_size / 2] ^= 4;
    value.mv_data = copy;
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_put(cursor, &key, &value, MDB_CURRENT), 0);
    mdb_cursor_close(cursor);
    CU_ASSERT_EQUAL_FATAL(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    store = market_store("store", 0);
    return (int64_t)(first ^ UINT64_C(1) << 63);
}

static void test_a_damaged_series_holds_up_nothing_else(void)
{
    struct pt_write_job job = { .write = write_one, .done = job_done };
    begin(0);
    jobs_done = 0;
    market_write(store, "BTCUSDT", PT_US_MIN, T0, STORED_BARS, 0);
    int64_t damaged_us = damage_third_chunk(), next_us = T0 + STORED_BARS * PT_US_MIN;
    interval_us = 60 * PT_US_SEC; /* the closed bar takes the others along */
    start(1000, 1 << 16, NULL, 0);
    deliver(market_kline("BTCUSDT", damaged_us + PT_US_MIN, "120.00", false));
    deliver(market_kline("BTCUSDT", next_us, "121.00", false));
    deliver(market_kline("BTCUSDT", damaged_us + 2 * PT_US_MIN, "122.00", false));
    deliver(market_kline("ETHUSDT", next_us, "123.00", true));
    OK(feed());
    UNTIL(atomic_load(&puppet->acked) == 4);
    CU_ASSERT_EQUAL(market_rows(store, PT_CANDLES, "ETHUSDT", PT_US_MIN), 1);
    /* what does not touch the damage is kept, also of the same series and commit */
    CU_ASSERT_EQUAL(market_rows(store, PT_CANDLES, "BTCUSDT", PT_US_MIN), STORED_BARS + 1);
    CU_ASSERT_EQUAL(rejects("candles", "damaged_series"), 2);
    CU_ASSERT_EQUAL(stats().rejects_total, 2);
    CU_ASSERT_EQUAL(stats().rows, 2);
    CU_ASSERT_TRUE(stats().store_ok);
    /* nothing but damage in the batch, and somebody who waits for another write */
    deliver(market_kline("BTCUSDT", damaged_us + 3 * PT_US_MIN, "124.00", true));
    pt_ingest_write(ingest, &job);
    UNTIL(jobs_done == 1 && atomic_load(&puppet->acked) == 5);
    CU_ASSERT_EQUAL(job_rc, PT_OK);
    CU_ASSERT_EQUAL(rejects("candles", "damaged_series"), 3);
    CU_ASSERT_EQUAL(market_rows(store, PT_CANDLES, "BTCUSDT", PT_US_MIN), STORED_BARS + 1);
    end();
}

/* ---- begin and end ----------------------------------------------------------------------------
 */

/* Makes pages that hold documents of the log unreadable: neither branch nor leaf. */
static void break_log_pages(void)
{
    enum { PAGE = 4096, FLAGS = 10, LEAF = 2 };
    static uint8_t page[PAGE];
    char path[PATH_MAX];
    int broken = 0;
    kit_path(path, "store/data.mdb");
    FILE *file = fopen(path, "r+b");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (long at = 0; fread(page, PAGE, 1, file) == 1; at += PAGE) {
        if (page[FLAGS] != LEAF || !memmem(page, PAGE, PT_ANOMALIES, sizeof PT_ANOMALIES)) continue;
        fseek(file, at + FLAGS, SEEK_SET);
        fputc(0, file);
        fseek(file, at + PAGE, SEEK_SET);
        broken++;
    }
    CU_ASSERT(broken > 0);
    fclose(file);
}

static void test_findings_that_cannot_be_written_hold_up_no_rows(void)
{
    struct pt_write *write = NULL;
    bson_t doc = BSON_INITIALIZER;
    begin(0);
    OK(pt_write_begin(store, &write, &kit_err));
    OK(pt_write_doc(write, PT_ANOMALIES, "of an earlier day", 17, &doc, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    pt_store_close(store);
    break_log_pages();
    store = market_store("store", 0);
    start(1000, 1 << 16, NULL, 0);
    OK(feed());
    for (int i = 0; i < 100; i++) /* one of ten with its close above its high */
        deliver(
            market_kline("BTCUSDT", T0 + i * PT_US_MIN, i % 10 == 9 ? "900.00" : "120.00", true));
    UNTIL(atomic_load(&puppet->acked) == 100);
    CU_ASSERT_EQUAL(market_rows(store, PT_CANDLES, "BTCUSDT", PT_US_MIN), 90);
    UNTIL(stats().findings_dropped == 10);
    CU_ASSERT_EQUAL(stats().findings, 0);
    CU_ASSERT_TRUE(stats().store_ok);
    bson_destroy(&doc);
    end();
}

static void test_stopping_commits_what_was_delivered_and_a_new_start_goes_on(void)
{
    begin(0);
    for (int i = 0; i < 30000; i++)
        deliver(market_kline("BTCUSDT", T0 + i * PT_US_MIN, "120.00", true));
    start(100000, 1 << 20, NULL, 0);
    OK(feed());
    UNTIL(atomic_load(&puppet->pushed) > 1000);
    pt_ingest_stop(ingest);
    uint64_t pushed = atomic_load(&puppet->pushed);
    CU_ASSERT_TRUE(atomic_load(&puppet->drained));
    CU_ASSERT_EQUAL(atomic_load(&puppet->acked), pushed);
    CU_ASSERT_EQUAL(market_rows(store, PT_CANDLES, "BTCUSDT", PT_US_MIN), pushed);
    pt_ingest_free(ingest);
    CU_ASSERT_TRUE(atomic_load(&puppet->closed));
    puppet->ask_symbol = "btcusdt";
    puppet->ask_period_us = PT_US_MIN;
    start(100000, 1 << 20, NULL, 0);
    OK(feed());
    CU_ASSERT_EQUAL(puppet->asked_us, T0 + ((int64_t)pushed - 1) * PT_US_MIN);
    UNTIL(atomic_load(&puppet->acked) == 30000);
    CU_ASSERT_EQUAL(market_rows(store, PT_CANDLES, "BTCUSDT", PT_US_MIN), 30000);
    end();
}

/* A candle that was under way when the feed was closed is still to come. */
static void test_a_feed_goes_on_behind_what_is_closed(void)
{
    begin(0);
    end_us = 50000;
    start(1000, 1 << 16, NULL, 0);
    OK(feed());
    deliver(market_kline("BTCUSDT", T0, "120.00", true));
    deliver(market_kline("BTCUSDT", T0 + PT_US_MIN, "121.00", false));
    UNTIL(atomic_load(&puppet->acked) == 2);
    pt_ingest_stop(ingest);
    pt_ingest_free(ingest);
    puppet->ask_symbol = "BTCUSDT";
    puppet->ask_period_us = PT_US_MIN;
    start(1000, 1 << 16, NULL, 0);
    OK(feed());
    CU_ASSERT_EQUAL(puppet->asked_us, T0);
    end();
}

static void test_a_feed_that_hangs_keeps_nothing_from_ending(void)
{
    begin(0);
    end_us = 50000;
    start(1000, 1 << 16, NULL, 0);
    OK(feed());
    deliver(market_kline("BTCUSDT", T0, "120.00", true));
    UNTIL(atomic_load(&puppet->acked) == 1);
    atomic_store(&puppet->hang, true);
    pt_ingest_stop(ingest);
    CU_ASSERT_FALSE(atomic_load(&puppet->drained));
    pt_ingest_free(ingest);
    ingest = NULL;
    CU_ASSERT_FALSE(atomic_load(&puppet->closed));
    /* it goes on undisturbed, but nothing is taken from it any more */
    deliver(market_kline("BTCUSDT", T0 + PT_US_MIN, "120.00", true));
    UNTIL(atomic_load(&puppet->refused) > 2);
    CU_ASSERT_EQUAL(atomic_load(&puppet->pushed), 1);
    CU_ASSERT_EQUAL(market_rows(store, PT_CANDLES, "BTCUSDT", PT_US_MIN), 1);
    atomic_store(&puppet->hang, false);
    UNTIL(atomic_load(&puppet->drained));
    end();
}

static void test_a_feed_that_does_not_open_is_named(void)
{
    begin(0);
    start(1000, 1 << 16, NULL, 0);
    puppet->ask_symbol = "NOSUCH";
    puppet->ask_period_us = PT_US_MIN;
    atomic_store(&puppet->fail_open, true);
    CU_ASSERT_EQUAL(feed(), PT_EIO);
    CU_ASSERT_STRING_EQUAL(kit_err.text, "feed puppet: the puppet does not want to");
    CU_ASSERT_FALSE(stats().feeds[0].open);
    atomic_store(&puppet->fail_open, false);
    OK(feed()); /* another one can */
    CU_ASSERT_EQUAL(puppet->asked_us, PT_MISSING);
    deliver(market_kline("BTCUSDT", T0, "120.00", true));
    UNTIL(atomic_load(&puppet->acked) == 1);
    end();
}

static void test_old_rows_are_removed_while_it_runs(void)
{
    const struct pt_retention rule = { .kind = PT_CANDLES, .period_us = 0, .keep_us = PT_US_HOUR };
    begin(0);
    int64_t now_us = pt_period_floor(PT_US_MIN, pt_now_us());
    market_write(store, "BTCUSDT", PT_US_MIN, now_us - 240 * PT_US_MIN, 240, 0);
    start(1000, 1 << 16, &rule, 1);
    UNTIL(market_rows(store, PT_CANDLES, "BTCUSDT", PT_US_MIN) <= 60);
    CU_ASSERT(market_rows(store, PT_CANDLES, "BTCUSDT", PT_US_MIN) >= 58);
    end();
}

static CU_TestInfo tests[] = {
    { "what is acknowledged is in the store", test_what_is_acknowledged_is_in_the_store },
    { "rows nobody waits for are committed together",
      test_rows_that_nobody_waits_for_are_committed_together },
    { "messages without rows are counted, acknowledged",
      test_messages_without_rows_are_counted_and_acknowledged },
    { "rubbish fills no store, holds up nothing good",
      test_rubbish_fills_no_store_and_holds_up_nothing_good },
    { "what is found before the stop is kept", test_what_is_found_before_the_stop_is_kept },
    { "the first closed form of a bar stays", test_the_first_closed_form_of_a_bar_stays },
    { "closed bars that come late are kept, counted",
      test_closed_bars_that_come_late_are_kept_and_counted },
    { "a full ring slows the feed and loses nothing",
      test_a_full_ring_slows_the_feed_and_loses_nothing },
    { "a full store pauses and goes on with room",
      test_a_full_store_pauses_and_goes_on_when_there_is_room },
    { "a store that stays full ends unacknowledged",
      test_a_store_that_stays_full_ends_without_acknowledging },
    { "a job that cannot be written stops nobody else",
      test_a_job_that_cannot_be_written_stops_nobody_else },
    { "a damaged series holds up nothing else", test_a_damaged_series_holds_up_nothing_else },
    { "findings that cannot be written hold up no rows",
      test_findings_that_cannot_be_written_hold_up_no_rows },
    { "stopping commits, a new start goes on",
      test_stopping_commits_what_was_delivered_and_a_new_start_goes_on },
    { "a feed goes on behind what is closed", test_a_feed_goes_on_behind_what_is_closed },
    { "a feed that hangs keeps nothing from ending",
      test_a_feed_that_hangs_keeps_nothing_from_ending },
    { "a feed that does not open is named", test_a_feed_that_does_not_open_is_named },
    { "old rows are removed while it runs", test_old_rows_are_removed_while_it_runs },
    CU_TEST_INFO_NULL
};

int main(void)
{
    pt_log_set_level(PT_QUIET);
    return pt_suite_main("flow.ingest", tests);
}
