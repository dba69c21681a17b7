/* check.c - the order in which a script is run against itself.                 [layer: bindings]
 *
 * Markets A, B, ... in three rounds:
 *   apart     each in a fresh VM, interpreted, shown 400 years later under another name
 *   forward   A, B, ... in one VM, compiled, shown as they are
 *   backward  ..., B, A in the same VM, later and renamed too, with the bars around their windows
 * A pure script gives three times the same. Where it does not, pt_check_explain runs the market
 * anew in one way after the other to say what it depends on. Around the calls of the used VM its
 * variables are compared, which finds what is kept although no result shows it yet. */
#include "bindings/check_run.h"

#include "base/clock.h"
#include "bindings/check_compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define CHANGES_MAX 4
#define FAILED_MAX 3 /* a script that fails on so many markets fails on the others too */
#define WORDS_MAX 16 /* other values of parameters that are tried */

/* A call in the used VM, and what it left behind. */
static bson_t *used_call(struct pt_checking *c, const struct pt_check_run *run, unsigned show)
{
    struct pt_change changes[CHANGES_MAX], coroutine;
    uint32_t restarts = c->used.restarts;
    bool look = !c->kept && pt_state_take(&c->used, &c->before) == PT_OK;
    bson_t *doc = pt_check_call(c, &c->used, run, show);
    if (!doc || !look || c->kept) return doc;
    if (c->used.restarts != restarts) {
        c->kept = true;
        if (!pt_check_failed(c, run, doc))
            pt_check_add(c, c->script->file, pt_check_line(c),
                         "it holds more than a quarter of its memory after a call (on \"%s\"): "
                         "nothing may be kept between two calls",
                         run->market.name);
        return doc;
    }
    if (pt_state_take(&c->used, &c->after) != PT_OK || c->after.full || c->before.full) {
        c->kept = true;
        pt_check_add(c, c->script->file, pt_check_line(c),
                     "its variables hold more than %d values, too many to look whether they "
                     "change: keep large tables out of a script",
                     PT_STATE_MAX);
        return doc;
    }
    size_t n = pt_state_compare(&c->before, &c->after, changes, CHANGES_MAX);
    for (size_t i = 0; i < n; i++) pt_check_kept(c, run, show, &changes[i]);
    if (n == 0 && pt_state_coroutine(&c->after, &coroutine)) {
        pt_check_coroutine(c, &coroutine);
        n = 1;
    }
    c->kept = n > 0;
    return doc;
}

static void run_all(struct pt_checking *c)
{
    const unsigned later = PT_SHOW_LATER | PT_SHOW_RENAMED;
    size_t failed = 0;
    for (size_t i = 0; i < c->nruns; i++) {
        struct pt_check_run *run = &c->runs[i];
        if (failed < FAILED_MAX) run->apart = pt_check_call_fresh(c, run, later, true);
        run->failed = !run->apart || pt_check_failed(c, run, run->apart);
        failed += run->failed;
    }
    for (size_t i = 0; i < c->nruns; i++) {
        struct pt_check_run *run = &c->runs[i];
        if (!run->failed) run->forward = used_call(c, run, 0);
        if (run->forward && pt_check_failed(c, run, run->forward)) run->failed = true;
    }
    for (size_t i = c->nruns; i-- > 0;) {
        struct pt_check_run *run = &c->runs[i];
        if (!run->failed) run->backward = used_call(c, run, later | PT_SHOW_OUTSIDE);
        if (run->backward && pt_check_failed(c, run, run->backward)) run->failed = true;
    }
}

static void compare_all(struct pt_checking *c)
{
    for (size_t i = 0; i < c->nruns && !c->over; i++) {
        const struct pt_check_run *run = &c->runs[i];
        if (!run->apart || !run->forward || !run->backward) continue;
        if (!pt_results_same(run->apart, run->forward) ||
            !pt_results_same(run->forward, run->backward))
            pt_check_explain(c, run);
    }
}

static bool is_number(const struct pt_param *param)
{
    return param->type == PT_PARAM_INT || param->type == PT_PARAM_NUMBER;
}

static bool is_error(const bson_t *doc)
{
    const char *status = "";
    pt_doc_text(doc, "status", &status);
    return strcmp(status, "error") == 0;
}

