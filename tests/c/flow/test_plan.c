/* test_plan.c - which units are due, from what changed in a real store. */
#include "market.h"

#include "data/book.h"
#include "flow/plan.h"
#include "flow/registry.h"
#include "flow/result.h"

#include <lmdb.h>

static struct pt_store *store;
static struct pt_scripts *scripts;
static struct pt_plan plan;
static struct pt_plan_opts opts;

/* Scripts by their declarations: h at 1h, d at 1h and 1d, bench at 1h (wants the benchmark), tape
 * at 1h (wants trades), market at 1h and 1d (of all symbols), quotes at 1w (wants books and three
 * 1h bars). */
static const char answer_json[] =
    "{ \"scripts\": ["
    " { \"declaration\": { \"name\": \"h\", \"kind\": \"calculator\", \"every\": [ \"1h\" ] } },"
    " { \"declaration\": { \"name\": \"d\", \"kind\": \"calculator\", \"every\": [ \"1h\", \"1d\" "
    "] } },"
    " { \"declaration\": { \"name\": \"bench\", \"kind\": \"calculator\", \"every\": [ \"1h\" ],"
    "                      \"needs\": { \"candles\": { \"benchmark\": true } } } },"
    " { \"declaration\": { \"name\": \"tape\", \"kind\": \"calculator\", \"every\": [ \"1h\" ],"
    "                      \"needs\": { \"candles\": { \"trades\": true } } } },"
    " { \"declaration\": { \"name\": \"market\", \"kind\": \"calculator\", \"every\": [ \"1h\", "
    "\"1d\" ], \"needs\": { \"market\": { \"span\": \"30d\" } } } },"
    " { \"error\": { \"message\": \"broken\" } },"
    " { \"declaration\": { \"name\": \"quotes\", \"kind\": \"calculator\", \"every\": [ \"1w\" ],"
    "    \"needs\": { \"books\": { \"span\": \"1h\", \"max_age\": \"5s\" },"
    "                 \"candles\": { \"span\": \"2h\", \"period\": \"1h\", \"bars\": 3 } } } } ] }";

/* The same with one at 1h that wants funding of three days (f) and one that wants mark prices of
 * two hours (m). */
static const char others_json[] =
    "{ \"scripts\": ["
    " { \"declaration\": { \"name\": \"h\", \"kind\": \"calculator\", \"every\": [ \"1h\" ] } },"
    " { \"declaration\": { \"name\": \"f\", \"kind\": \"calculator\", \"every\": [ \"1h\" ],"
    "                      \"needs\": { \"candles\": {}, \"funding\": { \"span\": \"3d\" } } } },"
    " { \"declaration\": { \"name\": \"m\", \"kind\": \"calculator\", \"every\": [ \"1h\" ],"
    "                      \"needs\": { \"candles\": {}, \"marks\": { \"span\": \"2h\" } } } },"
    " { \"error\": { \"message\": \"broken\" } }, { \"error\": { \"message\": \"broken\" } },"
    " { \"error\": { \"message\": \"broken\" } }, { \"error\": { \"message\": \"broken\" } } ] }";

