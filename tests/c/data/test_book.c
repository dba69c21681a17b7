/* Books kept by snapshots and differences: made-up sequences, and recordings against the best
 * prices that the exchange sent beside them. */
#include "data/book.h"
#include "data/check.h"
#include "data/decode_internal.h"
#include "kit.h"

static struct pt_decoder *decoder;
static struct pt_frame rows; /* of depth, all symbols */
static bool refuse;          /* the receiver takes nothing */
static const char *type, *reason;

static bool collect(void *arg, const struct pt_record *record)
{
    (void)arg;
    if (refuse) return false;
    if (record->key.kind == PT_DEPTH) OK(pt_frame_push(&rows, record->val, record->dig));
    return true;
}

static void begin(void)
{
    OK(pt_decoder_new(&decoder, &kit_err));
    pt_frame_init(&rows, pt_kind(PT_DEPTH));
    refuse = false;
}

static void end(void)
{
    pt_decoder_free(decoder);
    pt_frame_fini(&rows);
}

static enum pt_verdict decode(const char *json)
{
    size_t len = strlen(json);
    char *copy = malloc(len); /* in a block of its own: reading past its end is seen */
    memcpy(copy, json, len);
    enum pt_verdict verdict = pt_decode(decoder, copy, len, 0, collect, NULL, &type, &reason);
    free(copy);
    return verdict;
}

static enum pt_verdict snapshot(int64_t id, int64_t ms, const char *bids, const char *asks)
{
    char json[4096];
    snprintf(json, sizeof json,
             "{\"stream\":\"btcusdt@depth20@100ms\",\"timestamp\":%" PRId64
             ",\"data\":{\"lastUpdateId\":%" PRId64 ",\"bids\":[%s],\"asks\":[%s]}}",
             ms, id, bids, asks);
    return decode(json);
}

/* pu < 0: spot. */
static enum pt_verdict diff(int64_t first, int64_t last, int64_t pu, int64_t ms, const char *bids,
                            const char *asks)
{
    char json[4096], previous[64] = "";
    if (pu >= 0) snprintf(previous, sizeof previous, "\"pu\":%" PRId64 ",", pu);
    snprintf(json, sizeof json,
             "{\"e\":\"depthUpdate\",\"E\":%" PRId64 ",\"s\":\"BTCUSDT\",\"U\":%" PRId64
             ",\"u\":%" PRId64 ",%s\"b\":[%s],\"a\":[%s]}",
             ms, first, last, previous, bids, asks);
    return decode(json);
}

/* The row that a store would call the newest: by time, of one time the last that came. */
static size_t newest_at(void)
{
    size_t at = 0;
    CU_ASSERT_FATAL(rows.n > 0);
    for (size_t i = 1; i < rows.n; i++)
        if (rows.val[PT_D_TIME][i] >= rows.val[PT_D_TIME][at]) at = i;
    return at;
}

/* The newest row as "id time | bids | asks", "break time" for the row of a break. */
static const char *newest(void)
{
    static char text[4096];
    size_t i = newest_at(), n = 0;
    int64_t ms = rows.val[PT_D_TIME][i] / 1000;
    if (rows.val[PT_D_UPDATE_ID][i] == PT_MISSING) {
        n += (size_t)snprintf(text, sizeof text, "break %" PRId64, ms);
    } else {
        n += (size_t)snprintf(text, sizeof text, "%" PRId64 " %" PRId64,
                              rows.val[PT_D_UPDATE_ID][i], ms);
    }
    for (unsigned side = 0; side < 2; side++) {
        unsigned price = side == 0 ? PT_D_BID_PRICE : PT_D_ASK_PRICE;
        for (size_t k = 0; k < PT_DEPTH_LEVELS; k++) {
            size_t at = i * PT_DEPTH_LEVELS + k;
            char p[PT_DEC_TEXT_MAX], q[PT_DEC_TEXT_MAX];
            if (rows.val[price][at] == PT_MISSING) {
                CU_ASSERT_EQUAL(rows.val[price + 1][at], PT_MISSING);
                continue;
            }
            pt_dec_print(rows.val[price][at], rows.dig[price][at], p);
            pt_dec_print(rows.val[price + 1][at], rows.dig[price + 1][at], q);
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s:%s", k == 0 ? " | " : " ", p, q);
        }
    }
    return text;
}

#define BIDS "[\"100.0\",\"1\"],[\"99.5\",\"2\"],[\"99\",\"3\"]"
#define ASKS "[\"100.1\",\"4\"],[\"101\",\"5\"]"

