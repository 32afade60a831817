"""The names that data sets use for the splits train, validation and test."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORDS = {
    "train": "train", "training": "train", "trn": "train",
    "val": "validation", "valid": "validation", "validation": "validation",
    "validate": "validation", "validating": "validation", "dev": "validation",
    "test": "test", "testing": "test", "tests": "test", "tst": "test",
    "eval": "test", "evaluation": "test", "holdout": "test",
}  # fmt: skip
_NEUTRAL = frozenset(
    {"set", "sets", "data", "dataset", "datasets", "image", "images", "img", "imgs", "picture",
     "pictures", "photo", "photos", "folder", "dir", "split", "part", "samples", "seg"}
)  # fmt: skip
"""Words that may be in the name of a split and add no meaning."""
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
_GLUED = re.compile(rf"({'|'.join(sorted(_WORDS, key=len, reverse=True))})({'|'.join(_NEUTRAL)})?")
_NO_LABELS = frozenset({"pred", "predict", "prediction", "unlabeled", "unlabelled", "submission"})


def split_of_name(name: str) -> str | None:
    """The split that `name` means by itself, one of SPLITS: `Training`, `test_set`, `seg_train`."""
    part, rest = _split(name)
    return part if all(word in _NEUTRAL or word.isdecimal() for word in rest) else None


def splits_of_names(names: Sequence[str]) -> dict[str, str]:
    """Name -> split, for the names that mean one.

    A further word in a name is allowed if the other names have it too: `dogs_train`, `dogs_test`.
    """
    found = {name: part for name in names if (part := split_of_name(name))}
    named: dict[tuple[str, ...], dict[str, str]] = {}
    for name in names:
        part, rest = _split(name)
        if part:
            named.setdefault(tuple(rest), {})[name] = part
    for alike in named.values():
        if len(alike) > 1 and "train" in alike.values():
            found |= alike
    return found


def is_unlabelled_name(name: str) -> bool:
    """Whether a folder beside the splits has a name that is common for pictures without labels."""
    part, _ = _split(name)
    return part is not None or not _NO_LABELS.isdisjoint(_pieces(name))


def _split(name: str) -> tuple[str | None, list[str]]:
    """The split, if exactly one word names a split, and the other words."""
    part, rest = None, []
    for piece in _pieces(name):
        match = _GLUED.fullmatch(piece)
        if match is None:
            rest.append(piece)
        elif part is not None:
            return None, []
        else:
            part = _WORDS[match[1]]
    return part, rest


def _pieces(name: str) -> list[str]:
    return [piece.lower() for piece in _PIECE.findall(name)]
