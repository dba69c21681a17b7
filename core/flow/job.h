/* job.h - one unit of work on its way: planned, tried, retried, settled.       [layer: flow]
 * Knows nothing of processes. What is planned is planned on any thread; the rest is the pool's. */
#ifndef PT_JOB_H
#define PT_JOB_H

#include "flow/pool.h"

/* One script of the unit: asked for, or run because an asked one needs it. */
struct pt_job_item {
    const struct pt_script *script; /* of the job's snapshot; NULL: no longer live */
    const char *name;               /* borrowed from the job */
    bool asked;
    bool broken;          /* it ended its worker, or is gone: not to be sent again */
    bson_t *params;       /* owned: what differs from the file's defaults; NULL: none */
    bson_t *doc;          /* owned: its result, once settled */
    const uint8_t *bytes; /* the same, borrowed from the answer that completed the job */
    uint32_t len;
    int64_t elapsed_us;
};

struct pt_job {
    struct pt_job *next;
    uint64_t id;
    char symbol[PT_SYMBOL_MAX], benchmark[PT_SYMBOL_MAX]; /* as in struct pt_unit */
    int64_t period_us, as_of_us, now_us;
    bool urgent, whole;
    enum pt_inspect inspect;
    size_t n; /* asked */
    char (*names)[PT_SCRIPT_NAME_MAX];
    bson_t **params; /* per asked script, NULL: none */
    pt_unit_fn fn;
    void *arg;

    struct pt_scripts *scripts; /* a ref: the snapshot it is planned on */
    size_t items_len;
    struct pt_job_item *items; /* in the order they must run */
    size_t *sent;              /* items of the request under way, in its order */
    size_t sent_len;
    bool failed; /* one of the items */
    bool solo; /* one script (with its needs) at a time, to find the one that breaks the worker */
    unsigned tries, outside;
};

/* Copies the unit. PT_ENOENT: a script that is not live. PT_EINVAL: a script of the market in a
 * unit of one symbol, or the other way round. */
enum pt_code pt_job_new(const struct pt_unit *unit, struct pt_scripts *scripts, struct pt_job **job,
                        struct pt_err *err);
void pt_job_free(struct pt_job *job); /* accepts NULL; the callback is not called */
/* What was settled, and the snapshot: what is left can be planned again. */
void pt_job_forget(struct pt_job *job);
/* Do both ask for the same, whenever as of? */
bool pt_job_alike(const struct pt_job *a, const struct pt_job *b);

/* Plans (again) on a snapshot: what was settled before is forgotten. Scripts that are gone are
 * settled as errors. */
enum pt_code pt_job_plan(struct pt_job *job, struct pt_scripts *scripts, struct pt_err *err);

/* The request for the next try; remembers what it asks. */
enum pt_code pt_job_request(struct pt_job *job, bson_t *doc, struct pt_err *err);
/* Of one call of its scripts: a unit of the market has more. */
int64_t pt_job_budget_us(const struct pt_job *job, int64_t call_budget_us);
int64_t pt_job_allowance_us(const struct pt_job *job,
                            int64_t call_budget_us); /* for all that was sent */

/* Takes the answer. PT_EDAMAGE: it does not fit the request; nothing was taken then. A job that is
 * done now borrows from the answer: finish it before the answer goes. */
enum pt_code pt_job_answer(struct pt_job *job, const bson_t *answer, struct pt_err *err);

/* The worker died over the request, at script `at` of it (SIZE_MAX: not known). Settles the
 * culprit, or goes on to look for it. *culprit: borrowed; NULL when it is not known. False when the
 * unit has to be given up. */
bool pt_job_died(struct pt_job *job, size_t at, bool outside, const char *words,
                 const struct pt_job_item **culprit);
/* Does it run with the parameters in force, rather than with some of the caller's own? */
bool pt_job_in_force(const struct pt_job *job, const struct pt_job_item *item);

bool pt_job_done(const struct pt_job *job); /* every asked script is settled */
/* Calls the callback with the results, or with err. */
void pt_job_finish(struct pt_job *job, const struct pt_err *err);

#endif
