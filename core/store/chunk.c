/* chunk.c - planning, writing and reading of columnar chunks.                  [layer: store] */
#include "store/chunk.h"

#include "base/decimal.h"

#include "store/lanes.h"
#include "store/sum.h"

#include <string.h>

#define MAGIC 0x4b435450u /* "PTCK" */

enum { LINE = 0 };
enum { FLAG_DIGITS = 1, FLAG_MISSING = 2 };

struct head {
    uint64_t checksum; /* of the rest of the head and the columns */
    uint32_t magic;
    uint8_t version, kind;
    uint16_t rows;
    uint32_t bytes, ncols;
    int64_t first_us, first_second, last_us, last_second;
};

_Static_assert(sizeof(struct head) == 56, "the head has no holes");
_Static_assert(sizeof(struct pt_chunk_column) == 32, "a column has no holes");

static size_t front_bytes(size_t ncols)
{
    return sizeof(struct head) + ncols * sizeof(struct pt_chunk_column);
}

/* ---- writing ------------------------------------------------------------------------------ */

/* min, max: of the values that are there; max is PT_MISSING when none is. */
struct span {
    int64_t min, max;
    bool missing;
};

static struct span span_of(const int64_t *val, size_t n)
{
    /* PT_MISSING is the least int64: one less, wrapped, it is the greatest, so one minimum skips it
     */
    int64_t low = INT64_MAX, least = INT64_MAX, high = INT64_MIN;
    for (size_t i = 0; i < n; i++) {
        int64_t v = val[i], less = (int64_t)((uint64_t)v - 1);
        low = less < low ? less : low;
        least = v < least ? v : least;
        high = v > high ? v : high;
    }
    return (struct span){ (int64_t)((uint64_t)low + 1), high, least == PT_MISSING };
}

static bool is_line(const int64_t *val, size_t n, uint64_t *step)
{
    *step = n > 1 ? (uint64_t)val[1] - (uint64_t)val[0] : 0;
    for (size_t i = 2; i < n; i++) {
        if ((uint64_t)val[i] - (uint64_t)val[i - 1] != *step) return false;
    }
    return true;
}

/* One digits byte for all values? Those of missing values do not count. */
static bool same_digits(const int64_t *val, const uint8_t *dig, size_t n, bool missing,
                        uint8_t *one)
{
    *one = dig[0];
    if (!missing) return memcmp(dig, dig + 1, n - 1) == 0;
    bool found = false;
    *one = 0;
    for (size_t i = 0; i < n; i++) {
        if (val[i] == PT_MISSING) continue;
        if (found && dig[i] != *one) return false;
        *one = dig[i];
        found = true;
    }
    return true;
}

static void plan_column(const int64_t *val, const uint8_t *dig, size_t n,
                        struct pt_chunk_column *col)
{
    uint64_t step;
    memset(col, 0, sizeof *col);
    struct span span = span_of(val, n);
    if ((!span.missing || span.max == PT_MISSING) && is_line(val, n, &step)) {
        col->coding = LINE;
        col->base = val[0];
        col->step = (int64_t)step;
    } else {
        uint64_t range = (uint64_t)span.max - (uint64_t)span.min;
        if (span.missing) col->flags |= FLAG_MISSING;
        if (span.missing && range != UINT64_MAX) range++;
        col->coding = range <= UINT8_MAX    ? 1
                      : range <= UINT16_MAX ? 2
                      : range <= UINT32_MAX ? 4
                                            : 8;
        col->base = col->coding == 8 ? 0 : span.min;
    }
    size_t bytes = n * col->coding;
    if (dig && !same_digits(val, dig, n, span.missing, &col->digits)) {
        col->flags |= FLAG_DIGITS;
        col->digits = 0;
        bytes += n;
    }
    col->bytes = (uint32_t)bytes;
}

void pt_chunk_plan(const struct pt_frame *frame, size_t from, size_t rows,
                   struct pt_chunk_plan *plan)
{
    const struct pt_kind *kind = frame->kind;
    plan->rows = rows;
    plan->bytes = front_bytes(kind->ncols);
    for (unsigned c = 0; c < kind->ncols; c++) {
        size_t width = kind->cols[c].width;
        const uint8_t *dig = frame->dig[c] ? frame->dig[c] + from * width : NULL;
        plan_column(frame->val[c] + from * width, dig, rows * width, &plan->col[c]);
        plan->bytes += plan->col[c].bytes;
    }
}

#define PACK(type)                                                                                 \
    static void pack_##type(const int64_t *val, size_t n, int64_t base, uint8_t *out)              \
    {                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                           \
            type delta =                                                                           \
                val[i] == PT_MISSING ? (type)-1 : (type)((uint64_t)val[i] - (uint64_t)base);       \
            memcpy(out + i * sizeof delta, &delta, sizeof delta);                                  \
        }                                                                                          \
    }
PACK(uint8_t)
PACK(uint16_t)
PACK(uint32_t)

