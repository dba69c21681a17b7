/* csv_fast.c - the rows of a CSV file, the usual row.                           [layer: data]
 *
 * It knows only what nearly all lines of the big files are: the right number of unquoted fields,
 * plain digits, a good bar. First all commas and newlines of the block are found, sixteen bytes at
 * a time, so that the fields of a row can be read independently of each other:
 *
 *     1730419200000,70292.01000000,70470.00000000, ...
 *                  ^              ^              ^       places of the separators
 *                   70292 01000000                      one load for each side of the point, eight
 * digits each, both sides put together in the two halves of one lane
 *
 * Whether all of it really were digits is asked once a row. Whatever is not so goes to csv.c, which
 * alone knows why a line is not good. */
#include "base/decimal.h"
#include "data/reader_internal.h"

#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* What was seen of the digits of a row: whether all of them were digits is asked once, at its end.
 */
struct seen {
#ifdef __SSE2__
    __m128i highest; /* of all characters, byte by byte, '0' taken off */
#else
    uint64_t other; /* bits that no digit has */
#endif
    bool bad; /* something else is wrong */
};

/* Bytes of the eight before the end of a number that belong to it when it has n digits. */
#define TOP(n) (UINT64_MAX << (64 - 8 * (n)))
static const uint64_t own[] = { 0,      TOP(1), TOP(2), TOP(3),    TOP(4),
                                TOP(5), TOP(6), TOP(7), UINT64_MAX };
static const uint64_t powers[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000 };

#ifdef __SSE2__
/* Two numbers of up to eight digits at once, which end at a and b: a in the low half of the result.
 * The first digit of each lies lowest in memory, so pairs, then fours, then eights are put together
 * by adding ten, 100, 10,000 times the lower lane to the upper one. May read 7 bytes before the
 * numbers. */
static inline uint64_t eights(const char *a, size_t na, const char *b, size_t nb, struct seen *seen)
{
    __m128i x = _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)(const void *)(a - 8)),
                                   _mm_loadl_epi64((const __m128i *)(const void *)(b - 8)));
    __m128i mine = _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)(const void *)&own[na]),
                                      _mm_loadl_epi64((const __m128i *)(const void *)&own[nb]));
    x = _mm_and_si128(_mm_xor_si128(x, _mm_set1_epi8('0')), mine);
    seen->highest = _mm_max_epu8(seen->highest, x);
    __m128i tens = _mm_mullo_epi16(_mm_and_si128(x, _mm_set1_epi16(0xff)), _mm_set1_epi16(10));
    x = _mm_add_epi16(tens, _mm_srli_epi16(x, 8));
    x = _mm_madd_epi16(x, _mm_set1_epi32(1 << 16 | 100));
    x = _mm_madd_epi16(_mm_packs_epi32(x, x), _mm_set1_epi32(1 << 16 | 10000));
    return (uint64_t)_mm_cvtsi128_si64(x);
}

static inline bool all_good(const struct seen *seen)
{
    __m128i nine = _mm_set1_epi8(9);
    return !seen->bad &&
           _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(seen->highest, nine), nine)) == 0xffff;
}

/* How many characters stand behind the last point of the 16 before `end`; 16 when there is none. */
static inline size_t behind_point(const char *end)
{
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(end - 16));
    unsigned hit = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_set1_epi8('.')));
    return (size_t)__builtin_clz(hit << 16 | 0x8000);
}

/* The instruction is not in every x86-64, and the library's function costs a call a block. */
static inline unsigned bits_in(uint64_t x)
{
    x -= x >> 1 & UINT64_C(0x5555555555555555);
    x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
    x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (unsigned)(x * UINT64_C(0x0101010101010101) >> 56);
}

static inline uint64_t separators_of_16(const char *text)
{
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)text);
    __m128i hit =
        _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(',')), _mm_cmpeq_epi8(x, _mm_set1_epi8('\n')));
    return (uint32_t)_mm_movemask_epi8(hit);
}

