/* cmd_eval.c - one script, once, on what is stored; nothing is written. */
#include "cli/commands.h"
#include "cli/profile.h"
#include "cli/script_arg.h"

#include "base/timefmt.h"
#include "data/matrix.h"
#include "flow/engine.h"
#include "flow/result.h"
#include "serve/analysis.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct pt_cli_option options[] = {
    { "pair", "S", "symbol (required, but not of a script of the whole market)", false },
    { "period", "P", "bar length (default 1h)", false },
    { "as-of", "T", "the window ends at the last close at or before T (default newest)", false },
    { "param", "K=V", "a parameter of the script", true },
    { "profile", NULL, "also prints where the time goes, line by line", false },
    { "json", NULL, "prints the body of GET /analysis/NAME", false },
    { NULL, NULL, NULL, false },
};

struct shown {
    const struct pt_scripts *scripts;
    const struct pt_script *script;
    const struct pt_unit *unit;
    bool json;
    int exit_code;
    struct pt_err err;
};

static const char *whose(const struct pt_unit *unit)
{
    return *unit->symbol ? unit->symbol : "market";
}

static void print_value(const bson_iter_t *iter, int depth)
{
    struct pt_buf out = { 0 };
    struct pt_json json;
    bson_iter_t child;
    if (BSON_ITER_HOLDS_DOCUMENT(iter) && bson_iter_recurse(iter, &child)) {
        putchar('\n');
        while (bson_iter_next(&child)) {
            printf("%*s%-*s ", 2 + 2 * depth, "", 28 - 2 * depth, bson_iter_key(&child));
            print_value(&child, depth + 1);
        }
        return;
    }
    pt_json_init(&json, &out);
    pt_doc_json_value(iter, &json);
    /* texts and decimals without their quotes */
    if (!out.failed && out.len > 1 && out.data[0] == '"')
        printf("%.*s\n", (int)out.len - 2, out.data + 1);
    else
        printf("%s\n", out.failed ? "(out of memory)" : out.data);
    pt_buf_fini(&out);
}

/* A line a symbol; cells in the order of the lines. */
static void print_matrix(const bson_t *doc, const struct pt_matrix *matrix)
{
    bson_t list;
    bson_iter_t iter;
    size_t i = 0;
    putchar('\n');
    if (!pt_doc_child(doc, "symbols", &list) || !bson_iter_init(&iter, &list)) return;
    for (; i < matrix->n && bson_iter_next(&iter); i++) {
        printf("    %-26s", bson_iter_utf8(&iter, NULL));
        for (size_t j = 0; j < matrix->n; j++) {
            double x = pt_matrix_get(matrix, i, j);
            if (matrix->type == PT_MATRIX_COUNT)
                printf(" %7.0f", x);
            else if (isfinite(x))
                printf(" %7.4f", x);
            else
                printf("    null");
        }
        putchar('\n');
    }
}

/* An element of a list of documents: its members in a line, those that are null left out. */
static void print_record(const bson_t *record)
{
    bson_iter_t iter;
    struct pt_buf out = { 0 };
    struct pt_json json;
    if (!bson_iter_init(&iter, record)) return;
    while (bson_iter_next(&iter)) {
        if (BSON_ITER_HOLDS_NULL(&iter)) continue;
        pt_buf_clear(&out);
        pt_json_init(&json, &out);
        pt_doc_json_value(&iter, &json);
        bool quoted = !out.failed && out.len > 1 && out.data[0] == '"';
        printf(" %s %.*s", bson_iter_key(&iter), (int)(quoted ? out.len - 2 : out.len),
               out.failed ? "" : out.data + quoted);
    }
    putchar('\n');
    pt_buf_fini(&out);
}

static bool print_records(const bson_iter_t *value)
{
    bson_iter_t list;
    bson_t record;
    if (!BSON_ITER_HOLDS_ARRAY(value) || !bson_iter_recurse(value, &list) ||
        !pt_doc_next(&list, &record))
        return false;
    putchar('\n');
    do {
        printf("   ");
        print_record(&record);
    } while (pt_doc_next(&list, &record));
    return true;
}

