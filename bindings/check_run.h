/* check_run.h - one check under way: its markets, its calls, what it found.    [layer: bindings]
 * Private to check.c, check_run.c and check_words.c. */
#ifndef PT_CHECK_RUN_H
#define PT_CHECK_RUN_H

#include "bindings/check.h"
#include "bindings/check_watch.h"

#define METRICS_MAX 32

/* One market, and what the script said of it. */
struct pt_check_run {
    struct pt_check_market market;
    size_t nmetrics;
    struct pt_metric metrics[METRICS_MAX]; /* of the scripts that are needed; docs owned */
    bson_t *apart;                         /* owned: from a fresh VM, interpreted, later, renamed */
    bson_t *forward;                       /* owned: from a used VM */
    bson_t
        *backward; /* owned: from it, after all the others: later, renamed, with bars around it */
    bool failed;   /* the script raised an error, or did not end: said once */
};

struct pt_checking {
    const struct pt_lua_script *script;
    const struct pt_check_opts *opts;
    struct pt_check *check;
    struct pt_script_home interpreted;
    struct pt_params params;
    char with[64]; /* ", annualization=crypto": params that are not the defaults */
    size_t nruns;
    struct pt_check_run *runs; /* owned */
    struct pt_lua_script used; /* the VM that sees all markets */
    struct pt_state before, after;
    bool kept;     /* state was found: results that differ say nothing new */
    bool compiled; /* interpreting takes too long */
    bool over;     /* no more calls */
    int64_t start_us; /* processor time of the process when it began */
};

/* check_run.c: makes the markets with the metrics of each. */
enum pt_code pt_check_markets_make(struct pt_checking *c, struct pt_err *err);
void pt_check_runs_fini(struct pt_checking *c);
/* Processor time that all calls for the file may take. */
int64_t pt_check_file_us(const struct pt_checking *c);
/* One call; NULL when the file's time is used up (c->over) or there is no memory. */
bson_t *pt_check_call(struct pt_checking *c, struct pt_lua_script *script,
                      const struct pt_check_run *run, unsigned show);
/* The same in a VM of its own, which is gone afterwards. */
bson_t *pt_check_call_fresh(struct pt_checking *c, const struct pt_check_run *run, unsigned show,
                            bool interpret);

/* check_words.c: findings. line 0: not known. */
void pt_check_add(struct pt_checking *c, const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void pt_check_note(struct pt_checking *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Line of the script's function. */
int pt_check_line(const struct pt_checking *c);
/* The result is an error: says it, once for each. */
bool pt_check_failed(struct pt_checking *c, const struct pt_check_run *run, const bson_t *doc);
/* Two results of one window differ: runs it in one way after the other, and says which of them
 * matters. */
void pt_check_explain(struct pt_checking *c, const struct pt_check_run *run);
/* A value that was kept over a call on this market. */
void pt_check_kept(struct pt_checking *c, const struct pt_check_run *run, unsigned show,
                   const struct pt_change *change);
void pt_check_coroutine(struct pt_checking *c, const struct pt_change *change);
/* Outputs that no market got. */
void pt_check_outputs(struct pt_checking *c);

#endif
