/* cmd_reload.c - asks the running daemon to take the newest scripts and configuration. */
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/fetch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct pt_cli_option options[] = {
    { "url", "URL", "of the daemon (default from [http] bind and port)", false },
    { "diff", NULL, "changes nothing; shows what would change, and where values would differ",
      false },
    { "json", NULL, "prints the outcome as JSON", false },
    { NULL, NULL, NULL, false },
};

static void print_scripts(const bson_t *outcome)
{
    bson_t list, entry;
    bson_iter_t iter;
    if (!pt_doc_child(outcome, "scripts", &list) || !bson_iter_init(&iter, &list)) return;
    if (!bson_empty(&list)) printf("%-24s %-12s %s\n", "script", "verdict", "where");
    while (pt_doc_next(&iter, &entry)) {
        printf("%-24s %-12s", pt_answer_text(&entry, "name", ""),
               pt_answer_text(&entry, "verdict", ""));
        pt_answer_print_where(&entry, " ");
        putchar('\n');
    }
}

static void print_words(const bson_t *outcome, const char *path, const char *title)
{
    bson_t list;
    bson_iter_t iter;
    if (!pt_doc_child(outcome, path, &list) || bson_empty(&list) || !bson_iter_init(&iter, &list))
        return;
    printf("%s:", title);
    while (bson_iter_next(&iter))
        if (BSON_ITER_HOLDS_UTF8(&iter)) printf(" %s;", bson_iter_utf8(&iter, NULL));
    putchar('\n');
}

static void print_feeds(const bson_t *outcome)
{
    bson_t list, entry;
    bson_iter_t iter;
    if (!pt_doc_child(outcome, "feeds", &list) || !bson_iter_init(&iter, &list)) return;
    while (pt_doc_next(&iter, &entry)) {
        const char *error = pt_answer_text(&entry, "error", "");
        printf("feed %s %s%s%s\n", pt_answer_text(&entry, "name", ""),
               pt_answer_text(&entry, "action", ""), error[0] != '\0' ? ": " : "", error);
    }
}

/* Decimals come as texts. */
static void print_value(const bson_t *entry, const char *key)
{
    struct pt_buf out = { 0 };
    struct pt_json json;
    bson_iter_t iter;
    const char *text = pt_answer_text(entry, key, NULL);
    pt_json_init(&json, &out);
    if (text == NULL && bson_iter_init_find(&iter, entry, key)) pt_doc_json_value(&iter, &json);
    printf(" %-24s", text != NULL ? text : out.data != NULL ? out.data : "");
    pt_buf_fini(&out);
}

static void print_differences(const bson_t *outcome)
{
    bson_t list, entry;
    bson_iter_t iter;
    int64_t total = pt_answer_int(outcome, "differences_total"), shown = 0;
    int64_t windows = pt_answer_int(outcome, "windows_tried");
    if (!pt_doc_child(outcome, "differences", &list) || !bson_iter_init(&iter, &list)) return;
    if (total > 0)
        printf("\n%-20s %-12s %-6s %-28s %-24s %-24s %s\n", "script", "symbol", "period", "output",
               "old", "new", "as of");
    while (pt_doc_next(&iter, &entry)) {
        printf("%-20s %-12s %-6s %-28s", pt_answer_text(&entry, "script", ""),
               pt_answer_text(&entry, "symbol", ""), pt_answer_text(&entry, "period", ""),
               pt_answer_text(&entry, "output", ""));
        print_value(&entry, "old");
        print_value(&entry, "new");
        printf(" %s\n", pt_answer_text(&entry, "as_of", ""));
        shown++;
    }
    if (total > shown)
        printf("and %" PRId64 " more that are not shown\n", total - shown);
    else if (total == 0 && windows == 0)
        printf("no window was tried: no live script changed, or none has stored bars\n");
    else if (total == 0)
        printf("no value differs on the %" PRId64 " windows that were tried\n", windows);
}

