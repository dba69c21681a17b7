/* docs.c - documents: BSON under (collection, key), each with its checksum.    [layer: store] */
#include "store/internal.h"

#include "store/sum.h"
#include <inttypes.h>
#include <stdio.h>

#define SUM_BYTES 8

enum pt_code pt_doc_key(const char *collection, const void *key, size_t key_len,
                        struct pt_doc_key *out, struct pt_err *err)
{
    size_t len = strlen(collection);
    if (len == 0 || len > PT_NAME_BYTES_MAX)
        return pt_fail(err, PT_EINVAL, "a collection's name has 1 to %d bytes, not %zu",
                       PT_NAME_BYTES_MAX, len);
    if (key_len > PT_NAME_BYTES_MAX)
        return pt_fail(err, PT_EINVAL, "%s: a document's key has at most %d bytes, not %zu",
                       collection, PT_NAME_BYTES_MAX, key_len);
    memcpy(out->bytes, collection, len + 1);
    out->prefix = len + 1;
    if (key_len > 0) memcpy(out->bytes + out->prefix, key, key_len);
    out->len = out->prefix + key_len;
    return PT_OK;
}

const char *pt_doc_check(const MDB_val *value, bson_t *view)
{
    uint64_t sum;
    const uint8_t *bytes = value->mv_data;
    if (value->mv_size < SUM_BYTES) return "wrong length of a document";
    memcpy(&sum, bytes, sizeof sum);
    if (pt_sum(bytes + SUM_BYTES, value->mv_size - SUM_BYTES) != sum)
        return "checksum of a document";
    if (!bson_init_static(view, bytes + SUM_BYTES, value->mv_size - SUM_BYTES))
        return "no document";
    return NULL;
}

/* Key bytes as text for a message: hexadecimal, cut when long. */
static const char *key_text(const void *key, size_t len, char out[68])
{
    const uint8_t *bytes = key;
    size_t shown = len < 32 ? len : 32;
    for (size_t i = 0; i < shown; i++) snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    out[2 * shown] = '\0';
    return out;
}

void pt_doc_name(const MDB_val *key, char *out, size_t size)
{
    char text[68];
    const char *bytes = key->mv_data;
    size_t len = strnlen(bytes, key->mv_size), rest = len < key->mv_size ? len + 1 : len;
    snprintf(out, size, "%.*s %s", (int)len, bytes,
             key_text(bytes + rest, key->mv_size - rest, text));
}

static enum pt_code damaged(struct pt_err *err, const char *collection, const void *key, size_t len,
                            const char *what)
{
    char text[68];
    return pt_fail(err, PT_EDAMAGE, "collection %s, document %s: damaged (%s)", collection,
                   key_text(key, len, text), what);
}

/* *mc: what LMDB said, 0 where it was not asked. */
static enum pt_code get(MDB_txn *txn, MDB_dbi dbi, const char *collection, const void *key,
                        size_t key_len, bson_t *view, int *mc, struct pt_err *err)
{
    struct pt_doc_key at;
    MDB_val value;
    *mc = 0;
    enum pt_code rc = pt_doc_key(collection, key, key_len, &at, err);
    if (rc != PT_OK) return rc;
    MDB_val k = { at.len, at.bytes };
    *mc = mdb_get(txn, dbi, &k, &value);
    if (*mc == MDB_NOTFOUND) return PT_ENOENT;
    if (*mc != 0) return pt_lmdb_fail(err, *mc, "collection %s", collection);
    const char *fault = pt_doc_check(&value, view);
    return fault ? damaged(err, collection, key, key_len, fault) : PT_OK;
}

enum pt_code pt_docs_get(struct pt_read *read, const char *collection, const void *key,
                         size_t key_len, bson_t *view, struct pt_err *err)
{
    int mc;
    return get(read->txn, read->store->dbi[PT_CURSOR_DOCS], collection, key, key_len, view, &mc,
               err);
}

