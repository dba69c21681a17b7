/* The recorded candle files: counts, gaps and digits as they were found by independent scripts. */
#include "kit.h"

enum columns { DUMP12, REST9, KLINE8, TEXT12 };

/* Column of the file -> column of a candle, by layout; 0 = not kept. */
static const unsigned char kept[][12] = {
    [DUMP12] = { 0, 1, 2, 3, 4, 5, 0, 6, 7, 8, 9, 0 },
    [REST9] = { 0, 1, 2, 3, 4, 5, 6, 7, 0 },
    [KLINE8] = { 0, 1, 2, 3, 4, 5, 6, 0 },
    [TEXT12] = { 0, 1, 2, 3, 4, 5, 0, 6, 7, 8, 9, 0 },
};

struct known_file {
    const char *path, *series, *layout;
    enum columns columns;
    bool header;
    size_t rows, gaps, missing, zero_volume;
    const char *first, *last, *low, *high;
};

static const struct known_file files[] = {
#define SPOT_1H(s, low, high)                                                                      \
    {                                                                                              \
        "klines/spot_1h/" s "USDT_1h_2021.csv", "candles_" s "USDT_1h", "kline8", KLINE8, true,    \
            8747, 6, 13, 1, "2021-01-01T00:00:00Z", "2021-12-31T23:00:00Z", low, high              \
    }
    SPOT_1H("ADA", "0.16793", "3.101"),
    SPOT_1H("BNB", "35.0374", "691.77"),
    SPOT_1H("BTC", "28130", "69000"),
    SPOT_1H("ETH", "714.29", "4868"),
    SPOT_1H("SOL", "1.499", "259.9"),
#define SPOT_1D(s, rows, first, low, high)                                                         \
    {                                                                                              \
        "klines/spot_1d/" s "USDT_1d_to_2021.csv", "candles_" s "USDT_1d", "kline8", KLINE8, true, \
            rows, 0, 0, 0, first "T00:00:00Z", "2021-12-31T00:00:00Z", low, high                   \
    }
    SPOT_1D("ADA", 1355, "2018-04-17", "0.01765", "3.101"),
    SPOT_1D("BNB", 1517, "2017-11-06", "0.5", "691.77"),
    SPOT_1D("BTC", 1598, "2017-08-17", "2817", "69000"),
    SPOT_1D("ETH", 1598, "2017-08-17", "81.79", "4868"),
    SPOT_1D("SOL", 508, "2020-08-11", "1.0301", "259.9"),
#define UM_1H(s, first, last, low, high)                                                           \
    {                                                                                              \
        "klines/um_1h/" s "USDT_1h.csv", "candles_" s "USDT_1h", "rest9", REST9, true, 4500, 0, 0, \
            0, "2025-09-13T" first ":00:00Z", "2026-03-19T" last ":00:00Z", low, high              \
    }
    UM_1H("ADA", "08", "19", "0.2204", "0.9542"),
    UM_1H("BNB", "08", "19", "572", "1374.61"),
    UM_1H("BTC", "08", "19", "59800", "126208.5"),
    UM_1H("ETH", "08", "19", "1736.02", "4754"),
    UM_1H("SOL", "09", "20", "67.29", "253.49"),
#define UM_4H(s, first, last, low, high)                                                           \
    {                                                                                              \
        "klines/um_4h/" s "USDT_4h.csv.gz", "candles_" s "USDT_4h", "rest9", REST9, true, 4500, 0, \
            0, 0, first ":00:00Z", "2026-03-19T" last ":00:00Z", low, high                         \
    }
    UM_4H("ADA", "2024-02-28T20", "16", "0.2204", "1.329"),
    UM_4H("BNB", "2024-02-28T20", "16", "352.01", "1374.61"),
    UM_4H("BTC", "2024-02-28T20", "16", "48888", "126208.5"),
    UM_4H("ETH", "2024-02-28T20", "16", "1384", "4957.67"),
    UM_4H("SOL", "2024-02-29T00", "20", "67.29", "295.6"),
#define UM_1D(s, low, high)                                                                        \
    {                                                                                              \
        "klines/um_1d/" s "USDT_1d.csv", "candles_" s "USDT_1d", "rest9", REST9, true, 800, 0, 0,  \
            0, "2024-01-10T00:00:00Z", "2026-03-19T00:00:00Z", low, high                           \
    }
    UM_1D("ADA", "0.2204", "1.329"),
    UM_1D("BNB", "287.46", "1374.61"),
    UM_1D("BTC", "38545", "126208.5"),
    UM_1D("ETH", "1384", "4957.67"),
    UM_1D("SOL", "67.29", "295.6"),
#define SPOT_DUMP(s, month, rows, last, low, high)                                                 \
    {                                                                                              \
        "klines/dump_spot_1h/" s "USDT-1h-" month ".csv", "candles_" s "USDT_1h", "dump12",        \
            DUMP12, false, rows, 0, 0, 0, month "-01T00:00:00Z", month "-" last "T23:00:00Z", low, \
            high                                                                                   \
    }
    SPOT_DUMP("BTC", "2024-11", 720, "30", "66835", "99588.01"),
    SPOT_DUMP("BTC", "2024-12", 744, "31", "90500", "108353"),
    SPOT_DUMP("BTC", "2025-01", 744, "31", "89256.69", "109588"),
    SPOT_DUMP("ETH", "2024-11", 720, "30", "2357.59", "3738.98"),
    SPOT_DUMP("ETH", "2024-12", 744, "31", "3101.9", "4107.8"),
    SPOT_DUMP("ETH", "2025-01", 744, "31", "2920", "3744.83"),
#define UM_DUMP(s, zero, low, high)                                                                \
    {                                                                                              \
        "klines/dump_um_1m/" s "USDT-1m-2023-02.csv.gz", "candles_" s "USDT_1m", "dump12", DUMP12, \
            true, 40320, 0, 0, zero, "2023-02-01T00:00:00Z", "2023-02-28T23:59:00Z", low, high     \
    }
    UM_DUMP("ALGO", 13, "0.2306", "0.3"),
    UM_DUMP("AVAX", 0, "16.821", "22.799"),
    UM_DUMP("LINK", 0, "6.411", "8.408"),
    UM_DUMP("NEAR", 1, "2.086", "2.845"),
    { "klines/dump_tiny/ADABTC-1m-2021-11-27.csv", "candles_ADABTC_1m", "dump12", DUMP12, false, 10,
      0, 0, 0, "2021-11-27T00:00:00Z", "2021-11-27T00:09:00Z", "0.00002849", "0.00002865" },
    { "klines/dump_tiny/ADABTC-1m-2021-11-28.csv", "candles_ADABTC_1m", "dump12", DUMP12, false, 11,
      0, 0, 0, "2021-11-28T00:00:00Z", "2021-11-28T00:10:00Z", "0.00002812", "0.00002821" },
    { "klines/rest12_textdate/BTCUSDT-1d-data.csv", "candles_BTCUSDT_1d", "text12", TEXT12, true,
      1297, 0, 0, 0, "2017-08-17T00:00:00Z", "2021-03-05T00:00:00Z", "2817", "58352.8" },
};

