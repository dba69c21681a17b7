/* test_worker.c - the worker process: its protocol, its windows, its walls. */
#include "rig.h"

#include "bindings/guard.h"

#define LONG_BARS (3000 * 60) /* of a minute */

static char folder[64]; /* AAAUSDT 1h and 1m-built, BTCUSDT 1h, HOLEUSDT 1h with a hole, TINYUSDT 1h
                           of 5 bars */

/* ---- scripts
 * ----------------------------------------------------------------------------------------- */

#define HEAD(name) "return calculator { api = 1, name = '" name "', about = 'for a test',\n"

static const char probe[] = HEAD(
    "probe") " needs = { candles = { span = '30d', bars = function(p) return p.window end, min = "
             "10, benchmark = true } },\n"
             " params = { window = int { default = 20, min = 2, max = 5000, unit = 'bars' } },\n"
             " outputs = { { 'last', 'quote' }, { 'first', 'quote' }, { 'mean', 'quote' }, { 'n', "
             "count {} }, { 'expected', count {} },\n"
             "  { 'returns', count {} }, { 'symbol', text {} }, { 'bench', 'quote' }, { "
             "'bench_there', count {} }, { 'window', count {} } },\n"
             " compute = function(w, p)\n"
             "  local b = w.benchmark\n"
             "  return { last = w.close:final(), first = w.close:get(1), mean = "
             "w.close:last(p.window):mean(), n = w.n, expected = w.expected,\n"
             "   returns = w:log_returns():count(), symbol = w.symbol, bench = b and "
             "b.close:final() or null('no_benchmark'),\n"
             "   bench_there = b and b.close:count(), window = p.window }\n"
             " end }";

static const char doubler[] =
    HEAD("doubler") " needs = { candles = { span = '1h' }, metrics = { 'probe' } }, outputs = { { "
                    "'twice', 'quote' } },\n"
                    " compute = function(w, p, m) return { twice = m.probe and 2 * m.probe.last or "
                    "null('no_probe') } end }";

static const char bigger[] = HEAD(
    "bigger") " needs = { candles = { span = '10d' } }, outputs = { { 'n', count {} }, { 'volume', "
              "'base' }, { 'sum', 'base' } },\n"
              " compute = function(w)\n"
              "  local d = w:resample('1d')\n"
              "  return { n = d.n, volume = d.volume:final(), sum = w.volume:last(24):sum() }\n"
              " end }";

static const char broken_call[] =
    HEAD("broken_call") " needs = { candles = { span = '1d' } }, outputs = { { 'x', 'quote' } },\n"
                        " compute = function(w)\n"
                        "  local t = nil\n"
                        "  return { x = t.y + 1 }\n"
                        " end }";

static const char uses_lib[] = "local half = require 'half'\n" HEAD(
    "uses_lib") " needs = { candles = { span = '1d' } }, outputs = { { 'x', 'quote' } },\n"
                " compute = function(w) return { x = half(w.close:final()) } end }";
static const char half_lib[] = "return function(x) return x / 2 end";

static const char traded[] =
    HEAD("traded") " needs = { candles = { span = '5h', trades = true } }, outputs = { { 'buy', "
                   "'base' }, { 'sell', 'base' } },\n"
                   " compute = function(w)\n"
                   "  local buy, sell = w:signed_trades()\n"
                   "  if not buy then return { buy = null(sell), sell = null(sell) } end\n"
                   "  return { buy = buy, sell = sell }\n"
                   " end }";

static const char dice[] = HEAD("dice") " needs = { candles = { span = '5h' } }, outputs = { { "
                                        "'a', 'none' }, { 'b', 'none' }, { 'roll', count {} } },\n"
                                        " compute = function() return { a = math.random(), b = "
                                        "math.random(), roll = math.random(1, 6) } end }";

#define TABLE_HEAD                                                                                 \
    "return regime { api = 1, name = 'tide', about = 'x', needs = { metrics = { 'probe' } },\n"    \
    " outputs = { { 'state', text { words = { 'ebb', 'flood', 'unknown' } } },\n"                  \
    "  { 'side', text { words = { 'up', 'down' } } } }, levels = { 'side' },\n"
static const char table[] = TABLE_HEAD
    " rules = { { side = 'up', gives = 'flood' }, { gives = 'ebb', otherwise = true } },\n"
    " classify = function(m, _, _, decide)\n"
    "  local side = m.probe and (m.probe.last > 0 and 'up' or 'down') or null('no_probe')\n"
    "  return { side = side, state = decide { side = side } }\n"
    " end }";
static const char dead_table[] =
    TABLE_HEAD " rules = { { side = 'up', gives = 'flood' }, { side = 'down', gives = 'ebb' },\n"
               "  { side = 'up', gives = 'ebb' } },\n"
               " classify = function() end }";

/* ---- helpers
 * -------------------------------------------------------------------------------------------- */

static struct rig start_with(const struct rig_script *scripts, size_t n, bson_t **reply)
{
    struct rig rig;
    static const struct rig_script libs[] = { { "lib/half.lua", half_lib } };
    memset(&rig, 0, sizeof rig);
    memcpy(rig.folder, folder, sizeof folder);
    rig_start(&rig);
    *reply = rig_load(&rig, &rig_usual, scripts, n, libs, 1);
    return rig;
}

/* Loads one script and runs it once; the caller destroys the answer. */
static bson_t *run_once(const char *text, const char *name, const char *symbol, int64_t period_us,
                        int64_t as_of_us)
{
    struct rig_script script = { "calculators/x.lua", text };
    const char *names[] = { name, NULL };
    bson_t *loaded;
    struct rig rig = start_with(&script, 1, &loaded);
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.0.declaration.name"), name);
    bson_t *reply = rig_run(&rig, symbol, period_us, as_of_us, names, NULL);
    if (loaded) bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
    return reply;
}

