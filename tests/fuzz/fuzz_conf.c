/* fuzz_conf - a configuration file of any bytes; the first byte sends them to --set or the
 * environment instead. */
#include "base/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool named(void *arg, const char *kind, const char *name, const char *key, const char *value,
                  const char *source)
{
    size_t *total = arg;
    *total += strlen(kind) + strlen(name) + strlen(key) + strlen(value) + strlen(source);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    if (fd < 0) fd = memfd_create("conf", 0);
    if (fd < 0) abort();
    if (size < 1) return 0;
    struct pt_conf *conf;
    struct pt_err err = { .code = PT_OK };
    if (pt_conf_new(&conf, &err) != PT_OK) abort();
    char *text = strndup((const char *)data + 1, size - 1);
    if (!text) abort();

    enum pt_code rc;
    if (data[0] % 4 == 1) {
        rc = pt_conf_set(conf, text, &err);
    } else if (data[0] % 4 == 2) {
        char *environment[] = { text, NULL };
        rc = pt_conf_load_env(conf, environment, &err);
    } else {
        char path[64];
        if (ftruncate(fd, 0) != 0 || pwrite(fd, data + 1, size - 1, 0) != (ssize_t)(size - 1))
            abort();
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        rc = pt_conf_load_file(conf, path, &err);
    }
    if (rc != PT_OK && err.text[0] == '\0') abort();

    struct pt_buf out = { .data = NULL };
    size_t total = 0;
    pt_conf_print(conf, &out);
    pt_conf_each_named(conf, "feed", named, &total);
    pt_buf_fini(&out);
    free(text);
    pt_conf_free(conf);
    return 0;
}
