"""Lets a trigger look at a frame in a thread of its own, while its caller does something else."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

from edge.flow import Frame, Observation
from edge.vision.trigger import LearningTrigger, Trigger
from edge.vision.trigger.motion import MotionTrigger


class TriggerBeside:
    """A trigger that can also look beside its caller. It looks at one frame after the other."""

    def __init__(self, trigger: Trigger, worker: ThreadPoolExecutor) -> None:
        """Looks at nothing yet.

        Args:
            trigger: finds the items, and is used by nobody else.
            worker: has one thread; the caller ends it.
        """
        self._trigger, self._worker = trigger, worker
        self.look, self.end = trigger.look, trigger.end

    @property
    def ready(self) -> bool:
        """See LearningTrigger."""
        return is_ready(self._trigger)

    def begin(self, frame: Frame) -> Future[Sequence[Observation]]:
        """Begins to look. Its `result` must be waited for before the next call of any method."""
        return self._worker.submit(self._trigger.look, frame)


def is_ready(trigger: Trigger) -> bool:
    """Whether a trigger finds items from the next frame on: one that learns nothing always does."""
    return not isinstance(trigger, LearningTrigger) or trigger.ready


def beside(trigger: Trigger, parts: ExitStack, *, cores: int | None = None) -> Trigger:
    """The trigger, so that it can look beside its caller where that takes less time.

    It does where a machine has several cores, for a trigger that computes.

    Args:
        parts: ends the thread.
        cores: those that this process may use; None: as the system says.
    """
    several = (len(os.sched_getaffinity(0)) if cores is None else cores) > 1
    if not several or not isinstance(trigger, MotionTrigger):
        return trigger
    worker = ThreadPoolExecutor(1, thread_name_prefix="trigger")
    parts.callback(worker.shutdown, wait=False)
    return TriggerBeside(trigger, worker)
