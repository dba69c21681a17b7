#include "num/path.h"

#include <stdatomic.h>

#include "num/wide.h"

static const struct pt_wide *const paths[] = {
    &pt_wide_base,
#ifdef __x86_64__
    &pt_wide_avx2,
    &pt_wide_avx512,
#endif
};
enum { PATHS = sizeof(paths) / sizeof(paths[0]) };

static _Atomic int in_use = -1; /* not chosen yet */

static bool has(int path)
{
#ifdef __x86_64__
    if (path == 1) return __builtin_cpu_supports("avx2");
    if (path == 2)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#endif
    return path == 0;
}

int pt_num_paths(void)
{
    return PATHS;
}

const char *pt_num_path_name(int path)
{
    return path >= 0 && path < PATHS ? paths[path]->name : NULL;
}

bool pt_num_use_path(int path)
{
    if (path < 0 || path >= PATHS || !has(path)) return false;
    atomic_store_explicit(&in_use, path, memory_order_relaxed);
    return true;
}

int pt_num_path(void)
{
    int path = atomic_load_explicit(&in_use, memory_order_relaxed);
    if (path >= 0) return path;
    path = PATHS - 1;
    while (!has(path)) path--;
    atomic_store_explicit(&in_use, path, memory_order_relaxed);
    return path;
}

const struct pt_wide *pt_wide(void)
{
    return paths[pt_num_path()];
}
