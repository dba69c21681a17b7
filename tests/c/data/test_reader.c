#include "kit.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <zip.h>

#define HEADER12                                                                                   \
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"         \
    "taker_buy_quote_volume,ignore\n"

/* n good rows of the 12-column layout, hours from 2024-11-01. */
static void dump_rows(struct pt_buf *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t ms = INT64_C(1730419200000) + (int64_t)i * 3600000;
        pt_buf_printf(out,
                      "%" PRId64 ",%zu.01,%zu.50,%zu.00,%zu.49,12.5,%" PRId64
                      ",88.25,%zu,6.25,44.125,0\n",
                      ms, 70000 + i % 7, 70009 + i % 5, 69990 + i % 3, 70001 + i % 4, ms + 3599999,
                      i);
    }
}

static const char *dump_file(const char *name, size_t n)
{
    struct pt_buf text = { .data = NULL };
    dump_rows(&text, n);
    const char *path = kit_write(name, text.data, text.len);
    pt_buf_fini(&text);
    return path;
}

/* ---- layouts ---- */

static void test_each_layout_is_told_by_its_content(void)
{
    static const struct {
        const char *file, *layout, *series, *text, *row;
    } cases[] = {
        { "BTCUSDT-1h-2024-11.csv", "dump12", "candles_BTCUSDT_1h",
          "1730419200000,1.10,2.0,0.90,1.5,10,1730422799999,15.00,7,5,7.5,0\n",
          "1730419200000000,1.10,2.0,0.90,1.5,10,15.00,7,5,7.5,1" },
        { "BTCUSDT-1h-2025-01.csv", "dump12", "candles_BTCUSDT_1h",
          "1735689600000000,1.10,2.0,0.90,1.5,10,1735693199999999,15.00,7,5,7.5,0\n",
          "1735689600000000,1.10,2.0,0.90,1.5,10,15.00,7,5,7.5,1" },
        { "BTCUSDT_1m.csv", "dump12", "candles_BTCUSDT_1m",
          HEADER12 "1730419200000,1.10,2.0,0.90,1.5,10,1730422799999,15.00,7,5,7.5,0\n",
          "1730419200000000,1.10,2.0,0.90,1.5,10,15.00,7,5,7.5,1" },
        { "ADAUSDT_1h_2021.csv", "kline8", "candles_ADAUSDT_1h",
          "Open Time,Open,High,Low,Close,Volume,Quote Asset Volume,TWAP_price\r\n"
          "1609459200000,0.18134,0.18146,0.17831,0.18051,19194919.1,3447726.17,0.179867\r\n",
          "1609459200000000,0.18134,0.18146,0.17831,0.18051,19194919.1,3447726.17,,,,1" },
        { "ADAUSDT_1d.csv", "rest9", "candles_ADAUSDT_1d",
          "timestamp,open,high,low,close,volume,quote_volume,trades,close_time\n"
          "1704844800000,0.51230,0.58950,0.48700,0.56620,1033645278,544130340.99550,1184462,"
          "1704931199999",
          "1704844800000000,0.51230,0.58950,0.48700,0.56620,1033645278,544130340.99550,1184462,,,"
          "1" },
        { "BTCUSDT-1d-data.csv", "text12", "candles_BTCUSDT_1d",
          "timestamp,open,high,low,close,volume,close_time,quote_av,trades,tb_base_av,tb_quote_av,"
          "ignore\n"
          "2017-08-17,4261.48,4485.39,4200.74,4285.08,795.150377,1503014399999,3454770.05073206,"
          "3427,616.2,26.4,87\n",
          "1502928000000000,4261.48,4485.39,4200.74,4285.08,795.150377,3454770.05073206,3427,616.2,"
          "26.4,1" },
        { "BTCUSDT_4h.csv", "text12", "candles_BTCUSDT_4h",
          "timestamp,open,high,low,close,volume,close_time,quote_av,trades,tb_base_av,tb_quote_av,"
          "ignore\n"
          "2017-08-17 04:00:00,1,1,1,1,1,1503014399999,1,1,1,1,0\n",
          "1502942400000000,1,1,1,1,1,1,1,1,1,1" },
        { "rates.csv", "funding", "funding_rates_ADAUSDT",
          "timestamp,symbol,funding_rate\n1768262400007,ADAUSDT,-0.00007046\n",
          "1768262400007000,-0.00007046," },
        { "BTCUSDT-fundingRate-2024-01.csv", "funding", "funding_rates_BTCUSDT",
          "calc_time,funding_interval_hours,last_funding_rate\n1704067200000,8,0.00037409\n",
          "1704067200000000,0.00037409," },
        { "BTCUSDT-trades-2024-11.csv", "trades", "trades_BTCUSDT",
          "9007199254740993,70292.01,0.5,35146.005,1730419200001,True,True\n",
          "1730419200001000,9007199254740993,70292.01,0.5,sell" },
        { "BTCUSDT-trades-2024-12.csv", "trades", "trades_BTCUSDT",
          "id,price,qty,quote_qty,time,is_buyer_maker\n12,70292.0,0.5,35146.0,1730419200001,"
          "false\n",
          "1730419200001000,12,70292.0,0.5,buy" },
        { "BTCUSDT-aggTrades-2025-01.csv", "agg_trades", "trades_BTCUSDT",
          "77,70292.01,0.5,101,103,1735689600000001,False,True\n",
          "1735689600000001,77,70292.01,0.5,buy" },
        { "BTCUSDT_230630-aggTrades-2023-06.csv", "trades", "trades_BTCUSDT_230630",
          "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
          "77,70292.0,0.5,101,103,1686000000001,true\n",
          "1686000000001000,77,70292.0,0.5,sell" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct kit_file file;
        kit_read(&file, kit_text(cases[i].file, cases[i].text));
        CU_ASSERT_EQUAL(file.rc, PT_OK);
        CU_ASSERT_EQUAL(file.nrejects, 0);
        CU_ASSERT_STRING_EQUAL(file.stats.layout, cases[i].layout);
        struct pt_frame *frame = kit_frame(&file, cases[i].series);
        CU_ASSERT_PTR_NOT_NULL_FATAL(frame);
        CU_ASSERT_EQUAL_FATAL(frame->n, 1);
        CU_ASSERT_STRING_EQUAL(kit_row(frame, 0), cases[i].row);
        kit_done(&file);
    }
}

static void test_bom_crlf_quotes_and_blank_lines_do_not_matter(void)
{
    static struct kit_file file;
    kit_read(&file, kit_text("BTCUSDT-1h.csv",
                             "\xef\xbb\xbf\r\n\"Open Time\", \"Open\",High,Low,Close,Volume,Quote "
                             "Asset Volume,note\r\n"
                             "\"1609459200000\",\"1\",2,\"0.5\",1.50,3,4,\"a, b\"\r\n\r\n"
                             "1609462800000 ,1, 2,0.5,1.50,3,4,\"c, d\"\r\n\n"
                             "1609466400000,1,2,0.5,1.50,3,4,e"));
    CU_ASSERT_EQUAL(file.nrejects, 0);
    CU_ASSERT_EQUAL_FATAL(file.nseries, 1);
    CU_ASSERT_EQUAL(file.series[0].frame.n, 3);
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT_STRING_EQUAL(kit_cell(&file.series[0].frame, PT_C_CLOSE, i), "1.50");
    CU_ASSERT_EQUAL(file.stats.lines, 7);
    kit_done(&file);
}

static void test_hints_come_before_names_and_names_before_content(void)
{
    static struct kit_file file;
    struct pt_buf text = { .data = NULL };
    char key[PT_SERIES_TEXT_MAX];
    dump_rows(&text, 3); /* hours */
    struct pt_read_hint hint = {
        .kind = -1, .symbol = "ethusdt", .period_us = H1 / 2, .now_us = KIT_NOW
    };
    kit_read_hinted(&file, kit_write("BTCUSDT-1h-x.csv", text.data, text.len), &hint);
    pt_series_print(&file.series[0].key, key);
    CU_ASSERT_STRING_EQUAL(key, "candles_ETHUSDT_30m");
    kit_done(&file);

    kit_read(&file, kit_write("BTCUSDT_30m.csv", text.data, text.len));
    pt_series_print(&file.series[0].key, key);
    CU_ASSERT_STRING_EQUAL(key, "candles_BTCUSDT_30m");
    kit_done(&file);

    kit_read(&file, kit_write("candles_SOLUSDT_1m.csv", text.data,
                              text.len)); /* as our export is called */
    pt_series_print(&file.series[0].key, key);
    CU_ASSERT_STRING_EQUAL(key, "candles_SOLUSDT_1m");
    kit_done(&file);

    kit_read(&file, kit_write("BTCUSDT.csv", text.data, text.len)); /* the period from the steps */
    pt_series_print(&file.series[0].key, key);
    CU_ASSERT_STRING_EQUAL(key, "candles_BTCUSDT_1h");
    kit_done(&file);

    kit_read(&file, kit_write("BTCUSDT.csv", text.data,
                              strcspn(text.data, "\n"))); /* from open and close time */
    pt_series_print(&file.series[0].key, key);
    CU_ASSERT_STRING_EQUAL(key, "candles_BTCUSDT_1h");
    kit_done(&file);

    kit_read(&file, kit_write("prices.csv", text.data, text.len));
    CU_ASSERT_EQUAL(file.rc, PT_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(file.err.text, "--symbol"));
    kit_read(&file, kit_text("BTCUSDT.csv",
                             "Open Time,Open,High,Low,Close,Volume\n1609459200000,1,1,1,1,1\n"));
    CU_ASSERT_EQUAL(file.rc, PT_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(file.err.text, "--period"));

    struct pt_read_hint kind = { .kind = PT_TRADES, .now_us = KIT_NOW };
    kit_read_hinted(&file, kit_write("BTCUSDT-1h-x.csv", text.data, text.len), &kind);
    CU_ASSERT_EQUAL(file.rc, PT_EINVAL);
    struct pt_read_hint bad = { .kind = -1, .symbol = "a-b" };
    kit_read_hinted(&file, kit_path("BTCUSDT-1h-x.csv"), &bad);
    CU_ASSERT_EQUAL(file.rc, PT_EINVAL);
    pt_buf_fini(&text);
}

static void test_a_hint_renames_one_symbol_and_mixes_no_two(void)
{
    static struct kit_file file;
    char key[PT_SERIES_TEXT_MAX];
    struct pt_read_hint hint = { .kind = -1, .symbol = "MINE", .now_us = KIT_NOW };
    kit_read_hinted(&file,
                    kit_text("f.csv", "timestamp,symbol,funding_rate\n"
                                      "1768233600000,BTC-PERP,0.0001\n"
                                      "1768262400000,ETH-PERP,0.0002\n"
                                      "1768291200000,BTC-PERP,0.0003\n"),
                    &hint);
    CU_ASSERT_EQUAL(file.rc, PT_OK);
    CU_ASSERT_EQUAL_FATAL(file.nseries, 1);
    pt_series_print(&file.series[0].key, key);
    CU_ASSERT_STRING_EQUAL(key, "funding_rates_MINE");
    CU_ASSERT_EQUAL(file.series[0].frame.n, 2);
    CU_ASSERT_EQUAL_FATAL(file.stats.rejected, 1);
    CU_ASSERT_STRING_EQUAL(file.rejects[0].reason, "another_symbol");
    kit_done(&file);
}

static void test_a_bar_is_closed_when_its_end_has_passed(void)
{
    static struct kit_file file;
    int64_t end = INT64_C(1730419200000000) + 5 * H1; /* of the fifth bar */
    for (int64_t late = -1; late <= 0; late++) {
        struct pt_read_hint hint = { .kind = -1, .now_us = end + late };
        kit_read_hinted(&file, dump_file("BTCUSDT-1h.csv", 8), &hint);
        for (size_t i = 0; i < 8; i++)
            CU_ASSERT_EQUAL(file.series[0].frame.val[PT_C_CLOSED][i],
                            i < 4 || (i == 4 && late == 0));
        kit_done(&file);
    }
}

static void test_other_tables_and_other_bytes_are_no_market_data(void)
{
    static const struct {
        const char *name, *bytes;
        size_t len;
    } cases[] = {
        { "a.csv", "date,funding_mean,funding_abs\n2019-09-10,1e-04,1e-04\n", 51 },
        { "b.csv", "timestamp,value\n2014-04-01 00:00:00,1.0\n", 40 },
        { "c.txt", "Dear reader,\nthis is a letter, not a table.\n", 44 },
        { "d.bin", "1730419200000,1\0.10,2.0\n", 24 },
        { "e.csv", "open,high,low,close,volume\n1,1,1,1,1\n", 37 },
        { "f.csv", "timestamp,open_time,open,high,low,close,volume\n1,1,1,1,1,1,1\n", 61 },
        { "g.json", "[1,2,3]\n", 8 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct kit_file file;
        struct pt_read_hint hint = { .kind = -1, .symbol = "BTCUSDT", .period_us = H1 };
        kit_read_hinted(&file, kit_write(cases[i].name, cases[i].bytes, cases[i].len), &hint);
        CU_ASSERT_EQUAL(file.rc, PT_EINVAL);
        CU_ASSERT_PTR_NOT_NULL(strstr(file.err.text, "not market data"));
        CU_ASSERT_PTR_NOT_NULL(strstr(file.err.text, cases[i].name));
    }
}

static void test_empty_files_hold_no_rows(void)
{
    const char *texts[] = { "", "\n\n  \n", "\xef\xbb\xbf", HEADER12,
                            "timestamp,symbol,funding_rate" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        static struct kit_file file;
        kit_read(&file, kit_text("nothing.csv", texts[i]));
        CU_ASSERT_EQUAL(file.rc, PT_OK);
        CU_ASSERT_EQUAL(file.stats.rows + file.nrejects, 0);
    }
}

static void test_files_that_cannot_be_opened_say_why(void)
{
    static struct kit_file file;
    struct pt_read_hint hint = { .kind = -1 };
    kit_read_hinted(&file, kit_path("absent.csv"), &hint);
    CU_ASSERT_EQUAL(file.rc, PT_ENOENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(file.err.text, "absent.csv"));
    kit_read_hinted(&file, "/tmp", &hint);
    CU_ASSERT_EQUAL(file.rc, PT_EINVAL);
    pt_reader_close(NULL);
}

/* ---- rejects ---- */

static void test_each_fault_is_named_with_its_line(void)
{
    static const struct {
        const char *line, *reason;
    } cases[] = {
        { "1730419200000,1,2,0.5,1.5,10,1730422799999,15,7,5,7.5", "column_count" },
        { "1730419200000,1,2,0.5,1.5,10,1730422799999,15,7,5,7.5,0,0", "column_count" },
        { "yesterday,1,2,0.5,1.5,10,1730422799999,15,7,5,7.5,0", "unreadable_time" },
        { "1730419200001,1,2,0.5,1.5,10,1730422799999,15,7,5,7.5,0", "off_grid" },
        { "1730419200000,0.00,2,0.5,1.5,10,1730422799999,15,7,5,7.5,0", "price_not_positive" },
        { "1730419200000,1,2,-0.5,1.5,10,1730422799999,15,7,5,7.5,0", "price_not_positive" },
        { "1730419200000,1,2,0.5,1.5,-10,1730422799999,15,7,5,7.5,0", "negative_quantity" },
        { "1730419200000,1,2,0.5,1.5,10,1730422799999,15,-7,5,7.5,0", "negative_quantity" },
        { "1730419200000,1,1.4,0.5,1.5,10,1730422799999,15,7,5,7.5,0", "ohlc_order" },
        { "1730419200000,1,2,1.01,1.5,10,1730422799999,15,7,5,7.5,0", "ohlc_order" },
        { "1730419200000,1,2,0.5,nan,10,1730422799999,15,7,5,7.5,0", "unreadable_number" },
        { "1730419200000,1,2,0.5,inf,10,1730422799999,15,7,5,7.5,0", "unreadable_number" },
        { "1730419200000,1,2,0.5,1.5,1:0,1730422799999,15,7,5,7.5,0", "unreadable_number" },
        { "1730419200000,1,2,0.5,1.5,10,1730422799999,15,7.5,5,7.5,0", "not_a_whole_number" },
        { "1730419200000,1,2,0.5,1.5,12345678901234567891,1730422799999,15,7,5,7.5,0",
          "decimal_out_of_range" },
        { "1730419200000,1,2,0.5,1.5,1e40,1730422799999,15,7,5,7.5,0", "decimal_out_of_range" },
        { "1730419200000,1,2,0.5,,10,1730422799999,15,7,5,7.5,0", "value_missing" },
        { ",1,2,0.5,1.5,10,1730422799999,15,7,5,7.5,0", "value_missing" },
        { "-1,1,2,0.5,1.5,10,1730422799999,15,7,5,7.5,0", "unreadable_time" },
    };
    enum { N = sizeof cases / sizeof *cases };
    for (int header = 0; header < 2; header++) {
        static struct kit_file file;
        struct pt_buf text = { .data = NULL };
        if (header) pt_buf_puts(&text, HEADER12);
        dump_rows(&text, 1);
        for (size_t i = 0; i < N; i++) {
            pt_buf_printf(&text, "%s\n", cases[i].line);
            dump_rows(&text, 1);
        }
        kit_read(&file, kit_write("BTCUSDT-1h-bad.csv", text.data, text.len));
        CU_ASSERT_EQUAL(file.rc, PT_OK);
        CU_ASSERT_EQUAL(file.series[0].frame.n, N + 1);
        CU_ASSERT_EQUAL_FATAL(file.nrejects, N);
        for (size_t i = 0; i < N; i++) {
            if (strcmp(file.rejects[i].reason, cases[i].reason) != 0)
                printf("\n  %s: %s ", cases[i].line, file.rejects[i].reason);
            CU_ASSERT_STRING_EQUAL(file.rejects[i].reason, cases[i].reason);
            CU_ASSERT_STRING_EQUAL(file.rejects[i].text, cases[i].line);
            CU_ASSERT_EQUAL(file.rejects[i].line, 2 + 2 * i + (size_t)header);
        }
        pt_buf_fini(&text);
        kit_done(&file);
    }
}

static void test_good_but_unusual_rows_are_taken(void)
{
    static const struct {
        const char *line, *row;
    } cases[] = {
        { "2024-11-01T00:00:00Z,1,2,0.5,1.5,10,x,15,7,5,7.5,0",
          "1730419200000000,1,2,0.5,1.5,10,15,7,5,7.5,1" },
        { "1730419200,1,2,0.5,1.5,10,x,15,7,5,7.5,0",
          "1730419200000000,1,2,0.5,1.5,10,15,7,5,7.5,1" },
        { "1730419200000000000,1,2,0.5,1.5,10,x,15,7,5,7.5,0",
          "1730419200000000,1,2,0.5,1.5,10,15,7,5,7.5,1" },
        { "1730419200000,1,2,0.5,1.5,10,,,,,,", "1730419200000000,1,2,0.5,1.5,10,,,,,1" },
        { "1730419200000,+1,2e0,5e-1,1.5,10,x,15,7.0,5,7.5,0",
          "1730419200000000,1,2,0.5,1.5,10,15,7,5,7.5,1" },
        { "1730419200000,1,2,0.5,1.5,10,x,11048002942.14993131,7,5,11048002942.1400000000,0",
          "1730419200000000,1,2,0.5,1.5,10,11048002942.14993131,7,5,11048002942.1400000000,1" },
        { "1730419200000,0.00002853,0.00002854,0.00002851,0.00002854,36304.20000000,x,1.03547608,"
          "79,19523.00000000,"
          "0.55694227,0",
          "1730419200000000,0.00002853,0.00002854,0.00002851,0.00002854,36304.20000000,1.03547608,"
          "79,19523.00000000,"
          "0.55694227,1" },
        { "1730419200000,123456789.5,1234567890.25,123456789,123456789.50,0,x,1234567890123456,0,0."
          "00,0.0,0",
          "1730419200000000,123456789.5,1234567890.25,123456789,123456789.50,0,1234567890123456,0,"
          "0.00,0.0,1" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct kit_file file;
        struct pt_buf text = { .data = NULL };
        pt_buf_printf(&text, HEADER12 "%s\n", cases[i].line);
        kit_read(&file, kit_write("BTCUSDT-1h-odd.csv", text.data, text.len));
        CU_ASSERT_EQUAL(file.nrejects, 0);
        if (file.nrejects) printf("\n  %s: %s ", cases[i].line, file.rejects[0].reason);
        CU_ASSERT_EQUAL_FATAL(file.nseries, 1);
        CU_ASSERT_STRING_EQUAL(kit_row(&file.series[0].frame, 0), cases[i].row);
        pt_buf_fini(&text);
        kit_done(&file);
    }
}

/* The usual way and the thorough one must agree on every number: the same rows once bare, once
 * quoted, which only the thorough way reads. */
static void test_both_ways_of_reading_a_row_agree(void)
{
    uint64_t seed = 5;
    static struct kit_file bare, quoted;
    struct pt_buf a = { .data = NULL }, b = { .data = NULL };
    pt_buf_puts(&a, HEADER12);
    pt_buf_puts(&b, HEADER12);
    for (int i = 0; i < 20000; i++) {
        char field[12][48];
        snprintf(field[0], sizeof field[0], "%" PRId64,
                 (i & 1 ? 1 : 1000) * (INT64_C(1730419200000) + i * INT64_C(3600000)));
        for (int f = 1; f < 12; f++) {
            unsigned whole = (unsigned)(kit_random(&seed) % 11),
                     point = (unsigned)(kit_random(&seed) % 10);
            uint64_t digits = kit_random(&seed) >> (kit_random(&seed) % 64);
            if (f == 6 || f == 8 || whole == 0)
                snprintf(field[f], sizeof field[f], "%" PRIu64, digits);
            else if (point == 0)
                snprintf(field[f], sizeof field[f], "%0*" PRIu64, (int)whole, digits % 1000000007);
            else
                snprintf(field[f], sizeof field[f], "%" PRIu64 ".%0*" PRIu64, digits % 100000000000,
                         (int)point,
                         kit_random(&seed) % (uint64_t[]){ 1, 10, 100, 1000, 10000, 100000, 1000000,
                                                           10000000, 100000000,
                                                           1000000000 }[point]);
        }
        if (i % 3) { /* mostly a good bar */
            snprintf(field[2], sizeof field[2], "99999999999.9");
            snprintf(field[3], sizeof field[3], "0.00000001");
        }
        for (int f = 0; f < 12; f++) {
            pt_buf_printf(&a, "%s%s", f ? "," : "", field[f]);
            pt_buf_printf(&b, "%s\"%s\"", f ? "," : "", field[f]);
        }
        pt_buf_puts(&a, i % 5 ? "\n" : "\r\n");
        pt_buf_puts(&b, i % 5 ? "\n" : "\r\n");
    }
    kit_read(&bare, kit_write("BTCUSDT-1h-a.csv", a.data, a.len));
    kit_read(&quoted, kit_write("BTCUSDT-1h-b.csv", b.data, b.len));
    CU_ASSERT(bare.stats.rows > 5000 && bare.stats.rejected > 1000);
    CU_ASSERT_EQUAL(bare.stats.rows, quoted.stats.rows);
    CU_ASSERT_EQUAL(bare.nrejects, quoted.nrejects);
    CU_ASSERT_EQUAL(bare.stats.lines, quoted.stats.lines);
    for (size_t i = 0; i < KIT_REJECTS; i++) {
        CU_ASSERT_EQUAL(bare.rejects[i].line, quoted.rejects[i].line);
        CU_ASSERT_STRING_EQUAL(bare.rejects[i].reason, quoted.rejects[i].reason);
    }
    for (size_t i = 0; i < bare.series[0].frame.n; i++)
        CU_ASSERT(pt_frame_same(&bare.series[0].frame, i, &quoted.series[0].frame, i));
    pt_buf_fini(&a);
    pt_buf_fini(&b);
    kit_done(&bare);
    kit_done(&quoted);
}

static void test_long_lines_are_rejected_once_and_skipped(void)
{
    static struct kit_file file;
    struct pt_buf text = { .data = NULL };
    dump_rows(&text, 2);
    for (size_t len = 60000; len < 3000000; len *= 7) {
        for (size_t i = 0; i < len; i++) pt_buf_putc(&text, i % 9 ? '7' : ',');
        pt_buf_putc(&text, '\n');
        dump_rows(&text, 1);
    }
    kit_read(&file, kit_write("BTCUSDT-1h-long.csv", text.data, text.len));
    CU_ASSERT_EQUAL(file.rc, PT_OK);
    CU_ASSERT_EQUAL(file.series[0].frame.n, 5);
    CU_ASSERT_EQUAL_FATAL(file.nrejects, 3);
    CU_ASSERT_STRING_EQUAL(file.rejects[0].reason,
                           "column_count"); /* 60,000 bytes are still looked at */
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(file.rejects[i].line, 3 + 2 * i);
        CU_ASSERT_EQUAL(strlen(file.rejects[i].text), 200);
        if (i > 0) CU_ASSERT_STRING_EQUAL(file.rejects[i].reason, "line_too_long");
    }
    CU_ASSERT_EQUAL(file.stats.lines, 8);
    pt_buf_fini(&text);
    kit_done(&file);
}

static void test_the_last_line_may_lack_its_newline_but_not_its_end(void)
{
    struct pt_buf text = { .data = NULL };
    dump_rows(&text, 3);
    size_t whole = text.len - 1,
           second = (size_t)((char *)memrchr(text.data, '\n', whole - 1) - text.data) + 1;
    for (size_t len = second + 1; len <= whole; len++) {
        static struct kit_file file;
        kit_read(&file, kit_write("BTCUSDT-1h-cut.csv", text.data, len));
        bool all =
            len >= whole - 1; /* what the last column, which is not kept, holds does not matter */
        CU_ASSERT_EQUAL(file.rc, PT_OK);
        CU_ASSERT_EQUAL(file.series[0].frame.n, all ? 3 : 2);
        CU_ASSERT_EQUAL(file.nrejects, !all);
        if (!all) {
            CU_ASSERT_STRING_EQUAL(file.rejects[0].reason, "unfinished_line");
            CU_ASSERT_EQUAL(file.rejects[0].line, 3);
        }
        kit_done(&file);
    }
    pt_buf_fini(&text);

    static struct kit_file file; /* a last decimal that has lost digits */
    kit_read(&file,
             kit_text("f.csv", "timestamp,symbol,funding_rate\n1768233600000,ADAUSDT,0.00008350\n"
                               "1768262400007,ADAUSDT,0.00007"));
    CU_ASSERT_EQUAL(file.stats.rows, 1);
    CU_ASSERT_EQUAL_FATAL(file.nrejects, 1);
    CU_ASSERT_STRING_EQUAL(file.rejects[0].reason, "unfinished_line");
    kit_done(&file);
}

static void test_batches_hold_up_to_65536_rows(void)
{
    const size_t counts[] = { 65535, 65536, 65537, 200000 };
    for (size_t i = 0; i < 4; i++) {
        static struct kit_file file;
        kit_read(&file, dump_file("BTCUSDT-1h-many.csv", counts[i]));
        CU_ASSERT_EQUAL(file.nrejects, 0);
        CU_ASSERT_EQUAL_FATAL(file.series[0].frame.n, counts[i]);
        CU_ASSERT_EQUAL(file.batches, (counts[i] + 65535) / 65536);
        CU_ASSERT_EQUAL(file.most, counts[i] < 65536 ? counts[i] : 65536);
        for (size_t row = 0; row < counts[i]; row++)
            CU_ASSERT_EQUAL(file.series[0].frame.val[PT_C_TRADES][row], (int64_t)row);
        kit_done(&file);
    }
}

static void test_rows_of_many_symbols_come_in_batches_of_their_own(void)
{
    struct pt_buf text = { .data = NULL };
    enum { SYMBOLS = 3000, PRINTS = 7 }; /* more than are held at a time */
    pt_buf_puts(&text, "timestamp,symbol,funding_rate\n");
    for (int print = 0; print < PRINTS; print++) {
        for (int s = 0; s < SYMBOLS; s++)
            pt_buf_printf(&text, "%d,S%05dUSDT,0.0000%04d\n", 1700000000 + print * 28800, s, s);
    }
    const char *path = kit_write("all.csv", text.data, text.len);
    struct pt_read_hint hint = { .kind = -1 };
    struct pt_reader *reader;
    struct pt_batch *batch;
    static unsigned char seen[SYMBOLS][PRINTS];
    OK(pt_reader_open(path, &hint, NULL, NULL, &reader, &kit_err));
    while (pt_reader_next(reader, &batch, &kit_err) == PT_OK && batch) {
        int s = atoi(batch->key.symbol + 1);
        for (size_t i = 0; i < batch->frame.n; i++) {
            CU_ASSERT_EQUAL(batch->frame.val[PT_F_RATE][i], s);
            seen[s][(batch->frame.val[PT_F_TIME][i] / PT_US_SEC - 1700000000) / 28800]++;
        }
    }
    pt_reader_close(reader);
    for (int s = 0; s < SYMBOLS; s++) {
        for (int print = 0; print < PRINTS; print++) CU_ASSERT_EQUAL(seen[s][print], 1);
    }
    pt_buf_fini(&text);
}

/* ---- packed files ---- */

static const char *gzip_file(const char *name, const char *mode, const void *bytes, size_t len)
{
    const char *path = kit_path(name);
    gzFile out = gzopen(path, mode);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CU_ASSERT_EQUAL_FATAL(gzwrite(out, bytes, (unsigned)len), (int)len);
    CU_ASSERT_EQUAL_FATAL(gzclose(out), Z_OK);
    return path;
}

static void test_gzip_of_several_members_is_one_file(void)
{
    static struct kit_file file;
    struct pt_buf text = { .data = NULL };
    dump_rows(&text, 1000);
    size_t half = text.len / 2;
    gzip_file("BTCUSDT-1h.csv.gz", "wb", text.data, half);
    const char *path = gzip_file("BTCUSDT-1h.csv.gz", "ab", text.data + half, text.len - half);
    kit_read(&file, path);
    CU_ASSERT_EQUAL(file.rc, PT_OK);
    CU_ASSERT_EQUAL(file.nrejects, 0);
    CU_ASSERT_EQUAL(file.series[0].frame.n, 1000);
    CU_ASSERT_EQUAL(file.stats.bytes_in, file.stats.bytes_total);
    kit_done(&file);
    pt_buf_fini(&text);
}

static void test_a_cut_gzip_gives_its_rows_and_then_the_damage(void)
{
    struct pt_buf text = { .data = NULL }, packed = { .data = NULL };
    dump_rows(&text, 3000);
    const char *path = gzip_file("BTCUSDT-1h.csv.gz", "wb", text.data, text.len);
    FILE *in = fopen(path, "rb");
    char block[4096];
    for (size_t n; (n = fread(block, 1, sizeof block, in)) > 0;) pt_buf_add(&packed, block, n);
    fclose(in);
    size_t rows = 0;
    for (size_t len = 20; len < packed.len; len += packed.len / 17) {
        static struct kit_file file;
        struct pt_read_hint hint = { .kind = -1, .now_us = KIT_NOW };
        kit_read_hinted(&file, kit_write("BTCUSDT-1h-cut.csv.gz", packed.data, len), &hint);
        CU_ASSERT_EQUAL(file.rc, PT_EDAMAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(file.err.text, "BTCUSDT-1h-cut.csv.gz"));
        CU_ASSERT(file.stats.rows >= rows && file.nrejects <= 1);
        if (file.nrejects) CU_ASSERT_STRING_EQUAL(file.rejects[0].reason, "unfinished_line");
        rows = file.stats.rows;
        if (rows > 0)
            CU_ASSERT_EQUAL(file.series[0].frame.val[PT_C_TRADES][rows - 1], (int64_t)rows - 1);
        kit_done(&file);
    }
    CU_ASSERT(rows > 2000);

    static struct kit_file file; /* a flipped bit, and something behind the end */
    packed.data[packed.len - 6] ^= 1;
    struct pt_read_hint hint = { .kind = -1, .now_us = KIT_NOW };
    kit_read_hinted(&file, kit_write("BTCUSDT-1h-flip.csv.gz", packed.data, packed.len), &hint);
    CU_ASSERT_EQUAL(file.rc, PT_EDAMAGE);
    kit_done(&file);
    packed.data[packed.len - 6] ^= 1;
    pt_buf_puts(&packed, "junk");
    kit_read_hinted(&file, kit_write("BTCUSDT-1h-junk.csv.gz", packed.data, packed.len), &hint);
    CU_ASSERT_EQUAL(file.rc, PT_EDAMAGE);
    CU_ASSERT_EQUAL(file.stats.rows, 3000);
    kit_done(&file);
    pt_buf_fini(&text);
    pt_buf_fini(&packed);
}

static void add_member(zip_t *zip, const char *name, const struct pt_buf *text)
{
    zip_source_t *source = zip_source_buffer(zip, text->data, text->len, 0);
    CU_ASSERT_FATAL(source && zip_file_add(zip, name, source, ZIP_FL_OVERWRITE) >= 0);
}

static void test_a_zip_is_read_member_by_member(void)
{
    static struct kit_file file;
    struct pt_buf text = { .data = NULL }, other = { .data = NULL }, sum = { .data = NULL };
    char path[512];
    int code;
    dump_rows(&text, 500);
    pt_buf_puts(&other, HEADER12);
    dump_rows(&other, 70000);
    pt_buf_puts(&sum, "0123  BTCUSDT-1h-2024-11.csv\n");
    snprintf(path, sizeof path, "%s", kit_path("BTCUSDT-1h-2024-11.zip"));
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    CU_ASSERT_PTR_NOT_NULL_FATAL(zip);
    add_member(zip, "BTCUSDT-1h-2024-11.csv.CHECKSUM", &sum);
    add_member(zip, "BTCUSDT-1h-2024-11.csv", &text);
    add_member(zip, "sub/ETHUSDT-1h-2024-11.csv", &other);
    add_member(zip, "more.CSV", &text); /* no name of its own: that of the archive */
    CU_ASSERT_EQUAL_FATAL(zip_close(zip), 0);
    kit_read(&file, path);
    CU_ASSERT_EQUAL(file.rc, PT_OK);
    CU_ASSERT_EQUAL(file.nrejects, 0);
    CU_ASSERT_EQUAL(kit_frame(&file, "candles_BTCUSDT_1h")->n, 1000);
    CU_ASSERT_EQUAL(kit_frame(&file, "candles_ETHUSDT_1h")->n, 70000);
    CU_ASSERT(file.stats.bytes_in <= file.stats.bytes_total &&
              file.stats.bytes_in > file.stats.bytes_total / 2);
    kit_done(&file);

    zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    add_member(zip, "README.txt", &sum);
    CU_ASSERT_EQUAL_FATAL(zip_close(zip), 0);
    kit_read(&file, path);
    CU_ASSERT_EQUAL(file.rc, PT_EINVAL);
    pt_buf_fini(&text);
    pt_buf_fini(&other);
    pt_buf_fini(&sum);
}

static void test_a_cut_zip_gives_the_rows_of_its_first_member(void)
{
    struct pt_buf text = { .data = NULL };
    char path[512];
    int code;
    dump_rows(&text, 5000);
    snprintf(path, sizeof path, "%s", kit_path("BTCUSDT-1h-2024-12.zip"));
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    add_member(zip, "BTCUSDT-1h-2024-12.csv", &text);
    CU_ASSERT_EQUAL_FATAL(zip_close(zip), 0);
    struct stat stat_buf;
    CU_ASSERT_EQUAL_FATAL(stat(path, &stat_buf), 0);
    size_t rows = SIZE_MAX;
    for (off_t len = stat_buf.st_size - 30; len > 0; len = len * 2 / 3) {
        static struct kit_file file;
        struct pt_read_hint hint = { .kind = -1, .now_us = KIT_NOW };
        CU_ASSERT_EQUAL_FATAL(truncate(path, len), 0);
        kit_read_hinted(&file, path, &hint);
        if (len < 4) {
            CU_ASSERT_EQUAL(file.rc, PT_EINVAL); /* not even a zip any more */
        } else {
            CU_ASSERT_EQUAL(file.rc, PT_EDAMAGE);
        }
        CU_ASSERT(file.stats.rows <= rows);
        if (rows == SIZE_MAX) CU_ASSERT_EQUAL(file.stats.rows, 5000);
        rows = file.stats.rows;
        kit_done(&file);
    }
    pt_buf_fini(&text);
}

static void test_inflating_stops_at_its_limit(void)
{
    static struct kit_file file;
    struct pt_buf text = { .data = NULL };
    dump_rows(&text, 50000);
    const char *path = gzip_file("BTCUSDT-1h-bomb.csv.gz", "wb", text.data, text.len);
    struct pt_read_hint hint = { .kind = -1, .now_us = KIT_NOW, .max_inflated = 1 << 20 };
    kit_read_hinted(&file, path, &hint);
    CU_ASSERT_EQUAL(file.rc, PT_ERANGE);
    CU_ASSERT(file.stats.rows > 1000 && file.stats.rows < 20000);
    kit_done(&file);
    hint.max_inflated = text.len;
    kit_read_hinted(&file, path, &hint);
    CU_ASSERT_EQUAL(file.rc, PT_OK);
    CU_ASSERT_EQUAL(file.stats.rows, 50000);
    kit_done(&file);
    pt_buf_fini(&text);
}

/* ---- hostile files ---- */

static long peak_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void test_ten_gigabytes_of_nothing_are_no_market_data(void)
{
    static struct kit_file file;
    char path[512];
    snprintf(path, sizeof path, "%s", kit_text("BTCUSDT-1h-sparse.csv", ""));
    if (truncate(path, INT64_C(10) << 30) != 0) {
        pt_skip("the file system takes no sparse file of 10 GiB");
        return;
    }
    struct pt_read_hint hint = { .kind = -1, .now_us = KIT_NOW };
    kit_read_hinted(&file, path, &hint);
    CU_ASSERT_EQUAL(file.rc, PT_EINVAL);
    CU_ASSERT_EQUAL(truncate(path, 0), 0);
}

struct endless {
    const char *path, *start;
    size_t mib;
    bool newline;
};

/* Writes `start` and then letters without a newline into a pipe. */
static void *write_endless(void *arg)
{
    const struct endless *endless = arg;
    static char block[1 << 20];
    memset(block, 'x', sizeof block);
    int fd = open(endless->path, O_WRONLY);
    if (fd < 0) return NULL;
    bool good = write(fd, endless->start, strlen(endless->start)) > 0;
    for (size_t i = 0; i < endless->mib && good; i++) {
        for (size_t at = 0; at < sizeof block && good;) {
            ssize_t n = write(fd, block + at, sizeof block - at);
            good = n > 0;
            at += good ? (size_t)n : 0;
        }
    }
    if (good && endless->newline) {
        struct pt_buf text = { .data = NULL };
        pt_buf_putc(&text, '\n');
        dump_rows(&text, 5);
        if (write(fd, text.data, text.len) != (ssize_t)text.len) printf("short write ");
        pt_buf_fini(&text);
    }
    close(fd);
    return NULL;
}

static void test_a_line_without_end_costs_no_memory(void)
{
    static struct kit_file file;
    char path[512];
    struct pt_buf start = { .data = NULL };
    pthread_t thread;
    dump_rows(&start, 20);
    snprintf(path, sizeof path, "%s", kit_path("BTCUSDT-1h-pipe.csv"));
    CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
    struct endless endless = { path, start.data, 300, true };
    long before = peak_kib();
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, write_endless, &endless), 0);
    kit_read(&file, path);
    pthread_join(thread, NULL);
    CU_ASSERT_EQUAL(file.rc, PT_OK);
    CU_ASSERT_EQUAL(file.stats.rows, 25);
    CU_ASSERT_EQUAL(file.nrejects, 1);
    CU_ASSERT_STRING_EQUAL(file.rejects[0].reason, "line_too_long");
    CU_ASSERT_EQUAL(file.stats.lines, 26);
    CU_ASSERT_EQUAL(file.stats.bytes_total, 0); /* a pipe has no size */
    CU_ASSERT(peak_kib() - before < 100 * 1024);
    kit_done(&file);
    pt_buf_fini(&start);
}