#define LAST_BIT (UINT64_C(1) << 63) /* there is no lowest bit of 0 */
#define PUT(k) out[k] = base + (uint32_t)__builtin_ctzll(found | LAST_BIT), found &= found - 1

/* Places of all commas and newlines; out has room for len + 64. May read 63 bytes behind the text.
 */
static size_t find_separators(const char *text, size_t len, uint32_t *out)
{
    uint32_t *first = out;
    for (size_t at = 0; at < len; at += 64) {
        uint32_t base = (uint32_t)at;
        uint64_t found = separators_of_16(text + at) | separators_of_16(text + at + 16) << 16 |
                         separators_of_16(text + at + 32) << 32 |
                         separators_of_16(text + at + 48) << 48;
        if (len - at < 64) found &= (UINT64_C(1) << (len - at)) - 1;
        /* eight at once: the branch of a loop over each bit would be guessed wrong every time */
        uint32_t *next = out + bits_in(found);
        for (;;) {
            PUT(0), PUT(1), PUT(2), PUT(3), PUT(4), PUT(5), PUT(6), PUT(7);
            if (found == 0) break;
            out += 8;
        }
        out = next;
    }
    return (size_t)(out - first);
}

#else /* the same for other machines, one number and one byte at a time */

static inline uint64_t eight(const char *end, size_t n, struct seen *seen)
{
    uint64_t value = 0;
    for (const char *p = end - n; p < end; p++) {
        unsigned digit = (unsigned char)*p ^ 0x30u;
        seen->other |= digit > 9;
        value = value * 10 + digit;
    }
    return value & UINT32_MAX;
}

static inline uint64_t eights(const char *a, size_t na, const char *b, size_t nb, struct seen *seen)
{
    return eight(a, na, seen) | eight(b, nb, seen) << 32;
}

static inline bool all_good(const struct seen *seen)
{
    return !seen->bad && seen->other == 0;
}

static inline size_t behind_point(const char *end)
{
    size_t n = 0;
    while (n < 16 && end[-1 - (ptrdiff_t)n] != '.') n++;
    return n;
}

static size_t find_separators(const char *text, size_t len, uint32_t *out)
{
    size_t n = 0;
    for (size_t at = 0; at < len; at++) {
        if (text[at] == ',' || text[at] == '\n') out[n++] = (uint32_t)at;
    }
    return n;
}
#endif

/* 1..16 digits. */
static inline uint64_t number_before(const char *end, size_t n, struct seen *seen)
{
    uint64_t halves =
        n > 8 ? eights(end - 8, n - 8, end, 8, seen) : eights(end, n, end, 0, seen) << 32;
    return (halves & UINT32_MAX) * 100000000 + (halves >> 32);
}

/* Decimals that are not the usual ones: no point, big numbers, many digits. */
static void other_decimal(const char *start, const char *end, int64_t *mantissa, uint8_t *digits,
                          struct seen *seen)
{
    size_t len = (size_t)(end - start), fraction = behind_point(end);
    size_t whole = len - fraction - 1;
    if (len - 1 < 16 && fraction >= len) {
        *mantissa = (int64_t)number_before(end, len, seen);
        *digits = 0;
    } else if (fraction < len && whole - 9 < 2 && fraction - 1 < 8) {
        uint64_t high = eights(start + whole - 8, whole - 8, end, 0, seen);
        uint64_t low = eights(start + whole, 8, end, fraction, seen);
        uint64_t value = high * 100000000 + (low & UINT32_MAX);
        *mantissa = (int64_t)(value * powers[fraction] + (low >> 32));
        *digits = (uint8_t)fraction;
    } else if (len == 0) {
        *mantissa = PT_MISSING;
        *digits = 0;
    } else if (pt_dec_parse(start, len, mantissa, digits) != PT_OK) {
        seen->bad = true;
    }
}

