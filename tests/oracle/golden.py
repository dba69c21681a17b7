#!/usr/bin/python3
"""golden.py - makes and checks the golden numbers of the calculators.

    golden.py            writes tests/golden/series/*.json (inputs), tests/golden/calculators/*.json,
                         tests/golden/examples/*.json and tests/golden/anomalies/*.json (answers)
    golden.py --check    computes the answers again from the stored inputs and compares; writes nothing

Before either, the oracle itself is held against the closed-form values that were worked out by hand, and against
pandas and statsmodels where they have the same statistic for complete series.
Exit 0: done, or all equal; 1: not; 77: skipped, with the reason.
"""
import argparse
import json
import math
import os
import random
import sys

try:
    import numpy as np
    import pandas as pd
    from statsmodels.stats.diagnostic import acorr_ljungbox

    import calculators as oracle
    from anomalies import DETECTORS
    from examples import EXAMPLES
except ImportError as why:
    print(f"skipped: {why}")
    sys.exit(77)

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden")
START_US = 1_704_067_200_000_000            # 2024-01-01T00:00:00Z, a Monday
HOUR, DAY, MINUTE = oracle.period_us("1h"), oracle.period_us("1d"), oracle.period_us("1m")

# Last bar of the closed-form series: (calculator, field, parameters, value); nine digits or more.
CLOSED_FORM = [
    ("volatility", "rolling_stddev", {}, 0.002666702165),
    ("volatility", "annualized", {"annualization": "legacy252"}, 0.0423325845),
    ("volatility", "annualized", {}, 0.2495896469),
    ("volatility", "parkinson", {}, 0.00614486869),
    ("volatility", "garman_klass", {}, 0.00693341602),
    ("volatility", "vov", {}, 0.000652974209),
    ("volume", "total_volume", {}, 3060),
    ("volume", "volume_sma", {}, 128.5),
    ("volume", "volume_ema", {}, 125.4476462),
    ("volume", "volume_delta", {}, 104.7823915),
    ("trend", "sma", {}, 105.5993568),
    ("trend", "ema", {}, 104.5100111),
    ("trend", "wma", {}, 104.5189545),
    ("trend", "rate_of_change", {}, -2.815842756),
    ("trend", "directional_strength", {}, 30),
    ("trend", "rsi_cutler", {}, 2.897716422),
    ("trend", "rsi", {}, 31.25223471),
    ("deviation", "standard_deviation", {}, 2.079952158),
    ("deviation", "variance", {}, 4.326200981),
    ("deviation", "bollinger_upper", {}, 109.7592611),
    ("deviation", "bollinger_lower", {}, 101.4394525),
    ("deviation", "z_score", {}, -1.233082289),
    ("deviation", "price_range_index", {}, 0.02788532644),
    ("deviation", "coefficient_of_variation", {}, 0.01969663661),
    ("deviation", "price_autocorrelation", {}, 0.9863956388),
    ("deviation", "autocorrelation", {}, 0.9796588185),
]


# ---------------------------------------------------------------------------------------------------------------
# inputs

def frame(times, rows):
    return pd.DataFrame(rows, index=pd.Index(times, name="open_time"), columns=oracle.COLUMNS, dtype=float)


def closed_form():
    """C = 100 + 0.05 i + 3 sin(i / 5), O the close before, wicks and volume by small moduli."""
    rows, before = [], None
    for i in range(120):
        c = 100 + 0.05 * i + 3 * math.sin(i / 5)
        o = c - 0.1 if before is None else before
        v = 100 + 10 * ((13 * i) % 7)
        rows.append([o, max(o, c) + 0.2 + 0.1 * ((7 * i) % 5), min(o, c) - 0.2 - 0.1 * ((3 * i) % 4), c, v,
                     math.nan, math.nan, v * (0.5 + 0.1 * math.sin(i / 3))])
        before = c
    return frame([START_US + i * HOUR for i in range(120)], rows)