static const char *extreme(const struct pt_frame *frame, unsigned col, int sign)
{
    size_t best = 0;
    for (size_t i = 1; i < frame->n; i++) {
        if (pt_dec_cmp(frame->val[col][i], frame->dig[col][i], frame->val[col][best],
                       frame->dig[col][best]) *
                sign >
            0)
            best = i;
    }
    return kit_cell(frame, col, best);
}

static bool same_number(const char *a, const char *b)
{
    int64_t am, bm;
    uint8_t ad, bd;
    return pt_dec_parse(a, strlen(a), &am, &ad) == PT_OK &&
           pt_dec_parse(b, strlen(b), &bm, &bd) == PT_OK && pt_dec_cmp(am, ad, bm, bd) == 0;
}

static void test_counts_gaps_and_extremes_are_the_known_ones(void)
{
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        static struct kit_file file;
        const struct known_file *known = &files[f];
        const char *path = kit_data(known->path);
        char text[PT_TIME_TEXT_MAX];
        if (!path) return;
        kit_read(&file, path);
        CU_ASSERT_EQUAL(file.rc, PT_OK);
        CU_ASSERT_EQUAL(file.nrejects, 0);
        CU_ASSERT_EQUAL(file.nseries, 1);
        CU_ASSERT_STRING_EQUAL(file.stats.layout, known->layout);
        struct pt_frame *frame = kit_frame(&file, known->series);
        CU_ASSERT_PTR_NOT_NULL_FATAL(frame);
        CU_ASSERT_EQUAL_FATAL(frame->n, known->rows);

        const int64_t period_us = file.series[0].key.period_us, *time = frame->val[PT_C_TIME];
        size_t gaps = 0, missing = 0, zero = 0;
        for (size_t i = 0; i < frame->n; i++) {
            CU_ASSERT_PTR_NULL(pt_frame_check(frame, i, period_us));
            CU_ASSERT_EQUAL(frame->val[PT_C_CLOSED][i], 1);
            zero += frame->val[PT_C_VOLUME][i] == 0;
            if (i == 0) continue;
            CU_ASSERT_FATAL(time[i] > time[i - 1]);
            gaps += time[i] - time[i - 1] != period_us;
            missing += (size_t)((time[i] - time[i - 1]) / period_us - 1);
        }
        CU_ASSERT_EQUAL(gaps, known->gaps);
        CU_ASSERT_EQUAL(missing, known->missing);
        CU_ASSERT_EQUAL(zero, known->zero_volume);
        pt_time_print(time[0], text);
        CU_ASSERT_STRING_EQUAL(text, known->first);
        pt_time_print(time[frame->n - 1], text);
        CU_ASSERT_STRING_EQUAL(text, known->last);
        CU_ASSERT(same_number(extreme(frame, PT_C_LOW, -1), known->low));
        CU_ASSERT(same_number(extreme(frame, PT_C_HIGH, 1), known->high));
        kit_done(&file);
    }
}

