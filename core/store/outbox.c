/* outbox.c - what mirrors still have to take, written with the change itself.  [layer: store]
 * meta holds "mirror/NAME" -> the last sequence it acknowledged. An item is dropped when the
 * slowest mirror has it; without mirrors nothing is put here. Item: u8 1 = rows: u8 kind, 6 zero
 * bytes, period, symbol, from, to; u8 2 = document: collection, NUL, key. */
#include "store/internal.h"

#include <stdio.h>

#define PREFIX "mirror/"
#define PREFIX_LEN 7
enum { ITEM_ROWS = 1, ITEM_DOC = 2 };

struct rows_item {
    uint8_t type, kind, zero[6];
    int64_t period_us;
    char symbol[PT_SYMBOL_MAX];
    int64_t from_us, to_us;
};

static enum pt_code mirror_key(const char *mirror, char out[PREFIX_LEN + PT_NAME_BYTES_MAX + 1],
                               MDB_val *key, struct pt_err *err)
{
    size_t len = strlen(mirror);
    if (len == 0 || len > PT_NAME_BYTES_MAX)
        return pt_fail(err, PT_EINVAL, "a mirror's name has 1 to %d bytes", PT_NAME_BYTES_MAX);
    memcpy(out, PREFIX, PREFIX_LEN);
    memcpy(out + PREFIX_LEN, mirror, len + 1);
    *key = (MDB_val){ PREFIX_LEN + len, out };
    return PT_OK;
}

/* Number of mirrors and the least sequence that all of them have. */
static int mirrors(const struct pt_store *store, MDB_txn *txn, int *count, uint64_t *least)
{
    MDB_cursor *cursor = NULL;
    MDB_val key = { PREFIX_LEN, (void *)(size_t)PREFIX }, value;
    *count = 0;
    *least = UINT64_MAX;
    int mc = mdb_cursor_open(txn, store->meta, &cursor);
    if (mc != 0) return mc;
    mc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (; mc == 0; mc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        uint64_t seq;
        if (key.mv_size < PREFIX_LEN || memcmp(key.mv_data, PREFIX, PREFIX_LEN) != 0) break;
        if (value.mv_size != sizeof seq) continue;
        memcpy(&seq, value.mv_data, sizeof seq);
        if (seq < *least) *least = seq;
        ++*count;
    }
    mdb_cursor_close(cursor);
    return mc == MDB_NOTFOUND ? 0 : mc;
}

/* Drops what every mirror has. */
static int trim(struct pt_write *write)
{
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    uint64_t least;
    MDB_dbi outbox = write->store->dbi[PT_CURSOR_OUTBOX];
    int mc = mirrors(write->store, write->txn, &write->mirrors, &least);
    if (mc == 0 && write->mirrors == 0) return mdb_drop(write->txn, outbox, 0);
    if (mc == 0) mc = mdb_cursor_open(write->txn, outbox, &cursor);
    if (mc != 0) return mc;
    while ((mc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST)) == 0) {
        if (key.mv_size == 8 && pt_get_be64(key.mv_data) > least) break;
        mc = mdb_cursor_del(cursor, 0);
        if (mc != 0) break;
    }
    mdb_cursor_close(cursor);
    return mc == MDB_NOTFOUND ? 0 : mc;
}

static enum pt_code put_item(struct pt_write *write, const void *item, size_t len,
                             struct pt_err *err)
{
    uint64_t seq, least;
    uint8_t bytes[8];
    int mc = 0;
    if (write->mirrors < 0) mc = mirrors(write->store, write->txn, &write->mirrors, &least);
    if (mc == 0 && write->mirrors == 0) return PT_OK;
    if (mc == 0) {
        enum pt_code rc = pt_meta_count(write, "seq", 1, &seq, err);
        if (rc != PT_OK) return rc;
        pt_put_be64(bytes, seq);
        MDB_val key = { sizeof bytes, bytes }, value = { len, (void *)(size_t)item };
        mc = mdb_put(write->txn, write->store->dbi[PT_CURSOR_OUTBOX], &key, &value, MDB_APPEND);
    }
    return mc == 0 ? PT_OK : pt_write_spoil(write, pt_lmdb_fail(err, mc, "outbox"));
}

