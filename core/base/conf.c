#include "base/conf.h"

#include "base/conf_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t key_count(void)
{
    size_t n = 0;
    while (pt_conf_keys[n].section != NULL) n++;
    return n;
}

enum pt_code pt_conf_new(struct pt_conf **conf, struct pt_err *err)
{
    *conf = NULL;
    struct pt_conf *self = calloc(1, sizeof *self);
    if (self != NULL) {
        atomic_init(&self->refs, 1);
        self->values = calloc(key_count(), sizeof *self->values);
    }
    if (self == NULL || self->values == NULL) goto no_memory;
    for (size_t i = 0; pt_conf_keys[i].section != NULL; i++) {
        const struct pt_conf_key *key = &pt_conf_keys[i];
        bool lacking = false;
        char why[120];
        if (!pt_conf_value_read(key, key->fallback, false, &self->values[i], &lacking, why,
                                sizeof why)) {
            if (lacking) goto no_memory;
            pt_conf_free(self);
            return pt_fail(err, PT_EINVAL, "default of %s.%s: %s", key->section, key->key, why);
        }
        self->values[i].source = strdup("default");
        if (self->values[i].source == NULL) goto no_memory;
    }
    *conf = self;
    return PT_OK;
no_memory:
    pt_conf_free(self);
    return pt_fail(err, PT_ENOMEM, "configuration: no memory");
}

