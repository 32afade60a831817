"""Whatever is asked of a station: its pins are at rest in every state but Execute.

The state, the dispatch and the lanes are the real ones, on mock pins and on a clock that jumps.
What happens is drawn at random: verdicts, commands, incidents, moves by hand, ends and starts.
"""

from __future__ import annotations

import logging
import math
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.config.reading import StationPlan, read_station
from edge.control.messages import ControlCommand, ControlRequest
from edge.events import ActuationEnded, Event, ItemSorted, LaneMoved, Stamps, StateChanged
from edge.flow import NO_CODE, CodeFound, Frame, ItemKey
from edge.lanes.opening import open_lanes
from edge.ledger.journal import Journal
from edge.ledger.reports.last_run import LastRun
from edge.simulation.running import ForgetfulPins
from edge.sorting.dispatch import Dispatch
from edge.sorting.picture_uses import PictureUses
from edge.sorting.tally import Tally
from edge.state.incidents.kinds import INCIDENTS
from edge.state.incidents.notice import Notice
from edge.state.machine import Mode, State
from edge.state.watch import StateWatch
from tests.bundles import LABELS
from tests.clocks import ToldClock
from tests.edge.sorting.test_dispatch import outcome, verdict
from tests.edge.state.transitions import CheckedRows
from tests.edge.stations import STATION, make_station

COILS = """
  kick:
    labels: [red]
    delay_seconds: 0.4
    actuator: {kind: solenoid, pin: 23, hold_seconds: 0.2, max_on_seconds: 2, cool_seconds: 0.1}
  air:
    labels: [blue]
    actuator: {kind: relay, pin: 24, active_high: false, hold_seconds: 0.3}
  arm:
    labels: [green]
    delay_seconds: 1.5
    actuator: {kind: servo, pin: 18, rest_angle: 0, active_angle: 60, hold_seconds: 0.4}
"""
FLAP = """
  left: {labels: [red], actuator: {kind: bin, position: -45, hold_seconds: 0.5}}
  right: {labels: [blue], actuator: {kind: bin, position: 45, hold_seconds: 1}}
  push:
    labels: [green]
    delay_seconds: 0.2
    actuator:
      {kind: stepper, step_pin: 5, direction_pin: 6, enable_pin: 13, max_steps_per_second: 1000,
       steps_per_second_squared: 50000, active_steps: 4, hold_seconds: 0.2}
bin: {kind: flap, pin: 18, pulses: while_turning, turn_seconds: 0.2}
"""
CAROUSEL = """
  left: {labels: [red], actuator: {kind: bin, position: 3, hold_seconds: 0.5}}
  right: {labels: [blue], actuator: {kind: bin, position: 7, hold_seconds: 1}}
  kick: {labels: [green], actuator: {kind: solenoid, pin: 23, hold_seconds: 0.2}}
bin:
  {kind: carousel, step_pin: 5, direction_pin: 6, enable_pin: 13, max_steps_per_second: 1000,
   steps_per_second_squared: 50000, steps_per_turn: 12, rest_position: 0,
   home: {pin: 19, within_steps: 20}}
"""
COMMANDS = [
    *(ControlCommand.RESUME, ControlCommand.RESET) * 4, *(ControlCommand.CLEAR,) * 3,
    *(ControlCommand.MODE, ControlCommand.MOVE_LANE) * 2, ControlCommand.PAUSE,
    ControlCommand.STOP, ControlCommand.STATE,
]  # fmt: skip
"""What is asked for, and how often: what lets a station sort again more often than what stops it.
"""
SCOPES = ("left", "kick")
IMAGE = np.zeros((1, 1, 3), np.uint8)
WAY_BACK = 0.2
"""The seconds that a motor of these has to go back to rest and be without current there."""
SETTLED = 1e-6
"""The seconds after which the lanes' thread has done what it was woken for."""


@dataclass
class Device:
    """One device on pins, as somebody sees it who has only the pins."""

    lanes: tuple[str, ...]
    at_rest: Callable[[Callable[[int], float]], bool]
    """Says so by the levels of pins; one of PWM has the share of time for which it is high."""
    way_back: float = 0.0
    by_hand_until: float = 0.0
    seen_active: int = 0
    """How many times it was seen away from rest."""


