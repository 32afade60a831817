"""A station: its parts built from the station file, and the whole way of an item through them.

    camera ─Frame▶ slot ─▶ trigger ─Item▶ model ─Scores▶ decision ─Sending▶ lanes, ledger

Four threads, and none waits for a later one: `camera` fills the slot, `sorting` takes frames from
it and decides, `lanes` writes pins when they are due, `ledger` writes rows and shows them. The main
thread waits for signals and for the end of each.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import TracebackType

import numpy as np

from edge.camera.slot import FrameSlot
from edge.config import Region, StationPlan
from edge.decision import Destination, decide, send, unreadable
from edge.errors import RegionError, StuckError
from edge.flow import Frame, UnreadableFrame, Verdict
from edge.lanes.lanes import Lanes
from edge.lanes.pins import Pins, open_pins
from edge.lanes.schedule import Timing
from edge.ledger.ledger import Entry, Ledger, utc_text
from edge.ledger.recorder import Recorder
from edge.model.classifier import Classifier
from edge.model.golden import check_golden_start
from edge.model.image_file import Image
from edge.tally import Tally
from edge.worker import Events, Worker

_WARM_UPS = 10
_PATIENCE_SECONDS = 5.0
"""How long a thread may take to end once it is told to."""


class Station:
    """A station with all its parts open and every actuator at rest; a context manager."""

    def __init__(
        self,
        plan: StationPlan,
        *,
        events: Events,
        show: Callable[[Entry], None],
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        pins: Callable[[], Pins] = open_pins,
    ) -> None:
        """Opens everything the station file names, and says what was opened.

        Args:
            events: a signal put in here ends `run`.
            show: shows a verdict to the operator; called from the ledger's thread.
            say: tells the operator something; not called from the sorting and lanes threads.
            clock: seconds, monotonic.
            wall_clock: seconds since 1970.
            pins: opens the machine's GPIO pins.

        Raises:
            BundleError: the model is not what its bundle says, or does not reproduce.
            CameraError, PinError, LedgerError: a part cannot be opened.
        """
        config = plan.config
        self._plan, self._config, self._events = plan, config, events
        self._say, self._clock, self._wall_clock = say, clock, wall_clock
        self._stopping = threading.Event()
        self._slot = FrameSlot()
        self._tally = Tally()
        self._accept = {**plan.bundle.manifest.accept, **config.decision.accept}
        self._destinations, self._default = _destinations(plan)
        self._parts = ExitStack()
        try:
            say(f"station    {config.station}")
            self._lanes = self._open_lanes(pins)
            self._classifier = self._open_model()
            ledger = self._parts.enter_context(Ledger(config.ledger.path))
            say(f"ledger     {ledger.path}")
            self._recorder = Recorder(ledger, show=show, say=say)
            self._trigger = config.trigger.open()
            self._camera = config.camera.open(clock=clock, pause=self._stopping.wait)
            self._parts.callback(self._camera.close)
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
        self._parts.close()

    def run(self, *, max_items: int | None = None) -> Tally:
        """Sorts until the camera has no more frames, `max_items` have passed, or a signal comes.

        Actuations that are planned when the frames end are still done; after a signal they are not.

        Raises:
            RegionError: the region does not fit the camera's picture.
            CameraError, PinError: a part failed. Every actuator is at rest by then.
            StuckError: a thread did not end.
        """
        camera = Worker("camera", self._watch, self._events)
        sorting = Worker("sorting", lambda: self._sort(max_items), self._events)
        lanes = Worker("lanes", self._lanes.run, self._events)
        ledger = Worker("ledger", self._recorder.run, self._events)
        self._say("ready")
        for worker in (ledger, lanes, sorting, camera):
            worker.start()
        try:
            self._wait_for(sorting, {sorting, lanes, camera})
        finally:
            self._stop()
            self._recorder.finish()
            ledger.join(_PATIENCE_SECONDS)
            if not ledger.is_alive():
                self._recorder.flush()
        if ledger.failure is not None:
            raise ledger.failure
        self._tally.dropped = self._slot.dropped
        self._tally.missed += self._lanes.missed
        self._tally.lost = self._recorder.lost
        return self._tally

    def _wait_for(self, sorting: Worker, working: set[Worker]) -> None:
        """Waits for `working` to end, each as it should or because one failed or a signal came."""
        failure: BaseException | None = None
        patience: float | None = None
        while working:
            try:
                event = self._events.get(timeout=patience)
            except queue.Empty:
                names = ", ".join(sorted(worker.name for worker in working))
                stuck = StuckError(f"{names}: did not end within {_PATIENCE_SECONDS:g} seconds")
                raise stuck from failure
            if isinstance(event, Worker):
                working.discard(event)
                failure = failure or event.failure
                if event is sorting:  # needs no more frames; the lanes finish what is planned
                    self._stopping.set()
                    self._slot.close()
                    self._lanes.finish()
                if event.failure is None:
                    continue
            else:
                self._say(f"stopping: {event.name}")
            self._stop()
            patience = _PATIENCE_SECONDS
        if failure is not None:
            raise failure

    def _stop(self) -> None:
        self._stopping.set()
        self._slot.close()
        self._lanes.stop()

    # The camera's thread

    def _watch(self) -> None:
        try:
            while not self._stopping.is_set():
                if not self._camera.live and not self._slot.wait_until_taken():
                    return
                frame = self._camera.read()
                if frame is None:
                    return
                if isinstance(frame, UnreadableFrame):
                    self._say(f"unreadable: {frame.message}")
                self._slot.put(frame)
        finally:
            self._slot.finish()

    # The sorting thread

    def _sort(self, max_items: int | None) -> None:
        for item in self._trigger.items(self._readable(max_items)):
            image = _region(item.frames[-1], self._config.region)
            scores = self._classifier.scores(image, box=item.box)
            verdict = decide(scores, self._classifier.labels, self._accept)
            self._carry_out(verdict, item.frames[-1])
            if self._tally.items == max_items:
                return

    def _readable(self, max_items: int | None) -> Iterator[Frame]:
        for frame in self._slot.frames():
            if isinstance(frame, Frame):
                yield frame
                continue
            self._carry_out(unreadable(), frame)
            if self._tally.items == max_items:
                return

    def _carry_out(self, verdict: Verdict, frame: Frame | UnreadableFrame) -> None:
        """Moves the lane and records the item; waits for neither.

        Args:
            frame: the last one of the item.
        """
        now = self._clock()
        latency_ms = 1000 * (now - frame.captured)
        sending = send(
            verdict,
            destinations=self._destinations,
            default=self._default,
            captured=frame.captured,
            now=now,
            deadline_seconds=self._config.decision.deadline_seconds,
        )
        if sending.at is not None:
            self._lanes.actuate(sending.lane, sending.at)
        self._tally.count(sending, latency_ms)
        verdict, labels = sending.verdict, self._classifier.labels
        known = verdict.label != ""
        scores = dict(zip(labels, verdict.scores.tolist(), strict=True)) if known else None
        self._recorder.offer(
            Entry(
                time=utc_text(self._wall_clock() - (now - frame.captured)),
                station=self._config.station,
                item=self._tally.items,
                source=frame.source,
                label=verdict.label if known else None,
                confidence=verdict.confidence if known else None,
                scores=scores,
                accepted=verdict.accepted,
                reject=verdict.reject.value if verdict.reject else None,
                lane=sending.lane,
                bundle=self._plan.bundle.title,
                bundle_digest=self._plan.bundle.digest,
                latency_ms=latency_ms,
            )
        )

    # Opening

    def _open_lanes(self, open_pins: Callable[[], Pins]) -> Lanes:
        devices = {
            name: lane.actuator
            for name, lane in self._config.lanes.items()
            if lane.actuator is not None
        }
        actuators = {}
        if devices:
            pins = self._parts.enter_context(open_pins())
            self._say(f"pins       {pins.title}")
            for name, device in devices.items():
                actuators[name] = device.open(pins)
                self._parts.callback(actuators[name].close)
        else:
            self._say("pins       none: no lane has an actuator")
        timings = {
            name: Timing(device.hold_seconds, device.max_on_seconds)
            for name, device in devices.items()
        }
        return Lanes(actuators, timings, clock=self._clock)

    def _open_model(self) -> Classifier:
        """The model, known to answer as it should, and warm: its first inferences are slow."""
        bundle, region = self._plan.bundle, self._config.region
        classifier = Classifier(bundle)
        check_golden_start(classifier)
        size = (region.height, region.width, 3) if region else (480, 640, 3)
        for _ in range(_WARM_UPS):
            classifier.scores(np.zeros(size, np.uint8))
        interpreter = classifier.interpreter
        self._say(f"bundle     {bundle.title}  (digest {bundle.digest[:12]}), golden picture right")
        self._say(f"runtime    {interpreter.title}")
        return classifier


def _destinations(plan: StationPlan) -> tuple[dict[str, Destination], Destination]:
    """(the destination of each label, that of rejects)."""
    lanes = {
        name: Destination(name, lane.actuator is not None, lane.delay_seconds)
        for name, lane in plan.config.lanes.items()
    }
    by_label = {
        label: lanes[name] for name, lane in plan.config.lanes.items() for label in lane.labels
    }
    return by_label, lanes[plan.config.default_lane]


def _region(frame: Frame, region: Region | None) -> Image:
    """The part of the picture that the station looks at.

    Raises:
        RegionError: it does not lie within the picture.
    """
    if region is None:
        return frame.image
    height, width = frame.image.shape[:2]
    bottom, right = region.top + region.height, region.left + region.width
    if bottom > height or right > width:
        where = f" ({frame.source})" if frame.source else ""
        raise RegionError(
            f"region: reaches to {right}, {bottom} (left + width, top + height), but the camera's "
            f"picture is {width}x{height} pixels{where}: correct the region in the station file"
        )
    return frame.image[region.top : bottom, region.left : right]
