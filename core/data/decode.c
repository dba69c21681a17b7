/* decode.c - what a message means: its type, its rows, and whether to believe them.   [layer: data]
 */
#include "data/decode.h"

#include "base/decimal.h"
#include "base/timefmt.h"
#include "data/check.h"
#include "data/decode_internal.h"
#include "data/known.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum pt_verdict pt_decoding_reject(struct pt_decoding *job, const char *reason)
{
    job->reason = reason;
    return PT_MSG_REJECTED;
}

/* ---- values ---- */

/* Absent, null and "" are missing. The first fault of a message stays. */
void pt_decoding_dec(struct pt_decoding *job, const struct pt_json_value *value, int64_t *mantissa,
                     uint8_t *digits)
{
    *mantissa = PT_MISSING;
    *digits = 0;
    if (!value || value->kind == PT_JSON_NULL || (value->kind == PT_JSON_STRING && value->len == 0))
        return;
    enum pt_code rc =
        pt_json_digits(value) ? pt_dec_parse(value->text, value->len, mantissa, digits) : PT_EINVAL;
    if (rc != PT_OK && !job->reason)
        job->reason = rc == PT_ERANGE ? "decimal_out_of_range" : "unreadable_number";
}

void pt_decoding_int(struct pt_decoding *job, const struct pt_json_value *value, int64_t *out)
{
    uint8_t digits;
    pt_decoding_dec(job, value, out, &digits);
    if (*out != PT_MISSING && digits != 0 && !job->reason) job->reason = "not_a_whole_number";
}

void pt_decoding_time(struct pt_decoding *job, const struct pt_json_value *value, int64_t *us)
{
    pt_decoding_int(job, value, us);
    if (*us != PT_MISSING) *us = pt_time_from_epoch(*us);
}

static void read_flag(struct pt_decoding *job, const struct pt_json_value *value, int64_t *flag)
{
    *flag = value && value->kind == PT_JSON_TRUE;
    if (!value || (value->kind != PT_JSON_TRUE && value->kind != PT_JSON_FALSE)) {
        if (!job->reason) job->reason = "bad_flag";
    }
}

static bool is_word(const struct pt_json_value *value, const char *word)
{
    return value && value->kind == PT_JSON_STRING && strlen(word) == value->len &&
           strncasecmp(word, value->text, value->len) == 0;
}

/* ---- whose it is ---- */

/* From the message, else from its stream's name, else what the caller knows. */
static bool find_symbol(struct pt_decoding *job, char out[PT_SYMBOL_MAX])
{
    const struct pt_json_value *value = pt_letter_of(&job->body->letters, 's');
    if (!value && job->body->keys[PT_KEY_SYMBOL].kind != PT_JSON_NONE)
        value = &job->body->keys[PT_KEY_SYMBOL];
    if (!value && job->body->has_bar) value = pt_letter_of(&job->body->bar, 's');
    if (value) {
        if (value->kind == PT_JSON_STRING && pt_symbol_parse(value->text, value->len, out) == PT_OK)
            return true;
        job->reason = "bad_symbol";
        return false;
    }
    const struct pt_json_value *stream = &job->message->stream;
    const char *at = stream->kind == PT_JSON_STRING ? memchr(stream->text, '@', stream->len) : NULL;
    if (at && pt_symbol_parse(stream->text, (size_t)(at - stream->text), out) == PT_OK) return true;
    if (job->symbol[0] && pt_symbol_parse(job->symbol, strlen(job->symbol), out) == PT_OK)
        return true;
    job->reason = "no_symbol";
    return false;
}

bool pt_decoding_begin(struct pt_decoding *job, struct pt_record *record, enum pt_kind_id kind)
{
    memset(&record->key, 0, sizeof record->key);
    record->key.kind = kind;
    return find_symbol(job, record->key.symbol);
}

const char *pt_decoding_check(struct pt_decoding *job, const struct pt_record *record)
{
    const char *reason =
        pt_cells_check(pt_kind(record->key.kind), record->val, record->dig, record->key.period_us);
    if (!reason) return NULL;
    job->decoder->refused = *record;
    job->decoder->is_refused = true;
    return reason;
}

/* Checks and hands out one record. */
enum pt_verdict pt_decoding_finish(struct pt_decoding *job, const struct pt_record *record)
{
    if (!job->reason) job->reason = pt_decoding_check(job, record);
    if (job->reason) return PT_MSG_REJECTED;
    job->stopped = !job->emit(job->arg, record);
    return PT_MSG_ROWS;
}

