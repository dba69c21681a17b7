"""/analysis/{metric} with the real engine: stored, on request, by every way the same numbers."""
import csv
import io
import json
import re
import time
import unittest

from client import DAY, HOUR, MINUTE, T0, US, ask, candle, iso, load, misfits, write_candles
from harness import DATA, NO_DATA, Daemon, Folder, petrosa

METRICS = ("volatility", "volume", "trend", "deviation", "regime")
DATA_SHAPE = ("deviation", "regime")  # the others are lists
WORDS = ("timestamp", "status", "crossover_signal", "crossover_event", "regime", "volatility_level", "volume_level", "trend_direction", "since",
         "previous_regime", "stable_regime")
TRAIL = ("since", "previous_regime", "stable_regime")  # of what is stored; eval knows of its own window only
DECIMAL = re.compile(r"^-?\d+(\.\d+)?$")


class Analysis(Folder):
    @classmethod
    def setUpClass(cls):
        import pathlib
        import shutil
        import tempfile
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="petrosa http "))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.shared = cls.folder / "store"
        for n, symbol in enumerate(("BTCUSDT", "ETHUSDT")):
            rows = [candle(i * 7 % 400 + n, HOUR) for i in range(400)]
            for i, row in enumerate(rows):
                row[0] = T0 + i * HOUR
            load(cls.shared, write_candles(cls.folder / "a.csv", [r for i, r in enumerate(rows) if not (n == 1 and i == 390)]), symbol, "1h")
        for k in (0, 1, 2):
            petrosa("compute", "--as-of", iso(T0 + (398 + k) * HOUR), store=cls.shared)
        cls.daemon = Daemon(store=cls.shared)
        cls.addClassCleanup(cls.daemon.stop)
        cls.port = cls.daemon.port

    def get(self, target, status=200, **headers):
        reply = ask(self.port, target, headers={k.replace("_", "-"): v for k, v in headers.items()})
        self.assertEqual(reply.status, status, reply.body[:300])
        return reply.json

    def item(self, body):
        return body["values"][-1] if body["metric"] in ("volatility", "volume", "trend") else body["data"]

    def test_the_two_shapes(self):
        for metric in METRICS:
            body = self.get(f"/analysis/{metric}?pair=btcusdt")
            listed = metric not in DATA_SHAPE
            self.assertEqual(list(body), ["pair", "period", "metric"] + (["method", "window"] if listed else []) + ["status", "as_of"]
                             + (["values", "pagination"] if listed else ["data"]) + ["metadata"])
            self.assertEqual((body["pair"], body["period"], body["metric"], body["as_of"]), ("BTCUSDT", "1h", metric, iso(T0 + 400 * HOUR)))
            self.assertEqual(body["status"], "stale")  # these bars are of 2024
            metadata = body["metadata"]
            for key in ("timestamp", "collection", "records_returned", "data_completeness", "last_updated", "source", "computed", "method",
                        "method_version", "window", "parameters", "completeness", "rows", "gaps", "computed_at", "script", "script_hash"):
                self.assertIn(key, metadata)
            self.assertEqual((metadata["computed"], metadata["collection"]), ("stored", f"analytics_BTCUSDT_{metric}"))
            self.assertIsInstance(metadata["completeness"], (int, float))
            if listed:
                self.assertEqual([body["values"][0]["timestamp"], body["values"][0]["status"]], [body["as_of"], "stale"])

    def test_values_are_decimal_strings_and_counts_are_integers(self):
        for metric in METRICS:
            for name, value in self.item(self.get(f"/analysis/{metric}?pair=ETHUSDT")).items():
                if isinstance(value, str) and name not in WORDS:
                    self.assertRegex(value, DECIMAL, name)
                self.assertNotIsInstance(value, float, name)

    def test_every_declared_output_is_there(self):
        for metric in METRICS:
            declared = [o["name"] for o in self.get(f"/scripts/{metric}")["declaration"]["outputs"]]
            fields = [k for k in self.item(self.get(f"/analysis/{metric}?pair=BTCUSDT")) if k not in ("timestamp", "status") + TRAIL]
            self.assertEqual(fields, declared)

    def test_a_hole_is_a_gap_and_a_null_has_its_reason(self):
        body = self.get(f"/analysis/trend?pair=ETHUSDT&as_of={T0 + 400 * HOUR}")
        self.assertEqual(body["status"], "gap")
        self.assertEqual((body["metadata"]["gaps"], body["metadata"]["missing"]), (1, 1))
        few = self.get(f"/analysis/trend?pair=BTCUSDT&as_of={T0 + 10 * HOUR}")
        self.assertEqual(few["status"], "warming")
        self.assertIsNone(few["values"][0]["sma"])
        self.assertIn("sma", few["metadata"]["reasons"])
        self.assertAlmostEqual(few["metadata"]["completeness"], 100 * 10 / few["metadata"]["expected"])

    def test_history_is_newest_first_cut_and_ascending(self):
        times = [iso(T0 + (398 + k) * HOUR) for k in range(3)]
        for query, want in (("limit=10", times), ("limit=2", times[1:]), ("limit=10&sort_order=desc", times[::-1]), ("limit=1&offset=1", times[1:2]),
                            (f"limit=10&start={times[1]}", times[1:]), (f"limit=10&end={times[2]}", times[:2]), (f"limit=1&start={times[0]}", times[:1]),
                            (f"limit=10&start={times[0]}&end={times[1]}", times[:1]), ("limit=10&start=2030-01-01", [])):
            body = self.get(f"/analysis/volume?pair=BTCUSDT&{query}")
            self.assertEqual([v["timestamp"] for v in body["values"]], want, query)
            self.assertEqual(body["metadata"]["records_returned"], len(want))
            data = self.get(f"/analysis/deviation?pair=BTCUSDT&{query}")
            self.assertEqual([v["timestamp"] for v in data["history"]], want, query)
            self.assertEqual(data["pagination"]["total"], body["pagination"]["total"])
        self.assertEqual(self.get("/analysis/volume?pair=BTCUSDT&limit=2")["pagination"], {
            "total": 3, "limit": 2, "offset": 0, "page": 1, "pages": 2, "has_next": True, "has_previous": False})

    def test_replies_are_what_their_schemas_say(self):
        paths = self.get("/openapi.json")["paths"]
        for metric in METRICS + ("seasonality", "spread"):
            schema = paths[f"/analysis/{metric}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            for query in ("pair=BTCUSDT", "pair=ETHUSDT&limit=3", "pair=NOUSDT", f"pair=BTCUSDT&as_of={T0 + 200 * HOUR}"):
                body = self.get(f"/analysis/{metric}?{query}")
                self.assertEqual(misfits(schema, body), [], f"{metric} {query}")
            self.assertLessEqual(set(schema["properties"]) - {"history", "pagination"}, set(body))

    def test_only_the_current_answer_is_stale(self):
        body = self.get("/analysis/volume?pair=BTCUSDT&limit=3")
        self.assertEqual([v["status"] for v in body["values"]], ["ok", "ok", "stale"])
        self.assertEqual(self.get(f"/analysis/volume?pair=BTCUSDT&end={T0 + 401 * HOUR}")["status"], "ok")
        self.assertEqual(self.get(f"/analysis/volume?pair=BTCUSDT&as_of={T0 + 400 * HOUR}")["status"], "ok")

    def test_a_range_without_an_end_is_current_where_it_holds_the_newest(self):
        target = f"/analysis/volume?pair=BTCUSDT&start={T0 + 398 * HOUR}"
        for more, want in (("&limit=3", ["ok", "ok", "stale"]), ("&limit=2", ["ok", "ok"]), ("&limit=2&offset=1", ["ok", "stale"]),
                           ("&limit=1&offset=2", ["stale"]), ("&limit=2&sort_order=desc", ["stale", "ok"]),
                           ("&limit=2&offset=1&sort_order=desc", ["ok", "ok"]), (f"&limit=3&end={T0 + 500 * HOUR}", ["ok", "ok", "ok"])):
            body = self.get(target + more)
            self.assertEqual([v["status"] for v in body["values"]], want, more)
            self.assertEqual(body["status"], "stale" if "stale" in want else "ok", more)

    def test_stored_computed_and_eval_agree_to_the_bit(self):
        for metric in METRICS:
            for pair in ("BTCUSDT", "ETHUSDT"):
                stored = self.get(f"/analysis/{metric}?pair={pair}")
                self.assertEqual(stored["metadata"]["computed"], "stored")
                again = json.loads(petrosa("eval", metric, "--pair", pair, "--period", "1h", "--json", store=self.shared).stdout)
                for body in (stored, again):
                    body.pop("pagination", None)  # eval knows of its own result only
                    for place in [body["metadata"], body, body.get("data", {})] + body.get("values", []):
                        for key in ("computed_at", "computed", "status") + TRAIL:
                            place.pop(key, None)
                self.assertEqual(stored, again)

    def test_as_of_and_parameters_are_computed_on_request(self):
        body = self.get(f"/analysis/deviation?pair=BTCUSDT&as_of={T0 + 300 * HOUR + 59 * MINUTE}")
        self.assertEqual((body["as_of"], body["metadata"]["computed"]), (iso(T0 + 300 * HOUR), "on_request"))
        wide, narrow = (self.get(f"/analysis/deviation?pair=BTCUSDT&window={w}") for w in (50, 5))
        self.assertEqual([b["metadata"]["parameters"]["window"] for b in (wide, narrow)], [50, 5])
        self.assertNotEqual(wide["data"]["standard_deviation"], narrow["data"]["standard_deviation"])
        same = self.get("/analysis/deviation?pair=BTCUSDT&window=20")
        self.assertEqual(same["metadata"]["computed"], "stored")
        before = self.get(f"/analysis/deviation?pair=BTCUSDT&as_of={T0}")
        self.assertEqual((before["data"], before["as_of"], before["status"]), (None, None, "empty"))

    def test_other_periods_are_computed_from_built_bars(self):
        for period in ("2h", "4h"):
            body = self.get(f"/analysis/volume?pair=BTCUSDT&period={period}")
            self.assertEqual(body["metadata"]["computed"], "on_request")
            self.assertEqual(body["metadata"]["derived_from"], "1h")
            self.assertIsNotNone(body["values"][0]["total_volume"])

    def test_no_data_says_so(self):
        for metric in METRICS:
            body = self.get(f"/analysis/{metric}?pair=NOBODY")
            self.assertEqual(body["metadata"]["message"], f"No {metric} data available for NOBODY")
            self.assertEqual(body.get("values", body.get("data")), None if metric in DATA_SHAPE else [])
            self.assertIn("timestamp", body["metadata"])
            self.assertIn("collection", body["metadata"])

    def test_csv_has_one_line_a_result_and_dotted_columns(self):
        text = ask(self.port, "/analysis/deviation?pair=BTCUSDT&limit=3&format=csv").text
        rows = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual([r["timestamp"] for r in rows], [iso(T0 + (398 + k) * HOUR) for k in range(3)])
        history = self.get("/analysis/deviation?pair=BTCUSDT&limit=3")["history"]
        for row, item in zip(rows, history):
            flat = {}
            for key, value in item.items():
                if isinstance(value, dict):
                    for inner, deep in value.items():
                        flat.update({f"{key}.{inner}.{k}": v for k, v in deep.items()} if isinstance(deep, dict) else {f"{key}.{inner}": deep})
                else:
                    flat[key] = value
            self.assertEqual(row, {k: "" if v is None else str(v) for k, v in flat.items()})
        self.assertTrue(any("." in column for column in rows[0]))

    def test_json_and_csv_of_one_url_have_tags_of_their_own(self):
        target = "/analysis/trend?pair=BTCUSDT"
        plain = ask(self.port, target)
        again = ask(self.port, target, headers={"Accept": "text/csv", "If-None-Match": plain.headers["ETag"]})
        self.assertEqual(again.status, 200)
        self.assertEqual(again.headers["Content-Type"].split(";")[0], "text/csv")
        self.assertNotEqual(again.headers["ETag"], plain.headers["ETag"])

    def test_the_tag_survives_a_restart(self):
        target = "/analysis/trend?pair=BTCUSDT"
        first = ask(self.port, target)
        backup = self.folder / "backup"
        petrosa("backup", backup, store=self.shared)
        daemon = Daemon(store=backup)
        self.addCleanup(daemon.stop)
        again = ask(daemon.port, target, headers={"If-None-Match": first.headers["ETag"]})
        self.assertEqual(again.status, 304)


class Live(Folder):
    def wait_for(self, port, target, good):
        deadline = time.monotonic() + 20
        while True:
            body = ask(port, target).json
            if good(body) or time.monotonic() > deadline:
                return body
            time.sleep(0.1)

    def test_an_import_beside_the_daemon_is_computed_and_shown(self):
        daemon = Daemon(store=self.store)
        self.addCleanup(daemon.stop)
        target = "/analysis/volume?pair=BTCUSDT"
        self.assertEqual(ask(daemon.port, target).json["values"], [])
        now = int(time.time()) * US
        last = now - now % HOUR  # the newest closed bar ends here
        rows = [candle(i, HOUR, start=last - 100 * HOUR) for i in range(100)]
        load(self.store, write_candles(self.dir / "a.csv", rows), "BTCUSDT", "1h")
        body = self.wait_for(daemon.port, target, lambda b: b["metadata"]["computed"] == "stored")
        self.assertEqual((body["status"], body["as_of"], body["metadata"]["computed"]), ("ok", iso(last), "stored"))
        tag = ask(daemon.port, target).headers["ETag"]
        self.assertEqual(ask(daemon.port, target, headers={"If-None-Match": tag}).status, 304)

    def test_a_script_that_hangs_delays_nobody_else(self):
        scripts = self.dir / "scripts"
        for name in ("calculators", "regimes", "anomalies", "alerts", "lib"):
            (scripts / name).mkdir(parents=True)
        text = ("return calculator { api = 1, name = '%s', about = 'x', every = {}, needs = { candles = { span = '1d', bars = 10, min = 1 } },\n"
                "  params = { endless = int { default = 0, min = 0, max = 999 } }, outputs = { { 'last', number { unit = 'quote', about = 'last close' } } },\n"
                "  compute = function(w, p)\n    while p.endless == 777 do end\n    return { last = w.close:final() }\n  end }\n")
        for name in ("slow", "quick"):
            (scripts / f"calculators/{name}.lua").write_text(text % name)
        load(self.store, write_candles(self.dir / "a.csv", [candle(i, HOUR) for i in range(50)]), "BTCUSDT", "1h")
        daemon = Daemon("--set", f"scripts.path={scripts}", "--set", "scripts.call_budget=300ms", store=self.store)
        self.addCleanup(daemon.stop)
        self.assertEqual([s["status"] for s in ask(daemon.port, "/scripts").json["scripts"]], ["live", "live"], ask(daemon.port, "/scripts").text)
        import threading
        got = {}
        thread = threading.Thread(target=lambda: got.update(slow=ask(daemon.port, "/analysis/slow?pair=BTCUSDT&endless=777")))
        thread.start()
        for _ in range(50):
            self.assertEqual(ask(daemon.port, "/health/liveness").status, 200)
        thread.join()
        body = got["slow"].json
        self.assertEqual((got["slow"].status, body["status"]), (200, "error"))
        self.assertIn("error", body["metadata"])
        quick = ask(daemon.port, "/analysis/quick?pair=BTCUSDT").json
        self.assertEqual(quick["data"]["last"], candle(49, HOUR)[4])
        self.assertEqual(ask(daemon.port, "/analysis/slow?pair=BTCUSDT").json["data"]["last"], candle(49, HOUR)[4])


@unittest.skipIf(NO_DATA, NO_DATA)
class RealPeriods(Folder):
    def test_every_metric_answers_at_every_period(self):
        files = sorted((DATA / "klines/um_1h").glob("*BTCUSDT*")) + sorted((DATA / "klines/um_1d").glob("*BTCUSDT*"))
        if len(files) < 2:
            self.skipTest("skipped: no BTCUSDT files of 1h and 1d")
        for path in files:
            petrosa("import", path, store=self.store, check=None)
        daemon = Daemon(store=self.store)
        self.addCleanup(daemon.stop)
        for metric in METRICS:
            for period in ("1h", "2h", "4h", "6h", "8h", "12h", "1d"):
                reply = ask(daemon.port, f"/analysis/{metric}?pair=BTCUSDT&period={period}")
                self.assertEqual(reply.status, 200)
                body = reply.json
                item = body["data"] if metric in DATA_SHAPE else body["values"][-1]
                numbers = [v for k, v in item.items() if isinstance(v, str) and DECIMAL.match(v)]
                self.assertGreater(len(numbers), 4, f"{metric} {period}: {body['metadata'].get('reasons')}")


if __name__ == "__main__":
    unittest.main()
