/* inspect.c - a call looked at closely for its author.                         [layer: bindings] */
#include "bindings/inspect.h"

#include "base/clock.h"
#include "bindings/lua_fault.h"

#include <luajit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMPILED_CALLS 300
#define INTERPRETED_CALLS 100
#define PROFILE_NS 400000000 /* for each of the two, after the first call */
#define LINES_MAX 20000      /* of one file */
#define FILES_MAX 64

/* What has been compiled is forgotten, and nothing more is. */
static void interpret(struct pt_lua_script *script)
{
    luaJIT_setmode(script->vm->L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_FLUSH);
    luaJIT_setmode(script->vm->L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
}

/* ---- values at an error --------------------------------------------------------------------- */

enum pt_code pt_inspect_error(struct pt_lua_script *script, struct pt_script_call *call,
                              bson_t *doc, struct pt_err *err)
{
    bson_t locals = BSON_INITIALIZER;
    enum pt_code rc = PT_OK;
    if (!script->vm) return PT_OK;
    interpret(script);
    script->vm->locals = &locals;
    bson_t *again = pt_lua_script_run(script, call);
    if (script->vm) script->vm->locals = NULL; /* it may have been made anew, or not at all */
    if (!again || (!bson_empty(&locals) && !bson_append_document(doc, "locals", -1, &locals)))
        rc = pt_fail(err, PT_ENOMEM, "%s: values at its error", script->file);
    if (again) bson_destroy(again);
    bson_destroy(&locals);
    return rc;
}

/* ---- time by line -------------------------------------------------------------------------- */

struct line {
    uint64_t hits, ns;
};

struct file {
    const char *source; /* "@file", of the VM: the script and its libraries live as long as it */
    size_t n;
    struct line *v; /* owned, [n], by line number */
};

/* One profile at a time: a hook is given nothing of ours. */
static struct profile {
    struct file files[FILES_MAX];
    size_t nfiles;
    struct file *file; /* where the time goes now; NULL: to no line of a script */
    size_t line;
    int64_t start_ns;
    uint64_t outside_ns;
    bool lost; /* no memory */
} profile;

static struct line *line_of(struct file *file, size_t number)
{
    if (number >= LINES_MAX) return NULL;
    if (number >= file->n) {
        size_t n = 2 * number + 64;
        struct line *grown = realloc(file->v, n * sizeof *grown);
        if (!grown) return NULL;
        memset(grown + file->n, 0, (n - file->n) * sizeof *grown);
        file->v = grown;
        file->n = n;
    }
    return &file->v[number];
}

static struct file *file_of(const char *source)
{
    for (size_t i = 0; i < profile.nfiles; i++)
        if (strcmp(profile.files[i].source, source) == 0) return &profile.files[i];
    if (profile.nfiles == FILES_MAX) return NULL;
    profile.files[profile.nfiles] = (struct file){ .source = source };
    return &profile.files[profile.nfiles++];
}

static void spend(int64_t now_ns)
{
    uint64_t ns = (uint64_t)(now_ns - profile.start_ns);
    struct line *line = profile.file ? line_of(profile.file, profile.line) : NULL;
    if (line)
        line->ns += ns;
    else
        profile.outside_ns += ns;
}

static bool is_script(lua_State *L, lua_Debug *ar)
{
    return lua_getinfo(L, "Sl", ar) && ar->source[0] == '@' && ar->currentline > 0;
}

static void go_on(const lua_Debug *ar, bool entered)
{
    profile.file = file_of(ar->source);
    profile.line = (size_t)ar->currentline;
    struct line *line = profile.file ? line_of(profile.file, profile.line) : NULL;
    if (!line)
        profile.lost = true;
    else if (entered)
        line->hits++;
}

/* A line event. It also comes when the rest of a line goes on after a call: that is no new hit. */
static void enter(const lua_Debug *ar)
{
    bool rest = profile.file && profile.line == (size_t)ar->currentline &&
                strcmp(profile.file->source, ar->source) == 0;
    go_on(ar, !rest);
}

/* The time of the hook itself is nobody's: the clock stops here and goes on when it returns. */
static void on_line(lua_State *L, lua_Debug *ar)
{
    spend(pt_mono_ns());
    lua_Debug caller;
    if (ar->event == LUA_HOOKLINE) {
        if (is_script(L, ar)) enter(ar); /* else: it is the time of the line that calls it */
    } else { /* a function returns to the line that called it, perhaps through C */
        profile.file = NULL;
        for (int level = 1; lua_getstack(L, level, &caller); level++) {
            if (!is_script(L, &caller)) continue;
            go_on(&caller, false);
            break;
        }
    }
    profile.start_ns = pt_mono_ns();
}

static bool is_error(const bson_t *doc)
{
    const char *status = "";
    pt_doc_text(doc, "status", &status);
    return strcmp(status, "error") == 0;
}

/* One more call; its ns, or -1. */
static int64_t once(struct pt_lua_script *script, struct pt_script_call *call)
{
    int64_t start_ns = pt_mono_ns();
    bson_t *doc = script->vm ? pt_lua_script_run(script, call) : NULL;
    int64_t ns = pt_mono_ns() - start_ns;
    bool good = doc && !is_error(doc) && script->vm;
    if (doc) bson_destroy(doc);
    return good ? ns : -1;
}

static int by_ns(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* As it runs live: how many calls, and the median of them. */
static bool time_compiled(struct pt_lua_script *script, struct pt_script_call *call, int64_t *calls,
                          int64_t *median_ns)
{
    static int64_t ns[COMPILED_CALLS];
    int64_t spent_ns = 0;
    *calls = 0;
    while (*calls < COMPILED_CALLS && (*calls == 0 || spent_ns < PROFILE_NS)) {
        int64_t one_ns = once(script, call);
        if (one_ns < 0) return false;
        spent_ns += one_ns;
        ns[(*calls)++] = one_ns;
    }
    qsort(ns, (size_t)*calls, sizeof *ns, by_ns);
    *median_ns = ns[*calls / 2];
    return true;
}

static bool time_lines(struct pt_lua_script *script, struct pt_script_call *call, int64_t *calls)
{
    int64_t until_ns = pt_mono_ns() + PROFILE_NS;
    const lua_State *was = script->vm->L;
    *calls = 0;
    interpret(script);
    while (*calls < INTERPRETED_CALLS && (*calls == 0 || pt_mono_ns() < until_ns)) {
        profile.file = NULL;
        profile.start_ns = pt_mono_ns();
        lua_sethook(script->vm->L, on_line, LUA_MASKLINE | LUA_MASKRET, 0);
        int64_t one_ns = once(script, call);
        if (one_ns < 0) return false;
        if (script->vm->L != was) { /* a VM made anew has no hook, and the lines' names are gone */
            pt_lua_fault_set(&script->fault, "it keeps too much memory between two calls");
            return false;
        }
        spend(pt_mono_ns());
        lua_sethook(script->vm->L, NULL, 0, 0);
        ++*calls;
    }
    return true;
}

static bool append_times(bson_t *out, const char *key, int64_t calls, const char *what, int64_t ns)
{
    bson_t child;
    return bson_append_document_begin(out, key, -1, &child) &&
           bson_append_int64(&child, "calls", -1, calls) &&
           bson_append_int64(&child, what, -1, ns) && bson_append_document_end(out, &child);
}

static bool append_lines(bson_t *out, int64_t calls, uint64_t *sum_ns)
{
    bson_t list, item;
    unsigned k = 0;
    bool good = bson_append_array_begin(out, "lines", -1, &list);
    for (size_t f = 0; f < profile.nfiles; f++) {
        const struct file *file = &profile.files[f];
        for (size_t i = 0; good && i < file->n; i++) {
            char index[16];
            if (file->v[i].hits == 0 && file->v[i].ns == 0) continue;
            *sum_ns += file->v[i].ns;
            snprintf(index, sizeof index, "%u", k++);
            good = bson_append_document_begin(&list, index, -1, &item) &&
                   bson_append_utf8(&item, "file", -1, file->source + 1, -1) &&
                   bson_append_int64(&item, "line", -1, (int64_t)i) &&
                   bson_append_double(&item, "hits", -1, (double)file->v[i].hits / (double)calls) &&
                   bson_append_double(&item, "ns", -1, (double)file->v[i].ns / (double)calls) &&
                   bson_append_document_end(&list, &item);
        }
    }
    return good && bson_append_array_end(out, &list);
}

/* Why there is none, which is an answer too. */
static bool append_refusal(const struct pt_lua_script *script, bson_t *out)
{
    struct pt_lua_fault words = script->fault;
    if (!*words.message) pt_lua_fault_set(&words, "no memory");
    return bson_append_utf8(out, "error", -1, words.message, -1);
}

static bool append_profile(struct pt_lua_script *script, struct pt_script_call *call, bson_t *out)
{
    int64_t calls = 0, median_ns = 0, interpreted = 0;
    uint64_t sum_ns = 0;
    if (!time_compiled(script, call, &calls, &median_ns) ||
        !time_lines(script, call, &interpreted) || profile.lost)
        return append_refusal(script, out);
    bool good = append_times(out, "compiled", calls, "median_ns", median_ns) &&
                append_lines(out, interpreted, &sum_ns);
    sum_ns = (sum_ns + profile.outside_ns) / (uint64_t)interpreted;
    return good && append_times(out, "interpreted", interpreted, "ns", (int64_t)sum_ns) &&
           bson_append_double(out, "outside_ns", -1,
                              (double)profile.outside_ns / (double)interpreted);
}

enum pt_code pt_inspect_profile(struct pt_lua_script *script, struct pt_script_call *call,
                                bson_t *doc, struct pt_err *err)
{
    bson_t out = BSON_INITIALIZER;
    memset(&profile, 0, sizeof profile);
    bool good =
        append_profile(script, call, &out) && bson_append_document(doc, "profile", -1, &out);
    for (size_t i = 0; i < profile.nfiles; i++) free(profile.files[i].v);
    bson_destroy(&out);
    return good ? PT_OK : pt_fail(err, PT_ENOMEM, "%s: profile", script->file);
}
