/* docs.h - the page of /docs and the description it shows. [layer: serve] */
#ifndef PT_DOCS_H
#define PT_DOCS_H

#include "base/buf.h"
#include "flow/scripts.h"

/* docs.html, put into the program at build time (docs.cmake). */
extern const unsigned char pt_docs_html[];
extern const size_t pt_docs_html_len;

/* Appends the OpenAPI 3.1 document. scripts may be NULL. */
void pt_openapi_write(const struct pt_scripts *scripts, bool protected_reads, struct pt_buf *out);

#endif
