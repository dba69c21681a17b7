/* routes_scripts.c - /scripts and /scripts/{name}. [layer: serve] */
#include "base/decimal.h"
#include "base/timefmt.h"
#include "serve/list.h"
#include "serve/thread.h"

#include <string.h>

enum { S_LIST_KEY, S_FORMAT };
const struct pt_param pt_scripts_params[] = {
    [S_LIST_KEY] = PT_PARAM_ROW_LIST_KEY,
    [S_FORMAT] = PT_PARAM_ROW_FORMAT,
    { 0 },
};

struct times {
    int64_t calls, errors, p50_us, p99_us, last_us; /* last PT_MISSING: never */
};

static struct times times_of(const struct pt_script *script)
{
    struct times times = { .last_us = PT_MISSING };
    struct pt_script_stats *stats = script->stats;
    if (stats == NULL) return times;
    times.calls = (int64_t)atomic_load_explicit(&stats->calls, memory_order_relaxed);
    times.errors = (int64_t)pt_script_errors(script);
    times.p50_us = pt_script_quantile_us(stats, 0.5);
    times.p99_us = pt_script_quantile_us(stats, 0.99);
    int64_t last_us = atomic_load_explicit(&stats->last_run_us, memory_order_relaxed);
    if (last_us != 0) times.last_us = last_us;
    return times;
}

static void write_script(const struct pt_script *script, struct pt_json *json)
{
    struct times times = times_of(script);
    pt_json_kv_text(json, "name", script->name);
    pt_json_kv_text(json, "kind", script->kind[0] != '\0' ? script->kind : NULL);
    pt_json_kv_text(json, "file", script->source->file);
    pt_json_kv_text(json, "hash", script->source->hash);
    pt_json_kv_text(json, "status", pt_script_status_text(script->status));
    pt_json_key(json, "error");
    if (script->status == PT_SCRIPT_LIVE) {
        pt_json_null(json);
    } else {
        pt_json_object(json);
        pt_json_kv_text(json, "file",
                        script->error_file[0] != '\0' ? script->error_file : script->source->file);
        if (script->error_line > 0)
            pt_json_kv_int(json, "line", script->error_line);
        else
            pt_json_kv_null(json, "line");
        pt_json_kv_text(json, "message", script->message);
        pt_json_object_end(json);
    }
    pt_json_kv_int(json, "calls", times.calls);
    pt_json_kv_int(json, "errors", times.errors);
    pt_json_kv_int(json, "p50_us", times.p50_us);
    pt_json_kv_int(json, "p99_us", times.p99_us);
    pt_list_time(json, "last_run", times.last_us);
}

static void write_csv(const struct pt_scripts *scripts, struct pt_buf *out)
{
    pt_buf_puts(out, "name,kind,file,hash,status,error,calls,errors,p50_us,p99_us,last_run\n");
    for (size_t i = 0; scripts != NULL && i < scripts->n; i++) {
        const struct pt_script *script = &scripts->v[i];
        struct times times = times_of(script);
        char last[PT_TIME_TEXT_MAX] = "";
        const char *texts[] = { script->name,
                                script->kind,
                                script->source->file,
                                script->source->hash,
                                pt_script_status_text(script->status),
                                script->message };
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
            if (k > 0) pt_buf_putc(out, ',');
            pt_csv_text(out, texts[k], strlen(texts[k]));
        }
        if (times.last_us != PT_MISSING) pt_time_print(times.last_us, last);
        pt_buf_printf(out, ",%lld,%lld,%lld,%lld,%s\n", (long long)times.calls,
                      (long long)times.errors, (long long)times.p50_us, (long long)times.p99_us,
                      last);
    }
}

static void fill_scripts(void *arg, struct pt_buf *out)
{
    const struct pt_scripts *scripts = arg;
    struct pt_json json;
    pt_json_init(&json, out);
    pt_json_array(&json);
    for (size_t i = 0; scripts != NULL && i < scripts->n; i++) {
        pt_json_object(&json);
        write_script(&scripts->v[i], &json);
        pt_json_object_end(&json);
    }
    pt_json_array_end(&json);
}

void pt_handle_scripts(struct pt_request *request)
{
    struct pt_scripts *scripts = request->thread->scripts;
    struct pt_buf out = { 0 };
    pt_list_form(request, &request->value[S_LIST_KEY], &request->value[S_FORMAT]);
    if (request->csv) {
        write_csv(scripts, &out);
        pt_reply_text(request, 200, PT_TYPE_CSV, &out);
        return;
    }
    struct pt_json json;
    pt_json_init(&json, &out);
    pt_json_object(&json);
    pt_json_kv_int(&json, "generation", (int64_t)request->thread->generation);
    pt_list_time(&json, "loaded_at", scripts != NULL ? scripts->loaded_us : PT_MISSING);
    pt_list_write(&json, "scripts", request->lists, request->data, fill_scripts, scripts);
    pt_json_key(&json, "last_reload");
    bson_t *outcome = pt_engine_outcome(request->thread->http->engine);
    if (outcome != NULL)
        pt_doc_json(outcome, &json);
    else
        pt_json_null(&json);
    bson_destroy(outcome); /* accepts NULL */
    pt_json_object_end(&json);
    pt_reply_text(request, 200, PT_TYPE_JSON, &out);
}

static const struct pt_script *named(const struct pt_scripts *scripts, const char *name)
{
    return scripts != NULL ? pt_scripts_named(scripts, name) : NULL;
}

bool pt_found_script(struct pt_request *request)
{
    if (named(request->thread->scripts, request->arg) != NULL) return true;
    if (pt_later_find(request->thread->path))
        pt_reply_problem(request, 501, "%.200s is known but not built in this version",
                         request->thread->path);
    else
        pt_reply_problem(request, 404, "no script \"%.48s\"; /scripts lists all", request->arg);
    return false;
}

/* Values in force by name. */
static void write_parameters(const bson_t *declaration, struct pt_json *json)
{
    bson_t params, param;
    bson_iter_t iter, value;
    pt_json_key(json, "parameters");
    pt_json_object(json);
    if (pt_doc_child(declaration, "params", &params) && bson_iter_init(&iter, &params)) {
        while (bson_iter_next(&iter)) {
            uint32_t len;
            const uint8_t *bytes;
            const char *name;
            if (!BSON_ITER_HOLDS_DOCUMENT(&iter)) continue;
            bson_iter_document(&iter, &len, &bytes);
            if (!bson_init_static(&param, bytes, len) || !pt_doc_text(&param, "name", &name))
                continue;
            if (!bson_iter_init_find(&value, &param, "default")) continue;
            pt_json_key(json, name);
            pt_doc_json_value(&value, json);
        }
    }
    pt_json_object_end(json);
}

void pt_handle_script(struct pt_request *request)
{
    const struct pt_script *script = named(request->thread->scripts, request->arg);
    struct pt_buf out = { 0 };
    struct pt_json json;
    pt_json_init(&json, &out);
    pt_json_object(&json);
    write_script(script, &json);
    pt_json_key(&json, "declaration");
    if (script->declaration != NULL) {
        pt_doc_json_plain(script->declaration, &json);
        write_parameters(script->declaration, &json);
    } else {
        pt_json_null(&json);
        pt_json_kv_null(&json, "parameters");
    }
    pt_json_key(&json, "source");
    pt_json_text_n(&json, script->source->text, script->source->len);
    pt_json_object_end(&json);
    pt_reply_text(request, 200, PT_TYPE_JSON, &out);
}
