/* fuzz_chunk - the chunk reader on any bytes, with their checksums put right so that it gets past
 * them. The first byte chooses the kind and whether the bytes are sealed. */
#include "base/decimal.h"
#include "store/chunk.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static double doubles[PT_CHUNK_ROWS_MAX * PT_DEPTH_LEVELS];
static int64_t val[PT_CHUNK_ROWS_MAX * PT_DEPTH_LEVELS];
static uint8_t dig[PT_CHUNK_ROWS_MAX * PT_DEPTH_LEVELS];

static void read_all(const struct pt_chunk *chunk)
{
    size_t row, half = chunk->rows / 2;
    if (pt_chunk_lower(chunk, chunk->last_us, &row) == NULL && row > chunk->rows) abort();
    for (unsigned c = 0; c < chunk->kind->ncols; c++) {
        bool decimal = chunk->kind->cols[c].type == PT_TYPE_DEC;
        size_t n = chunk->rows * chunk->kind->cols[c].width;
        if (pt_chunk_values(chunk, c, 0, chunk->rows, val, decimal ? dig : NULL) == NULL) {
            for (size_t i = 0; decimal && i < n; i++) { /* whatever is read can be used */
                char text[PT_DEC_TEXT_MAX];
                if (pt_dec_print(val[i], dig[i], text) >= sizeof text) abort();
            }
        }
        pt_chunk_values(chunk, c, half, chunk->rows - half, val, decimal ? dig : NULL);
        pt_chunk_doubles(chunk, c, 0, chunk->rows, doubles, val, dig);
        pt_chunk_doubles(chunk, c, half, chunk->rows - half, doubles, val, dig);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pt_chunk chunk;
    if (size < 1) return 0;
    const struct pt_kind *kind = pt_kind((enum pt_kind_id)(data[0] % PT_KINDS));
    uint8_t *bytes = malloc(size > 1 ? size - 1 : 1); /* a block of its own: its end is guarded */
    if (!bytes) return 0;
    memcpy(bytes, data + 1, size - 1);
    if (data[0] < 128 && !pt_chunk_seal(bytes, size - 1)) {
        free(bytes);
        return 0;
    }
    if (pt_chunk_open(bytes, size - 1, kind, &chunk) == NULL) read_all(&chunk);
    free(bytes);
    return 0;
}
