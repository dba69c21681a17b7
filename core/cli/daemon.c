/* daemon.c - see daemon.h */
#include "cli/daemon.h"

#include "base/log.h"
#include "serve/http.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool pt_daemon_port(struct pt_cli *cli)
{
    const char *port = pt_cli_value(cli, "port");
    if (port == NULL) return true;
    char assignment[64];
    struct pt_err err;
    if ((size_t)snprintf(assignment, sizeof assignment, "http.port=%s", port) < sizeof assignment &&
        pt_cli_conf_set(cli, assignment, &err) == PT_OK)
        return true;
    pt_cli_usage(cli, "--port \"%.20s\" is no port; give 0 (any free one) to 65535", port);
    return false;
}

static bool count(void *arg, const struct pt_series *series)
{
    (void)series;
    ++*(uint64_t *)arg;
    return true;
}

static enum pt_code count_series(struct pt_store *store, uint64_t *n, struct pt_err *err)
{
    struct pt_read *read = NULL;
    enum pt_code rc = pt_read_begin(store, &read, err);
    if (rc == PT_OK) rc = pt_series_each(read, count, n, err);
    pt_read_end(read);
    return rc;
}

static void print_url(const struct pt_conf *conf, unsigned port, char *url, size_t size)
{
    const char *bind = pt_conf_text(conf, "http", "bind");
    bool any = strcmp(bind, "0.0.0.0") == 0 || strcmp(bind, "::") == 0;
    bool six = !any && strchr(bind, ':') != NULL;
    snprintf(url, size, six ? "http://[%s]:%u" : "http://%s:%u", any ? "127.0.0.1" : bind, port);
}

static enum pt_code read_again(void *arg, struct pt_conf **conf, struct pt_err *err)
{
    return pt_cli_conf_again(arg, conf, err);
}

enum pt_code pt_daemon_run(struct pt_cli *cli, void (*ready)(void *arg, const char *url), void *arg,
                           struct pt_err *err)
{
    struct pt_engine *engine = NULL;
    struct pt_http *http = NULL;
    enum pt_code rc = pt_engine_new(pt_cli_conf(cli), PT_ENGINE_SERVE, NULL, &engine, err);
    if (rc == PT_OK) pt_engine_reread(engine, read_again, cli);
    if (rc == PT_OK) rc = pt_http_start(engine, &http, err);
    uint64_t series = 0;
    if (rc == PT_OK) rc = count_series(pt_engine_store(engine), &series, err);
    if (rc == PT_EDAMAGE) { /* the rest of the market is served */
        pt_log(PT_ERROR, "store", "damaged", "error=\"%s\"", err->text);
        rc = PT_OK;
    }
    if (rc == PT_OK) {
        char url[300];
        print_url(pt_cli_conf(cli), pt_http_port(http), url, sizeof url);
        struct pt_scripts *scripts = pt_engine_scripts(engine);
        size_t live = 0;
        for (size_t i = 0; i < scripts->n; i++) live += scripts->v[i].status != PT_SCRIPT_FAILED;
        printf("ready url=%s generation=%" PRIu64 " scripts=%zu series=%" PRIu64 "\n", url,
               scripts->generation, live, series);
        fflush(stdout);
        pt_scripts_unref(scripts);
        if (ready != NULL) ready(arg, url);
        rc = pt_engine_run(engine, err);
    }
    pt_http_stop(http);
    pt_engine_free(engine);
    return rc;
}
