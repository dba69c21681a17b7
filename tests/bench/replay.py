#!/usr/bin/python3
"""Replay: one calculator at every bar of 90 days x 1h x 5 symbols, store to CSV file.

The peer is numpy on one thread with everything in memory and nothing written (peers/calculators_numpy.py), twice: one
window after the other, as we do, and all windows of a symbol as one table (sliding_window_view), which only works while
no series has a hole. Every value of every bar of ours is first held against the table's.
"""
import csv
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
try:
    import numpy as np
except ImportError:
    if sys.executable == "/usr/bin/python3":
        sys.exit("numpy is missing: make setup")
    os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cycle
from numpy.lib.stride_tricks import sliding_window_view

HOUR, BARS, RUNS = cycle.HOUR, 2160, 5
BLOCK = 240                     # windows of a table at a time: more do not fit the cache


def volatility(x):
    logs = np.log(x["close"])
    return cycle.peer.volatility(x["open"], x["high"], x["low"], x["close"], logs, np.diff(logs), HOUR)[1]


def volume(x):
    return cycle.peer.volume(x["volume"], x["quote_volume"], x["trades"], x["taker_buy_volume"])


CALCULATORS = {"volatility": (volatility, 2160), "volume": (volume, 24)}


def windows(table, width):
    """{column: (BARS, width)}: the window that ends with each of the last bars."""
    return {name: sliding_window_view(column, width)[-BARS:] for name, column in table.items()}


def one_by_one(calculator, tables, width):
    for table in tables:
        views = windows(table, width)
        for i in range(BARS):
            calculator({name: view[i] for name, view in views.items()})


def as_tables(calculator, tables, width):
    """[{field: (BARS,)}] by symbol."""
    out = []
    for table in tables:
        views = windows(table, width)
        parts = [calculator({name: view[i:i + BLOCK] for name, view in views.items()}) for i in range(0, BARS, BLOCK)]
        out.append({field: np.concatenate([np.broadcast_to(part[field], BLOCK) for part in parts]) for field in parts[0]})
    return out


def check(path, symbols, wanted):
    """How many values of our CSV equal the peer's; stops when one does not."""
    with open(path) as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == BARS * len(symbols), len(rows)
    n = 0
    for at, symbol in enumerate(symbols):
        mine = rows[at * BARS:(at + 1) * BARS]
        assert {row["pair"] for row in mine} == {symbol} and {row["status"] for row in mine} == {"ok"}
        for field, want in wanted[at].items():
            got = np.array([float(row[field] or "nan") for row in mine])
            wrong = np.abs(got - want) > 1e-8 * np.maximum(np.abs(want), 1e-6)
            assert not wrong.any() and not np.isnan(got).any(), (symbol, field, int(wrong.argmax()))
            n += BARS
    return n


def seconds(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="petrosa-bench-"))
    try:
        if not cycle.harness.PETROSA.exists():
            sys.exit(f"replay  skipped: {cycle.harness.PETROSA} is not built")
        symbols = list(cycle.real.FIVE)
        frames = cycle.walks(symbols, HOUR, 2 * BARS)
        tables = [{name: frame[name].to_numpy() for name in cycle.oracle.COLUMNS} for frame in frames.values()]
        cycle.PERIODS["1h"] = (HOUR, 2 * BARS)
        cycle.harness.petrosa("import", "--quiet", *cycle.write(folder, {"1h": frames}), store=folder / "store")
        first = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((cycle.END - (BARS - 1) * HOUR) // 1_000_000))
        for name, (calculator, width) in CALCULATORS.items():
            ours, single, table = [], [], []
            command = ("replay", name, "--pair", ",".join(symbols), "--period", "1h", "--start", first, "--quiet",
                       "-o", folder / "out.csv")
            cycle.harness.petrosa(*command, store=folder / "store")
            n = check(folder / "out.csv", symbols, as_tables(calculator, tables, width))
            for _ in range(RUNS):               # in turns, so that a busy machine is so for all
                ours.append(seconds(lambda: cycle.harness.petrosa(*command, store=folder / "store")))
                single.append(seconds(lambda: one_by_one(calculator, tables, width)))
                table.append(seconds(lambda: as_tables(calculator, tables, width)))
            x, y, z = (statistics.median(part) for part in (ours, single, table))
            print(f"replay  {name} at {BARS * len(symbols)} bars, start to CSV file: ours {x:.2f} s   numpy window by window {y:.2f} s   "
                  f"ratio {y / x:.2f}   (one table of windows {z:.2f} s, {z / x:.2f}; {n} values equal)")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
