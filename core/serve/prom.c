/* prom.c - /metrics: the original system's names where we have the figure.      [layer: serve]
 * Endpoints are route templates and scripts are those loaded: no label grows without bound. */
#include "base/clock.h"
#include "serve/thread.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PT_TYPE_PROM "text/plain; version=0.0.4; charset=utf-8"
#define OLD "data_manager_"
#define NEW "petrosa_"

static void head(struct pt_buf *out, const char *name, const char *type, const char *help)
{
    pt_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label value: backslash, quote and line feed are escaped. */
static void label(struct pt_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            pt_buf_puts(out, "\\n");
            continue;
        }
        if (*text == '\\' || *text == '"') pt_buf_putc(out, '\\');
        pt_buf_putc(out, *text);
    }
}

static void one(struct pt_buf *out, const char *name, const char *type, const char *help,
                uint64_t v)
{
    head(out, name, type, help);
    pt_buf_printf(out, "%s %" PRIu64 "\n", name, v);
}

static void seconds(struct pt_buf *out, const char *name, const char *type, const char *help,
                    int64_t us)
{
    head(out, name, type, help);
    pt_buf_printf(out, "%s %.6f\n", name, (double)us / 1e6);
}

/* ---- requests -----------------------------------------------------------------------------------
 */

static uint64_t get(const atomic_uint_fast64_t *figure)
{
    return atomic_load_explicit(figure, memory_order_relaxed);
}

/* The sum over all threads of the figure at the same place in each. */
static uint64_t sum(const struct pt_http *http, const atomic_uint_fast64_t *in_first)
{
    size_t offset = (size_t)((const char *)in_first - (const char *)&http->threads[0].figures);
    uint64_t total = 0;
    for (unsigned i = 0; i < http->nthreads; i++) {
        total += get(
            (const atomic_uint_fast64_t *)(const void *)((const char *)&http->threads[i].figures +
                                                         offset));
    }
    return total;
}

typedef void (*row_fn)(struct pt_buf *out, const struct pt_http *http,
                       const struct pt_route_figures *row, const char *labels);

/* Calls fn for each route and method that was ever asked for. */
static void each_row(struct pt_buf *out, const struct pt_http *http, row_fn fn)
{
    const struct pt_figures *first = &http->threads[0].figures;
    for (size_t r = 0; r <= pt_routes_count(); r++) {
        for (size_t m = 0; m < PT_METHODS; m++) {
            const struct pt_route_figures *row = &first->route[r][m];
            uint64_t n = 0;
            for (size_t s = 0; s <= PT_DURATION_STEPS && n == 0; s++)
                n = sum(http, &row->duration[s]);
            if (n == 0) continue;
            char labels[160];
            snprintf(labels, sizeof labels, "method=\"%s\",endpoint=\"%s\"", pt_method_names[m],
                     r == 0 ? "other" : pt_routes[r - 1].path);
            fn(out, http, row, labels);
        }
    }
}

static void status_rows(struct pt_buf *out, const struct pt_http *http,
                        const struct pt_route_figures *row, const char *labels)
{
    for (size_t s = 0; s < PT_STATUSES; s++) {
        uint64_t n = sum(http, &row->status[s]);
        if (n == 0) continue;
        pt_buf_printf(out, OLD "requests_total{%s,status_code=\"%d\"} %" PRIu64 "\n", labels,
                      pt_statuses[s], n);
    }
}

static void error_rows(struct pt_buf *out, const struct pt_http *http,
                       const struct pt_route_figures *row, const char *labels)
{
    uint64_t client = 0, server = 0;
    for (size_t s = 0; s < PT_STATUSES; s++) {
        uint64_t n = sum(http, &row->status[s]);
        if (pt_statuses[s] >= 400 && pt_statuses[s] < 500) client += n;
        if (pt_statuses[s] >= 500) server += n;
    }
    if (client > 0)
        pt_buf_printf(out, OLD "errors_total{%s,error_type=\"client\"} %" PRIu64 "\n", labels,
                      client);
    if (server > 0)
        pt_buf_printf(out, OLD "errors_total{%s,error_type=\"server\"} %" PRIu64 "\n", labels,
                      server);
}

static void histogram(struct pt_buf *out, const struct pt_http *http, const char *name,
                      const char *labels, const atomic_uint_fast64_t *buckets, const double *steps,
                      size_t n, double total)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= n; i++) {
        count += sum(http, &buckets[i]);
        if (i < n)
            pt_buf_printf(out, "%s_bucket{%s,le=\"%g\"} %" PRIu64 "\n", name, labels, steps[i],
                          count);
        else
            pt_buf_printf(out, "%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", name, labels, count);
    }
    pt_buf_printf(out, "%s_sum{%s} %.9g\n%s_count{%s} %" PRIu64 "\n", name, labels, total, name,
                  labels, count);
}

