/* docs_keys.c - the keys of a collection without its documents.                [layer: store] */
#include "store/internal.h"

enum pt_code pt_docs_keys_range(struct pt_read *read, const char *collection, const void *from,
                                size_t from_len, const void *to, size_t to_len, bool descending,
                                pt_key_fn fn, void *arg, struct pt_err *err)
{
    struct pt_doc_key low, high;
    MDB_cursor *cursor;
    MDB_val key, value;
    enum pt_code rc = pt_docs_bounds(collection, from, from_len, to, to_len, &low, &high, err);
    if (rc == PT_OK) rc = pt_read_cursor(read, PT_CURSOR_DOCS, &cursor, err);
    if (rc != PT_OK) return rc;
    int mc = pt_docs_step(cursor, &low, &high, descending, true, &key, &value);
    for (; mc == 0; mc = pt_docs_step(cursor, &low, &high, descending, false, &key, &value)) {
        if (!fn(arg, (const uint8_t *)key.mv_data + low.prefix, key.mv_size - low.prefix))
            return PT_OK;
    }
    return mc == MDB_NOTFOUND ? PT_OK : pt_lmdb_fail(err, mc, "collection %s", collection);
}

enum pt_code pt_docs_keys(struct pt_read *read, const char *collection, pt_key_fn fn, void *arg,
                          struct pt_err *err)
{
    return pt_docs_keys_range(read, collection, NULL, 0, NULL, 0, false, fn, arg, err);
}