int pt_doc_key_cmp(const MDB_val *a, const struct pt_doc_key *b)
{
    size_t n = a->mv_size < b->len ? a->mv_size : b->len;
    int c = memcmp(a->mv_data, b->bytes, n);
    if (c != 0) return c;
    return a->mv_size < b->len ? -1 : a->mv_size > b->len;
}

bool pt_doc_key_in(const MDB_val *key, const struct pt_doc_key *at)
{
    return key->mv_size >= at->prefix && memcmp(key->mv_data, at->bytes, at->prefix) == 0;
}

enum pt_code pt_docs_bounds(const char *collection, const void *from, size_t from_len,
                            const void *to, size_t to_len, struct pt_doc_key *low,
                            struct pt_doc_key *high, struct pt_err *err)
{
    enum pt_code rc = pt_doc_key(collection, from, from ? from_len : 0, low, err);
    if (rc == PT_OK) rc = pt_doc_key(collection, to, to ? to_len : 0, high, err);
    if (rc == PT_OK && !to) high->bytes[high->prefix - 1] = 1; /* just behind the collection */
    return rc;
}

int pt_docs_step(MDB_cursor *cursor, const struct pt_doc_key *low, const struct pt_doc_key *high,
                 bool descending, bool first, MDB_val *key, MDB_val *value)
{
    int mc;
    if (first) {
        const struct pt_doc_key *start = descending ? high : low;
        *key = (MDB_val){ start->len, (void *)(size_t)start->bytes };
        mc = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
        if (descending && (mc == 0 || mc == MDB_NOTFOUND))
            mc = mdb_cursor_get(cursor, key, value, mc == 0 ? MDB_PREV : MDB_LAST);
    } else {
        mc = mdb_cursor_get(cursor, key, value, descending ? MDB_PREV : MDB_NEXT);
    }
    if (mc != 0) return mc;
    bool inside = pt_doc_key_in(key, low) &&
                  (descending ? pt_doc_key_cmp(key, low) >= 0 : pt_doc_key_cmp(key, high) < 0);
    return inside ? 0 : MDB_NOTFOUND;
}

enum pt_code pt_docs_scan(struct pt_read *read, const char *collection, const void *from,
                          size_t from_len, const void *to, size_t to_len, bool descending,
                          pt_docs_fn fn, void *arg, struct pt_err *err)
{
    struct pt_doc_key low, high;
    struct pt_err first_fault = { .code = PT_OK };
    MDB_cursor *cursor;
    MDB_val key, value;
    enum pt_code rc = pt_docs_bounds(collection, from, from_len, to, to_len, &low, &high, err);
    if (rc == PT_OK) rc = pt_read_cursor(read, PT_CURSOR_DOCS, &cursor, err);
    if (rc != PT_OK) return rc;
    int mc = pt_docs_step(cursor, &low, &high, descending, true, &key, &value);
    for (; mc == 0; mc = pt_docs_step(cursor, &low, &high, descending, false, &key, &value)) {
        const uint8_t *bytes = (const uint8_t *)key.mv_data + low.prefix;
        size_t len = key.mv_size - low.prefix;
        bson_t view;
        const char *fault = pt_doc_check(&value, &view);
        if (!fault && !fn(arg, bytes, len, &view)) break;
        if (fault && first_fault.code == PT_OK) /* the good ones behind it are still given */
            damaged(&first_fault, collection, bytes, len, fault);
    }
    if (mc != 0 && mc != MDB_NOTFOUND) return pt_lmdb_fail(err, mc, "collection %s", collection);
    if (first_fault.code != PT_OK && err) *err = first_fault;
    return first_fault.code;
}