static void duration_rows(struct pt_buf *out, const struct pt_http *http,
                          const struct pt_route_figures *row, const char *labels)
{
    histogram(out, http, OLD "request_duration_seconds", labels, row->duration, pt_duration_steps,
              PT_DURATION_STEPS, (double)sum(http, &row->duration_ns) / 1e9);
}

static void in_rows(struct pt_buf *out, const struct pt_http *http,
                    const struct pt_route_figures *row, const char *labels)
{
    histogram(out, http, OLD "request_size_bytes", labels, row->in, pt_size_steps, PT_SIZE_STEPS,
              (double)sum(http, &row->in_bytes));
}

static void out_rows(struct pt_buf *out, const struct pt_http *http,
                     const struct pt_route_figures *row, const char *labels)
{
    histogram(out, http, OLD "response_size_bytes", labels, row->out, pt_size_steps, PT_SIZE_STEPS,
              (double)sum(http, &row->out_bytes));
}

static void write_requests(struct pt_buf *out, struct pt_http *http)
{
    const struct pt_figures *first = &http->threads[0].figures;
    head(out, OLD "requests_total", "counter", "answered requests");
    each_row(out, http, status_rows);
    head(out, OLD "errors_total", "counter", "requests answered 4xx (client) or 5xx (server)");
    each_row(out, http, error_rows);
    head(out, OLD "request_duration_seconds", "histogram",
         "from the whole request to the whole reply being ready");
    each_row(out, http, duration_rows);
    head(out, OLD "request_size_bytes", "histogram", "headers and body of requests");
    each_row(out, http, in_rows);
    head(out, OLD "response_size_bytes", "histogram", "bodies of replies as sent");
    each_row(out, http, out_rows);
    one(out, NEW "http_connections", "gauge", "open connections",
        atomic_load_explicit(&http->connections, memory_order_relaxed));
    one(out, NEW "http_refused_total", "counter", "connections over the limit",
        atomic_load_explicit(&http->refused, memory_order_relaxed));
    one(out, NEW "http_timeouts_total", "counter", "requests that were not complete in time",
        atomic_load_explicit(&http->timeouts, memory_order_relaxed));
    head(out, NEW "http_cache_total", "counter",
         "kept replies: answered at once, after a look at their inputs, made anew");
    pt_buf_printf(out, NEW "http_cache_total{result=\"hit\"} %" PRIu64 "\n",
                  sum(http, &first->cache_hits));
    pt_buf_printf(out, NEW "http_cache_total{result=\"same\"} %" PRIu64 "\n",
                  sum(http, &first->cache_same));
    pt_buf_printf(out, NEW "http_cache_total{result=\"miss\"} %" PRIu64 "\n",
                  sum(http, &first->cache_misses));
}

/* ---- the engine ---------------------------------------------------------------------------------
 */

static void failed_row(void *arg, const char *type, const char *reason, uint64_t count)
{
    struct pt_buf *out = arg;
    pt_buf_puts(out, OLD "messages_failed_total{event_type=\"");
    label(out, type);
    pt_buf_puts(out, "\",error_type=\"");
    label(out, reason);
    pt_buf_printf(out, "\"} %" PRIu64 "\n", count);
}

static void feed_row(struct pt_buf *out, const char *name, const struct pt_engine_feed *feed,
                     uint64_t v)
{
    pt_buf_printf(out, "%s{feed=\"", name);
    label(out, feed->name);
    pt_buf_printf(out, "\"} %" PRIu64 "\n", v);
}

