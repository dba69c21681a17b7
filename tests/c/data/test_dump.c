#include "kit.h"

static void push(struct pt_frame *frame, enum pt_kind_id kind, const int64_t *val,
                 const uint8_t *dig)
{
    pt_frame_init(frame, pt_kind(kind));
    OK(pt_frame_push(frame, val, dig));
}

static const char *text_of(struct pt_buf *out)
{
    CU_ASSERT(!out->failed);
    return out->data;
}

static void test_csv_has_the_header_and_the_digits_of_the_schema(void)
{
    struct pt_frame frame;
    struct pt_buf out = { .data = NULL };
    push(&frame, PT_CANDLES,
         (int64_t[]){ 1730419200000000, 5000000, 5100000, 4900000, 5000001, 0, 110480029421400,
                      PT_MISSING, PT_MISSING, 5, 0 },
         (uint8_t[]){ 0, 2, 2, 2, 2, pt_digits(0, 3), pt_digits(4, 6), 0, 0, 0, 0 });
    pt_dump_csv_header(frame.kind, &out);
    pt_dump_csv(&frame, 0, 1, &out);
    CU_ASSERT_STRING_EQUAL(text_of(&out), "open_time,open,high,low,close,volume,quote_volume,"
                                          "trades,taker_buy_volume,taker_buy_quote_volume,closed\n"
                                          "1730419200000000,50000.00,51000.00,49000.00,50000.01,0."
                                          "000,11048002942.1400000000,,,5,0\n");
    pt_buf_fini(&out);
    pt_frame_fini(&frame);
}

static void test_json_lines_keep_digits_as_texts(void)
{
    struct pt_frame frame;
    struct pt_buf out = { .data = NULL };
    push(&frame, PT_TRADES,
         (int64_t[]){ 1730419200000001, INT64_C(9007199254740993), 7029201, 50, PT_SIDE_SELL },
         (uint8_t[]){ 0, 0, 2, 2, 0 });
    pt_dump_jsonl(&frame, 0, 1, &out);
    CU_ASSERT_STRING_EQUAL(
        text_of(&out),
        "{\"time\":1730419200000001,\"trade_id\":9007199254740993,\"price\":\"70292.01\","
        "\"quantity\":\"0.50\",\"side\":\"sell\"}\n");
    pt_buf_fini(&out);
    pt_frame_fini(&frame);
    push(&frame, PT_FUNDING, (int64_t[]){ -5, -7046, PT_MISSING }, (uint8_t[]){ 0, 8, 0 });
    pt_dump_jsonl(&frame, 0, 1, &out);
    CU_ASSERT_STRING_EQUAL(text_of(&out),
                           "{\"funding_time\":-5,\"rate\":\"-0.00007046\",\"mark_price\":null}\n");
    pt_buf_fini(&out);
    pt_frame_fini(&frame);
}

/* A good row of any kind, with values that need care. */
static void good_row(enum pt_kind_id id, uint64_t *seed, int64_t time_us, int64_t *val,
                     uint8_t *dig)
{
    const struct pt_kind *kind = pt_kind(id);
    unsigned cell = 0;
    for (unsigned c = 0; c < kind->ncols; c++) {
        const struct pt_column *column = &kind->cols[c];
        unsigned levels = column->width > 1 ? 1 + (unsigned)(time_us / H1 % PT_DEPTH_LEVELS) : 1;
        for (unsigned w = 0; w < column->width; w++, cell++) {
            dig[cell] = 0;
            val[cell] = (int64_t)(kit_random(seed) >> (1 + kit_random(seed) % 62));
            if (column->type == PT_TYPE_DEC)
                dig[cell] = pt_digits((unsigned)(kit_random(seed) % 9), 0);
            if (column->type == PT_TYPE_TIME) val[cell] = time_us;
            if (column->type == PT_TYPE_BOOL || column->type == PT_TYPE_ENUM)
                val[cell] = (int64_t)(kit_random(seed) % 2);
            if ((!column->required && column->width == 1 && kit_random(seed) % 3 == 0) ||
                w >= levels)
                val[cell] = PT_MISSING;
            if (val[cell] == PT_MISSING) dig[cell] = 0;
        }
    }
    if (id == PT_CANDLES || id == PT_TICKERS) {
        val[2] = INT64_MAX, val[3] = 1; /* high, low */
        dig[2] = 0, dig[3] = 9;
        val[1] |= 1, val[4] |= 1; /* not 0 */
        val[PT_C_TIME] = time_us;
    }
    if (id == PT_TRADES || id == PT_MARKS) val[id == PT_TRADES ? PT_T_PRICE : PT_M_MARK] |= 1;
    if (id == PT_FUNDING && val[PT_F_MARK] == 0) val[PT_F_MARK] = PT_MISSING;
    if (id == PT_FUNDING) val[PT_F_RATE] = -val[PT_F_RATE];
    if (id == PT_MARKS) {
        if (val[PT_M_INDEX] == 0) val[PT_M_INDEX] = 1;
        if (val[PT_M_SETTLE] == 0) val[PT_M_SETTLE] = 1;
    }
    for (unsigned w = 0; id == PT_DEPTH && w < PT_DEPTH_LEVELS; w++) { /* sorted sides */
        if (val[2 + w] != PT_MISSING) val[2 + w] = 100000 - w, dig[2 + w] = 2;
        if (val[42 + w] != PT_MISSING) val[42 + w] = 100001 + w, dig[42 + w] = 2;
    }
}

