/* test_built.c - bars built chunk by chunk are those of all rows at once. */
#include "raw.h"

#include "data/resample.h"
#include "store/bars.h"
#include "store/chunk.h"

enum { ROWS = 7000 };

static uint64_t seed;

static uint64_t below(uint64_t n)
{
    return kit_random(&seed) % n;
}

/* Minutes with amounts of all sorts: digits that vary from value to value (varying) or from one day
 * to the next, amounts that are missing, holes and open minutes (one in `hole` each, 0 = none). */
static void make_minutes(struct pt_frame *frame, int64_t start_us, bool varying, uint64_t hole)
{
    bool taker = below(2) == 0;
    for (int64_t i = 0; i < ROWS; i++) {
        int64_t p = 1000 + (int64_t)below(90), open = p + (int64_t)below(9);
        int64_t v = (int64_t)below(1000000), q = (int64_t)below(1000000000000);
        int64_t t = below(5000) == 0 || !taker ? PT_MISSING : v / 3;
        int64_t closed = hole == 0 || below(hole) != 0;
        int64_t val[] = { start_us + i * PT_US_MIN, open, p + 9, p - 9, p, v, q,
                          (int64_t)below(300),      t,    q / 2, closed };
        uint8_t dig[PT_CELLS_MAX] = { 0, 2, 2, 2, 2, 3, 5, 0, 3, 5, 0 };
        for (unsigned c = PT_C_OPEN; c < PT_C_CLOSED; c++) {
            if (c != PT_C_TRADES && (varying ? below(2) == 0 : i / 1440 % 2 == 1)) dig[c]++;
        }
        if (hole > 0 && below(hole) == 0) continue;
        OK(pt_frame_push(frame, val, dig));
    }
}

/* Chunks, and behind them single rows as they come live. */
static void put_minutes(struct pt_store *store, const struct pt_frame *all)
{
    struct pt_series_key key = kit_key(PT_CANDLES, "BTCUSDT", PT_US_MIN);
    struct pt_frame part;
    size_t live = below(400);
    pt_frame_init(&part, all->kind);
    OK(pt_frame_append(&part, all, 0, all->n - live));
    kit_write(store, &key, &part, PT_PUT_CORRECT);
    pt_frame_clear(&part);
    OK(pt_frame_append(&part, all, all->n - live, live));
    kit_write(store, &key, &part, PT_PUT_LIVE);
    pt_frame_fini(&part);
}

/* The bars of `all` that open in [from, to), with the columns asked for. */
static void expect(const struct pt_frame *all, int64_t period, int64_t from, int64_t to,
                   uint32_t cols, struct pt_frame *out)
{
    struct pt_frame big;
    pt_frame_init(&big, all->kind);
    OK(pt_resample(all, PT_US_MIN, period, &big, &kit_err));
    pt_frame_clear(out);
    for (size_t i = 0; i < big.n; i++) {
        if (big.val[0][i] < from || big.val[0][i] >= to) continue;
        OK(pt_frame_append(out, &big, i, 1));
        for (unsigned c = 1; c < big.kind->ncols && cols != 0; c++) {
            if ((cols >> c & 1) == 0) out->val[c][out->n - 1] = PT_MISSING;
        }
    }
    pt_frame_fini(&big);
}

static void check_window(struct pt_store *store, const struct pt_frame *all, int64_t period)
{
    struct pt_frame want, got;
    struct pt_read *read;
    int64_t close_us, span = all->val[0][all->n - 1] - all->val[0][0];
    int64_t from = all->val[0][0] - PT_US_DAY + (int64_t)below((uint64_t)span);
    int64_t to = from + (int64_t)below((uint64_t)span + 2 * PT_US_DAY);
    uint32_t cols = below(2) == 0 ? 0 : (uint32_t)below(1u << 11);
    if (below(3) == 0) from = INT64_MIN;
    if (below(3) == 0) to = INT64_MAX;
    pt_frame_init(&want, all->kind);
    pt_frame_init(&got, all->kind);
    expect(all, period, from, to, cols, &want);
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_bars_read(read, "BTCUSDT", period, from, to, cols, &got, NULL, &kit_err));
    CU_ASSERT(kit_same(&want, &got));
    /* the last bar that ends at or before `to` */
    expect(all, period, INT64_MIN, to == INT64_MAX ? to : to - period + 1, 0, &want);
    int64_t last_us = want.n > 0 ? want.val[0][want.n - 1] + period : PT_MISSING;
    OK(pt_bars_last_close(read, "BTCUSDT", period, to, &close_us, &kit_err));
    CU_ASSERT_EQUAL(close_us, last_us);
    pt_read_end(read);
    pt_frame_fini(&want);
    pt_frame_fini(&got);
}

static void check_store(bool varying, uint64_t hole)
{
    static const int64_t periods[] = { 3 * PT_US_MIN, 15 * PT_US_MIN, PT_US_HOUR, 4 * PT_US_HOUR,
                                       PT_US_DAY };
    const char *path = kit_folder();
    struct pt_store *store = kit_open(path);
    struct pt_frame all;
    pt_frame_init(&all, pt_kind(PT_CANDLES));
    make_minutes(&all, T0 + (int64_t)below(2000) * PT_US_MIN, varying, hole);
    put_minutes(store, &all);
    for (int i = 0; i < 40; i++) check_window(store, &all, periods[i % 5]);
    pt_frame_fini(&all);
    pt_store_close(store);
    kit_remove(path);
}

