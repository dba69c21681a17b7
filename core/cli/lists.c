/* lists.c - comma-separated options. */
#include "cli/lists.h"

#include "base/timefmt.h"

#include <string.h>

/* The next word of a comma-separated text, blanks trimmed; false at the end. */
static bool next_word(const char **at, const char **word, size_t *len)
{
    *at += strspn(*at, ", ");
    if (**at == '\0') return false;
    *word = *at;
    *len = strcspn(*at, ",");
    *at += *len;
    while (*len > 0 && (*word)[*len - 1] == ' ') --*len;
    return true;
}

bool pt_cli_symbols(const struct pt_cli *cli, const char *option, char (*storage)[PT_SYMBOL_MAX],
                    const char **list)
{
    const char *at = pt_cli_value(cli, option), *word;
    size_t len, n = 0;
    while (at != NULL && next_word(&at, &word, &len)) {
        if (n == PT_LIST_MAX || pt_symbol_parse(word, len, storage[n]) != PT_OK) {
            pt_cli_usage(cli, "--%s: \"%.*s\" is no symbol (or more than %d are given)", option,
                         (int)len, word, PT_LIST_MAX);
            return false;
        }
        list[n] = storage[n];
        n++;
    }
    list[n] = NULL;
    return true;
}

bool pt_cli_periods(const struct pt_cli *cli, const char *option, int64_t *list)
{
    const char *at = pt_cli_value(cli, option), *word;
    size_t len, n = 0;
    while (at != NULL && next_word(&at, &word, &len)) {
        if (n == PT_LIST_MAX || pt_period_parse(word, len, &list[n]) != PT_OK) {
            pt_cli_usage(cli,
                         "--%s: \"%.*s\" is no period; give some of 1m 3m 5m 15m 30m 1h 2h 4h 6h "
                         "8h 12h 1d 3d 1w",
                         option, (int)len, word);
            return false;
        }
        n++;
    }
    list[n] = 0;
    return true;
}
