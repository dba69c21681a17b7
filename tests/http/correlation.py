"""/analysis/correlation, and so every script of the whole market: stored, on request, cut to pairs, as CSV."""
import csv
import io
import json
import math
import random
import re
import time
import unittest

from client import HOUR, T0, ask, iso, load, misfits, write_candles
from harness import Daemon, Folder, petrosa

SYMBOLS = ("ADAUSDT", "BNBUSDT", "BTCUSDT", "ETHUSDT", "SOLUSDT")
DECIMAL = re.compile(r"^-?\d+(\.\d+)?$")
BARS = 800


def walks(seed, names, bars=BARS):
    draw = random.Random(seed)
    common = [draw.gauss(0, 0.004) for _ in range(bars)]
    out = {}
    for name in names:
        level, rows = 0.0, []
        for i in range(bars):
            level += common[i] + draw.gauss(0, 0.004)
            close = f"{100 * math.exp(level):.2f}"
            rows.append([T0 + i * HOUR, close, close, close, close, "1.0", "100.0", 1, "0.5", "50.0", 1])
        out[name] = rows
    return out


class Correlation(Folder):
    @classmethod
    def setUpClass(cls):
        import pathlib
        import shutil
        import tempfile
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="petrosa http "))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.shared, cls.apart = cls.folder / "store", cls.folder / "apart"
        for symbol, rows in walks(1, SYMBOLS).items():
            load(cls.shared, write_candles(cls.folder / "a.csv", [r for i, r in enumerate(rows) if symbol != "SOLUSDT" or i != 700]), symbol, "1h")
        for symbol, rows in walks(2, ("LINKUSDT", "XRPUSDT", "AVAXUSDT"), 300).items():
            load(cls.apart, write_candles(cls.folder / "a.csv", rows), symbol, "1h")
        for end in (798, 799, 800):
            petrosa("compute", "--as-of", iso(T0 + end * HOUR), store=cls.shared)
        petrosa("compute", store=cls.apart)
        cls.daemon = Daemon(store=cls.shared)
        cls.addClassCleanup(cls.daemon.stop)
        cls.other = Daemon(store=cls.apart)
        cls.addClassCleanup(cls.other.stop)

    def get(self, query="", status=200, port=None, path="/analysis/correlation", **headers):
        reply = ask(port or self.daemon.port, path + query, headers={k.replace("_", "-"): v for k, v in headers.items()})
        self.assertEqual(reply.status, status, reply.body[:400])
        return reply.json

    def test_the_shape(self):
        body = self.get()
        declared = [o["name"] for o in self.get(path="/scripts/correlation")["declaration"]["outputs"]]
        self.assertEqual(list(body), ["pairs", "period", "metric", "method", "window", "status", "as_of", *declared, "metadata"])
        self.assertEqual((body["pairs"], body["period"], body["metric"], body["method"], body["window"], body["as_of"]),
                         (list(SYMBOLS), "1h", "correlation", "pearson", "30d", iso(T0 + BARS * HOUR)))
        self.assertEqual((body["status"], body["benchmark"]), ("stale", "BTCUSDT"))  # these bars are of 2024
        metadata = body["metadata"]
        self.assertEqual((metadata["collection"], metadata["computed"], metadata["benchmark"]), ("analytics_correlation", "stored", "BTCUSDT"))
        self.assertEqual((metadata["rows"], metadata["expected"], metadata["gaps"], metadata["missing"]), (720, 720, 1, 1))
        self.assertAlmostEqual(metadata["completeness"], 100 * (5 * 720 - 1) / (5 * 720))
        self.assertTrue(metadata["blas"])
        for a in SYMBOLS:
            self.assertEqual((list(body["correlation_matrix"][a]), list(body["overlap"][a])), (list(SYMBOLS), list(SYMBOLS)))
            for b in SYMBOLS:
                self.assertRegex(body["correlation_matrix"][a][b], DECIMAL)
                self.assertEqual(body["correlation_matrix"][a][b], body["correlation_matrix"][b][a])
                self.assertEqual(body["overlap"][a][b], 717 if "SOLUSDT" in (a, b) else 719)
        self.assertIs(body["repaired"], False)
        self.assertEqual(list(body["per_symbol"]), list(SYMBOLS))
        eth = body["per_symbol"]["ETHUSDT"]
        self.assertEqual(list(eth), ["rolling_correlation", "rolling_correlation_7d", "confidence", "cross_correlation_lag", "cross_correlation",
                                     "volatility_correlation", "beta"])
        self.assertEqual(list(eth["confidence"]), ["low", "high"])
        self.assertIsInstance(eth["cross_correlation_lag"], int)
        self.assertAlmostEqual(float(eth["rolling_correlation"]), float(body["correlation_matrix"]["BTCUSDT"]["ETHUSDT"]), 12)
        self.assertEqual(list(body["market"]), ["breadth", "first_eigenvalue_share", "mean_correlation"])
        self.assertIsInstance(body["market"]["breadth"]["advance_decline"], int)
        self.assertEqual((body["spearman_matrix"], metadata["reasons"]["spearman_matrix"]), (None, "not_asked"))

    def test_pairs_cut_what_is_of_symbols_and_leave_what_is_of_the_market(self):
        whole, part = self.get(), self.get("?pairs=solusdt,ADAUSDT,NOUSDT,ADAUSDT")
        self.assertEqual(part["pairs"], ["SOLUSDT", "ADAUSDT"])
        self.assertEqual(part["correlation_matrix"], {a: {b: whole["correlation_matrix"][a][b] for b in ("SOLUSDT", "ADAUSDT")}
                                                      for a in ("SOLUSDT", "ADAUSDT")})
        self.assertEqual(list(part["correlation_matrix"]), part["pairs"])
        self.assertEqual(part["per_symbol"], {a: whole["per_symbol"][a] for a in ("SOLUSDT", "ADAUSDT")})
        for same in ("market", "shrinkage", "benchmark", "repaired"):
            self.assertEqual(part[same], whole[same])
        nobody = self.get("?pairs=NOUSDT")
        self.assertEqual((nobody["pairs"], nobody["correlation_matrix"], nobody["per_symbol"]), ([], {}, {}))
        self.assertEqual(nobody["market"], whole["market"])

    def test_bad_requests_say_what_is_allowed(self):
        for query, words in (("?pairs=B!", "pairs: got"), ("?pairs=", "pairs"), ("?pairs=BTCUSDT,", "pairs: got"), ("?pairs=A1&pairs=B2", "more than once"),
                             ("?pair=BTCUSDT", "parameter pair is unknown to correlation"), ("?window=5", "parameter window: '5' is not a span"),
                             ("?window=400d", "at most 365d"), ("?spearman=maybe", "true or false"), ("?period=7h", "period"), ("?window=2d&limit=2", "limit")):
            self.assertIn(words, self.get(query, 422)["detail"], query)
        self.assertIn("pair: missing", self.get("", 422, path="/analysis/trend")["detail"])
        self.assertIn("pairs", self.get("?pair=BTCUSDT&pairs=BTCUSDT", 422, path="/analysis/trend")["detail"])

    def test_stored_computed_and_eval_agree_to_the_bit(self):
        stored, fresh = self.get(), self.get(f"?as_of={T0 + 799 * HOUR}")
        self.assertEqual(fresh["metadata"]["computed"], "stored")  # it is the one that a worker would give
        again = json.loads(petrosa("eval", "correlation", "--json", store=self.shared).stdout)
        for body in (stored, again):
            for place in (body, body["metadata"]):
                for key in ("computed_at", "computed", "status"):
                    place.pop(key, None)
        self.assertEqual(stored, again)

    def test_parameters_and_the_past_are_computed_on_request(self):
        body = self.get("?window=7d&spearman=true&shrunk=yes")
        self.assertEqual((body["window"], body["metadata"]["computed"], body["metadata"]["parameters"]),
                         ("7d", "on_request", {"window": "7d", "spearman": True, "shrunk": True}))
        self.assertEqual(body["overlap"]["ADAUSDT"]["ADAUSDT"], 167)
        self.assertNotEqual(body["spearman_matrix"]["ADAUSDT"]["BNBUSDT"], body["correlation_matrix"]["ADAUSDT"]["BNBUSDT"])
        self.assertEqual(body["shrunk_matrix"]["ADAUSDT"]["ADAUSDT"], "1")
        self.assertEqual(self.get("?window=168h")["window"], "7d")
        self.assertEqual(self.get("?window=30d")["metadata"]["computed"], "stored")
        past = self.get(f"?as_of={T0 + 400 * HOUR + 1}")
        self.assertEqual((past["as_of"], past["status"], past["metadata"]["rows"]), (iso(T0 + 400 * HOUR), "ok", 400))
        self.assertEqual(self.get(f"?as_of={T0 + 20 * HOUR}")["status"], "warming")
        none = self.get(f"?as_of={T0}")
        self.assertEqual((none["status"], none["as_of"], none["pairs"], none["correlation_matrix"], none["metadata"]["message"]),
                         ("empty", None, [], None, "No correlation data available"))
        self.assertEqual(self.get("?period=4h")["as_of"], iso(T0 + BARS * HOUR))
        self.assertEqual(self.get("?period=4h")["metadata"]["derived_from"], "1h")

    def test_history(self):
        body = self.get("?limit=10&pairs=BTCUSDT,ETHUSDT")
        self.assertEqual([v["timestamp"] for v in body["history"]], [iso(T0 + n * HOUR) for n in (798, 799, 800)])
        self.assertEqual(body["pagination"]["total"], 3)
        for item in body["history"]:
            self.assertEqual(list(item["correlation_matrix"]), ["BTCUSDT", "ETHUSDT"])

    def test_without_btcusdt_the_first_of_the_pairs_stands_in(self):
        port = self.other.port
        self.assertEqual(self.get(port=port)["benchmark"], "AVAXUSDT")
        other = self.get("?pairs=NOUSDT,XRPUSDT,LINKUSDT", port=port)
        self.assertEqual((other["benchmark"], other["metadata"]["computed"]), ("XRPUSDT", "on_request"))
        self.assertEqual(other["per_symbol"]["XRPUSDT"]["beta"], "1")
        self.assertEqual(self.get("?pairs=AVAXUSDT,XRPUSDT", port=port)["metadata"]["computed"], "stored")
        self.assertEqual(self.get("?pairs=XRPUSDT&window=5d", port=port)["benchmark"], "XRPUSDT")
        self.assertEqual(self.get("?pairs=ETHUSDT,BTCUSDT")["benchmark"], "BTCUSDT")

    def test_csv_has_dotted_columns(self):
        reply = ask(self.daemon.port, "/analysis/correlation?pairs=ADAUSDT,BTCUSDT&format=csv")
        self.assertEqual(reply.headers["Content-Type"].split(";")[0], "text/csv")
        rows = list(csv.DictReader(io.StringIO(reply.text)))
        body = self.get("?pairs=ADAUSDT,BTCUSDT")
        self.assertEqual(len(rows), 1)
        for a in body["pairs"]:
            for b in body["pairs"]:
                self.assertEqual(rows[0][f"correlation_matrix.{a}.{b}"], body["correlation_matrix"][a][b])
                self.assertEqual(rows[0][f"overlap.{a}.{b}"], str(body["overlap"][a][b]))
        self.assertEqual(rows[0]["per_symbol.ADAUSDT.confidence.low"], body["per_symbol"]["ADAUSDT"]["confidence"]["low"])
        self.assertEqual((rows[0]["repaired"], rows[0]["benchmark"], rows[0]["spearman_matrix"]), ("false", "BTCUSDT", ""))
        self.assertEqual(rows[0]["market.breadth.advance_decline"], str(body["market"]["breadth"]["advance_decline"]))
        self.assertFalse([c for c in rows[0] if "ETHUSDT" in c])

    def test_an_etag_changes_with_what_is_asked(self):
        first = ask(self.daemon.port, "/analysis/correlation")
        tag = first.headers["ETag"]
        self.assertEqual(ask(self.daemon.port, "/analysis/correlation", headers={"If-None-Match": tag}).status, 304)
        self.assertEqual(ask(self.daemon.port, "/analysis/correlation?pairs=BTCUSDT").json["pairs"], ["BTCUSDT"])

    def test_the_description(self):
        paths = self.get(path="/openapi.json")["paths"]
        names = [p["name"] for p in paths["/analysis/correlation"]["get"]["parameters"]]
        self.assertIn("pairs", names)
        self.assertNotIn("pair", names)
        window = next(p for p in paths["/analysis/correlation"]["get"]["parameters"] if p["name"] == "window")
        self.assertEqual((window["schema"]["type"], window["schema"]["default"]), ("string", "30d"))
        self.assertIn("at least 1h, at most 365d", window["description"])
        properties = paths["/analysis/correlation"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["properties"]
        self.assertEqual(properties["correlation_matrix"]["type"], ["object", "null"])
        self.assertEqual(properties["repaired"]["type"], ["boolean", "null"])
        self.assertNotIn("data", properties)
        schema = paths["/analysis/correlation"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        for query in ("", "?limit=3", "?pairs=BTCUSDT,ADAUSDT", "?spearman=true&shrunk=true"):
            self.assertEqual(misfits(schema, self.get(query)), [], query)
        self.assertEqual(properties["overlap"]["additionalProperties"]["additionalProperties"]["type"], ["integer", "null"])
        self.assertIn("pair", [p["name"] for p in paths["/analysis/trend"]["get"]["parameters"]])
        fields = {f["name"]: f["type"] for f in self.get(path="/catalog/schemas/analytics_correlation")["fields"]}
        self.assertEqual((fields["correlation_matrix"], fields["repaired"], fields["market"]), ("matrix", "bool", "record"))
        text = ask(self.daemon.port, "/metrics").text
        self.assertIn("correlation", text)


class Closing(Folder):
    def test_five_symbols_that_close_together_are_one_market(self):
        """A live market: the result of an hour is there soon, from all, and was not made for each."""
        now = int(time.time() * 1e6)
        start = (now // HOUR - 300) * HOUR
        names = ("BTCUSDT", "ETHUSDT", "ADAUSDT")
        closes = walks(5, names, 301)
        for name in names:
            rows = [[start + i * HOUR, *row[1:]] for i, row in enumerate(closes[name][:300])]
            load(self.store, write_candles(self.dir / "a.csv", rows), name, "1h")
        daemon = Daemon("--set", "log.level=debug", store=self.store)
        self.addCleanup(daemon.stop)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            body = ask(daemon.port, "/analysis/correlation").json
            if body["metadata"]["computed"] == "stored" and body["as_of"] == iso(start + 300 * HOUR):
                break
            time.sleep(0.1)
        self.assertEqual((body["status"], body["metadata"]["computed"], body["pairs"]), ("ok", "stored", sorted(names)))


if __name__ == "__main__":
    unittest.main()
