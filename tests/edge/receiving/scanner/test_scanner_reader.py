from __future__ import annotations

import errno
import os
import queue
from pathlib import Path

import pytest

from edge.config.scanner import ScannerSettings
from edge.core.errors import ScannerError
from edge.receiving.scanner.access import try_scanner, udev_rule
from edge.receiving.scanner.decoder import InputEvent, ScannedText
from edge.receiving.scanner.scanner_reader import ScannerReader
from edge.receiving.scanner.source import EVENT_BYTES, ScannerSource, packed
from edge.runtime.clock import SYSTEM_CLOCK
from edge.runtime.worker import Endings, Worker
from tests.edge.receiving.scanner.typing_scanner import TypingScanner

GTIN = "4006381333931"


def typed(text: str) -> bytes:
    """What a scanner that types `text` puts into its device."""
    scanner = TypingScanner()
    scanner.type(text)
    return b"".join(map(packed, scanner.events))


def test_a_file_of_events_is_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_bytes(typed(f"{GTIN}\r{GTIN[::-1]}\r\nlast") + b"half of an event")
    found: list[ScannedText] = []
    reader = ScannerReader(
        ScannerSettings(kind="pipe", path=file), report=found.append, clock=SYSTEM_CLOCK
    )
    reader.run()
    assert [scan.text for scan in found] == [GTIN, GTIN[::-1], "last"]
    assert reader.counts.scans == 3


def test_codes_that_do_not_count_are_told_at_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "events"
    lost = packed(InputEvent(0.0, 0, 3, 0))
    file.write_bytes(typed("1" * 129 + "\r") + typed("12") + lost + typed("3\r"))
    reader = ScannerReader(
        ScannerSettings(kind="pipe", path=file), report=lambda scan: None, clock=SYSTEM_CLOCK
    )
    reader.run()
    assert "1 codes were too long and 1 had lost keys: they do not count" in caplog.text


def test_a_scanner_that_can_be_read_is_told_and_another_is_an_error(tmp_path: Path) -> None:
    settings = ScannerSettings(kind="pipe", path=tmp_path / "events")
    with pytest.raises(ScannerError, match="no scanner is there"):
        try_scanner(settings)
    settings.path.touch()
    assert try_scanner(settings) == f"{settings.path} can be read"


def test_nothing_is_lost_between_two_writers_of_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found: queue.SimpleQueue[ScannedText] = queue.SimpleQueue()
    endings: Endings = queue.SimpleQueue()
    settings = ScannerSettings(kind="pipe", path=pipe)
    reader = ScannerReader(settings, report=found.put, clock=SYSTEM_CLOCK)
    worker = Worker("scanner", reader.run, endings)
    worker.start()
    for text in ("first", "second"):
        with pipe.open("wb") as writer:
            writer.write(typed(text))  # without a line end: the silence after it ends it
        assert found.get(timeout=120).text == text
    reader.stop()
    assert endings.get(timeout=120) is worker
    assert worker.failure is None


