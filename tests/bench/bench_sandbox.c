/* bench_sandbox - what sandbox and budget cost the shipped scripts: microseconds of processor time
 * a call as a worker runs it, the same call in plain LuaJIT, their ratio; a line a script and the
 * sum of all. Five symbols, 2160 closed bars of 1h, an hour of books; the market is these symbols.
 *
 * - worker: pt_lua_script_run behind the closed door (seccomp list, limits), the budget armed
 *   before each call and disarmed after a unit of them, the allocator that counts, the environment
 *   of a script with its proxies, math.random seeded from the window.
 * - plain: pt_lua_script_run in an open process. No timers, no list, no limits; LuaJIT's own
 *   allocator; environments that hold the real libraries, with next and pairs in the order of the
 *   table; v:get, v:set, v:final and #v without any check; no seeding from the window.
 *
 * What stays in both, because it is how a script is called and not how it is fenced in: windows,
 * arguments and the result document are made and checked; C functions look at the type and the age
 * of a vector, as every binding looks at its userdata; a window's fields are found through one
 * table a call; the arena is emptied. Columns, returns and log returns of the market are there
 * before the first call: reading is not the script's time, and would only hide what is looked for.
 * A script that sizes its window by a function is asked once, before: that is not in the figures.
 * The timers are a worker's only system calls for a script; what setting and taking them away costs
 * is the last line, once a unit.
 *
 * Each side is a process of its own, made of the same parent; they take turns. Of the blocks of
 * calls the least counts, for whatever disturbs one only adds to it. A figure is the median of
 * PAIRS such pairs, each compiled anew: the compiler may find other traces. In brackets the ratios
 * of the pairs without the least and the most. Both sides must give the same documents, to the
 * byte. */
#include "base/clock.h"
#include "base/conf.h"
#include "base/timefmt.h"
#include "bindings/guard.h"
#include "bindings/memory_books.h"
#include "bindings/memory_columns.h"
#include "bindings/session.h"
#include "flow/scripts.h"
#include "num/panel.h"

#include <limits.h>
#include <lualib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SYMBOLS = 5,
    BARS = 2160,
    BOOKS = 600,
    PAIRS = 7,
    ROUNDS = 12,
    BLOCKS = 4,
    SCRIPTS_MAX = 64
};
#define END_US (INT64_C(1735689600) * PT_US_SEC)
#define BUDGET_US 200000 /* as configured by default, and the memory */
#define MEMORY ((size_t)64 << 20)
#define BLOCK_US 1500.0 /* a block of calls takes about so long */
#define WARM_US 150000.0

static struct pt_err err;

static void die(const char *what, const char *words)
{
    fprintf(stderr, "bench_sandbox: %s: %s\n", what, words);
    exit(1);
}

static void must(enum pt_code rc)
{
    if (rc != PT_OK) die("failed", err.text);
}

/* ---- what scripts look at -------------------------------------------------------------------- */

static struct pt_memory_columns bars[SYMBOLS];
static struct pt_returns returns[SYMBOLS];
static struct pt_memory_books books[SYMBOLS];
static struct pt_market market;
static const char *const symbols[SYMBOLS] = { "ADAUSDT", "BTCUSDT", "ETHUSDT", "SOLUSDT",
                                              "XRPUSDT" };
enum { BENCHMARK = 1 };

static double cents(double x)
{
    return round(x * 100) / 100;
}