def coil(lane: str, pin: int, *, rest: bool = False) -> Device:
    return Device((lane,), lambda level: level(pin) == rest)


def servo(pin: int, *lanes: str) -> Device:
    """Pulses of 1.5 ms in 20 ms hold it in the middle, which is its rest; none hold it nowhere."""
    return Device(lanes, lambda level: min(level(pin), abs(level(pin) - 0.075)) < 1e-9)


def motor(*lanes: str) -> Device:
    """Its current is switched off by a high level, and only where it stands at rest."""
    return Device(lanes, lambda level: level(13) == 1 and level(5) == 0, WAY_BACK)


def stations(folder: Path, bundle: Path) -> list[tuple[StationPlan, Sequence[Device]]]:
    found = []
    for name, lanes, devices in (
        ("coils", COILS, (coil("kick", 23), coil("air", 24, rest=True), servo(18, "arm"))),
        ("flap", FLAP, (servo(18, "left", "right"), motor("push"))),
        ("carousel", CAROUSEL, (motor("left", "right"), coil("kick", 23))),
    ):
        before, _, rest = STATION.partition("  warm:")
        after = rest[rest.index("default_lane") :]
        text = f"{before.rstrip()}{lanes}{after}".replace("lanes:", "lanes:\n  rest: {labels: []}")
        (folder / name).mkdir()
        found.append((read_station(make_station(folder / name, text=text, bundle=bundle)), devices))
    return found


class TurnsClock(ToldClock):
    """A clock of one thread, that of the lanes: while it waits, it is somebody else's turn."""

    def __init__(self) -> None:
        self.moment, self.is_woken = 0.0, False
        super().__init__(lambda: self.moment, lambda: 1_767_225_600 + self.moment)
        self.others: Iterator[float] = iter(())
        """Does the next thing that others do, and gives the moment at which they go on."""
        self.next_turn = 0.0

    def condition(self) -> threading.Condition:
        return Waking(self)

    def wait(self, condition: threading.Condition, until: float) -> None:
        self.is_woken = False
        while not self.is_woken and self.moment < until:
            self.moment = max(self.moment, min(until, self.next_turn))
            if self.moment >= self.next_turn:
                self.next_turn = next(self.others, math.inf)


class Waking(threading.Condition):
    """A condition on which the thread of the lanes waits."""

    def __init__(self, clock: TurnsClock) -> None:
        super().__init__()
        self.clock = clock

    def notify(self, n: int = 1) -> None:
        self.clock.is_woken = True


class NoCodes:
    """Nobody looks for codes."""

    wait_seconds, scan_waits = 0.0, False

    def expect(self, key: ItemKey, frame: Frame, *, alone: bool) -> None:
        """Nobody asks."""

    def scanned(self, key: ItemKey) -> CodeFound:
        return NO_CODE

    def look(self, key: ItemKey, frame: Frame, box: Any) -> None:
        """Nobody looks."""


@dataclass
class Totals:
    """What came to pass in all runs."""

    starts: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    """By the state after each."""
    rows: Counter[str] = field(default_factory=Counter)
    modes: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    missed: Counter[str | None] = field(default_factory=Counter)
    by_hand: int = 0


