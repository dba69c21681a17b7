#!/usr/bin/env python3
"""Runs every fuzz target for --seconds each, from its seed corpus; what a target found stays in build/fuzz/findings."""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("only", nargs="*")
    args = parser.parse_args()
    build = ROOT / "build/fuzz"
    findings = build / "findings"
    findings.mkdir(parents=True, exist_ok=True)
    targets = sorted(p for p in build.glob("tests/fuzz/fuzz_*") if p.is_file() and os.access(p, os.X_OK))
    passed = failed = 0
    for target in targets:
        if args.only and target.name not in args.only:
            continue
        seeds = ROOT / "tests/fuzz/corpus" / target.name
        with tempfile.TemporaryDirectory() as grown:
            command = [str(target), grown] + ([str(seeds)] if seeds.is_dir() else [])
            command += [f"-max_total_time={args.seconds}", "-timeout=10", "-rss_limit_mb=4096", "-print_final_stats=1",
                        f"-artifact_prefix={findings}/{target.name}-"]
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
        runs = [line.split()[-1] for line in done.stderr.splitlines() if "number_of_executed_units" in line]
        if done.returncode == 0 and runs and int(runs[0]) > 100:
            passed += 1
            print(f"   {target.name}: {runs[0]} runs in {args.seconds} s, no finding")
        else:
            failed += 1
            print(f"FAILED {target.name}: exit {done.returncode}\n{done.stderr[-3000:]}")
    print(f"@tests fuzz passed={passed} failed={failed + (passed + failed == 0)} skipped=0")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
