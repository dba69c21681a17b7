/* cmd_import.c - market data files into the store. */
#include "cli/commands.h"
#include "cli/importer.h"
#include "cli/progress.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/timefmt.h"
#include "data/decode.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct pt_cli_option options[] = {
    { "symbol", "S", "symbol of the rows, where name and content do not tell", false },
    { "period", "P", "bar length, where name and content do not tell", false },
    { "kind", "candles|trades|funding|depth", "kind of the rows, where the content does not tell",
      false },
    { "rejects", "FILE", "writes each rejected row with file, line number and reason", false },
    { "max-rejects", "PERCENT", "more rejected rows than this are a failure (default 1)", false },
    { "json", NULL, "prints the table as JSON", false },
    { NULL, NULL, NULL, false },
};

struct shown {
    struct pt_progress bar;
    uint64_t done_bytes, done_rows; /* of the files before this one */
    bool quiet;
};

static void on_progress(void *arg, const struct pt_import_file *file, bool committed)
{
    struct shown *shown = arg;
    uint64_t rows = file->put.inserted + file->put.replaced + file->put.unchanged;
    if (committed && !shown->quiet && !shown->bar.terminal)
        fprintf(stderr, "committed %s rows=%" PRIu64 "\n", file->path, rows);
    if (shown->bar.terminal)
        pt_progress_show(&shown->bar, shown->done_bytes + file->read.bytes_in,
                         shown->done_rows + rows);
}

static void print_head(void)
{
    printf("%-36s %10s %10s %10s %10s %10s %6s %8s\n", "file", "rows", "inserted", "replaced",
           "unchanged", "rejected", "gaps", "missing");
}

static void print_row(const struct pt_import_file *file)
{
    const char *slash = strrchr(file->path, '/');
    printf("%-36s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %6" PRIu64
           " %8" PRIu64 "\n",
           slash != NULL ? slash + 1 : file->path, file->read.rows, file->put.inserted,
           file->put.replaced, file->put.unchanged, file->read.rejected, file->gaps, file->missing);
    for (size_t i = 0; i < file->nreasons; i++)
        printf("  rejected %" PRIu64 ": %s\n", file->reasons[i].count, file->reasons[i].reason);
    if (file->repeated > 0)
        printf("  repeated %" PRIu64 ": the same key came again, the last row was taken\n",
               file->repeated);
    if (file->read.bookless > 0)
        printf("  without a book %" PRIu64
               ": differences that follow no snapshot of an order book; "
               "give the snapshot first\n",
               file->read.bookless);
    if (file->failed) printf("  not read to its end: %s\n", file->err.text);
}

static void json_row(struct pt_json *json, const struct pt_import_file *file)
{
    pt_json_object(json);
    pt_json_kv_text(json, "file", file->path);
    pt_json_kv_text(json, "layout", file->read.layout);
    pt_json_kv_int(json, "rows", (int64_t)file->read.rows);
    pt_json_kv_int(json, "inserted", (int64_t)file->put.inserted);
    pt_json_kv_int(json, "replaced", (int64_t)file->put.replaced);
    pt_json_kv_int(json, "unchanged", (int64_t)file->put.unchanged);
    pt_json_kv_int(json, "repeated", (int64_t)file->repeated);
    pt_json_kv_int(json, "bookless", (int64_t)file->read.bookless);
    pt_json_kv_int(json, "rejected", (int64_t)file->read.rejected);
    pt_json_key(json, "reasons");
    pt_json_object(json);
    for (size_t i = 0; i < file->nreasons; i++)
        pt_json_kv_int(json, file->reasons[i].reason, (int64_t)file->reasons[i].count);
    pt_json_object_end(json);
    pt_json_kv_int(json, "gaps", (int64_t)file->gaps);
    pt_json_kv_int(json, "missing", (int64_t)file->missing);
    pt_json_key(json, "series");
    pt_json_array(json);
    for (size_t i = 0; i < file->nseries; i++) {
        const struct pt_import_series *series = &file->series[i];
        char name[PT_SERIES_TEXT_MAX];
        pt_series_print(&series->key, name);
        pt_json_object(json);
        pt_json_kv_text(json, "series", name);
        pt_json_kv_int(json, "rows", (int64_t)series->rows);
        pt_json_kv_time(json, "first", series->first_us);
        pt_json_kv_time(json, "last", series->last_us);
        pt_json_object_end(json);
    }
    pt_json_array_end(json);
    pt_json_kv_text(json, "error", file->failed ? file->err.text : NULL);
    pt_json_object_end(json);
}

