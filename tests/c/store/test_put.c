/* test_put.c - what writing rows does, and what it leaves alone. */
#include "kit.h"

#include "store/retention.h"

/* One candle, closed or not, with a close price. */
static void push_candle(struct pt_frame *frame, int64_t open_us, int64_t close, bool closed)
{
    int64_t val[] = {
        open_us, 100, 300, 50, close, 7, PT_MISSING, 3, PT_MISSING, PT_MISSING, closed
    };
    uint8_t dig[PT_CELLS_MAX] = { 0, 2, 2, 2, 2, 3, 0, 0, 0, 0, 0 };
    if (pt_frame_push(frame, val, dig) != PT_OK) abort();
}

struct bench {
    char *path;
    struct pt_store *store;
    struct pt_series_key key;
    struct pt_frame in, out;
};

static void setup(struct bench *b, enum pt_kind_id kind)
{
    b->path = kit_folder();
    b->store = kit_open(b->path);
    b->key = kit_key(kind, "BTCUSDT", kind == PT_CANDLES ? PT_US_MIN : 0);
    pt_frame_init(&b->in, pt_kind(kind));
    pt_frame_init(&b->out, pt_kind(kind));
}

static void teardown(struct bench *b)
{
    pt_store_close(b->store);
    pt_frame_fini(&b->in);
    pt_frame_fini(&b->out);
    kit_remove(b->path);
}

static struct pt_series find(struct bench *b)
{
    struct pt_read *read;
    struct pt_series series = { .rows = 0 };
    OK(pt_read_begin(b->store, &read, &kit_err));
    OK(pt_series_find(read, &b->key, &series, &kit_err));
    pt_read_end(read);
    return series;
}

static void test_rows_come_back_with_their_digits(void)
{
    for (int k = 0; k < PT_KINDS; k++) {
        struct bench b;
        setup(&b, (enum pt_kind_id)k);
        for (int i = 0; i < 3000; i++) kit_push(&b.in, T0 + i * PT_US_MIN, i, (uint64_t)i);
        struct pt_put_stats stats = kit_write(b.store, &b.key, &b.in, PT_PUT_CORRECT);
        CU_ASSERT_EQUAL(stats.inserted, 3000);
        kit_read(b.store, &b.key, INT64_MIN, INT64_MAX, &b.out);
        CU_ASSERT_TRUE(kit_same(&b.in, &b.out));
        teardown(&b);
    }
}

static void test_mixed_digits_and_dropped_zeros_stay(void)
{
    struct bench b;
    setup(&b, PT_FUNDING);
    /* 29278.4, 29278.41, 50000.00, 11048002942.1400000000 */
    int64_t mantissa[] = { 292784, 2927841, 5000000, 1104800294214 };
    uint8_t digits[] = { pt_digits(1, 0), pt_digits(2, 0), pt_digits(2, 0), pt_digits(2, 7) };
    const char *text[] = { "29278.4", "29278.41", "50000.00", "11048002942.140000000" };
    for (int i = 0; i < 400; i++) {
        int64_t val[] = { T0 + i, 1, mantissa[i % 4] };
        uint8_t dig[] = { 0, 0, digits[i % 4] };
        OK(pt_frame_push(&b.in, val, dig));
    }
    kit_write(b.store, &b.key, &b.in, PT_PUT_CORRECT);
    kit_read(b.store, &b.key, INT64_MIN, INT64_MAX, &b.out);
    CU_ASSERT_EQUAL_FATAL(b.out.n, 400);
    for (size_t i = 0; i < 400; i++) {
        char out[PT_DEC_TEXT_MAX];
        pt_dec_print(b.out.val[2][i], b.out.dig[2][i], out);
        CU_ASSERT_STRING_EQUAL(out, text[i % 4]);
    }
    teardown(&b);
}

