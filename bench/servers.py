#!/usr/bin/env python3
"""Compares the example servers with others of their kind: kv_server with its twin in Go (bench/peers/go_kv) and
redis-server under redis-benchmark, http_server with Go's net/http (bench/peers/go_http) under wrk. Builds nothing:
`./tandem bench servers` does.

The servers of a row run by turns, --repeat times each, a process each; then the median of each figure, and beside each of
the others how many times better ours is: its rate over the other's, the other's processor time over its own. The client
runs on the same machine and may be what limits the rate; what the server costs is its processor time for each request,
which is why both are given. redis-server has one thread for its commands, whatever the number of processors.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time

BUILD = pathlib.Path(__file__).resolve().parent.parent / "build" / "release"
TIMEOUT_SECONDS = 120


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, command, port, processors, executable=None):
        self.process = subprocess.Popen(command, executable=executable, stdout=subprocess.DEVNULL,
                                        env={**os.environ, "GOMAXPROCS": str(processors)})
        self.port = port
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except ConnectionRefusedError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise
                time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run_client(command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True,
                          timeout=TIMEOUT_SECONDS).stdout


def redis_benchmark(server, test, pipeline, requests):
    """Requests done, and a second's rate."""
    out = run_client(["redis-benchmark", "-p", server.port, "-P", pipeline, "-n", requests, "-r", 100_000, "-t", test,
                      "--csv"])
    return requests, float(out.splitlines()[-1].split('"')[3])


def wrk(server, connections, seconds):
    out = run_client(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"http://127.0.0.1:{server.port}/"])
    return int(re.search(r"(\d+) requests in", out)[1]), float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def kv_server(processors):
    port = free_port()
    return Server([BUILD / "examples" / "example_kv_server", "--port", str(port), "--processors", str(processors)], port,
                  processors)


def go_kv(processors):
    port = free_port()
    return Server([BUILD / "bench" / "go-kv", "-address", f"127.0.0.1:{port}"], port, processors)


def redis_server(processors):
    # Debian's redis-tools holds the server's executable under another name.
    executable = shutil.which("redis-server") or shutil.which("redis-check-rdb")
    port = free_port()
    return Server(["redis-server", "--port", str(port), "--save", ""], port, processors, executable)


def http_server(processors):
    port = free_port()
    return Server([BUILD / "examples" / "example_http_server", "--port", str(port), "--processors", str(processors)], port,
                  processors)


def go_http(processors):
    port = free_port()
    return Server([BUILD / "bench" / "go-http", "-address", f"127.0.0.1:{port}"], port, processors)


def measure(start, processors, load):
    with start(processors) as server:
        before = server.cpu_seconds()
        requests, rate = load(server)
        return rate, 1e6 * (server.cpu_seconds() - before) / requests


# The first of a group is ours.
KV = {"kv_server": kv_server, "Go": go_kv, "redis-server": redis_server}
HTTP = {"http_server": http_server, "Go net/http": go_http}


def rows(arguments):
    for processors in arguments.processors:
        for pipeline in (1, 16):
            for test in ("set", "get", "incr", "lpush", "mset"):
                requests = arguments.requests if pipeline == 1 else 5 * arguments.requests
                yield (f"{test.upper()}, pipeline {pipeline}", processors, KV,
                       lambda server, t=test, p=pipeline, n=requests: redis_benchmark(server, t, p, n))
        yield "GET /, 64 connections", processors, HTTP, lambda server: wrk(server, 64, arguments.seconds)


def print_row(title, processors, medians):
    """Of {server: (rate, processor time)}."""
    ours, *others = medians
    rate, cost = medians[ours]
    print(f"| {title} | {processors} | {ours} | {rate:,.0f} | | {cost:.2f} | |")
    for name in others:
        its_rate, its_cost = medians[name]
        print(f"| | | {name} | {its_rate:,.0f} | {rate / its_rate:.2f} | {its_cost:.2f} | {its_cost / cost:.2f} |",
              flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each (default 3)")
    parser.add_argument("--processors", type=int, nargs="+", default=[1, 2], help="default: 1 2")
    parser.add_argument("--requests", type=int, default=200_000,
                        help="of redis-benchmark; five times as many with a pipeline")
    parser.add_argument("--seconds", type=int, default=4, help="of wrk")
    parser.add_argument("--only", default="", metavar="TEXT", help="rows whose title contains it")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    missing = [tool for tool in ("redis-benchmark", "wrk") if not shutil.which(tool)]
    if missing:
        print(f"servers.py: not installed: {', '.join(missing)} (redis-tools, wrk)", file=sys.stderr)
        return 2
    print("| load | processors | server | requests/s | ours better by | processor time each, us | ours better by |")
    print("|---|---|---|---|---|---|---|")
    results = []
    for title, processors, servers, load in rows(arguments):
        if arguments.only not in title:
            continue
        figures = {name: [] for name in servers}
        for _ in range(arguments.repeat):
            for name, start in servers.items():
                figures[name].append(measure(start, processors, load))
        print_row(title, processors,
                  {name: [statistics.median(column) for column in zip(*runs)] for name, runs in figures.items()})
        results += [{"load": title, "processors": processors, "server": name, "requests_per_second": rate, "cpu_us": cpu}
                    for name, runs in figures.items() for rate, cpu in runs]
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
