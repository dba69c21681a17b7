/* tail.c - single rows as values: what a series holds before it fills a chunk. [layer: store]
 * u32 low half of the xxh3 of the rest, u8 kind, 3 zero bytes, then the mantissas of all columns
 * but the keys (8 bytes each), then the digits of the decimal ones (0 for a missing value): equal
 * rows are equal bytes. */
#include "store/internal.h"

#include "base/decimal.h"

#include "store/sum.h"

#define FRONT 8

static size_t decimal_cells(const struct pt_kind *kind)
{
    size_t cells = 0;
    for (unsigned c = kind->keys; c < kind->ncols; c++)
        cells += kind->cols[c].type == PT_TYPE_DEC ? kind->cols[c].width : 0;
    return cells;
}

static size_t value_cells(const struct pt_kind *kind)
{
    return pt_kind_cells(kind) - kind->keys; /* keys have width 1 */
}

size_t pt_tail_bytes(const struct pt_kind *kind)
{
    return FRONT + value_cells(kind) * sizeof(int64_t) + decimal_cells(kind);
}

static uint32_t sum_of(const uint8_t *value, size_t len)
{
    return (uint32_t)pt_sum(value + 4, len - 4);
}

void pt_tail_encode(const struct pt_frame *frame, size_t row, uint8_t *out)
{
    const struct pt_kind *kind = frame->kind;
    uint8_t *val = out + FRONT, *dig = val + value_cells(kind) * sizeof(int64_t);
    memset(out, 0, FRONT);
    out[4] = (uint8_t)kind->id;
    for (unsigned c = kind->keys; c < kind->ncols; c++) {
        size_t width = kind->cols[c].width;
        const int64_t *cells = frame->val[c] + row * width;
        memcpy(val, cells, width * sizeof *cells);
        val += width * sizeof *cells;
        if (!frame->dig[c]) continue;
        for (size_t w = 0; w < width; w++)
            *dig++ = cells[w] == PT_MISSING ? 0 : frame->dig[c][row * width + w];
    }
    uint32_t sum = sum_of(out, pt_tail_bytes(kind));
    memcpy(out, &sum, sizeof sum);
}

const char *pt_tail_check(const struct pt_kind *kind, const MDB_val *value)
{
    const uint8_t *bytes = value->mv_data;
    uint32_t sum;
    if (value->mv_size != pt_tail_bytes(kind)) return "wrong length of a row";
    memcpy(&sum, bytes, sizeof sum);
    if (bytes[4] != kind->id || sum != sum_of(bytes, value->mv_size)) return "checksum of a row";
    const uint8_t *dig = bytes + FRONT + value_cells(kind) * sizeof(int64_t);
    for (size_t i = 0; i < decimal_cells(kind); i++) {
        if (pt_digits_scale(dig[i]) > 18) return "digits of a row";
    }
    return NULL;
}

void pt_tail_decode(const MDB_val *key, const MDB_val *value, uint32_t cols, struct pt_frame *frame)
{
    const struct pt_kind *kind = frame->kind;
    const uint8_t *val = (const uint8_t *)value->mv_data + FRONT;
    const uint8_t *dig = val + value_cells(kind) * sizeof(int64_t);
    size_t row = frame->n;
    frame->val[0][row] = pt_key_time(key);
    for (unsigned c = 1; c < kind->ncols; c++) {
        size_t width = kind->cols[c].width;
        bool wanted = cols == 0 || (cols >> c & 1) != 0;
        int64_t *cells = frame->val[c] + row * width;
        if (c < kind->keys) {
            cells[0] = wanted ? pt_key_second(key) : PT_MISSING;
            continue;
        }
        if (wanted)
            memcpy(cells, val, width * sizeof *cells);
        else
            for (size_t w = 0; w < width; w++) cells[w] = PT_MISSING;
        val += width * sizeof *cells;
        if (!frame->dig[c]) continue;
        memcpy(frame->dig[c] + row * width, dig, width);
        dig += width;
    }
    frame->n++;
}

bool pt_tail_closed(const struct pt_kind *kind, const MDB_val *value)
{
    int64_t closed;
    if (kind->id != PT_CANDLES) return false;
    size_t at = FRONT + (value_cells(kind) - 1) * sizeof closed; /* the last column */
    memcpy(&closed, (const uint8_t *)value->mv_data + at, sizeof closed);
    return closed == 1;
}
_Static_assert(PT_C_CLOSED == 10, "closed is the last column of a candle");
