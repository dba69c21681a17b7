"""market.py - what the calculators of the whole market must answer, written a second time.

Straight from the definitions with pandas, numpy and scipy; shares nothing with the kernels it judges. A market is
{symbol: DataFrame by open time (us) with the column close}. Matrices come as lists of rows in the order of `symbols`.

Rules
- as_of is the newest close of any symbol at or before the one asked for; the window is the time range
  [as_of - N tau, as_of) on the time grid; who has no bar in it takes no part.
- A part of the window knows nothing of the bar before it: its first bar has no return.
- Pairs need 20 common returns. What is said beside the benchmark is of the last 30 days (7 where it says so).
- Breadth: symbols with a close in the last row and 50 closes in the window.
"""
import math

import numpy as np
import pandas as pd
from scipy import stats

DAY_US = 86_400_000_000
LEAST, LAGS, CLOSES = 20, 48, 50
DEFAULTS = {"window": "30d", "spearman": False, "shrunk": False}
UNITS = {"h": 3_600_000_000, "d": DAY_US, "w": 7 * DAY_US}
BENCHMARK = "BTCUSDT"


def span_us(text):
    return int(text[:-1]) * UNITS[text[-1]]


def bars(us, tau):
    return max(1, math.ceil(us / tau))


class Window:
    """Closes of all symbols on the grid, and what is missing of them."""

    def __init__(self, market, tau, end, expected):
        grid = np.arange(end - expected * tau, end, tau)
        inside = {symbol: frame[(frame.index >= grid[0]) & (frame.index < end)] for symbol, frame in sorted(market.items())}
        inside = {symbol: frame for symbol, frame in inside.items() if len(frame)}
        self.symbols = list(inside)
        self.close = pd.DataFrame({symbol: frame["close"].reindex(grid) for symbol, frame in inside.items()}, index=grid)
        there = pd.DataFrame({symbol: np.isin(grid, frame.index) for symbol, frame in inside.items()}, index=grid)
        self.rows = int(there.any(axis=1).sum())
        self.gaps = self.missing = 0
        for symbol in self.symbols:
            column = there[symbol].to_numpy()
            column = column[np.argmax(column):]
            self.missing += int((~column).sum())
            self.gaps += int((column[:-1] & ~column[1:]).sum())
        self.completeness = 100 * int(there.to_numpy().sum()) / (len(self.symbols) * expected) if self.symbols else 0

    def returns(self, count):
        """Log returns of the last `count` rows; none in the first of them."""
        part = self.close.tail(count)
        return np.log(part / part.shift())      # as defined: equal ratios tie, whatever the prices


def repair(matrix):
    """Negative eigenvalues cut at 0; the symbol with most missing cells is left out first, until none is missing."""
    kept = list(range(len(matrix)))
    while kept and np.isnan(matrix[np.ix_(kept, kept)]).any():
        holes = np.isnan(matrix[np.ix_(kept, kept)]).sum(axis=1)
        kept.pop(int(np.argmax(holes)))
    if not kept:
        return matrix, False, math.nan, 0
    part = matrix[np.ix_(kept, kept)]
    values, vectors = np.linalg.eigh(part)
    repaired = bool(values[0] < -1e-10)
    if repaired:
        part = vectors @ np.diag(np.maximum(values, 0)) @ vectors.T
        part = part / np.sqrt(np.outer(np.diag(part), np.diag(part)))
        values = np.linalg.eigvalsh(part)
        matrix = matrix.copy()
        matrix[np.ix_(kept, kept)] = part
    return matrix, repaired, values[-1] / len(kept), len(kept)


