"""What a script's author works with: new, test, eval, replay."""
import csv
import io
import json
import os
import pathlib
import random
import re
import shlex
import signal
import subprocess
import sys
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import PETROSA, Daemon, Folder, environment, petrosa  # noqa: E402

HOUR = 3_600_000
START = 1_700_006_400_000  # 2023-11-15T00:00:00Z, ms
FIVE = "BTCUSDT,AAAUSDT"

SHARE = """--- share: how much of the bar's range lies below its close.
return calculator {
  api     = 1,
  name    = "share",
  about   = "place of the close in the range of the bars",
  needs   = { candles = { span = "6h", min = 3 } },
  params  = { scale = number { default = 1, min = 0, max = 100 } },
  outputs = { { "place", "ratio" }, { "by_bar", map { keys = "0..1", unit = "ratio" } }, { "side", text {} } },
  compute = function(w, p)
    local place = p.scale * (w.close:final() - w.low:min()) / (w.high:max() - w.low:min())
    return { place = place, by_bar = { ["0"] = w.close:get(1), ["1"] = place }, side = place > 0.5 and "up" or "down" }
  end,
}
"""

RATES = """--- rates: how the symbols go together.
return calculator {
  api     = 1,
  name    = "rates",
  about   = "correlation of two days",
  needs   = { market = { span = "2d", min = 3 } },
  outputs = { { "r", matrix { unit = "ratio" } }, { "n", count {} } },
  compute = function(m)
    local r = m:pearson()
    return { r = r, n = m.n }
  end,
}
"""


def walk(symbol, n):
    """Dump rows of a random walk; the same each time."""
    draw, price, rows = random.Random(symbol), 100.0, []
    for i in range(n):
        opened = price
        price *= 1 + draw.gauss(0, 0.01)
        high, low = max(opened, price) * (1 + draw.random() / 100), min(opened, price) * (1 - draw.random() / 100)
        volume, start = 10 + 90 * draw.random(), START + i * HOUR
        rows.append([start, *(f"{x:.4f}" for x in (opened, high, low, price, volume)), start + HOUR - 1, f"{volume * price:.4f}",
                     draw.randrange(1, 900), f"{volume / 3:.4f}", f"{volume * price / 3:.4f}", 0])
    return rows


