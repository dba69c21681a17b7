#include "base/conf.h"
#include "base/timefmt.h"
#include "prng.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct pt_err err;

static struct pt_conf *new_conf(void)
{
    struct pt_conf *conf = NULL;
    CU_ASSERT_EQUAL_FATAL(pt_conf_new(&conf, &err), PT_OK);
    return conf;
}

static enum pt_code load(struct pt_conf *conf, const char *text)
{
    memset(&err, 0, sizeof err);
    size_t len = strlen(text);
    char *exact = malloc(len > 0 ? len : 1);
    memcpy(exact, text, len);
    enum pt_code rc = pt_conf_load_text(conf, "a.conf", exact, len, &err);
    free(exact);
    return rc;
}

/* The text must fail, and the error must hold `words`. */
static void check_mistake(const char *text, const char *words)
{
    struct pt_conf *conf = new_conf();
    struct pt_buf before = { 0 }, after = { 0 };
    pt_conf_print(conf, &before);
    CU_ASSERT_EQUAL(load(conf, text), PT_EINVAL);
    CU_ASSERT_EQUAL(err.code, PT_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
    if (strstr(err.text, words) == NULL) printf("[%s] ", err.text);
    pt_conf_print(conf, &after); /* nothing of it was applied */
    CU_ASSERT_STRING_EQUAL(after.data, before.data);
    pt_buf_fini(&before);
    pt_buf_fini(&after);
    pt_conf_free(conf);
}

static void test_every_key_has_a_good_default(void)
{
    struct pt_conf *conf = new_conf();
    for (const struct pt_conf_key *key = pt_conf_keys; key->section != NULL; key++) {
        CU_ASSERT_FATAL(key->key != NULL && key->fallback != NULL);
        CU_ASSERT_FATAL(key->help != NULL && key->help[0] != '\0');
        CU_ASSERT_STRING_EQUAL(pt_conf_text(conf, key->section, key->key), key->fallback);
        for (const struct pt_conf_key *other = pt_conf_keys; other != key; other++) {
            CU_ASSERT_FALSE(strcmp(other->section, key->section) == 0 &&
                            strcmp(other->key, key->key) == 0);
        }
    }
    CU_ASSERT_STRING_EQUAL(pt_conf_text(conf, "http", "bind"), "127.0.0.1");
    CU_ASSERT_EQUAL(pt_conf_int(conf, "http", "port"), 8000);
    CU_ASSERT_EQUAL(pt_conf_int(conf, "store", "commit_interval"), 100000);
    CU_ASSERT_EQUAL(pt_conf_int(conf, "store", "max_size"), INT64_C(256) << 30);
    CU_ASSERT_EQUAL(pt_conf_int(conf, "scripts", "call_budget"), 200000);
    CU_ASSERT_EQUAL(pt_conf_int(conf, "cycle", "interval"), 15 * PT_US_MIN);
    CU_ASSERT_FALSE(pt_conf_bool(conf, "http", "protect_reads"));
    CU_ASSERT_PTR_NULL(pt_conf_item(conf, "store", "keep", 0));
    CU_ASSERT_PTR_NOT_NULL(pt_conf_item(conf, "scripts", "path", 0));
    pt_conf_free(conf);
    pt_conf_free(NULL);
}

static void test_reads_a_file(void)
{
    struct pt_conf *conf = new_conf();
    CU_ASSERT_EQUAL(load(conf, "\xef\xbb\xbf# head\r\n"
                               "; more\n"
                               "\n"
                               "[http]   # of the API\n"
                               "  port=9000\r\n"
                               "bind =  0.0.0.0   # all of them\n"
                               "max_body = 2MiB ; two\n"
                               "protect_reads = YES\n"
                               "cors = https://a.example/#top\n"
                               "token_file = \" /etc/a \\\"b\\\" \\\\ # c \" # quoted\n"
                               "[ store ]\n"
                               "sync = FULL\n"
                               "keep = candles/1m=90d , trades=7d,,\n"
                               "[http]\n"
                               "idle_timeout = 2m"),
                    PT_OK);
    CU_ASSERT_EQUAL(pt_conf_int(conf, "http", "port"), 9000);
    CU_ASSERT_STRING_EQUAL(pt_conf_text(conf, "http", "bind"), "0.0.0.0");
    CU_ASSERT_EQUAL(pt_conf_int(conf, "http", "max_body"), 2 << 20);
    CU_ASSERT_TRUE(pt_conf_bool(conf, "http", "protect_reads"));
    CU_ASSERT_STRING_EQUAL(pt_conf_text(conf, "http", "cors"), "https://a.example/#top");
    CU_ASSERT_STRING_EQUAL(pt_conf_text(conf, "http", "token_file"), " /etc/a \"b\" \\ # c ");
    CU_ASSERT_STRING_EQUAL(pt_conf_text(conf, "store", "sync"), "full");
    CU_ASSERT_EQUAL(pt_conf_int(conf, "http", "idle_timeout"), 2 * PT_US_MIN);
    CU_ASSERT_STRING_EQUAL(pt_conf_item(conf, "store", "keep", 0), "candles/1m=90d");
    CU_ASSERT_STRING_EQUAL(pt_conf_item(conf, "store", "keep", 1), "trades=7d");
    CU_ASSERT_PTR_NULL(pt_conf_item(conf, "store", "keep", 2));
    pt_conf_free(conf);
}

static void test_names_the_place_and_the_nearest_key(void)
{
    check_mistake("[http]\n\nprot = 1\n", "a.conf:3: unknown key http.prot, nearest is http.port");
    check_mistake("[http]\ninterval = 1m\n", "nearest is cycle.interval");
    check_mistake("[htpp]\nport = 1\n", "a.conf:1: unknown section [htpp], nearest is [http]");
    check_mistake("[calculater deviation]\n",
                  "unknown section [calculater], nearest is [calculator]");
    check_mistake("[calculator]\n", "needs a name");
    check_mistake("[http main]\n", "takes no name");
    check_mistake("[feed a b]\n", "section name \"a b\"");
    check_mistake("[feed a.b]\n", "section name \"a.b\"");
    check_mistake("[feed sim]\na b = 1\n", "key \"a b\" of [feed sim]");
    check_mistake("port = 1\n", "a.conf:1: port stands before the first section");
    check_mistake("[http\nport = 1\n", "a.conf:1: section without ]");
    check_mistake("[http] x\n", "behind a section");
    check_mistake("[http]\nport\n", "neither [section] nor key = value");
    check_mistake("[http]\nport = 1\n[http]\nport = 2\n",
                  "a.conf:4: port was set before, at a.conf:2");
    check_mistake("[feed sim]\nx = 1\nx = 1\n", "a.conf:3: x was set before, at a.conf:2");
    check_mistake("[http]\nbind = \"a\n", "without its closing quote");
    check_mistake("[http]\nbind = \"a\\\n", "without its closing quote");
    check_mistake("[http]\nbind = \"a\" b\n", "behind a quoted value");
    check_mistake("[http]\nbind = a\x01\n", "control characters");
    check_mistake("[feed sim]\nbind = a\x01\n", "control characters");
}

static void test_names_bad_values(void)
{
    check_mistake("[http]\nport = 65536\n", "http.port = \"65536\" must be 0..65535");
    check_mistake("[http]\nport = -1\n", "must be 0..65535");
    check_mistake("[http]\nport = 80a\n", "is no whole number");
    check_mistake("[http]\nport =\n", "is no whole number");
    check_mistake("[http]\nport = 99999999999999999999\n", "is no whole number");
    check_mistake("[http]\nprotect_reads = maybe\n", "is neither yes nor no");
    check_mistake("[http]\nmax_body = 1MB\n", "is no size");
    check_mistake("[http]\nmax_body = 1\n", "must be 1KiB..1GiB");
    check_mistake("[cycle]\ninterval = 900\n", "is no span"); /* bare seconds: environment only */
    check_mistake("[store]\ncommit_interval = 1h\n", "must be 1ms..10s");
    check_mistake("[store]\nsync = met\n", "must be one of meta|full");
    check_mistake("[store]\nsync = meta|full\n", "must be one of meta|full");
    check_mistake("[store]\nsync =\n", "must be one of meta|full");
}

static void test_collects_all_mistakes(void)
{
    check_mistake("[http]\nport = x\nprot = 1\n[wokers]\na = 1\nb = 2\n[store]\nsync = no\n",
                  "a.conf:2: http.port = \"x\" is no whole number; "
                  "a.conf:3: unknown key http.prot, nearest is http.port; "
                  "a.conf:4: unknown section [wokers], nearest is [workers]; "
                  "a.conf:8: store.sync = \"no\" must be one of meta|full");
    struct pt_buf many = { 0 };
    pt_buf_puts(&many, "[http]\n");
    for (int i = 0; i < 100; i++) pt_buf_printf(&many, "unknown_%d = 1\n", i);
    struct pt_conf *conf = new_conf();
    CU_ASSERT_EQUAL(load(conf, many.data), PT_EINVAL);
    const char *more = strstr(err.text, "; and ");
    CU_ASSERT_FATAL(more != NULL);
    unsigned shown = 0;
    for (const char *p = strstr(err.text, "a.conf:"); p != NULL; p = strstr(p + 1, "a.conf:"))
        shown++;
    CU_ASSERT_EQUAL(shown + (unsigned)atoi(more + 6), 100);
    CU_ASSERT_STRING_EQUAL(more + strlen(more) - 5, " more");
    pt_conf_free(conf);
    pt_buf_fini(&many);
}

static void test_zero_bytes_and_size_are_refused(void)
{
    struct pt_conf *conf = new_conf();
    const char text[] = "[http]\nbind = a\0b\n";
    CU_ASSERT_EQUAL(pt_conf_load_text(conf, "z", text, sizeof text - 1, &err), PT_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "z:2: holds a zero byte"));
    size_t len = 1024 * 1024 + 1;
    char *large = malloc(len);
    memset(large, '\n', len);
    CU_ASSERT_EQUAL(pt_conf_load_text(conf, "large", large, len, &err), PT_ERANGE);
    CU_ASSERT_EQUAL(pt_conf_load_text(conf, "large", large, len - 1, &err), PT_OK);
    free(large);
    pt_conf_free(conf);
}

