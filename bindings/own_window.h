/* own_window.h - windows of scripts that do not look at their unit's bars.     [layer: bindings]
 *
 * A script that needs books is as of the newest book at or before the moment asked for, whatever
 * the bars are. A script whose candles have a period of their own sees those that are closed by its
 * as_of; they end on their own grid, so that bars which are not there yet are missing. */
#ifndef PT_OWN_WINDOW_H
#define PT_OWN_WINDOW_H

#include "bindings/script.h"
#include "bindings/store_books.h"
#include "bindings/store_columns.h"

/* A zeroed struct is a valid empty one. */
struct pt_own_window {
    struct pt_store_columns columns; /* of the script under way */
    struct pt_store_books books;     /* of the unit */
};

bool pt_own_window_wanted(const struct pt_declaration *declaration);
/* Reads the books of a unit, once for all its scripts: span_us is the longest. */
enum pt_code pt_own_window_books(struct pt_own_window *self, struct pt_read *read,
                                 const char *symbol, int64_t limit_us, int64_t span_us,
                                 struct pt_err *err);
/* Sets what such a script's call looks at. close_us: as_of of a script without books. */
enum pt_code pt_own_window_open(struct pt_own_window *self, struct pt_read *read,
                                const struct pt_lua_script *script, int64_t close_us,
                                const char *benchmark, struct pt_script_call *call,
                                struct pt_err *err);
void pt_own_window_done(struct pt_own_window *self); /* after a unit */
void pt_own_window_fini(struct pt_own_window *self);

#endif
