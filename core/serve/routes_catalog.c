/* routes_catalog.c - /catalog: datasets, their fields, where their rows came from. [layer: serve]
 */
#include "serve/routes_catalog.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/timefmt.h"
#include "serve/list.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

#define OWNER "petrosa"
#define NAME_MAX_BYTES 128
#define TEXT_MAX_BYTES 400

static const char *const categories[] = { "market_data", "analytics", NULL };
static const char *const sorts[] = {
    "name", "dataset_id", "category", "rows", "first", "last", NULL
};
enum { BY_NAME, BY_ID, BY_CATEGORY, BY_ROWS, BY_FIRST, BY_LAST };

enum { D_CATEGORY, D_SEARCH, D_LIMIT, D_OFFSET, D_SORT, D_ORDER, D_LIST_KEY, D_FORMAT };
const struct pt_param pt_datasets_params[] = {
    [D_CATEGORY] = { .name = "category",
                     .type = PT_PARAM_WORD,
                     .words = categories,
                     .about = "only these" },
    [D_SEARCH] = { .name = "search",
                   .type = PT_PARAM_TEXT,
                   .min = 1,
                   .max = 100,
                   .about = "only those with this in id, name or description, in any case" },
    [D_LIMIT] = PT_PARAM_ROW_LIMIT("100"),
    [D_OFFSET] = { .name = "offset",
                   .type = PT_PARAM_INT,
                   .fallback = "0",
                   .min = 0,
                   .max = INT64_C(1000000000000),
                   .about = "rows to skip" },
    [D_SORT] = { .name = "sort_by",
                 .type = PT_PARAM_WORD,
                 .fallback = "name",
                 .words = sorts,
                 .about = "what the rows are sorted by, then by dataset_id" },
    [D_ORDER] = { .name = "sort_order",
                  .type = PT_PARAM_WORD,
                  .fallback = "asc",
                  .words = pt_order_words,
                  .about = "order of the rows" },
    [D_LIST_KEY] = PT_PARAM_ROW_LIST_KEY,
    [D_FORMAT] = PT_PARAM_ROW_FORMAT,
    { 0 },
};

/* ---- a dataset in words ---- */

/* What is said of a dataset beyond its record. */
struct words {
    const struct pt_dataset *dataset;
    const struct pt_script *script; /* of results; NULL when it is not loaded */
    char name[NAME_MAX_BYTES], about[TEXT_MAX_BYTES], frequency[TEXT_MAX_BYTES];
    char period[PT_PERIOD_TEXT_MAX];
    char schema[NAME_MAX_BYTES];
};

static const char *category_of(const struct pt_dataset *dataset)
{
    return categories[pt_dataset_is_results(dataset)];
}

/* "1h,1d": the periods for which the script runs by itself. */
static void write_every(const bson_t *declaration, char *out, size_t size)
{
    bson_t list;
    bson_iter_t iter;
    size_t len = 0;
    if (!pt_doc_child(declaration, "every", &list) || !bson_iter_init(&iter, &list)) return;
    while (bson_iter_next(&iter)) {
        if (!BSON_ITER_HOLDS_UTF8(&iter)) continue;
        int n = snprintf(out + len, size - len, "%s%s", len > 0 ? "," : "",
                         bson_iter_utf8(&iter, NULL));
        if (n < 0 || (size_t)n >= size - len) return;
        len += (size_t)n;
    }
}

static void describe_results(struct words *words)
{
    const struct pt_dataset *dataset = words->dataset;
    const char *about = "results of a script that is not loaded";
    snprintf(words->name, sizeof words->name, "%c%s%s%s",
             toupper((unsigned char)dataset->metric[0]), dataset->metric + 1,
             dataset->symbol[0] != '\0' ? " " : "", dataset->symbol);
    snprintf(words->schema, sizeof words->schema, "%s_schema", dataset->metric);
    if (words->script != NULL) {
        about = dataset->metric;
        pt_doc_text(words->script->declaration, "about", &about);
        write_every(words->script->declaration, words->frequency, sizeof words->frequency);
    }
    snprintf(words->about, sizeof words->about, "%s", about);
}

static void describe(const struct pt_dataset *dataset, const struct pt_scripts *scripts,
                     struct words *words)
{
    *words = (struct words){ .dataset = dataset };
    if (pt_dataset_is_results(dataset)) {
        if (scripts != NULL) words->script = pt_scripts_find(scripts, dataset->metric);
        describe_results(words);
        return;
    }
    const struct pt_kind *kind = pt_kind(dataset->series.key.kind);
    if (kind->by_period) pt_period_print(dataset->series.key.period_us, words->period);
    snprintf(words->name, sizeof words->name, "%c%s %s%s%s", toupper((unsigned char)kind->name[0]),
             kind->name + 1, dataset->symbol, kind->by_period ? " " : "", words->period);
    snprintf(words->about, sizeof words->about, "%s", kind->about);
    snprintf(words->schema, sizeof words->schema, "%s", pt_schema_id(kind->id));
    snprintf(words->frequency, sizeof words->frequency, "%s",
             kind->by_period          ? words->period
             : kind->id == PT_FUNDING ? "each payment"
                                      : "real-time");
}

