#!/usr/bin/python3
"""calculators.py - what the calculators must answer, written a second time.

An independent implementation of every field of volatility, volume, trend, deviation and (in files of their own)
seasonality and regime, straight from their definitions with pandas, numpy, scipy and statsmodels. It shares nothing with the kernels it judges: no code, no
order of summation, no shortcut. Where a field is null it says why, with the word that the script must give.

    calculators.py NAME --candles FILE.csv --period 1h [--benchmark FILE.csv | --is-benchmark]
                   [--as-of ISO] [--param k=v]...                                      prints one JSON document

Candle files have the header of `petrosa export`: open_time (us since 1970), open, high, low, close, volume,
quote_volume, trades, taker_buy_volume; an empty cell is a missing value.

Rules that hold for every field
- A window is the time range [as_of - N*tau, as_of); positions count the bars present in it, oldest first.
- A return exists only between two bars that are exactly tau apart; over a hole it is missing.
- Missing values (NaN) are skipped. A statistic needs half of its nominal count, rounded up (std and var: at least 2);
  nominal is the length of the trailing window, or the number of positions for a statistic over the whole span.
- Sums of volume, quote volume, trades and taker volume need every bar.
- Price indicators look through holes; a bar whose price is missing counts as a hole for the recursions, and when it
  is the last bar there is no value for it.
- Lagged statistics of returns work on the time grid, with NaN in the holes.
"""
import argparse
import json
import math
import sys

import numpy as np
import pandas as pd
from scipy import stats

from anomalies import DETECTORS
from examples import EXAMPLES
from regime import DEFAULTS as REGIME, regime
from seasonality import seasonality

COLUMNS = ["open", "high", "low", "close", "volume", "quote_volume", "trades", "taker_buy_volume"]
PERIOD_US = {unit: us for unit, us in zip("mhdw", (60_000_000, 3_600_000_000, 86_400_000_000, 604_800_000_000))}
YEAR_US = 365 * 86_400_000_000
NAN = float("nan")


class Null(Exception):
    """No number can be given; the argument is the reason, one word."""


# ---------------------------------------------------------------------------------------------------------------
# windows

def period_us(text):
    return int(text[:-1]) * PERIOD_US[text[-1]]


def read_candles(path):
    frame = pd.read_csv(path, float_precision="round_trip").set_index("open_time")
    return frame.reindex(columns=COLUMNS).astype(float)


class Window:
    """The closed bars of [as_of - N*tau, as_of), and what the positions mean."""

    def __init__(self, bars, tau, expected, as_of):
        self.tau, self.expected, self.as_of = tau, expected, as_of
        self.bars = bars[(bars.index >= as_of - expected * tau) & (bars.index < as_of)]
        self.time = self.bars.index.to_numpy(dtype=np.int64)
        self.n = len(self.time)
        self.open, self.high, self.low, self.close, self.volume, self.quote, self.trades, self.taker = (
            self.bars[column].to_numpy(dtype=float) for column in COLUMNS)
        self.adjacent = np.concatenate([[False], np.diff(self.time) == tau]) if self.n else np.zeros(0, bool)
        self.previous_close = np.where(self.adjacent, np.roll(self.close, 1), NAN)
        self.simple_returns = self.close / self.previous_close - 1
        self.log_returns = np.log(self.close / self.previous_close)

    def on_grid(self, values):
        """Values on every bar time from the first bar to the last, NaN in the holes."""
        grid = np.arange(self.time[0], self.time[-1] + self.tau, self.tau)
        return pd.Series(values, index=self.time).reindex(grid).to_numpy()

    def holes(self):
        """Number of holes, and of bars missing in them, between the first and the last bar."""
        steps = np.diff(self.time) // self.tau
        return int((steps > 1).sum()), int((steps - 1).sum())


# ---------------------------------------------------------------------------------------------------------------
# statistics with missing values

