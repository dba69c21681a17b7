#!/usr/bin/python3
"""kernels.py - golden numbers of the kernels of core/num, by pandas, numpy, scipy and statsmodels.

    kernels.py            writes tests/golden/kernels/*.txt
    kernels.py --check    computes them again from the stored input and compares; writes nothing

A file is lines `name: value value ...`; nan is missing. Where no library has the statistic (Wilder's indicators, variance ratio,
DFA) it is written out here, straight from its definition and in another way than the kernels do it.
"""
import argparse
import os
import sys
from collections import Counter

import numpy as np
import pandas as pd
import scipy
import scipy.fft as fft
import scipy.signal as signal
import scipy.special as special
import scipy.stats as stats
import statsmodels
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.diagnostic import acorr_ljungbox
from statsmodels.stats.multitest import multipletests
from statsmodels.tsa.stattools import acf

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "kernels")
ROWS = 300
HEADER = (f"# made by tests/oracle/kernels.py: pandas {pd.__version__}, numpy {np.__version__}, scipy {scipy.__version__}, "
          f"statsmodels {statsmodels.__version__}\n")


# ---------------------------------------------------------------------------------------------------------------
# input

def make_input():
    rng = np.random.RandomState(7)
    step = rng.standard_t(4, ROWS) * 0.004
    close = 30000 * np.exp(np.cumsum(step))
    open_ = np.concatenate([[30000.0], close[:-1]]) * np.exp(rng.normal(0, 0.0005, ROWS))
    high = np.maximum(open_, close) * (1 + 0.003 * rng.rand(ROWS))
    low = np.minimum(open_, close) * (1 - 0.003 * rng.rand(ROWS))
    columns = {name: np.round(x, 2) for name, x in [("open", open_), ("high", high), ("low", low), ("close", close)]}
    columns["high"] = np.maximum.reduce([columns["high"], columns["open"], columns["close"]])
    columns["low"] = np.minimum.reduce([columns["low"], columns["open"], columns["close"]])
    close = columns["close"]
    columns["log_return"] = np.concatenate([[np.nan], np.log(close[1:] / close[:-1])])
    holes = close.copy()
    holes[[0, 5, 40, 41, 42, 130, 299 - 60]] = np.nan
    holes[[77, 200]] = [np.inf, -np.inf]
    holes[150:172] = np.nan
    columns["holes"] = holes
    other = 0.6 * columns["log_return"] + rng.normal(0, 0.004, ROWS)
    other[[3, 4, 100, 250]] = np.nan
    columns["other"] = other
    columns["gappy"] = np.where(rng.rand(ROWS) < 0.05, np.nan, columns["log_return"] + 0.2 * np.roll(columns["log_return"], 1))
    return columns


def there(x):
    return np.where(np.isfinite(x), x, np.nan)


# ---------------------------------------------------------------------------------------------------------------
# windows

def rolled(x, width, least):
    series = pd.Series(there(x))
    window = series.rolling(width, min_periods=least)
    inside = np.arange(len(x)) >= width - 1
    weights = np.arange(1.0, width + 1)

    def wma(v):
        ok = np.isfinite(v)
        own = weights[-len(v):][ok]
        return (v[ok] * own).sum() / own.sum()

    def spread(v):              # numpy's two passes: pandas' running sums are too rough for 1e-10
        return np.var(v[np.isfinite(v)], ddof=1)

    out = {
        "sum": window.apply(np.nansum, raw=True), "mean": window.apply(np.nanmean, raw=True),
        "var": window.apply(spread, raw=True), "min": window.min(), "max": window.max(), "median": window.median(),
        "wma": window.apply(wma, raw=True),
    }
    out["std"] = np.sqrt(out["var"])
    return {name: np.where(inside, value, np.nan) for name, value in out.items()}


