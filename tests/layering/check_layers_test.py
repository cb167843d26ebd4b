"""Tests of tools/check_layers.py: planted violations have to be reported, and nothing else."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECKER = pathlib.Path(
    os.environ.get("TANDEM_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]),
    "tools",
    "check_layers.py",
)

# A tree that keeps all rules, by the ways in which a checker could be wrong about it.
GOOD_TREE = {
    "runtime/include/tandem/tandem.h": "#pragma once\n#include <tandem/go.h>\n",
    "runtime/include/tandem/go.h": "#pragma once\n#include <vector>\n",
    "runtime/base/bits.h": "#pragma once\n#include <tandem/go.h>\n",
    "runtime/context/context.cpp": '#include "runtime/context/context.h"\n#include "runtime/base/bits.h"\n#include <sanitizer/tsan_interface.h>\n'
    "void f() { __tsan_switch_to_fiber(nullptr, 0); }\n",
    "runtime/context/context.h": "#pragma once\n",
    "runtime/seam/seam.h": '#include "runtime/context/context.h"\n',
    "runtime/seam/current_thread.cpp": "thread_local int thread = 1'000;\n",
    # The third-party <gc/gc.h>, and words that are no code.
    "gc/marker.h": "#pragma once\n",
    "gc/collector.cpp": '#include "gc/marker.h"\n#include <gc/gc.h>\n#include "runtime/seam/seam.h"\n'
    '// #include "sched/queue.h"\n/*\n#include "sched/queue.h"\nthread_local int x;\n*/\n'
    'const char* a = "thread_local";\nconst char* b = R"(\n#include "sched/queue.h"\n)";\n',
    "sched/queue.h": "#pragma once\nint thread_local_count;  // a thread_local would be wrong here\n",
    "netpoll/epoll.cpp": "#include <sys/epoll.h>\n",
    "runtime/boot/boot.cpp": '#include "gc/marker.h"\n#include "sched/queue.h"\n',
    "examples/kv/store.h": "#include <tandem/tandem.h>\n",
    "workloads/quads.h": "#include <tandem/tandem.h>\n",
    "lab/main.cpp": '#include <tandem/tandem.h>\n#include "examples/kv/store.h"\n#include "workloads/quads.h"\n',
    "examples/hello.cpp": "#include <tandem/tandem.h>\n",
    "tests/gc/marker_test.cpp": '#include "gc/marker.h"\n#include "sched/queue.h"\nthread_local int free_here;\n',
}

# File to replace or add, its text, the line that has to be reported.
PLANTED = {
    "another header before its own": (
        "runtime/context/context.cpp",
        '#include "runtime/base/bits.h"\n#include "runtime/context/context.h"\n',
        'runtime/context/context.cpp:1: the first include should be "runtime/context/context.h"',
    ),
    "an example that looks inside": (
        "examples/kv/store.h",
        '#include "gc/marker.h"\n',
        "examples/kv/store.h:1: examples/ may not include gc/: a user sees <tandem/...> only",
    ),
    "a workload that looks inside": (
        "workloads/quads.h",
        '#include "gc/marker.h"\n',
        "workloads/quads.h:1: workloads/ may not include gc/: a user sees <tandem/...> only",
    ),
    "sibling gc to sched": (
        "gc/collector.cpp",
        '#include "sched/queue.h"\n',
        "gc/collector.cpp:1: gc/ may not include sched/",
    ),
    "sibling sched to gc": (
        "sched/queue.h",
        '#pragma once\n#include "gc/marker.h"\n',
        "sched/queue.h:2: sched/ may not include gc/",
    ),
    "sibling netpoll to sched, indented, with spaces": (
        "netpoll/epoll.cpp",
        '#if 1\n  #  include   "sched/queue.h"\n#endif\n',
        "netpoll/epoll.cpp:2: netpoll/ may not include sched/",
    ),
    "sibling by angle brackets": (
        "netpoll/epoll.cpp",
        "#include <gc/marker.h>\n",
        "netpoll/epoll.cpp:1: netpoll/ may not include gc/",
    ),
    "sibling by a relative path": (
        "gc/collector.cpp",
        '#include "../sched/queue.h"\n',
        'gc/collector.cpp:1: "../sched/queue.h" is not a path from the project\'s root: write "sched/queue.h"',
    ),
    "own directory by a relative path": (
        "gc/collector.cpp",
        '#include "marker.h"\n',
        'gc/collector.cpp:1: "marker.h" is not a path from the project\'s root: write "gc/marker.h"',
    ),
    "a file that does not exist": (
        "gc/collector.cpp",
        '#include "gc/gone.h"\n',
        'gc/collector.cpp:1: "gc/gone.h" is not a file of this project: write <gc/gone.h> if it is the system\'s',
    ),
    "seam upwards": (
        "runtime/seam/seam.h",
        '#include "gc/marker.h"\n',
        "runtime/seam/seam.h:1: runtime/seam/ may not include gc/",
    ),
    "context upwards": (
        "runtime/context/context.h",
        '#include "runtime/seam/seam.h"\n',
        "runtime/context/context.h:1: runtime/context/ may not include runtime/seam/",
    ),
    "base upwards": (
        "runtime/base/bits.h",
        '#include "runtime/context/context.h"\n',
        "runtime/base/bits.h:1: runtime/base/ may not include runtime/context/",
    ),
    "public header to an internal one": (
        "runtime/include/tandem/go.h",
        '#include "runtime/base/bits.h"\n',
        "runtime/include/tandem/go.h:1: runtime/include/tandem/ may not include runtime/base/",
    ),
    "parts to boot": (
        "sched/queue.h",
        '#include "runtime/boot/boot.cpp"\n',
        "sched/queue.h:1: sched/ may not include runtime/boot/",
    ),
    "library to tests": (
        "sched/queue.h",
        '#include "tests/gc/marker_test.cpp"\n',
        "sched/queue.h:1: sched/ may not include tests/",
    ),
    "example to an internal header": (
        "examples/hello.cpp",
        '#include "gc/marker.h"\n',
        "examples/hello.cpp:1: examples/ may not include gc/: a user sees <tandem/...> only",
    ),
    "thread_local elsewhere": (
        "sched/worker.cpp",
        "int a;\nstatic thread_local int b;\n",
        "sched/worker.cpp:2: thread_local is allowed in runtime/seam/current_thread.cpp only",
    ),
    "thread_local after a digit separator and a character": (
        "sched/worker.cpp",
        "int a = 1'000; char q = '\"'; thread_local int b;\n",
        "sched/worker.cpp:1: thread_local is allowed in runtime/seam/current_thread.cpp only",
    ),
    "__thread": (
        "gc/window.h",
        "extern __thread int b;\n",
        "gc/window.h:1: __thread is allowed in runtime/seam/current_thread.cpp only",
    ),
    "sanitizer header elsewhere": (
        "sched/worker.cpp",
        "#include <sanitizer/asan_interface.h>\n",
        "sched/worker.cpp:1: sched/ may not include <sanitizer/asan_interface.h>: runtime/context/ may",
    ),
    "sanitizer function declared by hand": (
        "sched/worker.cpp",
        'extern "C" void __sanitizer_start_switch_fiber(void**, const void*, unsigned long);\n',
        "sched/worker.cpp:1: __sanitizer_start_switch_fiber is allowed in runtime/context/ only",
    ),
}


class CheckLayers(unittest.TestCase):
    def check(self, changes):
        """Runs the checker over GOOD_TREE with `changes`; returns its exit status and the lines it printed."""
        with tempfile.TemporaryDirectory() as directory:
            for path, text in {**GOOD_TREE, **changes}.items():
                file = pathlib.Path(directory, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            result = subprocess.run(
                [sys.executable, CHECKER, directory], capture_output=True, text=True, check=False
            )
            self.assertEqual(result.stderr, "")
            return result.returncode, result.stdout.splitlines()

    def test_good_tree_passes(self):
        self.assertEqual(self.check({}), (0, [f"{len(GOOD_TREE)} files checked, 0 violations"]))

    def test_each_planted_violation_is_the_one_reported(self):
        for name, (path, text, expected) in PLANTED.items():
            with self.subTest(name):
                status, lines = self.check({path: text})
                self.assertEqual(lines[:-1], [expected])
                self.assertEqual(status, 1)

    def test_all_violations_of_a_file_are_reported(self):
        status, lines = self.check({"gc/collector.cpp": '#include "sched/queue.h"\n\nthread_local int a;\n'})
        self.assertEqual(status, 1)
        self.assertEqual(
            [line.split(": ")[0] for line in lines[:-1]], ["gc/collector.cpp:1", "gc/collector.cpp:3"]
        )

    def test_a_tree_without_sources_is_an_error(self):
        with tempfile.TemporaryDirectory() as directory:
            result = subprocess.run(
                [sys.executable, CHECKER, directory], capture_output=True, text=True, check=False
            )
            self.assertEqual(result.returncode, 2)
            self.assertIn(directory, result.stderr)


if __name__ == "__main__":
    unittest.main()
