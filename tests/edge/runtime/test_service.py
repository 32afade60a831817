from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.runtime.service import STOP_SIGNALS, Notifier, ending_within, stop_signals


class Systemd:
    """The receiving end of a notify socket."""

    def __init__(self, address: str | bytes) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)

    def told(self) -> list[str]:
        """The datagrams that came since this was asked last."""
        found = []
        while True:
            try:
                found.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return found


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    listening = Systemd(str(tmp_path / "notify"))
    with listening.socket:
        yield listening


@pytest.fixture
def environment(systemd: Systemd, tmp_path: Path) -> dict[str, str]:
    """What systemd sets for a watched service of this process."""
    return {
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        "WATCHDOG_USEC": "20000000",
        "WATCHDOG_PID": str(os.getpid()),
    }


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_systemd_is_told_each_state_in_one_datagram(
    systemd: Systemd, environment: dict[str, str]
) -> None:
    notifier = Notifier(environment)
    notifier.ready("sorting")
    notifier.status("3 items")
    notifier.alive()
    notifier.stopping()
    assert systemd.told() == [
        "READY=1\nSTATUS=sorting",
        "STATUS=3 items",
        "WATCHDOG=1",
        "STOPPING=1",
    ]


def test_a_socket_in_the_abstract_namespace_is_reached() -> None:
    name = f"pilah-test-{os.getpid()}"
    listening = Systemd(b"\0" + name.encode())
    with listening.socket:
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).ready("sorting")
        assert listening.told() == ["READY=1\nSTATUS=sorting"]


def test_a_status_of_several_lines_is_sent_as_one(
    systemd: Systemd, environment: dict[str, str]
) -> None:
    Notifier(environment).status("camera gone\nWATCHDOG=1")
    assert systemd.told() == ["STATUS=camera gone WATCHDOG=1"]


def test_a_status_is_sent_once(systemd: Systemd, environment: dict[str, str]) -> None:
    notifier = Notifier(environment)
    notifier.ready("sorting")
    for text in ("sorting", "waiting for the camera", "waiting for the camera", "sorting"):
        notifier.status(text)
    assert systemd.told()[1:] == ["STATUS=waiting for the camera", "STATUS=sorting"]


def test_the_watchdog_is_fed_every_quarter_of_its_interval(
    systemd: Systemd, environment: dict[str, str]
) -> None:
    clock = Clock()
    notifier = Notifier(environment, clock=clock)
    assert notifier.watchdog_seconds == 20
    sent = []
    for _ in range(11):
        notifier.alive()
        sent.append(len(systemd.told()))
        clock.now += 1
    assert sent == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]


def test_what_did_not_reach_systemd_is_sent_again_at_once(
    systemd: Systemd, environment: dict[str, str], tmp_path: Path
) -> None:
    notifier = Notifier(environment, clock=Clock())
    (tmp_path / "notify").rename(tmp_path / "away")
    notifier.alive()
    notifier.status("sorting")
    (tmp_path / "away").rename(tmp_path / "notify")
    notifier.alive()
    notifier.status("sorting")
    assert systemd.told() == ["WATCHDOG=1", "STATUS=sorting"]


@pytest.mark.parametrize(
    ("changed", "seconds"),
    [
        ({}, 20.0),
        ({"WATCHDOG_USEC": "1500000"}, 1.5),
        ({"WATCHDOG_PID": ""}, 20.0),
        ({"WATCHDOG_PID": "1"}, None),  # another process is watched
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": ""}, None),
        ({"WATCHDOG_USEC": "20s"}, None),
        ({"NOTIFY_SOCKET": ""}, None),
    ],
)
def test_the_watchdog_has_the_interval_that_systemd_set(
    environment: dict[str, str], systemd: Systemd, changed: dict[str, str], seconds: float | None
) -> None:
    notifier = Notifier({**environment, **changed})
    assert notifier.watchdog_seconds == seconds
    notifier.alive()
    assert systemd.told() == ([] if seconds is None else ["WATCHDOG=1"])


@pytest.mark.parametrize("address", ["", "/nowhere/notify", "@pilah-nobody-listens", "vsock:2:9"])
def test_where_nobody_listens_nothing_happens(address: str) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000000"})
    notifier.ready("sorting")
    notifier.alive()
    notifier.stopping()
    assert notifier.watchdog_seconds == (1.0 if address else None)


@pytest.fixture
def terminal_there() -> Iterator[None]:
    """As where nobody called `nohup` for the tests."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in STOP_SIGNALS[2:]}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("terminal_there")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGTSTP"])
def test_a_signal_becomes_an_event_and_its_handler_comes_back(name: str) -> None:
    number = signal.Signals[name]
    before = signal.getsignal(number)
    with stop_signals() as endings:
        assert signal.getsignal(number) != before  # or it would end or halt the tests
        signal.raise_signal(number)
        assert endings.get(timeout=60) is number
    assert signal.getsignal(number) is before


@pytest.mark.usefixtures("terminal_there")
def test_who_is_to_outlive_the_terminal_does() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` does
    with stop_signals() as endings:
        signal.raise_signal(signal.SIGHUP)
        assert endings.empty()
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_a_second_ctrl_c_interrupts() -> None:
    with stop_signals() as endings:
        signal.raise_signal(signal.SIGINT)
        assert endings.get(timeout=60) is signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("begin", ["a signal", "without one"])
def test_an_end_that_does_not_come_is_forced(begin: str) -> None:
    forced = threading.Event()
    with stop_signals(), ending_within(0.01, forced.set) as ending:
        assert not ending.begun.is_set()
        if begin == "a signal":
            signal.raise_signal(signal.SIGTERM)
        else:
            ending.begin()
        assert forced.wait(120)
        assert ending.begun.is_set()


def test_an_end_that_comes_in_time_is_not_forced() -> None:
    forced = threading.Event()
    with stop_signals(), ending_within(600, forced.set) as ending:
        signal.raise_signal(signal.SIGTERM)
        assert ending.begun.wait(120)
    assert not forced.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name == "ending"]
