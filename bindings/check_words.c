/* check_words.c - what a check found, with the place and what to do.           [layer: bindings] */
#include "bindings/check_run.h"

#include "bindings/check_compare.h"
#include "bindings/check_place.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void pt_check_add(struct pt_checking *c, const char *file, int line, const char *fmt, ...)
{
    struct pt_check *check = c->check;
    struct pt_finding found = { .line = line };
    va_list args;
    va_start(args, fmt);
    vsnprintf(found.message, sizeof found.message, fmt, args);
    va_end(args);
    snprintf(found.file, sizeof found.file, "%s", file);
    for (size_t i = 0; i < check->nfindings; i++) {
        const struct pt_finding *other = &check->findings[i];
        if (other->line == line && strcmp(other->file, found.file) == 0 &&
            strcmp(other->message, found.message) == 0)
            return;
    }
    if (check->nfindings < PT_CHECK_FINDINGS) check->findings[check->nfindings++] = found;
}

void pt_check_note(struct pt_checking *c, const char *fmt, ...)
{
    struct pt_check *check = c->check;
    char note[sizeof check->notes[0]];
    va_list args;
    va_start(args, fmt);
    vsnprintf(note, sizeof note, fmt, args);
    va_end(args);
    for (size_t i = 0; i < check->nnotes; i++)
        if (strcmp(check->notes[i], note) == 0) return;
    if (check->nnotes < PT_CHECK_NOTES) memcpy(check->notes[check->nnotes++], note, sizeof note);
}

/* First and last line of the script's function. */
static void lines_of(const struct pt_checking *c, int *first, int *last)
{
    lua_State *L = c->used.vm ? c->used.vm->L : NULL;
    lua_Debug ar;
    *first = *last = 1;
    if (!L || !lua_checkstack(L, 8)) return;
    pt_declaration_function(L, c->used.declaration.run);
    if (!lua_isfunction(L, -1)) {
        lua_pop(L, 1);
    } else if (lua_getinfo(L, ">S", &ar)) {
        *first = ar.linedefined;
        *last = ar.lastlinedefined;
    }
}

int pt_check_line(const struct pt_checking *c)
{
    int first, last;
    lines_of(c, &first, &last);
    return first;
}

/* Where an output is given its value: in the function, else in a function it calls. */
static int line_of_output(const struct pt_checking *c, const char *output)
{
    const struct pt_lua_script *s = c->script;
    int first, last, line = 0;
    lines_of(c, &first, &last);
    if (*output) line = pt_place_given(s->text, s->len, first, last, output);
    if (*output && line == 0) {
        int declared = pt_place_declared(s->text, s->len, output);
        line = pt_place_given(s->text, s->len, 1, declared - 1, output);
        if (line == 0) line = pt_place_given(s->text, s->len, last + 1, INT32_MAX, output);
    }
    return line > 0 ? line : first;
}

/* Errors of outputs stand at the function; the output is given further down. */
static int line_of_error(const struct pt_checking *c, const char *message, const char *file,
                         int64_t line)
{
    char output[64];
    if (strcmp(file, c->script->file) != 0) return (int)line;
    if (sscanf(message, "output %63[a-z0-9_]", output) == 1) return line_of_output(c, output);
    return line > 0 ? (int)line : pt_check_line(c);
}

bool pt_check_failed(struct pt_checking *c, const struct pt_check_run *run, const bson_t *doc)
{
    const char *status = "", *message = "", *file = c->script->file;
    int64_t line = 0;
    pt_doc_text(doc, "status", &status);
    if (strcmp(status, "error") != 0) return false;
    pt_doc_text(doc, "metadata.error.message", &message);
    pt_doc_text(doc, "metadata.error.file", &file);
    pt_doc_int(doc, "metadata.error.line", &line);
    /* one mistake usually shows on several markets; what was kept may break any later call */
    size_t len = strlen(message) < 300 ? strlen(message) : 300;
    int at = line_of_error(c, message, file, line);
    for (size_t i = 0; i < c->check->nfindings; i++) {
        const struct pt_finding *other = &c->check->findings[i];
        if (strncmp(other->message, message, len) == 0 ||
            (other->line == at && strcmp(other->file, file) == 0))
            return true;
    }
    if (c->kept) return true;
    pt_check_add(c, file, at, "%.300s (on \"%s\"%s)%s", message, run->market.name, c->with,
                 run == c->runs ? ""
                                : ": where a number cannot be had a script gives null(\"reason\")");
    return true;
}

/* ---- what results depend on
 * ---------------------------------------------------------------------------- */