static bool has_null(const bson_t *doc, const char *path)
{
    bson_iter_t top, at;
    return bson_iter_init(&top, doc) && bson_iter_find_descendant(&top, path, &at) &&
           BSON_ITER_HOLDS_NULL(&at);
}

/* The values a window must have, read from the store by other means. */
static struct pt_frame stored(const char *symbol, int64_t period_us, int64_t from_us, int64_t to_us)
{
    struct pt_store_opts opts = { .path = folder, .readonly = true };
    struct pt_series_key key = { .kind = PT_CANDLES, .period_us = period_us };
    struct pt_store *store;
    struct pt_read *read = NULL;
    struct pt_err err;
    struct pt_frame frame;
    snprintf(key.symbol, sizeof key.symbol, "%s", symbol);
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    if (pt_store_open(&opts, &store, &err) != PT_OK || pt_read_begin(store, &read, &err) != PT_OK)
        rig_die(err.text);
    if (pt_series_read(read, &key, from_us, to_us, 0, &frame, &err) != PT_OK) rig_die(err.text);
    pt_read_end(read);
    pt_store_close(store);
    return frame;
}

static double cell(const struct pt_frame *frame, unsigned col, size_t row)
{
    double x;
    pt_frame_doubles(frame, col, row, 1, &x);
    return x;
}

/* ---- loading
 * -----------------------------------------------------------------------------------------------
 */

static void test_declarations_come_back_in_order(void)
{
    const struct rig_script scripts[] = { { "calculators/probe.lua", probe },
                                          { "calculators/bad.lua", "return 5" },
                                          { "calculators/doubler.lua", doubler } };
    bson_t *reply;
    struct rig rig = start_with(scripts, 3, &reply);
    CU_ASSERT_STRING_EQUAL(rig_text(reply, "op"), "loaded");
    CU_ASSERT_STRING_EQUAL(rig_text(reply, "scripts.0.declaration.name"), "probe");
    CU_ASSERT_STRING_EQUAL(rig_text(reply, "scripts.0.declaration.kind"), "calculator");
    CU_ASSERT_STRING_EQUAL(rig_text(reply, "scripts.0.declaration.shape"), "data");
    CU_ASSERT_STRING_EQUAL(rig_text(reply, "scripts.0.declaration.needs.candles.span"), "30d");
    CU_ASSERT_STRING_EQUAL(rig_text(reply, "scripts.0.declaration.params.0.name"), "window");
    CU_ASSERT_EQUAL(rig_number(reply, "scripts.0.declaration.params.0.default"), 20);
    CU_ASSERT_STRING_EQUAL(rig_text(reply, "scripts.0.declaration.outputs.0.name"), "last");
    CU_ASSERT_STRING_EQUAL(rig_text(reply, "scripts.0.declaration.outputs.3.type"), "int");
    CU_ASSERT_STRING_EQUAL(rig_text(reply, "scripts.1.file"), "calculators/bad.lua");
    CU_ASSERT_STRING_EQUAL(rig_text(reply, "scripts.1.error.file"), "calculators/bad.lua");
    CU_ASSERT_EQUAL(rig_number(reply, "scripts.1.error.line"), 1);
    CU_ASSERT_STRING_EQUAL(rig_text(reply, "scripts.2.declaration.needs.metrics.0"), "probe");
    CU_ASSERT_EQUAL(rig.status->phase, PT_PHASE_IDLE);
    if (reply) bson_destroy(reply);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

static void test_a_name_belongs_to_one_file(void)
{
    const struct rig_script scripts[] = { { "a/probe.lua", probe }, { "b/probe.lua", probe } };
    bson_t *reply;
    struct rig rig = start_with(scripts, 2, &reply);
    CU_ASSERT_STRING_EQUAL(rig_text(reply, "scripts.0.declaration.name"), "probe");
    CU_ASSERT_STRING_EQUAL(rig_text(reply, "scripts.1.error.message"),
                           "the name probe is taken by a/probe.lua");
    CU_ASSERT_STRING_EQUAL(rig_text(reply, "scripts.1.error.file"), "b/probe.lua");
    if (reply) bson_destroy(reply);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

static void test_a_worker_without_a_store_says_so_and_ends(void)
{
    struct rig rig = { .folder = "/nonexistent/store" };
    rig_start(&rig);
    bson_t *reply = rig_load(&rig, &rig_usual, NULL, 0, NULL, 0);
    CU_ASSERT_PTR_NULL(reply);
    CU_ASSERT_EQUAL(rig_end(&rig), 1);
}

/* ---- windows
 * --------------------------------------------------------------------------------------------------
 */

static void test_a_window_holds_the_span_that_ends_at_as_of(void)
{
    int64_t as_of = RIG_T0 + 1000 * PT_US_HOUR;
    bson_t *reply = run_once(probe, "probe", "AAAUSDT", PT_US_HOUR, as_of + 17 * PT_US_MIN);
    bson_t doc;
    rig_result(reply, 0, &doc);
    struct pt_frame bars = stored("AAAUSDT", PT_US_HOUR, as_of - 720 * PT_US_HOUR, as_of);
    int64_t ms = 0;
    bson_iter_t at;
    if (bson_iter_init_find(&at, &doc, "as_of")) ms = bson_iter_date_time(&at);
    CU_ASSERT_EQUAL(ms, as_of / 1000);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "status"), "ok");
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "symbol"), "AAAUSDT");
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "timeframe"), "1h");
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metric"), "probe");
    CU_ASSERT_EQUAL(bars.n, 720);
    CU_ASSERT_EQUAL(rig_number(&doc, "data.n"), 720);
    CU_ASSERT_EQUAL(rig_number(&doc, "data.returns"), 719);
    CU_ASSERT_EQUAL(rig_number(&doc, "data.last"), cell(&bars, PT_C_CLOSE, 719));
    CU_ASSERT_EQUAL(rig_number(&doc, "data.first"), cell(&bars, PT_C_CLOSE, 0));
    double sum = 0;
    for (size_t i = 700; i < 720; i++) sum += cell(&bars, PT_C_CLOSE, i);
    CU_ASSERT_DOUBLE_EQUAL(rig_number(&doc, "data.mean"), sum / 20, 1e-9);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metadata.window"), "30d");
    CU_ASSERT_EQUAL(rig_number(&doc, "metadata.rows"), 720);
    CU_ASSERT_EQUAL(rig_number(&doc, "metadata.expected"), 720);
    CU_ASSERT_EQUAL(rig_number(&doc, "metadata.completeness"), 100);
    CU_ASSERT_EQUAL(rig_number(&doc, "metadata.parameters.window"), 20);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metadata.script"), "x.lua");
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metadata.script_hash"),
                           "00112233445566778899aabbccddeeff");
    pt_frame_fini(&bars);
    if (reply) bson_destroy(reply);
}

