/* script_arg.h - NAME|FILE.lua and --param K=V: the script a command is about.  [layer: cli] */
#ifndef PT_SCRIPT_ARG_H
#define PT_SCRIPT_ARG_H

#include "cli/cli.h"
#include "flow/scripts.h"

/* A path, or a name that ends with .lua: the script of that file, whether or not a folder has it.
 */
bool pt_script_is_file(const char *asked);

/* The live script that `asked` names. NULL with err: PT_ESCRIPT with file and line when it failed,
 * PT_ENOENT names those there are. Borrowed from `scripts`. */
const struct pt_script *pt_script_asked(const struct pt_scripts *scripts, const char *asked,
                                        struct pt_err *err);

/* --pair is given, except for a script of the whole market: 0, or the exit code of wrong usage. */
int pt_script_check_pair(const struct pt_cli *cli, const struct pt_script *script);

/* Line `line` of a loaded file, without the blanks around it; false when there is none. */
bool pt_script_line(const struct pt_scripts *scripts, const char *file, int64_t line,
                    struct pt_buf *out);

/* The values of --param, checked and added to `params`. PT_EINVAL. */
enum pt_code pt_script_asked_params(const struct pt_cli *cli, const struct pt_script *script,
                                    bson_t *params, struct pt_err *err);

#endif
