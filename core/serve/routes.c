/* routes.c - the table of everything that is served, and of what is not yet. [layer: serve] */
#include "serve/route.h"

#include "serve/figures.h"

#include <string.h>

/* The original system documents some of these paths and serves the others: both are served. */
#define ANOMALY_ROWS(prefix)                                                                       \
    { .path = prefix,                                                                              \
      .handle = pt_handle_anomalies,                                                               \
      .params = pt_anomalies_params,                                                               \
      .flags = PT_ROUTE_LIST,                                                                      \
      .tag = "anomalies",                                                                          \
      .summary = "the log of anomalies, the newest first",                                         \
      .about = "What detectors found at each closed bar and on request, and what ingest saw. A "   \
               "hit is logged once, with its first score." },                                      \
        { .path = prefix "/detect",                                                                \
          .handle = pt_handle_detect,                                                              \
          .params = pt_detect_params,                                                              \
          .flags = PT_ROUTE_POST | PT_ROUTE_OPEN,                                                  \
          .tag = "anomalies",                                                                      \
          .summary = "runs a detector now, over all bars of its newest window",                    \
          .about =                                                                                 \
              "Takes the detector's own parameters too. What it finds is in the log when this "    \
              "answers. anomalies_detected is null, and never 0, where it cannot tell: status "    \
              "and metadata.reasons say why." },                                                   \
    {                                                                                              \
        .path = prefix "/summary", .handle = pt_handle_anomaly_summary,                            \
        .params = pt_anomaly_summary_params, .tag = "anomalies",                                   \
        .summary = "how many anomalies the log has, by severity, pair, method, kind and status"    \
    }

const struct pt_route pt_routes[] = {
    { .path = "/",
      .handle = pt_handle_root,
      .flags = PT_ROUTE_PROBE,
      .tag = "health",
      .summary = "what this is",
      .about = "Name, version, the version of the original system it is compatible with, uptime." },
    { .path = "/health/liveness",
      .handle = pt_handle_liveness,
      .flags = PT_ROUTE_PROBE,
      .tag = "health",
      .summary = "alive: 200 as long as the loop turns" },
    { .path = "/health/readiness",
      .handle = pt_handle_readiness,
      .flags = PT_ROUTE_PROBE,
      .tag = "health",
      .summary = "ready: 200, or 503 when it cannot do its work",
      .about = "status is healthy, degraded (works, but a person should look) or unhealthy (503). "
               "Each component "
               "says its own status and why." },
    { .path = "/health/summary",
      .handle = pt_handle_summary,
      .tag = "health",
      .summary = "how many datasets are healthy",
      .about = "Candle series and results, each scored 0.8 completeness + 0.2 freshness: healthy "
               "from 90, degraded "
               "from 70. overall_score is their mean, null when there are none." },
    { .path = "/health",
      .handle = pt_handle_health,
      .params = pt_health_params,
      .tag = "health",
      .summary = "completeness, freshness and gaps of a pair's candles",
      .about = "Without period all stored periods together; of a period that is not stored, those "
               "it is built from. "
               "Scores are null until there was an audit." },
    { .path = "/data/candles",
      .handle = pt_handle_candles,
      .params = pt_candles_params,
      .flags = PT_ROUTE_LIST,
      .tag = "data",
      .summary = "candles of a pair",
      .about =
          "Without start: the newest. A period that is not stored is built from a stored smaller "
          "one, and "
          "metadata.derived_from says so. Prices and quantities have the exchange's own digits." },
    { .path = "/data/trades",
      .handle = pt_handle_trades,
      .params = pt_trades_params,
      .flags = PT_ROUTE_LIST,
      .tag = "data",
      .summary = "trades of a pair",
      .about = "Without start: the newest." },
    { .path = "/data/depth",
      .handle = pt_handle_depth,
      .params = pt_depth_params,
      .tag = "data",
      .summary = "newest order book of a pair",
      .about = "Best level first. stale: the book is older than 5 s." },
    { .path = "/data/funding",
      .handle = pt_handle_funding,
      .params = pt_funding_params,
      .flags = PT_ROUTE_LIST,
      .tag = "data",
      .summary = "funding payments of a pair",
      .about = "Without start: those of the last 7 days." },
    { .path = "/analysis/market-overview",
      .handle = pt_handle_overview,
      .params = pt_overview_params,
      .flags = PT_ROUTE_LIST,
      .tag = "analysis",
      .summary = "all pairs at a glance, from stored results",
      .about = "A metric without a result is null, and its pair then does not count as available. "
               "status is the worst "
               "of a pair's results, timestamp the as_of of the newest of all." },
    { .path = "/analysis/{metric}",
      .handle = pt_handle_analysis,
      .found = pt_found_analysis,
      .params = pt_analysis_params,
      .params_of = pt_analysis_params_of,
      .script = pt_analysis_script,
      .flags = PT_ROUTE_LIST | PT_ROUTE_OPEN,
      .tag = "analysis",
      .summary = "results of a loaded script",
      .about = "Stored results, or one computed on request: with as_of, with parameters of the "
               "script that differ "
               "from those in force, and where nothing is stored yet. The newest result of a "
               "script that looks at order books is computed when a newer book than its own is "
               "stored; with limit above 1, offset, start or end all are stored ones. A script "
               "of the whole market takes pairs in place of pair." },
    { .path = "/catalog/datasets",
      .handle = pt_handle_datasets,
      .params = pt_datasets_params,
      .flags = PT_ROUTE_LIST,
      .tag = "catalog",
      .summary = "what is stored: series of market data and collections of results" },
    { .path = "/catalog/datasets/{id}",
      .handle = pt_handle_dataset,
      .tag = "catalog",
      .summary = "one dataset" },
    { .path = "/catalog/schemas/{id}",
      .handle = pt_handle_schema,
      .tag = "catalog",
      .summary = "fields of a dataset, by its id or by its schema_id",
      .about = "Market data from the table of columns, results from the declaration of the "
               "script." },
    { .path = "/catalog/lineage/{id}",
      .handle = pt_handle_lineage,
      .params = pt_lineage_params,
      .flags = PT_ROUTE_LIST,
      .tag = "catalog",
      .summary = "where the rows of a dataset came from, the newest first",
      .about = "One entry an import." },
    { .path = "/scripts",
      .handle = pt_handle_scripts,
      .params = pt_scripts_params,
      .flags = PT_ROUTE_LIST,
      .tag = "scripts",
      .summary = "loaded scripts, their state and their times" },
    { .path = "/scripts/reload",
      .handle = pt_handle_reload,
      .params = pt_reload_params,
      .flags = PT_ROUTE_POST,
      .tag = "scripts",
      .summary = "puts the newest scripts and configuration in force",
      .about =
          "Answers when it is done: 200, or 409 when something of it could not be put in force; "
          "either way with "
          "the outcome: a verdict for each script, changed keys, feeds. A script that fails "
          "keeps its last good version. With "
          "diff nothing is changed, and the outcome says what would be, and where changed "
          "scripts give other values." },
    { .path = "/scripts/{name}",
      .handle = pt_handle_script,
      .found = pt_found_script,
      .tag = "scripts",
      .summary = "one script: declaration, parameters in force, source" },
    ANOMALY_ROWS("/anomalies"),
    ANOMALY_ROWS("/anomalies/anomalies"),
    { .path = "/anomalies/{id}/acknowledge",
      .handle = pt_handle_acknowledge,
      .flags = PT_ROUTE_POST,
      .tag = "anomalies",
      .summary = "somebody has seen it",
      .about = "What is acknowledged already stays as it is; 409 for what is resolved. Being found "
               "again changes nothing." },
    { .path = "/anomalies/{id}/resolve",
      .handle = pt_handle_resolve,
      .flags = PT_ROUTE_POST,
      .tag = "anomalies",
      .summary = "it needs no more attention",
      .about = "What is resolved already stays as it is." },
    { .path = "/metrics",
      .handle = pt_handle_metrics,
      .flags = PT_ROUTE_LAX,
      .tag = "operation",
      .summary = "figures for Prometheus" },
    { .path = "/openapi.json",
      .handle = pt_handle_openapi,
      .tag = "operation",
      .summary = "this description, OpenAPI 3.1" },
    { .path = "/docs",
      .handle = pt_handle_docs,
      .flags = PT_ROUTE_LAX,
      .tag = "operation",
      .summary = "this description for people; works offline" },
    { .path = NULL },
};
_Static_assert(sizeof pt_routes / sizeof pt_routes[0] <= PT_ROUTES_MAX,
               "figures have a row for each route");

