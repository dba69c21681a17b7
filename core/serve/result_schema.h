/* result_schema.h - what replies of /analysis/NAME look like, as JSON Schema. [layer: serve] */
#ifndef PT_RESULT_SCHEMA_H
#define PT_RESULT_SCHEMA_H

#include "base/json.h"
#include "flow/scripts.h"

#define PT_SCHEMA_DECIMAL "^-?\\d+(\\.\\d+)?$"

/* The schema of a reply, from the declaration: results.h says the shapes. */
void pt_result_schema(const struct pt_script *script, struct pt_json *json);

/* Of a parameter or output of a declaration: its JSON type, and "description" with unit and
 * bounds. */
const char *pt_schema_type(const char *type);
void pt_schema_describe(const bson_t *entry, struct pt_json *json);
/* A text of it, or the fallback. */
const char *pt_schema_text(const bson_t *doc, const char *key, const char *fallback);

#endif
