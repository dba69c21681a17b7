/* test_refeed.c - one feed is drained, closed and opened anew: nothing is lost, the rest goes on.
 */
#include "flow/refeed.h"

#include "writer.h"

#include <pthread.h>

static unsigned told;
static struct pt_err told_err;

static void on_refeed(void *arg, const char *name, const struct pt_err *err)
{
    (void)arg;
    CU_ASSERT_STRING_EQUAL(name, "puppet");
    told++;
    told_err = (struct pt_err){ .code = PT_OK };
    if (err) told_err = *err;
}

static void open_first(void)
{
    begin(0);
    told = 0;
    start(1000, 1 << 16, NULL, 0);
    OK(feed());
}

static void deliver_bars(int from, int n)
{
    for (int i = from; i < from + n; i++)
        deliver(market_kline("BTCUSDT", T0 + i * PT_US_MIN, "120.00", true));
}

static void test_a_feed_is_opened_anew_and_loses_nothing(void)
{
    open_first();
    for (int round = 0; round < 5; round++) {
        char text[20];
        snprintf(text, sizeof text, "round %d", round);
        deliver_bars(round * 400, 200);
        atomic_store(&puppet->closed, false);
        pt_ingest_refeed(ingest, "puppet", load_feed(text), on_refeed, NULL);
        deliver_bars(round * 400 + 200, 200);
        UNTIL(told == (unsigned)round + 1);
        CU_ASSERT_EQUAL(told_err.code, PT_OK);
        CU_ASSERT_TRUE(atomic_load(&puppet->closed));
        CU_ASSERT_STRING_EQUAL(puppet->text, text);
    }
    UNTIL(atomic_load(&puppet->acked) == 2000);
    CU_ASSERT_EQUAL(market_rows(store, PT_CANDLES, "BTCUSDT", PT_US_MIN), 2000);
    CU_ASSERT_EQUAL(stats().nfeeds, 1);
    CU_ASSERT_EQUAL(stats().feeds[0].messages, 2000); /* figures go on */
    CU_ASSERT_TRUE(stats().feeds[0].open);
    end();
}

static void *read_figures(void *arg)
{
    atomic_bool *over = arg;
    while (!atomic_load(over)) {
        struct pt_engine_stats now = { 0 };
        pt_ingest_stats(ingest, &now);
        for (size_t i = 0; i < now.nfeeds; i++) CU_ASSERT_STRING_EQUAL(now.feeds[i].name, "puppet");
    }
    return NULL;
}

/* Whoever looks sees a whole feed or none: /metrics and /health are asked at any time. */
static void test_figures_are_read_while_feeds_come_and_go(void)
{
    pthread_t reader;
    atomic_bool over = false;
    open_first();
    CU_ASSERT_EQUAL_FATAL(pthread_create(&reader, NULL, read_figures, &over), 0);
    for (unsigned round = 0; round < 200; round++) {
        pt_ingest_refeed(ingest, "puppet", load_feed("again"), on_refeed, NULL);
        UNTIL(told == round + 1);
        CU_ASSERT_EQUAL(told_err.code, PT_OK);
    }
    atomic_store(&over, true);
    pthread_join(reader, NULL);
    end();
}

static void test_a_feed_is_taken_out_and_comes_back(void)
{
    open_first();
    deliver_bars(0, 50);
    pt_ingest_refeed(ingest, "puppet", NULL, on_refeed, NULL);
    UNTIL(told == 1);
    CU_ASSERT_EQUAL(told_err.code, PT_OK);
    CU_ASSERT_EQUAL(stats().nfeeds, 0);
    CU_ASSERT_EQUAL(market_rows(store, PT_CANDLES, "BTCUSDT", PT_US_MIN),
                    atomic_load(&puppet->acked));
    pt_ingest_refeed(ingest, "puppet", load_feed("again"), on_refeed, NULL);
    UNTIL(told == 2);
    CU_ASSERT_EQUAL(stats().nfeeds, 1);
    UNTIL(market_rows(store, PT_CANDLES, "BTCUSDT", PT_US_MIN) == 50);
    end();
}

