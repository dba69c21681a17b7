/* check_state.c - walking over what a script's functions hold.                 [layer: bindings] */
#include "bindings/check_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Something that holds values: a function, a table. `at` tells it apart. */
struct pt_state_node {
    const void *at;
    size_t parent; /* slot that led here; SIZE_MAX: a root */
    int root;
};

struct pt_state_slot {
    const void *holder; /* of an upvalue: the variable itself, which functions may share */
    size_t node;        /* whose it is */
    struct pt_step step;
    struct pt_held held;
    bool coroutine; /* one that can go on */
};

void pt_state_fini(struct pt_state *state)
{
    free(state->nodes);
    free(state->slots);
    memset(state, 0, sizeof *state);
}

uint64_t pt_held_hash(const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < len; i++) h = (h ^ p[i]) * UINT64_C(1099511628211);
    return h;
}

/* ---- values
 * ---------------------------------------------------------------------------------------------- */

static const char *const nouns[] = { "nil",     "a boolean",  "a pointer", "a number",   "a text",
                                     "a table", "a function", "an object", "a coroutine" };

/* Printable part of a text, in quotes. */
static void quote(const char *text, size_t len, char out[40])
{
    size_t used = 1;
    out[0] = '"';
    for (size_t i = 0; i < len && used < 32; i++) {
        bool plain = text[i] >= 0x20 && text[i] < 0x7f;
        out[used++] = plain ? text[i] : '?';
    }
    snprintf(out + used, 40 - used, "%s", len > 31 ? "...\"" : "\"");
}

struct pt_held pt_held_at(lua_State *L, int at)
{
    struct pt_held held = { .type = lua_type(L, at) };
    size_t len = 0;
    const char *text;
    double x;
    switch (held.type) {
    case LUA_TNUMBER:
        x = lua_tonumber(L, at);
        memcpy(&held.bits, &x, sizeof x);
        snprintf(held.words, sizeof held.words, "%.14g", x);
        break;
    case LUA_TBOOLEAN:
        held.bits = (uint64_t)lua_toboolean(L, at);
        snprintf(held.words, sizeof held.words, "%s", held.bits ? "true" : "false");
        break;
    case LUA_TSTRING:
        text = lua_tolstring(L, at, &len);
        held.bits = pt_held_hash(text, len);
        quote(text, len, held.words);
        break;
    default:
        held.bits = (uint64_t)(uintptr_t)lua_topointer(L, at);
        snprintf(held.words, sizeof held.words, "%s",
                 held.type >= 0 && held.type < (int)(sizeof nouns / sizeof *nouns)
                     ? nouns[held.type]
                     : "an object");
    }
    return held;
}

bool pt_held_same(const struct pt_held *a, const struct pt_held *b)
{
    return a->type == b->type && a->bits == b->bits;
}

/* ---- taking
 * ---------------------------------------------------------------------------------------------- */

struct take {
    struct pt_lua_script *script;
    struct pt_state *state;
    lua_State *L;
    int queue, seen; /* stack places: list of holders, set of holders */
};

static void grow(lua_State *L, void **v, size_t *cap, size_t n, size_t size)
{
    if (n < *cap) return;
    size_t more = *cap ? *cap * 2 : 64;
    void *grown = realloc(*v, more * size);
    if (!grown) luaL_error(L, "not enough memory");
    *v = grown;
    *cap = more;
}

/* Only code of the script and of its libraries is looked into: that of the sandbox holds what
 * belongs to a call. */
static bool is_ours(lua_State *L, int at)
{
    lua_Debug ar;
    if (lua_iscfunction(L, at)) return true; /* coroutine.wrap, gmatch: what they go on with */
    lua_pushvalue(L, at);
    return lua_getinfo(L, ">S", &ar) && ar.source[0] == '@';
}

