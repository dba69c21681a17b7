/* lua_memory.h - what a script may allocate: its VM's heap and the vectors of a call. [layer:
 * bindings]
 *
 * One limit over both. A refusal makes the VM raise "not enough memory" and is remembered, so that
 * a script that catches the error has failed all the same. The arena holds the temporaries of one
 * call, is emptied after it, and is shared by the VMs of a process, which run one at a time. */
#ifndef PT_LUA_MEMORY_H
#define PT_LUA_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

struct pt_arena_block;

/* A zeroed struct is a valid empty arena. */
struct pt_arena {
    struct pt_arena_block *blocks; /* newest first */
    size_t used;                   /* bytes handed out since the reset */
};
void pt_arena_fini(struct pt_arena *arena);
/* Everything of the arena is gone; memory of the next call is kept. */
void pt_arena_reset(struct pt_arena *arena);

struct pt_lua_memory {
    size_t heap, limit;     /* bytes; the arena's count too */
    bool refused;           /* something did not fit since it was last set to false */
    struct pt_arena *arena; /* borrowed */
    /* Gives the heap its bytes, as a lua_Alloc with under_ud. */
    void *(*under)(void *ud, void *ptr, size_t old_len, size_t new_len);
    void *under_ud;
};

/* A lua_Alloc; ud is the pt_lua_memory. */
void *pt_lua_memory_alloc(void *ud, void *ptr, size_t old_len, size_t new_len);

/* One of malloc, to stand under a heap; ud is not looked at. */
void *pt_lua_memory_malloc(void *ud, void *ptr, size_t old_len, size_t new_len);

/* Bytes of the arena, aligned to 64, valid until the reset; NULL (and refused) when they do not
 * fit. */
void *pt_lua_memory_scratch(struct pt_lua_memory *memory, size_t bytes);

/* Gives back what scratch handed out last. start: what it returned; anything older, or NULL, stays
 * until the reset. */
void pt_lua_memory_give_back(struct pt_lua_memory *memory, void *start);

#endif