/* A random walk of two digits; the market has a part in each. */
static void fill_bars(struct pt_memory_columns *self, unsigned symbol)
{
    struct pt_rng own, common;
    double close = 1000 + 100 * symbol;
    must(pt_memory_columns_init(self, symbols[symbol], PT_US_HOUR, BARS, &err));
    pt_rng_seed(&own, 1, symbol);
    pt_rng_seed(&common, 2, 0);
    for (size_t i = 0; i < BARS; i++) {
        double open = close, volume = cents(exp(5 + 0.8 * pt_rng_normal(&own)));
        close = cents(open * exp(0.004 * (pt_rng_normal(&common) + pt_rng_normal(&own))));
        self->time_us[i] = END_US - (int64_t)(BARS - i) * PT_US_HOUR;
        self->mem[PT_C_OPEN][i] = open;
        self->mem[PT_C_HIGH][i] = cents(fmax(open, close) * (1 + 0.002 * pt_rng_uniform(&own)));
        self->mem[PT_C_LOW][i] = cents(fmin(open, close) * (1 - 0.002 * pt_rng_uniform(&own)));
        self->mem[PT_C_CLOSE][i] = close;
        self->mem[PT_C_VOLUME][i] = volume;
        self->mem[PT_C_QUOTE_VOLUME][i] = cents(volume * close);
        self->mem[PT_C_TRADES][i] = 10 + (double)pt_rng_below(&own, 1000);
        self->mem[PT_C_TAKER_VOLUME][i] = cents(volume * (0.4 + 0.2 * pt_rng_uniform(&own)));
        self->mem[PT_C_TAKER_QUOTE_VOLUME][i] = cents(self->mem[PT_C_TAKER_VOLUME][i] * close);
    }
    self->columns.from_us = self->time_us[0];
    self->columns.as_of_us = END_US;
}

static void fill_books(struct pt_memory_books *self, unsigned symbol)
{
    struct pt_rng rng;
    double mid = 1000;
    must(pt_memory_books_init(self, symbols[symbol], BOOKS, &err));
    pt_rng_seed(&rng, 3, symbol);
    for (size_t i = 0; i < BOOKS; i++) {
        self->time_us[i] = END_US - (int64_t)(BOOKS - 1 - i) * 6 * PT_US_SEC;
        mid = cents(mid + 0.1 * pt_rng_normal(&rng));
        for (int s = 0; s < 2; s++) {
            double price = mid;
            for (size_t k = 0; k < PT_DEPTH_LEVELS; k++) {
                price = cents(price + (s == 0 ? -1 : 1) * (0.01 + 0.3 * pt_rng_uniform(&rng)));
                self->levels[i][s][0][k] = price;
                self->levels[i][s][1][k] = cents(0.01 + 10 * pt_rng_uniform(&rng));
            }
        }
        self->bid[i] = self->levels[i][0][0][0];
        self->ask[i] = self->levels[i][1][0][0];
    }
    pt_memory_books_close(self, END_US);
}

static void fill(void)
{
    for (unsigned i = 0; i < SYMBOLS; i++) {
        struct pt_memory_columns benchmark;
        fill_bars(&bars[i], i);
        fill_bars(&benchmark, BENCHMARK);
        must(pt_memory_columns_benchmark(&bars[i], &benchmark, &err));
        bars[i].columns.returns = &returns[i];
        bars[i].other->columns.returns = &returns[BENCHMARK];
        fill_books(&books[i], i);
    }
}

static enum pt_code load_column(struct pt_market *self, unsigned col, struct pt_err *fault)
{
    (void)fault;
    for (size_t i = 0; i < SYMBOLS; i++) {
        const struct pt_columns *c = &bars[i].columns;
        pt_market_fill(self, col, i, c->n, c->time_us, c->data[col]);
    }
    return PT_OK;
}

static const struct pt_market_source source = { load_column };

static void open_market(size_t rows)
{
    must(pt_market_begin(&market, &source, PT_US_HOUR, END_US, rows, &err));
    for (size_t i = 0; i < SYMBOLS; i++) {
        const struct pt_columns *c = &bars[i].columns;
        must(pt_market_add(&market, symbols[i], c->n, c->time_us, c->data[PT_C_CLOSE], &err));
    }
    pt_market_end(&market, symbols[BENCHMARK], NULL);
}

/* ---- scripts --------------------------------------------------------------------------------- */

struct subject {
    struct pt_lua_script script;
    size_t ncalls; /* one a symbol; one of a market */
    struct pt_script_call call[SYMBOLS];
};

