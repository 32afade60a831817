from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.telemetry.status import StationState, StatusReading
from edge.web.live import Beat
from edge.web.words.concerns import concerns
from tests.edge.telemetry.statuses import SIGNS, status

LEDGER = Path("ledger.sqlite")


def said(reading: StatusReading | None, refused: str = "") -> list[str]:
    found = concerns(Beat(reading, refused, {}), lambda text: text)
    assert all(concern.to_do for concern in found)
    return [concern.said for concern in found]


def test_a_station_that_is_well_has_none() -> None:
    assert said(StatusReading(status(LEDGER), 0.5)) == []


@pytest.mark.parametrize(
    ("changes", "concern"),
    [
        ({"camera_lost": True}, "The camera is lost. Items are not seen."),
        ({"ledger_fails": True, "items_spilled": 9}, "The ledger cannot be written."),
        ({"items_spilled": 9}, "Rows still wait to be added to the ledger: 9."),
        ({"counts_fail": True, "counts_waiting": 4}, "Items wait to be counted: 4."),
        ({"rows_lost": {"item": 2, "other": 1}}, "Rows were lost for ever: 3."),
        ({"silent_seconds": {"lanes": 5.5, "camera": 1}}, "does not respond: lanes."),
    ],
)
def test_each_has_its_sentence(changes: dict[str, Any], concern: str) -> None:
    (found,) = said(StatusReading(status(LEDGER, signs=replace(SIGNS, **changes)), 0.5))
    assert concern in found


@pytest.mark.parametrize(
    ("reading", "concern"),
    [
        (None, "does not run"),
        (StatusReading(status(LEDGER), None), "does not run"),
        (StatusReading(status(LEDGER, signs=replace(SIGNS, camera_lost=True)), 9.0), "no sign of"),
        (StatusReading(status(LEDGER, state=StationState.STOPPING), 0.1), "is ending"),
    ],
)
def test_of_a_station_that_is_not_heard_nothing_else_is_said(
    reading: StatusReading | None, concern: str
) -> None:
    (found,) = said(reading)
    assert concern in found


def test_a_status_that_may_not_be_read_says_who_may() -> None:
    assert said(None, "ask as root") == ["The station's status may not be read."]


@pytest.mark.parametrize(
    ("reading", "is_alarm"),
    [
        (StatusReading(status(LEDGER, signs=replace(SIGNS, items_spilled=9)), 0.5), False),
        (StatusReading(status(LEDGER, state=StationState.STOPPING), 0.1), False),
        (StatusReading(status(LEDGER, signs=replace(SIGNS, camera_lost=True)), 0.5), True),
        (None, True),
    ],
)
def test_what_asks_for_no_action_is_no_alarm(reading: StatusReading | None, is_alarm: bool) -> None:
    (found,) = concerns(Beat(reading, "", {}), lambda text: text)
    assert found.is_alarm == is_alarm