static void test_loads_from_disk(void)
{
    char path[] = "/tmp/pt-test-conf-XXXXXX";
    int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd >= 0);
    const char text[] = "[cycle]\nbenchmark = ETHUSDT\n";
    CU_ASSERT_EQUAL(write(fd, text, sizeof text - 1), (ssize_t)sizeof text - 1);
    close(fd);
    struct pt_conf *conf = new_conf();
    CU_ASSERT_EQUAL(pt_conf_load_file(conf, path, &err), PT_OK);
    CU_ASSERT_STRING_EQUAL(pt_conf_text(conf, "cycle", "benchmark"), "ETHUSDT");
    struct pt_buf out = { 0 };
    pt_conf_print(conf, &out);
    char expected[128];
    snprintf(expected, sizeof expected, "benchmark = ETHUSDT  # %s:2\n", path);
    CU_ASSERT_PTR_NOT_NULL(strstr(out.data, expected));
    pt_buf_fini(&out);
    unlink(path);
    CU_ASSERT_EQUAL(pt_conf_load_file(conf, path, &err), PT_ENOENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
    CU_ASSERT_EQUAL(pt_conf_load_file(conf, "/tmp", &err), PT_EIO);
    CU_ASSERT_STRING_EQUAL(pt_conf_text(conf, "cycle", "benchmark"), "ETHUSDT");
    pt_conf_free(conf);
}

