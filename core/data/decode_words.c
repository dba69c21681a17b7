/* decode_words.c - keys, numbers and levels, as both ways of reading know them. [layer: data] */
#include "data/decode_internal.h"

#include <stdlib.h>
#include <string.h>

enum pt_long_key pt_long_key(const char *text, size_t len)
{
    static const struct {
        const char *text;
        size_t len;
    } words[PT_KEYS] = {
#define WORD(key, text) [key] = { text, sizeof text - 1 }
        WORD(PT_KEY_STREAM, "stream"),       WORD(PT_KEY_DATA, "data"),
        WORD(PT_KEY_TIMESTAMP, "timestamp"), WORD(PT_KEY_MESSAGE_ID, "message_id"),
        WORD(PT_KEY_SYMBOL, "symbol"),       WORD(PT_KEY_LAST_UPDATE_ID, "lastUpdateId"),
        WORD(PT_KEY_BIDS, "bids"),           WORD(PT_KEY_ASKS, "asks"),
        WORD(PT_KEY_RESULT, "result"),       WORD(PT_KEY_ID, "id"),
        WORD(PT_KEY_SERVICE, "service"),     WORD(PT_KEY_ERROR, "error"),
        WORD(PT_KEY_CODE, "code"),           WORD(PT_KEY_PREVIOUS_ID, "pu"),
#undef WORD
    };
    for (int i = 0; i < PT_KEYS; i++) {
        if (words[i].len == len && memcmp(words[i].text, text, len) == 0)
            return (enum pt_long_key)i;
    }
    return PT_KEYS;
}

static size_t digits(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && text[n] >= '0' && text[n] <= '9') n++;
    return n;
}

bool pt_json_number_good(const char *text, size_t len)
{
    const char *end = text + len;
    size_t n;
    if (text < end && *text == '-') text++;
    n = digits(text, (size_t)(end - text));
    if (n == 0 || (n > 1 && *text == '0')) return false;
    text += n;
    if (text < end && *text == '.') {
        text++;
        n = digits(text, (size_t)(end - text));
        if (n == 0) return false;
        text += n;
    }
    if (text < end && (*text == 'e' || *text == 'E')) {
        text++;
        if (text < end && (*text == '-' || *text == '+')) text++;
        n = digits(text, (size_t)(end - text));
        if (n == 0) return false;
        text += n;
    }
    return text == end;
}

void pt_levels_add(struct pt_levels *levels, struct pt_json_value price,
                   struct pt_json_value quantity)
{
    if (levels->many || levels->nomem) return;
    if (levels->n == PT_MESSAGE_LEVELS_MAX) {
        levels->many = true;
        return;
    }
    if (levels->n == levels->cap) {
        size_t cap = levels->cap ? 2 * levels->cap : 64;
        struct pt_level_text *grown = realloc(levels->v, cap * sizeof *grown);
        if (!grown) {
            levels->nomem = true;
            return;
        }
        levels->v = grown;
        levels->cap = cap;
    }
    levels->v[levels->n++] = (struct pt_level_text){ price, quantity };
}