static void remember_price(struct pt_decoding *job, const struct pt_record *record, unsigned cell)
{
    struct pt_known *known = pt_known_get(&job->decoder->known, record->key.symbol);
    if (known) known->price = pt_dec_double(record->val[cell], record->dig[cell]);
}

/* ---- the types ---- */

static enum pt_verdict decode_kline(struct pt_decoding *job)
{
    static const struct {
        char key;
        uint8_t cell;
    } decimals[] = { { 'o', PT_C_OPEN },         { 'h', PT_C_HIGH },
                     { 'l', PT_C_LOW },          { 'c', PT_C_CLOSE },
                     { 'v', PT_C_VOLUME },       { 'q', PT_C_QUOTE_VOLUME },
                     { 'V', PT_C_TAKER_VOLUME }, { 'Q', PT_C_TAKER_QUOTE_VOLUME } };
    struct pt_record record;
    const struct pt_letters *bar = &job->body->bar;
    if (!job->body->has_bar) return pt_decoding_reject(job, "no_bar");
    if (!pt_decoding_begin(job, &record, PT_CANDLES)) return PT_MSG_REJECTED;
    const struct pt_json_value *period = pt_letter_of(bar, 'i');
    if (!period || period->kind != PT_JSON_STRING ||
        pt_period_parse(period->text, period->len, &record.key.period_us) != PT_OK)
        return pt_decoding_reject(job, "unknown_period");
    pt_decoding_time(job, pt_letter_of(bar, 't'), &record.val[PT_C_TIME]);
    for (size_t i = 0; i < sizeof decimals / sizeof *decimals; i++) {
        uint8_t cell = decimals[i].cell;
        pt_decoding_dec(job, pt_letter_of(bar, decimals[i].key), &record.val[cell],
                        &record.dig[cell]);
    }
    pt_decoding_int(job, pt_letter_of(bar, 'n'), &record.val[PT_C_TRADES]);
    read_flag(job, pt_letter_of(bar, 'x'), &record.val[PT_C_CLOSED]);
    return pt_decoding_finish(job, &record);
}

/* id: the letter of its number, 't' of a trade, 'a' of an aggregate trade. */
static enum pt_verdict decode_trade(struct pt_decoding *job, char id)
{
    struct pt_record record;
    const struct pt_letters *letters = &job->body->letters;
    const struct pt_json_value *execution = pt_letter_of(letters, 'X');
    if (execution && !is_word(execution, "MARKET")) return PT_MSG_IGNORED; /* insurance fund, ADL */
    if (!pt_decoding_begin(job, &record, PT_TRADES)) return PT_MSG_REJECTED;
    pt_decoding_time(job, pt_letter_of(letters, pt_letter_of(letters, 'T') ? 'T' : 'E'),
                     &record.val[PT_T_TIME]);
    pt_decoding_int(job, pt_letter_of(letters, id), &record.val[PT_T_ID]);
    pt_decoding_dec(job, pt_letter_of(letters, 'p'), &record.val[PT_T_PRICE],
                    &record.dig[PT_T_PRICE]);
    pt_decoding_dec(job, pt_letter_of(letters, 'q'), &record.val[PT_T_QUANTITY],
                    &record.dig[PT_T_QUANTITY]);
    int64_t buyer_is_maker;
    read_flag(job, pt_letter_of(letters, 'm'), &buyer_is_maker);
    record.val[PT_T_SIDE] = buyer_is_maker ? PT_SIDE_SELL : PT_SIDE_BUY;
    enum pt_verdict verdict = pt_decoding_finish(job, &record);
    if (verdict == PT_MSG_ROWS) remember_price(job, &record, PT_T_PRICE);
    return verdict;
}

/* full: with the change, which a mini ticker lacks. */
static enum pt_verdict decode_ticker(struct pt_decoding *job, bool full)
{
    static const struct {
        char key;
        uint8_t cell;
    } decimals[] = { { 'o', PT_K_OPEN },   { 'h', PT_K_HIGH },          { 'l', PT_K_LOW },
                     { 'c', PT_K_CLOSE },  { 'v', PT_K_VOLUME },        { 'q', PT_K_QUOTE_VOLUME },
                     { 'p', PT_K_CHANGE }, { 'P', PT_K_CHANGE_PERCENT } };
    struct pt_record record;
    const struct pt_letters *letters = &job->body->letters;
    if (!pt_decoding_begin(job, &record, PT_TICKERS)) return PT_MSG_REJECTED;
    pt_decoding_time(job, pt_letter_of(letters, 'E'), &record.val[PT_K_TIME]);
    for (size_t i = 0; i < sizeof decimals / sizeof *decimals; i++) {
        uint8_t cell = decimals[i].cell;
        const struct pt_json_value *value =
            cell >= PT_K_CHANGE && !full ? NULL : pt_letter_of(letters, decimals[i].key);
        pt_decoding_dec(job, value, &record.val[cell], &record.dig[cell]);
    }
    pt_decoding_int(job, full ? pt_letter_of(letters, 'n') : NULL, &record.val[PT_K_TRADES]);
    enum pt_verdict verdict = pt_decoding_finish(job, &record);
    if (verdict == PT_MSG_ROWS) remember_price(job, &record, PT_K_CLOSE);
    return verdict;
}

