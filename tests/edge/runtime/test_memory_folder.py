from __future__ import annotations

from pathlib import Path

import pytest

from edge.runtime.memory_folder import memory_name, service_folder


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({}, None),
        ({"RUNTIME_DIRECTORY": ""}, None),
        ({"RUNTIME_DIRECTORY": "/run/pilah"}, Path("/run/pilah")),
        ({"RUNTIME_DIRECTORY": "/run/pilah:/run/other"}, Path("/run/pilah")),
    ],
)
def test_the_folder_of_a_service_is_the_first_that_systemd_made(
    environment: dict[str, str], folder: Path | None
) -> None:
    assert service_folder(environment) == folder


def test_stations_of_one_name_with_two_ledgers_have_two_names(tmp_path: Path) -> None:
    names = {memory_name("door", tmp_path / ledger) for ledger in ("1.sqlite", "2.sqlite")}
    assert len(names) == 2
    assert all(name.startswith("pilah-door-") for name in names)
