#include "serve/trail.h"

#include "base/decimal.h"
#include "flow/result.h"
#include "serve/list.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

void pt_trail_init(struct pt_trail *trail, const struct pt_script *script)
{
    const char *label;
    *trail = (struct pt_trail){ .since_us = PT_MISSING };
    if (pt_doc_text(script->declaration, "label", &label))
        snprintf(trail->label, sizeof trail->label, "%s", label);
}

/* One result on the way back. */
struct step {
    int64_t as_of_us;
    char word[PT_TRAIL_WORD_MAX]; /* "" = it has no label */
};

struct walk {
    struct pt_trail *trail;
    int64_t period_us;
    struct step head, after; /* the result that is shown; the one after the one at hand */
    bool running;            /* the label of the head has held since `after` */
    bool any;                /* something is stored before the head */
};

static void take_step(const struct pt_trail *trail, const bson_t *doc, struct step *step)
{
    char path[PT_SCRIPT_NAME_MAX + sizeof "data."];
    const char *word;
    *step = (struct step){ .as_of_us = PT_MISSING };
    pt_result_as_of(doc, &step->as_of_us);
    snprintf(path, sizeof path, "data.%s", trail->label);
    if (pt_doc_text(doc, path, &word) && strlen(word) < sizeof step->word) strcpy(step->word, word);
}

static bool walk_back(void *arg, const void *key, size_t key_len, const bson_t *view)
{
    struct walk *walk = arg;
    struct pt_trail *trail = walk->trail;
    struct step step;
    (void)key;
    (void)key_len;
    take_step(trail, view, &step);
    walk->any = true;
    bool follows = walk->after.as_of_us - step.as_of_us == walk->period_us;
    bool same = strcmp(step.word, walk->head.word) == 0;
    walk->running = walk->running && follows && same;
    if (walk->running) trail->since_us = step.as_of_us;
    if (step.word[0] == '\0') return true; /* not the one after the next, so runs end here */
    if (!same && trail->previous[0] == '\0') strcpy(trail->previous, step.word);
    if (trail->stable[0] == '\0' && follows && strcmp(step.word, walk->after.word) == 0)
        strcpy(trail->stable, step.word);
    walk->after = step;
    return true;
}

enum pt_code pt_trail_read(struct pt_read *read, const char *collection, int64_t period_us,
                           const bson_t *newest, bool stored, struct pt_trail *trail,
                           struct pt_err *err)
{
    struct walk walk = { .trail = trail, .period_us = period_us };
    uint8_t from[16], to[16];
    take_step(trail, newest, &walk.head);
    if (trail->label[0] == '\0' || walk.head.as_of_us == PT_MISSING) return PT_OK;
    walk.after = walk.head;
    walk.running = walk.head.word[0] != '\0';
    if (walk.running) trail->since_us = walk.head.as_of_us;
    pt_result_key(period_us, walk.head.as_of_us - (PT_TRAIL_BARS - 1) * period_us, from);
    pt_result_key(period_us, walk.head.as_of_us, to);
    enum pt_code rc = pt_docs_scan(read, collection, from, sizeof from, to, sizeof to, true,
                                   walk_back, &walk, err);
    if (!stored && !walk.any)
        trail->since_us = PT_MISSING;
    else if (trail->stable[0] == '\0')
        strcpy(trail->stable, walk.head.word);
    return rc;
}

const char *pt_trail_key(const struct pt_trail *trail, size_t i, char out[PT_TRAIL_KEY_MAX])
{
    static const char *const prefix[] = { "since", "previous_", "stable_" };
    snprintf(out, PT_TRAIL_KEY_MAX, "%s%s", prefix[i], i > 0 ? trail->label : "");
    return out;
}

void pt_trail_json(const struct pt_trail *trail, struct pt_json *json)
{
    char key[PT_TRAIL_KEY_MAX];
    if (trail->label[0] == '\0') return;
    pt_list_time(json, pt_trail_key(trail, 0, key), trail->since_us);
    pt_json_kv_text(json, pt_trail_key(trail, 1, key), trail->previous[0] ? trail->previous : NULL);
    pt_json_kv_text(json, pt_trail_key(trail, 2, key), trail->stable[0] ? trail->stable : NULL);
}

uint64_t pt_trail_digest(const struct pt_trail *trail, uint64_t before)
{
    if (trail->label[0] == '\0') return before;
    before = XXH3_64bits_withSeed(&trail->since_us, sizeof trail->since_us, before);
    before = XXH3_64bits_withSeed(trail->previous, strlen(trail->previous), before);
    return XXH3_64bits_withSeed(trail->stable, strlen(trail->stable), before);
}
