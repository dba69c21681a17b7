/* plan.c - which units are due.                                                [layer: flow] */
#include "flow/plan.h"

#include "base/decimal.h"
#include "base/timefmt.h"
#include "flow/hits.h"
#include "flow/result.h"
#include "store/bars.h"
#include "store/books.h"
#include "store/symbols.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PERIODS_MAX 16
#define PAST_BARS 3
#define BEHIND_BARS                                                                                \
    3 /* a series whose newest change is older than this, and a minute, is being filled */

struct planner {
    const struct pt_plan_opts *opts;
    struct pt_plan *plan;
    struct pt_read *read;
    struct pt_symbols symbols; /* all that have candles or books */
    bool any_market;           /* a script of the market is live */
    int64_t *last_close; /* [symbols.n * PERIODS_MAX]: of a symbol, once asked for; 0: not yet */
    struct pt_market_close closes[PERIODS_MAX]; /* of the market, once asked for: `looked` */
    bool looked[PERIODS_MAX];
    uint8_t *chosen; /* [scripts->n], scratch */
    uint8_t *fresh;  /* [scripts->n]: differs from opts->since, or needs one that does */
    struct pt_due mark;
    bool damaged; /* something of the mark under way could not be read */
    enum pt_code rc;
    struct pt_err *err;
};

/* Rows that are no bars, of which a script has a span of its own. */
static bool is_other(enum pt_kind_id kind)
{
    return kind == PT_FUNDING || kind == PT_MARKS;
}

/* That span; 0: it needs none. */
static int64_t other_span(const struct pt_script *script, enum pt_kind_id kind)
{
    return kind == PT_FUNDING ? script->needs.funding_us : script->needs.marks_us;
}

/* Whose units: a symbol's own, a symbol's for what changed in the benchmark, the market's. */
enum scope { OWN, BENCHMARKED, MARKET };

/* Does what changed in a series of this kind change what the script gives? */
static bool depends(const struct pt_script *script, enum pt_kind_id kind, enum scope scope)
{
    if (pt_script_is_market(script) != (scope == MARKET)) return false;
    if (scope == MARKET) return kind == PT_CANDLES;
    if (scope == BENCHMARKED) return kind == PT_CANDLES && script->needs.benchmark;
    if (kind == PT_DEPTH) return pt_script_books(script, NULL, NULL);
    if (kind == PT_CANDLES) return true;
    if (is_other(kind)) return other_span(script, kind) > 0;
    return kind == PT_TRADES && script->needs.trades;
}

bool pt_plan_wants_symbol(const char *const *pairs, const char *symbol)
{
    if (!pairs) return true;
    for (const char *const *pair = pairs; *pair; pair++)
        if (strcasecmp(*pair, symbol) == 0) return true;
    return false;
}

static bool wants_symbol(const struct pt_plan_opts *opts, const char *symbol)
{
    return pt_plan_wants_symbol(opts->pairs, symbol);
}

bool pt_scan_wants(const struct pt_script *script, int64_t period_us)
{
    return pt_script_is_detector(script) && !pt_script_is_market(script) &&
           pt_script_every(script, period_us);
}

bool pt_plan_add_scan(struct pt_plan *plan, const struct pt_scan *scan)
{
    struct pt_scan *grown = realloc(plan->scans, (plan->nscans + 1) * sizeof *grown);
    if (!grown) return false;
    plan->scans = grown;
    plan->scans[plan->nscans++] = *scan;
    return true;
}

static bool wants_period(const struct pt_plan_opts *opts, int64_t period_us)
{
    if (!opts->periods_us) return true;
    for (const int64_t *period = opts->periods_us; *period; period++)
        if (*period == period_us) return true;
    return false;
}

/* ---- units --------------------------------------------------------------------------------- */

static bool fail(struct planner *planner, enum pt_code rc)
{
    planner->rc = rc;
    return false;
}

static bool no_memory(struct planner *planner)
{
    return fail(planner, pt_fail(planner->err, PT_ENOMEM, "plan of %zu units", planner->plan->n));
}

