"""While the model looks at a frame, the trigger looks at the next, where that changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box, InputSpec
from edge.core.verdict import Prediction
from edge.flow import Frame, Observation
from edge.sorting.sorter import Outcome, Sorter
from edge.vision.trigger.beside import TriggerBeside
from tests.edge.sorting.scripted import (
    NO_LIMIT,
    UNSURE,
    Script,
    gone,
    model_of,
    seen,
)


class Together:
    """A model and a trigger that wait for each other: neither ends before the other has begun."""

    def __init__(self, script: Script) -> None:
        self._script, self._meeting, self.spec = script, threading.Barrier(2), script.spec
        self.met = 0

    def look(self, frame: Frame) -> Sequence[Observation]:
        if threading.current_thread() is not threading.main_thread():
            self._meeting.wait(timeout=60)
        return self._script.look(frame)

    def end(self) -> Sequence[Observation]:
        return self._script.end()

    def predict(
        self,
        image: Image,
        *,
        box: Box | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> Prediction:
        if meanwhile is not None:
            meanwhile()
        if self.expected:
            self._meeting.wait(timeout=60)
            self.met += 1
        return self._script.predict(image, box=box)

    expected = False


def play_beside(script: Script, *, beside: Sequence[int]) -> tuple[list[Outcome], Together]:
    """The outcomes where the trigger can look beside the model, as it must in those frames."""
    script.spec = InputSpec(crop="region")
    both = Together(script)
    found: list[Outcome] = []
    with closing(TriggerBeside(both)) as trigger:
        model = replace(model_of(script), classifier=both)
        sorting = Sorter(trigger, model, closing=NO_LIMIT, clock=script.clock)
        for number in range(len(script.observations)):
            both.expected = number in beside
            frame = Frame(np.zeros((8, 8, 3), np.uint8), number / 10, number)
            found += sorting.look(frame)
    return found, both


def test_while_an_item_is_in_view_the_model_answers_beside_the_trigger() -> None:
    script = Script([[seen()]] * 4 + [[gone()]], [UNSURE] * 5)
    (outcome,), both = play_beside(script, beside=[1, 2, 3, 4])
    assert both.met == 4  # in the last frame for nothing: the item was gone from one to the next
    assert (outcome.frames, outcome.verdict.label) == (4, "can")


@pytest.mark.parametrize(
    "observations",
    [
        [[seen(1), seen(2)]] * 2,  # whose frame would it be
        [[], [seen()]],
    ],
)
def test_where_an_item_is_not_sure_to_be_in_view_the_trigger_looks_first(
    observations: list[Sequence[Observation]],
) -> None:
    script = Script([*observations], [UNSURE] * 4)
    outcomes, both = play_beside(script, beside=[])
    assert (outcomes, both.met) == ([], 0)


@pytest.mark.parametrize(
    ("whole", "beside"),
    [
        ([False, False, True], [1, 2]),  # it comes in
        ([True, False, False], [1]),  # it leaves: it may be gone in the next frame
        ([False, True, False, False], [1, 2]),
        ([True, False, True, True], [1, 3]),  # it did not leave after all
    ],
)
def test_the_trigger_looks_first_where_an_item_is_about_to_leave(
    whole: list[bool], beside: list[int]
) -> None:
    script = Script([[seen(whole=shown)] for shown in whole], [UNSURE] * len(whole))
    _, both = play_beside(script, beside=beside)
    assert (both.met, script.scored) == (len(beside), len(whole))


def test_after_a_frame_without_it_the_trigger_looks_first_again() -> None:
    script = Script([[seen()], [], [seen()], [seen()]], [UNSURE] * 4)
    _, both = play_beside(script, beside=[1, 3])  # in the second one for nothing
    assert (both.met, script.scored) == (2, 4)
