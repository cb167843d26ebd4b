#!/usr/bin/env python3
"""The workload kv of tandem-lab, whose load checks every answer.

TANDEM_LAB names the executable. Standard library only.
"""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

LAB = os.environ.get("TANDEM_LAB", "")
TIMEOUT_SECONDS = 240
SKIPPED = 77  # to ctest

QUICK = ["--live", "2", "--value", "500", "--rate", "1000", "--seconds", "1", "--connections", "3"]
# The last ones collect all the time.
VARIANTS = ["processors=1", "processors=4", "processors=2 collect_every=200 poison_freed=on",
            "processors=2 collect_every=200 stop=stop_the_world poison_freed=on"]


def run_lab(*arguments, **environment):
    return subprocess.run([LAB, *map(str, arguments)], capture_output=True, text=True, timeout=TIMEOUT_SECONDS,
                          env={**os.environ, **environment}, check=False)


class Kv(unittest.TestCase):
    def run_kv(self, *arguments):
        """The report in JSON, and the table."""
        with tempfile.TemporaryDirectory(prefix="tandem-lab-test-") as directory:
            report = pathlib.Path(directory, "report.json")
            result = run_lab("run", "kv", *QUICK, *arguments, "--repeat", "1", "--warmup", "0", "--json", report)
            self.assertEqual(result.returncode, 0, f"\n{result.stdout}\n{result.stderr}")
            return json.loads(report.read_text(encoding="utf-8")), result.stdout

    def check(self, run, writes):
        self.assertEqual(run["input"]["keys"], 4000)
        metrics = run["metrics"]
        self.assertEqual(metrics["writes"], writes)
        self.assertLess(metrics["requests_per_second"], 1001)
        ranks = [metrics[f"request_latency_{rank}_ns"] for rank in ("p50", "p99", "p999", "max")]
        self.assertEqual(ranks, sorted(ranks))
        self.assertGreater(ranks[0], 0)
        self.assertGreater(metrics["request_cpu_ns"], 0)
        self.assertGreater(metrics["peak_rss_bytes"], 2e6)
        # What is sent late is answered late.
        self.assertGreaterEqual(metrics["request_latency_max_ns"], metrics["sent_late_max_ns"])

    def test_variants(self):
        report, table = self.run_kv(*(word for variant in VARIANTS for word in ("--variant", variant)))
        self.assertEqual([variant["label"] for variant in report["variants"]], VARIANTS)
        writes = report["variants"][0]["runs"][0]["metrics"]["writes"]
        self.assertIn(writes, range(430, 570))  # half of a thousand, by the seed's coins
        for variant in report["variants"]:
            with self.subTest(variant["label"]):
                run, = variant["runs"]
                self.check(run, writes)
                # Due at 1, 2 ... 1000 ms; the last of them where rounding leaves it before the end.
                self.assertIn(run["metrics"]["requests"], (999, 1000))
                if "collect_every" in variant["label"]:
                    self.assertGreater(run["metrics"]["cycles"], 0)
                    self.assertGreater(run["metrics"]["live_bytes"], 2e6)
        for column in ("requests/s", "request latency", "p99.9", "sent late", "CPU/request", "cycles", "longest stop",
                       "time to safepoint"):
            self.assertIn(column, table)
        self.assertIn("4000 keys with values of 500 bytes", table)

    def test_the_seed_makes_the_load(self):
        def load(*options):
            report, _ = self.run_kv("--arrivals", "poisson", *options)
            metrics = report["variants"][0]["runs"][0]["metrics"]
            return metrics["requests"], metrics["writes"]
        first = load("--seed", 5)
        self.assertEqual(load("--seed", 5), first)
        self.assertNotEqual(load("--seed", 6), first)
        self.assertIn(first[0], range(840, 1160))  # a thousand, five deviations

    def test_reads_only_and_writes_only(self):
        for share in (0, 1):
            report, _ = self.run_kv("--writes", share)
            run, = report["variants"][0]["runs"]
            self.check(run, share * run["metrics"]["requests"])

    @unittest.skipUnless(shutil.which("go"), "no Go here")
    def test_beside_go(self):
        report, table = self.run_kv("--beside-go", "-P", 2, "--stop", "ragged,stop_the_world", "--gc-percent", "50")
        labels = [variant["label"] for variant in report["variants"]]
        self.assertEqual(labels[2:], ["Go gc_percent=50 processors=2"], table)
        ours, _, theirs = (variant["runs"][0] for variant in report["variants"])
        for count in ("requests", "writes"):
            self.assertEqual(ours["metrics"][count], theirs["metrics"][count])
        self.check(theirs, ours["metrics"]["writes"])
        self.assertGreaterEqual(theirs["metrics"]["cycles"], 0)
        self.assertGreater(theirs["metrics"]["longest_all_stopped_ns"], 0)

    def test_without_go(self):
        result = run_lab("run", "kv", *QUICK, "--beside-go", PATH="/nowhere")
        self.assertEqual(result.returncode, 2, result.stderr)
        for part in ("--beside-go", "golang-go"):
            self.assertIn(part, result.stderr)

    def test_what_goes_wrong_in_the_server_is_said(self):
        """The store does not fit into the memory that it is given."""
        result = run_lab("run", "kv", *QUICK, "--live", 64, "--set", "memory_limit=16M", "--repeat", "1", "--warmup",
                         "0")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("the server answers SET with 'OOM", result.stderr)

    def test_bad_values_are_named_with_what_is_allowed(self):
        for arguments, parts in ((("--rate", "0"), ("--rate", "in range 1")), (("--value", "23"), ("--value", "24 to")),
                                 (("--arrivals", "sometimes"), ("--arrivals", "sometimes", "constant", "poisson")),
                                 (("--writes", "1.5"), ("--writes", "0 to 1")),
                                 (("--live", "0"), ("--live", "in range 1")),
                                 (("--connections", "none"), ("--connections", "none")),
                                 (("--seed", "0"), ("--seed", "1 to"))):
            with self.subTest(arguments):
                result = run_lab("run", "kv", *arguments)
                self.assertEqual(result.returncode, 2, result.stderr)
                for part in parts:
                    self.assertIn(part, result.stderr)


if __name__ == "__main__":
    if not LAB:
        raise SystemExit("TANDEM_LAB must name the tandem-lab executable")
    if "  kv " not in run_lab("list").stdout:
        print("tandem-lab was built without the examples, and so without the workload kv")
        raise SystemExit(SKIPPED)
    unittest.main(verbosity=2)