/* "1", "1%", "0.5 %": a percentage 0..100. */
static bool parse_percent(const char *text, double *percent)
{
    char *end;
    errno = 0;
    *percent = strtod(text, &end);
    if (end == text || errno != 0 || !(*percent >= 0 && *percent <= 100)) return false;
    end += strspn(end, " ");
    if (*end == '%') end++;
    return *end == '\0';
}

static bool take_options(struct pt_cli *cli, struct pt_import_opts *opts, char *symbol,
                         double *max_rejects)
{
    opts->hint.kind = -1;
    opts->hint.now_us = pt_now_us();
    if (!pt_cli_symbol(cli, "symbol", symbol) ||
        !pt_cli_period(cli, "period", &opts->hint.period_us))
        return false;
    if (pt_cli_has(cli, "symbol")) opts->hint.symbol = symbol;
    const char *kind = pt_cli_value(cli, "kind");
    if (kind != NULL) {
        const struct pt_kind *known = pt_kind_named(kind);
        if (known == NULL) {
            pt_cli_usage(cli, "--kind \"%s\" is not one of candles, trades, funding, depth", kind);
            return false;
        }
        opts->hint.kind = (int)known->id;
    }
    const char *percent = pt_cli_value(cli, "max-rejects");
    if (percent != NULL && !parse_percent(percent, max_rejects)) {
        pt_cli_usage(cli, "--max-rejects \"%s\" is no percentage from 0 to 100", percent);
        return false;
    }
    return true;
}

struct outcome {
    unsigned unread, over; /* files not read to the end; files with too many rejects */
    const char *first;
    struct pt_err err;
};

static void judge(struct outcome *outcome, const struct pt_import_file *file, double max_rejects)
{
    uint64_t all = file->read.rows + file->read.rejected;
    bool over = all > 0 && (double)file->read.rejected * 100 > max_rejects * (double)all;
    if (!file->failed && !over) return;
    if (outcome->first == NULL) {
        outcome->first = file->path;
        if (file->failed)
            outcome->err = file->err;
        else
            pt_fail(
                &outcome->err, PT_EINVAL,
                "%s: %" PRIu64 " of %" PRIu64
                " rows rejected, more than %g %%; see the reasons above, --rejects FILE lists them",
                file->path, file->read.rejected, all, max_rejects);
    }
    outcome->unread += file->failed;
    outcome->over += over;
}

static uint64_t size_of_all(const struct pt_cli *cli)
{
    uint64_t bytes = 0;
    struct stat info;
    for (size_t i = 0; i < pt_cli_nargs(cli); i++)
        if (stat(pt_cli_arg(cli, i), &info) == 0) bytes += (uint64_t)info.st_size;
    return bytes;
}

static enum pt_code import_all(struct pt_cli *cli, struct pt_store *store,
                               struct pt_import_opts *opts, double max_rejects,
                               struct outcome *outcome, struct pt_err *err)
{
    bool as_json = pt_cli_has(cli, "json");
    struct pt_buf out = { 0 };
    struct pt_json json;
    pt_json_init(&json, &out);
    if (as_json)
        pt_json_array(&json);
    else
        print_head();
    struct shown shown = { .quiet = pt_cli_quiet(cli) };
    pt_progress_start(&shown.bar, "import", "rows", size_of_all(cli), shown.quiet);
    opts->progress = on_progress;
    opts->arg = &shown;
    enum pt_code rc = PT_OK;
    for (size_t i = 0; rc == PT_OK && i < pt_cli_nargs(cli); i++) {
        struct pt_import_file file;
        rc = pt_import_run(store, pt_cli_arg(cli, i), opts, &file, err);
        pt_progress_end(&shown.bar);
        if (as_json)
            json_row(&json, &file);
        else
            print_row(&file);
        judge(outcome, &file, max_rejects);
        shown.done_bytes += file.read.bytes_total;
        shown.done_rows += file.read.rows;
        pt_import_file_fini(&file);
    }
    if (as_json) {
        pt_json_array_end(&json);
        pt_buf_putc(&out, '\n');
        if (out.failed && rc == PT_OK)
            rc = pt_fail(err, PT_ENOMEM, "out of memory");
        else if (!out.failed)
            fwrite(out.data, 1, out.len, stdout);
        pt_buf_fini(&out);
    }
    return rc;
}