enum pt_code pt_outbox_rows(struct pt_write *write, const struct pt_touched *touched,
                            struct pt_err *err)
{
    struct rows_item item;
    memset(&item, 0, sizeof item);
    item.type = ITEM_ROWS;
    item.kind = (uint8_t)touched->record.kind;
    item.period_us = touched->record.period_us;
    memcpy(item.symbol, touched->record.symbol, sizeof item.symbol);
    item.from_us = touched->from_us;
    item.to_us = touched->to_us;
    return put_item(write, &item, sizeof item, err);
}

enum pt_code pt_outbox_doc(struct pt_write *write, const char *collection, const void *key,
                           size_t key_len, struct pt_err *err)
{
    uint8_t item[1 + PT_NAME_BYTES_MAX + 1 + PT_NAME_BYTES_MAX];
    size_t len = strlen(collection) + 1; /* both lengths were checked with the document */
    item[0] = ITEM_DOC;
    memcpy(item + 1, collection, len);
    if (key_len > 0) memcpy(item + 1 + len, key, key_len);
    return put_item(write, item, 1 + len + key_len, err);
}

enum pt_code pt_outbox_subscribe(struct pt_write *write, const char *mirror, struct pt_err *err)
{
    char name[PREFIX_LEN + PT_NAME_BYTES_MAX + 1];
    MDB_val key, value;
    uint64_t seq;
    enum pt_code rc = mirror_key(mirror, name, &key, err);
    if (rc != PT_OK) return rc;
    int mc = mdb_get(write->txn, write->store->meta, &key, &value);
    if (mc == 0) return PT_OK; /* goes on where it was */
    if (mc == MDB_NOTFOUND) {
        rc = pt_meta_count(write, "seq", 0, &seq, err);
        if (rc != PT_OK) return rc;
        value = (MDB_val){ sizeof seq, &seq };
        mc = mdb_put(write->txn, write->store->meta, &key, &value, 0);
    }
    if (mc != 0) return pt_write_spoil(write, pt_lmdb_fail(err, mc, "mirror %s", mirror));
    write->dirty = true;
    write->mirrors = -1;
    return PT_OK;
}

enum pt_code pt_outbox_unsubscribe(struct pt_write *write, const char *mirror, struct pt_err *err)
{
    char name[PREFIX_LEN + PT_NAME_BYTES_MAX + 1];
    MDB_val key;
    enum pt_code rc = mirror_key(mirror, name, &key, err);
    if (rc != PT_OK) return rc;
    int mc = mdb_del(write->txn, write->store->meta, &key, NULL);
    if (mc == MDB_NOTFOUND) return PT_OK;
    if (mc == 0) mc = trim(write);
    if (mc != 0) return pt_write_spoil(write, pt_lmdb_fail(err, mc, "mirror %s", mirror));
    write->dirty = true;
    return PT_OK;
}

enum pt_code pt_outbox_ack(struct pt_write *write, const char *mirror, uint64_t seq,
                           struct pt_err *err)
{
    char name[PREFIX_LEN + PT_NAME_BYTES_MAX + 1];
    MDB_val key, value;
    uint64_t had = 0, top;
    enum pt_code rc = mirror_key(mirror, name, &key, err);
    if (rc != PT_OK) return rc;
    int mc = mdb_get(write->txn, write->store->meta, &key, &value);
    if (mc == MDB_NOTFOUND) return pt_fail(err, PT_ENOENT, "there is no mirror named %s", mirror);
    if (mc == 0 && value.mv_size == sizeof had) memcpy(&had, value.mv_data, sizeof had);
    if (mc == 0 && seq <= had) return PT_OK;
    if (mc == 0) {
        MDB_val counter = { 3, (void *)(size_t) "seq" }, now;
        top = 0;
        mc = mdb_get(write->txn, write->store->meta, &counter, &now);
        if (mc == 0 && now.mv_size == sizeof top) memcpy(&top, now.mv_data, sizeof top);
        if (mc == 0 && seq > top)
            return pt_fail(err, PT_ERANGE, "mirror %s acknowledges what was never sent", mirror);
    }
    if (mc == 0) {
        value = (MDB_val){ sizeof seq, &seq };
        mc = mdb_put(write->txn, write->store->meta, &key, &value, 0);
    }
    if (mc == 0) mc = trim(write);
    if (mc != 0) return pt_write_spoil(write, pt_lmdb_fail(err, mc, "mirror %s", mirror));
    write->dirty = true;
    return PT_OK;
}

