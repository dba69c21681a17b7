/* http.h - the REST server: event loops in their own threads, over one engine.  [layer: serve] */
#ifndef PT_HTTP_H
#define PT_HTTP_H

#include "flow/engine.h"

struct pt_http;

/* Binds ([http] bind, port; port 0 = any free one) and starts [http] threads. PT_EBUSY: the address is taken. */
enum pt_code pt_http_start(struct pt_engine *engine, struct pt_http **http, struct pt_err *err);
/* Stops accepting, answers what is under way (at most 5 s), joins. Accepts NULL. */
void pt_http_stop(struct pt_http *http);
unsigned pt_http_port(const struct pt_http *http);

#endif
