"""Triggers that are told of an item by a signal, and not by the picture."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Protocol

from pydantic import Field

from edge.core.errors import TriggerError
from edge.flow import Frame, Observation
from edge.vision.trigger import TriggerSettings, TriggerSurroundings


class Signal(Protocol):
    """What tells of items."""

    def take(self, now: float) -> Sequence[float]:
        """The times of the signals since the last call, in order, on the frames' clock.

        Args:
            now: when the frame was captured that is looked at.
        """
        ...


class SignalSettings(TriggerSettings):
    """The keys of triggers that are told of items."""

    has_box: ClassVar[bool] = False

    delay_seconds: Annotated[
        float,
        Field(ge=0, le=60, description="seconds from the signal until the item is in the region"),
    ] = 0.0
    view_seconds: Annotated[
        float,
        Field(
            gt=0,
            le=60,
            description="seconds for which it is in the region then, whose frames are classified; "
            "in their middle it passes the middle of the region",
        ),
    ] = 0.5

    @property
    def fills_picture_seconds(self) -> float:
        """See TriggerSettings."""
        return super().fills_picture_seconds + self.view_seconds

    @abstractmethod
    def signal(self, around: TriggerSurroundings) -> Signal:
        """Opens what gives the signals.

        Raises:
            PinError, TriggerError: it cannot be used.
        """

    def open(self, around: TriggerSurroundings | None = None) -> SignalTrigger:
        """Opens the trigger.

        Raises:
            PinError, TriggerError: its signal cannot be used, or there are frames alone.
        """
        if around is None:
            raise TriggerError(
                f"a {self.kind} trigger finds no items in pictures alone: it needs the running "
                "station. Photographs are taken with --every or --button instead of --items"
            )
        return SignalTrigger(
            self.signal(around), delay_seconds=self.delay_seconds, view_seconds=self.view_seconds
        )


@dataclass(slots=True)
class _Announced:
    """An item of which there was a signal."""

    item: int
    comes: float
    """When it comes into the region, on the frames' clock."""
    goes: float
    seen: bool = False
    too_close: bool = False

    @property
    def middle(self) -> float:
        """When it passes the middle of the region."""
        return (self.comes + self.goes) / 2


class SignalTrigger:
    """Takes the region for an item from a while after each signal on. Pure, but for its signal."""

    def __init__(self, signal: Signal, *, delay_seconds: float, view_seconds: float) -> None:
        """Expects nothing.

        Args:
            signal: tells of items.
            delay_seconds, view_seconds: as in SignalSettings.
        """
        self._signal, self._delay, self._view = signal, delay_seconds, view_seconds
        self._announced: list[_Announced] = []
        self._items = 0
        self._unseen: list[float] = []
        self._looked = -math.inf
        """When the last frame was captured."""

    def look(self, frame: Frame) -> Sequence[Observation]:
        """The observations of the items that are in the region in the next frame."""
        now = self._looked = frame.captured
        for at in self._signal.take(now):
            self._announce(at + self._delay)
        observations = []
        for announced in list(self._announced):
            if now > announced.goes:
                self._announced.remove(announced)
                if announced.seen:
                    observations.append(replace(self._observation(announced), gone=True))
                else:
                    self._unseen.append(announced.middle)
            elif now >= announced.comes and frame.fault is None:
                announced.seen = True
                observations.append(self._observation(announced))
        return observations

    def unseen(self, now: float, *, oldest: float) -> Sequence[float]:
        """See AnnouncingTrigger. A camera that is lost gives no frame that could tell the time."""
        over = now - oldest
        if self._looked < over:
            for at in self._signal.take(now):
                self._announce(at + self._delay)
        for announced in [one for one in self._announced if one.goes < over and not one.seen]:
            self._announced.remove(announced)
            self._unseen.append(announced.middle)
        found, self._unseen = self._unseen, []
        return found

    def end(self) -> Sequence[Observation]:
        """An observation for every item still in view, as gone, because the frames have ended."""
        seen = [announced for announced in self._announced if announced.seen]
        self._announced.clear()
        return [replace(self._observation(announced), gone=True) for announced in seen]

    def _announce(self, comes: float) -> None:
        self._items += 1
        this = _Announced(self._items, comes, comes + self._view)
        for other in self._announced:
            if other.goes > this.comes:  # one picture shows both: which one is it of?
                other.too_close = this.too_close = True
        self._announced.append(this)

    def _observation(self, announced: _Announced) -> Observation:
        return Observation(
            announced.item, None, passed=announced.middle, too_close=announced.too_close
        )
