/* fake_worker.c - speaks data/unit.h like petrosa-worker, and misbehaves as its scripts order.
 *
 * A script is lines of `word arguments`:
 *     check fail|crash|budget (when it is asked to be checked; at line 7)
 *     edits FILE (while it is loaded)
 *     spoil HOW (those that need it run so; spoils SYMBOL: only there) | bad PARAM N (with that
 * value it fails) offset N (added to the value) | lend N (to the value of those that need it) |
 *     unless FILE: behaves as long as FILE is there
 *     name N | kind K | every 1h 1d | market | needs a b | param NAME int DEFAULT MIN MAX | once
 * FILE load ok|crash|hang|exit|alarm|budget|fail|rubbish|stop|slow MS   run
 * value|crash|hang|alarm|exit|rubbish|wrong|fail|slow MS| lost (crashes without having said
 * where)|close|outside `once FILE`: only the first time; FILE is made to remember it. `second
 * FILE`: only the second time.
 *
 * A detector (kind anomaly) also has `of market|data_quality` and `hits N`: the bars whose number N
 * divides are hits, with the offset as their score; `window N`: so many bars has a whole one. */
#include "base/timefmt.h"
#include "data/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define SCRIPTS_MAX 64
#define LINE_MAX_BYTES 200

struct script {
    char name[PT_SCRIPT_NAME_MAX], text[4096], file[512], hash[PT_HASH_TEXT_MAX];
};

static struct pt_worker_status *status;
static struct script scripts[SCRIPTS_MAX];
static size_t nscripts;
static int64_t runs; /* of this process */

/* The k-th line that begins with `word`, without it; false when there is none. */
static bool line_of(const char *text, const char *word, int k, char out[LINE_MAX_BYTES])
{
    size_t len = strlen(word);
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        if (strncmp(line, word, len) != 0 || (line[len] != ' ' && line[len] != '\n') || k-- > 0)
            continue;
        line += len + (line[len] == ' ');
        snprintf(out, LINE_MAX_BYTES, "%.*s", (int)strcspn(line, "\n"), line);
        return true;
    }
    return false;
}

/* How often this was asked; the length of FILE remembers it. */
static long times_before(const char *file)
{
    int fd = open(file, O_CREAT | O_WRONLY | O_APPEND, 0600);
    off_t len = lseek(fd, 0, SEEK_END);
    ssize_t n = write(fd, "x", 1);
    (void)n;
    close(fd);
    return (long)len;
}

static bool armed(const char *text)
{
    char file[LINE_MAX_BYTES];
    if (line_of(text, "unless", 0, file) && access(file, F_OK) == 0) return false;
    if (line_of(text, "second", 0, file)) return times_before(file) == 1;
    if (!line_of(text, "once", 0, file)) return true;
    return access(file, F_OK) != 0 && times_before(file) == 0;
}

static void die(int number)
{
    signal(number, SIG_DFL);
    raise(number);
}

/* The ways to go wrong that load and run share. */
static void misbehave(const char *how)
{
    if (strncmp(how, "slow ", 5) == 0) usleep((useconds_t)atoi(how + 5) * 1000u);
    if (strcmp(how, "crash") == 0) die(SIGSEGV);
    if (strcmp(how, "alarm") == 0) die(SIGALRM);
    if (strcmp(how, "budget") == 0) die(SIGPROF);
    if (strcmp(how, "sys") == 0) die(SIGSYS);
    if (strcmp(how, "outside") == 0) die(SIGKILL);
    if (strcmp(how, "exit") == 0) _exit(7);
    if (strcmp(how, "stop") == 0) raise(SIGSTOP); /* and goes on when it is told to */
    if (strcmp(how, "hang") == 0)
        for (;;) pause();
    if (strcmp(how, "lost") == 0) {
        status->phase = PT_PHASE_IDLE;
        die(SIGSEGV);
    }
    if (strcmp(how, "close") == 0) {
        close(PT_WORKER_SOCKET_FD);
        for (;;) pause();
    }
    if (strcmp(how, "rubbish") == 0) {
        static const char bytes[] = "this is no document at all";
        ssize_t n = write(PT_WORKER_SOCKET_FD, bytes, sizeof bytes);
        (void)n;
        for (;;) pause();
    }
}

