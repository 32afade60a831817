"""How many planted label errors stand in the first tenth of the list that `data check` makes.

    python -m tests.benchmarks.label_errors SET [SET ...] [--share 0.05] [--seeds 10] [--json]

Of each set (a folder per class, a manifest or a class map) some labels are replaced by another one,
drawn evenly from the others, and all pictures are ranked anew. Errors that the set has of its own
take places too. Exit code 1 where the mean over the seeds is below 80 % on any set.

Over 10 draws: trashnet 94.4 % (by blocks:20 90.6), fruit/train 99.8; over 20, shoes 83.6 (single
draws from 72 to 94: with 711 pictures of which a network of ImageNet mistakes 15 %, one draw says
little). Without planted errors 0.1 to 2.1 % of these sets are called errors.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.core.dataset import LabelledPicture, read_picture_set
from trainer.audit.label_errors import find_label_errors
from trainer.audit.pooled_features import SPEC, pooled_features
from trainer.data.cache import decode_pictures
from trainer.data.groups import assign_groups

BAR = 0.8
_FIRST_SEED = 10
"""Seeds 0 to 5 were looked at while the method was chosen."""


@dataclass(frozen=True, slots=True)
class Found:
    """One set with one draw of planted errors."""

    seed: int
    in_first_tenth: float
    """Share of the planted errors."""
    called_errors: float
    """Share of all pictures that confident learning calls errors."""


def plant(
    pictures: Sequence[LabelledPicture], share: float, seed: int
) -> tuple[list[LabelledPicture], npt.NDArray[np.bool_]]:
    """The pictures with a share of their labels replaced, and which."""
    rng = np.random.default_rng(seed)
    labels = sorted({picture.label for picture in pictures})
    planted = np.zeros(len(pictures), bool)
    planted[rng.choice(len(pictures), round(share * len(pictures)), replace=False)] = True
    return [
        replace(picture, label=str(rng.choice([x for x in labels if x != picture.label])))
        if wrong
        else picture
        for picture, wrong in zip(pictures, planted, strict=True)
    ], planted


def measure(
    features: npt.NDArray[np.float32],
    pictures: Sequence[LabelledPicture],
    *,
    share: float,
    seeds: Sequence[int],
) -> list[Found]:
    """The figures for each seed.

    Args:
        features: float32 (pictures, depth).
        pictures: each with its own label and its group.
    """
    labels = sorted({picture.label for picture in pictures})
    found = []
    for seed in seeds:
        spoilt, planted = plant(pictures, share, seed)
        errors = find_label_errors(features, spoilt, labels)
        first = errors.ranking[: len(pictures) // 10]
        found.append(
            Found(
                seed,
                float(planted[first].sum() / planted.sum()),
                float(errors.probable.mean()),
            )
        )
    return found


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sets", type=Path, nargs="+", metavar="SET")
    parser.add_argument("--groups", metavar="PLAN", help="as of `data check`")
    parser.add_argument("--share", type=float, default=0.05, help="of the labels (0.05)")
    parser.add_argument("--seeds", type=int, default=10, help="how many draws (10)")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(words)
    seeds = range(_FIRST_SEED, _FIRST_SEED + arguments.seeds)
    results: dict[str, list[Found]] = {}
    for path in arguments.sets:
        decoded = decode_pictures(read_picture_set(path).pictures, SPEC)
        pictures = assign_groups(decoded.pictures, arguments.groups)
        features = pooled_features(decoded).products
        results[str(path)] = measure(features, pictures, share=arguments.share, seeds=seeds)
    means = {
        name: float(np.mean([each.in_first_tenth for each in found]))
        for name, found in results.items()
    }
    if arguments.json:
        print(json.dumps(means))
    else:
        for name, found in results.items():
            each = " ".join(f"{one.in_first_tenth:.1%}" for one in found)
            called = np.mean([one.called_errors for one in found])
            print(
                f"{name}: {means[name]:.1%} of the planted errors in the first tenth ({each}); "
                f"{called:.1%} of all pictures called errors"
            )
    return int(min(means.values()) < BAR)


if __name__ == "__main__":
    sys.exit(main())