static void test_random_bytes_and_random_changes_do_no_harm(void)
{
    uint64_t seed = 99;
    struct pt_buf good = { .data = NULL };
    pt_buf_puts(&good, HEADER12);
    dump_rows(&good, 60);
    for (int round = 0; round < 400; round++) {
        static struct kit_file file;
        char *bytes = malloc(good.len);
        memcpy(bytes, good.data, good.len);
        unsigned changes = round < 50 ? (unsigned)good.len : 1 + (unsigned)(kit_random(&seed) % 40);
        for (unsigned i = 0; i < changes; i++)
            bytes[kit_random(&seed) % good.len] =
                round < 50 ? (char)kit_random(&seed) : "0,.\n\"-e \r{1"[kit_random(&seed) % 11];
        struct pt_read_hint hint = { .kind = -1, .now_us = KIT_NOW };
        kit_read_hinted(&file, kit_write("BTCUSDT-1h-random.csv", bytes, good.len), &hint);
        if (round < 50) CU_ASSERT_EQUAL(file.rc, PT_EINVAL);
        for (size_t s = 0; s < file.nseries; s++) {
            for (size_t i = 0; i < file.series[s].frame.n; i++)
                CU_ASSERT_PTR_NULL(
                    pt_frame_check(&file.series[s].frame, i, file.series[s].key.period_us));
        }
        kit_done(&file);
        free(bytes);
    }
    pt_buf_fini(&good);
}