/* Opening the list of rejects empties it: it must not be one of the files. */
static bool among_files(const struct pt_cli *cli, const char *path)
{
    struct stat list, file;
    if (stat(path, &list) != 0 || !S_ISREG(list.st_mode)) return false;
    for (size_t i = 0; i < pt_cli_nargs(cli); i++)
        if (stat(pt_cli_arg(cli, i), &file) == 0 && file.st_dev == list.st_dev &&
            file.st_ino == list.st_ino)
            return true;
    return false;
}

/* What was lost on the way is known by the flag only. */
static enum pt_code close_rejects(FILE *file, const char *path, struct pt_err *err)
{
    bool lost = ferror(file) != 0;
    errno = 0;
    if (fclose(file) == 0 && !lost) return PT_OK;
    return pt_fail(err, PT_EIO, "%s: not all rejected rows could be written%s%s", path,
                   errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
}

static int run(struct pt_cli *cli)
{
    char symbol[PT_SYMBOL_MAX];
    double max_rejects = 1;
    struct pt_err err = { 0 };
    struct pt_import_opts opts = { .stopped = pt_cli_stopped };
    if (!take_options(cli, &opts, symbol, &max_rejects)) return 2;
    opts.commit_rows = (uint64_t)pt_conf_int(pt_cli_conf(cli), "store", "commit_rows");

    const char *rejects = pt_cli_value(cli, "rejects");
    if (rejects != NULL && among_files(cli, rejects))
        return pt_cli_usage(cli, "--rejects %s is one of the files to import", rejects);
    if (rejects != NULL && (opts.rejects = fopen(rejects, "w")) == NULL) {
        pt_fail(&err, PT_EIO, "%s: %s", rejects, strerror(errno));
        return pt_cli_fail(cli, &err);
    }
    struct pt_store *store = NULL;
    struct outcome outcome = { 0 };
    struct pt_store_opts store_opts = {
        .path = pt_conf_text(pt_cli_conf(cli), "store", "path"),
        .full_sync = strcmp(pt_conf_text(pt_cli_conf(cli), "store", "sync"), "full") == 0,
        .max_bytes = (uint64_t)pt_conf_int(pt_cli_conf(cli), "store", "max_size")
    };
    pt_cli_catch_signals();
    enum pt_code rc = pt_store_open(&store_opts, &store, &err);
    /* one for all files: a recording that was cut in pieces goes on where it was cut */
    if (rc == PT_OK) rc = pt_decoder_new(&opts.hint.decoder, &err);
    if (rc == PT_OK) rc = import_all(cli, store, &opts, max_rejects, &outcome, &err);
    pt_decoder_free(opts.hint.decoder);
    pt_store_close(store);
    struct pt_err late = { 0 };
    enum pt_code closed =
        opts.rejects != NULL ? close_rejects(opts.rejects, rejects, &late) : PT_OK;
    if (rc == PT_OK && closed != PT_OK) {
        rc = closed;
        err = late;
    }
    if (rc != PT_OK) return pt_cli_fail(cli, &err);
    return outcome.first != NULL ? pt_cli_fail(cli, &outcome.err) : 0;
}

const struct pt_command pt_cmd_import = {
    .name = "import",
    .args = "FILE...",
    .about = "market data files into the store",
    .text =
        "Takes public dumps (.csv, .csv.gz, .zip; with or without a header; ms or us), REST "
        "candle files, our own exports and "
        "captured websocket lines. Symbol, period and kind come from the file's name or "
        "content unless given. Importing "
        "again changes nothing. A row that cannot be right is rejected, counted by reason and, "
        "with --rejects, listed. "
        "Captured order books go on from file to file: give the files of one recording in order, "
        "the snapshot before, or within a minute of, the differences that follow it. A series of "
        "books is of one market: where spot and USD-M use one name, the books of the one that "
        "came second are rejected as other_market; keep them in a store of their own (--data). "
        "Each `committed` line means that so many rows are durable. Exit code 1 when a file "
        "could not be read to its end "
        "or too many of its rows were rejected.",
    .options = options,
    .min_args = 1,
    .max_args = SIZE_MAX,
    .run = run,
};
