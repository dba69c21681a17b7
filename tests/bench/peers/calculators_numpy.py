"""calculators_numpy.py - the metrics as a skilled numpy user writes them for speed, to be timed beside ours.

Every field of volatility, volume, trend, deviation, regime, spread and correlation with its default parameters, for windows without holes and
without missing values: nothing is checked, no reasons, no status, numbers only (nan = null, words as -1, 0, 1, regimes as their place in REGIMES). Only
last values are computed where a last value is what is asked. All functions work along the last axis, so a window may
be one symbol's (n) or those of many symbols at once (symbols, n).

What makes it quick: every average, moving or recursive, is a fixed weighting of the window, so all that look at the
same column are one product with a cached matrix; box fits of the detrended fluctuation come from three running sums;
lags, logarithms and deviations are shared by all fields that need them.
"""
import functools
import math

import numpy as np
from scipy.signal import lfilter
from scipy.special import gammaincc, ndtri

YEAR_US = 365 * 86_400_000_000
COLUMNS = ("open", "high", "low", "close", "volume", "quote_volume", "trades", "taker_buy_volume")
DAY_US = 86_400_000_000


def spans(tau):
    """Bars that each looks at; deviation as trend."""
    return {"volatility": max(90 * DAY_US // tau, 120), "volume": max(DAY_US // tau, 24), "trend": max(30 * DAY_US // tau, 120)}


def total(x):
    return np.add.reduce(x, axis=-1)


def dot(x, y):
    return x @ y if x.ndim == 1 else np.einsum("...i,...i->...", x, y)


def centred(x):
    return x - np.add.reduce(x, axis=-1, keepdims=True) / x.shape[-1]


def sd(x, ddof=1):
    d = centred(x)
    return np.sqrt(dot(d, d) / (x.shape[-1] - ddof))


def moving_sum(x, width):
    running = np.cumsum(x, axis=-1)
    out = running[..., width - 1:].copy()
    out[..., 1:] -= running[..., :-width]
    return out


def median(x):
    x, middle = np.sort(x, axis=-1), x.shape[-1] // 2
    return x[..., middle] if x.shape[-1] % 2 else (x[..., middle - 1] + x[..., middle]) / 2


def pearson(x, y):
    x, y = centred(x), centred(y)
    return dot(x, y) / np.sqrt(dot(x, x) * dot(y, y))


# ---------------------------------------------------------------------------------------------------------------
# weights: a column of these, times the window, is the last value of the average

@functools.lru_cache(maxsize=None)
def recursive(n, keep, seed):
    """a[i] = keep a[i-1] + (1 - keep) x[i], started with the mean of the first `seed` values."""
    weights = (1 - keep) * keep ** np.arange(n - 1.0, -1, -1)
    weights[:seed] = keep ** (n - seed) / seed
    return weights


@functools.lru_cache(maxsize=None)
def adjusted(n, span):
    weights = (1 - 2 / (span + 1)) ** np.arange(n - 1.0, -1, -1)
    return weights / weights.sum()


@functools.lru_cache(maxsize=None)
def closes(n):
    """Columns: sma, ema, wma, macd, macd_signal, mean of all."""
    sma, wma = np.zeros(n), np.zeros(n)
    sma[-20:], wma[-20:] = 1 / 20, np.arange(1, 21) / 210
    line = np.zeros((n, n - 25))
    for k in range(26, n + 1):
        line[:k, k - 26] = recursive(k, 11 / 13, 12) - recursive(k, 25 / 27, 26)
    return np.ascontiguousarray(np.stack(
        [sma, adjusted(n, 20), wma, line[:, -1], line @ recursive(n - 25, 0.8, 9), np.full(n, 1 / n)]).T)


@functools.lru_cache(maxsize=None)
def boxes(m):
    """Of all boxes of all sizes, from both ends: first, end, size, middle, 12/(size (size^2 - 1)); then of each size:
    its first box, number of boxes, weight in the slope of the logarithms."""
    sizes = np.unique(np.round(np.exp(np.linspace(math.log(10), math.log(m // 4), 16))).astype(int))
    first = [np.concatenate([np.arange(m // s) * s, m - m // s * s + np.arange(m // s) * s]) for s in sizes]
    counts = np.array([len(part) for part in first])
    first, size = np.concatenate(first), np.repeat(sizes, counts)
    x = np.log(sizes) - np.log(sizes).mean()
    return (first, first + size, size, first + (size - 1) / 2, 12 / (size * (size ** 2.0 - 1)),
            np.cumsum(counts) - counts, counts, x / (x @ x))


# ---------------------------------------------------------------------------------------------------------------

def volatility(o, h, l, c, logs, r, tau):
    year = math.sqrt(YEAR_US / tau)
    s = c[..., 1:] / c[..., :-1] - 1
    d = centred(s)
    sums = moving_sum(d, 20)
    variance = (moving_sum(d * d, 20) - sums * sums / 20) / 19
    rolled = np.sqrt(variance[..., -20:])
    lo, lh, ll, lc = np.log(o[..., -20:]), np.log(h[..., -20:]), np.log(l[..., -20:]), logs[..., -20:]
    body, night, high_low = lc - lo, lo - logs[..., -21:-1], lh - ll
    squares, bodies = dot(high_low, high_low) / 20, dot(body, body) / 20
    satchell = (dot(lh - lc, lh - lo) + dot(ll - lc, ll - lo)) / 20
    parkinson = np.sqrt(squares / (4 * math.log(2)))
    garman_klass = np.sqrt(0.5 * squares - (2 * math.log(2) - 1) * bodies)
    k = 0.34 / (1.34 + 21 / 19)
    night, day = centred(night), centred(body)
    recent = r[..., -20:]
    below = np.minimum(recent, 0)
    above = recent - below
    return variance, {
        "rolling_stddev": rolled[..., -1],
        "annualized": rolled[..., -1] * year,
        "parkinson": parkinson,
        "garman_klass": garman_klass,
        "parkinson_annualized": parkinson * year,
        "garman_klass_annualized": garman_klass * year,
        "vov": sd(rolled),
        "rogers_satchell": np.sqrt(satchell),
        "yang_zhang": np.sqrt((dot(night, night) + k * dot(day, day)) / 19 + (1 - k) * satchell),
        "ewma": np.sqrt((r * r) @ recursive(r.shape[-1], 0.94, 20)),
        "downside": np.sqrt(dot(below, below) / 20),
        "upside": np.sqrt(dot(above, above) / 20),
        "percentile": total(variance <= variance[..., -1:]) / variance.shape[-1],
        "annualization_factor": year,
    }


def volume(v, quote, trades, taker):
    n, newest = v.shape[-1], v[..., -1]
    volumes, quotes, deals, bought = total(v), total(quote), total(trades), total(taker)
    logs = np.log(v)
    middle = median(logs)
    delta = 2 * bought - volumes
    return {
        "total_volume": volumes,
        "volume_sma": total(v[..., -20:]) / 20,
        "volume_ema": v @ adjusted(n, 20),
        "volume_delta": delta,
        "buy_volume": bought,
        "sell_volume": volumes - bought,
        "delta_ratio": delta / volumes,
        "volume_spike_ratio": newest / median(v[..., :-1]),
        "volume_zscore": (logs[..., -1] - middle) / (1.4826 * median(np.abs(logs - middle[..., None]))),
        "vwap": quotes / volumes,
        "quote_volume": quotes,
        "trades_per_bar": deals / n,
        "average_trade": volumes / deals,
    }


def crosses(gap, close):
    """Sign of the newest gap, and bars since the sign last changed (nan: never), for one symbol."""
    sign = np.sign(gap) * (np.abs(gap) > 1e-12 * close)
    at = np.flatnonzero(sign)
    turns = np.flatnonzero(np.diff(sign[at]))
    return sign[-1], len(sign) - 1 - at[turns[-1] + 1] if len(turns) else np.nan


def directional(h, l, before):
    """atr, +DI, -DI, ADX. Wilder sums of bars 1..14 first; DX from bar 14; ADX starts with the mean of 14 DX."""
    up, down = np.diff(h, axis=-1), l[..., :-1] - l[..., 1:]
    parts = np.stack([np.where((up > down) & (up > 0), up, 0), np.where((down > up) & (down > 0), down, 0),
                      np.maximum(h[..., 1:], before) - np.minimum(l[..., 1:], before)])
    seed = np.add.reduce(parts[..., :14], axis=-1, keepdims=True)
    sums = np.empty(parts.shape[:-1] + (parts.shape[-1] - 13,))
    sums[..., :1] = seed
    sums[..., 1:], _ = lfilter([1.0], [1.0, -13 / 14], parts[..., 14:], axis=-1, zi=13 / 14 * seed)
    plus, minus, span = sums
    both = plus + minus
    dx = np.divide(np.abs(plus - minus), both, out=np.zeros_like(both), where=both > 0)
    di = 100 * sums[:2, ..., -1] / span[..., -1]
    return span[..., -1] / 14, di[0], di[1], 100 * (dx @ recursive(dx.shape[-1], 13 / 14, 14))


def trend(o, h, l, c, logs, averages, d, bench):
    """averages: products with closes(n); d, bench: log returns less their mean, of the symbols and of the benchmark."""
    n = c.shape[-1]
    sma, ema, wma, macd, signal = (averages[..., i] for i in range(5))
    gap = moving_sum(c - c[..., :1], 20)[..., 30:] / 20 - moving_sum(c - c[..., :1], 50) / 50
    sign, since = crosses(gap, c[49:]) if c.ndim == 1 else np.array(list(map(crosses, gap, c[:, 49:]))).T
    change = np.diff(c, axis=-1)
    gains = np.maximum(change, 0)
    losses = gains - change
    wilder = recursive(n - 1, 13 / 14, 14)
    gain, loss = gains @ wilder, losses @ wilder
    recent_gain, recent_loss = total(gains[..., -14:]), total(losses[..., -14:])
    atr, plus_di, minus_di, adx = directional(h, l, c[..., :-1])
    x, y = np.arange(20) - 9.5, centred(logs[..., -20:])
    slope = y @ x / 665
    residual = y - np.multiply.outer(slope, x)
    return {
        "sma": sma,
        "ema": ema,
        "wma": wma,
        "rate_of_change": 100 * (c[..., -1] / c[..., -11] - 1),
        "directional_strength": 5.0 * total(c[..., -20:] > o[..., -20:]),
        "crossover_signal": sign,
        "crossover_event": np.where(since == 0, sign, np.nan),
        "bars_since_cross": since,
        "rsi": 100 * gain / (gain + loss),
        "rsi_cutler": 100 * recent_gain / (recent_gain + recent_loss),
        "macd": macd,
        "macd_signal": signal,
        "macd_histogram": macd - signal,
        "atr": atr,
        "adx": adx,
        "plus_di": plus_di,
        "minus_di": minus_di,
        "donchian_high": np.maximum.reduce(h[..., -20:], axis=-1),
        "donchian_low": np.minimum.reduce(l[..., -20:], axis=-1),
        "efficiency_ratio": np.abs(c[..., -1] - c[..., -21]) / total(np.abs(change[..., -20:])),
        "slope": slope,
        "slope_t": slope / np.sqrt(dot(residual, residual) / (18 * 665)),
        "rolling_beta": d @ bench / (bench @ bench),
    }


def hurst(d):
    first, end, size, middle, curve, starts, counts, weights = boxes(d.shape[-1])
    profile = np.cumsum(d, axis=-1)
    running = np.zeros((3,) + profile.shape[:-1] + (profile.shape[-1] + 1,))
    np.cumsum(np.stack([profile, profile * np.arange(profile.shape[-1]), profile * profile]), axis=-1,
              out=running[..., 1:])
    level, tilt, power = np.take(running, end, axis=-1) - np.take(running, first, axis=-1)
    tilt -= middle * level
    residual = (power - level * level / size - curve * tilt * tilt) / size
    fluctuation = np.add.reduceat(residual, starts, axis=-1) / counts
    return 0.5 * (np.log(fluctuation) @ weights)


def deviation(c, logs, averages, d):
    """d: log returns less their mean."""
    recent, n, m = c[..., -20:], c.shape[-1], d.shape[-1]
    middle, level = averages[..., 0], sd(recent)
    low, high = np.minimum.reduce(recent, axis=-1), np.maximum.reduce(recent, axis=-1)
    square = d * d
    power, cube, fourth = total(square), dot(square, d), dot(square, square)
    lagged = np.array([dot(d[..., k:], d[..., :-k]) for k in range(1, 11)])
    heat = np.array([dot(square[..., k:], square[..., :-k]) for k in range(1, 10)])
    # Pearson of (d[1:], d[:-1]) from the sums at hand: each side misses one end.
    head, tail = d[..., 0], d[..., -1]
    autocorrelation = (lagged[0] - head * tail / (m - 1)) / np.sqrt(
        (power - head * head - head * head / (m - 1)) * (power - tail * tail - tail * tail / (m - 1)))
    lags = np.arange(1.0, 11).reshape((10,) + (1,) * (d.ndim - 1))
    ljung_box = m * (m + 2) * np.add.reduce(lagged ** 2 / (m - lags), axis=0) / power ** 2
    m2, g1, g2 = power / m, cube / m / (power / m) ** 1.5, m * fourth / power ** 2 - 3
    running = np.cumsum(d, axis=-1)
    ratios = {}
    for q in (2, 5, 10):
        sums = running[..., q - 1:].copy()
        sums[..., 1:] -= running[..., :-q]
        ratio = dot(sums, sums) / (q * sums.shape[-1] * (1 - q / m)) / (power / (m - 1))
        weights = (2 * np.arange(q - 1.0, 0, -1) / q) ** 2
        ratios[str(q)] = {"ratio": ratio, "z": (ratio - 1) * power / np.sqrt(weights @ heat[:q - 1])}
    x = centred(logs[..., :-1])
    step = np.diff(logs, axis=-1)
    phi = 1 + dot(x, step) / dot(x, x)
    price = c - averages[..., 5:6]
    return {
        "standard_deviation": level,
        "variance": level * level,
        "bollinger_middle": middle,
        "bollinger_upper": middle + 2 * level,
        "bollinger_lower": middle - 2 * level,
        "bollinger_width": 4 * level / middle,
        "percent_b": (c[..., -1] - middle + 2 * level) / (4 * level),
        "z_score": (c[..., -1] - middle) / level,
        "price_range_index": (c[..., -1] - low) / (high - low),
        "coefficient_of_variation": level / middle,
        "autocorrelation": autocorrelation,
        "autocorrelation_band": 1.96 / math.sqrt(m),
        "ljung_box_p": gammaincc(5, ljung_box / 2),
        "price_autocorrelation": pearson(price[..., 1:], price[..., :-1]),
        "skewness": g1 * math.sqrt(m * (m - 1)) / (m - 2),
        "kurtosis": (m - 1) / ((m - 2) * (m - 3)) * ((m + 1) * g2 + 6),
        "jarque_bera_p": np.exp(-m / 12 * (g1 * g1 + g2 * g2 / 4)),
        "variance_ratio": ratios,
        "hurst": hurst(d),
        "half_life": -math.log(2) / np.log(np.where((phi > 0) & (phi < 1), phi, np.nan)),
    }


REGIMES = ("transitional", "bullish_acceleration", "bearish_acceleration", "turbulent_illiquidity", "stable_accumulation",
           "breakout_phase", "consolidation", "balanced_market")
# by volatility, volume (-1 low, 0 medium, 1 high) and trend (-1, 0, 1), each plus 1
TABLE = np.zeros((3, 3, 3), dtype=np.int8)
TABLE[2, 2], TABLE[2, 0], TABLE[0, 2], TABLE[0, 0], TABLE[1, 1] = (2, 5, 1), 3, 4, 6, 7


def regime(v, variance, volatile, volumes, trending, tau):
    """variance: the moving variances of volatility; the others: its fields and those of volume and trend."""
    p, s, t = volatile["percentile"], volumes["volume_spike_ratio"], trending["slope_t"]
    a = volatile["rolling_stddev"] * math.sqrt(YEAR_US / tau)

    def levels(p, a, s, t):
        return (((p >= 0.7) & (a > 0.2)).astype(np.int8) - ((p <= 0.3) & (a < 1.5)),
                (s > 1.5).astype(np.int8) - (s < 0.7), (t > 2).astype(np.int8) - (t < -2))

    def labels(p, a, s, t):
        x, y, z = levels(p, a, s, t)
        return TABLE[x + 1, y + 1, z + 1]

    def robust(x):
        return 1.4826 * median(np.abs(x - median(x)[..., None]))

    before = np.partition(np.lib.stride_tricks.sliding_window_view(v[..., :-1], 23, axis=-1), 11, axis=-1)[..., 11]
    wide, burst = robust(0.5 * np.log(variance)), robust(np.log(v[..., 23:] / before))
    words, now, nearest = levels(p, a, s, t), labels(p, a, s, t), np.inf
    inputs, la, ls = [p, a, s, t], np.log(a), np.log(s)
    for i, at, away in ((0, 0.7, np.abs(p - 0.7) / 0.2887), (0, 0.3, np.abs(p - 0.3) / 0.2887),
                        (1, 0.2, np.abs(la - math.log(0.2)) / wide), (1, 1.5, np.abs(la - math.log(1.5)) / wide),
                        (2, 1.5, np.abs(ls - math.log(1.5)) / burst), (2, 0.7, np.abs(ls - math.log(0.7)) / burst),
                        (3, 2.0, np.abs(t - 2)), (3, -2.0, np.abs(t + 2))):
        moved = inputs.copy()
        moved[i] = np.where(inputs[i] < at, at + 1e-9, at - 1e-9)
        nearest = np.where(labels(*moved) != now, np.minimum(nearest, away), nearest)
    return {
        "regime": now,
        "volatility_level": words[0],
        "volume_level": words[1],
        "trend_direction": words[2],
        "confidence": 1 - 0.5 * np.exp(-nearest),
        "volatility_percentile": p,
        "annualized": a,
        "volume_spike_ratio": s,
        "slope_t": t,
        "rate_of_change": trending["rate_of_change"],
    }


def five(columns, tau, bench=None):
    """columns: {name: array (n) or (symbols, n)}; bench: closes (n) of the benchmark, whose beta comes out as 1."""
    o, h, l, c, v, quote, trades, taker = (columns[name] for name in COLUMNS)
    span = spans(tau)
    n, short = span["trend"], span["volume"]
    logs = np.log(c)
    r = np.diff(logs, axis=-1)
    d, recent = centred(r[..., 1 - n:]), c[..., -n:]
    b = centred(np.diff(np.log(bench[-n:])))
    averages = recent @ closes(n)
    variance, volatile = volatility(o, h, l, c, logs, r, tau)
    volumes = volume(v[..., -short:], quote[..., -short:], trades[..., -short:], taker[..., -short:])
    trending = trend(o[..., -n:], h[..., -n:], l[..., -n:], recent, logs, averages, d, b)
    return {
        "volatility": volatile,
        "volume": volumes,
        "trend": trending,
        "deviation": deviation(recent, logs[..., -n:], averages, d),
        "regime": regime(v, variance, volatile, volumes, trending, tau),
    }


BANDS, ORDERS = np.array([5.0, 10, 25, 50, 100]), np.array([1e3, 1e4, 1e5])


def taken(price, quantity, amounts, in_quote):
    """Mean price of taking each amount from a side, and the share of it that is filled."""
    value = price * quantity
    reached = np.concatenate([[0.0], np.cumsum(value if in_quote else quantity)])
    bases, values = np.concatenate([[0.0], np.cumsum(quantity)]), np.concatenate([[0.0], np.cumsum(value)])
    got = np.minimum(amounts, reached[-1])
    base, quote = np.interp(got, reached, bases), np.interp(got, reached, values)
    return quote / base, got / amounts


def spread(books, close, quote):
    """books: (time us, best bid, best ask, newest bids (levels, 2), newest asks); close, quote: the last 25 hours."""
    time, bid, ask, bids, asks = books
    (b, qb), (a, qa) = bids[0], asks[0]
    mid = (a + b) / 2
    below, above = (mid - bids[:, 0]) * 1e4 / mid, (asks[:, 0] - mid) * 1e4 / mid
    depth_bid = (below <= BANDS[:, None] * (1 + 1e-12)) @ bids[:, 1]
    depth_ask = (above <= BANDS[:, None] * (1 + 1e-12)) @ asks[:, 1]
    covered = (below[-1] >= BANDS * (1 - 1e-12)) & (above[-1] >= BANDS * (1 - 1e-12))
    one, filled = taken(*asks.T, np.array([1.0]), False)
    buy, buy_fill = taken(*asks.T, ORDERS, True)
    sell, sell_fill = taken(*bids.T, ORDERS, True)
    sides = {n: (bids[:n, 1].sum(), asks[:n, 1].sum()) for n in (5, 10, 20)}
    imbalance = {n: (x - y) / (x + y) for n, (x, y) in sides.items()}
    r = np.abs(np.diff(np.log(close)))
    gap, stood = ask - bid, np.minimum(np.diff(time, append=time[-1]), 60_000_000)
    order = np.argsort(gap, kind="stable")
    reached = np.cumsum(stood[order])
    return {
        "bid_ask_spread": a - b,
        "mid_price": mid,
        "spread_percentage": (a - b) / mid * 100,
        "market_depth_bid": depth_bid[4],
        "market_depth_ask": depth_ask[4],
        "depth_bp": {f"{bp:.0f}": {"bid": x, "ask": y, "covered": bool(z)}
                     for bp, x, y, z in zip(BANDS, depth_bid, depth_ask, covered)},
        "slippage_estimate": (one[0] - mid) / mid * 100 if filled[0] == 1 else np.nan,
        "slippage": {f"{order_of:.0f}": {"buy": (x - mid) / mid * 100, "buy_fill": y, "sell": (mid - z) / mid * 100, "sell_fill": w}
                     for order_of, x, y, z, w in zip(ORDERS, buy, buy_fill, sell, sell_fill)},
        "order_book_imbalance": imbalance[10],
        "order_book_imbalance_5": imbalance[5],
        "order_book_imbalance_20": imbalance[20],
        "microprice": (a * qb + b * qa) / (qb + qa),
        "liquidity_ratio": quote[1:].sum() / r.sum(),
        "amihud": (r / quote[1:]).mean(),
        "spread_time_weighted": gap @ stood / stood.sum(),
        "spread_p95": gap[order][np.searchsorted(reached, 0.95 * reached[-1])],
    }


def market(close, tau, bench):
    """correlation of all symbols, complete closes (symbols, n), with its default parameters; bench: row of the benchmark.
    Matrices are arrays; of per_symbol each field is an array over the symbols. nan stands for null."""
    month, week = 30 * DAY_US // tau, 7 * DAY_US // tau
    r = np.diff(np.log(close[:, -month:]), axis=1)
    p, n = r.shape

    def standard(x):
        x = centred(x)
        return x / np.sqrt(dot(x, x))[:, None]

    z = standard(r)
    matrix = z @ z.T
    rho = matrix[bench]
    values = np.linalg.eigvalsh(matrix)
    norm = np.sum(matrix * matrix)
    delta, beta = (norm - p) / p, (n * np.sum(total((z * z).T) ** 2) - norm) / (p * n)
    recent = r[:, 1 - week:]
    weekly = standard(recent) if recent.shape[1] >= 20 else np.full((p, 1), np.nan)
    sizes = standard(np.abs(r))
    d = centred(r)
    power = dot(d, d)
    phi = dot(d[:, 1:], d[:, :-1]) / power
    e = d[:, 1:] - phi[:, None] * d[:, :-1]
    m = e.shape[1]
    sums, squares = (np.concatenate([np.zeros((p, 1)), np.cumsum(x, axis=1)], axis=1) for x in (e, e * e))
    x, lags, found = e[bench], [], []
    for lag in sorted(range(-48, 49), key=abs):
        k = m - abs(lag)
        if k < 20:
            break
        late, early = (m - k, 0) if lag > 0 else (0, m - k)
        cross = e[:, late:late + k] @ x[early:early + k]
        sy, sx = sums[:, late + k] - sums[:, late], sums[bench, early + k] - sums[bench, early]
        vy = squares[:, late + k] - squares[:, late] - sy * sy / k
        vx = squares[bench, early + k] - squares[bench, early] - sx * sx / k
        lags.append(lag)
        found.append((cross - sy * sx / k) / np.sqrt(vy * vx))
    found, lags = np.array(found), np.array(lags)
    at = np.argmax(np.abs(found), axis=0)
    peak, lag = found[at, np.arange(p)], lags[at].astype(float)
    silent = np.abs(peak) <= ndtri(1 - 0.01 / 194) / np.sqrt(m - np.abs(lag))
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = (np.tanh(np.arctanh(rho) + side * 1.959964 / math.sqrt(n - 3)) for side in (-1, 1))
    closes50, before = close[:, -50:], close[:, -2]
    last = closes50[:, -1]
    one = np.arange(p) == bench
    return {
        "correlation_matrix": matrix,
        "overlap": np.full((p, p), n),
        "repaired": bool(values[0] < -1e-10),
        "shrinkage": min(max(beta, 0) / delta, 1.0) if n >= 20 else np.nan,
        "per_symbol": {
            "rolling_correlation": np.where(one, 1, rho),
            "rolling_correlation_7d": weekly @ weekly[bench] if weekly.shape[1] > 1 else np.full(p, np.nan),
            "confidence": {"low": np.where(one, 1, low), "high": np.where(one, 1, high)},
            "cross_correlation_lag": np.where(one, 0, np.where(silent, np.nan, lag)),
            "cross_correlation": np.where(one, 1, np.where(silent, np.nan, peak)),
            "volatility_correlation": sizes @ sizes[bench],
            "beta": d @ d[bench] / power[bench],
        },
        "market": {
            "breadth": {"above_sma50_pct": 100 * np.mean(last > total(closes50) / 50), "advancing_pct": 100 * np.mean(last > before),
                        "advance_decline": int(np.sum(last > before) - np.sum(last < before))},
            "first_eigenvalue_share": values[-1] / p,
            "mean_correlation": (np.sum(matrix) - np.trace(matrix)) / (p * (p - 1)),
        },
    }
