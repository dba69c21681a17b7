"""anomalies.py - what the detectors of scripts/anomalies must find, written a second time (see calculators.py).

Each gives for every bar of the window a score, what was expected and what was observed, and decides which bars are hits;
`outputs` makes of that what all detectors say. whole: all hits of the window; else those that became known at the newest bar.

Readings
- The field is missing where it has no number: the first bar's return, ln of no volume.
- mad: where the MAD is 0 the mean absolute deviation from the median stands in.
- moving_avg: the 20 bars before are the 20 before it that are there, all of them in the window; 10 must have a value.
- data_quality: a bad tick is known one bar later; a tick is undone when at most a fifth of it is left; a bar without volume
  counts where few of the others are without; of several faults of one bar the worst is told and the others beside it.
"""
import math

import numpy as np


def field_of(w, name):
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {"log_return": w.log_returns, "close": w.close, "log_volume": np.log(w.volume), "range": (w.high - w.low) / w.low}[name]
    return np.where(np.isfinite(values), values, np.nan)


def mad(w, p, calc):
    x = field_of(w, p["field"])
    here = calc.present(x)
    median = float(np.median(here))
    away = np.abs(here - median)
    scale = float(np.median(away)) / 0.6745 or math.fsum(away) / len(away) / 0.7979
    if scale == 0:
        raise calc.Null("flat")
    return [dict(score=abs(v - median) / scale, expected=median, observed=float(v)) if math.isfinite(v) else None for v in x]


# ---------------------------------------------------------------------------------------------------------------
# what all of them say

def severity(score, threshold):
    return next((word for share, word in ((5 / 3, "critical"), (4 / 3, "high"), (1.1, "medium")) if score > share * threshold), "low")


def direction(expected, observed):
    if expected is None or observed is None or expected == observed:
        return "none"
    return "up" if observed > expected else "down"


def by_scores(found, w, p, whole, calc):
    """found: of each bar { score, expected, observed }, or None where it has no score."""
    threshold = p["threshold"]
    looked_at = range(w.n) if whole else [w.n - 1]
    if all(found[i] is None for i in looked_at):
        raise calc.Null("missing")
    hits = [i for i in looked_at if found[i] is not None and found[i]["score"] > threshold]
    anomalies = [{"time": int(w.time[i]) // 1_000_000, "price": float(w.close[i]) if math.isfinite(w.close[i]) else None,
                  "threshold": float(threshold), "direction": direction(found[i]["expected"], found[i]["observed"]),
                  "severity": severity(found[i]["score"], threshold), "reason": "statistical_outlier", **found[i]} for i in hits]
    newest = found[-1]
    return anomalies, None if newest is None else newest["score"], "none" if w.n - 1 not in hits else anomalies[-1]["severity"]


def detector(find):
    def fields(w, p, benchmark, is_benchmark, calc, whole=False):
        try:
            anomalies, score, worst = by_scores(find(w, p, calc), w, p, whole, calc)
        except calc.Null as why:
            reason = str(why)

            def fail():
                raise calc.Null(reason)
            return {name: fail for name in ("found", "score", "severity", "anomalies")}

        def known(value):
            if score is None:
                raise calc.Null("missing")
            return value
        return {"found": lambda: len(anomalies), "score": lambda: known(score), "severity": lambda: known(worst),
                "anomalies": lambda: anomalies}
    return fields


def rows(p, tau, days=7, floor=200, least=30):
    """Bars of a window: so many days where they are asked for, else the usual ones."""
    asked = p["window_days"]
    return max(math.ceil((asked or days) * 86_400_000_000 / tau), least if asked else floor)


def spec(find, **params):
    return dict(fields=detector(find), rows=rows, least=lambda p: 30, whole=True, params={**params, "window_days": 0})


DETECTORS = {
    "mad": spec(mad, threshold=3.5, field="log_return"),
}