/* A funding payment is not sent as such: it happened when the next funding time moves on, at the
 * rate that was seen last before. */
static void funding_row(struct pt_decoding *job, const struct pt_record *marks)
{
    int64_t next_us = marks->val[PT_M_NEXT_FUNDING];
    if (next_us == PT_MISSING || next_us <= 0 || marks->val[PT_M_RATE] == PT_MISSING) return;
    struct pt_known *known = pt_known_get(&job->decoder->known, marks->key.symbol);
    if (!known || next_us < known->next_funding_us) return;
    if (known->next_funding_us > 0 && next_us > known->next_funding_us) {
        struct pt_record record;
        record.key = marks->key;
        record.key.kind = PT_FUNDING;
        record.val[PT_F_TIME] = known->next_funding_us;
        record.val[PT_F_RATE] = known->rate;
        record.dig[PT_F_RATE] = known->rate_digits;
        record.val[PT_F_MARK] = known->mark;
        record.dig[PT_F_MARK] = known->mark_digits;
        if (!job->stopped) job->emit(job->arg, &record);
    }
    known->next_funding_us = next_us;
    known->rate = marks->val[PT_M_RATE];
    known->rate_digits = marks->dig[PT_M_RATE];
    known->mark = marks->val[PT_M_MARK];
    known->mark_digits = marks->dig[PT_M_MARK];
}

static enum pt_verdict decode_mark(struct pt_decoding *job)
{
    struct pt_record record;
    const struct pt_letters *letters = &job->body->letters;
    if (!pt_decoding_begin(job, &record, PT_MARKS)) return PT_MSG_REJECTED;
    pt_decoding_time(job, pt_letter_of(letters, 'E'), &record.val[PT_M_TIME]);
    pt_decoding_dec(job, pt_letter_of(letters, 'p'), &record.val[PT_M_MARK],
                    &record.dig[PT_M_MARK]);
    pt_decoding_dec(job, pt_letter_of(letters, 'i'), &record.val[PT_M_INDEX],
                    &record.dig[PT_M_INDEX]);
    pt_decoding_dec(job, pt_letter_of(letters, 'P'), &record.val[PT_M_SETTLE],
                    &record.dig[PT_M_SETTLE]);
    pt_decoding_dec(job, pt_letter_of(letters, 'r'), &record.val[PT_M_RATE],
                    &record.dig[PT_M_RATE]);
    pt_decoding_time(job, pt_letter_of(letters, 'T'), &record.val[PT_M_NEXT_FUNDING]);
    if (record.val[PT_M_NEXT_FUNDING] == 0)
        record.val[PT_M_NEXT_FUNDING] = PT_MISSING; /* delivery futures */
    enum pt_verdict verdict = pt_decoding_finish(job, &record);
    if (verdict == PT_MSG_ROWS) funding_row(job, &record);
    return verdict;
}

/* ---- which type ---- */

static enum pt_verdict decode_untyped(struct pt_decoding *job, const char **type)
{
    const struct pt_object *body = job->body;
    const struct pt_letters *letters = &body->letters;
    if (body->keys[PT_KEY_LAST_UPDATE_ID].kind != PT_JSON_NONE) {
        *type = "depth";
        return pt_decode_snapshot(job, &body->keys[PT_KEY_LAST_UPDATE_ID]);
    }
    if (pt_letter_of(letters, 'u') && pt_letter_of(letters, 'b') && pt_letter_of(letters, 'a')) {
        *type = "bookTicker";
        return PT_MSG_IGNORED;
    }
    if (body->keys[PT_KEY_RESULT].kind != PT_JSON_NONE &&
        body->keys[PT_KEY_ID].kind != PT_JSON_NONE) {
        *type = "answer";
        return PT_MSG_IGNORED;
    }
    if (body->keys[PT_KEY_SERVICE].kind != PT_JSON_NONE) {
        *type = "heartbeat";
        return PT_MSG_IGNORED;
    }
    if (body->keys[PT_KEY_ERROR].kind != PT_JSON_NONE ||
        body->keys[PT_KEY_CODE].kind != PT_JSON_NONE) {
        *type = "error";
        return pt_decoding_reject(job, "error_answer");
    }
    return pt_decoding_reject(job, "unknown_type");
}

