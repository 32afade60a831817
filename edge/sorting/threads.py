"""The threads of a station: which there are, in what order they end, and how they are."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import NamedTuple

from edge.lanes.lanes import Lanes
from edge.ledger.journal import Journal
from edge.ledger.recorder import Recorder
from edge.receiving.station import Receiving
from edge.runtime.clock import Clock
from edge.runtime.service import Notifier
from edge.runtime.supervisor import Supervisor, Task
from edge.runtime.worker import Endings
from edge.sorting.sorter import Sorter
from edge.sorting.tally import Tally
from edge.state.watch import StateWatch
from edge.telemetry.status import VitalSigns
from edge.vision.frame_pump import FramePump
from edge.vision.latest_frame import LatestFrame


class Parts(NamedTuple):
    """The parts of a station on which its threads work."""

    pump: FramePump
    latest: LatestFrame
    sorter: Sorter
    lanes: Lanes
    receiving: Receiving
    journal: Journal
    recorder: Recorder
    tally: Tally
    state: StateWatch

    def complete_tally(self) -> Tally:
        """What was sorted, with the counts of all parts; to be called once, after all threads."""
        self.tally.complete(
            latest=self.latest, sorter=self.sorter, lanes=self.lanes, recorder=self.recorder
        )
        return self.tally


class StationThreads:
    """Runs the threads of a station under a supervisor, until the work is done or one fails."""

    def __init__(
        self, parts: Parts, endings: Endings, *, clock: Clock, notifier: Notifier | None
    ) -> None:
        """Runs none yet; `parts` stay the caller's.

        Args:
            endings, clock, notifier: as of `Supervisor`.
        """
        self._parts, self._clock = parts, clock
        self._supervisor = Supervisor(endings, self, clock=clock, notifier=notifier)
        self._tasks: Sequence[Task] = ()

    @property
    def reason(self) -> str:
        """Why they end; see `Supervisor.reason`."""
        return self._supervisor.reason

    def run(self, tasks: Sequence[Task], *, last: Task) -> None:
        """Runs `tasks`, and then what is left of `last`, until all have ended.

        Raises:
            StuckError: a thread did not end.
            BaseException: the exception that the first failed thread raised.
        """
        self._tasks = (*tasks, last)
        title = self._parts.sorter.model.title
        self._supervisor.run(tasks, last=last, ready=f"sorting with {title}")

    def vital_signs(self) -> VitalSigns:
        """How the station is at this moment; may be called by any thread, and takes no lock."""
        parts = self._parts
        model, tally, recorder, latest = (
            parts.sorter.model, parts.tally, parts.recorder, parts.latest,
        )  # fmt: skip
        age = None if latest.captured is None else self._clock.now() - latest.captured
        return VitalSigns(
            model=model.title,
            model_digest=model.digest,
            silent_seconds={task.name: task.heartbeat.silent_seconds for task in self._tasks},
            camera_lost=parts.journal.camera_lost,
            camera_losses=parts.journal.camera_losses,
            frame_age_seconds=None if age is None else max(0.0, age),
            items=tally.items,
            lanes=dict(tally.lanes),
            rejects=dict(tally.rejects),
            frames_dropped=latest.dropped,
            frame_faults={str(kind): count for kind, count in list(latest.faults.items())},
            single_frame=parts.sorter.single_frame,
            ledger_fails=recorder.ledger_fails,
            rows_queued=recorder.queued,
            items_spilled=recorder.spilled,
            rows_lost={
                "item": recorder.lost,
                "actuation": recorder.lost_actuations,
                "other": recorder.lost_others,
            },
            counts_fail=parts.receiving.counts_fail,
            counts_waiting=parts.receiving.counts_waiting,
            state=parts.state.signs,
        )

    # For the supervisor

    def well_until(self, moment: float) -> None:
        """See `Supervised`."""
        self._parts.lanes.allow_keep_alive(moment)

    def ended(self, name: str, working: Set[str]) -> None:
        """See `Supervised`."""
        if name == "sorting":  # needs no more frames; the lanes finish what is planned
            self._parts.pump.stop()
            self._parts.lanes.finish()
            self._parts.receiving.finish()
            self._parts.state.stop()
        if not working & {"sorting", "lanes", "codes", "scanner"}:  # there will be no more rows
            self.finish()

    def stop(self) -> None:
        """See `Supervised`: puts the actuators at rest, and reads no more frames."""
        self._parts.lanes.stop()  # first of all
        self._parts.pump.stop()
        self._parts.receiving.stop()
        self._parts.state.stop()

    def finish(self) -> None:
        """See `Supervised`; may be called twice."""
        self._parts.receiving.close()  # what follows from a count is written down, too
        self._parts.state.end(complete=not self.reason, failed=self._supervisor.failed)
        self._parts.journal.stopped(self._parts.tally.items, self.reason)
        self._parts.recorder.finish()
