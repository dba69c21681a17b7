#include "data/schema.h"

#include "base/timefmt.h"
#include "suite.h"

#include <string.h>

static void test_every_kind_is_found_by_its_name(void)
{
    for (int k = 0; k < PT_KINDS; k++) {
        const struct pt_kind *kind = pt_kind((enum pt_kind_id)k);
        CU_ASSERT_EQUAL(kind->id, (enum pt_kind_id)k);
        CU_ASSERT_PTR_EQUAL(pt_kind_named(kind->name), kind);
        CU_ASSERT(kind->ncols <= PT_COLS_MAX && pt_kind_cells(kind) <= PT_CELLS_MAX);
        CU_ASSERT(kind->keys == 1 || kind->keys == 2);
        for (unsigned c = 0; c < kind->ncols; c++) {
            CU_ASSERT_PTR_NOT_NULL(kind->cols[c].unit);
            CU_ASSERT_PTR_NOT_NULL(kind->cols[c].about);
            CU_ASSERT_EQUAL(kind->cols[c].type == PT_TYPE_ENUM, kind->cols[c].words != NULL);
            if (c < kind->keys) CU_ASSERT(kind->cols[c].required && kind->cols[c].width == 1);
        }
        CU_ASSERT_EQUAL(kind->cols[0].type, PT_TYPE_TIME);
    }
    CU_ASSERT_PTR_NULL(pt_kind_named("candle"));
    CU_ASSERT_EQUAL(pt_kind_cells(pt_kind(PT_DEPTH)), 2 + 4 * PT_DEPTH_LEVELS);
}

static void test_the_column_constants_name_the_columns(void)
{
    const struct pt_kind *candles = pt_kind(PT_CANDLES), *tickers = pt_kind(PT_TICKERS);
    CU_ASSERT_STRING_EQUAL(candles->cols[PT_C_TIME].name, "open_time");
    CU_ASSERT_STRING_EQUAL(candles->cols[PT_C_TAKER_QUOTE_VOLUME].name, "taker_buy_quote_volume");
    CU_ASSERT_STRING_EQUAL(candles->cols[PT_C_CLOSED].name, "closed");
    CU_ASSERT_EQUAL(candles->ncols, PT_C_CLOSED + 1);
    CU_ASSERT_STRING_EQUAL(pt_kind(PT_TRADES)->cols[PT_T_SIDE].words[PT_SIDE_SELL], "sell");
    CU_ASSERT_STRING_EQUAL(pt_kind(PT_DEPTH)->cols[PT_D_ASK_QUANTITY].name, "ask_quantity");
    CU_ASSERT_STRING_EQUAL(pt_kind(PT_FUNDING)->cols[PT_F_MARK].name, "mark_price");
    CU_ASSERT_STRING_EQUAL(pt_kind(PT_MARKS)->cols[PT_M_NEXT_FUNDING].name, "next_funding_time");
    CU_ASSERT_STRING_EQUAL(tickers->cols[PT_K_CHANGE_PERCENT].name, "price_change_percent");
    CU_ASSERT_EQUAL(tickers->ncols, PT_K_TRADES + 1);
}

static void test_symbols_are_upper_cased_and_checked(void)
{
    char out[PT_SYMBOL_MAX];
    CU_ASSERT_EQUAL(pt_symbol_parse("btcUsdt", 7, out), PT_OK);
    CU_ASSERT_STRING_EQUAL(out, "BTCUSDT");
    for (size_t i = 7; i < sizeof out; i++) CU_ASSERT_EQUAL(out[i], 0);
    CU_ASSERT_EQUAL(pt_symbol_parse("BTCUSDT_230630", 14, out), PT_OK);
    CU_ASSERT_EQUAL(pt_symbol_parse("123456789012345678901234567890", 30, out), PT_OK);
    const char *bad[] = { "",
                          "A",
                          "BTC-USDT",
                          "BTC USDT",
                          ("\xc3\x84"
                           "BC"),
                          "../x",
                          "1234567890123456789012345678901" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_EQUAL(pt_symbol_parse(bad[i], strlen(bad[i]), out), PT_EINVAL);
    CU_ASSERT_EQUAL(pt_symbol_parse("AB\0CD", 5, out), PT_EINVAL);
}

static void test_series_have_their_public_names(void)
{
    char out[PT_SERIES_TEXT_MAX];
    struct pt_series_key key = { .kind = PT_CANDLES,
                                 .symbol = "BTCUSDT",
                                 .period_us = 60 * PT_US_MIN };
    CU_ASSERT_EQUAL(pt_series_print(&key, out), strlen("candles_BTCUSDT_1h"));
    CU_ASSERT_STRING_EQUAL(out, "candles_BTCUSDT_1h");
    key = (struct pt_series_key){ .kind = PT_FUNDING, .symbol = "ETHUSDT" };
    pt_series_print(&key, out);
    CU_ASSERT_STRING_EQUAL(out, "funding_rates_ETHUSDT");
    memset(key.symbol, 'X', 30);
    key.kind = PT_MARKS;
    CU_ASSERT(pt_series_print(&key, out) < sizeof out);
}

static CU_TestInfo tests[] = {
    { "every kind is found by its name", test_every_kind_is_found_by_its_name },
    { "the column constants name the columns", test_the_column_constants_name_the_columns },
    { "symbols are upper-cased and checked", test_symbols_are_upper_cased_and_checked },
    { "series have their public names", test_series_have_their_public_names },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("schema", tests);
}
