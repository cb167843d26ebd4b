#!/usr/bin/env python3
"""Runs tandem-bench and its twin in Go by turns and compares them. Builds neither: `./tandem bench` does.

For each case and number of processors: ours, Go, ours, Go ..., a process each, --repeat times; then the
median of each figure with the least and the largest, the ratio of the medians, and whether it is what was
asked for. A full run writes bench/results/latest.json and the table in bench/README.md; a partial (--only,
--processors, --scale, --quick) prints its table, and replaces only its own rows there with --merge.
"""
import argparse
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
from typing import NamedTuple, Optional

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent / "build" / "release" / "bench"
RESULTS = HERE / "results" / "latest.json"
README = HERE / "README.md"
TABLE_BEGIN, TABLE_END = "<!-- table: begin -->", "<!-- table: end -->"
TIMEOUT_SECONDS = 180


class Ask(NamedTuple):
    """At most `figure`. Where `ratio` (Go's figure over ours) is given it decides, because both programs feel
    the machine's mood; else either will do: the figure, or the ratio of `go`, what Go 1.19 was when the
    figure was set, to it."""
    figure: float
    go: Optional[float] = None
    ratio: Optional[float] = None

    def ratio_wanted(self) -> Optional[float]:
        return self.ratio or (self.go / self.figure if self.go else None)


class Row(NamedTuple):
    case: str
    figure: str
    title: str
    by: str  # "cpu": processor time; "wall": the clock, or what is no time at all
    asks: dict  # by number of processors
    processors: tuple = (1, 2)
    go: bool = True  # has Go anything of the kind?
    compare: bool = True  # else both are shown, and none is better


def micro(name, title, asks=None, by="cpu", **more):
    return Row(name, name, title, by, asks or {}, **more)


def hyperalloc(name, title, processors=(2,)):
    case = f"hyperalloc/{name}"
    return [
        Row(case, f"{case}/rate", f"HyperAlloc, {title}: rate achieved", "wall", {}, processors,
            compare=False),
        Row(case, case, "the same, 3 s at that rate", "cpu", {}, processors),
        Row(case, f"{case}/stall/max", "the same, longest to replace an entry", "wall", {}, processors),
        Row(case, f"{case}/sleeper/max", "the same, 1 ms sleeper late, max", "wall", {}, processors),
    ]


