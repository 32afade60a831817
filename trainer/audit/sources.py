"""The sources of pictures, and which classes the source alone predicts."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.core.dataset import LabelledPicture
from edge.core.model.metrics import Share
from edge.core.yaml_file import YamlFile

_CAMERAS = re.compile(
    r"^(IMG|MVIMG|PXL|DSC[NF_]?|GOPR|WIN|WhatsApp|Screenshot|VID|frame|P(?=\d{7})|(?=20\d{6}[-_]))",
    re.IGNORECASE,
)
"""The beginnings of the file names that cameras, phones and programs give."""
_SMALLEST = 0.03
"""The smallest share of the pictures that a source must have to be listed."""


@dataclass(frozen=True, slots=True)
class ClassBySource:
    """How well the source of a picture alone predicts one class."""

    label: str
    sources: tuple[str, ...]
    """The sources most of whose pictures are of this class."""
    recall: Share
    """The share of the pictures of this class that come from these sources."""
    precision: Share
    """The share of the pictures of these sources that are of this class."""

    @property
    def f1(self) -> float:
        """The harmonic mean of both, 0 where none is right."""
        recall, precision = self.recall.value or 0.0, self.precision.value or 0.0
        return 2 * recall * precision / (recall + precision) if recall + precision else 0.0


@dataclass(frozen=True, slots=True)
class Sources:
    """A set of pictures that was put together from several sources."""

    kind: str
    """The property that separates the sources, such as "folder"."""
    of: tuple[str, ...]
    """The source of each picture."""
    counts: dict[str, dict[str, int]]
    """The number of pictures, by source and label."""
    told: Share
    """The share of the pictures whose class is the most frequent one of their source."""
    largest: Share
    """The share of the pictures that are of the largest class: the accuracy of always naming it."""
    classes: tuple[ClassBySource, ...]
    """The classes, the best predicted first."""


def find_sources(source: Path, pictures: Sequence[LabelledPicture]) -> Sources | None:
    """The sources of the pictures, by their folders or else their names; None: there is one.

    Of a class map a source is the folder that a class's folder lies in, of a manifest the one that
    the picture's folder lies in. In a folder per class it is the folder within, where classes have
    such of the same name. Names count as far as a camera or a program gave them.

    Args:
        source: what the pictures were read from.
    """
    for kind, of in (("folder", _by_folder(source, pictures)), ("name", _by_name(pictures))):
        sizes = Counter(of)
        if sum(count >= max(5, _SMALLEST * len(of)) for count in sizes.values()) > 1:
            return _figures(kind, of, pictures)
    return None


def _figures(kind: str, of: Sequence[str], pictures: Sequence[LabelledPicture]) -> Sources:
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for name, picture in zip(of, pictures, strict=True):
        table[name][picture.label] += 1
    totals = Counter(picture.label for picture in pictures)
    most = {name: max(sorted(counts), key=counts.__getitem__) for name, counts in table.items()}
    classes = []
    for label in sorted(totals):
        mine = sorted(name for name, best in most.items() if best == label)
        right = sum(table[name][label] for name in mine)
        classes.append(
            ClassBySource(
                label,
                tuple(mine),
                Share(right, totals[label]),
                Share(right, sum(table[name].total() for name in mine)),
            )
        )
    return Sources(
        kind=kind,
        of=tuple(of),
        counts={name: dict(sorted(table[name].items())) for name in sorted(table)},
        told=Share(sum(table[name][best] for name, best in most.items()), len(pictures)),
        largest=Share(max(totals.values()), len(pictures)),
        classes=tuple(sorted(classes, key=lambda found: (-found.f1, found.label))),
    )


def _by_folder(source: Path, pictures: Sequence[LabelledPicture]) -> list[str]:
    if source.is_dir():
        return _within_classes(source, pictures)
    root = source.parent
    if source.suffix.lower() == ".csv":
        return [_name(picture.path.parent.parent, root) for picture in pictures]
    folders = {
        root / folder: _name((root / folder).parent, root)
        for listed in YamlFile(source).content.values()
        for folder in (listed if isinstance(listed, list) else ())
    }
    return [
        next((folders[above] for above in picture.path.parents if above in folders), "")
        for picture in pictures
    ]


def _within_classes(source: Path, pictures: Sequence[LabelledPicture]) -> list[str]:
    of, labels = [], defaultdict(set)
    for picture in pictures:
        parts = picture.path.relative_to(source).parts
        at = parts.index(picture.label) if picture.label in parts else 0
        name = parts[at + 1] if len(parts) > at + 2 else ""
        of.append(name)
        labels[name].add(picture.label)
    # A folder that only one class has may be a kind of it: `apple/golden`.
    shared = any(name and len(found) > 1 for name, found in labels.items())
    return of if shared else [""] * len(of)


def _by_name(pictures: Sequence[LabelledPicture]) -> list[str]:
    return [
        match[1].upper() or "a date" if (match := _CAMERAS.match(picture.path.name)) else "other"
        for picture in pictures
    ]


def _name(folder: Path, root: Path) -> str:
    try:
        return folder.relative_to(root).as_posix()
    except ValueError:
        return folder.as_posix()
