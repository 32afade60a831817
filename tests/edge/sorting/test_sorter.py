from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge.core.images.preprocess import Box
from edge.core.verdict import RejectReason
from edge.flow import Frame, Observation, PictureFault, PictureFaultKind
from edge.sorting.sorter import Outcome, Sorter
from edge.sorting.vote_deadlines import VoteDeadlines
from edge.vision.trigger.continuous import ContinuousTrigger
from tests.edge.sorting.scripted import (
    BOTTLE,
    BOX,
    CAN,
    FROZEN,
    LABELS,
    NO_LIMIT,
    UNSURE,
    Script,
    gone,
    model_of,
    play,
    seen,
    sorter,
)


@pytest.mark.parametrize(
    ("scores", "whole", "frame", "reject", "voted"),
    [
        ([CAN] * 3, [True] * 3, 2, None, 3),  # clear: as early as that
        ([CAN] * 2, [True] * 2, 2, None, 2),  # gone before it was clear
        ([CAN], [True], 1, None, 1),
        ([CAN, UNSURE, CAN, CAN, CAN], [True] * 5, 2, None, 3),  # 0.8 together
        # one frame says otherwise: the vote goes on until the item is gone
        ([CAN, BOTTLE, CAN, CAN, CAN], [True] * 5, 5, RejectReason.LOW_CONFIDENCE, 5),
        ([UNSURE] * 6, [True] * 6, 5, RejectReason.LOW_CONFIDENCE, 6),  # no more than max_frames
        ([CAN, BOTTLE], [True] * 2, 2, RejectReason.DISAGREEMENT, 2),
        # cut off by the edge: counts only where nothing better comes
        ([BOTTLE, BOTTLE, CAN, CAN, CAN], [False, False, True, True, True], 4, None, 3),
        ([CAN, CAN], [False, False], 2, None, 2),
    ],
)
def test_an_item_gets_its_verdict_when_its_vote_is_clear_or_it_is_gone(
    scores: list[tuple[float, float]],
    whole: list[bool],
    frame: int,
    reject: RejectReason | None,
    voted: int,
) -> None:
    script = Script([[seen(whole=shown)] for shown in whole] + [[gone()], []], list(scores))
    ((number, outcome),) = play(script)
    assert (number, outcome.verdict.reject, outcome.frames) == (frame, reject, voted)
    assert outcome.verdict.label == "can"
    assert outcome.box == BOX


@pytest.mark.parametrize(
    ("novelty", "frame", "reject"),
    [
        ([0.1, 0.2, 0.3], 2, None),
        ([0.9, 0.8, 0.9, 0.9], 4, RejectReason.UNKNOWN),  # all of its frames are heard
        ([0.9, 0.1, 0.2], 2, None),  # one odd frame: 0.4 together
    ],
)
def test_an_item_of_no_class_is_known_by_the_mean_of_its_frames(
    novelty: list[float], frame: int, reject: RejectReason | None
) -> None:
    count = len(novelty)
    script = Script([[seen()]] * count + [[gone()]], [CAN] * count, list(novelty))
    ((number, outcome),) = play(script)
    assert (number, outcome.verdict.reject) == (frame, reject)
    assert outcome.verdict.novelty == pytest.approx(np.mean(novelty))


def test_a_decided_item_is_not_looked_at_again_and_has_one_verdict() -> None:
    script = Script([[seen()]] * 9 + [[gone()]], [CAN] * 9)
    assert len(play(script)) == 1
    assert script.scored == 3


def test_items_side_by_side_keep_their_votes_apart() -> None:
    script = Script(
        [[seen(1), seen(2)]] * 2 + [[gone(1), seen(2)], [gone(2)]],
        [CAN, BOTTLE, CAN, BOTTLE, BOTTLE],
    )
    assert [(n, o.verdict.label, o.frames) for n, o in play(script)] == [
        (2, "can", 2),
        (2, "bottle", 3),
    ]


