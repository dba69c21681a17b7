/* store.h - everything that is kept, in one LMDB environment.                  [layer: store]
 *
 * Databases: meta, series (name -> id and figures), chunks (id + first key -> columnar chunk of at most
 * 32,752 bytes), tail (id + key -> one row, newer than the last chunk), docs (collection + key -> BSON), due
 * (what changed and awaits a cycle), outbox (for mirrors). One writer at a time (LMDB's lock, across
 * processes); any number of readers, in any thread or process, never blocked. */
#ifndef PT_STORE_H
#define PT_STORE_H

#include "data/doc.h"
#include "data/frame.h"

#define PT_STORE_VERSION 2       /* what is written */
#define PT_STORE_VERSION_FIRST 1 /* what is read at least */

struct pt_store;

struct pt_store_opts {
    const char *path;   /* folder; made when absent unless readonly */
    bool readonly;
    bool full_sync;     /* fsync the meta page too; else a power cut may lose the last commit, nothing else */
    uint64_t max_bytes; /* reserved address space = growth limit; 0 = 256 GiB */
};

/* PT_ENOENT, PT_EVERSION (made by another version: says which), PT_EBUSY, PT_EDAMAGE, PT_EIO.
 * One folder is open once in a process (else PT_EBUSY); never carry a store across fork. Opened to be written, a store
 * of the version before becomes one of this version; PT_EBUSY: a daemon of an older program serves it. */
enum pt_code pt_store_open(const struct pt_store_opts *opts, struct pt_store **store, struct pt_err *err);
void pt_store_close(struct pt_store *store); /* accepts NULL */
const char *pt_store_path(const struct pt_store *store);
/* Marks this process as the daemon of the folder until close; PT_EBUSY names the pid that already is. */
enum pt_code pt_store_claim(struct pt_store *store, struct pt_err *err);
/* Number of the newest commit, of any process: changes whenever anything was written.
 * What is read from then on is of this commit or a later one. 0: cannot be told. */
uint64_t pt_store_commit_id(struct pt_store *store);
/* After a worker was killed: frees its reader slot. */
void pt_store_reap_readers(struct pt_store *store);

/* ---- reading ------------------------------------------------------------------------------ */
/* A snapshot. Short: an open one keeps old pages alive. One per thread at a time; begin/end are cheap (renew/
 * reset of a per-handle txn). */
struct pt_read;
enum pt_code pt_read_begin(struct pt_store *store, struct pt_read **read, struct pt_err *err);
void pt_read_end(struct pt_read *read); /* accepts NULL */

struct pt_series {
    struct pt_series_key key;
    uint32_t id;
    uint64_t rows, version, bytes; /* version: grows with each commit that touched the rows */
    /* What windows can hold: candles that are closed, rows of other kinds. Those before closed_us are the same as
     * long as corrected is. At closed_us itself a kind with two keys may get more of them. */
    uint64_t corrected; /* version of the last commit that changed or removed some, or put one before another */
    int64_t closed_us;  /* time of the newest of them, also once it is gone; PT_MISSING: there was none */
    int64_t first_us, last_us;     /* open times of the first and last row; PT_MISSING when rows == 0 */
    int64_t created_us, updated_us;
};
/* PT_ENOENT (err untouched) when there is no such series. */
enum pt_code pt_series_find(struct pt_read *read, const struct pt_series_key *key, struct pt_series *series,
                            struct pt_err *err);
/* All series in order of their names; fn returns false to stop. One whose record is damaged is left out, and the
 * answer then is PT_EDAMAGE, naming it. */
typedef bool (*pt_series_fn)(void *arg, const struct pt_series *series);
enum pt_code pt_series_each(struct pt_read *read, pt_series_fn fn, void *arg, struct pt_err *err);

/* Appends the rows with time in [from_us, to_us) to `frame` (inited with the series' kind), ascending.
 * cols: bit c = column c is wanted; other columns of the new rows are left missing (time always filled).
 * 0 = all. Missing series: nothing appended, PT_OK. PT_EDAMAGE names the chunk; good chunks are not lost:
 * the rows before it are in the frame. */
