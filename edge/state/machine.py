"""The states and modes of a machine, by PackML's names (ISA-TR88.00.02), and their order. Pure.

A state is left by a command, or, where it is one in which the machine acts (Starting, Holding),
by the end of what it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from edge.core.errors import ControlRefusedError
from edge.core.terminal.sentence import Sentence


class State(StrEnum):
    """A state of the machine; the values are the names that people and programs are shown."""

    STOPPED = "Stopped"
    """It moves nothing, and has to be reset."""
    RESETTING = "Resetting"
    IDLE = "Idle"
    """It is ready, and waits to be started."""
    STARTING = "Starting"
    """Its parts are opened, and the model is tried."""
    EXECUTE = "Execute"
    """It sorts. In every other state its pins are at rest."""
    HOLDING = "Holding"
    HELD = "Held"
    """It moves nothing, for a reason of its own: somebody paused it, or an incident."""
    UNHOLDING = "Unholding"
    SUSPENDING = "Suspending"
    SUSPENDED = "Suspended"
    """It moves nothing, for a reason outside of it: nothing comes, or a bin is full."""
    UNSUSPENDING = "Unsuspending"
    COMPLETING = "Completing"
    COMPLETE = "Complete"
    """It has sorted what there was to sort."""
    STOPPING = "Stopping"
    ABORTING = "Aborting"
    ABORTED = "Aborted"
    """Its emergency stop was pressed. Only `clear` leaves it."""
    CLEARING = "Clearing"


class Mode(StrEnum):
    """What the machine is used for."""

    PRODUCTION = "Production"
    """It sorts."""
    MAINTENANCE = "Maintenance"
    """Somebody cleans or mends it."""
    MANUAL = "Manual"
    """Somebody sets it up."""

    @property
    def is_manual(self) -> bool:
        """Whether lanes are moved by hand in it, and nothing else moves."""
        return self is not Mode.PRODUCTION


class Command(StrEnum):
    """A command of PackML."""

    RESET = "Reset"
    START = "Start"
    HOLD = "Hold"
    UNHOLD = "Unhold"
    SUSPEND = "Suspend"
    UNSUSPEND = "Unsuspend"
    COMPLETE = "Complete"
    STOP = "Stop"
    ABORT = "Abort"
    CLEAR = "Clear"


_BEING_STOPPED = (State.STOPPED, State.STOPPING)
_BEING_ABORTED = (State.ABORTED, State.ABORTING, State.CLEARING)

TRANSITIONS: Mapping[tuple[State, Command], State] = {
    (State.STOPPED, Command.RESET): State.RESETTING,
    (State.COMPLETE, Command.RESET): State.RESETTING,
    (State.IDLE, Command.START): State.STARTING,
    (State.EXECUTE, Command.HOLD): State.HOLDING,
    (State.SUSPENDED, Command.HOLD): State.HOLDING,
    (State.HELD, Command.UNHOLD): State.UNHOLDING,
    (State.EXECUTE, Command.SUSPEND): State.SUSPENDING,
    (State.SUSPENDED, Command.UNSUSPEND): State.UNSUSPENDING,
    (State.EXECUTE, Command.COMPLETE): State.COMPLETING,
    (State.ABORTED, Command.CLEAR): State.CLEARING,
    **{
        (state, Command.STOP): State.STOPPING
        for state in State
        if state not in (*_BEING_STOPPED, *_BEING_ABORTED)
    },
    **{
        (state, Command.ABORT): State.ABORTING
        for state in State
        if state not in (State.ABORTED, State.ABORTING)
    },
}
"""Where a command leads to; those that are not here are refused."""

ENDS: Mapping[State, State] = {
    State.RESETTING: State.IDLE,
    State.STARTING: State.EXECUTE,
    State.HOLDING: State.HELD,
    State.UNHOLDING: State.EXECUTE,
    State.SUSPENDING: State.SUSPENDED,
    State.UNSUSPENDING: State.EXECUTE,
    State.COMPLETING: State.COMPLETE,
    State.STOPPING: State.STOPPED,
    State.ABORTING: State.ABORTED,
    State.CLEARING: State.STOPPED,
}
"""Each state in which the machine acts, and the state that follows by itself."""

MODE_CHANGES = (State.STOPPED, State.IDLE, State.ABORTED)
"""The states in which the mode may change."""
MOVED_BY_HAND = (State.STOPPED, State.IDLE)
"""The states in which lanes are moved by hand, in a mode that allows it."""


class Machine:
    """A machine in one state and mode.

    Attributes:
        state: Stopped at first.
        mode: Production at first. In the other modes it is moved by hand, and never starts.
    """

    def __init__(self) -> None:
        self.state, self.mode = State.STOPPED, Mode.PRODUCTION

    @property
    def executes(self) -> bool:
        """Whether it sorts: pins leave their rest by themselves then, and only then."""
        return self.state is State.EXECUTE

    @property
    def is_moved_by_hand(self) -> bool:
        """Whether somebody may move a lane."""
        return self.mode.is_manual and self.state in MOVED_BY_HAND

    def command(self, command: Command) -> State:
        """Carries out `command`; returns the state after it.

        Raises:
            ControlRefusedError: it is not allowed in this state or mode. Nothing has changed.
        """
        found = TRANSITIONS.get((self.state, command))
        if found is None:
            raise ControlRefusedError(
                Sentence(
                    "the command {command} is not allowed in the state {state}",
                    command=command,
                    state=self.state,
                )
            )
        if command is Command.START and self.mode.is_manual:
            raise ControlRefusedError(
                Sentence(
                    "in the mode {mode} the station is not started: end that mode first",
                    mode=self.mode,
                )
            )
        self.state = found
        return found

    def done(self) -> State:
        """What the machine does in this state is done; returns the state after it."""
        self.state = ENDS.get(self.state, self.state)
        return self.state

    def change_mode(self, mode: Mode) -> None:
        """Changes to `mode`.

        Raises:
            ControlRefusedError: the mode may not change in this state.
        """
        if mode is not self.mode and self.state not in MODE_CHANGES:
            raise ControlRefusedError(
                Sentence(
                    "the mode does not change in the state {state}: only in {states}. `pilah-edge "
                    "stop` stops a station",
                    state=self.state,
                    states=", ".join(MODE_CHANGES),
                )
            )
        self.mode = mode
