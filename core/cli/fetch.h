/* fetch.h - one GET to the daemon.                                             [layer: cli] */
#ifndef PT_FETCH_H
#define PT_FETCH_H

#include "base/buf.h"
#include "base/conf.h"

/* url: "http://host:port" or NULL = from [http] bind and port. body: appended. PT_EIO: no daemon
 * there, or no answer within 10 s; PT_EINVAL: the url is not understood. */
enum pt_code pt_fetch(const struct pt_conf *conf, const char *url, const char *path, int *status,
                      struct pt_buf *body, struct pt_err *err);

#endif
