"""A station that really runs is paused and sorts on, by the verbs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.cli import main
from edge.core.errors import EXIT_NO, EXIT_OK
from edge.events import LaneMoved, StateChanged
from edge.ledger.ledger import Ledger
from edge.sorting.loop import SortingLoop
from edge.sorting.sorter import Outcome
from tests.edge.stations import STATION, make_station

pytestmark = pytest.mark.usefixtures("ledger_within")


def test_a_running_station_is_paused_and_stopped_and_its_lane_moved_by_the_verbs(
    tmp_path: Path,
    tiny_bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = STATION.replace("frames_per_second: 1000", "frames_per_second: 1000, loop: true")
    station = str(make_station(tmp_path, text=text, bundle=tiny_bundle))
    words = {
        3: ["pause", station], 4: ["status", station], 6: ["resume", station],
        9: ["lane", "move", station, "cold"], 10: ["stop", station],
        11: ["mode", station, "maintenance"],
        12: ["lane", "move", station, "cold", "--seconds", "0.2"],
        13: ["mode", station, "production"], 14: ["reset", station], 15: ["resume", station],
    }  # fmt: skip
    codes: list[int] = []
    begun, items = SortingLoop.__init__, iter(range(1, 100))

    def watch(outcome: Outcome) -> None:
        if (found := words.get(next(items))) is not None:
            codes.append(main(found))

    def begin(loop: SortingLoop, *parts: object, **more: object) -> None:
        begun(loop, *parts, **(more | {"judged": watch}))  # type: ignore[arg-type]

    monkeypatch.setattr(SortingLoop, "__init__", begin)
    assert main(["run", station, "--max-items", "18", "--json"]) == EXIT_OK
    out = capsys.readouterr().out
    rows = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    # The one whose verdict was there when the other verb came is still of the state before.
    assert [row["reject"] for row in rows] == [None] * 2 + ["not_sorting"] * 4 + [None] * 3 + [
        "not_sorting"
    ] * 6 + [None] * 3
    assert codes == [EXIT_OK] * 3 + [EXIT_NO] + [EXIT_OK] * 6
    assert "bin-1 moves the lane cold" in out
    assert "(mode Maintenance)" in out
    assert "bin-1 is Held since" in out
    assert "bin-1 is Execute since" in out
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        (moved,) = (event for event in ledger.happenings() if isinstance(event, LaneMoved))
        states = [event.state for event in ledger.happenings() if isinstance(event, StateChanged)]
    assert (moved.lane, moved.seconds) == ("cold", 0.2)
    assert states == [
        "Starting", "Execute", "Held", "Execute", "Stopped", "Stopped", "Stopped", "Idle",
        "Execute", "Complete",
    ]  # fmt: skip
