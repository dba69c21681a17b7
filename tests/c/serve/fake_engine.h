/* fake_engine.h - an engine for tests of the server: a real store, scripts that are only declared,
 * and a thread that answers units as it is told. Include once in a program. */
#ifndef PT_FAKE_ENGINE_H
#define PT_FAKE_ENGINE_H

#include "base/clock.h"
#include "base/decimal.h"
#include "base/timefmt.h"
#include "flow/engine.h"
#include "flow/registry.h"

#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum fake_answer { FAKE_RESULT, FAKE_EMPTY, FAKE_FAILURE, FAKE_DAMAGE, FAKE_SILENCE };

struct fake_unit {
    struct fake_unit *next;
    pt_detect_fn detected; /* instead of fn */
    char symbol[PT_SYMBOL_MAX], name[PT_SCRIPT_NAME_MAX];
    int64_t period_us, as_of_us;
    size_t n;
    bson_t *params;
    pt_unit_fn fn;
    void *arg;
};

struct pt_engine {
    struct pt_store *store;
    struct pt_conf *conf;
    struct pt_scripts *scripts;
    atomic_uint_fast64_t generation;
    struct pt_engine_stats stats;
    char folder[64];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct fake_unit *first;
    bool stop;
    atomic_int answer, delay_ms; /* how units are answered */
    atomic_uint evals;
    atomic_bool failed;    /* something of each unit did */
    char last_params[256]; /* of the last unit, as JSON */
    int64_t last_as_of_us;
    size_t last_n;
};

static struct pt_engine fake;

/* ---- result documents ---------------------------------------------------------------------------
 */

static inline bson_t *fake_result(const char *name, const char *pair, int64_t period_us,
                                  int64_t as_of_us, const char *status, double value,
                                  const char *hash)
{
    char period[PT_PERIOD_TEXT_MAX];
    bson_t *doc = bson_new(), data, metadata, map;
    pt_period_print(period_us, period);
    BSON_APPEND_UTF8(doc, "symbol", pair);
    BSON_APPEND_UTF8(doc, "timeframe", period);
    BSON_APPEND_UTF8(doc, "metric", name);
    if (as_of_us == PT_MISSING)
        BSON_APPEND_NULL(doc, "as_of");
    else
        BSON_APPEND_DATE_TIME(doc, "as_of", as_of_us / 1000);
    BSON_APPEND_UTF8(doc, "status", status);
    BSON_APPEND_DOCUMENT_BEGIN(doc, "data", &data);
    BSON_APPEND_DOUBLE(&data, "level", value);
    BSON_APPEND_INT64(&data, "count", 7);
    BSON_APPEND_NULL(&data, "stored_gone");
    BSON_APPEND_DOCUMENT_BEGIN(&data, "by_lag", &map);
    BSON_APPEND_DOUBLE(&map, "2", value / 2);
    BSON_APPEND_DOUBLE(&map, "5", value / 5);
    bson_append_document_end(&data, &map);
    BSON_APPEND_UTF8(&data, "signal", "up, or \"down\"");
    bson_append_document_end(doc, &data);
    BSON_APPEND_DOCUMENT_BEGIN(doc, "metadata", &metadata);
    BSON_APPEND_UTF8(&metadata, "method", "made_up");
    BSON_APPEND_UTF8(&metadata, "method_version", "1");
    BSON_APPEND_UTF8(&metadata, "window", "30d");
    BSON_APPEND_DOUBLE(&metadata, "completeness", 87.5);
    BSON_APPEND_INT64(&metadata, "rows", 105);
    BSON_APPEND_DATE_TIME(&metadata, "computed_at", pt_now_us() / 1000);
    BSON_APPEND_UTF8(&metadata, "script_hash", hash);
    bson_append_document_end(doc, &metadata);
    return doc;
}