def recursive(x, width, gain):
    """Seeded with the mean of the first `width` values; missing rows are passed over."""
    out = np.full(len(x), np.nan)
    rows = np.flatnonzero(np.isfinite(x))
    present = x[rows]
    if len(present) < width:
        return out
    seeded = np.concatenate([[present[:width].mean()], present[width:]])
    out[rows[width - 1:]] = pd.Series(seeded).ewm(alpha=gain, adjust=False).mean()
    return out


def roll(c):
    out = {}
    for name in ("close", "holes"):
        for width, least in ((20, 10), (7, 4)):
            for what, value in rolled(c[name], width, least).items():
                out[f"{name}.{what}{width}"] = value
        x = there(c[name])
        out[f"{name}.ewm20"] = pd.Series(x).ewm(span=20).mean().values
        out[f"{name}.ema20"] = recursive(x, 20, 2 / 21)
        out[f"{name}.wilder14"] = recursive(x, 14, 1 / 14)
    return out


# ---------------------------------------------------------------------------------------------------------------
# moments, order, time

def moment(c):
    out = {}
    for name in ("close", "holes", "log_return", "other"):
        x = pd.Series(there(c[name]))
        full = x.dropna().values
        jb = stats.jarque_bera(full)
        out[name] = [x.sum(), x.mean(), x.var(), x.std(), x.var(ddof=0), x.min(), x.max(), x.idxmin(), x.idxmax(),
                     x.skew(), x.kurt(), stats.skew(full), stats.kurtosis(full), jb.statistic, jb.pvalue]
    frame = pd.DataFrame({"x": there(c["log_return"]), "y": there(c["other"])})
    both = frame.dropna()
    out["pair"] = [frame.x.cov(frame.y), frame.x.corr(frame.y), np.polyfit(both.y, both.x, 1)[0], len(both)]
    return out


def robust(c):
    out = {}
    for name in ("close", "holes", "other"):
        x = c[name][np.isfinite(c[name])]
        middle = np.median(x)
        out[name] = ([middle, stats.median_abs_deviation(x), np.mean(np.abs(x - middle)),
                      stats.percentileofscore(x, x[-1], kind="weak") / 100]
                     + [np.quantile(x, q) for q in (0, 0.01, 0.25, 0.5, 0.77, 0.95, 1)])
    return out


def biased_acf(x, lag):
    d = x - np.nanmean(x)
    return np.nansum(d[lag:] * d[:-lag]) / np.nansum(d * d)


def variance_ratio(x, q):
    mean, m = np.nanmean(x), np.isfinite(x).sum()
    d2 = (x - mean) ** 2
    sums = np.array([x[i:i + q].sum() for i in range(len(x) - q + 1)])
    sums = sums[np.isfinite(sums)]
    one = np.nansum(d2) / (m - 1)
    many = ((sums - q * mean) ** 2).sum() / (q * len(sums) * (1 - q / m))
    delta = [m * np.nansum(d2[j:] * d2[:-j]) / np.nansum(d2) ** 2 for j in range(1, q)]
    theta = sum((2 * (q - j) / q) ** 2 * delta[j - 1] for j in range(1, q))
    return many / one, np.sqrt(m) * (many / one - 1) / np.sqrt(theta)


