/* script_check.c - asking a worker whether a script is pure.                   [layer: flow] */
#include "flow/script_check.h"

#include "flow/loop.h"
#include "flow/places.h"
#include "flow/registry.h"
#include "flow/worker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN_US 2000000
#define TRIES_MAX 64 /* scripts of the configuration that end the worker, one after the other */

/* One worker's go at the file. */
struct asking {
    struct pt_loop *loop;
    struct pt_registry *registry; /* candidate 0 is the file */
    size_t *index, n;
    struct pt_worker *worker;
    bson_t *answer; /* owned: what it said of the file */
    bool answered, again;
    struct pt_death death;
    enum pt_code rc;
    struct pt_err err;
};

static bool first_entry(const bson_t *doc, bson_t *entry)
{
    return pt_doc_child(doc, "scripts.0", entry);
}

static void on_message(void *arg, struct pt_worker *worker, const bson_t *doc)
{
    struct asking *asking = arg;
    bson_t entry;
    bool news;
    asking->rc =
        pt_registry_loaded(asking->registry, asking->index, asking->n, doc, &news, &asking->err);
    if (asking->rc == PT_OK && first_entry(doc, &entry)) asking->answer = bson_copy(&entry);
    if (asking->rc == PT_OK && !asking->answer)
        asking->rc = pt_fail(&asking->err, PT_ENOMEM, "the answer of a worker");
    asking->answered = true;
    pt_worker_leave(worker);
}

static void on_gone(void *arg, struct pt_worker *worker, const struct pt_death *death)
{
    struct asking *asking = arg;
    asking->death = *death;
    pt_worker_free(worker);
    asking->worker = NULL;
    pt_loop_stop(asking->loop);
    if (asking->answered) return;
    bool blamed = death->phase == PT_PHASE_LOAD && death->script < asking->n && !death->outside;
    if (!blamed) {
        asking->rc = pt_fail(&asking->err, PT_EIO, "the worker %s before it had checked anything",
                             death->words);
    } else if (death->script > 0) { /* another script's fault: without it, then */
        pt_registry_fail(&asking->registry->v[asking->index[death->script]], "%s", death->words);
        asking->again = true;
    }
}

static enum pt_code ask(struct asking *asking, const struct pt_conf *conf, const char *path,
                        const char *store, struct pt_err *err)
{
    static const struct pt_worker_events events = { on_message, on_gone };
    const struct pt_load_params params = {
        .store = store,
        .benchmark = pt_conf_text(conf, "cycle", "benchmark"),
        .call_budget_us = pt_conf_int(conf, "scripts", "call_budget"),
        .load_budget_us = pt_conf_int(conf, "scripts", "load_budget"),
        .memory_bytes = pt_conf_int(conf, "scripts", "memory"),
    };
    bson_t request = BSON_INITIALIZER;
    size_t checks = 0;
    asking->again = false;
    asking->rc = PT_OK;
    enum pt_code rc = pt_registry_message(asking->registry, &params, &request, asking->index,
                                          &asking->n, &checks, err);
    if (rc == PT_OK)
        rc = pt_worker_start(pt_loop_base(asking->loop), path, &events, asking, &asking->worker,
                             err);
    if (rc == PT_OK) rc = pt_worker_send(asking->worker, &request, err);
    bson_destroy(&request);
    if (rc == PT_OK) {
        /* loading each, then checking the file */
        pt_worker_deadline(asking->worker,
                           (int64_t)(asking->n + 1) * params.load_budget_us + MARGIN_US);
        while (rc == PT_OK && asking->worker) rc = pt_loop_run(asking->loop, err);
    }
    pt_worker_free(asking->worker);
    asking->worker = NULL;
    if (rc == PT_OK && asking->rc != PT_OK) {
        *err = asking->err;
        rc = asking->rc;
    }
    return rc;
}

/* ---- the report
 * ---------------------------------------------------------------------------------------------- */

/* The line of a text that holds the words; 0. */
static int line_of(const char *text, const char *words)
{
    const char *at = strstr(text, words);
    int line = 1;
    if (!at) return 0;
    for (const char *c = text; c < at; c++) line += *c == '\n';
    return line;
}

static bool append_finding(bson_t *list, unsigned i, const char *message, const char *file,
                           int64_t line)
{
    bson_t item;
    char key[24];
    snprintf(key, sizeof key, "%u", i);
    return bson_append_document_begin(list, key, -1, &item) &&
           bson_append_utf8(&item, "message", -1, message, -1) &&
           bson_append_utf8(&item, "file", -1, file, -1) &&
           (line <= 0 || bson_append_int64(&item, "line", -1, line)) &&
           bson_append_document_end(list, &item);
}