static inline void fast_decimal(const char *start, const char *end, int64_t *mantissa,
                                uint8_t *digits, struct seen *seen)
{
    size_t fraction = behind_point(end);
    size_t whole =
        (size_t)(end - start) - fraction - 1; /* huge when the point is before the start */
    if ((whole - 1 < 8) & (fraction - 1 < 8)) {
        uint64_t halves = eights(start + whole, whole, end, fraction, seen);
        *mantissa = (int64_t)((halves & UINT32_MAX) * powers[fraction] + (halves >> 32));
        *digits = (uint8_t)fraction;
    } else {
        other_decimal(start, end, mantissa, digits, seen);
    }
}

static inline int64_t fast_time(const char *start, size_t len, struct seen *seen)
{
    /* ms and us of the years 2001 to 2286; all others are rare enough for the slow way */
    if ((len != 13 && len != 16) || *start == '0') {
        seen->bad = true;
        return 0;
    }
    uint64_t value = number_before(start + len, len, seen);
    return (int64_t)(len == 13 ? value * 1000 : value);
}

static inline int64_t fast_int(const char *end, size_t len, struct seen *seen)
{
    if (len - 1 < 16) return (int64_t)number_before(end, len, seen);
    if (len > 0) seen->bad = true;
    return PT_MISSING;
}

static inline int64_t fast_maker(const char *start, size_t len, struct seen *seen)
{
    bool maker = (start[0] | 32) == 't';
    if (maker ? len != 4 || memcmp(start + 1, "rue", 3) != 0
              : len != 5 || (start[0] | 32) != 'f' || memcmp(start + 1, "alse", 4) != 0)
        seen->bad = true;
    return maker ? PT_SIDE_SELL : PT_SIDE_BUY;
}

/* Where the values of a field go: column memory of the slot's frame, whose rows do not move. */
struct target {
    enum pt_field_role role;
    int64_t *val;
    uint8_t *dig;
};
struct plan {
    unsigned nfields, nabsent;
    struct target fields[PT_FIELDS_MAX];
    struct target absent[PT_COLS_MAX]; /* columns that the layout lacks */
};

static void make_plan(const struct pt_layout *layout, const struct pt_frame *frame,
                      struct plan *plan)
{
    bool there[PT_COLS_MAX] = { false };
    plan->nfields = layout->nfields;
    plan->nabsent = 0;
    for (unsigned i = 0; i < layout->nfields; i++) {
        struct pt_field field = layout->fields[i];
        bool kept = field.role != PT_FIELD_SKIP && field.role != PT_FIELD_CLOSE_TIME;
        plan->fields[i].role = kept ? (enum pt_field_role)field.role : PT_FIELD_SKIP;
        plan->fields[i].val = frame->val[field.cell];
        plan->fields[i].dig = frame->dig[field.cell];
        if (kept) there[field.cell] = true;
    }
    for (unsigned c = 0; c < frame->kind->ncols; c++) {
        if (there[c]) continue;
        plan->absent[plan->nabsent].val = frame->val[c];
        plan->absent[plan->nabsent++].dig = frame->dig[c];
    }
}

/* The whole check of a bar, for the usual one: all prices with the same digits, one period after
 * the last. */
static inline bool usual_bar(const struct pt_frame *frame, size_t row, int64_t expected_us)
{
    int64_t open = frame->val[PT_C_OPEN][row], high = frame->val[PT_C_HIGH][row];
    int64_t low = frame->val[PT_C_LOW][row], close = frame->val[PT_C_CLOSE][row];
    unsigned digits = frame->dig[PT_C_OPEN][row];
    unsigned differ = (digits ^ frame->dig[PT_C_HIGH][row]) | (digits ^ frame->dig[PT_C_LOW][row]) |
                      (digits ^ frame->dig[PT_C_CLOSE][row]);
    return (differ == 0) & (frame->val[PT_C_TIME][row] == expected_us) & (low > 0) & (low <= open) &
           (low <= close) & (high >= open) & (high >= close) & (frame->val[PT_C_VOLUME][row] >= 0);
}

