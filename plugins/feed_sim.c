/* feed_sim.c - a simulated market, for demonstrations and tests.
 *
 * It speaks as a real feed does: Binance-form JSON (kline, trade, depth20, markPriceUpdate) pushed
 * into the ring. First the history that the store does not have yet, as closed 1m klines, then
 * live.
 *
 * The market is a function of (seed, symbol, minute) alone, so a run that starts later, or goes on
 * after a restart, shows the same bars:
 *
 *     days from 2020-01-01:  log price x[d+1] = x[d] + k (anchor - x[d]) + sd[d] (beta F[d] + idio
 * e[d]) ln sd[d] is an AR(1) of the whole market: quiet and wild weeks minutes of a day: returns
 * sd[m] (beta f[m] + idio e[m]), f common to all symbols; ln sd[m] is again an AR(1) times the
 * pattern of the day; the path is bridged from x[d] to x[d+1]
 *
 * Volume follows the size of the move and the state of volatility (mixture of distributions, Clark
 * 1973); the taker-buy share leans with the return. Each day draws from generators seeded by (seed,
 * symbol, day). */
#include "base/clock.h"
#include "base/timefmt.h"
#include "flow/plugin.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MINUTES = 1440, SYMBOLS_MAX = 64, LEVELS = 20, MESSAGE_MAX = 4096 };
#define ORIGIN_DAY INT64_C(18262) /* 2020-01-01 */
#define DAY_MS (PT_US_DAY / 1000)

struct profile {
    const char *symbol;
    double anchor;      /* price around which it wanders, quote units */
    unsigned tick, lot; /* digits of prices and quantities */
    double beta, idio;  /* loads of the market and the own factor; beta^2 + idio^2 = 1 */
    double scale;       /* volatility relative to the market */
    double turnover;    /* quote units a calm minute */
};

static const struct profile profiles[] = {
    { "BTCUSDT", 60000, 2, 5, 0.92, 0.3919, 1.0, 900000 },
    { "ETHUSDT", 3000, 2, 4, 0.86, 0.5103, 1.25, 500000 },
    { "BNBUSDT", 550, 2, 3, 0.74, 0.6726, 1.1, 120000 },
    { "ADAUSDT", 0.6, 4, 1, 0.70, 0.7141, 1.6, 60000 },
    { "SOLUSDT", 140, 3, 2, 0.76, 0.6499, 1.8, 200000 },
    { NULL, 10, 3, 2, 0.65, 0.7599, 1.5, 50000 },
};

struct bar {
    int64_t open, high, low, close; /* ticks */
    int64_t volume, taker;          /* lots */
    int64_t quote, taker_quote;     /* 10^-(tick + lot) quote units */
    int64_t trades;
};

struct market_day { /* what all symbols share, by minute */
    int64_t day;
    double factor[MINUTES], sd[MINUTES], mood[MINUTES];
};

struct sim_symbol {
    char name[32];
    const struct profile *profile;
    uint64_t key;     /* part of its generators' seeds */
    double *open_log; /* [days known + 1] log price at the start of each day from ORIGIN_DAY */
    int64_t day;      /* whose minutes are in bars */
    struct bar *bars; /* [MINUTES] */
    int64_t next_min; /* first minute since the epoch not sent as closed */
    unsigned sent;    /* trades of the running minute already sent */
};

struct feed_sim {
    int64_t seed, history, minute, trades, book_interval; /* options */
    const char *symbols;
    bool books, partial;

    const struct pt_feed_host *host;
    struct sim_symbol symbol[SYMBOLS_MAX];
    size_t nsymbols;
    double *day_sd;  /* [days known] standard deviation of the day's log return */
    double day_mood; /* state of the daily AR(1) after the last known day */
    int64_t days;    /* days known, from ORIGIN_DAY */
    struct market_day shared;
    uint64_t tag;
    int64_t last_book_ms, last_partial_ms;

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool started, stop;
};

/* ---- random numbers: xoshiro256** seeded by splitmix64 (Blackman, Vigna 2018) ------------------
 */
struct rng {
    uint64_t s[4];
    double spare;
    bool has_spare;
};

