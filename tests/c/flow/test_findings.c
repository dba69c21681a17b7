/* test_findings.c - what ingest sees of the quality of data: what is a finding, and how many. */
#include "market.h"

#include "flow/findings.h"

#include <math.h>

#define RECV (T0 + 7 * PT_US_MIN + 30 * PT_US_SEC)
#define MIN PT_US_MIN

static struct pt_findings *findings;
static struct pt_decoder *decoder;
static struct pt_seen seen;

static void begin(void)
{
    kit_begin();
    findings = calloc(1, sizeof *findings);
    CU_ASSERT_PTR_NOT_NULL_FATAL(findings);
    seen = (struct pt_seen){ .slot = 0 };
    OK(pt_decoder_new(&decoder, &kit_err));
}

static void end(void)
{
    pt_decoder_free(decoder);
    pt_findings_fini(findings);
    free(findings);
    kit_end();
}

static bool take_row(void *arg, const struct pt_record *record)
{
    pt_findings_row(findings, &seen, record, 3, *(int64_t *)arg);
    return true;
}

/* A message as ingest takes it. */
static void message(int64_t recv_us, char *text)
{
    const char *type, *reason;
    enum pt_verdict verdict =
        pt_decode(decoder, text, strlen(text), recv_us, take_row, &recv_us, &type, &reason);
    const struct pt_record *refused = pt_decoder_refused(decoder);
    if (verdict == PT_MSG_REJECTED && refused)
        pt_findings_refused(findings, refused, reason, recv_us);
    free(text);
}

static char *text_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *text_of(const char *fmt, ...)
{
    char *text = malloc(600);
    va_list args;
    if (!text) abort();
    va_start(args, fmt);
    vsnprintf(text, 600, fmt, args);
    va_end(args);
    return text;
}

static char *book(int64_t time_us, const char *bid, const char *ask)
{
    return text_of("{\"e\":\"depthUpdate\",\"E\":%" PRId64 ",\"T\":%" PRId64
                   ",\"s\":\"BTCUSDT\",\"u\":%" PRId64 ",\"lastUpdateId\":%" PRId64
                   ",\"bids\":[[\"%s\",\"1\"]],\"asks\":[[\"%s\",\"1\"]]}",
                   time_us / 1000, time_us / 1000, time_us / 1000, time_us / 1000, bid, ask);
}

static char *snapshot(int64_t time_us, const char *bid, const char *ask)
{
    return text_of("{\"stream\":\"btcusdt@depth20@100ms\",\"data\":{\"E\":%" PRId64
                   ",\"T\":%" PRId64 ",\"lastUpdateId\":%" PRId64
                   ",\"bids\":[[\"%s\",\"1\"]],\"asks\":[[\"%s\",\"1\"]]}}",
                   time_us / 1000, time_us / 1000, time_us / 1000, bid, ask);
}

static double number(size_t i, const char *path)
{
    double x = __builtin_nan("");
    CU_ASSERT_FATAL(i < findings->n);
    pt_doc_double(findings->v[i].hit, path, &x);
    return x;
}

static int64_t whole(size_t i, const char *path)
{
    int64_t x = -1;
    CU_ASSERT_FATAL(i < findings->n);
    pt_doc_int(findings->v[i].hit, path, &x);
    return x;
}

static void expect(size_t i, const char *method, const char *reason, const char *dataset,
                   int64_t time_us, const char *severity)
{
    char name[PT_SERIES_TEXT_MAX];
    const char *text = "";
    bson_iter_t iter;
    CU_ASSERT_FATAL(i < findings->n);
    const struct pt_finding *finding = &findings->v[i];
    pt_series_print(&finding->dataset, name);
    CU_ASSERT_STRING_EQUAL(finding->method, method);
    CU_ASSERT_STRING_EQUAL(finding->reason, reason);
    CU_ASSERT_STRING_EQUAL(name, dataset);
    CU_ASSERT(pt_doc_text(finding->hit, "reason", &text));
    CU_ASSERT_STRING_EQUAL(text, reason);
    CU_ASSERT(pt_doc_text(finding->hit, "severity", &text));
    CU_ASSERT_STRING_EQUAL(text, severity);
    CU_ASSERT_FATAL(bson_iter_init_find(&iter, finding->hit, "time"));
    CU_ASSERT_EQUAL(bson_iter_date_time(&iter) * 1000, time_us);
}

