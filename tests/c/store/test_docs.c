/* test_docs.c - documents and the outbox. */
#include "kit.h"

static char *path;
static struct pt_store *store;

static void setup(void)
{
    path = kit_folder();
    store = kit_open(path);
}

static void teardown(void)
{
    pt_store_close(store);
    kit_remove(path);
}

static void put(const char *collection, const char *key, int n)
{
    struct pt_write *write;
    bson_t *doc = BCON_NEW("n", BCON_INT32(n));
    OK(pt_write_begin(store, &write, &kit_err));
    OK(pt_write_doc(write, collection, key, strlen(key), doc, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    bson_destroy(doc);
}

static int64_t number(const bson_t *doc)
{
    int64_t n = -1;
    pt_doc_int(doc, "n", &n);
    return n;
}

static int64_t get(const char *collection, const char *key)
{
    struct pt_read *read;
    bson_t view;
    int64_t n = -1;
    OK(pt_read_begin(store, &read, &kit_err));
    if (pt_docs_get(read, collection, key, strlen(key), &view, &kit_err) == PT_OK)
        n = number(&view);
    pt_read_end(read);
    return n;
}

static void test_a_document_is_put_replaced_and_removed(void)
{
    struct pt_write *write;
    setup();
    CU_ASSERT_EQUAL(get("jobs", "a"), -1);
    put("jobs", "a", 1);
    CU_ASSERT_EQUAL(get("jobs", "a"), 1);
    put("jobs", "a", 2);
    CU_ASSERT_EQUAL(get("jobs", "a"), 2);
    uint64_t commit = pt_store_commit_id(store);
    put("jobs", "a", 2);
    CU_ASSERT_EQUAL(pt_store_commit_id(store), commit);
    OK(pt_write_begin(store, &write, &kit_err));
    OK(pt_write_doc_remove(write, "jobs", "a", 1, &kit_err));
    OK(pt_write_doc_remove(write, "jobs", "never", 5, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    CU_ASSERT_EQUAL(get("jobs", "a"), -1);
    teardown();
}

static bool collect(void *arg, const void *key, size_t key_len, const bson_t *view)
{
    struct pt_buf *buf = arg;
    pt_buf_add(buf, key, key_len);
    pt_buf_printf(buf, "=%d ", (int)number(view));
    return true;
}

static void check_scan(const char *from, const char *to, bool descending, const char *want)
{
    struct pt_read *read;
    struct pt_buf buf = { 0 };
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_docs_scan(read, "b", from, from ? strlen(from) : 0, to, to ? strlen(to) : 0, descending,
                    collect, &buf, &kit_err));
    pt_read_end(read);
    CU_ASSERT_STRING_EQUAL(buf.data ? buf.data : "", want);
    pt_buf_fini(&buf);
}

static void test_scans_keep_to_their_range_and_collection(void)
{
    setup();
    put("a", "z", 9);
    put("b", "k1", 1);
    put("b", "k2", 2);
    put("b", "k3", 3);
    put("b", "", 0);
    put("bb", "a", 9);
    put("c", "a", 9);
    check_scan(NULL, NULL, false, "=0 k1=1 k2=2 k3=3 ");
    check_scan(NULL, NULL, true, "k3=3 k2=2 k1=1 =0 ");
    check_scan("k1", "k3", false, "k1=1 k2=2 ");
    check_scan("k1", "k3", true, "k2=2 k1=1 ");
    check_scan("k15", NULL, false, "k2=2 k3=3 ");
    check_scan("k9", NULL, true, "");
    check_scan("k3", "k1", false, "");
    teardown();
}

static bool add_name(void *arg, const char *name)
{
    pt_buf_printf(arg, "%s ", name);
    return true;
}

static void test_collections_are_listed_once_each(void)
{
    struct pt_read *read;
    struct pt_buf buf = { 0 };
    setup();
    put("audit", "1", 1);
    put("audit", "2", 1);
    put("analytics_BTCUSDT_trend", "1", 1);
    put("jobs", "1", 1);
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_docs_collections(read, add_name, &buf, &kit_err));
    pt_read_end(read);
    CU_ASSERT_STRING_EQUAL(buf.data, "analytics_BTCUSDT_trend audit jobs ");
    pt_buf_fini(&buf);
    teardown();
}

static void test_names_and_documents_are_checked(void)
{
    struct pt_write *write;
    char name[400];
    bson_t good = BSON_INITIALIZER, *bad = BCON_NEW("s", BCON_UTF8("text"));
    setup();
    memset(name, 'x', sizeof name);
    name[201] = '\0';
    OK(pt_write_begin(store, &write, &kit_err));
    CU_ASSERT_EQUAL(pt_write_doc(write, name, "k", 1, &good, &kit_err), PT_EINVAL);
    CU_ASSERT_EQUAL(pt_write_doc(write, "", "k", 1, &good, &kit_err), PT_EINVAL);
    CU_ASSERT_EQUAL(pt_write_doc(write, "c", name, 201, &good, &kit_err), PT_EINVAL);
    name[200] = '\0';
    OK(pt_write_doc(write, name, name, 200, &good, &kit_err));
    /* a text whose length points past its end */
    uint8_t *bytes = (uint8_t *)(size_t)bson_get_data(bad);
    bytes[7] = 0x40;
    CU_ASSERT_EQUAL(pt_write_doc(write, "c", "k", 1, bad, &kit_err), PT_EINVAL);
    OK(pt_write_commit(write, &kit_err));
    bytes[7] = 5;
    bson_destroy(bad);
    teardown();
}

static void test_result_keys_sort_by_period_then_time(void)
{
    const int64_t keys[][2] = {
        { PT_US_MIN, -5 }, { PT_US_MIN, 3 }, { PT_US_HOUR, 0 }, { PT_US_HOUR, T0 }
    };
    uint8_t a[16], b[16];
    for (int i = 1; i < 4; i++) {
        pt_result_key(keys[i - 1][0], keys[i - 1][1], a);
        pt_result_key(keys[i][0], keys[i][1], b);
        CU_ASSERT_TRUE(memcmp(a, b, 16) < 0);
    }
}

/* ---- outbox ------------------------------------------------------------------------------- */

static bool print_item(void *arg, const struct pt_outbox_item *item)
{
    if (item->is_doc)
        pt_buf_printf(arg, "%d:%s/%.*s ", (int)item->seq, item->collection, (int)item->doc_key_len,
                      (const char *)item->doc_key);
    else
        pt_buf_printf(arg, "%d:%s+%d..%d ", (int)item->seq, item->key.symbol,
                      (int)(item->from_us - T0), (int)(item->to_us - T0));
    return true;
}

static void check_outbox(const char *mirror, const char *want)
{
    struct pt_read *read;
    struct pt_buf buf = { 0 };
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_outbox_each(read, mirror, print_item, &buf, &kit_err));
    pt_read_end(read);
    CU_ASSERT_STRING_EQUAL(buf.data ? buf.data : "", want);
    pt_buf_fini(&buf);
}

enum change { SUBSCRIBE, UNSUBSCRIBE, ACK };

static enum pt_code outbox(enum change what, const char *mirror, uint64_t seq)
{
    struct pt_write *write;
    OK(pt_write_begin(store, &write, &kit_err));
    enum pt_code rc = what == SUBSCRIBE     ? pt_outbox_subscribe(write, mirror, &kit_err)
                      : what == UNSUBSCRIBE ? pt_outbox_unsubscribe(write, mirror, &kit_err)
                                            : pt_outbox_ack(write, mirror, seq, &kit_err);
    OK(pt_write_commit(write, &kit_err));
    return rc;
}

static void put_rows(int64_t from, int n)
{
    struct pt_series_key key = kit_key(PT_MARKS, "ETHUSDT", 0);
    struct pt_frame frame;
    pt_frame_init(&frame, pt_kind(PT_MARKS));
    for (int i = 0; i < n; i++) kit_push(&frame, T0 + from + i, 0, 1);
    kit_write(store, &key, &frame, PT_PUT_LIVE);
    pt_frame_fini(&frame);
}

static uint64_t outbox_size(void)
{
    struct pt_read *read;
    struct pt_buf buf = { 0 };
    uint64_t n = 0;
    if (outbox(SUBSCRIBE, "probe", 0) != PT_OK) return UINT64_MAX;
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_outbox_each(read, "probe", print_item, &buf, &kit_err));
    pt_read_end(read);
    n = buf.len;
    pt_buf_fini(&buf);
    outbox(UNSUBSCRIBE, "probe", 0);
    return n;
}

