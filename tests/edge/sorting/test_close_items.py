"""Items that pass too close together, or lie in a bin together, are rejected."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge.core.verdict import RejectReason
from edge.flow import Frame
from edge.sorting.vote_deadlines import VoteDeadlines
from tests.edge.sorting.scripted import (
    CAN,
    FROZEN,
    Script,
    gone,
    play,
    seen,
    sorter,
)

GAP = VoteDeadlines(min_gap_seconds=0.25)


@pytest.mark.parametrize(
    ("second", "reasons"),
    [
        (0.7, [RejectReason.TOO_CLOSE] * 2),
        (0.8, [None, None]),
    ],
)
def test_items_that_pass_too_close_together_are_both_rejected(
    second: float, reasons: list[RejectReason | None]
) -> None:
    """The first is sure after three frames, and its verdict waits for who may follow."""
    script = Script(scores=[CAN] * 40)
    script.observations = [
        *[[seen(1, passed=0.5)]] * 4,
        *[[seen(1, passed=0.5), seen(2, passed=second)]] * 9,
        [gone(1, passed=0.5), gone(2, passed=second)],
    ]
    found = play(script, GAP)
    assert [outcome.verdict.reject for _, outcome in found] == reasons
    assert [number for number, _ in found] == [8, 10 if second == 0.7 else 11]
    assert all(outcome.verdict.label == "can" for _, outcome in found)


@pytest.mark.parametrize(
    ("second", "reasons"),
    [(0.2, [RejectReason.TOO_CLOSE] * 2), (0.3, [None, None])],
)
def test_an_item_that_has_gone_waits_for_one_that_follows_too_close(
    second: float, reasons: list[RejectReason | None]
) -> None:
    script = Script(scores=[CAN] * 40)
    script.observations = [
        [seen(1, passed=0.0)], [seen(1, passed=0.0)], [gone(1, passed=0.0)],
        *[[seen(2, passed=second)]] * 3, [gone(2, passed=second)], *[[]] * 4,
    ]  # fmt: skip
    found = play(script, GAP)
    assert [outcome.item for _, outcome in found] == [1, 2]
    assert [outcome.verdict.reject for _, outcome in found] == reasons


def test_an_item_that_has_gone_is_decided_on_its_pictures_whatever_those_after_it_show() -> None:
    script = Script(scores=[CAN] * 40)
    script.observations = [
        [seen(1, passed=0.0)],
        [seen(1, passed=0.0)],
        [gone(1, passed=0.0)],
        [],
        [],
    ]
    sorting, found = sorter(script, GAP), []
    for number, fault in enumerate([None, None, FROZEN, FROZEN, None]):
        frame = Frame(np.zeros((8, 8, 3), np.uint8), number / 10, number, fault=fault)
        found.append([outcome.verdict.reject for outcome in sorting.look(frame)])
    assert found == [[], [], [], [None], []]


def test_items_that_are_in_a_bin_together_are_both_rejected() -> None:
    script = Script(scores=[CAN] * 40)
    script.observations = [
        [seen(1)], [seen(1), seen(2)], [seen(1), seen(2)], [seen(2)], [gone(1), gone(2)],
        [seen(3)], [seen(3)], [gone(3)],
    ]  # fmt: skip
    rejects = {outcome.verdict.reject for _, outcome in play(script, VoteDeadlines(alone=True))[:2]}
    assert rejects == {RejectReason.TOO_CLOSE}
    script.observations = [[seen(3)], [seen(3)], [gone(3)]]
    ((_, third),) = play(script, VoteDeadlines(alone=True))
    assert third.verdict.reject is None


def test_what_the_trigger_calls_too_close_is_rejected() -> None:
    script = Script(scores=[CAN] * 3)
    script.observations = [[seen()], [replace(seen(), too_close=True)], [seen()], []]
    ((_, outcome),) = play(script)
    assert outcome.verdict.reject is RejectReason.TOO_CLOSE
