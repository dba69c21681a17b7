#include "base/conf_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MISTAKES_MAX 440 /* leaves room in an error for "and N more" */

static const char *const kinds[] = { "feed",  "calculator", "regime", "anomaly",
                                     "alert", "mirror",     "sink",   "history" };
#define KINDS (sizeof kinds / sizeof kinds[0])

void pt_conf_change_fini(struct pt_conf_change *change)
{
    free(change->kind);
    free(change->name);
    free(change->named_key);
    pt_conf_value_fini(&change->value);
}

void pt_conf_draft_fini(struct pt_conf_draft *draft)
{
    for (size_t i = 0; i < draft->count; i++) pt_conf_change_fini(&draft->changes[i]);
    free(draft->changes);
    pt_buf_fini(&draft->mistakes);
    *draft = (struct pt_conf_draft){ 0 };
}

void pt_conf_draft_mistake(struct pt_conf_draft *draft, const char *fmt, ...)
{
    char text[MISTAKES_MAX + 1]; /* one mistake alone is cut to what an error can show */
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    draft->found++;
    struct pt_buf *all = &draft->mistakes;
    if (draft->left_out > 0 || (all->len > 0 && all->len + 2 + strlen(text) > MISTAKES_MAX)) {
        draft->left_out++;
        return;
    }
    if (all->len > 0) pt_buf_puts(all, "; ");
    pt_buf_puts(all, text);
}

/* ---- Names ---- */

unsigned pt_conf_distance(const char *a, const char *b)
{
    enum { LONGEST = 63 };
    size_t na = strnlen(a, LONGEST), nb = strnlen(b, LONGEST);
    unsigned row[LONGEST + 1];
    for (unsigned j = 0; j <= nb; j++) row[j] = j;
    for (size_t i = 1; i <= na; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            unsigned replace = diagonal + (a[i - 1] != b[j - 1]);
            unsigned other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = replace < other ? replace : other;
        }
    }
    return row[nb];
}

static bool is_kind(const char *word)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (strcmp(word, kinds[i]) == 0) return true;
    }
    return false;
}

static bool is_section(const char *word)
{
    for (const struct pt_conf_key *key = pt_conf_keys; key->section != NULL; key++) {
        if (strcmp(word, key->section) == 0) return true;
    }
    return false;
}

static const char *nearest_section(const char *word)
{
    const char *best = kinds[0];
    for (size_t i = 1; i < KINDS; i++) {
        if (pt_conf_distance(word, kinds[i]) < pt_conf_distance(word, best)) best = kinds[i];
    }
    for (const struct pt_conf_key *key = pt_conf_keys; key->section != NULL; key++) {
        if (pt_conf_distance(word, key->section) < pt_conf_distance(word, best))
            best = key->section;
    }
    return best;
}

/* The key of that very name in another section, else the most alike of this one. */
static const struct pt_conf_key *nearest_key(const char *section, const char *word)
{
    const struct pt_conf_key *best = NULL;
    for (const struct pt_conf_key *key = pt_conf_keys; key->section != NULL; key++) {
        if (strcmp(key->key, word) == 0) return key;
        if (strcmp(key->section, section) != 0) continue;
        if (best == NULL || pt_conf_distance(word, key->key) < pt_conf_distance(word, best->key))
            best = key;
    }
    return best;
}

