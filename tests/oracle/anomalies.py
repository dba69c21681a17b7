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
import statistics

import numpy as np

import isolation_forest


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


def zscore(w, p, calc):
    x = field_of(w, p["field"])
    here = calc.present(x, least=2)
    if np.all(here == here[0]):
        raise calc.Null("flat")
    found = []
    for i, v in enumerate(x):
        if not math.isfinite(v):
            found.append(None)
            continue
        mean, sd = of_others(x, i, here)
        found.append(dict(score=abs(v - mean) / sd, expected=mean, observed=float(v)) if sd > 0 else None)
    return found


def of_others(x, i, here):
    """Mean and standard deviation of all values but number i: in exact fractions where there are few, else in long doubles."""
    if len(here) <= 400:
        others = [other for other in np.delete(x, i) if math.isfinite(other)]
        return statistics.fmean(others), statistics.stdev(others)
    others = np.delete(x, i).astype(np.longdouble)
    others = others[np.isfinite(others)]
    mean = others.mean()
    return float(mean), float(np.sqrt(((others - mean) ** 2).sum() / (len(others) - 1)))


def moving_avg(w, p, calc):
    x = field_of(w, p["field"])
    here = calc.present(x, least=2)
    if np.all(here == here[0]):
        raise calc.Null("flat")
    found = []
    for i, v in enumerate(x):
        before = x[max(i - 20, 0):i]
        before = before[np.isfinite(before)] if i >= 20 else before[:0]
        if len(before) < 10 or np.all(before == before[0]) or not math.isfinite(v):
            found.append(None)
            continue
        mean = math.fsum(before) / len(before)
        found.append(dict(score=abs(v - mean) / float(np.std(before, ddof=1)), expected=mean, observed=float(v)))
    return found


def faults(w, p, calc):
    """data_quality: { bar: { reason: hit } }, and where each becomes known."""
    r = np.where(np.isfinite(w.log_returns), w.log_returns, np.nan)
    here = calc.present(r)
    median = float(np.median(here))
    away = np.abs(here - median)
    sigma = 1.4826 * float(np.median(away)) or math.fsum(away) / len(away) / 0.7979
    out = {}
    for i in range(1, w.n):
        steps = int(w.time[i] - w.time[i - 1]) // w.tau - 1
        if steps > p["silence"]:
            out.setdefault(i, {})["stale_feed"] = dict(score=float(steps), threshold=float(p["silence"]), expected=0.0, observed=float(steps))
        if i + 1 < w.n and sigma > 0 and math.isfinite(r[i]) and math.isfinite(r[i + 1]):
            if abs(r[i]) / sigma > p["tick"] and abs(r[i] + r[i + 1]) <= (1 - p["undone"]) * abs(r[i]):
                out.setdefault(i, {})["bad_tick"] = dict(score=abs(r[i]) / sigma, threshold=float(p["tick"]),
                                                         expected=float(w.close[i - 1]), observed=float(w.close[i]))
    known = w.volume[np.isfinite(w.volume)]
    idle = [i for i in range(w.n) if w.volume[i] == 0]
    if idle and (len(idle) - 1) <= p["rare"] * (len(known) - 1):
        for i in idle:
            out.setdefault(i, {})["zero_volume"] = dict(score=1.0, threshold=None, expected=float(np.median(known)), observed=0.0)
    return out


SEVERITY = {"bad_tick": "high", "stale_feed": "medium", "zero_volume": "low"}


def data_quality(w, p, whole, calc):
    anomalies, newest, score, worst = [], w.n - 1, None, "none"
    for i, found in sorted(faults(w, p, calc).items()):
        first, *also = [reason for reason in SEVERITY if reason in found]
        seen = i + 1 if first == "bad_tick" else i
        if seen == newest:
            score, worst = found[first]["score"], SEVERITY[first]
        if not whole and seen != newest:
            continue
        hit = found[first]
        anomalies.append({"time": int(w.time[i]) // 1_000_000, "price": float(w.close[i]) if math.isfinite(w.close[i]) else None,
                          "direction": direction(hit["expected"], hit["observed"]), "severity": SEVERITY[first], "reason": first,
                          "details": {"also": " ".join(also)} if also else None, **hit})
    return anomalies, score, worst


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
    hits = [i for i in looked_at if found[i] is not None and found[i]["score"] > found[i].get("threshold", threshold)]
    anomalies = [{"time": int(w.time[i]) // 1_000_000, "price": float(w.close[i]) if math.isfinite(w.close[i]) else None,
                  "threshold": float(threshold), "direction": direction(found[i]["expected"], found[i]["observed"]),
                  "severity": severity(found[i]["score"], threshold), "reason": "statistical_outlier", **found[i]} for i in hits]
    newest = found[-1]
    return anomalies, None if newest is None else newest["score"], "none" if w.n - 1 not in hits else anomalies[-1]["severity"]


def detector(find):
    def fields(w, p, benchmark, is_benchmark, calc, whole=False):
        quiet = find is data_quality
        try:
            anomalies, score, worst = (data_quality(w, p, whole, calc) if quiet
                                       else by_scores(find(w, p, calc), w, p, whole, calc))
        except calc.Null as why:
            reason = str(why)

            def fail():
                raise calc.Null(reason)
            return {name: fail for name in ("found", "score", "severity", "anomalies")}

        def known(value, reason):
            if score is None:
                raise calc.Null(reason)
            return value
        return {"found": lambda: len(anomalies), "score": lambda: known(score, "quiet" if quiet else "missing"),
                "severity": lambda: worst if quiet else known(worst, "missing"), "anomalies": lambda: anomalies}
    return fields


def rows(p, tau, days=7, floor=200, least=30):
    """Bars of a window: so many days where they are asked for, else the usual ones."""
    asked = p["window_days"]
    return max(math.ceil((asked or days) * 86_400_000_000 / tau), least if asked else floor)


def spec(find, **params):
    return dict(fields=detector(find), rows=rows, least=lambda p, tau: 30, whole=True, params={**params, "window_days": 0})


DETECTORS = {
    "zscore": spec(zscore, threshold=3, field="log_return"),
    "isolation_forest": dict(fields=detector(isolation_forest.find), rows=isolation_forest.rows, least=isolation_forest.least,
                             whole=True, params=isolation_forest.DEFAULTS),
    "mad": spec(mad, threshold=3.5, field="log_return"),
    "moving_avg": spec(moving_avg, threshold=2, field="log_return"),
    "data_quality": spec(data_quality, tick=10, undone=0.8, silence=3, rare=0.05),
}