static void begin_with(const char *json)
{
    const struct pt_load_params params = { .store = "", .benchmark = "" };
    struct pt_sources sources = { 0 };
    struct pt_registry registry;
    bson_t message = BSON_INITIALIZER;
    bson_error_t error;
    size_t index[8], n = 0, checks = 0;
    bool news, again;
    kit_begin();
    struct pt_conf *conf = kit_conf();
    for (int i = 0; i < 7; i++) {
        char name[8];
        snprintf(name, sizeof name, "s%d", i);
        kit_script(name, "x");
    }
    OK(pt_sources_read(conf, &sources, &kit_err));
    OK(pt_registry_init(&registry, &sources, &kit_err));
    OK(pt_registry_message(&registry, &params, &message, index, &n, &checks, &kit_err));
    bson_t *answer = bson_new_from_json((const uint8_t *)json, -1, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
    OK(pt_registry_loaded(&registry, index, n, answer, &news, &kit_err));
    OK(pt_registry_check(&registry, conf, &again, &kit_err));
    OK(pt_registry_snapshot(&registry, NULL, 1, &scripts, &kit_err));
    bson_destroy(answer);
    bson_destroy(&message);
    pt_registry_fini(&registry);
    pt_conf_free(conf);
    store = market_store("store", 0);
    opts = (struct pt_plan_opts){ .scripts = scripts,
                                  .benchmark = "BTCUSDT",
                                  .as_of_us = INT64_MAX,
                                  .marks = true,
                                  .settled = true,
                                  .now_us = T0 + 100 * PT_US_HOUR };
}

static void begin(void)
{
    begin_with(answer_json);
}

static void end(void)
{
    pt_plan_fini(&plan);
    pt_scripts_unref(scripts);
    pt_store_close(store);
    kit_end();
}

static void make(void)
{
    pt_plan_fini(&plan);
    OK(pt_plan_make(store, &opts, &plan, &kit_err));
}

/* Scripts of a unit as letters, "-" when the unit is not planned. */
static const char *unit(const char *symbol, int64_t period_us, int64_t as_of_us)
{
    static char out[32];
    for (size_t i = 0; i < plan.n; i++) {
        const struct pt_plan_unit *u = &plan.v[i];
        if (strcmp(u->symbol, symbol) != 0 || u->period_us != period_us || u->as_of_us != as_of_us)
            continue;
        out[0] = '\0';
        for (size_t k = 0; k < scripts->n; k++)
            if (plan.wanted[i * scripts->n + k])
                snprintf(out + strlen(out), 8, "%.1s", scripts->v[k].name);
        return out;
    }
    return "-";
}

static void clear_marks(void)
{
    struct pt_write *write = NULL;
    make();
    OK(pt_write_begin(store, &write, &kit_err));
    for (size_t i = 0; i < plan.nmarks; i++) OK(pt_write_due_done(write, &plan.marks[i], &kit_err));
    OK(pt_write_commit(write, &kit_err));
    make();
    CU_ASSERT_EQUAL(plan.nmarks, 0);
}

/* As if it had been computed over `expected` bars. */
static void put_result(const char *symbol, const char *name, int64_t period_us, int64_t as_of_us,
                       int64_t expected)
{
    char collection[PT_COLLECTION_MAX];
    uint8_t key[16];
    struct pt_write *write = NULL;
    bson_t doc = BSON_INITIALIZER, child;
    pt_result_collection(symbol, name, collection);
    pt_result_key(period_us, as_of_us, key);
    bson_append_date_time(&doc, "as_of", -1, as_of_us / 1000);
    bson_append_document_begin(&doc, "metadata", -1, &child);
    bson_append_int64(&child, "expected", -1, expected);
    bson_append_document_end(&doc, &child);
    OK(pt_write_begin(store, &write, &kit_err));
    OK(pt_write_doc(write, collection, key, sizeof key, &doc, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    bson_destroy(&doc);
}

#define H PT_US_HOUR

static void put_book(const char *symbol, int64_t time_us)
{
    struct pt_series_key key = { .kind = PT_DEPTH };
    struct pt_write *write = NULL;
    struct pt_put_stats stats = { 0 };
    struct pt_frame frame;
    int64_t val[PT_CELLS_MAX];
    uint8_t dig[PT_CELLS_MAX] = { 0 };
    snprintf(key.symbol, sizeof key.symbol, "%s", symbol);
    pt_break_row(val, dig);
    val[0] = time_us;
    pt_frame_init(&frame, pt_kind(PT_DEPTH));
    OK(pt_frame_push(&frame, val, dig));
    OK(pt_write_begin(store, &write, &kit_err));
    OK(pt_write_rows(write, &key, &frame, PT_PUT_CORRECT, &stats, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    pt_frame_fini(&frame);
}

static void test_books_make_only_results_of_the_past_due(void)
{
    begin();
    market_write(store, "ETHUSDT", H, T0, 100, 0);
    clear_marks();
    int64_t t = T0 + 50 * H;
    put_result("ETHUSDT", "quotes", H, t, 0);
    put_result("ETHUSDT", "quotes", H, t + 2 * H, 0);
    put_result("ETHUSDT", "h", H, t, 24);
    put_book("ETHUSDT", T0 + 100 * H); /* the newest: nothing looked at its time */
    make();
    CU_ASSERT_EQUAL(plan.n, 0);
    put_book("ETHUSDT", t - H); /* the first moment of the span of one, and of no other */
    opts.pairs = NULL;
    make();
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, t), "q");
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, t + 2 * H), "q"); /* the mark reaches to the newest */
    CU_ASSERT_EQUAL(plan.n, 2);
    clear_marks();
    put_book("ETHUSDT", t);
    make();
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, t), "q"); /* its last one */
    CU_ASSERT_EQUAL(plan.n, 1);
    clear_marks();
    put_book("ETHUSDT", t + 1);
    make();
    CU_ASSERT_EQUAL(plan.n, 0);
    end();
}

