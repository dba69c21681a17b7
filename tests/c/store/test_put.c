/* test_put.c - rows into a series and out again. */
#include "kit.h"

static void test_rows_come_back_with_their_digits(void)
{
    char *path = kit_folder();
    struct pt_store *store = kit_open(path);
    for (int k = 0; k < PT_KINDS; k++) {
        struct pt_series_key key = kit_key((enum pt_kind_id)k, "BTCUSDT", PT_US_MIN);
        struct pt_frame in, out;
        pt_frame_init(&in, pt_kind(key.kind));
        pt_frame_init(&out, pt_kind(key.kind));
        for (int i = 0; i < 3000; i++) kit_push(&in, T0 + i * PT_US_MIN, i, (uint64_t)i);
        struct pt_put_stats stats = kit_write(store, &key, &in, PT_PUT_CORRECT);
        CU_ASSERT_EQUAL(stats.inserted, 3000);
        kit_read(store, &key, INT64_MIN, INT64_MAX, &out);
        CU_ASSERT_TRUE(kit_same(&in, &out));
        pt_frame_fini(&in);
        pt_frame_fini(&out);
    }
    pt_store_close(store);
    kit_remove(path);
}

static CU_TestInfo tests[] = { { "rows of every kind come back with their digits",
                                 test_rows_come_back_with_their_digits },
                               CU_TEST_INFO_NULL };

int main(void)
{
    return pt_suite_main("store/put", tests);
}
