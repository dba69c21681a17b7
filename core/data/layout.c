/* layout.c - which columns a CSV file has.                                     [layer: data]
 *
 * A header is read word by word: each kind has a list of the words that the known sources use for
 * its columns, and a header is of that kind when all required columns are there once. Words that
 * nobody knows are columns that are not kept. The public dumps come without header too: they are
 * told by the count and the look of the fields. */
#include "data/reader_internal.h"

#include "base/decimal.h"
#include "base/timefmt.h"

#include <stdio.h>
#include <string.h>

struct word {
    const char *text;
    uint8_t role, cell;
};

#define BID_PRICE 2 /* cells of a book */
#define BID_QUANTITY (BID_PRICE + PT_DEPTH_LEVELS)
#define ASK_PRICE (BID_QUANTITY + PT_DEPTH_LEVELS)
#define ASK_QUANTITY (ASK_PRICE + PT_DEPTH_LEVELS)

static const struct word candle_words[] = {
    { "open_time", PT_FIELD_TIME, PT_C_TIME },
    { "timestamp", PT_FIELD_TIME, PT_C_TIME },
    { "open", PT_FIELD_DEC, PT_C_OPEN },
    { "high", PT_FIELD_DEC, PT_C_HIGH },
    { "low", PT_FIELD_DEC, PT_C_LOW },
    { "close", PT_FIELD_DEC, PT_C_CLOSE },
    { "volume", PT_FIELD_DEC, PT_C_VOLUME },
    { "quote_volume", PT_FIELD_DEC, PT_C_QUOTE_VOLUME },
    { "quote_asset_volume", PT_FIELD_DEC, PT_C_QUOTE_VOLUME },
    { "quote_av", PT_FIELD_DEC, PT_C_QUOTE_VOLUME },
    { "count", PT_FIELD_INT, PT_C_TRADES },
    { "trades", PT_FIELD_INT, PT_C_TRADES },
    { "number_of_trades", PT_FIELD_INT, PT_C_TRADES },
    { "taker_buy_volume", PT_FIELD_DEC, PT_C_TAKER_VOLUME },
    { "taker_buy_base_asset_volume", PT_FIELD_DEC, PT_C_TAKER_VOLUME },
    { "tb_base_av", PT_FIELD_DEC, PT_C_TAKER_VOLUME },
    { "taker_buy_quote_volume", PT_FIELD_DEC, PT_C_TAKER_QUOTE_VOLUME },
    { "taker_buy_quote_asset_volume", PT_FIELD_DEC, PT_C_TAKER_QUOTE_VOLUME },
    { "tb_quote_av", PT_FIELD_DEC, PT_C_TAKER_QUOTE_VOLUME },
    { "close_time", PT_FIELD_CLOSE_TIME, 0 },
    { "symbol", PT_FIELD_SYMBOL, 0 },
    { NULL, 0, 0 },
};
static const struct word trade_words[] = {
    { "time", PT_FIELD_TIME, PT_T_TIME },
    { "transact_time", PT_FIELD_TIME, PT_T_TIME },
    { "id", PT_FIELD_INT, PT_T_ID },
    { "trade_id", PT_FIELD_INT, PT_T_ID },
    { "agg_trade_id", PT_FIELD_INT, PT_T_ID },
    { "price", PT_FIELD_DEC, PT_T_PRICE },
    { "qty", PT_FIELD_DEC, PT_T_QUANTITY },
    { "quantity", PT_FIELD_DEC, PT_T_QUANTITY },
    { "is_buyer_maker", PT_FIELD_MAKER, PT_T_SIDE },
    { "symbol", PT_FIELD_SYMBOL, 0 },
    { NULL, 0, 0 },
};
static const struct word funding_words[] = {
    { "timestamp", PT_FIELD_TIME, PT_F_TIME },
    { "calc_time", PT_FIELD_TIME, PT_F_TIME },
    { "funding_time", PT_FIELD_TIME, PT_F_TIME },
    { "funding_rate", PT_FIELD_DEC, PT_F_RATE },
    { "last_funding_rate", PT_FIELD_DEC, PT_F_RATE },
    { "mark_price", PT_FIELD_DEC, PT_F_MARK },
    { "symbol", PT_FIELD_SYMBOL, 0 },
    { NULL, 0, 0 },
};
static const struct word level_words[] = {
    { "timestamp", PT_FIELD_TIME, PT_D_TIME },
    { "last_update_id", PT_FIELD_INT, PT_D_UPDATE_ID },
    { "side", PT_FIELD_SIDE, 0 },
    { "update_type", PT_FIELD_UPDATE, 0 },
    { "price", PT_FIELD_DEC, BID_PRICE },
    { "qty", PT_FIELD_DEC, BID_QUANTITY },
    { "symbol", PT_FIELD_SYMBOL, 0 },
    { NULL, 0, 0 },
};
static const struct word book_words[] = {
    { "timestamp", PT_FIELD_TIME, PT_D_TIME },
    { "symbol", PT_FIELD_SYMBOL, 0 },
    { NULL, 0, 0 },
};