def walk(seed, n, tau, price=100.0, sigma=0.01, drift=0.0, pull=0.0, digits=2):
    """A random walk with volume that follows the size of the move; pull > 0 draws it back to where it began."""
    rng, rows, level = random.Random(seed), [], 0.0
    before = price
    for _ in range(n):
        level += drift - pull * level + sigma * rng.gauss(0, 1)
        close = round(price * math.exp(level), digits)
        spread = price * sigma * 0.6
        high = round(max(before, close) + spread * rng.random(), digits)
        low = round(min(before, close) - spread * rng.random(), digits)
        v = round(50 * math.exp(0.5 * rng.gauss(0, 1)) * (1 + 40 * abs(close / before - 1)), 3)
        rows.append([before, high, low, close, v, round(v * (high + low + close) / 3, 2), float(rng.randint(20, 900)),
                     round(v * rng.uniform(0.2, 0.8), 3)])
        before = close
    return frame([START_US + i * tau for i in range(n)], rows)


def tied(seed, n):
    """A symbol that does 0.8 of what its benchmark does, and a spread between them that is pulled back; with a few holes."""
    bench, rng, spread, rows = walk(seed, n, HOUR, price=40000.0, sigma=0.008, digits=1), random.Random(seed + 1), 0.0, []
    before = None
    for close in bench["close"]:
        spread += -0.1 * spread + 0.004 * rng.gauss(0, 1)
        price = round(25 * math.exp(0.8 * math.log(close / 40000) + spread), 3)
        before = before or price
        v = float(rng.randint(50, 150))
        rows.append([before, max(before, price), min(before, price), price, v, v * price, 100.0, v / 2])
        before = price
    return punch(frame(bench.index, rows), [(300, 2), (420, 5)]), punch(bench, [(200, 1), (421, 2)])


def wave(seed, n, period, height):
    """Returns of noise (sigma 0.01) and a sine; volume that is higher in some hours."""
    rng, rows, level, before = random.Random(seed), [], 0.0, 100.0
    for i in range(n):
        level += 0.01 * rng.gauss(0, 1) + height * math.sin(2 * math.pi * i / period) - 0.001 * level
        close = round(100 * math.exp(level), 2)
        v = float(rng.randint(50, 150) + 10 * (i % 24))
        rows.append([before, max(before, close), min(before, close), close, v, None, None, None])
        before = close
    return frame([START_US + i * HOUR for i in range(n)], rows)


def faulty():
    """A walk with faults that are known by their places (hours): see its lines."""
    bars = walk(13, 220, HOUR)
    close = bars.columns.get_loc("close")
    for at, factor in ((100, 1.4), (130, 0.7), (160, 1.5), (217, 1.3)):      # taken back by the next bar
        bars.iloc[at, close] *= factor
    bars.iloc[180:, [bars.columns.get_loc(c) for c in ("open", "high", "low", "close")]] *= 1.4   # a jump that stays
    bars.iloc[200, close] *= 1.5                                                                  # taken back in two bars
    bars.iloc[201, close] *= 1.25
    bars = set_volume(bars, [120, 151], 0.0)
    return punch(bars, [(110, 3), (141, 10), (210, 1)])     # the last: too short to be a silence


def constant(n, price, v):
    return frame([START_US + i * HOUR for i in range(n)], [[price] * 4 + [v, price * v, 7.0, v / 4]] * n)


def doubling():
    """Every bar twice the one before: returns that never vary and a logarithm that is exactly straight."""
    rows = [[2.0 ** max(i - 1, 0), 2.0 ** i * 1.5, 2.0 ** max(i - 1, 0) / 2, 2.0 ** i, 8.0, 4.0, 2.0, 4.0]
            for i in range(130)]
    return frame([START_US + i * HOUR for i in range(130)], rows)


def punch(bars, holes):
    return bars.drop(bars.index[sorted(i for first, count in holes for i in range(first, first + count))])


def blank(bars, cells):
    bars = bars.copy()
    for column, positions in cells.items():
        bars.iloc[positions, bars.columns.get_loc(column)] = math.nan
    return bars


def set_volume(bars, positions, value):
    bars = bars.copy()
    for column in ("volume", "quote_volume", "trades", "taker_buy_volume"):
        bars.iloc[positions, bars.columns.get_loc(column)] = value
    return bars