def test_an_item_beside_another_without_a_verdict_is_not_alone() -> None:
    script = Script(
        [[seen(1)], *[[seen(1), seen(2)]] * 2, [seen(2)], [seen(2)]],
        [CAN, CAN, BOTTLE, CAN, BOTTLE, BOTTLE],
    )
    assert [(outcome.verdict.label, outcome.alone) for _, outcome in play(script)] == [
        ("can", False),
        ("bottle", True),
    ]


def test_items_in_view_when_the_frames_end_get_their_verdict() -> None:
    assert [(n, o.frames) for n, o in play(Script([[seen()]], [CAN]))] == [(-1, 1)]


def test_an_item_that_was_never_seen_has_no_verdict() -> None:
    assert play(Script([[gone(7)], []])) == []


@pytest.mark.parametrize(
    ("closing", "passed", "frame"),
    [
        (VoteDeadlines(deadline_seconds=0.35), None, 4),
        (VoteDeadlines(deadline_seconds=0.35, margin_seconds=0.1), None, 3),
        (VoteDeadlines(shortest_delay_seconds=0.15), 0.1, 3),  # the flap has to move then
        (VoteDeadlines(deadline_seconds=0.35, shortest_delay_seconds=0.15), 0.0, 2),
        (NO_LIMIT, None, -1),
    ],
)
def test_a_vote_that_is_not_clear_is_closed_in_time(
    closing: VoteDeadlines, passed: float | None, frame: int
) -> None:
    script = Script([[seen(passed=passed)]] * 5, [UNSURE] * 5)
    ((number, outcome),) = play(script, closing)
    assert number == frame
    assert outcome.verdict.reject is RejectReason.LOW_CONFIDENCE


def test_a_vote_is_closed_in_time_when_no_more_frames_come() -> None:
    script = Script([[seen()]], [CAN])
    sorting = sorter(script, VoteDeadlines(deadline_seconds=2.0))
    assert sorting.next_closing is None
    frame = Frame(np.zeros((8, 8, 3), np.uint8), 0.0, 1)
    assert list(sorting.look(frame)) == []
    assert sorting.next_closing == 2.0
    script.now = 1.99
    assert list(sorting.close_due()) == []
    script.now = 2.0
    assert [outcome.verdict.label for outcome in sorting.close_due()] == ["can"]
    assert sorting.next_closing is None


ASIDE, IN_THE_MIDDLE = Box(0, 2, 4, 4), Box(2, 2, 4, 4)


@pytest.mark.parametrize(
    ("whole_region", "passed", "frame", "label"),
    [
        (True, 0.5, 8, "can"),  # the three frames in the middle
        (False, 0.5, 2, "bottle"),  # a model of cut-out items sees it well everywhere
        (True, None, 7, "bottle"),  # at rest for half a second: it will not come to the middle
    ],
)
def test_a_model_of_the_whole_region_hears_the_frames_with_the_item_in_the_middle(
    whole_region: bool, passed: float | None, frame: int, label: str
) -> None:
    boxes = [ASIDE] * 6 + [IN_THE_MIDDLE if passed else ASIDE] * 3
    scores = [BOTTLE] * 6 + [CAN if passed else BOTTLE] * 3
    script = Script([[Observation(1, box, passed=passed)] for box in boxes], scores)
    ((number, outcome),) = play(script, whole_region=whole_region)[:1]
    assert (number, outcome.verdict.label, outcome.frames) == (frame, label, 3)


def test_an_item_larger_than_the_region_is_judged_by_the_frames_that_it_fills() -> None:
    widths = (2, 5, 8, 8, 8, 5, 2)
    boxes = [Box(0 if number < 4 else 8 - width, 0, width, 8)
             for number, width in enumerate(widths)]  # fmt: skip
    observations = [[Observation(1, box, whole=False, passed=0.3)] for box in boxes]
    scores = [CAN if width == 8 else BOTTLE for width in widths]
    script = Script([*observations, [gone()]], scores)
    ((_, outcome),) = play(script, whole_region=True)
    assert (outcome.verdict.label, outcome.frames) == ("can", 3)
    assert outcome.deciding.sequence in (2, 3, 4)