static void test_a_closed_candle_is_frozen_when_live(void)
{
    struct bench b;
    setup(&b, PT_CANDLES);
    for (int bulk = 0; bulk < 2; bulk++) { /* in the tail, then in a chunk */
        pt_frame_clear(&b.in);
        for (int i = 0; i < (bulk ? 500 : 3); i++)
            push_candle(&b.in, T0 + (bulk * 1000 + i) * PT_US_MIN, 200, true);
        int64_t t = b.in.val[0][1];
        kit_write(b.store, &b.key, &b.in, PT_PUT_LIVE);
        uint64_t version = find(&b).version, commit = pt_store_commit_id(b.store);

        pt_frame_clear(&b.in);
        push_candle(&b.in, t, 222, true);
        struct pt_put_stats stats = kit_write(b.store, &b.key, &b.in, PT_PUT_LIVE);
        CU_ASSERT_EQUAL(stats.frozen, 1);
        CU_ASSERT_EQUAL(stats.replaced, 0);
        pt_frame_clear(&b.in);
        push_candle(&b.in, t, 222, false); /* nor does an open one take its place */
        stats = kit_write(b.store, &b.key, &b.in, PT_PUT_LIVE);
        CU_ASSERT_EQUAL(stats.frozen, 1);
        CU_ASSERT_EQUAL(find(&b).version, version);
        CU_ASSERT_EQUAL(pt_store_commit_id(b.store), commit);

        pt_frame_clear(&b.in);
        push_candle(&b.in, t, 222, true);
        stats = kit_write(b.store, &b.key, &b.in, PT_PUT_CORRECT);
        CU_ASSERT_EQUAL(stats.replaced, 1);
        CU_ASSERT_EQUAL(find(&b).version, version + 1);
        kit_read(b.store, &b.key, t, t + 1, &b.out);
        CU_ASSERT_EQUAL_FATAL(b.out.n, 1);
        CU_ASSERT_EQUAL(b.out.val[PT_C_CLOSE][0], 222);
    }
    teardown(&b);
}

static void test_an_open_candle_grows_until_it_is_closed(void)
{
    struct bench b;
    setup(&b, PT_CANDLES);
    for (int i = 0; i < 400; i++) {
        for (int update = 0; update < 3; update++) {
            pt_frame_clear(&b.in);
            push_candle(&b.in, T0 + i * PT_US_MIN, i * 10 + update, update == 2);
            struct pt_put_stats stats = kit_write(b.store, &b.key, &b.in, PT_PUT_LIVE);
            CU_ASSERT_EQUAL(stats.inserted, update == 0);
            CU_ASSERT_EQUAL(stats.replaced, update > 0);
        }
    }
    kit_read(b.store, &b.key, INT64_MIN, INT64_MAX, &b.out);
    CU_ASSERT_EQUAL_FATAL(b.out.n, 400);
    for (int i = 0; i < 400; i++) CU_ASSERT_EQUAL(b.out.val[PT_C_CLOSE][i], i * 10 + 2);
    teardown(&b);
}

/* What windows can see is told apart from what they cannot: how far it goes, and which commit
 * changed what was there. */