def hurst(x):
    x = x[np.isfinite(x)]
    m, profile = len(x), np.cumsum(x - x.mean())
    sizes = sorted({int(round(np.exp(v))) for v in np.linspace(np.log(10), np.log(m // 4), 16)})
    points = []
    for size in sizes:
        rest, time = [], np.arange(size)
        for k in range(m // size):
            for box in (profile[k * size:(k + 1) * size], profile[m - (k + 1) * size:m - k * size]):
                rest.append(np.mean((box - np.polyval(np.polyfit(time, box, 1), time)) ** 2))
        points.append((np.log(size), 0.5 * np.log(np.mean(rest))))
    return np.polyfit(*np.array(points).T, 1)[0]


def half_life(x):
    ok = np.isfinite(x[1:]) & np.isfinite(x[:-1])
    phi = stats.linregress(x[:-1][ok], x[1:][ok]).slope
    return -np.log(2) / np.log(phi) if 0 < phi < 1 else np.nan


def series(c):
    out = {}
    for name in ("gappy", "log_return"):
        x = there(c[name])[1:]
        lags = range(1, 11)
        out[f"{name}.autocorrelation"] = [pd.Series(x).autocorr(k) for k in lags]
        out[f"{name}.acf"] = [biased_acf(x, k) for k in lags]
        m = np.isfinite(x).sum()
        q = m * (m + 2) * sum(biased_acf(x, k) ** 2 / (m - k) for k in lags)
        out[f"{name}.ljung_box"] = [q, stats.chi2.sf(q, 10)]
        out[f"{name}.variance_ratio"] = [v for q in (2, 5, 10) for v in variance_ratio(x, q)]
        out[f"{name}.hurst"] = [hurst(x)]
    full = c["log_return"][1:]
    library = acorr_ljungbox(full, lags=[10])
    assert abs(library.lb_stat.iloc[0] / out["log_return.ljung_box"][0] - 1) < 1e-12
    assert np.allclose(acf(full, nlags=10)[1:], out["log_return.acf"], rtol=1e-12)
    out["half_life"] = [half_life(np.log(c["close"])), half_life(there(c["gappy"])), half_life(there(c["other"]))]
    return out


# ---------------------------------------------------------------------------------------------------------------
# indicators

def rsi(close, period):
    change = np.diff(close)
    up, down = recursive(np.maximum(change, 0), period, 1 / period), recursive(np.maximum(-change, 0), period, 1 / period)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.concatenate([[np.nan], 100 - 100 / (1 + up / down)])


def cutler(close, period):
    change = pd.Series(close).diff()
    up, down = change.clip(lower=0).rolling(period).mean(), (-change.clip(upper=0)).rolling(period).mean()
    return (100 - 100 / (1 + up / down)).values


def true_range(high, low, close):
    before = np.concatenate([[np.nan], close[:-1]])
    return np.where(np.isnan(before), np.nan, np.maximum.reduce([high - low, np.abs(high - before), np.abs(low - before)]))


def adx(high, low, close, period):
    """Wilder's sums, row by row."""
    n = len(close)
    tr = true_range(high, low, close)
    up, down = np.concatenate([[0], np.diff(high)]), np.concatenate([[0], -np.diff(low)])
    plus, minus = np.where((up > down) & (up > 0), up, 0), np.where((down > up) & (down > 0), down, 0)
    out = np.full((3, n), np.nan)
    sums, dx = None, []
    for i in range(period, n):
        row = np.array([tr[i], plus[i], minus[i]])
        if sums is None:
            sums = np.array([tr[1:i + 1].sum(), plus[1:i + 1].sum(), minus[1:i + 1].sum()])
        else:
            sums = sums - sums / period + row
        p, m = 100 * sums[1] / sums[0], 100 * sums[2] / sums[0]
        dx.append(100 * abs(p - m) / (p + m) if p + m > 0 else 0)
        out[0, i], out[1, i] = p, m
        if len(dx) == period:
            out[2, i] = np.mean(dx)
        elif len(dx) > period:
            out[2, i] = (out[2, i - 1] * (period - 1) + dx[-1]) / period
    return out


def efficiency(x, width):
    s = pd.Series(x)
    return ((s - s.shift(width)).abs() / s.diff().abs().rolling(width).apply(np.sum, raw=True)).values


def trend(c):
    o, h, l, x = (c[k] for k in ("open", "high", "low", "close"))
    tr = true_range(h, l, x)
    line = recursive(x, 12, 2 / 13) - recursive(x, 26, 2 / 27)
    signal = recursive(line, 9, 2 / 10)
    plus, minus, index = adx(h, l, x, 14)
    logs = np.log(x[-20:])
    fit = stats.linregress(np.arange(20), logs)
    return {
        "rsi14": rsi(x, 14), "cutler14": cutler(x, 14), "macd": line, "macd_signal": signal, "macd_histogram": line - signal,
        "true_range": tr, "atr14": recursive(tr, 14, 1 / 14), "plus_di14": plus, "minus_di14": minus, "adx14": index,
        "donchian_high20": pd.Series(h).rolling(20).max().values, "donchian_low20": pd.Series(l).rolling(20).min().values,
        "efficiency20": efficiency(x, 20), "roc10": 100 * pd.Series(x).pct_change(10).values,
        "fit20": [fit.slope, fit.intercept, fit.slope / fit.stderr],
    }


def ranges(c):
    o, h, l, x = (c[k] for k in ("open", "high", "low", "close"))
    out = {}
    for width in (20, 120):
        O, H, L, C = (v[-width:] for v in (o, h, l, x))
        before = x[-width - 1:-1]
        overnight, intraday = np.log(O / before), np.log(C / O)
        rs = np.mean(np.log(H / C) * np.log(H / O) + np.log(L / C) * np.log(L / O))
        k = 0.34 / (1.34 + (width + 1) / (width - 1))
        out[f"last{width}"] = [
            np.sqrt(np.mean(np.log(H / L) ** 2) / (4 * np.log(2))),
            np.sqrt(np.mean(0.5 * np.log(H / L) ** 2 - (2 * np.log(2) - 1) * np.log(C / O) ** 2)),
            np.sqrt(rs),
            np.sqrt(overnight.var(ddof=1) + k * intraday.var(ddof=1) + (1 - k) * rs),
        ]
    r = c["gappy"][np.isfinite(c["gappy"])]
    weights = 0.94 ** np.arange(len(r) - 20)[::-1]
    v = 0.94 ** (len(r) - 20) * np.mean(r[:20] ** 2) + 0.06 * np.sum(weights * r[20:] ** 2)
    out["ewma"] = [np.sqrt(v)]
    out["sides"] = [np.sqrt(np.mean(np.minimum(r, 0) ** 2)), np.sqrt(np.mean(np.maximum(r, 0) ** 2))]
    return out


def scattered(c):
    """2161 values, a prime number of them, without their mean."""
    x = np.resize(c["log_return"][1:], 2161) * (1 + np.arange(2161) / 500)
    return x - x.mean()


def transform(c):
    """Bins as real and imaginary parts, one behind the other."""
    def pairs(z):
        return np.column_stack([z.real, z.imag]).ravel()

    x, out = c["close"] - 30000, {"scattered": scattered(c)}
    for n in (1, 2, 3, 5, 16, 97, 210, 248, 299, 300):
        out[f"close{n}"] = pairs(fft.rfft(x[:n]))
    out["scattered2161"] = pairs(fft.rfft(out["scattered"])[::20])
    out["scattered2160"] = pairs(fft.rfft(out["scattered"][:2160])[::20])
    return out


def spectrum(c):
    x = scattered(c)
    out = {f"welch{n}": signal.welch(x[:n], nperseg=min(n, 256), noverlap=min(n, 256) // 2)[1] for n in (2161, 300, 77)}
    m, d = len(x), x - x.mean()
    phi, variance = (d[1:] * d[:-1]).sum() / (d * d).sum(), x.var(ddof=1)
    out["ar1"] = [variance, phi]
    f = np.array([0.001, 1 / 24, 0.1, 0.25, 0.49])
    w, response = signal.freqz([1], [1, -phi], worN=2 * np.pi * f)      # the filter that makes the noise from white
    out["frequency"], out["ar1_density"] = f, 2 * variance * (1 - phi ** 2) * np.abs(response) ** 2
    return out


def season(c):
    r, hours = c["gappy"], np.arange(ROWS) % 24
    out = {"hours": hours}
    rows = []
    for hour in range(24):
        x = r[hours == hour]
        x = x[np.isfinite(x)]
        lag = int(np.floor(4 * (len(x) / 100) ** (2 / 9)))
        fit = OLS(x, np.ones(len(x))).fit(cov_type="HAC", cov_kwds={"maxlags": lag, "use_correction": False}, use_t=False)
        rows.append([len(x), lag, x.mean(), fit.tvalues[0], fit.pvalues[0]])
    out["used"], out["lag"], out["mean"], out["t"], out["p"] = np.array(rows, float).T
    out["q"] = multipletests(out["p"], method="fdr_bh")[1]
    long = there(c["other"])[np.isfinite(c["other"])]
    fit = OLS(long, np.ones(len(long))).fit(cov_type="HAC", cov_kwds={"maxlags": 12, "use_correction": False}, use_t=False)
    out["lag12"] = [fit.tvalues[0], fit.pvalues[0]]
    close, coarse = c["close"], np.round(c["close"] / 50) * 50           # coarse: many values on the edges of bins
    out["entropy"] = [stats.entropy(np.histogram(v, bins=b)[0]) for v in (close, coarse) for b in (1, 7, 50, 100)]
    z = (r - np.nanmean(r)) / np.nanstd(r, ddof=1)
    z = z[np.isfinite(z)]
    out["clamped"] = [stats.entropy(np.histogram(np.clip(z, -2, 2), bins=20, range=(-2, 2))[0])]
    tied = np.sign(r) * np.round(np.abs(r) / 0.003)
    orders = []
    for x in (r, tied):
        for order in range(2, 8):
            seen = Counter(tuple(np.argsort(x[i:i + order], kind="stable")) for i in range(ROWS - order + 1)
                           if np.isfinite(x[i:i + order]).all())
            orders.append(stats.entropy(list(seen.values())) / np.log(special.factorial(order)))
    out["permutation"] = orders
    return out


def dist(_):
    z = np.concatenate([np.linspace(-37, 37, 75), [0.1, 1e-5, 1.959963984540054]])
    p = np.array([1e-300, 1e-30, 1e-10, 1e-3, 0.025, 0.25, 0.5, 0.7, 0.975, 0.999, 1 - 1e-10])
    grid = [(x, df) for df in (1, 2, 3, 5, 10, 29.5, 120, 2000) for x in (1e-6, 0.1, 1, 4.2, 18.3, 75, 260, 900, 2200)]
    x, df = np.array(grid).T
    betas = [(v, a, b) for v in (1e-8, 0.01, 0.3, 0.5, 0.9, 0.9999) for a in (0.5, 1, 3.5, 60) for b in (0.5, 2, 40)]
    v, a, b = np.array(betas).T
    return {"z": z, "normal_cdf": stats.norm.cdf(z), "normal_sf": stats.norm.sf(z), "p": p, "normal_quantile": stats.norm.ppf(p),
            "x": x, "df": df, "chi2_sf": stats.chi2.sf(x, df), "t_sf": stats.t.sf(x, df), "gamma_q": special.gammaincc(df / 3, x),
            "bx": v, "ba": a, "bb": b, "beta_i": special.betainc(a, b, v)}


# ---------------------------------------------------------------------------------------------------------------

PARTS = {"roll": roll, "moment": moment, "robust": robust, "series": series, "trend": trend, "range": ranges, "dist": dist,
         "fft": transform, "spectrum": spectrum, "season": season}


def text(columns):
    return "".join(f"{name}: {' '.join(repr(float(v)) for v in values)}\n" for name, values in columns.items())


def read(path):
    with open(path) as file:
        lines = [line.split(":") for line in file if not line.startswith("#")]
    return {name: np.array([float(v) for v in values.split()]) for name, values in lines}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    path = os.path.join(FOLDER, "input.txt")
    if not args.check:
        with open(path, "w") as file:
            file.write(HEADER + text(make_input()))
    columns = read(path)
    wrong = 0
    for name, part in PARTS.items():
        path, now = os.path.join(FOLDER, name + ".txt"), part(columns)
        if not args.check:
            with open(path, "w") as file:
                file.write(HEADER + text(now))
            continue
        stored = read(path)
        for key, value in now.items():
            if not np.allclose(stored[key], np.asarray(value, float), rtol=1e-9, atol=1e-300, equal_nan=True):
                print(f"{name}.{key} differs from {path}")
                wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