/* Scripts that look at books are not asked about a symbol that has none. False: an error. */
static bool leave_out_bookless(struct planner *planner, const char *symbol, bool *some)
{
    const struct pt_scripts *scripts = planner->plan->scripts;
    bool known = false, books = false;
    *some = false;
    for (size_t i = 0; i < scripts->n; i++) {
        if (!planner->chosen[i]) continue;
        if (pt_script_books(&scripts->v[i], NULL, NULL)) {
            struct pt_series_key key = { .kind = PT_DEPTH };
            struct pt_series series;
            memcpy(key.symbol, symbol, strnlen(symbol, sizeof key.symbol - 1));
            if (!known) {
                enum pt_code rc = pt_series_find(planner->read, &key, &series, planner->err);
                if (rc != PT_OK && rc != PT_ENOENT) return fail(planner, rc);
                books = rc == PT_OK && series.rows > 0;
                known = true;
            }
            if (!books) planner->chosen[i] = 0;
        }
        *some = *some || planner->chosen[i];
    }
    return true;
}

/* Adds a unit with the chosen scripts. The same unit may come again; it is merged at the end. */
static bool add_unit(struct planner *planner, const char *symbol, int64_t period_us,
                     int64_t as_of_us, bool newest)
{
    struct pt_plan *plan = planner->plan;
    size_t stride = plan->scripts->n;
    bool some;
    if (!leave_out_bookless(planner, symbol, &some)) return false;
    if (!some) return true;
    if (plan->n == plan->cap) {
        size_t cap = plan->cap > 0 ? 2 * plan->cap : 64;
        struct pt_plan_unit *v = realloc(plan->v, cap * sizeof *v);
        if (v) plan->v = v;
        uint8_t *wanted = v ? realloc(plan->wanted, cap * stride) : NULL;
        if (!wanted) return no_memory(planner);
        plan->wanted = wanted;
        plan->cap = cap;
    }
    struct pt_plan_unit *unit = &plan->v[plan->n];
    *unit = (struct pt_plan_unit){ .period_us = period_us, .as_of_us = as_of_us, .newest = newest };
    memcpy(unit->symbol, symbol, strnlen(symbol, sizeof unit->symbol - 1));
    memcpy(plan->wanted + plan->n * stride, planner->chosen, stride);
    plan->n++;
    return true;
}

struct order {
    const struct pt_plan_unit *unit;
    size_t at;
};

static int by_unit(const void *a, const void *b)
{
    const struct pt_plan_unit *x = ((const struct order *)a)->unit,
                              *y = ((const struct order *)b)->unit;
    if (x->newest != y->newest) return x->newest ? -1 : 1;
    if (x->period_us != y->period_us) return x->period_us < y->period_us ? -1 : 1;
    int symbols = strcmp(x->symbol, y->symbol);
    if (symbols != 0) return symbols;
    return x->as_of_us < y->as_of_us ? -1 : x->as_of_us > y->as_of_us;
}

/* Sorts, and makes one of units that are the same. */
static bool merge_units(struct planner *planner)
{
    struct pt_plan *plan = planner->plan;
    size_t n = 0, stride = plan->scripts->n;
    if (plan->n < 2) return true;
    struct order *orders = malloc(plan->n * sizeof *orders);
    struct pt_plan_unit *v = malloc(plan->n * sizeof *v);
    uint8_t *wanted = malloc(plan->n * stride);
    if (!orders || !v || !wanted) {
        free(orders);
        free(v);
        free(wanted);
        return no_memory(planner);
    }
    for (size_t i = 0; i < plan->n; i++) orders[i] = (struct order){ &plan->v[i], i };
    qsort(orders, plan->n, sizeof *orders, by_unit);
    for (size_t i = 0; i < plan->n; i++) {
        const uint8_t *from = plan->wanted + orders[i].at * stride;
        if (i > 0 && by_unit(&orders[i - 1], &orders[i]) == 0) {
            for (size_t k = 0; k < stride; k++) wanted[(n - 1) * stride + k] |= from[k];
            continue;
        }
        v[n] = *orders[i].unit;
        memcpy(wanted + n++ * stride, from, stride);
    }
    free(orders);
    free(plan->v);
    free(plan->wanted);
    plan->cap = plan->n;
    plan->v = v;
    plan->wanted = wanted;
    plan->n = n;
    return true;
}

/* ---- what is due --------------------------------------------------------------------------- */

/* Damage is told and gone around: the rest of the market must not wait for it. */
static bool go_around(struct planner *planner, enum pt_code rc)
{
    if (rc != PT_EDAMAGE) return fail(planner, rc);
    if (planner->plan->fault.code == PT_OK) planner->plan->fault = *planner->err;
    planner->damaged = true;
    return true;
}