/* ---- rejected rows ----------------------------------------------------------------------------
 */

static void test_a_crossed_book_is_a_finding(void)
{
    begin();
    message(RECV, snapshot(RECV, "101.00", "100.00"));
    CU_ASSERT_EQUAL_FATAL(findings->n, 1);
    expect(0, "ingest", "crossed_book", "depth_BTCUSDT", T0 + 7 * MIN, "high");
    CU_ASSERT_DOUBLE_EQUAL(number(0, "price"), 100.5, 1e-9);
    CU_ASSERT_EQUAL(number(0, "observed"), 101);
    CU_ASSERT_EQUAL(number(0, "expected"), 100);
    CU_ASSERT_DOUBLE_EQUAL(number(0, "score"), 100, 1e-9);
    message(RECV + 1000, snapshot(RECV + 1000, "102.00", "100.00")); /* of the same minute */
    CU_ASSERT_EQUAL(findings->n, 1);
    message(RECV + MIN, snapshot(RECV + MIN, "102.00", "100.00"));
    CU_ASSERT_EQUAL_FATAL(findings->n, 2);
    CU_ASSERT_EQUAL(whole(1, "details.more"), 1);
    message(RECV + MIN, snapshot(RECV + MIN, "100.00", "100.00")); /* another reason */
    CU_ASSERT_EQUAL_FATAL(findings->n, 3);
    expect(2, "ingest", "locked_book", "depth_BTCUSDT", T0 + 8 * MIN, "high");
    CU_ASSERT_EQUAL(number(2, "score"), 0);
    message(RECV, snapshot(RECV, "99.00", "100.00"));
    CU_ASSERT_EQUAL(findings->n, 3);
    end();
}

/* A difference that crosses a good book. */
static void test_a_book_that_a_difference_crosses_is_a_finding(void)
{
    begin();
    message(RECV, text_of("{\"stream\":\"btcusdt@depth20@100ms\",\"data\":{\"lastUpdateId\":10,"
                          "\"bids\":[[\"99.00\",\"1\"]],\"asks\":[[\"100.00\",\"1\"]]}}"));
    CU_ASSERT_EQUAL(findings->n, 0);
    message(RECV, text_of("{\"e\":\"depthUpdate\",\"E\":%" PRId64
                          ",\"s\":\"BTCUSDT\",\"U\":11,\"u\":11,\"b\":[[\"100.50\",\"2\"]],\"a\":"
                          "[]}",
                          RECV / 1000));
    CU_ASSERT_EQUAL_FATAL(findings->n, 1);
    expect(0, "ingest", "crossed_book", "depth_BTCUSDT", T0 + 7 * MIN, "high");
    CU_ASSERT_EQUAL(number(0, "observed"), 100.5);
    end();
}