static void pack(const int64_t *val, size_t n, const struct pt_chunk_column *col, uint8_t *out)
{
    switch (col->coding) {
    case 1: pack_uint8_t(val, n, col->base, out); break;
    case 2: pack_uint16_t(val, n, col->base, out); break;
    case 4: pack_uint32_t(val, n, col->base, out); break;
    case 8: memcpy(out, val, n * sizeof *val); break;
    default: break; /* a line has no payload */
    }
}

void pt_chunk_write(const struct pt_frame *frame, size_t from, const struct pt_chunk_plan *plan,
                    uint8_t *out)
{
    const struct pt_kind *kind = frame->kind;
    size_t last = from + plan->rows - 1;
    bool second = kind->keys == 2;
    struct head head = {
        .magic = MAGIC,
        .version = PT_CHUNK_VERSION,
        .kind = (uint8_t)kind->id,
        .rows = (uint16_t)plan->rows,
        .bytes = (uint32_t)plan->bytes,
        .ncols = kind->ncols,
        .first_us = frame->val[0][from],
        .first_second = second ? frame->val[1][from] : 0,
        .last_us = frame->val[0][last],
        .last_second = second ? frame->val[1][last] : 0,
    };
    uint8_t *payload = out + front_bytes(kind->ncols);
    for (unsigned c = 0; c < kind->ncols; c++) {
        struct pt_chunk_column col = plan->col[c];
        size_t width = kind->cols[c].width, n = plan->rows * width;
        pack(frame->val[c] + from * width, n, &col, payload);
        if (col.flags & FLAG_DIGITS)
            memcpy(payload + n * col.coding, frame->dig[c] + from * width, n);
        col.checksum = pt_sum(payload, col.bytes);
        memcpy(out + front_bytes(c), &col, sizeof col);
        payload += col.bytes;
    }
    memcpy(out, &head, sizeof head);
    head.checksum =
        pt_sum(out + sizeof head.checksum, front_bytes(kind->ncols) - sizeof head.checksum);
    memcpy(out, &head.checksum, sizeof head.checksum);
}

/* ---- reading ------------------------------------------------------------------------------ */

const char *pt_chunk_open(const void *bytes, size_t len, const struct pt_kind *kind,
                          struct pt_chunk *chunk)
{
    const uint8_t *in = bytes;
    struct head head;
    if (len < front_bytes(kind->ncols) || len > PT_CHUNK_BYTES_MAX) return "wrong length";
    memcpy(&head, in, sizeof head);
    if (head.magic != MAGIC) return "no chunk";
    if (head.version != PT_CHUNK_VERSION) return "unknown version of the chunk format";
    if (head.kind != kind->id || head.ncols != kind->ncols) return "of another kind";
    if (head.bytes != len) return "wrong length";
    if (pt_sum(in + sizeof head.checksum, front_bytes(kind->ncols) - sizeof head.checksum) !=
        head.checksum)
        return "checksum of the head";
    if (head.rows == 0 || head.rows > PT_CHUNK_ROWS_MAX) return "number of rows";
    if (head.first_us > head.last_us) return "order of the keys";

    size_t at = front_bytes(kind->ncols);
    for (unsigned c = 0; c < kind->ncols; c++) {
        struct pt_chunk_column *col = &chunk->col[c];
        memcpy(col, in + front_bytes(c), sizeof *col);
        size_t n = head.rows * (size_t)kind->cols[c].width;
        bool known = col->coding == LINE || col->coding == 1 || col->coding == 2 ||
                     col->coding == 4 || col->coding == 8;
        if (!known || (col->flags & ~(FLAG_DIGITS | FLAG_MISSING)) != 0) return "unknown coding";
        if ((col->flags & FLAG_DIGITS) && kind->cols[c].type != PT_TYPE_DEC)
            return "unknown coding";
        size_t want = n * col->coding + ((col->flags & FLAG_DIGITS) ? n : 0);
        if (col->bytes != want || want > len - at) return "length of a column";
        if (pt_digits_scale(col->digits) > 18) return "digits of a column";
        chunk->payload[c] = in + at;
        at += want;
    }
    if (at != len) return "wrong length";
    chunk->kind = kind;
    chunk->rows = head.rows;
    chunk->first_us = head.first_us;
    chunk->first_second = head.first_second;
    chunk->last_us = head.last_us;
    chunk->last_second = head.last_second;
    return NULL;
}

static void unpack(const struct pt_chunk_column *col, const uint8_t *payload, size_t from, size_t n,
                   int64_t *out)
{
    const uint8_t *in = payload + from * col->coding;
    uint64_t base = (uint64_t)col->base, step = (uint64_t)col->step;
    if (col->coding == 8)
        memcpy(out, in, n * sizeof *out);
    else if (col->coding != LINE)
        pt_lanes()->ints(in, n, col->coding, base, (col->flags & FLAG_MISSING) != 0, out);
    else
        for (size_t i = 0; i < n; i++) out[i] = (int64_t)(base + (from + i) * step);
}

