"""The log of anomalies: what scans and requests find is there once, durable when it is told, and stays as people left it."""
import csv
import io
import pathlib
import shutil
import signal
import tempfile
import threading
import time

from client import HOUR, US, ask, candle, iso, load, misfits, write_candles
from harness import Daemon, Folder, petrosa

BARS = 260
SPIKES = {120: 1.3, 200: 0.8, 230: 1.25}


def bars(first, spikes, n=BARS, at=0):
    """Hourly bars of a small walk; a spike is a close that many times as high, for one bar."""
    rows, state, price = [], 7, 100.0
    for i in range(at + n):
        state = state * 16807 % 2147483647
        opened, price = price, price * (1 + (state / 2147483647 - 0.5) * 0.004)
        close = price * spikes.get(i, 1)
        row = candle(i, HOUR, start=first)
        row[1:5] = [f"{x:.4f}" for x in (opened, max(opened, close) + 0.01, min(opened, close) - 0.01, close)]
        rows.append(row)
    return rows[at:]


class WithSpikes(Folder):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="petrosa http "))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        now = int(time.time()) * US
        cls.first = now - now % HOUR - BARS * HOUR  # the newest bar has just closed
        cls.shared = cls.folder / "store"
        load(cls.shared, write_candles(cls.folder / "a.csv", bars(cls.first, SPIKES)), "BTCUSDT", "1h")
        load(cls.shared, write_candles(cls.folder / "b.csv", bars(cls.first, {})), "ETHUSDT", "1h")
        load(cls.shared, write_candles(cls.folder / "c.csv", bars(cls.first, {})[-20:]), "NEWUSDT", "1h")

    def setUp(self):
        super().setUp()
        petrosa("backup", self.store, store=self.shared)

    def serve(self, *settings, pairs="NEWUSDT"):
        """Of other pairs nothing is scanned: what is logged of them was asked for."""
        settings += (f"cycle.pairs={pairs}",)
        daemon = Daemon("--set", "cycle.interval=1h", *(w for s in settings for w in ("--set", s)), store=self.store)
        self.addCleanup(daemon.stop)
        self.port = daemon.port
        return daemon

    def get(self, target, status=200):
        reply = ask(self.port, target)
        self.assertEqual(reply.status, status, reply.body[:400])
        return reply.json

    def post(self, target, status=200, **headers):
        reply = ask(self.port, target, "POST", headers={k.replace("_", "-"): v for k, v in headers.items()})
        self.assertEqual(reply.status, status, reply.body[:400])
        return reply.json

    def detect(self, query="", pair="BTCUSDT", **more):
        return self.post(f"/anomalies/detect?pair={pair}&method=mad{query}", **more)

    def times(self, body):
        """Places of the bars that a reply tells."""
        return [round((time.mktime(time.strptime(row["timestamp"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone - self.first / US) / 3600)
                for row in body["anomalies"]]


class Anomalies(WithSpikes):
    def test_a_detection_finds_what_was_put_there_and_logs_it_once(self):
        self.serve()
        body = self.detect()
        self.assertEqual(list(body), ["pair", "timeframe", "method", "status", "anomalies_detected", "anomalies", "timestamp", "metadata"])
        self.assertEqual((body["pair"], body["timeframe"], body["method"], body["status"]), ("BTCUSDT", "1h", "mad", "ok"))
        # the move there and the move back
        self.assertEqual(self.times(body), [120, 121, 200, 201, 230, 231])
        self.assertEqual(body["anomalies_detected"], 6)
        self.assertEqual((body["metadata"]["logged"], body["metadata"]["stale"]), (6, False))
        for hit in body["anomalies"]:
            self.assertEqual(list(hit)[:6], ["timestamp", "price", "severity", "reason", "method", "score"])
            self.assertIsInstance(hit["price"], float)
            self.assertIsInstance(hit["score"], str)
            self.assertEqual((hit["method"], hit["severity"], hit["threshold"]), ("mad", "critical", "3.5"))
        again = self.detect()
        self.assertEqual((again["anomalies"], again["metadata"]["logged"]), (body["anomalies"], 0))
        log = self.get("/anomalies?pair=BTCUSDT&sort_order=asc")
        self.assertEqual([row["id"] for row in log["anomalies"]], [hit["id"] for hit in body["anomalies"]])
        self.assertEqual(log["total_count"], 6)
        for row, hit in zip(log["anomalies"], body["anomalies"]):
            same = set(row) & set(hit)
            self.assertEqual({k: row[k] for k in same}, {k: hit[k] for k in same})
            self.assertEqual((row["status"], row["kind"], row["timeframe"], row["dataset"]), ("new", "market", "1h", "candles_BTCUSDT_1h"))
            self.assertEqual(row["parameters"]["threshold"], "3.5")
        # another threshold makes other hits of the same bars
        lower = self.detect("&threshold=3")
        self.assertEqual({hit["id"] for hit in lower["anomalies"]} & {hit["id"] for hit in body["anomalies"]}, set())
        self.assertGreaterEqual(lower["metadata"]["logged"], 6)
        self.assertEqual(self.get("/anomalies/summary")["total_anomalies"], 6 + lower["metadata"]["logged"])
        # and not what is the same to a number
        self.assertEqual(self.detect("&threshold=3.50")["metadata"]["logged"], 0)

    def test_all_spellings_of_the_original(self):
        self.serve()
        one = self.post("/anomalies/anomalies/detect?pair=BTCUSDT&method=mad")
        self.assertEqual(one["anomalies"], self.detect()["anomalies"])
        drop = {"timestamp"}
        for path in ("", "/summary"):
            seed, ours = (self.get(prefix + path) for prefix in ("/anomalies/anomalies", "/anomalies"))
            self.assertEqual({k: v for k, v in seed.items() if k not in drop}, {k: v for k, v in ours.items() if k not in drop})

    def test_the_scan_logs_every_bar_that_closed_and_a_result_of_the_newest(self):
        self.serve(pairs="BTCUSDT,ETHUSDT,NEWUSDT")
        self.wait_times([120, 121, 200, 201, 230, 231])
        rows = bars(self.first, SPIKES | {BARS: 1.4}, n=1, at=BARS)
        rows[0][0] = self.first + BARS * HOUR - 1 * HOUR  # corrects the newest bar
        load(self.store, write_candles(self.dir / "d.csv", rows), "BTCUSDT", "1h")
        log = self.wait_times([120, 121, 200, 201, 230, 231, BARS - 1])
        until = time.monotonic() + 60
        while "petrosa_anomaly_scan_bars 0\n" not in ask(self.port, "/metrics").text:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)
        entry = log["anomalies"][-1]
        # a request finds the same hit, and the first score of it stays
        found = {hit["id"]: hit for hit in self.detect()["anomalies"]}
        self.assertIn(entry["id"], found)
        self.assertEqual(self.get("/anomalies?method=mad&limit=1")["anomalies"][0], entry)
        self.assertIn("analytics_BTCUSDT_mad", ask(self.port, "/catalog/datasets?limit=100").text)

    def wait_times(self, times):
        until = time.monotonic() + 60
        while self.times(log := self.get("/anomalies?method=mad&sort_order=asc")) != times:
            self.assertLess(time.monotonic(), until, self.times(log))
            time.sleep(0.05)
        return log

    def test_compute_and_replay_write_the_same_log(self):
        petrosa("replay", "mad", "--pair", "BTCUSDT", "--period", "1h", "--start", iso(self.first + 210 * HOUR), "--store", "-o",
                self.dir / "x.csv", store=self.store)
        self.serve()
        log = self.get("/anomalies?pair=BTCUSDT&sort_order=asc")
        self.assertEqual(self.times(log), [230, 231])
        self.assertEqual(self.detect()["metadata"]["logged"], 4)

    def test_every_loaded_detector_can_be_asked(self):
        silent = bars(self.first, {})
        silent[100][5] = "0.000"
        load(self.store, write_candles(self.dir / "e.csv", silent), "SILUSDT", "1h")
        self.serve()
        names = {s["name"] for s in self.get("/scripts")["scripts"] if s["kind"] == "anomaly"}
        self.assertLessEqual({"mad", "zscore", "moving_avg", "data_quality"}, names)
        for name in sorted(names):
            body = self.post(f"/anomalies/detect?pair=BTCUSDT&method={name}")
            self.assertEqual(body["method"], name)
            self.assertIn(body["status"], ("ok", "warming"))
            self.assertEqual(body["anomalies_detected"] is None, body["status"] == "warming", name)
            self.assertEqual(len(body["anomalies"]), body["anomalies_detected"] or 0)
        self.assertEqual(self.post("/anomalies/detect?pair=BTCUSDT")["method"], "zscore", "as the original")
        found = self.post("/anomalies/detect?pair=SILUSDT&method=data_quality")
        self.assertEqual([hit["reason"] for hit in found["anomalies"]], ["zero_volume"])
        entry = self.get("/anomalies?kind=data_quality&pair=SILUSDT")["anomalies"][0]
        self.assertEqual((self.times({"anomalies": [entry]}), entry["method"]), ([100], "data_quality"))
        self.assertEqual(self.get("/anomalies?kind=market&pair=SILUSDT")["total_count"], 0)

    def test_what_cannot_be_told_is_not_none(self):
        self.serve()
        young = self.detect(pair="NEWUSDT")
        self.assertEqual((young["status"], young["anomalies_detected"], young["anomalies"]), ("warming", None, []))
        self.assertIn("found", young["metadata"]["reasons"])
        nobody = self.detect(pair="NOBODY")
        self.assertEqual((nobody["status"], nobody["anomalies_detected"], nobody["anomalies"]), ("empty", None, []))
        self.assertIn("NOBODY", nobody["metadata"]["message"])
        quiet = self.detect(pair="ETHUSDT")
        self.assertEqual((quiet["status"], quiet["anomalies_detected"]), ("ok", 0))
        self.assertEqual(self.get("/anomalies")["total_count"], 0)

    def test_mistakes_are_named(self):
        self.serve()
        for query, *words in (("&timeframe=7h", "timeframe", "7h"), ("&threshold=high", "threshold", "high"), ("&field=hour", "field", "log_return"),
                              ("&window_days=-1", "window_days"), ("&windows=3", "windows"), ("&threshold=3&threshold=4", "threshold", "once")):
            detail = self.detect(query, status=422)["detail"]
            for word in words:
                self.assertIn(word, detail)
        for method in ("volatility", "nosuch", "correlation"):
            detail = self.post(f"/anomalies/detect?pair=BTCUSDT&method={method}", 422)["detail"]
            self.assertIn(method, detail)
            self.assertIn("mad", detail)
        self.post("/anomalies/detect?method=mad", 422)
        reply = ask(self.port, "/anomalies/detect?pair=BTCUSDT")
        self.assertEqual((reply.status, reply.headers["Allow"]), (405, "POST, OPTIONS"))
        self.assertEqual(ask(self.port, "/anomalies", "POST").status, 405)

    def test_a_status_stays_whatever_is_found_again(self):
        daemon = self.serve()
        ids = [hit["id"] for hit in self.detect()["anomalies"]]
        seen = self.post(f"/anomalies/{ids[0]}/acknowledge")
        self.assertEqual((seen["id"], seen["status"], seen["resolved_at"]), (ids[0], "acknowledged", None))
        self.assertEqual(self.post(f"/anomalies/{ids[0]}/acknowledge"), seen)
        done = self.post(f"/anomalies/{ids[1]}/resolve")
        self.assertEqual((done["status"], done["acknowledged_at"]), ("resolved", None))
        late = self.post(f"/anomalies/{ids[1]}/acknowledge", 409)
        self.assertEqual(late["title"], "Conflict")
        self.assertIn("resolved", late["detail"])
        self.detect()
        daemon.stop()
        self.serve()
        self.assertEqual(self.detect()["metadata"]["logged"], 0)
        self.assertEqual([row["id"] for row in self.get("/anomalies?status=acknowledged")["anomalies"]], ids[:1])
        self.assertEqual([row["id"] for row in self.get("/anomalies?status=resolved")["anomalies"]], ids[1:2])
        self.assertEqual(self.get("/anomalies/summary")["by_status"], {"new": 4, "acknowledged": 1, "resolved": 1})
        self.assertEqual(self.post(f"/anomalies/{ids[0]}/resolve")["acknowledged_at"], seen["acknowledged_at"])
        for bad in ("17", ids[0][:-1], ids[0] + "0", ids[0].upper(), "%2f", "a" * 300):
            self.assertEqual(ask(self.port, f"/anomalies/{bad}/resolve", "POST").status, 404, bad)

    def test_what_was_told_survives_the_death_of_the_daemon(self):
        daemon = self.serve()
        told = self.detect()
        seen = self.post(f"/anomalies/{told['anomalies'][0]['id']}/acknowledge")
        daemon.stop(signal.SIGKILL)
        self.serve()
        log = self.get("/anomalies?sort_order=asc")
        self.assertEqual([row["id"] for row in log["anomalies"]], [hit["id"] for hit in told["anomalies"]])
        self.assertEqual(log["anomalies"][0]["acknowledged_at"], seen["acknowledged_at"])
        self.assertEqual(petrosa("verify", store=self.store).returncode, 0)

    def test_many_at_once_log_each_hit_once(self):
        self.serve()
        told = []

        def run(n):
            told.append(self.detect("" if n % 2 else "&threshold=4"))
        threads = [threading.Thread(target=run, args=(n,)) for n in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual(len(told), 24)
        ids = {hit["id"] for body in told for hit in body["anomalies"]}
        self.assertEqual(len(ids), 12)
        self.assertEqual(sum(body["metadata"]["logged"] for body in told), 12, "each is new to one of them")
        self.assertEqual(self.get("/anomalies")["total_count"], 12)

    def test_changes_need_the_token_and_reads_do_not(self):
        token = self.dir / "token"
        token.write_text("a-token-of-the-test\n")
        token.chmod(0o600)
        self.serve(f"http.token_file={token}")
        self.detect(status=401)
        self.detect(status=403, Authorization="Bearer wrong")
        self.post("/anomalies/17/acknowledge", 401)
        self.assertEqual(self.get("/anomalies")["total_count"], 0)
        self.assertEqual(self.detect(Authorization="Bearer a-token-of-the-test")["anomalies_detected"], 6)

    def test_replies_are_as_described(self):
        self.serve()
        paths = self.get("/openapi.json")["paths"]
        entry = self.detect()["anomalies"][0]["id"]
        for path, method, body in (("/anomalies/detect", "post", self.detect()), ("/anomalies", "get", self.get("/anomalies?pair=BTCUSDT")),
                                   ("/anomalies", "get", self.get("/anomalies?severity=low&method=x")),
                                   ("/anomalies/summary", "get", self.get("/anomalies/summary")),
                                   ("/anomalies/{id}/resolve", "post", self.post(f"/anomalies/{entry}/resolve"))):
            schema = paths[path][method]["responses"]["200"]["content"]["application/json"]["schema"]
            self.assertEqual(misfits(schema, body), [], path)
        names = {p["name"] for p in paths["/anomalies/detect"]["post"]["parameters"]}
        self.assertLessEqual({"pair", "timeframe", "method", "threshold", "window_days", "field"}, names)

    def test_csv_carries_the_same_figures(self):
        self.serve()
        self.detect()
        rows = list(csv.DictReader(io.StringIO(ask(self.port, "/anomalies", headers={"Accept": "text/csv"}).text)))
        entries = self.get("/anomalies")["anomalies"]
        self.assertEqual(len(rows), 6)
        for row, entry in zip(rows, entries):
            self.assertEqual(list(row), list(entry))
            for name in ("id", "timestamp", "pair", "severity", "score", "threshold", "observed", "reason", "status"):
                self.assertEqual(row[name], str(entry[name]))
            self.assertEqual(float(row["price"]), entry["price"])
