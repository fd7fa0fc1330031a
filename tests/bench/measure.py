#!/usr/bin/env python3
"""Runs a command several times and prints one JSON object: the least wall and CPU time and the largest resident set.

measure.py [-n RUNS] COMMAND [ARG…]    its output is dropped; a status that is not 0 ends with 1
"""
import json
import os
import subprocess
import sys
import time


def run(argv):
    start = time.monotonic()
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    err = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    if status:
        sys.exit(f"{' '.join(argv)}: status {status}: {err[-300:].decode(errors='replace')}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def main():
    args, runs = sys.argv[1:], 5
    if args[:1] == ["-n"]:
        runs, args = int(args[1]), args[2:]
    if not args:
        sys.exit(__doc__)
    results = [run(args) for _ in range(runs)]
    print(json.dumps({"wall_s": round(min(r[0] for r in results), 6), "cpu_s": round(min(r[1] for r in results), 6),
                      "rss_kib": max(r[2] for r in results), "runs": runs}))


main()
