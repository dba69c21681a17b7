#!/usr/bin/python3
"""books.py - what the spread calculator must say about order books: numpy and exact fractions, no code of the program.

    books.py                       writes tests/golden/books/*.json (generated books) and tests/golden/calculators/spread.json
    books.py --check               computes the answers again from the stored inputs and compares; writes nothing
    books.py --compare --petrosa BUILD/petrosa [--data DIR]
                                   rebuilds the books of recorded captures from their own messages, imports the captures,
                                   and holds `petrosa eval spread` against the oracle at many moments

Recorded data is never stored. Exit 0: done, or all equal; 1: not; 77: skipped, with the reason.
"""
import argparse
import bisect
import gzip
import json
import math
import os
import random
import shutil
import sys
import tempfile
from fractions import Fraction

try:
    import numpy as np

    import compare as comparison
    import golden
    import real
except ImportError as why:
    print(f"skipped: {why}")
    sys.exit(77)

GOLDEN, START_US, HOUR = golden.GOLDEN, golden.START_US, golden.HOUR
SECOND = 1_000_000
SPAN, STANDS, RETURNS, LEVELS = HOUR, 60 * SECOND, 24, 20
BANDS, ORDERS = (5, 10, 25, 50, 100), (1000, 10000, 100000)


# ---------------------------------------------------------------------------------------------------------------
# the answer

def exact(side):
    """Levels as fractions of the decimals that they are written as."""
    return [(Fraction(str(p)), Fraction(str(q))) for p, q in side]


def taken(side, amount, in_quote):
    """Walks a side: base and quote taken until `amount` (quote or base units) is filled, and the share filled."""
    base = quote = Fraction(0)
    for price, quantity in side:
        rest = (amount - quote) / price if in_quote else amount - base
        step = min(quantity, rest)
        base, quote = base + step, quote + step * price
    return base, quote, (quote if in_quote else base) / amount



def of_book(bids, asks):
    (b, qb), (a, qa) = bids[0], asks[0]
    mid, out, why = (a + b) / 2, {}, {}
    out["bid_ask_spread"], out["mid_price"], out["spread_percentage"] = a - b, mid, (a - b) / mid * 100
    out["depth_bp"] = {}
    for bp in BANDS:
        reach = Fraction(bp, 10000) * mid
        out["depth_bp"][str(bp)] = {
            "bid": sum(q for p, q in bids if mid - p <= reach), "ask": sum(q for p, q in asks if p - mid <= reach),
            "covered": mid - bids[-1][0] >= reach and asks[-1][0] - mid >= reach}
    out["market_depth_bid"], out["market_depth_ask"] = (out["depth_bp"]["100"][s] for s in ("bid", "ask"))
    base, quote, fill = taken(asks, Fraction(1), False)
    out["slippage_estimate"] = (quote / base - mid) / mid * 100 if fill == 1 else None
    if fill < 1:
        why["slippage_estimate"] = "too_thin"
    out["slippage"] = {}
    for order in ORDERS:
        entry = {}
        for name, side, sign in (("buy", asks, 1), ("sell", bids, -1)):
            base, quote, fill = taken(side, Fraction(order), True)
            entry[name] = sign * (quote / base - mid) / mid * 100 if base > 0 else None
            entry[name + "_fill"] = fill
            if base == 0:
                why[f"slippage.{order}.{name}"] = "zero_quantity"
        out["slippage"][str(order)] = entry
    for name, n in (("order_book_imbalance", 10), ("order_book_imbalance_5", 5), ("order_book_imbalance_20", 20)):
        bid, ask = (sum(q for _, q in side[:n]) for side in (bids, asks))
        out[name] = (bid - ask) / (bid + ask) if bid + ask > 0 else None
        if bid + ask == 0:
            why[name] = "zero_quantity"
    out["microprice"] = (a * qb + b * qa) / (qb + qa) if qb + qa > 0 else None
    if qb + qa == 0:
        why["microprice"] = "zero_quantity"
    return out, why


