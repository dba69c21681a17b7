#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pt_buf_fini(struct pt_buf *buf)
{
    free(buf->data);
    *buf = (struct pt_buf){ 0 };
}

void pt_buf_clear(struct pt_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    if (buf->data != NULL) buf->data[0] = '\0';
}

bool pt_buf_reserve(struct pt_buf *buf, size_t extra)
{
    if (buf->failed) return false;
    if (extra < buf->cap - buf->len) return true; /* cap > len unless both are 0 */
    if (extra > SIZE_MAX / 4 || buf->len > SIZE_MAX / 4) {
        buf->failed = true;
        return false;
    }
    size_t need = buf->len + extra + 1;
    size_t cap = buf->cap < 64 ? 64 : buf->cap;
    while (cap < need) cap *= 2;
    char *data = realloc(buf->data, cap);
    if (data == NULL) {
        buf->failed = true;
        return false;
    }
    data[buf->len] = '\0';
    buf->data = data;
    buf->cap = cap;
    return true;
}

void pt_buf_add(struct pt_buf *buf, const void *bytes, size_t len)
{
    if (!pt_buf_reserve(buf, len)) return;
    if (len > 0) memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void pt_buf_puts(struct pt_buf *buf, const char *text)
{
    pt_buf_add(buf, text, strlen(text));
}

void pt_buf_putc(struct pt_buf *buf, char c)
{
    if (!pt_buf_reserve(buf, 1)) return;
    buf->data[buf->len++] = c;
    buf->data[buf->len] = '\0';
}

void pt_buf_printf(struct pt_buf *buf, const char *fmt, ...)
{
    if (!pt_buf_reserve(buf, 1)) return;
    size_t room = buf->cap - buf->len;
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(buf->data + buf->len, room, fmt, args);
    if (n < 0) {
        buf->data[buf->len] = '\0';
        buf->failed = true;
    } else if ((size_t)n < room) {
        buf->len += (size_t)n;
    } else if (pt_buf_reserve(buf, (size_t)n)) {
        vsnprintf(buf->data + buf->len, (size_t)n + 1, fmt, again);
        buf->len += (size_t)n;
    } else {
        buf->data[buf->len] = '\0'; /* nothing of a text that does not fit */
    }
    va_end(again);
    va_end(args);
}

char *pt_buf_take(struct pt_buf *buf, size_t *len)
{
    pt_buf_reserve(buf, 0); /* an empty buffer hands over "", so that NULL always means failure */
    char *data = NULL;
    if (!buf->failed) {
        data = buf->data;
        buf->data = NULL;
    }
    if (len != NULL) *len = data != NULL ? buf->len : 0;
    pt_buf_fini(buf);
    return data;
}
