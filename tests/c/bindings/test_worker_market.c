/* test_worker_market.c - units of the whole market in a real worker. */
#include "rig.h"

#include "data/matrix.h"

static char folder[64]; /* AAAUSDT, BTCUSDT 1h of 300 bars; LATEUSDT 1h of 297; TINYUSDT 1d of 3 */

#define HEAD(name) "return calculator { api = 1, name = '" name "', about = 'for a test',\n"

static const char pair[] = HEAD(
    "pair") " needs = { market = { span = '10d', symbols = 2 } },\n"
            " outputs = { { 'r', matrix { unit = 'ratio' } }, { 'overlap', matrix { unit = 'count' "
            "} }, "
            "{ 'n', count {} }, { 'rows', count {} },\n"
            "  { 'one', 'ratio' }, { 'bench', text {} }, { 'volume', map { keys = 'symbols', unit "
            "= 'base' } } },\n"
            " compute = function(m)\n"
            "  local r, overlap = m:pearson(20)\n"
            "  local volume = {}\n"
            "  for _, s in ipairs(m.symbols) do volume[s] = m:column(s, 'volume'):final() end\n"
            "  return { r = r, overlap = overlap, n = m.n, rows = m.rows, bench = m.benchmark, "
            "volume = volume,\n"
            "   one = (m:log_returns('AAAUSDT'):pearson(m:log_returns('BTCUSDT'))) }\n"
            " end }";

static const char single[] =
    HEAD("single") " needs = { candles = { span = '10h' } }, outputs = { { 'n', count {} } },\n"
                   " compute = function(w) return { n = w.n } end }";

static const char hidden[] = "local key = 'mar' .. 'ket'\n" HEAD(
    "hidden") " needs = { [key] = { span = '10d' } }, outputs = { { 'n', count {} } },\n"
              " compute = function(m) return { n = m.n } end }";

static struct rig start_with(const struct rig_script *scripts, size_t n, bson_t **reply)
{
    struct rig rig;
    memset(&rig, 0, sizeof rig);
    memcpy(rig.folder, folder, sizeof folder);
    rig_start(&rig);
    *reply = rig_load(&rig, &rig_usual, scripts, n, NULL, 0);
    return rig;
}

/* Runs `pair` on a market once; the caller destroys the answer. */
static bson_t *run_market(const char *symbol, int64_t period_us, int64_t as_of_us)
{
    static const struct rig_script scripts[] = { { "pair.lua", pair } };
    static const char *const names[] = { "pair", NULL };
    bson_t *loaded;
    struct rig rig = start_with(scripts, 1, &loaded);
    CU_ASSERT_STRING_EQUAL(rig_text(loaded, "scripts.0.declaration.needs.market.span"), "10d");
    bson_t *reply = rig_run(&rig, symbol, period_us, as_of_us, names, NULL);
    if (loaded) bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
    return reply;
}

static bool matrix_of(const bson_t *doc, const char *path, struct pt_matrix *matrix)
{
    bson_iter_t top, at;
    return bson_iter_init(&top, doc) && bson_iter_find_descendant(&top, path, &at) &&
           pt_matrix_view(&at, matrix);
}

static int64_t as_of_of(const bson_t *doc)
{
    bson_iter_t at;
    return bson_iter_init_find(&at, doc, "as_of") && BSON_ITER_HOLDS_DATE_TIME(&at)
               ? bson_iter_date_time(&at) * 1000
               : -1;
}

static void test_all_symbols_stand_on_one_grid(void)
{
    bson_t doc, *reply = run_market("", PT_US_HOUR, RIG_NEWEST);
    struct pt_matrix r, overlap;
    rig_result(reply, 0, &doc);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "symbol"), "");
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "status"), "gap"); /* LATEUSDT ends 3 bars before */
    CU_ASSERT_EQUAL(as_of_of(&doc), RIG_T0 + 300 * PT_US_HOUR);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "symbols.0"), "AAAUSDT");
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "symbols.2"), "LATEUSDT");
    CU_ASSERT_EQUAL(rig_number(&doc, "data.n"), 3); /* TINYUSDT cannot build hours from days */
    CU_ASSERT_EQUAL(rig_number(&doc, "data.rows"), 240);
    CU_ASSERT_EQUAL(rig_number(&doc, "metadata.missing"), 3);
    CU_ASSERT_EQUAL(rig_number(&doc, "metadata.gaps"), 1);
    CU_ASSERT_DOUBLE_EQUAL(rig_number(&doc, "metadata.completeness"), 100.0 * 717 / 720, 1e-12);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "data.bench"), "BTCUSDT");
    CU_ASSERT_STRING_NOT_EQUAL(rig_text(&doc, "metadata.blas"), "(nothing)");
    CU_ASSERT_TRUE_FATAL(matrix_of(&doc, "data.r", &r) &&
                         matrix_of(&doc, "data.overlap", &overlap));
    CU_ASSERT_EQUAL(r.n, 3);
    CU_ASSERT_DOUBLE_EQUAL(pt_matrix_get(&r, 0, 1), rig_number(&doc, "data.one"), 1e-12);
    CU_ASSERT_EQUAL(pt_matrix_get(&overlap, 0, 1), 239);
    CU_ASSERT_EQUAL(pt_matrix_get(&overlap, 2, 0), 236);
    CU_ASSERT_TRUE(rig_number(&doc, "data.volume.AAAUSDT") > 0);
    if (reply) bson_destroy(reply);
}