def series():
    """name -> (about, tau, bars, benchmark bars or None)."""
    base, bench = walk(1, 400, HOUR), walk(2, 400, HOUR, price=30000.0, sigma=0.006, digits=1)
    holes = [(0, 2), (150, 1), (260, 3), (300, 30), (385, 2), (395, 1)]
    return {
        "closed_form": ("sines with known answers", HOUR, closed_form(), None),
        "walk": ("random walk, complete, with benchmark", HOUR, base, bench),
        "gaps": ("the walk with holes of 1 to 30 bars, other holes in the benchmark", HOUR, punch(base, holes),
                 punch(bench, [(40, 5), (261, 1), (397, 2)])),
        "sparse": ("half of the bars gone, so that few returns are left", HOUR,
                   punch(base, [(i, 1) for i in range(100, 380, 2)]), bench),
        "missing": ("single values missing inside, the last bar whole", HOUR,
                    blank(base, {"close": [50, 120, 389, 392], "open": [386], "high": [391], "low": [391, 60],
                                 "volume": [384], "quote_volume": [383], "trades": [399], "taker_buy_volume": [380]}),
                    blank(bench, {"close": [300, 301, 395]})),
        "no_taker": ("taker volume, quote volume and trades missing on one bar each", HOUR,
                     blank(base, {"taker_buy_volume": [390], "quote_volume": [395], "trades": [378]}), None),
        "blind": ("the last close is missing, and most of the recent ones", HOUR,
                  blank(base, {"close": list(range(383, 396)) + [399], "volume": [399]}), bench),
        "flat": ("one price, one volume", HOUR, constant(150, 0.1, 5.0), None),
        "silent": ("one price, no volume", HOUR, constant(150, 0.1, 0.0), None),
        "quiet_last": ("no volume in the last bar and in a third of the others", HOUR,
                       set_volume(base, list(range(0, 400, 3)), 0.0), None),
        "mostly_quiet": ("no volume in two bars of three, the last has some", HOUR,
                         set_volume(base, [i for i in range(400) if i % 3 != 0], 0.0), None),
        "doubling": ("twice the price, every bar", HOUR, doubling(), None),
        "trending": ("strong drift up, daily", DAY, walk(3, 200, DAY, sigma=0.02, drift=0.01), walk(4, 200, DAY)),
        "reverting": ("pulled back to its start, daily", DAY, walk(5, 160, DAY, sigma=0.03, pull=0.2), None),
        "cycle": ("one quarter of a year with a wave of 24 bars, and a few bars missing towards the end", HOUR,
                  punch(wave(8, 2300, 24, 0.006), [(2200, 1), (2240, 4)]), None),
        "tied": ("drawn to its benchmark: 0.8 of its moves and a spread that comes back", HOUR, *tied(9, 500)),
        "perpetual": ("daily bars, funding every 8 hours and later every 4, marks around some midnights", DAY,
                      walk(11, 60, DAY, price=50000.0, sigma=0.02), None),
        "faults": ("what goes wrong with data: ticks that are taken back, silences, bars without volume", HOUR, faulty(), None),
        "minutes": ("one minute bars of a coin worth cents", MINUTE,
                    walk(6, 300, MINUTE, price=0.0534, sigma=0.0008, digits=5), None),
    }


def others(name):
    """Rows that are no bars: what "perpetual" has of them.  kind -> columns; times in us."""
    if name != "perpetual":
        return {}
    rng, at, rate = random.Random(12), START_US + 4 * DAY - 8 * HOUR, 0.0001
    funding = {"time": [], "rate": [], "mark_price": []}
    while at < START_US + 60 * DAY:
        rate = 0.8 * rate + 0.2 * 0.0001 + 0.00008 * rng.gauss(0, 1)
        funding["time"].append(at + 1000 * rng.randint(0, 14))
        funding["rate"].append(round(rate, 8))
        funding["mark_price"].append(round(50000 * (1 + 0.02 * rng.gauss(0, 1)), 2) if rng.random() < 0.8 else None)
        at += 8 * HOUR if at < START_US + 45 * DAY else 4 * HOUR
    marks = {"time": [], "mark_price": [], "index_price": []}
    for day in (10, 20, 50, 60):
        for minute in range(90, 0, -1):
            index = 50000 * (1 + 0.001 * rng.gauss(0, 1))
            marks["time"].append(START_US + day * DAY - minute * MINUTE + 1000 * rng.randint(0, 999))
            marks["mark_price"].append(round(index * (1 + 0.0004 * rng.gauss(0.5, 1)), 8))
            # on day 20 most have no index, on day 50 the last one has none
            bare = day == 20 and minute % 3 != 0 or day == 50 and minute == 1
            marks["index_price"].append(None if bare else round(index, 8))
    return {"funding": funding, "marks": marks}


