/* eval.c - units for someone who waits: from any thread, or right here.        [layer: flow] */
#include "flow/engine_internal.h"

#include <stdlib.h>
#include <string.h>

struct call {            /* a unit on its way to the loop */
    struct pt_task task; /* must be first */
    struct pt_engine *engine;
    struct pt_unit unit;
    char **names;
    bson_t **params;
    pt_unit_fn fn;
    void *arg;
};

static void free_call(struct call *call)
{
    for (size_t i = 0; i < call->unit.n; i++) {
        if (call->names) free(call->names[i]);
        if (call->params) bson_destroy(call->params[i]);
    }
    free(call->names);
    free(call->params);
    free(call);
}

static void run_call(struct pt_task *task)
{
    struct call *call = (struct call *)task;
    struct pt_err err;
    enum pt_code rc = pt_pool_submit(call->engine->pool, &call->unit, call->fn, call->arg, &err);
    if (rc != PT_OK) call->fn(call->arg, NULL, 0, &err);
    free_call(call);
}

static struct call *copy_call(const struct pt_unit *unit)
{
    struct call *call = calloc(1, sizeof *call);
    if (!call) return NULL;
    call->unit = *unit;
    call->names = calloc(unit->n, sizeof *call->names);
    call->params = calloc(unit->n, sizeof *call->params);
    bool ok = call->names && call->params;
    for (size_t i = 0; ok && i < unit->n; i++) {
        call->names[i] = strdup(unit->names[i]);
        if (unit->params && unit->params[i]) call->params[i] = bson_copy(unit->params[i]);
        ok = call->names[i] != NULL;
    }
    if (!ok) {
        free_call(call);
        return NULL;
    }
    call->unit.names = (const char *const *)call->names;
    call->unit.params = (const bson_t *const *)call->params;
    return call;
}

enum pt_code pt_engine_eval(struct pt_engine *engine, const struct pt_unit *unit, pt_unit_fn fn,
                            void *arg, struct pt_err *err)
{
    if (unit->n == 0) return pt_fail(err, PT_EINVAL, "a unit without scripts");
    struct call *call = copy_call(unit);
    if (!call) return pt_fail(err, PT_ENOMEM, "unit of %zu scripts", unit->n);
    call->engine = engine;
    call->fn = fn;
    call->arg = arg;
    call->task.run = run_call;
    if (pt_engine_post(engine, &call->task)) return PT_OK;
    free_call(call);
    return pt_fail(err, PT_ECANCEL, "the engine is stopping");
}

struct waiting {
    struct pt_engine *engine;
    pt_unit_fn fn;
    void *arg;
    bool done;
};

static void on_waited(void *arg, const struct pt_unit_result *results, size_t n,
                      const struct pt_err *err)
{
    struct waiting *waiting = arg;
    waiting->fn(waiting->arg, results, n, err);
    waiting->done = true;
    pt_loop_stop(waiting->engine->loop);
}

enum pt_code pt_engine_eval_wait(struct pt_engine *engine, const struct pt_unit *unit,
                                 pt_unit_fn fn, void *arg, struct pt_err *err)
{
    struct waiting waiting = { .engine = engine, .fn = fn, .arg = arg };
    enum pt_code rc = pt_pool_submit(engine->pool, unit, on_waited, &waiting, err);
    while (rc == PT_OK && !waiting.done) rc = pt_loop_run(engine->loop, err);
    return rc;
}
