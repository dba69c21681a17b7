/* check_compare.h - two results of one window held against each other.         [layer: bindings] */
#ifndef PT_CHECK_COMPARE_H
#define PT_CHECK_COMPARE_H

#include "bindings/lua_declare.h"

/* What differs first. */
struct pt_difference {
    char output[64]; /* the output it is in; empty: the result as a whole */
    char path[96];   /* "hourly_pattern.7" */
    char a[64], b[64];
};

/* True when status, outputs and reasons are the same bits. */
bool pt_results_same(const bson_t *a, const bson_t *b);
/* For two that are not. */
void pt_results_difference(const bson_t *a, const bson_t *b, struct pt_difference *difference);

/* Moves the bars that a detector found by so much time, in place. */
void pt_results_shift(bson_t *doc, int64_t us);

/* How well an output was given; not_finite: the reason of a number that is NaN or infinite. */
enum pt_given {
    PT_GIVEN_NOT,        /* left out */
    PT_GIVEN_NOT_FINITE, /* NaN or infinity and nothing else */
    PT_GIVEN             /* a value, or null with a reason of the script's own */
};
enum pt_given pt_result_given(const bson_t *doc, const char *output, const char *not_finite);

#endif