def test_an_item_never_seen_well_gets_its_verdict_all_the_same() -> None:
    script = Script([[seen(whole=False)]] * 40, [CAN] * 40)
    ((number, outcome),) = play(script)
    assert (number, outcome.frames) == (29, 30)  # five times max_frames


@pytest.mark.parametrize(
    ("observations", "passed"),
    [
        ([seen(passed=None)], 0.0),  # not known: the frame's own time
        ([seen(passed=0.4), seen(passed=0.5)], 0.5),  # the latest estimate
        ([seen(passed=0.4), gone(passed=0.6)], 0.6),
        ([seen(passed=0.4), gone()], 0.4),
    ],
)
def test_an_item_passes_when_its_trigger_says_so(
    observations: list[Observation], passed: float
) -> None:
    ((_, outcome),) = play(Script([[observation] for observation in observations], [CAN] * 2))
    assert (outcome.first, outcome.passed) == (0.0, passed)


def test_when_a_decided_item_passes_is_followed_while_it_is_in_view() -> None:
    script = Script(
        [[seen(passed=0.4)]] * 3 + [[seen(passed=0.5)], [seen()], [gone(passed=0.7)]], [CAN] * 3
    )
    sorting, told = sorter(script), []
    for number in range(6):
        frame = Frame(np.zeros((8, 8, 3), np.uint8), number / 10, number)
        list(sorting.look(frame))
        told.append(dict(sorting.passing))
    assert told == [{}, {}, {1: 0.4}, {1: 0.5}, {1: 0.5}, {}]


def test_what_is_seen_in_a_single_frame_gets_no_verdict_but_is_counted() -> None:
    once = Observation(1, BOX, confirmed=False)
    script = Script([[once], [gone()], []], [CAN])
    sorting = sorter(script, VoteDeadlines(deadline_seconds=0.1))
    for number in range(3):
        script.now = number  # its time is up before it is gone
        frame = Frame(np.zeros((8, 8, 3), np.uint8), script.now, number)
        assert list(sorting.look(frame)) == []
    assert list(sorting.end()) == []
    assert sorting.single_frame == 1


def test_an_item_that_a_slow_camera_sees_twice_is_voted_on_by_both_frames() -> None:
    script = Script([[Observation(1, BOX, confirmed=False)], [seen()], [gone()]], [CAN, CAN])
    ((number, outcome),) = play(script)
    assert (number, outcome.frames, outcome.verdict.label) == (2, 2, "can")


def test_a_single_frame_in_view_at_the_end_is_no_item() -> None:
    assert play(Script([[Observation(1, BOX, confirmed=False)]], [CAN])) == []


def test_an_item_confirmed_after_its_time_is_up_gets_its_verdict_then() -> None:
    script = Script([[Observation(1, BOX, confirmed=False)], [], [seen()]], [CAN, CAN])
    ((number, outcome),) = play(script, VoteDeadlines(deadline_seconds=0.1))
    assert (number, outcome.frames) == (2, 2)


SURE_CAN = (0.95, 0.05)


@pytest.mark.parametrize(
    ("scores", "whole", "decided"),
    [
        ([CAN, SURE_CAN, CAN], [True] * 3, 1),  # the one that was surest
        ([CAN, CAN, CAN], [True] * 3, 0),  # of equals the first
        ([CAN, BOTTLE, SURE_CAN, UNSURE], [True] * 4, 2),  # rejected: what spoke for its label
        ([SURE_CAN, CAN, CAN, CAN], [False, True, True, True], 1),  # whole before cut off
    ],
)
def test_the_frame_that_decided_is_kept_not_the_last_one(
    scores: list[tuple[float, float]], whole: list[bool], decided: int
) -> None:
    script = Script([[seen(whole=shown)] for shown in whole] + [[gone()], []], list(scores))
    ((_, outcome),) = play(script)
    assert outcome.deciding.sequence == decided
    assert outcome.frame.sequence >= decided