static void test_a_growing_candle_is_not_seen(void)
{
    struct bench b;
    setup(&b, PT_CANDLES);
    static const struct {
        int minute, close;
        bool closed, correct;
        int newest; /* closed by then */
        bool corrects;
    } steps[] = {
        { 0, 1, true, false, 0, false },  /* a closed bar */
        { 1, 2, false, false, 0, false }, /* the next one begins */
        { 1, 3, false, false, 0, false }, /* and grows */
        { 1, 4, true, false, 1, false },  /* and is closed */
        { 1, 5, true, false, 1, false },  /* which is what it stays, */
        { 1, 5, true, true, 1, true },    /* but for a correction */
        { 3, 6, false, false, 1, false },
        { 3, 6, true, false, 3, false },
        { 2, 7, false, false, 3, false },
        { 2, 7, true, false, 3, true }, /* closed late */
        { 3, 6, false, true, 3, true }, /* opened again, */
        { 3, 6, true, true, 3, true },  /* and closed */
        { 0, 7, false, true, 3, true },
        { 4, 8, true, false, 4, false },
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct pt_series before = { .corrected = 0 };
        if (i > 0) before = find(&b);
        pt_frame_clear(&b.in);
        push_candle(&b.in, T0 + steps[i].minute * PT_US_MIN, steps[i].close, steps[i].closed);
        kit_write(b.store, &b.key, &b.in, steps[i].correct ? PT_PUT_CORRECT : PT_PUT_LIVE);
        struct pt_series after = find(&b);
        CU_ASSERT_EQUAL(after.closed_us, T0 + steps[i].newest * PT_US_MIN);
        CU_ASSERT_EQUAL(after.corrected, steps[i].corrects ? after.version : before.corrected);
        CU_ASSERT_EQUAL(after.corrected > before.corrected, steps[i].corrects);
    }
    struct pt_series before = find(&b);
    struct pt_write *write;
    uint64_t removed;
    for (int i = 0; i < 2; i++) { /* some, then all */
        OK(pt_write_begin(b.store, &write, &kit_err));
        OK(pt_write_expire(write, &b.key, T0 + (i ? 9 : 1) * PT_US_MIN, &removed, &kit_err));
        OK(pt_write_commit(write, &kit_err));
        CU_ASSERT(removed > 0);
        CU_ASSERT_EQUAL(find(&b).corrected, before.version + 1 + (uint64_t)i);
    }
    CU_ASSERT_EQUAL(find(&b).rows, 0);
    pt_frame_clear(&b.in); /* older than what there was */
    push_candle(&b.in, T0 + 2 * PT_US_MIN, 9, true);
    kit_write(b.store, &b.key, &b.in, PT_PUT_LIVE);
    CU_ASSERT_EQUAL(find(&b).corrected, before.version + 3);
    teardown(&b);
}

static void test_rows_of_other_kinds_are_seen_at_once(void)
{
    struct bench b;
    setup(&b, PT_TRADES);
    static const struct {
        int second, id;
        bool corrects;
    } steps[] = { { 0, 1, false }, { 1, 2, false }, { 1, 3, false },
                  { 1, 1, true },  { 0, 9, true },  { 2, 4, false } };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct pt_series before = { .corrected = 0 };
        if (i > 0) before = find(&b);
        pt_frame_clear(&b.in);
        kit_push(&b.in, T0 + steps[i].second * PT_US_SEC, steps[i].id, (uint64_t)steps[i].id);
        kit_write(b.store, &b.key, &b.in, PT_PUT_LIVE);
        struct pt_series after = find(&b);
        CU_ASSERT_EQUAL(after.closed_us, after.last_us);
        CU_ASSERT_EQUAL(after.corrected, steps[i].corrects ? after.version : before.corrected);
    }
    teardown(&b);
}

static void test_the_same_rows_change_nothing(void)
{
    struct bench b;
    setup(&b, PT_TRADES);
    for (int i = 0; i < 5000; i++) kit_push(&b.in, T0 + i * 1000, i, (uint64_t)i);
    kit_write(b.store, &b.key, &b.in, PT_PUT_CORRECT);
    struct pt_series before = find(&b);
    uint64_t commit = pt_store_commit_id(b.store);
    struct pt_put_stats stats = kit_write(b.store, &b.key, &b.in, PT_PUT_CORRECT);
    struct pt_series after = find(&b);
    CU_ASSERT_EQUAL(stats.unchanged, 5000);
    CU_ASSERT_EQUAL(memcmp(&before, &after, sizeof before), 0);
    CU_ASSERT_EQUAL(pt_store_commit_id(b.store), commit);
    teardown(&b);
}

