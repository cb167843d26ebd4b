#!/usr/bin/env python3
"""Checks the Spin models: each correct model has no error, each of its mutants has one.

Usage: run_models.py [--quick] [--jobs N] [--only TEXT] [--models DIR]

A model that is correct must be searched completely (no state left out, no bound hit). A mutant must fail by a
violated assertion or an invalid end state; a search that runs out of memory or time proves nothing and counts
as a failure. Every mutant that a model defines must occur in the table below.

Exit status: 0 as expected, 1 otherwise, 77 where spin or a C compiler is missing.
"""

import argparse
import concurrent.futures
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

EXIT_SKIPPED = 77
MEMORY_LIMIT_MB = 4000          # per search
CPU_LIMIT_S = 900               # per search; the longest takes about a tenth of it on an idle machine
DEPTH_LIMIT_STEPS = 20000       # the deepest path is a few hundred steps


@dataclass(frozen=True)
class Run:
    model: str
    mutant: str
    defines: str                # kind and size of the run, see the model's header
    quick: bool = True


def correct(model, defines="", quick=True):
    return Run(model, "correct", defines, quick)


RUNS = [
    correct("cycle", "OPS=2"),
    correct("cycle", "OPS=2 PARK=0"),
    correct("cycle", "OPS=2 SPAWN"),
    correct("cycle", "OPS=1 WORK"),
    correct("cycle", "OPS=3 HEAP"),
    correct("cycle", "OPS=2 LATE_CLEAR"),
    correct("cycle", "OPS=1 WORK QUIET_FLUSH"),
    correct("cycle", "OPS=2 WORK QUIET_FLUSH", quick=False),
    correct("cycle", "OPS=3", quick=False),
    correct("cycle", "OPS=3 SPAWN", quick=False),
    correct("cycle", "OPS=2 WORK", quick=False),
    Run("cycle", "merge_handshakes", "OPS=3 HEAP"),
    Run("cycle", "allocate_white", "OPS=2"),
    Run("cycle", "scan_before_handshake_2", "OPS=3 PARK=1"),
    Run("cycle", "table_skipped", "OPS=3 PARK=1"),
    Run("cycle", "resume_unscanned", "OPS=3 PARK=1"),
    Run("cycle", "born_scanned_early", "OPS=3 SPAWN"),
    Run("cycle", "no_shade_old", "OPS=2"),
    Run("cycle", "no_shade_new", "OPS=3"),
    Run("cycle", "no_shade_across", "OPS=2"),
    Run("cycle", "no_shade_read", "OPS=2"),
    Run("cycle", "read_bit_cleared_early", "OPS=2"),
    Run("cycle", "flag_after_load", "OPS=2"),
    Run("cycle", "no_flush", "OPS=2 LOSS"),
    Run("cycle", "no_activity_counter", "OPS=2 WORK LOSS"),
    Run("cycle", "counter_from_acknowledgement", "OPS=2 WORK LOSS"),
    Run("cycle", "holders_ignored", "OPS=2 WORK LOSS"),
    Run("cycle", "counter_ignores_shade", "OPS=2 WORK LOSS"),
    Run("cycle", "clear_before_handshake_4", "OPS=2"),
    Run("cycle", "shade_after_commit", "OPS=3"),
    Run("cycle", "allocate_unswept", "OPS=2"),
    correct("park"),
    Run("park", "commit_before_switch", ""),
    Run("park", "commit_blindly", ""),
    Run("park", "wake_drops_scan", ""),
    Run("park", "wake_ignores_scan", ""),
    Run("park", "scan_drops_note", ""),
    Run("park", "claim_not_atomic", ""),
    Run("park", "ticket_without_number", ""),
    correct("idle", "WORKERS=2"),
    correct("idle", "WORKERS=3 WAKES"),
    correct("idle", "WORKERS=3", quick=False),
    Run("idle", "no_recheck", "WORKERS=2"),
    Run("idle", "recheck_before_idle", "WORKERS=2"),
    Run("idle", "check_before_submit", "WORKERS=2"),
    Run("idle", "searching_until_sleep", "WORKERS=2"),
    Run("idle", "no_chained_wake", "WORKERS=3 WAKES"),
    Run("idle", "wake_without_retry", "WORKERS=2"),
    Run("idle", "proxy_without_claim", "WORKERS=2"),
    Run("idle", "proxy_drops_wake", "WORKERS=2"),
    Run("idle", "proxy_no_second_look", "WORKERS=2"),
]


@dataclass
class Result:
    verdict: str                # "complete", "error" or what went wrong
    detail: str = ""
    states: int = 0
    cpu_s: float = 0.0
    memory_mb: float = 0.0


def mutants_defined(path):
    """The names in a model's list of mutants: numbered defines from `correct` up to the first #ifndef."""
    listing = path.read_text().split("#ifndef MUTANT")[0]
    return set(re.findall(r"^#define (\w+) +\d+", listing, re.M)) - {"correct"}


def limit_cpu():
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S))
    os.nice(5)


