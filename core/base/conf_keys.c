/* Every fixed key of the program, in the order in which `petrosa config` prints them. */
#include "base/conf.h"

#include "base/timefmt.h"

#ifndef PT_SCRIPT_DIR
#define PT_SCRIPT_DIR "/usr/share/petrosa/scripts"
#endif
#ifndef PT_PLUGIN_DIR
#define PT_PLUGIN_DIR "/usr/lib/petrosa/plugins"
#endif

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define MSEC INT64_C(1000)

/* clang-format off */
const struct pt_conf_key pt_conf_keys[] = {
    { .section = "store", .key = "path", .type = PT_CONF_TEXT, .fallback = "/var/lib/petrosa",
      .unit = "folder", .env = "PETROSA_DATA",
      .help = "where the store lives; made when it is not there" },
    { .section = "store", .key = "sync", .type = PT_CONF_TEXT, .fallback = "meta", .words = "meta|full",
      .help = "meta: a power cut may lose the last commits, never the store; full: loses nothing, "
              "every commit waits for the disk twice" },
    { .section = "store", .key = "max_size", .type = PT_CONF_SIZE, .fallback = "256GiB",
      .min = 16 * MIB, .max = 64 * 1024 * GIB, .unit = "bytes",
      .help = "most the store file may grow to; address space, not disk, is set aside" },
    { .section = "store", .key = "commit_interval", .type = PT_CONF_SPAN, .fallback = "100ms",
      .min = MSEC, .max = 10 * PT_US_SEC, .unit = "span",
      .help = "how long rows are gathered before they are committed together" },
    { .section = "store", .key = "commit_rows", .type = PT_CONF_INT, .fallback = "50000",
      .min = 1, .max = 10000000, .unit = "rows",
      .help = "so many rows are committed without waiting for commit_interval" },
    { .section = "store", .key = "keep", .type = PT_CONF_LIST, .fallback = "",
      .unit = "kind[/period]=span",
      .live = true,
      .help = "what is older is deleted: candles/1m=90d, trades=7d, anomalies=365d; empty: nothing is "
              "ever deleted" },

    { .section = "http", .key = "bind", .type = PT_CONF_TEXT, .fallback = "127.0.0.1",
      .unit = "address", .env = "API_HOST",
      .help = "address to listen on; 0.0.0.0 opens the service to the network, set token_file then" },
    { .section = "http", .key = "port", .type = PT_CONF_INT, .fallback = "8000",
      .min = 0, .max = 65535, .unit = "port", .env = "API_PORT",
      .help = "0 takes any free port, which the ready line names" },
    { .section = "http", .key = "threads", .type = PT_CONF_INT, .fallback = "2",
      .min = 1, .max = 64, .unit = "threads", .help = "threads that answer requests" },
    { .section = "http", .key = "request_timeout", .type = PT_CONF_SPAN, .fallback = "30s",
      .min = 100 * MSEC, .max = PT_US_HOUR, .unit = "span",
      .help = "time a client has to send its whole request; then 408" },
    { .section = "http", .key = "idle_timeout", .type = PT_CONF_SPAN, .fallback = "60s",
      .min = 100 * MSEC, .max = PT_US_DAY, .unit = "span",
      .help = "a connection without requests is closed after this" },
    { .section = "http", .key = "max_body", .type = PT_CONF_SIZE, .fallback = "1MiB",
      .min = KIB, .max = GIB, .unit = "bytes", .help = "longest request body; then 413" },
    { .section = "http", .key = "max_header", .type = PT_CONF_SIZE, .fallback = "32KiB",
      .min = KIB, .max = 16 * MIB, .unit = "bytes", .help = "longest request line with its headers" },
    { .section = "http", .key = "max_connections", .type = PT_CONF_INT, .fallback = "1024",
      .min = 1, .max = 65536, .unit = "connections",
      .help = "most connections open at the same time" },
    { .section = "http", .key = "cache", .type = PT_CONF_SIZE, .fallback = "16MiB",
      .min = 0, .max = 16 * GIB, .unit = "bytes",
      .help = "formatted replies kept, for each thread; 0 keeps none" },
    { .section = "http", .key = "list_keys", .type = PT_CONF_TEXT, .fallback = "seed",
      .words = "seed|data|both",
      .help = "name of the list in a reply: the seed's (values, anomalies, ...), data, or both" },
    { .section = "http", .key = "token_file", .type = PT_CONF_TEXT, .fallback = "", .unit = "file",
      .help = "file with the token that writes need as Authorization: Bearer; empty: no token" },
    { .section = "http", .key = "protect_reads", .type = PT_CONF_BOOL, .fallback = "no",
      .help = "reads need the token too" },
    { .section = "http", .key = "cors", .type = PT_CONF_TEXT, .fallback = "", .unit = "origin",
      .help = "origin whose pages may read replies (https://host, or *); empty: none" },

    { .section = "scripts", .key = "path", .type = PT_CONF_LIST, .fallback = PT_SCRIPT_DIR,
      .unit = "folders",
      .live = true,
      .help = "folders of scripts, or with calculators/, regimes/, anomalies/, alerts/ and lib/; or "
              "single files; searched in order" },
    { .section = "scripts", .key = "override", .type = PT_CONF_LIST, .fallback = "", .unit = "names",
      .live = true,
      .help = "scripts that a later folder of path may replace; of others a second one is an error" },
    { .section = "scripts", .key = "watch", .type = PT_CONF_BOOL, .fallback = "no",
      .live = true,
      .help = "reload when a script file changes, without being asked to" },
    { .section = "scripts", .key = "call_budget", .type = PT_CONF_SPAN, .fallback = "200ms",
      .min = MSEC, .max = 10 * PT_US_MIN, .unit = "span",
      .live = true,
      .help = "processor time one call of a script may take (of the whole market, and by the clock: "
              "ten times as much); then its worker is replaced" },
    { .section = "scripts", .key = "load_budget", .type = PT_CONF_SPAN, .fallback = "5s",
      .min = 10 * MSEC, .max = PT_US_HOUR, .unit = "span",
      .live = true,
      .help = "processor time loading and checking one script file may take" },
    { .section = "scripts", .key = "memory", .type = PT_CONF_SIZE, .fallback = "64MiB",
      .min = 4 * MIB, .max = 64 * GIB, .unit = "bytes",
      .live = true,
      .help = "memory the scripts of one worker may hold" },

    { .section = "workers", .key = "count", .type = PT_CONF_INT, .fallback = "0",
      .min = 0, .max = 256, .unit = "processes",
      .live = true,
      .help = "processes that run scripts; 0: one for each core. A daemon has one more, for requests" },
    { .section = "workers", .key = "path", .type = PT_CONF_TEXT, .fallback = "", .unit = "file",
      .help = "the program petrosa-worker; empty: beside this program, or in the install's libexec" },

    { .section = "cycle", .key = "interval", .type = PT_CONF_SPAN, .fallback = "15m",
      .min = PT_US_SEC, .max = 30 * PT_US_DAY, .unit = "span", .env = "ANALYTICS_INTERVAL",
      .live = true,
      .help = "time between full cycles; a closed bar makes its own units due at once" },
    { .section = "cycle", .key = "pairs", .type = PT_CONF_LIST, .fallback = "", .unit = "symbols",
      .env = "SUPPORTED_PAIRS", .live = true,
      .help = "what is computed; empty: every pair in the store" },
    { .section = "cycle", .key = "benchmark", .type = PT_CONF_TEXT, .fallback = "BTCUSDT",
      .unit = "symbol", .live = true,
      .help = "the pair that stands for the market" },

    { .section = "feed", .key = "enabled", .type = PT_CONF_LIST, .fallback = "", .unit = "names",
      .live = true,
      .help = "feed plugins to start, each with its own section [feed NAME]" },
    { .section = "feed", .key = "ring", .type = PT_CONF_SIZE, .fallback = "8MiB",
      .min = 64 * KIB, .max = 4 * GIB, .unit = "bytes",
      .help = "room between a feed and the writer, for each feed" },

    { .section = "plugins", .key = "path", .type = PT_CONF_TEXT, .fallback = PT_PLUGIN_DIR,
      .unit = "folder", .help = "where the .so files of plugins lie" },

    { .section = "log", .key = "level", .type = PT_CONF_TEXT, .fallback = "info", .env = "LOG_LEVEL",
      .words = "debug|info|warn|warning|error|critical|quiet",
      .live = true,
      .help = "least level that is logged" },
    { .section = NULL },
};
/* clang-format on */