static enum pt_code env(struct pt_conf *conf, const char *const *vars)
{
    memset(&err, 0, sizeof err);
    return pt_conf_load_env(conf, (char *const *)(size_t)vars, &err);
}

static void test_environment_overrides(void)
{
    struct pt_conf *conf = new_conf();
    load(conf, "[http]\nport = 1000\n[cycle]\npairs = A\n");
    const char *vars[] = { "HOME=/root",
                           "PETROSA_HTTP_PORT=9001",
                           "API_PORT=9002", /* loses against our own name */
                           "API_HOST=10.0.0.1",
                           "ANALYTICS_INTERVAL=900",
                           "SUPPORTED_PAIRS=BTCUSDT, ETHUSDT",
                           "LOG_LEVEL=WARNING",
                           "PETROSA_DATA=/data",
                           "PETROSA_CONFIG=/etc/x",
                           "PETROSA_SOURCE=x",
                           "PETROSA_BUILD=x",
                           "PETROSA_DATA_DIR=x",
                           "PETROSA_STORE_COMMIT_INTERVAL=250ms",
                           "NOT_A_VARIABLE",
                           NULL };
    CU_ASSERT_EQUAL(env(conf, vars), PT_OK);
    CU_ASSERT_EQUAL(pt_conf_int(conf, "http", "port"), 9001);
    CU_ASSERT_STRING_EQUAL(pt_conf_text(conf, "http", "bind"), "10.0.0.1");
    CU_ASSERT_EQUAL(pt_conf_int(conf, "cycle", "interval"), 15 * PT_US_MIN);
    CU_ASSERT_STRING_EQUAL(pt_conf_item(conf, "cycle", "pairs", 1), "ETHUSDT");
    CU_ASSERT_STRING_EQUAL(pt_conf_text(conf, "log", "level"), "warning");
    CU_ASSERT_STRING_EQUAL(pt_conf_text(conf, "store", "path"), "/data");
    CU_ASSERT_EQUAL(pt_conf_int(conf, "store", "commit_interval"), 250000);
    struct pt_buf out = { 0 };
    pt_conf_print(conf, &out);
    CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "port = 9001  # env PETROSA_HTTP_PORT\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "bind = 10.0.0.1  # env API_HOST\n"));
    pt_buf_fini(&out);
    pt_conf_free(conf);
}

