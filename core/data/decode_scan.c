/* decode_scan.c - the flat scanner: a message in one pass, without memory.      [layer: data]
 * It knows strict JSON without escapes, at most DEPTH_MAX brackets deep, no key twice. Whatever
 * else comes is "unusual" and not judged here. */
#include "data/decode_internal.h"

#include <string.h>

#define DEPTH_MAX 8

struct cursor {
    const char *p, *end;
};

static inline void blanks(struct cursor *c)
{
    while (c->p < c->end && (unsigned char)*c->p <= ' ') { /* one question where there is none */
        if (*c->p != ' ' && *c->p != '\n' && *c->p != '\t' && *c->p != '\r') return;
        c->p++;
    }
}

/* The next character that is no blank, taken if it is `wanted`. */
static inline bool eat(struct cursor *c, char wanted)
{
    blanks(c);
    if (c->p == c->end || *c->p != wanted) return false;
    c->p++;
    return true;
}

static inline char peek(struct cursor *c)
{
    blanks(c);
    return c->p < c->end ? *c->p : '\0';
}

static bool scan_string(struct cursor *c, struct pt_json_value *value)
{
    if (!eat(c, '"')) return false;
    const char *start = c->p, *p = start;
    while (p < c->end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20) p++;
    if (p == c->end || *p != '"') return false;
    c->p = p + 1;
    *value = (struct pt_json_value){ PT_JSON_STRING, (uint32_t)(p - start), start };
    return true;
}

static bool scan_literal(struct cursor *c, const char *word, enum pt_json_kind kind,
                         struct pt_json_value *value)
{
    size_t len = strlen(word);
    if ((size_t)(c->end - c->p) < len || memcmp(c->p, word, len) != 0) return false;
    *value = (struct pt_json_value){ kind, (uint32_t)len, c->p };
    c->p += len;
    return true;
}

static inline bool in_number(char c)
{
    return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E';
}

static bool scan_number(struct cursor *c, struct pt_json_value *value)
{
    const char *start = c->p;
    while (c->p < c->end && *c->p >= '0' && *c->p <= '9') c->p++;
    bool plain = c->p > start && *start != '0' && (c->p == c->end || !in_number(*c->p));
    while (c->p < c->end && in_number(*c->p)) c->p++;
    *value = (struct pt_json_value){ PT_JSON_NUMBER, (uint32_t)(c->p - start), start };
    return plain || pt_json_number_good(start, value->len);
}

static bool skip_members(struct cursor *c, bool object, unsigned depth);

static bool scan_value(struct cursor *c, unsigned depth, struct pt_json_value *value)
{
    const char *start;
    switch (peek(c)) {
    case '"': return scan_string(c, value);
    case 't': return scan_literal(c, "true", PT_JSON_TRUE, value);
    case 'f': return scan_literal(c, "false", PT_JSON_FALSE, value);
    case 'n': return scan_literal(c, "null", PT_JSON_NULL, value);
    case '{':
    case '[':
        start = c->p;
        if (depth == DEPTH_MAX || !skip_members(c, *start == '{', depth + 1)) return false;
        *value = (struct pt_json_value){ PT_JSON_NESTED, (uint32_t)(c->p - start), start };
        return true;
    default: return scan_number(c, value);
    }
}

/* An object or array that is not wanted. */
static bool skip_members(struct cursor *c, bool object, unsigned depth)
{
    struct pt_json_value value;
    char close = object ? '}' : ']';
    c->p++;
    if (eat(c, close)) return true;
    do {
        if (object && (!scan_string(c, &value) || !eat(c, ':'))) return false;
        if (!scan_value(c, depth, &value)) return false;
    } while (eat(c, ','));
    return eat(c, close);
}

/* [["price","quantity"],...] */
static bool scan_levels(struct cursor *c, struct pt_levels *levels)
{
    if (levels->present) return false;
    levels->present = true;
    levels->n = 0;
    eat(c, '[');
    if (eat(c, ']')) return true;
    do {
        struct pt_json_value price, quantity;
        if (!eat(c, '[') || !scan_value(c, 3, &price) || !eat(c, ',') ||
            !scan_value(c, 3, &quantity))
            return false;
        if (!eat(c, ']')) return false; /* old answers have a third member: not here */
        if (price.kind > PT_JSON_NUMBER || quantity.kind > PT_JSON_NUMBER) return false;
        pt_levels_add(levels, price, quantity);
    } while (eat(c, ','));
    return eat(c, ']');
}

