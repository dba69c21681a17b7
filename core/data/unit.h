/* unit.h - what daemon and worker say to each other.                           [layer: data]
 *
 * A worker process is started with its socket as fd 3 and a shared status page (a memfd of one page) as fd 4,
 * and talks in BSON documents (doc.h: pt_wire_*). It never speaks first.
 *
 * -> { op: "load", store: path, benchmark: "BTCUSDT", call_budget_us, load_budget_us, memory_bytes, gives_way?: true,
 *      scripts: [ { file, text, hash, check?: true } ], libs: [ { name, file, text } ] }  once, as the first message
 *      store: absent when there is none; then scripts are loaded and checked, and cannot be run.
 *      gives_way: while it runs units it lets others in (bindings/turns.h), as it does while it loads.
 *      check: when all are loaded, this one is also checked for purity (bindings/check.h), each call under the call's
 *      budget, all of them under load_budget_us. The daemon asks the worker that goes first, and only for versions that have not
 *      passed before.
 * <- { op: "loaded", scripts: [ { file, declaration: {...}, checked? } |
 *                               { file, error: { message, file?, line? }, twin?, findings?, checked? } ] }
 *      in the order of the request. A worker that dies meanwhile was loading or checking the script its status page
 *      names. An error is the first of findings: [ { message, file, line? } ], which only a checked script has.
 *      twin: the script's name, where the error is that an earlier one has it.
 *      checked: { name, kind, markets, calls, computed, elapsed_us, slowest_us, notes: [ text ] }; computed: markets on which it gave a result
 *
 * -> { op: "run", id, symbol, period_us, as_of_us, now_us, benchmark?, inspect?, whole?: true,
 *      scripts: [ { name, params: {...} } ] }
 *      as_of_us: the window ends at the last close <= as_of_us; of a script that needs books at its newest book, whole
 *      ms. now_us: becomes computed_at. params: only what
 *      differs from the defaults. The scripts run in the order given, results are handed on to those that need them.
 *      symbol "" is the whole market: all symbols that have the period or can build it, at the newest close of any of
 *      them. Such a unit takes only scripts with needs.market, and no other unit takes those. benchmark: who stands in
 *      where the market does not hold the benchmark of the load message; else its first symbol does.
 *      inspect: enum pt_inspect, for the last of the scripts; it may take PT_INSPECT_BUDGETS times as long.
 *      whole: detectors answer with what they find in all of the window; absent: with what became known at its newest bar.
 * <- { op: "done", id, results: [ { name, elapsed_us, doc: <result document> } ] }
 *
 * Declaration: { api: 1, kind: "calculator", name, about, method, method_version, shape: "values" | "data",
 *   every: [ "1h", "1d" ], needs: { candles: { span: "30d", period?: "1h" },
 *   books: { span: "1h", max_age: "5s", breaks?: true }, metrics: [ ... ] } or
 *   { market: { span: "30d" or the name of a span parameter, bars, min, symbols } },
 *   params:  [ { name, type: "int" | "number" | "enum" | "bool" | "span", default, min?, max?, words?: [..], unit?, about? } ],
 *   outputs: [ { name, type: "number" | "int" | "text" | "bool" | "map" | "list" | "record" | "matrix", unit, about?, stored?, keys?,
 *   fields?: [..] } ],
 *   of a detector (kind "anomaly"): of: "market" | "data_quality", outputs as below; needs.candles.days?: the name of a number
 *   parameter that, above 0, is the length of the window in days, in place of span and bars (but never fewer bars than min);
 *   of a regime: label?: the output that is its label, levels?: [ outputs ],
 *   rules?: [ { when: { level: word }, gives: word, behind?: [ words ], otherwise?: true } ] }
 * A map of a market script may have keys: "symbols"; a matrix is always over the symbols. Output type "records" is a list of
 * documents, each of its fields; a field of type "time" is a date.
 *
 * Result document, stored as it is under collection analytics_SYMBOL_NAME, key pt_result_key(period, as_of):
 * { symbol, timeframe: "1h", metric, as_of: <date>, status: "ok" | "warming" | "gap" | "error" | "quarantined" | "empty", data: { <outputs> },
 *   metadata: { method, method_version, window: "30d", parameters: {...}, completeness: <double 0..100>, rows, expected,
 *     gaps, missing, broken?: true, candles?: { rows, expected, gaps, missing }, reasons: { field: word },
 *     computed_at: <date>, script: <file name>, script_hash, derived_from?: "1m",
 *     error?: { message, file?, line? } } }
 * Outputs: double = decimal, int64 = integer by nature, text, bool, null, document = map or record, binary = matrix
 * (matrix.h). "empty": no closed bar (no book) at or before as_of; such a result has as_of null and is never stored. Where
 * books are needed, rows counts books, gaps the breaks among them, completeness is the share of their span in which a valid
 * one was known; expected, missing: null; broken: the newest row is a break; candles: the bars beside the books, holes also
 * at the end of their window; a hole in either is status "gap". "quarantined": said by the daemon for a script that it does not run any more
 * because it killed its worker too often. A result that was inspected has, and is never stored with: locals?: { name: words }
 * of the function that failed, or profile?: as in bindings/inspect.h.
 *
 * data of a detector, the same for all of them:
 * { found: <int64>, score: <double>, severity: "none" | "low" | "medium" | "high" | "critical",
 *   anomalies: [ { time: <date, open of the bar>, price: <double, its close>, score, threshold, expected, observed: <double>,
 *   direction: "up" | "down" | "none", severity: "low" .. "critical", reason: text, details?: { as declared } } ] }
 * anomalies: at most one a bar, oldest first; of a scheduled run those that became known at the newest bar (most often of that bar
 * itself), of a `whole` one, which is never stored, all of the window. found: how many they are. score, severity: of the newest
 * bar; where that is no anomaly, but older ones became known with it, of the worst of those; severity "none" where there is neither.
 * Where the detector cannot tell all four are null, with its reason: found is never 0 then. It cannot where it says so, and, of a
 * scheduled run, where the newest bar has no score; a whole run counts the bars that have one, with score and severity null.
 * A member of an anomaly that the detector does not give is null (threshold, expected, observed; price of a bar without a close).
 *
 * A result of the market has symbol "", stands in analytics_NAME, and has `symbols`: [ names, sorted ] before `data`:
 * those with a bar in the window. Its metadata also has benchmark, blas (the kernel that multiplied, see panel.h) and, where
 * a symbol could not be read and is left out, damaged: [ names ] ("?": a series of which not even that is known). rows counts
 * the bar times at which any symbol has a bar; gaps and missing are summed over the symbols, each from its first bar to as_of;
 * completeness is of all symbols. */