enum pt_code pt_series_read(struct pt_read *read, const struct pt_series_key *key, int64_t from_us, int64_t to_us,
                            uint32_t cols, struct pt_frame *frame, struct pt_err *err);
/* Number of rows with time in [from_us, to_us); reads no column but time at the edges. */
enum pt_code pt_series_count(struct pt_read *read, const struct pt_series_key *key, int64_t from_us, int64_t to_us,
                             uint64_t *rows, struct pt_err *err);
/* Page: skips `offset` rows of the range and appends up to `limit`, from its start, or (newest_first) from its
 * end; rows are appended in ascending order either way. */
enum pt_code pt_series_page(struct pt_read *read, const struct pt_series_key *key, int64_t from_us, int64_t to_us,
                            uint64_t offset, uint64_t limit, bool newest_first, struct pt_frame *frame,
                            struct pt_err *err);
/* Streams columns as doubles, chunk by chunk, without building a frame: cols[ncols] are wanted column numbers,
 * each call gets [n] per column ([n * width], row by row, of a wide one), missing = NaN. The fast way to scan. fn
 * returns false to stop. */
typedef bool (*pt_scan_fn)(void *arg, size_t n, const int64_t *time_us, const double *const *cols);
enum pt_code pt_series_scan(struct pt_read *read, const struct pt_series_key *key, int64_t from_us, int64_t to_us,
                            const unsigned *cols, unsigned ncols, pt_scan_fn fn, void *arg, struct pt_err *err);

/* Documents: keys are bytes that sort; at most 200 bytes of collection and 200 of key. Borrowed views, valid
 * until pt_read_end. */
enum pt_code pt_docs_get(struct pt_read *read, const char *collection, const void *key, size_t key_len, bson_t *view,
                         struct pt_err *err); /* PT_ENOENT, err untouched */
typedef bool (*pt_docs_fn)(void *arg, const void *key, size_t key_len, const bson_t *view);
/* Keys in [from, to), ascending or descending; NULL from = start, NULL to = end of the collection. Damaged
 * documents are left out, and the answer then is PT_EDAMAGE, naming the first. */
enum pt_code pt_docs_scan(struct pt_read *read, const char *collection, const void *from, size_t from_len,
                          const void *to, size_t to_len, bool descending, pt_docs_fn fn, void *arg,
                          struct pt_err *err);
/* The keys of a collection, ascending; no document is touched, so this is how many are counted. fn returns false to
 * stop. */
typedef bool (*pt_key_fn)(void *arg, const void *key, size_t key_len);
enum pt_code pt_docs_keys(struct pt_read *read, const char *collection, pt_key_fn fn, void *arg, struct pt_err *err);
/* The same of the keys in [from, to), in either direction; NULL as in pt_docs_scan. */
enum pt_code pt_docs_keys_range(struct pt_read *read, const char *collection, const void *from, size_t from_len,
                                const void *to, size_t to_len, bool descending, pt_key_fn fn, void *arg,
                                struct pt_err *err);
/* Names of all collections, in order. */
typedef bool (*pt_name_fn)(void *arg, const char *name);
enum pt_code pt_docs_collections(struct pt_read *read, pt_name_fn fn, void *arg, struct pt_err *err);
/* Result key: period (us, big-endian, so that periods group) then as_of: 16 bytes, sortable. */
void pt_result_key(int64_t period_us, int64_t as_of_us, uint8_t out[16]);

/* What changed since it was last computed. from/to: first and last changed row time; mark: hand it back to clear. */
struct pt_due {
    struct pt_series_key key;
    int64_t from_us, to_us;
    uint64_t mark;
};
typedef bool (*pt_due_fn)(void *arg, const struct pt_due *due);
enum pt_code pt_due_each(struct pt_read *read, pt_due_fn fn, void *arg, struct pt_err *err);

/* ---- writing ------------------------------------------------------------------------------ */
/* One transaction; everything or nothing. Waits for another writer. On any failure but the named ones abort. */
struct pt_write;
enum pt_code pt_write_begin(struct pt_store *store, struct pt_write **write, struct pt_err *err);
enum pt_code pt_write_commit(struct pt_write *write, struct pt_err *err); /* frees it, also on failure; PT_EFULL */
void pt_write_abort(struct pt_write *write);                              /* accepts NULL */

