/* routes_health.c - /, liveness and readiness. [layer: serve] */
#include "base/clock.h"
#include "base/json.h"
#include "base/timefmt.h"
#include "serve/health.h"
#include "serve/thread.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SILENT_US (2 * PT_US_MIN) /* a feed that says nothing for so long is looked at */
#define WAITING_MAX 10000         /* units in the queue of the workers */

void pt_handle_root(struct pt_request *request)
{
    struct pt_buf out = { 0 };
    struct pt_json json;
    pt_json_init(&json, &out);
    pt_json_object(&json);
    pt_json_kv_text(&json, "service", "petrosa");
    pt_json_kv_text(&json, "version", PT_VERSION);
    pt_json_kv_text(&json, "compat", "1.1.0");
    pt_json_kv_text(&json, "status", "operational");
    pt_json_kv_int(&json, "uptime_sec",
                   (pt_now_us() - request->thread->http->started_us) / PT_US_SEC);
    pt_json_kv_text(&json, "docs", "/docs");
    pt_json_object_end(&json);
    pt_reply_text(request, 200, PT_TYPE_JSON, &out);
}

void pt_handle_liveness(struct pt_request *request)
{
    struct pt_buf out = { 0 };
    struct pt_json json;
    pt_json_init(&json, &out);
    pt_json_object(&json);
    pt_json_kv_text(&json, "status", "ok");
    pt_json_kv_time(&json, "timestamp", pt_now_us());
    pt_json_kv_text(&json, "version", PT_VERSION);
    pt_json_object_end(&json);
    pt_reply_text(request, 200, PT_TYPE_JSON, &out);
}

static const char *const words[] = { [PT_HEALTHY] = "healthy",
                                     [PT_DEGRADED] = "degraded",
                                     [PT_UNHEALTHY] = "unhealthy",
                                     [PT_NOT_CONFIGURED] = "not_configured" };

const char *pt_health_text(enum pt_health_state state)
{
    return words[state];
}