/* NULL = good; views the value. */
static const char *parse(const MDB_val *key, const MDB_val *value, struct pt_outbox_item *item)
{
    const uint8_t *bytes = value->mv_data;
    memset(item, 0, sizeof *item);
    if (key->mv_size != 8 || value->mv_size < 1) return "wrong length";
    item->seq = pt_get_be64(key->mv_data);
    if (bytes[0] == ITEM_ROWS) {
        struct rows_item rows;
        if (value->mv_size != sizeof rows) return "wrong length";
        memcpy(&rows, bytes, sizeof rows);
        if (rows.kind >= PT_KINDS || rows.symbol[PT_SYMBOL_MAX - 1] != '\0') return "no series";
        item->key.kind = (enum pt_kind_id)rows.kind;
        item->key.period_us = rows.period_us;
        memcpy(item->key.symbol, rows.symbol, sizeof item->key.symbol);
        item->from_us = rows.from_us;
        item->to_us = rows.to_us;
        return NULL;
    }
    if (bytes[0] != ITEM_DOC) return "unknown type";
    size_t len = strnlen((const char *)bytes + 1, value->mv_size - 1);
    if (len == value->mv_size - 1) return "no collection";
    item->is_doc = true;
    item->collection = (const char *)bytes + 1;
    item->doc_key = bytes + 1 + len + 1;
    item->doc_key_len = value->mv_size - 2 - len;
    return NULL;
}

const char *pt_outbox_check(const MDB_val *key, const MDB_val *value)
{
    struct pt_outbox_item item;
    return parse(key, value, &item);
}

enum pt_code pt_outbox_each(struct pt_read *read, const char *mirror, pt_outbox_fn fn, void *arg,
                            struct pt_err *err)
{
    char name[PREFIX_LEN + PT_NAME_BYTES_MAX + 1];
    uint8_t bytes[8];
    MDB_cursor *cursor;
    MDB_val key, value;
    uint64_t had = 0;
    enum pt_code rc = mirror_key(mirror, name, &key, err);
    if (rc == PT_OK) rc = pt_read_cursor(read, PT_CURSOR_OUTBOX, &cursor, err);
    if (rc != PT_OK) return rc;
    int mc = mdb_get(read->txn, read->store->meta, &key, &value);
    if (mc == MDB_NOTFOUND) return pt_fail(err, PT_ENOENT, "there is no mirror named %s", mirror);
    if (mc == 0 && value.mv_size == sizeof had) memcpy(&had, value.mv_data, sizeof had);
    pt_put_be64(bytes, had + 1);
    key = (MDB_val){ sizeof bytes, bytes };
    if (mc == 0) mc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (; mc == 0; mc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        struct pt_outbox_item item;
        const char *fault = parse(&key, &value, &item);
        if (fault)
            return pt_fail(err, PT_EDAMAGE, "outbox item %llu: damaged (%s)",
                           (unsigned long long)item.seq, fault);
        if (!fn(arg, &item)) return PT_OK;
    }
    return mc == MDB_NOTFOUND ? PT_OK : pt_lmdb_fail(err, mc, "outbox of mirror %s", mirror);
}
