"""Checks the rows of a station's state against the table of legal transitions."""

from __future__ import annotations

from collections import Counter

from edge.events import StateChanged
from edge.state.machine import ENDS, MODE_CHANGES, TRANSITIONS, Mode, State

LEGAL = {(state, ENDS[acting]) for (state, _), acting in TRANSITIONS.items()}
"""From a state in which a machine waits to the next one."""
START = {(State.STOPPED, State.STARTING), (State.STARTING, State.EXECUTE)}


class CheckedRows:
    """The rows of one run of a station, each of which must follow from the one before it."""

    def __init__(self) -> None:
        self.state, self.mode = State.STOPPED, Mode.PRODUCTION
        self.told: StateChanged | None = None
        self.states, self.modes = Counter[State](), Counter[Mode]()

    def take(self, event: StateChanged) -> None:
        state, mode, told = State(event.state), Mode(event.mode), self.told
        if mode is not self.mode:
            assert self.state in (state, State.STARTING)  # a start in the mode of the end before
            assert state in MODE_CHANGES
        elif told is not None and state is self.state:
            # A cause is over or new, and one is left; or a pause from afar is one at the machine.
            assert state in (State.HELD, State.SUSPENDED)
            assert (event.reason, event.scope, event.waits_for, event.who) != (
                told.reason, told.scope, told.waits_for, told.who
            )  # fmt: skip
            assert event.first == told.first
        else:
            assert (self.state, state) in LEGAL | START, f"{self.state} -> {state}"
        assert bool(event.reason) == (state in (State.HELD, State.SUSPENDED, State.ABORTED))
        waits_for = set(filter(None, event.waits_for.split(", ")))
        by_person = bool(event.who) and state in (State.STOPPED, State.IDLE)
        assert not by_person or "stopped" in waits_for
        assert event.reason not in ("paused", "jam") or waits_for
        assert state is not State.EXECUTE or mode is Mode.PRODUCTION
        self.state, self.mode, self.told = state, mode, event
        self.states[state] += 1
        self.modes[mode] += 1
