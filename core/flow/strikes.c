/* strikes.c - how often a version of a script has killed its worker.            [layer: flow]
 *
 * A version is told by its hash: an edit begins anew, and going back to a version that was out does
 * not bring it back, as long as it was not gone in between. */
#include "flow/strikes.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pt_strike *find(const struct pt_strikes *strikes, const char *hash)
{
    for (size_t i = 0; i < strikes->n; i++)
        if (strcmp(strikes->v[i].hash, hash) == 0) return &strikes->v[i];
    return NULL;
}

bool pt_strikes_add(struct pt_strikes *strikes, const char *hash, const char *words)
{
    struct pt_strike *strike = find(strikes, hash);
    if (!strike) {
        struct pt_strike *grown = realloc(strikes->v, (strikes->n + 1) * sizeof *grown);
        if (!grown) return false;
        strikes->v = grown;
        strike = &grown[strikes->n++];
        *strike = (struct pt_strike){ .n = 0 };
        snprintf(strike->hash, sizeof strike->hash, "%s", hash);
    }
    int64_t now_us = pt_mono_us();
    if (strike->n < PT_STRIKES_OUT && now_us - strike->last_us > PT_STRIKES_US) strike->n = 0;
    strike->last_us = now_us;
    strike->n++;
    snprintf(strike->words, sizeof strike->words,
             "quarantined until its file changes: %u times it ended its worker, at last: %.200s",
             strike->n, words);
    return strike->n == PT_STRIKES_OUT;
}

const char *pt_strikes_out(const struct pt_strikes *strikes, const char *hash)
{
    const struct pt_strike *strike = find(strikes, hash);
    return strike && strike->n >= PT_STRIKES_OUT ? strike->words : NULL;
}

void pt_strikes_keep(struct pt_strikes *strikes, const struct pt_scripts *scripts)
{
    size_t kept = 0;
    for (size_t i = 0; i < strikes->n; i++) {
        bool there = false;
        for (size_t k = 0; k < scripts->n && !there; k++)
            there = strcmp(scripts->v[k].source->hash, strikes->v[i].hash) == 0;
        if (there) strikes->v[kept++] = strikes->v[i];
    }
    strikes->n = kept;
}

void pt_strikes_fini(struct pt_strikes *strikes)
{
    free(strikes->v);
    *strikes = (struct pt_strikes){ 0 };
}
