#!/usr/bin/python3
"""The figures of bench_forest beside scikit-learn: 100 trees, 256 rows each, 6 features, one thread, in turn, the least of each.

    forest.py          a line a figure: bench forest NAME n=ROWSx6 petrosa=MS peer=MS ratio=R unit=ms
    forest.py --peer   the peer's half of a round
"""
import os
import pathlib
import subprocess
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"
try:
    import numpy as np
except ImportError:
    if sys.executable == "/usr/bin/python3":
        sys.exit("numpy is missing: make setup")
    os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
from sklearn.ensemble import IsolationForest

ROOT = pathlib.Path(os.environ.get("PETROSA_SOURCE", pathlib.Path(__file__).resolve().parent.parent.parent))
BUILD = pathlib.Path(os.environ.get("PETROSA_BUILD", ROOT / "build/release"))
FEATURES, ROUNDS = 6, 3


def least(run, samples):
    best = float("inf")
    for _ in range(samples):
        start = time.perf_counter()
        run()
        best = min(best, 1000 * (time.perf_counter() - start))
    return best


def peer():
    for rows, samples in ((168, 9), (2160, 9), (100000, 2)):
        x = np.random.default_rng(42).standard_normal((rows, FEATURES))
        forest = IsolationForest(n_estimators=100, random_state=42)
        figures = [("fit", least(lambda: forest.fit(x), samples)), ("score", least(lambda: forest.score_samples(x), samples))]
        if rows == 100000:
            figures.append(("score_one_row", least(lambda: forest.score_samples(x[-1:]), 9)))
        for name, ms in figures:
            print(f"bench forest {name} n={rows}x{FEATURES} petrosa={ms:.4f} unit=ms", flush=True)


def figures(command, best):
    for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
        words = line.split()
        value, key = float(words[4].partition("=")[2]), (words[2], words[3])
        best[key] = min(value, best.get(key, float("inf")))


def main():
    if "--peer" in sys.argv:
        return peer()
    ours, theirs = {}, {}
    for _ in range(ROUNDS):
        figures([str(BUILD / "tests/bench/bench_forest")], ours)
        figures([sys.executable, str(pathlib.Path(__file__).resolve()), "--peer"], theirs)
    for (name, size), value in ours.items():
        beside = theirs[name, size]
        print(f"bench forest {name} {size} petrosa={value:.4f} peer={beside:.4f} ratio={value / beside:.4f} unit=ms", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
