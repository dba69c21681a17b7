"""regime.py - what the regime must answer, written a second time: levels, label and confidence from the oracle's own
volatility, volume and trend of the same window.

The label is found without a table of rules, from the combination of levels alone; the confidence by walking all
boundaries of all inputs, each crossed in a copy of the inputs.
"""
import math

import numpy as np
import pandas as pd

SCALE_OF_PERCENTILE = 0.2887
DEFAULTS = {"mode": "adaptive", "high_percentile": 0.7, "low_percentile": 0.3, "high_floor": 0.2, "low_ceiling": 1.5,
            "high_volume": 1.5, "low_volume": 0.7, "trend_t": 2.0}
MEANINGS = {("high", "high", "bullish"): "bullish_acceleration", ("high", "high", "bearish"): "bearish_acceleration",
            ("high", "high", "neutral"): "breakout_phase"}
PAIRS = {("high", "low"): "turbulent_illiquidity", ("low", "high"): "stable_accumulation", ("low", "low"): "consolidation",
         ("medium", "medium"): "balanced_market"}


def label_of(volatility, volume, direction):
    if None in (volatility, volume, direction):
        return "unknown"
    return MEANINGS.get((volatility, volume, direction)) or PAIRS.get((volatility, volume)) or "transitional"


def levels_of(x, p):
    """Volatility, volume and direction; None where a number is missing.  x: percentile, annualized, spike, t, roc."""
    def among(value, low, high, words):
        return None if value is None else words[0] if value < low else words[2] if value > high else words[1]

    steps, ways = ("low", "medium", "high"), ("bearish", "neutral", "bullish")
    if p["mode"] == "legacy":
        return (among(x["annualized"], 0.2, 0.5, steps), among(x["spike"], 0.7, 1.5, steps),
                among(x["roc"], -2, 2, ways))
    volatility = None
    if x["percentile"] is not None and x["annualized"] is not None:
        volatility = ("high" if x["percentile"] >= p["high_percentile"] and x["annualized"] > p["high_floor"] else
                      "low" if x["percentile"] <= p["low_percentile"] and x["annualized"] < p["low_ceiling"] else "medium")
    return (volatility, among(x["spike"], p["low_volume"], p["high_volume"], steps),
            among(x["t"], -p["trend_t"], p["trend_t"], ways))


def robust(values):
    """1.4826 MAD of what is finite; None below half of all."""
    values = np.asarray(values, dtype=float)
    kept = values[np.isfinite(values)]
    if len(kept) < max(2, math.ceil(len(values) / 2)):
        return None
    return 1.4826 * float(np.median(np.abs(kept - np.median(kept))))


def histories(w):
    """The window's own rolling deviations, spike ratios and rates of change."""
    rolled = pd.Series(w.simple_returns[1:]).rolling(20, min_periods=10).std().to_numpy()[19:]
    rolled = np.where(rolled < 1e-15, 0.0, rolled)       # rounding of a flat stretch
    before = max(24, math.ceil(86_400_000_000 / w.tau)) - 1
    middle = pd.Series(w.volume).rolling(before, min_periods=math.ceil(before / 2)).median().shift(1).to_numpy()
    middle[:before] = np.nan
    moves = 100 * (pd.Series(w.close) / pd.Series(w.close).shift(10) - 1).to_numpy()
    return rolled, w.volume / middle, moves


def boundaries(w, p):
    """(input, boundary, distance function)"""
    rolled, spikes, moves = histories(w)

    def by_log(scale, at):
        return lambda v: divided(abs((math.log(v) if v > 0 else -math.inf) - math.log(at)), scale)

    def plain(scale, at):
        return lambda v: divided(abs(v - at), scale)

    def divided(away, scale):
        if away == 0:
            return 0.0
        return None if scale is None else away / scale if scale > 0 else math.inf

    wide, burst = robust(np.log(rolled)), robust(np.log(spikes))
    if p["mode"] == "legacy":
        return ([("annualized", at, by_log(wide, at)) for at in (0.2, 0.5)] +
                [("spike", at, by_log(burst, at)) for at in (0.7, 1.5)] +
                [("roc", at, plain(robust(moves), at)) for at in (-2.0, 2.0)])
    return ([("percentile", at, plain(SCALE_OF_PERCENTILE, at)) for at in (p["low_percentile"], p["high_percentile"])] +
            [("annualized", at, by_log(wide, at)) for at in (p["high_floor"], p["low_ceiling"])] +
            [("spike", at, by_log(burst, at)) for at in (p["low_volume"], p["high_volume"])] +
            [("t", at, plain(1.0, at)) for at in (-p["trend_t"], p["trend_t"])])


def regime(w, p, oracle):
    """Fields of the answer; w: the window of 90 days, which holds those of the three metrics."""
    metrics = {name: oracle.calculate(name, w.bars, w.tau, w.as_of) for name in ("volatility", "volume", "trend")}
    data = {name: answer["data"] or {} for name, answer in metrics.items()}
    volatility, trend = data["volatility"], data["trend"]
    sd, slope = volatility.get("rolling_stddev"), trend.get("slope")
    known = int(np.isfinite(histories(w)[0]).sum())
    x = {"percentile": volatility.get("percentile") if known >= 100 else None,
         "annualized": None if sd is None else sd * math.sqrt(oracle.YEAR_US / w.tau),
         "spike": data["volume"].get("volume_spike_ratio"), "roc": trend.get("rate_of_change"),
         "t": trend.get("slope_t")}
    if x["t"] is None and slope is not None:
        x["t"] = 0.0 if slope == 0 else math.copysign(math.inf, slope)
    if p["mode"] == "legacy":
        x["annualized"] = volatility.get("annualized")
    words = levels_of(x, p)
    label = label_of(*words)
    few = volatility.get("percentile") is not None and known < 100
    why = {"percentile": "too_few" if few else "no_volatility", "annualized": "no_volatility", "spike": "no_volume",
           "t": "no_trend", "roc": "no_trend"}

    def level(position, *inputs):
        for name in inputs:
            if x[name] is None:
                raise oracle.Null(why[name])
        return words[position]

    def number(name):
        if x[name] is None:
            raise oracle.Null(why[name])
        return x[name]

    def slope_t():
        if trend.get("slope_t") is None:
            raise oracle.Null("no_trend" if slope is None else "straight")
        return trend["slope_t"]

    def confidence():
        if label == "unknown":
            raise oracle.Null("unknown")
        nearest = math.inf
        for name, at, distance in boundaries(w, p):
            step = 1e-9 * max(abs(at), 1e-3)
            sides = [at + step] if x[name] < at else [at - step] if x[name] > at else [at - step, at + step]
            if any(label_of(*levels_of({**x, name: side}, p)) != label for side in sides):
                away = distance(x[name])
                if away is None:
                    raise oracle.Null("too_few")
                nearest = min(nearest, away)
        return 1 - 0.5 * math.exp(-nearest)

    legacy = p["mode"] == "legacy"
    return {
        "regime": lambda: label,
        "volatility_level": lambda: level(0, *(["annualized"] if legacy else ["percentile", "annualized"])),
        "volume_level": lambda: level(1, "spike"),
        "trend_direction": lambda: level(2, "roc" if legacy else "t"),
        "confidence": confidence,
        "volatility_percentile": lambda: number("percentile"),
        "annualized": lambda: number("annualized"),
        "volume_spike_ratio": lambda: number("spike"),
        "slope_t": slope_t,
        "rate_of_change": lambda: number("roc"),
    }