EXAMPLE_CUTS = {"supertrend": (11, 12, 13, 30), "anchored_vwap": (1, 24, 25, 167, 168, 169), "ichimoku": (51, 52, 53, 76, 77, 78),
                "keltner": (19, 20, 21, 25), "volume_profile": (9, 10, 11, 200), "vpin": (1, 24, 25, 26, 60),
                "har_rv": (1, 24, 25, 49), "pairs_spread": (49, 50, 51, 200), "breakout_alert": (20, 21, 22, 26), "funding_basis": (1, 2)}


def example_cases(name, inputs):
    """The same for the scripts of scripts/examples."""
    out = [(key, None, {}) for key in inputs if key not in ("cycle", "faults") or key == "cycle" and name == "har_rv"]
    out += [("walk", START_US + n * HOUR, {}) for n in EXAMPLE_CUTS[name]]
    out += [("gaps", START_US + n * HOUR, {}) for n in (151, 199, 331, 394)]
    more = {
        "supertrend": [("walk", START_US + n * HOUR, {"length": 7, "multiplier": 1.5}) for n in range(60, 400, 17)]
        + [("missing", None, {"length": 1}), ("gaps", None, {"length": 30})],
        "anchored_vwap": [("walk", START_US + n * HOUR, {"anchor": "week", "width": 1}) for n in range(10, 400, 23)]
        + [(key, None, {"anchor": "month"}) for key in ("walk", "gaps", "trending", "minutes", "quiet_last")]
        # every month of a leap year, on its first and on its last days
        + [("trending", START_US + n * DAY, {"anchor": "month"}) for n in (31, 32, 59, 60, 61, 90, 91, 121, 152, 183)],
        "ichimoku": [("walk", START_US + n * HOUR, {}) for n in range(90, 390, 25)]
        + [("walk", None, {"conversion": 7, "base": 22, "span": 44, "displacement": 1}),
           ("gaps", None, {"displacement": 52}), ("walk", None, {"conversion": 30, "base": 60, "span": 20})],
        "keltner": [("walk", START_US + n * HOUR, {"multiplier": 1.5}) for n in range(60, 390, 25)]
        + [("walk", START_US + n * HOUR, {}) for n in range(60, 390, 25)]
        + [("missing", None, {"length": 40, "range": 20}), ("gaps", None, {"range": 1})],
        "volume_profile": [("walk", None, {"rows": 4}), ("gaps", None, {"rows": 100, "share": 50}),
                           ("walk", None, {"share": 100}), ("trending", None, {"rows": 10, "share": 1})]
        + [("walk", START_US + n * HOUR, {"rows": 30}) for n in range(60, 390, 47)],
        "vpin": [("walk", None, {"per_day": 10, "buckets": 20}), ("gaps", None, {"per_day": 5, "buckets": 30}),
                 ("walk", None, {"per_day": 200, "buckets": 100}), ("minutes", None, {"per_day": 200, "buckets": 20}),
                 ("walk", None, {"per_day": 1, "buckets": 6}), ("walk", None, {"per_day": 1, "buckets": 7})],
        "har_rv": [("cycle", START_US + n * HOUR, {}) for n in (1000, 1440, 1464, 1500, 1800, 2160, 2200, 2230, 2260)]
        + [("cycle", None, {"week": 5, "month": 22}), ("cycle", START_US + 2163 * HOUR, {"week": 2, "month": 3})],
        "pairs_spread": [("tied", START_US + n * HOUR, {"entry": 1}) for n in range(100, 500, 33)]
        + [("tied", START_US + n * HOUR, {}) for n in (302, 421, 424)],
        "funding_basis": [("perpetual", START_US + n * DAY, {}) for n in (1, 2, 3, 4, 5, 10, 20, 40, 46, 47, 50, 59)],
        "breakout_alert": [("walk", START_US + n * HOUR, {}) for n in range(40, 400, 5)]
        + [("walk", START_US + n * HOUR, {"length": 5, "volume": 1}) for n in range(41, 400, 11)]
        + [("reverting", START_US + n * DAY, {"volume": 0.5}) for n in range(40, 160, 7)]
        + [("no_taker", None, {"length": 2, "volume": 0}), ("silent", None, {"volume": 0})],
    }
    return out + more[name]


