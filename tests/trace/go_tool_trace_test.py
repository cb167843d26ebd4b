"""Go's own tools on a trace: they accept it, and their views have something to show."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request

PROGRAM = os.environ.get("TANDEM_TRACED_PROGRAM", "")
SKIPPED = 77


def has_go():
    """Is there a Go whose `go tool trace` reads the format? All do, from 1.19 on."""
    if not shutil.which("go"):
        return False
    help_text = subprocess.run(["go", "tool", "trace", "-h"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return "-pprof" in help_text.stdout


class GoToolTrace(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.traces = {}
        for processors in 1, 2, 8:
            for stop in "ragged", "stop_the_world":
                cls.traces[processors, stop] = cls.record(processors, stop)

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    @classmethod
    def record(cls, processors, stop, **options):
        path = pathlib.Path(cls.directory.name) / f"{processors}-{stop}{'-'.join(options.values())}.trace"
        environment = dict(os.environ, TANDEM_TRACE=str(path), TANDEM_PROCESSORS=str(processors), TANDEM_STOP=stop, **options)
        subprocess.run([PROGRAM], env=environment, check=True, timeout=120)
        return path

    def pprof(self, kind, path):
        done = subprocess.run(["go", "tool", "trace", f"-pprof={kind}", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout[:2], b"\x1f\x8b", "no profile")  # compressed
        profile = pathlib.Path(self.directory.name) / f"{kind}.pprof"
        profile.write_bytes(done.stdout)
        top = subprocess.run(["go", "tool", "pprof", "-top", "-nodefraction=0", profile], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             timeout=120, env=dict(os.environ, PPROF_TMPDIR=self.directory.name))
        self.assertEqual(top.returncode, 0, top.stderr)
        return top.stdout

    def test_every_trace_is_accepted(self):
        for which, path in self.traces.items():
            with self.subTest(which):
                self.assertIn("main", self.pprof("sched", path))

    def test_waits_by_their_reason(self):
        shown = self.pprof("sync", self.traces[2, "ragged"])
        self.assertIn("channel receive", shown)
        self.assertIn("wait group", shown)

    def test_blocking_calls(self):
        self.assertIn("blocking call", self.pprof("syscall", self.traces[2, "ragged"]))

    def test_a_trace_whose_beginning_is_missing(self):
        path = self.record(2, "ragged", TANDEM_TRACE_BUFFER="64K")
        self.assertIn("Type: delay", self.pprof("sched", path))

    def test_the_views_in_the_browser(self):
        for which in (2, "ragged"), (2, "stop_the_world"):
            with self.subTest(which):
                self.look_at_views(self.traces[which])

    def look_at_views(self, path):
        server = subprocess.Popen(["go", "tool", "trace", "-http=127.0.0.1:0", path], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True, env=dict(os.environ, BROWSER="true"))
        try:
            address = None
            for line in server.stderr:
                found = re.search(r"http://[\d.]+:\d+", line)
                if found:
                    address = found.group(0)
                    break
            self.assertIsNotNone(address, "no server")

            def get(view):
                with urllib.request.urlopen(address + view, timeout=120) as response:
                    self.assertEqual(response.status, 200, view)
                    return response.read().decode()

            goroutines = get("/goroutines")
            for name in "main", "sleeper", "collector", "main::":
                self.assertIn(name, goroutines)
            first = re.search(r'/goroutine\?id=\d+', goroutines).group(0)
            self.assertIn("Total", get(first))
            self.assertIn("<html", get("/mmu"))
            curve = json.loads(get("/mmuPlot?flags=stw%7Cbackground%7Cassist%7Csweep"))["curve"]
            utilisations = [point[1] for point in curve]
            self.assertGreater(max(utilisations), 0.2)
            self.assertLess(min(utilisations), 1.0, "the collector takes nothing")
            events = json.loads(get("/jsontrace"))["traceEvents"]
            names = {event.get("name", "") for event in events}
            self.assertIn("GC", names)
            self.assertTrue(any(name.startswith("GC (") for name in names), "no marking")
        finally:
            server.kill()
            server.wait()
            server.stderr.close()


if __name__ == "__main__":
    if not PROGRAM or not has_go():
        print("skipped: there is no go, or no program to trace")
        sys.exit(SKIPPED)
    unittest.main()
