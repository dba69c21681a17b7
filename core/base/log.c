#include "base/log.h"

#include "base/clock.h"
#include "base/timefmt.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char *const level_words[] = { "debug", "info", "warn", "error", "quiet" };
static atomic_int least = PT_INFO;

void pt_log_set_level(enum pt_level level)
{
    atomic_store_explicit(&least, (int)level, memory_order_relaxed);
}

bool pt_log_parse_level(const char *word, enum pt_level *level)
{
    for (size_t i = 0; i < sizeof level_words / sizeof level_words[0]; i++) {
        if (strcasecmp(word, level_words[i]) == 0) {
            *level = (enum pt_level)i;
            return true;
        }
    }
    /* the words of the original system's LOG_LEVEL */
    if (strcasecmp(word, "warning") == 0) {
        *level = PT_WARN;
        return true;
    }
    if (strcasecmp(word, "critical") == 0) {
        *level = PT_ERROR;
        return true;
    }
    return false;
}

bool pt_log_enabled(enum pt_level level)
{
    return level != PT_QUIET && (int)level >= atomic_load_explicit(&least, memory_order_relaxed);
}

/* Times in logs always have three fraction digits, so that columns stay aligned. */
static int stamp(char *out, size_t size, int64_t now_us)
{
    char text[PT_TIME_TEXT_MAX];
    pt_time_print(now_us / PT_US_SEC * PT_US_SEC, text);
    return snprintf(out, size, "%.19s.%03dZ", text, (int)(now_us % PT_US_SEC / 1000));
}

/* A pipe may take a long line in parts; a stderr that is gone leaves nobody to tell. */
static void write_all(const char *line, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, line, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        line += n;
        len -= (size_t)n;
    }
}

/* ---- one line ------------------------------------------------------------------------------ */

struct line {
    char room[1024];
    char *data; /* room, or owned */
    size_t len, size;
};

/* Without memory the line is cut: better than none. One byte stays free for its end. */
static void put_byte(struct line *line, char byte)
{
    if (line->len + 1 >= line->size) {
        char *grown = malloc(2 * line->size);
        if (grown == NULL) return;
        memcpy(grown, line->data, line->len);
        if (line->data != line->room) free(line->data);
        line->data = grown;
        line->size *= 2;
    }
    line->data[line->len++] = byte;
}

static void put_text(struct line *line, const char *text)
{
    while (*text != '\0') put_byte(line, *text++);
}

/* An event stays one line whatever a peer or a file put into its values, and a quoted value ends
 * only where the format ends it. */
static void put_value(struct line *line, const char *text, bool quoted)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        bool control = byte < 0x20 || byte == 0x7f;
        char code[8];
        if (quoted && (byte == '"' || byte == '\\')) put_byte(line, '\\');
        snprintf(code, sizeof code, byte == '\n' ? "\\n" : byte == '\t' ? "\\t" : "\\x%02x", byte);
        if (!control)
            put_byte(line, *text);
        else if (quoted)
            put_text(line, code);
        else
            put_byte(line, ' ');
    }
}

/* A conversion of a format, with numbers for its stars: "%-*s" and 8 are "%-8s". */
struct conversion {
    char spec[64], kind;
    int longs; /* of "l"; "j" is two */
    bool size; /* "z" or "t" */
};

/* True when there was room for all of it. */
static bool read_conversion(const char **fmt, va_list *args, struct conversion *conversion)
{
    size_t n = 0;
    *conversion = (struct conversion){ .spec = "%" };
    for (n = 1, ++*fmt; **fmt != '\0' && n < sizeof conversion->spec - 16; ++*fmt) {
        char c = **fmt;
        if (c == '*')
            n += (size_t)snprintf(conversion->spec + n, 16, "%d", va_arg(*args, int));
        else
            conversion->spec[n++] = c;
        conversion->longs += c == 'l' ? 1 : c == 'j' ? 2 : 0;
        conversion->size = conversion->size || c == 'z' || c == 't';
        if (strchr("-+ #0123456789.*hlztj", c) != NULL) continue;
        conversion->kind = c;
        ++*fmt;
        return true;
    }
    return false;
}

/* The same as printf would of this one; as many bytes as there would be. */
static int print_one(char *out, size_t room, const struct conversion *conversion, va_list *args)
{
    const char *spec = conversion->spec;
    switch (conversion->kind) {
    case 's': return snprintf(out, room, spec, va_arg(*args, const char *));
    case 'p': return snprintf(out, room, spec, va_arg(*args, void *));
    case '%': return snprintf(out, room, "%%");
    case 'e':
    case 'f':
    case 'g': return snprintf(out, room, spec, va_arg(*args, double));
    default: /* whole numbers; of one size the signed and the unsigned are passed alike */
        if (conversion->size) return snprintf(out, room, spec, va_arg(*args, size_t));
        if (conversion->longs > 1) return snprintf(out, room, spec, va_arg(*args, long long));
        if (conversion->longs == 1) return snprintf(out, room, spec, va_arg(*args, long));
        return snprintf(out, room, spec, va_arg(*args, int));
    }
}

/* False: the format is none. */
static bool put_conversion(struct line *line, const char **fmt, va_list *args, bool quoted)
{
    struct conversion conversion;
    char small[256];
    va_list again;
    if (!read_conversion(fmt, args, &conversion)) return false;
    va_copy(again, *args);
    int n = print_one(small, sizeof small, &conversion, args);
    char *large = n >= (int)sizeof small ? malloc((size_t)n + 1) : NULL;
    if (large != NULL) print_one(large, (size_t)n + 1, &conversion, &again);
    va_end(again);
    if (n >= 0) put_value(line, large != NULL ? large : small, quoted);
    free(large);
    return n >= 0;
}

static void put_event(struct line *line, const char *fmt, va_list *args)
{
    bool quoted = false;
    while (*fmt != '\0') {
        if (*fmt == '%') {
            if (!put_conversion(line, &fmt, args, quoted)) return;
            continue;
        }
        if (*fmt == '"') quoted = !quoted;
        put_byte(line, *fmt++);
    }
}

void pt_log(enum pt_level level, const char *part, const char *event, const char *fmt, ...)
{
    if (!pt_log_enabled(level)) return;
    int saved = errno; /* callers log between a failed call and their use of errno */
    struct line line = { .len = 0 };
    char when[32];
    va_list args;
    line.data = line.room;
    line.size = sizeof line.room;
    stamp(when, sizeof when, pt_now_us());
    put_text(&line, when);
    const char *const words[] = { level_words[level], part, event };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        put_byte(&line, ' ');
        put_value(&line, words[i], false);
    }
    size_t head = line.len;
    put_byte(&line, ' ');
    va_start(args, fmt);
    put_event(&line, fmt, &args);
    va_end(args);
    if (line.len == head + 1) line.len = head; /* nothing but the event */
    line.data[line.len++] = '\n';
    write_all(line.data, line.len);
    if (line.data != line.room) free(line.data);
    errno = saved;
}
