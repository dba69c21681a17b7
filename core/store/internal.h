/* internal.h - what the files of the store share; nobody else includes it.     [layer: store]
 *
 * The environment holds seven databases:
 *   meta    "version" u32, "series" next id u32, "mark" u64, "seq" u64, "mirror/NAME" acknowledged
 * u64 series  name (pt_series_print) -> struct pt_series_record chunks  id, first key -> columnar
 * chunk (chunk.h), at most PT_CHUNK_BYTES_MAX bytes tail    id, key -> one row (tail.c) docs
 * collection, NUL, key -> u64 checksum, BSON due     series name -> struct pt_due_record outbox
 * sequence, big-endian -> item (outbox.c) Numbers inside values are little-endian as the machine
 * has them; numbers inside keys are big-endian with the sign bit turned, so that bytes sort as
 * numbers. Every tail row of a series is newer than the last row of its last chunk. */
#ifndef PT_STORE_INTERNAL_H
#define PT_STORE_INTERNAL_H

#include "base/decimal.h"
#include "store/store.h"

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the store's values are little-endian"
#endif

#define PT_STORE_READERS 1024
#define PT_STORE_MAX_BYTES (UINT64_C(256) << 30)
#define PT_STORE_MIN_MAP (UINT64_C(1) << 30)
#define PT_NAME_BYTES_MAX 200 /* of a collection, of a document key, of a mirror's name */

enum {
    PT_CURSOR_SERIES,
    PT_CURSOR_CHUNKS,
    PT_CURSOR_TAIL,
    PT_CURSOR_DOCS,
    PT_CURSOR_DUE,
    PT_CURSOR_OUTBOX,
    PT_CURSORS
};

struct pt_store {
    MDB_env *env;
    MDB_dbi meta, dbi[PT_CURSORS]; /* by PT_CURSOR_* */
    char *path;
    bool readonly;
    atomic_bool old;      /* it still says that it is of version 1 */
    int claim_fd;         /* -1 = not the daemon */
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t idle;  /* active became 0 */
    struct pt_read *pool; /* reset transactions, ready to be renewed */
    unsigned active;      /* read and write transactions that are open in this process */
    bool resizing;        /* nobody may begin */
    struct pt_store *next;
    uint64_t dev, ino;
    int pid;
};

/* Room to decode a chunk into, kept with the handle. */
struct pt_scratch {
    int64_t *time;
    double *cols[PT_COLS_MAX];
    int64_t *val;
    uint8_t *dig;
    struct pt_frame parts; /* candles that big bars are built from */
};

struct pt_read {
    struct pt_store *store;
    MDB_txn *txn;
    MDB_cursor *cursor[PT_CURSORS];
    bool renewed[PT_CURSORS];
    struct pt_scratch scratch;
    struct pt_read *next;
};