OF_BOOK = ("bid_ask_spread", "mid_price", "spread_percentage", "depth_bp", "market_depth_bid", "market_depth_ask", "slippage_estimate",
           "slippage", "order_book_imbalance", "order_book_imbalance_5", "order_book_imbalance_20", "microprice")


def has_hole(candles, end):
    """Is an hour missing between the first bar of the window and its end?"""
    opens = {row[0] for row in candles if end - (RETURNS + 1) * HOUR <= row[0] < end}
    return bool(opens) and any(hour not in opens for hour in range(min(opens), end, HOUR))


def of_hours(candles, end):
    """Amivest and Amihud over the last 24 returns of hourly bars: rows of (open time, close, quote volume or None)."""
    grid = np.full((RETURNS + 1, 2), np.nan)
    for time, close, quote in candles:
        at = (time - (end - (RETURNS + 1) * HOUR)) // HOUR
        if 0 <= at <= RETURNS:
            grid[at] = close, np.nan if quote is None else quote
    with np.errstate(divide="ignore", invalid="ignore"):
        r, quote = np.abs(np.diff(np.log(grid[:, 0]))), grid[1:, 1]
    there, both = np.isfinite(r), np.isfinite(r) & np.isfinite(quote)
    traded = both & (quote > 0)
    if there.sum() < RETURNS / 2 or both.sum() < RETURNS / 2:
        word = "too_few" if there.sum() < RETURNS / 2 else "quote_volume_missing"
        return (None, word), (None, word)
    moved = math.fsum(r[both])
    amivest = (math.fsum(quote[both]) / moved, None) if moved > 0 else (None, "flat")
    if traded.sum() < RETURNS / 2:
        return amivest, (None, "zero_volume")
    return amivest, (float(np.mean(r[traded] / quote[traded])), None)