static void test_environment_mistakes_are_named(void)
{
    struct pt_conf *conf = new_conf();
    const char *unknown[] = { "PETROSA_HTTP_PROT=1", "PETROSA_HTTP_BIND=1.1.1.1", NULL };
    CU_ASSERT_EQUAL(env(conf, unknown), PT_EINVAL);
    CU_ASSERT_STRING_EQUAL(err.text, "env PETROSA_HTTP_PROT: unknown variable, "
                                     "nearest is PETROSA_HTTP_PORT");
    CU_ASSERT_STRING_EQUAL(pt_conf_text(conf, "http", "bind"), "127.0.0.1");
    const char *service_link[] = { "API_PORT=tcp://10.0.0.1:8000", NULL };
    CU_ASSERT_EQUAL(env(conf, service_link), PT_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "env API_PORT: http.port"));
    const char *bare[] = { "PETROSA_CYCLE_INTERVAL=900", NULL };
    CU_ASSERT_EQUAL(env(conf, bare), PT_EINVAL);
    const char *small[] = { "ANALYTICS_INTERVAL=0", NULL };
    CU_ASSERT_EQUAL(env(conf, small), PT_EINVAL);
    const char *empty[] = { "API_PORT=", "SUPPORTED_PAIRS=", NULL }; /* as if not set */
    CU_ASSERT_EQUAL(env(conf, empty), PT_OK);
    CU_ASSERT_EQUAL(pt_conf_int(conf, "http", "port"), 8000);
    pt_conf_free(conf);
}

