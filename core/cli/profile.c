/* profile.c - the profile of a call beside its source. */
#include "cli/profile.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NEAR 6 /* more lines without time are left out */

/* The entry of a line; false when no time was spent there. */
static bool find_line(const bson_t *lines, const char *file, int64_t number, double *hits,
                      double *ns)
{
    bson_iter_t iter;
    if (!bson_iter_init(&iter, lines)) return false;
    while (bson_iter_next(&iter)) {
        bson_t entry;
        uint32_t len;
        const uint8_t *bytes;
        const char *name;
        int64_t line;
        if (!BSON_ITER_HOLDS_DOCUMENT(&iter)) continue;
        bson_iter_document(&iter, &len, &bytes);
        if (bson_init_static(&entry, bytes, len) && pt_doc_text(&entry, "file", &name) &&
            strcmp(name, file) == 0 && pt_doc_int(&entry, "line", &line) && line == number &&
            pt_doc_double(&entry, "hits", hits) && pt_doc_double(&entry, "ns", ns))
            return true;
    }
    return false;
}

/* The lines of a file from the first that took time to the last. */
static void print_file(const struct pt_source *source, const bson_t *lines, double all_ns)
{
    struct pt_buf between = { 0 }; /* lines without time: printed when another one follows */
    int64_t number = 1;
    unsigned skipped = 0;
    bool begun = false;
    for (const char *at = source->text; *at != '\0'; number++) {
        size_t len = strcspn(at, "\n");
        double hits, ns;
        if (find_line(lines, source->file, number, &hits, &ns)) {
            if (!begun) printf("%s\n", source->file);
            if (skipped > NEAR)
                printf("%24s   ...\n", "");
            else if (between.len > 0)
                printf("%s", between.data);
            printf("%9.2f %5.1f %8.6g %5" PRId64 "  %.*s\n", ns / 1e3, 100 * ns / all_ns, hits,
                   number, (int)len, at);
            pt_buf_clear(&between);
            begun = true;
            skipped = 0;
        } else if (begun && skipped++ < NEAR) {
            pt_buf_printf(&between, "%24s %5" PRId64 "  %.*s\n", "", number, (int)len, at);
        }
        at += len + (at[len] == '\n');
    }
    pt_buf_fini(&between);
}

void pt_profile_print(const struct pt_scripts *scripts, const struct pt_script *script,
                      const bson_t *doc)
{
    bson_t lines;
    int64_t calls, median_ns, interpreted, all_ns;
    double outside_ns;
    const char *why = "the call has no result to time";
    if (!pt_doc_child(doc, "profile.lines", &lines) ||
        !pt_doc_int(doc, "profile.compiled.calls", &calls) ||
        !pt_doc_int(doc, "profile.compiled.median_ns", &median_ns) ||
        !pt_doc_int(doc, "profile.interpreted.calls", &interpreted) ||
        !pt_doc_int(doc, "profile.interpreted.ns", &all_ns) ||
        !pt_doc_double(doc, "profile.outside_ns", &outside_ns)) {
        pt_doc_text(doc, "profile.error", &why);
        printf("profile: none, %s\n", why);
        return;
    }
    if (all_ns == 0) all_ns = 1; /* a clock that stands still */
    printf("profile, of calls whose bars are read already\n");
    printf("  %-28s %.2f us a call, median of %" PRId64 "\n", "as it runs live",
           (double)median_ns / 1e3, calls);
    printf("  %-28s %.2f us a call, mean of %" PRId64 "; its lines:\n", "in the interpreter",
           (double)all_ns / 1e3, interpreted);
    if (all_ns > 3 * median_ns)
        printf("  loops are compiled when it runs live: there the whole is %.0f times as fast\n",
               (double)all_ns / (double)(median_ns > 0 ? median_ns : 1));
    printf("       us     %%     hits  line\n");
    for (size_t i = 0; i < scripts->sources.n; i++) {
        const struct pt_source *source = &scripts->sources.v[i];
        if (source == script->source || source->lib) print_file(source, &lines, (double)all_ns);
    }
    printf("%9.2f %5.1f %14s  arguments and result\n", outside_ns / 1e3,
           100 * outside_ns / (double)all_ns, "");
}
