"""Offers the recorder an event for each thing that happens to the station itself."""

from __future__ import annotations

import threading
from datetime import datetime

import edge
from edge.events import (
    CameraBack,
    CameraLost,
    Event,
    IncidentEnded,
    ModelChanged,
    Stamps,
    StationStarted,
    StationStopped,
)
from edge.flow import CameraChange
from edge.ledger.recorder import Recorder
from edge.ledger.reports.last_run import START_FAILED, LastRun


class Journal:
    """Offers an event for each thing that happens; never waits, and may be used by any thread.

    After a start that failed, what happens is held back until this one has not, or has failed in
    another way.

    Attributes:
        camera_lost: whether the camera is lost now.
        camera_losses: how many times it was lost.
        stamps: gives the events their ids and times.
        before: how the run before ended.
    """

    def __init__(self, recorder: Recorder, stamps: Stamps, before: LastRun) -> None:
        """Has offered nothing; `recorder` stays the caller's.

        Args:
            stamps: gives the events their times, and ids that follow those of the run before.
            before: how the run before ended.
        """
        self._recorder, self.before = recorder, before
        self.stamps = stamps.following(before.newest_id)
        failed = [one.cause for one in before.open if one.name == START_FAILED]
        self._failure = failed[-1] if failed else None
        self._alone = threading.Lock()
        self._held: list[Event] | None = [] if failed else None
        self._stopped = False
        self.camera_lost, self.camera_losses = False, 0

    @property
    def ledger_fails(self) -> bool:
        """Whether the ledger cannot be written now."""
        return self._recorder.ledger_fails

    def keeps_state(self, seconds: float) -> bool:
        """Whether a power cut would leave the newest change of the state; waits for that."""
        return self._held is None and self._recorder.keeps_state(seconds)

    def offer(self, event: Event) -> None:
        """Takes an event; see EventSink."""
        with self._alone:
            if self._held is not None:
                self._held.append(event)
                return
            self._recorder.offer(event)

    def goes_on(self) -> None:
        """What was held back is to be told, and is offered; may be called twice."""
        with self._alone:
            for event in self._held or ():
                self._recorder.offer(event)
            self._held = None

    def forgets_start(self, cause: str) -> bool:
        """The start fails. Where the one before has failed for the same cause, nothing is told of
        this one, and its incident stays open.

        Returns:
            whether that is so.
        """
        with self._alone:
            if self._held is None or cause != self._failure:
                return False
            self._held.clear()
            return True

    def end_those_of_before(self) -> None:
        """The incidents that were open when the run before ended are over: what is still the
        matter is one of this run."""
        for one in self.before.open:
            stamp = self.stamps.now()
            lasted = datetime.fromisoformat(stamp.time) - datetime.fromisoformat(one.since)
            seconds = max(0.0, round(lasted.total_seconds(), 3))  # the clock may have been set back
            self.offer(IncidentEnded(*stamp, one.id, one.name, one.scope, seconds))

    def started(self, bundle: str, digest: str) -> None:
        """The station begins to sort with this bundle."""
        self.offer(StationStarted(*self.stamps.now(), edge.__version__, bundle, digest))

    def model_changed(self, bundle: str, digest: str) -> None:
        """What comes into view from now on is judged by the model of this bundle."""
        self.offer(ModelChanged(*self.stamps.now(), bundle, digest))

    def camera_changed(self, change: CameraChange, *, ago: float = 0.0) -> Event:
        """The camera is lost, or is back; returns the event of that.

        Args:
            ago: how many seconds ago that was.
        """
        self.camera_lost = change.lost_seconds is None
        self.camera_losses += self.camera_lost
        stamp = self.stamps.ago(ago)
        event = (
            CameraLost(*stamp, change.camera)
            if change.lost_seconds is None
            else CameraBack(*stamp, change.camera, change.lost_seconds)
        )
        self.offer(event)
        return event

    def stopped(self, items: int, reason: str) -> None:
        """The station sorts no more; only the first call counts.

        Args:
            items: how many it has sorted.
            reason: see `StationStopped`.
        """
        if not self._stopped:
            self._stopped = True
            self.offer(StationStopped(*self.stamps.now(), items, reason))