static CU_TestInfo tests[] = {
    { "each layout is told by its content", test_each_layout_is_told_by_its_content },
    { "BOM, CRLF, quotes and blank lines do not matter",
      test_bom_crlf_quotes_and_blank_lines_do_not_matter },
    { "hints come before names and names before content",
      test_hints_come_before_names_and_names_before_content },
    { "a hint renames one symbol and mixes no two",
      test_a_hint_renames_one_symbol_and_mixes_no_two },
    { "a bar is closed when its end has passed", test_a_bar_is_closed_when_its_end_has_passed },
    { "other tables and other bytes are no market data",
      test_other_tables_and_other_bytes_are_no_market_data },
    { "empty files hold no rows", test_empty_files_hold_no_rows },
    { "files that cannot be opened say why", test_files_that_cannot_be_opened_say_why },
    { "each fault is named with its line", test_each_fault_is_named_with_its_line },
    { "good but unusual rows are taken", test_good_but_unusual_rows_are_taken },
    { "both ways of reading a row agree", test_both_ways_of_reading_a_row_agree },
    { "long lines are rejected once and skipped", test_long_lines_are_rejected_once_and_skipped },
    { "the last line may lack its newline but not its end",
      test_the_last_line_may_lack_its_newline_but_not_its_end },
    { "batches hold up to 65536 rows", test_batches_hold_up_to_65536_rows },
    { "rows of many symbols come in batches of their own",
      test_rows_of_many_symbols_come_in_batches_of_their_own },
    { "gzip of several members is one file", test_gzip_of_several_members_is_one_file },
    { "a cut gzip gives its rows and then the damage",
      test_a_cut_gzip_gives_its_rows_and_then_the_damage },
    { "a zip is read member by member", test_a_zip_is_read_member_by_member },
    { "a cut zip gives the rows of its first member",
      test_a_cut_zip_gives_the_rows_of_its_first_member },
    { "inflating stops at its limit", test_inflating_stops_at_its_limit },
    { "ten gigabytes of nothing are no market data",
      test_ten_gigabytes_of_nothing_are_no_market_data },
    { "a line without end costs no memory", test_a_line_without_end_costs_no_memory },
    { "random bytes and random changes do no harm",
      test_random_bytes_and_random_changes_do_no_harm },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("reader", tests);
}
