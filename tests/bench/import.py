#!/usr/bin/env python3
"""Import of dump CSV, stored and durable, beside pandas.read_csv (memory only) and SQLite's .import, same file, same run.
The file: 1,290,240 minute candles in dump form, made up once (or the real 1m dumps eight times over, where they are)."""
import gzip
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PETROSA = pathlib.Path(os.environ.get("PETROSA_BUILD", ROOT / "build/release")) / "petrosa"
DATA = pathlib.Path(os.environ.get("PETROSA_DATA_DIR", ROOT.parent / "shared/data"))
ROWS, ROUNDS = 1_290_240, 5


def make_file(path):
    """One series, minute after minute, with the digits of the real rows."""
    real = sorted((DATA / "klines/dump_um_1m").glob("*.gz")) if DATA.is_dir() else []
    rows, opened = [], 1_500_000_000_000 // 60_000 * 60_000
    if real:
        for source in real * 8:
            with gzip.open(source, "rt") as file:
                rows += [line.rstrip().split(",")[1:] for line in file.read().splitlines()[1:]]
    else:
        walk, price = random.Random(1), 20_000_000
        for _ in range(ROWS):
            price += walk.randint(-900, 900)
            cells = [price, price + 500, price - 500, price + 100]
            rows.append([f"{c / 1000:.3f}" for c in cells] + ["12.345", "0", "246900.123", "321", "6.100", "122000.456", "0"])
    with open(path, "w") as out:
        for i, row in enumerate(rows[:ROWS]):
            row[5] = str(opened + i * 60_000 + 59_999)
            out.write(f"{opened + i * 60_000},{','.join(row)}\n")
    return "real rows" if real else "made-up rows"


def rate(action):
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return ROWS / statistics.median(seconds) / 1e6


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="petrosa-bench-"))
    try:
        path = folder / "BENCHUSDT-1m-2020.csv"
        kind = make_file(path)

        def ours():
            shutil.rmtree(folder / "store", ignore_errors=True)
            subprocess.run([PETROSA, "import", "--quiet", "--data", folder / "store", path], check=True, stdout=subprocess.DEVNULL)

        def pandas():
            code = "import sys, pandas, numpy; pandas.read_csv(sys.argv[1], header=None, dtype={0: 'i8', 6: 'i8', 8: 'i8'})"
            subprocess.run(["/usr/bin/python3", "-c", code, path], check=True)

        def sqlite():
            (folder / "peer.db").unlink(missing_ok=True)
            create = "create table k (t integer primary key, o real, h real, l real, c real, v real, ct integer, q real, n integer, tb real, tq real, i integer);"
            subprocess.run(["sqlite3", folder / "peer.db", create, ".mode csv", f".import '{path}' k"], check=True)

        bytes_each = None
        mine = rate(ours)
        bytes_each = sum(p.stat().st_blocks * 512 for p in (folder / "store").iterdir()) / ROWS
        shown = json.loads(subprocess.run([PETROSA, "import", "--json", "--data", folder / "store", path], capture_output=True, check=True).stdout)
        assert shown[0]["unchanged"] == ROWS, shown
        print(f"import  {mine:8.2f} M rows/s, durable, {bytes_each:.1f} bytes a row on disk ({kind}, {path.stat().st_size / 1e6:.0f} MB)")
        peer = rate(pandas)
        print(f"        {peer:8.2f} M rows/s pandas read_csv, memory only, with its start-up  (ours is {mine / peer:.1f}x)")
        if shutil.which("sqlite3"):
            peer = rate(sqlite)
            print(f"        {peer:8.2f} M rows/s sqlite3 .import to a file  (ours is {mine / peer:.1f}x)")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