class Run:
    """A station from its start to its end."""

    def __init__(
        self, plan: StationPlan, devices: Sequence[Device], clock: TurnsClock, totals: Totals,
        chance: random.Random, before: LastRun,
    ) -> None:  # fmt: skip
        self.clock, self.totals, self.chance = clock, totals, chance
        self.devices, self.rows = devices, CheckedRows()
        self.planned, self.ended = Counter[str](), Counter[str]()
        self.left_at = 0.0
        """When it sorted last, or was moved by hand."""
        for device in devices:
            device.by_hand_until = 0.0
        self.parts = ExitStack()
        self.simulated = ForgetfulPins(clock.now)
        pins = self.parts.enter_context(self.simulated.open())
        self.pin = cache(pins.factory.pin)
        stamps = Stamps("a", clock.wall)
        self.lanes = open_lanes(
            plan.config.actuators, None, pins=lambda: pins, parts=self.parts, clock=clock,
            report=lambda ended: self.dispatch.note(ended),
        )  # fmt: skip
        recorder: Any = self
        self.watch = StateWatch(
            plan.config, lanes=self.lanes, journal=Journal(recorder, stamps, before), clock=clock
        )
        self.watch.open_contacts(lambda: pins)
        self.dispatch = Dispatch(
            plan, lanes=self.lanes, recorder=self, tally=Tally(), stamps=stamps, clock=clock,
            pictures=PictureUses(codes=NoCodes()),
        )  # fmt: skip
        self.watch.ready()
        totals.starts += 1

    # As a recorder

    ledger_fails = False

    def keeps_state(self, seconds: float) -> bool:
        return True

    def offer(self, event: Event) -> None:
        match event:
            case StateChanged():
                self.rows.take(event)
            case ItemSorted(actuation="planned", id=item):
                self.planned[item] += 1
            case ActuationEnded(item_id=item, missed=missed):
                self.ended[str(item)] += 1
                self.totals.missed[missed] += 1
            case LaneMoved():
                self.totals.by_hand += 1

    # What may happen

    def item(self) -> None:
        """A verdict, sure or not."""
        frame = Frame(IMAGE, self.clock.now(), 1)
        label, sure = self.chance.choice(LABELS), self.chance.choice((0.9, 0.9, 0.9, 0.4))
        self.dispatch.carry_out([outcome(judged(label, sure), frame, None)])

    def ask(self) -> None:
        """A command, at the machine or from afar."""
        name = self.chance.choice(COMMANDS)
        self._ask(name)

    def _ask(self, name: ControlCommand) -> None:
        lanes = [lane for device in self.devices for lane in device.lanes]
        remote = self.chance.random() < 0.1
        request = ControlRequest(
            name, "siti" if remote else "ana", lane=self.chance.choice([*lanes, "wool"]),
            mode=self.chance.choice([*Mode, *Mode, "Repair"]),
            seconds=self.chance.choice((None, 0.05, 0.4, 3.0)), remote=remote,
        )  # fmt: skip
        before = self.rows.state
        answer = self.watch.answer(request)
        self.totals.refused[name] += not answer.ok
        assert before is not State.ABORTED or self.rows.state is before or name == "clear"
        if name == "move-lane":
            self._may_move(request, answer.ok)

    def _may_move(self, request: ControlRequest, ok: bool) -> None:
        now = self.clock.now()
        for device in self.devices:
            if ok and request.lane in device.lanes:
                seconds = 1.0 if request.seconds is None else request.seconds
                device.by_hand_until = max(device.by_hand_until, now) + seconds
            elif device.way_back and self.by_hand:  # one that was cut off turns back
                device.by_hand_until = max(device.by_hand_until, now)

    def happens(self) -> None:
        """An incident begins."""
        kind = INCIDENTS[self.chance.choice([*INCIDENTS, *("emergency_stop",) * 6])]
        self._take(kind.name, True, self.chance.choice(SCOPES) if kind.scope == "lane" else "")

    def is_over(self) -> None:
        """An incident is over, or one that is none."""
        open_ones = [*self.watch.signs.incidents, "bin_full left"]
        name, _, scope = self.chance.choice(open_ones).partition(" ")
        self._take(name, False, scope)

    def _take(self, name: str, begins: bool, scope: str) -> None:
        self.watch.take(Notice(name, begins, self.clock.now(), scope, logged=True))

    def is_mended(self) -> None:
        """Somebody makes all good, and lets the station sort again."""
        for open_one in self.watch.signs.incidents:
            name, _, scope = open_one.partition(" ")
            self._take(name, False, scope)
        for word in ("mode", "clear", "reset", "resume"):
            command = ControlCommand(word)
            self.watch.answer(ControlRequest(command, "ana", mode=Mode.PRODUCTION))

    def is_worked_on(self) -> None:
        """Somebody stops it, and moves lanes by hand."""
        self._ask(ControlCommand.STOP)
        self._ask(ControlCommand.MODE)
        for _ in self.devices:
            self._ask(ControlCommand.MOVE_LANE)

    # What must be so

    def level(self, pin: int) -> float:
        return float(self.pin(pin).state)

    @property
    def by_hand(self) -> bool:
        at_rest = self.rows.state in (State.STOPPED, State.IDLE)
        return at_rest and self.rows.mode is not Mode.PRODUCTION

    def lasts(self, steps: int, *, signal: bool) -> None:
        """So many things happen; then the pictures end, or a signal comes."""
        self.clock.others, self.clock.next_turn = self._turns(steps, signal=signal), 0.0
        self.watch.move()

    def _turns(self, steps: int, *, signal: bool) -> Iterator[float]:
        for _ in range(steps):
            self._happens()
            yield self.clock.now() + SETTLED
            self._check()
            yield self.clock.now() + self.chance.choice((0.0, 0.01, 0.1, 0.3, 1.0))
            self._check()
            self.totals.steps[self.rows.state.value] += 1
            self.simulated.moved()
        self.is_mended()
        for _ in range(3):
            self.item()
        yield self.clock.now() + self.chance.choice((SETTLED, 0.45))
        self.lanes.stop() if signal else self.lanes.finish()

    def _happens(self) -> None:
        was_sorting, was_by_hand = self.watch.sorts, self.by_hand
        self.chance.choices(STEPS, (50, 25, 8, 10, 8, 4))[0](self)
        self.watch.look(quiet=self.chance.random() < 0.5)
        now = self.clock.now()
        if was_sorting or self.watch.sorts:
            self.left_at = now
        if was_by_hand and not self.by_hand:
            self.left_at = now
            for device in self.devices:
                device.by_hand_until = 0.0

    def _check(self) -> None:
        signs, now = self.watch.signs, self.clock.now()
        assert (signs.state, signs.mode) == (self.rows.state, self.rows.mode)
        assert self.watch.sorts is (self.rows.state is State.EXECUTE)
        for device in self.devices:
            if device.at_rest(self.level):
                continue
            device.seen_active += 1
            way_back = 0.0 if self.rows.state is State.ABORTED else device.way_back
            back = max(self.left_at, device.by_hand_until) + way_back + SETTLED
            assert self.rows.state is State.EXECUTE or now < back, (
                f"{device.lanes} moves in {self.rows.state}, {self.rows.mode}"
            )

    def end(self, *, signal: bool) -> LastRun:
        """It has ended; returns what the next run knows of this one."""
        self.watch.end(complete=not signal)
        for device in self.devices:
            assert device.at_rest(self.level), f"{device.lanes} moves after the end"
        assert self.planned == self.ended  # one outcome each
        assert self.rows.state in (State.STOPPED, State.COMPLETE, State.ABORTED)
        self.watch.close()
        self.parts.close()
        told = self.rows.told
        assert told is not None
        return LastRun(told.id, told.state, told.mode, told.waits_for)


