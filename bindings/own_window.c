/* own_window.c - books and bars of scripts that have a window of their own.    [layer: bindings] */
#include "bindings/own_window.h"

#include "base/decimal.h"
#include "base/timefmt.h"

bool pt_own_window_wanted(const struct pt_declaration *declaration)
{
    return declaration->books_us > 0 || declaration->bars_us > 0;
}

enum pt_code pt_own_window_books(struct pt_own_window *self, struct pt_read *read,
                                 const char *symbol, int64_t limit_us, int64_t span_us,
                                 struct pt_err *err)
{
    return pt_store_books_open(&self->books, read, symbol, limit_us, span_us, err);
}

enum pt_code pt_own_window_open(struct pt_own_window *self, struct pt_read *read,
                                const struct pt_lua_script *script, int64_t close_us,
                                const char *benchmark, struct pt_script_call *call,
                                struct pt_err *err)
{
    const struct pt_declaration *d = &script->declaration;
    call->as_of_us = close_us;
    if (d->books_us > 0) {
        call->books = &self->books.books;
        call->as_of_us = call->books->as_of_us;
    }
    if (!d->span || call->as_of_us == PT_MISSING) return PT_OK;
    int64_t end_us = pt_period_floor(call->bars_us, call->as_of_us);
    uint32_t mask = script->asked ? script->asked : PT_COLUMNS_ALL;
    enum pt_code rc = pt_store_columns_open(&self->columns, read, call->symbol, call->bars_us,
                                            end_us - (int64_t)call->rows * call->bars_us, end_us,
                                            benchmark, mask, err);
    self->columns.benchmark_mask = script->benchmark_asked;
    int64_t stored_us = self->columns.bars.period_us;
    if (stored_us != 0 && stored_us != call->bars_us) call->derived_us = stored_us;
    call->columns = &self->columns.columns;
    return rc;
}

void pt_own_window_done(struct pt_own_window *self)
{
    pt_store_columns_done(&self->columns);
    pt_store_books_done(&self->books);
}

void pt_own_window_fini(struct pt_own_window *self)
{
    pt_store_columns_fini(&self->columns);
    pt_store_books_fini(&self->books);
}
