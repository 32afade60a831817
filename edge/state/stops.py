"""Why a machine stands, and when it goes on: the causes of a stop, and the first of them. Pure.

A *stop* begins when Execute is left and ends when it is reached again. It may have several causes
at once. The first of them is its reason ("first-out"), because the others may follow from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from edge.core.errors import ControlRefusedError
from edge.core.terminal.sentence import Sentence
from edge.state.machine import TRANSITIONS, Command, Machine, Mode, State

PAUSED = "paused"
"""The reason of a stop that somebody asked for."""
STOPPED = "stopped"
"""What a machine waits for that somebody has stopped or cleared: a person starts it again."""

FAILED = "failed"
"""The reason of a stop that is none of the incidents: an error has ended the program."""


class EndsBy(StrEnum):
    """What ends the cause of a stop."""

    ITSELF = "itself"
    """The station sees that it is over: the camera is back, the bin was emptied."""
    RESET = "reset"
    """Somebody says that it is over, with `pilah-edge reset`."""
    RESUME = "resume"
    """Somebody says so with `pilah-edge resume`."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Something because of which a machine stands."""

    name: str
    """The name of an incident, or PAUSED."""
    stop: State
    """The state that it needs: Held, Suspended or Aborted."""
    since: float
    """When it began, in seconds on any monotonic clock."""
    scope: str = ""
    """Which part has it, such as a lane; empty for the station. With the name it is unique."""
    ends_by: EndsBy = EndsBy.ITSELF
    incident_id: str | None = None
    """The id of the incident's event; None: there is none."""
    remote: bool = False
    """Whether somebody asked for it who may be far from the machine."""

    @property
    def key(self) -> tuple[str, str]:
        """What no other cause has at the same time."""
        return self.name, self.scope

    @property
    def label(self) -> str:
        """Name and scope in one word or two: `paused`, `jam warm`."""
        return " ".join(filter(None, self.key))


@dataclass(frozen=True, slots=True)
class Situation:
    """The state of a machine, and why it is in it."""

    state: State
    mode: Mode
    since: float
    """When what it is about began, in seconds on any monotonic clock. For a stop, that is the
    moment of its cause, which may be a little before the machine stood; where another cause was
    there first, that of its end."""
    reason: str = ""
    """The name of the oldest cause that this state has now; empty in a state that needs none."""
    scope: str = ""
    """The scope of that cause."""
    first: str = ""
    """The name of the first cause since Execute was left; empty where it was not left for one."""
    first_incident: str | None = None
    """The id of the event of that incident; None: there is none."""
    who: str = ""
    """Who gave the command; empty: nobody did."""
    waits_for: tuple[str, ...] = ()
    """What only a person ends, and without which the machine sorts not: the labels of causes, and
    STOPPED. It is so at the end of the program, too, and after the next start."""


