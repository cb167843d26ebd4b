"""examples/http_server under curl, wrk, and clients that are slow or break the rules."""

import contextlib
import email.utils
import os
import random
import re
import signal
import subprocess
import time
import unittest

import servers
from servers import PATIENCE_SECONDS, SLOW_CLIENTS, Server, eventually, read_all, read_exactly, scaled

PROGRAM = os.environ.get("TANDEM_HTTP_SERVER", "")
GREETING = b"Hello, World!"


def get(target=b"/", *fields):
    return b"GET " + target + b" HTTP/1.1\r\nHost: example\r\n" + b"".join(field + b"\r\n" for field in fields) + b"\r\n"


def post(body, *fields):
    return (b"POST /echo HTTP/1.1\r\nHost: example\r\nContent-Length: %d\r\n" % len(body)
            + b"".join(field + b"\r\n" for field in fields) + b"\r\n" + body)


def chunked(*chunks, trailer=b""):
    return (b"POST /echo HTTP/1.1\r\nHost: example\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n" + trailer + b"\r\n")


def read_response(file, without_body=False):
    """Status, fields and body of the next response."""
    line = file.readline()
    status = re.fullmatch(rb"HTTP/1\.1 (\d{3}) [A-Za-z ]+\r\n", line)
    assert status, f"no status line: {line!r}"
    fields = {}
    while (line := file.readline()) != b"\r\n":
        name, value = line.decode().rstrip("\r\n").split(": ", 1)
        fields[name.lower()] = value
    body = b"" if without_body else file.read(int(fields.get("content-length", "0")))
    return int(status.group(1)), fields, body