static inline void fake_store_result(const char *name, const char *pair, int64_t period_us,
                                     int64_t as_of_us, const char *status, double value,
                                     const char *hash)
{
    struct pt_write *write = NULL;
    struct pt_err err;
    uint8_t key[16];
    char collection[100];
    snprintf(collection, sizeof collection, "analytics_%s_%s", pair, name);
    pt_result_key(period_us, as_of_us, key);
    bson_t *doc = fake_result(name, pair, period_us, as_of_us, status, value, hash);
    if (pt_write_begin(fake.store, &write, &err) != PT_OK ||
        pt_write_doc(write, collection, key, sizeof key, doc, &err) != PT_OK ||
        pt_write_commit(write, &err) != PT_OK) {
        fprintf(stderr, "fake: %s\n", err.text);
        abort();
    }
    bson_destroy(doc);
}

/* Stores rows; aborts when it cannot. */
static inline void fake_store_rows(const struct pt_series_key *key, const struct pt_frame *frame)
{
    struct pt_write *write = NULL;
    struct pt_put_stats stats = { 0 };
    struct pt_err err;
    if (pt_write_begin(fake.store, &write, &err) != PT_OK ||
        pt_write_rows(write, key, frame, PT_PUT_CORRECT, &stats, &err) != PT_OK ||
        pt_write_commit(write, &err) != PT_OK) {
        fprintf(stderr, "fake: %s\n", err.text);
        abort();
    }
}

/* Appends a candle whose prices tell its time. */
static inline void fake_candle(struct pt_frame *frame, int64_t open_us, int64_t price, bool closed)
{
    int64_t val[PT_CELLS_MAX];
    uint8_t dig[PT_CELLS_MAX] = { 0 };
    for (unsigned c = 0; c < PT_COLS_MAX; c++) {
        val[c] = PT_MISSING;
        dig[c] = pt_digits(2, 0);
    }
    val[PT_C_TIME] = open_us;
    val[PT_C_OPEN] = val[PT_C_CLOSE] = price * 100;
    val[PT_C_HIGH] = price * 100 + 50;
    val[PT_C_LOW] = price * 100 - 50;
    val[PT_C_VOLUME] = 1250;
    val[PT_C_QUOTE_VOLUME] = 125000;
    val[PT_C_TRADES] = 42;
    val[PT_C_TAKER_VOLUME] = 600;
    val[PT_C_TAKER_QUOTE_VOLUME] = 60000;
    val[PT_C_CLOSED] = closed;
    if (pt_frame_push(frame, val, dig) != PT_OK) abort();
}

/* ---- scripts ------------------------------------------------------------------------------------
 */

static const char fake_outputs[] =
    "[{\"name\":\"level\",\"type\":\"number\",\"unit\":\"ratio\",\"about\":\"how high\"},"
    "{\"name\":\"count\",\"type\":\"int\",\"unit\":\"count\"},"
    "{\"name\":\"gone\",\"type\":\"number\",\"unit\":\"ratio\",\"stored\":\"stored_gone\"},"
    "{\"name\":\"by_lag\",\"type\":\"map\",\"unit\":\"ratio\"},"
    "{\"name\":\"signal\",\"type\":\"text\",\"unit\":\"none\"},"
    "{\"name\":\"missing\",\"type\":\"number\",\"unit\":\"quote\"}]";

static inline bson_t *fake_declaration(const char *name, const char *shape)
{
    char text[2000];
    bool detector = strcmp(shape, "anomaly") == 0;
    snprintf(
        text, sizeof text,
        "{\"api\":1,\"kind\":\"%s\",\"of\":\"market\",\"name\":\"%s\",\"about\":\"%s of "
        "something\",\"method\":\"declared\","
        "\"method_version\":\"1\",\"shape\":\"%s\",\"every\":[\"1h\"],\"needs\":{\"candles\":{"
        "\"span\":\"30d\"},"
        "\"metrics\":[]},\"params\":[{\"name\":\"window\",\"type\":\"int\",\"default\":{\"$"
        "numberLong\":\"20\"},"
        "\"min\":{\"$numberLong\":\"2\"},\"max\":{\"$numberLong\":\"500\"},\"unit\":\"bars\","
        "\"about\":\"bars\"},"
        "{\"name\":\"mode\",\"type\":\"enum\",\"default\":\"plain\",\"words\":[\"plain\",\"odd\"]},"
        "{\"name\":\"share\",\"type\":\"number\",\"default\":0.5,\"min\":0.0,\"max\":1.0,\"unit\":"
        "\"ratio\"},"
        "{\"name\":\"flag\",\"type\":\"bool\",\"default\":false}],\"outputs\":%s}",
        detector ? "anomaly" : "calculator", name, name, detector ? "data" : shape, fake_outputs);
    bson_error_t error;
    bson_t *doc = bson_new_from_json((const uint8_t *)text, -1, &error);
    if (doc == NULL) {
        fprintf(stderr, "fake: %s\n", error.message);
        abort();
    }
    return doc;
}

