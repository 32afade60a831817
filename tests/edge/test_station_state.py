"""The state of a whole station: it is paused, stopped by contacts and by its camera, and sorts on.

Time jumps, so that a pause of a minute takes none.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.config.reading import read_station
from edge.control.messages import ControlAnswer, ControlCommand, ControlRequest
from edge.events import (
    ActuationEnded,
    Event,
    ExitSeen,
    IncidentEnded,
    IncidentRaised,
    ItemSorted,
    LaneMoved,
    StateChanged,
)
from edge.flow import CameraChange, Frame, PictureFault, PictureFaultKind, UnreadableFrame
from edge.pins.pins import open_pins
from edge.runtime.clock import Flag
from edge.simulation.virtual_clock import VirtualClock
from edge.sorting.loop import Watch
from edge.sorting.openers import Openers
from edge.sorting.sorter import Outcome
from edge.station import Station
from edge.telemetry.status import StateSigns
from edge.vision.camera.folder import FolderCamera, Settings
from tests.edge.station_runs import SERVO, SOLENOID
from tests.edge.stations import STATION, make_station

pytestmark = pytest.mark.usefixtures("ledger_within")

BELT = (
    STATION.replace("frames_per_second: 1000", "frames_per_second: 1, loop: true")
    .replace("    labels: [red]", "    labels: [red]\n    delay_seconds: 1.5")
    .replace("    labels: [blue]", "    labels: [blue]\n    delay_seconds: 2.5")
)
"""A picture a second: red, green, blue, and again. Red moves 1.5 s later, blue 2.5 s."""
STILL = "".join(
    line
    for line in BELT.splitlines(keepends=True)
    if "actuator" not in line and "delay" not in line
)
BUTTON, BIN, EXIT = 5, 6, 13
EXITS = "stops: {exits: {warm: {pin: 13, after_seconds: 0.5}}}\n"
DAMAGED = b"SQLite format 3\0" + bytes(4096)
STOP, FULL = "stops: {emergency_stop: {pin: 5}}\n", "stops: {bins: {warm: {pin: 6, %s}}}\n"
Does = Callable[["Machine"], object]


class Machine:
    """A station on virtual time, to which things happen with the items that it is about to sort."""

    def __init__(self, folder: Path, bundle: Path, text: str) -> None:
        self.plan = read_station(make_station(folder, text=text, bundle=bundle))
        self.clock, self.pins = VirtualClock(), open_pins(folder / "no board")
        self._outputs = {number: self.pins.factory.pin(number) for number in (SERVO, SOLENOID)}
        self.told: list[Event] = []
        self.signs: list[StateSigns] = []
        self.answers: list[ControlAnswer] = []
        self.item = 0
        self._station: Station | None = None

    def start_anew(self, *, hours_later: float = 1) -> None:
        """The process ends, and another one begins, by a clock that may have been set back."""
        self.clock = VirtualClock(wall=self.clock.wall() + 3600 * hours_later)
        self.pins, self.item = open_pins(self.plan.file.path.with_name("no board")), 0
        self.told.clear()

    def run(self, items: int, happens: dict[int, Does]) -> None:
        """Sorts `items`; `happens` has what does once an item has its verdict, and before that is
        carried out."""

        def watch(outcome: Outcome) -> None:
            self.item += 1
            happens.get(self.item, lambda machine: None)(self)

        endings: Any = queue.SimpleQueue()
        openers = Openers(pins=lambda: self.pins)
        with Station(
            self.plan, endings=endings, observers=[self.told.append], clock=self.clock,
            openers=openers, watch=Watch(watch),
        ) as station:  # fmt: skip
            self._station = station
            station.run(max_items=items)

    def ask(self, command: ControlCommand, **more: Any) -> ControlAnswer:
        """What the station answers."""
        assert self._station is not None
        answer = self._station.state.answer(ControlRequest(command, "ana", **more))
        self.signs.append(self._station.state.signs)
        return answer

    def level(self, pin: int, *, active: bool) -> None:
        """Presses or releases what is wired to an input, which is pulled up."""
        contact = self.pins.factory.pin(pin)
        contact.drive_low() if active else contact.drive_high()
        self.wait(0.1)

    def wait(self, seconds: float) -> None:
        """Lets the clock go on."""
        Flag(self.clock).wait(self.clock.now() + seconds)

    def of(self, *kinds: type[Event]) -> list[Any]:
        return [event for event in self.told if isinstance(event, kinds)]

    @property
    def states(self) -> list[tuple[str, str]]:
        return [(event.state, event.reason) for event in self.of(StateChanged)]

    @property
    def rejects(self) -> list[str | None]:
        return [item.reject for item in self.of(ItemSorted)]

    def moves(self) -> dict[str | None, list[int]]:
        """The items of actuations by why they were missed."""
        found: dict[str | None, list[int]] = {}
        for event in self.of(ActuationEnded):
            found.setdefault(event.missed, []).append(event.item)
        return found

    def levels(self, number: int) -> list[float]:
        return [state.state for state in self._outputs[number].states]


New = Callable[[str], Machine]


@pytest.fixture
def new(tmp_path: Path, tiny_bundle: Path) -> New:
    return lambda text: Machine(tmp_path / "station", tiny_bundle, text)


def ask(command: ControlCommand) -> Does:
    return lambda machine: machine.ask(command)


def level(pin: int, *, active: bool) -> Does:
    return lambda machine: machine.level(pin, active=active)


RUN = [("Starting", ""), ("Execute", "")]
PAUSE, RESUME, RESET, CLEAR, STOP_IT = (
    ControlCommand.PAUSE, ControlCommand.RESUME, ControlCommand.RESET, ControlCommand.CLEAR,
    ControlCommand.STOP,
)  # fmt: skip


def test_while_it_is_paused_nothing_moves_and_items_are_rejected(new: New) -> None:
    machine = new(BELT)
    machine.run(12, {5: ask(PAUSE), 10: ask(RESUME)})
    # 1 red, 2 green, 3 blue, 4 red, 5 green, 6 blue, ...
    assert machine.rejects == [None] * 4 + ["not_sorting"] * 6 + [None] * 2
    assert {item.lane for item in machine.of(ItemSorted)[4:10]} == {"rest"}
    assert machine.states == [*RUN, ("Held", "paused"), ("Execute", ""), ("Complete", "")]
    held, back = machine.of(StateChanged)[2:4]
    assert (held.who, back.who) == ("ana", "ana")
    # Item 3 would have moved half a second later, and item 4 half a second after that.
    assert machine.moves() == {None: [1, 12], "held": [3, 4]}
    assert machine.levels(SOLENOID) == [0, 1, 0]
    paused = machine.signs[0]
    assert (paused.state, paused.reason, paused.who, paused.incidents) == (
        "Held", "paused", "ana", (),
    )  # fmt: skip


def test_a_coil_that_is_on_goes_to_rest_at_once(new: New) -> None:
    text = STATION.replace("frames_per_second: 1000", "frames_per_second: 1, loop: true")
    machine = new(text.replace("pin: 23, hold_seconds: 0.1", "pin: 23, hold_seconds: 1.9"))
    on: list[float] = []

    def pause(m: Machine) -> None:
        on.append(m.pins.factory.pin(SOLENOID).state)
        m.ask(PAUSE)
        m.wait(0.01)
        on.append(m.pins.factory.pin(SOLENOID).state)

    machine.run(5, {4: pause})
    assert on == [1, 0]


def test_a_default_lane_that_moves_does_not_move_either(new: New) -> None:
    machine = new(STATION.replace("frames_per_second: 1000", "frames_per_second: 1, loop: true")
                  .replace("default_lane: rest", "default_lane: cold"))  # fmt: skip
    machine.run(6, {1: ask(PAUSE)})
    assert machine.rejects == ["not_sorting"] * 6
    assert {item.missed for item in machine.of(ItemSorted)} == {"held"}
    assert machine.levels(SOLENOID) == [0]


def test_contacts_alone_need_pins_which_are_freed_at_the_end(new: New) -> None:
    text = "\n".join(line for line in BELT.splitlines() if "actuator" not in line) + "\n" + STOP
    machine, closed = new(text), list[bool]()
    machine.pins.close = lambda: closed.append(True)  # type: ignore[method-assign]
    machine.run(4, {2: level(BUTTON, active=True)})
    assert machine.states[-1] == ("Aborted", "emergency_stop")
    assert closed == [True]


def test_what_is_asked_for_in_the_wrong_state_changes_nothing(new: New) -> None:
    machine = new(BELT)
    said: list[str] = []
    machine.run(4, {2: lambda m: said.append(m.ask(CLEAR).error)})
    assert said == ["there is nothing to clear: the station is Execute"]
    assert machine.states == [*RUN, ("Complete", "")]


def test_an_emergency_stop_aborts_it_until_it_is_cleared_reset_and_started(new: New) -> None:
    machine = new(BELT + STOP)
    answers: list[bool] = []

    def clear(m: Machine) -> None:
        answers.append(m.ask(CLEAR).ok)

    machine.run(
        20,
        {
            4: level(BUTTON, active=True), 6: clear, 8: level(BUTTON, active=False),
            10: lambda m: m.ask(RESUME), 12: clear, 14: ask(RESET), 16: ask(RESUME),
        },
    )  # fmt: skip
    assert answers == [False, True]
    assert machine.states == [
        *RUN, ("Aborted", "emergency_stop"), ("Stopped", ""), ("Idle", ""), ("Execute", ""),
        ("Complete", ""),
    ]  # fmt: skip
    assert machine.rejects == [None] * 3 + ["not_sorting"] * 13 + [None] * 4
    raised, ended = machine.of(IncidentRaised, IncidentEnded)
    assert (raised.name, raised.ends_by) == ("emergency_stop", "clear")
    assert ended.incident_id == raised.id
    assert ended.seconds == pytest.approx(4, abs=0.1)
    assert machine.signs[0].incidents == ("emergency_stop",)


@pytest.mark.parametrize("later", [1, -1, -24 * 365], ids=["later", "an hour back", "a year back"])
def test_an_aborted_station_that_is_started_again_is_aborted_still(new: New, later: float) -> None:
    machine = new(BELT + STOP)
    machine.run(2, {})  # a run by the right time
    machine.start_anew(hours_later=later)
    machine.run(4, {2: level(BUTTON, active=True)})
    assert machine.states[-1] == ("Aborted", "emergency_stop")
    machine.start_anew(hours_later=later)
    machine.run(6, {2: ask(CLEAR), 3: ask(RESET), 4: ask(RESUME)})
    assert machine.states == [
        ("Starting", ""), ("Aborted", "emergency_stop"), ("Stopped", ""), ("Idle", ""),
        ("Execute", ""), ("Complete", ""),
    ]  # fmt: skip
    assert machine.rejects == ["not_sorting"] * 4 + [None] * 2


def test_one_that_was_cleared_sorts_after_the_next_start_though_the_clock_was_set_back(
    new: New,
) -> None:
    machine = new(BELT + STOP)
    machine.run(4, {2: level(BUTTON, active=True)})
    machine.start_anew(hours_later=-1)
    machine.run(6, {2: ask(CLEAR), 3: ask(RESET), 4: ask(RESUME)})
    machine.start_anew(hours_later=-1)
    machine.run(2, {})
    assert machine.states == [*RUN, ("Complete", "")]


STOPPED_BEFORE: dict[str, tuple[str, dict[int, Does], list[ControlCommand], list[str]]] = {
    "paused": (BELT, {2: ask(PAUSE)}, [RESUME], ["Starting", "Execute", "Held", "Execute"]),
    "paused while the bin was full": (
        BELT + FULL % "full_seconds: 0.5",
        {2: level(BIN, active=True), 3: ask(PAUSE)},
        [RESUME],
        ["Starting", "Execute", "Held", "Execute"],
    ),
    "stopped": (
        BELT, {2: ask(STOP_IT)}, [RESET, RESUME], ["Starting", "Stopped", "Idle", "Execute"]
    ),
    "made ready and not started": (
        BELT,
        {2: ask(STOP_IT), 3: ask(RESET)},
        [RESET, RESUME],
        ["Starting", "Stopped", "Idle", "Execute"],
    ),
    "cleared": (
        BELT + STOP,
        {2: level(BUTTON, active=True), 3: lambda m: (m.level(BUTTON, active=False), m.wait(1)),
         4: ask(CLEAR)},
        [RESET, RESUME],
        ["Starting", "Stopped", "Idle", "Execute"],
    ),
    "jammed": (
        BELT + EXITS, {}, [RESET], ["Starting", "Execute", "Held", "Execute"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("before", STOPPED_BEFORE)
def test_what_a_person_has_to_end_is_not_over_after_the_next_start(new: New, before: str) -> None:
    text, happens, commands, states = STOPPED_BEFORE[before]
    machine = new(text)
    machine.run(8 if before == "jammed" else 5, happens)
    assert machine.rejects[-1] == "not_sorting"
    machine.start_anew()
    machine.run(2 + len(commands), {2 + index: ask(each) for index, each in enumerate(commands)})
    assert [state for state, _ in machine.states[:-1]] == states
    assert machine.rejects[:2] == ["not_sorting"] * 2
    assert all(answer.ok for answer in machine.answers)
    machine.start_anew()
    machine.run(1, {})
    assert machine.states == [*RUN, ("Complete", "")]


def test_what_cannot_be_known_of_the_run_before_is_taken_for_the_worst(new: New) -> None:
    machine = new(BELT + STOP)
    machine.plan.config.ledger.path.write_bytes(DAMAGED)
    machine.run(3, {})
    assert machine.states == [("Starting", ""), ("Stopped", ""), ("Aborted", "emergency_stop")]
    unknown, raised = machine.of(IncidentRaised)
    assert unknown.name == "mode_unknown"
    assert raised.cause.startswith("Nobody knows whether")


def test_who_may_be_at_work_on_it_is_safe_where_the_ledger_cannot_say(new: New) -> None:
    """A hand that is in the machine is worth more than the minutes until somebody has looked."""
    machine = new(BELT)
    machine.plan.config.ledger.path.write_bytes(DAMAGED)
    machine.run(
        6, {2: ask(RESUME), 3: by_hand("mode", mode="Production"), 4: ask(RESET), 5: ask(RESUME)}
    )
    assert [(e.state, e.mode) for e in machine.of(StateChanged)] == [
        ("Starting", "Production"), ("Stopped", "Maintenance"), ("Stopped", "Production"),
        ("Idle", "Production"), ("Execute", "Production"), ("Complete", "Production"),
    ]  # fmt: skip
    assert machine.rejects == ["not_sorting"] * 5 + [None]
    raised, ended = machine.of(IncidentRaised, IncidentEnded)
    assert raised.name == ended.name == "mode_unknown"
    assert machine.signs[0].incidents[0] == "mode_unknown"


def test_a_station_that_moves_nothing_sorts_whatever_its_ledger_says(new: New) -> None:
    machine = new(STILL)
    machine.plan.config.ledger.path.write_bytes(DAMAGED)
    machine.run(2, {})
    assert machine.states == [*RUN, ("Complete", "")]


def by_hand(command: str, **more: Any) -> Does:
    return lambda machine: machine.answers.append(machine.ask(ControlCommand(command), **more))


def test_in_maintenance_a_lane_is_moved_by_hand_and_nothing_else(new: New) -> None:
    machine = new(BELT)

    def move(m: Machine) -> None:
        by_hand("move-lane", lane="cold", seconds=0.2)(m)
        m.wait(0.5)

    machine.run(
        20,
        {
            2: by_hand("move-lane", lane="cold"), 4: by_hand("stop"),
            6: by_hand("mode", mode="Maintenance"), 8: move, 9: by_hand("move-lane", lane="rest"),
            10: by_hand("reset"), 12: by_hand("resume"), 14: by_hand("mode", mode="Production"),
            16: by_hand("resume"),
        },
    )  # fmt: skip
    assert [answer.error[:30] for answer in machine.answers] == [
        "lanes are moved by hand in the", "", "", "", "there is no lane 'rest' with a", "",
        "in the mode Maintenance the st", "", "",
    ]  # fmt: skip
    assert [(e.state, e.mode) for e in machine.of(StateChanged)][2:] == [
        ("Stopped", "Production"), ("Stopped", "Maintenance"), ("Idle", "Maintenance"),
        ("Idle", "Production"), ("Execute", "Production"), ("Complete", "Production"),
    ]  # fmt: skip
    assert machine.rejects == [None] * 3 + ["not_sorting"] * 13 + [None] * 4
    (moved,) = machine.of(LaneMoved)
    assert (moved.lane, moved.seconds, moved.who) == ("cold", 0.2, "ana")
    assert machine.levels(SOLENOID)[:3] == [0, 1, 0]
    assert machine.moves()["held"] == [3]


def test_a_station_that_ended_in_maintenance_is_stopped_in_it_when_it_starts(new: New) -> None:
    machine = new(BELT)
    machine.run(4, {2: by_hand("stop"), 3: by_hand("mode", mode="Maintenance")})
    machine.start_anew()
    machine.run(6, {2: by_hand("mode", mode="Production"), 3: ask(RESET), 4: ask(RESUME)})
    assert [(e.state, e.mode) for e in machine.of(StateChanged)] == [
        ("Starting", "Production"), ("Stopped", "Maintenance"), ("Stopped", "Production"),
        ("Idle", "Production"), ("Execute", "Production"), ("Complete", "Production"),
    ]  # fmt: skip
    assert machine.rejects == ["not_sorting"] * 4 + [None] * 2


def test_a_button_that_is_pressed_at_the_start_keeps_it_from_sorting(new: New) -> None:
    machine = new(BELT + "stops: {emergency_stop: {pin: 5, active_high: true, pull: none}}\n")
    machine.pins.factory.pin(BUTTON).drive_high()
    machine.run(3, {})
    assert machine.states == [("Starting", ""), ("Aborted", "emergency_stop")]
    assert machine.rejects == ["not_sorting"] * 3
    assert machine.moves() == {}


def test_a_full_bin_suspends_it_and_an_empty_one_lets_it_sort_on(new: New) -> None:
    machine = new(BELT + FULL % "full_seconds: 3")
    machine.run(20, {3: level(BIN, active=True), 10: level(BIN, active=False)})
    assert machine.states == [*RUN, ("Suspended", "bin_full"), ("Execute", ""), ("Complete", "")]
    (suspended,) = (event for event in machine.of(StateChanged) if event.state == "Suspended")
    assert suspended.scope == "warm"
    assert machine.rejects == [None] * 6 + ["not_sorting"] * 7 + [None] * 7


def test_a_full_bin_may_send_its_items_to_the_default_lane_alone(new: New) -> None:
    machine = new(BELT + FULL % "full_seconds: 0.5, when_full: default_lane")
    machine.run(15, {3: level(BIN, active=True), 12: level(BIN, active=False)})
    assert machine.states == [*RUN, ("Complete", "")]
    assert [(item.label, item.reject) for item in machine.of(ItemSorted) if item.reject] == [
        ("red", "bin_full")
    ] * 3
    assert [event.name for event in machine.of(IncidentRaised)] == ["bin_full"]
    assert len(machine.of(IncidentEnded)) == 1


def test_nothing_that_comes_out_of_a_lane_is_a_jam(new: New) -> None:
    machine = new(BELT + EXITS)

    def passes(m: Machine) -> None:
        m.level(EXIT, active=True)
        m.level(EXIT, active=False)

    # Red moves with the items 1, 4, 7, ... and comes out two seconds after it was seen.
    machine.run(24, {3: passes, 6: passes, 20: ask(RESET)})
    assert machine.states == [*RUN, ("Held", "jam"), ("Execute", ""), ("Complete", "")]
    assert [event.lane for event in machine.of(ExitSeen)] == ["warm", "warm"]
    (raised,) = machine.of(IncidentRaised)
    assert (raised.name, raised.scope) == ("jam", "warm")
    (ended,) = machine.of(IncidentEnded)
    assert ended.who == "ana"
    # The items 7 and 10 did not come out: it stands before item 13 gets its verdict.
    assert machine.rejects == [None] * 12 + ["not_sorting"] * 8 + [None] * 4


def test_where_nothing_comes_for_long_it_is_suspended_and_what_comes_is_sorted(new: New) -> None:
    machine = new(
        BELT.replace("frames_per_second: 1,", "frames_per_second: 0.01,")
        + "stops: {starved_minutes: 1}\n"
    )
    machine.run(3, {})
    assert machine.rejects == [None] * 3
    assert machine.states == [
        *RUN, *([("Suspended", "starved"), ("Execute", "")] * 2), ("Complete", "")
    ]  # fmt: skip
    suspended = machine.of(StateChanged)[2]
    first = machine.of(ItemSorted)[0]
    assert suspended.since[14:16] != first.time[14:16]
    assert suspended.since[17:] == first.time[17:]


def test_a_camera_that_is_lost_holds_it_once_the_planned_moves_are_made(
    new: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = new(BELT)
    report: list[Callable[[CameraChange], None]] = []
    pause: list[Callable[[float], bool]] = []
    opened, read, count = Settings.open, FolderCamera.read, [0]

    def opening(settings: Settings, **options: Any) -> Any:
        report.append(options["report"])
        pause.append(options["pause"])
        return opened(settings, **options)

    def reading(camera: FolderCamera) -> Frame | UnreadableFrame | None:
        count[0] += 1
        if count[0] == 4:
            report[0](CameraChange("cam", None))
            pause[0](20)
            report[0](CameraChange("cam", 20.0))
        return read(camera)

    monkeypatch.setattr(Settings, "open", opening)
    monkeypatch.setattr(FolderCamera, "read", reading)
    machine.run(6, {})
    assert machine.rejects == [None] * 6
    assert machine.moves() == {None: [1, 3, 4, 6]}
    assert machine.states == [*RUN, ("Held", "camera_lost"), ("Execute", ""), ("Complete", "")]
    lost = next(event for event in machine.told if type(event).__name__ == "CameraLost")
    held, back = machine.of(StateChanged)[2:4]
    assert (held.since, held.first_incident) == (lost.time, lost.id)
    assert held.time > held.since
    assert back.since[:19] > held.time[:19]


SEEN_BY = {"black": PictureFaultKind.BLANK, "frozen": PictureFaultKind.FROZEN, "lost": None}


@pytest.mark.parametrize("camera_is", SEEN_BY)
def test_items_that_a_beam_tells_of_while_the_camera_is_dead_are_rejected(
    new: New, monkeypatch: pytest.MonkeyPatch, camera_is: str
) -> None:
    """Three of them, the third to the fifth."""
    machine = new(BELT.replace("{kind: continuous}", "{kind: beam, pin: 17, view_seconds: 0.6}"))
    options: dict[str, Callable[..., Any]] = {}
    opened, read, count = Settings.open, FolderCamera.read, [0]

    def opening(settings: Settings, **given: Any) -> Any:
        options.update(given)
        return opened(settings, **given)

    def comes() -> None:
        beam = machine.pins.factory.pin(17)
        beam.when_changed(machine.clock.now() - 0.1, 0)
        beam.when_changed(machine.clock.now() - 0.05, 1)

    def reading(camera: FolderCamera) -> Frame | UnreadableFrame | None:
        count[0] += 1
        kind = SEEN_BY[camera_is] if 3 <= count[0] <= 5 else None
        if camera_is == "lost" and count[0] == 3:
            options["report"](CameraChange("cam", None))
            for _ in range(3):
                options["pause"](1.0)
                comes()
            options["pause"](1.0)
            options["report"](CameraChange("cam", 4.0))
        frame = read(camera)
        if frame is None:
            return None  # it was stopped
        assert isinstance(frame, Frame)
        comes()
        return frame if kind is None else replace(
            frame, source="", fault=PictureFault(kind, lasting=True, words="is dead")
        )  # fmt: skip

    monkeypatch.setattr(Settings, "open", opening)
    monkeypatch.setattr(FolderCamera, "read", reading)
    machine.run(7, {})
    assert machine.rejects == [None] * 2 + ["bad_picture"] * 3 + [None] * 2
    assert [item.lane for item in machine.of(ItemSorted)][2:5] == ["rest"] * 3
    assert [state for state, _ in machine.states] == [
        "Starting", "Execute", "Held", "Execute", "Complete",
    ]  # fmt: skip
