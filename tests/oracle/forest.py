#!/usr/bin/python3
"""forest.py - isolation forests, written a second time, and beside scikit-learn's.

    forest.py             writes tests/golden/kernels/forest.txt
    forest.py --check     computes it again and compares; holds the scores against scikit-learn's; writes nothing
    forest.py --compare   the program's own scores on recorded labelled tables (annthyroid, breastw, ionosphere, mammography,
                          pima) beside scikit-learn's, and the same bits with and without fused multiply-add in the C library

Exit 0: done, or all as it must be; 1: not; 77: skipped, with the reason.

The forest of the program cannot have scikit-learn's bits: the generators differ. So here is one with the program's own
generator (xoshiro256**, seeded by splitmix64) and rules (core/num/forest.h), written anew: trees of tuples, grown from a queue.
Beside scikit-learn it is held by rank: two forests of different seeds do not order all rows the same way either.
"""
import argparse
import collections
import fractions
import os
import subprocess
import sys

try:
    import numpy as np
    import scipy.stats as stats
    import sklearn
    from sklearn.ensemble import IsolationForest
    from sklearn.metrics import roc_auc_score

    import kernels
except ImportError as why:
    print(f"skipped: {why}")
    sys.exit(77)

HEADER = f"# made by tests/oracle/forest.py, beside scikit-learn {sklearn.__version__}\n"
FULL = 2 ** 64 - 1


# ---------------------------------------------------------------------------------------------------------------
# random numbers

def scatter(x):
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9 & FULL
    x = (x ^ x >> 27) * 0x94d049bb133111eb & FULL
    return x ^ x >> 31


class Random:
    """xoshiro256** (Blackman & Vigna 2018)."""

    def __init__(self, seed, stream):
        golden = 0x9e3779b97f4a7c15
        state = seed if stream == 0 else seed ^ scatter(stream * golden & FULL)
        self.s = [scatter(state + (i + 1) * golden & FULL) for i in range(4)]

    def bits(self):
        s = self.s
        product = s[1] * 5 & FULL
        result = ((product << 7 | product >> 57) & FULL) * 9 & FULL
        shifted = s[1] << 17 & FULL
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= shifted
        s[3] = (s[3] << 45 | s[3] >> 19) & FULL
        return result

    def uniform(self):
        return (self.bits() >> 11) / 2 ** 53

    def below(self, bound):
        product = self.bits() * bound
        while product & FULL < (2 ** 64 - bound) % bound:
            product = self.bits() * bound
        return product >> 64


# ---------------------------------------------------------------------------------------------------------------
# the forest

def mean_path(count):
    """Mean path of an unsuccessful search among `count` keys in a random binary tree, exactly."""
    if count < 2:
        return 0.0
    harmonic = sum(fractions.Fraction(1, i) for i in range(1, count))
    return float(2 * harmonic - fractions.Fraction(2 * (count - 1), count))


class Leaf:
    def __init__(self, path):
        self.path = path


class Forest:
    def __init__(self, x, trees, samples, seed):
        x = x[np.isfinite(x).all(axis=1)]
        self.used, self.samples = len(x), min(samples, len(x))
        self.levels = (self.samples - 1).bit_length() if self.samples > 0 else 0
        self.ends = [mean_path(k) for k in range(self.samples + 1)]
        self.trees = [self.grow(x, Random(seed, t)) for t in range(trees)] if self.samples > 1 else []

    def grow(self, x, rng):
        rows = list(range(self.used))
        for i in range(self.samples):
            other = i + rng.below(self.used - i)
            rows[i], rows[other] = rows[other], rows[i]
        order = list(range(x.shape[1]))
        root = {}
        queue = collections.deque([(x[rows[:self.samples]].tolist(), 0, root, "root")])
        while queue:
            sample, level, parent, side = queue.popleft()
            found = None
            if len(sample) > 1 and level < self.levels:
                for k in range(len(order)):
                    other = k + rng.below(len(order) - k)
                    order[k], order[other] = order[other], order[k]
                    values = [row[order[k]] for row in sample]
                    if min(values) < max(values):
                        found = (order[k], min(values), max(values))
                        break
            if found is None:
                parent[side] = Leaf(level + self.ends[len(sample)])
                continue
            feature, low, high = found
            u = rng.uniform()
            cut = low * (1 - u) + high * u
            if not low <= cut < high:
                cut = low
            parent[side] = node = {"feature": feature, "cut": cut}
            queue.append(([row for row in sample if row[feature] <= cut], level + 1, node, "left"))
            queue.append(([row for row in sample if row[feature] > cut], level + 1, node, "right"))
        return root["root"]

    def paths(self, x):
        """Mean path of each row; missing where a feature is."""
        sums = np.zeros(len(x))

        def descend(node, rows):
            if isinstance(node, Leaf):
                sums[rows] += node.path
            elif len(rows) > 0:
                above = x[rows, node["feature"]] > node["cut"]
                descend(node["left"], rows[~above])
                descend(node["right"], rows[above])

        there = np.flatnonzero(np.isfinite(x).all(axis=1))
        for tree in self.trees:
            descend(tree, there)
        out = np.full(len(x), np.nan)
        if self.trees:
            out[there] = sums[there] / len(self.trees)
        return out

    def scores(self, x):
        return 2.0 ** (-self.paths(x) / mean_path(self.samples))


