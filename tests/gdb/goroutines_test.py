"""tools/gdb/tandem.py on a live process and on a core file of it."""

import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

EXTENSION = pathlib.Path(os.environ["TANDEM_SOURCE_DIR"]) / "tools" / "gdb" / "tandem.py"
PROGRAM = os.environ.get("TANDEM_GDB_PROGRAM", "")
SKIPPED = 77


def gdb(*arguments, commands=()):
    """What gdb prints, errors included."""
    line = ["gdb", "-nx", "-batch", "-ex", "set pagination off", "-ex", "set width 0", "-ex", "set debuginfod enabled off",
            *arguments, "-ex", f"source {EXTENSION}"]
    for command in commands:
        line += ["-ex", command]
    done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
                          stdin=subprocess.DEVNULL)
    return done.stdout


def start_program(**options):
    program = subprocess.Popen([PROGRAM], stdout=subprocess.PIPE, text=True, **options)
    assert program.stdout.readline() == "ready\n"
    return program


def end(program):
    program.kill()
    program.wait()
    program.stdout.close()


def core_file(directory):
    """Of the same program, written by the kernel (gdb would write out all of the reserved address space); None if it writes
    none here."""
    allow = lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    try:
        program = start_program(cwd=directory, preexec_fn=allow)
    except subprocess.SubprocessError:
        return None  # the hard limit forbids it
    program.send_signal(signal.SIGABRT)
    program.wait()
    program.stdout.close()
    cores = list(pathlib.Path(directory).glob("core*"))
    return cores[0] if cores else None


class Goroutines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.program = start_program()
        cls.targets = {"process": ("-p", str(cls.program.pid))}
        core = core_file(cls.directory.name)
        if core is not None:
            cls.targets["core"] = (PROGRAM, "-c", str(core))
        else:
            print("no core files here (/proc/sys/kernel/core_pattern, ulimit -c): tried on a process only")

    @classmethod
    def tearDownClass(cls):
        end(cls.program)
        cls.directory.cleanup()

    def on_each(self):
        """What executes commands on each target, with its name."""
        for name, arguments in self.targets.items():
            yield name, lambda *commands, arguments=arguments: gdb(*arguments, commands=commands)

    def line_of(self, output, name):
        lines = [line for line in output.splitlines() if f'"{name}"' in line]
        self.assertEqual(len(lines), 1, output)
        return lines[0]

    def id_of(self, output, name):
        return re.search(r"goroutine (\d+) ", self.line_of(output, name)).group(1)

    def test_lists_them_with_what_they_wait_for(self):
        for target, execute in self.on_each():
            with self.subTest(target):
                output = execute("info goroutines")
                self.assertRegex(self.line_of(output, "receiver"),
                                 r"\[channel receive on 0x[0-9a-f]+.*\] .*wait_for_an_order")
                self.assertRegex(self.line_of(output, "locker"), r"\[mutex.* on 0x[0-9a-f]+.*\] .*wait_for_the_lock")
                self.assertRegex(self.line_of(output, "chooser"), r"\[select.*\] .*choose")
                self.assertRegex(self.line_of(output, "sleeper"), r"\[sleep.*\] ")
                self.assertRegex(self.line_of(output, "runner"), r"\[running on thread \d+\]")
                self.assertRegex(output, r"\(main\) \[(sleep for \d+\.\d+ s|running on thread \d+)\]")
                self.assertIn("... and", execute("info goroutines 2"))

    def test_shows_backtraces(self):
        expected = {"receiver": "wait_for_an_order", "locker": "wait_for_the_lock", "chooser": "choose",
                    "runner": "compute_without_end", "sleeper": "sleep_until_ns"}
        for target, execute in self.on_each():
            with self.subTest(target):
                listing = execute("info goroutines")
                commands = []
                for name in expected:
                    commands += [f"echo == {name}\\n", f"goroutine {self.id_of(listing, name)} bt"]
                shown = {part.split("\n")[0]: part for part in execute(*commands).split("== ")[1:]}
                for name, function in expected.items():
                    self.assertRegex(shown[name], rf"(?m)^#\d+ .*\b{function}\b")
                    self.assertIn("goroutine_entry", shown[name])
                    for another in set(expected.values()) - {function}:
                        self.assertNotRegex(shown[name], rf"(?m)^#\d+ .*\b{another}\b")

    def test_executes_commands_in_a_frame_and_comes_back(self):
        for target, execute in self.on_each():
            with self.subTest(target):
                receiver = self.id_of(execute("info goroutines"), "receiver")
                output = execute("print $sp", f"goroutine {receiver} print $sp", "print $sp", "bt 1")
                before, inside, after = re.findall(r"^\$\d+ = \(void \*\) (0x[0-9a-f]+)", output, re.MULTILINE)
                self.assertEqual(before, after)
                self.assertNotEqual(before, inside)
                self.assertRegex(output, r"(?m)^#0 ")

    def test_all(self):
        for target, execute in self.on_each():
            with self.subTest(target):
                output = execute("goroutine all bt 3")
                for name in ("receiver", "locker", "chooser", "sleeper", "runner"):
                    self.assertRegex(self.line_of(output, name), r"\]:$")

    def test_says_what_is_wrong(self):
        for command, message in (("goroutine 999999 bt", "there is no goroutine 999999"),
                                 ("goroutine", "usage: goroutine ID COMMAND"),
                                 ("goroutine main bt", "usage: goroutine ID COMMAND"),
                                 ("info goroutines many", "not 'many'")):
            with self.subTest(command):
                self.assertIn(message, gdb("-p", str(self.program.pid), commands=[command]))
        self.assertIn("not linked with tandem", gdb(shutil.which("true"), commands=["info goroutines"]))
        self.assertIn("there is no process", gdb(PROGRAM, commands=["info goroutines"]))


def reason_to_skip():
    if not shutil.which("gdb"):
        return "gdb is not installed"
    probe = start_program()
    try:
        output = gdb("-p", str(probe.pid), commands=["info threads"])
    finally:
        end(probe)
    if "tandem-monitor" not in output and "Thread" not in output:
        return f"gdb may not look at a process here: {output.strip().splitlines()[-1] if output.strip() else 'no output'}"
    return None


if __name__ == "__main__":
    reason = reason_to_skip()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
