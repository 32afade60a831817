from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from edge.core.dataset.photo_folder import Geometry, PhotoFolder
from edge.core.uuid7 import uuid7_text
from edge.events import ItemAudited, ItemCorrected, ItemSorted
from edge.ledger.export.reading import read_items
from edge.ledger.ledger import Ledger
from edge.ledger.upkeep.auditing import newest_audits
from edge.samples.export import ExportedSamples, export_samples
from edge.samples.photograph_store import photograph_file
from tests.edge.ledger.entries import correction, entry


class Week:
    """A ledger and its photographs, and the folder that is exported to."""

    def __init__(self, folder: Path) -> None:
        self.ledger, self.photographs = folder / "ledger.sqlite", folder / "photographs"
        self.out = folder / "samples"

    def sorted(self, *items: int, kept: bool = True) -> None:
        """Items that were sorted as `can`, with a photograph whose bytes are the item's number."""
        rows: list[ItemSorted] = []
        for item in items:
            name = photograph_file(entry(item).id)
            if kept:
                file = self.photographs / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(b"\xff\xd8" + bytes([item]))
            rows.append(entry(item, photograph=name))
        self.write(*rows)

    def write(self, *rows: ItemSorted | ItemCorrected | ItemAudited) -> None:
        with Ledger(self.ledger) as ledger:
            ledger.append(rows)

    def export(self) -> ExportedSamples:
        geometry = Geometry(crop="item", padding=0.1)
        with PhotoFolder(self.out, geometry=geometry, station="bin-1") as folder:
            audits = newest_audits(self.ledger)
            return export_samples(read_items(self.ledger), audits, self.photographs, folder)

    @property
    def pictures(self) -> dict[str, list[int]]:
        """The items whose pictures are in the folder, by its label."""
        return {
            label.name: [file.read_bytes()[-1] for file in sorted(label.iterdir())]
            for label in sorted(self.out.iterdir())
            if label.is_dir()
        }


@pytest.fixture
def week(tmp_path: Path) -> Week:
    return Week(tmp_path)


def test_only_what_a_person_labelled_is_exported(week: Week) -> None:
    week.sorted(1, 2, 3)
    week.write(correction(1, "label", "can", "bottle"), correction(2, "lane", "metal", "glass"))
    assert week.export() == ExportedSamples(added=Counter(bottle=1))
    assert week.pictures == {"bottle": [1]}
    assert (week.out / "capture.json").is_file()  # says how the pictures were cut
    (file,) = week.out.glob("bottle/*")
    assert file.name == f"{entry(1).id}-000001.jpg"  # the number is that of `--groups blocks:N`


def test_a_second_export_adds_what_is_new_and_moves_what_was_corrected_since(week: Week) -> None:
    week.sorted(1, 2, 3)
    week.write(*(correction(item, "label", "can", "bottle") for item in (1, 2)))
    week.export()
    week.write(
        correction(1, "label", "bottle", "jar", second=5),
        correction(3, "label", "can", "bottle", second=6),
    )
    assert week.export() == ExportedSamples(added=Counter(bottle=1), moved=1, there=1)
    assert week.pictures == {"bottle": [2, 3], "jar": [1]}


def audit(item: int, label: str, lane: str | None, second: int = 0) -> ItemAudited:
    """Somebody looked at the item `entry(item)`, at a second of the minute of corrections."""
    return ItemAudited(
        id=uuid7_text(1_795_302_600_000 + second, 1, item),
        time=f"2026-11-21T23:10:{second:02}.500000Z",
        station="bin-1",
        item_id=entry(item).id,
        label=label,
        lane=lane,
        who="Ana",
        drawn=False,
    )


@pytest.mark.parametrize(
    ("rows", "label"),
    [
        ([audit(1, "can", "metal")], "can"),  # the station was right, and that is known now
        ([audit(1, "can", "metal"), audit(1, "jar", "glass", 5)], "jar"),
        ([correction(1, "label", "can", "jar"), audit(1, "bottle", "glass", 5)], "bottle"),
        ([audit(1, "bottle", "glass"), correction(1, "label", "can", "jar", 5)], "jar"),
        ([audit(1, "can", None)], None),  # taken back
        ([correction(1, "label", "can", "jar"), correction(1, "label", "jar", "can", 5),
          audit(1, "can", None, 5)], None),
        ([audit(1, "can", None), correction(1, "label", "can", "jar", 5)], "jar"),
    ],
)  # fmt: skip
def test_what_counts_is_what_a_person_said_last(
    week: Week, rows: list[ItemAudited | ItemCorrected], label: str | None
) -> None:
    week.sorted(1)
    week.write(*rows)
    week.export()
    assert week.pictures == ({} if label is None else {label: [1]})


def test_a_copy_outlives_the_photograph(week: Week) -> None:
    week.sorted(1)
    week.write(correction(1, "label", "can", "bottle"))
    week.export()
    for file in week.photographs.rglob("*.jpg"):
        file.unlink()
    week.write(correction(1, "label", "bottle", "jar", second=5))
    assert week.export() == ExportedSamples(moved=1)
    assert week.pictures == {"jar": [1]}


def test_what_a_kill_left_under_two_labels_is_under_one_again(week: Week) -> None:
    week.sorted(1)
    week.write(correction(1, "label", "can", "bottle"))
    week.export()
    (file,) = week.out.glob("bottle/*")
    for label in ("apple", "jar"):  # before and after it in the order of names
        (week.out / label).mkdir()
        (week.out / label / file.name).write_bytes(file.read_bytes())
    assert week.export() == ExportedSamples(moved=1)
    assert week.pictures == {"bottle": [1]}


def test_photographs_that_are_not_there_are_counted_apart(week: Week) -> None:
    week.sorted(1, kept=False)
    week.write(entry(2), *(correction(item, "label", "can", "bottle") for item in (1, 2)))
    assert week.export() == ExportedSamples(gone=1, without=1)
    assert week.pictures == {}


@pytest.mark.parametrize("label", ["a/b", "__bottle", ".."])
def test_a_label_that_is_no_name_of_a_class_is_told_and_holds_up_no_other(
    week: Week, label: str
) -> None:
    week.sorted(1, 2)
    week.write(correction(1, "label", "can", label), correction(2, "label", "can", "jar"))
    found = week.export()
    (said,) = found.refused
    assert said.startswith(f"the corrected label of item {entry(1).id}: ")
    assert week.pictures == {"jar": [2]}