static void test_sets_one_key(void)
{
    struct pt_conf *conf = new_conf();
    CU_ASSERT_EQUAL(pt_conf_set(conf, "http.port=0", &err), PT_OK);
    CU_ASSERT_EQUAL(pt_conf_set(conf, " http . port = 81 ", &err), PT_OK);
    CU_ASSERT_EQUAL(pt_conf_int(conf, "http", "port"), 81);
    CU_ASSERT_EQUAL(pt_conf_set(conf, "store.keep=candles/1m=90d,trades=7d", &err), PT_OK);
    CU_ASSERT_STRING_EQUAL(pt_conf_item(conf, "store", "keep", 0), "candles/1m=90d");
    CU_ASSERT_EQUAL(pt_conf_set(conf, "feed sim.seed=7", &err), PT_OK);
    CU_ASSERT_STRING_EQUAL(pt_conf_named(conf, "feed", "sim", "seed"), "7");
    CU_ASSERT_EQUAL(pt_conf_set(conf, "mirror mongo.url=mongodb://a.b/?x=1", &err), PT_OK);
    CU_ASSERT_STRING_EQUAL(pt_conf_named(conf, "mirror", "mongo", "url"), "mongodb://a.b/?x=1");
    static const char *const bad[] = {
        "",           "http",        "http.port",      "http=1.5", "http.pot=",
        "feed.ring=", "x.y=1",       "calculator.x=1", ".port=1",  "http x.port=1",
        "feed .x=1=", "feed sim.=1", "http.bind=a\nb"
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        memset(&err, 0, sizeof err);
        CU_ASSERT_EQUAL(pt_conf_set(conf, bad[i], &err), PT_EINVAL);
        CU_ASSERT_EQUAL(strncmp(err.text, "--set", 5), 0);
    }
    pt_conf_free(conf);
}

struct seen {
    char text[256];
    unsigned left;
};

static bool note(void *arg, const char *kind, const char *name, const char *key, const char *value,
                 const char *source)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->text);
    snprintf(seen->text + len, sizeof seen->text - len, "%s %s.%s=%s (%s);", kind, name, key, value,
             source);
    return --seen->left > 0;
}

static void test_named_sections_are_open(void)
{
    struct pt_conf *conf = new_conf();
    CU_ASSERT_EQUAL(load(conf, "[feed sim]\nseed = 1\nSpeed-x.y =\n[calculator deviation]\n"
                               "window = 30\n[feed]\nenabled = sim\n[feed other]\nseed = 2\n"),
                    PT_OK);
    CU_ASSERT_EQUAL(load(conf, "[feed sim]\nseed = 3\n"), PT_OK); /* later wins, in its place */
    struct seen seen = { .left = 99 };
    pt_conf_each_named(conf, "feed", note, &seen);
    CU_ASSERT_STRING_EQUAL(seen.text, "feed sim.seed=3 (a.conf:2);feed sim.Speed-x.y= (a.conf:3);"
                                      "feed other.seed=2 (a.conf:9);");
    struct seen one = { .left = 1 };
    pt_conf_each_named(conf, "feed", note, &one);
    CU_ASSERT_STRING_EQUAL(one.text, "feed sim.seed=3 (a.conf:2);");
    CU_ASSERT_STRING_EQUAL(pt_conf_named(conf, "calculator", "deviation", "window"), "30");
    CU_ASSERT_PTR_NULL(pt_conf_named(conf, "calculator", "deviation", "Window"));
    CU_ASSERT_PTR_NULL(pt_conf_named(conf, "sink", "sim", "seed"));
    CU_ASSERT_STRING_EQUAL(pt_conf_item(conf, "feed", "enabled", 0), "sim");
    pt_conf_free(conf);
}

