/* source.h - the bytes of a file, whatever it is packed in.                     [layer: data]
 * Plain, gzip (also of several members) or zip; told by the first bytes, not by the name. A zip is
 * read as its .csv members one after another ("parts"); everything else has one part. */
#ifndef PT_SOURCE_H
#define PT_SOURCE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pt_source;

/* max_inflated: bytes that packed content may grow to; more is PT_ERANGE from read. */
enum pt_code pt_source_open(const char *path, uint64_t max_inflated, struct pt_source **source,
                            struct pt_err *err);
void pt_source_close(struct pt_source *source); /* accepts NULL */

/* Up to `cap` bytes; *n == 0 at the end of the part. PT_EDAMAGE, PT_ERANGE, PT_EIO; bytes that came
 * before the damage were handed out by the calls before. */
enum pt_code pt_source_read(struct pt_source *source, char *out, size_t cap, size_t *n,
                            struct pt_err *err);
/* Goes on to the next part after the end of one; *name (borrowed) NULL when there is none. */
enum pt_code pt_source_next(struct pt_source *source, const char **name, struct pt_err *err);
/* Name of the part inside the file, NULL for a file that has none. */
const char *pt_source_part(const struct pt_source *source);

/* Bytes of the file as stored: taken so far, and all (0 = not known, a pipe). */
void pt_source_progress(const struct pt_source *source, uint64_t *bytes_in, uint64_t *bytes_total);

#endif