ROWS = [
    micro("context_switch", "bare context switch, no scheduler", processors=(1,), go=False),
    micro("spawn/one_at_a_time", "spawn and finish, one at a time", {1: Ask(40, 226, 6)}),
    Row("spawn/burst", "spawn/burst_cold", "spawn 1M, then run them: first time", "cpu", {}),
    Row("spawn/burst", "spawn/burst_warm", "the same again", "cpu", {1: Ask(200, 1004, 5)}),
    Row("spawn/burst", "spawn/burst_warm", "the same again", "wall", {2: Ask(80, 214)}, (2,)),
    micro("yield/2", "yield, 2 goroutines", {1: Ask(8, 35, 4)}),
    micro("yield/1000", "yield, 1,000 goroutines", {1: Ask(20, 48)}),
    micro("ping_pong", "unbuffered round trip", {1: Ask(50, 202, 4)}),
    micro("ping_pong", "unbuffered round trip", {2: Ask(120, 314)}, "wall", processors=(2,)),
    micro("ring/1000", "ring of 1,000, one hop", {1: Ask(40, 125)}),
    micro("channel/cap0", "channel item, capacity 0", {1: Ask(25, 102)}),
    micro("channel/cap1", "channel item, capacity 1", {1: Ask(20, 76)}),
    micro("channel/cap64", "channel item, capacity 64", {1: Ask(8, 29)}),
    micro("channel/4to4_cap64", "channel item, 4 to 4, capacity 64", {1: Ask(10, 29), 2: Ask(30, 48)}),
    micro("select/2_ready", "select, 2 ready", {1: Ask(20, 55)}),
    micro("select/8_ready", "select, 8 ready", {1: Ask(60, 235)}),
    micro("select/2_blocked", "select, 2 blocked and woken", {1: Ask(80, 241)}),
    micro("mutex/uncontended", "mutex, uncontended", {1: Ask(5, 5.3)}),
    micro("mutex/shared_read", "shared mutex, read", {1: Ask(4, 4.2)}),
    micro("condition/round_trip", "condition variable, round trip", {1: Ask(60, 194)}),
    micro("wait_group/64", "wait group of 64, each", {1: Ask(45, 141)}),
    micro("skynet", "skynet, 1M leaves", {1: Ask(300, 939)}),
    micro("fib", "fib(27), a goroutine a call", {1: Ask(60, 252)}),
    micro("sieve", "prime sieve, 2,000 primes", {1: Ask(130, 427)}),
    Row("blocking", "blocking/bracket", "system call bracket, over the raw call", "cpu", {1: Ask(15, 30)}),
    Row("timer", "timer/create", "1M timers: create", "cpu", {1: Ask(80, 247)}),
    Row("timer", "timer/stop", "1M timers: stop", "cpu", {1: Ask(60, 294)}),
    Row("timer", "timer/fire", "1M timers: fire", "cpu", {1: Ask(400, 2305)}),
    Row("sleep/beside_spinners", "sleep/1ms_lateness/p50",
        "1 ms sleeper beside 2 spinning goroutines: late, p50", "wall", {2: Ask(500, 19_000)}, (2,)),
    Row("sleep/beside_spinners", "sleep/1ms_lateness/p99", "the same, p99", "wall", {2: Ask(2000, 31_000)},
        (2,)),
    Row("sleep/idle", "sleep/100us_takes/p50", "100 us sleep on an idle runtime takes, p50", "wall",
        {1: Ask(150, 1100), 2: Ask(150, 1100)}),
    Row("park", "park/create", "1M parked goroutines: create, each", "cpu", {2: Ask(2000, 3191)}, (2,)),
    Row("park", "park/resident", "1M parked: resident bytes, each", "wall", {2: Ask(4500)}, (2,)),
    Row("park", "park/cycle", "1M parked: full cycle, each", "cpu", {2: Ask(60, 1874)}, (2,)),
    Row("park", "park/wake_and_end", "1M parked: wake all and end, each", "cpu", {}, (2,)),
    micro("allocate/16", "allocate 16 B with pointers", {1: Ask(5, 21)}),
    micro("allocate/32", "allocate 32 B with pointers", {1: Ask(6, 26)}),
    micro("allocate/64", "allocate 64 B with pointers", {1: Ask(8, 29)}),
    micro("allocate/256", "allocate 256 B with pointers", {1: Ask(25, 48)}),
    Row("allocate_live", "allocate_live/32", "allocate 32 B, 256 MB live", "cpu", {1: Ask(40, 131)}),
    Row("allocate_live", "allocate_live/64", "allocate 64 B, 256 MB live", "cpu", {1: Ask(45, 123)}),
    Row("barrier", "barrier/off", "store of a reference, no cycle", "wall", {2: Ask(0.4)}, (2,)),
    Row("barrier", "barrier/on", "store of a reference, while marking", "wall", {2: Ask(4, 9.9)}, (2,)),
    micro("mark/shuffled", "full cycle, 256 MB shuffled tree, per object", {1: Ask(55, 274, 5)},
          processors=(1,)),
    micro("mark/orderly", "full cycle, 256 MB in order, per object", {1: Ask(17, 20)}, processors=(1,)),
    micro("binary_trees/16", "binary trees, depth 16", {1: Ask(150, 573)}),
    micro("binary_trees/16_goroutines", "the same, a goroutine per depth", {1: Ask(150, 551)}),
    micro("binary_trees/18", "binary trees, depth 18", {2: Ask(900, 2367)}, "wall", processors=(2,)),
    micro("binary_trees/18", "binary trees, depth 18", {2: Ask(1200, 3472)}, processors=(2,)),
    micro("gcbench", "GCBench, stretch 18, long-lived 16", {1: Ask(180, 727)}),
    micro("mt_gcbench", "MT_GCBench, 4 goroutines, stretch 18, long-lived 16"),
    micro("quads", "quads, 4 goroutines, 67 MB live"),
    *hyperalloc("200x64", "200 MB/s, 64 MB live", (1, 2)),
    *hyperalloc("200x256", "200 MB/s, 256 MB live"),
    *hyperalloc("500x64", "500 MB/s, 64 MB live"),
    *hyperalloc("500x256", "500 MB/s, 256 MB live"),
    Row("ring_buffer", "ring_buffer/store", "ring buffer 200,000 x 1 KiB: a store", "cpu", {}),
    Row("ring_buffer", "ring_buffer/latency/p99", "ring buffer: latency p99", "wall", {}),
    Row("ring_buffer", "ring_buffer/latency/p99.9", "ring buffer: latency p99.9", "wall", {}),
    Row("ring_buffer", "ring_buffer/latency/max", "ring buffer: longest", "wall", {}),
    Row("pause", "pause/1ms_lateness/p99", "512 MB live, 200 MB/s: 1 ms sleeper late, p99", "wall",
        {2: Ask(1500, 39_000)}, (2,)),
    Row("pause", "pause/1ms_lateness/max", "the same, max", "wall", {2: Ask(5000, 44_000)}, (2,)),
    Row("collect/beside_spinners", "collect/beside_spinners/p50", "collect() while goroutines spin, p50",
        "wall", {2: Ask(2000, 20_000)}),
    Row("safepoint", "safepoint/p50", "time to safepoint, p50", "wall", {}, go=False),
    Row("safepoint", "safepoint/p99", "time to safepoint, p99", "wall", {}, go=False),
    Row("safepoint", "safepoint/max", "time to safepoint, max", "wall", {}, go=False),
    micro("stack_scan/hot_kib", "stack scan, KiB in cache", processors=(1,), go=False),
    Row("stack_scan/parked", "stack_scan/parked_kib", "stack scan, KiB of parked stacks", "cpu", {}, (1,),
        go=False),
]


