"""Whatever a station ends of, its actuators end in their safe state."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.config.reading import read_station
from edge.core.errors import CameraError, PilahError
from edge.lanes.coil import Coil
from edge.lanes.servo import Servo
from edge.ledger.recorder import Recorder
from edge.pins.pins import open_pins
from edge.runtime.clock import SYSTEM_CLOCK, Clock
from edge.runtime.supervisor import Supervisor
from edge.runtime.worker import Endings
from edge.simulation.virtual_clock import VirtualClock
from edge.sorting.openers import Openers
from edge.sorting.sorter import Sorter
from edge.sorting.tally import Tally
from edge.station import Station
from edge.vision.camera.folder import FolderCamera
from tests.edge.stations import STATION, make_station

pytestmark = pytest.mark.usefixtures("ledger_within")

SAFE, REST, ACTIVE = ((1.5 + angle / 180) / 20 for angle in (-60, 0, 60))
LONG_HOLDS = (
    STATION.replace("hold_seconds: 0.1", "hold_seconds: 50")
    .replace("pin: 23,", "pin: 23, max_on_seconds: 50,")
    .replace("active_angle: 60", "active_angle: 60, safe_angle: -60")
    .replace("second: 1000", "second: 100, loop: true")
)


class BothActive(threading.Event):
    """Set once the servo and the solenoid are active, as they would stay for 50 seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        active = set()
        for kind in (Servo, Coil):

            def activate(device: Any, original: Any = kind.activate) -> None:
                original(device)
                active.add(type(device))
                if len(active) == 2:
                    self.set()

            monkeypatch.setattr(kind, "activate", activate)

    def wait_for_it(self) -> None:
        assert self.wait(300)


class Ending:
    """A station in which both actuators are active when it ends."""

    def __init__(
        self, folder: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch, text: str = LONG_HOLDS
    ) -> None:
        self.plan = read_station(make_station(folder, text=text, bundle=bundle))
        self.endings: Endings = queue.SimpleQueue()
        self.pins = open_pins(folder / "no board")
        self._wires = {number: self.pins.factory.pin(number) for number in (18, 23)}
        self.active = BothActive(monkeypatch)

    def open(self, clock: Clock = SYSTEM_CLOCK) -> Station:
        return Station(
            self.plan,
            endings=self.endings,
            openers=Openers(pins=lambda: self.pins),
            clock=clock,
        )

    def run(self, clock: Clock = SYSTEM_CLOCK) -> Tally:
        with self.open(clock) as station:
            return station.run()

    def states(self, number: int) -> list[float]:
        return [state.state for state in self._wires[number].states]


@pytest.fixture
def ending(tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Ending:
    return Ending(tmp_path, tiny_bundle, monkeypatch)


def fails(method: Callable[..., Any], active: BothActive) -> Callable[..., Any]:
    """`method`, until both actuators are active: then it raises a bug's error."""

    def failing(*args: Any, **options: Any) -> Any:
        if active.is_set():
            raise ZeroDivisionError("a bug")
        return method(*args, **options)

    return failing


def test_a_station_is_safe_until_it_sorts_and_at_rest_while_it_does(ending: Ending) -> None:
    with ending.open():
        assert ending.states(18) == pytest.approx([0, SAFE])
        assert ending.states(23) == [0]
    assert ending.states(18) == pytest.approx([0, SAFE, 0])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_it_safe(ending: Ending, number: signal.Signals) -> None:
    def end() -> None:
        ending.active.wait_for_it()
        ending.endings.put(number)

    thread = threading.Thread(target=end)
    thread.start()
    ending.run()
    thread.join()
    assert ending.states(18) == pytest.approx([0, SAFE, REST, ACTIVE, SAFE, 0])
    assert ending.states(23) == [0, 1, 0]


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (FolderCamera, "read"),  # the camera's thread
        (Sorter, "look"),  # the sorting thread
        (Recorder, "offer"),  # the sorting thread, between the lane and the ledger
        (Supervisor, "_look"),  # the main thread
    ],
    ids=lambda part: getattr(part, "__name__", part),
)
def test_an_error_in_any_thread_leaves_it_safe(
    ending: Ending, monkeypatch: pytest.MonkeyPatch, owner: type, name: str
) -> None:
    monkeypatch.setattr(owner, name, fails(getattr(owner, name), ending.active))
    with pytest.raises(ZeroDivisionError, match="a bug"):
        ending.run()
    assert ending.states(18) == pytest.approx([0, SAFE, REST, ACTIVE, SAFE, 0])
    assert ending.states(23) == [0, 1, 0]


def test_an_error_in_the_lanes_thread_leaves_it_safe(
    ending: Ending, monkeypatch: pytest.MonkeyPatch
) -> None:
    activate = Servo.activate

    def broken(servo: Servo) -> None:
        activate(servo)
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Servo, "activate", broken)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        ending.run()
    assert ending.states(18) == pytest.approx([0, SAFE, REST, ACTIVE, SAFE, 0])
    assert ending.states(23)[-1] == 0


def test_a_part_that_cannot_be_opened_leaves_it_safe(
    ending: Ending, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*args: object, **options: object) -> None:
        raise CameraError("unplugged")

    monkeypatch.setattr(FolderCamera, "__init__", missing)
    with pytest.raises(PilahError, match="unplugged"):
        ending.open()
    assert ending.states(18) == pytest.approx([0, SAFE, 0])
    assert ending.states(23) == [0]


def test_the_end_of_the_frames_leaves_it_safe(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = LONG_HOLDS.replace(", loop: true", "").replace("seconds: 50", "seconds: 0.05")
    ending = Ending(tmp_path, tiny_bundle, monkeypatch, text)
    assert ending.run(VirtualClock()).items == 3
    assert ending.states(18) == pytest.approx([0, SAFE, REST, ACTIVE, REST, SAFE, 0])
    assert ending.states(23) == [0, 1, 0]


def test_an_arm_that_needs_no_holding_gets_no_pulses_while_it_waits(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = "safe_angle: -60, pulses: while_turning, turn_seconds: 0.02"
    text = LONG_HOLDS.replace("safe_angle: -60", options)
    ending = Ending(tmp_path, tiny_bundle, monkeypatch, text)
    released = threading.Event()
    release = Servo.release

    def watched(servo: Servo) -> None:
        release(servo)
        if servo.angle == servo.active_angle:
            released.set()

    monkeypatch.setattr(Servo, "release", watched)

    def end() -> None:
        assert released.wait(300)
        ending.endings.put(signal.SIGTERM)

    thread = threading.Thread(target=end)
    thread.start()
    ending.run()
    thread.join()
    states = ending.states(18)
    assert states[-4:] == pytest.approx([ACTIVE, 0, SAFE, 0])
