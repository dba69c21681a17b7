"""client.py - HTTP as bytes (raw) and as a polite client sees it (get), and the market the tests are made of."""
import gzip
import http.client
import json
import re
import socket
import time

import harness

US = 1_000_000
MINUTE, HOUR, DAY = 60 * US, 3600 * US, 86400 * US
T0 = 1_731_628_800 * US  # 2024-11-15T00:00:00Z


def strict(text):
    """JSON as the standard has it: no NaN, no Infinity, no key twice."""
    def no_constant(word):
        raise ValueError(f"{word} in JSON")

    def no_twice(pairs):
        keys = [k for k, _ in pairs]
        if len(set(keys)) != len(keys):
            raise ValueError(f"a key twice in {keys}")
        return dict(pairs)
    return json.loads(text, parse_constant=no_constant, object_pairs_hook=no_twice)


def iso(us):
    seconds, part = divmod(us, US)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return text + (f".{part:06d}".rstrip("0") if part else "") + "Z"


JSON_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


def misfits(schema, value, path="", whole=True):
    """Where a value is not what its schema says, as a list of words. whole: members that no schema names are misfits too."""
    if schema is True:  # anything
        return []
    allowed = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    kind = JSON_TYPES[type(value)]
    if kind not in allowed and not (kind == "integer" and "number" in allowed):
        return [f"{path}: {kind}, not {allowed}"]
    found = []
    if kind == "string" and "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{path}: {value} is not {schema['pattern']}")
    if kind == "array":
        for i, item in enumerate(value):
            found += misfits(schema["items"], item, f"{path}[{i}]")
    if kind == "object":
        if "properties" not in schema and "additionalProperties" not in schema:
            found.append(f"{path}: an object without a description")
        for key, item in value.items():
            inner = schema.get("properties", {}).get(key) or schema.get("additionalProperties")
            if key not in schema.get("propertyNames", {"enum": [key]})["enum"] or (whole and not inner):
                found.append(f"{path}.{key}: is not described")
            elif inner:
                found += misfits(inner, item, f"{path}.{key}", whole=key != "metadata")
    return found


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return strict(self.body)

    @property
    def text(self):
        return self.body.decode()


def ask(port, target, method="GET", headers=None, body=None, timeout=30):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, target, body=body, headers=headers or {})
        reply = connection.getresponse()
        data = reply.read()
        if reply.headers.get("Content-Encoding") == "gzip" and data:
            data = gzip.decompress(data)
        return Reply(reply.status, reply.headers, data)
    finally:
        connection.close()


def raw(port, data, timeout=10, wait_close=True):
    """Sends bytes as they are and returns all that comes until the server closes (or nothing came for `timeout`)."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as s:
        try:
            s.sendall(data)
        except OSError:
            pass
        return drain(s, wait_close)


def drain(s, wait_close=True):
    got = b""
    while True:
        try:
            piece = s.recv(65536)
        except socket.timeout:
            if wait_close:
                raise AssertionError(f"the server did not close; it sent {got[:300]!r}")
            return got
        except ConnectionResetError:
            return got
        if not piece:
            return got
        got += piece


def statuses(data):
    """Status codes of all replies in a byte stream."""
    found = []
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1."):
            raise AssertionError(f"no reply: {data[:200]!r}")
        lines = head.split(b"\r\n")
        found.append(int(lines[0].split()[1]))
        length = 0
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        data = rest[length:]
    return found


CANDLE_HEADER = "open_time,open,high,low,close,volume,quote_volume,trades,taker_buy_volume,taker_buy_quote_volume,closed"


def candle(i, step, closed=1, start=T0):
    price = 100 + i % 50
    return [start + i * step, f"{price}.10", f"{price + 2}.00", f"{price - 2}.0", f"{price + 1}.25", "12.500", "1250.7500", 42, "6.250",
            "625.3750", closed]


def write_candles(path, rows):
    path.write_text(CANDLE_HEADER + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    return path


def write_trades(path, rows):
    path.write_text("time,trade_id,price,quantity,side\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    return path


def load(store, path, symbol, period=None, kind="candles"):
    words = ["import", "--kind", kind, "--symbol", symbol] + (["--period", period] if period else [])
    return harness.petrosa(*words, path, store=store)