def present(values, nominal=None, least=1):
    """The values that are there, when at least half of the nominal count is."""
    values = np.asarray(values, dtype=float)
    nominal = len(values) if nominal is None else nominal
    kept = values[np.isfinite(values)]
    if len(kept) < max(math.ceil(nominal / 2), least):
        raise Null("too_few")
    return kept


def last(values, count):
    if len(values) < count:
        raise Null("too_few")
    return values[-count:]


def known(value):
    if not np.isfinite(value):
        raise Null("missing")
    return value


def ratio(above, below, reason):
    if below == 0:
        raise Null(reason)
    return above / below


def mean(values):
    return math.fsum(present(values)) / len(present(values))


def std(values, ddof=1):
    return float(np.std(present(values, least=2), ddof=ddof))


def root(value, reason):
    if value < 0:
        raise Null(reason)
    return math.sqrt(value)


def total(values, reason):
    """A sum that is only true when no bar is missing."""
    if not np.all(np.isfinite(values)):
        raise Null(reason)
    return math.fsum(values)


def rolling(function, values, width, least):
    """function over [i-width+1 .. i] for i >= width - 1, NaN where fewer than half (or `least`) are present."""
    out = np.full(len(values), NAN)
    if len(values) < width:
        return out
    windows = np.lib.stride_tricks.sliding_window_view(values, width)
    counts = np.isfinite(windows).sum(axis=1)
    enough = counts >= max(math.ceil(width / 2), least)
    out[width - 1:][enough] = function(windows[enough])
    return out


def adjusted_ema(values, span):
    present(values)
    return float(pd.Series(values).ewm(span=span, adjust=True, ignore_na=False).mean().iloc[-1])


def wilder(values, period):
    """Wilder's smoothing: a plain mean of the first `period`, then a = (a (period - 1) + x) / period."""
    if len(values) < period:
        raise Null("too_few")
    average = math.fsum(values[:period]) / period
    for value in values[period:]:
        average = (average * (period - 1) + value) / period
    return average


def seeded_ema(values, period):
    """Recursive EMA, seeded with the mean of its own first `period` values; starts at position period - 1."""
    if len(values) < period:
        raise Null("too_few")
    alpha, out = 2 / (period + 1), [math.fsum(values[:period]) / period]
    for value in values[period:]:
        out.append(out[-1] + alpha * (value - out[-1]))
    return np.array(out)


# ---------------------------------------------------------------------------------------------------------------
# 1 volatility

def volatility(w, p, benchmark=None, is_benchmark=False):
    width = p["window"]
    year = math.sqrt(252) if p["annualization"] == "legacy252" else math.sqrt(YEAR_US / w.tau)
    # The first return belongs to position 1, so a full window of returns first ends at position `width`.
    rolled = np.concatenate([[NAN], rolling(lambda v: np.nanstd(v, axis=1, ddof=1), w.simple_returns[1:], width, 2)])

    high_low = np.log(w.high / w.low) ** 2
    body = np.log(w.close / w.open)
    overnight = np.log(w.open / w.previous_close)
    satchell = (np.log(w.high / w.close) * np.log(w.high / w.open) + np.log(w.low / w.close) * np.log(w.low / w.open))

    def rolling_stddev():
        return std(last(w.simple_returns[1:], width))

    def parkinson():
        return math.sqrt(mean(last(high_low, width)) / (4 * math.log(2)))

    def garman_klass():
        terms = 0.5 * high_low - (2 * math.log(2) - 1) * body ** 2
        return root(mean(last(terms, width)), "negative_mean")

    def rogers_satchell():
        return root(mean(last(satchell, width)), "negative_mean")

    def yang_zhang():
        k = 0.34 / (1.34 + (width + 1) / (width - 1))
        whole = np.where(np.isfinite(satchell), 0.0, NAN)       # a bar counts when all its prices are there
        night, day = std(last(overnight + whole, width)), std(last(body + whole, width))
        return root(night ** 2 + k * day ** 2 + (1 - k) * mean(last(satchell, width)), "negative_mean")

    def vov():
        if w.n < 2 * width:
            raise Null("too_few")
        return std(last(rolled, width))

    def ewma():
        squares = w.log_returns[np.isfinite(w.log_returns)] ** 2
        if len(squares) < 20:
            raise Null("too_few")
        variance = math.fsum(squares[:20]) / 20
        for square in squares[20:]:
            variance = 0.94 * variance + 0.06 * square
        return math.sqrt(variance)

    def semi(clip):
        r = present(last(w.log_returns[1:], width))
        return math.sqrt(math.fsum(clip(r, 0) ** 2) / len(r))

    def percentile():
        current = rolled[-1]
        if not np.isfinite(current):
            raise Null("too_few")
        values = present(rolled[width:])
        return float((values <= current).sum() / len(values))

    return {
        "rolling_stddev": rolling_stddev,
        "annualized": lambda: rolling_stddev() * year,
        "parkinson": parkinson,
        "garman_klass": garman_klass,
        "parkinson_annualized": lambda: parkinson() * year,
        "garman_klass_annualized": lambda: garman_klass() * year,
        "vov": vov,
        "rogers_satchell": rogers_satchell,
        "yang_zhang": yang_zhang,
        "ewma": ewma,
        "downside": lambda: semi(np.minimum),
        "upside": lambda: semi(np.maximum),
        "percentile": percentile,
        "annualization_factor": lambda: year,
    }