def test_while_the_camera_is_frozen_what_is_in_view_is_rejected_once() -> None:
    script = Script([[seen()], [seen(2)], [], [], [seen(), seen(2)], [gone(), gone(2)]], [CAN] * 9)
    sorting, image = sorter(script), np.zeros((8, 8, 3), np.uint8)
    found: list[list[Outcome]] = []
    for number, fault in enumerate([None, None, FROZEN, FROZEN, None, None]):
        script.now = number / 10
        found.append(list(sorting.look(Frame(image, script.now, number, fault=fault))))
    assert [len(outcomes) for outcomes in found] == [0, 0, 2, 0, 0, 0]
    for outcome in found[2]:
        assert (outcome.verdict.label, outcome.verdict.reject) == ("can", RejectReason.BAD_PICTURE)
    assert [outcome.frames for outcome in found[2]] == [1, 1]
    assert script.scored == 2


def test_where_every_frame_is_an_item_a_blank_one_is_a_reject_without_a_label() -> None:
    script = Script(scores=[CAN])
    sorting = Sorter(ContinuousTrigger(), model_of(script), closing=NO_LIMIT, clock=script.clock)
    image = np.zeros((8, 8, 3), np.uint8)
    outcomes = [
        outcome
        for number, fault in enumerate([None, FROZEN, FROZEN])
        for outcome in sorting.look(Frame(image, 0.0, number, fault=fault))
    ]
    verdicts = [outcome.verdict for outcome in outcomes]
    assert [(verdict.label, verdict.reject) for verdict in verdicts] == [
        ("can", None),
        ("", RejectReason.BAD_PICTURE),
        ("", RejectReason.BAD_PICTURE),
    ]
    assert [outcome.deciding.sequence for outcome in outcomes] == [0, 1, 2]


def test_an_item_keeps_the_model_that_its_vote_began_with() -> None:
    """Both models are asked in one frame: the old one for item 1, the new one for item 2."""
    old = Script([[seen(1)], [seen(1), seen(2)], [gone(1), gone(2)]], [CAN, CAN])
    new = Script(scores=[(0.1, 0.8, 0.1)])
    sorting = sorter(old)
    outcomes: list[Outcome] = []
    for number in range(3):
        old.now = number / 10
        if number == 1:
            labels = ("bottle", "glass", "can")  # others, in another order
            accept = dict.fromkeys(labels, 0.5)
            sorting.model = model_of(new, "other 2", labels=labels, accept=accept)
        frame = Frame(np.zeros((8, 8, 3), np.uint8), old.now, number)
        outcomes += sorting.look(frame)
    assert [(o.verdict.label, o.verdict.title, o.verdict.digest) for o in outcomes] == [
        ("can", "tiny 1", "digest of tiny 1"),
        ("glass", "other 2", "digest of other 2"),
    ]
    assert [list(o.verdict.scores) for o in outcomes] == [[*LABELS], ["bottle", "glass", "can"]]
    assert (old.scored, new.scored) == (2, 1)


def test_a_vote_is_closed_earlier_the_longer_its_model_takes() -> None:
    script = Script([[seen(1)], []], [CAN])
    sorting = sorter(script, VoteDeadlines(deadline_seconds=2.0, margin_seconds=0.1))
    sorting.model = replace(sorting.model, inference_seconds=0.3)
    list(sorting.look(Frame(np.zeros((8, 8, 3), np.uint8), 0.0, 1)))
    assert sorting.next_closing == pytest.approx(2.0 - 0.1 - 2 * 0.3)


def test_a_bad_picture_is_that_also_where_items_are_close() -> None:
    script = Script(scores=[])
    script.observations = [[replace(seen(), too_close=True)]]
    sorting = sorter(script)
    fault = PictureFault(PictureFaultKind.FROZEN, lasting=True)
    frame = Frame(np.zeros((8, 8, 3), np.uint8), 0.0, 0, fault=fault)
    (outcome,) = sorting.look(frame)
    assert outcome.verdict.reject is RejectReason.BAD_PICTURE
