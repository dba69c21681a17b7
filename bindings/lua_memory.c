/* lua_memory.c - heaps and an arena under one limit.                           [layer: bindings] */
#include "bindings/lua_memory.h"

#include <stdlib.h>

#define ALIGNMENT 64
#define BLOCK_MIN ((size_t)256 << 10)
#define KEEP_MAX ((size_t)4 << 20)

/* Its bytes follow it; sizeof is one alignment. */
struct pt_arena_block {
    _Alignas(ALIGNMENT) struct pt_arena_block *next; /* older, full ones */
    size_t room, used;
    void *last; /* handed out last; NULL: given back */
};

void pt_arena_fini(struct pt_arena *arena)
{
    while (arena->blocks) {
        struct pt_arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    arena->used = 0;
}

void pt_arena_reset(struct pt_arena *arena)
{
    /* blocks double, so the newest alone holds about what all of them held */
    struct pt_arena_block *newest = arena->blocks;
    if (newest && newest->room <= KEEP_MAX) {
        arena->blocks = newest->next;
        newest->next = NULL;
        newest->used = 0;
        newest->last = NULL;
    } else {
        newest = NULL;
    }
    pt_arena_fini(arena);
    arena->blocks = newest;
}

static struct pt_arena_block *add_block(struct pt_arena *arena, size_t bytes)
{
    size_t room = arena->blocks ? arena->blocks->room * 2 : BLOCK_MIN;
    if (room > KEEP_MAX) room = KEEP_MAX;
    if (room < bytes) room = bytes;
    struct pt_arena_block *block = aligned_alloc(ALIGNMENT, room + sizeof *block);
    if (!block) return NULL;
    *block = (struct pt_arena_block){ .next = arena->blocks, .room = room };
    arena->blocks = block;
    return block;
}

void *pt_lua_memory_scratch(struct pt_lua_memory *memory, size_t bytes)
{
    struct pt_arena *arena = memory->arena;
    size_t used = memory->heap + arena->used;
    if (used > memory->limit || bytes > memory->limit - used) {
        memory->refused = true;
        return NULL;
    }
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct pt_arena_block *block = arena->blocks;
    if (!block || block->room - block->used < bytes) block = add_block(arena, bytes);
    if (!block) {
        memory->refused = true;
        return NULL;
    }
    void *start = (char *)(block + 1) + block->used;
    block->used += bytes;
    block->last = start;
    arena->used += bytes;
    return start;
}

void pt_lua_memory_give_back(struct pt_lua_memory *memory, void *start)
{
    struct pt_arena_block *block = memory->arena->blocks;
    if (!start || !block || start != block->last) return;
    size_t kept = (size_t)((char *)start - (char *)(block + 1));
    memory->arena->used -= block->used - kept;
    block->used = kept;
    block->last = NULL;
}

void *pt_lua_memory_malloc(void *ud, void *ptr, size_t old_len, size_t new_len)
{
    (void)ud;
    (void)old_len;
    if (new_len > 0) return realloc(ptr, new_len);
    free(ptr);
    return NULL;
}

/* A short call asks here more often than for anything else: what is given back takes no more than
 * a subtraction, and what fits one comparison. */
void *pt_lua_memory_alloc(void *ud, void *ptr, size_t old_len, size_t new_len)
{
    struct pt_lua_memory *memory = ud;
    size_t heap = memory->heap + new_len - old_len; /* modular: right for shrinking too */
    if (new_len == 0) {
        memory->heap = heap;
        return memory->under(memory->under_ud, ptr, old_len, 0);
    }
    void *moved = NULL;
    if (new_len <= old_len || heap + memory->arena->used <= memory->limit)
        moved = memory->under(memory->under_ud, ptr, old_len, new_len);
    if (moved)
        memory->heap = heap;
    else
        memory->refused = true;
    return moved;
}