static bool set_letter(struct pt_letters *letters, int letter, struct pt_json_value value)
{
    if (letters->seen >> letter & 1) return false;
    letters->seen |= UINT64_C(1) << letter;
    letters->value[letter] = value;
    return true;
}

/* The "k" of a kline. */
static bool scan_bar(struct cursor *c, struct pt_object *body)
{
    if (body->has_bar) return false;
    body->has_bar = true;
    body->bar.seen = 0;
    eat(c, '{');
    if (eat(c, '}')) return true;
    do {
        struct pt_json_value key, value;
        if (!scan_string(c, &key) || !eat(c, ':') || !scan_value(c, 3, &value)) return false;
        int letter = key.len == 1 ? pt_letter(key.text[0]) : -1;
        if (letter >= 0 && !set_letter(&body->bar, letter, value)) return false;
    } while (eat(c, ','));
    return eat(c, '}');
}

static bool scan_member(struct cursor *c, struct pt_json_value key, struct pt_object *body)
{
    struct pt_json_value value;
    int letter = key.len == 1 ? pt_letter(key.text[0]) : -1;
    enum pt_long_key word = letter < 0 ? pt_long_key(key.text, key.len) : PT_KEYS;
    char first = peek(c);
    if (first == '[' && (word == PT_KEY_BIDS || letter == pt_letter('b')))
        return scan_levels(c, &body->side[0]);
    if (first == '[' && (word == PT_KEY_ASKS || letter == pt_letter('a')))
        return scan_levels(c, &body->side[1]);
    if (first == '{' && letter == pt_letter('k')) return scan_bar(c, body);
    if (!scan_value(c, 2, &value)) return false;
    if (letter >= 0) return set_letter(&body->letters, letter, value);
    if (word == PT_KEYS) return true;
    if (body->keys[word].kind != PT_JSON_NONE) return false;
    body->keys[word] = value;
    return true;
}

void pt_object_clear(struct pt_object *body)
{
    body->letters.seen = 0;
    memset(body->keys, 0, sizeof body->keys);
    for (int s = 0; s < 2; s++) {
        struct pt_levels *side = &body->side[s];
        side->present = side->bad = side->many = side->nomem = false;
        side->n = 0;
    }
    body->has_bar = false;
}

static bool scan_body(struct cursor *c, struct pt_object *body)
{
    pt_object_clear(body);
    if (!eat(c, '{')) return false;
    if (eat(c, '}')) return true;
    do {
        struct pt_json_value key;
        if (!scan_string(c, &key) || !eat(c, ':') || !scan_member(c, key, body)) return false;
    } while (eat(c, ','));
    return eat(c, '}');
}

static bool scan_envelope(struct cursor *c, struct pt_message *message)
{
    if (!eat(c, '{')) return false;
    do {
        struct pt_json_value key, value, *to = NULL;
        if (!scan_string(c, &key) || !eat(c, ':')) return false;
        enum pt_long_key word = pt_long_key(key.text, key.len);
        if (word == PT_KEY_DATA) {
            if (message->wrapped || peek(c) != '{' || !scan_body(c, &message->body)) return false;
            message->wrapped = true;
            continue;
        }
        if (!scan_value(c, 1, &value)) return false;
        if (word == PT_KEY_STREAM) to = &message->stream;
        if (word == PT_KEY_TIMESTAMP) to = &message->timestamp;
        if (word == PT_KEY_MESSAGE_ID) to = &message->message_id;
        if (!to) continue;
        if (to->kind != PT_JSON_NONE) return false;
        *to = value;
    } while (eat(c, ','));
    return eat(c, '}');
}

enum pt_scan pt_message_scan(const char *json, size_t len, struct pt_message *message)
{
    struct cursor c = { json, json + len };
    struct pt_json_value key = { PT_JSON_NONE, 0, NULL };
    message->wrapped = false;
    message->stream = message->timestamp = message->message_id = key;

    /* envelopes begin with "stream"; one that does not goes the long way */
    if (len > PT_MESSAGE_MAX || !eat(&c, '{') || (peek(&c) == '"' && !scan_string(&c, &key)))
        return PT_SCAN_UNUSUAL;
    bool envelope = pt_long_key(key.text, key.len) == PT_KEY_STREAM;
    c.p = json;
    bool good =
        envelope ? scan_envelope(&c, message) && message->wrapped : scan_body(&c, &message->body);
    if (good && !envelope && message->body.keys[PT_KEY_DATA].kind != PT_JSON_NONE) good = false;
    blanks(&c);
    return good && c.p == c.end ? PT_SCAN_DONE : PT_SCAN_UNUSUAL;
}