static struct pt_sources sources;
static struct pt_lua_lib libs[SCRIPTS_MAX];
static struct pt_arena arena;
static struct pt_script_home home = { .arena = &arena, .memory_bytes = MEMORY, .libs = libs };
static struct subject subjects[SCRIPTS_MAX];
static size_t nsubjects, nmetrics;
static struct pt_metric metrics[SYMBOLS][SCRIPTS_MAX]; /* results that a regime looks at */

static void read_sources(void)
{
    char path[PATH_MAX];
    struct pt_conf *conf = NULL;
    const char *folder = getenv("PETROSA_SOURCE");
    if (!folder) die("PETROSA_SOURCE", "must be set (tests/bench/run.py does)");
    snprintf(path, sizeof path, "scripts.path=%s/scripts", folder);
    must(pt_conf_new(&conf, &err));
    must(pt_conf_set(conf, path, &err));
    must(pt_sources_read(conf, &sources, &err));
    pt_conf_free(conf);
    if (sources.n > SCRIPTS_MAX) die(folder, "too many scripts");
}

/* The name that require knows: of "DIR/lib/given.lua", given. */
static const char *lib_name(const char *file)
{
    const char *slash = strrchr(file, '/');
    char *name = strdup(slash ? slash + 1 : file);
    if (!name) die(file, "no memory");
    name[strlen(name) - strlen(".lua")] = '\0';
    return name;
}

static void prepare(struct subject *subject)
{
    const struct pt_declaration *d = &subject->script.declaration;
    subject->ncalls = d->market ? 1 : SYMBOLS;
    for (size_t i = 0; i < subject->ncalls; i++) {
        struct pt_script_call *call = &subject->call[i];
        *call = (struct pt_script_call){ .symbol = d->market ? "" : symbols[i],
                                         .period_us = PT_US_HOUR,
                                         .as_of_us = END_US,
                                         .now_us = END_US,
                                         .columns = &bars[i].columns,
                                         .books = &books[i].books,
                                         .metrics = metrics[i],
                                         .nmetrics = nmetrics };
        must(pt_params_read(d, NULL, &call->params, &err));
        if (pt_lua_script_size(&subject->script, call) != PT_OK)
            die(subject->script.file, subject->script.fault.message);
        if (!d->market) continue;
        open_market(call->rows);
        call->market = &market;
    }
}

static bson_t *run(struct subject *subject, size_t i)
{
    const char *status = "";
    bson_t *doc = pt_lua_script_run(&subject->script, &subject->call[i]);
    if (!doc) die(subject->script.file, "no memory");
    pt_doc_text(doc, "status", &status);
    if (strcmp(status, "ok") == 0) return doc;
    die(subject->script.file, *status ? subject->script.fault.message : "no status");
    return NULL;
}

static void load(void)
{
    nsubjects = nmetrics = home.nlibs = 0; /* a side loads anew what its parent has */
    for (size_t i = 0; i < sources.n; i++) {
        const struct pt_source *s = &sources.v[i];
        if (s->fault) die(s->file, s->fault);
        if (s->lib)
            libs[home.nlibs++] = (struct pt_lua_lib){ lib_name(s->file), s->file, s->text, s->len };
    }
    for (size_t i = 0; i < sources.n; i++) {
        const struct pt_source *s = &sources.v[i];
        struct subject *subject = &subjects[nsubjects];
        if (s->lib) continue;
        if (pt_lua_script_load(&subject->script, &home, s->file, s->text, s->len, s->hash) != PT_OK)
            die(s->file, subject->script.fault.message);
        prepare(subject);
        nsubjects++;
        if (subject->script.declaration.market) continue;
        for (size_t k = 0; k < SYMBOLS; k++)
            metrics[k][nmetrics] =
                (struct pt_metric){ subject->script.declaration.name, run(subject, k) };
        nmetrics++;
    }
}

/* ---- plain LuaJIT ---------------------------------------------------------------------------- */

/* Every function that the script's leads to, over upvalues and tables, gets an environment in which
 * the names are those of Lua; what Lua has none for is as it was, without its proxy. */
