from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.core.errors import PublisherFileError
from edge.publish.outbox_file import outboxes
from edge.publish.publisher_file import PublisherFile
from edge.publish.status import receiver_statuses
from tests.edge.publish.outboxes import write


def statuses(folder: Path) -> dict[str, Any]:
    boxes = outboxes(folder / "ledger.sqlite", folder / "deliveries.sqlite")
    found = receiver_statuses(("mqtt",), folder / "publish.sqlite", boxes)
    assert list(found) == ["mqtt"]
    return found["mqtt"]


def test_before_the_publisher_ran_everything_waits(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    nothing = {"sent": 0, "waiting": 0, "refused": 0, "dropped": 0, "last": None}
    assert statuses(tmp_path) == {
        "trouble": None,
        "since": None,
        "outboxes": {"ledger": {**nothing, "waiting": 2}, "deliveries": nothing},
        "refused": [],
    }


def test_a_receiver_that_is_away_says_why(tmp_path: Path) -> None:
    with PublisherFile(tmp_path / "publish.sqlite") as file:
        file.set_trouble("mqtt", "it is away")
    found = statuses(tmp_path)
    assert found["trouble"] == "it is away"
    assert found["since"].endswith("Z")


def test_an_outbox_that_cannot_be_read_is_not_known_and_the_other_is(tmp_path: Path) -> None:
    write(tmp_path, 1)
    (tmp_path / "deliveries.sqlite").write_bytes(b"no database at all " * 100)
    found = statuses(tmp_path)["outboxes"]
    assert (found["ledger"]["waiting"], found["deliveries"]["waiting"]) == (1, None)


def test_a_publisher_s_file_of_another_program_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "publish.sqlite").write_bytes(b"no database at all " * 100)
    with pytest.raises(PublisherFileError):
        statuses(tmp_path)