/* Chooses the scripts of a period that depend on such a change; how many. */
static size_t choose(struct planner *planner, int64_t period_us, enum pt_kind_id kind,
                     enum scope scope)
{
    const struct pt_scripts *scripts = planner->plan->scripts;
    size_t n = 0;
    for (size_t i = 0; i < scripts->n; i++) {
        planner->chosen[i] =
            pt_script_every(&scripts->v[i], period_us) && depends(&scripts->v[i], kind, scope);
        n += planner->chosen[i];
    }
    return n;
}

struct past {
    struct planner *planner;
    const char *symbol;
    int64_t period_us, newest_us;
    size_t script;
};

/* How far back a stored result looks at what changed; books have a span of their own, and what else
 * they need one more. */
static int64_t window_of(const struct past *past, const bson_t *doc)
{
    const struct pt_script *script = &past->planner->plan->scripts->v[past->script];
    int64_t expected, books_us, bars_us = 0;
    const char *text;
    if (is_other(past->planner->mark.key.kind))
        return other_span(script, past->planner->mark.key.kind);
    if (pt_script_books(script, &books_us, NULL)) {
        if (past->planner->mark.key.kind == PT_DEPTH) return books_us;
        int64_t rows = 0, period_us = past->period_us;
        if (pt_doc_text(script->declaration, "needs.candles.period", &text))
            pt_period_parse(text, strlen(text), &period_us);
        if (pt_doc_text(script->declaration, "needs.candles.span", &text))
            pt_span_parse(text, strlen(text), &bars_us);
        if (pt_doc_int(script->declaration, "needs.candles.bars", &rows) &&
            rows * period_us > bars_us)
            bars_us = rows * period_us;
        return bars_us + period_us; /* the grid of the bars ends up to one before as_of */
    }
    return pt_doc_int(doc, "metadata.expected", &expected) ? expected * past->period_us : INT64_MAX;
}

/* A stored result: due when its window reaches back to what changed. */
static bool look_past(void *arg, const void *key, size_t key_len, const bson_t *doc)
{
    struct past *past = arg;
    struct planner *planner = past->planner;
    int64_t as_of_us;
    (void)key;
    (void)key_len;
    if (!pt_result_as_of(doc, &as_of_us) || as_of_us == past->newest_us) return true;
    if (as_of_us - planner->mark.to_us > window_of(past, doc)) return true;
    memset(planner->chosen, 0, planner->plan->scripts->n);
    planner->chosen[past->script] = 1;
    return add_unit(planner, past->symbol, past->period_us, as_of_us, false);
}

static bool plan_past(struct planner *planner, const char *symbol, int64_t period_us,
                      int64_t newest_us, enum scope scope)
{
    uint8_t from[16], to[16];
    char collection[PT_COLLECTION_MAX];
    /* a book at as_of is part of the window, a bar that opens then is not */
    bool books = planner->mark.key.kind == PT_DEPTH;
    pt_result_key(period_us, planner->mark.from_us + !books, from);
    pt_result_key(period_us, INT64_MAX, to);
    for (size_t i = 0; i < planner->plan->scripts->n; i++) {
        const struct pt_script *script = &planner->plan->scripts->v[i];
        struct past past = { planner, symbol, period_us, newest_us, i };
        /* also of periods that are not scheduled: somebody stored it, so it has to be right */
        if (script->status == PT_SCRIPT_FAILED || !depends(script, planner->mark.key.kind, scope))
            continue;
        pt_result_collection(symbol, script->name, collection);
        enum pt_code rc = pt_docs_scan(planner->read, collection, from, sizeof from, to, sizeof to,
                                       false, look_past, &past, planner->err);
        if (rc != PT_OK && !go_around(planner, rc)) return false;
        if (planner->rc != PT_OK) return false;
    }
    return true;
}

/* The market's newest close; looked for once a plan and period. */
static enum pt_code market_close(struct planner *planner, int64_t period_us, int64_t *as_of_us)
{
    size_t at = pt_period_place(period_us);
    struct pt_market_close *close = &planner->closes[at];
    enum pt_code rc = PT_OK;
    if (!planner->looked[at]) {
        rc = pt_symbols_close(planner->read, &planner->symbols, period_us, planner->opts->as_of_us,
                              close, planner->err);
        /* a damaged symbol is told, and the market goes on without it */
        if (rc == PT_OK && close->damage.code != PT_OK && planner->plan->fault.code == PT_OK)
            planner->plan->fault = close->damage;
        planner->looked[at] = rc == PT_OK;
    }
    *as_of_us = rc == PT_OK ? close->close_us : PT_MISSING;
    return rc;
}

