"""A user's project builds against the library and runs, by each of the documented ways in.

consumer/ is that project; its program adds up a million orders in four goroutines and prints 1000000.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["TANDEM_SOURCE_DIR"])
BINARY = pathlib.Path(os.environ["TANDEM_BINARY_DIR"])
CMAKE = os.environ["TANDEM_CMAKE"]
CXX = os.environ["TANDEM_CXX"]
CONSUMER = SOURCE / "tests" / "package" / "consumer"
RUN_SECONDS_MAX = 60


def run(*command: object, seconds_max: float = 600) -> str:
    """Runs `command` and returns what it printed; raises with that output if it fails."""
    result = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds_max,
        check=False,
    )
    if result.returncode != 0:
        raise AssertionError(
            f"{' '.join(map(str, command))}: exit status {result.returncode}\n{result.stdout}"
        )
    return result.stdout


class Package(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tandem-package-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def build_and_run(self, *options: str) -> str:
        build = self.directory / "consumer"
        run(CMAKE, "-S", CONSUMER, "-B", build, "-G", "Ninja", f"-DCMAKE_CXX_COMPILER={CXX}", *options)
        run(CMAKE, "--build", build)
        return run(build / "consumer", seconds_max=RUN_SECONDS_MAX)

    def test_find_package(self):
        prefix = self.directory / "prefix"
        run(CMAKE, "--install", BINARY, "--prefix", prefix, "--component", "tandem_development")
        # Installed is what a user needs and nothing of the insides.
        headers = {path.relative_to(prefix).parts[:2] for path in prefix.rglob("*.h")}
        self.assertEqual(headers, {("include", "tandem")})
        self.assertEqual(
            self.build_and_run(f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_BUILD_TYPE=Release"), "1000000\n"
        )

    def test_add_subdirectory(self):
        # No build type, so no optimisation: the way a beginner's first project is configured.
        self.assertEqual(self.build_and_run(f"-DTANDEM_AS_SUBDIRECTORY={SOURCE}"), "1000000\n")


if __name__ == "__main__":
    unittest.main()
