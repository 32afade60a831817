from __future__ import annotations

import time
from pathlib import Path

from tests.benchmarks.idle_belt import measure, spent, table


def test_the_time_of_each_thread_is_told(tiny_bundle: Path) -> None:
    # The kernel counts in hundredths of a second, which a thread may not reach in a short while.
    for seconds in (0.5, 2, 8, 32):
        found = measure(
            tiny_bundle, seconds=seconds, frames_per_second=60, size=(640, 480), settling_seconds=0
        )
        if found.get("sorting"):
            break
    assert {"camera", "sorting", "lanes", "ledger", "ledger process", "MainThread"} <= set(found)
    assert found["sorting"] > 0


def test_what_a_thread_computes_is_counted() -> None:
    before, until = spent(), time.thread_time() + 0.1
    while time.thread_time() < until:
        pass
    assert spent()["MainThread"] - before["MainThread"] >= 0.08


def test_the_most_comes_first() -> None:
    lines = table({"camera": 1.0, "sorting": 2.5, "lanes": 0.0}).splitlines()
    assert [line.split()[0] for line in lines] == ["sorting", "camera", "all"]
    assert "3.50 %, at most 12" in lines[-1]
