/* check_run.c - markets of a check and calls on them.                          [layer: bindings] */
#include "bindings/check_run.h"

#include "base/clock.h"
#include "base/decimal.h"
#include "base/timefmt.h"
#include "bindings/check_compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDED_MAX 4
#define NEEDS_DEEP 8
/* Interpreted code is some five times slower, vectors' elements fifty times: after so many budgets
 * of a call it is given up, which says nothing against the script where a guard ends compiled calls
 * that are endless. */
#define GUARDED_BUDGETS 2
#define UNGUARDED_BUDGETS 10
#define LOOK_EVERY 10000 /* instructions between two looks at the clock */

/* ---- calls
 * ---------------------------------------------------------------------------------------------- */

static int64_t budget_us(const struct pt_checking *c)
{
    int64_t us = c->opts->call_budget_us > 0 ? c->opts->call_budget_us : PT_CHECK_CALL_US;
    return c->script->declaration.market ? us * PT_MARKET_BUDGET : us;
}

static int64_t interpreted_us(const struct pt_checking *c)
{
    return (c->opts->guard ? GUARDED_BUDGETS : UNGUARDED_BUDGETS) * budget_us(c);
}

static void begin(const struct pt_checking *c, const struct pt_lua_script *script, int64_t us)
{
    const struct pt_check_guard *guard = c->opts->guard;
    if (guard) guard->begin(guard->arg, script, us);
}

static void end(const struct pt_checking *c)
{
    const struct pt_check_guard *guard = c->opts->guard;
    if (guard) guard->end(guard->arg);
}

static bson_t *run_script(struct pt_checking *c, struct pt_lua_script *script,
                          struct pt_script_call *call, int64_t us)
{
    begin(c, script, us);
    bson_t *doc = pt_lua_script_size(script, call) == PT_OK
                      ? pt_lua_script_run(script, call)
                      : pt_lua_script_failed(script, call, &script->fault);
    end(c);
    return doc;
}

static struct pt_script_call call_of(const struct pt_checking *c, struct pt_check_view *view,
                                     const struct pt_check_run *run)
{
    bool books = run->market.books_us > 0, whole = run->market.symbols.n > 0;
    return (struct pt_script_call){ .symbol = whole ? "" : view->bars.columns.symbol,
                                    .period_us = view->bars.columns.period_us,
                                    .as_of_us = whole   ? view->whole.market.as_of_us
                                                : books ? view->books.books.as_of_us
                                                        : view->bars.columns.as_of_us,
                                    .params = c->params,
                                    .columns = &view->bars.columns,
                                    .books = books ? &view->books.books : NULL,
                                    .market = whole ? &view->whole.market : NULL,
                                    .nmetrics = run->nmetrics,
                                    .metrics = run->metrics,
                                    .whole = true, /* each hit has to be as it was declared */
                                    .seed = (uint64_t)(run - c->runs) + 1 };
}

int64_t pt_check_file_us(const struct pt_checking *c)
{
    return c->opts->file_budget_us > 0 ? c->opts->file_budget_us : PT_CHECK_FILE_US;
}

static bool time_left(struct pt_checking *c)
{
    if (c->over) return false;
    int64_t most_us = pt_check_file_us(c);
    if (pt_cpu_us() - c->start_us < most_us) return true;
    c->over = true;
    pt_check_add(c, c->script->file, pt_check_line(c),
                 "checking it took more than %.1f s, %u calls so far, the slowest %.1f ms: it must "
                 "compute less",
                 (double)most_us / 1e6, c->check->calls, (double)c->check->slowest_us / 1e3);
    return false;
}

bson_t *pt_check_call(struct pt_checking *c, struct pt_lua_script *script,
                      const struct pt_check_run *run, unsigned show)
{
    struct pt_check_view view;
    struct pt_err err;
    if (!time_left(c)) return NULL;
    if (pt_check_market_show(&run->market, show, &view, &err) != PT_OK) {
        pt_check_note(c, "%s: %s", run->market.name, err.text);
        return NULL;
    }
    struct pt_script_call call = call_of(c, &view, run);
    bool interpreted = script->home == &c->interpreted;
    int64_t us = interpreted ? 2 * interpreted_us(c) : budget_us(c);
    int64_t from_us = pt_mono_us(), cpu_us = pt_cpu_us();
    bson_t *doc = run_script(c, script, &call, us);
    int64_t took_us = pt_mono_us() - from_us; /* finer than processor time is on some machines */
    cpu_us = pt_cpu_us() - cpu_us;
    pt_check_view_fini(&view);
    c->check->calls++;
    if (doc && (show & PT_SHOW_RENAMED) && run->market.symbols.n > 0) {
        bson_t *named = pt_check_unname(doc); /* its outputs are by symbol */
        bson_destroy(doc);
        doc = named;
    }
    if (doc && (show & PT_SHOW_LATER) && c->script->declaration.detector)
        pt_results_shift(doc, -PT_CHECK_LATER_US);
    if (interpreted) return doc;
    if (took_us > c->check->slowest_us) c->check->slowest_us = took_us;
    if (cpu_us > budget_us(c)) {
        c->over = true;
        pt_check_add(c, c->script->file, pt_check_line(c),
                     "a call took %.1f ms (%s%s), it may take %.0f ms: it must compute less",
                     (double)cpu_us / 1e3, run->market.name, c->with, (double)budget_us(c) / 1e3);
    }
    return doc;
}

