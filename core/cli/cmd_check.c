/* cmd_check.c - scripts loaded and run against themselves, without a daemon. */
#include "cli/commands.h"

#include "flow/loop.h"
#include "flow/script_check.h"
#include "flow/scripts.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct pt_cli_option options[] = {
    { "json", NULL, "prints one JSON document: scripts with their findings, and how many", false },
    { NULL, NULL, NULL, false },
};

static const char *const folders[] = { "calculators", "regimes", "anomalies", "alerts" };
#define FOLDERS (sizeof folders / sizeof *folders)

/* Files to check, each with the folder that holds its lib/, or "". */
struct file {
    char path[PATH_MAX], root[PATH_MAX];
    size_t group; /* of files that live together, where a name has one script; 0: it is alone */
};
struct list {
    size_t n;
    struct file *v; /* owned */
};

/* What is printed and counted. */
struct told {
    bool json, quiet;
    struct pt_buf out; /* of --json */
    struct pt_json writer;
    size_t findings, bad, unproven; /* unproven: nothing could be computed */
    struct list names;              /* path: declared name, root: its file; of those with a group */
};

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum pt_code add(struct list *list, const char *path, const char *root, size_t group,
                        struct pt_err *err)
{
    struct file *grown = realloc(list->v, (list->n + 1) * sizeof *grown);
    if (!grown) return pt_fail(err, PT_ENOMEM, "list of scripts");
    list->v = grown;
    struct file *file = &grown[list->n];
    if ((size_t)snprintf(file->path, sizeof file->path, "%s", path) >= sizeof file->path ||
        (size_t)snprintf(file->root, sizeof file->root, "%s", root) >= sizeof file->root)
        return pt_fail(err, PT_ERANGE, "path too long: %.200s...", path);
    file->group = group;
    list->n++;
    return PT_OK;
}

/* ---- what to check
 * ------------------------------------------------------------------------------------------- */

static int is_script(const struct dirent *entry)
{
    const char *name = entry->d_name, *spec = "_spec.lua";
    size_t n = strlen(name), m = strlen(spec);
    return n > 4 && name[0] != '.' && strcmp(name + n - 4, ".lua") == 0 &&
           (n < m || strcmp(name + n - m, spec) != 0);
}

static enum pt_code add_folder(struct list *list, const char *dir, const char *root, size_t group,
                               struct pt_err *err)
{
    struct dirent **entries;
    enum pt_code rc = PT_OK;
    int n = scandir(dir, &entries, is_script, alphasort);
    if (n < 0) return pt_fail(err, PT_EIO, "%s: %s", dir, strerror(errno));
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX];
        if (rc == PT_OK &&
            (size_t)snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name) >= sizeof path)
            rc = pt_fail(err, PT_ERANGE, "path too long: %s/%s", dir, entries[i]->d_name);
        if (rc == PT_OK) rc = add(list, path, root, group, err);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

/* The root of a file or folder within calculators/, regimes/, ...; "" when it is in none. */
static void root_of(const char *folder, char root[PATH_MAX])
{
    char real[PATH_MAX];
    *root = '\0';
    if (!realpath(folder, real)) return;
    char *slash = strrchr(real, '/');
    for (size_t i = 0; slash && i < FOLDERS; i++) {
        if (strcmp(slash + 1, folders[i]) != 0) continue;
        *slash = '\0';
        memcpy(root, real, strlen(real) + 1);
        return;
    }
}

/* group: of a folder's files. */
static enum pt_code add_path(struct list *list, const char *path, size_t group, struct pt_err *err)
{
    char dir[PATH_MAX], root[PATH_MAX];
    enum pt_code rc = PT_OK;
    size_t before = list->n;
    if (!is_folder(path)) {
        const char *slash = strrchr(path, '/');
        snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
        root_of(slash == path ? "/" : dir, root);
        return add(list, path, root, 0, err);
    }
    bool any = false;
    for (size_t i = 0; i < FOLDERS && rc == PT_OK; i++) {
        if ((size_t)snprintf(dir, sizeof dir, "%s/%s", path, folders[i]) >= sizeof dir ||
            !is_folder(dir))
            continue;
        any = true;
        rc = add_folder(list, dir, path, group, err);
    }
    root_of(path, root);
    if (!any) rc = add_folder(list, path, root, group, err);
    if (rc == PT_OK && list->n == before)
        rc = pt_fail(err, PT_ENOENT,
                     "%s: no scripts in it; give a file, or a folder with .lua files or with "
                     "calculators/, regimes/, anomalies/ or alerts/",
                     path);
    return rc;
}

