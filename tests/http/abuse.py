"""What hostile and broken clients send: each is answered as it should be, and the daemon goes on."""
import random
import re
import resource
import socket
import threading
import time

from client import HOUR, ask, candle, drain, load, raw, statuses, strict, write_candles
from harness import Daemon, Folder
from rules import WithStore

NEXT = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


class Abuse(WithStore):
    def tearDown(self):
        self.assertIsNone(self.daemon.process.poll(), "the daemon is gone")
        self.assertEqual(self.get("/health/liveness").status, 200)

    def one_400(self, data, expect=(400,)):
        """Exactly one answer, then the end of the connection; nothing that was smuggled behind is answered."""
        got = raw(self.port, data + NEXT)
        found = statuses(got)
        self.assertEqual(len(found), 1, got[:400])
        self.assertIn(found[0], expect, got[:300])
        return got

    def test_pipelined_requests_are_answered_in_order(self):
        targets = ["/", "/health/liveness", "/nowhere", "/data/trades", "/data/candles?pair=BTCUSDT&period=1h&limit=500"] * 5
        data = b"".join(f"GET {t} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for t in targets[:-1])
        data += f"GET {targets[-1]} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
        self.assertEqual(statuses(raw(self.port, data)), [200, 200, 404, 422, 200] * 5)

    def test_lengths_that_two_readers_would_read_differently(self):
        for headers in (b"Content-Length: 3\r\nTransfer-Encoding: chunked", b"Content-Length: -1", b"Content-Length: 0x5", b"Content-Length: 5 5",
                        b"Content-Length: +5", b"Content-Length: 3\r\nContent-Length: 4", b"Content-Length: 3\r\ncontent-length: 3",
                        b"Content-Length : 3", b"Content-Length:", b"Transfer-Encoding: xchunked", b"Transfer-Encoding: identity, chunked",
                        b"Transfer-Encoding: chunked, identity", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"Transfer-Encoding : chunked"):
            for method in (b"POST", b"GET", b"DELETE"):
                self.one_400(method + b" / HTTP/1.1\r\nHost: a\r\n" + headers + b"\r\n\r\nabc", expect=(400, 413))

    def test_a_body_where_none_is_read_ends_the_connection(self):
        inner = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
        for method, want in ((b"GET", 200), (b"HEAD", 200), (b"DELETE", 405), (b"OPTIONS", 204)):
            head = method + b" / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(inner)
            got = raw(self.port, head + inner)
            self.assertTrue(got.startswith(b"HTTP/1.1 %d " % want), got[:200])
            self.assertEqual(got.count(b"HTTP/1.1 "), 1)
            self.assertNotIn(b"smuggled", got)

    def test_hosts_must_be_one(self):
        self.one_400(b"GET / HTTP/1.1\r\n\r\n")
        self.one_400(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        self.one_400(b"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n")

    def test_header_names_must_be_names(self):
        for name in (b"X Y", b"X\tY", b"\xc3\xa4", b"X\x01", b"X\x7f", b"(x)", b"X\"", b""):
            self.one_400(b"GET / HTTP/1.1\r\nHost: a\r\n" + name + b": 1\r\n\r\n")

    def test_versions_and_lines_that_are_none(self):
        for line in (b"GET /", b"GET / HTTP/2.0", b"GET / HTTP/9", b"GET / HTTP/1.1 x", b"GET", b"", b"\x00\x01\x02", b"GET /\x00 HTTP/1.1",
                     b"GET  / HTTP/1.1", b"get / http/1.1", b"GET / ICY/1.1"):
            got = raw(self.port, line + b"\r\nHost: a\r\n\r\n")
            self.assertIn(statuses(got), ([400], [501], [404], []), (line, got[:200]))

    def test_unknown_methods_are_501(self):
        got = self.one_400(b"BREW / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", expect=(501, 405))
        self.assertIn(b"problem+json", got)

    def test_addresses_with_bytes_that_must_be_encoded(self):
        for target in (b"/\xc3\xa4", b"/a\x7f", b"/a\tb", b"/docs\x01"):
            found = statuses(raw(self.port, b"GET " + target + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
            self.assertEqual(found, [400], target)

    def test_a_full_address_is_its_path(self):
        for target, want in ((b"http://elsewhere:80/health/liveness", 200), (b"http://elsewhere", 200), (b"http://elsewhere/nowhere", 404),
                             (b"ftp://x/", 200), (b"/../../etc/passwd", 404), (b"/health/../docs", 404)):
            got = raw(self.port, b"GET " + target + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            self.assertEqual(statuses(got), [want], target)

    def test_bare_line_feeds_and_folded_headers_are_harmless(self):
        got = raw(self.port, b"GET /health/liveness HTTP/1.1\nHost: a\nConnection: close\n\n")
        self.assertIn(statuses(got), ([200], [400]))
        got = raw(self.port, b"GET /health/liveness HTTP/1.1\r\nHost: a\r\nX: 1\r\n  Content-Length: 5\r\nConnection: close\r\n\r\n")
        self.assertIn(statuses(got), ([200], [400]))
        got = raw(self.port, b"GET /health/liveness HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\nConnection: close\r\n\r\n")
        self.assertIn(statuses(got), ([200], [400]))

    def test_bodies_over_the_limit_are_413(self):
        size = 2 << 20
        head = b"POST /backfill/start HTTP/1.1\r\nHost: a\r\n"
        for data in (head + b"Content-Length: %d\r\n\r\n" % size + b"x" * size,
                     head + b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 40 + b"0\r\n\r\n",
                     head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size):
            got = raw(self.port, data)
            if got:  # a reset may have overtaken the answer, as the client kept on sending
                self.assertEqual(statuses(got)[-1], 413, got[:200])
        small = head + b"Content-Length: 1000000\r\nConnection: close\r\n\r\n" + b"x" * 1000000
        self.assertEqual(statuses(raw(self.port, small)), [501])

    def test_expectations_are_met_or_refused(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as s:
            s.sendall(b"POST /backfill/start HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n")
            self.assertTrue(s.recv(100).startswith(b"HTTP/1.1 100 "))
            s.sendall(b"{}")
            self.assertEqual(statuses(drain(s)), [501])
        got = raw(self.port, b"POST / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\nContent-Length: 2\r\n\r\n{}")
        self.assertEqual(statuses(got), [417])

    def test_headers_over_the_limit_are_refused(self):
        for data in (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 40000 + b"\r\n\r\n", b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(4000)) + b"\r\n", b"G" * 100000):
            got = raw(self.port, data)
            if got:
                self.assertIn(statuses(got), ([400], [414], [431]))
        found = statuses(raw(self.port, b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
        self.assertEqual(found, [404])

    def test_broken_chunks_do_not_hang(self):
        head = b"POST /backfill/start HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        for body in (b"zz\r\n", b"-1\r\nx\r\n", b"5;name=value\r\nhello\r\n0\r\n\r\n", b"fffffffffffffffff\r\n", b"\r\n\r\nx\r\n", b"5\r\nhelloX\r\n0\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as s:
                s.sendall(head + body)
                s.shutdown(socket.SHUT_WR)
                got = drain(s)
            if got:
                self.assertIn(statuses(got)[0], (400, 413, 501), (body, got[:200]))

    def test_noise_does_no_harm(self):
        noise = random.Random(5)
        pieces = [b"GET ", b"POST ", b"/", b"/data/candles?pair=", b" HTTP/1.1\r\n", b"\r\n", b"\n", b"\x00", b"Host: a\r\n", b"Content-Length: 5\r\n",
                  b"Transfer-Encoding: chunked\r\n", b"5\r\n", b"0\r\n\r\n", b"%00", b"%", b"?", b"&", b"=", b":", b" ", b"\xff\xfe", b"a" * 300,
                  b"Connection: close\r\n", b"Expect: 100-continue\r\n", b"Accept-Encoding: gzip\r\n"]
        for _ in range(300):
            data = b"".join(noise.choice(pieces) for _ in range(noise.randrange(1, 25)))
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as s:
                try:
                    s.sendall(data)
                    s.shutdown(socket.SHUT_WR)
                    drain(s)
                except OSError:
                    pass

    def test_hanging_up_at_any_moment_does_no_harm(self):
        noise = random.Random(6)
        ask_big = b"GET /data/candles?pair=BTCUSDT&period=1h&limit=1000 HTTP/1.1\r\nHost: a\r\n\r\n"
        for i in range(200):
            s = socket.create_connection(("127.0.0.1", self.port), timeout=10)
            sent = noise.randrange(1, 3 * len(ask_big))
            s.sendall((ask_big * 3)[:sent])
            if i % 3 == 0 and sent >= len(ask_big):
                s.recv(noise.randrange(1, 100000))
            if i % 2 == 0:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # a reset
            s.close()

    def test_a_client_that_closes_its_half_gets_its_answer(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as s:
            s.sendall(b"GET /health/liveness HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            s.shutdown(socket.SHUT_WR)
            self.assertIn(statuses(drain(s)), ([200], []))

    def test_many_threads_at_once(self):
        failures = []

        def work(seed):
            pick = random.Random(seed)
            for _ in range(60):
                limit = pick.randrange(1, 1000)
                reply = ask(self.port, f"/data/candles?pair=BTCUSDT&period=1h&limit={limit}", headers={"Accept-Encoding": pick.choice(["gzip", ""])})
                if reply.status != 200 or reply.json["metadata"]["records_returned"] != min(limit, 400):
                    failures.append(reply.body[:200])
        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])


class Times(WithStore):
    settings = ("http.request_timeout=600ms", "http.idle_timeout=1s", "http.threads=1")

    def test_a_request_that_is_not_complete_in_time_is_408(self):
        for start in (b"GET / HTTP/1.1\r\nHost: a\r\nX", b"G", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc",
                      b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nabc"):
            self.assertEqual(statuses(raw(self.port, start)), [408], start)

    def test_one_byte_at_a_time_does_not_help(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as s:
            began, sent = time.monotonic(), 0
            data = b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: " + b"x" * 1000
            try:
                while sent < 200:
                    s.sendall(data[sent:sent + 1])
                    sent += 1
                    time.sleep(0.05)
            except OSError:
                pass
            self.assertLess(sent, 200, "it was never cut")
            self.assertIn(statuses(drain(s)), ([408], []))
            self.assertLess(time.monotonic() - began, 9)

    def test_the_time_of_a_second_request_begins_with_it(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as s:
            for _ in range(4):
                s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertTrue(s.recv(10000).startswith(b"HTTP/1.1 200"))
                time.sleep(0.35)

    def test_silence_is_closed_without_a_word(self):
        self.assertEqual(raw(self.port, b""), b"")
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(statuses(drain(s)), [200])

    def test_a_reply_that_is_not_taken_is_cut(self):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(10)
        s.connect(("127.0.0.1", self.port))
        try:
            s.sendall(b"GET /data/candles?pair=BTCUSDT&period=1h&limit=400 HTTP/1.1\r\nHost: a\r\n\r\n" * 100)
        except OSError:
            pass
        time.sleep(2.5)  # nothing is read for longer than request_timeout
        got = drain(s)
        self.assertLess(got.count(b"HTTP/1.1 200"), 100)
        s.close()


def eventually(port):
    """The status of / once it is 200, or the last one after 10 s."""
    deadline, status = time.monotonic() + 10, 0
    while status != 200 and time.monotonic() < deadline:
        try:
            status = ask(port, "/", timeout=5).status
        except OSError:  # cut: far more connections than there may be
            status = 0
        if status != 200:
            time.sleep(0.02)
    return status


class Full(Folder):
    def test_connections_over_the_cap_are_503_until_there_is_room(self):
        daemon = Daemon("--set", "http.max_connections=20", store=self.store)
        self.addCleanup(daemon.stop)
        held = [socket.create_connection(("127.0.0.1", daemon.port), timeout=10) for _ in range(20)]
        for s in held:
            s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertTrue(s.recv(10000).startswith(b"HTTP/1.1 200"))
        for _ in range(3):
            reply = ask(daemon.port, "/")
            self.assertEqual((reply.status, reply.headers["Retry-After"]), (503, "1"))
            self.assertIn("20 connections", strict(reply.body)["detail"])
        held[0].sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")  # who is in stays in
        self.assertTrue(held[0].recv(10000).startswith(b"HTTP/1.1 200"))
        for s in held[:5]:
            s.close()
        self.assertEqual(eventually(daemon.port), 200)
        for s in held[5:]:
            s.close()

    def test_a_storm_of_silent_connections_passes(self):
        daemon = Daemon("--set", "http.max_connections=50", "--set", "http.idle_timeout=500ms", store=self.store)
        self.addCleanup(daemon.stop)
        held = [socket.create_connection(("127.0.0.1", daemon.port), timeout=10) for _ in range(400)]
        self.assertEqual(eventually(daemon.port), 200)
        for s in held:
            s.close()
        refused = re.search(r"^petrosa_http_refused_total (\d+)$", ask(daemon.port, "/metrics").text, re.M)
        self.assertGreaterEqual(int(refused[1]), 300)

    def test_few_descriptors_are_survived(self):
        daemon = Daemon("--set", "workers.count=1", store=self.store)
        self.addCleanup(daemon.stop)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (60, 60))
        held = []
        for _ in range(100):
            s = socket.create_connection(("127.0.0.1", daemon.port), timeout=10)
            held.append(s)
        for s in held:
            s.close()
        self.assertEqual(eventually(daemon.port), 200)


class Stop(Folder):
    def test_sigterm_ends_idle_connections_and_the_daemon(self):
        load(self.store, write_candles(self.dir / "a.csv", [candle(i, HOUR) for i in range(50)]), "BTCUSDT", "1h")
        daemon = Daemon(store=self.store)
        held = [socket.create_connection(("127.0.0.1", daemon.port), timeout=10) for _ in range(10)]
        held[0].sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertTrue(held[0].recv(10000).startswith(b"HTTP/1.1 200"))
        began = time.monotonic()
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(time.monotonic() - began, 15)
        for s in held:
            self.assertEqual(drain(s), b"")
            s.close()

    def test_a_port_in_use_is_told(self):
        daemon = Daemon(store=self.store)
        self.addCleanup(daemon.stop)
        import harness
        done = harness.petrosa("serve", "--port", str(daemon.port), store=self.dir / "other", check=1)
        self.assertIn(str(daemon.port), done.stderr)