/* Where the newest close of a symbol and period is kept; NULL for one without bars and books. */
static int64_t *last_close_of(struct planner *planner, const char *symbol, int64_t period_us)
{
    size_t at = pt_symbols_find(&planner->symbols, symbol);
    return at < planner->symbols.n
               ? &planner->last_close[at * PERIODS_MAX + pt_period_place(period_us)]
               : NULL;
}

/* A symbol's newest close; looked for once a plan and period: every mark asks for it. */
static enum pt_code symbol_close(struct planner *planner, const char *symbol, int64_t period_us,
                                 int64_t *as_of_us)
{
    int64_t *kept = last_close_of(planner, symbol, period_us);
    if (kept && *kept != 0) {
        *as_of_us = *kept;
        return PT_OK;
    }
    enum pt_code rc = pt_bars_last_close(planner->read, symbol, period_us, planner->opts->as_of_us,
                                         as_of_us, planner->err);
    if (kept && rc == PT_OK) *kept = *as_of_us;
    return rc;
}

/* as_of PT_MISSING: there is none. */
static bool newest_close(struct planner *planner, const char *symbol, int64_t period_us,
                         int64_t *as_of_us)
{
    enum pt_code rc = *symbol ? symbol_close(planner, symbol, period_us, as_of_us)
                              : market_close(planner, period_us, as_of_us);
    if (rc != PT_OK) *as_of_us = PT_MISSING;
    return rc == PT_OK || go_around(planner, rc);
}

/* Adds a newest unit; that of a market which is just closing is put off. */
static bool add_newest(struct planner *planner, const char *symbol, int64_t period_us,
                       int64_t as_of_us)
{
    size_t at = pt_period_place(period_us);
    if (*symbol || planner->opts->settled || !planner->closes[at].waiting)
        return add_unit(planner, symbol, period_us, as_of_us, true);
    planner->plan->later |= 1u << at;
    planner->plan->waiting = true;
    return true;
}

/* Bars that closed with what changed, before the newest: detectors have yet to scan them. */
static bool leave_to_scan(struct planner *planner, const char *symbol, int64_t period_us,
                          int64_t newest_us)
{
    const struct pt_scripts *scripts = planner->plan->scripts;
    const struct pt_due *mark = &planner->mark;
    struct pt_scan scan = { .period_us = period_us,
                            .from_us = pt_period_floor(period_us, mark->from_us) + period_us,
                            /* a hit may be known one bar later: that one is scanned, too */
                            .to_us = pt_period_floor(period_us, mark->to_us) + 3 * period_us };
    bool any = false;
    if (scan.to_us > newest_us) scan.to_us = newest_us;
    for (size_t i = 0; scan.from_us < scan.to_us && i < scripts->n; i++)
        any |= pt_scan_wants(&scripts->v[i], period_us);
    if (!any) return true;
    memcpy(scan.symbol, symbol, strnlen(symbol, sizeof scan.symbol - 1));
    return pt_plan_add_scan(planner->plan, &scan) || no_memory(planner);
}

/* The units of one symbol and period that the mark makes due. */
static bool plan_marked_period(struct planner *planner, const char *symbol, int64_t period_us,
                               enum scope scope)
{
    const struct pt_due *mark = &planner->mark;
    struct pt_bars_source source;
    int64_t newest_us;
    enum pt_code rc =
        pt_bars_source(planner->read, mark->key.symbol, period_us, &source, planner->err);
    if (rc != PT_OK) return go_around(planner, rc);
    if (mark->key.kind == PT_CANDLES && source.period_us != mark->key.period_us) return true;
    if (!newest_close(planner, symbol, period_us, &newest_us)) return false;
    if (newest_us == PT_MISSING) return true;
    if (scope == OWN && mark->key.kind == PT_CANDLES &&
        !leave_to_scan(planner, symbol, period_us, newest_us))
        return false;
    if (mark->from_us < newest_us && choose(planner, period_us, mark->key.kind, scope) > 0 &&
        !add_newest(planner, symbol, period_us, newest_us))
        return false;
    /* what ends after the change and before the newest: nothing, when only the last bar changed */
    return newest_us - mark->from_us <= period_us ||
           plan_past(planner, symbol, period_us, newest_us, scope);
}

