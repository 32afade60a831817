"""A station: its parts, built from the station file, and the path of an item through them.

    camera ─Frame▶ latest frame ─▶ trigger ─Observation▶ model ─Prediction▶ ballot ─Verdict▶ routing
        routing ─▶ lanes; events ─▶ recorder ─▶ ledger, observers

None of its threads waits for a later one: `camera` leaves the latest frame (FramePump), `sorting`
takes it and decides (SortingLoop), `lanes` writes pins when they are due (Lanes), `ledger` writes
rows and tells observers (Recorder). Where the station file asks for them, `receiving` counts
deliveries, `codes` reads codes in pictures, and `scanner` a hand scanner (Receiving). The main
thread watches over them (StationThreads).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache

from edge.config.reading import StationPlan
from edge.core.closing import Closing
from edge.core.errors import LedgerError, LedgerRefusedError
from edge.events import Observer
from edge.lanes.lanes import Lanes
from edge.lanes.opening import open_lanes
from edge.ledger.lock import check_unheld
from edge.ledger.opening import begin_recorder, open_journal, open_recorder, open_stamps
from edge.pins.opened_pins import OpenedPins
from edge.receiving.station import Receiving
from edge.rollout.reloading import BundleReload
from edge.runtime.clock import SYSTEM_CLOCK, Clock
from edge.runtime.heartbeat import Heartbeat
from edge.runtime.service import Notifier
from edge.runtime.supervisor import Task
from edge.runtime.worker import Endings
from edge.sorting.dispatch import Dispatch
from edge.sorting.loop import UNWATCHED, SortingLoop, Watch
from edge.sorting.model import ActiveModel
from edge.sorting.openers import OPENERS, Openers
from edge.sorting.opening import open_picture_uses, open_sorter
from edge.sorting.tally import Tally
from edge.sorting.threads import Parts, StationThreads
from edge.state.watch import StateWatch
from edge.telemetry.status import VitalSigns
from edge.vision.frame_pump import FramePump
from edge.vision.latest_frame import LatestFrame

_log = logging.getLogger(__name__)


class Station(Closing):
    """A station with all its parts open and every actuator at rest; a context manager.

    Attributes:
        state: its state, which other threads may ask and change.
        loop: what its sorting thread does, and has seen last.
        pins: the pins that its parts have opened.
        bundles: loads its bundle anew.
    """

    def __init__(
        self,
        plan: StationPlan,
        *,
        endings: Endings,
        observers: Sequence[Observer] = (),
        clock: Clock = SYSTEM_CLOCK,
        openers: Openers = OPENERS,
        notifier: Notifier | None = None,
        watch: Watch = UNWATCHED,
    ) -> None:
        """Opens everything that the station file names, and logs what was opened.

        Args:
            plan: the station file and its bundle.
            endings: a signal that is put into this queue ends `run`.
            observers: called with each written event by the ledger's thread; must not wait.
            clock: the clock of all threads of the station.
            openers: open its pins, its ledger and its model.
            notifier: reports to systemd; None if nothing is reported.
            watch: is shown what the station does.

        Raises:
            BundleError: the model differs from its bundle, or gives other scores than it recorded.
            CameraError, PinError, TriggerError, LedgerError: a part cannot be opened.
        """
        config = plan.config
        # Before anything moves: opening its lanes puts the servo board of a running one at rest.
        check_unheld(config.ledger.path)
        self._notifier, self._patience = notifier, 1.0  # who sent a signal waits for the end
        self._begun = False
        self._moving, self._opened = ExitStack(), ExitStack()
        clock.enter()
        self._opened.callback(clock.leave)  # the last of all
        stamps, tally = open_stamps(config.station, clock), Tally()
        latest = LatestFrame(clock, oldest=config.camera.oldest)
        pump = FramePump(latest, clock=clock, look=lambda frame: self.state.frame(frame))
        self._sorting = Heartbeat(clock.now)
        self.pins = OpenedPins(openers.pins)
        openers = openers._replace(pins=self.pins.open)
        pins = cache(lambda: self._moving.enter_context(openers.pins()))
        try:
            _log.info(f"station    {config.station}")
            failure: Exception | None = None
            try:  # first of all: what moves must be at rest
                lanes = open_lanes(
                    config.actuators, config.keep_alive, pins=pins, parts=self._moving, clock=clock,
                    report=watch.before(lambda ended: self._dispatch.note(ended)),
                    belt=config.belt_with_encoder,
                )  # fmt: skip
            except Exception as error:  # is written down first, by a station that moves nothing
                failure, lanes = error, Lanes({}, {}, clock=clock)
            # Its process starts while the model is loaded.
            ledger = openers.ledger(config.ledger.path, keep=config.keep)
            recorder = begin_recorder(
                ledger, config.ledger, observers=observers, clock=clock, stamps=stamps
            )
            self._opened.callback(recorder.close)
            self._open_ledger = cache(
                lambda: open_recorder(recorder, config.ledger, config.station)
            )
            journal = open_journal(recorder, config.ledger, stamps)
            self.state = StateWatch(config, lanes=lanes, journal=journal, clock=clock)
            self._moving.callback(self.state.close)
            if failure is not None:
                raise failure
            self.state.open_contacts(pins)
            receiving = Receiving(
                config,
                publish=recorder.offer,
                code_known=latest.wake,
                stamps=stamps,
                clock=clock,
                endings=endings,
            )
            self._opened.callback(receiving.close)
            sorter = open_sorter(
                plan, openers, clock, self._sorting.beat, parts=self._opened, state=self.state,
                travel=lanes.travel,
            )  # fmt: skip
            self._open_ledger()
            sink = receiving.begin(recorder, alarm=lambda: lanes.signal(config.alarm_lane))
            self.bundles = BundleReload(
                plan, open_model=openers.model, change=self.change_model,
                judging=self.state.judging, quiet=lambda: not sorter.in_view and lanes.idle,
                clock=clock,
            )  # fmt: skip
            self._opened.callback(self.bundles.close)
            pictures = open_picture_uses(
                plan, receiving=receiving, stamps=stamps, clock=clock, parts=self._opened,
                patience=lambda: self._patience, spec=lambda: self.bundles.spec,
            )  # fmt: skip
            self._dispatch = Dispatch(
                plan, lanes=lanes, recorder=sink, tally=tally, stamps=stamps,
                clock=clock, pictures=pictures,
            )  # fmt: skip
            self.loop = SortingLoop(
                latest, sorter, self._dispatch, region=config.region, heart=self._sorting,
                clock=clock, judged=watch.judged,
            )  # fmt: skip
            self._camera = config.camera.open(
                clock=clock.now, pause=pump.pause, tell=self._tell, report=self.state.camera_changed
            )
            self._opened.callback(self._camera.close)
            self._parts = Parts(
                pump, latest, sorter, lanes, receiving, journal, recorder, tally, self.state
            )
            self._threads = StationThreads(self._parts, endings, clock=clock, notifier=notifier)
            _log.info(f"camera     {config.camera.kind}, trigger {config.trigger.kind}")
        except BaseException:
            with self:  # which writes that down, and closes all
                raise

    def __exit__(self, *raised: object) -> None:
        """Closes it; where an error kept it from beginning to sort, that is written down."""
        with self._opened:
            self._moving.close()  # first of all, see `close`
            if not self._begun:
                self._tell_of_end(raised[1])

    def close(self) -> None:
        """Puts every actuator at rest and closes every part; may be called twice."""
        with self._opened:
            self._moving.close()  # first, whatever the others do

    def change_model(self, model: ActiveModel) -> None:
        """Classifies each item that comes into view from now on with `model`.

        Items in view keep theirs. Any thread may call it, and uses the classifier no more after it.

        Raises:
            LabelLaneError: a label of the model has no lane. The station keeps its model.
        """
        self._dispatch.check_labels(model)
        self._parts.sorter.model = model
        self._parts.journal.model_changed(model.title, model.digest)
        self._tell(logging.INFO, f"model      {model.title}  (digest {model.digest[:12]})")

    def run(self, *, max_items: int | None = None) -> Tally:
        """Sorts until the camera has no more frames, `max_items` have passed, or a signal comes.

        Actuations that are planned when the frames end are still done; a signal cancels them.

        Raises:
            RegionError, CameraError, PinError: a part failed. Every actuator is at rest by then.
            StuckError: a thread did not end.
        """
        pump, lanes, recorder = self._parts.pump, self._parts.lanes, self._parts.recorder
        model = self._parts.sorter.model
        self._parts.journal.started(model.title, model.digest)
        self.state.ready(learns=self.loop.learns)
        self._begun = True
        self._threads.run(
            [
                Task("camera", lambda: pump.run(self._camera), pump.heartbeat),
                Task("sorting", lambda: self.loop.run(max_items), self._sorting),
                Task("lanes", self.state.move, lanes.heartbeat, moves=True),
                *self._parts.receiving.tasks,
                *self.state.tasks,
            ],
            last=Task("ledger", recorder.run, recorder.heartbeat),
        )
        if not self._threads.reason:
            self._patience = 30.0  # the pictures ended, and nobody waits
        return self._parts.complete_tally()

    def vital_signs(self) -> VitalSigns:
        """How the station is at this moment; may be called by any thread, and takes no lock."""
        return self._threads.vital_signs()

    def _tell_of_end(self, error: object) -> None:
        """Writes down that the station ends before it has begun to sort."""
        refused = error if isinstance(error, LedgerError) else None
        if refused is None and error is not None and hasattr(self, "state"):
            if not isinstance(error, Exception):  # somebody ends it, and waits for that
                self.state.give_up()
                return
            self.state.cannot_start(error)
            try:
                self._open_ledger()  # a new one takes longer to open than one waits for last rows
            except LedgerRefusedError as found:
                refused = found
                _log.error(f"incident   {found}")
        if refused is not None:
            _log.error("incident   this start is not in the ledger, which cannot be written")

    def _tell(self, level: int, text: str) -> None:
        """Logs a message, and shows it as the service's status."""
        _log.log(level, text)
        if self._notifier:
            self._notifier.status(text)
