#include "base/conf_impl.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1024 * 1024)

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Cuts blanks off both ends, in place. */
static char *trim(char *text)
{
    while (blank(*text)) text++;
    size_t len = strlen(text);
    while (len > 0 && blank(text[len - 1])) len--;
    text[len] = '\0';
    return text;
}

/* ---- The file ---- */

/* State between lines: the section that settings belong to. */
struct section {
    char *word, *name; /* into the text; name NULL: [word] */
    bool open;         /* false before the first section and behind a mistaken one */
    bool seen;
};

static bool comment_start(const char *p)
{
    return *p == '#' || *p == ';';
}

/* "[word]" or "[kind name]" and a comment. */
static void read_section(struct pt_conf_draft *draft, const char *where, char *line,
                         struct section *section)
{
    section->seen = true;
    section->open = false;
    char *end = strchr(line, ']');
    if (end == NULL) {
        pt_conf_draft_mistake(draft, "%s: section without ]", where);
        return;
    }
    *end = '\0';
    char *rest = trim(end + 1);
    if (*rest != '\0' && !comment_start(rest)) {
        pt_conf_draft_mistake(draft, "%s: \"%.40s\" behind a section", where, rest);
        return;
    }
    section->word = trim(line + 1);
    section->name = section->word + strcspn(section->word, " \t");
    if (*section->name != '\0') {
        *section->name = '\0';
        section->name = trim(section->name + 1);
    } else {
        section->name = NULL;
    }
    section->open = pt_conf_draft_section(draft, where, section->word, section->name);
}

/* The value of a setting, in place: unquoted, without its comment. NULL: mistake noted. */
static char *read_value(struct pt_conf_draft *draft, const char *where, char *text)
{
    text = trim(text);
    if (*text != '"') {
        for (char *p = text; *p != '\0'; p++) {
            if (comment_start(p) && (p == text || blank(p[-1]))) {
                *p = '\0';
                break;
            }
        }
        return trim(text);
    }
    char *in = text + 1, *out = text;
    for (; *in != '"'; in++) {
        if (*in == '\\' && (in[1] == '"' || in[1] == '\\')) in++;
        if (*in == '\0') {
            pt_conf_draft_mistake(draft, "%s: value without its closing quote", where);
            return NULL;
        }
        *out++ = *in;
    }
    char *rest = trim(in + 1);
    if (*rest != '\0' && !comment_start(rest)) {
        pt_conf_draft_mistake(draft, "%s: \"%.40s\" behind a quoted value", where, rest);
        return NULL;
    }
    *out = '\0';
    return text;
}

static void read_line(struct pt_conf_draft *draft, const char *where, char *line,
                      struct section *section)
{
    line = trim(line);
    if (*line == '\0' || comment_start(line)) return;
    if (*line == '[') {
        read_section(draft, where, line, section);
        return;
    }
    char *equals = strchr(line, '=');
    if (equals == NULL) {
        pt_conf_draft_mistake(draft, "%s: \"%.40s\" is neither [section] nor key = value", where,
                              line);
        return;
    }
    *equals = '\0';
    char *key = trim(line);
    char *value = read_value(draft, where, equals + 1);
    if (!section->seen) {
        pt_conf_draft_mistake(draft, "%s: %.60s stands before the first section", where, key);
    } else if (section->open && value != NULL) {
        pt_conf_draft_set(draft, where, section->word, section->name, key, value);
    }
}

