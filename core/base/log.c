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

void pt_log(enum pt_level level, const char *part, const char *event, const char *fmt, ...)
{
    if (!pt_log_enabled(level)) return;
    int saved = errno; /* callers log between a failed call and their use of errno */
    char room[1024];
    char *line = room;
    char when[32];
    stamp(when, sizeof when, pt_now_us());

    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int head = snprintf(room, sizeof room, "%s %s %s %s", when, level_words[level], part, event);
    int tail = vsnprintf(NULL, 0, fmt, args);
    if (head > 0 && tail >= 0) {
        size_t need = (size_t)head + 1 + (size_t)tail + 2;
        size_t size = sizeof room;
        if (need > sizeof room) {
            char *heap = malloc(need);
            if (heap != NULL) {
                line = heap;
                size = need;
                snprintf(line, size, "%s %s %s %s", when, level_words[level], part, event);
            } /* else the line is cut at the size of `room`: better than none */
        }
        size_t len = (size_t)head < size - 2 ? (size_t)head : size - 2;
        if (tail > 0) {
            line[len++] = ' ';
            size_t left = size - len - 1;
            vsnprintf(line + len, left + 1, fmt, again);
            len += (size_t)tail < left ? (size_t)tail : left;
        }
        if (len > size - 1) len = size - 1;
        /* an event stays one line whatever a peer or a file put into its values */
        for (size_t i = 0; i < len; i++) {
            if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) line[i] = ' ';
        }
        line[len++] = '\n';
        write_all(line, len);
    }
    va_end(again);
    va_end(args);
    if (line != room) free(line);
    errno = saved;
}
