/* cmd_status.c - asks the running daemon how it is. */
#include "cli/commands.h"
#include "cli/fetch.h"

#include <stdio.h>
#include <stdlib.h>

static const struct pt_cli_option options[] = {
    { "url", "URL", "of the daemon (default from [http] bind and port)", false },
    { NULL, NULL, NULL, false },
};

static int run(struct pt_cli *cli)
{
    static const char *const paths[] = { "/health/readiness", "/scripts" };
    struct pt_err err = { 0 };
    bool ready = true;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct pt_buf body = { 0 };
        int status = 0;
        enum pt_code rc =
            pt_fetch(pt_cli_conf(cli), pt_cli_value(cli, "url"), paths[i], &status, &body, &err);
        if (rc == PT_OK && status != 200 && (i > 0 || status != 503))
            rc = pt_fail(&err, PT_EIO, "GET %s was answered with status %d: %.200s", paths[i],
                         status, body.data);
        if (rc == PT_OK) printf("%s\n", body.data);
        if (rc == PT_OK && i == 0) ready = status == 200;
        pt_buf_fini(&body);
        if (rc != PT_OK) return pt_cli_fail(cli, &err);
    }
    if (ready) return 0;
    pt_fail(&err, PT_EBUSY, "the daemon is not ready; see `components` above");
    return pt_cli_fail(cli, &err);
}

const struct pt_command pt_cmd_status = {
    .name = "status",
    .args = "",
    .about = "asks the running daemon how it is",
    .text = "Prints its readiness and its scripts, as JSON. Exit code 1 when it is not ready or "
            "does not answer.",
    .options = options,
    .run = run,
};
