"""/data/depth and /data/funding: files that were imported, and the books of a simulated market."""
import csv
import json
import time
import unittest

from client import HOUR, T0, US, ask, candle, iso, load, write_candles
from harness import DATA, NO_DATA, Daemon, Folder, petrosa


def book(symbol, time_ms, update, bids, asks):
    return json.dumps({"stream": f"{symbol.lower()}@depth20@100ms",
                       "data": {"e": "depthUpdate", "E": time_ms, "T": time_ms, "s": symbol, "U": update, "u": update, "pu": update - 1, "b": bids, "a": asks}})


class Market(Folder):
    def serve(self):
        daemon = Daemon(store=self.store)
        self.addCleanup(daemon.stop)
        return daemon.port

    def get(self, port, target, status=200):
        reply = ask(port, target)
        self.assertEqual(reply.status, status, reply.body[:300])
        return reply.json

    def test_the_newest_imported_book(self):
        bids = [[f"{50000 - i}.00", f"{i + 1}.500"] for i in range(20)]
        asks = [[f"{50001 + i}.10", f"0.{i + 1:03d}"] for i in range(7)]
        file = self.dir / "books.jsonl"
        file.write_text(book("BTCUSDT", T0 // 1000, 7, asks=[["9.0", "1"]], bids=[["8.0", "1"]]) + "\n" + book("BTCUSDT", T0 // 1000 + 100, 8, bids, asks) + "\n")
        self.import_json(file)
        port = self.serve()
        body = self.get(port, "/data/depth?pair=btcusdt")
        self.assertEqual(list(body), ["pair", "data", "metadata", "parameters"])
        self.assertEqual(body["data"], {"bids": [{"price": p, "quantity": q} for p, q in bids], "asks": [{"price": p, "quantity": q} for p, q in asks],
                                        "last_update_id": 8})
        metadata = body["metadata"]
        self.assertEqual((metadata["timestamp"], metadata["stale"], metadata["collection"]), (iso(T0 + 100_000), True, "depth_BTCUSDT"))
        self.assertIsInstance(metadata["age_ms"], int)
        self.assertLess(abs(metadata["age_ms"] - (time.time() * 1000 - T0 / 1000 - 100)), 60_000)
        for levels in (1, 5, 20):
            data = self.get(port, f"/data/depth?pair=BTCUSDT&levels={levels}")["data"]
            self.assertEqual((len(data["bids"]), len(data["asks"])), (levels, min(levels, 7)))
        for levels in ("0", "21", "5.0", ""):
            self.assertIn("levels", self.get(port, f"/data/depth?pair=BTCUSDT&levels={levels}", 422)["detail"])
        empty = self.get(port, "/data/depth?pair=NOBODY")
        self.assertEqual(empty["data"], {"bids": [], "asks": [], "last_update_id": None})
        self.assertEqual([empty["metadata"][k] for k in ("timestamp", "age_ms", "stale")], [None, None, None])

    def test_a_break_empties_the_book_and_the_spread(self):
        bids, asks = [["100.00", "2.0"], ["99.50", "3.0"]], [["100.50", "1.0"], ["101.00", "4.0"]]
        diff = {"e": "depthUpdate", "E": T0 // 1000 + 900, "T": T0 // 1000 + 900, "s": "BTCUSDT", "U": 20, "u": 21, "pu": 19, "b": [], "a": []}
        file = self.dir / "books.jsonl"
        lines = [book("BTCUSDT", T0 // 1000 + 100 * i, 10 + i, bids, asks) for i in range(5)]
        file.write_text("\n".join(lines) + "\n")
        self.import_json(file)
        port = self.serve()
        spread = self.get(port, "/analysis/spread?pair=BTCUSDT")
        self.assertEqual(list(spread), ["pair", "period", "metric", "status", "as_of", "data", "metadata"])
        self.assertEqual((spread["status"], spread["as_of"]), ("stale", iso(T0 + 400_000)))  # books of 2024, and no bar at all
        self.assertEqual((spread["data"]["bid_ask_spread"], spread["data"]["mid_price"]), ("0.5", "100.25"))
        self.assertEqual(spread["data"]["depth_bp"]["100"], {"bid": "5", "ask": "5", "covered": False})
        self.assertEqual(spread["data"]["slippage"]["1000"]["buy_fill"], "0.5045")
        self.assertIsNone(spread["data"]["amihud"])
        self.assertEqual(spread["metadata"]["reasons"], {"liquidity_ratio": "too_few", "amihud": "too_few"})
        self.assertEqual([spread["metadata"][k] for k in ("rows", "gaps", "expected", "computed", "window")], [5, 0, None, "on_request", "1h"])
        past = self.get(port, f"/analysis/spread?pair=BTCUSDT&as_of={iso(T0 + 250_000)}")
        self.assertEqual((past["status"], past["as_of"], past["metadata"]["rows"]), ("ok", iso(T0 + 200_000), 3))
        self.assertEqual(self.get(port, "/analysis/spread?pair=NOBODY")["data"], None)
        sheet = ask(port, "/analysis/spread?pair=BTCUSDT&format=csv").text.splitlines()
        self.assertIn("depth_bp.100.covered", sheet[0])
        file.write_text("\n".join(lines + [json.dumps({"stream": "btcusdt@depth", "data": diff})]) + "\n")
        self.import_json(file)
        body = self.get(port, "/data/depth?pair=BTCUSDT")
        self.assertEqual(body["data"], {"bids": [], "asks": [], "last_update_id": None})
        self.assertEqual(body["metadata"]["timestamp"], iso(T0 + 900_000))
        broken = self.get(port, f"/analysis/spread?pair=BTCUSDT&as_of={iso(T0 + HOUR)}")
        self.assertEqual((broken["status"], broken["as_of"], broken["metadata"]["gaps"]), ("gap", iso(T0 + 900_000), 1))
        self.assertIs(broken["metadata"]["broken"], True)
        self.assertEqual({key for key, value in broken["data"].items() if value is not None}, {"spread_time_weighted", "spread_p95"})
        self.assertEqual(broken["metadata"]["reasons"].pop("amihud"), "too_few")
        self.assertEqual(broken["metadata"]["reasons"].pop("liquidity_ratio"), "too_few")
        self.assertEqual(set(broken["metadata"]["reasons"].values()), {"no_book"})
        now = self.get(port, "/analysis/spread?pair=BTCUSDT")
        self.assertEqual(now["status"], "gap", "a break is no old book: it lasts until the next snapshot")

    def test_a_stored_spread_is_given_while_it_is_of_the_newest_book(self):
        file = self.dir / "books.jsonl"
        last = T0 + 30 * HOUR - 2 * US
        lines = [book("BTCUSDT", last // 1000 - 1000 * i, 100 - i, [["100.00", "2.0"]], [["100.50", "1.0"]]) for i in range(4, -1, -1)]
        file.write_text("\n".join(lines) + "\n")
        self.import_json(file)
        rows = [candle(i, HOUR) for i in range(30)]
        for i, row in enumerate(rows):
            row[0] = T0 + i * HOUR
        load(self.store, write_candles(self.dir / "a.csv", rows), "BTCUSDT", "1h")
        petrosa("compute", store=self.store)
        port = self.serve()
        body = self.get(port, "/analysis/spread?pair=BTCUSDT")
        self.assertEqual((body["metadata"]["computed"], body["as_of"]), ("stored", iso(last)))
        self.assertIsNotNone(body["data"]["amihud"])
        file.write_text("\n".join(lines + [book("BTCUSDT", last // 1000 + 1000, 101, [["100.10", "2.0"]], [["100.50", "1.0"]])]) + "\n")
        self.import_json(file)
        body = self.get(port, "/analysis/spread?pair=BTCUSDT")
        self.assertEqual((body["metadata"]["computed"], body["as_of"]), ("on_request", iso(last + US)))
        self.assertEqual(body["data"]["bid_ask_spread"], "0.4000000000000057")

    def test_a_live_book_is_fresh(self):
        daemon = Daemon(command="demo")
        self.addCleanup(daemon.stop)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            body = self.get(daemon.port, "/data/depth?pair=BTCUSDT")
            if body["data"]["bids"] and not body["metadata"]["stale"]:
                break
            time.sleep(0.2)
        bids, asks = ([float(level["price"]) for level in body["data"][side]] for side in ("bids", "asks"))
        self.assertEqual((bids, asks), (sorted(bids, reverse=True), sorted(asks)))
        self.assertLess(bids[0], asks[0])
        self.assertIs(body["metadata"]["stale"], False)
        self.assertLessEqual(body["metadata"]["age_ms"], 5000)
        spread = self.get(daemon.port, "/analysis/spread?pair=BTCUSDT")
        self.assertEqual(spread["status"], "ok", spread["metadata"])
        self.assertGreater(float(spread["data"]["bid_ask_spread"]), 0)
        self.assertEqual({key: value for key, value in spread["metadata"]["reasons"].items() if key not in ("spread_time_weighted", "spread_p95")}, {})

    def test_funding_by_hand(self):
        rows = [(T0 + i * 8 * HOUR, f"0.000{i:05d}", "" if i % 3 == 0 else f"{60000 + i}.25") for i in range(50)]
        file = self.dir / "f.csv"
        file.write_text("funding_time,rate,mark_price\n" + "".join(f"{t},{rate},{mark}\n" for t, rate, mark in rows))
        load(self.store, file, "BTCUSDT", kind="funding")
        port = self.serve()
        body = self.get(port, f"/data/funding?pair=btcusdt&start={T0}&limit=7&offset=3")
        self.assertEqual(list(body), ["pair", "values", "pagination", "metadata", "parameters"])
        self.assertEqual(body["values"], [{"timestamp": iso(t), "funding_rate": rate, "mark_price": mark or None} for t, rate, mark in rows[3:10]])
        self.assertEqual(body["pagination"], {"total": 50, "limit": 7, "offset": 3, "page": 1, "pages": 8, "has_next": True, "has_previous": True})
        self.assertEqual(body["metadata"]["collection"], "funding_rates_BTCUSDT")
        self.assertEqual(self.get(port, "/data/funding?pair=BTCUSDT")["values"], [], "the last 7 days have none")
        end = T0 + 200 * HOUR
        week = self.get(port, f"/data/funding?pair=BTCUSDT&end={end}")
        self.assertEqual([v["timestamp"] for v in week["values"]], [iso(t) for t, _, _ in rows if end - 168 * HOUR <= t < end])
        down = self.get(port, f"/data/funding?pair=BTCUSDT&start={T0}&sort_order=desc&limit=2")
        self.assertEqual([v["funding_rate"] for v in down["values"]], [rows[49][1], rows[48][1]])
        sheet = ask(port, f"/data/funding?pair=BTCUSDT&start={T0}&limit=2&format=csv")
        self.assertEqual(sheet.text, f"timestamp,funding_rate,mark_price\n{iso(T0)},0.00000000,\n{iso(T0 + 8 * HOUR)},0.00000001,60001.25\n")
        self.assertEqual(sheet.headers["X-Total-Count"], "50")

    @unittest.skipIf(NO_DATA, NO_DATA)
    def test_published_funding(self):
        file = DATA / "funding/BTCUSDT_funding.csv"
        with open(file) as f:
            rows = [(int(row["timestamp"]) * 1000, row["funding_rate"]) for row in csv.DictReader(f)]
        self.import_json(file)
        port = self.serve()
        values = self.get(port, f"/data/funding?pair=BTCUSDT&start={rows[0][0]}&end={rows[-1][0] + US}&limit=1000")["values"]
        self.assertEqual([(v["timestamp"], v["funding_rate"]) for v in values], [(iso(t), rate) for t, rate in rows])
