"""A whole station on time that jumps: the rows of real time, in less of it."""

from __future__ import annotations

import queue
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from edge.config.reading import read_station
from edge.events import ItemSorted
from edge.ledger.ledger import Ledger
from edge.runtime.clock import SYSTEM_CLOCK, Clock
from edge.simulation.virtual_clock import VirtualClock
from edge.sorting.tally import Tally
from edge.station import Station
from tests.edge.stations import STATION, make_station

pytestmark = pytest.mark.usefixtures("ledger_within")

PACE = "frames_per_second: 1000"


def sort(folder: Path, text: str, bundle: Path, *, items: int, clock: Clock) -> Tally:
    file = make_station(folder, text=text, bundle=bundle)
    nobody: Any = queue.SimpleQueue()
    with Station(read_station(file), endings=nobody, clock=clock) as station:
        return station.run(max_items=items)


def entries(folder: Path) -> list[ItemSorted]:
    with Ledger(folder / "ledger.sqlite") as ledger:
        return list(ledger.entries())


def test_the_rows_are_those_of_real_time(tmp_path: Path, tiny_bundle: Path) -> None:
    text = STATION.replace(PACE, "frames_per_second: 100, loop: true")
    text = text.replace("    labels: [red]", "    labels: [red]\n    delay_seconds: 0.5")
    found: list[list[Any]] = []
    for name, clock in (("real", SYSTEM_CLOCK), ("virtual", VirtualClock())):
        sort(tmp_path / name, text, tiny_bundle, items=30, clock=clock)
        rows = entries(tmp_path / name)
        # All but what is a time.
        found.append([
            (e.item, e.source, e.label, e.confidence, e.scores, e.accepted, e.reject, e.lane,
             e.bundle, e.bundle_digest, e.frames, e.actuation, e.due is None, e.missed)
            for e in rows
        ])  # fmt: skip
    assert len(found[0]) == 30
    assert found[1] == found[0]


@pytest.mark.parametrize(
    "seconds", [60, pytest.param(3600, marks=pytest.mark.slow)], ids=["a minute", "an hour"]
)
def test_at_half_a_frame_a_second_each_item_has_its_moment(
    seconds: int, tmp_path: Path, tiny_bundle: Path
) -> None:
    text = STATION.replace(PACE, "frames_per_second: 0.5, loop: true")
    text = text.replace("    labels: [red]", "    labels: [red]\n    delay_seconds: 1.5")
    # Each commit waits for the disk, which knows only its own time.
    text = text.replace("path: ledger.sqlite", "path: ledger.sqlite, commit_seconds: 60")
    clock = VirtualClock()
    tally = sort(tmp_path / "station", text, tiny_bundle, items=seconds // 2, clock=clock)
    rows = entries(tmp_path / "station")
    assert clock.now() >= seconds - 2
    assert (tally.items, tally.rejects, tally.missed, tally.dropped) == (len(rows), {}, {}, 0)
    assert [e.label for e in rows] == (["red", "green", "blue"] * len(rows))[: len(rows)]
    taken = [datetime.fromisoformat(e.time) for e in rows]
    assert {later - before for before, later in pairwise(taken)} == {timedelta(seconds=2)}
    assert {e.latency_ms for e in rows} == {0.0}
    with Ledger(tmp_path / "station" / "ledger.sqlite") as ledger:
        moved = {a.item: a for a in ledger.actuations()}
    warm = [e for e in rows if e.lane == "warm"]
    assert warm
    assert all(moved[e.item].ended == e.due and moved[e.item].missed is None for e in warm)
