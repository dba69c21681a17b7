/* round.c - the units of a plan: run, their results gathered and stored.       [layer: flow]
 *
 *     plan ──> submit (a few at a time) ──> results ──> gathered ──> write job ──> stored
 *                                                          │ while one is being written the next is
 * gathered
 *
 * The due marks go with the very last write job, and only when nothing was lost: whatever happens
 * in between, what is not stored stays due. */
#include "flow/round.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "flow/hits.h"
#include "flow/result.h"
#include "flow/scans.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define GATHER_MAX 1024 /* results a write job has */
#define IN_FLIGHT_MAX 64
#define PERIODS_MAX 16

struct kept { /* one result */
    char collection[PT_COLLECTION_MAX];
    uint8_t key[16];
    bson_t *doc; /* owned */
    const struct pt_script
        *detector; /* of the plan: its hits are logged with it; NULL: it is none */
};

struct batch {
    struct pt_write_job job; /* must be first */
    struct pt_round *round;
    bool last;          /* clears the marks too, and notes what is left to scan */
    bool hits_failed;   /* the last try did, over what was found */
    bool without_hits;  /* so the results are written alone */
    uint64_t anomalies; /* logged by the last try */
    size_t n, cap;
    struct kept *v;
};

struct row {
    uint64_t computed, failed, warming, elapsed_us;
};

struct pt_round {
    struct pt_round_opts opts;
    struct pt_plan plan;
    size_t next, in_flight;
    struct batch batches[2]; /* one is gathered while the other is written */
    unsigned gathering;
    bool writing, final; /* final: the last write was begun */
    volatile sig_atomic_t stop;
    const char **names; /* scratch: of the unit being submitted */
    struct row *rows;   /* [scripts * PERIODS_MAX] */
    int64_t started_us;
    struct pt_timer step; /* goes on from the loop, not from a callback */
    struct pt_round_sums sums;
};

struct flight { /* a unit under way */
    struct pt_round *round;
    size_t unit;
};

static void note(struct pt_round *round, const struct pt_err *err)
{
    if (round->sums.err.code == PT_OK) round->sums.err = *err;
}

static struct row *row_of(struct pt_round *round, const char *name, int64_t period_us)
{
    const struct pt_script *script = pt_scripts_find(round->plan.scripts, name);
    if (!script) return NULL;
    size_t at = (size_t)(script - round->plan.scripts->v) * PERIODS_MAX;
    return &round->rows[at + pt_period_place(period_us)];
}

static bool keep(struct pt_round *round, const struct pt_plan_unit *unit,
                 const struct pt_unit_result *result, int64_t as_of_us)
{
    const struct pt_script *script = pt_scripts_find(round->plan.scripts, result->name);
    struct batch *batch = &round->batches[round->gathering];
    if (batch->n == batch->cap) {
        size_t cap = batch->cap > 0 ? 2 * batch->cap : 64;
        struct kept *grown = realloc(batch->v, cap * sizeof *grown);
        if (!grown) return false;
        batch->v = grown;
        batch->cap = cap;
    }
    struct kept *kept = &batch->v[batch->n++];
    pt_result_collection(unit->symbol, result->name, kept->collection);
    pt_result_key(unit->period_us, as_of_us, kept->key);
    kept->doc = bson_copy(result->doc);
    kept->detector = script && pt_script_is_detector(script) ? script : NULL;
    return true;
}

static void empty(struct batch *batch)
{
    for (size_t i = 0; i < batch->n; i++) bson_destroy(batch->v[i].doc);
    batch->n = 0;
}

static void take_result(struct pt_round *round, const struct pt_plan_unit *unit,
                        const struct pt_unit_result *result)
{
    struct row *row = row_of(round, result->name, unit->period_us);
    const char *status = "";
    int64_t as_of_us;
    struct pt_err err;
    pt_doc_text(result->doc, "status", &status);
    bool failed = pt_result_failed(result->doc);
    round->sums.cycle.results++;
    round->sums.cycle.failed += failed;
    if (row) {
        row->computed++;
        row->failed += failed;
        row->warming += strcmp(status, "warming") == 0;
        row->elapsed_us += (uint64_t)result->elapsed_us;
    }
    if (failed && round->opts.failed) round->opts.failed(round->opts.arg, unit, result->doc);
    if (!round->opts.write) return;
    if (!pt_result_as_of(result->doc, &as_of_us)) return; /* there was no bar: nothing to keep */
    if (keep(round, unit, result, as_of_us)) return;
    pt_fail(&err, PT_ENOMEM, "results of a cycle");
    note(round, &err);
    round->sums.lost++;
}

