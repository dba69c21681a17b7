/* conf.h - what the operator set: file, then environment, then --set; later wins.   [layer: base]
 *
 * File: `[section]` or `[kind name]` lines, `key = value`, `#` or `;` comments. Every fixed key stands in
 * the table of conf_keys.c with type, default, bounds, unit and help; an unknown section or key is an error
 * that names file:line and the nearest known key. Sections with a name (`[feed sim]`, `[calculator
 * deviation]`) are open: their keys are checked by their owner (plugin options, script parameters).
 * All mistakes of one source are collected before failing, so that one run shows them all.
 *
 * Grammar, line by line (LF or CRLF, blanks around every part are ignored, at most 1 MiB):
 *     line     = [ section | setting ] [ comment ]
 *     section  = "[" word "]"  |  "[" kind blank name "]"
 *     setting  = key "=" value
 *     comment  = ("#" | ";") anything          at the start of a line or behind a blank
 *     value    = text up to the comment  |  '"' text '"'   in which \" and \\ stand for " and \
 *     word     = a-z then a-z 0-9 _            name = A-Z a-z 0-9 _ -
 *     key      = word; in a named section also upper case, "." and "-"
 * A section may come again, a key may not. There are no continued lines and no expansion.
 * Values by type: INT decimal; BOOL yes no true false on off 1 0; SPAN "100ms" "15m" "90d"; SIZE "64MiB";
 * LIST words between commas, empty ones ignored; TEXT as is, or one of the words its key allows.
 *
 * Environment: PETROSA_SECTION_KEY, and the names of the original system where the table has one (there
 * a SPAN may be a bare number of seconds, and an empty variable counts as not set). The PETROSA_ name
 * wins over the original one. Any other PETROSA_* variable is a mistake, except PETROSA_CONFIG,
 * PETROSA_DATA, PETROSA_SOURCE, PETROSA_BUILD and PETROSA_DATA_DIR. */
#ifndef PT_CONF_H
#define PT_CONF_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pt_conf_type { PT_CONF_TEXT, PT_CONF_INT, PT_CONF_BOOL, PT_CONF_SPAN, PT_CONF_SIZE, PT_CONF_LIST };

struct pt_conf_key {
    const char *section, *key;
    enum pt_conf_type type;
    const char *fallback; /* default, as text; "" = not set */
    int64_t min, max;     /* INT: as is; SPAN: us; SIZE: bytes */
    const char *unit, *help;
    const char *env;      /* the original system's variable, or NULL; PETROSA_SECTION_KEY always works */
    bool live;            /* a reload applies a change; else it needs a restart */
    const char *words;    /* TEXT: the words allowed, "meta|full", in any case; NULL = free */
};
extern const struct pt_conf_key pt_conf_keys[]; /* ended by section NULL */

struct pt_conf;

/* An empty configuration: every key at its default. */
enum pt_code pt_conf_new(struct pt_conf **conf, struct pt_err *err);
void pt_conf_free(struct pt_conf *conf); /* gives a reference back; accepts NULL */
/* One more reference. Whoever shares a configuration must not change it any more. (any thread) */
struct pt_conf *pt_conf_ref(const struct pt_conf *conf);

/* Reads a file / the process environment / one "section.key=value" ("feed sim.seed=7" reaches named
 * sections). On failure nothing of that source is applied and err names every mistake. */
enum pt_code pt_conf_load_file(struct pt_conf *conf, const char *path, struct pt_err *err);
/* The same from memory; `name` stands for the file in messages and sources. */
enum pt_code pt_conf_load_text(struct pt_conf *conf, const char *name, const char *text, size_t len,
                               struct pt_err *err);
enum pt_code pt_conf_load_env(struct pt_conf *conf, char *const *environ_vars, struct pt_err *err);
enum pt_code pt_conf_set(struct pt_conf *conf, const char *assignment, struct pt_err *err);

/* Values. Asking for a key that is not in the table is a programming error (aborts). */
const char *pt_conf_text(const struct pt_conf *conf, const char *section, const char *key);
int64_t pt_conf_int(const struct pt_conf *conf, const char *section, const char *key); /* INT SPAN SIZE */
bool pt_conf_bool(const struct pt_conf *conf, const char *section, const char *key);
/* i-th word of a LIST (comma-separated, blanks trimmed), NULL past the end. Borrowed. */
const char *pt_conf_item(const struct pt_conf *conf, const char *section, const char *key, size_t i);

/* Named sections: calls fn for each key of each `[kind name]`; fn returns false to stop. */
typedef bool (*pt_conf_each_fn)(void *arg, const char *kind, const char *name, const char *key,
                                const char *value, const char *source);
void pt_conf_each_named(const struct pt_conf *conf, const char *kind, pt_conf_each_fn fn, void *arg);
/* Value of a named section's key or NULL. */
const char *pt_conf_named(const struct pt_conf *conf, const char *kind, const char *name,
                          const char *key);

/* Calls fn for each key whose text differs, in the order of the table, then for those of named sections
 * (name not NULL). live: a reload applies it; else it needs a restart. */
typedef void (*pt_conf_differs_fn)(void *arg, const char *section, const char *name, const char *key,
                                   bool live);
void pt_conf_differences(const struct pt_conf *a, const struct pt_conf *b, pt_conf_differs_fn fn,
                         void *arg);

/* Prints all keys with value and source ("default", "file:line", "env NAME", "--set"), as a file that
 * reads back to the same values. */
void pt_conf_print(const struct pt_conf *conf, struct pt_buf *out);

#endif