static bool plan_marked(struct planner *planner, const char *symbol, enum scope scope)
{
    const struct pt_due *mark = &planner->mark;
    /* periods that nobody schedules may have results too, somebody stored them; only of the past */
    bool past = planner->opts->now_us - mark->from_us > PAST_BARS * mark->key.period_us + PT_US_MIN;
    for (const int64_t *period = pt_periods; *period; period++) {
        if (!wants_period(planner->opts, *period)) continue;
        if (!past && choose(planner, *period, mark->key.kind, scope) == 0) continue;
        if (!plan_marked_period(planner, symbol, *period, scope)) return false;
    }
    return true;
}

/* Is the series so far behind that it is being filled rather than followed? */
static bool is_behind(const struct planner *planner, const struct pt_due *mark)
{
    int64_t period_us = mark->key.kind == PT_CANDLES ? mark->key.period_us : PT_US_MIN;
    return mark->to_us + period_us + BEHIND_BARS * period_us + PT_US_MIN < planner->opts->now_us;
}

/* Books come ten times a second, so that they make no newest unit due; those that come for the past
 * do where a stored result looked at their time. */
static bool plan_books(struct planner *planner)
{
    const char *symbol = planner->mark.key.symbol;
    if (!wants_symbol(planner->opts, symbol)) return true;
    for (const int64_t *period = pt_periods; *period; period++) {
        if (wants_period(planner->opts, *period) &&
            !plan_past(planner, symbol, *period, PT_MISSING, OWN))
            return false;
    }
    return true;
}

static bool plan_mark(struct planner *planner)
{
    const struct pt_due *mark = &planner->mark;
    if (mark->key.kind == PT_DEPTH) return plan_books(planner);
    if (mark->key.kind != PT_CANDLES && mark->key.kind != PT_TRADES && !is_other(mark->key.kind))
        return true;
    if (wants_symbol(planner->opts, mark->key.symbol) &&
        !plan_marked(planner, mark->key.symbol, OWN))
        return false;
    if (mark->key.kind != PT_CANDLES) return true;
    if (planner->any_market && !plan_marked(planner, "", MARKET)) return false;
    if (strcmp(mark->key.symbol, planner->opts->benchmark) != 0) return true;
    for (size_t i = 0; i < planner->symbols.n; i++) {
        const char *symbol = planner->symbols.v[i];
        if (strcmp(symbol, mark->key.symbol) == 0 || !wants_symbol(planner->opts, symbol)) continue;
        if (!plan_marked(planner, symbol, BENCHMARKED)) return false;
    }
    return true;
}

static bool collect_mark(void *arg, const struct pt_due *due)
{
    struct planner *planner = arg;
    struct pt_plan *plan = planner->plan;
    if (!planner->opts->settled && is_behind(planner, due)) {
        plan->waiting = true;
        return true;
    }
    struct pt_due *grown = realloc(plan->marks, (plan->nmarks + 1) * sizeof *grown);
    if (!grown) return no_memory(planner);
    plan->marks = grown;
    plan->marks[plan->nmarks++] = *due;
    return true;
}

/* Chooses the scripts of a period that are to be computed whatever changed: all, or what is fresh;
 * how many. */
static size_t choose_all(struct planner *planner, int64_t period_us, enum pt_kind_id kind,
                         enum scope scope, bool whole)
{
    size_t n = choose(planner, period_us, kind, scope);
    if (whole) return n;
    n = 0;
    for (size_t i = 0; i < planner->plan->scripts->n; i++) {
        planner->chosen[i] = planner->chosen[i] && planner->fresh[i];
        n += planner->chosen[i];
    }
    return n;
}

/* The newest unit of a symbol without bars: what looks at books, as of the last period that ended
 * by the newest one. */
static bool plan_bookish(struct planner *planner, const char *symbol, int64_t period_us)
{
    int64_t as_of_us;
    if (choose_all(planner, period_us, PT_DEPTH, OWN, planner->opts->all) == 0) return true;
    enum pt_code rc =
        pt_books_last(planner->read, symbol, planner->opts->as_of_us, &as_of_us, planner->err);
    if (rc != PT_OK) return go_around(planner, rc);
    return as_of_us == PT_MISSING ||
           add_unit(planner, symbol, period_us, pt_period_floor(period_us, as_of_us), true);
}

/* The newest unit of a symbol, or of the market, whatever changed; whole: not only what is fresh.
 */
