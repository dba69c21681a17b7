#!/usr/bin/env python3
"""The oracle's part of the tests: its golden files are what it says today, and the program agrees with it on recorded data."""
import concurrent.futures
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("PETROSA_BUILD", ROOT / "build/release"))
PYTHON = "/usr/bin/python3"  # Debian's own, which has its pandas and scipy
SKIPPED = 77


STEPS = (("golden files", ["tests/oracle/golden.py", "--check"]),
         ("golden books", ["tests/oracle/books.py", "--check"]),
         ("golden market", ["tests/oracle/golden_market.py", "--check"]),
         ("golden kernels", ["tests/oracle/kernels.py", "--check"]),
         ("golden panel", ["tests/oracle/panel.py", "--check"]),
         ("golden forest", ["tests/oracle/forest.py", "--check"]),
         ("recorded data", ["tests/oracle/compare.py", "--petrosa", str(BUILD / "petrosa")]),
         ("recorded tables", ["tests/oracle/forest.py", "--compare"]),
         ("recorded books", ["tests/oracle/books.py", "--compare", "--petrosa", str(BUILD / "petrosa")]))


def run(step):
    return subprocess.run([PYTHON, *step[1]], cwd=ROOT, capture_output=True, text=True)


def main():
    sums = {"passed": 0, "failed": 0, "skipped": 0}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:  # each is a program of one thread
        for (name, _), done in zip(STEPS, pool.map(run, STEPS)):
            verdict = {0: "passed", SKIPPED: "skipped"}.get(done.returncode, "failed")
            sums[verdict] += 1
            text = (done.stdout + done.stderr).strip()
            if verdict == "skipped":
                print(f"skipped: {name}: {text}")
            else:
                print("\n".join(f"   {line}" for line in text.splitlines()[-120:]))
                print(f"   oracle, {name}: {verdict}")
    print("@tests oracle passed={passed} failed={failed} skipped={skipped}".format(**sums))
    return 1 if sums["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
