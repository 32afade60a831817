"""The delivery of the demo: what is announced, and what really comes."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deploy.demo_receiving.boxes import DrawnBox, ean_13

THINGS = ("bottle", "fruit", "paper_ball")
"""Drawn things that a small network tells apart after a minute."""
NAME = "D-1"
_EXPECTED = {"bottle": 8, "fruit": 6, "paper_ball": 7}
_MISSING = {"bottle": 2}
_TOO_MANY = {"fruit": 2}
_SWAPPED = (("paper_ball", "fruit"), ("bottle", "paper_ball"))
"""Boxes with the wrong thing in them: whose code they have, and what is in them."""
_UNKNOWN = "fruit"
"""What is in the one box whose code was not announced."""
FIRST = 9000
"""The number of the first box; those to train on have smaller ones."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What a delivery really is."""

    boxes: Sequence[DrawnBox]
    """In the order in which they pass."""

    @property
    def counts(self) -> dict[str, int]:
        """Pieces that are to be counted of each thing: its code is on the box, and it is in it."""
        right = Counter(box.thing for box in self.boxes if box.code == code_of(box.thing))
        return {thing: right[thing] for thing in THINGS}

    @property
    def differences(self) -> dict[str, int]:
        """Pieces too many of each thing, or, as a negative number, missing."""
        return {thing: self.counts[thing] - _EXPECTED[thing] for thing in THINGS}

    @property
    def uncounted(self) -> set[str]:
        """The pictures of the boxes that are not to be counted."""
        return {box.name for box in self.boxes if box.code != code_of(box.thing)}


def code_of(thing: str) -> str:
    """The EAN-13 of the article that a thing is."""
    return ean_13(1 + THINGS.index(thing))


def truth(seed: int) -> Truth:
    """The boxes that pass: right ones, two with the wrong thing in them, one with another code."""
    contents = [
        (thing, code_of(thing))
        for thing in THINGS
        for _ in range(
            _EXPECTED[thing]
            - _MISSING.get(thing, 0)
            + _TOO_MANY.get(thing, 0)
            - sum(says == thing for says, _ in _SWAPPED)
        )
    ]
    contents += [(inside, code_of(says)) for says, inside in _SWAPPED]
    contents.append((_UNKNOWN, ean_13(777)))
    order = np.random.default_rng(seed).permutation(len(contents))
    return Truth(
        [DrawnBox(*contents[int(place)], FIRST + n) for n, place in enumerate(order, start=1)]
    )


def goods_csv() -> str:
    """The list of what is announced."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("delivery", "sku", "gtin", "description", "label", "expected"))
    for thing in THINGS:
        rows.writerow(
            (NAME, thing.upper(), code_of(thing), f"a {thing.replace('_', ' ')} in a box", thing,
             _EXPECTED[thing])
        )  # fmt: skip
    return text.getvalue()


def wrongs(real: Truth, counted: Mapping[str, int], uncounted: set[str]) -> list[str]:
    """How a report differs from what really came, a sentence each.

    Args:
        counted: pieces of each thing, by the report.
        uncounted: the pictures of the boxes that were stopped or put aside, by the report.
    """
    found = [
        f"{counted.get(thing, 0)} {thing} were counted, and {pieces} came"
        for thing, pieces in real.counts.items()
        if counted.get(thing, 0) != pieces
    ]
    missed, extra = real.uncounted - uncounted, uncounted - real.uncounted
    found += [f"{name} is not on the list of what was stopped or put aside" for name in missed]
    found += [f"{name} is on that list, and was right" for name in extra]
    return found
