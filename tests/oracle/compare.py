#!/usr/bin/python3
"""compare.py - holds the program's answers on recorded data against the oracle's, field by field.

    compare.py --petrosa BUILD/petrosa [--store DIR] [--data DIR] [--calculators a,b] [--verbose]

Imports the recorded candles into stores under DIR (a folder that is thrown away when not given; files that are there
already are imported again, which changes nothing), runs `petrosa eval NAME ... --json` for every calculator and example,
series and as_of, and prints one line a field: how many values, how many null, and the worst difference. Exit 0: all within
the tolerance below; 1: not; 77: skipped, with the reason.

1m candles of BTC, ETH, BNB, ADA and SOL are not among the recorded data; AVAX, ALGO, LINK and NEAR stand in for them.
"""
import argparse
import json
import math
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

SKIPPED = 77

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, "..", "..", "scripts")
with open(os.path.join(HERE, "..", "golden", "tolerance.json"), encoding="utf-8") as text:
    TOLERANCE = json.load(text)


def tolerance(path, want, context):
    """What a value may differ from want.  path: "variance_ratio.z"; context: the other fields of the same answer."""
    rule = TOLERANCE["fields"].get(path, TOLERANCE["default"])
    scale = rule["factor"] * sum(context[f] for f in rule["scale_of"]) if "scale_of" in rule else rule["scale"]
    return rule["relative"] * max(abs(want), scale)


class Tally:
    """Per field: values, nulls, worst difference; and every mismatch in words."""

    def __init__(self):
        self.values, self.nulls = defaultdict(int), defaultdict(int)
        self.relative, self.share = defaultdict(float), defaultdict(float)
        self.wrong = []

    def value(self, where, path, field, got, want, context):
        if isinstance(want, dict):
            if not isinstance(got, dict) or got.keys() != want.keys():
                self.wrong.append(f"{where} {path}: {got!r}, the oracle says {want!r}")
                return
            for key in want:
                if key.isdigit() or key.isupper():           # one line for all entries of a map
                    self.value(f"{where} [{key}]", path, field, got[key], want[key], context)
                else:
                    self.value(where, f"{path}.{key}", f"{field}.{key}", got[key], want[key], context)
            return
        if isinstance(want, list) and isinstance(got, list):
            self.equal(where, path + " length", len(got), len(want))
            for position, (one, other) in enumerate(zip(got, want)):
                self.value(f"{where} [{position}]", path, field, one, other, context)
            return
        self.values[path] += 1
        if want is None or got is None:
            self.nulls[path] += 1
            if got is not want:
                self.wrong.append(f"{where} {path}: {got!r}, the oracle says {want!r}")
            return
        if isinstance(want, int) or (isinstance(want, str)):
            if got != want:
                self.wrong.append(f"{where} {path}: {got!r}, the oracle says {want!r}")
            return
        if not isinstance(got, str):
            self.wrong.append(f"{where} {path}: {got!r} is not a decimal string")
            return
        off, allowed = abs(float(got) - want), tolerance(field, want, context)
        if want != 0:
            self.relative[path] = max(self.relative[path], off / abs(want))
        self.share[path] = max(self.share[path], off / allowed if allowed > 0 else (0.0 if off == 0 else math.inf))
        if not off <= allowed:
            self.wrong.append(f"{where} {path}: {got}, the oracle says {want!r} (off by {off:.3g}, allowed {allowed:.3g})")

    def equal(self, where, what, got, want):
        if got != want:
            self.wrong.append(f"{where} {what}: {got!r}, the oracle says {want!r}")


def iso(stamp_us):
    import pandas as pd
    return pd.Timestamp(stamp_us, unit="us").isoformat() + "Z"


