/* anomaly.c - the log of anomalies.                                            [layer: store] */
#include "store/anomaly.h"

#include "base/buf.h"
#include "base/timefmt.h"
#include "store/internal.h"

#include <stdlib.h>
#include <xxhash.h>

#define ID_BYTES 24    /* time and hash */
#define FIXED_BYTES 27 /* and what is one byte each */
#define KEY_MAX (FIXED_BYTES + PT_SYMBOL_MAX + PT_ANOMALY_METHOD_MAX)
#define PARAMS_MAX 64
#define EXPIRE_AT_ONCE 1024

#define X(name, text) text,
const char *const pt_anomaly_severities[] = { PT_ANOMALY_SEVERITIES(X) NULL };
const char *const pt_anomaly_kinds[] = { PT_ANOMALY_KINDS(X) NULL };
const char *const pt_anomaly_statuses[] = { PT_ANOMALY_STATUSES(X) NULL };
#undef X

_Static_assert(PT_ANOMALY_ID_MAX == 2 * ID_BYTES + 1, "an id is its bytes in hexadecimal");
_Static_assert(KEY_MAX <= PT_NAME_BYTES_MAX, "a key of the log is a document's key");

int pt_anomaly_word(const char *const *words, const char *word)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0) return i;
    return -1;
}

/* ---- keys --------------------------------------------------------------------------------- */

struct key {
    uint8_t bytes[KEY_MAX];
    size_t len;
};

static void key_time(int64_t time_us, uint8_t out[8])
{
    pt_put_be64(out, (uint64_t)time_us ^ PT_SIGN_BIT);
}

/* What an entry is chosen by; its id is there already. */
static void finish_key(struct key *key, int severity, int kind, int status, const char *symbol,
                       const char *method)
{
    size_t symbol_len = strlen(symbol) + 1, method_len = strlen(method);
    key->bytes[ID_BYTES] = (uint8_t)severity;
    key->bytes[ID_BYTES + 1] = (uint8_t)kind;
    key->bytes[ID_BYTES + 2] = (uint8_t)status;
    memcpy(key->bytes + FIXED_BYTES, symbol, symbol_len);
    memcpy(key->bytes + FIXED_BYTES + symbol_len, method, method_len);
    key->len = FIXED_BYTES + symbol_len + method_len;
}

static bool read_key(const void *bytes, size_t len, struct pt_anomaly *out)
{
    const uint8_t *key = bytes;
    if (len <= FIXED_BYTES || len > KEY_MAX || key[ID_BYTES] >= PT_ANOMALY_NSEVERITIES ||
        key[ID_BYTES + 1] >= PT_ANOMALY_NKINDS || key[ID_BYTES + 2] >= PT_ANOMALY_NSTATUSES)
        return false;
    const char *symbol = (const char *)key + FIXED_BYTES;
    const char *end = memchr(symbol, '\0', len - FIXED_BYTES);
    if (!end) return false;
    *out = (struct pt_anomaly){ .time_us = pt_get_signed(key),
                                .severity = (enum pt_anomaly_severity)key[ID_BYTES],
                                .kind = (enum pt_anomaly_kind)key[ID_BYTES + 1],
                                .status = (enum pt_anomaly_status)key[ID_BYTES + 2],
                                .symbol = symbol,
                                .method = end + 1,
                                .method_len = len - (size_t)(end + 1 - (const char *)key),
                                .id = bytes };
    return true;
}

static void id_text(const uint8_t id[ID_BYTES], char out[PT_ANOMALY_ID_MAX])
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < ID_BYTES; i++) {
        out[2 * i] = hex[id[i] >> 4];
        out[2 * i + 1] = hex[id[i] & 15];
    }
    out[2 * ID_BYTES] = '\0';
}

