"""seasonality.py - what the seasonality calculator must answer, written a second time (see calculators.py).

Scipy's Welch, statsmodels' HAC errors and false discovery rates, numpy's histograms; hours and weekdays by pandas.

Readings
- A return belongs to the hour and weekday of the bar that it leads to; the window's first bar has none.
- n of the spectrum is the number of cells of the time grid behind the first bar. A return that is missing there is 0.
  More than 2 % of the bars of the grid missing (not there, or without a close): no spectrum.
- A peak is a bin higher than the one below and not lower than the one above; the last bin of an odd length is none.
"""
import math
from collections import Counter

import numpy as np
import pandas as pd
from scipy import signal, stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.multitest import multipletests


def seasonality(w, calc):
    """calc: the module calculators, whose rules about missing values hold here too."""
    Null, present, NAN = calc.Null, calc.present, calc.NAN
    stamps = pd.to_datetime(w.time, unit="us", utc=True)
    hour, weekday = stamps.hour.to_numpy(), stamps.dayofweek.to_numpy()
    r, hour_r, weekday_r = w.log_returns[1:], hour[1:], weekday[1:]

    def attempt(function, *args):
        try:
            return function(*args)
        except Null as why:
            return why

    def here(values):
        return present(values, least=min(2, len(values)))

    def mean(values):
        return math.fsum(here(values)) / len(here(values))

    def std(values):
        return float(np.std(present(values, least=2), ddof=1))

    def buckets(values, keys, count):
        return {str(k): values[keys == k] for k in range(count)}

    def each(values, keys, count, function):
        return {k: attempt(function, v) if len(v) else Null("empty") for k, v in buckets(values, keys, count).items()}

    def tested(keys, count):
        rows, p = {}, {}
        for k, values in buckets(1e4 * r, keys, count).items():
            if len(values) == 0:
                rows[k] = Null("empty")
                continue
            kept = values[np.isfinite(values)]
            rows[k] = {"mean": attempt(mean, values), "n": len(kept), "t": Null("too_few"), "q": Null("too_few")}
            if isinstance(rows[k]["mean"], Null) or len(kept) < 2:
                continue
            if kept.max() == kept.min():
                rows[k]["t"] = rows[k]["q"] = Null("flat")
                continue
            lag = math.floor(4 * (len(kept) / 100) ** (2 / 9))
            fit = OLS(kept, np.ones(len(kept))).fit(cov_type="HAC", cov_kwds={"maxlags": lag, "use_correction": False},
                                                    use_t=False)
            rows[k]["t"], p[k] = float(fit.tvalues[0]), float(fit.pvalues[0])
        if p:
            for k, q in zip(p, multipletests(list(p.values()), method="fdr_bh")[1]):
                rows[k]["q"] = float(q)
        return rows

    def hourly(function):
        def answer():
            if w.tau >= calc.period_us("1d"):
                raise Null("no_hours")
            return function()
        return answer

    def shares():
        everything = calc.total(w.volume, "volume_missing")
        if everything == 0:
            raise Null("zero_volume")
        return each(w.volume, hour, 24, lambda v: math.fsum(v) / everything)

    def seasonal_deviation():
        newest = w.close[-1]
        if not np.isfinite(newest):
            raise Null("missing")
        return 100 * (newest / mean(w.close[hour == hour[-1]]) - 1)

    def seasonal_zscore():
        if not np.isfinite(r[-1]):
            raise Null("missing")
        others = r[:-1][hour_r[:-1] == hour[-1]]
        kept = present(others, least=10)
        if kept.max() == kept.min():
            raise Null("flat")
        return float((r[-1] - np.mean(kept)) / np.std(kept, ddof=1))

    def peaks():
        """(period, power, p) of every peak, the highest density first."""
        cells = w.on_grid(w.close)
        if np.isnan(cells).sum() > 0.02 * len(cells):
            raise Null("gaps")
        x = w.on_grid(w.log_returns)[1:]
        kept = x[np.isfinite(x)]
        if kept.max() == kept.min():
            raise Null("flat")
        x = np.where(np.isfinite(x), x, 0.0)
        n, length = len(x), min(len(x), 256)
        frequency, density = signal.welch(x, fs=1.0, window="hann", nperseg=length, noverlap=length // 2,
                                          detrend="constant", scaling="density")
        segments = (n - length // 2) // (length - length // 2)
        freedom = 36 * segments ** 2 / (19 * segments - 1)
        d = x - x.mean()
        phi, variance = float(np.dot(d[1:], d[:-1]) / np.dot(d, d)), float(np.var(x, ddof=1))
        searched = [k for k in range(1, length // 2 + 1) if length / k > 2 and 4 * length <= k * n]
        found = []
        for k in searched:
            if k + 1 >= len(density) or not density[k - 1] < density[k] >= density[k + 1]:
                continue
            noise = 2 * variance * (1 - phi ** 2) / abs(1 - phi * np.exp(-2j * np.pi * frequency[k])) ** 2
            shift = 0.0
            if density[k - 1] > 0 and density[k + 1] > 0:
                a, b, c = np.polyfit([-1, 0, 1], np.log(density[k - 1:k + 2]), 2)
                shift = -b / (2 * a)
            power = density[k] / noise
            p = min(1.0, len(searched) * stats.chi2.sf(freedom * power, freedom))
            found.append((density[k], float(length / (k + shift)), float(power), float(p)))
        return [row[1:] for row in sorted(found, key=lambda row: -row[0])]

    def dominant_cycle():
        found = peaks()
        if not found or found[0][2] >= 0.01:
            raise Null("no_cycle")
        return math.floor(found[0][0] + 0.5)

    def cycles():
        rows = [dict(zip(("period", "power", "p"), row)) for row in peaks()]
        return {str(i + 1): rows[i] if i < len(rows) else Null("no_peak") for i in range(3)}

    def entropy_index():
        kept = present(r, least=2)
        if kept.max() == kept.min():
            raise Null("flat")
        z = (kept - np.mean(kept)) / np.std(kept, ddof=1)
        return float(stats.entropy(np.histogram(np.clip(z, -5, 5), bins=50, range=(-5, 5))[0]) / math.log(50))

    def entropy_nats():
        return float(stats.entropy(np.histogram(present(w.close, least=2), bins=50)[0]))

    def permutation_entropy():
        present(r, least=2)
        x = w.on_grid(w.log_returns)
        windows = [x[i:i + 4] for i in range(len(x) - 3)]
        seen = Counter(tuple(np.argsort(v, kind="stable")) for v in windows if np.isfinite(v).all())
        if not seen:
            raise Null("too_few")
        return float(stats.entropy(list(seen.values())) / math.log(24))

    return {
        "hourly_pattern": hourly(lambda: each(w.close, hour, 24, mean)),
        "daily_pattern": lambda: each(w.close, weekday, 7, mean),
        "hourly_return_bp": hourly(lambda: tested(hour_r, 24)),
        "hourly_volatility_bp": hourly(lambda: each(1e4 * r, hour_r, 24, std)),
        "hourly_volume_share": hourly(shares),
        "weekday_return_bp": lambda: tested(weekday_r, 7),
        "seasonal_deviation": seasonal_deviation,
        "seasonal_zscore": seasonal_zscore,
        "dominant_cycle": dominant_cycle,
        "cycles": cycles,
        "entropy_index": entropy_index,
        "entropy_nats": entropy_nats,
        "permutation_entropy": permutation_entropy,
    }
