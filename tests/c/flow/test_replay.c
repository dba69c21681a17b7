/* test_replay.c - a script at every bar of a range, with workers that behave as ordered. */
#include "market.h"

#include "flow/engine.h"
#include "flow/result.h"

#define H PT_US_HOUR

static struct pt_conf *conf;
static struct pt_engine *engine;
static const char *const both[] = { "ETHUSDT", "BTCUSDT", NULL };

static void begin(enum pt_engine_mode mode)
{
    kit_begin();
    conf = kit_conf();
    kit_script("a", "name alpha\nevery 1h 1d\n");
    struct pt_store *store = market_store("store", 0);
    market_write(store, "BTCUSDT", H, T0, 50, 0);
    market_write(store, "BTCUSDT", H, T0 + 60 * H, 40, 0); /* behind a hole of ten bars */
    market_write(store, "ETHUSDT", H, T0, 30, 0);
    pt_store_close(store);
    OK(pt_engine_new(conf, mode, NULL, &engine, &kit_err));
}

static void end(void)
{
    pt_engine_free(engine);
    pt_conf_free(conf);
    kit_end();
}

static struct pt_replay_opts of(const char *const *pairs)
{
    return (struct pt_replay_opts){
        .name = "alpha", .pairs = pairs, .period_us = H, .end_us = INT64_MAX
    };
}

/* The i-th document is this bar's: the fake worker's value says whose and when. */
static void check(const struct pt_replay *replay, size_t i, const char *symbol, int64_t as_of_us)
{
    const char *found = "";
    double value = 0;
    int64_t at_us = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(replay->docs[i]);
    CU_ASSERT(pt_doc_text(replay->docs[i], "symbol", &found) && strcmp(found, symbol) == 0);
    CU_ASSERT(pt_result_as_of(replay->docs[i], &at_us) && at_us == as_of_us);
    CU_ASSERT(pt_doc_double(replay->docs[i], "data.value", &value));
    CU_ASSERT_EQUAL(value, (double)(as_of_us / 1000) + symbol[0]);
    CU_ASSERT_FALSE(bson_has_field(replay->docs[i], "metadata"));
}

static void test_every_closed_bar_in_order(void)
{
    struct pt_replay_opts opts = of(both);
    struct pt_replay replay;
    begin(PT_ENGINE_READ);
    OK(pt_engine_replay(engine, &opts, &replay, &kit_err));
    CU_ASSERT_EQUAL_FATAL(replay.n, 30 + 90);
    CU_ASSERT_EQUAL(replay.failed, 0);
    CU_ASSERT_EQUAL(replay.sums.units, 120);
    for (size_t i = 0; i < 30; i++) check(&replay, i, "ETHUSDT", T0 + (int64_t)(i + 1) * H);
    for (size_t i = 0; i < 90; i++)
        check(&replay, 30 + i, "BTCUSDT", T0 + (int64_t)(i < 50 ? i + 1 : i + 11) * H);
    pt_replay_fini(&replay);
    end();
}

static void test_a_range_is_of_the_closes(void)
{
    struct pt_replay_opts opts = of(both + 1);
    struct pt_replay replay;
    begin(PT_ENGINE_READ);
    opts.start_us = T0 + 10 * H; /* inclusive */
    opts.end_us = T0 + 20 * H;   /* exclusive */
    OK(pt_engine_replay(engine, &opts, &replay, &kit_err));
    CU_ASSERT_EQUAL_FATAL(replay.n, 10);
    check(&replay, 0, "BTCUSDT", T0 + 10 * H);
    check(&replay, 9, "BTCUSDT", T0 + 19 * H);
    pt_replay_fini(&replay);
    /* a built period: only whole bars */
    opts.period_us = PT_US_DAY;
    opts.start_us = 0;
    opts.end_us = INT64_MAX;
    OK(pt_engine_replay(engine, &opts, &replay, &kit_err));
    CU_ASSERT_EQUAL_FATAL(replay.n, 3);
    check(&replay, 1, "BTCUSDT", T0 + 48 * H);
    check(&replay, 2, "BTCUSDT", T0 + 96 * H);
    pt_replay_fini(&replay);
    end();
}