static bool id_bytes(const char *text, uint8_t out[ID_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    if (strlen(text) != 2 * ID_BYTES || strspn(text, hex) != 2 * ID_BYTES) return false;
    for (size_t i = 0; i < ID_BYTES; i++)
        out[i] =
            (uint8_t)((strchr(hex, text[2 * i]) - hex) << 4 | (strchr(hex, text[2 * i + 1]) - hex));
    return true;
}

/* ---- the id ------------------------------------------------------------------------------- */

struct element { /* of a document: its bytes, which begin with the type and the name */
    const char *name;
    const uint8_t *bytes;
    size_t len;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct element *)a)->name, ((const struct element *)b)->name);
}

/* In the order of the names: a declaration that lists its parameters in another order makes the
 * same hits. */
static bool add_parameters(const bson_t *parameters, struct pt_buf *out)
{
    struct element all[PARAMS_MAX];
    bson_iter_t iter;
    size_t n = 0;
    if (!bson_iter_init(&iter, parameters)) return false;
    for (; bson_iter_next(&iter); n++) {
        if (n == PARAMS_MAX) return false;
        all[n] =
            (struct element){ bson_iter_key(&iter), iter.raw + iter.off, iter.next_off - iter.off };
    }
    qsort(all, n, sizeof *all, by_name);
    for (size_t i = 0; i < n; i++) pt_buf_add(out, all[i].bytes, all[i].len);
    return true;
}

static bool hit_time(const bson_t *hit, int64_t *time_us)
{
    bson_iter_t iter;
    if (!bson_iter_init_find(&iter, hit, "time") || !BSON_ITER_HOLDS_DATE_TIME(&iter)) return false;
    *time_us = bson_iter_date_time(&iter) * 1000;
    return true;
}

static enum pt_code make_id(const struct pt_anomaly_source *source, const bson_t *hit,
                            uint8_t id[ID_BYTES], struct pt_err *err)
{
    char dataset[PT_SERIES_TEXT_MAX];
    struct pt_buf text = { 0 };
    const char *reason = "";
    int64_t time_us;
    XXH128_canonical_t canonical;
    if (!hit_time(hit, &time_us))
        return pt_fail(err, PT_EINVAL, "%s: a hit without a time", source->method);
    if (strlen(source->method) >= PT_ANOMALY_METHOD_MAX)
        return pt_fail(err, PT_EINVAL, "%.60s: the name of a method has at most %d bytes",
                       source->method, PT_ANOMALY_METHOD_MAX - 1);
    key_time(time_us, id);
    pt_series_print(&source->dataset, dataset);
    pt_buf_add(&text, dataset, strlen(dataset) + 1);
    pt_buf_add(&text, id, 8);
    pt_buf_add(&text, source->method, strlen(source->method) + 1);
    if (source->kind == PT_ANOMALY_DATA_QUALITY && pt_doc_text(hit, "reason", &reason))
        pt_buf_add(&text, reason, strlen(reason) + 1);
    bool good = add_parameters(source->parameters, &text);
    if (good && !text.failed) {
        XXH128_canonicalFromHash(&canonical, XXH3_128bits(text.data, text.len));
        memcpy(id + 8, canonical.digest, sizeof canonical.digest);
    }
    bool failed = text.failed;
    pt_buf_fini(&text);
    if (failed) return pt_fail(err, PT_ENOMEM, "an anomaly");
    return good
               ? PT_OK
               : pt_fail(err, PT_EINVAL, "%s: more than %d parameters", source->method, PARAMS_MAX);
}

enum pt_code pt_anomaly_id(const struct pt_anomaly_source *source, const bson_t *hit,
                           char id[PT_ANOMALY_ID_MAX], struct pt_err *err)
{
    uint8_t bytes[ID_BYTES];
    enum pt_code rc = make_id(source, hit, bytes, err);
    if (rc == PT_OK) id_text(bytes, id);
    return rc;
}

/* ---- writing ------------------------------------------------------------------------------ */

