#!/usr/bin/python3
"""Replay: each shipped calculator and regime at every bar of 90 days x 1h x 5 symbols, store to CSV file; what looks at
books has four of them in each hour. A script of the whole market goes through the same bars once.

Where there is a peer it is numpy on one thread with everything in memory and nothing written
(peers/calculators_numpy.py), twice: one window after the other, as we do, and all windows of a symbol as one table
(sliding_window_view), which only works while no series has a hole. Every value of every bar of ours is first held
against the table's. Of a script without peer it is seen that each bar has its line and is ok.

    replay.py [NAME...]     only these
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
BOOKS = 4                       # in each hour
BLOCK = 240                     # windows of a table at a time: more do not fit the cache


def volatility(x):
    logs = np.log(x["close"])
    return cycle.peer.volatility(x["open"], x["high"], x["low"], x["close"], logs, np.diff(logs), HOUR)[1]


def volume(x):
    return cycle.peer.volume(x["volume"], x["quote_volume"], x["trades"], x["taker_buy_volume"])


PEERS = {"volatility": (volatility, 2160), "volume": (volume, 24)}


def shipped():
    """{name: True where it is of the whole market}"""
    files = [path for kind in ("calculators", "regimes") for path in sorted((cycle.ROOT / "scripts" / kind).glob("*.lua"))]
    return {path.stem: "market = {" in path.read_text() for path in files}


def books_of(frame):
    """(time, bids, asks): books of five levels about the close of the hour before."""
    for close_us, close in zip(frame.index[-BARS:] + HOUR, frame["close"][-BARS:]):
        for k in range(BOOKS):
            mid, time = close * (1 + 0.0002 * k), int(close_us) - (BOOKS - 1 - k) * (HOUR // BOOKS)
            yield time, *([[f"{mid * (1 + side * 0.0001 * i):.4f}", f"{i + k}.5"] for i in range(1, 6)] for side in (-1, 1))


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
    """How many values of our CSV equal the peer's (none without one); stops when one does not, or a bar has no values."""
    with open(path) as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == BARS * len(symbols), len(rows)
    assert {row["status"] for row in rows} == {"ok"}, {row["status"] for row in rows}
    n = 0
    for at, symbol in enumerate(symbols):
        mine = rows[at * BARS:(at + 1) * BARS]
        assert {row.get("pair", "") for row in mine} == {symbol}
        for field, want in (wanted[at] if wanted else {}).items():
            got = np.array([float(row[field] or "nan") for row in mine])
            wrong = np.abs(got - want) > 1e-8 * np.maximum(np.abs(want), 1e-6)
            assert not wrong.any() and not np.isnan(got).any(), (symbol, field, int(wrong.argmax()))
            n += BARS
    return n


def seconds(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def measure(name, market, store, tables):
    """One line of figures."""
    out = store.parent / "out.csv"
    first = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((cycle.END - (BARS - 1) * HOUR) // 1_000_000))
    command = ["replay", name, "--period", "1h", "--start", first, "--quiet", "-o", out]
    if not market:
        command += ["--pair", ",".join(tables)]
    peer, width = PEERS.get(name, (None, 0))
    series = list(tables.values())
    cycle.harness.petrosa(*command, store=store)
    n = check(out, [""] if market else list(tables), peer and as_tables(peer, series, width))
    ours, single, table = [], [], []
    for _ in range(RUNS):                       # in turns, so that a busy machine is so for all
        ours.append(seconds(lambda: cycle.harness.petrosa(*command, store=store)))
        if peer:
            single.append(seconds(lambda: one_by_one(peer, series, width)))
            table.append(seconds(lambda: as_tables(peer, series, width)))
    x, units = statistics.median(ours), BARS * (1 if market else len(tables))
    line = f"replay  {name} at {units} bars{' of the market' * market}, start to CSV file: ours {x:.2f} s [{min(ours):.2f}-{max(ours):.2f}]"
    if peer:
        y, z = statistics.median(single), statistics.median(table)
        line += f"   numpy window by window {y:.2f} s   ratio {y / x:.2f}   (one table of windows {z:.2f} s, {z / x:.2f}; {n} values equal)"
    print(line, flush=True)


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="petrosa-bench-"))
    try:
        if not cycle.harness.PETROSA.exists():
            sys.exit(f"replay  skipped: {cycle.harness.PETROSA} is not built")
        symbols = list(cycle.real.FIVE)
        frames = cycle.walks(symbols, HOUR, 2 * BARS)
        tables = {symbol: {name: frame[name].to_numpy() for name in cycle.oracle.COLUMNS} for symbol, frame in frames.items()}
        cycle.PERIODS["1h"] = (HOUR, 2 * BARS)
        books = [cycle.write_books(folder, symbol, books_of(frame)) for symbol, frame in frames.items()]
        cycle.harness.petrosa("import", "--quiet", *cycle.write(folder, {"1h": frames}), *books, store=folder / "store")
        for name, market in shipped().items():
            if len(sys.argv) == 1 or name in sys.argv[1:]:
                measure(name, market, folder / "store", tables)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