static void print_outcome(const bson_t *outcome)
{
    bool diff = false;
    pt_doc_bool(outcome, "diff", &diff);
    if (pt_answer_text(outcome, "error", "")[0] != '\0') { /* the words follow, as an error */
        printf("refused, still generation %" PRId64 "\n", pt_answer_int(outcome, "generation"));
        return;
    }
    printf("%s generation %" PRId64 ", %.1f ms\n", diff ? "nothing changed, still" : "now",
           pt_answer_int(outcome, "generation"),
           (double)pt_answer_int(outcome, "duration_us") / 1e3);
    print_scripts(outcome);
    print_words(outcome, "config.changed", diff ? "would apply" : "applied");
    print_words(outcome, "config.restart", "needs a restart");
    print_words(outcome, "config.unused", "of no script any more, and refused by the next start");
    print_feeds(outcome);
    if (diff) print_differences(outcome);
}

/* The names of what has failed. */
static void list_failed(const bson_t *outcome, struct pt_buf *names)
{
    static const char *const lists[][3] = { { "scripts", "verdict", "failed" },
                                            { "scripts", "verdict", "previous" },
                                            { "feeds", "error", NULL } };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        bson_t list, entry;
        bson_iter_t iter;
        if (!pt_doc_child(outcome, lists[i][0], &list) || !bson_iter_init(&iter, &list)) continue;
        while (pt_doc_next(&iter, &entry)) {
            const char *text = pt_answer_text(&entry, lists[i][1], NULL);
            if (text == NULL || (lists[i][2] != NULL && strcmp(text, lists[i][2]) != 0)) continue;
            pt_buf_printf(names, "%s%s", names->len > 0 ? ", " : "",
                          pt_answer_text(&entry, "name", "?"));
        }
    }
}

/* Not PT_OK: something of it was not put in force. */
static enum pt_code judge(const bson_t *outcome, struct pt_err *err)
{
    bool ok = false, diff = false;
    struct pt_buf names = { 0 };
    pt_doc_bool(outcome, "diff", &diff);
    if (pt_doc_bool(outcome, "ok", &ok) && ok) return PT_OK;
    const char *error = pt_answer_text(outcome, "error", "");
    if (error[0] != '\0') return pt_fail(err, PT_EINVAL, "refused, all is as it was: %s", error);
    list_failed(outcome, &names);
    pt_fail(err, PT_ESCRIPT, "failed: %s; the rest %s in force",
            names.data != NULL ? names.data : "?", diff ? "would be" : "is");
    pt_buf_fini(&names);
    return err->code;
}

static int run(struct pt_cli *cli)
{
    struct pt_err err = { 0 };
    struct pt_buf body = { 0 };
    int status = 0;
    const char *path = pt_cli_has(cli, "diff") ? "/scripts/reload?diff=true" : "/scripts/reload";
    enum pt_code rc =
        pt_fetch_post(pt_cli_conf(cli), pt_cli_value(cli, "url"), path, &status, &body, &err);
    bool answered = rc == PT_OK && (status == 200 || status == 409);
    if (rc == PT_OK && status == 401)
        rc =
            pt_fail(&err, PT_EINVAL,
                    "the daemon wants a token: give its configuration with --config FILE, or --set "
                    "http.token_file=FILE (or kill -HUP its process, which needs none)");
    else if (rc == PT_OK && status == 403)
        rc = pt_fail(&err, PT_EINVAL,
                     "the daemon has another token than [http] token_file of this configuration: "
                     "give the daemon's own with --config FILE");
    else if (rc == PT_OK && !answered)
        rc = pt_fail(&err, PT_EIO, "POST %s was answered with status %d: %.300s", path, status,
                     body.data);
    bson_t *outcome = NULL;
    if (answered) rc = pt_answer_read(&body, &outcome, &err);
    if (outcome != NULL) {
        if (pt_cli_has(cli, "json"))
            printf("%s\n", body.data);
        else
            print_outcome(outcome);
        rc = judge(outcome, &err);
    }
    bson_destroy(outcome); /* accepts NULL */
    pt_buf_fini(&body);
    return rc == PT_OK ? 0 : pt_cli_fail(cli, &err);
}

const struct pt_command pt_cmd_reload = {
    .name = "reload",
    .args = "",
    .about = "the running daemon takes the newest scripts and configuration",
    .text =
        "Waits until it is done and prints a verdict for each script: live (as it was), "
        "changed, added, removed, previous (the change failed, the version before it stays), "
        "failed, quarantined (not run, it ended its worker too often). Sends the token of [http] "
        "token_file. Exit code 1 when something failed; the rest is in force all the same, "
        "unless the configuration has a mistake: then nothing changes. kill -HUP does the same "
        "without waiting.",
    .options = options,
    .run = run,
};
