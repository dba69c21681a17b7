/* check_state.h - what a script's functions hold on to between two calls.      [layer: bindings]
 *
 * Everything that a later call could see: upvalues of compute (and of the functions that size the
 * window), the tables, metatables and functions they lead to, a library's own ones too. Taken
 * before and after a call and compared, it shows what was kept, and a second run, watched line by
 * line, which line did it. */
#ifndef PT_CHECK_STATE_H
#define PT_CHECK_STATE_H

#include "bindings/script.h"

#define PT_STATE_MAX 50000 /* values looked at; a script that holds more is refused */

enum pt_step_kind {
    PT_STEP_ROOT,    /* index: 0 compute, 1 bars, 2 min */
    PT_STEP_UPVALUE, /* index, text = its name */
    PT_STEP_TEXT,    /* key of a table */
    PT_STEP_NUMBER,
    PT_STEP_BOOL,
    PT_STEP_OBJECT, /* a key that is a table, a function, ...: cannot be found again */
    PT_STEP_META    /* the metatable */
};

/* From a holder to a value in it. */
struct pt_step {
    enum pt_step_kind kind;
    int index;
    double number;
    uint64_t hash; /* of the whole key */
    char text[40];
};

/* A value as far as it can be compared: numbers and texts by content, the rest by identity. */
struct pt_held {
    int type; /* LUA_T..., LUA_TNONE: not there */
    uint64_t bits;
    char words[40];
};

struct pt_state_node;
struct pt_state_slot;

/* A zeroed struct is a valid empty one. */
struct pt_state {
    size_t nnodes, nslots, node_cap, slot_cap;
    struct pt_state_node *nodes; /* owned */
    struct pt_state_slot *slots; /* owned */
    bool full;                   /* there was more than PT_STATE_MAX */
};

#define PT_PATH_MAX 12

/* A value that is not what it was. */
struct pt_change {
    char name[96]; /* "cache.last" */
    struct pt_held before, after;
    size_t nsteps;
    struct pt_step steps[PT_PATH_MAX]; /* from a root to the value */
    bool found_again;                  /* the steps lead there in another VM too */
};

/* PT_ESCRIPT: no room, script->vm->fault says it. */
enum pt_code pt_state_take(struct pt_lua_script *script, struct pt_state *state);
void pt_state_fini(struct pt_state *state);
/* Fills up to `most` changes, those nearest to the functions first; how many there are. */
size_t pt_state_compare(const struct pt_state *before, const struct pt_state *after,
                        struct pt_change *changes, size_t most);
/* A coroutine that could go on: state by itself, whatever it does. */
bool pt_state_coroutine(const struct pt_state *state, struct pt_change *change);

/* For check_watch.c. */
struct pt_held pt_held_at(lua_State *L, int at);
bool pt_held_same(const struct pt_held *a, const struct pt_held *b);
uint64_t pt_held_hash(const void *bytes, size_t len);
bool pt_step_is_named(const struct pt_step *step); /* another VM has a value of this name too */
void pt_state_push_root(lua_State *L, const struct pt_declaration *declaration, int root);

#endif