static void copy(const bson_t *hit, const char *name, bson_t *doc)
{
    bson_iter_t iter;
    if (bson_iter_init_find(&iter, hit, name))
        bson_append_iter(doc, name, -1, &iter);
    else
        bson_append_null(doc, name, -1);
}

static void copy_text(const bson_t *hit, const char *name, const char *fallback, bson_t *doc)
{
    const char *text = fallback;
    pt_doc_text(hit, name, &text);
    bson_append_utf8(doc, name, -1, text, -1);
}

static bson_t *make_doc(const struct pt_anomaly_source *source, const bson_t *hit,
                        const uint8_t id[ID_BYTES])
{
    static const char *const numbers[] = { "price",    "score",    "threshold",
                                           "expected", "observed", NULL };
    char text[PT_SERIES_TEXT_MAX];
    bson_t *doc = bson_new(), details;
    bool by_period = pt_kind(source->dataset.kind)->by_period;
    id_text(id, text);
    bson_append_utf8(doc, "id", -1, text, -1);
    pt_series_print(&source->dataset, text);
    bson_append_utf8(doc, "dataset", -1, text, -1);
    bson_append_utf8(doc, "symbol", -1, source->dataset.symbol, -1);
    if (by_period) pt_period_print(source->dataset.period_us, text);
    if (by_period)
        bson_append_utf8(doc, "timeframe", -1, text, -1);
    else
        bson_append_null(doc, "timeframe", -1);
    copy(hit, "time", doc);
    bson_append_utf8(doc, "method", -1, source->method, -1);
    bson_append_utf8(doc, "kind", -1, pt_anomaly_kinds[source->kind], -1);
    copy(hit, "severity", doc);
    bson_append_utf8(doc, "status", -1, pt_anomaly_statuses[PT_ANOMALY_NEW], -1);
    for (const char *const *name = numbers; *name; name++) copy(hit, *name, doc);
    copy_text(hit, "direction", "none", doc);
    copy_text(hit, "reason", "", doc);
    if (pt_doc_child(hit, "details", &details)) bson_append_document(doc, "details", -1, &details);
    bson_append_document(doc, "parameters", -1, source->parameters);
    if (source->script_hash)
        bson_append_utf8(doc, "script_hash", -1, source->script_hash, -1);
    else
        bson_append_null(doc, "script_hash", -1);
    bson_append_date_time(doc, "detected_at", -1, source->now_us / 1000);
    bson_append_null(doc, "acknowledged_at", -1);
    bson_append_null(doc, "resolved_at", -1);
    return doc;
}

/* The index has no documents of its own. */
static enum pt_code put_index(struct pt_write *write, const struct key *key, struct pt_err *err)
{
    bson_t empty = BSON_INITIALIZER;
    enum pt_code rc = pt_write_doc(write, PT_ANOMALY_INDEX, key->bytes, key->len, &empty, err);
    bson_destroy(&empty);
    return rc;
}

enum pt_code pt_anomaly_add(struct pt_write *write, const struct pt_anomaly_source *source,
                            const bson_t *hit, bool *added, struct pt_err *err)
{
    struct key key;
    bson_t view;
    const char *word = "";
    *added = false;
    int severity =
        pt_doc_text(hit, "severity", &word) ? pt_anomaly_word(pt_anomaly_severities, word) : -1;
    if (severity < 0)
        return pt_fail(err, PT_EINVAL, "%s: a hit of the severity '%.20s'", source->method, word);
    enum pt_code rc = make_id(source, hit, key.bytes, err);
    if (rc != PT_OK) return rc;
    rc = pt_write_doc_get(write, PT_ANOMALIES, key.bytes, ID_BYTES, &view, err);
    /* one that is damaged is there too: whoever reads it is told */
    if (rc != PT_ENOENT) return rc == PT_EDAMAGE && !write->failed ? PT_OK : rc;
    finish_key(&key, severity, (int)source->kind, PT_ANOMALY_NEW, source->dataset.symbol,
               source->method);
    bson_t *doc = make_doc(source, hit, key.bytes);
    rc = pt_write_doc(write, PT_ANOMALIES, key.bytes, ID_BYTES, doc, err);
    bson_destroy(doc);
    if (rc == PT_OK) rc = put_index(write, &key, err);
    *added = rc == PT_OK;
    return rc;
}

