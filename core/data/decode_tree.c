/* decode_tree.c - a message of any shape, through cJSON.                        [layer: data]
 *
 * cJSON keeps numbers as doubles, cuts texts at a NUL and takes much that is no JSON. So the text
 * is copied first: each number becomes a text of its own digits, and each text begins with a letter
 * that says what it was.
 *
 *     {"t":9007199254740993}   ->   {"st":"n9007199254740993"}
 *
 * What cJSON would let pass (control characters, odd numbers, a NUL) is refused on the way. */
#include "data/decode_internal.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

struct pt_tree {
    char *text;
    cJSON *root;
};

static bool in_number(char c)
{
    return (c >= '0' && c <= '9') || (c != '\0' && strchr("+-.eE", c));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Copies a text with its quotes; *at stands on the first one. */
static bool copy_string(const char *json, size_t len, size_t *at, char *out, size_t *n)
{
    size_t i = *at;
    out[(*n)++] = json[i++];
    out[(*n)++] = 's';
    for (; i < len; i++) {
        unsigned char c = (unsigned char)json[i];
        if (c < 0x20) return false;
        out[(*n)++] = json[i];
        if (c == '"') {
            *at = i + 1;
            return true;
        }
        if (c != '\\') continue;
        if (++i == len) return false;
        if (json[i] == 'u' && len - i > 4 && memcmp(json + i + 1, "0000", 4) == 0) return false;
        if ((unsigned char)json[i] < 0x20) return false;
        out[(*n)++] = json[i];
    }
    return false;
}

static bool copy_number(const char *json, size_t len, size_t *at, char *out, size_t *n)
{
    size_t i = *at, behind;
    while (i < len && in_number(json[i])) i++;
    if (!pt_json_number_good(json + *at, i - *at)) return false;
    for (behind = i; behind < len && is_blank(json[behind]);) behind++;
    if (behind < len && json[behind] == ':') return false; /* a key must be a text */
    out[(*n)++] = '"';
    out[(*n)++] = 'n';
    memcpy(out + *n, json + *at, i - *at);
    *n += i - *at;
    out[(*n)++] = '"';
    *at = i;
    return true;
}

/* out has room for 4 * len + 1. */
static bool copy_text(const char *json, size_t len, char *out, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < len;) {
        unsigned char c = (unsigned char)json[i];
        if (c == '"') {
            if (!copy_string(json, len, &i, out, n)) return false;
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            if (!copy_number(json, len, &i, out, n)) return false;
        } else if (is_blank(json[i]) || (c > 0x20 && c < 0x7f)) {
            out[(*n)++] = json[i++];
        } else {
            return false;
        }
    }
    out[*n] = '\0';
    return true;
}

static struct pt_json_value value_of(const cJSON *item)
{
    struct pt_json_value value = { PT_JSON_NESTED, 0, "" };
    if (cJSON_IsString(item)) {
        value.kind = item->valuestring[0] == 'n' ? PT_JSON_NUMBER : PT_JSON_STRING;
        value.text = item->valuestring + 1;
        value.len = (uint32_t)strlen(value.text);
    } else if (cJSON_IsTrue(item)) {
        value.kind = PT_JSON_TRUE;
    } else if (cJSON_IsFalse(item)) {
        value.kind = PT_JSON_FALSE;
    } else if (cJSON_IsNull(item)) {
        value.kind = PT_JSON_NULL;
    }
    return value;
}

/* Sets what is not set: of a key that is there twice the first one counts. */
static void set_letter(struct pt_letters *letters, int letter, const cJSON *item)
{
    if (letters->seen >> letter & 1) return;
    letters->seen |= UINT64_C(1) << letter;
    letters->value[letter] = value_of(item);
}

static void set_levels(struct pt_levels *levels, const cJSON *array)
{
    if (levels->present) return;
    levels->present = true;
    levels->n = 0;
    for (const cJSON *level = array->child; level; level = level->next) {
        const cJSON *price = cJSON_IsArray(level) ? level->child : NULL;
        if (!price || !price->next || !cJSON_IsString(price) || !cJSON_IsString(price->next)) {
            levels->bad = true;
            return;
        }
        pt_levels_add(levels, value_of(price), value_of(price->next));
    }
}

static void set_bar(struct pt_object *body, const cJSON *bar)
{
    if (body->has_bar) return;
    body->has_bar = true;
    body->bar.seen = 0;
    for (const cJSON *item = bar->child; item; item = item->next) {
        int letter = strlen(item->string) == 2 ? pt_letter(item->string[1]) : -1;
        if (letter >= 0) set_letter(&body->bar, letter, item);
    }
}

static void set_member(struct pt_object *body, const cJSON *item)
{
    const char *key = item->string + 1; /* behind its 's' */
    int letter = strlen(key) == 1 ? pt_letter(key[0]) : -1;
    enum pt_long_key word = letter < 0 ? pt_long_key(key, strlen(key)) : PT_KEYS;
    bool array = cJSON_IsArray(item);
    if (array && (word == PT_KEY_BIDS || letter == pt_letter('b')))
        set_levels(&body->side[0], item);
    else if (array && (word == PT_KEY_ASKS || letter == pt_letter('a')))
        set_levels(&body->side[1], item);
    else if (cJSON_IsObject(item) && letter == pt_letter('k'))
        set_bar(body, item);
    else if (letter >= 0)
        set_letter(&body->letters, letter, item);
    else if (word != PT_KEYS && body->keys[word].kind == PT_JSON_NONE)
        body->keys[word] = value_of(item);
}

static const cJSON *member(const cJSON *root, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(root, key);
}

static void fill_message(const cJSON *root, struct pt_message *message)
{
    const struct pt_json_value none = { PT_JSON_NONE, 0, NULL };
    const cJSON *stream = member(root, "sstream"), *data = member(root, "sdata");
    const cJSON *timestamp = member(root, "stimestamp"), *id = member(root, "smessage_id");
    message->wrapped = cJSON_IsObject(data);
    message->stream = message->wrapped && stream ? value_of(stream) : none;
    message->timestamp = message->wrapped && timestamp ? value_of(timestamp) : none;
    message->message_id = message->wrapped && id ? value_of(id) : none;
    pt_object_clear(&message->body);
    for (const cJSON *item = (message->wrapped ? data : root)->child; item; item = item->next)
        set_member(&message->body, item);
}

struct pt_tree *pt_message_tree(const char *json, size_t len, struct pt_message *message,
                                bool *nomem)
{
    size_t n;
    const char *end = NULL;
    *nomem = false;
    if (len > PT_MESSAGE_MAX) return NULL;
    struct pt_tree *tree = calloc(1, sizeof *tree);
    if (tree) tree->text = malloc(4 * len + 1);
    if (!tree || !tree->text) {
        *nomem = true;
        goto out;
    }
    if (!copy_text(json, len, tree->text, &n)) goto out;
    tree->root = cJSON_ParseWithLengthOpts(tree->text, n + 1, &end, false);
    if (!tree->root || !cJSON_IsObject(tree->root)) goto out;
    while (is_blank(*end)) end++;
    if (end != tree->text + n) goto out;
    fill_message(tree->root, message);
    return tree;
out:
    pt_tree_free(tree);
    return NULL;
}

void pt_tree_free(struct pt_tree *tree)
{
    if (!tree) return;
    cJSON_Delete(tree->root);
    free(tree->text);
    free(tree);
}