def judge(tally, where, calculator, body, want):
    """One reply of /analysis/NAME against one answer of the oracle."""
    items = body.get("values")
    data = (items[-1] if items else None) if items is not None else body.get("data")
    meta = body["metadata"]
    tally.equal(where, "status", body["status"], want["status"])
    tally.equal(where, "as_of", body["as_of"], iso(want["as_of"]))
    for key in ("rows", "expected", "gaps", "missing"):
        tally.equal(where, "metadata." + key, meta[key], want[key])
    if not math.isclose(meta["completeness"], want["completeness"], rel_tol=1e-12):
        tally.equal(where, "metadata.completeness", meta["completeness"], want["completeness"])
    if data is None:
        tally.wrong.append(f"{where}: no data")
        return
    data = {key: value for key, value in data.items() if key not in ("timestamp", "status")}
    if want["data"] is None:
        for field, value in data.items():
            tally.equal(where, f"{field} while warming", value, None)
        return
    for hit in want["data"].get("anomalies") or []:
        hit["time"] = iso(hit["time"] * 1_000_000)
    tally.equal(where, "fields", sorted(data), sorted(want["data"]))
    tally.equal(where, "reasons", meta.get("reasons", {}), want["reasons"])
    for field in sorted(data.keys() & want["data"].keys()):
        tally.value(where, f"{calculator}.{field}", field, data[field], want["data"][field], want["data"])


