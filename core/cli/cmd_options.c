/* cmd_options.c - every option of every plugin. */
#include "cli/commands.h"
#include "flow/plugins.h"

#include <stdio.h>

static int run(struct pt_cli *cli)
{
    struct pt_err err = { 0 };
    struct pt_buf out = { 0 };
    enum pt_code rc = pt_plugins_print(pt_cli_conf(cli), &out, &err);
    if (rc == PT_OK && out.failed) rc = pt_fail(&err, PT_ENOMEM, "out of memory");
    if (rc == PT_OK) fwrite(out.data, 1, out.len, stdout);
    pt_buf_fini(&out);
    return rc == PT_OK ? 0 : pt_cli_fail(cli, &err);
}

const struct pt_command pt_cmd_options = {
    .name = "options",
    .args = "",
    .about = "prints every option of every plugin: type, default, bounds, unit",
    .text = "Plugins are looked for in [plugins] path. Their options are set in a section of their "
            "own: [feed sim].",
    .run = run,
};