def spread(books, candles, as_of=None):
    """books: (time, bids, asks) in order of time, both sides empty: a break."""
    limit = 2 ** 62 if as_of is None else as_of // 1000 * 1000
    books = [book for book in books if book[0] <= limit]
    if not books:
        return {"status": "empty", "as_of": None, "data": None}
    end = -(-books[-1][0] // 1000) * 1000
    books = [book for book in books if book[0] >= end - SPAN]
    time = np.array([book[0] for book in books], dtype=np.int64)
    valid = np.array([bool(book[1]) for book in books])
    stood = np.where(valid, np.minimum(np.append(time[1:], end) - time, STANDS), 0)
    out = {"as_of": end, "rows": len(books), "gaps": int((~valid).sum()), "completeness": 100 * int(stood.sum()) / SPAN,
           "status": "gap" if not valid.all() or has_hole(candles, end // HOUR * HOUR) else "ok"}
    if valid[-1]:
        data, why = of_book(exact(books[-1][1]), exact(books[-1][2]))
    else:
        data, why = dict.fromkeys(OF_BOOK), dict.fromkeys(OF_BOOK, "no_book")
    hours = of_hours([row for row in candles if row[0] + HOUR <= end], end // HOUR * HOUR)
    for name, (value, word) in zip(("liquidity_ratio", "amihud"), hours):
        data[name] = value
        if word:
            why[name] = word
    weight = stood[stood > 0]
    best = [[Fraction(str(side[0][0])) for side in book[1:]] if book[1] else None for book in books]
    gap = np.array([float(pair[1] - pair[0]) if pair else np.nan for pair in best])[stood > 0]
    if len(weight) == 0:
        data["spread_time_weighted"] = data["spread_p95"] = None
        why["spread_time_weighted"] = why["spread_p95"] = "too_few"
    else:
        data["spread_time_weighted"] = float(np.average(gap, weights=weight))
        order = np.argsort(gap, kind="stable")
        reached = np.cumsum(weight[order]) * 20 >= int(weight.sum()) * 19
        data["spread_p95"] = float(gap[order][np.argmax(reached)])

    def plain(value):
        if isinstance(value, dict):
            return {key: plain(part) for key, part in value.items()}
        return value if isinstance(value, bool) or value is None else float(value)

    return {**out, "data": plain(data), "reasons": why}


# ---------------------------------------------------------------------------------------------------------------
# generated books

def hours(seed, n, hole=(), blank=(), quiet=(), flat=False):
    """Hourly candles before START_US + 2 h: (open time, close, quote volume)."""
    rng, rows, close = random.Random(seed), [], 100.0
    for i in range(n):
        close = round(close * math.exp(0 if flat else 0.01 * rng.gauss(0, 1)), 2)
        quote = 0.0 if i in quiet else None if i in blank else round(rng.uniform(1e5, 1e6), 2)
        if i not in hole:
            rows.append([START_US + (i + 2 - n) * HOUR, close, quote])
    return rows


def ladder(rng, mid, tick, n, size, reach=1):
    """n levels of each side: prices on a grid of `tick`, gaps of 1 .. reach ticks."""
    bids, asks, digits = [], [], max(0, -int(math.floor(math.log10(tick))))
    for side, sign in ((bids, -1), (asks, 1)):
        at = 0
        for _ in range(n):
            at += rng.randint(1, reach)
            side.append([round((mid + sign * at) * tick, digits), round(size * math.exp(rng.gauss(0, 1)), 3)])
    return bids, asks


def stream(seed, n, mid=10000, tick=0.01, size=2.0, reach=3, pause=90.0, breaks=(), levels=6):
    """Books of a random walk; the last three and those before a break have all 20 levels."""
    rng, books, time = random.Random(seed), [], START_US + 400 * 1000
    for i in range(n):
        mid = max(50, mid + rng.randint(-4, 4))
        deep = i >= n - 3 or i + 1 in breaks
        bids, asks = ladder(rng, mid, tick, LEVELS if deep else levels, size, reach)
        books.append([time, [], []] if i in breaks else [time, bids, asks])
        time += int(rng.uniform(0.05, pause) * 1000) * 1000 + (137 if i % 5 == 0 else 0)
    return books


def edges():
    """Levels exactly on the edges of the bands around 100, the far side reaching exactly 1 %."""
    bids = [[99.99, 1.0], [99.95, 2.0], [99.9, 4.0], [99.75, 8.0], [99.5, 16.0], [99.0, 32.0]]
    asks = [[100.01, 1.5], [100.05, 2.5], [100.1, 4.5], [100.25, 8.5], [100.5, 16.5], [101.0, 32.5]]
    return [[START_US + i * SECOND, bids, asks] for i in range(3)]


def inputs():
    """name -> (about, books, hourly candles)."""
    even = [[START_US + i * SECOND, [[100.0, 5.0]], [[round(100.0 + 0.01 * (i % 20 + 1), 2), 5.0]]] for i in range(41)]
    return {
        "steady": ("books of an hour and a half, some of them far apart", stream(1, 110), hours(11, 40)),
        "breaks": ("breaks inside, one long, one at the end of the first half", stream(2, 100, breaks=(30, 31, 60, 75)),
                   hours(12, 40, hole=(30, 31, 35))),
        "broken": ("the newest row is a break", stream(3, 20, breaks=(19,)), hours(13, 40)),
        "edges": ("levels on the edges of the bands", edges(), hours(14, 40, blank=(38,), quiet=(30, 31))),
        "uneven": ("bids reach 1 %, asks do not",
                   [[START_US, [[100.0, 1.0], [99.4, 3.0], [98.0, 9.0]], [[100.1, 2.0], [100.2, 1.0]]],
                    [START_US + 7 * SECOND, [[100.0, 1.0], [99.4, 3.0], [98.0, 9.0]], [[100.1, 2.0], [100.2, 1.0]]]], []),
        "thin": ("less than one unit is asked", [[START_US + i * 500000, [[0.5, 0.25]], [[0.75, 0.5]]] for i in range(9)],
                 hours(15, 14)),
        "one": ("one unit is asked, in ten parts that sum to it in decimals only",
                [[START_US, [[100.0, 1.0]], [[101.0 + i, 0.1] for i in range(10)]]], hours(21, 40)),
        "late_hours": ("the bars end ten hours before the books", stream(5, 12), hours(22, 40, hole=range(30, 40))),
        "empty_levels": ("levels without a quantity", [[START_US, [[10.0, 0.0]], [[11.0, 0.0]]],
                                                      [START_US + SECOND, [[10.0, 0.0]], [[11.0, 0.0]]]], hours(16, 13)),
        "single": ("one book", [[START_US + 250, [[64000.5, 1.25], [64000.4, 3.0]], [[64000.6, 0.75], [64001.0, 9.0]]]],
                   hours(17, 12)),
        "flat": ("one price, one spread", [[START_US + i * 30 * SECOND, [[2.0, 10.0]], [[2.5, 10.0]]] for i in range(130)],
                 hours(18, 40, flat=True)),
        "even": ("twenty spreads of one second each, twice: the 95 % lie exactly at the nineteenth", even,
                 hours(19, 40, quiet=range(20, 40))),
        "blind": ("hours that do not say their value", stream(4, 12, tick=0.5, mid=400), hours(20, 40, blank=range(16, 40))),
    }


def cases(stored):
    """(books, as_of or None)."""
    out = [(name, None) for name in stored]
    times = {name: [book[0] for book in document["books"]] for name, document in stored.items()}
    out += [("steady", times["steady"][i] + more) for i, more in ((0, 0), (1, 999), (40, 500000), (70, 0), (108, 1))]
    out += [("breaks", times["breaks"][i] + more) for i, more in ((29, 0), (30, 5000), (32, 0), (60, 0), (61, 0), (99, -1))]
    out += [("steady", times["steady"][0] - 1), ("flat", times["flat"][121])]
    return out


def make():
    stored = {}
    os.makedirs(os.path.join(GOLDEN, "books"), exist_ok=True)
    for name, (about, books, candles) in inputs().items():
        stored[name] = {"about": about, "books": books, "candles": candles}
        with open(os.path.join(GOLDEN, "books", name + ".json"), "w", encoding="utf-8") as out:
            rows = [",\n".join("    " + json.dumps(row) for row in stored[name][key]) for key in ("books", "candles")]
            out.write(f'{{\n  "about": {json.dumps(about)},\n  "books": [\n{rows[0]}\n  ],\n  "candles": [\n{rows[1]}\n  ]\n}}\n')
    rows = [{"books": name, "as_of": as_of, "params": {}, "expect": answer(stored[name], as_of)}
            for name, as_of in cases(stored)]
    golden.write(os.path.join(GOLDEN, "calculators", "spread.json"),
                 {"calculator": "spread", "source": "tests/oracle/books.py: numpy and exact fractions; inputs in ../books",
                  "cases": rows})
    print(f"spread: {len(rows)} cases")
    return []


def answer(document, as_of):
    return spread([tuple(book) for book in document["books"]], document["candles"], as_of)


def load(*parts):
    with open(os.path.join(GOLDEN, *parts), encoding="utf-8") as text:
        return json.load(text)


def check():
    document, wrong = load("calculators", "spread.json"), []
    for number_of, case in enumerate(document["cases"]):
        want = answer(load("books", case["books"] + ".json"), case["as_of"])
        if not golden.same(want, case["expect"]):
            wrong.append(f"spread case {number_of} ({case['books']}) is not what the oracle says")
    print(f"{len(document['cases'])} golden cases of books recomputed, {len(wrong)} differ")
    return wrong


# ---------------------------------------------------------------------------------------------------------------
# recorded books

def replay(paths, us):
    """The best levels after the snapshot and after each difference that follows it; of one time the last counts."""
    keys, texts, rows, before, last, newest = None, None, {}, [], None, 0

    def change(s, price, quantity):
        """Prices as sorted numbers, bids negative so that the best is first; texts beside them."""
        key = -float(price) if s == 0 else float(price)
        at = bisect.bisect_left(keys[s], key)
        there = at < len(keys[s]) and keys[s][at] == key
        if float(quantity) == 0:
            if there:
                del keys[s][at], texts[s][key]
            return
        if not there:
            keys[s].insert(at, key)
        texts[s][key] = [price, quantity]

    def top(time):
        nonlocal newest
        newest = max(newest, time)  # a state is never stamped before the one it follows
        rows[newest] = tuple([texts[s][key] for key in keys[s][:LEVELS]] for s in (0, 1))

    def step(m):
        for s, side in ((0, "b"), (1, "a")):
            for price, quantity in m[side]:
                change(s, price, quantity)
        top(m.get("T", m["E"]) * 1000)

    for path in paths:
        with gzip.open(path, "rt") as lines:
            for line in lines:
                stamp, text = line.split(" ", 1)
                m = json.loads(text)
                if "lastUpdateId" in m:
                    keys, texts, last = ([], []), ({}, {}), m["lastUpdateId"]
                    for s, side in ((0, "bids"), (1, "asks")):
                        for price, quantity in m[side]:
                            change(s, price, quantity)
                    top(m["T"] * 1000 if "T" in m else int(stamp) // us)
                    for d in before:
                        if d["u"] > last:
                            step(d)
                elif "depth" in m["stream"]:
                    d = m["data"]
                    if keys is None:
                        before.append(d)
                    elif d["u"] >= last:
                        step(d)
    return [(time, *rows[time]) for time in sorted(rows)]


RECORDED = {"um": (["captures/um_btcusdt_20230404.dat.gz", "captures/um_btcusdt_20230405.dat.gz"], 1),
            "spot": (["captures/spot_btcusdt_20240808.gz"], 1000)}


def compare(args):
    tally = comparison.Tally()
    asked = 0
    for name, (files, us) in RECORDED.items():
        paths = [os.path.join(args.data, path) for path in files]
        if not all(os.path.isfile(path) for path in paths):
            print(f"skipped: no {files[0]} in {args.data}")
            return 77
        store, books = os.path.join(args.store, name), replay(paths, us)
        comparison.run(args.petrosa, "import", "--quiet", "--data", store, "--symbol", "BTCUSDT", *paths)
        for as_of in [None] + [books[len(books) * k // 9][0] + k % 3 * 400 for k in range(1, 9)]:
            words = [args.petrosa, "eval", "spread", "--data", store, "--pair", "BTCUSDT", "--json", "--set",
                     "scripts.path=" + os.path.join(real.ROOT, "scripts"), "--set", "scripts.call_budget=20s"]
            if as_of is not None:
                words += ["--as-of", str(as_of)]
            body, want = json.loads(comparison.run(*words)), spread(books, [], as_of)
            where = f"{name} {as_of}"
            for key in ("rows", "gaps"):
                tally.equal(where, "metadata." + key, body["metadata"][key], want[key])
            tally.equal(where, "status", body["status"], want["status"])
            tally.equal(where, "reasons", body["metadata"]["reasons"], want["reasons"])
            tally.equal(where, "as_of", body["as_of"].rstrip("Z"), str(np.datetime64(want["as_of"], "us").item().isoformat())
                        .rstrip("0").rstrip(".") if want["as_of"] % SECOND else comparison.iso(want["as_of"]).rstrip("Z"))
            if not math.isclose(body["metadata"]["completeness"], want["completeness"], rel_tol=1e-12):
                tally.equal(where, "completeness", body["metadata"]["completeness"], want["completeness"])
            for field, value in want["data"].items():
                tally.value(where, "spread." + field, field, body["data"][field], value, want["data"])
            asked += 1
    for path in sorted(tally.values):
        print(f"{path:44} {tally.values[path]:6} {tally.nulls[path]:5} {tally.relative[path]:15.2g} {tally.share[path]:13.2g}")
    for line in tally.wrong[:40]:
        print(line, file=sys.stderr)
    print(f"{asked} answers about recorded books, {sum(tally.values.values())} values compared, {len(tally.wrong)} wrong")
    return 1 if tally.wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--petrosa")
    parser.add_argument("--data", default=real.folder())
    args = parser.parse_args()
    if args.compare:
        if args.data is None:
            print("skipped: no recorded data in ../shared/data or $PETROSA_DATA_DIR")
            return 77
        args.store = tempfile.mkdtemp(prefix="petrosa-books-")
        try:
            return compare(args)
        finally:
            shutil.rmtree(args.store, ignore_errors=True)
    wrong = check() if args.check else make()
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