#ifndef PT_UNIT_H
#define PT_UNIT_H

#include "data/doc.h"

#define PT_WORKER_SOCKET_FD 3
#define PT_WORKER_STATUS_FD 4
#define PT_WIRE_MAX (64u << 20)     /* a request (all script texts) */
#define PT_RESULT_MAX (1u << 20)    /* bytes of one result document; more is an error of the script */
/* The same of the market, and of a detector asked for all of its window: below what a MongoDB document may have. 500 symbols
 * with four matrices: 4.5 MB; an anomaly: 250 bytes. */
#define PT_MARKET_RESULT_MAX (15u << 20)
/* A script of the market may take so many times the budget of a call: it computes for all symbols at once. */
#define PT_MARKET_BUDGET 10
/* Budgets are of processor time. By the clock a call may take so many times as long: a machine that is busy with something
 * else must not end a script that is good, and one that waits must not wait for ever. */
#define PT_CLOCK_BUDGETS 10
#define PT_SCRIPT_NAME_MAX 48
#define PT_HASH_TEXT_MAX 33         /* xxh3-128 in hex with its NUL */
#define PT_SCRIPT_API 1

/* A call looked at closely for its author: the values at an error, and the time of each line. */
enum pt_inspect { PT_INSPECT_NONE, PT_INSPECT_ERROR, PT_INSPECT_PROFILE };
#define PT_INSPECT_BUDGETS 50

enum pt_phase { PT_PHASE_IDLE, PT_PHASE_LOAD, PT_PHASE_RUN };

/* The status page: written by the worker, read by the daemon after a death. */
struct pt_worker_status {
    volatile uint32_t phase;  /* enum pt_phase */
    volatile uint32_t script; /* index in the request's list */
    volatile uint32_t line;   /* of that script, where a checked call stays long; 0: not known */
};

#endif
