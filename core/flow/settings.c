/* settings.c - what the engine reads before it starts anything.                [layer: flow] */
#include "flow/settings.h"

#include "flow/places.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_mistake(struct pt_buf *mistakes, const char *text)
{
    pt_buf_printf(mistakes, "%s%s", mistakes->len > 0 ? "; " : "", text);
}

static enum pt_code read_rules(const struct pt_conf *conf, struct pt_settings *settings,
                               struct pt_buf *mistakes)
{
    const char *word;
    struct pt_err err;
    for (size_t i = 0; (word = pt_conf_item(conf, "store", "keep", i)); i++) {
        struct pt_retention *grown = realloc(settings->rules, (i + 1) * sizeof *grown);
        if (!grown) return PT_ENOMEM;
        settings->rules = grown;
        if (pt_retention_parse(word, &settings->rules[settings->nrules], &err) == PT_OK)
            settings->nrules++;
        else
            add_mistake(mistakes, err.text);
    }
    return PT_OK;
}

static enum pt_code read_pairs(const struct pt_conf *conf, struct pt_settings *settings,
                               struct pt_buf *mistakes)
{
    size_t n = 0;
    char symbol[PT_SYMBOL_MAX];
    while (pt_conf_item(conf, "cycle", "pairs", n)) n++;
    if (n > 0 && !(settings->pairs = calloc(n + 1, sizeof *settings->pairs))) return PT_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        settings->pairs[i] = pt_conf_item(conf, "cycle", "pairs", i);
        if (pt_symbol_parse(settings->pairs[i], strlen(settings->pairs[i]), symbol) != PT_OK)
            pt_buf_printf(mistakes, "%s[cycle] pairs: '%s' is no symbol",
                          mistakes->len > 0 ? "; " : "", settings->pairs[i]);
    }
    return PT_OK;
}

static bool already_loaded(const struct pt_settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->nfeeds; i++)
        if (strcmp(settings->feeds[i]->name, name) == 0) return true;
    return false;
}

static void load_feeds(const struct pt_conf *conf, struct pt_settings *settings,
                       struct pt_buf *mistakes)
{
    const char *name;
    for (size_t i = 0; (name = pt_conf_item(conf, "feed", "enabled", i)); i++) {
        if (settings->nfeeds == PT_FEEDS_MAX) {
            pt_buf_printf(mistakes, "%s[feed] enabled: more than %d feeds",
                          mistakes->len > 0 ? "; " : "", PT_FEEDS_MAX);
            break;
        }
        if (already_loaded(settings, name))
            pt_buf_printf(mistakes, "%s[feed] enabled: %s is named twice",
                          mistakes->len > 0 ? "; " : "", name);
        else if (pt_feed_load(conf, name, &settings->feeds[settings->nfeeds], mistakes) == PT_OK)
            settings->nfeeds++;
    }
}

enum pt_code pt_settings_read(const struct pt_conf *conf, bool serve, const char *extra,
                              struct pt_settings *settings, struct pt_err *err)
{
    struct pt_buf mistakes = { 0 };
    struct pt_err one;
    char symbol[PT_SYMBOL_MAX];
    const char *benchmark = pt_conf_text(conf, "cycle", "benchmark");
    enum pt_code rc = PT_OK, worst = PT_EINVAL;
    memset(settings, 0, sizeof *settings);
    if (pt_symbol_parse(benchmark, strlen(benchmark), symbol) != PT_OK)
        pt_buf_printf(&mistakes, "[cycle] benchmark: '%s' is no symbol", benchmark);
    if (pt_place_worker(conf, settings->worker, &one) != PT_OK) {
        add_mistake(&mistakes, one.text);
        worst = one.code;
    }
    if (pt_sources_read(conf, &settings->sources, &one) != PT_OK ||
        (extra && pt_sources_add(&settings->sources, extra, &one) != PT_OK)) {
        add_mistake(&mistakes, one.text);
        worst = one.code;
    }
    rc = read_pairs(conf, settings, &mistakes);
    if (rc == PT_OK && serve) rc = read_rules(conf, settings, &mistakes);
    if (rc == PT_OK && serve) load_feeds(conf, settings, &mistakes);
    if (rc != PT_OK || mistakes.failed)
        rc = pt_fail(err, PT_ENOMEM, "configuration");
    else if (mistakes.len > 0)
        rc = pt_fail(err, worst, "%s", mistakes.data);
    pt_buf_fini(&mistakes);
    if (rc != PT_OK) pt_settings_fini(settings);
    return rc;
}

void pt_settings_limits(const struct pt_conf *conf, struct pt_pool_limits *limits)
{
    *limits = (struct pt_pool_limits){
        .count = (unsigned)pt_conf_int(conf, "workers", "count"),
        .call_budget_us = pt_conf_int(conf, "scripts", "call_budget"),
        .load_budget_us = pt_conf_int(conf, "scripts", "load_budget"),
        .memory_bytes = pt_conf_int(conf, "scripts", "memory"),
    };
    snprintf(limits->benchmark, sizeof limits->benchmark, "%s",
             pt_conf_text(conf, "cycle", "benchmark"));
}

void pt_settings_fini(struct pt_settings *settings)
{
    for (size_t i = 0; i < settings->nfeeds; i++) pt_feed_free(settings->feeds[i]);
    pt_sources_fini(&settings->sources);
    free(settings->rules);
    free(settings->pairs);
    memset(settings, 0, sizeof *settings);
}