/* The value on top is looked into later, once. */
static void enter(struct take *t, size_t parent, int root)
{
    lua_State *L = t->L;
    struct pt_state *state = t->state;
    int type = lua_type(L, -1);
    if (type != LUA_TTABLE && (type != LUA_TFUNCTION || !is_ours(L, lua_gettop(L)))) return;
    lua_pushvalue(L, -1);
    lua_rawget(L, t->seen);
    bool seen = !lua_isnil(L, -1);
    lua_pop(L, 1);
    if (seen) return;
    lua_pushvalue(L, -1);
    lua_pushboolean(L, 1);
    lua_rawset(L, t->seen);
    void *nodes = state->nodes;
    grow(L, &nodes, &state->node_cap, state->nnodes, sizeof *state->nodes);
    state->nodes = nodes;
    state->nodes[state->nnodes++] =
        (struct pt_state_node){ .at = lua_topointer(L, -1), .parent = parent, .root = root };
    lua_pushvalue(L, -1);
    lua_rawseti(L, t->queue, (int)state->nnodes);
}

static bool can_go_on(lua_State *L, int at)
{
    lua_State *other = lua_tothread(L, at);
    return other && other != L &&
           (lua_status(other) == LUA_YIELD || (lua_status(other) == 0 && lua_gettop(other) > 0));
}

/* The value on top belongs to holder, and is looked into. */
static void add(struct take *t, const void *holder, size_t node, const struct pt_step *step)
{
    struct pt_state *state = t->state;
    if (state->nslots == PT_STATE_MAX) {
        state->full = true;
        return;
    }
    void *slots = state->slots;
    grow(t->L, &slots, &state->slot_cap, state->nslots, sizeof *state->slots);
    state->slots = slots;
    state->slots[state->nslots] = (struct pt_state_slot){ .holder = holder,
                                                          .node = node,
                                                          .step = *step,
                                                          .held = pt_held_at(t->L, -1),
                                                          .coroutine = can_go_on(t->L, -1) };
    enter(t, state->nslots++, 0);
}

static struct pt_step key_step(lua_State *L, int at)
{
    struct pt_step step = { .kind = PT_STEP_OBJECT };
    size_t len = 0;
    const char *text;
    switch (lua_type(L, at)) {
    case LUA_TSTRING:
        text = lua_tolstring(L, at, &len);
        step.kind = PT_STEP_TEXT;
        step.hash = pt_held_hash(text, len);
        step.index = len < sizeof step.text; /* the whole of it is here */
        snprintf(step.text, sizeof step.text, "%s", text);
        if (strlen(text) != len) step.index = 0;
        break;
    case LUA_TNUMBER:
        step.kind = PT_STEP_NUMBER;
        step.number = lua_tonumber(L, at);
        memcpy(&step.hash, &step.number, sizeof step.hash);
        break;
    case LUA_TBOOLEAN:
        step.kind = PT_STEP_BOOL;
        step.index = lua_toboolean(L, at);
        step.hash = (uint64_t)step.index;
        break;
    default: step.hash = (uint64_t)(uintptr_t)lua_topointer(L, at);
    }
    return step;
}

static void look_into_table(struct take *t, size_t node)
{
    lua_State *L = t->L;
    const void *at = t->state->nodes[node].at;
    int table = lua_gettop(L);
    if (lua_getmetatable(L, table)) {
        struct pt_step step = { .kind = PT_STEP_META };
        /* what the copy holds may be gone from the metatable */
        struct pt_step copy = { .kind = PT_STEP_OBJECT,
                                .hash = (uint64_t)(uintptr_t)lua_topointer(L, -1) };
        if (pt_vm_push_made(L)) {
            add(t, at, node, &step);
            lua_pop(L, 1);
            step = copy;
        }
        add(t, at, node, &step);
        lua_pop(L, 1);
    }
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        struct pt_step step = key_step(L, -2);
        size_t slot = t->state->nslots;
        add(t, at, node, &step);
        if (t->state->full) {
            lua_pop(L, 2);
            return;
        }
        lua_pushvalue(L, -2); /* an object that is a key can be reached as well */
        if (step.kind == PT_STEP_OBJECT) enter(t, slot, 0);
        lua_pop(L, 1);
    }
}

