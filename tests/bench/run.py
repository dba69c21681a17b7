#!/usr/bin/env python3
"""Every benchmark, each figure beside a peer measured in the same run: `name  ours  peer  ratio  unit`.
Runs the programs bench_* of the release build and the scripts beside this one; names on the command line choose some."""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("PETROSA_BUILD", ROOT / "build/release"))


def main():
    here = pathlib.Path(__file__).resolve().parent
    programs = sorted(p for p in BUILD.glob("tests/bench/bench_*") if p.is_file() and os.access(p, os.X_OK))
    scripts = sorted(p for p in here.glob("*.py") if p.name != "run.py")
    failed = []
    for path in programs + scripts:
        if len(sys.argv) > 1 and not any(word in path.name for word in sys.argv[1:]):
            continue
        print(f"== {path.stem}", flush=True)
        command = [str(path)] if path in programs else [sys.executable, str(path)]
        env = dict(os.environ, PETROSA_BUILD=str(BUILD), PETROSA_SOURCE=str(ROOT), OPENBLAS_NUM_THREADS="1")
        if subprocess.run(command, cwd=ROOT, env=env).returncode != 0:
            failed.append(path.stem)
    if failed:
        print("failed: " + ", ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
