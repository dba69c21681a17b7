/* session.c - load and run messages answered.                                  [layer: bindings] */
#include "bindings/session.h"

#include "base/clock.h"
#include "base/decimal.h"
#include "base/timefmt.h"
#include "bindings/guard.h"
#include "bindings/inspect.h"
#include "num/panel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAP_BASE ((size_t)1 << 30)
#define HEAP_MARKET                                                                                \
    (PT_MARKET_BYTES + ((size_t)256 << 20)) /* the columns, and what OpenBLAS works in */

/* ---- opening
 * ------------------------------------------------------------------------------------------------
 */

static size_t array_length(const bson_t *doc, const char *key, bson_t *array, bson_iter_t *iter)
{
    if (!pt_doc_child(doc, key, array) || !bson_iter_init(iter, array)) return 0;
    return bson_count_keys(array);
}

static bool next_document(bson_iter_t *iter, bson_t *out)
{
    uint32_t len = 0;
    const uint8_t *data = NULL;
    if (!bson_iter_next(iter) || !BSON_ITER_HOLDS_DOCUMENT(iter)) return false;
    bson_iter_document(iter, &len, &data);
    return data && bson_init_static(out, data, len);
}

/* A text that may hold NUL bytes, which Lua would be shown and files should not have. */
static bool whole_text(const bson_t *entry, const char *key, const char **text, size_t *len)
{
    bson_iter_t iter;
    uint32_t bytes = 0;
    if (!bson_iter_init_find(&iter, entry, key) || !BSON_ITER_HOLDS_UTF8(&iter)) return false;
    *text = bson_iter_utf8(&iter, &bytes);
    *len = bytes;
    return true;
}

static enum pt_code take_libs(struct pt_session *self, struct pt_err *err)
{
    bson_t array, entry;
    bson_iter_t iter;
    size_t n = array_length(self->request, "libs", &array, &iter);
    self->libs = calloc(n ? n : 1, sizeof *self->libs);
    if (!self->libs) return pt_fail(err, PT_ENOMEM, "%zu libraries", n);
    while (self->nlibs < n && next_document(&iter, &entry)) {
        struct pt_lua_lib *lib = &self->libs[self->nlibs++];
        if (!pt_doc_text(&entry, "name", &lib->name) || !pt_doc_text(&entry, "file", &lib->file) ||
            !whole_text(&entry, "text", &lib->text, &lib->len))
            return pt_fail(err, PT_EINVAL, "load: library %zu lacks name, file or text",
                           self->nlibs);
    }
    return self->nlibs == n ? PT_OK : pt_fail(err, PT_EINVAL, "load: libs must hold documents");
}

/* Does a script or library name a market? No script has run yet, and afterwards no file can be
 * opened. */
static bool names_market(const struct pt_session *self)
{
    bson_t array, entry;
    bson_iter_t iter;
    const char *text;
    for (size_t i = 0; i < self->nlibs; i++)
        if (strstr(self->libs[i].text, "market")) return true;
    array_length(self->request, "scripts", &array, &iter);
    if (!pt_doc_child(self->request, "scripts", &array)) return false;
    while (next_document(&iter, &entry))
        if (pt_doc_text(&entry, "text", &text) && strstr(text, "market")) return true;
    return false;
}

static enum pt_code open_blas(struct pt_session *self, struct pt_err *err)
{
    if (!names_market(self)) return PT_OK;
    self->blas = true;
    enum pt_code rc = pt_panel_blas_check(err);
    if (rc == PT_OK) pt_panel_blas_one_thread();
    return rc == PT_OK ? pt_panel_blas_warm(err) : rc;
}

