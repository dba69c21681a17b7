/* Captured messages: the line forms, and the recordings against what independent scripts found in
 * them. */
#include "kit.h"

#define TRADE(id, ms)                                                                              \
    "{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":" ms                            \
    ",\"s\":\"BTCUSDT\",\"t\":" id ",\"p\":\"28165.47\",\"q\":\"0.5\",\"T\":" ms ",\"m\":true}}"
#define BOOK                                                                                       \
    "{\"lastUpdateId\":160,\"bids\":[[\"50000.0\",\"1.5\"]],\"asks\":[[\"50000.1\",\"0.8\"]]}"
#define NAMED_BOOK "{\"stream\":\"btcusdt@depth20@100ms\",\"data\":" BOOK "}"

static void test_receive_times_of_all_forms_are_read(void)
{
    static const struct {
        const char *prefix;
        int64_t us;
    } cases[] = {
        { "1680652800004107 ", 1680652800004107 },    /* us */
        { "1723161253937085768 ", 1723161253937085 }, /* ns */
        { "1680652800004 ", 1680652800004000 },       /* ms */
        { "1617566591.326123: ", 1617566591326123 },  /* s */
        { "1617566591.5: ", 1617566591500000 },
        { "1617566591.1234567 ", 1617566591123456 },
        { "2025-10-20T12:00:00.123456Z ", 1760961600123456 },
        { "2025-10-20 12:00:00,\t", 1760961600000000 },
        { "https://host/depth?symbol=ETHUSDT&limit=1000 -> 1617566592.1065369: ",
          1617566592106536 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct kit_file file;
        struct pt_buf text = { .data = NULL };
        pt_buf_printf(&text, "%s%s\n", cases[i].prefix, NAMED_BOOK);
        kit_read(&file, kit_write("a.jsonl", text.data, text.len));
        CU_ASSERT_EQUAL(file.nrejects, 0);
        CU_ASSERT_STRING_EQUAL(file.stats.layout, "capture");
        struct pt_frame *frame = kit_frame(&file, "depth_BTCUSDT");
        CU_ASSERT_PTR_NOT_NULL_FATAL(frame);
        CU_ASSERT_EQUAL(frame->val[PT_D_TIME][0], cases[i].us);
        pt_buf_fini(&text);
        kit_done(&file);
    }
}

static void test_a_book_without_symbol_takes_the_questions_or_the_hint(void)
{
    static struct kit_file file;
    const char *path =
        kit_text("b.txt", "wss://host/stream?streams=btcusdt@depth <-> 1617566590.378895\n"
                          "https://host/depth?limit=5&symbol=dotusdt -> 1617566592.1: " BOOK "\n"
                          "1617566592.5: " BOOK "\n");
    kit_read(&file, path);
    CU_ASSERT_EQUAL(file.nseries, 1);
    CU_ASSERT_PTR_NOT_NULL(kit_frame(&file, "depth_DOTUSDT"));
    CU_ASSERT_EQUAL_FATAL(file.nrejects, 1);
    CU_ASSERT_STRING_EQUAL(file.rejects[0].reason, "no_symbol");
    CU_ASSERT_EQUAL(file.rejects[0].line, 3);
    kit_done(&file);
    struct pt_read_hint hint = { .kind = -1, .symbol = "BTCUSDT" };
    kit_read_hinted(&file, path, &hint);
    CU_ASSERT_EQUAL(file.nrejects, 0);
    CU_ASSERT_PTR_NOT_NULL(kit_frame(&file, "depth_DOTUSDT"));
    CU_ASSERT_PTR_NOT_NULL(kit_frame(&file, "depth_BTCUSDT"));
    kit_done(&file);
}

static void test_a_hinted_kind_keeps_only_its_rows(void)
{
    static struct kit_file file;
    const char *path =
        kit_text("c.jsonl",
                 "1680652800004107 " TRADE("1", "1680652800000") "\n1680652800004108 " NAMED_BOOK
                                                                 "\n");
    struct pt_read_hint hint = { .kind = PT_DEPTH };
    kit_read_hinted(&file, path, &hint);
    CU_ASSERT_EQUAL(file.nseries, 1);
    CU_ASSERT_EQUAL(file.stats.rows, 1);
    CU_ASSERT_PTR_NOT_NULL(kit_frame(&file, "depth_BTCUSDT"));
    kit_done(&file);
}

static void test_bad_lines_are_named_and_the_others_taken(void)
{
    static struct kit_file file;
    kit_read(
        &file,
        kit_text(
            "d.jsonl",
            TRADE(
                "1",
                "1680652800000") "\nnot a message\n{\"e\":\"trade\"\n\nyesterday {\"e\":1}\n"
                                 "wss://host <-> 1617566590.3\n1680652800000 {\"code\":-1}\n" TRADE(
                                     "2", "1680652800000") "\n{\"e\":"));
    static const struct {
        uint64_t line;
        const char *reason;
    } want[] = { { 2, "no_message" },
                 { 3, "bad_json" },
                 { 5, "bad_prefix" },
                 { 7, "error_answer" },
                 { 9, "bad_json" } };
    CU_ASSERT_EQUAL(file.stats.rows, 2);
    CU_ASSERT_EQUAL_FATAL(file.nrejects, 5);
    for (size_t i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(file.rejects[i].line, want[i].line);
        CU_ASSERT_STRING_EQUAL(file.rejects[i].reason, want[i].reason);
    }
    kit_done(&file);
}

static void test_a_message_may_span_lines(void)
{
    static struct kit_file file;
    kit_read(&file,
             kit_text("e.json", "{\n  \"e\": \"trade\", \"E\": 1680652800000,\n  \"s\": "
                                "\"BTCUSDT\", \"t\": 7, \"p\": \"1\",\n"
                                "  \"q\": \"2\", \"T\": 1680652800000, \"m\": false\n}\n" TRADE(
                                    "8", "1680652800001") "\n{\n  \"e\": 1,\n"));
    CU_ASSERT_EQUAL(file.stats.rows, 2);
    CU_ASSERT_EQUAL_FATAL(file.nrejects, 1);
    CU_ASSERT_EQUAL(file.rejects[0].line, 7);
    CU_ASSERT_STRING_EQUAL(file.rejects[0].reason, "unfinished_message");
    kit_done(&file);
}

static void test_long_messages_are_taken_up_to_a_mebibyte(void)
{
    static struct kit_file file;
    struct pt_buf text = { .data = NULL };
    pt_buf_printf(&text, "%s\n", TRADE("1", "1680652800000"));
    for (int big = 0; big < 2; big++) { /* a book of many levels fits, one of too many does not */
        pt_buf_puts(&text, "{\"E\":1680652800000,\"s\":\"BTCUSDT\",\"lastUpdateId\":1,\"asks\":[["
                           "\"100001\",\"1\"]],\"bids\":[");
        for (int i = 0; i < (big ? 70000 : 40000); i++)
            pt_buf_printf(&text, "%s[\"%d.50\",\"1.00\"]", i ? "," : "", 100000 - i);
        pt_buf_puts(&text, "]}\n");
    }
    pt_buf_printf(&text, "%s\n", TRADE("2", "1680652800000"));
    kit_read(&file, kit_write("f.jsonl", text.data, text.len));
    CU_ASSERT_EQUAL(kit_frame(&file, "trades_BTCUSDT")->n, 2);
    CU_ASSERT_EQUAL(kit_frame(&file, "depth_BTCUSDT")->n, 1);
    CU_ASSERT_EQUAL_FATAL(file.nrejects, 1);
    CU_ASSERT_STRING_EQUAL(file.rejects[0].reason, "line_too_long");
    CU_ASSERT_EQUAL(file.rejects[0].line, 3);
    pt_buf_fini(&text);
    kit_done(&file);
}

static void test_torn_recordings_give_what_is_left(void)
{
    static struct kit_file file;
    const char *path = kit_data("captures/spot_btcusdt_20230405.dat.gz");
    struct pt_buf packed = { .data = NULL };
    if (!path) return;
    FILE *in = fopen(path, "rb");
    char block[65536];
    for (size_t n; (n = fread(block, 1, sizeof block, in)) > 0;) pt_buf_add(&packed, block, n);
    fclose(in);
    struct pt_read_hint hint = { .kind = -1 };
    kit_read_hinted(&file, kit_write("torn.dat.gz", packed.data, packed.len / 2), &hint);
    CU_ASSERT_EQUAL(file.rc, PT_EDAMAGE);
    CU_ASSERT(file.stats.rows > 1000 && file.stats.rows < 3144);
    CU_ASSERT(file.nrejects <= 1);
    if (file.nrejects) CU_ASSERT_STRING_EQUAL(file.rejects[0].reason, "unfinished_line");
    kit_done(&file);
    pt_buf_fini(&packed);
}

/* ---- the recordings ---- */

/* Trades of one symbol: their ids have no hole; returns how many. */
static size_t check_trades(struct kit_file *file, const char *series, const char *low,
                           const char *high)
{
    const struct pt_frame *frame = kit_frame(file, series);
    CU_ASSERT_PTR_NOT_NULL_FATAL(frame);
    size_t lowest = 0, highest = 0;
    for (size_t i = 0; i < frame->n; i++) {
        CU_ASSERT_PTR_NULL(pt_frame_check(frame, i, 0));
        if (i > 0) CU_ASSERT_EQUAL(frame->val[PT_T_ID][i], frame->val[PT_T_ID][i - 1] + 1);
        if (frame->val[PT_T_PRICE][i] < frame->val[PT_T_PRICE][lowest]) lowest = i;
        if (frame->val[PT_T_PRICE][i] > frame->val[PT_T_PRICE][highest]) highest = i;
    }
    CU_ASSERT_STRING_EQUAL(kit_cell(frame, PT_T_PRICE, lowest), low);
    CU_ASSERT_STRING_EQUAL(kit_cell(frame, PT_T_PRICE, highest), high);
    return frame->n;
}

/* All bars of a recording: how many messages, how many of them closing ones. */
static void count_bars(const struct kit_file *file, size_t *messages, size_t *closed)
{
    *messages = *closed = 0;
    for (size_t s = 0; s < file->nseries; s++) {
        const struct pt_batch *series = &file->series[s];
        if (series->key.kind != PT_CANDLES) continue;
        CU_ASSERT_EQUAL(series->key.period_us, PT_US_MIN);
        *messages += series->frame.n;
        for (size_t i = 0; i < series->frame.n; i++)
            *closed += series->frame.val[PT_C_CLOSED][i] == 1;
    }
}

static void test_the_spot_recordings_are_whole(void)
{
    static struct kit_file file;
    const char *path = kit_data("captures/spot_btcusdt_20230405.dat.gz");
    if (!path) return;
    kit_read(&file, path);
    CU_ASSERT_EQUAL(file.stats.lines, 15088);
    CU_ASSERT_EQUAL(file.nrejects, 0);
    CU_ASSERT_EQUAL(check_trades(&file, "trades_BTCUSDT", "28150.44000000", "28168.76000000"),
                    3144);
    CU_ASSERT_EQUAL(file.stats.rows, 3144);
    kit_done(&file);

    struct pt_read_hint hint = { .kind = -1, .symbol = "BTCUSDT" };
    kit_read_hinted(&file, kit_data("captures/spot_btcusdt_20240808.gz"), &hint);
    CU_ASSERT_EQUAL(file.stats.lines, 41249);
    CU_ASSERT_EQUAL(file.nrejects, 0);
    CU_ASSERT_EQUAL(check_trades(&file, "trades_BTCUSDT", "61583.22000000", "61860.80000000"),
                    9757);
    const struct pt_frame *book = kit_frame(&file, "depth_BTCUSDT");
    CU_ASSERT_PTR_NOT_NULL_FATAL(book);
    CU_ASSERT_EQUAL_FATAL(book->n, 1 + 3449); /* what the differences make of it */
    CU_ASSERT_EQUAL(book->val[PT_D_TIME][0],
                    INT64_C(1723161254206652)); /* its own time it does not say */
    CU_ASSERT_EQUAL(book->val[PT_D_UPDATE_ID][0], INT64_C(50093239218));
    CU_ASSERT_STRING_EQUAL(kit_cell(book, PT_D_BID_PRICE, 0), "61837.63000000");
    CU_ASSERT(book->val[PT_D_ASK_PRICE][19] != PT_MISSING);
    kit_done(&file);
}

static void test_the_futures_recordings_are_whole(void)
{
    static struct kit_file file;
    struct pt_read_hint hint = { .kind = -1, .symbol = "BTCUSDT" };
    const char *path = kit_data("captures/um_btcusdt_20230404.dat.gz");
    if (!path) return;
    kit_read_hinted(&file, path, &hint);
    CU_ASSERT_EQUAL(file.stats.lines, 13384);
    CU_ASSERT_EQUAL(file.nrejects, 0);
    CU_ASSERT_EQUAL(check_trades(&file, "trades_BTCUSDT", "28140.50", "28157.10"), 2197);
    CU_ASSERT_EQUAL(kit_frame(&file, "mark_prices_BTCUSDT")->n, 99);
    CU_ASSERT_EQUAL(kit_frame(&file, "depth_BTCUSDT")->n, 1 + 4322);
    CU_ASSERT_PTR_NULL(kit_frame(&file, "funding_rates_BTCUSDT"));
    kit_done(&file);
}

static void test_a_trade_of_the_insurance_fund_is_no_market_price(void)
{
    static struct kit_file file;
    const char *path = kit_data("captures/um_btcusdt_20230405.dat.gz");
    if (!path) return;
    kit_read(&file, path);
    CU_ASSERT_EQUAL(file.stats.lines, 60381);
    CU_ASSERT_EQUAL(file.nrejects, 0);
    const struct pt_frame *trades = kit_frame(&file, "trades_BTCUSDT");
    CU_ASSERT_PTR_NOT_NULL_FATAL(trades);
    CU_ASSERT_EQUAL(trades->n, 10738 - 1);
    size_t holes = 0;
    for (size_t i = 0; i < trades->n; i++) {
        CU_ASSERT(pt_dec_double(trades->val[PT_T_PRICE][i], trades->dig[PT_T_PRICE][i]) < 28700);
        if (i > 0) holes += trades->val[PT_T_ID][i] != trades->val[PT_T_ID][i - 1] + 1;
    }
    CU_ASSERT_EQUAL(holes, 1); /* where it was */
    CU_ASSERT_EQUAL(kit_frame(&file, "mark_prices_BTCUSDT")->n, 415);
    const struct pt_frame *funding = kit_frame(&file, "funding_rates_BTCUSDT");
    CU_ASSERT_PTR_NOT_NULL_FATAL(funding);
    CU_ASSERT_EQUAL_FATAL(funding->n, 1);
    CU_ASSERT_STRING_EQUAL(kit_row(funding, 0), "1680652800000000,0.00002760,28155.10000000");
    kit_done(&file);
}

static void test_bars_of_several_symbols_come_apart(void)
{
    static struct kit_file file;
    size_t messages, closed, trades = 0;
    const char *path = kit_data("captures/cryptofeed_spot_btc_eth_dot_20210404.txt.gz");
    if (!path) return;
    kit_read(&file, path);
    CU_ASSERT_EQUAL(file.nrejects, 0);
    count_bars(&file, &messages, &closed);
    CU_ASSERT_EQUAL(messages, 118);
    CU_ASSERT_EQUAL(closed, 3);
    trades += check_trades(&file, "trades_BTCUSDT", "57974.41000000", "58018.03000000");
    trades += check_trades(&file, "trades_DOTUSDT", "43.47860000", "43.53930000");
    trades += check_trades(&file, "trades_ETHUSDT", "2064.00000000", "2066.30000000");
    CU_ASSERT_EQUAL(trades, 1910);
    CU_ASSERT_EQUAL(kit_frame(&file, "depth_DOTUSDT")->n, 872);
    CU_ASSERT_EQUAL(kit_frame(&file, "depth_ETHUSDT")->n, 897);
    CU_ASSERT_EQUAL(kit_frame(&file, "depth_BTCUSDT")->n, 890);
    kit_done(&file);

    kit_read(&file, kit_data("captures/cryptofeed_um_4sym_20210722.ws.txt.gz"));
    CU_ASSERT_EQUAL(file.nrejects, 0);
    count_bars(&file, &messages, &closed);
    CU_ASSERT_EQUAL(messages, 67);
    CU_ASSERT_EQUAL(closed, 4);
    CU_ASSERT_EQUAL(file.stats.rows, 67 + 91);
    kit_done(&file);

    kit_read(&file, kit_data("captures/cryptofeed_um_4sym_20210722.http.txt.gz"));
    CU_ASSERT_EQUAL(file.nrejects, 0);
    CU_ASSERT_EQUAL(file.stats.rows, 4);
    CU_ASSERT_EQUAL(kit_frame(&file, "depth_KEEPUSDT")->val[PT_D_TIME][0],
                    INT64_C(1626992742012000));
    kit_done(&file);
}

static void test_single_messages_printed_over_lines(void)
{
    static const struct {
        const char *file, *series, *row;
    } cases[] = {
        { "miniTicker", "tickers_BTCUSDT",
          "1762578803031000,102339.76000000,104096.36000000,99260.86000000,102571.17000000,30195."
          "39867000,3065280135.28113970,,," },
        { "ticker", "tickers_BTCUSDT",
          "1745666522004000,93989.21000000,187440.90000000,21917.30000000,94160.00000000,2109."
          "00156000,199349146.64212320,"
          "170.79000000,0.182,80199" },
        { "trade", "trades_BTCUSDT",
          "1762578805372000,5455447976,102571.17000000,0.00100000,sell" },
    };
    for (size_t i = 0; i < 3; i++) {
        static struct kit_file file;
        char name[96];
        snprintf(name, sizeof name, "captures/single_messages/%s.json", cases[i].file);
        const char *path = kit_data(name);
        if (!path) return;
        kit_read(&file, path);
        CU_ASSERT_EQUAL(file.nrejects, 0);
        struct pt_frame *frame = kit_frame(&file, cases[i].series);
        CU_ASSERT_PTR_NOT_NULL_FATAL(frame);
        CU_ASSERT_STRING_EQUAL(kit_row(frame, 0), cases[i].row);
        kit_done(&file);
    }
    static struct kit_file file; /* a book that nobody wrote the time to */
    kit_read(&file, kit_data("captures/single_messages/bookDepthSnapshot.json"));
    CU_ASSERT_EQUAL_FATAL(file.nrejects, 1);
    CU_ASSERT_STRING_EQUAL(file.rejects[0].reason, "no_time");
    kit_done(&file);
}

static CU_TestInfo tests[] = {
    { "receive times of all forms are read", test_receive_times_of_all_forms_are_read },
    { "a book without symbol takes the question's or the hint",
      test_a_book_without_symbol_takes_the_questions_or_the_hint },
    { "a hinted kind keeps only its rows", test_a_hinted_kind_keeps_only_its_rows },
    { "bad lines are named and the others taken", test_bad_lines_are_named_and_the_others_taken },
    { "a message may span lines", test_a_message_may_span_lines },
    { "long messages are taken up to a mebibyte", test_long_messages_are_taken_up_to_a_mebibyte },
    { "torn recordings give what is left", test_torn_recordings_give_what_is_left },
    { "the spot recordings are whole", test_the_spot_recordings_are_whole },
    { "the futures recordings are whole", test_the_futures_recordings_are_whole },
    { "a trade of the insurance fund is no market price",
      test_a_trade_of_the_insurance_fund_is_no_market_price },
    { "bars of several symbols come apart", test_bars_of_several_symbols_come_apart },
    { "single messages printed over lines", test_single_messages_printed_over_lines },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("capture", tests);
}
