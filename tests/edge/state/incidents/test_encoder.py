"""An encoder that is silent is one where items pass; a belt that stands has none that do."""

from __future__ import annotations

from edge.core.images.preprocess import Box
from edge.flow import Observation
from edge.lanes.belt_travel import BeltTravel
from edge.state.incidents.encoder import EncoderSilence
from edge.state.incidents.notice import Notice

BOX = Box(10, 10, 20, 20)


def station(*pulses: float, per_metre: float = 100) -> tuple[BeltTravel, EncoderSilence]:
    """A belt of half a metre a second that has given these pulses, and what looks at it."""
    travel = BeltTravel(per_metre, metres_per_second=0.5)
    for at in pulses:
        travel.pulse(at)
    return travel, EncoderSilence(travel)


def passes(
    rule: EncoderSilence, item: int, *, first: float, passed: float | None, box: Box | None = BOX
) -> None:
    """An item comes into view, and is seen until it has passed the middle or lies still."""
    for at in (first, first + 0.4, first + 0.8):
        rule.seen(at, [Observation(item, box, passed=passed)])


def test_two_items_that_pass_without_a_pulse_tell_it_from_the_last_pulse_on_and_once() -> None:
    travel, rule = station(1.0)
    passes(rule, 1, first=1.2, passed=1.6)
    assert list(rule.notices(2.0)) == []
    passes(rule, 2, first=2.2, passed=2.6)
    assert list(rule.notices(3.0)) == [Notice("encoder_silent", True, 1.0)]
    passes(rule, 3, first=3.2, passed=3.6)
    assert list(rule.notices(4.0)) == []
    travel.pulse(4.5)
    assert list(rule.notices(4.6)) == [Notice("encoder_silent", False, 4.6)]
    assert list(rule.notices(4.7)) == []


def test_one_that_never_gave_a_pulse_is_silent_since_something_was_in_view() -> None:
    _, rule = station()
    passes(rule, 1, first=7.0, passed=7.4)
    passes(rule, 2, first=8.0, passed=8.4)
    passes(rule, 3, first=9.0, passed=9.4)
    assert list(rule.notices(10.0)) == [Notice("encoder_silent", True, 7.0)]


def test_a_pulse_between_two_items_begins_anew() -> None:
    travel, rule = station(1.0)
    passes(rule, 1, first=1.2, passed=1.6)
    travel.pulse(2.1)
    passes(rule, 2, first=2.2, passed=2.6)
    assert list(rule.notices(3.0)) == []


def test_what_was_in_view_already_when_the_belt_stopped_does_not_count() -> None:
    travel, rule = station()
    rule.seen(1.0, [Observation(1, BOX, passed=2.5), Observation(2, BOX, passed=2.8)])
    travel.pulse(2.0)
    rule.seen(3.0, [Observation(1, BOX, passed=2.5), Observation(2, BOX, passed=2.8)])
    assert list(rule.notices(9.0)) == []


def test_what_lies_still_or_has_no_box_passes_nothing() -> None:
    _, rule = station(1.0)
    for item in (1, 2, 3):
        passes(rule, item, first=item + 0.2, passed=None)
        passes(rule, item + 10, first=item + 0.3, passed=item + 9.0)  # not there yet
        passes(rule, item + 20, first=item + 0.4, passed=item + 0.6, box=None)
    assert list(rule.notices(6.0)) == []


def test_an_encoder_of_few_pulses_is_given_the_time_of_three() -> None:
    _, rule = station(1.0, per_metre=1)  # a pulse each two seconds
    passes(rule, 1, first=1.2, passed=1.6)
    passes(rule, 2, first=2.2, passed=2.6)
    assert list(rule.notices(6.9)) == []
    assert list(rule.notices(7.0)) == [Notice("encoder_silent", True, 1.0)]