static void write_feeds(struct pt_buf *out, struct pt_engine *engine,
                        const struct pt_engine_stats *stats)
{
    uint64_t messages = 0;
    for (size_t i = 0; i < stats->nfeeds; i++) messages += stats->feeds[i].messages;
    head(out, OLD "messages_received_total", "counter",
         "messages of all feeds (raw), and those refused (invalid)");
    pt_buf_printf(out, OLD "messages_received_total{event_type=\"raw\"} %" PRIu64 "\n", messages);
    pt_buf_printf(out, OLD "messages_received_total{event_type=\"invalid\"} %" PRIu64 "\n",
                  stats->rejects_total);
    head(out, OLD "messages_failed_total", "counter", "refused messages by type and reason");
    pt_engine_rejects(engine, failed_row, out);
#define ROWS(name, type, help, value)                                                              \
    head(out, name, type, help);                                                                   \
    for (size_t i = 0; i < stats->nfeeds; i++)                                                     \
    feed_row(out, name, &stats->feeds[i], (uint64_t)(value))
    ROWS(NEW "feed_open", "gauge", "1 while the feed is open", stats->feeds[i].open);
    ROWS(NEW "feed_messages_total", "counter", "messages taken", stats->feeds[i].messages);
    ROWS(NEW "feed_rows_total", "counter", "rows decoded", stats->feeds[i].rows);
    ROWS(NEW "feed_ignored_total", "counter", "messages that carry nothing that is kept",
         stats->feeds[i].ignored);
    ROWS(NEW "feed_bookless_total", "counter",
         "order book differences that came while there was no valid book to change",
         stats->feeds[i].bookless);
    ROWS(NEW "feed_rejected_total", "counter", "messages refused", stats->feeds[i].rejected);
    ROWS(NEW "feed_ring_full_total", "counter", "pushes that had to wait for room",
         stats->feeds[i].full);
    ROWS(NEW "feed_ring_bytes", "gauge", "bytes between feed and writer",
         stats->feeds[i].ring_used);
#undef ROWS
    head(out, NEW "feed_last_message_timestamp_seconds", "gauge",
         "when the last message came, 0 = never");
    for (size_t i = 0; i < stats->nfeeds; i++) {
        pt_buf_puts(out, NEW "feed_last_message_timestamp_seconds{feed=\"");
        label(out, stats->feeds[i].name);
        pt_buf_printf(out, "\"} %.6f\n", (double)stats->feeds[i].last_message_us / 1e6);
    }
}

static void write_engine(struct pt_buf *out, const struct pt_engine_stats *stats)
{
    one(out, NEW "store_ok", "gauge", "0 while commits fail", stats->store_ok);
    one(out, NEW "commits_total", "counter", "commits of the writer", stats->commits);
    one(out, NEW "rows_committed_total", "counter", "rows stored", stats->rows);
    one(out, NEW "late_rows_total", "counter", "rows older than the newest of their series",
        stats->late);
    seconds(out, NEW "last_commit_timestamp_seconds", "gauge",
            "when the writer committed last, 0 = never", stats->last_commit_us);
    one(out, NEW "cycles_total", "counter", "cycles begun", stats->cycles);
    one(out, NEW "units_total", "counter", "units computed (one pair, period and time)",
        stats->units);
    one(out, NEW "results_total", "counter", "results stored", stats->results);
    one(out, NEW "failures_total", "counter", "results with status error", stats->failures);
    head(out, NEW "anomalies_total", "counter",
         "anomalies put into the log: by detectors, by what ingest sees");
    pt_buf_printf(out, NEW "anomalies_total{by=\"detector\"} %" PRIu64 "\n", stats->anomalies);
    pt_buf_printf(out, NEW "anomalies_total{by=\"ingest\"} %" PRIu64 "\n", stats->findings);
    one(out, NEW "anomaly_scan_bars", "gauge",
        "closed bars that detectors have yet to scan, at most", stats->to_scan);
    one(out, NEW "anomalies_dropped_total", "counter", "findings of ingest beyond what it may log",
        stats->findings_dropped);
    seconds(out, NEW "cycle_seconds", "gauge", "wall time of the last cycle", stats->cycle_wall_us);
    seconds(out, NEW "last_cycle_timestamp_seconds", "gauge",
            "when the last cycle began, 0 = never", stats->last_cycle_us);
    one(out, NEW "workers", "gauge", "worker processes", stats->pool.workers);
    one(out, NEW "workers_busy", "gauge", "workers that compute", stats->pool.busy);
    one(out, NEW "units_queued", "gauge", "units that wait for a worker", stats->pool.queued);
    one(out, NEW "worker_deaths_total", "counter", "workers that ended unasked",
        stats->pool.deaths);
    one(out, NEW "unit_retries_total", "counter",
        "units run again without the script that ended their worker", stats->pool.retries);
    one(out, NEW "quarantines_total", "counter", "scripts put into quarantine",
        stats->pool.quarantines);
    one(out, NEW "reloads_total", "counter", "reloads", stats->reloads);
    one(out, NEW "reload_failures_total", "counter", "reloads of which something was not taken",
        stats->reload_failures);
    seconds(out, NEW "reload_seconds", "gauge", "wall time of the last reload",
            stats->reload_wall_us);
    seconds(out, NEW "last_reload_timestamp_seconds", "gauge",
            "when the last reload was done, 0 = never", stats->last_reload_us);
}

static void script_row(struct pt_buf *out, const char *name, const struct pt_script *script,
                       const char *more, double v)
{
    pt_buf_printf(out, "%s{script=\"", name);
    label(out, script->name);
    pt_buf_printf(out, "\"%s} %.9g\n", more, v);
}