def busy_ticks():
    ticks = list(map(int, open("/proc/stat").readline().split()[1:9]))
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


class Measured(NamedTuple):
    figures: dict  # name -> {"value", "unit", "cpu"}; empty after a failure
    failure: str
    foreign: float  # share of the machine that other programs used meanwhile


def measure(command, processors) -> Measured:
    environment = dict(os.environ, GOMAXPROCS=str(processors))
    busy, total = busy_ticks()
    own = os.times()
    try:
        run = subprocess.run(command, env=environment, capture_output=True, text=True,
                             timeout=TIMEOUT_SECONDS)
        failure = f"status {run.returncode}" if run.returncode else ""
        out, err = run.stdout, run.stderr
    except subprocess.TimeoutExpired:
        failure, out, err = f"not done after {TIMEOUT_SECONDS} s", "", ""
    now = os.times()
    busy, total = busy_ticks()[0] - busy, max(1, busy_ticks()[1] - total)
    own_seconds = now.children_user - own.children_user + now.children_system - own.children_system
    foreign = max(0.0, (busy - own_seconds * os.sysconf("SC_CLK_TCK")) / total)
    if failure:
        print(f"  {' '.join(map(str, command))}: {failure}\n    " + "\n    ".join(err.splitlines()[:15]),
              file=sys.stderr)
        return Measured({}, failure, foreign)
    figures = {}
    for line in out.splitlines():
        if line.startswith("{"):
            figure = json.loads(line)
            figures[figure["name"]] = figure
    return Measured(figures, "", foreign)


def run_case(case, processors, options):
    """The runs of both programs, by turns: {"tandem": [Measured], "go": [Measured]}."""
    programs = {"tandem": [options.tandem, "--case", case, "--processors", str(processors), "--scale",
                           str(options.scale)]}
    if options.go and any(row.go for row in ROWS if row.case == case):
        programs["go"] = [options.go, "-case", case, "-scale", str(options.scale)]
    runs = {name: [] for name in programs}
    for _ in range(options.repeat):
        for name, command in programs.items():
            if runs[name] and all(run.failure for run in runs[name]) and len(runs[name]) == 2:
                continue  # twice is enough to see that it does not work
            runs[name].append(measure(command, processors))
    return runs


def summary(runs, row):
    """Median and range of the row's figure; or why there is none."""
    good = [run.figures[row.figure] for run in runs if row.figure in run.figures]
    if not good:
        return {"failure": next((run.failure for run in runs if run.failure), "no such figure")}
    values = sorted(figure["cpu" if row.by == "cpu" else "value"] for figure in good)
    failed = sum(1 for run in runs if run.failure)
    return {"median": statistics.median(values), "least": values[0], "most": values[-1], "runs": len(values),
            "unit": good[0]["unit"], **({"failed": failed} if failed else {})}


