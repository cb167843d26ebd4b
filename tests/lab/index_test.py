#!/usr/bin/env python3
"""tandem-lab from outside: its index against an independent counter, its reports, its exit statuses.

TANDEM_LAB names the executable. Standard library only.
"""
import collections
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import unittest

LAB = os.environ.get("TANDEM_LAB", "")
TIMEOUT_SECONDS = 240

# Small machines and sanitizers: few processes, no warm-up, just one pass each unless a test says otherwise.
QUICK = ["--repeat", "1", "--warmup", "0", "--seconds", "0", "--queries-per-second", "200"]


def run_lab(*arguments, **environment):
    return subprocess.run(
        [LAB, *map(str, arguments)], capture_output=True, text=True, errors="replace",
        timeout=TIMEOUT_SECONDS, env={**os.environ, **environment}, check=False)


def make_input(root: pathlib.Path) -> None:
    """Everything that a walker can meet: text, empty, not UTF-8, binary, links, pipes, long words."""
    generator = random.Random(20)
    words = [f"word_{i}" for i in range(400)] + ["x", "yz", "Yz", "_", "__", "a1", "9"]
    separators = [" ", "\n", "\t", "-", "::", "(", ")", ".", "\u00e9", "\u4e16"]
    for number in range(120):
        directory = root / f"d{number % 7}" / (f"e{number % 3}" if number % 2 else "")
        directory.mkdir(parents=True, exist_ok=True)
        count = int(generator.paretovariate(0.8) * 20) % 6000
        text = "".join(generator.choice(words) + generator.choice(separators) for _ in range(count))
        (directory / f"f{number}.txt").write_text(text, encoding="utf-8")
    (root / "empty.txt").write_bytes(b"")
    (root / "latin1.txt").write_bytes("größer naïve Straße word_1".encode("latin-1"))
    (root / "no_newline.txt").write_bytes(b"word_2")
    (root / "long.txt").write_bytes(b"q" * 300_000 + b" " + b"end")
    (root / "bytes.txt").write_bytes(bytes(range(1, 256)) * 50)
    (root / "binary.bin").write_bytes(b"word_3 \0 word_3")
    (root / "binary_late.bin").write_bytes(b"word_4 " * 1000 + b"\0")
    (root / "nul_beyond_the_probe.txt").write_bytes(b"word_5 " * 2000 + b"\0word_5")
    (root / "name with 'quotes' and \u00fc.txt").write_bytes(b"word_6")
    (root / "dangling").symlink_to("nowhere")
    (root / "link_to_file").symlink_to("no_newline.txt")
    (root / "link_to_directory").symlink_to("d0")
    os.mkfifo(root / "pipe")


def count_independently(root: pathlib.Path, accepts=lambda name: True):
    """{term: [documents, occurrences]}, and the numbers of documents, binary and unreadable files."""
    index = collections.defaultdict(lambda: [0, 0])
    documents = binary = unreadable = 0
    for directory, _, names in os.walk(root):
        for name in names:
            path = pathlib.Path(directory, name)
            if not accepts(name):
                continue
            if not path.is_file():
                unreadable += 1
                continue
            data = path.read_bytes()
            if b"\0" in data[:8192]:
                binary += 1
                continue
            documents += 1
            for term, occurrences in collections.Counter(re.findall(rb"[A-Za-z0-9_]{2,}", data)).items():
                index[term][0] += 1
                index[term][1] += occurrences
    return dict(index), documents, binary, unreadable


def read_dump(path: pathlib.Path):
    lines = path.read_bytes().splitlines()
    terms = [line.split(b"\t")[0] for line in lines]
    assert terms == sorted(terms), "the dump is not sorted"
    return {term: [int(documents), int(occurrences)]
            for term, documents, occurrences in (line.split(b"\t") for line in lines)}


