"""Contacts that bounce, and sensors that items pass."""

from __future__ import annotations

from edge.state.incidents.contacts import Contact
from edge.state.incidents.notice import Notice


def read(contact: Contact, levels: list[tuple[float, bool]]) -> list[tuple[float, Notice]]:
    return [(at, found) for at, level in levels for found in contact.read(level, at)]


def test_an_emergency_stop_is_taken_at_once_and_its_release_when_it_stays_so() -> None:
    button = Contact("emergency_stop", end_seconds=0.25)
    levels = [(0.0, False), (1.0, True), (1.05, False), (1.1, True), (1.25, False),
              (1.375, False), (1.5, False), (1.75, False)]  # fmt: skip
    assert read(button, levels) == [
        (1.0, Notice("emergency_stop", True, 1.0)),
        (1.5, Notice("emergency_stop", False, 1.25)),
    ]


def test_items_that_pass_the_sensor_do_not_fill_the_bin() -> None:
    bin_ = Contact("bin_full", scope="warm", begin_seconds=2, end_seconds=2)
    passing = [(float(at), at % 2 == 0) for at in range(20)]
    assert read(bin_, passing) == []
    lies = [(20.0, True), (21.0, True), (22.0, True), (23.0, False), (24.0, True), (25.0, False),
            (26.0, False), (27.0, False), (28.0, False)]  # fmt: skip
    assert read(bin_, lies) == [
        (22.0, Notice("bin_full", True, 20.0, "warm")),
        (27.0, Notice("bin_full", False, 25.0, "warm")),
    ]


def test_one_that_is_active_from_the_start_is_found_at_the_first_reading() -> None:
    assert read(Contact("emergency_stop"), [(5.0, True)]) == [
        (5.0, Notice("emergency_stop", True, 5.0))
    ]