enum pt_put_mode {
    PT_PUT_LIVE,   /* a closed candle stays as it is (counted `frozen`); other rows upsert */
    PT_PUT_CORRECT /* import, backfill: any row may be replaced */
};
struct pt_put_stats {
    uint64_t inserted, replaced, unchanged, frozen;
};
/* Upserts rows (sorted, unique keys) into a series, which is made when absent. Adds to *stats. Marks the changed
 * range due when it holds closed candles (or rows of other kinds). An unclosed row never replaces a closed one in
 * LIVE mode; an identical row changes nothing, not even the version. A bad key or batch (PT_EINVAL) leaves the
 * transaction usable, anything else does not. A damaged chunk refuses late rows (PT_EDAMAGE) until a correction brings
 * its whole range or at least 1024 rows: then it is replaced. */
enum pt_code pt_write_rows(struct pt_write *write, const struct pt_series_key *key, const struct pt_frame *frame,
                           enum pt_put_mode mode, struct pt_put_stats *stats, struct pt_err *err);
/* Replaces or inserts one document. */
enum pt_code pt_write_doc(struct pt_write *write, const char *collection, const void *key, size_t key_len,
                          const bson_t *doc, struct pt_err *err);
enum pt_code pt_write_doc_remove(struct pt_write *write, const char *collection, const void *key, size_t key_len,
                                 struct pt_err *err); /* absent: PT_OK */
/* A document as this transaction has left it. Borrowed until the next write. PT_ENOENT, err untouched. */
enum pt_code pt_write_doc_get(struct pt_write *write, const char *collection, const void *key, size_t key_len,
                              bson_t *view, struct pt_err *err);
/* Removes the due mark of a series if it is still `mark` (nothing changed meanwhile). */
enum pt_code pt_write_due_done(struct pt_write *write, const struct pt_due *due, struct pt_err *err);
/* Removes rows older than before_us; whole chunks are dropped, the edge chunk is rewritten, or
 * stays until all of it is old where it is damaged. Mirrors are not told: they keep what they have. */
enum pt_code pt_write_expire(struct pt_write *write, const struct pt_series_key *key, int64_t before_us,
                             uint64_t *removed, struct pt_err *err);

/* ---- outbox: what mirrors still have to take ---------------------------------------------- */
/* Names a mirror; from then on every committed change is also put into the outbox until it acknowledged. */
enum pt_code pt_outbox_subscribe(struct pt_write *write, const char *mirror, struct pt_err *err);
enum pt_code pt_outbox_unsubscribe(struct pt_write *write, const char *mirror, struct pt_err *err);
struct pt_outbox_item {
    uint64_t seq;
    bool is_doc;
    struct pt_series_key key;       /* rows: series and changed range [from_us, to_us] */
    int64_t from_us, to_us;
    const char *collection;         /* doc: borrowed */
    const void *doc_key;
    size_t doc_key_len;
};
typedef bool (*pt_outbox_fn)(void *arg, const struct pt_outbox_item *item);
/* Items after what `mirror` acknowledged, in commit order. */
enum pt_code pt_outbox_each(struct pt_read *read, const char *mirror, pt_outbox_fn fn, void *arg, struct pt_err *err);
enum pt_code pt_outbox_ack(struct pt_write *write, const char *mirror, uint64_t seq, struct pt_err *err);

/* ---- care --------------------------------------------------------------------------------- */
/* Compacted online copy into a new folder, or into one file when the path ends in ".mdb". PT_EBUSY when it exists. */
enum pt_code pt_store_backup(struct pt_store *store, const char *path, struct pt_err *err);
struct pt_verify {
    uint64_t series, chunks, rows, docs, damaged;
};
/* Checks every chunk (checksum, order, counts), tail and document; calls fn for each fault (may be NULL);
 * returns PT_EDAMAGE when any was found. */
typedef void (*pt_fault_fn)(void *arg, const char *where, const char *what);
enum pt_code pt_store_verify(struct pt_store *store, pt_fault_fn fn, void *arg, struct pt_verify *sums,
                             struct pt_err *err);

#endif
