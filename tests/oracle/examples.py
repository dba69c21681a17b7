"""examples.py - what the scripts of scripts/examples must answer, written a second time (see calculators.py).

Straight from the definitions that their heads name, with pandas, numpy and statsmodels. Each takes the window, the
parameters, the benchmark's window or None, whether the symbol is the benchmark, and the module calculators, whose rules
about missing values hold here too.

Readings
- supertrend, keltner: recursions take the bars whose prices are all there, in order; a last bar without them has no
  value. The exponential mean of keltner takes the closes that are there.
- anchored_vwap: the anchor is that of the open of the last bar, so a bar that ends at midnight belongs to the day before.
- vpin: the number of buckets is ceil(per_day * days) - 1, so that the oldest one, which may be cut, is never among them.
- breakout_alert: numbers in the message are rounded half up, as LuaJIT prints them.
- har_rv: a day is the 24 hours before as_of; 30 complete rows are needed for a line.
"""
import math
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd
from statsmodels.regression.linear_model import OLS
from statsmodels.tools import add_constant

DAY_US = 86_400_000_000


def null_all(fields, reason, calc):
    def fail():
        raise calc.Null(reason)
    return {field: fail for field in fields}


def ranges(w, length, calc):
    """Middle of the bar, its close and Wilder's range of the bars that are there, and their positions."""
    frame = pd.DataFrame({"high": w.high, "low": w.low, "close": w.close}).replace([np.inf, -np.inf], np.nan).dropna()
    before = frame["close"].shift()
    true_range = pd.concat([frame["high"], before], axis=1).max(axis=1) - pd.concat([frame["low"], before], axis=1).min(axis=1)
    average = pd.Series(calc.NAN, index=frame.index)
    for i in range(length, len(frame)):
        average.iloc[i] = (true_range.iloc[1:length + 1].mean() if i == length
                           else (average.iloc[i - 1] * (length - 1) + true_range.iloc[i]) / length)
    return frame.assign(middle=(frame["high"] + frame["low"]) / 2, atr=average)


def supertrend(w, p, benchmark, is_benchmark, calc):
    fields = ["supertrend", "direction", "distance", "bars_since_turn"]
    if not np.all(np.isfinite([w.close[-1], w.high[-1], w.low[-1]])):
        return null_all(fields, "missing", calc)
    table = ranges(w, p["length"], calc).dropna()
    if len(table) == 0:
        return null_all(fields, "too_few", calc)
    up, down = table["middle"] + p["multiplier"] * table["atr"], table["middle"] - p["multiplier"] * table["atr"]
    close, stops, sides, turned = table["close"].to_numpy(), [], [], None
    upper, lower = up.to_numpy().copy(), down.to_numpy().copy()
    for i, position in enumerate(table.index):
        if i > 0:
            upper[i] = min(upper[i], upper[i - 1]) if close[i - 1] <= upper[i - 1] else upper[i]
            lower[i] = max(lower[i], lower[i - 1]) if close[i - 1] >= lower[i - 1] else lower[i]
        side = "down" if i == 0 else sides[-1]
        if i > 0 and side == "down" and close[i] > upper[i]:
            side = "up"
        elif i > 0 and side == "up" and close[i] < lower[i]:
            side = "down"
        if i > 0 and side != sides[-1]:
            turned = position
        sides.append(side)
        stops.append(lower[i] if side == "up" else upper[i])

    def bars_since_turn():
        if turned is None:
            raise calc.Null("no_turn")
        return int(w.n - 1 - turned)

    return {
        "supertrend": lambda: float(stops[-1]),
        "direction": lambda: sides[-1],
        "distance": lambda: 100 * (close[-1] - stops[-1]) / stops[-1],
        "bars_since_turn": bars_since_turn,
    }