static const char *unpack_digits(const struct pt_chunk *chunk, unsigned c, size_t from, size_t n,
                                 uint8_t *dig)
{
    const struct pt_chunk_column *col = &chunk->col[c];
    if (!(col->flags & FLAG_DIGITS)) {
        memset(dig, col->digits, n);
        return NULL;
    }
    size_t values = chunk->rows * chunk->kind->cols[c].width;
    memcpy(dig, chunk->payload[c] + values * col->coding + from, n);
    uint8_t bits = 0; /* a scale over 18 carries into bit 5; bytes, for the sake of the lanes */
    for (size_t i = 0; i < n; i++) bits |= (uint8_t)((dig[i] & 31) + 13);
    return (bits & 32) != 0 ? "digits of a value" : NULL;
}

static const char *check_payload(const struct pt_chunk *chunk, unsigned c)
{
    const struct pt_chunk_column *col = &chunk->col[c];
    if (col->bytes > 0 && pt_sum(chunk->payload[c], col->bytes) != col->checksum)
        return "checksum of a column";
    return NULL;
}

const char *pt_chunk_values(const struct pt_chunk *chunk, unsigned c, size_t from, size_t rows,
                            int64_t *val, uint8_t *dig)
{
    size_t width = chunk->kind->cols[c].width;
    const char *fault = check_payload(chunk, c);
    if (fault) return fault;
    unpack(&chunk->col[c], chunk->payload[c], from * width, rows * width, val);
    return dig ? unpack_digits(chunk, c, from * width, rows * width, dig) : NULL;
}

static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18 };

/* Mantissas as doubles, divided by `power`; false when that is not exact enough, or not worth it.
 */
static bool quick_doubles(const struct pt_chunk_column *col, const uint8_t *payload, size_t from,
                          size_t n, double power, double *out)
{
    const uint8_t *in = payload + from * col->coding;
    if (col->coding == LINE) return false;
    if (col->coding == 8) return pt_lanes()->whole(in, n, power, out);
    if (col->base < -PT_LANES_BASE_MAX || col->base > PT_LANES_BASE_MAX) return false;
    pt_lanes()->doubles(in, n, col->coding, col->base, (col->flags & FLAG_MISSING) != 0, power,
                        out);
    return true;
}

/* A column that is the same value all over, as sides and regular volumes may be. */
static bool constant_doubles(const struct pt_chunk_column *col, size_t n, bool decimal, double *out)
{
    if (col->coding != LINE || col->step != 0 || (col->flags & FLAG_DIGITS)) return false;
    double x = pt_dec_double(col->base, decimal ? col->digits : 0);
    for (size_t i = 0; i < n; i++) out[i] = x;
    return true;
}

const char *pt_chunk_doubles(const struct pt_chunk *chunk, unsigned c, size_t from, size_t rows,
                             double *out, int64_t *val, uint8_t *dig)
{
    const struct pt_chunk_column *col = &chunk->col[c];
    const uint8_t *payload = chunk->payload[c];
    bool decimal = chunk->kind->cols[c].type == PT_TYPE_DEC;
    size_t width = chunk->kind->cols[c].width, n = rows * width;
    const char *fault = check_payload(chunk, c);
    if (fault) return fault;
    from *= width;
    if (constant_doubles(col, n, decimal, out)) return NULL;
    if (!(col->flags & FLAG_DIGITS)) {
        double power = decimal ? powers[pt_digits_scale(col->digits)] : 1;
        if (quick_doubles(col, payload, from, n, power, out)) return NULL;
    } else {
        fault = unpack_digits(chunk, c, from, n, dig);
        if (fault) return fault;
        if (quick_doubles(col, payload, from, n, 1, out)) {
            for (size_t i = 0; i < n; i++) out[i] /= powers[pt_digits_scale(dig[i])];
            return NULL;
        }
    }
    unpack(col, payload, from, n, val);
    if (decimal && !(col->flags & FLAG_DIGITS)) memset(dig, col->digits, n);
    pt_column_doubles(val, decimal ? dig : NULL, n, out);
    return NULL;
}

const char *pt_chunk_lower(const struct pt_chunk *chunk, int64_t t_us, size_t *row)
{
    const struct pt_chunk_column *col = &chunk->col[0];
    const char *fault = check_payload(chunk, 0);
    if (fault) return fault;
    size_t low = 0, high = chunk->rows;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int64_t t;
        unpack(col, chunk->payload[0], middle, 1, &t);
        if (t < t_us)
            low = middle + 1;
        else
            high = middle;
    }
    *row = low;
    return NULL;
}

bool pt_chunk_seal(uint8_t *bytes, size_t len)
{
    struct head head;
    if (len < sizeof head) return false;
    memcpy(&head, bytes, sizeof head);
    if (head.ncols > PT_COLS_MAX || len < front_bytes(head.ncols)) return false;
    size_t at = front_bytes(head.ncols);
    for (unsigned c = 0; c < head.ncols; c++) {
        struct pt_chunk_column col;
        memcpy(&col, bytes + front_bytes(c), sizeof col);
        if (col.bytes > len - at) return false;
        col.checksum = pt_sum(bytes + at, col.bytes);
        memcpy(bytes + front_bytes(c), &col, sizeof col);
        at += col.bytes;
    }
    head.checksum =
        pt_sum(bytes + sizeof head.checksum, front_bytes(head.ncols) - sizeof head.checksum);
    memcpy(bytes, &head.checksum, sizeof head.checksum);
    return true;
}
