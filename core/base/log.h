/* log.h - one line an event on stderr: time level part event key=value ...      [layer: base]
 * Error: a human must act. Warn: we coped. Info: the state changed. Nothing per bar above debug.
 * Thread-safe: a line is one write(2). */
#ifndef PT_LOG_H
#define PT_LOG_H

#include <stdbool.h>

enum pt_level { PT_DEBUG, PT_INFO, PT_WARN, PT_ERROR, PT_QUIET };

/* pt_log(PT_WARN, "feed.sim", "stale", "symbol=%s silent_ms=%" PRId64, ...); fmt may be "". A value between quotes in
 * fmt, key=\"%s\", is escaped: \" \\ \n \t \xHH; in others control characters become spaces. */
void pt_log(enum pt_level level, const char *part, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Lines under `level` are dropped. Default PT_INFO. Also takes the words debug info warn error quiet. */
void pt_log_set_level(enum pt_level level);
bool pt_log_parse_level(const char *word, enum pt_level *level);
bool pt_log_enabled(enum pt_level level);

#endif
