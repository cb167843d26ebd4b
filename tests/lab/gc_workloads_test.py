#!/usr/bin/env python3
"""The collector's workloads of tandem-lab, whose results are computed here once more.

TANDEM_LAB names the executable. Standard library only.
"""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

LAB = os.environ.get("TANDEM_LAB", "")
TIMEOUT_SECONDS = 240
WORD = (1 << 64) - 1

# Every variant must compute the same; the last ones collect all the time.
VARIANTS = ["processors=1", "processors=4", "processors=2 collect_every=5 poison_freed=on",
            "processors=2 collect_every=5 stop=stop_the_world poison_freed=on"]


class Random:
    """xorshift, as in workloads/random.h."""

    def __init__(self, number):
        self.state = (88172645463325252 + number * 11400714819323198485) & WORD

    def below(self, limit):
        x = self.state
        x ^= x << 13 & WORD
        x ^= x >> 7
        x ^= x << 17 & WORD
        self.state = x
        return x % limit


def trees_nodes(depth, goroutines):
    """Of GCBench with a long-lived tree of `depth`."""
    nodes_of = [(2 << d) - 1 for d in range(depth + 3)]
    built = sum(2 * (2 * nodes_of[depth + 2] // nodes_of[d]) * nodes_of[d] for d in range(4, depth + 1, 2))
    return nodes_of[depth + 2] + nodes_of[depth] + goroutines * built


class QuadTree:
    """Nodes are lists of four nodes, leaves are numbers."""

    def __init__(self, depth, number):
        self.random, self.depth, self.built = Random(number), depth, 0
        self.root = self.make(depth)

    def make(self, height):
        self.built += 1
        return [self.make(height - 1) for _ in range(4)] if height else self.random.below(1000)

    def turn_path(self):
        at = self.root
        for _ in range(self.depth):
            at.append(at.pop(0))
            at = at[self.random.below(4)]

    def rebuild(self):
        at, height = self.root, self.depth
        for _ in range(self.random.below(self.depth)):
            at, height = at[self.random.below(4)], height - 1
        way = self.random.below(4)
        at[way] = self.make(height - 1)

    def checksum(self, quad):
        if isinstance(quad, int):
            return quad
        checksum = 7
        for child in quad:
            checksum = (checksum * 31 + self.checksum(child)) & WORD
        return checksum


def quads(depth, goroutines, rounds, turns):
    """(nodes, checksum)"""
    nodes = checksum = 0
    for number in range(goroutines):
        tree = QuadTree(depth, number)
        for _ in range(rounds):
            for _ in range(turns):
                tree.turn_path()
            tree.rebuild()
        nodes += tree.built
        checksum += tree.checksum(tree.root)
    return nodes, checksum & WORD


def hyperalloc(rate, live, seconds, goroutines):
    """(bytes, checksum)"""
    allocated_by_all = checksum = 0
    for number in range(goroutines):
        random = Random(number)
        slots = [(i + 1, 128 + random.below(897)) for i in range(int(live * 1e6 / 576 / goroutines))]
        made, allocated = len(slots), 0
        while allocated < rate * 1e6 / goroutines * seconds:
            slot = random.below(len(slots))
            made += 1
            slots[slot] = (made, 128 + random.below(897))
            allocated += slots[slot][1]
        allocated_by_all += allocated
        table = 0
        for entry, size in slots:
            table = (table * 31 + entry * 7 + size) & WORD
        checksum += table
    return allocated_by_all, checksum & WORD


class GcWorkloads(unittest.TestCase):
    def metrics(self, *arguments, variants=VARIANTS):
        """(variant, metrics) of each."""
        with tempfile.TemporaryDirectory(prefix="tandem-lab-test-") as directory:
            report = pathlib.Path(directory, "report.json")
            options = [word for variant in variants for word in ("--variant", variant)]
            result = subprocess.run(
                [LAB, "run", *map(str, arguments), "--repeat", "1", "--warmup", "0", "--json", report, *options],
                capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
            self.assertEqual(result.returncode, 0, f"\n{result.stdout}\n{result.stderr}")
            found = json.loads(report.read_text())["variants"]
        self.assertEqual(len(found), len(variants))
        return [(variant["label"], variant["runs"][0]["metrics"]) for variant in found]

    def test_gcbench(self):
        for label, metrics in self.metrics("gcbench", "--depth", 6):
            with self.subTest(label):
                self.assertEqual(metrics["nodes"], trees_nodes(6, 1))

    def test_mt_gcbench(self):
        for label, metrics in self.metrics("mt-gcbench", "--depth", 6, "--goroutines", 3):
            with self.subTest(label):
                self.assertEqual(metrics["nodes"], trees_nodes(6, 3))
                if "collect_every" in label:
                    self.assertGreater(metrics["cycles"], 0)

    def test_quads(self):
        nodes, checksum = quads(4, 3, 12, 20)
        for label, metrics in self.metrics("quads", "--depth", 4, "--goroutines", 3, "--rounds", 12, "--turns", 20):
            with self.subTest(label):
                self.assertEqual((metrics["nodes"], metrics["checksum"]), (nodes, checksum))
                if "collect_every" in label:
                    self.assertGreater(metrics["cycles"], 0)

    def test_hyperalloc(self):
        allocated, checksum = hyperalloc(10, 1, 0.1, 2)
        for label, metrics in self.metrics("hyperalloc", "--rate", 10, "--live", 1, "--seconds", 0.1, "--goroutines",
                                           2):
            with self.subTest(label):
                self.assertEqual((metrics["payload_bytes"], metrics["checksum"]), (allocated, checksum))
                self.assertGreater(metrics["replacing_count"], allocated / 1024)
                self.assertGreaterEqual(metrics["replacing_max_ns"], metrics["replacing_p50_ns"])
                self.assertGreater(metrics["sleeper_late_count"], 0)
                # What is due in the last of the hundred milliseconds is not allocated before.
                self.assertLess(metrics["payload_bytes_per_second"], 10e6 * 1.03)

    def test_hyperalloc_keeps_the_live_set(self):
        # Headers add a tenth; and what a cycle finds live has in it what was allocated while it ran.
        (_, metrics), = self.metrics("hyperalloc", "--rate", 5, "--live", 8, "--seconds", 0.5,
                                     variants=["collect_every=1000 processors=2"])
        self.assertGreater(metrics["live_bytes"], 8e6)
        self.assertLess(metrics["live_bytes"], 12e6)

    def test_bad_values_are_named_with_what_is_allowed(self):
        for arguments, parts in ((("hyperalloc", "--rate", "0"), ("--rate", "0.1")),
                                 (("hyperalloc", "--live", "0.5"), ("--live", "1")),
                                 (("hyperalloc", "--seconds", "forever"), ("--seconds", "forever")),
                                 (("gcbench", "--depth", "3"), ("--depth", "4 to 24")),
                                 (("gcbench", "--goroutines", "2"), ("--goroutines",)),
                                 (("quads", "--depth", "0"), ("--depth", "1 to 13"))):
            with self.subTest(arguments):
                result = subprocess.run([LAB, "run", *arguments], capture_output=True, text=True,
                                        timeout=TIMEOUT_SECONDS, check=False)
                self.assertEqual(result.returncode, 2, result.stderr)
                for part in parts:
                    self.assertIn(part, result.stderr)


if __name__ == "__main__":
    if not LAB:
        raise SystemExit("TANDEM_LAB must name the tandem-lab executable")
    unittest.main(verbosity=2)