/* One line against its row: each kept field has the very characters of the file, the others are
 * missing. */
static void compare_line(char *line, const struct known_file *known, const struct pt_frame *frame,
                         size_t row)
{
    bool seen[PT_COLS_MAX] = { false };
    unsigned n = 0;
    for (char *field = line; field; n++) {
        char *comma = strchr(field, ',');
        if (comma) *comma = '\0';
        unsigned col = kept[known->columns][n];
        if (n == 0) {
            int64_t us;
            CU_ASSERT_EQUAL(pt_time_parse(field, strlen(field), &us), PT_OK);
            CU_ASSERT_EQUAL(frame->val[PT_C_TIME][row], us);
        } else if (col > 0) {
            CU_ASSERT_STRING_EQUAL(kit_cell(frame, col, row), field);
            seen[col] = true;
        }
        field = comma ? comma + 1 : NULL;
    }
    for (unsigned col = PT_C_OPEN; col < PT_C_CLOSED; col++)
        CU_ASSERT_EQUAL(seen[col], frame->val[col][row] != PT_MISSING);
}

static void test_the_digits_that_come_back_are_those_of_the_file(void)
{
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        static struct kit_file file;
        struct pt_buf text = { .data = NULL };
        const char *path = kit_data(files[f].path);
        if (!path) return;
        kit_read(&file, path);
        kit_slurp(path, &text);
        size_t row = 0, number = 0;
        for (char *line = text.data, *next; line && *line; line = next) {
            next = strchr(line, '\n');
            if (next) *next++ = '\0';
            if (number++ == 0 && files[f].header) continue;
            CU_ASSERT_FATAL(row < file.series[0].frame.n);
            compare_line(line, &files[f], &file.series[0].frame, row++);
        }
        CU_ASSERT_EQUAL(row, file.series[0].frame.n);
        pt_buf_fini(&text);
        kit_done(&file);
    }
}