static inline struct pt_source *fake_source(struct pt_sources *sources, const char *name)
{
    struct pt_source *source = &sources->v[sources->n++];
    char file[100], text[100];
    snprintf(file, sizeof file, "calculators/%s.lua", name);
    snprintf(text, sizeof text, "return calculator { name = \"%s\" }\n", name);
    *source = (struct pt_source){ .file = strdup(file), .text = strdup(text), .len = strlen(text) };
    snprintf(source->hash, sizeof source->hash, "%032zx", strlen(name));
    return source;
}

/* volatility (shape values), deviation (shape data), mad (a detector), broken (did not load). */
static inline struct pt_scripts *fake_scripts(uint64_t generation)
{
    struct pt_registry registry;
    struct pt_scripts *scripts = NULL;
    struct pt_err err;
    struct pt_sources sources = { .v = calloc(4, sizeof(struct pt_source)) };
    fake_source(&sources, "broken");
    fake_source(&sources, "deviation");
    fake_source(&sources, "mad");
    fake_source(&sources, "volatility");
    if (pt_registry_init(&registry, &sources, &err) != PT_OK) abort();
    pt_registry_fail(&registry.v[0], "%s", "unexpected symbol");
    strcpy(registry.v[0].error_file, "calculators/broken.lua");
    registry.v[0].error_line = 3;
    registry.v[1].declaration = fake_declaration("deviation", "data");
    registry.v[2].declaration = fake_declaration("mad", "anomaly");
    registry.v[3].declaration = fake_declaration("volatility", "values");
    if (pt_registry_snapshot(&registry, NULL, generation, &scripts, &err) != PT_OK) abort();
    pt_registry_fini(&registry);
    return scripts;
}

static inline const char *fake_hash(const char *name)
{
    return pt_scripts_find(fake.scripts, name)->source->hash;
}

/* ---- reload: answers at once, as it is told --- */

static atomic_bool fake_reload_fails;
static atomic_uint fake_reloads, fake_diffs;

enum pt_code pt_engine_reload(struct pt_engine *engine, bool diff, pt_reload_fn fn, void *arg,
                              struct pt_err *err)
{
    (void)engine;
    (void)err;
    bson_t doc = BSON_INITIALIZER;
    atomic_fetch_add(diff ? &fake_diffs : &fake_reloads, 1);
    BSON_APPEND_BOOL(&doc, "ok", !atomic_load(&fake_reload_fails));
    BSON_APPEND_BOOL(&doc, "diff", diff);
    fn(arg, &doc, NULL);
    bson_destroy(&doc);
    return PT_OK;
}

bson_t *pt_engine_outcome(struct pt_engine *engine)
{
    (void)engine;
    if (atomic_load(&fake_reloads) == 0) return NULL;
    bson_t *doc = bson_new();
    BSON_APPEND_BOOL(doc, "ok", true);
    return doc;
}

/* ---- the engine ---------------------------------------------------------------------------------
 */

struct pt_store *pt_engine_store(struct pt_engine *engine)
{
    return engine->store;
}

struct pt_conf *pt_engine_conf(struct pt_engine *engine)
{
    return pt_conf_ref(engine->conf);
}

uint64_t pt_engine_generation(struct pt_engine *engine)
{
    return atomic_load(&engine->generation);
}

struct pt_scripts *pt_engine_scripts(struct pt_engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    struct pt_scripts *scripts = pt_scripts_ref(engine->scripts);
    pthread_mutex_unlock(&engine->lock);
    return scripts;
}

