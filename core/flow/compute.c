/* compute.c - batch: one full cycle over the store, written by the caller itself. [layer: flow] */
#include "base/clock.h"
#include "flow/engine_internal.h"

#include <inttypes.h>
#include <string.h>

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

struct computing {
    struct pt_engine *engine;
    const struct pt_cycle_opts *opts;
    struct pt_cycle_sums *sums;
    struct pt_err err;
    bool done;
};

static void on_progress(void *arg, uint64_t done, uint64_t total)
{
    struct computing *computing = arg;
    if (computing->engine->interrupted) pt_round_stop(computing->engine->round);
    if (computing->opts->progress) computing->opts->progress(computing->opts->arg, done, total);
}

static void on_computed(void *arg, struct pt_round *round)
{
    struct computing *computing = arg;
    const struct pt_round_sums *sums = pt_round_sums(round);
    *computing->sums = sums->cycle;
    computing->err = sums->err;
    if (sums->err.code == PT_OK && sums->stopped)
        pt_fail(&computing->err, PT_ECANCEL,
                "interrupted: %" PRIu64 " of %" PRIu64 " units are computed and stored",
                sums->cycle.units, sums->planned);
    if (computing->opts->row) pt_round_rows(round, computing->opts->row, computing->opts->arg);
    computing->engine->round = NULL;
    pt_round_free(round);
    computing->done = true;
    pt_loop_stop(computing->engine->loop);
}

enum pt_code pt_engine_compute(struct pt_engine *engine, const struct pt_cycle_opts *opts,
                               struct pt_cycle_sums *sums, struct pt_err *err)
{
    struct computing computing = { .engine = engine, .opts = opts, .sums = sums };
    struct pt_round *round = NULL;
    struct pt_plan plan;
    struct pt_err own;
    if (!err) err = &own;
    bool whole = !opts->pairs && !opts->periods_us && opts->as_of_us == INT64_MAX;
    const struct pt_plan_opts planned = { .scripts = engine->scripts,
                                          .benchmark =
                                              pt_conf_text(engine->conf, "cycle", "benchmark"),
                                          .pairs =
                                              opts->pairs ? opts->pairs : engine->settings.pairs,
                                          .periods_us = opts->periods_us,
                                          .as_of_us = opts->as_of_us,
                                          .all = true,
                                          .marks = whole,
                                          .settled = true,
                                          .now_us = pt_now_us() };
    const struct pt_round_opts how = { .pool = engine->pool,
                                       .write = write_here,
                                       .write_arg = engine,
                                       .clear_marks = whole,
                                       .progress = on_progress,
                                       .done = on_computed,
                                       .arg = &computing };
    *sums = (struct pt_cycle_sums){ 0 };
    enum pt_code rc = pt_plan_make(engine->store, &planned, &plan, err);
    if (rc == PT_OK) computing.err = plan.fault;
    if (rc == PT_OK) rc = pt_round_start(pt_loop_base(engine->loop), &how, &plan, &round, err);
    if (rc != PT_OK) return rc;
    struct pt_err fault = computing.err;
    engine->round = round;
    while (rc == PT_OK && !computing.done) rc = pt_loop_run(engine->loop, err);
    if (rc == PT_OK && computing.err.code == PT_OK) computing.err = fault;
    if (rc == PT_OK && computing.err.code != PT_OK) {
        *err = computing.err;
        rc = err->code;
    }
    return rc;
}

void pt_engine_interrupt(struct pt_engine *engine)
{
    if (engine) engine->interrupted = 1;
}