static void test_a_bar_of_the_past_makes_results_of_books_due_that_looked_at_it(void)
{
    begin();
    market_write(store, "ETHUSDT", H, T0, 100, 0);
    put_book("ETHUSDT", T0 + 50 * H);
    clear_marks();
    int64_t t =
        T0 + 50 * H + 1000; /* bars that open 4 hours before and later may be in its window */
    put_result("ETHUSDT", "quotes", H, t, 0);
    market_write(store, "ETHUSDT", H, T0 + 45 * H, 1, 7);
    make();
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, t), "-");
    clear_marks();
    market_write(store, "ETHUSDT", H, T0 + 47 * H, 1, 7);
    make();
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, t), "q");
    end();
}

static void test_a_symbol_without_bars_has_units_of_books(void)
{
    begin();
    int64_t week_us = 7 * PT_US_DAY, t = pt_period_floor(week_us, T0) + week_us;
    put_book("ETHUSDT", t + 5 * H);
    opts.all = true;
    make();
    CU_ASSERT_EQUAL(plan.n, 1);
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", week_us, t), "q");
    end();
}

static void test_an_import_makes_the_newest_units_due_and_no_past_ones(void)
{
    begin();
    market_write(store, "ETHUSDT", H, T0, 100, 0);
    make();
    CU_ASSERT_EQUAL(plan.n, 2);
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 100 * H), "bdht");
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", PT_US_DAY, T0 + 96 * H),
                           "d"); /* built from hours: four whole days */
    CU_ASSERT_EQUAL(plan.nmarks, 1);
    CU_ASSERT_TRUE(plan.v[0].newest);
    clear_marks();
    CU_ASSERT_EQUAL(plan.n, 0);
    end();
}

static void test_a_bar_that_ends_no_bigger_one_leaves_it_alone(void)
{
    begin();
    market_write(store, "ETHUSDT", PT_US_MIN, T0, 3 * 1440, 0);
    clear_marks();
    market_write(store, "ETHUSDT", PT_US_MIN, T0 + 3 * PT_US_DAY, 1, 0);
    make();
    CU_ASSERT_EQUAL(plan.n, 0);
    CU_ASSERT_EQUAL(plan.nmarks, 1); /* it stays, until it goes with a unit */
    market_write(store, "ETHUSDT", PT_US_MIN, T0 + 3 * PT_US_DAY + PT_US_MIN, 59, 0);
    make();
    CU_ASSERT_EQUAL(plan.n, 1);
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 73 * H), "bdht");
    end();
}

static void test_a_late_bar_makes_stored_results_due_whose_window_holds_it(void)
{
    begin();
    market_write(store, "ETHUSDT", H, T0, 100, 0);
    clear_marks();
    put_result("ETHUSDT", "h", H, T0 + 20 * H, 10);
    put_result("ETHUSDT", "h", H, T0 + 25 * H, 10);
    put_result("ETHUSDT", "h", H, T0 + 29 * H, 10);
    put_result("ETHUSDT", "h", H, T0 + 35 * H, 10);
    put_result("ETHUSDT", "d", H, T0 + 35 * H, 30);
    put_result("ETHUSDT", "d", H, T0 + 100 * H, 30);
    put_result("ETHUSDT", "h", 4 * H, T0 + 28 * H, 10);   /* a period that nobody schedules */
    put_result("BNBUSDT", "h", H, T0 + 25 * H, 10);       /* another symbol */
    market_write(store, "ETHUSDT", H, T0 + 24 * H, 1, 7); /* the bar [24, 25) is corrected */
    make();
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 20 * H), "-"); /* ends before it */
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 25 * H), "h"); /* ends with it */
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 29 * H), "h");
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 35 * H), "d"); /* h looks back 10 hours only */
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", 4 * H, T0 + 28 * H), "h");
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 100 * H),
                           "bdht"); /* the newest is always taken */
    CU_ASSERT_STRING_EQUAL(unit("BNBUSDT", H, T0 + 25 * H), "-");
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", PT_US_DAY, T0 + 96 * H), "d");
    CU_ASSERT_EQUAL(plan.n, 6);
    end();
}