static void test_a_snapshot_is_changed_by_what_follows_it(void)
{
    begin();
    CU_ASSERT_EQUAL(snapshot(10, 1000000000000, BIDS, ASKS), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(newest(), "10 1000000000000 | 100.0:1 99.5:2 99:3 | 100.1:4 101:5");
    /* the first one may reach back before the snapshot; prices of other digits are the same level
     */
    CU_ASSERT_EQUAL(diff(9, 12, -1, 1000000000100, "[\"100.00\",\"7\"]", "[\"100.10\",\"0.000\"]"),
                    PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(type, "depthUpdate");
    CU_ASSERT_STRING_EQUAL(newest(), "12 1000000000100 | 100.00:7 99.5:2 99:3 | 101:5");
    CU_ASSERT_EQUAL(diff(13, 13, -1, 1000000000200, "[\"100.5\",\"1\"],[\"99.25\",\"8\"]",
                         "[\"102\",\"0\"],[\"100.75\",\"6\"]"),
                    PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(
        newest(), "13 1000000000200 | 100.5:1 100.00:7 99.5:2 99.25:8 99:3 | 100.75:6 101:5");
    CU_ASSERT_EQUAL(diff(14, 14, -1, 1000000000300, "", ""), PT_MSG_ROWS); /* nothing changed */
    CU_ASSERT_EQUAL(rows.n, 4);
    end();
}

static void test_without_a_snapshot_differences_are_ignored(void)
{
    begin();
    CU_ASSERT_EQUAL(diff(1, 2, -1, 1000000000000, BIDS, ASKS), PT_MSG_IGNORED);
    CU_ASSERT_EQUAL(snapshot(10, 1000000000000, BIDS, ASKS), PT_MSG_ROWS);
    CU_ASSERT_EQUAL(diff(11, 12, -1, 1000000000100, BIDS, ASKS), PT_MSG_ROWS);
    CU_ASSERT_EQUAL(rows.n, 2);
    end();
}

static void test_differences_that_came_before_their_snapshot_follow_it(void)
{
    begin();
    CU_ASSERT_EQUAL(diff(1, 3, -1, 1000000000000, "[\"98\",\"1\"]", ""), PT_MSG_IGNORED);
    CU_ASSERT_EQUAL(diff(5, 8, -1, 1000000000100, "[\"97\",\"1\"]", ""),
                    PT_MSG_IGNORED); /* a gap */
    CU_ASSERT_EQUAL(diff(9, 12, -1, 1000000000200, "[\"99\",\"0\"]", ""), PT_MSG_IGNORED);
    CU_ASSERT_EQUAL(diff(9, 12, -1, 1000000000200, "[\"99\",\"9\"]", ""),
                    PT_MSG_IGNORED); /* again */
    CU_ASSERT_EQUAL(diff(13, 13, -1, 1000000000300, "", "[\"101\",\"0\"]"), PT_MSG_IGNORED);
    CU_ASSERT_EQUAL(snapshot(10, 1000000000350, BIDS, ASKS), PT_MSG_ROWS);
    CU_ASSERT_EQUAL(rows.n, 3);
    CU_ASSERT_EQUAL(rows.val[PT_D_UPDATE_ID][1], 12);
    /* stamped with the snapshot's time, which is that of its receipt */
    CU_ASSERT_STRING_EQUAL(newest(), "13 1000000000350 | 100.0:1 99.5:2 | 100.1:4");
    CU_ASSERT_EQUAL(diff(14, 14, -1, 1000000000400, "[\"99.5\",\"0\"]", ""), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(newest(), "14 1000000000400 | 100.0:1 | 100.1:4");
    end();
    begin(); /* a snapshot that is too old for what waits */
    diff(20, 22, -1, 1000000000000, "", "");
    CU_ASSERT_EQUAL(snapshot(10, 1000000000100, BIDS, ASKS), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(newest(), "break 1000000000100");
    CU_ASSERT_EQUAL(snapshot(21, 1000000000200, BIDS, ASKS), PT_MSG_ROWS); /* it still waits */
    CU_ASSERT_STRING_EQUAL(newest(), "22 1000000000200 | 100.0:1 99.5:2 99:3 | 100.1:4 101:5");
    end();
    begin(); /* more than can wait: the newest are there */
    for (int64_t i = 1; i <= 2 * PT_BOOK_WAITING_MAX; i++)
        CU_ASSERT_EQUAL(diff(i, i, -1, 1000000000000 + i, BIDS, ""), PT_MSG_IGNORED);
    CU_ASSERT_EQUAL(snapshot(PT_BOOK_WAITING_MAX, 1000000000000, BIDS, ASKS), PT_MSG_ROWS);
    CU_ASSERT_EQUAL(rows.n, 1 + PT_BOOK_WAITING_MAX);
    end();
}

static void test_old_differences_are_dropped(void)
{
    begin();
    snapshot(10, 1000000000000, BIDS, ASKS);
    CU_ASSERT_EQUAL(diff(7, 10, -1, 1000000000050, "[\"100.0\",\"9\"]", ""), PT_MSG_IGNORED);
    CU_ASSERT_EQUAL(diff(11, 14, -1, 1000000000100, "[\"100.0\",\"8\"]", ""), PT_MSG_ROWS);
    CU_ASSERT_EQUAL(diff(11, 14, -1, 1000000000100, "[\"100.0\",\"9\"]", ""), PT_MSG_IGNORED);
    CU_ASSERT_STRING_EQUAL(newest(), "14 1000000000100 | 100.0:8 99.5:2 99:3 | 100.1:4 101:5");
    /* a snapshot from before is none of the newest states */
    CU_ASSERT_EQUAL(snapshot(13, 1000000000200, BIDS, ASKS), PT_MSG_IGNORED);
    CU_ASSERT_STRING_EQUAL(newest(), "14 1000000000100 | 100.0:8 99.5:2 99:3 | 100.1:4 101:5");
    /* one of the same state says that it still holds, and leaves the book what it knows */
    CU_ASSERT_EQUAL(snapshot(14, 1000000000250, "[\"100.0\",\"8\"]", ASKS), PT_MSG_ROWS);
    CU_ASSERT_EQUAL(diff(15, 15, -1, 1000000000300, "[\"99\",\"0\"]", ""), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(newest(), "15 1000000000300 | 100.0:8 99.5:2 | 100.1:4 101:5");
    end();
}

static void breaks(int64_t first, int64_t last, int64_t pu, bool futures)
{
    begin();
    if (futures)
        decode(
            "{\"lastUpdateId\":10,\"E\":999999999999,\"T\":999999999999,\"s\":\"BTCUSDT\",\"bids\":"
            "[" BIDS "],\"asks\":[" ASKS "]}");
    else
        snapshot(10, 1000000000000, BIDS, ASKS);
    CU_ASSERT_EQUAL(diff(9, 20, futures ? 8 : -1, 1000000000100, "", ""), PT_MSG_ROWS);
    CU_ASSERT_EQUAL(diff(first, last, pu, 1000000000200, BIDS, ASKS), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(newest(), "break 1000000000200");
    CU_ASSERT_EQUAL(rows.n, 3);
    /* told once; nothing is believed until the next snapshot */
    CU_ASSERT_EQUAL(diff(last + 1, last + 1, futures ? last : -1, 1000000000300, BIDS, ASKS),
                    PT_MSG_IGNORED);
    CU_ASSERT_EQUAL(rows.n, 3);
    if (!futures) {
        CU_ASSERT_EQUAL(snapshot(40, 1000000000400, BIDS, ASKS), PT_MSG_ROWS);
        CU_ASSERT_EQUAL(diff(41, 42, -1, 1000000000500, "[\"99\",\"0\"]", ""), PT_MSG_ROWS);
        CU_ASSERT_STRING_EQUAL(newest(), "42 1000000000500 | 100.0:1 99.5:2 | 100.1:4 101:5");
    }
    end();
}

static void test_a_gap_breaks_the_book(void)
{
    breaks(22, 23, -1, false);
    breaks(22, 23, 21, true);
}

static void test_an_overlap_breaks_the_book(void)
{
    breaks(20, 23, -1, false); /* 20 was part of the last one */
    breaks(19, 23, 18, true);
}

static void test_ids_that_run_backwards_break_the_book(void)
{
    breaks(30, 21, -1, false);
}

static void test_a_late_first_difference_breaks_the_book(void)
{
    begin();
    snapshot(10, 1000000000000, BIDS, ASKS);
    CU_ASSERT_EQUAL(diff(12, 14, -1, 1000000000100, "", ""), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(newest(), "break 1000000000100");
    end();
}

static void test_futures_follow_their_own_rules(void)
{
    begin();
    decode("{\"lastUpdateId\":10,\"E\":999999999990,\"T\":999999999989,\"s\":\"BTCUSDT\",\"bids\":"
           "[" BIDS "],\"asks\":[" ASKS "]}");
    CU_ASSERT_STRING_EQUAL(newest(), "10 999999999989 | 100.0:1 99.5:2 99:3 | 100.1:4 101:5");
    CU_ASSERT_EQUAL(diff(5, 9, 4, 1000000000000, "[\"99\",\"0\"]", ""), PT_MSG_IGNORED);
    CU_ASSERT_EQUAL(diff(8, 10, 7, 1000000000000, "[\"99\",\"4\"]", ""), PT_MSG_ROWS);
    /* ids of other symbols lie between: only pu tells what follows */
    CU_ASSERT_EQUAL(diff(15, 19, 10, 1000000000100, "[\"99\",\"0\"]", ""), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(newest(), "19 1000000000100 | 100.0:1 99.5:2 | 100.1:4 101:5");
    CU_ASSERT_EQUAL(diff(20, 25, 20, 1000000000200, "", ""), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(newest(), "break 1000000000200");
    end();
}

static void test_a_partial_book_of_futures_sets_the_book(void)
{
    begin();
    CU_ASSERT_EQUAL(
        decode("{\"stream\":\"btcusdt@depth20@100ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":"
               "1000000000000,\"T\":1000000000000,\"s\":\"BTCUSDT\",\"U\":5,\"u\":10,\"pu\":4,"
               "\"b\":[" BIDS "],\"a\":[" ASKS "]}}"),
        PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(type, "depth");
    /* what follows names it as the one before */
    CU_ASSERT_EQUAL(diff(14, 19, 10, 1000000000100, "[\"99\",\"0\"]", ""), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(newest(), "19 1000000000100 | 100.0:1 99.5:2 | 100.1:4 101:5");
    end();
}

static void level_list(char *out, size_t room, int from, int to, int step)
{
    size_t n = 0;
    for (int i = from; i != to; i += step)
        n += (size_t)snprintf(out + n, room - n, "%s[\"%d\",\"1\"]", i == from ? "" : ",", i);
}

static void test_levels_behind_the_twentieth_fill_up(void)
{
    char bids[1024], asks[1024];
    level_list(bids, sizeof bids, 1000, 970, -1);
    level_list(asks, sizeof asks, 1001, 1031, 1);
    begin();
    CU_ASSERT_EQUAL(snapshot(10, 1000000000000, bids, asks), PT_MSG_ROWS);
    CU_ASSERT_EQUAL(rows.val[PT_D_BID_PRICE][19], 981);
    level_list(bids, sizeof bids, 1000, 995, -1);
    for (char *at = bids; (at = strstr(at, "\"1\"")) != NULL;) at[1] = '0';
    CU_ASSERT_EQUAL(diff(11, 11, -1, 1000000000100, bids, "[\"1031\",\"2\"]"), PT_MSG_ROWS);
    CU_ASSERT_EQUAL(rows.val[PT_D_BID_PRICE][PT_DEPTH_LEVELS], 995);
    CU_ASSERT_EQUAL(rows.val[PT_D_BID_PRICE][PT_DEPTH_LEVELS + 19], 976);
    CU_ASSERT_EQUAL(rows.val[PT_D_ASK_PRICE][PT_DEPTH_LEVELS + 19], 1020);
    end();
}

static void test_bad_levels_reject_the_message_and_the_next_one_finds_the_break(void)
{
    static const struct {
        const char *bids, *reason;
    } cases[] = {
        { "[\"x\",\"1\"]", "unreadable_number" },
        { "[\"0\",\"1\"]", "price_not_positive" },
        { "[\"-1\",\"1\"]", "price_not_positive" },
        { "[\"1\",\"-1\"]", "negative_quantity" },
        { "[\"\",\"1\"]", "value_missing" },
        { "[\"1\"]", "bad_level" },
        { "[\"12345678901234567890123\",\"1\"]", "decimal_out_of_range" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin();
        snapshot(10, 1000000000000, BIDS, ASKS);
        CU_ASSERT_EQUAL(diff(11, 12, -1, 1000000000100, cases[i].bids, ""), PT_MSG_REJECTED);
        CU_ASSERT_STRING_EQUAL(reason, cases[i].reason);
        CU_ASSERT_EQUAL(rows.n, 1);
        CU_ASSERT_EQUAL(diff(13, 13, -1, 1000000000200, "", ""), PT_MSG_ROWS);
        CU_ASSERT_STRING_EQUAL(newest(), "break 1000000000200");
        end();
    }
    begin();
    snapshot(10, 1000000000000, BIDS, ASKS);
    CU_ASSERT_EQUAL(
        decode("{\"e\":\"depthUpdate\",\"E\":1000000000100,\"s\":\"BTCUSDT\",\"U\":11,\"b\":[],"
               "\"a\":[]}"),
        PT_MSG_REJECTED);
    CU_ASSERT_STRING_EQUAL(reason, "value_missing");
    end();
}

static void test_a_bad_level_far_down_rejects_a_snapshot(void)
{
    char bids[1024];
    begin();
    level_list(bids, sizeof bids, 1000, 970, -1);
    strcat(bids, ",[\"971.5\",\"1\"]");
    CU_ASSERT_EQUAL(snapshot(10, 1000000000000, bids, "[\"1001\",\"1\"]"), PT_MSG_REJECTED);
    CU_ASSERT_STRING_EQUAL(reason, "unsorted_book");
    CU_ASSERT_EQUAL(diff(11, 12, -1, 1000000000100, "", ""), PT_MSG_IGNORED);
    end();
}

static void test_a_book_that_cannot_be_is_a_break_and_rejected(void)
{
    static const struct {
        const char *bids, *asks, *reason;
    } cases[] = {
        { "[\"100.1\",\"1\"]", "", "locked_book" },
        { "[\"100.2\",\"1\"]", "", "crossed_book" },
        { "", "[\"100.1\",\"0\"],[\"101\",\"0\"]", "empty_book" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin();
        snapshot(10, 1000000000000, BIDS, ASKS);
        CU_ASSERT_EQUAL(diff(11, 12, -1, 1000000000100, cases[i].bids, cases[i].asks),
                        PT_MSG_REJECTED);
        CU_ASSERT_STRING_EQUAL(reason, cases[i].reason);
        CU_ASSERT_STRING_EQUAL(newest(), "break 1000000000100");
        CU_ASSERT_EQUAL(diff(13, 13, -1, 1000000000200, "", ""), PT_MSG_IGNORED);
        end();
    }
}

static void test_an_empty_book_of_an_exchange_is_no_break(void)
{
    begin();
    CU_ASSERT_EQUAL(snapshot(10, 1000000000000, "", ""), PT_MSG_REJECTED);
    CU_ASSERT_STRING_EQUAL(reason, "empty_book");
    CU_ASSERT_EQUAL(decode(
                        "{\"s\":\"BTCUSDT\",\"E\":1000000000000,\"lastUpdateId\":null,\"bids\":[],"
                        "\"asks\":[]}"),
                    PT_MSG_REJECTED);
    CU_ASSERT_STRING_EQUAL(reason, "empty_book");
    CU_ASSERT_EQUAL(rows.n, 0);
    end();
}

static void test_what_was_not_taken_is_told_again(void)
{
    begin();
    snapshot(10, 1000000000000, BIDS, ASKS);
    refuse = true;
    diff(11, 12, -1, 1000000000100, "[\"99\",\"0\"]", "");
    refuse = false;
    CU_ASSERT_EQUAL(rows.n, 1);
    CU_ASSERT_EQUAL(diff(11, 12, -1, 1000000000100, "[\"99\",\"0\"]", ""), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(newest(), "12 1000000000100 | 100.0:1 99.5:2 | 100.1:4 101:5");
    CU_ASSERT_EQUAL(diff(11, 12, -1, 1000000000100, "[\"99\",\"0\"]", ""), PT_MSG_IGNORED);
    refuse = true;
    diff(20, 21, -1, 1000000000200, "", "");
    refuse = false;
    CU_ASSERT_EQUAL(diff(20, 21, -1, 1000000000200, "", ""), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(newest(), "break 1000000000200");
    CU_ASSERT_EQUAL(diff(22, 22, -1, 1000000000300, "", ""), PT_MSG_IGNORED);
    end();
}

static void test_another_recording_begins_anew(void)
{
    begin();
    snapshot(1000, 1000000000000, BIDS, ASKS);
    CU_ASSERT_EQUAL(snapshot(10, 999999000000, BIDS, ASKS), PT_MSG_ROWS); /* a thousand s before */
    CU_ASSERT_EQUAL(diff(11, 11, -1, 999999000100, "[\"99\",\"0\"]", ""), PT_MSG_ROWS);
    CU_ASSERT_EQUAL_FATAL(rows.n, 3);
    CU_ASSERT_EQUAL(rows.val[PT_D_UPDATE_ID][2], 11);
    CU_ASSERT_EQUAL(rows.val[PT_D_TIME][2], INT64_C(999999000100000));
    end();
}

#define MINUTE_MS 60000

/* A stream whose ids begin anew, or that had one wrong one: the book is not lost for good. */
static void test_ids_that_begin_anew_heal(void)
{
    const int64_t ms = 1000000000000, later = ms + MINUTE_MS + 1000;
    begin();
    snapshot(1000, ms, BIDS, ASKS);
    CU_ASSERT_EQUAL(snapshot(10, ms + 1000, BIDS, ASKS), PT_MSG_IGNORED); /* late, it seems */
    CU_ASSERT_EQUAL(snapshot(10, later, BIDS, ASKS), PT_MSG_ROWS);
    CU_ASSERT_EQUAL(diff(11, 11, -1, later + 100, "[\"99\",\"0\"]", ""), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(newest(), "11 1000000061100 | 100.0:1 99.5:2 | 100.1:4 101:5");
    end();
    begin(); /* without a snapshot the break is told */
    snapshot(1000, ms, BIDS, ASKS);
    CU_ASSERT_EQUAL(diff(11, 11, -1, ms + 1000, "", ""), PT_MSG_IGNORED);
    CU_ASSERT_EQUAL(diff(500, 500, -1, later, "", ""), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(newest(), "break 1000000061000");
    CU_ASSERT_EQUAL(snapshot(499, later + 100, BIDS, ASKS), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(newest(), "500 1000000061100 | 100.0:1 99.5:2 99:3 | 100.1:4 101:5");
    end();
    begin(); /* of a future, which follows by pu alone */
    decode("{\"lastUpdateId\":10,\"E\":999999999990,\"T\":1000000000000,\"s\":\"BTCUSDT\","
           "\"bids\":[" BIDS "],\"asks\":[" ASKS "]}");
    CU_ASSERT_EQUAL(diff(11, INT64_C(900000000000000001), 10, ms + 100, "", ""), PT_MSG_ROWS);
    CU_ASSERT_EQUAL(diff(13, 15, 12, ms + 1000, "", ""), PT_MSG_IGNORED);
    CU_ASSERT_EQUAL(diff(16, 18, 15, later, "", ""), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(newest(), "break 1000000061000");
    end();
}

static void test_one_bad_difference_does_not_spoil_what_waits(void)
{
    const int64_t ms = 1000000000000;
    begin();
    snapshot(10, ms, BIDS, ASKS);
    CU_ASSERT_EQUAL(diff(9000, 9000, -1, ms + 100, "", ""), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(newest(), "break 1000000000100");
    snapshot(12, ms + 200, BIDS, ASKS); /* it is told apart from the next stream's ids once .. */
    CU_ASSERT_STRING_EQUAL(newest(), "break 1000000000200");
    snapshot(13, ms + 300, BIDS, ASKS); /* .. and no more */
    CU_ASSERT_STRING_EQUAL(newest(), "13 1000000000300 | 100.0:1 99.5:2 99:3 | 100.1:4 101:5");
    CU_ASSERT_EQUAL(diff(14, 14, -1, ms + 400, "[\"99\",\"0\"]", ""), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(newest(), "14 1000000000400 | 100.0:1 99.5:2 | 100.1:4 101:5");
    end();
    begin(); /* differences that go on after it show that it was wrong */
    snapshot(10, ms, BIDS, ASKS);
    diff(9000, 9000, -1, ms + 100, "", "");
    CU_ASSERT_EQUAL(diff(12, 12, -1, ms + 200, "", ""), PT_MSG_IGNORED);
    CU_ASSERT_EQUAL(diff(13, 13, -1, ms + 300, "[\"99\",\"0\"]", ""), PT_MSG_IGNORED);
    snapshot(11, ms + 400, BIDS, ASKS);
    CU_ASSERT_STRING_EQUAL(newest(), "13 1000000000400 | 100.0:1 99.5:2 | 100.1:4 101:5");
    end();
    begin(); /* what waits that crosses the book does so no more than twice */
    diff(11, 11, -1, ms, "[\"200\",\"1\"]", "");
    CU_ASSERT_EQUAL(snapshot(10, ms + 100, BIDS, ASKS), PT_MSG_REJECTED);
    CU_ASSERT_EQUAL(snapshot(10, ms + 200, BIDS, ASKS), PT_MSG_REJECTED);
    CU_ASSERT_EQUAL(snapshot(10, ms + 300, BIDS, ASKS), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(newest(), "10 1000000000300 | 100.0:1 99.5:2 99:3 | 100.1:4 101:5");
    end();
}

static void test_what_waits_belongs_to_its_minute(void)
{
    const int64_t ms = 1000000000000;
    begin(); /* a later recording came first */
    diff(1000, 1001, -1, ms + 60 * MINUTE_MS, "", "");
    snapshot(10, ms, BIDS, ASKS);
    CU_ASSERT_STRING_EQUAL(newest(), "10 1000000000000 | 100.0:1 99.5:2 99:3 | 100.1:4 101:5");
    CU_ASSERT_EQUAL(diff(11, 11, -1, ms + 100, "", ""), PT_MSG_ROWS);
    end();
    begin(); /* its differences begin anew at an earlier time */
    diff(1000, 1001, -1, ms + 60 * MINUTE_MS, "", "");
    diff(11, 11, -1, ms, "[\"99\",\"0\"]", "");
    snapshot(10, ms + 100, BIDS, ASKS);
    CU_ASSERT_STRING_EQUAL(newest(), "11 1000000000100 | 100.0:1 99.5:2 | 100.1:4 101:5");
    end();
    begin(); /* an old one gives way to those that follow it */
    diff(11, 11, -1, ms, "", "");
    diff(12, 12, -1, ms + 2 * MINUTE_MS, "", "");
    snapshot(11, ms + 2 * MINUTE_MS + 100, BIDS, ASKS);
    CU_ASSERT_STRING_EQUAL(newest(), "12 1000000120100 | 100.0:1 99.5:2 99:3 | 100.1:4 101:5");
    end();
    begin(); /* and is no break of a snapshot that is a minute newer */
    diff(50, 51, -1, ms, "", "");
    snapshot(11, ms + 2 * MINUTE_MS, BIDS, ASKS);
    CU_ASSERT_STRING_EQUAL(newest(), "11 1000000120000 | 100.0:1 99.5:2 99:3 | 100.1:4 101:5");
    end();
}

static void test_a_change_is_never_told_before_what_it_changes(void)
{
    begin(); /* the snapshot has the time of its receipt, the difference that when it was made */
    snapshot(10, 1000000000500, BIDS, ASKS);
    CU_ASSERT_EQUAL(diff(11, 11, -1, 1000000000450, "[\"99\",\"0\"]", ""), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(newest(), "11 1000000000500 | 100.0:1 99.5:2 | 100.1:4 101:5");
    CU_ASSERT_EQUAL(diff(13, 13, -1, 1000000000480, "", ""), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(newest(), "break 1000000000500");
    end();
}

static enum pt_verdict futures_snapshot(int64_t id, int64_t ms)
{
    char json[1024];
    snprintf(json, sizeof json,
             "{\"lastUpdateId\":%" PRId64 ",\"E\":%" PRId64 ",\"T\":%" PRId64
             ",\"s\":\"BTCUSDT\",\"bids\":[" BIDS "],\"asks\":[" ASKS "]}",
             id, ms, ms);
    return decode(json);
}

static void test_a_series_holds_one_market(void)
{
    const int64_t ms = 1000000000000;
    begin();
    snapshot(10, ms, BIDS, ASKS);
    CU_ASSERT_EQUAL(futures_snapshot(1000, ms + 100), PT_MSG_REJECTED);
    CU_ASSERT_STRING_EQUAL(reason, "other_market");
    CU_ASSERT_EQUAL(diff(1001, 1001, 1000, ms + 150, "", ""), PT_MSG_REJECTED);
    CU_ASSERT_STRING_EQUAL(reason, "other_market");
    CU_ASSERT_EQUAL(diff(11, 11, -1, ms + 200, "[\"99\",\"0\"]", ""), PT_MSG_ROWS);
    /* its break is not hidden by the other market, which does not get the series at once */
    CU_ASSERT_EQUAL(diff(13, 13, -1, ms + 300, "", ""), PT_MSG_ROWS);
    CU_ASSERT_EQUAL(futures_snapshot(1010, ms + 400), PT_MSG_REJECTED);
    CU_ASSERT_STRING_EQUAL(newest(), "break 1000000000300");
    CU_ASSERT_EQUAL(snapshot(13, ms + 500, BIDS, ASKS), PT_MSG_ROWS);
    CU_ASSERT_EQUAL(rows.n, 4);
    /* only when it has been silent */
    CU_ASSERT_EQUAL(futures_snapshot(1020, ms + 500 + MINUTE_MS), PT_MSG_ROWS);
    CU_ASSERT_EQUAL(diff(1021, 1022, 1020, ms + 600 + MINUTE_MS, "", ""), PT_MSG_ROWS);
    CU_ASSERT_EQUAL(snapshot(14, ms + 700 + MINUTE_MS, BIDS, ASKS), PT_MSG_REJECTED);
    CU_ASSERT_STRING_EQUAL(reason, "other_market");
    /* or when a recording of another time begins */
    CU_ASSERT_EQUAL(snapshot(14, ms - 2 * MINUTE_MS, BIDS, ASKS), PT_MSG_ROWS);
    end();
    begin(); /* differences alone own nothing */
    CU_ASSERT_EQUAL(diff(1001, 1001, 1000, ms, "", ""), PT_MSG_IGNORED);
    CU_ASSERT_EQUAL(snapshot(10, ms + 100, BIDS, ASKS), PT_MSG_ROWS);
    end();
}

static void test_differences_without_a_book_are_counted(void)
{
    begin();
    for (int64_t id = 11; id <= 14; id++) diff(id, id, -1, 1000000000000 + id, "", "");
    diff(14, 14, -1, 1000000000014, "", ""); /* sent again */
    CU_ASSERT_EQUAL(pt_decoder_counts(decoder).bookless, 4);
    CU_ASSERT_EQUAL(pt_decoder_counts(decoder).caught_up, 0);
    snapshot(12, 1000000000100, BIDS, ASKS);
    CU_ASSERT_EQUAL(pt_decoder_counts(decoder).caught_up, 4); /* two it holds, two are applied */
    diff(15, 15, -1, 1000000000200, "", "");
    CU_ASSERT_EQUAL(pt_decoder_counts(decoder).bookless, 4);
    end();
}

static void test_waiting_differences_are_counted_as_memory(void)
{
    struct pt_book book = { .valid = false };
    struct pt_book_memory memory = { 0 };
    struct pt_book_level level = { 500, 1, 0, 0 };
    struct pt_level_list side[2] = { { &level, 1, 1 }, { NULL, 0, 0 } };
    struct pt_diff step = { 1, 1, 0, 0, side };
    CU_ASSERT(pt_book_wait(&book, &step, &memory));
    CU_ASSERT(memory.bytes >= sizeof *book.waiting + sizeof level);
    CU_ASSERT(memory.bytes < 1024); /* most symbols have few of them */
    for (int64_t i = 2; i < 2 * PT_BOOK_WAITING_MAX; i++) {
        step.first_id = step.last_id = step.time_us = i;
        CU_ASSERT(pt_book_wait(&book, &step, &memory));
    }
    CU_ASSERT_EQUAL(book.nwaiting, PT_BOOK_WAITING_MAX);
    CU_ASSERT_EQUAL(memory.bytes,
                    PT_BOOK_WAITING_MAX * (sizeof *book.waiting + sizeof(struct pt_book_level)));
    pt_book_forget_waiting(&book, &memory);
    CU_ASSERT_EQUAL(memory.bytes, 0);
    CU_ASSERT_PTR_NULL(book.waiting);
    memory.bytes = PT_BOOKS_BYTES_MAX; /* no room: it is not kept */
    CU_ASSERT(pt_book_wait(&book, &step, &memory));
    CU_ASSERT_EQUAL(book.nwaiting, 0);
    CU_ASSERT_EQUAL(memory.bytes, PT_BOOKS_BYTES_MAX);
    pt_book_fini(&book, &memory);
}

static void test_a_snapshot_without_room_is_a_break_and_rejected(void)
{
    begin();
    decoder->memory.bytes = PT_BOOKS_BYTES_MAX;
    CU_ASSERT_EQUAL(snapshot(10, 1000000000000, BIDS, ASKS), PT_MSG_REJECTED);
    CU_ASSERT_STRING_EQUAL(reason, "no_room_for_book");
    CU_ASSERT_STRING_EQUAL(newest(), "break 1000000000000");
    decoder->memory.bytes = 0;
    CU_ASSERT_EQUAL(snapshot(11, 1000000000100, BIDS, ASKS), PT_MSG_ROWS);
    CU_ASSERT_EQUAL(diff(12, 12, -1, 1000000000200, "[\"99\",\"0\"]", ""), PT_MSG_ROWS);
    end();
}

/* Against the plain way: a list searched from one end to the other. */
static void test_random_differences_give_what_a_plain_list_gives(void)
{
    struct pt_book book = { .valid = false };
    struct pt_book_memory memory = { 0 };
    struct pt_book_level start = { 500, 1, 0, 0 }, level;
    struct pt_level_list whole[2] = { { &start, 1, 1 }, { NULL, 0, 0 } };
    int64_t plain[1000] = { 0 };
    uint64_t seed = 7;
    plain[500] = 1;
    CU_ASSERT_FATAL(pt_book_set(&book, whole, 0, 0, &memory));
    for (int64_t i = 1; i < 20000; i++) {
        int64_t price = (int64_t)(kit_random(&seed) % 1000);
        int64_t quantity = kit_random(&seed) % 3 ? (int64_t)(kit_random(&seed) % 9) : 0;
        uint8_t digits = (uint8_t)(kit_random(&seed) % 3); /* 5, 5.0, 5.00 */
        static const int64_t tens[] = { 1, 10, 100 };
        level = (struct pt_book_level){ (price + 1) * tens[digits], quantity, digits, 0 };
        struct pt_level_list change[2] = { { &level, 1, 1 }, { NULL, 0, 0 } };
        struct pt_diff step = { i, i, 0, 0, change };
        CU_ASSERT_EQUAL_FATAL(pt_book_apply(&book, &step, &memory), PT_BOOK_APPLIED);
        plain[price] = quantity;
        if (i == 1)
            plain[499] = price == 499 ? quantity : 1, plain[500] = price == 500 ? quantity : 0;
        size_t at = book.side[0].n;
        for (int k = 999; k >= 0; k--) {
            if (plain[k] == 0) continue;
            CU_ASSERT_FATAL(at > 0);
            const struct pt_book_level *found = &book.side[0].v[--at];
            if (found->quantity != plain[k] ||
                pt_dec_cmp(found->price, found->price_digits, k + 1, 0) != 0)
                CU_FAIL_FATAL("another level");
        }
        CU_ASSERT_EQUAL_FATAL(at, 0);
    }
    CU_ASSERT(memory.bytes > 0);
    pt_book_fini(&book, &memory);
    CU_ASSERT_EQUAL(memory.bytes, 0);
}

static void test_the_farthest_levels_give_way(void)
{
    struct pt_book book = { .valid = false };
    struct pt_book_memory memory = { 0 };
    static struct pt_book_level v[PT_BOOK_LEVELS_MAX + 5];
    struct pt_level_list whole[2] = { { v, PT_BOOK_LEVELS_MAX + 5, 0 }, { NULL, 0, 0 } };
    for (int64_t i = 0; i < PT_BOOK_LEVELS_MAX + 5; i++)
        v[i] = (struct pt_book_level){ 100000 - i, 1, 0, 0 };
    CU_ASSERT_FATAL(pt_book_set(&book, whole, 0, 0, &memory));
    CU_ASSERT_EQUAL(book.side[0].n, PT_BOOK_LEVELS_MAX);
    CU_ASSERT_EQUAL(book.side[0].v[0].price, 100000 - PT_BOOK_LEVELS_MAX + 1);
    struct pt_book_level more[2] = { { 100001, 1, 0, 0 }, { 5, 1, 0, 0 } };
    struct pt_level_list change[2] = { { more, 2, 2 }, { NULL, 0, 0 } };
    struct pt_diff step = { 1, 1, 0, 0, change };
    CU_ASSERT_EQUAL(pt_book_apply(&book, &step, &memory), PT_BOOK_APPLIED);
    CU_ASSERT_EQUAL(book.side[0].n, PT_BOOK_LEVELS_MAX);
    CU_ASSERT_EQUAL(book.side[0].v[PT_BOOK_LEVELS_MAX - 1].price, 100001);
    CU_ASSERT_EQUAL(book.side[0].v[0].price, 100000 - PT_BOOK_LEVELS_MAX + 2);
    CU_ASSERT(memory.bytes <= PT_BOOK_LEVELS_MAX * sizeof(struct pt_book_level));
    /* no room at all: the book is given up */
    memory.bytes += PT_BOOKS_BYTES_MAX;
    struct pt_book_level ask = { 200000, 1, 0, 0 };
    struct pt_level_list other[2] = { { NULL, 0, 0 }, { &ask, 1, 1 } };
    struct pt_diff second = { 2, 2, 0, 0, other };
    CU_ASSERT_EQUAL(pt_book_apply(&book, &second, &memory), PT_BOOK_BROKEN);
    CU_ASSERT(!book.valid);
    CU_ASSERT(!pt_book_set(&book, whole, 3, 0, &memory));
    CU_ASSERT_EQUAL(memory.bytes, PT_BOOKS_BYTES_MAX);
    pt_book_fini(&book, &memory);
}

static void test_rows_of_breaks_come_back_from_our_own_export_only(void)
{
    static struct kit_file file;
    struct pt_buf text = { .data = NULL };
    begin();
    snapshot(10, 1000000000000, BIDS, ASKS);
    diff(12, 14, -1, 1000000000100, "", "");
    pt_dump_csv_header(pt_kind(PT_DEPTH), &text);
    pt_dump_csv(&rows, 0, rows.n, &text);
    CU_ASSERT_FATAL(!text.failed);
    kit_read(&file, kit_write("depth_BTCUSDT.csv", text.data, text.len));
    CU_ASSERT_EQUAL(file.nrejects, 0);
    const struct pt_frame *back = file.nseries > 0 ? &file.series[0].frame : NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(back);
    CU_ASSERT_EQUAL_FATAL(back->n, 2);
    for (size_t i = 0; i < 2; i++) {
        char was[8192];
        snprintf(was, sizeof was, "%s", kit_row(&rows, i));
        CU_ASSERT_STRING_EQUAL(kit_row(back, i), was);
    }
    CU_ASSERT_STRING_EQUAL(pt_frame_check(back, 1, 0), "empty_book");
    kit_done(&file);
    pt_buf_fini(&text);
    end();
}

/* ---- recordings ---- */

struct best {
    int64_t id;
    char text[2 * PT_DEC_TEXT_MAX];
};

struct replay {
    struct best *ticks, *books;
    size_t nticks, nbooks, breaks;
};

static void best_text(const struct pt_record *record, char *out)
{
    char bid[PT_DEC_TEXT_MAX], ask[PT_DEC_TEXT_MAX];
    pt_dec_print(record->val[2], record->dig[2], bid);
    pt_dec_print(record->val[2 + 2 * PT_DEPTH_LEVELS], record->dig[2 + 2 * PT_DEPTH_LEVELS], ask);
    snprintf(out, 2 * PT_DEC_TEXT_MAX, "%s %s", bid, ask);
}

static bool take_book(void *arg, const struct pt_record *record)
{
    struct replay *replay = arg;
    if (record->key.kind != PT_DEPTH) return true;
    if (record->val[1] == PT_MISSING) {
        replay->breaks++;
        return true;
    }
    struct best *best = &replay->books[replay->nbooks++];
    best->id = record->val[1];
    best_text(record, best->text);
    return true;
}

static const char *after(const char *json, const char *key)
{
    const char *at = strstr(json, key);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    return at + strlen(key);
}

/* "u" and the best prices of a bookTicker line. */
static void take_tick(struct replay *replay, const char *json)
{
    struct best *tick = &replay->ticks[replay->nticks++];
    tick->id = strtoll(after(json, "\"u\":"), NULL, 10);
    const char *bid = after(json, "\"b\":\""), *ask = after(json, "\"a\":\"");
    snprintf(tick->text, sizeof tick->text, "%.*s %.*s", (int)strcspn(bid, "\""), bid,
             (int)strcspn(ask, "\""), ask);
}

static void replay_file(struct replay *replay, const char *path, struct pt_decoder *state)
{
    struct pt_buf text = { .data = NULL };
    kit_slurp(path, &text);
    for (char *line = text.data, *next; line && *line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = '\0';
        const char *json = strchr(line, '{'), *why;
        if (!json) continue;
        if (strstr(json, "@bookTicker")) take_tick(replay, json);
        enum pt_verdict verdict =
            pt_decode_as(state, PT_DECODE_FAST, "BTCUSDT", json, strlen(json),
                         strtoll(line, NULL, 10) / (line[16] == ' ' ? 1 : 1000), take_book, replay,
                         &type, &why);
        CU_ASSERT(verdict != PT_MSG_REJECTED || strcmp(why, "bad_flag") == 0);
    }
    pt_buf_fini(&text);
}

static int by_id(const void *a, const void *b)
{
    int64_t x = ((const struct best *)a)->id, y = ((const struct best *)b)->id;
    return x < y ? -1 : x > y;
}

/* Best bid and ask of the rebuilt book against the bookTicker of the same update id. */
static void compare(const char *const *names, size_t nnames, size_t differences, size_t comparable)
{
    struct replay replay = { .nticks = 0 };
    struct pt_decoder *state;
    size_t compared = 0, equal = 0, max = 100000;
    OK(pt_decoder_new(&state, &kit_err));
    replay.ticks = calloc(max, sizeof *replay.ticks);
    replay.books = calloc(max, sizeof *replay.books);
    for (size_t i = 0; i < nnames; i++) {
        const char *path = kit_data(names[i]);
        if (!path) goto out;
        replay_file(&replay, path, state);
    }
    qsort(replay.ticks, replay.nticks, sizeof *replay.ticks, by_id);
    CU_ASSERT_EQUAL(replay.breaks, 0);
    CU_ASSERT_EQUAL(replay.nbooks, differences + 1); /* the snapshot's own */
    for (size_t i = 1; i < replay.nbooks; i++) {
        const struct best *tick =
            bsearch(&replay.books[i], replay.ticks, replay.nticks, sizeof *replay.ticks, by_id);
        if (!tick) continue;
        compared++;
        equal += strcmp(tick->text, replay.books[i].text) == 0;
    }
    printf("%zu of %zu ", equal, compared);
    CU_ASSERT_EQUAL(compared, comparable);
    CU_ASSERT_EQUAL(equal, comparable);
out:
    free(replay.ticks);
    free(replay.books);
    pt_decoder_free(state);
}

static void test_the_recorded_futures_book_has_the_recorded_best_prices(void)
{
    static const char *const names[] = { "captures/um_btcusdt_20230404.dat.gz",
                                         "captures/um_btcusdt_20230405.dat.gz" };
    compare(names, 2, 16110, 1565);
}

static void test_the_recorded_spot_book_has_the_recorded_best_prices(void)
{
    static const char *const names[] = { "captures/spot_btcusdt_20240808.gz" };
    compare(names, 1, 3449, 564);
}

static CU_TestInfo tests[] = {
    { "a snapshot is changed by what follows it", test_a_snapshot_is_changed_by_what_follows_it },
    { "without a snapshot differences are ignored",
      test_without_a_snapshot_differences_are_ignored },
    { "differences that came before their snapshot follow it",
      test_differences_that_came_before_their_snapshot_follow_it },
    { "old differences are dropped", test_old_differences_are_dropped },
    { "a gap breaks the book", test_a_gap_breaks_the_book },
    { "an overlap breaks the book", test_an_overlap_breaks_the_book },
    { "ids that run backwards break the book", test_ids_that_run_backwards_break_the_book },
    { "a late first difference breaks the book", test_a_late_first_difference_breaks_the_book },
    { "futures follow their own rules", test_futures_follow_their_own_rules },
    { "a partial book of futures sets the book", test_a_partial_book_of_futures_sets_the_book },
    { "levels behind the twentieth fill up", test_levels_behind_the_twentieth_fill_up },
    { "bad levels reject the message and the next one finds the break",
      test_bad_levels_reject_the_message_and_the_next_one_finds_the_break },
    { "a bad level far down rejects a snapshot", test_a_bad_level_far_down_rejects_a_snapshot },
    { "a book that cannot be is a break and rejected",
      test_a_book_that_cannot_be_is_a_break_and_rejected },
    { "an empty book of an exchange is no break", test_an_empty_book_of_an_exchange_is_no_break },
    { "what was not taken is told again", test_what_was_not_taken_is_told_again },
    { "another recording begins anew", test_another_recording_begins_anew },
    { "ids that begin anew heal", test_ids_that_begin_anew_heal },
    { "one bad difference does not spoil what waits",
      test_one_bad_difference_does_not_spoil_what_waits },
    { "what waits belongs to its minute", test_what_waits_belongs_to_its_minute },
    { "a change is never told before what it changes",
      test_a_change_is_never_told_before_what_it_changes },
    { "a series holds one market", test_a_series_holds_one_market },
    { "differences without a book are counted", test_differences_without_a_book_are_counted },
    { "waiting differences are counted as memory", test_waiting_differences_are_counted_as_memory },
    { "a snapshot without room is a break and rejected",
      test_a_snapshot_without_room_is_a_break_and_rejected },
    { "random differences give what a plain list gives",
      test_random_differences_give_what_a_plain_list_gives },
    { "the farthest levels give way", test_the_farthest_levels_give_way },
    { "rows of breaks come back from our own export only",
      test_rows_of_breaks_come_back_from_our_own_export_only },
    { "the recorded futures book has the recorded best prices",
      test_the_recorded_futures_book_has_the_recorded_best_prices },
    { "the recorded spot book has the recorded best prices",
      test_the_recorded_spot_book_has_the_recorded_best_prices },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("book", tests);
}
