/* csv_columns.c - the columns of a CSV reply, found by their path. [layer: serve] */
#include "serve/csv_columns.h"

#include "serve/results.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

void pt_csv_columns_fini(struct pt_csv_columns *columns)
{
    for (size_t i = 0; i < columns->n; i++) free(columns->name[i]);
    free(columns->name);
    free(columns->cell);
    free(columns->slot);
    pt_buf_fini(&columns->line);
}

bool pt_csv_columns_share(struct pt_csv_columns *part, const struct pt_csv_columns *whole)
{
    *part = *whole;
    part->shared = true;
    part->line = (struct pt_buf){ 0 };
    part->cell = calloc(whole->cap + 1, sizeof *part->cell);
    return part->cell != NULL;
}

void pt_csv_columns_unshare(struct pt_csv_columns *part)
{
    free(part->cell);
    pt_buf_fini(&part->line);
}

bool pt_csv_columns_fit(struct pt_csv_columns *columns, size_t cells)
{
    if (cells > PT_CSV_COLUMNS) columns->failed = columns->many = true;
    return !columns->failed;
}

/* The slot that holds the path, or the free one where it belongs. */
static size_t slot_of(struct pt_csv_columns *columns, const char *path)
{
    size_t i = XXH3_64bits(path, strlen(path)) & (columns->nslots - 1);
    for (; columns->slot[i] != 0; i = (i + 1) & (columns->nslots - 1)) {
        columns->looks++;
        if (strcmp(columns->name[columns->slot[i] - 1], path) == 0) break;
    }
    return i;
}

static bool grow(struct pt_csv_columns *columns)
{
    size_t cap = columns->cap == 0 ? 64 : columns->cap * 2, nslots = cap * 4;
    if (!pt_csv_columns_fit(columns, cap)) return false;
    char **name = realloc(columns->name, cap * sizeof *name);
    if (name != NULL) columns->name = name;
    struct pt_csv_cell *cell = realloc(columns->cell, cap * sizeof *cell);
    if (cell != NULL) columns->cell = cell;
    uint32_t *slot = calloc(nslots, sizeof *slot);
    if (name == NULL || cell == NULL || slot == NULL) {
        free(slot);
        return false;
    }
    free(columns->slot);
    columns->slot = slot;
    columns->nslots = nslots;
    columns->cap = cap;
    for (size_t i = 0; i < columns->n; i++) slot[slot_of(columns, name[i])] = (uint32_t)i + 1;
    return true;
}

size_t pt_csv_columns_of(struct pt_csv_columns *columns, const char *path)
{
    size_t i = 0, next = columns->last + 1 < columns->n ? columns->last + 1 : 0;
    if (columns->n > 0 && strcmp(columns->name[next], path) == 0) return columns->last = next;
    if (columns->nslots > 0) {
        i = slot_of(columns, path);
        if (columns->slot[i] != 0) return columns->last = columns->slot[i] - 1;
    }
    bool room = columns->n < columns->cap;
    char *name = columns->shared ? NULL : room || grow(columns) ? strdup(path) : NULL;
    if (name == NULL) {
        columns->failed = true;
        return 0;
    }
    if (!room) i = slot_of(columns, path);
    columns->slot[i] = (uint32_t)columns->n + 1;
    columns->name[columns->n] = name;
    columns->cell[columns->n] = (struct pt_csv_cell){ 0, 0 };
    return columns->last = columns->n++;
}