static void on_unit(void *arg, const struct pt_unit_result *results, size_t n,
                    const struct pt_err *err)
{
    struct flight *flight = arg;
    struct pt_round *round = flight->round;
    size_t at = flight->unit;
    const struct pt_plan_unit *unit = &round->plan.v[at];
    free(flight);
    round->in_flight--;
    round->sums.cycle.units++;
    for (size_t i = 0; i < n; i++) {
        take_result(round, unit, &results[i]);
        if (round->opts.result) round->opts.result(round->opts.arg, at, &results[i]);
    }
    if (err) {
        note(round, err);
        round->sums.lost++;
    }
    if (round->opts.progress)
        round->opts.progress(round->opts.arg, round->sums.cycle.units, round->sums.planned);
    pt_timer_start(&round->step, 0);
}

static void submit_next(struct pt_round *round)
{
    const struct pt_plan_unit *due = &round->plan.v[round->next];
    const uint8_t *wanted = round->plan.wanted + round->next * round->plan.scripts->n;
    struct pt_unit unit = { .period_us = due->period_us,
                            .as_of_us = due->as_of_us,
                            .names = round->names,
                            .params = round->opts.params ? &round->opts.params : NULL };
    struct pt_err err;
    memcpy(unit.symbol, due->symbol, sizeof unit.symbol);
    for (size_t i = 0; i < round->plan.scripts->n; i++)
        if (wanted[i]) round->names[unit.n++] = round->plan.scripts->v[i].name;
    struct flight *flight = malloc(sizeof *flight);
    enum pt_code rc = flight ? PT_OK : pt_fail(&err, PT_ENOMEM, "unit");
    if (rc == PT_OK) {
        *flight = (struct flight){ round, round->next };
        round->in_flight++;
        rc = pt_pool_submit(round->opts.pool, &unit, on_unit, flight, &err);
        if (rc != PT_OK) round->in_flight--;
    }
    round->next++;
    if (rc == PT_OK) return;
    free(flight);
    note(round, &err);
    round->sums.cycle.units++;
    round->sums.lost++;
}

/* ---- writing ------------------------------------------------------------------------------- */

/* A result, and what it found; of a scan that alone. */
static enum pt_code write_kept(struct batch *batch, const struct kept *kept, struct pt_write *write,
                               struct pt_err *err)
{
    bson_iter_t iter;
    enum pt_code rc = PT_OK;
    if (!batch->round->plan.scanning)
        rc = pt_write_doc(write, kept->collection, kept->key, sizeof kept->key, kept->doc, err);
    if (rc != PT_OK || !kept->detector || batch->without_hits || !pt_hits_iter(kept->doc, &iter))
        return rc;
    rc = pt_hits_log(write, kept->detector, kept->doc, &iter, SIZE_MAX, &batch->anomalies, err);
    batch->hits_failed = rc != PT_OK;
    return rc;
}

static enum pt_code write_batch(struct pt_write_job *job, struct pt_write *write,
                                struct pt_err *err)
{
    struct batch *batch = (struct batch *)job;
    const struct pt_plan *plan = &batch->round->plan;
    enum pt_code rc = PT_OK;
    batch->anomalies = 0;
    batch->hits_failed = false;
    for (size_t i = 0; rc == PT_OK && i < batch->n; i++)
        rc = write_kept(batch, &batch->v[i], write, err);
    for (size_t i = 0; rc == PT_OK && batch->last && i < plan->nmarks; i++)
        rc = pt_write_due_done(write, &plan->marks[i], err);
    for (size_t i = 0; rc == PT_OK && batch->last && i < plan->nscans; i++)
        rc = plan->scanning ? pt_scan_done(write, &plan->scans[i], err)
                            : pt_scan_add(write, &plan->scans[i], err);
    return rc;
}

