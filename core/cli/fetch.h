/* fetch.h - one request to the daemon.                                         [layer: cli] */
#ifndef PT_FETCH_H
#define PT_FETCH_H

#include "base/buf.h"
#include "base/conf.h"

/* A GET. url: "http://host:port" or NULL = from [http] bind and port. body: appended. PT_EIO: no
 * daemon there, or no answer within 10 s; PT_EINVAL: the url is not understood. With [http]
 * protect_reads the token of token_file goes with it. */
enum pt_code pt_fetch(const struct pt_conf *conf, const char *url, const char *path, int *status,
                      struct pt_buf *body, struct pt_err *err);

/* The same as POST, with the token of [http] token_file where there is one, and no limit to the
 * time the answer takes. */
enum pt_code pt_fetch_post(const struct pt_conf *conf, const char *url, const char *path,
                           int *status, struct pt_buf *body, struct pt_err *err);

#endif