static void append_words(bson_t *out, const char *key, const char *words)
{
    char copy[LINE_MAX_BYTES], index[24];
    bson_t list;
    unsigned k = 0;
    snprintf(copy, sizeof copy, "%s", words);
    bson_append_array_begin(out, key, -1, &list);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        snprintf(index, sizeof index, "%u", k++);
        bson_append_utf8(&list, index, -1, word, -1);
    }
    bson_append_array_end(out, &list);
}

static void append_params(bson_t *out, const char *text)
{
    char line[LINE_MAX_BYTES], index[24], name[40], type[20];
    bson_t list, entry;
    bson_append_array_begin(out, "params", -1, &list);
    for (int k = 0; line_of(text, "param", k, line); k++) {
        long fallback = 0, min = 0, max = 0;
        if (sscanf(line, "%39s %19s %ld %ld %ld", name, type, &fallback, &min, &max) < 3) continue;
        snprintf(index, sizeof index, "%d", k);
        bson_append_document_begin(&list, index, -1, &entry);
        bson_append_utf8(&entry, "name", -1, name, -1);
        bson_append_utf8(&entry, "type", -1, type, -1);
        if (strcmp(type, "number") == 0)
            bson_append_double(&entry, "default", -1, (double)fallback);
        else if (strcmp(type, "bool") == 0)
            bson_append_bool(&entry, "default", -1, fallback != 0);
        else
            bson_append_int64(&entry, "default", -1, fallback);
        if (max > min) {
            bson_append_int64(&entry, "min", -1, min);
            bson_append_int64(&entry, "max", -1, max);
        }
        bson_append_utf8(&entry, "unit", -1, "bars", -1);
        bson_append_document_end(&list, &entry);
    }
    bson_append_array_end(out, &list);
}

static void append_declaration(bson_t *out, const struct script *script)
{
    char line[LINE_MAX_BYTES];
    bson_t child, candles, list, entry;
    bson_append_int64(out, "api", -1, 1);
    bson_append_utf8(out, "kind", -1, line_of(script->text, "kind", 0, line) ? line : "calculator",
                     -1);
    if (line_of(script->text, "of", 0, line)) bson_append_utf8(out, "of", -1, line, -1);
    bson_append_utf8(out, "name", -1, script->name, -1);
    bson_append_utf8(out, "method", -1, "fake", -1);
    bson_append_utf8(out, "method_version", -1, "1", -1);
    append_words(out, "every", line_of(script->text, "every", 0, line) ? line : "1h");
    bson_append_document_begin(out, "needs", -1, &child);
    bool market = line_of(script->text, "market", 0, line);
    bson_append_document_begin(&child, market ? "market" : "candles", -1, &candles);
    bson_append_utf8(&candles, "span", -1, "30d", -1);
    bson_append_document_end(&child, &candles);
    if (line_of(script->text, "needs", 0, line)) append_words(&child, "metrics", line);
    bson_append_document_end(out, &child);
    append_params(out, script->text);
    bson_append_array_begin(out, "outputs", -1, &list);
    bson_append_document_begin(&list, "0", -1, &entry);
    bson_append_utf8(&entry, "name", -1, "value", -1);
    bson_append_utf8(&entry, "type", -1, "number", -1);
    bson_append_document_end(&list, &entry);
    bson_append_array_end(out, &list);
}

static bool next_child(bson_iter_t *iter, bson_t *item)
{
    uint32_t len = 0;
    const uint8_t *data = NULL;
    if (!bson_iter_next(iter) || !BSON_ITER_HOLDS_DOCUMENT(iter)) return false;
    bson_iter_document(iter, &len, &data);
    return bson_init_static(item, data, len);
}

/* A script that says `require` fails when a library says `broken`. */
static bool breaks(const bson_t *request, const char *text, const char **file)
{
    bson_t list, lib;
    bson_iter_t iter;
    const char *code;
    if (!strstr(text, "require") || !pt_doc_child(request, "libs", &list) ||
        !bson_iter_init(&iter, &list))
        return false;
    while (next_child(&iter, &lib))
        if (pt_doc_text(&lib, "text", &code) && strstr(code, "broken"))
            return pt_doc_text(&lib, "file", file);
    return false;
}

