/* guard.h - what evhttp lets through and must not be answered. [layer: serve]
 * Two Content-Lengths, a blank before the colon, a Transfer-Encoding that is not understood: a
 * proxy in front may cut the stream elsewhere than evhttp does, and what one client sends becomes
 * another's request. Such a request gets 400 and the end of its connection. */
#ifndef PT_GUARD_H
#define PT_GUARD_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Headers that matter to us, seen in one walk; borrowed. */
struct pt_heads {
    const char *host, *accept, *accept_encoding, *if_none_match, *authorization, *content_length,
        *transfer_encoding;
    size_t nhost, ncontent_length, ntransfer_encoding;
    size_t bytes; /* of all lines */
};

/* Takes note of one header. PT_EINVAL: its name is none. */
enum pt_code pt_guard_header(struct pt_heads *heads, const char *name, const char *value,
                             struct pt_err *err);

/* Checks them together. reads_body: evhttp has read the body of this method. *close: the connection
 * must end after the reply, because bytes of a body were not read and would be taken for the next
 * request. */
enum pt_code pt_guard_heads(const struct pt_heads *heads, bool http_1_1, bool reads_body,
                            bool *close, struct pt_err *err);

/* Visible ASCII only. */
enum pt_code pt_guard_uri(const char *uri, struct pt_err *err);

/* Compares in a time that does not depend on where they differ. */
bool pt_guard_same(const char *secret, const char *given);

#endif
