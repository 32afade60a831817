from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from edge.core.dataset.photo_folder import Geometry, PhotoFolder
from edge.events import ItemCorrected, ItemSorted
from edge.ledger.export.reading import read_items
from edge.ledger.ledger import Ledger
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

    def write(self, *rows: ItemSorted | ItemCorrected) -> None:
        with Ledger(self.ledger) as ledger:
            ledger.append(rows)

    def export(self) -> ExportedSamples:
        geometry = Geometry(crop="item", padding=0.1)
        with PhotoFolder(self.out, geometry=geometry, station="bin-1") as folder:
            return export_samples(read_items(self.ledger), self.photographs, folder)

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
