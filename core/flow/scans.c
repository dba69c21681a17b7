/* scans.c - bars that detectors have yet to scan.                              [layer: flow] */
#include "flow/scans.h"

#include "base/decimal.h"
#include "base/timefmt.h"
#include "flow/hits.h"
#include "store/bars.h"

#include <stdlib.h>
#include <string.h>

#define SLICES_AT_ONCE 64 /* of PT_SCANS_AT_ONCE periods, where there are no bars */

/* ---- ranges -------------------------------------------------------------------------------- */

static size_t key_of(const struct pt_scan *scan, uint8_t out[PT_SCAN_KEY_MAX])
{
    uint8_t whole[16];
    size_t len = strlen(scan->symbol);
    pt_result_key(scan->period_us, 0, whole);
    memcpy(out, whole, 8);
    memcpy(out + 8, scan->symbol, len);
    return 8 + len;
}

static bool date(const bson_t *doc, const char *name, int64_t *us)
{
    bson_iter_t iter;
    if (!bson_iter_init_find(&iter, doc, name) || !BSON_ITER_HOLDS_DATE_TIME(&iter)) return false;
    *us = bson_iter_date_time(&iter) * 1000;
    return true;
}

static bool read_scan(const void *key, size_t len, const bson_t *doc, struct pt_scan *scan)
{
    const char *symbol = (const char *)key + 8;
    uint8_t again[PT_SCAN_KEY_MAX];
    *scan = (struct pt_scan){ .period_us = 0 };
    if (len <= 8 || len >= PT_SCAN_KEY_MAX || !date(doc, "from", &scan->from_us) ||
        !date(doc, "to", &scan->to_us))
        return false;
    memcpy(scan->symbol, symbol, len - 8);
    scan->next_us = scan->from_us;
    for (const int64_t *period = pt_periods; *period; period++) {
        scan->period_us = *period;
        if (key_of(scan, again) == len && memcmp(again, key, len) == 0) return true;
    }
    return false;
}

static enum pt_code put(struct pt_write *write, const struct pt_scan *scan, struct pt_err *err)
{
    uint8_t key[PT_SCAN_KEY_MAX];
    bson_t doc = BSON_INITIALIZER;
    size_t len = key_of(scan, key);
    bson_append_date_time(&doc, "from", -1, scan->from_us / 1000);
    bson_append_date_time(&doc, "to", -1, scan->to_us / 1000);
    enum pt_code rc = pt_write_doc(write, PT_SCANS, key, len, &doc, err);
    bson_destroy(&doc);
    return rc;
}

/* As it is stored now. PT_ENOENT also for one that is damaged: it is replaced. */
static enum pt_code get(struct pt_write *write, const struct pt_scan *scan, struct pt_scan *stored,
                        struct pt_err *err)
{
    uint8_t key[PT_SCAN_KEY_MAX];
    size_t len = key_of(scan, key);
    bson_t doc;
    enum pt_code rc = pt_write_doc_get(write, PT_SCANS, key, len, &doc, err);
    if (rc == PT_OK && !read_scan(key, len, &doc, stored)) rc = PT_ENOENT;
    return rc == PT_EDAMAGE ? PT_ENOENT : rc;
}

enum pt_code pt_scan_add(struct pt_write *write, const struct pt_scan *scan, struct pt_err *err)
{
    struct pt_scan stored, joined = *scan;
    enum pt_code rc = get(write, scan, &stored, err);
    if (rc != PT_OK && rc != PT_ENOENT) return rc;
    if (rc == PT_OK && stored.from_us < joined.from_us) joined.from_us = stored.from_us;
    if (rc == PT_OK && stored.to_us > joined.to_us) joined.to_us = stored.to_us;
    return put(write, &joined, err);
}

enum pt_code pt_scan_done(struct pt_write *write, const struct pt_scan *scan, struct pt_err *err)
{
    struct pt_scan stored;
    uint8_t key[PT_SCAN_KEY_MAX];
    enum pt_code rc = get(write, scan, &stored, err);
    if (rc != PT_OK) return rc == PT_ENOENT ? PT_OK : rc;
    if (stored.from_us < scan->from_us) return PT_OK;
    stored.from_us = scan->next_us;
    if (stored.from_us < stored.to_us) return put(write, &stored, err);
    return pt_write_doc_remove(write, PT_SCANS, key, key_of(scan, key), err);
}

/* ---- the plan ------------------------------------------------------------------------------ */

struct scanning {
    struct pt_plan *plan;
    struct pt_read *read;
    const char *const *pairs;
    struct pt_frame frame; /* of one slice */
    size_t slices, most;
    struct pt_scan_turn *turn;
    uint64_t *left;
    enum pt_code rc;
    struct pt_err *err;
};

static bool no_memory(struct scanning *scanning)
{
    scanning->rc = pt_fail(scanning->err, PT_ENOMEM, "plan of a scan");
    return false;
}

static bool any_detector(const struct scanning *scanning, int64_t period_us)
{
    const struct pt_scripts *scripts = scanning->plan->scripts;
    for (size_t i = 0; i < scripts->n; i++)
        if (scripts->v[i].status != PT_SCRIPT_QUARANTINED &&
            pt_scan_wants(&scripts->v[i], period_us))
            return true;
    return false;
}

