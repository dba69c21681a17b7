/* fuzz_query - what a client may put into the address and the headers that decide about a reply:
 * the query string against the parameter tables of all routes, the path, Accept, Accept-Encoding,
 * If-None-Match. */
#include "base/timefmt.h"
#include "serve/guard.h"
#include "serve/route.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good) abort();
}

static void check_values(const struct pt_param *params, const struct pt_value *values)
{
    for (const struct pt_param *param = params; param->name != NULL; param++) {
        const struct pt_value *value = &values[param - params];
        if (!value->given && param->fallback == NULL) continue;
        switch (param->type) {
        case PT_PARAM_PAIR: must(strlen(value->symbol) >= 2 && strlen(value->symbol) <= 30); break;
        case PT_PARAM_PERIOD:
            must(value->number >= PT_US_MIN && value->number <= PT_US_WEEK);
            break;
        case PT_PARAM_TIME: must(value->number >= 0); break;
        case PT_PARAM_INT: must(value->number >= param->min && value->number <= param->max); break;
        case PT_PARAM_BOOL: must(value->number == 0 || value->number == 1); break;
        case PT_PARAM_TEXT:
            must((int64_t)strlen(value->text) >= param->min &&
                 (int64_t)strlen(value->text) <= param->max);
            break;
        case PT_PARAM_WORD: must(param->words[value->number] != NULL); break;
        }
    }
}

static void check_query(const char *text, size_t size)
{
    static struct pt_query query;
    static const struct pt_query_item *extra[PT_QUERY_MAX];
    struct pt_value values[PT_PARAMS_MAX];
    struct pt_err err = { .code = PT_OK };
    if (pt_query_parse(&query, text, size, &err) != PT_OK) {
        must(err.text[0] != '\0');
        return;
    }
    must(query.n <= PT_QUERY_MAX);
    for (size_t i = 0; i < query.n; i++) {
        must(strlen(query.item[i].name) + strlen(query.item[i].value) <= size);
        for (const unsigned char *p = (const unsigned char *)query.item[i].value; *p != '\0'; p++)
            must(*p >= 0x20);
    }
    for (const struct pt_route *route = pt_routes; route->path != NULL; route++) {
        if (route->params == NULL) continue;
        size_t n = 0;
        enum pt_code rc = pt_params_check(route->params, &query, values, extra, &n, &err);
        if (rc == PT_OK) {
            check_values(route->params, values);
            must(n <= query.n);
        }
        /* what a closed table takes, an open one takes too, and hands nothing on */
        if (pt_params_check(route->params, &query, values, NULL, NULL, &err) == PT_OK)
            must(rc == PT_OK && n == 0);
    }
}

static void check_path(const char *text, size_t size)
{
    char *path = malloc(size + 1);
    const char *arg = NULL;
    must(path != NULL);
    if (pt_path_decode(text, size, path, NULL) == PT_OK) {
        must(strlen(path) <= size);
        const struct pt_route *route = pt_route_find(path, &arg);
        if (route != NULL && arg != NULL) {
            bool more = strchr(route->path, '}')[1] != '\0';
            must(*arg != '\0' && *arg != '/' && (strchr(arg, '/') != NULL) == more);
        }
        pt_later_find(path);
    }
    free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    must(text != NULL);
    if (size > 0) memcpy(text, data, size);
    text[size] = '\0';
    check_query(text, size);
    check_path(text, size);
    pt_accepts_gzip(text);
    pt_accepts_csv(text);
    must(!pt_etag_matches(text, "W/\"no client can know this\"") || strchr(text, '*') != NULL ||
         strstr(text, "no client") != NULL);
    pt_guard_uri(text, NULL);
    must(pt_guard_same(text, text));
    free(text);
    return 0;
}