static bool spelled(const char *word, const char *first, const char *rest)
{
    return *word != '\0' && strchr(first, *word) != NULL && word[strspn(word, rest)] == '\0';
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

bool pt_conf_draft_section(struct pt_conf_draft *draft, const char *where, const char *section,
                           const char *name)
{
    bool fixed = is_section(section), kind = is_kind(section);
    if (!fixed && !kind) {
        pt_conf_draft_mistake(draft, "%s: unknown section [%.60s], nearest is [%s]", where, section,
                              nearest_section(section));
    } else if (name == NULL && !fixed) {
        pt_conf_draft_mistake(draft, "%s: section [%s] needs a name: [%s NAME]", where, section,
                              section);
    } else if (name != NULL && !kind) {
        pt_conf_draft_mistake(draft, "%s: section [%s] takes no name", where, section);
    } else if (name != NULL && !spelled(name, LOWER UPPER DIGITS, LOWER UPPER DIGITS "_-")) {
        pt_conf_draft_mistake(draft, "%s: section name \"%.60s\": only letters, digits, _ and -",
                              where, name);
    } else {
        return true;
    }
    return false;
}

/* ---- Changes ---- */

static bool same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static char *copy(struct pt_conf_draft *draft, const char *text)
{
    char *out = strdup(text);
    if (out == NULL) draft->no_memory = true;
    return out;
}

/* Takes what `change` owns. */
static void add(struct pt_conf_draft *draft, const char *where, struct pt_conf_change *change)
{
    change->value.source = copy(draft, where);
    for (size_t i = 0; i < draft->count; i++) {
        struct pt_conf_change *old = &draft->changes[i];
        if (old->index != change->index || !same(old->kind, change->kind) ||
            !same(old->name, change->name) || !same(old->named_key, change->named_key))
            continue;
        if (draft->once && !draft->no_memory) {
            pt_conf_draft_mistake(draft, "%s: %s was set before, at %s", where,
                                  change->named_key != NULL ? change->named_key
                                                            : pt_conf_keys[change->index].key,
                                  old->value.source);
        }
        pt_conf_change_fini(old);
        *old = *change;
        return;
    }
    if (draft->count == draft->cap) {
        size_t cap = draft->cap == 0 ? 16 : 2 * draft->cap;
        struct pt_conf_change *grown = realloc(draft->changes, cap * sizeof *grown);
        if (grown == NULL) {
            draft->no_memory = true;
            pt_conf_change_fini(change);
            return;
        }
        draft->changes = grown;
        draft->cap = cap;
    }
    draft->changes[draft->count++] = *change;
}

/* A value is one line of text wherever it comes from, or it could not be written back to a file. */
static bool printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f) return false;
    }
    return true;
}

void pt_conf_draft_fixed(struct pt_conf_draft *draft, const char *where, size_t index,
                         const char *value, bool seconds)
{
    const struct pt_conf_key *key = &pt_conf_keys[index];
    struct pt_conf_change change = { .index = index };
    char why[120];
    if (!printable(value)) {
        pt_conf_draft_mistake(draft, "%s: %s.%s holds control characters", where, key->section,
                              key->key);
    } else if (pt_conf_value_read(key, value, seconds, &change.value, &draft->no_memory, why,
                                  sizeof why)) {
        add(draft, where, &change);
    } else if (!draft->no_memory) {
        pt_conf_draft_mistake(draft, "%s: %s.%s = \"%.60s\" %s", where, key->section, key->key,
                              value, why);
    }
}

static void set_named(struct pt_conf_draft *draft, const char *where, const char *kind,
                      const char *name, const char *key, const char *value)
{
    if (!spelled(key, LOWER UPPER "_", LOWER UPPER DIGITS "_.-")) {
        pt_conf_draft_mistake(draft, "%s: key \"%.60s\" of [%s %s]: only letters, digits, _ . -",
                              where, key, kind, name);
        return;
    }
    if (!printable(value)) {
        pt_conf_draft_mistake(draft, "%s: %s of [%s %s] holds control characters", where, key, kind,
                              name);
        return;
    }
    struct pt_conf_change change = { .index = PT_CONF_NOT_FIXED };
    change.kind = copy(draft, kind);
    change.name = copy(draft, name);
    change.named_key = copy(draft, key);
    change.value.text = copy(draft, value);
    add(draft, where, &change);
}

void pt_conf_draft_set(struct pt_conf_draft *draft, const char *where, const char *section,
                       const char *name, const char *key, const char *value)
{
    if (name != NULL) {
        set_named(draft, where, section, name, key, value);
        return;
    }
    for (size_t i = 0; pt_conf_keys[i].section != NULL; i++) {
        if (strcmp(pt_conf_keys[i].section, section) == 0 &&
            strcmp(pt_conf_keys[i].key, key) == 0) {
            pt_conf_draft_fixed(draft, where, i, value, false);
            return;
        }
    }
    const struct pt_conf_key *near = nearest_key(section, key);
    pt_conf_draft_mistake(draft, "%s: unknown key %s.%.60s, nearest is %s.%s", where, section, key,
                          near->section, near->key);
}
