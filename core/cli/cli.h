/* cli.h - what every command is made of: a row in the table, options as data.  [layer: cli]
 * Parsing, usage errors, `help`, the man page and the shell's exit code come from the table:
 * 0 = done, 1 = it failed (one line on stderr: what, where, what to do), 2 = wrong usage. */
#ifndef PT_CLI_H
#define PT_CLI_H

#include "base/conf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pt_cli_option {
    const char *name;  /* "symbol" for --symbol */
    const char *value; /* word for its value in help, NULL = a flag */
    const char *help;
    bool repeat; /* may be given several times; else a second one is wrong usage */
};

struct pt_cli;

struct pt_command {
    const char *name;
    const char *args;                    /* "FILE...", "" */
    const char *about;                   /* one line */
    const char *text;                    /* paragraphs for `help NAME` and the man page */
    const struct pt_cli_option *options; /* ended by name NULL; NULL = none but the common ones */
    size_t min_args, max_args;           /* positional arguments; SIZE_MAX = any number */
    bool no_conf;                        /* runs without reading the configuration */
    int (*run)(struct pt_cli *cli);
};

/* All commands, ended by NULL; main.c. */
extern const struct pt_command *const pt_commands[];
/* --config --data --set -v --quiet. */
extern const struct pt_cli_option pt_common_options[];

/* Parses, reads the configuration (file, environment, --data, --set), runs the command; the exit
 * code. */
int pt_cli_main(int argc, char **argv, char **environ_vars);

/* What was given; borrowed. Asking for an option that the command has not declared aborts. */
const struct pt_command *pt_cli_command(const struct pt_cli *cli);
const struct pt_conf *pt_cli_conf(const struct pt_cli *cli);
/* Sets one key, as --set does ("feed.enabled=sim"). */
enum pt_code pt_cli_conf_set(struct pt_cli *cli, const char *assignment, struct pt_err *err);
/* Reads it all again, as it was read for this run: file, environment, options, and what was set
 * since. *conf is the caller's; on failure every mistake is named. */
enum pt_code pt_cli_conf_again(struct pt_cli *cli, struct pt_conf **conf, struct pt_err *err);
bool pt_cli_has(const struct pt_cli *cli, const char *option);
const char *pt_cli_value(const struct pt_cli *cli, const char *option); /* NULL when not given */
const char *pt_cli_value_at(const struct pt_cli *cli, const char *option,
                            size_t i); /* i-th, NULL past the end */
size_t pt_cli_nargs(const struct pt_cli *cli);
const char *pt_cli_arg(const struct pt_cli *cli, size_t i); /* NULL past the end */
bool pt_cli_quiet(const struct pt_cli *cli);

/* One line on stderr and exit code 1: "petrosa import: text". */
int pt_cli_fail(const struct pt_cli *cli, const struct pt_err *err);
/* One line and a hint to `petrosa help NAME`; exit code 2. */
int pt_cli_usage(const struct pt_cli *cli, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Typed options; wrong text is wrong usage: they print it and return false. Absent: *out untouched,
 * true. */
bool pt_cli_time(const struct pt_cli *cli, const char *option, int64_t *us);
bool pt_cli_period(const struct pt_cli *cli, const char *option, int64_t *period_us);
bool pt_cli_symbol(const struct pt_cli *cli, const char *option, char *out); /* [PT_SYMBOL_MAX] */

/* PT_ENOENT (and the other failures of opening) when there is no store yet: for commands that
 * compute on what is stored, and would make an empty one of a path that is mistyped. */
enum pt_code pt_cli_need_store(const struct pt_cli *cli, struct pt_err *err);

/* True after Ctrl-C or SIGTERM, once pt_cli_catch_signals was called; a second Ctrl-C kills. */
void pt_cli_catch_signals(void);
bool pt_cli_stopped(void);

/* help.c */
int pt_help_overview(void);
int pt_help_command(const struct pt_command *command);
int pt_help_man(void);

#endif