/* What a kind of header is made of. need: cells that must be there; roles: likewise. */
static const struct shape {
    const char *name;
    enum pt_kind_id kind;
    const struct word *words;
    unsigned need_cells, need_roles;
} shapes[] = {
    { "kline", PT_CANDLES, candle_words, 0x3f, 0 },
    { "trades", PT_TRADES, trade_words, 0x1f, 0 },
    { "funding", PT_FUNDING, funding_words, 0x3, 0 },
    { "depth_levels", PT_DEPTH, level_words, 1u << PT_D_TIME | 1u << BID_PRICE | 1u << BID_QUANTITY,
      1u << PT_FIELD_SIDE | 1u << PT_FIELD_UPDATE | 1u << PT_FIELD_SYMBOL },
    { "depth_book", PT_DEPTH, book_words, 1u << PT_D_TIME | 1u << BID_PRICE | 1u << BID_QUANTITY,
      0 },
};

/* ---- lines and fields ---- */

size_t pt_line_trim(const char *line, size_t len)
{
    while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n')) len--;
    return len;
}

static struct pt_span strip(const char *text, size_t len)
{
    while (len > 0 && (*text == ' ' || *text == '\t')) text++, len--;
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t')) len--;
    if (len >= 2 && text[0] == '"' && text[len - 1] == '"') text++, len -= 2;
    return (struct pt_span){ text, len };
}

unsigned pt_split_line(const char *line, size_t len, struct pt_span *out, unsigned max)
{
    unsigned n = 0;
    size_t from = 0;
    bool quoted = false;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && line[i] == '"') quoted = !quoted;
        if (i < len && (line[i] != ',' || quoted)) continue;
        if (n < max) out[n] = strip(line + from, i - from);
        n++;
        from = i + 1;
    }
    return n;
}

static bool is(struct pt_span field, const char *text)
{
    return strlen(text) == field.len && memcmp(field.text, text, field.len) == 0;
}

/* ---- headers ---- */

#define WORD_MAX 40

