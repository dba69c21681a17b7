/* Windows that move on: rows read for one are used by the next, and nothing of it shows.
 * What a worker gives for windows that follow each other is what another gives for the same ones
 * from the last to the first, which never begin in rows that are there already. */
#include "rig.h"

static char folder[64];

#define STEPS_MAX 400

#define HEAD(name) "return calculator { api = 1, name = '" name "', about = 'for a test',\n"

/* Everything that is kept from window to window: columns, returns, the benchmark and its returns.
 */
static const char wide[] = HEAD(
    "wide") " needs = { candles = { span = '10d', benchmark = true } },\n"
            " outputs = { { 'first', 'quote' }, { 'last', 'quote' }, { 'sum', 'quote' }, { 'n', "
            "count {} }, { 'log', 'none' },\n"
            "  { 'simple', 'none' }, { 'bench', 'quote' }, { 'beta', 'none' }, { 'there', count {} "
            "} },\n"
            " compute = function(w)\n"
            "  local r, s, b = w:log_returns(), w:simple_returns(), w.benchmark\n"
            "  local theirs = b:log_returns()\n"
            "  return { first = w.open:get(1), last = w.close:final(), sum = w.high:mean() + "
            "w.low:mean(), n = w.n,\n"
            "   log = r:square():mean(), simple = s:square():mean(), bench = b.close:mean(), beta "
            "= "
            "r:beta(theirs), there = theirs:count() }\n"
            " end }";
static const char narrow[] =
    HEAD("narrow") " needs = { candles = { span = '20h' } }, outputs = { { 'volume', 'base' }, { "
                   "'r', 'none' } },\n"
                   " compute = function(w) return { volume = w.volume:sum(), r = "
                   "w:log_returns():compact():sum() } end }";
static const struct rig_script scripts[] = { { "wide.lua", wide }, { "narrow.lua", narrow } };
static const char *const both[] = { "wide", "narrow", NULL }, *const small[] = { "narrow", NULL };

struct walk { /* windows of a symbol that end with bar `first`, first + step, ... */
    const char *symbol;
    int64_t period_us;
    const char *const *names;
    int first, step, n;
};

static struct rig start(void)
{
    struct rig rig;
    memset(&rig, 0, sizeof rig);
    memcpy(rig.folder, folder, sizeof folder);
    rig_start(&rig);
    bson_t *loaded = rig_load(&rig, &rig_usual, scripts, 2, NULL, 0);
    if (loaded) bson_destroy(loaded);
    return rig;
}

static bson_t *window(struct rig *rig, const struct walk *walk, int i)
{
    int64_t as_of_us = RIG_T0 + (walk->first + i * walk->step) * walk->period_us;
    return rig_run(rig, walk->symbol, walk->period_us, as_of_us, walk->names, NULL);
}

/* How many of the windows end with this status; -1: they differ between forth and back. */
static int walk_both_ways(const struct walk *walk, const char *status)
{
    static bson_t *forth[STEPS_MAX];
    int found = 0;
    bool same = true;
    struct rig rig = start();
    for (int i = 0; i < walk->n; i++) forth[i] = window(&rig, walk, i);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
    rig = start();
    for (int i = walk->n; i-- > 0;) {
        bson_t *back = window(&rig, walk, i);
        for (int k = 0; walk->names[k]; k++) {
            bson_t a, b;
            rig_result(forth[i], k, &a);
            rig_result(back, k, &b);
            same = same && a.len > 100 && bson_equal(&a, &b);
            if (k == 0) found += strcmp(rig_text(&a, "status"), status) == 0;
        }
        if (back) bson_destroy(back);
        if (forth[i]) bson_destroy(forth[i]);
    }
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
    return same ? found : -1;
}

static void test_stored_bars_are_those_of_the_window(void)
{
    const struct walk walks[] = {
        { "AAAUSDT", PT_US_HOUR, both, 300, 1, 200 },   /* bar by bar */
        { "AAAUSDT", PT_US_HOUR, both, 900, 3, 100 },   /* as one of several workers sees them */
        { "AAAUSDT", PT_US_HOUR, small, 30, 50, 20 },   /* further than what is read ahead */
        { "AAAUSDT", PT_US_HOUR, both, 2300, 2, 60 },   /* to the end, and behind it */
        { "BTCUSDT", PT_US_HOUR, both, 300, 2, 100 },   /* the benchmark itself */
        { "SHORTUSDT", PT_US_HOUR, both, 300, 5, 100 }, /* the benchmark has more bars */
    };
    for (size_t i = 0; i < sizeof walks / sizeof *walks; i++)
        CU_ASSERT_EQUAL(walk_both_ways(&walks[i], "ok"), walks[i].n);
    /* into a hole and out of it */
    const struct walk hole = { "HOLEUSDT", PT_US_HOUR, both, 350, 3, 150 };
    CU_ASSERT(walk_both_ways(&hole, "gap") > 50);
}

