"""/data/candles and /data/trades against a model in Python: paging, ranges, resampling, digits, concurrency."""
import random
import threading
import unittest

from client import DAY, HOUR, MINUTE, T0, US, ask, candle, iso, load, write_candles, write_trades
from harness import DATA, NO_DATA, Daemon, Folder, petrosa

FIELDS = ["timestamp", "open", "high", "low", "close", "volume", "quote_volume", "trades_count", "taker_buy_volume", "closed"]


class Data(Folder):
    @classmethod
    def setUpClass(cls):
        import pathlib
        import shutil
        import tempfile
        pick = random.Random(3)
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="petrosa http "))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        store = cls.folder / "store"
        # one minute bars with holes; some never closed, the last one is under way
        cls.minutes = [candle(i, MINUTE, closed=0 if i in (700, 701, 2999) else 1) for i in range(3000) if pick.random() > 0.02 or i in (0, 2999)]
        cls.hours = [candle(i, HOUR) for i in range(500) if i not in (100, 101, 102, 300)]
        cls.trades = [[T0 + (i // 3) * US // 10, 1000 + i + (i > 500), f"{100 + i % 7}.{i % 100:02d}", f"0.{i % 1000 + 1:03d}", "buy" if i % 3 else "sell"]
                      for i in range(2500)]
        load(store, write_candles(cls.folder / "m.csv", cls.minutes), "ADAUSDT", "1m")
        load(store, write_candles(cls.folder / "h.csv", cls.hours), "BTCUSDT", "1h")
        load(store, write_trades(cls.folder / "t.csv", cls.trades), "BTCUSDT", kind="trades")
        cls.daemon = Daemon(store=store)
        cls.addClassCleanup(cls.daemon.stop)
        cls.port = cls.daemon.port

    def get(self, target, status=200, **headers):
        reply = ask(self.port, target, headers=headers)
        self.assertEqual(reply.status, status, reply.body[:300])
        return reply.json

    def closed(self, include_open=False):
        return [row for row in self.minutes if row[10] == 1 or include_open]

    def bars(self, period):
        """Open times of the bars of a bigger period, by its definition: all parts there and closed."""
        have = {row[0] for row in self.minutes if row[10] == 1}
        starts = sorted({row[0] - row[0] % period for row in self.minutes})
        return [s for s in starts if all(s + k * MINUTE in have for k in range(period // MINUTE))]

    def test_the_shape(self):
        body = self.get("/data/candles?pair=btcusdt&period=1h&limit=3")
        self.assertEqual(list(body), ["pair", "period", "values", "pagination", "metadata", "parameters"])
        self.assertEqual((body["pair"], body["period"]), ("BTCUSDT", "1h"))
        newest = self.hours[-3:]
        for value, row in zip(body["values"], newest):
            self.assertEqual(list(value), FIELDS)
            self.assertEqual(value, {"timestamp": iso(row[0]), "open": row[1], "high": row[2], "low": row[3], "close": row[4], "volume": row[5],
                                     "quote_volume": row[6], "trades_count": row[7], "taker_buy_volume": row[8], "closed": True})
        self.assertEqual(body["pagination"], {"total": 496, "limit": 3, "offset": 0, "page": 1, "pages": 166, "has_next": True, "has_previous": False})
        metadata = body["metadata"]
        self.assertEqual((metadata["collection"], metadata["records_returned"], metadata["last_updated"]),
                         ("candles_BTCUSDT_1h", 3, iso(self.hours[-1][0])))
        self.assertAlmostEqual(metadata["data_completeness"], 100 * 496 / 500)
        self.assertNotIn("derived_from", metadata)
        self.assertEqual(body["parameters"], {"pair": "BTCUSDT", "period": "1h", "start": None, "end": None, "limit": 3, "offset": 0,
                                              "sort_order": "asc", "include_open": False})

    def check(self, target, times, limit, offset, start, end, descending):
        inside = [t for t in times if (start is None or t >= start) and (end is None or t < end)]
        walk = inside[::-1] if start is None or descending else inside
        page = sorted(walk[offset:offset + limit], reverse=descending)
        query = f"{target}&limit={limit}&offset={offset}" + ("&sort_order=desc" if descending else "")
        query += (f"&start={start}" if start is not None else "") + (f"&end={end}" if end is not None else "")
        body = self.get(query)
        self.assertEqual([v["timestamp"] for v in body["values"]], [iso(t) for t in page], query)
        pages = body["pagination"]
        self.assertEqual(pages, {"total": len(inside), "limit": limit, "offset": offset, "page": offset // limit + 1, "pages": -(-len(inside) // limit),
                                 "has_next": offset + limit < len(inside), "has_previous": offset > 0}, query)
        self.assertEqual(body["metadata"]["records_returned"], len(page))

    def test_any_page_is_what_the_model_says(self):
        pick = random.Random(4)
        minutes, all_minutes = [r[0] for r in self.closed()], [r[0] for r in self.closed(True)]
        cases = [("/data/candles?pair=ADAUSDT&period=1m", minutes), ("/data/candles?pair=ADAUSDT&period=1m&include_open=true", all_minutes),
                 ("/data/candles?pair=ADAUSDT&period=5m", self.bars(5 * MINUTE)), ("/data/candles?pair=ADAUSDT&period=15m", self.bars(15 * MINUTE)),
                 ("/data/candles?pair=BTCUSDT&period=1h", [r[0] for r in self.hours])]
        for _ in range(200):
            target, times = pick.choice(cases)
            start = pick.choice([None, T0 + pick.randrange(-100, 3100) * MINUTE + pick.choice([0, 0, 1])])
            end = pick.choice([None, T0 + pick.randrange(-100, 3100) * MINUTE + pick.choice([0, 0, 1])])
            self.check(target, times, pick.randrange(1, 300), pick.choice([0, 0, pick.randrange(0, 3000)]), start, end, pick.random() < 0.4)

    def test_pages_put_together_are_the_whole(self):
        for extra in (f"&start={T0}", "", f"&start={T0}&sort_order=desc"):
            seen, offset = [], 0
            while True:
                body = self.get(f"/data/candles?pair=ADAUSDT&period=1m&limit=997&offset={offset}{extra}")
                page = [v["timestamp"] for v in body["values"]]
                seen = page + seen if not extra else seen + page
                offset += 997
                if not body["pagination"]["has_next"]:
                    break
            want = [iso(r[0]) for r in self.closed()]
            self.assertEqual(seen, want[::-1] if "desc" in extra else want)

    def test_times_in_many_forms(self):
        want = self.get(f"/data/candles?pair=BTCUSDT&period=1h&start={T0 + DAY}&end={T0 + 2 * DAY}")["values"]
        self.assertEqual(len(want), 24)
        seconds = (T0 + DAY) // US
        for start in ("2024-11-16", "2024-11-16T00:00:00", "2024-11-16T00:00:00Z", "2024-11-16T01:00:00%2B01:00", "2024-11-16T01:00:00+01:00",
                      "2024-11-16%2000:00", seconds, seconds * 1000, seconds * 10**6, "2024-11-15T23:00:00.000001Z"):
            self.assertEqual(self.get(f"/data/candles?pair=BTCUSDT&period=1h&start={start}&end=2024-11-17")["values"], want, start)

    def test_nothing_there_is_200_and_empty(self):
        for target in ("/data/candles?pair=NOBODY&period=1h", "/data/candles?pair=BTCUSDT&period=1h&start=2030-01-01", "/data/candles?pair=BTCUSDT&period=1h&end=2010-01-01",
                       "/data/candles?pair=BTCUSDT&period=1h&start=2024-11-17&end=2024-11-16", "/data/candles?pair=BTCUSDT&period=1h&start=2024-11-17&end=2024-11-17",
                       "/data/candles?pair=BTCUSDT&period=1m", "/data/candles?pair=BTCUSDT&period=1h&offset=500", "/data/trades?pair=NOBODY",
                       "/data/trades?pair=BTCUSDT&start=2030-01-01", "/data/trades?pair=BTCUSDT&offset=2500"):
            body = self.get(target)
            self.assertEqual(body["values"], [], target)
            self.assertEqual(body["metadata"]["records_returned"], 0)
            if "offset" not in target:
                self.assertEqual(body["pagination"]["total"], 0)
                self.assertIsNone(body["metadata"]["data_completeness"])

    def test_a_bigger_period_is_built_exactly(self):
        body = self.get("/data/candles?pair=ADAUSDT&period=15m&limit=1000")
        self.assertEqual(body["metadata"]["derived_from"], "1m")
        self.assertEqual(body["metadata"]["collection"], "candles_ADAUSDT_15m")
        by_time = {r[0]: r for r in self.minutes}
        for value, start in zip(body["values"], self.bars(15 * MINUTE)[-1000:]):
            rows = [by_time[start + k * MINUTE] for k in range(15)]
            self.assertEqual((value["timestamp"], value["open"], value["close"]), (iso(start), rows[0][1], rows[-1][4]))
            self.assertEqual(float(value["high"]), max(float(r[2]) for r in rows))
            self.assertEqual((value["volume"], value["trades_count"], value["closed"]), ("187.500", 42 * 15, True))
        expected = 3000 * MINUTE // (15 * MINUTE) - 1  # the last one holds the bar under way
        self.assertLessEqual(body["metadata"]["data_completeness"], 100 * len(self.bars(15 * MINUTE)) / expected + 1)

    def test_completeness_is_of_the_range(self):
        def completeness(start, end):
            return self.get(f"/data/candles?pair=BTCUSDT&period=1h&limit=1&start={start}&end={end}")["metadata"]["data_completeness"]
        self.assertEqual(completeness(T0 + 98 * HOUR, T0 + 108 * HOUR), 70)
        self.assertEqual(completeness(T0, T0 + 50 * HOUR), 100)
        self.assertEqual(completeness(0, T0 + 10 * HOUR), 100)
        self.assertEqual(completeness(T0 + 490 * HOUR, T0 + 9000 * HOUR), 100)

    def test_trades(self):
        body = self.get("/data/trades?pair=BTCUSDT&limit=10")
        self.assertEqual(list(body), ["pair", "values", "pagination", "metadata", "parameters"])
        for value, row in zip(body["values"], self.trades[-10:]):
            self.assertEqual(value, {"timestamp": iso(row[0]), "trade_id": row[1], "price": row[2], "quantity": row[3], "side": row[4]})
        self.assertEqual(body["pagination"]["total"], 2500)
        self.assertAlmostEqual(body["metadata"]["data_completeness"], 100 * 2500 / 2501)
        self.assertEqual(body["metadata"]["collection"], "trades_BTCUSDT")
        pick = random.Random(8)
        for _ in range(60):
            start = pick.choice([None, T0 + pick.randrange(0, 90) * US])
            end = pick.choice([None, T0 + pick.randrange(0, 90) * US])
            inside = [r for r in self.trades if (start is None or r[0] >= start) and (end is None or r[0] < end)]
            descending, limit, offset = pick.random() < 0.5, pick.randrange(1, 400), pick.choice([0, pick.randrange(2500)])
            walk = inside[::-1] if start is None or descending else inside
            page = sorted((r[1] for r in walk[offset:offset + limit]), reverse=descending)
            query = f"/data/trades?pair=BTCUSDT&limit={limit}&offset={offset}" + ("&sort_order=desc" if descending else "")
            query += (f"&start={start}" if start is not None else "") + (f"&end={end}" if end is not None else "")
            body = self.get(query)
            self.assertEqual([v["trade_id"] for v in body["values"]], page, query)
            self.assertEqual(body["pagination"]["total"], len(inside))

    def test_a_reply_of_a_megabyte_is_whole(self):
        first = ask(self.port, f"/data/candles?pair=ADAUSDT&period=1m&limit=1000&list_key=both&start={T0}")
        self.assertGreater(len(first.body), 400_000)
        self.assertEqual(len(first.json["values"]), 1000)
        for _ in range(20):
            again = ask(self.port, f"/data/candles?pair=ADAUSDT&period=1m&limit=1000&list_key=both&start={T0}")
            self.assertEqual(again.body, first.body)


class WhileCommitting(Folder):
    def test_readers_see_whole_commits_only(self):
        """A writer puts 50 bars a commit; every reply must hold a multiple of 50, never go back, and agree with its own totals."""
        bars = 2000
        load(self.store, write_candles(self.dir / "0.csv", [candle(i, MINUTE) for i in range(50)]), "BTCUSDT", "1m")
        daemon = Daemon("--set", "http.threads=2", store=self.store)
        self.addCleanup(daemon.stop)
        stop, failures, seen = threading.Event(), [], set()

        def read():
            last = 0
            while not stop.is_set():
                reply = ask(daemon.port, "/data/candles?pair=BTCUSDT&period=1m&limit=1000")
                body = reply.json
                total = body["pagination"]["total"]
                rows = [v["timestamp"] for v in body["values"]]
                seen.add(total)
                good = (reply.status == 200 and total % 50 == 0 and total >= last and len(rows) == min(total, 1000)
                        and rows == sorted(set(rows)) and rows[-1] == iso(T0 + (total - 1) * MINUTE) and body["metadata"]["last_updated"] == rows[-1])
                if not good:
                    failures.append((last, total, len(rows), rows[-1:]))
                    return
                last = total
        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for first in range(50, bars, 50):
            rows = [candle(i, MINUTE) for i in range(first, first + 50)]
            load(self.store, write_candles(self.dir / "n.csv", rows), "BTCUSDT", "1m")
            if failures:
                break
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertGreater(len(seen), 3)
        reply = ask(daemon.port, "/data/candles?pair=BTCUSDT&period=1m&limit=1")
        self.assertEqual(reply.json["pagination"]["total"], bars)

    def test_a_corrected_bar_is_shown_at_once(self):
        load(self.store, write_candles(self.dir / "a.csv", [candle(i, HOUR) for i in range(100)]), "BTCUSDT", "1h")
        daemon = Daemon(store=self.store)
        self.addCleanup(daemon.stop)
        target = f"/data/candles?pair=BTCUSDT&period=1h&start={T0}&limit=1"
        before = ask(daemon.port, target)
        row = candle(0, HOUR)
        row[4] = "101.99"
        load(self.store, write_candles(self.dir / "b.csv", [row]), "BTCUSDT", "1h")
        after = ask(daemon.port, target, headers={"If-None-Match": before.headers["ETag"]})
        self.assertEqual(after.status, 200)
        self.assertEqual(after.json["values"][0]["close"], "101.99")
        self.assertNotEqual(after.headers["ETag"], before.headers["ETag"])


@unittest.skipIf(NO_DATA, NO_DATA)
class Real(Folder):
    def test_exchange_digits_come_back(self):
        path = DATA / "klines/spot_1h"
        files = sorted(path.glob("*BTCUSDT*"))
        if not files:
            self.skipTest(f"skipped: no BTCUSDT file in {path}")
        petrosa("import", files[0], store=self.store, check=None)
        daemon = Daemon(store=self.store)
        self.addCleanup(daemon.stop)
        exported = petrosa("export", "--kind", "candles", "--pair", "BTCUSDT", "--period", "1h", store=self.store).stdout.splitlines()
        rows = [line.split(",") for line in exported[1:]]
        body = ask(daemon.port, f"/data/candles?pair=BTCUSDT&period=1h&limit=1000&start={rows[0][0]}").json
        self.assertEqual(len(body["values"]), min(1000, len(rows)))
        for value, row in zip(body["values"], rows):
            self.assertEqual([value["timestamp"], value["open"], value["high"], value["low"], value["close"], value["volume"]],
                             [iso(int(row[0]))] + row[1:6])


if __name__ == "__main__":
    unittest.main()