# ---------------------------------------------------------------------------------------------------------------
# 2 volume

def volume(w, p, benchmark=None, is_benchmark=False, signed=None):
    """signed: (bought, sold) base volume of trades that cover the span, or None."""
    recent = min(20, w.n)

    def total_volume():
        return total(w.volume, "volume_missing")

    def bought():
        if np.all(np.isfinite(w.taker)):
            return math.fsum(w.taker)
        if signed:
            return signed[0]
        raise Null("taker_volume_missing")

    def sold():
        if np.all(np.isfinite(w.taker)):
            return total(w.volume - w.taker, "volume_missing")
        if signed:
            return signed[1]
        raise Null("taker_volume_missing")

    def delta():
        if np.all(np.isfinite(w.taker)):
            return total(2 * w.taker - w.volume, "volume_missing")
        return bought() - sold()

    def spike():
        before = float(np.median(present(w.volume[:-1])))
        return ratio(known(w.volume[-1]), before, "zero_median")

    def zscore():
        newest = known(w.volume[-1])
        if newest == 0:
            raise Null("zero_volume")
        logs = np.log(present(np.where(w.volume > 0, w.volume, NAN)))
        middle = np.median(logs)
        return float(ratio(math.log(newest) - middle, 1.4826 * np.median(np.abs(logs - middle)), "flat"))

    def quote_volume():
        return total(w.quote, "quote_volume_missing")

    def trades():
        return total(w.trades, "trades_missing")

    return {
        "total_volume": total_volume,
        "volume_sma": lambda: mean(last(w.volume, recent)),
        "volume_ema": lambda: adjusted_ema(w.volume, recent),
        "volume_delta": delta,
        "buy_volume": bought,
        "sell_volume": sold,
        "delta_ratio": lambda: ratio(delta(), total_volume(), "zero_volume"),
        "volume_spike_ratio": spike,
        "volume_zscore": zscore,
        "vwap": lambda: ratio(quote_volume(), total_volume(), "zero_volume"),
        "quote_volume": quote_volume,
        "trades_per_bar": lambda: trades() / w.n,
        "average_trade": lambda: ratio(total_volume(), trades(), "zero_trades"),
    }


# ---------------------------------------------------------------------------------------------------------------
# 4 trend