static void look_into_function(struct take *t, size_t node)
{
    lua_State *L = t->L;
    int fn = lua_gettop(L);
    const char *name;
    for (int i = 1; (name = lua_getupvalue(L, fn, i)); i++) {
        struct pt_step step = { .kind = PT_STEP_UPVALUE, .index = i };
        void *variable = lua_upvalueid(L, fn, i);
        snprintf(step.text, sizeof step.text, "%s", name);
        lua_pushlightuserdata(L, variable);
        lua_rawget(L, t->seen);
        bool seen = !lua_isnil(L, -1);
        lua_pop(L, 1);
        if (!seen) {
            lua_pushlightuserdata(L, variable);
            lua_pushboolean(L, 1);
            lua_rawset(L, t->seen);
            add(t, variable, node, &step);
        }
        lua_pop(L, 1);
    }
}

void pt_state_push_root(lua_State *L, const struct pt_declaration *d, int root)
{
    const int refs[] = { d->run, d->bars_fn, d->min_fn, d->severity };
    if (root >= (int)(sizeof refs / sizeof *refs) || refs[root] == LUA_NOREF)
        lua_pushnil(L);
    else
        pt_declaration_function(L, refs[root]);
}
#define ROOTS 4

static int take_body(lua_State *L)
{
    struct take *t = lua_touserdata(L, 1);
    t->L = L;
    luaL_checkstack(L, 20, "state");
    lua_newtable(L);
    t->queue = lua_gettop(L);
    lua_newtable(L);
    t->seen = lua_gettop(L);
    for (int root = 0; root < ROOTS; root++) {
        pt_state_push_root(L, &t->script->declaration, root);
        enter(t, SIZE_MAX, root);
        lua_pop(L, 1);
    }
    for (size_t node = 0; node < t->state->nnodes && !t->state->full; node++) {
        lua_rawgeti(L, t->queue, (int)node + 1);
        if (lua_istable(L, -1))
            look_into_table(t, node);
        else
            look_into_function(t, node);
        lua_pop(L, 1);
    }
    return 0;
}

enum pt_code pt_state_take(struct pt_lua_script *script, struct pt_state *state)
{
    struct take t = { .script = script, .state = state };
    state->nnodes = state->nslots = 0;
    state->full = false;
    return script->vm ? pt_vm_protect(script->vm, take_body, &t) : PT_ESCRIPT;
}

/* ---- comparing
 * ------------------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
    const struct pt_state_slot *x = *(const struct pt_state_slot *const *)a;
    const struct pt_state_slot *y = *(const struct pt_state_slot *const *)b;
    if (x->holder != y->holder) return x->holder < y->holder ? -1 : 1;
    if (x->step.kind != y->step.kind) return x->step.kind < y->step.kind ? -1 : 1;
    /* an upvalue is its own holder */
    if (x->step.kind == PT_STEP_UPVALUE || x->step.hash == y->step.hash) return 0;
    return x->step.hash < y->step.hash ? -1 : 1;
}

static const struct pt_state_slot **sorted(const struct pt_state *state)
{
    const struct pt_state_slot **list = malloc((state->nslots + 1) * sizeof *list);
    if (!list) return NULL;
    for (size_t i = 0; i < state->nslots; i++) list[i] = &state->slots[i];
    qsort(list, state->nslots, sizeof *list, by_place);
    return list;
}

static const struct pt_state_slot *find(const struct pt_state_slot *const *list, size_t n,
                                        const struct pt_state_slot *slot)
{
    const struct pt_state_slot **found = bsearch(&slot, list, n, sizeof *list, by_place);
    return found ? *found : NULL;
}

static bool holder_known(const struct pt_state *state, const struct pt_state_slot *slot)
{
    if (slot->step.kind == PT_STEP_UPVALUE) return true; /* one that is gone or new has no pair */
    for (size_t i = 0; i < state->nnodes; i++)
        if (state->nodes[i].at == slot->holder) return true;
    return false;
}