static void test_a_feed_that_does_not_open_again_is_named(void)
{
    open_first();
    atomic_store(&puppet->fail_open, true);
    pt_ingest_refeed(ingest, "puppet", load_feed("second"), on_refeed, NULL);
    UNTIL(told == 1);
    CU_ASSERT_EQUAL(told_err.code, PT_EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(told_err.text, "feed puppet: the puppet does not want to"));
    CU_ASSERT_EQUAL(stats().nfeeds, 1);
    CU_ASSERT_FALSE(stats().feeds[0].open);
    atomic_store(&puppet->fail_open, false);
    pt_ingest_refeed(ingest, "puppet", load_feed("third"), on_refeed, NULL);
    UNTIL(told == 2);
    CU_ASSERT_EQUAL(told_err.code, PT_OK);
    CU_ASSERT_TRUE(stats().feeds[0].open);
    deliver_bars(0, 3);
    UNTIL(atomic_load(&puppet->acked) == 3);
    end();
}

/* What it delivered is committed all the same, and another one takes over. */
static void test_a_feed_that_hangs_is_left_behind(void)
{
    begin(0);
    told = 0;
    end_us = 30000;
    start(1000, 1 << 16, NULL, 0);
    OK(feed());
    deliver_bars(0, 20);
    UNTIL(atomic_load(&puppet->acked) == 20);
    atomic_store(&puppet->hang, true);
    pt_ingest_refeed(ingest, "puppet", load_feed("second"), on_refeed, NULL);
    UNTIL(told == 1);
    CU_ASSERT_EQUAL(told_err.code, PT_OK);
    CU_ASSERT_STRING_EQUAL(puppet->text, "second");
    CU_ASSERT_EQUAL(stats().nfeeds, 2); /* the one that hangs is still there to be seen */
    atomic_store(&puppet->hang, false);
    UNTIL(atomic_load(&puppet->drained));
    end();
}

static void test_the_newest_wish_counts(void)
{
    open_first();
    pt_ingest_refeed(ingest, "puppet", load_feed("second"), on_refeed, NULL);
    pt_ingest_refeed(ingest, "puppet", load_feed("third"), on_refeed, NULL);
    CU_ASSERT_EQUAL(told, 1); /* the first is told at once that it is overtaken */
    CU_ASSERT_EQUAL(told_err.code, PT_ECANCEL);
    UNTIL(told == 2);
    CU_ASSERT_STRING_EQUAL(puppet->text, "third");
    CU_ASSERT_EQUAL(stats().nfeeds, 1);
    end();
}

static void test_an_end_in_the_middle_loses_nothing(void)
{
    open_first();
    deliver_bars(0, 300);
    UNTIL(atomic_load(&puppet->pushed) > 100);
    pt_ingest_refeed(ingest, "puppet", load_feed("second"), on_refeed, NULL);
    pt_ingest_stop(ingest);
    CU_ASSERT_EQUAL(told, 1);
    CU_ASSERT_EQUAL(told_err.code, PT_ECANCEL);
    CU_ASSERT_EQUAL(atomic_load(&puppet->acked), atomic_load(&puppet->pushed));
    CU_ASSERT_EQUAL(market_rows(store, PT_CANDLES, "BTCUSDT", PT_US_MIN),
                    atomic_load(&puppet->acked));
    end();
}

static void test_rules_of_retention_can_be_changed(void)
{
    begin(0);
    int64_t now_us = pt_period_floor(PT_US_MIN, pt_now_us());
    market_write(store, "BTCUSDT", PT_US_MIN, now_us - 240 * PT_US_MIN, 240, 0);
    start(1000, 1 << 16, NULL, 0);
    struct pt_retention *rule = malloc(sizeof *rule);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rule);
    *rule = (struct pt_retention){ .kind = PT_CANDLES, .keep_us = PT_US_HOUR };
    pt_ingest_rules(ingest, rule, 1);
    UNTIL(market_rows(store, PT_CANDLES, "BTCUSDT", PT_US_MIN) <= 60);
    pt_ingest_rules(ingest, NULL, 0);
    end();
}

static CU_TestInfo tests[] = {
    { "a feed is opened anew and loses nothing", test_a_feed_is_opened_anew_and_loses_nothing },
    { "a feed is taken out and comes back", test_a_feed_is_taken_out_and_comes_back },
    { "a feed that does not open again is named", test_a_feed_that_does_not_open_again_is_named },
    { "a feed that hangs is left behind", test_a_feed_that_hangs_is_left_behind },
    { "the newest wish counts", test_the_newest_wish_counts },
    { "an end in the middle loses nothing", test_an_end_in_the_middle_loses_nothing },
    { "rules of retention can be changed", test_rules_of_retention_can_be_changed },
    { "figures are read while feeds come and go", test_figures_are_read_while_feeds_come_and_go },
    CU_TEST_INFO_NULL
};

int main(void)
{
    pt_log_set_level(PT_QUIET);
    return pt_suite_main("flow.refeed", tests);
}
