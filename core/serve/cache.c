#include "serve/cache.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define SLOTS 4096

enum pt_code pt_cache_init(struct pt_cache *cache, size_t max_bytes, struct pt_err *err)
{
    *cache = (struct pt_cache){ .slots = SLOTS, .max_bytes = max_bytes };
    if (max_bytes == 0) return PT_OK;
    cache->table = calloc(SLOTS, sizeof *cache->table);
    return cache->table != NULL ? PT_OK : pt_fail(err, PT_ENOMEM, "no memory for the reply cache");
}

void pt_cache_fini(struct pt_cache *cache)
{
    while (cache->oldest != NULL) pt_cache_drop(cache, cache->oldest);
    free(cache->table);
    *cache = (struct pt_cache){ 0 };
}

static uint64_t hash_of(const char *uri, size_t len, bool csv)
{
    return XXH3_64bits_withSeed(uri, len, csv);
}

static size_t cost(const struct pt_cache_entry *entry)
{
    const struct pt_body *body = entry->body;
    return sizeof *entry + strlen(entry->uri) + sizeof *body + body->len +
           (body->gz != NULL ? body->gz_len : 0);
}

static void unlink_entry(struct pt_cache *cache, struct pt_cache_entry *entry)
{
    *(entry->newer != NULL ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void link_newest(struct pt_cache *cache, struct pt_cache_entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(entry->older != NULL ? &entry->older->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

struct pt_cache_entry *pt_cache_find(struct pt_cache *cache, const char *uri, bool csv)
{
    if (cache->table == NULL) return NULL;
    uint64_t hash = hash_of(uri, strlen(uri), csv);
    struct pt_cache_entry *entry = cache->table[hash & (cache->slots - 1)];
    while (entry != NULL &&
           !(entry->hash == hash && entry->csv == csv && strcmp(entry->uri, uri) == 0)) {
        entry = entry->chain;
    }
    if (entry != NULL && entry != cache->newest) {
        unlink_entry(cache, entry);
        link_newest(cache, entry);
    }
    return entry;
}

void pt_cache_drop(struct pt_cache *cache, struct pt_cache_entry *entry)
{
    struct pt_cache_entry **at = &cache->table[entry->hash & (cache->slots - 1)];
    while (*at != entry) at = &(*at)->chain;
    *at = entry->chain;
    unlink_entry(cache, entry);
    cache->bytes -= entry->bytes;
    cache->n--;
    pt_body_unref(entry->body);
    free(entry);
}

/* The newest stays: it was just put, and fits by itself. */
static void shrink(struct pt_cache *cache)
{
    while (cache->bytes > cache->max_bytes && cache->oldest != cache->newest) {
        pt_cache_drop(cache, cache->oldest);
    }
}

struct pt_cache_entry *pt_cache_put(struct pt_cache *cache, const char *uri, bool csv,
                                    struct pt_body *body)
{
    if (cache->table == NULL) return NULL;
    struct pt_cache_entry *old = pt_cache_find(cache, uri, csv);
    if (old != NULL) pt_cache_drop(cache, old);
    size_t len = strlen(uri);
    /* one huge reply must not push out everything else */
    if (body->len > cache->max_bytes / 8) return NULL;
    struct pt_cache_entry *entry = calloc(1, sizeof *entry + len + 1);
    if (entry == NULL) return NULL;
    memcpy(entry->uri, uri, len + 1);
    entry->hash = hash_of(uri, len, csv);
    entry->csv = csv;
    entry->body = pt_body_ref(body);
    entry->bytes = cost(entry);
    struct pt_cache_entry **slot = &cache->table[entry->hash & (cache->slots - 1)];
    entry->chain = *slot;
    *slot = entry;
    link_newest(cache, entry);
    cache->bytes += entry->bytes;
    cache->n++;
    shrink(cache);
    return entry;
}

void pt_cache_grew(struct pt_cache *cache, struct pt_cache_entry *entry)
{
    cache->bytes -= entry->bytes;
    entry->bytes = cost(entry);
    cache->bytes += entry->bytes;
    shrink(cache);
}
