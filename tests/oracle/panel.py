#!/usr/bin/python3
"""panel.py - golden numbers of correlation, by pandas, numpy, scipy and scikit-learn.

    panel.py            writes tests/golden/kernels/panel.txt
    panel.py --check    computes them again from the stored inputs and compares; writes nothing

The panel: log_return, other, gappy of kernels.py, and flow (follows log_return by three bars, remembers itself, has holes)
and young (nothing in its first two thirds) made here.
"""
import argparse
import os
import sys

import numpy as np
import pandas as pd
import scipy
import scipy.stats as stats
import sklearn
from sklearn.covariance import ledoit_wolf

import kernels

HEADER = (f"# made by tests/oracle/panel.py: pandas {pd.__version__}, numpy {np.__version__}, scipy {scipy.__version__}, "
          f"scikit-learn {sklearn.__version__}\n")
LAGS, LEAST = 48, 20
INPUTS = ("flow", "young", "broken")


def make_inputs(columns):
    rng = np.random.RandomState(11)
    base = columns["log_return"]
    flow = np.full(len(base), np.nan)
    state = 0.0
    for t in range(4, len(base)):
        state = 0.5 * state + 0.8 * base[t - 3] + rng.normal(0, 0.004)
        flow[t] = state
    flow[[60, 61, 180]] = np.nan
    young = np.where(np.arange(len(base)) < 200, np.nan, 0.4 * base + rng.normal(0, 0.006, len(base)))
    broken = np.eye(6)
    for i in range(6):
        for j in range(i):
            broken[i, j] = broken[j, i] = rng.uniform(-0.95, 0.95)
    return {"flow": flow, "young": young, "broken": broken.ravel()}


def clipped(matrix):
    """Negative eigenvalues to 0, diagonal back to 1."""
    values, vectors = np.linalg.eigh(matrix)
    whole = vectors @ np.diag(np.maximum(values, 0)) @ vectors.T
    scale = np.sqrt(np.diag(whole))
    return whole / np.outer(scale, scale), values[0]


def prewhiten(x):
    mean = np.nanmean(x)
    phi = kernels.biased_acf(x, 1)
    return phi, np.concatenate([[np.nan], (x[1:] - mean) - phi * (x[:-1] - mean)])


def ccf(y, x):
    """Pearson of (y[t], x[t - lag]), by pandas, for every lag; and how many pairs."""
    y, x = pd.Series(y), pd.Series(x)
    lags = range(-LAGS, LAGS + 1)
    return np.array([y.corr(x.shift(k)) for k in lags]), np.array([(y.notna() & x.shift(k).notna()).sum() for k in lags])


def make(columns):
    panel = pd.DataFrame({name: kernels.there(columns[name])[1:] for name in ("log_return", "other", "gappy", "flow", "young")})
    out = {}
    pearson = panel.corr(min_periods=LEAST)
    out["pearson"] = pearson.values.ravel()
    there = panel.notna().values.astype(int)
    out["overlap"] = (there.T @ there).ravel()
    out["spearman"] = panel.corr(method="spearman", min_periods=LEAST).values.ravel()
    for a, b in (("other", "young"), ("log_return", "gappy")):      # scipy agrees with pandas
        both = panel[[a, b]].dropna()
        assert abs(stats.spearmanr(both[a], both[b]).statistic / panel.corr(method="spearman").loc[a, b] - 1) < 1e-12
        assert abs(stats.pearsonr(both[a], both[b]).statistic / pearson.loc[a, b] - 1) < 1e-12
    out["eigenvalues"] = np.linalg.eigvalsh(pearson.values)
    out["mean"] = [pearson.values[np.triu_indices(5, 1)].mean()]
    whole = panel.dropna().values
    z = (whole - whole.mean(axis=0)) / whole.std(axis=0)
    shrunk, intensity = ledoit_wolf(z)
    out["ledoit_wolf"] = [intensity, len(whole)]
    out["shrunk"] = shrunk.ravel()
    out["fisher"] = np.tanh(np.arctanh(0.678824) + np.array([-1, 1]) * 1.959964 / np.sqrt(299 - 3))
    repaired, lowest = clipped(columns["broken"].reshape(6, 6))
    out["repaired"] = repaired.ravel()
    out["repaired_spectrum"] = [lowest, np.linalg.eigvalsh(repaired)[-1] / 6]
    (phi_x, x), (phi_y, y) = prewhiten(panel["log_return"].values), prewhiten(panel["flow"].values)
    out["prewhitened"] = [phi_x, phi_y]
    r, pairs = ccf(y, x)
    at = np.nanargmax(np.abs(r))
    out["ccf"] = r
    out["ccf_peak"] = [at - LAGS, r[at], stats.norm.ppf(1 - 0.01 / (2 * (2 * LAGS + 1))) / np.sqrt(pairs[at]), pairs[at]]
    assert at - LAGS == 3
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    columns = kernels.read(os.path.join(kernels.FOLDER, "input.txt"))
    path = os.path.join(kernels.FOLDER, "panel.txt")
    if not args.check:
        inputs = make_inputs(columns)
        with open(path, "w") as file:
            file.write(HEADER + kernels.text({**inputs, **make({**columns, **inputs})}))
        return 0
    stored = kernels.read(path)
    now = make({**columns, **{name: stored[name] for name in INPUTS}})
    wrong = [key for key, value in now.items()
             if not np.allclose(stored[key], np.asarray(value, float), rtol=1e-9, atol=1e-14, equal_nan=True)]
    for key in wrong:
        print(f"panel.{key} differs from {path}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
