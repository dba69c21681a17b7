/* cmd_compute.c - one full cycle over the store, without a server. */
#include "cli/commands.h"
#include "cli/lists.h"
#include "cli/progress.h"

#include "base/json.h"
#include "base/timefmt.h"
#include "flow/engine.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

static const struct pt_cli_option options[] = {
    { "pairs", "A,B", "only these symbols (default all in the store)", false },
    { "periods", "1h,1d", "these periods (default what the scripts ask for)", false },
    { "as-of", "T", "windows end at the last close at or before T (default newest)", false },
    { "json", NULL, "prints the table as JSON", false },
    { NULL, NULL, NULL, false },
};

static struct pt_engine *running; /* for Ctrl-C */

static void on_signal(int number)
{
    (void)number;
    pt_engine_interrupt(running);
}

struct table {
    struct pt_progress bar;
    struct pt_json *json; /* NULL = text */
};

static void on_progress(void *arg, uint64_t done, uint64_t total)
{
    struct table *table = arg;
    table->bar.total = total;
    pt_progress_show(&table->bar, done, done);
}

static void on_row(void *arg, const struct pt_cycle_row *row)
{
    struct table *table = arg;
    char period[PT_PERIOD_TEXT_MAX];
    pt_period_print(row->period_us, period);
    if (table->json == NULL) {
        printf("%-20s %-6s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %12.1f\n", row->script, period,
               row->computed, row->warming, row->failed,
               row->computed == 0 ? 0.0 : (double)row->elapsed_us / (double)row->computed);
        return;
    }
    pt_json_object(table->json);
    pt_json_kv_text(table->json, "script", row->script);
    pt_json_kv_text(table->json, "period", period);
    pt_json_kv_int(table->json, "computed", (int64_t)row->computed);
    pt_json_kv_int(table->json, "warming", (int64_t)row->warming);
    pt_json_kv_int(table->json, "failed", (int64_t)row->failed);
    pt_json_kv_int(table->json, "elapsed_us", (int64_t)row->elapsed_us);
    pt_json_object_end(table->json);
}

static int run(struct pt_cli *cli)
{
    static char symbols[PT_LIST_MAX][PT_SYMBOL_MAX];
    const char *pairs[PT_LIST_MAX + 1];
    int64_t periods[PT_LIST_MAX + 1];
    struct pt_buf out = { 0 };
    struct pt_json json;
    struct table table = { .json = NULL };
    struct pt_cycle_opts opts = {
        .as_of_us = INT64_MAX, .progress = on_progress, .row = on_row, .arg = &table
    };
    if (!pt_cli_symbols(cli, "pairs", symbols, pairs) || !pt_cli_periods(cli, "periods", periods) ||
        !pt_cli_time(cli, "as-of", &opts.as_of_us))
        return 2;
    if (pairs[0] != NULL) opts.pairs = pairs;
    if (periods[0] != 0) opts.periods_us = periods;
    struct pt_err err = { 0 };
    struct pt_cycle_sums sums = { 0 };
    enum pt_code rc = pt_cli_need_store(cli, &err);
    if (rc == PT_OK) rc = pt_engine_new(pt_cli_conf(cli), PT_ENGINE_BATCH, NULL, &running, &err);
    if (rc == PT_OK) {
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
        pt_progress_start(&table.bar, "compute", "units", 0, pt_cli_quiet(cli));
        if (pt_cli_has(cli, "json")) {
            table.json = &json;
            pt_json_init(&json, &out);
            pt_json_object(&json);
            pt_json_key(&json, "rows");
            pt_json_array(&json);
        } else {
            printf("%-20s %-6s %10s %10s %10s %12s\n", "script", "period", "computed", "warming",
                   "failed", "us each");
        }
        rc = pt_engine_compute(running, &opts, &sums, &err);
        pt_progress_end(&table.bar);
        signal(SIGINT, SIG_DFL); /* there will be no engine to interrupt */
        signal(SIGTERM, SIG_DFL);
    }
    pt_engine_free(running);
    if (rc == PT_OK && table.json == NULL)
        printf("%" PRIu64 " units, %" PRIu64 " results, %" PRIu64 " failed, %" PRIu64
               " new anomalies, %.1f ms\n",
               sums.units, sums.results, sums.failed, sums.anomalies, (double)sums.wall_us / 1e3);
    if (rc == PT_OK && table.json != NULL) {
        pt_json_array_end(&json);
        pt_json_kv_int(&json, "units", (int64_t)sums.units);
        pt_json_kv_int(&json, "results", (int64_t)sums.results);
        pt_json_kv_int(&json, "failed", (int64_t)sums.failed);
        pt_json_kv_int(&json, "anomalies", (int64_t)sums.anomalies);
        pt_json_kv_int(&json, "wall_us", sums.wall_us);
        pt_json_object_end(&json);
        pt_buf_putc(&out, '\n');
        if (out.failed)
            rc = pt_fail(&err, PT_ENOMEM, "out of memory");
        else
            fwrite(out.data, 1, out.len, stdout);
    }
    pt_buf_fini(&out);
    if (rc == PT_OK && sums.failed > 0)
        rc = pt_fail(&err, PT_ESCRIPT,
                     "%" PRIu64 " results failed; `petrosa eval NAME` shows the error of one",
                     sums.failed);
    return rc == PT_OK ? 0 : pt_cli_fail(cli, &err);
}

const struct pt_command pt_cmd_compute = {
    .name = "compute",
    .args = "",
    .about = "one full cycle over the store, without a server",
    .text = "Computes every script for every symbol and stores the results; computing again gives "
            "the same values. May run beside a "
            "daemon. Exit code 1 when a script failed.",
    .options = options,
    .run = run,
};
