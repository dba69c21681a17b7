/* lists.h - comma-separated options.                                            [layer: cli] */
#ifndef PT_LISTS_H
#define PT_LISTS_H

#include "cli/cli.h"
#include "data/schema.h"

enum { PT_LIST_MAX = 256 };

/* "A,B" -> upper-cased symbols, NULL-ended; wrong usage prints and returns false. storage:
 * [PT_LIST_MAX]. */
bool pt_cli_symbols(const struct pt_cli *cli, const char *option, char (*storage)[PT_SYMBOL_MAX],
                    const char **list);
/* "1h,1d" -> us, ended by 0. list: [PT_LIST_MAX + 1]. */
bool pt_cli_periods(const struct pt_cli *cli, const char *option, int64_t *list);

#endif