def ledoit_wolf(r):
    """Intensity and shrunk matrix by the formulas of the paper (2004, sections 3.2 and 3.3); or why there is none."""
    whole = r.dropna().to_numpy()
    if len(whole) < LEAST:
        return "too_few", None
    if (whole == whole[0]).all(axis=0).any():
        return "flat", None
    z = (whole - whole.mean(axis=0)) / whole.std(axis=0)
    n, p = z.shape
    s = z.T @ z / n
    m = np.trace(s) / p
    d2 = ((s - m * np.eye(p)) ** 2).sum() / p
    b2 = sum(((np.outer(row, row) - s) ** 2).sum() for row in z) / n ** 2 / p
    intensity = min(b2, d2) / d2
    return intensity, (1 - intensity) * s + intensity * m * np.eye(p)


def prewhiten(x):
    x = x.to_numpy()
    d = x - np.nanmean(x) if np.isfinite(x).any() else x
    phi = np.nansum(d[1:] * d[:-1]) / np.nansum(d * d)
    return pd.Series(np.concatenate([[np.nan], d[1:] - phi * d[:-1]]))


def peak(y, x):
    """Lag with the largest |correlation| of (y[t], x[t - lag]), its value and pairs; None when no lag has 20."""
    best = None
    for lag in sorted(range(-LAGS, LAGS + 1), key=lambda k: (abs(k), -k)):
        moved = x.shift(lag)
        pairs = int((y.notna() & moved.notna()).sum())
        r = y.corr(moved) if pairs >= LEAST else math.nan
        if not math.isnan(r) and (best is None or abs(r) > abs(best[1])):
            best = lag, r, pairs
    return best


def of_pairs(x, pairs):
    return "too_few" if pairs < LEAST else "flat" if math.isnan(x) else float(x)


def common(a, b):
    both = a.notna() & b.notna()
    return a[both], b[both], int(both.sum())


def pearson(a, b):
    a, b, pairs = common(a, b)
    flat = pairs == 0 or a.min() == a.max() or b.min() == b.max()
    return of_pairs(math.nan if flat or pairs < 2 else stats.pearsonr(a, b)[0], pairs), pairs


def beside(r, b, week, week_b):
    rho, pairs = pearson(r, b)
    x, y, _ = common(r, b)
    beta = math.nan if pairs < 2 or y.min() == y.max() else np.cov(x, y)[0, 1] / np.var(y, ddof=1)
    with np.errstate(all="ignore"):
        found = peak(prewhiten(r), prewhiten(b))
    if found is None:
        lag = value = rho if rho == "flat" else "too_few"
    elif abs(found[1]) <= stats.norm.ppf(1 - 0.01 / (2 * (2 * LAGS + 1))) / math.sqrt(found[2]):
        lag = value = "no_lead"
    else:
        lag, value = found[0], float(found[1])
    confidence = rho
    if not isinstance(rho, str):
        low, high = np.tanh(np.arctanh(rho) + np.array([-1, 1]) * 1.959964 / math.sqrt(pairs - 3))
        confidence = {"low": float(low), "high": float(high)}
    return {"rolling_correlation": rho, "rolling_correlation_7d": pearson(week, week_b)[0], "confidence": confidence,
            "cross_correlation_lag": lag, "cross_correlation": value,
            "volatility_correlation": pearson(r.abs(), b.abs())[0], "beta": of_pairs(beta, pairs)}


def itself(b, week_b):
    there = b.dropna()
    why = "too_few" if len(there) < LEAST else "flat" if there.min() == there.max() else None
    one = why or 1.0
    recent = why or ("too_few" if week_b.notna().sum() < LEAST else 1.0)
    return {"rolling_correlation": one, "rolling_correlation_7d": recent, "confidence": why or {"low": 1.0, "high": 1.0},
            "cross_correlation_lag": why or 0, "cross_correlation": one, "volatility_correlation": one, "beta": one}