static void test_a_parameter_widens_the_window(void)
{
    struct rig_script script = { "x.lua", probe };
    const char *names[] = { "probe", NULL };
    bson_t *loaded, params = BSON_INITIALIZER;
    struct rig rig = start_with(&script, 1, &loaded);
    bson_append_int64(&params, "window", -1, 1500);
    bson_t *reply = rig_run(&rig, "AAAUSDT", PT_US_HOUR, RIG_NEWEST, names, &params);
    bson_t doc;
    rig_result(reply, 0, &doc);
    CU_ASSERT_EQUAL(rig_number(&doc, "data.n"), 1500);
    CU_ASSERT_EQUAL(rig_number(&doc, "data.window"), 1500);
    CU_ASSERT_EQUAL(rig_number(&doc, "metadata.parameters.window"), 1500);
    if (reply) bson_destroy(reply);

    bson_reinit(&params);
    bson_append_int64(&params, "window", -1, 5001);
    reply = rig_run(&rig, "AAAUSDT", PT_US_HOUR, RIG_NEWEST, names, &params);
    rig_result(reply, 0, &doc);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "status"), "error");
    CU_ASSERT_PTR_NOT_NULL(strstr(rig_text(&doc, "metadata.error.message"), "window"));
    CU_ASSERT(has_null(&doc, "data.last"));
    if (reply) bson_destroy(reply);
    bson_destroy(&params);
    bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

static void test_a_hole_is_a_gap_and_one_missing_return(void)
{
    bson_t *reply = run_once(probe, "probe", "HOLEUSDT", PT_US_HOUR, RIG_T0 + 500 * PT_US_HOUR);
    bson_t doc;
    rig_result(reply, 0, &doc);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "status"), "gap");
    CU_ASSERT_EQUAL(rig_number(&doc, "metadata.gaps"), 1);
    CU_ASSERT_EQUAL(rig_number(&doc, "metadata.missing"), 7);
    CU_ASSERT_EQUAL(rig_number(&doc, "data.n"), 493);
    CU_ASSERT_EQUAL(rig_number(&doc, "data.expected"), 720);
    CU_ASSERT_EQUAL(rig_number(&doc, "data.returns"), 491);
    CU_ASSERT_DOUBLE_EQUAL(rig_number(&doc, "metadata.completeness"), 100.0 * 493 / 720, 1e-12);
    if (reply) bson_destroy(reply);
}

static void test_a_window_is_a_range_of_time(void)
{
    /* 720 hours before hour 800 hold the hole at 400: the window does not reach further back for it
     */
    bson_t *reply = run_once(probe, "probe", "HOLEUSDT", PT_US_HOUR, RIG_T0 + 800 * PT_US_HOUR);
    bson_t doc;
    rig_result(reply, 0, &doc);
    CU_ASSERT_EQUAL(rig_number(&doc, "data.n"), 713);
    if (reply) bson_destroy(reply);
}

static void test_too_few_bars_are_warming(void)
{
    bson_t *reply = run_once(probe, "probe", "TINYUSDT", PT_US_HOUR, RIG_NEWEST);
    bson_t doc;
    rig_result(reply, 0, &doc);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "status"), "warming");
    CU_ASSERT(has_null(&doc, "data.last"));
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metadata.reasons.last"), "warming");
    CU_ASSERT_EQUAL(rig_number(&doc, "metadata.rows"), 5);
    if (reply) bson_destroy(reply);
}