enum pt_code pt_session_open(struct pt_session *self, bson_t *request,
                             volatile struct pt_worker_status *status, struct pt_err *err)
{
    const char *path = NULL, *benchmark = "";
    int64_t memory;
    memset(self, 0, sizeof *self);
    self->request = request;
    self->status = status;
    pt_doc_text(request, "store", &path);
    if (!pt_doc_int(request, "call_budget_us", &self->call_budget_us) ||
        !pt_doc_int(request, "load_budget_us", &self->load_budget_us) ||
        !pt_doc_int(request, "memory_bytes", &memory) || self->call_budget_us < 0 ||
        self->load_budget_us < 0 || memory < 1)
        return pt_fail(err, PT_EINVAL,
                       "load: call_budget_us, load_budget_us and memory_bytes are needed");
    pt_doc_text(request, "benchmark", &benchmark);
    if (*benchmark && pt_symbol_parse(benchmark, strlen(benchmark), self->benchmark) != PT_OK)
        return pt_fail(err, PT_EINVAL, "load: benchmark '%.40s' is no symbol", benchmark);
    enum pt_code rc = take_libs(self, err);
    self->home = (struct pt_script_home){ .arena = &self->arena,
                                          .memory_bytes = (size_t)memory,
                                          .libs = self->libs,
                                          .nlibs = self->nlibs };

    if (rc == PT_OK) rc = open_blas(self, err);
    if (rc != PT_OK || !path) return rc;
    struct pt_store_opts opts = { .path = path, .readonly = true };
    rc = pt_store_open(&opts, &self->store, err);
    /* the first read takes what it needs of the machine now, while it may */
    struct pt_read *read = NULL;
    if (rc == PT_OK) rc = pt_read_begin(self->store, &read, err);
    pt_read_end(read);
    return rc;
}

void pt_session_fini(struct pt_session *self)
{
    for (size_t i = 0; i < self->nscripts; i++) pt_lua_script_fini(&self->scripts[i]);
    pt_store_columns_fini(&self->columns);
    pt_own_window_fini(&self->own);
    pt_store_market_fini(&self->market);
    pt_arena_fini(&self->arena);
    pt_store_close(self->store);
    free(self->scripts);
    free(self->libs);
    if (self->request) bson_destroy(self->request);
    memset(self, 0, sizeof *self);
}

size_t pt_session_heap_bytes(const struct pt_session *self)
{
    return HEAP_BASE + (self->blas ? HEAP_MARKET : 0) + 2 * self->home.memory_bytes;
}

/* ---- load
 * -----------------------------------------------------------------------------------------------------
 */

static void note(struct pt_session *self, enum pt_phase phase, size_t script)
{
    if (!self->status) return;
    self->status->line = 0;
    self->status->script = (uint32_t)script; /* first: who reads the phase believes the number */
    self->status->phase = phase;
}

static bool append_fault(bson_t *out, const struct pt_lua_fault *fault)
{
    bson_t error;
    bool good = bson_append_document_begin(out, "error", -1, &error) &&
                bson_append_utf8(&error, "message", -1, fault->message, -1);
    if (good && *fault->file) good = bson_append_utf8(&error, "file", -1, fault->file, -1);
    if (good && fault->line > 0) good = bson_append_int64(&error, "line", -1, fault->line);
    return good && bson_append_document_end(out, &error);
}

/* The script is as if it had never loaded. */
static void refuse(struct pt_lua_script *script, const struct pt_lua_fault *fault)
{
    struct pt_lua_script empty = {
        .home = script->home, .file = script->file, .text = script->text, .hash = script->hash
    };
    pt_lua_script_fini(script);
    *script = empty;
    script->fault = *fault;
}

/* A script that loaded is not taken. */
static void refuse_with(struct pt_lua_script *script, const char *message)
{
    struct pt_lua_fault fault = { .line = 1 };
    snprintf(fault.file, sizeof fault.file, "%s", script->file);
    snprintf(fault.message, sizeof fault.message, "%s", message);
    refuse(script, &fault);
}

/* A name belongs to the first file that has it. */
static void refuse_twin(struct pt_session *self, struct pt_lua_script *script)
{
    for (size_t i = 0; i < self->nscripts; i++) {
        struct pt_lua_script *other = &self->scripts[i];
        if (!other->vm || strcmp(other->declaration.name, script->declaration.name) != 0) continue;
        char message[400], name[PT_SCRIPT_NAME_MAX];
        snprintf(name, sizeof name, "%s", script->declaration.name);
        snprintf(message, sizeof message, "the name %s is taken by %.300s",
                 script->declaration.name, other->file);
        refuse_with(script, message);
        memcpy(script->twin, name, sizeof name);
        return;
    }
}

