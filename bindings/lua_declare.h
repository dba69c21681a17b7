/* lua_declare.h - what a script says about itself, as C keeps it.              [layer: bindings] */
#ifndef PT_LUA_DECLARE_H
#define PT_LUA_DECLARE_H

#include "bindings/sandbox.h"
#include "data/unit.h"

enum pt_output_type {
    PT_OUTPUT_NUMBER,
    PT_OUTPUT_INT,
    PT_OUTPUT_TEXT,
    PT_OUTPUT_BOOL,
    PT_OUTPUT_MAP,
    PT_OUTPUT_LIST,
    PT_OUTPUT_RECORD,
    PT_OUTPUT_MATRIX,
    PT_OUTPUT_RECORDS, /* of a detector: what it found */
    PT_OUTPUT_TIME     /* in a record: seconds */
};

/* Texts are borrowed from the declaration's document. */
struct pt_output {
    const char *name;
    enum pt_output_type type;
    size_t nwords, nkeys, nfields;
    const char **words;       /* of a text; none: any text */
    const char **keys;        /* of a map */
    struct pt_output *fields; /* of a map's values (none: numbers), or of a record */
    bool by_symbol;           /* a map whose keys are the symbols of the market */
    bool counts;              /* a matrix of whole numbers */
};

enum pt_param_type { PT_PARAM_INT, PT_PARAM_NUMBER, PT_PARAM_BOOL, PT_PARAM_ENUM, PT_PARAM_SPAN };

struct pt_param {
    const char *name;
    enum pt_param_type type;
    double fallback, min, max; /* bool: 0 or 1; enum: index of the word; span: us */
    size_t nwords;
    const char **words;
};

#define PT_PARAMS_MAX 64 /* declare.lua checks it */

struct pt_params; /* lua_params.h */

struct pt_declaration {
    bson_t *document; /* unit.h */
    char name[PT_SCRIPT_NAME_MAX];
    const char *kind, *method, *method_version; /* borrowed from the document */
    const char *span;             /* NULL when neither candles nor market are needed */
    int64_t span_us;              /* for the default parameters */
    int64_t bars_us;              /* period of the candles; 0: the unit's */
    const char *books_span;       /* NULL when no books are needed */
    int64_t books_us;             /* it; 0 likewise */
    bool book_breaks;             /* called also while the newest row is a break */
    int64_t funding_us, marks_us; /* spans of what is no bar; 0: not needed */
    size_t days_param;            /* above 0 it is the span, in days; SIZE_MAX: there is none */
    size_t span_param;            /* span is the value of this one; SIZE_MAX: of none */
    size_t symbols;               /* of a market: fewer are too few */
    size_t bars, min;             /* for the default parameters */
    int bars_fn, min_fn; /* functions of the parameters, registry references, or LUA_NOREF */
    int run;             /* compute, classify, detect or when */
    int severity;        /* of a detector that has one, or LUA_NOREF */
    bool benchmark, trades, market;
    bool regime; /* or an alert: its function takes metrics, parameters, window */
    bool detector;
    size_t nparams, noutputs, nmetrics;
    struct pt_param *params;
    struct pt_output *outputs;
    const char **metrics; /* names of scripts whose results are wanted */
};

/* Inside pt_vm_protect: runs a script's text and takes what it declares. Raises on any mistake;
 * what was made so far is in *declaration, to be freed. */
void pt_declaration_load(lua_State *L, const char *text, size_t len, const char *file,
                         struct pt_declaration *declaration);
void pt_declaration_fini(struct pt_declaration *declaration); /* accepts a zeroed one */

/* Pushes the script's own function behind a registry reference: a regime with rules is called
 * through one of declare.lua. */
void pt_declaration_function(lua_State *L, int ref);

/* Length of the window in us before its bars are counted: of the parameter that says so, else as
 * declared; 0 without candles. */
int64_t pt_declaration_span_us(const struct pt_declaration *declaration,
                               const struct pt_params *params);

/* Rows of the window and the fewest bars, where no function of the script has to be asked and they
 * are not too many; else false. */
bool pt_declaration_plain_rows(const struct pt_declaration *declaration,
                               const struct pt_params *params, int64_t period_us, size_t *rows,
                               size_t *min);
/* Rows of the window and the fewest bars, with the parameters (a table) on top of the stack. Inside
 * pt_vm_protect. */
void pt_declaration_rows(lua_State *L, const struct pt_declaration *declaration,
                         const struct pt_params *params, int64_t period_us, size_t *rows,
                         size_t *min);

#endif