/* All scripts of [scripts] path. */
static enum pt_code add_configured(const struct pt_conf *conf, struct list *list,
                                   struct pt_err *err)
{
    struct pt_sources sources;
    enum pt_code rc = pt_sources_read(conf, &sources, err);
    for (size_t i = 0; rc == PT_OK && i < sources.n; i++)
        if (!sources.v[i].lib) rc = add(list, sources.v[i].file, "", 1, err);
    if (rc == PT_OK && list->n == 0)
        rc = pt_fail(err, PT_ENOENT, "[scripts] path holds no script: give a file or a folder");
    pt_sources_fini(&sources);
    return rc;
}

/* ---- what was found
 * ------------------------------------------------------------------------------------------ */

static bool next_document(bson_iter_t *iter, bson_t *out)
{
    uint32_t len = 0;
    const uint8_t *data = NULL;
    if (!bson_iter_next(iter) || !BSON_ITER_HOLDS_DOCUMENT(iter)) return false;
    bson_iter_document(iter, &len, &data);
    return data && bson_init_static(out, data, len);
}

static void print_finding(const char *file, int64_t line, const char *message)
{
    if (line > 0)
        printf("%s:%" PRId64 ": %s\n", file, line, message);
    else
        printf("%s: %s\n", file, message);
}

static size_t print_findings(const bson_t *report, bool json)
{
    bson_t list, item;
    bson_iter_t iter;
    size_t n = 0;
    if (!pt_doc_child(report, "findings", &list) || !bson_iter_init(&iter, &list)) return 0;
    for (; next_document(&iter, &item); n++) {
        const char *file = "?", *message = "?";
        int64_t line = 0;
        pt_doc_text(&item, "file", &file);
        pt_doc_text(&item, "message", &message);
        pt_doc_int(&item, "line", &line);
        if (!json) print_finding(file, line, message);
    }
    return n;
}

/* On some market its function was run. */
static bool was_run(const bson_t *report)
{
    int64_t computed = 0;
    return pt_doc_int(report, "computed", &computed) && computed > 0;
}

static void print_summary(const bson_t *report, size_t findings)
{
    const char *name = "?", *kind = "";
    int64_t markets = 0, calls = 0, elapsed_us = 0, slowest_us = 0;
    bson_t notes;
    bson_iter_t iter;
    pt_doc_text(report, "name", &name);
    pt_doc_text(report, "kind", &kind);
    pt_doc_int(report, "markets", &markets);
    pt_doc_int(report, "calls", &calls);
    pt_doc_int(report, "elapsed_us", &elapsed_us);
    pt_doc_int(report, "slowest_us", &slowest_us);
    printf("%-8s %-24s %-10s",
           findings > 0      ? "REFUSED"
           : was_run(report) ? "ok"
                             : "NOT RUN",
           name, *kind ? kind : "-");
    if (calls > 0)
        printf(" %3" PRId64 " windows %4" PRId64 " calls %8.1f ms, slowest call %.2f ms", markets,
               calls, (double)elapsed_us / 1e3, (double)slowest_us / 1e3);
    putchar('\n');
    if (!pt_doc_child(report, "notes", &notes) || !bson_iter_init(&iter, &notes)) return;
    while (bson_iter_next(&iter)) printf("         note: %s\n", bson_iter_utf8(&iter, NULL));
}

/* In one configuration and in one folder a name has one script; files that were given need not
 * live together. */
static enum pt_code refuse_twin(struct list *names, size_t group, bson_t **report,
                                struct pt_err *err)
{
    const char *name = "", *file = "";
    char words[PATH_MAX + 100];
    size_t i = 0;
    pt_doc_text(*report, "name", &name);
    pt_doc_text(*report, "file", &file);
    while (i < names->n && (names->v[i].group != group || strcmp(names->v[i].path, name) != 0)) i++;
    if (i == names->n) return add(names, name, file, group, err);
    snprintf(words, sizeof words, "the name %s is taken by %s: give it another", name,
             names->v[i].root);
    bson_t *more = bson_new(), list, item;
    bson_copy_to_excluding_noinit(*report, more, "findings", (char *)NULL);
    bool good = bson_append_array_begin(more, "findings", -1, &list) &&
                bson_append_document_begin(&list, "0", -1, &item) &&
                bson_append_utf8(&item, "message", -1, words, -1) &&
                bson_append_utf8(&item, "file", -1, file, -1) &&
                bson_append_int64(&item, "line", -1, 1) && bson_append_document_end(&list, &item) &&
                bson_append_array_end(more, &list);
    bson_destroy(*report);
    *report = more;
    return good ? PT_OK : pt_fail(err, PT_ENOMEM, "report on %s", words);
}

static void tell(struct told *told, const bson_t *report)
{
    size_t n = print_findings(report, told->json);
    told->findings += n;
    told->bad += n > 0;
    bool unproven = n == 0 && !was_run(report);
    told->unproven += unproven;
    if (told->json)
        pt_doc_json(report, &told->writer);
    else if (!told->quiet || n > 0 || unproven)
        print_summary(report, n);
    if (!told->json) fflush(stdout); /* each takes a while */
}