def stamp(i):
    """Close of bar i as commands and replies write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((START + (i + 1) * HOUR) / 1000))


class Market(Folder):
    """A store with two walks; self.take(symbol, rows) adds bars."""

    def take(self, symbol, rows):
        path = self.dir / f"{symbol}-1h-2023.csv"
        path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
        self.import_json(path)

    def setUp(self):
        super().setUp()
        self.rows = {symbol: walk(symbol, 300) for symbol in FIVE.split(",")}

    def fill(self, n=300, without=()):
        for symbol, rows in self.rows.items():
            self.take(symbol, [row for i, row in enumerate(rows[:n]) if i not in without])

    def take_books(self, symbol, times):
        path = self.dir / "books.jsonl"
        path.write_text("".join(json.dumps({"stream": f"{symbol.lower()}@depth20", "timestamp": ms, "data": {
            "lastUpdateId": ms, "bids": [["100", "1"], ["99", "2"]], "asks": [["101", "1"]]}}) + "\n" for ms in times))
        petrosa("import", "--quiet", path, store=self.store)

    def script(self, text=SHARE, name="share.lua"):
        path = self.dir / name
        path.write_text(text)
        return path

    def replay(self, *args, pair="BTCUSDT", check=0):
        return petrosa("replay", *args, "--pair", pair, "--period", "1h", store=self.store, check=check)


BOOKS = """--- look: how many books there are.
return calculator {
  api     = 1,
  name    = "look",
  about   = "books of the span",
  needs   = { books = { span = "1d" } },
  outputs = { n = "count" },
  compute = function(w)
    local b, seen = w.books, 0
    for _ = 1, 100 do seen = seen + b.best_bid:sum() end
    return { n = w.books.n }
  end,
}
"""


class Replay(Market):
    def stored(self, daemon, name, symbol):
        url = f"{daemon.url}/analysis/{name}?pair={symbol}&period=1h&start={stamp(0)}&limit=1000&format=csv"
        with urllib.request.urlopen(url, timeout=30) as reply:
            return reply.read().decode().splitlines()

    def same_as_stored(self, bars):
        """Lines of stored results equal those of a replay, as text: so every bit of every number does."""
        daemon = Daemon(store=self.store)
        try:
            for name in ("volatility", "deviation", "trend", "seasonality"):
                for symbol in FIVE.split(","):
                    stored = self.stored(daemon, name, symbol)
                    replayed = self.replay(name, pair=symbol).stdout.splitlines()
                    self.assertEqual(stored[0].split(",")[:2], ["timestamp", "status"])
                    self.assertEqual(len(stored), 1 + len(bars))
                    # a history that never had a value of a map has no column for it
                    columns = dict(zip(replayed[0].split(","), range(10_000)))
                    lines = {row[0]: row for row in csv.reader(replayed)}
                    for row in csv.reader(stored[1:]):
                        again = lines[row[0]]
                        for key, value in zip(stored[0].split(","), row):
                            if key != "status" or value != "stale":
                                self.assertEqual(again[columns[key]] if key in columns else "", value, (name, symbol, row[0], key))
        finally:
            daemon.stop()

    def test_values_are_the_stored_live_ones_bit_for_bit(self):
        hole = (200, 201, 230)
        bars = (250, 251, 252, 270)
        self.fill(bars[0], without=hole)
        for i in bars:  # a bar closes, a cycle runs
            for symbol, rows in self.rows.items():
                self.take(symbol, rows[bars[0]:i + 1])
            petrosa("compute", "--periods", "1h", store=self.store)
        self.same_as_stored(bars)
        # late bars: the stored results whose windows hold them are made anew
        for symbol, rows in self.rows.items():
            self.take(symbol, [rows[i] for i in hole])
        before = self.replay("deviation", "--start", stamp(250)).stdout
        petrosa("compute", store=self.store)
        self.same_as_stored(bars)
        self.assertEqual(self.replay("deviation", "--start", stamp(250)).stdout, before)

    def test_store_keeps_what_it_prints(self):
        self.fill(without=(100,))
        printed = self.replay("deviation", "--start", stamp(200), "--end", stamp(260), "--store").stdout.splitlines()
        self.assertEqual([line.split(",")[0] for line in printed[1:]], [stamp(i) for i in range(200, 260)])
        daemon = Daemon(store=self.store)
        try:
            stored = [line.replace(",stale,", ",gap,") for line in self.stored(daemon, "deviation", "BTCUSDT")]
            self.assertEqual(stored[:61], printed)
        finally:
            daemon.stop()

    def test_the_csv(self):
        self.fill(without=(100,))
        path = self.script()
        rows = list(csv.reader(io.StringIO(self.replay(path, pair=FIVE).stdout)))
        self.assertEqual(rows[0], ["timestamp", "pair", "status", "place", "by_bar.0", "by_bar.1", "side"])
        self.assertEqual([row[:2] for row in rows[1:]],
                         [[stamp(i), symbol] for symbol in FIVE.split(",") for i in range(300) if i != 100])
        self.assertEqual([row[2] for row in rows[1:8]], ["warming"] * 2 + ["ok"] * 5)
        self.assertEqual({row[2] for row in rows[101:105]}, {"gap"})
        for i, row in enumerate(rows[1:100]):
            if i >= 6:
                bars = [list(map(float, x[1:5])) for x in self.rows["BTCUSDT"][i - 5:i + 1]]
                low, high = min(x[2] for x in bars), max(x[1] for x in bars)
                self.assertEqual(float(row[3]), (bars[-1][3] - low) / (high - low))
                self.assertEqual(row[3], row[5])
        out = self.dir / "out.csv"
        self.assertEqual(self.replay(path, "-o", out, pair=FIVE).stdout, "")
        self.assertEqual(list(csv.reader(out.open())), rows)
        doubled = list(csv.reader(io.StringIO(self.replay(path, "--param", "scale=2", pair=FIVE).stdout)))
        self.assertEqual(float(doubled[50][3]), 2 * float(rows[50][3]))

    def test_lines_of_json(self):
        self.fill(20)
        path = self.script()
        rows = list(csv.DictReader(io.StringIO(self.replay(path, pair=FIVE).stdout)))
        lines = [json.loads(line) for line in self.replay(path, "--format", "jsonl", pair=FIVE).stdout.splitlines()]
        self.assertEqual(len(lines), 40)
        for row, line in zip(rows, lines):
            self.assertEqual([row["timestamp"], row["pair"], row["status"]], [line["timestamp"], line["pair"], line["status"]])
            self.assertEqual(row["place"], line["data"]["place"] or "")
            self.assertEqual(row["by_bar.1"], (line["data"]["by_bar"] or {}).get("1") or "")
        self.assertIn("xml", self.replay(path, "--format", "xml", check=2).stderr)
        self.assertIn("--against", self.replay(path, "--format", "jsonl", "--against", path, check=2).stderr)

    def test_a_built_period(self):
        self.fill(290)
        lines = petrosa("replay", self.script(SHARE.replace("6h", "3d")), "--pair", "BTCUSDT", "--period", "1d", store=self.store).stdout.splitlines()
        self.assertEqual([line.split(",")[0] for line in lines[1:]], [stamp(24 * i + 23) for i in range(12)])

    def test_against_another_version(self):
        self.fill()
        old, new = self.script(), self.script(SHARE.replace("> 0.5", "> 0.75"), "newer.lua")
        self.assertEqual(self.replay(new, "--against", new).stdout, "timestamp,output,old,new\n")
        done = self.replay(new, "--against", old, pair=FIVE, check=1)
        rows = list(csv.reader(io.StringIO(done.stdout)))
        self.assertEqual(rows[0], ["timestamp", "pair", "output", "old", "new"])
        values = {(row[0], row[1]): row for row in csv.reader(io.StringIO(self.replay(old, pair=FIVE).stdout))}
        want = [[*key, "side", "up", "down"] for key, row in values.items() if row[3][:1] == "0" and 0.5 < float(row[3]) <= 0.75]
        self.assertEqual(sorted(rows[1:]), sorted(want))
        self.assertIn(f"{len(want)} values differ, in {len(want)} of 600 bars", done.stderr)
        out = self.dir / "diff.csv"
        self.replay(new, "--against", old, "-o", out, pair=FIVE, check=1)
        self.assertEqual(out.read_text(), done.stdout)
        # an output more, and one bar that fails
        more = self.script(SHARE.replace('{ "side"', '{ "n", count {} }, { "side"').replace("return { place", "return { n = w.n, place"), "more.lua")
        outputs = [row[1] for row in csv.reader(io.StringIO(self.replay(more, "--against", old, check=1).stdout))]
        self.assertEqual(set(outputs[1:]), {"n"})

    def test_failing_bars_are_counted_and_told(self):
        self.fill()
        path = self.script(SHARE.replace("local place", "if w.close:final() > w.close:get(1) then error('rising') end\n    local place"))
        done = self.replay(path, check=1)
        failed = [row for row in csv.reader(io.StringIO(done.stdout)) if row[1] == "error"]
        self.assertTrue(50 < len(failed) < 250)
        self.assertIn(f"{len(failed)} of 300 bars failed, first BTCUSDT as of {failed[0][0]}: {path}:10: rising", done.stderr)
        # one that never ends costs its own bars, and says so
        loop = self.script(SHARE.replace("local place", "while w.as_of == %d do end\n    local place" % (START // 1000 + 3600 * 51)), "loop.lua")
        done = self.replay(loop, check=1)
        lines = done.stdout.splitlines()
        self.assertEqual([i for i, line in enumerate(lines[1:]) if ",error," in line], [50])
        self.assertEqual(len(lines), 301)
        self.assertIn("1 of 300 bars failed", done.stderr)
        self.assertIn("ran over its time budget", done.stderr)

    def test_nothing_is_printed_when_no_bar_gave_values(self):
        self.fill()
        path = self.script(SHARE.replace("local place", "error('never')\n    local place"))
        out = self.dir / "out.csv"
        for more in ((), ("-o", out), ("--format", "jsonl"), ("--against", self.script(name="good.lua"))):
            done = self.replay(path, *more, check=1)
            self.assertEqual(done.stdout, "")
            self.assertIn(f"298 of 300 bars failed, first BTCUSDT as of {stamp(2)}: {path}:10: never", done.stderr)
        self.assertFalse(out.exists())

    def test_a_script_that_looks_at_books(self):
        self.fill(5)
        touch = self.script(BOOKS, "touch.lua")
        self.take_books("BTCUSDT", [START + 2 * HOUR + 1500, START + 3 * HOUR + 2500])
        rows = list(csv.reader(io.StringIO(self.replay(touch).stdout)))
        self.assertEqual(rows[0], ["timestamp", "as_of", "status", "n"])
        self.assertEqual([row[0] for row in rows[1:]], [stamp(i) for i in range(5)])
        self.assertEqual([row[2:] for row in rows[1:]], [["empty", ""]] * 2 + [["ok", "1"], ["ok", "2"], ["ok", "2"]])
        newest = [time.strftime("%Y-%m-%dT%H:%M:", time.gmtime((START + i * HOUR) / 1000)) for i in (2, 3)]
        self.assertEqual([row[1] for row in rows[1:]], ["", "", newest[0] + "01.5Z", newest[1] + "02.5Z", newest[1] + "02.5Z"])
        lines = [json.loads(line) for line in self.replay(touch, "--format", "jsonl").stdout.splitlines()]
        self.assertEqual([[line["timestamp"], line["as_of"] or "", line["status"]] for line in lines], [row[:3] for row in rows[1:]])
        # where the two differ is said by the bar, also where one has no book
        other = self.script(BOOKS.replace("n = w.books.n", "n = w.books.n + 1"), "other.lua")
        rows = list(csv.reader(io.StringIO(self.replay(other, "--against", touch, check=1).stdout)))
        self.assertEqual(rows[1:], [[stamp(2), "n", "1", "2"], [stamp(3), "n", "2", "3"], [stamp(4), "n", "2", "3"]])
        self.take_books("ONLYBOOKS", [START])
        self.assertIn("the store has order books of ONLYBOOKS but no bars", self.replay(touch, pair="ONLYBOOKS", check=1).stderr)

    def test_misuse(self):
        self.fill(50)
        path = self.script()
        for args, code, words in ((["trend", "--period", "1h"], 2, "--pair"), (["share", "--pair", "BTCUSDT"], 2, "--period"),
                                  ([path, "--store", "--param", "scale=2"], 2, "parameters in force"),
                                  ([path, "--store", "--against", "trend"], 2, "--against"), ([path, "--store"], 1, "in none of the folders"),
                                  ([path, "--param", "scale=200"], 1, "scale"), (["nonsense"], 1, "volatility"),
                                  ([path, "--against", "nonsense"], 1, "nonsense"), ([path, "--start", stamp(60)], 1, "in this range"),
                                  ([path, "-o", self.dir], 1, "is a folder"), ([path, "-o", self.dir / "no/x.csv"], 1, "no/x.csv")):
            both = ["--pair", "BTCUSDT", "--period", "1h"] if not {"--pair", "--period"} & set(args) else []
            done = petrosa("replay", *args, *both, store=self.store, check=code)
            self.assertIn(words, done.stderr)
        self.assertIn("CCCUSDT", self.replay(path, pair="BTCUSDT,CCCUSDT", check=1).stderr)
        self.assertEqual([p.name for p in self.dir.glob("*.partial")], [])

    def market(self, *args, check=0):
        return petrosa("replay", *args, "--period", "1h", store=self.store, check=check)

    def test_the_market_is_the_stored_one_bit_for_bit(self):
        self.fill(250)
        for i in (251, 252, 270):
            for symbol, rows in self.rows.items():
                self.take(symbol, rows[250:i + 1])
            petrosa("compute", "--periods", "1h", store=self.store)
        daemon = Daemon(store=self.store)
        try:
            with urllib.request.urlopen(f"{daemon.url}/analysis/correlation?period=1h&start={stamp(0)}&limit=1000&format=csv", timeout=30) as reply:
                stored = list(csv.reader(io.StringIO(reply.read().decode())))
        finally:
            daemon.stop()
        replayed = list(csv.reader(io.StringIO(self.market("correlation").stdout)))
        self.assertEqual(len(replayed), 1 + 271)
        lines = {row[0]: dict(zip(replayed[0], row)) for row in replayed[1:]}
        self.assertEqual([row[0] for row in stored[1:]], [stamp(i) for i in (251, 252, 270)])
        for row in stored[1:]:
            for key, value in zip(stored[0], row):
                if key != "status":  # the newest is stale by the clock
                    self.assertEqual(lines[row[0]][key], value, (row[0], key))
        self.assertIn("correlation_matrix.AAAUSDT.BTCUSDT", stored[0])

    def test_of_the_market_every_bar_of_any_symbol(self):
        self.take("BTCUSDT", self.rows["BTCUSDT"][:40] + self.rows["BTCUSDT"][45:60])
        self.take("AAAUSDT", self.rows["AAAUSDT"][20:42])
        path = self.script(RATES, "rates.lua")
        bars = [i for i in range(60) if i < 42 or i >= 45]
        lines = [json.loads(line) for line in self.market(path, "--format", "jsonl").stdout.splitlines()]
        self.assertEqual([line["timestamp"] for line in lines], [stamp(i) for i in bars])
        self.assertEqual([line["pairs"] for line in lines], [["BTCUSDT"] if i < 20 else ["AAAUSDT", "BTCUSDT"] for i in bars])
        self.assertEqual(sorted(lines[-1]["data"]["r"]["AAAUSDT"]), ["AAAUSDT", "BTCUSDT"])
        rows = list(csv.DictReader(io.StringIO(self.market(path).stdout)))
        for row, line in zip(rows, lines, strict=True):
            given = ((line["data"]["r"] or {}).get("AAAUSDT") or {}).get("BTCUSDT")
            self.assertEqual(row["r.AAAUSDT.BTCUSDT"], given or "")
        ranks = self.script(RATES.replace("pearson", "spearman"), "ranks.lua")
        done = list(csv.DictReader(io.StringIO(self.market(ranks, "--against", path, check=1).stdout)))
        self.assertEqual({row["output"] for row in done}, {"r.AAAUSDT.BTCUSDT"})
        self.assertEqual(done[-1]["old"], rows[-1]["r.AAAUSDT.BTCUSDT"])
        self.assertEqual(self.market(path, "--against", path).stdout, "timestamp,output,old,new\n")

    def test_misuse_of_the_market(self):
        self.fill(50)
        path = self.script(RATES, "rates.lua")
        failing = self.script(RATES.replace("return { r", "error('no luck')\n    return { r"), "failing.lua")
        self.assertIn("takes no --pair", self.replay(path, check=2).stderr)
        self.assertIn("needs --pair", self.market(self.script(), check=2).stderr)
        self.assertIn("takes no --pair", self.replay(self.script(), "--against", path, check=2).stderr)
        self.assertIn("none of the 2 symbols", self.market(path, "--start", stamp(60), check=1).stderr)
        self.assertIn("first the market as of", self.market(failing, check=1).stderr)
        self.assertIn("none of the folders", self.market(path, "--store", check=1).stderr)

    def test_interrupt_stops_cleanly(self):
        self.fill()
        slow = self.script(SHARE.replace("local place", "for i = 1, 2e7 do local _ = i % 3 end\n    local place"))
        process = subprocess.Popen([str(PETROSA), "replay", str(slow), "--pair", FIVE, "--period", "1h", "--data", str(self.store), "-o",
                                    str(self.dir / "out.csv")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 1, errors)
        self.assertRegex(errors, r"interrupted: \d+ of 600 units are computed\n$")
        self.assertEqual(list(self.dir.glob("out.csv*")), [])


class New(Market):
    def test_what_is_made_runs_and_passes_its_spec(self):
        self.fill(200)
        own = self.dir / "my own"
        for kind, folder in (("calculator", "calculators"), ("regime", "regimes"), ("anomaly", "anomalies"), ("alert", "alerts")):
            text = petrosa("new", kind, f"a_{kind}", "--dir", own).stdout
            path = own / folder / f"a_{kind}.lua"
            self.assertIn(str(path), text)
            done = petrosa("eval", path, "--pair", "BTCUSDT", store=self.store)
            self.assertIn("status ok", done.stdout)
            self.assertIn(" 0 failures / 0 errors", petrosa("test", path).stdout)
            self.assertEqual(len(self.replay(path).stdout.splitlines()), 201)
            for command in [line for line in text.splitlines() if line.startswith(("run ", "test "))]:
                done = subprocess.run(command.split(None, 1)[1].replace("petrosa", shlex.quote(str(PETROSA)), 1), shell=True, capture_output=True, text=True,
                                      env=environment(PETROSA_DATA=str(self.store)))
                self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        self.assertEqual(len(list(own.rglob("*.lua"))), 8)
        # all live where they stand, their specs are no scripts, and one run finds all
        paths = f"scripts.path={PETROSA.parent / 'scripts'},{own}"
        table = petrosa("compute", "--set", paths, store=self.store).stdout
        self.assertIn("a_calculator", table)
        self.assertIn("a_regime", table)
        self.assertIn("a_anomaly", table)
        self.assertIn("a_alert", table)
        self.assertNotIn("_spec", table)
        self.assertIn("16 successes / 0 failures / 0 errors", petrosa("test", "--set", paths).stdout)

    def test_nothing_is_overwritten_and_names_are_checked(self):
        own = self.dir / "own"
        petrosa("new", "calculator", "mine", "--dir", own)
        before = {p: p.read_text() for p in own.rglob("*.lua")}
        self.assertIn("mine.lua is there already", petrosa("new", "calculator", "mine", "--dir", own, check=1).stderr)
        (own / "calculators/other_spec.lua").write_text("-- mine\n")
        self.assertIn("other_spec.lua is there", petrosa("new", "calculator", "other", "--dir", own, check=1).stderr)
        self.assertFalse((own / "calculators/other.lua").exists())
        for path, text in before.items():
            self.assertEqual(path.read_text(), text)
        for args, code, words in ((["indicator", "a"], 2, "knows calculator, regime, anomaly and alert"),
                                  (["calculator", "Big"], 2, "no name"), (["calculator", "a" * 42], 2, "no name"), (["regime", "1a"], 2, "no name"),
                                  (["calculator", "a/b"], 2, "no name"), (["calculator", "a_spec"], 2, "are specs"), (["regime", "_spec"], 2, "no name"), (["calculator"], 2, "needs"),
                                  (["calculator", "volatility"], 1, "volatility.lua"), (["calculator", "a", "--dir", self.dir / "no/no"], 1, "No such"),
                                  (["regime", "mine", "--set", f"scripts.path={own}"], 1, "mine.lua")):
            self.assertIn(words, petrosa("new", *args, check=code).stderr)
        petrosa("new", "calculator", "a" * 41, "--dir", own)
        self.assertIn("last", petrosa("new", "calculator", "last", "--set", f"scripts.path={PETROSA.parent / 'scripts'},{own}").stdout)
        self.assertTrue((own / "calculators/last.lua").exists())
        plain = self.dir / "plain"  # a folder of scripts without folders in it
        plain.mkdir()
        (plain / "here.lua").write_text("-- mine\n")
        self.assertIn("here.lua", petrosa("new", "alert", "here", "--set", f"scripts.path={plain}", check=1).stderr)
        fresh = self.dir / "fresh"  # a folder that the configuration names and nobody has made yet
        petrosa("new", "regime", "first", "--set", f"scripts.path={PETROSA.parent / 'scripts'},{fresh}")
        self.assertTrue((fresh / "regimes/first.lua").exists())


HIGH = """--- high: bars that close above a level.
return anomaly {
  api     = 1,
  name    = "high",
  about   = "bars that close above a level",
  needs   = { candles = { span = "24h" } },
  params  = { level = number { default = 100, min = 0, max = 1000 } },
  details = { { "volume", "base" } },
  detect  = function(w, p)
    return { score = w.close, threshold = p.level, observed = w.close, volume = w.volume, reason = "above" }
  end,
  severity = function() return "low" end,
}
"""


class Detectors(Market):
    def setUp(self):
        super().setUp()
        self.fill()
        self.path = self.script(HIGH, "high.lua")
        self.level = sorted(float(row[4]) for row in self.rows["BTCUSDT"])[200]
        self.over = {i for i, row in enumerate(self.rows["BTCUSDT"]) if float(row[4]) > self.level}

    def eval(self, *args, at=299):
        done = petrosa("eval", self.path, "--pair", "BTCUSDT", "--as-of", stamp(at), "--param", f"level={self.level!r}", *args, store=self.store)
        return done.stdout

    def test_eval_tells_all_of_the_window(self):
        at = max(self.over)
        body = json.loads(self.eval("--json", at=at))
        want = sorted(i for i in self.over if at - 24 < i <= at)
        self.assertEqual([hit["time"] for hit in body["data"]["anomalies"]], [stamp(i - 1) for i in want])
        self.assertEqual((body["data"]["found"], body["data"]["severity"]), (len(want), "low"))
        self.assertEqual(float(body["data"]["anomalies"][-1]["price"]), float(self.rows["BTCUSDT"][at][4]))
        self.assertEqual(float(body["data"]["anomalies"][-1]["details"]["volume"]), float(self.rows["BTCUSDT"][at][5]))
        text = self.eval(at=at)
        self.assertRegex(text, rf"(?m)^  found +{len(want)}$")
        lines = [line for line in text.splitlines() if line.startswith("    time ")]
        self.assertEqual(len(lines), len(want))
        self.assertRegex(lines[-1], rf"time {stamp(at - 1)} price \S+ score \S+ threshold \S+ observed \S+ direction none severity low reason above details ")

    def test_replay_tells_each_bar_once_as_a_cycle_would(self):
        text = self.replay(self.path, "--param", f"level={self.level!r}").stdout
        rows = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual(len(rows), 300)
        for i, row in enumerate(rows):
            self.assertEqual((row["found"], row["severity"]), ("1", "low") if i in self.over else ("0", "none"))
            self.assertEqual(row["anomalies.0.time"], stamp(i - 1) if i in self.over else "")
            self.assertEqual(float(row["score"]), float(self.rows["BTCUSDT"][i][4]))

    def test_two_versions_are_compared_hit_by_hit(self):
        other = self.script(HIGH.replace('"high"', '"higher"').replace("p.level", "p.level + 1"), "higher.lua")
        done = self.replay(other, "--against", self.path, "--param", f"level={self.level!r}", check=1)
        lost = [i for i in self.over if float(self.rows["BTCUSDT"][i][4]) <= self.level + 1]
        self.assertEqual(len([line for line in done.stdout.splitlines() if ",found,1,0" in line]), len(lost))

    def test_the_shipped_ones_run_and_are_set_by_the_configuration(self):
        for name in ("zscore", "mad", "moving_avg", "data_quality"):
            self.assertIn("status ok", petrosa("eval", name, "--pair", "BTCUSDT", store=self.store).stdout)
        done = petrosa("eval", "mad", "--pair", "BTCUSDT", "--json", "--set", "anomaly mad.threshold=0.5", store=self.store)
        body = json.loads(done.stdout)
        self.assertEqual(body["metadata"]["parameters"]["threshold"], "0.5")
        self.assertGreater(body["data"]["found"], 20)
        self.assertIn("parameter threshold: '0' is not a number from 0.1 to 1000 sd",
                      petrosa("eval", "mad", "--pair", "BTCUSDT", "--param", "threshold=0", store=self.store, check=1).stderr)
        self.assertIn("window_days", petrosa("eval", "mad", "--pair", "BTCUSDT", "--param", "window_days=367", store=self.store, check=1).stderr)

    def test_check_takes_the_shipped_ones(self):
        done = petrosa("check", PETROSA.parent / "scripts/anomalies")
        self.assertRegex(done.stdout, r"(?m)^ok +mad +anomaly ")


class Eval(Market):
    FAILING = SHARE.replace("local place =", "local seen, words = 0, 'the word '\n    for i = 1, #w.close do\n      seen = seen + w.close:get(i)\n"
                            "      if i == 5 then error('no ' .. words .. tostring(p.scale)) end\n    end\n    local place =")

    def eval(self, *args, check=0, **more):
        return petrosa("eval", *args, "--pair", "BTCUSDT", store=self.store, check=check, **more)

    def test_an_error_shows_the_line_and_what_its_locals_held(self):
        self.fill(100)
        path = self.script(self.FAILING)
        done = self.eval(path, "--param", "scale=3", check=1)
        closes = [float(row[4]) for row in self.rows["BTCUSDT"][94:100]]
        self.assertIn(f'{path}:13: no the word 3 (BTCUSDT 1h as of {stamp(99)})', done.stderr)
        self.assertIn("if i == 5 then error('no ' .. words .. tostring(p.scale)) end", done.stdout)
        for name, value in (("i", "5"), ("seen", f"{sum(closes[:5]):.10g}"), ("words", '"the word "'), ("w", "window of 6 bars"), ("p", "table, # 0")):
            self.assertRegex(done.stdout, rf"(?m)^  {name} +{value}$")
        self.assertRegex(done.stdout, r"(?m)^    scale +3$")
        self.assertRegex(done.stdout, r"(?m)^  rows +6$")
        # an error in a function, in what it called, and one that is the caller's
        inner = SHARE.replace("return calculator", "local function mean(v)\n  local n = nil\n  return v:sum() / n\nend\nreturn calculator")
        done = self.eval(self.script(inner.replace("local place", "local m = mean(w.close)\n    local place")), check=1)
        self.assertRegex(done.stdout, rf"(?m)^  v +vector of 6: {closes[0]:.10g}, ")
        self.assertIn("  n                            nil", done.stdout)
        kernel = self.script(SHARE.replace("local place", "local k = -1\n    local mean = w.close:rolling_mean(k)\n    local place"))
        done = self.eval(kernel, check=1)
        self.assertIn(f"{kernel}:11: ", done.stderr)
        self.assertRegex(done.stdout, r"(?m)^  k +-1$")
        self.assertNotIn("locals", self.eval(path, "--json", check=1).stdout)

    def test_a_script_that_cannot_be_loaded_shows_its_line(self):
        self.fill(50)
        path = self.script(SHARE.replace("local place =", "local place =="))
        self.assertIn(f"{path}:10: unexpected symbol near '==', in the line: local place == p.scale", self.eval(path, check=1).stderr)

    def test_the_profile_finds_the_slow_line(self):
        self.fill(300)
        slow = SHARE.replace('span = "6h"', 'span = "10d"').replace(
            "local place =", "local m = 0\n    for i = 1, #w.close do\n      m = m + w.close:get(i)\n    end\n"
            "    for _ = 1, 300 do m = w.close:rolling_median(50):mean() end\n    local place =")
        text = self.eval(self.script(slow), "--profile").stdout
        self.assertRegex(text, r"as it runs live +[\d.]+ us a call, median of \d+")
        lines = {int(row[4]): row for row in re.finditer(r"(?m)^ *([\d.]+) +([\d.]+) +([\d.]+) +(\d+)  (.*)$", text)}
        self.assertEqual(float(lines[12][3]), 240)
        self.assertEqual(float(lines[16][3]), 1)
        self.assertIn("rolling_median", max(lines.values(), key=lambda row: float(row[1]))[5])
        share = sum(float(row[2]) for row in lines.values()) + float(re.search(r"([\d.]+) +arguments and result", text)[1])
        self.assertAlmostEqual(share, 100, delta=1)
        self.assertIn("--json", self.eval("volatility", "--profile", "--json", check=2).stderr)
        self.assertIn("no luck", self.eval(self.script(SHARE.replace("local place", "error('no luck')\n    local place")), "--profile", check=1).stderr)
        self.assertIn("profile: none", self.eval(self.script(), "--as-of", stamp(0), "--profile").stdout)

    def test_a_symbol_with_books_alone_is_inspected_too(self):
        self.take_books("BTCUSDT", [START, START + 1000])
        text = self.eval(self.script(BOOKS), "--profile").stdout
        self.assertRegex(text, r"as it runs live +[\d.]+ us a call, median of \d+")
        self.assertRegex(text, r"(?m)  for _ = 1, 100 do|100 do seen")
        done = self.eval(self.script(BOOKS.replace("return { n", "error('no luck')\n    return { n")), check=1)
        self.assertRegex(done.stdout, r"(?m)^  b +books: 2, the newest with 2 bids, 1 asks$")
        self.assertRegex(done.stdout, r"(?m)^  seen +20000$")

    def test_what_is_inspected_is_the_same_value(self):
        self.fill(300)
        for name in ("volatility", "seasonality"):
            plain, profiled = (self.eval(name, *args).stdout for args in ((), ("--profile",)))
            values = plain[:plain.index("inputs")]
            self.assertEqual(profiled[:len(values)], values)

    def test_a_script_of_the_market(self):
        self.fill(100)
        path = self.script(RATES, "rates.lua")
        text = petrosa("eval", path, "--profile", store=self.store).stdout
        self.assertRegex(text, r"rates market 1h  status ok")
        self.assertRegex(text, r"(?m)^ *[\d.]+ +[\d.]+ +1 +9  local r = m:pearson\(\)$".replace("  local", " +local"))
        self.assertRegex(text, r"as it runs live +[\d.]+ us a call, median of \d+")
        failing = self.script(RATES.replace("return { r", "error('no luck')\n    return { r"), "failing.lua")
        done = petrosa("eval", failing, store=self.store, check=1)
        self.assertIn(f"{failing}:10: no luck (market 1h as of {stamp(99)})", done.stderr)
        self.assertRegex(done.stdout, r"(?m)^  m +market of 2 symbols x 48 bars$")
        self.assertRegex(done.stdout, r"(?m)^  r +matrix of 2$")

    def test_a_broken_neighbour_is_no_obstacle(self):
        self.fill(50)
        own = self.dir / "own"
        petrosa("new", "calculator", "mine", "--dir", own)
        for name, text in (("broken", "return calculator {"), ("endless", "while true do end"), ("nothing", "")):
            (own / f"calculators/{name}.lua").write_text(text)
        paths = ["--set", f"scripts.path={own}", "--set", "scripts.load_budget=300ms"]
        for asked in ("mine", own / "calculators/mine.lua", self.script()):
            self.assertIn("status ok", self.eval(asked, *paths).stdout)
        self.assertIn("broken.lua:1: ", self.eval("broken", *paths, check=1).stderr)

    def test_a_store_that_is_only_read(self):
        self.fill(300)
        path = self.script()
        want = self.eval(path, "--json").stdout
        data = self.store / "data.mdb"
        before = data.read_bytes()
        data.chmod(0o444)
        (self.store / "lock.mdb").chmod(0o666)
        for folder in (self.dir, self.store):
            folder.chmod(0o755)
        user = {"user": 65534, "group": 65534} if os.getuid() == 0 else {}
        for args in (["eval", path, "--pair", "BTCUSDT", "--json"], ["replay", path, "--pair", "BTCUSDT", "--period", "1h"]):
            done = subprocess.run([str(PETROSA), *map(str, args), "--data", str(self.store)], capture_output=True, text=True, env=environment(), **user)
            if "Permission denied" in done.stderr and user and not os.access(PETROSA.parent, os.X_OK):
                self.skipTest("skipped: another user may not run the program here")
            self.assertEqual(done.returncode, 0, done.stderr)
            if args[0] == "eval":
                self.assertEqual(json.loads(done.stdout)["data"], json.loads(want)["data"])
            else:
                self.assertEqual(len(done.stdout.splitlines()), 301)
        self.assertEqual(data.read_bytes(), before)


class Specs(Market):
    def test_the_exit_code_is_that_of_the_specs(self):
        own = self.dir / "own"
        petrosa("new", "calculator", "mine", "--dir", own)
        spec = own / "calculators/mine_spec.lua"
        spec.write_text(spec.read_text().replace('"ok"', '"never"'))
        done = petrosa("test", own, check=1)
        self.assertIn("4 successes / 1 failure", done.stdout)
        self.assertIn("mine_spec.lua:", done.stdout)

    def test_a_spec_has_the_libraries_of_all_folders(self):
        own = self.dir / "own"
        petrosa("new", "calculator", "mine", "--dir", own)
        script = own / "calculators/mine.lua"
        script.write_text('local given = require "given"\n' + script.read_text().replace(
            'sd > 0 and (close:final() - close:mean()) / sd or null("flat")', 'given((close:final() - close:mean()) / sd, "flat")'))
        self.assertIn("5 successes / 0 failures / 0 errors", petrosa("test", script).stdout)

    def test_misuse(self):
        path = self.script()
        for args, words in (([path], "has no spec"), ([self.dir], "no NAME_spec.lua"), ([self.dir / "nothing"], "No such file"),
                            ([self.store.parent], "no NAME_spec.lua"), ([PETROSA], "is no Lua file"), ([], "petrosa new"),
                            (["--set", "scripts.path=/nowhere"], "/nowhere")):
            self.assertIn(words, petrosa("test", *args, check=1).stderr)
        own = self.dir / "own"
        petrosa("new", "calculator", "mine", "--dir", own)
        self.assertIn("luajit is not installed", petrosa("test", own, check=1, env=environment(PATH=str(self.dir))).stderr)
        self.assertIn("busted is not installed", petrosa("test", own, check=1, env=environment(LUA_PATH="/nowhere/?.lua")).stderr)

    def test_an_installed_program_does_it_too(self):
        self.fill(200)
        prefix = self.dir / "usr"
        done = subprocess.run(["cmake", "--install", str(PETROSA.parent), "--prefix", str(prefix)], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        program, own, env = prefix / "bin/petrosa", self.dir / "own", environment(PETROSA_DATA=str(self.store))
        for args in (["new", "calculator", "mine", "--dir", own], ["test", own], ["eval", own / "calculators/mine.lua", "--pair", "BTCUSDT"],
                     ["replay", own / "calculators/mine.lua", "--pair", "BTCUSDT", "--period", "1h", "-o", self.dir / "x.csv"]):
            done = subprocess.run([str(program), *map(str, args)], capture_output=True, text=True, env=env, cwd=self.dir)
            self.assertEqual(done.returncode, 0, done.stderr + done.stdout)


if __name__ == "__main__":
    unittest.main()
