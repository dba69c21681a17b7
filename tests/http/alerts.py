"""Alerts: computed, stored and served as every script; a line in the log when one begins to fire."""
import re
import time

from client import HOUR, US, ask, candle, iso, load, write_candles
from harness import Daemon, Folder

SCRIPT = """return alert {
  api = 1, name = "high", about = "a close above the level", every = { "1h" }, needs = { candles = { span = "3h" } },
  params = { level = number { default = 100, unit = "quote", about = "what it must be above" } },
  when = function(m, p, w)
    if w.close:final() > p.level then return "above " .. p.level end
  end,
}
"""


class Alerts(Folder):
    def setUp(self):
        super().setUp()
        folder = self.dir / "mine/alerts"
        folder.mkdir(parents=True)
        (folder / "high.lua").write_text(SCRIPT)
        now = int(time.time()) * US
        self.first = now - now % HOUR - 20 * HOUR

    def add(self, at, close):
        row = candle(at, HOUR, start=self.first)
        row[1:5] = [f"{close}.00"] * 4
        load(self.store, write_candles(self.dir / "a.csv", [row]), "BTCUSDT", "1h")

    def answer(self, port, at):
        """The newest stored result, once it is that of bar `at`."""
        until = time.monotonic() + 60
        while True:
            body = ask(port, "/analysis/high?pair=BTCUSDT").json
            if body["as_of"] == iso(self.first + (at + 1) * HOUR) and body["metadata"]["computed"] == "stored":
                return body["data"]
            self.assertLess(time.monotonic(), until, body)
            time.sleep(0.05)

    def test_it_is_stored_served_and_said_once(self):
        daemon = Daemon("--set", f"scripts.path={self.dir}/mine", store=self.store)
        self.addCleanup(daemon.stop)
        closes = [90, 95, 101, 102, 99, 110, 111]
        for at, close in enumerate(closes):
            self.add(at, close)
            fires = close > 100
            self.assertEqual(self.answer(daemon.port, at),
                             {"fired": "yes" if fires else "no", "message": "above 100" if fires else None})
        body = ask(daemon.port, "/analysis/high?pair=BTCUSDT&as_of=" + iso(self.first + 2 * HOUR)).json
        self.assertEqual((body["data"]["fired"], body["metadata"]["reasons"]), ("no", {"message": "quiet"}))
        other = ask(daemon.port, "/analysis/high?pair=BTCUSDT&level=500").json
        self.assertEqual(other["data"]["fired"], "no")
        self.assertEqual(ask(daemon.port, "/scripts/high").json["kind"], "alert")
        paths = ask(daemon.port, "/openapi.json").json["paths"]
        self.assertIn("level", str(paths["/analysis/high"]))
        self.assertIn("analytics_BTCUSDT_high", ask(daemon.port, "/catalog/datasets?limit=100").text)
        # twice it began to fire; going on and being asked for are no news
        lines = [line for line in daemon.logged().splitlines() if " alert fired " in line]
        told = [re.search(r'info alert fired alert=high symbol=BTCUSDT period=1h as_of=(\S+) message="above 100"$', line) for line in lines]
        self.assertEqual([m and m[1] for m in told], [iso(self.first + 3 * HOUR), iso(self.first + 6 * HOUR)], daemon.logged()[-2000:])

    def test_the_levels_of_the_configuration_hold(self):
        self.add(0, 90)
        daemon = Daemon("--set", f"scripts.path={self.dir}/mine", "--set", "alert high.level=50", store=self.store)
        self.addCleanup(daemon.stop)
        self.assertEqual(self.answer(daemon.port, 0), {"fired": "yes", "message": "above 50"})
