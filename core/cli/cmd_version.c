/* cmd_version.c - what this program is, and what it was linked with. */
#include "cli/commands.h"

#include <stdio.h>

static int run(struct pt_cli *cli)
{
    (void)cli;
    printf("petrosa %s\n%s", PT_VERSION, PT_LINKED);
    return 0;
}

const struct pt_command pt_cmd_version = {
    .name = "version",
    .args = "",
    .about = "version of petrosa and of everything it is linked with",
    .text = "",
    .no_conf = true,
    .run = run,
};
