"""/catalog of a store that was imported and computed."""
import csv
import io

from client import HOUR, T0, ask, candle, iso, load, write_candles, write_trades
from harness import Daemon, Folder, petrosa


class Catalog(Folder):
    def test_the_catalog_of_an_import(self):
        load(self.store, write_candles(self.dir / "h.csv", [candle(i, HOUR) for i in range(300)]), "BTCUSDT", "1h")
        load(self.store, write_candles(self.dir / "more.csv", [candle(i, HOUR) for i in range(290, 310)]), "BTCUSDT", "1h")
        load(self.store, write_trades(self.dir / "t.csv", [[T0 + i, i + 1, "1.5", "2.0", "buy"] for i in range(7)]), "ETHUSDT", kind="trades")
        petrosa("compute", store=self.store)
        daemon = Daemon(store=self.store)
        self.addCleanup(daemon.stop)

        def get(target, status=200):
            reply = ask(daemon.port, target)
            self.assertEqual(reply.status, status, reply.body[:300])
            return reply.json

        body = get("/catalog/datasets?limit=1000")
        self.assertEqual(list(body), ["datasets", "total_count", "last_updated", "pagination"])
        rows = {row["dataset_id"]: row for row in body["datasets"]}
        self.assertEqual(len(rows), body["total_count"])
        names = {s["name"] for s in get("/scripts")["scripts"]}
        self.assertLessEqual({k for k in rows if not k.startswith("analytics_")}, {"candles_BTCUSDT_1h", "trades_ETHUSDT"})
        self.assertLessEqual({"analytics_BTCUSDT_volatility", "analytics_BTCUSDT_trend"}, set(rows))
        self.assertEqual({k.removeprefix("analytics_").removeprefix("BTCUSDT_") for k in rows if k.startswith("analytics_")} - names, set())
        market = rows["analytics_correlation"]  # of no symbol
        self.assertEqual((market["name"], market["tags"]), ("Correlation", ["correlation"]))
        candles = rows["candles_BTCUSDT_1h"]
        self.assertEqual(list(candles), ["dataset_id", "name", "description", "category", "owner", "update_frequency", "tags", "rows", "first", "last"])
        self.assertEqual((candles["rows"], candles["first"], candles["last"]), (310, iso(T0), iso(T0 + 309 * HOUR)))
        self.assertEqual(rows["trades_ETHUSDT"]["rows"], 7)
        table = list(csv.DictReader(io.StringIO(ask(daemon.port, "/catalog/datasets?limit=1000", headers={"Accept": "text/csv"}).text)))
        self.assertEqual([row["dataset_id"] for row in table], [row["dataset_id"] for row in body["datasets"]])
        self.assertEqual([row["name"] for row in body["datasets"]], sorted(row["name"] for row in body["datasets"]))
        pages = [get(f"/catalog/datasets?limit=2&offset={at}")["datasets"] for at in range(0, len(rows), 2)]
        self.assertEqual([row for page in pages for row in page], body["datasets"])

        for id in rows:
            one = get(f"/catalog/datasets/{id}")
            self.assertEqual({k: one[k] for k in rows[id]}, rows[id])
            by_id, by_schema = get(f"/catalog/schemas/{id}"), get(f"/catalog/schemas/{one['schema_id']}")
            self.assertEqual(by_id, by_schema)
            self.assertEqual([set(f) for f in by_id["fields"]], [{"name", "type", "unit", "description", "required", "nullable"}] * len(by_id["fields"]))
            self.assertLessEqual(set(by_id["primary_keys"]), {f["name"] for f in by_id["fields"]})
            get(f"/catalog/lineage/{id}")
        # what a result has is what its schema says
        fields = {f["name"] for f in get("/catalog/schemas/analytics_BTCUSDT_trend")["fields"]}
        about = {name: {f["name"]: f["description"] for f in get(f"/catalog/schemas/{name}_schema")["fields"]} for name in ("trend", "spread")}
        self.assertIn("last bar", about["trend"]["as_of"])
        self.assertIn("newest order book", about["spread"]["as_of"])
        for word in ("ok", "gap", "warming", "error", "stale", "empty", "quarantined"):
            self.assertRegex(about["spread"]["status"], rf"\b{word}\b")
        self.assertLessEqual(set(get("/analysis/trend?pair=BTCUSDT")["values"][0]) - {"timestamp"}, fields)

        lineage = get("/catalog/lineage/candles_BTCUSDT_1h")["lineage"]
        self.assertEqual([row["transformation_params"]["file"] for row in lineage], ["more.csv", "h.csv"])
        self.assertEqual([(row["input_records"], row["output_records"]) for row in lineage], [(20, 10), (300, 300)])
        self.assertEqual([row["status"] for row in lineage], ["success", "success"])
        self.assertEqual(len({row["lineage_id"] for row in lineage}), 2)
        self.assertEqual(len(get("/catalog/lineage/candles_BTCUSDT_1h?limit=1")["lineage"]), 1)
        for target in ("/catalog/datasets/nosuch", "/catalog/schemas/nosuch", "/catalog/lineage/nosuch"):
            self.assertIn("nosuch", get(target, 404)["detail"])