static void test_a_bar_against_itself_is_a_finding(void)
{
    begin();
    message(RECV, market_kline("BTCUSDT", T0, "900.00", true)); /* close above high */
    CU_ASSERT_EQUAL_FATAL(findings->n, 1);
    expect(0, "ingest", "ohlc_violation", "candles_BTCUSDT_1m", T0, "high");
    CU_ASSERT_EQUAL(number(0, "price"), 900);
    CU_ASSERT_EQUAL(number(0, "observed"), 900);
    CU_ASSERT(isnan(number(0, "expected")) && isnan(number(0, "score")));
    CU_ASSERT_EQUAL(number(0, "details.open"), 100);
    CU_ASSERT_EQUAL(number(0, "details.high"), 200);
    CU_ASSERT_EQUAL(number(0, "details.low"), 50);
    CU_ASSERT_EQUAL(number(0, "details.close"), 900);
    for (int i = 0; i < 5; i++) message(RECV, market_kline("BTCUSDT", T0, "900.00", false));
    CU_ASSERT_EQUAL(findings->n, 1);
    message(RECV, market_kline("BTCUSDT", T0 + MIN, "900.00", false));
    CU_ASSERT_EQUAL_FATAL(findings->n, 2);
    CU_ASSERT_EQUAL(whole(1, "details.more"), 5);
    message(RECV, market_kline("BTCUSDT", T0, "900.00", false)); /* a bar before */
    message(RECV, market_kline("ETHUSDT", T0, "900.00", false));
    CU_ASSERT_EQUAL_FATAL(findings->n, 3);
    expect(2, "ingest", "ohlc_violation", "candles_ETHUSDT_1m", T0, "high");
    end();
}

static void test_a_bar_of_no_time_is_one_of_its_receipt(void)
{
    begin();
    message(RECV, market_kline("BTCUSDT", T0 + 300 * PT_US_DAY, "900.00", true));
    CU_ASSERT_EQUAL_FATAL(findings->n, 1);
    expect(0, "ingest", "ohlc_violation", "candles_BTCUSDT_1m", T0 + 7 * MIN, "high");
    end();
}

static void test_other_rejected_messages_are_none(void)
{
    begin();
    message(RECV, text_of("not json at all"));
    message(RECV, text_of("{\"e\":\"kline\"}"));
    message(RECV, market_kline("BTCUSDT", T0 + 1000000, "120.00", true)); /* off the grid */
    message(RECV, market_kline("BTCUSDT", T0, "-120.00", true));          /* no price */
    message(RECV, book(RECV, "x", "100.00"));
    message(RECV, snapshot(RECV, "99.00", "-1.00"));
    CU_ASSERT_EQUAL(findings->n, 0);
    message(RECV, market_kline("BTCUSDT", T0, "900.00", true));
    CU_ASSERT_PTR_NOT_NULL(pt_decoder_refused(decoder));
    message(RECV, market_kline("BTCUSDT", T0, "120.00", true)); /* after one that was: is not */
    CU_ASSERT_PTR_NULL(pt_decoder_refused(decoder));
    end();
}

/* ---- times ------------------------------------------------------------------------------------
 */

static void test_a_row_from_the_future_is_skewed_at_once(void)
{
    begin();
    message(RECV, market_trade("BTCUSDT", RECV + 4 * PT_US_SEC, 1));
    CU_ASSERT_EQUAL(findings->n, 0);
    message(RECV, market_trade("BTCUSDT", RECV + 7 * PT_US_SEC, 2));
    CU_ASSERT_EQUAL_FATAL(findings->n, 1);
    expect(0, "ingest", "timestamp_skew", "trades_BTCUSDT", T0 + 7 * MIN, "high");
    CU_ASSERT_EQUAL(number(0, "score"), 7);
    CU_ASSERT_EQUAL(number(0, "observed"), -7);
    CU_ASSERT_EQUAL(number(0, "threshold"), 5);
    message(RECV + 1000, market_trade("BTCUSDT", RECV + 9 * PT_US_SEC, 3));
    CU_ASSERT_EQUAL(findings->n, 1);
    message(RECV + MIN, market_trade("BTCUSDT", RECV + MIN + 20 * PT_US_SEC, 4));
    CU_ASSERT_EQUAL_FATAL(findings->n, 2);
    expect(1, "ingest", "timestamp_skew", "trades_BTCUSDT", T0 + 8 * MIN, "critical");
    end();
}