static void append_error(bson_t *answer, const char *message, const char *file)
{
    bson_t child;
    bson_append_document_begin(answer, "error", -1, &child);
    bson_append_utf8(&child, "message", -1, message, -1);
    bson_append_utf8(&child, "file", -1, file, -1);
    bson_append_int32(&child, "line", -1, 3);
    bson_append_document_end(answer, &child);
}

static void edit(const char *path)
{
    FILE *edited = fopen(path, "a");
    if (edited) {
        fputs("# edited\n", edited);
        fclose(edited);
    }
}

static void take_script(const bson_t *request, const bson_t *item, bson_t *answer)
{
    char line[LINE_MAX_BYTES];
    const char *text = "", *file = "", *hash = "";
    bson_t child;
    struct script *script = &scripts[nscripts];
    pt_doc_text(item, "text", &text);
    pt_doc_text(item, "file", &file);
    pt_doc_text(item, "hash", &hash);
    snprintf(script->text, sizeof script->text, "%s", text);
    snprintf(script->file, sizeof script->file, "%s", file);
    snprintf(script->hash, sizeof script->hash, "%s", hash);
    if (line_of(text, "name", 0, line)) snprintf(script->name, sizeof script->name, "%.40s", line);
    bson_append_utf8(answer, "file", -1, file, -1);
    if (line_of(text, "edits", 0, line) && armed(text)) edit(line);
    bool checked = false;
    pt_doc_bool(item, "check", &checked);
    if (checked && line_of(text, "check", 0, line) && strcmp(line, "fail") == 0 && armed(text)) {
        append_error(answer, "its check fails", file);
        return;
    }
    if (checked && line_of(text, "check", 0, line) && armed(text)) {
        status->line = 7;
        misbehave(line);
    }
    bool bad = line_of(text, "load", 0, line) && strcmp(line, "ok") != 0 && armed(text);
    if (bad) misbehave(line);
    if (bad && strncmp(line, "slow ", 5) != 0 && strcmp(line, "stop") != 0) {
        append_error(answer, "it was told to fail", file);
        return;
    }
    if (breaks(request, text, &file)) {
        append_error(answer, "a library is broken", file);
        return;
    }
    bson_append_document_begin(answer, "declaration", -1, &child);
    append_declaration(&child, script);
    bson_append_document_end(answer, &child);
    nscripts++;
}

static const struct script *find(const char *name)
{
    for (size_t i = 0; i < nscripts; i++)
        if (strcmp(scripts[i].name, name) == 0) return &scripts[i];
    return NULL;
}

static void load(const bson_t *request, bson_t *answer)
{
    bson_t list, item, out, entry;
    bson_iter_t iter;
    char index[24];
    bool gives_way = false;
    pt_doc_bool(request, "gives_way", &gives_way);
    if (gives_way) prctl(PR_SET_NAME, "gives way"); /* who looks at it can see that */
    bson_append_utf8(answer, "op", -1, "loaded", -1);
    bson_append_array_begin(answer, "scripts", -1, &out);
    if (pt_doc_child(request, "scripts", &list) && bson_iter_init(&iter, &list))
        for (uint32_t k = 0; nscripts < SCRIPTS_MAX && next_child(&iter, &item); k++) {
            status->script = k;
            status->phase = PT_PHASE_LOAD;
            snprintf(index, sizeof index, "%u", k);
            bson_append_document_begin(&out, index, -1, &entry);
            take_script(request, &item, &entry);
            bson_append_document_end(&out, &entry);
        }
    bson_append_array_end(answer, &out);
    status->phase = PT_PHASE_IDLE;
}

/* What it is lent by those that it needs. */
static double lent(const struct script *script)
{
    char needs[LINE_MAX_BYTES], line[LINE_MAX_BYTES];
    double sum = 0;
    if (!line_of(script->text, "needs", 0, needs)) return 0;
    for (const char *word = strtok(needs, " "); word; word = strtok(NULL, " ")) {
        const struct script *other = find(word);
        if (other && line_of(other->text, "lend", 0, line)) sum += atof(line);
    }
    return sum;
}