static void round_trip(const struct pt_frame *frame, bool jsonl)
{
    static struct kit_file file;
    struct pt_buf text = { .data = NULL };
    struct pt_read_hint hint = { .kind = (int)frame->kind->id,
                                 .symbol = "XYZUSDT",
                                 .period_us = H1 };
    if (jsonl) {
        pt_dump_jsonl(frame, 0, frame->n, &text);
    } else {
        pt_dump_csv_header(frame->kind, &text);
        pt_dump_csv(frame, 0, frame->n, &text);
    }
    kit_read_hinted(&file, kit_write("export.txt", text.data, text.len), &hint);
    CU_ASSERT_EQUAL_FATAL(file.rc, PT_OK);
    if (file.nrejects)
        printf("\n  %s: %s: %s ", frame->kind->name, file.rejects[0].reason, file.rejects[0].text);
    CU_ASSERT_EQUAL_FATAL(file.nrejects, 0);
    CU_ASSERT_EQUAL_FATAL(file.series[0].frame.n, frame->n);
    for (size_t i = 0; i < frame->n; i++)
        CU_ASSERT(pt_frame_same(&file.series[0].frame, i, frame, i));
    kit_done(&file);
    pt_buf_fini(&text);
}

static void test_import_of_export_is_the_same_for_every_kind(void)
{
    uint64_t seed = 21;
    for (int k = 0; k < PT_KINDS; k++) {
        struct pt_frame frame;
        static int64_t val[PT_CELLS_MAX];
        static uint8_t dig[PT_CELLS_MAX];
        pt_frame_init(&frame, pt_kind((enum pt_kind_id)k));
        for (int64_t i = 0; i < 500;
             i++) { /* from 1970 on: times of an export are never guessed at */
            good_row((enum pt_kind_id)k, &seed, i * H1, val, dig);
            OK(pt_frame_push(&frame, val, dig));
        }
        round_trip(&frame, false);
        round_trip(&frame, true);
        pt_frame_fini(&frame);
    }
}

static void test_a_range_of_rows_is_dumped(void)
{
    struct pt_frame frame;
    struct pt_buf out = { .data = NULL };
    pt_frame_init(&frame, pt_kind(PT_FUNDING));
    for (int64_t i = 0; i < 5; i++)
        OK(pt_frame_push(&frame, (int64_t[]){ i, i, PT_MISSING }, (uint8_t[]){ 0, 1, 0 }));
    pt_dump_csv(&frame, 1, 3, &out);
    CU_ASSERT_STRING_EQUAL(text_of(&out), "1,0.1,\n2,0.2,\n3,0.3,\n");
    pt_buf_clear(&out);
    pt_dump_csv(&frame, 5, 0, &out);
    CU_ASSERT_EQUAL(out.len, 0);
    pt_buf_fini(&out);
    pt_frame_fini(&frame);
}

static CU_TestInfo tests[] = {
    { "CSV has the header and the digits of the schema",
      test_csv_has_the_header_and_the_digits_of_the_schema },
    { "JSON lines keep digits as texts", test_json_lines_keep_digits_as_texts },
    { "import of export is the same for every kind",
      test_import_of_export_is_the_same_for_every_kind },
    { "a range of rows is dumped", test_a_range_of_rows_is_dumped },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("dump", tests);
}