class LabTest(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tandem-lab-test-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.input = self.directory / "input"
        self.input.mkdir()

    def assert_succeeds(self, result):
        self.assertEqual(result.returncode, 0, f"\n{result.stdout}\n{result.stderr}")

    def assert_refused(self, result, *parts):
        self.assertEqual(result.returncode, 2, f"\n{result.stdout}\n{result.stderr}")
        for part in parts:
            self.assertIn(part, result.stderr)


class IndexAgainstTheCounter(LabTest):
    def check(self, *options, accepts=lambda name: True, **environment):
        dump, report = self.directory / "dump.tsv", self.directory / "report.json"
        result = run_lab("run", "index", "--input", self.input, "--dump-index", dump, "--json", report,
                         *QUICK, *options, **environment)
        self.assert_succeeds(result)
        index, documents, binary, unreadable = count_independently(self.input, accepts)
        dumped = read_dump(dump)
        self.assertEqual(sorted(dumped), sorted(index), "not the same terms")
        self.assertEqual(dumped, index)
        run = json.loads(report.read_text())["variants"][-1]["runs"][-1]
        self.assertEqual(run["input"]["documents"], documents)
        self.assertEqual(run["input"]["binary_files"], binary)
        self.assertEqual(run["input"]["unreadable_files"], unreadable)
        self.assertEqual(run["metrics"]["terms"], len(index))
        self.assertEqual(run["metrics"]["postings"], sum(documents for documents, _ in index.values()))
        self.assertEqual(run["metrics"]["occurrences"], sum(occurrences for _, occurrences in index.values()))
        return result, run

    def test_every_number_of_processors(self):
        make_input(self.input)
        for processors in (1, 2, 4, 8):
            with self.subTest(processors=processors):
                self.check("-P", processors)

    def test_while_collecting_all_the_time(self):
        make_input(self.input)
        for stop in ("ragged", "stop_the_world"):
            with self.subTest(stop=stop):
                _, run = self.check("--stop", stop, "--set", "collect_every=20", "--set", "poison_freed=on",
                                    "--passes", "2", "--shards", "3")
                self.assertGreater(run["metrics"]["cycles"], 0)
                if stop == "ragged":
                    self.assertEqual(run["metrics"]["longest_all_stopped_ns"], 0)

    def test_one_goroutine_a_stage(self):
        make_input(self.input)
        self.check("--readers", 1, "--tokenisers", 1, "--shards", 1, "--query-goroutines", 1)

    def test_glob(self):
        make_input(self.input)
        self.check("--glob", "*.txt", accepts=lambda name: name.endswith(".txt"))

    def test_ballast_and_queries_change_nothing(self):
        make_input(self.input)
        _, run = self.check("--live-mb", "8", "--passes", "3", "--queries-per-second", "2000")
        self.assertGreater(run["metrics"]["live_bytes"], 7 << 20)
        self.assertLess(run["metrics"]["live_bytes"], 10 << 20)
        self.assertGreater(run["metrics"]["queries"], 0)
        self.assertGreater(run["metrics"]["queries_found"], 0)

    def test_skipped_files_are_named_once_with_v_only(self):
        make_input(self.input)
        result, _ = self.check("-v", "--passes", "2", "--repeat", "2")
        reasons = {"binary.bin": "binary", "dangling": "No such file", "pipe": "not a regular file"}
        for name, reason in reasons.items():
            lines = [line for line in result.stderr.splitlines() if f"/{name}: " in line]
            self.assertEqual(len(lines), 1, result.stderr)
            self.assertIn(reason, lines[0])
        result, _ = self.check()
        self.assertEqual(result.stderr, "")


class Reports(LabTest):
    def test_variants_take_turns_and_have_a_row_each(self):
        (self.input / "a.txt").write_text("some words " * 100)
        report = self.directory / "report.json"
        result = run_lab("run", "index", "--input", self.input, "--stop", "ragged,stop_the_world", "--set",
                         "gc_percent=50,200", "--repeat", "2", "--warmup", "1", "--seconds", "0.1",
                         "--gap-probes", "1", "--json", report)
        self.assert_succeeds(result)
        lines = result.stdout.splitlines()
        self.assertTrue(lines[0].startswith("machine: "), result.stdout)
        self.assertIn("1 documents", lines[1])
        self.assertIn("--stop ragged,stop_the_world", lines[2])
        rows = [line for line in lines if line.startswith("stop=")]
        self.assertEqual([row.split()[:2] for row in rows],
                         [[f"stop={stop}", f"gc_percent={percent}"]
                          for stop in ("ragged", "stop_the_world") for percent in (50, 200)])
        for column in ("documents/s", "live heap", "cycles", "longest stop", "query latency", "longest gap",
                       "GC CPU"):
            self.assertIn(column, result.stdout)
        variants = json.loads(report.read_text())["variants"]
        self.assertEqual(variants[1]["knobs"], {"stop": "ragged", "gc_percent": "200"})
        for variant in variants:
            self.assertEqual([run["warm_up"] for run in variant["runs"]], [True, False, False])

    def test_queries_are_asked_at_the_rate_asked_for(self):
        (self.input / "a.txt").write_text("some words " * 100)
        report = self.directory / "report.json"
        result = run_lab("run", "index", "--input", self.input, "--repeat", "1", "--warmup", "0", "--seconds",
                         "2", "--queries-per-second", "100", "--json", report)
        self.assert_succeeds(result)
        metrics = json.loads(report.read_text())["variants"][0]["runs"][0]["metrics"]
        # An open loop asks all of them, late or not; the measured part may last a little longer than 2 s.
        self.assertGreaterEqual(metrics["queries"], 195)
        self.assertGreater(metrics["query_latency_max_ns"], 0)

    def test_binary_trees(self):
        report = self.directory / "report.json"
        result = run_lab("run", "binary-trees", "--depth", "10", "-P", "1,2", "--repeat", "1", "--warmup", "0",
                         "--json", report)
        self.assert_succeeds(result)
        self.assertIn("wall", result.stdout)
        nodes = (1 << 12) - 1 + (1 << 11) - 1
        for depth in range(4, 11, 2):
            nodes += (1 << (10 - depth + 4)) * ((1 << (depth + 1)) - 1)
        for variant in json.loads(report.read_text())["variants"]:
            self.assertEqual(variant["runs"][0]["metrics"]["nodes"], nodes)

    def test_list_names_workloads_and_knobs(self):
        result = run_lab("list")
        self.assert_succeeds(result)
        for name in ("index", "binary-trees", "gcbench", "mt-gcbench", "quads", "hyperalloc", "stop=ragged", "gc_percent=100", "collect_every=0"):
            self.assertIn(name, result.stdout)


class BadInput(LabTest):
    def test_input_directory(self):
        missing = self.directory / "missing"
        result = run_lab("run", "index", "--input", missing)
        self.assert_refused(result, "--input", str(missing), "No such file")
        file = self.directory / "file"
        file.write_text("x")
        self.assert_refused(run_lab("run", "index", "--input", file), "--input", str(file), "Not a directory")

    def test_input_without_text(self):
        (self.input / "a.bin").write_bytes(b"\0")
        self.assert_refused(run_lab("run", "index", "--input", self.input, *QUICK), "--input", "1 binary")

    def test_knobs(self):
        (self.input / "a.txt").write_text("some words")
        index = ("run", "index", "--input", self.input, *QUICK)
        self.assert_refused(run_lab(*index, "--set", "no_such_knob=1"), "no_such_knob", "gc_percent")
        result = run_lab(*index, "--stop", "sometimes")
        self.assert_refused(result, "TANDEM_STOP", "sometimes", "stop_the_world")
        self.assert_refused(run_lab(*index, "-P", "1,0x"), "TANDEM_PROCESSORS", "0x")
        self.assert_refused(run_lab(*index, "--gc-percent", "100000000"), "TANDEM_GC_PERCENT", "100000000")
        self.assert_refused(run_lab(*index, TANDEM_GC_PERCENT="lots"), "TANDEM_GC_PERCENT", "lots")

    def test_command_line(self):
        self.assert_refused(run_lab(), "list, run or help")
        self.assert_refused(run_lab("run", "nothing"), "nothing", "quads and hyperalloc")
        result = run_lab("run", "index", "--input", self.input, "--repeat", "0")
        self.assert_refused(result, "--repeat", "1 to 1000")

    def test_json_file_that_cannot_be_written(self):
        (self.input / "a.txt").write_text("some words")
        file = self.directory / "no" / "file"
        result = run_lab("run", "index", "--input", self.input, "--json", file, *QUICK)
        self.assert_refused(result, "--json", "No such file")


if __name__ == "__main__":
    if not LAB:
        raise SystemExit("TANDEM_LAB must name the tandem-lab executable")
    unittest.main(verbosity=2)
