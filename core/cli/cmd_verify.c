/* cmd_verify.c - checks every chunk and document of the store. */
#include "cli/commands.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>

static void fault(void *arg, const char *where, const char *what)
{
    (void)arg;
    printf("damaged: %s: %s\n", where, what);
}

static int run(struct pt_cli *cli)
{
    struct pt_err err = { 0 };
    struct pt_store *store = NULL;
    struct pt_verify sums = { 0 };
    struct pt_store_opts opts = { .path = pt_conf_text(pt_cli_conf(cli), "store", "path"),
                                  .readonly = true };
    enum pt_code rc = pt_store_open(&opts, &store, &err);
    if (rc == PT_OK) rc = pt_store_verify(store, fault, NULL, &sums, &err);
    if (store != NULL && (rc == PT_OK || rc == PT_EDAMAGE)) /* else nothing was looked at */
        printf("%s: %" PRIu64 " series, %" PRIu64 " chunks, %" PRIu64 " rows, %" PRIu64
               " documents, %" PRIu64 " damaged\n",
               opts.path, sums.series, sums.chunks, sums.rows, sums.docs, sums.damaged);
    pt_store_close(store);
    return rc == PT_OK ? 0 : pt_cli_fail(cli, &err);
}

const struct pt_command pt_cmd_verify = {
    .name = "verify",
    .args = "",
    .about = "checks every chunk and document of the store",
    .text = "Reads everything: checksums, order, counts. Each fault is printed; the exit code is 1 "
            "when there is any, or when "
            "there is no store. May run beside a daemon.",
    .run = run,
};