def trend(w, p, benchmark=None, is_benchmark=False):
    def closes():
        known(w.close[-1])
        return w.close[np.isfinite(w.close)]

    def bars():
        whole = np.isfinite(w.high) & np.isfinite(w.low) & np.isfinite(w.close)
        if not whole[-1]:
            raise Null("missing")
        return w.high[whole], w.low[whole], w.close[whole]

    def wma():
        values, weights = last(w.close, 20), np.arange(1.0, 21.0)
        present(values)
        kept = np.isfinite(values)
        return math.fsum(values[kept] * weights[kept]) / math.fsum(weights[kept])

    def rate_of_change():
        return 100 * (known(w.close[-1]) / known(w.close[-11]) - 1)

    def directional_strength():
        body = present(last(w.close - w.open, 20))
        return 100 * float((body > 0).sum()) / len(body)

    # Sign of SMA20 - SMA50 at every bar that has both and a close; 0 within rounding of the price.
    gap = (rolling(lambda v: np.nanmean(v, axis=1), w.close, 20, 1)
           - rolling(lambda v: np.nanmean(v, axis=1), w.close, 50, 1))
    with np.errstate(invalid="ignore"):
        sign = np.where(np.abs(gap) <= 1e-12 * w.close, 0.0, np.sign(gap)) + 0 * w.close
    words = {1.0: "bullish", -1.0: "bearish", 0.0: "neutral"}

    def crossover_signal():
        if not np.isfinite(sign[-1]):
            raise Null("too_few" if np.isfinite(w.close[-1]) else "missing")
        return words[sign[-1]]

    def crosses():
        side, found = 0.0, []
        for position, now in enumerate(sign):
            if np.isfinite(now) and now != 0:
                if side != 0 and now != side:
                    found.append((position, now))
                side = now
        return found

    def crossover_event():
        found = crosses()
        if not found or found[-1][0] != w.n - 1:
            raise Null("no_cross")
        return words[found[-1][1]]

    def bars_since_cross():
        found = crosses()
        if not found:
            raise Null("no_cross")
        return w.n - 1 - found[-1][0]

    def strength(gains, losses):
        if losses == 0:
            return 50.0 if gains == 0 else 100.0
        return 100 - 100 / (1 + gains / losses)

    def rsi():
        change = np.diff(closes())
        return strength(wilder(np.maximum(change, 0), 14), wilder(np.maximum(-change, 0), 14))

    def rsi_cutler():
        change = last(np.diff(closes()), 14)
        return strength(math.fsum(np.maximum(change, 0)) / 14, math.fsum(np.maximum(-change, 0)) / 14)

    def macd_lines():
        fast, slow = seeded_ema(closes(), 12), seeded_ema(closes(), 26)
        line = fast[-len(slow):] - slow
        return line[-1], seeded_ema(line, 9)[-1]

    def true_range():
        high, low, close = bars()
        before = close[:-1]
        return np.maximum(high[1:], before) - np.minimum(low[1:], before)

    def directional():
        """+DI, -DI and ADX: Wilder sums of bars 1..14 first, ADX from the mean of the first 14 DX."""
        high, low, _ = bars()
        up, down = np.diff(high), -np.diff(low)
        plus = np.where((up > down) & (up > 0), up, 0.0)
        minus = np.where((down > up) & (down > 0), down, 0.0)
        span = true_range()
        if len(span) < 27:
            raise Null("too_few")
        p, m, t = (math.fsum(part[:14]) for part in (plus, minus, span))
        dx = []
        for i in range(14, len(span) + 1):
            if i > 14:
                p, m, t = (s - s / 14 + part[i - 1] for s, part in ((p, plus), (m, minus), (t, span)))
            plus_di, minus_di = (100 * p / t, 100 * m / t) if t > 0 else (0.0, 0.0)
            both = plus_di + minus_di
            dx.append(100 * abs(plus_di - minus_di) / both if both > 0 else 0.0)
        return plus_di, minus_di, wilder(dx, 14)

    def efficiency_ratio():
        path = last(closes(), 21)
        return ratio(abs(path[-1] - path[0]), math.fsum(np.abs(np.diff(path))), "flat")

    def line():
        values = np.log(last(w.close, 20))
        present(values, least=3)
        kept = np.isfinite(values)
        x, y = np.arange(20.0)[kept], values[kept]
        fit = stats.linregress(x, y)
        residuals = y - fit.intercept - fit.slope * x
        straight = math.sqrt(np.mean(residuals ** 2)) <= 1e-14 * max(1.0, abs(np.mean(y)))
        return fit, straight

    def slope_t():
        fit, straight = line()
        if straight:
            raise Null("straight")
        return float(fit.slope / fit.stderr)

    def rolling_beta():
        if is_benchmark:
            return 1.0
        if benchmark is None or benchmark.n == 0:
            raise Null("no_benchmark")
        pairs = pd.concat([pd.Series(w.log_returns, index=w.time),
                           pd.Series(benchmark.log_returns, index=benchmark.time)], axis=1, join="inner").dropna()
        if len(pairs) < max(20, math.ceil(w.n / 2)):
            raise Null("too_few")
        covariance = np.cov(pairs.to_numpy().T, ddof=1)
        return float(ratio(covariance[0, 1], covariance[1, 1], "flat"))

    return {
        "sma": lambda: mean(last(w.close, 20)),
        "ema": lambda: adjusted_ema(w.close, 20),
        "wma": wma,
        "rate_of_change": rate_of_change,
        "directional_strength": directional_strength,
        "crossover_signal": crossover_signal,
        "crossover_event": crossover_event,
        "bars_since_cross": bars_since_cross,
        "rsi": rsi,
        "rsi_cutler": rsi_cutler,
        "macd": lambda: macd_lines()[0],
        "macd_signal": lambda: macd_lines()[1],
        "macd_histogram": lambda: macd_lines()[0] - macd_lines()[1],
        "atr": lambda: wilder(true_range(), 14),
        "adx": lambda: directional()[2],
        "plus_di": lambda: directional()[0],
        "minus_di": lambda: directional()[1],
        "donchian_high": lambda: float(np.max(present(last(w.high, 20)))),
        "donchian_low": lambda: float(np.min(present(last(w.low, 20)))),
        "efficiency_ratio": efficiency_ratio,
        "slope": lambda: float(line()[0].slope),
        "slope_t": slope_t,
        "rolling_beta": rolling_beta,
    }


