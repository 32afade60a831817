"""Lets a trigger look at a frame in a thread of its own, while its caller does something else."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from queue import SimpleQueue

from edge.flow import Frame, Observation
from edge.vision.trigger import Trigger, learning
from edge.vision.trigger.motion import MotionTrigger


class TriggerBeside:
    """A trigger that can also look beside its caller. It looks at one frame after the other."""

    def __init__(self, trigger: Trigger) -> None:
        """Looks at nothing yet.

        Args:
            trigger: finds the items, and is used by nobody else.
        """
        self._trigger, self._learning = trigger, learning(trigger)
        self.look, self.end = trigger.look, trigger.end
        # Two of the lightest queues: an executor and its futures take four times as long, in each
        # frame, and before the model can begin.
        self._frames: SimpleQueue[Frame | None] = SimpleQueue()
        self._found: SimpleQueue[Sequence[Observation] | BaseException] = SimpleQueue()
        self._begun = False
        threading.Thread(target=self._run, name="trigger", daemon=True).start()

    @property
    def ready(self) -> bool:
        """See LearningTrigger."""
        return self._learning is None or self._learning.ready

    def begin(self, frame: Frame) -> None:
        """Begins to look. `found` must be called before the next call of any other method."""
        self._begun = True
        self._frames.put(frame)

    def found(self, frame: Frame) -> Sequence[Observation]:
        """The observations of a frame, once it was looked at; looks now if that was not begun."""
        if not self._begun:
            return self._trigger.look(frame)
        found = self._found.get()
        self._begun = False
        if isinstance(found, BaseException):
            raise found
        return found

    def close(self) -> None:
        """Ends the thread. It may be called twice."""
        self._frames.put(None)

    def _run(self) -> None:
        while (frame := self._frames.get()) is not None:
            try:
                self._found.put(self._trigger.look(frame))
            except BaseException as error:  # raised again by who waits for it
                self._found.put(error)


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
    both = TriggerBeside(trigger)
    parts.callback(both.close)
    return both
