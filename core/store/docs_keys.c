/* docs_keys.c - the keys of a collection without its documents.                [layer: store] */
#include "store/internal.h"

enum pt_code pt_docs_keys(struct pt_read *read, const char *collection, pt_key_fn fn, void *arg,
                          struct pt_err *err)
{
    uint8_t prefix[PT_NAME_BYTES_MAX + 1];
    MDB_cursor *cursor;
    MDB_val key, value;
    size_t len = strlen(collection);
    if (len == 0 || len > PT_NAME_BYTES_MAX)
        return pt_fail(err, PT_EINVAL, "a collection's name has 1 to %d bytes, not %zu",
                       PT_NAME_BYTES_MAX, len);
    enum pt_code rc = pt_read_cursor(read, PT_CURSOR_DOCS, &cursor, err);
    if (rc != PT_OK) return rc;
    memcpy(prefix, collection, len + 1);
    key = (MDB_val){ len + 1, prefix };
    int mc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (; mc == 0; mc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        if (key.mv_size <= len || memcmp(key.mv_data, prefix, len + 1) != 0) return PT_OK;
        if (!fn(arg, (const uint8_t *)key.mv_data + len + 1, key.mv_size - len - 1)) return PT_OK;
    }
    return mc == MDB_NOTFOUND ? PT_OK : pt_lmdb_fail(err, mc, "collection %s", collection);
}
