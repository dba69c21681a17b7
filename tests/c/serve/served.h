/* served.h - the server over a fake engine, and what tests ask of its replies. Include once in a
 * program. */
#ifndef PT_TEST_SERVED_H
#define PT_TEST_SERVED_H

#include "suite.h"

#include "client.h"
#include "fake_engine.h"
#include "serve/http.h"

#include <cjson/cJSON.h>

static struct pt_http *http;
static unsigned port;

static inline void begin(const char *const *settings)
{
    struct pt_err err;
    fake_start(settings);
    if (pt_http_start(&fake, &http, &err) != PT_OK) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    port = pt_http_port(http);
}

static inline void end(void)
{
    pt_http_stop(http);
    fake_stop();
}

static const char *const one_thread[] = { "http.threads=1", NULL };

/* The member of a JSON body as text; static. */
static inline const char *member(const struct client_reply *reply, const char *path)
{
    static char text[4096];
    cJSON *json = cJSON_ParseWithLength(reply->body, reply->len), *at = json;
    char copy[200], *rest = copy;
    snprintf(copy, sizeof copy, "%s", path);
    for (char *name; at != NULL && (name = strsep(&rest, ".")) != NULL;) {
        at = *name >= '0' && *name <= '9' && cJSON_IsArray(at)
                 ? cJSON_GetArrayItem(at, atoi(name))
                 : cJSON_GetObjectItemCaseSensitive(at, name);
    }
    char *printed = at != NULL ? cJSON_PrintUnformatted(at) : NULL;
    snprintf(text, sizeof text, "%s",
             json == NULL      ? "no JSON"
             : printed == NULL ? "absent"
                               : printed);
    cJSON_free(printed);
    cJSON_Delete(json);
    return text;
}

static inline void check(const char *target, const char *headers, int status, const char *path,
                         const char *want)
{
    struct client_reply reply = client_get(port, target, headers);
    if (reply.status != status || (path != NULL && strcmp(member(&reply, path), want) != 0)) {
        printf("\n%s: %d %s\n", target, reply.status, reply.body);
    }
    CU_ASSERT_EQUAL(reply.status, status);
    if (path != NULL) CU_ASSERT_STRING_EQUAL(member(&reply, path), want);
    free(reply.body);
}

#endif