static void test_what_is_exported_reads_back_the_same(void)
{
    for (size_t f = 0; f < sizeof files / sizeof *files; f += 3) {
        for (int jsonl = 0; jsonl < 2; jsonl++) {
            static struct kit_file file, again;
            struct pt_buf text = { .data = NULL };
            char name[128];
            const char *path = kit_data(files[f].path);
            if (!path) return;
            kit_read(&file, path);
            struct pt_frame *frame = &file.series[0].frame;
            if (jsonl) {
                pt_dump_jsonl(frame, 0, frame->n, &text);
            } else {
                pt_dump_csv_header(frame->kind, &text);
                pt_dump_csv(frame, 0, frame->n, &text);
            }
            snprintf(name, sizeof name, "%s.%s", files[f].series, jsonl ? "jsonl" : "csv");
            kit_read(&again, kit_write(name, text.data, text.len));
            CU_ASSERT_EQUAL(again.nrejects, 0);
            CU_ASSERT_STRING_EQUAL(again.stats.layout, jsonl ? "export_jsonl" : "export");
            struct pt_frame *back = kit_frame(&again, files[f].series);
            CU_ASSERT_PTR_NOT_NULL_FATAL(back);
            CU_ASSERT_EQUAL_FATAL(back->n, frame->n);
            for (size_t i = 0; i < frame->n; i++) CU_ASSERT(pt_frame_same(frame, i, back, i));
            pt_buf_fini(&text);
            kit_done(&file);
            kit_done(&again);
        }
    }
}

static void test_the_six_gaps_of_2021_are_where_the_exchange_was_down(void)
{
    static const struct {
        const char *from, *to;
    } gaps[] = { { "2021-02-11T03:00:00Z", "2021-02-11T05:00:00Z" },
                 { "2021-03-06T01:00:00Z", "2021-03-06T03:00:00Z" },
                 { "2021-04-20T01:00:00Z", "2021-04-20T04:00:00Z" },
                 { "2021-04-25T04:00:00Z", "2021-04-25T08:00:00Z" },
                 { "2021-08-13T01:00:00Z", "2021-08-13T06:00:00Z" },
                 { "2021-09-29T06:00:00Z", "2021-09-29T09:00:00Z" } };
    static struct kit_file file;
    const char *path = kit_data("klines/spot_1h/BTCUSDT_1h_2021.csv");
    if (!path) return;
    kit_read(&file, path);
    const struct pt_frame *frame = &file.series[0].frame;
    size_t found = 0;
    for (size_t i = 1; i < frame->n; i++) {
        char from[PT_TIME_TEXT_MAX], to[PT_TIME_TEXT_MAX];
        if (frame->val[PT_C_TIME][i] - frame->val[PT_C_TIME][i - 1] == H1) continue;
        pt_time_print(frame->val[PT_C_TIME][i - 1], from);
        pt_time_print(frame->val[PT_C_TIME][i], to);
        CU_ASSERT_FATAL(found < 6);
        CU_ASSERT_STRING_EQUAL(from, gaps[found].from);
        CU_ASSERT_STRING_EQUAL(to, gaps[found].to);
        found++;
    }
    CU_ASSERT_EQUAL(found, 6);
    kit_done(&file);
}