/* Data of a detector: hits of the newest bar, or of all of its window. */
static void append_hits(bson_t *data, const bson_t *request, const struct script *script,
                        const char *every, int64_t as_of_us)
{
    char offset[LINE_MAX_BYTES] = "7.5", bars[LINE_MAX_BYTES] = "10", index[24];
    bson_t list, hit;
    bool whole = false;
    int64_t period_us = 1, found = 0, n = atoll(every);
    pt_doc_bool(request, "whole", &whole);
    pt_doc_int(request, "period_us", &period_us);
    line_of(script->text, "offset", 0, offset);
    line_of(script->text, "window", 0, bars);
    bson_append_array_begin(data, "anomalies", -1, &list);
    for (int64_t k = whole ? atoll(bars) : 1; k >= 1; k--) {
        int64_t open_us = as_of_us - k * period_us;
        if (open_us / period_us % n != 0) continue;
        snprintf(index, sizeof index, "%lld", (long long)found++);
        bson_append_document_begin(&list, index, -1, &hit);
        bson_append_date_time(&hit, "time", -1, open_us / 1000);
        bson_append_double(&hit, "price", -1, 100.5);
        bson_append_double(&hit, "score", -1, atof(offset));
        bson_append_double(&hit, "threshold", -1, 3.5);
        bson_append_null(&hit, "expected", -1);
        bson_append_double(&hit, "observed", -1, 0.25);
        bson_append_utf8(&hit, "direction", -1, "up", -1);
        bson_append_utf8(&hit, "severity", -1, "critical", -1);
        bson_append_utf8(&hit, "reason", -1, "statistical_outlier", -1);
        bson_append_document_end(&list, &hit);
    }
    bson_append_array_end(data, &list);
    bson_append_int64(data, "found", -1, found);
}

/* value: a number that depends on the symbol, period and as_of only; seen: results of this unit so
 * far. */
static void append_result(bson_t *doc, const bson_t *request, const struct script *script,
                          const bson_t *params, const char *state, const char *seen)
{
    const char *symbol = "";
    int64_t period = 0, as_of = 0, now = 0;
    char text[PT_PERIOD_TEXT_MAX], offset[LINE_MAX_BYTES] = "0", every[LINE_MAX_BYTES];
    bson_t child, inner;
    pt_doc_text(request, "symbol", &symbol);
    pt_doc_int(request, "period_us", &period);
    pt_doc_int(request, "as_of_us", &as_of);
    pt_doc_int(request, "now_us", &now);
    bool detector = line_of(script->text, "hits", 0, every);
    if (as_of == INT64_MAX && detector) as_of = now - now % period;
    pt_period_print(period, text);
    bson_append_utf8(doc, "symbol", -1, symbol, -1);
    bson_append_utf8(doc, "timeframe", -1, text, -1);
    bson_append_utf8(doc, "metric", -1, script->name, -1);
    bson_append_date_time(doc, "as_of", -1, as_of / 1000);
    bson_append_utf8(doc, "status", -1, state, -1);
    bson_append_document_begin(doc, "data", -1, &child);
    line_of(script->text, "offset", 0, offset);
    if (detector && strcmp(state, "ok") == 0) append_hits(&child, request, script, every, as_of);
    bson_append_double(&child, "value", -1,
                       (double)(as_of / 1000) + (double)symbol[0] + atof(offset) + lent(script));
    bson_append_document_end(doc, &child);
    bson_append_document_begin(doc, "metadata", -1, &child);
    bson_append_document(&child, "parameters", -1, params);
    bson_append_int64(&child, "expected", -1, 10);
    bson_append_int64(&child, "runs", -1, runs);
    bson_append_utf8(&child, "seen", -1, seen, -1);
    bson_append_date_time(&child, "computed_at", -1, now / 1000);
    if (strcmp(state, "error") == 0) {
        bson_append_document_begin(&child, "error", -1, &inner);
        bson_append_utf8(&inner, "message", -1, "it was told to fail", -1);
        bson_append_document_end(&child, &inner);
    }
    bson_append_document_end(doc, &child);
}

