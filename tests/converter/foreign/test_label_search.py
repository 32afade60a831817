"""The labels of other people's models are found; changes to them are always reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.errors import ForeignModelError
from converter.foreign.label_search import find_labels, label_count_error
from converter.tflite.metadata import PictureMetadata
from edge.core.errors import LabelListError
from tests.converter.foreign.models import LABELS, colour_model, way, with_labels

MODEL = colour_model(way("raw"))
THEIRS = Path("theirs.tflite")

USABLE = {
    "commas": ("tench, Tinca tinca\ngoldfish\n", ("tench; Tinca tinca", "goldfish")),
    "doubles": ("crane\nowl\ncrane\ncrane\n", ("crane", "owl", "crane 2", "crane 3")),
    "doubles that are there": ("a\na 2\na\n", ("a", "a 2", "a 3")),
    "made alike": ("a/b\na-b\n", ("a-b 2", "a-b")),
    "quotes and slashes": ('"can"\nPET / HDPE\n', ("can", "PET - HDPE")),
    "a dash before": ("- other\n=sum\n...\n", ("other", "sum", "class 2")),
    "numbers": ("0 can, tin\n1 glass\n", ("can; tin", "glass")),
    "long": ("ä" * 80 + "\n" + "ä" * 90 + "\n", ("ä" * 50, "ä" * 49 + " 2")),
}


@pytest.mark.parametrize("kind", USABLE)
def test_labels_that_no_bundle_can_have_are_made_usable_and_that_is_said(
    kind: str, tmp_path: Path
) -> None:
    text, names = USABLE[kind]
    (tmp_path / "labels.txt").write_text(text, encoding="utf-8")
    found = find_labels(tmp_path / "labels.txt", THEIRS, MODEL, None)
    assert found.names == names
    (note,) = found.notes
    assert "cannot be labels of a bundle" in note
    changed = next(
        name for name, line in zip(names, text.split("\n"), strict=False) if name != line
    )
    assert repr(changed) in note


def test_good_labels_stay_and_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("\n".join(LABELS), encoding="utf-8")
    found = find_labels(tmp_path / "labels.txt", THEIRS, MODEL, None)
    assert (found.names, found.notes) == (LABELS, ())


def test_an_empty_line_stays_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("a\n\nb\n", encoding="utf-8")
    with pytest.raises(LabelListError, match=r"labels.txt:2: the line is empty"):
        find_labels(tmp_path / "labels.txt", THEIRS, MODEL, None)


def test_labels_inside_the_model_are_taken_where_no_list_is_given() -> None:
    found = find_labels(None, THEIRS, with_labels(MODEL, LABELS), PictureMetadata((), (), ()))
    assert found.names == LABELS
    with pytest.raises(ForeignModelError, match=r"has no labels inside.*--labels"):
        find_labels(None, THEIRS, MODEL, None)


def test_a_list_that_differs_from_the_one_inside_is_said(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("\n".join(LABELS[::-1]), encoding="utf-8")
    model = with_labels(MODEL, LABELS)
    (note,) = find_labels(tmp_path / "labels.txt", THEIRS, model, None).notes
    assert "in another order" in note


COUNTS = {
    "background left out": (LABELS[:-1], "write a line `background` before"),
    "background too many": (("background", *LABELS), "'background', is probably not a class"),
    "one too many": ((*LABELS, "zinc"), "There is one label more than the model has outputs"),
    "of another model": (LABELS[:4], "give the labels file that came with the model"),
}


@pytest.mark.parametrize("kind", COUNTS)
def test_another_number_of_labels_is_told_with_what_is_meant(kind: str) -> None:
    names, meant = COUNTS[kind]
    said = str(label_count_error(names, len(LABELS), "labels.txt", THEIRS))
    assert f"gives 10 scores, but there are {len(names)} labels" in said
    assert meant in said
