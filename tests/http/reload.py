"""/scripts/reload and what /scripts says: real scripts that are changed, broken, removed and quarantined while the daemon runs."""
import shutil
import signal
import time

from client import ask
from harness import ROOT, Daemon, Folder, petrosa

LOOP = """return calculator {{
  api = 1, name = "{name}", every = {{ "1h" }}, about = "test", needs = {{ candles = {{ span = "7d", min = 1 }} }},
  outputs = {{ {{ "value", "ratio" }} }},
  compute = function(w) {body} end,
}}
"""


class Reload(Folder):
    def setUp(self):
        super().setUp()
        self.scripts = self.dir / "scripts"
        shutil.copytree(ROOT / "scripts", self.scripts)

    def serve(self, *words):
        daemon = Daemon("--set", f"scripts.path={self.scripts}", *words, store=self.store)
        self.addCleanup(daemon.stop)
        self.port = daemon.port
        return daemon

    def write(self, name, body, kind="calculators"):
        path = self.scripts / kind / f"{name}.lua"
        path.write_text(LOOP.format(name=name, body=body))
        return path

    def reload(self, status, target="/scripts/reload", headers=None):
        reply = ask(self.port, target, "POST", headers=headers)
        self.assertEqual(reply.status, status, reply.body[:600])
        return reply.json

    def verdicts(self, outcome):
        return {script["name"]: script["verdict"] for script in outcome["scripts"]}

    def scripts_now(self):
        return {script["name"]: script for script in ask(self.port, "/scripts").json["scripts"]}

    def test_every_verdict_and_what_is_served_then(self):
        self.write("mine", "return { value = 1 }")
        daemon = self.serve()
        self.assertIsNone(ask(self.port, "/scripts").json["last_reload"])
        same = self.reload(200)
        self.assertEqual((same["generation"], same["ok"], same["error"], same["diff"]), (2, True, None, False))
        self.assertEqual(set(self.verdicts(same).values()), {"live"})
        trend = self.scripts / "calculators/trend.lua"
        hash_before = self.scripts_now()["trend"]["hash"]
        broken = trend.read_text() + "\nreturn oops(\n"
        trend.write_text(broken)
        self.write("mine", "return { value = 2 }")
        self.write("fresh", "return { value = 3 }")
        self.write("wrong", "return {{").write_text("return calculator {")
        (self.scripts / "calculators/volume.lua").unlink()
        outcome = self.reload(409)
        got = self.verdicts(outcome)
        self.assertEqual({name: got[name] for name in ("trend", "mine", "fresh", "wrong", "volume", "deviation")},
                         {"trend": "previous", "mine": "changed", "fresh": "added", "wrong": "failed", "volume": "removed", "deviation": "live"})
        said = next(script for script in outcome["scripts"] if script["name"] == "trend")
        self.assertTrue(said["file"].endswith("/calculators/trend.lua"))
        self.assertGreater(said["line"], 10)
        listed = ask(self.port, "/scripts").json
        self.assertEqual(listed["last_reload"], outcome)
        self.assertEqual((listed["generation"], outcome["generation"]), (3, 3))
        now = self.scripts_now()
        self.assertEqual((now["trend"]["status"], now["trend"]["hash"]), ("previous", hash_before))
        self.assertEqual(now["trend"]["error"]["line"], said["line"])
        self.assertNotIn("oops", ask(self.port, "/scripts/trend").json["source"])
        self.assertEqual(ask(self.port, "/analysis/trend?pair=BTCUSDT").status, 200)
        self.assertEqual(ask(self.port, "/analysis/fresh?pair=BTCUSDT").status, 200)
        self.assertEqual(ask(self.port, "/analysis/volume?pair=BTCUSDT").status, 404)
        self.assertEqual(ask(self.port, "/scripts/volume").status, 404)
        self.assertEqual(ask(self.port, "/analysis/wrong?pair=BTCUSDT").status, 503)
        ready = ask(self.port, "/health/readiness").json["components"]["scripts"]
        self.assertEqual(ready["status"], "degraded")
        self.assertIn("1 in their previous version", ready["detail"])
        metrics = ask(self.port, "/metrics").text
        self.assertIn('petrosa_script_previous{script="trend"} 1', metrics)
        self.assertIn('{method="POST",endpoint="/scripts/reload",status_code="409"} 1', metrics)
        self.assertNotIn(" no_turns ", daemon.logged())  # the door of a worker lets its offers through

    def test_a_diff_changes_nothing(self):
        self.write("mine", "return { value = 1 }")
        self.serve()
        self.write("mine", "return { value = 2 }")
        outcome = self.reload(200, "/scripts/reload?diff=true")
        self.assertEqual((outcome["diff"], outcome["generation"], self.verdicts(outcome)["mine"]), (True, 1, "changed"))
        self.assertIsNone(ask(self.port, "/scripts").json["last_reload"])

    def test_methods_parameters_and_the_token(self):
        token = self.dir / "token"
        token.write_text("secret")
        self.serve("--set", f"http.token_file={token}")
        reply = ask(self.port, "/scripts/reload")
        self.assertEqual((reply.status, reply.headers["Allow"]), (405, "POST, OPTIONS"))
        options = ask(self.port, "/scripts/reload", "OPTIONS")
        self.assertEqual((options.status, options.headers["Allow"]), (204, "POST, OPTIONS"))
        self.assertEqual(ask(self.port, "/scripts/reload", "POST").status, 401)
        self.assertEqual(ask(self.port, "/scripts/reload", "POST", headers={"Authorization": "Bearer wrong"}).status, 403)
        self.assertEqual(ask(self.port, "/scripts").json["generation"], 1)
        for target in ("/scripts/reload?dif=true", "/scripts/reload?diff=perhaps"):
            self.assertEqual(ask(self.port, target, "POST", headers={"Authorization": "Bearer secret"}).status, 422)
        self.reload(200, headers={"Authorization": "Bearer secret"})

    def test_a_script_that_kills_its_workers_is_quarantined(self):
        def bring(first, n, close):
            """n bars of each symbol from the first-th hour on."""
            rows = "".join(f"{1_700_006_400_000 + i * 3_600_000},1,2,0.5,{close(i)},9,{1_700_009_999_999 + i * 3_600_000},9,1,1,1,0\n"
                           for i in range(first, first + n))
            for symbol in ("AAAUSDT", "BBBUSDT", "CCCUSDT"):
                path = self.dir / f"{symbol}-1h-2023.csv"
                path.write_text(rows)
                petrosa("import", path, store=self.store)

        bring(0, 48, lambda i: 1.75 if i < 24 else 1.5)
        self.serve("--set", "scripts.call_budget=50ms", "--set", "cycle.interval=1s")
        # good on made-up windows, and on those it is tried on, which are the newest
        self.write("trap", "while w.close:final() == 1.75 do end return { value = 1 }")
        self.reload(200)
        for i in range(4):  # what readers ask for switches nothing off
            body = ask(self.port, f"/analysis/trap?pair=AAAUSDT&period=1h&as_of={1_700_020_000_000 + i * 3_600_000}").json
            self.assertEqual(body["status"], "error", body)
        trap = self.scripts_now()["trap"]
        self.assertEqual((trap["status"], trap["errors"]), ("live", 4))
        ready = ask(self.port, "/health/readiness").json["components"]["scripts"]
        self.assertEqual(ready["status"], "healthy")
        self.assertIn("the first is trap", ready["detail"])
        bring(48, 1, lambda i: 1.75)  # now the newest windows, which the rounds run
        self.until(lambda: self.scripts_now()["trap"]["status"] == "quarantined")
        body = ask(self.port, "/analysis/trap?pair=AAAUSDT&period=1h&as_of=1700020000000").json
        self.assertEqual(body["status"], "quarantined", body)
        trap = self.scripts_now()["trap"]
        self.assertEqual(trap["status"], "quarantined")
        self.assertIn("time budget of 50 ms", trap["error"]["message"])
        self.assertIn("quarantined", ask(self.port, "/health/readiness").json["components"]["scripts"]["detail"])
        metrics = ask(self.port, "/metrics").text
        self.assertIn('petrosa_script_quarantined{script="trap"} 1', metrics)
        self.assertIn("petrosa_quarantines_total 1", metrics)
        again = self.reload(200)  # the same file stays where it is
        self.assertEqual(self.verdicts(again)["trap"], "quarantined")
        self.write("trap", "return { value = 2 }")
        self.assertEqual(self.verdicts(self.reload(200))["trap"], "changed")
        self.assertEqual(self.scripts_now()["trap"]["errors"], 0)  # another version
        body = ask(self.port, "/analysis/trap?pair=AAAUSDT&period=1h&as_of=1700020000000").json
        self.assertEqual((body["status"] != "quarantined", body["data"]["value"]), (True, "2"))

    def test_hangup_and_watching(self):
        daemon = self.serve("--watch")
        daemon.process.send_signal(signal.SIGHUP)
        self.until(lambda: ask(self.port, "/scripts").json["generation"] == 2)
        self.write("late", "return { value = 1 }")
        self.until(lambda: "late" in self.scripts_now())

    def until(self, condition):
        end = time.monotonic() + 20
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    def test_the_configuration_is_read_anew(self):
        conf = self.dir / "a.conf"
        conf.write_text("[calculator deviation]\nwindow = 30\n")
        self.serve("--config", conf)
        self.assertEqual(ask(self.port, "/scripts/deviation").json["parameters"]["window"], 30)
        conf.write_text("[calculator deviation]\nwindow = 40\n[http]\nthreads = 4\n[cycle]\ninterval = 5m\n")
        outcome = self.reload(200)
        self.assertEqual(outcome["config"], {"changed": ["cycle.interval", "calculator deviation.window"], "restart": ["http.threads"], "unused": []})
        self.assertEqual(ask(self.port, "/scripts/deviation").json["parameters"]["window"], 40)
        conf.write_text("[calculator deviation]\nwindow = 50\n[htpp]\nthreads = 4\n[cycle]\nintervall = 5m\n")
        outcome = self.reload(409)
        for words in ("htpp", "intervall", f"{conf}:3"):
            self.assertIn(words, outcome["error"])
        self.assertEqual((outcome["scripts"], outcome["generation"]), ([], 2))
        self.assertEqual(ask(self.port, "/scripts/deviation").json["parameters"]["window"], 40)