/* ---- calls that can be interrupted
 * ---------------------------------------------------------------------- */

struct limit {
    int64_t until_us;
    bool hit;
    char file[256];
    int line;
};
static const char limit_key = 0;

/* Raises once the time is up; again at each instruction, should the script catch it. */
static void on_count(lua_State *L, lua_Debug *ar)
{
    lua_Debug at;
    if (!lua_checkstack(L, 8)) return;
    lua_pushlightuserdata(L, (void *)(uintptr_t)&limit_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    struct limit *limit = lua_touserdata(L, -1);
    lua_pop(L, 1);
    (void)ar;
    if (!limit || pt_cpu_us() < limit->until_us) return;
    for (int level = 0; !limit->hit && lua_getstack(L, level, &at); level++) {
        if (!lua_getinfo(L, "Sl", &at) || at.source[0] != '@' || at.currentline < 1) continue;
        snprintf(limit->file, sizeof limit->file, "%s", at.source + 1);
        limit->line = at.currentline;
        limit->hit = true;
    }
    limit->hit = true;
    lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
    luaL_error(L, "it did not end in time");
}

static int set_limit(lua_State *L)
{
    lua_pushlightuserdata(L, (void *)(uintptr_t)&limit_key);
    lua_pushlightuserdata(L, lua_touserdata(L, 1));
    lua_rawset(L, LUA_REGISTRYINDEX);
    lua_sethook(L, on_count, LUA_MASKCOUNT, LOOK_EVERY);
    return 0;
}

/* It may be slow and right: with a guard it shows compiled. Without one nobody would end it. */
static void given_up(struct pt_checking *c, const struct pt_check_run *run,
                     const struct limit *limit)
{
    const struct pt_check_guard *guard = c->opts->guard;
    bool ours = strcmp(limit->file, c->script->file) == 0;
    if (guard) {
        c->compiled = true;
        pt_check_note(c,
                      "interpreted, it takes more than %.0f ms: only compiled calls are compared",
                      (double)interpreted_us(c) / 1e3);
        if (ours) guard->at(guard->arg, limit->line);
        return;
    }
    c->over = true;
    pt_check_add(c, *limit->file ? limit->file : c->script->file, limit->line,
                 "it was still here after %.0f ms (%s%s), a call may take %.0f ms",
                 (double)interpreted_us(c) / 1e3, run->market.name, c->with,
                 (double)budget_us(c) / 1e3);
}

bson_t *pt_check_call_fresh(struct pt_checking *c, const struct pt_check_run *run, unsigned show,
                            bool interpret)
{
    struct pt_lua_script fresh = { 0 };
    const struct pt_lua_script *s = c->script;
    bson_t *doc = NULL;
    interpret = interpret && !c->compiled;
    if (!time_left(c)) return NULL;
    begin(c, s, 5 * budget_us(c));
    pt_lua_script_load(&fresh, interpret ? &c->interpreted : s->home, s->file, s->text, s->len,
                       s->hash);
    end(c);
    struct limit limit = { .until_us = pt_cpu_us() + interpreted_us(c) };
    if (!fresh.vm) {
        pt_check_add(c, fresh.fault.file, fresh.fault.line, "it loads only sometimes: %s",
                     fresh.fault.message);
        c->over = true;
    } else if (!interpret || pt_vm_protect(fresh.vm, set_limit, &limit) == PT_OK) {
        doc = pt_check_call(c, &fresh, run, show);
    }
    if (limit.hit) {
        bson_destroy(doc);
        doc = NULL;
        given_up(c, run, &limit);
    }
    pt_lua_script_fini(&fresh);
    return doc || !limit.hit || c->over ? doc : pt_check_call_fresh(c, run, show, false);
}

/* ---- markets
 * --------------------------------------------------------------------------------------------- */

static struct pt_lua_script *find_other(const struct pt_checking *c, const char *name)
{
    for (size_t i = 0; i < c->opts->nothers; i++) {
        struct pt_lua_script *other = c->opts->others[i];
        if (other->vm && strcmp(other->declaration.name, name) == 0) return other;
    }
    return NULL;
}

/* Rows of the script's window, with the parameters in force; 0 when it needs none. */
static size_t rows_of(struct pt_checking *c, struct pt_lua_script *script, int64_t period_us,
                      size_t *min)
{
    struct pt_err err;
    struct pt_script_call call = { .symbol = "", .period_us = period_us };
    *min = 0;
    call.params = c->params;
    if (script != &c->used &&
        pt_params_read(&script->declaration, NULL, &call.params, &err) != PT_OK)
        return 0;
    begin(c, script, budget_us(c));
    enum pt_code rc = pt_lua_script_size(script, &call);
    end(c);
    *min = call.min;
    return rc == PT_OK ? call.rows : 0;
}

static size_t deepest(struct pt_checking *c, const struct pt_lua_script *script, int64_t period_us,
                      unsigned depth)
{
    size_t most = 0, min;
    const struct pt_declaration *d = &script->declaration;
    for (size_t i = 0; i < d->nmetrics && depth < NEEDS_DEEP; i++) {
        struct pt_lua_script *other = find_other(c, d->metrics[i]);
        if (!other) continue;
        size_t own = rows_of(c, other, period_us, &min);
        size_t below = deepest(c, other, period_us, depth + 1);
        if (own > most) most = own;
        if (below > most) most = below;
    }
    return most;
}

static struct pt_check_need need_of(struct pt_checking *c, int64_t period_us)
{
    const struct pt_declaration *d = &c->script->declaration;
    if (d->bars_us > 0) period_us = d->bars_us; /* whatever the unit's */
    struct pt_check_need need = { .period_us = period_us,
                                  .benchmark = d->benchmark || d->nmetrics > 0,
                                  .trades = d->trades || d->nmetrics > 0,
                                  .metrics = d->nmetrics > 0,
                                  .books_us = d->books_us,
                                  .funding_us = d->funding_us,
                                  .marks_us = d->marks_us,
                                  .market = d->market,
                                  .symbols = d->symbols };
    need.rows = rows_of(c, &c->used, period_us, &need.min);
    need.deep = deepest(c, c->script, period_us, 0);
    if (need.rows > need.deep) need.deep = need.rows;
    if (need.deep == 0) need.deep = 100;
    if (need.rows == 0) need.min = need.deep / 2;
    return need;
}

/* The script's own periods: the fastest whose window can be filled, and the slowest. */
static void choose_periods(struct pt_checking *c, int64_t *fast_us, int64_t *slow_us)
{
    const struct pt_lua_script *script = c->script;
    bson_t every;
    bson_iter_t iter;
    int64_t us;
    *fast_us = INT64_MAX;
    *slow_us = 0;
    if (pt_doc_child(script->declaration.document, "every", &every) &&
        bson_iter_init(&iter, &every)) {
        while (bson_iter_next(&iter)) {
            const char *text = BSON_ITER_HOLDS_UTF8(&iter) ? bson_iter_utf8(&iter, NULL) : "";
            if (pt_period_parse(text, strlen(text), &us) != PT_OK) continue;
            if (us < *fast_us) *fast_us = us;
            if (us > *slow_us) *slow_us = us;
        }
    }
    if (*slow_us == 0) *fast_us = PT_US_HOUR;
    if (*slow_us <= *fast_us) *slow_us = *fast_us < PT_US_DAY ? PT_US_DAY : PT_US_WEEK;
    for (size_t i = 0; pt_periods[i]; i++) {
        if (pt_periods[i] < *fast_us) continue;
        if (need_of(c, pt_periods[i]).deep > PT_CHECK_BARS_MAX && pt_periods[i + 1]) continue;
        *fast_us = pt_periods[i];
        break;
    }
}

/* Results of the scripts that `script` needs, each after those it needs itself. */
static enum pt_code add_metrics(struct pt_checking *c, const struct pt_lua_script *script,
                                struct pt_check_run *run, unsigned depth, struct pt_err *err)
{
    const struct pt_declaration *d = &script->declaration;
    struct pt_err ignored;
    enum pt_code rc = PT_OK;
    for (size_t i = 0; i < d->nmetrics && depth < NEEDS_DEEP && rc == PT_OK; i++) {
        struct pt_lua_script *other = find_other(c, d->metrics[i]);
        bool known = false;
        for (size_t k = 0; k < run->nmetrics; k++)
            known = known || strcmp(run->metrics[k].name, d->metrics[i]) == 0;
        if (!other)
            pt_check_note(c, "needs.metrics: %s is not loaded: run without it", d->metrics[i]);
        if (known || !other || run->nmetrics == METRICS_MAX) continue;
        rc = add_metrics(c, other, run, depth + 1, err);
        if (rc != PT_OK) break;
        struct pt_check_view view;
        rc = pt_check_market_show(&run->market, PT_SHOW_OUTSIDE, &view, err);
        if (rc != PT_OK) break;
        struct pt_script_call call = call_of(c, &view, run);
        call.seed = 0;
        bson_t *doc = pt_params_read(&other->declaration, NULL, &call.params, &ignored) == PT_OK
                          ? run_script(c, other, &call, budget_us(c))
                          : NULL;
        pt_check_view_fini(&view);
        if (!doc) return pt_fail(err, PT_ENOMEM, "%s: no memory for its result", other->file);
        run->metrics[run->nmetrics++] = (struct pt_metric){ other->declaration.name, doc };
    }
    return rc;
}

static enum pt_code add_recorded(struct pt_checking *c, const struct pt_check_need *need,
                                 struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    bool some = true;
    for (size_t i = 0; c->opts->record && i < RECORDED_MAX && rc == PT_OK; i++) {
        struct pt_check_run *run = &c->runs[c->nruns];
        if (c->opts->record(c->opts->record_arg, i, need, &run->market, &some, err) != PT_OK) {
            pt_check_note(c, "recorded bars: %s", err->text);
            break;
        }
        if (!some) break;
        c->nruns++;
        rc = add_metrics(c, c->script, run, 0, err);
    }
    return rc;
}

/* Is there made-up data of each kind that the script needs? Says which there is not. */
static bool can_be_made(struct pt_checking *c)
{
    static const char *const known[] = {
        "candles", "metrics", "books", "funding", "marks", "market"
    };
    bson_t needs;
    bson_iter_t iter;
    bool all = true;
    if (!pt_doc_child(c->script->declaration.document, "needs", &needs) ||
        !bson_iter_init(&iter, &needs))
        return true;
    while (bson_iter_next(&iter)) {
        size_t i = 0;
        while (i < sizeof known / sizeof *known && strcmp(known[i], bson_iter_key(&iter)) != 0) i++;
        if (i < sizeof known / sizeof *known) continue;
        pt_check_note(c, "needs.%s: no such data can be made up, so it was not run",
                      bson_iter_key(&iter));
        all = false;
    }
    return all;
}

enum pt_code pt_check_markets_make(struct pt_checking *c, struct pt_err *err)
{
    int64_t fast_us, slow_us;
    enum pt_code rc = PT_OK;
    if (!can_be_made(c)) return PT_OK;
    choose_periods(c, &fast_us, &slow_us);
    struct pt_check_need fast = need_of(c, fast_us), slow = need_of(c, slow_us);
    c->runs = calloc(pt_check_markets() + RECORDED_MAX, sizeof *c->runs);
    if (!c->runs) return pt_fail(err, PT_ENOMEM, "markets to check a script");
    for (size_t i = 0; i < pt_check_markets() && rc == PT_OK; i++) {
        struct pt_check_run *run = &c->runs[c->nruns];
        rc = pt_check_market_make(i, pt_check_market_is_slow(i) ? &slow : &fast, &run->market, err);
        if (rc == PT_ERANGE) { /* the others are tried: they may be smaller */
            pt_check_note(c, "%s", err->text);
            rc = PT_OK;
            continue;
        }
        if (rc != PT_OK) break;
        if (run->market.bare && !fast.metrics) { /* it would be the walk once more */
            pt_check_market_fini(&run->market);
            continue;
        }
        c->nruns++;
        if (!run->market.bare) rc = add_metrics(c, c->script, run, 0, err);
    }
    if (rc == PT_OK) rc = add_recorded(c, &fast, err);
    c->check->markets = (unsigned)c->nruns;
    return rc;
}

void pt_check_runs_fini(struct pt_checking *c)
{
    for (size_t i = 0; i < c->nruns; i++) {
        struct pt_check_run *run = &c->runs[i];
        for (size_t k = 0; k < run->nmetrics; k++)
            bson_destroy((bson_t *)(uintptr_t)run->metrics[k].doc);
        bson_destroy(run->apart); /* accept NULL */
        bson_destroy(run->forward);
        bson_destroy(run->backward);
        pt_check_market_fini(&run->market);
    }
    free(c->runs);
}
