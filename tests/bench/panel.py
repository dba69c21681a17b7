#!/usr/bin/python3
"""The figures of bench_panel beside numpy, scipy and scikit-learn: same BLAS, one thread, in turn, the least of each.

    panel.py           a line a figure: bench panel NAME n=500x2160 petrosa=MS peer=MS ratio=R unit=ms; once with the kernel
                       that OpenBLAS chooses and, where the processor has AVX-512, once with its SkylakeX kernel
    panel.py --peer    the peer's half of a round
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
import scipy.stats as stats
from sklearn.covariance import ledoit_wolf_shrinkage

ROOT = pathlib.Path(os.environ.get("PETROSA_SOURCE", pathlib.Path(__file__).resolve().parent.parent.parent))
BUILD = pathlib.Path(os.environ.get("PETROSA_BUILD", ROOT / "build/release"))
SERIES, ROWS, ROUNDS, LAGS = 500, 2160, 3, 48


def market(missing):
    rng = np.random.default_rng(42)
    x = 0.01 * (0.6 * rng.standard_normal(ROWS) + rng.standard_normal((SERIES, ROWS)))
    x[rng.random((SERIES, ROWS)) < missing] = np.nan
    return x


def pairwise(x):
    """Pairwise complete by matrix products: masks, values, squares."""
    there = np.isfinite(x)
    mean = np.nanmean(x, axis=1, keepdims=True)
    z = np.where(there, x - mean, 0.0)
    mask = there.astype(float)
    n = mask @ mask.T
    sums = z @ mask.T
    squares = (z * z) @ mask.T
    with np.errstate(invalid="ignore", divide="ignore"):
        cov = z @ z.T - sums * sums.T / n
        spread = squares - sums * sums / n
        r = cov / np.sqrt(spread * spread.T)
    r[n < 20] = np.nan
    return r, n


def lead_lag(x):
    z = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
    return [np.correlate(row, np.pad(z[0], LAGS), "valid") / ROWS for row in z]


def standardised(x):
    return ((x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)).T


PEERS = (("pearson", 0, np.corrcoef, 15), ("eigenvalues", 0, np.linalg.eigvalsh, 3),   # of the correlation matrix
         ("ledoit_wolf", 0, lambda x: ledoit_wolf_shrinkage(standardised(x)), 3),
         ("spearman", 0, lambda x: np.corrcoef(stats.rankdata(x, axis=1)), 2), ("lead_lag", 0, lead_lag, 3),
         ("pearson_1pct_missing", 0.01, pairwise, 9), ("pearson_50pct_missing", 0.5, pairwise, 3))


def peer():
    for name, missing, run, samples in PEERS:
        x, least = market(missing), float("inf")
        if run is np.linalg.eigvalsh:
            x = np.corrcoef(x)
        for _ in range(samples):
            start = time.perf_counter()
            run(x)
            least = min(least, 1000 * (time.perf_counter() - start))
        print(f"bench panel {name} n={SERIES}x{ROWS} petrosa={least:.3f} unit=ms", flush=True)


def figures(command, env, least):
    lines = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout.splitlines()
    for line in lines:
        words = line.split()
        if words[0] != "bench":
            continue
        value = float(words[4].partition("=")[2])
        least[words[2]] = min(value, least.get(words[2], float("inf")))
    return [line for line in lines if line.startswith("#")]


def compare(title, env):
    ours, theirs, said = {}, {}, []
    for _ in range(ROUNDS):
        said = figures([str(BUILD / "tests/bench/bench_panel")], env, ours)
        figures([sys.executable, str(pathlib.Path(__file__).resolve()), "--peer"], env, theirs)
    print(f"# {title}: {said[0].lstrip('# ')}")
    for name, value in ours.items():
        beside = f" peer={theirs[name]:.3f} ratio={value / theirs[name]:.2f}" if name in theirs else ""
        print(f"bench panel {name} n={SERIES}x{ROWS} petrosa={value:.3f}{beside} unit=ms", flush=True)


def main():
    if "--peer" in sys.argv:
        return peer()
    env = dict(os.environ, OPENBLAS_NUM_THREADS="1")
    compare("as OpenBLAS chooses", env)
    if " avx512dq " in pathlib.Path("/proc/cpuinfo").read_text():
        compare("OPENBLAS_CORETYPE=SkylakeX", dict(env, OPENBLAS_CORETYPE="SkylakeX"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
