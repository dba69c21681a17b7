"""guide.py - the author's guide, followed to the letter by someone who has nothing: an empty folder outside the tree."""
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import time

from harness import ROOT, Daemon, Folder, petrosa

GUIDE = (ROOT / "scripts/README.md").read_text()


def section(title):
    return re.search(rf"\n## {title}\n(.*?)(?=\n## |\Z)", GUIDE, re.S)[1]


def commands(text):
    """Lines of the sh blocks, as words."""
    return [shlex.split(line) for block in re.findall(r"```sh\n(.*?)```", text, re.S) for line in block.splitlines()]


class Guide(Folder):
    def demo(self, words, cwd):
        """The guide's `petrosa demo ...` on a free port, and where it says its store is."""
        self.assertEqual(words[:2], ["petrosa", "demo"])
        os.environ["TMPDIR"] = str(self.dir)
        try:
            demo = Daemon(*words[2:], command="demo", cwd=cwd)
        finally:
            del os.environ["TMPDIR"]
        self.addCleanup(demo.stop, signal.SIGINT)
        said = ""
        for line in demo.process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        return demo, re.search(r"petrosa eval .*--data (.*)\n", said)[1]

    def answer(self, url):
        """The body, once all of the simulated market is there."""
        deadline = time.monotonic() + 60
        while True:
            done = subprocess.run(["curl", "-sS", url], capture_output=True, text=True, timeout=20)
            body = json.loads(done.stdout)
            if body.get("status") not in ("empty", "warming", "stale"):
                return body
            self.assertLess(time.monotonic(), deadline, done.stdout[:300])
            time.sleep(0.2)

    def test_a_first_metric_from_an_empty_folder(self):
        text = section("A first metric")
        script = re.search(r"```lua\n(.*?)```", text, re.S)[1]
        self.assertLessEqual(len(script.splitlines()), 25)
        mine = self.dir / "first"
        mine.mkdir()
        (mine / "day_range.lua").write_text(script)
        lines = commands(text)
        begun = time.monotonic()
        demo, store = self.demo(lines[0], mine)
        asked = [words[1] for words in lines if words[0] == "curl"]
        self.assertEqual(len(asked), 2)
        for url in asked:
            body = self.answer(url.replace("http://127.0.0.1:8000", demo.url))
            self.assertEqual((body["status"], body["metric"], body["metadata"]["script"]), ("ok", "day_range", "day_range.lua"))
            self.assertGreater(float(body["data"]["range"]), 0)
        self.assertLess(time.monotonic() - begun, 300)  # the five minutes of the guide
        evals = [words for words in lines if words[:2] == ["petrosa", "eval"]]
        self.assertEqual(len(evals), 1)
        said = petrosa(*evals[0][1:-1], store, cwd=mine).stdout
        self.assertIn("day_range BTCUSDT 1h", said)
        self.assertIn("status ok", said)
        self.assertEqual([p.name for p in mine.iterdir()], ["day_range.lua"])

    def test_the_examples_are_run_as_the_guide_says(self):
        lines = commands(section("The examples"))
        elsewhere = self.dir / "elsewhere"
        elsewhere.mkdir()
        demo, store = self.demo(lines[0], elsewhere)
        names = sorted(path.stem for path in (ROOT / "scripts/examples").glob("*.lua"))
        loaded = {s["name"]: s for s in self.answer(demo.url + "/scripts")["scripts"]}
        for name in names:
            self.assertEqual(loaded[name]["status"], "live", loaded[name])
            self.assertTrue(loaded[name]["file"].endswith(f"scripts/examples/{name}.lua"))
            body = self.answer(f"{demo.url}/analysis/{name}?pair=ETHUSDT&period=1h")
            self.assertIn(body["status"], ("ok", "gap"), body)
            self.assertNotIn("error", body["metadata"])
            given = [value for value in body["data"].values() if value is not None]
            self.assertGreaterEqual(len(given), len(body["data"]) / 2, body)
        said = petrosa(*[store if word == "DIR" else word for word in lines[1][1:]], cwd=elsewhere).stdout
        self.assertIn("vpin BTCUSDT 5m", said)
        # the third: one example beside scripts of one's own
        (elsewhere / "my").mkdir()
        (elsewhere / "my/day_range.lua").write_text(re.search(r"```lua\n(.*?)```", section("A first metric"), re.S)[1])
        self.assertEqual(lines[2][:2], ["petrosa", "serve"])
        daemon = Daemon(*lines[2][2:], store=self.store, cwd=elsewhere)
        self.addCleanup(daemon.stop)
        names = {s["name"] for s in self.answer(daemon.url + "/scripts")["scripts"]}
        self.assertTrue({"day_range", "keltner", "volatility"} <= names and "vpin" not in names, names)

    def test_what_is_not_there_is_said_with_what_to_do(self):
        empty = pathlib.Path(self.dir / "empty")
        empty.mkdir()
        said = petrosa("eval", "volatility", "--pair", "BTCUSDT", store=self.store, check=1).stderr
        self.assertIn("petrosa import", said)
        self.assertIn("--data", said)
        said = petrosa("serve", "--port", "0", "--set", "scripts.path=scripts,.", store=self.store, cwd=empty, check=1).stderr
        self.assertIn("[scripts] path: . has no script in it", said)
        said = petrosa("serve", "--port", "0", "--set", "scripts.path=scripts/nothing", store=self.store, cwd=empty, check=1).stderr
        self.assertIn("[scripts] path: scripts/nothing is no folder", said)
