#!/usr/bin/env python3
"""The walls of the house: who may include whom. Prints each breach as file:line and exits 1.

Layers, each seeing its own and those before it: base < data < num, store < flow < serve < cli < main.
Bindings see base, data, num and the store; plugins see base, data and flow/plugin.h.
Outside headers may only be included where their library is at home."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SEES = {
    "core/base": {"base"},
    "core/data": {"base", "data"},
    "core/num": {"base", "num"},
    "core/store": {"base", "data", "store"},
    "core/flow": {"base", "data", "num", "store", "flow"},
    "core/serve": {"base", "data", "num", "store", "flow", "serve"},
    "core/cli": {"base", "data", "num", "store", "flow", "serve", "cli"},
    "core": {"base", "cli"},
    "bindings": {"base", "data", "num", "store", "bindings"},
    "plugins": {"base", "data", "flow/plugin.h"},
}
# outside header (by prefix) -> places (prefixes of our paths) where it is at home
HOME = {
    "lmdb.h": ["core/store/"],
    "event2/": ["core/flow/", "core/serve/"],
    "cblas": ["core/num/"],
    "openblas": ["core/num/"],
    "bson": ["core/data/doc."],
    "cJSON": ["core/data/decode", "core/serve/body"],
    "cjson": ["core/data/decode", "core/serve/body"],
    "zip.h": ["core/data/"],
    "zlib.h": ["core/data/", "core/serve/"],
    "sqlite3.h": ["core/cli/"],
    "xxhash.h": ["core/data/", "core/store/", "core/flow/", "core/serve/"],
    "lua": ["bindings/"],
    "lauxlib.h": ["bindings/"],
    "seccomp.h": ["bindings/"],
    "mongoc": ["plugins/mirror_mongo"],
    "nats": ["plugins/feed_nats"],
    "curl/": ["plugins/"],
    "dlfcn.h": ["core/flow/plugin", "core/num/blas"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def sources():
    listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard", "*.c", "*.h"], cwd=ROOT,
                            capture_output=True, check=True).stdout.decode().split("\0")
    return sorted(name for name in listed if name)


def breaches(name, text):
    folder = str(pathlib.PurePosixPath(name).parent)
    sees = SEES.get(folder)
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        kind, target = match.groups()
        if kind == '"':
            layer = target.split("/")[0] if "/" in target else None
            if sees is not None and layer and layer not in sees and target not in sees:
                yield number, f"{folder} may not include {target}"
        else:
            for prefix, homes in HOME.items():
                if target.startswith(prefix) and not any(name.startswith(home) for home in homes):
                    yield number, f"<{target}> is at home in {', '.join(homes)} only"


def main():
    found = 0
    names = [n for n in sources() if n.split("/")[0] in ("core", "bindings", "plugins")]
    for name in names:
        for number, words in breaches(name, (ROOT / name).read_text()):
            print(f"{name}:{number}: {words}")
            found += 1
    # the rule itself must be able to fail
    assert list(breaches("core/base/x.c", '#include "store/store.h"\n#include <lmdb.h>\n')), "the check is blind"
    print(f"layers: {len(names)} files, {found} breaches")
    print(f"@tests layers passed={0 if found else 1} failed={1 if found else 0} skipped=0")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