static void print_section(const bson_t *doc, const char *name)
{
    bson_t section;
    bson_iter_t iter;
    struct pt_matrix matrix;
    if (!pt_doc_child(doc, name, &section) || !bson_iter_init(&iter, &section)) return;
    while (bson_iter_next(&iter)) {
        printf("  %-28s ", bson_iter_key(&iter));
        if (pt_matrix_view(&iter, &matrix))
            print_matrix(doc, &matrix);
        else if (!print_records(&iter))
            print_value(&iter, 1);
    }
}

static void print_text(const struct shown *shown, const struct pt_unit_result *result)
{
    char period[PT_PERIOD_TEXT_MAX];
    const char *status = "?";
    bson_iter_t iter;
    pt_period_print(shown->unit->period_us, period);
    pt_doc_text(result->doc, "status", &status);
    printf("%s %s %s  status %s  as of ", result->name, whose(shown->unit), period, status);
    if (bson_iter_init_find(&iter, result->doc, "as_of")) print_value(&iter, 0);
    print_section(result->doc, "data");
    printf("inputs\n");
    print_section(result->doc, "metadata");
    printf("  %-28s %.3f ms\n", "time", (double)result->elapsed_us / 1e3);
    if (shown->unit->inspect == PT_INSPECT_PROFILE)
        pt_profile_print(shown->scripts, shown->script, result->doc);
}

static void print_json(struct shown *shown, const struct pt_unit_result *result)
{
    struct pt_buf out = { 0 };
    struct pt_json json;
    const char *status = "";
    pt_doc_text(result->doc, "status", &status);
    struct pt_analysis analysis = { .script = shown->script,
                                    .pair = shown->unit->symbol,
                                    .period_us = shown->unit->period_us,
                                    .docs = &result->doc,
                                    .n = strcmp(status, "empty") == 0 ? 0 : 1,
                                    .on_request = true };
    pt_json_init(&json, &out);
    pt_analysis_body(&analysis, &json);
    pt_buf_putc(&out, '\n');
    if (out.failed)
        pt_fail(&shown->err, PT_ENOMEM, "out of memory"), shown->exit_code = 1;
    else
        fwrite(out.data, 1, out.len, stdout);
    pt_buf_fini(&out);
}

/* The line that failed as it stands in the file, and what its function's locals held. */
static void print_error(const struct shown *shown, const bson_t *doc)
{
    struct pt_buf text = { 0 };
    const char *file;
    int64_t line;
    if (pt_doc_text(doc, "metadata.error.file", &file) &&
        pt_doc_int(doc, "metadata.error.line", &line) &&
        pt_script_line(shown->scripts, file, line, &text))
        printf("error\n  %s:%" PRId64 "\n  %s\n", file, line, text.data);
    pt_buf_fini(&text);
    bson_t locals;
    bson_iter_t iter;
    if (!pt_doc_child(doc, "locals", &locals) || !bson_iter_init(&iter, &locals)) return;
    printf("locals\n");
    while (bson_iter_next(&iter))
        printf("  %-28s %s\n", bson_iter_key(&iter), bson_iter_utf8(&iter, NULL));
}

/* What, where, and on which input. */
static void take_error(struct shown *shown, const bson_t *doc)
{
    char period[PT_PERIOD_TEXT_MAX], as_of[PT_TIME_TEXT_MAX] = "?", place[PATH_MAX] = "";
    const char *message = "no message", *file;
    int64_t line = 0, as_of_us;
    shown->exit_code = 1;
    if (!shown->json) print_error(shown, doc);
    pt_doc_text(doc, "metadata.error.message", &message);
    if (pt_doc_text(doc, "metadata.error.file", &file) &&
        pt_doc_int(doc, "metadata.error.line", &line))
        snprintf(place, sizeof place, "%s:%" PRId64 ": ", file, line);
    pt_period_print(shown->unit->period_us, period);
    if (pt_result_as_of(doc, &as_of_us)) pt_time_print(as_of_us, as_of);
    pt_fail(&shown->err, PT_ESCRIPT, "%s%s (%s %s as of %s)", place, message, whose(shown->unit),
            period, as_of);
}

