/* cmd_demo.c - `serve` on a throw-away store with a simulated market: nothing to install, nothing
 * left behind. */
#include "cli/commands.h"
#include "cli/daemon.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct pt_cli_option options[] = {
    { "port", "N", "the same as --set http.port=N; 0 = any free port, printed", false },
    { NULL, NULL, NULL, false },
};

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info;
    (void)type;
    (void)at;
    return remove(path);
}

/* folder: of the store. */
static void say(void *folder, const char *url)
{
    printf("\n"
           "A simulated market of five symbols: 90 days of one-minute bars are being loaded now (a "
           "few seconds),\n"
           "then it goes on live, one bar a minute.\n\n"
           "  open  %s/docs\n\n"
           "  try   curl '%s/analysis/volatility?pair=BTCUSDT&period=1h'\n"
           "        curl '%s/analysis/deviation?pair=SOLUSDT&period=5m&window=50'\n"
           "        curl '%s/analysis/spread?pair=BTCUSDT'\n"
           "        curl '%s/analysis/correlation?period=1h&window=7d'\n"
           "        curl '%s/analysis/market-overview'\n"
           "        curl '%s/data/candles?pair=ADAUSDT&period=15m&limit=4'\n"
           "        curl -X POST '%s/anomalies/detect?pair=BTCUSDT&method=mad'\n"
           "        curl '%s/health/readiness'\n"
           "        %s eval trend --pair BTCUSDT --data %s\n\n"
           "Edit a script in scripts/ while it runs, then: %s reload --url %s\n"
           "Ctrl-C stops it and removes its store.\n\n",
           url, url, url, url, url, url, url, url, url, program_invocation_name,
           (const char *)folder, program_invocation_name, url);
    fflush(stdout);
}

static int run(struct pt_cli *cli)
{
    struct pt_err err = { 0 };
    const char *tmp = getenv("TMPDIR");
    char folder[512], assignment[600];
    if (!pt_daemon_port(cli)) return 2;
    snprintf(folder, sizeof folder, "%s/petrosa-demo-XXXXXX", tmp != NULL && tmp[0] ? tmp : "/tmp");
    if (mkdtemp(folder) == NULL) {
        pt_fail(&err, PT_EIO, "%s: %s", folder, strerror(errno));
        return pt_cli_fail(cli, &err);
    }
    snprintf(assignment, sizeof assignment, "store.path=%s", folder);
    enum pt_code rc = pt_cli_conf_set(cli, assignment, &err);
    if (rc == PT_OK) rc = pt_cli_conf_set(cli, "feed.enabled=sim", &err);
    if (rc == PT_OK) rc = pt_daemon_run(cli, say, folder, &err);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return rc == PT_OK ? 0 : pt_cli_fail(cli, &err);
}

const struct pt_command pt_cmd_demo = {
    .name = "demo",
    .args = "",
    .about = "the daemon on a throw-away store with a simulated market",
    .text = "Five symbols, 90 days of history and a live feed of candles, trades, books and "
            "funding. Prints what to open and what "
            "to try. The market is reproducible: --set 'feed sim.seed=7' shows another one, always "
            "the same. The store is "
            "removed at the end.",
    .options = options,
    .run = run,
};
