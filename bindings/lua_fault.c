/* lua_fault.c - errors of scripts as words, file and line.                     [layer: bindings] */
#include "bindings/lua_fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS_MAX 64

/* Length of the UTF-8 sequence at s, 0 when it is none. */
static size_t utf8_len(const unsigned char *s, size_t left)
{
    size_t len = s[0] < 0x80                   ? 1
                 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
                 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
                 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                               : 0;
    if (len == 0 || len > left) return 0;
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0;
    }
    /* overlong forms, surrogates, beyond U+10FFFF */
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90))
        return 0;
    return len;
}

/* One line of UTF-8: control bytes and what is no UTF-8 become '?'; cut with dots when too long. */
static void copy_words(char *out, size_t room, const char *text, size_t len)
{
    size_t used = 0, i = 0;
    while (i < len) {
        size_t n = utf8_len((const unsigned char *)text + i, len - i);
        bool good = n > 0 && (unsigned char)text[i] >= 0x20 && text[i] != 0x7f;
        if (used + (good ? n : 1) + 4 > room) {
            memcpy(out + used, "...", 3);
            used += 3;
            break;
        }
        if (good) {
            memcpy(out + used, text + i, n);
            used += n;
        } else {
            out[used++] = text[i] == '\n' || text[i] == '\t' ? ' ' : '?';
        }
        i += n > 0 ? n : 1;
    }
    out[used] = '\0';
}

/* "prefix:12: words": the line and where the words begin; false when the text does not begin so. */
static bool split_place(const char *text, const char *prefix, int *line, const char **words)
{
    size_t len = strlen(prefix);
    if (strncmp(text, prefix, len) != 0 || text[len] != ':') return false;
    char *end;
    long number = strtol(text + len + 1, &end, 10);
    if (end == text + len + 1 || *end != ':' || number < 1 || number > 10000000) return false;
    *line = (int)number;
    *words = end + 1 + (end[1] == ' ');
    return true;
}

static bool is_script(const lua_Debug *ar)
{
    return ar->source[0] == '@' && ar->currentline > 0;
}

void pt_lua_fault_take(lua_State *L, const char *file, struct pt_lua_fault *fault)
{
    char said[64];
    size_t len;
    const char *text, *words;
    lua_Debug ar;
    *fault = (struct pt_lua_fault){ 0 };

    if (lua_type(L, 1) == LUA_TSTRING) {
        text = lua_tolstring(L, 1, &len);
    } else {
        /* asking the value for its own words would run the script's code in a handler */
        int type = lua_type(L, 1);
        const char *name = lua_typename(L, type);
        snprintf(said, sizeof said, "the script raised %s%s instead of a message",
                 type == LUA_TNIL ? "" : "a ", name);
        text = said;
        len = strlen(said);
    }
    words = text;

    /* Lua shortens long file names in its texts, so the place is looked for under both names. */
    bool placed = split_place(text, file, &fault->line, &words);
    if (placed) snprintf(fault->file, sizeof fault->file, "%s", file);
    for (int level = 0; level < LEVELS_MAX && lua_getstack(L, level, &ar); level++) {
        if (!lua_getinfo(L, "Sl", &ar) || !is_script(&ar)) continue;
        if (!placed && split_place(text, ar.short_src, &fault->line, &words)) {
            snprintf(fault->file, sizeof fault->file, "%s", ar.source + 1);
            placed = true;
        } else if (!placed && !*fault->file) {
            snprintf(fault->file, sizeof fault->file, "%s", ar.source + 1);
            fault->line = ar.currentline;
        }
        if (placed) break;
    }
    if (!placed && !*fault->file) {
        /* no function of the script is running: a syntax error, or one of a library's text */
        const char *colon = strchr(text, ':');
        char prefix[sizeof fault->file];
        size_t prefix_len = colon ? (size_t)(colon - text) : 0;
        if (prefix_len > 0 && prefix_len < sizeof prefix) {
            memcpy(prefix, text, prefix_len);
            prefix[prefix_len] = '\0';
            if (split_place(text, prefix, &fault->line, &words)) {
                bool ours = strncmp(prefix, "...", 3) == 0; /* the shortened name of the script */
                if (ours)
                    snprintf(fault->file, sizeof fault->file, "%s", file);
                else
                    copy_words(fault->file, sizeof fault->file, prefix, prefix_len);
            }
        }
    }
    /* a tail call leaves no trace of its line; the script is known all the same */
    if (!*fault->file) snprintf(fault->file, sizeof fault->file, "%s", file);
    copy_words(fault->message, sizeof fault->message, words, len - (size_t)(words - text));
}

void pt_lua_fault_memory(size_t limit, struct pt_lua_fault *fault)
{
    /* a place found by the handler stays: it is where the last straw was */
    snprintf(fault->message, sizeof fault->message,
             "not enough memory: a call may use %zu MiB ([scripts] memory)", limit >> 20);
}

void pt_lua_fault_set(struct pt_lua_fault *fault, const char *message)
{
    copy_words(fault->message, sizeof fault->message, message, strlen(message));
}