/* The document with another status, and the time at which it got it. */
static bson_t *changed(const bson_t *old, enum pt_anomaly_status status, int64_t now_us)
{
    const char *stamp = status == PT_ANOMALY_RESOLVED ? "resolved_at" : "acknowledged_at";
    bson_t *doc = bson_new();
    bson_iter_t iter;
    bson_iter_init(&iter, old);
    while (bson_iter_next(&iter)) {
        const char *name = bson_iter_key(&iter);
        if (strcmp(name, "status") == 0)
            bson_append_utf8(doc, name, -1, pt_anomaly_statuses[status], -1);
        else if (strcmp(name, stamp) == 0)
            bson_append_date_time(doc, name, -1, now_us / 1000);
        else
            bson_append_iter(doc, name, -1, &iter);
    }
    return doc;
}

/* The key of the index for a document, whose id is there already; false: it is none of ours. */
static bool key_of_doc(const bson_t *doc, struct key *key)
{
    const char *severity, *kind, *status, *symbol, *method;
    if (!pt_doc_text(doc, "severity", &severity) || !pt_doc_text(doc, "kind", &kind) ||
        !pt_doc_text(doc, "status", &status) || !pt_doc_text(doc, "symbol", &symbol) ||
        !pt_doc_text(doc, "method", &method) || strlen(symbol) >= PT_SYMBOL_MAX ||
        strlen(method) >= PT_ANOMALY_METHOD_MAX)
        return false;
    int words[] = { pt_anomaly_word(pt_anomaly_severities, severity),
                    pt_anomaly_word(pt_anomaly_kinds, kind),
                    pt_anomaly_word(pt_anomaly_statuses, status) };
    finish_key(key, words[0], words[1], words[2], symbol, method);
    return words[0] >= 0 && words[1] >= 0 && words[2] >= 0;
}

enum pt_code pt_anomaly_settle(struct pt_write *write, const char *id,
                               enum pt_anomaly_status status, int64_t now_us, bson_t **doc,
                               struct pt_err *err)
{
    struct key key;
    bson_t view;
    enum pt_code rc = PT_ENOENT;
    *doc = NULL;
    if (id_bytes(id, key.bytes))
        rc = pt_write_doc_get(write, PT_ANOMALIES, key.bytes, ID_BYTES, &view, err);
    if (rc == PT_ENOENT)
        return pt_fail(err, rc, "no anomaly has the id \"%.60s\"; /anomalies lists all", id);
    if (rc != PT_OK) return rc;
    if (!key_of_doc(&view, &key))
        return pt_fail(err, PT_EDAMAGE, "the document of anomaly %s is damaged", id);
    uint8_t was = key.bytes[ID_BYTES + 2];
    if (was == PT_ANOMALY_RESOLVED && status == PT_ANOMALY_ACKNOWLEDGED)
        return pt_fail(err, PT_EINVAL, "anomaly %s is resolved: it cannot be acknowledged any more",
                       id);
    if (was == (uint8_t)status) {
        *doc = bson_copy(&view);
        return PT_OK;
    }
    *doc = changed(&view, status, now_us); /* the view goes with the first write */
    rc = pt_write_doc_remove(write, PT_ANOMALY_INDEX, key.bytes, key.len, err);
    key.bytes[ID_BYTES + 2] = (uint8_t)status;
    if (rc == PT_OK) rc = put_index(write, &key, err);
    if (rc == PT_OK) rc = pt_write_doc(write, PT_ANOMALIES, key.bytes, ID_BYTES, *doc, err);
    if (rc == PT_OK) return PT_OK;
    bson_destroy(*doc);
    *doc = NULL;
    return rc;
}