static enum pt_code load_one(struct pt_session *self, const bson_t *entry, struct pt_err *err)
{
    const char *file, *text, *hash;
    size_t len;
    if (!pt_doc_text(entry, "file", &file) || !whole_text(entry, "text", &text, &len) ||
        !pt_doc_text(entry, "hash", &hash))
        return pt_fail(err, PT_EINVAL, "load: script %zu lacks file, text or hash", self->nscripts);
    struct pt_lua_script *script = &self->scripts[self->nscripts];
    note(self, PT_PHASE_LOAD, self->nscripts);
    pt_guard_arm(self->load_budget_us);
    pt_lua_script_load(script, &self->home, file, text, len, hash);
    pt_guard_disarm();
    if (script->vm && script->declaration.market && !self->blas)
        refuse_with(script,
                    "needs.market must be written as it is, the word is looked for in the text");
    if (script->vm) refuse_twin(self, script);
    self->nscripts++;
    return PT_OK;
}

/* What is answered for one script, after it was checked if that was asked. */
static enum pt_code answer_one(struct pt_session *self, size_t i, const bson_t *entry, bson_t *out,
                               struct pt_err *err)
{
    struct pt_lua_script *script = &self->scripts[i];
    bool check = false, good = bson_append_utf8(out, "file", -1, script->file, -1);
    enum pt_code rc = PT_OK;
    pt_doc_bool(entry, "check", &check);
    if (check && script->vm) {
        struct pt_lua_fault fault = { 0 };
        rc = pt_session_check(self, i, out, &fault, err);
        if (rc == PT_OK && *fault.message) refuse(script, &fault);
    }
    if (good && script->vm)
        good = bson_append_document(out, "declaration", -1, script->declaration.document);
    else if (good)
        good = append_fault(out, &script->fault) &&
               (!*script->twin || bson_append_utf8(out, "twin", -1, script->twin, -1));
    if (rc != PT_OK || good) return rc;
    return pt_fail(err, PT_ENOMEM, "%s: no memory for its declaration", script->file);
}

void pt_session_note(struct pt_session *self, size_t i)
{
    note(self, PT_PHASE_LOAD, i);
}

enum pt_code pt_session_load(struct pt_session *self, bson_t *reply, struct pt_err *err)
{
    bson_t array, entry, list, out;
    bson_iter_t iter;
    enum pt_code rc = PT_OK;
    size_t n = array_length(self->request, "scripts", &array, &iter), i = 0;
    self->scripts = calloc(n ? n : 1, sizeof *self->scripts);
    if (!self->scripts) return pt_fail(err, PT_ENOMEM, "%zu scripts", n);
    for (; rc == PT_OK && i < n && next_document(&iter, &entry); i++)
        rc = load_one(self, &entry, err);
    if (rc == PT_OK && i < n) rc = pt_fail(err, PT_EINVAL, "load: scripts must hold documents");
    /* all are there before the first is checked: it may need the others' metrics */
    bson_append_utf8(reply, "op", -1, "loaded", -1);
    bson_append_array_begin(reply, "scripts", -1, &list);
    if (n > 0) bson_iter_init(&iter, &array);
    for (i = 0; rc == PT_OK && i < n && next_document(&iter, &entry); i++) {
        char index[24];
        snprintf(index, sizeof index, "%zu", i);
        bson_append_document_begin(&list, index, -1, &out);
        rc = answer_one(self, i, &entry, &out, err);
        bson_append_document_end(&list, &out);
    }
    bson_append_array_end(reply, &list);
    note(self, PT_PHASE_IDLE, 0);
    return rc;
}

/* ---- run
 * --------------------------------------------------------------------------------------------------------
 */

/* One script of a unit. */
struct job {
    struct pt_lua_script *script;
    struct pt_script_call call;
    bool failed; /* before it could run: fault says why */
    struct pt_lua_fault fault;
    bson_t *doc;
    int64_t elapsed_us;
};

struct unit {
    struct pt_session *self;
    struct pt_read *read;
    char symbol[PT_SYMBOL_MAX]; /* "": the market */
    const char *benchmark;      /* of the market, should the configured one not be there; or NULL */
    int64_t id, period_us, as_of_us, now_us, close_us, derived_us;
    int64_t inspect; /* enum pt_inspect, of the last job */
    bool whole;      /* detectors tell of all of the window */
    size_t n;
    struct job *jobs;
    struct pt_metric *metrics;
};

static struct pt_lua_script *find_script(struct pt_session *self, const char *name)
{
    for (size_t i = 0; i < self->nscripts; i++) {
        if (strcmp(self->scripts[i].declaration.name, name) == 0) return &self->scripts[i];
    }
    return NULL;
}