def anchored_vwap(w, p, benchmark, is_benchmark, calc):
    opened = pd.Timestamp(int(w.time[-1]), unit="us")
    start = {"day": opened.normalize(), "week": opened.to_period("W-SUN").start_time,
             "month": opened.to_period("M").start_time}[p["anchor"]]
    part = w.bars[pd.to_datetime(w.time, unit="us") >= start]
    volume, value = part["volume"].to_numpy(), part["quote_volume"].to_numpy()

    def traded():
        return calc.total(volume, "volume_missing")

    def vwap():
        traded()
        return calc.ratio(calc.total(value, "quote_volume_missing"), traded(), "zero_volume")

    def deviation():
        center, some = vwap(), volume > 0
        return math.sqrt(np.average((value[some] / volume[some] - center) ** 2, weights=volume[some]))

    def z_score():
        center, sd = vwap(), deviation()
        close = calc.known(w.close[-1])
        return calc.ratio(close - center, sd if sd > 1e-12 * center else 0, "flat")

    return {
        "vwap": vwap,
        "upper": lambda: vwap() + p["width"] * deviation(),
        "lower": lambda: vwap() - p["width"] * deviation(),
        "deviation": deviation,
        "z_score": z_score,
        "distance": lambda: 100 * (calc.known(w.close[-1]) / vwap() - 1) if vwap() else None,
        "volume": traded,
        "bars": lambda: len(part),
    }


def ichimoku(w, p, benchmark, is_benchmark, calc):
    def middle(end, n):
        """Middle of the n bars that end `end` bars before the last."""
        stop = w.n - end
        if stop < n:
            raise calc.Null("too_few")
        return (np.max(calc.present(w.high[stop - n:stop], least=min(2, n)))
                + np.min(calc.present(w.low[stop - n:stop], least=min(2, n)))) / 2

    back = p["displacement"] - 1

    def span_a(end):
        return (middle(end, p["conversion"]) + middle(end, p["base"])) / 2

    def lagging():
        close = calc.known(w.close[-1])
        if w.n <= back or not np.isfinite(w.close[-1 - back]):
            raise calc.Null("too_few")
        return 100 * (close - w.close[-1 - back]) / w.close[-1 - back]

    def position():
        close, cloud = calc.known(w.close[-1]), (span_a(back), middle(back, p["span"]))
        return "above" if close > max(cloud) else "below" if close < min(cloud) else "inside"

    def signal():
        fast, slow = middle(0, p["conversion"]), middle(0, p["base"])
        return "bullish" if fast > slow else "bearish" if fast < slow else "neutral"

    return {
        "conversion": lambda: float(middle(0, p["conversion"])),
        "base": lambda: float(middle(0, p["base"])),
        "leading_a": lambda: float(span_a(back)),
        "leading_b": lambda: float(middle(back, p["span"])),
        "ahead_a": lambda: float(span_a(0)),
        "ahead_b": lambda: float(middle(0, p["span"])),
        "lagging": lagging,
        "position": position,
        "signal": signal,
    }


def keltner(w, p, benchmark, is_benchmark, calc):
    length, close = p["length"], pd.Series(w.close)
    atr = ranges(w, p["range"], calc)["atr"].reindex(range(w.n))
    here = close.dropna()
    center = pd.Series(calc.NAN, index=range(w.n))
    if len(here) >= length:
        center.loc[here.index[length - 1:]] = calc.seeded_ema(here.to_numpy(), length)
    upper, lower = center + p["multiplier"] * atr, center - p["multiplier"] * atr
    mean, sd = pd.Series(calc.NAN, index=range(w.n)), pd.Series(calc.NAN, index=range(w.n))
    for i in range(length - 1, w.n):
        part = close[i - length + 1:i + 1].dropna()
        if len(part) >= max(2, math.ceil(length / 2)):
            mean[i], sd[i] = math.fsum(part) / len(part), float(np.std(part, ddof=1)) if part.max() > part.min() else 0.0
    why = "too_few" if np.isfinite(w.close[-1]) else "missing"

    def known(value):
        if not np.isfinite(value):
            raise calc.Null(why)
        return float(value)

    def squeeze_bars():
        known((mean + sd + upper + lower).iloc[-1])
        inside = ((mean + 2 * sd < upper) & (mean - 2 * sd > lower)).to_numpy()
        outside = np.flatnonzero(~inside)
        return int(w.n - 1 - outside[-1]) if len(outside) else w.n

    def position():
        known((upper + lower).iloc[-1])
        return known(calc.ratio(w.close[-1] - lower.iloc[-1], upper.iloc[-1] - lower.iloc[-1], "flat"))

    return {
        "middle": lambda: known(center.iloc[-1]),
        "upper": lambda: known(upper.iloc[-1]),
        "lower": lambda: known(lower.iloc[-1]),
        "width": lambda: known((upper.iloc[-1] - lower.iloc[-1]) / center.iloc[-1]),
        "position": position,
        "squeeze": lambda: "on" if squeeze_bars() > 0 else "off",
        "squeeze_bars": squeeze_bars,
    }