static void test_candles_are_skewed_from_the_future_only(void)
{
    begin();
    int64_t open_us = T0 + 7 * MIN;
    message(RECV, market_kline("BTCUSDT", open_us, "120.00", false));
    message(RECV, market_kline("BTCUSDT", open_us - MIN, "120.00", true));
    message(RECV, market_kline("BTCUSDT", T0 - PT_US_DAY, "120.00", true)); /* history */
    message(RECV + PT_US_DAY, market_kline("BTCUSDT", T0 - PT_US_DAY, "120.00", true));
    CU_ASSERT_EQUAL(findings->n, 0);
    message(RECV,
            market_kline("BTCUSDT", open_us, "120.00", true)); /* closed half a minute early */
    CU_ASSERT_EQUAL_FATAL(findings->n, 1);
    expect(0, "ingest", "timestamp_skew", "candles_BTCUSDT_1m", open_us, "critical");
    CU_ASSERT_EQUAL(number(0, "score"), 30);
    end();
}

/* Trades that come lag later than they were, one a second for n seconds from at_us on; each second
 * makes the lag less by gain. */
static void late_trades(int64_t at_us, int n, int64_t lag_us, int64_t gain_us)
{
    for (int i = 0; i < n; i++)
        message(at_us + i * PT_US_SEC,
                market_trade("BTCUSDT", at_us + i * PT_US_SEC - lag_us + i * gain_us, i));
}

static void test_rows_that_stay_late_are_skewed(void)
{
    begin();
    late_trades(RECV, 60, 10 * PT_US_SEC, 0);
    CU_ASSERT_EQUAL(findings->n, 0); /* a minute's worth */
    late_trades(RECV + MIN, 1, 10 * PT_US_SEC, 0);
    CU_ASSERT_EQUAL_FATAL(findings->n, 1);
    expect(0, "ingest", "timestamp_skew", "trades_BTCUSDT", T0 + 8 * MIN, "critical");
    CU_ASSERT_EQUAL(number(0, "observed"), 10);
    late_trades(RECV + MIN, 120, 10 * PT_US_SEC, 0); /* and again each minute */
    CU_ASSERT_EQUAL(findings->n, 2);
    end();
}

static void test_a_row_that_is_late_once_is_not_skewed(void)
{
    begin();
    for (int i = 0; i < 600; i++) {
        late_trades(RECV + i * PT_US_SEC, 1, i % 40 == 0 ? 1000 : 20 * PT_US_SEC, 0);
    }
    CU_ASSERT_EQUAL(findings->n, 0);
    end();
}

/* A day of trades, ten times as fast as they were. */
static void test_a_feed_that_catches_up_is_not_skewed(void)
{
    begin();
    late_trades(RECV, 8640, PT_US_DAY, 10 * PT_US_SEC);
    CU_ASSERT_EQUAL(findings->n, 0);
    end();
}

/* ---- silence ----------------------------------------------------------------------------------
 */

static struct pt_series_key candles(const char *symbol)
{
    struct pt_series_key key = { .kind = PT_CANDLES, .period_us = MIN };
    snprintf(key.symbol, sizeof key.symbol, "%s", symbol);
    return key;
}

static void test_a_series_that_stops_is_stale_once(void)
{
    begin();
    struct pt_series_key key = candles("BTCUSDT");
    pt_findings_look(findings, &seen, &key, T0, T0 + PT_US_DAY); /* nothing came in this run */
    CU_ASSERT_EQUAL(findings->n, 0);
    message(T0 + 61 * PT_US_SEC, market_kline("BTCUSDT", T0, "120.00", true));
    CU_ASSERT_EQUAL(seen.slot, 3);
    pt_findings_look(findings, &seen, &key, T0, T0 + 4 * MIN); /* 3 periods, and not more */
    CU_ASSERT_EQUAL(findings->n, 0);
    pt_findings_look(findings, &seen, &key, T0, T0 + 4 * MIN + 1);
    CU_ASSERT_EQUAL_FATAL(findings->n, 1);
    expect(0, "feed", "stale_feed", "candles_BTCUSDT_1m", T0 + MIN, "low");
    CU_ASSERT_DOUBLE_EQUAL(number(0, "score"), 3, 1e-6);
    CU_ASSERT(isnan(number(0, "price")));
    pt_findings_look(findings, &seen, &key, T0, T0 + 400 * MIN);
    CU_ASSERT_EQUAL(findings->n, 1);
    pt_findings_look(findings, &seen, &key, T0 + 500 * MIN, T0 + 501 * MIN); /* it comes again */
    pt_findings_look(findings, &seen, &key, T0 + 500 * MIN, T0 + 507 * MIN); /* and stops again */
    CU_ASSERT_EQUAL_FATAL(findings->n, 2);
    expect(1, "feed", "stale_feed", "candles_BTCUSDT_1m", T0 + 501 * MIN, "critical");
    end();
}