static void test_a_late_row_finds_its_place_anywhere(void)
{
    struct bench b;
    setup(&b, PT_CANDLES);
    struct pt_frame all;
    pt_frame_init(&all, b.in.kind);
    enum { N = 1500 };
    for (int i = 0; i < N; i++) { /* every second minute */
        push_candle(&b.in, T0 + 2 * i * PT_US_MIN, i, true);
        push_candle(&all, T0 + 2 * i * PT_US_MIN, i, true);
    }
    kit_write(b.store, &b.key, &b.in, PT_PUT_LIVE);
    for (int i = -1; i < N;
         i += 1 + i % 7 * (i > 0)) { /* before the first, between, behind the last */
        pt_frame_clear(&b.in);
        push_candle(&b.in, T0 + (2 * i + 1) * PT_US_MIN, 10000 + i, true);
        push_candle(&all, T0 + (2 * i + 1) * PT_US_MIN, 10000 + i, true);
        struct pt_put_stats stats = kit_write(b.store, &b.key, &b.in, PT_PUT_LIVE);
        CU_ASSERT_EQUAL(stats.inserted, 1);
    }
    OK(pt_frame_sort(&all));
    kit_read(b.store, &b.key, INT64_MIN, INT64_MAX, &b.out);
    CU_ASSERT_TRUE(kit_same(&all, &b.out));
    CU_ASSERT_EQUAL(find(&b).rows, all.n);
    struct pt_verify sums;
    OK(pt_store_verify(b.store, NULL, NULL, &sums, &kit_err));
    pt_frame_fini(&all);
    teardown(&b);
}

static void test_columns_not_asked_for_are_missing(void)
{
    struct bench b;
    struct pt_read *read;
    setup(&b, PT_TRADES);
    for (int i = 0; i < 300; i++) kit_push(&b.in, T0 + i * 1000, i, (uint64_t)i);
    kit_write(b.store, &b.key, &b.in, PT_PUT_CORRECT); /* chunks and tail */
    OK(pt_read_begin(b.store, &read, &kit_err));
    OK(pt_series_read(read, &b.key, INT64_MIN, INT64_MAX, 1u << PT_T_PRICE, &b.out, &kit_err));
    pt_read_end(read);
    CU_ASSERT_EQUAL_FATAL(b.out.n, 300);
    for (size_t i = 0; i < 300; i++) {
        CU_ASSERT_EQUAL(b.out.val[PT_T_TIME][i], b.in.val[PT_T_TIME][i]);
        CU_ASSERT_EQUAL(b.out.val[PT_T_PRICE][i], b.in.val[PT_T_PRICE][i]);
        CU_ASSERT_EQUAL(b.out.val[PT_T_ID][i], PT_MISSING);
        CU_ASSERT_EQUAL(b.out.val[PT_T_QUANTITY][i], PT_MISSING);
    }
    teardown(&b);
}

static void test_bad_batches_change_nothing(void)
{
    struct bench b;
    struct pt_write *write;
    struct pt_put_stats stats = { 0, 0, 0, 0 };
    setup(&b, PT_TRADES);
    uint64_t commit = pt_store_commit_id(b.store);
    OK(pt_write_begin(b.store, &write, &kit_err));
    kit_push(&b.in, T0, 5, 1);
    kit_push(&b.in, T0, 4, 1);
    CU_ASSERT_EQUAL(pt_write_rows(write, &b.key, &b.in, PT_PUT_LIVE, &stats, &kit_err), PT_EINVAL);
    pt_frame_clear(&b.in);
    kit_push(&b.in, PT_MISSING, 4, 1);
    CU_ASSERT_EQUAL(pt_write_rows(write, &b.key, &b.in, PT_PUT_LIVE, &stats, &kit_err), PT_EINVAL);
    pt_frame_clear(&b.in);
    kit_push(&b.in, T0, 4, 1);
    struct pt_series_key key = kit_key(PT_TRADES, "btc/usdt", 0);
    CU_ASSERT_EQUAL(pt_write_rows(write, &key, &b.in, PT_PUT_LIVE, &stats, &kit_err), PT_EINVAL);
    key = kit_key(PT_DEPTH, "BTCUSDT", 0);
    CU_ASSERT_EQUAL(pt_write_rows(write, &key, &b.in, PT_PUT_LIVE, &stats, &kit_err), PT_EINVAL);
    OK(pt_write_commit(write, &kit_err));
    CU_ASSERT_EQUAL(stats.inserted, 0);
    CU_ASSERT_EQUAL(pt_store_commit_id(b.store), commit);
    teardown(&b);
}

