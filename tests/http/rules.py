"""What holds for every route: methods, errors, forms, tags, compression, tokens, the description of itself."""
import csv
import gzip
import http.client
import io
import re
import socket
import unittest

from harness import Daemon, Folder, ROOT, petrosa
from client import HOUR, T0, ask, candle, load, strict, write_candles

ROUTES = ["/", "/health/liveness", "/health/readiness", "/health/summary", "/health?pair=BTCUSDT", "/data/candles?pair=BTCUSDT&period=1h", "/data/trades?pair=BTCUSDT",
          "/data/depth?pair=BTCUSDT", "/data/funding?pair=BTCUSDT&start=2024-11-15", "/analysis/volatility?pair=BTCUSDT", "/analysis/market-overview", "/scripts", "/scripts/trend",
          "/catalog/datasets", "/catalog/datasets/candles_BTCUSDT_1h", "/catalog/schemas/candles_BTCUSDT_1h", "/catalog/lineage/candles_BTCUSDT_1h", "/anomalies?pair=BTCUSDT", "/anomalies/anomalies", "/anomalies/summary",
          "/metrics", "/openapi.json", "/docs"]


class WithStore(Folder):
    """One daemon for the class, on 400 hourly bars of BTCUSDT, computed."""
    settings = ()

    @classmethod
    def setUpClass(cls):
        import pathlib
        import shutil
        import tempfile
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="petrosa http "))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.shared = cls.folder / "store"
        load(cls.shared, write_candles(cls.folder / "a.csv", [candle(i, HOUR) for i in range(400)]), "BTCUSDT", "1h")
        petrosa("compute", store=cls.shared)
        words = [word for setting in cls.settings for word in ("--set", setting)]
        cls.daemon = Daemon(*words, store=cls.shared)
        cls.addClassCleanup(cls.daemon.stop)
        cls.port = cls.daemon.port

    def get(self, target, **headers):
        return ask(self.port, target, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def problem(self, reply, status, *words):
        self.assertEqual(reply.status, status, reply.body[:500])
        self.assertEqual(reply.headers["Content-Type"], "application/problem+json")
        body = reply.json
        self.assertEqual(set(body), {"type", "title", "status", "detail"})
        self.assertEqual(body["status"], status)
        for word in words:
            self.assertIn(word, body["detail"])


class Rules(WithStore):
    def test_every_route_answers(self):
        for target in ROUTES:
            reply = self.get(target)
            self.assertEqual(reply.status, 200, target)
            if reply.headers["Content-Type"] == "application/json":
                strict(reply.body)
            self.assertEqual(int(reply.headers["Content-Length"]), len(reply.body), target)
            self.assertRegex(reply.headers["Date"], r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
            self.assertEqual(reply.headers["Cache-Control"], "no-cache")

    def test_head_is_get_without_its_body(self):
        for target in ROUTES + ["/nowhere", "/data/candles"]:
            full, head = self.get(target), ask(self.port, target, "HEAD")
            self.assertEqual(head.status, full.status, target)
            self.assertEqual(head.body, b"")
            for name in ("Content-Type", "ETag", "Vary"):
                self.assertEqual(head.headers[name], full.headers[name], target)
            if target not in ("/", "/health/liveness", "/health/readiness", "/health/summary", "/health?pair=BTCUSDT", "/data/depth?pair=BTCUSDT", "/metrics", "/scripts", "/scripts/trend"):
                self.assertEqual(head.headers["Content-Length"], full.headers["Content-Length"], target)

    def test_options_lists_the_methods(self):
        for target in ROUTES + ["*"]:
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as s:
                s.sendall(f"OPTIONS {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
                text = s.recv(4096).decode()
            self.assertTrue(text.startswith("HTTP/1.1 204 "), text)
            self.assertIn("Allow: GET, HEAD, OPTIONS", text)

    def test_other_methods_are_405_on_what_is_there(self):
        for target in ROUTES:
            for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
                reply = ask(self.port, target, method, body="{}" if method in ("POST", "PUT") else None)
                self.problem(reply, 405, "GET")
                self.assertEqual(reply.headers["Allow"], "GET, HEAD, OPTIONS")

    def test_unknown_paths_are_404(self):
        for target in ("/nowhere", "/Data/candles", "/data/candles/", "/data", "/analysis", "/docs/", "/%2e%2e", "/../etc/passwd",
                       "/scripts/../docs", "/analysis/a%2Fb?pair=BTCUSDT", "//", "/metrics/"):
            self.problem(self.get(target), 404)
        self.problem(self.get("/scripts/nosuch"), 404, "nosuch")
        self.problem(self.get("/analysis/nosuch?pair=BTCUSDT"), 404, "correlation, deviation, regime", "trend, volatility, volume")

    def test_an_encoded_path_is_the_same_path(self):
        self.assertEqual(self.get("/health/%6civeness").status, 200)
        self.problem(self.get("/health/%00"), 400)
        self.problem(self.get("/health/%zz"), 400)

    def test_what_is_not_built_yet_is_501(self):
        for target in ("/health/leader", "/analysis/performance/rolling", "/stream", "/api/v1/mongodb/x", "/api/v1/characterizations"):
            self.problem(self.get(target), 501)
        for method, target in (("POST", "/backfill/start"), ("DELETE", "/backfill/jobs/1"), ("PUT", "/api/v1/mongodb/x")):
            self.problem(ask(self.port, target, method, body="{}"), 501)

    def test_unknown_parameters_are_named_everywhere(self):
        for target in ROUTES:
            if target.split("?")[0] in ("/metrics", "/docs"):
                self.assertEqual(self.get(target + "?nonsense=1").status, 200)
                continue
            self.problem(self.get(target + ("&" if "?" in target else "?") + "nonsense=1"), 422, "nonsense")
        self.problem(self.get("/?a"), 422, "a")

    def test_a_malformed_query_is_400(self):
        for query in ("pair=%", "pair=%0", "pair=%zz", "pair=BTC%00USDT", "pair=%0d%0aX:1", "&".join(f"a{i}=1" for i in range(70))):
            self.problem(self.get("/data/trades?" + query), 400)

    def test_bad_values_name_parameter_value_and_what_is_allowed(self):
        good = "/data/candles?pair=BTCUSDT&period=1h"
        for target, *words in ((good.replace("BTCUSDT", "B!"), "pair", "B!", "[A-Z0-9_]"), (good.replace("BTCUSDT", ""), "pair"),
                               (good.replace("1h", "7h"), "period", "7h", "1m"), (good + "&limit=0", "limit", "0", "1..1000"),
                               (good + "&limit=1001", "limit", "1001", "1..1000"), (good + "&limit=ten", "limit", "ten"),
                               (good + "&offset=-1", "offset", "-1"), (good + "&start=then", "start", "then", "ISO"),
                               (good + "&end=2024-13-01", "end", "2024-13-01"), (good + "&sort_order=up", "sort_order", "up", "asc, desc"),
                               (good + "&include_open=2", "include_open", "2", "true"), (good + "&format=xml", "format", "xml", "csv"),
                               (good + "&list_key=rows", "list_key", "rows", "both"), (good + "&limit=5&limit=6", "limit", "once"),
                               (good + "&limit=", "limit"), ("/data/candles?pair=BTCUSDT", "period", "missing"), ("/data/trades", "pair", "missing"),
                               ("/analysis/trend", "pair", "missing"), ("/scripts?format=xml", "format")):
            self.problem(self.get(target), 422, *words)

    def test_gzip_only_when_asked_and_worth_it(self):
        target = "/data/candles?pair=BTCUSDT&period=1h&limit=200"
        plain = ask(self.port, target)
        self.assertIsNone(plain.headers["Content-Encoding"])
        for _ in range(3):  # made, kept, kept
            packed = self.get(target, Accept_Encoding="gzip")
            self.assertEqual(packed.headers["Content-Encoding"], "gzip")
            self.assertLess(int(packed.headers["Content-Length"]), len(plain.body) // 3)
            self.assertEqual(packed.body, plain.body)
        self.assertIn("Accept-Encoding", packed.headers["Vary"])
        self.assertIsNone(self.get("/health/liveness", Accept_Encoding="gzip").headers["Content-Encoding"])
        self.assertIsNone(self.get(target, Accept_Encoding="gzip;q=0").headers["Content-Encoding"])
        self.assertEqual(self.get("/docs", Accept_Encoding="gzip").headers["Content-Encoding"], "gzip")

    def test_tags_save_the_body(self):
        for target in ("/data/candles?pair=BTCUSDT&period=1h", "/data/candles?pair=BTCUSDT&period=4h", "/analysis/trend?pair=BTCUSDT",
                       "/analysis/deviation?pair=BTCUSDT&window=33", "/data/trades?pair=NOBODY", "/data/funding?pair=BTCUSDT", "/catalog/datasets", "/analysis/regime?pair=BTCUSDT", "/analysis/market-overview", "/openapi.json", "/docs"):
            first = self.get(target)
            tag = first.headers["ETag"]
            self.assertRegex(tag, r'^W/"[0-9a-f]{16}"$')
            for condition in (tag, tag[2:], f'"x", {tag}', "*"):
                again = self.get(target, If_None_Match=condition)
                self.assertEqual((again.status, again.body), (304, b""), target)
                self.assertEqual(again.headers["ETag"], tag)
            self.assertEqual(self.get(target, If_None_Match='"x"').status, 200)
        self.assertIn("Accept", first.headers["Vary"])
        self.assertIsNone(self.get("/health/liveness").headers["ETag"])

    def test_csv_by_accept_and_by_format(self):
        for target, columns in (("/data/candles?pair=BTCUSDT&period=1h", "timestamp,open,high,low,close,volume,quote_volume,trades_count,"
                                 "taker_buy_volume,closed"), ("/data/trades?pair=NOBODY", "timestamp,trade_id,price,quantity,side"),
                                ("/data/funding?pair=BTCUSDT&start=2024-11-15", "timestamp,funding_rate,mark_price"), ("/scripts", "name,kind,file,hash,status,error,calls,errors,p50_us,p99_us,last_run")):
            one = self.get(target, Accept="text/csv")
            two = self.get(target + ("&" if "?" in target else "?") + "format=csv")
            self.assertEqual(one.headers["Content-Type"], "text/csv; charset=utf-8")
            self.assertEqual(one.text.splitlines()[0], columns)
            self.assertEqual(len(one.text.splitlines()), len(two.text.splitlines()))
            forced = self.get(target + ("&" if "?" in target else "?") + "format=json", Accept="text/csv")
            self.assertEqual(forced.headers["Content-Type"], "application/json")
            self.assertEqual(self.get(target, Accept="application/json, text/csv;q=0.1").headers["Content-Type"], "application/json")

    def test_csv_carries_the_same_numbers(self):
        target = "/data/candles?pair=BTCUSDT&period=1h&limit=50&sort_order=desc"
        rows = list(csv.DictReader(io.StringIO(self.get(target, Accept="text/csv").text)))
        reply = self.get(target)
        values = reply.json["values"]
        self.assertEqual(len(rows), 50)
        for row, value in zip(rows, values):
            self.assertEqual(row, {k: "" if v is None else str(v).lower() if isinstance(v, bool) else str(v) for k, v in value.items()})
        self.assertEqual(self.get(target, Accept="text/csv").headers["X-Total-Count"], str(reply.json["pagination"]["total"]))

    def test_the_description_lists_exactly_what_is_served(self):
        document = self.get("/openapi.json").json
        self.assertTrue(document["openapi"].startswith("3.1"))
        names = [s["name"] for s in self.get("/scripts").json["scripts"] if s["kind"] != "anomaly"]
        want = {"/", "/health/liveness", "/health/readiness", "/health/summary", "/health", "/data/candles", "/data/trades", "/data/depth", "/data/funding", "/analysis/{metric}", "/analysis/market-overview", "/scripts", "/scripts/{name}", "/scripts/reload",
                "/catalog/datasets", "/catalog/datasets/{id}", "/catalog/schemas/{id}", "/catalog/lineage/{id}",
                "/metrics", "/openapi.json", "/docs"} | {f"/analysis/{name}" for name in names}
        posts = {"/scripts/reload", "/anomalies/detect", "/anomalies/anomalies/detect", "/anomalies/{id}/acknowledge", "/anomalies/{id}/resolve"}
        want |= posts | {prefix + path for prefix in ("/anomalies", "/anomalies/anomalies") for path in ("", "/summary")}
        self.assertEqual(set(document["paths"]), want)
        for path, operations in document["paths"].items():
            self.assertEqual(set(operations), {"post"} if path in posts else {"get"})
            if "post" in operations:
                continue
            self.assertIn("200", operations["get"]["responses"])
            target = path.replace("{metric}", "trend").replace("{name}", "trend").replace("{id}", "candles_BTCUSDT_1h")
            needed = "&".join(f"{p['name']}={self.sample(p)}" for p in operations["get"]["parameters"] if p["required"] and p["in"] == "query")
            self.assertEqual(self.get(target + ("?" + needed if needed else "")).status, 200, path)

    @staticmethod
    def sample(param):
        schema = param["schema"]
        for key in ("example", "default", "minimum"):
            if key in schema:
                return str(schema[key]).lower() if isinstance(schema[key], bool) else schema[key]
        return schema["enum"][-1] if "enum" in schema else "true"

    def test_every_documented_parameter_is_accepted(self):
        document = self.get("/openapi.json").json
        asked = 0
        for path, operations in document["paths"].items():
            if "post" in operations:
                continue
            params = [p for p in operations["get"]["parameters"] if p["in"] == "query"]
            needed = [f"{p['name']}={self.sample(p)}" for p in params if p["required"]]
            target = path.replace("{metric}", "trend").replace("{name}", "trend").replace("{id}", "candles_BTCUSDT_1h")
            for param in params:
                values = param["schema"].get("enum") or [self.sample(param)]
                values += [param["schema"][k] for k in ("minimum", "maximum") if k in param["schema"] and param["name"] != "window"]
                for value in values:
                    if param["required"]:
                        continue
                    reply = self.get(target + "?" + "&".join(needed + [f"{param['name']}={value}"]))
                    self.assertEqual(reply.status, 200, f"{target} {param['name']}={value}: {reply.body[:300]}")
                    asked += 1
        self.assertGreater(asked, 50)

    def test_the_overview_is_what_its_schema_says(self):
        schema = self.get("/openapi.json").json["paths"]["/analysis/market-overview"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        body = self.get("/analysis/market-overview").json
        self.assertLessEqual(set(schema["properties"]), set(body))
        line = schema["properties"]["overview"]["additionalProperties"]["properties"]
        self.assertTrue(body["overview"])
        for pair in body["overview"].values():
            self.assertEqual(set(pair), set(line))
            for name, metric in pair.items():
                if isinstance(metric, dict):
                    self.assertEqual(set(metric), set(line[name]["properties"]))

    def test_docs_need_nothing_from_outside(self):
        reply = self.get("/docs")
        self.assertEqual(reply.headers["Content-Type"], "text/html; charset=utf-8")
        self.assertNotRegex(reply.text, r"https?://|src=|@import")
        self.assertEqual(reply.body, (ROOT / "core/serve/docs.html").read_bytes())

    def test_metrics_are_prometheus_text(self):
        self.get("/nowhere/with/a/long/path")
        reply = self.get("/metrics")
        self.assertTrue(reply.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        typed, last = {}, None
        for line in reply.text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split()
                self.assertNotIn(name, typed, "one TYPE a name")
                typed[name] = kind
            elif not line.startswith("#"):
                match = re.fullmatch(r'([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)*\})? (-?[0-9.e+-]+)', line)
                self.assertIsNotNone(match, line)
                base = re.sub(r"_(bucket|sum|count)$", "", match[1])
                self.assertTrue(match[1] in typed or typed.get(base) == "histogram", line)
                last = line
        self.assertIsNotNone(last)
        for name in ("data_manager_requests_total", "data_manager_request_duration_seconds", "data_manager_errors_total", "petrosa_store_rows",
                     "petrosa_workers", "petrosa_script_calls_total", "data_manager_messages_received_total"):
            self.assertIn(name, typed)
        self.get("/analysis/trend?pair=BTCUSDT")
        text = self.get("/metrics").text
        self.assertIn('endpoint="/analysis/{metric}"', text)
        self.assertNotIn("nowhere", text)

    def test_liveness_readiness_and_root(self):
        root = self.get("/").json
        self.assertEqual([root[k] for k in ("service", "compat", "status", "docs")], ["petrosa", "1.1.0", "operational", "/docs"])
        self.assertIsInstance(root["uptime_sec"], int)
        alive = self.get("/health/liveness").json
        self.assertEqual(alive["status"], "ok")
        self.assertRegex(alive["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$")
        ready = self.get("/health/readiness").json
        self.assertEqual((ready["status"], ready["ready"]), ("healthy", True))
        self.assertEqual(list(ready["components"]), ["store", "feed", "workers", "scripts", "auditor", "analytics", "mirrors"])
        for component in ready["components"].values():
            self.assertEqual(set(component), {"status", "detail"})
            self.assertIn(component["status"], ("healthy", "degraded", "unhealthy", "not_configured"))

    def test_scripts_show_state_source_and_parameters(self):
        reply = self.get("/scripts").json
        self.assertEqual(reply["generation"], 1)
        self.assertEqual([s["name"] for s in reply["scripts"]], sorted(s["name"] for s in reply["scripts"]))
        for script in reply["scripts"]:
            self.assertEqual((script["status"], script["error"]), ("live", None))
        one = self.get("/scripts/volatility").json
        self.assertEqual(one["source"], (ROOT / "scripts/calculators/volatility.lua").read_text())
        self.assertEqual(one["declaration"]["shape"], "values")
        self.assertEqual(one["parameters"]["window"], 20)

    def test_a_thousand_requests_on_one_connection(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        for i in range(1000):
            connection.request("GET", ROUTES[i % 8])
            reply = connection.getresponse()
            reply.read()
            self.assertEqual(reply.status, 200)
        connection.close()

    def test_http_1_0_is_answered_and_closed(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as s:
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            data = b""
            while piece := s.recv(65536):
                data += piece
        self.assertIn(b" 200 OK\r\n", data)
        strict(data.partition(b"\r\n\r\n")[2])


class BothNames(WithStore):
    settings = ("http.list_keys=both", "http.cors=https://dashboard.example", "http.cache=0")

    def test_lists_come_under_both_names(self):
        for target in ("/data/candles?pair=BTCUSDT&period=1h&limit=3", "/analysis/volatility?pair=BTCUSDT&limit=2"):
            body = self.get(target).json
            self.assertEqual(body["values"], body["data"])
            self.assertTrue(body["values"])
            only = self.get(target + "&list_key=data").json
            self.assertNotIn("values", only)
            self.assertEqual(only["data"], body["data"])
            self.assertNotIn("data", self.get(target + "&list_key=seed").json)

    def test_an_allowed_origin_may_read(self):
        reply = self.get("/", Origin="https://dashboard.example")
        self.assertEqual(reply.headers["Access-Control-Allow-Origin"], "https://dashboard.example")
        options = ask(self.port, "/data/candles", "OPTIONS", headers={"Origin": "https://dashboard.example"})
        self.assertEqual(options.status, 204)
        self.assertIn("Authorization", options.headers["Access-Control-Allow-Headers"])
        self.assertIn("GET", options.headers["Access-Control-Allow-Methods"])

    def test_without_a_cache_all_is_the_same(self):
        target = "/data/candles?pair=BTCUSDT&period=1h&limit=300"
        bodies = {self.get(target, Accept_Encoding="gzip").body for _ in range(5)} | {self.get(target).body for _ in range(5)}
        self.assertEqual(len(bodies), 1)


class Token(Folder):
    def start(self, *settings):
        token = self.dir / "token"
        token.write_text("correct horse\n".replace(" ", "-"))
        words = [word for setting in settings for word in ("--set", setting)]
        daemon = Daemon("--set", f"http.token_file={token}", *words, store=self.store)
        self.addCleanup(daemon.stop)
        return daemon.port

    def test_writes_need_the_token_and_reads_do_not(self):
        port = self.start()
        self.assertEqual(ask(port, "/").status, 200)
        for method, target in (("POST", "/backfill/start"), ("PUT", "/api/v1/mongodb/x"), ("DELETE", "/backfill/jobs/1"), ("POST", "/"), ("POST", "/nowhere")):
            missing = ask(port, target, method, body="{}")
            self.assertEqual((missing.status, missing.headers["WWW-Authenticate"]), (401, "Bearer"))
            for wrong in ("Bearer wrong", "Bearer correct-horse2", "Bearer", "Basic Y29ycmVjdA==", "correct-horse"):
                self.assertEqual(ask(port, target, method, headers={"Authorization": wrong}, body="{}").status, 403, wrong)
            right = ask(port, target, method, headers={"Authorization": "Bearer correct-horse"}, body="{}")
            self.assertIn(right.status, (404, 405, 501))

    def test_reads_may_be_protected_but_not_probes(self):
        port = self.start("http.protect_reads=yes")
        good = {"Authorization": "bearer correct-horse"}
        for target in ("/scripts", "/metrics", "/openapi.json", "/docs", "/data/trades?pair=BTCUSDT", "/nowhere"):
            self.assertEqual(ask(port, target).status, 401, target)
            self.assertEqual(ask(port, target, headers=good).status, 404 if target == "/nowhere" else 200)
            self.assertEqual(ask(port, target).status, 401, "kept replies are protected too")
        for target in ("/", "/health/liveness", "/health/readiness"):
            self.assertEqual(ask(port, target).status, 200)
        self.assertIn("security", ask(port, "/openapi.json", headers=good).json)


class Broken(Folder):
    def test_a_script_that_does_not_load_is_told_where(self):
        scripts = self.dir / "scripts"
        for name in ("calculators", "regimes", "anomalies", "alerts", "lib"):
            (scripts / name).mkdir(parents=True)
        (scripts / "calculators/bad.lua").write_text("return calculator {\n  api = 1,\n  name = 'bad'\n  oops\n}\n")
        daemon = Daemon("--set", f"scripts.path={scripts}", store=self.store)
        self.addCleanup(daemon.stop)
        ready = ask(daemon.port, "/health/readiness")
        self.assertEqual((ready.status, ready.json["status"]), (200, "degraded"))
        self.assertIn("bad", ready.json["components"]["scripts"]["detail"])
        one = ask(daemon.port, "/scripts").json["scripts"][0]
        self.assertEqual((one["name"], one["status"]), ("bad", "failed"))
        self.assertEqual(one["error"]["line"], 4)
        self.assertTrue(one["error"]["message"])
        reply = ask(daemon.port, "/analysis/bad?pair=BTCUSDT")
        self.assertEqual(reply.status, 503)
        self.assertIn("bad.lua:4", reply.json["detail"])
        self.assertNotIn("/analysis/bad", ask(daemon.port, "/openapi.json").json["paths"])


if __name__ == "__main__":
    unittest.main()