void pt_engine_stats(struct pt_engine *engine, struct pt_engine_stats *stats)
{
    pthread_mutex_lock(&engine->lock);
    *stats = engine->stats;
    pthread_mutex_unlock(&engine->lock);
}

void pt_engine_rejects(struct pt_engine *engine, pt_reason_fn fn, void *arg)
{
    (void)engine;
    fn(arg, "kline", "ohlc_order", 3);
}

static inline enum pt_code fake_submit(struct pt_engine *engine, const struct pt_unit *unit,
                                       pt_unit_fn fn, pt_detect_fn detected, void *arg,
                                       struct pt_err *err)
{
    struct fake_unit *mine = calloc(1, sizeof *mine);
    if (mine == NULL) return pt_fail(err, PT_ENOMEM, "no memory");
    memcpy(mine->symbol, unit->symbol, sizeof mine->symbol);
    snprintf(mine->name, sizeof mine->name, "%s", unit->names[unit->n - 1]);
    mine->n = unit->n;
    mine->period_us = unit->period_us;
    mine->as_of_us = unit->as_of_us;
    mine->params = bson_copy(unit->params[unit->n - 1]);
    mine->fn = fn;
    mine->detected = detected;
    mine->arg = arg;
    pthread_mutex_lock(&engine->lock);
    struct fake_unit **at = &engine->first;
    while (*at != NULL) at = &(*at)->next;
    *at = mine;
    char *json = bson_as_relaxed_extended_json(mine->params, NULL);
    snprintf(engine->last_params, sizeof engine->last_params, "%s", json);
    bson_free(json);
    engine->last_as_of_us = unit->as_of_us;
    engine->last_n = unit->n;
    pthread_cond_signal(&engine->more);
    pthread_mutex_unlock(&engine->lock);
    atomic_fetch_add(&engine->evals, 1);
    return PT_OK;
}

enum pt_code pt_engine_eval(struct pt_engine *engine, const struct pt_unit *unit, pt_unit_fn fn,
                            void *arg, struct pt_err *err)
{
    return fake_submit(engine, unit, fn, NULL, arg, err);
}

enum pt_code pt_engine_detect(struct pt_engine *engine, const struct pt_unit *unit, pt_detect_fn fn,
                              void *arg, struct pt_err *err)
{
    return fake_submit(engine, unit, NULL, fn, arg, err);
}

/* At once, on the caller's thread. */
enum pt_code pt_engine_settle(struct pt_engine *engine, const char *id,
                              enum pt_anomaly_status status, pt_settle_fn fn, void *arg,
                              struct pt_err *err)
{
    struct pt_write *write = NULL;
    struct pt_err why;
    bson_t *doc = NULL;
    enum pt_code rc = pt_write_begin(engine->store, &write, err);
    if (rc != PT_OK) return rc;
    rc = pt_anomaly_settle(write, id, status, pt_now_us(), &doc, &why);
    if (rc == PT_OK)
        rc = pt_write_commit(write, &why);
    else
        pt_write_abort(write);
    fn(arg, rc == PT_OK ? doc : NULL, rc == PT_OK ? NULL : &why);
    bson_destroy(doc);
    return PT_OK;
}

/* A hit with details of all sorts. */
static inline bson_t *fake_hit(int64_t time_us, const char *severity)
{
    bson_t *hit = bson_new(), details, features;
    BSON_APPEND_DATE_TIME(hit, "time", time_us / 1000);
    BSON_APPEND_DOUBLE(hit, "price", 101.5);
    BSON_APPEND_DOUBLE(hit, "score", 7.25);
    BSON_APPEND_DOUBLE(hit, "threshold", 3.5);
    BSON_APPEND_NULL(hit, "expected");
    BSON_APPEND_DOUBLE(hit, "observed", 0.07);
    BSON_APPEND_UTF8(hit, "direction", "up");
    BSON_APPEND_UTF8(hit, "severity", severity);
    BSON_APPEND_UTF8(hit, "reason", "ml_outlier");
    BSON_APPEND_DOCUMENT_BEGIN(hit, "details", &details);
    BSON_APPEND_DOUBLE(&details, "volume", 12.5);
    BSON_APPEND_DOCUMENT_BEGIN(&details, "features", &features);
    BSON_APPEND_DOUBLE(&features, "price_change", 0.5);
    bson_append_document_end(&details, &features);
    BSON_APPEND_DOUBLE(&details, "excess", 2.5);
    BSON_APPEND_DOUBLE(&details, "score", 9);
    bson_append_document_end(hit, &details);
    return hit;
}

