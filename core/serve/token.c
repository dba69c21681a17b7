/* token.c - the token of [http] token_file. [layer: serve] */
#include "serve/token.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define TOKEN_MAX 4096

enum pt_code pt_token_read(const char *path, char **token, struct pt_err *err)
{
    char text[TOKEN_MAX + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof text) : -1;
    int why = errno;
    if (fd >= 0) close(fd);
    if (len < 0) return pt_fail(err, PT_EIO, "[http] token_file %s: %s", path, strerror(why));
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL) len--;
    if (len == 0 || len > TOKEN_MAX) {
        return pt_fail(err, PT_EINVAL, "[http] token_file %s: must hold a token of 1..%d bytes",
                       path, TOKEN_MAX);
    }
    for (ssize_t i = 0; i < len; i++) {
        if (text[i] > 0x20 && text[i] < 0x7f) continue;
        return pt_fail(err, PT_EINVAL, "[http] token_file %s: a token is visible ASCII on one line",
                       path);
    }
    *token = strndup(text, (size_t)len);
    return *token != NULL ? PT_OK : pt_fail(err, PT_ENOMEM, "out of memory");
}
