from __future__ import annotations

import os
import queue
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.benchmark.drawn_belt import plain_belt
from edge.benchmark.rehearsal import _Times, rehearse
from edge.core.errors import PinError
from edge.core.model.bundle import read_bundle
from edge.pins import pins as pins_module
from edge.runtime.worker import Endings


def test_a_whole_station_is_timed_and_leaves_nothing(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = rehearse(read_bundle(tiny_bundle), plain_belt(96, 64), verdicts=8)
    assert found.verdicts == 8
    told = found.to_json()
    assert "mock pins" in told["pins"]
    assert 0 < told["frame_age"]["p50_ms"] <= told["capture_to_verdict"]["p50_ms"]
    assert 0 < told["verdict_to_pin"]["p50_ms"] <= told["verdict_to_pin"]["max_ms"]
    assert list(tmp_path.iterdir()) == []


def test_each_verdict_has_the_edge_that_follows_it_before_the_next_verdict() -> None:
    times = _Times(verdicts=[1.0, 2.0, 3.0], edges=[0.5, 1.01, 3.005])
    assert times.lateness == pytest.approx([0.01, 0.02, 0.005])  # the second is missed


@pytest.mark.parametrize("real", [True, False])
def test_a_real_pin_is_switched_only_where_it_is_named_and_there(
    real: bool, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_pins(*board: Path) -> pins_module.Pins:
        pins = pins_module.open_pins(Path(os.devnull))
        pins.real = real
        return pins

    monkeypatch.setattr("edge.benchmark.rehearsal.open_pins", open_pins)
    bundle, belt = read_bundle(tiny_bundle), plain_belt(96, 64)
    if real:
        assert rehearse(bundle, belt, verdicts=2, pin=5).pins == "GPIO 5"
    else:
        with pytest.raises(PinError, match="--pin: this machine has no GPIO"):
            rehearse(bundle, belt, verdicts=2, pin=5)


def test_one_that_is_interrupted_measures_nothing(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def interrupted() -> Iterator[Endings]:
        endings: Endings = queue.SimpleQueue()
        endings.put(signal.SIGINT)
        yield endings

    monkeypatch.setattr("edge.benchmark.rehearsal.stop_signals", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rehearse(read_bundle(tiny_bundle), plain_belt(96, 64), verdicts=2)
