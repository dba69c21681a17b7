/* path.h - which instruction set the kernels run on.                           [layer: num]
 * Every path gives the same bits: sums run over 8 explicit lanes in a fixed order, nothing is
 * fused. (log, exp and pow come from libm: same bits for the same glibc.) The best path that the
 * processor has is chosen at the first call; choosing another is for tests and benchmarks. */
#ifndef PT_PATH_H
#define PT_PATH_H

#include <stdbool.h>

/* Number of paths built in; path 0 runs everywhere. */
int pt_num_paths(void);

/* "base", "avx2", "avx512"; static; NULL when there is no such path. */
const char *pt_num_path_name(int path);

/* Uses this path from now on, in all threads; false (and no change) when the processor lacks it. */
bool pt_num_use_path(int path);

/* The path in use. */
int pt_num_path(void);

#endif
