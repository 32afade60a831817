"""How long a large ledger takes to open, to be looked at, to be written and to be exported.

    python -m tests.benchmarks.ledger_size [--rows 1000000] [--rounds 20]

Two ledgers side by side, one of a thousand rows and one of many, measured in turn, so that what
else the machine does disturbs both. Each figure is a median, but for exports, which run once for
each size in a process of their own: the processor time that this took, and the most memory.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from edge.events import ExitSeen, Stamps, StateChanged
from edge.ledger.ledger import Ledger
from edge.ledger.recovering import RecoveringLedger
from edge.ledger.reports.last_run import last_run
from edge.ledger.reports.open_incidents import OpenIncidents
from edge.ledger.sqlite_file import ledger_facts
from tests.benchmarks.ledger_bytes import row

_SMALL = 1000
_COMMIT = 5000
_DELIVERY = 500
"""Items of one delivery."""
_EXPORTS = (
    *(("--format", kind) for kind in ("csv", "jsonl", "epcis", "parquet")),
    ("--format", "csv", "--delivery", "d-1"),
)


def fill(path: Path, rows: int) -> None:
    """Makes a ledger of so many items, each of which the exit of its lane has seen since the
    station started."""
    moment = itertools.count()
    stamps = Stamps("belt-1", lambda: 1.8e9 + 0.1 * next(moment))
    with Ledger(path) as ledger:
        begun = stamps.now()
        ledger.append(
            [StateChanged(*begun, "Starting", "Production", begun.time, "", "", "", None, "", "a")]
        )
        for first in range(0, rows, _COMMIT):
            ledger.append(
                [
                    replace(row(number), delivery_id=f"d-{number // _DELIVERY}")
                    for number in range(first, min(rows, first + _COMMIT))
                ]
            )
            ledger.append(
                [
                    ExitSeen(*stamps.now(), lane="glass", at=1.0)
                    for _ in range(first, min(rows, first + _COMMIT))
                ]
            )
            ledger.checkpoint()


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def opened_and_written(path: Path, number: int) -> dict[str, float]:
    """Seconds of opening a ledger as a station does, and of one commit of a row after that: while
    a large one is still being checked, and then."""
    with RecoveringLedger(path) as ledger:
        opening = seconds(lambda: ledger.append([]))
        during = seconds(lambda: ledger.append([row(10**7 + 10 * number)]))
        if ledger._check is not None:
            ledger._check._thread.join()
        after = [seconds(lambda: ledger.append([row(10**7 + 10 * number + 1)])) for _ in range(5)]
    return {"start": opening, "append, during check": during, "append": statistics.median(after)}


def exported(path: Path, *words_of_export: str) -> tuple[float, float]:
    """Seconds of processor time, and megabytes, of an export."""
    # Not ru_maxrss, which begins with that of the process that started this one.
    script = (
        "import pathlib, re, sys, time; from edge.cli import main; began = time.process_time(); "
        "main(['ledger', 'export', *sys.argv[1:]]); taken = time.process_time() - began; "
        "status = pathlib.Path('/proc/self/status').read_text(); "
        "print(taken, int(re.search(r'VmHWM:\\s+(\\d+)', status)[1]) * 1.024e-3)"
    )
    out = str(path.with_suffix(".export"))
    words = [sys.executable, "-c", script, str(path), *words_of_export, "--out", out]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    taken, megabytes = map(float, done.stdout.split())
    return taken, megabytes


def main() -> None:
    """Prints a line for each figure: the small ledger, the large one, their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--no-export", action="store_true", help="leave out the exports")
    parser.add_argument("--ledger", type=Path, help="a ledger of so many rows, made before")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / "small.sqlite", arguments.ledger or Path(folder) / "large.sqlite"]
        fill(paths[0], _SMALL)
        if arguments.ledger is None:
            fill(paths[1], arguments.rows)
        found: dict[str, tuple[list[float], list[float]]] = {}
        for number in range(arguments.rounds):
            for which, path in enumerate(paths):
                figures = opened_and_written(path, number)
                figures["status"] = seconds(partial(ledger_facts, path))
                figures["the run before"] = seconds(partial(last_run, path, None))
                figures["open incidents"] = seconds(OpenIncidents(path).now)
                for name, figure in figures.items():
                    found.setdefault(name, ([], []))[which].append(figure)
        for name, both in found.items():
            small, large = (statistics.median(values) * 1000 for values in both)
            print(f"{name:20} {small:8.2f} ms  {large:8.2f} ms  {large / small:6.2f}", flush=True)
        for words in () if arguments.no_export else _EXPORTS:
            for path in paths:
                taken, megabytes = exported(path, *words)
                name = " ".join(words).removeprefix("--format ")
                print(f"{name:20} {path.name:14} {taken:8.2f} s  {megabytes:6.1f} MB", flush=True)


if __name__ == "__main__":
    main()