def execute(command, directory):
    return subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def measure(command, directory):
    """Runs one search; returns its exit status, its output and its own CPU time in seconds."""
    with open(directory / "output", "w+") as output:
        process = subprocess.Popen(command, cwd=directory, stdout=output, stderr=subprocess.STDOUT,
                                   preexec_fn=limit_cpu)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        return process.returncode, output.read(), usage.ru_utime + usage.ru_stime


def judge(status, output):
    """What a search proved. Anything but a completed search or a property's violation proves nothing."""
    violation = re.search(r"pan:\d+: (assertion violated|invalid end state)(.*)", output)
    errors = re.search(r"errors: (\d+)", output)
    if violation and errors and int(errors[1]) > 0:
        return "error", re.sub(r"\s+", " ", (violation[1] + violation[2]).strip())
    if status != 0 or not errors:
        last_lines = output.strip().splitlines()[-1:] or ["no output"]
        return f"stopped (status {status})", last_lines[0]
    if int(errors[1]) != 0 or "Search not completed" in output or "max search depth too small" in output:
        return "incomplete", output.strip().splitlines()[0]
    return "complete", ""


def check(run, models, compiler):
    defines = [f"-D{word}" for word in run.defines.split()] + [f"-DMUTANT={run.mutant}"]
    with tempfile.TemporaryDirectory(prefix="tandem-models-") as name:
        directory = Path(name)
        shutil.copy(models / f"{run.model}.pml", directory)
        generated = execute(["spin", "-a", *defines, f"{run.model}.pml"], directory)
        if generated.returncode != 0 or not (directory / "pan.c").exists():
            return Result("spin failed", generated.stdout.strip()[:300])
        # Optimising takes 4 s, which a search of less than ten seconds does not give back.
        optimise = "-O0" if run.quick else "-O2"
        built = execute([compiler, optimise, "-w", "-DSAFETY", "-DCOLLAPSE", f"-DMEMLIM={MEMORY_LIMIT_MB}",
                         "-o", "pan", "pan.c"], directory)
        if built.returncode != 0:
            return Result("compiler failed", built.stdout.strip()[:300])
        status, output, cpu_s = measure(["./pan", f"-m{DEPTH_LIMIT_STEPS}"], directory)
    verdict, detail = judge(status, output)
    states = re.search(r"([\d.e+]+) states, stored", output)
    memory = re.search(r"([\d.]+)\s+total actual memory usage", output)
    return Result(verdict, detail, int(float(states[1])) if states else 0, cpu_s,
                  float(memory[1]) if memory else 0.0)


def missing_mutants(models):
    """Mutants that a model defines and the table forgets, or the reverse."""
    complaints = []
    for model in sorted({run.model for run in RUNS}):
        defined = mutants_defined(models / f"{model}.pml")
        listed = {run.mutant for run in RUNS if run.model == model} - {"correct"}
        for name in sorted(defined - listed):
            complaints.append(f"{model}.pml defines the mutant {name}, but run_models.py never runs it")
        for name in sorted(listed - defined):
            complaints.append(f"run_models.py lists the mutant {name}, but {model}.pml does not define it")
    return complaints


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="leave out the large searches")
    parser.add_argument("--jobs", type=int, default=2, help="searches at a time (default 2)")
    parser.add_argument("--only", default="", help="only runs whose 'model mutant size' contains this text")
    parser.add_argument("--models", type=Path, help="directory of the .pml files",
                        default=Path(__file__).resolve().parents[2] / "models")
    options = parser.parse_args()
    if options.jobs < 1:
        parser.error(f"--jobs must be at least 1, not {options.jobs}")

    compiler = shutil.which("gcc") or shutil.which("cc") or shutil.which("clang")
    missing = [name for name, found in (("spin", shutil.which("spin")), ("a C compiler", compiler),
                                        ("cpp (spin calls gcc -E)", shutil.which("gcc"))) if not found]
    if missing:
        print(f"skipped: not installed: {', '.join(missing)} (Debian: apt-get install spin gcc)")
        return EXIT_SKIPPED

    complaints = missing_mutants(options.models)
    for complaint in complaints:
        print(f"error: {complaint}")
    runs = [run for run in RUNS if (run.quick or not options.quick)
            and options.only in f"{run.model} {run.mutant} {run.defines}"]
    if not runs:
        parser.error(f"--only {options.only!r} matches no run")

    passed, failed = 0, len(complaints)
    row = "{:6} {:29} {:22} {:9} {:9} {:>10} {:>7} {:>6}  {}"
    print(row.format("model", "mutant", "size", "expected", "got", "states", "cpu s", "MB", "violated"),
          flush=True)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = pool.map(lambda run: check(run, options.models, compiler), runs)
        for run, result in zip(runs, results):
            expected = "complete" if run.mutant == "correct" else "error"
            as_expected = result.verdict == expected
            passed, failed = passed + as_expected, failed + (not as_expected)
            print(row.format(run.model, run.mutant, run.defines or "-", expected, result.verdict,
                             result.states, f"{result.cpu_s:.1f}", f"{result.memory_mb:.0f}",
                             result.detail if as_expected else f"MISMATCH {result.detail}"), flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
