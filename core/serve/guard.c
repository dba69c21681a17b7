#include "serve/guard.h"

#include <string.h>
#include <strings.h>

static bool token_char(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

enum pt_code pt_guard_header(struct pt_heads *heads, const char *name, const char *value,
                             struct pt_err *err)
{
    size_t len = 0;
    while (token_char((unsigned char)name[len])) len++;
    if (len == 0 || name[len] != '\0')
        return pt_fail(err, PT_EINVAL, "a header name holds what a name may not");
    heads->bytes += len + strlen(value) + 4;
    /* by length first: nearly all headers end here */
    switch (len) {
    case 4:
        if (strcasecmp(name, "Host") == 0) {
            heads->host = value;
            heads->nhost++;
        }
        break;
    case 6:
        if (strcasecmp(name, "Accept") == 0) heads->accept = value;
        break;
    case 13:
        if (strcasecmp(name, "If-None-Match") == 0) heads->if_none_match = value;
        if (strcasecmp(name, "Authorization") == 0) heads->authorization = value;
        break;
    case 14:
        if (strcasecmp(name, "Content-Length") == 0) {
            heads->content_length = value;
            heads->ncontent_length++;
        }
        break;
    case 15:
        if (strcasecmp(name, "Accept-Encoding") == 0) heads->accept_encoding = value;
        break;
    case 17:
        if (strcasecmp(name, "Transfer-Encoding") == 0) {
            heads->transfer_encoding = value;
            heads->ntransfer_encoding++;
        }
        break;
    default: break;
    }
    return PT_OK;
}

enum pt_code pt_guard_heads(const struct pt_heads *heads, bool http_1_1, bool reads_body,
                            bool *close, struct pt_err *err)
{
    if (heads->nhost > 1 || (http_1_1 && heads->nhost != 1)) {
        return pt_fail(err, PT_EINVAL, "%zu Host headers, must be one", heads->nhost);
    }
    if (heads->ncontent_length > 1) return pt_fail(err, PT_EINVAL, "more than one Content-Length");
    const char *length = heads->content_length;
    if (length != NULL && (*length == '\0' || strspn(length, "0123456789") != strlen(length))) {
        return pt_fail(err, PT_EINVAL, "Content-Length is not a number");
    }
    if (heads->ntransfer_encoding > 0) {
        if (heads->ntransfer_encoding > 1 || strcasecmp(heads->transfer_encoding, "chunked") != 0) {
            return pt_fail(err, PT_EINVAL, "Transfer-Encoding is not just chunked");
        }
        if (length != NULL)
            return pt_fail(err, PT_EINVAL, "Content-Length beside Transfer-Encoding");
        if (!http_1_1) return pt_fail(err, PT_EINVAL, "Transfer-Encoding in HTTP/1.0");
    }
    bool body =
        heads->ntransfer_encoding > 0 || (length != NULL && length[strspn(length, "0")] != '\0');
    *close = body && !reads_body;
    return PT_OK;
}

enum pt_code pt_guard_uri(const char *uri, struct pt_err *err)
{
    for (const unsigned char *p = (const unsigned char *)uri; *p != '\0'; p++) {
        if (*p <= 0x20 || *p >= 0x7f)
            return pt_fail(err, PT_EINVAL, "byte %%%02X in the address must be encoded", *p);
    }
    return PT_OK;
}

bool pt_guard_same(const char *secret, const char *given)
{
    size_t secret_len = strlen(secret), given_len = strlen(given);
    unsigned char differs = secret_len != given_len;
    for (size_t i = 0; i < given_len; i++) {
        differs |= (unsigned char)(given[i] ^ secret[secret_len == 0 ? 0 : i % secret_len]);
    }
    return differs == 0;
}
