/* params.h - the parameters a script declares, and values for them.            [layer: flow] */
#ifndef PT_PARAMS_H
#define PT_PARAMS_H

#include "data/doc.h"

/* Finds the entry of a declaration's `params` list (a borrowed view); false when there is none of
 * that name. */
bool pt_param_find(const bson_t *declaration, const char *name, bson_t *entry);

/* Checks a value in text form against an entry and appends it, typed, to `params`: int64, double,
 * text or bool. A value equal to the entry's default is left out. PT_EINVAL says what was given and
 * what is allowed. */
enum pt_code pt_param_append(const bson_t *entry, const char *value, bson_t *params,
                             struct pt_err *err);

/* Copy of a declaration whose defaults are replaced by the values of `params` where it has one.
 * NULL: no memory. */
bson_t *pt_param_defaults(const bson_t *declaration, const bson_t *params);

/* All declared parameters: the default, else what `over` or (stronger) `more` say; either may be
 * NULL. */
void pt_param_all(const bson_t *declaration, const bson_t *over, const bson_t *more, bson_t *out);

/* Names of a declaration's params, "a, b, c", for messages; cut where the room ends. */
void pt_param_names(const bson_t *declaration, char *out, size_t room);

#endif
