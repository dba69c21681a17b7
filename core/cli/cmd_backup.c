/* cmd_backup.c - a compact copy of the store, while it is in use. */
#include "cli/commands.h"
#include "store/store.h"

#include <stdio.h>

static int run(struct pt_cli *cli)
{
    struct pt_err err = { 0 };
    struct pt_store *store = NULL;
    struct pt_store_opts opts = { .path = pt_conf_text(pt_cli_conf(cli), "store", "path"),
                                  .readonly = true };
    enum pt_code rc = pt_store_open(&opts, &store, &err);
    if (rc == PT_OK) rc = pt_store_backup(store, pt_cli_arg(cli, 0), &err);
    if (rc == PT_OK && !pt_cli_quiet(cli))
        printf("%s copied to %s\n", opts.path, pt_cli_arg(cli, 0));
    pt_store_close(store);
    return rc == PT_OK ? 0 : pt_cli_fail(cli, &err);
}

const struct pt_command pt_cmd_backup = {
    .name = "backup",
    .args = "FOLDER",
    .about = "a compact copy of the store, while it is in use",
    .text = "Writes a consistent copy into FOLDER, which must not exist yet. The copy is a store: "
            "use it with --data FOLDER.",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