static void fail_job(struct job *job, const char *message)
{
    job->failed = true;
    snprintf(job->fault.message, sizeof job->fault.message, "%s", message);
    snprintf(job->fault.file, sizeof job->fault.file, "%s", job->script->file);
}

static enum pt_code take_unit(struct unit *unit, const bson_t *request, struct pt_err *err)
{
    const char *symbol;
    bson_t array, entry, given;
    bson_iter_t iter;
    if (!pt_doc_int(request, "id", &unit->id) || !pt_doc_text(request, "symbol", &symbol) ||
        !pt_doc_int(request, "period_us", &unit->period_us) ||
        !pt_doc_int(request, "as_of_us", &unit->as_of_us) ||
        !pt_doc_int(request, "now_us", &unit->now_us) || unit->period_us <= 0 ||
        (*symbol && pt_symbol_parse(symbol, strlen(symbol), unit->symbol) != PT_OK))
        return pt_fail(err, PT_EINVAL,
                       "run: id, symbol, period_us, as_of_us and now_us are needed");
    pt_doc_int(request, "inspect", &unit->inspect);
    pt_doc_bool(request, "whole", &unit->whole);
    pt_doc_text(request, "benchmark", &unit->benchmark);
    size_t n = array_length(request, "scripts", &array, &iter);
    unit->jobs = calloc(n ? n : 1, sizeof *unit->jobs);
    unit->metrics = calloc(n ? n : 1, sizeof *unit->metrics);
    if (!unit->jobs || !unit->metrics) return pt_fail(err, PT_ENOMEM, "%zu scripts of a unit", n);
    for (; unit->n < n && next_document(&iter, &entry); unit->n++) {
        struct job *job = &unit->jobs[unit->n];
        struct pt_err fault;
        const char *name;
        if (!pt_doc_text(&entry, "name", &name))
            return pt_fail(err, PT_EINVAL, "run: script %zu lacks a name", unit->n);
        job->script = find_script(unit->self, name);
        if (!job->script) return pt_fail(err, PT_EINVAL, "run: no script '%.60s' is loaded", name);
        job->call = (struct pt_script_call){ .symbol = unit->symbol,
                                             .period_us = unit->period_us,
                                             .now_us = unit->now_us,
                                             .whole = unit->whole,
                                             .as_of_us = PT_MISSING };
        if (job->script->vm && job->script->declaration.market != !*unit->symbol)
            fail_job(job, *unit->symbol ? "is about the whole market, not about one symbol"
                                        : "is about one symbol, not about the whole market");
        bool some = pt_doc_child(&entry, "params", &given);
        if (pt_params_read(&job->script->declaration, some ? &given : NULL, &job->call.params,
                           &fault) != PT_OK)
            fail_job(job, fault.text);
    }
    return unit->n == n ? PT_OK : pt_fail(err, PT_EINVAL, "run: scripts must hold documents");
}

static int64_t budget_of(const struct unit *unit)
{
    return unit->self->call_budget_us * (*unit->symbol ? 1 : PT_MARKET_BUDGET);
}

/* Rows that the scripts want; the longest window decides what is read. */
static size_t size_jobs(struct unit *unit)
{
    size_t most = 0;
    bool armed = false;
    for (size_t i = 0; i < unit->n; i++) {
        struct job *job = &unit->jobs[i];
        if (job->failed) continue;
        note(unit->self, PT_PHASE_RUN, i);
        /* most scripts need no call here, and one disarming ends what was armed for the others */
        if (pt_lua_script_sizes_itself(job->script)) {
            pt_guard_arm(budget_of(unit));
            armed = true;
        }
        if (pt_lua_script_size(job->script, &job->call) != PT_OK) {
            job->failed = true;
            job->fault = job->script->fault;
        }
        bool own = pt_own_window_wanted(&job->script->declaration);
        if (!job->failed && !own && job->call.rows > most) most = job->call.rows;
    }
    if (armed) pt_guard_disarm();
    return most;
}