judged = cache(verdict)
STEPS = (Run.item, Run.ask, Run.happens, Run.is_over, Run.is_mended, Run.is_worked_on)


def drive(folder: Path, bundle: Path, count: int) -> Totals:
    """Has so much happen to stations, one after the other."""
    plans, chance, totals = stations(folder, bundle), random.Random(1), Totals()
    clock, before = TurnsClock(), LastRun()
    while (left := count - totals.steps.total()) > 0:
        plan, devices = chance.choice(plans)
        run, signal = Run(plan, devices, clock, totals, chance, before), chance.random() < 0.5
        run.lasts(min(left, chance.randint(1, 100)), signal=signal)
        before = run.end(signal=signal)
        totals.rows.update({state.value: n for state, n in run.rows.states.items()})
        totals.modes.update({mode.value: n for mode, n in run.rows.modes.items()})
    assert all(device.seen_active for _, devices in plans for device in devices)
    return totals


@pytest.mark.timeout(7200)  # a million take minutes of a core, which may be a busy one
@pytest.mark.parametrize(
    "count", [4_000, pytest.param(1_000_000, marks=pytest.mark.slow)], ids=["short", "a million"]
)
def test_pins_are_at_rest_in_every_state_but_execute(
    tmp_path: Path, tiny_bundle: Path, count: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    totals = drive(tmp_path, tiny_bundle, count)
    print(totals)
    # All that could have gone wrong was there.
    assert set(totals.rows) == {
        State.STARTING, State.EXECUTE, State.HELD, State.SUSPENDED, State.ABORTED, State.STOPPED,
        State.IDLE, State.COMPLETE,
    }  # fmt: skip
    assert set(totals.modes) == set(Mode)
    assert set(totals.refused) >= {"pause", "resume", "reset", "clear", "stop", "mode", "move-lane"}
    assert totals.missed[None]
    assert totals.missed["held"]
    assert totals.by_hand