static void test_what_is_not_there_is_said(void)
{
    static const char *const nobody[] = { "BTCUSDT", "XRPUSDT", NULL };
    struct pt_replay_opts opts = of(nobody);
    struct pt_replay replay;
    begin(PT_ENGINE_READ);
    CU_ASSERT_EQUAL(pt_engine_replay(engine, &opts, &replay, &kit_err), PT_ENOENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "XRPUSDT"));
    pt_replay_fini(&replay);
    opts = of(both);
    opts.start_us = T0 + 51 * H;
    opts.end_us = T0 + 60 * H;
    CU_ASSERT_EQUAL(pt_engine_replay(engine, &opts, &replay, &kit_err), PT_ENOENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "in this range"));
    pt_replay_fini(&replay);
    opts = of(both);
    opts.name = "nobody";
    CU_ASSERT_EQUAL(pt_engine_replay(engine, &opts, &replay, &kit_err), PT_ENOENT);
    pt_replay_fini(&replay);
    end();
}

static size_t stored_of(const char *collection)
{
    struct pt_read *read = NULL;
    size_t n = 0;
    uint8_t key[16];
    OK(pt_read_begin(pt_engine_store(engine), &read, &kit_err));
    for (int64_t i = 1; i <= 100; i++) {
        bson_t doc;
        const char *status = "";
        pt_result_key(H, T0 + i * H, key);
        enum pt_code rc = pt_docs_get(read, collection, key, sizeof key, &doc, &kit_err);
        n += rc == PT_OK && pt_doc_text(&doc, "status", &status) && strcmp(status, "ok") == 0 &&
             bson_has_field(&doc, "metadata");
    }
    pt_read_end(read);
    return n;
}

static void test_results_are_stored_whole_and_only_when_asked(void)
{
    struct pt_replay_opts opts = of(both);
    struct pt_replay replay;
    bson_t params = BSON_INITIALIZER;
    begin(PT_ENGINE_BATCH);
    OK(pt_engine_replay(engine, &opts, &replay, &kit_err));
    CU_ASSERT_EQUAL(stored_of("analytics_BTCUSDT_alpha"), 0);
    pt_replay_fini(&replay);
    opts.store = true;
    OK(pt_engine_replay(engine, &opts, &replay, &kit_err));
    CU_ASSERT_EQUAL(replay.n, 120);
    CU_ASSERT_EQUAL(stored_of("analytics_BTCUSDT_alpha"), 90);
    CU_ASSERT_EQUAL(stored_of("analytics_ETHUSDT_alpha"), 30);
    pt_replay_fini(&replay);
    bson_append_int64(&params, "window", -1, 3);
    opts.params = &params;
    CU_ASSERT_EQUAL(pt_engine_replay(engine, &opts, &replay, &kit_err), PT_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "in force"));
    pt_replay_fini(&replay);
    bson_destroy(&params);
    end();
}

static void test_a_script_that_dies_costs_its_own_bars(void)
{
    struct pt_replay_opts opts = of(both);
    struct pt_replay replay;
    const char *message = "";
    begin(PT_ENGINE_READ);
    pt_engine_free(engine);
    kit_script("a", "name alpha\nevery 1h\nrun crash\n");
    OK(pt_engine_new(conf, PT_ENGINE_READ, NULL, &engine, &kit_err));
    opts.start_us = T0 + 28 * H;
    opts.end_us = T0 + 31 * H;
    OK(pt_engine_replay(engine, &opts, &replay, &kit_err));
    CU_ASSERT_EQUAL_FATAL(replay.n, 6);
    CU_ASSERT_EQUAL(replay.failed, 6);
    CU_ASSERT(pt_doc_text(replay.docs[5], "error.message", &message));
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "its worker"));
    pt_replay_fini(&replay);
    end();
}

static void interrupt_soon(void *arg, uint64_t done, uint64_t total)
{
    (void)arg;
    CU_ASSERT_EQUAL(total, 90);
    if (done == 5) pt_engine_interrupt(engine);
}