size_t pt_routes_count(void)
{
    return sizeof pt_routes / sizeof pt_routes[0] - 1;
}

const struct pt_route *pt_route_find(const char *path, const char **arg)
{
    for (const struct pt_route *route = pt_routes; route->path != NULL; route++) {
        const char *brace = strchr(route->path, '{');
        if (brace == NULL) {
            if (strcmp(route->path, path) == 0) return route;
            continue;
        }
        size_t fixed = (size_t)(brace - route->path);
        if (strncmp(route->path, path, fixed) != 0) continue;
        const char *rest = path + fixed, *tail = strchr(brace, '}') + 1;
        size_t piece = strcspn(rest, "/");
        if (piece == 0 || strcmp(rest + piece, tail) != 0) continue;
        *arg = rest;
        return route;
    }
    return NULL;
}

/* Paths of the original system and of our own plan that this version does not answer. '*' stands
 * for one piece, a final "**" for all that follow. */
static const char *const later[] = {
    "/health/leader",
    "/health/audit-status",
    "/health/databases",
    "/health/connections",
    "/analysis/performance/*",
    "/backfill/start",
    "/backfill/jobs",
    "/backfill/jobs/*",
    "/stream",
    "/schemas",
    "/schemas/**",
    "/config/**",
    "/api/v1/**",
    NULL,
};

static bool matches(const char *pattern, const char *path)
{
    while (*pattern != '\0') {
        if (strcmp(pattern, "**") == 0) return *path != '\0';
        if (*pattern == '*') {
            size_t piece = strcspn(path, "/");
            if (piece == 0) return false;
            path += piece;
            pattern++;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

bool pt_later_find(const char *path)
{
    for (size_t i = 0; later[i] != NULL; i++) {
        if (matches(later[i], path)) return true;
    }
    return false;
}