static void test_a_series_that_is_being_filled_is_not_stale(void)
{
    begin();
    struct pt_series_key key = candles("BTCUSDT");
    int64_t now_us = T0 + PT_US_DAY;
    message(now_us - 30 * PT_US_SEC, market_kline("BTCUSDT", T0, "120.00", true));
    pt_findings_look(findings, &seen, &key, T0, now_us);
    CU_ASSERT_EQUAL(findings->n, 0);
    pt_findings_look(findings, &seen, &key, T0, now_us + MIN);
    CU_ASSERT_EQUAL(findings->n, 1);
    end();
}

/* It brings the same open bar over and over, or one after the other, and closes none. */
static void test_a_series_whose_bars_never_close_is_stale(void)
{
    struct pt_series_key key = candles("BTCUSDT");
    begin();
    for (int i = 0; i < 4 * 60; i++) {
        message(T0 + i * PT_US_SEC, market_kline("BTCUSDT", T0 + i / 60 * MIN, "120.00", false));
        pt_findings_look(findings, &seen, &key, PT_MISSING, T0 + i * PT_US_SEC);
    }
    CU_ASSERT_EQUAL_FATAL(findings->n, 1);
    expect(0, "feed", "stale_feed", "candles_BTCUSDT_1m", T0, "low");
    end();
    begin(); /* what was missed before the start is not this feed's */
    for (int i = 0; i < 3 * 60; i++) {
        message(T0 + i * PT_US_SEC, market_kline("BTCUSDT", T0 + i / 60 * MIN, "120.00", false));
        pt_findings_look(findings, &seen, &key, T0 - PT_US_DAY, T0 + i * PT_US_SEC);
    }
    CU_ASSERT_EQUAL(findings->n, 0);
    pt_findings_look(findings, &seen, &key, T0 - PT_US_DAY, T0 + 3 * MIN + 1);
    CU_ASSERT_EQUAL_FATAL(findings->n, 1);
    expect(0, "feed", "stale_feed", "candles_BTCUSDT_1m", T0, "low");
    end();
}

/* ---- bounds, and the log ----------------------------------------------------------------------
 */

static void rubbish(int from, int n, int64_t recv_us)
{
    char symbol[24];
    for (int i = from; i < from + n; i++) {
        snprintf(symbol, sizeof symbol, "BAD%dUSDT", i);
        message(recv_us, market_kline(symbol, T0, "900.00", true));
    }
}

