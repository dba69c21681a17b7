/* cmd_export.c - stored rows as CSV, JSON lines or SQLite, with the digits they came with. */
#include "cli/commands.h"
#include "cli/pages.h"
#include "cli/progress.h"
#include "cli/sqlite_out.h"
#include "cli/target.h"

#include "base/timefmt.h"
#include "data/dump.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct pt_cli_option options[] = {
    { "kind", "K", "candles, trades, depth, funding, tickers or marks (default candles)", false },
    { "pair", "S", "symbol (required)", false },
    { "period", "P", "bar length (candles: required)", false },
    { "start", "T", "first time, inclusive", false },
    { "end", "T", "last time, exclusive", false },
    { "format", "csv|jsonl|sqlite", "default csv; sqlite needs --output", false },
    { "output", "FILE",
      "-o FILE: written beside it and renamed when complete; default standard output", false },
    { NULL, NULL, NULL, false },
};

enum format { CSV, JSONL, SQLITE };

struct sink {
    enum format format;
    FILE *file;                /* text formats */
    struct pt_sqlite_out *sql; /* sqlite */
    struct pt_buf buf;
};

static enum pt_code write_page(struct sink *sink, const struct pt_frame *frame, struct pt_err *err)
{
    if (sink->format == SQLITE) return pt_sqlite_out_rows(sink->sql, frame, err);
    pt_buf_clear(&sink->buf);
    if (sink->format == CSV)
        pt_dump_csv(frame, 0, frame->n, &sink->buf);
    else
        pt_dump_jsonl(frame, 0, frame->n, &sink->buf);
    if (sink->buf.failed) return pt_fail(err, PT_ENOMEM, "out of memory");
    if (fwrite(sink->buf.data, 1, sink->buf.len, sink->file) != sink->buf.len)
        return pt_fail(err, errno == ENOSPC ? PT_EFULL : PT_EIO, "output: %s", strerror(errno));
    return PT_OK;
}

static enum pt_code write_header(struct sink *sink, const struct pt_kind *kind, struct pt_err *err)
{
    if (sink->format != CSV) return PT_OK;
    pt_dump_csv_header(kind, &sink->buf);
    if (sink->buf.failed) return pt_fail(err, PT_ENOMEM, "out of memory");
    fwrite(sink->buf.data, 1, sink->buf.len, sink->file);
    return ferror(sink->file) ? pt_fail(err, PT_EIO, "output: %s", strerror(errno)) : PT_OK;
}

static enum pt_code copy_rows(struct pt_cli *cli, struct pt_store *store,
                              const struct pt_series_key *key, int64_t from_us, int64_t to_us,
                              struct sink *sink, struct pt_err *err)
{
    struct pt_read *read = NULL;
    struct pt_series series;
    uint64_t total = 0, done = 0;
    char name[PT_SERIES_TEXT_MAX];
    pt_series_print(key, name);
    enum pt_code rc = pt_read_begin(store, &read, err);
    if (rc == PT_OK && (rc = pt_series_find(read, key, &series, err)) == PT_ENOENT)
        rc = pt_fail(err, PT_ENOENT, "there is no %s in %s; `petrosa import` brings data in", name,
                     pt_store_path(store));
    if (rc == PT_OK) rc = pt_series_count(read, key, from_us, to_us, &total, err);
    pt_read_end(read);
    if (rc != PT_OK) return rc;
    struct pt_progress bar;
    pt_progress_start(&bar, "export", "rows", total, pt_cli_quiet(cli));
    struct pt_pages pages;
    pt_pages_init(&pages, store, key, from_us, to_us);
    rc = write_header(sink, pt_kind(key->kind), err);
    while (rc == PT_OK && (rc = pt_pages_next(&pages, err)) == PT_OK && pages.frame.n > 0) {
        rc = write_page(sink, &pages.frame, err);
        done += pages.frame.n;
        pt_progress_show(&bar, done, done);
        if (rc == PT_OK && pt_cli_stopped())
            rc = pt_fail(err, PT_ECANCEL, "stopped after %" PRIu64 " rows", done);
    }
    pt_progress_end(&bar);
    pt_pages_fini(&pages);
    return rc;
}

