/* check_place.h - where in its text a script says something.                   [layer: bindings] */
#ifndef PT_CHECK_PLACE_H
#define PT_CHECK_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/* The last line in [first, last] in which a word or a member of it is given a value (`word = x`,
 * `word.last = x`, `["word"] = x`, `t.word = x`); 0 when there is none. Comments do not count. */
int pt_place_given(const char *text, size_t len, int first, int last, const char *word);
/* The first line that reads a member (`.word`, `:word`, `["word"]`); 0 when there is none. */
int pt_place_read(const char *text, size_t len, const char *word);
/* The line in `outputs` that declares an output; 1 when it cannot be found. */
int pt_place_declared(const char *text, size_t len, const char *output);

#endif
