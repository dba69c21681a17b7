/* check_symbols.c - several symbols shown as a market.                         [layer: bindings] */
#include "bindings/check_symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pt_check_symbols_fini(struct pt_check_symbols *symbols)
{
    for (size_t i = 0; i < symbols->n; i++) pt_memory_columns_fini(&symbols->v[i]);
    symbols->n = 0;
}

/* ---- names
 * -----------------------------------------------------------------------------------------------
 */

static const char *const names[][2] = { { "ADAUSDT", "CWXV9" },
                                        { "BTCUSDT", "GHJKLQ8" },
                                        { "ETHUSDT", "JQ7WVXY" },
                                        { "SOLUSDT", "VXGHK6P" } };
#define NAMES (sizeof names / sizeof *names)

/* Behind those come TAAUSDT, TABUSDT .. and WGG9X, WGH9X ..: six letters at each of two places. */
#define MADE_LETTERS 6

void pt_check_symbol(size_t k, bool other, char symbol[PT_SYMBOL_MAX])
{
    static const char letters[][MADE_LETTERS + 1] = { "ABDEFI", "GHJKLQ" };
    if (k < NAMES) {
        snprintf(symbol, PT_SYMBOL_MAX, "%s", names[k][other]);
        return;
    }
    size_t made = k - NAMES;
    snprintf(symbol, PT_SYMBOL_MAX, "%c%c%c%s", other ? 'W' : 'T',
             letters[other][made / MADE_LETTERS], letters[other][made % MADE_LETTERS],
             other ? "9X" : "USDT");
}

/* Which of ours goes by this name; PT_CHECK_SYMBOLS_MAX: none. */
static size_t find_name(const char *text, size_t len, bool other)
{
    char name[PT_SYMBOL_MAX];
    size_t k = 0;
    for (; k < PT_CHECK_SYMBOLS_MAX; k++) {
        /* most texts are no names at all */
        if (k == NAMES && (len == 0 || text[0] != (other ? 'W' : 'T'))) return PT_CHECK_SYMBOLS_MAX;
        pt_check_symbol(k, other, name);
        if (strlen(name) == len && memcmp(name, text, len) == 0) break;
    }
    return k;
}

void pt_check_rename(char symbol[PT_SYMBOL_MAX])
{
    size_t k = find_name(symbol, strlen(symbol), false);
    if (k < PT_CHECK_SYMBOLS_MAX) {
        pt_check_symbol(k, true, symbol);
        return;
    }
    for (char *c = symbol; *c; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)('A' + (*c - 'A' + 13) % 26);
}

/* A text, or a path such as "per_symbol.JQ7WVXY.beta", with the names of before. */
static void unname(const char *text, char *out, size_t room)
{
    size_t used = 0;
    out[0] = '\0';
    while (*text && used + 1 < room) {
        size_t len = strcspn(text, ".");
        char name[PT_SYMBOL_MAX];
        size_t k = find_name(text, len, true);
        bool ours = k < PT_CHECK_SYMBOLS_MAX;
        if (ours) pt_check_symbol(k, false, name);
        int n = snprintf(out + used, room - used, "%.*s%s", ours ? PT_SYMBOL_MAX : (int)len,
                         ours ? name : text, text[len] ? "." : "");
        used += n > 0 ? (size_t)n : 0;
        text += len + (text[len] == '.');
    }
}

static bool append_unnamed(const bson_t *doc, bson_t *out)
{
    bson_iter_t iter;
    bool good = bson_iter_init(&iter, doc);
    while (good && bson_iter_next(&iter)) {
        char key[128], text[128];
        bson_t in, child;
        uint32_t len = 0;
        const uint8_t *data = NULL;
        bool array = BSON_ITER_HOLDS_ARRAY(&iter);
        unname(bson_iter_key(&iter), key, sizeof key);
        if (array || BSON_ITER_HOLDS_DOCUMENT(&iter)) {
            (array ? bson_iter_array : bson_iter_document)(&iter, &len, &data);
            good = data && bson_init_static(&in, data, len) &&
                   (array ? bson_append_array_begin : bson_append_document_begin)(out, key, -1,
                                                                                  &child) &&
                   append_unnamed(&in, &child) &&
                   (array ? bson_append_array_end : bson_append_document_end)(out, &child);
        } else if (BSON_ITER_HOLDS_UTF8(&iter) &&
                   strlen(bson_iter_utf8(&iter, NULL)) < PT_SYMBOL_MAX) {
            unname(bson_iter_utf8(&iter, NULL), text, sizeof text);
            good = bson_append_utf8(out, key, -1, text, -1);
        } else {
            good = bson_append_iter(out, key, -1, &iter);
        }
    }
    return good;
}

