#include "suite.h"

#include "fake_engine.h"
#include "serve/docs.h"
#include "serve/figures.h"
#include "serve/route.h"

#include <cjson/cJSON.h>

static void test_paths_lead_to_their_routes(void)
{
    static const char *const good[][3] = {
        { "/", "/", NULL },
        { "/health/liveness", "/health/liveness", NULL },
        { "/data/candles", "/data/candles", NULL },
        { "/health", "/health", NULL },
        { "/health/summary", "/health/summary", NULL },
        { "/data/depth", "/data/depth", NULL },
        { "/data/funding", "/data/funding", NULL },
        { "/analysis/volatility", "/analysis/{metric}", "volatility" },
        { "/analysis/..", "/analysis/{metric}", ".." },
        { "/analysis/regime", "/analysis/{metric}", "regime" },
        { "/analysis/market-overview", "/analysis/market-overview", NULL },
        { "/catalog/datasets", "/catalog/datasets", NULL },
        { "/catalog/datasets/candles_A_1h", "/catalog/datasets/{id}", "candles_A_1h" },
        { "/catalog/schemas/x", "/catalog/schemas/{id}", "x" },
        { "/catalog/lineage/x", "/catalog/lineage/{id}", "x" },
        { "/anomalies", "/anomalies", NULL },
        { "/anomalies/detect", "/anomalies/detect", NULL },
        { "/anomalies/anomalies/summary", "/anomalies/anomalies/summary", NULL },
        { "/anomalies/17/acknowledge", "/anomalies/{id}/acknowledge", "17/acknowledge" },
        { "/anomalies/detect/resolve", "/anomalies/{id}/resolve", "detect/resolve" },
        { "/scripts", "/scripts", NULL },
        { "/scripts/trend", "/scripts/{name}", "trend" },
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        const char *arg = NULL;
        const struct pt_route *route = pt_route_find(good[i][0], &arg);
        CU_ASSERT_PTR_NOT_NULL_FATAL(route);
        CU_ASSERT_STRING_EQUAL(route->path, good[i][1]);
        if (good[i][2] != NULL) CU_ASSERT_STRING_EQUAL(arg, good[i][2]);
    }
    static const char *const none[] = { "",
                                        "//",
                                        "/data",
                                        "/data/candles/",
                                        "/Data/candles",
                                        "/analysis/",
                                        "/docs/",
                                        "/analysis/a/b",
                                        "/scripts/",
                                        "/scripts/a/b",
                                        "/analysis",
                                        "/metrics/",
                                        "/anomalies/",
                                        "/anomalies/17",
                                        "/anomalies//resolve",
                                        "/anomalies/1/2/resolve",
                                        "/anomalies/17/resolve/",
                                        "/anomalies/17/resolved",
                                        "/anomalies/detect/" };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        const char *arg = NULL;
        CU_ASSERT_PTR_NULL(pt_route_find(none[i], &arg));
    }
}

static void test_what_is_known_but_not_built_is_told_from_what_is_unknown(void)
{
    static const char *const known[] = {
        "/backfill/start",
        "/backfill/jobs/42",
        "/stream",
        "/api/v1/mongodb/signals",
        "/api/v1/characterizations",
        "/api/v1/config/strategies/x",
        "/config/application",
        "/schemas",
        "/schemas/mongodb/a/versions/3",
        "/analysis/performance/s1",
        "/health/leader",
    };
    static const char *const unknown[] = {
        "/",           "/healthy",      "/api",      "/api/v1",
        "/api/v1/",    "/api/v2/x",     "/backfill", "/backfill/jobs/",
        "/anomalies/", "/anomalies/17", "/health/",  "/catalog/datasets/a/b",
        "/data",       "/stream/x",     "/schemas/", "/analysis/performance"
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const char *arg;
        CU_ASSERT_TRUE(pt_later_find(known[i]));
        /* a path cannot be both served by its own row and not built */
        const struct pt_route *route = pt_route_find(known[i], &arg);
        CU_ASSERT_TRUE(route == NULL || strchr(route->path, '{') != NULL);
    }
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        CU_ASSERT_FALSE(pt_later_find(unknown[i]));
}

static void test_rows_of_the_table_are_whole(void)
{
    CU_ASSERT_TRUE(pt_routes_count() < PT_ROUTES_MAX);
    for (const struct pt_route *route = pt_routes; route->path != NULL; route++) {
        CU_ASSERT_PTR_NOT_NULL(route->handle);
        CU_ASSERT_PTR_NOT_NULL(route->tag);
        CU_ASSERT_PTR_NOT_NULL(route->summary);
        CU_ASSERT_EQUAL(pt_figures_row(route), (size_t)(route - pt_routes) + 1);
        size_t n = 0;
        for (const struct pt_param *param = route->params; param != NULL && param->name != NULL;
             param++, n++) {
            struct pt_value value;
            CU_ASSERT_PTR_NOT_NULL(param->about);
            if (param->type == PT_PARAM_WORD) CU_ASSERT_PTR_NOT_NULL(param->words);
            /* a default must pass its own check */
            if (param->fallback != NULL)
                CU_ASSERT_EQUAL(pt_param_check(param, param->fallback, &value, NULL), PT_OK);
        }
        CU_ASSERT_TRUE(n < PT_PARAMS_MAX);
    }
}

static const cJSON *walk(const cJSON *at, const char *const *names)
{
    for (; at != NULL && *names != NULL; names++) at = cJSON_GetObjectItemCaseSensitive(at, *names);
    return at;
}