/* The tags, ended by NULL. */
static void tags_of(const struct words *words, const char *tags[4])
{
    const struct pt_dataset *dataset = words->dataset;
    const char *all[] = { pt_dataset_is_results(dataset) ? dataset->metric
                                                         : pt_kind(dataset->series.key.kind)->name,
                          dataset->symbol, words->period };
    size_t n = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i][0] != '\0') tags[n++] = all[i];
    }
    tags[n] = NULL;
}

static void write_dataset(const struct words *words, struct pt_json *json)
{
    const struct pt_dataset *dataset = words->dataset;
    const char *tags[4];
    tags_of(words, tags);
    pt_json_kv_text(json, "dataset_id", dataset->id);
    pt_json_kv_text(json, "name", words->name);
    pt_json_kv_text(json, "description", words->about);
    pt_json_kv_text(json, "category", category_of(dataset));
    pt_json_kv_text(json, "owner", OWNER);
    pt_json_kv_text(json, "update_frequency", words->frequency[0] ? words->frequency : NULL);
    pt_json_key(json, "tags");
    pt_json_array(json);
    for (size_t i = 0; tags[i] != NULL; i++) pt_json_text(json, tags[i]);
    pt_json_array_end(json);
    pt_json_kv_int(json, "rows", (int64_t)dataset->rows);
    pt_list_time(json, "first", dataset->first_us);
    pt_list_time(json, "last", dataset->last_us);
}

static void csv_time(struct pt_buf *out, int64_t us)
{
    char text[PT_TIME_TEXT_MAX];
    pt_buf_putc(out, ',');
    if (us != PT_MISSING) pt_buf_add(out, text, pt_time_print(us, text));
}

static void write_line(const struct words *words, struct pt_buf *out)
{
    const struct pt_dataset *dataset = words->dataset;
    const char *texts[] = { dataset->id,          words->name, words->about,
                            category_of(dataset), OWNER,       words->frequency };
    const char *tags[4];
    tags_of(words, tags);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        pt_csv_text(out, texts[i], strlen(texts[i]));
        pt_buf_putc(out, ',');
    }
    for (size_t i = 0; tags[i] != NULL; i++) pt_buf_printf(out, "%s%s", i > 0 ? " " : "", tags[i]);
    pt_buf_printf(out, ",%llu", (unsigned long long)dataset->rows);
    csv_time(out, dataset->first_us);
    csv_time(out, dataset->last_us);
    pt_buf_putc(out, '\n');
}

/* ---- the list ---- */

struct entry { /* one that is sorted */
    struct words words;
    int by;
    bool descending;
};