static void test_built_bars_are_those_of_the_window(void)
{
    const struct walk walk = { "AAAUSDT", 4 * PT_US_HOUR, both, 100, 1, 150 };
    CU_ASSERT_EQUAL(walk_both_ways(&walk, "ok"), 150);
}

static struct pt_store *open_store(void)
{
    struct pt_store_opts opts = { .path = folder, .max_bytes = 256u << 20 };
    struct pt_store *store = NULL;
    struct pt_err err;
    if (pt_store_open(&opts, &store, &err) != PT_OK) rig_die(err.text);
    return store;
}

/* Another close for the bar that opens at time_us, as an import of corrected data gives it. */
static void correct_close(const char *symbol, int64_t time_us)
{
    struct pt_series_key key = { .kind = PT_CANDLES, .period_us = PT_US_HOUR };
    struct pt_put_stats stats = { 0 };
    struct pt_frame frame;
    struct pt_err err;
    struct pt_read *read = NULL;
    struct pt_write *write = NULL;
    struct pt_store *store = open_store();
    snprintf(key.symbol, sizeof key.symbol, "%s", symbol);
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    if (pt_read_begin(store, &read, &err) != PT_OK ||
        pt_series_read(read, &key, time_us, time_us + 1, 0, &frame, &err) != PT_OK)
        rig_die(err.text);
    pt_read_end(read);
    CU_ASSERT_EQUAL_FATAL(frame.n, 1);
    frame.val[PT_C_CLOSE][0] = frame.val[PT_C_HIGH][0] += 777;
    if (pt_write_begin(store, &write, &err) != PT_OK ||
        pt_write_rows(write, &key, &frame, PT_PUT_CORRECT, &stats, &err) != PT_OK ||
        pt_write_commit(write, &err) != PT_OK)
        rig_die(err.text);
    pt_store_close(store);
    pt_frame_fini(&frame);
    CU_ASSERT_EQUAL(stats.replaced, 1);
}

/* A bar that was read ahead, and one of the benchmark, are corrected before a window has them. */
static void test_a_bar_that_was_read_ahead_is_never_an_old_one(void)
{
    const struct walk walk = { "AAAUSDT", PT_US_HOUR, both, 600, 1, 60 };
    static const char *const symbols[] = { "AAAUSDT", "BTCUSDT" };
    for (size_t s = 0; s < 2; s++) {
        bson_t *forth[60];
        struct rig rig = start();
        for (int i = 0; i < 10; i++) {
            bson_t *before = window(&rig, &walk, i);
            if (before) bson_destroy(before);
        }
        correct_close(symbols[s], RIG_T0 + 625 * PT_US_HOUR);
        for (int i = 10; i < 60; i++) forth[i] = window(&rig, &walk, i);
        CU_ASSERT_EQUAL(rig_end(&rig), 0);
        rig = start();
        for (int i = 59; i >= 10; i--) {
            bson_t a, b, *back = window(&rig, &walk, i);
            rig_result(forth[i], 0, &a);
            rig_result(back, 0, &b);
            CU_ASSERT(a.len > 100 && bson_equal(&a, &b));
            CU_ASSERT_EQUAL(rig_number(&a, "data.n"), 240);
            if (back) bson_destroy(back);
            if (forth[i]) bson_destroy(forth[i]);
        }
        CU_ASSERT_EQUAL(rig_end(&rig), 0);
    }
}

/* Minutes, of which one hour's volume fits no decimal: only windows with that hour fail. */
static void test_a_sum_behind_the_window_fails_nobody(void)
{
    struct pt_series_key key = { .symbol = "WIDEUSDT", .kind = PT_CANDLES, .period_us = PT_US_MIN };
    struct pt_put_stats stats = { 0 };
    struct pt_frame frame;
    struct pt_write *write = NULL;
    struct pt_err err;
    uint64_t seed = 5;
    int64_t price = 5000000;
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    for (int i = 0; i < 100 * 60; i++) {
        rig_push_bar(&frame, RIG_T0 + i * PT_US_MIN, &seed, &price);
        if (i / 60 == 70) frame.val[PT_C_VOLUME][i] = INT64_MAX / 3;
    }
    struct pt_store *store = open_store();
    if (pt_write_begin(store, &write, &err) != PT_OK ||
        pt_write_rows(write, &key, &frame, PT_PUT_CORRECT, &stats, &err) != PT_OK ||
        pt_write_commit(write, &err) != PT_OK)
        rig_die(err.text);
    pt_store_close(store);
    pt_frame_fini(&frame);
    const struct walk walk = { "WIDEUSDT", PT_US_HOUR, small, 30, 1, 70 };
    CU_ASSERT_EQUAL(walk_both_ways(&walk, "error"), 20);
}

