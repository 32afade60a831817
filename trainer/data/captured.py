"""The geometry of photographs that a station took: their model is given items cut the same way."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from edge.core.dataset.photo_folder import Geometry, geometries
from edge.core.errors import PictureSetError
from edge.core.images.preprocess import InputSpec


def as_captured(spec: InputSpec, files: Iterable[Path]) -> tuple[InputSpec, str]:
    """The input spec for the pictures `files`, and a line about what differs from `spec`, if any.

    What stands beside the pictures has the last word: they show what they show, whatever a recipe
    says. Where nothing does, as with pictures from elsewhere, the recipe decides.

    Raises:
        PictureSetError: some pictures were cut otherwise than others.
    """
    found = geometries(files)
    if not found:
        return spec, ""
    if len(found) > 1:
        (first, one), (second, other), *_ = found.items()
        raise PictureSetError(
            f"the pictures in {one} show {first}, those in {other} {second}: a model cannot learn "
            "from both. Train on the one or the other"
        )
    geometry = next(iter(found))
    if geometry == Geometry.of(spec):
        return spec, ""
    changes = geometry.model_dump(exclude_none=True)
    return spec.model_copy(update=changes), (
        f"the pictures show {geometry}: the model will be given the same, in place of the recipe's "
        f"crop: {spec.crop}, padding: {spec.padding:g}"
    )