/* ---- the command
 * ---------------------------------------------------------------------------------------------- */

static enum pt_code check_all(struct pt_cli *cli, const struct list *files, struct told *told,
                              struct pt_err *err)
{
    const struct pt_conf *conf = pt_cli_conf(cli);
    const char *store = NULL, *variable = getenv("PETROSA_DATA");
    struct pt_loop *loop = NULL;
    enum pt_code rc = PT_OK;
    /* a store that was named is looked at; one of the environment may not have been made yet */
    if (pt_cli_has(cli, "data") || (variable && *variable)) {
        rc = pt_cli_need_store(cli, err);
        if (rc == PT_OK) store = pt_conf_text(conf, "store", "path");
        if (rc == PT_ENOENT && !pt_cli_has(cli, "data")) rc = PT_OK;
    }
    if (rc == PT_OK) rc = pt_loop_new(&loop, err);
    for (size_t i = 0; i < files->n && rc == PT_OK && !pt_cli_stopped(); i++) {
        const struct file *file = &files->v[i];
        bson_t *report = NULL;
        rc = pt_script_check(loop, conf, file->path, *file->root ? file->root : NULL, store,
                             &report, err);
        if (rc == PT_OK && file->group > 0)
            rc = refuse_twin(&told->names, file->group, &report, err);
        if (rc == PT_OK) tell(told, report);
        if (report) bson_destroy(report);
    }
    pt_loop_free(loop);
    if (rc == PT_OK && pt_cli_stopped()) rc = pt_fail(err, PT_ECANCEL, "stopped");
    return rc;
}

static int run(struct pt_cli *cli)
{
    struct pt_err err = { 0 };
    struct list files = { 0 };
    struct told told = { .json = pt_cli_has(cli, "json"), .quiet = pt_cli_quiet(cli) };
    enum pt_code rc = PT_OK;
    for (size_t i = 0; i < pt_cli_nargs(cli) && rc == PT_OK; i++)
        rc = add_path(&files, pt_cli_arg(cli, i), i + 1, &err);
    if (pt_cli_nargs(cli) == 0) rc = add_configured(pt_cli_conf(cli), &files, &err);
    pt_cli_catch_signals();
    pt_json_init(&told.writer, &told.out);
    pt_json_object(&told.writer);
    pt_json_key(&told.writer, "scripts");
    pt_json_array(&told.writer);
    if (rc == PT_OK) rc = check_all(cli, &files, &told, &err);
    pt_json_array_end(&told.writer);
    pt_json_kv_int(&told.writer, "findings", (int64_t)told.findings);
    pt_json_object_end(&told.writer);
    pt_buf_putc(&told.out, '\n');
    if (rc == PT_OK && told.json && told.out.failed)
        rc = pt_fail(&err, PT_ENOMEM, "out of memory");
    else if (rc == PT_OK && told.json)
        fwrite(told.out.data, 1, told.out.len, stdout);
    pt_buf_fini(&told.out);
    free(told.names.v);
    free(files.v);
    if (rc == PT_OK && told.unproven > 0)
        rc = pt_fail(&err, PT_ESCRIPT,
                     "%zu of %zu scripts not run, so nothing is proven of them; %zu refused, %zu "
                     "findings",
                     told.unproven, files.n, told.bad, told.findings);
    if (rc == PT_OK && told.bad > 0)
        rc = pt_fail(&err, PT_ESCRIPT, "%zu of %zu scripts refused, %zu findings", told.bad,
                     files.n, told.findings);
    return rc == PT_OK ? 0 : pt_cli_fail(cli, &err);
}

const struct pt_command pt_cmd_check = {
    .name = "check",
    .args = "[PATH...]",
    .about = "proves scripts pure: loads them, runs them against themselves; file:line of findings",
    .text =
        "PATH is a file or a folder of scripts (default: all of [scripts] path). Each script is "
        "loaded by a worker of its own, with its walls and budgets, and run on made-up markets "
        "(walks, holes, missing values, flat prices, few bars, no volume): in two orders, in fresh "
        "and used virtual machines, compiled and interpreted, 400 years later, under another "
        "symbol, with and without the bars around its window, and with other words and bounds of "
        "its "
        "parameters. What changes is refused, and so is "
        "a variable that keeps a value, an output that is not as declared, and a call over its "
        "budget; a script that no market let run is NOT RUN and fails as well. No daemon and no "
        "store are needed; recent windows of a store are looked at too "
        "when --data (or PETROSA_DATA) names one.",
    .options = options,
    .min_args = 0,
    .max_args = SIZE_MAX,
    .run = run,
};
