/* due.c - which series changed since they were last computed.                  [layer: store]
 * One record a series: the range of changed row times, and a mark that grows with every change, so
 * that "done" cannot clear what changed while it was being computed. */
#include "store/internal.h"

struct pt_due_record {
    uint32_t kind, zero;
    int64_t period_us;
    char symbol[PT_SYMBOL_MAX];
    int64_t from_us, to_us;
    uint64_t mark;
};

static const char *parse(const MDB_val *value, struct pt_due_record *record)
{
    if (value->mv_size != sizeof *record) return "wrong length of a due mark";
    memcpy(record, value->mv_data, sizeof *record);
    if (record->kind >= PT_KINDS || record->symbol[PT_SYMBOL_MAX - 1] != '\0')
        return "due mark of no series";
    return NULL;
}

const char *pt_due_check(const MDB_val *key, const MDB_val *value)
{
    struct pt_due_record record;
    (void)key;
    return parse(value, &record);
}

enum pt_code pt_due_each(struct pt_read *read, pt_due_fn fn, void *arg, struct pt_err *err)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    enum pt_code rc = pt_read_cursor(read, PT_CURSOR_DUE, &cursor, err);
    if (rc != PT_OK) return rc;
    int mc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    for (; mc == 0; mc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        struct pt_due_record record;
        struct pt_due due = { .from_us = 0 };
        const char *fault = parse(&value, &record);
        if (fault) { /* the good ones behind it are still given */
            rc = pt_fail(err, PT_EDAMAGE, "series %.*s: damaged (%s)", (int)key.mv_size,
                         (const char *)key.mv_data, fault);
            continue;
        }
        due.key.kind = (enum pt_kind_id)record.kind;
        due.key.period_us = record.period_us;
        memcpy(due.key.symbol, record.symbol, sizeof due.key.symbol);
        due.from_us = record.from_us;
        due.to_us = record.to_us;
        due.mark = record.mark;
        if (!fn(arg, &due)) return rc;
    }
    return mc == MDB_NOTFOUND ? rc : pt_lmdb_fail(err, mc, "%s: due marks", read->store->path);
}

enum pt_code pt_due_mark(struct pt_write *write, const struct pt_touched *touched,
                         struct pt_err *err)
{
    MDB_dbi due = write->store->dbi[PT_CURSOR_DUE];
    MDB_val key = { strlen(touched->name), (void *)(size_t)touched->name }, value;
    struct pt_due_record record, old;
    memset(&record, 0, sizeof record);
    record.kind = touched->record.kind;
    record.period_us = touched->record.period_us;
    memcpy(record.symbol, touched->record.symbol, sizeof record.symbol);
    record.from_us = touched->due_from_us;
    record.to_us = touched->due_to_us;
    if (write->mark == 0) { /* one for the whole transaction */
        enum pt_code rc = pt_meta_count(write, "mark", 1, &write->mark, err);
        if (rc != PT_OK) return rc;
    }
    record.mark = write->mark;
    int mc = mdb_get(write->txn, due, &key, &value);
    if (mc == 0 && !parse(&value, &old)) { /* a damaged mark is simply replaced */
        if (old.from_us < record.from_us) record.from_us = old.from_us;
        if (old.to_us > record.to_us) record.to_us = old.to_us;
    }
    if (mc == 0 || mc == MDB_NOTFOUND) {
        value = (MDB_val){ sizeof record, &record };
        mc = mdb_put(write->txn, due, &key, &value, 0);
    }
    return mc == 0 ? PT_OK : pt_lmdb_fail(err, mc, "series %s: due mark", touched->name);
}

enum pt_code pt_write_due_done(struct pt_write *write, const struct pt_due *due, struct pt_err *err)
{
    MDB_dbi dbi = write->store->dbi[PT_CURSOR_DUE];
    char name[PT_SERIES_TEXT_MAX];
    struct pt_due_record record;
    MDB_val key = { pt_series_print(&due->key, name), name }, value;
    int mc = mdb_get(write->txn, dbi, &key, &value);
    if (mc == MDB_NOTFOUND) return PT_OK;
    if (mc == 0 && !parse(&value, &record) && record.mark != due->mark) return PT_OK;
    if (mc == 0) mc = mdb_del(write->txn, dbi, &key, NULL);
    if (mc != 0) return pt_write_spoil(write, pt_lmdb_fail(err, mc, "series %s: due mark", name));
    write->dirty = true;
    return PT_OK;
}
