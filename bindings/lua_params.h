/* lua_params.h - the parameters of one call, in the order of the declaration.  [layer: bindings] */
#ifndef PT_LUA_PARAMS_H
#define PT_LUA_PARAMS_H

#include "bindings/lua_declare.h"

/* As in struct pt_param: bool 0 or 1, enum the index of its word, span in us. */
struct pt_params {
    double v[PT_PARAMS_MAX];
    bool defaults; /* all of them */
};

/* given: { name: value } of what differs from the defaults, or NULL. PT_EINVAL names what is
 * unknown, of another type or out of its bounds. */
enum pt_code pt_params_read(const struct pt_declaration *declaration, const bson_t *given,
                            struct pt_params *params, struct pt_err *err);
/* Pushes them as the table p; of a span the script sees seconds. */
void pt_params_push(lua_State *L, const struct pt_declaration *declaration,
                    const struct pt_params *params);
bool pt_params_append(const struct pt_declaration *declaration, const struct pt_params *params,
                      bson_t *out);

#endif