static uint64_t commit_findings(struct pt_store *store)
{
    struct pt_write *write = NULL;
    uint64_t before = findings->logged;
    OK(pt_write_begin(store, &write, &kit_err));
    OK(pt_findings_write(findings, write, &kit_err));
    pt_write_abort(write); /* a transaction may have to be made anew */
    OK(pt_write_begin(store, &write, &kit_err));
    OK(pt_findings_write(findings, write, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    pt_findings_committed(findings);
    CU_ASSERT_EQUAL(findings->n, 0);
    return findings->logged - before;
}

/* 500 of 4096 slots are so many that some would share one. */
static void test_datasets_do_not_push_each_other_out(void)
{
    begin();
    for (int i = 0; i < 5; i++) rubbish(0, 500, RECV + i);
    CU_ASSERT_EQUAL(findings->n, 500);
    CU_ASSERT_EQUAL(findings->dropped, 0);
    end();
}

static void test_all_together_are_bounded(void)
{
    begin();
    rubbish(0, 3000, RECV);
    CU_ASSERT_EQUAL(findings->n, PT_FINDINGS_BURST);
    CU_ASSERT_EQUAL(findings->dropped, 2000);
    pt_findings_committed(findings);
    rubbish(3000, 100, RECV + 1000);
    CU_ASSERT_EQUAL(findings->n, 0);
    for (int i = 0; i < 600; i++) rubbish(10 * i, 10, RECV + i * PT_US_SEC); /* ten minutes */
    CU_ASSERT(findings->n >= 298 && findings->n <= 300);
    pt_findings_committed(findings);
    rubbish(9000, 10, RECV + PT_US_DAY); /* and then there is room again */
    CU_ASSERT_EQUAL(findings->n, 10);
    rubbish(10000, 10, RECV); /* also for one whose clock was set back by a day */
    CU_ASSERT_EQUAL(findings->n, 20);
    end();
}

static bool look_doc(void *arg, const void *key, size_t key_len, const bson_t *doc)
{
    const char **text = arg, *reason = "";
    (void)key;
    (void)key_len;
    if (pt_doc_text(doc, "reason", &reason)) *text = strdup(reason);
    return true;
}

static void test_the_same_finding_is_logged_once(void)
{
    char *reason = NULL;
    struct pt_read *read = NULL;
    begin();
    struct pt_store *store = market_store("store", 0);
    message(RECV, market_kline("BTCUSDT", T0, "900.00", true));
    CU_ASSERT_EQUAL(commit_findings(store), 1);
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_docs_scan(read, PT_ANOMALIES, NULL, 0, NULL, 0, false, look_doc, &reason, &kit_err));
    pt_read_end(read);
    CU_ASSERT_PTR_NOT_NULL_FATAL(reason);
    CU_ASSERT_STRING_EQUAL(reason, "ohlc_violation");
    free(reason);
    /* delivered again, after a restart and later */
    pt_findings_fini(findings);
    memset(findings, 0, sizeof *findings);
    uint64_t commit = pt_store_commit_id(store);
    message(RECV + PT_US_HOUR, market_kline("BTCUSDT", T0, "900.00", true));
    CU_ASSERT_EQUAL(findings->n, 1);
    CU_ASSERT_EQUAL(commit_findings(store), 0);
    CU_ASSERT_EQUAL(pt_store_commit_id(store), commit);
    pt_store_close(store);
    end();
}

static CU_TestInfo tests[] = {
    { "a crossed book is a finding", test_a_crossed_book_is_a_finding },
    { "a book that a difference crosses is a finding",
      test_a_book_that_a_difference_crosses_is_a_finding },
    { "a bar against itself is a finding", test_a_bar_against_itself_is_a_finding },
    { "a bar of no time is one of its receipt", test_a_bar_of_no_time_is_one_of_its_receipt },
    { "other rejected messages are none", test_other_rejected_messages_are_none },
    { "a row from the future is skewed at once", test_a_row_from_the_future_is_skewed_at_once },
    { "candles are skewed from the future only", test_candles_are_skewed_from_the_future_only },
    { "rows that stay late are skewed", test_rows_that_stay_late_are_skewed },
    { "a row that is late once is not skewed", test_a_row_that_is_late_once_is_not_skewed },
    { "a feed that catches up is not skewed", test_a_feed_that_catches_up_is_not_skewed },
    { "a series that stops is stale once", test_a_series_that_stops_is_stale_once },
    { "a series that is being filled is not stale",
      test_a_series_that_is_being_filled_is_not_stale },
    { "a series whose bars never close is stale", test_a_series_whose_bars_never_close_is_stale },
    { "datasets do not push each other out", test_datasets_do_not_push_each_other_out },
    { "all together are bounded", test_all_together_are_bounded },
    { "the same finding is logged once", test_the_same_finding_is_logged_once },
    CU_TEST_INFO_NULL
};

int main(void)
{
    pt_log_set_level(PT_QUIET);
    return pt_suite_main("flow.findings", tests);
}
