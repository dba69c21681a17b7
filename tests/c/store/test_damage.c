/* test_damage.c - bits that turned: named, kept from spreading, healed. */
#include "raw.h"

#include "base/log.h"
#include "store/chunk.h"
#include "store/retention.h"

enum { DAMAGED_ROWS = 6000 };

static int64_t damaged_key_us; /* of the chunk that was damaged */

/* Turns one bit in the payload of the third chunk. */
static void damage_chunk(MDB_cursor *cursor)
{
    MDB_val key, value;
    static uint8_t copy[PT_CHUNK_BYTES_MAX];
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL_FATAL(mdb_cursor_get(cursor, &key, &value, i ? MDB_NEXT : MDB_FIRST), 0);
    uint64_t t = 0;
    for (int i = 0; i < 8; i++) t = t << 8 | ((uint8_t *)key.mv_data)[4 + i];
    damaged_key_us = (int64_t)(t ^ UINT64_C(1) << 63);
    memcpy(copy, value.mv_data, value.mv_size);
    copy[value.mv_size / 2] ^= 4;
    value.mv_data = copy;
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_put(cursor, &key, &value, MDB_CURRENT), 0);
}

/* Turns one bit in the head of the third chunk: not even its number of rows is known then. */
static void damage_head(MDB_cursor *cursor)
{
    MDB_val key, value;
    static uint8_t copy[PT_CHUNK_BYTES_MAX];
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL_FATAL(mdb_cursor_get(cursor, &key, &value, i ? MDB_NEXT : MDB_FIRST), 0);
    memcpy(copy, value.mv_data, value.mv_size);
    copy[14] ^= 4;
    value.mv_data = copy;
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_put(cursor, &key, &value, MDB_CURRENT), 0);
}

struct faults {
    unsigned n;
    char where[200];
};

static void note_fault(void *arg, const char *where, const char *what)
{
    struct faults *faults = arg;
    CU_ASSERT_TRUE(strlen(what) > 0);
    faults->n++;
    snprintf(faults->where, sizeof faults->where, "%s", where);
}

static void damaged_store(const char *path, struct pt_frame *rows, void (*how)(MDB_cursor *))
{
    struct pt_store *store = kit_open(path);
    struct pt_series_key key = kit_key(PT_TRADES, "BTCUSDT", 0),
                         other = kit_key(PT_TRADES, "ETHUSDT", 0);
    pt_frame_init(rows, pt_kind(PT_TRADES));
    for (int i = 0; i < DAMAGED_ROWS; i++) kit_push(rows, T0 + i * PT_US_SEC, i, (uint64_t)i);
    kit_write(store, &key, rows, PT_PUT_CORRECT);
    kit_write(store, &other, rows, PT_PUT_CORRECT);
    pt_store_close(store);
    raw(path, "chunks", how);
}

static void test_damage_is_named_and_the_rest_stays_readable(void)
{
    char *path = kit_folder(), when[PT_TIME_TEXT_MAX];
    struct pt_frame rows, got;
    struct pt_read *read;
    damaged_store(path, &rows, damage_chunk);
    struct pt_store *store = kit_open(path);
    struct pt_series_key key = kit_key(PT_TRADES, "BTCUSDT", 0),
                         other = kit_key(PT_TRADES, "ETHUSDT", 0);
    pt_frame_init(&got, pt_kind(PT_TRADES));
    pt_time_print(damaged_key_us, when);

    OK(pt_read_begin(store, &read, &kit_err));
    CU_ASSERT_EQUAL(pt_series_read(read, &key, INT64_MIN, INT64_MAX, 0, &got, &kit_err),
                    PT_EDAMAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "trades_BTCUSDT"));
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, when));
    CU_ASSERT_TRUE(got.n > 0 && got.n < rows.n); /* the rows before it are there, and right */
    CU_ASSERT_EQUAL(got.val[0][got.n - 1] + PT_US_SEC, damaged_key_us);
    for (size_t i = 0; i < got.n; i++) CU_ASSERT_TRUE(pt_frame_same(&rows, i, &got, i));
    pt_frame_clear(&got);
    int64_t behind = rows.val[0][rows.n - 1000]; /* behind it, and another series: as ever */
    OK(pt_series_read(read, &key, behind, INT64_MAX, 0, &got, &kit_err));
    CU_ASSERT_EQUAL(got.n, 1000);
    pt_frame_clear(&got);
    OK(pt_series_read(read, &other, INT64_MIN, INT64_MAX, 0, &got, &kit_err));
    CU_ASSERT_TRUE(kit_same(&rows, &got));
    pt_read_end(read);

    struct pt_verify sums;
    struct faults faults = { .n = 0 };
    CU_ASSERT_EQUAL(pt_store_verify(store, note_fault, &faults, &sums, &kit_err), PT_EDAMAGE);
    CU_ASSERT_EQUAL(faults.n, 1);
    CU_ASSERT_EQUAL(sums.damaged, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(faults.where, "trades_BTCUSDT"));
    CU_ASSERT_PTR_NOT_NULL(strstr(faults.where, when));
    pt_store_close(store);
    pt_frame_fini(&rows);
    pt_frame_fini(&got);
    kit_remove(path);
}