static const char unfence[] =
    "local debug, real, cast, vec, vec_meta, main = ...\n"
    "local function bare(names)\n"
    "  local out = {}\n"
    "  for k, v in real.next, names do\n"
    "    local meta = real.type(v) == 'userdata' and debug.getmetatable(v)\n"
    "    out[k] = real[k] or meta and meta.__index or v\n"
    "  end\n"
    "  return out\n"
    "end\n"
    "local seen, plain = {}, {}\n"
    "local function walk(x)\n"
    "  local kind = real.type(x)\n"
    "  if seen[x] or kind ~= 'function' and kind ~= 'table' then return end\n"
    "  seen[x] = true\n"
    "  if kind == 'table' then\n"
    "    for k, v in real.next, x do walk(k) walk(v) end\n"
    "    return\n"
    "  end\n"
    "  local i, meta = 1, debug.getmetatable(debug.getfenv(x))\n"
    "  if meta and meta.__metatable == false then\n"
    "    local env = debug.getfenv(x)\n"
    "    plain[env] = plain[env] or bare(real.type(meta.__index) == 'table' and meta.__index or "
    "env)\n"
    "    debug.setfenv(x, plain[env])\n"
    "  end\n"
    "  while debug.getupvalue(x, i) do\n"
    "    local _, v = debug.getupvalue(x, i)\n"
    "    if v ~= nil then walk(v) end\n"
    "    i = i + 1\n"
    "  end\n"
    "end\n"
    "walk(main)\n"
    "debug.getmetatable('').__index = real.string\n"
    "function vec.get(v, i) return cast(v).p[i - 1] end\n"
    "function vec.set(v, i, x) cast(v).p[i - 1] = x end\n"
    "function vec.final(v)\n"
    "  local s = cast(v)\n"
    "  return s.n > 0 and s.p[s.n - 1] or 0 / 0\n"
    "end\n"
    "function vec_meta.__len(v) return cast(v).n end\n";

static int unfence_body(lua_State *L)
{
    const struct pt_lua_script *script = lua_touserdata(L, 1);
    if (luaL_loadbuffer(L, unfence, sizeof unfence - 1, "=unfence") != 0) lua_error(L);
    lua_pushcfunction(L, luaopen_debug);
    lua_call(L, 0, 1);
    lua_pushvalue(L, LUA_GLOBALSINDEX);
    if (luaL_loadstring(L, "local ffi = ...\n"
                           "local cast, ptr = ffi.cast, ffi.typeof 'struct pt_lua_vec *'\n"
                           "return function(v) return cast(ptr, v) end") != 0)
        lua_error(L);
    lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
    lua_getfield(L, -1, "ffi");
    lua_remove(L, -2);
    lua_call(L, 1, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, script->vm->vec_meta);
    lua_getfield(L, -1, "__index");
    lua_insert(L, -2);
    lua_rawgeti(L, LUA_REGISTRYINDEX, script->declaration.run);
    lua_call(L, 6, 0);
    return 0;
}

/* Counts nothing. ud stays the VM, by which C functions find it. */
static void *plain_alloc(void *ud, void *ptr, size_t old_len, size_t new_len)
{
    const struct pt_lua_memory *memory = ud;
    return memory->under(memory->under_ud, ptr, old_len, new_len);
}

static void make_plain(void)
{
    for (size_t i = 0; i < nsubjects; i++) {
        struct pt_lua_script *script = &subjects[i].script;
        if (pt_vm_protect(script->vm, unfence_body, script) != PT_OK)
            die(script->file, script->vm->fault.message);
        if (!script->vm->under) die(script->file, "its VM has no allocator of LuaJIT");
        lua_setallocf(script->vm->L, plain_alloc, script->vm);
        for (size_t k = 0; k < subjects[i].ncalls; k++) subjects[i].call[k].seed = 1;
    }
}

/* ---- a side ---------------------------------------------------------------------------------- */

enum side { WORKER, PLAIN };

struct command {
    char what; /* 'd': documents, 't': time, 'b': the budget's */
    size_t subject;
    size_t passes; /* of all calls, a block */
};

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* One disarming ends the calls of a unit: as many as there are scripts of a symbol, or one of the
 * market. */