enum pt_code pt_docs_collections(struct pt_read *read, pt_name_fn fn, void *arg, struct pt_err *err)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    char name[PT_NAME_BYTES_MAX + 1];
    enum pt_code rc = pt_read_cursor(read, PT_CURSOR_DOCS, &cursor, err);
    if (rc != PT_OK) return rc;
    int mc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (mc == 0) {
        size_t len = strnlen(key.mv_data, key.mv_size);
        if (len == key.mv_size || len == 0 || len > PT_NAME_BYTES_MAX)
            return pt_fail(err, PT_EDAMAGE, "%s: a document's key is damaged", read->store->path);
        memcpy(name, key.mv_data, len + 1);
        if (!fn(arg, name)) return PT_OK;
        name[len] = 1; /* jump behind the collection */
        key = (MDB_val){ len + 1, name };
        mc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    }
    return mc == MDB_NOTFOUND ? PT_OK : pt_lmdb_fail(err, mc, "%s: collections", read->store->path);
}

void pt_result_key(int64_t period_us, int64_t as_of_us, uint8_t out[16])
{
    pt_put_be64(out, (uint64_t)period_us ^ PT_SIGN_BIT);
    pt_put_be64(out + 8, (uint64_t)as_of_us ^ PT_SIGN_BIT);
}

enum pt_code pt_write_doc(struct pt_write *write, const char *collection, const void *key,
                          size_t key_len, const bson_t *doc, struct pt_err *err)
{
    struct pt_doc_key at;
    MDB_val value;
    size_t fault_at;
    enum pt_code rc = pt_doc_key(collection, key, key_len, &at, err);
    if (rc != PT_OK) return rc;
    if (!bson_validate(doc, BSON_VALIDATE_NONE, &fault_at))
        return pt_fail(err, PT_EINVAL, "collection %s: no valid document (byte %zu)", collection,
                       fault_at);
    const uint8_t *bytes = bson_get_data(doc);
    uint64_t sum = pt_sum(bytes, doc->len);
    MDB_dbi docs = write->store->dbi[PT_CURSOR_DOCS];
    MDB_val k = { at.len, at.bytes };
    int mc = mdb_get(write->txn, docs, &k, &value);
    if (mc == 0 && value.mv_size == SUM_BYTES + doc->len &&
        memcmp(value.mv_data, &sum, SUM_BYTES) == 0 &&
        memcmp((const uint8_t *)value.mv_data + SUM_BYTES, bytes, doc->len) == 0)
        return PT_OK; /* the same document changes nothing */
    if (mc == 0 || mc == MDB_NOTFOUND) {
        write->dirty = true;
        value = (MDB_val){ SUM_BYTES + doc->len, NULL };
        mc = mdb_put(write->txn, docs, &k, &value, MDB_RESERVE);
    }
    if (mc != 0)
        return pt_write_spoil(write, pt_lmdb_fail(err, mc, "writing to collection %s", collection));
    memcpy(value.mv_data, &sum, SUM_BYTES);
    memcpy((uint8_t *)value.mv_data + SUM_BYTES, bytes, doc->len);
    return pt_outbox_doc(write, collection, key, key_len, err);
}

enum pt_code pt_write_doc_remove(struct pt_write *write, const char *collection, const void *key,
                                 size_t key_len, struct pt_err *err)
{
    struct pt_doc_key at;
    enum pt_code rc = pt_doc_key(collection, key, key_len, &at, err);
    if (rc != PT_OK) return rc;
    MDB_val k = { at.len, at.bytes };
    int mc = mdb_del(write->txn, write->store->dbi[PT_CURSOR_DOCS], &k, NULL);
    if (mc == MDB_NOTFOUND) return PT_OK;
    if (mc != 0)
        return pt_write_spoil(write, pt_lmdb_fail(err, mc, "removing from %s", collection));
    write->dirty = true;
    return pt_outbox_doc(write, collection, key, key_len, err);
}

enum pt_code pt_write_doc_get(struct pt_write *write, const char *collection, const void *key,
                              size_t key_len, bson_t *view, struct pt_err *err)
{
    int mc;
    enum pt_code rc = get(write->txn, write->store->dbi[PT_CURSOR_DOCS], collection, key, key_len,
                          view, &mc, err);
    return mc != 0 && mc != MDB_NOTFOUND ? pt_write_spoil(write, rc) : rc;
}
