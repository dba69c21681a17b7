/* What every processor of the family runs (SSE2 on x86-64). */
#include "num/wide.h"
#define LANES 2
#define PT_WIDE_TABLE pt_wide_base
#define PT_WIDE_NAME "base"
#include "num/wide_body.h"