static enum pt_verdict decode_typed(struct pt_decoding *job, const struct pt_json_value *event,
                                    const char **type)
{
    if (is_word(event, "trade")) return *type = "trade", decode_trade(job, 't');
    if (is_word(event, "aggTrade")) return *type = "aggTrade", decode_trade(job, 'a');
    if (is_word(event, "kline")) return *type = "kline", decode_kline(job);
    if (is_word(event, "depthUpdate")) return pt_decode_depth_update(job, type);
    if (is_word(event, "bookTicker")) return *type = "bookTicker", PT_MSG_IGNORED;
    if (is_word(event, "markPriceUpdate")) return *type = "markPrice", decode_mark(job);
    if (is_word(event, "24hrTicker")) return *type = "ticker", decode_ticker(job, true);
    if (is_word(event, "24hrMiniTicker")) return *type = "miniTicker", decode_ticker(job, false);
    return pt_decoding_reject(job, "unknown_type");
}

static enum pt_verdict decode_message(struct pt_decoding *job, const char **type)
{
    const struct pt_json_value *event = pt_letter_of(&job->body->letters, 'e');
    return event ? decode_typed(job, event, type) : decode_untyped(job, type);
}

/* ---- the outside ---- */

enum pt_verdict pt_decode_as(struct pt_decoder *decoder, enum pt_decode_way way, const char *symbol,
                             const char *json, size_t len, int64_t recv_us, pt_record_fn emit,
                             void *arg, const char **type, const char **reason)
{
    struct pt_message *message = &decoder->message; /* its room for levels is used again */
    struct pt_tree *tree = NULL;
    struct pt_decoding job = { .decoder = decoder,
                               .message = message,
                               .body = &message->body,
                               .symbol = symbol,
                               .recv_us = recv_us,
                               .emit = emit,
                               .arg = arg };
    enum pt_verdict verdict = PT_MSG_REJECTED;
    *type = "unknown";
    *reason = NULL;
    decoder->is_refused = false;
    if (way == PT_DECODE_TREE_ONLY || pt_message_scan(json, len, message) != PT_SCAN_DONE) {
        bool nomem = false;
        if (way != PT_DECODE_SCAN_ONLY) tree = pt_message_tree(json, len, message, &nomem);
        if (!tree) {
            *reason = way == PT_DECODE_SCAN_ONLY ? "unusual" : nomem ? "out_of_memory" : "bad_json";
            return verdict;
        }
    }
    verdict = decode_message(&job, type);
    if (verdict == PT_MSG_REJECTED) *reason = job.reason;
    pt_tree_free(tree);
    return verdict;
}

enum pt_verdict pt_decode(struct pt_decoder *decoder, const char *json, size_t len, int64_t recv_us,
                          pt_record_fn emit, void *arg, const char **type, const char **reason)
{
    return pt_decode_as(decoder, PT_DECODE_FAST, "", json, len, recv_us, emit, arg, type, reason);
}

enum pt_code pt_decoder_new(struct pt_decoder **decoder, struct pt_err *err)
{
    *decoder = calloc(1, sizeof **decoder);
    return *decoder ? PT_OK : pt_fail(err, PT_ENOMEM, "decoder");
}

const struct pt_record *pt_decoder_refused(const struct pt_decoder *decoder)
{
    return decoder->is_refused ? &decoder->refused : NULL;
}

struct pt_decoder_counts pt_decoder_counts(const struct pt_decoder *decoder)
{
    return decoder->counts;
}

void pt_decoder_free(struct pt_decoder *decoder)
{
    if (!decoder) return;
    for (size_t i = 0; i < decoder->known.cap; i++) {
        for (int market = 0; market < 2; market++) {
            struct pt_book *book = decoder->known.places[i].book[market];
            if (book) pt_book_fini(book, &decoder->memory);
            free(book);
        }
    }
    pt_known_fini(&decoder->known);
    for (int s = 0; s < 2; s++) {
        free(decoder->message.body.side[s].v);
        free(decoder->levels[s].v);
    }
    free(decoder);
}