def checksums_differ(runs):
    """Whether what a program or its twin computed differs from run to run, or between them."""
    values = {}
    for program in runs.values():
        for run in program:
            for name, figure in run.figures.items():
                if name.endswith("/checksum"):
                    values.setdefault(name, set()).add(figure["value"])
    return any(len(seen) > 1 for seen in values.values())


def verdict(row, processors, tandem, go, scale):
    """What the table says of a row, and the ratio (None without Go). Figures are asked of the full work."""
    if "failure" in tandem:
        return "FAILED", None
    if not row.compare:
        return "", None
    ratio = go["median"] / tandem["median"] if go and "median" in go and tandem["median"] > 0 else None
    ask = row.asks.get(processors)
    if ask:
        wanted = ask.ratio_wanted()
        met = ratio is not None and wanted is not None and ratio >= wanted
        if scale == 1 and (ask.ratio is None or ratio is None):
            met = met or tandem["median"] <= ask.figure
        if met:
            return "met", ratio
    elif ratio is None:
        return "", None
    if ratio is not None and ratio < 1:
        return "**behind Go**", ratio
    if ask:
        return "short of the ask", ratio
    return "ahead", ratio


def evaluate(row, processors, runs, scale):
    tandem = summary(runs["tandem"], row)
    if checksums_differ(runs):
        tandem = {"failure": "the results of the runs differ"}
    go = summary(runs["go"], row) if row.go and "go" in runs else None
    says, ratio = verdict(row, processors, tandem, go, scale)
    ask = row.asks.get(processors)
    return {"case": row.case, "figure": row.figure, "title": row.title, "processors": processors,
            "by": row.by, "tandem": tandem, "go": go, "ratio": ratio,
            "foreign": statistics.median(run.foreign for program in runs.values() for run in program),
            "verdict": says,
            "ask": {"figure": ask.figure, "ratio": ask.ratio_wanted()} if ask else None}


def number(x):
    if x >= 1000:
        return f"{x:,.0f}"
    return f"{x:.3g}"


def cell(measured):
    if measured is None:
        return ""
    if "failure" in measured:
        return f"failed: {measured['failure']}"
    text = f"{number(measured['median'])} ({number(measured['least'])}..{number(measured['most'])})"
    return text + (f", {measured['failed']} runs failed" if "failed" in measured else "")


def table(rows):
    lines = ["| work | P | by | Tandem | Go | Go / Tandem | asked | |", "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        unit = row["tandem"].get("unit") or (row["go"] or {}).get("unit", "")
        ask = ""
        if row["ask"]:
            ask = f"≤ {number(row['ask']['figure'])}"
            if row["ask"]["ratio"]:
                ask += f" ({row['ask']['ratio']:.1f}×)"
        by = {"cpu": "CPU", "wall": "" if unit == "B" else "clock"}[row["by"]]
        ratio = f"{row['ratio']:.2f}" if row["ratio"] is not None else ""
        lines.append(f"| {row['title']}, {unit} | {row['processors']} | {by} | {cell(row['tandem'])} "
                     f"| {cell(row['go'])} | {ratio} | {ask} | {row['verdict']} |")
    return "\n".join(lines)


def cpu_model():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def version_of(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.strip()
    except OSError:
        return ""


def describe_machine(options):
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"machine": f"{len(os.sched_getaffinity(0))} CPUs, {cpu_model()}, {memory_gib:.0f} GiB",
            "kernel": platform.release(), "compiler": version_of([options.tandem, "--compiler"]),
            "go": version_of([options.go, "-version"]) if options.go else "none",
            "scale": options.scale}


def report(result):
    about = result["about"]
    foreign = [row["foreign"] for row in result["rows"]]
    runs = [row["tandem"]["runs"] for row in result["rows"] if "runs" in row["tandem"]] or [0]
    times = f"{min(runs)}" if min(runs) == max(runs) else f"{min(runs)} to {max(runs)}"
    text = [f"{about['machine']}; Linux {about['kernel']}; {about['compiler']}; {about['go']}.",
            f"Median of {times} interleaved runs, with the least and the largest. Other programs used "
            f"{statistics.median(foreign):.0%} of the machine meanwhile (from {min(foreign):.0%} to "
            f"{max(foreign):.0%}, by row); load average {about['load_start']:.1f} before and "
            f"{about['load_end']:.1f} after."]
    if about["scale"] != 1:
        text.append(f"Work scaled by {about['scale']}.")
    counts = {}
    for row in result["rows"]:
        if row["verdict"]:
            counts[row["verdict"].strip("*")] = counts.get(row["verdict"].strip("*"), 0) + 1
    if counts:
        text.append("Rows: " + ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) + ".")
    return "\n".join(text) + "\n\n" + table(result["rows"])