/* "Quote Asset Volume" -> "quote_asset_volume"; "" when it is too long to be one of ours. */
static void header_word(struct pt_span field, char out[WORD_MAX])
{
    size_t len = field.len < WORD_MAX ? field.len : 0;
    for (size_t i = 0; i < len; i++) {
        char c = field.text[i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c == ' ' ? '_' : c;
    }
    out[len] = '\0';
}

/* "asks[3].price": the cell it belongs to; levels behind the last one that is kept are skipped. */
static bool book_word(const char *text, struct pt_field *field)
{
    bool bid = strncmp(text, "bids[", 5) == 0;
    if (!bid && strncmp(text, "asks[", 5) != 0) return false;
    unsigned level = 0, digits = 0;
    const char *p = text + 5;
    for (; *p >= '0' && *p <= '9' && digits < 4; p++, digits++)
        level = level * 10 + (unsigned)(*p - '0');
    bool price = strcmp(p, "].price") == 0;
    if (digits == 0 || (!price && strcmp(p, "].amount") != 0)) return false;
    if (level >= PT_DEPTH_LEVELS) {
        *field = (struct pt_field){ PT_FIELD_SKIP, 0 };
        return true;
    }
    unsigned cell = bid ? (price ? BID_PRICE : BID_QUANTITY) : (price ? ASK_PRICE : ASK_QUANTITY);
    *field = (struct pt_field){ PT_FIELD_DEC, (uint8_t)(cell + level) };
    return true;
}

static struct pt_field word_field(const struct shape *shape, const char *text)
{
    struct pt_field field = { PT_FIELD_SKIP, 0 };
    for (const struct word *word = shape->words; word->text; word++) {
        if (strcmp(word->text, text) == 0) return (struct pt_field){ word->role, word->cell };
    }
    if (shape->words == book_words) book_word(text, &field);
    return field;
}

/* The last things that follow from the fields. */
static void finish(struct pt_layout *layout)
{
    bool narrow = pt_kind_cells(pt_kind(layout->kind)) == pt_kind(layout->kind)->ncols;
    for (unsigned i = 0; i < layout->nfields; i++) {
        uint8_t role = layout->fields[i].role;
        if (role == PT_FIELD_SYMBOL) layout->has_symbol = true;
        if (role == PT_FIELD_SYMBOL || role == PT_FIELD_WORD) narrow = false;
    }
    layout->narrow = narrow;
}

static bool header_of_shape(const struct shape *shape, const struct pt_span *words, unsigned n,
                            struct pt_layout *layout)
{
    bool seen[PT_CELLS_MAX] = { false };
    unsigned cells = 0, roles = 0;
    *layout = (struct pt_layout){
        .name = shape->name, .kind = shape->kind, .nfields = n, .header = true
    };
    for (unsigned i = 0; i < n; i++) {
        char text[WORD_MAX];
        header_word(words[i], text);
        struct pt_field field = word_field(shape, text);
        layout->fields[i] = field;
        roles |= 1u << field.role;
        bool kept = field.role == PT_FIELD_TIME || field.role == PT_FIELD_DEC ||
                    field.role == PT_FIELD_INT || field.role == PT_FIELD_MAKER;
        if (!kept) continue;
        if (seen[field.cell]) return false; /* twice: which of them is meant? */
        seen[field.cell] = true;
        if (field.cell < 32) cells |= 1u << field.cell;
    }
    if ((cells & shape->need_cells) != shape->need_cells) return false;
    if ((roles & shape->need_roles) != shape->need_roles) return false;
    layout->by_level = shape->words == level_words;
    if (shape->words == candle_words) {
        bool text_date = is(words[0], "timestamp") && n == 12;
        layout->name = text_date ? "text12"
                       : n == 12 ? "dump12"
                       : n == 9  ? "rest9"
                       : n == 8  ? "kline8"
                                 : "kline";
    }
    return true;
}

/* The header that our own export writes: all columns of a kind, wide ones as name_1 .. name_N. */
static bool header_of_export(const struct pt_kind *kind, const struct pt_span *words, unsigned n,
                             struct pt_layout *layout)
{
    static const uint8_t roles[] = { [PT_TYPE_TIME] = PT_FIELD_TIME_US,
                                     [PT_TYPE_INT] = PT_FIELD_INT,
                                     [PT_TYPE_DEC] = PT_FIELD_DEC,
                                     [PT_TYPE_ENUM] = PT_FIELD_WORD,
                                     [PT_TYPE_BOOL] = PT_FIELD_BOOL };
    if (n != pt_kind_cells(kind)) return false;
    *layout = (struct pt_layout){ .name = "export",
                                  .kind = kind->id,
                                  .nfields = n,
                                  .header = true,
                                  .has_closed = true,
                                  .ours = true };
    unsigned cell = 0;
    for (unsigned c = 0; c < kind->ncols; c++) {
        const struct pt_column *column = &kind->cols[c];
        for (unsigned w = 0; w < column->width; w++, cell++) {
            char text[WORD_MAX];
            if (column->width == 1)
                snprintf(text, sizeof text, "%s", column->name);
            else
                snprintf(text, sizeof text, "%s_%u", column->name, w + 1);
            if (!is(words[cell], text)) return false;
            layout->fields[cell] = (struct pt_field){ roles[column->type], (uint8_t)cell };
        }
    }
    return true;
}

/* ---- rows of dumps without a header ---- */

static bool is_epoch(struct pt_span field)
{
    if (field.len != 13 && field.len != 16 && field.len != 19 && field.len != 10) return false;
    for (size_t i = 0; i < field.len; i++) {
        if (field.text[i] < '0' || field.text[i] > '9') return false;
    }
    return true;
}

static bool is_time(struct pt_span field)
{
    int64_t us;
    return is_epoch(field) || (field.len >= 10 && field.text[4] == '-' &&
                               pt_time_parse(field.text, field.len, &us) == PT_OK);
}

static bool is_flag(struct pt_span field)
{
    return is(field, "true") || is(field, "false") || is(field, "True") || is(field, "False");
}

static bool is_number(struct pt_span field)
{
    int64_t mantissa;
    uint8_t digits;
    return pt_dec_parse(field.text, field.len, &mantissa, &digits) != PT_EINVAL;
}

/* looks: one letter a field: t time, e epoch, n number, f flag, x anything. */
static bool looks_like(const struct pt_span *fields, unsigned n, const char *looks)
{
    if (strlen(looks) != n) return false;
    for (unsigned i = 0; i < n; i++) {
        bool ok = looks[i] == 't'   ? is_time(fields[i])
                  : looks[i] == 'e' ? is_epoch(fields[i])
                  : looks[i] == 'f' ? is_flag(fields[i])
                  : looks[i] == 'n' ? is_number(fields[i])
                                    : true;
        if (!ok) return false;
    }
    return true;
}

#define F_TIME                                                                                     \
    {                                                                                              \
        PT_FIELD_TIME, 0                                                                           \
    }
#define F_DEC(cell)                                                                                \
    {                                                                                              \
        PT_FIELD_DEC, cell                                                                         \
    }
#define F_INT(cell)                                                                                \
    {                                                                                              \
        PT_FIELD_INT, cell                                                                         \
    }
#define F_SKIP                                                                                     \
    {                                                                                              \
        PT_FIELD_SKIP, 0                                                                           \
    }
#define F_CLOSE                                                                                    \
    {                                                                                              \
        PT_FIELD_CLOSE_TIME, 0                                                                     \
    }
#define F_BAR F_TIME, F_DEC(1), F_DEC(2), F_DEC(3), F_DEC(4), F_DEC(5)

static const struct {
    const char *name;
    enum pt_kind_id kind;
    const char *looks;
    struct pt_field fields[12];
} bare[] = {
    { "dump12",
      PT_CANDLES,
      "tnnnnntnnnnx",
      { F_BAR, F_CLOSE, F_DEC(6), F_INT(7), F_DEC(8), F_DEC(9), F_SKIP } },
    { "rest9", PT_CANDLES, "tnnnnnnne", { F_BAR, F_DEC(6), F_INT(7), F_CLOSE } },
    { "trades",
      PT_TRADES,
      "nnnneff",
      { F_INT(1), F_DEC(2), F_DEC(3), F_SKIP, F_TIME, { PT_FIELD_MAKER, 4 }, F_SKIP } },
    { "trades",
      PT_TRADES,
      "nnnnef",
      { F_INT(1), F_DEC(2), F_DEC(3), F_SKIP, F_TIME, { PT_FIELD_MAKER, 4 } } },
    { "agg_trades",
      PT_TRADES,
      "nnnnneff",
      { F_INT(1), F_DEC(2), F_DEC(3), F_SKIP, F_SKIP, F_TIME, { PT_FIELD_MAKER, 4 }, F_SKIP } },
    { "agg_trades",
      PT_TRADES,
      "nnnnnef",
      { F_INT(1), F_DEC(2), F_DEC(3), F_SKIP, F_SKIP, F_TIME, { PT_FIELD_MAKER, 4 } } },
};

static bool bare_row(const struct pt_span *fields, unsigned n, struct pt_layout *layout)
{
    for (size_t i = 0; i < sizeof bare / sizeof *bare; i++) {
        if (!looks_like(fields, n, bare[i].looks)) continue;
        *layout = (struct pt_layout){ .name = bare[i].name, .kind = bare[i].kind, .nfields = n };
        memcpy(layout->fields, bare[i].fields, n * sizeof *layout->fields);
        return true;
    }
    return false;
}

bool pt_layout_detect(const char *line, size_t len, struct pt_layout *layout)
{
    struct pt_span fields[PT_FIELDS_MAX];
    unsigned n = pt_split_line(line, pt_line_trim(line, len), fields, PT_FIELDS_MAX);
    bool found = false;
    if (n < 3 || n > PT_FIELDS_MAX) return false;
    for (int k = 0; k < PT_KINDS && !found; k++)
        found = header_of_export(pt_kind((enum pt_kind_id)k), fields, n, layout);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes && !found; i++)
        found = header_of_shape(&shapes[i], fields, n, layout);
    if (!found) found = bare_row(fields, n, layout);
    if (found) finish(layout);
    return found;
}