static void test_the_same_digits(void)
{
    seed = 1;
    check_store(false, 0);
    check_store(false, 500);
}

static void test_digits_that_vary(void)
{
    seed = 2;
    check_store(true, 0);
    check_store(true, 500);
}

/* ---- faults -----------------------------------------------------------------------------------
 */

static int64_t damaged_us; /* first time of the chunk that was damaged */

/* Turns the last bit of the fourth chunk: in a column that is not the time. */
static void damage(MDB_cursor *cursor)
{
    MDB_val key, value;
    static uint8_t copy[PT_CHUNK_BYTES_MAX];
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL_FATAL(mdb_cursor_get(cursor, &key, &value, i ? MDB_NEXT : MDB_FIRST), 0);
    uint64_t t = 0;
    for (int i = 0; i < 8; i++) t = t << 8 | ((uint8_t *)key.mv_data)[4 + i];
    damaged_us = (int64_t)(t ^ UINT64_C(1) << 63);
    memcpy(copy, value.mv_data, value.mv_size);
    copy[value.mv_size - 1] ^= 1;
    value.mv_data = copy;
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_put(cursor, &key, &value, MDB_CURRENT), 0);
}

static void test_bars_before_the_damage_are_given(void)
{
    const char *path = kit_folder();
    struct pt_store *store = kit_open(path);
    struct pt_frame all, want, got;
    struct pt_read *read;
    pt_frame_init(&all, pt_kind(PT_CANDLES));
    pt_frame_init(&want, pt_kind(PT_CANDLES));
    pt_frame_init(&got, pt_kind(PT_CANDLES));
    seed = 3;
    make_minutes(&all, T0, true, 0);
    put_minutes(store, &all);
    pt_store_close(store);
    raw(path, "chunks", damage);
    store = kit_open(path);

    OK(pt_read_begin(store, &read, &kit_err));
    CU_ASSERT_EQUAL(pt_bars_read(read, "BTCUSDT", PT_US_HOUR, INT64_MIN, INT64_MAX, 0, &got, NULL,
                                 &kit_err),
                    PT_EDAMAGE);
    expect(&all, PT_US_HOUR, INT64_MIN, pt_period_floor(PT_US_HOUR, damaged_us), 0, &want);
    CU_ASSERT(want.n > 10);
    CU_ASSERT(kit_same(&want, &got));
    /* a column that is whole can still be read from all of them */
    pt_frame_clear(&got);
    OK(pt_bars_read(read, "BTCUSDT", PT_US_HOUR, INT64_MIN, INT64_MAX, 1u << PT_C_CLOSE, &got, NULL,
                    &kit_err));
    expect(&all, PT_US_HOUR, INT64_MIN, INT64_MAX, 1u << PT_C_CLOSE, &want);
    CU_ASSERT(kit_same(&want, &got));
    pt_read_end(read);
    pt_frame_fini(&all);
    pt_frame_fini(&want);
    pt_frame_fini(&got);
    pt_store_close(store);
    kit_remove(path);
}

static void test_a_sum_that_does_not_fit_appends_nothing(void)
{
    const char *path = kit_folder();
    struct pt_store *store = kit_open(path);
    struct pt_frame all, got;
    struct pt_read *read;
    pt_frame_init(&all, pt_kind(PT_CANDLES));
    pt_frame_init(&got, pt_kind(PT_CANDLES));
    seed = 4;
    make_minutes(&all, T0, false, 0);
    for (size_t i = 3000; i < 3060; i++) all.val[PT_C_QUOTE_VOLUME][i] = INT64_MAX - 8;
    put_minutes(store, &all);
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_bars_read(read, "BTCUSDT", PT_US_HOUR, T0, T0 + PT_US_HOUR, 0, &got, NULL, &kit_err));
    CU_ASSERT_EQUAL(got.n, 1);
    CU_ASSERT_EQUAL(pt_bars_read(read, "BTCUSDT", PT_US_HOUR, INT64_MIN, INT64_MAX, 0, &got, NULL,
                                 &kit_err),
                    PT_ERANGE);
    CU_ASSERT_EQUAL(got.n, 1);
    OK(pt_bars_read(read, "BTCUSDT", PT_US_HOUR, INT64_MIN, INT64_MAX, 1u << PT_C_VOLUME, &got,
                    NULL, &kit_err));
    CU_ASSERT_EQUAL(got.n, 1 + ROWS / 60);
    pt_read_end(read);
    pt_frame_fini(&all);
    pt_frame_fini(&got);
    pt_store_close(store);
    kit_remove(path);
}

static CU_TestInfo tests[] = {
    { "the same digits", test_the_same_digits },
    { "digits that vary", test_digits_that_vary },
    { "bars before the damage are given", test_bars_before_the_damage_are_given },
    { "a sum that does not fit appends nothing", test_a_sum_that_does_not_fit_appends_nothing },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("store/built bars", tests);
}
