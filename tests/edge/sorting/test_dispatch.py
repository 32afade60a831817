"""An item waits for its code, for as long as it may, and goes where the two of them say.

What else Dispatch does is seen on whole stations (tests/edge/test_station.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge.config.reading import StationPlan, read_station
from edge.core.images.preprocess import Box
from edge.core.verdict import Verdict, decide
from edge.events import Event, ItemSorted, Stamps
from edge.flow import NO_CODE, CodeFound, Frame, ItemInFrame, ItemKey, UnreadableFrame
from edge.sorting.dispatch import Dispatch
from edge.sorting.picture_uses import PictureUses
from edge.sorting.sorter import Outcome
from edge.sorting.tally import Tally
from tests.bundles import LABELS
from tests.edge.stations import STATION, make_station

RED = "4006381333931"
SAYS_RED = CodeFound(RED, None, "red")


@dataclass
class Door:
    """The parts around a Dispatch: its clock, its codes, its lanes and its rows."""

    plan: StationPlan
    wait_seconds: float = 1.0
    seconds: float = 100.0
    held: bool = False
    """Whether the lanes are held."""
    full: frozenset[str] = frozenset()
    """The lanes whose bins are full."""
    found: CodeFound | None = None
    looks: bool = True
    """Whether pictures can be looked at for codes."""
    looked: list[int] = field(default_factory=list)
    expected: list[tuple[int, int]] = field(default_factory=list)
    """Items, each with the number of rows that were offered by then."""
    scan: CodeFound | None = None
    """What was scanned by hand."""
    alone: list[bool] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    plans: list[float] = field(default_factory=list)
    """When something was to move, in the order in which that was planned."""
    rows: list[ItemSorted] = field(default_factory=list)

    def __post_init__(self) -> None:
        parts: Any = self  # it has the methods of each
        self.tally = Tally()
        self.dispatch = Dispatch(
            self.plan, lanes=parts, recorder=parts, tally=self.tally,
            stamps=Stamps("door", self.wall), clock=parts, pictures=PictureUses(codes=parts),
        )  # fmt: skip

    def now(self) -> float:
        return self.seconds

    def wall(self) -> float:
        return 1_790_000_000 + self.seconds

    travel = None

    def actuate(self, lane: str, at: float, key: ItemKey, *, metres: float | None = None) -> None:
        self.moved.append(lane)
        self.plans.append(at)

    def replan(self, key: ItemKey, at: float, *, metres: float | None = None) -> None:
        self.plans.append(at)

    def offer(self, event: Event) -> None:
        assert isinstance(event, ItemSorted)
        self.rows.append(event)

    def expect(self, key: ItemKey, frame: Frame, *, alone: bool) -> None:
        self.expected.append((key.item, len(self.rows)))
        self.alone.append(alone)

    @property
    def scan_waits(self) -> bool:
        return self.scan is not None

    def scanned(self, key: ItemKey) -> CodeFound:
        """As where the only item that was seen since the scan has its code."""
        if self.scan is None or len(self.expected) > 1:
            return NO_CODE
        return self.scan

    def look(self, key: ItemKey, frame: Frame, box: Box | None) -> Door | None:
        self.looked.append(key.item)
        return self if self.looks else None

    def see(self, *labels: str, closes: float | None = None, sure: float = 0.9) -> bool:
        """Items get their verdicts now."""
        frame = Frame(np.zeros((1, 1, 3), np.uint8), self.seconds, 1)
        found = (outcome(verdict(label, sure), frame, closes) for label in labels)
        return self.dispatch.carry_out(found, max_items=3)


def verdict(label: str, sure: float) -> Verdict:
    scores = np.full(3, (1 - sure) / 2, np.float32)
    scores[LABELS.index(label)] = sure
    return decide(scores, LABELS, dict.fromkeys(LABELS, 0.5), title="t", digest="d")


def outcome(found: Verdict, frame: Frame, closes: float | None) -> Outcome:
    at = frame.captured
    return Outcome(
        item=1, verdict=found, frame=frame, box=None, first=at, passed=at, frames=1, deciding=frame,
        sharpest=ItemInFrame(frame, None), closes=closes,
    )  # fmt: skip


@pytest.fixture
def door(tmp_path: Path, tiny_bundle: Path) -> Door:
    text = STATION.replace("default_lane", "  stopped: {}\ndefault_lane")
    file = make_station(
        tmp_path, text=text + "receiving: {mismatch_lane: stopped}\n", bundle=tiny_bundle
    )
    return Door(read_station(file))


def test_a_move_follows_what_later_frames_say_of_when_the_item_passes(tmp_path: Path) -> None:
    text = STATION.replace("warm:", "warm:\n    delay_seconds: 0.5")
    door = Door(read_station(make_station(tmp_path, text=text)), looks=False, wait_seconds=0.0)
    door.see("red")
    assert (door.moved, door.plans) == (["warm"], [100.5])
    door.dispatch.correct({1: 100.0})
    assert door.plans == [100.5], "nothing new"
    door.dispatch.correct({1: 100.02})
    door.dispatch.correct({1: 100.03, 2: 7.0})
    assert door.plans == pytest.approx([100.5, 100.52, 100.53])
    door.dispatch.correct({})
    door.dispatch.correct({1: 100.04})
    assert len(door.plans) == 3, "another item has its number, or nobody sees it any more"


def test_an_item_that_waits_for_its_code_is_followed_too(tmp_path: Path) -> None:
    text = STATION.replace("warm:", "warm:\n    delay_seconds: 0.5")
    door = Door(read_station(make_station(tmp_path, text=text)))
    door.see("red")
    door.dispatch.correct({1: 99.8})
    door.found = SAYS_RED
    door.dispatch.send_due()
    assert door.plans == pytest.approx([100.3])


def test_an_item_goes_when_its_code_is_known(door: Door) -> None:
    door.see("red")
    assert (door.rows, door.moved, door.tally.items) == ([], [], 0)
    door.seconds += 0.2
    door.found = SAYS_RED
    door.dispatch.send_due()
    (row,) = door.rows
    assert (row.lane, row.barcode, row.accepted) == ("warm", RED, True)
    assert row.latency_ms == pytest.approx(0)  # to its verdict, not to its code
    assert door.dispatch.next_due is None


@pytest.mark.parametrize(
    ("closes", "until"), [(None, 101.0), (100.4, 100.4), (200.0, 101.0), (99.0, 99.0)]
)
def test_it_waits_no_longer_than_it_may(door: Door, closes: float | None, until: float) -> None:
    door.see("green", closes=closes)
    if until > door.seconds:
        assert door.dispatch.next_due == pytest.approx(until)
        door.seconds = until - 0.01
        door.dispatch.send_due()
        assert door.rows == []
        door.seconds = until
        door.dispatch.send_due()
    (row,) = door.rows
    assert (row.lane, row.barcode) == ("rest", None)


def test_where_its_code_says_another_thing_it_goes_to_the_lane_for_such(door: Door) -> None:
    door.found = SAYS_RED
    door.see("blue")
    (row,) = door.rows
    assert (row.lane, row.reject, row.label) == ("stopped", "contradicted", "blue")
    assert door.moved == []


@pytest.mark.parametrize(
    ("found", "label", "sure", "lane", "reject"),
    [
        (NO_CODE, "blue", 0.9, "cold", None),
        (CodeFound(RED, None, None), "blue", 0.9, "cold", None),
        (CodeFound(RED, None, "phone"), "blue", 0.9, "cold", None),  # the model knows no phones
        (SAYS_RED, "blue", 0.4, "rest", "low_confidence"),
        (SAYS_RED, "red", 0.9, "warm", None),
    ],
)
def test_else_it_goes_where_its_verdict_says(
    door: Door, found: CodeFound, label: str, sure: float, lane: str, reject: str | None
) -> None:
    door.found = found
    door.see(label, sure=sure)
    (row,) = door.rows
    assert (row.lane, row.reject) == (lane, reject)


def test_a_pack_counts_for_its_pieces(door: Door) -> None:
    door.found = CodeFound(RED, 6, "red")
    door.see("red")
    assert door.rows[0].quantity == 6


def test_while_nobody_needs_its_code_it_goes_first_and_is_looked_at_then(door: Door) -> None:
    door.wait_seconds = 0.0
    door.see("red")
    assert (door.moved, door.looked, len(door.rows)) == (["warm"], [1], 1)
    assert door.expected == [(1, 0)]  # or it might be counted before its code is known


def test_one_whose_picture_is_not_looked_at_waits_for_nothing(door: Door) -> None:
    door.looks = False
    door.see("red")
    assert (door.moved, len(door.rows)) == (["warm"], 1)


def test_one_that_waited_goes_though_an_unreadable_picture_comes_next(door: Door) -> None:
    door.see("red")
    door.found = SAYS_RED
    unreadable = UnreadableFrame(door.seconds, 2, "2.png", "damaged")
    model: Any = SimpleNamespace(title="t", digest="d")
    door.dispatch.carry_out_unreadable(unreadable, model)
    assert [row.label for row in door.rows] == [None, "red"]
    assert door.dispatch.next_due is None


def test_those_that_wait_count_for_the_last_item(door: Door) -> None:
    assert [door.see("red") for _ in range(3)] == [False, False, True]
    assert [row.item for row in door.rows] == []
    door.found = NO_CODE
    door.dispatch.send_due()
    assert [row.item for row in door.rows] == [1, 2, 3]


@pytest.mark.parametrize("wait_seconds", [0.0, 1.0])
def test_a_scan_by_hand_before_it_chooses_the_lane_of_an_item_at_once(
    door: Door, wait_seconds: float
) -> None:
    door.wait_seconds, door.looks = wait_seconds, False
    door.scan = SAYS_RED
    door.see("green")
    (row,) = door.rows
    assert (row.lane, row.reject, row.barcode) == ("stopped", "contradicted", RED)


def test_what_is_read_on_the_item_counts_before_what_was_scanned(door: Door) -> None:
    door.scan = CodeFound("5901234123457", None, "blue")
    door.see("green")
    assert door.rows == []  # its picture is looked at still
    door.found = CodeFound("0", None, "green")
    door.dispatch.send_due()
    assert [(row.barcode, row.reject) for row in door.rows] == [("0", None)]


def test_where_no_code_is_read_on_the_item_that_of_the_scan_counts(door: Door) -> None:
    door.scan = SAYS_RED
    door.see("green")
    door.found = NO_CODE
    door.dispatch.send_due()
    assert [(row.barcode, row.reject) for row in door.rows] == [(RED, "contradicted")]


def test_all_items_of_a_frame_are_known_before_a_scan_is_given_to_one(door: Door) -> None:
    door.wait_seconds = 0.0
    door.scan = SAYS_RED
    door.see("green", "red")
    assert [(row.lane, row.barcode) for row in door.rows] == [("rest", None), ("warm", None)]
    assert door.looked == [1, 2]