static void add_unit(struct pt_plan *plan, const struct pt_scan *scan, int64_t as_of_us)
{
    uint8_t *wanted = plan->wanted + plan->n * plan->scripts->n;
    struct pt_plan_unit *unit = &plan->v[plan->n++];
    *unit = (struct pt_plan_unit){ .period_us = scan->period_us, .as_of_us = as_of_us };
    memcpy(unit->symbol, scan->symbol, sizeof unit->symbol);
    for (size_t i = 0; i < plan->scripts->n; i++)
        wanted[i] = pt_scan_wants(&plan->scripts->v[i], scan->period_us);
}

/* The bars of a slice. Damage ends it, and the next one goes on a bar behind: what is good there is
 * not passed over. */
static bool plan_slice(struct scanning *scanning, struct pt_scan *scan)
{
    struct pt_plan *plan = scanning->plan;
    int64_t period_us = scan->period_us, from_us = scan->next_us - period_us;
    int64_t to_us = from_us + PT_SCANS_AT_ONCE * period_us;
    if (to_us > scan->to_us - period_us) to_us = scan->to_us - period_us;
    pt_frame_clear(&scanning->frame);
    enum pt_code rc = pt_bars_read(scanning->read, scan->symbol, period_us, from_us, to_us,
                                   1u << PT_C_CLOSED, &scanning->frame, NULL, scanning->err);
    if (rc != PT_OK && rc != PT_EDAMAGE) {
        scanning->rc = rc;
        return false;
    }
    if (rc == PT_EDAMAGE && plan->fault.code == PT_OK) plan->fault = *scanning->err;
    size_t n = scanning->frame.n;
    scanning->slices++;
    if (rc == PT_OK)
        scan->next_us = to_us + period_us;
    else if (n > 0)
        scan->next_us = (int64_t)scanning->frame.val[PT_C_TIME][n - 1] + 3 * period_us;
    else
        scan->next_us += period_us;
    for (size_t i = 0; i < n; i++) {
        int64_t as_of_us = scanning->frame.val[PT_C_TIME][i] + period_us;
        if (plan->n == scanning->most) {
            scan->next_us = as_of_us;
            break;
        }
        add_unit(plan, scan, as_of_us);
    }
    return true;
}

static bool plan_scan(void *arg, const void *key, size_t key_len, const bson_t *doc)
{
    struct scanning *scanning = arg;
    struct pt_plan *plan = scanning->plan;
    struct pt_scan scan;
    if (!read_scan(key, key_len, doc, &scan)) return true; /* none of ours */
    if (!pt_plan_wants_symbol(scanning->pairs, scan.symbol) ||
        !any_detector(scanning, scan.period_us))
        return true;
    *scanning->left += (uint64_t)((scan.to_us - scan.from_us - 1) / scan.period_us + 1);
    while (scan.next_us < scan.to_us && plan->n < scanning->most &&
           scanning->slices < SLICES_AT_ONCE)
        if (!plan_slice(scanning, &scan)) return false;
    if (scan.next_us == scan.from_us) return true;
    scanning->turn->len = key_of(&scan, scanning->turn->key);
    return pt_plan_add_scan(plan, &scan) || no_memory(scanning);
}

/* Keys in [from, to). */
static void plan_part(struct scanning *scanning, const void *from, size_t from_len, const void *to,
                      size_t to_len)
{
    struct pt_plan *plan = scanning->plan;
    struct pt_err fault;
    enum pt_code rc = pt_docs_scan(scanning->read, PT_SCANS, from, from_len, to, to_len, false,
                                   plan_scan, scanning, &fault);
    if (rc == PT_EDAMAGE && plan->fault.code == PT_OK) plan->fault = fault;
    if (rc == PT_OK || rc == PT_EDAMAGE || scanning->rc != PT_OK) return;
    scanning->rc = rc;
    *scanning->err = fault;
}

enum pt_code pt_scans_plan(struct pt_store *store, struct pt_scripts *scripts,
                           const char *const *pairs, size_t most, struct pt_scan_turn *turn,
                           struct pt_plan *plan, uint64_t *left, struct pt_err *err)
{
    struct scanning scanning = {
        .plan = plan, .pairs = pairs, .most = most, .turn = turn, .left = left, .err = err
    };
    uint8_t behind[PT_SCAN_KEY_MAX + 1] = { 0 }; /* the first key after the turn's */
    size_t len = turn->len + (turn->len > 0);
    memcpy(behind, turn->key, turn->len);
    *left = 0;
    *plan = (struct pt_plan){ .scripts = pt_scripts_ref(scripts), .scanning = true };
    pt_frame_init(&scanning.frame, pt_kind(PT_CANDLES));
    plan->v = calloc(most, sizeof *plan->v);
    plan->wanted = calloc(most, scripts->n + 1);
    if (!plan->v || !plan->wanted) no_memory(&scanning);
    if (scanning.rc == PT_OK) scanning.rc = pt_read_begin(store, &scanning.read, err);
    if (scanning.rc == PT_OK) plan_part(&scanning, behind, len, NULL, 0);
    if (scanning.rc == PT_OK && len > 0) plan_part(&scanning, NULL, 0, behind, len);
    pt_read_end(scanning.read);
    pt_frame_fini(&scanning.frame);
    if (scanning.rc != PT_OK) pt_plan_fini(plan);
    return scanning.rc;
}