def forest_cases():
    """The forest is slow to grow here, and needs much of the past: a few of each kind."""
    out = [(key, None, {}) for key in ("walk", "cycle", "missing", "quiet_last", "gaps", "trending", "minutes")]
    out += [("walk", START_US + n * HOUR, {}) for n in (386, 387)]
    out += [("walk", START_US + n * HOUR, {"window_days": 1}) for n in (242, 243)]
    out += [("gaps", START_US + n * HOUR, {"window_days": 1, "threshold": 0.5}) for n in (331, 394)]
    out += [("walk", None, {"window_days": 5, "contamination": share}) for share in ("0.05", "0.2")]
    out += [(key, None, {"features": "legacy", "window_days": 3, "threshold": 0.55}) for key in ("walk", "missing", "reverting")]
    return out + [("cycle", None, {"window_days": 20, "contamination": "0.01"}), ("flat", None, {})]


def detector_cases(name, inputs):
    """Of detectors, twice over: the newest bar, and all of the window."""
    if name == "isolation_forest":
        return forest_cases()
    out = [(key, None, {}) for key in inputs if key not in ("cycle", "tied", "perpetual")]
    out += [("walk", START_US + n * HOUR, {}) for n in (29, 30, 31, 199, 200, 201, 331)]
    out += [("gaps", START_US + n * HOUR, {}) for n in (151, 155, 261, 331, 394)]
    out += [("walk", None, {"window_days": 1}), ("walk", None, {"window_days": 3}), ("gaps", None, {"window_days": 16}),
            ("trending", None, {"window_days": 90}), ("minutes", None, {"window_days": 1})]
    fields = [{"field": field} for field in ("close", "log_volume", "range")]
    if name == "data_quality":
        # each bar around the faults, so that each is told when it becomes known, and once
        out += [("faults", START_US + n * HOUR, {}) for n in (101, 102, 103, 121, 131, 132, 141, 150, 151, 152, 161, 162, 163, 211, 212)]
        return out + [("faults", None, params) for params in ({"tick": 5}, {"tick": 100}, {"undone": 0}, {"undone": 1}, {"silence": 0},
                                                              {"silence": 9}, {"rare": 0}, {"rare": 1})] + [("silent", None, {"rare": 1})]
    out += [(key, None, params) for key in ("walk", "gaps", "missing", "flat", "quiet_last", "trending") for params in fields]
    out += [("walk", START_US + n * HOUR, {"threshold": 2}) for n in range(210, 400, 13)]
    return out + [("cycle", None, {"threshold": 2.5, "window_days": 60}), ("reverting", None, {"threshold": 0.1}),
                  ("faults", None, {}), ("faults", None, {"field": "close"})]


