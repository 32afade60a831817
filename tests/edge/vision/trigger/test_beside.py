from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack, closing

import pytest

from edge.benchmark.drawn_belt import DrawnBelt, plain_belt
from edge.flow import Frame, Observation
from edge.vision.trigger.beside import TriggerBeside, beside
from edge.vision.trigger.continuous import ContinuousTrigger
from edge.vision.trigger.motion import MotionTrigger, Settings


class Told:
    """A trigger that fails, and tells which thread it was in."""

    threads: Sequence[str] = ()

    def look(self, frame: Frame) -> Sequence[Observation]:
        self.threads = [*self.threads, threading.current_thread().name]
        if frame.sequence == 2:
            raise ValueError("this frame is odd")
        return ()

    def end(self) -> Sequence[Observation]:
        return ()


def test_beside_its_caller_it_finds_what_it_would_have_found() -> None:
    drawn = DrawnBelt(plain_belt(160, 120))
    frames = [*drawn.empty(), *drawn.passing()]
    alone = MotionTrigger(Settings(kind="motion"))
    with ExitStack() as parts:
        both = beside(MotionTrigger(Settings(kind="motion")), parts, cores=2)
        assert isinstance(both, TriggerBeside)
        for frame in frames:
            if frame.sequence % 3 == 1:
                both.begin(frame)
            found = both.found(frame) if frame.sequence % 3 else both.look(frame)
            assert found == alone.look(frame)
        assert both.end() == alone.end()


def test_its_errors_come_to_who_waits_for_it() -> None:
    told, frame = Told(), next(DrawnBelt(plain_belt(64, 48)).empty())
    odd = Frame(frame.image, 0.0, 2)
    with closing(TriggerBeside(told)) as trigger:
        trigger.begin(frame)
        assert trigger.found(frame) == ()
        trigger.begin(odd)
        with pytest.raises(ValueError, match="this frame is odd"):
            trigger.found(odd)
        trigger.begin(frame)
        assert trigger.found(frame) == ()
    assert told.threads == ["trigger"] * 3


def test_what_takes_no_time_or_has_no_other_core_looks_as_before() -> None:
    motion = MotionTrigger(Settings(kind="motion"))
    with ExitStack() as parts:
        assert beside(motion, parts, cores=1) is motion
        continuous = ContinuousTrigger()
        assert beside(continuous, parts, cores=4) is continuous
