/* cycle.c - when units are due, and that they are computed then.               [layer: flow]
 *
 * One round runs at a time; what becomes due meanwhile is looked at when it has ended. Series that
 * are being filled from far behind (a feed that catches up, an import) wait until the store has
 * been quiet for a moment, so that filling them does not compute results of the past over and over.
 */
#include "flow/cycle.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "flow/result.h"
#include "flow/scans.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define TICK_US PT_US_SEC             /* how soon commits of other processes are seen */
#define QUIET_US 300000               /* nothing committed for so long: settled */
#define SETTLE_MAX_US (5 * PT_US_SEC) /* nothing waits longer than this for quiet */
#define HOLD_US (5 * PT_US_SEC)       /* pause after a round that lost something */
#define SCAN_MAX_US 100000            /* live bars wait for a scan no longer than about this */
#define SAY_AGAIN_US (10 * PT_US_MIN)

struct said { /* last time a script's failure was logged */
    char name[PT_SCRIPT_NAME_MAX], words[120];
    int64_t at_us;
};

struct pt_cycle {
    struct pt_cycle_host host;
    struct pt_scripts *scripts; /* a ref; NULL: none yet */
    struct pt_scripts *planned; /* a ref: the set for which a plan was last made; NULL: none */
    struct pt_round *round;     /* under way, or NULL */
    struct pt_timer tick, interval, check, scan_again;
    bool want_all, want_check, stopped;
    bool all; /* the round under way takes everything */
    /* units of the market that were put off, and those the round under way took of them; after a
     * restart all is due anyway */
    unsigned later, taken;
    atomic_uint_fast64_t to_scan; /* bars, at most */
    size_t scan_most;             /* so many at once take less than SCAN_MAX_US */
    struct pt_scan_turn turn;
    bool scanning, said_scan;   /* the round under way scans; that there is much was said */
    int64_t scan_hold_until_us; /* as hold_until_us, of scans alone */
    uint64_t seen;              /* commit */
    int64_t changed_us, waiting_us, hold_until_us; /* monotonic; 0: not */
    struct said *said;
    size_t nsaid;
    char fault[160]; /* last damage that was logged */
};

static void check(struct pt_cycle *cycle);
static void scan(struct pt_cycle *cycle);

/* ---- what went wrong, said once ------------------------------------------------------------ */

static bool say_again(struct pt_cycle *cycle, const char *name, const char *words)
{
    int64_t now_us = pt_mono_us();
    struct said *said = NULL;
    for (size_t i = 0; i < cycle->nsaid && !said; i++)
        if (strcmp(cycle->said[i].name, name) == 0) said = &cycle->said[i];
    if (said && strncmp(said->words, words, sizeof said->words - 1) == 0 &&
        now_us - said->at_us < SAY_AGAIN_US)
        return false;
    if (!said) {
        struct said *grown = realloc(cycle->said, (cycle->nsaid + 1) * sizeof *grown);
        if (!grown) return true; /* rather twice than never */
        cycle->said = grown;
        said = &grown[cycle->nsaid++];
        snprintf(said->name, sizeof said->name, "%s", name);
    }
    snprintf(said->words, sizeof said->words, "%s", words);
    said->at_us = now_us;
    return true;
}

static void on_failed(void *arg, const struct pt_plan_unit *unit, const bson_t *doc)
{
    const char *status = "", *name = "?", *words = "?", *file = "?";
    int64_t line = 0;
    char period[PT_PERIOD_TEXT_MAX], as_of[PT_TIME_TEXT_MAX];
    /* that it was quarantined was said when it was */
    if (pt_doc_text(doc, "status", &status) && strcmp(status, "error") != 0) return;
    pt_doc_text(doc, "metric", &name);
    pt_doc_text(doc, "metadata.error.message", &words);
    pt_doc_text(doc, "metadata.error.file", &file);
    pt_doc_int(doc, "metadata.error.line", &line);
    if (!say_again(arg, name, words)) return;
    pt_period_print(unit->period_us, period);
    pt_time_print(unit->as_of_us, as_of);
    pt_log(PT_ERROR, "cycle", "script_failed",
           "script=%s at=%s:%" PRId64 " symbol=%s period=%s as_of=%s message=\"%s\"", name, file,
           line, *unit->symbol ? unit->symbol : "market", period, as_of, words);
}

/* ---- alerts -------------------------------------------------------------------------------- */

static bool fires(const bson_t *doc)
{
    const char *fired;
    return pt_doc_text(doc, "data.fired", &fired) && strcmp(fired, "yes") == 0;
}