/* How it has to run because of a script that it needs; false when it is free. */
static bool spoiled(const struct script *script, const char *symbol, char how[LINE_MAX_BYTES])
{
    char needs[LINE_MAX_BYTES], only[LINE_MAX_BYTES];
    if (!line_of(script->text, "needs", 0, needs)) return false;
    for (const char *word = strtok(needs, " "); word; word = strtok(NULL, " ")) {
        const struct script *other = find(word);
        if (other && line_of(other->text, "spoils", 0, only) && strcmp(only, symbol) != 0) continue;
        if (other && line_of(other->text, "spoil", 0, how)) return true;
    }
    return false;
}

static bool bad_params(const struct script *script, const bson_t *params)
{
    char line[LINE_MAX_BYTES], name[40];
    long bad = 0;
    int64_t value = 0;
    return line_of(script->text, "bad", 0, line) && sscanf(line, "%39s %ld", name, &bad) == 2 &&
           pt_doc_int(params, name, &value) && value == bad;
}

static void run_script(const bson_t *request, const bson_t *item, bson_t *entry, char *seen,
                       size_t room)
{
    const char *name = "", *state = "ok", *symbol = "";
    char line[LINE_MAX_BYTES] = "value";
    bson_t params, doc;
    pt_doc_text(item, "name", &name);
    const struct script *script = find(name);
    if (!script) _exit(9);
    if (!line_of(script->text, "run", 0, line) || !armed(script->text))
        snprintf(line, sizeof line, "value");
    pt_doc_text(request, "symbol", &symbol);
    spoiled(script, symbol, line);
    misbehave(line);
    if (strcmp(line, "fail") == 0) state = "error";
    if (!pt_doc_child(item, "params", &params)) bson_init(&params);
    if (bad_params(script, &params)) state = "error";
    bson_append_utf8(entry, "name", -1, strcmp(line, "wrong") == 0 ? "somebody" : name, -1);
    bson_append_int64(entry, "elapsed_us", -1, 5);
    bson_append_document_begin(entry, "doc", -1, &doc);
    append_result(&doc, request, script, &params, state, seen);
    bson_append_document_end(entry, &doc);
    snprintf(seen + strlen(seen), room - strlen(seen), "%s ", name);
}

static void run(const bson_t *request, bson_t *answer)
{
    bson_t list, item, out, entry;
    bson_iter_t iter;
    int64_t id = 0;
    char index[24], seen[512] = "";
    runs++;
    pt_doc_int(request, "id", &id);
    bson_append_utf8(answer, "op", -1, "done", -1);
    bson_append_int64(answer, "id", -1, id);
    bson_append_array_begin(answer, "results", -1, &out);
    if (pt_doc_child(request, "scripts", &list) && bson_iter_init(&iter, &list))
        for (uint32_t k = 0; next_child(&iter, &item); k++) {
            status->script = k;
            status->phase = PT_PHASE_RUN;
            snprintf(index, sizeof index, "%u", k);
            bson_append_document_begin(&out, index, -1, &entry);
            run_script(request, &item, &entry, seen, sizeof seen);
            bson_append_document_end(&out, &entry);
        }
    bson_append_array_end(answer, &out);
    status->phase = PT_PHASE_IDLE;
}

int main(void)
{
    struct pt_err err;
    status = mmap(NULL, sizeof *status, PROT_READ | PROT_WRITE, MAP_SHARED, PT_WORKER_STATUS_FD, 0);
    if (status == MAP_FAILED) return 3;
    if (getenv("FAKE_WORKER_EXIT")) return 5;
    for (;;) {
        bson_t *request = NULL;
        bson_t answer = BSON_INITIALIZER;
        const char *op = "";
        if (pt_wire_recv(PT_WORKER_SOCKET_FD, PT_WIRE_MAX, &request, &err) != PT_OK) _exit(0);
        pt_doc_text(request, "op", &op);
        if (strcmp(op, "load") == 0)
            load(request, &answer);
        else
            run(request, &answer);
        if (pt_wire_send(PT_WORKER_SOCKET_FD, &answer, &err) != PT_OK) _exit(4);
        bson_destroy(&answer);
        bson_destroy(request);
    }
}
