#!/usr/bin/env python3
"""The program as a person uses it: every command, its messages and exit codes, on made-up and on real files."""
import csv
import gzip
import json
import os
import pathlib
import pty
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import unittest
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
from guide import *  # noqa: E402,F401,F403
from harness import DATA, NO_DATA, PETROSA, ROOT, Daemon, Folder, environment, main, petrosa  # noqa: E402
from tools import *  # noqa: E402,F401,F403

HOUR = 3_600_000
START = 1_700_006_400_000  # 2023-11-15T00:00:00Z, ms


def dump_row(i, price=100, step=HOUR, unit=1):
    opened = (START + i * step) * unit
    return [opened, f"{price}.10", f"{price + 2}.00", f"{price - 2}.0", f"{price + 1}.25", "12.500", opened + step * unit - 1, "1250.7500",
            42, "6.250", "625.3750", 0]


def write_dump(path, rows):
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    return path


class Usage(Folder):
    def test_wrong_usage_exits_2_and_says_what(self):
        for args, words in ((["nonsense"], "unknown command"), (["import"], "needs FILE"), (["import", "--nope", "x"], "--nope"),
                            (["export"], "--pair"), (["export", "--pair", "BTCUSDT"], "--period"), 
                            (["verify", "x"], "too many"), (["export", "--pair", "B!", "--period", "1h"], "symbol"),
                            (["export", "--pair", "BTCUSDT", "--period", "7h"], "period"), (["import", "--max-rejects", "101", "x"], "101"),
                            (["eval", "volatility", "--pair", "A_", "--pair", "BB"], "twice"), (["import", "--symbol"], "needs a value"),
                            (["serve", "--port", "99999"], '--port "99999"'), (["demo", "--port", "x"], '--port "x"'),
                            (["compute", "--periods", "1h,9h"], "9h"), (["compute", "--as-of", "yesterday"], "yesterday")):
            done = petrosa(*args, check=2)
            self.assertIn(words, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_help_knows_every_command_and_option(self):
        overview = petrosa("help").stdout
        commands = re.findall(r"^  (\w+) ", overview, re.M)
        self.assertEqual(set(commands), set("serve demo import export compute eval replay new test check reload scripts status config options backup verify version help".split()))
        man = petrosa("help", "--man").stdout
        for command in commands:
            self.assertIn(f"petrosa {command}", petrosa("help", command).stdout)
            self.assertIn(f'.SS "{command}', man)
        self.assertEqual(petrosa("import", "--help").stdout, petrosa("help", "import").stdout)

    def test_version_names_what_is_linked(self):
        text = petrosa("version").stdout
        for library in ("petrosa", "lmdb", "luajit", "libevent", "libbson", "openblas", "libzip", "sqlite3"):
            self.assertRegex(text, rf"{library}\S* \d")

    def test_unknown_configuration_is_named(self):
        conf = self.dir / "a.conf"
        conf.write_text("[http]\nprt = 80\n[stroe]\npath = x\n")
        done = petrosa("config", "--config", conf, check=1)
        for words in (f"{conf}:2", "prt", "port", f"{conf}:3", "stroe"):
            self.assertIn(words, done.stderr)
        self.assertIn("nosuch", petrosa("config", "--set", "http.nosuch=1", check=1).stderr)
        self.assertIn("PETROSA_HTTP_PROT", petrosa("config", env=environment(PETROSA_HTTP_PROT="1"), check=1).stderr)
        self.assertIn("http.port", petrosa("config", "--set", "http.port=99999", check=1).stderr)

    def test_config_says_where_a_value_came_from(self):
        conf = self.dir / "a.conf"
        conf.write_text("[http]\nport = 8001\nthreads = 3\nbind = 127.0.0.2\n")
        text = petrosa("config", "--config", conf, "--set", "http.bind=127.0.0.3", env=environment(API_PORT="8002")).stdout
        self.assertRegex(text, r"threads\s*=\s*3.*a\.conf:3")
        self.assertRegex(text, r"port\s*=\s*8002.*API_PORT")
        self.assertRegex(text, r"bind\s*=\s*127\.0\.0\.3.*--set")
        self.assertRegex(text, r"cache\s*=\s*16MiB.*default")

    def test_the_configuration_of_the_install_is_read(self):
        (self.dir / "bin").mkdir()
        (self.dir / "etc/petrosa").mkdir(parents=True)
        program = shutil.copy(PETROSA, self.dir / "bin/petrosa")
        (self.dir / "etc/petrosa/petrosa.conf").write_text("[http]\nport = 8765\n")
        for env in (environment(), environment(PETROSA_CONFIG="")):  # an empty variable is none
            done = subprocess.run([program, "config"], capture_output=True, text=True, env=env)
            self.assertRegex(done.stdout, r"port = 8765  # .*/etc/petrosa/petrosa\.conf:2", done.stderr)

    def test_options_lists_the_simulated_market(self):
        text = petrosa("options").stdout
        for word in ("sim", "seed", "history", "90d", "book_interval"):
            self.assertIn(word, text)


class Import(Folder):
    def test_twice_is_no_change(self):
        path = write_dump(self.dir / "AAAUSDT-1h-2023.csv", [dump_row(i, 100 + i % 7) for i in range(3000)])
        first = self.import_json(path)[0]
        before = petrosa("export", "--pair", "AAAUSDT", "--period", "1h", store=self.store).stdout
        second = self.import_json(path)[0]
        self.assertEqual((first["rows"], first["inserted"], first["rejected"], first["gaps"]), (3000, 3000, 0, 0))
        self.assertEqual((second["inserted"], second["replaced"], second["unchanged"]), (0, 0, 3000))
        self.assertEqual(petrosa("export", "--pair", "AAAUSDT", "--period", "1h", store=self.store).stdout, before)

    def test_a_correction_replaces_and_counts(self):
        rows = [dump_row(i) for i in range(100)]
        self.import_json(write_dump(self.dir / "AAAUSDT-1h-a.csv", rows))
        rows[50][4] = "101.50"
        again = self.import_json(write_dump(self.dir / "AAAUSDT-1h-b.csv", rows[40:60]))[0]
        self.assertEqual((again["replaced"], again["unchanged"], again["inserted"]), (1, 19, 0))
        self.assertIn("101.50", petrosa("export", "--pair", "AAAUSDT", "--period", "1h", store=self.store).stdout)

    def test_a_row_that_comes_twice_in_a_file_is_counted(self):
        rows = [dump_row(i) for i in range(50)]
        again = dump_row(7)
        again[4] = "101.75"
        path = write_dump(self.dir / "AAAUSDT-1h.csv", [*rows, again, rows[8]])
        row = self.import_json(path)[0]
        self.assertEqual((row["rows"], row["inserted"], row["repeated"], row["gaps"]), (52, 50, 2, 0))
        self.assertIn("repeated 2:", petrosa("import", path, store=self.store).stdout)
        stored = petrosa("export", "--pair", "AAAUSDT", "--period", "1h", store=self.store).stdout.splitlines()
        self.assertIn(",101.75,", stored[8])  # behind the header: the last one was taken

    def test_differences_without_a_snapshot_are_said(self):
        diff = [json.dumps({"e": "depthUpdate", "E": 1704067200100 + i, "s": "BTCUSDT", "U": 11 + i, "u": 11 + i, "b": [], "a": []}) for i in range(3)]
        snapshot = json.dumps({"stream": "btcusdt@depth20", "timestamp": 1704067200150,
                               "data": {"lastUpdateId": 11, "bids": [["100", "1"]], "asks": [["101", "1"]]}})
        alone, whole = self.dir / "alone.jsonl", self.dir / "whole.jsonl"
        alone.write_text("\n".join(diff) + "\n")
        whole.write_text("\n".join(diff + [snapshot]) + "\n")
        row = self.import_json(alone)[0]
        self.assertEqual((row["rows"], row["rejected"], row["bookless"]), (0, 0, 3))
        self.assertIn("without a book 3:", petrosa("import", alone, store=self.store).stdout)
        row = self.import_json(whole)[0]
        self.assertEqual((row["rows"], row["bookless"]), (3, 0))
        self.assertNotIn("without a book", petrosa("import", whole, store=self.store).stdout)

    def test_rejects_are_listed_with_line_numbers(self):
        rows = [dump_row(i) for i in range(50)]
        rows[9][2] = "1.0"          # high below the rest
        rows[19][5] = "-1"          # negative volume
        rows[29] = rows[29][:7]     # columns missing
        rows[39][1] = "12x"         # no number
        rows[44][0] += 1            # off the grid
        path, listed = write_dump(self.dir / "AAAUSDT-1h.csv", rows), self.dir / "rejects.txt"
        done = petrosa("import", path, "--rejects", listed, store=self.store, check=1)
        self.assertIn("5 of 50 rows rejected", done.stderr)
        found = {int(line.split("\t")[0].rsplit(":", 1)[1]): line.split("\t")[1] for line in listed.read_text().splitlines()}
        self.assertEqual(sorted(found), [10, 20, 30, 40, 45], found)
        self.assertEqual(len(set(found.values())), 5, found)
        counted = self.import_json(path, "--max-rejects", "10")[0]
        self.assertEqual((counted["rows"], counted["rejected"], sum(counted["reasons"].values())), (45, 5, 5))
        self.assertEqual((counted["gaps"], counted["missing"]), (5, 5))

    def test_the_list_of_rejects_spares_the_files_and_is_whole(self):
        rows = [dump_row(i) for i in range(3000)]
        for i in range(1, 3000, 2):
            rows[i][1] = "12x"
        path = write_dump(self.dir / "AAAUSDT-1h.csv", rows)
        before = path.read_bytes()
        (self.dir / "link.csv").symlink_to(path)
        for listed in (path, self.dir / "link.csv"):
            self.assertIn("--rejects", petrosa("import", path, "--rejects", listed, store=self.store, check=2).stderr)
            self.assertEqual(path.read_bytes(), before)
        for listed in ("/dev/full", self.dir, self.dir / "no/such"):
            done = petrosa("import", path, "--max-rejects", "100", "--rejects", listed, store=self.store, check=1)
            self.assertIn(f"petrosa import: {listed}: ", done.stderr)

    def test_every_container_and_time_unit(self):
        rows = [dump_row(i) for i in range(200)]
        micro = [dump_row(i, unit=1000) for i in range(200)]
        plain = write_dump(self.dir / "AAAUSDT-1h.csv", rows)
        crlf = self.dir / "BBBUSDT-1h.csv"
        crlf.write_bytes(b"\xef\xbb\xbf" + plain.read_bytes().replace(b"\n", b"\r\n").rstrip())
        with gzip.open(self.dir / "CCCUSDT-1h.csv.gz", "wb") as out:
            out.write(plain.read_bytes())
        with zipfile.ZipFile(self.dir / "DDDUSDT-1h.zip", "w", zipfile.ZIP_DEFLATED) as out:
            out.writestr("DDDUSDT-1h.csv", plain.read_text())
        write_dump(self.dir / "EEEUSDT-1h.csv", micro)
        head = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n"
        (self.dir / "FFFUSDT-1h.csv").write_text(head + plain.read_text())
        names = sorted(p for p in self.dir.iterdir() if p.is_file())
        for row in self.import_json(*names):
            self.assertEqual((row["rows"], row["rejected"], row["error"]), (200, 0, None), row)
        texts = {petrosa("export", "--pair", s + "USDT", "--period", "1h", store=self.store).stdout for s in
                 ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF")}
        self.assertEqual(len(texts), 1)

    def test_damaged_and_foreign_files(self):
        rows = "".join(",".join(map(str, dump_row(i))) + "\n" for i in range(20000)).encode()
        cut = self.dir / "AAAUSDT-1h.csv.gz"
        cut.write_bytes(gzip.compress(rows)[:-2000])
        binary = self.dir / "BBBUSDT-1h.csv"
        binary.write_bytes(os.urandom(200_000))
        empty = self.dir / "CCCUSDT-1h.csv"
        empty.write_bytes(b"")
        words = self.dir / "DDDUSDT-1h.csv"
        words.write_text("this is\nnot a candle file\n" * 100)
        for path in (cut, binary, words, self.dir, self.dir / "absent.csv"):
            done = petrosa("import", path, store=self.store, check=1)
            self.assertEqual(len(done.stderr.strip().splitlines()[-1:]), 1)
            self.assertIn("petrosa import:", done.stderr)
        self.assertEqual(self.import_json(empty)[0]["rows"], 0)
        self.assertEqual(self.import_json(write_dump(self.dir / "EEEUSDT-1h.csv", [dump_row(0)]))[0]["rows"], 1)

    def test_a_line_without_end_is_not_kept_in_memory(self):
        """10 GB in one line, from a sparse file of NULs and from a pipe of letters (shorter, but far over any limit)."""
        sparse = self.dir / "AAAUSDT-1h.csv"
        with open(sparse, "wb") as out:
            out.truncate(10 << 30)
        done = petrosa("import", sparse, store=self.store, check=1)
        self.assertIn("petrosa import:", done.stderr)
        pipe = self.dir / "BBBUSDT-1h.csv"
        os.mkfifo(pipe)
        child = subprocess.Popen(["bash", "-c", f'ulimit -v unlimited; exec "{PETROSA}" import "{pipe}" --data "{self.store}"'],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        try:
            with open(pipe, "wb") as out:
                out.write((",".join(map(str, dump_row(0))) + "\n").encode())
                for _ in range(300):
                    out.write(b"x" * (1 << 20))
                status = pathlib.Path(f"/proc/{child.pid}/status").read_text()
                self.assertLess(int(re.search(r"VmHWM:\s+(\d+)", status)[1]), 200_000, "resident kB")
        except BrokenPipeError:
            pass
        out, err = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 1, err)

    def test_without_a_name_that_tells(self):
        path = write_dump(self.dir / "candles.csv", [dump_row(i) for i in range(30)])
        self.assertIn("--symbol", petrosa("import", path, store=self.store, check=1).stderr)
        row = self.import_json(path, "--symbol", "zzzusdt", "--period", "1h")[0]
        self.assertEqual(row["series"][0]["series"], "candles_ZZZUSDT_1h")

    def test_interrupt_keeps_what_was_committed(self):
        path = write_dump(self.dir / "AAAUSDT-1m.csv", [dump_row(i, step=60_000) for i in range(200_000)])
        child = subprocess.Popen([str(PETROSA), "import", str(path), "--data", str(self.store), "--set", "store.commit_rows=1000"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment())
        line = child.stderr.readline()
        child.send_signal(signal.SIGINT)
        rest = child.communicate(timeout=60)[1]
        committed = int(re.findall(r"rows=(\d+)", line + rest)[-1])
        petrosa("verify", store=self.store)
        got = len(petrosa("export", "--pair", "AAAUSDT", "--period", "1m", store=self.store).stdout.splitlines()) - 1
        self.assertGreaterEqual(got, committed)
        if child.returncode == 1:
            self.assertIn("stopped", rest)
            self.assertIn(b"stopped by the user", (self.store / "data.mdb").read_bytes())  # in the lineage


def real_table():
    """file -> (rows, gaps, missing bars) as the data's README states them."""
    table = {}
    for match in re.finditer(r"^\| `(klines/\S+?)` \| (\d+) \|[^|]*\|[^|]*\| ([^|]*)\|", (DATA / "README.md").read_text(), re.M):
        gaps = re.search(r"(\d+) gaps / (\d+) bars missing", match[3])
        table[match[1]] = (int(match[2]), int(gaps[1]) if gaps else 0, int(gaps[2]) if gaps else 0)
    return table


@unittest.skipIf(NO_DATA, NO_DATA)
class RealFiles(Folder):
    def test_rows_and_gaps_of_every_kline_file(self):
        table = real_table()
        files = sorted(p for p in (DATA / "klines").rglob("*.csv*"))
        self.assertEqual({str(p.relative_to(DATA)) for p in files}, set(table))
        for path in files:
            store = self.dir / re.sub(r"\W", "_", str(path.relative_to(DATA)))  # a store a file: spot and futures share names
            row = json.loads(petrosa("import", "--json", path, store=store).stdout)[0]
            want = table[str(path.relative_to(DATA))]
            self.assertEqual((row["rows"], row["gaps"], row["missing"], row["rejected"], row["inserted"]), (*want, 0, want[0]), path.name)
            again = json.loads(petrosa("import", "--json", path, store=store).stdout)[0]
            self.assertEqual((again["inserted"], again["replaced"], again["unchanged"]), (0, 0, want[0]), path.name)
            self.assertExactDigits(path, row, store)

    def assertExactDigits(self, path, row, store):
        """Every cell of the file is the cell of the export, letter by letter."""
        series = row["series"][0]["series"].split("_")
        exported = list(csv.DictReader(petrosa("export", "--pair", series[1], "--period", series[2], store=store).stdout.splitlines()))
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt") as file:
            rows = list(csv.reader(file))
        width = len(rows[0])
        if not rows[0][0].isdigit():
            rows = rows[1:]
        columns = {8: {1: "open", 2: "high", 3: "low", 4: "close", 5: "volume", 6: "quote_volume"},
                   9: {1: "open", 2: "high", 3: "low", 4: "close", 5: "volume", 6: "quote_volume", 7: "trades"},
                   12: {1: "open", 2: "high", 3: "low", 4: "close", 5: "volume", 7: "quote_volume", 8: "trades", 9: "taker_buy_volume",
                        10: "taker_buy_quote_volume"}}[width]
        self.assertEqual(len(rows), len(exported))
        for source, ours in zip(rows, exported):
            for at, name in columns.items():
                if source[at] != ours[name]:
                    self.fail(f"{path.name} {ours['open_time']}: {name} {source[at]!r} came back as {ours[name]!r}")

    def test_captures_bring_trades_books_and_candles(self):
        for path in sorted((DATA / "captures").glob("*.gz")):
            if "http" in path.name:
                continue
            row = json.loads(petrosa("import", "--json", "--max-rejects", "5", path, store=self.store, check=None).stdout)[0]
            self.assertIsNone(row["error"], path.name)
            self.assertGreater(row["rows"], 0, path.name)
        petrosa("verify", store=self.store)

    def test_export_then_import_is_the_same(self):
        source = DATA / "klines/um_1h/BTCUSDT_1h.csv"
        petrosa("import", source, store=self.store)
        for form in ("csv", "jsonl"):
            out = self.dir / f"BTCUSDT-1h.{form}"
            petrosa("export", "--pair", "BTCUSDT", "--period", "1h", "--format", form, "-o", out, store=self.store)
            if form == "csv":
                other = self.dir / "other"
                petrosa("import", out, store=other)
                again = petrosa("export", "--pair", "BTCUSDT", "--period", "1h", store=other).stdout
                self.assertEqual(again, out.read_text())
            else:
                lines = [json.loads(line) for line in out.read_text().splitlines()]
                self.assertEqual(len(lines), 4500)
                self.assertEqual(lines[0]["open"], "115715.50")
        database = self.dir / "out.sqlite"
        petrosa("export", "--pair", "BTCUSDT", "--period", "1h", "--format", "sqlite", "-o", database, store=self.store)
        with sqlite3.connect(database) as db:
            self.assertEqual(db.execute("SELECT count(*), min(open_time), typeof(open) FROM candles_BTCUSDT_1h").fetchone(),
                             (4500, 1757750400000000, "text"))
        db.close()


class Export(Folder):
    def setUp(self):
        super().setUp()
        petrosa("import", write_dump(self.dir / "AAAUSDT-1h.csv", [dump_row(i) for i in range(200)]), store=self.store)
        self.rows = self.export()

    def export(self, *args, check=0):
        done = petrosa("export", "--pair", "AAAUSDT", "--period", "1h", *args, store=self.store, check=check)
        return done.stdout if check == 0 else done.stderr

    def test_a_link_is_followed_and_stays(self):
        real, link = self.dir / "real.csv", self.dir / "link.csv"
        real.write_text("old")
        link.symlink_to(real)
        self.export("-o", link)
        self.assertTrue(link.is_symlink())
        self.assertEqual(real.read_text(), self.rows)

    def test_a_pipe_is_written_to_and_stays(self):
        pipe = self.dir / "pipe"
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.export("-o", pipe)
        self.assertTrue(pipe.is_fifo())
        self.assertEqual(os.read(reader, 1 << 16).decode(), self.rows)
        self.assertIn("sqlite", self.export("--format", "sqlite", "-o", pipe, check=1))

    def test_what_cannot_be_written_is_said_and_leaves_nothing(self):
        (self.dir / "full").symlink_to("/dev/full")
        for path, words in ((self.dir / "full", "No space left"), (self.dir, "is a folder"), (self.dir / "no/such", "No such file")):
            self.assertIn(words, self.export("-o", path, check=1))
        self.assertIn("--output", self.export("-o", "", check=2))
        self.assertEqual(list(self.dir.glob("**/*.partial")), [])
        with open("/dev/full", "w") as full:
            done = subprocess.run([PETROSA, "export", "--pair", "AAAUSDT", "--period", "1h", "--data", self.store], stdout=full,
                                  stderr=subprocess.PIPE, text=True, env=environment())
        self.assertEqual((done.returncode, done.stderr), (1, "petrosa export: output: No space left on device\n"))


class Care(Folder):
    def test_backup_is_a_store_and_verify_finds_damage(self):
        path = write_dump(self.dir / "AAAUSDT-1m.csv", [dump_row(i, 100 + i % 13, step=60_000) for i in range(30_000)])
        petrosa("import", path, store=self.store)
        copy = self.dir / "copy"
        petrosa("backup", copy, store=self.store)
        self.assertIn("exist", petrosa("backup", copy, store=self.store, check=1).stderr)
        same = [petrosa("export", "--pair", "AAAUSDT", "--period", "1m", store=s).stdout for s in (self.store, copy)]
        self.assertEqual(*same)
        self.assertIn("0 damaged", petrosa("verify", store=copy).stdout)
        data = bytearray((copy / "data.mdb").read_bytes())
        for at in range(len(data) // 2, len(data) // 2 + 4096 * 4, 512):
            data[at] ^= 0x5A
        (copy / "data.mdb").write_bytes(bytes(data))
        self.assertEqual(petrosa("verify", store=copy, check=1).returncode, 1)
        (copy / "data.mdb").write_bytes(b"no store" * 10000)
        self.assertEqual(petrosa("verify", store=copy, check=1).stdout, "", "nothing was looked at, so nothing is counted")

    def test_a_store_that_is_not_there(self):
        for command in (["verify"], ["export", "--pair", "AAAUSDT", "--period", "1h"], ["backup", str(self.dir / "b")],
                        ["eval", "volatility", "--pair", "AAAUSDT"], ["compute"]):
            self.assertIn(str(self.store), petrosa(*command, store=self.store, check=1).stderr)
        self.assertFalse(self.store.exists(), "a reading command must not make a store")

    def test_a_full_map_is_said_and_loses_nothing(self):
        chance, rows = random.Random(5), []
        for i in range(500_000):
            row = dump_row(i, 100 + i * 7919 % 900, step=60_000)
            for at in (5, 7, 9, 10):
                row[at] = f"{chance.randrange(10**16)}.{chance.randrange(10)}"  # digits that do not compress
            rows.append(row)
        path = write_dump(self.dir / "AAAUSDT-1m.csv", rows)
        done = petrosa("import", path, "--set", "store.max_size=16MiB", "--set", "store.commit_rows=2000", store=self.store, check=1)
        self.assertIn("store.max_size", done.stderr)
        counted = int(done.stdout.splitlines()[1].split()[2])
        petrosa("verify", store=self.store)
        committed = int(re.findall(r"rows=(\d+)", done.stderr)[-1])
        got = len(petrosa("export", "--pair", "AAAUSDT", "--period", "1m", store=self.store).stdout.splitlines()) - 1
        self.assertEqual((got, counted), (committed, committed), "the table counts what is there")
        petrosa("import", path, store=self.store)


class Metrics(Folder):
    def setUp(self):
        super().setUp()
        rows = [dump_row(i, 100 + (i * 37) % 41) for i in range(3000)]
        petrosa("import", write_dump(self.dir / "BTCUSDT-1h.csv", rows), store=self.store)
        self.names = ("volatility", "volume", "trend", "deviation", "regime")
        self.detectors = ("mad", "data_quality")  # those that are scheduled

    def body(self, name, *args, store=None):
        text = petrosa("eval", name, "--pair", "BTCUSDT", *args, "--json", store=store or self.store).stdout
        return json.loads(re.sub(r'"(computed_at|last_updated)":"[^"]*"', r'"\1":""', text))

    def test_eval_prints_for_people_and_programs(self):
        text = petrosa("eval", "deviation", "--pair", "BTCUSDT", store=self.store).stdout
        for words in ("deviation BTCUSDT 1h", "status ok", "z_score", "rows", "time"):
            self.assertIn(words, text)
        body = self.body("deviation", "--param", "window=30")
        self.assertEqual((body["pair"], body["metric"], body["metadata"]["parameters"]["window"]), ("BTCUSDT", "deviation", 30))

    def test_the_same_bits_every_time(self):
        for name in self.names:
            for args in ([], ["--period", "1d"], ["--as-of", "2024-01-10T07:30:00Z"]):
                self.assertEqual(self.body(name, *args), self.body(name, *args))

    def test_a_derived_day_is_computed(self):
        for name in self.names:
            body = self.body(name, "--period", "1d")
            item = body["values"][0] if "values" in body else body["data"]
            self.assertEqual(body["status"], "ok")
            self.assertGreater(len([v for v in item.values() if v is not None]), 5)

    def test_eval_of_the_market_takes_no_pair_and_of_a_symbol_needs_one(self):
        self.assertIn("needs --pair", petrosa("eval", "volatility", store=self.store, check=2).stderr)
        self.assertIn("takes no --pair", petrosa("eval", "correlation", "--pair", "BTCUSDT", store=self.store, check=2).stderr)
        body = json.loads(petrosa("eval", "correlation", "--json", store=self.store).stdout)
        self.assertEqual((body["pairs"], body["status"], body["window"]), (["BTCUSDT"], "warming", "30d"))
        self.assertIn("correlation market 1h", petrosa("eval", "correlation", store=self.store).stdout)
        for value in ("0d", "10m", "366d", "month"):
            self.assertIn(f"parameter window: '{value}' is not a span such as 30d, at least 1h, at most 365d",
                          petrosa("eval", "correlation", "--param", f"window={value}", store=self.store, check=1).stderr)

    def test_compute_stores_and_is_idempotent(self):
        first = json.loads(petrosa("compute", "--json", store=self.store).stdout)
        self.assertEqual((first["failed"], first["units"]), (0, 4))  # two of the symbol, two of the market
        self.assertEqual({(r["script"], r["period"]) for r in first["rows"]}, {(n, p) for n in (*self.names, *self.detectors, "correlation") for p in ("1h", "1d")} | {("seasonality", "1h")})
        second = json.loads(petrosa("compute", "--json", store=self.store).stdout)
        self.assertEqual(first["results"], second["results"])
        self.assertIn("units", petrosa("compute", "--periods", "4h", "--pairs", "btcusdt", store=self.store).stdout)
        petrosa("verify", store=self.store)

    def test_errors_say_what_and_where(self):
        self.assertIn("volatility", petrosa("eval", "nonsense", "--pair", "BTCUSDT", store=self.store, check=1).stderr)
        self.assertIn("window", petrosa("eval", "deviation", "--pair", "BTCUSDT", "--param", "window=1", store=self.store, check=1).stderr)
        self.assertIn("nope", petrosa("eval", "deviation", "--pair", "BTCUSDT", "--param", "nope=1", store=self.store, check=1).stderr)
        script = self.dir / "broken.lua"
        script.write_text('return calculator { api = 1, name = "broken", about = "x", needs = { candles = { span = "1d" } },\n'
                          '  outputs = { { "x", "quote" } },\n  compute = function(w)\n    return { x = w.close:nothing() }\n  end }\n')
        done = petrosa("eval", script, "--pair", "BTCUSDT", store=self.store, check=1)
        self.assertRegex(done.stdout + done.stderr, r"broken\.lua:4")
        script.write_text("return calculator {{\n")
        self.assertRegex(petrosa("eval", script, "--pair", "BTCUSDT", store=self.store, check=1).stderr, r"broken\.lua:\d")

    def test_the_readme_script_answers(self):
        text = (ROOT / "README.md").read_text()
        script = self.dir / "range_share.lua"
        script.write_text(re.search(r"```lua\n(.*?)```", text, re.S)[1])
        body = self.body(str(script), "--param", "window=50")
        self.assertRegex(body["data"]["range_share"], r"^0\.\d+$")


class Hostile(Folder):
    """A script that loops, crashes or eats memory costs only itself."""

    def test_others_still_deliver(self):
        petrosa("import", write_dump(self.dir / "BTCUSDT-1h.csv", [dump_row(i, 100 + i % 7) for i in range(400)]), store=self.store)
        mine = self.dir / "mine/calculators"
        mine.mkdir(parents=True)
        head = 'return calculator {{ api = 1, name = "{0}", about = "x", every = {{ "1h" }}, needs = {{ candles = {{ span = "1d" }} }}, ' \
               'outputs = {{ {{ "x", "quote" }} }}, compute = function(w) {1} end }}\n'
        bodies = {"loops": "while true do end", "eats": "local t = {} for i = 1, 1e9 do t[i] = { i } end return { x = 1 }",
                  "raises": 'error("on purpose")', "lies": 'return { y = 1 }', "fine": "return { x = w.close:final() }"}
        for name, body in bodies.items():
            (mine / f"{name}.lua").write_text(head.format(name, body))
        done = petrosa("compute", "--json", "--set", f"scripts.path={ROOT / 'scripts'},{self.dir / 'mine'}", store=self.store, check=1)
        rows = {(r["script"], r["period"]): r for r in json.loads(done.stdout)["rows"]}
        for name in ("volatility", "volume", "trend", "deviation", "fine"):
            self.assertEqual((rows[name, "1h"]["computed"], rows[name, "1h"]["failed"]), (1, 0), name)
        for name in ("loops", "eats", "raises", "lies"):
            self.assertEqual(rows[name, "1h"]["failed"], 1, name)
        for name, words in (("loops", "200"), ("raises", "raises.lua:1"), ("lies", "y"), ("eats", "memory")):
            budget = [] if name == "loops" else ["--set", "scripts.call_budget=60s"]  # a busy machine must not end the others first
            done = petrosa("eval", name, "--pair", "BTCUSDT", "--set", f"scripts.path={self.dir / 'mine'}", *budget, store=self.store, check=1)
            self.assertIn(words, done.stdout + done.stderr)


class Check(Folder):
    SCRIPT = ("return calculator {\n  api = 1, name = %r, about = 'x', needs = { candles = { span = '2d', min = 2 } },\n"
              "  outputs = { { 'x', 'quote' } },\n  compute = function(w)\n    %s\n    return { x = w.close:mean() }\n  end }\n")

    def script(self, path, body="", top=""):
        path = self.dir / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(top + self.SCRIPT % (path.stem, body))
        return path

    def test_the_shipped_scripts_are_pure_and_need_no_store(self):
        done = petrosa("check")
        lines = done.stdout.splitlines()
        self.assertGreaterEqual(len(lines), 8)
        for line in lines:
            self.assertRegex(line, r"^ok +\w+ +(calculator|regime|anomaly|alert) +\d+ windows +\d+ calls +[\d.]+ ms")
            print("  table " + line)
        self.assertEqual(petrosa("check", "--quiet").stdout, "")
        self.assertFalse(self.store.exists())

    def test_findings_have_file_and_line_and_fail(self):
        good = self.script("good.lua")
        bad = self.script("bad.lua", "calls = calls + 1", "local calls = 0\n")
        done = petrosa("check", good, bad, check=1)
        self.assertRegex(done.stdout, rf"{re.escape(str(bad))}:6: calls holds 1 after a call, 0 before it")
        self.assertRegex(done.stdout, r"(?m)^ok +good ")
        self.assertRegex(done.stdout, r"(?m)^REFUSED +bad ")
        self.assertIn("1 of 2 scripts refused", done.stderr)
        body = json.loads(petrosa("check", self.dir, "--json", check=1).stdout)
        self.assertEqual((body["findings"], [s["name"] for s in body["scripts"]]), (1, ["bad", "good"]))
        self.assertEqual(body["scripts"][0]["findings"][0]["line"], 6)
        self.assertEqual(body["scripts"][1]["findings"], [])
        self.assertGreater(body["scripts"][1]["calls"], 20)

    def test_what_could_not_be_run_is_not_ok(self):
        wide = self.dir / "wide.lua"
        wide.write_text("return calculator { api = 1, name = 'wide', about = 'x', needs = { market = { span = '2d', min = 2, symbols = 40 } },\n"
                        "  outputs = { { 'n', 'count' } }, compute = function(m) return { n = m.n } end }\n")
        for more in ((), ("--quiet",)):
            done = petrosa("check", wide, *more, check=1)
            self.assertRegex(done.stdout, r"(?m)^NOT RUN +wide .*\n +note: at least 40 symbols are needed, 32 can be made: not run")
            self.assertIn("1 of 1 scripts not run", done.stderr)
        wide.write_text(wide.read_text().replace("40", "5"))
        self.assertRegex(petrosa("check", wide).stdout, r"(?m)^ok +wide +calculator +9 windows +\d+ calls")

    def test_what_does_not_load_is_a_finding(self):
        broken = self.dir / "broken.lua"
        broken.write_text("return calculator {\n  api = 1,\n  name = 'broken'\n  about = 'x' }\n")
        self.assertRegex(petrosa("check", broken, check=1).stdout, r"broken\.lua:4: '}' expected")
        broken.write_text("while true do end\n")
        done = petrosa("check", broken, "--set", "scripts.load_budget=300ms", check=1)
        self.assertRegex(done.stdout, r"broken\.lua: ran over its time budget and was ended: loading may take 300 ms")
        endless = self.script("endless.lua", "while true do end")
        self.assertRegex(petrosa("check", endless, check=1).stdout, r"endless\.lua:5: ran over its time budget")

    def test_wrong_usage_and_wrong_paths(self):
        self.assertIn("nowhere.lua", petrosa("check", self.dir / "nowhere.lua", check=1).stderr)
        self.assertIn("no scripts in it", petrosa("check", self.dir, check=1).stderr)
        self.assertIn("--nope", petrosa("check", "--nope", check=2).stderr)
        self.assertIn(str(self.store), petrosa("check", store=self.store, check=1).stderr)

    def test_a_name_that_a_shipped_script_has(self):
        done = petrosa("check", self.script("volume.lua"))
        self.assertRegex(done.stdout, r"^ok +volume ")
        # but in one configuration a name has one script
        self.script("mine/calculators/volume.lua")
        done = petrosa("check", "--set", f"scripts.path={ROOT}/scripts,{self.dir}/mine", check=1)
        self.assertRegex(done.stdout, r"volume\.lua:1: the name volume is taken by .*volume\.lua")

    def test_two_scripts_of_one_name_in_a_folder(self):
        for place in ("mine/calculators/halved.lua", "mine/anomalies/halved.lua", "other/calculators/halved.lua"):
            self.script(place)
        done = petrosa("check", self.dir / "mine", self.dir / "other", check=1)
        self.assertRegex(done.stdout, r"anomalies/halved\.lua:1: the name halved is taken by .*mine/calculators/halved\.lua: give it another")
        self.assertIn("1 of 3 scripts refused", done.stderr)
        petrosa("check", *sorted((self.dir / "mine").glob("*/halved.lua")))  # files need not live together

    def test_a_folder_brings_its_library_and_its_neighbours(self):
        self.script("mine/calculators/halved.lua", "local _ = half(w.n)", "local half = require 'half'\n")
        (self.dir / "mine/lib").mkdir()
        (self.dir / "mine/lib/half.lua").write_text("return function(x) return x / 2 end\n")
        regime = self.dir / "mine/regimes/tide.lua"
        regime.parent.mkdir()
        regime.write_text("return regime {\n  api = 1, name = 'tide', about = 'x',\n  needs = { metrics = { \"halved\" } },\n"
                          "  outputs = { { 'state', text { words = { 'up', 'down' } } } },\n"
                          "  classify = function(m) return { state = m.halved and m.halved.x > 250 and 'up' or 'down' } end }\n")
        for path in (self.dir / "mine", self.dir / "mine/calculators", regime):
            done = petrosa("check", path)
            self.assertNotIn("note:", done.stdout)
        regime.write_text(regime.read_text().replace("halved", "quartered"))
        self.assertRegex(petrosa("check", regime, check=1).stdout, r"tide\.lua:3: needs the metric 'quartered', which no live script gives")

    def test_what_new_makes_is_pure(self):
        for kind in ("calculator", "regime"):
            petrosa("new", kind, f"a_{kind}", "--dir", self.dir / "own")
        done = petrosa("check", self.dir / "own")
        self.assertEqual(len(re.findall(r"(?m)^ok ", done.stdout)), 2, done.stdout)
        self.assertNotIn("note:", done.stdout)

    def test_a_store_that_is_named_is_looked_at(self):
        path = write_dump(self.dir / "BTCUSDT-1h.csv", [dump_row(i, 90000 + (i * 37) % 41) for i in range(200)])
        petrosa("import", path, store=self.store)
        script = self.script("cheap.lua", "assert(w.close:max() < 80000, 'too dear')")
        petrosa("check", script)
        petrosa("check", script, env=environment(PETROSA_DATA=str(self.dir / "not yet")))
        petrosa("check", script, env=environment(PETROSA_DATA=str(self.store)), check=1)
        self.assertRegex(petrosa("check", script, store=self.store, check=1).stdout,
                         r'cheap\.lua:5: too dear \(on "BTCUSDT 1h as recorded"\)')

    def test_every_hostile_script_is_survived_and_judged(self):
        expect = {path: re.search(r"-- expect: (\S+)", path.read_text()).group(1) for path in (ROOT / "tests/torture/hostile").glob("*.lua")}
        self.assertGreaterEqual(len(expect), 40)
        # what ends has all the time it wants: the machine may be busy
        patient = ("--set", "scripts.call_budget=60s", "--set", "scripts.load_budget=10m")
        good = sorted(path for path in expect if expect[path] == "ok")
        for script in json.loads(petrosa("check", *good, "--json", *patient, timeout=600).stdout)["scripts"]:
            self.assertEqual(script["findings"], [], script)
        bad = sorted(path for path in expect if expect[path] not in ("ok", "contained"))
        body = json.loads(petrosa("check", *bad, "--json", "--set", "scripts.load_budget=2s", check=1, timeout=600).stdout)
        self.assertEqual(len(body["scripts"]), len(bad))
        for script in body["scripts"]:
            self.assertNotEqual(script["findings"], [], script)

    def test_impure_scripts_are_refused(self):
        body = json.loads(petrosa("check", ROOT / "tests/lua/impure", "--json", check=1, timeout=600).stdout)
        self.assertGreaterEqual(len(body["scripts"]), 30)
        for script in body["scripts"]:
            self.assertNotEqual(script["findings"], [], script)
            self.assertTrue(all(f["line"] > 0 for f in script["findings"]), script)


class Serve(Folder):
    def test_ready_line_status_and_stop(self):
        petrosa("import", write_dump(self.dir / "BTCUSDT-1h.csv", [dump_row(i) for i in range(400)]), store=self.store)
        daemon = Daemon(store=self.store)
        try:
            self.assertRegex(daemon.ready, r"^ready url=http://127\.0\.0\.1:\d+ generation=1 scripts=\d+ series=1$")
            text = petrosa("status", "--url", daemon.url).stdout
            self.assertIn('"ready":true', text.replace(" ", ""))
            self.assertIn("volatility", text)
            second = petrosa("serve", "--port", "0", store=self.store, check=1)
            self.assertIn(str(daemon.process.pid), second.stderr)
        finally:
            self.assertEqual(daemon.stop(), 0)
        self.assertIn("petrosa serve", petrosa("status", "--url", daemon.url, check=1).stderr)

    def test_a_damaged_series_does_not_keep_it_from_starting(self):
        for symbol in ("AAAUSDT", "ETHUSDT"):
            petrosa("import", write_dump(self.dir / f"{symbol}-1h.csv", [dump_row(i) for i in range(400)]), store=self.store)
        file = pathlib.Path(self.store) / "data.mdb"
        data = file.read_bytes()
        self.assertIn(b"AAAUSDT\0\0\0", data)
        file.write_bytes(data.replace(b"AAAUSDT\0\0\0", b"AAAUSDT\0\1\0"))  # its record no longer has its checksum
        daemon = Daemon(store=self.store)
        try:
            self.assertRegex(daemon.ready, r" series=1$")
            done = subprocess.run(["curl", "-sS", f"{daemon.url}/data/candles?pair=ETHUSDT&period=1h"], capture_output=True, text=True, timeout=20)
            self.assertEqual(json.loads(done.stdout)["pagination"]["total"], 400)
        finally:
            self.assertEqual(daemon.stop(), 0)
        self.assertRegex(daemon.logged(), r"error store damaged error=.*AAAUSDT")

    def test_status_says_why_it_has_no_answer(self):
        petrosa("import", write_dump(self.dir / "BTCUSDT-1h.csv", [dump_row(i) for i in range(400)]), store=self.store)
        (self.dir / "token").write_text("a-long-enough-token-0123456789\n")
        daemon = Daemon("--set", f"http.token_file={self.dir / 'token'}", "--set", "http.protect_reads=yes", store=self.store)
        try:
            self.assertIn("401", petrosa("status", "--url", daemon.url, check=1).stderr)
        finally:
            self.assertEqual(daemon.stop(), 0)
        for url, words in (("http://no.such.invalid:80", "no.such.invalid"), ("http://127.0.0.1:80x", "give http://HOST:PORT")):
            done = petrosa("status", "--url", url, check=1).stderr
            self.assertIn(words, done)
            self.assertNotIn("No such file", done)

    def test_workers_compute_the_same_on_every_machine(self):
        """The C library's log and exp must not follow the machine's instruction set (see core/flow/worker.c)."""
        petrosa("import", write_dump(self.dir / "BTCUSDT-1h.csv", [dump_row(i, 100 + i % 7) for i in range(400)]), store=self.store)
        daemon = Daemon(store=self.store)
        try:
            pid = daemon.process.pid
            children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            self.assertGreater(len(children), 0)
            for child in children:
                said = []
                while len(said) < 2:  # one that was started just now has no environment yet
                    said = pathlib.Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
                self.assertIn(b"GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-FMA4", said)
                self.assertIn(b"OPENBLAS_NUM_THREADS=1", said)
        finally:
            daemon.stop()

    def test_demo_answers_as_it_says_and_leaves_nothing(self):
        before = set(pathlib.Path(self.dir).iterdir())
        os.environ["TMPDIR"] = str(self.dir)
        try:
            demo = Daemon(command="demo")
        finally:
            del os.environ["TMPDIR"]
        try:
            lines = []
            for line in demo.process.stdout:
                lines.append(line)
                if "Ctrl-C" in line:
                    break
            asked = re.findall(r"curl (-X POST )?'([^']+)'", "".join(lines))
            self.assertGreaterEqual(len(asked), 8)
            deadline = time.monotonic() + 60
            for post, url in asked:
                while True:
                    done = subprocess.run(["curl", "-sS", *post.split(), url], capture_output=True, text=True, timeout=20)
                    body = json.loads(done.stdout)
                    if body.get("status") == "ok" or body.get("values") or body.get("ready") or body.get("pairs_available") == 5:
                        break
                    self.assertLess(time.monotonic(), deadline, f"{url}: {done.stdout[:300]}")
                    time.sleep(0.5)
        finally:
            self.assertEqual(demo.stop(signal.SIGINT), 0, demo.logged()[-2000:])
        self.assertEqual(set(pathlib.Path(self.dir).iterdir()), before)


class Reload(Folder):
    def setUp(self):
        super().setUp()
        self.scripts = self.dir / "scripts"
        shutil.copytree(ROOT / "scripts", self.scripts)
        petrosa("import", write_dump(self.dir / "BTCUSDT-1h.csv", [dump_row(i, 100 + i % 7) for i in range(400)]), store=self.store)

    def serve(self, *words):
        daemon = Daemon("--set", f"scripts.path={self.scripts}", *words, store=self.store)
        self.addCleanup(daemon.stop)
        return daemon

    def table(self, text):
        return dict(line.split()[:2] for line in text.splitlines() if len(line.split()) > 1)

    def test_reload_prints_the_outcome_and_exits_1_when_something_failed(self):
        daemon = self.serve()
        self.assertIn("no window was tried", petrosa("reload", "--diff", "--url", daemon.url).stdout)
        done = petrosa("reload", "--url", daemon.url)
        self.assertIn("now generation 2", done.stdout)
        self.assertEqual(self.table(done.stdout)["trend"], "live")
        deviation = self.scripts / "calculators/deviation.lua"
        good = deviation.read_text()
        deviation.write_text(good.replace("middle + 2 * sd", "middle + 3 * sd"))
        trend = self.scripts / "calculators/trend.lua"
        trend.write_text(trend.read_text() + "\nreturn oops(\n")
        done = petrosa("reload", "--diff", "--url", daemon.url, check=1)
        self.assertIn("nothing changed, still generation 2", done.stdout)
        self.assertRegex(done.stdout, r"deviation +BTCUSDT +1h +bollinger_upper +[0-9.]+ +[0-9.]+ ")
        self.assertNotRegex(done.stdout, "bollinger_lower")
        self.assertEqual(done.stderr, "petrosa reload: failed: trend; the rest would be in force\n")
        done = petrosa("reload", "--url", daemon.url, check=1)
        table = self.table(done.stdout)
        self.assertEqual((table["deviation"], table["trend"]), ("changed", "previous"))
        self.assertRegex(done.stdout, r"calculators/trend\.lua:\d+: ")
        self.assertEqual(json.loads(petrosa("reload", "--json", "--url", daemon.url, check=1).stdout)["generation"], 4)
        text = petrosa("scripts", "--url", daemon.url).stdout
        self.assertRegex(text, r"trend +calculator +previous ")
        self.assertRegex(text, r"(?m)^ +/.*calculators/trend\.lua:\d+: ")
        listed = json.loads(petrosa("scripts", "--json", "--url", daemon.url).stdout)
        self.assertEqual(listed["generation"], 4)
        self.assertEqual({s["name"]: s["status"] for s in listed["scripts"]}["trend"], "previous")

    def test_reload_takes_the_token_of_the_configuration(self):
        token = self.dir / "token"
        token.write_text("a-long-enough-token-0123456789\n")
        words = ("--set", f"http.token_file={token}", "--set", "http.protect_reads=yes")
        daemon = self.serve(*words)
        told = petrosa("reload", "--url", daemon.url, check=1).stderr
        self.assertIn("the daemon wants a token: give its configuration", told)
        self.assertNotIn("{", told)
        petrosa("reload", "--url", daemon.url, *words)
        petrosa("scripts", "--url", daemon.url, *words)
        petrosa("status", "--url", daemon.url, *words)
        token.unlink()
        self.assertIn(str(token), petrosa("reload", "--url", daemon.url, *words, check=1).stderr)

    def test_a_mistake_in_the_file_is_named_and_keeps_all(self):
        conf = self.dir / "a.conf"
        conf.write_text("[cycle]\ninterval = 1h\n")
        daemon = self.serve("--config", conf)
        conf.write_text("[cycle]\nintervall = 1h\n[log]\nlevel = loud\n")
        done = petrosa("reload", "--url", daemon.url, check=1)
        for words in ("refused, all is as it was", f"{conf}:2", "intervall", f"{conf}:4", "loud"):
            self.assertIn(words, done.stderr)
        conf.write_text("[cycle]\ninterval = 3h\n[calculator trend]\nno_such = 1\n[http]\nthreads = 3\n")
        done = petrosa("reload", "--url", daemon.url, check=1)
        self.assertEqual(done.stdout, "refused, still generation 1\n")
        self.assertIn("no_such", done.stderr)
        conf.write_text("[cycle]\ninterval = 2h\n[http]\nthreads = 3\n")
        done = petrosa("reload", "--url", daemon.url)
        self.assertIn("applied: cycle.interval;", done.stdout)
        self.assertIn("needs a restart: http.threads;", done.stdout)

    def test_without_a_daemon(self):
        for command in ("reload", "scripts"):
            self.assertIn("no daemon at", petrosa(command, "--url", "http://127.0.0.1:9", check=1).stderr)


class Terminal(Folder):
    def start(self):
        """The demo as a person starts it, in a terminal of its own; its pid, the terminal and what it printed."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ["TMPDIR"] = str(self.dir)
            os.execv(PETROSA, [str(PETROSA), "demo", "--port", "0", "--set", "feed sim.history=1d"])
        text = b""
        while b"Ctrl-C" not in text:
            text += os.read(terminal, 4096)
        return pid, terminal, text.decode()

    def test_a_demo_ends_with_its_terminal(self):
        pid, terminal, text = self.start()
        url = re.search(r"url=(\S+)", text)[1]
        os.kill(pid, signal.SIGHUP)  # the terminal is there: a reload
        end = time.monotonic() + 20
        while "generation 2," not in petrosa("scripts", "--url", url).stdout:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        os.close(terminal)
        while os.waitpid(pid, os.WNOHANG)[0] == 0:
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                self.fail("it outlived its terminal")
            time.sleep(0.05)
        self.assertEqual(list(self.dir.iterdir()), [])


if __name__ == "__main__":
    main("cli")