static void test_the_window_begins_with_the_bar_it_holds(void)
{
    begin();
    market_write(store, "ETHUSDT", H, T0, 100, 0);
    clear_marks();
    put_result("ETHUSDT", "h", H, T0 + 34 * H, 10); /* window [24, 34) */
    put_result("ETHUSDT", "h", H, T0 + 35 * H, 10); /* window [25, 35) */
    market_write(store, "ETHUSDT", H, T0 + 24 * H, 1, 7);
    make();
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 34 * H), "h");
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 35 * H), "-");
    end();
}

static void test_a_result_of_unknown_window_is_taken_too(void)
{
    begin();
    market_write(store, "ETHUSDT", H, T0, 100, 0);
    clear_marks();
    char collection[PT_COLLECTION_MAX];
    uint8_t key[16];
    struct pt_write *write = NULL;
    bson_t doc = BSON_INITIALIZER; /* an error has no count of rows */
    pt_result_collection("ETHUSDT", "h", collection);
    pt_result_key(H, T0 + 90 * H, key);
    bson_append_date_time(&doc, "as_of", -1, (T0 + 90 * H) / 1000);
    OK(pt_write_begin(store, &write, &kit_err));
    OK(pt_write_doc(write, collection, key, sizeof key, &doc, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    bson_destroy(&doc);
    market_write(store, "ETHUSDT", H, T0 + 24 * H, 1, 7);
    make();
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 90 * H), "h");
    end();
}

static void test_the_market_is_one_unit_whoever_changed(void)
{
    begin();
    market_write(store, "BTCUSDT", H, T0, 100, 0);
    market_write(store, "ETHUSDT", H, T0, 97, 0);
    market_write(store, "ADAUSDT", PT_US_DAY, T0, 3, 0);
    opts.market = true;
    make();
    CU_ASSERT_STRING_EQUAL(unit("", H, T0 + 100 * H), "m"); /* the newest close of any */
    CU_ASSERT_STRING_EQUAL(unit("", PT_US_DAY, T0 + 96 * H), "m");
    CU_ASSERT_STRING_EQUAL(unit("BTCUSDT", H, T0 + 100 * H),
                           "bdht"); /* it has no unit of a symbol */
    CU_ASSERT_EQUAL(plan.n, 7);
    clear_marks();
    market_write(store, "ETHUSDT", H, T0 + 97 * H, 1, 0); /* not the newest, but in the window */
    make();
    CU_ASSERT_STRING_EQUAL(unit("", H, T0 + 100 * H), "m");
    CU_ASSERT_STRING_EQUAL(unit("", PT_US_DAY, T0 + 96 * H), "-"); /* that day is over */
    const char *const pairs[] = { "BTCUSDT", NULL };
    opts.pairs = pairs;
    make();
    CU_ASSERT_EQUAL(plan.n, 1); /* of all symbols, whichever have units of their own */
    opts.market = false;
    make();
    CU_ASSERT_EQUAL(plan.n, 0);
    opts.all = opts.market = true;
    make();
    CU_ASSERT_STRING_EQUAL(unit("", PT_US_DAY, T0 + 96 * H), "m");
    end();
}

static void test_stored_results_of_the_market_are_due_again(void)
{
    begin();
    market_write(store, "BTCUSDT", H, T0, 100, 0);
    market_write(store, "ETHUSDT", H, T0, 100, 0);
    opts.market = true;
    clear_marks();
    put_result("", "market", H, T0 + 34 * H, 10); /* window [24, 34) */
    put_result("", "market", H, T0 + 35 * H, 10);
    put_result("", "market", 4 * H, T0 + 28 * H, 10);
    put_result("", "h", H, T0 + 30 * H, 10); /* none of the market's */
    market_write(store, "ETHUSDT", H, T0 + 24 * H, 1, 7);
    make();
    CU_ASSERT_STRING_EQUAL(unit("", H, T0 + 34 * H), "m");
    CU_ASSERT_STRING_EQUAL(unit("", H, T0 + 35 * H), "-");
    CU_ASSERT_STRING_EQUAL(unit("", 4 * H, T0 + 28 * H), "m");
    CU_ASSERT_STRING_EQUAL(unit("", H, T0 + 30 * H), "-");
    end();
}