static enum pt_code read_bars(struct unit *unit, size_t rows, struct pt_err *err)
{
    struct pt_session *self = unit->self;
    uint32_t asked = 0, benchmark_asked = 0;
    for (size_t i = 0; i < unit->n; i++) {
        /* what is not known yet: one reading of all is cheaper than one of each */
        uint32_t known = unit->jobs[i].script->asked;
        if (pt_own_window_wanted(&unit->jobs[i].script->declaration)) continue;
        if (unit->jobs[i].script->declaration.span) asked |= known ? known : PT_COLUMNS_ALL;
        benchmark_asked |= unit->jobs[i].script->benchmark_asked;
    }
    int64_t from_us = unit->close_us - (int64_t)rows * unit->period_us;
    enum pt_code rc =
        pt_store_columns_open(&self->columns, unit->read, unit->symbol, unit->period_us, from_us,
                              unit->close_us, self->benchmark, asked, err);
    self->columns.benchmark_mask = benchmark_asked;
    int64_t stored_us = self->columns.bars.period_us;
    if (stored_us != unit->period_us) unit->derived_us = stored_us;
    return rc;
}

/* The books of the unit, for all scripts that need some. */
static void read_books(struct unit *unit)
{
    int64_t span_us = 0;
    struct pt_err err;
    for (size_t i = 0; i < unit->n; i++) {
        int64_t books_us = unit->jobs[i].script->declaration.books_us;
        if (books_us > span_us) span_us = books_us;
    }
    if (span_us == 0 || pt_own_window_books(&unit->self->own, unit->read, unit->symbol,
                                            unit->as_of_us, span_us, &err) == PT_OK)
        return;
    for (size_t i = 0; i < unit->n; i++) {
        struct job *job = &unit->jobs[i];
        if (job->script->declaration.books_us > 0 && !job->failed) fail_job(job, err.text);
    }
}

/* Reading is not the script's time; for ever it may not take either (pt_job_allowance_us). */
static void leave_scripts(struct unit *unit)
{
    pt_guard_disarm();
    note(unit->self, PT_PHASE_IDLE, 0);
}

/* The market as this script sees it: windows of other lengths may hold other symbols. */
static void open_market(struct unit *unit, struct job *job)
{
    struct pt_store_market *market = &unit->self->market;
    struct pt_err err;
    if (job->failed || unit->close_us == PT_MISSING) return;
    leave_scripts(unit);
    enum pt_code rc = pt_store_market_open(market, unit->period_us, unit->close_us, job->call.rows,
                                           unit->self->benchmark, unit->benchmark, &err);
    if (rc != PT_OK) fail_job(job, err.text);
    job->call.market = &market->market;
    unit->derived_us = market->derived_us;
}

/* The window of a script that does not look at the unit's bars; of one that has failed it says the
 * as_of. */
static void open_own(struct unit *unit, struct job *job)
{
    struct pt_own_window *own = &unit->self->own;
    struct pt_err err;
    leave_scripts(unit);
    enum pt_code rc = pt_own_window_open(own, unit->read, job->script, unit->close_us,
                                         unit->self->benchmark, &job->call, &err);
    if (rc != PT_OK && !job->failed) fail_job(job, err.text);
}

/* Leaves the timer armed: the next script arms it anew, after the last one it is disarmed. */
static void run_job(struct unit *unit, size_t i)
{
    struct pt_session *self = unit->self;
    struct job *job = &unit->jobs[i];
    bool own = pt_own_window_wanted(&job->script->declaration);
    struct pt_store_columns *read = own ? &self->own.columns : &self->columns;
    struct pt_columns *columns = &read->columns, *aligned = &read->aligned;
    if (!*unit->symbol) open_market(unit, job);
    job->call.as_of_us = unit->close_us;
    job->call.derived_us = unit->derived_us;
    job->call.columns = columns;
    job->call.metrics = unit->metrics;
    job->call.nmetrics = i;
    if (own) open_own(unit, job);
    note(self, PT_PHASE_RUN, i);
    int64_t start_us = pt_mono_us();
    pt_guard_arm(budget_of(unit));
    columns->asked = aligned->asked = 0;
    if (job->failed)
        job->doc = pt_lua_script_failed(job->script, &job->call, &job->fault);
    else
        job->doc = pt_lua_script_run(job->script, &job->call);
    job->script->asked |= columns->asked;
    job->script->benchmark_asked |= aligned->asked;
    job->elapsed_us = pt_mono_us() - start_us;
    unit->metrics[i] = (struct pt_metric){ job->script->declaration.name, job->doc };
}

