/* cmd_replay.c - one script at every closed bar of a range; or where two versions of it differ. */
#include "cli/commands.h"
#include "cli/lists.h"
#include "cli/progress.h"
#include "cli/script_arg.h"
#include "cli/target.h"

#include "base/decimal.h"
#include "base/json.h"
#include "base/timefmt.h"
#include "flow/engine.h"
#include "flow/result.h"
#include "serve/list.h"
#include "serve/results.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const struct pt_cli_option options[] = {
    { "pair", "A,B", "symbols (required, but not of a script of the whole market)", false },
    { "period", "P", "bar length (required)", false },
    { "start", "T", "first close of a bar, inclusive (default the first there is)", false },
    { "end", "T", "last close, exclusive (default the newest is the last)", false },
    { "param", "K=V", "a parameter of the script", true },
    { "format", "csv|jsonl", "default csv", false },
    { "output", "FILE",
      "-o FILE: written beside it and renamed when complete; default standard output", false },
    { "store", NULL, "also stores the values, as a cycle does", false },
    { "against", "NAME|FILE.lua",
      "prints where that version gives other values instead; exit code 1 when it does", false },
    { NULL, NULL, NULL, false },
};

static struct pt_engine *volatile running; /* for Ctrl-C */

static void on_signal(int number)
{
    (void)number;
    pt_engine_interrupt(running);
}

static void on_progress(void *arg, uint64_t done, uint64_t total)
{
    struct pt_progress *bar = arg;
    bar->total = total;
    pt_progress_show(bar, done, done);
}

/* What one version of a script gave. */
struct version {
    struct pt_scripts *scripts; /* a ref */
    const struct pt_script *script;
    bson_t params;
    struct pt_replay replay;
    int usage; /* 0, or the exit code of wrong usage, which is told */
};

static void version_init(struct version *version)
{
    *version = (struct version){ .params = BSON_INITIALIZER };
}

static void version_fini(struct version *version)
{
    bson_destroy(&version->params);
    pt_replay_fini(&version->replay);
    pt_scripts_unref(version->scripts);
}

/* Results under a name must all be of the script that the name stands for. */
static enum pt_code check_stored(const struct pt_script *script, struct pt_err *err)
{
    if (!script->source->outside) return PT_OK;
    return pt_fail(err, PT_EINVAL,
                   "--store: %s is in none of the folders of [scripts] path, so a cycle would not "
                   "give these values again; put it there first",
                   script->source->file);
}

/* An engine of its own for each version: two files may declare one name. */
static enum pt_code replay(struct pt_cli *cli, const char *asked, struct pt_replay_opts *opts,
                           struct version *version, struct pt_err *err)
{
    struct pt_engine *engine = NULL;
    struct pt_progress bar;
    enum pt_code rc =
        pt_engine_new(pt_cli_conf(cli), opts->store ? PT_ENGINE_BATCH : PT_ENGINE_READ,
                      pt_script_is_file(asked) ? asked : NULL, &engine, err);
    if (rc != PT_OK) return rc;
    version->scripts = pt_engine_scripts(engine);
    version->script = pt_script_asked(version->scripts, asked, err);
    if (version->script == NULL) rc = err->code;
    if (rc == PT_OK && (version->usage = pt_script_check_pair(cli, version->script)) != 0)
        rc = PT_EINVAL;
    if (rc == PT_OK) rc = pt_script_asked_params(cli, version->script, &version->params, err);
    if (rc == PT_OK && opts->store) rc = check_stored(version->script, err);
    if (rc == PT_OK) {
        pt_progress_start(&bar, "replay", "bars", 0, pt_cli_quiet(cli));
        opts->name = version->script->name;
        opts->params = &version->params;
        opts->arg = &bar;
        running = engine;
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
        rc = pt_engine_replay(engine, opts, &version->replay, err);
        signal(SIGINT, SIG_DFL); /* there will be no engine to interrupt */
        signal(SIGTERM, SIG_DFL);
        running = NULL;
        pt_progress_end(&bar);
    }
    pt_engine_free(engine);
    return rc;
}

static enum pt_code flush(struct pt_buf *buf, FILE *file, struct pt_err *err)
{
    if (buf->failed) return pt_fail(err, PT_ENOMEM, "out of memory");
    if (fwrite(buf->data, 1, buf->len, file) != buf->len)
        return pt_fail(err, errno == ENOSPC ? PT_EFULL : PT_EIO, "output: %s", strerror(errno));
    pt_buf_clear(buf);
    return PT_OK;
}