/* ---- age ---------------------------------------------------------------------------------- */

struct old {
    struct key *v; /* [EXPIRE_AT_ONCE] */
    size_t n;
};

static bool collect_old(void *arg, const void *key, size_t len)
{
    struct old *old = arg;
    if (len > KEY_MAX || len < ID_BYTES) return true; /* none of ours */
    memcpy(old->v[old->n].bytes, key, len);
    old->v[old->n].len = len;
    return ++old->n < EXPIRE_AT_ONCE;
}

static enum pt_code remove_old(struct pt_store *store, const struct old *old, struct pt_err *err)
{
    struct pt_write *write = NULL;
    enum pt_code rc = pt_write_begin(store, &write, err);
    if (rc != PT_OK) return rc;
    for (size_t i = 0; i < old->n && rc == PT_OK; i++) {
        rc = pt_write_doc_remove(write, PT_ANOMALIES, old->v[i].bytes, ID_BYTES, err);
        if (rc == PT_OK)
            rc = pt_write_doc_remove(write, PT_ANOMALY_INDEX, old->v[i].bytes, old->v[i].len, err);
    }
    if (rc == PT_OK) return pt_write_commit(write, err);
    pt_write_abort(write);
    return rc;
}

enum pt_code pt_anomaly_expire(struct pt_store *store, int64_t before_us, uint64_t *removed,
                               bool *more, struct pt_err *err)
{
    uint8_t to[8];
    struct pt_read *read = NULL;
    struct old old = { .v = malloc(EXPIRE_AT_ONCE * sizeof *old.v) };
    if (!old.v) return pt_fail(err, PT_ENOMEM, "retention of anomalies");
    key_time(before_us, to);
    enum pt_code rc = pt_read_begin(store, &read, err);
    if (rc == PT_OK)
        rc = pt_docs_keys_range(read, PT_ANOMALY_INDEX, NULL, 0, to, sizeof to, false, collect_old,
                                &old, err);
    pt_read_end(read);
    if (rc == PT_OK && old.n > 0) rc = remove_old(store, &old, err);
    if (rc == PT_OK) *removed += old.n;
    *more = rc == PT_OK && old.n == EXPIRE_AT_ONCE;
    free(old.v);
    return rc;
}

/* ---- reading ------------------------------------------------------------------------------ */

struct choosing {
    const struct pt_anomaly_filter *filter;
    size_t method_len;
    pt_anomaly_fn fn;
    void *arg;
};

static bool choose(void *arg, const void *key, size_t len)
{
    const struct choosing *choosing = arg;
    const struct pt_anomaly_filter *filter = choosing->filter;
    struct pt_anomaly anomaly;
    if (!read_key(key, len, &anomaly)) return true;
    if ((filter->severity >= 0 && filter->severity != (int)anomaly.severity) ||
        (filter->kind >= 0 && filter->kind != (int)anomaly.kind) ||
        (filter->status >= 0 && filter->status != (int)anomaly.status) ||
        (filter->symbol && strcmp(filter->symbol, anomaly.symbol) != 0) ||
        (filter->method && (choosing->method_len != anomaly.method_len ||
                            memcmp(filter->method, anomaly.method, anomaly.method_len) != 0)))
        return true;
    return choosing->fn(choosing->arg, &anomaly);
}

enum pt_code pt_anomaly_each(struct pt_read *read, const struct pt_anomaly_filter *filter,
                             bool descending, pt_anomaly_fn fn, void *arg, struct pt_err *err)
{
    struct choosing choosing = { filter, filter->method ? strlen(filter->method) : 0, fn, arg };
    uint8_t from[8], to[8];
    if (filter->from_us >= filter->to_us) return PT_OK;
    key_time(filter->from_us, from);
    key_time(filter->to_us, to);
    return pt_docs_keys_range(read, PT_ANOMALY_INDEX, from, sizeof from, to, sizeof to, descending,
                              choose, &choosing, err);
}