/* ".last", "[3]", "'s metatable"; an upvalue is known by its own name. */
static void step_words(const struct pt_step *step, char name[96])
{
    size_t used = strlen(name), room = 96 - used;
    bool word =
        step->kind == PT_STEP_TEXT && step->index && step->text[0] &&
        strspn(step->text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
            strlen(step->text);
    char quoted[40];
    switch (step->kind) {
    case PT_STEP_ROOT: break;
    case PT_STEP_UPVALUE:
        if (step->text[0]) snprintf(name, 96, "%s", step->text);
        break;
    case PT_STEP_TEXT:
        quote(step->text, strlen(step->text), quoted);
        if (word)
            snprintf(name + used, room, ".%s", step->text);
        else
            snprintf(name + used, room, "[%s]", quoted);
        break;
    case PT_STEP_NUMBER: snprintf(name + used, room, "[%.14g]", step->number); break;
    case PT_STEP_BOOL: snprintf(name + used, room, "[%s]", step->index ? "true" : "false"); break;
    case PT_STEP_OBJECT: snprintf(name + used, room, "[an object]"); break;
    case PT_STEP_META: snprintf(name + used, room, "'s metatable"); break;
    }
}

/* Another VM has a value of this name too. */
bool pt_step_is_named(const struct pt_step *step)
{
    return step->kind != PT_STEP_OBJECT && (step->kind != PT_STEP_TEXT || step->index);
}

/* The way from a root to a slot; without it a change is still one. */
static void trace(const struct pt_state *state, const struct pt_state_slot *slot,
                  struct pt_change *change)
{
    static const char *const roots[ROOTS] = { "compute", "needs.candles.bars", "needs.candles.min",
                                              "severity" };
    const struct pt_state_slot *way[PT_PATH_MAX];
    size_t n = 0;
    change->found_again = true;
    while (n < PT_PATH_MAX - 1) {
        way[n++] = slot;
        size_t parent = state->nodes[slot->node].parent;
        if (parent == SIZE_MAX) break;
        slot = &state->slots[parent];
    }
    const struct pt_state_node *top = &state->nodes[slot->node];
    change->found_again = top->parent == SIZE_MAX;
    snprintf(change->name, sizeof change->name, "%s", roots[top->root % ROOTS]);
    change->steps[change->nsteps++] = (struct pt_step){ .kind = PT_STEP_ROOT, .index = top->root };
    while (n-- > 0) {
        const struct pt_step *step = &way[n]->step;
        bool last = n == 0;
        step_words(step, change->name);
        change->steps[change->nsteps++] = *step;
        if (!last && !pt_step_is_named(step)) change->found_again = false;
    }
}

size_t pt_state_compare(const struct pt_state *before, const struct pt_state *after,
                        struct pt_change *changes, size_t most)
{
    const struct pt_state_slot **was = sorted(before), **is = sorted(after);
    size_t n = 0;
    for (size_t i = 0; was && is && i < after->nslots && n < most; i++) {
        const struct pt_state_slot *slot = &after->slots[i];
        const struct pt_state_slot *old = find(was, before->nslots, slot);
        if (old ? pt_held_same(&old->held, &slot->held) : !holder_known(before, slot)) continue;
        if (!old && slot->step.kind == PT_STEP_UPVALUE) continue;
        changes[n] = (struct pt_change){ .before = { .type = LUA_TNONE, .words = "nothing" },
                                         .after = slot->held };
        if (old) changes[n].before = old->held;
        trace(after, slot, &changes[n++]);
    }
    for (size_t i = 0; was && is && i < before->nslots && n < most; i++) {
        const struct pt_state_slot *slot = &before->slots[i];
        if (slot->step.kind == PT_STEP_UPVALUE || find(is, after->nslots, slot) ||
            !holder_known(after, slot))
            continue;
        changes[n] = (struct pt_change){ .before = slot->held,
                                         .after = { .type = LUA_TNONE, .words = "nothing" } };
        trace(before, slot, &changes[n++]);
    }
    free(was);
    free(is);
    return n;
}

bool pt_state_coroutine(const struct pt_state *state, struct pt_change *change)
{
    for (size_t i = 0; i < state->nslots; i++) {
        if (!state->slots[i].coroutine) continue;
        *change = (struct pt_change){ .after = state->slots[i].held };
        trace(state, &state->slots[i], change);
        return true;
    }
    return false;
}