static void test_no_bar_is_empty(void)
{
    const struct {
        const char *symbol;
        int64_t as_of;
    } cases[] = { { "NONEUSDT", RIG_NEWEST }, { "AAAUSDT", RIG_T0 }, { "AAAUSDT", 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bson_t *reply = run_once(probe, "probe", cases[i].symbol, PT_US_HOUR, cases[i].as_of);
        bson_t doc;
        rig_result(reply, 0, &doc);
        CU_ASSERT_STRING_EQUAL(rig_text(&doc, "status"), "empty");
        CU_ASSERT(has_null(&doc, "as_of"));
        CU_ASSERT(has_null(&doc, "data.last"));
        CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metadata.reasons.last"), "no_data");
        if (reply) bson_destroy(reply);
    }
}

static void test_a_period_that_is_not_stored_is_built(void)
{
    bson_t *reply = run_once(probe, "probe", "AAAUSDT", PT_US_DAY, RIG_NEWEST);
    bson_t doc;
    rig_result(reply, 0, &doc);
    struct pt_frame bars = stored("AAAUSDT", PT_US_HOUR, RIG_T0, RIG_T0 + RIG_BARS * PT_US_HOUR);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metadata.derived_from"), "1h");
    CU_ASSERT_EQUAL(rig_number(&doc, "data.n"), 30);
    CU_ASSERT_EQUAL(rig_number(&doc, "data.last"), cell(&bars, PT_C_CLOSE, RIG_BARS - 1));
    pt_frame_fini(&bars);
    if (reply) bson_destroy(reply);
}

static void test_a_window_is_resampled_exactly(void)
{
    bson_t *reply = run_once(bigger, "bigger", "AAAUSDT", PT_US_HOUR, RIG_T0 + 480 * PT_US_HOUR);
    bson_t doc;
    rig_result(reply, 0, &doc);
    CU_ASSERT_EQUAL(rig_number(&doc, "data.n"), 10);
    CU_ASSERT_DOUBLE_EQUAL(rig_number(&doc, "data.volume"), rig_number(&doc, "data.sum"), 1e-9);
    if (reply) bson_destroy(reply);
    /* three hours later nine whole days are inside, and the day under way is not shown */
    reply = run_once(bigger, "bigger", "AAAUSDT", PT_US_HOUR, RIG_T0 + 483 * PT_US_HOUR);
    rig_result(reply, 0, &doc);
    CU_ASSERT_EQUAL(rig_number(&doc, "data.n"), 9);
    if (reply) bson_destroy(reply);
}

static void test_the_benchmark_stands_on_our_bars(void)
{
    bson_t *reply = run_once(probe, "probe", "HOLEUSDT", PT_US_HOUR, RIG_T0 + 500 * PT_US_HOUR);
    bson_t doc;
    rig_result(reply, 0, &doc);
    struct pt_frame bars =
        stored("BTCUSDT", PT_US_HOUR, RIG_T0 + 499 * PT_US_HOUR, RIG_T0 + 500 * PT_US_HOUR);
    CU_ASSERT_EQUAL(rig_number(&doc, "data.bench"), cell(&bars, PT_C_CLOSE, 0));
    CU_ASSERT_EQUAL(rig_number(&doc, "data.bench_there"), 493);
    pt_frame_fini(&bars);
    if (reply) bson_destroy(reply);
    reply = run_once(probe, "probe", "AAAUSDT", PT_US_MIN,
                     RIG_NEWEST); /* the benchmark has no minutes */
    rig_result(reply, 0, &doc);
    CU_ASSERT(has_null(&doc, "data.bench"));
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metadata.reasons.bench"), "no_benchmark");
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metadata.reasons.bench_there"), "not_given");
    if (reply) bson_destroy(reply);
}

static void put(const char *symbol, int64_t period_us, const struct pt_frame *frame,
                struct pt_put_stats *stats)
{
    struct pt_store_opts opts = { .path = folder, .max_bytes = 256u << 20 };
    struct pt_series_key key = { .kind = PT_CANDLES, .period_us = period_us };
    struct pt_store *store;
    struct pt_write *write;
    struct pt_err err;
    snprintf(key.symbol, sizeof key.symbol, "%s", symbol);
    if (pt_store_open(&opts, &store, &err) != PT_OK) rig_die(err.text);
    if (pt_write_begin(store, &write, &err) != PT_OK) rig_die(err.text);
    if (pt_write_rows(write, &key, frame, PT_PUT_CORRECT, stats, &err) != PT_OK) rig_die(err.text);
    if (pt_write_commit(write, &err) != PT_OK) rig_die(err.text);
    pt_store_close(store);
}

/* Minutes whose volume is so large that an hour's sum fits no decimal. */
static void test_a_sum_that_does_not_fit_fails_who_asks(void)
{
    const struct rig_script scripts[] = { { "probe.lua", probe }, { "bigger.lua", bigger } };
    const char *names[] = { "probe", "bigger", NULL };
    struct pt_put_stats stats = { 0 };
    struct pt_frame frame;
    uint64_t seed = 5;
    int64_t price = 5000000;
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    for (int i = 0; i < 1440; i++) {
        rig_push_bar(&frame, RIG_T0 + i * PT_US_MIN, &seed, &price);
        frame.val[PT_C_VOLUME][i] = INT64_MAX / 3;
    }
    put("WIDEUSDT", PT_US_MIN, &frame, &stats);
    pt_frame_fini(&frame);
    bson_t *loaded;
    struct rig rig = start_with(scripts, 2, &loaded);
    for (int round = 0; round < 2; round++) { /* what was asked for before makes no difference */
        bson_t first, second,
            *reply = rig_run(&rig, "WIDEUSDT", PT_US_HOUR, RIG_NEWEST, names, NULL);
        rig_result(reply, 0, &first);
        rig_result(reply, 1, &second);
        CU_ASSERT_STRING_EQUAL(rig_text(&first, "status"), "ok");
        CU_ASSERT_EQUAL(rig_number(&first, "data.n"), 24);
        CU_ASSERT_STRING_EQUAL(rig_text(&second, "status"), "error");
        CU_ASSERT_EQUAL(rig_number(&second, "metadata.error.line"), 4);
        if (reply) bson_destroy(reply);
    }
    bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

/* Replaces the close of the bar that opens at time_us, as an import of corrected data does. */
static void correct_close(const char *symbol, int64_t period_us, int64_t time_us)
{
    struct pt_put_stats stats = { 0 };
    struct pt_frame frame = stored(symbol, period_us, time_us, time_us + 1);
    CU_ASSERT_EQUAL_FATAL(frame.n, 1);
    frame.val[PT_C_CLOSE][0] = frame.val[PT_C_HIGH][0] += 1234;
    put(symbol, period_us, &frame, &stats);
    pt_frame_fini(&frame);
    CU_ASSERT_EQUAL(stats.replaced, 1);
}

static void check_benchmark(struct rig *rig, const char *symbol, int64_t as_of_us)
{
    const char *names[] = { "probe", NULL };
    bson_t doc, *reply = rig_run(rig, symbol, PT_US_HOUR, as_of_us, names, NULL);
    struct pt_frame bars = stored("BTCUSDT", PT_US_HOUR, as_of_us - PT_US_HOUR, as_of_us);
    rig_result(reply, 0, &doc);
    CU_ASSERT_EQUAL(rig_number(&doc, "data.bench"), cell(&bars, PT_C_CLOSE, 0));
    CU_ASSERT_EQUAL(rig_number(&doc, "data.bench_there"), rig_number(&doc, "data.n"));
    pt_frame_fini(&bars);
    if (reply) bson_destroy(reply);
}

static void test_the_benchmark_is_never_an_old_one(void)
{
    static const char *const symbols[] = { "AAAUSDT", "HOLEUSDT", "BTCUSDT" };
    const struct rig_script script = { "probe.lua", probe };
    bson_t *loaded;
    struct rig rig = start_with(&script, 1, &loaded);
    /* more windows than are kept, each looked at again */
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 12; i++) {
            for (size_t s = 0; s < 3; s++)
                check_benchmark(&rig, symbols[s], RIG_T0 + (800 + i) * PT_US_HOUR);
        }
    }
    int64_t as_of_us = RIG_T0 + 800 * PT_US_HOUR;
    check_benchmark(&rig, "AAAUSDT", as_of_us);
    correct_close("BTCUSDT", PT_US_HOUR, as_of_us - PT_US_HOUR);
    for (size_t s = 0; s < 3; s++) check_benchmark(&rig, symbols[s], as_of_us);
    bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

/* Returns are worked out once a unit: windows of other lengths see their own, and what a script
 * does to its vector is its own affair. */
static void test_returns_of_a_window_are_its_own(void)
{
#define RETURNS(name, span, more)                                                                  \
    HEAD(name)                                                                                     \
    " needs = { candles = { span = '" span "' } }, outputs = { { 'first', 'none' }, { 'n', count " \
    "{} }, { 'log', 'none' },\n"                                                                   \
    "  { 'simple', 'none' }, { 'grid', 'none' }, { 'last', 'none' } },\n"                          \
    " compute = function(w)\n"                                                                     \
    "  local r, s, g = w:log_returns(), w:simple_returns(), w:grid_log_returns()\n"                \
    "  local out = { first = r:get(1), n = r:count(), log = r:square():mean(), simple = "          \
    "s:square():mean(),\n"                                                                         \
    "   grid = g:square():mean(), last = w:last(3):log_returns():compact():sum() }\n" more         \
    "  return out\n end }"
    static const char spoil[] =
        RETURNS("spoil", "20d", " for i = 1, #r do r:set(i, 7) s:set(i, 7) end\n g:set(1, 7)\n");
    static const char longer[] = RETURNS("longer", "30d", ""),
                      shorter[] = RETURNS("shorter", "5d", "");
    const struct rig_script scripts[] = { { "spoil.lua", spoil },
                                          { "longer.lua", longer },
                                          { "shorter.lua", shorter } };
    const char *all[] = { "spoil", "longer", "shorter", "longer", NULL };
    const char *alone[][2] = {
        { "spoil", NULL }, { "longer", NULL }, { "shorter", NULL }, { "longer", NULL }
    };
    bson_t *loaded;
    struct rig rig = start_with(scripts, 3, &loaded);
    int64_t as_of_us = RIG_T0 + 450 * PT_US_HOUR; /* the hole lies in each window */
    bson_t *together = rig_run(&rig, "HOLEUSDT", PT_US_HOUR, as_of_us, all, NULL);
    for (int i = 0; i < 4; i++) {
        bson_t a, b, *reply = rig_run(&rig, "HOLEUSDT", PT_US_HOUR, as_of_us, alone[i], NULL);
        rig_result(together, i, &a);
        rig_result(reply, 0, &b);
        CU_ASSERT(a.len > 100 && bson_equal(&a, &b));
        CU_ASSERT(has_null(&a, "data.first"));
        CU_ASSERT_EQUAL(rig_number(&a, "data.n"), rig_number(&a, "metadata.rows") - 2);
        CU_ASSERT(rig_number(&a, "data.log") > 0 && rig_number(&a, "data.grid") > 0);
        if (reply) bson_destroy(reply);
    }
    /* the definition, from the store */
    bson_t doc;
    struct pt_frame bars = stored("HOLEUSDT", PT_US_HOUR, as_of_us - 3 * PT_US_HOUR, as_of_us);
    rig_result(together, 2, &doc);
    CU_ASSERT_DOUBLE_EQUAL(rig_number(&doc, "data.last"),
                           log(cell(&bars, PT_C_CLOSE, 2) / cell(&bars, PT_C_CLOSE, 1)) +
                               log(cell(&bars, PT_C_CLOSE, 1) / cell(&bars, PT_C_CLOSE, 0)),
                           1e-14);
    pt_frame_fini(&bars);
    if (together) bson_destroy(together);
    bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
#undef RETURNS
}

static void test_results_are_handed_on_within_a_unit(void)
{
    const struct rig_script scripts[] = { { "probe.lua", probe }, { "doubler.lua", doubler } };
    const char *both[] = { "probe", "doubler", NULL }, *alone[] = { "doubler", NULL };
    bson_t *loaded;
    struct rig rig = start_with(scripts, 2, &loaded);
    bson_t *reply = rig_run(&rig, "AAAUSDT", PT_US_HOUR, RIG_NEWEST, both, NULL);
    bson_t first, second;
    rig_result(reply, 0, &first);
    rig_result(reply, 1, &second);
    CU_ASSERT_STRING_EQUAL(rig_text(reply, "results.1.name"), "doubler");
    CU_ASSERT_EQUAL(rig_number(reply, "id"), 42);
    CU_ASSERT_EQUAL(rig_number(&second, "data.twice"), 2 * rig_number(&first, "data.last"));
    if (reply) bson_destroy(reply);
    reply = rig_run(&rig, "AAAUSDT", PT_US_HOUR, RIG_NEWEST, alone, NULL);
    rig_result(reply, 0, &first);
    CU_ASSERT_STRING_EQUAL(rig_text(&first, "metadata.reasons.twice"), "no_probe");
    if (reply) bson_destroy(reply);
    bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

static void test_a_decision_table_decides_and_a_dead_rule_does_not_load(void)
{
    const struct rig_script scripts[] = { { "probe.lua", probe },
                                          { "tide.lua", table },
                                          { "dead.lua", dead_table } };
    const char *both[] = { "probe", "tide", NULL }, *alone[] = { "tide", NULL };
    bson_t *loaded;
    struct rig rig = start_with(scripts, 3, &loaded);
    bson_t doc;
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.1.declaration.label"), "state");
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.1.declaration.levels.0"), "side");
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.1.declaration.rules.0.when.side"), "up");
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.1.declaration.rules.1.gives"), "ebb");
    CU_ASSERT_STRING_EQUAL(
        rig_text(loaded, "scripts.2.error.message"),
        "rules: rule 3 (ebb) is never reached: rule 1 (flood) takes all its cases");
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.2.error.file"), "dead.lua");
    CU_ASSERT_EQUAL(rig_number(loaded, "scripts.2.error.line"), 5);
    bson_t *reply = rig_run(&rig, "AAAUSDT", PT_US_HOUR, RIG_NEWEST, both, NULL);
    rig_result(reply, 1, &doc);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "data.state"), "flood");
    if (reply) bson_destroy(reply);
    reply = rig_run(&rig, "AAAUSDT", PT_US_HOUR, RIG_NEWEST, alone, NULL);
    rig_result(reply, 0, &doc);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "data.state"), "unknown");
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metadata.reasons.side"), "no_probe");
    if (reply) bson_destroy(reply);
    bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