static enum pt_code print_values(const struct version *version, bool pairs, FILE *file,
                                 struct pt_err *err)
{
    size_t n = version->replay.n;
    struct pt_buf out = { 0 };
    bson_t *views = pt_results_views(n);
    if (views == NULL) return pt_fail(err, PT_ENOMEM, "%zu results", n);
    for (size_t i = 0; i < n; i++) {
        const bson_t *doc = version->replay.docs[i];
        if (!bson_init_static(&views[i], bson_get_data(doc), doc->len)) out.failed = true;
    }
    bool by_books = pt_script_books(version->script, NULL, NULL);
    const struct pt_results results = { .script = version->script,
                                        .n = n,
                                        .docs = views,
                                        .by_pair = pairs,
                                        .asked_us = by_books ? version->replay.at_us : NULL };
    enum pt_code rc = PT_OK;
    if (!out.failed && !pt_results_csv(&results, &out))
        rc = pt_fail(err, PT_ERANGE,
                     "these values take more than %d columns of CSV; give --format jsonl",
                     PT_CSV_COLUMNS);
    if (rc == PT_OK) rc = flush(&out, file, err);
    pt_buf_fini(&out);
    free(views);
    return rc;
}

/* One object a line, { timestamp, (as_of,) pair, status, data }, with numbers as replies have them;
 * of the market with pairs, and with matrices as replies have them. */
static enum pt_code print_lines(const struct version *version, FILE *file, struct pt_err *err)
{
    struct pt_buf out = { 0 };
    struct pt_json json;
    enum pt_code rc = PT_OK;
    const struct pt_results results = { .script = version->script };
    bool by_books = pt_script_books(version->script, NULL, NULL);
    bool market = pt_script_is_market(version->script);
    for (size_t i = 0; rc == PT_OK && i < version->replay.n; i++) {
        const bson_t *doc = version->replay.docs[i];
        const char *const keys[][2] = { { market ? "symbols" : "symbol",
                                          market ? "pairs" : "pair" },
                                        { "status", "status" },
                                        { "data", "data" } };
        pt_json_init(&json, &out);
        pt_json_object(&json);
        pt_json_kv_time(&json, "timestamp", version->replay.at_us[i]);
        if (by_books) {
            int64_t as_of_us;
            pt_list_time(&json, "as_of", pt_result_as_of(doc, &as_of_us) ? as_of_us : PT_MISSING);
        }
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            bson_iter_t iter;
            if (!bson_iter_init_find(&iter, doc, keys[k][0])) continue;
            pt_json_key(&json, keys[k][1]);
            if (market && BSON_ITER_HOLDS_DOCUMENT(&iter))
                pt_results_fields_json(&results, doc, &json);
            else
                pt_doc_json_value(&iter, &json);
        }
        pt_json_object_end(&json);
        pt_buf_putc(&out, '\n');
        if (out.len > 65536) rc = flush(&out, file, err);
    }
    if (rc == PT_OK) rc = flush(&out, file, err);
    pt_buf_fini(&out);
    return rc;
}

/* PT_EINVAL: they differ; the message counts. */
static enum pt_code print_differences(const struct version *old, const struct version *now,
                                      bool pairs, FILE *file, struct pt_err *err)
{
    struct pt_buf out = { 0 };
    size_t values = 0, bars = 0;
    enum pt_code rc = PT_OK;
    /* rows that came, or went, between the two */
    if (old->replay.n != now->replay.n)
        return pt_fail(err, PT_EBUSY,
                       "the store changed meanwhile: %zu bars, then %zu; give --end, or stop the "
                       "daemon",
                       now->replay.n, old->replay.n);
    pt_buf_puts(&out, pairs ? "timestamp,pair,output,old,new\n" : "timestamp,output,old,new\n");
    for (size_t i = 0; rc == PT_OK && i < now->replay.n; i++) {
        size_t n = pt_results_diff(old->replay.docs[i], now->replay.docs[i], now->replay.at_us[i],
                                   pairs, &out);
        values += n;
        bars += n > 0;
        if (out.len > 65536) rc = flush(&out, file, err);
    }
    if (rc == PT_OK) rc = flush(&out, file, err);
    pt_buf_fini(&out);
    if (rc != PT_OK || values == 0) return rc;
    return pt_fail(err, PT_EINVAL, "%zu values differ, in %zu of %zu bars", values, bars,
                   now->replay.n);
}

/* The first result that failed, with its place. */
static enum pt_code say_failures(const struct version *version, struct pt_err *err)
{
    const struct pt_replay *replayed = &version->replay;
    const char *message = "no message", *file, *symbol = "?";
    char as_of[PT_TIME_TEXT_MAX] = "?", place[300] = "";
    int64_t line = 0, as_of_us;
    if (replayed->failed == 0) return PT_OK;
    for (size_t i = 0; i < replayed->n; i++) {
        const bson_t *doc = replayed->docs[i];
        if (!pt_doc_text(doc, "error.message", &message)) continue;
        if (pt_doc_text(doc, "symbol", &symbol) && *symbol == '\0') symbol = "the market";
        if (pt_result_as_of(doc, &as_of_us)) pt_time_print(as_of_us, as_of);
        if (pt_doc_text(doc, "error.file", &file) && pt_doc_int(doc, "error.line", &line))
            snprintf(place, sizeof place, "%s:%" PRId64 ": ", file, line);
        break;
    }
    return pt_fail(err, PT_ESCRIPT, "%zu of %zu bars failed, first %s as of %s: %s%s",
                   replayed->failed, replayed->n, symbol, as_of, place, message);
}

