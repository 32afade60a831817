from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from edge.core.errors import UsageError
from edge.ledger.export.reading import read_items
from edge.ledger.ledger import Ledger
from edge.ledger.recovering import RecoveringLedger
from edge.ledger.upkeep.correcting import correct
from tests.edge.ledger.entries import entry


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        opened.append([entry(1), entry(2, quantity=4)])
    return tmp_path / "ledger.sqlite"


def test_corrections_are_added_and_the_newest_counts(ledger: Path) -> None:
    correct(ledger, entry(2).id, {"label": "jar", "quantity": "05"}, who="Ana", why="counted")
    (second,) = correct(ledger, entry(2).id, {"label": "bottle"}, who="Bo", why="looked again")
    assert (second.old, second.new, second.station) == ("jar", "bottle", "bin-1")
    first, found = read_items(ledger)
    assert first.corrections == ()
    assert (found.row["label"], found.row["quantity"]) == ("can", 4)
    assert found.corrected == {"label": "bottle", "quantity": 5}
    assert [c.who for c in found.corrections] == ["Ana", "Ana", "Bo"]


@pytest.mark.parametrize(
    ("item", "changes", "said"),
    [
        (1, {"label": "can"}, "the label of the item is can already"),
        (1, {"quantity": "1"}, "the quantity of the item is 1 already"),
        (2, {"quantity": "-1"}, "a whole number from 0. Received: -1"),
        (2, {"quantity": "two"}, "Received: two"),
        (2, {"label": " "}, "label must be one line of text"),
        (2, {"label": "a\nb"}, "label must be one line of text"),
        (9, {"label": "jar"}, "has no item with the id"),
    ],
)
def test_what_is_no_correction_adds_nothing(
    ledger: Path, item: int, changes: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        correct(ledger, entry(item).id, {"lane": "rest", **changes}, who="Ana", why="counted")
    assert [found.corrections for found in read_items(ledger)] == [(), ()]


def test_who_and_why_must_be_said(ledger: Path) -> None:
    for who, why in (("", "counted"), ("Ana", " ")):
        with pytest.raises(UsageError, match="must be one line of text"):
            correct(ledger, entry(1).id, {"label": "jar"}, who=who, why=why)


def test_a_station_that_writes_the_ledger_is_not_disturbed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """From another process, as a person does it."""
    file = tmp_path / "ledger.sqlite"
    script = (
        "import sys; from pathlib import Path; from edge.ledger.upkeep.correcting import correct; "
        "correct(Path(sys.argv[1]), sys.argv[2], {'label': 'jar'}, who='Ana', why='counted')"
    )
    with caplog.at_level(logging.WARNING), RecoveringLedger(file) as station:
        station.append([entry(1)])
        subprocess.run([sys.executable, "-c", script, str(file), entry(1).id], check=True)
        station.append([entry(2)])
        assert station._ledger is not None
        station._checkpoint(station._ledger)
        station.append([entry(3)])
    assert caplog.records == []
    assert [(f.row["item"], dict(f.corrected)) for f in read_items(file)] == [
        (1, {"label": "jar"}), (2, {}), (3, {})
    ]  # fmt: skip