# ---------------------------------------------------------------------------------------------------------------
# golden numbers, and scikit-learn beside them

def cases(c):
    """name: (columns, rows fitted on, trees, samples, seed)"""
    return {
        "returns": (np.column_stack([c["log_return"], c["other"], c["gappy"]]), 200, 100, 256, 42),
        "prices": (np.column_stack([c["close"], c["log_return"]]), 300, 20, 64, 7),
        "steps": (np.column_stack([np.floor(c["holes"] / 500), np.full(len(c["close"]), 3.0)]), 150, 50, 100, 2 ** 53 - 1),
    }


def make(columns):
    out = {}
    for name, (x, fitted, trees, samples, seed) in cases(columns).items():
        forest = Forest(x[:fitted], trees, samples, seed)
        out[name + ".path"], out[name + ".score"] = forest.paths(x), forest.scores(x)
        out[name + ".used"] = [forest.used, forest.samples, forest.levels]
    out["mean_path"] = [mean_path(k) for k in range(300)]
    return out


def theirs(x, fitted, trees, samples, seed):
    model = IsolationForest(n_estimators=trees, max_samples=min(samples, fitted), random_state=seed).fit(x[:fitted])
    return -model.score_samples(x)


def beside_sklearn():
    """Faults found in 8 pairs of forests on a cloud with far points: ours and theirs must agree as theirs do among themselves."""
    rng, faults = np.random.default_rng(5), []
    x = rng.standard_normal((500, 4)) * [1, 2, 0.1, 1] + [0, 0, 5, 0]
    x[::50] += 6 * rng.standard_normal((10, 4))
    own = [Forest(x, 100, 256, seed).scores(x) for seed in range(4)]
    library = [theirs(x, len(x), 100, 256, seed) for seed in range(5)]
    mixed = np.mean([stats.spearmanr(a, b).statistic for a in own for b in library])
    among = np.mean([stats.spearmanr(a, b).statistic for i, a in enumerate(library) for b in library[:i]])
    off = np.mean(own) - np.mean(library)
    print(f"rank correlation with scikit-learn {mixed:.4f}, of scikit-learn's seeds with each other {among:.4f}; mean score {off:+.4f}")
    if mixed < among - 0.01:
        faults.append(f"scores are ordered unlike scikit-learn's: {mixed:.4f} < {among:.4f} - 0.01")
    if abs(off) > 0.02:     # scikit-learn estimates H(i) by ln i + 0.5772: its scores are higher by 0.004 at most
        faults.append(f"scores lie {off:+.4f} off scikit-learn's")
    return faults


# ---------------------------------------------------------------------------------------------------------------
# the program on recorded tables

