/* test_hostile.c - scripts that attack: each must end as its second line says, and hurt nobody.
 *
 * tests/torture/hostile/NAME.lua, with `-- expect: OUTCOME [words]`:
 *   refused WORDS   does not load, and the error holds the words
 *   killed-load     the worker is ended while loading it
 *   killed          the worker is ended while it computes
 *   error WORDS     its second result is an error that holds the words
 *   ok              its second result is there, and its output `breaches` is 0
 *   contained       anything of these
 * Whatever it does, the status page names it when the worker dies, and otherwise its neighbour's
 * results are right. */
#include "rig.h"

#include <dirent.h>

static char folder[64];

static const char neighbour[] =
    "return calculator { api = 1, name = 'neighbour', about = 'minds its own business',\n"
    " needs = { candles = { span = '2d' } }, outputs = { { 'mean', 'quote' }, { 'text', text {} } "
    "},\n"
    " compute = function(w) return { mean = w.close:mean(), text = ('ab'):rep(3) .. "
    "tostring(math.floor(2.5)) } end }";
static const struct rig_script library = { "lib/half.lua", "return function(x) return x / 2 end" };

struct outcome {
    const char *kind;
    char words[512]; /* of the error */
    char where[300];
};

/* The whole of a small file; freed by the caller. */
static char *read_text(const char *path)
{
    struct pt_buf buf = { 0 };
    char part[4096];
    FILE *file = fopen(path, "rb");
    if (!file) rig_die(path);
    for (size_t n; (n = fread(part, 1, sizeof part, file)) > 0;) pt_buf_add(&buf, part, n);
    fclose(file);
    return pt_buf_take(&buf, NULL);
}

static void take_error(const bson_t *doc, const char *path, struct outcome *out)
{
    char member[64];
    snprintf(member, sizeof member, "%s.message", path);
    snprintf(out->words, sizeof out->words, "%s", rig_text(doc, member));
    snprintf(member, sizeof member, "%s.file", path);
    snprintf(out->where, sizeof out->where, "%s", rig_text(doc, member));
}

/* The worker is gone: by its timer, while it was at script 0? */
static struct outcome killed(struct rig *rig, enum pt_phase phase)
{
    struct outcome out = { .kind = phase == PT_PHASE_LOAD ? "killed-load" : "killed" };
    uint32_t at = rig->status->script, was = rig->status->phase;
    int end = rig_end(rig);
    if (end != -SIGPROF || at != 0 || was != phase) {
        out.kind = "lost";
        snprintf(out.words, sizeof out.words, "ended with %d in phase %u at script %u", end, was,
                 at);
    }
    return out;
}

static bool unhurt(const bson_t *reply, double mean)
{
    bson_t doc;
    rig_result(reply, 1, &doc);
    return strcmp(rig_text(&doc, "status"), "ok") == 0 && rig_number(&doc, "data.mean") == mean &&
           strcmp(rig_text(&doc, "data.text"), "ababab2") == 0;
}

/* kill: a short budget, since it is to be used up; the others have all the time they want. */
static struct outcome attack(const char *file, const char *name, const char *text, bool kill,
                             double mean)
{
    struct rig rig;
    struct outcome out = { .kind = "ok" };
    const struct rig_script scripts[] = { { file, text }, { "neighbour.lua", neighbour } };
    const char *names[] = { name, "neighbour", NULL };
    int64_t budget_us = kill ? 300000 : 60 * PT_US_SEC;
    struct rig_budget budget = { budget_us, budget_us, 64 << 20 };
    memcpy(rig.folder, folder, sizeof folder);
    rig_start(&rig);
    bson_t *reply = rig_load(&rig, &budget, scripts, 2, &library, 1);
    if (!reply) return killed(&rig, PT_PHASE_LOAD);
    if (strcmp(rig_text(reply, "scripts.0.declaration.name"), name) != 0) {
        out.kind = "refused";
        take_error(reply, "scripts.0.error", &out);
        bson_destroy(reply);
        names[0] = "neighbour";
        reply = rig_run(&rig, "AAAUSDT", PT_US_HOUR, RIG_NEWEST, names, NULL);
        if (!unhurt(reply, mean)) out.kind = "refused, and its neighbour hurt";
    }
    for (int i = 0; i < 2 && strcmp(out.kind, "refused") != 0; i++) {
        bson_t doc;
        bson_destroy(reply);
        reply = rig_run(&rig, "AAAUSDT", PT_US_HOUR, RIG_NEWEST, names, NULL);
        if (!reply) return killed(&rig, PT_PHASE_RUN);
        rig_result(reply, 0, &doc);
        if (strcmp(rig_text(&doc, "status"), "error") == 0) {
            out.kind = "error";
            take_error(&doc, "metadata.error", &out);
        } else {
            out.kind = rig_number(&doc, "data.breaches") == 0 ? "ok" : "breached";
            snprintf(out.words, sizeof out.words, "breaches %g", rig_number(&doc, "data.breaches"));
        }
        if (!unhurt(reply, mean)) {
            out.kind = "neighbour hurt";
            break;
        }
    }
    if (reply) bson_destroy(reply);
    int end = rig_end(&rig);
    if (end != 0) {
        out.kind = "lost";
        snprintf(out.words, sizeof out.words, "the worker ended with %d", end);
    }
    return out;
}

