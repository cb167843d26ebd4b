"""examples/kv_server under redis-cli, redis-benchmark and clients that break the rules; where redis-server is installed,
what it answers is the measure."""

import contextlib
import math
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import servers
from servers import PATIENCE_SECONDS, SLOW_CLIENTS, Server, eventually, read_all, scaled

PROGRAM = os.environ.get("TANDEM_KV_SERVER", "")
# Debian's redis-tools holds the server's executable under another name, without the service.
REDIS_SERVER = shutil.which("redis-server") or shutil.which("redis-check-rdb")
QUIET_SECONDS = 2.5  # more than a connection waits before it gives a large buffer back
LIVE_BYTES_SLACK = 4_000_000  # the collector counts what it has set aside for allocation while it marked


class Error(str):
    """An error reply, which equals another one with the same text."""


def encode(*words):
    """A request as an array of bulk strings."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        word = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(parts)


class Client:
    def __init__(self, server):
        self.connection = server.connect()
        self.file = self.connection.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.connection.close()

    def send(self, *words):
        self.connection.sendall(encode(*words))

    def reply(self):
        line = self.file.readline()
        assert line.endswith(b"\r\n"), f"the connection ended in {line!r}"
        kind, text = line[:1], line[1:-2]
        if kind == b"+":
            return text.decode()
        if kind == b"-":
            return Error(text.decode())
        if kind == b":":
            return int(text)
        if kind == b"$":
            return None if text == b"-1" else self.file.read(int(text) + 2)[:-2]
        assert kind == b"*", f"no reply begins with {line!r}"
        return None if text == b"-1" else [self.reply() for _ in range(int(text))]

    def __call__(self, *words):
        self.send(*words)
        return self.reply()

    def pipeline(self, requests):
        """The replies to many requests, sent while the replies are read."""
        sender = threading.Thread(target=lambda: self.connection.sendall(b"".join(encode(*words) for words in requests)))
        sender.start()
        replies = [self.reply() for _ in requests]
        sender.join()
        return replies

    def info(self):
        return dict(re.findall(r"(?m)^(\w+):(.*?)\r$", self("info").decode()))


class KvServer(servers.ServerTest):
    program = PROGRAM

    @classmethod
    def warm_up(cls):
        with Client(cls.server) as client:
            client("set", "key", "value")
            client("flushall")
            client("memory", "purge")
            info = client.info()
        cls.goroutines_at_rest, cls.live_bytes_at_rest = int(info["goroutines"]), int(info["live_bytes"])

    def tearDown(self):
        def left():
            with Client(self.server) as client:
                client("flushall")
                client("memory", "purge")
                info = client.info()
            return (int(info["connected_clients"]) == 1 and int(info["goroutines"]) == self.goroutines_at_rest
                    and int(info["live_bytes"]) < self.live_bytes_at_rest + LIVE_BYTES_SLACK) or info
        # Not asked once more: the server may still be about to let the last look's client go.
        seen = []
        self.assertTrue(eventually(lambda: seen.append(left()) or seen[-1] is True), f"at the end: {seen[-1:]}")
        super().tearDown()

    # -- Right use.

    def test_answers(self):
        wrong_type = Error("WRONGTYPE Operation against a key holding the wrong kind of value")
        not_an_integer = Error("ERR value is not an integer or out of range")
        with Client(self.server) as ask:
            self.assertRegex(ask(b"get\0", "a"), "^ERR unknown command 'get ', with args")
            for words, expected in [
                ("PING", "PONG"), ("ping hello", b"hello"), ("echo x", b"x"), ("select 0", "OK"),
                ("select 1", Error("ERR DB index is out of range")),
                ("get a", None), ("set a 1", "OK"), ("get a", b"1"), ("GET a b", Error(
                    "ERR wrong number of arguments for 'get' command")),
                ("incr a", 2), ("incrby a 40", 42), ("decr a", 41), ("decrby a 1", 40), ("incr new", 1),
                ("set a 9223372036854775807", "OK"), ("incr a", Error("ERR increment or decrement would overflow")),
                ("set a 01", "OK"), ("incr a", not_an_integer), ("incrby a x", not_an_integer),
                ("mset a 1 b 2", "OK"), ("mget a b c", [b"1", b"2", None]), ("mset a", Error(
                    "ERR wrong number of arguments for 'mset' command")),
                ("lpush l 1 2", 2), ("rpush l 3", 3), ("lrange l 0 -1", [b"2", b"1", b"3"]), ("lrange l -2 5", [b"1", b"3"]),
                ("lrange l 2 1", []),
                ("lrange l 9223372036854775807 -9223372036854775808", []), ("llen l", 3), ("get l", wrong_type), ("incr l", wrong_type),
                ("lpush a 1", wrong_type),
                ("mget a l", [b"1", None]), ("lpop l 1 2", Error("ERR wrong number of arguments for 'lpop' command")), ("lpop l", b"2"), ("rpop l 5", [b"3", b"1"]), ("exists l", 0),
                ("type a", "string"),
                ("exists a a none", 2), ("del a b none", 2), ("dbsize", 1), ("ttl new", -1), ("ttl none", -2),
                ("expire new 100", 1), ("ttl new", 100), ("persist new", 1), ("ttl new", -1), ("expire new 0", 1),
                ("get new", None),
                ("set a 1 ex 0", Error("ERR invalid expire time in 'set' command")), ("set a 1 nx", "OK"),
                ("set a 2 nx", None), ("set a 2 xx get", b"1"), ("set a 2 nx xx", Error("ERR syntax error")),
                ("flushall", "OK"), ("dbsize", 0),
                ("nonsense a", Error("ERR unknown command 'nonsense', with args beginning with: 'a' ")),
            ]:
                with self.subTest(words):
                    self.assertEqual(ask(*words.split()), expected)

    def test_inline_requests(self):
        with Client(self.server) as client:
            client.connection.sendall(b"set key \"a \\x41\\n\"\r\n\r\nGET key\nset 'it''s' 'a b'\n")
            self.assertEqual([client.reply(), client.reply()], ["OK", b"a A\n"])
            self.assertEqual(client.reply(), Error("ERR Protocol error: unbalanced quotes in request"))
            self.assertEqual(client.file.read(), b"")

    def test_requests_in_pieces(self):
        """Cut anywhere, requests mean the same."""
        requests = encode("set", "key", b"\r\n" * 20) + b"PING\r\n" + encode("get", "key") + encode("lrange", "none", 0, 1)
        with Client(self.server) as client:
            for step in (1, 2, 7):
                for at in range(0, len(requests), step):
                    client.connection.sendall(requests[at:at + step])
                self.assertEqual([client.reply() for _ in range(4)], ["OK", "PONG", b"\r\n" * 20, []])

    def test_a_pause_after_a_burst_loses_nothing(self):
        """Longer than the time after which a connection gives its large buffer back, also within a request."""
        burst = encode("mset", *(word for i in range(100) for word in (f"key:{i}", "x" * 20)))
        with Client(self.server) as quiet, Client(self.server) as interrupted:
            quiet.connection.sendall(burst)
            interrupted.connection.sendall(burst + burst[:-1000])
            self.assertEqual([quiet.reply(), interrupted.reply()], ["OK", "OK"])
            time.sleep(QUIET_SECONDS)
            interrupted.connection.sendall(burst[-1000:])
            for client in (quiet, interrupted):
                client.connection.sendall(burst + encode("get", "key:7"))
            for _ in range(2):
                self.assertEqual(interrupted.reply(), "OK")
            self.assertEqual([interrupted.reply(), quiet.reply(), quiet.reply()], [b"x" * 20, "OK", b"x" * 20])

    @servers.measures_memory
    def test_connections_that_are_quiet_after_a_burst_keep_no_buffer(self):
        """Others find the memory that they had. (The process may keep it.)"""
        burst = encode("echo", "x" * 12_000)
        with contextlib.ExitStack() as stack:
            taken = []
            while len(taken) < 6 and min(taken, default=math.inf) >= 200 * 8_000:
                clients = [stack.enter_context(Client(self.server)) for _ in range(200)]
                before = self.server.resident_bytes()
                for client in clients:
                    client.connection.sendall(burst)
                    self.assertEqual(len(client.reply()), 12_000)
                taken.append(self.server.resident_bytes() - before)
                time.sleep(QUIET_SECONDS)
            # Not the second set at once: what one worker has freed, the allocator need not give to the other.
            self.assertLess(min(taken), 200 * 8_000, f"a set that needs no buffers of its own: {taken}")

    def test_large_values(self):
        value = random.Random(1).randbytes(scaled(20_000_000, 1_000_000))
        with Client(self.server) as client:
            self.assertEqual(client("set", "large", value), "OK")
            self.assertEqual(client("get", "large"), value)
            self.assertEqual(client("mget", "large", "large"), [value, value])

    def test_quit(self):
        with Client(self.server) as client:
            client.send("quit")
            client.send("set", "after", "quit")
            self.assertEqual(client.reply(), "OK")
            self.assertEqual(read_all(client.connection), b"")
        with Client(self.server) as client:
            self.assertIsNone(client("get", "after"))

    def test_keys_end_when_their_time_comes(self):
        with Client(self.server) as client:
            count = scaled(1000)
            client.pipeline([("set", f"short:{i}", "x", "px", 1 + i % 50) for i in range(count)]
                            + [("set", f"long:{i}", "x", "ex", 1000) for i in range(10)]
                            + [("set", f"saved:{i}", "x", "px", 60) for i in range(10)]
                            + [("persist", f"saved:{i}") for i in range(5)]
                            + [("set", f"saved:{i}", "x") for i in range(5, 10)])
            left = [f"long:{i}" for i in range(10)] + [f"saved:{i}" for i in range(10)]
            time.sleep(0.1)
            # DBSIZE looks at no key: the timers have taken them out.
            self.assertTrue(eventually(lambda: client("dbsize") <= 20))
            self.assertIn(client("exists", *left), range(15, 21))  # the machine may have been too slow for PERSIST
            self.assertEqual(client("exists", *left[:10]), 10)
            self.assertIn(client("pttl", "long:0"), range(900_000, 1_000_000))

    def test_what_is_deleted_is_collected(self):
        with Client(self.server) as client:
            count = scaled(30_000, 10_000)
            for how in (("ex", 1000), (), ("px", 1_000_000)):  # the second time, keys with timers are given another value
                client.pipeline([("set", f"key:{i}", "x" * 600, *how) for i in range(count)])
            client("memory", "purge")
            self.assertGreater(int(client.info()["live_bytes"]), count * 600)
            client.pipeline([("del", f"key:{i}") for i in range(count)])
            client("memory", "purge")
            self.assertLess(int(client.info()["live_bytes"]), self.live_bytes_at_rest + LIVE_BYTES_SLACK)

    def test_scan_returns_what_is_there_all_the_while(self):
        stay = {b"stay:%d" % i for i in range(scaled(3000))}
        with Client(self.server) as client, Client(self.server) as other:
            client.pipeline([("set", key, "x") for key in stay])
            seen, cursor, turn = [], b"0", 0
            while True:
                other.pipeline([("set", f"come:{turn}:{i}", "x") for i in range(200)]
                               + [("del", f"come:{turn - 1}:{i}") for i in range(200)])
                cursor, keys = client("scan", cursor, "match", "st[a-b]y:*", "count", 100)
                seen += keys
                turn += 1
                if cursor == b"0":
                    break
            self.assertEqual(set(seen), stay)
            self.assertEqual(len(seen), len(stay), "a key was returned twice")

    def test_commands_are_atomic(self):
        """Clients that are faster than Python: with two processors, their requests meet in the store."""
        count = 32 * scaled(6250, 200)  # whole pipelines: redis-benchmark rounds up
        load = lambda *words: subprocess.Popen(
            ["redis-benchmark", "-p", str(self.server.port), "-n", str(count), "-c", "8", "-P", "32", "-q", *words],
            stdout=subprocess.DEVNULL)
        increments = [load("incr", "sum") for _ in range(2)]
        for client in increments:
            self.assertEqual(client.wait(PATIENCE_SECONDS * 4), 0)
        keys = [f"key:{i}" for i in range(8)]
        writers = [load("mset", *(word for key in keys for word in (key, name))) for name in "ab"]
        with Client(self.server) as client:
            while any(writer.poll() is None for writer in writers):
                for values in client.pipeline([("mget", *reversed(keys))] * 200):
                    self.assertEqual(len(set(values)), 1, values)
            self.assertEqual(client("get", "sum"), str(2 * count).encode())

    # -- Redis' own programs.

    def redis_cli(self, *words, **options):
        return subprocess.run(["redis-cli", "-p", str(self.server.port), *words], capture_output=True, text=True, check=True,
                              timeout=PATIENCE_SECONDS, **options).stdout

    def test_redis_cli(self):
        self.assertEqual(self.redis_cli("ping"), "PONG\n")
        self.assertEqual(self.redis_cli("rpush", "list", "a", "b"), "2\n")
        self.assertEqual(self.redis_cli("lrange", "list", "0", "-1"), "a\nb\n")
        self.assertEqual(self.redis_cli(input="set k v\nget k\ninfo server\n").split("\n")[:3], ["OK", "v", "# Server"])
        count = scaled(20_000)
        out = self.redis_cli("--pipe", input="".join(f"set key:{i} {i}\r\n" for i in range(count)))
        self.assertIn(f"errors: 0, replies: {count}", out)
        scanned = self.redis_cli("--scan", "--pattern", "key:*").split()
        self.assertEqual(sorted(scanned), sorted(f"key:{i}" for i in range(count)))

    def test_redis_benchmark(self):
        for pipeline in ("1", "16"):
            out = subprocess.run(
                ["redis-benchmark", "-p", str(self.server.port), "-n", str(scaled(10_000)), "-r", "1000", "-P", pipeline,
                 "--csv", "-t", "ping,set,get,incr,lpush,rpush,lpop,rpop,lrange_100,mset"],
                capture_output=True, text=True, timeout=PATIENCE_SECONDS * 4, check=True)
            self.assertEqual(out.stderr, "")
            self.assertEqual(len(out.stdout.splitlines()), 13)
            self.assertNotIn("rror", out.stdout)

    @unittest.skipUnless(REDIS_SERVER, "redis-server is not installed")
    def test_answers_as_redis_does(self):
        """Random commands to both."""
        with tempfile.TemporaryDirectory() as directory:
            socket_path = os.path.join(directory, "redis")
            redis = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", socket_path, "--save", "",
                                      "--dir", directory],
                                     executable=REDIS_SERVER, stdout=subprocess.DEVNULL)
            try:
                assert eventually(lambda: os.path.exists(socket_path))
                self.compare_with(UnixPeer(socket_path))
            finally:
                redis.kill()
                redis.wait()

    def compare_with(self, redis):
        seed = random.randrange(1 << 32)
        generator = random.Random(seed)
        requests = [random_request(generator) for _ in range(scaled(20_000, 2000))]
        with Client(self.server) as client, Client(redis) as reference:
            for words, ours, theirs in zip(requests, client.pipeline(requests), reference.pipeline(requests)):
                self.assertEqual(ours, theirs, f"{words}, seed {seed}")
            keys = lambda of: sorted(of("scan", 0, "count", 100_000)[1])
            self.assertEqual(keys(client), keys(reference), f"seed {seed}")

    # -- Wrong use.

    def test_what_cannot_be_understood_ends_the_connection(self):
        for sent, message in [
            (b"*x\r\n", "invalid multibulk length"), (b"*1048577\r\n", "invalid multibulk length"),
            (b"*99999999999999999999999\r\n", "invalid multibulk length"), (b"*1\r\n$-1\r\n", "invalid bulk length"),
            (b"*1\r\n$536870913\r\n", "invalid bulk length"), (b"*1\r\n$ 1\r\na\r\n", "invalid bulk length"),
            (b"*1\r\n:1\r\n", "expected '$', got ':'"), (b"*1\r\nPING\r\n", "expected '$', got 'P'"),
            (b"*1\r\n\r\n", "expected '$', got ' '"), (b"*1\r\n\n", "expected '$', got ' '"),
            (b"*" + b"1" * 100, "too big mbulk count string"), (b"*1\r\n$" + b"1" * 100, "too big bulk count string"),
            (b"*1\r\n$4\r\nPINGPONG", "a bulk string is longer than announced"), (b"*1\rx", "expected a line feed after"),
            (b"a" * 70_000, "too big inline request"), (b"get \"x\r\n", "unbalanced quotes"),
            (b"*2\r\n$536870912\r\n" + b"x" * 100_000, None),  # a beginning, no error
        ]:
            with self.subTest(sent[:30]), Client(self.server) as client:
                client.connection.sendall(encode("PING") + sent)
                self.assertEqual(client.reply(), "PONG")
                if message is None:
                    continue
                self.assertRegex(client.reply(), r"^ERR Protocol error: " + re.escape(message))
                client.connection.shutdown(1)
                self.assertEqual(read_all(client.connection), b"")

    def test_damaged_requests(self):
        """Whatever comes, the server goes on serving others."""
        seed = random.randrange(1 << 32)
        generator = random.Random(seed)
        whole = (encode("set", "k", "v") + encode("lpush", "l", "a", "b") + b"GET k\r\n" + encode("lrange", "l", 0, -1)
                 + encode("scan", 0, "match", "*", "count", 5) + encode("set", "k", "v", "ex", 100) + encode("incr", "n"))
        for _ in range(scaled(500, 50)):
            with Client(self.server) as client:
                with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                    client.connection.sendall(servers.mutated(generator, whole))
                    client.connection.shutdown(1)
                read_all(client.connection)
        with Client(self.server) as client:
            self.assertEqual(client("ping"), "PONG", f"seed {seed}")

    @servers.measures_memory
    def test_announcements_take_no_memory(self):
        before = self.server.resident_bytes()
        with contextlib.ExitStack() as stack:
            for number in range(100):
                client = stack.enter_context(Client(self.server))
                client.connection.sendall(b"PING\r\n" + (b"*1048576\r\n", b"*1\r\n$536870912\r\nabc")[number % 2])
                self.assertEqual(client.reply(), "PONG")
            self.assertLess(self.server.resident_bytes() - before, 64 << 20)

    @servers.measures_memory
    def test_a_client_that_does_not_read_takes_little_memory(self):
        with Client(self.server) as other, Client(self.server) as client:
            other("set", "large", b"x" * 1_000_000)
            before = self.server.resident_bytes()
            client.connection.sendall(encode("get", "large") * 1000)  # a gigabyte, if it were all put together
            self.assertEqual(other("get", "large"), b"x" * 1_000_000)
            time.sleep(0.2)
            self.assertLess(self.server.resident_bytes() - before, 16 << 20)

    def test_one_reply_is_bounded(self):
        with Client(self.server) as client:
            client("set", "large", b"x" * 6_000_000)
            self.assertEqual(client("mget", *["large"] * 100), Error("ERR the reply would be too large"))
            self.assertEqual(client("ping"), "PONG")

    def test_slow_clients(self):
        """Thousands of clients in the middle of a request keep nobody else waiting, and are answered in the end."""
        request = encode("set", "key", "value")
        with contextlib.ExitStack() as stack:
            slow = [stack.enter_context(self.server.connect()) for _ in range(SLOW_CLIENTS)]
            for at in range(0, len(request), 9):
                for connection in slow:
                    connection.sendall(request[at:at + 9])
                with Client(self.server) as client:
                    self.assertEqual(client("ping"), "PONG")
            for connection in slow:
                self.assertEqual(servers.read_exactly(connection, 5), b"+OK\r\n")

    def test_clients_that_disappear(self):
        with Client(self.server) as client:
            client("set", "large", b"x" * 300_000)
        requests = encode("set", "k", b"y" * 5000) + encode("get", "large") * 20 + encode("rpush", "l", *"abcdef")
        servers.disconnect_in_the_middle(self.server, requests, scaled(500, 50))


class UnixPeer:
    """What Client takes for a server: redis-server behind a Unix socket."""

    def __init__(self, path):
        self.path = path

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE_SECONDS)
        connection.connect(self.path)
        return connection


def random_request(generator):
    key = lambda: generator.choice("abcdefgh")
    value = lambda: generator.choice(["", "0", "-1", "12", "9223372036854775807", "-9223372036854775808", "x", "01", " 1",
                                      "+1", "1.5"])
    index = lambda: generator.choice([0, 1, 2, 5, -1, -2, -100, 100, "x", "9999999999999999999",
                                      "9223372036854775807", "-9223372036854775808"])
    seconds = lambda: generator.choice([100_000, 200_000, 0, -1, "x", "9223372036854775807", ""])
    return generator.choice([
        lambda: ("set", key(), value()), lambda: ("get", key()), lambda: ("del", key(), key()), lambda: ("incr", key()),
        lambda: ("decr", key()), lambda: ("incrby", key(), value()), lambda: ("decrby", key(), value()),
        lambda: ("mget", key(), key(), key()), lambda: ("mset", key(), value(), key(), value()), lambda: ("mset", key()),
        lambda: ("lpush", key(), value(), value()), lambda: ("rpush", key(), value()), lambda: ("lpop", key()),
        lambda: ("rpop", key(), generator.choice([0, 1, 5, -1, "x"])), lambda: ("lrange", key(), index(), index()),
        lambda: ("llen", key()), lambda: ("strlen", key()), lambda: ("exists", key(), key()), lambda: ("type", key()),
        lambda: ("expire", key(), seconds()), lambda: ("ttl", key()), lambda: ("persist", key()),
        lambda: ("set", key(), value(), "ex", seconds()), lambda: ("set", key(), value(), generator.choice(
            ["nx", "XX", "get", "keepttl", "ex", "nonsense"])), lambda: ("set", key(), value(), "xx", "get", "ex", 100_000),
        lambda: ("dbsize",), lambda: ("echo", value()), lambda: ("ping", value()), lambda: ("get",), lambda: ("Ping",),
        lambda: ("lpush", key()), lambda: ("scan", "x"), lambda: ("scan", 0, "count"), lambda: ("select", 0),
        lambda: ("lpop", key(), 1, 2), lambda: ("info", "nosuch"),
        lambda: ("flushall",) if generator.random() < 0.1 else ("unlink", key()),
    ])()


class Deadlines(unittest.TestCase):
    def test_a_client_that_does_not_read_is_let_go(self):
        server = Server(PROGRAM, "--port", "0", "--write-timeout-ms", "1000")
        self.addCleanup(server.stop)
        with Client(server) as other, Client(server) as client:
            other("set", "large", b"x" * 1_000_000)
            client.connection.sendall(encode("mget", *["large"] * 100))
            self.assertTrue(eventually(lambda: other.info()["connected_clients"] == "1"), "it is still there")
            self.assertLess(len(read_all(client.connection)), 100_000_000)

    def test_a_client_that_is_quiet_for_longer_is_kept(self):
        """The time begins with each write."""
        server = Server(PROGRAM, "--port", "0", "--write-timeout-ms", "1000")
        self.addCleanup(server.stop)
        with Client(server) as client:
            self.assertEqual(client("ping"), "PONG")
            time.sleep(1.5)
            self.assertEqual(client("ping"), "PONG")


class CommandLine(unittest.TestCase):
    def run_with(self, *arguments):
        return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)

    def test_says_what_is_wrong(self):
        for arguments, message in ((("--port", "99999"), "--port"), (("--port", "x"), "--port"), (("--prot", "1"), "--prot"),
                                   (("--port", "0", "--processors", "1000"), "--processors"),
                                   (("--port", "0", "--write-timeout-ms", "0"), "--write-timeout-ms"),
                                   (("--port", "0", "--host", "300.1.1.1"), "300.1.1.1")):
            with self.subTest(arguments):
                done = self.run_with(*arguments)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(message, done.stdout + done.stderr)

    def test_port_in_use(self):
        server = Server(PROGRAM, "--port", "0")
        done = self.run_with("--port", str(server.port))
        self.assertEqual(done.returncode, 1)
        self.assertIn("in use", done.stderr)
        server.stop()

    def test_stops_in_the_middle_of_everything(self):
        for which in (signal.SIGINT, signal.SIGTERM):
            server = Server(PROGRAM, "--port", "0")
            with contextlib.ExitStack() as stack:
                clients = [stack.enter_context(Client(server)) for _ in range(20)]
                clients[0]("set", "large", b"x" * 1_000_000)
                for number, client in enumerate(clients):
                    client.connection.sendall((b"", b"*2\r\n$3\r\nGET", encode("get", "large") * 100)[number % 3])
                time.sleep(0.05)
                status, out, errors = server.stop(which)
            self.assertEqual((status, errors), (0, ""))
            self.assertRegex(out, r"^stopped: ")


if __name__ == "__main__":
    servers.main(PROGRAM, "redis-cli", "redis-benchmark")