TABLES = ("annthyroid", "breastw", "ionosphere", "mammography", "pima")
SEEDS = range(10)
PROGRAM = """
local petrosa, name, seeds = require "petrosa", arg[1], tonumber(arg[2])
local columns, n = {}, 0
for line in io.lines(name) do
  n = n + 1
  local f = 0
  for cell in line:gmatch("%S+") do
    f = f + 1
    columns[f] = columns[f] or {}
    columns[f][n] = tonumber(cell)
  end
end
local names = {}
for f = 1, #columns do names[f] = "c" .. f end
local code = "local " .. table.concat(names, ", ") .. ", seed = ... return (vec.isolation_forest({ " .. table.concat(names, ", ")
  .. " }, #c1, 100, 256, seed))"
for seed = 0, seeds - 1 do
  columns[#names + 1] = seed
  local scores = petrosa.eval(code, unpack(columns))
  for i = 1, n do scores[i] = ("%.17g"):format(scores[i]) end
  print(table.concat(scores, " "))
end
"""


def table(folder, name):
    path = next(p for p in (os.path.join(folder, name + end) for end in (".csv", ".csv.gz")) if os.path.exists(p))
    rows = np.genfromtxt(path, delimiter=",", comments="#", skip_header=0 if name == "mammography" else 1)
    return rows[:, :-1], rows[:, -1]


def program(x, seeds, scratch, **env):
    """Scores of the program's forests, one row a seed."""
    rows, script = os.path.join(scratch, "rows.txt"), os.path.join(scratch, "scores.lua")
    with open(rows, "w", encoding="ascii") as file:
        file.writelines(" ".join(repr(float(v)) for v in row) + "\n" for row in x)
    with open(script, "w", encoding="ascii") as file:
        file.write(PROGRAM)
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    build = os.environ.get("PETROSA_BUILD", os.path.join(root, "build", "release"))
    done = subprocess.run(["luajit", script, rows, str(len(seeds))], capture_output=True, text=True, check=False,
                          env=dict(os.environ, LUA_CPATH=f"{build}/lua/?.so;;", **env))
    if done.returncode != 0:
        raise RuntimeError(f"luajit {script}: {done.stderr.strip()}")
    return np.array([[float(v) for v in line.split()] for line in done.stdout.splitlines()]), done.stdout


def compare(folder, scratch):
    faults = []
    for name in TABLES:
        x, label = table(folder, name)
        ours, text = program(x, SEEDS, scratch)
        own = np.array([roc_auc_score(label, scores) for scores in ours])
        library = np.array([roc_auc_score(label, theirs(x, len(x), 100, 256, seed)) for seed in SEEDS])
        # the means of ten seeds each differ by chance with this deviation; three of them are a fault
        band = 3 * np.std(library, ddof=1) * np.sqrt(2 / len(SEEDS))
        print(f"{name:12} AUROC {own.mean():.4f} (sd {np.std(own, ddof=1):.4f}), scikit-learn {library.mean():.4f}, band +-{band:.4f}")
        if not abs(own.mean() - library.mean()) <= band:
            faults.append(f"{name}: AUROC {own.mean():.4f}, scikit-learn's {library.mean():.4f} +- {band:.4f}")
    if program(x, SEEDS, scratch, GLIBC_TUNABLES="glibc.cpu.hwcaps=-FMA,-FMA4")[1] != text:
        faults.append("other bits without fused multiply-add in the C library")
    return faults


# ---------------------------------------------------------------------------------------------------------------

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--compare", action="store_true")
    args = parser.parse_args()
    if args.compare:
        import tempfile

        import real     # which needs this module

        folder = real.folder()
        tables = folder and os.path.join(folder, "tabular_ad")
        if not tables or not os.path.isdir(tables):
            print("skipped: no recorded tables in ../shared/data or $PETROSA_DATA_DIR")
            return 77
        with tempfile.TemporaryDirectory(prefix="petrosa-forest-") as scratch:
            wrong = compare(tables, scratch)
    else:
        columns = kernels.read(os.path.join(kernels.FOLDER, "input.txt"))
        path, now = os.path.join(kernels.FOLDER, "forest.txt"), make(columns)
        if not args.check:
            with open(path, "w", encoding="ascii") as file:
                file.write(HEADER + kernels.text(now))
            return 0
        stored = kernels.read(path)
        wrong = [f"forest.{key} differs from {path}" for key, value in now.items()
                 if not np.allclose(stored[key], np.asarray(value, float), rtol=1e-13, atol=0, equal_nan=True)]
        wrong += beside_sklearn()
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