static void say(struct pt_health_part *part, enum pt_health_state state, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void say(struct pt_health_part *part, enum pt_health_state state, const char *fmt, ...)
{
    va_list args;
    part->state = state;
    va_start(args, fmt);
    vsnprintf(part->detail, sizeof part->detail, fmt, args);
    va_end(args);
}

static void judge_feeds(const struct pt_engine_stats *stats, int64_t now_us,
                        struct pt_health_part *part)
{
    if (stats->nfeeds == 0) {
        say(part, PT_NOT_CONFIGURED, "no feed is configured");
        return;
    }
    for (size_t i = 0; i < stats->nfeeds; i++) {
        const struct pt_engine_feed *feed = &stats->feeds[i];
        int64_t silent_us = now_us - feed->last_message_us;
        if (!feed->open) {
            say(part, PT_DEGRADED, "%s is not open", feed->name);
            return;
        }
        if (feed->last_message_us != 0 && silent_us > SILENT_US) {
            say(part, PT_DEGRADED, "%s has been silent for %" PRId64 " s", feed->name,
                silent_us / PT_US_SEC);
            return;
        }
    }
    say(part, PT_HEALTHY, "%zu open", stats->nfeeds);
}

static void judge_scripts(const struct pt_scripts *scripts, struct pt_health_part *part)
{
    size_t counts[PT_SCRIPT_FAILED + 1] = { 0 }, live = 0, erring = 0;
    const struct pt_script *first = NULL, *errs = NULL;
    for (size_t i = 0; scripts != NULL && i < scripts->n; i++) {
        counts[scripts->v[i].status]++;
        if (scripts->v[i].status != PT_SCRIPT_LIVE && first == NULL) first = &scripts->v[i];
        if (scripts->v[i].status != PT_SCRIPT_LIVE || pt_script_errors(&scripts->v[i]) == 0)
            continue;
        if (erring++ == 0) errs = &scripts->v[i];
    }
    live = counts[PT_SCRIPT_LIVE];
    if (first != NULL)
        say(part, PT_DEGRADED,
            "%zu live, %zu in their previous version, %zu quarantined, %zu failed; the first is %s",
            live, counts[PT_SCRIPT_PREVIOUS], counts[PT_SCRIPT_QUARANTINED],
            counts[PT_SCRIPT_FAILED], first->name);
    else if (scripts != NULL && scripts->libs_message[0] != '\0')
        say(part, PT_DEGRADED, "%zu live, with libraries in their previous version: %s", live,
            scripts->libs_message);
    else if (live == 0)
        say(part, PT_DEGRADED, "no script is loaded");
    else if (errs != NULL) /* one bad window is no reason to call the service degraded */
        say(part, PT_HEALTHY,
            "%zu live; calls of %zu of them failed, as they are now; the first is %s", live, erring,
            errs->name);
    else
        say(part, PT_HEALTHY, "%zu live", live);
}

static void judge_workers(const struct pt_pool_stats *pool, struct pt_health_part *part)
{
    if (pool->workers == 0)
        say(part, PT_UNHEALTHY, "no worker runs");
    else if (pool->queued > WAITING_MAX)
        say(part, PT_DEGRADED, "%zu units wait for %u workers", pool->queued, pool->workers);
    else
        say(part, PT_HEALTHY, "%u running, %u busy, %zu units waiting", pool->workers, pool->busy,
            pool->queued);
}

void pt_health_judge(const struct pt_engine_stats *stats, const struct pt_scripts *scripts,
                     int64_t now_us, struct pt_health *health)
{
    struct pt_health_part *part = health->part;
    char when[PT_TIME_TEXT_MAX] = "never";
    static const char *const names[PT_HEALTH_PARTS] = { "store",   "feed",    "workers",
                                                        "scripts", "auditor", "analytics",
                                                        "mirrors" };
    for (size_t i = 0; i < PT_HEALTH_PARTS; i++) part[i].name = names[i];
    if (stats->store_ok)
        say(&part[0], PT_HEALTHY, "%" PRIu64 " commits", stats->commits);
    else
        say(&part[0], PT_UNHEALTHY, "%s", stats->store_error);
    judge_feeds(stats, now_us, &part[1]);
    judge_workers(&stats->pool, &part[2]);
    judge_scripts(scripts, &part[3]);
    say(&part[4], PT_NOT_CONFIGURED, "this version has no auditor");
    if (stats->last_cycle_us != 0) pt_time_print(stats->last_cycle_us, when);
    say(&part[5], PT_HEALTHY,
        "%" PRIu64 " cycles, the last at %s; %" PRIu64 " results, %" PRIu64 " failed",
        stats->cycles, when, stats->results, stats->failures);
    say(&part[6], PT_NOT_CONFIGURED, "no mirror is configured");
    health->state = PT_HEALTHY;
    for (size_t i = 0; i < PT_HEALTH_PARTS; i++) {
        if (part[i].state > health->state && part[i].state != PT_NOT_CONFIGURED)
            health->state = part[i].state;
    }
}

void pt_handle_readiness(struct pt_request *request)
{
    struct pt_thread *thread = request->thread;
    struct pt_engine_stats stats;
    struct pt_health health;
    struct pt_buf out = { 0 };
    struct pt_json json;
    int64_t now_us = pt_now_us();
    pt_engine_stats(thread->http->engine, &stats);
    pt_health_judge(&stats, thread->scripts, now_us, &health);
    bool ready = health.state != PT_UNHEALTHY && !thread->stopping;
    pt_json_init(&json, &out);
    pt_json_object(&json);
    pt_json_kv_text(&json, "status", thread->stopping ? "unhealthy" : pt_health_text(health.state));
    pt_json_kv_bool(&json, "ready", ready);
    pt_json_key(&json, "components");
    pt_json_object(&json);
    for (size_t i = 0; i < PT_HEALTH_PARTS; i++) {
        pt_json_key(&json, health.part[i].name);
        pt_json_object(&json);
        pt_json_kv_text(&json, "status", pt_health_text(health.part[i].state));
        pt_json_kv_text(&json, "detail", health.part[i].detail);
        pt_json_object_end(&json);
    }
    pt_json_object_end(&json);
    pt_json_kv_time(&json, "timestamp", now_us);
    pt_json_object_end(&json);
    if (!ready) pt_reply_header(request, "Retry-After", "5");
    pt_reply_text(request, ready ? 200 : 503, PT_TYPE_JSON, &out);
}
