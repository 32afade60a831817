"""A station: its parts built from the station file, and the whole way of an item through them.

    camera ─Frame▶ slot ─▶ trigger ─Sighting▶ model ─Scores▶ ballot ─Verdict▶ lanes, ledger

Four threads, and none waits for a later one: `camera` fills the slot, `sorting` takes frames from
it and decides, `lanes` writes pins when they are due, `ledger` writes rows and shows them. The main
thread waits for signals and for the end of each, and tells the system that they are getting on. It
waits for nothing else: it must be there to stop the others.
"""

from __future__ import annotations

import math
import queue
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType

from edge.config.reading import StationPlan
from edge.core.errors import StuckError
from edge.flow import UnreadableFrame
from edge.lanes.keep_alive import KeepAlive
from edge.lanes.lanes import Lanes
from edge.lanes.pins import Pins, open_pins
from edge.ledger.opening import begin_recorder, open_recorder
from edge.ledger.rows import Entry
from edge.runtime import heartbeat
from edge.runtime.clock import SYSTEM_CLOCK, Clock, Flag
from edge.runtime.heartbeat import Heartbeat, Lookout
from edge.runtime.service import Notifier
from edge.runtime.worker import Events, Worker
from edge.sorting.dispatch import Dispatch, destinations
from edge.sorting.model import ActiveModel, open_model
from edge.sorting.sorter import Closing, Outcome, Sorter
from edge.sorting.tally import Tally
from edge.vision.latest_frame import FrameSlot
from edge.vision.region import cut

_PATIENCE_SECONDS = 4.2
"""How long the threads may take to end once they are told to: the longest time limit of a camera's
read, and a little. With what comes after, less than END_SECONDS."""
_REST_SECONDS = 1.0
"""How long the lanes' thread may take to put everything at rest: it takes milliseconds."""
_LAST_ROWS_SECONDS = 0.3
"""How long the last rows may take beyond _PATIENCE_SECONDS: they were under way meanwhile."""
END_SECONDS = 4.9
"""How long the whole end of a station may take, and that of its process."""
_STUCK_SECONDS = 6.0
"""A thread that gives no sign of life for so long will give no more. Longer than the time limits of
the cameras' own reads (4 s at most) and than any inference (the slowest network here takes 0.3 s on
a Raspberry Pi 3); shorter than the watchdog of `deploy/pilah.service`, so that a station ends in
its own way where it can."""
_LOOK_SECONDS = 1.0
"""How often the main thread looks whether all the others are getting on."""
_WELL_SECONDS = 3.0
"""How long the keep-alive pin goes on after such a look."""
_VERDICT_SECONDS = 0.02
"""What a verdict takes besides the inference: a wake-up of the thread, the vote, the hand-over."""