# ---------------------------------------------------------------------------------------------------------------
# 5 deviation

def autocovariance(d, lag):
    """Sum of products of deviations `lag` apart, over the pairs present."""
    return np.nansum(d[lag:] * d[:-lag])


def deviation(w, p, benchmark=None, is_benchmark=False):
    ddof = p["ddof"]
    closes = last(w.close, p["window"])
    r = w.on_grid(w.log_returns)            # every bar time, the first and those around a hole missing
    positions = w.n - 1                     # nominal count of returns

    def level():
        """mean, sd, min, max of the window's closes; a flat window has sd exactly 0."""
        values = present(closes, least=2)
        low, high = values.min(), values.max()
        return mean(closes), 0.0 if low == high else float(np.std(values, ddof=ddof)), low, high

    def z_score():
        middle, sd, _, _ = level()
        return ratio(known(closes[-1]) - middle, sd, "flat")

    def percent_b():
        middle, sd, _, _ = level()
        return ratio(known(closes[-1]) - (middle - 2 * sd), 4 * sd, "flat")

    def price_range_index():
        _, _, low, high = level()
        newest = known(closes[-1])
        return 0.5 if low == high else float((newest - low) / (high - low))

    def returns(least=2):
        """The returns that are there; flat prices have none that could say anything."""
        values = present(r, positions, least)
        if values.max() == values.min():
            raise Null("flat")
        return values

    def autocorrelation():
        returns()
        both = np.isfinite(r[1:]) & np.isfinite(r[:-1])
        return pearson(r[1:][both], r[:-1][both])

    def price_autocorrelation():
        present(w.close, least=3)
        both = np.isfinite(w.close[1:]) & np.isfinite(w.close[:-1])
        return pearson(w.close[1:][both], w.close[:-1][both])

    def pearson(x, y):
        if x.max() == x.min() or y.max() == y.min():
            raise Null("flat")
        return float(stats.pearsonr(x, y)[0])

    def ljung_box_p():
        values = returns(11)
        d, m = r - np.mean(values), len(values)
        power = math.fsum((values - np.mean(values)) ** 2)
        q = m * (m + 2) * math.fsum((autocovariance(d, k) / power) ** 2 / (m - k) for k in range(1, 11))
        return float(stats.chi2.sf(q, 10))

    def variance_ratio(q):
        values = returns(q + 1)
        m, mu = len(values), math.fsum(values) / len(values)
        one = math.fsum((values - mu) ** 2) / (m - 1)
        sums = np.lib.stride_tricks.sliding_window_view(r, q).sum(axis=1)
        sums = sums[np.isfinite(sums)]
        if len(sums) < 2:
            raise Null("too_few")
        many = math.fsum((sums - q * mu) ** 2) / (q * len(sums) * (1 - q / m))
        squares = (r - mu) ** 2
        theta = math.fsum((2 * (q - j) / q) ** 2 * autocovariance(squares, j) for j in range(1, q))
        theta /= math.fsum((values - mu) ** 2) ** 2
        return {"ratio": many / one, "z": (many / one - 1) / math.sqrt(theta)}

    def hurst():
        values = returns(100)
        profile = np.cumsum(values - np.mean(values))
        sizes = np.unique(np.round(np.exp(np.linspace(np.log(10), np.log(len(values) // 4), 16))).astype(int))
        fluctuation = []
        for size in sizes:
            count = len(profile) // size
            boxes = np.concatenate([profile[:count * size].reshape(count, size),
                                    profile[len(profile) - count * size:].reshape(count, size)])
            x = np.arange(size)
            lines = np.polyfit(x, boxes.T, 1)
            residuals = boxes - (np.outer(lines[0], x) + lines[1][:, None])
            fluctuation.append(math.sqrt(np.mean(np.mean(residuals ** 2, axis=1))))
        return float(stats.linregress(np.log(sizes), np.log(fluctuation)).slope)

    def half_life():
        returns()
        logs = w.on_grid(np.log(w.close))
        both = np.isfinite(logs[1:]) & np.isfinite(logs[:-1])
        phi = stats.linregress(logs[:-1][both], logs[1:][both]).slope
        if not 0 < phi < 1:
            raise Null("not_reverting")
        return float(-math.log(2) / math.log(phi))

    return {
        "standard_deviation": lambda: level()[1],
        "variance": lambda: level()[1] ** 2,
        "bollinger_middle": lambda: level()[0],
        "bollinger_upper": lambda: level()[0] + 2 * level()[1],
        "bollinger_lower": lambda: level()[0] - 2 * level()[1],
        "bollinger_width": lambda: 4 * level()[1] / level()[0],
        "percent_b": percent_b,
        "z_score": z_score,
        "price_range_index": price_range_index,
        "coefficient_of_variation": lambda: level()[1] / level()[0],
        "autocorrelation": autocorrelation,
        "autocorrelation_band": lambda: 1.96 / math.sqrt(len(present(r, positions))),
        "ljung_box_p": ljung_box_p,
        "price_autocorrelation": price_autocorrelation,
        "skewness": lambda: float(stats.skew(returns(3), bias=False)),
        "kurtosis": lambda: float(stats.kurtosis(returns(4), bias=False)),
        "jarque_bera_p": lambda: float(stats.jarque_bera(returns())[1]),
        "variance_ratio": lambda: {str(q): variance_ratio(q) for q in (2, 5, 10)},
        "hurst": hurst,
        "half_life": half_life,
    }


# ---------------------------------------------------------------------------------------------------------------
# what each calculator asks for

CALCULATORS = {
    #             span in days, fewest bars a window holds, fewest bars to answer, what the parameters ask for
    "volatility": dict(fields=volatility, days=90, floor=120, least=lambda p: max(21, p["window"] + 1),
                       need=lambda p: 2 * p["window"], params={"window": 20, "annualization": "calendar"}),
    "volume": dict(fields=volume, days=1, floor=24, least=lambda p: 5, need=lambda p: 0, params={}),
    "trend": dict(fields=trend, days=30, floor=120, least=lambda p: 50, need=lambda p: 0, params={}),
    "deviation": dict(fields=deviation, days=30, floor=120, least=lambda p: max(21, p["window"]),
                      need=lambda p: p["window"], params={"window": 20, "ddof": 1}),
    "seasonality": dict(fields=lambda w, p, *more: seasonality(w, sys.modules[__name__]), days=90, floor=100,
                        least=lambda p: 100, need=lambda p: 0, params={}),
    "regime": dict(fields=lambda w, p, *more: regime(w, p, sys.modules[__name__]), days=90, floor=120,
                   least=lambda p: 21, need=lambda p: 0, params=REGIME),
}

# The scripts of scripts/examples stand beside them, in examples.py; detectors in anomalies.py.
ALL = {**CALCULATORS,
       **{name: {**spec, "fields": lambda *args, fields=spec["fields"], **more: fields(*args, sys.modules[__name__], **more)}
          for name, spec in {**EXAMPLES, **DETECTORS}.items()}}


def settle(path, value, reasons):
    """A value whose parts may be null, each with its reason."""
    if isinstance(value, Null):
        reasons[path] = str(value)
        return None
    if isinstance(value, dict):
        return {key: settle(f"{path}.{key}", part, reasons) for key, part in value.items()}
    return value


def calculate(name, bars, tau, as_of=None, params=None, benchmark=None, is_benchmark=False, **more):
    """bars, benchmark: DataFrames by open time.  as_of: us; the window ends at the last close that is not after it."""
    spec = ALL[name]
    p = {**spec["params"], **(params or {})}
    closed = bars.index[bars.index + tau <= (as_of if as_of is not None else 2 ** 62)]
    expected = (spec["rows"](p, tau) if "rows" in spec
                else max(math.ceil(spec["days"] * 86_400_000_000 / tau), spec["floor"], spec["need"](p)))
    if len(closed) == 0:
        return {"status": "empty", "as_of": None, "data": None}
    end = int(closed[-1]) + tau
    with np.errstate(divide="ignore", invalid="ignore"):
        w = Window(bars, tau, expected, end)
        other = None if benchmark is None else Window(benchmark, tau, expected, end)
        gaps, missing = w.holes()
        out = {"as_of": end, "rows": w.n, "expected": expected, "gaps": gaps, "missing": missing,
               "completeness": 100 * w.n / expected, "status": "gap" if gaps else "ok", "data": {}, "reasons": {}}
        if w.n < (spec["least"](p, tau) if "rows" in spec else spec["least"](p)):
            out["status"] = "warming"
            return {**out, "data": None, "reasons": None}
        for field, function in spec["fields"](w, p, other, is_benchmark, **more).items():
            try:
                out["data"][field] = settle(field, function(), out["reasons"])
            except Null as why:
                out["data"][field], out["reasons"][field] = None, str(why)
    return out


def number_or_word(text):
    try:
        return float(text)
    except ValueError:
        return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=ALL)
    parser.add_argument("--candles", required=True)
    parser.add_argument("--period", required=True)
    parser.add_argument("--benchmark")
    parser.add_argument("--is-benchmark", action="store_true")
    parser.add_argument("--as-of")
    parser.add_argument("--param", action="append", default=[])
    args = parser.parse_args()
    params = {}
    for pair in args.param:
        key, value = pair.split("=", 1)
        params[key] = int(value) if value.lstrip("-").isdigit() else number_or_word(value)
    as_of = None if args.as_of is None else pd.Timestamp(args.as_of, tz="UTC").value // 1000
    benchmark = read_candles(args.benchmark) if args.benchmark else None
    print(json.dumps(calculate(args.name, read_candles(args.candles), period_us(args.period), as_of, params,
                               benchmark, args.is_benchmark), indent=2))


if __name__ == "__main__":
    main()
