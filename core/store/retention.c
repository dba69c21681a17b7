/* retention.c - rules of age, and their application.                           [layer: store] */
#include "store/retention.h"

#include "base/timefmt.h"
#include "store/anomaly.h"

#include <stdlib.h>
#include <string.h>

enum pt_code pt_retention_parse(const char *word, struct pt_retention *rule, struct pt_err *err)
{
    char name[24];
    const char *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : 0;
    if (len == 0 || len >= sizeof name)
        return pt_fail(err, PT_EINVAL, "\"%s\": expected KIND=AGE or candles/PERIOD=AGE", word);
    memcpy(name, word, len);
    name[len] = '\0';
    char *slash = strchr(name, '/');
    if (slash) *slash = '\0';
    const struct pt_kind *kind = pt_kind_named(name);
    bool anomalies = strcmp(name, PT_ANOMALIES) == 0;
    if (!kind && !anomalies)
        return pt_fail(err, PT_EINVAL, "\"%s\": there is no kind %s", word, name);
    rule->kind = kind ? kind->id : PT_KINDS;
    rule->period_us = 0;
    if (slash && !(kind && kind->by_period))
        return pt_fail(err, PT_EINVAL, "\"%s\": %s have no periods", word, name);
    if (slash && pt_period_parse(slash + 1, strlen(slash + 1), &rule->period_us) != PT_OK)
        return pt_fail(err, PT_EINVAL, "\"%s\": %s is no period", word, slash + 1);
    if (pt_span_parse(equals + 1, strlen(equals + 1), &rule->keep_us) != PT_OK)
        return pt_fail(err, PT_EINVAL, "\"%s\": %s is no age (90d, 24h, 2w)", word, equals + 1);
    return PT_OK;
}

struct aged {
    const struct pt_retention *rules;
    size_t n;
    int64_t now_us;
    struct aged_series {
        struct pt_series_key key;
        int64_t before_us;
    } * list;
    size_t count, cap;
    bool failed;
};

/* The rule of a series: its own period's, else that of the kind. */
static const struct pt_retention *rule_of(const struct aged *aged, const struct pt_series_key *key)
{
    const struct pt_retention *found = NULL;
    for (size_t i = 0; i < aged->n; i++) {
        const struct pt_retention *rule = &aged->rules[i];
        if (rule->kind != key->kind) continue;
        if (rule->period_us == key->period_us && rule->period_us != 0) return rule;
        if (rule->period_us == 0) found = rule;
    }
    return found;
}

static bool collect(void *arg, const struct pt_series *series)
{
    struct aged *aged = arg;
    const struct pt_retention *rule = rule_of(aged, &series->key);
    if (!rule || series->rows == 0 || series->first_us >= aged->now_us - rule->keep_us) return true;
    if (aged->count == aged->cap) {
        size_t cap = aged->cap ? aged->cap * 2 : 16;
        struct aged_series *list = realloc(aged->list, cap * sizeof *list);
        aged->failed = !list;
        if (!list) return false;
        aged->list = list;
        aged->cap = cap;
    }
    aged->list[aged->count++] = (struct aged_series){ series->key, aged->now_us - rule->keep_us };
    return true;
}

static enum pt_code expire_series(struct pt_store *store, const struct aged_series *series,
                                  uint64_t *removed, struct pt_err *err)
{
    struct pt_write *write = NULL;
    uint64_t gone = 0;
    enum pt_code rc = pt_write_begin(store, &write, err);
    if (rc != PT_OK) return rc;
    rc = pt_write_expire(write, &series->key, series->before_us, &gone, err);
    if (rc == PT_OK)
        rc = pt_write_commit(write, err);
    else
        pt_write_abort(write);
    if (rc == PT_OK) *removed += gone;
    return rc;
}

enum pt_code pt_retention_run(struct pt_store *store, const struct pt_retention *rules, size_t n,
                              int64_t now_us, struct pt_expired *expired, struct pt_err *err)
{
    struct aged aged = { .rules = rules, .n = n, .now_us = now_us };
    struct pt_read *read;
    struct pt_err fault = { .code = PT_OK };
    enum pt_code rc = pt_read_begin(store, &read, err);
    if (rc != PT_OK) return rc;
    bool again = expired->more; /* of the log alone: the rows had their turn */
    bool more = false;
    if (!again) rc = pt_series_each(read, collect, &aged, err);
    pt_read_end(read);
    if (aged.failed) rc = pt_fail(err, PT_ENOMEM, "retention");
    for (size_t i = 0; i < aged.count && (rc == PT_OK || rc == PT_EDAMAGE); i++) {
        if (rc == PT_EDAMAGE && fault.code == PT_OK) fault = *err;
        rc = expire_series(store, &aged.list[i], &expired->rows, err);
    }
    free(aged.list);
    for (size_t i = 0; i < n && (rc == PT_OK || rc == PT_EDAMAGE); i++) {
        if (rc == PT_EDAMAGE && fault.code == PT_OK) fault = *err;
        rc = PT_OK;
        if (rules[i].kind != PT_KINDS) continue;
        rc = pt_anomaly_expire(store, now_us - rules[i].keep_us, &expired->anomalies,
                               &expired->more, err);
        more = more || expired->more;
    }
    expired->more = more;
    if (rc != PT_OK || fault.code == PT_OK) return rc;
    if (err) *err = fault;
    return fault.code;
}
