#!/usr/bin/env python3
"""Runs every test and adds up. Each runner prints its own summary and, last, one line
`@tests NAME passed=N failed=N skipped=N`; a runner that ends without it counts as one failure.
Ends with `N passed, N failed, N skipped`; exit 1 when anything failed."""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SUMMARY = re.compile(r"^@tests (.+) passed=(\d+) failed=(\d+) skipped=(\d+)$", re.M)


def suites(build):
    return sorted(p for p in (build / "tests").glob("test_*") if p.is_file() and os.access(p, os.X_OK))


def steps(tsan):
    release, dev = ROOT / "build/release", ROOT / ("build/tsan" if tsan else "build/dev")
    env = {"PETROSA_SOURCE": str(ROOT), "PETROSA_BUILD": str(dev)}
    for path in suites(dev):
        yield path.name, [str(path)], env
    if tsan:
        return
    env = dict(env, PETROSA_BUILD=str(release))
    yield "layers", [sys.executable, "tests/layers.py"], env
    yield "lua", [sys.executable, "tests/lua/run.py"], env
    for name in ("cli", "http"):
        yield name, [sys.executable, f"tests/{name}/run.py"], env
    yield "oracle", [sys.executable, "tests/oracle/run.py"], env
    yield "fuzz", [sys.executable, "tests/fuzz/run.py", "--seconds", "5"], env
    yield "torture", [sys.executable, "tests/torture/run.py"], env


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tsan", action="store_true", help="only the CUnit suites, from build/tsan")
    parser.add_argument("only", nargs="*", help="names of runners")
    args = parser.parse_args()
    sums, broken = [0, 0, 0], []
    for name, command, env in steps(args.tsan):
        if args.only and name not in args.only:
            continue
        start = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, env=dict(os.environ, **env), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1800)
        text = done.stdout.decode(errors="replace")
        found = SUMMARY.findall(text)
        failed = sum(int(f[2]) for f in found)
        clean = done.returncode == 0 and found and failed == 0
        shown = [line for line in text.splitlines() if clean is False or line.startswith(("skipped", "Run Summary", "   "))
                 or "skipped:" in line or line.startswith("  table")]
        print(f"== {name} ({time.monotonic() - start:.1f} s)")
        print("\n".join(shown if clean else text.splitlines()[-400:]), flush=True)
        for row in found:
            for i in range(3):
                sums[i] += int(row[i + 1])
        if not found or (done.returncode != 0 and failed == 0):
            sums[1] += 1
        if not clean:
            broken.append(f"{name} (exit {done.returncode})")
    if broken:
        print("failed: " + ", ".join(broken))
    print(f"{sums[0]} passed, {sums[1]} failed, {sums[2]} skipped")
    return 1 if sums[1] or sums[0] == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
