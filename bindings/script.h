/* script.h - one loaded script: its VM, its declaration, its calls.            [layer: bindings] */
#ifndef PT_BINDINGS_SCRIPT_H
#define PT_BINDINGS_SCRIPT_H

#include "base/timefmt.h"
#include "bindings/books.h"
#include "bindings/columns.h"
#include "bindings/lua_params.h"
#include "bindings/market.h"

/* What scripts share; borrowed by them. */
struct pt_script_home {
    struct pt_arena *arena;
    size_t memory_bytes;
    const struct pt_lua_lib *libs;
    size_t nlibs;
    bool interpret; /* without the compiler: for tests that hold the two against each other */
};

struct pt_lua_script {
    const struct pt_script_home *home;
    const char *file, *text, *hash; /* borrowed */
    size_t len;
    uint64_t seed;    /* of the hash: what those of calls begin with */
    struct pt_vm *vm; /* NULL: failed */
    struct pt_declaration declaration;
    struct pt_lua_fault fault; /* why it failed, or its last call did */
    char
        twin[PT_SCRIPT_NAME_MAX]; /* its name, where it was refused because an earlier one has it */
    uint32_t asked, benchmark_asked; /* columns its calls have used so far */
    uint32_t restarts;               /* times its VM was made anew: nothing of before is in it */
};

/* Runs the file. PT_ESCRIPT with script->fault set when it, its declaration or its VM fails. */
enum pt_code pt_lua_script_load(struct pt_lua_script *script, const struct pt_script_home *home,
                                const char *file, const char *text, size_t len, const char *hash);
void pt_lua_script_fini(struct pt_lua_script *script); /* accepts a zeroed one */

/* A result that came before in the same unit. */
struct pt_metric {
    const char *name;
    const bson_t *doc;
};

struct pt_script_call {
    const char *symbol;
    int64_t period_us, as_of_us,
        now_us;      /* as_of_us: close of the last bar, or time of the newest book where books are
                        needed; PT_MISSING when there is none */
    int64_t bars_us; /* period of the candles; set by pt_lua_script_size */
    int64_t derived_us; /* 0: bars stored as they are */
    struct pt_params params;
    size_t rows, min;              /* set by pt_lua_script_size */
    char span[PT_PERIOD_TEXT_MAX]; /* room for what a span parameter says */
    struct pt_columns
        *columns; /* hold at least `rows` bars up to as_of; NULL when the script needs no candles */
    const struct pt_books *books; /* likewise, of at least the declared span */
    struct pt_market *market;     /* of `rows` bars; NULL when the script needs none */
    size_t nmetrics;
    const struct pt_metric *metrics;
    bool whole;    /* of a detector: all of the window is told */
    uint64_t seed; /* of math.random; 0: of the script, the parameters and the window */
};

/* A function of the script has to be asked for the rows: pt_lua_script_size runs its code. */
bool pt_lua_script_sizes_itself(const struct pt_lua_script *script);
/* Rows of the window that the call needs. PT_ESCRIPT with script->fault set. */
enum pt_code pt_lua_script_size(struct pt_lua_script *script, struct pt_script_call *call);

/* Computes; the result document says how it went, also when the script failed. NULL: no memory. */
bson_t *pt_lua_script_run(struct pt_lua_script *script, struct pt_script_call *call);

/* A result document that only says why there is no result. */
bson_t *pt_lua_script_failed(struct pt_lua_script *script, struct pt_script_call *call,
                             const struct pt_lua_fault *fault);

#endif