static void test_an_aborted_write_leaves_no_trace(void)
{
    struct bench b;
    struct pt_write *write;
    struct pt_read *read;
    struct pt_series series;
    struct pt_put_stats stats = { 0, 0, 0, 0 };
    setup(&b, PT_TRADES);
    for (int i = 0; i < 3000; i++) kit_push(&b.in, T0 + i * 1000, i, (uint64_t)i);
    OK(pt_write_begin(b.store, &write, &kit_err));
    OK(pt_write_rows(write, &b.key, &b.in, PT_PUT_LIVE, &stats, &kit_err));
    pt_write_abort(write);
    OK(pt_read_begin(b.store, &read, &kit_err));
    CU_ASSERT_EQUAL(pt_series_find(read, &b.key, &series, &kit_err), PT_ENOENT);
    pt_read_end(read);
    teardown(&b);
}

/* ---- due marks ---------------------------------------------------------------------------- */

static bool take_due(void *arg, const struct pt_due *due)
{
    *(struct pt_due *)arg = *due;
    return true;
}

static struct pt_due due_of(struct bench *b)
{
    struct pt_due due = { .mark = 0 };
    struct pt_read *read;
    OK(pt_read_begin(b->store, &read, &kit_err));
    OK(pt_due_each(read, take_due, &due, &kit_err));
    pt_read_end(read);
    return due;
}

static void done(struct bench *b, const struct pt_due *due)
{
    struct pt_write *write;
    OK(pt_write_begin(b->store, &write, &kit_err));
    OK(pt_write_due_done(write, due, &kit_err));
    OK(pt_write_commit(write, &kit_err));
}

static void test_closed_rows_make_their_range_due(void)
{
    struct bench b;
    setup(&b, PT_CANDLES);
    push_candle(&b.in, T0, 1, false);
    kit_write(b.store, &b.key, &b.in, PT_PUT_LIVE);
    CU_ASSERT_EQUAL(due_of(&b).mark, 0); /* a growing candle is no news */

    pt_frame_clear(&b.in);
    push_candle(&b.in, T0, 1, true);
    push_candle(&b.in, T0 + PT_US_MIN, 1, true);
    push_candle(&b.in, T0 + 2 * PT_US_MIN, 1, false);
    kit_write(b.store, &b.key, &b.in, PT_PUT_LIVE);
    struct pt_due first = due_of(&b);
    CU_ASSERT_NOT_EQUAL(first.mark, 0);
    CU_ASSERT_EQUAL(first.from_us, T0);
    CU_ASSERT_EQUAL(first.to_us, T0 + PT_US_MIN);
    CU_ASSERT_STRING_EQUAL(first.key.symbol, "BTCUSDT");
    CU_ASSERT_EQUAL(first.key.period_us, PT_US_MIN);

    pt_frame_clear(&b.in); /* changed while it was computed: "done" must not clear it */
    push_candle(&b.in, T0 + 3 * PT_US_MIN, 1, true);
    kit_write(b.store, &b.key, &b.in, PT_PUT_LIVE);
    done(&b, &first);
    struct pt_due second = due_of(&b);
    CU_ASSERT_TRUE(second.mark > first.mark);
    CU_ASSERT_EQUAL(second.from_us, T0);
    CU_ASSERT_EQUAL(second.to_us, T0 + 3 * PT_US_MIN);
    done(&b, &second);
    CU_ASSERT_EQUAL(due_of(&b).mark, 0);

    kit_write(b.store, &b.key, &b.in, PT_PUT_LIVE); /* the same again: nothing is due */
    CU_ASSERT_EQUAL(due_of(&b).mark, 0);
    teardown(&b);
}