static void on_result(void *arg, const struct pt_unit_result *results, size_t n,
                      const struct pt_err *err)
{
    struct shown *shown = arg;
    if (err != NULL || n == 0) {
        shown->exit_code = 1;
        if (err != NULL)
            shown->err = *err;
        else
            pt_fail(&shown->err, PT_ESCRIPT, "the worker gave no result");
        return;
    }
    if (shown->json)
        print_json(shown, &results[0]);
    else
        print_text(shown, &results[0]);
    if (pt_result_failed(results[0].doc)) take_error(shown, results[0].doc);
}

static int run(struct pt_cli *cli)
{
    const char *asked = pt_cli_arg(cli, 0);
    struct pt_unit unit = { .period_us = PT_US_HOUR,
                            .as_of_us = INT64_MAX,
                            .n = 1,
                            .urgent = true,
                            .inspect = PT_INSPECT_ERROR };
    struct pt_err err = { 0 };
    if (!pt_cli_symbol(cli, "pair", unit.symbol) ||
        !pt_cli_period(cli, "period", &unit.period_us) ||
        !pt_cli_time(cli, "as-of", &unit.as_of_us))
        return 2;
    if (pt_cli_has(cli, "profile")) unit.inspect = PT_INSPECT_PROFILE;
    if (pt_cli_has(cli, "profile") && pt_cli_has(cli, "json"))
        return pt_cli_usage(cli, "--profile prints text, --json the body of a reply: give one");
    struct pt_engine *engine = NULL;
    bson_t params = BSON_INITIALIZER;
    struct shown shown = { .unit = &unit, .json = pt_cli_has(cli, "json") };
    struct pt_scripts *scripts = NULL;
    enum pt_code rc = pt_cli_need_store(cli, &err);
    if (rc == PT_OK)
        rc = pt_engine_new(pt_cli_conf(cli), PT_ENGINE_READ,
                           pt_script_is_file(asked) ? asked : NULL, &engine, &err);
    if (rc == PT_OK) {
        shown.scripts = scripts = pt_engine_scripts(engine);
        shown.script = pt_script_asked(scripts, asked, &err);
        if (shown.script == NULL) rc = err.code;
    }
    int usage = rc == PT_OK ? pt_script_check_pair(cli, shown.script) : 0;
    if (rc == PT_OK && usage == 0) rc = pt_script_asked_params(cli, shown.script, &params, &err);
    if (rc == PT_OK && usage == 0) {
        const char *name = shown.script->name;
        const bson_t *values = &params;
        unit.whole = strcmp(shown.script->kind, "anomaly") == 0; /* what a reader looks for */
        unit.names = &name;
        unit.params = &values;
        rc = pt_engine_eval_wait(engine, &unit, on_result, &shown, &err);
    }
    bson_destroy(&params);
    if (scripts != NULL) pt_scripts_unref(scripts);
    pt_engine_free(engine);
    if (rc != PT_OK) return pt_cli_fail(cli, &err);
    if (usage != 0) return usage;
    return shown.exit_code == 0 ? 0 : pt_cli_fail(cli, &shown.err);
}

const struct pt_command pt_cmd_eval = {
    .name = "eval",
    .args = "NAME|FILE.lua",
    .about = "runs one script once and prints its result, its inputs and its time",
    .text =
        "Nothing is stored. Of a detector it prints what it finds in all of the window, not only "
        "at the newest bar. With --json the output is the body of GET /analysis/NAME. A "
        "FILE.lua need not be in the scripts folder. A script that fails shows its line and the "
        "locals of its function. --profile calls it up to 300 times as it runs live, and then up "
        "to "
        "100 times in the interpreter with a clock on each line: a line has the time that "
        "was spent in it and in the vector functions it called. Loops are slower in the "
        "interpreter than compiled; the two totals are printed side by side.",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
