/* known.c - a hash table of symbols, open addressing.                          [layer: data] */
#include "data/known.h"

#include <stdlib.h>
#include <string.h>

/* Symbols are padded with zeros to PT_SYMBOL_MAX bytes, so four words are the whole name. */
static size_t hash(const char symbol[PT_SYMBOL_MAX])
{
    uint64_t h = 0;
    for (size_t i = 0; i < PT_SYMBOL_MAX; i += 8) {
        uint64_t word;
        memcpy(&word, symbol + i, sizeof word);
        h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return (size_t)h;
}

/* The symbol's place, or the free one where it belongs. */
static struct pt_known *place_of(const struct pt_known_table *table,
                                 const char symbol[PT_SYMBOL_MAX])
{
    size_t i = hash(symbol) & (table->cap - 1);
    while (table->places[i].symbol[0] &&
           memcmp(table->places[i].symbol, symbol, PT_SYMBOL_MAX) != 0)
        i = (i + 1) & (table->cap - 1);
    return &table->places[i];
}

const struct pt_known *pt_known_find(const struct pt_known_table *table,
                                     const char symbol[PT_SYMBOL_MAX])
{
    if (table->cap == 0) return NULL;
    const struct pt_known *known = place_of(table, symbol);
    return known->symbol[0] ? known : NULL;
}

static bool grow(struct pt_known_table *table)
{
    struct pt_known_table bigger = { .cap = table->cap ? table->cap * 2 : 64, .n = table->n };
    bigger.places = calloc(bigger.cap, sizeof *bigger.places);
    if (!bigger.places) return false;
    for (size_t i = 0; i < table->cap; i++) {
        if (table->places[i].symbol[0])
            *place_of(&bigger, table->places[i].symbol) = table->places[i];
    }
    free(table->places);
    *table = bigger;
    return true;
}

struct pt_known *pt_known_get(struct pt_known_table *table, const char symbol[PT_SYMBOL_MAX])
{
    struct pt_known *known = table->cap ? place_of(table, symbol) : NULL;
    if (known && known->symbol[0]) return known;
    if (table->n >= PT_KNOWN_MAX) return NULL;
    if (2 * (table->n + 1) > table->cap) {
        if (!grow(table)) return NULL;
        known = place_of(table, symbol);
    }
    memcpy(known->symbol, symbol, PT_SYMBOL_MAX);
    table->n++;
    return known;
}

void pt_known_each(const struct pt_known_table *table,
                   bool (*fn)(void *arg, const struct pt_known *known), void *arg)
{
    for (size_t i = 0; i < table->cap; i++) {
        if (table->places[i].symbol[0] && !fn(arg, &table->places[i])) return;
    }
}

void pt_known_fini(struct pt_known_table *table)
{
    free(table->places);
    *table = (struct pt_known_table){ .places = NULL };
}