/* fake_result: two hits; fake_empty: it cannot tell. */
static inline bson_t *fake_detection(const struct fake_unit *unit, int64_t as_of_us, bool known)
{
    bson_t *doc = fake_result(unit->name, unit->symbol, unit->period_us,
                              known ? as_of_us : PT_MISSING, known ? "ok" : "empty", 1, "computed"),
           *out = bson_new(), data, list, metadata, parameters;
    bson_iter_t iter;
    bson_iter_init(&iter, doc);
    while (bson_iter_next(&iter)) {
        const char *key = bson_iter_key(&iter);
        if (strcmp(key, "data") != 0 && strcmp(key, "metadata") != 0)
            bson_append_iter(out, key, -1, &iter);
    }
    BSON_APPEND_DOCUMENT_BEGIN(out, "data", &data);
    if (known) {
        BSON_APPEND_INT64(&data, "found", 2);
        BSON_APPEND_ARRAY_BEGIN(&data, "anomalies", &list);
        for (int i = 0; i < 2; i++) {
            bson_t *hit = fake_hit(as_of_us - (2 - i) * unit->period_us, i == 0 ? "low" : "high");
            BSON_APPEND_DOCUMENT(&list, i == 0 ? "0" : "1", hit);
            bson_destroy(hit);
        }
        bson_append_array_end(&data, &list);
    } else {
        BSON_APPEND_NULL(&data, "found");
        BSON_APPEND_NULL(&data, "anomalies");
    }
    bson_append_document_end(out, &data);
    BSON_APPEND_DOCUMENT_BEGIN(out, "metadata", &metadata);
    BSON_APPEND_DOCUMENT_BEGIN(&metadata, "parameters", &parameters);
    bson_concat(&parameters, unit->params);
    bson_append_document_end(&metadata, &parameters);
    BSON_APPEND_DOUBLE(&metadata, "completeness", 87.5);
    bson_append_document_end(out, &metadata);
    bson_destroy(doc);
    return out;
}

static inline void fake_answer_detection(struct fake_unit *unit, int64_t as_of_us,
                                         enum fake_answer how)
{
    struct pt_err err;
    if (how == FAKE_RESULT || how == FAKE_EMPTY) {
        bson_t *doc = fake_detection(unit, as_of_us, how == FAKE_RESULT);
        unit->detected(unit->arg, doc, how == FAKE_RESULT ? 2 : 0, NULL);
        bson_destroy(doc);
    } else {
        pt_fail(&err,
                how == FAKE_SILENCE  ? PT_ECANCEL
                : how == FAKE_DAMAGE ? PT_EDAMAGE
                                     : PT_EFULL,
                "the disk said no");
        unit->detected(unit->arg, NULL, 0, &err);
    }
    bson_destroy(unit->params);
    free(unit);
}

static inline void fake_answer_unit(struct fake_unit *unit, enum fake_answer how)
{
    struct pt_err err;
    int64_t as_of_us =
        unit->as_of_us == INT64_MAX ? pt_now_us() / PT_US_HOUR * PT_US_HOUR : unit->as_of_us;
    bson_t *doc = NULL;
    if (unit->detected != NULL) {
        fake_answer_detection(unit, as_of_us, how);
        return;
    }
    if (how == FAKE_RESULT)
        doc =
            fake_result(unit->name, unit->symbol, unit->period_us, as_of_us, "ok", 2.5, "computed");
    if (how == FAKE_EMPTY)
        doc = fake_result(unit->name, unit->symbol, unit->period_us, PT_MISSING, "empty", 0,
                          "computed");
    if (doc != NULL) {
        struct pt_unit_result results[33] = { { .name = NULL } };
        for (size_t i = 0; i < unit->n; i++)
            results[i] = (struct pt_unit_result){
                .name = unit->name, .doc = doc, .elapsed_us = 5, .failed = atomic_load(&fake.failed)
            };
        unit->fn(unit->arg, results, unit->n, NULL);
        bson_destroy(doc);
    } else {
        pt_fail(&err, how == FAKE_SILENCE ? PT_ECANCEL : PT_EIO, "the worker said no");
        unit->fn(unit->arg, NULL, 0, &err);
    }
    bson_destroy(unit->params);
    free(unit);
}

