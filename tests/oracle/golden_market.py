#!/usr/bin/python3
"""golden_market.py - makes and checks the golden numbers of the calculators of the whole market.

    golden_market.py            writes tests/golden/series/market_*.json and tests/golden/calculators/correlation.json
    golden_market.py --check    computes the answers again from the stored inputs and compares; writes nothing

Exit 0: done, or all equal; 1: not; 77: skipped, with the reason.
"""
import argparse
import json
import math
import os
import sys

try:
    import numpy as np
    import pandas as pd

    import golden
    import market as oracle
except ImportError as why:
    print(f"skipped: {why}")
    sys.exit(77)

START_US, HOUR, DAY = golden.START_US, golden.HOUR, golden.DAY


def walks(seed, n, symbols, own=0.004, common=0.004):
    """Closes of symbols that share a move; {symbol: [closes]}. DELAYUSDT does what BTCUSDT did 3 bars ago."""
    rng = np.random.RandomState(seed)
    shared, out = rng.normal(0, common, n), {}
    for i, symbol in enumerate(symbols):
        r = shared * (1 - 0.15 * i) + rng.normal(0, own * (1 + 0.2 * i), n)
        out[symbol] = np.round(10 ** (4 - i) * np.exp(np.cumsum(r)), 6 if i > 2 else 4)
    if "DELAYUSDT" in out:
        moves = np.concatenate([np.zeros(4), np.diff(np.log(out["BTCUSDT"]))[:-3]])
        out["DELAYUSDT"] = np.round(5 * np.exp(np.cumsum(moves + rng.normal(0, own / 2, n))), 6)
    return out


def frame(closes, tau, first=0):
    return pd.DataFrame({"close": closes}, index=START_US + tau * (first + np.arange(len(closes))))


def blank(bars, positions):
    bars = bars.copy()
    bars.iloc[positions, 0] = math.nan
    return bars


def markets():
    """name -> (about, period, market)."""
    five = {s: frame(c, HOUR) for s, c in walks(1, 760, ["BTCUSDT", "ETHUSDT", "ADAUSDT", "DELAYUSDT"]).items()}
    gaps = {"BTCUSDT": golden.punch(five["BTCUSDT"], [(40, 5), (300, 1), (600, 30)]),
            "ETHUSDT": blank(golden.punch(five["ETHUSDT"], [(41, 2), (500, 9)]), [100, 200, 201]),
            "ADAUSDT": five["ADAUSDT"].iloc[:700],                     # ended early
            "DELAYUSDT": golden.punch(five["DELAYUSDT"], [(i, 1) for i in range(420, 640, 4)]),
            "YOUNGUSDT": five["ADAUSDT"].iloc[720:] * 3,               # 40 bars old
            "NEWUSDT": five["ETHUSDT"].iloc[748:] / 7,                 # 12
            "STILLUSDT": frame(np.full(760, 2.5), HOUR),               # never moved
            "GONEUSDT": five["ETHUSDT"].iloc[:20] * 2}                 # before any window of the newest as_of
    # Three that move against one another, each pair seen in a third of the time: no three walks could do that.
    n, rng = 300, np.random.RandomState(5)
    base = rng.normal(0, 0.01, n)
    broken, signs = {}, {"AUSDT": (1, 1, None), "BUSDT": (1, None, 1), "CUSDT": (None, 1, -1)}
    for symbol, third in signs.items():
        r = np.concatenate([(s or 0) * base[i * 100:(i + 1) * 100] for i, s in enumerate(third)]) + rng.normal(0, 0.001, n)
        bars = frame(np.round(100 * np.exp(np.cumsum(r)), 6), HOUR)
        hole = third.index(None)
        broken[symbol] = golden.punch(bars, [(hole * 100, 100)])
    daily = {s: frame(c, DAY) for s, c in walks(7, 130, ["BTCUSDT", "ETHUSDT", "ADAUSDT"], 0.02, 0.03).items()}
    apart = {s: frame(c, HOUR) for s, c in walks(9, 400, ["LINKUSDT", "ADAUSDT", "XRPUSDT"]).items()}
    return {
        "market_walk": ("four that move together, one of them 3 bars late", "1h", five),
        "market_gaps": ("the same with holes, and some that began late, ended early, never moved", "1h", gaps),
        "market_broken": ("correlations by pairs that contradict one another", "1h", broken),
        "market_daily": ("three by day", "1d", daily),
        "market_apart": ("three without BTCUSDT", "1h", apart),
        "market_flat": ("nothing moves", "1h", {"BTCUSDT": frame(np.full(100, 3.0), HOUR), "ETHUSDT": frame(np.full(100, 0.1), HOUR)}),
        "market_single": ("one symbol", "1h", {"BTCUSDT": five["BTCUSDT"].iloc[:100]}),
    }