static bool plan_newest(struct planner *planner, const char *symbol, int64_t period_us, bool whole)
{
    int64_t as_of_us;
    if (choose_all(planner, period_us, PT_CANDLES, *symbol ? OWN : MARKET, whole) == 0) return true;
    if (!newest_close(planner, symbol, period_us, &as_of_us)) return false;
    if (as_of_us != PT_MISSING) return add_newest(planner, symbol, period_us, as_of_us);
    return !*symbol || plan_bookish(planner, symbol, period_us);
}

/* Every newest unit of every symbol and of the market, or of what is fresh, or what was put off. */
static bool plan_all(struct planner *planner)
{
    const struct pt_plan_opts *opts = planner->opts;
    for (size_t at = 0; pt_periods[at]; at++) {
        int64_t period_us = pt_periods[at];
        if (!wants_period(opts, period_us)) continue;
        bool later = opts->later >> at & 1;
        for (size_t i = 0; (opts->all || opts->since) && i < planner->symbols.n; i++)
            if (wants_symbol(opts, planner->symbols.v[i]) &&
                !plan_newest(planner, planner->symbols.v[i], period_us, opts->all))
                return false;
        if (planner->any_market && (opts->all || opts->since || later) &&
            !plan_newest(planner, "", period_us, opts->all || later))
            return false;
    }
    return true;
}

static bool plan_everything(struct planner *planner)
{
    struct pt_plan *plan = planner->plan;
    enum pt_code rc = PT_OK;
    if (planner->opts->marks) rc = pt_due_each(planner->read, collect_mark, planner, planner->err);
    if (rc != PT_OK && !go_around(planner, rc)) return false;
    if (planner->rc != PT_OK) return false;
    if (!planner->opts->all && !planner->opts->since && planner->opts->later == 0 &&
        plan->nmarks == 0)
        return true;
    rc = pt_symbols_read(planner->read, 1u << PT_CANDLES | 1u << PT_DEPTH, &planner->symbols,
                         planner->err);
    if (rc != PT_OK && !go_around(planner, rc)) return false;
    planner->last_close = calloc(planner->symbols.n * PERIODS_MAX + 1, sizeof(int64_t));
    if (!planner->last_close) return no_memory(planner);
    if (!plan_all(planner)) return false;
    size_t kept = 0;
    for (size_t i = 0; i < plan->nmarks; i++) {
        planner->mark = plan->marks[i];
        planner->damaged = false;
        size_t scans = plan->nscans;
        if (!plan_mark(planner)) return false;
        if (planner->damaged)
            plan->nscans = scans; /* the mark stays, and with it what it leaves to scan */
        else
            plan->marks[kept++] = planner->mark;
    }
    plan->nmarks = kept;
    return merge_units(planner);
}

enum pt_code pt_plan_make(struct pt_store *store, const struct pt_plan_opts *opts,
                          struct pt_plan *plan, struct pt_err *err)
{
    struct planner planner = { .opts = opts, .plan = plan, .err = err };
    *plan = (struct pt_plan){ .scripts = pt_scripts_ref(opts->scripts) };
    planner.chosen = calloc(opts->scripts->n + 1, 1);
    planner.fresh = calloc(opts->scripts->n + 1, 1);
    if (!planner.chosen || !planner.fresh) {
        no_memory(&planner);
    } else if (opts->since) {
        pt_plan_fresh(opts->scripts, opts->since, planner.fresh);
    }
    for (size_t i = 0; i < opts->scripts->n; i++)
        planner.any_market |= opts->market && opts->scripts->v[i].status != PT_SCRIPT_FAILED &&
                              pt_script_is_market(&opts->scripts->v[i]);
    if (planner.rc == PT_OK) planner.rc = pt_read_begin(store, &planner.read, err);
    if (planner.rc == PT_OK) plan_everything(&planner);
    pt_read_end(planner.read);
    free(planner.chosen);
    free(planner.fresh);
    free(planner.last_close);
    pt_symbols_fini(&planner.symbols);
    if (planner.rc != PT_OK) pt_plan_fini(plan);
    return planner.rc;
}

void pt_plan_fini(struct pt_plan *plan)
{
    pt_scripts_unref(plan->scripts);
    free(plan->v);
    free(plan->wanted);
    free(plan->marks);
    free(plan->scans);
    *plan = (struct pt_plan){ 0 };
}
