"""examples/echo_server with thousands of clients, slow ones and such as disappear."""

import contextlib
import os
import random
import subprocess
import unittest

import servers
from servers import PATIENCE_SECONDS, SLOW_CLIENTS, Server, read_exactly, scaled

PROGRAM = os.environ.get("TANDEM_ECHO_SERVER", "")


class EchoServer(servers.ServerTest):
    program = PROGRAM
    arguments = ("127.0.0.1:0",)

    @classmethod
    def tearDownClass(cls):
        cls.server.process.kill()  # it knows no other end
        cls.server.process.communicate()

    def test_echoes(self):
        data = random.Random(3).randbytes(100_000)
        with self.server.connect() as connection:
            for at in range(0, len(data), 10_000):
                connection.sendall(data[at:at + 10_000])
                self.assertEqual(read_exactly(connection, len(data[at:at + 10_000])), data[at:at + 10_000])

    def test_thousands_of_clients(self):
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(self.server.connect()) for _ in range(SLOW_CLIENTS)]
            for text in (b"first", b"second"):
                for connection in clients:
                    connection.sendall(text)
                for connection in clients:
                    self.assertEqual(read_exactly(connection, len(text)), text)

    def test_clients_that_disappear(self):
        servers.disconnect_in_the_middle(self.server, b"x" * 100_000, scaled(500, 50))


class CommandLine(unittest.TestCase):
    def test_says_where_it_cannot_listen(self):
        server = Server(PROGRAM, "127.0.0.1:0")
        try:
            for address, message in ((f"127.0.0.1:{server.port}", "in use"), ("300.1.1.1:0", "300.1.1.1")):
                with self.subTest(address):
                    done = subprocess.run([PROGRAM, address], capture_output=True, text=True, timeout=PATIENCE_SECONDS,
                                          check=False)
                    self.assertEqual(done.returncode, 1)
                    self.assertIn(message, done.stderr)
        finally:
            server.process.kill()  # it knows no other end
            server.process.communicate()


if __name__ == "__main__":
    servers.main(PROGRAM)