static bool as_expected(const struct outcome *out, const char *expect, const char *file)
{
    static const char *const contained[] = { "refused", "killed", "error", "ok" };
    if (strcmp(expect, "contained") == 0) {
        for (size_t i = 0; i < sizeof contained / sizeof *contained; i++) {
            if (strcmp(out->kind, contained[i]) == 0) return true;
        }
        return false;
    }
    size_t len = strlen(out->kind);
    if (strncmp(expect, out->kind, len) != 0 || (expect[len] != ' ' && expect[len] != '\0'))
        return false;
    if (expect[len] == '\0') return true;
    return strstr(out->words, expect + len + 1) && strcmp(out->where, file) == 0;
}

static double mean_of_neighbour(void)
{
    struct rig rig;
    const struct rig_script script = { "neighbour.lua", neighbour };
    const char *names[] = { "neighbour", NULL };
    memcpy(rig.folder, folder, sizeof folder);
    rig_start(&rig);
    bson_t *loaded = rig_load(&rig, &rig_usual, &script, 1, NULL, 0);
    bson_t *reply = rig_run(&rig, "AAAUSDT", PT_US_HOUR, RIG_NEWEST, names, NULL), doc;
    rig_result(reply, 0, &doc);
    double mean = rig_number(&doc, "data.mean");
    if (loaded) bson_destroy(loaded);
    if (reply) bson_destroy(reply);
    CU_ASSERT_EQUAL(rig_end(&rig), 0);
    return mean;
}

static int is_script(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && strcmp(dot, ".lua") == 0;
}

static void test_every_script_ends_as_it_says(void)
{
    char path[1024], file[300], name[128];
    struct dirent **entries;
    double mean = mean_of_neighbour();
    CU_ASSERT(mean > 0);
    snprintf(path, sizeof path, "%s/tests/torture/hostile", rig_env("PETROSA_SOURCE"));
    int n = scandir(path, &entries, is_script, alphasort);
    CU_ASSERT(n >= 40);
    for (int i = 0; i < n; i++) {
        snprintf(file, sizeof file, "hostile/%s", entries[i]->d_name);
        snprintf(name, sizeof name, "%.*s", (int)strlen(entries[i]->d_name) - 4,
                 entries[i]->d_name);
        snprintf(path, sizeof path, "%s/tests/torture/hostile/%s", rig_env("PETROSA_SOURCE"),
                 entries[i]->d_name);
        free(entries[i]);
        char *text = read_text(path), *at = strstr(text, "-- expect: "),
             expect[256] = "(no expectation)";
        if (at) snprintf(expect, sizeof expect, "%.*s", (int)strcspn(at + 11, "\n"), at + 11);
        struct outcome out = attack(file, name, text, strncmp(expect, "killed", 6) == 0, mean);
        bool good = as_expected(&out, expect, file);
        if (!good)
            printf("\n    %s: expected '%s', got '%s %s' at '%s' ", name, expect, out.kind,
                   out.words, out.where);
        CU_ASSERT(good);
        free(text);
    }
    if (n >= 0) free(entries);
}

static void test_bytecode_is_refused(void)
{
    struct outcome out =
        attack("hostile/code.lua", "code", "\033LJ\002\n\001", false, mean_of_neighbour());
    CU_ASSERT_STRING_EQUAL(out.kind, "refused");
    CU_ASSERT_PTR_NOT_NULL(strstr(out.words, "attempt to load chunk with wrong mode"));
}

int main(void)
{
    CU_TestInfo tests[] = { { "every hostile script ends as it says",
                              test_every_script_ends_as_it_says },
                            { "bytecode is refused", test_bytecode_is_refused },
                            CU_TEST_INFO_NULL };
    snprintf(folder, sizeof folder, "/tmp/petrosa-hostile-XXXXXX");
    if (!mkdtemp(folder)) rig_die("mkdtemp");
    rig_fill(folder, "AAAUSDT", PT_US_HOUR, 200, 0, 0);
    int rc = pt_suite_main("test_hostile", tests);
    rig_remove(folder);
    return rc;
}