static void test_interrupting_ends_it_in_order(void)
{
    struct pt_replay_opts opts = of(both + 1);
    struct pt_replay replay;
    size_t there = 0;
    begin(PT_ENGINE_BATCH);
    opts.progress = interrupt_soon;
    opts.store = true;
    CU_ASSERT_EQUAL(pt_engine_replay(engine, &opts, &replay, &kit_err), PT_ECANCEL);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "of 90 units are computed and stored"));
    for (size_t i = 0; i < replay.n; i++) there += replay.docs[i] != NULL;
    CU_ASSERT(there >= 5 && there < 90);
    CU_ASSERT_EQUAL(stored_of("analytics_BTCUSDT_alpha"), there);
    pt_replay_fini(&replay);
    end();
}

static void test_the_market_has_a_unit_a_bar_time(void)
{
    static const char *const nobody[] = { NULL };
    struct pt_replay_opts opts = of(nobody);
    struct pt_replay replay;
    begin(PT_ENGINE_BATCH);
    /* between bars of BTCUSDT, inside its hole, and behind everything */
    market_write(pt_engine_store(engine), "ADAUSDT", H, T0 + 54 * H, 2, 0);
    market_write(pt_engine_store(engine), "XRPUSDT", PT_US_MIN, T0 + 100 * H, 61, 0);
    CU_ASSERT_EQUAL(pt_engine_replay(engine, &opts, &replay, &kit_err), PT_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "'alpha' is about one symbol"));
    pt_replay_fini(&replay);
    pt_engine_free(engine);
    kit_script("b", "name beta\nevery 1h\nmarket\n");
    OK(pt_engine_new(conf, PT_ENGINE_BATCH, NULL, &engine, &kit_err));
    opts.name = "beta";
    opts.store = true;
    OK(pt_engine_replay(engine, &opts, &replay, &kit_err));
    CU_ASSERT_EQUAL_FATAL(replay.n, 50 + 2 + 40 + 1);
    CU_ASSERT_EQUAL(replay.failed, 0);
    CU_ASSERT_EQUAL(replay.fault.code, PT_OK);
    for (size_t i = 0; i < replay.n; i++) {
        int64_t at = i < 50 ? (int64_t)i + 1 : i < 52 ? (int64_t)i + 5 : (int64_t)i + 9;
        check(&replay, i, "", T0 + at * H);
    }
    CU_ASSERT_EQUAL(stored_of("analytics_beta"), 92); /* it looks as far as T0 + 100 h */
    pt_replay_fini(&replay);
    opts.store = false;
    opts.market_bytes = 2 << 10;
    CU_ASSERT_EQUAL(pt_engine_replay(engine, &opts, &replay, &kit_err), PT_ERANGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "replay a shorter range"));
    pt_replay_fini(&replay);
    opts.start_us = T0 + 51 * H;
    opts.end_us = T0 + 55 * H;
    CU_ASSERT_EQUAL(pt_engine_replay(engine, &opts, &replay, &kit_err), PT_ENOENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "none of the 4 symbols"));
    pt_replay_fini(&replay);
    opts.pairs = both;
    CU_ASSERT_EQUAL(pt_engine_replay(engine, &opts, &replay, &kit_err), PT_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "takes no symbols"));
    pt_replay_fini(&replay);
    end();
}

static CU_TestInfo tests[] = {
    { "every closed bar, in order", test_every_closed_bar_in_order },
    { "a range is of the closes", test_a_range_is_of_the_closes },
    { "what is not there is said", test_what_is_not_there_is_said },
    { "results are stored whole, and only when asked",
      test_results_are_stored_whole_and_only_when_asked },
    { "a script that dies costs its own bars", test_a_script_that_dies_costs_its_own_bars },
    { "interrupting ends it in order", test_interrupting_ends_it_in_order },
    { "the market has a unit a bar time", test_the_market_has_a_unit_a_bar_time },
    CU_TEST_INFO_NULL
};

int main(void)
{
    pt_log_set_level(PT_QUIET);
    return pt_suite_main("flow.replay", tests);
}