void pt_conf_free(struct pt_conf *conf)
{
    if (conf == NULL || atomic_fetch_sub_explicit(&conf->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; conf->values != NULL && i < key_count(); i++)
        pt_conf_value_fini(&conf->values[i]);
    for (size_t i = 0; i < conf->named_count; i++) pt_conf_change_fini(&conf->named[i]);
    free(conf->values);
    free(conf->named);
    free(conf);
}

struct pt_conf *pt_conf_ref(const struct pt_conf *conf)
{
    struct pt_conf *self = (struct pt_conf *)(size_t)conf; /* the count is not what it says */
    atomic_fetch_add_explicit(&self->refs, 1, memory_order_relaxed);
    return self;
}

/* ---- Changes ---- */

static size_t find_named(const struct pt_conf *conf, const char *kind, const char *name,
                         const char *key)
{
    size_t i = 0;
    for (; i < conf->named_count; i++) {
        const struct pt_conf_change *named = &conf->named[i];
        if (strcmp(named->kind, kind) == 0 && strcmp(named->name, name) == 0 &&
            strcmp(named->named_key, key) == 0)
            break;
    }
    return i;
}

/* Room for all that a draft may add, so that applying it cannot fail half-way. */
static bool make_room(struct pt_conf *conf, size_t more)
{
    size_t need = conf->named_count + more;
    if (need <= conf->named_cap) return true;
    struct pt_conf_change *grown = realloc(conf->named, need * sizeof *grown);
    if (grown == NULL) return false;
    conf->named = grown;
    conf->named_cap = need;
    return true;
}

/* Moves what `change` owns into conf. */
static void apply(struct pt_conf *conf, struct pt_conf_change *change)
{
    if (change->index != PT_CONF_NOT_FIXED) {
        pt_conf_value_fini(&conf->values[change->index]);
        conf->values[change->index] = change->value;
    } else {
        size_t i = find_named(conf, change->kind, change->name, change->named_key);
        if (i < conf->named_count) {
            pt_conf_change_fini(&conf->named[i]);
        } else {
            conf->named_count++;
        }
        conf->named[i] = *change;
    }
    *change = (struct pt_conf_change){ 0 };
}

enum pt_code pt_conf_draft_apply(struct pt_conf_draft *draft, struct pt_conf *conf,
                                 struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    if (draft->no_memory || draft->mistakes.failed) {
        rc = pt_fail(err, PT_ENOMEM, "configuration: no memory");
    } else if (draft->left_out > 0) {
        rc = pt_fail(err, PT_EINVAL, "%s; and %u more", draft->mistakes.data, draft->left_out);
    } else if (draft->found > 0) {
        rc = pt_fail(err, PT_EINVAL, "%s", draft->mistakes.data);
    } else if (!make_room(conf, draft->count)) {
        rc = pt_fail(err, PT_ENOMEM, "configuration: no memory");
    } else {
        for (size_t i = 0; i < draft->count; i++) apply(conf, &draft->changes[i]);
    }
    pt_conf_draft_fini(draft);
    return rc;
}

/* ---- Values ---- */

static void misuse(const char *section, const char *key, const char *what)
{
    fprintf(stderr, "configuration: %s.%s %s\n", section, key, what);
    abort();
}

static size_t find(const char *section, const char *key)
{
    for (size_t i = 0; pt_conf_keys[i].section != NULL; i++) {
        if (strcmp(pt_conf_keys[i].key, key) == 0 && strcmp(pt_conf_keys[i].section, section) == 0)
            return i;
    }
    misuse(section, key, "is not in the table of keys");
    return 0;
}

const char *pt_conf_text(const struct pt_conf *conf, const char *section, const char *key)
{
    return conf->values[find(section, key)].text;
}

int64_t pt_conf_int(const struct pt_conf *conf, const char *section, const char *key)
{
    size_t i = find(section, key);
    enum pt_conf_type type = pt_conf_keys[i].type;
    if (type != PT_CONF_INT && type != PT_CONF_SPAN && type != PT_CONF_SIZE)
        misuse(section, key, "is no number");
    return conf->values[i].number;
}

bool pt_conf_bool(const struct pt_conf *conf, const char *section, const char *key)
{
    size_t i = find(section, key);
    if (pt_conf_keys[i].type != PT_CONF_BOOL) misuse(section, key, "is no yes or no");
    return conf->values[i].number != 0;
}

const char *pt_conf_item(const struct pt_conf *conf, const char *section, const char *key, size_t i)
{
    size_t at = find(section, key);
    if (pt_conf_keys[at].type != PT_CONF_LIST) misuse(section, key, "is no list");
    const struct pt_conf_value *value = &conf->values[at];
    if (i >= value->words) return NULL;
    const char *word = value->split;
    for (; i > 0; i--) word += strlen(word) + 1;
    return word;
}

void pt_conf_each_named(const struct pt_conf *conf, const char *kind, pt_conf_each_fn fn, void *arg)
{
    for (size_t i = 0; i < conf->named_count; i++) {
        const struct pt_conf_change *named = &conf->named[i];
        if (strcmp(named->kind, kind) != 0) continue;
        if (!fn(arg, named->kind, named->name, named->named_key, named->value.text,
                named->value.source))
            return;
    }
}

const char *pt_conf_named(const struct pt_conf *conf, const char *kind, const char *name,
                          const char *key)
{
    size_t i = find_named(conf, kind, name, key);
    return i < conf->named_count ? conf->named[i].value.text : NULL;
}

/* ---- Printing ---- */

static bool needs_quotes(const char *text)
{
    size_t len = strlen(text);
    if (len == 0) return false;
    if (strchr("\" \t#;", text[0]) != NULL || strchr(" \t", text[len - 1]) != NULL) return true;
    for (const char *p = text + 1; *p != '\0'; p++) {
        if ((*p == '#' || *p == ';') && (p[-1] == ' ' || p[-1] == '\t')) return true;
    }
    return false;
}

static void print_setting(const char *key, const struct pt_conf_value *value, struct pt_buf *out)
{
    pt_buf_printf(out, "%s =", key);
    if (needs_quotes(value->text)) {
        pt_buf_puts(out, " \"");
        for (const char *p = value->text; *p != '\0'; p++) {
            if (*p == '"' || *p == '\\') pt_buf_putc(out, '\\');
            pt_buf_putc(out, *p);
        }
        pt_buf_putc(out, '"');
    } else if (value->text[0] != '\0') {
        pt_buf_printf(out, " %s", value->text);
    }
    pt_buf_printf(out, "  # %s\n", value->source);
}

void pt_conf_print(const struct pt_conf *conf, struct pt_buf *out)
{
    const char *section = "";
    for (size_t i = 0; pt_conf_keys[i].section != NULL; i++) {
        if (strcmp(pt_conf_keys[i].section, section) != 0) {
            section = pt_conf_keys[i].section;
            pt_buf_printf(out, "%s[%s]\n", i > 0 ? "\n" : "", section);
        }
        print_setting(pt_conf_keys[i].key, &conf->values[i], out);
    }
    /* the keys of one section may have been set far apart: gather them where the first one stands
     */
    for (size_t i = 0; i < conf->named_count; i++) {
        const struct pt_conf_change *first = &conf->named[i];
        bool printed = false;
        for (size_t j = 0; j < i && !printed; j++) {
            printed = strcmp(conf->named[j].kind, first->kind) == 0 &&
                      strcmp(conf->named[j].name, first->name) == 0;
        }
        if (printed) continue;
        pt_buf_printf(out, "\n[%s %s]\n", first->kind, first->name);
        for (size_t j = i; j < conf->named_count; j++) {
            const struct pt_conf_change *named = &conf->named[j];
            if (strcmp(named->kind, first->kind) == 0 && strcmp(named->name, first->name) == 0)
                print_setting(named->named_key, &named->value, out);
        }
    }
}
