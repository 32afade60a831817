"""A model is given items cut as they are on the photographs that it learned from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.core.dataset.photo_folder import FACTS, Geometry, PhotoFolder
from edge.core.errors import PictureSetError
from edge.core.images.preprocess import InputSpec
from trainer.data.captured import as_captured

REGION = Geometry(crop="region")
ITEM = Geometry(crop="item", padding=0.1)
WIDE = Geometry(crop="item", padding=0.3)


def taken(folder: Path, geometry: Geometry) -> list[Path]:
    with PhotoFolder(folder, geometry=geometry, station="bin") as photos:
        image = np.zeros((8, 8, 3), np.uint8)
        return [photos.add(label, image, taken=0) for label in ("can", "empty")]


def loose(folder: Path) -> list[Path]:
    return [folder / "can" / "1.jpg"]


@pytest.mark.parametrize(
    ("geometry", "before", "after", "said"),
    [
        (ITEM, {"crop": "region"}, ("item", 0.1), True),
        (WIDE, {"crop": "item"}, ("item", 0.3), True),
        (WIDE, {"crop": "item", "padding": 0.3}, ("item", 0.3), False),
        (REGION, {"crop": "item"}, ("region", 0.1), True),
        (REGION, {"crop": "region", "padding": 0.3}, ("region", 0.3), False),
    ],
)
def test_what_the_pictures_show_counts(
    tmp_path: Path, geometry: Geometry, before: dict[str, object], after: object, said: bool
) -> None:
    spec, line = as_captured(InputSpec.model_validate(before), taken(tmp_path, geometry))
    assert (spec.crop, spec.padding) == after
    assert bool(line) == said
    if said:
        assert str(geometry) in line


def test_the_rest_of_the_spec_stays(tmp_path: Path) -> None:
    before = InputSpec(height=64, width=96, geometry="squash", channels=1)
    spec, _ = as_captured(before, taken(tmp_path, ITEM))
    assert spec == before.model_copy(update={"crop": "item"})


def test_of_pictures_from_elsewhere_the_recipe_decides(tmp_path: Path) -> None:
    spec = InputSpec(crop="item")
    assert as_captured(spec, loose(tmp_path)) == (spec, "")


def test_pictures_from_elsewhere_may_be_added(tmp_path: Path) -> None:
    files = [*taken(tmp_path / "a", ITEM), *loose(tmp_path / "b")]
    assert as_captured(InputSpec(), files)[0].crop == "item"


def test_pictures_that_were_cut_in_two_ways_are_refused(tmp_path: Path) -> None:
    files = [*taken(tmp_path / "a", ITEM), *taken(tmp_path / "b", REGION)]
    with pytest.raises(PictureSetError, match=r"/a show items cut .*/b the whole region"):
        as_captured(InputSpec(), files)


def test_two_folders_that_agree_go_together(tmp_path: Path) -> None:
    files = [*taken(tmp_path / "a", ITEM), *taken(tmp_path / "b", ITEM)]
    assert as_captured(InputSpec(), files)[0].crop == "item"


def test_a_damaged_record_is_told(tmp_path: Path) -> None:
    files = taken(tmp_path, ITEM)
    (tmp_path / FACTS).write_text("{}", "utf-8")
    with pytest.raises(PictureSetError, match=FACTS):
        as_captured(InputSpec(), files)