static double block(enum side side, struct subject *subject, size_t passes)
{
    size_t unit = subject->script.declaration.market ? 1 : nmetrics, k = 0;
    double from_us = cpu_us();
    for (size_t p = 0; p < passes; p++) {
        for (size_t i = 0; i < subject->ncalls; i++) {
            if (side == WORKER) pt_guard_arm(BUDGET_US);
            bson_destroy(pt_lua_script_run(&subject->script, &subject->call[i]));
            if (side == WORKER && ++k % unit == 0) pt_guard_disarm();
        }
    }
    if (side == WORKER) pt_guard_disarm(); /* the last unit may be a shorter one */
    return (cpu_us() - from_us) / (double)(passes * subject->ncalls);
}

static double budget(size_t times)
{
    double from_us = cpu_us();
    for (size_t i = 0; i < times; i++) {
        pt_guard_arm(BUDGET_US);
        pt_guard_disarm();
    }
    return (cpu_us() - from_us) / (double)times;
}

static void put(int fd, const void *bytes, size_t len)
{
    for (const char *p = bytes; len > 0;) {
        ssize_t done = write(fd, p, len);
        if (done <= 0) die("pipe", "the other side is gone");
        p += done;
        len -= (size_t)done;
    }
}

static bool take(int fd, void *bytes, size_t len)
{
    for (char *p = bytes; len > 0;) {
        ssize_t done = read(fd, p, len);
        if (done <= 0) return false;
        p += done;
        len -= (size_t)done;
    }
    return true;
}

static void obey(enum side side, int in, int out)
{
    struct command command;
    while (take(in, &command, sizeof command)) {
        struct subject *subject = &subjects[command.subject];
        double least = INFINITY;
        for (int i = 0; i < BLOCKS && command.what != 'd'; i++)
            least = fmin(least, command.what == 't' ? block(side, subject, command.passes)
                                                    : budget(command.passes));
        for (size_t i = 0; i < subject->ncalls && command.what == 'd'; i++) {
            bson_t *doc = run(subject, i);
            put(out, &doc->len, sizeof doc->len);
            put(out, bson_get_data(doc), doc->len);
            bson_destroy(doc);
        }
        if (command.what != 'd') put(out, &least, sizeof least);
    }
}

/* As petrosa-worker closes it, with all that a session may need. */
static void close_door(void)
{
    struct pt_session session = { .home = home, .blas = true };
    must(pt_guard_close(pt_session_heap_bytes(&session), &err));
}

static void be(enum side side, int in, int out)
{
    must(pt_guard_start(&err));
    must(pt_panel_blas_check(&err));
    pt_panel_blas_one_thread();
    must(pt_panel_blas_warm(&err));
    if (side == WORKER) close_door();
    load();
    if (side == PLAIN) make_plain();
    put(out, "", 1); /* ready */
    obey(side, in, out);
}

/* ---- the two of them ------------------------------------------------------------------------- */

struct peer {
    pid_t pid;
    int in, out;
};

static struct peer start(enum side side, const struct peer *other)
{
    int to[2], from[2];
    char ready;
    fflush(stdout);
    if (pipe(to) != 0 || pipe(from) != 0) die("pipe", "there is none");
    struct peer peer = { .pid = fork(), .in = from[0], .out = to[1] };
    if (peer.pid < 0) die("fork", "there is no process");
    if (peer.pid == 0) {
        if (other) close(other->out); /* else it would never see its end */
        close(to[1]);
        close(from[0]);
        be(side, to[0], from[1]);
        _exit(0);
    }
    close(to[0]);
    close(from[1]);
    if (!take(peer.in, &ready, 1)) die(side == WORKER ? "worker" : "plain", "did not start");
    return peer;
}

static void stop(const struct peer *peer)
{
    int status = 0;
    close(peer->out);
    close(peer->in);
    if (waitpid(peer->pid, &status, 0) != peer->pid || status != 0) die("a side", "failed");
}

static double ask(const struct peer *peer, char what, size_t subject, size_t passes)
{
    double us;
    const struct command command = { what, subject, passes };
    put(peer->out, &command, sizeof command);
    if (!take(peer->in, &us, sizeof us)) die("a side", "ended");
    return us;
}