def test_a_pipe_without_a_writer_has_not_ended(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with ScannerSource(tmp_path / "pipe", grab=False) as source:
        with (tmp_path / "pipe").open("wb") as writer:
            writer.write(typed("7"))
        assert len(source.read(patience=120)) == 4
        assert source.read(patience=0) == []
        assert not source.ended


@pytest.mark.parametrize(
    ("name", "grab", "said"),
    [
        ("missing", True, "no scanner is there: plug it in"),
        (
            "file",
            True,
            "this is no input device: for a pipe or a file of events",
        ),
    ],
)
def test_what_cannot_be_opened_is_told_with_what_to_do(
    name: str, grab: bool, said: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ScannerError, match=said):
        ScannerSource(tmp_path / name, grab=grab)


def test_a_scanner_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    endings: Endings = queue.SimpleQueue()
    found: queue.SimpleQueue[ScannedText] = queue.SimpleQueue()
    settings = ScannerSettings(kind="pipe", path=tmp_path / "events")
    reader = ScannerReader(settings, report=found.put, clock=SYSTEM_CLOCK)
    worker = Worker("scanner", reader.run, endings)
    worker.start()
    aside = tmp_path / "aside"
    aside.write_bytes(typed(GTIN))
    aside.rename(settings.path)
    assert found.get(timeout=120).text == GTIN
    assert endings.get(timeout=120) is worker
    reader.stop()


def test_an_event_has_the_bytes_of_this_system() -> None:
    assert EVENT_BYTES in (16, 24)
    assert len(typed("7")) == 4 * EVENT_BYTES


@pytest.mark.parametrize(
    ("path", "kind", "rule"),
    [
        (
            "/dev/input/by-id/usb-ACME_Scanner_42-event-kbd",
            "device",
            'SUBSYSTEM=="input", KERNEL=="event*", '
            'SYMLINK=="input/by-id/usb-ACME_Scanner_42-event-kbd", GROUP="pilah", MODE="0640"\n',
        ),
        ("/dev/input/event3", "device", None),
        ("/dev/input/by-id/usb-ACME_Scanner_42-event-kbd", "pipe", None),
    ],
)
def test_the_rule_names_this_scanner_alone(path: str, kind: str, rule: str | None) -> None:
    found = udev_rule(ScannerSettings.model_validate({"path": Path(path), "kind": kind}))
    assert (found.splitlines(keepends=True)[1] if found else None) == rule


@pytest.mark.parametrize("looks", [0, 3])
def test_a_device_is_taken_only_when_no_key_of_it_is_held(
    looks: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file stands in for the device, and this for the kernel."""
    asked: list[int] = []

    def ioctl(descriptor: int, request: int, argument: bytearray | int) -> int:
        asked.append(request)
        if isinstance(argument, bytearray) and len(asked) <= looks:
            argument[3] = 0x10  # the key 28, Enter
        elif isinstance(argument, bytearray):
            argument[:] = bytes(len(argument))
        return 0

    monkeypatch.setattr("fcntl.ioctl", ioctl)
    (tmp_path / "device").touch()
    ScannerSource(tmp_path / "device", grab=True).close()
    held, grab = 0x80604518, 0x40044590  # EVIOCGKEY(96), EVIOCGRAB
    assert asked == [held] * (looks + 1) + [grab]


def test_a_key_that_stays_held_is_told_and_the_device_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ioctl(descriptor: int, request: int, argument: bytearray) -> int:
        argument[3] = 0x10
        return 0

    monkeypatch.setattr("fcntl.ioctl", ioctl)
    monkeypatch.setattr("edge.receiving.scanner.source._HELD_SECONDS", -1.0)
    (tmp_path / "device").touch()
    closed: list[int] = []
    monkeypatch.setattr(os, "close", closed.append)
    with pytest.raises(ScannerError, match="one of its keys is held down: release it"):
        ScannerSource(tmp_path / "device", grab=True)
    monkeypatch.undo()
    (descriptor,) = closed
    os.close(descriptor)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENODEV, "no scanner is there: plug it in"),
        (errno.EACCES, "this user may not read it: run deploy/install.sh once more"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_what_fails_while_it_is_read_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    (tmp_path / "events").write_bytes(typed("7"))

    def fails(descriptor: int, size: int) -> bytes:
        raise OSError(number, os.strerror(number))

    with ScannerSource(tmp_path / "events", grab=False) as source, monkeypatch.context() as patch:
        patch.setattr(os, "read", fails)
        with pytest.raises(ScannerError, match=f"events: {said}"):
            source.read(patience=1)


def test_a_device_that_had_nothing_after_all_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "events").write_bytes(typed("7"))

    def nothing(descriptor: int, size: int) -> bytes:
        raise BlockingIOError

    with ScannerSource(tmp_path / "events", grab=False) as source:
        with monkeypatch.context() as patch:
            patch.setattr(os, "read", nothing)
            assert source.read(patience=1) == []
        assert len(source.read(patience=1)) == 4


def test_a_device_that_another_program_has_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ioctl(descriptor: int, request: int, argument: bytearray | int) -> int:
        if request == 0x40044590:
            raise OSError(errno.EBUSY, "Device or resource busy")
        return 0

    monkeypatch.setattr("fcntl.ioctl", ioctl)
    (tmp_path / "device").touch()
    with pytest.raises(ScannerError, match="another program has taken it"):
        ScannerSource(tmp_path / "device", grab=True)