static void test_a_market_that_is_just_closing_is_put_off(void)
{
    begin();
    market_write(store, "BTCUSDT", H, T0, 100, 0);
    market_write(store, "ETHUSDT", H, T0, 100, 0);
    market_write(store, "ADAUSDT", H, T0, 90, 0); /* no longer follows */
    opts.market = true;
    clear_marks();
    opts.settled = false;
    opts.now_us = T0 + 101 * H;
    market_write(store, "BTCUSDT", H, T0 + 100 * H, 1, 0);
    make();
    CU_ASSERT_STRING_EQUAL(unit("BTCUSDT", H, T0 + 101 * H), "bdht"); /* its own are not */
    CU_ASSERT_STRING_EQUAL(unit("", H, T0 + 101 * H), "-");
    CU_ASSERT_TRUE(plan.waiting && plan.later != 0);
    unsigned later = plan.later;
    clear_marks(); /* they went with the units of the symbol */
    opts.later = later;
    make();
    CU_ASSERT_EQUAL(plan.n, 0);
    CU_ASSERT_EQUAL(plan.later, later); /* still not there */
    market_write(store, "ETHUSDT", H, T0 + 100 * H, 1, 0);
    make();
    CU_ASSERT_STRING_EQUAL(unit("", H, T0 + 101 * H), "m"); /* all that follow are there: once */
    CU_ASSERT_TRUE(!plan.waiting && plan.later == 0);
    clear_marks();
    opts.later = 0;
    market_write(store, "BTCUSDT", H, T0 + 101 * H, 1, 0);
    opts.now_us = T0 + 102 * H;
    make();
    CU_ASSERT_TRUE(plan.later != 0);
    opts.later = plan.later;
    opts.settled = true; /* nothing came for a while */
    make();
    CU_ASSERT_STRING_EQUAL(unit("", H, T0 + 102 * H), "m");
    CU_ASSERT_EQUAL(plan.later, 0);
    end();
}

static void test_the_benchmark_makes_those_due_that_want_it(void)
{
    begin();
    market_write(store, "BTCUSDT", H, T0, 100, 0);
    market_write(store, "ETHUSDT", H, T0, 99, 0);
    clear_marks();
    put_result("ETHUSDT", "bench", H, T0 + 50 * H, 48);
    put_result("ETHUSDT", "h", H, T0 + 50 * H, 48);
    market_write(store, "BTCUSDT", H, T0 + 40 * H, 1, 7);
    make();
    CU_ASSERT_STRING_EQUAL(unit("BTCUSDT", H, T0 + 100 * H), "bdht");
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 99 * H), "b");
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 50 * H), "b");
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", PT_US_DAY, T0 + 96 * H), "-");
    market_write(store, "ETHUSDT", H, T0 + 99 * H, 1, 0); /* and both at once make one unit */
    make();
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 100 * H), "bdht");
    end();
}

static void put_trade(int64_t t_us, int64_t id)
{
    const struct pt_series_key key = { .kind = PT_TRADES, .symbol = "ETHUSDT" };
    int64_t val[PT_CELLS_MAX] = { t_us, id, 100, 5, PT_SIDE_BUY };
    uint8_t dig[PT_CELLS_MAX] = { 0 };
    struct pt_put_stats stats = { 0 };
    struct pt_write *write = NULL;
    struct pt_frame frame;
    pt_frame_init(&frame, pt_kind(PT_TRADES));
    OK(pt_frame_push(&frame, val, dig));
    OK(pt_write_begin(store, &write, &kit_err));
    OK(pt_write_rows(write, &key, &frame, PT_PUT_LIVE, &stats, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    pt_frame_fini(&frame);
}

static void test_trades_make_those_due_that_want_them(void)
{
    begin();
    market_write(store, "ETHUSDT", H, T0, 100, 0);
    clear_marks();
    put_trade(T0 + 100 * H + 5, 1); /* of the bar that is still open */
    make();
    CU_ASSERT_EQUAL(plan.n, 0);
    put_trade(T0 + 99 * H + 5, 2); /* of the last closed one */
    make();
    CU_ASSERT_EQUAL(plan.n, 1);
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 100 * H), "t");
    end();
}

