"""real.py - recorded market data for the comparison, and what the calculators must say about it.

The files are not part of the project: they are looked for in ../shared/data beside the checkout or in
$PETROSA_DATA_DIR. Expectations are computed when asked for, never stored.
"""
import glob
import os

import pandas as pd

import calculators as oracle

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
FIVE = ["ADAUSDT", "BNBUSDT", "BTCUSDT", "ETHUSDT", "SOLUSDT"]
BENCHMARK = "BTCUSDT"

# Columns of each layout, in order; None = not ours.
NINE = ["open_time", "open", "high", "low", "close", "volume", "quote_volume", "trades", None]
EIGHT = ["open_time", "open", "high", "low", "close", "volume", "quote_volume", None]
TWELVE = ["open_time", "open", "high", "low", "close", "volume", None, "quote_volume", "trades",
          "taker_buy_volume", None, None]


def folder():
    """Where the recorded data are, or None."""
    path = os.environ.get("PETROSA_DATA_DIR") or os.path.join(ROOT, "..", "shared", "data")
    return os.path.abspath(path) if os.path.isdir(os.path.join(path, "klines")) else None


def read(path, layout):
    """A kline file as the store must hold it: by open time in us, what a layout lacks is missing."""
    with (pd.io.common.get_handle(path, "r", compression="infer")) as handles:
        header = not handles.handle.readline()[0].isdigit()
    frame = pd.read_csv(path, header=0 if header else None, names=[c or f"_{i}" for i, c in enumerate(layout)],
                        float_precision="round_trip")
    time = frame["open_time"].astype("int64")
    frame["open_time"] = time.where(time > 10 ** 14, time * 1000)        # ms or us
    return frame.set_index("open_time").reindex(columns=oracle.COLUMNS).astype(float)


class Series:
    """One symbol and period of one store, from one file or several that follow each other."""

    def __init__(self, store, symbol, period, paths, layout, as_of, funding=()):
        self.store, self.symbol, self.period, self.paths = store, symbol, period, sorted(paths)
        self.funding = list(funding)
        self.layout, self.as_of = layout, as_of
        self.tau = oracle.period_us(period)
        self._bars = None

    def bars(self):
        if self._bars is None:
            self._bars = pd.concat([read(path, self.layout) for path in self.paths])
        return self._bars

    def others(self):
        """Rows that are no bars, by kind."""
        if not self.funding:
            return {}
        paid = pd.concat([pd.read_csv(path, float_precision="round_trip") for path in self.funding])
        paid = paid.assign(time=paid["timestamp"] * 1000, rate=paid["funding_rate"], mark_price=float("nan"))
        return {"funding": paid.set_index("time")}


def us(text):
    return pd.Timestamp(text, tz="UTC").value // 1000


def catalogue(root):
    """Every series that is compared.  as_of: None is the newest; the others stand in a hole's shadow, or early."""
    def kline(*parts):
        return sorted(glob.glob(os.path.join(root, "klines", *parts)))

    out = []
    for symbol in FIVE:
        funding = glob.glob(os.path.join(root, "funding", symbol + "_funding.csv"))
        out.append(Series("futures", symbol, "1h", kline("um_1h", symbol + "_1h.csv"), NINE,
                          [None, us("2025-12-01T07:30:00"), us("2025-09-16T11:00:00"), us("2026-02-20T05:00:00")],
                          funding))
        out.append(Series("futures", symbol, "1d", kline("um_1d", symbol + "_1d.csv"), NINE,
                          [None, us("2025-03-02"), us("2024-03-05")], funding))
        # 2021-08-13 misses 4 bars, 2021-04-25 three and five days before that two; 2021-02-11 03:00 has no volume.
        out.append(Series("spot", symbol, "1h", kline("spot_1h", symbol + "_1h_2021.csv"), EIGHT,
                          [None, us("2021-08-13T15:00:00"), us("2021-04-25T09:00:00"), us("2021-02-11T04:00:00")]))
        out.append(Series("spot", symbol, "1d", kline("spot_1d", symbol + "_1d_to_2021.csv"), EIGHT,
                          [None, us("2021-05-20"), us("2020-10-10")]))
    for symbol in ("ALGOUSDT", "AVAXUSDT", "LINKUSDT", "NEARUSDT"):
        out.append(Series("futures", symbol, "1m", kline("dump_um_1m", symbol + "-1m-*.csv.gz"), TWELVE,
                          [None, us("2023-02-02T05:17:30")]))
    for symbol in ("BTCUSDT", "ETHUSDT"):
        out.append(Series("dumps", symbol, "1h", kline("dump_spot_1h", symbol + "-1h-*.csv"), TWELVE,
                          [None, us("2024-12-31T18:00:00")]))
    return out


def expectation(series, every, calculator, as_of, params=None):
    """What `calculator` must answer for the series; the benchmark is taken from the same store and period."""
    bench = [s for s in every if (s.store, s.symbol, s.period) == (series.store, BENCHMARK, series.period)]
    own = series.symbol == BENCHMARK
    more = {kind: rows for kind, rows in series.others().items() if kind in oracle.ALL[calculator].get("others", ())}
    if calculator in oracle.DETECTORS:
        more["whole"] = True                                     # as `petrosa eval` asks
    return oracle.calculate(calculator, series.bars(), series.tau, as_of, params,
                            benchmark=bench[0].bars() if bench and not own else None, is_benchmark=own, **more)
