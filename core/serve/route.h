/* route.h - the table of what is served, and of what is known but not built.    [layer: serve]
 * Matching, validation, 405, OPTIONS, OpenAPI and the documentation page all come from its rows. */
#ifndef PT_ROUTE_H
#define PT_ROUTE_H

#include "serve/request.h"

struct pt_script;

enum {
    PT_ROUTE_LIST = 1,  /* also as CSV; takes format and list_key where it has them */
    PT_ROUTE_OPEN = 2,  /* names outside the table are the handler's (parameters of scripts) */
    PT_ROUTE_LAX = 4,   /* unknown parameters are ignored */
    PT_ROUTE_PROBE = 8, /* answered without a token always */
    PT_ROUTE_POST = 16  /* takes POST, and only that */
};

struct pt_route {
    const char *path; /* "/scripts/{name}": at most one {} piece */
    void (*handle)(struct pt_request *request);
    bool (*found)(struct pt_request
                      *request);   /* whether {name} stands for something; false: it has answered */
    const struct pt_param *params; /* ended by name NULL */
    /* Where {name} decides which: those of a script; NULL: params always. */
    const struct pt_param *(*params_of)(const struct pt_script *script);
    const struct pt_script *(*script)(struct pt_request *request); /* what {name} stands for; or NULL */
    unsigned flags;
    const char *tag, *summary, *about; /* for people; about may be NULL */
};

extern const struct pt_route pt_routes[]; /* ended by path NULL */
size_t pt_routes_count(void);

/* The row for a decoded path; *arg: what stands for {name}, inside path, up to its end or the next
 * '/'. NULL: none. */
const struct pt_route *pt_route_find(const char *path, const char **arg);

/* Known paths that this version does not answer: 501, never 404 (clients take 404 for "no such
 * thing"). */
bool pt_later_find(const char *path);

/* Handlers, each in its routes_*.c. */
void pt_handle_root(struct pt_request *request);
void pt_handle_liveness(struct pt_request *request);
void pt_handle_readiness(struct pt_request *request);
void pt_handle_health(struct pt_request *request);
void pt_handle_summary(struct pt_request *request);
void pt_handle_candles(struct pt_request *request);
void pt_handle_trades(struct pt_request *request);
void pt_handle_depth(struct pt_request *request);
void pt_handle_funding(struct pt_request *request);
void pt_handle_overview(struct pt_request *request);
void pt_handle_analysis(struct pt_request *request);
void pt_handle_datasets(struct pt_request *request);
void pt_handle_dataset(struct pt_request *request);
void pt_handle_schema(struct pt_request *request);
void pt_handle_lineage(struct pt_request *request);
void pt_handle_scripts(struct pt_request *request);
void pt_handle_script(struct pt_request *request);
void pt_handle_reload(struct pt_request *request);
void pt_handle_anomalies(struct pt_request *request);
void pt_handle_anomaly_summary(struct pt_request *request);
void pt_handle_detect(struct pt_request *request);
void pt_handle_acknowledge(struct pt_request *request);
void pt_handle_resolve(struct pt_request *request);
void pt_handle_metrics(struct pt_request *request);
void pt_handle_openapi(struct pt_request *request);
void pt_handle_docs(struct pt_request *request);

bool pt_found_analysis(struct pt_request *request);
const struct pt_script *pt_analysis_script(struct pt_request *request);
const struct pt_param *pt_analysis_params_of(const struct pt_script *script);
bool pt_found_script(struct pt_request *request);

/* Their parameter tables. */
extern const struct pt_param pt_health_params[], pt_candles_params[], pt_trades_params[],
    pt_depth_params[], pt_funding_params[], pt_analysis_params[], pt_scripts_params[],
    pt_reload_params[], pt_datasets_params[], pt_lineage_params[], pt_overview_params[],
    pt_anomalies_params[], pt_anomaly_summary_params[], pt_detect_params[];

#endif