def volume_profile(w, p, benchmark, is_benchmark, calc):
    fields = ["point_of_control", "value_area_high", "value_area_low", "control_share", "position", "low", "row_height",
              "profile"]
    if not np.all(np.isfinite(w.volume)):
        return null_all(fields, "volume_missing", calc)
    if np.sum(w.volume) == 0:
        return null_all(fields, "zero_volume", calc)
    if not (np.all(np.isfinite(w.high)) and np.all(np.isfinite(w.low))):
        return null_all(fields, "missing", calc)
    if w.high.max() == w.low.min():
        return null_all(fields, "flat", calc)
    edges = w.low.min() + (w.high.max() - w.low.min()) / p["rows"] * np.arange(p["rows"] + 1)
    rows = [[] for _ in range(p["rows"])]
    for high, low, volume in zip(w.high, w.low, w.volume):          # bar by bar, where the script goes row by row
        if high == low:
            rows[min(int(np.searchsorted(edges, low, side="right")) - 1, p["rows"] - 1)].append(volume)
            continue
        shares = np.diff(np.interp(edges, [low, high], [0.0, 1.0]))
        for k in np.flatnonzero(shares):
            rows[k].append(volume * shares[k])
    profile = np.array([math.fsum(row) for row in rows])
    total, at = math.fsum(w.volume), int(np.argmax(profile))
    first = last = at
    while math.fsum(profile[first:last + 1]) < p["share"] / 100 * total and (first > 0 or last < p["rows"] - 1):
        below = profile[first - 1] if first > 0 else -1.0
        above = profile[last + 1] if last < p["rows"] - 1 else -1.0
        first, last = (first, last + 1) if above >= below else (first - 1, last)

    def position():
        close = calc.known(w.close[-1])
        return "above" if close > edges[last + 1] else "below" if close < edges[first] else "inside"

    return {
        "point_of_control": lambda: float((edges[at] + edges[at + 1]) / 2),
        "value_area_high": lambda: float(edges[last + 1]),
        "value_area_low": lambda: float(edges[first]),
        "control_share": lambda: 100 * float(profile[at]) / total,
        "position": position,
        "low": lambda: float(w.low.min()),
        "row_height": lambda: float((w.high.max() - w.low.min()) / p["rows"]),
        "profile": lambda: [float(v) for v in profile],
    }