class Station:
    """A station with all its parts open and every actuator at rest; a context manager."""

    def __init__(
        self,
        plan: StationPlan,
        *,
        events: Events,
        show: Callable[[Entry], None],
        say: Callable[[str], None],
        clock: Clock = SYSTEM_CLOCK,
        pins: Callable[[], Pins] = open_pins,
        notifier: Notifier | None = None,
        watch: Callable[[Outcome], None] = lambda outcome: None,
    ) -> None:
        """Opens everything the station file names, and says what was opened.

        Args:
            events: a signal put in here ends `run`.
            show: shows a verdict to the operator; called from the ledger's thread, and must not
                wait.
            say: tells the operator something; not called from the sorting and lanes threads, and
                must not wait either.
            clock: the time that all threads of the station read and wait for.
            pins: opens the machine's GPIO pins.
            notifier: tells systemd how things stand; None: nobody asks.
            watch: is shown each item's outcome, by the sorting thread, which waits for it.

        Raises:
            BundleError: the model is not what its bundle says, or does not reproduce.
            CameraError, PinError, LedgerError: a part cannot be opened.
        """
        config = plan.config
        self._plan, self._config, self._events = plan, config, events
        self._say, self._clock = say, clock
        self._notifier = notifier
        self._stopping = Flag(clock)
        self._until = math.inf
        """When the threads must have ended, on the clock."""
        self._keep_alive: KeepAlive | None = None
        self._slot = FrameSlot(clock)
        self._tally = Tally()
        self._watching, self._sorting = Heartbeat(clock.now), Heartbeat(clock.now)
        self._moving, self._parts = ExitStack(), ExitStack()
        clock.enter()
        self._parts.callback(clock.leave)  # the last of all
        try:
            say(f"station    {config.station}")
            self._lanes = self._open_lanes(pins)
            # Its process starts while the model is loaded.
            self._recorder = begin_recorder(config.ledger, show=show, say=say, clock=clock)
            self._parts.callback(self._recorder.close)
            self._sorter = self._open_sorter()
            open_recorder(self._recorder, config.ledger, config.station, say=say)
            self._dispatch = Dispatch(
                plan,
                lanes=self._lanes,
                recorder=self._recorder,
                tally=self._tally,
                clock=clock,
                watch=watch,
            )
            self._camera = config.camera.open(clock=clock.now, pause=self._pause, say=self._tell)
            self._parts.callback(self._camera.close)
            say(f"camera     {config.camera.kind}, trigger {config.trigger.kind}")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Station:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Puts every actuator at rest and closes every part; may be called twice."""
        with self._parts:
            self._moving.close()  # first, whatever the others do

    def change_model(self, model: ActiveModel) -> None:
        """Has `model` judge each item that comes into view from now on.

        Those in view keep the model that they were seen with first. May be called from any thread,
        which must not use the model's classifier after that.

        Raises:
            LabelLaneError: a label of the model has no lane. The station's model stays.
        """
        self._dispatch.check_labels(model)
        self._sorter.model = model
        self._tell(f"model      {model.title}  (digest {model.digest[:12]})")

    def run(self, *, max_items: int | None = None) -> Tally:
        """Sorts until the camera has no more frames, `max_items` have passed, or a signal comes.

        Actuations that are planned when the frames end are still done; after a signal they are not.

        Raises:
            RegionError: the region does not fit the camera's picture.
            CameraError, PinError: a part failed. Every actuator is at rest by then.
            StuckError: a thread did not end.
        """
        camera = self._worker("camera", self._watch)
        sorting = self._worker("sorting", lambda: self._sort(max_items))
        lanes = self._worker("lanes", self._lanes.run)
        ledger = self._worker("ledger", self._record)
        lookout = Lookout(
            {
                "camera": lambda: self._watching.silent_seconds,
                "sorting": lambda: self._sorting.silent_seconds,
                "lanes": lambda: self._lanes.heartbeat.silent_seconds,
                "ledger": lambda: self._recorder.silent_seconds,
            },
            stuck_seconds=_STUCK_SECONDS,
            clock=self._clock.now,
        )
        self._say("ready")
        for worker in (ledger, lanes, sorting, camera):
            worker.start()
        if self._notifier:
            self._notifier.ready(f"sorting with {self._sorter.model.title}")
        self._look_after(lookout)
        try:
            self._wait_for(camera, sorting, lanes, lookout)
        finally:
            self._stop()
            # Whoever closes an actuator next must be the only one who moves it.
            lanes.join(_REST_SECONDS)
            self._recorder.finish()
            ledger.join(max(0.0, self._until - self._clock.now()) + _LAST_ROWS_SECONDS)
        if ledger.failure is not None:
            raise ledger.failure
        self._tally.dropped, self._tally.faults = self._slot.dropped, self._slot.faults
        self._tally.single_frame = self._sorter.single_frame
        self._tally.missed += self._lanes.missed
        recorder = self._recorder
        self._tally.lost = recorder.lost + recorder.waiting
        self._tally.spilled = recorder.spilled
        self._tally.lost_actuations = recorder.lost_actuations + recorder.waiting_actuations
        return self._tally

    def _worker(self, name: str, body: Callable[[], None]) -> Worker:
        return Worker(name, body, self._events, clock=self._clock)

    def _wait_for(self, camera: Worker, sorting: Worker, lanes: Worker, lookout: Lookout) -> None:
        """Waits for the three to end, each as it should or because one failed or a signal came."""
        working = {camera, sorting, lanes}
        failure: BaseException | None = None
        while working:
            now = self._clock.now()
            try:
                event = self._clock.get(self._events, min(now + _LOOK_SECONDS, self._until))
            except queue.Empty:
                if self._until == math.inf:
                    self._look_after(lookout)
                elif now >= self._until:
                    names = ", ".join(sorted(worker.name for worker in working))
                    stuck = StuckError(f"{names}: did not end within {_PATIENCE_SECONDS:g} seconds")
                    raise stuck from failure
                continue
            if isinstance(event, Worker):
                working.discard(event)
                failure = failure or event.failure
                if event is sorting:  # needs no more frames; the lanes finish what is planned
                    self._stopping.set()
                    self._slot.close()
                    self._lanes.finish()
                if not working & {sorting, lanes}:  # there will be no more rows
                    self._recorder.finish()
                if event.failure is not None:
                    self._stop()
            else:
                self._stop()
                self._say(f"stopping: {event.name}")
        if failure is not None:
            raise failure

    def _stop(self) -> None:
        self._lanes.stop()  # first of all
        self._until = min(self._until, self._clock.now() + _PATIENCE_SECONDS)
        self._stopping.set()
        self._slot.close()
        if self._notifier:
            self._notifier.stopping()

    def _look_after(self, lookout: Lookout) -> None:
        """Tells systemd, and whoever watches the keep-alive pin, that all is well.

        Raises:
            StuckError: it is not. The lanes are put at rest at the end, and another start helps
                more than waiting.
        """
        try:
            lookout.look()
        except StuckError:
            self._until = self._clock.now() + _REST_SECONDS
            raise
        if self._keep_alive is not None:
            self._keep_alive.allow(self._clock.now() + _WELL_SECONDS)
        if self._notifier:
            self._notifier.alive()

    def _tell(self, text: str) -> None:
        """Tells the operator and whoever asks systemd how the camera is."""
        self._say(text)
        if self._notifier:
            self._notifier.status(text)

    # The ledger's thread

    def _record(self) -> None:
        try:
            self._recorder.run()
        finally:
            self._recorder.flush()  # here: the main thread waits for no disk

    # The camera's thread

    def _watch(self) -> None:
        try:
            with self._watching.working():
                while not self._stopping.is_set():
                    if not self._camera.live and not self._slot.wait_until_taken(
                        self._watching.beat
                    ):
                        return
                    self._watching.beat()
                    frame = self._camera.read()
                    if frame is None:
                        return
                    if isinstance(frame, UnreadableFrame) and frame.source:
                        self._say(f"unreadable: {frame.message}")
                    self._slot.put(frame)
        finally:
            self._slot.finish()

    def _pause(self, seconds: float) -> bool:
        """Waits within the camera's thread; True: the station is stopping."""
        until = self._clock.now() + seconds
        while True:
            self._watching.beat()
            step = min(until, self._clock.now() + heartbeat.BEAT_SECONDS)
            if self._stopping.wait(step) or step == until:
                return self._stopping.is_set()

    # The sorting thread

    def _sort(self, max_items: int | None) -> None:
        with self._sorting.working():
            for frame in self._slot.frames(self._patience):
                self._sorting.beat()
                if isinstance(frame, UnreadableFrame):
                    done = self._dispatch.carry_out_unreadable(
                        frame, self._sorter.model, max_items=max_items
                    )
                else:
                    outcomes = (
                        self._sorter.close_due()
                        if frame is None
                        else self._sorter.look(cut(frame, self._config.region))
                    )
                    done = self._dispatch.carry_out(outcomes, max_items=max_items)
                if done:
                    return
            self._dispatch.carry_out(self._sorter.end(), max_items=max_items)

    def _patience(self) -> float:
        """How long to wait for a frame before an open vote must be closed without one."""
        closing = self._sorter.next_closing
        left = math.inf if closing is None else max(0.0, closing - self._clock.now())
        return min(left, heartbeat.BEAT_SECONDS)

    # Opening

    def _open_lanes(self, open_pins: Callable[[], Pins]) -> Lanes:
        devices = {
            name: lane.actuator
            for name, lane in self._config.lanes.items()
            if lane.actuator is not None
        }
        actuators = {}
        if devices:
            pins = self._moving.enter_context(open_pins())
            self._say(f"pins       {pins.title}")
            if self._config.keep_alive is not None:
                self._keep_alive = self._config.keep_alive.open(pins)
                self._moving.callback(self._keep_alive.close)
            for name, device in devices.items():
                actuators[name] = device.open(pins)
                self._moving.callback(actuators[name].close)
        else:
            self._say("pins       none: no lane has an actuator")
        timings = {name: device.timing for name, device in devices.items()}
        return Lanes(
            actuators,
            timings,
            clock=self._clock,
            keep_alive=self._keep_alive,
            report=lambda ended: self._dispatch.note(ended),
        )

    def _open_sorter(self) -> Sorter:
        model = open_model(self._plan, say=self._say)
        delays = [lane.delay_seconds for lane in destinations(self._plan).values() if lane.moves]
        return Sorter(
            self._config.trigger.open(),
            model,
            closing=Closing(
                deadline_seconds=self._config.decision.deadline_seconds,
                shortest_delay_seconds=min(filter(None, delays), default=None),
                margin_seconds=_VERDICT_SECONDS,
            ),
            clock=self._clock.now,
            beat=self._sorting.beat,
        )