/* Every bar that closes above 0, which are all: with so many words that 3000 of them are more than
 * a result of any other script may have. */
static const char wordy[] =
    "return anomaly { api = 1, name = 'wordy', about = 'for a test', of = 'data_quality',\n"
    " needs = { candles = { span = '1h', days = 'days', bars = 4, min = 2 } },\n"
    " params = { days = int { default = 0, min = 0, max = 10 } }, details = { note = text {} },\n"
    " detect = function(w)\n"
    "  return { score = w.close, threshold = 0.5, note = ('x'):rep(400), reason = 'there' }\n"
    " end,\n"
    " severity = function() return 'high' end }";

static void test_a_detector_tells_the_newest_bar_or_the_whole_window(void)
{
    const struct rig_script script = { "wordy.lua", wordy };
    const char *names[] = { "wordy", NULL };
    bson_t *loaded, params = BSON_INITIALIZER, doc, list;
    struct rig rig = start_with(&script, 1, &loaded);
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.0.declaration.kind"), "anomaly");
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.0.declaration.of"), "data_quality");
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.0.declaration.needs.candles.days"), "days");
    bson_append_int64(&params, "days", -1, 2);
    for (int whole = 0; whole < 2; whole++) {
        rig.whole = whole;
        bson_t *reply = rig_run(&rig, "AAAUSDT", PT_US_MIN, RIG_NEWEST, names, &params);
        rig_result(reply, 0, &doc);
        CU_ASSERT_STRING_EQUAL(rig_text(&doc, "status"), "ok");
        CU_ASSERT_EQUAL(rig_number(&doc, "data.found"), whole ? 2880 : 1);
        CU_ASSERT_STRING_EQUAL(rig_text(&doc, "data.severity"), "high");
        CU_ASSERT_STRING_EQUAL(rig_text(&doc, "data.anomalies.0.reason"), "there");
        CU_ASSERT_EQUAL(strlen(rig_text(&doc, "data.anomalies.0.details.note")), 400);
        CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metadata.window"), "2d");
        CU_ASSERT(pt_doc_child(&doc, "data.anomalies", &list));
        CU_ASSERT_EQUAL(bson_count_keys(&list), whole ? 2880 : 1);
        bson_iter_t iter, member;
        int64_t as_of_ms = 0, open_ms = 0;
        char last[16];
        snprintf(last, sizeof last, "%d", whole ? 2879 : 0);
        if (bson_iter_init_find(&iter, &doc, "as_of")) as_of_ms = bson_iter_date_time(&iter);
        if (bson_iter_init_find(&iter, &list, last) && bson_iter_recurse(&iter, &member) &&
            bson_iter_find(&member, "time") && BSON_ITER_HOLDS_DATE_TIME(&member))
            open_ms = bson_iter_date_time(&member);
        CU_ASSERT_EQUAL(open_ms, as_of_ms - 60000);
        CU_ASSERT((doc.len > PT_RESULT_MAX) == (whole == 1));
        if (reply) bson_destroy(reply);
    }
    bson_destroy(&params);
    bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

static void test_the_same_unit_gives_the_same_bytes(void)
{
    const struct rig_script scripts[] = { { "probe.lua", probe },
                                          { "bigger.lua", bigger },
                                          { "dice.lua", dice } };
    const char *forth[] = { "probe", "bigger", "dice", NULL },
               *back[] = { "dice", "bigger", "probe", NULL };
    bson_t *loaded;
    struct rig rig = start_with(scripts, 3, &loaded);
    bson_t *once = rig_run(&rig, "AAAUSDT", PT_US_HOUR, RIG_NEWEST, forth, NULL);
    bson_t *between = rig_run(&rig, "HOLEUSDT", PT_US_HOUR, RIG_NEWEST, forth, NULL);
    bson_t *again = rig_run(&rig, "AAAUSDT", PT_US_HOUR, RIG_NEWEST, back, NULL);
    for (int i = 0; i < 3; i++) {
        bson_t a, b;
        rig_result(once, i, &a);
        rig_result(again, 2 - i, &b);
        CU_ASSERT(a.len > 100 && bson_equal(&a, &b));
    }
    bson_t a, b;
    rig_result(once, 2, &a);
    rig_result(between, 2, &b);
    CU_ASSERT_NOT_EQUAL(rig_number(&a, "data.a"),
                        rig_number(&b, "data.a")); /* another window, other numbers */
    CU_ASSERT_NOT_EQUAL(rig_number(&a, "data.a"), rig_number(&a, "data.b"));
    if (once) bson_destroy(once);
    if (between) bson_destroy(between);
    if (again) bson_destroy(again);
    bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

static void test_a_script_that_fails_stops_no_other(void)
{
    const struct rig_script scripts[] = { { "calculators/broken_call.lua", broken_call },
                                          { "uses_lib.lua", uses_lib } };
    const char *names[] = { "broken_call", "uses_lib", NULL };
    bson_t *loaded;
    struct rig rig = start_with(scripts, 2, &loaded);
    bson_t *reply = rig_run(&rig, "AAAUSDT", PT_US_HOUR, RIG_NEWEST, names, NULL);
    bson_t doc, other;
    rig_result(reply, 0, &doc);
    rig_result(reply, 1, &other);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "status"), "error");
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metadata.error.message"),
                           "attempt to index local 't' (a nil value)");
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metadata.error.file"), "calculators/broken_call.lua");
    CU_ASSERT_EQUAL(rig_number(&doc, "metadata.error.line"), 5);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metadata.reasons.x"), "error");
    CU_ASSERT_STRING_EQUAL(rig_text(&other, "status"), "ok");
    CU_ASSERT(rig_number(&other, "data.x") > 0);
    if (reply) bson_destroy(reply);
    bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