class Stops:
    """A machine that stands as long as there is a cause for it.

    Every method returns the situations that it led to, in order; none where nothing has changed.
    Those that would last no time (Holding, Unholding) are left out.

    Attributes:
        situation: the present one.
    """

    def __init__(self, at: float) -> None:
        """The machine is Stopped."""
        self._machine = Machine()
        self._causes: dict[tuple[str, str], Cause] = {}
        self._by_person = False
        """Whether only a person starts the machine, who has stopped or cleared it."""
        self.situation = Situation(State.STOPPED, Mode.PRODUCTION, at)

    @property
    def executes(self) -> bool:
        """Whether the machine sorts."""
        return self._machine.executes

    @property
    def is_moved_by_hand(self) -> bool:
        """Whether somebody may move a lane."""
        return self._machine.is_moved_by_hand

    @property
    def causes(self) -> tuple[Cause, ...]:
        """The causes of the present stop, the oldest first."""
        return tuple(self._causes.values())

    # What the program does

    def begin(self, at: float) -> tuple[Situation, ...]:
        """The program opens the station's parts: Starting."""
        self._machine.command(Command.RESET)
        self._machine.done()
        self._machine.command(Command.START)
        return (self._enter(Situation(State.STARTING, self._machine.mode, at)),)

    def ready(self, at: float) -> tuple[Situation, ...]:
        """All parts are open: Execute, unless there is a cause to stand."""
        if self._machine.state is not State.STARTING:
            return ()
        self._machine.done()
        return (self._enter(Situation(State.EXECUTE, self._machine.mode, at)), *self._settle(at))

    def end(self, at: float, *, complete: bool, failed: bool = False) -> tuple[Situation, ...]:
        """The program ends: Stopped, or Complete where all was sorted; an aborted one stays so.

        Args:
            failed: whether an error ends it. The stop that this is lasts until the next start, and
                has a reason; a program that somebody ends has none, as it is not to sort then.
        """
        state, first, incident = self._machine.state, "", None
        if state in (State.STOPPED, State.ABORTED, State.COMPLETE):
            # A stop that has a reason loses it where somebody ends the program, too.
            if failed or state is not State.STOPPED or not self.situation.first:
                return ()
        else:
            done = complete and not failed and state is State.EXECUTE
            self._machine.command(Command.COMPLETE if done else Command.STOP)
        if failed:
            newest = self.causes[-1] if self.causes else Cause(FAILED, State.HELD, at)
            first, incident = self.situation.first, self.situation.first_incident
            first, incident = (first, incident) if first else (newest.name, newest.incident_id)
        ended = self._machine.done()
        return (self._enter(Situation(ended, self._machine.mode, at, "", "", first, incident)),)

    # What happens

    def add(self, cause: Cause, at: float, *, who: str = "") -> tuple[Situation, ...]:
        """Something happens because of which the machine stands. A cause that is there stays."""
        if cause.key in self._causes:
            return ()
        self._causes[cause.key] = cause
        if cause.stop is State.ABORTED and self._machine.state is not State.ABORTED:
            self._machine.command(Command.ABORT)
            return (self._stand(cause),)
        return self._settle(at, who)

    def over(self, name: str, at: float, *, scope: str = "") -> tuple[Situation, ...]:
        """The cause with this name and scope is over; nothing happens where there is none."""
        self._causes.pop((name, scope), None)
        return self._settle(at)

    # What somebody asks for

    def pause(self, at: float, who: str, *, remote: bool = False) -> tuple[Situation, ...]:
        """Stands until `resume`. A pause from afar becomes one of whoever asks at the machine.

        Args:
            remote: whether `who` may be far from the machine.

        Raises:
            ControlRefusedError: it is paused, or in a state that cannot be.
        """
        paused = self._causes.get((PAUSED, ""))
        if paused is not None and paused.remote and not remote:
            self._causes[paused.key] = replace(paused, remote=False)
            told = self.situation.reason == PAUSED
            return (self._enter(replace(self.situation, who=who)),) if told else ()
        if paused is not None:
            raise ControlRefusedError(
                Sentence("the station is paused already: `resume` lets it sort on")
            )
        if self._machine.state not in _IN_PRODUCTION:
            raise ControlRefusedError(
                Sentence("there is nothing to pause: the station is {state}", state=self._words())
            )
        cause = Cause(PAUSED, State.HELD, at, ends_by=EndsBy.RESUME, remote=remote)
        return self.add(cause, at, who=who)

    def resume(self, at: float, who: str, *, remote: bool = False) -> tuple[Situation, ...]:
        """Sorts on after `pause`, or begins to after `reset`.

        Args:
            remote: whether `who` may be far from the machine, where nobody sees whose hands are in
                it. Only a pause from afar is ended from there.

        Raises:
            ControlRefusedError: it is neither paused nor Idle, or was stopped at the machine.
        """
        paused = self._causes.get((PAUSED, ""))
        stands = paused is not None or self._machine.state is State.IDLE
        if remote and stands and not (paused is not None and paused.remote):
            raise ControlRefusedError(
                Sentence(
                    "what was stopped at the machine goes on from there, and not from afar: the "
                    "station is {state}",
                    state=self._words(),
                )
            )
        if self._machine.state is State.IDLE:
            self._machine.command(Command.START)
            self._machine.done()
            self._by_person = False
            started = Situation(State.EXECUTE, self._machine.mode, at, who=who)
            return (self._enter(started), *self._settle(at))
        if paused is None:
            raise ControlRefusedError(
                Sentence("the station is not paused: it is {state}", state=self._words())
            )
        del self._causes[PAUSED, ""]
        return self._settle(at, who)

    def reset(self, at: float, who: str) -> tuple[Situation, ...]:
        """Ends the causes that wait for it, or makes a machine ready that is Stopped.

        Raises:
            ControlRefusedError: nothing waits for it.
        """
        stands = self._machine.state in (State.STOPPED, State.COMPLETE)
        waiting = [cause.key for cause in self.causes if cause.ends_by is EndsBy.RESET]
        if not stands and (self._machine.state not in _IN_PRODUCTION or not waiting):
            raise ControlRefusedError(
                Sentence("there is nothing to reset: the station is {state}", state=self._words())
            )
        for key in waiting:
            del self._causes[key]
        return (self._after(Command.RESET, at, who),) if stands else self._settle(at, who)

    def stop(self, at: float, who: str) -> tuple[Situation, ...]:
        """Stands until `reset` and `resume`; what is to be mended stays to be mended.

        Raises:
            ControlRefusedError: it is Stopped or Aborted.
        """
        if (self._machine.state, Command.STOP) not in TRANSITIONS:
            raise ControlRefusedError(
                Sentence("there is nothing to stop: the station is {state}", state=self._words())
            )
        self._causes.pop((PAUSED, ""), None)
        self._by_person = True
        return (self._after(Command.STOP, at, who),)

    def change_mode(self, mode: Mode, at: float, who: str) -> tuple[Situation, ...]:
        """Goes to another mode. A stop, which is one of production, ends with that.

        Raises:
            ControlRefusedError: it is in this mode, or the mode does not change in its state.
        """
        if mode is self._machine.mode:
            raise ControlRefusedError(
                Sentence("the station is in the mode {mode} already", mode=mode)
            )
        self._machine.change_mode(mode)
        # Back in production, what aborts the machine is the reason of a stop again.
        cause = None if mode.is_manual or self._machine.state is not State.ABORTED else next(
            (one for one in self.causes if one.stop is State.ABORTED), None
        )  # fmt: skip
        return (self._enter(replace(
            self.situation, mode=mode, since=at, first="" if cause is None else cause.name,
            first_incident=None if cause is None else cause.incident_id, who=who,
        )),)  # fmt: skip

    def stay_in(self, mode: Mode, at: float) -> tuple[Situation, ...]:
        """A station in which somebody worked before it ended, or that somebody stopped, does not
        sort because it is started again: it is Stopped in `mode`."""
        self._by_person = True
        self._machine.command(Command.STOP)
        self._machine.done()
        self._machine.change_mode(mode)
        return (self._enter(Situation(State.STOPPED, mode, at)),)

    def clear(self, at: float, who: str) -> tuple[Situation, ...]:
        """Leaves Aborted for Stopped, where what aborted it is over.

        Raises:
            ControlRefusedError: it is not aborted, or the reason for it is still there.
        """
        if self._machine.state is not State.ABORTED:
            raise ControlRefusedError(
                Sentence("there is nothing to clear: the station is {state}", state=self._words())
            )
        present = [cause.name for cause in self.causes if cause.stop is State.ABORTED]
        if present:
            raise ControlRefusedError(
                Sentence(
                    "the station stays Aborted: {incident} is still there",
                    incident=", ".join(present),
                )
            )
        # Somebody has looked at the machine, and starts it by hand.
        kept = {key: each for key, each in self._causes.items() if each.ends_by is EndsBy.ITSELF}
        self._causes, self._by_person = kept, True
        return (self._after(Command.CLEAR, at, who),)

    # How it comes about

    def _settle(self, at: float, who: str = "") -> tuple[Situation, ...]:
        """Goes to the state that the causes need."""
        state = self._machine.state
        if state not in _IN_PRODUCTION:
            return ()
        cause = next(
            (each for stop in (State.HELD, State.SUSPENDED) for each in self.causes
             if each.stop is stop),
            None,
        )  # fmt: skip
        wanted = State.EXECUTE if cause is None else cause.stop
        if wanted is state:
            told = self.situation
            if cause is None:
                return ()
            if cause.key != (told.reason, told.scope):
                # The cause that was told is over; what is left has another way out of this state.
                told = replace(told, since=at, reason=cause.name, scope=cause.scope, who="")
            elif told.waits_for == self._waits_for:
                return ()
            return (self._enter(replace(told, who=who or told.who)),)
        found = []
        if state is State.HELD or (state is State.SUSPENDED and cause is None):
            left = Command.UNHOLD if state is State.HELD else Command.UNSUSPEND
            self._machine.command(left)
            self._machine.done()
            found.append(self._enter(Situation(State.EXECUTE, self._machine.mode, at, who=who)))
        if cause is not None:
            held = cause.stop is State.HELD
            self._machine.command(Command.HOLD if held else Command.SUSPEND)
            found.append(self._stand(cause, who))
        return tuple(found)

    def _stand(self, cause: Cause, who: str = "") -> Situation:
        before = self.situation
        is_first = not before.first
        return self._enter(
            Situation(
                self._machine.done(),
                self._machine.mode,
                max(before.since, cause.since),
                reason=cause.name,
                scope=cause.scope,
                first=cause.name if is_first else before.first,
                first_incident=cause.incident_id if is_first else before.first_incident,
                who=who,
            )
        )

    def _after(self, command: Command, at: float, who: str) -> Situation:
        """Carries out a command that ends in a state in which the machine stands on."""
        self._machine.command(command)
        state, first = self._machine.done(), self.situation.first
        incident = self.situation.first_incident
        return self._enter(
            Situation(state, self._machine.mode, at, first=first, first_incident=incident, who=who)
        )

    @property
    def _waits_for(self) -> tuple[str, ...]:
        by_person = [one.label for one in self.causes if one.ends_by is not EndsBy.ITSELF]
        return (*by_person, *([STOPPED] if self._by_person else []))

    def _enter(self, situation: Situation) -> Situation:
        # It sorts for a moment between two states at most, and then nothing has to be ended yet.
        waits_for = () if situation.state is State.EXECUTE else self._waits_for
        self.situation = replace(situation, waits_for=waits_for)
        return self.situation

    def _words(self) -> str:
        """The state in words, as the end of a sentence."""
        found = self.situation
        return str(found.state) + (f" ({found.reason})" if found.reason else "")


_IN_PRODUCTION = (State.EXECUTE, State.HELD, State.SUSPENDED)
"""The states between the start and the end, among which causes choose."""
