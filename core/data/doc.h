/* doc.h - BSON documents: results, audit log, wire messages.                   [layer: data]
 * Thin helpers over libbson, which this header includes for its users. */
#ifndef PT_DOC_H
#define PT_DOC_H

#include "base/err.h"
#include "base/json.h"

#include <bson/bson.h>

/* Reads; false when absent or of another type (ints of both widths are taken as int64). Texts are borrowed. */
bool pt_doc_text(const bson_t *doc, const char *path, const char **text); /* path: "a.b" walks down */
bool pt_doc_int(const bson_t *doc, const char *path, int64_t *v);
bool pt_doc_double(const bson_t *doc, const char *path, double *v);
bool pt_doc_bool(const bson_t *doc, const char *path, bool *v);
bool pt_doc_child(const bson_t *doc, const char *path, bson_t *child); /* document or array, borrowed view */

/* The next element of an array that is a document, a borrowed view; false at its end. Others are passed over. */
bool pt_doc_next(bson_iter_t *iter, bson_t *entry);

/* BSON -> JSON in API form: double -> "decimal string", ints -> integers, dates -> ISO text with Z, null ->
 * null, documents and arrays recursively; binary is refused (null). */
void pt_doc_json(const bson_t *doc, struct pt_json *json);          /* as one object */
void pt_doc_json_value(const bson_iter_t *iter, struct pt_json *json); /* the value at an iterator */
/* As above with doubles written as JSON numbers (health figures, completeness). */
void pt_doc_json_plain(const bson_t *doc, struct pt_json *json);

/* Length-prefixed messages over a stream socket: BSON carries its own length, so a message is the document
 * itself. Blocking, restarts on EINTR. PT_EIO on error, PT_ENOENT at a clean end of stream, PT_EDAMAGE when the
 * bytes are no document, PT_ERANGE above max_bytes. */
enum pt_code pt_wire_send(int fd, const bson_t *doc, struct pt_err *err);
enum pt_code pt_wire_recv(int fd, uint32_t max_bytes, bson_t **doc, struct pt_err *err); /* bson_destroy */

#endif
