/* cmd_config.c - the configuration in force and where each value came from. */
#include "cli/commands.h"

#include <stdio.h>

static int run(struct pt_cli *cli)
{
    struct pt_buf out = { 0 };
    pt_conf_print(pt_cli_conf(cli), &out);
    bool failed = out.failed;
    if (!failed) fwrite(out.data, 1, out.len, stdout);
    pt_buf_fini(&out);
    if (!failed) return 0;
    struct pt_err err;
    pt_fail(&err, PT_ENOMEM, "out of memory");
    return pt_cli_fail(cli, &err);
}

const struct pt_command pt_cmd_config = {
    .name = "config",
    .args = "",
    .about = "prints every configuration key, its value and where it came from",
    .text =
        "Values come from the defaults, then the configuration file, then the environment "
        "(PETROSA_SECTION_KEY and "
        "the names of the original system, such as API_PORT), then --data and --set; later wins. "
        "etc/petrosa.conf explains every key.",
    .run = run,
};