static char *next_document(const struct peer *peer, uint32_t *len)
{
    if (!take(peer->in, len, sizeof *len)) die("a side", "ended");
    char *bytes = malloc(*len);
    if (!bytes || !take(peer->in, bytes, *len)) die("a side", "ended in a document");
    return bytes;
}

static void compare(const struct peer peers[2], size_t i)
{
    const struct command command = { 'd', i, 0 };
    for (int side = 0; side < 2; side++) put(peers[side].out, &command, sizeof command);
    for (size_t k = 0; k < subjects[i].ncalls; k++) {
        uint32_t len[2];
        char *doc[2];
        for (int side = 0; side < 2; side++) doc[side] = next_document(&peers[side], &len[side]);
        if (len[WORKER] != len[PLAIN] || memcmp(doc[WORKER], doc[PLAIN], len[PLAIN]) != 0)
            die(subjects[i].script.file, "the two sides give different results");
        free(doc[WORKER]);
        free(doc[PLAIN]);
    }
}

static double us[SCRIPTS_MAX + 1][2][PAIRS], ratio[SCRIPTS_MAX + 1][PAIRS]; /* last: the sum */
static double budget_us[2][PAIRS];

static void measure(int pair)
{
    struct peer peers[2];
    peers[WORKER] = start(WORKER, NULL);
    peers[PLAIN] = start(PLAIN, &peers[WORKER]);
    for (int side = 0; side < 2; side++) budget_us[side][pair] = ask(&peers[side], 'b', 0, 1000);
    for (size_t i = 0; i < nsubjects; i++) {
        /* until all is compiled that will be; it also shows how many calls are a block */
        double one_us = ask(&peers[PLAIN], 't', i, 1);
        size_t warm = (size_t)(WARM_US / one_us / BLOCKS / (double)subjects[i].ncalls) + 1;
        for (int side = 0; side < 2; side++) one_us = ask(&peers[side], 't', i, warm);
        size_t passes = (size_t)(BLOCK_US / one_us / (double)subjects[i].ncalls) + 1;
        compare(peers, i);
        us[i][WORKER][pair] = us[i][PLAIN][pair] = INFINITY;
        for (int r = 0; r < ROUNDS; r++) {
            for (int k = 0; k < 2; k++) { /* each goes first in turn */
                int side = (k + r) % 2;
                double *least = &us[i][side][pair];
                *least = fmin(*least, ask(&peers[side], 't', i, passes));
            }
        }
        for (int side = 0; side < 2; side++) us[nsubjects][side][pair] += us[i][side][pair];
        ratio[i][pair] = us[i][WORKER][pair] / us[i][PLAIN][pair];
    }
    ratio[nsubjects][pair] = us[nsubjects][WORKER][pair] / us[nsubjects][PLAIN][pair];
    stop(&peers[PLAIN]);
    stop(&peers[WORKER]);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *v)
{
    qsort(v, PAIRS, sizeof *v, by_value);
    return v[PAIRS / 2];
}

int main(void)
{
    read_sources();
    fill();
    load(); /* for the names; each side loads its own */
    for (int pair = 0; pair < PAIRS; pair++) measure(pair);
    printf("%-34s %10s %10s %8s\n", "a call, 1h", "worker", "plain", "ratio");
    for (size_t i = 0; i <= nsubjects; i++) {
        double worker = median(us[i][WORKER]), plain = median(us[i][PLAIN]);
        double middle = median(ratio[i]);
        printf("%-34s %10.2f %10.2f %8.3f  us  [%.3f-%.3f]\n",
               i < nsubjects ? subjects[i].script.declaration.name : "all of them", worker, plain,
               middle, ratio[i][1], ratio[i][PAIRS - 2]);
    }
    double closed = median(budget_us[WORKER]), open = median(budget_us[PLAIN]);
    printf("%-34s %10.2f %10.2f %8.3f  us  closed door, open door\n", "timers set and taken away",
           closed, open, closed / open);
    return 0;
}
