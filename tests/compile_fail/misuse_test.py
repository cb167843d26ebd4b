"""What must not compile does not, and the compiler's message says what to write instead.

Each file of cases/ is compiled twice: as it is, where it has to fail with every text of its `// expect:` lines in the
output, and with -DREPAIRED, where it has to compile; so a case cannot pass because of an error that is not the one it is
about. A line `// errors: 1` says how many errors there are: that nothing follows which says less.

All headers are read once, into a precompiled one: the cases come to a second of processor time each without it.
(That each header includes what it needs is a test of its own, headers.compile_alone.)
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(os.environ.get("TANDEM_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
COMPILER = os.environ.get("TANDEM_CXX", "c++")
CASES = sorted((ROOT / "tests" / "compile_fail" / "cases").glob("*.cpp"))


def compiler(*arguments):
    command = [COMPILER, "-std=c++20", "-I", str(ROOT / "runtime" / "include"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, errors="replace",
                          env={**os.environ, "LC_ALL": "C"}, check=False)


def precompile(directory):
    """A header that includes all public ones, compiled beside it: to be given to -include."""
    header = pathlib.Path(directory) / "everything.h"
    header.write_text("#include <tandem/tandem.h>\n")
    result = compiler("-x", "c++-header", header, "-o", f"{header}.gch")
    if result.returncode != 0:
        raise AssertionError(f"<tandem/tandem.h> does not compile:\n{result.stderr}")
    return header


def compile_case(header, case, repaired):
    return compiler("-fsyntax-only", "-include", header, *(["-DREPAIRED"] if repaired else []), case)


def normalised(text):
    """Spaces run together: compilers may wrap what they print."""
    return re.sub(r"\s+", " ", text)


class CompileFail(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        jobs = [(case, repaired) for case in CASES for repaired in (False, True)]
        with tempfile.TemporaryDirectory(prefix="tandem-compile-fail-") as directory, \
                concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            header = precompile(directory)
            cls.results = dict(zip(jobs, pool.map(lambda job: compile_case(header, *job), jobs)))

    def test_there_are_cases(self):
        self.assertGreater(len(CASES), 0, f"no cases under {ROOT}")

    def test_misuse_fails_with_a_message_that_says_what_to_write(self):
        for case in CASES:
            expected = re.findall(r"^// expect: (.*)$", case.read_text(), re.MULTILINE)
            with self.subTest(case=case.name):
                self.assertTrue(expected, "the case has no `// expect:` line")
                result = self.results[case, False]
                self.assertNotEqual(result.returncode, 0, "it compiles")
                for text in expected:
                    self.assertIn(normalised(text), normalised(result.stderr))

    def test_nothing_else_is_complained_of(self):
        for case in CASES:
            for number in re.findall(r"^// errors: (\d+)$", case.read_text(), re.MULTILINE):
                with self.subTest(case=case.name):
                    output = self.results[case, False].stderr
                    self.assertEqual(len(re.findall(r": (?:fatal )?error: ", output)), int(number), output)

    def test_the_repaired_form_compiles(self):
        for case in CASES:
            with self.subTest(case=case.name):
                result = self.results[case, True]
                self.assertEqual(result.returncode, 0, result.stderr)


if __name__ == "__main__":
    unittest.main()
