/* decode_internal.h - a message taken apart, and the two ways to do it.         [layer: data]
 * decode_scan.c reads the usual forms in one pass without memory; decode_tree.c reads any JSON
 * through cJSON. What they find is judged by decode.c alone, so that both give the same records. */
#ifndef PT_DECODE_INTERNAL_H
#define PT_DECODE_INTERNAL_H

#include "data/book.h"
#include "data/decode.h"
#include "data/known.h"

enum pt_json_kind {
    PT_JSON_NONE, /* the key is not there */
    PT_JSON_STRING,
    PT_JSON_NUMBER,
    PT_JSON_TRUE,
    PT_JSON_FALSE,
    PT_JSON_NULL,
    PT_JSON_NESTED /* an object or array */
};

/* A value: its text without quotes, borrowed. */
struct pt_json_value {
    enum pt_json_kind kind;
    uint32_t len;
    const char *text;
};

/* The values of an object's keys of one letter. */
struct pt_letters {
    uint64_t seen; /* bit per letter: value[letter] is valid */
    struct pt_json_value value[52];
};
/* 0..51, or -1: not a letter. */
static inline int pt_letter(char c)
{
    return c >= 'a' && c <= 'z' ? c - 'a' : c >= 'A' && c <= 'Z' ? c - 'A' + 26 : -1;
}

/* Keys with more than one letter that mean something. */
enum pt_long_key {
    PT_KEY_STREAM,
    PT_KEY_DATA,
    PT_KEY_TIMESTAMP,
    PT_KEY_MESSAGE_ID,
    PT_KEY_SYMBOL,
    PT_KEY_LAST_UPDATE_ID,
    PT_KEY_BIDS,
    PT_KEY_ASKS,
    PT_KEY_RESULT,
    PT_KEY_ID,
    PT_KEY_SERVICE,
    PT_KEY_ERROR,
    PT_KEY_CODE,
    PT_KEY_PREVIOUS_ID, /* "pu" */
    PT_KEYS
};
/* PT_KEYS when it means nothing. */
enum pt_long_key pt_long_key(const char *text, size_t len);

/* Of one side; the longest snapshot of the exchange has 5000. Room for them is kept between
 * messages: 56 bytes each. */
#define PT_MESSAGE_LEVELS_MAX 131072

struct pt_level_text {
    struct pt_json_value price, quantity;
};

struct pt_levels {
    bool present; /* an array was there */
    bool bad;     /* something in it was no level */
    bool many;    /* more than PT_MESSAGE_LEVELS_MAX */
    bool nomem;   /* no room for them */
    size_t n, cap;
    struct pt_level_text *v; /* owned by the decoder, used again by the next message */
};
/* Notes what keeps it from being added. */
void pt_levels_add(struct pt_levels *levels, struct pt_json_value price,
                   struct pt_json_value quantity);

/* One object: the message itself, or what its "data" holds. */
struct pt_object {
    struct pt_letters letters;
    struct pt_json_value keys[PT_KEYS];
    struct pt_levels side[2]; /* "bids"/"b", "asks"/"a" when arrays */
    bool has_bar;             /* "k" is an object */
    struct pt_letters bar;
};

/* Nothing seen yet; the room for levels stays. */
void pt_object_clear(struct pt_object *body);

struct pt_message {
    bool wrapped; /* the body was found in "data"; the envelope's keys are here: */
    struct pt_json_value stream, timestamp, message_id;
    struct pt_object body;
};

/* -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? */
bool pt_json_number_good(const char *text, size_t len);
#define PT_MESSAGE_MAX (16u << 20)

enum pt_scan { PT_SCAN_DONE, PT_SCAN_UNUSUAL };
/* One pass. PT_SCAN_UNUSUAL: not JSON, or JSON that this way does not know. */
enum pt_scan pt_message_scan(const char *json, size_t len, struct pt_message *message);

/* Through cJSON. false: no JSON object; PT_ENOMEM is told as no object too, with *nomem set. The
 * message borrows from *tree. */
struct pt_tree;
struct pt_tree *pt_message_tree(const char *json, size_t len, struct pt_message *message,
                                bool *nomem);
void pt_tree_free(struct pt_tree *tree);

struct pt_decoder {
    struct pt_known_table known;
    struct pt_book_memory memory;
    struct pt_decoder_counts counts;
    struct pt_message message;      /* the one under way */
    struct pt_level_list levels[2]; /* of it, as numbers */
    struct pt_record refused;       /* its row, when that broke the rules: */
    bool is_refused;
};

/* One message on its way. */
struct pt_decoding {
    struct pt_decoder *decoder;
    const struct pt_message *message;
    const struct pt_object *body;
    const char *symbol; /* for a book that does not say whose it is */
    int64_t recv_us;
    pt_record_fn emit;
    void *arg;
    const char *reason; /* set when the verdict is PT_MSG_REJECTED; the first one stays */
    bool stopped;       /* the receiver wants no more */
};

static inline const struct pt_json_value *pt_letter_of(const struct pt_letters *letters, char c)
{
    int i = pt_letter(c);
    return letters->seen >> i & 1 ? &letters->value[i] : NULL;
}

static inline bool pt_json_digits(const struct pt_json_value *value)
{
    return value && (value->kind == PT_JSON_STRING || value->kind == PT_JSON_NUMBER);
}

static inline bool pt_decoding_has_symbol(const struct pt_object *body)
{
    return pt_letter_of(&body->letters, 's') || body->keys[PT_KEY_SYMBOL].kind != PT_JSON_NONE;
}

/* decode.c. Absent, null and "" are PT_MISSING; a fault is the job's reason. */
enum pt_verdict pt_decoding_reject(struct pt_decoding *job, const char *reason);
void pt_decoding_dec(struct pt_decoding *job, const struct pt_json_value *value, int64_t *mantissa,
                     uint8_t *digits);
void pt_decoding_int(struct pt_decoding *job, const struct pt_json_value *value, int64_t *out);
void pt_decoding_time(struct pt_decoding *job, const struct pt_json_value *value, int64_t *us);
/* Names the record's series. */
bool pt_decoding_begin(struct pt_decoding *job, struct pt_record *record, enum pt_kind_id kind);
/* NULL, or the rule of its kind that the record breaks: then pt_decoder_refused gives it. */
const char *pt_decoding_check(struct pt_decoding *job, const struct pt_record *record);
/* Checks and hands out one record. */
enum pt_verdict pt_decoding_finish(struct pt_decoding *job, const struct pt_record *record);

/* decode_book.c: a whole book; a depthUpdate, which is one or a difference. */
enum pt_verdict pt_decode_snapshot(struct pt_decoding *job, const struct pt_json_value *update_id);
enum pt_verdict pt_decode_depth_update(struct pt_decoding *job, const char **type);

enum pt_decode_way { PT_DECODE_FAST, PT_DECODE_SCAN_ONLY, PT_DECODE_TREE_ONLY };
/* As pt_decode. symbol: for a book that does not say whose it is ("" = reject it).
 * PT_DECODE_SCAN_ONLY rejects with reason "unusual" what would go the other way. */
enum pt_verdict pt_decode_as(struct pt_decoder *decoder, enum pt_decode_way way, const char *symbol,
                             const char *json, size_t len, int64_t recv_us, pt_record_fn emit,
                             void *arg, const char **type, const char **reason);

#endif