bson_t *pt_check_unname(const bson_t *doc)
{
    bson_t *out = bson_new();
    if (append_unnamed(doc, out)) return out;
    bson_destroy(out);
    return NULL;
}

/* ---- the market
 * ---------------------------------------------------------------------------------------------- */

/* First row of bars that may be shown, and how many; times[n] as they are shown. */
static size_t part(const struct pt_check_whole *whole, const struct pt_columns *columns, size_t *n,
                   int64_t **times, struct pt_err *err)
{
    size_t first = pt_columns_lower(columns, whole->frame.from_us);
    *n = pt_columns_lower(columns, whole->frame.as_of_us) - first;
    *times = malloc((*n ? *n : 1) * sizeof **times);
    if (!*times) pt_fail(err, PT_ENOMEM, "%zu bars to check a script", *n);
    for (size_t i = 0; *times && i < *n; i++)
        (*times)[i] = columns->time_us[first + i] + whole->frame.later_us;
    return first;
}

static void shown_name(const struct pt_check_whole *whole, const char *symbol,
                       char out[PT_SYMBOL_MAX])
{
    snprintf(out, PT_SYMBOL_MAX, "%s", symbol);
    if (whole->frame.renamed) pt_check_rename(out);
}

static enum pt_code load(struct pt_market *market, unsigned col, struct pt_err *err)
{
    struct pt_check_whole *whole = (struct pt_check_whole *)market;
    for (size_t i = 0; i < whole->symbols->n; i++) {
        const struct pt_columns *columns = &whole->symbols->v[i].columns;
        char name[PT_SYMBOL_MAX];
        size_t n;
        int64_t *times;
        shown_name(whole, columns->symbol, name);
        size_t at = pt_market_find(market, name), first = part(whole, columns, &n, &times, err);
        if (!times) return PT_ENOMEM;
        if (at != SIZE_MAX) pt_market_fill(market, col, at, n, times, columns->data[col] + first);
        free(times);
    }
    return PT_OK;
}

static const struct pt_market_source source = { load };

enum pt_code pt_check_whole_open(struct pt_check_whole *whole,
                                 const struct pt_check_symbols *symbols,
                                 const struct pt_check_frame *frame, struct pt_err *err)
{
    char benchmark[PT_SYMBOL_MAX];
    *whole = (struct pt_check_whole){ .symbols = symbols, .frame = *frame };
    int64_t period_us = symbols->v[0].columns.period_us;
    enum pt_code rc = pt_market_begin(&whole->market, &source, period_us,
                                      frame->as_of_us + frame->later_us, frame->rows, err);
    for (size_t i = 0; i < symbols->n && rc == PT_OK; i++) {
        const struct pt_columns *columns = &symbols->v[i].columns;
        char name[PT_SYMBOL_MAX];
        size_t n;
        int64_t *times;
        size_t first = part(whole, columns, &n, &times, err);
        if (!times) {
            rc = PT_ENOMEM;
            break;
        }
        shown_name(whole, columns->symbol, name);
        rc = pt_market_add(&whole->market, name, n, times, columns->data[PT_C_CLOSE] + first, err);
        free(times);
    }
    shown_name(whole, "BTCUSDT", benchmark);
    if (rc == PT_OK) pt_market_end(&whole->market, benchmark, NULL);
    if (rc != PT_OK) pt_check_whole_fini(whole);
    return rc;
}

void pt_check_whole_fini(struct pt_check_whole *whole)
{
    pt_market_fini(&whole->market);
    *whole = (struct pt_check_whole){ 0 };
}
