/* buf.h - a growing byte buffer that remembers its first failure.              [layer: base]
 * Appending after a failed allocation does nothing and keeps `failed` true, so a writer checks once
 * at its end. A zeroed struct is a valid empty buffer. Always NUL-terminated behind `len`. */
#ifndef PT_BUF_H
#define PT_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct pt_buf {
    char *data; /* owned; NULL while empty */
    size_t len, cap;
    bool failed;
};

void pt_buf_fini(struct pt_buf *buf); /* frees and zeroes */
void pt_buf_clear(struct pt_buf *buf); /* len = 0, failed = false, memory kept */
/* Room for `extra` more bytes and the NUL; false (and failed) when there is none. */
bool pt_buf_reserve(struct pt_buf *buf, size_t extra);
void pt_buf_add(struct pt_buf *buf, const void *bytes, size_t len);
void pt_buf_puts(struct pt_buf *buf, const char *text);
void pt_buf_putc(struct pt_buf *buf, char c);
void pt_buf_printf(struct pt_buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Hands the bytes over to the caller, who frees them; the buffer is empty afterwards. An empty buffer
 * gives "", a failed one NULL. len may be NULL. */
char *pt_buf_take(struct pt_buf *buf, size_t *len);

#endif
