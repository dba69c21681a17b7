/* kit.h - what the suites of core/flow share: a scratch folder with scripts, and a loop to wait on.
 */
#ifndef PT_FLOW_KIT_H
#define PT_FLOW_KIT_H

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "flow/loop.h"
#include "flow/pool.h"
#include "suite.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define T0 INT64_C(1735689600000000) /* 2025-01-01 */

static struct pt_err kit_err;
static char kit_dir[256]; /* of the running test: DIR/scripts/calculators/..., DIR/store */

/* Code that must be PT_OK; prints what went wrong. */
#define OK(call)                                                                                   \
    do {                                                                                           \
        enum pt_code ok_ = (call);                                                                 \
        if (ok_ != PT_OK) printf("\n  %s:%d: %s\n", __FILE__, __LINE__, kit_err.text);             \
        CU_ASSERT_EQUAL_FATAL(ok_, PT_OK);                                                         \
    } while (0)

static inline int kit_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static inline void kit_path(char out[PATH_MAX], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static inline void kit_path(char out[PATH_MAX], const char *fmt, ...)
{
    va_list args;
    int n = snprintf(out, PATH_MAX, "%s/", kit_dir);
    va_start(args, fmt);
    vsnprintf(out + n, PATH_MAX - (size_t)n, fmt, args);
    va_end(args);
}

static inline void kit_begin(void)
{
    const char *const folders[] = { "scripts", "scripts/calculators", "scripts/regimes",
                                    "scripts/lib", NULL };
    const char *tmp = getenv("TMPDIR");
    char path[PATH_MAX];
    snprintf(kit_dir, sizeof kit_dir, "%s/pt-flow-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(kit_dir)) abort();
    for (const char *const *folder = folders; *folder; folder++) {
        kit_path(path, "%s", *folder);
        if (mkdir(path, 0700) != 0) abort();
    }
}

static inline void kit_end(void)
{
    nftw(kit_dir, kit_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void kit_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0) abort();
}

/* DIR/scripts/calculators/FILE.lua */
static inline void kit_script(const char *file, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static inline void kit_script(const char *file, const char *fmt, ...)
{
    char path[PATH_MAX], text[2048];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    kit_path(path, "scripts/calculators/%s.lua", file);
    kit_write(path, text);
}

/* A file beside this program: the fake worker, the plugins. */
static inline void kit_beside(char out[PATH_MAX], const char *name)
{
    char exe[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n <= 0) abort();
    exe[n] = '\0';
    *strrchr(exe, '/') = '\0';
    if ((size_t)snprintf(out, PATH_MAX, "%s/%s", exe, name) >= PATH_MAX) abort();
}

static inline void kit_set(struct pt_conf *conf, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static inline void kit_set(struct pt_conf *conf, const char *fmt, ...)
{
    char text[2 * PATH_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    OK(pt_conf_set(conf, text, &kit_err));
}

/* Scripts, store and worker of this test. */
static inline struct pt_conf *kit_conf(void)
{
    struct pt_conf *conf = NULL;
    char worker[PATH_MAX];
    OK(pt_conf_new(&conf, &kit_err));
    kit_beside(worker, "fake_worker");
    kit_set(conf, "scripts.path=%s/scripts", kit_dir);
    kit_set(conf, "store.path=%s/store", kit_dir);
    kit_set(conf, "workers.path=%s", worker);
    kit_set(conf, "workers.count=2");
    return conf;
}

#endif
