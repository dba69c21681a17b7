/* shown.c - matrices and maps over symbols as JSON. [layer: serve] */
#include "serve/shown.h"

#include <stdlib.h>
#include <string.h>

void pt_shown_fini(struct pt_shown *shown)
{
    free(shown->name);
    free(shown->at);
    *shown = (struct pt_shown){ 0 };
}

/* Names of a document in their order; how many. */
static size_t read_names(const bson_t *doc, const char **name)
{
    bson_t list;
    bson_iter_t iter;
    size_t n = 0;
    if (!pt_doc_child(doc, "symbols", &list) || !bson_iter_init(&iter, &list)) return 0;
    while (bson_iter_next(&iter)) {
        if (!BSON_ITER_HOLDS_UTF8(&iter)) continue;
        if (name != NULL) name[n] = bson_iter_utf8(&iter, NULL);
        n++;
    }
    return n;
}

static int by_name(const void *key, const void *member)
{
    return strcmp(key, *(const char *const *)member);
}

bool pt_shown_init(struct pt_shown *shown, const struct pt_results *results, const bson_t *doc)
{
    size_t all = doc != NULL ? read_names(doc, NULL) : 0;
    size_t most = results->npairs > all ? results->npairs : all;
    const char **name = calloc(all + 1, sizeof *name);
    *shown = (struct pt_shown){ .name = calloc(most + 1, sizeof *shown->name),
                                .at = calloc(most + 1, sizeof *shown->at) };
    bool good = name != NULL && shown->name != NULL && shown->at != NULL;
    if (good && all > 0) read_names(doc, name);
    for (size_t i = 0; good && i < (results->npairs > 0 ? results->npairs : all); i++) {
        const char **found = &name[i];
        if (results->npairs > 0)
            found = all > 0 ? bsearch(results->pairs[i], name, all, sizeof *name, by_name) : NULL;
        if (found == NULL) continue;
        shown->at[shown->n] = (size_t)(found - name);
        shown->name[shown->n++] = *found;
    }
    free(name);
    if (!good) pt_shown_fini(shown);
    return good;
}

void pt_shown_names(const struct pt_shown *shown, struct pt_json *json)
{
    pt_json_array(json);
    for (size_t i = 0; i < shown->n; i++) pt_json_text(json, shown->name[i]);
    pt_json_array_end(json);
}

bool pt_output_by_symbol(const bson_t *output)
{
    const char *keys;
    return pt_doc_text(output, "keys", &keys) && strcmp(keys, "symbols") == 0;
}

static void write_matrix(const struct pt_shown *shown, const struct pt_matrix *matrix,
                         struct pt_json *json)
{
    pt_json_object(json);
    for (size_t i = 0; i < shown->n; i++) {
        pt_json_key(json, shown->name[i]);
        pt_json_object(json);
        for (size_t j = 0; j < shown->n; j++) {
            pt_json_key(json, shown->name[j]);
            if (shown->at[i] < matrix->n && shown->at[j] < matrix->n)
                pt_matrix_json_cell(matrix, shown->at[i], shown->at[j], json);
            else
                pt_json_null(json);
        }
        pt_json_object_end(json);
    }
    pt_json_object_end(json);
}

static void write_map(const struct pt_shown *shown, const bson_iter_t *value, struct pt_json *json)
{
    bson_iter_t walk, found;
    bool walks = bson_iter_recurse(value, &walk) && bson_iter_next(&walk);
    pt_json_object(json);
    for (size_t i = 0; i < shown->n; i++) {
        pt_json_key(json, shown->name[i]);
        /* both are in one order, unless the pairs were given in another */
        bool here = walks && strcmp(bson_iter_key(&walk), shown->name[i]) == 0;
        if (here) {
            pt_doc_json_value(&walk, json);
            walks = bson_iter_next(&walk);
        } else if (bson_iter_recurse(value, &found) && bson_iter_find(&found, shown->name[i])) {
            pt_doc_json_value(&found, json);
        } else {
            pt_json_null(json);
        }
    }
    pt_json_object_end(json);
}

void pt_shown_value(const struct pt_shown *shown, const bson_t *output, const bson_iter_t *value,
                    struct pt_json *json)
{
    struct pt_matrix matrix;
    if (pt_matrix_view(value, &matrix))
        write_matrix(shown, &matrix, json);
    else if (BSON_ITER_HOLDS_DOCUMENT(value) && pt_output_by_symbol(output))
        write_map(shown, value, json);
    else
        pt_doc_json_value(value, json);
}
