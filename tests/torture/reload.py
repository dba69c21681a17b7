"""Reload storms: script files change all the time, a third of them broken or hostile, while a simulated feed delivers and
clients ask some 200 times a second. The daemon never ends, no bar is lost, nobody is answered 5xx, memory stays flat, and
the last state on disk is the one that is live in the end."""
import collections
import ctypes
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import ROOT, Daemon, petrosa  # noqa: E402

HOSTILE = ROOT / "tests/torture/hostile"
GOOD, BAD, RATE = 14, 6, 200  # 30 % of 20
SYS_SCHED_SETATTR = 314       # x86-64
DAYS = 100  # of history: the longest window (90 days) is full, else it would grow with the market, not with the reloads
FLAT, WARMING_KB = 0.05, 4096  # the daemon's heap needs some 600 reloads to find its size
TARGETS = ("/analysis/volatility?pair=BTCUSDT", "/analysis/trend?pair=ETHUSDT", "/data/candles?pair=BTCUSDT&period=1m&limit=100",
           "/analysis/deviation?pair=SOLUSDT&period=5m&window=50", "/health/readiness", "/scripts", "/analysis/volume?pair=ADAUSDT", "/metrics")
TEMPLATE = """--- storm_{i}: a script that is changed all the time. Version {version}.
return calculator {{
  api = 1, name = "storm_{i}", about = "test", needs = {{ candles = {{ span = "7d", min = 1 }} }}, every = {{ "1h" }},
  outputs = {{ {{ "value", "ratio" }} }},
  compute = function(w) return {{ value = {version} + w.close:final() * 0 }} end,
}}
"""
BROKEN = ("return calculator {", "return calculator { api = 1 }", "error('no')", "", "return 7", "syntax error here", "return nothing.at.all")


class Asker(threading.Thread):
    """One client with one connection; its share of RATE."""

    def __init__(self, port, share, seed):
        super().__init__(daemon=True)
        self.port, self.pause, self.chance = port, 1 / share, random.Random(seed)
        self.stopping, self.times, self.bad = threading.Event(), [], []

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        following = time.monotonic()
        while not self.stopping.is_set():
            target = self.chance.choice(TARGETS)
            begin = time.monotonic()
            try:
                connection.request("GET", target)
                reply = connection.getresponse()
                body = reply.read()
                if reply.status >= 500:
                    self.bad.append((target, reply.status, body[:300].decode(errors="replace")))
            except OSError as fault:
                self.bad.append((target, repr(fault)))
                connection.close()
            self.times.append((target, time.monotonic() - begin))
            following = max(following + self.pause, time.monotonic() - 0.2)
            time.sleep(max(0, following - time.monotonic()))
        connection.close()


def prompt():
    """The clients' machine is this one: as those of another would, they get the processor when an answer comes. (sched_setattr with
    turns of 0.1 ms, since Linux 6.12; others refuse it and measure their own waiting, too.)"""
    attributes = struct.pack("=IIQiIQQQ", 48, os.SCHED_OTHER, 0, os.getpriority(os.PRIO_PROCESS, 0), 0, 100_000, 0, 0)
    ctypes.CDLL(None).syscall(SYS_SCHED_SETATTR, 0, attributes, 0)


def serve_askers(port, seed):
    """The clients' process, which shares no interpreter with the storm: until its input ends, then what it saw."""
    prompt()
    askers = [Asker(port, RATE / 4, seed + i) for i in range(4)]
    begun = time.monotonic()
    for asker in askers:
        asker.start()
    sys.stdin.read()
    for asker in askers:
        asker.stopping.set()
    for asker in askers:
        asker.join()
    times = collections.defaultdict(list)
    for asker in askers:
        for target, seconds in asker.times:
            times[target].append(seconds)
    json.dump({"seconds": time.monotonic() - begun, "times": times, "bad": [fault for asker in askers for fault in asker.bad]}, sys.stdout)


def quantile(times, q):
    return 1e3 * times[min(len(times) - 1, int(q * len(times)))]


