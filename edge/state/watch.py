"""The state of a running station, and what changes it: the one part that the others see.

The camera's thread tells it of frames and losses, the sorting thread of items and of the time, the
lanes' thread of moves, a thread of its own of contacts where the station file names any, and who
asks at the socket of commands.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge.config.station import StationConfig
from edge.control.messages import ControlAnswer, ControlCommand, ControlRequest
from edge.core.closing import Closing
from edge.core.errors import ControlRefusedError, HomeSwitchError, PinError
from edge.core.redaction import redacted
from edge.core.terminal.sentence import Sentence
from edge.events import ExitSeen
from edge.flow import CameraChange, Frame, Observation, PictureFault, UnreadableFrame
from edge.lanes.lanes import Lanes
from edge.ledger.journal import Journal
from edge.ledger.reports.last_run import START_FAILED
from edge.pins.pins import Pins
from edge.runtime.clock import Clock
from edge.runtime.supervisor import Task
from edge.state.as_before import stand_as_before
from edge.state.camera_watch import CameraWatch
from edge.state.incidents.encoder import EncoderSilence
from edge.state.incidents.jam import Jams
from edge.state.incidents.notice import Notice
from edge.state.incidents.register import IncidentRegister
from edge.state.incidents.starved import Starvation
from edge.state.keeper import StationStates
from edge.state.machine import State
from edge.telemetry.status import StateSigns

if TYPE_CHECKING:
    from edge.state.inputs import ContactReader

_log = logging.getLogger(__name__)

_BELT_SECONDS = 0.1
"""How often it is looked whether an item should have come out, on a belt with an encoder."""
_SETTLING_SECONDS = 0.05
"""How often it is looked whether the moves are made for which the station waits before it stands.
"""

_LEARNING_SECONDS = 5.0
"""How much longer than it needs where good pictures come a trigger may learn."""
_KEEP_SECONDS = 2.0
"""How long a change of the mode may take to be written, before its answer says that it is not."""


class StateWatch(Closing):
    """Keeps the state of a station and its open incidents.

    Attributes:
        tasks: the thread that reads contacts, where the station file names any; to be run by the
            station's supervisor.
    """

    def __init__(
        self,
        config: StationConfig,
        *,
        lanes: Lanes,
        journal: Journal,
        clock: Clock,
    ) -> None:
        """The station is Starting, and its lanes are held.

        Args:
            config: the station file.
            lanes: are held in every state but Execute.
            journal: takes what happens to the station.
        """
        self._lanes, self._journal, self._clock = lanes, journal, clock
        offer, stamps, settings = journal.offer, journal.stamps, config.stops
        self._settings = settings
        self._states = StationStates(moving=lanes, offer=offer, stamps=stamps, clock=clock)
        self._register = IncidentRegister(
            states=self._states, offer=offer, stamps=stamps, clock=clock
        )
        self._camera = CameraWatch(config, journal=journal, register=self._register, clock=clock)
        self._late = self._belt_stands = self._starting = self._unready = False
        self._patience = config.trigger.learning_seconds + _LEARNING_SECONDS
        self._started = clock.now()
        self._diverted = frozenset[str]() if settings is None else settings.diverted
        minutes = None if settings is None else settings.starved_minutes
        self._encoder = None if lanes.travel is None else EncoderSilence(lanes.travel)
        self._starvation = None if minutes is None else Starvation(60 * minutes)
        self._sorted = False
        travel = {} if settings is None else settings.travel_seconds
        self._jams, self._jam_lock = Jams(travel), threading.Lock()
        self._jammed: set[str] = set()
        self._refused = ""
        if travel:
            lanes.moves = self.moved
        self._sorted_since = clock.now()
        self._reader: ContactReader | None = None
        self.tasks: list[Task] = []
        journal.end_those_of_before()
        self._states.begin()
        stand_as_before(
            config, journal.before, states=self._states, take=self.take, now=clock.now()
        )

    def open_contacts(self, pins: Callable[[], Pins]) -> None:
        """Opens the contacts that the station file names, and reads them once.

        Args:
            pins: opens the machine's GPIO pins.

        Raises:
            PinError: the pin of a contact cannot be used.
        """
        if self._settings is None or not self._settings.has_contacts:
            return
        from edge.state.inputs import ContactReader  # which no other station needs

        reader = ContactReader(
            self._settings, pins(), clock=self._clock, notice=self.take, passed=self._passed
        )
        self._reader = reader
        self.tasks.append(Task("contacts", reader.run, reader.heartbeat))
        reader.read()

    def close(self) -> None:
        """Frees the pins of the contacts; may be called twice."""
        if self._reader is not None:
            self._reader.close()

    # The station

    def ready(self, *, learns: bool = False) -> None:
        """All parts are open: items are sorted from now on, or once the motors that must look for
        their home switches have found them, and the trigger has learned what it must.

        Args:
            learns: see SortingState.
        """
        self._journal.goes_on()
        self._starting, self._started = True, self._clock.now()
        self._look_whether_ready(learns)

    def cannot_start(self, error: Exception) -> None:
        """A part of the station cannot be opened: an incident, and the end of this start.

        A service tries again every few seconds. As long as it fails in the same way, that is one
        incident and one stop, and nothing is told of another try, unless the emergency stop was
        pressed meanwhile: the next start must know that.
        """
        cause, aborted = _sentence(error), self._states.situation.state is State.ABORTED
        known = not aborted or self._journal.before.state == State.ABORTED.value
        if known and self._journal.forgets_start(cause):
            return
        self._journal.goes_on()
        self.take(Notice(START_FAILED, True, self._clock.now(), cause=cause, logged=True))
        self.end(complete=False, failed=True)

    def give_up(self) -> None:
        """Somebody ends the start, of which all is told: also an emergency stop that was pressed
        since the last one."""
        self._journal.goes_on()
        self.end(complete=False)

    def stop(self) -> None:
        """No more contacts are read; may be called twice."""
        if self._reader is not None:
            self._reader.stop()

    def end(self, *, complete: bool, failed: bool = False) -> None:
        """The station sorts no more; only the first call counts.

        Args:
            complete: whether all that there was is sorted.
            failed: whether an error ends it.
        """
        self.stop()
        self._states.end(complete=complete, failed=failed)

    def answer(self, request: ControlRequest) -> ControlAnswer:
        """What the station answers who asks at its socket.

        That the mode has changed is answered once it is written down: who reaches into the machine
        next may cut its supply, and it must not have forgotten that. Nobody who could ask for a
        stop waits meanwhile: the mode changes only where nothing moves.
        """
        answer = self._states.answer(request)
        if not answer.ok or request.command is not ControlCommand.MODE:
            return answer
        self.take(Notice("mode_unknown", False, self._clock.now()))
        if self._journal.keeps_state(_KEEP_SECONDS):
            return answer
        mode = str(answer.state["mode"])
        said = Sentence(
            "the station is in the mode {mode} now, but its ledger has not written that down: if "
            "its power fails, it will not know. Cut the supply of what could hurt somebody",
            mode=mode,
        )
        return ControlAnswer.refusing(ControlRefusedError(said))

    @property
    def signs(self) -> StateSigns:
        """The state and the open incidents, for the status; takes no lock."""
        found = self._states.as_json()
        ledger = ("ledger_failed",) if self._journal.ledger_fails else ()
        return StateSigns(**found, incidents=(*self._register.names, *ledger))

    # The camera's thread

    def camera_changed(self, change: CameraChange) -> None:
        """The camera is lost, or is back, as it tells itself."""
        self._camera.changed(change)

    def frame(self, frame: Frame | UnreadableFrame) -> PictureFault | None:
        """The camera gave a frame; what is wrong with the scene that it shows, or None."""
        return self._camera.frame(frame)

    # The sorting thread; see SortingState

    @property
    def sorts(self) -> bool:
        """Whether items are sorted."""
        return self._states.executes

    @property
    def next_at(self) -> float | None:
        """When `look` is to be called at the latest, in seconds on the station's clock."""
        with self._jam_lock:
            due = self._jams.next_at
        if due is not None and self._lanes.travel is not None:
            due = self._clock.now() + _BELT_SECONDS  # when the belt will be there, nobody knows
        moments = [due, self._camera.next_at]
        if self._starvation is not None:
            moments.append(self._starvation.next_at)
        if self._register.waits:
            moments.append(self._clock.now() + _SETTLING_SECONDS)
        return min((moment for moment in moments if moment is not None), default=None)

    def seen(self, at: float, observations: Sequence[Observation] = ()) -> None:
        """Something is in view."""
        if self._encoder is not None:
            self._encoder.seen(at, observations)
        if self._starvation is not None:
            self._take_all(self._starvation.seen(self._clock.now()))

    def look(self, *, quiet: bool, late_since: float | None = None, learns: bool = False) -> None:
        """Notices what follows from the time alone, and whether the station can stand now."""
        self._look_whether_ready(learns)
        self._look_at_belt()
        if self._late is not (late_since is not None):
            self._late = not self._late
            at = self._clock.now() if late_since is None else late_since
            self.take(Notice("camera_late", self._late, at))
        self._camera.look()
        if self._register.waits and quiet and self._lanes.idle:
            self._register.settle()
        if self._starvation is not None:
            self._look_for_starvation(self._starvation)
        with self._jam_lock:
            self._forget_what_stood()
            for lane in [each for each in self._jammed if not self._register.has("jam", each)]:
                self._jammed.discard(lane)  # somebody cleared it, and said so
                self._jams.forget(lane)
            found = list(self._jams.notices(self._belt_at(self._clock.now())))
        if self._lanes.travel is not None:
            found = [notice._replace(at=self._clock.now()) for notice in found]
        self._take_all(found)
        self._jammed.update(notice.scope for notice in found)

    def _look_whether_ready(self, learns: bool) -> None:
        now = self._clock.now()
        if self._unready and not learns:
            self._unready = False
            self.take(Notice("trigger_not_ready", False, now))
        if not self._starting or not self._lanes.ready:
            return
        if not learns or now - self._started >= self._patience:
            self._starting = False
            self._unready = learns and self._states.situation.state is State.STARTING
            if self._unready:
                self.take(Notice("trigger_not_ready", True, now))
            self._states.ready()

    def _look_at_belt(self) -> None:
        if self._belt_stands is not self._lanes.belt_stands:
            self._belt_stands = not self._belt_stands
            self.take(Notice("belt_stands", self._belt_stands, self._clock.now()))
        if self._encoder is not None:
            self._take_all(self._encoder.notices(self._clock.now()))

    def _forget_what_stood(self) -> None:
        """Without an encoder nobody knows how long the belt stood while the station did, and so
        when what lay on it comes out."""
        found = self._states.situation
        since = found.since if found.state is State.EXECUTE else self._clock.now()
        if since != self._sorted_since and self._lanes.travel is None:
            self._jams.forget_before(since)
        self._sorted_since = since

    def _look_for_starvation(self, starvation: Starvation) -> None:
        if self._states.executes != self._sorted:
            self._sorted = not self._sorted
            if self._sorted:
                starvation.sorts(self._states.situation.since)
            else:
                starvation.stands()
        self._take_all(starvation.notices(self._clock.now()))

    # The lanes' thread

    def move(self) -> None:
        """Moves the lanes; see `Lanes.run`. What cannot be moved is an incident, and the end.

        Raises:
            PinError: a pin could not be written, or a bus hangs.
        """
        try:
            self._lanes.run()
        except PinError as error:
            lost = isinstance(error, HomeSwitchError)
            name = "home_not_found" if lost else "actuator_failed"
            self.take(Notice(name, True, self._clock.now(), cause=_sentence(error)))
            raise

    def moved(self, lane: str) -> None:
        """The actuator of `lane` begins to move for an item just now."""
        with self._jam_lock:
            self._jams.moved(lane, self._belt_at(self._clock.now()))

    def _belt_at(self, at: float) -> float:
        """The time of what lies on the belt, which stands while the belt does, in seconds at the
        speed of the station file; without an encoder, the time of the clock.

        Args:
            at: now, or a moment before.
        """
        travel = self._lanes.travel
        return at if travel is None else travel.metres(at, at) / travel.metres_per_second

    # Any thread

    @contextmanager
    def judging(self) -> Iterator[None]:
        """A context in which another model is judged; one that is refused is an incident.

        One thread at a time may enter it.
        """
        try:
            yield
        except Exception as error:  # whatever it is, the station keeps the model before
            cause = _sentence(error)
            if cause != self._refused:
                self.take(Notice("model_refused", False, self._clock.now()))
            self._refused = cause
            self.take(Notice("model_refused", True, self._clock.now(), cause=cause))
            raise
        self.take(Notice("model_refused", False, self._clock.now()))

    def take(self, notice: Notice) -> None:
        """An incident begins, or is over."""
        lane = notice.scope
        if notice.name == "bin_full" and lane in self._diverted:
            full = self._lanes.full
            self._lanes.full = full | {lane} if notice.begins else full - {lane}
            notice = notice._replace(stops=False)
        self._register.take(notice)

    def _take_all(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            self.take(notice)

    def _passed(self, lane: str, at: float) -> None:
        """Something came to the exit of a lane."""
        with self._jam_lock:
            self._jams.seen(lane, self._belt_at(at))
        stamp = self._journal.stamps.at(self._clock.wall() - (self._clock.now() - at))
        self._journal.offer(ExitSeen(*stamp, lane=lane, at=at))


def _sentence(error: Exception) -> str:
    """What an error says, as a sentence for the ledger, which others read, too."""
    said = "; ".join(redacted(str(error)).splitlines()) or type(error).__name__
    return said if said.endswith((".", "?")) else f"{said}."