static bool take_options(struct pt_cli *cli, struct pt_series_key *key, int64_t *from_us,
                         int64_t *to_us, enum format *format)
{
    const char *kind_name = pt_cli_has(cli, "kind") ? pt_cli_value(cli, "kind") : "candles";
    const struct pt_kind *kind = pt_kind_named(kind_name);
    if (kind == NULL) {
        pt_cli_usage(cli,
                     "--kind \"%s\" is not one of candles, trades, depth, funding, tickers, marks",
                     kind_name);
        return false;
    }
    key->kind = kind->id;
    if (!pt_cli_has(cli, "pair") || kind->by_period != pt_cli_has(cli, "period")) {
        pt_cli_usage(cli,
                     kind->by_period ? "%s need --pair and --period"
                                     : "%s need --pair and have no --period",
                     kind_name);
        return false;
    }
    const char *name = pt_cli_has(cli, "format") ? pt_cli_value(cli, "format") : "csv";
    if (strcmp(name, "csv") == 0)
        *format = CSV;
    else if (strcmp(name, "jsonl") == 0)
        *format = JSONL;
    else if (strcmp(name, "sqlite") == 0 && pt_cli_has(cli, "output"))
        *format = SQLITE;
    else {
        pt_cli_usage(cli, "--format \"%s\": give csv, jsonl or (with --output FILE) sqlite", name);
        return false;
    }
    return pt_cli_symbol(cli, "pair", key->symbol) &&
           pt_cli_period(cli, "period", &key->period_us) && pt_cli_time(cli, "start", from_us) &&
           pt_cli_time(cli, "end", to_us);
}

static enum pt_code open_sink(struct sink *sink, struct pt_target *target,
                              const struct pt_series_key *key, struct pt_err *err)
{
    if (sink->format == SQLITE) {
        enum pt_code rc = pt_target_clear(target, err);
        return rc == PT_OK ? pt_sqlite_out_open(target->partial, key, &sink->sql, err) : rc;
    }
    enum pt_code rc = pt_target_open(target, err);
    sink->file = target->file;
    return rc;
}

static enum pt_code close_sink(struct sink *sink, struct pt_target *target, enum pt_code rc,
                               struct pt_err *err)
{
    if (rc == PT_OK && sink->sql != NULL) rc = pt_sqlite_out_finish(sink->sql, err);
    pt_sqlite_out_close(sink->sql);
    pt_buf_fini(&sink->buf);
    return pt_target_close(target, rc, err);
}

static int run(struct pt_cli *cli)
{
    struct pt_series_key key = { .period_us = 0 };
    int64_t from_us = 0, to_us = INT64_MAX;
    struct sink sink = { .format = CSV };
    if (!take_options(cli, &key, &from_us, &to_us, &sink.format)) return 2;
    struct pt_err err = { 0 };
    struct pt_store *store = NULL;
    const char *path = pt_cli_value(cli, "output");
    struct pt_target target;
    if (path != NULL && path[0] == '\0') return pt_cli_usage(cli, "--output needs a file's name");
    if (pt_target_find(&target, path, sink.format == SQLITE ? "sqlite" : NULL, &err) != PT_OK)
        return pt_cli_fail(cli, &err);
    struct pt_store_opts opts = { .path = pt_conf_text(pt_cli_conf(cli), "store", "path"),
                                  .readonly = true };
    pt_cli_catch_signals();
    enum pt_code rc = pt_store_open(&opts, &store, &err);
    if (rc == PT_OK) {
        rc = open_sink(&sink, &target, &key, &err);
        if (rc == PT_OK) rc = copy_rows(cli, store, &key, from_us, to_us, &sink, &err);
        rc = close_sink(&sink, &target, rc, &err);
    }
    pt_store_close(store);
    return rc == PT_OK ? 0 : pt_cli_fail(cli, &err);
}

const struct pt_command pt_cmd_export = {
    .name = "export",
    .args = "",
    .about = "stored rows as CSV, JSON lines or SQLite, with the digits they came with",
    .text = "Importing an export gives the same rows again: times in us, exact digits, an empty "
            "cell for a missing value.",
    .options = options,
    .run = run,
};
