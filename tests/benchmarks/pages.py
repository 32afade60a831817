"""The operator's pages on a ledger of 100,000 items: memory, first paint, and silence noticed.

    python -m tests.benchmarks.pages [--items 100000]

A real process serves the pages and a real Chromium looks at them. What is measured goes to stdout;
nothing is asserted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from edge.events import ItemSorted, utc_text
from edge.ledger.ledger import Ledger
from edge.telemetry.status import status_path
from edge.telemetry.status_file import StatusFile
from edge.web.visit import NAVIGATION
from tests.edge.ledger.entries import entry
from tests.edge.stations import STATION, make_station
from tests.edge.telemetry.statuses import SIGNS
from tests.edge.web.chromium import Screen, chromium
from tests.edge.web.test_serving import free_port, served

_WEEK = 6.5 * 24 * 3600


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    count = parser.parse_args().items
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = f'{STATION}web: {{listen: "127.0.0.1:{free_port()}"}}\n'
        station = make_station(folder, text=text)
        _fill(folder / "ledger.sqlite", count)
        with served(station) as (address, process), chromium() as browser:
            print(f"resident at the start: {_resident(process.pid)} MB")
            for path in ("/", "/history", "/history?verdict=rejected", "/health", "/delivery"):
                for again in ("first", "again"):
                    screen = Screen(browser, address.rstrip("/"), "wall")
                    page = screen.open(path)
                    paint = page.evaluate(
                        """new Promise(done => new PerformanceObserver(list => {
                            const found = list.getEntriesByName("first-contentful-paint");
                            if (found.length) done(found[0].startTime);
                        }).observe({type: "paint", buffered: true}))"""
                    )
                    screen.context.close()
                    print(f"{path}: {again} paint {paint:.0f} ms")
            print(f"resident after these: {_resident(process.pid)} MB")
            _export(address, count)
            print(f"resident after an export of all: {_resident(process.pid)} MB")
            _silence(folder, browser, address)
    return 0


def _fill(ledger: Path, count: int) -> None:
    begin = time.time() - _WEEK
    with Ledger(ledger) as opened:
        for first in range(0, count, 5000):
            opened.append([_item(number, begin, count) for number in range(first, first + 5000)])


def _item(number: int, begin: float, count: int) -> ItemSorted:
    found = entry(number, time=utc_text(begin + number * _WEEK / count))
    rejected = number % 17 == 0
    reject = "low_confidence" if rejected else None
    return replace(found, accepted=not rejected, reject=reject)


def _export(address: str, count: int) -> None:
    import httpx2

    began, found = time.monotonic(), 0
    with httpx2.stream("GET", f"{address}history/export?from=2000-01-01", timeout=600) as answer:
        for line in answer.iter_lines():
            found += bool(line)
    print(f"export of {found - 1:,} of {count:,} items: {time.monotonic() - began:.1f} s")


def _silence(folder: Path, browser: object, address: str) -> None:
    """How long after its last sign of life a page says that the station is silent."""
    ledger = folder / "ledger.sqlite"
    assert status_path("bin-1", ledger) is not None
    found = []
    with StatusFile("bin-1", ledger) as status:
        status.tell_of(lambda: SIGNS)
        for path, _ in NAVIGATION:
            status.ready("running")
            screen = Screen(browser, address.rstrip("/"), "wall")  # type: ignore[arg-type]
            page = screen.open(path)
            for _ in range(6):
                status.alive()
                page.wait_for_timeout(500)
            last = time.monotonic()
            status.alive()
            page.wait_for_selector("#silent", state="visible")
            found.append(time.monotonic() - last)
            screen.context.close()
            print(f"{path}: silent {found[-1]:.2f} s after the last sign of life")


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * 4096 / 1e6)


if __name__ == "__main__":
    sys.exit(main())