class Clients:
    def __init__(self, port, seed):
        self.process = subprocess.Popen([sys.executable, __file__, "--clients", str(port), str(seed)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def stop(self):
        output = self.process.communicate()[0]
        assert self.process.returncode == 0, f"the clients ended with {self.process.returncode}"
        said = json.loads(output)
        self.seconds, self.bad = said["seconds"], said["bad"]
        self.targets = {target: sorted(times) for target, times in said["times"].items()}
        self.times = sorted(t for times in self.targets.values() for t in times)
        return self

    def figures(self):
        times = self.times
        slow = max(self.targets, key=lambda target: quantile(self.targets[target], 0.99))
        return (f"{len(times) / self.seconds:.0f} requests/s, p50 {quantile(times, 0.5):.1f} ms, p99 {quantile(times, 0.99):.1f} ms, most "
                f"{1e3 * times[-1]:.0f} ms; slowest {slow} p99 {quantile(self.targets[slow], 0.99):.1f} ms")


def ask(port, target, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=700)
    try:
        connection.request(method, target)
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        connection.close()


def own_memory(pid):
    """kB that belong to this process alone: the store's file is shared and comes and goes."""
    return int(re.search(r"RssAnon:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def mean(sizes):
    return sum(sizes) / max(1, len(sizes))


def memory(daemon):
    """(daemon, its workers) in kB, once the workers are those that stay."""
    for _ in range(50):
        try:
            pids = pathlib.Path(f"/proc/{daemon}/task/{daemon}/children").read_text().split()
            if len(pids) <= (os.cpu_count() or 1) + 1:  # and the express one
                return own_memory(daemon), sorted(map(own_memory, pids))
        except (FileNotFoundError, TypeError):
            pass  # one has just ended
        time.sleep(0.1)
    raise AssertionError(f"there are {len(pids)} workers and they do not go")


class Storm:
    def __init__(self, folder, seed):
        self.folder, self.chance, self.version = folder / "scripts", random.Random(seed), 0
        shutil.copytree(ROOT / "scripts", self.folder)
        self.hostile = sorted(HOSTILE.glob("*.lua"))
        self.shipped = {path: path.read_text() for path in sorted((self.folder / "calculators").glob("*.lua"))}
        for i in range(GOOD):
            self.good(i)
        self.conf = folder / "storm.conf"
        self.configure()

    def configure(self):
        """Another book_interval is another section: the feed is drained, closed and opened anew."""
        self.conf.write_text(f"[feed sim]\nbook_interval = {self.chance.randint(100, 900)}ms\n")

    def path(self, i):
        return self.folder / f"calculators/storm_{i}.lua"

    def put(self, path, text):
        """As an editor does: at once, or in two writes."""
        if self.chance.random() < 0.5:
            fresh = path.with_suffix(".new")
            fresh.write_text(text)
            fresh.replace(path)
        else:
            path.write_text(text)

    def good(self, i):
        self.version += 1
        self.put(self.path(i), TEMPLATE.format(i=i, version=self.version))

    def change(self):
        """Some good ones get a new version, some slots get what is broken or hostile, some files go."""
        for i in self.chance.sample(range(GOOD), 4):
            self.good(i)
        for i in self.chance.sample(range(GOOD, GOOD + BAD), 3):
            what = self.chance.random()
            if what < 0.2:
                self.path(i).unlink(missing_ok=True)
            elif what < 0.5:
                self.put(self.path(i), self.chance.choice(BROKEN))
            else:
                self.put(self.path(i), self.chance.choice(self.hostile).read_text())
        for i in self.chance.sample(range(GOOD), 2):  # and some that were good are broken for a while
            self.put(self.path(i), self.chance.choice(BROKEN))
        if self.chance.random() < 0.1:
            self.configure()
        path, text = self.chance.choice(list(self.shipped.items()))
        self.put(path, text if self.chance.random() < 0.7 else text + "\nreturn oops(\n")

    def calm(self):
        for path, text in self.shipped.items():
            path.write_text(text + "-- a version of its own, whatever became of the one before\n")
        for i in range(GOOD):
            self.good(i)
        for i in range(GOOD, GOOD + BAD):
            self.path(i).unlink(missing_ok=True)


def check_live(port, storm):
    """What is on disk is what is live, letter by letter."""
    listed = {script["name"]: script for script in ask(port, "/scripts")[1]["scripts"]}
    for path in (storm.folder / "calculators").glob("*.lua"):
        script = listed.pop(path.stem)
        assert script["status"] == "live", f"{path.stem} is {script['status']}: {script['error']}"
        assert ask(port, f"/scripts/{path.stem}")[1]["source"] == path.read_text(), f"{path.stem}: another version is live"
    gone = [name for name, script in listed.items() if "/calculators/" in script["file"]]
    assert not gone, f"live and not on disk: {gone}"


def settled(port, pid, storm, quick):
    """Only good scripts, which must all be live then; the memory after a moment, always in the same state: that of workers
    which have computed the market, at two ends of an hour."""
    storm.calm()
    status, outcome = ask(port, "/scripts/reload", "POST")
    assert status == 200, [s for s in outcome["scripts"] if s["verdict"] in ("failed", "previous")]
    check_live(port, storm)
    samples = []
    for _ in range(10 if quick else 240):
        time.sleep(0.3)
        samples.append(memory(pid))
    return min(daemon for daemon, _ in samples), max((workers for _, workers in samples), key=mean)


def check_bars(store, seconds):
    """Every minute of every symbol, from the first to the last, is there, and the market went on all the time, two minutes a second (some
    are begun anew when the feed is)."""
    symbols, least = 0, DAYS * 1440 + 1.5 * seconds
    for symbol in ("BTCUSDT", "ETHUSDT", "BNBUSDT", "ADAUSDT", "SOLUSDT"):
        rows = petrosa("export", "--kind", "candles", "--pair", symbol, "--period", "1m", store=store).stdout.splitlines()[1:]
        times = [int(row.split(",")[0]) for row in rows]
        holes = sum(b - a != 60_000_000 for a, b in zip(times, times[1:]))
        assert len(times) > least and holes == 0, f"{symbol}: {len(times)} bars of {least:.0f}, {holes} holes"
        symbols += 1
    assert symbols == 5


def storm(count, seed, quick):
    """So many reloads, give or take a few. Raises AssertionError; prints its figures."""
    chance = random.Random(seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="petrosa-reload-"))
    store, daemon, calm, clients = folder / "store", None, None, None
    try:
        scripts = Storm(folder, seed)
        daemon = Daemon("--quiet", "--set", f"scripts.path={scripts.folder}", "--config", scripts.conf, "--set", "feed.enabled=sim",
                        "--set", "feed.ring=128KiB", "--set", f"feed sim.history={DAYS}d", "--set", "feed sim.minute=500ms", "--set", "scripts.load_budget=400ms",
                        "--set", "scripts.call_budget=200ms", store=store)
        port, pid = daemon.port, daemon.process.pid
        time.sleep(5)  # its history
        calm = Clients(port, seed)
        time.sleep(2 if quick else 60)
        print(f"   reload storm: quiet   {calm.stop().figures()}")
        clients = Clients(port, seed + 100)
        begin, warm, slowest = time.monotonic(), None, 0
        done = 0
        while done < count:
            scripts.change()
            for _ in range(chance.randint(0, 3)):
                daemon.process.send_signal(signal.SIGHUP)
            started = time.monotonic()
            status, outcome = ask(port, "/scripts/reload", "POST")
            slowest = max(slowest, time.monotonic() - started)
            assert status in (200, 409) and outcome["error"] is None, (status, outcome["error"])
            done = ask(port, "/scripts")[1]["generation"] - 1
            if warm is None and done >= count // 3:
                warm = settled(port, pid, scripts, quick)
            assert daemon.process.poll() is None, f"the daemon has ended: {daemon.logged()[-2000:]}"
        seconds = time.monotonic() - begin
        clients.stop()
        print(f"   reload storm: reloads {clients.figures()}")
        print(f"   reload storm: {done} generations in {seconds:.0f} s, the slowest answer took {slowest:.2f} s")
        end = settled(port, pid, scripts, quick)
        print(f"   reload storm: memory kB, daemon {warm[0]} -> {end[0]}, workers {warm[1]} -> {end[1]}")
        assert not calm.bad and not clients.bad, (calm.bad + clients.bad)[:5]
        for name, before, after in (("daemon", warm[0], end[0]), ("a worker", mean(warm[1]), mean(end[1]))):
            assert after <= before * (1 + FLAT) + (WARMING_KB if quick else 0), f"{name}: {before:.0f} kB after a third, {after:.0f} kB at the end"
        assert daemon.stop() == 0
        check_bars(store, seconds)
        petrosa("verify", store=store)
    finally:
        for some in filter(None, (calm, clients)):
            some.process.kill()
            some.process.wait()
        if daemon is not None and daemon.process.poll() is None:
            daemon.process.kill()
            daemon.process.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__" and sys.argv[1:2] == ["--clients"]:
    serve_askers(int(sys.argv[2]), int(sys.argv[3]))
elif __name__ == "__main__":
    storm(int(sys.argv[1]) if len(sys.argv) > 1 else 60, int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time()), len(sys.argv) < 4)
    print("done")
