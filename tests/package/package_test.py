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

    def configure(self, *options: str) -> pathlib.Path:
        build = self.directory / "consumer"
        run(CMAKE, "-S", CONSUMER, "-B", build, "-G", "Ninja", f"-DCMAKE_CXX_COMPILER={CXX}", *options)
        return build

    def build_and_run(self, *options: str) -> str:
        build = self.configure(*options)
        run(CMAKE, "--build", build, "--parallel", "2")
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
        self.assertEqual(run(self.directory / "consumer" / "spinner", seconds_max=RUN_SECONDS_MAX), "interrupted\n")

    def test_add_subdirectory(self):
        # No build type, so no optimisation: the way a beginner's first project is configured. And a project that builds
        # its own sources in few large units, which ours do not bear.
        self.assertEqual(
            self.build_and_run(f"-DTANDEM_AS_SUBDIRECTORY={SOURCE}", "-DCMAKE_UNITY_BUILD=ON"), "1000000\n"
        )

    def test_fetch_content(self):
        # The sources and rules are those of test_add_subdirectory: that the library is there suffices.
        build = self.configure(f"-DTANDEM_FETCHED={SOURCE}")
        self.assertIn("libtandem.a", run(CMAKE, "--build", build, "--target", "help"))


if __name__ == "__main__":
    unittest.main()
