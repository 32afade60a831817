"""What the rows of a station tell of a run whose end was none of its own will, and of the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.events import IncidentEnded, IncidentRaised, StateChanged
from tests.edge.test_station_state import STOPPED_BEFORE, Machine

pytestmark = pytest.mark.usefixtures("ledger_within")


def test_what_was_open_at_the_end_is_over_at_the_next_start_and_begins_anew(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    text, happens, *_ = STOPPED_BEFORE["jammed"]
    machine = Machine(tmp_path / "station", tiny_bundle, text)
    machine.run(8, happens)
    (jam,) = machine.of(IncidentRaised)
    assert not machine.of(IncidentEnded)
    machine.start_anew()
    machine.run(2, {})
    over, begun, *_ = machine.of(IncidentEnded, StateChanged)
    assert (over.incident_id, over.name, over.scope, over.who) == (jam.id, "jam", jam.scope, "")
    assert over.seconds > 3600
    assert begun.state == "Starting"
    (again,) = machine.of(IncidentRaised)
    assert (again.name, again.scope) == (jam.name, jam.scope)