/* ---- trades
 * ---------------------------------------------------------------------------------------------------
 */

/* Ten-minute trades from hour 90 to hour 110 of TRADEUSDT, without the one at position `without`.
 */
static void fill_trades(const char *symbol, int without)
{
    struct pt_store_opts opts = { .path = folder, .max_bytes = 256u << 20 };
    struct pt_series_key key = { .kind = PT_TRADES };
    struct pt_put_stats stats = { 0, 0, 0, 0 };
    struct pt_store *store;
    struct pt_write *write = NULL;
    struct pt_err err;
    struct pt_frame frame;
    snprintf(key.symbol, sizeof key.symbol, "%s", symbol);
    pt_frame_init(&frame, pt_kind(PT_TRADES));
    for (int i = 0; i < 120; i++) {
        int64_t val[] = { RIG_T0 + 90 * PT_US_HOUR + i * 10 * PT_US_MIN, 1000 + i, 5000000, 100 + i,
                          i % 3 == 0 };
        uint8_t dig[] = { 0, 0, pt_digits(2, 0), pt_digits(3, 0), 0 };
        if (i != without && pt_frame_push(&frame, val, dig) != PT_OK) rig_die("push");
    }
    if (pt_store_open(&opts, &store, &err) != PT_OK ||
        pt_write_begin(store, &write, &err) != PT_OK ||
        pt_write_rows(write, &key, &frame, PT_PUT_CORRECT, &stats, &err) != PT_OK ||
        pt_write_commit(write, &err) != PT_OK)
        rig_die(err.text);
    pt_store_close(store);
    pt_frame_fini(&frame);
}

