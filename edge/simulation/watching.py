"""What a simulated run sees of a station: when its actuators move, and how long its stages take.

Each class here stands in for a part of the station's settings, opens the real part, and passes
everything on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box, InputSpec
from edge.core.verdict import Prediction
from edge.events import Event
from edge.flow import Frame, Observation
from edge.lanes import Actuator, ActuatorSettings, TimedActuator
from edge.ledger.rows import Writable
from edge.pins.pins import Pins
from edge.sorting.model import Answering
from edge.vision.trigger import (
    AnnouncingTrigger,
    Trigger,
    TriggerSettings,
    TriggerSurroundings,
    learning,
)

Moved = Callable[[bool], None]
"""Is told that an actuator begins (True) or ceases (False) to divert items, after its pin is
written."""
Took = Callable[[float], None]
"""Is told how many seconds something took on this machine."""


class WatchedActuatorSettings:
    """The settings of an actuator, whose moves are reported."""

    def __init__(self, settings: ActuatorSettings, moved: Moved) -> None:
        self._settings, self._moved = settings, moved

    def __getattr__(self, name: str) -> Any:
        return getattr(self._settings, name)

    def open(self, pins: Pins) -> Actuator:
        """Opens the actuator."""
        actuator = self._settings.open(pins)
        if isinstance(actuator, TimedActuator):
            return _WatchedTimedActuator(actuator, self._moved)
        return _WatchedActuator(actuator, self._moved)


class _WatchedActuator:
    def __init__(self, actuator: Actuator, moved: Moved) -> None:
        self._actuator, self._moved = actuator, moved
        self.release, self.close = actuator.release, actuator.close

    def activate(self) -> None:
        self._actuator.activate()
        self._moved(True)

    def rest(self) -> None:
        self._actuator.rest()
        self._moved(False)

    def safe(self) -> None:
        self._actuator.safe()
        self._moved(False)


class _WatchedTimedActuator(_WatchedActuator):
    def __init__(self, actuator: TimedActuator, moved: Moved) -> None:
        super().__init__(actuator, moved)
        self._timed, self.step = actuator, actuator.step
        self.lose_position = actuator.lose_position

    @property
    def next_at(self) -> float | None:
        return self._timed.next_at

    @property
    def ready(self) -> bool:
        return self._timed.ready


class WatchedTriggerSettings:
    """The settings of a trigger that tells what it is shown, and how long it took."""

    def __init__(
        self, settings: TriggerSettings, *, seen: Callable[[Frame], None], took: Took
    ) -> None:
        self._settings, self._seen, self._took = settings, seen, took

    def __getattr__(self, name: str) -> Any:
        return getattr(self._settings, name)

    def open(self, around: TriggerSurroundings | None = None) -> Trigger:
        """Opens the trigger."""
        return _WatchedTrigger(self._settings.open(around), seen=self._seen, took=self._took)


class _WatchedTrigger:
    def __init__(self, trigger: Trigger, *, seen: Callable[[Frame], None], took: Took) -> None:
        self._trigger, self._seen, self._took = trigger, seen, took
        self._learning = learning(trigger)
        self.end = trigger.end
        if isinstance(trigger, AnnouncingTrigger):
            self.unseen = trigger.unseen

    @property
    def ready(self) -> bool:
        return self._learning is None or self._learning.ready

    def look(self, frame: Frame) -> Sequence[Observation]:
        self._seen(frame)
        began = time.perf_counter()
        found = self._trigger.look(frame)
        self._took(time.perf_counter() - began)
        return found


class WatchedClassifier:
    """A classifier that tells how long each of its inferences took."""

    def __init__(
        self, classifier: Answering, *, took: Took, wait: Callable[[], None] = lambda: None
    ) -> None:
        """Passes everything on to `classifier`.

        Args:
            wait: lets the time of an inference pass on the clock of the run.
        """
        self._classifier, self._took, self._wait = classifier, took, wait

    @property
    def spec(self) -> InputSpec:
        """See Answering."""
        return self._classifier.spec

    def predict(
        self,
        image: Image,
        *,
        box: Box | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> Prediction:
        """See Answering."""
        began = time.perf_counter()
        prediction = self._classifier.predict(image, box=box, meanwhile=meanwhile)
        self._took(time.perf_counter() - began)
        self._wait()
        return prediction


class WatchedLedger:
    """A ledger whose writes take their time on the clock of the run."""

    def __init__(self, ledger: Writable, *, wait: Callable[[], None]) -> None:
        """Passes everything on to `ledger`.

        Args:
            wait: lets the time of a write pass.
        """
        self._ledger, self._wait = ledger, wait
        self.close = ledger.close

    def append(self, events: Sequence[Event]) -> None:
        """See Writable."""
        self._ledger.append(events)
        if events:
            self._wait()