/* Failures, and no bar that gave values: a table of them is no answer. */
static bool gave_nothing(const struct version *version)
{
    const char *status;
    for (size_t i = 0; i < version->replay.n; i++)
        if (pt_doc_text(version->replay.docs[i], "status", &status) &&
            (strcmp(status, "ok") == 0 || strcmp(status, "gap") == 0))
            return false;
    return version->replay.failed > 0;
}

static int run(struct pt_cli *cli)
{
    static char symbols[PT_LIST_MAX][PT_SYMBOL_MAX];
    const char *pairs[PT_LIST_MAX + 1], *path = pt_cli_value(cli, "output");
    const char *against = pt_cli_value(cli, "against");
    struct pt_replay_opts opts = { .pairs = pairs,
                                   .end_us = INT64_MAX,
                                   .store = pt_cli_has(cli, "store"),
                                   .progress = on_progress };
    const char *format = pt_cli_has(cli, "format") ? pt_cli_value(cli, "format") : "csv";
    bool lines = strcmp(format, "jsonl") == 0;
    struct pt_err err = { 0 };
    struct pt_target target;
    struct version now, old;
    if (!pt_cli_has(cli, "period")) return pt_cli_usage(cli, "needs --period");
    if (!pt_cli_symbols(cli, "pair", symbols, pairs) ||
        !pt_cli_period(cli, "period", &opts.period_us) ||
        !pt_cli_time(cli, "start", &opts.start_us) || !pt_cli_time(cli, "end", &opts.end_us))
        return 2;
    if (path != NULL && path[0] == '\0') return pt_cli_usage(cli, "--output needs a file's name");
    if (opts.store && pt_cli_has(cli, "param"))
        return pt_cli_usage(cli, "--store keeps one set of results, those of the parameters in "
                                 "force: leave --param out, or set it in the configuration");
    if (opts.store && against != NULL)
        return pt_cli_usage(cli, "--against compares and stores nothing: leave --store out");
    if (!lines && strcmp(format, "csv") != 0)
        return pt_cli_usage(cli, "--format \"%s\": give csv or jsonl", format);
    if (lines && against != NULL)
        return pt_cli_usage(cli, "--against prints CSV: leave --format out");
    version_init(&now);
    version_init(&old);
    bool several = pairs[0] != NULL && pairs[1] != NULL;
    enum pt_code rc = pt_target_find(&target, path, NULL, &err);
    if (rc == PT_OK) rc = pt_cli_need_store(cli, &err);
    if (rc == PT_OK) rc = replay(cli, pt_cli_arg(cli, 0), &opts, &now, &err);
    if (rc == PT_OK && against != NULL) rc = replay(cli, against, &opts, &old, &err);
    if (rc == PT_OK && gave_nothing(&now)) rc = say_failures(&now, &err);
    if (rc == PT_OK && (rc = pt_target_open(&target, &err)) == PT_OK) {
        bool differ = false;
        if (against != NULL) {
            rc = print_differences(&old, &now, several, target.file, &err);
            differ = rc == PT_EINVAL; /* the differences are the answer: their file stays */
        } else {
            rc = lines ? print_lines(&now, target.file, &err)
                       : print_values(&now, several, target.file, &err);
        }
        enum pt_code closed = pt_target_close(&target, differ ? PT_OK : rc, &err);
        if (differ && closed != PT_OK) rc = closed;
    }
    if (rc == PT_OK) rc = say_failures(&now, &err);
    if (rc == PT_OK && against != NULL) rc = say_failures(&old, &err);
    if (rc == PT_OK && now.replay.fault.code != PT_OK) { /* symbols that the market is without */
        err = now.replay.fault;
        rc = err.code;
    }
    int usage = now.usage != 0 ? now.usage : old.usage;
    version_fini(&now);
    version_fini(&old);
    if (usage != 0) return usage;
    return rc == PT_OK ? 0 : pt_cli_fail(cli, &err);
}

const struct pt_command pt_cmd_replay = {
    .name = "replay",
    .args = "NAME|FILE.lua",
    .about = "runs a script at every closed bar of a range, on all cores",
    .text =
        "Prints CSV: timestamp (the close of the bar), pair when there are several, status, "
        "outputs. A script that looks at order books is as of the newest book at that moment: "
        "as_of stands behind timestamp then, empty where there was none. Replay goes from "
        "closed bar to closed bar, so such a script needs candles of its symbol too. Members "
        "of maps stand in columns of their own. With --format "
        "jsonl it is one object a bar. The values are "
        "those that a cycle stores when the bar closes, bit for bit. With --against the "
        "output is timestamp, pair, output, old, new of each value that differs, old being "
        "the version named there. --start and --end bound the timestamp, as start and end of GET "
        "/analysis/NAME do. A script of the whole market runs at every bar that any symbol has, "
        "without --pair; in its lines of JSON pairs are the symbols of that bar. Exit code 1 when "
        "a bar failed (nothing is printed when no "
        "bar gave values), or when versions differ.",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
