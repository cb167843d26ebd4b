"""The library on aarch64: cross-compiled, run under qemu-user.

Needs Debian's g++-aarch64-linux-gnu and qemu-user; skipped without them.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(os.environ["TANDEM_SOURCE_DIR"])
BUILD = pathlib.Path(os.environ["TANDEM_BINARY_DIR"]) / "aarch64"
CMAKE = os.environ["TANDEM_CMAKE"]
TOOLS = {"aarch64-linux-gnu-g++": "g++-aarch64-linux-gnu", "qemu-aarch64": "qemu-user"}
SKIPPED = 77


def run(*command, expected_status=0, **environment):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=300, env=os.environ | environment)
    if done.returncode != expected_status:
        raise AssertionError(f"{' '.join(map(str, command))}: exit status {done.returncode}, not {expected_status}\n"
                             f"{done.stdout[-4000:]}")
    return done.stdout


class Aarch64(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run(CMAKE, "-S", SOURCE, "-B", BUILD, "-G", "Ninja", "--toolchain", SOURCE / "cmake/toolchains/aarch64.cmake",
            "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG", "-DTANDEM_WARNINGS_AS_ERRORS=ON",
            *(f"-DTANDEM_BUILD_{part}=OFF" for part in ("TESTS", "BENCH", "LAB", "EXAMPLES")))
        run(CMAKE, "--build", BUILD, "--target", "tandem", "--parallel", "2")
        cls.program = BUILD / "program"
        run("aarch64-linux-gnu-g++", "-std=c++20", "-O2", "-fno-omit-frame-pointer", "-rdynamic", "-Wl,-z,now",
            "-I", SOURCE / "runtime/include", SOURCE / "tests/aarch64/program.cpp", BUILD / "libtandem.a", "-lpthread",
            "-o", cls.program)

    def part(self, name, expected_status=0, **environment):
        # qemu 7 keeps flags for each page of a mapping: the library's reservations of a terabyte would take 20 s. Of less address
        # space it takes less.
        return run("qemu-aarch64", "-R", "0x1000000000", "-L", "/usr/aarch64-linux-gnu", self.program, name, expected_status=expected_status,
                   **environment)

    def on_processors(self, name, **environment):
        for processors in ("1", "2"):
            with self.subTest(processors=processors):
                self.assertEqual(self.part(name, TANDEM_PROCESSORS=processors, **environment), "ok\n")

    def test_registers_survive_switches(self):
        self.on_processors("registers")
        self.on_processors("registers", TANDEM_STEAL_ALWAYS="on")

    def test_exceptions_and_errno_belong_to_goroutines(self):
        self.on_processors("exceptions")
        self.on_processors("exceptions", TANDEM_STEAL_ALWAYS="on", TANDEM_YIELD_EVERY_POLL="on")

    def test_roots_are_found(self):
        self.on_processors("roots", TANDEM_COLLECT_EVERY="10", TANDEM_POISON_FREED="on", TANDEM_VERIFY_AFTER_MARK="on")

    def test_stacks_grow(self):
        self.on_processors("deep_stacks")

    def test_an_overflow_is_reported(self):
        self.assertIn("stack", self.part("overflow", expected_status=2))

    def test_parked_goroutines_have_backtraces(self):
        output = self.part("dump")
        self.assertIn("channel receive", output)
        self.assertIn("Channel<int>", output)

    def test_timers_fire(self):
        self.on_processors("timers")


if __name__ == "__main__":
    missing = [package for tool, package in TOOLS.items() if not shutil.which(tool)]
    if missing:
        print(f"skipped: needs Debian's {' and '.join(missing)}")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
