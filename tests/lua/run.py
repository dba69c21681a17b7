#!/usr/bin/env python3
"""busted (under LuaJIT) over tests/lua, and luacheck over every Lua file of ours."""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def main():
    build = pathlib.Path(os.environ.get("PETROSA_BUILD", ROOT / "build/release"))
    env = dict(os.environ, PETROSA_BUILD=str(build))
    env["LUA_CPATH"] = f"{build}/?.so;{build}/lua/?.so;{env.get('LUA_CPATH', ';;')}"
    done = subprocess.run(["busted", "--output=json"], cwd=ROOT, env=env, capture_output=True, text=True)
    try:
        report = json.loads(done.stdout[done.stdout.index("{"):])
    except ValueError:  # a spec that cannot even be loaded: the JSON form says nothing, the plain one says why
        plain = subprocess.run(["busted"], cwd=ROOT, env=env, capture_output=True, text=True)
        print(done.stderr[-4000:], plain.stdout[-4000:], plain.stderr[-4000:])
        return 1
    # busted's JSON writes an empty list as {}
    failures = list(report["failures"] or []) + list(report["errors"] or [])
    for item in failures:
        print(f"FAILED {item.get('name')}: {item.get('message')}")
    for item in report["pendings"] or []:
        print(f"skipped: {item.get('name')}")
    for line in done.stderr.splitlines():  # figures that specs count, for tests/run.py to show
        if line.startswith("  table"):
            print(line)
    passed, failed, skipped = len(report["successes"]), len(failures), len(report["pendings"] or [])
    print(f"Run Summary: busted {passed} successes, {failed} failures, {skipped} pending")
    lint = subprocess.run(["luacheck", "-q", "."], cwd=ROOT, capture_output=True, text=True)
    if lint.returncode:
        print(lint.stdout, lint.stderr)
    print(f"@tests lua passed={passed + (lint.returncode == 0)} failed={failed + (lint.returncode != 0)} skipped={skipped}")
    return 1 if failed or lint.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
