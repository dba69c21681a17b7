#!/usr/bin/env python3
"""The kernels of bench_kernels in pandas and numpy, as a skilled user writes them, on the same kind of price walk.

    kernels.py      a line a figure: bench kernels NAME n=ROWS pandas=NS numpy=NS unit=ns/row
"""
import time

import numpy as np
import pandas as pd

WINDOW, WINDOWS, ROWS, SAMPLES = 2160, 60, 1_000_000, 5


def market():
    rng = np.random.default_rng(42)
    close = 50000 * np.exp(np.cumsum(0.001 * rng.standard_normal(ROWS)))
    open_ = np.concatenate([[50000.0], close[:-1]])
    high = np.maximum(open_, close) * (1 + 0.0005 * rng.random(ROWS))
    low = np.minimum(open_, close) * (1 - 0.0005 * rng.random(ROWS))
    return {"high": high, "low": low, "close": close}


def sliding(x, width):
    return np.lib.stride_tricks.sliding_window_view(x, width)


def mean_numpy(x, width):
    total = np.cumsum(np.concatenate([[0.0], x]))
    return (total[width:] - total[:-width]) / width


def std_numpy(x, width):
    d = x - x[0]
    mean = mean_numpy(d, width)
    return np.sqrt(np.maximum(mean_numpy(d * d, width) - mean * mean, 0) * (width / (width - 1)))


def wma_numpy(x, width):
    return np.convolve(x, np.arange(width, 0, -1.0) / (width * (width + 1) / 2), "valid")


def wilder(s, period):
    return s.ewm(alpha=1 / period, adjust=False).mean()


def range_pandas(m):
    before = m.close.shift()
    return np.maximum(m.high - m.low, np.maximum((m.high - before).abs(), (m.low - before).abs()))


def adx_pandas(m):
    up, down = m.high.diff(), -m.low.diff()
    atr = wilder(range_pandas(m), 14)
    plus = 100 * wilder(up.where((up > down) & (up > 0), 0.0), 14) / atr
    minus = 100 * wilder(down.where((down > up) & (down > 0), 0.0), 14) / atr
    return wilder(100 * (plus - minus).abs() / (plus + minus), 14)


def rsi_pandas(m):
    change = m.close.diff()
    return 100 - 100 / (1 + wilder(change.clip(lower=0), 14) / wilder(-change.clip(upper=0), 14))


def macd_pandas(m):
    line = m.close.ewm(span=12, adjust=False).mean() - m.close.ewm(span=26, adjust=False).mean()
    signal = line.ewm(span=9, adjust=False).mean()
    return line - signal


def bands_pandas(m):
    window = m.close.rolling(20)
    mean, sd = window.mean(), window.std()
    return mean, mean + 2 * sd, mean - 2 * sd


KERNELS = {       # name: (pandas over a frame, numpy over the columns)
    "sma20": (lambda m: m.close.rolling(20).mean(), lambda c: mean_numpy(c["close"], 20)),
    "ema20": (lambda m: m.close.ewm(span=20, adjust=False).mean(), None),
    "ewm20": (lambda m: m.close.ewm(span=20).mean(), None),
    "wma20": (None, lambda c: wma_numpy(c["close"], 20)),
    "std20": (lambda m: m.close.rolling(20).std(), lambda c: std_numpy(c["close"], 20)),
    "bbands20": (bands_pandas, None),
    "min20": (lambda m: m.low.rolling(20).min(), lambda c: sliding(c["low"], 20).min(axis=1)),
    "roc10": (lambda m: 100 * m.close.pct_change(10), lambda c: 100 * (c["close"][10:] / c["close"][:-10] - 1)),
    "rsi14": (rsi_pandas, None),
    "atr14": (lambda m: wilder(range_pandas(m), 14), None),
    "adx14": (adx_pandas, None),
    "macd": (macd_pandas, None),
    "var": (lambda m: m.close.var(), lambda c: c["close"].var(ddof=1)),
    "autocorrelation": (lambda m: m.close.autocorr(1), lambda c: np.corrcoef(c["close"][1:], c["close"][:-1])[0, 1]),
    "median": (lambda m: m.close.median(), lambda c: np.median(c["close"])),
    "log_return": (lambda m: np.log(m.close / m.close.shift()), lambda c: np.log(c["close"][1:] / c["close"][:-1])),
}


def measure(run, inputs, rows):
    samples = []
    for _ in range(SAMPLES):
        start = time.perf_counter_ns()
        for one in inputs:
            run(one)
        samples.append((time.perf_counter_ns() - start) / (rows * len(inputs)))
    return sorted(samples)[SAMPLES // 2]


def worst_error(columns):
    """Of pandas' rolling deviation, against two passes in long double."""
    windows = sliding(columns["close"][:100_000].astype(np.longdouble), 20)
    exact = np.sqrt(((windows - windows.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) / 19)
    got = pd.Series(columns["close"]).rolling(20).std().values[19:100_000]
    return float(np.abs(got / exact - 1).max())


def main():
    columns = market()
    frame = pd.DataFrame(columns)
    for name, (with_pandas, with_numpy) in KERNELS.items():
        for rows, count in ((WINDOW, WINDOWS), (ROWS, 1)):
            figures = []
            if with_pandas:
                inputs = [frame.iloc[k * WINDOW:k * WINDOW + rows] for k in range(count)]
                figures.append(f"pandas={measure(with_pandas, inputs, rows):.3f}")
            if with_numpy:
                inputs = [{key: x[k * WINDOW:k * WINDOW + rows] for key, x in columns.items()} for k in range(count)]
                figures.append(f"numpy={measure(with_numpy, inputs, rows):.3f}")
            print(f"bench kernels {name} n={rows} {' '.join(figures)} unit=ns/row", flush=True)
    print(f"bench kernels std20_worst_error n=100000 pandas={worst_error(columns):.2e} unit=relative")


if __name__ == "__main__":
    main()