static void write_scripts(struct pt_buf *out, const struct pt_scripts *scripts)
{
    if (scripts == NULL) return;
    one(out, NEW "scripts_generation", "gauge", "number of the live set of scripts",
        scripts->generation);
    static const struct {
        const char *name, *help;
        enum pt_script_status status;
    } states[] = {
        { NEW "script_live", "1 = live in its newest version", PT_SCRIPT_LIVE },
        { NEW "script_previous", "1 = its change failed, the version before it is live",
          PT_SCRIPT_PREVIOUS },
        { NEW "script_quarantined", "1 = not run: it ended its worker too often",
          PT_SCRIPT_QUARANTINED },
    };
    for (size_t k = 0; k < sizeof states / sizeof states[0]; k++) {
        head(out, states[k].name, "gauge", states[k].help);
        for (size_t i = 0; i < scripts->n; i++) {
            script_row(out, states[k].name, &scripts->v[i], "",
                       scripts->v[i].status == states[k].status);
        }
    }
    head(out, NEW "script_calls_total", "counter", "calls");
    for (size_t i = 0; i < scripts->n; i++) {
        struct pt_script_stats *stats = scripts->v[i].stats;
        if (stats != NULL)
            script_row(out, NEW "script_calls_total", &scripts->v[i], "",
                       (double)get(&stats->calls));
    }
    head(out, NEW "script_errors_total", "counter", "calls that failed");
    for (size_t i = 0; i < scripts->n; i++) {
        struct pt_script_stats *stats = scripts->v[i].stats;
        if (stats != NULL)
            script_row(out, NEW "script_errors_total", &scripts->v[i], "",
                       (double)get(&stats->errors));
    }
    head(out, NEW "script_call_seconds", "gauge", "time of a call, quantiles since the start");
    for (size_t i = 0; i < scripts->n; i++) {
        struct pt_script_stats *stats = scripts->v[i].stats;
        if (stats == NULL) continue;
        script_row(out, NEW "script_call_seconds", &scripts->v[i], ",quantile=\"0.5\"",
                   (double)pt_script_quantile_us(stats, 0.5) / 1e6);
        script_row(out, NEW "script_call_seconds", &scripts->v[i], ",quantile=\"0.99\"",
                   (double)pt_script_quantile_us(stats, 0.99) / 1e6);
    }
}

struct stored {
    uint64_t series, rows, bytes;
};

static bool add_series(void *arg, const struct pt_series *series)
{
    struct stored *stored = arg;
    stored->series++;
    stored->rows += series->rows;
    stored->bytes += series->bytes;
    return true;
}

static enum pt_code write_store(struct pt_buf *out, struct pt_store *store, struct pt_err *err)
{
    struct stored stored = { 0 };
    struct pt_read *read = NULL;
    enum pt_code rc = pt_read_begin(store, &read, err);
    if (rc == PT_OK) rc = pt_series_each(read, add_series, &stored, err);
    pt_read_end(read);
    if (rc != PT_OK) return rc;
    one(out, NEW "store_series", "gauge", "stored series", stored.series);
    one(out, NEW "store_rows", "gauge", "stored rows", stored.rows);
    one(out, NEW "store_row_bytes", "gauge", "bytes of stored rows", stored.bytes);
    return PT_OK;
}

static void write_process(struct pt_buf *out, const struct pt_http *http)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    bool known = file != NULL && fscanf(file, "%*u %lu", &pages) == 1;
    if (file != NULL) fclose(file);
    if (known) {
        one(out, "process_resident_memory_bytes", "gauge",
            "resident memory of the daemon, without workers",
            (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE));
    }
    seconds(out, "process_start_time_seconds", "gauge", "when the daemon started",
            http->started_us);
    head(out, NEW "build_info", "gauge", "always 1");
    pt_buf_printf(out, NEW "build_info{version=\"%s\"} 1\n", PT_VERSION);
}

void pt_handle_metrics(struct pt_request *request)
{
    struct pt_http *http = request->thread->http;
    struct pt_engine_stats stats;
    struct pt_buf out = { 0 };
    struct pt_err err;
    pt_engine_stats(http->engine, &stats);
    write_requests(&out, http);
    write_feeds(&out, http->engine, &stats);
    write_engine(&out, &stats);
    write_scripts(&out, request->thread->scripts);
    enum pt_code rc = write_store(&out, http->store, &err);
    if (rc != PT_OK) {
        pt_buf_fini(&out);
        pt_reply_error(request, &err);
        return;
    }
    write_process(&out, http);
    pt_reply_text(request, 200, PT_TYPE_PROM, &out);
}