/* One market with a parameter at another of its values. */
static void run_with(struct pt_checking *c, size_t param, double value, const char *word)
{
    struct pt_check_run *run = &c->runs[0];
    bson_t *apart = run->apart, *forward = run->forward, *backward = run->backward;
    double usual = c->params.v[param];
    c->params.v[param] = value;
    c->params.defaults = false;
    snprintf(c->with, sizeof c->with, ", %.24s=%.24s", c->script->declaration.params[param].name,
             word);
    run->apart = pt_check_call_fresh(c, run, PT_SHOW_LATER | PT_SHOW_RENAMED, true);
    run->forward = used_call(c, run, 0);
    run->backward = NULL;
    /* a bound may be refused beside what the other parameters are; a word stands for itself */
    bool refused =
        is_number(&c->script->declaration.params[param]) && run->forward && is_error(run->forward);
    if (run->apart && run->forward && !refused && !pt_check_failed(c, run, run->forward) &&
        !pt_check_failed(c, run, run->apart) && !pt_results_same(run->apart, run->forward))
        pt_check_explain(c, run);
    bson_destroy(run->apart);
    bson_destroy(run->forward);
    run->apart = apart;
    run->forward = forward;
    run->backward = backward;
    c->params.v[param] = usual;
    c->params.defaults = true;
    *c->with = '\0';
}

/* The least or the largest number that a parameter may be, when it has such a bound. */
static unsigned run_bound(struct pt_checking *c, size_t param, double bound)
{
    char word[32];
    if (!isfinite(bound) || bound == c->params.v[param] || c->over) return 0;
    /* a script that fills its time with what it is by default is not refused for its bounds */
    if (pt_cpu_us() - c->start_us > pt_check_file_us(c) / 2) {
        pt_check_note(c, "half of its time was used: bounds of numbers were not all tried");
        return 0;
    }
    snprintf(word, sizeof word, "%.15g", bound);
    run_with(c, param, bound, word);
    return 1;
}

/* A way of computing that only another word, side or bound of a parameter chooses has to be pure
 * too. */
static void run_words(struct pt_checking *c)
{
    const struct pt_declaration *d = &c->script->declaration;
    unsigned tried = 0;
    for (size_t i = 0; i < d->nparams && c->nruns > 0 && !c->runs[0].failed; i++) {
        const struct pt_param *param = &d->params[i];
        if (param->type == PT_PARAM_BOOL) {
            run_with(c, i, param->fallback == 0 ? 1 : 0, param->fallback == 0 ? "true" : "false");
            tried++;
        }
        if (is_number(param)) {
            tried += run_bound(c, i, param->min);
            if (param->max > param->min) tried += run_bound(c, i, param->max);
        }
        for (size_t k = 0; param->type == PT_PARAM_ENUM && k < param->nwords; k++) {
            if ((double)k == param->fallback) continue;
            if (tried++ == WORDS_MAX) {
                pt_check_note(c, "parameters have more than %d words: the others were not tried",
                              WORDS_MAX);
                return;
            }
            run_with(c, i, (double)k, param->words[k]);
        }
    }
}

enum pt_code pt_check_script(const struct pt_lua_script *script, const struct pt_check_opts *opts,
                             struct pt_check *check, struct pt_err *err)
{
    struct pt_checking c = {
        .script = script, .opts = opts, .check = check, .start_us = pt_cpu_us()
    };
    int64_t from_us = pt_mono_us();
    *check = (struct pt_check){ 0 };
    c.interpreted = *script->home;
    c.interpreted.interpret = true;
    enum pt_code rc = pt_params_read(&script->declaration, NULL, &c.params, err);
    if (rc == PT_OK && pt_lua_script_load(&c.used, script->home, script->file, script->text,
                                          script->len, script->hash) != PT_OK) {
        pt_check_add(&c, c.used.fault.file, c.used.fault.line, "it loads only sometimes: %s",
                     c.used.fault.message);
        goto out;
    }
    if (rc == PT_OK) rc = pt_check_markets_make(&c, err);
    if (rc == PT_OK) {
        run_all(&c);
        compare_all(&c);
        run_words(&c);
        if (!c.over) pt_check_outputs(&c);
    }
out:
    pt_check_runs_fini(&c);
    pt_state_fini(&c.before);
    pt_state_fini(&c.after);
    pt_lua_script_fini(&c.used);
    check->elapsed_us = pt_mono_us() - from_us;
    return rc;
}
