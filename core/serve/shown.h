/* shown.h - of a result of the market: the symbols that a reply shows.          [layer: serve] */
#ifndef PT_SHOWN_H
#define PT_SHOWN_H

#include "data/matrix.h"
#include "serve/results.h"

/* Zeroed = nothing. Names are borrowed from the document. */
struct pt_shown {
    size_t n;
    const char **name; /* owned */
    size_t *at;        /* owned: its place in the document's list, and in matrices */
};

/* The symbols of a document that are asked for, in the order asked; those that it does not have are
 * left out. False: no memory. */
bool pt_shown_init(struct pt_shown *shown, const struct pt_results *results, const bson_t *doc);
void pt_shown_fini(struct pt_shown *shown);

void pt_shown_names(const struct pt_shown *shown, struct pt_json *json); /* as an array */
/* The value of an output, matrices as { A: { B: cell } }; of a map by symbol what is shown. */
void pt_shown_value(const struct pt_shown *shown, const bson_t *output, const bson_iter_t *value,
                    struct pt_json *json);
/* Whether a declared output is a map by symbol. */
bool pt_output_by_symbol(const bson_t *output);

#endif