def vpin(w, p, benchmark, is_benchmark, calc):
    days = w.n * w.tau / DAY_US
    count = math.ceil(p["per_day"] * days) - 1

    def size():
        return calc.ratio(calc.total(w.volume, "volume_missing"), days * p["per_day"], "zero_volume")

    def bucket_volume():
        if size() == 0:
            raise calc.Null("zero_volume")
        return size()

    def series():
        """Imbalance of each bucket by what was bought and sold up to its edges, oldest first."""
        bucket = bucket_volume()
        calc.total(w.taker, "taker_volume_missing")
        traded = np.concatenate([[0.0], np.cumsum(w.volume[::-1])])
        signed = np.concatenate([[0.0], np.cumsum((2 * w.taker - w.volume)[::-1])])
        at_edges = np.interp(bucket * np.arange(count + 1), traded, signed)
        return np.abs(np.diff(at_edges))[::-1] / bucket

    def rolled():
        values = series()
        if len(values) < p["buckets"]:
            raise calc.Null("too_few")
        return np.lib.stride_tricks.sliding_window_view(values, p["buckets"]).mean(axis=1)

    def percentile():
        values = rolled()
        return float(np.mean(values <= values[-1] + 1e-12))

    def last_imbalance():
        values = series()
        if len(values) == 0:
            raise calc.Null("too_few")
        return float(values[-1])

    def bucket_count():
        bucket_volume()
        return count

    return {
        "vpin": lambda: float(rolled()[-1]),
        "percentile": percentile,
        "last_imbalance": last_imbalance,
        "bucket_volume": bucket_volume,
        "bucket_count": bucket_count,
    }