def cases(name, inputs):
    """What each calculator is asked: (series, as_of or None, parameters)."""
    if name in EXAMPLES:
        return example_cases(name, inputs)
    if name in DETECTORS:
        return detector_cases(name, inputs)
    # "cycle" is a large one, "tied" and "perpetual" are for examples, "faults" for detectors
    out = [(key, None, {}) for key in inputs
           if key not in ("cycle", "tied", "perpetual", "faults") or key == "cycle" and name in ("seasonality", "regime")]
    cut = {"volatility": (20, 21, 22, 39, 40, 41), "volume": (4, 5, 6, 23, 24), "trend": (49, 50, 51, 75),
           "deviation": (20, 21, 30, 100, 101), "seasonality": (99, 100, 101, 120, 255, 256, 257, 384),
           "regime": (20, 21, 49, 50, 118, 119, 120, 121, 150)}[name]
    out += [("walk", START_US + n * HOUR, {}) for n in cut]
    out += [("gaps", START_US + n * HOUR, {}) for n in (151, 155, 199, 331, 350, 394)]
    if name == "volatility":
        out += [("walk", None, {"annualization": "legacy252"}), ("gaps", None, {"window": 2}),
                ("walk", None, {"window": 60}), ("gaps", None, {"window": 45}), ("missing", None, {"window": 7}),
                ("walk", START_US + 60 * HOUR, {"window": 60}), ("walk", START_US + 61 * HOUR, {"window": 60})]
    if name == "deviation":
        out += [("walk", None, {"ddof": 0}), ("walk", None, {"window": 2}), ("gaps", None, {"window": 50, "ddof": 0}),
                ("missing", None, {"window": 7}), ("walk", START_US + 80 * HOUR, {"window": 80}),
                ("walk", START_US + 79 * HOUR, {"window": 80})]
    if name == "seasonality":
        # complete, with one bar missing, and with all that are
        out += [("cycle", START_US + n * HOUR, {}) for n in (1000, 2160, 2200, 2210)]
        out += [("trending", START_US + n * DAY, {}) for n in (99, 100, 150)]
    if name == "regime":
        # Many moments, so that most levels are met, also with the former system's thresholds and with others.
        out += [("walk", START_US + n * HOUR, {}) for n in range(160, 400, 9)]
        out += [("trending", START_US + n * DAY, {}) for n in range(125, 200, 7)]
        out += [("reverting", START_US + n * DAY, {}) for n in range(122, 160, 5)]
        out += [("walk", START_US + n * HOUR, {"mode": "legacy"}) for n in range(122, 400, 31)]
        out += [("reverting", START_US + n * DAY, {"mode": "legacy"}) for n in range(122, 160, 9)]
        out += [("walk", None, {"high_percentile": 0.5, "low_percentile": 0.1, "high_volume": 1.1, "low_volume": 0.9}),
                ("gaps", None, {"mode": "legacy"}), ("trending", None, {"trend_t": 0.5, "high_floor": 0.6, "low_ceiling": 0.4}),
                ("doubling", None, {"mode": "legacy"}), ("flat", None, {"mode": "legacy"})]
    if name == "trend":
        # Every as_of of a stretch, so that crossings, the bar after one and long waits are all met.
        out += [("walk", START_US + n * HOUR, {}) for n in range(200, 290, 3)]
        out += [("reverting", START_US + n * DAY, {}) for n in range(100, 160, 4)]
    return out


# ---------------------------------------------------------------------------------------------------------------
# files

def cells(column):
    return [None if not math.isfinite(v) else int(v) if v == int(v) and abs(v) < 2 ** 53 else v for v in column]


def dump_bars(bars):
    return {"open_time": [int(t) for t in bars.index], **{c: cells(bars[c]) for c in oracle.COLUMNS}}


def load_bars(stored):
    rows = {c: [math.nan if v is None else float(v) for v in stored[c]] for c in oracle.COLUMNS}
    return pd.DataFrame(rows, index=pd.Index(stored["open_time"], name="open_time", dtype=np.int64))


def load_others(stored):
    frame = pd.DataFrame({name: [math.nan if v is None else v for v in column] for name, column in stored.items()})
    return frame.set_index("time")


def write(path, document):
    """One line a column or case: a diff then shows what changed."""
    def line(value):
        return json.dumps(value, separators=(", ", ": "), allow_nan=False)

    def members(mapping, indent):
        return ",\n".join(f"{indent}{json.dumps(k)}: {line(v)}" for k, v in mapping.items())

    with open(path, "w", encoding="utf-8") as out:
        if "cases" in document:
            head = members({k: v for k, v in document.items() if k != "cases"}, "  ")
            body = ",\n".join("    " + line(case) for case in document["cases"])
            out.write(f"{{\n{head},\n  \"cases\": [\n{body}\n  ]\n}}\n")
        else:
            parts = [f"  {json.dumps(k)}: " + ("{\n" + members(v, "    ") + "\n  }" if isinstance(v, dict) else line(v))
                     for k, v in document.items()]
            out.write("{\n" + ",\n".join(parts) + "\n}\n")


def path_of(calculator):
    folder = "examples" if calculator in EXAMPLES else "anomalies" if calculator in DETECTORS else "calculators"
    return os.path.join(GOLDEN, folder, calculator + ".json")


def answer(calculator, stored, as_of, params, whole=False):
    bench = load_bars(stored["benchmark"]) if stored["benchmark"] else None
    more = {kind: load_others(stored[kind]) for kind in oracle.ALL[calculator].get("others", ()) if kind in stored}
    if whole:
        more["whole"] = True
    return oracle.calculate(calculator, load_bars(stored["candles"]), oracle.period_us(stored["period"]), as_of,
                            params, bench, **more)