static const struct way {
    unsigned show;
    bool interpret;
    const char *words;   /* "output x ..." */
    const char *members; /* what reads it, of which the first that is there is named */
    const char *advice;
} ways[] = {
    { 0, false, "changes from one run to the next", NULL,
      "nothing may depend on addresses, memory or the collector" },
    { PT_SHOW_LATER, false, "depends on the date", "as_of time",
      "only distances in time, hour and weekday (w:hour_of_day(), w:day_of_week()) may matter" },
    { PT_SHOW_RENAMED, false, "depends on the symbol's name", "symbol symbols",
      "what differs between symbols is in their bars, or is a parameter" },
    { PT_SHOW_OUTSIDE, false, "depends on bars outside of its window", NULL,
      "a window knows nothing before its start and after as_of" },
    { 0, true, "is another one compiled than interpreted", NULL,
      "write the line in another way, and report this: it is a fault of the engine" },
    { PT_SHOW_LATER | PT_SHOW_RENAMED, true, "changes with date and name together",
      "as_of time symbol symbols", "neither may matter" },
};

/* "; w.as_of is read in line 12" */
static void reading(const struct pt_checking *c, const char *members, char out[80])
{
    char member[16];
    int n = 0;
    *out = '\0';
    for (; members && sscanf(members, "%15s%n", member, &n) == 1; members += n) {
        int line = pt_place_read(c->script->text, c->script->len, member);
        if (line == 0) continue;
        snprintf(out, 80, "; %s is read in line %d", member, line);
        return;
    }
}

static void tell(struct pt_checking *c, const struct pt_check_run *run, const char *words,
                 const char *members, const char *advice, const bson_t *a, const bson_t *b)
{
    struct pt_difference d;
    char read[80], output[112] = "the result";
    pt_results_difference(a, b, &d);
    reading(c, members, read);
    if (*d.path) snprintf(output, sizeof output, "output %s", d.path);
    /* one output on one market says it: the others differ in the same way */
    for (size_t i = 0; i < c->check->nfindings; i++) {
        const char *said = c->check->findings[i].message;
        size_t len = strlen(output);
        if (strncmp(said, output, len) == 0 && strncmp(said + len + 1, words, strlen(words)) == 0)
            return;
    }
    pt_check_add(c, c->script->file, line_of_output(c, d.output),
                 "%s %s: %s, then %s (on \"%s\"%s)%s: %s", output, words, d.a, d.b,
                 run->market.name, c->with, read, advice);
}

void pt_check_explain(struct pt_checking *c, const struct pt_check_run *run)
{
    bool any = false;
    bson_t *plain = pt_check_call_fresh(c, run, 0, false);
    for (size_t i = 0; plain && i < sizeof ways / sizeof *ways; i++) {
        const struct way *way = &ways[i];
        if (any && way->show == (PT_SHOW_LATER | PT_SHOW_RENAMED)) break; /* said already */
        bson_t *other = pt_check_call_fresh(c, run, way->show, way->interpret);
        if (other && !pt_results_same(plain, other)) {
            any = true;
            tell(c, run, way->words, way->members, way->advice, plain, other);
        }
        bson_destroy(other);
        if (any && i == 0) break; /* whatever else differs is chance */
    }
    const bson_t *used = plain && run->forward && !pt_results_same(plain, run->forward)
                             ? run->forward
                             : run->backward;
    if (plain && used && !any && !c->kept && !pt_results_same(plain, used))
        tell(c, run, "depends on the calls before", NULL, "nothing may be kept between two calls",
             plain, used);
    bson_destroy(plain);
}

/* ---- what is kept
 * ----------------------------------------------------------------------------------------- */

/* The variable's own name: of "cache.last" it is "cache". */
static void variable(const struct pt_change *change, char out[40])
{
    *out = '\0';
    for (size_t i = 0; i < change->nsteps; i++)
        if (change->steps[i].kind == PT_STEP_UPVALUE && change->steps[i].text[0])
            snprintf(out, 40, "%s", change->steps[i].text);
}

/* Where the text gives the variable a value, at best inside of the function. */
static int line_of_variable(const struct pt_checking *c, const struct pt_change *change)
{
    char name[40];
    int first, last;
    variable(change, name);
    lines_of(c, &first, &last);
    int line = *name ? pt_place_given(c->script->text, c->script->len, first, last, name) : 0;
    if (*name && line == 0)
        line = pt_place_given(c->script->text, c->script->len, 1, INT32_MAX, name);
    return line > 0 ? line : first;
}

