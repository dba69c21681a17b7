#!/usr/bin/env python3
"""kill -9 at random moments while importing and computing: afterwards the store opens, `verify` is clean, nothing that
was acknowledged is missing, and finishing the work gives the content of an undisturbed run. Then reload storms (reload.py).
Short form: 12 kills, 60 reloads; --long: 200 and 2,000. --seed repeats a run."""
import argparse
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import reload

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("PETROSA_BUILD", ROOT / "build/release"))
PETROSA = BUILD / "petrosa"
SYMBOLS, ROWS, START = ("AAAUSDT", "BBBUSDT", "CCCUSDT"), 60_000, 1_672_531_200_000


def make_files(folder):
    """Plain dump-form minute candles of a random walk in ticks; files that import needs several commits for."""
    paths = []
    for number, symbol in enumerate(SYMBOLS):
        walk, lines = random.Random(number), []
        price = 1_000_000
        for i in range(ROWS):
            opened = START + i * 60_000
            close = max(1000, price + walk.randint(-300, 300))
            high, low = max(price, close) + walk.randint(0, 90), min(price, close) - walk.randint(0, 90)
            volume = walk.randint(1, 10**8)
            cells = [opened, f"{price / 100:.2f}", f"{high / 100:.2f}", f"{low / 100:.2f}", f"{close / 100:.2f}",
                     f"{volume / 1000:.3f}", opened + 59_999, f"{volume * close // 1000 / 100:.2f}", walk.randint(1, 999),
                     f"{volume // 2 / 1000:.3f}", f"{volume // 2 * close // 1000 / 100:.2f}", 0]
            lines.append(",".join(map(str, cells)))
            price = close
        path = folder / f"{symbol}-1m-2023.csv"
        path.write_text("\n".join(lines) + "\n")
        paths.append(path)
    return paths


def run(store, *command, check=True):
    done = subprocess.run([str(PETROSA), *command, "--data", str(store), "--quiet"],
                          capture_output=True, text=True, timeout=300)
    if check and done.returncode != 0:
        raise AssertionError(f"petrosa {' '.join(command)}: exit {done.returncode}: {done.stderr[-800:]}")
    return done


def start(store, *command):
    return subprocess.Popen([str(PETROSA), *command, "--data", str(store),
                             "--set", "store.commit_rows=5000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            start_new_session=True)


def rows(store, symbol):
    return run(store, "export", "--kind", "candles", "--pair", symbol, "--period", "1m").stdout.splitlines()


def values(store, as_of):
    """Every field of every calculator at one moment, without what may differ between runs (times)."""
    out = {}
    for symbol in SYMBOLS:
        for name in ("volatility", "volume", "trend", "deviation"):
            body = json.loads(run(store, "eval", name, "--pair", symbol, "--period", "1h", "--as-of", as_of, "--json").stdout)
            body = json.loads(re.sub(r'"(computed_at|last_updated)":"[^"]*"', r'"\1":""', json.dumps(body, separators=(",", ":"))))
            out[symbol, name] = body
    return out


def acknowledged(text):
    """Rows import said were durable, by file: its plain progress lines read `committed FILE rows=N`."""
    sums = {}
    for name, count in re.findall(r"committed (\S+) rows=(\d+)", text):
        sums[name] = max(sums.get(name, 0), int(count))
    return sums


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    kills = 200 if args.long else 12
    chance = random.Random(args.seed)
    print(f"torture: {kills} kills, seed {args.seed}")
    passed = failed = 0
    folder = pathlib.Path(tempfile.mkdtemp(prefix="petrosa-torture-"))
    try:
        files = make_files(folder)
        calm = folder / "calm"
        begin = time.monotonic()
        run(calm, "import", *map(str, files))
        import_s = time.monotonic() - begin
        begin = time.monotonic()
        run(calm, "compute")
        compute_s = time.monotonic() - begin
        want_rows = {symbol: rows(calm, symbol) for symbol in SYMBOLS}
        want = values(calm, "2023-01-20T00:00:00Z")
        wild = folder / "wild"
        hit = 0
        for number in range(kills):
            if number % 10 == 0:
                shutil.rmtree(wild, ignore_errors=True)
            computing = number % 3 == 2
            child = start(wild, *(["compute"] if computing else ["import", *map(str, files)]))
            time.sleep(chance.uniform(0, 1.1 * (compute_s if computing else import_s)))
            hit += child.poll() is None
            try:
                os.killpg(child.pid, signal.SIGKILL)  # with its workers
            except ProcessLookupError:
                pass
            out, err = child.communicate()
            try:
                done = run(wild, "verify", check=False)
                if done.returncode != 0 and "no store" in done.stderr and not acknowledged(out + err):
                    passed += 1  # killed before the store was made: the next import makes it
                    continue
                assert done.returncode == 0, f"verify: {done.stdout[-400:]}{done.stderr[-400:]}"
                for name, count in acknowledged(out + err).items():
                    symbol = pathlib.Path(name).name.split("-")[0]
                    got = len(rows(wild, symbol)) - 1
                    assert got >= count, f"{symbol}: {count} rows were acknowledged, {got} are there"
                if number % 10 == 9 or number == kills - 1:
                    run(wild, "import", *map(str, files))
                    for symbol in SYMBOLS:
                        assert rows(wild, symbol) == want_rows[symbol], f"{symbol}: content differs from the undisturbed import"
                    run(wild, "compute")
                    assert values(wild, "2023-01-20T00:00:00Z") == want, "values differ from the undisturbed run"
                    run(wild, "verify")
                passed += 1
            except AssertionError as fault:
                failed += 1
                print(f"FAILED kill {number} ({'compute' if computing else 'import'}): {fault}")
        print(f"   torture: {hit} of {kills} kills hit a running process")
        if hit < kills // 3:
            failed += 1
            print("FAILED torture: too few kills hit; the runs are too short for this machine")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    try:
        reload.storm(2000 if args.long else 60, args.seed, not args.long)
        passed += 1
    except AssertionError as fault:
        failed += 1
        print(f"FAILED reload storm: {fault}")
    print(f"@tests torture passed={passed} failed={failed} skipped=0")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
