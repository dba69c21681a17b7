#include "data/decode_internal.h"
#include "kit.h"

#define TRADE                                                                                      \
    "{\"e\":\"trade\",\"E\":1760961600123,\"s\":\"BTCUSDT\",\"t\":5012345,\"p\":\"50000.10\","     \
    "\"q\":\"0.01200\",\"T\":1760961600120,\"m\":true,\"M\":true}"
#define KLINE                                                                                      \
    "{\"e\":\"kline\",\"E\":1760961600300,\"s\":\"BTCUSDT\",\"k\":{\"t\":1760958000000,\"T\":"     \
    "1760961599999,\"s\":\"BTCUSDT\","                                                             \
    "\"i\":\"1h\",\"f\":100,\"L\":200,\"o\":\"49900.0\",\"c\":\"50000.1\",\"h\":\"50100.0\","      \
    "\"l\":\"49850.0\",\"v\":\"123.45\","                                                          \
    "\"n\":101,\"x\":true,\"q\":\"6170000.0\",\"V\":\"60.1\",\"Q\":\"3000000.0\",\"B\":\"0\"}}"
#define TICKER                                                                                     \
    "{\"e\":\"24hrTicker\",\"E\":1760961600200,\"s\":\"BTCUSDT\",\"p\":\"-120.00\",\"P\":\"-0."    \
    "241\",\"w\":\"49950.3\","                                                                     \
    "\"x\":\"49880.1\",\"c\":\"50000.1\",\"Q\":\"0.012\",\"b\":\"50000.0\",\"B\":\"1.5\",\"a\":"   \
    "\"50000.1\",\"A\":\"0.8\","                                                                   \
    "\"o\":\"49880.1\",\"h\":\"50500.0\",\"l\":\"49100.0\",\"v\":\"12345.6\",\"q\":\"616000000."   \
    "0\",\"O\":1760875200199,"                                                                     \
    "\"C\":1760961600199,\"F\":1,\"L\":18150,\"n\":18150}"
#define BOOK                                                                                       \
    "{\"lastUpdateId\":160,\"bids\":[[\"50000.0\",\"1.5\"],[\"49999\",\"2\"]],\"asks\":[[\"50000." \
    "1\",\"0.8\"]]}"

static struct pt_decoder *decoder;
static struct pt_frame frames[PT_KINDS];
static struct pt_series_key keys[8];
static unsigned emitted;
static const char *type, *reason;

static bool collect(void *arg, const struct pt_record *record)
{
    (void)arg;
    if (emitted < 8) keys[emitted] = record->key;
    emitted++;
    OK(pt_frame_push(&frames[record->key.kind], record->val, record->dig));
    return true;
}

static void begin(void)
{
    OK(pt_decoder_new(&decoder, &kit_err));
    for (int k = 0; k < PT_KINDS; k++) pt_frame_init(&frames[k], pt_kind((enum pt_kind_id)k));
    emitted = 0;
}

static void end(void)
{
    pt_decoder_free(decoder);
    decoder = NULL;
    for (int k = 0; k < PT_KINDS; k++) pt_frame_fini(&frames[k]);
}

/* One message, in a block of its own so that reading past its end is seen. */
static enum pt_verdict decode_at(const char *json, int64_t recv_us)
{
    size_t len = strlen(json);
    char *copy = malloc(len ? len : 1);
    memcpy(copy, json, len);
    enum pt_verdict verdict = pt_decode(decoder, copy, len, recv_us, collect, NULL, &type, &reason);
    free(copy);
    return verdict;
}

static enum pt_verdict decode(const char *json)
{
    return decode_at(json, 0);
}

/* The only row that a message gives, as CSV; "" and the reason in `reason` when it gives none. */
static const char *row_of(const char *json, enum pt_kind_id kind)
{
    static char text[8192];
    begin();
    enum pt_verdict verdict = decode(json);
    text[0] = '\0';
    if (verdict == PT_MSG_ROWS) {
        CU_ASSERT_EQUAL_FATAL(frames[kind].n, 1);
        snprintf(text, sizeof text, "%s", kit_row(&frames[kind], 0));
    }
    CU_ASSERT_EQUAL(verdict == PT_MSG_REJECTED, reason != NULL);
    end();
    return text;
}

