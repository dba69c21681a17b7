/* check_place.c - a script's text searched line by line.                       [layer: bindings] */
#include "bindings/check_place.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

/* A line without its end and its comment. */
struct line {
    const char *at;
    size_t len;
    int number;
};

static bool next_line(const char *text, size_t len, size_t *pos, struct line *line)
{
    if (*pos >= len) return false;
    const char *start = text + *pos, *end = memchr(start, '\n', len - *pos);
    size_t n = end ? (size_t)(end - start) : len - *pos;
    *pos += n + 1;
    line->at = start;
    line->number++;
    line->len = n;
    for (size_t i = 0; i + 1 < n; i++) {
        if (start[i] != '-' || start[i + 1] != '-') continue;
        line->len = i;
        break;
    }
    return true;
}

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* The word as a whole at or behind `from`; its end, or 0. */
static size_t find_word(const struct line *line, size_t from, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = from; i + len <= line->len; i++) {
        if (memcmp(line->at + i, word, len) != 0) continue;
        if ((i > 0 && is_name(line->at[i - 1])) ||
            (i + len < line->len && is_name(line->at[i + len])))
            continue;
        return i + len;
    }
    return 0;
}

/* Behind what leads into a value: `.last`, `["last"]`, `[i + 1]`. */
static size_t skip_members(const struct line *line, size_t i)
{
    while (i < line->len && (line->at[i] == '.' || line->at[i] == '[')) {
        bool bracket = line->at[i++] == '[';
        while (i < line->len && (bracket ? line->at[i] != ']' : is_name(line->at[i]))) i++;
        i += bracket && i < line->len;
    }
    return i;
}

/* `word =`, `word.last =`, `["word"] =`, but not `word ==`. */
static bool gives(const struct line *line, const char *word)
{
    for (size_t end = 0; (end = find_word(line, end, word)) > 0;) {
        size_t i = end;
        if (i + 1 < line->len && (line->at[i] == '"' || line->at[i] == '\'') &&
            line->at[i + 1] == ']')
            i += 2;
        i = skip_members(line, i);
        while (i < line->len && (line->at[i] == ' ' || line->at[i] == '\t')) i++;
        if (i < line->len && line->at[i] == '=' && (i + 1 == line->len || line->at[i + 1] != '='))
            return true;
    }
    return false;
}

int pt_place_given(const char *text, size_t len, int first, int last, const char *word)
{
    struct line line = { 0 };
    size_t pos = 0;
    int found = 0;
    while (next_line(text, len, &pos, &line))
        if (line.number >= first && line.number <= last && gives(&line, word)) found = line.number;
    return found;
}

int pt_place_read(const char *text, size_t len, const char *word)
{
    struct line line = { 0 };
    size_t pos = 0, n = strlen(word);
    while (next_line(text, len, &pos, &line))
        for (size_t end = 0; (end = find_word(&line, end, word)) > 0;)
            if (end > n && strchr(".:\"'", line.at[end - n - 1])) return line.number;
    return 0;
}

int pt_place_declared(const char *text, size_t len, const char *output)
{
    struct line line = { 0 };
    size_t pos = 0;
    int from = 0;
    while (next_line(text, len, &pos, &line)) {
        if (from == 0 && gives(&line, "outputs")) from = line.number;
        if (from > 0 && find_word(&line, 0, output) > 0) return line.number;
    }
    return 1;
}