static void batch_done(struct pt_write_job *job)
{
    struct batch *batch = (struct batch *)job;
    struct pt_round *round = batch->round;
    if (job->rc == PT_EDAMAGE && batch->hits_failed && !batch->without_hits) {
        pt_log(PT_ERROR, "cycle", "hits_lost", "results=%zu error=\"%s\"", batch->n, job->err.text);
        batch->without_hits = true; /* results do not wait for a log that is damaged */
        round->opts.write(round->opts.write_arg, job);
        return;
    }
    if (job->rc != PT_OK) {
        note(round, &job->err);
        round->sums.lost++;
    } else {
        round->sums.cycle.anomalies += batch->anomalies;
    }
    empty(batch);
    round->writing = false;
    pt_timer_start(&round->step, 0);
}

static void start_write(struct pt_round *round, bool last)
{
    struct batch *batch = &round->batches[round->gathering];
    batch->job = (struct pt_write_job){ .write = write_batch, .done = batch_done };
    batch->round = round;
    batch->last = last;
    batch->without_hits = false;
    round->writing = true;
    round->gathering = 1 - round->gathering;
    round->opts.write(round->opts.write_arg, &batch->job);
}

/* ---- going on ------------------------------------------------------------------------------ */

static void on_step(void *arg)
{
    struct pt_round *round = arg;
    const struct batch *batch = &round->batches[round->gathering];
    while (!round->stop && round->next < round->plan.n && round->in_flight < IN_FLIGHT_MAX &&
           batch->n < GATHER_MAX)
        submit_next(round);
    if (round->writing) return;
    bool all = round->in_flight == 0 && (round->stop || round->next == round->plan.n);
    if (all && !round->final) {
        bool marks = round->opts.clear_marks && round->plan.nmarks + round->plan.nscans > 0 &&
                     round->sums.lost == 0 && !round->stop;
        round->final = true;
        if (batch->n > 0 || marks) start_write(round, marks);
    } else if (batch->n >= GATHER_MAX) {
        start_write(round, false);
    }
    if (round->writing || !round->final) return;
    round->sums.stopped = round->next < round->plan.n;
    round->sums.cycle.wall_us = pt_mono_us() - round->started_us;
    round->opts.done(round->opts.arg, round);
}

enum pt_code pt_round_start(struct event_base *base, const struct pt_round_opts *opts,
                            struct pt_plan *plan, struct pt_round **out, struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    *out = NULL;
    struct pt_round *round = calloc(1, sizeof *round);
    if (!round) {
        pt_plan_fini(plan);
        return pt_fail(err, PT_ENOMEM, "cycle");
    }
    round->opts = *opts;
    round->plan = *plan;
    *plan = (struct pt_plan){ 0 };
    round->started_us = pt_mono_us();
    round->sums.planned = round->plan.n;
    round->names = calloc(round->plan.scripts->n + 1, sizeof *round->names);
    round->rows = calloc((round->plan.scripts->n + 1) * PERIODS_MAX, sizeof *round->rows);
    if (!round->names || !round->rows) rc = pt_fail(err, PT_ENOMEM, "cycle");
    if (rc == PT_OK) rc = pt_timer_init(&round->step, base, on_step, round, err);
    if (rc != PT_OK) {
        pt_round_free(round);
        return rc;
    }
    pt_timer_start(&round->step, 0);
    *out = round;
    return PT_OK;
}

void pt_round_free(struct pt_round *round)
{
    if (!round) return;
    for (size_t i = 0; i < 2; i++) {
        empty(&round->batches[i]);
        free(round->batches[i].v);
    }
    pt_timer_fini(&round->step);
    pt_plan_fini(&round->plan);
    free(round->names);
    free(round->rows);
    free(round);
}

void pt_round_stop(struct pt_round *round)
{
    round->stop = 1;
}

const struct pt_round_sums *pt_round_sums(const struct pt_round *round)
{
    return &round->sums;
}

void pt_round_rows(const struct pt_round *round, pt_cycle_row_fn fn, void *arg)
{
    for (size_t i = 0; i < round->plan.scripts->n; i++)
        for (size_t p = 0; pt_periods[p] != 0; p++) {
            const struct row *row = &round->rows[i * PERIODS_MAX + p];
            const struct pt_cycle_row out = { .script = round->plan.scripts->v[i].name,
                                              .period_us = pt_periods[p],
                                              .computed = row->computed,
                                              .failed = row->failed,
                                              .warming = row->warming,
                                              .elapsed_us = row->elapsed_us };
            if (row->computed > 0) fn(arg, &out);
        }
}
