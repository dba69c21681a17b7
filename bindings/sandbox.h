/* sandbox.h - the Lua VM of one script.                                        [layer: bindings]
 *
 * Each script has a VM of its own: nothing it keeps, breaks or fills can reach another. The VM
 * allocates under a limit, holds the names of prelude.lua and declare.lua and nothing else, and is
 * used by one thread. C functions find their VM through the allocator (pt_vm_of), so a script
 * cannot hand them another. */
#ifndef PT_SANDBOX_H
#define PT_SANDBOX_H

#include "base/err.h"
#include "bindings/lua_memory.h"
#include "data/doc.h"
#include "num/rng.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>

/* A C function that scripts see: registered, documented in bindings/README.md and in the stubs for
 * editors, and checked, from one table. fn NULL: it stands in prelude.lua. Ended by name NULL.
 *
 * Signature: receiver:name(parameter, .. [, optional=default, ..]) -> result, ..
 *   parameter: "name" (a number) or "name: type"
 *   result: a type, "name" (a number) or "name: type"
 *   type: number, string, boolean, any, nil, null, vector, window, books, market, matrix,
 *         "type[]" or "type | type"
 *
 * Example: an expression that is true, or statements that return true; w and m are the window and
 * the market that bindings/README.md shows. */
struct pt_lua_doc {
    const char *name;
    lua_CFunction fn;
    const char *signature; /* "v:std([ddof=1]) -> number" */
    const char *about;
    const char *example; /* "vec.of{1, 2, 3}:std() == 1" */
};

/* A file of scripts/lib; borrowed by the VM. */
struct pt_lua_lib {
    const char *name, *file, *text;
    size_t len;
};

/* Where and why a script failed. Texts are UTF-8; file empty and line 0 when the place is not
 * known. */
struct pt_lua_fault {
    char message[512], file[256];
    int line;
};

/* Known to prelude.lua by layout. */
struct pt_lua_state {
    int32_t epoch;     /* number of the call; what carries another one is from an earlier call. No
                        * double: what a loop stores into a vector cannot change it, and it is
                        * looked at once */
    int32_t computing; /* 0 while the file itself runs */
};

struct pt_vm {
    struct pt_lua_memory memory; /* first: pt_vm_of */
    lua_State *L;
    lua_State *under; /* runs nothing: the allocator that L's memory comes from is its own */
    struct pt_lua_state state;
    struct pt_rng rng;
    uint64_t (*seed)(const void *ud); /* of this call's random numbers; NULL: they have begun */
    const void *seed_ud;              /* borrowed */
    const char *file;                 /* of the script; borrowed */
    size_t nlibs;
    const struct pt_lua_lib *libs;                           /* borrowed */
    const void *vec_meta_at, *window_meta_at, *null_meta_at; /* tell userdata apart quickly */
    const void *books_meta_at, *market_meta_at, *matrix_meta_at;
    int vec_meta, window_meta, null_meta; /* registry references of the metatables */
    int books_meta, market_meta, matrix_meta;
    int made; /* a table: the copy of a script's metatable -> the metatable (prelude.lua) */
    int begin, run, declare_begin, declare_take; /* functions of the preludes */
    int windows;                                 /* window or market -> fields, of this call */
    struct pt_lua_fault fault;                   /* of the last failed pt_vm_protect */
    bson_t *locals; /* borrowed; when set, a failing call leaves its locals there */
};

/* The names that are not those of Lua. */
extern const struct pt_lua_doc pt_lua_name_docs[];

/* memory_bytes: limit of the heap and of a call's vectors together. file, libs, arena are borrowed.
 * PT_ENOMEM when the limit or the machine has not even room for the VM. */
enum pt_code pt_vm_new(struct pt_arena *arena, size_t memory_bytes, const char *file,
                       const struct pt_lua_lib *libs, size_t nlibs, struct pt_vm **vm,
                       struct pt_err *err);
void pt_vm_free(struct pt_vm *vm); /* accepts NULL */

static inline struct pt_vm *pt_vm_of(lua_State *L)
{
    void *vm = NULL;
    lua_getallocf(L, &vm);
    return vm;
}

/* On top is the metatable of a table: what a script gave it, of which it is a copy, is pushed too.
 * False, and nothing pushed: it is no copy. */
bool pt_vm_push_made(lua_State *L);

/* Runs fn with ud as its only argument (a light userdata), results dropped; whatever it raises ends
 * here, in vm->fault. A refused allocation is a failure even when the script caught the error. */
enum pt_code pt_vm_protect(struct pt_vm *vm, lua_CFunction fn, void *ud);

/* A new call, from inside pt_vm_protect: whatever an earlier one made is stale. seed says what its
 * random numbers begin with, should it ask for some before pt_vm_end; NULL: they go on. */
void pt_vm_begin(lua_State *L, uint64_t (*seed)(const void *ud), const void *ud);
/* The call is over: its windows and vectors are gone, garbage is collected when there is much.
 * Returns false when the script holds so much memory between calls that its VM should be made anew,
 * or after 2^30 calls.
 */
bool pt_vm_end(struct pt_vm *vm);

/* Gives the userdata on top a table for its fields, which prelude.lua fills until the next call. */
void pt_lua_keep_fields(lua_State *L);

/* The word of null("word"), a userdata that holds it. */
#define PT_REASON_MAX 40

/* An argument that must be a whole number in [min, max]; absent or nil gives fallback, unless it is
 * required. */
#define PT_LUA_REQUIRED SIZE_MAX
size_t pt_lua_whole(lua_State *L, int arg, size_t min, size_t max, size_t fallback);

#endif