def judge_market(tally, where, body, want):
    """One reply of /analysis/correlation, whose outputs stand at its top."""
    names = want["symbols"]
    tally.equal(where, "pairs", body["pairs"], names)
    data = dict(want["data"])
    for field, value in data.items():
        if isinstance(value, list):
            data[field] = {a: dict(zip(names, row)) for a, row in zip(names, value)}
    judge(tally, where, "correlation", {**body, "data": {field: body.get(field) for field in data}}, {**want, "data": data})


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: exit {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


# Beside the defaults, at the newest as_of of each series. volatility with a window of 2 is left out: on a coarse tick its
# deviations are equal in exact arithmetic, and which of them is "not above" another is then a matter of the last bit.
VARIANTS = {
    "volatility": [{"annualization": "legacy252", "window": 50}, {"window": 5}],
    "deviation": [{"window": 55, "ddof": 0}, {"window": 2}],
    "isolation_forest": [{"features": "legacy"}, {"window_days": 20, "contamination": "0.05"}],
    "anchored_vwap": [{"anchor": "week"}, {"anchor": "month"}],
    "vpin": [{"per_day": 20, "buckets": 30}],
    "mad": [{"field": "log_volume", "window_days": 30}, {"field": "range", "threshold": 2}],
    "zscore": [{"field": "close", "window_days": 3}, {"field": "range"}],
    "moving_avg": [{"field": "log_volume"}, {"threshold": 3, "window_days": 20}],
    "data_quality": [{"tick": 5, "undone": 0.5, "silence": 0, "window_days": 60}],
}


def questions(every, names, examples):
    """What is asked: (calculator, series, as_of, parameters); of the examples, which are many, and of the forest, which is slow
    to grow here, the newest and one more."""
    for series in every:
        for name in names:
            few = name in examples or name == "isolation_forest"
            for as_of in series.as_of[:2] if few else series.as_of:
                yield name, series, as_of, {}
            for params in VARIANTS.get(name, []):
                yield name, series, None, params


def evaluate(petrosa, store, calculator, series, as_of, params, market=False):
    pair = [] if market else ["--pair", series.symbol]
    words = [petrosa, "eval", calculator, "--data", store, *pair, "--period", series.period, "--json",
             "--set", f"scripts.path={SCRIPTS},{SCRIPTS}/examples",
             "--set", "scripts.call_budget=20s"]     # no test depends on how busy the machine is
    if as_of is not None:
        words += ["--as-of", iso(as_of)]
    for key, value in params.items():
        words += ["--param", f"{key}={value}"]
    return json.loads(run(*words))


def compare_markets(args, tally, every):
    """The symbols of each store and period together, at every as_of of any of them; how many answers."""
    import market as oracle
    groups = defaultdict(list)
    for series in every:
        if series.period != "1m":
            groups[series.store, series.period].append(series)
    work = [(group, as_of, params) for group in groups.values() for as_of, params in
            [(as_of, {}) for as_of in group[0].as_of] + [(None, {"window": "60d", "spearman": True, "shrunk": True}), (None, {"window": "7d"})]]
    with ThreadPoolExecutor(2) as pool:
        replies = [pool.submit(evaluate, args.petrosa, os.path.join(args.store, group[0].store), "correlation", group[0], as_of,
                               {k: str(v).lower() for k, v in params.items()}, True) for group, as_of, params in work]
        for (group, as_of, params), reply in zip(work, replies):
            want = oracle.calculate("correlation", {s.symbol: s.bars() for s in group}, group[0].tau, as_of, params)
            where = f"{group[0].store} market {group[0].period} {iso(want['as_of'])} correlation {params or ''}"
            judge_market(tally, where, reply.result(), want)
    return len(work)


remembered = None


def remember(*what):
    global remembered
    remembered = what


def expect(i):
    real, every, work = remembered
    name, series, as_of, params = work[i]
    return real.expectation(series, every, name, as_of, params)


def compare(args, real, oracle):
    every, tally = real.catalogue(args.data), Tally()
    for store in sorted({series.store for series in every}):
        paths = [path for series in every if series.store == store for path in series.paths + series.funding]
        run(args.petrosa, "import", "--quiet", "--data", os.path.join(args.store, store), *dict.fromkeys(paths))
    names = args.calculators.split(",") if args.calculators else list(oracle.ALL)
    work = list(questions(every, names, oracle.EXAMPLES))
    # The oracle's processes are made of this one as it is now, so they have the recorded data too; then the programs run beside them.
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork"), initializer=remember, initargs=(real, every, work)) as oracles, \
         ThreadPoolExecutor(2) as pool:
        wanted = oracles.map(expect, range(len(work)), chunksize=4)
        replies = [pool.submit(evaluate, args.petrosa, os.path.join(args.store, series.store), name, series, as_of,
                               params) for name, series, as_of, params in work]
        for (name, series, as_of, params), want, reply in zip(work, wanted, replies):
            where = f"{series.store} {series.symbol} {series.period} {iso(want['as_of'])} {name} {params or ''}"
            judge(tally, where, name, reply.result(), want)
    markets = 0 if args.calculators else compare_markets(args, tally, every)
    print(f"{'field':44} {'values':>6} {'null':>5} {'worst relative':>15} {'of tolerance':>13}")
    for path in sorted(tally.values):
        print(f"{path:44} {tally.values[path]:6} {tally.nulls[path]:5} {tally.relative[path]:15.2g} {tally.share[path]:13.2g}")
    print("1m: recorded for AVAX, ALGO, LINK and NEAR only; not for the five symbols")
    shown = tally.wrong if args.verbose else tally.wrong[:40]
    for line in shown:
        print(line, file=sys.stderr)
    print(f"{len(work) + markets} answers, {sum(tally.values.values())} values compared, {len(tally.wrong)} wrong")
    return 1 if tally.wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--petrosa", required=True)
    parser.add_argument("--store")
    parser.add_argument("--data")
    parser.add_argument("--calculators")
    parser.add_argument("--verbose", action="store_true", help="print every mismatch, not the first 40")
    args = parser.parse_args()
    try:
        import calculators as oracle
        import real
    except ImportError as why:
        print(f"skipped: {why}")
        return SKIPPED
    args.data = args.data or real.folder()
    if args.data is None:
        print("skipped: no recorded data in ../shared/data or $PETROSA_DATA_DIR")
        return SKIPPED
    throw_away = args.store is None
    args.store = args.store or tempfile.mkdtemp(prefix="petrosa-compare-")
    try:
        return compare(args, real, oracle)
    finally:
        if throw_away:
            shutil.rmtree(args.store, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