static bool look_fired(void *arg, const void *key, size_t key_len, const bson_t *doc)
{
    bool *fired = arg;
    (void)key;
    (void)key_len;
    *fired = fires(doc);
    return !*fired;
}

/* Did the alert fire already at this bar (it is computed again) or at the one before? Those that
 * look at books are not stored on the grid of the bars, so half a bar is left. What cannot be read
 * did not: rather said twice than never. */
static bool fired_before(struct pt_store *store, int64_t as_of_us, const char *name,
                         const char *symbol, int64_t period_us)
{
    char collection[PT_COLLECTION_MAX];
    uint8_t from[16], to[16];
    struct pt_read *read;
    struct pt_err err;
    bool fired = false;
    if (pt_read_begin(store, &read, &err) != PT_OK) return false;
    pt_result_collection(symbol, name, collection);
    pt_result_key(period_us, as_of_us - period_us - period_us / 2, from);
    pt_result_key(period_us, as_of_us + 1, to);
    enum pt_code rc = pt_docs_scan(read, collection, from, sizeof from, to, sizeof to, true,
                                   look_fired, &fired, &err);
    pt_read_end(read);
    return rc == PT_OK && fired;
}

/* An alert that begins to fire is a line in the log; so far nothing else hears of it. */
static void on_result(void *arg, size_t unit, const struct pt_unit_result *result)
{
    const struct pt_cycle *cycle = arg;
    const struct pt_script *script = pt_scripts_find(cycle->scripts, result->name);
    const char *symbol = "?", *period = "?", *message = "?";
    int64_t period_us = 0, as_of_us;
    char as_of[PT_TIME_TEXT_MAX];
    (void)unit;
    if (!script || strcmp(script->kind, "alert") != 0 || !fires(result->doc)) return;
    pt_doc_text(result->doc, "symbol", &symbol);
    pt_doc_text(result->doc, "timeframe", &period);
    pt_doc_text(result->doc, "data.message", &message);
    if (!pt_result_as_of(result->doc, &as_of_us) ||
        pt_period_parse(period, strlen(period), &period_us) != PT_OK ||
        fired_before(cycle->host.store, as_of_us, result->name, symbol, period_us))
        return;
    pt_time_print(as_of_us, as_of);
    pt_log(PT_INFO, "alert", "fired", "alert=%s symbol=%s period=%s as_of=%s message=\"%s\"",
           result->name, symbol, period, as_of, message);
}

/* The check after it comes back to the scan. */
static void hold_scan(struct pt_cycle *cycle)
{
    cycle->scan_hold_until_us = pt_mono_us() + HOLD_US;
    pt_timer_start(&cycle->scan_again, HOLD_US);
}

/* What it lost stays to be scanned; what is due does not wait for that. */
static void scan_done(struct pt_cycle *cycle, const struct pt_round_sums *sums)
{
    if (sums->lost > 0) {
        pt_log(PT_ERROR, "cycle", "scan_incomplete",
               "lost=%" PRIu64 " units=%" PRIu64 " error=\"%s\"", sums->lost, sums->cycle.units,
               sums->err.text);
        hold_scan(cycle);
    }
    if (sums->cycle.wall_us > SCAN_MAX_US && cycle->scan_most > 1)
        cycle->scan_most /= 2;
    else if (sums->cycle.wall_us < SCAN_MAX_US / 4 && cycle->scan_most < PT_SCANS_AT_ONCE)
        cycle->scan_most *= 2;
}

static void on_done(void *arg, struct pt_round *round)
{
    struct pt_cycle *cycle = arg;
    const struct pt_round_sums *sums = pt_round_sums(round);
    if (cycle->scanning) {
        scan_done(cycle, sums);
    } else if (sums->lost > 0) {
        pt_log(PT_ERROR, "cycle", "incomplete", "lost=%" PRIu64 " units=%" PRIu64 " error=\"%s\"",
               sums->lost, sums->cycle.units, sums->err.text);
        cycle->hold_until_us = pt_mono_us() + HOLD_US;
        cycle->want_check = true;
        cycle->want_all = cycle->want_all || cycle->all;
        cycle->later |= cycle->taken;
    } else {
        pt_log(PT_DEBUG, "cycle", "done",
               "units=%" PRIu64 " results=%" PRIu64 " failed=%" PRIu64 " us=%" PRId64,
               sums->cycle.units, sums->cycle.results, sums->cycle.failed, sums->cycle.wall_us);
    }
    cycle->host.ended(cycle->host.arg, sums, cycle->scanning);
    cycle->round = NULL;
    cycle->scanning = false;
    pt_round_free(round);
    if (cycle->want_check)
        check(cycle);
    else
        scan(cycle);
}