static void test_funding_keeps_its_jitter_and_its_sign(void)
{
    static const struct {
        const char *symbol, *low, *high;
    } known[] = {
        { "ADAUSDT", "-0.00036497", "0.00010000" }, { "ANKRUSDT", "-0.02000000", "0.00010000" },
        { "BNBUSDT", "-0.00007139", "0.00014578" }, { "BTCUSDT", "-0.00015178", "0.00010000" },
        { "ETHUSDT", "-0.00036526", "0.00010000" }, { "SOLUSDT", "-0.00069212", "0.00010000" }
    };
    for (size_t f = 0; f < 6; f++) {
        static struct kit_file file;
        char name[64];
        int64_t jitter = 0;
        snprintf(name, sizeof name, "funding/%s_funding.csv", known[f].symbol);
        const char *path = kit_data(name);
        if (!path) return;
        kit_read(&file, path);
        CU_ASSERT_EQUAL(file.nrejects, 0);
        snprintf(name, sizeof name, "funding_rates_%s", known[f].symbol);
        struct pt_frame *frame = kit_frame(&file, name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(frame);
        CU_ASSERT_EQUAL(frame->n, 200);
        for (size_t i = 0; i < frame->n; i++) {
            int64_t late = frame->val[PT_F_TIME][i] % H1;
            if (late > jitter) jitter = late;
            CU_ASSERT_EQUAL(late % 1000, 0);
            CU_ASSERT_EQUAL(frame->val[PT_F_MARK][i], PT_MISSING);
        }
        CU_ASSERT(jitter > 0 && jitter <= 14000);
        CU_ASSERT_STRING_EQUAL(extreme(frame, PT_F_RATE, -1), known[f].low);
        CU_ASSERT_STRING_EQUAL(extreme(frame, PT_F_RATE, 1), known[f].high);
        kit_done(&file);
    }
}

static void test_books_of_csv_files(void)
{
    static struct kit_file file;
    const char *path = kit_data("depth_csv/um_btcusdt_book_snapshot_5.csv");
    if (!path) return;
    kit_read(&file, path);
    CU_ASSERT_EQUAL(file.nrejects, 0);
    struct pt_frame *frame = kit_frame(&file, "depth_BTCUSDT");
    CU_ASSERT_PTR_NOT_NULL_FATAL(frame);
    CU_ASSERT_EQUAL(frame->n, 10);
    CU_ASSERT_EQUAL(frame->val[PT_D_TIME][0], INT64_C(1598918403696000));
    CU_ASSERT_EQUAL(frame->val[PT_D_UPDATE_ID][0], PT_MISSING);
    CU_ASSERT_EQUAL(frame->val[PT_D_ASK_PRICE][0], 1165708);
    CU_ASSERT_EQUAL(frame->val[PT_D_ASK_QUANTITY][0], 1714);
    CU_ASSERT_EQUAL(frame->val[PT_D_BID_PRICE][4], 1165568);
    CU_ASSERT_EQUAL(frame->val[PT_D_BID_PRICE][5], PT_MISSING);
    kit_done(&file);

    /* the first hundred lines of a snapshot: its bids only, which are no book */
    kit_read(&file, kit_data("depth_csv/um_btcusdt-depth-snap.csv"));
    CU_ASSERT_EQUAL(file.rc, PT_OK);
    CU_ASSERT_EQUAL(file.stats.rows, 0);
    CU_ASSERT_EQUAL_FATAL(file.nrejects, 1);
    CU_ASSERT_STRING_EQUAL(file.rejects[0].reason, "empty_book");
    CU_ASSERT_EQUAL(file.rejects[0].line, 2);
    kit_done(&file);
}

static CU_TestInfo tests[] = {
    { "counts, gaps and extremes are the known ones",
      test_counts_gaps_and_extremes_are_the_known_ones },
    { "the digits that come back are those of the file",
      test_the_digits_that_come_back_are_those_of_the_file },
    { "what is exported reads back the same", test_what_is_exported_reads_back_the_same },
    { "the six gaps of 2021 are where the exchange was down",
      test_the_six_gaps_of_2021_are_where_the_exchange_was_down },
    { "funding keeps its jitter and its sign", test_funding_keeps_its_jitter_and_its_sign },
    { "books of CSV files", test_books_of_csv_files },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("klines", tests);
}