def write(result):
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    text = README.read_text()
    before, rest = text.split(TABLE_BEGIN, 1)
    after = rest.split(TABLE_END, 1)[1]
    README.write_text(f"{before}{TABLE_BEGIN}\n{report(result)}\n{TABLE_END}{after}")


def row_key(row):
    return row["figure"], row["processors"], row["by"]


def in_order(rows):
    """As in ROWS."""
    by_key = {row_key(row): row for row in rows}
    order = [(row.figure, processors, row.by) for row in ROWS for processors in row.processors]
    return [by_key[key] for key in order if key in by_key]


def merged(result):
    """The stored result with this one's rows in place of its own."""
    stored = json.loads(RESULTS.read_text())["rows"] if RESULTS.exists() else []
    return {"about": result["about"], "rows": in_order(stored + result["rows"])}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="REGEX", help="cases or figures whose name it matches")
    parser.add_argument("--processors", metavar="P[,P]", help="only these numbers of processors")
    parser.add_argument("--repeat", type=int, metavar="N", default=5,
                        help="runs of each program (default 5)")
    parser.add_argument("--quick", action="store_true", help="three runs")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X",
                        help="multiplies the work, 0.001 to 100")
    parser.add_argument("--merge", action="store_true", help="write a partial run's rows too")
    parser.add_argument("--tandem", type=pathlib.Path, default=BUILD / "tandem-bench", metavar="PATH")
    parser.add_argument("--go", type=pathlib.Path, default=BUILD / "go-bench", metavar="PATH")
    options = parser.parse_args()
    if options.quick:
        options.repeat = 3
    if options.repeat < 1:
        parser.error(f"--repeat is {options.repeat}; it must be 1 or more")
    if options.merge and options.scale != 1:
        parser.error("--merge takes full work only: leave --scale out")
    if not 0.001 <= options.scale <= 100:
        parser.error(f"--scale is {options.scale}; it must be from 0.001 to 100")
    if not options.tandem.exists():
        parser.error(f"{options.tandem} is not there: ./tandem bench builds it; or name another by --tandem")
    if not options.go.exists():
        print(f"{options.go} is not there: Go is left out", file=sys.stderr)
        options.go = None
    try:
        options.only = re.compile(options.only or "")
        options.wanted = tuple(map(int, options.processors.split(","))) if options.processors else None
    except (re.error, ValueError) as error:
        parser.error(f"--only is a regular expression, --processors a list of numbers: {error}")
    return options


def main():
    options = parse_arguments()
    partial = bool(options.only.pattern or options.wanted or options.quick or options.scale != 1)
    about = describe_machine(options) | {"load_start": os.getloadavg()[0]}
    chosen = [(row, p) for row in ROWS for p in row.processors
              if (options.only.search(row.figure) or options.only.search(row.case))
              and (not options.wanted or p in options.wanted)]
    if not chosen:
        sys.exit("run.py: nothing is called so, or runs on so many processors")
    result = {"about": about, "rows": []}
    jobs = list(dict.fromkeys((row.case, p) for row, p in chosen))
    for done, (case, p) in enumerate(jobs, 1):
        print(f"[{done}/{len(jobs)}] {case}, P = {p}", file=sys.stderr, flush=True)
        runs = run_case(case, p, options)
        result["rows"] += [evaluate(row, p, runs, options.scale)
                           for row, q in chosen if (row.case, q) == (case, p)]
        about["load_end"] = os.getloadavg()[0]
        if options.merge:  # now, so that little is lost to whoever interrupts this
            write(merged(result))
    result["rows"] = in_order(result["rows"])
    print(report(result))
    if not partial:
        write(result)
    if options.merge or not partial:
        print(f"written: {RESULTS}, {README}")
    return 1 if any(row["verdict"] == "FAILED" for row in result["rows"]) else 0


if __name__ == "__main__":
    sys.exit(main())
