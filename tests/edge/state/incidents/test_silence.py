"""A camera that hangs is noticed by the time alone, and a busy machine is not taken for one."""

from __future__ import annotations

import pytest

from edge.flow import CameraChange, Exposure
from edge.state.incidents.silence import SILENT_SECONDS, CameraSilence, slowest

LOST = CameraChange("cam", None)


def given(rule: CameraSilence, *, interval: float, count: int = 10, begin: float = 0.0) -> float:
    """Pictures come so far apart, and somebody looks at each; returns when the last one came."""
    at = begin
    for number in range(count):
        at = begin + number * interval
        rule.frame(at)
        assert rule.look(at) is None
    return at


def noticed(rule: CameraSilence, begin: float, *, every: float = 0.5) -> float:
    """When it is found to be silent by somebody who looks when he is asked to, and each `every`
    seconds; in seconds after `begin`."""
    now = begin
    for _ in range(200):
        due = rule.next_at(now)
        assert due is not None
        assert due > now, "a thread that waits until then would not wait at all"
        now = min(due, now + every)
        if rule.look(now) is not None:
            return round(now - begin, 6)
    raise AssertionError("it is never noticed")


@pytest.mark.parametrize(
    ("configured", "interval", "seconds"),
    [
        (1 / 30, 1 / 30, 1.5),
        (None, 1 / 30, 1.5),
        (1 / 2, 1 / 2, 1.5),
        (1.0, 1.0, 3.0),  # a camera of one picture a second
        (None, 1.0, 3.0),  # a stream, which does not tell how many it gives
        (1 / 30, 0.8, 2.4),  # in the dark, with automatic exposure
        (1 / 30, 4.0, 12.0),
    ],
)
def test_it_may_be_silent_for_one_and_a_half_seconds_or_three_of_its_pictures(
    configured: float | None, interval: float, seconds: float
) -> None:
    rule = CameraSilence("cam", configured)
    last = given(rule, interval=interval)
    assert noticed(rule, last) == pytest.approx(seconds)


def test_before_its_first_picture_and_while_its_rate_is_not_known_nothing_is_expected() -> None:
    rule = CameraSilence("cam", None)
    assert (rule.next_at(0.0), rule.look(100.0)) == (None, None)
    rule.frame(100.0)
    assert (rule.next_at(100.0), rule.look(104.0)) == (None, None)
    rule.frame(104.0)
    assert noticed(rule, 104.0) == 12.0


def test_a_single_hiccup_is_none_and_does_not_make_it_slow_for_long() -> None:
    rule = CameraSilence("cam", 1 / 30)
    last = given(rule, interval=1 / 30)
    last = given(rule, interval=1 / 30, begin=last + 1.4)
    assert noticed(rule, last) == pytest.approx(SILENT_SECONDS)


@pytest.mark.parametrize("late", [1.6, 5.0, 3600.0])
def test_a_machine_that_was_held_up_looks_on_before_it_says_that_the_camera_is_lost(
    late: float,
) -> None:
    rule = CameraSilence("cam", 1 / 30)
    last = given(rule, interval=1 / 30)
    assert rule.look(last + late) is None
    assert rule.next_at(last + late) == pytest.approx(last + late + 0.9)
    assert rule.frame(last + late + 0.1) is None  # the camera's thread has its turn, too
    last = given(rule, interval=1 / 30, begin=last + late + 0.2)
    assert noticed(rule, last) == pytest.approx(SILENT_SECONDS)


def test_it_is_told_once_and_that_it_is_over_with_the_next_picture() -> None:
    rule = CameraSilence("cam", 1 / 30)
    last = given(rule, interval=1 / 30)
    at = last + noticed(rule, last)
    assert (rule.next_at(at), rule.look(at + 1)) == (None, None)
    assert rule.since == last
    assert rule.frame(at + 0.4) == CameraChange("cam", pytest.approx(SILENT_SECONDS + 0.4))
    assert rule.frame(at + 0.5) is None
    assert noticed(rule, at + 0.5) == pytest.approx(SILENT_SECONDS), (
        "the silence is no time between pictures"
    )


def test_what_the_camera_tells_itself_is_told_once_too_and_from_the_beginning() -> None:
    rule = CameraSilence("cam", 1 / 30)
    last = given(rule, interval=1 / 30)
    at = last + noticed(rule, last)
    assert rule.changed(LOST, at + 1.5) is None
    assert rule.look(at + 5) is None
    assert rule.changed(CameraChange("cam", 8.0), at + 9.5) == ("cam", pytest.approx(11.0))
    assert rule.frame(at + 9.6) is None


def test_a_camera_that_finds_its_own_loss_is_not_watched_until_it_is_back() -> None:
    rule = CameraSilence("cam", 1 / 30)
    last = given(rule, interval=1 / 30)
    assert rule.changed(LOST, last + 0.1) == LOST
    assert rule.since == last
    assert (rule.next_at(last + 50), rule.look(last + 50)) == (None, None)
    back = CameraChange("cam", 60.0)
    assert rule.changed(back, last + 60) == back
    assert noticed(rule, last + 60) == pytest.approx(SILENT_SECONDS), (
        "it is back, and hangs at once"
    )


@pytest.mark.parametrize(
    ("rate", "exposure", "interval"),
    [
        (None, None, None),
        (0.05, Exposure(gain=2.0), 0.05),
        (0.05, Exposure(microseconds=20_000), 0.05),
        (0.05, Exposure(microseconds=1_000_000), 1.0),
    ],
)
def test_a_long_exposure_makes_a_camera_slow(
    rate: float | None, exposure: Exposure | None, interval: float | None
) -> None:
    assert slowest(rate, exposure) == interval