static const cJSON *param_of(const cJSON *paths, const char *path, const char *name)
{
    const char *arg, *method = pt_route_find(path, &arg)->flags & PT_ROUTE_POST ? "post" : "get";
    const char *const names[] = { path, method, "parameters", NULL };
    const cJSON *one, *list = walk(paths, names);
    cJSON_ArrayForEach(one, list)
    {
        if (strcmp(cJSON_GetObjectItem(one, "name")->valuestring, name) == 0) return one;
    }
    return NULL;
}

static void test_the_description_lists_routes_and_scripts(void)
{
    struct pt_buf out = { 0 };
    struct pt_scripts *scripts = fake_scripts(1);
    pt_openapi_write(scripts, false, &out);
    CU_ASSERT_FALSE_FATAL(out.failed);
    cJSON *doc = cJSON_ParseWithLengthOpts(out.data, out.len + 1, NULL, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    const cJSON *paths = cJSON_GetObjectItem(doc, "paths"), *one;
    int n = 0;
    cJSON_ArrayForEach(one, paths) n++;
    CU_ASSERT_EQUAL(n, (int)pt_routes_count() + 2); /* and a row for each live script */
    for (const struct pt_route *route = pt_routes; route->path != NULL; route++) {
        CU_ASSERT_PTR_NOT_NULL(cJSON_GetObjectItemCaseSensitive(paths, route->path));
        for (const struct pt_param *param = route->params; param != NULL && param->name != NULL;
             param++)
            CU_ASSERT_PTR_NOT_NULL(param_of(paths, route->path, param->name));
    }
    CU_ASSERT_PTR_NULL(cJSON_GetObjectItemCaseSensitive(paths, "/analysis/broken"));
    const cJSON *window = param_of(paths, "/analysis/deviation", "window");
    CU_ASSERT_PTR_NOT_NULL_FATAL(window);
    const cJSON *schema = cJSON_GetObjectItem(window, "schema");
    CU_ASSERT_STRING_EQUAL(cJSON_GetObjectItem(schema, "type")->valuestring, "integer");
    CU_ASSERT_EQUAL(cJSON_GetObjectItem(schema, "maximum")->valueint, 500);
    CU_ASSERT_EQUAL(cJSON_GetObjectItem(schema, "default")->valueint, 20);
    const cJSON *share =
        cJSON_GetObjectItem(param_of(paths, "/analysis/deviation", "share"), "schema");
    CU_ASSERT_TRUE(cJSON_IsNumber(cJSON_GetObjectItem(share, "default")));
    /* parameters of a detector stand at the route that runs it, and it has none of its own */
    CU_ASSERT_PTR_NULL(cJSON_GetObjectItemCaseSensitive(paths, "/analysis/mad"));
    window = param_of(paths, "/anomalies/detect", "window");
    CU_ASSERT_PTR_NOT_NULL_FATAL(window);
    CU_ASSERT_STRING_EQUAL(cJSON_GetObjectItem(window, "description")->valuestring,
                           "mad: bars (default 20)");
    const cJSON *id = param_of(paths, "/anomalies/{id}/resolve", "id");
    CU_ASSERT_PTR_NOT_NULL_FATAL(id);
    CU_ASSERT_STRING_EQUAL(cJSON_GetObjectItem(id, "in")->valuestring, "path");
    const char *const entry[] = { "/anomalies", "get",        "responses",
                                  "200",        "content",    "application/json",
                                  "schema",     "properties", "anomalies",
                                  "items",      "properties", "severity",
                                  NULL };
    CU_ASSERT_PTR_NOT_NULL(walk(paths, entry));
    const char *const level[] = {
        "/analysis/volatility", "get",    "responses",  "200",    "content",
        "application/json",     "schema", "properties", "values", "items",
        "properties",           "level",  NULL
    };
    CU_ASSERT_PTR_NOT_NULL(walk(paths, level));
    const char *const data[] = { "/analysis/deviation",
                                 "get",
                                 "responses",
                                 "200",
                                 "content",
                                 "application/json",
                                 "schema",
                                 "properties",
                                 "data",
                                 "properties",
                                 "by_lag",
                                 NULL };
    CU_ASSERT_PTR_NOT_NULL(walk(paths, data));
    cJSON_Delete(doc);
    pt_buf_fini(&out);
    pt_scripts_unref(scripts);
}

static void test_the_page_is_whole_and_needs_nothing_from_outside(void)
{
    const char *page = (const char *)pt_docs_html;
    CU_ASSERT_EQUAL(strlen(page), pt_docs_html_len);
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "<!doctype html>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "</html>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "/openapi.json"));
    CU_ASSERT_PTR_NULL(strstr(page, "http://"));
    CU_ASSERT_PTR_NULL(strstr(page, "https://"));
    CU_ASSERT_PTR_NULL(strstr(page, "src="));
    CU_ASSERT_PTR_NULL(strstr(page, "@import"));
}

static CU_TestInfo tests[] = { { "paths lead to their routes", test_paths_lead_to_their_routes },
                               { "what is known but not built is told from what is unknown",
                                 test_what_is_known_but_not_built_is_told_from_what_is_unknown },
                               { "rows of the table are whole", test_rows_of_the_table_are_whole },
                               { "the description lists routes and scripts",
                                 test_the_description_lists_routes_and_scripts },
                               { "the page is whole and needs nothing from outside",
                                 test_the_page_is_whole_and_needs_nothing_from_outside },
                               CU_TEST_INFO_NULL };

int main(void)
{
    return pt_suite_main("test_routes", tests);
}
