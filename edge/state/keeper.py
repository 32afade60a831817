"""The state of a running station: what every thread asks, and where it changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from edge.control.messages import ControlAnswer, ControlCommand, ControlRequest
from edge.core.errors import ControlRefusedError
from edge.core.terminal.sentence import Sentence
from edge.events import Event, LaneMoved, Stamps, StateChanged, utc_text
from edge.runtime.clock import Clock
from edge.state.machine import MOVED_BY_HAND, Mode, State
from edge.state.stops import Cause, Situation, Stops

FROM_AFAR = (ControlCommand.PAUSE, ControlCommand.RESUME, ControlCommand.STOP)
"""The commands that change the state and are taken from who may be far from the machine."""
_MANUAL = ", ".join(mode for mode in Mode if mode.is_manual)


class Moving(Protocol):
    """What moves while the station sorts."""

    def hold(self) -> None:
        """Puts everything at rest, and leaves out what is planned, until `go_on`; must not wait."""
        ...

    def cut_off(self) -> None:
        """The supply of what moves was cut: where it stands is not known until `go_on`; must not
        wait."""
        ...

    def go_on(self) -> None:
        """Moves again what is planned from now on; must not wait."""
        ...

    def allow_by_hand(self) -> None:
        """Lets `move_by_hand` move something though all is held, until `hold`; must not wait."""
        ...

    def move_by_hand(self, lane: str, seconds: float | None = None) -> float:
        """Moves the actuator of a lane once, and returns for how many seconds; must not wait.

        Raises:
            ControlRefusedError: it may not move now, not at all or not for so long.
        """
        ...


class StationStates:
    """The state of a station. Any thread may call every method, and none waits.

    Whatever lasts no time is no row: of Holding and Held, Held is told.

    Attributes:
        executes: whether the station sorts now. One read, without a lock.
    """

    def __init__(
        self,
        *,
        moving: Moving,
        offer: Callable[[Event], None],
        stamps: Stamps,
        clock: Clock,
    ) -> None:
        """The station is Stopped, and its actuators are at rest; nothing is told yet.

        Args:
            moving: is held in every state but Execute.
            offer: takes an event for each change; must not wait.
            stamps: gives the events their ids and times.
        """
        self._moving, self._offer, self._stamps, self._clock = moving, offer, stamps, clock
        self._lock = threading.RLock()
        self._stops, self._run = Stops(clock.now()), stamps.new_id()
        self._ended: Callable[[Cause, str], None] = lambda cause, who: None
        self._shown = self._as_shown(self._stops.situation)
        self.executes = self._by_hand = False
        self._moving.hold()

    @property
    def situation(self) -> Situation:
        """The present situation; takes no lock."""
        return self._stops.situation

    def tell_of_ends(self, ended: Callable[[Cause, str], None]) -> None:
        """Has `ended` called with each cause that a command ends, and who gave it."""
        self._ended = ended

    def begin(self) -> None:
        """The station's parts are being opened."""
        self._change(self._stops.begin)

    def stay_in(self, mode: Mode) -> None:
        """The station was in this mode when it ended, or was stopped by somebody, and does not
        begin to sort."""
        self._change(lambda at: self._stops.stay_in(mode, at))

    def ready(self) -> None:
        """The station begins to sort."""
        self._change(self._stops.ready)

    def end(self, *, complete: bool, failed: bool = False) -> None:
        """The station sorts no more.

        Args:
            complete: whether all that there was is sorted.
            failed: whether an error ends it.
        """
        self._change(lambda at: self._stops.end(at, complete=complete, failed=failed))

    def add(self, cause: Cause) -> None:
        """Something happens because of which the station stands."""
        self._change(lambda at: self._stops.add(cause, at))

    def over(self, name: str, *, scope: str = "") -> None:
        """A cause is over."""
        self._change(lambda at: self._stops.over(name, at, scope=scope))

    def answer(self, request: ControlRequest) -> ControlAnswer:
        """Does what is asked for, and says the state after it."""
        does: Mapping[ControlCommand, Callable[[float, str], tuple[Situation, ...]]] = {
            ControlCommand.PAUSE: partial(self._stops.pause, remote=request.remote),
            ControlCommand.RESUME: partial(self._stops.resume, remote=request.remote),
            ControlCommand.RESET: self._stops.reset,
            ControlCommand.CLEAR: self._stops.clear,
            ControlCommand.STOP: self._stops.stop,
            ControlCommand.MODE: lambda at, who: self._stops.change_mode(
                _mode(request.mode), at, who
            ),
            ControlCommand.MOVE_LANE: lambda at, who: self._move(request),
        }
        if (found := does.get(request.command)) is None:
            return ControlAnswer(True, state=self.as_json())
        if request.remote and request.command not in FROM_AFAR:
            return refused_from_afar(request.command)
        with self._lock:
            before = self._stops.causes
            try:
                self._change(lambda at: found(at, request.who))
            except ControlRefusedError as error:
                return ControlAnswer.refusing(error)
            left = self._stops.causes
            for cause in before:
                if cause not in left:
                    self._ended(cause, request.who)
            return ControlAnswer(True, state=self.as_json())

    def as_json(self) -> dict[str, Any]:
        """The state, as other programs are shown it; takes no lock."""
        return dict(self._shown)

    def _move(self, request: ControlRequest) -> tuple[Situation, ...]:
        """Moves a lane by hand, which changes no state.

        Raises:
            ControlRefusedError: it may not move now.
        """
        found = self._stops.situation
        if not found.mode.is_manual:
            raise ControlRefusedError(
                Sentence(
                    "lanes are moved by hand in the mode {modes} only, and the station is in "
                    "{mode}: `pilah-edge stop` it, then change its mode with `pilah-edge mode`",
                    modes=_MANUAL,
                    mode=found.mode,
                )
            )
        if not self._stops.is_moved_by_hand:
            raise ControlRefusedError(
                Sentence(
                    "lanes are moved by hand in the states {states} only, and the station is "
                    "{state}",
                    states=", ".join(MOVED_BY_HAND),
                    state=found.state,
                )
            )
        seconds = self._moving.move_by_hand(request.lane, request.seconds)
        stamp = self._stamps.now()
        self._offer(LaneMoved(*stamp, lane=request.lane, seconds=seconds, who=request.who))
        return ()

    def _change(self, change: Callable[[float], tuple[Situation, ...]]) -> None:
        with self._lock:
            try:
                found = change(self._clock.now())
            finally:
                # Before anything else: what must not move, does not.
                if self._stops.situation.state is State.ABORTED:
                    self._moving.cut_off()
                if self.executes and not self._stops.executes:
                    self.executes = False
                    self._moving.hold()
                elif self._stops.executes and not self.executes:
                    self._moving.go_on()
                    self.executes = True
                if self._by_hand != self._stops.is_moved_by_hand:
                    self._by_hand = not self._by_hand
                    if self._by_hand:
                        self._moving.allow_by_hand()
                    elif not self.executes:
                        self._moving.hold()
            for situation in found:
                self._shown = self._as_shown(situation)
                self._offer(StateChanged(*self._stamps.now(), **self._shown, run=self._run))

    def _as_shown(self, found: Situation) -> dict[str, Any]:
        since = self._clock.wall() - (self._clock.now() - found.since)
        return {
            "state": found.state.value,
            "mode": found.mode.value,
            "since": utc_text(since),
            "reason": found.reason,
            "scope": found.scope,
            "first": found.first,
            "first_incident": found.first_incident,
            "who": found.who,
            "waits_for": ", ".join(found.waits_for),
        }


def refused_from_afar(command: ControlCommand) -> ControlAnswer:
    """The answer to a command that is only taken at the machine, and came from afar."""
    said = Sentence(
        "the command {command} is given at the machine, and not from afar: somebody must have "
        "looked whose hands are in it",
        command=command,
    )
    return ControlAnswer.refusing(ControlRefusedError(said))


def _mode(name: str) -> Mode:
    """The mode with this name.

    Raises:
        ControlRefusedError: there is none.
    """
    try:
        return Mode(name)
    except ValueError:
        raise ControlRefusedError(
            Sentence(
                "there is no mode {name}: a station knows {modes}",
                name=repr(name),
                modes=", ".join(Mode),
            )
        ) from None
