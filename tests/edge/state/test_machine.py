"""PackML's states: each command in each state, against the table of the standard."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.errors import ControlRefusedError
from edge.state.machine import ENDS, TRANSITIONS, Command, Machine, Mode, State

STANDARD = """
Stopped        Reset Resetting      Abort Aborting
Resetting      Stop Stopping        Abort Aborting
Idle           Start Starting       Stop Stopping     Abort Aborting
Starting       Stop Stopping        Abort Aborting
Execute        Hold Holding         Suspend Suspending  Complete Completing  Stop Stopping  Abort Aborting
Holding        Stop Stopping        Abort Aborting
Held           Unhold Unholding     Stop Stopping     Abort Aborting
Unholding      Stop Stopping        Abort Aborting
Suspending     Stop Stopping        Abort Aborting
Suspended      Unsuspend Unsuspending  Hold Holding   Stop Stopping  Abort Aborting
Unsuspending   Stop Stopping        Abort Aborting
Completing     Stop Stopping        Abort Aborting
Complete       Reset Resetting      Stop Stopping     Abort Aborting
Stopping       Abort Aborting
Aborting
Aborted        Clear Clearing
Clearing       Abort Aborting
"""  # noqa: E501
"""A state, and each command that leaves it with where it leads to."""


def allowed() -> dict[tuple[str, str], str]:
    found = {}
    for line in STANDARD.strip().splitlines():
        state, *words = line.split()
        found |= {(state, a): b for a, b in zip(words[::2], words[1::2], strict=True)}
    return found


def machine_in(state: State, mode: Mode = Mode.PRODUCTION) -> Machine:
    machine = Machine()
    machine.state, machine.mode = state, mode
    return machine


@pytest.mark.parametrize(
    ("state", "command"), list(itertools.product(State, Command)), ids=lambda value: value.value
)
def test_each_command_in_each_state(state: State, command: Command) -> None:
    machine, leads_to = machine_in(state), allowed().get((state, command))
    if leads_to is None:
        with pytest.raises(ControlRefusedError, match=f"{command} is not allowed .* {state}"):
            machine.command(command)
        assert machine.state is state
    else:
        assert machine.command(command) == leads_to
        assert machine.state == leads_to


def test_what_a_machine_does_in_a_state_ends_and_a_state_in_which_it_waits_stays() -> None:
    for state in State:
        machine = machine_in(state)
        assert machine.done() is ENDS.get(state, state)
    assert {ENDS.get(state, state) for state in ENDS}.isdisjoint(ENDS)


def test_every_state_can_be_reached_and_left() -> None:
    reached, ahead = {State.STOPPED}, [State.STOPPED]
    while ahead:
        state = ahead.pop()
        after = {TRANSITIONS[pair] for pair in TRANSITIONS if pair[0] is state}
        after |= {ENDS[state]} if state in ENDS else set()
        assert after, f"nothing leaves {state}"
        ahead += after - reached
        reached |= after
    assert reached == set(State)


def test_only_clear_leaves_aborted() -> None:
    assert [command for state, command in TRANSITIONS if state is State.ABORTED] == [Command.CLEAR]


def test_in_execute_alone_it_moves() -> None:
    assert [state for state in State if machine_in(state).executes] == [State.EXECUTE]


@pytest.mark.parametrize("mode", [Mode.MAINTENANCE, Mode.MANUAL])
def test_in_a_mode_other_than_production_it_is_not_started(mode: Mode) -> None:
    machine = machine_in(State.IDLE)
    machine.change_mode(mode)
    with pytest.raises(ControlRefusedError, match=f"in the mode {mode} the station is not started"):
        machine.command(Command.START)
    machine.change_mode(Mode.PRODUCTION)
    assert machine.command(Command.START) is State.STARTING


@pytest.mark.parametrize("state", State)
def test_the_mode_changes_only_where_nothing_moves_and_nothing_is_under_way(state: State) -> None:
    machine = machine_in(state)
    machine.change_mode(Mode.PRODUCTION)  # no change
    if state in (State.STOPPED, State.IDLE, State.ABORTED):
        machine.change_mode(Mode.MANUAL)
        assert machine.mode is Mode.MANUAL
    else:
        with pytest.raises(ControlRefusedError, match=f"does not change in the state {state}"):
            machine.change_mode(Mode.MANUAL)
        assert machine.mode is Mode.PRODUCTION


@given(st.lists(st.sampled_from([*Command, *Mode, "done"])))
def test_no_sequence_reaches_execute_in_another_mode_than_production(
    steps: list[Command | Mode | str],
) -> None:
    machine = Machine()
    for step in steps:
        try:
            if isinstance(step, Command):
                machine.command(step)
            elif isinstance(step, Mode):
                machine.change_mode(step)
            else:
                machine.done()
        except ControlRefusedError:
            continue
        assert not machine.executes or machine.mode is Mode.PRODUCTION
