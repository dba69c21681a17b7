/* capture.c - captured websocket lines.                                        [layer: data]
 *
 *     1680652800004107 {"stream":...}                receive time in us or ns, and a message
 *     1617566591.326123: {"stream":...}              the same in seconds
 *     2025-10-20T12:00:00.123456Z {"stream":...}
 *     {"stream":...}                                 no receive time
 *     https://host/depth?symbol=DOTUSDT -> 1617566592.1: {"lastUpdateId":...}     an answer to a
 * question wss://host/stream?streams=... <-> 1617566590.3                              nothing to
 * keep
 *
 * A message that is printed over several lines begins with a line "{" and ends with a line "}". */
#include "base/decimal.h"
#include "base/timefmt.h"
#include "data/decode_internal.h"
#include "data/reader_internal.h"

#include <stdlib.h>
#include <string.h>

struct line {
    int64_t recv_us;            /* 0 = not said */
    char symbol[PT_SYMBOL_MAX]; /* what the URL asked for, "" = not said */
    const char *json;           /* NULL: the line holds none */
    size_t json_len;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct pt_span trim(const char *text, size_t len)
{
    while (len > 0 && is_blank(*text)) text++, len--;
    while (len > 0 && is_blank(text[len - 1])) len--;
    return (struct pt_span){ text, len };
}

/* "1617566591.326123", "1680652800004107", or a date. What is finer than a microsecond is cut off.
 */
static bool parse_recv(struct pt_span text, int64_t *us)
{
    const char *point = memchr(text.text, '.', text.len);
    size_t whole = point ? (size_t)(point - text.text) : text.len;
    int64_t seconds = 0;
    if (!point || memchr(text.text, '-', whole))
        return pt_time_parse(text.text, text.len, us) == PT_OK;
    if (whole == 0 || whole > 11) return false;
    for (size_t i = 0; i < whole; i++) {
        if (text.text[i] < '0' || text.text[i] > '9') return false;
        seconds = seconds * 10 + (text.text[i] - '0');
    }
    *us = seconds * PT_US_SEC;
    int64_t unit = PT_US_SEC / 10;
    for (size_t i = whole + 1; i < text.len; i++, unit /= 10) {
        if (text.text[i] < '0' || text.text[i] > '9') return false;
        *us += unit * (text.text[i] - '0');
    }
    return true;
}

static const char *find_text(const char *text, size_t len, const char *wanted)
{
    return memmem(text, len, wanted, strlen(wanted));
}

static void symbol_of_url(struct pt_span url, char symbol[PT_SYMBOL_MAX])
{
    const char *at = find_text(url.text, url.len, "symbol=");
    if (!at) return;
    at += strlen("symbol=");
    size_t len = 0;
    while (at + len < url.text + url.len && at[len] != '&') len++;
    if (pt_symbol_parse(at, len, symbol) != PT_OK) memset(symbol, 0, PT_SYMBOL_MAX);
}

/* What stands before the message. False: nothing of a capture. */
static bool parse_prefix(struct pt_span prefix, struct line *line)
{
    if (prefix.len == 0) return true;
    const char *scheme = find_text(prefix.text, prefix.len, "://");
    if (scheme) {
        const char *arrow = find_text(prefix.text, prefix.len, " -> ");
        if (!arrow) return find_text(prefix.text, prefix.len, " <-> ") != NULL;
        symbol_of_url((struct pt_span){ prefix.text, (size_t)(arrow - prefix.text) }, line->symbol);
        arrow += strlen(" -> ");
        prefix = trim(arrow, prefix.len - (size_t)(arrow - prefix.text));
    }
    if (prefix.len > 0 && strchr(":,;", prefix.text[prefix.len - 1])) prefix.len--;
    prefix = trim(prefix.text, prefix.len);
    if (prefix.len > 64 || prefix.len == 0) return false;
    return parse_recv(prefix, &line->recv_us);
}

/* A line taken apart. NULL, or why it is none. */
static const char *parse_line(const char *text, size_t len, struct line *line)
{
    *line = (struct line){ .recv_us = 0 };
    struct pt_span all = trim(text, len);
    const char *brace = memchr(all.text, '{', all.len);
    size_t before = brace ? (size_t)(brace - all.text) : all.len;
    if (!parse_prefix(trim(all.text, before), line)) return brace ? "bad_prefix" : "no_message";
    if (brace) {
        line->json = brace;
        line->json_len = all.len - before;
    } else if (!find_text(all.text, all.len, "://")) {
        return "no_message";
    }
    return NULL;
}

bool pt_capture_detect(const char *text, size_t len)
{
    struct line line;
    if (trim(text, len < 4096 ? len : 4096).len == 0) return false;
    if (parse_line(text, len < 4096 ? len : 4096, &line) != NULL) return false;
    if (!line.json) return true; /* "URL <-> time" */
    struct pt_span inner = trim(line.json + 1, line.json_len - 1);
    return inner.len == 0 || inner.text[0] == '"' || inner.text[0] == '}';
}

/* ---- messages ---- */

static bool keep(void *arg, const struct pt_record *record)
{
    struct pt_reader *reader = arg;
    if (reader->hint.kind >= 0 && (int)record->key.kind != reader->hint.kind) return true;
    pt_reader_keep(reader, record);
    return true;
}

static void take_message(struct pt_reader *reader, const struct line *line, uint64_t number)
{
    const char *type, *reason = NULL;
    const char *symbol = line->symbol[0] ? line->symbol : reader->hint_symbol;
    enum pt_verdict verdict =
        pt_decode_as(reader->decoder, PT_DECODE_FAST, symbol, line->json, line->json_len,
                     line->recv_us, keep, reader, &type, &reason);
    if (verdict == PT_MSG_REJECTED)
        pt_reader_reject(reader, number, reason, line->json, line->json_len);
}

/* ---- messages over several lines ---- */

static void drop_message(struct pt_reader *reader, const char *reason)
{
    pt_reader_reject(reader, reader->message_line, reason, reader->message, reader->message_len);
    reader->message_len = 0;
}

static void add_to_message(struct pt_reader *reader, const char *text, size_t len)
{
    if (!reader->message) reader->message = malloc(PT_CAPTURE_LINE_MAX);
    if (!reader->message) {
        reader->nomem = true;
        return;
    }
    if (reader->message_len + len + 1 > PT_CAPTURE_LINE_MAX) {
        drop_message(reader, "message_too_long");
        return;
    }
    memcpy(reader->message + reader->message_len, text, len);
    reader->message_len += len;
    reader->message[reader->message_len++] = '\n';
    if (len > 0 && text[0] == '}') {
        struct line line = { .json = reader->message, .json_len = reader->message_len };
        take_message(reader, &line, reader->message_line);
        reader->message_len = 0;
    }
}

/* ---- lines ---- */

static void take_line(struct pt_reader *reader, const char *text, size_t len, bool torn)
{
    struct line line;
    len = pt_line_trim(text, len);
    reader->line++;
    reader->stats.lines++;
    if (reader->message_len > 0 || (len == 1 && *text == '{')) {
        if (reader->message_len == 0) reader->message_line = reader->line;
        add_to_message(reader, text, len);
        return;
    }
    if (trim(text, len).len == 0) return;
    const char *reason = torn                        ? "unfinished_line"
                         : len > PT_CAPTURE_LINE_MAX ? "line_too_long"
                                                     : NULL;
    if (!reason) reason = parse_line(text, len, &line);
    if (reason)
        pt_reader_reject(reader, reader->line, reason, text, len);
    else if (line.json)
        take_message(reader, &line, reader->line);
}

size_t pt_capture_lines(struct pt_reader *reader, const char *text, size_t len)
{
    size_t at = 0;
    while (at < len && !pt_reader_stopped(reader)) {
        size_t line_len = (size_t)((const char *)memchr(text + at, '\n', len - at) - (text + at));
        take_line(reader, text + at, line_len, false);
        at += line_len + 1;
    }
    return at;
}

void pt_capture_last(struct pt_reader *reader, const char *text, size_t len, bool torn)
{
    take_line(reader, text, len, torn);
}

void pt_capture_end(struct pt_reader *reader, bool torn)
{
    (void)torn;
    if (reader->message_len > 0) drop_message(reader, "unfinished_message");
}