static void test_a_mirror_gets_what_was_committed_since(void)
{
    setup();
    put("jobs", "before", 1);
    OK(outbox(SUBSCRIBE, "mongo", 0));
    check_outbox("mongo", "");
    put("jobs", "a", 1);
    put_rows(0, 3);
    put("jobs", "a", 2);
    put("jobs", "a", 2); /* no change, no item */
    put_rows(0, 3);
    check_outbox("mongo", "1:jobs/a 2:ETHUSDT+0..2 3:jobs/a ");
    OK(outbox(ACK, "mongo", 2));
    check_outbox("mongo", "3:jobs/a ");
    OK(outbox(SUBSCRIBE, "mongo", 0)); /* subscribing again goes on where it was */
    check_outbox("mongo", "3:jobs/a ");
    OK(outbox(ACK, "mongo", 1)); /* an old acknowledgement takes nothing back */
    check_outbox("mongo", "3:jobs/a ");
    CU_ASSERT_EQUAL(outbox(ACK, "mongo", 99), PT_ERANGE);
    CU_ASSERT_EQUAL(outbox(ACK, "nobody", 1), PT_ENOENT);
    teardown();
}

static void test_the_slowest_mirror_decides(void)
{
    setup();
    OK(outbox(SUBSCRIBE, "fast", 0));
    put("jobs", "a", 1);
    OK(outbox(SUBSCRIBE, "slow", 0));
    put("jobs", "b", 1);
    put("jobs", "c", 1);
    OK(outbox(ACK, "fast", 3));
    check_outbox("fast", "");
    check_outbox("slow", "2:jobs/b 3:jobs/c ");
    OK(outbox(UNSUBSCRIBE, "slow", 0));
    put("jobs", "d", 1);
    check_outbox("fast", "4:jobs/d ");
    OK(outbox(UNSUBSCRIBE, "fast", 0));
    put("jobs", "e", 1);
    CU_ASSERT_EQUAL(outbox_size(), 0);
    teardown();
}

static CU_TestInfo tests[] = {
    { "a document is put, replaced and removed", test_a_document_is_put_replaced_and_removed },
    { "scans keep to their range and collection", test_scans_keep_to_their_range_and_collection },
    { "collections are listed once each", test_collections_are_listed_once_each },
    { "names and documents are checked", test_names_and_documents_are_checked },
    { "result keys sort by period, then time", test_result_keys_sort_by_period_then_time },
    { "a mirror gets what was committed since", test_a_mirror_gets_what_was_committed_since },
    { "the slowest mirror decides what is dropped", test_the_slowest_mirror_decides },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("store/docs", tests);
}
