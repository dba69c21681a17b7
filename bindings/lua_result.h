/* lua_result.h - what a script gave back, as a result document.                [layer: bindings] */
#ifndef PT_LUA_RESULT_H
#define PT_LUA_RESULT_H

#include "bindings/lua_params.h"
#include "bindings/market.h"

/* Inside pt_vm_protect, with the script's answer on top: appends each declared output to data, and
 * to reasons why one is null. Raises, naming the output, on what was not declared or is of another
 * type, or on more bytes than `most`. market: of a script that needs one, else NULL. */
void pt_result_values(lua_State *L, const struct pt_declaration *declaration,
                      const struct pt_market *market, size_t most, bson_t *data, bson_t *reasons);

/* All outputs null for one reason. */
bool pt_result_nulls(const struct pt_declaration *declaration, const char *reason, bson_t *data,
                     bson_t *reasons);

/* What stands around the values. */
struct pt_result {
    const char *symbol, *status, *window; /* window: NULL = none */
    int64_t period_us, as_of_us, now_us;  /* as_of_us PT_MISSING: null */
    int64_t derived_us; /* the stored period the bars were built from; 0 = stored as they are */
    size_t rows, expected, gaps, missing;
    double completeness;
    bool by_books; /* rows are books: how many there should be nobody knows */
    bool broken;   /* the newest of them is a break */
    bool has_bars; /* the bars beside the books: */
    size_t bar_rows, bar_expected, bar_gaps, bar_missing;
    const struct pt_params *params; /* NULL: could not be read */
    const char *file, *hash;
    const struct pt_lua_fault *fault; /* NULL = none */
    const bson_t *data, *reasons;
    const struct pt_market *market; /* NULL: of one symbol, or it could not be read */
};

/* The document of unit.h; NULL when there is no memory. bson_destroy. */
bson_t *pt_result_document(const struct pt_declaration *declaration,
                           const struct pt_result *result);

#endif
