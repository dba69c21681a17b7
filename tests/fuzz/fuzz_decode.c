/* fuzz_decode - one message. Both ways of reading it must agree, and what they emit must be good
 * rows. */
#include "base/decimal.h"
#include "data/check.h"
#include "data/decode_internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SEEN_MAX (PT_BOOK_WAITING_MAX + 2) /* a snapshot, and all that waited for it */

struct seen {
    unsigned n;
    struct pt_record records[SEEN_MAX];
};

static bool collect(void *arg, const struct pt_record *record)
{
    struct seen *seen = arg;
    const struct pt_kind *kind = pt_kind(record->key.kind);
    bool is_break = kind->id == PT_DEPTH && pt_is_break_row(record->val);
    if (!is_break && pt_cells_check(kind, record->val, record->dig, record->key.period_us)) abort();
    char symbol[PT_SYMBOL_MAX];
    if (pt_symbol_parse(record->key.symbol, strlen(record->key.symbol), symbol) != PT_OK) abort();
    if (seen->n == SEEN_MAX) abort();
    seen->records[seen->n++] = *record;
    return true;
}

static void same(const struct seen *a, const struct seen *b)
{
    if (a->n != b->n) abort();
    for (unsigned r = 0; r < a->n; r++) {
        const struct pt_record *x = &a->records[r], *y = &b->records[r];
        const struct pt_kind *kind = pt_kind(x->key.kind);
        if (memcmp(&x->key, &y->key, sizeof x->key) != 0) abort();
        for (unsigned c = 0, cell = 0; c < kind->ncols; c++) {
            for (unsigned w = 0; w < kind->cols[c].width; w++, cell++) {
                if (x->val[cell] != y->val[cell]) abort();
                if (kind->cols[c].type == PT_TYPE_DEC && x->dig[cell] != y->dig[cell]) abort();
            }
        }
    }
}

static enum pt_verdict run(enum pt_decode_way way, const char *json, size_t len, int64_t recv_us,
                           struct seen *seen, const char **type, const char **reason)
{
    struct pt_decoder *decoder;
    struct pt_err err;
    if (pt_decoder_new(&decoder, &err) != PT_OK) abort();
    seen->n = 0;
    enum pt_verdict verdict =
        pt_decode_as(decoder, way, "", json, len, recv_us, collect, seen, type, reason);
    if ((verdict == PT_MSG_ROWS) != (seen->n > 0)) abort();
    if (verdict == PT_MSG_REJECTED && !*reason) abort();
    pt_decoder_free(decoder);
    return verdict;
}

/* The first byte says whether there is a receive time, and whether several messages follow each
 * other. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct seen scanned, parsed, fast;
    const char *type, *reason, *tree_type, *tree_reason;
    if (size < 1) return 0;
    char *json = malloc(size); /* a block of its own: its end is guarded */
    if (!json) return 0;
    memcpy(json, data + 1, size - 1);
    int64_t recv_us = data[0] & 1 ? INT64_C(1700000000000000) : 0;

    enum pt_verdict flat =
        run(PT_DECODE_SCAN_ONLY, json, size - 1, recv_us, &scanned, &type, &reason);
    if (flat != PT_MSG_REJECTED || strcmp(reason, "unusual") != 0) {
        enum pt_verdict tree =
            run(PT_DECODE_TREE_ONLY, json, size - 1, recv_us, &parsed, &tree_type, &tree_reason);
        if (tree != flat || strcmp(type, tree_type) != 0) abort();
        if (flat == PT_MSG_REJECTED && strcmp(reason, tree_reason) != 0) abort();
        same(&scanned, &parsed);
    }
    run(PT_DECODE_FAST, json, size - 1, recv_us, &fast, &type, &reason);

    /* one after the other, a line each: what is remembered must not hurt, and be the same both ways
     */
    struct pt_decoder *decoder, *other;
    struct pt_err err;
    if (pt_decoder_new(&decoder, &err) != PT_OK || pt_decoder_new(&other, &err) != PT_OK) abort();
    for (const char *at = json, *end = json + size - 1; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = newline ? (size_t)(newline - at) : (size_t)(end - at);
        fast.n = parsed.n = 0;
        enum pt_verdict one = pt_decode(decoder, at, len, recv_us, collect, &fast, &type, &reason);
        enum pt_verdict two = pt_decode_as(other, PT_DECODE_TREE_ONLY, "", at, len, recv_us,
                                           collect, &parsed, &tree_type, &tree_reason);
        if (one != two || strcmp(type, tree_type) != 0) abort();
        same(&fast, &parsed);
        at += len + 1;
    }
    pt_decoder_free(decoder);
    pt_decoder_free(other);
    free(json);
    return 0;
}