/* A worker that died, an error of loading, what the check found, needs that nobody meets. */
static bool append_findings(const struct asking *asking, const struct pt_conf *conf, bson_t *report)
{
    const struct pt_candidate *candidate = &asking->registry->v[0];
    const char *file = candidate->source->file;
    bson_t list, found;
    char words[512];
    bool good = true;
    if (asking->answer && pt_doc_child(asking->answer, "findings", &found))
        return bson_append_array(report, "findings", -1, &found);
    if (!bson_append_array_begin(report, "findings", -1, &list)) return false;
    if (!asking->answer) {
        pt_death_load_words(&asking->death, pt_conf_int(conf, "scripts", "load_budget"),
                            pt_conf_int(conf, "scripts", "call_budget"), words, sizeof words);
        good = append_finding(&list, 0, words, file, asking->death.line);
    } else if (candidate->failed) {
        const char *need = strchr(candidate->message, '\'');
        int line = candidate->error_line;
        if (line == 0 && need) { /* "needs the metric 'x'" */
            snprintf(words, sizeof words, "\"%.*s\"", (int)strcspn(need + 1, "'"), need + 1);
            line = line_of(candidate->source->text, words);
        }
        good = append_finding(&list, 0, candidate->message,
                              *candidate->error_file ? candidate->error_file : file, line);
    }
    return good && bson_append_array_end(report, &list);
}

static bool append_figures(const bson_t *answer, bson_t *report)
{
    static const char *const figures[] = { "markets", "calls", "computed", "elapsed_us",
                                           "slowest_us" };
    bson_t checked, notes = BSON_INITIALIZER;
    int64_t x;
    bool some = answer && pt_doc_child(answer, "checked", &checked), good = true;
    for (size_t i = 0; some && i < sizeof figures / sizeof *figures && good; i++)
        good =
            !pt_doc_int(&checked, figures[i], &x) || bson_append_int64(report, figures[i], -1, x);
    if (some) pt_doc_child(&checked, "notes", &notes);
    return good && bson_append_array(report, "notes", -1, &notes);
}

static enum pt_code make_report(const struct asking *asking, const struct pt_conf *conf,
                                bson_t **report, struct pt_err *err)
{
    const struct pt_candidate *candidate = &asking->registry->v[0];
    char name[PT_SCRIPT_NAME_MAX];
    const char *kind = "", *text;
    pt_candidate_name(candidate, name);
    if (asking->answer && pt_doc_text(asking->answer, "checked.name", &text))
        snprintf(name, sizeof name, "%s", text);
    if (candidate->declaration) pt_doc_text(candidate->declaration, "kind", &kind);
    if (asking->answer) pt_doc_text(asking->answer, "checked.kind", &kind);
    *report = bson_new();
    if (*report && bson_append_utf8(*report, "file", -1, candidate->source->file, -1) &&
        bson_append_utf8(*report, "name", -1, name, -1) &&
        bson_append_utf8(*report, "kind", -1, kind, -1) && append_findings(asking, conf, *report) &&
        append_figures(asking->answer, *report))
        return PT_OK;
    bson_destroy(*report); /* accepts NULL */
    *report = NULL;
    return pt_fail(err, PT_ENOMEM, "report on %s", candidate->source->file);
}

/* ---- the whole
 * -----------------------------------------------------------------------------------------------
 */

/* *missing: it needs a metric that nobody here gives. */
static enum pt_code check_once(struct pt_loop *loop, const struct pt_conf *conf, const char *path,
                               struct pt_sources *sources, const char *store, bson_t **report,
                               bool *missing, struct pt_err *err)
{
    struct pt_registry registry;
    struct asking asking = { .loop = loop, .registry = &registry };
    bool again;
    enum pt_code rc = pt_registry_init(&registry, sources, err);
    if (rc != PT_OK) goto out;
    asking.index = calloc(registry.n, sizeof *asking.index);
    if (!asking.index) {
        rc = pt_fail(err, PT_ENOMEM, "scripts to check");
        goto out;
    }
    registry.v[0].check = true;
    for (unsigned tries = 0; rc == PT_OK && tries < TRIES_MAX; tries++) {
        rc = ask(&asking, conf, path, store, err);
        if (!asking.again) break;
    }
    bool loads = rc == PT_OK && !registry.v[0].failed;
    if (loads) rc = pt_registry_check(&registry, conf, &again, err);
    *missing = loads && rc == PT_OK && registry.v[0].failed;
    if (rc == PT_OK) rc = make_report(&asking, conf, report, err);
out:
    if (asking.answer) bson_destroy(asking.answer);
    free(asking.index);
    pt_registry_fini(&registry);
    return rc;
}

enum pt_code pt_script_check(struct pt_loop *loop, const struct pt_conf *conf, const char *file,
                             const char *root, const char *store, bson_t **report,
                             struct pt_err *err)
{
    char path[PATH_MAX];
    bool missing = true;
    enum pt_code rc = pt_place_worker(conf, path, err);
    *report = NULL;
    /* first with the root's libraries only: its other scripts may be as they like */
    for (int all = 0; all <= (root ? 1 : 0) && rc == PT_OK && missing; all++) {
        struct pt_sources sources = { 0 };
        missing = false;
        if (*report) bson_destroy(*report);
        *report = NULL;
        rc = pt_sources_read(conf, &sources, err);
        if (rc == PT_OK && root) rc = pt_sources_add_root(&sources, root, all == 0, err);
        if (rc == PT_OK) rc = pt_sources_add(&sources, file, err);
        if (rc == PT_OK) rc = check_once(loop, conf, path, &sources, store, report, &missing, err);
        pt_sources_fini(&sources);
    }
    return rc;
}
