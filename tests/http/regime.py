"""/analysis/regime with what came before it, and /analysis/market-overview: the real engine on a made market."""
import csv
import io
import math
import shutil
import unittest

from client import HOUR, T0, ask, iso, load, write_candles
from harness import Daemon, Folder, petrosa

BARS = 400


def market(seed, sizes):
    """Hourly bars of a walk; sizes: {bar: factor} makes moves and volumes larger from that bar on."""
    price, size, rows, state = 100.0, 1.0, [], seed
    for i in range(BARS):
        size = sizes.get(i, size)
        state = state * 16807 % 2147483647
        close = price * math.exp((state / 2147483647 - 0.5) * 0.01 * size)
        state = state * 16807 % 2147483647
        volume = 10 * size * (0.5 + state / 2147483647)
        rows.append([T0 + i * HOUR, f"{price:.4f}", f"{max(price, close):.4f}", f"{min(price, close):.4f}", f"{close:.4f}", f"{volume:.3f}",
                     f"{volume * close:.3f}", 40, f"{volume / 2:.3f}", f"{volume * close / 2:.3f}", 1])
        price = float(f"{close:.4f}")
    return rows


class Regime(Folder):
    @classmethod
    def setUpClass(cls):
        import pathlib
        import tempfile
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="petrosa http "))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.shared = cls.folder / "store"
        for n, (symbol, sizes) in enumerate({"BTCUSDT": {380: 3.0, 395: 0.2}, "ETHUSDT": {370: 0.3}, "SOLUSDT": {}}.items()):
            load(cls.shared, write_candles(cls.folder / "a.csv", market(n + 11, sizes)), symbol, "1h")
        # too few bars for any trend; and a symbol of another period
        load(cls.shared, write_candles(cls.folder / "a.csv", market(5, {})[:30]), "NEWUSDT", "1h")
        for bar in range(BARS - 29, BARS + 1):
            petrosa("compute", "--as-of", iso(T0 + bar * HOUR), store=cls.shared)
        cls.daemon = Daemon("--set", "cycle.interval=1h", store=cls.shared)
        cls.addClassCleanup(cls.daemon.stop)

    def get(self, target, status=200):
        reply = ask(self.daemon.port, target)
        self.assertEqual(reply.status, status, reply.body[:300])
        return reply.json

    def history(self, pair):
        rows = self.get(f"/analysis/regime?pair={pair}&limit=100")["history"]
        return [(row["timestamp"], row["regime"]) for row in rows]

    @staticmethod
    def plain(history):
        """since, previous, stable of the newest of the last 24 bars, none of which is missing."""
        bars = history[-24:]
        words = [word for _, word in bars]
        run = next((k for k in range(1, len(words)) if words[-1 - k] != words[-1]), len(words))
        previous = words[-1 - run] if run < len(words) else None
        held = [b for a, b in zip(words, words[1:]) if a == b]
        return bars[-run][0], previous, held[-1] if held else words[-1]

    def trail(self, body):
        return tuple(body["data"][key] for key in ("since", "previous_regime", "stable_regime"))

    def test_what_came_before_is_told_from_the_stored_results(self):
        different = set()
        for pair in ("BTCUSDT", "ETHUSDT", "SOLUSDT"):
            history = self.history(pair)
            self.assertEqual(len(history), 30)
            body = self.get(f"/analysis/regime?pair={pair}")
            self.assertEqual(list(body["data"])[-3:], ["since", "previous_regime", "stable_regime"])
            self.assertEqual(self.trail(body), self.plain(history))
            for n in range(24, 31):  # also of any moment of the past, whose results are stored
                self.assertEqual(self.trail(self.get(f"/analysis/regime?pair={pair}&as_of={history[n - 1][0]}")), self.plain(history[:n]), n)
            self.assertEqual(self.trail(self.get(f"/analysis/regime?pair={pair}&limit=3&offset=2")), self.plain(history[:-2]))
            different |= {word for _, word in history}
        self.assertGreaterEqual(len(different), 3, "a market without changes shows nothing")

    def test_what_is_stored_says_nothing_of_other_parameters_or_of_what_nobody_computed(self):
        for query in ("mode=legacy", "high_percentile=0.5", f"as_of={iso(T0 + 300 * HOUR)}"):
            body = self.get(f"/analysis/regime?pair=BTCUSDT&{query}")
            self.assertEqual(body["metadata"]["computed"], "on_request")
            self.assertEqual(self.trail(body), (None, None, None))

    def test_rows_of_a_history_and_of_csv_are_the_results_alone(self):
        body = self.get("/analysis/regime?pair=BTCUSDT&limit=3")
        declared = [o["name"] for o in self.get("/scripts/regime")["declaration"]["outputs"]]
        for row in body["history"]:
            self.assertEqual(list(row), ["timestamp", "status"] + declared)
        sheet = csv.DictReader(io.StringIO(ask(self.daemon.port, "/analysis/regime?pair=BTCUSDT&limit=3&format=csv").text))
        self.assertEqual(sheet.fieldnames, ["timestamp", "status"] + declared)

    def test_the_tag_changes_with_what_came_before(self):
        store = self.folder / "changed"
        petrosa("backup", store, store=self.shared)
        tags = []
        for remove in (False, True):
            daemon = Daemon("--set", "cycle.interval=1h", store=store)
            reply = ask(daemon.port, "/analysis/regime?pair=BTCUSDT")
            again = ask(daemon.port, "/analysis/regime?pair=BTCUSDT", headers={"If-None-Match": reply.headers["ETag"]})
            self.assertEqual(again.status, 304)
            tags.append((reply.headers["ETag"], reply.json["data"]))
            daemon.stop()
            if not remove:  # the same rows, and only the newest result
                shutil.rmtree(store)
                store = self.folder / "fresh"
                load(store, write_candles(self.folder / "b.csv", market(11, {380: 3.0, 395: 0.2})), "BTCUSDT", "1h")
                petrosa("compute", store=store)
        (tag, data), (other, fresh) = tags
        self.assertEqual((fresh["since"], fresh["previous_regime"], fresh["stable_regime"]), (iso(T0 + BARS * HOUR), None, fresh["regime"]))
        self.assertEqual({k: v for k, v in data.items() if k not in ("since", "previous_regime", "stable_regime")},
                         {k: v for k, v in fresh.items() if k not in ("since", "previous_regime", "stable_regime")})
        self.assertNotEqual(tag, other)

    def test_the_table_is_part_of_what_the_script_says(self):
        declaration = self.get("/scripts/regime")["declaration"]
        self.assertEqual((declaration["label"], declaration["levels"]), ("regime", ["volatility_level", "volume_level", "trend_direction"]))
        self.assertEqual(declaration["rules"][4], {"when": {"volatility_level": "high", "volume_level": "high"}, "gives": "breakout_phase",
                                                   "behind": ["bullish_acceleration", "bearish_acceleration"]})
        self.assertEqual(declaration["rules"][7], {"when": {}, "gives": "transitional", "otherwise": True})
        schema = self.get("/openapi.json")["paths"]["/analysis/regime"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        self.assertLessEqual({"since", "previous_regime", "stable_regime", "regime"}, set(schema["properties"]["data"]["properties"]))

    def test_a_market_that_is_too_young(self):
        body = self.get("/analysis/regime?pair=NEWUSDT")
        data, reasons = body["data"], body["metadata"]["reasons"]
        self.assertEqual((data["regime"], data["volatility_level"], data["trend_direction"], data["confidence"]), ("unknown", None, None, None))
        self.assertEqual((reasons["volatility_level"], reasons["trend_direction"], reasons["confidence"]), ("too_few", "no_trend", "unknown"))

    # ---- the overview

    def test_the_overview_shows_what_the_metrics_say(self):
        body = self.get("/analysis/market-overview")
        self.assertEqual(list(body), ["overview", "timestamp", "pairs_requested", "pairs_available", "pagination"])
        self.assertEqual(list(body["overview"]), ["BTCUSDT", "ETHUSDT", "NEWUSDT", "SOLUSDT"])
        self.assertEqual((body["pairs_requested"], body["pairs_available"], body["timestamp"]), (4, 3, iso(T0 + BARS * HOUR)))
        for pair, line in body["overview"].items():
            one = {name: self.get(f"/analysis/{name}?pair={pair}") for name in ("volatility", "volume", "trend", "regime")}
            volatility, volume, trend = (one[name]["values"][-1] for name in ("volatility", "volume", "trend"))
            self.assertEqual(list(line), ["volatility", "volume", "trend", "regime", "status"])
            self.assertEqual(line["volatility"], {"annualized": volatility["annualized"]})
            self.assertEqual(line["volume"], {"spike_ratio": volume["volume_spike_ratio"]})
            self.assertEqual(line["trend"], None if pair == "NEWUSDT" else {"direction": trend["crossover_signal"], "roc": trend["rate_of_change"]})
            self.assertEqual(line["regime"], {"classification": one["regime"]["data"]["regime"], "confidence": one["regime"]["data"]["confidence"]})
            self.assertEqual(line["status"], "warming" if pair == "NEWUSDT" else "stale", "warming is worse than old")

    def test_the_overview_of_pairs_that_are_named(self):
        body = self.get("/analysis/market-overview?pairs=solusdt,NOBODY,BTCUSDT,SOLUSDT")
        self.assertEqual(list(body["overview"]), ["BTCUSDT", "NOBODY", "SOLUSDT"])
        self.assertEqual(body["overview"]["NOBODY"], {"volatility": None, "volume": None, "trend": None, "regime": None, "status": "empty"})
        self.assertEqual((body["pairs_requested"], body["pairs_available"]), (3, 2))
        nothing = self.get("/analysis/market-overview?pairs=NOBODY")
        self.assertEqual((nothing["timestamp"], nothing["pairs_available"]), (None, 0))
        for pairs, shown in (("A!", "A!"), ("BTCUSDT,", "pairs"), (",", "pairs"), ("BTCUSDT,,ETHUSDT", "pairs"), ("X" * 200, "XXX")):
            detail = self.get(f"/analysis/market-overview?pairs={pairs}", 422)["detail"]
            self.assertIn("pairs", detail)
            self.assertIn(shown, detail)

    def test_the_overview_sorted_and_paged(self):
        whole = self.get("/analysis/market-overview")["overview"]
        for word, metric, field in (("volatility", "volatility", "annualized"), ("volume", "volume", "spike_ratio"), ("trend", "trend", "roc")):
            for order, sign in (("asc", 1), ("desc", -1)):
                want = sorted(whole, key=lambda pair: (whole[pair][metric] is None, sign * float((whole[pair][metric] or {field: 0})[field])))
                body = self.get(f"/analysis/market-overview?sort_by={word}&sort_order={order}")
                self.assertEqual(list(body["overview"]), want, word)
                pages = [self.get(f"/analysis/market-overview?sort_by={word}&sort_order={order}&limit=3&offset={at}") for at in (0, 3)]
                self.assertEqual([pair for page in pages for pair in page["overview"]], want)
                self.assertEqual([page["pairs_available"] for page in pages], [3, 3], "of all, not of the page")
        self.assertEqual(list(self.get("/analysis/market-overview?sort_order=desc")["overview"]), sorted(whole, reverse=True))
        detail = self.get("/analysis/market-overview?sort_by=price", 422)["detail"]
        self.assertIn("symbol, volatility, volume, trend", detail)

    def test_the_overview_of_a_period_that_nobody_computed(self):
        body = self.get("/analysis/market-overview?period=4h")
        self.assertEqual((body["pairs_requested"], body["pairs_available"], body["timestamp"]), (4, 0, None))
        self.assertEqual({line["status"] for line in body["overview"].values()}, {"empty"})
        self.assertEqual(self.get("/analysis/market-overview?period=1m")["overview"], {})

    def test_the_overview_in_its_other_forms(self):
        both = self.get("/analysis/market-overview?list_key=both")
        self.assertEqual(both["overview"], both["data"])
        only = self.get("/analysis/market-overview?list_key=data")
        self.assertNotIn("overview", only)
        reply = ask(self.daemon.port, "/analysis/market-overview", headers={"Accept": "text/csv"})
        rows = list(csv.DictReader(io.StringIO(reply.text)))
        self.assertEqual(reply.headers["X-Total-Count"], "4")
        for row in rows:
            line = both["overview"][row["pair"]]
            for column, text in row.items():
                if column not in ("pair", "status"):
                    metric, field = column.split(".")
                    self.assertEqual(text, ((line[metric] or {}).get(field)) or "")
        again = ask(self.daemon.port, "/analysis/market-overview")
        self.assertEqual(ask(self.daemon.port, "/analysis/market-overview", headers={"If-None-Match": again.headers["ETag"]}).status, 304)

    def test_every_list_has_its_other_name(self):
        for target, name in (("/scripts?", "scripts"), ("/catalog/datasets?", "datasets"), ("/catalog/lineage/candles_BTCUSDT_1h?", "lineage"),
                             ("/data/candles?pair=BTCUSDT&period=1h&", "values"), ("/data/trades?pair=BTCUSDT&", "values"),
                             ("/data/funding?pair=BTCUSDT&", "values"), ("/analysis/trend?pair=BTCUSDT&", "values"),
                             ("/analysis/market-overview?", "overview")):
            seed, data, both = (self.get(f"{target}list_key={word}") for word in ("seed", "data", "both"))
            self.assertEqual((name in seed, "data" in seed), (True, False), target)
            self.assertEqual((name in data, "data" in data), (False, True), target)
            self.assertEqual(both[name], both["data"], target)


class Fresh(Folder):
    def test_what_is_fresh_is_ok(self):
        import time
        now = int(time.time()) * 1_000_000
        first = now - now % HOUR - BARS * HOUR
        rows = market(3, {})
        for i, row in enumerate(rows):
            row[0] = first + i * HOUR
        load(self.store, write_candles(self.dir / "a.csv", rows), "BTCUSDT", "1h")
        petrosa("compute", store=self.store)
        daemon = Daemon("--set", "cycle.interval=1h", store=self.store)
        self.addCleanup(daemon.stop)
        line = ask(daemon.port, "/analysis/market-overview").json["overview"]["BTCUSDT"]
        self.assertEqual(line["status"], "ok")
        self.assertEqual(ask(daemon.port, "/analysis/regime?pair=BTCUSDT").json["status"], "ok")


if __name__ == "__main__":
    unittest.main()