static void test_what_is_printed_reads_back(void)
{
    struct pt_conf *conf = new_conf(), *copy = new_conf();
    static const char *const sets[] = {
        "http.port=1",        "http.cors=a # b",     "http.token_file=\"quoted\" \\ ;x",
        "http.bind=#",        "store.path=a;b#c",    "scripts.path=a b, c",
        "cycle.pairs=",       "feed sim.seed=1",     "sink file.path=/x y",
        "feed sim.text= \\ ", "feed sim.hash=a\t# b"
    };
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        CU_ASSERT_EQUAL_FATAL(pt_conf_set(conf, sets[i], &err), PT_OK);
    struct pt_buf out = { 0 };
    pt_conf_print(conf, &out);
    CU_ASSERT_EQUAL(load(copy, out.data), PT_OK);
    for (const struct pt_conf_key *key = pt_conf_keys; key->section != NULL; key++) {
        CU_ASSERT_STRING_EQUAL(pt_conf_text(copy, key->section, key->key),
                               pt_conf_text(conf, key->section, key->key));
    }
    CU_ASSERT_STRING_EQUAL(pt_conf_named(copy, "feed", "sim", "text"), "\\");
    CU_ASSERT_STRING_EQUAL(pt_conf_named(copy, "feed", "sim", "hash"), "a\t# b");
    CU_ASSERT_STRING_EQUAL(pt_conf_named(copy, "sink", "file", "path"), "/x y");
    pt_buf_fini(&out);
    pt_conf_free(conf);
    pt_conf_free(copy);
}

/* The shipped file with its settings switched on; false when there is none. */
static bool read_manual(struct pt_buf *text)
{
    const char *source = getenv("PETROSA_SOURCE");
    char path[1024], line[4096];
    if (source == NULL) return false;
    snprintf(path, sizeof path, "%s/etc/petrosa.conf", source);
    FILE *file = fopen(path, "r");
    if (file == NULL) return false;
    while (fgets(line, sizeof line, file) != NULL) {
        bool off = line[0] == '#' && ((line[1] >= 'a' && line[1] <= 'z') || line[1] == '[');
        pt_buf_puts(text, off ? line + 1 : line);
    }
    fclose(file);
    return true;
}

static void test_the_manual_shows_every_default(void)
{
    struct pt_buf text = { 0 };
    if (!read_manual(&text)) {
        pt_skip("PETROSA_SOURCE/etc/petrosa.conf is not there");
        return;
    }
    struct pt_conf *conf = new_conf();
    CU_ASSERT_EQUAL(load(conf, text.data), PT_OK);
    if (err.code != PT_OK) printf("[%s] ", err.text);
    struct pt_buf out = { 0 };
    pt_conf_print(conf, &out);
    CU_ASSERT_PTR_NULL(strstr(out.data, "# default")); /* each key stands in it */
    for (const struct pt_conf_key *key = pt_conf_keys; key->section != NULL; key++) {
        CU_ASSERT_STRING_EQUAL(pt_conf_text(conf, key->section, key->key), key->fallback);
    }
    pt_buf_fini(&out);
    pt_buf_fini(&text);
    pt_conf_free(conf);
}

static void test_the_manual_says_what_a_reload_applies(void)
{
    struct pt_buf text = { 0 }, line = { 0 };
    if (!read_manual(&text)) {
        pt_skip("PETROSA_SOURCE/etc/petrosa.conf is not there");
        return;
    }
    for (const struct pt_conf_key *key = pt_conf_keys; key->section != NULL;) {
        const char *section = key->section;
        unsigned n = 0;
        pt_buf_clear(&line);
        pt_buf_printf(&line, "\n[%s]\n# A reload applies", section);
        for (; key->section != NULL && strcmp(key->section, section) == 0; key++) {
            if (key->live) pt_buf_printf(&line, "%s%s", n++ > 0 ? ", " : ": ", key->key);
        }
        pt_buf_puts(&line, n > 0 ? ".\n" : " nothing here.\n");
        if (strstr(text.data, line.data) == NULL) printf("[%s] ", line.data);
        CU_ASSERT_PTR_NOT_NULL(strstr(text.data, line.data));
    }
    pt_buf_fini(&line);
    pt_buf_fini(&text);
}

