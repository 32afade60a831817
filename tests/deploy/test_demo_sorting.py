"""The station of a demo runs, and what really passed is laid beside what it wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.demo.folder import BUNDLE, LEDGER, REHEARSAL, STATION, TRUTH
from deploy.demo.photographs import BELT
from deploy.demo.sorting import rehearse, sort_belt
from deploy.demo.stations import belt_camera, belt_station, rehearsal_station, write_station
from edge.core.model.bundle import read_bundle


@pytest.fixture
def folder(tmp_path: Path, tiny_bundle: Path) -> Path:
    """A demo's folder before its belt runs."""
    (tmp_path / BUNDLE).symlink_to(tiny_bundle)
    camera = belt_camera(BELT, items=2, seed=1, paced=False, truth=TRUTH)
    labels = read_bundle(tiny_bundle).labels
    for file, make in ((REHEARSAL, rehearsal_station), (STATION, belt_station)):
        sections = make(BELT, camera, labels, bundle=BUNDLE, ledger=LEDGER)
        write_station(tmp_path / file, sections, comment="A belt.")
    return tmp_path


def test_a_rehearsal_tells_how_long_each_frame_took(folder: Path) -> None:
    seconds = rehearse(folder / REHEARSAL)
    assert len(seconds) > 50
    assert all(second > 0 for second in seconds)


def test_each_item_of_the_belt_is_a_row_with_the_frame_that_decided(folder: Path) -> None:
    found = sort_belt(folder / STATION, BELT, truth=folder / TRUTH, items=2)
    assert len(found.rows) == len(found.truths) == 2
    assert all(row.frame is not None for row in found.rows)
    assert found.frames > 50
    assert found.dropped == 0
