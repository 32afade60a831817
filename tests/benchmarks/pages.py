"""The operator's pages on a ledger of 100,000 items: memory, first paint, and silence noticed.

    python -m tests.benchmarks.pages [--items 100000]

A real process serves the pages and a real Chromium looks at them. Ten pages are open beside it, and
in the end two people sign in at the same time, in a process of their own. What is measured goes to
stdout. Exit code 1: the pages took more memory than MOST_MB, a first paint longer than PAINT_MS, or
a page noticed later than SILENCE_SECONDS after the station's last sign of life that it is silent.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import httpx2

from edge.core.errors import EXIT_NO, EXIT_OK
from edge.events import ItemSorted, utc_text
from edge.ledger.ledger import Ledger
from edge.telemetry.status import status_path
from edge.telemetry.status_file import StatusFile
from edge.web.people.accounts import Role, set_password
from edge.web.reading import read_plan
from edge.web.visit import NAVIGATION
from tests.edge.ledger.entries import entry
from tests.edge.stations import STATION, make_station
from tests.edge.telemetry.statuses import SIGNS
from tests.edge.web.browsing import PASSWORD
from tests.edge.web.chromium import Screen, chromium
from tests.edge.web.test_serving import served
from tests.ports import free_port

MOST_MB = 60
PAINT_MS = 1000
SILENCE_SECONDS = 2.0
_OTHERS = ("/deliveries", "/teach/region", "/teach/lanes", "/health/pictures")
"""Pages that are not in the navigation."""
_OPEN = 10
"""Pages whose streams of events are read meanwhile."""
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
        figures = Figures()
        with (
            served(station) as (address, process),
            kept_open(address, _OPEN),
            chromium() as browser,
        ):
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
                    figures.note(f"paint of {path}", paint, PAINT_MS)
            print(f"resident after these: {_resident(process.pid)} MB")
            _export(address, count)
            print(f"resident after an export of all: {_resident(process.pid)} MB")
            _silence(folder, browser, address, figures)
            figures.note("resident at the most, MB", _peak(process.pid), MOST_MB)
        figures.note("resident at two sign-ins, MB", _sign_in(station), MOST_MB)
    for line in figures.too_much:
        print(f"MORE THAN IT MAY BE: {line}")
    return EXIT_NO if figures.too_much else EXIT_OK


class Figures:
    """What was measured and has a bar.

    Attributes:
        too_much: a line for each figure above its bar.
    """

    def __init__(self) -> None:
        self.too_much: list[str] = []

    def note(self, what: str, figure: float, most: float) -> None:
        """Notes a figure that may be `most`."""
        if figure > most:
            self.too_much.append(f"{what}: {figure:.2f}, and {most:g} is the most")


@contextmanager
def kept_open(address: str, count: int) -> Iterator[None]:
    """Within it, so many pages have their stream of events open."""
    with ExitStack() as opened:
        for _ in range(count):
            stream = opened.enter_context(httpx2.stream("GET", f"{address}events", timeout=600))
            reader = threading.Thread(target=_read, args=(stream,), daemon=True)
            reader.start()
        yield


def _read(stream: httpx2.Response) -> None:
    with suppress(httpx2.HTTPError, httpx2.StreamError):  # it is closed in the end
        for _ in stream.iter_lines():
            pass


def _sign_in(station: Path) -> float:
    """The most memory in MB of a process in which two people sign in at the same time."""
    accounts = read_plan(station).accounts
    for name in ("Ana", "Budi"):
        set_password(accounts, name, PASSWORD, Role.ADMIN)
    with served(station) as (address, process), ThreadPoolExecutor(2) as pool:

        def enter(name: str) -> int:
            with httpx2.Client(base_url=address, timeout=60) as browser:
                found = re.search(r'name="token" value="([^"]+)"', browser.get("/sign-in").text)
                assert found is not None
                form = {"token": found[1], "name": name, "password": PASSWORD}
                return browser.post("/sign-in", data=form).status_code

        assert list(pool.map(enter, ("Ana", "Budi"))) == [303, 303]
        peak = _peak(process.pid)
    print(f"resident at the most while two people signed in: {peak} MB")
    return peak


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
    began, found = time.monotonic(), 0
    with httpx2.stream("GET", f"{address}history/export?from=2000-01-01", timeout=600) as answer:
        for line in answer.iter_lines():
            found += bool(line)
    print(f"export of {found - 1:,} of {count:,} items: {time.monotonic() - began:.1f} s")


def _silence(folder: Path, browser: object, address: str, figures: Figures) -> None:
    """How long after its last sign of life a page says that the station is silent."""
    ledger = folder / "ledger.sqlite"
    assert status_path("bin-1", ledger) is not None
    found = []
    with StatusFile("bin-1", ledger) as status:
        status.tell_of(lambda: SIGNS)
        for path in (*(path for path, _ in NAVIGATION), *_OTHERS):
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
            figures.note(f"silence on {path}", found[-1], SILENCE_SECONDS)


def _peak(pid: int) -> int:
    """The most that was resident, in MB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return round(int(found[1]) * 1024 / 1e6)


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * 4096 / 1e6)


if __name__ == "__main__":
    sys.exit(main())