void pt_check_kept(struct pt_checking *c, const struct pt_check_run *run, unsigned show,
                   const struct pt_change *change)
{
    struct pt_lua_script fresh = { 0 };
    struct pt_watch watch = { 0 };
    const struct pt_lua_script *s = c->script;
    const char *file = s->file;
    const struct pt_step *last = &change->steps[change->nsteps - 1];
    int line = line_of_variable(c, change);
    if (last->kind == PT_STEP_UPVALUE && !last->text[0]) { /* bits of a function of C */
        pt_check_add(c, file, line,
                     "%s holds an iterator that goes on where it stopped (on \"%s\"%s): nothing "
                     "may be kept between two calls; make it in the function",
                     change->name, run->market.name, c->with);
        return;
    }
    /* the same call again, watched: nothing was kept before it, so it does the same */
    if (!c->over &&
        pt_lua_script_load(&fresh, &c->interpreted, s->file, s->text, s->len, s->hash) == PT_OK &&
        pt_watch_start(&watch, &fresh, change) == PT_OK) {
        bson_destroy(pt_check_call(c, &fresh, run, show));
        pt_watch_stop(&watch);
        if (watch.hit && watch.line > 0) file = watch.file, line = watch.line;
    }
    pt_check_add(
        c, file, line,
        "%s holds %s after a call, %s before it (on \"%s\"%s): nothing may be kept between "
        "two calls; use a local of the function, or make it when the file loads",
        change->name, change->after.words, change->before.words, run->market.name, c->with);
    pt_lua_script_fini(&fresh);
}

void pt_check_coroutine(struct pt_checking *c, const struct pt_change *change)
{
    pt_check_add(c, c->script->file, line_of_variable(c, change),
                 "%s holds a coroutine that goes on where it stopped: nothing may be kept between "
                 "two calls; make it in the function",
                 change->name);
}

/* ---- what is not given
 * ------------------------------------------------------------------------------------ */

/* Its function was called on none of the markets: what the first of them lacked. */
static void say_not_run(struct pt_checking *c)
{
    const struct pt_check_run *run = &c->runs[0];
    const char *status = "unknown";
    int64_t rows = 0, expected = 0;
    if (run->forward) {
        pt_doc_text(run->forward, "status", &status);
        pt_doc_int(run->forward, "metadata.rows", &rows);
        pt_doc_int(run->forward, "metadata.expected", &expected);
    }
    pt_check_note(
        c,
        "its function was not run, the result is \"%s\" on all of %zu markets: \"%s\" has "
        "%lld bars in a window of %lld; is min more than the window holds?",
        status, c->nruns, run->market.name, (long long)rows, (long long)expected);
}

static bool was_computed(const struct pt_check_run *run)
{
    const char *status = "";
    if (run->forward && !run->market.bare) pt_doc_text(run->forward, "status", &status);
    return strcmp(status, "ok") == 0 || strcmp(status, "gap") == 0;
}

/* How well it was given on the market where it was given best. */
static enum pt_given best_given(const struct pt_checking *c, const char *output,
                                const char *not_finite)
{
    enum pt_given best = PT_GIVEN_NOT;
    for (size_t i = 0; i < c->nruns; i++) {
        if (!was_computed(&c->runs[i])) continue;
        enum pt_given given = pt_result_given(c->runs[i].forward, output, not_finite);
        if (given > best) best = given;
    }
    return best;
}

void pt_check_outputs(struct pt_checking *c)
{
    const struct pt_declaration *d = &c->script->declaration;
    unsigned computed = 0;
    for (size_t i = 0; i < c->nruns; i++) computed += was_computed(&c->runs[i]);
    c->check->computed = computed;
    if (computed == 0) {
        if (c->check->nfindings == 0 && c->nruns > 0) say_not_run(c);
        return;
    }
    if (d->detector) {
        if (best_given(c, "score", "missing") == PT_GIVEN) return;
        pt_check_add(c, c->script->file, line_of_output(c, "score"),
                     "the newest bar's score is NaN or infinite on all of %u markets: compute it "
                     "otherwise, or say why there is none with null(\"reason\")",
                     computed);
        return;
    }
    for (size_t k = 0; k < d->noutputs; k++) {
        const char *name = d->outputs[k].name;
        enum pt_given best = best_given(c, name, "not_finite");
        if (best == PT_GIVEN) continue;
        pt_check_add(
            c, c->script->file, pt_place_declared(c->script->text, c->script->len, name),
            best == PT_GIVEN_NOT
                ? "output %s is declared and on none of %u markets given: give it, or take "
                  "it out of outputs"
                : "output %s is NaN or infinite on all of %u markets: compute it otherwise, "
                  "or say why it is null with null(\"reason\")",
            name, computed);
    }
}