/* ---- errors ------------------------------------------------------------------------------- */
/* Says what LMDB answered and what the operator can do about it. */
#define pt_lmdb_fail(err, mc, ...) pt_lmdb_fail_at((err), (mc), __FILE__, __LINE__, __VA_ARGS__)
enum pt_code pt_lmdb_fail_at(struct pt_err *err, int mc, const char *file, int line,
                             const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* ---- keys --------------------------------------------------------------------------------- */
#define PT_ROW_KEY_MAX 20

struct pt_row_key {
    uint8_t bytes[PT_ROW_KEY_MAX];
    size_t len;
};

static inline void pt_put_be32(uint8_t *out, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(out, &v, sizeof v);
}

static inline void pt_put_be64(uint8_t *out, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(out, &v, sizeof v);
}

static inline uint64_t pt_get_be64(const void *bytes)
{
    uint64_t v;
    memcpy(&v, bytes, sizeof v);
    return __builtin_bswap64(v);
}

#define PT_SIGN_BIT (UINT64_C(1) << 63)

static inline int64_t pt_get_signed(const uint8_t *bytes)
{
    return (int64_t)(pt_get_be64(bytes) ^ PT_SIGN_BIT);
}

static inline struct pt_row_key pt_row_key(uint32_t id, unsigned keys, int64_t time_us,
                                           int64_t second)
{
    struct pt_row_key key = { .len = keys == 2 ? 20 : 12 };
    pt_put_be32(key.bytes, id);
    pt_put_be64(key.bytes + 4, (uint64_t)time_us ^ PT_SIGN_BIT);
    pt_put_be64(key.bytes + 12, (uint64_t)second ^ PT_SIGN_BIT);
    return key;
}

static inline MDB_val pt_row_key_val(struct pt_row_key *key)
{
    return (MDB_val){ key->len, key->bytes };
}

/* True when an LMDB key is a row or chunk of that series. */
static inline bool pt_key_of(const MDB_val *key, uint32_t id, unsigned keys)
{
    uint32_t have;
    if (key->mv_size != (keys == 2 ? 20u : 12u)) return false;
    memcpy(&have, key->mv_data, sizeof have);
    return __builtin_bswap32(have) == id;
}

static inline int64_t pt_key_time(const MDB_val *key)
{
    return pt_get_signed((const uint8_t *)key->mv_data + 4);
}

static inline int64_t pt_key_second(const MDB_val *key)
{
    return key->mv_size == 20 ? pt_get_signed((const uint8_t *)key->mv_data + 12) : 0;
}

/* Second key of a frame's row; 0 where the kind has one key only. */
static inline int64_t pt_row_second(const struct pt_frame *frame, size_t row)
{
    return frame->kind->keys == 2 ? frame->val[1][row] : 0;
}

static inline int pt_pair_cmp(int64_t at, int64_t as, int64_t bt, int64_t bs)
{
    if (at != bt) return at < bt ? -1 : 1;
    return as < bs ? -1 : as > bs;
}

/* ---- series records ----------------------------------------------------------------------- */
struct pt_series_record {
    uint64_t checksum; /* xxh3 of what follows */
    uint32_t id, kind;
    int64_t period_us;
    char symbol[PT_SYMBOL_MAX]; /* NUL-padded */
    uint64_t rows, version;
    uint64_t chunks, chunk_bytes; /* with their keys */
    uint64_t tail_rows;
    int64_t first_us, last_us, last_second;   /* PT_MISSING when rows == 0 */
    int64_t chunk_last_us, chunk_last_second; /* of the last chunk; PT_MISSING when chunks == 0 */
    int64_t created_us, updated_us;
    uint64_t corrected; /* these two are not there in version 1 of the store */
    int64_t closed_us;
};

/* Writes the version into the transaction; what LMDB answers. It is committed: says so. */
int pt_version_put(struct pt_store *store, MDB_txn *txn);
void pt_version_told(struct pt_store *store);

void pt_record_series(const struct pt_series_record *record, struct pt_series *series);
/* PT_ENOENT leaves err untouched; PT_EDAMAGE. */
enum pt_code pt_record_load(const struct pt_store *store, MDB_txn *txn, const char *name,
                            struct pt_series_record *record, struct pt_err *err);
enum pt_code pt_record_parse(const MDB_val *value, const char *name,
                             struct pt_series_record *record, struct pt_err *err);
uint64_t pt_record_sum(const struct pt_series_record *record);

/* ---- tail rows ---------------------------------------------------------------------------- */
#define PT_TAIL_BYTES_MAX (8 + PT_CELLS_MAX * 9)

size_t pt_tail_bytes(const struct pt_kind *kind); /* of a row's value */
void pt_tail_encode(const struct pt_frame *frame, size_t row, uint8_t *out);
/* NULL = good, else what is wrong with it. */
const char *pt_tail_check(const struct pt_kind *kind, const MDB_val *value);
/* Appends to the frame, which has room for it; cols as pt_series_read, 0 = all. */
void pt_tail_decode(const MDB_val *key, const MDB_val *value, uint32_t cols,
                    struct pt_frame *frame);
bool pt_tail_closed(const struct pt_kind *kind, const MDB_val *value);

/* ---- documents ---------------------------------------------------------------------------- */
#define PT_DOC_KEY_MAX (2 * PT_NAME_BYTES_MAX + 1)

struct pt_doc_key {
    uint8_t bytes[PT_DOC_KEY_MAX];
    size_t prefix, len; /* prefix: collection and its NUL */
};
/* PT_EINVAL: a name or key that is too long. */
enum pt_code pt_doc_key(const char *collection, const void *key, size_t key_len,
                        struct pt_doc_key *out, struct pt_err *err);
bool pt_doc_key_in(const MDB_val *key, const struct pt_doc_key *at); /* of its collection? */
/* Bytes as memcmp and then length order them, as LMDB does. */
int pt_doc_key_cmp(const MDB_val *a, const struct pt_doc_key *b);
/* The entries of docs with low <= key < high, one direction or the other. low, high: made by
 * pt_docs_bounds; mc is what LMDB said, MDB_NOTFOUND behind the last. */
enum pt_code pt_docs_bounds(const char *collection, const void *from, size_t from_len,
                            const void *to, size_t to_len, struct pt_doc_key *low,
                            struct pt_doc_key *high, struct pt_err *err);
int pt_docs_step(MDB_cursor *cursor, const struct pt_doc_key *low, const struct pt_doc_key *high,
                 bool descending, bool first, MDB_val *key, MDB_val *value);
/* Checks a stored document and views it; NULL = good. */
const char *pt_doc_check(const MDB_val *value, bson_t *view);
/* "collection key", the key in hexadecimal. */
void pt_doc_name(const MDB_val *key, char *out, size_t size);

/* ---- transactions ------------------------------------------------------------------------- */
/* Begins an LMDB transaction and counts it; a map that another process has grown is taken over. */
enum pt_code pt_txn_enter(struct pt_store *store, MDB_txn **txn, bool write, struct pt_err *err);
void pt_txn_leave(struct pt_store *store);
enum pt_code pt_read_cursor(struct pt_read *read, int which, MDB_cursor **cursor,
                            struct pt_err *err);
bool pt_read_scratch(struct pt_read *read); /* false: out of memory */
void pt_readers_free(struct pt_store *store);

/* A series in the hands of a write transaction; its record is put once, at commit. */
struct pt_touched {
    struct pt_series_record record;
    const struct pt_kind *kind;
    char name[PT_SERIES_TEXT_MAX];
    size_t fit;   /* rows that are known to fit a chunk */
    bool changed; /* rows were changed, from .. to */
    int64_t from_us, to_us;
    bool due;
    int64_t due_from_us, due_to_us;
    bool dirty;     /* the record must be put */
    bool corrected; /* as in struct pt_series */
};

struct pt_write {
    struct pt_store *store;
    MDB_txn *txn;
    struct pt_touched **touched;
    size_t ntouched, cap;
    uint32_t *slots;                                 /* hash -> index + 1 */
    size_t nslots;                                   /* power of two */
    struct pt_frame old[PT_KINDS], merged[PT_KINDS]; /* scratch, inited when used */
    bool dirty;                                      /* something was written */
    bool failed;                                     /* only abort is left */
    uint64_t mark;                                   /* of this transaction; 0 = none taken yet */
    int mirrors;                                     /* subscribed ones; -1 = not looked yet */
    int64_t now_us;
};

/* The series of a write, made when absent (make) or PT_ENOENT. */
enum pt_code pt_write_touch(struct pt_write *write, const struct pt_series_key *key, bool make,
                            struct pt_touched **touched, struct pt_err *err);
/* Sets rows, first, last and chunk_last to what is there; a chunk whose head is damaged counts no
 * rows. */
enum pt_code pt_series_recount(struct pt_write *write, struct pt_touched *touched,
                               struct pt_err *err);
/* Marks the transaction unusable and passes the code on. */
enum pt_code pt_write_spoil(struct pt_write *write, enum pt_code code);
/* A counter of meta: adds `by` and gives the new value. */
enum pt_code pt_meta_count(struct pt_write *write, const char *name, uint64_t by, uint64_t *value,
                           struct pt_err *err);
enum pt_code pt_due_mark(struct pt_write *write, const struct pt_touched *touched,
                         struct pt_err *err);
/* NULL = good, else what is wrong with an entry. */
const char *pt_due_check(const MDB_val *key, const MDB_val *value);
const char *pt_outbox_check(const MDB_val *key, const MDB_val *value);
enum pt_code pt_outbox_rows(struct pt_write *write, const struct pt_touched *touched,
                            struct pt_err *err);
enum pt_code pt_outbox_doc(struct pt_write *write, const char *collection, const void *key,
                           size_t key_len, struct pt_err *err);

#endif