static uint64_t mix(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static struct rng rng_for(uint64_t seed, uint64_t stream, int64_t day)
{
    uint64_t state = seed;
    uint64_t a = mix(&state) ^ stream;
    uint64_t b = mix(&a) ^ (uint64_t)day;
    struct rng rng = { .has_spare = false };
    for (int i = 0; i < 4; i++) rng.s[i] = mix(&b);
    return rng;
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

static double uniform(struct rng *rng) /* (0, 1) */
{
    uint64_t *s = rng->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return ((double)(result >> 11) + 0.5) * 0x1p-53;
}

static double normal(struct rng *rng) /* Marsaglia's polar method: two at a time */
{
    if (rng->has_spare) {
        rng->has_spare = false;
        return rng->spare;
    }
    double u, v, q;
    do {
        u = 2 * uniform(rng) - 1;
        v = 2 * uniform(rng) - 1;
        q = u * u + v * v;
    } while (q >= 1 || q == 0);
    double k = sqrt(-2 * log(q) / q);
    rng->spare = v * k;
    rng->has_spare = true;
    return u * k;
}

/* ---- the market ------------------------------------------------------------------------------ */
/* Streams of the generators; symbols use the hash of their name. */
enum { STREAM_DAYS = 1, STREAM_MINUTES = 2 };

static double power10(unsigned n)
{
    double p = 1;
    while (n-- > 0) p *= 10;
    return p;
}

/* Knows the days up to and including `day` and the price at its end. */
static bool know_days(struct feed_sim *self, int64_t day)
{
    int64_t want = day - ORIGIN_DAY + 1;
    if (want <= self->days) return true;
    double *sd = realloc(self->day_sd, (size_t)want * sizeof *sd);
    if (sd == NULL) return false;
    self->day_sd = sd;
    for (size_t i = 0; i < self->nsymbols; i++) {
        double *open = realloc(self->symbol[i].open_log, (size_t)(want + 1) * sizeof *open);
        if (open == NULL) return false;
        self->symbol[i].open_log = open;
        if (self->days == 0) open[0] = log(self->symbol[i].profile->anchor);
    }
    for (int64_t d = self->days; d < want; d++) {
        struct rng market = rng_for((uint64_t)self->seed, STREAM_DAYS, ORIGIN_DAY + d);
        self->day_mood = 0.96 * self->day_mood + 0.16 * normal(&market);
        double factor = normal(&market), level = 0.025 * exp(self->day_mood);
        sd[d] = level;
        for (size_t i = 0; i < self->nsymbols; i++) {
            struct sim_symbol *symbol = &self->symbol[i];
            const struct profile *p = symbol->profile;
            struct rng own =
                rng_for((uint64_t)self->seed, symbol->key ^ STREAM_DAYS, ORIGIN_DAY + d);
            double x = symbol->open_log[d];
            symbol->open_log[d + 1] =
                x + 0.008 * (log(p->anchor) - x) +
                level * p->scale * (p->beta * factor + p->idio * normal(&own));
        }
    }
    self->days = want;
    return true;
}

/* Activity over the day, UTC: a quiet night, Europe's morning, the peak when America opens. Mean
 * about 1. */
static double pattern(int minute)
{
    double hour = minute / 60.0, europe = (hour - 8.5) / 2.5, america = (hour - 14.5) / 2.2;
    return 0.72 + 0.35 * exp(-europe * europe) + 0.85 * exp(-america * america);
}

static void share_day(struct feed_sim *self, int64_t day)
{
    struct market_day *shared = &self->shared;
    struct rng rng = rng_for((uint64_t)self->seed, STREAM_MINUTES, day);
    double mood = 0.5 * normal(&rng), level = self->day_sd[day - ORIGIN_DAY] / sqrt(MINUTES);
    for (int m = 0; m < MINUTES; m++) {
        mood = 0.985 * mood + 0.09 * normal(&rng);
        shared->mood[m] = mood;
        shared->sd[m] = level * pattern(m) * exp(mood - 0.13); /* 0.13: half the variance of mood */
        shared->factor[m] = normal(&rng);
    }
    shared->day = day;
}

static int64_t at_least(int64_t x, int64_t least)
{
    return x < least ? least : x;
}

static bool fill_day(struct feed_sim *self, struct sim_symbol *symbol, int64_t day)
{
    if (symbol->day == day) return true;
    if (!know_days(self, day)) return false;
    if (self->shared.day != day) share_day(self, day);
    const struct profile *p = symbol->profile;
    const struct market_day *shared = &self->shared;
    struct rng rng = rng_for((uint64_t)self->seed, symbol->key ^ STREAM_MINUTES, day);
    double ticks = power10(p->tick), lots = power10(p->lot), step[MINUTES], sum = 0;
    for (int m = 0; m < MINUTES; m++) {
        step[m] = shared->sd[m] * p->scale * (p->beta * shared->factor[m] + p->idio * normal(&rng));
        sum += step[m];
    }
    double x = symbol->open_log[day - ORIGIN_DAY];
    double drift = (symbol->open_log[day - ORIGIN_DAY + 1] - x - sum) / MINUTES;
    int64_t last = at_least(llround(exp(x) * ticks), 1);
    for (int m = 0; m < MINUTES; m++) {
        struct bar *bar = &symbol->bars[m];
        double sd = shared->sd[m] * p->scale, move = (step[m] + drift) / sd;
        x += step[m] + drift;
        double price = exp(x) * ticks;
        bar->open = last;
        bar->close = at_least(llround(price), 1);
        int64_t top = bar->open > bar->close ? bar->open : bar->close,
                bottom = bar->open + bar->close - top;
        bar->high = top + llround(-0.35 * sd * price * log(uniform(&rng)));
        bar->low = at_least(bottom - llround(-0.35 * sd * price * log(uniform(&rng))), 1);
        double turnover =
            p->turnover * pattern(m) *
            exp(0.9 * shared->mood[m] + 0.55 * (fabs(move) - 0.8) + 0.4 * normal(&rng));
        double lean = 0.5 + 0.22 * tanh(0.8 * move) + 0.05 * normal(&rng);
        lean = lean < 0.02 ? 0.02 : lean > 0.98 ? 0.98 : lean;
        bar->volume = at_least(llround(turnover / (price / ticks) * lots), 1);
        bar->taker = llround((double)bar->volume * lean);
        /* all of it at the mean of the four prices, which lies within low and high */
        int64_t four = bar->open + bar->high + bar->low + bar->close;
        bar->quote = bar->volume / 4 * four + bar->volume % 4 * four / 4;
        bar->taker_quote = bar->taker / 4 * four + bar->taker % 4 * four / 4;
        bar->trades = 1 + llround(turnover / 900 * (0.8 + 0.4 * uniform(&rng)));
        last = bar->close;
    }
    symbol->day = day;
    return true;
}

static const struct bar *bar_at(struct feed_sim *self, struct sim_symbol *symbol, int64_t minute)
{
    return fill_day(self, symbol, minute / MINUTES) ? &symbol->bars[minute % MINUTES] : NULL;
}

/* Ticks at `share` 0..1 of the minute: from open over one extreme and the other to close. */
static int64_t price_at(const struct bar *bar, double share)
{
    int64_t a = bar->close >= bar->open ? bar->low : bar->high, b = bar->low + bar->high - a;
    double u = share * 3;
    if (u < 1) return bar->open + llround((double)(a - bar->open) * u);
    if (u < 2) return a + llround((double)(b - a) * (u - 1));
    return b + llround((double)(bar->close - b) * (u > 3 ? 1 : u - 2));
}

/* ---- messages -------------------------------------------------------------------------------- */
struct message {
    char text[MESSAGE_MAX];
    size_t len;
};

static void put(struct message *out, const char *text)
{
    size_t len = strlen(text);
    if (out->len + len >= MESSAGE_MAX) abort(); /* our own messages are of known length */
    memcpy(out->text + out->len, text, len);
    out->len += len;
}

/* value / 10^digits, with exactly that many digits; value >= 0. */
static void put_number(struct message *out, int64_t value, unsigned digits)
{
    char text[32], *end = text + sizeof text - 1, *at = end;
    *at = '\0';
    unsigned written = 0;
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
        if (++written == digits) *--at = '.';
    } while (value != 0 || written <= digits);
    put(out, digits == 0 && *at == '0' && at[1] != '\0' ? at + 1 : at);
}

static void put_text(struct message *out, const char *key, int64_t value, unsigned digits)
{
    put(out, ",\"");
    put(out, key);
    put(out, "\":\"");
    put_number(out, value, digits);
    put(out, "\"");
}

static void put_int(struct message *out, const char *key, int64_t value)
{
    put(out, ",\"");
    put(out, key);
    put(out, "\":");
    put_number(out, value, 0);
}

static void open_event(struct message *out, const char *type, int64_t event_ms, const char *symbol)
{
    out->len = 0;
    put(out, "{\"e\":\"");
    put(out, type);
    put(out, "\"");
    put_int(out, "E", event_ms);
    put(out, ",\"s\":\"");
    put(out, symbol);
    put(out, "\"");
}

static void kline(struct message *out, const struct sim_symbol *symbol, int64_t minute,
                  const struct bar *bar, int64_t event_ms, bool closed)
{
    const struct profile *p = symbol->profile;
    open_event(out, "kline", event_ms, symbol->name);
    put(out, ",\"k\":{\"i\":\"1m\"");
    put_int(out, "t", minute * 60000);
    put_int(out, "T", minute * 60000 + 59999);
    put_text(out, "o", bar->open, p->tick);
    put_text(out, "c", bar->close, p->tick);
    put_text(out, "h", bar->high, p->tick);
    put_text(out, "l", bar->low, p->tick);
    put_text(out, "v", bar->volume, p->lot);
    put_int(out, "n", bar->trades);
    put(out, closed ? ",\"x\":true" : ",\"x\":false");
    put_text(out, "q", bar->quote, p->tick + p->lot);
    put_text(out, "V", bar->taker, p->lot);
    put_text(out, "Q", bar->taker_quote, p->tick + p->lot);
    put(out, "}}");
}

/* The bar as it stands at `share` of its minute. */
static struct bar partial_bar(const struct bar *bar, double share)
{
    struct bar part = *bar;
    part.close = price_at(bar, share);
    part.high = part.low = bar->open;
    for (double u = 0; u <= share; u += 1.0 / 24) {
        int64_t price = price_at(bar, u);
        if (price > part.high) part.high = price;
        if (price < part.low) part.low = price;
    }
    if (part.close > part.high) part.high = part.close;
    if (part.close < part.low) part.low = part.close;
    part.volume = llround((double)bar->volume * share);
    part.taker = llround((double)bar->taker * share);
    part.quote = llround((double)bar->quote * share);
    part.taker_quote = llround((double)bar->taker_quote * share);
    part.trades = llround((double)bar->trades * share);
    return part;
}

static void trade(struct message *out, const struct sim_symbol *symbol, int64_t minute,
                  const struct bar *bar, unsigned k, unsigned n)
{
    int64_t at_ms = minute * 60000 + (int64_t)k * 60000 / n;
    int64_t from = bar->volume / n * k, to = k + 1 == n ? bar->volume : bar->volume / n * (k + 1);
    bool buy = (int64_t)k * bar->volume < (int64_t)n * bar->taker;
    open_event(out, "trade", at_ms, symbol->name);
    put_int(out, "t", minute * 1000 + k);
    put_text(out, "p", price_at(bar, (double)k / n), symbol->profile->tick);
    put_text(out, "q", at_least(to - from, 1), symbol->profile->lot);
    put_int(out, "T", at_ms);
    put(out, buy ? ",\"m\":false}" : ",\"m\":true}");
}

static void book(struct message *out, const struct sim_symbol *symbol, const struct bar *bar,
                 double share, int64_t now_ms)
{
    const struct profile *p = symbol->profile;
    int64_t mid = at_least(price_at(bar, share), LEVELS + 2), best = at_least(bar->volume / 40, 1);
    char stream[48];
    size_t i = 0;
    for (; symbol->name[i]; i++)
        stream[i] = (char)(symbol->name[i] >= 'A' && symbol->name[i] <= 'Z' ? symbol->name[i] + 32
                                                                            : symbol->name[i]);
    stream[i] = '\0';
    out->len = 0;
    put(out, "{\"stream\":\"");
    put(out, stream);
    put(out, "@depth20@100ms\",\"data\":{\"lastUpdateId\":");
    put_number(out, now_ms, 0);
    for (int side = 0; side < 2; side++) {
        put(out, side == 0 ? ",\"bids\":[" : ",\"asks\":[");
        for (int k = 0; k < LEVELS; k++) {
            put(out, k == 0 ? "[\"" : ",[\"");
            put_number(out, side == 0 ? mid - k : mid + 1 + k, p->tick);
            put(out, "\",\"");
            /* deeper levels hold more, unevenly */
            put_number(out,
                       best + best * ((k * 7 + side * 3 + (int)(mid % 5)) % 11) / 4 + best * k / 3,
                       p->lot);
            put(out, "\"]");
        }
        put(out, "]");
    }
    put(out, "}}");
}

static void mark_price(struct message *out, const struct sim_symbol *symbol, const struct bar *bar,
                       double share, int64_t now_ms)
{
    const struct profile *p = symbol->profile;
    int64_t price = price_at(bar, share), eight_hours = DAY_MS / 3;
    bool up = bar->close >= bar->open;
    open_event(out, "markPriceUpdate", now_ms, symbol->name);
    put_text(out, "p", price, p->tick);
    put_text(out, "i", at_least(price + (up ? -1 : 1), 1), p->tick);
    put_text(out, "P", price, p->tick);
    put_text(out, "r", 10000 + (up ? 1 : -1) * (int64_t)(now_ms / eight_hours % 97) * 40, 8);
    put_int(out, "T", (now_ms / eight_hours + 1) * eight_hours);
    put(out, "}");
}

/* ---- the thread ------------------------------------------------------------------------------ */
static bool stopping(struct feed_sim *self)
{
    pthread_mutex_lock(&self->lock);
    bool stop = self->stop;
    pthread_mutex_unlock(&self->lock);
    return stop;
}

/* A message waits for room: the simulated market drops nothing. False when the feed is to stop. */
static bool send(struct feed_sim *self, const struct message *message, int64_t recv_us)
{
    const struct pt_feed_host *host = self->host;
    self->tag++;
    while (!host->push(host->ctx, self->tag, recv_us, message->text, message->len)) {
        if (stopping(self)) return false;
        host->wait_room(host->ctx, message->len, 100);
    }
    return true;
}

/* Where the live part begins, in minutes since the epoch: now. A `minute` shorter than 60 s lets
 * the market run ahead of the clock; when the feed is opened anew it goes on with the minute that
 * was under way, as no market goes back. */
static double begin_min(const struct feed_sim *self, int64_t opened_us)
{
    double begin = (double)opened_us / (double)PT_US_MIN;
    for (size_t i = 0; i < self->nsymbols && self->minute < PT_US_MIN; i++)
        begin = fmax(begin, (double)self->symbol[i].next_min);
    return begin;
}

/* Closed bars from where the store ends to `until` (a minute, not sent), day by day, symbol by
 * symbol. */
static bool send_history(struct feed_sim *self, int64_t from, int64_t until)
{
    struct message message;
    for (size_t i = 0; i < self->nsymbols; i++) {
        struct sim_symbol *symbol = &self->symbol[i];
        int64_t last_us = self->host->last_candle(self->host->ctx, symbol->name, PT_US_MIN);
        symbol->next_min =
            last_us == INT64_MIN || last_us / PT_US_MIN + 1 < from ? from : last_us / PT_US_MIN + 1;
    }
    for (int64_t day = from / MINUTES; day <= (until - 1) / MINUTES; day++) {
        for (size_t i = 0; i < self->nsymbols; i++) {
            struct sim_symbol *symbol = &self->symbol[i];
            int64_t end = (day + 1) * MINUTES < until ? (day + 1) * MINUTES : until;
            for (; symbol->next_min < end; symbol->next_min++) {
                const struct bar *bar = bar_at(self, symbol, symbol->next_min);
                if (bar == NULL) return false;
                int64_t close_ms = (symbol->next_min + 1) * 60000;
                kline(&message, symbol, symbol->next_min, bar, close_ms, true);
                if (!send(self, &message, close_ms * 1000)) return false;
                /* one an hour: the past has its funding payments too */
                if (!self->books || close_ms % 3600000 != 0) continue;
                mark_price(&message, symbol, bar, 0.99, close_ms - 600);
                if (!send(self, &message, close_ms * 1000)) return false;
            }
        }
    }
    return true;
}

/* Everything that happened up to `time` (minutes) and was not sent yet. */
static bool send_live(struct feed_sim *self, double time)
{
    struct message message;
    int64_t running = (int64_t)floor(time), now_ms = (int64_t)(time * 60000);
    double share = time - (double)running;
    bool books = self->books && now_ms - self->last_book_ms >= self->book_interval / 1000;
    bool partials = self->partial && now_ms - self->last_partial_ms >= 2000;
    unsigned n = (unsigned)self->trades;
    for (size_t i = 0; i < self->nsymbols; i++) {
        struct sim_symbol *symbol = &self->symbol[i];
        if (symbol->next_min > running)
            continue; /* the clock was put back: until it is there again */
        for (;; symbol->next_min++, symbol->sent = 0) {
            const struct bar *bar = bar_at(self, symbol, symbol->next_min);
            if (bar == NULL) return false;
            bool closed = symbol->next_min < running;
            unsigned due = closed || n == 0 ? n : (unsigned)(share * n) + 1; /* each at its time */
            for (; symbol->sent < due; symbol->sent++) {
                trade(&message, symbol, symbol->next_min, bar, symbol->sent, n);
                if (!send(self, &message, now_ms * 1000)) return false;
            }
            if (!closed) break;
            kline(&message, symbol, symbol->next_min, bar, (symbol->next_min + 1) * 60000, true);
            if (!send(self, &message, now_ms * 1000)) return false;
        }
        const struct bar *bar = bar_at(self, symbol, running);
        if (partials) {
            struct bar part = partial_bar(bar, share);
            kline(&message, symbol, running, &part, now_ms, false);
            if (!send(self, &message, now_ms * 1000)) return false;
        }
        if (books) {
            book(&message, symbol, bar, share, now_ms);
            if (!send(self, &message, now_ms * 1000)) return false;
            mark_price(&message, symbol, bar, share, now_ms);
            if (!send(self, &message, now_ms * 1000)) return false;
        }
    }
    if (books) self->last_book_ms = now_ms;
    if (partials) self->last_partial_ms = now_ms;
    return true;
}

static void *run(void *arg)
{
    struct feed_sim *self = arg;
    int64_t opened_us = pt_now_us(), until = opened_us / PT_US_MIN,
            from = until - self->history / PT_US_MIN;
    bool good =
        send_history(self, from < ORIGIN_DAY * MINUTES ? ORIGIN_DAY * MINUTES : from, until);
    if (good)
        self->host->log(PT_INFO, "feed.sim", "live", "symbols=%zu history_minutes=%" PRId64,
                        self->nsymbols, until - from);
    double begin = begin_min(self, opened_us);
    int64_t step_us = self->minute / 240 < 1000 ? 1000 : self->minute / 240;
    while (good) {
        good = send_live(self, begin + (double)(pt_now_us() - opened_us) / (double)self->minute);
        struct timespec until_ts;
        clock_gettime(CLOCK_MONOTONIC, &until_ts);
        int64_t ns = until_ts.tv_nsec + step_us * 1000;
        until_ts.tv_sec += (time_t)(ns / 1000000000);
        until_ts.tv_nsec = (long)(ns % 1000000000);
        pthread_mutex_lock(&self->lock);
        while (!self->stop &&
               pthread_cond_timedwait(&self->wake, &self->lock, &until_ts) != ETIMEDOUT) {
        }
        good = good && !self->stop;
        pthread_mutex_unlock(&self->lock);
    }
    if (!stopping(self))
        self->host->log(PT_ERROR, "feed.sim", "stopped", "reason=\"out of memory\"");
    return NULL;
}

/* ---- the contract ---------------------------------------------------------------------------- */
static enum pt_code take_symbols(struct feed_sim *self, struct pt_err *err)
{
    const char *at = self->symbols;
    while (*at) {
        size_t len = strcspn(at, ", ");
        if (len > 0) {
            if (self->nsymbols == SYMBOLS_MAX)
                return pt_fail(err, PT_EINVAL, "feed sim: more than %d symbols", SYMBOLS_MAX);
            struct sim_symbol *symbol = &self->symbol[self->nsymbols++];
            if (len < 2 || len >= sizeof symbol->name - 1)
                return pt_fail(err, PT_EINVAL, "feed sim: \"%.*s\" is no symbol", (int)len, at);
            memcpy(symbol->name, at, len);
            symbol->day = -1;
            symbol->key = UINT64_C(0xcbf29ce484222325); /* FNV-1a of the name */
            for (size_t i = 0; i < len; i++)
                symbol->key = (symbol->key ^ (unsigned char)at[i]) * UINT64_C(0x100000001b3);
            symbol->profile = profiles;
            while (symbol->profile->symbol && strcmp(symbol->profile->symbol, symbol->name) != 0)
                symbol->profile++;
            symbol->bars = calloc(MINUTES, sizeof *symbol->bars);
            if (symbol->bars == NULL) return pt_fail(err, PT_ENOMEM, "feed sim: out of memory");
        }
        at += len;
        at += strspn(at, ", ");
    }
    return self->nsymbols > 0 ? PT_OK : pt_fail(err, PT_EINVAL, "feed sim: symbols is empty");
}

static void close_feed(void *arg)
{
    struct feed_sim *self = arg;
    for (size_t i = 0; i < self->nsymbols; i++) {
        free(self->symbol[i].open_log);
        free(self->symbol[i].bars);
    }
    free(self->day_sd);
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->lock);
}