static inline void *fake_loop(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&fake.lock);
    while (!fake.stop) {
        if (fake.first == NULL || atomic_load(&fake.answer) == FAKE_SILENCE) {
            struct timespec until;
            clock_gettime(CLOCK_REALTIME, &until);
            until.tv_nsec += 2000000;
            if (until.tv_nsec >= 1000000000) {
                until.tv_sec++;
                until.tv_nsec -= 1000000000;
            }
            pthread_cond_timedwait(&fake.more, &fake.lock, &until);
            continue;
        }
        struct fake_unit *unit = fake.first;
        fake.first = unit->next;
        pthread_mutex_unlock(&fake.lock);
        int delay_ms = atomic_load(&fake.delay_ms);
        if (delay_ms > 0) usleep((useconds_t)delay_ms * 1000);
        fake_answer_unit(unit, (enum fake_answer)atomic_load(&fake.answer));
        pthread_mutex_lock(&fake.lock);
    }
    pthread_mutex_unlock(&fake.lock);
    return NULL;
}

/* settings: "http.threads=1" ..., ended by NULL. */
static inline void fake_start(const char *const *settings)
{
    struct pt_err err;
    fake = (struct pt_engine){ .stats = { .store_ok = true, .pool = { .workers = 2 } } };
    strcpy(fake.folder, "/tmp/petrosa-serve-XXXXXX");
    struct pt_store_opts opts = { .path = fake.folder, .max_bytes = UINT64_C(1) << 30 };
    if (mkdtemp(fake.folder) == NULL || pt_store_open(&opts, &fake.store, &err) != PT_OK ||
        pt_conf_new(&fake.conf, &err) != PT_OK ||
        pt_conf_set(fake.conf, "http.port=0", &err) != PT_OK) {
        fprintf(stderr, "fake: %s\n", err.text);
        abort();
    }
    for (; settings != NULL && *settings != NULL; settings++) {
        if (pt_conf_set(fake.conf, *settings, &err) == PT_OK) continue;
        fprintf(stderr, "fake: %s\n", err.text);
        abort();
    }
    atomic_store(&fake.generation, 1);
    fake.scripts = fake_scripts(1);
    pthread_mutex_init(&fake.lock, NULL);
    pthread_cond_init(&fake.more, NULL);
    pthread_create(&fake.thread, NULL, fake_loop, NULL);
}

static inline void fake_remove(const char *folder)
{
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        char path[400];
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (dir != NULL) closedir(dir);
    rmdir(folder);
}

static inline void fake_stop(void)
{
    pthread_mutex_lock(&fake.lock);
    fake.stop = true;
    pthread_cond_signal(&fake.more);
    pthread_mutex_unlock(&fake.lock);
    pthread_join(fake.thread, NULL);
    while (fake.first != NULL) {
        struct fake_unit *unit = fake.first;
        fake.first = unit->next;
        fake_answer_unit(unit, FAKE_SILENCE);
    }
    pt_scripts_unref(fake.scripts);
    pt_store_close(fake.store);
    pt_conf_free(fake.conf);
    pthread_cond_destroy(&fake.more);
    pthread_mutex_destroy(&fake.lock);
    fake_remove(fake.folder);
}

/* A new set of scripts, as after a reload. */
static inline void fake_reload(void)
{
    uint64_t generation = atomic_load(&fake.generation) + 1;
    struct pt_scripts *scripts = fake_scripts(generation), *old;
    pthread_mutex_lock(&fake.lock);
    old = fake.scripts;
    fake.scripts = scripts;
    pthread_mutex_unlock(&fake.lock);
    atomic_store(&fake.generation, generation);
    pt_scripts_unref(old);
}

#endif
