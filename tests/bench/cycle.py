#!/usr/bin/python3
"""A whole cycle: 5 symbols x {1h, 1d} x volatility, volume, trend, deviation, regime, spread of an hour's books at 1h, and the
correlation of all; 90 days;
store to stored results.

The peer is numpy/scipy on one thread with everything in memory and nothing stored (peers/calculators_numpy.py), twice:
unit by unit as a cycle comes, and all symbols of a period as one table, which only works while no series has a hole.
Its numbers, and ours, are first held against tests/oracle on the same candles.

    cycle.py [--large]      --large: also 500 symbols of made-up correlated walks, at 1h and at six periods
"""
import json
import os
import pathlib
import re
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
import pandas as pd

HERE = pathlib.Path(__file__).resolve().parent
ROOT = pathlib.Path(os.environ.get("PETROSA_SOURCE", HERE.parent.parent))
sys.path[:0] = [str(HERE / "peers"), str(ROOT / "tests/oracle"), str(ROOT / "tests")]
import books as books_oracle
import calculators as oracle
import calculators_numpy as peer
import compare
import harness
import market
import real

HOUR, DAY = 3_600_000_000, 86_400_000_000
CATEGORIES = ("volatility", "volume", "trend", "deviation", "regime")  # what the peer has, and so what ours computes here
BOOKS = 600                                     # of each symbol in the last hour
MARKET = "correlation"                          # of all symbols of a period at once
PERIODS = {"1h": (HOUR, 2160), "1d": (DAY, 120), **{f"{h}h": (h * HOUR, max(2160 // h, 120)) for h in (2, 4, 8, 12)}}
USUAL, SIX = ("1h", "1d"), ("1h", "2h", "4h", "8h", "12h", "1d")
RUNS, BENCHMARK = 15, "BTCUSDT"
# words of the metrics as the peer's numbers
WORDS = {"bullish": 1.0, "bearish": -1.0, "neutral": 0.0, "high": 1.0, "medium": 0.0, "low": -1.0, None: np.nan,
         **{word: float(place) for place, word in enumerate(peer.REGIMES)}}
END = 1_735_689_600_000_000                     # made-up candles end at 2025-01-01


# ---------------------------------------------------------------------------------------------------------------
# candles

def recorded():
    """{period: {symbol: candles}} of the recorded futures, cut to what a cycle reads; None when they are not there."""
    folder = real.folder()
    if folder is None:
        return None
    series = {}
    for period, (tau, bars) in ((p, PERIODS[p]) for p in USUAL):
        path = pathlib.Path(folder) / "klines" / f"um_{period}"
        frames = {symbol: real.read(path / f"{symbol}_{period}.csv", real.NINE) for symbol in real.FIVE}
        end = min(frame.index[-1] for frame in frames.values())
        series[period] = {symbol: frame[frame.index <= end].tail(bars).copy() for symbol, frame in frames.items()}
        # These files lack the taker volume: a made-up share of the volume stands in, so that no field is left out.
        for seed, frame in enumerate(series[period].values()):
            share = np.random.default_rng(seed).uniform(0.4, 0.6, len(frame))
            frame["taker_buy_volume"] = (frame["volume"] * share).round(decimals(frame["volume"]))
            assert len(frame) == bars and (np.diff(frame.index) == tau).all() and (frame["volume"] > 0).all()
    return series


def walks(symbols, tau, bars):
    """Made-up correlated random walks: one market return, and one of each symbol's own."""
    draw = np.random.default_rng(1)
    time = END - tau * np.arange(bars, 0, -1)
    market, frames = draw.standard_t(5, bars), {}
    for symbol in symbols:
        r = 0.004 * (0.7 * market + 0.7 * draw.standard_t(5, bars))
        close = (draw.uniform(20, 2000) * np.exp(np.cumsum(r))).round(3)
        opened = np.concatenate([[(close[0] * 1.001).round(3)], close[:-1]])
        spread = np.exp(0.002 * np.abs(draw.standard_normal((2, bars))))
        high = np.maximum(np.maximum(opened, close) * spread[0], 0).round(3)
        low = (np.minimum(opened, close) / spread[1]).round(3)
        high, low = np.maximum(high, np.maximum(opened, close)), np.minimum(low, np.minimum(opened, close))
        volume = np.exp(draw.normal(5, 0.8, bars)).round(3) + 0.001
        frames[symbol] = pd.DataFrame(
            dict(zip(oracle.COLUMNS, (opened, high, low, close, volume.round(3), (volume * close).round(2),
                                      draw.integers(10, 5000, bars).astype(float),
                                      (volume * draw.uniform(0.4, 0.6, bars)).round(3)))), index=time)
    return frames


def made_books(series):
    """{symbol: [(time, bids, asks)]}: 20 levels around a walk, in the hour before the last bar closes."""
    out = {}
    for seed, (symbol, frame) in enumerate(series["1h"].items()):
        draw, end = np.random.default_rng(seed), int(frame.index[-1]) + HOUR
        tick, rows = max(0.0001, round(float(frame["close"].iloc[-1]) / 1e4, 4)), []
        mid = 10000 + np.cumsum(draw.integers(-3, 4, BOOKS))
        for k in range(BOOKS):
            steps = np.cumsum(draw.integers(1, 4, (2, books_oracle.LEVELS)), axis=1)
            quantity = np.exp(draw.normal(0, 1, steps.shape)).round(3) + 0.001
            rows.append((end - (BOOKS - k) * (HOUR // BOOKS), *(
                [[f"{(mid[k] + sign * at) * tick:.4f}", f"{q:.3f}"] for at, q in zip(side, amounts)]
                for sign, side, amounts in zip((-1, 1), steps, quantity))))
        out[symbol] = rows
    return out


def categories(period, books):
    return CATEGORIES + (("spread",) if period == "1h" and books else ())


def decimals(column):
    return next(d for d in range(9) if (column.round(d) == column).all())


def text(column):
    """As exchanges write it: every value of a column with the same number of decimals."""
    return np.char.mod(f"%.{decimals(column)}f", column.to_numpy())


def write(folder, series):
    """Dump files of the candles."""
    paths = []
    for period, frames in series.items():
        tau, _ = PERIODS[period]
        for symbol, frame in frames.items():
            paths.append(folder / f"{symbol}-{period}-2025.csv")
            bought = (frame["taker_buy_volume"] * frame["close"]).round(2)
            pd.DataFrame({"open_time": frame.index // 1000, **{name: text(frame[name]) for name in oracle.COLUMNS[:5]},
                          "close_time": (frame.index + tau) // 1000 - 1, "quote_volume": text(frame["quote_volume"]),
                          "count": frame["trades"].astype("int64"),
                          "taker_buy_volume": text(frame["taker_buy_volume"]),
                          "taker_buy_quote_volume": text(bought), "ignore": 0}).to_csv(paths[-1], index=False)
    return paths


def write_books(folder, symbol, rows):
    """Captured messages of books: rows of (time, bids, asks)."""
    path = folder / f"{symbol}-books.jsonl"
    path.write_text("".join(json.dumps({
        "stream": f"{symbol.lower()}@depth20@100ms", "data": {
            "e": "depthUpdate", "E": time // 1000, "s": symbol, "U": k + 1, "u": k + 1, "b": bids, "a": asks}}) + "\n"
        for k, (time, bids, asks) in enumerate(rows)))
    return path


# ---------------------------------------------------------------------------------------------------------------
# the peer

def columns(frames):
    """{name: (symbols, bars)}"""
    return {name: np.stack([frame[name].to_numpy() for frame in frames.values()]) for name in oracle.COLUMNS}


class Peer:
    """The candles as arrays in memory, and the two ways through them."""

    def __init__(self, series, books=None):
        self.series, self.books = series, {}
        for symbol, rows in (books or {}).items():
            arrays = [(time, float(bids[0][0]), float(asks[0][0])) for time, bids, asks in rows]
            time, bid, ask = map(np.array, zip(*arrays))
            self.books[symbol] = time, bid, ask, *(np.array(side, float) for side in rows[-1][1:])
        self.tables = {period: columns(frames) for period, frames in series.items()}
        self.units = [(period, symbol, {name: np.ascontiguousarray(table[row]) for name, table in table_of.items()})
                      for period, table_of in self.tables.items() for row, symbol in enumerate(series[period])]
        self.bench = {period: frames[BENCHMARK]["close"].to_numpy() for period, frames in series.items()}
        self.row = {period: list(frames).index(BENCHMARK) for period, frames in series.items()}

    def markets(self):
        return {period: peer.market(table["close"], PERIODS[period][0], self.row[period]) for period, table in self.tables.items()}

    def by_unit(self):
        out = {(period, symbol): peer.five(arrays, PERIODS[period][0], self.bench[period])
               for period, symbol, arrays in self.units}
        for period, symbol, arrays in self.units:
            if period == "1h" and symbol in self.books:     # its newest book comes before the last bar closes
                out[period, symbol]["spread"] = peer.spread(self.books[symbol], arrays["close"][-26:-1],
                                                            arrays["quote_volume"][-26:-1])
        return out, self.markets()

    def by_table(self):
        out = {period: peer.five(table, PERIODS[period][0], self.bench[period])
               for period, table in self.tables.items()}
        if self.books:                                      # books are of one symbol each
            table = self.tables["1h"]
            out["1h"]["spread"] = [peer.spread(self.books[symbol], table["close"][row, -26:-1],
                                               table["quote_volume"][row, -26:-1])
                                   for row, symbol in enumerate(self.series["1h"])]
        return out, self.markets()

    def check_market(self):
        """Every field of every period's correlation against the oracle of markets."""
        values = 0
        for period, got in self.markets().items():
            want = market.calculate(MARKET, self.series[period], PERIODS[period][0])
            symbols, data = want["symbols"], want["data"]
            assert symbols == sorted(self.series[period]), symbols
            order = [list(self.series[period]).index(s) for s in symbols]
            where = f"{period} {MARKET}"
            for field in ("correlation_matrix", "overlap"):
                cells = got[field][np.ix_(order, order)]
                values += sum(same(where, field, cells[i][j], x, data) for i, row in enumerate(data[field]) for j, x in enumerate(row))
            for row, symbol in zip(order, symbols):
                values += same(where, "per_symbol", pick(got["per_symbol"], row), data["per_symbol"][symbol], data)
            values += same(where, "market", got["market"], data["market"], data)
            values += same(where, "shrinkage", got["shrinkage"], data["shrinkage"], data)
            assert got["repaired"] == data["repaired"]
        return values

    def check(self, wanted):
        """Every field of every unit, both ways, against the oracle's answers."""
        (units, _), (tables, _), values = self.by_unit(), self.by_table(), self.check_market()
        for period, frames in self.series.items():
            for row, symbol in enumerate(frames):
                for name, fields in wanted[period, symbol].items():
                    for got in units[period, symbol][name], pick(tables[period][name], row):
                        assert got.keys() == fields.keys(), (name, got.keys() ^ fields.keys())
                        values += sum(same(f"{period} {symbol} {name}.{field}", field, got[field], want, fields)
                                      for field, want in fields.items())
        return values


def pick(value, row):
    """Row of a table's answer."""
    if isinstance(value, list):
        return value[row]
    if isinstance(value, dict):
        return {key: pick(inner, row) for key, inner in value.items()}
    return value[row] if np.ndim(value) else value


def same(where, field, got, want, context):
    """1 (the number of values) when equal within the tolerance of the field; stops the benchmark when not."""
    if isinstance(want, dict):
        return sum(same(f"{where}.{key}", field if key.isdigit() else f"{field}.{key}", got[key], inner, context)
                   for key, inner in want.items())
    want = WORDS.get(want, want)
    if np.isnan(want):
        assert np.isnan(got), (where, got, want)
    else:
        assert abs(got - want) <= compare.tolerance(field, want, context), (where, got, want)
    return 1


def of_books(frame, rows):
    bars = [(int(time), float(row["close"]), float(row["quote_volume"])) for time, row in frame.tail(30).iterrows()]
    return {**books_oracle.spread(rows, bars), "expected": None, "missing": None}


def answers(series, books=None):
    """{(period, symbol): {calculator: fields}} of the oracle, and {...: whole answer} for the comparison of ours."""
    whole = {}
    for period, frames in series.items():
        for symbol, frame in frames.items():
            own = symbol == BENCHMARK
            whole[period, symbol] = {
                name: oracle.calculate(name, frame, PERIODS[period][0], benchmark=None if own else frames[BENCHMARK],
                                       is_benchmark=own) for name in CATEGORIES}
            if books and period == "1h":
                whole[period, symbol]["spread"] = of_books(frame, books[symbol])
    return {unit: {name: answer["data"] for name, answer in all_of.items()} for unit, all_of in whole.items()}, whole


def timed(action):
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1e3


def spread(ms):
    low, *_, high = statistics.quantiles(ms, n=10)
    return f"{statistics.median(ms):8.2f} ms [{low:.2f}-{high:.2f}]"


# ---------------------------------------------------------------------------------------------------------------
# ours

class Ours:
    """A store made by `import` of the candles as files."""

    def __init__(self, folder, series, books=None):
        self.store, self.series, self.books = folder / "store", series, books
        every = "every = { " + ", ".join(f'"{period}"' for period in series) + " }"
        files = write(folder, series)
        files += [write_books(folder, symbol, rows) for symbol, rows in (books or {}).items()]
        harness.petrosa("import", "--quiet", *files, store=self.store)
        self.units = sum(map(len, series.values()))
        self.results = sum(len(categories(period, books)) * len(frames) + 1 for period, frames in series.items())
        scripts = folder / "scripts"  # what the peer computes, and nothing more
        shutil.copytree(harness.ROOT / "scripts/lib", scripts / "lib")
        for kind in ("calculators", "regimes"):
            (scripts / kind).mkdir()
            for name in (*categories("1h", books), MARKET):  # at the periods measured, whatever they ask for themselves
                if (file := harness.ROOT / f"scripts/{kind}/{name}.lua").exists():
                    asked = 'every = { "1h" }' if name == "spread" else every
                    (scripts / kind / file.name).write_text(re.sub(r"every\s*= \{[^}]*\}", asked, file.read_text(), count=1))
        self.options = ("--set", f"scripts.path={scripts}")

    def compute(self):
        """One cycle; (ms of the cycle inside the program with its workers up, ms of the whole program)."""
        start = time.perf_counter()
        done = harness.petrosa("compute", "--quiet", "--json", "--periods", ",".join(self.series), *self.options, store=self.store)
        whole = (time.perf_counter() - start) * 1e3
        sums = json.loads(done.stdout)
        rows, names = sums["rows"], {*categories("1h", self.books), MARKET}
        assert sum(row["computed"] for row in rows) == self.results and sums["failed"] == 0, sums
        assert all(row["warming"] == 0 for row in rows), sums
        others = {row["script"] for row in sums["rows"]} - names
        assert not others, f"computes more than the peer does: {others}"
        return sums["wall_us"] / 1e3, whole, {(row["script"], row["period"]): row["elapsed_us"] / row["computed"]
                                              for row in rows}

    def resident(self, cycles):
        """ms of each timed cycle of a daemon, one a second, after two that warm it up."""
        daemon = harness.Daemon(*self.options, "--set", "cycle.interval=1s", "--set", "log.level=debug", store=self.store)
        try:
            time.sleep(cycles + 2.5)
        finally:
            daemon.stop()
        done = re.findall(r" cycle done units=(\d+) results=(\d+) failed=(\d+) us=(\d+)", daemon.logged())
        units = self.units + len(self.series)
        assert len(done) >= cycles and all(d[:3] == (str(units), str(self.results), "0") for d in done[2:]), done
        return [int(us) / 1e3 for *_, us in done[2:]]

    def check(self, whole):
        """Every field of every unit against the oracle's whole answers."""
        tally = compare.Tally()
        for (period, symbol), answers_of in whole.items():
            for name, want in answers_of.items():
                done = harness.petrosa("eval", name, "--pair", symbol, "--period", period, "--json", store=self.store)
                body = json.loads(done.stdout)
                compare.judge(tally, f"{symbol} {period}", name, body, want)
        for period, frames in self.series.items():
            done = harness.petrosa("eval", MARKET, "--period", period, "--json", store=self.store)
            compare.judge_market(tally, f"market {period}", json.loads(done.stdout), market.calculate(MARKET, frames, PERIODS[period][0]))
        assert not tally.wrong, "\n".join(tally.wrong[:20])
        return sum(tally.values.values())


def cycle(folder):
    series = recorded()
    kind = "recorded candles, taker volume made up" if series else "made-up candles"
    series = series or {period: walks(real.FIVE, *PERIODS[period]) for period in USUAL}
    books = made_books(series)
    wanted, whole = answers(series, books)
    theirs = Peer(series, books)
    values = theirs.check(wanted)
    ours = Ours(folder, series, books) if harness.PETROSA.exists() else None
    checked = ours.check(whole) if ours else 0
    unit, table, runs = [], [], []
    for _ in range(RUNS):                       # in turns, so that a busy machine is so for all
        unit.append(timed(theirs.by_unit))
        table.append(timed(theirs.by_table))
        runs += [ours.compute()] if ours else []
    print(f"cycle   numpy/scipy {spread(unit)} unit by unit; {spread(table)} all symbols of a period as one table "
          f"({kind}, made-up books; {values} values equal the oracle's)")
    if not ours:
        print(f"cycle   ours skipped: {harness.PETROSA} is not built")
        return
    for what, ms in ("a daemon's", ours.resident(RUNS - 4)), ("a new program's first", [run[0] for run in runs]):
        x, y, z = (statistics.median(part) for part in (ms, unit, table))
        print(f"cycle   ours {spread(ms)}   numpy/scipy {y:.2f} ms   ratio {y / x:.2f}   "
              f"(one table {z / x:.2f}; {what} cycle; {checked} values equal the oracle's)")
    print(f"        the program from start to end {spread([run[1] for run in runs])}")
    each = {key: statistics.median(run[2][key] for run in runs) for key in runs[0][2]}
    shown = (f"{name} {period} {us:.0f}" for (name, period), us in sorted(each.items()))
    print("        us a result: " + "  ".join(shown))


def large(folder, periods=("1h",)):
    symbols = [BENCHMARK] + [f"W{i:03d}USDT" for i in range(499)]
    series = {period: walks(symbols, *PERIODS[period]) for period in periods}
    theirs = Peer(series)
    few = {period: {symbol: series[period][symbol] for symbol in symbols[:3]} for period in periods}
    Peer(few).check(answers(few)[0])
    what = "1h" if len(periods) == 1 else f"{len(periods)} periods"
    ours = Ours(folder, series) if harness.PETROSA.exists() else None
    unit, table, runs = [], [], []
    for _ in range(5):
        unit.append(timed(theirs.by_unit))
        table.append(timed(theirs.by_table))
        runs += [ours.compute()] if ours else []
    x, y, z = (statistics.median(ms) if ms else 0 for ms in ([run[0] for run in runs], unit, table))
    print(f"cycle   500 symbols x {what}: numpy/scipy {y:.0f} ms unit by unit; {z:.0f} ms as one table")
    if ours:
        print(f"cycle   500 symbols x {what}: ours {x:.0f} ms   numpy/scipy {y:.0f} ms   ratio {y / x:.2f}   "
              f"(one table {z / x:.2f})")
        for name in (*CATEGORIES, MARKET):      # by the scripts' own clocks, over all workers
            counts = {period: 1 if name == MARKET else len(symbols) for period in periods}
            each = {period: statistics.median(run[2][name, period] for run in runs) for period in periods}
            whole = sum(us * counts[period] for period, us in each.items())
            print(f"        {name:12} {whole / 1e3:8.0f} ms in all; us a result: " + "  ".join(f"{p} {us:.0f}" for p, us in each.items()))
    else:
        print(f"cycle   500 symbols x {what}: ours skipped: {harness.PETROSA} is not built")


def main():
    for part in (cycle, large, lambda folder: large(folder, SIX)) if "--large" in sys.argv[1:] else (cycle,):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="petrosa-bench-"))
        try:
            part(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