def make():
    for folder in ("series", "calculators", "examples", "anomalies"):
        os.makedirs(os.path.join(GOLDEN, folder), exist_ok=True)
    inputs = {}
    for name, (about, tau, bars, bench) in series().items():
        period = {MINUTE: "1m", HOUR: "1h", DAY: "1d"}[tau]
        inputs[name] = {"about": about, "symbol": "TESTUSDT", "period": period, "candles": dump_bars(bars),
                        "benchmark": dump_bars(bench) if bench is not None else None, **others(name)}
        write(os.path.join(GOLDEN, "series", name + ".json"), inputs[name])
    for calculator in oracle.ALL:
        rows = [{"series": key, "as_of": as_of, "params": params, "expect": answer(calculator, inputs[key], as_of, params)}
                for key, as_of, params in cases(calculator, inputs)]
        if calculator in DETECTORS:
            rows = [{**row, "whole": whole, "expect": answer(calculator, inputs[row["series"]], row["as_of"], row["params"], whole)}
                    for row in rows for whole in (False, True)]
        write(path_of(calculator),
              {"calculator": calculator, "source": "tests/oracle/golden.py: pandas, numpy, scipy; inputs in ../series",
               "cases": rows})
        print(f"{calculator}: {len(rows)} cases")


def same(a, b):
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and not isinstance(a, bool):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-15)
    return a == b


def check():
    wrong, count = [], 0
    for calculator in oracle.ALL:
        with open(path_of(calculator), encoding="utf-8") as text:
            document = json.load(text)
        for number, case in enumerate(document["cases"]):
            with open(os.path.join(GOLDEN, "series", case["series"] + ".json"), encoding="utf-8") as text:
                stored = json.load(text)
            count += 1
            if not same(answer(calculator, stored, case["as_of"], case["params"], case.get("whole", False)), case["expect"]):
                wrong.append(f"{calculator} case {number} ({case['series']}) is not what the oracle says")
    print(f"{count} golden cases recomputed, {len(wrong)} differ")
    return wrong


def check_oracle():
    """The oracle against values known without it."""
    wrong = []

    def expect(what, got, want, tolerance):
        if not math.isclose(got, want, rel_tol=tolerance, abs_tol=1e-14):
            wrong.append(f"{what}: {got!r}, should be {want!r}")

    bars = closed_form()
    for calculator, field, params, want in CLOSED_FORM:
        got = oracle.calculate(calculator, bars, HOUR, params=params)["data"][field]
        # Printed with nine or ten digits: half a unit of the last one.
        expect(f"closed form {calculator}.{field}", got, want, 1e-9)
    daily = bars.set_index(pd.Index([START_US + i * DAY for i in range(120)]))
    expect("closed form annualized 1d", oracle.calculate("volatility", daily, DAY)["data"]["annualized"],
           0.05094727333, 1e-9)
    trend = oracle.calculate("trend", bars, HOUR)["data"]
    if trend["crossover_signal"] != "bullish":
        wrong.append("closed form crossover_signal is not bullish")
    expect("closed form SMA50", float(bars["close"].iloc[-50:].mean()), 104.6959407, 1e-9)

    bars = walk(7, 500, HOUR)
    got = oracle.calculate("deviation", bars, HOUR)["data"]
    r = np.log(bars["close"]).diff().dropna()
    box = acorr_ljungbox(r, lags=[10])
    expect("ljung_box_p, statsmodels", got["ljung_box_p"], float(box["lb_pvalue"].iloc[0]), 1e-9)
    expect("autocorrelation, pandas", got["autocorrelation"], r.autocorr(1), 1e-9)
    expect("price_autocorrelation, pandas", got["price_autocorrelation"], bars["close"].autocorr(1), 1e-9)
    expect("skewness, pandas", got["skewness"], r.skew(), 1e-9)
    expect("kurtosis, pandas", got["kurtosis"], r.kurt(), 1e-9)
    got = oracle.calculate("volatility", bars, HOUR)["data"]
    rolled = bars["close"].pct_change().rolling(20).std()
    expect("rolling_stddev, pandas", got["rolling_stddev"], rolled.iloc[-1], 1e-9)
    expect("vov, pandas", got["vov"], rolled.iloc[-20:].std(), 1e-9)
    expect("percentile, pandas", got["percentile"], (rolled.dropna() <= rolled.iloc[-1]).mean(), 1e-12)
    return wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    checking = parser.parse_args().check
    faults = check_oracle()
    if not faults:
        faults = check() if checking else make() or []
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(1 if faults else 0)
