/* conf_diff.c - what differs between two configurations.                       [layer: base] */
#include "base/conf_impl.h"

#include <string.h>

static const struct pt_conf_change *find(const struct pt_conf *conf,
                                         const struct pt_conf_change *key)
{
    for (size_t i = 0; i < conf->named_count; i++) {
        const struct pt_conf_change *named = &conf->named[i];
        if (strcmp(named->kind, key->kind) == 0 && strcmp(named->name, key->name) == 0 &&
            strcmp(named->named_key, key->named_key) == 0)
            return named;
    }
    return NULL;
}

/* Kinds whose owners take a changed section at a reload. */
static bool live_kind(const char *kind)
{
    static const char *const kinds[] = { "feed", "calculator", "regime", "anomaly", "alert", NULL };
    for (const char *const *at = kinds; *at != NULL; at++)
        if (strcmp(*at, kind) == 0) return true;
    return false;
}

void pt_conf_differences(const struct pt_conf *a, const struct pt_conf *b, pt_conf_differs_fn fn,
                         void *arg)
{
    for (size_t i = 0; pt_conf_keys[i].section != NULL; i++) {
        const struct pt_conf_key *key = &pt_conf_keys[i];
        if (strcmp(a->values[i].text, b->values[i].text) != 0)
            fn(arg, key->section, NULL, key->key, key->live);
    }
    for (size_t i = 0; i < a->named_count; i++) {
        const struct pt_conf_change *mine = &a->named[i], *other = find(b, mine);
        if (other == NULL || strcmp(mine->value.text, other->value.text) != 0)
            fn(arg, mine->kind, mine->name, mine->named_key, live_kind(mine->kind));
    }
    for (size_t i = 0; i < b->named_count; i++) {
        const struct pt_conf_change *mine = &b->named[i];
        if (find(a, mine) == NULL)
            fn(arg, mine->kind, mine->name, mine->named_key, live_kind(mine->kind));
    }
}