static void test_the_same_market_gives_the_same_bytes(void)
{
    bson_t first, second;
    bson_t *a = run_market("", PT_US_HOUR, RIG_NEWEST), *b = run_market("", PT_US_HOUR, RIG_NEWEST);
    rig_result(a, 0, &first);
    rig_result(b, 0, &second);
    CU_ASSERT_TRUE(first.len > 500 && bson_equal(&first, &second));
    if (a) bson_destroy(a);
    if (b) bson_destroy(b);
}

static void test_a_market_of_the_past_knows_nothing_later(void)
{
    bson_t doc, *reply = run_market("", PT_US_HOUR, RIG_T0 + 100 * PT_US_HOUR + 5);
    rig_result(reply, 0, &doc);
    CU_ASSERT_EQUAL(as_of_of(&doc), RIG_T0 + 100 * PT_US_HOUR);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "status"), "ok");
    CU_ASSERT_EQUAL(rig_number(&doc, "metadata.rows"), 100);
    if (reply) bson_destroy(reply);
}

static void test_periods_are_built_and_an_empty_market_is_empty(void)
{
    bson_t doc, *reply = run_market("", 4 * PT_US_HOUR, RIG_NEWEST);
    rig_result(reply, 0, &doc);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metadata.derived_from"), "1h");
    CU_ASSERT_EQUAL(rig_number(&doc, "data.rows"), 60);
    if (reply) bson_destroy(reply);
    reply = run_market("", PT_US_HOUR, RIG_T0);
    rig_result(reply, 0, &doc);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "status"), "empty");
    CU_ASSERT_EQUAL(as_of_of(&doc), -1);
    if (reply) bson_destroy(reply);
    reply = run_market("", PT_US_MIN, RIG_NEWEST);
    rig_result(reply, 0, &doc);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "status"), "empty");
    if (reply) bson_destroy(reply);
}

static void test_a_unit_is_of_a_symbol_or_of_the_market(void)
{
    static const struct rig_script scripts[] = { { "pair.lua", pair }, { "single.lua", single } };
    static const char *const names[] = { "pair", "single", NULL };
    bson_t *loaded, doc;
    struct rig rig = start_with(scripts, 2, &loaded);
    bson_t *reply = rig_run(&rig, "AAAUSDT", PT_US_HOUR, RIG_NEWEST, names, NULL);
    rig_result(reply, 0, &doc);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metadata.error.message"),
                           "is about the whole market, not about one symbol");
    rig_result(reply, 1, &doc);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "status"), "ok");
    if (reply) bson_destroy(reply);
    reply = rig_run(&rig, "", PT_US_HOUR, RIG_NEWEST, names, NULL);
    rig_result(reply, 0, &doc);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "status"), "gap");
    rig_result(reply, 1, &doc);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metadata.error.message"),
                           "is about one symbol, not about the whole market");
    if (reply) bson_destroy(reply);
    if (loaded) bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

static void test_a_market_has_to_be_written_out(void)
{
    static const struct rig_script scripts[] = { { "hidden.lua", hidden } };
    bson_t *loaded;
    struct rig rig = start_with(scripts, 1, &loaded);
    CU_ASSERT_PTR_NOT_NULL(strstr(rig_text(loaded, "scripts.0.error.message"),
                                  "needs.market must be written as it is"));
    if (loaded) bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

static void test_a_damaged_symbol_is_left_out_and_named(void)
{
    rig_chunk(folder, 0, rig_damage); /* AAAUSDT's */
    static const struct rig_script scripts[] = {
        { "pair.lua", "-- market\n" HEAD(
                          "few") " needs = { market = { span = '10d' } }, outputs = { { 'n', count "
                                 "{} } }, compute = function(m) return { n = m.n } end }" }
    };
    static const char *const names[] = { "few", NULL };
    bson_t *loaded, doc;
    struct rig rig = start_with(scripts, 1, &loaded);
    bson_t *reply = rig_run(&rig, "", PT_US_HOUR, RIG_NEWEST, names, NULL);
    rig_result(reply, 0, &doc);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "status"), "gap");
    CU_ASSERT_EQUAL(rig_number(&doc, "data.n"), 2);
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "metadata.damaged.0"), "AAAUSDT");
    CU_ASSERT_STRING_EQUAL(rig_text(&doc, "symbols.0"), "BTCUSDT");
    if (reply) bson_destroy(reply);
    if (loaded) bson_destroy(loaded);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "all symbols stand on one grid", test_all_symbols_stand_on_one_grid },
        { "the same market gives the same bytes", test_the_same_market_gives_the_same_bytes },
        { "a market of the past knows nothing later",
          test_a_market_of_the_past_knows_nothing_later },
        { "periods are built, and an empty market is empty",
          test_periods_are_built_and_an_empty_market_is_empty },
        { "a unit is of a symbol or of the market", test_a_unit_is_of_a_symbol_or_of_the_market },
        { "a market has to be written out", test_a_market_has_to_be_written_out },
        { "a damaged symbol is left out and named", test_a_damaged_symbol_is_left_out_and_named },
        CU_TEST_INFO_NULL
    };
    snprintf(folder, sizeof folder, "/tmp/petrosa-market-XXXXXX");
    if (!mkdtemp(folder)) rig_die("mkdtemp");
    rig_fill(folder, "AAAUSDT", PT_US_HOUR, 300, 0, 0);
    rig_fill(folder, "BTCUSDT", PT_US_HOUR, 300, 0, 0);
    rig_fill(folder, "LATEUSDT", PT_US_HOUR, 297, 0, 0);
    rig_fill(folder, "TINYUSDT", PT_US_DAY, 3, 0, 0);
    int rc = pt_suite_main("test_worker_market", tests);
    rig_remove(folder);
    return rc;
}
