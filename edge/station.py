"""A station: its parts, built from the station file, and the path of an item through them.

    camera ─Frame▶ latest frame ─▶ trigger ─Observation▶ model ─Prediction▶ ballot ─Verdict▶ routing
        routing ─▶ lanes; events ─▶ recorder ─▶ ledger, observers

Four threads, and none waits for a later one: `camera` leaves the latest frame (FramePump),
`sorting` takes it and decides (SortingLoop), `lanes` writes pins when they are due (Lanes),
`ledger` writes rows and tells observers (Recorder). Where deliveries are counted, a fifth,
`receiving`, writes their counts (Counting); where the station file asks for
them, `codes` reads codes in the pictures of sorted items, and `scanner` a hand scanner (Receiving).
The main thread watches over them (Supervisor).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence, Set
from contextlib import ExitStack

from edge.config.reading import StationPlan
from edge.core.closing import Closing
from edge.events import Observer, Stamps
from edge.lanes.opening import open_lanes
from edge.lanes.pins import Pins, open_pins
from edge.ledger.journal import Journal
from edge.ledger.opening import begin_recorder, open_recorder
from edge.receiving.station import Receiving
from edge.runtime.clock import SYSTEM_CLOCK, Clock
from edge.runtime.clock_state import CachedClockState, boot_id
from edge.runtime.heartbeat import Heartbeat
from edge.runtime.service import Notifier
from edge.runtime.supervisor import Supervisor, Task
from edge.runtime.worker import Endings
from edge.sorting.dispatch import Dispatch, PictureUses
from edge.sorting.loop import SortingLoop
from edge.sorting.model import ActiveModel
from edge.sorting.opening import open_sorter
from edge.sorting.sorter import Outcome
from edge.sorting.tally import Tally
from edge.telemetry.status import VitalSigns
from edge.vision.frame_pump import FramePump
from edge.vision.latest_frame import LatestFrame
from edge.vision.sharpness import sharpness

_log = logging.getLogger(__name__)


class Station(Closing):
    """A station with all its parts open and every actuator at rest; a context manager."""

    def __init__(
        self,
        plan: StationPlan,
        *,
        endings: Endings,
        observers: Sequence[Observer] = (),
        clock: Clock = SYSTEM_CLOCK,
        pins: Callable[[], Pins] = open_pins,
        notifier: Notifier | None = None,
        watch: Callable[[Outcome], None] = lambda outcome: None,
    ) -> None:
        """Opens everything that the station file names, and logs what was opened.

        Args:
            plan: the station file and its bundle.
            endings: a signal that is put into this queue ends `run`.
            observers: called with each event by the ledger's thread after it is written; must not
                wait.
            clock: the clock of all threads of the station.
            pins: opens the machine's GPIO pins.
            notifier: reports to systemd; None if nothing is reported.
            watch: called with each item's outcome by the sorting thread, which waits for it.

        Raises:
            BundleError: the model is not as its bundle describes it, or does not reproduce its
                golden picture.
            CameraError, PinError, LedgerError: a part cannot be opened.
        """
        config = plan.config
        self._notifier = notifier
        self._supervisor = Supervisor(endings, self, clock=clock, notifier=notifier)
        stamps = _stamps(config.station, clock)
        self._latest, self._tally = LatestFrame(clock), Tally()
        self._pump = FramePump(self._latest, clock=clock)
        self._clock, self._sorting = clock, Heartbeat(clock.now)
        self._tasks: Sequence[Task] = ()
        self._moving, self._parts = ExitStack(), ExitStack()
        clock.enter()
        self._parts.callback(clock.leave)  # the last of all
        try:
            _log.info(f"station    {config.station}")
            self._lanes = open_lanes(
                {name: lane.actuator for name, lane in config.lanes.items() if lane.actuator},
                config.keep_alive,
                pins=pins,
                parts=self._moving,
                clock=clock,
                report=lambda ended: self._dispatch.note(ended),
            )
            # Its process starts while the model is loaded.
            self._recorder = begin_recorder(
                config.ledger, observers=observers, keep=config.keep, clock=clock, stamps=stamps
            )
            self._parts.callback(self._recorder.close)
            self._journal = Journal(self._recorder, stamps)
            self._receiving = Receiving(
                config,
                publish=self._recorder.offer,
                code_known=self._latest.wake,
                stamps=stamps,
                clock=clock,
                endings=endings,
            )
            self._parts.callback(self._receiving.close)
            looks_again = config.codes is not None or config.photographs is not None
            self._sorter = open_sorter(
                plan,
                clock=clock,
                beat=self._sorting.beat,
                sharpness=sharpness if looks_again else None,
            )
            open_recorder(self._recorder, config.ledger, config.station)
            lamp = config.alarm_lane
            sink = self._receiving.begin(
                self._recorder,
                alarm=lambda: None if lamp is None else self._lanes.actuate(lamp, clock.now()),
                behind=lambda: self._recorder.spilled > 0 or self._recorder.ledger_fails,
            )
            self._dispatch = Dispatch(
                plan,
                lanes=self._lanes,
                recorder=sink,
                tally=self._tally,
                stamps=stamps,
                clock=clock,
                pictures=self._picture_uses(plan, stamps, clock),
            )
            self._loop = SortingLoop(
                self._latest,
                self._sorter,
                self._dispatch,
                region=config.region,
                heart=self._sorting,
                clock=clock,
                watch=watch,
            )
            self._camera = config.camera.open(
                clock=clock.now,
                pause=self._pump.pause,
                tell=self._tell,
                report=self._journal.camera_changed,
            )
            self._parts.callback(self._camera.close)
            _log.info(f"camera     {config.camera.kind}, trigger {config.trigger.kind}")
        except BaseException:
            self.close()
            raise

    def _picture_uses(self, plan: StationPlan, stamps: Stamps, clock: Clock) -> PictureUses:
        """What the station file has done with the pictures of items."""
        if plan.config.photographs is None:
            return PictureUses(codes=self._receiving)
        from edge.samples.photographs import open_photographs  # which no other station needs

        photographs = open_photographs(plan, clock=clock, time_is_right=stamps.synchronised)
        # Somebody who sent a signal waits for the end; nobody does where the pictures ended.
        self._parts.callback(
            lambda: photographs.close(seconds=1.0 if self._supervisor.reason else 30.0)
        )
        return PictureUses(keep=photographs.keep, codes=self._receiving)

    def close(self) -> None:
        """Puts every actuator at rest and closes every part; may be called twice."""
        with self._parts:
            self._moving.close()  # first, whatever the others do

    def change_model(self, model: ActiveModel) -> None:
        """Classifies each item that comes into view from now on with `model`.

        Items in view keep the model with which their vote began. May be called from any thread,
        which must not use the model's classifier after that.

        Raises:
            LabelLaneError: a label of the model has no lane. The station keeps its model.
        """
        self._dispatch.check_labels(model)
        self._sorter.model = model
        self._journal.model_changed(model.title, model.digest)
        self._tell(logging.INFO, f"model      {model.title}  (digest {model.digest[:12]})")

    def run(self, *, max_items: int | None = None) -> Tally:
        """Sorts until the camera has no more frames, `max_items` have passed, or a signal comes.

        Actuations that are planned when the frames end are still done; a signal cancels them.

        Raises:
            RegionError: the region does not fit the camera's picture.
            CameraError, PinError: a part failed. Every actuator is at rest by then.
            StuckError: a thread did not end.
        """
        pump, lanes, recorder, tally = self._pump, self._lanes, self._recorder, self._tally
        model = self._sorter.model
        self._journal.started(model.title, model.digest)
        tasks = [
            Task("camera", lambda: pump.run(self._camera), pump.heartbeat),
            Task("sorting", lambda: self._loop.run(max_items), self._sorting),
            Task("lanes", lanes.run, lanes.heartbeat, moves=True),
            *self._receiving.tasks,
        ]
        last = Task("ledger", recorder.run, recorder.heartbeat)
        self._tasks = (*tasks, last)
        self._supervisor.run(tasks, last=last, ready=f"sorting with {model.title}")
        tally.complete(latest=self._latest, sorter=self._sorter, lanes=lanes, recorder=recorder)
        return tally

    def vital_signs(self) -> VitalSigns:
        """How the station is at this moment; may be called by any thread, and takes no lock."""
        model, tally, recorder, latest = (
            self._sorter.model, self._tally, self._recorder, self._latest,
        )  # fmt: skip
        age = None if latest.captured is None else self._clock.now() - latest.captured
        return VitalSigns(
            model=model.title,
            model_digest=model.digest,
            silent_seconds={task.name: task.heartbeat.silent_seconds for task in self._tasks},
            camera_lost=self._journal.camera_lost,
            camera_losses=self._journal.camera_losses,
            frame_age_seconds=None if age is None else max(0.0, age),
            items=tally.items,
            lanes=dict(tally.lanes),
            rejects=dict(tally.rejects),
            frames_dropped=latest.dropped,
            frame_faults={str(kind): count for kind, count in list(latest.faults.items())},
            single_frame=self._sorter.single_frame,
            ledger_fails=recorder.ledger_fails,
            rows_queued=recorder.queued,
            items_spilled=recorder.spilled,
            rows_lost={
                "item": recorder.lost,
                "actuation": recorder.lost_actuations,
                "other": recorder.lost_others,
            },
            counts_fail=self._receiving.counts_fail,
            counts_waiting=self._receiving.counts_waiting,
        )

    def _tell(self, level: int, text: str) -> None:
        """Logs a message, and shows it as the service's status."""
        _log.log(level, text)
        if self._notifier:
            self._notifier.status(text)

    # For the supervisor

    def well_until(self, moment: float) -> None:
        """See `Supervised`."""
        self._lanes.allow_keep_alive(moment)

    def ended(self, name: str, working: Set[str]) -> None:
        """See `Supervised`."""
        if name == "sorting":  # needs no more frames; the lanes finish what is planned
            self._pump.stop()
            self._lanes.finish()
            self._receiving.finish()
        if not working & {"sorting", "lanes", "codes", "scanner"}:  # there will be no more rows
            self.finish()

    def stop(self) -> None:
        """See `Supervised`: puts the actuators at rest, and reads no more frames."""
        self._lanes.stop()  # first of all
        self._pump.stop()
        self._receiving.stop()

    def finish(self) -> None:
        """See `Supervised`; may be called twice."""
        self._receiving.close()  # what follows from a count is written down, too
        self._journal.stopped(self._tally.items, self._supervisor.reason)
        self._recorder.finish()


def _stamps(station: str, clock: Clock) -> Stamps:
    """The stamps of a station, which record whether this machine's clock is synchronised."""
    if clock is not SYSTEM_CLOCK:  # a simulated time is that of no machine
        return Stamps(station, clock.wall)
    state = CachedClockState(clock.now)
    return Stamps(station, clock.wall, boot_id=boot_id(), synchronised=state)
