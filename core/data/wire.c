/* wire.c - BSON documents over a stream socket: pt_wire_*.                     [layer: data] */
#include "data/doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BSON_LEN_MIN 5 /* the length itself and the closing NUL */

enum pt_code pt_wire_send(int fd, const bson_t *doc, struct pt_err *err)
{
    const uint8_t *bytes = bson_get_data(doc);
    size_t left = doc->len;
    while (left > 0) {
        /* MSG_NOSIGNAL: a worker that died must be an error here, not a SIGPIPE */
        ssize_t sent = send(fd, bytes, left, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EINTR) continue;
            return pt_fail(err, PT_EIO, "send %zu bytes: %s", left, strerror(errno));
        }
        bytes += sent;
        left -= (size_t)sent;
    }
    return PT_OK;
}

/* Reads until `len` bytes are there or the stream ends; *got says how many came. */
static enum pt_code receive(int fd, uint8_t *bytes, size_t len, size_t *got, struct pt_err *err)
{
    *got = 0;
    while (*got < len) {
        ssize_t n = recv(fd, bytes + *got, len - *got, 0);
        if (n == 0) break;
        if (n < 0) {
            if (errno == EINTR) continue;
            /* a peer that was killed with bytes unread resets the stream; it said nothing more */
            if (errno == ECONNRESET) break;
            return pt_fail(err, PT_EIO, "receive: %s", strerror(errno));
        }
        *got += (size_t)n;
    }
    return PT_OK;
}

enum pt_code pt_wire_recv(int fd, uint32_t max_bytes, bson_t **doc, struct pt_err *err)
{
    uint8_t head[4], *bytes;
    size_t got, offset = 0;
    *doc = NULL;

    enum pt_code rc = receive(fd, head, sizeof head, &got, err);
    if (rc != PT_OK) return rc;
    if (got == 0) return pt_fail(err, PT_ENOENT, "the other side closed the stream");
    if (got < sizeof head) return pt_fail(err, PT_EDAMAGE, "stream ended in a length");
    uint32_t len = (uint32_t)head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 |
                   (uint32_t)head[3] << 24;
    if (len < BSON_LEN_MIN || len > INT32_MAX)
        return pt_fail(err, PT_EDAMAGE, "length %u is none of a document", len);
    if (len > max_bytes)
        return pt_fail(err, PT_ERANGE, "document of %u bytes, at most %u are taken", len,
                       max_bytes);

    bytes = malloc(len);
    if (!bytes) return pt_fail(err, PT_ENOMEM, "document of %u bytes", len);
    memcpy(bytes, head, sizeof head);
    rc = receive(fd, bytes + sizeof head, len - sizeof head, &got, err);
    if (rc == PT_OK && got < len - sizeof head)
        rc = pt_fail(err, PT_EDAMAGE, "stream ended %zu bytes before the document",
                     len - sizeof head - got);
    if (rc == PT_OK) {
        /* a copy: a document made around a buffer keeps pointers to the caller's variables */
        *doc = bson_new_from_data(bytes, len);
        if (!*doc) {
            rc = pt_fail(err, PT_EDAMAGE, "%u bytes that are no document", len);
        } else if (!bson_validate(*doc, BSON_VALIDATE_NONE, &offset)) {
            bson_destroy(*doc);
            *doc = NULL;
            rc = pt_fail(err, PT_EDAMAGE, "damaged document at byte %zu of %u", offset, len);
        }
    }
    free(bytes);
    return rc;
}