static enum pt_code open_feed(void *arg, const struct pt_feed_host *host, struct pt_err *err)
{
    struct feed_sim *self = arg;
    self->host = host;
    self->shared.day = -1;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->wake, &attr);
    pthread_condattr_destroy(&attr);
    enum pt_code rc = take_symbols(self, err);
    if (rc == PT_OK && pthread_create(&self->thread, NULL, run, self) != 0)
        rc = pt_fail(err, PT_ENOMEM, "feed sim: the thread could not be started");
    if (rc == PT_OK)
        self->started = true;
    else
        close_feed(self);
    return rc;
}

static void drain_feed(void *arg)
{
    struct feed_sim *self = arg;
    if (!self->started) return;
    pthread_mutex_lock(&self->lock);
    self->stop = true;
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    self->started = false;
}

static const struct pt_option options[] = {
    { "seed", PT_OPT_INT, offsetof(struct feed_sim, seed), "1", 0, INT64_MAX, "none",
      "which market; the same seed gives the same bars" },
    { "symbols", PT_OPT_TEXT, offsetof(struct feed_sim, symbols),
      "BTCUSDT,ETHUSDT,BNBUSDT,ADAUSDT,SOLUSDT", 0, 0, "none",
      "what is traded, separated by commas" },
    { "history", PT_OPT_SPAN, offsetof(struct feed_sim, history), "90d", PT_US_MIN,
      2000 * PT_US_DAY, "span",
      "closed 1m bars delivered before the live part; what the store already has is left out" },
    { "minute", PT_OPT_SPAN, offsetof(struct feed_sim, minute), "60s", 50000, 60 * PT_US_SEC,
      "span",
      "real time a simulated minute takes; shorter lets the market run ahead of the clock "
      "(tests)" },
    { "trades", PT_OPT_INT, offsetof(struct feed_sim, trades), "12", 0, 1000, "count",
      "trades shown of each live bar" },
    { "books", PT_OPT_BOOL, offsetof(struct feed_sim, books), "yes", 0, 0, "none",
      "books of 20 levels and mark prices" },
    { "book_interval", PT_OPT_SPAN, offsetof(struct feed_sim, book_interval), "5s", 1000,
      PT_US_HOUR, "span", "time between them" },
    { "partial", PT_OPT_BOOL, offsetof(struct feed_sim, partial), "yes", 0, 0, "none",
      "updates of the running bar every 2 s" },
    { NULL, PT_OPT_TEXT, 0, NULL, 0, 0, NULL, NULL },
};

__attribute__((visibility("default"))) extern const struct pt_feed_plugin pt_feed_sim;
const struct pt_feed_plugin pt_feed_sim = {
    .api = PT_PLUGIN_API,
    .name = "sim",
    .about = "a simulated market: five symbols that move as real ones do, reproducible from a seed",
    .options = options,
    .size = sizeof(struct feed_sim),
    .open = open_feed,
    .drain = drain_feed,
    .close = close_feed,
};