def har_rv(w, p, benchmark, is_benchmark, calc):
    short = "no_intraday" if w.tau >= DAY_US else "too_few"
    r = pd.Series(w.log_returns, index=w.time)
    # Days are counted back from as_of: day 0 is the newest.
    age = (w.as_of - w.time - w.tau) // DAY_US
    per_day = DAY_US // w.tau if w.tau < DAY_US else 0
    whole = int((w.as_of - w.time[0]) // DAY_US)
    by_day = (r ** 2).groupby(age).agg([lambda v: v.sum(skipna=False), "size"])
    day = by_day.iloc[:, 0].where(by_day.iloc[:, 1] == per_day).reindex(range(whole))[::-1].reset_index(drop=True) ** 0.5
    if w.tau >= DAY_US:
        day = pd.Series([], dtype=float)

    def trailing(n):
        out = day.rolling(n, min_periods=max(2, math.ceil(n / 2))).mean()
        return out.where(np.arange(len(day)) >= n - 1)

    table = pd.DataFrame({"day": day, "week": trailing(p["week"]), "month": trailing(p["month"])})

    def final(column):
        if len(table) == 0 or not np.isfinite(table[column].iloc[-1]):
            raise calc.Null(short)
        return float(table[column].iloc[-1])

    def fit():
        rows = table.assign(next=table["day"].shift(-1)).dropna()
        if len(day) > 1 and np.nanmax(day) - np.nanmin(day) <= 1e-12 * np.nanmax(day):
            raise calc.Null("flat")
        if len(rows) < 30:
            raise calc.Null(short)
        return OLS(rows["next"], add_constant(rows[["day", "week", "month"]])).fit()

    def forecast():
        line = fit()
        value = line.params["const"] + sum(line.params[name] * final(name) for name in ("day", "week", "month"))
        if value <= 0:
            raise calc.Null("negative")
        return float(value)

    return {
        "forecast": forecast,
        "forecast_annualized": lambda: forecast() * math.sqrt(365),
        "day": lambda: final("day"),
        "week": lambda: final("week"),
        "month": lambda: final("month"),
        "beta_day": lambda: float(fit().params["day"]),
        "beta_week": lambda: float(fit().params["week"]),
        "beta_month": lambda: float(fit().params["month"]),
        "constant": lambda: float(fit().params["const"]),
        "r_squared": lambda: float(fit().rsquared),
        "days": lambda: int(fit().nobs),
    }


def pairs_spread(w, p, benchmark, is_benchmark, calc):
    fields = ["hedge_ratio", "constant", "spread", "z_score", "half_life", "unit_root_t", "correlation", "state"]
    if is_benchmark:
        return null_all(fields, "is_benchmark", calc)
    if benchmark is None or benchmark.n == 0:
        return null_all(fields, "no_benchmark", calc)
    other = pd.Series(benchmark.close, index=benchmark.time).reindex(w.time).to_numpy()
    pairs = pd.DataFrame({"y": np.log(w.close), "x": np.log(other)}, index=w.time)
    kept = pairs.dropna()
    if len(kept) < max(20, math.ceil(w.n / 2)):
        return null_all(fields, "too_few", calc)
    if kept["x"].max() == kept["x"].min():
        return null_all(fields, "flat", calc)
    line = OLS(kept["y"], add_constant(kept["x"])).fit()
    spread = (pairs["y"] - line.params["const"] - line.params["x"] * pairs["x"]).to_numpy()
    sd = float(np.nanstd(spread, ddof=1))
    grid = w.on_grid(spread)
    step, before = np.diff(grid), grid[:-1]
    there = np.isfinite(step)

    def solid(value):
        if sd <= 1e-12:
            raise calc.Null("straight")
        return value

    def z_score():
        return float(solid(1) * calc.known(spread[-1]) / sd) if np.isfinite(spread[-1]) else calc.known(spread[-1])

    def half_life():
        solid(1)
        fit = OLS(grid[1:][there], add_constant(before[there])).fit()
        phi = fit.params[1]
        if not 0 < phi < 1:
            raise calc.Null("not_reverting")
        return float(-math.log(2) / math.log(phi))

    def unit_root_t():
        solid(1)
        if there.sum() < 20:
            raise calc.Null("too_few")
        return float(OLS(step[there], before[there]).fit().tvalues[0])

    def correlation():
        both = pd.concat([pd.Series(w.log_returns, index=w.time),
                          pd.Series(benchmark.log_returns, index=benchmark.time)], axis=1, join="inner").dropna()
        if len(both) < 20:
            raise calc.Null("too_few")
        return float(both.iloc[:, 0].corr(both.iloc[:, 1]))

    def state():
        z = z_score()
        return "rich" if z > p["entry"] else "cheap" if z < -p["entry"] else "fair"

    return {
        "hedge_ratio": lambda: float(line.params["x"]),
        "constant": lambda: float(line.params["const"]),
        "spread": lambda: float(calc.known(spread[-1])),
        "z_score": z_score,
        "half_life": half_life,
        "unit_root_t": unit_root_t,
        "correlation": correlation,
        "state": state,
    }


def breakout_alert(w, p, benchmark, is_benchmark, calc):
    def outputs(fired, message):
        def told():
            if message is None:
                raise calc.Null("quiet")
            return message
        return {"fired": lambda: fired, "message": told}

    first = max(w.n - 1 - p["length"], 0)
    high, low, close = w.high[first:-1], w.low[first:-1], w.close[-1]
    half = max(2, math.ceil(len(high) / 2))
    if not np.isfinite(close) or np.isfinite(high).sum() < half or np.isfinite(low).sum() < half:
        return null_all(["fired", "message"], "missing", calc)
    top, bottom = float(np.nanmax(high)), float(np.nanmin(low))
    if bottom <= close <= top:
        return outputs("no", None)
    volume = calc.calculate("volume", w.bars, w.tau, w.as_of)["data"]
    spike = volume and volume["volume_spike_ratio"]
    if spike is None:
        return null_all(["fired", "message"], "no_volume", calc)
    if spike < p["volume"]:
        return outputs("no", None)
    times = Decimal(spike).quantize(Decimal("0.01"), ROUND_HALF_UP)
    side, edge = ("above", top) if close > top else ("below", bottom)
    return outputs("yes", f"closed at {close:.10g}, {side} the {edge:.10g} of the {p['length']} bars before, on {times} times the usual "
                          "volume")


def funding_basis(w, p, benchmark, is_benchmark, calc, funding=None, marks=None):
    """funding, marks: DataFrames by time in us, or None."""
    def span(table, length):
        empty = pd.DataFrame(columns=["rate", "mark_price", "index_price"], dtype=float)
        return empty if table is None else table[(table.index >= w.as_of - length) & (table.index < w.as_of)]

    paid, hour = span(funding, 30 * DAY_US), span(marks, DAY_US // 24)
    rate, steps = paid["rate"].to_numpy(), np.diff(paid.index.to_numpy(dtype=float)) / 1e6
    with np.errstate(invalid="ignore", divide="ignore"):
        basis = (hour["mark_price"] / hour["index_price"]).to_numpy() * 1e4 - 1e4

    def some(least=1):
        if len(rate) == 0:
            raise calc.Null("no_funding")
        if len(rate) < least:
            raise calc.Null("too_few")
        return rate

    def interval():
        some(2)
        minutes = float(np.median(steps[-5:])) / 60
        return int(math.floor(minutes + 0.5)) * 60

    def z_score():
        before = some(3)[:-1]
        sd = float(np.std(before, ddof=1)) if before.max() > before.min() else 0.0
        return calc.ratio(rate[-1] - float(np.mean(before)), sd, "flat")

    def of_marks(pick):
        if len(basis) == 0:
            raise calc.Null("no_marks")
        if not np.isfinite(pick()):
            raise calc.Null("index_missing")
        return float(pick())

    def mean_basis():
        there = basis[np.isfinite(basis)]
        return np.mean(there) if len(there) >= max(math.ceil(len(basis) / 2), min(2, len(basis))) else calc.NAN

    return {
        "rate": lambda: float(some()[-1]),
        "interval": interval,
        "annualized": lambda: 100 * 365 * float(some()[-1]) * (86400 / interval()),
        "mean_annualized": lambda: 100 * 365 * math.fsum(some(2)[1:]) / (math.fsum(steps) / 86400),
        "paid": lambda: 100 * math.fsum(some()),
        "z_score": z_score,
        "positive_share": lambda: 100 * float(np.mean(some() > 0)),
        "payments": lambda: len(rate),
        "basis": lambda: of_marks(lambda: basis[-1]),
        "mean_basis": lambda: of_marks(mean_basis),
    }


EXAMPLES = {
    # as CALCULATORS in calculators.py; the module itself is handed to `fields` as its last argument
    "supertrend": dict(fields=supertrend, days=30, floor=120, least=lambda p: p["length"] + 2,
                       need=lambda p: 10 * p["length"], params={"length": 10, "multiplier": 3.0}),
    "anchored_vwap": dict(fields=anchored_vwap, days=31, floor=1, least=lambda p: 1, need=lambda p: 0,
                          params={"anchor": "day", "width": 2.0}),
    "ichimoku": dict(fields=ichimoku, days=1, floor=1, least=lambda p: max(p["conversion"], p["base"], p["span"]),
                     need=lambda p: 2 * (max(p["base"], p["span"]) + p["displacement"]),
                     params={"conversion": 9, "base": 26, "span": 52, "displacement": 26}),
    "keltner": dict(fields=keltner, days=30, floor=120, least=lambda p: max(p["length"], p["range"] + 1),
                    need=lambda p: 5 * max(p["length"], p["range"]),
                    params={"length": 20, "range": 10, "multiplier": 2.0}),
    "volume_profile": dict(fields=volume_profile, days=7, floor=24, least=lambda p: 10, need=lambda p: 0,
                           params={"rows": 24, "share": 70.0}),
    "vpin": dict(fields=vpin, days=7, floor=1, least=lambda p: 1, need=lambda p: 0,
                 params={"per_day": 50, "buckets": 50}),
    "har_rv": dict(fields=har_rv, days=180, floor=1, least=lambda p: 1, need=lambda p: 0,
                   params={"week": 7, "month": 30}),
    "pairs_spread": dict(fields=pairs_spread, days=30, floor=120, least=lambda p: 50, need=lambda p: 0,
                         params={"entry": 2.0}),
    "breakout_alert": dict(fields=breakout_alert, days=1, floor=24, least=lambda p: p["length"] + 1,
                           need=lambda p: 2 * (p["length"] + 1), params={"length": 20, "volume": 1.5}),
    "funding_basis": dict(fields=funding_basis, days=1 / 24, floor=1, least=lambda p: 1, need=lambda p: 0, params={},
                          others=("funding", "marks")),
}