/* ---- retention ---------------------------------------------------------------------------- */

static void test_old_rows_leave_by_rule(void)
{
    struct bench b;
    struct pt_retention rules[2];
    struct pt_expired expired = { .rows = 0 };
    setup(&b, PT_CANDLES);
    struct pt_series_key hours = kit_key(PT_CANDLES, "BTCUSDT", PT_US_HOUR);
    for (int i = 0; i < 5000; i++) push_candle(&b.in, T0 + i * PT_US_MIN, 1, true);
    kit_write(b.store, &b.key, &b.in, PT_PUT_LIVE);
    kit_write(b.store, &hours, &b.in, PT_PUT_LIVE);
    OK(pt_retention_parse("candles/1m=1d", &rules[0], &kit_err));
    OK(pt_retention_parse("candles=2d", &rules[1], &kit_err));
    int64_t now = T0 + 5000 * PT_US_MIN;
    OK(pt_retention_run(b.store, rules, 2, now, &expired, &kit_err));
    CU_ASSERT_EQUAL(expired.rows, 5000 - 1440 + 5000 - 2880);
    kit_read(b.store, &b.key, INT64_MIN, INT64_MAX, &b.out);
    CU_ASSERT_EQUAL_FATAL(b.out.n, 1440);
    CU_ASSERT_EQUAL(b.out.val[0][0], now - PT_US_DAY);
    kit_read(b.store, &hours, INT64_MIN, INT64_MAX, &b.out);
    CU_ASSERT_EQUAL(b.out.n, 2880);
    expired.rows = 0;
    OK(pt_retention_run(b.store, rules, 2, now, &expired, &kit_err));
    CU_ASSERT_EQUAL(expired.rows, 0);
    struct pt_verify sums;
    OK(pt_store_verify(b.store, NULL, NULL, &sums, &kit_err));
    teardown(&b);
}

static void test_bad_rules_are_named(void)
{
    static const char *const bad[] = { "candles",       "=90d",
                                       "quotes=9d",     "trades/1m=9d",
                                       "candles/7m=9d", "candles=ninety",
                                       "trades=",       "" };
    struct pt_retention rule;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CU_ASSERT_EQUAL(pt_retention_parse(bad[i], &rule, &kit_err), PT_EINVAL);
        CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, bad[i]));
    }
}

static CU_TestInfo tests[] = {
    { "rows of every kind come back with their digits", test_rows_come_back_with_their_digits },
    { "mixed digits and dropped zeros stay", test_mixed_digits_and_dropped_zeros_stay },
    { "a closed candle is frozen when live", test_a_closed_candle_is_frozen_when_live },
    { "an open candle grows until it is closed", test_an_open_candle_grows_until_it_is_closed },
    { "a growing candle is not seen", test_a_growing_candle_is_not_seen },
    { "rows of other kinds are seen at once", test_rows_of_other_kinds_are_seen_at_once },
    { "the same rows change nothing", test_the_same_rows_change_nothing },
    { "a late row finds its place anywhere", test_a_late_row_finds_its_place_anywhere },
    { "columns not asked for are missing", test_columns_not_asked_for_are_missing },
    { "bad batches change nothing", test_bad_batches_change_nothing },
    { "an aborted write leaves no trace", test_an_aborted_write_leaves_no_trace },
    { "closed rows make their range due", test_closed_rows_make_their_range_due },
    { "old rows leave by rule", test_old_rows_leave_by_rule },
    { "bad retention rules are named", test_bad_rules_are_named },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("store/put", tests);
}