/* ---- when ---------------------------------------------------------------------------------- */

static bool is_settled(struct pt_cycle *cycle)
{
    int64_t now_us = pt_mono_us();
    return now_us - cycle->changed_us >= QUIET_US ||
           (cycle->waiting_us > 0 && now_us - cycle->waiting_us >= SETTLE_MAX_US);
}

static void start_round(struct pt_cycle *cycle, struct pt_plan *plan)
{
    const struct pt_round_opts opts = { .pool = cycle->host.pool,
                                        .write = cycle->host.write,
                                        .write_arg = cycle->host.write_arg,
                                        .clear_marks = true,
                                        .failed = on_failed,
                                        .result = on_result,
                                        .done = on_done,
                                        .arg = cycle };
    struct pt_err err;
    if (pt_round_start(pt_loop_base(cycle->host.loop), &opts, plan, &cycle->round, &err) == PT_OK)
        return;
    pt_log(PT_ERROR, "cycle", "not_started", "error=\"%s\"", err.text);
    if (cycle->scanning) {
        cycle->scanning = false;
        hold_scan(cycle);
        return;
    }
    cycle->want_all = cycle->want_all || cycle->all;
    cycle->later |= cycle->taken;
    cycle->hold_until_us = pt_mono_us() + HOLD_US;
    cycle->want_check = true;
}

static void say_fault(struct pt_cycle *cycle, const struct pt_err *fault)
{
    if (fault->code == PT_OK || strncmp(fault->text, cycle->fault, sizeof cycle->fault - 1) == 0)
        return;
    snprintf(cycle->fault, sizeof cycle->fault, "%.*s", (int)sizeof cycle->fault - 1, fault->text);
    pt_log(PT_ERROR, "cycle", "damaged", "error=\"%s\"", fault->text);
}

/* What is to be scanned, while nothing else is due; that there is much is said once. */
static void scan(struct pt_cycle *cycle)
{
    struct pt_plan plan;
    struct pt_err err;
    uint64_t left;
    if (cycle->stopped || pt_mono_us() < cycle->scan_hold_until_us) return;
    if (pt_scans_plan(cycle->host.store, cycle->scripts, cycle->host.pairs, cycle->scan_most,
                      &cycle->turn, &plan, &left, &err) != PT_OK) {
        pt_log(PT_ERROR, "cycle", "no_scan", "error=\"%s\"", err.text);
        hold_scan(cycle);
        return;
    }
    say_fault(cycle, &plan.fault);
    atomic_store(&cycle->to_scan, left);
    if (!cycle->said_scan && left > PT_SCANS_AT_ONCE) {
        cycle->said_scan = true;
        pt_log(PT_INFO, "cycle", "scanning", "bars=%" PRIu64, left);
    } else if (cycle->said_scan && left == 0) {
        cycle->said_scan = false;
        pt_log(PT_INFO, "cycle", "scanned", "bars_left=0");
    }
    cycle->scanning = plan.nscans > 0;
    if (cycle->scanning)
        start_round(cycle, &plan);
    else
        pt_plan_fini(&plan);
}

static void check(struct pt_cycle *cycle)
{
    struct pt_plan plan;
    struct pt_err err;
    cycle->want_check = true;
    if (cycle->stopped || cycle->round || !cycle->scripts || pt_mono_us() < cycle->hold_until_us)
        return;
    cycle->want_check = false;
    const struct pt_plan_opts opts = { .scripts = cycle->scripts,
                                       .benchmark = cycle->host.benchmark,
                                       .pairs = cycle->host.pairs,
                                       .market = true,
                                       .later = cycle->later,
                                       .as_of_us = INT64_MAX,
                                       .all = cycle->want_all,
                                       .since =
                                           cycle->scripts != cycle->planned ? cycle->planned : NULL,
                                       .marks = true,
                                       .settled = is_settled(cycle),
                                       .now_us = pt_now_us() };
    if (pt_plan_make(cycle->host.store, &opts, &plan, &err) != PT_OK) {
        pt_log(PT_ERROR, "cycle", "no_plan", "error=\"%s\"", err.text);
        cycle->hold_until_us = pt_mono_us() + HOLD_US;
        cycle->want_check = true;
        return;
    }
    say_fault(cycle, &plan.fault);
    cycle->all = cycle->want_all || opts.since;
    cycle->want_all = false;
    if (cycle->planned != cycle->scripts) {
        pt_scripts_unref(cycle->planned);
        cycle->planned = pt_scripts_ref(cycle->scripts);
    }
    cycle->taken = cycle->later & ~plan.later;
    cycle->later = plan.later;
    if (plan.waiting) {
        if (cycle->waiting_us == 0) cycle->waiting_us = pt_mono_us();
        pt_timer_start(&cycle->check, QUIET_US);
    } else {
        cycle->waiting_us = 0;
    }
    if (plan.n > 0) {
        start_round(cycle, &plan);
        return;
    }
    pt_plan_fini(&plan); /* marks that make nothing due stay, until they go with some that do */
    scan(cycle);
}