static void heal(void (*how)(MDB_cursor *))
{
    char *path = kit_folder();
    struct pt_frame rows, got, late;
    struct pt_write *write;
    struct pt_put_stats stats = { 0, 0, 0, 0 };
    struct pt_verify sums;
    damaged_store(path, &rows, how);
    struct pt_store *store = kit_open(path);
    struct pt_series_key key = kit_key(PT_TRADES, "BTCUSDT", 0);
    pt_frame_init(&got, rows.kind);
    pt_frame_init(&late, rows.kind);

    kit_push(&late, rows.val[0][rows.n - 1] + 1, 1, 1); /* newer rows get in */
    stats = kit_write(store, &key, &late, PT_PUT_LIVE);
    CU_ASSERT_EQUAL(stats.inserted, 1);
    kit_push(&rows, rows.val[0][rows.n - 1] + 1, 1, 1);

    for (int mode = 0; mode < 2;
         mode++) { /* a single row into it does not, and wipes out nothing */
        pt_frame_clear(&late);
        kit_push(&late, damaged_key_us + 5, 1, 1);
        OK(pt_write_begin(store, &write, &kit_err));
        CU_ASSERT_EQUAL(pt_write_rows(write, &key, &late, mode ? PT_PUT_CORRECT : PT_PUT_LIVE,
                                      &stats, &kit_err),
                        PT_EDAMAGE);
        CU_ASSERT_EQUAL(pt_write_commit(write, &kit_err), PT_EINVAL);
    }
    kit_write(store, &key, &rows, PT_PUT_CORRECT); /* the whole range again: as new */
    kit_read(store, &key, INT64_MIN, INT64_MAX, &got);
    CU_ASSERT_TRUE(kit_same(&rows, &got));
    OK(pt_store_verify(store, NULL, NULL, &sums, &kit_err));
    pt_store_close(store);
    pt_frame_fini(&rows);
    pt_frame_fini(&got);
    pt_frame_fini(&late);
    kit_remove(path);
}

static void test_importing_again_heals_a_chunk(void)
{
    heal(damage_chunk);
    heal(damage_head);
}

static void test_a_damaged_chunk_expires_like_any_other(void)
{
    char *path = kit_folder();
    struct pt_frame rows, got;
    struct pt_write *write;
    struct pt_verify sums;
    uint64_t removed;
    damaged_store(path, &rows, damage_head);
    struct pt_store *store = kit_open(path);
    struct pt_series_key key = kit_key(PT_TRADES, "BTCUSDT", 0);
    pt_frame_init(&got, rows.kind);
    OK(pt_write_begin(store, &write, &kit_err));
    OK(pt_write_expire(write, &key, rows.val[0][rows.n - 1000], &removed, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    kit_read(store, &key, INT64_MIN, INT64_MAX, &got);
    CU_ASSERT_EQUAL(got.n, 1000);
    CU_ASSERT_EQUAL(removed, DAMAGED_ROWS - 1000);
    OK(pt_store_verify(store, NULL, NULL, &sums, &kit_err));
    pt_store_close(store);
    pt_frame_fini(&rows);
    pt_frame_fini(&got);
    kit_remove(path);
}

static int64_t first_of(struct pt_store *store, const struct pt_series_key *key)
{
    struct pt_read *read;
    struct pt_series series = { .rows = 0 };
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_series_find(read, key, &series, &kit_err));
    pt_read_end(read);
    return series.first_us;
}

/* Its age reaches into the damaged chunk: what is older goes, the chunk stays until all of it is
 * old, and the series behind it are not held up. */
static void test_retention_passes_a_damaged_chunk(void)
{
    char *path = kit_folder();
    struct pt_frame rows, got;
    struct pt_retention rule;
    struct pt_expired expired = { .rows = 0 };
    damaged_store(path, &rows, damage_chunk);
    struct pt_store *store = kit_open(path);
    struct pt_series_key other = kit_key(PT_TRADES, "ETHUSDT", 0);
    struct pt_series_key key = kit_key(PT_TRADES, "BTCUSDT", 0);
    pt_frame_init(&got, rows.kind);
    OK(pt_retention_parse("trades=1h", &rule, &kit_err));
    kit_read(store, &other, INT64_MIN, INT64_MAX, &got);
    size_t others = got.n;
    CU_ASSERT(others > 0);
    int64_t cut_us = damaged_key_us + 10 * PT_US_SEC;
    OK(pt_retention_run(store, &rule, 1, cut_us + PT_US_HOUR, &expired, &kit_err));
    CU_ASSERT_EQUAL(first_of(store, &key), damaged_key_us);
    pt_frame_clear(&got);
    kit_read(store, &other, INT64_MIN, INT64_MAX, &got);
    CU_ASSERT_EQUAL(got.n, others - (size_t)((cut_us - T0) / PT_US_SEC));
    pt_store_close(store);
    pt_frame_fini(&rows);
    pt_frame_fini(&got);
    kit_remove(path);
}

static void damage_doc(MDB_cursor *cursor)
{
    MDB_val key, value;
    uint8_t copy[100];
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_get(cursor, &key, &value, MDB_FIRST), 0);
    CU_ASSERT_TRUE_FATAL(value.mv_size < sizeof copy);
    memcpy(copy, value.mv_data, value.mv_size);
    copy[value.mv_size - 3] ^= 1;
    value.mv_data = copy;
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_put(cursor, &key, &value, MDB_CURRENT), 0);
}

