"""How often `data check` says of a clean set that it spoils a training, and what it finds planted.

    python -m tests.benchmarks.clean_sets ../shared/data [--sets 40] [--first 0] [--json]

Draws sets from `trashnet`, `shoes`, `fruit/train` and `clothes` in turn: 2 to 10 classes of 20 to
100 pictures each, the same number of each class in one set and another of each in the next. Every
set is checked as it is, and nothing should spoil it. Then 5 % of its labels are replaced by
another, drawn evenly, and the planted ones in the first tenth of the ranked list are counted. Exit
code 1 where a clean set is called spoilt, or fewer than 80 % of the planted errors are found.

The rule for wrong labels was chosen on other draws of trashnet and shoes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge.core.dataset import LabelledPicture, read_picture_set
from edge.core.model.metrics import Share
from tests.benchmarks.label_errors import BAR, plant
from trainer.audit.check import check_pictures
from trainer.audit.label_errors import find_label_errors
from trainer.audit.pooled_features import SPEC, pooled_features
from trainer.audit.problems import SURELY_WRONG, WRONG_LABELS_SHARE, problems
from trainer.data.cache import decode_pictures

SOURCES = ("trashnet", "shoes", "fruit/train", "clothes")
PLANTED = (0.05, 0.10, 0.20)
"""Shares of labels that are replaced; only the first has a bar."""
_FEWEST, _MOST, _CLASSES = 20, 100, 10


@dataclass(frozen=True, slots=True)
class Looked:
    """What the check says of one set, as it is and with planted errors."""

    name: str
    pictures: int
    spoils: tuple[str, ...]
    """Titles of what is said to spoil the clean set."""
    doubted: int
    """Labels of the clean set that are in doubt."""
    wrong: float
    """The estimated share of wrong labels of the clean set."""
    planted: Mapping[float, tuple[int, int, float, bool]]
    """By the share planted: how many of them are in the first tenth of the list, how many there
    are, the estimated share, and whether it is said to spoil the set."""


def draw_set(pictures: Sequence[LabelledPicture], seed: int) -> list[LabelledPicture]:
    """Some pictures of some classes."""
    rng = np.random.default_rng(seed)
    by_label: dict[str, list[LabelledPicture]] = defaultdict(list)
    for picture in pictures:
        by_label[picture.label].append(picture)
    large = sorted(label for label, found in by_label.items() if len(found) >= _FEWEST)
    count = int(rng.integers(2, min(_CLASSES, len(large)) + 1))
    each = int(rng.integers(_FEWEST, _MOST + 1))
    drawn = []
    for label in sorted(rng.choice(large, count, replace=False).tolist()):
        if seed % 2:
            each = int(rng.integers(_FEWEST, _MOST + 1))
        found = by_label[label]
        drawn += [found[i] for i in sorted(rng.permutation(len(found))[:each].tolist())]
    return drawn


def look(name: str, pictures: Sequence[LabelledPicture], seed: int) -> Looked:
    """What the check says of these pictures."""
    with tempfile.TemporaryDirectory() as folder:
        manifest = Path(folder) / "set.csv"
        lines = [f'"{picture.path}",{picture.label}' for picture in pictures]
        manifest.write_text("path,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
        checked = check_pictures(manifest)
        spoils = tuple(problem.title for problem in problems(checked) if problem.spoils)
    errors = checked.label_errors
    if errors is None:
        raise SystemExit(f"{name}: {checked.without_features}")
    features = pooled_features(decode_pictures(checked.pictures, SPEC)).products
    labels = sorted({picture.label for picture in checked.pictures})
    planted = {}
    for share in PLANTED:
        spoilt, wrong = plant(checked.pictures, share, seed)
        found = find_label_errors(features, spoilt, labels)
        first = found.ranking[: len(spoilt) // 10]
        said = found.wrong.estimate > WRONG_LABELS_SHARE and found.wrong.at_least > SURELY_WRONG
        planted[share] = (
            int(wrong[first].sum()), int(wrong.sum()), found.wrong.estimate, said,
        )  # fmt: skip
    return Looked(
        name,
        len(checked.pictures),
        spoils,
        int(errors.probable.sum()),
        errors.wrong.estimate,
        planted,
    )


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path, help="the folder with these sets")
    parser.add_argument("--sets", type=int, default=40)
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(words)
    read = {
        source: [
            replace(picture, split=None)
            for picture in read_picture_set((arguments.data / source).resolve()).pictures
        ]
        for source in SOURCES
    }
    results = []
    for seed in range(arguments.first, arguments.first + arguments.sets):
        source = SOURCES[seed % len(SOURCES)]
        results.append(look(f"{source} {seed}", draw_set(read[source], seed), seed))
        if not arguments.json:
            _say(results[-1])
    cried = sum(bool(looked.spoils) for looked in results)
    found = {
        share: Share(
            sum(looked.planted[share][0] for looked in results),
            sum(looked.planted[share][1] for looked in results),
        )
        for share in PLANTED
    }
    spoilt = {
        share: Share(sum(looked.planted[share][3] for looked in results), len(results))
        for share in PLANTED
    }
    summary = {
        "sets": len(results),
        "clean_called_spoilt": cried,
        "planted_in_first_tenth": {str(share): each.value for share, each in found.items()},
        "planted_called_spoilt": {str(share): each.value for share, each in spoilt.items()},
    }
    print(json.dumps(summary, indent=2))
    return int(cried > 0 or (found[PLANTED[0]].value or 0) < BAR)


def _say(looked: Looked) -> None:
    planted = "; ".join(
        f"{share:.0%} planted: {first} of {total} in the first tenth, estimate {estimate:.1%}"
        + " (spoils)" * spoils
        for share, (first, total, estimate, spoils) in looked.planted.items()
    )
    print(
        f"{looked.name}: {looked.pictures} pictures, {looked.doubted} in doubt, estimate "
        f"{looked.wrong:.1%}; {planted}",
        flush=True,
    )
    for title in looked.spoils:
        print(f"  SPOILS IT: {title}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