class HttpServer(servers.ServerTest):
    program = PROGRAM
    arguments = (*servers.ServerTest.arguments, "--timeout-ms", "300000")  # nobody is let go because the machine is slow

    @classmethod
    def warm_up(cls):
        cls.goroutines_at_rest = cls.usage()["goroutines"]

    @classmethod
    def usage(cls):
        with cls.server.connect() as connection:
            connection.sendall(get(b"/usage", b"Connection: close"))
            _, _, body = read_response(connection.makefile("rb"))
        return {name: int(value) for name, value in re.findall(r"(\w+) (\d+)", body.decode())}

    def tearDown(self):
        left = lambda: self.usage()["goroutines"] == self.goroutines_at_rest
        self.assertTrue(eventually(left), f"{self.usage()}, {self.goroutines_at_rest} goroutines at first")
        super().tearDown()

    @contextlib.contextmanager
    def connected(self):
        with self.server.connect() as connection, connection.makefile("rb") as file:
            yield connection, file

    # -- Right use.

    def test_answers(self):
        with self.connected() as (connection, file):
            for sent, status, body in [
                (get(), 200, GREETING), (get(b"/?query"), 200, GREETING), (get(b"/none"), 404, None),
                (get(b"http://example"), 200, GREETING), (get(b"HTTP://example:80/?query"), 200, GREETING),
                (get(b"http://example?query/none"), 200, GREETING), (get(b"http://example/none"), 404, None),
                (b"\r\n" + get() + b"\r\n\r\n", 200, GREETING),
                (get(b"/echo"), 405, None),
                (post(b"hello"), 200, b"hello"), (post(b""), 200, b""),
                (chunked(b"a", b"bc" * 1000), 200, b"a" + b"bc" * 1000),
                (chunked(b"x", trailer=b"Field: value\r\n"), 200, b"x"), (chunked(), 200, b""),
                (b"DELETE / HTTP/1.1\r\nHost: example\r\n\r\n", 405, None),
                (b"NONSENSE / HTTP/1.1\r\nHost: example\r\n\r\n", 405, None),
            ]:
                with self.subTest(sent[:40]):
                    connection.sendall(sent)
                    answer = read_response(file)
                    self.assertEqual(answer[0], status)
                    self.assertNotIn("connection", answer[1])
                    if body is not None:
                        self.assertEqual(answer[2], body)

    def test_what_is_not_allowed_is_told_what_is(self):
        with self.connected() as (connection, file):
            for target, method, allowed in ((b"/", b"POST", "GET, HEAD"), (b"/echo", b"GET", "POST"),
                                            (b"/usage", b"DELETE", "GET, HEAD")):
                connection.sendall(method + b" " + target + b" HTTP/1.1\r\nHost: example\r\nContent-Length: 0\r\n\r\n")
                status, fields, _ = read_response(file)
                self.assertEqual((status, fields["allow"]), (405, allowed))
            connection.sendall(get())
            self.assertNotIn("allow", read_response(file)[1])

    def test_date(self):
        with self.connected() as (connection, file):
            for sent in (get(), get(b"/none"), b"nonsense\r\n\r\n"):
                begin = int(time.time())
                connection.sendall(sent)
                date = read_response(file)[1]["date"]
                self.assertRegex(date, r"^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$")
                told = email.utils.parsedate_to_datetime(date).timestamp()
                # The clock of seconds is a tick behind the other one.
                self.assertTrue(begin - 1 <= told <= time.time(), f"{begin}: {date}")

    def test_head(self):
        with self.connected() as (connection, file):
            connection.sendall(b"HEAD / HTTP/1.1\r\nHost: example\r\n\r\n" + get())
            status, fields, _ = read_response(file, without_body=True)
            self.assertEqual((status, fields["content-length"]), (200, str(len(GREETING))))
            self.assertEqual(read_response(file)[2], GREETING)

    def test_connection_ends_when_it_should(self):
        for sent, ends in [(get(b"/", b"Connection: close"), True), (b"GET / HTTP/1.0\r\n\r\n", True),
                           (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", False), (get(), False)]:
            with self.subTest(sent), self.connected() as (connection, file):
                connection.sendall(sent)
                status, fields, body = read_response(file)
                self.assertEqual((status, body), (200, GREETING))
                self.assertEqual(fields.get("connection"),
                                 "close" if ends else "keep-alive" if b"HTTP/1.0" in sent else None)
                if ends:
                    self.assertEqual(file.read(), b"")
                else:
                    connection.sendall(get(b"/", b"Connection: close"))
                    self.assertEqual(read_response(file)[2], GREETING)

    def test_pipelining(self):
        """Answers come in order, however the requests are cut."""
        bodies = [b"%d" % i * (i * 37 % 500) for i in range(100)]
        requests = b"".join(chunked(body) if i % 3 == 0 and body else post(body) for i, body in enumerate(bodies))
        for step in (13, 4096, len(requests)):
            with self.connected() as (connection, file):
                for at in range(0, len(requests), step):
                    connection.sendall(requests[at:at + step])
                self.assertEqual([read_response(file)[2] for _ in bodies], bodies)
        with self.connected() as (connection, file):
            for byte in chunked(b"bytewise") + get():
                connection.sendall(bytes([byte]))
            self.assertEqual([read_response(file)[2], read_response(file)[2]], [b"bytewise", GREETING])

    def test_continue(self):
        with self.connected() as (connection, file):
            connection.sendall(b"POST /echo HTTP/1.1\r\nHost: example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            self.assertEqual(read_response(file)[0], 100)
            connection.sendall(b"hello")
            self.assertEqual(read_response(file)[2], b"hello")

    def test_no_continue_for_who_does_not_know_it(self):
        with self.connected() as (connection, file):
            connection.sendall(b"POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhel")
            time.sleep(0.05)  # the head has been seen without the whole body, as a rule
            connection.sendall(b"lo")
            self.assertEqual(read_response(file)[::2], (200, b"hello"))

    def test_curl(self):
        url = f"http://127.0.0.1:{self.server.port}"
        curl = lambda *arguments, **options: subprocess.run(
            ["curl", "--silent", "--show-error", *arguments], capture_output=True, timeout=PATIENCE_SECONDS, check=True,
            **options).stdout
        self.assertEqual(curl(f"{url}/", f"{url}/"), GREETING * 2)
        body = b"some words " * 50_000
        for fields in ([], ["--header", "Transfer-Encoding: chunked"], ["--header", "Expect: 100-continue"]):
            self.assertEqual(curl("--data-binary", "@-", *fields, f"{url}/echo", input=body), body)
        self.assertEqual(curl("--data-binary", "@-", "--output", "/dev/null", "--write-out", "%{http_code}", f"{url}/echo",
                              input=b"x" * 2_000_000), b"413")

    def test_wrk(self):
        out = subprocess.run(["wrk", "-t1", "-c64", "-d1s", f"http://127.0.0.1:{self.server.port}/"], capture_output=True,
                             text=True, timeout=PATIENCE_SECONDS, check=True).stdout
        self.assertNotIn("Socket errors", out)
        self.assertNotIn("Non-2xx", out)
        self.assertGreater(int(re.search(r"(\d+) requests in", out).group(1)), 0)

    # -- Wrong use.

    def test_what_cannot_be_understood_ends_the_connection(self):
        long = b"x" * 20_000
        head = b"POST /echo HTTP/1.1\r\nHost: example\r\n"
        for sent, expected in [
            (b"nonsense\r\n\r\n", 400), (b"GET\r\n\r\n", 400), (b"GET / HTTP/1.1\r\n\r\n", 400),
            (b"GET / HTTP/2.0\r\n\r\n", 505),
            (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\n\n", 400), (b"GET /\0 HTTP/1.1\r\n\r\n", 400),
            (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03", 400),
            (b"GET /" + long, 431), (get(b"/", b"Long: " + long), 431), (get(b"/", *[b"Many: fields"] * 2000), 431),
            (head + b"Content-Length: -1\r\n\r\n", 400), (head + b"Content-Length: x\r\n\r\n", 400),
            (head + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
            (head + b"Content-Length: 1048577\r\n\r\n", 413),
            (head + b"Content-Length: 99999999999999999999\r\n\r\n", 400), (head + b"Transfer-Encoding: gzip\r\n\r\n", 501),
            (head + b"Transfer-Encoding: chunked, gzip\r\n\r\n", 501),
            (head + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
            (head + b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400),
            (head + b"Transfer-Encoding: chunked\r\n\r\nx\r\n", 400),
            (head + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabcd\r\n", 400),
            (head + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400),
            (head + b"Transfer-Encoding: chunked\r\n\r\n100001\r\n", 413),
            (head + b"Transfer-Encoding: chunked\r\n\r\n" + b"80000\r\n" + b"x" * 0x80000 + b"\r\n80001\r\n", 413),
            (head + b"Transfer-Encoding: chunked\r\n\r\n1;" + long, 400),
            (head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"Trailer: field\r\n" * 2000, 400),
        ]:
            with self.subTest(sent[:60]), self.connected() as (connection, file):
                connection.sendall(get() + sent)
                self.assertEqual(read_response(file)[2], GREETING)
                status, fields, _ = read_response(file)
                self.assertEqual((status, fields["connection"]), (expected, "close"))
                connection.shutdown(1)
                self.assertEqual(file.read(), b"")

    def test_damaged_requests(self):
        """Whatever comes, the server goes on serving others."""
        seed = random.randrange(1 << 32)
        generator = random.Random(seed)
        whole = (get() + post(b"body") + chunked(b"a", b"b" * 20, trailer=b"T: v\r\n")
                 + get(b"/none", b"Expect: 100-continue"))
        for _ in range(scaled(500, 50)):
            with self.connected() as (connection, file), contextlib.suppress(ConnectionResetError, BrokenPipeError):
                connection.sendall(servers.mutated(generator, whole))
                connection.shutdown(1)
                file.read()
        with self.connected() as (connection, file):
            connection.sendall(get())
            self.assertEqual(read_response(file)[2], GREETING, f"seed {seed}")

    @servers.measures_memory
    def test_a_client_that_does_not_read_takes_little_memory(self):
        before = self.server.resident_bytes()
        with self.connected() as (connection, _):
            connection.setblocking(False)
            request = post(b"x" * 1_000_000)
            for _ in range(100):  # as much as the server takes
                with contextlib.suppress(BlockingIOError):
                    connection.send(request)
                time.sleep(0.002)
            self.assertLess(self.server.resident_bytes() - before, 64 << 20)

    def test_slow_clients(self):
        """Thousands of clients in the middle of a request keep nobody else waiting, and are answered in the end."""
        request = post(b"x")
        with contextlib.ExitStack() as stack:
            slow = [stack.enter_context(self.server.connect()) for _ in range(SLOW_CLIENTS)]
            for at in range(0, len(request), 25):
                for connection in slow:
                    connection.sendall(request[at:at + 25])
                with self.connected() as (connection, file):
                    connection.sendall(get())
                    self.assertEqual(read_response(file)[2], GREETING)
            for connection in slow:
                self.assertEqual(read_exactly(connection, 15), b"HTTP/1.1 200 OK")

    def test_clients_that_disappear(self):
        requests = post(b"x" * 30_000) * 10 + chunked(b"y" * 300) + get() * 20
        servers.disconnect_in_the_middle(self.server, requests, scaled(500, 50))


class Deadlines(unittest.TestCase):
    def setUp(self):
        self.server = Server(PROGRAM, "--port", "0", "--timeout-ms", "100")
        self.addCleanup(self.server.stop)

    def test_clients_that_say_nothing_or_stop_in_the_middle_are_let_go(self):
        servers.raise_descriptor_limit()
        with contextlib.ExitStack() as stack:
            at_rest = self.server.descriptors_at_rest()
            silent = [stack.enter_context(self.server.connect()) for _ in range(SLOW_CLIENTS // 2)]
            halfway = []
            for number in range(SLOW_CLIENTS // 2):
                connection = stack.enter_context(self.server.connect())
                halfway.append(connection)
                with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                    connection.sendall((get()[:20], post(b"x" * 100)[:-1])[number % 2])
            for connection in silent:
                self.assertEqual(read_all(connection), b"")
            # Those that the server has let go before their request came are not told.
            self.assertIn(True, [read_all(connection).startswith(b"HTTP/1.1 408 ") for connection in halfway])
            self.assertTrue(eventually(lambda: self.server.descriptors() <= at_rest))

    def test_a_client_that_sends_byte_after_byte_is_let_go(self):
        with self.server.connect() as connection:
            with self.assertRaises((ConnectionResetError, BrokenPipeError)):
                for _ in range(100_000):
                    connection.sendall(b"G")
                    time.sleep(0.01)

    def test_a_client_that_does_not_read_is_let_go(self):
        with self.server.connect() as connection:
            connection.settimeout(PATIENCE_SECONDS)
            with self.assertRaises((ConnectionResetError, BrokenPipeError)):
                for _ in range(1000):
                    connection.sendall(post(b"x" * 1_000_000))


class CommandLine(unittest.TestCase):
    def test_says_what_is_wrong(self):
        for arguments, message in ((("--port", "99999"), "--port"), (("--timeout-ms", "0"), "--timeout-ms"),
                                   (("--port", "0", "--host", "300.1.1.1"), "300.1.1.1")):
            with self.subTest(arguments):
                done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=PATIENCE_SECONDS,
                                      check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(message, done.stdout + done.stderr)

    def test_stops_in_the_middle_of_everything(self):
        server = Server(PROGRAM, "--port", "0")
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(server.connect()) for _ in range(20)]
            for number, connection in enumerate(clients):
                connection.sendall((b"", get()[:10], post(b"x" * 100_000)[:-1])[number % 3])
            time.sleep(0.05)
            status, out, errors = server.stop(signal.SIGINT)
        self.assertEqual((status, errors), (0, ""))
        self.assertRegex(out, r"^stopped: ")


if __name__ == "__main__":
    servers.main(PROGRAM, "curl", "wrk")