static void damage_record(MDB_cursor *cursor)
{
    MDB_val key, value;
    uint8_t copy[400];
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_get(cursor, &key, &value, MDB_FIRST), 0);
    CU_ASSERT_TRUE_FATAL(value.mv_size < sizeof copy);
    memcpy(copy, value.mv_data, value.mv_size);
    copy[30] ^= 1;
    value.mv_data = copy;
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_put(cursor, &key, &value, MDB_CURRENT), 0);
}

static bool name_series(void *arg, const struct pt_series *series)
{
    pt_buf_printf(arg, "%s ", series->key.symbol);
    return true;
}

static void test_a_damaged_series_record_hides_no_other(void)
{
    char *path = kit_folder();
    struct pt_buf names = { 0 };
    struct pt_series_key btc = kit_key(PT_TRADES, "BTCUSDT", 0),
                         eth = kit_key(PT_TRADES, "ETHUSDT", 0);
    struct pt_frame rows;
    struct pt_series series;
    struct pt_read *read;
    struct pt_verify sums;
    damaged_store(path, &rows, damage_chunk);
    raw(path, "series", damage_record);
    struct pt_store *store = kit_open(path);
    OK(pt_read_begin(store, &read, &kit_err));
    CU_ASSERT_EQUAL(pt_series_each(read, name_series, &names, &kit_err), PT_EDAMAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "trades_BTCUSDT"));
    CU_ASSERT_STRING_EQUAL(names.data, "ETHUSDT ");
    CU_ASSERT_EQUAL(pt_series_find(read, &btc, &series, &kit_err), PT_EDAMAGE);
    OK(pt_series_find(read, &eth, &series, &kit_err));
    pt_read_end(read);
    CU_ASSERT_EQUAL(pt_store_verify(store, NULL, NULL, &sums, &kit_err), PT_EDAMAGE);
    pt_store_close(store);
    pt_buf_fini(&names);
    pt_frame_fini(&rows);
    kit_remove(path);
}

static bool count_doc(void *arg, const void *key, size_t key_len, const bson_t *view)
{
    (void)key;
    (void)key_len;
    (void)view;
    ++*(int *)arg;
    return true;
}

static void test_a_damaged_document_is_named(void)
{
    char *path = kit_folder();
    struct pt_store *store = kit_open(path);
    struct pt_write *write;
    struct pt_read *read;
    struct pt_verify sums;
    bson_t view, *doc = BCON_NEW("n", BCON_INT32(7));
    int seen = 0;
    OK(pt_write_begin(store, &write, &kit_err));
    for (int i = 0; i < 3; i++) OK(pt_write_doc(write, "jobs", &"abc"[i], 1, doc, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    bson_destroy(doc);
    pt_store_close(store);
    raw(path, "docs", damage_doc);
    store = kit_open(path);
    OK(pt_read_begin(store, &read, &kit_err));
    CU_ASSERT_EQUAL(pt_docs_get(read, "jobs", "a", 1, &view, &kit_err), PT_EDAMAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "jobs"));
    OK(pt_docs_get(read, "jobs", "b", 1, &view, &kit_err));
    CU_ASSERT_EQUAL(pt_docs_scan(read, "jobs", NULL, 0, NULL, 0, false, count_doc, &seen, &kit_err),
                    PT_EDAMAGE);
    CU_ASSERT_EQUAL(seen, 2); /* the good ones */
    pt_read_end(read);
    CU_ASSERT_EQUAL(pt_store_verify(store, NULL, NULL, &sums, &kit_err), PT_EDAMAGE);
    CU_ASSERT_EQUAL(sums.damaged, 1);
    pt_store_close(store);
    kit_remove(path);
}

static CU_TestInfo tests[] = {
    { "damage is named and the rest stays readable",
      test_damage_is_named_and_the_rest_stays_readable },
    { "importing again heals a damaged chunk", test_importing_again_heals_a_chunk },
    { "retention passes a damaged chunk", test_retention_passes_a_damaged_chunk },
    { "a damaged chunk expires like any other", test_a_damaged_chunk_expires_like_any_other },
    { "a damaged series record hides no other", test_a_damaged_series_record_hides_no_other },
    { "a damaged document is named", test_a_damaged_document_is_named },
    CU_TEST_INFO_NULL
};

int main(void)
{
    pt_log_set_level(PT_ERROR);
    return pt_suite_main("store/damage", tests);
}