static void test_trades_count_only_when_they_cover_the_window(void)
{
    fill_trades("AAAUSDT", -1);
    bson_t *reply = run_once(traded, "traded", "AAAUSDT", PT_US_HOUR, RIG_T0 + 100 * PT_US_HOUR);
    bson_t doc;
    rig_result(reply, 0, &doc);
    double buy = 0, sell = 0;
    for (int i = 30; i < 60; i++)
        *(i % 3 == 0 ? &sell : &buy) += (100 + i) / 1000.0; /* hours 95 to 100 */
    CU_ASSERT_DOUBLE_EQUAL(rig_number(&doc, "data.buy"), buy, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(rig_number(&doc, "data.sell"), sell, 1e-12);
    if (reply) bson_destroy(reply);
    reply = run_once(traded, "traded", "AAAUSDT", PT_US_HOUR,
                     RIG_T0 + 110 * PT_US_HOUR); /* nothing after the end */
    rig_result(reply, 0, &doc);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metadata.reasons.buy"), "trades_incomplete");
    if (reply) bson_destroy(reply);

    for (int without = 29; without <= 60;
         without += without == 29 ? 16 : 15) { /* before, inside, after */
        char symbol[] = "HxxUSDT";
        symbol[1] = (char)('0' + without / 10);
        symbol[2] = (char)('0' + without % 10);
        rig_fill(folder, symbol, PT_US_HOUR, 120, 0, 0);
        fill_trades(symbol, without);
        reply = run_once(traded, "traded", symbol, PT_US_HOUR, RIG_T0 + 100 * PT_US_HOUR);
        rig_result(reply, 0, &doc);
        CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metadata.reasons.buy"), "trades_incomplete");
        if (reply) bson_destroy(reply);
    }
    reply = run_once(traded, "traded", "BTCUSDT", PT_US_HOUR, RIG_NEWEST);
    rig_result(reply, 0, &doc);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metadata.reasons.buy"), "no_trades");
    if (reply) bson_destroy(reply);
}

/* ---- walls
 * ------------------------------------------------------------------------------------------------------
 */

/* The window takes far more than the budget to read, and its script next to nothing. */
static void test_reading_a_window_of_its_own_is_not_the_scripts_time(void)
{
    static const char text[] = "return calculator { api = 1, name = 'own', about = 'for a test',\n"
                               " needs = { candles = { span = '200d', period = '1m' } }, outputs = "
                               "{ { 'n', count {} } },\n"
                               " compute = function(w) return { n = w.n } end }";
    struct rig rig = { 0 };
    struct rig_script script = { "own.lua", text };
    struct rig_budget budget = { 5000, 5 * PT_US_SEC, 64 << 20 };
    const char *names[] = { "own", NULL };
    bson_t doc;
    memcpy(rig.folder, folder, sizeof folder);
    rig_start(&rig);
    bson_t *loaded = rig_load(&rig, &budget, &script, 1, NULL, 0);
    bson_t *reply = rig_run(&rig, "LONGUSDT", PT_US_HOUR, RIG_NEWEST, names, NULL);
    rig_result(reply, 0, &doc);
    CU_ASSERT_EQUAL(rig_number(&doc, "data.n"), LONG_BARS);
    if (loaded) bson_destroy(loaded);
    if (reply) bson_destroy(reply);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

static void test_the_door_is_closed_behind_it(void)
{
    char path[64], line[256];
    struct rig_script script = { "probe.lua", probe };
    bson_t *loaded;
    long privileges = -1, filter = -1;
    struct rig rig = start_with(&script, 1, &loaded);
    snprintf(path, sizeof path, "/proc/%d/status", (int)rig.pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, "NoNewPrivs:", 11) == 0) privileges = strtol(line + 11, NULL, 10);
        if (strncmp(line, "Seccomp:", 8) == 0) filter = strtol(line + 8, NULL, 10);
    }
    if (file) fclose(file);
    CU_ASSERT_EQUAL(privileges, 1);
    if (pt_guard_is_partial())
        pt_skip("the system call filter: sanitizers need more of the kernel");
    else
        CU_ASSERT_EQUAL(filter, 2);
    bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

static void test_rubbish_on_the_socket_ends_it(void)
{
    struct rig_script script = { "probe.lua", probe };
    bson_t *loaded;
    struct rig rig = start_with(&script, 1, &loaded);
    CU_ASSERT_EQUAL(send(rig.fd, "\377\377\377\377rubbish", 11, 0), 11);
    bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 1);
}

