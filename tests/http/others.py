"""Funding payments and mark prices as a script sees them: imported, computed, and again when one comes late."""
import json
import time

from client import HOUR, T0, ask, candle, iso, load, write_candles
from harness import Daemon, Folder


class Others(Folder):
    def pay(self, *rows):
        file = self.dir / "funding.csv"
        file.write_text("funding_time,rate,mark_price\n" + "".join(f"{t},{rate},\n" for t, rate in rows))
        load(self.store, file, "BTCUSDT", kind="funding")

    def mark(self, at, price, index):
        file = self.dir / "marks.jsonl"
        file.write_text(json.dumps({"stream": "btcusdt@markPrice@1s", "data": {
            "e": "markPriceUpdate", "E": at // 1000, "s": "BTCUSDT", "p": price, "i": index, "P": price, "r": "0.0001",
            "T": (at // 1000 // 28_800_000 + 1) * 28_800_000}}) + "\n")
        self.import_json(file)

    def test_they_are_seen_up_to_as_of_and_a_late_one_counts(self):
        load(self.store, write_candles(self.dir / "a.csv", [candle(i, HOUR) for i in range(100)]), "BTCUSDT", "1h")
        end = T0 + 100 * HOUR
        self.pay((end - 17 * HOUR + 3000, "0.00010000"), (end - 9 * HOUR + 5000, "0.00020000"), (end, "0.00900000"))
        self.mark(end - 10_000_000, "50050.00", "50000.00")
        self.mark(end + 10_000_000, "60000.00", "50000.00")
        daemon = Daemon("--set", "scripts.path=scripts,scripts/examples", store=self.store)
        self.addCleanup(daemon.stop)
        newest = "/analysis/funding_basis?pair=BTCUSDT"
        at_end = newest + "&as_of=" + iso(end)

        def wait_for(target, payments):  # the cycle computes each window when it comes to it
            until = time.monotonic() + 60
            while True:
                body = ask(daemon.port, target).json
                if body["data"] and body["data"]["payments"] == payments:
                    return body
                self.assertLess(time.monotonic(), until, body)
                time.sleep(0.1)

        data = wait_for(at_end, 2)["data"]
        self.assertEqual((data["rate"], data["interval"], data["basis"]), ("0.0002", 8 * 3600, "9.999999999998899"))
        body = wait_for(newest, 2)
        self.assertEqual((body["as_of"], body["data"]["rate"]), (iso(end), "0.0002"))
        self.pay((end - HOUR, "-0.00030000"))
        for target in (at_end, newest):
            self.assertEqual(wait_for(target, 3)["data"]["rate"], "-0.0003")
        spot = ask(daemon.port, "/analysis/funding_basis?pair=NOBODY").json
        self.assertEqual(spot["status"], "empty")
