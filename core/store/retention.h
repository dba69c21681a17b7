/* retention.h - how long rows and anomalies are kept, per kind and period.     [layer: store] */
#ifndef PT_RETENTION_H
#define PT_RETENTION_H

#include "store/store.h"

struct pt_retention {
    enum pt_kind_id kind; /* PT_KINDS: the log of anomalies */
    int64_t
        period_us; /* candles: of this period only; 0 = of every period without a rule of its own */
    int64_t keep_us; /* rows older than now - keep_us go */
};

/* "candles/1m=90d", "candles=52w", "trades=30d", "anomalies=365d". PT_EINVAL says what is wrong. */
enum pt_code pt_retention_parse(const char *word, struct pt_retention *rule, struct pt_err *err);

/* What a run removed. Zeroed before the first. */
struct pt_expired {
    uint64_t rows, anomalies; /* only grow */
    bool more;                /* a transaction's share was removed, and there is more: run again */
};
/* Applies the rules, each series in a transaction of its own, and of anomalies one transaction a
 * run, so that ingest is never held up for long. Anomalies go by the time of their bar, whatever
 * their status. PT_EDAMAGE: something damaged was passed over, it is named; all else is done. */
enum pt_code pt_retention_run(struct pt_store *store, const struct pt_retention *rules, size_t n,
                              int64_t now_us, struct pt_expired *expired, struct pt_err *err);

#endif
