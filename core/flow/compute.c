/* compute.c - batch: one full cycle over the store, written by the caller itself. [layer: flow] */
#include "base/clock.h"
#include "flow/engine_internal.h"

#include <inttypes.h>

static void job_done(struct pt_task *task)
{
    struct pt_write_job *job = (struct pt_write_job *)task;
    job->done(job);
}

/* Batch: the caller is its own writer. */
static void write_here(void *arg, struct pt_write_job *job)
{
    struct pt_engine *engine = arg;
    struct pt_write *write = NULL;
    job->rc = pt_write_begin(engine->store, &write, &job->err);
    if (job->rc == PT_OK) {
        job->rc = job->write(job, write, &job->err);
        if (job->rc == PT_OK)
            job->rc = pt_write_commit(write, &job->err);
        else
            pt_write_abort(write);
    }
    job->task.run = job_done;
    pt_loop_post(engine->loop, &job->task);
}

static void on_progress(void *arg, uint64_t done, uint64_t total)
{
    struct pt_batch *batch = arg;
    if (batch->engine->interrupted) pt_round_stop(batch->engine->round);
    if (batch->progress) batch->progress(batch->arg, done, total);
}

static void on_result(void *arg, size_t unit, const struct pt_unit_result *result)
{
    const struct pt_batch *batch = arg;
    batch->result(batch->arg, unit, result);
}

static void on_done(void *arg, struct pt_round *round)
{
    struct pt_batch *batch = arg;
    const struct pt_round_sums *sums = pt_round_sums(round);
    batch->sums = sums->cycle;
    batch->err = sums->err;
    if (sums->err.code == PT_OK && sums->stopped)
        pt_fail(&batch->err, PT_ECANCEL,
                "interrupted: %" PRIu64 " of %" PRIu64 " units are computed%s", sums->cycle.units,
                sums->planned, batch->store ? " and stored" : "");
    if (batch->row) pt_round_rows(round, batch->row, batch->arg);
    batch->engine->round = NULL;
    pt_round_free(round);
    batch->done = true;
    pt_loop_stop(batch->engine->loop);
}

enum pt_code pt_batch_run(struct pt_batch *batch, struct pt_plan *plan, struct pt_err *err)
{
    struct pt_engine *engine = batch->engine;
    struct pt_round *round = NULL;
    const struct pt_round_opts how = { .pool = engine->pool,
                                       .write = batch->store ? write_here : NULL,
                                       .write_arg = engine,
                                       .params = batch->params,
                                       .clear_marks = batch->clear_marks,
                                       .progress = on_progress,
                                       .result = batch->result ? on_result : NULL,
                                       .done = on_done,
                                       .arg = batch };
    batch->done = false;
    enum pt_code rc = pt_round_start(pt_loop_base(engine->loop), &how, plan, &round, err);
    if (rc != PT_OK) return rc;
    engine->round = round;
    while (rc == PT_OK && !batch->done) rc = pt_loop_run(engine->loop, err);
    if (rc == PT_OK && batch->err.code != PT_OK) {
        *err = batch->err;
        rc = err->code;
    }
    return rc;
}

enum pt_code pt_engine_compute(struct pt_engine *engine, const struct pt_cycle_opts *opts,
                               struct pt_cycle_sums *sums, struct pt_err *err)
{
    struct pt_plan plan;
    struct pt_err own;
    if (!err) err = &own;
    bool whole = !opts->pairs && !opts->periods_us && opts->as_of_us == INT64_MAX;
    const struct pt_plan_opts planned = { .scripts = engine->scripts,
                                          .benchmark =
                                              pt_conf_text(engine->conf, "cycle", "benchmark"),
                                          .pairs =
                                              opts->pairs ? opts->pairs : engine->settings.pairs,
                                          .market = !opts->pairs, /* "only these symbols" */
                                          .periods_us = opts->periods_us,
                                          .as_of_us = opts->as_of_us,
                                          .all = true,
                                          .marks = whole,
                                          .settled = true,
                                          .now_us = pt_now_us() };
    struct pt_batch batch = { .engine = engine,
                              .progress = opts->progress,
                              .row = opts->row,
                              .arg = opts->arg,
                              .store = true,
                              .clear_marks = whole };
    *sums = (struct pt_cycle_sums){ 0 };
    enum pt_code rc = pt_plan_make(engine->store, &planned, &plan, err);
    if (rc != PT_OK) return rc;
    struct pt_err fault = plan.fault;
    rc = pt_batch_run(&batch, &plan, err);
    *sums = batch.sums;
    if (rc == PT_OK && fault.code != PT_OK) { /* what was left out because it is damaged */
        *err = fault;
        rc = err->code;
    }
    return rc;
}

void pt_engine_interrupt(struct pt_engine *engine)
{
    if (engine) engine->interrupted = 1;
}