/* Percent of the window's rows that are there; -1: there is no value. */
static double there(struct rig *rig, const struct walk *walk, int i)
{
    bson_t result, *reply = window(rig, walk, i);
    rig_result(reply, 0, &result);
    bool ok = strcmp(rig_text(&result, "status"), "ok") == 0;
    double percent = ok ? rig_number(&result, "metadata.completeness") : -1;
    if (reply) bson_destroy(reply);
    return percent;
}

static char taken[2][1 << 16]; /* key and value of a chunk */
static size_t taken_size[2];

static void take_out(MDB_cursor *cursor, MDB_val *key, MDB_val *value)
{
    const MDB_val *both_of_it[] = { key, value };
    for (size_t i = 0; i < 2; i++) {
        taken_size[i] = both_of_it[i]->mv_size;
        CU_ASSERT_FATAL(taken_size[i] <= sizeof taken[i]);
        memcpy(taken[i], both_of_it[i]->mv_data, taken_size[i]);
    }
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_del(cursor, 0), 0);
}

static void put_back(MDB_cursor *cursor, MDB_val *key, MDB_val *value)
{
    *key = (MDB_val){ taken_size[0], taken[0] };
    *value = (MDB_val){ taken_size[1], taken[1] };
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_put(cursor, key, value, 0), 0);
}

/* A worker that has the rows of a window does not read them again: that a chunk of theirs, not that
 * of the newest one, has gone since is seen by those only who come later. */
static void test_rows_that_are_there_are_not_read_again(void)
{
    const struct walk walks[] = { { "AAAUSDT", PT_US_HOUR, small, 1030, 1, 0 },
                                  { "AAAUSDT", 4 * PT_US_HOUR, small, 258, 1, 0 } };
    for (size_t k = 0; k < 2; k++) {
        struct rig rig = start(), late = start();
        /* the second window begins in the rows of the first: it reads ahead */
        for (int i = 0; i < 2; i++) CU_ASSERT_EQUAL(there(&rig, &walks[k], i), 100);
        rig_chunk(folder, 0, take_out);
        for (int i = 1; i < 3; i++) CU_ASSERT_EQUAL(there(&rig, &walks[k], i), 100);
        double left = there(&late, &walks[k], 1);
        CU_ASSERT(left > 0 && left < 100);
        rig_chunk(folder, 0, put_back);
        CU_ASSERT_EQUAL(rig_end(&rig), 0);
        CU_ASSERT_EQUAL(rig_end(&late), 0);
    }
}

/* Windows that lie before a chunk that is damaged know nothing of it. Comes last. */
static void test_damage_behind_the_window_fails_nobody(void)
{
    rig_chunk(folder, 1, rig_damage); /* of AAAUSDT, from bar 1024 on */
    const struct walk walk = { "AAAUSDT", PT_US_HOUR, both, 640, 1, 384 };
    CU_ASSERT_EQUAL(walk_both_ways(&walk, "ok"), 384);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "stored bars are those of the window", test_stored_bars_are_those_of_the_window },
        { "built bars are those of the window", test_built_bars_are_those_of_the_window },
        { "a bar that was read ahead is never an old one",
          test_a_bar_that_was_read_ahead_is_never_an_old_one },
        { "rows that are there are not read again", test_rows_that_are_there_are_not_read_again },
        { "a sum behind the window fails nobody", test_a_sum_behind_the_window_fails_nobody },
        { "damage behind the window fails nobody", test_damage_behind_the_window_fails_nobody },
        CU_TEST_INFO_NULL
    };
    snprintf(folder, sizeof folder, "/tmp/petrosa-windows-XXXXXX");
    if (!mkdtemp(folder)) rig_die("mkdtemp");
    rig_fill(folder, "AAAUSDT", PT_US_HOUR, RIG_BARS, 0, 0);
    rig_fill(folder, "BTCUSDT", PT_US_HOUR, RIG_BARS, 0, 0);
    rig_fill(folder, "HOLEUSDT", PT_US_HOUR, RIG_BARS, 500, 7);
    rig_fill(folder, "SHORTUSDT", PT_US_HOUR, 900, 0, 0);
    int rc = pt_suite_main("test_windows", tests);
    rig_remove(folder);
    return rc;
}