static int compare_numbers(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare(const void *va, const void *vb)
{
    const struct entry *a = va, *b = vb;
    const struct pt_dataset *x = a->words.dataset, *y = b->words.dataset;
    int c = 0;
    switch (a->by) {
    case BY_NAME: c = strcmp(a->words.name, b->words.name); break;
    case BY_CATEGORY: c = strcmp(category_of(x), category_of(y)); break;
    case BY_ROWS: c = compare_numbers((int64_t)x->rows, (int64_t)y->rows); break;
    case BY_FIRST: c = compare_numbers(x->first_us, y->first_us); break;
    case BY_LAST: c = compare_numbers(x->last_us, y->last_us); break;
    default: break;
    }
    if (c == 0) c = strcmp(x->id, y->id);
    return a->descending ? -c : c;
}

static bool holds(const char *text, const char *part)
{
    size_t len = strlen(part);
    for (; *text != '\0'; text++) {
        if (strncasecmp(text, part, len) == 0) return true;
    }
    return false;
}

static bool wanted(const struct words *words, const struct pt_value *value)
{
    const struct pt_value *category = &value[D_CATEGORY], *search = &value[D_SEARCH];
    if (category->given && pt_dataset_is_results(words->dataset) != (category->number != 0))
        return false;
    return !search->given || holds(words->dataset->id, search->text) ||
           holds(words->name, search->text) || holds(words->about, search->text);
}

struct page {
    const struct entry *entries;
    size_t n;
};

static void fill_datasets(void *arg, struct pt_buf *out)
{
    const struct page *page = arg;
    struct pt_json json;
    pt_json_init(&json, out);
    pt_json_array(&json);
    for (size_t i = 0; i < page->n; i++) {
        pt_json_object(&json);
        write_dataset(&page->entries[i].words, &json);
        pt_json_object_end(&json);
    }
    pt_json_array_end(&json);
}

static void write_datasets(const struct pt_request *request, struct page *page, size_t total,
                           int64_t updated_us, struct pt_buf *out)
{
    const struct pt_value *value = request->value;
    struct pt_json json;
    if (request->csv) {
        pt_buf_puts(out, "dataset_id,name,description,category,owner,update_frequency,tags,rows,"
                         "first,last\n");
        for (size_t i = 0; i < page->n; i++) write_line(&page->entries[i].words, out);
        return;
    }
    pt_json_init(&json, out);
    pt_json_object(&json);
    pt_list_write(&json, "datasets", request->lists, request->data, fill_datasets, page);
    pt_json_kv_int(&json, "total_count", (int64_t)total);
    pt_list_time(&json, "last_updated", updated_us);
    pt_list_pagination(&json, (int64_t)total, value[D_LIMIT].number, value[D_OFFSET].number);
    pt_json_object_end(&json);
}

const struct pt_catalog *pt_catalog_list(struct pt_request *request)
{
    struct pt_thread *thread = request->thread;
    struct pt_err err;
    if (pt_catalog_refresh(&thread->catalog, thread->http->store, pt_now_us(), &err) == PT_OK)
        return &thread->catalog;
    pt_reply_error(request, &err);
    return NULL;
}

void pt_catalog_reply(struct pt_request *request, struct pt_buf *out, int64_t total)
{
    bool current = request->thread->catalog.commit == request->commit;
    uint64_t tag = out->failed ? 0 : XXH3_64bits(out->data, out->len);
    pt_reply_keep(request, request->csv ? PT_TYPE_CSV : PT_TYPE_JSON, out, tag, 0,
                  current ? INT64_MAX : pt_now_us() + PT_US_SEC, total);
}

void pt_handle_datasets(struct pt_request *request)
{
    const struct pt_value *value = request->value;
    const struct pt_catalog *catalog = pt_catalog_list(request);
    if (catalog == NULL) return;
    pt_list_form(request, &value[D_LIST_KEY], &value[D_FORMAT]);
    struct entry *entries = calloc(catalog->n + 1, sizeof *entries);
    struct pt_buf out = { 0 };
    size_t total = 0;
    int64_t updated_us = PT_MISSING;
    if (entries == NULL) {
        struct pt_err err;
        pt_fail(&err, PT_ENOMEM, "out of memory");
        pt_reply_error(request, &err);
        return;
    }
    for (size_t i = 0; i < catalog->n; i++) {
        struct entry *entry = &entries[total];
        describe(&catalog->v[i], request->thread->scripts, &entry->words);
        entry->by = (int)value[D_SORT].number;
        entry->descending = value[D_ORDER].number == PT_ORDER_DESC;
        if (!wanted(&entry->words, value)) continue;
        if (catalog->v[i].updated_us > updated_us) updated_us = catalog->v[i].updated_us;
        total++;
    }
    if (total > 1) qsort(entries, total, sizeof *entries, compare);
    size_t skip = (uint64_t)value[D_OFFSET].number < total ? (size_t)value[D_OFFSET].number : total;
    size_t limit = (size_t)value[D_LIMIT].number;
    struct page page = { entries + skip, total - skip < limit ? total - skip : limit };
    write_datasets(request, &page, total, updated_us, &out);
    free(entries);
    pt_catalog_reply(request, &out, (int64_t)total);
}

static void no_dataset(struct pt_request *request)
{
    pt_reply_problem(request, 404, "no dataset \"%.100s\"; /catalog/datasets lists all",
                     request->arg);
}

const struct pt_dataset *pt_catalog_get(struct pt_request *request)
{
    const struct pt_catalog *catalog = pt_catalog_list(request);
    if (catalog == NULL) return NULL;
    const struct pt_dataset *dataset = pt_catalog_find(catalog, request->arg);
    if (dataset == NULL) no_dataset(request);
    return dataset;
}

void pt_handle_dataset(struct pt_request *request)
{
    const struct pt_dataset *dataset = pt_catalog_get(request);
    struct words words;
    struct pt_buf out = { 0 };
    struct pt_json json;
    if (dataset == NULL) return;
    bool results = pt_dataset_is_results(dataset);
    describe(dataset, request->thread->scripts, &words);
    pt_json_init(&json, &out);
    pt_json_object(&json);
    write_dataset(&words, &json);
    pt_json_kv_text(&json, "schema_id", words.schema);
    pt_json_kv_text(&json, "storage_type", results ? "documents" : "columns");
    if (results)
        pt_json_kv_null(&json, "bytes"); /* documents are not measured */
    else
        pt_json_kv_int(&json, "bytes", (int64_t)dataset->series.bytes);
    pt_json_kv_null(&json, "quality_score"); /* an audit's to say */
    pt_list_time(&json, "created_at", results ? PT_MISSING : dataset->series.created_us);
    pt_list_time(&json, "updated_at", dataset->updated_us);
    pt_json_object_end(&json);
    pt_catalog_reply(request, &out, 0);
}
