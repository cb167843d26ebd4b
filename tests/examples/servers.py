"""What the tests of the example servers share: starting and stopping one, and the clients that servers fear."""

import contextlib
import os
import random
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import unittest

SCALE = float(os.environ.get("TANDEM_TEST_SCALE", "1"))
PATIENCE_SECONDS = 60  # for what must happen, however slow the machine is
SLOW_CLIENTS = max(100, int(2000 * min(SCALE, 1)))
SKIPPED = 77

# Sanitizers take memory of their own.
measures_memory = unittest.skipIf(os.environ.get("TANDEM_SANITIZED"), "the server is built with a sanitizer")


def main(program, *tools):
    """Runs the tests of the calling script; exits with the status of skipped tests where the program or a tool is missing.
    """
    missing = [tool for tool in tools if not shutil.which(tool)] or ([] if program else ["the example"])
    if missing:
        print(f"skipped: not here: {', '.join(missing)}")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)


def scaled(count, least=1):
    return max(least, int(count * min(SCALE, 1)))


def raise_descriptor_limit():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def eventually(condition):
    """The first true result of condition(), or its last one after PATIENCE_SECONDS."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        result = condition()
        if result or time.monotonic() > end:
            return result
        time.sleep(0.02)


class Server:
    """An example server on a free port of its own."""

    def __init__(self, program, *arguments):
        self.process = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        address = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", line)
        assert address, f"{program} said {line!r} {self.process.stderr.read() if not line else ''}"
        self.port = int(address.group(1))

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def descriptors_at_rest(self):
        """Without those that the runtime opens for a moment, when it first makes stacks for instance."""
        samples = []
        for _ in range(20):
            samples.append(self.descriptors())
            time.sleep(0.005)
        return min(samples)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def stop(self, which=signal.SIGTERM):
        """Its exit status, and all that it printed since it listens."""
        self.process.send_signal(which)
        out, errors = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, out, errors


def read_all(connection):
    """All until the end of the stream; a reset is an end as well."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def read_exactly(connection, count):
    parts = []
    while count:
        part = connection.recv(count)
        assert part, f"the connection ended {count} bytes early, after {b''.join(parts)[-100:]!r}"
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def disconnect(connection, reset):
    """Closes it; with a reset in place of an orderly end if so wanted."""
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def disconnect_in_the_middle(server, requests, rounds, seed=7):
    """Clients that send a part of `requests`, up to all of it, perhaps read a part of the answers, and are gone."""
    generator = random.Random(seed)
    for number in range(rounds):
        connection = server.connect()
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            connection.sendall(requests[:generator.randint(0, len(requests))])
            if generator.random() < 0.3:
                connection.settimeout(0.002)
                with contextlib.suppress(TimeoutError):
                    connection.recv(generator.randint(1, 1000))
        disconnect(connection, reset=number % 2 == 0)


def mutated(generator, text):
    """A few bytes of it removed, changed, doubled or put in."""
    result = bytearray(text)
    for _ in range(generator.randint(1, 4)):
        at = generator.randrange(len(result) + 1)
        length = generator.randint(1, 8)
        kind = generator.randrange(4)
        if kind == 0:
            del result[at:at + length]
        elif kind == 1:
            result[at:at + length] = generator.randbytes(length)
        elif kind == 2:
            result[at:at] = result[at:at + length]
        else:
            result[at:at] = generator.choice([b"\r\n", b"-1", b"99999999999999999999", b"\0", b"*", b"$", b" ", b"\n"])
    return bytes(result)


class ServerTest(unittest.TestCase):
    """A test case with one server for all of its tests; after each of them nothing may be left of its clients."""

    program = ""
    arguments = ("--port", "0", "--processors", "2")

    @classmethod
    def setUpClass(cls):
        raise_descriptor_limit()
        cls.server = Server(cls.program, *cls.arguments)
        cls.descriptors_at_rest = cls.server.descriptors_at_rest()
        cls.warm_up()

    @classmethod
    def warm_up(cls):
        """What the server makes once and keeps."""

    @classmethod
    def tearDownClass(cls):
        status, out, errors = cls.server.stop()
        assert status == 0 and re.search(r"^stopped: \d+ goroutines, \d+ descriptors$", out, re.MULTILINE), (
            f"status {status}, {out!r}, {errors!r}")

    def tearDown(self):
        self.assertIsNone(self.server.process.poll(), "the server has ended")
        left = lambda: self.server.descriptors() == self.descriptors_at_rest
        self.assertTrue(eventually(left), f"{self.server.descriptors()} descriptors, {self.descriptors_at_rest} at first")