/* Judges the row behind the last one, whose cells are filled. */
static bool fast_check(struct pt_reader *reader, struct pt_frame *frame)
{
    size_t row = frame->n;
    if (frame->kind->id != PT_CANDLES) return pt_frame_check(frame, row, 0) == NULL;
    int64_t period_us = reader->key.period_us, time_us = frame->val[PT_C_TIME][row];
    if (!reader->layout.has_closed)
        frame->val[PT_C_CLOSED][row] = time_us <= reader->hint.now_us - period_us;
    else if (frame->val[PT_C_CLOSED][row] >> 1 != 0)
        return false;
    if (!usual_bar(frame, row, reader->last_time_us + period_us) &&
        pt_frame_check(frame, row, period_us))
        return false;
    reader->last_time_us = time_us;
    return true;
}

/* Reads the line at text[at] into the row behind the last one. False: the slow way decides. */
static inline bool fast_row(const struct plan *plan, const char *text, size_t at,
                            const uint32_t *separators, size_t row)
{
    const char *start = text + at;
    struct seen seen = { .bad = false };
    for (unsigned i = 0; i < plan->nabsent; i++) {
        plan->absent[i].val[row] = PT_MISSING;
        if (plan->absent[i].dig) plan->absent[i].dig[row] = 0;
    }
    for (unsigned i = 0; i < plan->nfields; i++) {
        const struct target *to = &plan->fields[i];
        const char *end = text + separators[i];
        if (i + 1 < plan->nfields) {
            seen.bad |= *end != ',';
        } else {
            seen.bad |= *end != '\n';
            if (end > start && end[-1] == '\r') end--;
        }
        size_t len = (size_t)(end - start);
        switch (to->role) {
        case PT_FIELD_DEC: fast_decimal(start, end, &to->val[row], &to->dig[row], &seen); break;
        case PT_FIELD_TIME: to->val[row] = fast_time(start, len, &seen); break;
        case PT_FIELD_TIME_US:
        case PT_FIELD_INT:
        case PT_FIELD_BOOL: to->val[row] = fast_int(end, len, &seen); break;
        case PT_FIELD_MAKER: to->val[row] = fast_maker(start, len, &seen); break;
        default: seen.bad |= *start == '"'; break; /* a comma may be in there */
        }
        start = text + separators[i] + 1;
    }
    return all_good(&seen) && (size_t)(start - text) - at <= PT_LINE_MAX;
}

static bool reserve_separators(struct pt_reader *reader, size_t len)
{
    if (len + 64 <= reader->separators_cap) return true;
    uint32_t *bigger = realloc(reader->separators, (len + 64) * sizeof *bigger);
    if (bigger) {
        reader->separators = bigger;
        reader->separators_cap = len + 64;
    }
    reader->nomem |= bigger == NULL;
    return bigger != NULL;
}

size_t pt_csv_fast_lines(struct pt_reader *reader, struct pt_slot *slot, const char *text,
                         size_t len)
{
    struct pt_frame *frame = &slot->batch.frame;
    /* a row takes a byte a field at least; a file that goes on fills the slot sooner or later */
    size_t rows = reader->part_ended ? len / reader->layout.nfields : slot->room;
    if (!reserve_separators(reader, len) || !pt_reader_reserve(reader, slot, rows)) return 0;
    const uint32_t *separator = reader->separators;
    const uint32_t *end = separator + find_separators(text, len, reader->separators);
    struct plan plan;
    size_t at = 0;
    make_plan(&reader->layout, frame, &plan);
    while (at < len && !pt_reader_stopped(reader)) {
        bool whole = (size_t)(end - separator) >= plan.nfields && !reader->header_due;
        if (frame->n >= slot->room) {
            reader->full = true;
        } else if (whole && fast_row(&plan, text, at, separator, frame->n) &&
                   fast_check(reader, frame)) {
            frame->n++;
            at = (size_t)separator[plan.nfields - 1] + 1;
            separator += plan.nfields;
            reader->line++;
            reader->stats.lines++;
            reader->stats.rows++;
        } else {
            size_t line_len =
                (size_t)((const char *)memchr(text + at, '\n', len - at) - (text + at));
            pt_csv_line(reader, text + at, line_len);
            at += line_len + 1;
            while (separator < end && *separator < at) separator++;
        }
    }
    return at;
}
