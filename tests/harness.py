"""harness.py - what the end-to-end tests share: where things are, temporary stores, a daemon on a free port, the summary line."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("PETROSA_BUILD", ROOT / "build/release"))
PETROSA = BUILD / "petrosa"
DATA = pathlib.Path(os.environ.get("PETROSA_DATA_DIR", ROOT.parent / "shared/data"))
NO_DATA = None if DATA.is_dir() else f"skipped: no market data at {DATA}"


def environment(**extra):
    """The caller's environment without anything that would configure us."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PETROSA_", "API_", "NATS_", "MONGODB_", "SUPPORTED_", "ANALYTICS_"))
            and k != "LOG_LEVEL"}
    return dict(kept, **extra)


def petrosa(*args, store=None, check=0, timeout=120, env=None, cwd=None, text=True):
    """Runs one command to its end; check = the exit code it must have (None = any)."""
    command = [str(PETROSA), *map(str, args)]
    if store is not None:
        command += ["--data", str(store)]
    done = subprocess.run(command, capture_output=True, text=text, timeout=timeout, env=env or environment(), cwd=cwd,
                          stdin=subprocess.DEVNULL)
    if check is not None and done.returncode != check:
        raise AssertionError(f"{' '.join(command)}\nexit {done.returncode}, wanted {check}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done


class Folder(unittest.TestCase):
    """A test with a temporary folder, self.dir, and a store path in it, self.store."""

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="petrosa test "))
        self.store = self.dir / "store"
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    def import_json(self, *args, check=0):
        return json.loads(petrosa("import", "--json", *args, store=self.store, check=check).stdout)


class Daemon:
    """petrosa serve (or demo) on a free loopback port, started in the folder `cwd`; stopped by pid."""

    def __init__(self, *args, store=None, command="serve", cwd=None):
        words = [str(PETROSA), command, "--port", "0", *map(str, args)]
        if store is not None:
            words += ["--data", str(store)]
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=self.log, text=True, env=environment(), cwd=cwd)
        self.ready = self.process.stdout.readline().strip()
        if not self.ready.startswith("ready "):
            self.stop()
            raise AssertionError(f"no ready line: {self.ready!r}\n{self.logged()}")
        self.fields = dict(word.split("=", 1) for word in self.ready.split()[1:])
        self.url = self.fields["url"]
        self.port = int(self.url.rsplit(":", 1)[1])

    def logged(self):
        self.log.seek(0)
        return self.log.read()

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("the daemon did not stop within 30 s")
        finally:
            self.process.stdout.close()


def main(name, module="__main__"):
    """Runs the module's tests and prints the line that tests/run.py adds up."""
    if not PETROSA.exists():
        print(f"{PETROSA} is not built")
        sys.exit(1)
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[module])
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2 if "-v" in sys.argv else 1).run(suite)
    failed = len(result.failures) + len(result.errors)
    for case, why in result.skipped:
        print(f"skipped: {case}: {why}")
    print(f"@tests {name} passed={result.testsRun - failed - len(result.skipped)} failed={failed} skipped={len(result.skipped)}")
    sys.exit(1 if failed or result.testsRun == 0 else 0)
