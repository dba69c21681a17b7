/* cmd_help.c - the command table as words. */
#include "cli/commands.h"

#include <string.h>

static const struct pt_cli_option options[] = {
    { "man", NULL, "the whole manual page, as roff", false },
    { NULL, NULL, NULL, false },
};

static int run(struct pt_cli *cli)
{
    if (pt_cli_has(cli, "man")) return pt_help_man();
    const char *name = pt_cli_arg(cli, 0);
    if (name == NULL) return pt_help_overview();
    for (size_t i = 0; pt_commands[i] != NULL; i++)
        if (strcmp(pt_commands[i]->name, name) == 0) return pt_help_command(pt_commands[i]);
    return pt_cli_usage(cli, "there is no command \"%s\"", name);
}

const struct pt_command pt_cmd_help = {
    .name = "help",
    .args = "[COMMAND]",
    .about = "this list, or one command with all its options",
    .text = "",
    .options = options,
    .max_args = 1,
    .no_conf = true,
    .run = run,
};