def breadth(close):
    above = advancing = declining = count = 0
    for symbol in close:
        there = close[symbol].dropna()
        last = close[symbol].iloc[-1]
        if math.isnan(last) or len(there) < CLOSES:
            continue
        before = close[symbol].iloc[-2]
        count += 1
        recent = there.tail(CLOSES)
        above += last > recent.mean() and recent.min() < last   # flat: the mean is off by its rounding
        advancing += last > before
        declining += last < before
    if count == 0:
        return {"above_sma50_pct": "too_few", "advancing_pct": "too_few", "advance_decline": "too_few"}
    return {"above_sma50_pct": 100 * above / count, "advancing_pct": 100 * advancing / count,
            "advance_decline": int(advancing - declining)}


def cells(matrix, whole=False):
    return [[None if not math.isfinite(x) else int(x) if whole else float(x) for x in row] for row in np.asarray(matrix)]


def correlation(window, tau, p, benchmark):
    r = window.returns(bars(span_us(p["window"]), tau))
    there = r.notna().to_numpy().astype(int)
    raw = r.corr(min_periods=LEAST).to_numpy()
    matrix, repaired, share, kept = repair(raw)
    above = matrix[np.triu_indices(len(matrix), 1)]
    above = above[np.isfinite(above)]
    intensity, shrunk = ledoit_wolf(r)
    thin = isinstance(intensity, str)
    month, week = (window.returns(bars(days * DAY_US, tau)) for days in (30, 7))
    per_symbol = {}
    for symbol in window.symbols:
        if symbol == benchmark:
            per_symbol[symbol] = itself(month[symbol], week[symbol])
        else:
            per_symbol[symbol] = beside(month[symbol], month[benchmark], week[symbol], week[benchmark])
    return {
        "correlation_matrix": cells(matrix),
        "overlap": cells(there.T @ there, whole=True),
        "repaired": repaired,
        "shrinkage": intensity if thin else float(intensity),
        "spearman_matrix": cells(r.corr(method="spearman", min_periods=LEAST)) if p["spearman"] else "not_asked",
        "shrunk_matrix": "not_asked" if not p["shrunk"] else intensity if thin else cells(shrunk),
        "benchmark": benchmark,
        "per_symbol": per_symbol,
        "market": {"breadth": breadth(window.close),
                   "first_eigenvalue_share": "too_few" if kept < 2 else float(share),
                   "mean_correlation": float(above.mean()) if len(above) else "too_few"},
    }


TEXTS = {"benchmark"}
CALCULATORS = {"correlation": correlation}


def settle(path, value, reasons):
    """Texts are reasons of nulls, but where the output is one."""
    if isinstance(value, dict):
        return {key: settle(f"{path}.{key}" if path else key, part, reasons) for key, part in value.items()}
    if isinstance(value, str) and path not in TEXTS:
        reasons[path] = value
        return None
    return value


def calculate(name, market, tau, as_of=None, params=None, benchmark=None):
    """benchmark: who stands in where BTCUSDT is not in the market."""
    p = {**DEFAULTS, **(params or {})}
    limit = as_of if as_of is not None else 2 ** 62
    ends = [int(closed[-1]) + tau for closed in (f.index[f.index + tau <= limit] for f in market.values()) if len(closed)]
    if not ends:
        return {"status": "empty", "as_of": None, "data": None}
    end = max(ends)
    expected = max(bars(span_us(p["window"]), tau), bars(30 * DAY_US, tau), CLOSES)
    window = Window(market, tau, end, expected)
    out = {"as_of": end, "symbols": window.symbols, "rows": window.rows, "expected": expected, "gaps": window.gaps,
           "missing": window.missing, "completeness": window.completeness, "status": "gap" if window.gaps else "ok"}
    if window.rows < LEAST + 1 or len(window.symbols) < 2:
        return {**out, "status": "warming", "data": None, "reasons": None}
    first = [s for s in (BENCHMARK, benchmark) if s in window.symbols] + window.symbols[:1]
    reasons = {}
    data = settle("", CALCULATORS[name](window, tau, p, first[0]), reasons)
    return {**out, "data": data, "reasons": reasons}