enum pt_code pt_conf_load_text(struct pt_conf *conf, const char *name, const char *text, size_t len,
                               struct pt_err *err)
{
    if (len > FILE_MAX) return pt_fail(err, PT_ERANGE, "%s: over 1 MiB", name);
    struct pt_conf_draft draft = { .once = true };
    struct section section = { .open = false };
    char *copy = malloc(len + 1);
    char *where = malloc(strlen(name) + 16);
    if (copy == NULL || where == NULL) {
        free(copy);
        free(where);
        return pt_fail(err, PT_ENOMEM, "%s: no memory", name);
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    char *line = copy, *end = copy + len;
    if (len >= 3 && memcmp(copy, "\xef\xbb\xbf", 3) == 0) line += 3; /* byte order mark */
    for (unsigned number = 1; line < end; number++) {
        char *stop = memchr(line, '\n', (size_t)(end - line));
        if (stop == NULL) stop = end;
        *stop = '\0';
        sprintf(where, "%s:%u", name, number);
        if (memchr(line, '\0', (size_t)(stop - line)) != NULL) {
            pt_conf_draft_mistake(&draft, "%s: holds a zero byte", where);
        } else {
            if (stop > line && stop[-1] == '\r') stop[-1] = '\0';
            read_line(&draft, where, line, &section);
        }
        line = stop + 1;
    }
    enum pt_code rc = pt_conf_draft_apply(&draft, conf, err);
    free(copy);
    free(where);
    return rc;
}

enum pt_code pt_conf_load_file(struct pt_conf *conf, const char *path, struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    size_t len = 0;
    char *text = NULL;
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return pt_fail(err, errno == ENOENT ? PT_ENOENT : PT_EIO, "%s: %s", path, strerror(errno));
    text = malloc(FILE_MAX + 1);
    if (text == NULL) {
        rc = pt_fail(err, PT_ENOMEM, "%s: no memory", path);
        goto out;
    }
    len = fread(text, 1, FILE_MAX + 1, file);
    if (ferror(file)) {
        rc = pt_fail(err, PT_EIO, "%s: %s", path, strerror(errno));
        goto out;
    }
    rc = pt_conf_load_text(conf, path, text, len, err);
out:
    free(text);
    fclose(file);
    return rc;
}

/* ---- The environment ---- */

#define ENV_PREFIX "PETROSA_"

/* PETROSA_SECTION_KEY of a key; out has 128 bytes, the table's names are short. */
static void env_name(const struct pt_conf_key *key, char out[128])
{
    snprintf(out, 128, ENV_PREFIX "%s_%s", key->section, key->key);
    for (char *p = out; *p != '\0'; p++) *p = (char)toupper((unsigned char)*p);
}

/* Read elsewhere: where the config and the test data are, and what the test programs are told. */
static bool reserved(const char *name)
{
    static const char *const names[] = { "PETROSA_CONFIG", "PETROSA_DATA", "PETROSA_SOURCE",
                                         "PETROSA_BUILD", "PETROSA_DATA_DIR" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) return true;
    }
    return false;
}

static void original_name(struct pt_conf_draft *draft, const char *where, const char *name,
                          const char *value)
{
    for (size_t i = 0; pt_conf_keys[i].section != NULL; i++) {
        const char *env = pt_conf_keys[i].env;
        if (env != NULL && strcmp(env, name) == 0 && *value != '\0')
            pt_conf_draft_fixed(draft, where, i, value, true);
    }
}

static void own_name(struct pt_conf_draft *draft, const char *where, const char *name,
                     const char *value)
{
    if (strncmp(name, ENV_PREFIX, sizeof ENV_PREFIX - 1) != 0 || reserved(name)) return;
    char known[128], best[128] = "";
    for (size_t i = 0; pt_conf_keys[i].section != NULL; i++) {
        env_name(&pt_conf_keys[i], known);
        if (strcmp(known, name) == 0) {
            pt_conf_draft_fixed(draft, where, i, value, false);
            return;
        }
        if (best[0] == '\0' || pt_conf_distance(name, known) < pt_conf_distance(name, best))
            memcpy(best, known, sizeof best);
    }
    pt_conf_draft_mistake(draft, "%.90s: unknown variable, nearest is %s", where, best);
}

enum pt_code pt_conf_load_env(struct pt_conf *conf, char *const *environ_vars, struct pt_err *err)
{
    struct pt_conf_draft draft = { .once = false };
    struct pt_buf where = { 0 };
    /* twice over, so that our own names win wherever they stand */
    for (int own = 0; own < 2; own++) {
        for (char *const *var = environ_vars; *var != NULL; var++) {
            const char *equals = strchr(*var, '=');
            if (equals == NULL) continue;
            pt_buf_clear(&where);
            pt_buf_puts(&where, "env ");
            pt_buf_add(&where, *var, (size_t)(equals - *var));
            if (where.failed) {
                draft.no_memory = true;
                break;
            }
            if (own == 0) {
                original_name(&draft, where.data, where.data + 4, equals + 1);
            } else {
                own_name(&draft, where.data, where.data + 4, equals + 1);
            }
        }
    }
    pt_buf_fini(&where);
    return pt_conf_draft_apply(&draft, conf, err);
}

/* ---- --set ---- */

enum pt_code pt_conf_set(struct pt_conf *conf, const char *assignment, struct pt_err *err)
{
    struct pt_conf_draft draft = { .once = false };
    char *copy = strdup(assignment);
    if (copy == NULL) return pt_fail(err, PT_ENOMEM, "--set: no memory");
    char *equals = strchr(copy, '='), *dot = strchr(copy, '.');
    if (equals == NULL || dot == NULL || dot > equals) {
        pt_conf_draft_mistake(&draft, "--set \"%.80s\": is not section.key=value", assignment);
    } else {
        *equals = *dot = '\0';
        char *section = trim(copy), *key = trim(dot + 1), *value = trim(equals + 1);
        char *name = section + strcspn(section, " \t");
        if (*name != '\0') {
            *name = '\0';
            name = trim(name + 1);
        } else {
            name = NULL;
        }
        if (pt_conf_draft_section(&draft, "--set", section, name))
            pt_conf_draft_set(&draft, "--set", section, name, key, value);
    }
    free(copy);
    return pt_conf_draft_apply(&draft, conf, err);
}
