#include "base/conf_impl.h"
#include "base/timefmt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void pt_conf_value_fini(struct pt_conf_value *value)
{
    free(value->text);
    free(value->source);
    free(value->split);
    *value = (struct pt_conf_value){ 0 };
}

static bool read_int(const char *text, int64_t *number)
{
    if (*text != '-' && (*text < '0' || *text > '9')) return false; /* strtoll skips blanks */
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0') return false;
    *number = v;
    return true;
}

static bool read_bool(const char *text, int64_t *number)
{
    static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };
    for (int i = 0; i < 8; i++) {
        if (strcasecmp(text, words[i]) != 0) continue;
        *number = i & 1;
        return true;
    }
    return false;
}

static bool read_span(const char *text, bool seconds, int64_t *number)
{
    if (pt_span_parse(text, strlen(text), number) == PT_OK) return true;
    return seconds && read_int(text, number) && *number >= 0 &&
           !__builtin_mul_overflow(*number, PT_US_SEC, number);
}

static void print_size(int64_t bytes, char *out, size_t size)
{
    static const char *const units[] = { "", "KiB", "MiB", "GiB", "TiB" };
    int unit = 0;
    while (bytes != 0 && bytes % 1024 == 0 && unit < 4) {
        bytes /= 1024;
        unit++;
    }
    snprintf(out, size, "%" PRId64 "%s", bytes, units[unit]);
}

static void print_number(enum pt_conf_type type, int64_t v, char *out, size_t size)
{
    char span[PT_PERIOD_TEXT_MAX];
    if (type == PT_CONF_SIZE) {
        print_size(v, out, size);
    } else if (type == PT_CONF_SPAN) {
        pt_span_print(v, span);
        snprintf(out, size, "%s", span);
    } else {
        snprintf(out, size, "%" PRId64, v);
    }
}

static bool in_bounds(const struct pt_conf_key *key, int64_t v, char *why, size_t why_size)
{
    if (key->type == PT_CONF_BOOL || (v >= key->min && v <= key->max)) return true;
    char low[32], high[32];
    print_number(key->type, key->min, low, sizeof low);
    print_number(key->type, key->max, high, sizeof high);
    snprintf(why, why_size, "must be %s..%s", low, high);
    return false;
}

static bool read_number(const struct pt_conf_key *key, const char *text, bool seconds,
                        int64_t *number, char *why, size_t why_size)
{
    bool good = false;
    const char *wanted = "";
    switch (key->type) {
    case PT_CONF_INT:
        good = read_int(text, number);
        wanted = "is no whole number";
        break;
    case PT_CONF_BOOL:
        good = read_bool(text, number);
        wanted = "is neither yes nor no";
        break;
    case PT_CONF_SPAN:
        good = read_span(text, seconds, number);
        wanted = "is no span like 100ms, 30s, 15m or 90d";
        break;
    case PT_CONF_SIZE:
        good = pt_size_parse(text, strlen(text), number) == PT_OK;
        wanted = "is no size like 64MiB or 1GiB";
        break;
    case PT_CONF_TEXT:
    case PT_CONF_LIST: return true;
    }
    if (!good) snprintf(why, why_size, "%s", wanted);
    return good && in_bounds(key, *number, why, why_size);
}

/* The allowed word that text is, in any case: its place in words and its length; NULL when none. */
static const char *find_word(const char *words, const char *text, size_t *len)
{
    for (const char *p = words;; p++) {
        *len = strcspn(p, "|");
        if (*len == strlen(text) && strncasecmp(p, text, *len) == 0) return p;
        p += *len;
        if (*p == '\0') return NULL;
    }
}

/* "a, b" -> "a\0b\0"; words counts them. out has strlen(text) + 2 bytes. */
static size_t split(const char *text, char *out)
{
    size_t words = 0;
    while (*text != '\0') {
        size_t len = strcspn(text, ",");
        const char *start = text, *end = text + len;
        while (start < end && (*start == ' ' || *start == '\t')) start++;
        while (end > start && (end[-1] == ' ' || end[-1] == '\t')) end--;
        if (end > start) {
            memcpy(out, start, (size_t)(end - start));
            out += end - start;
            *out++ = '\0';
            words++;
        }
        text += len + (text[len] == ',');
    }
    *out = '\0';
    return words;
}

bool pt_conf_value_read(const struct pt_conf_key *key, const char *text, bool seconds,
                        struct pt_conf_value *value, bool *no_memory, char *why, size_t why_size)
{
    int64_t number = 0;
    if (!read_number(key, text, seconds, &number, why, why_size)) return false;
    size_t len = strlen(text);
    const char *kept = text;
    if (key->words != NULL) {
        kept = find_word(key->words, text, &len);
        if (kept == NULL) {
            snprintf(why, why_size, "must be one of %s", key->words);
            return false;
        }
    }
    char *copy = strndup(kept, len);
    char *words = key->type == PT_CONF_LIST ? malloc(len + 2) : NULL;
    if (copy == NULL || (key->type == PT_CONF_LIST && words == NULL)) {
        free(copy);
        free(words);
        *no_memory = true;
        return false;
    }
    pt_conf_value_fini(value);
    value->text = copy;
    value->split = words;
    value->words = words != NULL ? split(text, words) : 0;
    value->number = number;
    return true;
}