static void test_memory_of_one_script_is_not_anothers(void)
{
    static const char hoarder[] =
        HEAD("hoarder") " needs = { candles = { span = '1d' } }, outputs = { { 'x', 'none' } },\n"
                        " compute = (function() local kept = {} return function()\n"
                        "  for i = 1, 400000 do kept[#kept + 1] = {} end\n"
                        "  return { x = #kept }\n"
                        " end end)() }";
    const struct rig_script scripts[] = { { "hoarder.lua", hoarder }, { "probe.lua", probe } };
    const char *names[] = { "hoarder", "probe", NULL };
    bson_t *loaded;
    struct rig rig = start_with(scripts, 2, &loaded);
    for (int i = 0; i < 6; i++) {
        bson_t *reply = rig_run(&rig, "AAAUSDT", PT_US_HOUR, RIG_NEWEST, names, NULL);
        bson_t first, second;
        rig_result(reply, 0, &first);
        rig_result(reply, 1, &second);
        /* what it kept is thrown away each time, so it never fills its own limit either */
        CU_ASSERT_EQUAL(rig_number(&first, "data.x"), 400000);
        CU_ASSERT_STRING_EQUAL(rig_text(&second, "status"), "ok");
        if (reply) bson_destroy(reply);
    }
    bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "declarations come back in order", test_declarations_come_back_in_order },
        { "a name belongs to one file", test_a_name_belongs_to_one_file },
        { "a worker without a store says so and ends",
          test_a_worker_without_a_store_says_so_and_ends },
        { "a window holds the span that ends at as_of",
          test_a_window_holds_the_span_that_ends_at_as_of },
        { "a parameter widens the window", test_a_parameter_widens_the_window },
        { "a hole is a gap and one missing return", test_a_hole_is_a_gap_and_one_missing_return },
        { "a window is a range of time", test_a_window_is_a_range_of_time },
        { "too few bars are warming", test_too_few_bars_are_warming },
        { "no bar is empty", test_no_bar_is_empty },
        { "a period that is not stored is built", test_a_period_that_is_not_stored_is_built },
        { "a window is resampled exactly", test_a_window_is_resampled_exactly },
        { "the benchmark stands on our bars", test_the_benchmark_stands_on_our_bars },
        { "a sum that does not fit fails who asks", test_a_sum_that_does_not_fit_fails_who_asks },
        { "the benchmark is never an old one", test_the_benchmark_is_never_an_old_one },
        { "returns of a window are its own", test_returns_of_a_window_are_its_own },
        { "results are handed on within a unit", test_results_are_handed_on_within_a_unit },
        { "a decision table decides, and a dead rule does not load",
          test_a_decision_table_decides_and_a_dead_rule_does_not_load },
        { "a detector tells the newest bar, or the whole window",
          test_a_detector_tells_the_newest_bar_or_the_whole_window },
        { "the same unit gives the same bytes", test_the_same_unit_gives_the_same_bytes },
        { "a script that fails stops no other", test_a_script_that_fails_stops_no_other },
        { "trades count only when they cover the window",
          test_trades_count_only_when_they_cover_the_window },
        { "reading a window of its own is not the script's time",
          test_reading_a_window_of_its_own_is_not_the_scripts_time },
        { "the door is closed behind it", test_the_door_is_closed_behind_it },
        { "rubbish on the socket ends it", test_rubbish_on_the_socket_ends_it },
        { "memory of one script is not another's", test_memory_of_one_script_is_not_anothers },
        CU_TEST_INFO_NULL
    };
    snprintf(folder, sizeof folder, "/tmp/petrosa-worker-XXXXXX");
    if (!mkdtemp(folder)) rig_die("mkdtemp");
    rig_fill(folder, "AAAUSDT", PT_US_HOUR, RIG_BARS, 0, 0);
    rig_fill(folder, "AAAUSDT", PT_US_MIN, 3000, 0, 0);
    rig_fill(folder, "BTCUSDT", PT_US_HOUR, RIG_BARS, 0, 0);
    rig_fill(folder, "HOLEUSDT", PT_US_HOUR, RIG_BARS, 400, 7);
    rig_fill(folder, "TINYUSDT", PT_US_HOUR, 5, 0, 0);
    rig_fill(folder, "LONGUSDT", PT_US_MIN, LONG_BARS, 0, 0);
    int rc = pt_suite_main("test_worker", tests);
    rig_remove(folder);
    return rc;
}
