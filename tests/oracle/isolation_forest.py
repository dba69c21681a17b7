"""isolation_forest.py - what the isolation_forest detector must answer, written a second time (see calculators.py).

The forest is that of forest.py; features by numpy and pandas.

Readings
- The bars that are looked at open in [as_of - window_days, as_of); those before, in the 30 days (or the 250 bars' time, where
  that is longer) before them, are fitted on. Moving statistics begin with the first bar of those 30 days.
- A bar counts where all its features are finite; fewer than 200 to fit on: no answer.
- The volume of an hour of the week: mean of ln V of the fitted bars that open in it; an hour without one is missing.
- A feature's distance is (x - median) / (1.4826 MAD) of the fitted bars; MAD 0: mean absolute deviation / 0.7979; both 0: none.
"""
import math

import numpy as np
import pandas as pd

from forest import Forest

DAY_US = 86_400_000_000
LEAST, AVERAGE, FIT_BARS = 200, 20, 250
DEFAULTS = {"window_days": 0, "contamination": "auto", "threshold": 0, "features": "standard"}


def days_us(p):
    return (p["window_days"] or 7) * DAY_US


def looked_at(p, tau):
    return math.ceil(days_us(p) / tau)


def fitted_on(tau):
    return max(math.ceil(30 * DAY_US / tau), FIT_BARS)


def rows(p, tau):
    return max(math.ceil(37 * DAY_US / tau), looked_at(p, tau) + fitted_on(tau))


def least(p, tau):
    return looked_at(p, tau) + LEAST + AVERAGE - 1


def rolled(values, function):
    return pd.Series(values).rolling(AVERAGE, min_periods=AVERAGE // 2).apply(function, raw=True).where(
        np.arange(len(values)) >= AVERAGE - 1).to_numpy()


def mean_there(values):
    return np.mean(values[np.isfinite(values)])


def std_there(values):
    return np.std(values[np.isfinite(values)], ddof=1)


def volume_of_hour(time, log_volume, fitted):
    stamps = pd.to_datetime(time, unit="us", utc=True)
    hour = stamps.dayofweek.to_numpy() * 24 + stamps.hour.to_numpy()
    return log_volume - pd.Series(log_volume[:fitted]).groupby(hour[:fitted]).mean().reindex(hour).to_numpy()


def features_of(words, time, high, low, close, volume, adjacent, fitted):
    before = np.where(adjacent, np.roll(close, 1), np.nan)
    if words == "legacy":
        return {"close": close, "volume": volume, "close_deviation": rolled(close, std_there), "price_change": close / before - 1,
                "volume_change": volume / np.concatenate([[np.nan], volume[:-1]]) - 1, "high_low_ratio": (high - low) / low}
    log_volume = np.log(np.where(volume > 0, volume, np.nan))
    r = np.log(close / before)
    return {"close_to_sma": close / rolled(close, mean_there) - 1, "volume_of_hour": volume_of_hour(time, log_volume, fitted),
            "volatility": rolled(r, std_there), "log_return": r, "log_volume_change": np.diff(log_volume, prepend=np.nan),
            "high_low_ratio": (high - low) / low}


def scale_of(values):
    values = values[np.isfinite(values)]
    median = np.median(values)
    distance = np.abs(values - median)
    return median, 1.4826 * np.median(distance) or np.mean(distance) / 0.7979


def named(values):
    return {name: float(value) for name, value in values.items() if value is not None}


def find(w, p, calc):
    """Of each bar of the window what is said of it were it a hit, or None where it has no score or was fitted on."""
    begin = w.as_of - days_us(p)
    keep = w.time >= begin - fitted_on(w.tau) * w.tau
    time, high, low, close, volume = (x[keep] for x in (w.time, w.high, w.low, w.close, w.volume))
    adjacent = np.concatenate([[False], np.diff(time) == w.tau])
    fitted = int((time < begin).sum())
    features = features_of(p["features"], time, high, low, close, volume, adjacent, fitted)
    x = np.column_stack(list(features.values()))
    forest = Forest(x[:fitted], 100, 256, 42)
    if forest.used < LEAST:
        raise calc.Null("too_few")
    scores = forest.scores(x)
    if not np.isfinite(scores[fitted:]).any():
        raise calc.Null("missing")
    past = scores[:fitted][np.isfinite(scores[:fitted])]
    if p["threshold"] > 0:
        threshold = float(p["threshold"])
    else:
        threshold = 0.65 if p["contamination"] == "auto" else float(np.quantile(past, 1 - float(p["contamination"])))
    cuts = [float(np.quantile(past, q)) for q in (0.99, 0.995, 0.999)]
    scales = {name: scale_of(values[:fitted]) for name, values in features.items()}

    def said(i):
        if not np.isfinite(scores[i]):
            return None
        away = {name: (values[i] - scales[name][0]) / scales[name][1] if scales[name][1] > 0 else None
                for name, values in features.items()}
        far = max((name for name in away if away[name] is not None), key=lambda name: abs(away[name]), default=None)
        expected, observed = (float(scales[far][0]), float(features[far][i])) if far else (None, None)
        return {"score": float(scores[i]), "threshold": threshold, "expected": expected, "observed": observed,
                "direction": "none" if far is None or away[far] == 0 else "up" if away[far] > 0 else "down",
                "severity": ("low", "medium", "high", "critical")[sum(scores[i] > cut for cut in cuts)], "reason": "ml_outlier",
                "details": {"volume": float(volume[i]), "features": named({name: values[i] for name, values in features.items()}),
                            "contributions": named(away)}}

    return [None] * (w.n - (len(time) - fitted)) + [said(i) for i in range(fitted, len(time))]
