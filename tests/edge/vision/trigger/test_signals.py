"""Triggers that are told of items: a beam, a button, a socket."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.core.errors import TriggerError
from edge.flow import Frame, Observation, PictureFault, PictureFaultKind
from edge.pins.pins import Pins, open_pins
from edge.vision.trigger import TriggerSurroundings, beam, button
from edge.vision.trigger.signals import SignalTrigger
from edge.vision.trigger.socket import Settings as SocketSettings
from edge.vision.trigger.socket import SocketSignal
from tests.clocks import ToldClock
from tests.logged import listen

SAME = 1.0
"""So many seconds may pass between two readings of the clocks on a busy machine."""
PICTURE = np.zeros((4, 4, 3), np.uint8)


def frame(at: float, *, fault: bool = False) -> Frame:
    wrong = PictureFault(PictureFaultKind.DAMAGED) if fault else None
    return Frame(PICTURE, at, round(at * 1000), fault=wrong)


class Told:
    """A signal at times that the test says."""

    def __init__(self, *times: float) -> None:
        self.times = list(times)

    def take(self, now: float) -> Sequence[float]:
        due = [at for at in self.times if at <= now]
        self.times = [at for at in self.times if at > now]
        return due


def seen(trigger: SignalTrigger, *times: float) -> list[list[tuple[int, bool]]]:
    """For each frame, the items in it, and whether they are gone."""
    return [[(one.item, one.gone) for one in trigger.look(frame(at))] for at in times]


def test_an_item_is_in_view_from_a_while_after_its_signal_on() -> None:
    trigger = SignalTrigger(Told(1.0), delay_seconds=0.5, view_seconds=0.2)
    assert seen(trigger, 0.9, 1.1, 1.49, 1.5, 1.6, 1.7, 1.71, 1.8) == [
        [], [], [], [(1, False)], [(1, False)], [(1, False)], [(1, True)], [],
    ]  # fmt: skip


def test_an_item_passes_the_middle_in_the_middle_of_that_time_and_is_sure() -> None:
    trigger = SignalTrigger(Told(1.0), delay_seconds=0.5, view_seconds=0.2)
    assert trigger.look(frame(1.52)) == [Observation(1, None, passed=pytest.approx(1.6))]


def test_two_items_in_one_picture_are_too_close() -> None:
    trigger = SignalTrigger(Told(1.0, 1.15, 3.0), delay_seconds=0, view_seconds=0.2)
    found = [one for at in (1.0, 1.1, 1.16, 1.3, 1.4, 3.1) for one in trigger.look(frame(at))]
    assert {one.item for one in found if one.too_close} == {1, 2}
    assert [one.item for one in found if not one.too_close] == [1, 1, 3]


def test_an_item_of_which_there_is_no_frame_is_told_once_with_when_it_passed() -> None:
    trigger = SignalTrigger(Told(1.0), delay_seconds=0, view_seconds=0.2)
    assert seen(trigger, 0.9, 5.0, 5.1) == [[], [], []]
    assert trigger.unseen(5.1, oldest=1.0) == [pytest.approx(1.1)]
    assert trigger.unseen(5.1, oldest=1.0) == []


def test_an_item_is_unseen_once_no_frame_of_it_can_come_any_more() -> None:
    trigger = SignalTrigger(Told(1.0, 2.0), delay_seconds=0, view_seconds=0.2)
    told = [trigger.unseen(at, oldest=1.0) for at in (0.5, 1.1, 2.1, 2.3, 3.3)]
    assert told == [[], [], [], [pytest.approx(1.1)], [pytest.approx(2.1)]]
    assert seen(trigger, 2.1) == [[]]


def test_an_item_that_was_seen_is_not_unseen() -> None:
    trigger = SignalTrigger(Told(1.0), delay_seconds=0, view_seconds=0.2)
    assert seen(trigger, 1.1) == [[(1, False)]]
    assert trigger.unseen(9.0, oldest=1.0) == []
    assert seen(trigger, 9.1) == [[(1, True)]]


def test_an_item_of_which_all_frames_have_a_fault_is_unseen() -> None:
    trigger = SignalTrigger(Told(1.0), delay_seconds=0, view_seconds=0.2)
    for at in (1.0, 1.1, 1.2, 1.3):
        assert trigger.look(frame(at, fault=True)) == []
    assert trigger.unseen(1.3, oldest=1.0) == [pytest.approx(1.1)]


def test_a_faulty_picture_shows_no_item() -> None:
    trigger = SignalTrigger(Told(1.0), delay_seconds=0, view_seconds=0.2)
    assert trigger.look(frame(1.05, fault=True)) == []
    assert seen(trigger, 1.1) == [[(1, False)]]
    assert [one.gone for one in trigger.end()] == [True]
    assert trigger.end() == []


@pytest.fixture
def around(tmp_path: Path) -> Iterator[TriggerSurroundings]:
    now = [50.0]
    with ExitStack() as parts:
        pins = parts.enter_context(open_pins(tmp_path / "no board"))
        yield TriggerSurroundings(lambda: pins, ToldClock(lambda: now[0], lambda: 0.0), parts)


def pins_of(around: TriggerSurroundings) -> Pins:
    return around.pins()


@pytest.mark.parametrize(("module", "name"), [(beam, "beam"), (button, "button")])
def test_what_breaks_the_beam_or_presses_the_button_is_an_item(
    module: Any, name: str, around: TriggerSurroundings
) -> None:
    trigger = module.Settings(kind=name, pin=17).open(around)
    pin = pins_of(around).factory.pin(17)
    assert seen(trigger, 50.01) == [[]]
    pin.when_changed(49.9, 0)
    pin.when_changed(49.99, 1)
    assert seen(trigger, 50.06, 50.3, 50.6) == [[(1, False)], [(1, False)], [(1, True)]]
    pin.when_changed(49.995, 0)
    pin.when_changed(49.997, 1)  # a bounce, or a disturbance
    assert seen(trigger, 51.1) == [[]]


def send(path: Path, *messages: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        for message in messages:
            sender.sendto(message, str(path))


def test_each_datagram_is_an_item(tmp_path: Path, around: TriggerSurroundings) -> None:
    path = tmp_path / "trigger"
    said: list[str] = []
    listen(said.append)
    trigger = SocketSettings(kind="socket", path=path).open(around)
    assert path.stat().st_mode & 0o777 == 0o660
    send(path, b"item\n", b"nonsense", b"more nonsense")
    assert seen(trigger, 50.0, 50.2, 51.0) == [[(1, False)], [(1, False)], [(1, True)]]
    assert len(said) == 1
    assert "received b'nonsense', which means nothing here: send `item`" in said[0]
    send(path, b"item", b" item ")
    assert seen(trigger, 50.1) == [[(2, False), (3, False)]]
    around.parts.close()
    assert not path.exists()


class Late:
    """The times of a reader that is late by a while, and whose time of day may be put right."""

    seconds = moved = 0.0

    def __init__(self) -> None:
        self.clock = ToldClock(
            lambda: time.monotonic() + self.seconds,
            lambda: time.time() + self.seconds + self.moved,
        )


def test_a_datagram_counts_from_when_it_came_and_not_from_when_it_is_read(tmp_path: Path) -> None:
    late, path = Late(), tmp_path / "trigger"
    with closing(SocketSignal(path, late.clock)) as signal:
        before = time.monotonic()
        send(path, b"item", b"nonsense", b"item")
        after = time.monotonic()
        late.seconds = 5.0
        first, second = signal.take(late.clock.now())
        assert before - SAME <= first <= second <= after + SAME
        send(path, b"item")
        (third,) = signal.take(late.clock.now())
        assert third >= after + late.seconds


def test_a_clock_that_was_put_right_moves_no_item_out_of_the_time_between_two_looks(
    tmp_path: Path,
) -> None:
    late, path = Late(), tmp_path / "trigger"
    with closing(SocketSignal(path, late.clock)) as signal:
        for moved in (-3600.0, 3600.0):
            looked = late.clock.now()
            assert signal.take(looked) == []
            send(path, b"item")
            late.moved = moved
            (came,) = signal.take(late.clock.now())
            assert looked <= came <= late.clock.now()


def test_where_the_kernel_tells_no_time_it_counts_from_when_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.vision.trigger.socket._SO_TIMESTAMPNS", 9999)
    late, path = Late(), tmp_path / "trigger"
    with closing(SocketSignal(path, late.clock)) as signal:
        send(path, b"item")
        late.seconds = 5.0
        looked = late.clock.now()
        (came,) = signal.take(looked)
        assert came >= looked


def test_a_socket_that_was_left_behind_is_replaced(
    tmp_path: Path, around: TriggerSurroundings
) -> None:
    path = tmp_path / "trigger"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as left:
        left.bind(str(path))
    trigger = SocketSettings(kind="socket", path=path).open(around)
    send(path, b"item")
    assert seen(trigger, 50.0) == [[(1, False)]]


def test_a_file_at_the_place_of_the_socket_is_kept(
    tmp_path: Path, around: TriggerSurroundings
) -> None:
    path = tmp_path / "trigger"
    path.write_text("of somebody")
    with pytest.raises(TriggerError, match="there is something that is no socket: remove it"):
        SocketSettings(kind="socket", path=path).open(around)
    assert path.read_text() == "of somebody"


@pytest.mark.parametrize("path", ["no such folder/trigger", "x" * 120])
def test_a_socket_that_cannot_be_made_is_named(
    path: str, tmp_path: Path, around: TriggerSurroundings
) -> None:
    with pytest.raises(TriggerError, match="the socket of the trigger cannot be made"):
        SocketSettings(kind="socket", path=tmp_path / path).open(around)


def test_there_are_no_items_in_pictures_alone() -> None:
    with pytest.raises(TriggerError, match=r"a beam trigger finds no items in pictures alone"):
        beam.Settings(kind="beam", pin=17).open()
