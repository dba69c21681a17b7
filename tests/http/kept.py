"""What was computed on request is kept, and serves until something that it was made of changes."""
import json
import shutil
import time

from client import HOUR, MINUTE, US, ask, candle, load, write_candles, write_trades
from harness import ROOT, Daemon, Folder

SCRIPT = """--- {word}
return calculator {{
  api = 1, name = "{name}", about = "test", every = {{}}, needs = {{ {needs} }},
  params = {{ scale = int {{ default = 1, min = 1, max = 9, unit = "none", about = "times" }} }},
  outputs = {{ {{ "value", "ratio" }} }},
  compute = function(w, p, m) return {{ value = {value} }} end,
}}
"""


def times(n):
    return f"m.inner and m.inner.value and m.inner.value * {n} or null('none')"


class Kept(Folder):
    def setUp(self):
        super().setUp()
        self.scripts = self.dir / "scripts"
        shutil.copytree(ROOT / "scripts/lib", self.scripts / "lib")
        (self.scripts / "calculators").mkdir()
        now = int(time.time()) * US
        self.first = now - now % HOUR - 100 * HOUR
        self.write("inner", "w.close:final() * p.scale", "candles = { span = '1d', min = 1 }")
        self.write("outer", times(2), "metrics = { 'inner' }")
        self.write("beside", "w.benchmark and w.benchmark.close:final() or null('none')", "candles = { span = '1d', min = 1, benchmark = true }")
        for symbol in ("BTCUSDT", "ETHUSDT"):
            self.load(symbol, [candle(i, HOUR, start=self.first) for i in range(100)])
        daemon = Daemon("--set", f"scripts.path={self.scripts}", "--set", "http.threads=1", "--set", "cycle.benchmark=BTCUSDT", store=self.store)
        self.addCleanup(daemon.stop)
        self.port = daemon.port

    def load(self, symbol, rows, period="1h"):
        load(self.store, write_candles(self.dir / "rows.csv", rows), symbol, period)

    def write(self, name, value, needs, word="a"):
        (self.scripts / f"calculators/{name}.lua").write_text(SCRIPT.format(name=name, value=value, needs=needs, word=word))

    def reload(self):
        reply = ask(self.port, "/scripts/reload", "POST")
        self.assertEqual(reply.status, 200, reply.text)

    def made(self, target):
        """When the answer was computed, and its value."""
        time.sleep(0.01)  # the moment has a resolution of 1 ms
        reply = ask(self.port, target)
        self.assertEqual(reply.status, 200, reply.body[:300])
        body = reply.json
        self.assertEqual(body["metadata"]["computed"], "on_request")
        return body["metadata"]["computed_at"], (body if "pairs" in body else body["data"])["value"]

    def check(self, target, change, fresh):
        before = self.made(target)
        self.assertEqual(self.made(target), before)
        change()
        after = self.made(target)
        self.assertEqual(after[0] != before[0], fresh, (target, before, after))
        return before[1], after[1]

    def test_it_is_computed_anew_when_what_it_was_made_of_changes_and_only_then(self):
        own, wide = "/analysis/inner?pair=ETHUSDT&scale=3", "/analysis/beside?pair=ETHUSDT&scale=3"

        def grow(price):
            row = candle(100, HOUR, closed=0, start=self.first)
            row[4] = price
            return lambda: self.load("ETHUSDT", [row])

        def correct(symbol, price, i=99):
            row = candle(i, HOUR, start=self.first)
            row[4] = price
            return lambda: self.load(symbol, [row])

        self.check(own, grow("101.00"), False)
        self.check(own, grow("101.50"), False)  # nor when the candle under way grows
        self.check(own, correct("BTCUSDT", "149.50"), False)
        self.check(wide, correct("BTCUSDT", "149.75"), True)  # whose benchmark it is
        self.assertEqual(self.check(own, correct("ETHUSDT", "149.00"), True)[1], "447")
        self.check(wide, correct("ETHUSDT", "149.10"), True)
        self.check(own, correct("ETHUSDT", "102.00", i=1), True)  # outside of its window, but who knows
        self.assertEqual(self.check(own, lambda: self.load("ETHUSDT", [candle(100, HOUR, start=self.first)]), True)[1], "303.75")
        self.check(own, lambda: self.load("ETHUSDT", [candle(100 * 60 + i, MINUTE, start=self.first) for i in range(60)], "1m"), True)

    def test_of_built_bars_once_a_bar(self):
        target = "/analysis/inner?pair=ADAUSDT&scale=3&period=1h"
        self.load("ADAUSDT", [candle(i, MINUTE, start=self.first) for i in range(130)], "1m")

        def minute(i, **given):
            row = candle(i, MINUTE, start=self.first)
            row.__setitem__(5, given.get("volume", row[5]))
            return lambda: self.load("ADAUSDT", [row], "1m")

        self.check(target, minute(130), False)
        self.check(target, minute(131), False)
        self.check(target, minute(119, volume="13.000"), True)  # of its last bar
        self.check(target, lambda: self.load("ADAUSDT", [candle(i, MINUTE, start=self.first) for i in range(132, 180)], "1m"), True)
        past = target + f"&as_of={self.first + 2 * HOUR}"  # whatever comes later is of no matter to it
        self.check(past, lambda: self.load("ADAUSDT", [candle(i, MINUTE, start=self.first) for i in range(180, 300)], "1m"), False)
        self.check(past, minute(60, volume="13.000"), True)

    def test_of_the_market_until_a_bar_of_any_symbol_closes(self):
        self.write("all", "#w.symbols * p.scale", "market = { span = '1d', min = 1 }")
        self.reload()
        target = "/analysis/all?scale=3"
        row = candle(100, HOUR, closed=0, start=self.first)
        self.check(target, lambda: self.load("ETHUSDT", [row]), False)
        self.check(target, lambda: self.load("ETHUSDT", [row[:-1] + [1]]), True)
        self.check(target, lambda: self.load("BTCUSDT", [row[:-1] + [1]]), True)  # late: as_of is that of the other
        self.assertEqual(self.check(target, lambda: self.load("SOLUSDT", [candle(i, HOUR, start=self.first) for i in range(101)]), True), ("6", "9"))
        past = f"{target}&as_of={self.first + 50 * HOUR}"
        self.check(past, lambda: self.load("ETHUSDT", [candle(101, HOUR, start=self.first)]), False)

    def test_what_failed_is_tried_again(self):
        self.write("inner", "(p.scale == 9 or w.symbol == 'ODDUSDT') and ('x')() or w.close:final()", "candles = { span = '1d', min = 1 }")
        self.reload()
        self.load("ODDUSDT", [candle(i, HOUR, start=self.first) for i in range(100)])  # which no check had seen
        for target, status in (("/analysis/inner?pair=BTCUSDT&scale=9", "error"), ("/analysis/outer?pair=ODDUSDT&scale=2", "warming"),
                               ("/analysis/outer?pair=BTCUSDT&scale=2", "ok")):
            first = ask(self.port, target).json
            self.assertEqual(first["status"], status)
            time.sleep(1.1)
            failed = "BTCUSDT&scale=2" not in target  # itself, or the one that it needs
            self.assertEqual(ask(self.port, target).json["metadata"]["computed_at"] != first["metadata"]["computed_at"], failed, target)

    def test_bars_of_another_period_count_too(self):
        self.write("own", "w.close:final() * p.scale", "candles = { span = '1d', min = 1, period = '1h' }")
        self.reload()
        self.load("ETHUSDT", [candle(i, MINUTE, start=self.first + 100 * HOUR) for i in range(60)], "1m")
        target = "/analysis/own?pair=ETHUSDT&scale=2&period=1m"  # as of the hour's end, but that hour is still to come
        self.assertEqual(self.check(target, lambda: self.load("ETHUSDT", [candle(100, HOUR, start=self.first)]), True), ("300.5", "202.5"))

    def test_a_reload_leaves_it_if_its_scripts_stay(self):
        inner, outer, wide = "/analysis/inner?pair=ETHUSDT&scale=2", "/analysis/outer?pair=ETHUSDT&scale=2", "/analysis/beside?pair=ETHUSDT&scale=2"

        def change(name, *what, word="b"):
            def put():
                self.write(name, *what, word=word)
                self.reload()
            return put

        bars, metrics = "candles = { span = '1d', min = 1 }", "metrics = { 'inner' }"
        self.check(inner, change("outer", times(2), metrics), False)
        self.assertEqual(self.check(outer, change("outer", times(4), metrics), True), ("300.5", "601"))
        self.assertEqual(self.check(outer, change("inner", "w.close:final() * p.scale + 1", bars), True), ("601", "605"))
        # there and back: what is kept is of the version that runs
        self.assertEqual(self.check(inner, change("inner", "w.close:final() * p.scale", bars, word="c"), True), ("301.5", "300.5"))
        self.check(wide, self.reload, True)  # the benchmark may be another one then
        self.check(inner, lambda: self.write("inner", "nothing.at.all", bars), False)
        self.assertEqual(ask(self.port, "/scripts/reload", "POST").status, 409)
        self.assertEqual(self.made(inner)[1], "300.5")

    def test_funding_marks_and_trades_count_for_those_who_look_at_them(self):
        hours = "candles = { span = '1d', min = 1%s }"
        self.write("paid", "w.funding.rate:sum() * p.scale", hours % "" + ", funding = { span = '1d' }")
        self.write("marked", "w.marks.mark_price:count() * p.scale", hours % "" + ", marks = { span = '1d' }")
        self.write("traded", "(w:signed_trades() or 0) * p.scale", hours % ", trades = true")
        self.reload()
        last = self.first + 100 * HOUR
        names = ("inner", "paid", "marked", "traded")
        (self.dir / "funding.csv").write_text(f"funding_time,rate,mark_price\n{last - HOUR},0.0001,\n")
        (self.dir / "marks.jsonl").write_text(json.dumps({"stream": "ethusdt@markPrice@1s", "data": {
            "e": "markPriceUpdate", "E": (last - HOUR) // 1000, "s": "ETHUSDT", "p": "100.5", "i": "100", "P": "100", "r": "0.0001",
            "T": last // 1000}}) + "\n")
        write_trades(self.dir / "trades.csv", [[last - HOUR, 1, "100.5", "2", "buy"]])
        for fresh, put in (("paid", lambda: load(self.store, self.dir / "funding.csv", "ETHUSDT", kind="funding")),
                           ("marked", lambda: self.import_json(self.dir / "marks.jsonl")),
                           ("traded", lambda: load(self.store, self.dir / "trades.csv", "ETHUSDT", kind="trades"))):
            targets = [f"/analysis/{name}?pair=ETHUSDT&scale=5" for name in names]
            before = [self.made(target) for target in targets]
            put()
            after = [self.made(target) for target in targets]
            self.assertEqual([name for name, a, b in zip(names, before, after) if a[0] != b[0]], [fresh])

    def test_stored_rows_stay_while_a_candle_grows(self):
        def tag(target):
            return ask(self.port, target).headers["ETag"]
        closed, all_bars, built = (f"/data/candles?pair=ETHUSDT&limit=2{more}" for more in ("&period=1h", "&period=1h&include_open=true", "&period=4h"))
        row = candle(100, HOUR, closed=0, start=self.first)
        self.load("ETHUSDT", [row])
        before = [tag(target) for target in (closed, all_bars, built)]
        row[4] = "100.55"
        self.load("ETHUSDT", [row])
        after = [tag(target) for target in (closed, all_bars, built)]
        self.assertEqual([a == b for a, b in zip(before, after)], [True, False, True])
        self.assertEqual(ask(self.port, all_bars).json["values"][-1]["close"], "100.55")
        row[-1] = 1
        self.load("ETHUSDT", [row])
        self.assertNotEqual(tag(closed), after[0])
        self.assertEqual(ask(self.port, closed).json["values"][-1]["close"], "100.55")