uint64_t pt_cycle_to_scan(const struct pt_cycle *cycle)
{
    return atomic_load(&cycle->to_scan);
}

static void on_check(void *arg)
{
    check(arg);
}

static void on_tick(void *arg)
{
    struct pt_cycle *cycle = arg;
    pt_timer_start(&cycle->tick, TICK_US);
    uint64_t commit = pt_store_commit_id(cycle->host.store);
    if (commit != cycle->seen || cycle->want_check) {
        cycle->seen = commit;
        check(cycle);
    }
}

static void on_interval(void *arg)
{
    struct pt_cycle *cycle = arg;
    pt_timer_start(&cycle->interval, cycle->host.interval_us);
    cycle->want_all = true;
    check(cycle);
}

void pt_cycle_poke(struct pt_cycle *cycle)
{
    cycle->changed_us = pt_mono_us();
    cycle->seen = pt_store_commit_id(cycle->host.store);
    check(cycle);
}

void pt_cycle_scripts(struct pt_cycle *cycle, struct pt_scripts *scripts)
{
    pt_scripts_ref(scripts);
    pt_scripts_unref(cycle->scripts);
    cycle->scripts = scripts;
    if (!cycle->planned) cycle->want_all = true;
    if (!cycle->stopped) pt_timer_start(&cycle->check, 0);
}

static bool same_pairs(const char *const *a, const char *const *b)
{
    if (!a || !b) return a == b;
    while (*a && *b && strcmp(*a, *b) == 0) {
        a++;
        b++;
    }
    return !*a && !*b;
}

void pt_cycle_settings(struct pt_cycle *cycle, const char *benchmark, const char *const *pairs,
                       int64_t interval_us)
{
    if (strcmp(cycle->host.benchmark, benchmark) != 0 || !same_pairs(cycle->host.pairs, pairs))
        cycle->want_all = true;
    if (cycle->host.interval_us != interval_us && !cycle->stopped)
        pt_timer_start(&cycle->interval, interval_us);
    cycle->host.benchmark = benchmark;
    cycle->host.pairs = pairs;
    cycle->host.interval_us = interval_us;
    if (!cycle->stopped) pt_timer_start(&cycle->check, 0);
}

void pt_cycle_stop(struct pt_cycle *cycle)
{
    cycle->stopped = true;
    pt_timer_stop(&cycle->tick);
    pt_timer_stop(&cycle->interval);
    pt_timer_stop(&cycle->check);
    pt_timer_stop(&cycle->scan_again);
    if (cycle->round) pt_round_stop(cycle->round);
}

enum pt_code pt_cycle_new(const struct pt_cycle_host *host, struct pt_cycle **out,
                          struct pt_err *err)
{
    *out = NULL;
    struct event_base *base = pt_loop_base(host->loop);
    struct pt_cycle *cycle = calloc(1, sizeof *cycle);
    if (!cycle) return pt_fail(err, PT_ENOMEM, "cycle");
    cycle->host = *host;
    cycle->seen = pt_store_commit_id(host->store);
    cycle->scan_most = PT_SCANS_AT_ONCE;
    enum pt_code rc = pt_timer_init(&cycle->tick, base, on_tick, cycle, err);
    if (rc == PT_OK) rc = pt_timer_init(&cycle->interval, base, on_interval, cycle, err);
    if (rc == PT_OK) rc = pt_timer_init(&cycle->check, base, on_check, cycle, err);
    if (rc == PT_OK) rc = pt_timer_init(&cycle->scan_again, base, on_check, cycle, err);
    if (rc != PT_OK) {
        pt_cycle_free(cycle);
        return rc;
    }
    pt_timer_start(&cycle->tick, TICK_US);
    pt_timer_start(&cycle->interval, host->interval_us);
    *out = cycle;
    return PT_OK;
}

void pt_cycle_free(struct pt_cycle *cycle)
{
    if (!cycle) return;
    pt_round_free(cycle->round);
    pt_timer_fini(&cycle->tick);
    pt_timer_fini(&cycle->interval);
    pt_timer_fini(&cycle->check);
    pt_timer_fini(&cycle->scan_again);
    pt_scripts_unref(cycle->scripts);
    pt_scripts_unref(cycle->planned);
    free(cycle->said);
    free(cycle);
}
