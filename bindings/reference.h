/* reference.h - all that scripts can call, group by group.                     [layer: bindings] */
#ifndef PT_REFERENCE_H
#define PT_REFERENCE_H

#include "bindings/sandbox.h"

struct pt_lua_group {
    const char *title; /* "Vector: statistics" */
    const char *owner; /* what the names belong to: "vector", "market", "vec"; "" nothing */
    const struct pt_lua_doc *docs;
};
extern const struct pt_lua_group pt_lua_groups[]; /* ended by title NULL */

/* Pushes { { group, owner, name, signature, about, example }, ... } */
void pt_lua_reference_push(lua_State *L);

#endif
