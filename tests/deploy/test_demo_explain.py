"""An item that is not in its lane has a reason that is told, and something that helps."""

from __future__ import annotations

import pytest

from deploy.demo.explain import advice, astray, told, what_happened
from deploy.demo.report import Fate
from deploy.demo.sorting import Row
from edge.core.images.preprocess import Box
from edge.events import ItemSorted
from edge.simulation.belt.traffic import GroundTruth

ACCEPT = {"can": 0.7, "fruit": 0.3}
LABELS = {"can": ("can",), "fruit": ("fruit",), "rest": ()}


def fate(
    item: int, lane: str, label: str | None, confidence: float = 0.9, reject: str | None = None
) -> Fate:
    """A can that fell into `lane`, taken for `label`; None: it has no verdict."""
    truth = GroundTruth(item, "can", "", "drawn", 0.0, 1.0, 2.0, Box(0, 0, 9, 9), 100.0)
    if label is None:
        return Fate(truth, None, lane)
    sent = "rest" if reject else label
    entry = ItemSorted(
        "", "2026-01-01T00:00:00.000000Z", "demo", item, "", label, confidence, None,
        reject is None, reject, sent, "b 1", "0" * 64, 5.0, 3,
    )  # fmt: skip
    return Fate(truth, Row(entry, 1.0, None), lane)


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        (fate(1, "rest", None), "no verdict, it fell into rest"),
        (
            fate(1, "rest", "can", 0.62, "low_confidence"),
            "rejected: can at 62%, accepted from 70%",
        ),
        (fate(1, "rest", "can", 0.9, "unknown"), "rejected: looks like no class (can at 90%)"),
        (fate(1, "rest", "can", 0.9, "late"), "rejected: its verdict came too late (can at 90%)"),
        (fate(1, "fruit", "fruit", 0.8), "wrong: taken for fruit at 80%"),
        (fate(1, "rest", "can"), "it fell into rest: its flap was not out in time"),
    ],
)
def test_what_happened_is_told(lost: Fate, words: str) -> None:
    assert words in what_happened(lost, ACCEPT)
    (line,) = told([lost, fate(2, "can", "can")], ACCEPT, LABELS)
    assert line.startswith("can: item 1 ")
    assert words in line


def test_many_are_counted_and_what_is_right_is_not_told() -> None:
    lost = [fate(number, "rest", None) for number in range(1, 12)]
    (line,) = told(lost, ACCEPT, LABELS)
    assert line.endswith("; and 3 more")
    assert astray([fate(1, "can", "can")], LABELS) == []
    assert told([fate(1, "can", "can")], ACCEPT, LABELS) == []


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        ([], []),
        ([fate(1, "rest", "can", 0.5, "low_confidence")], ["of 1 items the model was not sure"]),
        ([fate(1, "fruit", "fruit")], ["of 1 items the model was not sure"]),
        (
            [fate(1, "rest", "can", 0.9, "late")],
            [
                "1 items came too late",
            ],
        ),
        # A fruit's verdict that came too late is no wrong one.
        ([fate(1, "rest", "fruit", 0.9, "late")], ["1 items came too late"]),
        ([fate(1, "rest", "can"), fate(2, "fruit", "fruit")], ["30 of 900 frames", "of 1 items"]),
    ],
)
def test_what_helps_follows_from_what_happened(lost: list[Fate], words: list[str]) -> None:
    lines = advice(lost, LABELS, dropped=30, frames=900)
    assert len(lines) == len(words)
    assert all(word in line for word, line in zip(words, lines, strict=True))