static void put_other(enum pt_kind_id kind, int64_t t_us)
{
    const struct pt_series_key key = { .kind = kind, .symbol = "ETHUSDT" };
    int64_t val[PT_CELLS_MAX] = { t_us, 5 };
    uint8_t dig[PT_CELLS_MAX] = { 0 };
    struct pt_put_stats stats = { 0 };
    struct pt_write *write = NULL;
    struct pt_frame frame;
    for (size_t i = 2; i < PT_CELLS_MAX; i++) val[i] = PT_MISSING;
    pt_frame_init(&frame, pt_kind(kind));
    OK(pt_frame_push(&frame, val, dig));
    OK(pt_write_begin(store, &write, &kit_err));
    OK(pt_write_rows(write, &key, &frame, PT_PUT_LIVE, &stats, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    pt_frame_fini(&frame);
}

static void test_funding_and_marks_make_those_due_that_want_them(void)
{
    begin_with(others_json);
    market_write(store, "ETHUSDT", H, T0, 100, 0);
    clear_marks();
    put_other(PT_FUNDING, T0 + 100 * H); /* of the bar that is still open */
    put_other(PT_MARKS, T0 + 100 * H);
    make();
    CU_ASSERT_EQUAL(plan.n, 0);
    clear_marks();
    put_other(PT_FUNDING, T0 + 99 * H + 5);
    make();
    CU_ASSERT_EQUAL(plan.n, 1);
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 100 * H), "f");
    put_other(PT_MARKS, T0 + 99 * H + 5);
    make();
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 100 * H), "fm");
    end();
}

/* Their windows are of their own length, whatever bars the result had. */
static void test_late_funding_makes_stored_results_due_whose_span_holds_it(void)
{
    begin_with(others_json);
    market_write(store, "ETHUSDT", H, T0, 100, 0);
    clear_marks();
    put_result("ETHUSDT", "f", H, T0 + 10 * H, 1);
    put_result("ETHUSDT", "f", H, T0 + 11 * H, 1);
    put_result("ETHUSDT", "f", H, T0 + 82 * H, 1);
    put_result("ETHUSDT", "f", H, T0 + 83 * H, 1);
    put_result("ETHUSDT", "m", H, T0 + 12 * H, 50);
    put_result("ETHUSDT", "m", H, T0 + 13 * H, 50);
    put_result("ETHUSDT", "h", H, T0 + 11 * H, 5);
    put_other(PT_FUNDING, T0 + 10 * H);
    put_other(PT_MARKS, T0 + 10 * H);
    make();
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 10 * H), "-"); /* ends where it was paid */
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 11 * H), "f");
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 82 * H), "f"); /* [10, 82) */
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 83 * H), "-");
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 12 * H), "m");
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 13 * H), "-");
    end();
}

static void test_all_takes_every_symbol_and_filters_narrow_it(void)
{
    static const char *const pairs[] = { "ethusdt", NULL };
    static const int64_t periods[] = { PT_US_DAY, 0 };
    begin();
    market_write(store, "ETHUSDT", H, T0, 100, 0);
    market_write(store, "BNBUSDT", H, T0, 50, 0);
    clear_marks();
    opts.all = true;
    make();
    CU_ASSERT_EQUAL(plan.n, 4);
    CU_ASSERT_STRING_EQUAL(unit("BNBUSDT", H, T0 + 50 * H), "bdht");
    CU_ASSERT_EQUAL(plan.v[0].period_us, H); /* small periods first, symbols in order */
    CU_ASSERT_STRING_EQUAL(plan.v[0].symbol, "BNBUSDT");
    opts.pairs = pairs;
    make();
    CU_ASSERT_EQUAL(plan.n, 2);
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 100 * H), "bdht");
    opts.periods_us = periods;
    make();
    CU_ASSERT_EQUAL(plan.n, 1);
    opts.as_of_us = T0 + 80 * H;
    make();
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", PT_US_DAY, T0 + 72 * H), "d");
    opts.as_of_us = T0;
    make();
    CU_ASSERT_EQUAL(plan.n, 0);
    end();
}

static void test_a_series_far_behind_waits_until_it_has_settled(void)
{
    begin();
    market_write(store, "ETHUSDT", PT_US_MIN, T0, 600, 0);
    opts.now_us = T0 + 20 * H;
    opts.settled = false;
    make();
    CU_ASSERT_EQUAL(plan.n, 0);
    CU_ASSERT_EQUAL(plan.nmarks, 0);
    CU_ASSERT_TRUE(plan.waiting);
    opts.settled = true;
    make();
    CU_ASSERT_EQUAL(plan.n, 1);
    CU_ASSERT_FALSE(plan.waiting);
    opts.settled = false;
    opts.now_us = T0 + 10 * H + PT_US_MIN; /* one minute behind is a live feed */
    make();
    CU_ASSERT_EQUAL(plan.n, 1);
    end();
}

