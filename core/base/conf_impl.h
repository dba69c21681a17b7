/* conf_impl.h - the inside of conf: its values, and what one source wants to change.   [layer: base]
 * Private to conf*.c. A source is read into a draft; only a draft without mistakes is applied. */
#ifndef PT_CONF_IMPL_H
#define PT_CONF_IMPL_H

#include "base/conf.h"

#include <stdatomic.h>

#define PT_CONF_NOT_FIXED SIZE_MAX

struct pt_conf_value {
    char *text, *source; /* owned */
    char *split;         /* LIST: its words one after the other, each with its NUL; owned */
    size_t words;
    int64_t number; /* INT, BOOL, SPAN, SIZE */
};

struct pt_conf_change {
    size_t index;                  /* in pt_conf_keys, or PT_CONF_NOT_FIXED: then a named section's */
    char *kind, *name, *named_key; /* owned; NULL for a fixed key */
    struct pt_conf_value value;
};

struct pt_conf {
    atomic_uint refs;
    struct pt_conf_value *values; /* one for each of pt_conf_keys; owned */
    struct pt_conf_change *named; /* in the order in which they were first set; owned */
    size_t named_count, named_cap;
};

struct pt_conf_draft {
    struct pt_conf_change *changes;
    size_t count, cap;
    bool once; /* a key that is set a second time is a mistake; else the later one counts */
    bool no_memory;
    struct pt_buf mistakes; /* joined by "; " as far as an error has room */
    unsigned found, left_out;
};

void pt_conf_value_fini(struct pt_conf_value *value);
void pt_conf_change_fini(struct pt_conf_change *change);

/* Reads text as the key's type. why: [why_size], what is wrong with it. False: value is unchanged.
 * seconds: a SPAN may be a bare number. Sets everything but `source`. no_memory is set, never cleared. */
bool pt_conf_value_read(const struct pt_conf_key *key, const char *text, bool seconds,
                        struct pt_conf_value *value, bool *no_memory, char *why, size_t why_size);

void pt_conf_draft_fini(struct pt_conf_draft *draft);
void pt_conf_draft_mistake(struct pt_conf_draft *draft, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* True when [section] (name NULL) or [section name] may exist; else notes the mistake. where: "file:line",
 * "env NAME" or "--set". */
bool pt_conf_draft_section(struct pt_conf_draft *draft, const char *where, const char *section,
                           const char *name);
/* Notes one setting of a section that may exist, or the mistake in it. */
void pt_conf_draft_set(struct pt_conf_draft *draft, const char *where, const char *section,
                       const char *name, const char *key, const char *value);
/* The same for a key whose place in the table is known. */
void pt_conf_draft_fixed(struct pt_conf_draft *draft, const char *where, size_t index,
                         const char *value, bool seconds);
/* Applies all or, when there was any mistake, nothing. The draft is spent. */
enum pt_code pt_conf_draft_apply(struct pt_conf_draft *draft, struct pt_conf *conf,
                                 struct pt_err *err);

/* Edit distance (insert, delete, replace); of longer texts the first 63 bytes count. */
unsigned pt_conf_distance(const char *a, const char *b);

#endif
