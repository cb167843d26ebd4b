#!/usr/bin/env python3
"""Servers with many connections: echo_server and http_server, their twins in Go, and a bare epoll loop as the limit
(bench/peers/epoll), at 64, 1,000 and 10,000 connections; then the memory of each connection that is open and idle.
Builds nothing: `./tandem bench connections` does.

The servers of a row run by turns, --repeat times each, a process each; then the median of each figure. redis-benchmark is
the load of echo (what comes back is a reply in its protocol as well), wrk that of HTTP: one thread each, on the same machine,
so with many connections the latencies say how long the client's queue is. What the server costs is its processor time for
each request.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import statistics
import sys

import servers
from servers import BUILD, Server, free_port, run_client

HERE = pathlib.Path(__file__).resolve().parent
IDLE_CONNECTIONS_MAX = 10_000


def raise_descriptor_limit():
    """To what the system allows; returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def echo_server(processors):
    port = free_port()
    os.environ["TANDEM_PROCESSORS"] = str(processors)
    return Server([BUILD / "examples" / "example_echo_server", f"127.0.0.1:{port}"], port, processors)


def go_echo(processors):
    port = free_port()
    return Server([BUILD / "bench" / "go-echo", "-address", f"127.0.0.1:{port}"], port, processors)


def epoll_loop(mode):
    def start(processors):
        port = free_port()
        return Server([BUILD / "bench" / "epoll-server", mode, str(port), str(processors)], port, processors)

    return start


def load_echo(server, connections, requests):
    """Requests done, a second's rate, p50, p99 and p99.9 in us."""
    out = run_client(["redis-benchmark", "-p", server.port, "-c", connections, "-n", requests, "-t", "ping_mbulk"])
    rate = float(re.findall(r"throughput summary: ([\d.]+)", out)[-1])
    return (requests, rate, *(percentile(out, share) for share in (50, 99, 99.9)))


def percentile(out, share):
    """From redis-benchmark's distribution, whose steps are what they are: the first at or above `share`, in us."""
    steps = re.findall(r"([\d.]+)% <= ([\d.]+) milliseconds", out)
    return next(1000 * float(milliseconds) for reached, milliseconds in steps if float(reached) >= share)


def load_http(server, connections, seconds):
    out = run_client(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", HERE / "wrk_percentiles.lua",
                      f"http://127.0.0.1:{server.port}/"])
    errors = int(re.search(r"^errors (\d+)", out, re.MULTILINE)[1])
    if errors:
        raise RuntimeError(f"{errors} requests of wrk failed:\n{out}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
    percentiles = re.search(r"^percentiles (\d+) (\d+) (\d+)", out, re.MULTILINE)
    return (int(re.search(r"(\d+) requests in", out)[1]), rate, *map(float, percentiles.groups()))


ECHO = {"echo_server": echo_server, "Go net": go_echo, "epoll loop": epoll_loop("echo")}
HTTP = {"http_server": servers.http_server, "Go net/http": servers.go_http, "epoll loop": epoll_loop("http")}


def measure(start, processors, load):
    with start(processors) as server:
        before = server.cpu_seconds()
        requests, rate, *percentiles = load(server)
        return (rate, 1e6 * (server.cpu_seconds() - before) / requests, *percentiles)


def resident_bytes(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    return 1024 * int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)[1])


def idle_bytes(start, connections, hello):
    """Resident bytes a connection that has been served once and is silent since. (What the kernel keeps is not in it.)"""
    with start(2) as server:
        before = resident_bytes(server)
        clients = []
        for _ in range(connections):
            client = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            client.sendall(hello)
            if not client.recv(4096):
                raise RuntimeError("a connection was closed")
            clients.append(client)
        return (resident_bytes(server) - before) / connections


def run_loads(arguments, results):
    print("| load | processors | server | requests/s | processor time each, us | p50, us | p99 | p99.9 |")
    print("|---|---|---|---|---|---|---|---|")
    loads = (("echo", ECHO, load_echo, arguments.requests), ("HTTP", HTTP, load_http, arguments.seconds))
    for name, kinds, load, amount in loads:
        for connections in arguments.connections:
            for processors in arguments.processors:
                title = f"{name}, {connections:,} connections"
                if arguments.only not in title:
                    continue
                figures = {server: [] for server in kinds}
                for _ in range(arguments.repeat):
                    for server, start in kinds.items():
                        figures[server].append(
                            measure(start, processors, lambda running: load(running, connections, amount)))
                for server, runs in figures.items():
                    rate, cpu, *percentiles = [statistics.median(column) for column in zip(*runs)]
                    print(f"| {title} | {processors} | {server} | {rate:,.0f} | {cpu:.2f} | "
                          + " | ".join(f"{value:,.0f}" for value in percentiles) + " |", flush=True)
                    results += [dict(zip(("requests_per_second", "cpu_us", "p50_us", "p99_us", "p999_us"), run),
                                     load=title, processors=processors, server=server) for run in runs]


def run_idle(connections, results):
    print(f"\n| {connections:,} idle connections | bytes each |\n|---|---|")
    for kinds, hello in ((ECHO, b"hello"), (HTTP, b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")):
        for server, start in kinds.items():
            if server == "epoll loop":
                continue
            each = idle_bytes(start, connections, hello)
            print(f"| {server} | {each:,.0f} |", flush=True)
            results.append({"idle_connections": connections, "server": server, "bytes_each": each})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each (default 3)")
    parser.add_argument("--processors", type=int, nargs="+", default=[1, 2], help="default: 1 2")
    parser.add_argument("--connections", type=int, nargs="+", default=[64, 1000, 10_000], help="default: 64 1000 10000")
    parser.add_argument("--requests", type=int, default=200_000, help="of redis-benchmark (default 200000)")
    parser.add_argument("--seconds", type=int, default=4, help="of wrk (default 4)")
    parser.add_argument("--only", default="", metavar="TEXT", help="rows whose title contains it")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    missing = [tool for tool in ("redis-benchmark", "wrk") if not shutil.which(tool)]
    if missing:
        print(f"connections.py: not installed: {', '.join(missing)} (redis-tools, wrk)", file=sys.stderr)
        return 2
    limit = raise_descriptor_limit()
    most = max(arguments.connections)
    if limit < most + 100:
        print(f"connections.py: {most} connections need {most + 100} descriptors a process, {limit} are allowed"
              " (ulimit -Hn)", file=sys.stderr)
        return 2
    results = []
    run_loads(arguments, results)
    if arguments.only in "idle connections":
        run_idle(min(most, IDLE_CONNECTIONS_MAX), results)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
