"""What a run comes to is told in lines of which each says one thing."""

from __future__ import annotations

from collections import Counter

import pytest

from edge.core.verdict import RejectReason, Verdict
from edge.flow import Missed, PictureFaultKind
from edge.sorting.routing import Routing
from edge.sorting.tally import Tally


def verdict(reject: RejectReason | None = None) -> Verdict:
    return Verdict("red", 0.9, {"red": 0.9}, title="t", digest="d", reject=reject)


def test_items_are_counted_by_lane_reject_and_missed_actuation() -> None:
    tally = Tally()
    tally.count(Routing(verdict(), "warm", None, missed=Missed.LATE), 4.0)
    tally.count(Routing(verdict(), "warm", 1.0), 6.0)
    tally.count(Routing(verdict(RejectReason.UNKNOWN), "rest", None), 8.0)
    assert (tally.items, tally.lanes) == (3, {"warm": 2, "rest": 1})
    assert (tally.rejects, tally.missed) == ({"unknown": 1}, {Missed.LATE: 1})
    assert tally.lines()[:5] == [
        "items      3",
        "lanes      rest 1, warm 2",
        "rejects    unknown 1",
        "frames     0 dropped",
        "latency    p50 6.0 ms, p95 7.8 ms, from capture to verdict",
    ]
    assert tally.lines()[5].startswith("missed     1 items for which no actuator moved: 1 late: ")


@pytest.mark.parametrize(
    ("tally", "line"),
    [
        (
            Tally(faults=Counter({PictureFaultKind.DAMAGED: 2})),
            "damaged    2 frames of the camera were left out",
        ),
        (
            Tally(faults=Counter({PictureFaultKind.TORN: 3, PictureFaultKind.FIRST: 1})),
            "pictures   torn 3: they show nothing new, and were left out",
        ),
        (Tally(empty=4), "empty      4: the verdict was that there was no item"),
        (Tally(spilled=5), "waiting    5 rows: the next start adds them to the ledger"),
        (Tally(lost=6), "LOST       6 rows are not in the ledger"),
        (Tally(lost_actuations=7), "LOST       7 rows of actuations are not in the ledger"),
        (Tally(lost_others=8), "LOST       8 rows of the station's events are not in the ledger"),
    ],
)
def test_what_is_not_so_in_every_run_has_a_line_of_its_own(tally: Tally, line: str) -> None:
    assert line in tally.lines()
    assert line not in Tally().lines()


def test_objects_of_a_single_frame_are_told() -> None:
    (line,) = set(Tally(single_frame=2).lines()) - set(Tally().lines())
    assert line.startswith("one frame  2 objects were seen in a single frame, and are not counted")
