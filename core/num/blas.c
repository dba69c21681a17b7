/* Opening OpenBLAS. */
#include "num/blas.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LIBRARY "libopenblas.so.0"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct pt_blas blas;
static char fault[200];

/* dlsym gives a void pointer, which C does not let be one to a function. */
static void find(void *library, const char *name, void *slot)
{
    void *symbol = dlsym(library, name);
    memcpy(slot, &symbol, sizeof symbol);
    if (!symbol && !*fault) snprintf(fault, sizeof fault, "%s has no %s", LIBRARY, name);
}

static void open_library(void)
{
    /* read while it is opened: else it starts a thread a core */
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    void *library = dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL);
    if (!library) {
        const char *why = dlerror();
        snprintf(fault, sizeof fault, "%.*s", (int)sizeof fault - 1, why ? why : LIBRARY);
        return;
    }
    find(library, "cblas_dsyrk", &blas.dsyrk);
    find(library, "dsyevd_", &blas.dsyevd);
    find(library, "openblas_set_num_threads", &blas.set_num_threads);
    find(library, "openblas_get_config", &blas.get_config);
    find(library, "openblas_get_corename", &blas.get_corename);
}

const struct pt_blas *pt_blas(struct pt_err *err)
{
    pthread_once(&once, open_library);
    if (!*fault) return &blas;
    pt_fail(err, PT_EIO, "OpenBLAS cannot be opened: %s", fault);
    return NULL;
}