/* What the author of the last script wants to know of its call. */
static enum pt_code inspect(struct unit *unit, struct pt_err *err)
{
    struct job *job = &unit->jobs[unit->n - 1];
    const char *status = "";
    pt_doc_text(job->doc, "status", &status);
    bool failed = strcmp(status, "error") == 0;
    /* of a script that looks at books it is set where there is no bar at all */
    if (job->failed || job->call.as_of_us == PT_MISSING) return PT_OK;
    pt_guard_arm(PT_INSPECT_BUDGETS * budget_of(unit));
    if (failed) return pt_inspect_error(job->script, &job->call, job->doc, err);
    return unit->inspect == PT_INSPECT_PROFILE && strcmp(status, "warming") != 0
               ? pt_inspect_profile(job->script, &job->call, job->doc, err)
               : PT_OK;
}

static enum pt_code run_unit(struct unit *unit, struct pt_err *err)
{
    struct pt_session *self = unit->self;
    size_t rows = size_jobs(unit);
    note(self, PT_PHASE_IDLE, 0); /* should the store end us now, no script is to blame */
    enum pt_code rc = pt_read_begin(self->store, &unit->read, err);
    if (rc == PT_OK && !*unit->symbol)
        rc = pt_store_market_find(&self->market, unit->read, unit->period_us, unit->as_of_us,
                                  &unit->close_us, err);
    else if (rc == PT_OK)
        rc = pt_bars_last_close(unit->read, unit->symbol, unit->period_us, unit->as_of_us,
                                &unit->close_us, err);
    if (rc == PT_OK && *unit->symbol && unit->close_us != PT_MISSING) {
        rc = read_bars(unit, rows, err);
        if (rc != PT_OK) { /* the unit's bars cannot be read: each result says so */
            for (size_t i = 0; i < unit->n; i++) {
                if (!unit->jobs[i].failed) fail_job(&unit->jobs[i], err->text);
            }
            rc = PT_OK;
        }
    }
    if (rc == PT_OK && *unit->symbol) read_books(unit);
    for (size_t i = 0; i < unit->n && rc == PT_OK; i++) {
        run_job(unit, i);
        if (!unit->jobs[i].doc)
            rc =
                pt_fail(err, PT_ENOMEM, "%s: no memory for its result", unit->jobs[i].script->file);
    }
    if (rc == PT_OK && unit->inspect != PT_INSPECT_NONE && unit->n > 0) rc = inspect(unit, err);
    pt_guard_disarm();
    note(self, PT_PHASE_IDLE, 0);
    return rc;
}

static enum pt_code append_results(const struct unit *unit, bson_t *reply, struct pt_err *err)
{
    bson_t list, out;
    bool good = bson_append_utf8(reply, "op", -1, "done", -1) &&
                bson_append_int64(reply, "id", -1, unit->id) &&
                bson_append_array_begin(reply, "results", -1, &list);
    for (size_t i = 0; i < unit->n && good; i++) {
        char index[24];
        const struct job *job = &unit->jobs[i];
        snprintf(index, sizeof index, "%zu", i);
        good = bson_append_document_begin(&list, index, -1, &out) &&
               bson_append_utf8(&out, "name", -1, job->script->declaration.name, -1) &&
               bson_append_int64(&out, "elapsed_us", -1, job->elapsed_us) &&
               bson_append_document(&out, "doc", -1, job->doc) &&
               bson_append_document_end(&list, &out);
    }
    good = good && bson_append_array_end(reply, &list);
    return good ? PT_OK : pt_fail(err, PT_ENOMEM, "results of a unit");
}

enum pt_code pt_session_run(struct pt_session *self, const bson_t *request, bson_t *reply,
                            struct pt_err *err)
{
    struct unit unit = { .self = self, .close_us = PT_MISSING };
    enum pt_code rc = self->store ? take_unit(&unit, request, err)
                                  : pt_fail(err, PT_EINVAL, "run: the worker has no store");
    if (rc == PT_OK) rc = run_unit(&unit, err);
    if (rc == PT_OK) rc = append_results(&unit, reply, err);
    for (size_t i = 0; i < unit.n; i++) {
        if (unit.jobs[i].doc) bson_destroy(unit.jobs[i].doc);
    }
    pt_store_columns_done(&self->columns);
    pt_own_window_done(&self->own);
    pt_store_market_done(&self->market);
    pt_read_end(unit.read);
    free(unit.jobs);
    free(unit.metrics);
    return rc;
}