static void note_difference(void *arg, const char *section, const char *name, const char *key,
                            bool live)
{
    pt_buf_printf(arg, "%s %s %s %d;", section, name != NULL ? name : "-", key, live);
}

static void test_differences_are_named_and_references_shared(void)
{
    struct pt_conf *a = new_conf(), *b = new_conf();
    struct pt_buf out = { 0 };
    CU_ASSERT_EQUAL(pt_conf_set(a, "feed sim.seed=7", &err), PT_OK);
    CU_ASSERT_EQUAL(pt_conf_set(a, "feed sim.speed=1", &err), PT_OK);
    CU_ASSERT_EQUAL(pt_conf_set(b, "feed sim.speed=1", &err), PT_OK);
    pt_conf_differences(a, a, note_difference, &out);
    CU_ASSERT_EQUAL(out.len, 0);
    CU_ASSERT_EQUAL(pt_conf_set(b, "http.port=1", &err), PT_OK);
    CU_ASSERT_EQUAL(pt_conf_set(b, "cycle.interval=1m", &err), PT_OK);
    CU_ASSERT_EQUAL(pt_conf_set(b, "mirror mongo.url=x", &err), PT_OK);
    pt_conf_differences(a, b, note_difference, &out);
    CU_ASSERT_STRING_EQUAL(out.data,
                           "http - port 0;cycle - interval 1;feed sim seed 1;mirror mongo url 0;");
    pt_buf_fini(&out);
    CU_ASSERT_PTR_EQUAL(pt_conf_ref(a), a);
    pt_conf_free(a);
    CU_ASSERT_STRING_EQUAL(pt_conf_named(a, "feed", "sim", "seed"), "7"); /* one is left */
    pt_conf_free(a);
    pt_conf_free(b);
}

static void test_survives_random_files(void)
{
    static const char *const parts[] = { "[",    "]",        "http", "feed sim", "port", "=",
                                         "\n",   "\r\n",     " ",    "\t",       "#",    ";",
                                         "\"",   "\\",       "1",    "seed",     "\xff", "[http]",
                                         "bind", "[feed x]", "\x01", "a.b" };
    uint64_t seed = 1;
    unsigned good = 0, bad = 0;
    for (int i = 0; i < 20000; i++) {
        struct pt_buf text = { 0 };
        unsigned n = prng_below(&seed, 20);
        for (unsigned j = 0; j < n; j++)
            pt_buf_puts(&text, parts[prng_below(&seed, sizeof parts / sizeof parts[0])]);
        struct pt_conf *conf = new_conf();
        enum pt_code rc = load(conf, text.len > 0 ? text.data : "");
        CU_ASSERT_FATAL(rc == PT_OK || (rc == PT_EINVAL && err.text[0] != '\0'));
        if (rc == PT_OK) {
            good++;
        } else {
            bad++;
        }
        pt_conf_free(conf);
        pt_buf_fini(&text);
    }
    CU_ASSERT(good > 100 && bad > 100);
}

static CU_TestInfo tests[] = {
    { "every key has a good default", test_every_key_has_a_good_default },
    { "reads a file", test_reads_a_file },
    { "names the place and the nearest key", test_names_the_place_and_the_nearest_key },
    { "names bad values", test_names_bad_values },
    { "collects all mistakes", test_collects_all_mistakes },
    { "zero bytes and size are refused", test_zero_bytes_and_size_are_refused },
    { "loads from disk", test_loads_from_disk },
    { "environment overrides", test_environment_overrides },
    { "environment mistakes are named", test_environment_mistakes_are_named },
    { "sets one key", test_sets_one_key },
    { "named sections are open", test_named_sections_are_open },
    { "what is printed reads back", test_what_is_printed_reads_back },
    { "the manual shows every default", test_the_manual_shows_every_default },
    { "the manual says what a reload applies", test_the_manual_says_what_a_reload_applies },
    { "differences are named, references shared",
      test_differences_are_named_and_references_shared },
    { "survives random files", test_survives_random_files },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("conf", tests);
}