enum pt_code pt_anomaly_get(struct pt_read *read, const struct pt_anomaly *anomaly, bson_t *view,
                            struct pt_err *err)
{
    char id[PT_ANOMALY_ID_MAX];
    enum pt_code rc = pt_docs_get(read, PT_ANOMALIES, anomaly->id, ID_BYTES, view, err);
    if (rc != PT_ENOENT) return rc;
    id_text(anomaly->id, id);
    return pt_fail(err, PT_EDAMAGE, "anomaly %s is in the index and has no document", id);
}

/* ---- the two halves ----------------------------------------------------------------------- */

struct halves {
    struct pt_read *read;
    pt_fault_fn fn;
    void *arg;
    enum pt_code rc; /* why it could not go on */
    struct pt_err *err;
};

static bool tell(const struct halves *halves, const char *where, const char *what)
{
    halves->fn(halves->arg, where, what);
    return true;
}

static bool check_entry(void *arg, const void *bytes, size_t len)
{
    struct halves *halves = arg;
    struct pt_anomaly anomaly;
    struct key key;
    char where[sizeof PT_ANOMALY_INDEX + 1 + PT_ANOMALY_ID_MAX] = PT_ANOMALY_INDEX " ";
    bson_t doc;
    if (!read_key(bytes, len, &anomaly))
        return tell(halves, PT_ANOMALY_INDEX, "a key that is none of an anomaly");
    memcpy(key.bytes, bytes, ID_BYTES);
    id_text(key.bytes, where + sizeof PT_ANOMALY_INDEX);
    enum pt_code rc = pt_docs_get(halves->read, PT_ANOMALIES, bytes, ID_BYTES, &doc, halves->err);
    if (rc == PT_ENOENT) return tell(halves, where, "its document is missing");
    if (rc == PT_EDAMAGE) return true;
    halves->rc = rc;
    if (rc != PT_OK) return false;
    if (!key_of_doc(&doc, &key) || key.len != len || memcmp(key.bytes, bytes, len) != 0)
        return tell(halves, where, "does not say what its document says");
    return true;
}

static bool check_doc(void *arg, const void *bytes, size_t len, const bson_t *doc)
{
    struct halves *halves = arg;
    struct key key;
    char where[sizeof PT_ANOMALIES + 1 + PT_ANOMALY_ID_MAX] = PT_ANOMALIES " ";
    bson_t empty;
    if (len != ID_BYTES) return tell(halves, PT_ANOMALIES, "a key that is no id");
    memcpy(key.bytes, bytes, ID_BYTES);
    id_text(key.bytes, where + sizeof PT_ANOMALIES);
    if (!key_of_doc(doc, &key)) return tell(halves, where, "is no anomaly");
    enum pt_code rc =
        pt_docs_get(halves->read, PT_ANOMALY_INDEX, key.bytes, key.len, &empty, halves->err);
    if (rc == PT_ENOENT) return tell(halves, where, "is not in the index");
    halves->rc = rc == PT_EDAMAGE ? PT_OK : rc;
    return halves->rc == PT_OK;
}

enum pt_code pt_anomaly_verify(struct pt_read *read, pt_fault_fn fn, void *arg, struct pt_err *err)
{
    struct halves halves = { read, fn, arg, PT_OK, err };
    enum pt_code rc = pt_docs_keys(read, PT_ANOMALY_INDEX, check_entry, &halves, err);
    if (rc == PT_OK && halves.rc == PT_OK)
        rc = pt_docs_scan(read, PT_ANOMALIES, NULL, 0, NULL, 0, false, check_doc, &halves, err);
    if (halves.rc != PT_OK) return halves.rc;
    return rc == PT_EDAMAGE ? PT_OK : rc;
}