def cases():
    """(market, as_of or None, parameters, who stands in for BTCUSDT)"""
    out = [(name, None, {}, None) for name in markets()]
    both = {"spearman": True, "shrunk": True}
    out += [(name, None, both, None) for name in ("market_walk", "market_gaps", "market_broken", "market_daily")]
    out += [("market_walk", None, {"window": w}, None) for w in ("2d", "7d", "60d")]
    out += [("market_daily", None, {"window": w}, None) for w in ("7d", "45d", "90d")]
    out += [("market_walk", START_US + n * HOUR, {}, None) for n in (20, 21, 22, 49, 50, 51, 168, 300)]
    out += [("market_gaps", START_US + n * HOUR, {}, None) for n in (21, 60, 330, 620, 700, 701, 740, 759)]
    out += [("market_daily", START_US + n * DAY, {}, None) for n in (21, 30, 49, 50, 77)]
    out += [("market_broken", START_US + n * HOUR, {}, None) for n in (150, 200, 250)]
    out += [("market_apart", None, {}, "XRPUSDT"), ("market_apart", None, {}, "NOUSDT"), ("market_walk", None, {}, "ETHUSDT")]
    return out


def dump(bars):
    return {"open_time": [int(t) for t in bars.index], "close": golden.cells(bars["close"])}


def load(stored):
    return {symbol: pd.DataFrame({"close": [math.nan if v is None else float(v) for v in bars["close"]]},
                                 index=np.array(bars["open_time"], dtype=np.int64))
            for symbol, bars in stored["symbols"].items()}


def answer(stored, as_of, params, benchmark):
    tau = golden.oracle.period_us(stored["period"])
    return oracle.calculate("correlation", load(stored), tau, as_of, params, benchmark)


def same(a, b):
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return golden.same(a, b)


def make():
    inputs = {}
    for name, (about, period, market) in markets().items():
        inputs[name] = {"about": about, "period": period, "symbols": {s: dump(bars) for s, bars in market.items()}}
        golden.write(os.path.join(golden.GOLDEN, "series", name + ".json"), inputs[name])
    rows = [{"series": name, "as_of": as_of, "params": params, "benchmark": benchmark,
             "expect": answer(inputs[name], as_of, params, benchmark)} for name, as_of, params, benchmark in cases()]
    golden.write(os.path.join(golden.GOLDEN, "calculators", "correlation.json"),
                 {"calculator": "correlation", "source": "tests/oracle/golden_market.py: pandas, numpy, scipy; inputs in ../series",
                  "cases": rows})
    print(f"correlation: {len(rows)} cases")
    return []


def check():
    with open(os.path.join(golden.GOLDEN, "calculators", "correlation.json"), encoding="utf-8") as text:
        document = json.load(text)
    wrong = []
    for number, case in enumerate(document["cases"]):
        with open(os.path.join(golden.GOLDEN, "series", case["series"] + ".json"), encoding="utf-8") as text:
            stored = json.load(text)
        if not same(answer(stored, case["as_of"], case["params"], case["benchmark"]), case["expect"]):
            wrong.append(f"correlation case {number} ({case['series']}) is not what the oracle says")
    print(f"{len(document['cases'])} golden cases recomputed, {len(wrong)} differ")
    return wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    faults = check() if parser.parse_args().check else make()
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(1 if faults else 0)
