"""/health and /health/summary on what was imported."""
from client import DAY, HOUR, T0, ask, candle, load, write_candles
from harness import Daemon, Folder


class Quality(Folder):
    def test_counts_are_those_of_the_files(self):
        there = [i for i in range(400) if i not in (7, 8, 9, 100, 398)]
        load(self.store, write_candles(self.dir / "h.csv", [candle(i, HOUR) for i in there]), "BTCUSDT", "1h")
        load(self.store, write_candles(self.dir / "d.csv", [candle(i, DAY) for i in range(10)]), "ETHUSDT", "1d")
        scripts = self.dir / "scripts"  # none: what the daemon computes would be datasets too
        for name in ("calculators", "regimes", "anomalies", "alerts", "lib"):
            (scripts / name).mkdir(parents=True)
        daemon = Daemon("--set", f"scripts.path={scripts}", store=self.store)
        self.addCleanup(daemon.stop)
        body = ask(daemon.port, "/health?pair=btcusdt&period=1h").json
        self.assertEqual(list(body), ["pair", "period", "health", "metadata", "parameters"])
        health = body["health"]
        self.assertEqual(list(health), ["completeness", "freshness_sec", "gaps", "duplicates", "consistency_score", "quality_score"])
        self.assertEqual((health["completeness"], health["gaps"], health["duplicates"], health["quality_score"]), (98.75, 3, 0, None))
        self.assertGreater(health["freshness_sec"], 86400)
        self.assertEqual(ask(daemon.port, "/health?pair=ETHUSDT").json["health"]["gaps"], 0)
        self.assertIsNone(ask(daemon.port, "/health?pair=NOBODY").json["health"]["completeness"])
        self.assertEqual(ask(daemon.port, "/health").status, 422)
        summary = ask(daemon.port, "/health/summary").json
        self.assertEqual(list(summary), ["data", "metadata", "parameters"])
        self.assertEqual(summary["data"], {"total_datasets": 2, "healthy_datasets": 0, "degraded_datasets": 2, "unhealthy_datasets": 0,
                                           "overall_score": 79.5})
        # a hole is filled while the daemon runs
        load(self.store, write_candles(self.dir / "f.csv", [candle(i, HOUR) for i in (7, 8, 9)]), "BTCUSDT", "1h")
        self.assertEqual(ask(daemon.port, "/health?pair=BTCUSDT&period=1h").json["health"]["gaps"], 2)
        late = (400 * HOUR + T0) // 1_000_000
        load(self.store, write_candles(self.dir / "g.csv", [candle(0, HOUR, start=(late + 3600) * 1_000_000)]), "BTCUSDT", "1h")
        self.assertEqual(ask(daemon.port, "/health?pair=BTCUSDT&period=1h").json["health"]["gaps"], 3)