static const char *reason_of(const char *json)
{
    begin();
    enum pt_verdict verdict = decode(json);
    CU_ASSERT_EQUAL(emitted, 0);
    end();
    return verdict == PT_MSG_REJECTED ? reason : verdict == PT_MSG_IGNORED ? "ignored" : "rows";
}

static void test_each_type_gives_its_row(void)
{
    CU_ASSERT_STRING_EQUAL(row_of(TRADE, PT_TRADES),
                           "1760961600120000,5012345,50000.10,0.01200,sell");
    CU_ASSERT_STRING_EQUAL(type, "trade");
    CU_ASSERT_STRING_EQUAL(row_of("{\"e\":\"aggTrade\",\"E\":1760961600123,\"s\":\"BTCUSDT\",\"a\":"
                                  "900123,\"p\":\"50000.10\",\"q\":\"0.012\","
                                  "\"f\":5012344,\"l\":5012345,\"T\":1760961600120,\"m\":false}",
                                  PT_TRADES),
                           "1760961600120000,900123,50000.10,0.012,buy");
    CU_ASSERT_STRING_EQUAL(type, "aggTrade");
    CU_ASSERT_STRING_EQUAL(row_of(TICKER, PT_TICKERS),
                           "1760961600200000,49880.1,50500.0,49100.0,50000.1,12345.6,616000000.0,-"
                           "120.00,-0.241,18150");
    CU_ASSERT_STRING_EQUAL(type, "ticker");
    CU_ASSERT_STRING_EQUAL(
        row_of("{\"e\":\"24hrMiniTicker\",\"E\":1760961600200,\"s\":\"BTCUSDT\",\"c\":\"50000.1\","
               "\"o\":\"49880.1\","
               "\"h\":\"50500.0\",\"l\":\"49100.0\",\"v\":\"12345.6\",\"q\":\"616000000.0\"}",
               PT_TICKERS),
        "1760961600200000,49880.1,50500.0,49100.0,50000.1,12345.6,616000000.0,,,");
    CU_ASSERT_STRING_EQUAL(
        row_of(KLINE, PT_CANDLES),
        "1760958000000000,49900.0,50100.0,49850.0,50000.1,123.45,6170000.0,101,60.1,3000000.0,1");
    CU_ASSERT_STRING_EQUAL(type, "kline");
    CU_ASSERT_STRING_EQUAL(row_of("{\"e\":\"markPriceUpdate\",\"E\":1760961600000,\"s\":"
                                  "\"BTCUSDT\",\"p\":\"50001.2\",\"i\":\"50000.9\","
                                  "\"P\":\"50002.0\",\"r\":\"0.00010000\",\"T\":1760976000000}",
                                  PT_MARKS),
                           "1760961600000000,50001.2,50000.9,50002.0,0.00010000,1760976000000000");
    CU_ASSERT_STRING_EQUAL(row_of("{\"e\":\"markPriceUpdate\",\"E\":1760961600000,\"s\":\"BTCUSDT_"
                                  "251226\",\"p\":\"50001.2\",\"i\":\"50000.9\","
                                  "\"P\":\"50002.0\",\"r\":\"\",\"T\":0}",
                                  PT_MARKS),
                           "1760961600000000,50001.2,50000.9,50002.0,,");
}

static void test_all_three_wrappings_are_understood(void)
{
    const char *plain = row_of(TRADE, PT_TRADES);
    char want[256];
    snprintf(want, sizeof want, "%s", plain);
    CU_ASSERT_STRING_EQUAL(row_of("{\"stream\":\"btcusdt@trade\",\"data\":" TRADE "}", PT_TRADES),
                           want);
    CU_ASSERT_STRING_EQUAL(row_of("{\"data\":" TRADE ",\"stream\":\"btcusdt@trade\"}", PT_TRADES),
                           want);
    CU_ASSERT_STRING_EQUAL(row_of(" { \"stream\" : \"btcusdt@trade\" ,\n \"data\" : " TRADE
                                  " , "
                                  "\"timestamp\":\"2025-10-20T12:00:00.123456Z\",\"message_id\":"
                                  "\"6f1c0b1e\",\"source\":\"binance-websocket\","
                                  "\"version\":\"1.0\",\"_otel_trace_headers\":{\"traceparent\":"
                                  "\"00-ab-cd-01\",\"deep\":[[{}]]}}\n",
                                  PT_TRADES),
                           want);
    CU_ASSERT_STRING_EQUAL(
        row_of("{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":1760961600123,"
               "\"symbol\":\"btcusdt\",\"t\":5012345,"
               "\"p\":50000.10,\"q\":\"0.01200\",\"T\":1760961600120,\"m\":true}}",
               PT_TRADES),
        want);
}

