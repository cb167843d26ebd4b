"""What must not compile does not, and the compiler's message says what to write instead.

Each file of cases/ is compiled twice: as it is, where it has to fail with every text of its `// expect:` lines in the
output, and with -DREPAIRED, where it has to compile; so a case cannot pass because of an error that is not the one it is
about.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(os.environ.get("TANDEM_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
COMPILER = os.environ.get("TANDEM_CXX", "c++")
CASES = sorted((ROOT / "tests" / "compile_fail" / "cases").glob("*.cpp"))


def compile_case(case, repaired):
    command = [COMPILER, "-std=c++20", "-fsyntax-only", "-I", str(ROOT / "runtime" / "include")]
    if repaired:
        command.append("-DREPAIRED")
    return subprocess.run(command + [str(case)], capture_output=True, text=True, errors="replace",
                          env={**os.environ, "LC_ALL": "C"}, check=False)


def normalised(text):
    """Spaces run together: compilers may wrap what they print."""
    return re.sub(r"\s+", " ", text)


class CompileFail(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        jobs = [(case, repaired) for case in CASES for repaired in (False, True)]
        with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            cls.results = dict(zip(jobs, pool.map(lambda job: compile_case(*job), jobs)))

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

    def test_the_repaired_form_compiles(self):
        for case in CASES:
            with self.subTest(case=case.name):
                result = self.results[case, True]
                self.assertEqual(result.returncode, 0, result.stderr)


if __name__ == "__main__":
    unittest.main()
