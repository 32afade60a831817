"""Photographs that a person has labelled, by a correction or an audit, as a folder to train with.

The labels of the model itself are left out: a model that is trained on its own verdicts learns its
own mistakes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge.core.dataset.photo_folder import PhotoFolder, photo_label
from edge.core.errors import PictureSetError
from edge.core.files import read_regular
from edge.events import ItemAudited
from edge.ledger.export.reading import ExportedItem

_LARGEST = 64 * 2**20
"""The most bytes of a photograph; the largest that a station writes has a few megabytes."""


@dataclass(slots=True)
class ExportedSamples:
    """The numbers of photographs of labelled items that were copied, moved or missing."""

    added: Counter[str] = field(default_factory=Counter)
    """The number of new pictures by label."""
    moved: int = 0
    """The number of pictures that were there under a label that has been corrected since."""
    there: int = 0
    """The number of pictures that were there already."""
    without: int = 0
    """The number of labelled items of which no photograph was kept."""
    gone: int = 0
    """The number of labelled items whose photograph was deleted, or could not be written."""
    refused: list[str] = field(default_factory=list)
    """A sentence for each label that cannot be the name of a class."""


def export_samples(
    items: Iterable[ExportedItem],
    audits: Mapping[str, ItemAudited],
    photographs: Path,
    folder: PhotoFolder,
) -> ExportedSamples:
    """Copies the photograph of each item that a person has labelled to `folder`, by that label.

    May be done again and again into the same folder: a photograph is there once, under the label
    that counts now.

    Args:
        items: of the ledger; those of which nobody said what they are are passed over.
        audits: the newest audit of each item that has one, by the item's id.
        photographs: the folder of the station's photographs.
        folder: is filled.

    Raises:
        StorageError: the folder cannot be written.
    """
    found = ExportedSamples()
    before: dict[str, list[Path]] = {}
    for file in sorted(folder.path.glob("*/*.jpg")):
        before.setdefault(file.name, []).append(file)
    for item in items:
        label = _label(item, audits.get(item.row["id"]))
        if label is None:
            continue
        if item.row["photograph"] is None:
            found.without += 1
            continue
        try:
            label = photo_label(label, where=f"the corrected label of item {item.row['id']}")
        except PictureSetError as error:
            found.refused.append(str(error))
            continue
        # It ends in the item's number, by which `--groups blocks:N` finds what came in a row.
        name = f"{item.row['id']}-{item.row['item']:06}.jpg"
        here = folder.path / label / name
        old = [file for file in before.get(name, ()) if file != here]
        if here not in before.get(name, ()):
            content = _content([photographs / str(item.row["photograph"]), *old])
            if content is None:
                found.gone += 1
                continue
            folder.put(label, name, content)
            if not old:
                found.added[label] += 1
        elif not old:
            found.there += 1
        for file in old:  # of a label that was corrected since; two, after a kill at this place
            folder.remove(file)
        found.moved += bool(old)
    return found


def _label(item: ExportedItem, audit: ItemAudited | None) -> str | None:
    """What a person said that an item is; None: nobody did, or it was taken back."""
    corrections = [found for found in item.corrections if found.field == "label"]
    newest = corrections[-1] if corrections else None
    if audit is None:
        return None if newest is None else newest.new
    if audit.lane is not None:
        return audit.label if newest is None or newest.time <= audit.time else newest.new
    # A review that is taken back is an audit without a lane, with the station's own label again.
    return None if newest is None or newest.new == item.row["label"] else newest.new


def _content(files: Iterable[Path]) -> bytes | None:
    """The content of the first of `files` that can be read: a copy outlives the photograph."""
    for file in files:
        try:
            return read_regular(file, largest=_LARGEST)
        except OSError:
            continue
    return None