/* Turns one bit in the record of the first series, behind the store's back. */
static void damage_first_series(void)
{
    uint8_t copy[400];
    char path[PATH_MAX];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi series;
    MDB_cursor *cursor;
    MDB_val key, value;
    kit_path(path, "store");
    pt_store_close(store);
    CU_ASSERT_EQUAL_FATAL(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 8);
    CU_ASSERT_EQUAL_FATAL(mdb_env_open(env, path, 0, 0640), 0);
    CU_ASSERT_EQUAL_FATAL(mdb_txn_begin(env, NULL, 0, &txn), 0);
    CU_ASSERT_EQUAL_FATAL(mdb_dbi_open(txn, "series", 0, &series), 0);
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_open(txn, series, &cursor), 0);
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_get(cursor, &key, &value, MDB_FIRST), 0);
    CU_ASSERT_FATAL(value.mv_size <= sizeof copy);
    memcpy(copy, value.mv_data, value.mv_size);
    copy[30] ^= 1;
    value.mv_data = copy;
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_put(cursor, &key, &value, MDB_CURRENT), 0);
    mdb_cursor_close(cursor);
    CU_ASSERT_EQUAL_FATAL(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    store = market_store("store", 0);
}

static void test_a_damaged_series_is_gone_around(void)
{
    begin();
    market_write(store, "ADAUSDT", H, T0, 50, 0);
    market_write(store, "ETHUSDT", H, T0, 50, 0);
    damage_first_series();
    make();
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 50 * H), "bdht");
    CU_ASSERT_EQUAL(plan.fault.code, PT_EDAMAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(plan.fault.text, "ADAUSDT"));
    CU_ASSERT_EQUAL_FATAL(plan.nmarks, 1); /* what could not be looked at stays due */
    CU_ASSERT_STRING_EQUAL(plan.marks[0].key.symbol, "ETHUSDT");
    opts.all = true;
    make();
    CU_ASSERT_STRING_EQUAL(unit("ETHUSDT", H, T0 + 50 * H), "bdht");
    opts.market = true;
    make(); /* the market goes on without it */
    CU_ASSERT_STRING_EQUAL(unit("", H, T0 + 50 * H), "m");
    end();
}

static void test_nothing_due_costs_nothing(void)
{
    begin();
    make();
    CU_ASSERT_EQUAL(plan.n, 0);
    opts.all = true;
    make();
    CU_ASSERT_EQUAL(plan.n, 0);
    end();
}

static CU_TestInfo tests[] = {
    { "books make only results of the past due", test_books_make_only_results_of_the_past_due },
    { "a bar of the past makes results of books due that looked at it",
      test_a_bar_of_the_past_makes_results_of_books_due_that_looked_at_it },
    { "a symbol without bars has units of books", test_a_symbol_without_bars_has_units_of_books },
    { "an import makes the newest units due only",
      test_an_import_makes_the_newest_units_due_and_no_past_ones },
    { "a bar that ends no bigger one leaves it alone",
      test_a_bar_that_ends_no_bigger_one_leaves_it_alone },
    { "a late bar makes stored results due",
      test_a_late_bar_makes_stored_results_due_whose_window_holds_it },
    { "the window begins with the bar it holds", test_the_window_begins_with_the_bar_it_holds },
    { "a result of unknown window is taken too", test_a_result_of_unknown_window_is_taken_too },
    { "the market is one unit whoever changed", test_the_market_is_one_unit_whoever_changed },
    { "stored results of the market are due again",
      test_stored_results_of_the_market_are_due_again },
    { "a market that is just closing is put off", test_a_market_that_is_just_closing_is_put_off },
    { "the benchmark makes those due that want it",
      test_the_benchmark_makes_those_due_that_want_it },
    { "trades make those due that want them", test_trades_make_those_due_that_want_them },
    { "funding and marks make those due that want them",
      test_funding_and_marks_make_those_due_that_want_them },
    { "late funding makes stored results due whose span holds it",
      test_late_funding_makes_stored_results_due_whose_span_holds_it },
    { "all takes every symbol, filters narrow it",
      test_all_takes_every_symbol_and_filters_narrow_it },
    { "a series far behind waits until it has settled",
      test_a_series_far_behind_waits_until_it_has_settled },
    { "a damaged series is gone around", test_a_damaged_series_is_gone_around },
    { "nothing due costs nothing", test_nothing_due_costs_nothing },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("flow.plan", tests);
}
