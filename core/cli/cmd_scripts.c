/* cmd_scripts.c - asks the running daemon for its scripts. */
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/fetch.h"

#include <inttypes.h>
#include <stdio.h>

static const struct pt_cli_option options[] = {
    { "url", "URL", "of the daemon (default from [http] bind and port)", false },
    { "json", NULL, "prints the answer of GET /scripts", false },
    { NULL, NULL, NULL, false },
};

static void print_table(const bson_t *answer)
{
    bson_t list, script;
    bson_iter_t iter;
    printf("generation %" PRId64 ", loaded at %s\n", pt_answer_int(answer, "generation"),
           pt_answer_text(answer, "loaded_at", "?"));
    printf("%-24s %-11s %-12s %10s %8s %9s %9s  %s\n", "script", "kind", "status", "calls",
           "errors", "p50 us", "p99 us", "last run");
    if (!pt_doc_child(answer, "scripts", &list) || !bson_iter_init(&iter, &list)) return;
    while (pt_doc_next(&iter, &script)) {
        printf("%-24s %-11s %-12s %10" PRId64 " %8" PRId64 " %9" PRId64 " %9" PRId64 "  %s\n",
               pt_answer_text(&script, "name", "?"), pt_answer_text(&script, "kind", "?"),
               pt_answer_text(&script, "status", "?"), pt_answer_int(&script, "calls"),
               pt_answer_int(&script, "errors"), pt_answer_int(&script, "p50_us"),
               pt_answer_int(&script, "p99_us"), pt_answer_text(&script, "last_run", "never"));
        bson_t error;
        if (!pt_doc_child(&script, "error", &error)) continue;
        pt_answer_print_where(&error, "    ");
        putchar('\n');
    }
}

static int run(struct pt_cli *cli)
{
    struct pt_err err = { 0 };
    struct pt_buf body = { 0 };
    int status = 0;
    enum pt_code rc =
        pt_fetch(pt_cli_conf(cli), pt_cli_value(cli, "url"), "/scripts", &status, &body, &err);
    if (rc == PT_OK && status != 200)
        rc = pt_fail(&err, PT_EIO, "GET /scripts was answered with status %d: %.300s", status,
                     body.data);
    if (rc == PT_OK && pt_cli_has(cli, "json")) {
        printf("%s\n", body.data);
    } else if (rc == PT_OK) {
        bson_t *answer = NULL;
        rc = pt_answer_read(&body, &answer, &err);
        if (rc == PT_OK) print_table(answer);
        bson_destroy(answer); /* accepts NULL */
    }
    pt_buf_fini(&body);
    return rc == PT_OK ? 0 : pt_cli_fail(cli, &err);
}

const struct pt_command pt_cmd_scripts = {
    .name = "scripts",
    .args = "",
    .about = "the scripts of the running daemon, their state and their times",
    .text = "live: the newest version runs. previous: its change failed, the version before it "
            "runs. quarantined: not run until its file changes, because its calls ended their "
            "worker three times. failed: it did not load. Times are of single calls.",
    .options = options,
    .run = run,
};