static void test_the_symbol_comes_from_the_message_before_the_stream(void)
{
    begin();
    CU_ASSERT_EQUAL(decode("{\"stream\":\"ethusdt@trade\",\"data\":" TRADE "}"), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(keys[0].symbol, "BTCUSDT");
    CU_ASSERT_EQUAL(decode_at("{\"stream\":\"ethusdt@depth20@100ms\",\"data\":" BOOK "}", 7),
                    PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(keys[1].symbol, "ETHUSDT");
    CU_ASSERT_EQUAL(keys[1].period_us, 0);
    end();
    CU_ASSERT_STRING_EQUAL(reason_of(BOOK), "no_symbol");
    CU_ASSERT_STRING_EQUAL(reason_of("{\"e\":\"trade\",\"s\":\"BTC-USDT\",\"t\":1,\"p\":\"1\","
                                     "\"q\":\"1\",\"T\":1760961600120,\"m\":true}"),
                           "bad_symbol");
    CU_ASSERT_STRING_EQUAL(reason_of("{\"e\":\"trade\",\"s\":7,\"t\":1,\"p\":\"1\",\"q\":\"1\","
                                     "\"T\":1760961600120,\"m\":true}"),
                           "bad_symbol");
}

static void test_ids_beyond_doubles_stay_exact(void)
{
    const char *ids[] = { "9007199254740993", "9223372036854775807", "4611686018427387905" };
    for (size_t i = 0; i < 3; i++) {
        char json[512];
        snprintf(json, sizeof json,
                 "{\"e\":\"trade\",\"s\":\"BTCUSDT\",\"t\":%s,\"p\":\"1\",\"q\":\"1\",\"T\":"
                 "1760961600120,\"m\":true}",
                 ids[i]);
        CU_ASSERT_PTR_NOT_NULL(strstr(row_of(json, PT_TRADES), ids[i]));
        /* an escape sends it the long way, which must not lose it either */
        snprintf(json, sizeof json,
                 "{\"e\":\"tr\\u0061de\",\"s\":\"BTCUSDT\",\"t\":%s,\"p\":\"1\",\"q\":\"1\",\"T\":"
                 "1760961600120,\"m\":true}",
                 ids[i]);
        CU_ASSERT_PTR_NOT_NULL(strstr(row_of(json, PT_TRADES), ids[i]));
    }
    CU_ASSERT_STRING_EQUAL(reason_of("{\"e\":\"trade\",\"s\":\"BTCUSDT\",\"t\":9223372036854775808,"
                                     "\"p\":\"1\",\"q\":\"1\",\"T\":1760961600120,\"m\":true}"),
                           "decimal_out_of_range");
}

static void test_times_of_every_unit_are_told_by_their_size(void)
{
    const struct {
        const char *time, *us;
    } cases[] = { { "1760961600", "1760961600000000" },
                  { "1760961600120", "1760961600120000" },
                  { "1760961600120345", "1760961600120345" },
                  { "1760961600120345678", "1760961600120345" } };
    for (size_t i = 0; i < 4; i++) {
        char json[512];
        snprintf(json, sizeof json,
                 "{\"e\":\"trade\",\"s\":\"BTCUSDT\",\"t\":1,\"p\":\"1\",\"q\":\"1\",\"T\":%s,"
                 "\"m\":true}",
                 cases[i].time);
        CU_ASSERT_EQUAL(strncmp(row_of(json, PT_TRADES), cases[i].us, 16), 0);
    }
}

static void test_growing_bars_are_open_and_closing_ones_closed(void)
{
    char json[1024];
    snprintf(json, sizeof json, "%s", KLINE);
    memcpy(strstr(json, "\"x\":true"), "\"x\":null", 8);
    CU_ASSERT_STRING_EQUAL(reason_of(json), "bad_flag");
    char *x = strstr(json, "\"x\":null");
    memmove(x + 9, x + 8, strlen(x + 8) + 1);
    memcpy(x, "\"x\":false", 9);
    const char *row = row_of(json, PT_CANDLES);
    CU_ASSERT_EQUAL(row[strlen(row) - 1], '0');
    begin();
    decode(KLINE);
    CU_ASSERT_EQUAL(keys[0].period_us, H1);
    end();
}

static void test_books_keep_twenty_levels_and_their_time(void)
{
    struct pt_buf json = { .data = NULL };
    pt_buf_puts(&json, "{\"stream\":\"btcusdt@depth20@100ms\",\"data\":{\"e\":\"depthUpdate\","
                       "\"E\":1760961600100,\"T\":1760961600095,"
                       "\"s\":\"BTCUSDT\",\"U\":157,\"u\":160,\"pu\":149,\"b\":[");
    for (int i = 0; i < 30; i++)
        pt_buf_printf(&json, "%s[\"%d.0\",\"%d\"]", i ? "," : "", 1000 - i, i);
    pt_buf_puts(&json, "],\"a\":[[\"1000.5\",\"0.5\"],[\"1001.5\",\"1.5\"]]}}");
    begin();
    CU_ASSERT_EQUAL(decode(json.data), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(type, "depth");
    const struct pt_frame *frame = &frames[PT_DEPTH];
    CU_ASSERT_EQUAL_FATAL(frame->n, 1);
    CU_ASSERT_EQUAL(frame->val[PT_D_TIME][0], INT64_C(1760961600095000));
    CU_ASSERT_EQUAL(frame->val[PT_D_UPDATE_ID][0], 160);
    for (int i = 0; i < PT_DEPTH_LEVELS; i++) {
        CU_ASSERT_EQUAL(frame->val[PT_D_BID_PRICE][i], (1000 - i) * 10);
        CU_ASSERT_EQUAL(frame->val[PT_D_BID_QUANTITY][i], i);
        CU_ASSERT_EQUAL(frame->val[PT_D_ASK_PRICE][i], i == 0   ? 10005
                                                       : i == 1 ? 10015
                                                                : PT_MISSING);
        CU_ASSERT_EQUAL(frame->val[PT_D_ASK_QUANTITY][i], i == 0 ? 5 : i == 1 ? 15 : PT_MISSING);
    }
    end();
    pt_buf_fini(&json);
}

static void test_a_book_without_time_takes_the_producers_then_ours(void)
{
#define ENVELOPED                                                                                  \
    "{\"stream\":\"btcusdt@depth20@100ms\",\"data\":" BOOK                                         \
    ",\"timestamp\":\"2025-10-20T12:00:00.5Z\"}"
    begin();
    CU_ASSERT_EQUAL(decode_at(ENVELOPED, 42), PT_MSG_ROWS);
    CU_ASSERT_EQUAL(decode_at("{\"stream\":\"btcusdt@depth20@100ms\",\"data\":" BOOK "}", 42),
                    PT_MSG_ROWS);
    CU_ASSERT_EQUAL(frames[PT_DEPTH].val[PT_D_TIME][0], INT64_C(1760961600500000));
    CU_ASSERT_EQUAL(frames[PT_DEPTH].val[PT_D_TIME][1], 42);
    end();
    CU_ASSERT_STRING_EQUAL(reason_of("{\"stream\":\"btcusdt@depth20@100ms\",\"data\":" BOOK "}"),
                           "no_time");
}

static void test_books_that_cannot_be_are_rejected(void)
{
    const struct {
        const char *bids, *asks, *reason;
    } cases[] = {
        { "[]", "[[\"2\",\"1\"]]", "empty_book" },
        { "[[\"1\",\"1\"]]", "[]", "empty_book" },
        { "[[\"2\",\"1\"]]", "[[\"2\",\"1\"]]", "locked_book" },
        { "[[\"3\",\"1\"]]", "[[\"2\",\"1\"]]", "crossed_book" },
        { "[[\"1\",\"1\"],[\"1.5\",\"1\"]]", "[[\"2\",\"1\"]]", "unsorted_book" },
        { "[[\"1\",\"1\"]]", "[[\"2\",\"1\"],[\"2.0\",\"1\"]]", "unsorted_book" },
        { "[[\"0\",\"1\"]]", "[[\"2\",\"1\"]]", "price_not_positive" },
        { "[[\"1\",\"-1\"]]", "[[\"2\",\"1\"]]", "negative_quantity" },
        { "[[\"1\"]]", "[[\"2\",\"1\"]]", "bad_level" },
        { "[1,2]", "[[\"2\",\"1\"]]", "bad_level" },
        { "[[\"1\",null]]", "[[\"2\",\"1\"]]", "bad_level" },
        { "[[\"x\",\"1\"]]", "[[\"2\",\"1\"]]", "unreadable_number" },
        { "7", "[[\"2\",\"1\"]]", "bad_level" },
        { "[[\"1\",\"1\",[]]]", "[[2,1,\"old\"]]", "rows" }, /* answers of old had a third member */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[512];
        snprintf(
            json, sizeof json,
            "{\"E\":1760961600100,\"s\":\"BTCUSDT\",\"lastUpdateId\":1,\"bids\":%s,\"asks\":%s}",
            cases[i].bids, cases[i].asks);
        begin();
        enum pt_verdict verdict = decode(json);
        CU_ASSERT_STRING_EQUAL(verdict == PT_MSG_ROWS ? "rows" : reason, cases[i].reason);
        CU_ASSERT_EQUAL(emitted, verdict == PT_MSG_ROWS);
        end();
    }
}

static void test_what_is_known_but_not_kept_is_ignored(void)
{
    const struct {
        const char *json, *type;
    } cases[] = {
        { "{\"result\":null,\"id\":1}", "answer" },
        { "{\"service\":\"socket-client\",\"timestamp\":1760961600.5,\"version\":\"1.0.0\","
          "\"status\":\"healthy\"}",
          "heartbeat" },
        { "{\"u\":400900217,\"s\":\"BTCUSDT\",\"b\":\"50000.0\",\"B\":\"1.5\",\"a\":\"50000.1\","
          "\"A\":\"0.8\"}",
          "bookTicker" },
        { "{\"e\":\"bookTicker\",\"u\":400900217,\"s\":\"BTCUSDT\",\"b\":\"50000.0\",\"B\":\"1.5\","
          "\"a\":\"50000.1\",\"A\":\"0.8\",\"T\":1,\"E\":2}",
          "bookTicker" },
        { "{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"BTCUSDT\",\"U\":1,\"u\":2,\"b\":[],\"a\":[[\"1\","
          "\"0\"]]}",
          "depthUpdate" },
        { "{\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":1,\"s\":"
          "\"BTCUSDT\",\"U\":1,\"u\":2,\"b\":[],\"a\":[]}}",
          "depthUpdate" },
        { "{\"e\":\"trade\",\"E\":1680652800016,\"T\":1680652800009,\"s\":\"BTCUSDT\",\"t\":1,"
          "\"p\":\"28722.50\",\"q\":\"1\",\"X\":\"INSURANCE_FUND\",\"m\":true}",
          "trade" },
        { "{\"e\":\"trade\",\"E\":1680652800016,\"T\":1680652800009,\"s\":\"BTCUSDT\",\"t\":1,"
          "\"p\":\"0\",\"q\":\"0\",\"X\":\"NA\",\"m\":true}",
          "trade" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CU_ASSERT_STRING_EQUAL(reason_of(cases[i].json), "ignored");
        CU_ASSERT_STRING_EQUAL(type, cases[i].type);
    }
}

static void test_what_is_no_message_is_rejected_with_a_reason(void)
{
    const struct {
        const char *json, *reason;
    } cases[] = {
        { "", "bad_json" },
        { "null", "bad_json" },
        { "[]", "bad_json" },
        { "{", "bad_json" },
        { "{\"e\":\"trade\"", "bad_json" },
        { "{\"e\":\"trade\",}", "bad_json" },
        { TRADE TRADE, "bad_json" },
        { TRADE "x", "bad_json" },
        { "{\"e\":\"trade\",1:2}", "bad_json" },
        { "{\"e\":\"trade\",\"t\":01}", "bad_json" },
        { "{\"e\":\"trade\",\"t\":1.}", "bad_json" },
        { "{\"e\":\"tra\nde\"}", "bad_json" },
        { "{\"e\":\"trade\\u0000x\"}", "bad_json" },
        { "{\"e\":\"trade\",\"t\":NaN}", "bad_json" },
        { "\xef\xbb\xbf{}", "bad_json" },
        { "{}", "unknown_type" },
        { "{\"e\":\"forceOrder\",\"o\":{}}", "unknown_type" },
        { "{\"e\":7}", "unknown_type" },
        { "{\"stream\":\"x\",\"data\":[]}", "unknown_type" },
        { "{\"code\":-1121,\"msg\":\"Invalid symbol.\"}", "error_answer" },
        { "{\"e\":\"kline\",\"s\":\"BTCUSDT\",\"k\":7}", "no_bar" },
        { "{\"e\":\"kline\",\"s\":\"BTCUSDT\",\"k\":{\"i\":\"1M\"}}", "unknown_period" },
        { "{\"e\":\"trade\",\"s\":\"BTCUSDT\",\"p\":\"1\",\"q\":\"1\",\"T\":1760961600120,\"m\":"
          "true}",
          "value_missing" },
        { "{\"e\":\"trade\",\"s\":\"BTCUSDT\",\"t\":1,\"p\":\"1\",\"q\":\"1\",\"m\":true}",
          "value_missing" },
        { "{\"e\":\"trade\",\"s\":\"BTCUSDT\",\"t\":1,\"p\":\"1\",\"q\":\"1\",\"T\":1760961600120}",
          "bad_flag" },
        { "{\"e\":\"trade\",\"s\":\"BTCUSDT\",\"t\":1.5,\"p\":\"1\",\"q\":\"1\",\"T\":"
          "1760961600120,\"m\":true}",
          "not_a_whole_number" },
        { "{\"e\":\"trade\",\"s\":\"BTCUSDT\",\"t\":1,\"p\":\"-1\",\"q\":\"1\",\"T\":1760961600120,"
          "\"m\":true}",
          "price_not_positive" },
        { "{\"e\":\"trade\",\"s\":\"BTCUSDT\",\"t\":1,\"p\":true,\"q\":\"1\",\"T\":1760961600120,"
          "\"m\":true}",
          "unreadable_number" },
        { "{\"e\":\"trade\",\"s\":\"BTCUSDT\",\"t\":1,\"p\":\"1e30\",\"q\":\"1\",\"T\":"
          "1760961600120,\"m\":true}",
          "decimal_out_of_range" },
        { "{\"e\":\"trade\",\"s\":\"BTCUSDT\",\"t\":1,\"p\":\"1\",\"q\":\"-1\",\"T\":1760961600120,"
          "\"m\":true}",
          "negative_quantity" },
        { "{\"e\":\"trade\",\"s\":\"BTCUSDT\",\"t\":1,\"p\":\"1\",\"q\":\"1\",\"T\":-5,\"m\":true}",
          "time_out_of_range" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *got = reason_of(cases[i].json);
        if (strcmp(got, cases[i].reason) != 0) printf("\n  %s: %s ", cases[i].json, got);
        CU_ASSERT_STRING_EQUAL(got, cases[i].reason);
    }
    struct pt_buf deep = { .data = NULL };
    pt_buf_puts(&deep, "{\"e\":");
    for (int i = 0; i < 200000; i++) pt_buf_putc(&deep, '[');
    CU_ASSERT_STRING_EQUAL(reason_of(deep.data), "bad_json");
    pt_buf_fini(&deep);
}

#define MARK(T, E, rate, mark)                                                                     \
    "{\"e\":\"markPriceUpdate\",\"E\":" #E ",\"s\":\"BTCUSDT\",\"p\":\"" mark                      \
    "\",\"i\":\"1\",\"P\":\"1\",\"r\":\"" rate "\",\"T\":" #T "}"

static void test_funding_is_paid_when_its_time_moves_on(void)
{
    begin();
    decode(MARK(1680652800000, 1680652798000, "0.00002750", "28155.0"));
    decode(MARK(1680652800000, 1680652799000, "0.00002760", "28155.1"));
    CU_ASSERT_EQUAL(frames[PT_FUNDING].n, 0);
    decode(MARK(1680681600000, 1680652801000, "0.00009999", "28155.2"));
    CU_ASSERT_EQUAL_FATAL(frames[PT_FUNDING].n, 1);
    CU_ASSERT_STRING_EQUAL(kit_row(&frames[PT_FUNDING], 0), "1680652800000000,0.00002760,28155.1");
    CU_ASSERT_EQUAL(frames[PT_MARKS].n, 3);
    CU_ASSERT_EQUAL(keys[2].kind, PT_MARKS); /* the mark price first, then the payment */
    CU_ASSERT_EQUAL(keys[3].kind, PT_FUNDING);
    decode(MARK(1680652800000, 1680652799500, "0.5", "1")); /* a late one changes nothing */
    decode(MARK(1680710400000, 1680681601000, "0.1", "1"));
    CU_ASSERT_EQUAL_FATAL(frames[PT_FUNDING].n, 2);
    CU_ASSERT_STRING_EQUAL(kit_row(&frames[PT_FUNDING], 1), "1680681600000000,0.00009999,28155.2");
    end();
}

static void test_a_made_up_stream_name_is_believed_while_prices_agree(void)
{
#define PRICE(symbol, price)                                                                       \
    "{\"e\":\"trade\",\"E\":1760961600123,\"s\":\"" symbol "\",\"t\":1,\"p\":\"" price             \
    "\",\"q\":\"1\",\"T\":1760961600120,\"m\":true}"
#define SOLD(bid, ask)                                                                             \
    "{\"stream\":\"btcusdt@depth20@100ms\",\"data\":{\"lastUpdateId\":1,\"bids\":[[\"" bid         \
    "\",\"1\"]],\"asks\":[[\"" ask "\",\"1\"]]},"                                                  \
    "\"timestamp\":\"2025-10-20T12:00:00Z\",\"message_id\":\"x\"}"
    begin();
    decode(PRICE("BTCUSDT", "50000"));
    decode(PRICE("ETHUSDT", "4000"));
    decode(PRICE("SOLUSDT", "200"));
    emitted = 0;
    CU_ASSERT_EQUAL(decode(SOLD("50100", "50101")), PT_MSG_ROWS);
    CU_ASSERT_STRING_EQUAL(keys[0].symbol, "BTCUSDT");
    CU_ASSERT_EQUAL(decode(SOLD("4001", "4002")), PT_MSG_ROWS); /* Ether's, under the wrong name */
    CU_ASSERT_STRING_EQUAL(keys[1].symbol, "ETHUSDT");
    CU_ASSERT_EQUAL(decode(SOLD("9000", "9001")), PT_MSG_REJECTED); /* nobody's */
    CU_ASSERT_STRING_EQUAL(reason, "symbol_doubtful");
    decode(PRICE("BNBUSDT", "201"));
    CU_ASSERT_EQUAL(decode(SOLD("200", "201")), PT_MSG_REJECTED); /* of two */
    CU_ASSERT_STRING_EQUAL(reason, "symbol_doubtful");
    end();
}

static bool stop(void *arg, const struct pt_record *record)
{
    (void)record;
    ++*(int *)arg;
    return false;
}

static void test_a_receiver_may_stop(void)
{
    int seen = 0;
    begin();
    const char *first = MARK(1680652800000, 1680652798000, "0.1", "1"),
               *second = MARK(1680681600000, 1680652801000, "0.1", "1");
    pt_decode(decoder, first, strlen(first), 0, stop, &seen, &type, &reason);
    CU_ASSERT_EQUAL(pt_decode(decoder, second, strlen(second), 0, stop, &seen, &type, &reason),
                    PT_MSG_ROWS);
    CU_ASSERT_EQUAL(seen, 2); /* the mark price of each, not the funding behind the second */
    end();
}

/* ---- two ways, one result ---- */

static struct pt_record recorded[2][4];
static unsigned nrecorded[2];

static bool record_it(void *arg, const struct pt_record *record)
{
    unsigned way = *(unsigned *)arg;
    recorded[way][nrecorded[way]++] = *record;
    return true;
}

/* True when the flat scanner took it. */
static bool same_both_ways(const char *json, size_t len)
{
    const char *types[2], *reasons[2];
    enum pt_verdict verdicts[2];
    for (unsigned way = 0; way < 2; way++) {
        struct pt_decoder *fresh;
        OK(pt_decoder_new(&fresh, &kit_err));
        nrecorded[way] = 0;
        verdicts[way] = pt_decode_as(fresh, way ? PT_DECODE_TREE_ONLY : PT_DECODE_SCAN_ONLY, "",
                                     json, len, 42, record_it, &way, &types[way], &reasons[way]);
        pt_decoder_free(fresh);
    }
    if (verdicts[0] == PT_MSG_REJECTED && strcmp(reasons[0], "unusual") == 0) return false;
    CU_ASSERT_EQUAL(verdicts[0], verdicts[1]);
    CU_ASSERT_STRING_EQUAL(types[0], types[1]);
    if (verdicts[0] == PT_MSG_REJECTED) CU_ASSERT_STRING_EQUAL(reasons[0], reasons[1]);
    CU_ASSERT_EQUAL_FATAL(nrecorded[0], nrecorded[1]);
    for (unsigned i = 0; i < nrecorded[0]; i++) {
        const struct pt_record *a = &recorded[0][i], *b = &recorded[1][i];
        const struct pt_kind *kind = pt_kind(a->key.kind);
        CU_ASSERT_EQUAL(memcmp(&a->key, &b->key, sizeof a->key), 0);
        for (unsigned c = 0, cell = 0; c < kind->ncols; c++) {
            for (unsigned w = 0; w < kind->cols[c].width; w++, cell++) {
                CU_ASSERT_EQUAL(a->val[cell], b->val[cell]);
                if (kind->cols[c].type == PT_TYPE_DEC) CU_ASSERT_EQUAL(a->dig[cell], b->dig[cell]);
            }
        }
    }
    return true;
}

static const char *const samples[] = { TRADE,
                                       KLINE,
                                       TICKER,
                                       BOOK,
                                       ENVELOPED,
                                       MARK(1680652800000, 1680652798000, "0.1", "1"),
                                       "{\"stream\":\"btcusdt@kline_1h\",\"data\":" KLINE "}" };

static void test_scanner_and_tree_agree_on_changed_messages(void)
{
    uint64_t seed = 17;
    unsigned scanned = 0;
    for (int round = 0; round < 30000; round++) {
        char json[2048];
        const char *sample = samples[kit_random(&seed) % (sizeof samples / sizeof *samples)];
        size_t len = strlen(sample);
        memcpy(json, sample, len + 1);
        for (uint64_t n = kit_random(&seed) % 4; n > 0; n--)
            json[kit_random(&seed) % len] = "\"\\{}[],:0159.-+eEtfnabkx \t"[kit_random(&seed) % 26];
        scanned +=
            same_both_ways(json, len - (kit_random(&seed) % 8 == 0 ? kit_random(&seed) % len : 0));
    }
    CU_ASSERT(scanned > 8000);
}

static void test_the_scanner_takes_all_recorded_messages_and_agrees_with_the_tree(void)
{
    const char *names[] = { "captures/um_btcusdt_20230404.dat.gz",
                            "captures/spot_btcusdt_20240808.gz",
                            "captures/cryptofeed_um_4sym_20210722.ws.txt.gz" };
    for (size_t f = 0; f < 3; f++) {
        struct pt_buf text = { .data = NULL };
        const char *path = kit_data(names[f]);
        size_t messages = 0;
        if (!path) return;
        kit_slurp(path, &text);
        for (char *line = text.data, *next; line && *line && messages < 6000; line = next) {
            next = strchr(line, '\n');
            if (next) *next++ = '\0';
            char *json = strchr(line, '{');
            if (!json) continue;
            CU_ASSERT(same_both_ways(json, strlen(json)));
            messages++;
        }
        CU_ASSERT(messages > 1000);
        pt_buf_fini(&text);
    }
}

static CU_TestInfo tests[] = {
    { "each type gives its row", test_each_type_gives_its_row },
    { "all three wrappings are understood", test_all_three_wrappings_are_understood },
    { "the symbol comes from the message before the stream",
      test_the_symbol_comes_from_the_message_before_the_stream },
    { "ids beyond doubles stay exact", test_ids_beyond_doubles_stay_exact },
    { "times of every unit are told by their size",
      test_times_of_every_unit_are_told_by_their_size },
    { "growing bars are open and closing ones closed",
      test_growing_bars_are_open_and_closing_ones_closed },
    { "books keep twenty levels and their time", test_books_keep_twenty_levels_and_their_time },
    { "a book without time takes the producer's, then ours",
      test_a_book_without_time_takes_the_producers_then_ours },
    { "books that cannot be are rejected", test_books_that_cannot_be_are_rejected },
    { "what is known but not kept is ignored", test_what_is_known_but_not_kept_is_ignored },
    { "what is no message is rejected with a reason",
      test_what_is_no_message_is_rejected_with_a_reason },
    { "funding is paid when its time moves on", test_funding_is_paid_when_its_time_moves_on },
    { "a made-up stream name is believed while prices agree",
      test_a_made_up_stream_name_is_believed_while_prices_agree },
    { "a receiver may stop", test_a_receiver_may_stop },
    { "scanner and tree agree on changed messages",
      test_scanner_and_tree_agree_on_changed_messages },
    { "the scanner takes all recorded messages and agrees with the tree",
      test_the_scanner_takes_all_recorded_messages_and_agrees_with_the_tree },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("decode", tests);
}
